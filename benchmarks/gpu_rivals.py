"""What the GPU benchmark compares with: torch, CuPy, FAISS, and what the device itself can do."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from typing import Any

import numpy as np

from remanence import _core

from .data import NOW
from .harness import clocked

RIVALS = ("torch fp16", "torch fp32", "cupy fp32", "faiss.GpuIndexFlatIP")


def rival(name: str, vectors: Any, k: int, batches: Any) -> Callable[[], object]:
    """A plain cosine search of the whole matrix on the device, ids and scores brought home.

    batches: [any number, b, d] on the host; each call asks the next one.
    """
    turn = cycle(batches)
    if name.startswith("torch"):
        torch: Any = importlib.import_module("torch")
        kind = torch.float16 if name.endswith("16") else torch.float32
        matrix = torch.empty(vectors.shape, dtype=kind, device="cuda")
        for start in range(0, len(vectors), 1 << 20):  # a whole copy in float32 may not fit
            matrix[start : start + (1 << 20)] = torch.from_numpy(vectors[start : start + (1 << 20)])

        def by_torch() -> object:
            asked = torch.from_numpy(next(turn)).to("cuda", kind)
            scores, ids = torch.topk(asked @ matrix.T, k)
            return scores.cpu(), ids.cpu()

        return by_torch
    if name.startswith("cupy"):
        cupy: Any = importlib.import_module("cupy")
        held = cupy.asarray(vectors)

        def by_cupy() -> object:
            scores = cupy.asarray(next(turn)) @ held.T
            best = cupy.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
            return cupy.asnumpy(best), cupy.asnumpy(cupy.take_along_axis(scores, best, 1))

        return by_cupy
    faiss: Any = importlib.import_module("faiss")
    index = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), vectors.shape[1])
    index.add(vectors)
    return lambda: index.search(next(turn), k)


def release() -> None:
    """Gives back what torch and CuPy keep for later: it is taken from whoever comes next."""
    gc.collect()
    for name, give_back in (
        ("torch", lambda torch: torch.cuda.empty_cache()),
        ("cupy", lambda cupy: cupy.get_default_memory_pool().free_all_blocks()),
    ):
        with suppress(Exception):  # where they are missing there is nothing to give back
            give_back(importlib.import_module(name))


def trace_rival(trace: Any, last_access: Any) -> Callable[[], object]:
    """PowerTrace in torch, in float32, from the same columns on the device."""
    torch: Any = importlib.import_module("torch")
    law = _core.decay.PowerTrace()
    rates = torch.from_numpy((-1 / law.TAUS_S).astype(np.float32)).cuda()
    weights = torch.from_numpy(law.weights.astype(np.float32)).cuda()

    def by_torch() -> object:
        age = (NOW - last_access).to(torch.float32) * 1e-9
        found = torch.log((trace * torch.exp(age[:, None] * rates)) @ weights)
        torch.cuda.synchronize()
        return found

    return by_torch


def _torch() -> Any:
    """The module torch; None where it is missing or sees no device."""
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


def device_name() -> str | None:
    """What torch or CuPy call device 0; None where neither sees one."""
    torch = _torch()
    if torch is not None:
        return str(torch.cuda.get_device_name(0))
    try:
        cupy: Any = importlib.import_module("cupy")
        return str(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode())
    except Exception:  # CuPy raises its own errors where no driver is
        return None


def bandwidth() -> float | None:
    """Bytes per second that the device reads: the sum of 4 GiB, the best of seven."""
    torch = _torch()
    if torch is None:
        return None
    values = torch.ones(1 << 30, device="cuda")

    def read() -> None:
        values.sum()
        torch.cuda.synchronize()

    read()
    return float(values.nbytes / min(clocked(read)[0] for _ in range(7)))


def byte_operations() -> float | None:
    """Multiplications and additions of bytes per second: torch's own product of 8192 x 8192."""
    torch = _torch()
    if torch is None:
        return None
    side = 8192
    a = torch.ones((side, side), dtype=torch.int8, device="cuda")

    def multiply() -> None:
        torch._int_mm(a, a.T)
        torch.cuda.synchronize()

    multiply()
    return 2 * side**3 / min(clocked(multiply)[0] for _ in range(7))
