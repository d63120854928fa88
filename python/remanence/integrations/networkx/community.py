"""Communities: NetworkX's functions of Leiden, and of modularity."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from networkx.algorithms.community.quality import NotAPartition

from .components import groups
from .graph import Graph


def leiden_communities(
    G: Graph,
    weight: Hashable = "weight",
    resolution: float = 1,
    max_level: int | None = None,
    seed: Any = None,
) -> list[set[Hashable]]:
    if max_level is not None:
        raise NotImplementedError("max_level is not served: the native verb runs to the end")
    native, _ = G.weighted(weight, once=True)
    label, _ = native.communities("leiden", float(resolution), _seed(seed))
    return groups(G, label)


def _seed(seed: Any) -> int:
    """NetworkX turns whatever was given into a generator of random numbers."""
    return int(seed.getrandbits(31)) if hasattr(seed, "getrandbits") else int(seed or 0)


def modularity(
    G: Graph,
    communities: Iterable[Iterable[Hashable]],
    weight: Hashable = "weight",
    resolution: float = 1,
) -> float:
    if G.is_directed():
        raise NotImplementedError("the modularity of a directed graph is not served")
    parts = communities if isinstance(communities, list) else list(communities)
    label = np.full(len(G), -1, np.int64)
    for part in parts:
        members = [G.number.get(node, -1) for node in part]
        twice = len(set(members)) < len(members) or bool((label[members] >= 0).any())
        if twice or min(members, default=0) < 0:
            raise NotAPartition(G, parts)
        label[members] = min(members, default=0)
    if (label < 0).any():
        raise NotAPartition(G, parts)
    native, _ = G.weighted(weight, once=True)
    if not native.edges:
        raise ZeroDivisionError("division by zero")
    return float(native.modularity(label, float(resolution)))
