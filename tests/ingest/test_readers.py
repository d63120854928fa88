"""Readers of files: what a row becomes, which dates are seen, and how a bad line is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from remanence.demo import notes_path
from remanence.ingest import read
from remanence.ingest.rows import BadInputError, read_time, row_from_object, scope_of


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def items(path: Path) -> list[dict[str, object]]:
    return [row.item for row in read(path)]


class TestJsonl:
    def test_a_turn_is_episodic_a_titled_row_a_document_a_bare_one_semantic(self) -> None:
        kinds = [
            row_from_object(found, 1).item["kind"]
            for found in (
                {"text": "hi", "speaker": "Ana"},
                {"role": "user", "content": "hi"},
                {"text": "body", "title": "Head"},
                {"text": "The sky is blue."},
                "The sky is blue.",
                {"text": "hi", "speaker": "Ana", "kind": "procedural"},
            )
        ]
        assert kinds == ["episodic", "episodic", "document", "semantic", "semantic", "procedural"]

    def test_names_that_other_tools_use_are_understood(self) -> None:
        found = {"id": 7, "text": "x", "t": "2024-05-01", "role": "user", "batch": 2, "group": "g"}
        row = row_from_object(found | {"scope": "a/b", "mood": "fine"}, 3)
        assert row.ref == "7"
        assert row.line == 3
        assert row.item["author"] == "user"
        assert row.item["session"] == "2"
        assert row.item["scope"] == ("a", "b", "g")
        assert row.item["time"] == datetime(2024, 5, 1, tzinfo=UTC)
        assert row.item["meta"] == {"mood": "fine", "ref": "7"}

    def test_a_title_stands_once_above_the_text(self) -> None:
        assert row_from_object({"title": "T", "text": "body"}, 1).item["text"] == "T\nbody"
        assert row_from_object({"title": "T", "text": "T\nbody"}, 1).item["text"] == "T\nbody"

    @pytest.mark.parametrize(
        ("line", "what"),
        [
            ('{"text": "a"', "not JSON"),
            ("[1, 2]", "not an object (got list"),
            ('{"tex": "a"}', "text is missing"),
            ('{"text": "  "}', "text is missing"),
            ('{"text": 5}', "text is missing"),
            ('{"text": "a", "time": "soon"}', "time is not readable (got 'soon'"),
            ('{"text": "a", "time": true}', "time is not readable"),
            ('{"text": "a", "kind": "odd"}', "unknown kind (got 'odd'"),
            ('{"text": "\\ud800"}', "half a character"),
            ('{"text": "a", "belief": 0}', "belief is out of range (got 0"),
            ('{"text": "a", "belief": "high"}', "belief is not a number (got 'high'"),
            ('{"text": "a", "importance": NaN}', "importance is not a number (got nan"),
            ('{"text": "a", "author": ["b"]}', "a name is not text"),
            ('{"text": "a", "scope": 3}', "scope is not readable"),
            ('{"text": "a", "triples": [["x", "y"]]}', "triples are not readable"),
            ('{"text": "a", "links": [{"type": "x"}]}', "a link is not readable"),
            (
                '{"text": "a", "links": [{"target": "z"}]}',
                "link to an id not in the file (got 'z')",
            ),
            ('{"text": "a", "links": [{"target": "one", "weight": 0}]}', "weight is out of range"),
            ('{"text": "a", "id": "one"}', "id is used twice (got 'one')"),
            ("[" * 100_000, "import: notes.jsonl line 3: "),
        ],
    )
    def test_a_bad_line_is_named(self, tmp_path: Path, line: str, what: str) -> None:
        path = write(tmp_path, "notes.jsonl", f'{{"text": "good", "id": "one"}}\n\n{line}\n')
        with pytest.raises(BadInputError) as error:
            read(path)
        assert str(error.value).startswith("import: notes.jsonl line 3: ")
        assert what in str(error.value)

    def test_links_keep_type_target_and_weight(self) -> None:
        row = row_from_object({"text": "a", "links": [{"target": 3, "weight": 0.5}]}, 1)
        assert row.links == (("related", "3", 0.5),)

    def test_a_line_separator_inside_a_string_does_not_end_the_line(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.jsonl", '{"text": "one\u2028two"}\n')
        assert items(path)[0]["text"] == "one\u2028two"


class TestTimes:
    @pytest.mark.parametrize(
        ("value", "want"),
        [
            ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
            ("2024-05-01T10:30:00Z", datetime(2024, 5, 1, 10, 30, tzinfo=UTC)),
            ("7 May 2023", datetime(2023, 5, 7, tzinfo=UTC)),
            ("May 7, 2023", datetime(2023, 5, 7, tzinfo=UTC)),
            (1_700_000_000, 1_700_000_000_000_000_000),
            (1_700_000_000_000, 1_700_000_000_000_000_000),
            (1_700_000_000_000_000, 1_700_000_000_000_000_000),
            (1_700_000_000_000_000_001, 1_700_000_000_000_000_001),
            (1_700_000_000.5, 1_700_000_000_500_000_000),
        ],
    )
    def test_a_time_is_read(self, value: object, want: object) -> None:
        assert read_time(value) == want

    @pytest.mark.parametrize("value", ["", "now", "May", None, [2024], float("nan")])
    def test_what_is_no_time_is_refused(self, value: object) -> None:
        with pytest.raises(ValueError, match="time is not readable"):
            read_time(value)


class TestTxt:
    def test_a_transcript_has_authors_times_and_sessions(self, tmp_path: Path) -> None:
        text = (
            "2024-05-01\nAna: How was Porto?\nBen: Wet.\nAnd cold.\n\n"
            "May 3, 2024\nAna: Still wet?\nBen: Yes.\n"
        )
        rows = items(write(tmp_path, "chat.txt", text))
        assert [row["author"] for row in rows] == ["Ana", "Ben", "Ana", "Ben"]
        assert rows[1]["text"] == "Wet.\nAnd cold."
        assert rows[0]["time"] == datetime(2024, 5, 1, tzinfo=UTC)
        assert rows[2]["time"] == datetime(2024, 5, 3, tzinfo=UTC)
        assert [row["session"] for row in rows] == ["chat.txt#1"] * 2 + ["chat.txt#2"] * 2
        assert {row["kind"] for row in rows} == {"episodic"}

    def test_a_time_may_stand_in_the_line(self, tmp_path: Path) -> None:
        text = "[2024-05-01 10:00] Ana: Hi.\n2024-05-01T10:05 - Ben: Ho.\nAna (2024-05-02): Hm.\n"
        rows = items(write(tmp_path, "chat.txt", text))
        assert [row["text"] for row in rows] == ["Hi.", "Ho.", "Hm."]
        assert [row["time"] for row in rows] == [
            datetime(2024, 5, 1, 10, tzinfo=UTC),
            datetime(2024, 5, 1, 10, 5, tzinfo=UTC),
            datetime(2024, 5, 2, tzinfo=UTC),
        ]
        assert rows[0]["session"] == rows[1]["session"] != rows[2]["session"]

    def test_plain_text_is_one_note_a_paragraph(self, tmp_path: Path) -> None:
        text = "The heron stands\nat the ferry.\n\nNote: buy larch.\n\nNothing else.\n"
        rows = items(write(tmp_path, "diary.txt", text))
        assert [row["text"] for row in rows] == [
            "The heron stands\nat the ferry.",
            "Note: buy larch.",
            "Nothing else.",
        ]
        assert {row["kind"] for row in rows} == {"semantic"}

    def test_an_impossible_date_names_its_line(self, tmp_path: Path) -> None:
        path = write(tmp_path, "chat.txt", "Ana: Hi.\n[2024-02-31] Ben: Ho.\n")
        with pytest.raises(BadInputError, match=r"chat.txt line 2: time is not readable"):
            read(path)


class TestMd:
    def test_headings_become_the_source(self, tmp_path: Path) -> None:
        text = "# House\n\nFour walls.\n\n## Roof\n\n- tiles\n- a crow\n\n# Garden\nA tree.\n"
        rows = items(write(tmp_path, "home.md", text))
        assert [(row["source"], row["text"]) for row in rows] == [
            ("home.md > House", "Four walls."),
            ("home.md > House > Roof", "- tiles\n- a crow"),
            ("home.md > Garden", "A tree."),
        ]
        assert {row["kind"] for row in rows} == {"document"}

    def test_a_dated_heading_dates_what_follows(self, tmp_path: Path) -> None:
        rows = items(write(tmp_path, "log.md", "## 2024-05-01\nRain.\n## 2 May 2024\nSun.\n"))
        assert rows[0]["time"] == datetime(2024, 5, 1, tzinfo=UTC)
        assert rows[1]["time"] == datetime(2024, 5, 2, tzinfo=UTC)

    def test_code_is_kept_whole(self, tmp_path: Path) -> None:
        rows = items(write(tmp_path, "a.md", "See:\n\n```\n# no heading\n\nx = 1\n```\n\nEnd.\n"))
        assert [row["text"] for row in rows] == [
            "See:",
            "```\n# no heading\n\nx = 1\n```",
            "End.",
        ]

    def test_a_skipped_level_leaves_no_gap(self, tmp_path: Path) -> None:
        rows = items(write(tmp_path, "a.md", "### Deep\ntext\n# Top\nmore\n"))
        assert [row["source"] for row in rows] == ["a.md > Deep", "a.md > Top"]


class TestFiles:
    @pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.md"])
    def test_an_empty_file_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(BadInputError, match="holds nothing to remember"):
            read(write(tmp_path, name, "\n \n"))

    def test_an_unknown_type_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadInputError, match=r"want \.jsonl, \.json, \.txt or \.md"):
            read(write(tmp_path, "a.pdf", "x"))

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(BadInputError, match=r"there is no file .*gone\.md"):
            read(tmp_path / "gone.md")

    def test_bytes_that_are_no_text_name_their_line(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(b"one\ntwo\n\xff\xfe\n")
        with pytest.raises(BadInputError, match=r"a\.txt line 3: not UTF-8 text"):
            read(path)

    def test_a_byte_order_mark_is_not_text(self, tmp_path: Path) -> None:
        path = tmp_path / "a.md"
        path.write_bytes(b"\xef\xbb\xbf# Top\nbody\n")
        assert items(path)[0]["source"] == "a.md > Top"


def test_scope_of_a_path() -> None:
    assert scope_of("a/b") == ("a", "b")
    assert scope_of("/a//") == ("a",)
    assert scope_of(None) == ()


class TestSample:
    """The demo's notes keep their promises: dated, in order, linked backwards, facts that end."""

    def test_it_spans_two_years_in_order(self) -> None:
        rows = read(notes_path())
        times = [row.item["time"] for row in rows]
        assert times == sorted(times)
        assert times[0].date().isoformat() == "2024-09-01"
        assert times[-1].date().isoformat() == "2026-09-28"
        assert 250 <= len(rows) <= 400

    def test_links_point_to_earlier_rows(self) -> None:
        seen: set[str | None] = set()
        for row in read(notes_path()):
            assert all(target in seen for _, target, _ in row.links), row
            seen.add(row.ref)

    def test_a_superseded_fact_ends_where_its_successor_starts(self) -> None:
        rows = {row.ref: row for row in read(notes_path())}
        pairs = [
            (row, rows[target])
            for row in rows.values()
            for kind, target, _ in row.links
            if kind == "supersedes"
        ]
        assert len(pairs) >= 10
        for newer, older in pairs:
            assert older.item["valid_to"] <= newer.item["valid_from"], newer.ref
