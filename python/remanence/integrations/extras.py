"""Optional libraries: imported when a verb needs them, with an error that names the extra."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load(verb: str, module: str, extra: str) -> Any:
    """The module, or ModuleNotFoundError that says what to install."""
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise ModuleNotFoundError(
            f"{verb}: needs {module.partition('.')[0]} (pip install 'remanence[{extra}]')",
            name=missing.name,
        ) from missing
