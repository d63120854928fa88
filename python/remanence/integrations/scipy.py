"""Graphs as sparse matrices of confidences, and back; types and times do not fit in a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..memory.errors import InvalidArgumentError
from ..memory.graph_table import EdgeTable, Name, check_node, check_type, confidences, open_columns
from .extras import load
from .tables import DEFAULT_TYPE, Tabled, table_from


def to_scipy(graph: Tabled) -> tuple[Any, tuple[Name, ...]]:
    """(csr_array float32 [n, n] of confidences, the names of its rows and columns).

    Of parallel edges the most confident stays.
    """
    sparse = load("to_scipy", "scipy.sparse", "scipy")
    table = table_from(graph)
    count = len(table.nodes)
    cell = table.source * count + table.target
    order = np.lexsort([-table.confidence, cell])
    first = np.ones(len(order), bool)
    first[1:] = np.diff(cell[order]) != 0
    kept = order[first]
    ends = table.source[kept], table.target[kept]
    made = sparse.coo_array((table.confidence[kept], ends), shape=(count, count)).tocsr()
    return made, table.nodes


def from_scipy(
    matrix: Any, nodes: Sequence[Name] | None = None, *, type: str = DEFAULT_TYPE
) -> EdgeTable:
    """A sparse square matrix of confidences in (0, 1] as a table; nodes: names, else numbers.

    An entry [i, j] is an edge from i to j of the given type; an explicit 0 is none.
    """
    verb = "from_scipy"
    load(verb, "scipy.sparse", "scipy")
    entries = matrix.tocoo()
    if len(entries.shape) != 2 or entries.shape[0] != entries.shape[1]:
        raise InvalidArgumentError(f"{verb}: the matrix is not square (got {entries.shape})")
    names = range(entries.shape[0]) if nodes is None else nodes
    if len(names) != entries.shape[0] or len(set(names)) != len(names):
        raise InvalidArgumentError(
            f"{verb}: nodes must be {entries.shape[0]} different names (got {len(set(names))})"
        )
    entries.sum_duplicates()
    kept = entries.data != 0
    source, target = (np.asarray(column)[kept].astype(np.int64) for column in entries.coords)
    order = np.lexsort([target, source])
    count = len(order)
    return EdgeTable(
        nodes=tuple(check_node(verb, name) for name in names),
        types=(check_type(verb, type),),
        source=source[order],
        target=target[order],
        type=np.zeros(count, np.int64),
        confidence=confidences(verb, entries.data[kept][order], count),
        **open_columns(count),
    )
