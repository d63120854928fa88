"""Sample for `remanence demo`: two years of one invented person's notes, written for this project.

`notes.jsonl` holds one note a line, oldest first. Every person, firm and bridge in it is made up.
The file is part of the project and under its licence.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

__all__ = ["notes_path"]


def notes_path() -> Path:
    """Where the sample lies on disk."""
    with as_file(files(__name__) / "notes.jsonl") as path:
        return path
