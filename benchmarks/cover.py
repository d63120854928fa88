"""cover: which rows stand for which, beside the same greedy cover in NumPy."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from remanence import _core

from . import data
from .harness import Report, Row, alternate, progress

CASES = (("clustered", 0.9), ("clustered", 0.7), ("uniform", 0.9))
BLOCK = 512
CHECKED = 600
"""Rows that the judge, which takes one after the other, covers as well."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backend", default="cpu")


def run(options: argparse.Namespace) -> Report:
    """Covers of rows in clusters and of rows that have none."""
    if options.quick:
        options.rows, options.rounds = min(options.rows, 3_000), 2
    names = ("rows", "dim", "threads", "rounds", "backend")
    report = Report("cover", {name: getattr(options, name) for name in names})
    before = _core.threads()
    _core.set_threads(options.threads)
    try:
        for case in progress(CASES, "cover"):
            report.rows.append(_row(*case, options))
    finally:
        _core.set_threads(before)
    report.notes.append(
        f"NumPy multiplies {BLOCK} rows at a time with all that are kept and takes them in order"
    )
    return report


def by_numpy(vectors: Any, cosine: float, worth: Any) -> Any:
    """The greedy cover: products of matrices with what is kept, then of the block with itself."""
    order = np.lexsort((np.arange(len(vectors)), -worth))
    units = vectors[order] / np.linalg.norm(vectors[order], axis=1, keepdims=True)
    stands = np.empty(len(units), np.int64)
    kept = np.empty_like(units)
    places = np.empty(len(units), np.int64)
    held = 0
    for first in range(0, len(units), BLOCK):
        block = units[first : first + BLOCK]
        near = block @ kept[:held].T >= cosine
        covered = near.any(axis=1)
        stands[first : first + len(block)] = places[near.argmax(axis=1)] if held else -1
        inside = block @ block.T >= cosine
        fresh = np.zeros(len(block), bool)
        for i in np.flatnonzero(~covered).tolist():
            by = inside[i] & fresh
            fresh[i] = not by.any()
            stands[first + i] = first + (i if fresh[i] else int(by.argmax()))
        new = np.flatnonzero(fresh)
        kept[held : held + len(new)] = block[new]
        places[held : held + len(new)] = first + new
        held += len(new)
    out = np.empty(len(units), np.int64)
    out[order] = order[stands]
    return out


def _row(kind: str, cosine: float, options: argparse.Namespace) -> Row:
    from tests.reference_cover import cover as judged

    vectors = data.unit_vectors(options.rows, options.dim, kind, 7)
    worth = np.random.default_rng(7).standard_normal(options.rows).astype(np.float32)
    few = np.ascontiguousarray(vectors[:CHECKED])
    got = _core.cover(few, cosine, prior=worth[:CHECKED], backend=options.backend)
    checked = got.tolist() == judged(few, cosine, prior=worth[:CHECKED])
    cases = {
        "remanence": lambda: _core.cover(vectors, cosine, prior=worth, backend=options.backend),
        "numpy": lambda: by_numpy(vectors, cosine, worth),
    }
    ours, theirs = (case() for case in cases.values())
    timings = alternate(cases, options.rounds)
    value, spread = timings["remanence"].scaled(1e3)
    case = f"{kind} n={options.rows} d={options.dim} cosine={cosine} threads={options.threads}"
    return Row(
        case if options.backend == "cpu" else f"{case} on {options.backend}", "ms", value, "numpy",
        timings["numpy"].scaled(1e3)[0], spread=spread, checked=checked,
        target={} if options.quick or options.backend != "cpu" else {"ratio_min": 2.0},
        extra={
            "kept": int((ours == np.arange(len(ours))).sum()),
            "same_as_numpy": float((ours == theirs).mean()),
        },
    )  # fmt: skip
