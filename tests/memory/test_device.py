"""Stores on another backend, and vectors that come from other libraries or from a device."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tests.memory.helpers import unit_rows

import remanence
from remanence import Memory

pytestmark = pytest.mark.native

TEXTS = [f"the {name} ferry at {hour}" for name in ("red", "old", "last") for hour in range(8)]


@pytest.mark.parametrize("device", [*remanence.available_backends(), "auto"])
def test_every_device_recalls_alike(opened: Callable[..., Memory], device: str):
    with opened(device=device) as memory:
        memory.add_many(TEXTS)
        memory.forget(3)
        asked = memory.recall("the old ferry", k=7)
        past = memory.recall("the old ferry", k=7, as_of=1)
    for again in ("cpu", device):  # out of the snapshot or the log
        with opened(device=again) as memory:
            for before, as_of in ((asked, None), (past, 1)):
                found = memory.recall("the old ferry", k=7, as_of=as_of, now=before.now)
                assert [(h.id, h.score) for h in found] == [(h.id, h.score) for h in before]
            assert memory.verify().ok


def test_a_device_that_cannot_run_is_named_and_no_file_is_made(path: Path):
    why = remanence.why_unavailable("cuda")
    if not why:
        pytest.skip("a device is here")
    with pytest.raises(remanence.BackendUnavailableError) as caught:
        remanence.open(path, device="cuda")
    assert str(caught.value) == why
    assert not path.exists()


@pytest.mark.parametrize("device", ["tpu", "", "CPU", 0, None])
def test_an_unknown_device_is_refused(path: Path, device: Any):
    with pytest.raises(remanence.InvalidArgumentError):
        remanence.open(path, device=device)
    assert not path.exists()


class OnHost:
    """An array of another library whose memory the host can read."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)


class OnDevice:
    """What any array on a device shows: where it is, and nothing else."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.__cuda_array_interface__ = {"shape": array.shape, "typestr": "<f4", "version": 3}

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)

    def __dlpack__(self, **_: Any) -> Any:
        raise AssertionError("device memory must not be read through DLPack on the host")


class LikeCupy(OnDevice):
    def get(self) -> np.ndarray:
        return self._array


class LikeTorch(OnDevice):
    def detach(self) -> LikeTorch:
        return self

    def cpu(self) -> OnHost:
        return OnHost(self._array)


class LikeJax(OnDevice):
    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self._array


class Broken(OnDevice):
    def get(self) -> np.ndarray:
        raise RuntimeError("the device is gone")


@pytest.mark.parametrize("kind", [OnHost, LikeCupy, LikeTorch, LikeJax])
def test_arrays_of_other_libraries_are_vectors(opened: Callable[..., Memory], kind: type):
    rows = unit_rows(5)
    with opened(embedder=None) as memory:
        memory.add_many(TEXTS[:5], vectors=kind(rows))
        memory.add("one more", vector=kind(rows[0]))
        found = memory.recall(vector=kind(rows[2]), k=6)
        assert [h.id for h in found] == [h.id for h in memory.recall(vector=rows[2], k=6)]
        assert found[0].id == 3


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (OnDevice(unit_rows(1)[0]), "offers no copy"),
        (Broken(unit_rows(1)[0]), "the device is gone"),
        (LikeCupy(unit_rows(1)[0].astype(np.float64)), "wrong dtype"),
        (LikeCupy(unit_rows(1)), "wrong shape"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(memory: Memory, value: Any, sentence: str):
    before = memory.stats().commits
    with pytest.raises(remanence.InvalidArgumentError, match=sentence) as caught:
        memory.add("text", vector=value)
    assert "\n" not in str(caught.value)
    assert memory.stats().commits == before


def test_a_faiss_index_is_a_source_of_vectors(opened: Callable[..., Memory]):
    faiss = pytest.importorskip("faiss")
    rows = unit_rows(6)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    with opened(embedder=None) as memory:
        memory.add_many(TEXTS[:6], vectors=index)
        assert memory.recall(vector=rows[4], k=1)[0].id == 5


class GpuIndexFlatIP:
    """What a FAISS index on a device shows; its vectors can be read once it was brought home."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows, self.ntotal = rows, len(rows)

    def reconstruct_n(self, first: int, count: int) -> np.ndarray:
        raise AssertionError(f"rows {first} to {first + count} were read on the device")


class IndexFlatIP(GpuIndexFlatIP):
    def reconstruct_n(self, first: int, count: int) -> np.ndarray:
        return self.rows[first : first + count]


def test_a_faiss_index_on_a_device_is_first_brought_home(
    opened: Callable[..., Memory], monkeypatch: pytest.MonkeyPatch
):
    faiss = ModuleType("faiss")
    faiss.index_gpu_to_cpu = lambda index: IndexFlatIP(index.rows)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faiss", faiss)
    rows = unit_rows(6)
    with opened(embedder=None) as memory:
        memory.add_many(TEXTS[:6], vectors=GpuIndexFlatIP(rows))
        assert memory.recall(vector=rows[4], k=1)[0].id == 5
