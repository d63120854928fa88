"""Seeded data of the benchmarks: unit vectors with and without clusters, columns, texts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
CHUNK = 65_536
NOW = 1_750_000_000 * 10**9
"""The time of every question, ns UTC: a constant, so that a run can be repeated."""
YEAR_NS = 365 * 86_400 * 10**9
CLUSTERS = 2000
SPREAD = 0.8
"""Length of the noise around a cluster's centre, which has length one."""
MINILM = ("beam_user", "hotpotqa_train", "locomo", "musique_train")
"""Folders of real vectors: MiniLM-L6 of sentences, 384 dimensions."""


def unit_vectors(rows: int, dim: int, shape: str, seed: int) -> F32:
    """Unit vectors float32 [rows, dim]: "uniform" on the sphere or "clustered".

    clustered: gaussian clusters whose sizes fall as 1 / (rank + 20); the noise has a spectrum of
    1 / sqrt(i), so that near neighbours are about 0.75 alike.
    """
    vectors = np.empty((rows, dim), np.float32)
    for start in range(0, rows, CHUNK):
        vectors[start : start + CHUNK] = chunk_of_vectors(rows, dim, shape, seed, start)
    return vectors


def chunk_of_vectors(rows: int, dim: int, shape: str, seed: int, start: int) -> F32:
    """Rows [start, start + CHUNK) of `unit_vectors`, without the others."""
    rng = np.random.default_rng([seed, rows, dim, start])
    part = rng.standard_normal((min(CHUNK, rows - start), dim), dtype=np.float32)
    if shape == "clustered":
        centres = np.random.default_rng([seed, dim]).standard_normal((CLUSTERS, dim), np.float32)
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        scale = 1 / np.sqrt(np.arange(1, dim + 1))
        part *= (SPREAD / np.linalg.norm(scale) * scale).astype(np.float32)
        odds = 1.0 / (np.arange(CLUSTERS) + 20)
        part += centres[rng.choice(CLUSTERS, len(part), p=odds / odds.sum())]
    part /= np.linalg.norm(part, axis=1, keepdims=True)
    return part


def minilm(folder: Path | None = None) -> tuple[F32, F32] | None:
    """Real unit vectors (rows [n, 384], questions [m, 384]); None where the data is absent."""
    folder = folder or Path(os.environ.get("REMANENCE_SHARED_DATA", "../shared/data"))
    found: dict[bool, list[F32]] = {True: [], False: []}
    for name in MINILM:
        for path in sorted(
            [*folder.glob(f"{name}/*.minilm.npy"), *folder.glob(f"{name}/*_text.npy")]
        ):
            found["questions" in path.name].append(np.load(path).astype(np.float32))
    if not found[True] or not found[False]:
        return None
    rows, questions = (np.concatenate(found[is_question]) for is_question in (False, True))
    rows = np.unique(rows[np.linalg.norm(rows, axis=1) > 0], axis=0)
    rows = np.random.default_rng(1).permutation(rows)
    return tuple(
        np.ascontiguousarray(v / np.linalg.norm(v, axis=1, keepdims=True))
        for v in (rows, questions)
    )  # type: ignore[return-value]


def queries_near(vectors: F32, count: int, seed: int) -> F32:
    """Unit vectors [count, dim], each beside a random row, as questions are."""
    rng = np.random.default_rng([seed, count])
    rows = vectors[rng.integers(0, len(vectors), count)]
    noise = rng.standard_normal(rows.shape, dtype=np.float32)
    found = rows + np.float32(0.5 / np.sqrt(vectors.shape[1])) * noise
    return np.ascontiguousarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def memory_columns(rows: int, seed: int) -> dict[str, Any]:
    """Columns of Engine.append but for id, terms and vectors: documents of the last two years."""
    rng = np.random.default_rng([seed, rows, 1])
    return {
        "scope": np.zeros(rows, np.uint32),
        "kind": np.full(rows, 2, np.uint8),
        "law": np.zeros(rows, np.uint8),
        "flags": np.zeros(rows, np.uint8),
        "author": np.zeros(rows, np.uint32),
        "session": np.zeros(rows, np.uint32),
        "length": np.full(rows, 20, np.uint16),
        "time": NOW - rng.integers(1, 2 * YEAR_NS, rows),
        "valid_from": np.full(rows, -(2**63), np.int64),
        "valid_to": np.full(rows, 2**63 - 1, np.int64),
        "belief": rng.uniform(0.5, 1.0, rows).astype(np.float32),
        "importance": rng.normal(0.0, 0.3, rows).astype(np.float32),
    }


def chunks(columns: dict[str, Any], vectors: F32) -> Iterator[tuple[int, dict[str, Any]]]:
    """(commit, keywords of Engine.append) for rows 1, 2, 3, ... in commits of one chunk."""
    rows = len(vectors)
    for commit, start in enumerate(range(0, rows, CHUNK), 1):
        part = slice(start, min(rows, start + CHUNK))
        size = part.stop - part.start
        yield (
            commit,
            {
                **{name: column[part] for name, column in columns.items()},
                "id": np.arange(start + 1, part.stop + 1),
                "terms": [""] * size,
                "vectors": vectors[part],
            },
        )


def texts(rows: int, seed: int, *, words: int = 16, vocabulary: int = 20_000) -> list[str]:
    """Texts of about `words` words; the words are made up and frequent ones are frequent (Zipf)."""
    rng = np.random.default_rng([seed, rows, 3])
    syllables = [first + last for first in "bdfgklmnprstvz" for last in "aeiou"]
    parts = rng.integers(0, len(syllables), (vocabulary, 3))
    known = ["".join(syllables[part] for part in word) for word in parts.tolist()]
    odds = 1.0 / np.arange(1, vocabulary + 1)
    drawn = rng.choice(vocabulary, size=(rows, words), p=odds / odds.sum()).tolist()
    sizes = rng.integers(words // 2, words + 1, rows).tolist()
    return [
        " ".join([known[word] for word in row[:size]]) + f" {number}"
        for number, (row, size) in enumerate(zip(drawn, sizes, strict=True))
    ]
