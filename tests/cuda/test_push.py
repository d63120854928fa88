"""Local walks on a device: the processor's nodes, masses and what is left, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cuda.test_walk import same_bits, skewed
from tests.reference_graph_store import columns
from tests.test_graph_store import edge_rows, filters, ints, native

from remanence import _core

pytestmark = pytest.mark.native


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_history_and_filter(device: str, data: st.DataObject) -> None:
    nodes = data.draw(st.integers(1, 9))
    graph = _core.Graph(nodes)
    for merged in (True, False):
        if rows := data.draw(edge_rows(nodes, most=12)):
            graph.append(**dict(columns(rows)))
        if merged:
            graph.merge()
    if data.draw(st.booleans()):
        nodes += 2
        graph.add_nodes(2)
    which = data.draw(filters(nodes, graph.seq))
    allowed = [n for n in range(nodes) if "allow" not in which or which["allow"][n]]
    if not allowed:
        return
    seeds = data.draw(st.lists(st.sampled_from(allowed), min_size=1, max_size=5))
    asked = {"damping": data.draw(st.sampled_from([0.0, 0.6, 0.9])), **native(which)}
    for residual in (0.03, 1e-6):
        same_bits(graph.push_batch, device, ints(*seeds), residual=residual, top=99, **asked)
    want = graph.push(ints(*seeds), residual=0.01, **asked)
    got = graph.push(ints(*seeds), residual=0.01, **asked, backend=device)
    assert [w.tolist() for w in want[:2]] == [g.tolist() for g in got[:2]]
    assert got[2] == want[2]


@pytest.mark.parametrize("direction", ["out", "in", "both"])
def test_hubs_parallel_edges_and_long_chains(device: str, direction: str) -> None:
    """Chunks of 32 arcs, in which one rank is given to more than once, and more than one chunk."""
    graph = skewed(400, 5000)
    graph.append(source=np.arange(100), target=np.full(100, 7))
    graph.append(source=np.full(40, 7), target=np.arange(40) // 3)
    seeds = np.arange(20, dtype=np.int64) * 11
    asked = {"direction": direction, "damping": 0.85}
    same_bits(graph.push_batch, device, seeds, residual=1e-4, **asked)
    cut = {"indptr": ints(0, 0, 20)[1:], "weights": np.arange(1, 21, dtype=np.float32)}
    same_bits(graph.push_batch, device, seeds, residual=1e-4, top=1000, **cut, **asked)


def test_each_filter_has_degrees_of_its_own(device: str) -> None:
    """One call after the other on one graph, whose nodes have other arcs in each."""
    graph = skewed(200, 1000)
    for direction in ("out", "in", "both", "out"):
        same_bits(graph.push_batch, device, ints(3, 40, 59), residual=1e-4, direction=direction)
    same_bits(graph.push_batch, device, ints(3, 40), residual=1e-4, allow=np.arange(200) % 3 != 2)


def test_a_batch_is_each_question_alone(device: str) -> None:
    graph = skewed(200, 1000)
    seeds = ints(3, 40, 3, 59, 0)
    for backend in ("cpu", device):
        indptr, node, mass, left = graph.push_batch(seeds, indptr=ints(0, 2, 5), backend=backend)
        for q, part in enumerate((seeds[:2], seeds[2:])):
            own = slice(indptr[q], indptr[q + 1])
            one = graph.push(part)
            assert node[own].tolist() == one[0].tolist()
            assert mass[own].tolist() == one[1].tolist()
            assert left[q] == one[2]


def test_no_questions_and_bad_ones(device: str) -> None:
    graph = skewed(20, 40)
    for backend in ("cpu", device):
        parts = graph.push_batch(ints(), indptr=ints(0), backend=backend)
        assert [len(part) for part in parts] == [1, 0, 0, 0]
        with pytest.raises(_core.InvalidArgumentError, match="push: no seeds were given"):
            graph.push(ints(), backend=backend)
        with pytest.raises(_core.InvalidArgumentError, match="push: indptr must ascend"):
            graph.push_batch(ints(1), indptr=ints(0, 2), backend=backend)
    with pytest.raises(_core.InvalidArgumentError, match="there is no backend called 'x'"):
        graph.push(ints(1), backend="x")
