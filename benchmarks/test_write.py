"""Micro-benchmarks of durable writes: one row, a thousand rows, ten thousand edges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import remanence
from benchmarks import data

ROWS = 1000
EDGES = 10_000


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[remanence.Memory]:
    with remanence.open(tmp_path / "write.rem", embedder=None, snapshot=False) as found:
        yield found


@pytest.fixture(scope="module")
def vectors() -> Any:
    return data.unit_vectors(ROWS, 384, "clustered", 1)


def test_add(benchmark: Any, memory: remanence.Memory, vectors: Any) -> None:
    last = benchmark(memory.add, "one row of text", vector=vectors[0], kind="document")
    assert memory.get(last).text == "one row of text"
    assert memory.stats().memories == last


def test_add_many(benchmark: Any, memory: remanence.Memory, vectors: Any) -> None:
    items = [{"text": text, "kind": "document"} for text in data.texts(ROWS, 1)]
    ids = benchmark.pedantic(memory.add_many, (items,), {"vectors": vectors}, rounds=5)
    assert memory.get(int(ids[-1])).text == items[-1]["text"]
    assert memory.stats().memories % ROWS == 0


def test_link_many(benchmark: Any, memory: remanence.Memory, vectors: Any) -> None:
    memory.add_many([f"row {n}" for n in range(ROWS)], vectors=vectors)
    rng = np.random.default_rng(2)
    source = rng.integers(1, ROWS + 1, EDGES)
    target = (source - 1 + rng.integers(1, ROWS, EDGES)) % ROWS + 1
    columns = {"source": source, "target": target}
    ids = benchmark.pedantic(memory.link_many, (columns,), rounds=5)
    assert len(ids) == EDGES
    assert memory.stats().edges % EDGES == 0
