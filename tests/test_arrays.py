"""Arrays at the border: what is refused with which advice, who owns what, what is left alone."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.strategies import (
    COLUMNS,
    EDGE_COLUMNS,
    T0,
    TOUCH_COLUMNS,
    F,
    edge,
    memory_arrays,
    row,
    to_arrays,
)

from remanence import _core

pytestmark = pytest.mark.native

ROWS = [row(1, vector=[1.0, 0.0, 0.0]), row(2, vector=[0.0, 1.0, 0.0]), row(3)]
OTHER_TYPES = [np.float64, np.float16, np.int32, np.uint16, np.int64, bool, object, "S4", ">i8"]


def memories() -> dict[str, Any]:
    return memory_arrays(ROWS)


def edges() -> dict[str, Any]:
    return to_arrays([edge(1, 1, 2), edge(2, 2, 3)], EDGE_COLUMNS)


def touches() -> dict[str, Any]:
    touch = {"time": T0 + 1, "weight": 1.0, "used": 1}
    return to_arrays([touch | {"id": 1}, touch | {"id": 2}], TOUCH_COLUMNS)


def engine() -> _core.Engine:
    made = _core.Engine()
    made.append(1, **memories())
    return made


# verb -> (good arguments, the call)
WRITES: dict[str, tuple[Callable[[], dict[str, Any]], Callable[..., None]]] = {
    "append": (memories, lambda e, **a: e.append(2, **a)),
    "link": (edges, lambda e, **a: e.link(2, **a)),
    "touch": (touches, lambda e, **a: e.touch(2, **a)),
    "close": (lambda: {"id": np.array([1, 2])}, lambda e, **a: e.close(2, **a)),
    "unlink": (lambda: {"edge": np.array([1, 2])}, lambda e, **a: e.unlink(2, **a)),
}
ARGUMENTS = [
    *(("append", name) for name in (*COLUMNS, "vectors", "vector_row")),
    *(("link", name) for name in EDGE_COLUMNS),
    *(("touch", name) for name in TOUCH_COLUMNS),
    ("close", "id"),
    ("unlink", "edge"),
]


def refusal(verb: str, name: str, change: Callable[[np.ndarray], Any]) -> str:
    """What a write says to one changed argument; nothing else may have happened."""
    good, call = WRITES[verb]
    arguments = good()
    arguments[name] = change(arguments[name])
    made = engine()
    before = made.digest()
    with pytest.raises(_core.InvalidArgumentError) as caught:
        call(made, **arguments)
    assert (made.digest(), made.seq) == (before, 1)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{verb}: ")
    return message


@pytest.mark.parametrize(("verb", "name"), ARGUMENTS)
def test_another_dtype_is_refused_with_the_cast_to_use(verb, name):
    good = WRITES[verb][0]()[name]
    for dtype in OTHER_TYPES:
        if np.dtype(dtype) == good.dtype:
            continue
        message = refusal(verb, name, lambda a, dtype=dtype: np.zeros(a.shape, dtype))
        assert message.startswith(f"{verb}: {name} must have dtype {good.dtype} (got ")
        assert f".astype(np.{good.dtype})" in message


@pytest.mark.parametrize(("verb", "name"), ARGUMENTS)
def test_another_rank_is_refused(verb, name):
    assert f"{name} must have" in refusal(verb, name, lambda a: a[None])
    assert f"{name} must have" in refusal(verb, name, lambda a: np.array(a.flat[0]))
    if name == "vectors":
        assert f"{name} must have 2 dimension(s) (got 1)" in refusal(verb, name, np.ravel)


@pytest.mark.parametrize(("verb", "name"), ARGUMENTS)
def test_another_layout_is_refused_with_the_copy_to_make(verb, name):
    def spread_out(a: np.ndarray) -> np.ndarray:
        return np.repeat(a, 2, axis=0)[::2]

    assert f"{name} must be C-contiguous" in refusal(verb, name, spread_out)
    assert "np.ascontiguousarray" in refusal(verb, name, spread_out)
    if name == "vectors":
        assert "C-contiguous" in refusal(verb, name, np.asfortranarray)


@pytest.mark.parametrize(("verb", "name"), ARGUMENTS)
def test_what_is_no_array_is_refused(verb, name):
    for value in ([1, 2, 3], (1, 2, 3), 1, "one", b"abc", memoryview(b"abc")):
        message = refusal(verb, name, lambda _, value=value: value)
        assert f"{name} must be a NumPy array (got {type(value).__name__})" in message


@pytest.mark.parametrize(("verb", "name"), ARGUMENTS)
def test_another_length_is_refused(verb, name):
    if verb in ("close", "unlink"):
        return  # one column has no other to agree with
    message = refusal(verb, name, lambda a: a[:-1].copy())
    assert "wrong length" in message or "points outside" in message


@pytest.mark.parametrize(("verb", "name"), ARGUMENTS)
def test_an_array_off_its_alignment_is_refused(verb, name):
    """A view into packed bytes may start anywhere; reading it in place is undefined in C++."""
    column = WRITES[verb][0]()[name]
    raw = bytearray(column.nbytes + 1)
    off = np.frombuffer(raw, dtype=column.dtype, offset=1).reshape(column.shape)
    off[...] = column
    if off.flags.aligned:
        return
    assert "must be aligned" in refusal(verb, name, lambda _: off)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.array([[1, 2, 3]], dtype=F), "wrong length"),
        (np.zeros((3, 0), dtype=F), "at least one column"),
        (np.ones((2, 4), dtype=F), "wrong dimension (got 4, want 3)"),
        (np.array([[1, 0, 0], [np.nan, 0, 0]], dtype=F), "vector 1 holds NaN or infinity"),
        (np.array([[np.inf, 0, 0], [1, 0, 0]], dtype=F), "vector 0 holds NaN or infinity"),
        (np.array([[1, 0, 0], [0, 0, 0]], dtype=F), "vector 1 has no direction"),
        (np.full((2, 3), 1e-30, dtype=F), "vector 0 has no direction"),
        (np.full((2, 3), 1e30, dtype=F), "vector 0 has no direction"),
    ],
)
def test_vectors_without_sense_are_refused(value, says):
    made = engine()
    before = made.digest()
    arguments = memory_arrays([row(8), row(9)]) | {"vectors": value, "vector_row": None}
    with pytest.raises(_core.InvalidArgumentError) as caught:
        made.append(2, **arguments)
    assert says in str(caught.value)
    assert made.digest() == before


@pytest.mark.parametrize("which", [[0, 3, -1], [0, -2, 1], [0, 2**31 - 1, 0], [-(2**31), 0, 0]])
def test_a_row_of_vectors_that_is_not_there_is_refused(which):
    change = np.array(which, dtype=np.int32)
    assert "vector_row points outside vectors" in refusal("append", "vector_row", lambda _: change)


def test_one_vector_may_serve_many_memories_and_none_may_be_left_out():
    made = _core.Engine()
    arguments = memories() | {
        "vectors": np.array([[3.0, 4.0]], dtype=F),
        "vector_row": np.array([0, -1, 0], dtype=np.int32),
    }
    made.append(1, **arguments)
    assert [made.vector(i).tolist() for i in (1, 2, 3)] == [[F(0.6), F(0.8)], [], [F(0.6), F(0.8)]]


# Text.
@pytest.mark.parametrize("bad", ["heron \ud800", "\udfff", b"heron", 7, None])
def test_terms_that_are_no_text_are_refused(bad):
    message = refusal("append", "terms", lambda terms: [terms[0], bad, terms[2]])
    assert "terms must be str without lone surrogates" in message


@pytest.mark.parametrize("count", [0, 2, 4])
def test_another_number_of_terms_is_refused(count):
    message = refusal("append", "terms", lambda _: ["heron"] * count)
    assert f"terms has the wrong length (got {count}, want 3)" in message


def test_a_lone_surrogate_in_a_question_is_refused():
    with pytest.raises(_core.InvalidArgumentError, match="terms must be str without lone surro"):
        _core.Request(now=0, terms="heron \ud800")


@pytest.mark.parametrize(
    "word",
    ["\0", "a\0b", "'; DROP TABLE memory; --", "\u202e", "Ω≈ç√", "x" * 10_000_000, "🪿" * 99],
)
def test_hostile_words_are_words(word):
    made = _core.Engine()
    made.append(1, **memory_arrays([row(1, terms=f"heron {word}"), row(2, terms="heron")]))
    hits = made.recall(_core.Request(now=T0, terms=word))
    assert hits.id.tolist() == [1, 2]
    assert hits.score[0] > hits.score[1]


# Requests.
GOOD_REQUEST = {
    "vector": np.ones(3, dtype=np.float32), "scopes": np.zeros(1, dtype=np.uint32),
    "allow": np.ones(1, dtype=np.int64), "exclude": np.ones(1, dtype=np.int64),
    "authors": np.ones(1, dtype=np.uint32), "cues": np.ones(1, dtype=np.int64),
    "dates": np.array([[0, 1]]),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(GOOD_REQUEST))
def test_a_request_takes_only_the_arrays_it_names(name):
    good = GOOD_REQUEST[name]
    _core.Request(now=0, **{name: good})
    wrong = [
        (good.astype(np.float16), f"must have dtype {good.dtype}"),
        (good.tolist(), "must be a NumPy array"),
        (good[None], f"must have {good.ndim} dimension(s)"),
        (np.repeat(good, 4, axis=0)[::2], "must be C-contiguous"),
    ]
    for value, says in wrong:
        with pytest.raises(_core.InvalidArgumentError) as caught:
            _core.Request(now=0, **{name: value})
        assert str(caught.value).startswith(f"recall: {name} {says}")


@pytest.mark.parametrize("columns", [1, 3, 4])
def test_dates_have_two_columns(columns):
    dates = np.arange(2 * columns, dtype=np.int64).reshape(2, columns)
    with pytest.raises(_core.InvalidArgumentError, match=r"dates must have shape \[n, 2\]"):
        _core.Request(now=0, dates=dates)


def test_a_request_keeps_its_own_copy():
    made = engine()
    vector = np.array([1, 0, 0], dtype=F)
    request = _core.Request(now=T0, vector=vector)
    before = made.recall(request).score.tolist()
    vector[:] = np.nan
    assert made.recall(request).score.tolist() == before


# Ownership.
def test_inputs_are_read_only_to_the_engine():
    for verb, (good, call) in WRITES.items():
        arguments = good()
        copies = {name: np.copy(value) for name, value in arguments.items()}
        for value in arguments.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        made = engine()
        if verb == "unlink":
            made.link(2, **edges())
        call(made, **arguments)
        for name, value in arguments.items():
            assert np.array_equal(copies[name], value)


def test_the_engine_keeps_no_view_of_its_inputs():
    made = _core.Engine()
    arguments = memories()
    made.append(1, **arguments)
    before = made.digest()
    for value in arguments.values():
        value[:] = [""] * 3 if isinstance(value, list) else 0
    assert made.digest() == before


def results(made: _core.Engine) -> dict[str, np.ndarray]:
    hits = made.recall(_core.Request(now=T0, vector=np.ones(3, dtype=F), explain=True))
    ids = np.array([1], dtype=np.int64)
    out = {name: getattr(hits, name) for name in ("id", "score", "p_use", "belief", "terms")}
    out |= made.neighbours(1)
    out |= {"trace": made.state(1)["trace"], "vector": made.vector(1)}
    out |= {"activation": made.activation(ids, T0), "contains": made.contains(ids)}
    for verb in ("propagate", "spread"):
        out |= dict(zip((f"{verb} id", verb), getattr(made, verb)(ids), strict=True))
    return out | dict(zip(("khop id", "hop"), made.khop(ids, 2), strict=True))


def test_results_outlive_what_made_them():
    made = engine()
    made.link(2, **edges())
    kept = results(made)
    copies = {name: value.copy() for name, value in kept.items()}
    del made
    gc.collect()
    filler = [np.full(1000, 255, dtype=np.uint8) for _ in range(200)]
    for name, value in kept.items():
        assert value.size, name
        assert np.array_equal(value, copies[name]), name
        value[...] = 0  # its own memory, so it may be written
    del filler


def test_results_have_the_promised_types():
    made = engine()
    made.link(2, **edges())
    dtypes = {name: str(value.dtype) for name, value in results(made).items()}
    assert dtypes == {
        "id": "int64", "score": "float32", "p_use": "float32", "belief": "float32",
        "terms": "float32", "edge": "int64", "type": "uint16", "weight": "float32",
        "outgoing": "bool", "valid_from": "int64", "valid_to": "int64", "trace": "float32",
        "vector": "float32", "activation": "float32", "contains": "bool",
        "propagate id": "int64", "propagate": "float64", "spread id": "int64",
        "spread": "float64", "khop id": "int64", "hop": "int32",
    }  # fmt: skip


def test_two_results_share_nothing():
    made = engine()
    hits = made.recall(_core.Request(now=T0))
    hits.score[:] = 99
    assert (hits.score != 99).all()


def test_check_only_changes_nothing():
    for verb, (good, call) in WRITES.items():
        made = engine()
        made.link(1, **edges())
        before = (made.digest(), made.stats())
        arguments = good() if verb != "link" else to_arrays([edge(9, 1, 3)], EDGE_COLUMNS)
        call(made, **arguments, check_only=True)
        assert (made.digest(), made.stats()) == before
