"""`remanence import FILE`: one file, one commit, applied once."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import InvalidArgumentError, Memory, open
from .readers import read
from .rows import Row, bad_line, scope_of
from .show import Output


def run(options: argparse.Namespace, output: Output) -> int:
    """Read the file whole, then store it in one commit; doing it again changes nothing."""
    path = Path(options.file)
    scope = scope_of(options.scope)
    rows = read(path)
    with open(options.store) as memory:
        before = memory.stats().memories
        key = fingerprint(path, scope)
        with _named_lines(path, rows):
            ids = add(memory, rows, scope, op_id=f"import:{key}", progress=sys.stderr.isatty())
        link(memory, rows, ids, op_id=f"import-links:{key}")
        added = memory.stats().memories - before
    if added:
        named = f" and {added - len(rows):,} named things" if added > len(rows) else ""
        output.line(f"{len(rows):,} memories{named} from {path.name} in {options.store}")
    else:
        output.line(f"{path.name} was imported before; nothing changed in {options.store}")
    return 0


@contextmanager
def _named_lines(path: Path, rows: Sequence[Row]) -> Iterator[None]:
    """Turns "this is item 4" into the line of the file that holds it."""
    try:
        yield
    except InvalidArgumentError as error:
        place = re.fullmatch(r"\w+: (.*); this is item (\d+)", str(error), re.DOTALL)
        if place is None:
            raise
        raise bad_line(path, rows[int(place[2])].line, place[1]) from None


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
