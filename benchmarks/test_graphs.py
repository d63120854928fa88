"""The verbs traverse, propagate and ingest-graph: they run, and every answer is checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.kgqa import QUESTIONS

CASES = {
    "traverse": (
        "build",
        "bfs",
        "2hop 64",
        "2hop 1",
        "sssp",
        "components",
        "bfs, filters on",
        "bfs, filters that bite",
        "bfs, filters that bite and are new",
    ),
    "propagate": ("PPR 1 seed", "PPR 16 seeds", "push damping 0.5", "leiden"),
    "ingest-graph": ("batched", "one by one", "durable", "reader"),
}


@pytest.mark.parametrize("verb", CASES)
def test_every_case_is_there_and_checked(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--quick"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["verb"] == verb
    rows = found["rows"]
    for case in CASES[verb]:
        assert any(row["case"].startswith(case) for row in rows), case
    # How fast a writer comes is the machine's word, not the answer's.
    answers = [row for row in rows if not row["case"].startswith("reader")]
    assert all(row["checked"] for row in answers)


def test_a_question_that_is_answered_wrong_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    right = "who?\tc(b/c)\ta#knows#b#knows#c#<end>#c"
    wrong = "who?\tc(b)\ta#knows#b#knows#c#<end>#c"
    for name, base in QUESTIONS.items():
        (raw / f"{name}.txt").write_text(f"{right}\n{wrong}\n", encoding="utf-8")
        facts = "a\tknows\tb\nb\tknows\tc\nb\tknows\tb\n"
        (raw / f"{base}.txt").write_text(facts, encoding="utf-8")
    assert main(["kgqa", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert {row["value"] for row in rows if row["metric"] == "answered"} == {0.5}
