"""Links between memories: one, or very many as columns, in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .changes import EDGE_DTYPES
from .errors import InvalidArgumentError
from .items import check_name
from .store import Draft, Store
from .times import interval
from .write import check_id

DEFAULT_TYPE = "related"
_FIELDS = ("source", "target", "type", "weight", "valid_from", "valid_to")


def link_many(store: Store, verb: str, links: Any, op_id: str | None) -> tuple[int, int]:
    """Write the links in one commit; (first edge id, count).

    links: rows (tuples or mappings of _FIELDS, in this order) or one mapping of columns.
    """
    done = store.done(verb, op_id)
    if done is not None:
        return done[0][0], done[0][1]
    columns = _from_columns(verb, links) if isinstance(links, Mapping) else _from_rows(verb, links)
    types: Sequence[str] = columns.pop("type")
    distinct = {name: check_name(verb, "type", name) for name in dict.fromkeys(types)}
    count = len(types)

    def write(draft: Draft) -> list[int]:
        first = draft.edge_ids(count)
        if count:
            number = {name: draft.symbols.id("type", name) for name in distinct}
            draft.changes.edges = {
                "edge": np.arange(first, first + count, dtype=EDGE_DTYPES["edge"]),
                "type": np.array([number[name] for name in types], EDGE_DTYPES["type"]),
                **columns,
            }
        return [first, count]

    first, count = store.commit(verb, op_id, write)
    return first, count


def _check_fields(verb: str, given: Iterable[Any]) -> None:
    unknown = sorted(str(name) for name in given if name not in _FIELDS)
    if unknown:
        raise InvalidArgumentError(
            f"{verb}: a link has no field {', '.join(unknown)} (want {', '.join(_FIELDS)})"
        )


def _from_rows(verb: str, links: Any) -> dict[str, Any]:
    if isinstance(links, str) or not isinstance(links, Iterable):
        raise InvalidArgumentError(
            f"{verb}: links must be rows or a mapping of columns (got {type(links).__name__})"
        )
    ends: list[list[int]] = [[], []]
    types: list[str] = []
    weights: list[float] = []
    valid: list[list[int]] = [[], []]
    for row in links:
        if isinstance(row, Mapping):
            _check_fields(verb, row)
            given = tuple(row.get(name) for name in _FIELDS)
        elif isinstance(row, Sequence) and not isinstance(row, str) and 2 <= len(row) <= 6:
            given = (*row, *[None] * (6 - len(row)))
        else:
            raise InvalidArgumentError(
                f"{verb}: a link is (source, target[, type, weight, valid_from, valid_to]) "
                f"(got {row!r:.60})"
            )
        source, target, name, weight, start, end = given
        ends[0].append(check_id(verb, source))
        ends[1].append(check_id(verb, target))
        types.append(DEFAULT_TYPE if name is None else name)
        weights.append(1.0 if weight is None else weight)
        start, end = interval(verb, start, end)
        valid[0].append(start)
        valid[1].append(end)
    return {
        "source": np.array(ends[0], np.int64),
        "target": np.array(ends[1], np.int64),
        "type": types,
        "weight": _weights(verb, weights, len(types)),
        "valid_from": np.array(valid[0], np.int64),
        "valid_to": np.array(valid[1], np.int64),
    }


def _from_columns(verb: str, links: Mapping[str, Any]) -> dict[str, Any]:
    _check_fields(verb, links)
    if "source" not in links or "target" not in links:
        raise InvalidArgumentError(f"{verb}: columns need source and target")
    source, target = (_ids(verb, name, links[name]) for name in ("source", "target"))
    count = len(source)
    given = links.get("type", DEFAULT_TYPE)
    types = [given] * count if isinstance(given, str) else list(given)
    for name, length in (("target", len(target)), ("type", len(types))):
        if length != count:
            raise InvalidArgumentError(
                f"{verb}: {name} has the wrong length (got {length}, want {count})"
            )
    start, end = _interval_columns(verb, links.get("valid_from"), links.get("valid_to"), count)
    return {
        "source": source,
        "target": target,
        "type": types,
        "weight": _weights(verb, links.get("weight", 1.0), count),
        "valid_from": start,
        "valid_to": end,
    }


def _ids(verb: str, name: str, given: Any) -> NDArray[np.int64]:
    if not isinstance(given, np.ndarray):
        return np.array([check_id(verb, one) for one in given], dtype=np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise InvalidArgumentError(
            f"{verb}: {name} must be a 1-D array of integers "
            f"(got {given.dtype}, shape {given.shape})"
        )
    return np.ascontiguousarray(given, dtype=np.int64)


def _weights(verb: str, given: Any, count: int) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        try:
            column = np.asarray(given, dtype=np.float32)
        except (TypeError, ValueError):
            raise InvalidArgumentError(f"{verb}: weight must hold numbers only") from None
    if column.ndim == 0:
        return np.full(count, column, np.float32)
    if column.shape != (count,):
        raise InvalidArgumentError(
            f"{verb}: weight has the wrong shape (got {column.shape}, want ({count},))"
        )
    return np.ascontiguousarray(column)


def _interval_columns(
    verb: str, start: Any, end: Any, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Open, one interval for all, or a time (or None) for each link."""
    starts = [start] * count if _is_time(start) else list(start)
    ends = [end] * count if _is_time(end) else list(end)
    for name, column in (("valid_from", starts), ("valid_to", ends)):
        if len(column) != count:
            raise InvalidArgumentError(
                f"{verb}: {name} has the wrong length (got {len(column)}, want {count})"
            )
    if _is_time(start) and _is_time(end):
        first, last = interval(verb, start, end)
        return np.full(count, first, np.int64), np.full(count, last, np.int64)
    pairs = [interval(verb, a, b) for a, b in zip(starts, ends, strict=True)]
    array = np.array(pairs, np.int64).reshape(-1, 2)
    return np.ascontiguousarray(array[:, 0]), np.ascontiguousarray(array[:, 1])


def _is_time(value: Any) -> bool:
    return value is None or isinstance(value, str) or not isinstance(value, Iterable)
