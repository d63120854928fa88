"""Adding memories: extraction, vectors, entities and links of a batch become one commit."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..text import ExtractContext, Extraction, Extractor, Stored, Triple, Turn, terms, text_length
from .changes import EDGE_DTYPES, MEMORY_DTYPES, Memories
from .errors import InvalidArgumentError
from .items import Batch
from .records import KINDS, Scope
from .store import Draft, Store
from .symbols import Symbols, pack
from .times import TIME_MAX, TIME_MIN, year_of
from .vectors import Vectors

EPISODIC, ENTITY = 0, 4
EXTRACTOR_FLAGS = 3
SMALL = 64
"""A larger batch is read before the log is held; should its sessions go on meanwhile, again."""
MENTIONS = "mentions"

Key = tuple[Scope, str]
Report = Callable[[int], None]

_WORD = re.compile(r"\w+")


def entity_key(phrase: str) -> str:
    """The form under which two phrases are the same entity: case-folded words."""
    return " ".join(_WORD.findall(phrase.casefold())) or phrase.casefold().strip()


@dataclass(slots=True)
class Edges:
    """Links in the making, column by column; types are names."""

    source: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    type: list[str] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)

    def add(self, source: int, target: int, kind: str, weight: float = 1.0) -> None:
        if source != target:
            self.source.append(source)
            self.target.append(target)
            self.type.append(kind)
            self.weight.append(weight)

    def columns(self, draft: Draft) -> dict[str, NDArray[Any]] | None:
        count = len(self.source)
        if not count:
            return None
        for name, weight in zip(self.type, self.weight, strict=True):
            # The engine checks only edges between rows that it holds already.
            if not (isinstance(name, str) and name and 0.0 < weight <= 1.0):
                raise InvalidArgumentError(
                    f"{draft.verb}: a link needs a type and a weight in (0, 1] "
                    f"(got {name!r:.40}, {weight})"
                )
        first = draft.edge_ids(count)
        types = {name: draft.symbols.id("type", name) for name in dict.fromkeys(self.type)}
        return {
            "edge": np.arange(first, first + count, dtype=EDGE_DTYPES["edge"]),
            "source": np.array(self.source, EDGE_DTYPES["source"]),
            "target": np.array(self.target, EDGE_DTYPES["target"]),
            "type": np.array([types[name] for name in self.type], EDGE_DTYPES["type"]),
            "weight": np.array(self.weight, EDGE_DTYPES["weight"]),
            "valid_from": np.full(count, TIME_MIN),
            "valid_to": np.full(count, TIME_MAX),
        }


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an extractor made of a batch, and the last turns that it was shown."""

    found: Sequence[Extraction]
    shown: dict[Key, int]


def add(
    store: Store, verb: str, batch: Batch, vectors: Vectors, op_id: str | None
) -> tuple[int, int]:
    """Write the batch; (first id, count). Ids are consecutive, in the order of the items."""
    prepared: Prepared | None = None
    if len(batch) > SMALL:
        with store.reading(verb) as connection:
            context = last_turns(connection, store.view.symbols, store, batch)
        prepared = prepare(verb, store.extractor, batch, context)

    def write(draft: Draft) -> list[int]:
        nonlocal prepared
        draft.record_vectors(vectors)
        context = last_turns(draft.connection, draft.view.symbols, store, batch)
        shown = {key: turn.id for key, turn in context.items()}
        if prepared is None or shown != prepared.shown:
            prepared = prepare(verb, store.extractor, batch, context)
        return [fill(draft, batch, vectors, prepared.found), len(batch)]

    first, count = store.commit(verb, op_id, write)
    return first, count


def prepare(verb: str, extractor: Extractor, batch: Batch, context: dict[Key, Turn]) -> Prepared:
    """Run the extractor over the batch and check what it returns."""
    turns = [
        Turn(text, KINDS[kind], scope, session, author, time)
        for text, kind, scope, session, author, time in zip(
            batch.text, batch.kind, batch.scope, batch.session, batch.author, batch.time,
            strict=True,
        )
    ]  # fmt: skip
    found = extractor.extract(turns, ExtractContext(last_turns=context))
    if len(found) != len(turns):
        raise InvalidArgumentError(
            f"{verb}: the extractor {extractor.id} returned {len(found)} extractions "
            f"(want {len(turns)})"
        )
    return Prepared(found, {key: turn.id or 0 for key, turn in context.items()})


def last_turns(
    connection: sqlite3.Connection, symbols: Symbols, store: Store, batch: Batch
) -> dict[Key, Turn]:
    """The newest live stored turn of each (scope, session) in the batch."""
    found = {}
    keys = {
        (scope, session)
        for scope, session, kind in zip(batch.scope, batch.session, batch.kind, strict=True)
        if session is not None and kind == EPISODIC
    }
    for scope, session in sorted(keys):
        symbol = symbols.get("session", pack((*scope, session)))
        if symbol is None:
            continue
        turn = _last_turn(connection, symbols, store, symbol, scope, session)
        if turn is not None:
            found[scope, session] = turn
    return found


def _last_turn(
    connection: sqlite3.Connection,
    symbols: Symbols,
    store: Store,
    symbol: int,
    scope: Scope,
    session: str,
) -> Turn | None:
    rows = connection.execute(
        "SELECT DISTINCT id FROM memories WHERE session = ? AND session > 0 ORDER BY id DESC",
        (symbol,),
    )
    for (memory,) in rows:
        if not store.view.engine.contains(np.array([memory]))[0]:
            continue
        kind, text, author, time = connection.execute(
            "SELECT kind, text, author, time FROM memories WHERE id = ? ORDER BY seq DESC LIMIT 1",
            (memory,),
        ).fetchone()
        if kind == EPISODIC:
            return Turn(text, KINDS[kind], scope, session, symbols.author(author), time, memory)
    return None


def fill(draft: Draft, batch: Batch, vectors: Vectors, found: Sequence[Extraction]) -> int:
    """Put the batch, its entities and its links into the draft; the first id."""
    count = len(batch)
    first = draft.memory_ids(count)
    times = [draft.time if time is None else time for time in batch.time]
    edges = Edges()
    answers: list[int | None] = [None] * count
    for position, extraction in enumerate(found):
        for link in extraction.links:
            source = _end(draft, link.source, first, count)
            target = _end(draft, link.target, first, count)
            edges.add(source, target, link.type, link.weight)
            if link.type == "answers" and source == first + position:
                answers[position] = target
    scopes = {scope: draft.symbols.id("scope", pack(scope)) for scope in dict.fromkeys(batch.scope)}
    draft.changes.memories.append(
        Memories(
            columns=memory_columns(
                id=range(first, first + count),
                scope=[scopes[scope] for scope in batch.scope],
                kind=batch.kind,
                law=batch.law,
                flags=[
                    pinned | (extraction.flags & EXTRACTOR_FLAGS)
                    for pinned, extraction in zip(batch.pinned, found, strict=True)
                ],
                author=_author_ids(draft, batch.author),
                session=_session_ids(draft, batch.scope, batch.session),
                length=[min(extraction.length, 65_535) for extraction in found],
                time=times,
                valid_from=batch.valid_from,
                valid_to=batch.valid_to,
                belief=batch.belief,
                importance=batch.importance,
            ),
            terms=[extraction.terms for extraction in found],
            vectors=vectors.array,
            vector_row=vectors.row,
            text=batch.text,
            source=batch.source,
            meta=batch.meta,
            entity=[
                entity_key(text) if kind == ENTITY else None
                for text, kind in zip(batch.text, batch.kind, strict=True)
            ],
            answers=answers,
        )
    )
    _state(draft, batch, found, first, times, scopes, edges)
    draft.changes.edges = edges.columns(draft)
    note_years(draft, times)
    return first


def memory_columns(**values: Sequence[Any] | range) -> dict[str, NDArray[Any]]:
    """Columns in the dtypes of the engine; a float too large becomes infinite and is refused."""
    with np.errstate(over="ignore"):
        return {name: np.array(values[name], dtype=dtype) for name, dtype in MEMORY_DTYPES.items()}


def _end(draft: Draft, end: int | Stored, first: int, count: int) -> int:
    """The id at the end of an extractor's link."""
    if isinstance(end, Stored):
        if draft.engine.contains(np.array([end.id], np.int64))[0]:
            return end.id
    elif 0 <= end < count:
        return first + end
    raise InvalidArgumentError(f"{draft.verb}: the extractor linked to {end!r}, which is not there")


def _author_ids(draft: Draft, authors: list[str | None]) -> list[int]:
    ids: dict[str | None, int] = {None: 0}
    for name in dict.fromkeys(authors):
        if name is not None:
            ids[name] = draft.symbols.id("author", name)
    return [ids[name] for name in authors]


def _session_ids(draft: Draft, scopes: list[Scope], sessions: list[str | None]) -> list[int]:
    keys = list(zip(scopes, sessions, strict=True))
    ids = {
        key: 0 if key[1] is None else draft.symbols.id("session", pack((*key[0], key[1])))
        for key in dict.fromkeys(keys)
    }
    return [ids[key] for key in keys]


def _state(
    draft: Draft,
    batch: Batch,
    found: Sequence[Extraction],
    first: int,
    times: list[int],
    scopes: dict[Scope, int],
    edges: Edges,
) -> None:
    """Entities of the batch's statements, one per distinct phrase and scope, and their links."""
    known: dict[tuple[int, str], int] = {}
    new: list[tuple[int, int, int, str]] = []

    def entity(scope: int, time: int, phrase: str) -> int:
        key = (scope, entity_key(phrase))
        if key not in known:
            stored = find_entity(draft, scope, key[1])
            if stored is None:
                stored = draft.memory_ids(1)
                new.append((stored, scope, time, phrase))
            known[key] = stored
        return known[key]

    for position, extraction in enumerate(found):
        triples: list[Triple] = [*extraction.triples, *batch.triples[position]]
        scope, time = scopes[batch.scope[position]], times[position]
        mentioned: dict[int, None] = {}
        for subject, predicate, target, confidence in triples:
            ends = entity(scope, time, subject), entity(scope, time, target)
            edges.add(*ends, predicate, confidence)
            mentioned.update(dict.fromkeys(ends))
        for end in mentioned:
            edges.add(first + position, end, MENTIONS)
    if new:
        draft.changes.memories.append(_entities(new))


def find_entity(draft: Draft, scope: int, key: str) -> int | None:
    rows = draft.connection.execute(
        "SELECT DISTINCT id FROM memories WHERE entity = ? AND scope = ? ORDER BY id", (key, scope)
    )
    for (memory,) in rows:
        if draft.engine.contains(np.array([memory], np.int64))[0]:
            return int(memory)
    return None


def _entities(new: list[tuple[int, int, int, str]]) -> Memories:
    count = len(new)
    phrases = [phrase for _, _, _, phrase in new]
    none = [None] * count
    return Memories(
        columns=memory_columns(
            id=[memory for memory, _, _, _ in new],
            scope=[scope for _, scope, _, _ in new],
            kind=[ENTITY] * count,
            law=[0] * count,
            flags=[0] * count,
            author=[0] * count,
            session=[0] * count,
            length=[min(text_length(phrase), 65_535) for phrase in phrases],
            time=[time for _, _, time, _ in new],
            valid_from=[TIME_MIN] * count,
            valid_to=[TIME_MAX] * count,
            belief=[1.0] * count,
            importance=[0.0] * count,
        ),
        terms=[terms(phrase) for phrase in phrases],
        text=phrases,
        source=none,
        meta=none,
        entity=[entity_key(phrase) for phrase in phrases],
        answers=none,
    )


def note_years(draft: Draft, times: Sequence[int]) -> None:
    """Keep the years that occur: a date without a year in a question means one of them."""
    for day in {time // 86_400_000_000_000 for time in times}:
        draft.symbols.id("year", str(year_of(day * 86_400_000_000_000)))
