"""The judge of graphs in time: a list of events, replayed from the start for each question."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TIME_MIN, TIME_MAX = -(2**63), 2**63 - 1
NEVER = 2**63 - 1
RELATED = 6


@dataclass
class Event:
    """What one commit did to one edge: "append" or "close"."""

    seq: int
    what: str
    edge: int
    source: int = -1
    target: int = -1
    type: int = RELATED
    weight: float = 1.0
    valid_from: int = TIME_MIN
    valid_to: int = TIME_MAX


@dataclass
class EventList:
    """Takes the writes of a native graph and answers its verbs by replaying every event."""

    nodes: int = 0
    events: list[Event] = field(default_factory=list)
    seq: int = 0
    edges: int = 0

    # Writing

    def append(self, rows: Iterable[tuple], seq: int | None = None) -> int:
        """rows: (source, target, type, weight, valid_from, valid_to)."""
        self.seq = self.seq + 1 if seq is None else seq
        first = self.edges
        for row in rows:
            self.events.append(Event(self.seq, "append", self.edges, *row))
            self.edges += 1
        return first

    def close(self, edges: Iterable[int], seq: int | None = None) -> None:
        self.seq = self.seq + 1 if seq is None else seq
        self.events += [Event(self.seq, "close", edge) for edge in edges]

    def branch(self) -> EventList:
        return EventList(self.nodes, list(self.events), self.seq, self.edges)

    # What is there

    def live(
        self,
        types: Iterable[int] | None = None,
        direction: str = "both",  # noqa: ARG002
        min_weight: float = 0.0,
        valid_at: int | None = None,
        as_of: int | None = None,
        allow: Iterable[bool] | None = None,
    ) -> dict[int, Event]:
        """Edges that pass, by number."""
        there: dict[int, Event] = {}
        for event in self.events:
            if as_of is not None and event.seq > as_of:
                break
            if event.what == "close":
                there.pop(event.edge, None)
            else:
                there[event.edge] = event
        may = None if allow is None else list(allow)
        return {
            number: e
            for number, e in there.items()
            if (types is None or e.type in set(types))
            and np.float32(e.weight) >= np.float32(min_weight)
            and (valid_at is None or holds(e, valid_at))
            and (may is None or (may[e.source] and may[e.target]))
        }

    def arcs(self, **which: Any) -> dict[int, list[tuple[int, int, float]]]:
        """node -> (edge, other end, weight): out arcs by edge, then in arcs by edge."""
        direction = which.get("direction", "both")
        found: dict[int, list[tuple[int, int, float]]] = {n: [] for n in range(self.nodes)}
        live = sorted(self.live(**which).items())
        if direction != "in":
            for number, e in live:
                found[e.source].append((number, e.target, float(np.float32(e.weight))))
        if direction != "out":
            for number, e in live:
                found[e.target].append((number, e.source, float(np.float32(e.weight))))
        return found

    # Verbs

    def find_edges(self, **which: Any) -> list[int]:
        return sorted(self.live(**which))

    def degree(self, **which: Any) -> list[int]:
        return [len(arcs) for arcs in self.arcs(**which).values()]

    def adjacency(self, nodes: Iterable[int], **which: Any) -> list[list[tuple[int, int]]]:
        arcs = self.arcs(**which)
        return [[(other, edge) for edge, other, _ in arcs[n]] for n in nodes]

    def bfs(self, seeds: Iterable[int], **which: Any) -> list[int]:
        arcs = self.arcs(**which)
        hop = [-1] * self.nodes
        queue = deque(dict.fromkeys(seeds))
        for seed in queue:
            hop[seed] = 0
        while queue:
            node = queue.popleft()
            for _, other, _ in arcs[node]:
                if hop[other] < 0:
                    hop[other] = hop[node] + 1
                    queue.append(other)
        return hop

    def bfs_parents(self, hop: list[int], **which: Any) -> list[int]:
        """The least edge from the hop before, of every node that one leads to."""
        arcs = self.arcs(**which)
        parent = [-1] * self.nodes
        for node, out in arcs.items():
            for edge, other, _ in out:
                tight = hop[node] >= 0 and hop[other] == hop[node] + 1
                if tight and (parent[other] < 0 or edge < parent[other]):
                    parent[other] = edge
        return parent

    def khop(self, seeds: Iterable[int], hops: int, **which: Any) -> list[tuple[int, int]]:
        hop = self.bfs(seeds, **which)
        return sorted((h, node) for node, h in enumerate(hop) if 0 <= h <= hops)

    def components(self, **which: Any) -> list[int]:
        arcs = self.arcs(**(which | {"direction": "both"}))
        label = [-1] * self.nodes
        for start in range(self.nodes):
            if label[start] >= 0:
                continue
            stack = [start]
            label[start] = start
            while stack:
                for _, other, _ in arcs[stack.pop()]:
                    if label[other] < 0:
                        label[other] = start
                        stack.append(other)
        return label

    def shortest_paths(
        self, seeds: Iterable[int], lengths: list[float] | None = None, **which: Any
    ) -> list[float]:
        return self._best(
            seeds, math.inf, 0.0, lambda d, e, w: d + (w if lengths is None else lengths[e]), which
        )

    def best_paths(self, seeds: Iterable[int], **which: Any) -> list[float]:
        """Products of weights, by a search for the least negated product."""
        found = self._best(seeds, 0.0, -1.0, lambda d, _, w: d * w, which)
        return [-value for value in found]

    def _best(
        self, seeds: Iterable[int], none: float, start: float, step: Any, which: dict[str, Any]
    ) -> list[float]:
        arcs = self.arcs(**which)
        value = [none] * self.nodes
        heap = [(start, seed) for seed in seeds]
        done: set[int] = set()
        while heap:
            at, node = heapq.heappop(heap)
            if node in done:
                continue
            done.add(node)
            value[node] = at
            for edge, other, weight in arcs[node]:
                if other not in done:
                    heapq.heappush(heap, (step(at, edge, weight), other))
        return value

    def paths(
        self, source: int, target: int, k: int, most: int = 500, **which: Any
    ) -> list[tuple[float, list[int]]] | None:
        """The k best paths by product, then hops, then edges; None after `most` partial paths."""
        if self.bfs([source], **which)[target] < 0:
            return []
        arcs = self.arcs(**which)
        heap = [(-1.0, 0, list[int](), [source])]
        found: list[tuple[float, list[int]]] = []
        while heap and len(found) < k:
            value, hops, edges, nodes = heapq.heappop(heap)
            most -= 1
            if most < 0:
                return None
            if nodes[-1] == target:
                found.append((-value, edges))
                continue
            for edge, other, weight in arcs[nodes[-1]]:
                if other not in nodes:
                    step = (value * weight, hops + 1, [*edges, edge], [*nodes, other])
                    heapq.heappush(heap, step)
        return found

    def pagerank(
        self,
        start: list[float] | None = None,
        damping: float = 0.85,
        **which: Any,
    ) -> list[float]:
        """Power iteration to 1e-14; what has no way out sends its mass back to the start."""
        arcs = self.arcs(**which)
        base = [1.0] * self.nodes if start is None else start
        total = math.fsum(base)
        base = [value / total for value in base]
        mass, change = base, 1.0
        out = {node: math.fsum(w for _, _, w in found) for node, found in arcs.items()}
        while change > 1e-14:
            stuck = math.fsum(mass[n] for n in range(self.nodes) if not out[n])
            following = [(1 - damping + damping * stuck) * value for value in base]
            for node, found in arcs.items():
                for _, other, weight in found:
                    following[other] += damping * mass[node] * weight / out[node]
            change = math.fsum(abs(a - b) for a, b in zip(mass, following, strict=True))
            mass = following
        return mass

    def propagate(
        self,
        seeds: list[int],
        weights: list[float] | None = None,
        damping: float = 0.5,
        **which: Any,
    ) -> list[float]:
        start = [0.0] * self.nodes
        for seed, weight in zip(seeds, weights or [1.0] * len(seeds), strict=True):
            start[seed] += weight
        return self.pagerank(start, damping, **which)

    def spread(self, seeds: list[int], damping: float = 0.5, **which: Any) -> dict[int, float]:
        """ln((mass + delta) / (share of all arcs + delta)), within 4 nats, of what is reached."""
        mass = self.propagate(seeds, None, damping, **which)
        arcs = self.arcs(**which)
        degree = [math.fsum(w for _, _, w in arcs[node]) for node in range(self.nodes)]
        total, delta = math.fsum(degree), 1e-3 / self.nodes
        lifts = {}
        for node, hop in enumerate(self.bfs(seeds, **which)):
            if hop >= 0:
                share = degree[node] / total if total else 0.0
                lift = math.log((mass[node] + delta) / (share + delta))
                lifts[node] = min(max(lift, -4.0), 4.0)
        return lifts

    def modularity(self, label: list[int], **which: Any) -> float:
        """Share of weight inside the groups, less what chance would put there."""
        inside: dict[int, float] = {}
        degree: dict[int, float] = {}
        total = 0.0
        for e in self.live(**which).values():
            weight = float(np.float32(e.weight))
            total += weight
            for end in (e.source, e.target):
                degree[label[end]] = degree.get(label[end], 0.0) + weight
            if label[e.source] == label[e.target]:
                inside[label[e.source]] = inside.get(label[e.source], 0.0) + weight
        if not total:
            return 0.0
        chance = math.fsum((d / (2 * total)) ** 2 for d in degree.values())
        return math.fsum(inside.values()) / total - chance

    def joined(self, label: list[int], **which: Any) -> bool:
        """Whether each group is connected within itself and named by its least node."""
        arcs = self.arcs(**(which | {"direction": "both"}))
        groups: dict[int, set[int]] = {}
        for node, name in enumerate(label):
            groups.setdefault(name, set()).add(node)
        for name, group in groups.items():
            found, stack = {name}, [name]
            while stack:
                for _, other, _ in arcs[stack.pop()]:
                    if other in group and other not in found:
                        found.add(other)
                        stack.append(other)
            if found != group or name != min(group):
                return False
        return True

    def subgraph(self, nodes: Iterable[int], **which: Any) -> list[int]:
        kept = set(nodes)
        live = self.live(**which)
        return sorted(n for n, e in live.items() if e.source in kept and e.target in kept)

    def walks(self, start: int, steps: list[dict[str, Any]]) -> Iterator[tuple[int, ...]]:
        """Edges of every walk that takes one arc per step; a step is its own filter."""
        if not steps:
            yield ()
            return
        for edge, other, _ in self.arcs(**steps[0])[start]:
            for rest in self.walks(other, steps[1:]):
                yield (edge, *rest)


def holds(event: Event, moment: int) -> bool:
    """Half-open; an open end never comes."""
    ended = event.valid_to <= moment and event.valid_to != TIME_MAX
    return event.valid_from <= moment and not ended
