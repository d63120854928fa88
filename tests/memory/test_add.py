"""What a batch becomes: an extractor's links, answers and mentions, whichever way it is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import remanence
from remanence.text import ExtractContext, Extraction, Link, RuleExtractor, Turn

pytestmark = pytest.mark.native


class Linking:
    """Gives the first memory of a batch the links that it was made with."""

    id = "linking-1"

    def __init__(self, *links: Link) -> None:
        self.links = links

    def extract(self, batch: Sequence[Turn], context: ExtractContext) -> list[Extraction]:
        assert context.last_turns == {}
        return [
            Extraction(turn.text, 1, 0, self.links if position == 0 else ())
            for position, turn in enumerate(batch)
        ]


class Loud(RuleExtractor):
    """The rules, with one flag more."""

    def extract(self, batch: Sequence[Turn], context: ExtractContext) -> list[Extraction]:
        return [one._replace(terms="loud") for one in super().extract(batch, context)]


def answers(memory: remanence.Memory) -> list[int | None]:
    with memory._store.log.reading("test") as connection:
        return [row[0] for row in connection.execute("SELECT answers FROM memories ORDER BY id")]


def edges(memory: remanence.Memory, count: int) -> set[tuple[int, int, str]]:
    return {
        (number, other.id, other.type)
        for number in range(1, count + 1)
        for other in memory.neighbours(number)
        if other.outgoing
    }


@pytest.mark.parametrize("rows", [2, 100])
def test_a_link_to_itself_is_left_out_and_the_others_stay(tmp_path: Path, rows: int) -> None:
    extractor = Linking(Link(0, 0, "related"), Link(0, 1, "related", 0.5), Link(1, 0, "next"))
    with remanence.open(tmp_path / "a", embedder=None, extractor=extractor) as memory:
        memory.add_many([f"text {number}" for number in range(rows)])
        assert edges(memory, rows) == {(1, 2, "related"), (2, 1, "next")}


def test_a_memory_answers_by_its_own_link_only(tmp_path: Path) -> None:
    others = Linking(Link(1, 0, "answers"))
    with remanence.open(tmp_path / "a", embedder=None, extractor=others) as memory:
        memory.add_many(["a", "b"])
        assert answers(memory) == [None, None]
    own = Linking(Link(0, 1, "answers"))
    with remanence.open(tmp_path / "b", embedder=None, extractor=own) as memory:
        memory.add_many(["a", "b"])
        assert answers(memory) == [2, None]


def test_an_extractor_made_of_the_rules_is_asked_itself(tmp_path: Path) -> None:
    with remanence.open(tmp_path / "a", embedder=None, extractor=Loud()) as memory:
        memory.add_many(["tea", "coffee"])
        assert memory.recall("loud").ids == [1, 2]


def test_an_entity_of_the_batch_mentions_no_name(tmp_path: Path) -> None:
    with remanence.open(tmp_path / "a", embedder=None) as memory:
        memory.add_many(
            [
                {"text": "the Lisbon Treaty", "kind": "entity"},
                {"text": "It was signed.", "subject": "Lisbon Treaty"},
                {"text": "Who signed the Lisbon Treaty?"},
            ]
        )
        found = {(a, kind) for a, _, kind in edges(memory, 3)}
        assert found == {(2, "about"), (3, "mentions")}


@pytest.mark.parametrize("importance", [-0.0, -1e-60])
def test_a_negative_zero_is_zero(tmp_path: Path, importance: float) -> None:
    with remanence.open(tmp_path / "a", embedder=None) as memory:
        memory.add("tea", importance=importance)
        assert memory.verify().ok
