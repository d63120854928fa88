"""A large graph: every verb gives the same bits for any threads and merges, by plain rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from remanence import _core

pytestmark = pytest.mark.native


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def random_graph(nodes: int, edges: int, seed: int = 1) -> tuple[Any, np.ndarray, np.ndarray]:
    """A graph with hubs, large enough for every branch of the searches."""
    rng = np.random.default_rng(seed)
    source = (nodes * rng.random(edges) ** 3).astype(np.int64)
    target = rng.integers(0, nodes, edges)
    graph = _core.Graph(nodes)
    half = edges // 2
    weight = rng.uniform(0.01, 1.0, edges).astype(np.float32)
    graph.append(source[:half], target[:half], weight=weight[:half])
    graph.append(source[half:], target[half:], weight=weight[half:])
    return graph, source, target


VERBS = {
    "bfs": lambda g: g.bfs(ints(3), parents=True),
    "bfs_batch": lambda g: g.bfs_batch(np.arange(5), parents=True),
    "components": lambda g: [g.components()],
    "shortest_paths": lambda g: g.shortest_paths(ints(3, 4), parents=True),
    "shortest_paths_batch": lambda g: g.shortest_paths_batch(np.arange(5), parents=True),
    "best_paths": lambda g: g.best_paths(ints(3), parents=True),
    "best_paths_batch": lambda g: g.best_paths_batch(np.arange(5), parents=True),
    "propagate": lambda g: [g.propagate(ints(3, 9), damping=0.85)],
    "propagate_batch": lambda g: [g.propagate_batch(np.arange(20), damping=0.85)],
    "communities": lambda g: [g.communities(seed=3)[0]],
    "communities by labels": lambda g: [g.communities("labels")[0]],
    "pagerank": lambda g: [g.pagerank()],
    "push": lambda g: g.push(ints(3, 9), damping=0.85)[:2],
    "push_batch": lambda g: g.push_batch(np.arange(20), damping=0.85),
    "spread": lambda g: g.spread(ints(3, 9)),
    "spread_batch": lambda g: g.spread_batch(np.arange(5)),
    "khop_batch": lambda g: g.khop_batch(np.arange(100), 2),
    "khop": lambda g: g.khop(ints(3, 9), 3),
    "degree": lambda g: [g.degree(min_weight=0.5)],
    "find_edges": lambda g: [g.find_edges(min_weight=0.5)],
    "edge_columns": lambda g: list(g.edge_columns(g.find_edges()).values()),
    "adjacency": lambda g: g.adjacency(np.arange(1000)),
    "subgraph": lambda g: [g.subgraph(np.arange(2000))],
    "modularity": lambda g: [np.array([g.modularity(g.components())])],
    "path": lambda g: [np.asarray(part) for part in g.path(3, 17_000)],
    "paths": lambda g: [np.asarray(part) for way in g.paths(3, 17_000, 5) for part in way],
    "paths_batch": lambda g: g.paths_batch(ints(3, 9), ints(17_000, 400), 3),
}


def test_no_verb_is_left_out() -> None:
    verbs = {name for name in dir(_core.GraphView) if callable(getattr(_core.GraphView, name))}
    assert {name.split()[0] for name in VERBS} == {v for v in verbs if not v.startswith("_")}


@pytest.mark.parametrize("verb", VERBS)
def test_bits_depend_on_neither_threads_nor_merges(verb: str) -> None:
    graph, _, _ = random_graph(20_000, 60_000)
    answers = []
    for threads in (1, 2, 5):
        _core.set_threads(threads)
        try:
            answers.append(VERBS[verb](graph))
        finally:
            _core.set_threads(0)
    graph.merge()
    answers.append(VERBS[verb](graph))
    for other in answers[1:]:
        for a, b in zip(answers[0], other, strict=True):
            assert a.tobytes() == b.tobytes()


def test_a_large_graph_agrees_with_plain_rules() -> None:
    graph, source, target = random_graph(20_000, 60_000)
    for merged in (False, True):
        if merged:
            graph.merge()
        hop = graph.bfs(ints(5))
        both = np.stack([hop[source], hop[target]])
        assert ((both < 0).all(axis=0) | (np.abs(both[0] - both[1]) <= 1)).all()
        label = graph.components()
        assert (label[source] == label[target]).all()
        assert ((hop >= 0) == (label == label[5])).all()
        columns_ = graph.edge_columns(np.arange(graph.edges))
        assert np.array_equal(columns_["source"], source)
        assert np.array_equal(columns_["target"], target)


def test_hops_are_those_of_a_search_however_many_questions_came_before() -> None:
    """Marks are kept from question to question, and graphs of two sizes share them."""
    graphs = [random_graph(60_000, 30_000)[0], random_graph(300, 900)[0]]
    for graph in graphs:
        graph.merge()
    for seed in range(300):
        for graph in graphs:
            hop = graph.bfs(ints(seed))
            hop = np.where(hop > 3, -1, hop)
            order = np.lexsort((np.arange(len(hop)), hop))[(hop < 0).sum() :]
            node, at = graph.khop(ints(seed), 3)
            assert np.array_equal(node, order)
            assert np.array_equal(at, hop[order])
            short, _ = graph.khop(ints(seed), 3, limit=60)
            assert np.array_equal(short, order[:60])


def test_hops_come_in_order_however_dense_they_are() -> None:
    """Hubs whose neighbours fill bytes of bits with none, one, two or more of them, by turns."""
    rng = np.random.default_rng(3)
    nodes = 200_000
    parts = [np.arange(1, 13)]
    for width in (50, 2000, 6000, 15_000, 30_000, 50_000):
        parts += [rng.integers(20, nodes, width), 20 + rng.integers(0, nodes - 20, width) // 3 * 3]
    source = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    graph = _core.Graph(nodes)
    graph.append(source, np.concatenate(parts))
    graph.append(rng.integers(20, nodes, 20_000), rng.integers(20, nodes, 20_000))
    graph.merge()
    for seed in [*range(len(parts)), *range(20, 60)]:
        hop = graph.bfs(ints(seed))
        for hops in (2, 3, 4):
            near = np.where(hop > hops, -1, hop)
            order = np.lexsort((np.arange(nodes), near))[(near < 0).sum() :]
            node, at = graph.khop(ints(seed), hops)
            assert np.array_equal(node, order)
            assert np.array_equal(at, hop[order])


def test_one_seed_may_be_a_number() -> None:
    graph = random_graph(300, 900)[0]
    for verb in (graph.bfs, graph.shortest_paths, graph.best_paths):
        assert np.array_equal(verb(7), verb(ints(7)))
    for by_number, by_array in zip(graph.khop(7, 2), graph.khop(ints(7), 2), strict=True):
        assert np.array_equal(by_number, by_array)


def test_filters_at_the_bounds_of_columns() -> None:
    """What a base's least and greatest values decide is what its edges decide one by one."""
    rng = np.random.default_rng(2)
    kind = rng.choice([3, 5], 40).astype(np.uint16)
    weight = rng.choice([0.25, 0.5], 40).astype(np.float32)
    start = rng.integers(10, 13, 40)
    end = np.where(rng.random(40) < 0.5, np.iinfo(np.int64).max, start + 5)
    kind[20:], weight[30:], end[-1] = kind[20:] + 2, 1.0, 30
    graph = _core.Graph(50)
    asked = [None, [3], [5, 7], [3, 5], [4], [3, 5, 7]]
    for upto in (20, 40):
        lot = slice(upto - 20, upto)
        ends = np.arange(20), np.arange(20) + 1
        graph.append(*ends, kind[lot], weight[lot], start[lot], end[lot])
        graph.merge()
        for types in asked:
            chosen = np.ones(upto, bool) if types is None else np.isin(kind[:upto], types)
            of = None if types is None else np.array(types, np.uint16)
            for least in (0.0, 0.25, 0.3, 0.5, 0.75, 1.0):
                heavy = chosen & (weight[:upto] >= np.float32(least))
                for t in (None, 9, 10, 12, 14, 15, 17, 18, 29, 30):
                    holds = heavy
                    if t is not None:
                        open_ = (t < end[:upto]) | (end[:upto] == np.iinfo(np.int64).max)
                        holds = heavy & (start[:upto] <= t) & open_
                    found = graph.find_edges(types=of, min_weight=least, valid_at=t)
                    assert np.array_equal(found, np.flatnonzero(holds))


def test_communities_of_a_large_graph_find_those_that_were_planted() -> None:
    rng = np.random.default_rng(4)
    nodes, group = 9000, 450
    source = rng.integers(0, nodes, 45_000)
    planted = source // group * group
    target = planted + rng.integers(0, group, len(source))
    target[::6] = rng.integers(0, nodes, len(target[::6]))
    graph = _core.Graph(nodes)
    graph.append(source, target, weight=rng.uniform(0.2, 1.0, len(source)).astype(np.float32))
    label, quality = graph.communities(seed=1)
    of_group = np.arange(nodes) // group * group
    assert quality >= 0.99 * graph.modularity(of_group)
    inner = _core.Graph(nodes)
    within = label[source] == label[target]
    inner.append(source[within], target[within])
    assert np.array_equal(inner.components(), label)
