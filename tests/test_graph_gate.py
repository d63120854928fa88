"""Filters by a word per arc: whatever the columns hold, what passes is what the columns say."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remanence import _core

pytestmark = pytest.mark.native

NODES, EDGES = 300, 6000
LOW, HIGH = np.iinfo(np.int64).min, np.iinfo(np.int64).max
SPANS = {
    "few": lambda rng, n: rng.choice([LOW, -5, 0, 7, 8], n),
    "many": lambda rng, n: rng.integers(-10_000, 10_000, n),
    "wide": lambda rng, n: rng.integers(LOW, HIGH, n),
    "crowded": lambda rng, n: (rng.random(n) ** 40 * 1e15).astype(np.int64),
    "one": lambda _, n: np.full(n, 3),
}


def columns(rng: np.random.Generator, count: int, spans: Any, types: int) -> dict[str, Any]:
    """Edges whose starts are spread as the name says; half of them are open."""
    start = spans(rng, count)
    end = np.where(rng.random(count) < 0.5, HIGH, start + (HIGH - np.maximum(start, 0)) // 3)
    end = np.where(rng.random(count) < 0.4, np.maximum(start, start + 1 + start % 50), end)
    end = np.where(end <= start, HIGH, end)
    return {
        "source": rng.integers(0, NODES, count),
        "target": rng.integers(0, NODES, count),
        "type": rng.integers(1, types + 1, count).astype(np.uint16),
        "weight": np.maximum(rng.random(count) ** 3, 1e-6).astype(np.float32),
        "valid_from": np.minimum(start, HIGH - 1),
        "valid_to": end,
    }


def passes(table: dict[str, Any], which: dict[str, Any]) -> Any:
    """Which edges pass, by their columns."""
    ok = (table["seq_from"] <= which["as_of"]) & (which["as_of"] < table["seq_to"])
    if "types" in which:
        ok &= np.isin(table["type"], which["types"])
    ok &= table["weight"] >= np.float32(which.get("min_weight", 0.0))
    if "valid_at" in which:
        at = which["valid_at"]
        ok &= (table["valid_from"] <= at) & ((at < table["valid_to"]) | (table["valid_to"] == HIGH))
    return ok


def check(graph: Any, rng: np.random.Generator, types: int) -> None:
    table = graph.edge_columns(np.arange(graph.edges))
    times = np.concatenate([table["valid_from"], table["valid_to"], [LOW, HIGH, 0]])
    for _ in range(40):
        which: dict[str, Any] = {"as_of": graph.seq - int(rng.integers(0, 2))}
        if rng.random() < 0.7:
            which["valid_at"] = int(rng.choice(times))
        if rng.random() < 0.7:
            which["min_weight"] = float(rng.choice(table["weight"]))
        if rng.random() < 0.7:
            which["types"] = rng.integers(1, types + 2, rng.integers(1, types)).astype(np.uint16)
        kept = np.flatnonzero(passes(table, which))
        assert graph.find_edges(**which).tolist() == kept.tolist()
        plain = _core.Graph(NODES)
        plain.append(table["source"][kept], table["target"][kept], weight=table["weight"][kept])
        seeds = rng.integers(0, NODES, 3)
        for name, *extra in (("khop", 2), ("bfs",), ("best_paths",), ("shortest_paths",)):
            found, want = (getattr(g, name)(seeds, *extra, **f)
                           for g, f in ((graph, which), (plain, {})))  # fmt: skip
            for a, b in zip(np.atleast_2d(found), np.atleast_2d(want), strict=True):
                assert a.tobytes() == b.tobytes(), (name, which)
        assert np.array_equal(graph.components(**which), plain.components())


@pytest.mark.parametrize("types", [3, 40])
@pytest.mark.parametrize("spans", SPANS)
def test_what_passes_is_what_the_columns_say(spans: str, types: int) -> None:
    rng = np.random.default_rng([len(spans), types])
    graph = _core.Graph(NODES)
    graph.append(**columns(rng, EDGES, SPANS[spans], types))
    check(graph, rng, types)
    # A log behind the base, too short to be merged.
    graph.append(**columns(rng, EDGES // 40, SPANS[spans], types))
    check(graph, rng, types)
    # Values that the codes of the base were not made for, merged into it.
    graph.append(**columns(rng, EDGES // 4, SPANS["wide"], types + 20))
    graph.merge()
    check(graph, rng, types + 20)
    graph.close(rng.choice(graph.edges, 50, replace=False))
    check(graph, rng, types + 20)
    graph.append(**columns(rng, 3 * EDGES, SPANS["many"], types))
    graph.merge()
    check(graph, rng, types)


LARGE = 21_003
SMALL, MANY = 30_000, 170_000
"""Edges of which all arcs are asked at once, with a row of a thousand arcs, and of which not."""
VERBS = {
    "bfs": lambda g, d, **f: g.bfs(np.array([3, 2000]), direction=d, **f),
    "khop": lambda g, d, **f: g.khop_batch(np.arange(0, 600, 7), 2, direction=d, **f),
    "shortest_paths": lambda g, d, **f: g.shortest_paths(np.array([5]), direction=d, **f),
    "best_paths": lambda g, d, **f: g.best_paths(np.array([5]), direction=d, **f),
    "components": lambda g, d, **f: g.components(direction=d, **f),
}


def as_bytes(found: Any) -> list[bytes]:
    parts = found if isinstance(found, tuple) else (found,)
    return [np.ascontiguousarray(part).tobytes() for part in parts]


def large_answers(many: int) -> str:
    """Every verb on a graph of many nodes, as the graph of what passes answers: one base, a
    log behind it, edges closed, nodes left out. The digest of the answers.
    """
    rng = np.random.default_rng(5)
    table = columns(rng, many, SPANS["many"], 6)
    table["source"] = (LARGE * rng.random(many) ** 3).astype(np.int64)
    table["target"] = rng.integers(0, LARGE - 1000, many)
    digest = hashlib.sha256()
    graph = _core.Graph(LARGE)
    graph.append(**{name: values[:-2000] for name, values in table.items()})
    graph.merge()
    for stage in ("base", "log", "closed", "merged"):
        if stage == "log":
            graph.append(**{name: values[-2000:] for name, values in table.items()})
        if stage == "closed":
            graph.close(rng.choice(graph.edges, 5000, replace=False))
        if stage == "merged":
            graph.merge()
        there = graph.edge_columns(np.arange(graph.edges))
        for nth, (direction, verb) in enumerate(
            (d, v) for d in ("both", "out", "in") for v in VERBS if d == "both" or v != "components"
        ):
            which = {
                "types": rng.permutation(6)[:4].astype(np.uint16) + np.uint16(1),
                "min_weight": float(rng.random() ** 3 / 4),
                "valid_at": int(rng.integers(-9000, 9000)),
                "as_of": graph.seq,
            }
            kept = passes(there, which)
            if nth % 4 == 3:
                allow = rng.random(LARGE) < 0.8
                allow[:2001] = True
                which["allow"] = allow
                kept &= allow[there["source"]] & allow[there["target"]]
            plain = _core.Graph(LARGE)
            plain.append(there["source"][kept], there["target"][kept],
                         weight=there["weight"][kept])  # fmt: skip
            found, want = VERBS[verb](graph, direction, **which), VERBS[verb](plain, direction)
            if verb == "components" and "allow" in which:  # a node left out is in none
                found, want = found[allow], want[allow]
            found, want = as_bytes(found), as_bytes(want)
            assert found == want, (stage, verb, direction)
            for part in found:
                digest.update(part)
    return digest.hexdigest()


@pytest.mark.parametrize("edges", [SMALL, MANY])
def test_large_graphs_answer_the_same_by_every_set_of_instructions(edges: int) -> None:
    code = f"from tests.test_graph_gate import large_answers; print(large_answers({edges}))"
    found = set()
    for simd in _core.available_simd():
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"REMANENCE_SIMD": simd},
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (simd, done.stderr)
        found.add(done.stdout)
    assert len(found) == 1
