"""Covers on a device: the processor's answer for any rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.test_cover import COSINES, clustered, rows_

from remanence import _core

pytestmark = pytest.mark.native


def same(device: str, vectors: np.ndarray, cosine: float, **columns: Any) -> None:
    want = _core.cover(vectors, cosine, **columns)
    assert _core.cover(vectors, cosine, **columns, backend=device).tolist() == want.tolist()


@settings(max_examples=40, deadline=None)
@given(rows=rows_(), cosine=st.sampled_from(COSINES))
def test_any_rows(device: str, rows: Any, cosine: float) -> None:
    same(device, rows[0], cosine, **rows[1])


@pytest.mark.parametrize("clusters", [3, 900])
def test_several_blocks_and_groups(device: str, clusters: int) -> None:
    """Blocks of 1024 rows: few kept ones that many meet, and many."""
    rng = np.random.default_rng(3)
    vectors = clustered(2500, 16, clusters, 0.1, 1)
    same(device, vectors, 0.95)
    groups = np.where(rng.random(2500) < 0.6, 5, rng.integers(40, size=2500)).astype(np.uint32)
    pinned = rng.random(2500) < 0.05
    uses = rng.integers(4, size=2500).astype(np.float32)
    same(device, vectors, 0.95, groups=groups, pinned=pinned, uses=uses)


def test_no_rows(device: str) -> None:
    assert _core.cover(np.ones((0, 3), np.float32), 0.9, backend=device).shape == (0,)
