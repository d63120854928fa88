"""The device that the tests of this folder compare with the processor."""

from __future__ import annotations

import pytest

from remanence import _core


@pytest.fixture(
    scope="module", params=[b for b in _core.available_backends() if b != "cpu"] or [None]
)
def device(request: pytest.FixtureRequest) -> str:
    """Each backend but the processor's; skips, with the driver's reason, where there is none."""
    if request.param is None:
        pytest.skip(_core.why_unavailable("cuda"))
    return request.param
