"""Rows of the log: one version of a memory as stored, and as the record that callers see."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from .items import PINNED
from .records import KINDS, LAWS, MemoryRow
from .symbols import Symbols
from .times import open_end


class Row(NamedTuple):
    """The columns of the table memories that a reader needs, of one version."""

    seq: int
    id: int
    scope: int
    kind: int
    law: int
    flags: int
    author: int
    session: int
    length: int
    time: int
    valid_from: int
    valid_to: int
    belief: float
    importance: float
    answers: int | None
    source: str | None
    meta: str | None
    terms: str
    text: str
    vector: bytes | None


class Told(NamedTuple):
    """What a hit shows of its row."""

    seq: int
    id: int
    scope: int
    kind: int
    author: int
    session: int
    time: int
    source: str | None
    meta: str | None
    text: str


FEW = 100
"""So many rows are fetched by a statement that names each; it is twice as fast for ten."""
_COLUMNS = ", ".join(f"m.{name}" for name in Row._fields)
_WITHOUT_VECTOR = _COLUMNS.replace("m.vector", "NULL")
_TOLD = ", ".join(f"m.{name}" for name in Told._fields)


def fetch_row(connection: sqlite3.Connection, memory: int, seq: int) -> Row | None:
    """The newest version of a memory that commit `seq` knew; None where the content is erased."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM memories m WHERE m.id = ? AND m.seq <= ? "
        "ORDER BY m.seq DESC LIMIT 1",
        (memory, seq),
    ).fetchone()
    return Row(*row) if row is not None and row[-2] is not None else None


def fetch_rows(connection: sqlite3.Connection, memories: Sequence[int], seq: int) -> dict[int, Row]:
    """The same for many memories, without their vectors."""
    if 0 < len(memories) <= FEW:
        # A list of full tens: few statements to prepare; naming an id twice finds it once.
        wanted = [*memories, *[memories[-1]] * (-len(memories) % 10)]
        marks = ", ".join("?" * len(wanted))
        few = connection.execute(
            f"SELECT {_WITHOUT_VECTOR} FROM memories m WHERE m.id IN ({marks}) "
            "AND m.seq = (SELECT max(seq) FROM memories WHERE id = m.id AND seq <= ?)",
            (*wanted, seq),
        )
        return {row[1]: Row(*row) for row in few if row[-2] is not None}
    rows = connection.execute(
        f"SELECT {_WITHOUT_VECTOR} FROM json_each(?) AS wanted JOIN memories AS m "
        "ON m.id = wanted.value AND m.seq = (SELECT max(seq) FROM memories "
        "WHERE id = wanted.value AND seq <= ?)",
        (json.dumps(list(memories)), seq),
    )
    return {row[1]: Row(*row) for row in rows if row[-2] is not None}


def fetch_told(
    connection: sqlite3.Connection, memories: Sequence[int], seq: int
) -> dict[int, Told]:
    """What hits show of the newest versions that commit `seq` knew; without erased ones.

    All versions are read and the newest is kept: few memories have many.
    """
    found: dict[int, Told] = {}
    for start in range(0, len(memories), FEW):
        part = memories[start : start + FEW]
        wanted = [*part, *[part[-1]] * (-len(part) % 10)]
        marks = ", ".join("?" * len(wanted))
        rows = connection.execute(
            f"SELECT {_TOLD} FROM memories m WHERE m.id IN ({marks}) AND m.seq <= ?",
            (*wanted, seq),
        )
        for row in map(Told._make, rows):
            known = found.get(row.id)
            if known is None or known.seq < row.seq:
                found[row.id] = row
    return {memory: row for memory, row in found.items() if row.text is not None}


def fetch_versions(connection: sqlite3.Connection, memory: int) -> list[Row]:
    """All versions in order; an erased one is a row whose text is None."""
    rows = connection.execute(
        f"SELECT {_WITHOUT_VECTOR} FROM memories m WHERE m.id = ? ORDER BY m.seq", (memory,)
    )
    return [Row(*row) for row in rows]


def record(row: Row, symbols: Symbols, committed: int) -> MemoryRow:
    """The row as callers see it."""
    return MemoryRow(
        id=row.id,
        text=row.text,
        kind=KINDS[row.kind],
        scope=symbols.scope(row.scope),
        time=row.time,
        author=symbols.author(row.author),
        session=symbols.session(row.session),
        source=row.source,
        valid_from=open_end(row.valid_from),
        valid_to=open_end(row.valid_to),
        belief=row.belief,
        importance=row.importance,
        pinned=bool(row.flags & PINNED),
        law=LAWS[row.law],
        meta=None if row.meta is None else json.loads(row.meta),
        seq=row.seq,
        committed=committed,
    )
