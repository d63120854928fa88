"""Command line: demo, import, recall, context, history, stats, verify, doctor."""

from __future__ import annotations

from .app import main

__all__ = ["main"]
