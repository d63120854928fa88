"""Covers: the judge's answer for any rows, and what every cover must hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference import dot, unit
from tests.reference_cover import cover as judged

from remanence import _core

pytestmark = pytest.mark.native

DIMS = (1, 3, 16, 40, 144, 400)  # from 128 on heads are looked at first
COSINES = (-1.0, 0.5, 0.8, 0.9, 0.97, 1.0)


def clustered(n: int, dim: int, clusters: int, spread: float, seed: int) -> np.ndarray:
    """Rows around a few directions, as long as they happen to be; some are exact copies."""
    rng = np.random.default_rng([n, dim, clusters, seed])
    centres = rng.standard_normal((clusters, dim))
    rows = centres[rng.integers(clusters, size=n)] + spread * rng.standard_normal((n, dim))
    copies = rng.random(n) < 0.1
    rows[copies] = rows[rng.integers(n, size=copies.sum())]
    return rows.astype(np.float32)


@st.composite
def rows_(draw: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Vectors and the columns that may be given beside them, with many ties."""
    n = draw(st.integers(1, 24))
    vectors = clustered(
        n, draw(st.sampled_from(DIMS)), draw(st.integers(1, 6)),
        draw(st.sampled_from([0.05, 0.3, 0.7])), draw(st.integers(0, 9)),
    )  # fmt: skip
    column = {
        "pinned": (st.sampled_from([False, False, False, True]), bool),
        "uses": (st.sampled_from([0.0, 0.2, 1.0, 7.5]), np.float32),
        "prior": (st.sampled_from([-1.5, 0.0, 0.25]), np.float32),
        "groups": (st.sampled_from([0, 7, 4_000_000_000]), np.uint32),
    }
    names = draw(st.sets(st.sampled_from(sorted(column))))
    return vectors, {
        name: np.array(draw(st.lists(column[name][0], min_size=n, max_size=n)), column[name][1])
        for name in names
    }


@settings(max_examples=120)
@given(rows=rows_(), cosine=st.sampled_from(COSINES))
def test_any_rows_have_the_judges_cover(rows: Any, cosine: float) -> None:
    vectors, columns = rows
    got = _core.cover(vectors, cosine, **columns)
    assert got.dtype == np.int64
    assert got.tolist() == judged(vectors, cosine, **columns)


@given(rows=rows_(), cosine=st.sampled_from(COSINES))
def test_what_a_cover_holds(rows: Any, cosine: float) -> None:
    vectors, columns = rows
    n = len(vectors)
    stands = _core.cover(vectors, cosine, **columns)
    pinned = columns.get("pinned", np.zeros(n, bool))
    group = columns.get("groups", np.zeros(n, np.uint32))
    kept = np.flatnonzero(stands == np.arange(n))
    assert set(stands.tolist()) <= set(kept.tolist())
    assert set(np.flatnonzero(pinned).tolist()) <= set(kept.tolist())
    assert (group[stands] == group).all()
    units = [unit(v) for v in vectors]
    for i, by in enumerate(stands.tolist()):
        assert by == i or dot(units[i], units[by]) >= np.float32(cosine)
    loose = [i for i in kept.tolist() if not pinned[i]]
    for i in loose:
        others = [j for j in kept.tolist() if j != i and group[j] == group[i]]
        assert all(dot(units[i], units[j]) < np.float32(cosine) for j in others)
    # A cover of what is kept keeps all of it; longer vectors are the same directions.
    again = _core.cover(
        np.ascontiguousarray(vectors[kept]), cosine, **{k: v[kept] for k, v in columns.items()}
    )
    assert again.tolist() == list(range(len(kept)))
    assert _core.cover(vectors * np.float32(4), cosine, **columns).tolist() == stands.tolist()


def test_priorities_come_before_numbers_and_pins_before_priorities() -> None:
    same = np.ones((4, 3), np.float32)
    assert _core.cover(same, 0.9).tolist() == [0] * 4
    uses = np.array([0, 1, 3, 1], np.float32)
    assert _core.cover(same, 0.9, uses=uses).tolist() == [2] * 4
    prior = np.array([0, 3, 0, 0], np.float32)  # ln 16 = 2.77 for three uses
    assert _core.cover(same, 0.9, uses=uses, prior=prior).tolist() == [1] * 4
    pinned = np.array([False, False, True, True])
    assert _core.cover(same, 0.9, prior=prior, pinned=pinned).tolist() == [2, 2, 2, 3]


def test_many_rows_and_groups_over_blocks_and_tiles() -> None:
    """Blocks of 256 rows, tiles of as many kept ones, a group that spans several."""
    rng = np.random.default_rng(3)
    vectors = clustered(1500, 144, 700, 0.02, 1)
    groups = np.where(rng.random(1500) < 0.7, 5, rng.integers(40, size=1500)).astype(np.uint32)
    columns = {"groups": groups, "prior": rng.standard_normal(1500).astype(np.float32)}
    stands = _core.cover(vectors, 0.9, **columns)
    assert stands.tolist() == fast_judge(vectors, 0.9, **columns)
    before = _core.threads()
    try:
        for threads in (1, 2):
            _core.set_threads(threads)
            assert _core.cover(vectors, 0.9, **columns).tolist() == stands.tolist()
    finally:
        _core.set_threads(before)


def fast_judge(vectors: np.ndarray, cosine: float, groups: Any, prior: Any) -> list[int]:
    """The judge where no cosine is near the limit, by one product of matrices."""
    units = np.array([unit(v) for v in vectors])
    near = units @ units.T
    assert np.abs(near - cosine).min() > 1e-5
    near = (near >= cosine) & (groups[:, None] == groups[None, :])
    stands = np.arange(len(units))
    kept: list[int] = []
    for i in np.lexsort((stands, -prior)).tolist():
        stands[i] = next((k for k in kept if near[i, k]), i)
        kept += [i] * bool(stands[i] == i)
    return stands.tolist()


def test_crowds_are_covered_and_what_is_alone_is_not() -> None:
    """Crowds of all sizes and 300 rare rows: one of each crowd is kept, and every rare one."""
    rng = np.random.default_rng(11)
    sizes = (2000 / np.arange(1, 201) ** 1.1).astype(int) + 1
    of = np.concatenate([np.repeat(np.arange(200), sizes), np.arange(200, 500)])
    centres = rng.standard_normal((500, 96))
    vectors = centres[of] + 0.02 * rng.standard_normal((len(of), 96))
    stands = _core.cover(vectors.astype(np.float32), 0.85)
    assert len(set(stands.tolist())) == 500
    assert (of[stands] == of).all()


FLAWS: dict[str, tuple[dict[str, Any], str]] = {
    "list": ({"vectors": [[1.0]]}, "vectors must be a NumPy array"),
    "double": ({"vectors": np.ones((2, 2))}, "vectors must have dtype float32"),
    "one row": ({"vectors": np.ones(3, np.float32)}, r"vectors must have 2 dimension\(s\)"),
    "no dimension": ({"vectors": np.ones((3, 0), np.float32)}, "must have between 1 and 65536"),
    "zeros": ({"vectors": np.zeros((2, 2), np.float32)}, "vector 0 has no direction"),
    "nan": ({"vectors": np.full((2, 2), np.nan, np.float32)}, "vector 0 holds NaN"),
    "cosine": ({"cosine": 1.5}, r"cosine must be in \[-1, 1\]"),
    "nan cosine": ({"cosine": float("nan")}, r"cosine must be in \[-1, 1\]"),
    "pins": ({"pinned": np.ones(1, bool)}, "pinned has the wrong length"),
    "uses": ({"uses": np.array([0, -1], np.float32)}, "uses must be finite and not negative"),
    "prior": ({"prior": np.array([0, np.inf], np.float32)}, "prior must be finite"),
    "groups": ({"groups": np.zeros(2, np.int64)}, "groups must have dtype uint32"),
    "backend": ({"backend": "x"}, "there is no backend called 'x'"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_bad_input_is_one_sentence(flaw: str) -> None:
    arguments = {"vectors": np.ones((2, 2), np.float32), "cosine": 0.9} | FLAWS[flaw][0]
    with pytest.raises(_core.InvalidArgumentError, match=FLAWS[flaw][1]):
        _core.cover(**arguments)


def test_no_rows_are_covered_by_none() -> None:
    assert _core.cover(np.ones((0, 3), np.float32), 0.9).shape == (0,)
