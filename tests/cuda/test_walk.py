"""Walks over a graph on a device: the processor's bits for any graph, filter and batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference_graph_store import GraphStore, columns
from tests.test_graph_store import edge_rows, filters, ints, native

from remanence import _core

pytestmark = pytest.mark.native

# Nodes hand over single precision at the first, double precision at the second.
TOLERANCES = [1e-5, 1e-9]


def same_bits(verb: Any, device: str, *asked: Any, **settings_: Any) -> None:
    want = verb(*asked, **settings_)
    got = verb(*asked, **settings_, backend=device)
    for g, w in zip(*(x if isinstance(x, tuple) else (x,) for x in (got, want)), strict=True):
        assert g.shape == w.shape
        assert g.tobytes() == w.tobytes()


@pytest.mark.parametrize("tolerance", TOLERANCES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_history_and_filter(device: str, tolerance: float, data: st.DataObject):
    nodes = data.draw(st.integers(1, 9))
    graph, judge = _core.Graph(nodes), GraphStore(nodes)
    for merged in (True, False):
        if rows := data.draw(edge_rows(nodes)):
            judge.append(rows)
            graph.append(**dict(columns(rows)))
        if merged:
            graph.merge()
    if data.draw(st.booleans()):
        nodes += 2
        graph.add_nodes(2)
        judge.nodes += 2
    which = data.draw(filters(nodes, judge.seq))
    allowed = [n for n in range(nodes) if "allow" not in which or which["allow"][n]]
    if not allowed:
        return
    seeds = data.draw(st.lists(st.sampled_from(allowed), min_size=1, max_size=5))
    asked = {"damping": 0.6, "tolerance": tolerance, **native(which)}
    mass = graph.propagate(ints(*seeds), **asked, backend=device)
    want = judge.propagate(seeds, damping=0.6, tolerance=tolerance, **which)
    assert mass.tolist() == want.tolist()
    same_bits(graph.propagate_batch, device, ints(*seeds), **asked)
    same_bits(graph.spread, device, ints(*seeds), **asked)
    same_bits(graph.pagerank, device, **asked)


def test_parts_that_single_precision_moves_for_ever(device: str):
    """A pair, a star and a path: masses there go back and forth by what values are rounded by."""
    ends = [(0, 1), (2, 3), (2, 4), (2, 5), (2, 6), (7, 8), (8, 9), (9, 10)]
    rows = [{"source": a, "target": b} for a, b in ends]
    graph, judge = _core.Graph(11), GraphStore(11)
    judge.append(rows)
    graph.append(**dict(columns(rows)))
    asked = {"damping": 0.85, "tolerance": 1e-6}
    seeds = ints(*range(11))
    together = graph.propagate_batch(seeds, **asked)
    same_bits(graph.propagate_batch, device, seeds, **asked)
    joined = np.zeros((11, 11))
    for a, b in ends:
        joined[a, b] = joined[b, a] = 1.0
    step = 0.85 * joined / joined.sum(axis=0)
    for seed, mass in enumerate(together):
        want = judge.propagate([seed], **asked)
        exact = np.linalg.solve(np.eye(11) - step, 0.15 * np.eye(11)[seed])
        assert mass.tobytes() == want.tobytes()
        assert graph.propagate(ints(seed), **asked).tobytes() == want.tobytes()
        assert np.abs(mass - exact).sum() <= 1e-6
        same_bits(graph.propagate, device, ints(seed), **asked)


def skewed(nodes: int, edges: int) -> Any:
    """A few hubs, nodes without arcs at the end, and weights that no sum is exact of."""
    rng = np.random.default_rng(5)
    graph = _core.Graph(nodes)
    ends = (nodes * 0.9 * rng.random((2, edges)) ** 3).astype(np.int64)
    weight = rng.uniform(0.01, 1, edges).astype(np.float32)
    graph.append(source=ends[0], target=ends[1], weight=weight)
    graph.merge()
    return graph


@pytest.mark.parametrize("tolerance", TOLERANCES)
@pytest.mark.parametrize("questions", [1, 3, 16, 21])
@pytest.mark.parametrize("direction", ["out", "in", "both"])
def test_batches_of_every_width(device: str, direction: str, questions: int, tolerance: float):
    graph = skewed(180, 1500)
    seeds = np.arange(questions, dtype=np.int64) * 7
    asked = {"tolerance": tolerance, "direction": direction}
    same_bits(graph.propagate_batch, device, seeds, **asked)
    if questions == 1:
        same_bits(graph.pagerank, device, **asked)


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize("direction", ["in", "both"])
def test_hubs_whose_rows_a_block_shares(device: str, direction: str, merged: bool):
    """Rows of more than one tile of products, and of a part of one, beside short ones."""
    graph = skewed(900, 3000)
    rng = np.random.default_rng(9)
    for hub, arcs in ((3, 1025), (880, 2600), (899, 1024)):
        weight = rng.uniform(0.01, 1, arcs).astype(np.float32)
        graph.append(rng.integers(900, size=arcs), np.full(arcs, hub), weight=weight)
    if merged:
        graph.merge()
    for questions in (1, 5, 16):
        seeds = np.arange(questions, dtype=np.int64) * 7
        same_bits(graph.propagate_batch, device, seeds, tolerance=1e-5, direction=direction)
    same_bits(graph.spread, device, ints(3, 880), direction=direction)


def test_questions_of_several_seeds_with_weights(device: str):
    graph = skewed(60, 300)
    weights = np.array([0.1, 3, 0.7, 2, 5], np.float32)
    cut = {"weights": weights, "indptr": ints(0, 2, 5), "damping": 0.85}
    same_bits(graph.propagate_batch, device, ints(3, 40, 3, 59, 0), **cut)
    same_bits(graph.propagate, device, ints(3, 40, 3, 59, 0), weights=weights, damping=0.0)


def test_no_questions_and_bad_ones(device: str):
    graph = skewed(20, 40)
    assert graph.propagate_batch(ints(), indptr=ints(0), backend=device).shape[0] == 0
    with pytest.raises(_core.InvalidArgumentError, match="no seeds were given"):
        graph.propagate(ints(), backend=device)
    with pytest.raises(_core.NotFoundError):
        graph.propagate(ints(20), backend=device)


def test_an_unknown_backend_is_refused():
    graph = skewed(20, 40)
    for verb in (graph.propagate, graph.propagate_batch, graph.spread):
        with pytest.raises(_core.InvalidArgumentError, match="there is no backend called 'x'"):
            verb(ints(1), backend="x")
    with pytest.raises(_core.InvalidArgumentError, match="pagerank: there is no backend"):
        graph.pagerank(backend="x")
