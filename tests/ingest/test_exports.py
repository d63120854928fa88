"""Chat exports: who said what when, in which session; and how a malformed entry is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.memory.helpers import HashEmbedder

import remanence
from remanence import InvalidArgumentError
from remanence.ingest import BadInputError, read

NOON = 1_700_000_000


def node(name: str, parent: str | None, role: str, *parts: Any, kind: str = "text") -> Any:
    content = {"content_type": kind, "parts": list(parts)}
    message = {"author": {"role": role}, "create_time": NOON, "content": content}
    return {"id": name, "parent": parent, "message": message}


CHATGPT = [
    {
        "title": "Larch or oak",
        "id": "c-1",
        "create_time": NOON,
        "current_node": "d",
        "mapping": {
            "a": {"id": "a", "parent": None, "message": None},
            "s": node("s", "a", "system", "Be kind."),
            "b": node("b", "s", "user", "Is larch good for a deck?"),
            "x": node("x", "b", "assistant", "A branch that was dropped."),
            "c": node("c", "b", "assistant", "Yes, ", {"asset": 1}, "if it can dry."),
            "t": node("t", "c", "tool", {"result": 3}, kind="code"),
            "d": node("d", "t", "user", "Thanks"),
        },
    }
]
CLAUDE = {
    "conversations": [
        {
            "uuid": "u-1",
            "name": "Ferry",
            "chat_messages": [
                {"sender": "human", "text": "When?", "created_at": "2024-05-01T10:00:00Z"},
                {"sender": "assistant", "content": [{"type": "text", "text": "At ten."}]},
            ],
            "created_at": "2024-05-01",
        }
    ]
}
SLACK = [
    {"type": "message", "user": "U1", "text": "Lunch?", "ts": "1700000000.000100"},
    {"type": "channel_join", "user": "U2", "ts": "1700000001.0"},
    {
        "type": "message",
        "user": "U2",
        "user_profile": {"real_name": "Ben"},
        "text": "At noon.",
        "ts": "1700000002.0",
        "thread_ts": "1700000000.000100",
    },
]
LOCOMO = [
    {
        "sample_id": "s-1",
        "conversation": {
            "speaker_a": "Ana",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Ana", "dia_id": "D1:1", "text": "Look!", "blip_caption": "a heron"},
                {"speaker": "Ben", "dia_id": "D1:2", "text": "Where was that?"},
            ],
            "session_2": [{"speaker": "Ana", "dia_id": "D2:1", "text": "At the ferry."}],
        },
        "qa": [],
    }
]
LONGMEMEVAL = [
    {
        "question_id": "q-1",
        "haystack_session_ids": ["h-7"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21"],
        "haystack_sessions": [
            [{"role": "user", "content": "I moved."}, {"role": "assistant", "content": "Oh!"}]
        ],
    }
]


def rows_of(folder: Path, content: Any) -> list[dict[str, Any]]:
    path = folder / "chat.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return [row.item for row in read(path)]


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row.get(name) for row in rows]


def test_chatgpt_keeps_the_branch_that_was_kept(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, CHATGPT)
    want = ["Is larch good for a deck?", "Yes, \nif it can dry.", "Thanks"]
    assert column(rows, "text") == want
    assert column(rows, "author") == ["user", "assistant", "user"]
    assert column(rows, "session") == ["c-1"] * 3
    assert column(rows, "source") == ["Larch or oak"] * 3
    assert set(column(rows, "time")) == {NOON * 10**9}
    assert set(column(rows, "kind")) == {"episodic"}


def test_claude_and_plain_messages(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, CLAUDE)
    assert column(rows, "text") == ["When?", "At ten."]
    assert column(rows, "author") == ["human", "assistant"]
    assert column(rows, "session") == ["u-1"] * 2
    assert rows[0]["time"] == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert rows[1]["time"] == datetime(2024, 5, 1, tzinfo=UTC)
    plain = {"messages": [{"role": "user", "content": "Hi"}, {"role": "bot", "content": "Ho"}]}
    rows = rows_of(tmp_path, plain)
    assert column(rows, "author") == ["user", "bot"]
    assert column(rows, "session") == ["entry 1"] * 2


def test_slack_names_people_and_threads(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, SLACK)
    assert column(rows, "text") == ["Lunch?", "At noon."]
    assert column(rows, "author") == ["U1", "Ben"]
    assert column(rows, "session") == ["chat#chat", "chat#1700000000.000100"]
    assert rows[1]["time"] == 1_700_000_002 * 10**9


def test_locomo_has_samples_as_scopes_and_dated_sessions(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, LOCOMO)
    assert column(rows, "text") == ["Look! [image: a heron]", "Where was that?", "At the ferry."]
    assert column(rows, "author") == ["Ana", "Ben", "Ana"]
    assert column(rows, "session") == ["session_1", "session_1", "session_2"]
    assert set(column(rows, "scope")) == {("s-1",)}
    assert rows[0]["time"] == datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
    assert column(rows, "time")[2] is None
    assert rows[0]["meta"] == {"dia_id": "D1:1"}


def test_longmemeval_has_questions_as_scopes(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, LONGMEMEVAL)
    assert column(rows, "text") == ["I moved.", "Oh!"]
    assert column(rows, "session") == ["h-7"] * 2
    assert set(column(rows, "scope")) == {("q-1",)}
    assert rows[0]["time"] == datetime(2023, 5, 20, 2, 21, tzinfo=UTC)


def test_other_json_is_read_as_rows(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, [{"text": "one", "author": "Ana"}, "two"])
    assert column(rows, "kind") == ["episodic", "semantic"]


BROKEN = [
    ('{"text": ', "line 1: not JSON"),
    ('[{"text": "a"},\n {"text" 1}]', "line 2: not JSON"),
    ("[" * 100_000, "line 1: not JSON"),
    ([], "holds nothing to remember"),
    ([{"text": "a"}, {"tex": "b"}], "entry 2: text is missing"),
    ([{"text": "a", "time": "soon"}], "entry 1: time is not readable"),
    ([{"messages": [{"role": "u", "content": "a"}, {"role": "u"}]}], "entry 1, message 2: text is"),
    ([{"messages": [{"role": "u", "content": "a"}, 7]}], "entry 1, message 2: not an object (got"),
    ([CHATGPT[0], {"mapping": 3}], "entry 2, mapping: not an object (got int)"),
    ([CHATGPT[0], 3], "entry 2: not an object (got int)"),
    ([{"mapping": {"a": {"message": {"content": {"parts": 1}}}}}], "message 'a': parts is not a"),
    ([SLACK[0], {"ts": "noon", "text": "x"}], "entry 2: ts is not a time (got 'noon')"),
    ([{"conversation": {"session_1": [{"speaker": "A"}]}}], "entry 1, session_1, turn 1: text is"),
    ([{"haystack_sessions": [[]], "haystack_dates": []}], "entry 1: sessions, ids and dates"),
    ([{"haystack_sessions": [[{"content": 3}]]}], "entry 1, session 1, turn 1: text is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "place"), BROKEN)
def test_a_malformed_entry_is_named_and_nothing_is_stored(
    tmp_path: Path, content: Any, place: str
) -> None:
    path = tmp_path / "chat.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with remanence.open(tmp_path / "s.rem", embedder=HashEmbedder()) as memory:
        with pytest.raises(BadInputError, match=r"^import: ") as caught:
            remanence.import_file(memory, path)
        assert place in str(caught.value)
        assert "\n" not in str(caught.value)
        assert memory.stats().commits == 0


keys = st.sampled_from(
    [
        *("mapping", "message", "content", "parts", "author", "role", "text", "ts", "messages"),
        *("conversation", "session_1", "session_1_date_time", "haystack_sessions", "time"),
        *("haystack_dates", "current_node", "parent", "user_profile", "name", "id", "links"),
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)


@given(st.dictionaries(keys, json_values, max_size=6) | json_values)
def test_any_json_is_rows_or_one_sentence(tmp_path_factory: Any, content: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "chat.json"
    path.write_text(json.dumps([content]), encoding="utf-8")
    assert rows_or_one_sentence(path)


def rows_or_one_sentence(path: Path) -> bool:
    """Whether reading the file gives rows with texts, or one sentence about the file."""
    try:
        rows = read(path)
    except BadInputError as error:
        return str(error).startswith(f"import: {path.name} ") and "\n" not in str(error)
    return all(row.item["text"].strip() for row in rows)


lines = st.lists(
    st.sampled_from(
        [
            *("Ana: hello", "[2024-05-01 10:00] Ben: hm", "31/12/23, 21:15 - Ana: so", "", "# H"),
            *("31/31/23, 21:15 - Ana: no", "[2024-02-31] Ben: no", "2024-05-01", "```", "- a", "x"),
        ]
    )
    | st.text(max_size=20),
    max_size=12,
)  # fmt: skip


@given(lines, st.sampled_from([".txt", ".md", ".jsonl"]))
def test_any_text_is_rows_or_one_sentence(
    tmp_path_factory: Any, found: list[str], suffix: str
) -> None:
    path = tmp_path_factory.mktemp("any") / f"notes{suffix}"
    path.write_bytes("\n".join(found).encode("utf-8", "replace"))
    assert rows_or_one_sentence(path)


@pytest.mark.parametrize(
    ("stamps", "want"),
    [
        (("31/12/23, 21:00", "01/02/24, 08:00"), [(2023, 12, 31, 21), (2024, 2, 1, 8)]),
        (("12/31/23, 9:00 PM", "1/2/24, 8:00 AM"), [(2023, 12, 31, 21), (2024, 1, 2, 8)]),
        (("1/2/24, 12:00\u202fAM", "1/2/24, 12:00\u202fPM"), [(2024, 1, 2, 0), (2024, 1, 2, 12)]),
        (("01.02.2024, 08:00", "02.02.2024, 09:00"), [(2024, 2, 1, 8), (2024, 2, 2, 9)]),
    ],
)
def test_numeric_dates_of_a_transcript(
    tmp_path: Path, stamps: tuple[str, ...], want: list[tuple[int, int, int, int]]
) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(f"{stamps[0]} - Ana: One\n[{stamps[1]}] Ben Ode: Two\nand more\n")
    rows = [row.item for row in read(path)]
    times = [datetime(year, month, day, hour, tzinfo=UTC) for year, month, day, hour in want]
    assert column(rows, "time") == times
    assert column(rows, "author") == ["Ana", "Ben Ode"]
    assert column(rows, "text") == ["One", "Two\nand more"]


def test_dates_that_contradict_each_other_name_their_line(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("31/12/23, 21:15 - Ana: One\n12/31/23, 21:16 - Ben: Two\n")
    with pytest.raises(BadInputError, match=r"line 2: time is not readable .* want day/month/year"):
        read(path)


def test_import_file_stores_once_and_answers(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(LOCOMO))
    with remanence.open(tmp_path / "s.rem", embedder=HashEmbedder()) as memory:
        done = remanence.import_file(memory, path, scope="team/x")
        assert (done.ids, done.links, done.again) == ((1, 2, 3), 0, False)
        assert memory.get(1).scope == ("team", "x", "s-1")
        assert [n.type for n in memory.neighbours(1)] == ["next"]
        assert memory.recall("Where was the heron?", k=1)[0].author in ("Ana", "Ben")
        commits = memory.stats().commits
        again = remanence.import_file(memory, path, scope=("team", "x"))
        assert again == remanence.Imported((1, 2, 3), 0, True)
        assert memory.stats().commits == commits == 1
        with pytest.raises(InvalidArgumentError, match="there is no file"):
            remanence.import_file(memory, tmp_path / "gone.md")
