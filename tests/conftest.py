"""What all tests share: the data folder and the profiles of hypothesis."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Two cores serve everything, so a slow example is no failure; a nightly run buys depth with time.
QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=50, **QUIET)
settings.register_profile("ci", max_examples=200, derandomize=True, print_blob=True, **QUIET)
settings.register_profile("nightly", max_examples=5000, **QUIET)
settings.register_profile("thorough", max_examples=10_000, **QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: REMANENCE_SHARED_DATA, or `shared/data` beside the repository."""
    beside = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("REMANENCE_SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data in {folder}: name its folder in REMANENCE_SHARED_DATA")
    return folder
