"""As of and valid at, for every verb: random histories of real facts against a list of events."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.graph.events import TIME_MAX, TIME_MIN, EventList
from tests.graph.strategies import arrays

from remanence.memory.graph import GraphView, NativeGraph

pytestmark = pytest.mark.native

Fact = tuple[int, int, int, float, int, int]
"""(source, target, type, weight, valid from, valid to)."""


class Pair:
    """A native graph and its judge, written alike; a random history of given facts."""

    def __init__(self, facts: list[Fact], draw: random.Random) -> None:
        nodes = 1 + max((max(f[0], f[1]) for f in facts), default=0)
        self.draw = draw
        self.native = NativeGraph(nodes)
        self.judge = EventList(nodes)
        self.moments = sorted({t for f in facts for t in f[4:] if t not in (TIME_MIN, TIME_MAX)})
        self.types = sorted({f[2] for f in facts})
        at = 0
        while at < len(facts):
            size = draw.choice([1, 1, 5, 50, 200])
            self.append(facts[at : at + size])
            at += size
            if draw.random() < 0.5:
                self.close(draw.choice([1, 3, 20]))
            if draw.random() < 0.2:
                self.native.merge()

    def append(self, facts: list[Fact]) -> None:
        first = self.native.append(**arrays(facts))
        assert first == self.judge.append(facts)

    def close(self, count: int) -> None:
        live = self.judge.find_edges()
        chosen = sorted(self.draw.sample(live, min(count, len(live))))
        self.native.close(np.array(chosen, np.int64))
        self.judge.close(chosen)

    def filters(self) -> dict[str, Any]:
        """A random moment, a random commit, and now and then everything else."""
        draw = self.draw
        moment = draw.choice(self.moments or [0]) + draw.choice([-1, 0, 0, 1])
        kinds = draw.sample(self.types, draw.randint(1, len(self.types)))
        some = {
            "valid_at": draw.choice([None, moment, moment]),
            "as_of": draw.choice([None, draw.randint(0, self.judge.seq)]),
            "direction": draw.choice(["out", "in", "both"]),
            "min_weight": draw.choice([0.0, 0.0, 0.5]),
            "types": draw.choice([None, sorted(kinds)]),
        }
        if draw.random() < 0.3:
            some["allow"] = [draw.random() < 0.8 for _ in range(self.judge.nodes)]
        return some

    def mismatches(self, which: dict[str, Any]) -> list[str]:
        """The verbs that answer otherwise than the judge."""
        return [name for name, agrees in self.answers(which) if not agrees]

    def answers(self, which: dict[str, Any]) -> Iterator[tuple[str, bool]]:
        native, judge, draw = self.native, self.judge, self.draw
        asked = {k: v for k, v in which.items() if v is not None}
        if "types" in asked:
            asked["types"] = np.array(asked["types"], np.uint16)
        if "allow" in asked:
            asked["allow"] = np.array(asked["allow"], bool)
        may = [n for n in range(judge.nodes) if which.get("allow", [True] * judge.nodes)[n]]
        if not may:
            return
        # Most nodes of a sparse graph are alone: seeds come from where the edges are.
        ends = [n for e in judge.live(**which).values() for n in (e.source, e.target)]
        seeds = [draw.choice(ends or may) for _ in range(draw.choice([1, 1, 3]))]
        start = np.array(seeds, np.int64)
        lengths = [draw.choice([0.0, 0.1, 1.0, 2.5]) for _ in range(judge.edges)]

        edges = native.find_edges(**asked)
        yield "find_edges", edges.tolist() == judge.find_edges(**which)
        yield "edge_columns", columns_agree(native.edge_columns(edges), judge, edges.tolist())
        yield "degree", native.degree(**asked).tolist() == judge.degree(**which)
        indptr, node, edge, _ = native.adjacency(start, **asked)
        cut = zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True)
        pairs = list(zip(node.tolist(), edge.tolist(), strict=True))
        yield "adjacency", [pairs[a:b] for a, b in cut] == judge.adjacency(seeds, **which)
        hops = draw.randint(0, 4)
        reached, hop = native.khop(start, hops, **asked)
        found = list(zip(hop.tolist(), reached.tolist(), strict=True))
        yield "khop", found == judge.khop(seeds, hops, **which)
        indptr, node, hop = native.khop_batch(start, hops, **asked)
        cut = zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True)
        pairs = list(zip(hop.tolist(), node.tolist(), strict=True))
        each = [judge.khop([seed], hops, **which) for seed in seeds]
        yield "khop_batch", [pairs[a:b] for a, b in cut] == each
        hop, parent = native.bfs(start, parents=True, **asked)
        want = judge.bfs(seeds, **which)
        yield "bfs", hop.tolist() == want
        yield "bfs parents", parent.tolist() == judge.bfs_parents(want, **which)
        yield "components", native.components(**asked).tolist() == judge.components(**which)
        distance = judge.shortest_paths(seeds, lengths, **which)
        found = native.shortest_paths(start, np.array(lengths), **asked)
        yield "shortest_paths", found.tolist() == distance
        product = judge.best_paths(seeds, **which)
        yield "best_paths", native.best_paths(start, **asked).tolist() == product
        alone = [[seed] for seed in seeds]
        hop = native.bfs_batch(start, **asked)
        yield "bfs_batch", hop.tolist() == [judge.bfs(one, **which) for one in alone]
        found = native.shortest_paths_batch(start, np.array(lengths), **asked)
        distances = [judge.shortest_paths(one, lengths, **which) for one in alone]
        yield "shortest_paths_batch", found.tolist() == distances
        found = native.best_paths_batch(start, **asked)
        products = [judge.best_paths(one, **which) for one in alone]
        yield "best_paths_batch", found.tolist() == products
        yield from self.masses(asked, which, seeds, may)
        among = draw.sample(may, max(1, len(may) // 2))
        chosen = native.subgraph(np.array(among, np.int64), **asked)
        yield "subgraph", chosen.tolist() == judge.subgraph(among, **which)
        yield from self.ways(asked, which, seeds[0], may)

    def masses(
        self, asked: dict[str, Any], which: dict[str, Any], seeds: list[int], may: list[int]
    ) -> Iterator[tuple[str, bool]]:
        native, judge, start = self.native, self.judge, np.array(seeds, np.int64)
        mass = native.propagate(start, damping=0.6, tolerance=1e-11, **asked)
        wanted = judge.propagate(seeds, damping=0.6, **which)
        yield "propagate", close(mass, wanted)
        node, near, left = native.push(start, damping=0.6, residual=1e-3, top=100, **asked)
        off = abs(near - np.array(wanted)[node]).sum()
        yield "push", off <= 2 * left + 1e-9 and len(node) > 0
        parts = native.push_batch(start, damping=0.6, residual=1e-3, top=100, **asked)
        cut = zip(parts[0][:-1].tolist(), parts[0][1:].tolist(), strict=True)
        yield (
            "push_batch",
            [parts[1][a:b].tolist() for a, b in cut]
            == [
                native.push(start[i : i + 1], damping=0.6, residual=1e-3, top=100, **asked)[
                    0
                ].tolist()
                for i in range(len(seeds))
            ],
        )
        batch = native.propagate_batch(start[:2], damping=0.6, tolerance=1e-11, **asked)
        alone = [wanted] if len(seeds) == 1 else [
            judge.propagate([seed], damping=0.6, **which) for seed in seeds[:2]
        ]  # fmt: skip
        yield "propagate_batch", all(map(close, batch, alone))
        there = set(may)
        allowed = [1.0 if n in there else 0.0 for n in range(judge.nodes)]
        rank = native.pagerank(0.7, 1e-11, **asked)
        yield "pagerank", close(rank, judge.pagerank(allowed, 0.7, **which))
        label, quality = native.communities(seed=3, **asked)
        yield "communities", judge.joined(label.tolist(), **which)
        same = native.modularity(label, **asked) == quality
        yield "modularity", same and near_to(quality, judge.modularity(label.tolist(), **which))
        label, _ = native.communities("labels", seed=3, **asked)
        yield "communities by labels", judge.joined(label.tolist(), **which)
        reached, lift = native.spread(start, damping=0.6, tolerance=1e-11, **asked)
        wanted = judge.spread(seeds, damping=0.6, **which)
        yield "spread", lifts_agree(reached.tolist(), lift.tolist(), wanted)
        cut, reached, lift = native.spread_batch(start[:2], damping=0.6, tolerance=1e-11, **asked)
        wanted = [judge.spread([seed], damping=0.6, **which) for seed in seeds[:2]]
        yield (
            "spread_batch",
            all(
                lifts_agree(reached[a:b].tolist(), lift[a:b].tolist(), want)
                for a, b, want in zip(cut[:-1], cut[1:], wanted, strict=True)
            ),
        )

    def ways(
        self, asked: dict[str, Any], which: dict[str, Any], source: int, may: list[int]
    ) -> Iterator[tuple[str, bool]]:
        native, judge = self.native, self.judge
        found = judge.bfs([source], **which)
        # Few nodes of a sparse graph are reached, and an empty answer proves little.
        reached = [n for n, hop in enumerate(found) if hop > 0]
        target = self.draw.choice(reached if reached and self.draw.random() < 0.8 else may)
        best, hops = judge.best_paths([source], **which)[target], found[target]
        by_name = {"weight": best, "hops": math.inf if hops < 0 else hops}
        for by, want in by_name.items():
            value, edge, node = native.path(source, target, by=by, **asked)
            yield f"path by {by}", value == want
            leads = self.leads(edge.tolist(), node.tolist(), source, target, which)
            yield f"path by {by}, its edges", leads
        found = native.paths(source, target, 4, **asked)
        wanted = judge.paths(source, target, 4, **which)
        ways = [(value, edge.tolist()) for value, edge, _ in found]
        # Where there are too many paths to list, the best of them is known all the same.
        yield "paths", ways == wanted if wanted is not None else ways[0][0] == best
        pair = np.array([source] * 2, np.int64), np.array([target, source], np.int64)
        indptr, values, cut, edges, nodes = native.paths_batch(*pair, 4, **asked)
        of_first = range(indptr[1])
        same = [(values[p], edges[cut[p] : cut[p + 1]].tolist()) for p in of_first] == ways
        same &= len(values) == indptr[2] and len(nodes) == len(edges) + len(values)
        same &= [nodes[cut[p] + p : cut[p + 1] + p + 1].tolist() for p in of_first] == [
            node.tolist() for _, _, node in found
        ]
        yield "paths_batch", same
        yield (
            "paths, their edges",
            all(
                self.leads(edge.tolist(), node.tolist(), source, target, which)
                for _, edge, node in found
            ),
        )

    def leads(
        self, edges: list[int], nodes: list[int], source: int, target: int, which: dict[str, Any]
    ) -> bool:
        """Whether the edges are there and lead from node to node; nothing leads nowhere."""
        if not nodes:
            return not edges
        arcs = self.judge.arcs(**which)
        steps = zip(edges, nodes[:-1], nodes[1:], strict=True)
        there = all(any(e == x and b == y for x, y, _ in arcs[a]) for e, a, b in steps)
        return there and (nodes[0], nodes[-1]) == (source, target)


def columns_agree(columns: dict[str, np.ndarray], judge: EventList, edges: list[int]) -> bool:
    events = {e.edge: e for e in judge.events if e.what == "append"}
    names = ("source", "target", "type", "valid_from", "valid_to")
    rows = list(zip(*(columns[name].tolist() for name in (*names, "seq_from")), strict=True))
    return rows == [(*(getattr(events[e], name) for name in names), events[e].seq) for e in edges]


def near_to(value: float, want: float) -> bool:
    return abs(value - want) < 1e-9


def close(found: np.ndarray, want: list[float]) -> bool:
    return bool(np.abs(found - np.array(want)).sum() < 1e-9)


def lifts_agree(reached: list[int], lift: list[float], want: dict[int, float]) -> bool:
    """The lifts, greatest first; what is barely reached may be missing."""
    got = dict(zip(reached, lift, strict=True))
    ranked = [(-value, node) for node, value in got.items()]
    near = all(abs(got[node] - want[node]) < 1e-5 for node in got)
    return ranked == sorted(ranked) and near and got.keys() <= want.keys() and len(got) > 0


def replay(facts: list[Fact], seed: int, questions: int) -> list[tuple[dict[str, Any], list[str]]]:
    """Questions on which some verb disagrees."""
    pair = Pair(facts, random.Random(seed))
    wrong = []
    for question in range(questions):
        which = pair.filters()
        if names := pair.mismatches(which):
            wrong.append((which, names))
        if question % 10 == 9:
            pair.close(5)
            pair.native.merge()
    return wrong


# Made-up facts, always

moments = st.one_of(st.just(None), st.integers(0, 9))


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    start, end = draw(moments), draw(moments)
    if start is not None and end is not None and start >= end:
        end = None
    return (
        draw(st.integers(0, 7)), draw(st.integers(0, 7)), draw(st.sampled_from([1, 6, 65535])),
        draw(st.sampled_from([0.25, 0.5, 0.1, 1.0])),
        TIME_MIN if start is None else start, TIME_MAX if end is None else end,
    )  # fmt: skip


@given(st.lists(facts(), min_size=1, max_size=40), st.integers(0, 10**6))
def test_no_verb_disagrees_on_made_up_facts(some, seed):
    assert replay(some, seed, 4) == []


def test_no_verb_is_left_out():
    facts = [(0, 1, 1, 0.5, 0, 9), (1, 2, 6, 1.0, TIME_MIN, TIME_MAX)]
    asked = {name.split()[0].strip(",") for name, _ in Pair(facts, random.Random(0)).answers({})}
    verbs = {name for name in dir(GraphView) if callable(getattr(GraphView, name))}
    assert asked == {name for name in verbs if not name.startswith("_")}


# Real facts


def yago(folder: Path) -> list[Fact]:
    """Intervals in days; #### is open."""
    path = folder / "tkg_interval" / "yago" / "triple2id.txt"
    if not path.exists():
        pytest.skip("no tkg_interval in the shared data")
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        source, kind, target, since, until = line.split("\t")
        start, end = day(since, TIME_MIN), day(until, TIME_MAX)
        end = end if start < end else start + 1
        found.append((int(source), int(target), int(kind) + 1, 1.0, start, end))
    return found


def day(text: str, unknown: int) -> int:
    year, month, date = re.fullmatch(r"(-?[\d#]+)-([\d#]+)-([\d#]+)", text).groups()
    if "#" in year:
        return unknown
    number = [1 if "#" in part else int(part) for part in (month, date)]
    return int(year) * 372 + number[0] * 31 + number[1]


def icews(folder: Path) -> list[Fact]:
    """Each holds for the day that begins at its hour."""
    path = folder / "tkg_icews14" / "raw" / "data" / "ICEWS14" / "train.txt"
    if not path.exists():
        pytest.skip("no tkg_icews14 in the shared data")
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        (int(s), int(o), int(r) + 1, 1.0, int(hour), int(hour) + 24) for s, r, o, hour, _ in rows
    ]


def sample(facts: list[Fact], draw: random.Random, count: int) -> list[Fact]:
    """Some of the facts with random weights, their nodes numbered anew without gaps."""
    first = draw.randrange(len(facts) - count)
    kept = facts[first : first + count]
    number: dict[int, int] = {}
    return [
        (
            number.setdefault(s, len(number)), number.setdefault(t, len(number)), kind,
            draw.choice([1.0, 0.5, 0.3]), a, b,
        )
        for s, t, kind, _, a, b in kept
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("read", [yago, icews])
def test_no_verb_disagrees_on_real_facts(shared_data: Path, read: Callable[[Path], list[Fact]]):
    facts = read(shared_data)
    for seed in range(2):
        some = sample(facts, random.Random(seed), 1200)
        assert replay(some, seed, 25) == []
