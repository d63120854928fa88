"""What the tests of the memory room share: an embedder, a clock, and looks into a store's files."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remanence import Item, Memory

DAY = 86_400_000_000_000
START = 1_700_000_000_000_000_000


class HashEmbedder:
    """Unit vectors out of a hash of the words: deterministic, fast, and alike for alike texts."""

    def __init__(self, dim: int = 16, name: str = "hash") -> None:
        self.id = f"{name}-{dim}"
        self.dim = dim
        self.calls = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls += 1
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().split():
                seed = hashlib.blake2b(word.encode(), digest_size=8).digest()
                rng = np.random.default_rng(int.from_bytes(seed, "little"))
                row += rng.standard_normal(self.dim, dtype=np.float32)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms == 0, 1, norms)


class Clock:
    """A clock that moves one second per reading, or to where it is set."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1_000_000_000
        return self.now


def unit_rows(count: int, dim: int = 16, seed: int = 0) -> NDArray[np.float32]:
    """Random unit rows float32 [count, dim]."""
    rows = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def table_counts(path: Path) -> dict[str, int]:
    """Rows of every table of a store, read behind its back."""
    connection = sqlite3.connect(path)
    try:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names
        }
    finally:
        connection.close()


def bytes_of_store(path: Path) -> dict[str, bytes]:
    """Every file of the store by name, as it lies on the disk."""
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


def holds(path: Path, text: str | bytes) -> list[str]:
    """Names of the store's files that contain the text."""
    wanted = text.encode() if isinstance(text, str) else text
    return [name for name, content in bytes_of_store(path).items() if wanted in content]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A second process that runs `code` with the arguments in sys.argv[1:]."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str], timeout: float = 120) -> str:
    """What the process printed; fails with its errors if it failed."""
    out, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors
    return out


def digest(memory: Memory) -> str:
    memory.stats()  # sees what others have committed
    return memory._store.view.engine.digest()


def fill(memory: Memory) -> None:
    """Every kind of change there is, in several commits."""
    memory.add_many(
        [
            Item("Where is it?", session="1", author="Al"),
            Item("Here", session="1", author="Bo"),
            Item("plain", vector=None),
        ]
    )
    memory.add("Al knows Bo", triples=[("Al", "knows", "Bo")], scope="x")
    memory.add_many(["more", "and more"], vectors=unit_rows(2))
    memory.update(1, text="Where was it?", belief=0.5)
    memory.touch([1, 2], used=False)
    memory.touch(1, weight=3.0)
    memory.link(2, 3, "knows", weight=0.5)
    memory.link(3, 1)
    memory.unlink(1)
    memory.forget([3, 2])
    memory.restore(3)
    memory.erase(7, reason="asked")
    memory.update(3, pinned=True)
    memory.touch(memory.recall("where is it", k=2), used=True)
    memory.reset_weights()
    memory.touch(memory.recall("where is it", k=2), used=False)


def snapshot_of(path: Path) -> Path:
    return Path(f"{path}.snapshot")
