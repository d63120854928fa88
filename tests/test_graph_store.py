"""The graph of its own against its judge: random histories, every verb and filter, equal bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.reference_graph_store import TIME_MAX, TIME_MIN, GraphStore, columns, f32
from tests.strategies import Pair, edge, row

from remanence import _core

pytestmark = pytest.mark.native

NODES = 9
WEIGHTS = (1.0, 0.5, 0.25, 0.3, 0.7, 0.9)
TYPES = (1, 6, 300)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@st.composite
def edge_rows(draw: Any, nodes: int, most: int = 8, least: int = 0) -> list[dict[str, Any]]:
    """Edges, of which some say nothing about type, weight or interval."""
    given_columns = draw(st.sets(st.sampled_from(["type", "weight", "valid_from", "valid_to"])))
    node = st.integers(0, nodes - 1)
    values = {
        "type": st.sampled_from(TYPES),
        "weight": st.sampled_from(WEIGHTS),
        "valid_from": st.sampled_from([TIME_MIN, 0, 10]),
        "valid_to": st.sampled_from([11, 20, TIME_MAX]),
    }
    fields = {"source": node, "target": node, **{name: values[name] for name in given_columns}}
    return draw(st.lists(st.fixed_dictionaries(fields), min_size=least, max_size=most))


def filters(nodes: int, seq: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "types": st.lists(st.sampled_from([*TYPES, 99]), max_size=3),
            "direction": st.sampled_from(["out", "in", "both"]),
            "min_weight": st.sampled_from([0.0, 0.3, 0.5, 1.0]),
            "valid_at": st.sampled_from([TIME_MIN, -1, 0, 10, 15, 20, TIME_MAX]),
            "as_of": st.integers(0, seq + 1),
            "allow": st.lists(
                st.sampled_from([True, True, True, True, False]), min_size=nodes, max_size=nodes
            ).map(np.array),
        },
    )


def native(which: dict[str, Any]) -> dict[str, Any]:
    if "types" not in which:
        return which
    return {**which, "types": np.array(which["types"], np.uint16)}


def same(got: np.ndarray, want: Any) -> None:
    assert got.tolist() == list(want)


def check_lists(judge: GraphStore, graph: Any, which: dict[str, Any], nodes: list[int]) -> None:
    same(graph.find_edges(**native(which)), [e["edge"] for e in judge.seen(**which)])
    rows = judge.rows(**which)
    same(graph.degree(**native(which)), [len(row) for row in rows])
    indptr, node, edge, outgoing = graph.adjacency(ints(*nodes), **native(which))
    same(np.diff(indptr), [len(rows[n]) for n in nodes])
    wanted = [(o, e["edge"], out) for n in nodes for o, e, out in rows[n]]
    found = zip(node.tolist(), edge.tolist(), outgoing.tolist(), strict=True)
    assert list(found) == wanted
    inside = [
        e["edge"] for e in judge.seen(**which) if e["source"] in nodes and e["target"] in nodes
    ]
    same(graph.subgraph(ints(*nodes), **native(which)), inside)


def check_walks(judge: GraphStore, graph: Any, which: dict[str, Any], seeds: list[int]) -> None:
    asked, from_ = native(which), ints(*seeds)
    hop, edge = graph.bfs(from_, parents=True, **asked)
    same(hop, judge.bfs(seeds, **which))
    same(graph.bfs(from_, **asked), hop.tolist())
    far = [math.inf if h < 0 else h for h in hop.tolist()]
    same(edge, judge.parents(seeds, far, "hops", **which))
    same(graph.components(**asked), judge.components(**which))
    for limit in (2, 1000):
        node, hops = graph.khop(from_, 2, limit=limit, **asked)
        got = list(zip(hops.tolist(), node.tolist(), strict=True))
        assert got == judge.khop(seeds, 2, **which)[:limit]
    indptr, node, hops = graph.khop_batch(from_, 1, **asked)
    for i, seed in enumerate(seeds):
        part = slice(indptr[i], indptr[i + 1])
        got = list(zip(hops[part].tolist(), node[part].tolist(), strict=True))
        assert got == judge.khop([seed], 1, **which)


def check_paths(judge: GraphStore, graph: Any, which: dict[str, Any], seeds: list[int]) -> None:
    asked, from_ = native(which), ints(*seeds)
    lengths = np.arange(len(judge.edges), dtype=np.float64) % 4  # zeros among them
    for by, verb, extra in (
        ("length", graph.shortest_paths, {}),
        ("length", graph.shortest_paths, {"lengths": lengths}),
        ("weight", graph.best_paths, {}),
    ):
        value, edge = verb(from_, parents=True, **extra, **asked)
        want = judge.best(seeds, by, **extra, **which)
        same(value, want)
        same(edge, judge.parents(seeds, want, by, **extra, **which))


def check_masses(judge: GraphStore, graph: Any, which: dict[str, Any], seeds: list[int]) -> None:
    asked, from_ = native(which), ints(*seeds)
    if not seeds:
        return
    weights = [0.5 + i for i in range(len(seeds))]
    settings_ = {"damping": 0.6, "tolerance": 1e-9 if len(seeds) == 2 else 1e-6}
    want = judge.propagate(seeds, weights, **settings_, **which)
    got = graph.propagate(from_, weights=np.array(weights, np.float32), **settings_, **asked)
    same(got, want)
    assert got.sum() == pytest.approx(1.0, abs=settings_["tolerance"])
    batch = graph.propagate_batch(from_, **settings_, **asked)
    for mass, seed in zip(batch, seeds, strict=True):
        same(mass, judge.propagate([seed], **settings_, **which))

    rank = graph.pagerank(damping=0.6, tolerance=1e-6, **asked)
    allowed = [n for n in range(judge.nodes) if "allow" not in which or which["allow"][n]]
    same(rank, judge.propagate(allowed, damping=0.6, tolerance=1e-6, **which))
    check_near(judge, graph, which, seeds)


def check_near(judge: GraphStore, graph: Any, which: dict[str, Any], seeds: list[int]) -> None:
    """Local masses are off by at most twice what is left; lifts are those of exact masses."""
    asked, from_ = native(which), ints(*seeds)
    exact = judge.propagate(seeds, damping=0.6, tolerance=1e-10, **which)
    node, mass, left = graph.push(from_, damping=0.6, residual=0.01, top=100, **asked)
    assert np.abs(mass - exact[node]).sum() <= 2 * left + 1e-9
    order = list(zip((-mass).tolist(), node.tolist(), strict=True))
    assert order == sorted(order)
    node, lift = graph.spread(from_, damping=0.6, tolerance=1e-10, **asked)
    degree = np.array([sum(float(f32(e)) for _, e, _ in row) for row in judge.rows(**which)])
    prior, delta = degree / max(degree.sum(), 1e-300), 1e-3 / judge.nodes
    want = np.clip(np.log((exact + delta) / (prior + delta)), -4, 4)
    assert sorted(node.tolist()) == np.flatnonzero(exact > 0).tolist()
    assert lift == pytest.approx(want[node], abs=1e-6)


def check_communities(
    judge: GraphStore, graph: Any, which: dict[str, Any], seeds: list[int]
) -> None:
    asked = native(which)
    weights = np.zeros((judge.nodes, judge.nodes))
    for e in judge.seen(**which):
        weights[e["source"], e["target"]] += f32(e)
        weights[e["target"], e["source"]] += f32(e)
    total = weights.sum()
    for method in ("leiden", "labels"):
        label, quality = graph.communities(method, seed=len(seeds), **asked)
        one = label[:, None] == label[None, :]
        degree = weights.sum(axis=1)
        expected = np.outer(degree, degree) / max(total, 1e-300)
        want = ((weights - expected) * one).sum() / total if total else 0.0
        assert quality == pytest.approx(want, abs=1e-9)
        assert graph.modularity(label, **asked) == quality
        for community in set(label.tolist()):
            members = np.flatnonzero(label == community)
            assert members[0] == community
            inner = GraphStore(judge.nodes)
            inner.edges = [
                e for e in judge.edges if {e["source"], e["target"]} <= set(members.tolist())
            ]
            inner.seq = judge.seq
            assert {inner.components(**which)[m] for m in members} == {community}
        if method == "leiden":
            alone, together = np.arange(judge.nodes), np.array(judge.components(**which))
            for plain in (alone, together):
                assert quality >= graph.modularity(plain, **asked) - 1e-9


def check_ways(judge: GraphStore, graph: Any, which: dict[str, Any], seeds: list[int]) -> None:
    # The judge lists every path, which only few edges allow; the farthest node has most of them.
    if seeds and len(judge.seen(**which)) <= 12:
        hop = judge.bfs(seeds[:1], **which)
        for by in ("hops", "length", "weight"):
            check_between(judge, graph, which, (seeds[0], hop.index(max(hop))), by, None)


def check_between(
    judge: GraphStore,
    graph: Any,
    which: dict[str, Any],
    ends: tuple[int, int],
    by: str,
    lengths: Any,
) -> None:
    source, target = ends
    want = judge.paths(source, target, by, lengths, **which)
    asked = {"by": by, "lengths": lengths, **native(which)}
    found = graph.paths(source, target, 50, **asked)
    got = [(value, edge.tolist()) for value, edge, _ in found]
    assert got == want[:50]
    value, edge, node = graph.path(source, target, **asked)
    if want:
        assert value == want[0][0]
        assert edge.tolist() == want[0][1]
        assert (node[0], node[-1]) == (source, target)
        assert len(node) == len(edge) + 1
    else:
        assert value == (0.0 if by == "weight" else math.inf)
        assert len(edge) == len(node) == 0


CHECKS = (
    check_communities, check_lists, check_walks, check_paths, check_masses, check_ways,
)  # fmt: skip


class Histories(RuleBasedStateMachine):
    """Appends, closings, merges and branches in any order; every verb after each of them."""

    @initialize(nodes=st.integers(1, NODES), data=st.data())
    def begin(self, nodes: int, data: st.DataObject) -> None:
        self.pairs = [(GraphStore(nodes), _core.Graph(nodes))]
        self.views: list[tuple[GraphStore, Any]] = []
        self.at = 0
        # Most questions to a graph without edges prove nothing.
        rows = data.draw(edge_rows(nodes, least=min(nodes, 4), most=12))
        self.pairs[0][0].append(rows)
        self.pairs[0][1].append(**dict(columns(rows)))

    @property
    def pair(self) -> tuple[GraphStore, Any]:
        return self.pairs[self.at % len(self.pairs)]

    @rule(count=st.integers(0, 3))
    def add_nodes(self, count: int) -> None:
        judge, graph = self.pair
        assert graph.add_nodes(count) == judge.nodes
        judge.nodes += count

    @rule(data=st.data(), one_by_one=st.booleans())
    def append(self, data: st.DataObject, one_by_one: bool) -> None:
        judge, graph = self.pair
        rows = data.draw(edge_rows(judge.nodes))
        first = len(judge.edges)
        if one_by_one:
            for i, row in enumerate(rows):
                judge.append([row])
                assert graph.add(**row) == first + i
        elif rows:
            judge.append(rows)
            assert graph.append(**dict(columns(rows))) == first

    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        judge, graph = self.pair
        live = [e["edge"] for e in judge.seen()]
        if live:
            chosen = data.draw(st.lists(st.sampled_from(live), max_size=4, unique=True))
            judge.close(chosen)
            graph.close(ints(*chosen))

    @rule()
    def merge(self) -> None:
        self.pair[1].merge()
        assert self.pair[1].log_edges == 0

    @rule()
    def branch(self) -> None:
        if len(self.pairs) < 3:
            self.pairs.append((self.pair[0].branch(), self.pair[1].branch()))

    @rule(at=st.integers(0, 2))
    def turn_to(self, at: int) -> None:
        self.at = at

    @rule()
    def keep_view(self) -> None:
        self.views = [*self.views[-1:], (self.pair[0].branch(), self.pair[1].view())]

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        for judge, graph in [self.pair, *self.views]:
            which = data.draw(st.one_of(st.just({}), filters(judge.nodes, judge.seq)))
            allowed = [n for n in range(judge.nodes) if "allow" not in which or which["allow"][n]]
            few = st.lists(st.sampled_from(allowed), max_size=3) if allowed else st.just([])
            seeds = data.draw(few)
            for check in CHECKS:
                check(judge, graph, which, seeds)

    @invariant()
    def counts(self) -> None:
        for judge, graph in self.pairs:
            assert graph.nodes == judge.nodes
            assert graph.edges == len(judge.edges)
            assert graph.live_edges == len(judge.seen())
            assert graph.seq == judge.seq
        for judge, view in self.views:
            assert (view.nodes, view.edges, view.seq) == (
                judge.nodes, len(judge.edges), judge.seq,
            )  # fmt: skip
            numbers = np.arange(view.edges)
            for name, column in view.edge_columns(numbers).items():
                same(column, [np.asarray(e[name], column.dtype).item() for e in judge.edges])


Histories.TestCase.settings = settings(stateful_step_count=25)
TestHistories = Histories.TestCase


@given(st.data())
def test_paths_between_two_nodes(data: st.DataObject) -> None:
    judge, graph = GraphStore(6), _core.Graph(6)
    for _ in range(2):
        rows = data.draw(edge_rows(6, most=6))
        judge.append(rows)
        if rows:
            graph.append(**dict(columns(rows)))
    which = data.draw(filters(6, judge.seq))
    which.pop("allow", None)
    source, target = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    by = data.draw(st.sampled_from(["hops", "length", "weight"]))
    lengths = np.arange(len(judge.edges), dtype=np.float64) % 3 if by == "length" else None
    check_between(judge, graph, which, (source, target), by, lengths)


def test_the_engine_gives_its_edges_as_a_graph() -> None:
    pair = Pair()
    pair.append(*[row(i) for i in (7, 3, 5)])
    pair.link(edge(1, 7, 3, weight=0.5), edge(2, 3, 5, type=16))
    pair.by_ids("unlink", 1)
    pair.link(edge(4, 5, 7))
    graph, memory, number = pair.engine.graph()
    assert (memory.tolist(), number.tolist()) == ([7, 3, 5], [1, 2, 4])
    columns_ = graph.edge_columns(np.arange(3))
    same(memory[columns_["source"]], [7, 3, 5])
    same(memory[columns_["target"]], [3, 5, 7])
    same(columns_["type"], [1, 16, 1])
    for seq in range(pair.seq + 1):
        seen = [e["edge"] for e in pair.judge.edges if e["seq_from"] <= seq < e["seq_to"]]
        same(number[graph.find_edges(as_of=seq)], seen)


@pytest.mark.parametrize("verb", ["bfs", "shortest_paths", "best_paths"])
def test_a_batch_of_trees_holds_those_of_each_question(verb):
    rng = np.random.default_rng(1)
    graph = _core.Graph(60)
    weight = rng.random(150).astype(np.float32) * np.float32(0.9) + np.float32(0.1)
    graph.append(rng.integers(0, 30, 150), rng.integers(30, 60, 150), weight=weight)
    seeds, cut = np.array([3, 40, 7, 7, 59]), np.array([0, 2, 3, 5])
    value, edge = getattr(graph, f"{verb}_batch")(seeds, parents=True, indptr=cut)
    for q in range(3):
        alone = getattr(graph, verb)(seeds[cut[q] : cut[q + 1]], parents=True)
        assert value[q].tolist() == alone[0].tolist()
        assert edge[q].tolist() == alone[1].tolist()


def test_a_batch_of_walks_takes_the_weights_of_each_question():
    rng = np.random.default_rng(2)
    graph = _core.Graph(40)
    graph.append(rng.integers(0, 20, 90), rng.integers(20, 40, 90))
    seeds, cut = np.array([3, 30, 7, 8, 39]), np.array([0, 2, 5])
    weights = np.array([1.0, 5.0, 2.0, 0.5, 9.0], np.float32)
    masses = graph.propagate_batch(seeds, weights, indptr=cut)
    start, node, lift = graph.spread_batch(seeds, weights, indptr=cut)
    for q in range(2):
        part = slice(cut[q], cut[q + 1])
        assert masses[q].tolist() == graph.propagate(seeds[part], weights[part]).tolist()
        alone = graph.spread(seeds[part], weights[part])
        assert node[start[q] : start[q + 1]].tolist() == alone[0].tolist()
        assert lift[start[q] : start[q + 1]].tolist() == alone[1].tolist()


@given(data=st.data())
def test_a_batch_of_paths_holds_those_of_each_pair(data):
    nodes = data.draw(st.integers(2, 9))
    node = st.integers(0, nodes - 1)
    weighted = st.tuples(node, node, st.sampled_from([0.25, 0.5, 1.0]))
    edges = data.draw(st.lists(weighted, max_size=30))
    graph = _core.Graph(nodes)
    if edges:
        source, target, weight = zip(*edges, strict=True)
        graph.append(np.array(source), np.array(target), weight=np.array(weight, np.float32))
    pairs = np.array(data.draw(st.lists(st.tuples(node, node), min_size=1, max_size=5)))
    sources, targets = pairs.T.copy()
    asked = data.draw(st.integers(1, 3)), data.draw(st.sampled_from(["length", "weight", "hops"]))
    indptr, values, cut, edge, on_way = graph.paths_batch(sources, targets, *asked)
    for q, (first, last) in enumerate(pairs.tolist()):
        alone = graph.paths(first, last, *asked)
        batched = range(indptr[q], indptr[q + 1])
        assert [values[p] for p in batched] == [value for value, _, _ in alone]
        for p, (_, edges_alone, nodes_alone) in zip(batched, alone, strict=True):
            assert edge[cut[p] : cut[p + 1]].tolist() == edges_alone.tolist()
            assert on_way[cut[p] + p : cut[p + 1] + p + 1].tolist() == nodes_alone.tolist()
