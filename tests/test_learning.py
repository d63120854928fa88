"""The learner: the judge's bits, a bound for any history, and refusals that change nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import reference_learning as reference

from remanence import InvalidArgumentError, RemanenceError
from remanence._core import Hits, Learner

F32 = np.float32
pytestmark = pytest.mark.native
TERMS = len(Hits.TERMS)
WIDTH = len(reference.LEARNED)

nats = st.floats(-30, 30, width=32)
beliefs = st.sampled_from([1.0, 1.0, 0.5, float(F32(0.1))])
events = st.tuples(nats, st.lists(nats, max_size=WIDTH), beliefs, st.booleans())
histories = st.lists(events, max_size=30)
rows = st.lists(st.tuples(st.lists(nats, min_size=TERMS, max_size=TERMS), beliefs), max_size=6)


def taught(history: list[Any], learner: Any) -> Any:
    for score, features, belief, used in history:
        if isinstance(learner, Learner):
            learner.learn(score, np.array(features, F32), belief, used)
        else:
            learner.learn(score, [float(F32(x)) for x in features], belief, used)
    return learner


def weigh(learner: Learner, hits: list[Any]) -> list[Any]:
    terms = np.array([row for row, _ in hits], F32).reshape(len(hits), TERMS)
    return [part.tolist() for part in learner.weigh(terms, np.array([b for _, b in hits], F32))]


@given(histories, rows)
def test_it_learns_what_the_judge_learns(history: list[Any], hits: list[Any]) -> None:
    learner, judge = taught(history, Learner()), taught(history, reference.Learner())
    assert learner.factors() == judge.factors()
    assert learner.shares() == judge.shares()
    sums = learner.calibration()
    assert (sums["loss"], sums["losses"]) == (judge.loss, judge.losses)
    assert sums["count"] == judge.count
    assert learner.used + learner.unused == len(history)
    wanted = judge.weigh([row for row, _ in hits], [belief for _, belief in hits])
    assert weigh(learner, hits) == list(map(list, wanted))


@given(histories, st.integers(1, 20))
def test_it_is_never_worse_than_the_best_predictor_by_more_than_ln_k(
    history: list[Any], times: int
) -> None:
    sums = taught(history * times, Learner()).calibration()
    assert sums["loss"] <= min(sums["losses"].values()) + math.log(4) + 1e-9


@given(rows)
def test_a_fresh_learner_says_what_the_score_says(hits: list[Any]) -> None:
    score, features, p_use = weigh(Learner(), hits)
    assert np.allclose(np.sum(features, axis=0), 0, atol=1e-3)
    for (_, belief), own, p in zip(hits, score, p_use, strict=True):
        assert p == pytest.approx(belief / (1 + math.exp(-own)), abs=2e-6)
    assert set(Learner().factors().values()) == {1.0}


@given(st.lists(st.tuples(nats, beliefs, st.booleans()), max_size=30))
def test_hits_shown_alone_calibrate_but_move_no_weight(history: list[Any]) -> None:
    learner = taught([(score, [], belief, used) for score, belief, used in history], Learner())
    assert set(learner.factors().values()) == {1.0}


@given(histories)
def test_weights_stay_within_their_bounds(history: list[Any]) -> None:
    learner = taught(history * 5, Learner())
    assert all(0.1 - 1e-12 <= factor <= 3 for factor in learner.factors().values())
    assert sum(learner.shares().values()) == pytest.approx(1)


@given(histories, histories)
def test_saving_and_copying_lose_nothing(first: list[Any], second: list[Any]) -> None:
    learner = taught(first, Learner())
    loaded, copied = Learner.load(learner.save()), learner.copy()
    for other in (loaded, copied):
        assert other.save() == learner.save()
    taught(second, learner)
    assert taught(second, loaded).save() == learner.save() == taught(second, copied).save()


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_what_tells_used_from_unused_gains_weight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    learner, at = Learner(), reference.LEARNED.index("lexical")
    for _ in range(1500):
        features = rng.normal(size=WIDTH).astype(F32)
        odds = -2 + 1.5 * features[at]
        used = bool(rng.random() < 1 / (1 + math.exp(-odds)))
        learner.learn(-2.0, features, 1.0, used)
    factors = learner.factors()
    assert factors["lexical"] > 1.25
    assert max(value for name, value in factors.items() if name != "lexical") < 1.2
    assert min(factors.values()) > 0.8
    losses = learner.calibration()["losses"]
    assert learner.calibration()["loss"] < losses["defaults"] - 50


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score": math.nan}, "learn: score and features must be finite, within 2000 nats"),
        ({"features": np.array([math.inf], F32)}, "learn: score and features must be finite"),
        (
            {"features": np.zeros(WIDTH + 1, F32)},
            rf"learn: features has the wrong length \(got {WIDTH + 1}",
        ),
        ({"features": np.zeros(2)}, "learn: features must have dtype float32"),
        ({"belief": 0.0}, r"learn: belief must be in \(0, 1\] \(got 0"),
        ({"belief": 1.5}, r"learn: belief must be in \(0, 1\]"),
    ],
)
def test_bad_feedback_is_refused(change: dict[str, Any], sentence: str) -> None:
    learner = Learner()
    before = learner.save()
    good = {"score": 0.0, "features": np.zeros(WIDTH, F32), "belief": 1.0, "used": True}
    with pytest.raises(InvalidArgumentError, match=f"^{sentence}"):
        learner.learn(**{**good, **change})
    assert learner.save() == before


def test_bad_terms_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"weigh: terms has the wrong length \(got 3"):
        Learner().weigh(np.zeros((1, 3), F32), np.ones(1, F32))


@pytest.mark.parametrize("cut", [0, 8, 100, -1])
def test_a_damaged_state_is_refused(cut: int) -> None:
    whole = Learner().save()
    with pytest.raises(RemanenceError, match="learner: its state"):
        Learner.load(whole[:cut])
    with pytest.raises(RemanenceError, match="learner: its state is too long"):
        Learner.load(whole + b"x")
    with pytest.raises(RemanenceError, match="learner: its state has another layout"):
        Learner.load(b"\0" * 8 + whole[8:])
