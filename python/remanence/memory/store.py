"""The machinery of an open store: how one commit is made and how a read sees one state."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .._core import Engine
from ..models import Embedder
from ..text import Extractor, RuleExtractor
from . import vectors
from .changes import Changes
from .errors import (
    ClockError,
    EmbedderMismatchError,
    InvalidArgumentError,
    RemanenceError,
    StorageError,
    renamed,
)
from .log import Head, Log, check_op_id, recorded, seq_at, write_commit
from .reading import default_reader
from .schema import snapshot_path
from .symbols import NewSymbols
from .times import Seq, Time, to_ns
from .view import Applied, View

T = TypeVar("T")

CLOCK_TOLERANCE_NS = 5_000_000_000
"""How far a clock may stand behind the last commit; the commit then takes the last one's time."""
SNAPSHOT_CHANGES = 20_000
"""Changes since the last snapshot from which close() writes a new one."""


class Draft:
    """A commit in the making: number and time are fixed, nothing is written yet."""

    def __init__(self, verb: str, connection: sqlite3.Connection, view: View, moment: int) -> None:
        self.verb = verb
        self.connection = connection
        self.view = view
        self.engine: Engine = view.engine
        self.seq = view.seq + 1
        self.time = moment
        self.symbols = NewSymbols(view.symbols)
        self.changes = Changes()
        self.meta: dict[str, str] = {}
        self.afterwards: list[Callable[[], None]] = []
        self._memory = _count(connection, "SELECT max(id) FROM memories")
        self._edge = _count(connection, "SELECT id FROM edges ORDER BY seq DESC, n DESC LIMIT 1")

    def memory_ids(self, count: int) -> int:
        """Reserve `count` new memory ids in a row; the first of them."""
        self._memory += count
        return self._memory - count + 1

    def edge_ids(self, count: int) -> int:
        self._edge += count
        return self._edge - count + 1

    def record_vectors(self, found: vectors.Vectors) -> None:
        """Note the embedder and dimension with the first vector; refuse another embedder's."""
        if found.array is None:
            return
        embedder, dim = vectors.recorded(self.connection)
        if embedder is None:
            self.meta = {"embedder": str(found.embedder), "dim": str(found.array.shape[1])}
        elif embedder != found.embedder:
            raise EmbedderMismatchError(
                f"{self.verb}: the store holds vectors of another embedder "
                f"(got {found.embedder}, want {embedder})"
            )
        else:
            vectors.check_dim(self.verb, found.array.shape[1], dim)

    def insert(self, store: str, op_id: str | None, result: Any) -> Head:
        """Write everything but COMMIT; where the log will stand."""
        before = self.view.head
        head = write_commit(
            self.connection,
            store,
            before,
            time_ns=self.time,
            op_id=op_id,
            verb=self.verb,
            result=result,
            changes=len(self.changes),
            rows=self.changes.rows,
        )
        self.connection.executemany(
            "INSERT INTO symbols (space, id, name) VALUES (?, ?, ?)", self.symbols.rows()
        )
        self.connection.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)", self.meta.items()
        )
        self.changes.insert(self.connection, self.seq, before.rows)
        for action in self.afterwards:
            action()
        return head


class Store:
    """Log, view, clock, embedder and extractor of one open store. Thread-safe."""

    def __init__(
        self,
        path: Path,
        *,
        embedder: str | Embedder | None,
        extractor: str | Extractor | None,
        clock: Callable[[], int] | None,
        dim: int | None,
        read_only: bool,
        snapshot: bool,
        timeout: float,
        backend: str,
    ) -> None:
        self._clock = clock if clock is not None else time.time_ns
        self._snapshot = snapshot
        self._wrote = False
        self._vectors: tuple[str | None, int] = (None, 0)
        self.extractor = _extractor(extractor)
        self.log = Log(path, read_only=read_only, timeout=timeout)
        try:
            self.view = View(self.log, dim=dim or 0, snapshot=snapshot, backend=backend)
            self.embedding = vectors.Embedding(embedder, dim)
            with self.log.reading("open") as connection:
                fixed = vectors.recorded(connection)[1]
            if dim is not None:
                vectors.check_dim("open", dim, fixed)
        except BaseException:
            self.log.close()
            raise

    def now(self, verb: str) -> int:
        """The clock's time, ns UTC."""
        moment = self._clock()
        if isinstance(moment, bool) or not isinstance(moment, int | np.integer):
            raise ClockError(
                f"{verb}: the clock must return int nanoseconds (got {type(moment).__name__})"
            )
        return int(moment)

    def _commit_time(self, verb: str) -> int:
        """The clock's time, or the last commit's where the clock is a little behind it."""
        now, last = self.now(verb), self.view.head.time
        if last - now > CLOCK_TOLERANCE_NS:
            behind = (last - now) / 1e9
            raise ClockError(
                f"{verb}: the clock runs backwards (got a time {behind:.3f} s before the last "
                f"commit, want at most {CLOCK_TOLERANCE_NS / 1e9:g} s)"
            )
        return max(now, last)

    def commit(self, verb: str, op_id: str | None, write: Callable[[Draft], T]) -> T:
        """Make one durable commit of what `write` puts into the draft; its result is recorded.

        With an op_id that was applied before, the recorded result is returned and nothing
        changes. The result must be plain JSON data.
        """
        check_op_id(verb, op_id)
        with self.log.writing(verb) as connection:
            self.view.catch_up(connection)
            done = recorded(connection, verb, op_id)
            if done is not None:
                return done[0]  # type: ignore[no-any-return]
            draft = Draft(verb, connection, self.view, self._commit_time(verb))
            result = write(draft)
            if not len(draft.changes) and op_id is None:
                return result
            try:
                draft.changes.check(self.view.engine, draft.seq)
            except RemanenceError as error:
                raise renamed(verb, error) from None
            head = draft.insert(self.log.store, op_id, result)
            self.log.commit(verb, connection)
            self._wrote = True
            self.view.applied(connection, Applied(head, draft.changes))
        return result

    def done(self, verb: str, op_id: str | None) -> tuple[Any] | None:
        """The recorded result of an operation, in a 1-tuple, before any work is spent on it."""
        check_op_id(verb, op_id)
        if op_id is None:
            return None
        with self.log.reading(verb) as connection:
            return recorded(connection, verb, op_id)

    def recorded_vectors(self, verb: str) -> tuple[str | None, int]:
        """(embedder, dimension) of the store's vectors, (None, 0) before the first; then fixed."""
        if self._vectors[0] is None:
            with self.reading(verb) as connection:
                self._vectors = vectors.recorded(connection)
        return self._vectors

    @contextmanager
    def reading(self, verb: str) -> Iterator[sqlite3.Connection]:
        """The log's reader, after the view has caught up with every commit."""
        self.view.refresh(verb)
        with self.log.reading(verb) as connection:
            yield connection

    def seq_as_of(self, verb: str, as_of: Time | Seq | None) -> int | None:
        """The last commit that `as_of` knew; None for the newest."""
        if as_of is None:
            return None
        if isinstance(as_of, Seq):
            if isinstance(as_of.n, bool) or not isinstance(as_of.n, int) or as_of.n < 0:
                raise InvalidArgumentError(f"{verb}: as_of is not a commit (got {as_of})")
            return min(as_of.n, self.view.seq)
        moment = to_ns(verb, "as_of", as_of)
        with self.log.reading(verb) as connection:
            return seq_at(connection, moment)

    def snapshot(self) -> None:
        """Write the snapshot sidecar of the newest state."""
        self.log.check_writable("snapshot")
        self.view.refresh("snapshot")
        with self.log.reading("snapshot") as connection:
            self.view.save(connection)

    def compact(self) -> None:
        """Sort the rows of the state in use."""
        self.view.refresh("compact")
        self.view.engine.compact()

    def close(self) -> None:
        """Snapshot where it pays, then close; closing twice is allowed."""
        if self.log.closed:
            return
        try:
            if self._snapshot and self._wrote and self.view.changes >= SNAPSHOT_CHANGES:
                # The log is complete without it: a full disk must not keep a store from closing.
                with suppress(StorageError):
                    self.snapshot()
        finally:
            self.log.close()

    def snapshot_state(self) -> str:
        """The snapshot in words: none, which commit, or why it was refused."""
        if self.view.refused is not None:
            return f"refused: {self.view.refused}"
        file = snapshot_path(self.log.path)
        if not file.exists():
            return "none"
        behind = self.view.changes
        return "current" if behind == 0 else f"{behind} changes behind"


def _count(connection: sqlite3.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0


def _extractor(spec: str | Extractor | None) -> Extractor:
    if spec is None or spec == "default":
        return RuleExtractor(reader=default_reader())
    if isinstance(spec, Extractor):
        return spec
    raise InvalidArgumentError(
        "open: extractor must be 'default' or have id and extract(batch, context) "
        f"(got {spec!r:.40})"
    )
