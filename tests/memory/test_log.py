"""The log is the truth: durable, append-only, replayed, shared by processes, and refused if bad."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.memory.helpers import Clock, HashEmbedder, finished, python, table_counts, unit_rows

import remanence
from remanence import (
    CorruptDataError,
    InvalidArgumentError,
    Item,
    Memory,
    RemanenceError,
    WriterTimeoutError,
)
from remanence.memory.schema import APPEND_ONLY, APPLICATION_ID, VERSION

Opened = Callable[..., Memory]


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


def pragma(path: Path, name: str) -> object:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def test_a_store_is_wal_full_and_marked_as_ours(memory: Memory, path: Path) -> None:
    memory.add("x")
    assert pragma(path, "journal_mode") == "wal"
    assert pragma(path, "page_size") == 16_384
    assert pragma(path, "application_id") == APPLICATION_ID
    assert pragma(path, "user_version") == VERSION
    writer = memory._store.log._writer
    assert writer.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert writer.execute("PRAGMA secure_delete").fetchone()[0] == 1


def test_the_tables_refuse_change_from_outside(memory: Memory, path: Path) -> None:
    fill(memory)
    memory.close()
    counts = table_counts(path)
    connection = sqlite3.connect(path)
    for table in (*APPEND_ONLY, "memories"):
        assert counts[table], table
        column = connection.execute(f"SELECT * FROM {table}").description[-1][0]
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
            with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
                connection.execute(statement)
    with pytest.raises(sqlite3.IntegrityError, match="memories is append-only"):
        connection.execute("UPDATE memories SET text = NULL WHERE id = 1")
    connection.close()


def test_replay_gives_the_same_state(memory: Memory, opened: Opened) -> None:
    fill(memory)
    before = digest(memory)
    assert memory.verify().ok
    memory.close()
    again = opened(snapshot=False)
    assert digest(again) == before
    again.close()
    assert digest(opened(read_only=True)) == before


def test_replay_in_small_windows_gives_the_same_state(
    memory: Memory, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(memory)
    before = digest(memory)
    for window in (1, 2, 3, 5):
        monkeypatch.setattr("remanence.memory.replay.WINDOW", window)
        assert digest(opened(snapshot=False)) == before


def test_op_id_is_applied_once_ever(memory: Memory, opened: Opened) -> None:
    assert memory.add("a", op_id="1") == memory.add("something else", op_id="1") == 1
    ids = memory.add_many(["b", "c"], op_id="2")
    memory.close()
    memory = opened()
    assert memory.add_many(["x"], op_id="2").tolist() == ids.tolist() == [2, 3]
    for _ in range(2):
        memory.update(1, text="new", op_id="3")
        memory.touch(1, op_id="4")
        assert memory.link(1, 2, op_id="5") == 1
        memory.unlink(1, op_id="6")
        memory.forget(1, op_id="7")
        memory.restore(1, op_id="8")
        memory.erase(3, reason="x", op_id="9")
        assert memory.add_many([], op_id="10").tolist() == []
    stats = memory.stats()
    assert (stats.commits, stats.versions, stats.touches, stats.engine["edges"]) == (10, 5, 1, 1)
    assert memory.verify().ok
    with pytest.raises(InvalidArgumentError, match=r"add: op_id '4' already names another"):
        memory.add("a", op_id="4")
    assert memory.stats().commits == 10


def test_another_process_sees_commits_and_both_write(opened: Opened, path: Path) -> None:
    memory = opened(clock=None)
    memory.add("from the parent", author="Al", session="1")
    out = finished(
        python(
            """
            import sys, remanence
            with remanence.open(sys.argv[1], embedder=None) as m:
                print(m.get(1).text)
                m.add("from the child?", author="Bo", session="1", scope="child")
                m.link(1, 2, "mine")
                m.update(1, text="changed by the child")
            """,
            path,
        )
    )
    assert out.strip() == "from the parent"
    assert memory.get(1).text == "changed by the child"
    assert memory.get(2).scope == ("child",)
    assert memory.recall("child", scope="child").ids == [2]
    assert [n.type for n in memory.neighbours(1)] == ["mine"]
    assert memory.add("third") == 3
    assert memory.verify().ok


WRITER = """
import sys, remanence
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with remanence.open(path, embedder=None) as memory:
    for i in range(count):
        print(memory.add(f"{name} {i}", session=name, author=name), flush=True)
        if i % 10 == 0:
            memory.add_many([f"{name} {i} {j}" for j in range(5)])
            memory.touch(memory.recall(name, k=1)[0])
"""


def test_two_processes_writing_at_once_lose_nothing(path: Path) -> None:
    writers = [python(WRITER, path, name, 60) for name in ("left", "right")]
    ids = [[int(line) for line in finished(writer).split()] for writer in writers]
    assert len(set(ids[0]) | set(ids[1])) == 120
    with remanence.open(path, embedder=None) as memory:
        for name, own in zip(("left", "right"), ids, strict=True):
            assert [memory.get(i).text for i in own] == [f"{name} {i}" for i in range(60)]
            chain = [n.id for n in memory.neighbours(own[30], types="next")]
            assert chain == [own[29], own[31]]
        assert memory.stats().memories == 120 + 2 * 6 * 5
        assert memory.stats().touches == 12
        assert memory.verify().ok


def test_threads_share_a_memory(memory: Memory) -> None:
    errors: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for i in range(40):
                number = memory.add(f"{name} {i}")
                assert memory.get(number).text == f"{name} {i}"
                memory.touch(number)
        except BaseException as error:
            errors.append(error)

    def read() -> None:
        try:
            for _ in range(60):
                for hit in memory.recall("left right 7", k=20):
                    assert hit.text.split()[0] in ("left", "right")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("left", "right")]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert memory.stats().memories == 80
    assert memory.verify().ok


def locked(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_a_writer_waits_for_another(memory: Memory, path: Path) -> None:
    memory.add("a")
    other = locked(path)
    done: list[int] = []
    writer = threading.Thread(target=lambda: done.append(memory.add("b")))
    writer.start()
    time.sleep(0.3)
    assert not done
    assert memory.recall("a").ids == [1]
    other.execute("ROLLBACK")
    other.close()
    writer.join(10)
    assert done == [2]


def test_a_writer_gives_up_with_a_sentence(opened: Opened, path: Path) -> None:
    memory = opened(timeout=0.2)
    memory.add("a")
    other = locked(path)
    with pytest.raises(WriterTimeoutError, match=r"^add: another writer kept .* try again$"):
        memory.add("b")
    other.close()
    assert memory.add("b") == 2


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
    with pytest.raises(
        CorruptDataError, match=r"newer version .*\(got format 2, want 1 or older\)"
    ):
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
    run = remanence.memory.view.Replay.run  # type: ignore[attr-defined]
    monkeypatch.setattr(
        "remanence.memory.view.Replay.run", lambda self: (replayed.append(self.seq), run(self))
    )
    again = opened()
    assert len(replayed) == 1
    assert replayed[0] > 0
    assert digest(again) == before
    monkeypatch.undo()
    assert again.stats().snapshot == "5 changes behind"
    assert again.verify().ok


def snapshot_of(path: Path) -> Path:
    return Path(f"{path}.snapshot")


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
    engine = remanence.memory.view.Engine(16)  # type: ignore[attr-defined]
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


def test_a_failing_apply_only_costs_a_replay(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("a")

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("remanence.memory.changes.Changes.apply", fail)
    assert memory.add("b") == 2
    monkeypatch.undo()
    assert sorted(memory.recall().ids) == [1, 2]
    assert memory.add("c") == 3
    assert memory.verify().ok


def test_two_processes_may_create_one_store(path: Path) -> None:
    code = """
    import sys, remanence
    sys.stdin.readline()
    with remanence.open(sys.argv[1], embedder=None) as memory:
        memory.add("hello")
    """
    creators = [python(code, path) for _ in range(4)]
    for creator in creators:
        assert creator.stdin is not None
        creator.stdin.write("go\n")
        creator.stdin.flush()
    for creator in creators:
        finished(creator)
    with remanence.open(path, embedder=None) as memory:
        assert memory.stats().memories == 4
        assert memory.verify().ok


def test_a_process_killed_in_mid_write_leaves_whole_commits(path: Path) -> None:
    writer = python(
        """
        import sys, remanence
        memory = remanence.open(sys.argv[1], embedder=None)
        for i in range(100000):
            memory.add_many([f"{i} {j}" for j in range(50)], op_id=str(i))
            print(i, flush=True)
        """,
        path,
    )
    assert writer.stdout is not None
    for _ in range(5):
        acknowledged = int(writer.stdout.readline())
    writer.kill()
    rest, _ = writer.communicate()
    acknowledged = max([acknowledged, *map(int, rest.split())])
    with remanence.open(path, embedder=None) as memory:
        commits = memory.stats().commits
        assert commits >= acknowledged + 1
        assert memory.stats().memories == commits * 50
        assert memory.add_many(["again"], op_id=str(acknowledged)).size == 50
        assert memory.stats().commits == commits
        assert memory.verify().ok


def test_embedder_and_dim_are_recorded_once(opened: Opened, path: Path) -> None:
    memory = opened()
    memory.add("a")
    memory.add("b")
    connection = sqlite3.connect(path)
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    connection.close()
    assert (meta["embedder"], meta["dim"]) == ("hash-16", "16")
    assert memory.stats().dim == 16
    with pytest.raises(InvalidArgumentError, match=r"open: vector has the wrong dimension"):
        opened(dim=17)
    assert HashEmbedder().id == "hash-16"
