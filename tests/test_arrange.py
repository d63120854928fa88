"""Full segments are sorted by scope, erased rows last: other places, the same answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.strategies import DAY, T0, answers, question, request_of

from remanence import _core

pytestmark = pytest.mark.native

SEGMENT, BLOCK, DIM, SCOPES = 65_536, 1_024, 64, 40
ROWS = SEGMENT + 5_000
WORDS = ("heron", "ferry", "hazel", "lamp", "tide", "ochre")


def memories(scope: np.ndarray) -> dict[str, Any]:
    """Columns of Engine.append for memories 1, 2, 3, ... of the scopes given."""
    rng = np.random.default_rng(3)
    count = len(scope)
    return {
        "id": np.arange(1, count + 1),
        "scope": scope.astype(np.uint32),
        "kind": rng.integers(0, 3, count).astype(np.uint8),
        "law": np.zeros(count, np.uint8),
        "flags": np.zeros(count, np.uint8),
        "author": rng.integers(0, 5, count).astype(np.uint32),
        "session": (scope * 100 + np.arange(count) // 2_000 + 1).astype(np.uint32),
        "length": rng.integers(1, 30, count).astype(np.uint16),
        "time": T0 - rng.integers(0, 100 * DAY, count),
        "valid_from": np.full(count, -(2**63)),
        "valid_to": np.full(count, 2**63 - 1),
        "belief": rng.uniform(0.5, 1, count).astype(np.float32),
        "importance": rng.normal(0, 0.3, count).astype(np.float32),
        "terms": [
            " ".join(rng.choice(WORDS, 2)) + (f" #{n}:euro:fare" if n % 97 == 0 else "")
            for n in range(count)
        ],
        "vectors": rng.standard_normal((count, DIM), dtype=np.float32),
    }


def write(engine: _core.Engine, columns: dict[str, Any], only: Sequence[int] | None = None) -> None:
    """Parts that do not end where segments do, each with new versions and accesses; `only` leaves
    out all but some scopes, at the same commits."""
    scope = columns["scope"]

    def append(commit: int, which: np.ndarray) -> None:
        if only is not None:
            which = which[np.isin(scope[which], only)]
        taken = {
            name: [column[i] for i in which] if name == "terms" else column[which]
            for name, column in columns.items()
        }
        if len(which):
            engine.append(commit, **taken)

    rows = len(scope)
    for part, first in enumerate(range(0, rows, 9_000)):
        end = min(first + 9_000, rows)
        append(3 * part + 1, np.arange(first, end))
        append(3 * part + 2, np.arange(first + 7, end, 500))
        touched = np.arange(first, end, 300)
        if only is not None:
            touched = touched[np.isin(scope[touched], only)]
        if len(touched) == 0:
            continue
        engine.touch(
            3 * part + 3,
            id=touched + 1,
            time=np.full(len(touched), T0 + part),
            weight=np.ones(len(touched), np.float32),
            used=np.ones(len(touched), np.int8),
        )


def found(engine: _core.Engine, **filters: Any) -> list[Any]:
    """Answers to words, vectors and both, through codes and without them."""
    rng = np.random.default_rng(8)
    vectors = [rng.standard_normal(DIM).tolist(), None]
    asked = [
        question(vector=vector, terms=terms, k=20, explain=True, threads=2, proved=proved)
        for vector in vectors
        for terms in ("", "heron fare")
        for proved in (False, True)
    ]
    return [answers(engine.recall(request_of(one | filters))) for one in asked]


def store(
    scope: np.ndarray, only: Sequence[int] | None = None, backend: str = "cpu"
) -> _core.Engine:
    engine = _core.Engine(DIM, backend)
    write(engine, memories(scope), only)
    return engine


def in_one_scope(scope: np.ndarray) -> _core.Engine:
    """The same memories and sessions, whose rows stand as they came."""
    engine = _core.Engine(DIM)
    write(engine, memories(scope) | {"scope": np.zeros(len(scope), np.uint32)})
    return engine


@pytest.fixture(scope="module")
def scopes() -> np.ndarray:
    return np.random.default_rng(1).integers(0, SCOPES, ROWS)


@pytest.fixture(scope="module")
def mixed(scopes) -> _core.Engine:
    return store(scopes)


@pytest.fixture(scope="module")
def plain(scopes) -> _core.Engine:
    return in_one_scope(scopes)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"as_of": 5},
        {"as_of": 14, "kinds": 1},
        {"allow": list(range(5, 60_000, 31))},
        {"exclude": list(range(1, 3_000)), "authors": [2]},
    ],
    ids=str,
)
def test_sorted_rows_give_the_answers_of_rows_as_they_came(mixed, plain, filters):
    assert found(mixed, **filters) == found(plain, **filters)


def test_what_is_known_of_a_memory_stays(mixed, plain):
    for memory in (1, 8, 301, 5_008, 40_000, ROWS):
        assert mixed.vector(memory).tolist() == plain.vector(memory).tolist()
        assert repr(mixed.state(memory)) == repr(plain.state(memory))
    every = np.arange(1, ROWS + 1)
    some = np.ascontiguousarray(every[::997])
    for commit in (None, 1, 4, 15):
        at = {} if commit is None else {"as_of": commit}
        assert np.array_equal(mixed.contains(every, **at), plain.contains(every, **at))
    assert mixed.activation(some, T0 + DAY).tolist() == (plain.activation(some, T0 + DAY).tolist())


@pytest.mark.skipif("emulated" not in _core.available_backends(), reason="no emulated device")
def test_a_device_finds_the_accesses_of_rows_that_moved(mixed, scopes):
    device = store(scopes, backend="emulated")
    rng = np.random.default_rng(2)
    weights = _core.Weights().to_dict() | {"activation": 1.0, "cosine": 0.0}
    asked = question(vector=rng.standard_normal(DIM).tolist(), k=200, as_of=2, weights=weights)
    asked |= {"scopes": [7], "now": T0 + DAY}
    assert answers(device.recall(request_of(asked))) == answers(mixed.recall(request_of(asked)))


@pytest.mark.parametrize(
    "some", [[0], [7], [SCOPES - 1], [SCOPES - 1, 2], [0, 3, 3, SCOPES]], ids=str
)
def test_scopes_answer_as_if_they_were_alone(mixed, scopes, some):
    alone = store(scopes, some)
    for more in ({}, {"as_of": 6}, {"as_of": 20, "kinds": 3}):
        assert found(mixed, scopes=some, **more) == found(alone, **more)


def test_no_scope_has_no_answer(mixed):
    assert found(mixed, scopes=[]) == found(mixed, scopes=[SCOPES + 1]) == found(_core.Engine(DIM))


def test_a_snapshot_keeps_the_order_and_what_follows(mixed, scopes, tmp_path):
    path = tmp_path / "engine.snapshot"
    mixed.save(str(path), b"")
    loaded = _core.Engine.load(str(path))
    assert loaded.digest() == mixed.digest() == store(scopes).digest()
    assert found(loaded, scopes=[7]) == found(mixed, scopes=[7])
    for memory in (8, 508, 301):
        assert repr(loaded.state(memory)) == repr(mixed.state(memory))


def test_scattered_erased_rows_move_together_and_their_memory_is_given_back(scopes):
    engine = store(scopes)
    before = engine.stats()
    gone = np.random.default_rng(4).choice(np.arange(1, SEGMENT), 20_000, replace=False)
    engine.erase(90, gone)
    assert engine.stats()["vector_bytes"] <= before["vector_bytes"] - 18 * BLOCK * DIM * 4
    alone = store(scopes, [7])
    alone.erase(90, gone[scopes[gone - 1] == 7])
    assert found(engine, scopes=[7]) == found(alone)
    assert not engine.contains(gone).any()
    kept = np.setdiff1d(np.arange(1, ROWS + 1), gone)
    assert engine.contains(kept).all()


def test_readers_see_the_same_while_rows_move(scopes):
    columns = memories(scopes)
    engine = _core.Engine(DIM)
    first = {name: column[:60_000] for name, column in columns.items()}
    engine.append(1, **first)
    wanted = found(engine, scopes=[7], as_of=1)
    done = threading.Event()
    seen: list[Any] = []

    def read() -> None:
        while not done.is_set():
            seen.append(found(engine, scopes=[7], as_of=1) == wanted)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for commit, start in enumerate(range(60_000, ROWS, 1_000), 2):
        part = slice(start, start + 1_000)
        engine.append(commit, **{name: column[part] for name, column in columns.items()})
    done.set()
    for reader in readers:
        reader.join()
    assert seen
    assert all(seen)
