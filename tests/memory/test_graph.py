"""The graph of a store: its links now, then, and as known then; why two memories are connected."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.memory.helpers import Clock

import remanence
from remanence import InvalidArgumentError, Memory, NotFoundError, Seq
from remanence.integrations.networkx import to_networkx

pytestmark = pytest.mark.native

TYPES = ("knows", "likes", "related")
moments = st.one_of(st.none(), st.integers(1, 9))


@pytest.fixture
def memory(tmp_path):
    with remanence.open(tmp_path / "m.remanence", embedder=None, clock=Clock()) as opened:
        yield opened


class Model:
    """Every commit's links and memories, written down in full."""

    def __init__(self) -> None:
        self.memories: dict[int, dict[str, Any]] = {}
        self.edges: dict[int, tuple[int, str, int, float, int | None, int | None]] = {}
        self.states: list[tuple[dict, dict]] = [({}, {})]

    def commit(self) -> None:
        self.states.append((dict(self.memories), dict(self.edges)))

    def edges_at(
        self, commit: int, moment: int | None, scope: tuple[str, ...], least: float
    ) -> dict[int, tuple]:
        memories, edges = self.states[commit]
        seen = {
            i
            for i, m in memories.items()
            if m["scope"][: len(scope)] == scope and m["belief"] >= least and holds(m, moment)
        }
        return {
            number: edge
            for number, edge in edges.items()
            if edge[0] in seen
            and edge[2] in seen
            and holds({"valid_from": edge[4], "valid_to": edge[5]}, moment)
        }


def holds(row: dict[str, Any], moment: int | None) -> bool:
    start, end = row["valid_from"], row["valid_to"]
    if moment is None:
        return True
    return (start is None or start <= moment) and (end is None or moment < end)


def interval(data: Any) -> dict[str, int | None]:
    start, end = data.draw(moments), data.draw(moments)
    if start is not None and end is not None and start >= end:
        end = None
    return {"valid_from": start, "valid_to": end}


def act(memory: Memory, model: Model, data: Any) -> None:
    """One random commit to both."""
    there = sorted(model.memories)
    verb = data.draw(st.sampled_from(["add", "link", "link", "link", "unlink", "forget", "update"]))
    if verb == "add" or len(there) < 2:
        scope = data.draw(st.sampled_from([(), ("a",), ("a", "b")]))
        row = {"scope": scope, "belief": data.draw(st.sampled_from([0.25, 1.0]))} | interval(data)
        model.memories[memory.add("x", **row)] = row
    elif verb == "link":
        ends = data.draw(st.sampled_from(there)), data.draw(st.sampled_from(there))
        kind, weight = data.draw(st.sampled_from(TYPES)), data.draw(st.sampled_from([0.5, 1.0]))
        when = interval(data)
        if ends[0] == ends[1]:
            return
        number = memory.link(*ends, kind, weight=weight, **when)
        model.edges[number] = (ends[0], kind, ends[1], weight, *when.values())
    elif verb == "unlink":
        if not model.edges:
            return
        number = data.draw(st.sampled_from(sorted(model.edges)))
        memory.unlink(number)
        del model.edges[number]
    elif verb == "forget":
        number = data.draw(st.sampled_from(there))
        memory.forget(number)
        del model.memories[number]
        gone = [n for n, e in model.edges.items() if number in (e[0], e[2])]
        for edge in gone:
            del model.edges[edge]
    else:
        number = data.draw(st.sampled_from(there))
        belief = data.draw(st.sampled_from([0.25, 0.5]))
        memory.update(number, belief=belief)
        model.memories[number] = model.memories[number] | {"belief": belief}
    model.commit()


@given(st.data())
@settings(max_examples=40)
def test_the_graph_is_what_the_log_says(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("store") / "m.remanence"
    model = Model()
    memory = remanence.open(path, embedder=None, clock=Clock())
    for _ in range(data.draw(st.integers(2, 14))):
        act(memory, model, data)
        if data.draw(st.integers(0, 5)) == 0:
            memory.graph.match().rows()
    for _ in range(4):
        commit = data.draw(st.integers(0, len(model.states) - 1))
        moment, scope = data.draw(moments), data.draw(st.sampled_from([(), ("a",)]))
        least = data.draw(st.sampled_from([0.0, 0.5]))
        pattern = memory.graph.match().known(Seq(commit)).within(*scope).sure(min_belief=least)
        rows = (pattern if moment is None else pattern.at(moment)).rows()
        edges = [(r.edges[0], r.belief) for r in rows]
        got = {
            e.id: (e.source, e.type, e.target, e.confidence, e.valid_from, e.valid_to)
            for e, _ in edges
        }
        assert got == model.edges_at(commit, moment, scope, least)
        memories = model.states[commit][0]
        for edge, belief in edges:
            ends = (edge.source, edge.target)
            assert belief == memories[ends[0]]["belief"] * memories[ends[1]]["belief"]
    memory.close()


def test_where_does_alice_work(memory):
    memory.add("Alice joined Acme.", triples=[("Alice", "works at", "Acme", 0.5)])
    memory.add("Acme sits in Berlin.", triples=[("Acme", "located in", "Berlin")])
    graph = memory.graph
    (row,) = graph.match("alice", "works at").out("located in").rows()
    assert row.labels == ("Alice", "Acme", "Berlin")
    assert row.confidence == 0.5
    assert [edge.type for edge in row.edges] == ["works at", "located in"]
    assert row.to_dict()["edges"][0]["confidence"] == 0.5
    (same,) = graph.match(row.start, "works at").out("located in").ending("BERLIN").rows()
    assert same == row


def test_why_are_these_connected(memory):
    a = memory.add("Alice joined Acme.", triples=[("Alice", "works at", "Acme")])
    b = memory.add("Acme sits in Berlin.", triples=[("Acme", "located in", "Berlin")])
    c = memory.add("Nothing to do with it.")
    (way,) = memory.why(a, b)
    assert way.labels == ("Alice joined Acme.", "Acme", "Acme sits in Berlin.")
    assert memory.why(a, c) == ()
    before = Seq(memory.stats().commits)
    edge = memory.link(b, c, "hints at", weight=0.5, valid_from="2020-01-01")
    (way,) = memory.why("alice", c, types=["works at", "located in", "mentions", "hints at"])
    assert (way.end, way.confidence, way.edges[-1].id) == (c, 0.5, edge)
    assert memory.why(a, c, as_of=before) == ()
    assert memory.why(a, c, valid_at="2019-01-01") == ()
    assert memory.why(a, c, min_confidence=0.6) == ()
    hit = memory.recall("Nothing", k=1)[0]
    assert memory.why(hit, "acme")[0].start == c
    found = memory.why(a, c, k=3)
    assert [path.confidence for path in found] == sorted(
        (path.confidence for path in found), reverse=True
    )
    memory.forget(b)
    assert memory.why(a, "berlin")[0].labels[1] == "Acme"
    with pytest.raises(NotFoundError, match=f"why: {b} cannot be seen with these filters"):
        memory.why(a, b)


def test_another_process_adds_a_link(memory, tmp_path):
    a, b = memory.add("one"), memory.add("two")
    assert memory.why(a, b) == ()
    with remanence.open(tmp_path / "m.remanence", embedder=None, clock=Clock()) as other:
        edge = other.link(a, b)
    assert [e.id for e in memory.why(a, b)[0].edges] == [edge]
    memory.erase(b, reason="asked for")
    with pytest.raises(NotFoundError, match="cannot be seen"):
        memory.why(a, b)


def test_questions_while_memories_are_added(memory):
    first = memory.add("hub")
    done = threading.Event()

    def write() -> None:
        for _ in range(60):
            memory.link(first, memory.add("spoke"))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = [0]
    while not done.is_set():
        rows = memory.graph.match(first).within().rows()
        assert [row.start for row in rows] == [first] * len(rows)
        assert len(memory.graph.khop(first, 1)) >= 1
        seen.append(len(rows))
    writer.join()
    assert seen == sorted(seen)
    assert len(memory.graph.match(first).rows()) == 60


async def test_why_has_an_async_twin(memory):
    a, b = memory.add_many(["one", "two"]).tolist()
    edge = memory.link(a, b)
    assert [e.id for e in (await memory.awhy(a, b))[0].edges] == [edge]


def test_a_store_gives_its_links_as_a_table(memory):
    a, b, c = memory.add_many(["one", "two", "three"]).tolist()
    first = memory.link(a, b, type="knows", weight=0.5, valid_from=5, valid_to=9)
    memory.link(b, c, type="likes")
    memory.unlink(first)
    memory.forget(c)
    assert (memory.graph.table().nodes, len(memory.graph.table())) == ((a, b), 0)
    memory.link(b, a, type="knows", weight=0.25)
    assert [(r.source, r.type, r.target, r.confidence) for r in memory.graph.table()] == [
        (b, "knows", a, 0.25)
    ]
    past = memory.graph.table(history=True)
    assert past.nodes == (a, b, c)
    found = [(r.source, r.type, r.target, r.valid_from, r.valid_to) for r in past]
    assert found == [
        (a, "knows", b, 5, 9),
        (b, "likes", c, None, None),
        (b, "knows", a, None, None),
    ]
    copy = remanence.Graph(past)
    for commit in range(2, memory.graph.native.seq + 1):
        live = copy.native.find_edges(as_of=commit).tolist()
        assert live == memory.graph.native.find_edges(as_of=commit).tolist()
    assert to_networkx(memory.graph).number_of_edges() == 1


REFUSED = [
    (lambda m: m.why(1, 99), NotFoundError, "why: there is no memory 99"),
    (lambda m: m.why(1, "nobody"), NotFoundError, "why: there is no entity 'nobody'"),
    (lambda m: m.why(1, 2.5), InvalidArgumentError, "why: an id must be an integer (got float)"),
    (lambda m: m.why(1, 2, k=0), InvalidArgumentError, "why: k must be at least 1"),
    (lambda m: m.why(1, 2, mood="x"), InvalidArgumentError, "why: there is no filter mood"),
    (lambda m: m.why(1, 2, valid_at="soon"), InvalidArgumentError, "why: valid_at is not a time"),
    (lambda m: m.graph.match("").rows(), InvalidArgumentError, "match: an entity is empty"),
    (lambda m: m.graph.match(1).sure(min_belief=3).rows(), InvalidArgumentError, "min_belief"),
]


@pytest.mark.parametrize(("ask", "error", "sentence"), REFUSED)
def test_bad_questions_get_one_sentence(memory, ask, error, sentence):
    memory.add_many(["one", "two"])
    with pytest.raises(error) as caught:
        ask(memory)
    assert sentence in str(caught.value)


def test_a_closed_store_has_no_graph(tmp_path):
    with remanence.open(tmp_path / "m.remanence", embedder=None) as memory:
        graph = memory.graph
    with pytest.raises(remanence.ClosedError):
        memory.graph.match()
    with pytest.raises(remanence.ClosedError):
        graph.match().rows()
