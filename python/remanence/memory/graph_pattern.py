"""Questions of a few hops: a pattern is written step by step and answered in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidArgumentError, RemanenceError, renamed
from .graph_table import Name
from .graph_verbs import Path, Verbs, least, listed, whole
from .times import Seq, Time

I64 = NDArray[np.int64]
VERB = "match"
MAX_ROWS = 5_000_000
"""A pattern with more ways than this is refused: filters must come first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One hop: over edges of these types (all if None) in this direction."""

    types: tuple[str, ...] | None
    direction: str
    min_confidence: float


@dataclass(frozen=True, slots=True)
class Found:
    """Ways so far: nodes [ways, hops + 1] and edges [ways, hops], by number."""

    nodes: I64
    edges: I64

    def kept(self, which: NDArray[Any]) -> Found:
        return Found(self.nodes[which], self.edges[which])


@dataclass(frozen=True, slots=True)
class Pattern:
    """A question about a graph, made by `match`. Every verb returns a new pattern.

    g.match(subject="alice", predicate="works_at").out("located_in").at("2021-05-01").rows()
    """

    graph: Verbs
    first: Step
    subjects: tuple[Name, ...] | None
    objects: tuple[Name, ...] | None
    steps: tuple[Step, ...] = ()
    ends: tuple[Name, ...] | None = None
    min_confidence: float = 0.0
    filters: tuple[tuple[str, Any], ...] = ()

    # Saying more

    def out(self, *types: str, min_confidence: float = 0.0) -> Pattern:
        """On along edges of these types; any type where none is named."""
        return self._step("out", types, min_confidence)

    def into(self, *types: str, min_confidence: float = 0.0) -> Pattern:
        """On against edges of these types, to where they start."""
        return self._step("in", types, min_confidence)

    def via(self, *types: str, min_confidence: float = 0.0) -> Pattern:
        """On over edges of these types, whichever way they point."""
        return self._step("both", types, min_confidence)

    def ending(self, *nodes: Name) -> Pattern:
        """Only ways that end at one of these nodes."""
        return replace(self, ends=nodes)

    def at(self, valid_at: Time) -> Pattern:
        """Only what was true then."""
        return self._filtered(valid_at=valid_at)

    def known(self, as_of: Time | Seq) -> Pattern:
        """Only what was known then."""
        return self._filtered(as_of=as_of)

    def within(self, *scope: str) -> Pattern:
        """Only memories in this scope or below."""
        return self._filtered(scope=scope)

    def sure(self, min_confidence: float = 0.0, *, min_belief: float = 0.0) -> Pattern:
        """Only edges of this confidence, and memories of this P(valid)."""
        sure = replace(self, min_confidence=least(VERB, min_confidence))
        return sure._filtered(min_belief=min_belief)

    def _step(self, direction: str, types: tuple[str, ...], min_confidence: float) -> Pattern:
        step = Step(types or None, direction, least(VERB, min_confidence))
        return replace(self, steps=(*self.steps, step))

    def _filtered(self, **given: Any) -> Pattern:
        return replace(self, filters=tuple({**dict(self.filters), **given}.items()))

    # Answers

    def rows(self, k: int | None = None) -> tuple[Path, ...]:
        """Every way that fits, or the best k: by confidence, then by their edges' numbers."""
        if k is not None:
            k = whole(VERB, k, "k", 1)
        view, which = self.graph._ask(VERB, dict(self.filters))
        found = self._search(view, which)
        order = _ranked(view, found.edges)
        found = found.kept(order if k is None else order[:k])
        return self.graph._paths(view, list(found.nodes), list(found.edges), which)

    def best(self, k: int | None = None) -> tuple[Path, ...]:
        """The best way to each end, or to the k ends that are reached best."""
        if k is not None:
            k = whole(VERB, k, "k", 1)
        best: dict[Name, Path] = {}
        for path in self.rows():
            best.setdefault(path.end, path)
        return tuple(best.values())[:k]

    def __iter__(self) -> Iterator[Path]:
        return iter(self.rows())

    def _search(self, view: Any, which: dict[str, Any]) -> Found:
        try:
            found = self._start(view, which)
            for step in self.steps:
                found = self._follow(view, found, step, which)
        except RemanenceError as error:
            raise renamed(VERB, error) from None
        if self.ends is not None:
            ends = self.graph._node_numbers(VERB, self.ends)
            found = found.kept(np.isin(found.nodes[:, -1], ends))
        return found

    def _start(self, view: Any, which: dict[str, Any]) -> Found:
        """The edges that the pattern begins with."""
        if self.subjects is not None:
            starts = self.graph._starts(VERB, self.subjects, which)
            found = self._follow(view, _alone(starts), self.first, which)
            if self.objects is not None:
                found = found.kept(
                    np.isin(found.nodes[:, 1], self.graph._starts(VERB, self.objects, which))
                )
            return found
        if self.objects is not None:
            ends = self.graph._starts(VERB, self.objects, which)
            back = replace(self.first, direction="in")
            found = self._follow(view, _alone(ends), back, which)
            return Found(np.ascontiguousarray(found.nodes[:, ::-1]), found.edges)
        edges = view.find_edges(**self._keywords(self.first, which))
        columns = view.edge_columns(edges)
        return Found(np.stack([columns["source"], columns["target"]], axis=1), edges[:, None])

    def _keywords(self, step: Step, which: dict[str, Any]) -> dict[str, Any]:
        keywords = dict(which)
        keywords["min_weight"] = max(step.min_confidence, self.min_confidence)
        if step.types is not None:
            keywords["types"] = self.graph._type_numbers(VERB, step.types)
        return keywords

    def _follow(self, view: Any, found: Found, step: Step, which: dict[str, Any]) -> Found:
        """Every way, one hop longer: one native call for all of them."""
        last, where = np.unique(found.nodes[:, -1], return_inverse=True)
        keywords = self._keywords(step, which)
        starts, node, edge, _ = view.adjacency(last, direction=step.direction, **keywords)
        count = np.diff(starts)[where]
        total = int(count.sum())
        if total > MAX_ROWS:
            raise InvalidArgumentError(
                f"{VERB}: more than {MAX_ROWS} ways fit (got {total}, want stricter filters)"
            )
        way = np.repeat(np.arange(len(where)), count)
        before = np.cumsum(count) - count
        arc = np.arange(total) - before[way] + starts[where[way]]
        return Found(
            np.concatenate([found.nodes[way], node[arc][:, None]], axis=1),
            np.concatenate([found.edges[way], edge[arc][:, None]], axis=1),
        )


def pattern(graph: Verbs, subject: Any, predicate: Any, object: Any) -> Pattern:
    """The start of a question, from the arguments of `match`."""
    types = None if predicate is None else _names(predicate)
    return Pattern(
        graph,
        Step(types, "out", 0.0),
        None if subject is None else _names(subject),
        None if object is None else _names(object),
    )


def _names(given: Name | Iterable[Name]) -> tuple[Any, ...]:
    return tuple(listed(given))


def _alone(nodes: I64) -> Found:
    return Found(nodes[:, None], np.empty((len(nodes), 0), np.int64))


def _ranked(view: Any, edges: I64) -> I64:
    """Ways by the product of their edges' confidences, then by the edges' numbers."""
    known, where = np.unique(edges, return_inverse=True)
    weight = view.edge_columns(known)["weight"].astype(np.float64)[where.reshape(edges.shape)]
    product = np.ones(len(edges))
    for hop in range(edges.shape[1]):
        product *= weight[:, hop]
    keys = [edges[:, hop] for hop in reversed(range(edges.shape[1]))]
    return np.lexsort([*keys, -product])
