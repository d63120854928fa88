"""The judge of a graph of its own: a list of events, each verb as a textbook would write it."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

Row = dict[str, Any]
TIME_MIN, TIME_MAX = -(2**63), 2**63 - 1
NEVER = 2**63 - 1
RELATED = 6
UNIT = 2.0**62  # mass is summed in units of 2^-62, so that the order does not matter


class GraphStore:
    """Edges as rows in the order of append; a node is a number below `nodes`."""

    def __init__(self, nodes: int = 0) -> None:
        self.nodes, self.seq, self.edges = nodes, 0, list[Row]()

    def branch(self) -> GraphStore:
        other = GraphStore(self.nodes)
        other.seq, other.edges = self.seq, [dict(e) for e in self.edges]
        return other

    def append(self, rows: Iterable[Row], seq: int | None = None) -> None:
        plain = {"type": RELATED, "weight": 1.0, "valid_from": TIME_MIN, "valid_to": TIME_MAX}
        rows = list(rows)
        if not rows:
            return
        self.seq = self.seq + 1 if seq is None else seq
        for row in rows:
            number = {"edge": len(self.edges), "seq_from": self.seq, "seq_to": NEVER}
            self.edges.append(plain | row | number)

    def close(self, edges: Iterable[int]) -> None:
        edges = list(edges)
        if edges:
            self.seq += 1
        for number in edges:
            self.edges[number]["seq_to"] = self.seq

    def seen(
        self,
        types: Iterable[int] | None = None,
        min_weight: float = 0.0,
        valid_at: int | None = None,
        as_of: int | None = None,
        allow: np.ndarray | None = None,
        direction: str = "both",
    ) -> list[Row]:
        """Edges that pass; `direction` is the walker's affair."""
        del direction
        seq = self.seq if as_of is None else as_of
        return [
            e
            for e in self.edges
            if e["seq_from"] <= seq < e["seq_to"]
            and (types is None or e["type"] in types)
            and np.float32(e["weight"]) >= np.float32(min_weight)
            and (
                valid_at is None
                or (
                    e["valid_from"] <= valid_at
                    and (valid_at < e["valid_to"] or e["valid_to"] == TIME_MAX)
                )
            )
            and (allow is None or (allow[e["source"]] and allow[e["target"]]))
        ]

    def rows(self, **which: Any) -> list[list[tuple[int, Row, bool]]]:
        """Per node (other end, edge, outgoing): out arcs by edge number, then in arcs."""
        direction, edges = which.get("direction", "both"), self.seen(**which)
        rows: list[list[tuple[int, Row, bool]]] = [[] for _ in range(self.nodes)]
        if direction != "in":
            for e in edges:
                rows[e["source"]].append((e["target"], e, True))
        if direction != "out":
            for e in edges:
                rows[e["target"]].append((e["source"], e, False))
        return rows

    def bfs(self, seeds: Iterable[int], **which: Any) -> list[int]:
        rows, hop = self.rows(**which), [-1] * self.nodes
        level, far = set(seeds), 0
        while level:
            for node in level:
                hop[node] = far
            level = {other for node in level for other, _, _ in rows[node] if hop[other] < 0}
            far += 1
        return hop

    def khop(self, seeds: Iterable[int], hops: int, **which: Any) -> list[tuple[int, int]]:
        hop = self.bfs(seeds, **which)
        return sorted((h, node) for node, h in enumerate(hop) if 0 <= h <= hops)

    def components(self, **which: Any) -> list[int]:
        label = list(range(self.nodes))
        edges = self.seen(**which)
        for _ in range(self.nodes):
            for e in edges:
                low = min(label[e["source"]], label[e["target"]])
                label[e["source"]] = label[e["target"]] = low
        return label

    def best(self, seeds: Iterable[int], by: str, lengths: Any = None, **which: Any) -> list[float]:
        """Dijkstra with a heap: least sums (`length`, `hops`) or greatest products (`weight`)."""
        rows, sign = self.rows(**which), -1.0 if by == "weight" else 1.0
        value = [sign * math.inf if by != "weight" else 0.0] * self.nodes
        heap = [(sign * start(by), seed) for seed in set(seeds)]
        for _, seed in heap:
            value[seed] = start(by)
        heapq.heapify(heap)
        while heap:
            signed, node = heapq.heappop(heap)
            if sign * signed != value[node]:
                continue
            for other, e, _ in rows[node]:
                reached = extend(value[node], e, by, lengths)
                if sign * reached < sign * value[other]:
                    value[other] = reached
                    heapq.heappush(heap, (sign * reached, other))
        return value

    def parents(
        self, seeds: Iterable[int], value: list[float], by: str, lengths: Any = None, **which: Any
    ) -> list[int]:
        """The edge by which a best path arrives: of those with fewest hops the least number."""
        rows, edge = self.rows(**which), [-1] * self.nodes
        worst = 0.0 if by == "weight" else math.inf
        done, level = set(seeds), set(seeds)
        while level:
            found: dict[int, int] = {}
            for node in level:
                for other, e, _ in rows[node]:
                    worth = extend(value[node], e, by, lengths)
                    if other not in done and worst != worth == value[other]:
                        found[other] = min(found.get(other, NEVER), e["edge"])
            for node, number in found.items():
                edge[node] = number
            level = set(found)
            done |= level
        return edge

    def paths(
        self, source: int, target: int, by: str, lengths: Any = None, **which: Any
    ) -> list[tuple[float, list[int]]]:
        """Every path without a repeated node, best first; of equal ones that of fewer hops."""
        rows, found = self.rows(**which), list[tuple[float, list[int]]]()

        def go(node: int, value: float, edges: list[int], been: set[int]) -> None:
            if node == target:
                found.append((value, edges))
                return
            for other, e, _ in rows[node]:
                if other not in been:
                    worth = extend(value, e, by, lengths)
                    go(other, worth, [*edges, e["edge"]], been | {other})

        go(source, start(by), [], {source})
        sign = -1.0 if by == "weight" else 1.0
        return sorted(found, key=lambda f: (sign * f[0], len(f[1]), f[1]))

    def propagate(
        self,
        seeds: list[int],
        weights: list[float] | None = None,
        damping: float = 0.5,
        tolerance: float = 1e-9,
        **which: Any,
    ) -> np.ndarray:
        """Power iteration whose every sum is taken in the engine's order, so bits are equal."""
        forward = self.rows(**which)
        turned = {"out": "in", "in": "out"}.get(which.get("direction", "both"), "both")
        back = self.rows(**{**which, "direction": turned})
        share: dict[int, float] = {}
        for i, seed in enumerate(seeds):
            share[seed] = share.get(seed, 0.0) + (1.0 if weights is None else float(weights[i]))
        total = math.fsum(1.0 if weights is None else float(w) for w in (weights or seeds))
        start = np.zeros(self.nodes)
        for seed, w in share.items():
            start[seed] = w / total
        degree = np.array([lanes([np.float64(f32(e)) for _, e, _ in row]) for row in forward])
        inverse = np.array([1.0 / d if d > 0 else 0.0 for d in degree])
        mass, keep = start, 1.0 - damping
        near = tolerance * keep
        # Values are handed over in single precision where that leaves half of the tolerance.
        rounded = near - damping * 2.0**-24 >= near * 0.5 and inverse.max() <= 1e20
        near = near - damping * 2.0**-24 if rounded else near
        rounds, off = 1, 2.0 * damping
        while off > 0.5 * tolerance and rounds < 20_000:
            rounds, off = rounds + 1, off * damping
        for _ in range(rounds):
            lost = sum(int(m * UNIT) for m, d in zip(mass, degree, strict=True) if d == 0)
            returned = keep + damping * (lost / UNIT)
            scaled = (mass * inverse).astype(np.float32 if rounded else np.float64)
            scaled = scaled.astype(np.float64)
            after = np.zeros(self.nodes)
            for node in range(self.nodes):
                terms = [np.float64(f32(e)) * scaled[other] for other, e, _ in back[node]]
                after[node] = damping * lanes(terms)
                if start[node] > 0:
                    after[node] += returned * start[node]
            change = sum(int(abs(x) * UNIT) for x in after - mass) / UNIT
            mass = after
            if change * damping <= near:
                break
        return mass


def f32(edge: Row) -> np.float32:
    return np.float32(edge["weight"])


def lanes(terms: list[Any]) -> float:
    """Term i adds to lane i mod 4; then the lanes in pairs."""
    lane = [0.0, 0.0, 0.0, 0.0]
    for i, term in enumerate(terms):
        lane[i % 4] += float(term)
    return (lane[0] + lane[1]) + (lane[2] + lane[3])


def start(by: str) -> float:
    return 1.0 if by == "weight" else 0.0


def extend(value: float, edge: Row, by: str, lengths: Any = None) -> float:
    weight = float(np.float32(edge["weight"]))
    if by == "weight":
        return value * weight
    return value + (1.0 if by == "hops" else weight if lengths is None else lengths[edge["edge"]])


def columns(rows: list[Row]) -> Iterator[tuple[str, np.ndarray]]:
    """The columns of Graph.append that these rows fill."""
    types = {"source": np.int64, "target": np.int64, "type": np.uint16, "weight": np.float32}
    for name, dtype in (types | {"valid_from": np.int64, "valid_to": np.int64}).items():
        if all(name in row for row in rows):
            yield name, np.array([row[name] for row in rows], dtype)
