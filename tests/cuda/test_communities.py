"""Communities on a device: the processor's labels and modularity, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cuda.test_walk import skewed
from tests.reference_graph_store import columns
from tests.test_graph_store import edge_rows, filters, ints, native

from remanence import _core

pytestmark = pytest.mark.native


def same(graph: Any, device: str, method: str, **asked: Any) -> np.ndarray:
    label, worth = graph.communities(method, **asked)
    got, its_worth = graph.communities(method, **asked, backend=device)
    assert got.tolist() == label.tolist()
    assert its_worth == worth
    which = {k: v for k, v in asked.items() if k != "seed"}
    assert graph.modularity(label, **which, backend=device) == graph.modularity(label, **which)
    return label


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_history_and_filter(device: str, data: st.DataObject) -> None:
    nodes = data.draw(st.integers(1, 9))
    graph = _core.Graph(nodes)
    for merged in (True, False):
        if rows := data.draw(edge_rows(nodes, most=14)):
            graph.append(**dict(columns(rows)))
        if merged:
            graph.merge()
    if data.draw(st.booleans()):
        nodes += 2
        graph.add_nodes(2)
    which = native(data.draw(filters(nodes, graph.seq)))
    for method in ("labels", "leiden"):
        same(graph, device, method, seed=data.draw(st.integers(0, 3)), **which)


def planted(groups: int, size: int, seed: int) -> Any:
    """Groups that are dense inside; weights that no sum is exact of."""
    rng = np.random.default_rng(seed)
    nodes = groups * size
    inner = rng.integers(0, size, (2, 12 * nodes)) + size * rng.integers(groups, size=12 * nodes)
    outer = rng.integers(0, nodes, (2, nodes))
    ends = np.concatenate([inner, outer], axis=1)
    graph = _core.Graph(nodes)
    graph.append(ends[0], ends[1], weight=rng.uniform(0.01, 1, ends.shape[1]).astype(np.float32))
    return graph


@pytest.mark.parametrize("merged", [True, False])
def test_planted_groups(device: str, merged: bool) -> None:
    graph = planted(12, 40, 2)
    if merged:
        graph.merge()
    label = same(graph, device, "labels", seed=1)
    assert len(set(label.tolist())) == 12


def test_rows_of_more_than_a_tile_and_waves_of_every_size(device: str) -> None:
    graph = skewed(2500, 20_000)
    degree = graph.degree(direction="both")
    assert degree.max() > 512
    assert ((degree > 32) & (degree < 256)).any()
    for seed in (0, 1):
        same(graph, device, "labels", seed=seed)
    same(graph, device, "labels", min_weight=0.5)


def test_no_nodes_and_bad_questions(device: str) -> None:
    empty = _core.Graph(0)
    assert same(empty, device, "labels").shape == (0,)
    graph = skewed(20, 40)
    with pytest.raises(_core.InvalidArgumentError, match="a label must be a node"):
        graph.modularity(ints(*range(1, 21)), backend=device)
    for method in ("labels", "leiden"):
        with pytest.raises(_core.InvalidArgumentError, match="communities: there is no backend"):
            graph.communities(method, backend="x")
    with pytest.raises(_core.InvalidArgumentError, match="modularity: there is no backend"):
        graph.modularity(graph.components(), backend="x")
