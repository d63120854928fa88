"""What NetworkX reads about the backend when it is imported; must stay light."""

from __future__ import annotations

from typing import Any

_LENGTHS = "Weights must be numbers >= 0; others run in NetworkX."
_BFS = "Nodes are found in NetworkX's own order."

FUNCTIONS: dict[str, str] = {
    # traversal
    "bfs_edges": f"{_BFS} sort_neighbors runs in NetworkX.",
    "bfs_layers": _BFS,
    "bfs_predecessors": f"{_BFS} sort_neighbors runs in NetworkX.",
    "bfs_successors": f"{_BFS} sort_neighbors runs in NetworkX.",
    "bfs_tree": f"{_BFS} sort_neighbors runs in NetworkX.",
    "descendants_at_distance": "",
    # shortest paths, unweighted
    "all_pairs_shortest_path": _BFS,
    "all_pairs_shortest_path_length": "",
    "bidirectional_shortest_path": "One search; of equal paths it may return another.",
    "has_path": "",
    "predecessor": _BFS,
    "single_source_shortest_path": _BFS,
    "single_source_shortest_path_length": "",
    "single_target_shortest_path": "",
    "single_target_shortest_path_length": "",
    # shortest paths, weighted
    "all_pairs_bellman_ford_path": _LENGTHS,
    "all_pairs_bellman_ford_path_length": _LENGTHS,
    "all_pairs_dijkstra": _LENGTHS,
    "all_pairs_dijkstra_path": _LENGTHS,
    "all_pairs_dijkstra_path_length": _LENGTHS,
    "bellman_ford_path": _LENGTHS,
    "bellman_ford_path_length": _LENGTHS,
    "bidirectional_dijkstra": f"{_LENGTHS} One search; of equal paths it may return another.",
    "dijkstra_path": _LENGTHS,
    "dijkstra_path_length": _LENGTHS,
    "dijkstra_predecessor_and_distance": _LENGTHS,
    "multi_source_dijkstra": _LENGTHS,
    "multi_source_dijkstra_path": _LENGTHS,
    "multi_source_dijkstra_path_length": _LENGTHS,
    "single_source_bellman_ford": _LENGTHS,
    "single_source_bellman_ford_path": _LENGTHS,
    "single_source_bellman_ford_path_length": _LENGTHS,
    "single_source_dijkstra": _LENGTHS,
    "single_source_dijkstra_path": _LENGTHS,
    "single_source_dijkstra_path_length": _LENGTHS,
    # shortest paths of any kind
    "all_pairs_all_shortest_paths": _LENGTHS,
    "all_shortest_paths": _LENGTHS,
    "average_shortest_path_length": f"{_LENGTHS} The Floyd-Warshall methods run in NetworkX.",
    "shortest_path": _LENGTHS,
    "shortest_path_length": _LENGTHS,
    "single_source_all_shortest_paths": _LENGTHS,
    # link analysis
    "pagerank": "Solved to the tolerance whatever max_iter says; weights are float32. "
    "Dangling weights of their own run in NetworkX.",
    # components
    "connected_components": "",
    "is_connected": "",
    "is_weakly_connected": "",
    "node_connected_component": "",
    "number_connected_components": "",
    "number_weakly_connected_components": "",
    "weakly_connected_components": "",
    # community
    "leiden_communities": "Weights are float32; no max_level.",
    "modularity": "Undirected graphs; weights are float32.",
}
"""The functions that the backend serves, with what is particular about each."""


def get_info() -> dict[str, Any]:
    """The entry point `networkx.backend_info`."""
    return {
        "backend_name": "remanence",
        "project": "remanence",
        "package": "remanence",
        "short_summary": "Runs on the native graph of remanence.",
        "functions": {
            name: {"additional_docs": note} if note else {} for name, note in FUNCTIONS.items()
        },
    }
