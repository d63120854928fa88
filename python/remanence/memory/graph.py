"""A graph of statements in memory: named nodes, typed edges, two times, the native verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import Graph as NativeGraph
from .._core import GraphView
from .errors import InvalidArgumentError, NotFoundError
from .graph_pattern import Pattern, pattern
from .graph_table import (
    NEVER,
    EdgeRow,
    EdgeTable,
    Name,
    check_node,
    check_table,
    check_type,
    table_of,
)
from .graph_verbs import Verbs
from .times import Seq, Time, to_ns

__all__ = ["Graph", "GraphView", "NativeGraph"]

I64 = NDArray[np.int64]
MAX_TYPES = 65_535


class Graph(Verbs):
    """Typed, weighted, bitemporal edges between named nodes; not stored anywhere.

    A node is named by text or an integer. Every write is one commit, or one sentence of an error
    and no change. `as_of=Seq(n)` is the state right after commit n; a graph has no clock, so
    transaction times are commits. Many threads may ask while one writes.

    Filters of every verb: types, direction ("out", "in" or "both"), min_confidence, valid_at,
    as_of. On arrays, many questions at once: `native`.
    """

    def __init__(self, edges: EdgeTable | Iterable[Sequence[Any] | EdgeRow] = ()) -> None:
        self._native = NativeGraph(0)
        self._names: list[Name] = []
        self._number: dict[Name, int] = {}
        self._types: list[str] = [""]
        self._type: dict[str, int] = {}
        if not isinstance(edges, EdgeTable):
            edges = table_of("Graph", edges)
        if len(edges) or edges.nodes:
            self._load(edges)

    # Writing

    def add(
        self,
        source: Name,
        type: str,
        target: Name,
        *,
        confidence: float = 1.0,
        valid_from: Time | None = None,
        valid_to: Time | None = None,
    ) -> int:
        """Add an edge, and its ends where they are new; the edge's number.

        confidence in (0, 1]; valid_from, valid_to: when it holds, half-open.
        """
        return int(self.add_many([(source, type, target, confidence, valid_from, valid_to)])[0])

    def add_many(self, edges: EdgeTable | Iterable[Sequence[Any] | EdgeRow]) -> I64:
        """Add many in one commit, all or none; the edges' numbers [n], consecutive.

        edges: rows (source, type, target[, confidence, valid_from, valid_to]), EdgeRows or a
        table. When they were known is not taken over: they are known from this commit on.
        """
        table = edges if isinstance(edges, EdgeTable) else table_of("add", edges)
        numbers = self._take("add", table)
        first = self._append(table, numbers, slice(None), None)
        return np.arange(first, first + len(table), dtype=np.int64)

    def close(self, edges: int | Iterable[int]) -> int:
        """Close edges from now on; `as_of` before still shows them. Returns the commit."""
        given = [edges] if isinstance(edges, int | np.integer) else list(edges)
        if any(isinstance(e, bool) or not isinstance(e, int | np.integer) for e in given):
            raise InvalidArgumentError("close: an edge is named by its number")
        return int(self._native.close(np.array(given, np.int64)))

    def merge(self) -> None:
        """Merge the log of new edges into the base now; it happens by itself as well."""
        self._native.merge()

    def branch(self) -> Graph:
        """A copy that is written on its own; what both share is not copied."""
        made = Graph()
        made._native = self._native.branch()
        made._names, made._number = list(self._names), dict(self._number)
        made._types, made._type = list(self._types), dict(self._type)
        return made

    def _load(self, table: EdgeTable) -> None:
        """Replay the table's commits, so that `as_of` sees what it saw there."""
        numbers = self._take("Graph", table)
        closes = table.known_to[table.known_to != NEVER]
        order = np.argsort(table.known_from, kind="stable")
        if not np.array_equal(order, np.arange(len(table))):
            raise InvalidArgumentError("Graph: the edges are not in the order of their commits")
        by_close = np.argsort(table.known_to, kind="stable")
        until = table.known_to[by_close]
        for commit in np.union1d(table.known_from, closes).tolist():
            start, end = np.searchsorted(table.known_from, [commit, commit + 1]).tolist()
            if end > start:
                self._append(table, numbers, slice(start, end), commit)
            start, end = np.searchsorted(until, [commit, commit + 1]).tolist()
            if end > start:
                self._native.close(np.sort(by_close[start:end]), seq=commit)

    def _take(self, verb: str, table: EdgeTable) -> tuple[I64, NDArray[np.uint16]]:
        """Numbers of the table's nodes and types, new ones included."""
        check_table(verb, table)
        new = [name for name in table.nodes if name not in self._number]
        fresh = [kind for kind in table.types if kind not in self._type]
        if len(self._types) + len(fresh) > MAX_TYPES + 1:
            raise InvalidArgumentError(f"{verb}: a graph holds at most {MAX_TYPES} edge types")
        if new:
            first = self._native.add_nodes(len(new))
            self._number.update(zip(new, range(first, first + len(new)), strict=True))
            self._names += new
        for kind in fresh:
            self._type[kind] = len(self._types)
            self._types.append(kind)
        nodes = np.array([self._number[name] for name in table.nodes], np.int64)
        return nodes, np.array([self._type[kind] for kind in table.types], np.uint16)

    def _append(
        self,
        table: EdgeTable,
        numbers: tuple[I64, NDArray[np.uint16]],
        part: slice,
        commit: int | None,
    ) -> int:
        nodes, types = numbers
        return int(
            self._native.append(
                nodes[table.source[part]],
                nodes[table.target[part]],
                types[table.type[part]],
                table.confidence[part],
                table.valid_from[part],
                table.valid_to[part],
                seq=commit,
            )
        )

    # Reading

    def __len__(self) -> int:
        return int(self._native.live_edges)

    @property
    def nodes(self) -> tuple[Name, ...]:
        return tuple(self._names)

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(self._types[1:])

    @property
    def seq(self) -> Seq:
        """The last commit."""
        return Seq(int(self._native.seq))

    @property
    def native(self) -> NativeGraph:
        """The verbs on arrays: nodes by their positions in `nodes`, types by theirs plus one."""
        return self._native

    def match(
        self,
        subject: Name | Iterable[Name] | None = None,
        predicate: str | Iterable[str] | None = None,
        object: Name | Iterable[Name] | None = None,
    ) -> Pattern:
        """A question that begins with the edges of these; see Pattern for how it goes on."""
        return pattern(self, subject, predicate, object)

    def table(self, *, history: bool = False) -> EdgeTable:
        """The edges as columns; history: those that were closed, too."""
        native = self._native.view()
        every = np.arange(native.edges, dtype=np.int64)
        edges = every if history else native.find_edges()
        columns = native.edge_columns(edges)
        return EdgeTable(
            nodes=tuple(self._names[: native.nodes]),
            types=self.types,
            source=columns["source"],
            target=columns["target"],
            type=columns["type"].astype(np.int64) - 1,
            confidence=columns["weight"],
            valid_from=columns["valid_from"],
            valid_to=columns["valid_to"],
            known_from=columns["seq_from"],
            known_to=columns["seq_to"],
        )

    def __repr__(self) -> str:
        return f"Graph({len(self._names)} nodes, {len(self)} edges, commit {self._native.seq})"

    # What patterns and verbs ask

    def _node_numbers(self, verb: str, names: Iterable[Any]) -> I64:
        found = []
        for name in names:
            number = self._number.get(check_node(verb, name))
            if number is None:
                raise NotFoundError(f"{verb}: there is no node {name!r:.60}")
            found.append(number)
        return np.array(found, np.int64)

    def _node_names(self, numbers: Iterable[int]) -> list[Name]:
        return [self._names[number] for number in numbers]

    def _type_numbers(self, verb: str, types: Iterable[Any]) -> NDArray[np.uint16]:
        numbers = [self._type.get(check_type(verb, name)) for name in types]
        return np.array([number for number in numbers if number is not None], np.uint16)

    def _type_name(self, number: int) -> str:
        return self._types[number]

    def _edge_name(self, number: int) -> int:
        return number

    def _labels(self, numbers: list[int], which: Mapping[str, Any]) -> list[str]:
        del which
        return [str(self._names[number]) for number in numbers]

    def _beliefs(self, numbers: I64, which: Mapping[str, Any]) -> NDArray[np.float64]:
        del which  # a statement is believed by its confidence alone
        return np.ones(len(numbers))

    def _ask(self, verb: str, given: Mapping[str, Any]) -> tuple[GraphView, dict[str, Any]]:
        """A graph has no scopes and no beliefs."""
        for name in ("scope", "min_belief"):
            if given.get(name):
                raise InvalidArgumentError(f"{verb}: only the graph of a store has a {name}")
        found: dict[str, Any] = {}
        as_of = given.get("as_of")
        if as_of is not None:
            if not isinstance(as_of, Seq) or isinstance(as_of.n, bool) or as_of.n < 0:
                raise InvalidArgumentError(
                    f"{verb}: as_of must be a commit of this graph, Seq(n) (got {as_of!r:.40})"
                )
            found["as_of"] = as_of.n
        if given.get("valid_at") is not None:
            found["valid_at"] = to_ns(verb, "valid_at", given["valid_at"])
        return self._native.view(), found
