"""Items on their way in: checked, in plain form, as columns that one commit can write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ..text import Triple
from .errors import InvalidArgumentError
from .records import KINDS, LAWS, Item, Scope
from .times import TIME_MAX, TIME_MIN, interval, to_ns

MAX_TEXT = 256 << 20
"""Characters of one text."""
MAX_NAME = 4096
"""Characters of a name: an author, a session, a part of a scope, a source."""
PINNED = 4
"""Flag bit 2."""

_KIND = {name: code for code, name in enumerate(KINDS)}
_LAW = {name: code for code, name in enumerate(LAWS)}
_FIELDS = frozenset(f.name for f in fields(Item))


@dataclass(slots=True)
class Batch:
    """Items as columns; a time of None is the commit's own."""

    text: list[str] = field(default_factory=list)
    vector: list[Any] = field(default_factory=list)
    scope: list[Scope] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    law: list[int] = field(default_factory=list)
    pinned: list[int] = field(default_factory=list)
    author: list[str | None] = field(default_factory=list)
    session: list[str | None] = field(default_factory=list)
    time: list[int | None] = field(default_factory=list)
    valid_from: list[int] = field(default_factory=list)
    valid_to: list[int] = field(default_factory=list)
    belief: list[float] = field(default_factory=list)
    importance: list[float] = field(default_factory=list)
    source: list[str | None] = field(default_factory=list)
    meta: list[str | None] = field(default_factory=list)
    triples: dict[int, list[Triple]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.text)


def batch_of(verb: str, items: Iterable[Any], defaults: Mapping[str, Any]) -> Batch:
    """Check every item and lay all of them out as columns.

    items: text, mappings of Item's fields, or Items; defaults fill what a text or a mapping
    leaves out. Raises InvalidArgumentError that names the item.
    """
    if isinstance(items, str | bytes | Mapping):
        raise InvalidArgumentError(
            f"{verb}: items must be a list of items (got a single {type(items).__name__})"
        )
    unknown = sorted(set(defaults) - _FIELDS | set(defaults) & {"text", "vector"})
    if unknown:
        raise InvalidArgumentError(f"{verb}: no such default: {', '.join(unknown)}")
    batch = Batch()
    names = _Names(verb)
    for position, given in enumerate(items):
        try:
            _append(batch, names, _item(verb, given, defaults), position)
        except InvalidArgumentError as error:
            if verb == "add":
                raise
            raise InvalidArgumentError(f"{error}; this is item {position}") from None
    return batch


def _item(verb: str, given: Any, defaults: Mapping[str, Any]) -> Item:
    if isinstance(given, Item):
        return given
    if isinstance(given, str):
        return Item(given, **defaults)
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(
            f"{verb}: an item is text, a mapping or an Item (got {type(given).__name__})"
        )
    unknown = [str(key) for key in given if key not in _FIELDS]
    if unknown or "text" not in given:
        what = f"unknown fields {', '.join(sorted(unknown))}" if unknown else "no text"
        raise InvalidArgumentError(f"{verb}: an item has {what}")
    return Item(**{**defaults, **given})


def _append(batch: Batch, names: _Names, item: Item, position: int) -> None:
    verb = names.verb
    batch.text.append(check_text(verb, "text", item.text, MAX_TEXT))
    batch.vector.append(item.vector)
    batch.scope.append(names.scope(item.scope))
    batch.kind.append(kind_code(verb, item.kind))
    batch.law.append(law_code(verb, item.law))
    batch.pinned.append(PINNED if check_flag(verb, "pinned", item.pinned) else 0)
    batch.author.append(names.name("author", item.author))
    batch.session.append(names.name("session", item.session))
    batch.time.append(None if item.time is None else to_ns(verb, "time", item.time))
    if item.valid_from is None and item.valid_to is None:
        start, end = TIME_MIN, TIME_MAX
    else:
        start, end = interval(verb, item.valid_from, item.valid_to)
    batch.valid_from.append(start)
    batch.valid_to.append(end)
    batch.belief.append(check_number(verb, "belief", item.belief))
    batch.importance.append(check_number(verb, "importance", item.importance))
    batch.source.append(names.name("source", item.source))
    batch.meta.append(meta_text(verb, item.meta))
    if item.triples is not None:
        batch.triples[position] = triples_of(verb, item.triples)


class _Names:
    """Checks names and scopes once for each distinct value."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self._known: set[str] = set()
        self._scopes: dict[Any, Scope] = {}

    def name(self, field_name: str, value: str | None) -> str | None:
        if value is None or (isinstance(value, str) and value in self._known):
            return value
        checked = check_name(self.verb, field_name, value)
        self._known.add(checked)
        return checked

    def scope(self, value: str | Sequence[str]) -> Scope:
        if isinstance(value, str | tuple):
            try:
                return self._scopes[value]
            except (KeyError, TypeError):
                pass
        scope = check_scope(self.verb, value)
        if isinstance(value, str | tuple):
            self._scopes[value] = scope
        return scope


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
        if isinstance(one, str) or not isinstance(one, Sequence) or len(one) not in (3, 4):
            raise InvalidArgumentError(
                f"{verb}: a triple is (subject, predicate, object[, confidence]) (got {one!r:.60})"
            )
        subject, predicate, target = (
            " ".join(check_name(verb, "a phrase of a triple", part).split()) for part in one[:3]
        )
        if not (subject and predicate and target):
            raise InvalidArgumentError(f"{verb}: a phrase of a triple is blank (got {one!r:.60})")
        confidence = check_number(verb, "confidence", one[3]) if len(one) == 4 else 1.0
        if not 0.0 < confidence <= 1.0:
            raise InvalidArgumentError(
                f"{verb}: the confidence of a triple must be in (0, 1] (got {confidence})"
            )
        found.append(Triple(subject, predicate, target, confidence))
    return found
