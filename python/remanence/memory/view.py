"""The view: native state, symbols and counters that follow the log, commit by commit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from .._core import Engine, Learner
from . import sidecar
from .changes import Changes
from .errors import RemanenceError
from .learning import Lesson, last_taught, learner_at, taught
from .log import Head, Log, head_of
from .names import Names
from .replay import Replay
from .symbols import Symbols

T = TypeVar("T")

KEPT_LESSONS = 16
"""Earlier commits for which an as-of question keeps what was learned by then."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A commit of this process: where it left the log and what it changed."""

    head: Head
    changes: Changes


class View:
    """What the log says, ready to be asked.

    Every change happens under `lock`; `epoch` is odd while one is under way, so that a reader
    that saw two states can tell and ask again.
    """

    def __init__(self, log: Log, *, dim: int, snapshot: bool, backend: str) -> None:
        self._log = log
        self._dim = dim
        self.backend = backend
        self.lock = threading.RLock()
        self.epoch = 0
        self.head = Head()
        self.changes = 0
        """Changes since the snapshot on disk, or since the beginning where there is none."""
        self.refused: str | None = None
        self._stale = False
        self._version = -1
        self.symbols = Symbols()
        self.names = Names()
        self.learner = Learner()
        self.taught = 0
        """The last commit with feedback."""
        self._lesson = (-1, Lesson.of(self.learner))
        self._lessons: dict[int, Lesson] = {}
        with log.snapshot("open") as connection:
            self.engine = self._spilling(self._start(connection, snapshot=snapshot))
            self._follow(connection)

    def _start(self, connection: sqlite3.Connection, *, snapshot: bool) -> Engine:
        found = None
        if snapshot:
            found = sidecar.load(self._log.path, self._log.store, connection, self.backend)
        if isinstance(found, sidecar.Loaded):
            self.head = found.head
            self.learner = found.learner
            self.taught = last_taught(connection, self.head.seq)
            return found.engine
        if found is not None:
            self.refused = found.reason
            if not self._log.read_only:
                if found.holds_erased:
                    sidecar.remove(self._log.path)
                else:
                    sidecar.set_aside(self._log.path)
        return Engine(self._dim_of(connection), self.backend)

    def _spilling(self, engine: Engine) -> Engine:
        """Vectors beyond 4 GiB go to a file without a name beside the log, where it takes one."""
        if not self._log.read_only:
            with suppress(RemanenceError):
                engine.spill(str(self._log.path.parent))
        return engine

    def _dim_of(self, connection: sqlite3.Connection) -> int:
        row = connection.execute("SELECT value FROM meta WHERE key = 'dim'").fetchone()
        return int(row[0]) if row is not None else self._dim

    @property
    def seq(self) -> int:
        """The newest commit that this view has taken in."""
        return self.head.seq

    def refresh(self, verb: str) -> None:
        """See what others have committed; costs microseconds when they have not."""
        with self._log.reading(verb) as connection:
            version = self._log.data_version(connection)
            if version == self._version and not self._stale:
                return
        with self._log.snapshot(verb) as connection:
            self.catch_up(connection)
            self._version = self._log.data_version(connection)

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Replay what the log holds beyond this view, inside the caller's transaction."""
        with self.lock:
            if self._stale or head_of(connection).seq != self.seq:
                self._changing(lambda: self._follow(connection))

    def applied(self, connection: sqlite3.Connection, commit: Applied) -> None:
        """Take in an own commit that is durable by now: a failure only means a replay later."""
        with self.lock:
            if self.seq >= commit.head.seq:
                return
            try:
                self._changing(lambda: self._take(connection, commit))
            except Exception:
                self._stale = True
            except BaseException:
                self._stale = True
                raise

    def _take(self, connection: sqlite3.Connection, commit: Applied) -> None:
        if any(erasure.scrubbed for erasure in commit.changes.erasures):
            self._stale = True
        else:
            commit.changes.apply(self.engine, commit.head.seq)
            if commit.changes.erasures:  # the eraser removes the snapshot
                self.changes = connection.execute("SELECT sum(changes) FROM commits").fetchone()[0]
            else:
                self.changes += len(commit.changes)
            if commit.changes.feedback:
                self.learner = taught(self.learner, commit.changes.feedback)
                self.taught = commit.head.seq
            self.symbols.load(connection)
            self.names.take(commit.changes, commit.head.rows)
        self.head = commit.head

    def _follow(self, connection: sqlite3.Connection) -> None:
        if self._stale:
            self._rebuild(connection)
            return
        replay = Replay(
            connection, self._log.path, self._log.store, self.engine, self.head, self.learner
        )
        self._stale = True  # until the whole tail is in
        replay.run()
        if replay.must_rebuild:
            self._rebuild(connection)
            return
        self._finish(connection, replay)

    def _rebuild(self, connection: sqlite3.Connection) -> None:
        engine = self._spilling(Engine(self._dim_of(connection), self.backend))
        replay = Replay(connection, self._log.path, self._log.store, engine)
        self._stale = True
        replay.run()
        self.engine = engine
        self.names = Names()
        self.changes = 0
        self.taught = 0
        self._lessons.clear()
        self._finish(connection, replay)

    def _finish(self, connection: sqlite3.Connection, replay: Replay) -> None:
        self.head = replay.head
        self.learner = replay.learner
        self.taught = max(self.taught, replay.taught)
        self.changes += replay.changes
        self.symbols.load(connection)
        self.names.load(connection, replay.head.rows)
        self._stale = False

    def _changing(self, change: Callable[[], None]) -> None:
        self.epoch += 1
        try:
            change()
        finally:
            self.epoch += 1

    def consistent(self, verb: str, read: Callable[[Engine, int], T]) -> T:
        """The result of `read(engine, seq)` on one state; asks again if a change came between."""
        for _ in range(3):
            epoch = self.epoch
            if epoch % 2 == 0 and not self._stale:
                result = read(self.engine, self.seq)
                if self.epoch == epoch:
                    return result
        # The reader's lock comes first, as everywhere: `read` may ask the log.
        with self._log.snapshot(verb) as connection, self.lock:
            self.catch_up(connection)
            return read(self.engine, self.seq)

    def lesson(self, verb: str, as_of: int | None) -> Lesson:
        """What was learned by commit `as_of`, or by now; ask inside `consistent`."""
        last = self.taught
        if as_of is None or as_of >= last:
            if self._lesson[0] != last:
                self._lesson = (last, Lesson.of(self.learner.copy()))
            return self._lesson[1]
        with self._log.reading(verb) as connection:
            last = last_taught(connection, as_of)
            if last not in self._lessons:
                while len(self._lessons) >= KEPT_LESSONS:
                    self._lessons.pop(next(iter(self._lessons)), None)
                self._lessons[last] = Lesson.of(learner_at(connection, last))
            return self._lessons[last]

    def save(self, connection: sqlite3.Connection) -> None:
        """Write the snapshot of this state, unless the log has erased something meanwhile."""
        with self.lock:
            sidecar.save(self.engine, self.learner, self._log.path, self._log.store, self.head)
            newest = connection.execute("SELECT max(seq) FROM erasures").fetchone()[0]
            # An eraser deletes the snapshot after its commit; one of us two sees the other.
            if newest is not None and newest > self.seq:
                sidecar.remove(self._log.path)
            else:
                self.changes = 0
            self.refused = None
