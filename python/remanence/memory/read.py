"""Reading: one memory, its neighbours, its history, and the state and soundness of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import Engine, Learner
from . import sidecar, vectors
from .changes import MEMORY_DTYPES, row_crc
from .errors import CorruptDataError, InvalidArgumentError, NotFoundError, RemanenceError, renamed
from .items import check_name
from .learning import calibration, show
from .records import LearnedWeights, MemoryRow, Neighbour, Stats, Verification, Version
from .replay import Replay
from .rows import Row, fetch_row, fetch_rows, fetch_versions, record
from .schema import snapshot_path
from .store import Store
from .times import Seq, Time, open_end, to_ns
from .write import check_id


def get(store: Store, memory: Any, as_of: Time | Seq | None) -> MemoryRow:
    """The version of a memory that `as_of` knew."""
    number = check_id("get", memory)
    with store.reading("get") as connection:
        at = store.seq_as_of("get", as_of)
        there, seq = store.view.consistent(
            "get", lambda engine, seq: (bool(engine.contains(_one(number), at)[0]), seq)
        )
        row = fetch_row(connection, number, seq if at is None else at) if there else None
        if row is None:
            raise NotFoundError(f"get: {_absent(connection, number, as_of)}")
        return record(row, store.view.symbols, _committed(connection, row.seq))


def _absent(connection: sqlite3.Connection, memory: int, as_of: Time | Seq | None) -> str:
    """Why a memory cannot be shown."""
    if connection.execute("SELECT 1 FROM erasures WHERE id = ?", (memory,)).fetchone():
        return f"memory {memory} was erased"
    known = connection.execute("SELECT 1 FROM memories WHERE id = ?", (memory,)).fetchone()
    if known is None:
        return f"there is no memory {memory}"
    if as_of is not None:
        return f"memory {memory} was not there as of {as_of}"
    return f"memory {memory} was forgotten"


def _one(memory: int) -> NDArray[np.int64]:
    return np.array([memory], np.int64)


def _committed(connection: sqlite3.Connection, seq: int) -> int:
    row = connection.execute("SELECT time_ns FROM commits WHERE seq = ?", (seq,)).fetchone()
    return int(row[0])


def neighbours(
    store: Store,
    memory: Any,
    types: str | Iterable[str] | None,
    direction: str,
    valid_at: Time | None,
    as_of: Time | Seq | None,
) -> list[Neighbour]:
    """Memories one edge away, ordered by edge."""
    verb = "neighbours"
    number = check_id(verb, memory)
    symbols = store.view.symbols
    if direction not in ("out", "in", "both"):
        raise InvalidArgumentError(
            f"{verb}: direction must be out, in or both (got {direction!r:.40})"
        )
    with store.reading(verb) as connection:
        at = store.seq_as_of(verb, as_of)
        moment = None if valid_at is None else to_ns(verb, "valid_at", valid_at)
        wanted = _type_column(store, verb, types)
        try:
            found, seq = store.view.consistent(
                verb,
                lambda engine, seq: (engine.neighbours(number, wanted, direction, moment, at), seq),
            )
        except RemanenceError as error:
            raise renamed(verb, error) from None
        ids = found["id"].tolist()
        rows = fetch_rows(connection, ids, seq if at is None else at)
        columns = (
            found[name].tolist()
            for name in ("type", "weight", "outgoing", "edge", "valid_from", "valid_to")
        )
        return [
            Neighbour(
                id=i,
                type=symbols.name("type", kind),
                weight=weight,
                outgoing=outgoing,
                edge=edge,
                valid_from=open_end(start),
                valid_to=open_end(end),
                text=rows[i].text if i in rows else "",
            )
            for i, kind, weight, outgoing, edge, start, end in zip(ids, *columns, strict=True)
        ]


def _type_column(
    store: Store, verb: str, types: str | Iterable[str] | None
) -> NDArray[np.uint16] | None:
    """Numbers of the edge types named; a name that no edge has matches nothing."""
    if types is None:
        return None
    names = [types] if isinstance(types, str) else list(types)
    numbers = [store.view.symbols.get("type", check_name(verb, "type", name)) for name in names]
    return np.array([number for number in numbers if number is not None], np.uint16)


def history(store: Store, memory: Any) -> list[Version]:
    """Every version of a memory, oldest first, with what began and what ended it."""
    number = check_id("history", memory)
    with store.log.snapshot("history") as connection:
        store.view.catch_up(connection)
        rows = {row.seq: row for row in fetch_versions(connection, number)}
        if not rows:
            raise NotFoundError(f"history: there is no memory {number}")
        events = _events(connection, number, rows)
        times = {seq: _committed(connection, seq) for seq, _ in events}
        touches = connection.execute(
            "SELECT seq, count(*) FROM touches WHERE id = ? GROUP BY seq", (number,)
        ).fetchall()
        return list(_versions(store, number, rows, events, times, touches))


def _events(
    connection: sqlite3.Connection, memory: int, rows: dict[int, Row]
) -> list[tuple[int, str]]:
    """(commit, what happened) in order."""
    events = [(seq, "update") for seq in rows]
    events[0] = (events[0][0], "add")
    closes = connection.execute("SELECT seq, restored FROM closes WHERE id = ?", (memory,))
    events += [(seq, "restore" if restored else "forget") for seq, restored in closes]
    erased = connection.execute("SELECT seq FROM erasures WHERE id = ?", (memory,))
    events += [(seq, "erase") for (seq,) in erased]
    return sorted(events)


def _versions(
    store: Store,
    memory: int,
    rows: dict[int, Row],
    events: list[tuple[int, str]],
    times: dict[int, int],
    touches: list[tuple[int, int]],
) -> Iterator[Version]:
    content: Row | None = None
    number = 0
    for i, (seq, event) in enumerate(events):
        content = rows.get(seq, content)
        if event in ("forget", "erase"):
            continue
        number += 1
        after = events[i + 1] if i + 1 < len(events) else None
        end = after[0] if after else 2**63
        erased = content is None or content.text is None
        yield Version(
            id=memory,
            version=number,
            known_from=times[seq],
            known_to=times[after[0]] if after else None,
            seq_from=seq,
            seq_to=after[0] if after else None,
            started_by=event,
            ended_by=after[1] if after else None,
            touches=sum(count for at, count in touches if seq <= at < end),
            memory=None
            if erased or content is None
            else record(content, store.view.symbols, times[content.seq]),
        )


def stats(store: Store) -> Stats:
    """Counts and sizes of the newest state."""
    with store.reading("stats") as connection:
        embedder, dim = vectors.recorded(connection)
        counts = store.view.engine.stats()
        symbols = store.view.symbols
        snapshot = snapshot_path(store.log.path)
        wal = Path(f"{store.log.path}-wal")
        return Stats(
            path=str(store.log.path),
            memories=counts["live"],
            versions=counts["rows"],
            edges=counts["live_edges"],
            touches=counts["touches"],
            commits=store.view.seq,
            committed=store.view.head.time if store.view.seq else None,
            scopes=tuple(symbols.scopes()),
            authors=symbols.next_id("author") - 1,
            embedder=embedder,
            dim=dim,
            log_bytes=_size(store.log.path) + _size(wal),
            snapshot_bytes=_size(snapshot),
            snapshot=store.snapshot_state(),
            calibration=calibration(_learner(store, "stats")),
            engine=counts,
        )


def weights(store: Store) -> LearnedWeights:
    """What a question weighs here, and what it weighs where nothing was learned."""
    store.log.check_open("weights")
    store.view.refresh("weights")
    return show(_learner(store, "weights"))


def _learner(store: Store, verb: str) -> Learner:
    return store.view.consistent(verb, lambda _, __: store.view.lesson(verb, None).learner)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def verify(store: Store) -> Verification:
    """Check the file, replay it from nothing, and compare with the state in use and on disk."""
    problems: list[str] = []
    digest = ""
    changes = 0
    with store.log.snapshot("verify") as connection:
        store.view.catch_up(connection)
        problems += _integrity(connection)
        engine = Engine(0)
        replay = Replay(connection, store.log.path, store.log.store, engine)
        state = store.snapshot_state()
        try:
            loaded = sidecar.load(store.log.path, store.log.store, connection)
            if isinstance(loaded, sidecar.Loaded):
                replay.run(until=loaded.head.seq)
                same = loaded.learner.save() == replay.learner.save()
                if loaded.engine.digest() != engine.digest() or not same:
                    problems.append(
                        f"the snapshot differs from the log at commit {loaded.head.seq}"
                    )
            elif loaded is not None:
                problems.append(f"the snapshot is unusable: {loaded.reason}")
            replay.run()
            digest, changes = engine.digest(), replay.changes
            if store.view.engine.digest() != digest:
                problems.append("the state in use differs from the log")
            if store.view.learner.save() != replay.learner.save():
                problems.append("the weights in use differ from what the log teaches")
        except CorruptDataError as error:
            problems.append(str(error))
        return Verification(
            ok=not problems,
            problems=tuple(problems),
            commits=replay.head.seq,
            changes=changes,
            digest=digest,
            snapshot=state,
        )


def _integrity(connection: sqlite3.Connection) -> list[str]:
    """Faults of the file's structure, and payloads that do not match their checksum."""
    rows = connection.execute("PRAGMA integrity_check(10)").fetchall()
    found = [f"the file is damaged: {row[0]}" for row in rows if row[0] != "ok"]
    if found:
        return found
    cursor = connection.execute(
        f"SELECT seq, crc, {', '.join(MEMORY_DTYPES)}, entity, source, meta, terms, text, vector "
        "FROM memories WHERE crc IS NOT NULL"
    )
    last = 2 + len(MEMORY_DTYPES)
    for row in cursor:
        if row_crc(row[2:last], row[last:-1], row[-1]) != row[1]:
            found.append(f"the content of memory {row[2]} in commit {row[0]} was altered")
    return found[:10]
