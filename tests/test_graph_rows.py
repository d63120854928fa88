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
