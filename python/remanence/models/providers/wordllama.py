"""WordLlama: the default embedder, 256-d averages of static token vectors out of its wheel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

_MODEL = "l2_supercat"
_DIM = 256
# Longer texts are cut here: the tokenizer's time and memory then grow in step with the text.
_PIECE = 8192
# Characters per call of the tokenizer: bounds the memory that its results hold.
_BLOCK = 1 << 20


class WordLlamaEmbedder:
    """The mean of the text's token vectors, scaled to length 1; deterministic, row by row.

    The weights and the tokenizer are read from the installed wheel directly. Importing the
    package itself would install a log handler and an HTTP client, and its own loader pads every
    batch to the longest text.
    """

    def __init__(self, folder: Path) -> None:
        weights = load_file(folder / "weights" / f"{_MODEL}_{_DIM}.safetensors")
        self._vectors = np.ascontiguousarray(weights["embedding.weight"], dtype=np.float32)
        tokenizer: Any = Tokenizer.from_file(
            str(folder / "tokenizers" / f"{_MODEL}_tokenizer_config.json")
        )
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._encode = tokenizer.encode_batch_fast  # without character offsets

    @property
    def id(self) -> str:
        """Model, dimension and weights."""
        return f"wordllama-{_DIM}:{_MODEL}"

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return _DIM

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text: float32 [n, 256]; a text without tokens counts as a space."""
        sums = np.zeros((len(texts), _DIM), dtype=np.float32)
        for owners, pieces in _blocks(texts):
            # A sum per text stays in the cache, which one gather over the block does not.
            for owner, ids in zip(owners, self._token_ids(pieces), strict=True):
                sums[owner] += np.add.reduce(self._vectors.take(ids, axis=0), axis=0)
        norms = np.sqrt(np.square(sums).sum(axis=1, keepdims=True))
        sums /= norms
        return sums

    def _token_ids(self, pieces: list[str]) -> list[list[int]]:
        try:
            found = self._encode(pieces, add_special_tokens=False)
        except TypeError:  # a lone surrogate, which UTF-8 cannot hold
            pieces = [piece.encode("utf-8", "replace").decode() for piece in pieces]
            found = self._encode(pieces, add_special_tokens=False)
        return [encoding.ids for encoding in found]


def load() -> WordLlamaEmbedder:
    """The one set of weights that comes inside the installed wheel."""
    spec = find_spec("wordllama")
    folders = spec.submodule_search_locations if spec is not None else None
    if not folders:
        raise ModuleNotFoundError(
            "load: the default embedder needs wordllama (pip install wordllama)", name="wordllama"
        )
    return WordLlamaEmbedder(Path(folders[0]))


def _blocks(texts: Sequence[str]) -> Iterator[tuple[list[int], list[str]]]:
    """Pieces of at most _PIECE characters with the index of their text, in blocks."""
    owners: list[int] = []
    pieces: list[str] = []
    size = 0
    for index, text in enumerate(texts):
        text = text or " "
        for start in range(0, len(text), _PIECE):
            owners.append(index)
            pieces.append(text[start : start + _PIECE])
            size += len(pieces[-1])
            if size >= _BLOCK:
                yield owners, pieces
                owners, pieces, size = [], [], 0
    if pieces:
        yield owners, pieces
