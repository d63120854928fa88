"""The names of a store's subjects, kept in memory as the log grows: who is meant by a name."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable

from .changes import Changes
from .reading import NativeNames
from .records import KINDS

STATEMENT = KINDS.index("statement")
SUBJECT = 32
"""Flag bit 5: memories are about this entity."""

_ALL = (
    "SELECT row, id, scope, entity, flags, kind FROM memories INDEXED BY memories_by_entity "
    "WHERE entity IS NOT NULL AND row > ? AND row <= ? ORDER BY row"
)
_NEW = (
    "SELECT row, id, scope, entity, flags, kind FROM memories "
    "WHERE row > ? AND row <= ? AND +entity IS NOT NULL ORDER BY row"
)


class Names:
    """Names of subjects by scope. Written under the view's lock; readers need none."""

    def __init__(self) -> None:
        self._rows = 0
        self._ids: dict[str, dict[int, int]] = {}
        self._erased: set[int] = set()
        self.finder = NativeNames()
        self.phrases = False
        """Whether the store holds entities besides subjects."""
        self.statements = False
        """Whether it holds statements, which lead to memories without the caller's cues."""

    def load(self, connection: sqlite3.Connection, rows: int) -> None:
        """Read what the log holds beyond the last call, up to row `rows` of the memories."""
        query = _NEW if self._rows else _ALL
        for _, *found in connection.execute(query, (self._rows, rows)):
            self._add(*found)
        self._erased.update(memory for (memory,) in connection.execute("SELECT id FROM erasures"))
        self._rows = rows

    def take(self, changes: Changes, rows: int) -> None:
        """Take in an own commit without reading it back."""
        for batch in changes.memories:
            if not any(batch.entity):
                continue
            columns = (batch.columns[name].tolist() for name in ("id", "scope", "flags", "kind"))
            for memory, scope, flags, kind, key in zip(*columns, batch.entity, strict=True):
                if key is not None:
                    self._add(memory, scope, key, flags, kind)
        self._erased.update(erasure.id for erasure in changes.erasures)
        self._rows = rows

    def _add(self, memory: int, scope: int, key: str, flags: int, kind: int) -> None:
        if kind == STATEMENT:
            self.statements = True
            return
        if not flags & SUBJECT:
            self.phrases = True
            return
        self._ids.setdefault(key, {})[scope] = memory
        self.finder.add(key)

    def get(self, scope: int, key: str) -> int | None:
        """The subject of this name in a scope."""
        found = self._ids.get(key, {}).get(scope)
        return None if found in self._erased else found

    def in_question(self, query: str, scopes: Collection[int] | None) -> list[int]:
        """Subjects that a question names, in the scopes allowed (None: all)."""
        return list(self._of(self.finder.plain.find_in_question(query), scopes))

    def _of(self, keys: Iterable[str], scopes: Collection[int] | None) -> Iterable[int]:
        for key in keys:
            for scope, memory in list(self._ids.get(key, {}).items()):
                if memory not in self._erased and (scopes is None or scope in scopes):
                    yield memory
