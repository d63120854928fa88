"""The device that the tests of this folder compare with the processor."""

from __future__ import annotations

from typing import Any

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


@pytest.fixture(scope="module")
def filled() -> dict[tuple[str, str], Any]:
    """Engines of a test file by device and room, so that each is filled once."""
    return {}


@pytest.fixture(params=["all", "0"], ids=["vectors there", "vectors on the host"])
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How much of a store the device may hold: all of it, or no vectors."""
    if request.param != "all":
        monkeypatch.setenv("REMANENCE_DEVICE_BYTES", request.param)
    return request.param
