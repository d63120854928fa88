"""Paths between two nodes on a device: the processor's values, edges and nodes, in its order."""

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
MEASURES = ("hops", "length", "weight")


def plain(way: Any) -> tuple[float, list[int], list[int]]:
    return way[0], way[1].tolist(), way[2].tolist()


def same_ways(graph: Any, device: str, ends: tuple[int, int], k: int, **asked: Any) -> int:
    """How many ways there are."""
    want = [plain(way) for way in graph.paths(*ends, k, **asked)]
    got = [plain(way) for way in graph.paths(*ends, k, **asked, backend=device)]
    assert got == want
    assert plain(graph.path(*ends, **asked, backend=device)) == plain(graph.path(*ends, **asked))
    return len(want)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_history_and_filter(device: str, data: st.DataObject) -> None:
    nodes = data.draw(st.integers(2, 9))
    graph = _core.Graph(nodes)
    for merged in (True, False):
        if rows := data.draw(edge_rows(nodes, most=12)):
            graph.append(**dict(columns(rows)))
        if graph.edges and data.draw(st.booleans()):
            edge = data.draw(st.integers(0, graph.edges - 1))
            if graph.view().edge_columns(ints(edge))["seq_to"][0] > graph.seq:
                graph.close(ints(edge))
        if merged:
            graph.merge()
    which = data.draw(filters(nodes, graph.seq))
    allowed = [n for n in range(nodes) if "allow" not in which or which["allow"][n]]
    if not allowed:
        return
    ends = (data.draw(st.sampled_from(allowed)), data.draw(st.sampled_from(allowed)))
    lengths = np.arange(graph.edges, dtype=np.float64) % 4  # zeros among them
    for by in MEASURES:
        same_ways(graph, device, ends, 30, by=by, **native(which))
    same_ways(graph, device, ends, 30, by="length", lengths=lengths, **native(which))


@pytest.mark.parametrize("by", MEASURES)
@pytest.mark.parametrize("direction", ["out", "both"])
def test_many_detours_past_hubs(device: str, by: str, direction: str) -> None:
    graph = skewed(1500, 6000)
    hub = np.arange(1, 1200, dtype=np.int64)
    graph.append(source=np.zeros_like(hub), target=hub)
    graph.merge()
    graph.append(source=hub[:40], target=np.full(40, 1400))
    found = same_ways(graph, device, (0, 1400), 20, by=by, direction=direction)
    assert found == 20
    assert same_ways(graph, device, (1400, 0), 3, by=by, direction="out") == 0


def test_ends_that_are_one_and_bad_ones(device: str) -> None:
    graph = skewed(20, 40)
    assert same_ways(graph, device, (3, 3), 2) == 1
    with pytest.raises(_core.NotFoundError, match="paths: there is no node 20"):
        graph.path(20, 1, backend=device)
    with pytest.raises(_core.InvalidArgumentError, match="k must be between"):
        graph.paths(0, 1, 0, backend=device)
    with pytest.raises(_core.InvalidArgumentError, match="there is no backend called 'x'"):
        graph.paths(0, 1, 2, backend="x")
