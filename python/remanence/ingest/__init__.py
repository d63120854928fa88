"""Ingest: files of notes, turns and chats become memories, whole or not at all."""

from __future__ import annotations

from .load import Imported, import_file
from .readers import read
from .rows import BadInputError, Row

__all__ = ["BadInputError", "Imported", "Row", "import_file", "read"]
