"""traverse: build, BFS, two hops, shortest paths and components beside the graph libraries."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from remanence import _core

from . import graphs
from .graphs import Edges
from .harness import Report, Row, Timing, alternate, timing

Calls = dict[str, Callable[[], Any] | None]
Asks = dict[str, Callable[[Any], Any] | None]
RIVALS = ("scipy", "igraph", "networkit", "graphblas", "rustworkx", "networkx")
SLOW = ("rustworkx", "networkx")
TARGETS = {"build": 1.0, "bfs": 5.0, "2hop 64": 5.0, "2hop 1": 8.0, "sssp": 1.7, "components": 5.0}
WITH_FILTER = 1.5
SMALL = 1 << 20
"""Edges below which the libraries answer STRETCH questions in a row each."""
STRETCH = 20
OFF = "filters off"
KEPT = "a graph of what passes"
WARM_UP = 4
"""Calls before a filter's time counts: one that is asked again is then known."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    graphs.add_graph_options(parser, ["18", "cagrqc", "wikivote"])


def run(options: argparse.Namespace) -> Report:
    """Every case on every graph, the rivals in turn with us, the answers compared with SciPy's."""
    if options.quick:
        options.graphs, options.rounds = ["12", "cagrqc"], 3
    _core.set_threads(options.threads)
    try:
        names = ("graphs", "threads", "rounds")
        report = Report("traverse", {name: getattr(options, name) for name in names})
        report.notes.append("every rival's graph is undirected and weighted; times include Python")
        report.notes.append("small graphs: each library in turn asks 20 questions in a row")
        report.notes.append("2hop: 50 seeds in a row; batches 3, of small graphs 20")
        for edges in graphs.options_graphs(options.graphs):
            _one_graph(report, edges, options)
    finally:
        _core.set_threads(0)
    return report


def _one_graph(report: Report, edges: Edges, options: argparse.Namespace) -> None:
    held: dict[str, Any] = {"remanence": graphs.native(edges), "scipy": graphs.matrix(edges)}
    makers = {name: getattr(graphs, name) for name in RIVALS if hasattr(graphs, name)}
    for name, make in makers.items():
        held[name] = make(edges) if options.slow or name not in SLOW else None
    _add(report, edges, "build", _builders(edges), options, True, 1e3, "ms")
    seed = int(edges.seeds[0])
    many = edges.seeds[:64]
    right = _check(held, seed, many)
    for case, asks in _cases(held).items():
        times = _asked(edges, held["remanence"], seed, asks, options)
        _rows(report, edges, case, times, asks, right[case], 1e3, "ms")
    _two_hops(report, edges, held, right["2hop 64"])
    _filters(report, edges, held["remanence"], seed, many, options)


def _builders(edges: Edges) -> Calls:
    return {
        "remanence": lambda: graphs.native(edges),
        "scipy": lambda: graphs.matrix(edges),
    }


def _asked(
    edges: Edges, g: Any, seed: int, asks: Asks, options: argparse.Namespace
) -> dict[str, Timing]:
    """One seed, the libraries in turn; of a small graph many seeds of its largest component in
    stretches, as a call takes less than what others leave in the caches costs.
    """
    if len(edges.source) >= SMALL:
        calls = {name: partial(ask, seed) for name, ask in asks.items() if ask is not None}
        return alternate(calls, options.rounds)
    label = g.components()[edges.seeds]
    seeds = edges.seeds[label == np.bincount(label).argmax()].tolist()
    return _in_turns(asks, seeds[: 2 * STRETCH * options.rounds], STRETCH)


def _cases(held: dict[str, Any]) -> dict[str, Asks]:
    from scipy.sparse import csgraph

    g, m = held["remanence"], held["scipy"]
    ig, nk, rx, nx = (held.get(name) for name in ("igraph", "networkit", "rustworkx", "networkx"))
    kit = graphs.installed("networkit")
    rust = graphs.installed("rustworkx")
    netx = graphs.installed("networkx")
    return {
        "bfs": {
            "remanence": lambda seed: g.bfs(seed),
            "scipy": lambda seed: csgraph.breadth_first_order(m, seed, return_predecessors=False),
            "igraph": ig and (lambda seed: ig.bfs(seed)),
            "graphblas": None
            if held["graphblas"] is None
            else (lambda seed: _graphblas_bfs(held["graphblas"], seed)),
            "networkit": nk and (lambda seed: kit.distance.BFS(nk, seed, storePaths=False).run()),
            "rustworkx": rx and (lambda seed: rust.descendants(rx.to_directed(), seed)),
            "networkx": nx and (lambda seed: netx.single_source_shortest_path_length(nx, seed)),
        },
        "sssp": {
            "remanence": lambda seed: g.shortest_paths(seed),
            "scipy": lambda seed: csgraph.dijkstra(m, indices=seed),
            "igraph": ig and (lambda seed: ig.distances(seed, weights="weight")),
            "networkit": nk
            and (lambda seed: kit.distance.Dijkstra(nk, seed, storePaths=False).run()),
            "rustworkx": rx
            and (lambda seed: rust.dijkstra_shortest_path_lengths(rx, seed, edge_cost_fn=float)),
            "networkx": nx and (lambda seed: netx.single_source_dijkstra_path_length(nx, seed)),
        },
        "components": {
            "remanence": lambda _: g.components(),
            "scipy": lambda _: csgraph.connected_components(m, directed=False),
            "igraph": ig and (lambda _: ig.connected_components().membership),
            "networkit": nk and (lambda _: kit.components.ParallelConnectedComponents(nk).run()),
            "rustworkx": rx and (lambda _: rust.connected_components(rx)),
            "networkx": nx and (lambda _: list(netx.connected_components(nx))),
        },
    }


def _graphblas_bfs(m: Any, seed: int) -> Any:
    """Hops of every node reached: a product with the frontier, masked by what was found."""
    gb = graphs.installed("graphblas")
    hop = gb.Vector(int, m.nrows)
    front = gb.Vector.from_coo([seed], [True], size=m.nrows)
    for level in range(m.nrows):
        hop(front.S) << level
        front(~hop.S, replace=True) << gb.semiring.any_pair(front @ m)
        if front.nvals == 0:
            return hop
    return hop


def _graphblas_two_hops(m: Any, seeds: Any) -> Any:
    """Which nodes lie within two hops of each seed, one row per seed."""
    gb = graphs.installed("graphblas")
    near = gb.Matrix.from_coo(
        np.arange(len(seeds)), seeds, np.True_, nrows=len(seeds), ncols=m.ncols
    )
    for _ in range(2):
        near(gb.binary.lor) << gb.semiring.any_pair(near @ m)
    return near


def _scipy_two_hops(m: Any, seed: int) -> Any:
    near = m.indices[m.indptr[seed] : m.indptr[seed + 1]]
    rows = [m.indices[m.indptr[v] : m.indptr[v + 1]] for v in near]
    return np.unique(np.concatenate([[seed], near, *rows]))


def _check(held: dict[str, Any], seed: int, many: Any) -> dict[str, bool]:
    from scipy.sparse import csgraph

    g, m = held["remanence"], held["scipy"]
    hops = csgraph.shortest_path(m, unweighted=True, indices=seed)
    count, label = csgraph.connected_components(m, directed=False)
    ours = g.components()
    indptr, node, _ = g.khop_batch(many, 2)
    return {
        "bfs": np.array_equal(np.where(np.isinf(hops), -1, hops), g.bfs(np.array([seed]))),
        "2hop 64": all(
            np.array_equal(np.sort(node[indptr[i] : indptr[i + 1]]), _scipy_two_hops(m, s))
            for i, s in enumerate(many)
        ),
        "sssp": np.array_equal(
            csgraph.dijkstra(m, indices=seed), g.shortest_paths(np.array([seed]))
        ),
        "components": count == len(np.unique(ours))
        and len(np.unique(np.stack([label, ours]), axis=1).T) == count,
    }


def _two_hops(report: Report, edges: Edges, held: dict[str, Any], checked: bool) -> None:
    """Two hops, many questions in a row as an agent asks them, everyone the same."""
    g, m, ig, gb = (held.get(name) for name in ("remanence", "scipy", "igraph", "graphblas"))
    of_many: Asks = {
        "remanence": lambda seeds: g.khop_batch(seeds, 2),
        "scipy": lambda seeds: [_scipy_two_hops(m, seed) for seed in seeds],
        "igraph": ig and (lambda seeds: ig.neighborhood(seeds.tolist(), order=2)),
        "graphblas": (lambda seeds: _graphblas_two_hops(gb, seeds)) if gb is not None else None,
    }
    stretch = STRETCH if len(edges.source) < SMALL else 3
    ends = range(64, min(len(edges.seeds), 4 * stretch * 64) + 1, 64)
    many = [edges.seeds[end - 64 : end] for end in ends]
    times = _in_turns(of_many, many, stretch)
    _rows(report, edges, "2hop 64", times, of_many, checked, 1e3, "ms")
    of_one: Asks = {
        "remanence": lambda seed: g.khop(seed, 2),
        "scipy": lambda seed: _scipy_two_hops(m, seed),
        "igraph": ig and (lambda seed: ig.neighborhood(seed, order=2)),
    }
    seeds = edges.seeds[:400].tolist()
    _rows(report, edges, "2hop 1", _in_turns(of_one, seeds, 50), of_one, checked, 1e6, "us")
    report.rows.append(
        Row(f"2hop 1 {edges.name}", "p50_us", report.rows[-1].value, checked=checked,
            target={"value_max": 30.0})
    )  # fmt: skip


def _in_turns(asks: Asks, questions: list[Any], stretch: int) -> dict[str, Timing]:
    """Each asks `stretch` questions in a row and is timed by question; the order turns."""
    there = {name: ask for name, ask in asks.items() if ask is not None}
    found: dict[str, list[float]] = {name: [] for name in there}
    for turn, at in enumerate(range(0, len(questions), stretch)):
        for name in list(there) if turn % 2 == 0 else list(there)[::-1]:
            for question in questions[at : at + stretch]:
                start = time.perf_counter()
                there[name](question)
                found[name].append(time.perf_counter() - start)
    return {name: timing(seconds) for name, seconds in found.items()}


def _filters(
    report: Report, edges: Edges, g: Any, seed: int, many: Any, options: argparse.Namespace
) -> None:
    """Every filter on, against the same question without one. One that bites also against a graph
    of what passes; a new one has to find that first, so that there is no target beside it.
    """
    count = len(edges.source)
    typed = _core.Graph(edges.nodes)
    rng = np.random.default_rng(graphs.SEED)
    kinds = rng.integers(1, 9, count).astype(np.uint16)
    start = rng.integers(0, 1000, count)
    typed.append(edges.source, edges.target, kinds, edges.weight, start, start + 10_000)
    all_pass = {"types": np.arange(1, 9, dtype=np.uint16), "valid_at": 2000, "min_weight": 1e-9}
    keep = (kinds < 8) & (start <= 900) & (edges.weight >= np.float32(0.05))
    kept = (edges.source[keep], edges.target[keep], edges.weight[keep])
    of_kept = graphs.native(Edges(edges.name, edges.nodes, *kept))
    some = {"types": np.arange(1, 8, dtype=np.uint16), "valid_at": 900, "min_weight": 0.05}
    verbs = {
        "bfs": lambda graph, **f: graph.bfs(seed, **f),
        "2hop 64": lambda graph, **f: graph.khop_batch(many, 2, **f),
        "sssp": lambda graph, **f: graph.shortest_paths(seed, **f),
        "components": lambda graph, **f: graph.components(**f),
    }
    # The same filter under other names: each also lets a type pass that no edge has.
    asked = len(verbs) * (2 * STRETCH * options.rounds + 1)
    names = np.arange(100, 100 + asked, dtype=np.uint16)
    fresh = iter([some | {"types": np.append(some["types"], name)} for name in names])

    least = 1 / WITH_FILTER
    cases: tuple[tuple[str, Any, Callable[[], dict[str, Any]], dict[str, float | None]], ...] = (
        ("filters on", g, lambda: all_pass, {OFF: least}),
        ("filters that bite", of_kept, lambda: some, {OFF: least, KEPT: least}),
        ("filters that bite and are new", of_kept, fresh.__next__, {OFF: least, KEPT: None}),
    )
    for case, same_as, which, rivals in cases:
        for name, verb in verbs.items():
            calls: Asks = {
                "on": lambda _, v=verb, w=which: v(typed, **w()),
                OFF: lambda _, v=verb: v(typed),
            }
            if KEPT in rivals:
                calls[KEPT] = lambda _, v=verb: v(of_kept)
            same = _equal(verb(typed, **which()), verb(same_as))
            times = _filter_times(edges, calls, options)
            value, spread = times["on"].scaled(1e3)
            for rival, target in rivals.items():
                report.rows.append(
                    Row(f"{name}, {case} {edges.name}", "p50_ms", value, rival,
                        times[rival].scaled(1e3)[0], spread, checked=same,
                        target={} if target is None else {"ratio_min": target})
                )  # fmt: skip


def _filter_times(edges: Edges, calls: Asks, options: argparse.Namespace) -> dict[str, Timing]:
    """One question in turn, or of a small graph in stretches, as without a filter."""
    if len(edges.source) < SMALL:
        return _in_turns(calls, [None] * (2 * STRETCH * options.rounds), STRETCH)
    once: Calls = {name: partial(call, None) for name, call in calls.items() if call is not None}
    return alternate(once, options.rounds, warm_up=WARM_UP)


def _equal(a: Any, b: Any) -> bool:
    """The same answer, be it an array or several."""
    pairs = zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]
    return all(np.array_equal(x, y) for x, y in pairs)


def _add(
    report: Report,
    edges: Edges,
    case: str,
    calls: Calls,
    options: argparse.Namespace,
    checked: bool,
    scale: float,
    unit: str,
) -> None:
    there = {name: call for name, call in calls.items() if call is not None}
    times = alternate(there, options.rounds)
    _rows(report, edges, case, times, calls, checked, scale, unit)


def _rows(
    report: Report,
    edges: Edges,
    case: str,
    times: dict[str, Timing],
    asked: Calls | Asks,
    checked: bool,
    scale: float,
    unit: str,
) -> None:
    value, spread = times["remanence"].scaled(scale)
    for rival in (name for name in asked if name != "remanence"):
        found = times.get(rival)
        report.rows.append(
            Row(
                f"{case} {edges.name}",
                f"p50_{unit}",
                value,
                rival,
                found and found.median * scale,
                spread,
                checked=checked,
                target={"ratio_min": TARGETS[case]},
                reason=None if found else "not installed, or slow: --slow",
            )
        )
