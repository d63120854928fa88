"""The judge of covers: one row after the other, slow, obvious, no call into the core."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.reference import dot, unit
from tests.reference_access import log1p


def cover(
    vectors: Any, cosine: float, pinned: Any = None, uses: Any = None, prior: Any = None,
    groups: Any = None,
) -> list[int]:  # fmt: skip
    """For each row the one that stands for it."""
    n = len(vectors)
    units = [unit(v) for v in vectors]
    pin = [False] * n if pinned is None else [bool(p) for p in pinned]
    group = [0] * n if groups is None else [int(g) for g in groups]
    worth = [
        (0.0 if prior is None else float(prior[i]))
        + 2.0 * log1p(0.0 if uses is None else float(uses[i]))
        for i in range(n)
    ]
    kept: list[int] = []
    stands = list(range(n))
    for i in sorted(range(n), key=lambda i: (not pin[i], -worth[i], i)):
        near = (
            k for k in kept
            if group[k] == group[i] and dot(units[i], units[k]) >= np.float32(cosine)
        )  # fmt: skip
        stands[i] = i if pin[i] else next(near, i)
        if stands[i] == i:
            kept.append(i)
    return stands
