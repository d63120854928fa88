"""Graphs of other libraries as tables of edges, and back: the part that all adapters share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..memory.graph import Graph
from ..memory.graph_store import StoreGraph
from ..memory.graph_table import EDGE_FIELDS, EdgeTable, TableBuilder

DEFAULT_TYPE = "related"
Tabled = Graph | StoreGraph | EdgeTable
"""What has a table: statements in memory, the links of a store, a table itself."""


def table_from(graph: Tabled, *, history: bool = False) -> EdgeTable:
    """The table of a graph; a table is itself."""
    return graph if isinstance(graph, EdgeTable) else graph.table(history=history)


def edge_rows(table: EdgeTable) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(position of the source, of the target, attributes by name) of each edge; None is open."""
    ends = zip(table.source.tolist(), table.target.tolist(), table, strict=True)
    for source, target, row in ends:
        attributes = {"type": row.type} | {name: getattr(row, name) for name in EDGE_FIELDS}
        yield source, target, attributes


def build(
    verb: str,
    nodes: Iterable[Any],
    edges: Iterable[tuple[Any, Any, Mapping[str, Any]]],
    *,
    confidence: str = "confidence",
    both_ways: bool = False,
) -> EdgeTable:
    """A table of (source, target, attributes), in the order of their commits.

    confidence: the attribute that holds it. both_ways: an edge also leads back.
    """
    builder = TableBuilder(verb, nodes)
    found = [(a, b, dict(attributes)) for a, b, attributes in edges]
    if any(attributes.get("known_from") is not None for _, _, attributes in found):
        found.sort(key=lambda row: row[2].get("known_from") or 1)
    for a, b, attributes in found:
        given = {name: attributes.get(name) for name in EDGE_FIELDS}
        given["confidence"] = attributes.get(confidence)
        kind = attributes.get("type")
        kind = DEFAULT_TYPE if kind is None else kind
        builder.add(a, kind, b, **given)
        if both_ways and a != b:
            builder.add(b, kind, a, **given)
    return builder.build()
