"""Hops and components where rows are short, long and both, for every instruction set."""

from __future__ import annotations

import numpy as np
import pytest
from tests.test_simd import child

from remanence import _core

pytestmark = pytest.mark.native
SHAPES = {
    "a forest": (40_000, 30_000, 1.0),
    "short rows": (40_000, 120_000, 1.0),
    "short rows and hubs": (40_000, 120_000, 3.0),
    "long rows": (3_000, 90_000, 1.0),
    "most of a word is set": (33_000, 700_000, 2.0),
}


def hops_of(nodes: int, source: np.ndarray, target: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Hops from the nearest seed by whole rounds over all edges."""
    ends = np.concatenate([source, target]), np.concatenate([target, source])
    hop = np.full(nodes, -1, np.int32)
    hop[seeds] = 0
    for level in range(1, nodes):
        met = ends[1][hop[ends[0]] == level - 1]
        met = met[hop[met] < 0]
        if len(met) == 0:
            return hop
        hop[met] = level
    return hop


def labels_of(nodes: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least node of each node's component by whole rounds over all edges."""
    label = np.arange(nodes)
    while True:
        before = label.copy()
        least = np.minimum(label[source], label[target])
        np.minimum.at(label, source, least)
        np.minimum.at(label, target, least)
        label = label[label]
        if np.array_equal(label, before):
            return label


def check_components(nodes: int, source: np.ndarray, target: np.ndarray) -> None:
    """With and without a filter, with a few edges in the log, and with nodes left out."""
    rng = np.random.default_rng(nodes)
    kind = rng.integers(1, 9, len(source)).astype(np.uint16)
    weight = rng.uniform(0.01, 1.0, len(source)).astype(np.float32)
    graph = _core.Graph(nodes)
    graph.append(source[:-99], target[:-99], kind[:-99], weight[:-99])
    for stage in ("base", "log"):
        if stage == "log":
            graph.append(source[-99:], target[-99:], kind[-99:], weight[-99:])
        there = np.arange(len(source)) < graph.edges
        assert np.array_equal(graph.components(), labels_of(nodes, source[there], target[there]))
        there &= (kind < 6) & (weight >= np.float32(0.3))
        which = {"types": np.arange(1, 6, dtype=np.uint16), "min_weight": 0.3}
        want = labels_of(nodes, source[there], target[there])
        assert np.array_equal(graph.components(**which), want)
        allow = rng.random(nodes) < 0.7
        there &= allow[source] & allow[target]
        found = graph.components(**which, allow=allow)
        assert np.array_equal(found, labels_of(nodes, source[there], target[there]))


def check_shape(shape: str) -> None:
    nodes, edges, power = SHAPES[shape]
    rng = np.random.default_rng(edges)
    source = (nodes * rng.random(edges) ** power).astype(np.int64)
    target = rng.integers(0, nodes, edges)
    graph = _core.Graph(nodes)
    graph.append(source, target)
    graph.merge()
    label = graph.components()
    assert (label[source] == label[target]).all()
    check_components(nodes, source, target)
    for seeds in (rng.integers(0, nodes, 1), rng.integers(0, nodes, 40)):
        hop = hops_of(nodes, source, target, seeds)
        assert np.array_equal(graph.bfs(seeds), hop)
        if len(seeds) == 1:
            reached = np.flatnonzero(hop >= 0)
            assert np.array_equal(np.flatnonzero(label == reached[0]), reached)
        for most in (0, 1, 2, 3, 4, 2):
            order = np.lexsort((np.arange(nodes), hop))
            order = order[(hop[order] >= 0) & (hop[order] <= most)]
            node, at = graph.khop(seeds, most)
            assert np.array_equal(node, order)
            assert np.array_equal(at, hop[order])


@pytest.mark.parametrize("simd", _core.available_simd())
def test_hops_are_those_of_whole_rounds(simd: str) -> None:
    code = "from tests.test_graph_rows import SHAPES, check_shape\nfor s in SHAPES: check_shape(s)"
    done = child(simd, code)
    assert done.returncode == 0, done.stderr
