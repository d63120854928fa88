"""Link analysis: NetworkX's PageRank."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import networkx as nx
import numpy as np

from .graph import Graph

FINEST = 1e-11
"""The least L1 error that the native walk promises."""


def pagerank(
    G: Graph,
    alpha: float = 0.85,
    personalization: Mapping[Any, float] | None = None,
    max_iter: int = 100,
    tol: float = 1.0e-6,
    nstart: Mapping[Any, float] | None = None,  # noqa: ARG001
    weight: Hashable = "weight",
    dangling: Mapping[Any, float] | None = None,
) -> dict[Hashable, float]:
    if dangling is not None:
        raise NotImplementedError("dangling weights of their own are not served")
    if not len(G):
        return {}
    if max_iter < 1:
        raise nx.PowerIterationFailedConvergence(max_iter)
    start = None
    if personalization is not None:
        start = np.array([personalization.get(node, 0) for node in G.names], np.float64)
        if start.sum() == 0:
            raise ZeroDivisionError
        if not (np.isfinite(start).all() and (start >= 0).all()):
            raise NotImplementedError("a personalization is negative or not finite")
    native, _ = G.weighted(weight)
    bound = min(max(tol, FINEST), 1.0)
    found = native.pagerank(alpha, bound, start=start, direction=G.onward)
    return dict(zip(G.names, found.tolist(), strict=True))
