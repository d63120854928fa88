"""ingest: seconds and bytes to make rows searchable; queries while rows stream in."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np

from remanence._core import Engine

from . import data, fused, rivals
from .data import NOW
from .fused import SEED, Store
from .harness import Report, Row, clocked

FLAT, HNSW = "faiss.IndexFlatIP", "faiss HNSW32"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1, help="of a query")
    parser.add_argument("--rate", type=int, default=50_000, help="rows appended per second")
    parser.add_argument("--batch", type=int, default=500, help="rows of one append of the stream")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each phase")
    parser.add_argument("--graph-rows", type=int, default=50_000, help="rows of HNSW's build")


def run(options: argparse.Namespace) -> Report:
    """Preparation, then queries alone, then queries beside a stream of appends."""
    if options.quick:
        options.rows, options.seconds, options.graph_rows = 20_000, 0.5, 3_000
    names = ("rows", "dim", "k", "threads", "rate", "batch", "seconds", "graph_rows")
    report = Report("ingest", {name: getattr(options, name) for name in names})
    extra = int(options.rate * options.seconds) // options.batch * options.batch
    total = options.rows + extra
    vectors = data.unit_vectors(total, options.dim, "clustered", SEED)
    columns = data.memory_columns(total, SEED) | {"belief": np.ones(total, np.float32)}
    engine = Engine(options.dim)
    questions = data.queries_near(vectors[: options.rows], 64, SEED)

    def prepare() -> None:
        for commit, batch in data.chunks(_first(columns, options.rows), vectors[: options.rows]):
            engine.append(commit, **batch)
        engine.recall(fused.request(questions[0], "fused", options.k, 0))

    seconds, _ = clocked(prepare)
    bytes_per_row = _bytes_per_row(engine)
    requests = cycle([fused.request(q, "fused", options.k, options.threads) for q in questions])
    batches = list(_stream(columns, vectors, options, engine.seq))
    idle = _latencies(lambda: engine.recall(next(requests)), options.seconds)
    busy = _beside(
        lambda: engine.recall(next(requests)),
        lambda commit, batch: engine.append(commit, **batch),
        batches,
        options,
    )
    store = _store(engine, vectors, columns)
    checked = engine.rows == total and fused.exact(
        store, "fused", questions[:8], options.k, {1, 2, options.threads}
    )
    _prepared(report, options, seconds, bytes_per_row, vectors, checked)
    _streamed(report, options, idle, busy, vectors, questions, checked)
    return report


@dataclass(slots=True)
class Phase:
    """Latencies of one phase in ms, and the rows per second that the writer managed."""

    ms: Any
    rate: float = 0.0

    def at(self, percent: float) -> float:
        return float(np.percentile(self.ms, percent))


def _first(columns: dict[str, Any], count: int) -> dict[str, Any]:
    return {name: column[:count] for name, column in columns.items()}


def _stream(
    columns: dict[str, Any], vectors: Any, options: argparse.Namespace, seq: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(commit, keywords of Engine.append) of the rows that stream in."""
    size = options.batch
    for turn, first in enumerate(range(options.rows, len(vectors), size), 1):
        part = slice(first, first + size)
        own = {name: column[part] for name, column in columns.items()}
        ids = np.arange(first + 1, first + 1 + size)
        yield seq + turn, own | {"id": ids, "terms": [""] * size, "vectors": vectors[part]}


def _latencies(ask: Callable[[], object], seconds: float) -> Phase:
    """Queries one after the other for so long, each timed; the first ones warm up."""
    for _ in range(5):
        ask()
    found, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        found.append(clocked(ask)[0] * 1e3)
    return Phase(np.array(found))


def _beside(
    ask: Callable[[], object],
    append: Callable[[int, Any], object],
    batches: list[tuple[int, Any]],
    options: argparse.Namespace,
) -> Phase:
    """Queries while another thread appends every batch at the wanted rate."""
    took: list[float] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def write() -> None:
        start = time.perf_counter()
        try:
            for turn, (commit, batch) in enumerate(batches, 1):
                append(commit, batch)
                wait = start + turn * options.batch / options.rate - time.perf_counter()
                if wait > 0:
                    time.sleep(wait)
        except BaseException as failure:
            failures.append(failure)
        took.append(time.perf_counter() - start)
        done.set()

    writer = threading.Thread(target=write)
    found: list[float] = []
    writer.start()
    while not done.is_set():
        found.append(clocked(ask)[0] * 1e3)
    writer.join()
    if failures:
        raise failures[0]
    return Phase(np.array(found), len(batches) * options.batch / took[0])


def _bytes_per_row(engine: Engine) -> dict[str, float]:
    stats = engine.stats()
    return {name: v / stats["rows"] for name, v in stats.items() if name.endswith("_bytes") and v}


def _store(engine: Engine, vectors: Any, columns: dict[str, Any]) -> Store:
    rows = len(vectors)
    side = engine.activation(np.arange(1, rows + 1), NOW) + columns["importance"]
    return Store(engine, fused.units(vectors), columns, np.zeros(rows, np.int64), side)


def _prepared(
    report: Report, options: argparse.Namespace, seconds: float, kept: dict[str, float],
    vectors: Any, checked: bool,
) -> None:  # fmt: skip
    few = vectors[: options.graph_rows]
    built = rivals.build([HNSW], few, 2)
    scaled = built[HNSW].build_s * options.rows / len(few) if built else None
    large = options.rows >= 1_000_000
    report.rows.append(
        Row(
            f"prepare n={options.rows} d={options.dim}", "s", seconds, HNSW, scaled,
            checked=checked, target={"value_max": 5.0} if large else {},
            reason=rivals.missing(HNSW), extra={"bytes_per_row": kept},
        )
    )  # fmt: skip
    what = ", ".join(f"{name.removesuffix('_bytes')} {value:.0f}" for name, value in kept.items())
    report.notes.append(f"bytes per row: {what}; all together {sum(kept.values()):.0f}")
    report.notes.append(
        f"{HNSW} was built over {len(few):,} rows and its time scaled by the number of rows, "
        "which favours it"
    )


def _streamed(
    report: Report, options: argparse.Namespace, idle: Phase, busy: Phase, vectors: Any,
    questions: Any, checked: bool,
) -> None:  # fmt: skip
    flat = _flat(options, vectors, questions)
    case = f"fused n={options.rows} d={options.dim} threads={options.threads}"
    large = options.rows >= 1_000_000
    for percent in (50, 95):
        for name, phase, theirs in zip(
            ("idle", f"beside {busy.rate:,.0f} rows/s"), (idle, busy), flat or (None, None),
            strict=True,
        ):  # fmt: skip
            report.rows.append(
                Row(
                    f"{case}, {name}", f"p{percent}_ms", phase.at(percent), FLAT,
                    theirs.at(percent) if theirs else None, checked=checked,
                    reason=rivals.missing(FLAT),
                    extra={"rate": phase.rate, "rival_rate": theirs.rate if theirs else None},
                )
            )  # fmt: skip
    report.rows.append(
        Row(
            f"{case}, beside {busy.rate:,.0f} rows/s over idle", "p95_ratio",
            busy.at(95) / idle.at(95), FLAT, flat[1].at(95) / flat[0].at(95) if flat else None,
            checked=checked and busy.rate >= 0.98 * options.rate,
            target={"value_max": 2.0} if large else {}, reason=rivals.missing(FLAT),
        )
    )  # fmt: skip
    report.notes.append(f"{FLAT} has no concurrent writer: a lock takes turns for it")


def _flat(options: argparse.Namespace, vectors: Any, questions: Any) -> tuple[Phase, Phase] | None:
    built = rivals.build([FLAT], vectors[: options.rows], options.threads)
    if not built:
        return None
    rival, lock, turn = built[FLAT], threading.Lock(), cycle(questions)

    def ask() -> None:
        with lock:
            rival.search(next(turn)[None], options.k)

    def append(_: int, batch: Any) -> None:
        with lock:
            rival.index.add(batch["vectors"])

    starts = range(options.rows, len(vectors), options.batch)
    batches = [(0, {"vectors": vectors[s : s + options.batch]}) for s in starts]
    return _latencies(ask, options.seconds), _beside(ask, append, batches, options)
