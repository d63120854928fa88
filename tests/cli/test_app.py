"""The command line: what it prints, in which form, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import remanence
from remanence.cli import main
from remanence.cli.show import Output, shorten, sparkline

NOTES = [
    {"id": "a", "text": "The heron stands at the ferry steps.", "time": "2025-01-05"},
    {"id": "b", "text": "Where is the ferry?", "time": "2025-01-06", "speaker": "Ana"},
    {
        "id": "c",
        "text": "Davi is allergic to hazelnuts.",
        "valid_from": "2026-01-20",
        "links": [{"type": "about", "target": "a"}],
    },
]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.jsonl"
    path.write_text("".join(json.dumps(note) + "\n" for note in NOTES), encoding="utf-8")
    return path


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path for a store, named by the environment; nothing is there yet."""
    path = tmp_path / "memory.remanence"
    monkeypatch.setenv("REMANENCE_STORE", str(path))
    return path


@pytest.fixture
def filled(store: Path, notes: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["import", str(notes)]) == 0
    capsys.readouterr()
    return store


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command prints on standard output; on standard error it says nothing."""
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    """The one line on standard error of a command that fails; standard output stays empty."""
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


class TestImport:
    def test_it_counts_what_it_stored(
        self, store: Path, notes: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert said(capsys, "import", str(notes)) == f"3 memories from notes.jsonl in {store}\n"

    def test_a_second_time_changes_nothing(
        self, filled: Path, notes: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with remanence.open(filled, read_only=True) as memory:
            before = memory.stats()
        assert "imported before; nothing changed" in said(capsys, "import", str(notes))
        with remanence.open(filled, read_only=True) as memory:
            after = memory.stats()
        assert (after.memories, after.edges, after.commits) == (
            before.memories,
            before.edges,
            before.commits,
        )

    def test_rows_links_and_scope_arrive(
        self, store: Path, notes: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said(capsys, "import", str(notes), "--scope", "team/ana")
        with remanence.open(store, read_only=True) as memory:
            rows = [memory.get(number) for number in (1, 2, 3)]
            assert [row.text for row in rows] == [note["text"] for note in NOTES]
            assert [row.kind for row in rows] == ["semantic", "episodic", "semantic"]
            assert {row.scope for row in rows} == {("team", "ana")}
            assert rows[0].meta == {"ref": "a"}
            assert [(n.type, n.id) for n in memory.neighbours(3)] == [("about", 1)]

    def test_one_file_is_one_commit_of_memories(self, filled: Path) -> None:
        with remanence.open(filled, read_only=True) as memory:
            assert len({memory.get(number).seq for number in (1, 2, 3)}) == 1

    def test_a_bad_line_stores_nothing(
        self, filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bad = tmp_path / "bad.jsonl"
        # The reader knows nothing of laws: this one is found by the store.
        bad.write_text('{"text": "good"}\n\n{"text": "bad", "law": "odd"}\n', encoding="utf-8")
        assert refusal(capsys, "import", str(bad)).startswith("import: bad.jsonl line 3: ")
        with remanence.open(filled, read_only=True) as memory:
            assert memory.stats().memories == 3

    def test_a_refused_file_makes_no_store(
        self, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert "there is no file" in refusal(capsys, "import", str(tmp_path / "gone.md"))
        assert not store.exists()


@pytest.mark.usefixtures("filled")
class TestQuestions:
    def test_recall_prints_the_best_first(self, capsys: pytest.CaptureFixture[str]) -> None:
        lines = said(capsys, "recall", "What is Davi allergic to?", "--k", "2").splitlines()
        assert lines[0].split() == ["id", "score", "p", "when", "who", "memory"]
        assert len(lines) == 3
        assert lines[1].endswith("Davi is allergic to hazelnuts.")

    def test_explained_terms_add_up_to_the_score(self, capsys: pytest.CaptureFixture[str]) -> None:
        out = said(capsys, "recall", "What is Davi allergic to?", "--k", "1", "--explain")
        reasons, numbers = out.splitlines()[-2:]
        assert reasons.startswith("3: ")
        assert "of your words" in str(reasons)
        assert "lexical +" in numbers
        terms, score = numbers.rsplit(" = ", 1)
        parts = [float(word) for word in terms.split() if word[0] in "+-"]
        assert sum(parts) == pytest.approx(float(score), abs=0.05)

    def test_valid_at_is_passed_on(self, capsys: pytest.CaptureFixture[str]) -> None:
        query = ("recall", "What is Davi allergic to?", "--k", "1", "--valid-at")
        assert "hazelnuts" in said(capsys, *query, "2026-02-01")
        assert "hazelnuts" not in said(capsys, *query, "2025-02-01")

    def test_as_of_before_everything_finds_nothing(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = said(capsys, "recall", "hazelnuts", "--as-of", "2001-01-01")
        assert out == "Nothing is remembered that passes the filters.\n"

    def test_another_scope_finds_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        out = said(capsys, "recall", "hazelnuts", "--scope", "elsewhere")
        assert out == "Nothing is remembered that passes the filters.\n"

    def test_context_keeps_to_its_budget(self, capsys: pytest.CaptureFixture[str]) -> None:
        out = said(capsys, "context", "What is Davi allergic to?", "--budget", "60")
        assert "hazelnuts" in out
        assert len(out.split()) < 60

    def test_a_second_process_sees_the_store(self, filled: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "remanence", "recall", "hazelnuts", "--store", str(filled)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Davi is allergic to hazelnuts." in done.stdout


class TestCare:
    def test_history_shows_every_version(
        self, filled: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with remanence.open(filled) as memory:
            memory.update(3, text="Davi is allergic to hazelnuts, severely.")
        lines = said(capsys, "history", "3").splitlines()
        assert len(lines) == 3
        assert lines[1].endswith("2026-01-20..  Davi is allergic to hazelnuts.")
        assert lines[2].endswith("2026-01-20..  Davi is allergic to hazelnuts, severely.")

    @pytest.mark.usefixtures("filled")
    def test_stats_and_verify(self, capsys: pytest.CaptureFixture[str]) -> None:
        lines = [line.split() for line in said(capsys, "stats").splitlines()]
        assert ["memories", "3"] in lines
        assert ["commits", "2"] in lines
        assert said(capsys, "verify").startswith("ok: yes\n")

    def test_stats_show_what_feedback_taught(
        self, filled: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert "Feedback" not in said(capsys, "stats")
        with remanence.open(filled) as memory:
            hits = memory.recall("What is Davi allergic to?")
            memory.touch(hits[0], used=True)
            memory.touch(hits[1:], used=False)
        out = said(capsys, "stats")
        assert "Feedback: 1 used, 2 not. p_use: calibration error 0." in out
        lines = [line.split() for line in out.splitlines()]
        assert ["weight", "default", "learned"] in lines
        assert any(line[:2] == ["lexical", "3.00"] for line in lines)

    def test_verify_fails_on_a_damaged_store(
        self, filled: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = filled.read_bytes()
        filled.write_bytes(data.replace(b"allergic to hazelnuts", b"allergic to chestnuts"))
        assert data != filled.read_bytes()
        assert main(["verify"]) == 1
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert captured.out or captured.err

    def test_doctor_names_what_runs(self, capsys: pytest.CaptureFixture[str]) -> None:
        out = said(capsys, "doctor")
        assert remanence.simd() in out
        assert remanence.__version__ in out
        assert "works" in out
        for name in remanence.available_backends():
            assert f"{name} " in out


class TestRefusals:
    @pytest.mark.parametrize("verb", ["recall x", "context x", "history 1", "stats", "verify"])
    def test_asking_makes_no_store(
        self, verb: str, store: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        message = refusal(capsys, *verb.split())
        assert message.startswith(f"{verb.split()[0]}: there is no store {store}")
        assert not store.exists()

    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            (("history", "99"), "99"),
            (("recall", "x", "--k", "0"), "k must be"),
            (("recall", "x", "--as-of", "yesterday"), "as_of is not a time"),
            (("context", "x", "--budget", "-1"), "budget"),
        ],
    )
    @pytest.mark.usefixtures("filled")
    def test_bad_input_is_one_sentence(
        self, arguments: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert what in refusal(capsys, *arguments)

    def test_a_foreign_file_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        foreign = tmp_path / "photo.remanence"
        foreign.write_bytes(b"\x89PNG\r\n" * 1000)
        refusal(capsys, "stats", "--store", str(foreign), code=1)
        assert foreign.read_bytes() == b"\x89PNG\r\n" * 1000

    @pytest.mark.parametrize("arguments", [(), ("fly",), ("recall",), ("history", "one")])
    def test_a_wrong_command_is_one_line_and_code_2(
        self, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1
        assert "--help" in captured.err

    def test_a_closed_pipe_is_no_traceback(self, filled: Path) -> None:
        command = f"'{sys.executable}' -m remanence stats --store '{filled}' | true"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        assert "Broken" not in done.stderr


class TestOutput:
    def test_a_plain_table_is_aligned_and_keeps_lines_whole(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Output(rich=False).table(["name", "n"], [("a\nb", 1), ("c", 22.5)])
        assert capsys.readouterr().out == "name      n\na b       1\nc     22.50\n"

    def test_a_rich_table_shows_brackets_as_they_are(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        output = Output(rich=True)
        output.table(["memory"], [("[bold]not markup[/bold] [/]",)])
        output.line("[red]nor here", style="bold")
        out = capsys.readouterr().out
        assert "[bold]not markup[/bold] [/]" in out
        assert "[red]nor here" in out

    def test_texts_are_cut_at_a_word(self) -> None:
        assert shorten("one  two\nthree", 20) == "one two three"
        assert shorten("one two three", 10) == "one two…"
        assert len(shorten("x" * 50, 10)) == 10

    def test_a_sparkline_has_one_character_a_value(self) -> None:
        line = sparkline([None, 0.0, 0.5, 1.0, 2.0, -1.0], 0.0, 1.0)
        assert len(line) == 6
        assert line[0] == " "
        assert line[1] == line[5] != line[3] == line[4]
