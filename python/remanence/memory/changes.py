"""The changes of one commit as columns: rows for the log, arrays for the engine."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import Engine, Learner
from .derivations import check_derivations
from .learning import Feedback, taught

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]

# name -> dtype of the columns that the engine takes, in the order of the log's columns
MEMORY_DTYPES: dict[str, Any] = {
    "id": np.int64,
    "scope": np.uint32,
    "kind": np.uint8,
    "law": np.uint8,
    "flags": np.uint8,
    "author": np.uint32,
    "session": np.uint32,
    "length": np.uint16,
    "time": np.int64,
    "valid_from": np.int64,
    "valid_to": np.int64,
    "belief": np.float32,
    "importance": np.float32,
}
EDGE_DTYPES: dict[str, Any] = {
    "edge": np.int64,
    "source": np.int64,
    "target": np.int64,
    "type": np.uint16,
    "weight": np.float32,
    "valid_from": np.int64,
    "valid_to": np.int64,
}
TOUCH_DTYPES: dict[str, Any] = {
    "id": np.int64,
    "time": np.int64,
    "weight": np.float32,
    "used": np.int8,
}

_INSERT_MEMORIES = (
    "INSERT INTO memories (row, seq, id, scope, kind, law, flags, author, session, length, time, "
    "valid_from, valid_to, belief, importance, answers, crc, entity, source, meta, terms, text, "
    f"vector) VALUES ({', '.join('?' * 23)})"
)


def row_crc(numbers: tuple[Any, ...], texts: Iterable[str | None], vector: Any) -> int:
    """CRC-32 over a row of the table memories: its numbers, its texts, its vector's bytes."""
    return content_crc(str(numbers), texts, vector)


def content_crc(numbers: str, texts: Iterable[str | None], vector: Any) -> int:
    """The same of numbers that are text already."""
    parts = [numbers, *["\1" if text is None else text for text in texts]]
    crc = zlib.crc32("\0".join(parts).encode())
    return crc if vector is None else zlib.crc32(vector, crc)


def memory_columns(**values: Sequence[Any] | range) -> dict[str, NDArray[Any]]:
    """Columns in the dtypes of the engine; a float too large becomes infinite and is refused."""
    with np.errstate(over="ignore"):
        made = {name: np.array(values[name], dtype=dtype) for name, dtype in MEMORY_DTYPES.items()}
    made["importance"] += 0.0  # SQLite keeps no negative zero
    return made


@dataclass(slots=True)
class Memories:
    """New versions, one per row. `columns` go to the engine; texts and the like to the log only."""

    columns: dict[str, NDArray[Any]]
    terms: list[str]
    vectors: F32 | None = None
    vector_row: NDArray[np.int32] | None = None
    text: Sequence[str | None] = ()
    source: Sequence[str | None] = ()
    meta: Sequence[str | None] = ()
    entity: Sequence[str | None] = ()
    answers: Sequence[int | None] = ()

    def __len__(self) -> int:
        return len(self.terms)

    def append_to(self, engine: Engine, seq: int | I64, *, check_only: bool = False) -> None:
        engine.append(
            seq,
            **self.columns,
            terms=self.terms,
            vectors=self.vectors,
            vector_row=self.vector_row,
            check_only=check_only,
        )

    def blobs(self) -> Iterator[memoryview | None]:
        """The vector of each row as bytes."""
        if self.vectors is None:
            return repeat(None, len(self))
        rows = range(len(self)) if self.vector_row is None else self.vector_row.tolist()
        data, step = self.vectors.data.cast("B"), self.vectors.shape[1] * 4
        return (data[r * step : (r + 1) * step] if r >= 0 else None for r in rows)

    def insert(self, connection: sqlite3.Connection, seq: int, rows: int) -> None:
        """Write the rows behind the `rows` that the table holds."""
        columns = [self.columns[name].tolist() for name in MEMORY_DTYPES]
        log_only = (self.entity, self.source, self.meta, self.terms, self.text)
        wide = zip(*log_only, strict=True)
        crcs = map(content_crc, _texts_of(self.columns), wide, self.blobs())
        rows_ = zip(
            range(rows + 1, rows + 1 + len(self)), repeat(seq), *columns, self.answers, crcs,
            *log_only, self.blobs(),
        )  # fmt: skip
        connection.executemany(_INSERT_MEMORIES, rows_)


def _texts_of(columns: dict[str, NDArray[Any]]) -> Iterator[str]:
    """str() of the numbers of each row as a tuple; most columns hold one value over and over."""
    parts: list[Iterable[str]] = []
    for name in MEMORY_DTYPES:
        column = columns[name]
        if len(column) and column.tobytes() == column[:1].tobytes() * len(column):
            parts.append(repeat(repr(column[0].item()), len(column)))
        else:
            parts.append(map(repr, column.tolist()))
    return (f"({', '.join(row)})" for row in zip(*parts, strict=True))


@dataclass(slots=True)
class Erasure:
    """One tombstone; scrubbed counts the other rows that dropped words of the erased text."""

    id: int
    reason: str
    salt: bytes
    digest: bytes
    scrubbed: int


@dataclass(slots=True)
class Changes:
    """All changes of one commit. They are applied in the order of the fields."""

    memories: list[Memories] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    touches: dict[str, Any] | None = None
    edges: dict[str, Any] | None = None
    unlinked: list[int] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    feedback: list[Feedback] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of the table memories."""
        return sum(len(batch) for batch in self.memories)

    def __len__(self) -> int:
        return (
            self.rows
            + len(self.restored)
            + len(self.closed)
            + (len(self.touches["id"]) if self.touches else 0)
            + (len(self.edges["edge"]) if self.edges else 0)
            + len(self.unlinked)
            + len(self.erasures)
            + len(self.feedback)
        )

    def apply(self, engine: Engine, seq: int) -> None:
        """Hand everything but the feedback to the engine; it has been checked or is in the log."""
        for batch in self.memories:
            batch.append_to(engine, seq)
        if self.restored:
            engine.restore(seq, _ids(self.restored))
        if self.closed:
            engine.close(seq, _ids(self.closed))
        if self.touches:
            engine.touch(seq, **self.touches)
        if self.edges:
            engine.link(seq, **self.edges)
        if self.unlinked:
            engine.unlink(seq, _ids(self.unlinked))
        if self.erasures:
            engine.erase(seq, _ids([erasure.id for erasure in self.erasures]))

    def check(self, engine: Engine, seq: int) -> None:
        """Let the engine refuse what it would not take. Nothing changes."""
        new = 0
        for batch in self.memories:
            batch.append_to(engine, seq, check_only=True)
            new += len(batch)
        if self.restored:
            engine.restore(seq, _ids(self.restored), check_only=True)
        if self.closed:
            engine.close(seq, _ids(self.closed), check_only=True)
        if self.touches:
            engine.touch(seq, **self.touches, check_only=True)
        if self.edges:
            engine.link(seq, **self._checkable(), check_only=True)
            check_derivations(engine, self.edges)
        if self.unlinked:
            engine.unlink(seq, _ids(self.unlinked), check_only=True)
        taught(Learner(), self.feedback)

    def _checkable(self) -> dict[str, Any]:
        """The edges whose ends exist before this commit; the others end in its own new rows."""
        assert self.edges is not None
        if not self.memories:
            return self.edges
        new = np.concatenate([batch.columns["id"] for batch in self.memories])
        old = ~(np.isin(self.edges["source"], new) | np.isin(self.edges["target"], new))
        return {name: np.ascontiguousarray(column[old]) for name, column in self.edges.items()}

    def insert(self, connection: sqlite3.Connection, seq: int, rows: int) -> None:
        """Write everything; erasure of old payloads is the eraser's own work."""
        for batch in self.memories:
            batch.insert(connection, seq, rows)
            rows += len(batch)
        reopened = [1] * len(self.restored) + [0] * len(self.closed)
        _insert(connection, "closes", seq, [self.restored + self.closed, reopened])
        if self.touches:
            _insert(connection, "touches", seq, _columns(self.touches, TOUCH_DTYPES))
        if self.edges:
            _insert(connection, "edges", seq, _columns(self.edges, EDGE_DTYPES))
        _insert(connection, "edge_closes", seq, [self.unlinked])
        tombstones = [(e.id, e.reason, e.salt, e.digest, e.scrubbed) for e in self.erasures]
        _insert(connection, "erasures", seq, list(zip(*tombstones, strict=True)))
        _insert(connection, "feedback", seq, list(zip(*self.feedback, strict=True)))


def _ids(values: list[int]) -> I64:
    return np.array(values, dtype=np.int64)


def _columns(columns: dict[str, NDArray[Any]], order: dict[str, Any]) -> list[list[Any]]:
    return [columns[name].tolist() for name in order]


def _insert(
    connection: sqlite3.Connection, table: str, seq: int, columns: Sequence[Sequence[Any]]
) -> None:
    """Write rows, given as columns, behind their commit and their number in it."""
    if columns and columns[0]:
        marks = ", ".join("?" * (len(columns) + 2))
        rows = zip(repeat(seq), range(len(columns[0])), *columns)
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
