"""Replay: the log's rows, read in bulk, become the engine's arrays again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import Engine, Learner
from .changes import EDGE_DTYPES, MEMORY_DTYPES, TOUCH_DTYPES, Changes, Erasure, Memories
from .errors import CorruptDataError
from .learning import Feedback, taught
from .log import Commit, Head, check_chain, commits_between

START = Head()
"""Before the first commit."""
WINDOW = 32_768
"""Changes that are read at once; a larger commit is read in pieces of this many rows."""

_MEMORIES = (
    f"SELECT seq, {', '.join(MEMORY_DTYPES)}, terms, vector FROM memories "
    "WHERE row > ? AND row <= ? ORDER BY row"
)
_EDGES = (
    "SELECT seq, id, source, target, type, weight, valid_from, valid_to FROM edges "
    "WHERE seq BETWEEN ? AND ? ORDER BY seq, n"
)


class Replay:
    """Brings `engine` and the learner from the commit `head` to the end of the log.

    Reads inside the caller's transaction. Raises CorruptDataError with a reason.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        store: str,
        engine: Engine,
        head: Head = START,
        learner: Learner | None = None,
    ) -> None:
        self._connection = connection
        self._path = path
        self._store = store
        self._engine = engine
        self.head = head
        self.learner = Learner() if learner is None else learner
        self.taught = 0
        """The last commit with feedback that was applied here, 0 if none was."""
        self.changes = 0
        self.must_rebuild = False

    def run(self, until: int = 2**63 - 1) -> None:
        """Apply every commit that follows the head, up to commit `until`.

        Afterwards must_rebuild tells that an erasure changed rows that were applied before.
        """
        rebuilding = self.head.seq == 0
        while commits := commits_between(self._connection, self.head.seq, until, WINDOW):
            check_chain(self._store, self._path, self.head, commits)
            for window in _windows(commits):
                self._apply(window, rebuilding=rebuilding)
                last = window[-1]
                self.head = Head(last.seq, last.time_ns, last.checksum, last.rows)

    def _apply(self, window: list[Commit], *, rebuilding: bool) -> None:
        total = sum(commit.changes for commit in window)
        if total == 0:
            return
        try:
            found = self._apply_one(window[0]) if len(window) == 1 else self._apply_many(window)
        except (ValueError, LookupError, TypeError, OverflowError) as error:
            raise CorruptDataError(
                f"open: the log {self._path} is corrupt "
                f"(commits {window[0].seq} to {window[-1].seq} cannot be applied: {error})"
            ) from error
        if found != total:
            raise CorruptDataError(
                f"open: the log {self._path} is corrupt (commits {window[0].seq} to "
                f"{window[-1].seq} hold {found} changes, want {total})"
            )
        self.changes += total
        # A rebuild reads the scrubbed rows from the start and has nothing to repeat.
        self.must_rebuild = self.must_rebuild and not rebuilding

    def _apply_one(self, commit: Commit) -> int:
        """One commit of any size: its memories in pieces, then the rest."""
        count, seq = 0, commit.seq
        for _, memories in self._memories(commit.rows):
            memories.append_to(self._engine, seq)
            count += len(memories)
        rest = self._rest(seq, seq).get(seq, Changes())
        self._take(seq, rest)
        return count + len(rest)

    def _apply_many(self, window: list[Commit]) -> int:
        """Many small commits: read together, applied in order, plain additions in one call."""
        first, last = window[0].seq, window[-1].seq
        found = self._rest(first, last)
        others = sorted(found)
        applied = 0

        def apply_before(seq: int) -> None:
            nonlocal applied
            while applied < len(others) and others[applied] < seq:
                self._take(others[applied], found[others[applied]])
                applied += 1

        count = sum(len(changes) for changes in found.values())
        for seqs, memories in self._memories(window[-1].rows):
            count += len(memories)
            # A run of commits that do nothing but append is one call with a seq for each row.
            stops = np.unique(np.searchsorted(seqs, np.array(others, np.int64), side="right"))
            start = 0
            for stop in [*stops.tolist(), len(seqs)]:
                if stop > start:
                    apply_before(int(seqs[start]))
                    _part(memories, start, stop).append_to(self._engine, seqs[start:stop])
                start = stop
        apply_before(last + 1)
        return count

    def _take(self, seq: int, changes: Changes) -> None:
        changes.apply(self._engine, seq)
        if changes.feedback:
            self.learner = taught(self.learner, changes.feedback)
            self.taught = seq

    def _memories(self, last: int) -> Iterator[tuple[NDArray[np.int64], Memories]]:
        """(commit of each row, rows) in pieces, from the head's last row to row `last`."""
        cursor = self._connection.execute(_MEMORIES, (self.head.rows, last))
        while rows := cursor.fetchmany(WINDOW):
            seq, *narrow, terms, blobs = zip(*rows, strict=True)
            columns = {
                name: np.array(values, dtype=dtype)
                for (name, dtype), values in zip(MEMORY_DTYPES.items(), narrow, strict=True)
            }
            vectors, vector_row = _vectors(blobs)
            words = ["" if text is None else text for text in terms]
            yield np.array(seq, np.int64), Memories(columns, words, vectors, vector_row)

    def _rest(self, first: int, last: int) -> dict[int, Changes]:
        """Everything but the memories, by commit."""
        found: dict[int, Changes] = {}

        def of(seq: int) -> Changes:
            return found.setdefault(seq, Changes())

        for seq, memory, restored in self._rows("closes", "id, restored", first, last):
            (of(seq).restored if restored else of(seq).closed).append(memory)
        for seq, edge in self._rows("edge_closes", "edge", first, last):
            of(seq).unlinked.append(edge)
        for row in self._rows("erasures", "id, reason, salt, digest, scrubbed", first, last):
            of(row[0]).erasures.append(Erasure(*row[1:]))
            self.must_rebuild |= row[-1] > 0
        for row in self._rows("feedback", ", ".join(Feedback._fields), first, last):
            of(row[0]).feedback.append(Feedback(*row[1:]))
        touches = self._rows("touches", ", ".join(TOUCH_DTYPES), first, last)
        for seq, columns in _columns(touches, TOUCH_DTYPES):
            of(seq).touches = columns
        edges = self._connection.execute(_EDGES, (first, last)).fetchall()
        for seq, columns in _columns(edges, EDGE_DTYPES):
            of(seq).edges = columns
        return found

    def _rows(self, table: str, columns: str, first: int, last: int) -> list[tuple[Any, ...]]:
        return self._connection.execute(
            f"SELECT seq, {columns} FROM {table} WHERE seq BETWEEN ? AND ? ORDER BY seq, n",
            (first, last),
        ).fetchall()


def _windows(commits: list[Commit]) -> Iterator[list[Commit]]:
    """Runs of commits of at most WINDOW changes together; a larger one stands alone."""
    window: list[Commit] = []
    size = 0
    for commit in commits:
        if window and size + commit.changes > WINDOW:
            yield window
            window, size = [], 0
        window.append(commit)
        size += commit.changes
    if window:
        yield window


def _runs(seqs: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(seq, start, end) of each run of equal numbers."""
    edges = np.flatnonzero(np.diff(seqs)) + 1
    starts = [0, *edges.tolist()]
    for start, end in zip(starts, [*starts[1:], len(seqs)], strict=True):
        yield int(seqs[start]), start, end


def _columns(
    rows: list[tuple[Any, ...]], dtypes: dict[str, Any]
) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    if not rows:
        return
    seqs, *values = zip(*rows, strict=True)
    whole = {
        name: np.array(column, dtype=dtype)
        for (name, dtype), column in zip(dtypes.items(), values, strict=True)
    }
    for seq, start, end in _runs(np.array(seqs, np.int64)):
        yield seq, {name: column[start:end] for name, column in whole.items()}


def _vectors(
    blobs: tuple[bytes | None, ...],
) -> tuple[NDArray[np.float32] | None, NDArray[np.int32] | None]:
    held = [blob for blob in blobs if blob is not None]
    if not held:
        return None, None
    if len({len(blob) for blob in held}) != 1 or len(held[0]) % 4:
        raise ValueError("vectors of different lengths")
    vectors = np.frombuffer(b"".join(held), dtype="<f4").reshape(len(held), -1)
    if len(held) == len(blobs):
        return vectors, None
    present = np.array([blob is not None for blob in blobs])
    return vectors, np.where(present, np.cumsum(present) - 1, -1).astype(np.int32)


def _part(memories: Memories, start: int, end: int) -> Memories:
    """Rows [start, end); vectors are cut along when each row has its own, in order."""
    columns = {name: column[start:end] for name, column in memories.columns.items()}
    terms = memories.terms[start:end]
    vectors, rows = memories.vectors, memories.vector_row
    if vectors is None:
        return Memories(columns, terms)
    if rows is None:
        return Memories(columns, terms, vectors[start:end])
    kept = rows[start:end]
    used = kept[kept >= 0]
    if not len(used):
        return Memories(columns, terms)
    first = int(used[0])
    shifted = np.where(kept >= 0, kept - first, -1).astype(np.int32)
    return Memories(columns, terms, vectors[first : int(used[-1]) + 1], shifted)
