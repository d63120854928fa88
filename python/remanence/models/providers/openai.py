"""Embeddings of any OpenAI-compatible endpoint behind the Embedder protocol (extra: openai)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openai import OpenAI

from ._rows import unit_rows

# Endpoints refuse larger requests; the client retries each request on its own.
_BATCH = 256


class OpenAIEmbedder:
    """A model of an endpoint; `dim` asks the endpoint for shorter vectors, where it can."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        dim: int | None = None,
    ) -> None:
        local = base_url is not None or "OPENAI_BASE_URL" in os.environ
        if api_key is None and "OPENAI_API_KEY" not in os.environ and local:
            api_key = "none"  # the client insists on a key, a local server often has none
        self.id = f"openai:{model}" if dim is None else f"openai:{model}:{dim}"
        self._model = model
        self._options: dict[str, Any] = {} if dim is None else {"dimensions": dim}
        self._client: Any = OpenAI(base_url=base_url, api_key=api_key)
        self._dim = dim

    @property
    def dim(self) -> int:
        """Length of a vector; the first use asks the endpoint."""
        if self._dim is None:
            self._dim = int(self.embed(["dimension"]).shape[1])
        return self._dim

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text: float32 [n, dim]."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        rows: list[Any] = []
        for start in range(0, len(texts), _BATCH):
            # Endpoints refuse an empty text, and JSON cannot carry a lone surrogate.
            part = [
                text.encode("utf-8", "replace").decode() or " "
                for text in texts[start : start + _BATCH]
            ]
            answer = self._client.embeddings.create(
                model=self._model, input=part, encoding_format="float", **self._options
            )
            rows += [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        return unit_rows(rows, len(texts), self.id)


load = OpenAIEmbedder
