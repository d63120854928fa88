"""One answer whatever the way: bounds or every row, threads, batches, writers beside.

`test_search` holds the scan of every row (`proved`) against the judge; here everything else is held
against that scan, on stores large enough for codes. HYPOTHESIS_PROFILE=thorough asks 10,000 times.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import (
    DAY,
    HOUR,
    T0,
    TIME_MAX,
    TOUCH_COLUMNS,
    WORDS,
    F,
    answers,
    memory_arrays,
    question,
    request_of,
    row,
    to_arrays,
)

from remanence import _core

pytestmark = pytest.mark.native

ROWS, COMMITS = 5_600, 8
SHAPES = ("uniform", "clustered", "narrow", "equal", "sparse")
DIMS = (64, 100)
OFTEN = ("river", "stone", "lamp")
"""Words of so many rows that the engine keeps them as bits, and now and then twice in one."""


def shaped(shape: str, dim: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Vectors [rows, dim]: spread evenly, in clusters, in a cone, in few places, of few values."""
    noise = rng.standard_normal((rows, dim))
    if shape == "clustered":
        return rng.standard_normal((30, dim))[rng.integers(0, 30, rows)] + 0.3 * noise
    if shape == "narrow":
        return 3 * rng.standard_normal(dim) + noise
    if shape == "equal":
        return noise[:5][rng.integers(0, 5, rows)]
    return noise if shape == "uniform" else np.where(rng.random((rows, dim)) < 0.05, noise, 1e-9)


def often(i: int) -> list[str]:
    """Row i's share of the frequent words: in runs, spread, and repeated."""
    held = [OFTEN[0]] * (1 + (i % 7 == 0)) if i % 3 else []
    held += [OFTEN[1]] * (1 + i % 5) if i % 1_000 < 400 else []
    return held + ([OFTEN[2]] if i % 5 == 2 else [])


@cache
def store(shape: str, dim: int) -> tuple[_core.Engine, np.ndarray]:
    """Rows of every sort, and versions, closures, erasures and accesses of some of them."""
    rng = np.random.default_rng([dim, len(shape)])
    vectors = shaped(shape, dim, ROWS, rng).astype(F)
    unusual = rng.random(ROWS) < 0.1
    rows = [
        row(
            i + 1,
            scope=int(i % 3),
            kind=int(rng.integers(4)) if unusual[i] else 0,
            law=int(rng.integers(3)) if unusual[i] else 0,
            time=T0 + i * HOUR,
            terms=" ".join([*(rng.choice(WORDS, 2) if unusual[i] else ()), *often(i)]),
            importance=float(rng.standard_normal()) if unusual[i] else 0.0,
            belief=float(rng.uniform(0.1, 1)) if unusual[i] else 1.0,
            valid_to=T0 + 300 * DAY if i % 50 == 3 else TIME_MAX,
            vector=None if i % 31 == 5 else vector,
        )
        for i, vector in enumerate(vectors.tolist())
    ]
    engine = _core.Engine()
    engine.append(1, **memory_arrays(rows[:5_000]))
    some = (rng.permutation(5_000)[:600] + 1).astype(np.int64)
    engine.append(
        2,
        **memory_arrays([rows[i] | {"id": int(i), "law": rows[i - 1]["law"]} for i in some[:150]]),
    )
    engine.close(3, some[100:300])
    engine.restore(4, some[200:250])
    engine.erase(5, some[300:330])
    for seq, hours in ((6, 5_700), (7, 6_900)):
        touched = [
            {"id": int(i), "time": T0 + hours * HOUR, "weight": 1.0, "used": seq % 2}
            for i in some[330:]
        ]
        engine.touch(seq, **to_arrays(touched, TOUCH_COLUMNS))
    engine.append(8, **memory_arrays(rows[5_000:]))
    assert engine.seq == COMMITS
    return engine, vectors


@st.composite
def requests(draw: st.DrawFn, vectors: np.ndarray) -> dict[str, Any]:
    """A question beside a row, opposite to one, to the mean, or anywhere; filtered or not."""
    dim = vectors.shape[1]
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    near = vectors[rng.integers(len(vectors))]
    noise = rng.standard_normal(dim) * float(np.abs(near).mean() + 1e-3)
    mean, axis = vectors.mean(axis=0) + 1e-3, np.eye(dim)[seed % dim]
    query = draw(st.sampled_from([near + 0.4 * noise, near, -near, mean, noise, axis]))
    weights = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "cosine": st.sampled_from([7.2, 1.0, 0.05, 100.0, -1.0]),
                "activation": st.sampled_from([0.0, 0.5, 1.0]),
                "importance": st.sampled_from([0.0, 1.0, 5.0]),
                "lexical": st.sampled_from([3.0, 100.0, -1.0]),
                "centring": st.sampled_from([0.0, 1.0]),
            },
        )
    )
    optional = {
        "terms": st.lists(st.sampled_from([*WORDS, *OFTEN]), max_size=5).map(" ".join),
        "scopes": st.lists(st.integers(0, 3), min_size=1, max_size=2),
        "kinds": st.integers(1, 15),
        "as_of": st.integers(1, COMMITS),
        "min_belief": st.sampled_from([0.0, 0.5]),
        "valid_at": st.sampled_from([T0, T0 + 300 * DAY]),
        "allow": st.integers(1, 400).map(lambda step: list(range(1, ROWS + 1, step))),
    }
    asked = question(
        vector=query,
        weights=_core.Weights(**weights).to_dict(),
        now=T0 + draw(st.sampled_from([0, 200, 250, 4_000])) * DAY,
        k=draw(st.sampled_from([1, 3, 10, 10, 40, 200])),
    )
    return asked | draw(st.fixed_dictionaries({}, optional=optional))


def many(engine: _core.Engine, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A batch where the engine has one, else one after the other."""
    made = [request_of(request) for request in asked]
    if hasattr(engine, "recall_many"):
        return [answers(hits) for hits in engine.recall_many(made)]
    return [answers(engine.recall(request)) for request in made]


def by_every_row(engine: _core.Engine, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer of the scan that scores every row: for a k this large codes do not pay."""
    k = max(asked["k"], engine.rows // 64 + 1)
    hits = answers(engine.recall(request_of(asked | {"k": k, "proved": True, "threads": 1})))
    return {n: v[: asked["k"]] if isinstance(v, list) else v for n, v in hits.items()}


def sides() -> _core.Engine:
    """Untouched rows whose cosines hardly differ: what else a score holds decides."""
    rng = np.random.default_rng(11)
    vectors = (np.ones(64) + 0.01 * rng.standard_normal((ROWS, 64))).astype(F).tolist()
    engine = _core.Engine()
    rows = [
        row(
            i + 1,
            kind=int(rng.integers(4)),
            scope=int(rng.integers(40)),
            time=T0 + int(rng.integers(4_000)) * HOUR,
            importance=float(rng.standard_normal()),
            belief=float(rng.choice([1.0, 0.4])),
            terms=" ".join(rng.choice(WORDS, 2)),
            vector=vector,
        )
        for i, vector in enumerate(vectors)
    ]
    engine.append(1, **memory_arrays(rows))
    return engine


side_store = cache(sides)


@pytest.mark.parametrize("term", ["activation", "importance", "lexical", "cosine"])
def test_few_rows_of_a_block_are_bounded_by_all_that_their_scores_hold(term):
    engine = side_store()
    least = {name: 0.0 for name, value in _core.Weights().to_dict().items() if value != 0.0}
    for number in range(40):
        asked = question(
            vector=np.ones(64) + 0.01 * np.eye(64)[number],
            weights=_core.Weights(**least | {"cosine": 0.1, term: 3.0}).to_dict(),
            terms=WORDS[number % len(WORDS)] if term == "lexical" else "",
            now=T0 + 200 * DAY,
            k=1 + number % 5,
        ) | ({"allow": list(range(1 + number, ROWS, 41))} if number % 2 else {"scopes": [number]})
        want = by_every_row(engine, asked)
        for way in ({"proved": True}, {"threads": 1}, {"threads": 2}):
            assert answers(engine.recall(request_of(asked | way))) == want, (number, way)


@cache
def copies() -> tuple[_core.Engine, np.ndarray]:
    """Rows of 192 dimensions, every 100th of them alike but for a little."""
    rng = np.random.default_rng(12)
    vectors = rng.standard_normal((24_576, 192))
    alike = np.arange(0, len(vectors), 100)
    vectors[alike] = vectors[0] + np.linspace(0, 0.4, len(alike))[:, None] * vectors[alike]
    engine = _core.Engine()
    rows = [row(i + 1, time=T0, vector=v) for i, v in enumerate(vectors.astype(F))]
    engine.append(1, **memory_arrays(rows))
    return engine, vectors


@pytest.mark.parametrize("k", [1, 3, 10])
def test_few_rows_hardly_below_the_best_are_found_by_their_codes(k):
    """Where all answers are near, what a code adds must be right: being small is not enough."""
    engine, vectors = copies()
    rng = np.random.default_rng(k)
    weights = _core.Weights(**dict.fromkeys(_core.Weights().to_dict(), 0.0) | {"cosine": 7.2})
    for number in range(20):
        query = vectors[1200 * number] + 0.02 * number * rng.standard_normal(192)
        others = rng.choice(len(vectors), 600, replace=False) + 1
        allow = sorted({*range(1, len(vectors) + 1, 100), *others.tolist()})
        asked = question(vector=query, weights=weights.to_dict(), now=T0 + DAY, k=k)
        want = by_every_row(engine, asked | {"allow": allow})
        assert answers(engine.recall(request_of(asked | {"allow": allow}))) == want, number


ALIVE = (
    {"activation": 1.0, "importance": 1.0},
    {"lift": 1.0, "usefulness": 0.3},
    {"lift": 0.1, "usefulness": 1.0, "activation": 0.5},
    {"lift": -1.0, "usefulness": 3.0},
)


@given(st.lists(st.tuples(st.integers(1, 300), st.sampled_from([0.1, 1.0, 100.0])), max_size=30))
def test_accesses_between_questions_count_in_the_next(accesses):
    """Bounds that a question left behind rise with a row, above all rows if need be."""
    engine, end = sides(), T0 + 4_000 * HOUR
    least = {name: 0.0 for name, value in _core.Weights().to_dict().items() if value != 0.0}
    for seq, (memory, weight) in enumerate([*accesses, (1, 1.0)], 2):
        # Of two questions' weights bounds are kept; a third one's and those of other times are not.
        asked = question(
            vector=np.ones(64),
            weights=_core.Weights(**least | {"cosine": 0.1} | ALIVE[memory % 4]).to_dict(),
            now=end + (40 if memory % 7 == 0 else 1) * DAY,
            k=1 + memory % 5,
        )
        for past in ({}, {"as_of": 1 + memory % (seq - 1)}):
            want = by_every_row(engine, asked | past)
            for way in ({"threads": 1}, {"proved": True, "threads": 2}):
                assert answers(engine.recall(request_of(asked | past | way))) == want
        touched = [{"id": memory, "time": end + HOUR, "weight": weight, "used": memory % 2}]
        engine.touch(seq, **to_arrays(touched, TOUCH_COLUMNS))


@pytest.mark.parametrize("words", ["river", "stone", "river stone lamp", "lamp lamp stone", "gone"])
@pytest.mark.parametrize("cosine", [7.2, 0.05])
def test_frequent_words_are_bounded_by_all_that_they_add(words, cosine):
    engine, vectors = store("uniform", 64)
    for number in range(20):
        asked = question(
            vector=vectors[number * 7],
            weights=_core.Weights(lexical=100.0, cosine=cosine).to_dict(),
            terms=words,
            now=T0 + number * DAY,
            k=10,
        )
        assert answers(engine.recall(request_of(asked))) == by_every_row(engine, asked), number


@given(st.data())
def test_one_answer_for_any_threads_batch_and_way(data):
    shape, dim = data.draw(st.sampled_from(SHAPES)), data.draw(st.sampled_from(DIMS))
    engine, vectors = store(shape, dim)
    asked = data.draw(requests(vectors))
    want = by_every_row(engine, asked)
    threads = data.draw(st.sampled_from([1, 2, 7]))
    for way in ({"threads": threads}, {"proved": True, "threads": threads}):
        assert answers(engine.recall(request_of(asked | way))) == want
    size = data.draw(st.integers(1, 12))
    place = data.draw(st.integers(0, size - 1))
    rest = [asked | {"vector": vectors[(place + 97 * i) % ROWS] + 1e-6} for i in range(size)]
    rest[place] = asked
    assert many(engine, [r | {"threads": threads} for r in rest])[place] == want


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_batches_from_1_to_100_answer_as_single_questions_do(shape, threads):
    engine, vectors = store(shape, 64)
    rng = np.random.default_rng(5)
    asked = [
        question(
            vector=vectors[i] + 0.2 * rng.standard_normal(64),
            k=int(rng.integers(1, 30)),
            now=T0 + int(rng.integers(200, 400)) * DAY,
            terms=WORDS[i % 6] if i % 4 == 0 else "",
            threads=threads,
        )
        | ({"scopes": [i % 3]} if i % 5 == 0 else {})
        for i in range(100)
    ]
    want = [answers(engine.recall(request_of(r | {"proved": True}))) for r in asked]
    for size in (1, 2, 7, 8, 9, 31, 32, 33, 64, 100):
        assert many(engine, asked[:size]) == want[:size], size


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_what_a_commit_saw_stays_while_rows_are_appended(threads):
    """A question as of a commit has one answer, before, beside and after a racing writer."""
    rng = np.random.default_rng(threads)
    vectors = shaped("clustered", 64, 12_000, rng).astype(F).tolist()
    engine = _core.Engine()
    first = [row(i + 1, vector=v, scope=i % 2) for i, v in enumerate(vectors[:5_000])]
    engine.append(1, **memory_arrays(first))
    base = [question(vector=np.add(vectors[i], 0.1), k=20) for i in range(6)]
    asked = [r | {"as_of": 1, "threads": threads} for r in base]
    asked += [r | {"scopes": [1], "threads": threads} for r in base]  # the writer adds to scope 0
    want = [answers(engine.recall(request_of(r))) for r in asked]
    done, failures = threading.Event(), []

    def write() -> None:
        try:
            for seq, start in enumerate(range(5_000, 12_000, 250), 2):
                new = [
                    row(start + i + 1, vector=v) for i, v in enumerate(vectors[start : start + 250])
                ]
                engine.append(seq, **memory_arrays(new))
        except BaseException as failure:
            failures.append(failure)
        finally:
            done.set()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    turns = 0
    while True:
        last = done.is_set()
        assert [answers(engine.recall(request_of(r))) for r in asked] == want
        assert many(engine, asked) == want
        turns += 1
        if last:
            break
    writer.join(timeout=60)
    assert not failures
    assert turns > 1
    assert engine.rows == 12_000
    now = [r | {"k": 50} for r in base]
    proved = [answers(engine.recall(request_of(r | {"proved": True}))) for r in now]
    assert many(engine, [r | {"threads": threads} for r in now]) == proved
