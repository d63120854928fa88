"""Patterns: every way of a random question, against walks over a list of events; real questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.graph.events import TIME_MAX, TIME_MIN, EventList
from tests.graph.strategies import T0, tables

from benchmarks import kgqa
from remanence import Graph, InvalidArgumentError, NotFoundError, Seq
from remanence.memory.graph_table import EdgeTable

pytestmark = pytest.mark.native

DIRECTIONS = {"out": "out", "into": "in", "via": "both"}


def judge_of(table: EdgeTable) -> EventList:
    """The table's history as events; type n is the table's type n - 1."""
    judge = EventList(len(table.nodes))
    until: dict[int, list[int]] = {}
    for number, row in enumerate(table):
        until.setdefault(row.known_to or TIME_MAX, []).append(number)
    numbers = {name: i for i, name in enumerate(table.nodes)}
    rows = list(table)
    for commit in range(1, 10):
        new = [
            (
                numbers[r.source], numbers[r.target], table.types.index(r.type) + 1, r.confidence,
                TIME_MIN if r.valid_from is None else r.valid_from,
                TIME_MAX if r.valid_to is None else r.valid_to,
            )
            for r in rows
            if r.known_from == commit
        ]  # fmt: skip
        judge.append(new, commit)
        judge.close([e for e in until.get(commit, []) if e < judge.edges], commit)
    return judge


@given(tables(history=True), st.data())
def test_every_way_is_found_once(table, data):
    graph, judge = Graph(table), judge_of(table)
    subject = data.draw(st.one_of(st.none(), st.sampled_from(table.nodes)))
    some = st.sampled_from(table.types or ("unknown",))
    kinds = st.one_of(st.none(), st.lists(some, min_size=1, unique=True))
    verbs = data.draw(st.lists(st.sampled_from(sorted(DIRECTIONS)), max_size=2))
    types = [data.draw(kinds) for _ in range(len(verbs) + 1)]
    least = data.draw(st.sampled_from([0.0, 0.25, 0.5]))
    moment = data.draw(st.one_of(st.none(), st.integers(T0 - 6, T0 + 6)))
    commit = data.draw(st.one_of(st.none(), st.integers(0, 10)))

    pattern = graph.match(subject=subject, predicate=types[0]).sure(least)
    pattern = pattern if moment is None else pattern.at(moment)
    pattern = pattern if commit is None else pattern.known(Seq(commit))
    for verb, names in zip(verbs, types[1:], strict=True):
        pattern = getattr(pattern, verb)(*(names or ()))

    which = {"valid_at": moment, "as_of": commit, "min_weight": least}
    steps = [
        which | {"direction": direction, "types": numbers_of(table, names)}
        for direction, names in zip(
            ["out", *(DIRECTIONS[verb] for verb in verbs)], types, strict=True
        )
    ]
    starts = range(len(table.nodes)) if subject is None else [table.nodes.index(subject)]
    want = [way for start in starts for way in judge.walks(start, steps)]
    rows = pattern.rows()
    assert sorted(tuple(edge.id for edge in row.edges) for row in rows) == sorted(want)

    weight = [row.confidence for row in table]
    for row in rows:
        product = 1.0
        for edge in row.edges:
            product *= weight[edge.id]
        assert row.confidence == product
        assert len(row.nodes) == len(row.edges) + 1
        assert row.belief == 1.0
    ranks = [(-row.confidence, [edge.id for edge in row.edges]) for row in rows]
    assert ranks == sorted(ranks)
    assert pattern.rows(2) == rows[:2]
    ends = {row.end: max(r.confidence for r in rows if r.end == row.end) for row in rows}
    assert {row.end: row.confidence for row in pattern.best()} == ends
    if rows:
        end = rows[0].end
        assert pattern.ending(end).rows() == tuple(row for row in rows if row.end == end)


def numbers_of(table: EdgeTable, names: list[str] | None) -> list[int] | None:
    if names is None:
        return None
    return [table.types.index(name) + 1 for name in names if name in table.types]


@given(tables(), st.data())
def test_an_object_turns_the_question_round(table, data):
    graph = Graph(table)
    thing = data.draw(st.sampled_from(table.nodes))
    rows = graph.match(object=thing).rows()
    assert {row.edges[0].id for row in rows} == {
        number for number, row in enumerate(table) if row.target == thing
    }
    assert all(row.end == thing for row in rows)
    both = graph.match(subject=thing, object=thing).rows()
    assert len(both) == sum(row.source == row.target == thing for row in table)


def test_where_did_alice_work():
    graph = Graph()
    graph.add(
        "alice", "works_at", "acme", confidence=0.5, valid_from="2019-01-01", valid_to="2022-01-01"
    )
    left = graph.add("alice", "works_at", "bolt", confidence=0.75, valid_from="2022-01-01")
    graph.add_many([("acme", "located_in", "berlin"), ("bolt", "located_in", "paris", 0.5)])
    where = graph.match(subject="alice", predicate="works_at").out("located_in")
    assert [row.end for row in where.at("2021-05-01")] == ["berlin"]
    assert [row.end for row in where.at("2023-05-01")] == ["paris"]
    assert [(row.end, row.confidence) for row in where] == [("berlin", 0.5), ("paris", 0.375)]
    assert [row.end for row in where.sure(0.6)] == []
    assert [edge.type for edge in where.rows(1)[0].edges] == ["works_at", "located_in"]
    assert repr(where.rows(1)[0]) == (
        "Path('alice' -works_at-> 'acme' -located_in-> 'berlin', 0.500)"
    )
    who = graph.match(predicate="located_in", object="paris").ending("paris")
    assert [row.start for row in who] == ["bolt"]
    assert [row.end for row in graph.match("acme").into("works_at")] == []
    back = graph.match("acme", "located_in").into("located_in").into("works_at")
    assert [row.end for row in back] == ["alice"]
    (way,) = graph.why("berlin", "paris")
    assert way.confidence == 0.5 * 0.75 * 0.5
    assert way.nodes == ("berlin", "acme", "alice", "bolt", "paris")
    before = graph.seq
    graph.close(left)
    assert graph.why("berlin", "paris") == ()
    assert graph.why("berlin", "paris", as_of=before) == (way,)
    assert graph.khop("alice", 1) == [("alice", 0), ("acme", 1)]
    assert graph.components() == [("alice", "acme", "berlin"), ("bolt", "paris")]


def test_groups_and_lifts_by_name():
    pairs = [(a, b) for group in ("abc", "xyz") for a in group for b in group if a < b]
    graph = Graph([(a, "knows", b) for a, b in [*pairs, ("c", "x")]])
    assert graph.communities() == [("a", "b", "c"), ("x", "y", "z")]
    assert graph.communities("labels", seed=2) == graph.communities("labels", seed=2)
    lifts = graph.spread("a")
    assert {node for node, _ in lifts[:3]} == {"a", "b", "c"}
    assert [lift for _, lift in lifts] == sorted((lift for _, lift in lifts), reverse=True)
    with pytest.raises(InvalidArgumentError, match="communities: "):
        graph.communities("luck")


def test_a_branch_goes_its_own_way():
    graph = Graph([("a", "knows", "b")])
    branch = graph.branch()
    branch.add("b", "knows", "c")
    graph.close(0)
    assert [row.end for row in branch.match("a").out()] == ["c"]
    assert graph.match("a").rows() == ()
    with pytest.raises(NotFoundError):
        graph.match("c").rows()


REFUSED: list[tuple[Any, str]] = [
    (lambda g: g.match("nobody").rows(), "match: there is no node 'nobody'"),
    (lambda g: g.match("a").ending("nobody").rows(), "match: there is no node 'nobody'"),
    (lambda g: g.match("a").rows(0), "match: k must be at least 1 (got 0)"),
    (lambda g: g.match("a").rows("2"), "match: k must be an integer (got '2')"),
    (lambda g: g.match("a").best(0), "match: k must be at least 1 (got 0)"),
    (lambda g: g.match("a").best(-1), "match: k must be at least 1 (got -1)"),
    (lambda g: g.match(1.5).rows(), "match: a node is named by text or an integer"),
    (lambda g: g.match("a").sure(2), "match: min_confidence must be in [0, 1] (got 2)"),
    (lambda g: g.match("a").out(min_confidence="x"), "min_confidence must be a number (got str)"),
    (lambda g: g.match("a").within("x").rows(), "only the graph of a store has a scope"),
    (lambda g: g.match("a").known("2020-01-01").rows(), "as_of must be a commit of this graph"),
    (lambda g: g.match("a").at("soon").rows(), "match: valid_at is not a time"),
    (lambda g: g.why("a", "nobody"), "why: there is no node 'nobody'"),
    (lambda g: g.why("a", "b", k=0), "why: k must be at least 1 (got 0)"),
    (lambda g: g.why("a", "b", by="luck"), 'why: by must be "weight" or "hops"'),
    (lambda g: g.khop("a", 1, direction="up"), "khop: direction must be out, in or both"),
    (lambda g: g.khop("a", 1, colour="red"), "khop: there is no filter colour"),
    (lambda g: g.why("a", "b", k=10**30), "why: k must be at most 1000000 (got 1"),
    (lambda g: g.khop("a", -1), "khop: hops must be at least 0 (got -1)"),
    (lambda g: g.khop("a", 65), "khop: hops must be at most 64 (got 65)"),
    (lambda g: g.khop("a", 1.5), "khop: hops must be an integer (got 1.5)"),
    (lambda g: g.khop("a", 1, limit=0), "khop: limit must be at least 1 (got 0)"),
    (lambda g: g.spread("a", damping="x"), "spread: damping must be a number (got str)"),
    (lambda g: g.spread("a", damping=1), "spread: damping must be in [0, 0.99] (got 1)"),
    (lambda g: g.communities("luck"), 'communities: method must be "leiden" or "labels"'),
    (lambda g: g.communities(resolution=-1), "communities: resolution must be in [0, 1e+06]"),
    (lambda g: g.communities(seed=-1), "communities: seed must be at least 0 (got -1)"),
    (lambda g: g.close(77), "close: "),
    (lambda g: g.close("x"), "close: an edge is named by its number"),
    (lambda g: g.add("a", "knows", "b", confidence=1.5), "add: confidence must be in (0, 1]"),
    (lambda g: g.add("c", "knows", "d", valid_from=5, valid_to=4), "ends before it starts"),
    (lambda g: g.add("c", "", "d"), "add: the type of an edge must be text"),
]


@pytest.mark.parametrize(("ask", "sentence"), REFUSED)
def test_bad_input_gets_one_sentence_and_changes_nothing(ask, sentence):
    graph = Graph([("a", "knows", "b")])
    before = graph.table(history=True), graph.seq
    with pytest.raises((InvalidArgumentError, NotFoundError)) as caught:
        ask(graph)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (graph.table(history=True), graph.seq) == before


def test_too_many_ways_are_refused(monkeypatch):
    monkeypatch.setattr("remanence.memory.graph_pattern.MAX_ROWS", 10)
    graph = Graph([("a", "knows", str(i)) for i in range(5)])
    assert len(graph.match("a").rows()) == 5
    with pytest.raises(InvalidArgumentError, match="more than 10 ways fit"):
        graph.match("a").into().out().rows()


# kgqa_pathquestion: topic entity and relation path -> the gold answers

COUNTS = {"PQ-2H": 1908, "PQ-3H": 5198, "PQL-2H": 1594, "PQL-3H": 1031, "PQL-3H_more": 2062}


@pytest.mark.parametrize("name", kgqa.QUESTIONS)
def test_gold_answers_of_real_questions(shared_data, name):
    folder = shared_data / "kgqa_pathquestion" / "raw"
    if not folder.is_dir():
        pytest.skip("no kgqa_pathquestion in the shared data")
    graph = kgqa.graph_of(folder / f"{kgqa.QUESTIONS[name]}.txt")
    asked = list(kgqa.read_questions(folder / f"{name}.txt"))
    assert len(asked) == COUNTS[name]
    assert not [q for q in set(asked) if kgqa.answer(graph, q) != q[2]]


def test_edges_by_number_are_numbers():
    numbers = Graph().add_many([("a", "knows", "b"), ("b", "knows", "c")])
    assert numbers.dtype == np.int64
    assert numbers.tolist() == [0, 1]
