"""What is derived must not rest on itself: cycles of derived_from are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import EDGE_TYPES, Engine
from .errors import InvalidArgumentError

I64 = NDArray[np.int64]
DERIVED_FROM = EDGE_TYPES["derived_from"]
_TYPES = np.array([DERIVED_FROM], np.uint16)
_HOPS = 64
"""What one call of the engine walks at most."""


def check_derivations(engine: Engine, edges: dict[str, NDArray[Any]]) -> None:
    """InvalidArgumentError if the new edges close a cycle of derived_from."""
    new = edges["type"] == DERIVED_FROM
    if not new.any():
        return
    source, target = edges["source"][new], edges["target"][new]
    seeds = np.unique(target)
    reached = _premises(engine, seeds[engine.contains(seeds)])
    # On a cycle every new edge starts where another, or old edges, came to.
    if not np.isin(source, np.concatenate([reached, target])).any():
        return
    premises: dict[int, list[int]] = {}
    for memory in reached.tolist():
        found = engine.neighbours(memory, _TYPES, "out")
        premises[memory] = found["id"].tolist()
    for a, b in zip(source.tolist(), target.tolist(), strict=True):
        premises.setdefault(a, []).append(b)
    cycle = _cycle(premises)
    if cycle:
        way = " -> ".join(map(str, cycle[:6])) + (" and so on" if len(cycle) > 6 else "")
        raise InvalidArgumentError(f"link: a memory cannot be derived from itself (got {way})")


def _premises(engine: Engine, seeds: I64) -> I64:
    """Everything that the seeds rest on, themselves included."""
    reached, count = seeds, -1
    while len(reached) != count:
        count = len(reached)
        reached, _ = engine.khop(reached, _HOPS, _TYPES, "out", limit=engine.rows + 1)
    return reached


def _cycle(premises: dict[int, list[int]]) -> list[int]:
    """Memories that rest on each other, the first one again at the end; empty if none do."""
    done: set[int] = set()
    for start in premises:
        way: dict[int, None] = {}
        stack = [(start, iter(premises[start]))]
        if start in done:
            continue
        way[start] = None
        while stack:
            memory, rest = stack[-1]
            below = next(rest, None)
            if below is None:
                done.add(memory)
                del way[memory]
                stack.pop()
            elif below in way:
                names = list(way)
                return [*names[names.index(below) :], below]
            elif below not in done:
                way[below] = None
                stack.append((below, iter(premises.get(below, ()))))
    return []
