"""A graph as a table of edges: the columns that adapters read and write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidArgumentError
from .times import TIME_MAX, TIME_MIN, interval, open_end

NEVER = 2**63 - 1
"""The commit that closes an edge which is not closed."""

Name = str | int
"""What a node is called: text or an integer."""

EDGE_FIELDS = ("confidence", "valid_from", "valid_to", "known_from", "known_to")
"""What an edge says beside its ends and its type."""


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """One edge in plain words. Times are ns UTC, known_* are commits; an open end is None."""

    source: Name
    type: str
    target: Name
    confidence: float = 1.0
    valid_from: int | None = None
    valid_to: int | None = None
    known_from: int = 1
    known_to: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EdgeTable:
    """Edges as columns [m] of one length, in the order in which they were added.

    nodes, types: names. source, target: positions in `nodes`; type: positions in `types`.
    confidence: float32 in (0, 1]. valid_from, valid_to: ns UTC, half-open, TIME_MIN and TIME_MAX
    are open. known_from, known_to: commits, half-open, NEVER is open.
    """

    nodes: tuple[Name, ...]
    types: tuple[str, ...]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    type: NDArray[np.int64]
    confidence: NDArray[np.float32]
    valid_from: NDArray[np.int64]
    valid_to: NDArray[np.int64]
    known_from: NDArray[np.int64]
    known_to: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.source)

    def __iter__(self) -> Iterator[EdgeRow]:
        columns = (
            self.source, self.type, self.target, self.confidence,
            self.valid_from, self.valid_to, self.known_from, self.known_to,
        )  # fmt: skip
        for s, k, t, c, a, b, since, until in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            yield EdgeRow(
                self.nodes[s], self.types[k], self.nodes[t], c,
                open_end(a), open_end(b), since, None if until == NEVER else until,
            )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EdgeTable):
            return NotImplemented
        return self.nodes == other.nodes and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"EdgeTable({len(self.nodes)} nodes, {len(self)} edges, {len(self.types)} types)"


def check_node(verb: str, value: Any) -> Name:
    """A name as nodes have them: text that is not empty, or an int64."""
    if isinstance(value, str):
        if not value:
            raise InvalidArgumentError(f"{verb}: the name of a node is empty")
        return value
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        if not -(2**63) <= value < 2**63:
            raise InvalidArgumentError(f"{verb}: a node's number must fit int64 (got {value})")
        return int(value)
    raise InvalidArgumentError(
        f"{verb}: a node is named by text or an integer (got {type(value).__name__})"
    )


def check_type(verb: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(f"{verb}: the type of an edge must be text (got {value!r:.40})")
    return value


def confidences(verb: str, given: Any, count: int) -> NDArray[np.float32]:
    """A column of confidences in (0, 1]; one number is for all."""
    with np.errstate(over="ignore"):
        try:
            column = np.asarray(given, dtype=np.float32)
        except (TypeError, ValueError):
            raise InvalidArgumentError(f"{verb}: confidence must hold numbers only") from None
    if column.ndim == 0:
        column = np.full(count, column, np.float32)
    if column.shape != (count,):
        raise InvalidArgumentError(
            f"{verb}: confidence has the wrong shape (got {column.shape}, want ({count},))"
        )
    outside = ~((column > 0) & (column <= 1))
    if outside.any():
        first = int(np.argmax(outside))
        raise InvalidArgumentError(
            f"{verb}: confidence must be in (0, 1] (got {column[first]} for edge {first})"
        )
    return np.ascontiguousarray(column)


class TableBuilder:
    """Rows one by one, checked, into a table; nodes and types are numbered as they appear."""

    def __init__(self, verb: str, nodes: Iterable[Any] = ()) -> None:
        self._verb = verb
        self._node: dict[Name, int] = {}
        self._type: dict[str, int] = {}
        self._rows: list[tuple[int, int, int]] = []
        self._confidence: list[float] = []
        self._times: list[tuple[int, int, int, int]] = []
        for node in nodes:
            self.node(node)

    def node(self, name: Any) -> int:
        return self._node.setdefault(check_node(self._verb, name), len(self._node))

    def add(
        self,
        source: Any,
        type: Any,
        target: Any,
        confidence: Any = None,
        valid_from: Any = None,
        valid_to: Any = None,
        known_from: Any = None,
        known_to: Any = None,
    ) -> None:
        """An edge; what is None is the default: certain, always valid, known from commit 1 on."""
        verb = self._verb
        kind = self._type.setdefault(check_type(verb, type), len(self._type))
        start, end = interval(verb, valid_from, valid_to)
        since, until = _known(verb, known_from, known_to)
        self._rows.append((self.node(source), kind, self.node(target)))
        self._confidence.append(1.0 if confidence is None else confidence)
        self._times.append((start, end, since, until))

    def build(self) -> EdgeTable:
        ends = np.array(self._rows, np.int64).reshape(-1, 3).T
        times = np.array(self._times, np.int64).reshape(-1, 4).T
        source, kind, target = (np.ascontiguousarray(column) for column in ends)
        start, end, since, until = (np.ascontiguousarray(column) for column in times)
        return EdgeTable(
            nodes=tuple(self._node),
            types=tuple(self._type),
            source=source,
            target=target,
            type=kind,
            confidence=confidences(self._verb, self._confidence, len(source)),
            valid_from=start,
            valid_to=end,
            known_from=since,
            known_to=until,
        )


def _known(verb: str, since: Any, until: Any) -> tuple[int, int]:
    start = 1 if since is None else since
    end = NEVER if until is None else until
    for commit in (start, end):
        if isinstance(commit, bool) or not isinstance(commit, int | np.integer):
            raise InvalidArgumentError(
                f"{verb}: a commit is an integer (got {type(commit).__name__})"
            )
    if not 1 <= start < end <= NEVER:
        raise InvalidArgumentError(
            f"{verb}: the commits of an edge must be 1 <= known_from < known_to "
            f"(got {since} to {until})"
        )
    return int(start), int(end)


def table_of(
    verb: str, rows: Iterable[Sequence[Any] | EdgeRow], nodes: Iterable[Any] = ()
) -> EdgeTable:
    """Rows (source, type, target[, confidence, valid_from, valid_to]) or EdgeRows as a table."""
    builder = TableBuilder(verb, nodes)
    for row in rows:
        if isinstance(row, EdgeRow):
            builder.add(
                row.source, row.type, row.target, row.confidence,
                row.valid_from, row.valid_to, row.known_from, row.known_to,
            )  # fmt: skip
        elif isinstance(row, Sequence) and not isinstance(row, str) and 3 <= len(row) <= 6:
            builder.add(*row)
        else:
            raise InvalidArgumentError(
                f"{verb}: an edge is (source, type, target[, confidence, valid_from, valid_to]) "
                f"(got {row!r:.60})"
            )
    return builder.build()


def check_table(verb: str, table: EdgeTable) -> None:
    """InvalidArgumentError for columns that do not fit together; TableBuilder's always do."""
    for name in table.nodes:
        check_node(verb, name)
    for kind in table.types:
        check_type(verb, kind)
    count = len(table.source)
    confidences(verb, table.confidence, count)
    for name, column, names in (
        ("source", table.source, table.nodes),
        ("target", table.target, table.nodes),
        ("type", table.type, table.types),
    ):
        wrong = column.shape != (count,) or (count and not _within(column, len(names)))
        if wrong:
            raise InvalidArgumentError(f"{verb}: the column {name} does not fit the table")
    times = (table.valid_from, table.valid_to, table.known_from, table.known_to)
    if any(column.shape != (count,) for column in times):
        raise InvalidArgumentError(f"{verb}: the columns of times do not fit the table")
    if (table.valid_from >= table.valid_to).any():
        raise InvalidArgumentError(f"{verb}: an interval ends before it starts")
    if ((table.known_from < 1) | (table.known_from >= table.known_to)).any():
        raise InvalidArgumentError(f"{verb}: an edge must be known before it is closed")


def _within(column: NDArray[np.int64], size: int) -> bool:
    return bool(column.min() >= 0 and column.max() < size)


def open_columns(count: int) -> dict[str, NDArray[np.int64]]:
    """Interval columns of edges that always hold and were known from commit 1 on."""
    return {
        "valid_from": np.full(count, TIME_MIN),
        "valid_to": np.full(count, TIME_MAX),
        "known_from": np.ones(count, np.int64),
        "known_to": np.full(count, NEVER),
    }
