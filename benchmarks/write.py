"""write: durable adds, bulk rows and edges beside a plain SQLite insert of the same bytes."""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import remanence

from . import data
from .harness import Report, Row, timing

F32 = NDArray[np.float32]
SEED = 5
RIVAL = "sqlite3 insert"
TARGETS = {"bulk": 30_000, "turns": 20_000, "named": 20_000, "edges": 100_000}
SESSION, NAMES = 30, 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, default=100_000, help="rows of one bulk load")
    parser.add_argument("--edges", type=int, default=300_000, help="edges of one bulk load")
    parser.add_argument("--singles", type=int, default=500, help="adds of one row each")
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")


def run(options: argparse.Namespace) -> Report:
    """Every case in a new store each round, then the rival with the same bytes."""
    if options.quick:
        options.rows, options.edges = min(options.rows, 10_000), min(options.edges, 30_000)
        options.singles, options.rounds = min(options.singles, 100), 2
    names = ("rows", "edges", "singles", "dim", "rounds")
    report = Report("write", {name: getattr(options, name) for name in names})
    report.notes.append(
        "every figure is durable: WAL, synchronous=FULL, the commit is on disk when the call "
        "returns; the rival inserts the same texts, vectors and ids and nothing else"
    )
    texts = data.texts(options.rows, SEED)
    vectors = data.unit_vectors(options.rows, options.dim, "clustered", SEED)
    rng = np.random.default_rng([SEED, 4])
    source = rng.integers(1, options.rows + 1, options.edges)
    step = rng.integers(1, options.rows, options.edges)  # never 0: no row is linked to itself
    ends = np.stack([source, (source - 1 + step) % options.rows + 1], axis=1)
    seconds: dict[str, dict[str, list[float]]] = {
        case: {"ours": [], RIVAL: []} for case in ("single", "bulk", "turns", "named", "edges")
    }
    checked = True
    for turn in range(options.rounds):
        rounds = [_ours, _rival] if turn % 2 == 0 else [_rival, _ours]
        for side in rounds:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                name = "ours" if side is _ours else RIVAL
                found, right = side(Path(folder), texts, vectors, ends, options.singles)
                checked &= right
                for case, value in found.items():
                    seconds[case][name].append(value)
    sizes = {
        "single": options.singles,
        "bulk": options.rows,
        "turns": options.rows,
        "named": options.rows,
        "edges": options.edges,
    }
    titles = {
        "single": f"add, one row with a vector d={options.dim}",
        "bulk": f"add_many n={options.rows} d={options.dim}",
        "turns": f"add_many n={options.rows} d={options.dim}, turns of sessions, linked",
        "named": f"add_many n={options.rows} d={options.dim}, the same with {NAMES} names known",
        "edges": f"link_many n={options.edges}",
    }
    for case, size in sizes.items():
        ours, rival = timing(seconds[case]["ours"]), timing(seconds[case][RIVAL])
        report.rows.append(
            Row(
                titles[case],
                "per_second",
                size / ours.median,
                RIVAL,
                size / rival.median,
                spread=[size / ours.high, size / ours.low],
                checked=checked,
                target={"value_min": TARGETS[case]} if case in TARGETS else {},
                better="higher",
            )
        )
    return report


def _ours(
    folder: Path, texts: list[str], vectors: F32, ends: NDArray[np.int64], singles: int
) -> tuple[dict[str, float], bool]:
    """Seconds of each case through Memory, and whether a new process's view holds it all."""
    path = folder / "write.rem"
    with remanence.open(path, embedder=None, snapshot=False) as memory:
        items = [{"text": text, "kind": "document"} for text in texts]
        found = {"bulk": _seconds(lambda: memory.add_many(items, vectors=vectors))}
        columns = {"source": ends[:, 0], "target": ends[:, 1]}
        found["edges"] = _seconds(lambda: memory.link_many(columns))

        def one_by_one() -> None:
            for text, vector in zip(texts[:singles], vectors, strict=False):
                memory.add(text, vector=vector, kind="document")

        found["single"] = _seconds(one_by_one)
    with remanence.open(folder / "turns.rem", embedder=None, snapshot=False) as memory:
        turns = [_turn(number, text) for number, text in enumerate(texts)]
        found["turns"] = _seconds(lambda: memory.add_many(turns, vectors=vectors))
        links = memory.stats().edges
    linked = links >= len(texts) - len(texts) // SESSION - 1
    found["named"], mentioned = _named(folder, texts, vectors)
    return found, linked and mentioned and _holds(path, texts, vectors, ends, singles)


def _named(folder: Path, texts: list[str], vectors: F32) -> tuple[float, bool]:
    """Seconds of turns that each mention one of many known subjects, and whether all are linked."""
    names = [f"Name{number // 100} Of{number}" for number in range(min(NAMES, len(texts)))]
    with remanence.open(folder / "named.rem", embedder=None, snapshot=False) as memory:
        memory.add_many(
            [{"text": name, "kind": "document", "subject": name} for name in names],
            vectors=vectors[: len(names)],
        )
        before = memory.stats().edges
        turns = [
            _turn(number, f"{text} {names[number % len(names)]}")
            for number, text in enumerate(texts)
        ]
        seconds = _seconds(lambda: memory.add_many(turns, vectors=vectors))
        links = memory.stats().edges - before
    return seconds, links >= 2 * len(texts) - len(texts) // SESSION - 1


def _turn(number: int, text: str) -> dict[str, object]:
    """Every third turn of two speakers asks, so that its answer gets a pair document."""
    return {
        "text": f"{text}?" if number % 3 == 0 else text,
        "author": ("Ada", "Grace")[number % 2],
        "session": str(number // SESSION),
        "time": data.NOW + number * 10**9,
    }


def _holds(
    path: Path, texts: list[str], vectors: F32, ends: NDArray[np.int64], singles: int
) -> bool:
    """Whether a store opened anew holds every row and edge, and rows found by sampling match."""
    rng = np.random.default_rng(SEED)
    with remanence.open(path, embedder=None, snapshot=False, read_only=True) as memory:
        stats = memory.stats()
        right = stats.memories == len(texts) + singles and stats.edges == len(ends)
        for row in rng.integers(0, len(texts), 100).tolist():
            hit = memory.recall(vector=vectors[row], k=1)[0]
            right &= memory.get(row + 1).text == texts[row]
            right &= hit.text == texts[row]
    return bool(right)


def _rival(
    folder: Path, texts: list[str], vectors: F32, ends: NDArray[np.int64], singles: int
) -> tuple[dict[str, float], bool]:
    """The floor: the same bytes into two bare tables, committed as often."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT, vector BLOB)")
    connection.execute("CREATE TABLE edges (id INTEGER PRIMARY KEY, source INT, target INT)")
    insert_row = "INSERT INTO rows (text, vector) VALUES (?, ?)"

    def bulk() -> None:
        connection.execute("BEGIN")
        connection.executemany(
            insert_row, ((t, v.tobytes()) for t, v in zip(texts, vectors, strict=True))
        )
        connection.execute("COMMIT")

    def edges() -> None:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO edges (source, target) VALUES (?, ?)", ends.tolist())
        connection.execute("COMMIT")

    def one_by_one() -> None:
        for text, vector in zip(texts[:singles], vectors, strict=False):
            connection.execute(insert_row, (text, vector.tobytes()))

    found = {"bulk": _seconds(bulk), "edges": _seconds(edges), "single": _seconds(one_by_one)}
    found["turns"] = found["named"] = found["bulk"]
    rows = connection.execute("SELECT count(*) FROM rows").fetchone()[0]
    connection.close()
    return found, rows == len(texts) + singles


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
