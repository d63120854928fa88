"""Rows sorted by cell over whole runs of segments: strips left out, the answers of every row."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import DAY, T0, answers, question, request_of
from tests.test_arrange import DIM, SEGMENT, memories
from tests.test_exact import by_every_row

from remanence import _core

pytestmark = [pytest.mark.native, pytest.mark.slow]

ROWS = 5 * SEGMENT + 3_000
COMMITS = 6
QUARTER = 4 * SEGMENT
"""Rows by which cells are found."""


HALF = 2 * SEGMENT + 700
"""Rows of the first commit."""
RARE = {4: 0.002, 5: 0.001, 900: 0.0002}
"""Scopes of few rows, and their share."""


@cache
def scopes() -> np.ndarray:
    """Three scopes of a third of the rows each, and the rare ones."""
    rng = np.random.default_rng(31)
    scope = rng.integers(0, 3, ROWS)
    for rare, share in RARE.items():
        scope[rng.random(ROWS) < share] = rare
    return scope


@cache
def store() -> tuple[_core.Engine, np.ndarray]:
    """Clusters of unequal sizes; some rows without a vector, erased, closed, renewed, accessed."""
    rng = np.random.default_rng(17)
    columns = memories(scopes())
    odds = 1.0 / (np.arange(300) + 5)
    centres = rng.standard_normal((300, DIM))
    cluster = rng.choice(300, ROWS, p=odds / odds.sum())
    spread = 0.4 / np.sqrt(1 + np.arange(DIM) / 4)
    vectors = centres[cluster] + spread * rng.standard_normal((ROWS, DIM)) * np.sqrt(DIM) / 4
    columns["vectors"] = vectors.astype(np.float32)
    engine = _core.Engine(DIM)

    def append(commit: int, which: np.ndarray, **more: Any) -> None:
        taken = {
            name: [column[i] for i in which] if name == "terms" else column[which]
            for name, column in columns.items()
        }
        engine.append(commit, **taken | more)

    place = np.where(np.arange(HALF) % 40 == 7, -1, np.arange(HALF)).astype(np.int32)
    append(1, np.arange(HALF), vector_row=place)
    append(2, np.arange(HALF, ROWS))
    engine.touch(
        3,
        id=np.arange(1, ROWS, 9),
        time=np.full(len(range(1, ROWS, 9)), T0 + DAY),
        weight=np.ones(len(range(1, ROWS, 9)), np.float32),
        used=np.full(len(range(1, ROWS, 9)), -1, np.int8),
    )
    engine.close(4, np.arange(5, ROWS, 50))
    engine.erase(5, np.arange(8, ROWS, 70))
    append(6, np.arange(10, 4_000, 70))
    assert engine.seq == COMMITS
    return engine, columns["vectors"]


@given(st.data())
def test_strips_that_are_left_out_hold_no_answer(data):
    engine, vectors = store()
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    near = vectors[rng.integers(len(vectors))]
    noise = rng.standard_normal(DIM) * float(np.linalg.norm(near)) / np.sqrt(DIM)
    weights = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "cosine": st.sampled_from([0.3, 7.2, 50.0]),
                "activation": st.sampled_from([0.5, 1.0]),
                "importance": st.sampled_from([-1.0, 1.0, 4.0]),
            },
        )
    )
    bare = dict.fromkeys(_core.Weights().to_dict(), 0.0) | {"cosine": 1.0}
    asked = question(
        vector=data.draw(st.sampled_from([near, near + 0.5 * noise, noise, -near])),
        weights=_core.Weights(**(bare if data.draw(st.booleans()) else {}) | weights).to_dict(),
        now=T0 + data.draw(st.sampled_from([2, 400])) * DAY,
        k=data.draw(st.sampled_from([1, 10, 50])),
    )
    asked |= data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "terms": st.sampled_from(["heron", "ferry lamp"]),
                "scopes": st.lists(st.sampled_from([0, 1, 3, 4, 5, 900, 901]), max_size=3),
                "kinds": st.integers(1, 7),
                "as_of": st.integers(1, COMMITS),
                "authors": st.just([2]),
                "allow": st.sampled_from([0.0005, 0.01, 0.04, 0.3]).map(
                    lambda share: np.flatnonzero(rng.random(ROWS) < share) + 1
                ),
            },
        )
    )
    want = by_every_row(engine, asked)
    for way in ({"threads": 1}, {"threads": 2}, {"proved": True, "threads": 2}):
        assert answers(engine.recall(request_of(asked | way))) == want
    batch = [asked | {"vector": vectors[i] + 1e-6} for i in range(9)]
    batch[4] = asked
    assert answers(engine.recall_many([request_of(one) for one in batch])[4]) == want
    others = [{"scopes": [4]}, {"kinds": 2}, {"scopes": [0, 900], "kinds": 5}, {}]
    mixed = [asked | others[i % 4] for i in range(9)]
    alone = [answers(engine.recall(request_of(one))) for one in mixed]
    assert [answers(hits) for hits in engine.recall_many([request_of(q) for q in mixed])] == alone


@pytest.mark.parametrize("scope", RARE)
def test_each_memory_of_a_small_scope_finds_itself(scope):
    """Only the cells of its rows are multiplied: one left out would lose them."""
    engine, vectors = store()
    ids = np.flatnonzero(scopes() == scope) + 1
    ids = ids[engine.contains(ids)]
    weights = dict.fromkeys(_core.Weights().to_dict(), 0.0) | {"cosine": 50.0}
    asked = [
        request_of(question(vector=vectors[memory - 1], weights=weights, k=1, scopes=[scope]))
        for memory in ids
        if memory > HALF or memory % 40 != 8  # has a vector
    ]
    found = [hits.id.tolist() for hits in engine.recall_many(asked)]
    assert [engine.recall(one).id.tolist() for one in asked] == found
    assert [[memory] for memory in ids if memory > HALF or memory % 40 != 8] == found


def test_rows_whose_bytes_fill_registers_lose_no_answer():
    """192 dimensions: centres and signs by whole registers, four at a time and what is left."""
    dim, few = 192, np.arange(3, QUARTER, 97)
    rng = np.random.default_rng(29)
    vectors = rng.standard_normal((300, dim))[rng.integers(0, 300, QUARTER)]
    vectors += 0.5 * rng.standard_normal(vectors.shape)
    engine = _core.Engine(dim)
    columns = memories(np.zeros(QUARTER, np.int64))
    engine.append(1, **columns | {"vectors": vectors.astype(np.float32)})
    bare = _core.Weights(**dict.fromkeys(_core.Weights().to_dict(), 0.0) | {"cosine": 1.0})
    asked = [
        question(vector=vectors[i] + 0.3 * rng.standard_normal(dim), weights=bare.to_dict(), **more)
        for i in (5, 70_000, QUARTER - 1)
        for more in ({"k": 10}, {"k": 10, "allow": few + 1}, {"k": 40})
    ]
    want = [by_every_row(engine, one) for one in asked]
    assert [answers(engine.recall(request_of(one))) for one in asked] == want
    for count in (2, 5, 9):
        batch = [request_of(one) for one in asked[:count]]
        assert [answers(hits) for hits in engine.recall_many(batch)] == want[:count]


def test_a_snapshot_keeps_cells_and_codes(tmp_path):
    engine, vectors = store()
    path = str(tmp_path / "engine.snapshot")
    engine.save(path, b"")
    loaded = _core.Engine.load(path)
    assert loaded.digest() == engine.digest()
    assert loaded.stats()["code_bytes"] == engine.stats()["code_bytes"]
    for i in range(0, ROWS, 40_000):
        asked = request_of(question(vector=vectors[i] + 0.1, k=20))
        assert answers(loaded.recall(asked)) == answers(engine.recall(asked))


def test_no_centre_is_that_of_a_single_row(tmp_path):
    """A vector far from all others must not outlive its erasure as the centre of its own cell."""
    columns = memories(np.zeros(QUARTER, np.int64))
    rng = np.random.default_rng(6)
    near = rng.standard_normal((30, DIM))[np.arange(QUARTER) % 30]
    near += 0.3 * rng.standard_normal(near.shape)
    alone = rng.integers(1, 120, DIM) * np.where(np.arange(DIM) % 2, 1, -1)
    alone[5] = 127  # the greatest: steps of a centre are then the values themselves
    near[0] = alone
    engine = _core.Engine(DIM)
    engine.append(1, **columns | {"vectors": near.astype(np.float32)})
    engine.erase(2, np.array([1]))
    path = tmp_path / "engine.snapshot"
    engine.save(str(path), b"")
    assert alone.astype(np.int8).tobytes() not in path.read_bytes()


def test_the_order_of_rows_is_no_part_of_a_digest():
    """The same commits in other parts: rows are sorted at other times."""
    columns = memories(np.random.default_rng(2).integers(0, 2, QUARTER + 2_000))
    made = []
    for size in (QUARTER + 2_000, 90_000):
        engine = _core.Engine(DIM)
        for first in range(0, QUARTER + 2_000, size):
            part = slice(first, first + size)
            engine.append(1, **{name: column[part] for name, column in columns.items()})
        made.append(engine.digest())
    assert made[0] == made[1]


def test_compacted_rows_give_the_same_answers_before_and_after_what_follows(tmp_path):
    engine, vectors = store()
    files = [tmp_path / name for name in ("as-it-came", "once", "twice")]
    engine.save(str(files[0]), b"")
    compact = _core.Engine.load(str(files[0]))
    for file in files[1:]:
        compact.compact()
        compact.save(str(file), b"")
    assert files[0].read_bytes() != files[1].read_bytes()
    assert files[1].read_bytes() == files[2].read_bytes()
    plain = _core.Engine.load(str(files[0]))

    def agree() -> None:
        assert compact.digest() == plain.digest()
        for i in range(0, ROWS, 30_000):
            for more in ({}, {"as_of": 3}, {"kinds": 2}, {"terms": "heron fare"}):
                asked = request_of(question(vector=vectors[i] + 0.1, k=20, explain=True, **more))
                assert answers(compact.recall(asked)) == answers(plain.recall(asked))

    agree()
    bare = dict.fromkeys(_core.Weights().to_dict(), 0.0) | {"cosine": 1.0}
    before = files[2].read_bytes()
    for weights in (bare, bare | {"activation": 2.0, "importance": 3.0}):
        compact.recall(request_of(question(vector=vectors[0], weights=weights)))
        compact.compact()
        compact.save(str(files[2]), b"")
        assert files[2].read_bytes() != before  # they are sorted for what was asked
        before = files[2].read_bytes()
        compact.compact()
        compact.save(str(files[2]), b"")
        assert files[2].read_bytes() == before
        agree()
    columns = memories(np.zeros(4 * SEGMENT, np.int64))
    for one in (compact, plain):
        one.append(7, **columns | {"id": columns["id"] + ROWS})
        there = np.arange(9, ROWS, 70)
        one.touch(
            8,
            id=there,
            time=np.full(len(there), T0 + 2 * DAY),
            weight=np.ones(len(there), np.float32),
            used=np.ones(len(there), np.int8),
        )
    agree()


def test_readers_see_the_same_while_rows_are_compacted(tmp_path):
    engine, vectors = store()
    path = str(tmp_path / "engine.snapshot")
    engine.save(path, b"")
    loaded = _core.Engine.load(path)
    asked = [request_of(question(vector=vectors[i] + 0.1, k=20)) for i in range(0, ROWS, 50_000)]
    wanted = [answers(loaded.recall(one)) for one in asked]
    done = threading.Event()
    seen: list[bool] = []

    def read() -> None:
        while not done.is_set():
            seen.append([answers(loaded.recall(one)) for one in asked] == wanted)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    loaded.compact()
    done.set()
    for reader in readers:
        reader.join()
    assert seen
    assert all(seen)
