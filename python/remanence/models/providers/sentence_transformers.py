"""sentence-transformers models behind the Embedder protocol (extra: sentence-transformers)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from ._rows import unit_rows


class SentenceTransformersEmbedder:
    """A model by its hub name or folder, run on the device that the library picks."""

    def __init__(self, model: str) -> None:
        self.id = f"sentence-transformers:{model}"
        self._model: Any = SentenceTransformer(model)
        self.dim = int(self.embed(["dimension"]).shape[1])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text: float32 [n, dim]."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        rows = self._model.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
        return unit_rows(rows, len(texts), self.id)


load = SentenceTransformersEmbedder
