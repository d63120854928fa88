"""Micro-benchmarks of one scan: plain cosine and the fused score over 20,000 rows."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from benchmarks import data, fused, large
from benchmarks.fused import WEIGHTS, Store, build
from benchmarks.harness import Report


@pytest.fixture(scope="module", params=["clustered", "uniform"])
def store(request: pytest.FixtureRequest) -> Store:
    return build(20_000, 384, request.param)


@pytest.mark.parametrize("score", sorted(WEIGHTS))
def test_scan(benchmark: Any, store: Store, score: str) -> None:
    questions = data.queries_near(store.vectors, 1, 3)
    request = fused.request(questions[0], score, 10, 1)
    hits = benchmark(store.engine.recall, request)
    ids, scores = fused.wanted(store, score, questions, 10)[0]
    assert fused.equal(hits, (ids, scores))
    assert not fused.equal(hits, (ids[::-1], scores))
    wrong = scores.copy()
    wrong[3] += 1e-6
    assert not fused.equal(hits, (ids, wrong))


def test_chunked_judge_is_the_judge() -> None:
    options = argparse.Namespace(rows=70_000, dim=64, k=10, threads=1, data="all", rounds=1,
                                 questions=4)  # fmt: skip
    report = Report("recall", {})
    large.run(report, options, less=5_000)
    assert all(row.checked for row in report.rows)
    store = large.build(5_000, "clustered", options)
    ids, scores = store.answers["fused"][0]
    store.answers["fused"][0] = (ids[::-1], scores)
    assert not large.exact(store, options)
