"""The GPU benchmark where there is no GPU: a dry run on the emulator that states no time."""

from __future__ import annotations

import json

import pytest

from benchmarks import gpu
from benchmarks.__main__ import main
from remanence import _core

DEVICES = [name for name in _core.available_backends() if name != "cpu"]


def test_a_dry_run_of_graphs_checks_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gpu-graphs", "--quick", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    if not DEVICES:
        assert report["rows"] == []
        return
    assert {row["case"].rsplit(" ", 1)[0] for row in report["rows"]} == {
        "2hop 1024", "PPR 64", "bfs", "components", "push 1024", "sssp", "path", "labels",
    }  # fmt: skip
    assert all(row["checked"] for row in report["rows"])
    if report["backend"] != "cuda":
        assert all(row.get("value") is None for row in report["rows"])


def test_a_dry_run_checks_answers_and_states_no_time(
    capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    steps = tmp_path / "steps.tsv"
    steps.write_text("suite\tpassed\n", encoding="utf-8")
    assert main(["gpu", "--quick", "--steps", str(steps), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["steps"] == {"suite": "passed"}
    if not DEVICES:
        assert report["backend"] is None
        assert report["rows"] == []
        return
    assert report["backend"] == DEVICES[0]
    assert all(row["checked"] for row in report["rows"])
    if report["backend"] != "cuda":
        assert all(row.get("value") is None for row in report["rows"])
        assert "a dry run" in report["notes"][0]


@pytest.mark.skipif(not DEVICES, reason="no backend but the processor's")
def test_a_run_that_is_broken_off_reports_what_it_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gpu, "_words", interrupted)
    assert main(["gpu", "--quick", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["case"] for row in report["rows"]] == ["decay PowerTrace n=5000"]
    assert "broken off" in report["notes"][-1]
