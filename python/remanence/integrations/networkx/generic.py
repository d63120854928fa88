"""Shortest paths of any kind: NetworkX's functions that choose by weight and method."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import networkx as nx
import numpy as np

from . import traversal, weighted
from .graph import Graph
from .search import number_of
from .weighted import Tree

METHODS = ("dijkstra", "bellman-ford")


def _check(method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"method not supported: {method}")


def shortest_path(
    G: Graph,
    source: Hashable | None = None,
    target: Hashable | None = None,
    weight: Hashable | None = None,
    method: str = "dijkstra",
) -> Any:
    _check(method)
    if source is None and target is None:
        if weight is None:
            return traversal.all_pairs_shortest_path(G)
        return weighted.all_pairs_dijkstra_path(G, None, weight)
    if source is None:
        return _paths_to(G, target, weight)
    if target is None:
        if weight is None:
            return traversal.single_source_shortest_path(G, source)
        return weighted.single_source_dijkstra_path(G, source, None, weight)
    if weight is None:
        return traversal.bidirectional_shortest_path(G, source, target)
    if method == "dijkstra":
        return weighted.bidirectional_dijkstra(G, source, target, weight)[1]
    return weighted.bellman_ford_path(G, source, target, weight)


def _paths_to(G: Graph, target: Hashable, weight: Hashable | None) -> Any:
    if weight is None:
        return traversal.single_target_shortest_path(G, target)
    end = number_of(G, target, nx.NodeNotFound, f"Node {target} not found in graph")
    found = Tree(G, [end], weight, direction=G.backward).paths()
    return {node: path[::-1] for node, path in found.items()}


def shortest_path_length(
    G: Graph,
    source: Hashable | None = None,
    target: Hashable | None = None,
    weight: Hashable | None = None,
    method: str = "dijkstra",
) -> Any:
    _check(method)
    if source is None and target is None:
        if weight is None:
            return traversal.all_pairs_shortest_path_length(G)
        return weighted.all_pairs_dijkstra_path_length(G, None, weight)
    if source is None:
        if weight is None:
            return traversal.single_target_shortest_path_length(G, target)
        end = number_of(G, target, nx.NodeNotFound, f"Node {target} not found in graph")
        return Tree(G, [end], weight, direction=G.backward).lengths()
    if target is None:
        if weight is None:
            return traversal.single_source_shortest_path_length(G, source)
        return weighted.single_source_dijkstra_path_length(G, source, None, weight)
    if weight is None:
        return len(traversal.bidirectional_shortest_path(G, source, target)) - 1
    if method == "dijkstra":
        return weighted.dijkstra_path_length(G, source, target, weight)
    return weighted.bellman_ford_path_length(G, source, target, weight)


def average_shortest_path_length(
    G: Graph, weight: Hashable | None = None, method: str | None = None
) -> float:
    if method not in (None, "unweighted", *METHODS):
        raise NotImplementedError(f"method {method} is not served")
    if not len(G):
        raise nx.NetworkXPointlessConcept(
            "the null graph has no paths, thus there is no average shortest path length"
        )
    if len(G) == 1:
        return 0
    hops = method == "unweighted" or (method is None and weight is None)
    total = 0.0
    for lengths in _all_lengths(G, None if hops else weight):
        if not np.isfinite(lengths).all():
            kind = "strongly connected" if G.is_directed() else "connected"
            raise nx.NetworkXError(f"Graph is not {kind}.")
        total += float(lengths.sum())
    return total / (len(G) * (len(G) - 1))


def _all_lengths(G: Graph, weight: Hashable | None) -> Iterator[Any]:
    native = G.native()
    lengths, _ = G.lengths(weight)
    for node in range(len(G)):
        yield native.shortest_paths(np.array([node], np.int64), lengths, direction=G.onward)


def all_shortest_paths(
    G: Graph,
    source: Hashable,
    target: Hashable,
    weight: Hashable | None = None,
    method: str = "dijkstra",
) -> Iterator[list[Hashable]]:
    before = _before(G, source, weight, method)
    return _ways(source, target, before)


def single_source_all_shortest_paths(
    G: Graph, source: Hashable, weight: Hashable | None = None, method: str = "dijkstra"
) -> Iterator[tuple[Hashable, list[list[Hashable]]]]:
    before = _before(G, source, weight, method)
    return ((node, list(_ways(source, node, before))) for node in before)


def all_pairs_all_shortest_paths(
    G: Graph, weight: Hashable | None = None, method: str = "dijkstra"
) -> Iterator[tuple[Hashable, dict[Hashable, list[list[Hashable]]]]]:
    G.lengths(weight)
    return (
        (node, dict(single_source_all_shortest_paths(G, node, weight, method))) for node in G.names
    )


def _before(
    G: Graph, source: Hashable, weight: Hashable | None, method: str
) -> dict[Hashable, list[Hashable]]:
    if weight is None:
        found: dict[Hashable, list[Hashable]] = traversal.predecessor(G, source)
        return found
    _check(method)
    return weighted.dijkstra_predecessor_and_distance(G, source, None, weight)[0]


def _ways(
    source: Hashable, target: Hashable, before: dict[Hashable, list[Hashable]]
) -> Iterator[list[Hashable]]:
    """Every path that `before` allows, without a repeated node."""
    if target not in before:
        raise nx.NetworkXNoPath(f"Target {target} cannot be reached from given sources")
    way = [target]
    on_way = {target}
    choices = [iter(before[target])]
    if target == source:
        yield [source]
    while choices:
        step = next(choices[-1], None)
        if step is None:
            choices.pop()
            on_way.discard(way.pop())
        elif step not in on_way:
            way.append(step)
            on_way.add(step)
            choices.append(iter(before[step]))
            if step == source:
                yield way[::-1]
