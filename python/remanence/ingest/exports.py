"""Chat exports as JSON: ChatGPT, Claude, Slack, plain messages, LoCoMo, LongMemEval, or rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .rows import Row, bad_line, bad_place, row_from_object

Entry = dict[str, Any]
Found = Iterator[tuple[str, Entry]]
"""(place in the file, the turn as `row_from_object` takes it)."""


def read_json(path: Path, text: str) -> Iterator[Row]:
    """Every turn or row of a JSON file; the first entry tells which program wrote it."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        what = f"not JSON ({error.msg} at column {error.colno})"
        raise bad_line(path, error.lineno, what) from None
    except (ValueError, RecursionError) as error:
        raise bad_line(path, 1, f"not JSON ({error})") from None
    if isinstance(data, dict) and isinstance(data.get("conversations"), list):
        data = data["conversations"]
    entries = data if isinstance(data, list) else [data]
    kind = _kind_of(entries[0]) if entries else _rows
    place = "entry 1"
    try:
        for number, entry in enumerate(entries, 1):
            place = start = f"entry {number}"
            for where, found in kind(entry, start, path):
                place = where
                yield replace(row_from_object(found, number), entry=where)
    except _Malformed as error:
        raise bad_place(path, error.place, error.what) from None
    except ValueError as error:
        raise bad_place(path, place, str(error)) from None


class _Malformed(Exception):
    def __init__(self, place: str, what: str) -> None:
        super().__init__(what)
        self.place, self.what = place, what


def _want(holds: bool, place: str, what: str) -> None:
    if not holds:
        raise _Malformed(place, what)


def _dict(value: Any, place: str) -> Entry:
    _want(isinstance(value, dict), place, f"not an object (got {type(value).__name__})")
    return value  # type: ignore[no-any-return]


def _list(value: Any, name: str, place: str) -> list[Any]:
    _want(isinstance(value, list), place, f"{name} is not a list (got {type(value).__name__})")
    return value  # type: ignore[no-any-return]


def _kind_of(entry: Any) -> Callable[[Any, str, Path], Found]:
    if not isinstance(entry, dict):
        return _rows
    if "mapping" in entry:
        return _chatgpt
    if "haystack_sessions" in entry:
        return _longmemeval
    if isinstance(entry.get("conversation"), dict):
        return _locomo
    if any(isinstance(entry.get(name), list) for name in _MESSAGES):
        return _messages
    return _slack if "ts" in entry else _rows


def _rows(entry: Any, place: str, _: Path) -> Found:
    yield place, entry


def _session(entry: Entry, place: str) -> str:
    """A name for a conversation: its id, else its title, else its number."""
    names = ("id", "conversation_id", "uuid", "title", "name")
    found = next((entry[name] for name in names if entry.get(name)), None)
    return str(found) if isinstance(found, str | int) else place


def _chatgpt(entry: Any, place: str, path: Path) -> Found:
    """ChatGPT's export: a tree of messages, of which the branch to `current_node` was kept."""
    entry = _dict(entry, place)
    nodes = _dict(entry.get("mapping"), f"{place}, mapping")
    branch: list[str] = []
    at = entry.get("current_node")
    while isinstance(at, str) and at in nodes and at not in branch:
        branch.append(at)
        at = _dict(nodes[at], f"{place}, message {at!r:.40}").get("parent")
    for name in branch[::-1] or nodes:
        where = f"{place}, message {name!r:.40}"
        message = _dict(nodes[name], where).get("message")
        if message is None:
            continue
        content = _dict(_dict(message, where).get("content"), f"{where}, content")
        if content.get("content_type", "text") not in ("text", "multimodal_text"):
            continue
        parts = _list(content.get("parts"), "parts", where)
        said = "\n".join(part for part in parts if isinstance(part, str)).strip()
        author = _dict(message.get("author"), f"{where}, author")
        if said and author.get("role") != "system":
            yield where, _turn(
                said, author.get("name") or author.get("role"), _session(entry, place),
                message.get("create_time") or entry.get("create_time"),
                entry.get("title") or path.name,
            )  # fmt: skip


_MESSAGES = ("messages", "chat_messages", "turns")


def _messages(entry: Any, place: str, path: Path) -> Found:
    """A conversation as a list of messages; Claude's export is one."""
    entry = _dict(entry, place)
    name = next((name for name in _MESSAGES if name in entry), _MESSAGES[0])
    for number, message in enumerate(_list(entry.get(name), name, place), 1):
        where = f"{place}, message {number}"
        said = dict(_dict(message, where))
        content = next((said.pop(n) for n in ("text", "content") if said.get(n)), None)
        if isinstance(content, list):
            parts = [part.get("text") if isinstance(part, dict) else part for part in content]
            content = "\n".join(part for part in parts if isinstance(part, str))
        time = next((said[n] for n in ("time", "timestamp", "created_at") if said.get(n)), None)
        author = next(
            (said[n] for n in ("author", "speaker", "sender", "role") if said.get(n)), None
        )
        time = time if time is not None else entry.get("created_at", entry.get("date"))
        title = entry.get("name") or entry.get("title") or path.name
        yield where, _turn(content, author, _session(entry, place), time, title)


def _slack(entry: Any, place: str, path: Path) -> Found:
    """Slack's export of one channel; a thread is a session, the rest of the file another."""
    entry = _dict(entry, place)
    if entry.get("type", "message") != "message" or not entry.get("text"):
        return
    profile = entry.get("user_profile")
    names = profile if isinstance(profile, dict) else {}
    author = names.get("real_name") or names.get("display_name") or entry.get("user")
    stamp = entry.get("ts")
    try:
        time = float(stamp)
    except (TypeError, ValueError):
        raise _Malformed(place, f"ts is not a time (got {stamp!r:.40})") from None
    session = entry.get("thread_ts") or path.stem
    author = author or entry.get("username")
    yield place, _turn(entry["text"], author, f"{path.stem}#{session}", time, path.name)


def _locomo(entry: Any, place: str, path: Path) -> Found:
    """LoCoMo: sessions of two speakers, dated; the scope is the sample."""
    entry = _dict(entry, place)
    talk = _dict(entry.get("conversation"), f"{place}, conversation")
    scope = str(entry.get("sample_id", place))
    numbers = sorted(int(m[1]) for name in talk if (m := re.fullmatch(r"session_(\d+)", name)))
    for number in numbers:
        name = f"session_{number}"
        time = talk.get(f"{name}_date_time")
        for at, turn in enumerate(_list(talk[name], name, place), 1):
            where = f"{place}, {name}, turn {at}"
            turn = _dict(turn, where)
            said = turn.get("text")
            if isinstance(turn.get("blip_caption"), str) and isinstance(said, str):
                said = f"{said} [image: {turn['blip_caption']}]".strip()
            found = _turn(said, turn.get("speaker"), name, _written(time), path.name)
            ref = turn.get("dia_id")
            meta = {} if ref is None else {"meta": {"dia_id": str(ref)}}
            yield where, found | {"scope": [scope]} | meta


def _longmemeval(entry: Any, place: str, path: Path) -> Found:
    """LongMemEval: the haystack of one question; the scope is the question."""
    entry = _dict(entry, place)
    sessions = _list(entry.get("haystack_sessions"), "haystack_sessions", place)
    names = [f"session {i + 1}" for i in range(len(sessions))]
    ids = entry.get("haystack_session_ids", names)
    dates = entry.get("haystack_dates", [None] * len(sessions))
    both = (
        len(_list(ids, "haystack_session_ids", place)),
        len(_list(dates, "haystack_dates", place)),
    )
    _want(
        both == (len(sessions), len(sessions)), place,
        f"sessions, ids and dates differ in number (got {len(sessions)}, {both[0]} and {both[1]})",
    )  # fmt: skip
    for number, (session, name, date) in enumerate(zip(sessions, ids, dates, strict=True), 1):
        where = f"{place}, session {number}"
        for at, turn in enumerate(_list(session, "a session", where), 1):
            said = _dict(turn, f"{where}, turn {at}")
            found = _turn(
                said.get("content"), said.get("role"), str(name), _written(date), path.name
            )
            yield f"{where}, turn {at}", found | {"scope": [str(entry.get("question_id", place))]}


def _turn(text: Any, author: Any, session: str, time: Any, source: Any) -> Entry:
    found = {"text": text, "author": author, "session": session, "time": time, "kind": "episodic"}
    return found | {"source": source if isinstance(source, str) else None}


_CLOCK_FIRST = "%I:%M %p on %d %B, %Y"  # LoCoMo: 1:56 pm on 8 May, 2023
_WEEKDAY = re.compile(r"(\d{4})/(\d\d)/(\d\d) \(\w+\) (\d\d:\d\d)")  # 2023/05/20 (Sat) 02:21


def _written(time: Any) -> Any:
    """The two benchmarks' own ways to write a time, as ISO 8601; others stay as they are."""
    if not isinstance(time, str):
        return time
    if match := _WEEKDAY.fullmatch(time.strip()):
        return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}"
    try:
        return datetime.strptime(time.strip(), _CLOCK_FIRST).replace(tzinfo=UTC).isoformat()
    except ValueError:
        return time
