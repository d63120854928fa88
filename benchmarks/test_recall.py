"""Micro-benchmarks of one scan: plain cosine and the fused score over 20,000 rows."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import data, judge
from benchmarks.data import NOW
from benchmarks.recall import WEIGHTS, Store, build, wanted
from remanence._core import Request


@pytest.fixture(scope="module", params=["clustered", "uniform"])
def store(request: pytest.FixtureRequest) -> Store:
    return build(20_000, 384, request.param)


@pytest.mark.parametrize("score", sorted(WEIGHTS))
def test_scan(benchmark: Any, store: Store, score: str) -> None:
    questions = data.queries_near(store.vectors, 1, 3)
    request = Request(now=NOW, k=10, vector=questions[0], weights=WEIGHTS[score], threads=1)
    hits = benchmark(store.engine.recall, request)
    exact = wanted(store, score, questions)[0]
    assert judge.ties(hits.id - 1, hits.score, exact, judge.TOLERANCE)
    wrong = hits.id - 1
    wrong[0] = exact.argmin()
    assert not judge.ties(wrong, hits.score, exact, judge.TOLERANCE)
