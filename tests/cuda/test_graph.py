"""A graph's searches on a device, and its mirror there: the processor's bits at every commit."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cuda.test_walk import same_bits, skewed
from tests.reference_graph_store import columns
from tests.test_graph_store import edge_rows, filters, ints, native

from remanence import _core

pytestmark = pytest.mark.native


def all_the_same(graph: Any, device: str, seeds: np.ndarray, asked: dict[str, Any]) -> None:
    lengths = np.arange(graph.edges, dtype=np.float64) % 4  # zeros among them
    for parents in (False, True):
        same_bits(graph.bfs, device, seeds, parents=parents, **asked)
        same_bits(graph.shortest_paths, device, seeds, parents=parents, **asked)
        same_bits(graph.best_paths, device, seeds, parents=parents, **asked)
    same_bits(graph.shortest_paths, device, seeds, lengths=lengths, parents=True, **asked)
    same_bits(graph.components, device, **asked)
    for limit in (2, 1000):
        same_bits(graph.khop, device, seeds, 2, limit=limit, **asked)
    same_bits(graph.khop_batch, device, seeds, 1, **asked)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_history_and_filter(device: str, data: st.DataObject):
    nodes = data.draw(st.integers(1, 9))
    graph = _core.Graph(nodes)
    held = []
    for step in range(4):
        if rows := data.draw(edge_rows(nodes)):
            graph.append(**dict(columns(rows)))
        if graph.edges and data.draw(st.booleans()):
            edge = data.draw(st.integers(0, graph.edges - 1))
            if graph.view().edge_columns(ints(edge))["seq_to"][0] > graph.seq:
                graph.close(ints(edge))
        if step == 1 and data.draw(st.booleans()):
            graph.merge()
        if step == 2 and data.draw(st.booleans()):
            nodes += 2
            graph.add_nodes(2)
        held.append(graph.view())
        for view in held[-1], data.draw(st.sampled_from(held)):
            which = data.draw(filters(view.nodes, view.seq))
            allowed = [n for n in range(view.nodes) if "allow" not in which or which["allow"][n]]
            seeds = data.draw(st.lists(st.sampled_from(allowed), max_size=5)) if allowed else []
            all_the_same(view, device, ints(*seeds), native(which))


@pytest.mark.parametrize("direction", ["out", "in", "both"])
def test_hubs_and_hops_too_great_for_shared_memory(device: str, direction: str):
    graph = skewed(1500, 6000)
    hub = np.arange(1, 1200, dtype=np.int64)
    graph.append(source=np.zeros_like(hub), target=hub)
    graph.merge()
    graph.append(source=hub[:40], target=np.full(40, 1400))
    for seeds in (ints(0), ints(7, 900)):
        all_the_same(graph, device, seeds, {"direction": direction})
    cut = ints(0, 2, 2, 5)
    same_bits(graph.khop_batch, device, ints(3, 3, 9, 0, 1), 3, indptr=cut, limit=700)


def test_the_mirror_follows_the_log_and_goes_with_its_graph(device: str):
    gc.collect()
    before = _core.device_bytes(device)
    graph = skewed(300, 1000)
    graph.components(backend=device)
    first = _core.device_bytes(device)
    assert first > before
    old = graph.view()
    for i in range(8):
        graph.append(source=ints(i, 299), target=ints(299, i + 3))
        graph.close(ints(i))
        same_bits(graph.bfs, device, ints(5))
        same_bits(old.components, device)
    assert _core.device_bytes(device) > first  # the log's edges and the closings
    graph.merge()
    same_bits(graph.components, device)
    del old
    grown = _core.device_bytes(device)
    branch = graph.branch()
    branch.append(source=ints(1), target=ints(298))
    same_bits(branch.bfs, device, ints(1))
    same_bits(graph.bfs, device, ints(1))
    assert _core.device_bytes(device) > grown
    del graph, branch
    gc.collect()
    assert _core.device_bytes(device) == before
    assert _core.device_bytes("cpu") == 0


def test_several_threads_ask_while_one_writes(device: str):
    graph = skewed(60, 200)
    wrong: list[Exception | str] = []

    def ask() -> None:
        try:
            for _ in range(5):
                view = graph.view()
                same_bits(view.bfs, device, ints(1, 7))
                same_bits(view.khop_batch, device, ints(2, 9), 2)
        except Exception as error:  # what a thread raises would be lost
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(20):
        graph.add(i, 59 - i)
        graph.close(ints(i))
    for thread in threads:
        thread.join()
    assert not wrong


def test_empty_graphs_and_bad_questions(device: str):
    empty = _core.Graph(0)
    same_bits(empty.components, device)
    same_bits(empty.khop_batch, device, ints(), 2)
    same_bits(empty.bfs, device, ints())
    graph = skewed(20, 40)
    same_bits(graph.khop_batch, device, ints(), 2, indptr=ints(0, 0, 0))
    with pytest.raises(_core.NotFoundError, match="bfs: there is no node 20"):
        graph.bfs(ints(20), backend=device)
    with pytest.raises(_core.InvalidArgumentError, match="hops must be between"):
        graph.khop(ints(1), 65, backend=device)


def test_an_unknown_backend_is_refused():
    graph = skewed(20, 40)
    for ask in (
        lambda: graph.khop(ints(1), 1, backend="x"),
        lambda: graph.bfs(ints(1), backend="x"),
        lambda: graph.components(backend="x"),
        lambda: graph.shortest_paths(ints(1), backend="x"),
        lambda: graph.best_paths(ints(1), backend="x"),
    ):
        with pytest.raises(_core.InvalidArgumentError, match="there is no backend called 'x'"):
            ask()
