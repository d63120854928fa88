"""Items on their way in: checked, in plain form, as columns that one commit can write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..text import Triple
from .errors import InvalidArgumentError
from .records import KINDS, LAWS, Item, Scope
from .times import interval, open_end, to_ns

MAX_TEXT = 256 << 20
"""Characters of one text."""
MAX_NAME = 4096
"""Characters of a name: an author, a session, a part of a scope, a source."""
PINNED = 4
"""Flag bit 2."""

_KIND = {name: code for code, name in enumerate(KINDS)}
_LAW = {name: code for code, name in enumerate(LAWS)}
_ABSENT: Any = object()
_DEFAULTS = {f.name: f.default for f in fields(Item) if f.name != "text"}
_HASHABLE = {str, type(None), object}
_FIELDS = {"text", *_DEFAULTS}


@dataclass(slots=True)
class Batch:
    """Items as columns, in plain form. A time of None is the commit's own; an empty list of
    triples is none.
    """

    text: list[str]
    vector: list[Any]
    scope: list[Scope]
    kind: list[int]
    time: list[int | None]
    author: list[str | None]
    session: list[str | None]
    source: list[str | None]
    valid_from: list[int]
    valid_to: list[int]
    belief: list[float]
    importance: list[float]
    pinned: list[int]
    law: list[int]
    meta: list[str | None]
    triples: list[list[Triple]]
    subject: list[str | None]

    def __len__(self) -> int:
        return len(self.text)


def batch_of(verb: str, items: Iterable[Any], defaults: Mapping[str, Any]) -> Batch:
    """Check every item and lay all of them out as columns.

    items: text, mappings of Item's fields, or Items; defaults fill what a text or a mapping
    leaves out. Raises InvalidArgumentError that names the item.
    """
    if isinstance(items, str | bytes | Mapping) or not isinstance(items, Iterable):
        raise InvalidArgumentError(
            f"{verb}: items must be a list of items (got a single {type(items).__name__})"
        )
    unknown = sorted(set(defaults) - set(_DEFAULTS) | set(defaults) & {"vector"})
    if unknown:
        raise InvalidArgumentError(f"{verb}: no such default: {', '.join(unknown)}")
    plain = _Plain(verb)
    bare = plain.row(dict.fromkeys(("text", *_DEFAULTS)), {"text": "", **_DEFAULTS})
    shared = plain.row(bare, defaults)
    if isinstance(items, list | tuple):
        batch = _by_column(plain, shared, items)
        if batch is not None:
            return batch
    columns: list[list[Any]] = [[] for _ in fields(Batch)]
    appends = [column.append for column in columns]
    for position, given in enumerate(items):
        try:
            if isinstance(given, str):
                row = plain.row(shared, {"text": given})
            elif isinstance(given, Item):
                row = plain.row(bare, _given(given))
            else:
                row = plain.row(shared, _mapping(verb, given))
        except InvalidArgumentError as error:
            if verb == "add":
                raise
            raise InvalidArgumentError(f"{error}; this is item {position}") from None
        for append, value in zip(appends, row.values(), strict=True):
            append(value)
    return Batch(*columns)


def _by_column(plain: _Plain, shared: Mapping[str, Any], items: Sequence[Any]) -> Batch | None:
    """The same of a list of dicts, a column at a time; None where any item takes a closer look."""
    if set(map(type, items)) != {dict}:
        return None
    used = set().union(*items)
    if not used <= _FIELDS or "text" not in used or used & {"valid_from", "valid_to"}:
        return None
    columns = {}
    for name, default in shared.items():
        if name not in used:
            columns[name] = [default] * len(items)
            continue
        column = [item.get(name, _ABSENT) for item in items]
        try:
            columns[name] = plain.column(name, column, default)
        except (InvalidArgumentError, TypeError):  # whose it is, the other way tells
            return None
    return Batch(**columns)


def _given(item: Item) -> dict[str, Any]:
    """The fields of an item that differ from Item's defaults."""
    found = {"text": item.text}
    for name, default in _DEFAULTS.items():
        value = getattr(item, name)
        if value is not default:
            found[name] = value
    return found


def _mapping(verb: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(
            f"{verb}: an item is text, a mapping or an Item (got {type(given).__name__})"
        )
    if "text" not in given:
        raise InvalidArgumentError(f"{verb}: an item has no text")
    unknown = sorted(str(key) for key in given if key != "text" and key not in _DEFAULTS)
    if unknown:
        raise InvalidArgumentError(f"{verb}: an item has unknown fields {', '.join(unknown)}")
    return given


class _Plain:
    """Brings fields into the log's form; names and scopes are checked once per distinct value."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._names: set[str] = set()
        self._scopes: dict[Any, Scope] = {}
        self._forms: dict[str, Callable[[Any], Any]] = {
            "text": lambda value: check_text(verb, "text", value, MAX_TEXT),
            "vector": lambda value: value,
            "scope": self._scope,
            "kind": lambda value: kind_code(verb, value),
            "time": lambda value: None if value is None else to_ns(verb, "time", value),
            "author": lambda value: self._name("author", value),
            "session": lambda value: self._name("session", value),
            "source": lambda value: self._name("source", value),
            "belief": lambda value: check_number(verb, "belief", value),
            "importance": lambda value: check_number(verb, "importance", value),
            "pinned": lambda value: PINNED if check_flag(verb, "pinned", value) else 0,
            "law": lambda value: law_code(verb, value),
            "meta": lambda value: meta_text(verb, value),
            "triples": lambda value: [] if value is None else triples_of(verb, value),
            "subject": lambda value: self._name("subject", value),
        }

    def row(self, base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """A row in plain form with the given fields in their places."""
        row = dict(base)
        for name, value in given.items():
            form = self._forms.get(name)
            if form is not None:
                row[name] = form(value)
        if "valid_from" in given or "valid_to" in given:
            row["valid_from"], row["valid_to"] = interval(
                self._verb,
                given.get("valid_from", open_end(row["valid_from"])),
                given.get("valid_to", open_end(row["valid_to"])),
            )
        return row

    def column(self, name: str, values: list[Any], default: Any) -> list[Any]:
        """Values of one field in plain form; the default, in plain form, where one is absent."""
        form, types = self._forms[name], set(map(type, values))
        if name == "text":
            if types != {str} or not all(map(str.isascii, values)):
                return [form(value) for value in values]  # also where one is absent: no text
            if len(max(values, key=len)) > MAX_TEXT:
                form(max(values, key=len))
            return values
        if name == "vector" or (types == {float} and name in ("belief", "importance")):
            return [default if value is _ABSENT else value for value in values]
        if name == "time" and types == {int}:
            to_ns(self._verb, name, min(values))
            to_ns(self._verb, name, max(values))
            return values
        if types <= _HASHABLE:
            # Few names, scopes and kinds are many rows.
            forms = {value: form(value) for value in set(values) if value is not _ABSENT}
            forms[_ABSENT] = default
            return [forms[value] for value in values]
        return [default if value is _ABSENT else form(value) for value in values]

    def _name(self, field_name: str, value: str | None) -> str | None:
        if value is None or (isinstance(value, str) and value in self._names):
            return value
        checked = check_name(self._verb, field_name, value)
        self._names.add(checked)
        return checked

    def _scope(self, value: str | Sequence[str]) -> Scope:
        try:
            return self._scopes[value]
        except KeyError:
            scope = self._scopes[value] = check_scope(self._verb, value)
            return scope
        except TypeError:  # a list, or a part that cannot be hashed
            return check_scope(self._verb, value)


def check_text(verb: str, name: str, value: Any, limit: int) -> str:
    """Text that UTF-8 can hold, of at most `limit` characters."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{verb}: {name} must be text (got {type(value).__name__})")
    if len(value) > limit:
        raise InvalidArgumentError(
            f"{verb}: {name} is too long (got {len(value)} characters, want at most {limit})"
        )
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidArgumentError(
                f"{verb}: {name} holds a lone surrogate, which no text can contain "
                f"(got U+{ord(value[error.start]):04X} at position {error.start})"
            ) from None
    return str(value)


def check_name(verb: str, name: str, value: Any) -> str:
    checked = check_text(verb, name, value, MAX_NAME)
    if not checked:
        raise InvalidArgumentError(f"{verb}: {name} is empty (leave it out instead)")
    return checked


def check_scope(verb: str, value: Any) -> Scope:
    """A tuple of non-empty strings; a string alone is a scope of one part."""
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, tuple | list):
        raise InvalidArgumentError(
            f"{verb}: scope must be text or a tuple of texts (got {type(value).__name__})"
        )
    return tuple(check_name(verb, "a part of the scope", part) for part in value)


def kind_code(verb: str, kind: Any) -> int:
    code = _KIND.get(kind) if isinstance(kind, str) else None
    if code is None:
        raise InvalidArgumentError(
            f"{verb}: no such kind (got {kind!r:.40}, want one of {', '.join(KINDS)})"
        )
    return code


def law_code(verb: str, law: Any) -> int:
    code = _LAW.get(law) if isinstance(law, str) else None
    if code is None:
        raise InvalidArgumentError(
            f"{verb}: no such decay law (got {law!r:.40}, want one of {', '.join(LAWS)})"
        )
    return code


def check_flag(verb: str, name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgumentError(
            f"{verb}: {name} must be True or False (got {type(value).__name__})"
        )
    return value


def check_number(verb: str, name: str, value: Any) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise InvalidArgumentError(f"{verb}: {name} must be a number (got {type(value).__name__})")
    return float(value)


def meta_text(verb: str, meta: Any) -> str | None:
    """The metadata as JSON text."""
    if meta is None:
        return None
    if not isinstance(meta, Mapping) or not all(isinstance(key, str) for key in meta):
        raise InvalidArgumentError(
            f"{verb}: meta must be a mapping with text keys (got {type(meta).__name__})"
        )
    try:
        text = json.dumps(dict(meta), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{verb}: meta cannot be written as JSON ({error})") from None
    return check_text(verb, "meta", text, MAX_TEXT)


def triples_of(verb: str, given: Any) -> list[Triple]:
    """Statements as Triples; each phrase is non-empty text."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidArgumentError(
            f"{verb}: triples must be a list of (subject, predicate, object) "
            f"(got {type(given).__name__})"
        )
    found = []
    for one in given:
        if isinstance(one, str) or not isinstance(one, Sequence) or len(one) not in (3, 4, 5):
            raise InvalidArgumentError(
                f"{verb}: a triple is (subject, predicate, object[, confidence[, vector]]) "
                f"(got {one!r:.60})"
            )
        subject, predicate, target = (
            " ".join(check_name(verb, "a phrase of a triple", part).split()) for part in one[:3]
        )
        if not (subject and predicate and target):
            raise InvalidArgumentError(f"{verb}: a phrase of a triple is blank (got {one!r:.60})")
        confidence = check_number(verb, "confidence", one[3]) if len(one) > 3 else 1.0
        if not 0.0 < confidence <= 1.0:
            raise InvalidArgumentError(
                f"{verb}: the confidence of a triple must be in (0, 1] (got {confidence})"
            )
        vector = one[4] if len(one) > 4 else None
        found.append(Triple(subject, predicate, target, confidence, vector))
    return found
