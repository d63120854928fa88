"""A graph is asked while it is written: a view has one answer, that of a graph of its edges."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from remanence import _core

pytestmark = pytest.mark.native

NODES, ROUNDS = 400, 200
SEEDS = np.array([1, 7], np.int64)
VERBS = {
    "bfs": lambda g: [g.bfs(SEEDS)],
    "khop_batch": lambda g: g.khop_batch(SEEDS, 2),
    "components": lambda g: [g.components()],
    "shortest_paths": lambda g: [g.shortest_paths(SEEDS)],
    "best_paths": lambda g: [g.best_paths(SEEDS)],
    "degree": lambda g: [g.degree(min_weight=0.5)],
    "propagate": lambda g: [g.propagate(SEEDS)],
    "push": lambda g: g.push(SEEDS)[:2],
    "communities": lambda g: [g.communities(seed=1)[0]],
}


def answers(view: Any) -> dict[str, list[bytes]]:
    return {name: [a.tobytes() for a in verb(view)] for name, verb in VERBS.items()}


def again(view: Any) -> Any:
    """A graph of the edges that a view sees, made at once."""
    seen = view.edge_columns(view.find_edges())
    graph = _core.Graph(view.nodes)
    graph.append(seen["source"], seen["target"], seen["type"], seen["weight"])
    return graph


def write(graph: Any) -> None:
    rng = np.random.default_rng(5)
    for number in range(ROUNDS):
        source, target = rng.integers(0, graph.nodes, (2, 30))
        graph.append(source, target, weight=rng.uniform(0.1, 1.0, 30).astype(np.float32))
        for _ in range(10):
            graph.add(int(rng.integers(graph.nodes)), int(rng.integers(graph.nodes)))
        graph.close(rng.choice(graph.view().find_edges(), 3, replace=False))
        graph.add_nodes(1)
        if number % 7 == 6:
            graph.merge()


@pytest.mark.parametrize("threads", [1, 3])
def test_a_view_has_one_answer_beside_a_writer(threads: int) -> None:
    graph = _core.Graph(NODES)
    done = threading.Event()
    kept: list[list[tuple[Any, dict[str, list[bytes]]]]] = [[], []]
    failures: list[BaseException] = []

    def read(mine: list[tuple[Any, dict[str, list[bytes]]]]) -> None:
        try:
            last = False
            while not last:
                last = done.is_set()  # one more look after the last commit
                view = graph.view()
                mine.append((view, answers(view)))
        except BaseException as failure:
            failures.append(failure)

    _core.set_threads(threads)
    try:
        readers = [threading.Thread(target=read, args=(mine,), daemon=True) for mine in kept]
        for reader in readers:
            reader.start()
        try:
            write(graph)
        finally:
            done.set()
        for reader in readers:
            reader.join(timeout=60)
        assert not any(reader.is_alive() for reader in readers)
        assert not failures
        for mine in kept:
            seqs = [view.seq for view, _ in mine]
            assert seqs == sorted(seqs), "a reader went back in time"
            assert mine[-1][0].edges == graph.edges
            for view, found in mine[:: max(1, len(mine) // 20)]:
                assert answers(view) == found
                plain = answers(again(view))
                # What is not pushed is dealt out by share of all arcs, also of closed ones.
                assert plain | {"push": found["push"]} == found
    finally:
        _core.set_threads(0)
