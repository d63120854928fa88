"""Vectors on their way in: a caller's own, or the embedder's, never two kinds in one store."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import models
from ..models import Embedder
from .arrays import on_host
from .errors import EmbedderMismatchError, InvalidArgumentError

EXTERNAL = "external"
"""The embedder of a store whose vectors are all the caller's own."""
CHUNK = 1024
"""Texts that are embedded at once."""

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of a batch: row[i] is the row of `array` for item i, or -1; None means in order."""

    array: F32 | None
    row: NDArray[np.int32] | None
    embedder: str | None


NO_VECTORS = Vectors(None, None, None)


class Embedding:
    """The embedder that a store was opened with, loaded when it is first needed."""

    def __init__(self, spec: str | Embedder | None, dim: int | None) -> None:
        self._spec = spec
        self._dim = dim
        self._loaded: Embedder | None = None
        self._lock = threading.Lock()

    def embedder(self, verb: str, recorded: str | None) -> Embedder | None:
        """The embedder to use on a store that records `recorded`, or None: no embedding.

        "default" follows the store, and is WordLlama for a new one. Raises
        EmbedderMismatchError if the store's vectors are of another embedder.
        """
        if self._spec is None or (self._spec == "default" and recorded == EXTERNAL):
            return None
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load(verb, recorded)
        found = self._loaded
        if found is not None and recorded not in (None, found.id):
            raise EmbedderMismatchError(
                f"{verb}: the store holds vectors of another embedder "
                f"(got {found.id}, want {recorded})"
            )
        return found

    def _load(self, verb: str, recorded: str | None) -> Embedder | None:
        found = models.load(self._spec)
        if self._spec != "default" or found is None or recorded in (None, found.id):
            return found
        try:
            return models.load(recorded)
        except (ValueError, ModuleNotFoundError) as error:
            raise EmbedderMismatchError(
                f"{verb}: the store holds vectors of {recorded}, which cannot be loaded ({error})"
            ) from error

    def owner(self, verb: str, recorded: str | None) -> str:
        """The id under which a caller's own vectors are stored."""
        if recorded is None and (self._spec is None or self._spec == "default"):
            return EXTERNAL
        if self._spec is None and recorded != EXTERNAL:
            raise EmbedderMismatchError(
                f"{verb}: the store holds vectors of an embedder (got a vector of your own, "
                f"want one of {recorded}; open the store with that embedder)"
            )
        found = self.embedder(verb, recorded)
        return EXTERNAL if found is None else found.id

    def for_batch(
        self,
        verb: str,
        texts: Sequence[str],
        given: Sequence[Any],
        recorded: tuple[str | None, int],
        report: Callable[[int], None],
    ) -> Vectors:
        """Vectors of a batch: what was given for each item (or None), else the embedder's.

        recorded: the store's embedder and dimension (0 = not yet fixed).
        """
        name, dim = recorded[0], recorded[1] or self._dim or 0
        if any(vector is not None for vector in given):
            owner = self.owner(verb, name)
            name = owner
        embedder = self.embedder(verb, name)
        missing = [i for i, vector in enumerate(given) if vector is None]
        rows: list[F32 | None] = [
            None if vector is None else check_vector(verb, vector, dim) for vector in given
        ]
        if embedder is not None and missing:
            name = embedder.id
            for start in range(0, len(missing), CHUNK):
                part = missing[start : start + CHUNK]
                for i, vector in zip(part, embed(embedder, [texts[i] for i in part]), strict=True):
                    rows[i] = vector
                report(start + len(part))
        held = [vector for vector in rows if vector is not None]
        if not held:
            return NO_VECTORS
        if len({len(vector) for vector in held}) > 1:
            sizes = sorted({len(vector) for vector in held})
            raise InvalidArgumentError(
                f"{verb}: vectors of different dimensions in one call (got {sizes})"
            )
        check_dim(verb, len(held[0]), dim)
        if len(held) == len(rows):
            return Vectors(np.stack(held), None, name)
        present = np.array([vector is not None for vector in rows])
        row = np.where(present, np.cumsum(present) - 1, -1).astype(np.int32)
        return Vectors(np.stack(held), row, name)

    def for_matrix(
        self, verb: str, vectors: Any, count: int, recorded: tuple[str | None, int]
    ) -> Vectors:
        """A caller's float32 [count, dim], taken as it is."""
        name, dim = recorded[0], recorded[1] or self._dim or 0
        array = check_matrix(verb, vectors, count)
        if count == 0:
            return NO_VECTORS
        check_dim(verb, array.shape[1], dim)
        return Vectors(array, None, self.owner(verb, name))

    def for_query(self, verb: str, query: str, recorded: tuple[str | None, int]) -> F32 | None:
        """The vector of a question; None where the store has no vectors to compare it with."""
        if recorded[0] is None:
            return None
        embedder = self.embedder(verb, recorded[0])
        return None if embedder is None else embed(embedder, [query])[0]


def embed(embedder: Embedder, texts: Sequence[str]) -> list[F32 | None]:
    """One vector per text; None where a text has no direction (no known word in it)."""
    array = np.ascontiguousarray(embedder.embed(texts), dtype=np.float32)
    if array.shape != (len(texts), embedder.dim):
        raise InvalidArgumentError(
            f"embed: {embedder.id} returned a wrong shape "
            f"(got {array.shape}, want {(len(texts), embedder.dim)})"
        )
    usable = np.isfinite(array).all(axis=1) & (np.abs(array).max(axis=1, initial=0.0) > 1e-12)
    return [row if good else None for row, good in zip(array, usable.tolist(), strict=True)]


def check_vector(verb: str, vector: Any, dim: int) -> F32:
    """One vector as float32 [dim]; only plain Python numbers are converted."""
    if isinstance(vector, list | tuple):
        try:
            with np.errstate(over="ignore"):
                vector = np.array(vector, dtype=np.float32)
        except (TypeError, ValueError):
            raise InvalidArgumentError(f"{verb}: vector must hold numbers only") from None
    vector = on_host(verb, "vector", vector)
    _check_dtype(verb, "vector", vector)
    if vector.ndim != 1 or not len(vector):
        raise InvalidArgumentError(
            f"{verb}: vector has the wrong shape (got {vector.shape}, want ({dim or 'dim'},))"
        )
    check_dim(verb, len(vector), dim)
    _check_values(verb, vector)
    return np.ascontiguousarray(vector)


def check_matrix(verb: str, vectors: Any, count: int) -> F32:
    vectors = on_host(verb, "vectors", vectors)
    _check_dtype(verb, "vectors", vectors)
    if vectors.ndim != 2 or vectors.shape[0] != count or vectors.shape[1] == 0:
        raise InvalidArgumentError(
            f"{verb}: vectors have the wrong shape (got {vectors.shape}, want ({count}, dim))"
        )
    _check_values(verb, vectors)
    return np.ascontiguousarray(vectors)


def check_dim(verb: str, got: int, want: int) -> None:
    if want and got != want:
        raise InvalidArgumentError(
            f"{verb}: vector has the wrong dimension (got {got}, want {want})"
        )


def _check_dtype(verb: str, name: str, array: Any) -> None:
    if not isinstance(array, np.ndarray):
        raise InvalidArgumentError(
            f"{verb}: {name} must be a NumPy array (got {type(array).__name__})"
        )
    if array.dtype != np.float32:
        raise InvalidArgumentError(
            f"{verb}: {name} has the wrong dtype (got {array.dtype}, want float32; "
            f"use {name}.astype(numpy.float32))"
        )


def _check_values(verb: str, array: F32) -> None:
    # A sum is finite only if every element is, and needs no array of flags; it may overflow.
    if array.ndim == 1:
        whole = math.isfinite(np.vdot(array, array))
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            whole = np.isfinite(array.sum(dtype=np.float64))
    if not whole and not np.isfinite(array).all():
        raise InvalidArgumentError(f"{verb}: vector holds NaN or infinity (want finite numbers)")


def recorded(connection: sqlite3.Connection) -> tuple[str | None, int]:
    """(embedder id, dimension) that the store holds; (None, 0) before the first vector."""
    rows = connection.execute("SELECT key, value FROM meta WHERE key IN ('embedder', 'dim')")
    found = dict(rows)
    return found.get("embedder"), int(found.get("dim", 0))
