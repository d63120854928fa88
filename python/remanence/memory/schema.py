"""The tables of a store, their append-only guards, and the checks made when a file is opened."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from pathlib import Path

from .errors import CorruptDataError, RemanenceError, StorageError

APPLICATION_ID = 0x52454D41  # "REMA"
VERSION = 2
"""1: without the table feedback."""
PAGE_SIZE = 16_384
OLDEST_SQLITE = (3, 38, 0)
"""STRICT tables and the JSON functions."""

# A commit dirties as few pages as it can: commits.rows, the number of rows in memories up to and
# with a commit, stands for an index by seq, and the order of commits for one by time.
# Wide payload columns come last: a reader of the narrow ones never touches overflow pages.
TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE commits (
    seq INTEGER PRIMARY KEY, branch INTEGER NOT NULL DEFAULT 0, time_ns INTEGER NOT NULL,
    op_id TEXT, verb TEXT NOT NULL, result TEXT NOT NULL, changes INTEGER NOT NULL,
    rows INTEGER NOT NULL, nonce INTEGER NOT NULL, checksum BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX commits_by_op_id ON commits (op_id) WHERE op_id IS NOT NULL;
CREATE TABLE symbols (
    number INTEGER PRIMARY KEY, space TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
    UNIQUE (space, id), UNIQUE (space, name)) STRICT;
CREATE TABLE memories (
    row INTEGER PRIMARY KEY, seq INTEGER NOT NULL, id INTEGER NOT NULL, scope INTEGER NOT NULL,
    kind INTEGER NOT NULL, law INTEGER NOT NULL, flags INTEGER NOT NULL, author INTEGER NOT NULL,
    session INTEGER NOT NULL, length INTEGER NOT NULL, time INTEGER NOT NULL,
    valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL, belief REAL NOT NULL,
    importance REAL NOT NULL, answers INTEGER, crc INTEGER, entity TEXT, source TEXT, meta TEXT,
    terms TEXT, text TEXT, vector BLOB) STRICT;
CREATE UNIQUE INDEX memories_by_id ON memories (id, seq);
CREATE INDEX memories_by_session ON memories (session, id) WHERE session > 0;
CREATE INDEX memories_by_entity ON memories (entity, scope) WHERE entity IS NOT NULL;
CREATE INDEX memories_by_answers ON memories (answers) WHERE answers IS NOT NULL;
CREATE TABLE edges (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, id INTEGER NOT NULL, source INTEGER NOT NULL,
    target INTEGER NOT NULL, type INTEGER NOT NULL, weight REAL NOT NULL,
    valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL,
    PRIMARY KEY (seq, n)) STRICT, WITHOUT ROWID;
CREATE TABLE edge_closes (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, edge INTEGER NOT NULL,
    PRIMARY KEY (seq, n)) STRICT, WITHOUT ROWID;
CREATE TABLE closes (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, id INTEGER NOT NULL, restored INTEGER NOT NULL,
    PRIMARY KEY (seq, n)) STRICT, WITHOUT ROWID;
CREATE INDEX closes_by_id ON closes (id);
CREATE TABLE touches (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, id INTEGER NOT NULL, time INTEGER NOT NULL,
    weight REAL NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (seq, n)) STRICT, WITHOUT ROWID;
CREATE INDEX touches_by_id ON touches (id);
CREATE TABLE erasures (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, id INTEGER NOT NULL UNIQUE, reason TEXT NOT NULL,
    salt BLOB NOT NULL, digest BLOB NOT NULL, scrubbed INTEGER NOT NULL,
    PRIMARY KEY (seq, n)) STRICT, WITHOUT ROWID;
"""
_FEEDBACK = """
CREATE {kind} feedback (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, id INTEGER NOT NULL, used INTEGER NOT NULL,
    belief REAL NOT NULL, score REAL NOT NULL, features BLOB,
    PRIMARY KEY (seq, n)) STRICT, WITHOUT ROWID;
"""

APPEND_ONLY = (
    "meta", "commits", "symbols", "edges", "edge_closes", "closes", "touches", "erasures",
    "feedback",
)  # fmt: skip

# The one lawful change of history: a payload becomes NULL where a tombstone names its memory, and
# an answer drops the words of its erased question.
_ERASE_ONLY = """
CREATE TRIGGER memories_erase_only BEFORE UPDATE ON memories WHEN NOT (
    NEW.row IS OLD.row AND NEW.seq IS OLD.seq AND NEW.id IS OLD.id AND NEW.scope IS OLD.scope
    AND NEW.kind IS OLD.kind AND NEW.law IS OLD.law AND NEW.flags IS OLD.flags
    AND NEW.author IS OLD.author AND NEW.session IS OLD.session AND NEW.length IS OLD.length
    AND NEW.time IS OLD.time AND NEW.valid_from IS OLD.valid_from
    AND NEW.valid_to IS OLD.valid_to AND NEW.belief IS OLD.belief
    AND NEW.importance IS OLD.importance AND NEW.answers IS NULL
    AND ((EXISTS (SELECT 1 FROM erasures WHERE id = OLD.id) AND NEW.crc IS NULL
          AND NEW.entity IS NULL AND NEW.source IS NULL AND NEW.meta IS NULL
          AND NEW.terms IS NULL AND NEW.text IS NULL AND NEW.vector IS NULL)
      OR (EXISTS (SELECT 1 FROM erasures WHERE id = OLD.answers)
          AND NEW.entity IS OLD.entity AND NEW.source IS OLD.source AND NEW.meta IS OLD.meta
          AND NEW.text IS OLD.text AND NEW.vector IS OLD.vector)))
BEGIN SELECT RAISE(ABORT, 'memories is append-only'); END;
"""


def snapshot_path(path: Path) -> Path:
    """The sidecar of a store."""
    return Path(f"{path}.snapshot")


def script() -> str:
    """Everything that makes an empty file a store, but for the pragmas."""
    parts = [TABLES, _FEEDBACK.format(kind="TABLE"), _ERASE_ONLY, *map(_guards, APPEND_ONLY)]
    return "".join([*parts, _guard("memories", "DELETE")])


def _guards(table: str) -> str:
    return _guard(table, "UPDATE") + _guard(table, "DELETE")


def _guard(table: str, event: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;\n"
    )


def prepare(
    verb: str, path: Path, connection: sqlite3.Connection, *, read_only: bool, timeout: float
) -> None:
    """Create or check the store behind `connection`; a file that is not ours is left untouched.

    timeout: seconds to wait for another process that creates it at the same moment.
    """
    found = _identity(connection)
    if found == (0, 0, 0) and not read_only:
        _create(connection, time.monotonic() + timeout)
        found = _identity(connection)
    application, version, tables = found
    if application != APPLICATION_ID:
        what = "empty" if tables == 0 else "a database of another program"
        raise CorruptDataError(f"{verb}: {path} is not a remanence store (it is {what})")
    if version > VERSION:
        raise CorruptDataError(
            f"{verb}: {path} was written by a newer version of remanence "
            f"(got format {version}, want {VERSION} or older); upgrade to read it"
        )
    check_complete(verb, path, connection)
    if version < VERSION:
        _upgrade(connection, read_only=read_only)


def _upgrade(connection: sqlite3.Connection, *, read_only: bool) -> None:
    """Add the table feedback to a store of format 1; a reader gets an empty one of its own."""
    if read_only:
        connection.execute(_FEEDBACK.format(kind="TEMP TABLE"))
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _identity(connection)[1] < VERSION:
            for statement in _statements(_FEEDBACK.format(kind="TABLE") + _guards("feedback")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def set_durable(verb: str, path: Path, connection: sqlite3.Connection) -> None:
    """WAL and synchronous=FULL, and proof that both hold."""
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous=FULL")
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or level != 2:
        raise StorageError(
            f"{verb}: {path} cannot be made durable here "
            f"(got journal_mode {mode}, synchronous {level}, want wal and 2)"
        )
    connection.execute("PRAGMA secure_delete=ON")


def check_complete(verb: str, path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a truncated file: pages that neither the file nor the write-ahead log can hold."""
    pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
    page_size = int(connection.execute("PRAGMA page_size").fetchone()[0])
    wal = Path(f"{path}-wal")
    in_wal = wal.stat().st_size if wal.exists() else 0
    held = path.stat().st_size
    if held + in_wal < pages * page_size:
        raise CorruptDataError(
            f"{verb}: {path} is truncated (got {held} bytes, want {pages * page_size})"
        )


def _identity(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """(application id, format version, number of schema objects)."""
    queries = (
        "PRAGMA application_id",
        "PRAGMA user_version",
        "SELECT count(*) FROM sqlite_master",
    )
    # One snapshot for all three: between two of them another process may finish its creation.
    alone = not connection.in_transaction
    if alone:
        connection.execute("BEGIN")
    try:
        a, v, n = (int(connection.execute(query).fetchone()[0]) for query in queries)
    finally:
        if alone and connection.in_transaction:
            connection.execute("COMMIT")
    return a, v, n


def _create(connection: sqlite3.Connection, deadline: float) -> None:
    # Two processes may create the same store: whoever gets the lock second finds it made.
    connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
    _enter_wal(connection, deadline)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _identity(connection) == (0, 0, 0):
            for statement in _statements(script()):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO meta VALUES ('store', ?), ('format', ?)", (uuid.uuid4().hex, VERSION)
            )
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _enter_wal(connection: sqlite3.Connection, deadline: float) -> None:
    """Turn the write-ahead log on; SQLite itself does not wait for the lock that this takes."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _statements(text: str) -> list[str]:
    """The statements of a script one by one: executescript would commit the open transaction."""
    found, pending = [], ""
    for line in text.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found


def check_path(verb: str, path: Path, *, read_only: bool) -> None:
    """One sentence for what is wrong with a path before SQLite sees it."""
    problem: RemanenceError | None = None
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        want = ".".join(map(str, OLDEST_SQLITE))
        problem = StorageError(
            f"{verb}: this Python's SQLite is too old (got {sqlite3.sqlite_version}, want {want})"
        )
    elif path.is_dir():
        problem = StorageError(f"{verb}: {path} is a folder (want a file)")
    elif not path.parent.is_dir():
        problem = StorageError(f"{verb}: the folder {path.parent} does not exist")
    elif read_only and not path.exists():
        problem = StorageError(f"{verb}: {path} does not exist (read_only creates nothing)")
    elif path.exists() and not path.stat().st_size and snapshot_path(path).exists():
        problem = CorruptDataError(f"{verb}: {path} is empty, but its snapshot is there")
    elif not read_only and not _allowed(path.parent, os.W_OK):
        problem = StorageError(f"{verb}: the folder {path.parent} is read-only")
    elif path.exists() and not _allowed(path, os.R_OK if read_only else os.R_OK | os.W_OK):
        problem = StorageError(f"{verb}: {path} is read-only or not yours to read")
    if problem is not None:
        raise problem


def _allowed(path: Path, mode: int) -> bool:
    """Whether this process may do so, by the user it acts as."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
