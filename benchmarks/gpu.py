"""gpu: fused questions, batches, decay and appends on a device; `gpu.sh` runs it."""

from __future__ import annotations

import argparse
import gc
import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from remanence import _core

from . import data, fused
from .fused import SEED, Store
from .gpu_rivals import (
    RIVALS,
    bandwidth,
    byte_operations,
    device_name,
    release,
    rival,
    trace_rival,
)
from .harness import Report, Row, alternate, clocked

SIDE_BYTES = 8 + 2 + 4 + 56
"""A row beside its code in a scan: the code's numbers, static, importance, activation."""
TARGETS_MS = {
    (1_000_000, 1): 0.040, (10_000_000, 1): 0.20, (100_000_000, 1): 1.8,
    (10_000_000, 128): 1.4, (10_000_000, 1024): 1024 / 120_000 * 1e3,
}  # fmt: skip
"""What issue and design ask of a question or a batch, end to end, on an H200."""
RATIOS = {(10_000_000, 1): 8.0, (10_000_000, 1024): 4.0}
"""How many times faster than torch in float16."""
DRY = "a dry run: the emulator's times mean nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--large", type=int, default=100_000_000, help="rows of the last size")
    parser.add_argument("--large-dim", type=int, default=64, help="its dimension: it must fit")
    parser.add_argument("--decay", type=int, default=100_000_000, help="rows of the decay pass")
    parser.add_argument("--worded", type=int, default=200_000, help="rows that hold words")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 128, 1024])
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300.0, help="start no size after this")
    parser.add_argument("--backend", help='default: "cuda", else the emulator as a dry run')
    parser.add_argument("--steps", help="a file of tab-separated (step, result) to include")


def backend_of(options: argparse.Namespace) -> str | None:
    """The backend to measure; None where this machine has none but the processor."""
    here = _core.available_backends()
    if options.backend is not None:
        return options.backend if options.backend in here else None
    return next((name for name in ("cuda", "emulated") if name in here), None)


def run(options: argparse.Namespace) -> Report:
    """Every size: the answers checked bit for bit, then the times of all in turn."""
    backend = backend_of(options)
    dry = backend != "cuda"
    if options.quick or dry:
        options.rows, options.batches, options.rounds = [3_000], [1, 20], 2
        options.large, options.decay, options.worded = 5_000, 5_000, 4_000
    names = ("rows", "large", "large_dim", "decay", "worded", "batches", "dim", "k", "rounds")
    report = Report("gpu", {name: getattr(options, name) for name in names})
    report.extra["backend"] = backend
    report.extra["why_no_cuda"] = _core.why_unavailable("cuda")
    report.extra["device"] = device_name()
    if options.steps is not None:
        lines = Path(options.steps).read_text(encoding="utf-8").splitlines()
        report.extra["steps"] = dict(line.split("\t", 1) for line in lines)
    if backend is None:
        report.notes.append(f"nothing to measure: {_core.why_unavailable('cuda')}")
        return report
    report.extra["bytes_per_s"] = None if dry else bandwidth()
    report.extra["byte_operations_per_s"] = None if dry else byte_operations()
    if dry:
        report.notes.append(DRY)
    with broken_off(report):
        _decay(report, backend, options)
        _words(report, backend, options)
        for rows, dim in _sizes(report, options):
            _size(report, backend, rows, dim, options)
            gc.collect()  # the store of one size is gone before the next is built
    return report


@contextmanager
def broken_off(report: Report) -> Iterator[None]:
    """Keeps what was measured before an interrupt, such as that of `timeout -s INT`."""
    try:
        yield
    except KeyboardInterrupt:
        report.notes.append("broken off: the time was up")


def _sizes(report: Report, options: argparse.Namespace) -> Iterator[tuple[int, int]]:
    """The sizes that the time allows: a size takes as long per number as the one before."""
    began = time.monotonic()
    pace = 0.0
    for rows, dim in [*((rows, options.dim) for rows in options.rows),
                      (options.large, options.large_dim)]:  # fmt: skip
        start = time.monotonic()
        needs = pace * rows * dim
        if start - began + needs > options.seconds:
            report.notes.append(
                f"{rows} rows: left out, would take about {needs:.0f} s more than the time allows"
            )
            continue
        yield rows, dim
        pace = (time.monotonic() - start) / (rows * dim)


def floor_ms(report: Report, rows: int, dim: int, batch: int) -> float | None:
    """What the device needs at least: the bytes read once, or the products of a batch."""
    speed, operations = report.extra["bytes_per_s"], report.extra["byte_operations_per_s"]
    if speed is None:
        return None
    if batch < 8:
        return float(rows * (dim / 8 + SIDE_BYTES) / speed * 1e3)
    memory = rows * (dim + 12) / speed
    return float(max(memory, 2 * rows * dim * batch / operations if operations else 0) * 1e3)


def _size(report: Report, backend: str, rows: int, dim: int, options: argparse.Namespace) -> None:
    vectors = _vectors(rows, dim)
    store = fused.build(rows, dim, "clustered", vectors=vectors, backend=backend)
    few = data.queries_near(vectors, 4, SEED)
    checked = rows > 20_000_000 or all(
        fused.exact(store, score, few, options.k, [1]) for score in fused.WEIGHTS
    )
    for batch in options.batches:
        if batch == 1 or rows <= 20_000_000:
            _batch(report, backend, store, batch, checked, options)
    if rows in options.rows:
        _visible(report, backend, store)


def _vectors(rows: int, dim: int) -> Any:
    """Seeded vectors; the largest sizes turn the coordinates of the first million."""
    part = data.unit_vectors(min(rows, 1_000_000), dim, "clustered", SEED)
    if rows <= len(part):
        return part
    whole = np.empty((rows, dim), np.float32)
    for turn, start in enumerate(range(0, rows, len(part))):
        piece = whole[start : start + len(part)]
        piece[:] = np.roll(part[: len(piece)], turn, axis=1)
    return whole


def _batch(
    report: Report,
    backend: str,
    store: Store,
    batch: int,
    checked: bool,
    options: argparse.Namespace,
) -> None:
    """One question by recall, more by search: the same rows, the same scores."""
    dry, (rows, dim) = backend != "cuda", store.vectors.shape
    asks = [data.queries_near(store.vectors, batch, SEED + i) for i in range(8)]
    like = _core.Request(now=data.NOW, k=options.k, weights=fused.WEIGHTS["fused"])
    checked = checked and _batch_is_right(store, asks[0], like)
    turn = cycle(asks)

    def one() -> object:
        return store.engine.recall(fused.request(next(turn)[0], "fused", options.k, 1))

    def many() -> object:
        return store.engine.search(next(turn), like)

    cases: dict[str, Callable[[], object]] = {backend: one if batch == 1 else many}
    reasons: dict[str, str] = {}
    for name in RIVALS if not dry else ():
        try:
            cases[name] = rival(name, store.vectors, options.k, asks)
            cases[name]()
        except Exception as error:  # whatever keeps a rival away is what the row says
            cases.pop(name, None)
            release()
            reasons[name] = f"{type(error).__name__}: {error}"[:200]
    times = {} if dry else alternate(cases, options.rounds, warm_up=3)
    cases.clear()
    release()
    value, spread = times[backend].scaled(1e3) if times else (None, None)
    floor = floor_ms(report, rows, dim, batch)
    for name in RIVALS:
        goal = {}
        if name == RIVALS[0] and not dry:
            key = (rows, batch)
            goal |= {"value_max": TARGETS_MS[key]} if key in TARGETS_MS else {}
            goal |= {"ratio_min": RATIOS[key]} if key in RATIOS else {}
        report.rows.append(
            Row(
                f"fused b={batch} n={rows} d={dim}", "p50_ms", value, name,
                times[name].scaled(1e3)[0] if name in times else None, spread=spread, floor=floor,
                checked=checked, target=goal, reason=DRY if dry else reasons.get(name),
                extra={"share_of_roofline": floor / value if floor and value else None,
                       "questions_per_s": batch / value * 1e3 if value else None},
            )
        )  # fmt: skip


def _batch_is_right(store: Store, asks: Any, like: Any) -> bool:
    """Whether a batch has the ids and the bits of questions that are asked one by one."""
    ids, scores = store.engine.search(asks, like)
    for n in range(0, len(asks), max(1, len(asks) // 8)):
        hits = store.engine.recall(fused.request(asks[n], "fused", ids.shape[1], 1))
        if ids[n].tolist() != hits.id.tolist() or scores[n].tobytes() != hits.score.tobytes():
            return False
    return True


def _words(report: Report, backend: str, options: argparse.Namespace) -> None:
    """Questions with words: 128 in a batch beside the same one by one, both on the device."""
    dry, rows = backend != "cuda", options.worded
    vectors = data.unit_vectors(rows, options.dim, "clustered", SEED)
    texts, engine = data.texts(rows, SEED), _core.Engine(options.dim, backend)
    held = data.memory_columns(rows, SEED) | {"belief": np.ones(rows, np.float32)}
    for commit, batch in data.chunks(held, vectors):
        first = int(batch["id"][0]) - 1
        engine.append(commit, **(batch | {"terms": texts[first : first + len(batch["id"])]}))
    weights = _core.Weights(**{**fused.ZERO, "cosine": 7.2, "lexical": 3.0, "importance": 1.0})
    rng = np.random.default_rng([SEED, 5])
    asked = [
        _core.Request(now=data.NOW, k=options.k, weights=weights, vector=vector, terms=terms)
        for vector, terms in zip(
            data.queries_near(vectors, 20 if dry else 128, SEED),
            [" ".join(texts[at].split()[:4]) for at in rng.integers(0, rows, 128)],
            strict=False,
        )
    ]

    def alone() -> list[Any]:
        return [engine.recall(request) for request in asked]

    found = zip(engine.recall_many(asked), alone(), strict=True)
    checked = all(
        a.id.tolist() == b.id.tolist() and a.score.tobytes() == b.score.tobytes() for a, b in found
    )
    cases = {backend: lambda: engine.recall_many(asked), "one by one": alone}
    times = {} if dry else alternate(cases, options.rounds, warm_up=3)
    value, spread = times[backend].scaled(1e3) if times else (None, None)
    theirs = times["one by one"].scaled(1e3)[0] if times else None
    name = f"words b={len(asked)} n={rows} d={options.dim}"
    report.rows.append(
        Row(name, "p50_ms", value, "one by one", theirs, spread=spread, checked=checked,
            reason=DRY if dry else None)
    )  # fmt: skip


def _decay(report: Report, backend: str, options: argparse.Namespace) -> None:
    """PowerTrace over columns that lie on the device."""
    dry, rows = backend != "cuda", options.decay
    rng = np.random.default_rng(rows)
    trace = np.tile(rng.gamma(1.0, 3.0, (min(rows, 1_000_000), 12)).astype(np.float32),
                    (-(-rows // min(rows, 1_000_000)), 1))[:rows]  # fmt: skip
    last = data.NOW - rng.integers(1, 2 * data.YEAR_NS, rows)
    law = _core.decay.PowerTrace()
    there = {
        "trace": _core.to_device(trace, backend),
        "last_access": _core.to_device(last, backend),
    }
    out = _core.decay.decay(law, data.NOW, **there, backend=backend)
    few = {"trace": trace[:2000], "last_access": last[:2000]}
    want = _core.decay.decay(law, data.NOW, **few)
    checked = out.get()[:2000].tobytes() == want.tobytes()
    cases: dict[str, Callable[[], object]] = {
        backend: lambda: _core.decay.decay(law, data.NOW, **there, backend=backend, out=out)
    }
    reason = DRY if dry else None
    if not dry:
        try:
            torch: Any = importlib.import_module("torch")
            cases["torch fp32"] = trace_rival(
                torch.from_dlpack(there["trace"]), torch.from_dlpack(there["last_access"])
            )
            cases["torch fp32"]()
        except Exception as error:  # whatever keeps a rival away is what the row says
            cases.pop("torch fp32", None)
            reason = f"{type(error).__name__}: {error}"[:200]
    times = {} if dry else alternate(cases, options.rounds, warm_up=3)
    value, spread = times[backend].scaled(1e3) if times else (None, None)
    speed = report.extra["bytes_per_s"]
    floor = rows * (12 * 4 + 8 + 4) / speed * 1e3 if speed else None
    report.rows.append(
        Row(
            f"decay PowerTrace n={rows}", "p50_ms", value, "torch fp32",
            times["torch fp32"].scaled(1e3)[0] if "torch fp32" in times else None,
            spread=spread, floor=floor, checked=checked, reason=reason,
            target={"value_max": 1.5} if rows == 100_000_000 and not dry else {},
            extra={"share_of_roofline": floor / value if floor and value else None},
        )
    )  # fmt: skip


def _visible(report: Report, backend: str, store: Store) -> None:
    """How long it takes until the next query sees new rows, the append included."""
    first = len(store.vectors)
    count, dim = first // 10, store.vectors.shape[1]
    vectors = data.unit_vectors(count, dim, "clustered", SEED + 1)
    held = data.memory_columns(count, SEED) | {"belief": np.ones(count, np.float32)}
    seq = store.engine.seq
    request = fused.request(vectors[-1], "cosine", 1, 1)

    def append() -> int:
        for commit, batch in data.chunks(held, vectors):
            store.engine.append(seq + commit, **(batch | {"id": batch["id"] + first}))
        return int(store.engine.recall(request).id[0])

    seconds, found = clocked(append)
    report.rows.append(
        Row(
            f"append {count} to n={first}", "visible_s", None if backend != "cuda" else seconds,
            checked=found == first + count, reason=DRY if backend != "cuda" else None,
            target={"value_max": 1.0} if count == 1_000_000 and backend == "cuda" else {},
        )
    )  # fmt: skip
