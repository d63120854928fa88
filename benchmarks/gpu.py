"""gpu: the fused query on a device beside torch, CuPy and FAISS; `gpu.sh` runs it."""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from remanence import _core

from . import data, fused
from .fused import SEED, Store
from .harness import Report, Row, alternate, clocked

RIVALS = ("torch fp16", "torch fp32", "cupy fp32", "faiss.GpuIndexFlatIP")
CODE_BYTES = 48 + 8 + 2 + 4 + 56
"""A row of 384 dimensions in the scan: code, its two numbers, static, importance, activation."""
TARGETS_MS = {1_000_000: 0.040, 10_000_000: 0.20, 100_000_000: 1.8}
"""What issue and design ask of one fused query, end to end, on an H200."""
DRY = "a dry run: the emulator's times mean nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=30)
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
        options.rows, options.questions, options.rounds = [3_000], 4, 2
    names = ("rows", "dim", "k", "questions", "rounds")
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
    speed = None if dry else bandwidth()
    report.extra["bytes_per_s"] = speed
    if dry:
        report.notes.append(DRY)
    began = time.monotonic()
    for rows in options.rows:
        if time.monotonic() - began > options.seconds:
            report.notes.append(f"{rows} rows: left out, the time was up")
            continue
        _size(report, backend, rows, options, speed)
    return report


def _size(
    report: Report, backend: str, rows: int, options: argparse.Namespace, speed: float | None
) -> None:
    dry = backend != "cuda"
    store = fused.build(rows, options.dim, "clustered", backend=backend)
    questions = data.queries_near(store.vectors, options.questions, SEED)
    few = questions[:4]
    checked = all(fused.exact(store, score, few, options.k, [1]) for score in fused.WEIGHTS)
    turn = cycle(questions)
    cases: dict[str, Callable[[], object]] = {
        backend: lambda: store.engine.recall(fused.request(next(turn), "fused", options.k, 1))
    }
    reasons: dict[str, str] = {}
    for name in RIVALS:
        if dry:
            reasons[name] = DRY
            continue
        try:
            cases[name] = rival(name, store.vectors, options.k, questions)
        except Exception as error:  # whatever keeps a rival away is what the row says
            reasons[name] = f"{type(error).__name__}: {error}"
    times = {} if dry else alternate(cases, options.rounds, warm_up=3)
    value, spread = times[backend].scaled(1e3) if times else (None, None)
    target = TARGETS_MS.get(rows)
    for name in RIVALS:
        there = name in times
        goal = {"value_max": target} if target is not None and name == RIVALS[0] else {}
        report.rows.append(
            Row(
                f"fused b=1 n={rows} d={options.dim}", "p50_ms", value, name,
                times[name].scaled(1e3)[0] if there else None,
                spread=spread, floor=rows * CODE_BYTES / speed * 1e3 if speed else None,
                checked=checked, target={} if dry else goal,
                reason=None if there else reasons.get(name, "not here"),
            )
        )  # fmt: skip
    _visible(report, backend, store, options)


def _visible(report: Report, backend: str, store: Store, options: argparse.Namespace) -> None:
    """How long it takes until the next query sees new rows, the append included."""
    count = len(store.vectors) // 10
    first = len(store.vectors)
    vectors = data.unit_vectors(count, options.dim, "clustered", SEED + 1)
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
        )
    )  # fmt: skip


def rival(name: str, vectors: Any, k: int, questions: Any) -> Callable[[], object]:
    """A plain cosine search of the whole matrix on the device, ids and scores brought home."""
    turn = cycle(questions)
    if name.startswith("torch"):
        torch: Any = importlib.import_module("torch")
        kind = torch.float16 if name.endswith("16") else torch.float32
        matrix = torch.from_numpy(vectors).to("cuda", kind)

        def by_torch() -> object:
            asked = torch.from_numpy(next(turn)).to("cuda", kind)
            scores, ids = torch.topk(matrix @ asked, k)
            return scores.cpu(), ids.cpu()

        return by_torch
    if name.startswith("cupy"):
        cupy: Any = importlib.import_module("cupy")
        held = cupy.asarray(vectors)

        def by_cupy() -> object:
            scores = held @ cupy.asarray(next(turn))
            best = cupy.argpartition(scores, len(scores) - k)[-k:]
            return cupy.asnumpy(best), cupy.asnumpy(scores[best])

        return by_cupy
    faiss: Any = importlib.import_module("faiss")
    index = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), vectors.shape[1])
    index.add(vectors)
    return lambda: index.search(next(turn)[None], k)


def device_name() -> str | None:
    """What torch or CuPy call device 0; None where neither sees one."""
    try:
        torch: Any = importlib.import_module("torch")
        if torch.cuda.is_available():
            return str(torch.cuda.get_device_name(0))
    except ImportError:
        pass
    try:
        cupy: Any = importlib.import_module("cupy")
        return str(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode())
    except Exception:  # CuPy raises its own errors where no driver is
        return None


def bandwidth() -> float | None:
    """Bytes per second that the device reads: the sum of 4 GiB, the best of seven."""
    try:
        torch: Any = importlib.import_module("torch")
        if not torch.cuda.is_available():
            return None
    except ImportError:
        return None
    values = torch.ones(1 << 30, device="cuda")

    def read() -> None:
        values.sum()
        torch.cuda.synchronize()

    read()
    return float(values.nbytes / min(clocked(read)[0] for _ in range(7)))
