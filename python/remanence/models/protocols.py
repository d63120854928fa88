"""Protocols of the models that memory uses; any object of this shape will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Embedder(Protocol):
    """Text to vectors. `id` names model and version: vectors of two ids never mix in a store."""

    @property
    def id(self) -> str:
        """Stored beside the vectors, for example "wordllama-256:l2_supercat"."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text: float32 [n, dim], C-contiguous; [0, dim] for no text."""
