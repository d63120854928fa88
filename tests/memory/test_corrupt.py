"""A file that is damaged, foreign or altered is refused or found out, in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import remanence
from remanence import (
    CorruptDataError,
    Memory,
    RemanenceError,
)
from remanence.memory.schema import VERSION

Opened = Callable[..., Memory]


def test_a_foreign_file_is_left_untouched(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(CorruptDataError, match=r"open: .* is not a remanence store"):
        remanence.open(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"hello", b"\0" * 5000, b"SQLite format 3\0" + b"x" * 5000])
def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CorruptDataError, match=r"^open: .*"):
        remanence.open(path)
    assert path.read_bytes() == content


def test_a_newer_version_is_refused(memory: Memory, path: Path) -> None:
    memory.add("x")
    memory.close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    wanted = rf"newer version .*\(got format {VERSION + 1}, want {VERSION} or older\)"
    with pytest.raises(CorruptDataError, match=wanted):
        remanence.open(path)


def test_a_truncated_file_is_refused(memory: Memory, path: Path) -> None:
    memory.add_many(["text " * 50] * 500)
    memory.close()
    whole = path.read_bytes()
    for size in (len(whole) - 16_384, len(whole) // 2, 16_384, 5_000, 100, 50):
        path.write_bytes(whole[:size])
        with pytest.raises(CorruptDataError, match=r"^open: "):
            remanence.open(path)
    path.write_bytes(whole)
    with remanence.open(path, embedder=None) as again:
        assert again.verify().ok


def test_an_emptied_file_with_a_snapshot_is_refused(memory: Memory, path: Path) -> None:
    memory.add("x")
    memory.snapshot()
    memory.close()
    path.write_bytes(b"")
    with pytest.raises(CorruptDataError, match=r"open: .* is empty, but its snapshot is there"):
        remanence.open(path)


def test_flipped_bytes_are_refused_or_found(memory: Memory, path: Path) -> None:
    """A flip either stops the opening, or stops a read, or verify names it: never silence."""
    marker = "tell-tale text"
    memory.add_many([f"{marker} {i}" for i in range(50)])
    memory.close()
    whole = bytearray(path.read_bytes())
    rng = np.random.default_rng(7)
    places = [whole.find(marker.encode()) + 3, *rng.integers(0, len(whole), 60).tolist()]
    sentences: list[str] = []
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x41
        path.write_bytes(damaged)
        try:
            with remanence.open(path, embedder=None, snapshot=False) as store:
                found = store.verify()
                sound = [store.get(i).text for i in range(1, 51)] == [
                    f"{marker} {i}" for i in range(50)
                ]
        except RemanenceError as error:
            sentences.append(str(error))  # ours, never SQLite's own exception
        else:
            # Unused space in a page may hold anything; content may not.
            assert sound or not found.ok, place
    assert all("\n" not in sentence for sentence in sentences)


def altered(path: Path, statement: str) -> None:
    """Change a log behind its guards."""
    connection = sqlite3.connect(path)
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_an_altered_text_is_found_by_verify(memory: Memory, path: Path) -> None:
    memory.add("the true text")
    memory.close()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"the true text", b"the tale text"))
    with remanence.open(path, embedder=None) as store:
        found = store.verify()
    assert found.problems == ("the content of memory 1 in commit 1 was altered",)
    path.write_bytes(content)
    altered(path, "UPDATE memories SET time = time - 1")
    with remanence.open(path, embedder=None) as store:
        assert store.verify().problems == found.problems


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE commits SET time_ns = time_ns + 1 WHERE seq = 2",
        "DELETE FROM commits WHERE seq = 2",
        "DELETE FROM memories WHERE id = 2",
        "DELETE FROM touches",
        "UPDATE edges SET source = 99",
        "UPDATE memories SET belief = 7.0 WHERE id = 2",
        "UPDATE memories SET vector = x'00' WHERE id = 2",
        "UPDATE memories SET kind = 77 WHERE id = 2",
    ],
)
def test_an_altered_log_is_refused(memory: Memory, path: Path, statement: str) -> None:
    memory.add("a")
    memory.add("b")
    memory.touch(1)
    memory.link(1, 2)
    memory.close()
    altered(path, statement)
    with pytest.raises(CorruptDataError, match=r"^open: the log .* is corrupt \("):
        remanence.open(path, snapshot=False)
