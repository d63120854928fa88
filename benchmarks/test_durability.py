"""The kill harness itself: it passes on a sound store and sees a lost or repeated write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import remanence
from benchmarks import durability
from benchmarks.__main__ import main
from benchmarks.durable_writer import Plan

SEED = 9


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Thirty operations of the plan, applied in peace."""
    path = tmp_path / "durable.rem"
    plan = Plan(SEED)
    with remanence.open(path, embedder=None) as memory:
        for number in range(30):
            plan.advance(number)(memory)
    return path


def test_killed_writers_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["durability", "--kills", "3"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert all(row["met"] for row in result["rows"])


def test_a_sound_store_passes(store: Path) -> None:
    tally = durability.Tally()
    durability._check(store, SEED, 30, tally, whole=True)
    assert tally == durability.Tally()


def test_a_lost_write_is_seen(store: Path) -> None:
    tally = durability.Tally()
    durability._check(store, SEED, 33, tally)
    assert tally.lost == 3


def test_a_repeated_write_is_seen(store: Path) -> None:
    with remanence.open(store, embedder=None) as memory:
        for _ in range(2):
            memory.touch(memory.recall("text", k=1))
    tally = durability.Tally()
    durability._check(store, SEED, 30, tally)
    assert tally.twice == 1
    assert tally.contents > 0


def test_another_text_is_seen(store: Path) -> None:
    wrong = Plan(SEED + 1)
    for number in range(30):
        wrong.advance(number)
    tally = durability.Tally()
    durability._check(store, SEED + 1, 30, tally, whole=True)
    assert tally.contents > 0


def test_retry_with_the_same_op_id(benchmark: Any, store: Path) -> None:
    """An operation that was applied before: its recorded result comes back, nothing changes."""
    plan = Plan(SEED)
    with remanence.open(store, embedder=None) as memory:
        first = benchmark(plan.advance(0), memory)
        assert first is not None
        assert memory.stats().commits == 30
