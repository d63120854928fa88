"""Breadth-first search in NetworkX's own order, a level at a time over native adjacency."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from .graph import Graph

I64 = NDArray[np.int64]
Level = tuple[I64, I64]
"""(parents, children), numbers of nodes, in the order in which NetworkX finds the children."""


def levels(
    graph: Graph, sources: Iterable[int], *, direction: str | None = None, limit: float = np.inf
) -> Iterator[Level]:
    """The levels below the sources, at most `limit` of them; each child once, by its finder."""
    native = graph.native()
    seen = np.zeros(len(graph), bool)
    place = np.empty(len(graph), np.int64)
    frontier = np.array(list(sources), np.int64)
    seen[frontier] = True
    depth = 0
    while len(frontier) and depth < limit:
        starts, child, _, _ = native.adjacency(frontier, direction=direction or graph.onward)
        parent = np.repeat(frontier, np.diff(starts))
        new = ~seen[child]
        child, parent = child[new], parent[new]
        # Of equal children the first stays: written last to first, the first is what is read.
        position = np.arange(len(child))
        place[child[::-1]] = position[::-1]
        first = place[child] == position
        child, parent = child[first], parent[first]
        seen[child] = True
        if len(child):
            yield parent, child
        frontier = child
        depth += 1


def number_of(graph: Graph, node: Hashable, error: type[Exception], message: str) -> int:
    if node not in graph:
        raise error(message)
    return graph.number[node]


def edges(
    graph: Graph, source: Hashable, *, direction: str | None = None, limit: int | None = None
) -> Iterator[tuple[Hashable, Hashable]]:
    """(parent, child) by name."""
    start = number_of(graph, source, nx.NetworkXError, f"The node {source} is not in the graph.")
    names = graph.names
    bound = np.inf if limit is None else limit
    for parents, children in levels(graph, [start], direction=direction, limit=bound):
        for parent, child in zip(parents.tolist(), children.tolist(), strict=True):
            yield names[parent], names[child]


def paths(
    graph: Graph, source: int, *, direction: str | None = None, limit: float = np.inf
) -> dict[Hashable, list[Hashable]]:
    """The first path found to each node, from the source on."""
    names = graph.names
    found = {source: [names[source]]}
    for parents, children in levels(graph, [source], direction=direction, limit=limit):
        for parent, child in zip(parents.tolist(), children.tolist(), strict=True):
            found[child] = [*found[parent], names[child]]
    return {names[node]: path for node, path in found.items()}


def predecessors(
    graph: Graph, source: int, limit: float
) -> tuple[dict[Hashable, list[Hashable]], dict[Hashable, int]]:
    """(all nodes one level above that lead to each node, level of each node)."""
    native, names = graph.native(), graph.names
    level = np.full(len(graph), -1, np.int64)
    level[source] = 0
    above: dict[Hashable, list[Hashable]] = {names[source]: []}
    frontier = np.array([source], np.int64)
    for depth, (_, children) in enumerate(levels(graph, [source], limit=limit), 1):
        level[children] = depth
        starts, child, _, _ = native.adjacency(frontier, direction=graph.onward)
        parent = np.repeat(frontier, np.diff(starts))
        below = level[child] == depth
        above.update((names[c], []) for c in children.tolist())
        # Parallel edges lead there once.
        pairs = dict.fromkeys(zip(parent[below].tolist(), child[below].tolist(), strict=True))
        for p, c in pairs:
            above[names[c]].append(names[p])
        frontier = children
    seen = {name: int(level[graph.number[name]]) for name in above}
    return above, seen


def by_value(
    graph: Graph, values: NDArray[np.float64] | I64, reached: NDArray[np.bool_], *, whole: bool
) -> dict[Hashable, float]:
    """name -> value of the reached nodes, least value first; whole: as Python integers."""
    node = np.flatnonzero(reached)
    node = node[np.argsort(values[node], kind="stable")]
    found = values[node]
    listed = (found.astype(np.int64) if whole else found).tolist()
    names = graph.names
    return dict(zip((names[n] for n in node.tolist()), listed, strict=True))


def trace(graph: Graph, parent: Mapping[int, int], node: int) -> list[Hashable]:
    """The names on the way to `node`; parent: of each node but the first."""
    way = [node]
    while way[-1] in parent:
        way.append(parent[way[-1]])
    return [graph.names[n] for n in reversed(way)]
