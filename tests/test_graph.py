"""Neighbours, hops and walks against the dense judge: types, directions, times, hidden ends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import (
    DAY,
    EDGE_COLUMNS,
    T0,
    TIME_MAX,
    TIME_MIN,
    Pair,
    beliefs,
    edge,
    ends,
    row,
    starts,
    times,
    to_arrays,
)

from remanence import _core

pytestmark = pytest.mark.native

DIRECTIONS = ("out", "in", "both")
# The engine stops when the mass moves by less than its tolerance; what is left of a walk of
# damping d is at most d / (1 - d) of that.
TOLERANCE = 1e-13


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@st.composite
def graphs(draw, nodes: int = 7) -> Pair:
    """A few memories, many edges among them (parallel ones too), some of either closed."""
    pair = Pair()
    pair.append(*[row(i) for i in range(1, nodes + 1)])
    end = st.integers(1, nodes)
    pairs = [(a, b) for a, b in draw(st.lists(st.tuples(end, end), max_size=20)) if a != b]
    for number, (source, target) in enumerate(pairs, 1):
        columns = {
            "type": draw(st.sampled_from([1, 2, 16])),
            "weight": draw(beliefs),
            "valid_from": draw(starts),
            "valid_to": draw(ends),
        }
        pair.link(edge(number, source, target, **columns))
    for number in draw(st.sets(st.integers(1, 20), max_size=3)):
        if number <= len(pairs):
            pair.by_ids("unlink", number)
    for memory in draw(st.sets(st.integers(2, nodes), max_size=3)):
        pair.by_ids(draw(st.sampled_from(["close", "erase"])), memory)
    return pair


filters = st.fixed_dictionaries(
    {},
    optional={
        "types": st.lists(st.sampled_from([1, 2, 16, 99]), max_size=3),
        "valid_at": times,
    },
)


def native(which: dict[str, Any]) -> dict[str, Any]:
    """The judge's filter as the engine takes it."""
    types = which.get("types")
    return which | {"types": None if types is None else np.array(types, dtype=np.uint16)}


@given(st.data())
def test_neighbours(data):
    pair = data.draw(graphs())
    which = data.draw(filters) | {
        "direction": data.draw(st.sampled_from(DIRECTIONS)),
        "min_weight": data.draw(st.sampled_from([0.0, 0.5, 1.0])),
        "as_of": data.draw(st.one_of(st.none(), st.integers(1, pair.seq))),
    }
    for memory in pair.judge.seen(which["as_of"]):
        got = pair.engine.neighbours(memory, **native(which))
        found = zip(got["edge"].tolist(), got["id"].tolist(), got["outgoing"].tolist(), strict=True)
        assert list(found) == pair.judge.neighbours(memory, **which)
        by_id = {e["edge"]: e for e in pair.judge.edges}
        for name in ("type", "weight", "valid_from", "valid_to"):
            want = [by_id[e][name] for e in got["edge"].tolist()]
            assert got[name].tolist() == want


@given(st.data())
def test_khop(data):
    pair = data.draw(graphs())
    which = data.draw(filters) | {"direction": data.draw(st.sampled_from(DIRECTIONS))}
    alive = sorted(pair.judge.seen(None))
    seeds = data.draw(st.lists(st.sampled_from(alive), max_size=3))
    hops = data.draw(st.integers(0, 8))
    limit = data.draw(st.integers(0, 9))
    want = pair.judge.khop(seeds, hops, **which)
    reached, hop = pair.engine.khop(ids(*seeds), hops, **native(which))
    assert list(zip(hop.tolist(), reached.tolist(), strict=True)) == want
    first, _ = pair.engine.khop(ids(*seeds), hops, limit=limit, **native(which))
    assert first.tolist() == [memory for _, memory in want][:limit]


def walk_arguments(data: Any, pair: Pair) -> tuple[list[int], dict[str, Any], dict[str, Any]]:
    which = data.draw(filters)
    seeds = data.draw(st.lists(st.sampled_from(sorted(pair.judge.seen(None))), min_size=1))
    shares = data.draw(st.one_of(st.none(), st.just([0.5 + i for i in range(len(seeds))])))
    damping = data.draw(st.sampled_from([0.0, 0.5, 0.85]))
    weights = None if shares is None else np.array(shares, dtype=np.float32)
    asked = native(which) | {"weights": weights, "damping": damping, "tolerance": TOLERANCE}
    return seeds, asked, which | {"weights": shares, "damping": damping}


@given(st.data())
def test_propagate_is_personalised_pagerank(data):
    pair = data.draw(graphs())
    seeds, asked, plain = walk_arguments(data, pair)
    reached, mass = pair.engine.propagate(ids(*seeds), **asked)
    want = pair.judge.propagate(seeds, **plain)
    got = dict(zip(reached.tolist(), mass.tolist(), strict=True))
    assert {m: got.get(m, 0.0) for m in want} == pytest.approx(want, abs=1e-12)
    assert mass.sum() == pytest.approx(1.0)
    assert (mass > 0).all()
    order = list(zip(-mass, reached, strict=True))
    assert order == sorted(order)


@given(st.data())
def test_spread_is_the_lift_over_the_long_run(data):
    pair = data.draw(graphs())
    seeds, asked, plain = walk_arguments(data, pair)
    reached, lift = pair.engine.spread(ids(*seeds), **asked)
    want = pair.judge.spread(seeds, **plain)
    got = dict(zip(reached.tolist(), lift.tolist(), strict=True))
    assert {m: got.get(m, 0.0) for m in want} == pytest.approx(want, abs=1e-7)
    assert got.keys() <= want.keys()
    assert (np.abs(lift) <= 4.0).all()


@given(st.data())
def test_nothing_later_shows_in_an_earlier_walk(data):
    pair = data.draw(graphs())
    then = pair.seq
    seeds = ids(1)
    before = [verb(seeds) for verb in (pair.engine.propagate, pair.engine.spread)]
    pair.append(row(50), row(51))
    pair.link(edge(900, 50, 1), edge(901, 50, 51))
    for number in [e["edge"] for e in pair.judge.edges if e["seq_to"] > pair.seq + 1]:
        pair.by_ids("unlink", number)
    pair.by_ids("close", 1)
    for (reached, values), verb in zip(before, ("propagate", "spread"), strict=True):
        again = getattr(pair.engine, verb)(seeds, as_of=then)
        assert again[0].tolist() == reached.tolist()
        assert again[1].view(np.uint64).tolist() == values.view(np.uint64).tolist()


def chain(length: int = 4) -> Pair:
    pair = Pair()
    pair.append(*[row(i) for i in range(1, length + 1)])
    pair.link(*[edge(i, i, i + 1) for i in range(1, length)])
    return pair


def test_a_walk_by_hand():
    """Seed 1 of 1 - 2 - 3, damping 1/2: m1 = 1/2 + m2/4, m2 = m1/2 + m3/2, m3 = m2/4."""
    reached, mass = chain(3).engine.propagate(ids(1), tolerance=1e-15)
    assert reached.tolist() == [1, 2, 3]
    assert mass.tolist() == pytest.approx([7 / 12, 1 / 3, 1 / 12])


def test_a_memory_without_edges_keeps_what_it_gets():
    pair = chain(2)
    pair.append(row(9))
    reached, mass = pair.engine.propagate(ids(9))
    assert (reached.tolist(), mass.tolist()) == ([9], [1.0])


@pytest.mark.parametrize("verb", ["close", "erase"])
def test_a_hidden_end_hides_the_edge(verb):
    pair = chain()
    pair.by_ids(verb, 2)
    assert pair.engine.neighbours(1)["edge"].tolist() == []
    assert pair.engine.khop(ids(1), 3)[0].tolist() == [1]
    assert pair.engine.propagate(ids(3))[0].tolist() == [3, 4]
    past = pair.engine.khop(ids(1), 3, as_of=2)[0].tolist()
    assert past == ([1, 2, 3, 4] if verb == "close" else [1])
    if verb == "close":
        pair.by_ids("restore", 2)
        assert pair.engine.neighbours(1)["edge"].tolist() == [1]


def test_an_edge_with_a_hidden_end_is_no_part_of_the_long_run():
    pair, small = chain(4), chain(2)
    pair.by_ids("close", 4)
    pair.by_ids("close", 3)
    small.append(row(3), row(4))
    assert pair.engine.spread(ids(1))[1].tolist() == small.engine.spread(ids(1))[1].tolist()


def test_valid_time_is_half_open_and_an_open_end_never_comes():
    pair = chain(3)
    pair.link(edge(9, 1, 3, valid_from=T0, valid_to=T0 + DAY))
    seen = {
        at: pair.engine.neighbours(1, valid_at=at)["edge"].tolist()
        for at in (TIME_MIN, T0 - 1, T0, T0 + DAY - 1, T0 + DAY, TIME_MAX)
    }
    inside = [1, 9]
    assert list(seen.values()) == [[1], [1], inside, inside, [1], [1]]


def test_edges_of_one_pair_are_told_apart_and_their_weights_add():
    pair = Pair()
    pair.append(row(1), row(2), row(3))
    pair.link(edge(7, 1, 2, weight=0.5), edge(5, 2, 1, weight=0.5, type=3), edge(6, 1, 3))
    assert pair.engine.neighbours(1)["edge"].tolist() == [5, 6, 7]
    assert pair.engine.neighbours(1)["outgoing"].tolist() == [False, True, True]
    _, mass = pair.engine.propagate(ids(1), tolerance=1e-15)
    assert mass[1] == pytest.approx(mass[2])


# Refusals.
def refused(kind: type[Exception], says: str, call: Any, pair: Pair) -> None:
    before = pair.engine.digest()
    with pytest.raises(kind) as caught:
        call(pair.engine)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert pair.engine.digest() == before


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda e: e.khop(ids(1), -1), "hops must be between 0 and 64 (got -1)"),
        (lambda e: e.khop(ids(1), 65), "hops must be between 0 and 64 (got 65)"),
        (lambda e: e.neighbours(1, direction="up"), "direction must be out, in or both (got 'up')"),
        (lambda e: e.neighbours(1, min_weight=math.nan), "min_weight"),
        (lambda e: e.propagate(ids()), "no seeds"),
        (lambda e: e.propagate(ids(1), damping=1.0), "damping must be in [0, 0.99]"),
        (lambda e: e.propagate(ids(1), damping=-0.1), "damping must be in [0, 0.99]"),
        (lambda e: e.propagate(ids(1), damping=math.nan), "damping must be in [0, 0.99]"),
        (lambda e: e.propagate(ids(1), tolerance=0.0), "tolerance must be in"),
        (lambda e: e.propagate(ids(1), tolerance=math.nan), "tolerance must be in"),
        (lambda e: e.spread(ids(1), np.zeros(1, dtype=np.float32)), "seed weights must be in"),
        (lambda e: e.spread(ids(1), np.full(1, np.nan, dtype=np.float32)), "seed weights must be"),
        (lambda e: e.spread(ids(1), np.ones(2, dtype=np.float32)), "wrong length (got 2, want 1)"),
    ],
)
def test_a_bad_question_is_refused_in_one_sentence(call, says):
    refused(_core.InvalidArgumentError, says, call, chain())


@pytest.mark.parametrize(
    "call",
    [
        lambda e, memory: e.neighbours(memory),
        lambda e, memory: e.khop(ids(memory), 1),
        lambda e, memory: e.propagate(ids(1, memory)),
        lambda e, memory: e.spread(ids(memory)),
    ],
)
@pytest.mark.parametrize("memory", [77, 3, -1])
def test_an_unknown_or_forgotten_memory_is_named(call, memory):
    pair = chain()
    pair.by_ids("close", 3)
    says = f"there is no memory {memory}"
    refused(_core.NotFoundError, says, lambda e: call(e, memory), pair)


@pytest.mark.parametrize(
    ("columns", "kind", "says"),
    [
        ({"edge": 1}, "InvalidArgumentError", "edge ids must be positive and new (got 1)"),
        ({"edge": 0}, "InvalidArgumentError", "edge ids must be positive and new (got 0)"),
        ({"source": 77}, "NotFoundError", "there is no memory 77"),
        ({"target": 77}, "NotFoundError", "there is no memory 77"),
        ({"target": 4}, "NotFoundError", "there is no memory 4"),
        ({"target": 1}, "InvalidArgumentError", "cannot be linked to itself"),
        ({"type": 0}, "InvalidArgumentError", "edge type 0"),
        ({"weight": 0.0}, "InvalidArgumentError", "weight must be in (0, 1]"),
        ({"weight": 1.5}, "InvalidArgumentError", "weight must be in (0, 1]"),
        ({"weight": -1.0}, "InvalidArgumentError", "weight must be in (0, 1]"),
        ({"weight": math.nan}, "InvalidArgumentError", "weight must be in (0, 1]"),
        ({"valid_from": 5, "valid_to": 5}, "InvalidArgumentError", "ends before it starts"),
        ({"valid_from": 6, "valid_to": 5}, "InvalidArgumentError", "ends before it starts"),
    ],
)
@pytest.mark.parametrize("first_good", [False, True])
def test_a_bad_edge_is_refused_and_none_of_its_batch_is_kept(columns, kind, says, first_good):
    pair = chain()
    pair.by_ids("close", 4)
    bad = edge(50, 1, 2) | columns
    batch = [edge(60, 1, 3), bad] if first_good else [bad]
    arrays = to_arrays(batch, EDGE_COLUMNS)
    refused(getattr(_core, kind), says, lambda e: e.link(pair.seq + 1, **arrays), pair)
    assert pair.engine.edges == 3


def test_an_edge_id_may_not_repeat_within_a_batch():
    pair = chain()
    arrays = to_arrays([edge(60, 1, 3), edge(60, 1, 4)], EDGE_COLUMNS)
    refused(
        _core.InvalidArgumentError, "new (got 60)", lambda e: e.link(pair.seq + 1, **arrays), pair
    )


@pytest.mark.parametrize("edges", [[77], [1], [2, 2], [2, 77]])
def test_unlinking_what_is_not_linked_is_refused(edges):
    pair = chain()
    pair.by_ids("unlink", 1)
    refused(_core.NotFoundError, "no edge", lambda e: e.unlink(pair.seq + 1, ids(*edges)), pair)
    assert pair.engine.edges == 2


def test_check_only_links_nothing():
    pair = chain()
    before = pair.engine.digest()
    pair.engine.link(pair.seq + 1, **to_arrays([edge(60, 1, 3)], EDGE_COLUMNS), check_only=True)
    pair.engine.unlink(pair.seq + 1, ids(1), check_only=True)
    assert (pair.engine.digest(), pair.engine.seq) == (before, pair.seq)
