"""Activation that spreads from the cues of a recall, against the judge and the exact walk."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.reference import TERMS
from tests.strategies import (
    DAY,
    HOUR,
    T0,
    Pair,
    agree,
    beliefs,
    conversation,
    edge,
    play,
    requests,
    row,
    steps,
)

from remanence import _core

pytestmark = pytest.mark.native


def lifts(hits: _core.Hits) -> dict[int, float]:
    column = hits.terms[:, TERMS.index("spreading")]
    return dict(zip(hits.id.tolist(), column.tolist(), strict=True))


@given(st.data())
def test_spreading_from_cues(data):
    pair = conversation(12, sessions=2)
    ends = st.integers(1, 12)
    pairs = data.draw(st.lists(st.tuples(ends, ends, beliefs).filter(lambda e: e[0] != e[1])))
    if pairs:
        many = enumerate(pairs, 100)
        pair.link(*[edge(i, a, b, type=16, weight=weight) for i, (a, b, weight) in many])
    play(pair, data.draw(steps(6), "history"))
    seq = data.draw(st.integers(max(1, pair.seq - 3), pair.seq), "as_of")
    alive = sorted(pair.judge.seen(seq))
    assume(alive)
    cues = data.draw(st.lists(st.sampled_from(alive), min_size=1, max_size=3), "cues")
    request = data.draw(requests(6, alive), "request") | {"cues": cues, "as_of": seq}
    agree(pair, request, (1, 2))
    if seq == pair.seq:
        agree(pair, request | {"as_of": None})


def ring_and_hubs(count: int, seed: int) -> Pair:
    """Memories in a ring, most of them also linked to one of three hubs."""
    rng = np.random.default_rng(seed)
    pair = Pair()
    pair.append(*[row(i + 1) for i in range(count)])
    ends = [(i + 1, (i + 1) % count + 1) for i in range(count)]
    ends += [(i, int(rng.integers(1, 4))) for i in range(4, count) if rng.random() < 0.7]
    many = enumerate(ends, 1)
    pair.link(*[edge(i, a, b, weight=float(rng.choice([1.0, 0.3]))) for i, (a, b) in many])
    return pair


@pytest.mark.parametrize("cues", [[60], [2], [9, 80, 150]])
def test_spreading_is_near_the_exact_walk(cues):
    """A mass is off by less than a quarter of a memory's share of all edge weight."""
    pair = ring_and_hubs(200, len(cues))
    weights = _core.Weights(spreading=1.0).to_dict()
    asked = {"cues": cues, "k": 200, "now": T0, "weights": weights}
    hits = agree(pair, asked)
    got = lifts(hits)
    exact = pair.judge.spread(cues)
    assert sum(lift > 0 for lift in got.values()) > 5
    for memory, lift in got.items():
        wanted = max(exact[memory], 0.0)
        assert abs(math.exp(lift) - math.exp(wanted)) <= 0.25 + 1e-6 or lift == 4.0 == wanted


def test_spreading_through_a_hub_of_thousands(tmp_path):
    """Rows of every length, some of their edges closed, and the same from a file."""
    pair = Pair()
    count = 1500
    pair.append(*[row(i + 1) for i in range(count)])
    pair.link(*[edge(i, i, 1, valid_to=T0 + i % 3 * DAY + DAY) for i in range(2, count + 1)])
    pair.link(*[edge(count + i, 2, i) for i in range(3, 30)])
    pair.by_ids("unlink", *range(3, 900, 3))
    pair.by_ids("close", 7, 8, 10)
    pair.by_ids("restore", 8)
    pair.append(row(10))
    request = {"cues": [2, 5], "now": T0, "weights": _core.Weights().to_dict(), "k": 50}
    hits = agree(pair, request)
    assert max(lifts(hits).values()) > 0
    agree(pair, request | {"valid_at": T0 + DAY + HOUR})
    agree(pair, request | {"as_of": pair.seq - 4})
    pair.by_ids("erase", 11)
    agree(pair, request)
    pair.engine.save(str(tmp_path / "file"))
    pair.engine = _core.Engine.load(str(tmp_path / "file"))
    agree(pair, request)


def test_a_hub_is_erased():
    pair = Pair()
    pair.append(*[row(i + 1) for i in range(40)])
    pair.link(*[edge(i, i, 1) for i in range(2, 41)], *[edge(99 + i, 3, i) for i in range(4, 30)])
    pair.by_ids("erase", 1)
    request = {"cues": [4], "now": T0, "weights": _core.Weights().to_dict(), "k": 40}
    assert max(lifts(agree(pair, request)).values()) > 0
    agree(pair, request | {"cues": [35]})
