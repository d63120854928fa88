"""Entities of a batch: the phrases of its statements, its subjects, and who mentions them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from ..text import ExtractContext as Nothing
from ..text import NameFinder, Triple, Turn, name_key, terms, text_length
from .changes import MEMORY_DTYPES, Memories, memory_columns
from .edges import Edges
from .items import Batch
from .names import SUBJECT
from .reading import NativeNames
from .records import KINDS
from .rows import fetch_row
from .store import Draft, Store
from .times import TIME_MAX, TIME_MIN
from .vectors import Vectors

ENTITY, STATEMENT = KINDS.index("entity"), KINDS.index("statement")
NODES = (ENTITY, STATEMENT)
MENTIONS, ABOUT, STATES = "mentions", "about", "states"
MOST_OLD_ROWS = 4096
"""A name whose words are in more of the stored rows is too common to be looked for in them."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Of each memory of a batch: its statements, its subjects; and vectors of all statements."""

    triples: Sequence[Sequence[Triple]]
    subjects: Sequence[Sequence[str]]
    vectors: Vectors

    def rows(self) -> Iterator[int]:
        """Row of `vectors.array` for each statement in order, or -1."""
        count = sum(map(len, self.triples))
        if self.vectors.array is None:
            return repeat(-1, count)
        return iter(range(count) if self.vectors.row is None else self.vectors.row.tolist())


@dataclass(slots=True)
class _New:
    memory: int
    scope: int
    time: int
    phrase: str
    flags: int
    kind: int
    key: str
    vector: int = -1


class Entities:
    """Finds or makes the entity of a phrase, one for each distinct phrase and scope."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._known: dict[tuple[int, str], int] = {}
        self._new: dict[int, _New] = {}
        self.subjects: dict[tuple[int, str], int] = {}
        """Subjects that this batch makes known: (scope, key) -> entity."""

    def of(self, scope: int, time: int, phrase: str) -> int:
        """The entity that a phrase stands for."""
        key = (scope, name_key(phrase))
        if key not in self._known:
            stored = find_entity(self._draft, *key)
            if stored is None:
                stored = self._draft.memory_ids(1)
                self._new[stored] = _New(stored, scope, time, phrase, 0, ENTITY, key[1])
            self._known[key] = stored
        return self._known[key]

    def statement(self, scope: int, time: int, triple: Triple, vector: int) -> tuple[int, bool]:
        """(the node of a statement, whether it is new)."""
        ends = (name_key(part) for part in (triple.subject, triple.predicate, triple.object))
        key = (scope, " | ".join(ends))  # no phrase's key holds a bar
        fresh = False
        if key not in self._known:
            stored = find_entity(self._draft, *key)
            fresh = stored is None
            if stored is None:
                stored = self._draft.memory_ids(1)
                self._new[stored] = _New(
                    stored, scope, time, triple.text, 0, STATEMENT, key[1], vector
                )
            self._known[key] = stored
        return self._known[key], fresh

    def subject(self, scope: int, time: int, phrase: str) -> int:
        """The entity of a name that a memory is about."""
        key = (scope, name_key(phrase))
        if key in self.subjects:
            return self.subjects[key]
        stored = self._draft.view.names.get(*key)
        if stored is not None and there(self._draft, stored):
            return stored
        entity = self.subjects[key] = self.of(scope, time, phrase)
        if entity in self._new:
            self._new[entity].flags = SUBJECT
        else:
            self._draft.changes.memories.append(_as_subject(self._draft, entity))
        return entity

    def rows(self, vectors: Vectors) -> Memories | None:
        """The entities and statements that the batch makes, as rows."""
        new = list(self._new.values())
        if not new:
            return None
        held = any(one.vector >= 0 for one in new)
        count, none = len(new), [None] * len(new)
        return Memories(
            columns=memory_columns(
                id=[one.memory for one in new],
                scope=[one.scope for one in new],
                kind=[one.kind for one in new],
                law=[0] * count,
                flags=[one.flags for one in new],
                author=[0] * count,
                session=[0] * count,
                length=[min(text_length(one.phrase), 65_535) for one in new],
                time=[one.time for one in new],
                valid_from=[TIME_MIN] * count,
                valid_to=[TIME_MAX] * count,
                belief=[1.0] * count,
                importance=[0.0] * count,
            ),
            terms=[terms(one.phrase) for one in new],
            vectors=vectors.array if held else None,
            vector_row=np.array([one.vector for one in new], np.int32) if held else None,
            text=[one.phrase for one in new],
            source=none,
            meta=none,
            entity=[one.key for one in new],
            answers=none,
        )


def link_entities(
    store: Store,
    draft: Draft,
    batch: Batch,
    stated: Stated,
    first: int,
    times: list[int],
    scopes: list[int],
    edges: Edges,
) -> None:
    """Entities and links of the statements and subjects of a batch, and of those it mentions.

    scopes: the number of each row's scope. A name that becomes known is looked for in the rows
    that are stored already, too.
    """
    entities = Entities(draft)
    mentioned: defaultdict[int, dict[int, None]] = defaultdict(dict)
    vectors = stated.rows()
    for position, (triples, subjects) in enumerate(
        zip(stated.triples, stated.subjects, strict=True)
    ):
        if not triples and not subjects:
            continue
        scope, time = scopes[position], times[position]
        for triple in triples:
            ends = entities.of(scope, time, triple.subject), entities.of(scope, time, triple.object)
            edges.add(*ends, triple.predicate, triple.confidence)
            mentioned[position].update(dict.fromkeys(ends))
            node, fresh = entities.statement(scope, time, triple, next(vectors))
            edges.add(first + position, node, STATES, triple.confidence)
            for end in dict.fromkeys(ends) if fresh else ():
                edges.add(node, end, ABOUT)
        for name in subjects:
            edges.add(first + position, entities.subject(scope, time, name), ABOUT)
    for position, entity in _mentions(draft, batch, scopes, entities):
        mentioned[position][entity] = None
    for position, these in sorted(mentioned.items()):
        for entity in these:
            edges.add(first + position, entity, MENTIONS)
    for memory, entity in _old_mentions(store, draft, entities):
        edges.add(memory, entity, MENTIONS)
    new = entities.rows(stated.vectors)
    if new is not None:
        draft.changes.memories.append(new)


def _mentions(
    draft: Draft, batch: Batch, scopes: list[int], entities: Entities
) -> Iterator[tuple[int, int]]:
    """(position in the batch, subject that its text mentions), old subjects and new ones."""
    known = draft.view.names
    kinds, fresh, alive = batch.kind, entities.subjects, dict[int, bool]()
    for position, key in known.finder.find(batch.text):
        if kinds[position] in NODES:
            continue
        entity = known.get(scopes[position], key)
        if entity is not None and (scopes[position], key) not in fresh:
            if entity not in alive:
                alive[entity] = there(draft, entity)
            if alive[entity]:
                yield position, entity
    if fresh:
        for position, key in NativeNames(key for _, key in fresh).find(batch.text):
            if kinds[position] not in NODES and (scopes[position], key) in fresh:
                yield position, fresh[scopes[position], key]


def _old_mentions(store: Store, draft: Draft, entities: Entities) -> Iterator[tuple[int, int]]:
    """(stored memory, new subject that its text mentions)."""
    if not entities.subjects:
        return
    keys = list(entities.subjects)
    words = store.extractor.extract([Turn(key, "entity") for _, key in keys], Nothing())
    for (scope, key), extraction in zip(keys, words, strict=True):
        rows = draft.engine.holding(extraction.terms, scope, MOST_OLD_ROWS)
        finder = NameFinder([key])
        texts = draft.connection.execute(
            "SELECT m.id, m.text FROM json_each(?) AS wanted JOIN memories AS m ON m.id = "
            "wanted.value AND m.seq = (SELECT max(seq) FROM memories WHERE id = wanted.value)",
            (json.dumps(rows.tolist()),),
        )
        for memory, text in texts.fetchall() if len(rows) else ():
            if text is not None and finder.find(text):
                yield memory, entities.subjects[scope, key]


def there(draft: Draft, memory: int) -> bool:
    return bool(draft.engine.contains(np.array([memory], np.int64))[0])


def find_entity(draft: Draft, scope: int, key: str) -> int | None:
    """The live entity of a phrase in a scope."""
    rows = draft.connection.execute(
        "SELECT DISTINCT id FROM memories WHERE entity = ? AND scope = ? ORDER BY id", (key, scope)
    )
    for (memory,) in rows:
        if there(draft, memory):
            return int(memory)
    return None


def _as_subject(draft: Draft, entity: int) -> Memories:
    """A new version of an entity that was only a phrase so far: memories are about it now."""
    row = fetch_row(draft.connection, entity, draft.seq)
    assert row is not None
    vector = None if row.vector is None else np.frombuffer(row.vector, np.float32).reshape(1, -1)
    fields = [name for name in MEMORY_DTYPES if name != "flags"]
    return Memories(
        columns=memory_columns(
            flags=[row.flags | SUBJECT], **{name: [getattr(row, name)] for name in fields}
        ),
        terms=[row.terms],
        vectors=vector,
        text=[row.text],
        source=[row.source],
        meta=[row.meta],
        entity=[name_key(row.text)],
        answers=[row.answers],
    )
