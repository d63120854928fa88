"""Every verb of a Memory does what it says, now and after reopening."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from tests.memory.helpers import DAY, START, Clock, HashEmbedder

import remanence
from remanence import (
    ClosedError,
    Hit,
    Item,
    Memory,
    NotFoundError,
    Seq,
)

Opened = Callable[..., Memory]


def test_add_keeps_every_field(memory: Memory, opened: Opened) -> None:
    given = {
        "scope": ("acme", "alice"),
        "kind": "semantic",
        "time": START - DAY,
        "author": "Alice",
        "session": "chat-7",
        "source": "mail:1",
        "valid_from": "2023-01-01",
        "valid_to": date(2024, 1, 1),
        "belief": 0.75,
        "importance": 1.5,
        "pinned": True,
        "law": "half_life",
        "meta": {"n": [1, 2], "ü": None},
    }
    number = memory.add("Alice lives in Paris", **given)
    memory.close()
    row = opened().get(number)
    assert row.text == "Alice lives in Paris"
    assert row.valid_from == 1_672_531_200_000_000_000
    assert row.valid_to == 1_704_067_200_000_000_000
    for name in set(given) - {"valid_from", "valid_to"}:
        assert getattr(row, name) == given[name], name
    assert (row.seq, row.id) == (1, number)
    assert json.loads(json.dumps(row.to_dict()))["meta"] == given["meta"]


@pytest.mark.parametrize(
    "time",
    [
        1_700_000_000_000_000_000,
        np.int64(1_700_000_000_000_000_000),
        datetime(2023, 11, 14, 22, 13, 20),
        datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        datetime(2023, 11, 15, 0, 13, 20, tzinfo=timezone(timedelta(hours=2))),
        "2023-11-14T22:13:20",
        "2023-11-14T22:13:20Z",
        "2023-11-15T00:13:20+02:00",
        np.datetime64("2023-11-14T22:13:20"),
    ],
)
def test_times_are_one_instant(memory: Memory, time: object) -> None:
    assert memory.get(memory.add("x", time=time)).time == START


def test_add_many_takes_texts_mappings_and_items(memory: Memory) -> None:
    ids = memory.add_many(
        ["one", {"text": "two", "scope": "b"}, Item("three", kind="document")],
        scope="a",
        kind="procedural",
    )
    assert ids.tolist() == [1, 2, 3]
    rows = [memory.get(int(i)) for i in ids]
    assert [(r.text, r.scope, r.kind) for r in rows] == [
        ("one", ("a",), "procedural"),
        ("two", ("b",), "procedural"),
        ("three", (), "document"),
    ]
    assert memory.add_many([]).tolist() == []
    assert memory.stats().commits == 1


def test_add_many_reports_progress(memory: Memory) -> None:
    seen: list[tuple[str, int, int]] = []
    memory.add_many(["x"] * 3, progress=lambda *told: seen.append(told))
    assert seen == [("embedding", 3, 3), ("stored", 3, 3)]


def test_update_changes_what_is_named_and_keeps_the_rest(memory: Memory) -> None:
    memory.add("tea at five", author="Alice", meta={"a": 1}, source="s", importance=2.0)
    before = memory.get(1)
    memory.update(1, author=None, belief=0.5, valid_to="2025-01-01")
    after = memory.get(1)
    assert (after.author, after.belief, after.valid_to) == (None, 0.5, 1_735_689_600_000_000_000)
    for name in ("text", "meta", "source", "importance", "time", "kind", "scope", "session"):
        assert getattr(after, name) == getattr(before, name)
    assert memory.recall("tea").ids == [1]
    memory.update(1, text="coffee at six")
    assert memory.recall("coffee", explain=True)[0].terms["lexical"] > 0
    assert "lexical" not in memory.recall("tea", explain=True)[0].terms
    memory.update(1)
    assert memory.stats().commits == 3


def test_update_of_the_text_renews_the_vector(opened: Opened) -> None:
    embedder = HashEmbedder()
    memory = opened(embedder=embedder)
    memory.add("tea")
    memory.update(1, text="coffee")
    vector = memory._store.view.engine.vector(1)
    np.testing.assert_allclose(vector, embedder.embed(["coffee"])[0], atol=1e-6)
    memory.update(1, vector=embedder.embed(["milk"])[0])
    vector = memory._store.view.engine.vector(1)
    np.testing.assert_allclose(vector, embedder.embed(["milk"])[0], atol=1e-6)
    memory.update(1, importance=1.0)
    assert np.array_equal(memory._store.view.engine.vector(1), vector)


def test_touch_counts_and_weighs(memory: Memory) -> None:
    memory.add_many(["a", "b", "c"])
    hits = memory.recall("a b c")
    memory.touch(hits[0])
    memory.touch([1, 2], used=False)
    memory.touch(3, used=None, weight=0.5, now=START + DAY)
    state = memory._store.view.engine.state
    assert state(3)["used"] == state(3)["unused"] == 0
    assert state(2)["unused"] == 1
    assert state(1)["accesses"] == (3 if hits[0].id == 1 else 2)
    assert memory.stats().touches == 4
    memory.touch([])
    assert memory.stats().commits == 4


def test_link_and_neighbours(memory: Memory) -> None:
    memory.add_many(["a", "b", "c"])
    first = memory.link(1, 2, "knows", weight=0.5)
    second = memory.link(3, 1, valid_from="2020-01-01", valid_to="2021-01-01")
    assert (first, second) == (1, 2)
    (out,) = memory.neighbours(1, direction="out")
    assert (out.id, out.type, out.weight, out.outgoing, out.text) == (2, "knows", 0.5, True, "b")
    assert [n.id for n in memory.neighbours(1)] == [2, 3]
    assert [n.id for n in memory.neighbours(1, types="knows")] == [2]
    assert memory.neighbours(1, types=["unheard of"]) == []
    assert [n.id for n in memory.neighbours(1, direction="in", valid_at="2020-06-01")] == [3]
    assert memory.neighbours(1, direction="in", valid_at="2022-06-01") == []
    memory.unlink(first)
    assert [n.id for n in memory.neighbours(1)] == [3]
    assert [n.id for n in memory.neighbours(1, as_of=Seq(2))] == [2]


def test_link_many_takes_rows_mappings_and_columns(memory: Memory) -> None:
    memory.add_many(["a", "b", "c"])
    memory.link_many([(1, 2), (2, 3, "next", 0.5)])
    memory.link_many([{"source": 1, "target": 3, "type": "knows"}])
    ids = memory.link_many(
        {"source": np.array([1, 2]), "target": np.array([3, 1]), "type": "x", "weight": 0.25}
    )
    assert ids.tolist() == [4, 5]
    assert [(n.id, n.type, n.weight) for n in memory.neighbours(1)] == [
        (2, "related", 1.0), (3, "knows", 1.0), (3, "x", 0.25), (2, "x", 0.25),
    ]  # fmt: skip
    assert memory.link_many([]).tolist() == []


def test_turns_of_a_session_are_chained_also_after_reopening(opened: Opened) -> None:
    memory = opened()
    memory.add("Where did you go?", author="Bob", session="1", scope="x")
    memory.add("elsewhere", author="Bob", session="1", scope="y")
    memory.close()
    memory = opened()
    memory.add_many(
        [Item(t, author=a, session="1", scope="x") for t, a in [("Rome", "Al"), ("Oh", "Bob")]]
    )
    chain = [(n.id, n.type) for n in memory.neighbours(3, direction="both")]
    assert chain == [(1, "next"), (1, "answers"), (4, "next")]
    assert memory.neighbours(2) == []
    # The answer is found by the words of its question.
    hit = memory.recall("go", explain=True, scope="x")
    assert "lexical" in next(h.terms for h in hit if h.id == 3 and h.terms)


def test_triples_make_one_entity_per_phrase_and_scope(memory: Memory) -> None:
    memory.add("Alice lives in Paris", triples=[("Alice", "lives in", "Paris")])
    memory.add("ALICE works at Acme", triples=[("alice", "works at", "Acme", 0.5)])
    memory.add("another Alice", scope="b", triples=[("Alice", "is", "Alice")])
    about = memory.neighbours(2, types=["lives in", "works at", "mentions"])
    assert [(n.id, n.type, n.outgoing, n.weight) for n in about] == [
        (3, "lives in", True, 1.0), (1, "mentions", False, 1.0),
        (6, "works at", True, 0.5), (5, "mentions", False, 1.0),
    ]  # fmt: skip
    assert memory.get(2).kind == "entity"
    assert memory.get(2).text == "Alice"
    assert memory.get(memory.neighbours(8)[0].id).scope == ("b",)
    assert all(hit.kind != "entity" for hit in memory.recall("Alice"))
    assert {hit.text for hit in memory.recall("Alice", kinds="entity")} >= {"Alice"}


def test_history_tells_every_version(memory: Memory, clock: Clock) -> None:
    memory.add("a")
    memory.touch(1)
    memory.update(1, text="b")
    memory.touch([1], used=False)
    memory.touch(1)
    memory.forget(1)
    memory.restore(1)
    versions = memory.history(1)
    assert [(v.started_by, v.ended_by, v.touches) for v in versions] == [
        ("add", "update", 1),
        ("update", "forget", 2),
        ("restore", None, 0),
    ]
    assert [v.memory.text for v in versions if v.memory] == ["a", "b", "b"]
    assert [(v.seq_from, v.seq_to) for v in versions] == [(1, 3), (3, 6), (7, None)]
    assert versions[-1].known_from == clock.now
    assert versions[0].known_to == versions[1].known_from
    with pytest.raises(NotFoundError, match="history: there is no memory 7"):
        memory.history(7)


def test_forget_and_restore(memory: Memory) -> None:
    memory.add_many(["a", "b"])
    memory.link(1, 2)
    memory.forget([1])
    assert memory.recall().ids == [2]
    assert memory.neighbours(2) == []
    with pytest.raises(NotFoundError, match="get: memory 1 was forgotten"):
        memory.get(1)
    memory.restore(1)
    assert sorted(memory.recall().ids) == [1, 2]
    assert memory.get(1).text == "a"
    assert [n.id for n in memory.neighbours(2)] == [1]


def test_a_closed_store_says_so(memory: Memory) -> None:
    memory.add("a")
    memory.close()
    memory.close()
    calls = [
        lambda: memory.add("b"),
        lambda: memory.add_many(["b"]),
        lambda: memory.recall("a"),
        lambda: memory.context("a"),
        lambda: memory.get(1),
        lambda: memory.update(1, text="b"),
        lambda: memory.forget(1),
        lambda: memory.restore(1),
        lambda: memory.erase(1, reason="x"),
        lambda: memory.touch(1),
        lambda: memory.link(1, 2),
        lambda: memory.link_many([(1, 2)]),
        lambda: memory.unlink(1),
        lambda: memory.neighbours(1),
        lambda: memory.history(1),
        memory.stats,
        memory.verify,
        memory.compact,
        memory.snapshot,
    ]
    for call in calls:
        with pytest.raises(ClosedError, match=r"^\w+: the store .* is closed$"):
            call()
    assert "closed" in repr(memory)


def test_compacting_a_small_store_changes_nothing(memory: Memory) -> None:
    memory.add_many([f"note {i} about the ferry" for i in range(40)])
    memory.forget(3)
    before = memory.recall("ferry 7", k=40)
    memory.compact()
    assert [(h.id, h.score) for h in memory.recall("ferry 7", k=40, now=before.now)] == [
        (h.id, h.score) for h in before
    ]
    assert memory.add("one more") == 41
    assert memory.verify().ok


async def test_async_twins(path: Path) -> None:
    async with remanence.open(path, embedder=HashEmbedder()) as memory:
        ids = await asyncio.gather(*(memory.aadd(f"note {i}") for i in range(20)))
        assert sorted(ids) == list(range(1, 21))
        await memory.aadd_many(["x", "y"])
        assert await memory.alink(1, 2) == 1
        await memory.atouch(1)
        await memory.aupdate(1, text="changed note")
        assert (await memory.arecall("changed", k=1)).ids == [1]
        assert (await memory.aget(1)).text == "changed note"
        assert len(await memory.ahistory(1)) == 2
        assert [n.id for n in await memory.aneighbours(1)] == [2]
        assert "changed" in str(await memory.acontext("changed", budget=50))
        await memory.aforget(2)
        assert (await memory.astats()).memories == 21
        assert (await memory.averify()).ok
    with pytest.raises(ClosedError):
        await memory.aadd("late")


def test_records_are_frozen_plain_and_readable(memory: Memory) -> None:
    memory.add("a cat\nsleeps " * 20, author="Al", time="2023-05-07", triples=[("a", "b", "c")])
    recalled = memory.recall("cat", explain=True)
    hit = recalled[0]
    assert "\n" not in repr(hit)
    assert repr(hit).startswith("Hit(1, ")
    assert isinstance(hit, Hit)
    assert len(recalled) == 1
    assert recalled[:1] == (hit,)
    assert list(recalled) == [hit]
    with pytest.raises(AttributeError):
        hit.text = "x"
    records = [recalled, hit, memory.get(1), *memory.neighbours(1), *memory.history(1)]
    for record in [*records, memory.stats(), memory.verify()]:
        json.dumps(record.to_dict())
        assert repr(record)
