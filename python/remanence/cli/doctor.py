"""`remanence doctor`: what works on this machine, and why the rest does not."""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sqlite3
from pathlib import Path

import numpy as np

from .. import __version__, available_backends, available_simd, simd, why_unavailable
from ..models import load
from .show import Output

BACKENDS = ("cpu", "cuda")


def cmake_dir() -> Path | None:
    """Folder of remanenceConfig.cmake; None where the package was built without it."""
    spec = importlib.util.find_spec("remanence._core")
    if spec is None or spec.origin is None:
        return None
    return next(Path(spec.origin).parent.glob("lib*/cmake/remanence"), None)


def doctor(_options: argparse.Namespace, output: Output) -> int:
    """0 if a store can be used with the default embedder, else 1."""
    output.heading("Versions")
    versions = {
        "remanence": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "sqlite": sqlite3.sqlite_version,
        "machine": f"{platform.system()} {platform.machine()}",
    }
    output.table(["part", "version"], list(versions.items()))
    output.heading("Backends")
    ready = set(available_backends())
    names = [*BACKENDS, *sorted(ready.difference(BACKENDS))]
    output.table(
        ["backend", "state"],
        [[name, "ready" if name in ready else _reason(name)] for name in names],
    )
    others = [name for name in available_simd() if name != simd()]
    output.line(f"SIMD: {simd()} in use; also here: {', '.join(others) or 'none'}")
    output.line(f"C++: find_package(remanence) in {cmake_dir() or 'no folder: not installed'}")
    output.heading("Default embedder")
    fault = _embedder_fault(output)
    if fault:
        output.line(f"not usable: {fault}", style="red")
    return 1 if fault or "cpu" not in ready else 0


def _reason(name: str) -> str:
    reason: str = why_unavailable(name)
    return reason.removeprefix(f"{name}: ")


def _embedder_fault(output: Output) -> str | None:
    """Embed two sentences; None if they come out as unit vectors that differ."""
    try:
        embedder = load("default")
        assert embedder is not None
        rows = embedder.embed(["the cat sleeps", "a bridge of larch"])
    except Exception as error:  # whatever a model raises is the finding
        return f"{type(error).__name__}: {error}"
    lengths = np.linalg.norm(rows, axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-3) or np.allclose(rows[0], rows[1]):
        return f"odd vectors (lengths {lengths})"
    output.line(f"{embedder.id}, {embedder.dim} dimensions: works")
    return None
