"""Adding memories: extraction, vectors, entities and links of a batch become one commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..text import (
    ExtractContext,
    Extracted,
    RuleExtractor,
    Stored,
    Triple,
    Turn,
    Turns,
    name_key,
)
from .changes import Memories, memory_columns
from .edges import Edges
from .entities import ENTITY, Stated, link_entities
from .errors import InvalidArgumentError
from .items import Batch, batch_of
from .progress import Progress, reporter
from .records import KINDS, Scope
from .store import Draft, Store
from .symbols import Symbols, pack
from .times import year_of
from .vectors import NO_VECTORS, Vectors

EPISODIC = 0
EXTRACTOR_FLAGS = 27
SMALL = 64
"""A larger batch is read before the log is held; should its sessions go on meanwhile, again."""

Key = tuple[Scope, str]
Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an extractor made of a batch, and the last turns that it was shown.

    statements: of each memory, the extractor's and the caller's; vectors: theirs, in order.
    """

    found: Extracted
    shown: dict[Key, int]
    statements: Sequence[Sequence[Triple]]
    vectors: Vectors


def add(
    store: Store, verb: str, batch: Batch, vectors: Vectors, op_id: str | None
) -> tuple[int, int]:
    """Write the batch; (first id, count). Ids are consecutive, in the order of the items."""
    prepared: Prepared | None = None
    if len(batch) > SMALL:
        with store.reading(verb) as connection:
            context = last_turns(connection, store.view.symbols, store, batch)
        prepared = prepare(verb, store, batch, context)

    def write(draft: Draft) -> list[int]:
        nonlocal prepared
        draft.record_vectors(vectors)
        context = last_turns(draft.connection, draft.view.symbols, store, batch)
        shown = {key: turn.id for key, turn in context.items()}
        if prepared is None or shown != prepared.shown:
            prepared = prepare(verb, store, batch, context)
        draft.record_vectors(prepared.vectors)
        return [fill(store, draft, batch, vectors, prepared), len(batch)]

    first, count = store.commit(verb, op_id, write)
    return first, count


def prepare(verb: str, store: Store, batch: Batch, context: dict[Key, Turn]) -> Prepared:
    """Run the extractor over the batch, check what it returns, and embed what it states."""
    found, statements = _extract(verb, store, batch, ExtractContext(last_turns=context))
    texts = [one.text for row in statements for one in row]
    vectors = NO_VECTORS
    if texts:
        given = [one.vector for row in statements for one in row]
        recorded = store.recorded_vectors(verb)
        vectors = store.embedding.for_batch(verb, texts, given, recorded, lambda _: None)
    shown = {key: turn.id or 0 for key, turn in context.items()}
    return Prepared(found, shown, statements, vectors)


def _extract(
    verb: str, store: Store, batch: Batch, context: ExtractContext
) -> tuple[Extracted, Sequence[Sequence[Triple]]]:
    """(what the extractor finds, statements of each memory)."""
    extractor = store.extractor
    kinds = [KINDS[kind] for kind in batch.kind]
    if type(extractor) is RuleExtractor:
        turns = Turns(batch.text, kinds, batch.scope, batch.session, batch.author, batch.subject)
        return extractor.columns(turns, context), batch.triples
    given = [
        Turn(text, kind, scope, session, author, time, None, subject)
        for text, kind, scope, session, author, time, subject in zip(
            batch.text, kinds, batch.scope, batch.session, batch.author, batch.time,
            batch.subject, strict=True,
        )
    ]  # fmt: skip
    found = extractor.extract(given, context)
    if len(found) != len(given):
        raise InvalidArgumentError(
            f"{verb}: the extractor {extractor.id} returned {len(found)} extractions "
            f"(want {len(given)})"
        )
    statements = [
        [*extraction.triples, *own] for extraction, own in zip(found, batch.triples, strict=True)
    ]
    return Extracted.of(found), statements


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


def fill(store: Store, draft: Draft, batch: Batch, vectors: Vectors, prepared: Prepared) -> int:
    """Put the batch, its entities and its links into the draft; the first id."""
    count, found = len(batch), prepared.found
    first = draft.memory_ids(count)
    times = [draft.time if time is None else time for time in batch.time]
    sources = [_end(draft, end, first, count) for end in found.source]
    targets = [_end(draft, end, first, count) for end in found.target]
    edges = Edges()
    edges.extend(sources, targets, found.type, found.weight)
    answers: list[int | None] = [None] * count
    for owner, source, target, kind in zip(found.owner, sources, targets, found.type, strict=True):
        if kind == "answers" and source == first + owner:
            answers[owner] = target
    scopes = {scope: draft.symbols.id("scope", pack(scope)) for scope in dict.fromkeys(batch.scope)}
    draft.changes.memories.append(
        Memories(
            columns=memory_columns(
                id=range(first, first + count),
                scope=[scopes[scope] for scope in batch.scope],
                kind=batch.kind,
                law=batch.law,
                flags=[
                    pinned | (flags & EXTRACTOR_FLAGS)
                    for pinned, flags in zip(batch.pinned, found.flags, strict=True)
                ],
                author=_author_ids(draft, batch.author),
                session=_session_ids(draft, batch.scope, batch.session),
                length=[min(length, 65_535) for length in found.length],
                time=times,
                valid_from=batch.valid_from,
                valid_to=batch.valid_to,
                belief=batch.belief,
                importance=batch.importance,
            ),
            terms=found.terms,
            vectors=vectors.array,
            vector_row=vectors.row,
            text=batch.text,
            source=batch.source,
            meta=batch.meta,
            entity=[
                name_key(text) if kind == ENTITY else None
                for text, kind in zip(batch.text, batch.kind, strict=True)
            ],
            answers=answers,
        )
    )
    numbers = [scopes[scope] for scope in batch.scope]
    stated = Stated(prepared.statements, found.subjects, prepared.vectors)
    link_entities(store, draft, batch, stated, first, times, numbers, edges)
    draft.changes.edges = edges.columns(draft)
    note_years(draft, times)
    return first


def _end(draft: Draft, end: int | Stored, first: int, count: int) -> int:
    """The id at the end of an extractor's link."""
    if type(end) is int and 0 <= end < count:
        return first + end
    if isinstance(end, Stored):
        if draft.engine.contains(np.array([end.id], np.int64))[0]:
            return end.id
    elif 0 <= end < count:  # another kind of integer
        return first + end
    raise InvalidArgumentError(f"{draft.verb}: the extractor linked to {end!r}, which is not there")


def _author_ids(draft: Draft, authors: list[str | None]) -> list[int]:
    ids: dict[str | None, int] = {None: 0}
    for name in dict.fromkeys(authors):
        if name is not None:
            ids[name] = draft.symbols.id("author", name)
    return [ids[name] for name in authors]


def _session_ids(draft: Draft, scopes: list[Scope], sessions: list[str | None]) -> list[int]:
    ids = {
        key: 0 if key[1] is None else draft.symbols.id("session", pack((*key[0], key[1])))
        for key in dict.fromkeys(zip(scopes, sessions, strict=True))
    }
    return [ids[key] for key in zip(scopes, sessions, strict=True)]


def note_years(draft: Draft, times: Sequence[int]) -> None:
    """Keep the years that occur: a date without a year in a question means one of them."""
    for day in {time // 86_400_000_000_000 for time in times}:
        draft.symbols.id("year", str(year_of(day * 86_400_000_000_000)))


def add_given(
    store: Store,
    verb: str,
    items: Iterable[Any],
    matrix: NDArray[np.float32] | None,
    defaults: Mapping[str, Any],
    op_id: str | None,
    progress: bool | Progress | None,
) -> tuple[int, int]:
    """Embed what has no vector and add it: (first id, how many); at most once for an op_id."""
    store.log.check_writable(verb)
    done = store.done(verb, op_id)
    if done is not None:
        return done[0][0], done[0][1]
    batch = batch_of(verb, items, defaults)
    recorded = store.recorded_vectors(verb)
    with reporter(progress, len(batch), given=matrix is not None) as report:
        if matrix is not None:
            if any(vector is not None for vector in batch.vector):
                raise InvalidArgumentError(f"{verb}: vectors are given twice")
            found = store.embedding.for_matrix(verb, matrix, len(batch), recorded)
        else:
            found = store.embedding.for_batch(
                verb, batch.text, batch.vector, recorded, lambda n: report("embedding", n)
            )
        added = add(store, verb, batch, found, op_id)
        report("stored", len(batch))
    return added
