"""Graphs of statements as NetworkX graphs, and back."""

from __future__ import annotations

from typing import Any

from ...memory.graph_table import EdgeTable
from ..extras import load
from ..tables import Tabled, build, edge_rows, table_from


def to_networkx(graph: Tabled, *, history: bool = False) -> Any:
    """A MultiDiGraph; edges carry type, confidence, valid_from, valid_to, known_from, known_to.

    Times are ns UTC and commits; None is open. history: closed edges, too.
    """
    nx = load("to_networkx", "networkx", "networkx")
    table = table_from(graph, history=history)
    made = nx.MultiDiGraph()
    made.add_nodes_from(table.nodes)
    made.add_edges_from(
        (table.nodes[source], table.nodes[target], number, attributes)
        for number, (source, target, attributes) in enumerate(edge_rows(table))
    )
    return made


def from_networkx(graph: Any, *, confidence: str = "confidence") -> EdgeTable:
    """Any NetworkX graph whose nodes are text or integers; Graph(...) takes the table.

    confidence: the edge attribute that holds it, in (0, 1]; 1 where it is missing. An edge
    without a type is "related"; an undirected edge becomes one each way.
    """
    edges = graph.edges(keys=True, data=True) if graph.is_multigraph() else graph.edges(data=True)
    rows = [(edge[0], edge[1], edge[-1], edge[2]) for edge in edges]
    if graph.is_multigraph() and all(isinstance(key, int) for _, _, _, key in rows):
        # Keys that number all edges, as to_networkx writes them, give their order back.
        keys = [key for _, _, _, key in rows]
        if sorted(keys) == list(range(len(rows))):
            rows.sort(key=lambda row: row[3])
    return build(
        "from_networkx",
        graph.nodes,
        ((a, b, data) for a, b, data, _ in rows),
        confidence=confidence,
        both_ways=not graph.is_directed(),
    )
