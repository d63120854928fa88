"""Micro-benchmarks of opening: from a snapshot and by replaying the whole log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import remanence
from benchmarks import data

ROWS = 5000


@pytest.fixture(scope="module")
def vectors() -> Any:
    return data.unit_vectors(ROWS, 384, "clustered", 1)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, vectors: Any) -> Path:
    place = tmp_path_factory.mktemp("open") / "open.rem"
    with remanence.open(place, embedder=None) as memory:
        memory.add_many(data.texts(ROWS, 1), vectors=vectors)
        memory.snapshot()
    return place


@pytest.mark.parametrize("snapshot", [True, False], ids=["snapshot", "replay"])
def test_open_and_recall(benchmark: Any, path: Path, vectors: Any, snapshot: bool) -> None:
    def first_recall() -> int:
        with remanence.open(path, embedder=None, snapshot=snapshot, read_only=True) as memory:
            return int(memory.recall(vector=vectors[77], k=1)[0].id)

    assert benchmark(first_recall) == 78
