"""Rows of an import: what a line or paragraph of a file becomes, checked before it is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..memory import InvalidArgumentError
from ..text import ENGLISH

KINDS = ("episodic", "semantic", "document", "procedural", "entity")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadInputError(InvalidArgumentError):
    """What a user typed or a file holds cannot be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """One memory to add: `item` holds arguments of `Memory.add`, `line` is 1-based.

    ref: the row's own name in its file. links: (type, target ref, weight) to rows of that file.
    entry: where it stands in a file that has no lines, such as "conversation 2, message 5".
    """

    item: dict[str, Any]
    line: int
    ref: str | None = None
    links: tuple[tuple[str, str, float], ...] = field(default=())
    entry: str = ""

    @property
    def place(self) -> str:
        """Line or entry, in words."""
        return self.entry or f"line {self.line}"


def bad_line(path: Path, line: int, what: str) -> BadInputError:
    """An error that names file and line, so that an editor finds the place."""
    return bad_place(path, f"line {line}", what)


def bad_place(path: Path, place: str, what: str) -> BadInputError:
    """The same for a file of entries."""
    return BadInputError(f"import: {path.name} {place}: {what}")


def read_time(value: object) -> datetime | int:
    """A time as files write it; naive times are UTC.

    Strings: ISO 8601, or a date such as "7 May 2023". Numbers since 1970: seconds below 1e11,
    else milliseconds below 1e14, microseconds below 1e17, nanoseconds above. Raises ValueError.
    """
    if isinstance(value, str):
        return _read_time_text(value.strip())
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    scale = next((scale for limit, scale in _UNITS if abs(number) < limit), None)
    if scale is None:
        raise ValueError(f"time is not readable (got {value!r}, want ISO 8601 or a number)")
    return round(number * scale)


_UNITS = ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3), (float("inf"), 1))


def _read_time_text(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        days = ENGLISH.dates(text, ())
        if len(days) != 1:
            raise ValueError(f"time is not readable (got {text!r}, want ISO 8601)") from None
        time = _EPOCH + timedelta(microseconds=days[0][0] // 1000)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


# What files call a field -> what a memory calls it; the first name that is present wins.
_NAMES: Mapping[str, Sequence[str]] = {
    "text": ("text", "content", "message", "memory"),
    "time": ("time", "t", "timestamp", "date", "created_at"),
    "author": ("author", "speaker", "role"),
    "session": ("session", "batch", "conversation", "thread"),
    "ref": ("id", "ref"),
    "belief": ("belief", "confidence"),
}
_PLAIN = ("kind", "title", "source", "valid_from", "valid_to", "importance", "pinned", "law")
_OWN = ("scope", "group", "links", "triples", "meta")


def row_from_object(found: object, line: int) -> Row:
    """One JSON value as a row; raises ValueError with what is wrong, naming the field."""
    if isinstance(found, str):
        found = {"text": found}
    if not isinstance(found, dict):
        raise ValueError(f"not an object (got {type(found).__name__}, want {{...}} or a string)")
    rest = dict(found)
    values = {name: _take(rest, names) for name, names in _NAMES.items()}
    values |= {name: _take(rest, (name,)) for name in _PLAIN}
    own = {name: _take(rest, (name,)) for name in _OWN}
    item = _checked(values)
    item["scope"] = _scope(own["scope"], own["group"])
    item["triples"] = _triples(own["triples"])
    ref = None if values["ref"] is None else str(values["ref"])
    meta = dict(own["meta"] or {}) if isinstance(own["meta"], dict | None) else {}
    item["meta"] = meta | rest | ({"ref": ref} if ref is not None else {})
    item = {name: value for name, value in item.items() if value not in (None, (), {})}
    return Row(item, line, ref, _links(own["links"]))


def _take(rest: dict[str, Any], names: Sequence[str]) -> Any:
    """Value of the first of `names` that is present; it leaves `rest`."""
    name = next((name for name in names if rest.get(name) is not None), None)
    return None if name is None else rest.pop(name)


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    text = values["text"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"text is missing (got {text!r}, want a string under 'text')")
    title = None if values["title"] is None else str(values["title"])
    kind = values["kind"]
    if kind is None:
        kind = "episodic" if values["author"] is not None else "document" if title else "semantic"
    if kind not in KINDS:
        raise ValueError(f"unknown kind (got {kind!r}, want one of {', '.join(KINDS)})")
    item: dict[str, Any] = {"pinned": values["pinned"], "law": values["law"]}
    item |= {name: _name(values[name]) for name in ("author", "session", "source")}
    for name in ("time", "valid_from", "valid_to"):
        item[name] = None if values[name] is None else read_time(values[name])
    item["belief"] = _number("belief", values["belief"], "a number in (0, 1]")
    if item["belief"] is not None and not 0.0 < item["belief"] <= 1.0:
        raise ValueError(f"belief is out of range (got {item['belief']}, want (0, 1])")
    item["importance"] = _number("importance", values["importance"], "a number")
    if title and not text.startswith(title):
        text = f"{title}\n{text}"
    return item | {"text": _encodable(text), "kind": kind}


def _number(name: str, value: object, want: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is not a number (got {value!r}, want {want})")
    return float(value)


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"text holds half a character at {error.start} (want UTF-8)") from None
    return text


def _name(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"a name is not text (got {value!r}, want a string)")
    return _encodable(str(value))


def scope_of(text: str | None) -> tuple[str, ...]:
    """The scope that "a/b" means."""
    return tuple(part for part in (text or "").split("/") if part)


def _scope(scope: object, group: object) -> tuple[str, ...]:
    if isinstance(scope, str):
        scope = scope_of(scope)
    if not isinstance(scope, list | tuple | None) or any(
        not isinstance(part, str) for part in scope or ()
    ):
        raise ValueError(f'scope is not readable (got {scope!r}, want "a/b" or ["a", "b"])')
    return (*(scope or ()), *(() if group is None else (str(group),)))


def _triples(found: object) -> tuple[tuple[str, str, str], ...]:
    good = isinstance(found, list | None) and all(
        isinstance(triple, list) and len(triple) == 3 and all(isinstance(x, str) for x in triple)
        for triple in found or ()
    )
    if not good:
        raise ValueError(f'triples are not readable (got {found!r}, want [["s", "p", "o"], ...])')
    return tuple(tuple(triple) for triple in found or ())  # type: ignore[attr-defined]


def _links(found: object) -> tuple[tuple[str, str, float], ...]:
    links = []
    for link in found if isinstance(found, list) else [] if found is None else [found]:
        if not isinstance(link, dict) or not isinstance(link.get("target"), str | int):
            raise ValueError(f'a link is not readable (got {link!r}, want {{"type", "target"}})')
        weight = link.get("weight", 1.0)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1:
            raise ValueError(f"a link's weight is out of range (got {weight!r}, want (0, 1])")
        links.append((str(link.get("type", "related")), str(link["target"]), float(weight)))
    return tuple(links)
