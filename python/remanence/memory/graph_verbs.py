"""Verbs of a graph by name: hops, reasons, lifts and groups, for graphs of any origin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import GraphView
from .errors import InvalidArgumentError, NotFoundError, RemanenceError, renamed
from .graph_table import Name
from .records import Record
from .times import open_end, to_text

I64 = NDArray[np.int64]
DIRECTIONS = ("out", "in", "both")
MAX_HOPS = 64
MAX_WAYS = 1_000_000


@dataclass(frozen=True, slots=True)
class Edge(Record):
    """An edge that was passed. Times are ns UTC, half-open; an open end is None."""

    id: int
    source: Name
    type: str
    target: Name
    confidence: float
    valid_from: int | None
    valid_to: int | None

    def __repr__(self) -> str:
        ends = ["" if t is None else to_text(t) for t in (self.valid_from, self.valid_to)]
        when = f", {ends[0]} to {ends[1]}" if any(ends) else ""
        return f"Edge({self.source!r} -{self.type}-> {self.target!r}, {self.confidence:.2f}{when})"


@dataclass(frozen=True, slots=True)
class Path(Record):
    """A way through a graph: nodes, the edges between them, and how far to trust it.

    labels: the nodes in words. confidence: the product of the edges' confidences, float64 from
    the start on. belief: the product of P(valid) of the memories passed; 1 outside a store.
    """

    nodes: tuple[Name, ...]
    edges: tuple[Edge, ...]
    confidence: float
    belief: float = 1.0
    labels: tuple[str, ...] = ()

    @property
    def start(self) -> Name:
        return self.nodes[0]

    @property
    def end(self) -> Name:
        return self.nodes[-1]

    def __repr__(self) -> str:
        words = [repr(label) for label in self.labels]
        for i, edge in enumerate(self.edges):
            forth = edge.source == self.nodes[i] and edge.target == self.nodes[i + 1]
            words[i] += f" -{edge.type}->" if forth else f" <-{edge.type}-"
        return f"Path({' '.join(words)}, {self.confidence:.3f})"


class Verbs(ABC):
    """What a graph answers by name. Filters are the same for every verb:

    types: names of edge types. direction: "out", "in" or "both". min_confidence: of each edge.
    valid_at: true then. as_of: known then. scope, min_belief: only in the graph of a store.
    """

    @abstractmethod
    def _ask(self, verb: str, given: Mapping[str, Any]) -> tuple[GraphView, dict[str, Any]]:
        """A view, and the filters of a graph of this origin as its native verbs take them."""

    @abstractmethod
    def _node_numbers(self, verb: str, names: Iterable[Any]) -> I64: ...
    @abstractmethod
    def _node_names(self, numbers: Iterable[int]) -> list[Name]: ...
    @abstractmethod
    def _type_numbers(self, verb: str, types: Iterable[Any]) -> NDArray[np.uint16]: ...
    @abstractmethod
    def _type_name(self, number: int) -> str: ...
    @abstractmethod
    def _edge_name(self, number: int) -> int: ...

    @abstractmethod
    def _labels(self, numbers: list[int], which: Mapping[str, Any]) -> list[str]: ...
    @abstractmethod
    def _beliefs(self, numbers: I64, which: Mapping[str, Any]) -> NDArray[np.float64]: ...

    def khop(
        self, nodes: Name | Iterable[Name], hops: int, *, limit: int = 1_000_000, **filters: Any
    ) -> list[tuple[Name, int]]:
        """(node, hop) of what lies within `hops` of the nodes, by hop; at most `limit`.

        Filters: see the class.
        """
        hops = whole("khop", hops, "hops", 0, MAX_HOPS)
        limit = whole("khop", limit, "limit", 1)
        view, which = self._asked("khop", filters)
        starts = self._starts("khop", listed(nodes), which)
        found, hop = _run("khop", view.khop, starts, hops, limit, **which)
        return list(zip(self._node_names(found.tolist()), hop.tolist(), strict=True))

    def why(
        self, source: Name, target: Name, *, k: int = 1, by: str = "weight", **filters: Any
    ) -> tuple[Path, ...]:
        """The k best ways from one node to another, best first; empty where there is none.

        by: "weight" for the greatest product of confidences, "hops" for the fewest edges. Filters:
        see the class.
        """
        verb = "why"
        k = whole(verb, k, "k", 1, MAX_WAYS)
        if by not in ("weight", "hops"):
            raise InvalidArgumentError(f'{verb}: by must be "weight" or "hops" (got {by!r:.20})')
        view, which = self._asked(verb, filters)
        a, b = (int(self._starts(verb, [name], which)[0]) for name in (source, target))
        if k == 1:
            found = [_run(verb, view.path, a, b, by=by, **which)]
        else:
            found = _run(verb, view.paths, a, b, k, by=by, **which)
        ways = [(edge, node) for _, edge, node in found if len(node)]
        return self._paths(view, [node for _, node in ways], [edge for edge, _ in ways], which)

    def spread(
        self, nodes: Name | Iterable[Name], *, damping: float = 0.5, **filters: Any
    ) -> list[tuple[Name, float]]:
        """(node, lift in nats) of what activation reaches, greatest first.

        The lift is that of personalised PageRank over the node's share of all edges.
        Filters: see the class.
        """
        damping = between("spread", damping, "damping", 0.0, 0.99)
        view, which = self._asked("spread", filters)
        starts = self._starts("spread", listed(nodes), which)
        found, lift = _run("spread", view.spread, starts, damping=damping, **which)
        return list(zip(self._node_names(found.tolist()), lift.tolist(), strict=True))

    def components(self, **filters: Any) -> list[tuple[Name, ...]]:
        """The nodes of each weakly connected component. Filters: see the class."""
        view, which = self._asked("components", filters)
        return self._groups(_run("components", view.components, **which), which)

    def communities(
        self,
        method: str = "leiden",
        *,
        resolution: float = 1.0,
        seed: int = 0,
        **filters: Any,
    ) -> list[tuple[Name, ...]]:
        """The nodes of each community: connected, and the same for the same seed.

        method: "leiden" or "labels" (label propagation). resolution: of the modularity that
        Leiden raises; more gives smaller groups. Filters: see the class.
        """
        verb = "communities"
        if method not in ("leiden", "labels"):
            raise InvalidArgumentError(
                f'{verb}: method must be "leiden" or "labels" (got {method!r:.20})'
            )
        resolution = between(verb, resolution, "resolution", 0.0, 1e6)
        seed = whole(verb, seed, "seed", 0)
        view, which = self._asked(verb, filters)
        label, _ = _run(verb, view.communities, method, resolution, seed, **which)
        return self._groups(label, which)

    def _groups(self, label: I64, which: Mapping[str, Any]) -> list[tuple[Name, ...]]:
        node = np.arange(len(label), dtype=np.int64)
        if which.get("allow") is not None:
            node = node[which["allow"]]
        if not len(node):
            return []
        order = node[np.argsort(label[node], kind="stable")]
        cuts = np.flatnonzero(np.diff(label[order])) + 1
        return [tuple(self._node_names(part.tolist())) for part in np.split(order, cuts)]

    def _asked(self, verb: str, filters: Mapping[str, Any]) -> tuple[GraphView, dict[str, Any]]:
        """A view, and the filters of a verb, checked, as the native verbs take them."""
        known = {
            "types", "direction", "min_confidence", "valid_at", "as_of", "scope", "min_belief",
        }  # fmt: skip
        unknown = sorted(filters.keys() - known)
        if unknown:
            raise InvalidArgumentError(
                f"{verb}: there is no filter {', '.join(unknown)} (want {', '.join(sorted(known))})"
            )
        view, which = self._ask(verb, filters)
        if filters.get("types") is not None:
            which["types"] = self._type_numbers(verb, listed(filters["types"]))
        direction = filters.get("direction", "both")
        if direction not in DIRECTIONS:
            raise InvalidArgumentError(
                f"{verb}: direction must be out, in or both (got {direction!r:.40})"
            )
        which["direction"] = direction
        which["min_weight"] = least(verb, filters.get("min_confidence", 0.0))
        return view, which

    def _starts(self, verb: str, names: Iterable[Any], which: Mapping[str, Any]) -> I64:
        """Numbers of the nodes that a verb begins with; NotFoundError where none may be passed."""
        given = list(names)
        numbers = np.unique(self._node_numbers(verb, given))
        if which.get("allow") is not None:
            # What came after the view was taken cannot be seen in it.
            numbers = numbers[numbers < len(which["allow"])]
            numbers = numbers[which["allow"][numbers]]
            if not len(numbers):
                more = ", ..." if len(given) > 3 else ""
                words = ", ".join(map(repr, given[:3]))
                raise NotFoundError(f"{verb}: {words}{more} cannot be seen with these filters")
        return numbers

    def _paths(
        self, view: GraphView, nodes: list[I64], edges: list[I64], which: Mapping[str, Any]
    ) -> tuple[Path, ...]:
        """Ways given by numbers, in words."""
        every = np.unique(np.concatenate([*edges, np.empty(0, np.int64)]))
        known = dict(zip(every.tolist(), self._edges(view, every), strict=True))
        passed = np.unique(np.concatenate([*nodes, np.empty(0, np.int64)]))
        numbers = passed.tolist()
        names = dict(zip(numbers, self._node_names(numbers), strict=True))
        labels = dict(zip(numbers, self._labels(numbers, which), strict=True))
        beliefs = dict(zip(numbers, self._beliefs(passed, which).tolist(), strict=True))
        made = []
        for way, steps in zip(nodes, edges, strict=True):
            on_way, taken = way.tolist(), tuple(known[e] for e in steps.tolist())
            confidence = belief = 1.0
            for edge in taken:
                confidence *= edge.confidence
            for node in on_way:
                belief *= beliefs[node]
            made.append(
                Path(
                    tuple(names[n] for n in on_way), taken, confidence, belief,
                    tuple(labels[n] for n in on_way),
                )
            )  # fmt: skip
        return tuple(made)

    def _edges(self, view: GraphView, numbers: I64) -> list[Edge]:
        columns = view.edge_columns(numbers)
        ends = [self._node_names(columns[name].tolist()) for name in ("source", "target")]
        rest = [columns[n].tolist() for n in ("type", "weight", "valid_from", "valid_to")]
        return [
            Edge(
                self._edge_name(number), a, self._type_name(kind), b, weight,
                open_end(start), open_end(end),
            )
            for number, a, b, kind, weight, start, end in zip(
                numbers.tolist(), *ends, *rest, strict=True
            )
        ]  # fmt: skip


def _run(verb: str, native: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    try:
        return native(*arguments, **keywords)
    except RemanenceError as error:
        raise renamed(verb, error) from None


def listed(given: Any) -> list[Any]:
    """One name, or any number of them."""
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping):
        return list(given)
    return [given]


def whole(verb: str, value: Any, name: str, low: int, high: int = 2**63 - 1) -> int:
    """An integer from low to high."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InvalidArgumentError(f"{verb}: {name} must be an integer (got {value!r:.20})")
    if value < low:
        raise InvalidArgumentError(f"{verb}: {name} must be at least {low} (got {value!r:.20})")
    if value > high:
        raise InvalidArgumentError(f"{verb}: {name} must be at most {high} (got {value!r:.30})")
    return int(value)


def between(verb: str, value: Any, name: str, low: float, high: float) -> float:
    """A number from low to high."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise InvalidArgumentError(f"{verb}: {name} must be a number (got {type(value).__name__})")
    if not low <= value <= high:
        raise InvalidArgumentError(f"{verb}: {name} must be in [{low:g}, {high:g}] (got {value})")
    return float(value)


def least(verb: str, value: Any, name: str = "min_confidence") -> float:
    """A probability that something must have."""
    return between(verb, value, name, 0.0, 1.0)
