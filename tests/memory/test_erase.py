"""Lawful erasure: no byte of the content stays in any file, and the state still replays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.memory.helpers import holds

from remanence import (
    Memory,
    NotFoundError,
    Seq,
)

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
