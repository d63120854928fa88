"""A plugin of pytest for NetworkX's own suite: what each test came to, what the backend ran."""

from __future__ import annotations

import functools
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

outcomes: dict[str, str] = {}
calls: Counter[str] = Counter()


def pytest_configure() -> None:
    if os.environ.get("NETWORKX_TEST_BACKEND") == "remanence":
        from _remanence_networkx import FUNCTIONS
        from remanence.integrations.networkx.backend import Backend

        for name in FUNCTIONS:
            setattr(Backend, name, staticmethod(counted(name, getattr(Backend, name))))


def counted(name: str, function: Any) -> Any:
    """The function, counting the calls that it answers: a refusal is none."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        calls[name] += 1
        return result

    return call


def pytest_runtest_logreport(report: Any) -> None:
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish() -> None:
    text = json.dumps({"outcomes": outcomes, "calls": calls})
    Path(os.environ["REMANENCE_NX_REPORT"]).write_text(text, encoding="utf-8")
