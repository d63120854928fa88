"""Weighted shortest paths: NetworkX's functions of Dijkstra and, for weights >= 0, Bellman-Ford."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from . import search
from .graph import MAX_EXACT, Graph

Lengths = dict[Hashable, float]
Paths = dict[Hashable, list[Hashable]]


class Tree:
    """Lengths and ways of the shortest paths from some nodes."""

    def __init__(
        self,
        graph: Graph,
        sources: Iterable[int],
        weight: Hashable,
        cutoff: float | None = None,
        *,
        direction: str | None = None,
    ) -> None:
        lengths, self.whole = graph.lengths(weight)
        starts = np.array(sorted(set(sources)), np.int64)
        self.graph = graph
        self.starts = set(starts.tolist())
        self.length, self.edge = graph.native().shortest_paths(
            starts, lengths, parents=True, direction=direction or graph.onward
        )
        self._backward = direction == "in"
        limit = np.inf if cutoff is None else cutoff
        self.reached = np.isfinite(self.length) & (self.length <= limit)
        self.reached[starts] = True
        if self.whole and self.length[self.reached].max(initial=0) >= MAX_EXACT:
            raise NotImplementedError(f"the weights {weight!r} are too large to add exactly")

    def lengths(self) -> Lengths:
        return search.by_value(self.graph, self.length, self.reached, whole=self.whole)

    def length_to(self, node: int) -> float:
        value = float(self.length[node])
        return int(value) if self.whole else value

    def _parents(self) -> NDArray[np.int64]:
        """The node before each node, -1 for a source and for what is not reached."""
        ends = self.graph.target if self._backward else self.graph.source
        parent = np.full(len(self.edge), -1, np.int64)
        found = self.edge >= 0
        parent[found] = ends[self.edge[found]]
        return parent

    def path_to(self, node: int) -> list[Hashable]:
        parent = self._parents()
        way = [node]
        while way[-1] not in self.starts:
            way.append(int(parent[way[-1]]))
        return [self.graph.names[n] for n in reversed(way)]

    def paths(self) -> Paths:
        names, parent = self.graph.names, self._parents().tolist()
        node = np.flatnonzero(self.reached)
        node = node[np.argsort(self.length[node], kind="stable")]
        found: dict[int, list[Hashable]] = {n: [names[n]] for n in self.starts}
        for n in node.tolist():
            # A length of 0 may put a node before its parent.
            way = [n]
            while way[-1] not in found:
                way.append(parent[way[-1]])
            for child in reversed(way[:-1]):
                found[child] = [*found[parent[child]], names[child]]
        return {names[n]: path for n, path in found.items()}


def _start(G: Graph, source: Hashable, message: str = "Node {} not found in graph") -> int:
    return search.number_of(G, source, nx.NodeNotFound, message.format(source))


def _starts(G: Graph, sources: Any) -> list[int]:
    if not sources:
        raise ValueError("sources must not be empty")
    return [_start(G, source) for source in sources]


# Dijkstra


def multi_source_dijkstra_path_length(
    G: Graph, sources: Any, cutoff: float | None = None, weight: Hashable = "weight"
) -> Lengths:
    return Tree(G, _starts(G, sources), weight, cutoff).lengths()


def multi_source_dijkstra(
    G: Graph,
    sources: Any,
    target: Hashable | None = None,
    cutoff: float | None = None,
    weight: Hashable = "weight",
) -> Any:
    starts = _starts(G, sources)
    if target in sources:
        return 0, [target]
    tree = Tree(G, starts, weight, cutoff)
    if target is None:
        return tree.lengths(), tree.paths()
    if target not in G or not tree.reached[G.number[target]]:
        raise nx.NetworkXNoPath(f"No path to {target}.")
    node = G.number[target]
    return tree.length_to(node), tree.path_to(node)


def multi_source_dijkstra_path(
    G: Graph, sources: Any, cutoff: float | None = None, weight: Hashable = "weight"
) -> Paths:
    return Tree(G, _starts(G, sources), weight, cutoff).paths()


def single_source_dijkstra(
    G: Graph,
    source: Hashable,
    target: Hashable | None = None,
    cutoff: float | None = None,
    weight: Hashable = "weight",
) -> Any:
    return multi_source_dijkstra(G, {source}, target, cutoff, weight)


def single_source_dijkstra_path(
    G: Graph, source: Hashable, cutoff: float | None = None, weight: Hashable = "weight"
) -> Paths:
    return multi_source_dijkstra_path(G, {source}, cutoff, weight)


def single_source_dijkstra_path_length(
    G: Graph, source: Hashable, cutoff: float | None = None, weight: Hashable = "weight"
) -> Lengths:
    return multi_source_dijkstra_path_length(G, {source}, cutoff, weight)


def dijkstra_path(
    G: Graph, source: Hashable, target: Hashable, weight: Hashable = "weight"
) -> list[Hashable]:
    path: list[Hashable] = single_source_dijkstra(G, source, target, weight=weight)[1]
    return path


def dijkstra_path_length(
    G: Graph, source: Hashable, target: Hashable, weight: Hashable = "weight"
) -> float:
    start = _start(G, source)
    if source == target:
        return 0
    return _length(G, start, target, weight, f"Node {target} not reachable from {source}")


def _length(G: Graph, start: int, target: Hashable, weight: Hashable, message: str) -> float:
    tree = Tree(G, [start], weight)
    if target not in G or not tree.reached[G.number[target]]:
        raise nx.NetworkXNoPath(message)
    return tree.length_to(G.number[target])


def bidirectional_dijkstra(
    G: Graph, source: Hashable, target: Hashable, weight: Hashable = "weight"
) -> tuple[float, list[Hashable]]:
    start = _start(G, source, "Source {} is not in G")
    end = _start(G, target, "Target {} is not in G")
    if start == end:
        return 0, [source]
    tree = Tree(G, [start], weight)
    if not tree.reached[end]:
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    return tree.length_to(end), tree.path_to(end)


def dijkstra_predecessor_and_distance(
    G: Graph, source: Hashable, cutoff: float | None = None, weight: Hashable = "weight"
) -> tuple[dict[Hashable, list[Hashable]], Lengths]:
    """All nodes before each node on a shortest path: the arcs that are tight."""
    start = _start(G, source, "Node {} is not found in the graph")
    tree = Tree(G, [start], weight, cutoff)
    found = tree.lengths()
    lengths, _ = G.lengths(weight)
    before: dict[Hashable, list[Hashable]] = {name: [] for name in found}
    tight = tree.reached[G.source] & tree.reached[G.target]
    tight &= tree.length[G.source] + lengths == tree.length[G.target]
    # NetworkX looks at the arcs of the nearest node first, and never back at the source.
    arcs = np.flatnonzero(tight & (G.target != start) & (G.source != G.target))
    arcs = arcs[np.argsort(tree.length[G.source[arcs]], kind="stable")]
    for a, b in dict.fromkeys(zip(G.source[arcs].tolist(), G.target[arcs].tolist(), strict=True)):
        before[G.names[b]].append(G.names[a])
    return before, found


def all_pairs_dijkstra(
    G: Graph, cutoff: float | None = None, weight: Hashable = "weight"
) -> Iterator[tuple[Hashable, tuple[Lengths, Paths]]]:
    G.lengths(weight)
    trees = ((node, Tree(G, [i], weight, cutoff)) for i, node in enumerate(G.names))
    return ((node, (tree.lengths(), tree.paths())) for node, tree in trees)


def all_pairs_dijkstra_path_length(
    G: Graph, cutoff: float | None = None, weight: Hashable = "weight"
) -> Iterator[tuple[Hashable, Lengths]]:
    G.lengths(weight)
    return ((node, Tree(G, [i], weight, cutoff).lengths()) for i, node in enumerate(G.names))


def all_pairs_dijkstra_path(
    G: Graph, cutoff: float | None = None, weight: Hashable = "weight"
) -> Iterator[tuple[Hashable, Paths]]:
    G.lengths(weight)
    return ((node, Tree(G, [i], weight, cutoff).paths()) for i, node in enumerate(G.names))


# Bellman-Ford: with no negative weight its answers are Dijkstra's


def single_source_bellman_ford(
    G: Graph, source: Hashable, target: Hashable | None = None, weight: Hashable = "weight"
) -> Any:
    start = _start(G, source, "Node {} is not found in the graph")
    if source == target:
        return 0, [source]
    tree = Tree(G, [start], weight)
    if target is None:
        return tree.lengths(), tree.paths()
    if target not in G or not tree.reached[G.number[target]]:
        raise nx.NetworkXNoPath(f"Node {target} not reachable from {source}")
    node = G.number[target]
    return tree.length_to(node), tree.path_to(node)


def single_source_bellman_ford_path(
    G: Graph, source: Hashable, weight: Hashable = "weight"
) -> Paths:
    return Tree(G, [_start(G, source)], weight).paths()


def single_source_bellman_ford_path_length(
    G: Graph, source: Hashable, weight: Hashable = "weight"
) -> Lengths:
    return Tree(G, [_start(G, source)], weight).lengths()


def bellman_ford_path(
    G: Graph, source: Hashable, target: Hashable, weight: Hashable = "weight"
) -> list[Hashable]:
    path: list[Hashable] = single_source_bellman_ford(G, source, target, weight)[1]
    return path


def bellman_ford_path_length(
    G: Graph, source: Hashable, target: Hashable, weight: Hashable = "weight"
) -> float:
    start = _start(G, source)
    if source == target:
        return 0
    return _length(G, start, target, weight, f"node {target} not reachable from {source}")


def all_pairs_bellman_ford_path_length(
    G: Graph, weight: Hashable = "weight"
) -> Iterator[tuple[Hashable, Lengths]]:
    return all_pairs_dijkstra_path_length(G, None, weight)


def all_pairs_bellman_ford_path(
    G: Graph, weight: Hashable = "weight"
) -> Iterator[tuple[Hashable, Paths]]:
    return all_pairs_dijkstra_path(G, None, weight)
