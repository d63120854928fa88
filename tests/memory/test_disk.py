"""Full disks, read-only folders and stores, failing commits: one sentence and no change."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.memory.helpers import bytes_of_store
from tests.memory.refusals import (
    refused,
    with_content,
)

import remanence
from remanence import (
    CorruptDataError,
    Memory,
    StorageError,
)

Opened = Callable[..., Memory]


@pytest.fixture
def filled(memory: Memory) -> Memory:
    return with_content(memory)


def test_a_read_only_store(filled: Memory, opened: Opened) -> None:
    reader = opened(read_only=True)
    assert reader.recall("one").ids
    calls: list[Callable[[], object]] = [
        lambda: reader.add("x"),
        lambda: reader.add_many(["x"]),
        lambda: reader.update(1, text="x"),
        lambda: reader.forget(1),
        lambda: reader.restore(3),
        lambda: reader.erase(1, reason="x"),
        lambda: reader.touch(1),
        reader.reset_weights,
        lambda: reader.link(1, 2),
        lambda: reader.unlink(1),
        reader.snapshot,
    ]
    for call in calls:
        with refused(filled, StorageError, r"\w+: .* was opened with read_only=True"):
            call()
    filled.add("seen by the reader")
    assert reader.get(4).text == "seen by the reader"


def test_a_full_disk_by_page_limit(filled: Memory) -> None:
    """SQLite reports a page limit as it reports a full disk: SQLITE_FULL."""
    writer = filled._store.log._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count={pages + 2}")
    digest, counts = filled._store.view.engine.digest(), filled.stats().commits
    with pytest.raises(StorageError, match=r"^add_many: the disk that holds .* is full; nothing"):
        filled.add_many(["some text"] * 2000, op_id="big")
    assert filled._store.view.engine.digest() == digest
    assert filled.stats().commits == counts
    writer.execute("PRAGMA max_page_count=1073741823")
    assert filled.add_many(["some text"] * 2000, op_id="big").size == 2000
    assert filled.verify().ok


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes; skipped where we may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"cannot mount a small file system here ({type(error).__name__})")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full(tiny_disk: Path) -> None:
    path = tiny_disk / "memory.db"
    with remanence.open(path, embedder=None) as memory:
        memory.add_many(["some text of no importance " * 20] * 20)
        with pytest.raises(StorageError, match=r"^add_many: (the disk|.* failed)"):
            memory.add_many(["some text of no importance " * 20] * 20_000)
        assert memory.stats().memories == 20
        usage = os.statvfs(tiny_disk)
        filler = tiny_disk / "filler"
        filler.write_bytes(b"x" * usage.f_bavail * usage.f_frsize)
        with pytest.raises(StorageError, match=r"^snapshot: .* cannot be written"):
            memory.snapshot()
        assert not list(tiny_disk.glob("*.tmp"))
        filler.unlink()
        assert memory.verify().ok
        memory.add("there is room again")
    with remanence.open(path, embedder=None) as memory:
        assert memory.stats().memories == 21


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write anywhere, so root acts as nobody for the length of the block."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_read_only_folder() -> None:
    # Not pytest's tmp_path: its parents are closed to nobody.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "memory.db"
        with remanence.open(path, embedder=None) as memory:
            memory.add("hello")
        path.chmod(0o644)
        folder.chmod(0o555)
        before = bytes_of_store(path)
        try:
            with unprivileged():
                sentence = r"^open: the folder .* is read-only$"
                for target in (path, folder / "new.db"):
                    with pytest.raises(StorageError, match=sentence):
                        remanence.open(target, embedder=None)
                with remanence.open(path, embedder=None, read_only=True) as reader:
                    assert reader.recall("hello").ids == [1]
                    assert reader.verify().ok
            assert bytes_of_store(path) == before
        finally:
            folder.chmod(0o755)


def test_a_failing_commit_ends_writing(filled: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails at COMMIT nobody knows what it kept: the store must be reopened."""

    class Failing:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        def execute(self, statement: str, *parameters: Any) -> Any:
            if statement == "COMMIT":
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error
            return self._connection.execute(statement, *parameters)

    log = filled._store.log
    digest = filled._store.view.engine.digest()
    monkeypatch.setattr(log, "_writer", Failing(log._writer))
    with pytest.raises(StorageError, match=r"^add: .* failed \(disk I/O error\)"):
        filled.add("x")
    with pytest.raises(StorageError, match=r"^touch: an earlier commit failed .* reopen the store"):
        filled.touch(1)
    assert filled.recall("one").ids
    assert filled._store.view.engine.digest() == digest


def test_a_corrupt_log_met_by_a_reader(filled: Memory, path: Path, opened: Opened) -> None:
    """Corruption that happens while the store is open is one sentence as well."""
    other = opened()
    filled.add("more")
    guard = sqlite3.connect(path)
    guard.execute("DROP TRIGGER commits_no_update")
    guard.execute("UPDATE commits SET checksum = x'00'")
    guard.commit()
    guard.close()
    with pytest.raises(CorruptDataError, match=r"^open: the log .* is corrupt"):
        other.recall("more")
