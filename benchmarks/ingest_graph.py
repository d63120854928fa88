"""ingest-graph: edges written in batches, one by one and through the log, and readers meanwhile."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import remanence
from remanence import _core

from . import graphs
from .graphs import F32, I64, Edges
from .harness import Report, Row, timing

RIVAL = "networkit addEdge"
TARGETS = {"batched": 2e6, "one by one": 3e5, "durable": 1e5}
RATE = 100_000
READER_FACTOR = 2.0
BATCH = 20_000
Options = argparse.Namespace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--scale", type=int, default=18, help="scale of the RMAT graph")
    parser.add_argument("--singles", type=int, default=200_000, help="edges written one by one")
    parser.add_argument("--edges", type=int, default=300_000, help="edges written durably")
    parser.add_argument("--seconds", type=float, default=5.0, help="of reading beside the writer")
    parser.add_argument("--rounds", type=int, default=3)


def run(options: argparse.Namespace) -> Report:
    """Each way of writing, and a reader's p95 alone and beside a writer of 100,000 edges/s."""
    if options.quick:
        options.scale, options.singles, options.edges = 14, 20_000, 20_000
        options.seconds, options.rounds = 1.0, 2
    names = ("scale", "singles", "edges", "seconds", "rounds")
    report = Report("ingest-graph", {name: getattr(options, name) for name in names})
    edges = graphs.rmat(options.scale)
    rng = np.random.default_rng(graphs.SEED)
    order = rng.permutation(len(edges.source))
    source, target = edges.source[order], edges.target[order]
    weight = edges.weight[order]
    _batched(report, edges, source, target, weight, options)
    _one_by_one(report, edges, source, target, options)
    _durable(report, options)
    _reader(report, edges, source, target, options)
    return report


def _rate(report: Report, case: str, sizes: int, seconds: list[float], checked: bool) -> None:
    found = timing(seconds)
    report.rows.append(
        Row(case, "per_second", sizes / found.median,
            spread=[sizes / found.high, sizes / found.low], checked=checked,
            target={"value_min": TARGETS[case]}, better="higher")
    )  # fmt: skip


def _batched(
    report: Report, edges: Edges, source: I64, target: I64, weight: F32, options: Options
) -> None:
    """Half of the graph stands, the other half comes in batches and is merged, all of it."""
    half, seconds, right = len(source) // 2, [], True
    for _ in range(options.rounds):
        graph = _core.Graph(edges.nodes)
        graph.append(source[:half], target[:half], weight=weight[:half])
        start = time.perf_counter()
        for at in range(half, len(source), BATCH):
            part = slice(at, at + BATCH)
            graph.append(source[part], target[part], weight=weight[part])
        graph.merge()
        seconds.append(time.perf_counter() - start)
        right &= np.array_equal(graph.components(), graphs.native(edges).components())
    _rate(report, "batched", len(source) - half, seconds, right)


def _one_by_one(report: Report, edges: Edges, source: I64, target: I64, options: Options) -> None:
    count = min(options.singles, len(source) // 2)
    pairs = list(zip(source[-count:].tolist(), target[-count:].tolist(), strict=True))
    seconds, theirs, right = [], [], True
    kit = graphs.installed("networkit")
    for _ in range(options.rounds):
        graph = _core.Graph(edges.nodes)
        graph.append(source[:-count], target[:-count])
        add = graph.add
        start = time.perf_counter()
        for a, b in pairs:
            add(a, b)
        seconds.append(time.perf_counter() - start)
        columns = graph.edge_columns(np.arange(graph.edges))
        right &= np.array_equal(columns["source"], source)
        if kit is not None:
            rival = kit.Graph(edges.nodes)
            start = time.perf_counter()
            for a, b in pairs:
                rival.addEdge(a, b)
            theirs.append(time.perf_counter() - start)
    _rate(report, "one by one", count, seconds, right)
    row = report.rows[-1]
    row.rival, row.reason = RIVAL, None if theirs else "not installed"
    row.rival_value = count / timing(theirs).median if theirs else None


def _durable(report: Report, options: argparse.Namespace) -> None:
    """Links of a store, on disk when the call returns."""
    rows, seconds, right = 20_000, [], True
    rng = np.random.default_rng(graphs.SEED)
    source = rng.integers(1, rows + 1, options.edges)
    target = (source - 1 + rng.integers(1, rows, options.edges)) % rows + 1
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ingest.rem"
            with remanence.open(path, embedder=None, snapshot=False) as memory:
                memory.add_many([{"text": f"row {i}", "kind": "document"} for i in range(rows)])
                start = time.perf_counter()
                memory.link_many({"source": source, "target": target})
                seconds.append(time.perf_counter() - start)
            with remanence.open(path, embedder=None, snapshot=False, read_only=True) as memory:
                right &= memory.stats().edges == options.edges
    _rate(report, "durable", options.edges, seconds, right)


def _latencies(graph: Any, seeds: I64, until: float) -> list[float]:
    found, at = [], 0
    while time.perf_counter() < until:
        seed = seeds[at % len(seeds) : at % len(seeds) + 1]
        at += 1
        start = time.perf_counter()
        graph.khop(seed, 2)
        found.append(time.perf_counter() - start)
    return found


def _reader(report: Report, edges: Edges, source: I64, target: I64, options: Options) -> None:
    """Two hops from one seed after another; the writer sends a batch every hundredth second."""
    coming = min(int(RATE * options.seconds * 1.2), len(source) // 2)
    graph = _core.Graph(edges.nodes)
    graph.append(source[:-coming], target[:-coming])
    seeds = edges.seeds[:400]
    _latencies(graph, seeds, time.perf_counter() + 0.2)
    idle = _latencies(graph, seeds, time.perf_counter() + options.seconds)
    written, stop = [0], threading.Event()

    def write() -> None:
        step, begin = RATE // 100, time.perf_counter()
        while not stop.is_set() and written[0] < coming:
            at = len(source) - coming + written[0]
            graph.append(source[at : at + step], target[at : at + step])
            written[0] += step
            time.sleep(max(0.0, begin + written[0] / RATE - time.perf_counter()))

    writer = threading.Thread(target=write)
    writer.start()
    begin = time.perf_counter()
    busy = _latencies(graph, seeds, begin + options.seconds)
    reached = written[0] / (time.perf_counter() - begin)
    stop.set()
    writer.join()
    p95 = [float(np.quantile(found, 0.95)) * 1e6 for found in (busy, idle)]
    report.rows.append(
        Row(f"reader beside {RATE} edges/s", "p95_us", p95[0], "idle", p95[1],
            checked=reached >= 0.95 * RATE, target={"ratio_min": 1 / READER_FACTOR},
            extra={"edges_per_second": reached, "queries": len(busy)})
    )  # fmt: skip
