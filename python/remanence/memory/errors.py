"""The exceptions of a store, and how SQLite's become one of them."""

from __future__ import annotations

import sqlite3

from .._core import (
    BackendUnavailableError,
    CorruptDataError,
    DeviceError,
    InvalidArgumentError,
    NotFoundError,
    OutOfMemoryError,
    RemanenceError,
)

__all__ = [
    "BackendUnavailableError",
    "ClockError",
    "ClosedError",
    "CorruptDataError",
    "DeviceError",
    "EmbedderMismatchError",
    "InvalidArgumentError",
    "NotFoundError",
    "OutOfMemoryError",
    "RemanenceError",
    "StorageError",
    "WriterTimeoutError",
    "renamed",
    "translated",
]


class StorageError(RemanenceError, OSError):
    """The disk or the folder refused: full, read-only, missing or failing. Nothing was changed."""


class WriterTimeoutError(RemanenceError, TimeoutError):
    """Another writer held the store for longer than the wait allowed. Nothing was changed."""


class ClosedError(RemanenceError, RuntimeError):
    """The store has been closed."""


class ClockError(RemanenceError, ValueError):
    """The clock is behind the last commit by more than the tolerance. Nothing was changed."""


class EmbedderMismatchError(RemanenceError, ValueError):
    """The store holds vectors of another embedder. Nothing was changed."""


def translated(verb: str, path: object, error: sqlite3.Error) -> RemanenceError:
    """The exception, one sentence, that stands for `error` met by `verb` on the store `path`."""
    # The primary result code is the low byte of the extended one.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return WriterTimeoutError(f"{verb}: another writer kept {path} for too long; try again")
    if code == sqlite3.SQLITE_FULL:
        return StorageError(f"{verb}: the disk that holds {path} is full; nothing was changed")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StorageError(f"{verb}: {path} or its folder is read-only; nothing was changed")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StorageError(f"{verb}: {path} cannot be opened (missing, or no permission)")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptDataError(f"{verb}: {path} is corrupt or not a store ({error})")
    if code == sqlite3.SQLITE_TOOBIG:
        return InvalidArgumentError(f"{verb}: the content is too large for one row (1 GB)")
    if code == sqlite3.SQLITE_NOMEM:
        return OutOfMemoryError(f"{verb}: not enough memory")
    if isinstance(error, sqlite3.ProgrammingError):
        return ClosedError(f"{verb}: the store {path} is closed")
    return StorageError(f"{verb}: {path} failed ({error}); nothing was changed")


def renamed(verb: str, error: RemanenceError) -> RemanenceError:
    """The same exception with the caller's verb in place of the core's."""
    _, colon, rest = str(error).partition(": ")
    return type(error)(f"{verb}: {rest if colon else error}")
