"""Merges beside the writer: nothing written meanwhile is lost, and no answer changes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from remanence import _core

pytestmark = pytest.mark.native

NODES, BASE, BATCH = 2000, 200_000, 40_000
"""A batch is more than the log may hold beside such a base, so a merge begins with it."""


def ends(rng: np.random.Generator, count: int, nodes: int = NODES) -> Any:
    return rng.integers(0, nodes, (2, count))


def started(rng: np.random.Generator) -> tuple[Any, list[Any]]:
    """A graph whose merge has just begun, and the ends of its edges."""
    graph, parts = _core.Graph(NODES), [ends(rng, BASE), ends(rng, BATCH)]
    for part in parts:
        graph.append(*part)
    return graph, parts


def merged(graph: Any) -> bool:
    """Whether the log becomes short without another write."""
    until = time.monotonic() + 60
    while graph.log_edges >= BATCH and time.monotonic() < until:
        time.sleep(0.001)
    return graph.log_edges < BATCH


def columns(graph: Any) -> dict[str, Any]:
    return graph.edge_columns(np.arange(graph.edges))


def test_a_merge_ends_without_another_write() -> None:
    rng = np.random.default_rng(1)
    graph, parts = started(rng)
    before = graph.view()
    want = before.components()
    assert merged(graph)
    assert graph.log_edges == 0
    found = columns(graph)
    assert np.array_equal([found["source"], found["target"]], np.concatenate(parts, axis=1))
    assert np.array_equal(before.components(), want)
    assert np.array_equal(graph.components(), want)


@pytest.mark.parametrize("round_", range(4))
def test_what_is_written_meanwhile_is_there_after_the_merge(round_: int) -> None:
    rng = np.random.default_rng(round_)
    graph, parts = started(rng)
    closed: dict[int, int] = {}
    views = []

    def close(edges: Any) -> None:
        commit = graph.close(np.asarray(edges, np.int64))
        closed.update(dict.fromkeys(np.asarray(edges).tolist(), commit))

    for turn in range(20):
        open_ = np.setdiff1d(rng.integers(0, graph.edges, 50), list(closed))
        close(open_)
        part = ends(rng, 100, graph.nodes)
        first = graph.append(*part)
        parts.append(part)
        close([first, first + 99])
        parts.append(np.array([[graph.add_nodes(1)], [turn]]))
        graph.add(*parts[-1][:, 0].tolist())
        views.append((graph.view(), dict(closed)))
        if turn == 10:
            assert merged(graph)
    if round_ % 2 == 0:
        graph.merge()
    found = columns(graph)
    assert np.array_equal([found["source"], found["target"]], np.concatenate(parts, axis=1))
    last = np.iinfo(np.int64).max
    for view, then in [*views, (graph.view(), closed)]:
        want = np.full(view.edges, last)
        want[list(then)] = list(then.values())
        assert np.array_equal(columns(view)["seq_to"], want)
        assert np.array_equal(view.find_edges(), np.flatnonzero(want == last))
    again = _core.Graph(graph.nodes)
    kept = graph.find_edges()
    again.append(found["source"][kept], found["target"][kept])
    seeds = np.array([3], np.int64)
    for verb in ("bfs", "propagate", "shortest_paths"):
        assert getattr(graph, verb)(seeds).tobytes() == getattr(again, verb)(seeds).tobytes()


def test_a_branch_of_a_graph_that_merges() -> None:
    rng = np.random.default_rng(5)
    graph, _ = started(rng)
    branch = graph.branch()
    branch.close(np.arange(10))
    assert branch.live_edges == graph.live_edges - 10
    assert len(graph.find_edges()) == graph.edges


def test_a_graph_that_merges_may_go() -> None:
    for round_ in range(5):
        graph, _ = started(np.random.default_rng(round_))
        del graph


FORK = """
import os
import sys
import numpy as np
from tests.test_graph_merges import started
graph, parts = started(np.random.default_rng(6))
child = os.fork()
graph.close(np.arange(5))
for _ in range(3):
    graph.append(*parts[1])
want = np.concatenate([*parts, *[parts[1]] * 3], axis=1)
graph.merge()
found = graph.edge_columns(np.arange(graph.edges))
right = np.array_equal([found["source"], found["target"]], want)
right &= len(graph.find_edges()) == graph.edges - 5 and graph.log_edges == 0
if child == 0:
    os._exit(0 if right else 1)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print("both" if right and code == 0 else (right, code))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_merges_by_itself() -> None:
    for _ in range(5):
        run = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK]
        done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
        assert (done.stdout, done.stderr) == ("both\n", "")


FORK_BESIDE = """
import os
import threading
import numpy as np
from remanence import _core

ends, done = np.arange(8), threading.Event()

def write():
    # The first edges make a base, whose own lock is made while the graph's is held.
    while not done.is_set():
        graph = _core.Graph(8)
        graph.append(ends, ends)

writers = [threading.Thread(target=write) for _ in range(2)]
for writer in writers:
    writer.start()
for _ in range(100):
    child = os.fork()
    if child == 0:
        graph = _core.Graph(8)
        graph.append(ends, ends)
        os._exit(0 if graph.edges == 8 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
done.set()
for writer in writers:
    writer.join()
print("forked")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_of_threads_that_make_bases() -> None:
    run = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK_BESIDE]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("forked\n", "")
