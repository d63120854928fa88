"""fastembed (ONNX) models behind the Embedder protocol (extra: fastembed)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from fastembed import TextEmbedding
from numpy.typing import NDArray

from ._rows import unit_rows


class FastEmbedEmbedder:
    """A model from fastembed's list, by its name."""

    def __init__(self, model: str) -> None:
        self.id = f"fastembed:{model}"
        self._model: Any = TextEmbedding(model)
        self.dim = int(self.embed(["dimension"]).shape[1])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text: float32 [n, dim]."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        return unit_rows(list(self._model.embed(list(texts))), len(texts), self.id)


load = FastEmbedEmbedder
