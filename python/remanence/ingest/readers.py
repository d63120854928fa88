"""Readers of files to import: jsonl, json, txt (transcripts or paragraphs) and md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from .exports import read_json
from .rows import BadInputError, Row, bad_line, bad_place, row_from_object
from .stamps import STAMP, Stamps


def read(path: Path) -> list[Row]:
    """All rows of a file, in its order. Raises BadInputError that names the first bad line."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BadInputError(
            f"import: unknown file type (got {path.name}, want .jsonl, .json, .txt or .md)"
        )
    if not path.is_file():
        raise BadInputError(f"import: there is no file {path}")
    rows = list(reader(path, _text(path)))
    if not rows:
        raise BadInputError(f"import: {path.name} holds nothing to remember")
    _check_refs(path, rows)
    return rows


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise bad_line(path, line, "not UTF-8 text") from None


def _check_refs(path: Path, rows: list[Row]) -> None:
    known: set[str] = set()
    for row in rows:
        if row.ref in known:
            raise bad_place(path, row.place, f"id is used twice (got {row.ref!r})")
        if row.ref is not None:
            known.add(row.ref)
    for row in rows:
        for _, target, _ in row.links:
            if target not in known:
                raise bad_place(path, row.place, f"link to an id not in the file (got {target!r})")


def read_jsonl(path: Path, text: str) -> Iterator[Row]:
    """One JSON object or string a line; empty lines are skipped."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield row_from_object(json.loads(line), number)
        except json.JSONDecodeError as error:
            what = f"not JSON ({error.msg} at column {error.colno})"
            raise bad_line(path, number, what) from None
        except (ValueError, RecursionError) as error:
            raise bad_line(path, number, str(error)) from None


# "[2024-05-01 10:00] Ana: hello", "31/12/23, 21:15 - Ana: hello", "Ana (2024-05-01): hello"
_TURN = re.compile(
    rf"(?:\[?(?P<before>{STAMP})\]?[\s,-]+)?"
    r"(?P<name>[^\W\d_][\w.'\u2019 -]{0,40}?)"
    rf"(?:\s*[\[(](?P<after>{STAMP})[\])])?:\s+(?P<said>\S.*)"
)
_NEW_SESSION = timedelta(hours=6)


def read_txt(path: Path, text: str) -> Iterator[Row]:
    """A transcript ("Name: text" lines, continued by the lines below) or else paragraphs."""
    lines = text.split("\n")
    named = [match["name"] for match in map(_TURN.match, lines) if match]
    written = sum(1 for line in lines if line.strip())
    # Two voices or a repeated one on half of the lines: "Note: buy milk" alone is no transcript.
    if len(named) >= 2 and 2 * len(named) >= written:
        yield from _turns(path, lines)
    else:
        yield from _paragraphs(path, lines, kind="semantic")


def _turns(path: Path, lines: list[str]) -> Iterator[Row]:
    time: datetime | None = None
    session = 1
    turn: Row | None = None
    stamps = Stamps(lines)
    for number, line in enumerate(lines, 1):
        match = _TURN.match(line)
        stamp = (match["before"] or match["after"]) if match else _date_line(line)
        if stamp:
            newer = _time(path, number, stamp, stamps)
            far = time is not None and abs(newer - time) > _NEW_SESSION
            session += far or (match is None and turn is not None)
            time = newer
        if match:
            if turn:
                yield turn
            item = {
                "text": match["said"].strip(),
                "author": match["name"].strip(),
                "kind": "episodic",
                "session": f"{path.name}#{session}",
                "source": path.name,
            }
            turn = Row(item | ({} if time is None else {"time": time}), number)
        elif turn and line.strip() and not stamp:
            turn.item["text"] += "\n" + line.strip()
    if turn:
        yield turn


_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")


def read_md(path: Path, text: str) -> Iterator[Row]:
    """One note a paragraph; its source is the path of headings above it."""
    return _paragraphs(path, text.split("\n"), kind="document", headings=True)


def _paragraphs(
    path: Path, lines: list[str], *, kind: str, headings: bool = False
) -> Iterator[Row]:
    trail: list[str] = []
    time: datetime | None = None
    block: list[str] = []
    start, fenced = 1, False

    def made() -> Iterator[Row]:
        if block:
            source = " > ".join([path.name, *(part for part in trail if part)])
            item = {"text": "\n".join(block), "kind": kind, "source": source}
            yield Row(item | ({} if time is None else {"time": time}), start)
            block.clear()

    for number, line in enumerate(lines, 1):
        fenced ^= headings and line.lstrip().startswith("```")
        heading = _HEADING.match(line) if headings and not fenced else None
        stamp = None if fenced else _date_line(heading[2] if heading else line)
        if heading or stamp or (not line.strip() and not fenced):
            yield from made()
        if heading:
            depth = len(heading[1])
            trail[depth - 1 :] = [""] * (depth - 1 - len(trail)) + [heading[2]]
        if stamp:
            time = _time(path, number, stamp, Stamps(()))
        elif not heading and (line.strip() or (fenced and block)):
            start = start if block else number
            block.append(line.rstrip())
    yield from made()


_DATE_ONLY = re.compile(
    r"\W*((?:\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)"
    r"|(?:\d{1,2}(?:st|nd|rd|th)?\s+[^\W\d_]{3,9}\.?,?\s+\d{4})"
    r"|(?:[^\W\d_]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}))\W*"
)


def _date_line(line: str) -> str | None:
    """The date, if the line holds nothing else."""
    match = _DATE_ONLY.fullmatch(line)
    return match[1] if match else None


def _time(path: Path, number: int, text: str, stamps: Stamps) -> datetime:
    try:
        return stamps.read(text)
    except ValueError as error:
        raise bad_line(path, number, str(error)) from None


_READERS: dict[str, Callable[[Path, str], Iterator[Row]]] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_json,
    ".txt": read_txt,
    ".md": read_md,
    ".markdown": read_md,
}
