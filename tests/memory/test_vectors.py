"""Vectors are the caller's or one embedder's, never two kinds in one store."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.memory.helpers import HashEmbedder, unit_rows

from remanence import (
    EmbedderMismatchError,
    Item,
    Memory,
)

Opened = Callable[..., Memory]


def test_embedders_do_not_mix(opened: Opened) -> None:
    memory = opened()
    memory.add("tea")
    memory.close()
    other = opened(embedder=HashEmbedder(16, "other"))
    want = (
        r"(add|recall): the store holds vectors of another embedder \(got other-16, want hash-16\)"
    )
    with pytest.raises(EmbedderMismatchError, match=want):
        other.add("coffee")
    with pytest.raises(EmbedderMismatchError, match=want):
        other.recall("coffee")
    with pytest.raises(EmbedderMismatchError, match="add: the store holds vectors of an embedder"):
        opened(embedder=None).add("mine", vector=[1.0] * 16)
    assert other.recall().ids == [1]
    assert other.stats().commits == 1


def test_own_vectors_make_the_store_external(opened: Opened) -> None:
    memory = opened(embedder="default")
    memory.add_many(["a", "b"], vectors=unit_rows(2))
    assert memory.stats().embedder == "external"
    memory.add("c has no vector")
    assert memory.recall("c").ids[0] == 3
    memory.close()
    with pytest.raises(EmbedderMismatchError, match="want external"):
        opened().add("tea")


def test_items_with_and_without_vectors(opened: Opened) -> None:
    memory = opened(embedder=None)
    rows = unit_rows(2)
    memory.add_many([Item("a", vector=rows[0]), Item("b"), Item("c", vector=rows[1].tolist())])
    vector = memory._store.view.engine.vector
    assert vector(2).size == 0
    np.testing.assert_allclose(vector(3), rows[1], atol=1e-6)
    assert memory.verify().ok


def test_a_text_without_known_words_has_no_vector(opened: Opened) -> None:
    memory = opened()
    memory.add("tea")
    memory.add(" ")
    assert memory._store.view.engine.vector(2).size == 0
    assert memory.recall("   ").ids
    assert memory.verify().ok


def test_the_embedder_is_not_asked_for_given_vectors(opened: Opened) -> None:
    embedder = HashEmbedder()
    memory = opened(embedder=embedder)
    memory.add("a", vector=unit_rows(1)[0])
    memory.add_many(["b"], vectors=unit_rows(1))
    assert memory.recall(vector=unit_rows(1)[0]).ids
    assert embedder.calls == 0
