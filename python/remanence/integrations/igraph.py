"""Graphs of statements as graphs of igraph, and back."""

from __future__ import annotations

from typing import Any

from ..memory.graph_table import EDGE_FIELDS, EdgeTable
from .extras import load
from .tables import Tabled, build, edge_rows, table_from


def to_igraph(graph: Tabled, *, history: bool = False) -> Any:
    """A directed igraph.Graph; vertices carry `name`, edges what to_networkx's carry."""
    igraph = load("to_igraph", "igraph", "igraph")
    table = table_from(graph, history=history)
    rows = list(edge_rows(table))
    made = igraph.Graph(n=len(table.nodes), edges=[(a, b) for a, b, _ in rows], directed=True)
    made.vs["name"] = list(table.nodes)
    for field in ("type", *EDGE_FIELDS):
        made.es[field] = [attributes[field] for _, _, attributes in rows]
    return made


def from_igraph(graph: Any, *, confidence: str = "confidence") -> EdgeTable:
    """An igraph.Graph as a table; a vertex without a name is its number.

    confidence: the edge attribute that holds it. An undirected edge becomes one each way.
    """
    named = "name" in graph.vs.attributes()
    names = graph.vs["name"] if named else list(range(graph.vcount()))
    return build(
        "from_igraph",
        names,
        ((names[edge.source], names[edge.target], edge.attributes()) for edge in graph.es),
        confidence=confidence,
        both_ways=not graph.is_directed(),
    )
