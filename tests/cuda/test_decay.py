"""Every decay law on a device has the processor's bits, in both precisions and for any length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.cuda.test_device import DEVICES
from tests.test_decay_pass import LAWS, NOW, columns, reads

from remanence import _core

pytestmark = pytest.mark.native


@pytest.fixture(params=DEVICES or [None])
def device(request: pytest.FixtureRequest) -> str:
    if request.param is None:
        pytest.skip(_core.why_unavailable("cuda"))
    return request.param


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


def test_an_unknown_backend_is_refused():
    asked = reads("power_trace", columns(3, 2))
    with pytest.raises(_core.InvalidArgumentError, match="decay: there is no backend called 'x'"):
        _core.decay.decay(LAWS["power_trace"], NOW, **asked, backend="x")
