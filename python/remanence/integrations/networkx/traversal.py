"""Traversal: NetworkX's functions of breadth-first search."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import Any

import networkx as nx
import numpy as np

from . import search
from .graph import Graph

Edge = tuple[Hashable, Hashable]


def bfs_edges(
    G: Graph,
    source: Hashable,
    reverse: bool = False,
    depth_limit: int | None = None,
    sort_neighbors: Callable[..., Any] | None = None,
) -> Iterator[Edge]:
    _refuse_sorting(sort_neighbors)
    direction = G.backward if reverse else G.onward
    return search.edges(G, source, direction=direction, limit=depth_limit)


def bfs_tree(
    G: Graph,
    source: Hashable,
    reverse: bool = False,
    depth_limit: int | None = None,
    sort_neighbors: Callable[..., Any] | None = None,
) -> Any:
    tree = nx.DiGraph()
    tree.add_node(source)
    tree.add_edges_from(bfs_edges(G, source, reverse, depth_limit, sort_neighbors))
    return tree


def bfs_predecessors(
    G: Graph,
    source: Hashable,
    depth_limit: int | None = None,
    sort_neighbors: Callable[..., Any] | None = None,
) -> Iterator[Edge]:
    found = bfs_edges(G, source, False, depth_limit, sort_neighbors)
    return ((child, parent) for parent, child in found)


def bfs_successors(
    G: Graph,
    source: Hashable,
    depth_limit: int | None = None,
    sort_neighbors: Callable[..., Any] | None = None,
) -> Iterator[tuple[Hashable, list[Hashable]]]:
    return _grouped(source, bfs_edges(G, source, False, depth_limit, sort_neighbors))


def _grouped(source: Hashable, edges: Iterator[Edge]) -> Iterator[tuple[Hashable, list[Hashable]]]:
    parent: Hashable = source
    children: list[Hashable] = []
    for above, child in edges:
        if above != parent:
            yield parent, children
            parent, children = above, []
        children.append(child)
    yield parent, children


def bfs_layers(G: Graph, sources: Any) -> Iterator[list[Hashable]]:
    first: list[Hashable] = list({sources} if sources in G else set(sources))
    starts = [
        search.number_of(G, node, nx.NetworkXError, f"The node {node} is not in the graph.")
        for node in first
    ]
    return _layers(G, first, starts)


def _layers(G: Graph, first: list[Hashable], starts: list[int]) -> Iterator[list[Hashable]]:
    if first:
        yield first
    for _, children in search.levels(G, starts):
        yield [G.names[child] for child in children.tolist()]


def descendants_at_distance(G: Graph, source: Hashable, distance: int) -> set[Hashable]:
    start = search.number_of(G, source, nx.NetworkXError, f"The node {source} is not in the graph.")
    if distance == 0:
        return {source}
    found = search.levels(G, [start])
    for _, children in islice(found, distance - 1, distance) if distance > 0 else ():
        return {G.names[child] for child in children.tolist()}
    return set()


def _refuse_sorting(sort_neighbors: Callable[..., Any] | None) -> None:
    if sort_neighbors is not None:
        raise NotImplementedError("sort_neighbors is a callable")


# Unweighted shortest paths


def single_source_shortest_path_length(
    G: Graph, source: Hashable, cutoff: float | None = None
) -> dict[Hashable, float]:
    start = search.number_of(G, source, nx.NodeNotFound, f"Source {source} is not in G")
    return _hops(G, start, G.onward, cutoff)


def single_target_shortest_path_length(
    G: Graph, target: Hashable, cutoff: float | None = None
) -> dict[Hashable, float]:
    start = search.number_of(G, target, nx.NodeNotFound, f"Target {target} is not in G")
    return _hops(G, start, G.backward, cutoff)


def _hops(G: Graph, start: int, direction: str, cutoff: float | None) -> dict[Hashable, float]:
    hop = G.native().bfs(np.array([start], np.int64), direction=direction).astype(np.int64)
    reached = hop >= 0 if cutoff is None else (hop >= 0) & (hop <= max(cutoff, 0))
    return search.by_value(G, hop, reached, whole=True)


def all_pairs_shortest_path_length(
    G: Graph, cutoff: float | None = None
) -> Iterator[tuple[Hashable, dict[Hashable, float]]]:
    return ((node, _hops(G, i, G.onward, cutoff)) for i, node in enumerate(G.names))


def single_source_shortest_path(
    G: Graph, source: Hashable, cutoff: float | None = None
) -> dict[Hashable, list[Hashable]]:
    start = search.number_of(G, source, nx.NodeNotFound, f"Source {source} not in G")
    return search.paths(G, start, limit=np.inf if cutoff is None else cutoff)


def single_target_shortest_path(
    G: Graph, target: Hashable, cutoff: float | None = None
) -> dict[Hashable, list[Hashable]]:
    start = search.number_of(G, target, nx.NodeNotFound, f"Target {target} not in G")
    limit = np.inf if cutoff is None else cutoff
    found = search.paths(G, start, direction=G.backward, limit=limit)
    return {node: path[::-1] for node, path in found.items()}


def all_pairs_shortest_path(
    G: Graph, cutoff: float | None = None
) -> Iterator[tuple[Hashable, dict[Hashable, list[Hashable]]]]:
    limit = np.inf if cutoff is None else cutoff
    return ((node, search.paths(G, i, limit=limit)) for i, node in enumerate(G.names))


def bidirectional_shortest_path(G: Graph, source: Hashable, target: Hashable) -> list[Hashable]:
    a = search.number_of(G, source, nx.NodeNotFound, f"Source {source} is not in G")
    b = search.number_of(G, target, nx.NodeNotFound, f"Target {target} is not in G")
    _, _, nodes = G.native().path(a, b, by="hops", direction=G.onward)
    if not len(nodes):
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    return [G.names[node] for node in nodes.tolist()]


def predecessor(
    G: Graph,
    source: Hashable,
    target: Hashable | None = None,
    cutoff: int | None = None,
    return_seen: bool | None = None,
) -> Any:
    start = search.number_of(G, source, nx.NodeNotFound, f"Source {source} not in G")
    above, seen = search.predecessors(G, start, cutoff or np.inf)
    if target is None:
        return (above, seen) if return_seen else above
    found = above.get(target, [])
    return (found, seen.get(target, -1)) if return_seen else found


def has_path(G: Graph, source: Hashable, target: Hashable) -> bool:
    try:
        bidirectional_shortest_path(G, source, target)
    except nx.NetworkXNoPath:
        return False
    return True
