"""Turns what a provider returns into checked unit rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit_rows(rows: Any, count: int, name: str) -> NDArray[np.float32]:
    """Rows scaled to length 1, float32 [count, dim]; ValueError if they cannot be."""
    found = np.asarray(rows, dtype=np.float32)
    if found.ndim != 2 or len(found) != count:
        raise ValueError(
            f"embed: {name} answered with the wrong shape (got {found.shape}, want ({count}, dim))"
        )
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or not (norms > 0).all():
        raise ValueError(f"embed: {name} answered with a vector that is zero or not finite")
    return np.ascontiguousarray(found / norms)
