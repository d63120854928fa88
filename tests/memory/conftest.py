"""Fixtures of the memory room's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.memory.helpers import Clock, HashEmbedder

import remanence
from remanence import Memory


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store of a test lies: alone in its folder."""
    folder = tmp_path / "store"
    folder.mkdir()
    return folder / "memory.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(path: Path, clock: Clock) -> Iterator[Callable[..., Memory]]:
    """Opens the test's store with the hash embedder and the test's clock; closes what is left."""
    stores: list[Memory] = []

    def open_again(**options: Any) -> Memory:
        store = remanence.open(path, **{"embedder": HashEmbedder(), "clock": clock, **options})
        stores.append(store)
        return store

    yield open_again
    for store in stores:
        store.close()


@pytest.fixture
def memory(opened: Callable[..., Memory]) -> Memory:
    return opened()
