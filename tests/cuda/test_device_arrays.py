"""Arrays on a device, in and out without a copy: DLPack and __cuda_array_interface__."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from tests.cuda.test_batch import like, vectors
from tests.cuda.test_device import Engines, memories
from tests.strategies import request_of

from remanence import _core

pytestmark = pytest.mark.native

REQUEST = request_of(like(64, k=5))


@pytest.fixture
def engines(device: str) -> Engines:
    made = Engines(device)
    made.append(1, memories(1500, 64))
    return made


class ByInterface:
    """An array that another library holds, as CuPy 8 and Numba show theirs."""

    def __init__(self, held: _core.DeviceArray, **changes: Any) -> None:
        self._held = held
        self.__cuda_array_interface__ = held.__cuda_array_interface__ | changes


class ByDlpack:
    """An array that shows itself by DLPack alone, as torch and JAX do."""

    def __init__(self, held: _core.DeviceArray) -> None:
        self._held = held
        self.streams: list[Any] = []

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._held.__dlpack_device__()

    def __dlpack__(self, *, stream: Any = None) -> Any:
        self.streams.append(stream)
        return self._held.__dlpack__(stream=stream)


WRAPPERS = [lambda held: held, ByInterface, ByDlpack]


@pytest.mark.parametrize("wrap", WRAPPERS, ids=["ours", "interface", "dlpack"])
@pytest.mark.parametrize("count", [3, 20])
def test_vectors_are_read_where_they_lie_and_answers_stay_there(engines, device, wrap, count):
    asks = vectors(count, 64)
    there = wrap(_core.to_device(asks, device))
    want = engines.cpu.search(asks, REQUEST)
    got = engines.device.search(there, REQUEST)
    for mine, theirs in zip(got, want, strict=True):
        assert isinstance(mine, _core.DeviceArray)
        assert (mine.backend, mine.dtype, mine.shape) == (device, theirs.dtype, theirs.shape)
        assert mine.get().tobytes() == theirs.tobytes()


@pytest.mark.parametrize("out", ["host", "device"])
def test_out_says_where_the_answers_go(engines, device, out):
    asks = vectors(9, 64)
    want = engines.cpu.search(asks, REQUEST)
    for given in (asks, _core.to_device(asks, device)):
        got = engines.device.search(given, REQUEST, out=out, stream=0)
        kind = np.ndarray if out == "host" else _core.DeviceArray
        assert all(isinstance(part, kind) for part in got)
        here = [part if out == "host" else part.get() for part in got]
        assert [part.tobytes() for part in here] == [part.tobytes() for part in want]


def test_answers_are_seen_in_place_by_other_libraries(engines, device):
    ids, _ = engines.device.search(vectors(9, 64), REQUEST, out="device")
    facts = ids.__cuda_array_interface__
    assert facts["shape"] == (9, 5)
    assert facts["typestr"] == "<i8"
    assert facts["strides"] is None
    assert facts["version"] == 3
    assert facts["data"][1]  # read-only
    assert ids.__dlpack_device__()[0] == (2 if device == "cuda" else 12)
    assert len(ids) == 9
    assert ids.nbytes == 9 * 5 * 8
    with pytest.raises(BufferError, match="handed out where it lies"):
        ids.__dlpack__(copy=True)
    with pytest.raises(BufferError, match="handed out where it lies"):
        ids.__dlpack__(dl_device=(1, 0))


def test_memory_goes_with_its_last_holder(device):
    gc.collect()
    before = _core.device_bytes(device)
    held = _core.to_device(np.arange(1000, dtype=np.float32), device)
    assert _core.device_bytes(device) == before + 4000
    capsule = held.__dlpack__()
    del held
    assert _core.device_bytes(device) == before + 4000
    del capsule
    assert _core.device_bytes(device) == before


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda a: a.astype(np.float64), "vectors must have dtype <f4 \\(got <f8\\)"),
        (lambda a: a[0], "vectors must have 2 dimension"),
    ],
)
@pytest.mark.parametrize("wrap", WRAPPERS, ids=["ours", "interface", "dlpack"])
def test_what_does_not_fit_is_refused(engines, device, wrap, make, sentence):
    there = wrap(_core.to_device(np.ascontiguousarray(make(vectors(9, 64))), device))
    with pytest.raises(_core.InvalidArgumentError, match=sentence):
        engines.device.search(there, REQUEST)


def test_foreign_memory_and_layouts_are_refused(engines, device):
    there = _core.to_device(vectors(9, 64), device)
    host = vectors(9, 64)
    with pytest.raises(_core.InvalidArgumentError, match="does not lie on the device"):
        engines.device.search(ByInterface(there, data=(host.ctypes.data, True)), REQUEST)
    with pytest.raises(_core.InvalidArgumentError, match="must be C-contiguous"):
        engines.device.search(ByInterface(there, strides=(4, 36)), REQUEST)
    with pytest.raises(_core.InvalidArgumentError, match="the backend is cpu"):
        engines.cpu.search(there, REQUEST)
    with pytest.raises(_core.InvalidArgumentError, match="processor has no memory of a device"):
        engines.cpu.search(host, REQUEST, out="device")
    with pytest.raises(_core.InvalidArgumentError, match="want integers or floats"):
        _core.to_device(np.array(["a"]), device)


def test_strides_of_a_contiguous_array_may_be_told(engines, device):
    there = _core.to_device(vectors(9, 64), device)
    got = engines.device.search(ByInterface(there, strides=(256, 4), stream=1), REQUEST)
    want = engines.device.search(there, REQUEST)
    assert [part.get().tobytes() for part in got] == [part.get().tobytes() for part in want]
