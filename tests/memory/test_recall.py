"""Recall: what is found, in which order, under which filters, as of when, and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.memory.helpers import DAY, START, Clock, unit_rows

from remanence import (
    InvalidArgumentError,
    Item,
    Memory,
    NotFoundError,
    Seq,
    Weights,
)

Opened = Callable[..., Memory]


def test_recall_finds_by_meaning_and_by_words(memory: Memory) -> None:
    memory.add_many(["the cat sleeps", "bridges of larch", "a cat and a dog"])
    found = memory.recall("cat", k=2, explain=True)
    assert set(found.ids) == {1, 3}
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert found[0].terms is not None
    assert "lexical" in found[0].terms
    assert sum(found[0].terms.values()) == pytest.approx(found[0].score, abs=1e-4)
    assert all(value != 0 for value in found[0].terms.values())
    assert "holds 1 of your words" in found[0].reasons
    assert memory.recall("cat", k=2)[0].terms is None


def test_recall_by_vector_and_by_memory(opened: Opened) -> None:
    memory = opened(embedder=None)
    rows = unit_rows(20)
    memory.add_many([""] * 20, vectors=rows)
    assert memory.recall(vector=rows[7], k=1).ids == [8]
    near = memory.recall(memory=8, k=19).ids
    assert near == [i for i in memory.recall(vector=rows[7], k=20).ids if i != 8]


def test_recall_without_a_question_ranks_what_is_alive(memory: Memory, clock: Clock) -> None:
    memory.add_many([Item("old", time=START - 300 * DAY), Item("new", time=START - DAY)])
    assert memory.recall(k=2).ids == [2, 1]
    for _ in range(20):
        memory.touch(1)
    assert memory.recall(k=2).ids == [1, 2]
    assert clock.now > START


def test_recall_filters(memory: Memory) -> None:
    memory.add_many(
        [
            Item("tea", scope=("acme", "alice")),
            Item("tea", scope=("acme", "bob"), kind="semantic"),
            Item("tea", scope=("acmeX",)),
            Item("tea", belief=0.2),
            Item("tea", valid_from="2020-01-01", valid_to="2021-01-01"),
        ]
    )
    assert memory.recall("tea", scope="acme").ids == [1, 2]
    assert memory.recall("tea", scope=("acme", "bob")).ids == [2]
    assert memory.recall("tea", scope="nobody").ids == []
    assert memory.recall("tea", kinds="semantic").ids == [2]
    assert memory.recall("tea", kinds=("episodic", "semantic"), scope="acme").ids == [1, 2]
    assert 4 not in memory.recall("tea", min_p=0.5).ids
    assert 5 not in memory.recall("tea").ids
    assert sorted(memory.recall("tea", valid_at="2020-06-01", min_p=0.9).ids) == [1, 2, 3, 5]
    assert len(memory.recall("tea", k=2)) == 2
    assert memory.recall("tea", k=1_000_000).scanned == 4


def test_as_of_by_time_and_by_commit(memory: Memory, clock: Clock) -> None:
    memory.add("the deadline is in May")
    memory.update(1, text="the deadline is in June")
    at_update = clock.now
    memory.add("unrelated")
    memory.forget(1)

    def text(as_of: int | Seq) -> list[str]:
        return [hit.text for hit in memory.recall("deadline", as_of=as_of) if "dead" in hit.text]

    assert text(Seq(1)) == ["the deadline is in May"]
    assert text(Seq(2)) == ["the deadline is in June"]
    assert text(at_update - 1) == ["the deadline is in May"]
    assert text(at_update) == ["the deadline is in June"]
    assert text(Seq(4)) == text(Seq(99)) == []
    assert memory.recall("deadline", as_of=Seq(0)).ids == []
    assert memory.recall("deadline", as_of="1999-01-01").ids == []
    assert memory.get(1, as_of=Seq(1)).text == "the deadline is in May"
    with pytest.raises(NotFoundError, match="get: memory 1 was not there as of"):
        memory.get(1, as_of=Seq(0))


def test_statements_lead_to_memories(memory: Memory) -> None:
    memory.add("she moved to Lyon", triples=[("Alice", "moved to", "Lyon")])
    memory.add("he moved to Bonn", triples=[("Bob", "moved to", "Bonn")])
    hits = memory.recall("What did Alice do?", explain=True)
    assert hits[0].id == 1
    assert hits[0].terms is not None
    assert hits[0].terms["triples"] > 0
    assert "connected by statements to what was asked about" in hits[0].reasons
    other = memory.recall("What did Alice do?", explain=True, scope="elsewhere")
    assert other.ids == []


def test_author_and_date_of_the_question(memory: Memory) -> None:
    memory.add("we met", author="Alice", time="2023-05-07T10:00")
    memory.add("we met", author="Bob", time="2021-01-01")
    terms = memory.recall("What did Alice say on 7 May?", explain=True)[0].terms
    assert terms is not None
    assert terms["author"] > 0
    assert terms["date"] > 0


def test_context_fits_the_budget(memory: Memory) -> None:
    memory.add("Alice moved to Paris", author="Alice", time="2023-05-07", source="chat-3")
    memory.add("unrelated")
    text = str(memory.context("Where did Alice move?", budget=40))
    assert "[2023-05-07 · Alice · chat-3] Alice moved to Paris" in text


def test_scopes_do_not_run_together(memory: Memory) -> None:
    memory.add("x", scope=("a,b",))
    memory.add("x", scope=("a", "b"))
    memory.add("x", scope=('a","b',))
    assert memory.recall("x", scope=("a",)).ids == [2]
    assert memory.recall("x", scope=("a,b",)).ids == [1]


def test_weights_override(memory: Memory) -> None:
    memory.add_many([Item("tea", importance=0.0), Item("tea", importance=1.0)])
    assert memory.recall("tea", weights=Weights(importance=0.0)).ids == [1, 2]
    assert memory.recall("tea", weights=Weights(importance=1.0)).ids == [2, 1]
    with pytest.raises(InvalidArgumentError, match="recall: weights must be Weights"):
        memory.recall("tea", weights={"importance": 1.0})


def test_cues_spread(memory: Memory) -> None:
    memory.add_many([*"abcdef"])
    memory.link_many([(1, 3), (2, 4), (4, 5), (5, 6), (6, 2)])
    hits = memory.recall(cues=1, explain=True)
    assert next(h.terms for h in hits if h.id == 3 and h.terms)["spreading"] > 0
    with pytest.raises(NotFoundError, match="recall: there is no memory 9"):
        memory.recall(cues=[9])
