"""The one-bit codes before the exact scan: whatever the data and its history, they lose no hit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.strategies import (
    DAY,
    HOUR,
    T0,
    TOUCH_COLUMNS,
    WORDS,
    F,
    Pair,
    agree,
    answers,
    memory_arrays,
    question,
    request_of,
    row,
    to_arrays,
)

from remanence import _core

pytestmark = pytest.mark.native

ROWS = 5200  # codes are made from 4,096 rows on, and leave the last part of a block to the scan
Rng = np.random.Generator


def gaussian(rng: Rng, n: int, dim: int) -> np.ndarray:
    return rng.standard_normal((n, dim))


def narrow(rng: Rng, n: int, dim: int) -> np.ndarray:
    """A cone, as most embedders make it: what varies is small beside the mean."""
    return rng.standard_normal(dim) * 3 + rng.standard_normal((n, dim))


def clustered(rng: Rng, n: int, dim: int) -> np.ndarray:
    centres = rng.standard_normal((20, dim))
    return centres[rng.integers(0, 20, n)] + 0.1 * rng.standard_normal((n, dim))


def one_hot(rng: Rng, n: int, dim: int) -> np.ndarray:
    return np.eye(dim)[rng.integers(0, dim, n)] * rng.choice([-1, 1], (n, 1))


def sparse(rng: Rng, n: int, dim: int) -> np.ndarray:
    values = np.zeros((n, dim))
    for vector in values:
        vector[rng.integers(0, dim, 3)] = 1.0
    return values


def equal(rng: Rng, n: int, dim: int) -> np.ndarray:
    return np.repeat(rng.standard_normal((1, dim)), n, axis=0)


def nearly_equal(rng: Rng, n: int, dim: int) -> np.ndarray:
    return rng.standard_normal((1, dim)) + 1e-6 * rng.standard_normal((n, dim))


def store(vectors: np.ndarray, pair: Pair | None = None, **columns: Any) -> _core.Engine:
    rows = [row(i + 1, vector=v) | columns for i, v in enumerate(vectors.astype(F).tolist())]
    if pair is not None:
        pair.append(*rows)
        return pair.engine
    engine = _core.Engine()
    engine.append(1, **memory_arrays(rows))
    return engine


def assert_nothing_lost(engine: _core.Engine, request: dict[str, Any]) -> None:
    """The scan with codes answers as the scan that scores every row."""
    for k in (1, 10, 70):
        asked = {"k": k, "explain": True} | request
        proved = answers(engine.recall(request_of(asked | {"proved": True})))
        for threads in (1, 3):
            assert answers(engine.recall(request_of(asked | {"threads": threads}))) == proved


@pytest.mark.parametrize("dim", [64, 65, 100, 192])
@pytest.mark.parametrize(
    "data", [gaussian, narrow, clustered, one_hot, sparse, equal, nearly_equal]
)
def test_no_hit_is_lost(data: Callable[..., np.ndarray], dim: int):
    rng = np.random.default_rng([dim, len(data.__name__)])
    vectors = data(rng, ROWS, dim)
    engine = store(vectors)
    mean = vectors.mean(axis=0) + 1e-3
    near = vectors[77] + 0.3 * np.abs(vectors[77]).mean() * rng.standard_normal(dim)
    queries = [vectors[5], -vectors[5], near, mean, -mean, np.eye(dim)[3], np.ones(dim)]
    for query in queries:
        assert_nothing_lost(engine, question(vector=query))


@pytest.mark.parametrize("dim", [64, 100])
def test_the_judge_agrees(dim):
    rng = np.random.default_rng(dim)
    vectors, pair = narrow(rng, ROWS, dim), Pair()
    store(vectors, pair)
    agree(pair, question(vector=vectors[9] + rng.standard_normal(dim), terms="heron"), (1, 2))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("centring", [0.0, 1.0])
def test_memories_without_a_vector_are_no_worse_for_the_segments_centre(sign, centring):
    """Their cosine is 0; where all others lie opposite to the question, that is the best of all."""
    rng = np.random.default_rng(4)
    mean = rng.standard_normal(64) * 3
    vectors = (mean + rng.standard_normal((ROWS, 64))).astype(F).tolist()
    rows = [row(i + 1, vector=None if i % 40 == 7 else v) for i, v in enumerate(vectors)]
    pair = Pair()
    pair.append(*rows)
    weights = _core.Weights(centring=centring).to_dict()
    request = {"now": T0, "weights": weights, "vector": sign * mean}
    agree(pair, request, (1, 2))
    assert_nothing_lost(pair.engine, request)


@pytest.mark.parametrize(
    "weights",
    [
        {"cosine": 1e6},
        {"cosine": 1e-3},
        {"cosine": -2.0},
        {"centring": 0.0},
        {"centring": -3.0},
        {"centring": 50.0},
        {"importance": 1e4},
        {"bias": 1e6},
    ],
)
def test_odd_weights_lose_nothing(weights):
    rng = np.random.default_rng(8)
    vectors = narrow(rng, ROWS, 70)
    engine = store(vectors)
    weights = _core.Weights(**weights).to_dict()
    for query in (vectors[3] + rng.standard_normal(70), -vectors[4]):
        assert_nothing_lost(engine, {"now": T0, "weights": weights, "vector": query})


def lived(dim: int) -> tuple[_core.Engine, np.ndarray]:
    """A coded store after versions, closures, returns, erasures, accesses and late additions."""
    rng = np.random.default_rng(21)
    vectors = narrow(rng, ROWS + 1500, dim).astype(F)
    rows = [
        row(
            i + 1,
            law=i % 3,
            scope=i % 2,
            kind=i % 5,
            time=T0 + i * HOUR,
            terms=WORDS[i % 6],
            importance=float(i % 7),
            vector=vector if i % 9 else None,
        )
        for i, vector in enumerate(vectors.tolist())
    ]
    engine = _core.Engine()
    engine.append(1, **memory_arrays(rows[:100]))
    engine.append(2, **memory_arrays(rows[100:ROWS]))
    some = rng.permutation(ROWS)[:400].astype(np.int64) + 1
    engine.append(3, **memory_arrays([rows[i - 1] | {"vector": [1.0] * dim} for i in some[:100]]))
    engine.close(4, some[100:250])
    engine.restore(5, some[150:250])
    engine.erase(6, some[250:300])
    touch = {"time": T0 + 400 * DAY, "weight": 1.0, "used": 1}
    touches = to_arrays([touch | {"id": i} for i in some[300:]], TOUCH_COLUMNS)
    engine.touch(7, **touches)
    engine.append(8, **memory_arrays(rows[ROWS:]))
    return engine, vectors


def test_a_store_that_was_changed_loses_nothing(tmp_path):
    engine, vectors = lived(96)
    engine.save(str(tmp_path / "snapshot"))
    for held in (engine, _core.Engine.load(str(tmp_path / "snapshot"))):
        for query in (vectors[0], vectors[5001], -vectors.mean(axis=0), np.ones(96)):
            asked = question(vector=query, terms="heron tide", now=T0 + 500 * DAY)
            for extra in ({}, {"scopes": [1]}, {"kinds": 5}, {"as_of": 4}, {"as_of": 7}):
                assert_nothing_lost(held, asked | extra)


def test_bounds_of_activation_follow_the_clock_and_the_accesses():
    """Recalls forward and back in time, with accesses between them, one of them in the future."""
    engine, vectors = lived(96)
    weights = _core.Weights(activation=1.5).to_dict()
    start = T0 + 500 * DAY
    clock = [0, 1, 10 * DAY, -600 * DAY, 0, 10 * DAY, 1, 3000 * DAY, HOUR, 2 * HOUR]
    for turn, shift in enumerate(clock):
        request = {"now": start + shift, "weights": weights, "vector": vectors[turn]}
        assert_nothing_lost(engine, request)
        ids = np.array([6000 + turn, 6000 - turn], dtype=np.int64)
        times = np.array([start + 20 * DAY * (turn % 3), start], dtype=np.int64)
        engine.touch(
            9 + turn, id=ids, time=times, weight=np.full(2, 90, F), used=np.ones(2, np.int8)
        )
        assert_nothing_lost(engine, request)
