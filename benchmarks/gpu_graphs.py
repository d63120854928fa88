"""gpu-graphs: walks of a large graph on a device beside the processor, CuPy and SciPy."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from remanence import _core

from . import gpu, graphs
from .graphs import Edges
from .harness import Report, Row, alternate

DAMPING, TOLERANCE = 0.85, 1e-6
TARGETS_MS = {"2hop 1024": 2.0, "PPR 64": 20.0}
"""What issue and design ask of RMAT 20, end to end, on an H200."""
TOGETHER = 16
"""Questions of a walk that share a pass."""

Calls = dict[str, Callable[[], Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--scale", type=int, default=20, help="of the RMAT graph")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120.0, help="start no case after this")
    parser.add_argument("--backend", help='default: "cuda", else the emulator as a dry run')


def run(options: argparse.Namespace) -> Report:
    """Every case: the answers of both sides compared bit for bit, then the times in turn."""
    backend = gpu.backend_of(options)
    dry = backend != "cuda"
    if options.quick or dry:
        options.scale, options.rounds = 7, 2
    report = Report("gpu-graphs", {name: getattr(options, name) for name in ("scale", "rounds")})
    report.extra |= {"backend": backend, "device": gpu.device_name()}
    report.extra["why_no_cuda"] = _core.why_unavailable("cuda")
    if backend is None:
        report.notes.append(f"nothing to measure: {_core.why_unavailable('cuda')}")
        return report
    speed = None if dry else gpu.bandwidth()
    report.extra["bytes_per_s"] = speed
    if dry:
        report.notes.append(gpu.DRY)
    began = time.monotonic()
    edges = graphs.rmat(options.scale)
    graph = graphs.native(edges)
    graph.merge()
    seeds = edges.seeds
    rivals = {"cupy": _cupy_calls, "scipy": _scipy_calls}
    held: dict[str, Calls] = {}
    for name, make in rivals.items():
        try:
            held[name] = make(edges, seeds)
        except Exception as error:  # whatever keeps a rival away is what the row says
            report.notes.append(f"no {name}: {type(error).__name__}: {error}")
    with gpu.broken_off(report):
        for case, ask in _cases(graph, seeds).items():
            if time.monotonic() - began > options.seconds:
                report.notes.append(f"{case}: left out, the time was up")
                continue
            checked = _same(ask(backend), ask("cpu"))
            calls: Calls = {backend: lambda a=ask: a(backend), "cpu": lambda a=ask: a("cpu")}
            calls |= {name: own[case] for name, own in held.items() if case in own}
            times = {} if dry else alternate(calls, options.rounds, warm_up=1)
            read = _bytes_read(case, graph, edges, seeds)
            _add(report, f"{case} {edges.name}", case, times, calls, backend, checked,
                 read / speed * 1e3 if speed and read is not None else None)  # fmt: skip
    return report


def _add(
    report: Report, name: str, case: str, times: dict[str, Any], calls: Calls, backend: str,
    checked: bool, floor: float | None,
) -> None:  # fmt: skip
    value, spread = times[backend].scaled(1e3) if times else (None, None)
    goal = {"value_max": TARGETS_MS[case]} if times and case in TARGETS_MS else {}
    for rival in [call for call in calls if call != backend]:
        theirs = times[rival].scaled(1e3)[0] if rival in times else None
        why = gpu.DRY if not times else None
        report.rows.append(
            Row(name, "p50_ms", value, rival, theirs, spread=spread, floor=floor, checked=checked,
                target=goal, reason=why if theirs is None else None)
        )  # fmt: skip
        goal = {}


def _cases(g: Any, seeds: Any) -> dict[str, Callable[[str], Any]]:
    many, some, one = seeds[:1024], seeds[:64], seeds[:1]
    far = int(seeds[-1])
    return {
        "2hop 1024": lambda b: g.khop_batch(many, 2, backend=b),
        "PPR 64": lambda b: g.propagate_batch(
            some, damping=DAMPING, tolerance=TOLERANCE, backend=b
        ),
        "bfs": lambda b: g.bfs(one, backend=b),
        "components": lambda b: g.components(backend=b),
        "push 1024": lambda b: g.push_batch(many, damping=DAMPING, residual=1e-4, backend=b),
        "sssp": lambda b: g.shortest_paths(one, backend=b),
        "path": lambda b: g.path(int(one[0]), far, backend=b),
        "labels": lambda b: g.communities("labels", backend=b)[0],
    }


def _same(got: Any, want: Any) -> bool:
    parts = zip(*(x if isinstance(x, tuple) else (x,) for x in (got, want)), strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in parts)


def _bytes_read(case: str, g: Any, edges: Edges, seeds: Any) -> float | None:
    """What the device must read at least once: ends of arcs, and for walks also weights; None
    where SciPy is missing, which counts the rounds of a walk."""
    arcs, nodes = 2 * len(edges.source), edges.nodes
    if case == "2hop 1024":
        _, near, _ = g.khop_batch(seeds[:1024], 1)
        return float(4 * g.degree()[near].sum())
    if case == "PPR 64":
        if importlib.util.find_spec("scipy") is None:
            return None
        passes = 64 // TOGETHER * _rounds(edges, int(seeds[0]))
        return float(passes * (8 * arcs + TOGETHER * nodes * (8 + 8 + 4)))
    if case in ("sssp", "labels"):
        return float(8 * arcs)
    return float(4 * arcs) if case in ("bfs", "components") else 0.0


def _rounds(edges: Edges, seed: int) -> int:
    """Rounds of power iteration until the same bound."""
    matrix = graphs.matrix(edges).astype(np.float64)
    degree = np.asarray(matrix.sum(axis=1)).ravel()
    inverse = np.divide(1.0, degree, out=np.zeros_like(degree), where=degree > 0)
    mass = np.zeros(edges.nodes)
    mass[seed] = 1.0
    count, change = 0, np.inf
    while change * DAMPING > TOLERANCE * (1.0 - DAMPING):
        count += 1
        after = DAMPING * (matrix @ (mass * inverse))
        after[seed] += 1.0 - after.sum()
        change = np.abs(after - mass).sum()
        mass = after
    return count


def _scipy_calls(edges: Edges, seeds: Any) -> Calls:
    """On the host, with one thread: what a machine without the device would use."""
    from scipy.sparse import csgraph

    matrix, seed = graphs.matrix(edges), int(seeds[0])
    return {
        "bfs": lambda: csgraph.breadth_first_order(matrix, seed, return_predecessors=False),
        "components": lambda: csgraph.connected_components(matrix, directed=False),
        "sssp": lambda: csgraph.dijkstra(matrix, indices=seed),
    }


def _cupy_calls(edges: Edges, seeds: Any) -> Calls:
    """As one writes them with CuPy's sparse matrices."""
    cupy: Any = importlib.import_module("cupy")
    sparse: Any = importlib.import_module("cupyx.scipy.sparse")
    matrix = sparse.csr_matrix(graphs.matrix(edges))
    ones = sparse.csr_matrix((cupy.ones_like(matrix.data), matrix.indices, matrix.indptr),
                             shape=matrix.shape)  # fmt: skip
    degree = matrix.sum(axis=1).ravel().astype(cupy.float64)
    inverse = cupy.where(degree > 0, 1.0 / cupy.maximum(degree, 1e-300), 0.0)
    wide = matrix.astype(cupy.float64)

    def rows_of(chosen: Any) -> Any:
        count = len(chosen)
        data = (cupy.ones(count, cupy.float32), (cupy.arange(count), cupy.asarray(chosen)))
        return sparse.csr_matrix(data, shape=(count, edges.nodes))

    def two_hops() -> Any:
        near = rows_of(seeds[:1024])
        near = near + near @ ones
        found = near + near @ ones
        return cupy.asnumpy(found.indptr), cupy.asnumpy(found.indices)

    def walk() -> Any:
        start = cupy.asarray(seeds[:64])
        mass = cupy.zeros((edges.nodes, 64))
        mass[start, cupy.arange(64)] = 1.0
        change = cupy.inf
        while change * DAMPING > TOLERANCE * (1.0 - DAMPING):
            after = DAMPING * (wide @ (mass * inverse[:, None]))
            after[start, cupy.arange(64)] += 1.0 - after.sum(axis=0)
            change = float(cupy.abs(after - mass).sum(axis=0).max())
            mass = after
        return cupy.asnumpy(mass)

    def bfs() -> Any:
        hop = cupy.full(edges.nodes, -1, cupy.int32)
        level = cupy.zeros(edges.nodes, cupy.float32)
        level[int(seeds[0])] = 1
        for count in range(edges.nodes):
            hop[(level > 0) & (hop < 0)] = count
            reached = ones @ level
            level = ((reached > 0) & (hop < 0)).astype(cupy.float32)
            if not bool(level.any()):
                break
        return cupy.asnumpy(hop)

    return {"2hop 1024": two_hops, "PPR 64": walk, "bfs": bfs}
