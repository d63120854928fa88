"""The snapshot sidecar: bound to its log, never believed when damaged, never half-written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.memory.helpers import (
    Clock,
    digest,
    fill,
    snapshot_of,
)

import remanence
from remanence import (
    Memory,
)

Opened = Callable[..., Memory]


def test_a_snapshot_is_used_and_the_tail_replayed(
    memory: Memory, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(memory)
    memory.snapshot()
    memory.add("after", session="1", author="Bo")  # and two links to the turn before
    memory.touch([1, 3])
    before = digest(memory)
    memory.close()
    replayed: list[int] = []
    run = remanence.memory.view.Replay.run
    monkeypatch.setattr(
        "remanence.memory.view.Replay.run", lambda self: (replayed.append(self.head.seq), run(self))
    )
    again = opened()
    assert len(replayed) == 1
    assert replayed[0] > 0
    assert digest(again) == before
    monkeypatch.undo()
    assert again.stats().snapshot == "5 changes behind"
    assert again.verify().ok


def test_close_snapshots_when_the_tail_is_long(
    opened: Opened, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remanence.memory.store.SNAPSHOT_CHANGES", 10)
    memory = opened()
    memory.add_many(["x"] * 9)
    memory.close()
    assert not snapshot_of(path).exists()
    reader = opened()
    reader.add("y")
    reader.close()
    assert snapshot_of(path).exists()
    snapshot_of(path).unlink()
    opened().close()
    opened(read_only=True).close()
    assert not snapshot_of(path).exists()
    writer = opened(snapshot=False)
    writer.add("z")
    writer.close()
    assert not snapshot_of(path).exists()


def test_a_corrupt_snapshot_is_set_aside(memory: Memory, opened: Opened, path: Path) -> None:
    fill(memory)
    memory.snapshot()
    before = digest(memory)
    memory.close()
    file = snapshot_of(path)
    whole = file.read_bytes()
    for damaged in (whole[:-1], whole[: len(whole) // 2], b"", b"junk", whole[:200] + b"\xff" * 99):
        file.write_bytes(damaged)
        again = opened()
        assert digest(again) == before
        assert again.stats().snapshot.startswith("refused: ")
        assert again.verify().ok
        again.snapshot()
        assert again.stats().snapshot == "current"
        again.close()


def test_a_snapshot_of_another_store_is_refused(opened: Opened, path: Path) -> None:
    memory = opened()
    memory.add("mine")
    memory.close()
    other_path = path.parent / "other.db"
    with remanence.open(other_path, embedder=None) as other:
        other.add("theirs")
        other.snapshot()
    shutil.copy(snapshot_of(other_path), snapshot_of(path))
    again = opened()
    assert again.stats().snapshot == "refused: it belongs to another store"
    assert again.get(1).text == "mine"


def test_a_snapshot_of_a_rolled_back_log_is_refused(path: Path) -> None:
    def store() -> Memory:
        return remanence.open(path, embedder=None, clock=Clock())

    with store() as memory:
        memory.add("a")
    backup = path.read_bytes()
    with store() as memory:
        memory.add("b")
        memory.snapshot()
    path.write_bytes(backup)
    with store() as memory:
        assert memory.stats().snapshot == "refused: it holds commit 2 of another history"
        assert memory.recall().ids == [1]
        memory.snapshot()
        memory.add("c")
        stale = snapshot_of(path).read_bytes()
        memory.add("d")
        memory.snapshot()
        newer = snapshot_of(path).read_bytes()
    path.write_bytes(backup)
    with store() as memory:  # same clock, same verb, same number of commits: another history
        memory.add("C")
        memory.add("D")
    for content, want in ((newer, "refused"), (stale, "3")):
        snapshot_of(path).write_bytes(content)
        with store() as memory:
            assert memory.get(2).text == "C"
            assert memory.stats().snapshot.startswith(want) or memory.verify().ok
            assert memory.verify().ok or memory.stats().snapshot.startswith("refused")


def test_verify_finds_a_snapshot_that_differs(memory: Memory, opened: Opened, path: Path) -> None:
    memory.add("a")
    engine = remanence.memory.view.Engine(16)
    log, view = memory._store.log, memory._store.view
    real, view.engine = view.engine, engine
    memory.snapshot()
    view.engine = real
    memory.close()
    assert snapshot_of(path).exists()
    found = opened().verify()
    assert not found.ok
    assert "the snapshot differs from the log at commit 1" in found.problems
    assert log.closed


def test_a_snapshot_is_never_half_written(
    memory: Memory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("a")
    memory.snapshot()
    before = snapshot_of(path).read_bytes()
    memory.add("b")

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("remanence.memory.sidecar._sync", fail)
    with pytest.raises(remanence.StorageError, match=r"^snapshot: .* cannot be written"):
        memory.snapshot()
    assert snapshot_of(path).read_bytes() == before
    assert not list(path.parent.glob("*.tmp"))
