"""The snapshot beside the log: a saved engine, bound to the commit whose state it holds."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from .._core import Engine, Learner
from .errors import RemanenceError, StorageError
from .learning import learner_at
from .log import Head
from .schema import snapshot_path


@dataclass(frozen=True, slots=True)
class Loaded:
    """An engine and a learner out of a snapshot, with the commit they stand at."""

    engine: Engine
    learner: Learner
    head: Head


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a snapshot was not used, in words; one that holds erased content must not be kept."""

    reason: str
    holds_erased: bool = False


def save(engine: Engine, learner: Learner, path: Path, store: str, head: Head) -> None:
    """Write the snapshot whole or not at all: temporary name, fsync, rename, fsync of the folder.

    Raises StorageError; the log is not touched.
    """
    final = snapshot_path(path)
    temporary = Path(f"{final}.{secrets.token_hex(4)}.tmp")
    note = {
        **asdict(head),
        "store": store,
        "checksum": head.checksum.hex(),
        "learner": base64.b85encode(learner.save()).decode(),
    }
    try:
        engine.save(str(temporary), json.dumps(note).encode())
        _sync(temporary)
        temporary.replace(final)
        _sync(final.parent)
    except (OSError, RemanenceError) as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StorageError(f"snapshot: {final} cannot be written ({error})") from error


def load(
    path: Path, store: str, connection: sqlite3.Connection, backend: str = "cpu"
) -> Loaded | Refused | None:
    """The snapshot of this very log, None where there is none, or why it was refused."""
    file = snapshot_path(path)
    if not file.exists():
        return None
    try:
        engine = Engine.load(str(file), backend)
        tag = json.loads(engine.tag)
        owner, learned = tag.pop("store"), tag.pop("learner", None)
        head = Head(**{**tag, "checksum": bytes.fromhex(tag["checksum"])})
    except (RemanenceError, OSError) as error:
        return Refused(str(error))
    except (ValueError, KeyError, TypeError):
        return Refused("it was not written by a store")
    if owner != store:
        return Refused("it belongs to another store")
    if not _is_commit(connection, head):
        return Refused(f"it holds commit {head.seq} of another history")
    erased = connection.execute("SELECT max(seq) FROM erasures").fetchone()[0]
    if erased is not None and erased > head.seq:
        return Refused(f"it still holds what commit {erased} erased", holds_erased=True)
    return Loaded(engine, _learner(connection, head, learned), head)


def _learner(connection: sqlite3.Connection, head: Head, learned: str | None) -> Learner:
    """The saved learner; taught again by the log where an older version saved none."""
    if learned is not None:
        try:
            return Learner.load(base64.b85decode(learned))
        except (ValueError, RemanenceError):
            pass
    return learner_at(connection, head.seq)


def remove(path: Path) -> None:
    """Delete the snapshot and what was set aside or left half-written; another's too.

    Raises StorageError if a file stays.
    """
    name = snapshot_path(path).name
    try:
        for file in path.parent.iterdir():
            if file.name == name or file.name.startswith(f"{name}."):
                file.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"erase: a snapshot beside {path} cannot be removed ({error})"
        ) from error


def set_aside(path: Path) -> None:
    """Keep a refused snapshot under another name, where nothing loads it again."""
    file = snapshot_path(path)
    with suppress(OSError):
        file.replace(f"{file}.refused")


def _is_commit(connection: sqlite3.Connection, head: Head) -> bool:
    row = connection.execute(
        "SELECT seq, time_ns, checksum, rows FROM commits WHERE seq = ?", (head.seq,)
    ).fetchone()
    return head == (Head() if row is None else Head(*row))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
