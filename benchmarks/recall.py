"""recall: one fused query over all rows beside FAISS IndexFlatIP and NumPy, exact or not at all."""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remanence import Weights
from remanence._core import Engine, Request, decay

from . import data, judge
from .data import NOW
from .harness import Report, Row, Timing, alternate, bandwidth

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
SEED = 11
FAISS, NUMPY = "faiss.IndexFlatIP", "numpy"
ZERO = dict.fromkeys(Weights().to_dict(), 0.0)
WEIGHTS = {
    "cosine": Weights(**{**ZERO, "cosine": 1.0}),
    "fused": Weights(
        **{**ZERO, "cosine": 7.2, "centring": 1.0, "activation": 1.0, "importance": 1.0}
    ),
}
"""fused: cosine to the centred query + activation + importance + ln belief."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--batch", type=int, default=1, help="questions per call")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1, help="of us and of every rival")
    parser.add_argument("--data", choices=["clustered", "uniform", "both"], default="both")
    parser.add_argument("--rounds", type=int, default=15)


def run(options: argparse.Namespace) -> Report:
    """Both kinds of data, both scores, all rivals."""
    if options.quick:
        options.rows, options.rounds = min(options.rows, 20_000), 5
    names = ("rows", "dim", "batch", "k", "threads", "rounds")
    report = Report("recall", {name: getattr(options, name) for name in names})
    shapes = ["clustered", "uniform"] if options.data == "both" else [options.data]
    speed = bandwidth()
    report.notes.append(
        f"floor: one bit per component, read by one thread at {speed / 1e9:.1f} GB/s "
        "(the rivals must read 32)"
    )
    for shape in shapes:
        _shape(report, shape, options, speed)
    return report


@dataclass(slots=True)
class Store:
    """The engine and the same data as the rivals and the judge see it."""

    engine: Engine
    vectors: F32
    side: F64
    mean: F64


def build(rows: int, dim: int, shape: str) -> Store:
    """Rows of seeded data, a fifth of them accessed again."""
    found = data.unit_vectors(rows, dim, shape, SEED)
    columns = data.memory_columns(rows, SEED)
    engine = Engine(dim)
    commit = 0
    for commit, batch in data.chunks(columns, found):
        engine.append(commit, **batch)
    rng = np.random.default_rng([SEED, 2])
    again = np.sort(rng.choice(rows, rows // 5, replace=False))
    moments = columns["time"][again]
    moments = moments + ((NOW - moments) * rng.uniform(0, 1, len(again))).astype(np.int64)
    engine.touch(
        commit + 1,
        id=again + 1,
        time=moments,
        weight=np.ones(len(again), np.float32),
        used=np.full(len(again), -1, np.int8),
    )
    times = np.stack([columns["time"], columns["time"]])
    accesses = np.stack([np.ones(rows), np.zeros(rows)])
    times[1, again], accesses[1, again] = moments, 1.0
    side = judge.activation(times, accesses, NOW, decay.PowerTrace())
    side += columns["importance"].astype(np.float64)
    belief = np.log(columns["belief"].astype(np.float64))
    mean = found.sum(axis=0, dtype=np.float64) / (rows + judge.MEAN_SHRINKAGE)
    return Store(engine, found, np.stack([belief, side + belief]), mean)


def wanted(store: Store, score: str, questions: F32) -> F64:
    """The judge's scores in float64, [questions, rows]."""
    exact = questions.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    if score == "fused":
        exact -= store.mean
    scale = WEIGHTS[score].cosine
    out = np.empty((len(questions), len(store.vectors)))
    for start in range(0, len(store.vectors), data.CHUNK):
        part = store.vectors[start : start + data.CHUNK].astype(np.float64)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
        out[:, start : start + len(part)] = scale * (exact @ part.T)
    out += store.side[0 if score == "cosine" else 1]
    return out


def _shape(report: Report, shape: str, options: argparse.Namespace, speed: float) -> None:
    store = build(options.rows, options.dim, shape)
    index = _faiss(store, options.threads)
    questions = data.queries_near(store.vectors, 16, SEED)
    batches = [
        np.ascontiguousarray(np.roll(questions, -i, axis=0)[: options.batch])
        for i in range(len(questions))
    ]
    for score in WEIGHTS:
        checked = _exact(store, score, questions, options)
        timings = _time(store, index, score, batches, options)
        floor = store.vectors.size / 8 / speed * 1e3 if options.threads == 1 else None
        case = (
            f"{score} b={options.batch} n={options.rows} d={options.dim} {shape} "
            f"threads={options.threads}"
        )
        value, spread = timings["remanence"].scaled(1e3)
        for rival in (FAISS, NUMPY):
            there = rival in timings
            report.rows.append(
                Row(
                    case,
                    "p50_ms",
                    value,
                    rival,
                    timings[rival].scaled(1e3)[0] if there else None,
                    spread=spread,
                    floor=floor,
                    checked=checked,
                    target={"ratio_min": 1.0} if rival == FAISS and options.threads == 1 else {},
                    reason=None if there else "not installed: pip install 'remanence[bench]'",
                )
            )


def _exact(store: Store, score: str, questions: F32, options: argparse.Namespace) -> bool:
    """Whether every answer equals the judge's, for one thread and for several."""
    scores = wanted(store, score, questions)
    for question, exact in zip(questions, scores, strict=True):
        answers = [
            store.engine.recall(_request(question, score, options.k, threads))
            for threads in {1, 2, options.threads}
        ]
        first = answers[0]
        same = all(
            np.array_equal(first.id, other.id) and np.array_equal(first.score, other.score)
            for other in answers
        )
        if not same or not judge.ties(first.id - 1, first.score, exact, judge.TOLERANCE):
            return False
    return True


def _request(question: F32, score: str, k: int, threads: int) -> Request:
    return Request(now=NOW, k=k, vector=question, weights=WEIGHTS[score], threads=threads)


def _time(
    store: Store, index: Any, score: str, batches: list[F32], options: argparse.Namespace
) -> dict[str, Timing]:
    """Median time of a batch for us and for each rival; every rival does the same question."""
    turns = {name: cycle(batches) for name in ("remanence", FAISS, NUMPY)}
    side = store.side[1].astype(np.float32)

    def ours() -> None:
        for question in next(turns["remanence"]):
            store.engine.recall(_request(question, score, options.k, options.threads))

    def numpy() -> None:
        for question in next(turns[NUMPY]):
            scores = store.vectors @ question
            if score == "fused":
                scores = np.float32(WEIGHTS[score].cosine) * scores + side
            best = np.argpartition(-scores, options.k)[: options.k]
            best[np.argsort(-scores[best])]

    cases = {"remanence": ours, NUMPY: numpy}
    if index is not None:
        # FAISS has no fused score: its plain cosine, less work than ours, is the rival of both.
        cases[FAISS] = lambda: index.search(next(turns[FAISS]), options.k)
    return alternate(cases, options.rounds, warm_up=2)


def _faiss(store: Store, threads: int) -> Any:
    if importlib.util.find_spec("faiss") is None:
        return None
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(store.vectors.shape[1])
    index.add(store.vectors)
    return index
