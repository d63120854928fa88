"""Graphs go to other libraries and come back as they were."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.graph.strategies import tables

from remanence import InvalidArgumentError
from remanence.integrations.arrow import from_arrow, to_arrow
from remanence.integrations.graphml import read_graphml, write_graphml
from remanence.integrations.igraph import from_igraph, to_igraph
from remanence.integrations.networkx import from_networkx, to_networkx
from remanence.integrations.scipy import from_scipy, to_scipy
from remanence.memory.graph import Graph
from remanence.memory.graph_table import EdgeRow, EdgeTable, table_of


def through_graphml(table: EdgeTable, folder: Path) -> EdgeTable:
    write_graphml(table, folder / "g.graphml")
    return read_graphml(folder / "g.graphml")


def same(got: EdgeTable, want: EdgeTable) -> None:
    assert got.nodes == want.nodes
    assert list(got) == list(want)


@given(tables(history=True))
def test_networkx_keeps_everything(table):
    pytest.importorskip("networkx")
    same(from_networkx(to_networkx(table)), table)


@given(tables(history=True))
def test_igraph_keeps_everything(table):
    pytest.importorskip("igraph")
    same(from_igraph(to_igraph(table)), table)


@given(tables(history=True))
def test_arrow_keeps_everything(table):
    pytest.importorskip("pyarrow")
    same(from_arrow(to_arrow(table)), table)


@given(tables(history=True))
def test_graphml_keeps_everything(tmp_path_factory, table):
    same(through_graphml(table, tmp_path_factory.getbasetemp()), table)


@given(tables())
def test_scipy_keeps_the_most_confident_of_parallel_edges(table):
    pytest.importorskip("scipy")
    best: dict[Any, float] = {}
    for row in table:
        ends = (row.source, row.target)
        best[ends] = max(best.get(ends, 0.0), row.confidence)
    matrix, names = to_scipy(table)
    assert names == table.nodes
    back = from_scipy(matrix, names, type="likes")
    assert {(r.source, r.target): r.confidence for r in back} == best
    assert len(back) == len(best)
    assert {r.type for r in back} <= {"likes"}
    again, _ = to_scipy(back)
    assert (again != matrix).nnz == 0


@pytest.mark.native
@given(tables(history=True))
def test_a_graph_replays_the_commits_of_a_table(table):
    graph = Graph(table)
    same(graph.table(history=True), table)
    open_rows = [row for row in table if row.known_to is None]
    assert list(graph.table()) == open_rows


def test_attributes_of_other_makers():
    nx = pytest.importorskip("networkx")
    graph = nx.Graph()
    graph.add_edge("a", "b", trust=0.5)
    graph.add_edge("b", "b")
    rows = list(from_networkx(graph, confidence="trust"))
    assert rows == [
        EdgeRow("a", "related", "b", 0.5),
        EdgeRow("b", "related", "a", 0.5),
        EdgeRow("b", "related", "b", 1.0),
    ]


def test_graphml_of_networkx(tmp_path):
    nx = pytest.importorskip("networkx")
    graph = nx.DiGraph()
    graph.add_edge("a", "b", type="knows", confidence=0.25)
    nx.write_graphml(graph, tmp_path / "g.graphml")
    assert list(read_graphml(tmp_path / "g.graphml")) == [EdgeRow("a", "knows", "b", 0.25)]
    write_graphml(table_of("test", [("a", "knows", "b", 0.25)]), tmp_path / "h.graphml")
    back = nx.read_graphml(tmp_path / "h.graphml")
    assert [data["confidence"] for _, _, data in back.edges(data=True)] == [0.25]


def test_arrow_timestamps():
    pa = pytest.importorskip("pyarrow")
    given_at = np.array(["2020-01-01"], "datetime64[s]")
    table = pa.table({"source": ["a"], "target": ["b"], "valid_from": given_at})
    (row,) = from_arrow(table)
    assert row == EdgeRow("a", "related", "b", 1.0, 1_577_836_800 * 10**9)


REFUSED = [
    ([("", "knows", "b")], "the name of a node is empty"),
    ([(1.5, "knows", "b")], "named by text or an integer (got float)"),
    ([(True, "knows", "b")], "named by text or an integer (got bool)"),
    ([(2**63, "knows", "b")], "must fit int64"),
    ([("a", "", "b")], "the type of an edge must be text"),
    ([("a", "knows", "b", 0.0)], "confidence must be in (0, 1] (got 0.0 for edge 0)"),
    ([("a", "knows", "b", 1.5)], "confidence must be in (0, 1]"),
    ([("a", "knows", "b", float("nan"))], "confidence must be in (0, 1]"),
    ([("a", "knows", "b", "much")], "confidence must hold numbers only"),
    ([("a", "knows", "b", 1.0, 5, 5)], "the interval ends before it starts"),
    ([("a", "knows")], "an edge is (source, type, target"),
    (["abc"], "an edge is (source, type, target"),
    ([EdgeRow("a", "knows", "b", known_from=0)], "1 <= known_from < known_to"),
    ([EdgeRow("a", "knows", "b", known_from=2, known_to=2)], "1 <= known_from < known_to"),
]


@pytest.mark.parametrize(("rows", "sentence"), REFUSED)
def test_bad_edges_get_one_sentence(rows, sentence):
    with pytest.raises(InvalidArgumentError) as caught:
        table_of("test", rows)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_graphs(tmp_path):
    path = tmp_path / "bad.graphml"
    for text, sentence in [
        ("<graphml", "is not XML"),
        ("<html/>", "is not GraphML (it begins with html)"),
        ("<graphml/>", "holds no graph"),
        ('<graphml><graph><edge source="a" target="b"/></graph></graphml>', "is not there"),
    ]:
        path.write_text(text)
        with pytest.raises(InvalidArgumentError, match="read_graphml: ") as caught:
            read_graphml(path)
        assert sentence in str(caught.value)
    with pytest.raises(InvalidArgumentError, match="XML does not allow"):
        write_graphml(table_of("test", [("a\0", "knows", "b")]), path)


def test_matrices_that_are_not_graphs():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(InvalidArgumentError, match="not square"):
        from_scipy(sparse.coo_array((2, 3)))
    with pytest.raises(InvalidArgumentError, match="2 different names"):
        from_scipy(sparse.coo_array((2, 2)), ["a", "a"])
    with pytest.raises(InvalidArgumentError, match="confidence must be in"):
        from_scipy(sparse.coo_array(np.array([[0, 2.0], [0, 0]])))


@pytest.mark.parametrize(
    ("module", "verb", "extra"),
    [
        ("igraph", to_igraph, "igraph"),
        ("networkx", to_networkx, "networkx"),
        ("pyarrow", to_arrow, "arrow"),
        ("scipy.sparse", to_scipy, "scipy"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(monkeypatch, module, verb, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=rf"remanence\[{extra}\]"):
        verb(table_of("test", [("a", "knows", "b")]))


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1))
def test_mixed_names_do_not_fit_a_column(names):
    pytest.importorskip("pyarrow")
    with pytest.raises(InvalidArgumentError, match="some names are text"):
        to_arrow(table_of("test", [(name, "knows", 7) for name in names]))
