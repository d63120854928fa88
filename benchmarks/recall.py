"""recall: one fused query over all rows, exactly, beside exact and approximate rivals."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np

from . import data, fused, large, rivals
from .fused import F32, SEED, WEIGHTS, Store
from .harness import Memory, Report, Row, alternate, memory, number, progress

REAL = "minilm"
SCAN_BYTES = 62
"""A row's one-bit code, its bound and its side terms: what a scan cannot leave unread."""
STRETCH = 8
"""Questions that an engine answers in a row before it is another's turn."""
FETCHED = (10, 100, 500, 1500, 4000, 16000)
ENOUGH, GOOD = 0.95, 0.98


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "--rows", type=int, default=1_000_000,
        help=f"from {large.MANY:,} on: without rivals, beside {large.LESS:,} rows in the same run",
    )  # fmt: skip
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1, help="of us and of every rival")
    parser.add_argument(
        "--data", choices=["clustered", "uniform", REAL, "all"], default="all",
        help="minilm: the real vectors of the shared data",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--questions", type=int, default=32)
    parser.add_argument(
        "--graph-rows", type=int, default=100_000,
        help="rows for rivals that build an index; a graph over 1,000,000 takes 5 minutes of CPU",
    )  # fmt: skip


def run(options: argparse.Namespace) -> Report:
    """Every kind of data, both scores, all rivals."""
    if options.quick:
        options.rows, options.rounds = min(options.rows, 10_000), 3
        options.graph_rows, options.questions = min(options.graph_rows, 3_000), 4
    names = ("rows", "graph_rows", "dim", "k", "threads", "rounds", "questions")
    report = Report("recall", {name: getattr(options, name) for name in names})
    if options.rows >= large.MANY:
        large.run(report, options)
        return report
    shapes = ["clustered", "uniform", REAL] if options.data == "all" else [options.data]
    reads = memory(options.threads)
    report.notes.append(
        f"floor: {SCAN_BYTES} bytes a row, read by {options.threads} thread(s) at the speed of the "
        f"same rounds; rivals with an index hold {options.graph_rows:,} rows; {STRETCH} questions "
        "follow each other, and after_rivals_ms is the first of them"
    )
    for shape in progress(shapes, "recall"):
        _shape(report, shape, options, reads)
    return report


@dataclass(slots=True)
class Case:
    """One store with its questions."""

    shape: str
    store: Store
    questions: F32
    options: argparse.Namespace

    def name(self, score: str) -> str:
        n, dim = self.store.vectors.shape
        return f"{score} b=1 n={n} d={dim} {self.shape} threads={self.options.threads}"


def case_of(shape: str, rows: int, options: argparse.Namespace) -> Case | None:
    """The store of one kind of data; None where the real data is absent."""
    if shape != REAL:
        store = fused.build(rows, options.dim, shape)
        return Case(
            shape, store, data.queries_near(store.vectors, options.questions, SEED), options
        )
    found = data.minilm()
    if found is None:
        return None
    vectors = np.ascontiguousarray(found[0][:rows])
    store = fused.build(len(vectors), vectors.shape[1], shape, vectors)
    questions = np.random.default_rng(SEED).permutation(found[1])[: options.questions]
    return Case(shape, store, np.ascontiguousarray(questions), options)


def _shape(report: Report, shape: str, options: argparse.Namespace, reads: Memory) -> None:
    case = case_of(shape, options.rows, options)
    if case is None:
        report.notes.append("no real vectors: name their folder in REMANENCE_SHARED_DATA")
        return
    for score in WEIGHTS:
        fused.settle(case.store, score)
        report.notes.append(
            f"{shape}: our rows were compacted for {score} in {case.store.compact_s:.1f} s"
        )
        _exact_rivals(report, case, score, reads)
    if len(case.store.vectors) > options.graph_rows:
        case = case_of(shape, options.graph_rows, options)
        assert case is not None
    built = rivals.build(rivals.GRAPHS, case.store.vectors, options.threads)
    _indexed(report, case, built)


def _ours(case: Case, score: str) -> Any:
    turn = cycle(case.questions)
    k, threads = case.options.k, case.options.threads
    return lambda: case.store.engine.recall(fused.request(next(turn), score, k, threads))


def _exact_rivals(report: Report, case: Case, score: str, reads: Memory) -> None:
    options, store = case.options, case.store
    checked = fused.exact(store, score, case.questions, options.k, {1, 2, options.threads})
    cases = {"remanence": _ours(case, score), "memory": reads.read}
    built = rivals.build(rivals.EXACT, store.vectors, options.threads)
    for name, rival in built.items():
        turn = cycle(case.questions)
        if name == "numpy" and score == "fused":
            cases[name] = lambda turn=turn: rivals.best_of_all(store, next(turn), options.k)
        else:
            # No index has the fused score: its plain cosine, less work than ours, is the rival.
            cases[name] = lambda rival=rival, turn=turn: rival.search(next(turn)[None], options.k)
    timings = alternate(cases, options.rounds, warm_up=2, stretch=STRETCH)
    value, spread = timings["remanence"].scaled(1e3)
    speed = reads.speed(timings["memory"])
    floor = len(store.vectors) * SCAN_BYTES / speed * 1e3
    full = len(store.vectors) >= 1_000_000
    for name in rivals.EXACT:
        there = name in timings
        goal = (
            {1: 40.0, 2: 70.0}.get(options.threads) if full and name == "faiss.IndexFlatIP" else 0
        )
        report.rows.append(
            Row(
                case.name(score), "p50_ms", value, name,
                timings[name].scaled(1e3)[0] if there else None,
                spread=spread, floor=floor, checked=checked,
                target={"ratio_min": goal} if goal and score == "fused" else {},
                reason=None if there else rivals.missing(name),
                extra={
                    "bytes_per_row": store.bytes_per_row(),
                    "after_rivals_ms": timings["remanence"].first * 1e3,
                },
            )
        )  # fmt: skip
    report.rows.append(
        Row(
            case.name(score), "share_of_bandwidth", floor / value, checked=checked, better="higher",
            target={"value_min": 0.85} if full and score == "fused" else {},
            extra={"read_gb_s": speed / 1e9},
        )
    )  # fmt: skip


def _indexed(report: Report, case: Case, built: dict[str, rivals.Rival]) -> None:
    """The latency that each rival needs for an answer of some recall, cosine and fused."""
    for score, aim in (("cosine", GOOD), ("fused", ENOUGH)):
        options, store = case.options, case.store
        fused.settle(store, score)
        checked = fused.exact(store, score, case.questions, options.k, [options.threads])
        answers = fused.wanted(store, score, case.questions, options.k)
        ours = alternate({"us": _ours(case, score)}, 3 * options.rounds)["us"]
        value, spread = ours.scaled(1e3)
        lines = [["remanence", "", number(value), "1" if checked else "WRONG"]]
        for name in rivals.GRAPHS:
            curve = _curve(case, score, built[name], answers) if name in built else []
            lines += [[name, what, number(ms), f"{found:.3f}"] for what, ms, found in curve]
            reaches = [ms for _, ms, found in curve if found >= aim]
            reason = rivals.missing(name)
            if curve and not reaches:
                what, ms, best = max(curve, key=lambda point: point[2])
                reason = f"never reaches {aim}: {best:.3f} at {ms:.3g} ms, {what}"
            report.rows.append(
                Row(
                    f"{case.name(score)} recall@10 >= {aim}", "p50_ms", value, name,
                    min(reaches, default=None), spread=spread, checked=checked,
                    target={"ratio_min": 1.0} if score == "fused" and reaches else {},
                    reason=reason,
                    extra={
                        "curve": [[what, ms, found] for what, ms, found in curve],
                        "build_s": built[name].build_s if name in built else None,
                    },
                )
            )  # fmt: skip
        report.tables.append(
            (case.name(score), ["engine", "candidates", "p50 ms", f"recall@{options.k}"], lines)
        )


def _curve(
    case: Case, score: str, rival: rivals.Rival, answers: list[tuple[Any, Any]]
) -> list[tuple[str, float, float]]:
    """(setting, ms, recall) at each effort; fused answers are re-ranked from k' candidates."""
    options, store, out = case.options, case.store, []
    fetched = FETCHED if score == "fused" else (options.k,)
    for count in [c for c in fetched if c <= len(store.vectors)]:
        efforts = rival.efforts if score == "cosine" else (max(count, 128),)
        if score == "fused" and "IVF" in rival.name:
            efforts = (64,)
        for effort in efforts:
            rival.effort(effort)

            def ask(question: F32, count: int = count) -> Any:
                if score == "cosine" and count == options.k:
                    return rival.search(question[None], count)[0]
                return rivals.rerank(rival, store, score, question, options.k, count)

            found = [
                len(set((ask(q) + 1).tolist()) & set(ids.tolist())) / len(ids)
                for q, (ids, _) in zip(case.questions, answers, strict=True)
            ]
            turn = cycle(case.questions)
            time = alternate({"it": lambda ask=ask, turn=turn: ask(next(turn))}, options.rounds)
            setting = f"k'={count} effort={effort}" if score == "fused" else f"effort={effort}"
            out.append((setting, time["it"].median * 1e3, float(np.mean(found))))
    return out
