"""Loading: the rows of one file into a store, in one commit, applied once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..memory import InvalidArgumentError, Memory
from .readers import read
from .rows import Row, bad_place, scope_of


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ids: of the rows, in the file's order; again: it was there before."""

    ids: tuple[int, ...]
    links: int
    again: bool


def import_file(
    memory: Memory, path: str | Path, *, scope: str | Sequence[str] = (), progress: bool = False
) -> Imported:
    """Remember a file: .jsonl, .json (chat exports, LoCoMo, LongMemEval), .txt or .md.

    Everything is read and checked first, then stored in one commit, under `scope` ("a/b" or a
    tuple). The same content in the same scope is stored once, ever. Raises BadInputError, a
    kind of InvalidArgumentError, that names the place; then nothing is stored.
    """
    path = Path(path)
    parts = scope_of(scope) if isinstance(scope, str) else tuple(scope)
    rows = read(path)
    key = fingerprint(path, parts)
    before = memory.stats().commits
    with _named_places(path, rows):
        ids = add(memory, rows, parts, op_id=f"import:{key}", progress=progress)
    again = memory.stats().commits == before
    links = link(memory, rows, ids, op_id=f"import-links:{key}")
    return Imported(tuple(ids), links, again)


@contextmanager
def _named_places(path: Path, rows: Sequence[Row]) -> Iterator[None]:
    """Turns "this is item 4" into the line or entry of the file that holds it."""
    try:
        yield
    except InvalidArgumentError as error:
        place = re.fullmatch(r"\w+: (.*); this is item (\d+)", str(error), re.DOTALL)
        if place is None:
            raise
        raise bad_place(path, rows[int(place[2])].place, place[1]) from None


def fingerprint(path: Path, scope: Sequence[str]) -> str:
    """Names this content under this scope, so that a second import is the same operation."""
    content = hashlib.blake2b(path.read_bytes(), digest_size=16, person=b"import")
    content.update("/".join(scope).encode())
    return content.hexdigest()


def add(
    memory: Memory, rows: Sequence[Row], scope: Sequence[str] = (), **options: Any
) -> list[int]:
    """Add all rows under `scope` in one commit; their ids in order."""
    items = [row.item | {"scope": (*scope, *row.item.get("scope", ()))} for row in rows]
    return [int(number) for number in memory.add_many(items, **options)]


def link(
    memory: Memory,
    rows: Sequence[Row],
    ids: Sequence[int],
    *,
    known: Mapping[str, int] | None = None,
    **options: Any,
) -> int:
    """Add the links of rows in one commit; their number. known: ids of earlier rows by ref."""
    own = {row.ref: number for row, number in zip(rows, ids, strict=True) if row.ref}
    id_of = {**(known or {}), **own}
    links = [
        (number, id_of[target], kind, weight)
        for row, number in zip(rows, ids, strict=True)
        for kind, target, weight in row.links
    ]
    if links:
        memory.link_many(links, **options)
    return len(links)
