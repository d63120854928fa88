"""Names and their numbers: scopes, authors, sessions, edge types and years of one store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .._core import EDGE_TYPES, FIRST_FREE_EDGE_TYPE
from ..text import AuthorNames
from .errors import InvalidArgumentError

Scope = tuple[str, ...]

RESERVED_TYPES: dict[str, int] = dict(EDGE_TYPES)
MAX_TYPE = 65_535
SPACES = ("scope", "author", "session", "type", "year")


def pack(parts: Iterable[str]) -> str:
    """A tuple of strings as one name."""
    return json.dumps(list(parts), ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=1 << 16)
def unpack(name: str) -> Scope:
    return tuple(json.loads(name))


class Symbols:
    """What the table symbols holds, kept in memory and read from where the last reading ended."""

    def __init__(self) -> None:
        self._read = 0
        self._ids: dict[str, dict[str, int]] = {space: {} for space in SPACES}
        self._names: dict[str, dict[int, str]] = {space: {} for space in SPACES}
        self._ids["type"].update(RESERVED_TYPES)
        self._names["type"].update({i: name for name, i in RESERVED_TYPES.items()})
        self._scopes: dict[int, Scope] = {}
        self._below: dict[Scope, list[int]] = {}
        self.author_names = AuthorNames()

    def load(self, connection: sqlite3.Connection) -> None:
        """Read the symbols that were added since the last call."""
        rows = connection.execute(
            "SELECT number, space, id, name FROM symbols WHERE number > ? ORDER BY number",
            (self._read,),
        )
        for number, space, symbol, name in rows:
            self._read = number
            if space not in self._ids:
                continue
            self._ids[space][name] = symbol
            self._names[space][symbol] = name
            if space == "scope":
                scope = unpack(name)
                self._scopes[symbol] = scope
                for depth in range(len(scope) + 1):
                    self._below.setdefault(scope[:depth], []).append(symbol)
            elif space == "author":
                self.author_names.add(name, symbol)

    def get(self, space: str, name: str) -> int | None:
        return self._ids[space].get(name)

    def name(self, space: str, symbol: int) -> str:
        return self._names[space][symbol]

    def next_id(self, space: str) -> int:
        """The number that the next new name of `space` gets."""
        first = FIRST_FREE_EDGE_TYPE if space == "type" else 1
        own = len(self._ids[space]) - (len(RESERVED_TYPES) if space == "type" else 0)
        return first + own

    def scope(self, symbol: int) -> Scope:
        return self._scopes[symbol]

    def author(self, symbol: int) -> str | None:
        return self._names["author"][symbol] if symbol else None

    def session(self, symbol: int) -> str | None:
        """The session's own name: the last part of (*scope, session)."""
        return unpack(self._names["session"][symbol])[-1] if symbol else None

    def within(self, scope: Scope) -> NDArray[np.uint32] | None:
        """Numbers of all scopes that start with `scope`; None for the empty prefix: all."""
        if not scope:
            return None
        return np.array(self._below.get(scope, ()), dtype=np.uint32)

    def scopes(self) -> list[Scope]:
        return sorted(list(self._scopes.values()))

    def years(self) -> tuple[int, ...]:
        # A list first: another thread may add a name meanwhile.
        return tuple(sorted(map(int, list(self._ids["year"]))))


class NewSymbols:
    """The names that one commit adds, numbered as they will be once it is durable."""

    def __init__(self, known: Symbols) -> None:
        self._known = known
        self._new: dict[tuple[str, str], int] = {}
        self._count = dict.fromkeys(SPACES, 0)

    def id(self, space: str, name: str) -> int:
        """The number of `name`, new or not."""
        found = self._known.get(space, name)
        if found is None:
            found = self._new.get((space, name))
        if found is None:
            found = self._known.next_id(space) + self._count[space]
            if space == "type" and found > MAX_TYPE:
                raise InvalidArgumentError(
                    f"link: a store holds at most {MAX_TYPE} edge types (no room for {name!r:.40})"
                )
            self._count[space] += 1
            self._new[space, name] = found
        return found

    def rows(self) -> list[tuple[str, int, str]]:
        """(space, id, name) of every new symbol."""
        return [(space, symbol, name) for (space, name), symbol in self._new.items()]
