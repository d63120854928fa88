"""Lives through a file of notes day by day, so that a store knows when it learned what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from .. import Memory
from ..ingest import Row
from ..ingest.load import add, link

SUPERSEDES = "supersedes"


class Calendar:
    """A clock that stands where it was set; a store opened with it writes history."""

    def __init__(self, now: datetime) -> None:
        self.set(now)

    def set(self, now: datetime) -> None:
        """Stand at `now`, to the second."""
        self._now_ns = int(now.timestamp()) * 10**9

    def __call__(self) -> int:
        return self._now_ns


@dataclass(slots=True)
class Lived:
    """What a replay did: id of each row by its ref, and how many changes of each sort."""

    id_of: dict[str, int]
    links: int = 0
    facts_closed: int = 0
    touches: int = 0


def live_through(
    memory: Memory,
    rows: Sequence[Row],
    calendar: Calendar,
    progress: Callable[[int], None] = lambda _: None,
) -> Lived:
    """Each evening stores the day's rows, closes the facts they supersede and touches their links.

    A fact that a later row supersedes is stored with an open end: on its day nobody knew better.
    """
    lived = Lived({})
    superseded = {target for row in rows for kind, target, _ in row.links if kind == SUPERSEDES}
    for day, notes in _days(rows):
        calendar.set(datetime.combine(day, time(23, 59), UTC))
        _live_day(memory, notes, superseded, lived)
        progress(len(notes))
    calendar.set(datetime.combine(day + timedelta(days=3), time(8), UTC))
    return lived


def _days(rows: Sequence[Row]) -> Iterator[tuple[date, list[Row]]]:
    for day, notes in groupby(rows, key=lambda row: row.item["time"].date()):
        yield day, list(notes)


def _live_day(memory: Memory, notes: list[Row], superseded: set[str], lived: Lived) -> None:
    known = [
        Row({**row.item, "valid_to": None}, row.line, row.ref) if row.ref in superseded else row
        for row in notes
    ]
    ids = add(memory, known)
    lived.id_of |= {row.ref: number for row, number in zip(notes, ids, strict=True) if row.ref}
    lived.links += link(memory, notes, ids, known=lived.id_of)
    used = set()
    for row in notes:
        for kind, target, _ in row.links:
            if kind == SUPERSEDES:
                memory.update(lived.id_of[target], valid_to=row.item["valid_from"])
                lived.facts_closed += 1
            else:
                used.add(lived.id_of[target])
    if used:
        memory.touch(sorted(used), used=None, weight=1.0)
        lived.touches += len(used)
