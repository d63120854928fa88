"""Recall over histories: versions, accesses, links and as-of against the judge, and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import TERMS
from tests.strategies import (
    DAY,
    HOUR,
    T0,
    TIME_MAX,
    Pair,
    agree,
    answers,
    bits,
    conversation,
    edge,
    memory_arrays,
    play,
    question,
    request_of,
    requests,
    row,
    rows,
    steps,
    vector,
)

from remanence import _core

pytestmark = pytest.mark.native


def term(hits: _core.Hits, name: str) -> dict[int, float]:
    column = hits.terms[:, TERMS.index(name)]
    return dict(zip(hits.id.tolist(), column.tolist(), strict=True))


# Histories.
@given(st.data())
def test_a_history_is_recalled_as_the_judge_recalls_it(data):
    dim = data.draw(st.integers(1, 20), "dim")
    pair = Pair()
    memories = data.draw(st.lists(rows(dim), min_size=1), "rows")
    pair.append(*[r | {"id": i + 1} for i, r in enumerate(memories)])
    play(pair, data.draw(steps(dim), "history"))
    for _ in range(3):
        request = data.draw(requests(dim, sorted(pair.judge.newest), pair.seq), "request")
        agree(pair, request, (1, 2))


@given(st.data())
def test_as_of_every_commit_equals_the_judge(data):
    pair = Pair()
    play(pair, data.draw(steps(4), "history"))
    request = data.draw(requests(4, []), "request")
    for seq in range(pair.seq + 1):
        agree(pair, request | {"as_of": seq})


@given(st.data())
def test_as_of_a_commit_equals_what_was_answered_then(data):
    """Nothing that is written later may show in an earlier answer, bit for bit, cues included.

    Erasures are left out: they are meant to change the past.
    """
    pair = Pair()
    pair.append(row(1, vector=vector(0, 4)), row(2))
    history = data.draw(steps(4), "history")
    request = data.draw(requests(4, []), "request")
    request.pop("as_of", None)
    request |= {"explain": True, "cues": data.draw(st.sampled_from([None, [1], [1, 2]]))}
    then = {pair.seq: answer_or_refusal(pair, request)}
    for step in history:
        play(pair, [step], erasures=False)
        then[pair.seq] = answer_or_refusal(pair, request)
    for seq, answer in then.items():
        assert answer_or_refusal(pair, request | {"as_of": seq}) == answer


def answer_or_refusal(pair: Pair, request: dict[str, Any]) -> Any:
    try:
        return answers(pair.engine.recall(request_of(request)))
    except _core.NotFoundError as refusal:  # a cue that is closed at that commit
        return str(refusal)


@given(st.data())
def test_commits_written_one_by_one_or_in_one_call_give_the_same_state(data):
    memories = [r | {"id": i + 1} for i, r in enumerate(data.draw(st.lists(rows(3), min_size=1)))]
    single, bulk = Pair(), Pair()
    for memory in memories:
        single.append(memory)
    seqs = np.arange(1, len(memories) + 1, dtype=np.int64)
    bulk.engine.append(seqs, **memory_arrays(memories))
    assert bulk.engine.digest() == single.engine.digest()
    request = data.draw(requests(3, [], len(memories)))
    assert answers(bulk.engine.recall(request_of(request))) == answers(
        single.engine.recall(request_of(request))
    )


# Versions.
def test_a_new_version_replaces_the_old_and_as_of_still_shows_it():
    pair = Pair()
    pair.append(row(1, terms="heron"), row(2, terms="tide"))
    pair.append(row(1, terms="ferry", scope=1, kind=1))
    assert agree(pair, question(terms="ferry")).id.tolist() == [1, 2]
    assert agree(pair, question(terms="heron", as_of=1)).id.tolist() == [1, 2]
    assert agree(pair, question(scopes=[1])).id.tolist() == [1]
    assert agree(pair, question(scopes=[1], as_of=1)).id.tolist() == []


def test_closing_restoring_and_erasing():
    pair = Pair()
    pair.append(row(1, vector=vector(0, 3), terms="heron"), row(2))
    pair.by_ids("close", 1)
    pair.by_ids("restore", 1)
    seen = {seq: agree(pair, question(as_of=seq)).id.tolist() for seq in range(4)}
    assert seen == {0: [], 1: [1, 2], 2: [2], 3: [1, 2]}
    pair.by_ids("erase", 1)
    assert [agree(pair, question(as_of=seq)).id.tolist() for seq in range(5)] == [[]] + [[2]] * 4


def test_versions_share_their_accesses():
    pair = Pair()
    pair.append(row(1), row(2))
    pair.touch({"id": 1, "time": T0 + HOUR, "weight": 1.0, "used": 1})
    before = agree(pair, question())
    pair.append(row(1, terms="heron"))
    pair.by_ids("close", 1)
    pair.by_ids("restore", 1)
    after = agree(pair, question())
    for name in ("lift", "usefulness"):
        assert term(after, name) == term(before, name)
        assert term(after, name)[1] > 0 == term(after, name)[2]


# Accesses.
def test_use_strengthens_and_disuse_fades():
    pair = Pair()
    pair.append(row(1), row(2), row(3))
    for hours in (24, 48, 72):
        touch = {"time": T0 + hours * HOUR, "weight": 1.0}
        pair.touch(touch | {"id": 1, "used": 1}, touch | {"id": 3, "used": 0})
    soon = agree(pair, question(now=T0 + 4 * DAY))
    late = agree(pair, question(now=T0 + 400 * DAY))
    assert soon.id.tolist() == [1, 2, 3]
    assert term(soon, "lift")[1] > term(late, "lift")[1] > 0
    assert term(soon, "usefulness")[1] == pytest.approx(0.3 * math.log(4))
    assert term(soon, "usefulness")[3] == pytest.approx(-0.3 * math.log(4))


def test_the_order_of_accesses_matters_to_rounding_only():
    weights = _core.Weights(activation=1.0, lift=0.0).to_dict()
    hours = [1, 500, 7, 90, 2000]
    scores = []
    for order in (hours, sorted(hours), sorted(hours, reverse=True)):
        pair = Pair()
        pair.append(row(1))
        for h in order:
            pair.touch({"id": 1, "time": T0 + h * HOUR, "weight": 1.0, "used": -1})
        scores.append(float(agree(pair, {"now": T0 + 99 * DAY, "weights": weights}).score[0]))
    assert scores == pytest.approx([scores[0]] * 3, abs=2e-5)


def test_activation_is_the_judges_for_every_law():
    pair = Pair()
    pair.append(*[row(law + 1, law=law) for law in range(3)])
    for hours, used in [(3, 1), (30, 1), (2000, 0), (2001, 1), (2001, -1), (9000, 1)]:
        touch = {"time": T0 + hours * HOUR, "weight": 0.7, "used": used}
        pair.touch(*[touch | {"id": i} for i in (1, 2, 3)])
        for as_of in (None, 1, pair.seq - 1):
            now = T0 + 10_000 * HOUR
            got = pair.engine.activation(np.array([1, 2, 3], dtype=np.int64), now, as_of)
            assert bits(got) == bits([pair.judge.activation(i, now, as_of) for i in (1, 2, 3)])


# Links.
@pytest.mark.parametrize("turns", [3, 50, 51, 52, 60, 300])
@pytest.mark.parametrize("k", [1, 10, 1000])
def test_neighbouring_turns_and_sessions_share_the_lead(turns, k):
    pair = conversation(turns, sessions=2)
    asked = question(terms="heron tide", vector=vector(3, 6), k=k, now=T0 + 99 * DAY)
    hits = agree(pair, asked, (1, 2))
    assert max(term(hits, "session").values()) > 0
    if k > 1:
        assert max(term(hits, "next").values()) > 0


def test_links_help_only_where_there_is_a_question():
    pair = conversation(60, sessions=2)
    for asked in ({}, {"terms": "unheard"}, {"vector": vector(1, 6)}):
        weights = _core.Weights(cosine=0.0).to_dict()
        hits = agree(pair, {"now": T0, "weights": weights} | asked)
        assert set(term(hits, "next").values()) == set(term(hits, "session").values()) == {0.0}


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_documents_take_no_part_in_turns(kind):
    pair = conversation(60, sessions=2, kind=kind)
    hits = agree(pair, question(terms="heron tide"))
    assert set(term(hits, "next").values()) == {0.0}
    alone = agree(conversation(60, sessions=60, kind=kind), question(terms="heron tide"))
    assert term(hits, "session") == term(alone, "session")


def test_an_answer_and_its_question_do_not_pay_each_other():
    pair = conversation(60, sessions=60)
    pair.link(edge(100, 1, 2), edge(101, 2, 1, type=2), edge(102, 2, 3), edge(103, 2, 3))
    best = question(terms="heron", allow=[1, 2, 3, 4, 5], k=5)
    agree(pair, best)
    pair.by_ids("unlink", 101)
    agree(pair, best)


@given(st.data())
def test_random_links_touches_and_closures(data):
    """More rows than seeds, so that the lead, the bar and rows found only by a link all occur."""
    pair = conversation(70, sessions=3)
    play(pair, data.draw(steps(6), "history"))
    agree(pair, data.draw(requests(6, list(range(1, 71)), pair.seq), "request"), (1, 2))


def test_a_session_too_long_to_say_anything_adds_nothing():
    pair = Pair()
    count = 4097
    pair.append(
        *[row(i + 1, session=1, terms="heron" if i % 500 == 0 else "") for i in range(count)]
    )
    asked = question(terms="heron", k=60)
    assert set(term(agree(pair, asked), "session").values()) == {0.0}
    pair.by_ids("close", 2)
    assert max(term(agree(pair, asked), "session").values()) > 0


# Refusals.
def refused(request: dict[str, Any]) -> tuple[type, str]:
    pair = Pair()
    pair.append(row(1, vector=[1.0, 0.0]), row(2))
    pair.by_ids("close", 2)
    before = pair.engine.digest()
    with pytest.raises(_core.RemanenceError) as caught:
        pair.engine.recall(request_of(question() | request))
    assert pair.engine.digest() == before
    message = str(caught.value)
    assert message.count("\n") == 0
    return type(caught.value), message


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"k": 0}, "k must be between 1 and 1000000 (got 0)"),
        ({"k": -1}, "k must be between 1 and 1000000 (got -1)"),
        ({"k": 10**9}, "k must be between 1 and 1000000 (got 1000000000)"),
        ({"k": 2**70}, f"k must be between 1 and 1000000 (got {2**70})"),
        ({"vector": [1.0]}, "wrong dimension (got 1, want 2)"),
        ({"vector": [math.nan, 1]}, "NaN or infinity"),
        ({"vector": [math.inf, 1]}, "NaN or infinity"),
        ({"vector": [0.0, 0.0]}, "no direction"),
        ({"vector": [1e-30, 0.0]}, "no direction"),
        ({"vector": [1e30, 0.0]}, "no direction"),
        ({"min_belief": -0.1}, "min_belief must be in [0, 1]"),
        ({"min_belief": 1.1}, "min_belief must be in [0, 1]"),
        ({"min_belief": math.nan}, "min_belief must be in [0, 1]"),
        ({"dates": [[5, 5]]}, "the interval ends before it starts"),
        ({"dates": [[6, 5]]}, "the interval ends before it starts"),
        ({"scopes": [2**24]}, "scope must be below 2^24"),
    ],
)
def test_a_bad_request_is_refused_in_one_sentence(request_, says):
    kind, message = refused(request_)
    assert kind is _core.InvalidArgumentError
    assert message.startswith("recall: ")
    assert says in message


@pytest.mark.parametrize("name", sorted(_core.Weights().to_dict()))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2e6])
def test_a_weight_that_is_no_number_is_refused(name, value):
    kind, message = refused({"weights": _core.Weights(**{name: value}).to_dict()})
    assert kind is _core.InvalidArgumentError
    assert message.startswith("recall: weights ")


@pytest.mark.parametrize("name", ["next", "session", "spreading"])
def test_a_link_weight_below_zero_is_refused(name):
    assert "must not be negative" in refused({"weights": _core.Weights(**{name: -1}).to_dict()})[1]


@pytest.mark.parametrize("name", ["allow", "exclude", "cues"])
def test_an_unknown_memory_is_named(name):
    kind, message = refused({name: [1, 77]})
    assert kind is _core.NotFoundError
    assert "there is no memory 77" in message


def test_a_forgotten_cue_is_refused():
    assert refused({"cues": [2]})[0] is _core.NotFoundError


def test_an_unknown_weight_is_named():
    with pytest.raises(_core.InvalidArgumentError, match="no weight 'cosinus'"):
        _core.Weights(cosinus=1.0)


@pytest.mark.parametrize("value", ["much", None, [1.0]])
def test_a_weight_of_another_type_is_refused(value):
    with pytest.raises(_core.InvalidArgumentError, match="cosine"):
        _core.Weights(cosine=value)


def test_p_use_is_the_chance_that_it_holds_and_helps():
    pair = Pair()
    pair.append(row(1, belief=0.25, importance=100.0), row(2, importance=-100.0))
    hits = agree(pair, question(now=TIME_MAX - 1))
    assert hits.p_use[0] == pytest.approx(0.25)
    assert hits.p_use[1] == pytest.approx(0.0, abs=1e-12)


def test_an_allowed_memory_is_allowed_in_every_version():
    pair = Pair()
    pair.append(row(1, terms="heron"), row(2, terms="heron"))
    pair.append(row(1, terms="heron tide"), row(3, terms="heron"))
    for seq in (1, 2):
        hits = agree(pair, question(terms="heron", allow=[1], as_of=seq))
        assert hits.id.tolist() == [1]
        hits = agree(pair, question(terms="heron", exclude=[1], as_of=seq))
        assert 1 not in hits.id.tolist()
