"""The store that the search verbs ask, and the judge of its answers: same ids, same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests import reference_decay

from remanence import Weights
from remanence._core import Engine, Hits, Request, decay

from . import data
from .data import NOW
from .harness import clocked

F = np.float32
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]
SEED = 11
ZERO = dict.fromkeys(Weights().to_dict(), 0.0)
WEIGHTS = {
    "cosine": Weights(**{**ZERO, "cosine": 1.0}),
    "fused": Weights(
        **{**ZERO, "cosine": 7.2, "centring": 1.0, "activation": 1.0, "importance": 1.0}
    ),
}
"""fused: cosine to the centred query + activation + importance; both add ln belief."""
NEAR = 2e-3
"""Nats that a score may be off in plain float32; all rows this near to the k-th are candidates."""


@dataclass(slots=True)
class Store:
    """The engine, and what it holds as arrays for the rivals and the judge."""

    engine: Engine
    vectors: F32
    """Unit vectors [n, d], bit for bit as the engine keeps them."""
    columns: dict[str, Any]
    touched: I64
    """When a row was accessed again, ns; 0 where it never was."""
    side: F32
    """Activation + importance: what re-ranking adds to the cosine [n]."""
    sums: dict[int, tuple[I64, int]] = field(default_factory=dict)
    compact_s: float = 0.0
    """Seconds in which the rows were compacted."""

    @property
    def log_belief(self) -> F32:
        """ln belief [n], canonical."""
        belief = self.columns["belief"].astype(np.float64)
        return reference_decay.canonical_log(belief).astype(F)

    def bytes_per_row(self) -> float:
        """All native memory of the engine over its rows."""
        stats = self.engine.stats()
        return sum(v for name, v in stats.items() if name.endswith("_bytes")) / stats["rows"]


def build(
    rows: int,
    dim: int,
    shape: str,
    vectors: F32 | None = None,
    backend: str = "cpu",
    **columns: Any,
) -> Store:
    """Rows of seeded data, or of `vectors`, a fifth of them accessed again; see `settle`."""
    found = data.unit_vectors(rows, dim, shape, SEED) if vectors is None else vectors
    certain = {"belief": np.ones(rows, F)}  # else no score is a plain cosine
    held = data.memory_columns(rows, SEED) | certain | columns
    engine = Engine(dim, backend)
    commit = 0
    for commit, batch in data.chunks(held, found):
        engine.append(commit, **batch)
    rng = np.random.default_rng([SEED, 2])
    again = np.sort(rng.choice(rows, rows // 5, replace=False))
    moments = held["time"][again]
    moments = moments + ((NOW - moments) * rng.uniform(0, 1, len(again))).astype(np.int64)
    engine.touch(
        commit + 1,
        id=again + 1,
        time=moments,
        weight=np.ones(len(again), np.float32),
        used=np.full(len(again), -1, np.int8),
    )
    touched = np.zeros(rows, np.int64)
    touched[again] = moments
    side = engine.activation(np.arange(1, rows + 1), NOW) + held["importance"]
    return Store(engine, units(found), held, touched, side)


def settle(store: Store, score: str) -> None:
    """Asks as the timed questions do, then compacts: rows are sorted for what was asked last."""
    store.engine.recall(request(store.vectors[0], score, 1, 1))
    store.compact_s, _ = clocked(store.engine.compact)


def lanes_dot(a: F32, b: F32) -> F32:
    """Canonical dot products of the rows of a [n, d] and b [n, d] or [d]: 16 sums, then a tree."""
    total = np.zeros((*a.shape[:-1], 16), F)
    for j in range(0, a.shape[-1], 16):
        product = a[..., j : j + 16] * b[..., j : j + 16]
        total[..., : product.shape[-1]] += product
    while total.shape[-1] > 1:
        half = total.shape[-1] // 2
        total = total[..., :half] + total[..., half:]
    return total[..., 0]


def units(vectors: F32) -> F32:
    """Vectors [n, d] divided by their canonical lengths."""
    out = np.empty_like(vectors)
    for start in range(0, len(vectors), data.CHUNK):
        part = vectors[start : start + data.CHUNK]
        out[start : start + data.CHUNK] = part / np.sqrt(lanes_dot(part, part))[:, None]
    return out


def query_of(store: Store, score: str, question: F32, scope: int | None = None) -> F32:
    """The query as the scan sees it: of length one, less the mean of the rows of its scope."""
    query = units(question[None])[0]
    share = F(WEIGHTS[score].centring)
    if share == 0:
        return query
    key = -1 if scope is None else scope
    if key not in store.sums:
        inside = np.ones(len(store.vectors), bool) if scope is None else scope_rows(store, scope)
        rows, total = np.flatnonzero(inside), np.zeros(len(question), np.int64)
        for start in range(0, len(rows), data.CHUNK):
            part = store.vectors[rows[start : start + data.CHUNK]]
            total += (part * F(2**30)).astype(np.int64).sum(axis=0)
        store.sums[key] = total, len(rows)
    total, count = store.sums[key]
    return query - share * (total.astype(np.float64) * (2.0**-30 / (count + 10.0))).astype(F)


def scope_rows(store: Store, scope: int) -> Mask:
    """Which rows lie in a scope [n]."""
    return np.asarray(store.columns["scope"] == scope)


def wanted(
    store: Store,
    score: str,
    questions: F32,
    k: int,
    inside: Mask | None = None,
    scope: int | None = None,
) -> list[tuple[I64, F32]]:
    """The judge's answers: (ids, scores) of the best k rows for each question, bit for bit."""
    queries = np.stack([query_of(store, score, q, scope) for q in questions])
    rows = np.arange(len(store.vectors)) if inside is None else np.flatnonzero(inside)
    vectors = store.vectors if inside is None else store.vectors[rows]
    rough = F(WEIGHTS[score].cosine) * (queries @ vectors.T)
    rough += (store.log_belief + (store.side if score == "fused" else 0))[rows]
    out = []
    for query, scores in zip(queries, rough, strict=True):
        count = min(k, len(rows))
        bar = np.partition(scores, len(scores) - count)[len(scores) - count] if count else 0
        candidates = rows[scores >= bar - NEAR]
        exact = scores_of(store, score, query, candidates)
        best = np.lexsort((candidates, -exact))[:count]
        out.append((candidates[best] + 1, exact[best]))
    return out


def scores_of(store: Store, score: str, query: F32, rows: I64) -> F32:
    """Canonical scores of some rows: every term in the order in which the engine adds them."""
    weights, total = WEIGHTS[score], np.zeros(len(rows), F)
    if weights.activation:
        total += F(weights.activation) * np.array([activation(store, int(r)) for r in rows], F)
    total += F(weights.importance) * store.columns["importance"][rows]
    belief = store.columns["belief"][rows].astype(np.float64)
    total += reference_decay.canonical_log(belief).astype(F)
    return total + F(weights.cosine) * lanes_dot(store.vectors[rows], query)


def activation(store: Store, row: int) -> np.float32:
    """PowerTrace of one row at NOW, canonical, from its history."""
    law = decay.PowerTrace()
    trace, last = np.ones(12, F), int(store.columns["time"][row])
    if store.touched[row]:
        trace, last = reference_decay.trace_add(
            trace, last, int(store.touched[row]), 1.0, law.TAUS_S
        )
    return reference_decay.trace_activation_f32(trace, last, NOW, law.weights, law.TAUS_S)


def equal(hits: Hits, answer: tuple[I64, F32]) -> bool:
    """The same ids in the same order, and the same bits of every score."""
    ids, scores = answer
    same = np.array_equal(hits.score.view(np.uint32), scores.view(np.uint32))
    return bool(np.array_equal(hits.id, ids) and same)


def request(question: F32, score: str, k: int, threads: int, **filters: Any) -> Request:
    """One recall of the benchmarks."""
    return Request(
        now=NOW, k=k, vector=question, weights=WEIGHTS[score], threads=threads, **filters
    )


def recall_many(engine: Engine, requests: Sequence[Request]) -> list[Hits]:
    """The engine's batch where it has one, else one recall after the other."""
    many = getattr(engine, "recall_many", None)
    return list(many(list(requests))) if many else [engine.recall(one) for one in requests]


def exact(
    store: Store, score: str, questions: F32, k: int, threads: Sequence[int], **filters: Any
) -> bool:
    """Whether every answer is the judge's for each number of threads, proved or not."""
    allow, scope = filters.get("allow"), filters.get("scopes")
    inside, chosen = None, None
    if allow is not None:
        inside = np.zeros(len(store.vectors), bool)
        inside[np.asarray(allow) - 1] = True
    if "kinds" in filters:
        inside = ((filters["kinds"] >> store.columns["kind"].astype(int)) & 1).astype(bool)
    if scope is not None:
        chosen = int(scope[0])
        inside = scope_rows(store, chosen)
    answers = wanted(store, score, questions, k, inside, chosen)
    for proved in (False, True):
        for count in threads:
            asked = [request(q, score, k, count, proved=proved, **filters) for q in questions]
            for one, answer in zip(asked, answers, strict=True):
                if not equal(store.engine.recall(one), answer):
                    return False
            if not all(map(equal, recall_many(store.engine, asked), answers)):
                return False
    return True
