"""The backend of NetworkX: its own suite, conversion without loss, answers equal to NetworkX's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from _remanence_networkx import FUNCTIONS, get_info

nx = pytest.importorskip("networkx")

from remanence.integrations.networkx.backend import Backend  # noqa: E402
from remanence.integrations.networkx.graph import convert_from_nx, convert_to_nx  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Note. conversions to backend graphs")

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("traversal", "shortest_paths", "link_analysis", "components", "community")


def suite(report: Path, backend: str | None) -> dict[str, Any]:
    """Run NetworkX's own tests of the packages; outcomes by test and calls by function."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NETWORKX_")}
    paths = [str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
    environment |= {"REMANENCE_NX_REPORT": str(report), "PYTHONPATH": os.pathsep.join(paths)}
    if backend:
        environment |= {"NETWORKX_TEST_BACKEND": backend, "NETWORKX_FALLBACK_TO_NX": "True"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.graph.nx_calls"]
    command += [
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        f"--rootdir={report.parent}",
        "--pyargs",
    ]
    command += [f"networkx.algorithms.{name}" for name in PACKAGES]
    done = subprocess.run(
        command, env=environment, cwd=report.parent, capture_output=True, text=True, check=False
    )
    assert report.exists(), done.stdout[-4000:] + done.stderr[-4000:]
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


@pytest.mark.native
@pytest.mark.slow
def test_networkx_own_suite(tmp_path):
    plain = suite(tmp_path / "plain.json", None)
    ours = suite(tmp_path / "ours.json", "remanence")
    assert len(plain["outcomes"]) > 400
    assert plain["outcomes"].keys() == ours["outcomes"].keys()
    bad = {
        test: outcome
        for test, outcome in ours["outcomes"].items()
        if outcome == "failed" and plain["outcomes"][test] != "failed"
    }
    assert not bad
    assert not plain["calls"]
    # A pass proves nothing where NetworkX ran in our stead: every function answered some call.
    assert sorted(ours["calls"]) == sorted(FUNCTIONS)
    assert sum(ours["calls"].values()) > 1000


# Conversion

attributes = st.dictionaries(st.sampled_from(["weight", "colour", 3]), st.integers(-2, 2))
labels = st.one_of(st.integers(0, 4), st.sampled_from(["a", "b", (1, 2), frozenset([7]), None]))
kinds = st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])


@st.composite
def graphs(draw: st.DrawFn, kind: Any = None, weights: Any = attributes) -> Any:
    graph = (kind or draw(kinds))(name=draw(st.sampled_from(["", "g"])))
    names = draw(st.lists(labels.filter(lambda x: x is not None), max_size=7, unique=True))
    for name in names:
        graph.add_node(name, **{str(k): v for k, v in draw(attributes).items()})
    if names:
        end = st.sampled_from(names)
        for a, b, data in draw(st.lists(st.tuples(end, end, weights), max_size=12)):
            if graph.is_multigraph():
                key = graph.add_edge(a, b)
                graph[a][b][key].update(data)
            else:
                graph.add_edge(a, b)
                graph[a][b].update(data)
    return graph


@given(graphs())
def test_conversion_keeps_everything(graph):
    made = convert_from_nx(
        graph, preserve_edge_attrs=True, preserve_node_attrs=True, preserve_graph_attrs=True
    )
    back = convert_to_nx(made)
    assert type(back) is type(graph)
    assert back.graph == graph.graph
    assert list(back.nodes(data=True)) == list(graph.nodes(data=True))
    assert back._adj == graph._adj
    assert [list(near) for near in back._adj.values()] == [list(n) for n in graph._adj.values()]
    if graph.is_directed():
        assert back._pred == graph._pred
    assert made.number_of_edges() == graph.number_of_edges()
    for a, b, data in back.edges(data=True):
        data["touched"] = (a, b)
        assert back.is_directed() or data in _between(back, b, a)
        assert not any("touched" in old for _, _, old in graph.edges(data=True))


def _between(graph: Any, a: Any, b: Any) -> list[dict[str, Any]]:
    return list(graph[a][b].values()) if graph.is_multigraph() else [graph[a][b]]


# Answers

weights = st.fixed_dictionaries({}, optional={"weight": st.sampled_from([0, 1, 2, 3, 0.25, 0.1])})


def same(name: str, *args: Any, **kwargs: Any) -> Any:
    """(ours, NetworkX's): what the function returns, or the type of what it raises."""

    def run(backend: str) -> Any:
        try:
            found = getattr(nx, name)(*args, backend=backend, **kwargs)
            return list(found) if hasattr(found, "__next__") else found
        except (nx.NetworkXException, ValueError, ZeroDivisionError) as error:
            return type(error)

    return run("remanence"), run("networkx")


@pytest.mark.native
@given(graphs(weights=weights), st.data())
def test_searches_equal_networkx(graph, data):
    if not len(graph):
        return
    node = data.draw(st.sampled_from(list(graph)))
    cutoff = data.draw(st.one_of(st.none(), st.integers(0, 3)))
    for name in ("bfs_edges", "bfs_predecessors", "bfs_successors"):
        ours, theirs = same(name, graph, node, depth_limit=cutoff)
        assert ours == theirs
    ours, theirs = same("bfs_layers", graph, node)
    assert ours == theirs
    for name in ("single_source_shortest_path", "single_source_shortest_path_length"):
        ours, theirs = same(name, graph, node, cutoff=cutoff)
        assert ours == theirs
    ours, theirs = same("single_target_shortest_path_length", graph, node, cutoff=cutoff)
    assert ours == theirs
    ours, theirs = same("descendants_at_distance", graph, node, data.draw(st.integers(0, 3)))
    assert ours == theirs


@pytest.mark.native
@given(graphs(weights=weights), st.data())
def test_lengths_have_the_bits_of_networkx(graph, data):
    if not len(graph):
        return
    node = data.draw(st.sampled_from(list(graph)))
    cutoff = data.draw(st.one_of(st.none(), st.sampled_from([0, 1, 2.5])))
    ours, theirs = same("single_source_dijkstra", graph, node, cutoff=cutoff)
    assert ours[0] == theirs[0]
    assert ours[1].keys() == theirs[1].keys()
    for end, path in ours[1].items():
        assert (path[0], path[-1]) == (node, end)
        assert length(graph, path) == ours[0][end]
    other = data.draw(st.sampled_from(list(graph)))
    ours, theirs = same("shortest_path_length", graph, node, other, weight="weight")
    assert ours == theirs
    ours, theirs = same("all_pairs_bellman_ford_path_length", graph)
    assert ours == theirs


def length(graph: Any, path: list[Any]) -> float:
    total = 0
    for a, b in pairwise(path):
        total += min(data.get("weight", 1) for data in _between(graph, a, b))
    return total


@pytest.mark.native
@given(graphs(weights=weights), st.sampled_from([0.5, 0.85]), st.booleans())
def test_pagerank_is_networkx_pagerank(graph, alpha, personal):
    start = {node: i for i, node in enumerate(graph, 1)} if personal else None
    given_ = {"alpha": alpha, "personalization": start, "tol": 1e-12}
    ours = nx.pagerank(graph, backend="remanence", **given_)
    assert ours == pytest.approx(nx.pagerank(graph, max_iter=1000, **given_), abs=1e-6)
    assert not ours or sum(ours.values()) == pytest.approx(1)


@pytest.mark.native
@given(graphs())
def test_components_equal_networkx(graph):
    kind = "weakly_" if graph.is_directed() else ""
    for name in (f"{kind}connected_components", f"number_{kind}connected_components"):
        ours, theirs = same(name, graph)
        assert ours == theirs
    ours, theirs = same(f"is_{kind}connected", graph)
    assert ours == theirs


@pytest.mark.native
@given(graphs(kind=nx.Graph, weights=weights))
def test_communities_are_connected_and_weighed_alike(graph):
    found = nx.community.leiden_communities(graph, seed=1, backend="remanence")
    assert nx.community.is_partition(graph, found)
    positive = graph.edge_subgraph(
        [(a, b) for a, b, data in graph.edges(data=True) if data.get("weight", 1) > 0]
    )
    assert all(len(one) == 1 or nx.is_connected(positive.subgraph(one)) for one in found)
    if positive.number_of_edges():
        ours = nx.community.modularity(graph, found, backend="remanence")
        assert ours == pytest.approx(nx.community.modularity(graph, found), abs=1e-6)


NO_PARTITIONS = [[[0, 1]], [[0, 1], [1, 2]], [[0, 1, 2, 2]], [[0, 1, 2, 9]]]


@pytest.mark.parametrize("parts", NO_PARTITIONS)
def test_what_is_no_partition_has_no_modularity(parts):
    with pytest.raises(nx.NetworkXError):
        nx.community.modularity(nx.path_graph(3), parts, backend="remanence")


REFUSED = [
    ("single_source_dijkstra", {"weight": len}, "for the given arguments"),
    ("bfs_edges", {"sort_neighbors": sorted}, "for the given arguments"),
    ("single_source_dijkstra", {"weight": "negative"}, "raised NotImplementedError"),
    ("single_source_dijkstra", {"weight": "text"}, "raised NotImplementedError"),
    ("single_source_dijkstra", {"weight": "large"}, "raised NotImplementedError"),
    ("single_source_dijkstra", {"weight": "infinite"}, "raised NotImplementedError"),
]


@pytest.mark.parametrize(("name", "kwargs", "sentence"), REFUSED)
def test_what_is_not_served_is_refused(name, kwargs, sentence):
    graph = nx.path_graph(3)
    values = {"negative": -1, "text": "x", "large": 2**60, "infinite": float("inf")}
    for attribute, value in values.items():
        nx.set_edge_attributes(graph, value, attribute)
    with pytest.raises(NotImplementedError) as caught:
        getattr(nx, name)(graph, 0, backend="remanence", **kwargs)
    assert sentence in str(caught.value)


def test_can_run_says_why():
    graph = nx.path_graph(3)
    assert Backend.can_run("dijkstra_path", (graph, 0, 2), {}) is True
    reason = Backend.can_run("dijkstra_path", (graph, 0, 2), {"weight": len})
    assert reason == "callables run in NetworkX only"
    reason = Backend.can_run("pagerank", (graph,), {"dangling": {0: 1}})
    assert "dangling" in reason
    reason = Backend.can_run("leiden_communities", (graph,), {"max_level": 2})
    assert "to the end" in reason


# What the metadata and the page say


def test_metadata_names_what_is_there():
    assert nx.config.backends.remanence is not None
    assert set(get_info()["functions"]) == set(FUNCTIONS)
    for name in FUNCTIONS:
        assert callable(getattr(Backend, name))
        assert "remanence" in nx.utils.backends._registered_algorithms[name].backends
    assert "Runs on the native graph" in nx.pagerank.__doc__


def test_the_page_names_what_dispatches():
    page = (ROOT / "docs" / "networkx.md").read_text(encoding="utf-8")
    table = page.split("## What dispatches")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[2])]
    assert sorted(named) == sorted(FUNCTIONS)


def test_importing_networkx_does_not_import_us():
    code = "import sys, networkx; sys.exit('remanence' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_answers_hold_python_numbers():
    graph = nx.path_graph(3)
    nx.set_edge_attributes(graph, np.float64(0.5), "weight")
    found = nx.single_source_dijkstra_path_length(graph, 0, backend="remanence")
    assert {type(value) for value in found.values()} == {float}
    whole = nx.single_source_dijkstra_path_length(nx.path_graph(3), 0, backend="remanence")
    assert {type(value) for value in whole.values()} == {int}
