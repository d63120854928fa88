"""Beside torch and CuPy on one device: streams still at work, arrays in place, memory they hold."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from tests.cuda.test_batch import like, same_search, vectors
from tests.cuda.test_device import Engines, asked, memories
from tests.strategies import request_of

from remanence import _core

pytestmark = pytest.mark.native

DIM = 64
REQUEST = request_of(like(DIM, k=5))
CYCLES = 1_000_000_000
"""About half a second of a device's clock."""


@pytest.fixture
def engines(device: str) -> Engines:
    if device != "cuda":
        pytest.skip("other libraries see devices of CUDA alone")
    made = Engines(device)
    made.append(1, memories(1500, DIM))
    return made


@pytest.fixture
def torch(device: str) -> Any:
    if device != "cuda":
        pytest.skip("other libraries see devices of CUDA alone")
    module = pytest.importorskip("torch")
    if not module.cuda.is_available():
        pytest.skip("torch sees no device")
    return module


def agrees(engines: Engines, got: Any, asks: np.ndarray) -> None:
    want = engines.cpu.search(asks, REQUEST)
    assert [part.get().tobytes() for part in got] == [part.tobytes() for part in want]


@pytest.mark.parametrize("count", [3, 20])
def test_vectors_that_a_stream_has_yet_to_make_are_waited_for(engines, torch, count):
    asks = vectors(count, DIM)
    there = torch.from_numpy(asks).cuda()
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(CYCLES)
        later = there * 2
        agrees(engines, engines.device.search(later, REQUEST), 2 * asks)
    out = torch.zeros_like(there)
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(CYCLES)
        torch.mul(there, 4, out=out)
    found = engines.device.search(out, REQUEST, stream=stream.cuda_stream)
    agrees(engines, found, 4 * asks)


def test_torch_sees_answers_in_place(engines, torch):
    asks = vectors(20, DIM)
    ids, scores = engines.device.search(asks, REQUEST, out="device")
    for ours, theirs in ((ids, torch.from_dlpack(ids)), (scores, torch.from_dlpack(scores))):
        assert theirs.data_ptr() == ours.__cuda_array_interface__["data"][0]
        assert theirs.cpu().numpy().tobytes() == ours.get().tobytes()


def test_cupy_sees_answers_in_place_and_hands_over_vectors(engines):
    cupy = pytest.importorskip("cupy")
    asks = vectors(20, DIM)
    found = engines.device.search(cupy.asarray(asks), REQUEST)
    agrees(engines, found, asks)
    for ours in found:
        for theirs in (cupy.from_dlpack(ours), cupy.asarray(ours)):
            assert theirs.data.ptr == ours.__cuda_array_interface__["data"][0]
            assert cupy.asnumpy(theirs).tobytes() == ours.get().tobytes()


def test_a_device_that_torch_fills_is_worked_with_or_refused(engines, torch):
    """Rows that come when little is left: answered from the host, or one sentence and no harm."""
    engines.agree(asked(DIM))
    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info()[0]
    held = torch.empty(free - (48 << 20), dtype=torch.uint8, device="cuda")
    engines.append(2, memories(60_000, DIM, 1501))
    with suppress(_core.OutOfMemoryError):
        engines.agree(asked(DIM))
    del held
    torch.cuda.empty_cache()
    engines.agree(asked(DIM))
    same_search(engines, like(DIM, k=5), vectors(20, DIM))
