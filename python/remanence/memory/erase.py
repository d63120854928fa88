"""Lawful erasure: the bytes of a memory leave every file of the store; a tombstone stays."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import numpy as np

from ..text import ExtractContext, Turn
from . import sidecar
from .changes import MEMORY_DTYPES, Erasure, row_crc
from .entities import ABOUT, MENTIONS, STATES
from .errors import NotFoundError, StorageError
from .items import check_name
from .records import KINDS
from .store import Draft, Store
from .symbols import RESERVED_TYPES
from .write import check_ids

_SCRUB = (
    "UPDATE memories SET answers = NULL, crc = NULL, entity = NULL, source = NULL, meta = NULL, "
    "terms = NULL, text = NULL, vector = NULL WHERE id = ?"
)


def erase(store: Store, memories: Any, reason: str, op_id: str | None) -> None:
    """Erase memories, the entities that only they mention, and their words in other rows."""
    verb = "erase"
    if store.done(verb, op_id) is None:
        ids = check_ids(verb, memories)
        check_name(verb, "reason", reason)

        def write(draft: Draft) -> None:
            for memory in dict.fromkeys([*ids, *_left_alone(draft, ids)]):
                _draft_one(store, draft, memory, reason)

        store.commit(verb, op_id, write)
    # Also on a repeat: an earlier attempt may have been cut off between commit and clean-up.
    sidecar.remove(store.log.path)
    if not store.log.checkpoint(verb):
        raise StorageError(
            f"erase: done, but another process still reads an older state of {store.log.path}; "
            "the bytes leave with the next erase or when the last process closes the store"
        )


def _draft_one(store: Store, draft: Draft, memory: int, reason: str) -> None:
    connection = draft.connection
    row = connection.execute(
        "SELECT text FROM memories WHERE id = ? ORDER BY seq DESC LIMIT 1", (memory,)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"erase: there is no memory {memory}")
    if connection.execute("SELECT 1 FROM erasures WHERE id = ?", (memory,)).fetchone():
        raise NotFoundError(f"erase: memory {memory} was erased before")
    salt = secrets.token_bytes(16)
    digest = hashlib.blake2b((row[0] or "").encode(), digest_size=32, salt=salt).digest()
    answers = connection.execute(
        f"SELECT row, entity, source, meta, text, vector, {', '.join(MEMORY_DTYPES)} "
        "FROM memories WHERE answers = ?",
        (memory,),
    ).fetchall()
    draft.changes.erasures.append(Erasure(memory, reason, salt, digest, len(answers)))

    def scrub() -> None:
        connection.execute(_SCRUB, (memory,))
        for answer in answers:
            _rewrite(store, draft, answer)

    draft.afterwards.append(scrub)


def _rewrite(store: Store, draft: Draft, answer: tuple[Any, ...]) -> None:
    """Give an answer the terms of its own text alone, without those of its erased question."""
    row, entity, source, meta, text, vector, *narrow = answer
    if text is None:
        return
    kind = KINDS[narrow[list(MEMORY_DTYPES).index("kind")]]
    (own,) = store.extractor.extract([Turn(text, kind)], ExtractContext())
    crc = row_crc(tuple(narrow), (entity, source, meta, own.terms, text), vector)
    draft.connection.execute(
        "UPDATE memories SET answers = NULL, terms = ?, crc = ? WHERE row = ? AND text IS NOT NULL",
        (own.terms, crc, row),
    )


def _left_alone(draft: Draft, ids: list[int]) -> list[int]:
    """The statements that only these memories make, and the entities that only they mention."""
    there = [memory for memory in ids if draft.engine.contains(np.array([memory]))[0]]
    found: dict[int, None] = {}
    for names in ((STATES,), (MENTIONS, ABOUT)):
        types = np.array([RESERVED_TYPES[name] for name in names], np.uint16)
        going = {*ids, *found}
        for memory in [*there, *found]:
            for node in draft.engine.neighbours(memory, types, "out")["id"].tolist():
                linked = draft.engine.neighbours(node, types, "in")["id"].tolist()
                if going.issuperset(linked) and node not in going:
                    found[node] = None
    return list(found)
