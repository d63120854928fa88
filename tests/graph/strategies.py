"""Random graphs of statements, and random filters on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from remanence.memory.graph_table import EdgeRow, EdgeTable, table_of

T0 = 1_700_000_000 * 10**9
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=6,
)
moments = st.one_of(st.none(), st.integers(T0 - 5, T0 + 5), st.integers(-(2**63) + 1, 2**63 - 2))
beliefs = st.one_of(
    st.just(1.0), st.floats(0, 1, width=32, exclude_min=True), st.sampled_from([0.25, 0.5])
)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[int | None, int | None]:
    start, end = draw(moments), draw(moments)
    if start is not None and end is not None and start >= end:
        start, end = (None, end) if start == end else (end, start)
    return start, end


@st.composite
def edge_rows(draw: st.DrawFn, names: list[Any], types: list[str]) -> EdgeRow:
    start, end = draw(intervals())
    return EdgeRow(
        draw(st.sampled_from(names)), draw(st.sampled_from(types)), draw(st.sampled_from(names)),
        draw(beliefs), start, end,
    )  # fmt: skip


@st.composite
def tables(draw: st.DrawFn, *, history: bool = False) -> EdgeTable:
    """A few nodes, all text or all integers, some without edges; parallel edges and loops."""
    kinds = st.one_of(
        st.lists(TEXTS, min_size=1, max_size=5, unique=True),
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5, unique=True),
    )
    names = draw(kinds)
    types = draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))
    rows = draw(st.lists(edge_rows(names, types), max_size=8))
    if history:
        since = sorted(draw(st.integers(1, 6)) for _ in rows)
        until = [draw(st.one_of(st.none(), st.integers(s + 1, 9))) for s in since]
        fields = ("source", "type", "target", "confidence", "valid_from", "valid_to")
        rows = [
            EdgeRow(*(getattr(row, name) for name in fields), a, b)
            for row, a, b in zip(rows, since, until, strict=True)
        ]
    return table_of("test", rows, names)


def arrays(rows: list[tuple]) -> dict[str, np.ndarray]:
    """Columns of (source, target, type, weight, valid_from, valid_to), as a native graph's."""
    names = ("source", "target", "type", "weight", "valid_from", "valid_to")
    dtypes = (np.int64, np.int64, np.uint16, np.float32, np.int64, np.int64)
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    return {n: np.array(c, d) for n, c, d in zip(names, columns, dtypes, strict=True)}
