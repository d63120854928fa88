"""Models room: embedder protocol and providers; a leaf that imports no sibling."""

from __future__ import annotations

from .embedding import load
from .protocols import Embedder

__all__ = ["Embedder", "load"]
