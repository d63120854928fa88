"""propagate: personalised PageRank, exact and local, and communities beside the libraries."""

from __future__ import annotations

import argparse
import time
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remanence import _core

from . import graphs
from .graphs import Edges
from .harness import Report, Row, Timing, alternate, timing

F64 = NDArray[np.float64]
DAMPING = 0.85
TOLERANCE = 1e-6
TOP = 20
BATCH = 16
LEIDEN_SEEDS = 5
LOCAL = 48
"""Seeds whose nearest nodes are compared with the exact ones."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    graphs.add_graph_options(parser, ["18", "cagrqc", "wikivote"])


def run(options: argparse.Namespace) -> Report:
    """Every case on every graph; L1 errors are measured against a walk to 1e-11."""
    if options.quick:
        options.graphs, options.rounds = ["12", "cagrqc"], 3
    _core.set_threads(options.threads)
    try:
        names = ("graphs", "threads", "rounds")
        report = Report("propagate", {name: getattr(options, name) for name in names})
        report.notes.append(
            f"damping {DAMPING}, undirected, weighted; both stop at an L1 error of {TOLERANCE:g}"
        )
        for edges in graphs.options_graphs(options.graphs):
            _one_graph(report, edges, options)
    finally:
        _core.set_threads(0)
    return report


class SciPyWalk:
    """Power iteration as one writes it with SciPy, stopped by the same bound."""

    def __init__(self, edges: Edges) -> None:
        self.matrix = graphs.matrix(edges).astype(np.float64)
        degree = np.asarray(self.matrix.sum(axis=1)).ravel()
        self.inverse = np.divide(1.0, degree, out=np.zeros_like(degree), where=degree > 0)

    def __call__(self, seed: int) -> F64:
        mass = np.zeros(len(self.inverse))
        mass[seed] = 1.0
        while True:
            after = DAMPING * (self.matrix @ (mass * self.inverse))
            after[seed] += 1.0 - after.sum()
            change = np.abs(after - mass).sum()
            mass = after
            if change * DAMPING <= TOLERANCE * (1.0 - DAMPING):
                return mass


def _one_graph(report: Report, edges: Edges, options: argparse.Namespace) -> None:
    g, walk, seeds = graphs.native(edges), SciPyWalk(edges), edges.seeds
    one, many = seeds[:1], seeds[:BATCH]
    asked = {"damping": DAMPING, "tolerance": TOLERANCE}
    exact = g.propagate_batch(many, damping=DAMPING, tolerance=1e-11)
    error = np.abs(g.propagate(one, **asked) - exact[0]).sum()
    batch_error = np.abs(g.propagate_batch(many, **asked) - exact).sum(axis=1).max()
    rival_error = np.abs(walk(int(one[0])) - exact[0]).sum()
    times = alternate(
        {
            "one": lambda: g.propagate(one, **asked),
            "scipy": lambda: walk(int(one[0])),
            "many": lambda: g.propagate_batch(many, **asked),
        },
        options.rounds,
    )
    right = rival_error <= TOLERANCE
    rows = (
        ("PPR 1 seed", times["one"], 1, error, 1.0),
        (f"PPR {BATCH} seeds, per query", times["many"], BATCH, batch_error, 5.0),
    )
    for case, found, queries, l1, target in rows:
        value, spread = found.scaled(1e3 / queries)
        report.rows.append(
            Row(f"{case} {edges.name}", "p50_ms", value, "scipy", times["scipy"].scaled(1e3)[0],
                spread, checked=bool(l1 <= TOLERANCE and right), target={"ratio_min": target},
                extra={"l1": float(l1)})
        )  # fmt: skip
    _local(report, edges, g)
    _communities(report, edges, g, options)


def _local(report: Report, edges: Edges, g: Any) -> None:
    """The nearest of each seed: time of one call, and how many of the exact twenty it names."""
    seeds = edges.seeds[:LOCAL]
    for damping, residual in ((0.5, 3e-5), (DAMPING, 1.5e-5)):
        found_by_seed, seconds = [], []
        # One question after another, as an agent asks them: nothing else fills the cache between.
        for seed in seeds:
            start = time.perf_counter()
            node, _, _ = g.push(np.array([seed]), damping=damping, residual=residual, top=TOP)
            seconds.append(time.perf_counter() - start)
            found_by_seed.append(node)
        # Errors far below the masses that are ranked.
        masses = g.propagate_batch(seeds, damping=damping, tolerance=1e-7)
        recall = []
        for node, exact in zip(found_by_seed, masses, strict=True):
            best = np.lexsort((np.arange(len(exact)), -exact))[:TOP]
            best = best[exact[best] > 0]
            recall.append(np.isin(best, node).mean())
        found, case = timing(seconds), f"push damping {damping} residual {residual:g} {edges.name}"
        value, spread = found.scaled(1e3)
        report.rows.append(
            Row(case, "p50_ms", value, spread=spread, checked=True, target={"value_max": 0.5})
        )
        report.rows.append(
            Row(case, f"recall_at_{TOP}", float(np.mean(recall)), checked=True, better="higher",
                target={"value_min": 0.95})
        )  # fmt: skip


def _communities(report: Report, edges: Edges, g: Any, options: argparse.Namespace) -> None:
    found_by_seed = [g.communities(seed=seed) for seed in range(LEIDEN_SEEDS)]
    quality = float(np.mean([value for _, value in found_by_seed]))
    right = all(abs(g.modularity(label) - value) < 1e-12 for label, value in found_by_seed)
    right &= np.array_equal(found_by_seed[0][0], g.communities(seed=0)[0])
    report.notes.append(f"leiden {edges.name}: mean modularity of {LEIDEN_SEEDS} seeds")
    # igraph takes seconds on a large graph, and no target speaks of it.
    rivals = (("networkit", 2.0, options.rounds), ("igraph", 1.0, 1))
    for rival, target, rounds in rivals:
        held = getattr(graphs, rival)(edges)
        ours, theirs, value = None, None, None
        if held is not None:
            solve = {"networkit": _networkit_leiden, "igraph": _igraph_leiden}[rival]
            found: list[Any] = []
            turn = cycle(range(LEIDEN_SEEDS))
            times = alternate(
                {"remanence": lambda t=turn: g.communities(seed=next(t)),
                 rival: lambda h=held, f=found, s=solve: f.append(s(h))}, rounds, warm_up=0,
            )  # fmt: skip
            ours, theirs = times["remanence"], times[rival]
            value = max(g.modularity(_least_nodes(member)) for member in found)
        _leiden_row(report, edges, rival, ours, theirs, quality, value, right, target)


def _leiden_row(
    report: Report,
    edges: Edges,
    rival: str,
    ours: Timing | None,
    theirs: Timing | None,
    quality: float,
    rival_quality: float | None,
    checked: bool,
    target: float,
) -> None:
    reason = None if theirs else "not installed"
    report.rows.append(
        Row(f"leiden {edges.name}", "p50_ms", ours and ours.median * 1e3, rival,
            theirs and theirs.median * 1e3, checked=checked, target={"ratio_min": target},
            reason=reason)
    )  # fmt: skip
    report.rows.append(
        Row(f"leiden {edges.name}", "modularity", quality, rival, rival_quality, checked=checked,
            better="higher", target={"ratio_min": 1.0}, reason=reason)
    )  # fmt: skip


def _networkit_leiden(held: Any) -> Any:
    kit = graphs.installed("networkit")
    solver = kit.community.ParallelLeiden(held, randomize=False)
    solver.run()
    return solver.getPartition().getVector()


def _igraph_leiden(held: Any) -> Any:
    found = held.community_leiden("modularity", weights="weight", n_iterations=2)
    return found.membership


def _least_nodes(member: Any) -> NDArray[np.int64]:
    """Any names of communities as the least node of each."""
    _, first, number = np.unique(np.asarray(member), return_index=True, return_inverse=True)
    return first[number].astype(np.int64)
