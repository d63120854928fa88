"""The log: one SQLite file, one writer at a time, every change one durable commit."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from . import schema
from .errors import (
    ClosedError,
    CorruptDataError,
    InvalidArgumentError,
    StorageError,
    WriterTimeoutError,
    translated,
)
from .times import TIME_MIN

JOURNAL_LIMIT = 64 << 20
WRITER_KIB = 65_536
READER_KIB = 8_192
"""Rows of hits are rarely read again: a page comes faster into memory that was used lately."""
MAX_OP_ID = 1024

_COMMIT = "seq, time_ns, op_id, verb, result, changes, rows, nonce, checksum"


class Commit(NamedTuple):
    """One row of the table commits."""

    seq: int
    time_ns: int
    op_id: str | None
    verb: str
    result: str
    changes: int
    rows: int
    nonce: int
    checksum: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log, or a view of it, stands: its newest commit, and the rows in memories so far."""

    seq: int = 0
    time: int = TIME_MIN
    checksum: bytes = b""
    rows: int = 0


def chained(store: str, previous: bytes, c: Commit) -> bytes:
    """The checksum of a commit: it names the store, all commits before it, and this one."""
    fields = [c.seq, c.time_ns, c.op_id, c.verb, c.result, c.changes, c.rows, c.nonce]
    content = previous + json.dumps(fields).encode()
    return hashlib.blake2b(content, digest_size=16, key=store.encode()).digest()


class Log:
    """Two connections to one file: a reader shared by all threads, and a writer.

    Every sqlite3 error leaves as one of ours. Raises StorageError, CorruptDataError.
    """

    def __init__(self, path: Path, *, read_only: bool, timeout: float) -> None:
        self.path = path
        self.read_only = read_only
        self._timeout = timeout
        self._read_lock = threading.RLock()
        self._write_lock = threading.Lock()
        self._closed = False
        self._failure: str | None = None
        self._wait = -1.0
        self._connections: list[sqlite3.Connection] = []
        schema.check_path("open", path, read_only=read_only)
        try:
            self._open()
            self.store = str(self._meta()["store"])
        except sqlite3.Error as error:
            self.close()
            raise translated("open", path, error) from error
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        if self.read_only:
            self._reader = self._connect_read_only()
            schema.prepare("open", self.path, self._reader, read_only=True, timeout=self._timeout)
            return
        self._writer = self._connect(self.path.resolve().as_uri())
        schema.prepare("open", self.path, self._writer, read_only=False, timeout=self._timeout)
        schema.set_durable("open", self.path, self._writer)
        self._writer.execute(f"PRAGMA journal_size_limit={JOURNAL_LIMIT}")
        self._writer.execute(f"PRAGMA cache_size=-{WRITER_KIB}")
        self._reader = self._connect(self.path.resolve().as_uri())
        self._reader.execute("PRAGMA query_only=ON")

    def _connect(self, uri: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=64,
        )
        self._connections.append(connection)
        connection.execute(f"PRAGMA cache_size=-{READER_KIB}")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA user_version").fetchone()
        return connection

    def _connect_read_only(self) -> sqlite3.Connection:
        uri = self.path.resolve().as_uri()
        try:
            return self._connect(uri + "?mode=ro")
        except sqlite3.OperationalError as error:
            # A read-only folder cannot hold the shared-memory file; without a write-ahead log
            # nobody is writing and the file alone is the whole store.
            wal = Path(f"{self.path}-wal")
            refused = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if error.sqlite_errorcode & 0xFF not in refused or (
                wal.exists() and wal.stat().st_size > 0
            ):
                raise
            return self._connect(uri + "?mode=ro&immutable=1")

    def _meta(self) -> dict[str, str]:
        return dict(self._reader.execute("SELECT key, value FROM meta"))

    @contextmanager
    def reading(self, verb: str) -> Iterator[sqlite3.Connection]:
        """The reader connection, for one thread at a time."""
        with self._read_lock:
            self.check_open(verb)
            try:
                yield self._reader
            except sqlite3.Error as error:
                raise translated(verb, self.path, error) from error

    @contextmanager
    def snapshot(self, verb: str) -> Iterator[sqlite3.Connection]:
        """The reader connection inside one read transaction: several tables, one moment."""
        with self.reading(verb) as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    @contextmanager
    def writing(self, verb: str) -> Iterator[sqlite3.Connection]:
        """The writer connection inside BEGIN IMMEDIATE; the caller commits, an error rolls back."""
        self.check_writable(verb)
        started = time.monotonic()
        if not self._write_lock.acquire(timeout=self._timeout):
            raise WriterTimeoutError(
                f"{verb}: another thread kept {self.path} for {self._timeout:g} s; try again"
            )
        try:
            self.check_writable(verb)
            self._wait_at_most(self._timeout - (time.monotonic() - started))
            self._writer.execute("BEGIN IMMEDIATE")
            yield self._writer
        except sqlite3.Error as error:
            raise translated(verb, self.path, error) from error
        finally:
            if not self._closed and self._writer.in_transaction:
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
            self._write_lock.release()

    def _wait_at_most(self, seconds: float) -> None:
        """How long SQLite's writer may wait, to a tenth of a second: it rarely changes."""
        wait = max(round(seconds, 1), 0.0)
        if wait != self._wait:
            self._writer.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
            self._wait = wait

    def commit(self, verb: str, connection: sqlite3.Connection) -> None:
        """COMMIT. When the disk fails here nobody knows what it kept, so writing ends."""
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            reason = translated(verb, self.path, error)
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_IOERR:
                self._failure = f"an earlier commit failed ({error}); reopen the store"
            raise reason from error

    def check_writable(self, verb: str) -> None:
        self.check_open(verb)
        if self.read_only:
            raise StorageError(f"{verb}: {self.path} was opened with read_only=True")
        if self._failure is not None:
            raise StorageError(f"{verb}: {self._failure}")

    def check_open(self, verb: str) -> None:
        if self._closed:
            raise ClosedError(f"{verb}: the store {self.path} is closed")

    @property
    def closed(self) -> bool:
        return self._closed

    def data_version(self, connection: sqlite3.Connection) -> int:
        """Changes whenever another connection has committed."""
        return int(connection.execute("PRAGMA data_version").fetchone()[0])

    def checkpoint(self, verb: str) -> bool:
        """Move every page into the file and empty the write-ahead log; False if readers hold it."""
        self.check_writable(verb)
        with self._write_lock, self._read_lock:
            try:
                self._wait_at_most(self._timeout)
                busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.Error as error:
                raise translated(verb, self.path, error) from error
        return not busy

    def close(self) -> None:
        """Close both connections; closing twice is allowed."""
        with self._write_lock, self._read_lock:
            self._closed = True
            for connection in self._connections:
                with suppress(sqlite3.Error):
                    connection.close()
            self._connections.clear()


def head_of(connection: sqlite3.Connection) -> Head:
    """The newest commit of the log."""
    row = connection.execute(
        "SELECT seq, time_ns, checksum, rows FROM commits ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return Head() if row is None else Head(*row)


def seq_at(connection: sqlite3.Connection, time_ns: int) -> int:
    """The last commit at or before a time, 0 if there is none: times grow with seq."""
    low, high = 0, head_of(connection).seq
    while low < high:
        middle = (low + high + 1) // 2
        row = connection.execute("SELECT time_ns FROM commits WHERE seq = ?", (middle,)).fetchone()
        if row[0] <= time_ns:
            low = middle
        else:
            high = middle - 1
    return low


def recorded(connection: sqlite3.Connection, verb: str, op_id: str | None) -> tuple[Any] | None:
    """The result that `op_id` had when it was applied, in a 1-tuple, or None if it was not."""
    if op_id is None:
        return None
    row = connection.execute(
        "SELECT verb, result, seq FROM commits WHERE op_id = ?", (op_id,)
    ).fetchone()
    if row is None:
        return None
    if row[0] != verb:
        raise InvalidArgumentError(
            f"{verb}: op_id {op_id!r} already names another operation "
            f"(got {verb}, commit {row[2]} is {row[0]})"
        )
    return (json.loads(row[1]),)


def check_op_id(verb: str, op_id: str | None) -> None:
    if op_id is None:
        return
    if not isinstance(op_id, str) or not 0 < len(op_id) <= MAX_OP_ID or not _encodable(op_id):
        raise InvalidArgumentError(
            f"{verb}: op_id must be text of 1 to {MAX_OP_ID} characters (got {op_id!r:.60})"
        )


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def write_commit(
    connection: sqlite3.Connection,
    store: str,
    before: Head,
    *,
    time_ns: int,
    op_id: str | None,
    verb: str,
    result: Any,
    changes: int,
    rows: int,
) -> Head:
    """Insert the row of the commit that follows `before`; the new head."""
    commit = Commit(
        seq=before.seq + 1,
        time_ns=time_ns,
        op_id=op_id,
        verb=verb,
        result=json.dumps(result),
        changes=changes,
        rows=before.rows + rows,
        nonce=secrets.randbits(62),
        checksum=b"",
    )
    checksum = chained(store, before.checksum, commit)
    connection.execute(
        f"INSERT INTO commits ({_COMMIT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*commit[:-1], checksum),
    )
    return Head(commit.seq, time_ns, checksum, commit.rows)


def commits_between(
    connection: sqlite3.Connection, after: int, until: int, limit: int
) -> list[Commit]:
    """Up to `limit` of the commits that follow `after`, to `until` included, in order."""
    rows = connection.execute(
        f"SELECT {_COMMIT} FROM commits WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (after, until, limit),
    )
    return [Commit(*row) for row in rows]


def check_chain(store: str, path: Path, before: Head, commits: list[Commit]) -> None:
    """Refuse commits with a gap or with a checksum that does not follow from the one before."""
    seq, previous = before.seq, before.checksum
    for commit in commits:
        seq += 1
        if commit.seq != seq or chained(store, previous, commit) != commit.checksum:
            raise CorruptDataError(
                f"open: the log {path} is corrupt (commit {seq} is missing or was altered)"
            )
        previous = commit.checksum
