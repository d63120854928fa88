"""Rows and targets: what counts as better, as checked and as met."""

from __future__ import annotations

import json

import pytest

from benchmarks.__main__ import VERBS, parser, pin_threads
from benchmarks.harness import Report, Row, alternate, timing


def test_ratio_above_one_is_better_for_times_and_rates() -> None:
    assert Row("a", "p50_ms", 2.0, "r", 10.0).ratio == 5.0
    assert Row("a", "per_second", 10.0, "r", 2.0, better="higher").ratio == 5.0
    assert Row("a", "p50_ms", 2.0, "r", None).ratio is None


@pytest.mark.parametrize(
    ("target", "met"),
    [
        ({}, None),
        ({"ratio_min": 5.0}, True),
        ({"ratio_min": 5.1}, False),
        ({"value_max": 2.0}, True),
        ({"value_max": 1.9}, False),
        ({"value_min": 2.0}, True),
        ({"value_min": 2.1, "ratio_min": 1.0}, False),
    ],
)
def test_met_is_computed(target: dict[str, float], met: bool | None) -> None:
    assert Row("a", "p50_ms", 2.0, "r", 10.0, checked=True, target=target).met is met


def test_an_unchecked_row_meets_nothing() -> None:
    row = Row("a", "p50_ms", 2.0, "r", 10.0, checked=False, target={"ratio_min": 1.0})
    assert row.met is False


def test_a_missing_rival_is_a_row_with_a_reason() -> None:
    plain = Row("a", "p50_ms", 2.0, "faiss", None, reason="not installed").to_dict()
    assert plain["rival_value"] is None
    assert plain["reason"] == "not installed"


def test_a_comparison_that_did_not_take_place_is_neither_met_nor_missed() -> None:
    target = {"ratio_min": 1.0}
    row = Row("a", "p50_ms", 2.0, "r", None, checked=True, target=target, reason="not installed")
    assert row.met is None
    assert "met" not in row.to_dict()
    # Without a reason a figure is lacking, and that is a miss; so is a value beside no rival.
    assert Row("a", "p50_ms", 2.0, "r", None, checked=True, target=target).met is False
    alone = Row("a", "p50_ms", 2.0, checked=True, target={"value_max": 1.0}, reason="slow")
    assert alone.met is False


def test_report_is_one_line_of_json() -> None:
    report = Report("recall", {"rows": 3}, [Row("a", "p50_ms", 1.23456789)])
    found = json.loads(json.dumps(report.to_dict()))
    assert found["rows"][0]["value"] == 1.23457
    assert {"verb", "commit", "machine", "options", "rows"} <= set(found)
    assert {"cpu", "cores", "simd", "gpu"} <= set(found["machine"])


def test_order_alternates() -> None:
    seen: list[str] = []
    cases = {"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}
    alternate(cases, 2, warm_up=0)
    assert seen == ["a", "b", "b", "a"]
    assert timing([1.0, 2.0, 9.0]).median == 2.0


def test_threads_of_every_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    pin_threads(["recall", "--threads", "3"])
    import os

    assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "3"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_quick_on_demand(verb: str) -> None:
    assert parser().parse_args([verb, "--quick"]).quick
