"""Lawful erasure: no byte of the content stays in any file, and the state still replays."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.memory.helpers import holds, snapshot_of

from remanence import (
    Memory,
    NotFoundError,
    Seq,
    StorageError,
)
from remanence.memory import sidecar

Opened = Callable[..., Memory]


SECRET = "Zaphod's password is swordfish-4711"


def test_erase_leaves_no_bytes(memory: Memory, path: Path, opened: Opened) -> None:
    memory.add("keep me", meta={"a": 1})
    memory.add(
        SECRET, source="secret-source", meta={"secret-key": 1}, triples=[("Zaphod", "has", "it")]
    )
    memory.update(2, text=SECRET + " still")
    memory.snapshot()
    vector = memory._store.view.engine.vector(2).tobytes()
    assert holds(path, SECRET)
    assert holds(path, vector)
    memory.erase(2, reason="asked by the person")
    words = ("swordfish", "4711", "secret-source", "secret-key", "Zaphod", "zaphod", vector)
    for word in words:
        assert holds(path, word) == [], word
    assert [v.memory for v in memory.history(2)] == [None, None]
    assert memory.history(2)[-1].ended_by == "erase"
    with pytest.raises(NotFoundError, match="get: memory 2 was erased"):
        memory.get(2)
    for as_of in (None, Seq(1), Seq(2), Seq(3)):
        assert 2 not in memory.recall("password swordfish", as_of=as_of).ids
    assert memory.verify().ok
    memory.close()
    memory = opened()
    assert memory.verify().ok
    assert memory.recall("keep").ids == [1]
    for word in words:
        assert holds(path, word) == [], word


def test_erasing_a_question_takes_its_words_out_of_the_answer(
    memory: Memory, path: Path, opened: Opened
) -> None:
    memory.add("Is the swordfish ready?", author="Bob", session="1")
    memory.add("Yes, at noon", author="Alice", session="1")
    other = opened()
    assert "lexical" in other.recall("swordfish", explain=True, kinds="episodic")[0].terms
    assert holds(path, "swordfish")
    memory.erase(1, reason="asked")
    assert holds(path, "swordfish") == []
    for store in (memory, other, opened()):
        (hit,) = store.recall("swordfish noon", explain=True)
        (plain,) = store.recall("noon", explain=True)
        assert hit.id == 2
        assert hit.terms is not None
        assert plain.terms is not None
        assert hit.terms["lexical"] == plain.terms["lexical"]
        assert store.verify().ok
    memory.update(2, text="Yes, at one")
    assert memory.verify().ok


def test_erase_keeps_entities_that_others_mention(memory: Memory) -> None:
    memory.add("a", triples=[("Alice", "knows", "Bob")])
    memory.add("b", triples=[("Bob", "knows", "Carol")])
    alice, bob = 2, 3
    memory.erase(1, reason="asked")
    with pytest.raises(NotFoundError, match="was erased"):
        memory.get(alice)
    assert memory.get(bob).text == "Bob"
    with pytest.raises(NotFoundError, match="erase: memory 1 was erased before"):
        memory.erase(1, reason="again")


def test_a_reader_of_the_old_state_delays_the_bytes_not_the_erasure(
    opened: Opened, path: Path
) -> None:
    memory = opened(timeout=0.2)
    memory.add(SECRET)
    memory.add("another " + SECRET)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM memories").fetchone()
    with pytest.raises(StorageError, match=r"^erase: done, but another process still reads"):
        memory.erase(1, reason="asked", op_id="e")
    with pytest.raises(NotFoundError, match="get: memory 1 was erased"):
        memory.get(1)
    other.close()
    memory.erase(1, reason="asked", op_id="e")
    assert len(memory.history(1)) == 1
    memory.erase(2, reason="asked")
    assert holds(path, "swordfish") == []


def test_a_snapshot_made_during_an_erasure_does_not_stay(
    memory: Memory, opened: Opened, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add(SECRET)
    other = opened()
    write = sidecar.save

    def erase_meanwhile(*arguments: Any, **options: Any) -> None:
        other.erase(1, reason="asked")
        write(*arguments, **options)

    monkeypatch.setattr("remanence.memory.sidecar.save", erase_meanwhile)
    vector = memory._store.view.engine.vector(1).tobytes()
    memory.snapshot()
    assert holds(path, vector) == []
    assert not snapshot_of(path).exists()
    assert memory.stats().snapshot == "none"
    assert memory.verify().ok


def test_a_snapshot_left_by_a_crash_after_an_erasure_is_deleted(
    memory: Memory, opened: Opened, path: Path
) -> None:
    memory.add(SECRET)
    memory.snapshot()
    left = snapshot_of(path).read_bytes()
    memory.erase(1, reason="asked")
    memory.close()
    snapshot_of(path).write_bytes(left)
    again = opened()
    assert again.stats().snapshot == "refused: it still holds what commit 2 erased"
    assert not snapshot_of(path).exists()
    assert again.verify().ok
