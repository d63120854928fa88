"""The verbs traverse, propagate and ingest-graph: they run, and every answer is checked."""

from __future__ import annotations

import json

import pytest

from benchmarks.__main__ import main

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
