"""Tables of edges as Arrow tables, and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..memory.errors import InvalidArgumentError
from ..memory.graph_table import EDGE_FIELDS, NEVER, EdgeTable, Name
from ..memory.times import TIME_MAX, TIME_MIN
from .extras import load
from .tables import Tabled, build, table_from

_NODES = b"remanence.nodes"


def to_arrow(graph: Tabled, *, history: bool = False) -> Any:
    """A pyarrow.Table of edges: source, type, target, confidence, and the two intervals.

    Names are text or int64 throughout; null is an open end. All nodes, those without edges
    too, stand in the metadata of the schema.
    """
    verb = "to_arrow"
    pa = load(verb, "pyarrow", "arrow")
    table = table_from(graph, history=history)
    names = _names(pa, verb, table.nodes)
    columns = {
        "source": names.take(pa.array(table.source)),
        "type": pa.array(table.types, pa.string()).take(pa.array(table.type)),
        "target": names.take(pa.array(table.target)),
        "confidence": pa.array(table.confidence, pa.float32()),
    }
    for field, column, open_value in (
        ("valid_from", table.valid_from, TIME_MIN),
        ("valid_to", table.valid_to, TIME_MAX),
        ("known_from", table.known_from, None),
        ("known_to", table.known_to, NEVER),
    ):
        mask = np.zeros(len(column), bool) if open_value is None else column == open_value
        columns[field] = pa.array(column, pa.int64(), mask=mask)
    nodes = json.dumps(list(table.nodes), ensure_ascii=False).encode()
    return pa.table(columns).replace_schema_metadata({_NODES: nodes})


def from_arrow(table: Any) -> EdgeTable:
    """An Arrow table of edges; only source and target are required.

    Integer times are ns UTC; timestamps are taken as such. Without a type an edge is "related".
    """
    verb = "from_arrow"
    pa = load(verb, "pyarrow", "arrow")
    for name in ("source", "target"):
        if name not in table.column_names:
            raise InvalidArgumentError(f"{verb}: the table has no column {name}")
    listed: dict[str, list[Any]] = {}
    for name in ("source", "target", "type", *EDGE_FIELDS):
        if name not in table.column_names:
            listed[name] = [None] * table.num_rows
            continue
        column = table.column(name)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
        listed[name] = column.to_pylist()
    held = (table.schema.metadata or {}).get(_NODES)
    fields = ("type", *EDGE_FIELDS)
    rows = zip(*(listed[name] for name in fields), strict=True)
    ends = zip(listed["source"], listed["target"], rows, strict=True)
    return build(
        verb,
        json.loads(held) if held else (),
        ((a, b, dict(zip(fields, row, strict=True))) for a, b, row in ends),
    )


def _names(pa: Any, verb: str, nodes: tuple[Name, ...]) -> Any:
    kinds = {type(name) for name in nodes}
    if len(kinds) > 1:
        raise InvalidArgumentError(
            f"{verb}: a column has one type, but some names are text and some are integers"
        )
    return pa.array(nodes, pa.int64() if kinds == {int} else pa.string())
