"""Use: it strengthens, disuse fades, and mere age costs nothing in a question."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.memory.helpers import DAY, START, Clock

import remanence
from remanence import Item, Memory

YEAR = 365 * DAY
ages = st.integers(0, 30 * 365).map(lambda days: days * DAY)
SETTINGS = settings(max_examples=25, deadline=None)


def store(folder: str) -> Memory:
    path = Path(folder) / "use.db"
    return remanence.open(path, embedder=None, clock=Clock(), snapshot=False)


def score(memory: Memory, number: int, now: int) -> float:
    hits = memory.recall("cat", now=now, explain=True)
    return next(hit.score for hit in hits if hit.id == number)


@SETTINGS
@given(first=ages, second=ages)
def test_age_alone_costs_nothing(first: int, second: int) -> None:
    with tempfile.TemporaryDirectory() as folder, store(folder) as memory:
        memory.add_many([Item("a cat", time=START - first), Item("a cat", time=START - second)])
        for now in (START, START + 10 * YEAR):
            hits = memory.recall("cat", now=now)
            assert hits.ids == [1, 2]
            assert hits[0].score == hits[1].score


@SETTINGS
@given(age=ages, touches=st.lists(st.integers(0, 365), min_size=1, max_size=10))
def test_use_strengthens_and_disuse_fades(age: int, touches: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder, store(folder) as memory:
        memory.add_many([Item("a cat", time=START - age), Item("a cat", time=START - age)])
        days = sorted(touches)
        last = START + days[-1] * DAY
        plain = score(memory, 2, last)
        for day in days:
            memory.touch(1, used=None, weight=1.0, now=START + day * DAY)
        later = [score(memory, 1, last + gap) for gap in (0, DAY, 30 * DAY, YEAR, 20 * YEAR)]
        assert later[0] > plain
        assert all(b <= a + 1e-5 for a, b in pairwise(later))
        assert later[-1] > plain  # what was used more often stays ahead
        assert score(memory, 2, last + YEAR) == plain
        assert memory.recall("cat", now=last).ids[0] == 1


@SETTINGS
@given(
    rows=st.lists(
        st.tuples(ages, st.lists(st.integers(0, 100), max_size=4)), min_size=1, max_size=6
    )
)
def test_without_a_question_the_full_activation_ranks(rows: list[tuple[int, list[int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder, store(folder) as memory:
        memory.add_many([Item("a cat", time=START - age) for age, _ in rows])
        for number, (_, days) in enumerate(rows, 1):
            for day in days:
                memory.touch(number, used=None, weight=1.0, now=START + day * DAY)
        hits = memory.recall(now=START + YEAR, explain=True)
        assert len(hits) == len(rows)
        for hit in hits:
            assert hit.terms is not None
            assert set(hit.terms) <= {"activation"}
            assert hit.score == hit.terms.get("activation", 0.0)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_used_row_rises_above_its_twin_and_one_shown_in_vain_sinks(memory: Memory) -> None:
    memory.add_many(["the cat sleeps"] * 3)
    assert memory.recall("cat").ids == [1, 2, 3]
    memory.touch(3, used=True)
    memory.touch(1, used=False)
    found = memory.recall("cat", explain=True)
    assert found.ids == [3, 2, 1]
    assert "was useful before" in found[0].reasons
    assert "was shown but not used" in found[2].reasons


@pytest.mark.parametrize("weight", [1.0, 0.2, 5.0])
def test_a_heavier_touch_lifts_more(memory: Memory, weight: float) -> None:
    memory.add_many(["a cat"] * 2)
    memory.touch(1, used=None, weight=weight)
    memory.touch(2, used=None, weight=weight * 2)
    assert memory.recall("cat").ids == [2, 1]
