"""batch: many fused queries in one call, queries per second beside exact and indexed rivals."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from . import data, fused, rivals
from .fused import F32, SEED, Store
from .harness import Report, Row, alternate, progress

SIZES = (1, 8, 32, 96)
GOALS = {1: 3000.0, 2: 5500.0}
STRETCH = 3
"""Batches that follow each other before it is another's turn."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1, help="of us and of every rival")
    parser.add_argument("--data", choices=["clustered", "uniform", "both"], default="both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--graph-rows", type=int, default=100_000, help="rows of indexed rivals")


def run(options: argparse.Namespace) -> Report:
    """Batches of 1, 8, 32 and 96 on clustered and uniform data."""
    if options.quick:
        options.rows, options.rounds, options.graph_rows = 10_000, 3, 3_000
    names = ("rows", "graph_rows", "dim", "k", "threads", "rounds")
    report = Report("batch", {name: getattr(options, name) for name in names})
    shapes = ["clustered", "uniform"] if options.data == "both" else [options.data]
    for shape in progress(shapes, "batch"):
        store = fused.build(options.rows, options.dim, shape)
        fused.settle(store, "fused")
        _sizes(report, shape, store, rivals.EXACT, options)
        if len(store.vectors) > options.graph_rows:
            store = fused.build(options.graph_rows, options.dim, shape)
            fused.settle(store, "fused")
        _sizes(report, shape, store, rivals.GRAPHS, options)
    if not hasattr(store.engine, "recall_many"):
        report.notes.append("this engine has no batch: one recall after the other")
    report.notes.append(
        "rivals search by plain cosine; graphs at ef 128, lists at 32 probes; "
        f"{STRETCH} batches follow each other; after_rivals_per_s is the first of them"
    )
    return report


def _sizes(
    report: Report, shape: str, store: Store, names: tuple[str, ...], options: argparse.Namespace
) -> None:
    questions = data.queries_near(store.vectors, max(SIZES), SEED)
    checked = fused.exact(store, "fused", questions, options.k, [options.threads])
    built = rivals.build(names, store.vectors, options.threads)
    for name, rival in built.items():
        rival.effort(32 if "IVF" in name else 128)
    nearest = rivals.build(["numpy"], store.vectors, options.threads)["numpy"]
    true = nearest.search(questions, 10)
    for size in SIZES:
        batch = np.ascontiguousarray(questions[:size])
        requests = [fused.request(q, "fused", options.k, options.threads) for q in batch]
        cases: dict[str, Any] = {
            "remanence": lambda requests=requests: fused.recall_many(store.engine, requests)
        }
        for name, rival in built.items():
            cases[name] = lambda rival=rival, batch=batch: rival.search(batch, options.k)
        rounds = options.rounds if size > 1 else 3 * options.rounds
        timings = alternate(cases, rounds, stretch=STRETCH)
        ours = timings["remanence"]
        goal = (
            GOALS.get(options.threads) if len(store.vectors) >= 1_000_000 and size >= 32 else None
        )
        for name in names:
            there = name in timings
            report.rows.append(
                Row(
                    f"fused b={size} n={len(store.vectors)} d={options.dim} {shape} "
                    f"threads={options.threads}",
                    "queries_per_s", size / ours.median, name,
                    size / timings[name].median if there else None,
                    spread=[size / ours.high, size / ours.low], checked=checked, better="higher",
                    target={"value_min": goal} if goal and name == names[0] else {},
                    reason=rivals.missing(name),
                    extra={
                        "rival_recall": _recall(built[name], batch, true) if there else None,
                        "after_rivals_per_s": size / ours.first,
                    },
                )
            )  # fmt: skip


def _recall(rival: rivals.Rival, batch: F32, true: Any) -> float:
    """A rival's share of the ten nearest."""
    found = rival.search(batch, 10)
    pairs = zip(found.tolist(), true.tolist(), strict=False)
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs]))
