"""A device with less memory than the store: codes stay there, vectors are read on the host."""

from __future__ import annotations

import pytest
from tests.cuda.test_batch import like, same_search, vectors
from tests.cuda.test_device import DEVICES, Engines, asked, memories
from tests.strategies import request_of

from remanence import _core

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif("emulated" not in DEVICES, reason="only the emulator can be made small"),
]

DIM, ROWS = 384, 5000
VECTORS = 8192 * DIM * 4
"""Bytes of the vectors' room on the device; all else takes a bit more."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch):
    """Sets what the device has, beside what this process holds there already."""

    def set_free(free: int) -> None:
        total = _core.device_bytes("emulated") + free
        monkeypatch.setenv("REMANENCE_EMULATED_BYTES", str(total))

    return set_free


@pytest.fixture
def engines() -> Engines:
    made = Engines("emulated")
    made.append(1, memories(ROWS, DIM))
    return made


def check(engines: Engines) -> None:
    engines.agree(asked(DIM))
    engines.agree(asked(DIM) | {"proved": True, "k": 3})
    for count in (3, 20):
        same_search(engines, like(DIM, k=6), vectors(count, DIM))


@pytest.mark.parametrize("free", [18 << 20, VECTORS + (4 << 20), VECTORS + (9 << 20)])
def test_vectors_that_do_not_fit_stay_on_the_host(engines, small, free):
    small(free)
    before = _core.device_bytes("emulated")
    check(engines)
    assert _core.device_bytes("emulated") - before <= free


def test_vectors_leave_a_device_that_fills_up(engines, small):
    """A first question has room for them; a batch needs more than what is left."""
    free, asks = 17 << 20, vectors(250, DIM)
    twin = Engines("emulated")
    twin.append(1, memories(ROWS, DIM))
    grown = []
    for each in (twin, engines):
        each.agree(asked(DIM))
        held = _core.device_bytes("emulated")
        if each is engines:
            small(free)
        same_search(each, like(DIM, k=6), asks)
        grown.append(_core.device_bytes("emulated") - held)
    assert grown[0] > free >= grown[1]
    check(engines)
    engines.append(2, memories(400, DIM, ROWS + 1))
    engines.touch(3, [1, 5, 9])
    check(engines)


def test_too_little_for_the_codes_is_an_error_and_passes(engines, small):
    small(1 << 20)
    for _ in range(2):
        with pytest.raises(_core.OutOfMemoryError, match="device memory"):
            engines.device.recall(request_of(asked(DIM)))
        with pytest.raises(_core.OutOfMemoryError, match="device memory"):
            engines.device.search(vectors(9, DIM), request_of(like(DIM)))
    small(1 << 30)
    check(engines)
