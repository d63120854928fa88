"""The log is the truth: durable, append-only, applied once, and replayed to the same state."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.memory.helpers import (
    HashEmbedder,
    digest,
    fill,
    table_counts,
)

from remanence import (
    InvalidArgumentError,
    Item,
    Memory,
)
from remanence.memory.schema import APPEND_ONLY, APPLICATION_ID, VERSION

Opened = Callable[..., Memory]


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


def test_every_look_up_has_an_index(memory: Memory) -> None:
    fill(memory)
    queries = []
    writer = memory._store.log._writer
    writer.set_trace_callback(queries.append)
    memory.add_many([Item("and then?", session="1"), Item("x", triples=[("a", "b", "c")])])
    memory.add("x", op_id="op")
    memory.update(1, text="y")
    memory.erase(2, reason="asked")
    writer.set_trace_callback(None)
    asked = {query for query in queries if query.startswith("SELECT")}
    assert len(asked) > 8
    for query in asked:
        plan = " ".join(row[3] for row in writer.execute(f"EXPLAIN QUERY PLAN {query}"))
        # The newest row of a table is the first of its order; an erasure may read all commits.
        cheap = query.endswith("LIMIT 1") and "DESC" in query
        assert "SCAN" not in plan or cheap or "sum(changes)" in query, (query, plan)


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
