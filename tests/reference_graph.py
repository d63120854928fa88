"""The judge of the graph: edges as dicts, walks as dense matrices, nothing shared with the core."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from tests import reference_access as access

Row = dict[str, Any]

TIME_MAX = 2**63 - 1  # an interval that ends here is open
NEVER = 2**63 - 1  # the commit that closes what is not closed
NOW = 2**63 - 2
DELTA = 1e-3
WHOLE = 2.0**62  # a mass of 1
WAITING = 0.25  # mass that may wait at a node, of its share of all edge weight


def visible(row: Row, seq: int) -> bool:
    return row["seq_from"] <= seq < row["seq_to"] and not row["erased"]


def holds(interval: Row, at: int) -> bool:
    """Half-open; an open end never comes."""
    ended = interval["valid_to"] <= at and interval["valid_to"] != TIME_MAX
    return interval["valid_from"] <= at and not ended


class Graph:
    """Versions of memories and of edges, as each commit saw them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.edges: list[Row] = []

    def seen(self, seq: int | None) -> dict[int, Row]:
        return {r["id"]: r for r in self.rows if visible(r, NOW if seq is None else seq)}

    def edges_seen(
        self,
        as_of: int | None = None,
        valid_at: int | None = None,
        types: Iterable[int] | None = None,
        min_weight: float = 0.0,
    ) -> list[Row]:
        """Edges whose both ends are seen, too."""
        seq = NOW if as_of is None else as_of
        rows = self.seen(as_of)
        return [
            e
            for e in self.edges
            if e["seq_from"] <= seq < e["seq_to"]
            and e["source"] in rows
            and e["target"] in rows
            and (types is None or e["type"] in types)
            and (valid_at is None or holds(e, valid_at))
            and np.float32(e["weight"]) >= np.float32(min_weight)
        ]

    def neighbours(self, memory: int, direction: str = "both", **which: Any) -> list[tuple]:
        """(edge, other end, outgoing), by edge id."""
        found = []
        for e in self.edges_seen(**which):
            if e["source"] == memory and direction != "in":
                found.append((e["edge"], e["target"], True))
            if e["target"] == memory and direction != "out":
                found.append((e["edge"], e["source"], False))
        return sorted(found)

    def khop(self, seeds: Iterable[int], hops: int, **which: Any) -> list[tuple[int, int]]:
        """(hop, id) of what lies within `hops`."""
        hop_of = dict.fromkeys(seeds, 0)
        for hop in range(1, hops + 1):
            for memory in [m for m, h in hop_of.items() if h == hop - 1]:
                for _, other, _ in self.neighbours(memory, **which):
                    hop_of.setdefault(other, hop)
        return sorted((hop, memory) for memory, hop in hop_of.items())

    def matrix(self, **which: Any) -> tuple[list[int], np.ndarray]:
        """(ids, symmetric matrix of summed edge weights)."""
        ids = sorted(self.seen(which.get("as_of")))
        at = {memory: i for i, memory in enumerate(ids)}
        weights = np.zeros((len(ids), len(ids)))
        for e in self.edges_seen(**which):
            weights[at[e["source"]], at[e["target"]]] += float(np.float32(e["weight"]))
            weights[at[e["target"]], at[e["source"]]] += float(np.float32(e["weight"]))
        return ids, weights

    def propagate(
        self,
        seeds: Iterable[int],
        weights: Iterable[float] | None = None,
        damping: float = 0.5,
        **which: Any,
    ) -> dict[int, float]:
        """Personalised PageRank; a node without edges sends its mass back to the seeds."""
        ids, matrix = self.matrix(**which)
        start = np.zeros(len(ids))
        for seed, weight in zip(seeds, weights or [1.0] * len(seeds), strict=True):
            start[ids.index(seed)] += weight
        start /= start.sum()
        degree = matrix.sum(axis=1)
        walk = np.where(degree[:, None] > 0, matrix / np.maximum(degree, 1e-300)[:, None], start)
        mass, change = start, 1.0
        while change > 1e-15:
            following = (1 - damping) * start + damping * (mass @ walk)
            mass, change = following, np.abs(following - mass).max()
        return dict(zip(ids, mass.tolist(), strict=True))

    def spread(self, seeds: Iterable[int], **walk: Any) -> dict[int, float]:
        """ln((mass + delta) / (share of all edge weight + delta)) of what the seeds reach."""
        which = {k: v for k, v in walk.items() if k not in ("weights", "damping")}
        ids, matrix = self.matrix(**which)
        seq = NOW if which.get("as_of") is None else which["as_of"]
        known = len({r["id"] for r in self.rows if r["seq_from"] <= seq})
        delta = DELTA / known
        mass = self.propagate(seeds, **walk)
        share = dict(zip(ids, matrix.sum(axis=1) / max(matrix.sum(), 1e-300), strict=True))
        reached = [m for _, m in self.khop(seeds, len(ids), **which)]
        lift = {m: math.log((mass[m] + delta) / (share[m] + delta)) for m in reached}
        return {m: min(max(x, -4.0), 4.0) for m, x in lift.items()}

    def spreading(self, cues: list[int], **which: Any) -> dict[int, float]:
        """Positive lifts by rounds of pushes, as a recall takes them; masses are integers."""
        seq = NOW if which.get("as_of") is None else which["as_of"]
        links: dict[int, list[tuple[int, int]]] = {m: [] for m in self.seen(which.get("as_of"))}
        for e in self.edges_seen(**which):
            units = max(1, int(float(np.float32(e["weight"])) * 2.0**31))
            links[e["source"]].append((e["target"], units))
            links[e["target"]].append((e["source"], units))
        degree = {m: sum(units for _, units in ends) for m, ends in links.items()}
        everything = float(sum(degree.values()))
        bar = WAITING * WHOLE / everything if everything else 0.0
        alone = sum(degree[cue] == 0 for cue in cues)
        share = WHOLE / (len(cues) * (1.0 - 0.5 * (alone / len(cues))))
        settled, waiting = dict.fromkeys(links, 0), dict.fromkeys(links, 0)
        for cue in cues:
            if degree[cue]:
                waiting[cue] += int(share)
            else:
                settled[cue] += int(0.5 * share)
        while full := [m for m in links if float(waiting[m]) > bar * float(degree[m])]:
            handed = {m: 0.5 * float(waiting[m]) / float(degree[m]) for m in full}
            for m in full:
                settled[m] += int(0.5 * float(waiting[m]))
                waiting[m] = 0
            for m in full:
                for other, units in links[m]:
                    waiting[other] += int(handed[m] * units)
        delta = DELTA / len({r["id"] for r in self.rows if r["seq_from"] <= seq})
        rest = 0.5 * (float(sum(waiting.values())) / WHOLE)
        lifts = {}
        for m in links:
            prior = degree[m] / everything if everything else 0.0
            mass = (float(settled[m]) + 0.5 * float(waiting[m])) / WHOLE + rest * prior
            if mass > prior:
                lifts[m] = min(access.log((mass + delta) / (prior + delta)), 4.0)
        return lifts
