"""The graph of a store: its memories are the nodes, its links the edges, kept up with the log."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import Graph as NativeGraph
from .._core import GraphView
from ..text.names import name_key
from .changes import EDGE_DTYPES
from .errors import NotFoundError
from .graph_pattern import Pattern, pattern
from .graph_table import EdgeTable, Name
from .graph_verbs import Verbs, least
from .items import check_name, check_scope
from .rows import fetch_rows
from .store import Store
from .times import TIME_MAX, to_ns
from .write import check_id

I64 = NDArray[np.int64]
_VERSIONS = (
    "SELECT row, seq, id, scope, belief, valid_from, valid_to FROM memories "
    "WHERE row > ? ORDER BY row"
)
_EDGES = (
    "SELECT seq, source, target, type, weight, valid_from, valid_to FROM edges "
    "WHERE seq > ? AND seq <= ? ORDER BY seq, n"
)
_CLOSES = "SELECT seq, edge FROM edge_closes WHERE seq > ? AND seq <= ? ORDER BY seq, n"


class StoreGraph(Verbs):
    """Patterns and verbs over the links of a store, as it is now, was then, or was known then.

    A node is a memory, named by its id or a hit; an entity also by its phrase, such as "alice".
    Only memories that can be seen are passed: known at `as_of`, valid at `valid_at`, within
    `scope`, with a P(valid) of at least `min_belief`. Always up to date; takes its own copy of
    the edges when it is first asked.

    Filters of every verb: types, direction ("out", "in" or "both"), min_confidence, valid_at,
    as_of, scope, min_belief.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._native = NativeGraph(1)
        self._seq = 0
        self._versions = _Versions()
        self._seen: tuple[Any, NDArray[np.bool_]] | None = None

    def match(
        self,
        subject: Any = None,
        predicate: str | Iterable[str] | None = None,
        object: Any = None,
    ) -> Pattern:
        """A question that begins with the edges of these; see Pattern for how it goes on."""
        return pattern(self, subject, predicate, object)

    def table(self, *, history: bool = False) -> EdgeTable:
        """The links as columns, for Graph(...) and for other libraries; nodes are ids.

        history: all links and memories that ever were; a memory that was removed does not close
        its links in the table.
        """
        view, which = self._ask("table", {})
        edges = np.arange(view.edges) if history else view.find_edges(**which)
        columns = view.edge_columns(edges)
        nodes = np.unique(self._versions.memory) if history else np.flatnonzero(which["allow"])
        types, kind = np.unique(columns["type"], return_inverse=True)
        return EdgeTable(
            nodes=tuple(nodes.tolist()),
            types=tuple(self._type_name(number) for number in types.tolist()),
            source=np.searchsorted(nodes, columns["source"]),
            target=np.searchsorted(nodes, columns["target"]),
            type=kind.astype(np.int64),
            confidence=columns["weight"],
            valid_from=columns["valid_from"],
            valid_to=columns["valid_to"],
            known_from=columns["seq_from"],
            known_to=columns["seq_to"],
        )

    def __repr__(self) -> str:
        return f"StoreGraph({str(self._store.log.path)!r})"

    @property
    def native(self) -> NativeGraph:
        """The verbs on arrays; node n is memory n, edge e is link e + 1."""
        self._follow("graph")
        return self._native

    # Keeping up

    def _follow(self, verb: str) -> tuple[GraphView, int]:
        """Take in the commits that were made since the last call; a view, and its commit."""
        self._store.view.refresh(verb)
        with self._lock, self._store.log.snapshot(verb) as connection:
            newest = connection.execute("SELECT max(seq) FROM commits").fetchone()[0] or 0
            if newest != self._seq:
                self._versions.read(connection)
                highest = int(self._versions.memory.max(initial=0))
                if highest >= self._native.nodes:
                    self._native.add_nodes(highest + 1 - self._native.nodes)
                self._append(connection, newest)
                self._seq = newest
            return self._native.view(), self._seq

    def _append(self, connection: sqlite3.Connection, newest: int) -> None:
        window = (self._seq, newest)
        rows = connection.execute(_EDGES, window).fetchall()
        closes = connection.execute(_CLOSES, window).fetchall()
        seq, edges = _columns(rows)
        close_seq = np.array([commit for commit, _ in closes], np.int64)
        closed = np.array([edge - 1 for _, edge in closes], np.int64)
        for commit in np.union1d(seq, close_seq).tolist():
            start, end = np.searchsorted(seq, [commit, commit + 1]).tolist()
            if end > start:
                part = {name: column[start:end] for name, column in edges.items()}
                self._native.append(**part, seq=commit)
            start, end = np.searchsorted(close_seq, [commit, commit + 1]).tolist()
            if end > start:
                self._native.close(closed[start:end], seq=commit)

    # What patterns and verbs ask

    def _node_numbers(self, verb: str, names: Iterable[Any]) -> I64:
        found: list[int] = []
        for name in names:
            if isinstance(name, str):
                found += self._entities(verb, name)
            else:
                number = check_id(verb, name)
                if number >= self._native.nodes:
                    raise NotFoundError(f"{verb}: there is no memory {number}")
                found.append(number)
        return np.array(found, np.int64)

    def _entities(self, verb: str, phrase: str) -> list[int]:
        key = name_key(check_name(verb, "an entity", phrase))
        with self._store.reading(verb) as connection:
            rows = connection.execute(
                "SELECT DISTINCT id FROM memories WHERE entity = ? ORDER BY id", (key,)
            ).fetchall()
        if not rows:
            raise NotFoundError(f"{verb}: there is no entity {phrase!r:.60}")
        return [memory for (memory,) in rows if memory < self._native.nodes]

    def _node_names(self, numbers: Iterable[int]) -> list[Name]:
        return list(numbers)

    def _type_numbers(self, verb: str, types: Iterable[Any]) -> NDArray[np.uint16]:
        symbols = self._store.view.symbols
        numbers = [symbols.get("type", check_name(verb, "type", name)) for name in types]
        return np.array([number for number in numbers if number is not None], np.uint16)

    def _type_name(self, number: int) -> str:
        return self._store.view.symbols.name("type", number)

    def _edge_name(self, number: int) -> int:
        return number + 1

    def _labels(self, numbers: list[int], which: Mapping[str, Any]) -> list[str]:
        with self._store.reading("graph") as connection:
            rows = fetch_rows(connection, numbers, which.get("as_of", self._seq))
        return [rows[number].text if number in rows else "" for number in numbers]

    def _beliefs(self, numbers: I64, which: Mapping[str, Any]) -> NDArray[np.float64]:
        return self._versions.latest(which.get("as_of"), self._native.nodes).belief[numbers]

    def _ask(self, verb: str, given: Mapping[str, Any]) -> tuple[GraphView, dict[str, Any]]:
        view, newest = self._follow(verb)
        store = self._store
        found: dict[str, Any] = {}
        at = store.seq_as_of(verb, given.get("as_of"))
        if at is not None:
            found["as_of"] = at
        if given.get("valid_at") is not None:
            found["valid_at"] = to_ns(verb, "valid_at", given["valid_at"])
        scope = check_scope(verb, given.get("scope") or ())
        belief = least(verb, given.get("min_belief", 0.0), "min_belief")
        known = newest if at is None else at
        key = (newest, known, view.nodes, found.get("valid_at"), scope, belief)
        seen = self._seen
        if seen is None or seen[0] != key:
            self._seen = seen = key, self._visible(verb, *key[1:])
        found["allow"] = seen[1]
        return view, found

    def _visible(
        self, verb: str, at: int, count: int, moment: int | None, scope: Any, least_belief: float
    ) -> NDArray[np.bool_]:
        """Which memories may be passed, by id below `count`, as commit `at` knew them."""
        ids = np.arange(1, count, dtype=np.int64)
        there = self._store.view.consistent(verb, lambda engine, _: engine.contains(ids, at))
        seen = np.concatenate([[False], there])
        last = self._versions.latest(at, count)
        if least_belief > 0:
            seen &= last.belief >= np.float32(least_belief)
        if moment is not None:
            ended = (last.valid_to <= moment) & (last.valid_to != TIME_MAX)
            seen &= (last.valid_from <= moment) & ~ended
        within = self._store.view.symbols.within(scope)
        if within is not None:
            seen &= np.isin(last.scope, within)
        return seen


class _Latest:
    """By memory id: columns of the newest version that a commit knew."""

    def __init__(self, count: int) -> None:
        self.scope = np.zeros(count, np.int64)
        self.belief = np.zeros(count, np.float64)
        self.valid_from = np.zeros(count, np.int64)
        self.valid_to = np.zeros(count, np.int64)


class _Versions:
    """Every version of every memory, as columns in the order of the log."""

    def __init__(self) -> None:
        self._row = 0
        self._numbers = np.empty((0, 5), np.int64)  # seq, id, scope, valid_from, valid_to
        self._belief = np.empty(0, np.float64)
        self._made: tuple[Any, _Latest] | None = None

    @property
    def memory(self) -> I64:
        return self._numbers[:, 1]

    def read(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute(_VERSIONS, (self._row,)).fetchall()
        if not rows:
            return
        self._row = rows[-1][0]
        numbers = np.array([(q, i, s, a, b) for _, q, i, s, _, a, b in rows], np.int64)
        self._numbers = np.concatenate([self._numbers, numbers])
        self._belief = np.concatenate([self._belief, [row[4] for row in rows]])

    def latest(self, at: int | None, count: int) -> _Latest:
        key = (self._row, at, count)
        if self._made is None or self._made[0] != key:
            self._made = key, self._find(at, count)
        return self._made[1]

    def _find(self, at: int | None, count: int) -> _Latest:
        known = slice(None) if at is None else self._numbers[:, 0] <= at
        _, memory, scope, start, end = self._numbers[known].T
        found = _Latest(count)
        # Of equal ids the last one written stays: the newest version.
        found.scope[memory] = scope
        found.belief[memory] = self._belief[known]
        found.valid_from[memory] = start
        found.valid_to[memory] = end
        return found


def _columns(rows: list[tuple[Any, ...]]) -> tuple[I64, dict[str, NDArray[Any]]]:
    """(commit of each edge, its columns as the native graph takes them)."""
    names = ("source", "target", "type", "weight", "valid_from", "valid_to")
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    seq = np.array(columns[0], np.int64)
    dtypes = {name: EDGE_DTYPES[name] for name in names}
    given = zip(dtypes.items(), columns[1:], strict=True)
    return seq, {name: np.array(column, dtype) for (name, dtype), column in given}
