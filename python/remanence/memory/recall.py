"""Recall: a question becomes the core's request, and its answer becomes hits."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._core import Engine, Hits, Request, Weights
from ..text import MAX_READ, QueryCues, understand
from . import vectors
from .entities import NODES
from .errors import InvalidArgumentError, NotFoundError, RemanenceError, renamed
from .items import MAX_TEXT, check_number, check_scope, check_text, kind_code
from .learning import MOST_TAUGHT, Lesson
from .reasons import Asked, reasons
from .records import KINDS, Hit, Recall, Scope
from .rows import Row, Told, fetch_row, fetch_rows, fetch_told
from .store import Store
from .times import Seq, Time, to_datetime, to_ns
from .write import check_id, check_ids

MAX_ENTITY_WORDS = 8
_WORD = re.compile(r"\w+")
_MEMORIES = (1 << len(KINDS)) - 1 - sum(1 << kind for kind in NODES)


class Shown(NamedTuple):
    """A hit as the context room takes it: its time is a datetime."""

    id: int
    text: str
    time: datetime
    author: str | None
    source: str | None
    kind: str
    p_use: float

    @classmethod
    def of(cls, hit: Hit) -> Shown:
        time = to_datetime(hit.time)
        return cls(hit.id, hit.text, time, hit.author, hit.source, hit.kind, hit.p_use)


@dataclass(frozen=True, slots=True)
class Question:
    """The arguments of a recall, checked but not yet resolved against a state."""

    query: str | None
    vector: Any
    memory: int | None
    k: int
    scope: Scope
    kinds: int
    valid_at: int | None
    as_of: Time | Seq | None
    now: int
    min_p: float
    explain: bool
    weights: Weights | None
    cues: list[int]


def check_question(store: Store, given: dict[str, Any]) -> Question:
    """Every argument of recall in plain form; InvalidArgumentError says what is wrong."""
    verb = "recall"
    query, k = given["query"], given["k"]
    if query is not None:
        query = check_text(verb, "query", query, MAX_TEXT).strip() or None
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise InvalidArgumentError(f"{verb}: k must be an integer (got {type(k).__name__})")
    weights = given["weights"]
    if weights is not None and not isinstance(weights, Weights):
        raise InvalidArgumentError(
            f"{verb}: weights must be Weights (got {type(weights).__name__})"
        )
    now, valid_at, memory = given["now"], given["valid_at"], given["memory"]
    return Question(
        query=query,
        vector=given["vector"],
        memory=None if memory is None else check_id(verb, memory),
        k=int(k),
        scope=check_scope(verb, given["scope"]),
        kinds=_kind_mask(verb, given["kinds"]),
        valid_at=None if valid_at is None else to_ns(verb, "valid_at", valid_at),
        as_of=given["as_of"],
        now=store.now(verb) if now is None else to_ns(verb, "now", now),
        min_p=check_number(verb, "min_p", given["min_p"]),
        explain=bool(given["explain"]),
        weights=weights,
        cues=[] if given["cues"] is None else check_ids(verb, given["cues"]),
    )


def _kind_mask(verb: str, kinds: str | Iterable[str] | None) -> int:
    """A bit for each kind; without a choice all but entities and statements, which are nodes."""
    if kinds is None:
        return _MEMORIES
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    return sum(1 << code for code in {kind_code(verb, name) for name in names})


def recall(store: Store, question: Question) -> Recall:
    """Ask the engine and fetch the texts of the hits, all from one state."""
    verb = "recall"
    store.view.refresh(verb)
    recorded = store.recorded_vectors(verb)
    as_of = store.seq_as_of(verb, question.as_of)
    vector = _query_vector(store, question, recorded)

    def ask(engine: Engine, seq: int) -> tuple[Hits, int, Lesson | None]:
        if engine.dim and vector is not None:
            vectors.check_dim(verb, len(vector), engine.dim)
        request, lesson = _request(store, engine, seq, question, vector, as_of)
        return engine.recall(request), seq, lesson

    try:
        hits, seq, lesson = store.view.consistent(verb, ask)
    except RemanenceError as error:
        raise renamed(verb, error) from None
    return _answer(store, question, hits, seq if as_of is None else as_of, lesson)


def _query_vector(
    store: Store, question: Question, recorded: tuple[str | None, int]
) -> NDArray[np.float32] | None:
    if question.vector is not None:
        return vectors.check_vector("recall", question.vector, recorded[1])
    if question.query is None:
        return None
    return store.embedding.for_query("recall", question.query, recorded)


def _request(
    store: Store,
    engine: Engine,
    seq: int,
    question: Question,
    vector: NDArray[np.float32] | None,
    as_of: int | None,
) -> tuple[Request, Lesson | None]:
    """The core's request; with it what the hits can teach, unless the caller chose the weights."""
    symbols = store.view.symbols
    cues, exclude = list(question.cues), None
    read, names = QueryCues(terms=""), []
    if question.query is not None:
        read = understand(question.query, authors=symbols.author_names, years=symbols.years())
        names = _subjects_named(store, engine, question, as_of)
        if store.view.names.phrases and not store.view.names.statements:
            named = _entities_named(store, engine, question, as_of)
            cues += [entity for entity in named if entity not in names]
    terms = read.terms
    if question.memory is not None:
        cues.append(question.memory)
        exclude = np.array([question.memory], np.int64)
        own, words = _as_question(store, engine, question.memory, seq, as_of)
        vector = own if vector is None else vector
        terms = f"{terms} {words}".strip()
    asks = bool(terms) or vector is not None or bool(cues)
    weights, lesson = question.weights, None
    if weights is None and asks:
        lesson = store.view.lesson("recall", as_of)
        weights = lesson.weights
    elif weights is None:
        weights = Weights.without_question()
    if question.k > MOST_TAUGHT:
        lesson = None
    request = Request(
        k=question.k,
        now=question.now,
        vector=vector if engine.dim else None,
        terms=terms,
        scopes=symbols.within(question.scope),
        kinds=question.kinds,
        valid_at=question.valid_at,
        as_of=as_of,
        min_belief=question.min_p,
        exclude=exclude,
        authors=np.array(read.authors, np.uint32) if read.authors else None,
        dates=np.array(read.dates, np.int64) if read.dates else None,
        asks_when=read.asks_when,
        asks_value=read.value_question,
        names=np.array(names, np.int64) if names else None,
        cues=np.array(list(dict.fromkeys(cues)), np.int64) if cues else None,
        weights=weights,
        explain=question.explain or lesson is not None,
    )
    return request, lesson


def _as_question(
    store: Store, engine: Engine, memory: int, seq: int, as_of: int | None
) -> tuple[NDArray[np.float32] | None, str]:
    """Vector and words of a memory that stands for the question."""
    vector = engine.vector(memory, as_of)
    with store.log.reading("recall") as connection:
        row = fetch_row(connection, memory, seq if as_of is None else as_of)
    if row is None:
        raise NotFoundError(f"recall: there is no memory {memory}")
    return (vector if len(vector) else None), row.terms


def _subjects_named(
    store: Store, engine: Engine, question: Question, as_of: int | None
) -> list[int]:
    """Subjects whose name occurs in the question."""
    allowed = store.view.symbols.within(question.scope)
    scopes = None if allowed is None else set(allowed.tolist())
    ids = store.view.names.in_question((question.query or "")[:MAX_READ], scopes)
    if not ids:
        return []
    there = engine.contains(np.array(ids, np.int64), as_of)
    return [memory for memory, visible in zip(ids, there.tolist(), strict=True) if visible]


def _entities_named(
    store: Store, engine: Engine, question: Question, as_of: int | None
) -> list[int]:
    """Entities of the scope whose phrase occurs in the question, the longest phrase first."""
    with store.log.reading("recall") as connection:
        found = _phrases(connection, question.query or "")
    allowed = store.view.symbols.within(question.scope)
    scopes = None if allowed is None else set(allowed.tolist())
    ids = [memory for memory, scope in found if scopes is None or scope in scopes]
    there = engine.contains(np.array(ids, np.int64), as_of)
    return [memory for memory, visible in zip(ids, there.tolist(), strict=True) if visible]


def _phrases(connection: sqlite3.Connection, query: str) -> list[tuple[int, int]]:
    """(id, scope) of every entity named in the query; a word belongs to its longest phrase."""
    words = _WORD.findall(query.casefold())
    keys = {
        " ".join(words[start : start + size])
        for start in range(len(words))
        for size in range(1, min(MAX_ENTITY_WORDS, len(words) - start) + 1)
    }
    rows = connection.execute(
        "SELECT DISTINCT m.entity, m.id, m.scope FROM json_each(?) AS wanted "
        "JOIN memories AS m ON m.entity = wanted.value ORDER BY m.id",
        (json.dumps(sorted(keys)),),
    )
    by_key: dict[str, list[tuple[int, int]]] = {}
    for key, memory, scope in rows:
        by_key.setdefault(key, []).append((memory, scope))
    found: list[tuple[int, int]] = []
    position = 0
    while position < len(words):
        for size in range(min(MAX_ENTITY_WORDS, len(words) - position), 0, -1):
            key = " ".join(words[position : position + size])
            if key in by_key:
                found += by_key[key]
                position += size
                break
        else:
            position += 1
    return found


def _answer(
    store: Store, question: Question, hits: Hits, seq: int, lesson: Lesson | None
) -> Recall:
    ids: list[int] = hits.id.tolist()
    terms, asked = None, None
    told: Mapping[int, Told | Row]
    with store.log.reading("recall") as connection:
        if question.explain:
            told = read = fetch_rows(connection, ids, seq)
            terms, asked = hits.terms, _asked(store, question)
        else:
            told, read = fetch_told(connection, ids, seq), {}
    likely, evidence = (hits.p_use, None) if lesson is None else lesson.evidence(hits)
    scores, p_use, belief = hits.score.tolist(), likely.tolist(), hits.belief.tolist()
    symbols = store.view.symbols
    found = []
    for i, memory in enumerate(ids):
        row = told.get(memory)
        if row is None:  # erased between the engine's answer and this line
            continue
        parts = None if terms is None else _terms(terms[i].tolist())
        found.append(
            Hit(
                memory,
                row.text,
                scores[i],
                p_use[i],
                belief[i],
                row.time,
                KINDS[row.kind],
                symbols.scope(row.scope),
                symbols.author(row.author),
                symbols.session(row.session),
                row.source,
                None if row.meta is None else json.loads(row.meta),
                parts,
                () if parts is None or asked is None else reasons(parts, asked, read[memory]),
                None if evidence is None else evidence[i],
            )
        )
    return Recall(tuple(found), question.now, seq, hits.scanned)


def _asked(store: Store, question: Question) -> Asked:
    """The question as it was read, for the reasons."""
    symbols, names = store.view.symbols, store.view.names
    query = question.query or ""
    read = understand(query, authors=symbols.author_names, years=symbols.years())
    return Asked(read, tuple(names.finder.plain.find_in_question(query[:MAX_READ])), symbols)


def _terms(values: Sequence[float]) -> dict[str, float]:
    return {name: value for name, value in zip(Hits.TERMS, values, strict=True) if value != 0.0}
