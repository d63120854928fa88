"""Every decay law on a device has the processor's bits, in both precisions and for any length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.test_decay_pass import LAWS, NOW, columns, reads

from remanence import _core

pytestmark = pytest.mark.native


@pytest.mark.parametrize("precise", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("n", [0, 1, 255, 257, 1500])
def test_the_bits_are_the_processors(device: str, name: str, n: int, precise: bool):
    held = columns(7, n, dtype=np.float64 if precise else np.float32)
    asked: dict[str, Any] = reads(name, held) | {"precise": precise}
    want = _core.decay.decay(LAWS[name], NOW, **asked)
    got = _core.decay.decay(LAWS[name], NOW, **asked, backend=device)
    assert got.dtype == want.dtype
    assert got.tobytes() == want.tobytes()


def test_columns_that_a_law_does_not_read_may_have_any_length(device: str):
    held = columns(3, 20)
    asked = reads("power_trace", held) | {"stability": np.ones(1, np.float32)}
    want = _core.decay.decay(LAWS["power_trace"], NOW, **asked)
    got = _core.decay.decay(LAWS["power_trace"], NOW, **asked, backend=device)
    assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"trace": np.full((20, 12), -1, np.float32)}, "trace must be finite and not negative"),
        ({"trace": np.ones((19, 12), np.float32)}, "has the wrong length"),
    ],
)
def test_bad_columns_are_refused_as_on_the_processor(device: str, change, sentence: str):
    asked = reads("power_trace", columns(3, 20)) | change
    for backend in ("cpu", device):
        with pytest.raises(_core.InvalidArgumentError, match=sentence):
            _core.decay.decay(LAWS["power_trace"], NOW, **asked, backend=backend)


@pytest.mark.parametrize("precise", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("n", [0, 1, 257])
def test_columns_on_the_device_are_read_there(device: str, name: str, n: int, precise: bool):
    held = columns(7, n, dtype=np.float64 if precise else np.float32)
    asked: dict[str, Any] = reads(name, held)
    want = _core.decay.decay(LAWS[name], NOW, **asked, precise=precise)
    there = {key: _core.to_device(value, device) for key, value in asked.items()}
    got = _core.decay.decay(LAWS[name], NOW, **there, precise=precise, backend=device)
    assert isinstance(got, _core.DeviceArray)
    assert got.get().tobytes() == want.tobytes()
    again = _core.decay.decay(LAWS[name], NOW, **there, precise=precise, backend=device, out=got)
    assert again is got
    assert got.get().tobytes() == want.tobytes()


def wrong(asked: dict[str, Any], column: str, at: int, value: float) -> dict[str, Any]:
    changed = asked[column].copy()
    changed.reshape(-1)[at] = value
    return asked | {column: changed}


@pytest.mark.parametrize(
    ("name", "column", "at", "value", "row"),
    [
        ("power_trace", "trace", 12 * 5 + 3, -1.0, 5),
        ("power_trace", "trace", 12 * 7, np.nan, 7),
        ("power_trace", "trace", 12 * 7 + 11, np.inf, 7),
        ("half_life", "stability", 9, 0.0, 9),
        ("fsrs6", "stability", 3, np.nan, 3),
        ("exact", "offsets", 0, 1, 0),
        ("exact", "offsets", 4, 10**9, None),
        ("exact", "offsets", -1, 0, None),
        ("hybrid", "access_times", 0, 2**62, None),
    ],
)
def test_the_device_looks_at_its_columns(device: str, name, column, at, value, row):
    asked = wrong(reads(name, columns(3, 20)), column, at, value)
    there = {key: _core.to_device(held, device) for key, held in asked.items()}
    which = rf"memory {row} are" if row is not None else r"memory \d+ are"
    with pytest.raises(_core.InvalidArgumentError, match=rf"decay: the columns of {which}"):
        _core.decay.decay(LAWS[name], NOW, **there, backend=device)


def test_columns_of_both_memories_are_refused(device: str):
    asked = reads("power_trace", columns(3, 20))
    there = {key: _core.to_device(value, device) for key, value in asked.items()}
    law = LAWS["power_trace"]
    with pytest.raises(_core.InvalidArgumentError, match="lies on the host"):
        _core.decay.decay(law, NOW, **asked | {"trace": there["trace"]}, backend=device)
    with pytest.raises(_core.InvalidArgumentError, match="the backend is cpu"):
        _core.decay.decay(law, NOW, **there)
    short = there | {"trace": _core.to_device(asked["trace"][:-1], device)}
    with pytest.raises(_core.InvalidArgumentError, match="wrong length"):
        _core.decay.decay(law, NOW, **short, backend=device)


def test_an_unknown_backend_is_refused():
    asked = reads("power_trace", columns(3, 2))
    with pytest.raises(_core.InvalidArgumentError, match="decay: there is no backend called 'x'"):
        _core.decay.decay(LAWS["power_trace"], NOW, **asked, backend="x")
