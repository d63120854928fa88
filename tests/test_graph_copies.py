"""Filters that are asked again and again walk copies of what passes: no answer may change by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from remanence import _core

pytestmark = pytest.mark.native

NODES, EDGES, REPEATS = 300, 3000, 12


def columns(rng: np.random.Generator, count: int = EDGES) -> dict[str, Any]:
    start = rng.integers(0, 100, count)
    return {
        "source": rng.integers(0, NODES, count),
        "target": rng.integers(0, NODES, count),
        "type": rng.integers(1, 6, count).astype(np.uint16),
        "weight": rng.uniform(0.05, 1.0, count).astype(np.float32),
        "valid_from": start,
        "valid_to": start + rng.integers(1, 50, count),
    }


VERBS = {
    "bfs": lambda g, **f: g.bfs(np.arange(3), **f),
    "khop": lambda g, **f: g.khop(np.arange(5), 3, **f)[0],
    "components": lambda g, **f: g.components(**f),
    "shortest_paths": lambda g, **f: g.shortest_paths(np.arange(3), **f),
    "propagate": lambda g, **f: g.propagate(np.arange(3), **f),
    "propagate_batch": lambda g, **f: g.propagate_batch(np.arange(6), **f),
    "communities": lambda g, **f: g.communities(seed=1, **f)[0],
    "degree": lambda g, **f: g.degree(**f),
    "find_edges": lambda g, **f: g.find_edges(**f),
    "push": lambda g, **f: g.push(np.arange(3), **f)[0],
}


def fresh(graph: Any) -> Any:
    """The same edges and closings in a graph that was never asked, one commit after the other."""
    table = graph.edge_columns(np.arange(graph.edges))
    out = _core.Graph(graph.nodes)
    last = np.iinfo(np.int64).max
    closed = np.unique(table["seq_to"][table["seq_to"] < last])
    for seq in np.union1d(table["seq_from"], closed).tolist():
        new = table["seq_from"] == seq
        if new.any():
            given = ("source", "target", "type", "weight", "valid_from", "valid_to")
            out.append(**{name: table[name][new] for name in given}, seq=seq)
        gone = np.flatnonzero(table["seq_to"] == seq)
        if len(gone):
            out.close(gone, seq=seq)
    return out


FILTERS: dict[str, dict[str, Any]] = {
    "types": {"types": np.array([4, 1, 2], np.uint16)},
    "weights": {"min_weight": 0.5},
    "all": {"types": np.array([1, 2, 3], np.uint16), "min_weight": 0.2, "direction": "out"},
    "none": {},
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("timed", [False, True])
def test_answers_stay_while_filters_become_copies(name: str, timed: bool) -> None:
    rng = np.random.default_rng(len(name))
    graph = _core.Graph(NODES)
    graph.append(**columns(rng))
    graph.append(**columns(rng, 20))
    graph.close(np.arange(0, 40))
    for verb, ask in VERBS.items():
        for turn in range(REPEATS):
            which = dict(FILTERS[name])
            if timed:
                which["valid_at"] = int(60 + turn // 4 if turn < 8 else rng.integers(0, 140))
            if turn % 3 == 2:
                which["as_of"] = graph.seq - turn % 2
            if turn % 5 == 4:
                which["allow"] = np.arange(NODES) < NODES - 20
            if turn % 4 == 3:
                graph.close(rng.choice(graph.find_edges(), 3, replace=False))
            if turn == 9:
                graph.append(**columns(rng, 10))
            found = ask(graph, **which)
            assert found.tobytes() == ask(fresh(graph), **which).tobytes(), (verb, turn)


def test_copies_take_no_more_room_than_the_base() -> None:
    graph = _core.Graph(NODES)
    graph.append(**columns(np.random.default_rng(2)))
    base = graph.nbytes
    most = graph.nbytes
    for kind in range(1, 6):
        for _ in range(4):
            graph.bfs(np.arange(3), types=np.array([kind], np.uint16))
        most = max(most, graph.nbytes)
    assert base < most <= 2 * base
    graph.add(0, 1)
    graph.merge()
    assert graph.nbytes == graph.branch().nbytes, "a merge drops them"


def test_two_hops_list_the_same_nodes_as_plain_sets() -> None:
    rng = np.random.default_rng(3)
    for nodes in (1, 63, 64, 65, 4000, 70_000):
        graph = _core.Graph(nodes)
        source, target = rng.integers(0, nodes, (2, 12 * nodes))
        source = (source * rng.random(len(source)) ** 3).astype(np.int64)
        graph.append(source, target)
        near = [set() for _ in range(nodes)]
        for a, b in zip(source.tolist(), target.tolist(), strict=True):
            near[a].add(b)
            near[b].add(a)
        for seed in {0, nodes // 2, nodes - 1}:
            one = {seed} | near[seed]
            two = one.union(*(near[v] for v in one))
            node, hop = graph.khop(np.array([seed]), 2, limit=1000)
            want = [seed, *sorted(one - {seed}), *sorted(two - one)]
            assert node.tolist() == want[:1000]
            hops = [0] + [1] * len(one - {seed}) + [2] * len(two - one)
            assert hop.tolist() == hops[:1000]
