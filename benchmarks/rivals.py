"""Other people's vector search behind one call each: built, searched and tuned in one place."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .harness import clocked

F32 = NDArray[np.float32]
Search = Callable[[F32, int], NDArray[np.int64]]
"""(queries [b, d], k) -> rows [b, k], nearest first, -1 where there are no more."""
INSTALL = "not installed: pip install 'remanence[bench]'"
EXACT = ("faiss.IndexFlatIP", "faiss SQ8 flat", "numpy")
GRAPHS = ("faiss HNSW32", "hnswlib M16", "usearch i8", "faiss IVF-PQFastScan+refine")


@dataclass(slots=True)
class Rival:
    """An index over vectors by inner product."""

    name: str
    search: Search
    effort: Callable[[int], None]
    """How many candidates it looks at: ef of a graph, probes of lists; nothing if exact."""
    efforts: tuple[int, ...]
    index: Any
    build_s: float


def missing(name: str) -> str | None:
    """Why a rival cannot run here; None if it can."""
    package = name.split()[0].split(".")[0]
    package = "usearch.index" if package == "usearch" else package
    try:
        importlib.import_module(package)
    except ImportError:
        return INSTALL
    return None


def build(names: Iterable[str], vectors: F32, threads: int) -> dict[str, Rival]:
    """The rivals that are installed."""
    out = {}
    for name in names:
        if missing(name) is None:
            make = MAKERS["faiss" if name.startswith("faiss") else name.split()[0]]
            seconds, rival = clocked(lambda make=make, name=name: make(name, vectors, threads))
            rival.build_s = seconds
            out[name] = rival
    return out


def _faiss(name: str, vectors: F32, threads: int) -> Rival:
    import faiss

    faiss.omp_set_num_threads(threads)
    n, dim = vectors.shape
    lists = max(4, int(2 * np.sqrt(n)))
    recipe, effort, efforts = {
        "faiss.IndexFlatIP": ("Flat", None, (0,)),
        "faiss SQ8 flat": ("SQ8", None, (0,)),
        "faiss HNSW32": ("HNSW32", "efSearch", (16, 64, 128, 256, 512)),
        "faiss IVF-PQFastScan+refine": (
            f"IVF{lists},PQ{dim // 2}x4fs,Refine(SQ8)", "nprobe", (8, 32, 128)
        ),
    }[name]  # fmt: skip
    index = faiss.index_factory(dim, recipe, faiss.METRIC_INNER_PRODUCT)
    if recipe == "HNSW32":
        index.hnsw.efConstruction = 80
    if not index.is_trained:
        index.train(vectors[:: max(1, n // (64 * lists))])
    index.add(vectors)
    space = faiss.ParameterSpace()

    def set_effort(value: int) -> None:
        if effort == "efSearch":
            index.hnsw.efSearch = value
        elif effort is not None:
            space.set_index_parameter(index, "nprobe", min(value, lists))
            space.set_index_parameter(index, "k_factor_rf", 16)

    return Rival(
        name, lambda queries, k: index.search(queries, k)[1], set_effort, efforts, index, 0.0
    )


def _hnswlib(name: str, vectors: F32, threads: int) -> Rival:
    import hnswlib

    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(len(vectors), ef_construction=100, M=16, random_seed=1)
    index.set_num_threads(threads)
    index.add_items(vectors)

    def search(queries: F32, k: int) -> NDArray[np.int64]:
        return np.asarray(index.knn_query(queries, k)[0], dtype=np.int64)

    return Rival(name, search, index.set_ef, (64, 128, 256, 512), index, 0.0)


def _usearch(name: str, vectors: F32, threads: int) -> Rival:
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="i8")
    index.add(np.arange(len(vectors)), vectors, threads=threads)

    def search(queries: F32, k: int) -> NDArray[np.int64]:
        keys = index.search(queries, k, threads=threads).keys
        return np.atleast_2d(np.asarray(keys)).astype(np.int64)

    def effort(value: int) -> None:
        index.expansion_search = value

    return Rival(name, search, effort, (64, 128, 512), index, 0.0)


def _numpy(name: str, vectors: F32, threads: int) -> Rival:
    del threads

    def search(queries: F32, k: int) -> NDArray[np.int64]:
        scores = queries @ vectors.T
        best = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1)
        return np.take_along_axis(best, order, 1)

    return Rival(name, search, lambda _: None, (0,), vectors, 0.0)


MAKERS: dict[str, Callable[[str, F32, int], Rival]] = {
    "faiss": _faiss,
    "hnswlib": _hnswlib,
    "usearch": _usearch,
    "numpy": _numpy,
}


def rerank(rival: Rival, store: Any, score: str, query: F32, k: int, fetched: int) -> Any:
    """What users of a vector index do: fetch the nearest, add the other terms, keep the best k."""
    rows = rival.search(query[None], fetched)[0]
    rows = rows[rows >= 0]
    scores = store.vectors[rows] @ query
    if score == "fused":
        scores = np.float32(7.2) * scores + store.side[rows]
    return rows[best_of(scores, k)]


def best_of_all(store: Any, query: F32, k: int) -> Any:
    """The fused answer without an index: one product with every row."""
    return best_of(np.float32(7.2) * (store.vectors @ query) + store.side, k)


def best_of(scores: F32, k: int) -> Any:
    """Positions of the k highest, highest first."""
    best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
    return best[np.argsort(-scores[best])]
