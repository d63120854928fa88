"""The judge of statements: the best three, their phrases, and the walk from these to memories."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests import reference_access as access
from tests.reference_graph import Graph

F = np.float32
Row = dict[str, Any]

MENTIONS, ABOUT, FIRST_FREE = 3, 7, 16
ENTITY, STATEMENT, NODES = 4, 5, (4, 5)
BEST, ROUNDS, LEAST_PUSHED, LEAST_LIFT = 3, 20, 1e-6, 0.0625


def steps(graph: Graph, node: int, seq: int) -> list[tuple[int, float]]:
    """(other end, share of the weight), by edge: statements between entities, and mentions."""
    seen = graph.seen(seq)
    found = []
    for e in graph.edges_seen(as_of=seq):
        if node in (e["source"], e["target"]):
            kinds = {seen[e["source"]]["kind"], seen[e["target"]]["kind"]}
            stated = e["type"] >= FIRST_FREE and kinds == {ENTITY}
            if e["type"] == MENTIONS or stated:
                other = e["target"] if e["source"] == node else e["source"]
                found.append((e["edge"], other, float(F(e["weight"]))))
    degree = 0.0
    for _, _, weight in sorted(found):
        degree += weight
    return [(other, weight / degree) for _, other, weight in sorted(found)]


def seeds(graph: Graph, statements: list[Row], seq: int) -> dict[int, float]:
    """Phrases of the statements in order, each weighed by 1 / memories that mention it."""
    seen = graph.seen(seq)
    weights: dict[int, float] = {}
    for statement in statements:
        about = graph.neighbours(statement["id"], "out", as_of=seq, types=[ABOUT])
        for entity in dict.fromkeys(m for _, m, _ in about):
            mentions = graph.neighbours(entity, "in", as_of=seq, types=[MENTIONS])
            rows = {m for _, m, _ in mentions if seen[m]["kind"] not in NODES}
            weights[entity] = weights.get(entity, 0.0) + 1.0 / max(1, len(rows))
    return weights


def walk(graph: Graph, start: dict[int, float], seq: int) -> dict[int, float]:
    """Personalised PageRank, damping 1/2: each round every node passes on half of what it got."""
    whole = 0.0
    for weight in start.values():
        whole += weight
    start = {node: weight / whole for node, weight in start.items()}
    mass = dict.fromkeys(start, 0.0)
    left = dict(start)
    for _ in range(ROUNDS):
        coming: dict[int, float] = {}
        active = [(node, here) for node, here in left.items() if here > LEAST_PUSHED]
        if not active:
            break
        for node, here in active:
            left[node] = 0.0
            mass[node] += 0.5 * here
            onward = steps(graph, node, seq)
            for other, share in onward or start.items():
                coming[other] = coming.get(other, 0.0) + 0.5 * here * share
                if other not in left:  # in the order in which the walk meets them
                    left[other] = 0.0
                    mass[other] = 0.0
        for node, more in coming.items():
            left[node] += more
    return mass


def add_triples(
    graph: Graph, hits: dict[int, Row], statements: list[Row], weight: F, rows: int, seq: int
) -> None:
    """weight * ln(1 + N pi) for every memory that the walk reaches."""
    start = seeds(graph, statements, seq)
    if weight == 0 or not start:
        return
    seen = graph.seen(seq)
    for memory, mass in walk(graph, start, seq).items():
        lift = rows * mass
        if lift >= LEAST_LIFT and seen[memory]["kind"] not in NODES and memory in hits:
            hits[memory]["terms"]["triples"] = weight * F(access.log(1.0 + lift))
