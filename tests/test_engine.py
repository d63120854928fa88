"""Writes to the engine: a refusal is one sentence and changes nothing; equal logs, equal state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference_access import State
from tests.strategies import (
    DAY,
    EDGE_COLUMNS,
    HOUR,
    T0,
    TIME_MAX,
    TIME_MIN,
    TOUCH_COLUMNS,
    F,
    Pair,
    answers,
    bits,
    edge,
    memory_arrays,
    play,
    question,
    request_of,
    row,
    steps,
    to_arrays,
)

from remanence import _core

pytestmark = pytest.mark.native

Write = Callable[[_core.Engine, int], None]


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def engine() -> _core.Engine:
    """1 and 2 are live, 3 is forgotten, 4 is erased; the last commit is 5."""
    made = _core.Engine()
    rows = [row(1, vector=[1.0, 0.0]), row(2, law=1), row(3, law=2), row(4)]
    made.append(3, **memory_arrays(rows))
    made.close(4, ids(3))
    made.erase(5, ids(4))
    return made


def append(*rows: dict[str, Any]) -> Write:
    return lambda e, seq: e.append(seq, **memory_arrays(list(rows)))


def by_ids(verb: str, *values: int) -> Write:
    return lambda e, seq: getattr(e, verb)(seq, ids(*values))


def touch(**columns: Any) -> Write:
    good = {"id": 1, "time": T0 + 1, "weight": 1.0, "used": 1}
    return lambda e, seq: e.touch(seq, **to_arrays([good | columns], TOUCH_COLUMNS))


def link(*edges: dict[str, Any]) -> Write:
    return lambda e, seq: e.link(seq, **to_arrays(edges, EDGE_COLUMNS))


def refusal(write: Write, seq: Any = 6) -> tuple[type[Exception], str]:
    made = engine()
    before = (made.digest(), made.stats())
    with pytest.raises(_core.RemanenceError) as caught:
        write(made, seq)
    assert (made.digest(), made.stats()) == before
    assert made.recall(_core.Request(now=T0)).id.tolist() == [1, 2]
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 200
    return caught.type, message


REFUSED: dict[str, tuple[Write, str]] = {
    "id zero": (append(row(0)), "append: ids must be positive (got 0)"),
    "id negative": (append(row(-7)), "append: ids must be positive (got -7)"),
    "id of an erased memory": (append(row(4)), "append: memory 4 was erased"),
    "kind": (append(row(9, kind=6)), "append: kind must be below 6 (got 6)"),
    "law": (append(row(9, law=3)), "append: law must be below 3 (got 3)"),
    "flag of the engine": (append(row(9, flags=64)), "append: flags may hold bits 0 to 5 (got 64)"),
    "scope": (append(row(9, scope=2**24)), "append: scope must be below 2^24 (got 16777216)"),
    "interval empty": (append(row(9, valid_from=5, valid_to=5)), "append: the interval ends bef"),
    "interval backwards": (append(row(9, valid_from=6, valid_to=5)), "append: the interval ends"),
    "interval of all time backwards": (
        append(row(9, valid_from=TIME_MAX, valid_to=TIME_MIN)),
        "append: the interval ends before it starts",
    ),
    "belief zero": (append(row(9, belief=0.0)), "append: belief must be in (0, 1] (got 0.0"),
    "belief negative": (append(row(9, belief=-0.5)), "append: belief must be in (0, 1] (got -0.5"),
    "belief two": (append(row(9, belief=2.0)), "append: belief must be in (0, 1] (got 2.0"),
    "belief NaN": (append(row(9, belief=math.nan)), "append: belief must be in (0, 1] (got nan)"),
    "importance NaN": (
        append(row(9, importance=math.nan)),
        "append: importance must be within",
    ),
    "importance huge": (append(row(9, importance=101.0)), "append: importance must be within"),
    "law of a live memory": (append(row(1, law=1)), "append: memory 1 keeps its decay law (got 1"),
    "law of a forgotten memory": (append(row(3, law=0)), "append: memory 3 keeps its decay law"),
    "law within a batch": (append(row(9), row(9, law=2)), "append: memory 9 keeps its decay law"),
    "dimension": (append(row(9, vector=[1.0])), "append: vectors have the wrong dimension (got 1"),
    "last of a batch": (append(row(8), row(9, belief=2.0)), "append: belief must be in (0, 1]"),
    "touch of an unknown memory": (touch(id=77), "touch: there is no memory 77"),
    "touch of a forgotten memory": (touch(id=3), "touch: there is no memory 3"),
    "touch of an erased memory": (touch(id=4), "touch: there is no memory 4"),
    "touch before its memory": (touch(time=T0 - 1), "touch: the access is earlier than memory 1"),
    "touch weight zero": (touch(weight=0.0), "touch: weight must be in (0, 100] (got 0.0"),
    "touch weight negative": (touch(weight=-1.0), "touch: weight must be in (0, 100] (got -1.0"),
    "touch weight huge": (touch(weight=101.0), "touch: weight must be in (0, 100] (got 101.0"),
    "touch weight NaN": (touch(weight=math.nan), "touch: weight must be in (0, 100] (got nan)"),
    "touch weight infinite": (
        touch(weight=math.inf),
        "touch: weight must be in (0, 100]",
    ),
    "touch used two": (touch(used=2), "touch: used must be 1, 0 or -1 (got 2)"),
    "touch used minus two": (touch(used=-2), "touch: used must be 1, 0 or -1 (got -2)"),
    "close unknown": (by_ids("close", 1, 77), "close: there is no memory 77"),
    "close twice": (by_ids("close", 1, 1), "close: id 1 occurs twice"),
    "close what is closed": (by_ids("close", 3), "close: there is no memory 3"),
    "restore unknown": (by_ids("restore", 3, 77), "restore: there is no memory 77"),
    "restore twice": (by_ids("restore", 3, 3), "restore: id 3 occurs twice"),
    "restore what is live": (by_ids("restore", 1), "restore: memory 1 is not forgotten"),
    "restore what is erased": (by_ids("restore", 4), "restore: memory 4 was erased"),
    "erase unknown": (by_ids("erase", 1, 77), "erase: there is no memory 77"),
    "erase twice": (by_ids("erase", 1, 1), "erase: id 1 occurs twice"),
    "link to an unknown memory": (link(edge(1, 1, 77)), "link: there is no memory 77"),
    "unlink unknown": (by_ids("unlink", 9), "unlink: there is no edge 9"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_write_is_refused_and_changes_nothing(what):
    write, says = REFUSED[what]
    kind, message = refusal(write)
    assert message.startswith(says)
    missing = "there is no" in says
    assert kind is (_core.NotFoundError if missing else _core.InvalidArgumentError)
    assert issubclass(kind, LookupError if missing else ValueError)


WRITES: dict[str, Write] = {
    "append": append(row(9), row(10)),
    "close": by_ids("close", 1, 2),
    "restore": by_ids("restore", 3),
    "erase": by_ids("erase", 1, 2),
    "touch": touch(),
    "link": link(edge(1, 1, 2)),
}


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("seq", [4, 0, -1, TIME_MIN, TIME_MAX - 1, TIME_MAX])
def test_commits_only_grow(verb, seq):
    kind, message = refusal(WRITES[verb], seq)
    assert kind is _core.InvalidArgumentError
    assert message == f"{verb}: commits only grow (got seq {seq} after 5)"


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("seq", [2**63, -(2**70), 2**70])
def test_a_commit_beyond_64_bits_is_refused(verb, seq):
    kind, message = refusal(WRITES[verb], seq)
    assert kind is _core.InvalidArgumentError
    assert "seq" in message


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("seq", [[], [6, 7, 8], [7, 6]])
def test_commits_of_a_batch_fit_it_and_ascend(verb, seq):
    if verb in ("restore", "touch", "link") and len(seq) == 2:
        seq = [7, 6, 8]  # these are batches of one
    kind, message = refusal(WRITES[verb], ids(*seq))
    assert kind is _core.InvalidArgumentError
    assert message.startswith((f"{verb}: seq must be one commit", f"{verb}: commits only grow"))


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("seq", [1.5, "6", None, [6]])
def test_a_commit_is_an_integer_or_an_array(verb, seq):
    assert refusal(WRITES[verb], seq)[0] is _core.InvalidArgumentError


@pytest.mark.parametrize("verb", WRITES)
def test_one_commit_may_hold_several_writes(verb):
    made = engine()
    WRITES[verb](made, 5)
    assert made.seq == 5


def test_empty_batches_change_nothing():
    made = engine()
    before = (made.digest(), made.stats())
    for write in (append(), by_ids("close"), by_ids("restore"), by_ids("erase"), link()):
        write(made, 9)
    assert (made.digest(), made.stats()) == before


@pytest.mark.parametrize("dim", [65_537, 2**40])
def test_a_dimension_beyond_all_vectors_is_refused(dim):
    with pytest.raises(_core.InvalidArgumentError, match="dim must be at most 65536"):
        _core.Engine(dim)


def test_the_first_vector_sets_the_dimension():
    made = _core.Engine()
    made.append(1, **memory_arrays([row(1)]))
    assert made.dim == 0
    made.append(2, **memory_arrays([row(2, vector=[1.0, 2.0, 3.0])]))
    assert made.dim == 3
    assert made.vector(1).tolist() == []


# What is read back.
def test_contains_follows_the_commits():
    pair = Pair()
    pair.append(row(1), row(2))
    pair.by_ids("close", 1)
    pair.by_ids("restore", 1)
    pair.by_ids("erase", 2)
    asked = ids(1, 2, 77, -1)
    assert pair.engine.contains(asked).tolist() == [True, False, False, False]
    past = [pair.engine.contains(asked, seq).tolist()[:2] for seq in range(4)]
    assert past == [[False, False], [True, False], [False, False], [True, False]]


def test_the_stored_vector_is_of_length_one_and_versions_keep_their_own():
    pair = Pair()
    pair.append(row(1, vector=[3.0, 4.0]))
    pair.append(row(1, vector=[0.0, 2.0]))
    assert bits(pair.engine.vector(1)) == bits([0.0, 1.0])
    assert bits(pair.engine.vector(1, 1)) == bits(F([3, 4]) / F(5))


@pytest.mark.parametrize(
    "read",
    [
        lambda e, memory: e.vector(memory),
        lambda e, memory: e.state(memory),
        lambda e, memory: e.activation(ids(1, memory), T0),
    ],
)
@pytest.mark.parametrize("memory", [77, 3, 4, 0, -1, TIME_MIN])
def test_reading_what_is_not_there_names_it(read, memory):
    with pytest.raises(_core.NotFoundError, match=f"there is no memory {memory}$"):
        read(engine(), memory)


@given(st.data())
def test_the_state_is_the_judges(data):
    pair = Pair()
    play(pair, data.draw(steps(3), "history"))
    for memory, version in pair.judge.seen(None).items():
        want: State = pair.judge.state(version, pair.seq)
        got = pair.engine.state(memory)
        assert bits(got["trace"]) == bits(want.trace)
        assert bits([got["stability"], got["difficulty"]]) == bits(
            [want.stability, want.difficulty]
        )
        named = {name: got[name] for name in ("law", "last_access", "accesses", "used", "unused")}
        counts = {"accesses": want.accesses, "used": want.used, "unused": want.unused}
        assert named == {"law": want.law, "last_access": want.last} | counts
        assert (got["created"], F(got["belief"])) == (version["created"], F(version["belief"]))
    assert pair.engine.rows == len(pair.judge.rows)
    assert pair.engine.live == len(pair.judge.seen(None))
    assert pair.engine.edges == sum(e["seq_to"] > pair.seq for e in pair.judge.edges)


# Equal logs, equal state.
@given(st.data())
def test_one_history_gives_one_digest(data):
    history = data.draw(steps(3), "history")
    first, second = Pair(), Pair()
    play(first, history)
    play(second, history)
    assert first.engine.digest() == second.engine.digest()


CHANGES: dict[str, Write] = {
    **WRITES,
    "version": append(row(1, vector=[1.0, 0.0], terms="heron")),
    "same content again": append(row(1, vector=[1.0, 0.0])),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_changes_the_digest(what):
    made = engine()
    before = made.digest()
    CHANGES[what](made, 6)
    assert made.digest() != before
    assert len(made.digest()) == 32


@pytest.mark.parametrize(
    "columns",
    [
        {"scope": 1}, {"kind": 1}, {"law": 1}, {"flags": 1}, {"author": 1}, {"session": 1},
        {"length": 6}, {"time": T0 + 1}, {"valid_from": 0}, {"valid_to": T0}, {"belief": 0.5},
        {"importance": 1.0}, {"terms": "heron"}, {"terms": "tide tide"}, {"vector": [1.0, 1.0]},
    ],
)  # fmt: skip
def test_every_column_is_part_of_the_digest(columns):
    digests = set()
    for extra in ({}, columns):
        made = _core.Engine()
        plain = row(1, terms="tide", vector=[1.0, 2.0])
        made.append(1, **memory_arrays([plain | extra]))
        digests.add(made.digest())
    assert len(digests) == 2


def test_a_replay_of_erased_content_needs_none_of_it():
    """After a lawful erasure the log holds no text and no vector; the state must be the same."""
    whole, scrubbed = _core.Engine(), _core.Engine()
    kept = row(2, terms="heron", vector=[0.0, 1.0])
    secret = row(1, terms="ochre heron", vector=[1.0, 0.0], flags=1, length=9)
    blank = row(1, terms="", vector=None, flags=0, length=0)
    for made, first in ((whole, secret), (scrubbed, blank)):
        made.append(1, **memory_arrays([first, kept]))
        touch(time=T0 + HOUR)(made, 2)
        made.append(3, **memory_arrays([first | {"scope": 1}]))
        link(edge(1, 1, 2))(made, 4)
        made.erase(5, ids(1))
    assert whole.digest() == scrubbed.digest()
    for extra in ({}, {"as_of": 1}, {"terms": "heron", "vector": [1.0, 1.0]}):
        request = question(now=T0 + DAY, explain=True) | extra
        assert answers(whole.recall(request_of(request))) == answers(
            scrubbed.recall(request_of(request))
        )


def test_many_commits_in_one_call_are_the_same_as_one_by_one():
    single, bulk = engine(), engine()
    rows = [row(i, terms=f"t{i % 3}", vector=[1.0, float(i)]) for i in range(10, 30)]
    touches = [{"id": i, "time": T0 + i, "weight": 1.0, "used": 1} for i in range(10, 30)]
    edges = [edge(i, i, i + 1) for i in range(10, 29)]
    for i, memory in enumerate(rows):
        single.append(6 + i, **memory_arrays([memory]))
    for i, access in enumerate(touches):
        single.touch(40 + i, **to_arrays([access], TOUCH_COLUMNS))
    for i, one in enumerate(edges):
        single.link(70 + i, **to_arrays([one], EDGE_COLUMNS))
    for i in range(10, 20):
        single.close(90 + i, ids(i))
    bulk.append(ids(*range(6, 26)), **memory_arrays(rows))
    bulk.touch(ids(*range(40, 60)), **to_arrays(touches, TOUCH_COLUMNS))
    bulk.link(ids(*range(70, 89)), **to_arrays(edges, EDGE_COLUMNS))
    bulk.close(ids(*range(100, 110)), ids(*range(10, 20)))
    assert (bulk.digest(), bulk.stats()) == (single.digest(), single.stats())
