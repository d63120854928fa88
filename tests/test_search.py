"""The fused search against the judge: random rows, filters, weights, ties, sizes; same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import TERMS, added
from tests.strategies import (
    DAY,
    HOUR,
    T0,
    TIME_MAX,
    TIME_MIN,
    WORDS,
    F,
    Pair,
    agree,
    answers,
    bits,
    question,
    request_of,
    requests,
    row,
    rows,
    vector,
)

from remanence import _core

pytestmark = pytest.mark.native

THREADS = (1, 2, 7)


def filled(memories: list[dict[str, Any]]) -> Pair:
    pair = Pair()
    if memories:
        pair.append(*[m | {"id": i + 1} for i, m in enumerate(memories)])
    return pair


@given(st.data())
def test_search_gives_the_judges_bits_on_any_number_of_threads(data):
    dim = data.draw(st.integers(1, 70), "dim")
    pair = filled(data.draw(st.lists(rows(dim), max_size=20), "rows"))
    ids = [r["id"] for r in pair.judge.rows]
    for _ in range(3):
        agree(pair, data.draw(requests(dim, ids, pair.seq), "request"), THREADS)


@given(st.data())
def test_terms_add_up_to_the_score(data):
    pair = filled(data.draw(st.lists(rows(3), min_size=1, max_size=20)))
    request = data.draw(requests(3, [1], pair.seq))
    hits = pair.engine.recall(request_of(request | {"explain": True}))
    sums = [added(dict(zip(TERMS, terms, strict=True))) for terms in hits.terms]
    assert bits(sums) == bits(hits.score)


@given(st.data())
def test_explain_and_k_change_nothing_but_what_they_say(data):
    pair = filled(data.draw(st.lists(rows(5), max_size=20)))
    request = data.draw(requests(5, [], pair.seq)) | {"k": 1_000_000}
    everything = answers(pair.engine.recall(request_of(request)))
    explained = answers(pair.engine.recall(request_of(request | {"explain": True})))
    assert explained | {"terms": everything["terms"]} == everything
    for k in (1, 2, 5):
        few = answers(pair.engine.recall(request_of(request | {"k": k})))
        assert few["id"] == everything["id"][:k]
        assert few["score"] == everything["score"][:k]


def test_terms_are_named_in_the_order_in_which_they_are_added():
    assert _core.Hits.TERMS == TERMS


@pytest.mark.parametrize("dim", [1, 15, 16, 17, 31, 32, 33, 64, 70])
def test_every_padding_gives_the_canonical_dot_product(dim):
    rng = np.random.default_rng(dim)
    vectors = rng.standard_normal((9, dim)).astype(F)
    pair = filled([row(0, vector=v) for v in vectors])
    agree(pair, question(vector=rng.standard_normal(dim), k=9), THREADS)


def test_an_empty_store_answers_nothing():
    for engine in (_core.Engine(), _core.Engine(4)):
        hits = engine.recall(request_of(question(vector=[1.0, 0, 0, 0], terms="heron")))
        assert (len(hits), hits.scanned, hits.score.tolist()) == (0, 0, [])


def test_a_store_without_vectors_ignores_the_query_vector():
    pair = filled([row(0, terms="heron"), row(0, terms="ferry")])
    asked = question(terms="heron")
    without = answers(agree(pair, asked))
    assert answers(agree(pair, asked | {"vector": [1.0, 2.0]})) == without


def test_equal_scores_are_ordered_by_id():
    ids = [40, 7, 10**15, 3, 22]
    pair = Pair()
    pair.append(*[row(i, vector=[1.0, 2.0], terms="heron ferry") for i in ids])
    hits = agree(pair, question(vector=[3.0, 1.0], terms="heron"), THREADS)
    assert hits.id.tolist() == sorted(ids)
    assert len(set(bits(hits.score))) == 1
    assert agree(pair, question(k=2), THREADS).id.tolist() == [3, 7]


def test_k_may_exceed_the_store():
    pair = filled([row(0), row(0), row(0)])
    for k in (3, 4, 1_000_000):
        assert len(agree(pair, question(k=k), THREADS)) == 3


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"scopes": [1]}, [2]),
        ({"scopes": [1, 0, 9]}, [1, 2, 4, 5]),
        ({"scopes": []}, []),
        ({"scopes": [2**24 - 1]}, [3]),
        ({"kinds": 0b10}, [4]),
        ({"kinds": 0}, []),
        ({"min_belief": 0.5}, [1, 2, 3, 4]),
        ({"allow": [2, 5]}, [2, 5]),
        ({"allow": []}, []),
        ({"exclude": [2, 5]}, [1, 3, 4]),
        ({"allow": [1, 2], "exclude": [1]}, [2]),
        ({"now": T0 + 2 * DAY}, [1, 2, 3, 4]),
        ({"now": T0 + 2 * DAY - 1}, [1, 2, 3, 4, 5]),
        ({"valid_at": T0}, [1, 2, 3, 4, 5]),
        ({"valid_at": T0 - 1}, [1, 2, 3, 4]),
        ({"valid_at": T0 + 2 * DAY}, [1, 2, 3, 4]),
        ({"valid_at": TIME_MIN}, [1, 2, 3, 4]),
    ],
)
def test_each_filter_alone(arguments, ids):
    pair = Pair()
    bounded = {"valid_from": T0, "valid_to": T0 + 2 * DAY, "belief": 0.25}
    pair.append(row(1), row(2, scope=1), row(3, scope=2**24 - 1), row(4, kind=1), row(5, **bounded))
    assert sorted(agree(pair, question() | arguments, THREADS).id.tolist()) == ids


@pytest.mark.parametrize("extra", [{}, {"valid_to": T0 + DAY}])
@pytest.mark.parametrize("arguments", [{"now": TIME_MAX}, {"valid_at": TIME_MAX}])
def test_an_open_interval_never_ends(arguments, extra):
    """Whatever else lies in the block: its summary must not decide what the rule is."""
    pair = Pair()
    pair.append(row(1), row(2, **extra))
    want = [1, 2] if not extra else [1]
    assert agree(pair, question() | arguments).id.tolist() == want


@pytest.mark.parametrize("as_of", [2, 10**18, TIME_MAX - 2, TIME_MAX - 1, TIME_MAX])
@pytest.mark.parametrize("closed", [False, True])
def test_as_of_after_the_last_commit_is_now(as_of, closed):
    pair = Pair()
    pair.append(row(1), row(2))
    if closed:
        pair.by_ids("close", 2)
    now = answers(pair.engine.recall(request_of(question())))
    assert answers(pair.engine.recall(request_of(question(as_of=max(as_of, pair.seq))))) == now


@pytest.mark.parametrize("time", [TIME_MIN, -1, 0, T0, TIME_MAX - 1, TIME_MAX])
@pytest.mark.parametrize("law", [0, 1, 2])
def test_huge_times_keep_every_score_finite(time, law):
    pair = Pair()
    pair.append(row(1, law=law, time=TIME_MIN), row(2, law=law, time=TIME_MAX), row(3, law=law))
    pair.touch(*[{"id": i, "time": TIME_MAX, "weight": 1.0, "used": 1} for i in (1, 2, 3)])
    weights = _core.Weights(activation=1.0).to_dict()
    dates = [[TIME_MIN, TIME_MIN + 1], [TIME_MAX - 1, TIME_MAX]]
    hits = agree(pair, {"now": time, "weights": weights, "dates": dates})
    assert np.isfinite(hits.score).all()
    assert np.isfinite(hits.p_use).all()


def test_words_count_once_per_repeat_and_unknown_words_not_at_all():
    pair = Pair()
    pair.append(row(1, terms="heron"), row(2, terms="heron heron ferry"), row(3, terms="tide"))
    agree(pair, question(terms="heron heron tide unheard"), THREADS)
    known = answers(agree(pair, question(terms="heron tide")))
    assert answers(agree(pair, question(terms=" heron  unheard tide "))) == known


def test_words_of_other_scopes_do_not_weigh():
    """A store shared by many must answer each as if it were alone."""
    alone, shared = Pair(), Pair()
    mine = [row(i, scope=1, terms=f"heron {WORDS[i]}", vector=vector(i, 8)) for i in (1, 2, 3)]
    alone.append(*mine)
    shared.append(*mine, *[row(i, terms="heron ferry", vector=vector(4, 8)) for i in range(4, 40)])
    asked = question(scopes=[1], terms="heron ferry", vector=vector(5, 8), explain=True)
    assert answers(shared.engine.recall(request_of(asked))) == answers(agree(alone, asked))


def workload(count: int, dim: int, seed: int = 5) -> list[dict[str, Any]]:
    """Many plain rows, a few of each unusual sort, equal vectors among them."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((200, dim)).astype(F).tolist()
    pick = rng.integers(0, 200, count)
    scope = rng.integers(0, 3, count)
    unusual = rng.random(count) < 0.02
    text = [" ".join(WORDS[j] for j in js) for js in rng.integers(0, 6, (count, 2))]
    return [
        row(
            i + 1,
            scope=int(scope[i]),
            kind=int(pick[i] % 5) if unusual[i] else 0,
            time=T0 + int(pick[i]) * HOUR,
            terms=text[i] if unusual[i] else "",
            vector=None if unusual[i] and pick[i] % 3 == 0 else vectors[pick[i]],
            belief=0.5 if unusual[i] else 1.0,
            valid_to=T0 + DAY if unusual[i] and pick[i] % 7 == 0 else TIME_MAX,
        )
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def large() -> Pair:
    """Past the borders of blocks (1,024), tasks (16,384) and segments (65,536)."""
    pair = Pair()
    memories = workload(66_200, 3)
    pair.append(*memories)
    borders = [1, 1023, 1024, 1025, 16_384, 16_385, 65_535, 65_536, 65_537, 66_200]
    pair.touch(*[{"id": i, "time": T0 + 90 * DAY, "weight": 1.0, "used": 1} for i in borders])
    pair.by_ids("close", 1024, 16_384, 65_536, 66_199)
    return pair


@pytest.mark.parametrize(
    "arguments",
    [
        {"vector": vector(3, 3), "terms": "heron tide", "k": 200},
        {"vector": vector(4, 3), "scopes": [1], "kinds": 1, "now": T0 + 99 * DAY},
        {"allow": [1023, 1024, 1025, 16_385, 65_535, 65_536, 65_537, 66_200], "as_of": 2},
    ],
)
def test_blocks_tasks_and_segments_leave_no_seam(large, arguments):
    agree(large, question() | arguments, THREADS)


@pytest.mark.parametrize("count", [1023, 1024, 1025, 2048, 16_384, 16_385])
def test_every_row_is_scanned_whatever_the_count(count):
    pair = Pair()
    pair.append(*[row(i + 1, importance=float(i % 97), terms="heron") for i in range(count)])
    for threads in THREADS:
        hits = pair.engine.recall(request_of(question(terms="heron", k=count, threads=threads)))
        assert hits.scanned == count
        best = sorted(range(count), key=lambda i: (-(i % 97), i))
        assert hits.id.tolist() == [i + 1 for i in best]


def test_a_block_without_a_kind_that_is_asked_for_adds_nothing():
    """Documents fill the first block, entities the rest of the store."""
    pair = Pair()
    pair.append(*[row(i + 1, kind=2, terms="heron") for i in range(1024)])
    pair.append(*[row(i + 1025, kind=4, terms="tide") for i in range(8)])
    hits = agree(pair, question(terms="heron tide", kinds=0b1111, k=2000))
    assert len(hits) == 1024
