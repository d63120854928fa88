"""recall over more rows than memory holds twice: made chunk by chunk, judged as they are made."""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np

from remanence._core import Engine

from . import data, fused
from .data import NOW
from .fused import F32, I64, NEAR, SEED, WEIGHTS, F, Store
from .harness import Report, Row, alternate, progress

MANY = 4_000_000
"""Rows from which on the vectors are not kept beside the engine."""
LESS = 1_000_000
"""Rows of the store in the same run to which the larger one is compared."""
MOST = 16
"""Questions whose answers are judged."""
SLACK = 0.2
"""Nats under the k-th best at which a row is still a candidate: the mean that centres the queries
is only known at the end, and until then that of the first chunk stands for it."""


@dataclass(slots=True)
class Chunk:
    """Rows start + 1, start + 2, ... as the engine gets them, and as it keeps the vectors."""

    start: int
    vectors: F32
    units: F32
    columns: dict[str, Any]
    again: I64
    """Positions accessed again, and when (below)."""
    moments: I64
    total: I64
    """Sum of the unit vectors [d] in units of 2^-30."""


@dataclass(slots=True)
class Candidates:
    """The rows that may be among the best k of one question."""

    ids: list[I64] = field(default_factory=list)
    rough: F32 = field(default_factory=lambda: np.empty(0, F))
    parts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Large:
    """An engine, its questions and the judge's answers per score."""

    engine: Engine
    questions: F32
    answers: dict[str, list[tuple[I64, F32]]]


def run(report: Report, options: argparse.Namespace, less: int = LESS) -> None:
    """The fused query over `options.rows` rows beside one over `less` rows."""
    shape = "clustered" if options.data == "all" else options.data
    stores = {rows: build(rows, shape, options) for rows in (less, options.rows)}
    right = {rows: exact(store, options) for rows, store in stores.items()}
    for score in WEIGHTS:
        asks = {str(rows): _ask(store, score, options) for rows, store in stores.items()}
        timings = alternate(asks, options.rounds, warm_up=2)
        for rows in stores:
            value, spread = timings[str(rows)].scaled(1e3)
            case = f"{score} b=1 n={rows} d={options.dim} {shape} threads={options.threads}"
            report.rows.append(Row(case, "p50_ms", value, spread=spread, checked=right[rows]))
        times = timings[str(options.rows)].median / timings[str(less)].median
        report.rows.append(
            Row(
                f"{score} b=1 n={options.rows} over n={less}, threads={options.threads}",
                "times", times, checked=all(right.values()),
                target={"value_max": 1.1 * options.rows / less},
            )
        )  # fmt: skip
    _memory(report, options, stores[options.rows].engine, all(right.values()))


def _memory(report: Report, options: argparse.Namespace, engine: Engine, checked: bool) -> None:
    stats = engine.stats()
    kept = {n.removesuffix("_bytes"): v for n, v in stats.items() if n.endswith("_bytes") and v}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    report.rows.append(
        Row(
            f"n={options.rows} d={options.dim}, the whole process", "peak_rss_gib", peak / 2**30,
            checked=checked, target={"value_max": 24.0},
            extra={"mapped": stats["mapped"], "mapped_resident": stats["mapped_resident"]},
        )
    )  # fmt: skip
    what = ", ".join(f"{name} {v / stats['rows']:.0f}" for name, v in kept.items())
    report.notes.append(
        f"bytes per row: {what}; {stats['mapped'] / 2**30:.1f} GiB lie in a mapped file, of which "
        f"{stats['mapped_resident'] / 2**30:.1f} GiB are in memory at the end and may be dropped"
    )


def build(rows: int, shape: str, options: argparse.Namespace) -> Large:
    """An engine with `rows` rows and the judge's answers; chunks are forgotten one by one."""
    engine = Engine(options.dim)
    engine.spill(tempfile.gettempdir())
    total, commit = np.zeros(options.dim, np.int64), 0
    questions = near = None
    found: dict[str, list[Candidates]] = {}
    starts = progress(range(0, rows, data.CHUNK), f"recall n={rows}")
    for chunk in _chunks(starts, rows, shape, options.dim):
        size = len(chunk.units)
        ids = np.arange(chunk.start + 1, chunk.start + 1 + size)
        engine.append(commit + 1, id=ids, terms=[""] * size, vectors=chunk.vectors, **chunk.columns)
        commit += 2
        engine.touch(
            commit, id=ids[chunk.again], time=chunk.moments,
            weight=np.ones(len(chunk.again), F), used=np.full(len(chunk.again), -1, np.int8),
        )  # fmt: skip
        total += chunk.total
        if questions is None:
            questions = data.queries_near(chunk.units, min(options.questions, MOST), SEED)
            near = {score: _queries(score, questions, total, size) for score in WEIGHTS}
            found = {score: [Candidates() for _ in questions] for score in WEIGHTS}
        assert near is not None
        side = engine.activation(ids, NOW) + chunk.columns["importance"]
        for score in WEIGHTS:
            _keep(chunk, ids, near[score], score, side, options.k, found[score])
    assert questions is not None
    assert near is not None
    answers = {}
    for score in WEIGHTS:
        queries = _queries(score, questions, total, rows)
        moved = float(np.linalg.norm(queries - near[score], axis=1).max())
        if 2 * WEIGHTS[score].cosine * moved + NEAR > SLACK:
            raise AssertionError(f"the mean moved the {score} queries by {moved}: raise SLACK")
        pairs = zip(queries, found[score], strict=True)
        answers[score] = [_best(score, query, one, options.k) for query, one in pairs]
    return Large(engine, questions, answers)


def _chunks(starts: Iterable[int], rows: int, shape: str, dim: int) -> Iterator[Chunk]:
    """The chunks in order, two of them under way at a time."""
    waiting: list[Future[Chunk]] = []
    with ThreadPoolExecutor(2) as pool:
        for start in starts:
            waiting.append(pool.submit(_chunk, rows, dim, shape, start))
            if len(waiting) > 2:
                yield waiting.pop(0).result()
        for one in waiting:
            yield one.result()


def _chunk(rows: int, dim: int, shape: str, start: int) -> Chunk:
    vectors = data.chunk_of_vectors(rows, dim, shape, SEED, start)
    units, size = fused.units(vectors), len(vectors)
    columns = data.memory_columns(size, SEED + start) | {"belief": np.ones(size, F)}
    rng = np.random.default_rng([SEED, 2, start])
    again = np.sort(rng.choice(size, size // 5, replace=False))
    moments = columns["time"][again]
    moments = moments + ((NOW - moments) * rng.uniform(0, 1, len(again))).astype(np.int64)
    total = (units * F(2**30)).astype(np.int32).sum(axis=0, dtype=np.int64)
    return Chunk(start, vectors, units, columns, again, moments, total)


def _store(sums: tuple[I64, int], dim: int, **held: Any) -> Store:
    """What the judge of `fused` reads, with the sums of all rows but only some of them."""
    fields = {"vectors": np.empty((0, dim), F), "columns": {}, "touched": np.empty(0, np.int64)}
    nobody: Any = None
    return Store(nobody, side=np.empty(0, F), sums={-1: sums}, **(fields | held))


def _queries(score: str, questions: F32, total: I64, rows: int) -> F32:
    """The questions as the scan sees them when `total` is the sum of `rows` unit vectors."""
    store = _store((total.copy(), rows), questions.shape[1])
    return np.stack([fused.query_of(store, score, question) for question in questions])


def _keep(
    chunk: Chunk, ids: I64, queries: F32, score: str, side: F32, k: int, found: list[Candidates]
) -> None:
    """Adds the rows of a chunk that may be among the best, and drops those that no longer may."""
    rough = F(WEIGHTS[score].cosine) * (queries @ chunk.units.T)
    rough += side if score == "fused" else F(0)
    touched = np.zeros(len(ids), np.int64)
    touched[chunk.again] = chunk.moments
    for scores, kept in zip(rough, found, strict=True):
        best = np.concatenate([kept.rough, np.partition(scores, -k)[-k:]])
        bar = np.sort(best)[-k] - SLACK
        rows = np.flatnonzero(scores >= bar)
        kept.ids.append(ids[rows])
        kept.parts.append(
            {name: column[rows] for name, column in chunk.columns.items()}
            | {"vectors": chunk.units[rows], "touched": touched[rows], "rough": scores[rows]}
        )
        kept.rough = np.sort(np.concatenate([kept.rough, scores[rows]]))[-k:]


def _best(score: str, query: F32, found: Candidates, k: int) -> tuple[I64, F32]:
    """The judge's answer among the candidates: (ids, scores)."""
    held = {name: np.concatenate([p[name] for p in found.parts]) for name in found.parts[0]}
    ids = np.concatenate(found.ids)
    inside = np.flatnonzero(held["rough"] >= found.rough[0] - SLACK)
    store = _store(
        (np.zeros(0, np.int64), 0), len(query), vectors=held["vectors"], columns=held,
        touched=held["touched"],
    )  # fmt: skip
    scores = fused.scores_of(store, score, query, inside)
    order = np.lexsort((ids[inside], -scores))[:k]
    return ids[inside][order], scores[order]


def exact(store: Large, options: argparse.Namespace) -> bool:
    """Whether every answer is the judge's, with 1, 2 and the asked threads, proved or not."""
    return all(
        fused.equal(
            store.engine.recall(fused.request(q, score, options.k, threads, proved=proved)), answer
        )
        for score in WEIGHTS
        for q, answer in zip(store.questions, store.answers[score], strict=True)
        for threads, proved in ((1, False), (2, True), (options.threads, False))
    )


def _ask(store: Large, score: str, options: argparse.Namespace) -> Any:
    turn = cycle(store.questions)
    return lambda: store.engine.recall(fused.request(next(turn), score, options.k, options.threads))
