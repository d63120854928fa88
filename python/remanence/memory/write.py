"""Changing what is stored: update, forget, restore, touch, link and unlink."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..text import ExtractContext, Stored, Turn, name_key
from . import vectors as vectors_
from .add import EPISODIC, EXTRACTOR_FLAGS, note_years
from .changes import TOUCH_DTYPES, Memories, memory_columns
from .entities import ENTITY, STATEMENT
from .errors import InvalidArgumentError, NotFoundError
from .items import (
    MAX_TEXT,
    PINNED,
    check_flag,
    check_name,
    check_number,
    check_text,
    kind_code,
    meta_text,
)
from .learning import RESET, feedback_of
from .names import SUBJECT
from .records import KINDS, Hit
from .rows import Row, fetch_row
from .store import Draft, Store
from .times import Time, interval, open_end, to_ns

USED_WEIGHT, SHOWN_WEIGHT = 1.0, 0.2
_USED = {True: 1, False: 0, None: -1}


class _Keep:
    """The default of update's arguments: leave this as it is."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Any = _Keep()


def check_id(verb: str, memory: Any) -> int:
    """An id as the log numbers them; NotFoundError for a number that cannot be one."""
    if isinstance(memory, Hit):
        return memory.id
    if isinstance(memory, bool) or not isinstance(memory, int | np.integer):
        raise InvalidArgumentError(
            f"{verb}: an id must be an integer (got {type(memory).__name__})"
        )
    if not 0 < memory < 2**63:
        raise NotFoundError(f"{verb}: there is no memory {memory}")
    return int(memory)


def check_ids(verb: str, given: Any) -> list[int]:
    """One id, one hit, or any number of them."""
    return [check_id(verb, one) for one in _each(given)]


def _each(given: Any) -> list[Any]:
    if isinstance(given, Iterable) and not isinstance(given, str | Mapping):
        return list(given)
    return [given]


def update(store: Store, memory: Any, changes: Mapping[str, Any], op_id: str | None) -> None:
    """Append a new version of a memory with some fields changed."""
    verb = "update"
    if store.done(verb, op_id) is not None:
        return
    number = check_id(verb, memory)
    given = {name: value for name, value in changes.items() if value is not KEEP}
    fields = _checked(verb, given)
    fresh = _fresh_vector(store, verb, fields, given)

    def write(draft: Draft) -> None:
        if not draft.engine.contains(np.array([number], np.int64))[0]:
            raise NotFoundError(f"{verb}: there is no memory {number}")
        row = fetch_row(draft.connection, number, draft.seq)
        if fields and row is not None:
            draft.record_vectors(fresh)
            _new_version(store, draft, row, fields, fresh)

    store.commit(verb, op_id, write)


def _checked(verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The changed fields in the log's form."""
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if name == "text":
            fields[name] = check_text(verb, name, value, MAX_TEXT)
        elif name == "kind":
            fields[name] = kind_code(verb, value)
        elif name == "time":
            fields[name] = to_ns(verb, name, value)
        elif name in ("valid_from", "valid_to"):
            fields[name] = None if value is None else to_ns(verb, name, value)
        elif name in ("belief", "importance"):
            fields[name] = check_number(verb, name, value)
        elif name in ("author", "source"):
            fields[name] = None if value is None else check_name(verb, name, value)
        elif name == "pinned":
            fields[name] = check_flag(verb, name, value)
        elif name == "meta":
            fields[name] = meta_text(verb, value)
        elif name == "vector":
            fields[name] = value
    return fields


def _fresh_vector(
    store: Store, verb: str, fields: Mapping[str, Any], given: Mapping[str, Any]
) -> vectors_.Vectors:
    """The vector of the new version where the text or the vector changes."""
    if "text" not in fields and given.get("vector") is None:
        return vectors_.NO_VECTORS
    texts, given_vectors = [fields.get("text", "")], [given.get("vector")]
    recorded = store.recorded_vectors(verb)
    return store.embedding.for_batch(verb, texts, given_vectors, recorded, lambda _: None)


def _new_version(
    store: Store,
    draft: Draft,
    row: Row,
    fields: Mapping[str, Any],
    fresh: vectors_.Vectors,
) -> None:
    text = fields.get("text", row.text)
    kind = fields.get("kind", row.kind)
    time = fields.get("time", row.time)
    author = row.author
    if "author" in fields:
        name = fields["author"]
        author = 0 if name is None else draft.symbols.id("author", name)
    start, end = interval(
        draft.verb,
        fields.get("valid_from", open_end(row.valid_from)),
        fields.get("valid_to", open_end(row.valid_to)),
    )
    terms, length, flags, answers = row.terms, row.length, row.flags, row.answers
    flags &= EXTRACTOR_FLAGS | SUBJECT
    if "text" in fields or "kind" in fields:
        terms, length, flags, answers = _extract(store, draft, row, text, kind)
    array = fresh.array
    if "text" not in fields and "vector" not in fields and row.vector is not None:
        array = np.frombuffer(row.vector, np.float32).reshape(1, -1)
    pinned = fields.get("pinned", bool(row.flags & PINNED))
    draft.changes.memories.append(
        Memories(
            columns=memory_columns(
                id=[row.id],
                scope=[row.scope],
                kind=[kind],
                law=[row.law],
                flags=[flags | (PINNED if pinned else 0)],
                author=[author],
                session=[row.session],
                length=[length],
                time=[time],
                valid_from=[start],
                valid_to=[end],
                belief=[fields.get("belief", row.belief)],
                importance=[fields.get("importance", row.importance)],
            ),
            terms=[terms],
            vectors=array,
            text=[text],
            source=[fields.get("source", row.source)],
            meta=[fields.get("meta", row.meta)],
            entity=[_node_key(draft, row, text, kind)],
            answers=[answers],
        )
    )
    note_years(draft, [time])


def _node_key(draft: Draft, row: Row, text: str, kind: int) -> str | None:
    """What an entity or an unchanged statement is found by."""
    if kind != STATEMENT or text != row.text:
        return name_key(text) if kind == ENTITY else None
    found = draft.connection.execute(
        "SELECT entity FROM memories WHERE id = ? ORDER BY seq DESC LIMIT 1", (row.id,)
    ).fetchone()
    return None if found is None else found[0]


def _extract(
    store: Store, draft: Draft, row: Row, text: str, kind: int
) -> tuple[str, int, int, int | None]:
    """Terms, length, flags and answered question of a changed text; links stay as they are."""
    symbols = draft.view.symbols
    scope, session = symbols.scope(row.scope), symbols.session(row.session)
    turn = Turn(text, KINDS[kind], scope, session, symbols.author(row.author), row.time)
    context = ExtractContext()
    question = None if row.answers is None else fetch_row(draft.connection, row.answers, draft.seq)
    if question is not None and session is not None and question.text is not None:
        context = ExtractContext(
            {
                (scope, session): Turn(
                    question.text,
                    KINDS[EPISODIC],
                    scope,
                    session,
                    symbols.author(question.author),
                    question.time,
                    question.id,
                )
            }
        )
    (found,) = store.extractor.extract([turn], context)
    answers = [
        link.target.id
        for link in found.links
        if link.type == "answers" and isinstance(link.target, Stored)
    ]
    return (
        found.terms,
        min(found.length, 65_535),
        found.flags & EXTRACTOR_FLAGS,
        answers[0] if answers else None,
    )


def forget(store: Store, memories: Any, op_id: str | None) -> None:
    """Close memories: they stay in the log and in every answer as of before."""
    verb = "forget"
    if store.done(verb, op_id) is not None:
        return
    ids = check_ids(verb, memories)
    store.commit(verb, op_id, lambda draft: draft.changes.closed.extend(ids))


def restore(store: Store, memories: Any, op_id: str | None) -> None:
    """Open forgotten memories again."""
    verb = "restore"
    if store.done(verb, op_id) is not None:
        return
    ids = check_ids(verb, memories)
    store.commit(verb, op_id, lambda draft: draft.changes.restored.extend(ids))


def touch(
    store: Store,
    memories: Any,
    used: bool | None,
    now: Time | None,
    weight: float | None,
    op_id: str | None,
) -> None:
    """Record an access to each memory, and learn from what was used or not."""
    verb = "touch"
    if store.done(verb, op_id) is not None:
        return
    given = _each(memories)
    ids = [check_id(verb, one) for one in given]
    if used is not None:
        check_flag(verb, "used", used)
    if weight is None:
        weight = USED_WEIGHT if used else SHOWN_WEIGHT
    number = check_number(verb, "weight", weight)
    moment = store.now(verb) if now is None else to_ns(verb, "now", now)
    with np.errstate(over="ignore"):
        columns: dict[str, NDArray[Any]] = {
            "id": np.array(ids, TOUCH_DTYPES["id"]),
            "time": np.full(len(ids), moment, TOUCH_DTYPES["time"]),
            "weight": np.full(len(ids), number, TOUCH_DTYPES["weight"]),
            "used": np.full(len(ids), _USED[used], TOUCH_DTYPES["used"]),
        }

    def write(draft: Draft) -> None:
        if ids:
            draft.changes.touches = columns
            draft.changes.feedback = feedback_of(given, used)

    store.commit(verb, op_id, write)


def reset_weights(store: Store, op_id: str | None) -> None:
    """Forget what was learned; the feedback stays in the log."""
    verb = "reset_weights"
    if store.done(verb, op_id) is None:
        store.commit(verb, op_id, lambda draft: draft.changes.feedback.append(RESET))


def unlink(store: Store, edges: Any, op_id: str | None) -> None:
    """Close edges; they stay in every answer as of before."""
    verb = "unlink"
    if store.done(verb, op_id) is not None:
        return
    try:
        ids = check_ids(verb, edges)
    except NotFoundError as error:
        raise NotFoundError(str(error).replace("memory", "edge")) from None
    store.commit(verb, op_id, lambda draft: draft.changes.unlinked.extend(ids))
