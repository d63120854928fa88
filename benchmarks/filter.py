"""filter: the fused query among few of many rows: by ids, by kind, by scope; beside rivals."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np

from . import data, fused, rivals
from .fused import SEED, Mask, Store
from .harness import Report, Row, alternate, progress
from .recall import STRETCH

RARE, COMMON = 3, 1  # kinds: procedural and semantic
TENANT_ROWS = 10_000
FLAT, HNSW, IVF, NUMPY = "faiss.IndexFlatIP", "faiss HNSW32", "faiss IVF-PQFastScan", "numpy"
CALLBACK = "hnswlib M16"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1, help="of us and of every rival")
    parser.add_argument("--data", choices=["clustered", "uniform"], default="clustered")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--graph-rows", type=int, default=100_000, help="rows of graph rivals")


def run(options: argparse.Namespace) -> Report:
    """Ids and kinds of 1 % and 20 %, and one tenant, each beside what others offer."""
    if options.quick:
        options.rows, options.rounds, options.questions = 20_000, 5, 4
        options.graph_rows = 3_000
    names = ("rows", "graph_rows", "dim", "k", "threads", "data", "rounds")
    report = Report("filter", {name: getattr(options, name) for name in names})
    store = stored(options.rows, options)
    exact = _index(FLAT, store, options)
    for name, (inside, filters) in progress(list(_filters(store, options.rows).items()), "filter"):
        others = {
            FLAT: _faiss_case(exact, inside) if exact else None,
            NUMPY: _numpy_case(store, inside, options.k),
        }
        _measure(report, store, name, inside, filters, others, options)
    if len(store.vectors) > options.graph_rows:
        store = stored(options.graph_rows, options)
    indexes = {name: _index(name, store, options) for name in (HNSW, CALLBACK, IVF)}
    for name, (inside, filters) in _filters(store, options.rows).items():
        others = {n: _faiss_case(i, inside) if i else None for n, i in indexes.items()}
        if name.startswith("ids"):
            _measure(report, store, name, inside, filters, others, options)
    report.notes.append(
        "rivals search by plain cosine, less work than the fused score; recall@10 is against the "
        "exact cosine within the filter. A tenant's rows come scattered among those of others. "
        f"{STRETCH} questions follow each other; after_rivals_ms is the first of them"
    )
    return report


def stored(rows: int, options: argparse.Namespace) -> Store:
    """Rows of random kinds and tenants: 1 % procedural, 20 % semantic, tenants of 10,000."""
    rng = np.random.default_rng([SEED, 7])
    kind = rng.choice([RARE, COMMON, 2], rows, p=[0.01, 0.2, 0.79]).astype(np.uint8)
    scope = rng.integers(0, max(1, rows // TENANT_ROWS), rows).astype(np.uint32)
    store = fused.build(rows, options.dim, options.data, kind=kind, scope=scope)
    fused.settle(store, "fused")
    return store


def _filters(store: Store, rows: int) -> dict[str, tuple[Mask, dict[str, Any]]]:
    """name -> (rows inside, arguments of the request)."""
    rng = np.random.default_rng([SEED, 8])
    n, kinds = len(store.vectors), store.columns["kind"]
    few = rng.random(n) < 0.01
    many = rng.random(n) < 0.2
    out: dict[str, tuple[Mask, dict[str, Any]]] = {
        "ids 1 %": (few, {"allow": np.flatnonzero(few) + 1}),
        "ids 20 %": (many, {"allow": np.flatnonzero(many) + 1}),
    }
    if n == rows:
        out |= {
            "kind 1 %": (kinds == RARE, {"kinds": 1 << RARE}),
            "kind 20 %": (kinds == COMMON, {"kinds": 1 << COMMON}),
            "tenant": (fused.scope_rows(store, 0), {"scopes": np.zeros(1, np.uint32)}),
        }
    return out


def _index(name: str, store: Store, options: argparse.Namespace) -> rivals.Rival | None:
    full = f"{IVF}+refine" if name == IVF else name
    found = rivals.build([full], store.vectors, options.threads)
    if name == IVF and full in found:
        found[full].effort(128)
    elif full in found:
        found[full].effort(512)
    return found.get(full)


def _numpy_case(store: Store, inside: Mask, k: int) -> Callable[[Any], Any]:
    rows = np.flatnonzero(inside)

    def ask(query: Any) -> Any:
        scores = np.float32(7.2) * (store.vectors[rows] @ query) + store.side[rows]
        return rows[rivals.best_of(scores, k)]

    return ask


def _faiss_case(rival: rivals.Rival, inside: Mask) -> Callable[[Any], Any] | None:
    """One filtered search of k = 10; None where the rival cannot filter."""
    if rival.name == CALLBACK:
        keep = inside.tolist()
        return lambda q: rival.index.knn_query(q[None], 10, filter=keep.__getitem__)[0][0]
    import faiss

    selector = faiss.IDSelectorBitmap(np.packbits(inside, bitorder="little"))
    made = {
        "HNSW": lambda: faiss.SearchParametersHNSW(sel=selector, efSearch=512),
        "Flat": lambda: faiss.SearchParameters(sel=selector),
    }
    kind = next((key for key in made if key in rival.name), None)
    if kind is None:
        return None
    parameters = made[kind]()
    return lambda q: rival.index.search(q[None], 10, params=parameters)[1][0]


def _measure(
    report: Report, store: Store, name: str, inside: Mask, filters: dict[str, Any],
    others: dict[str, Callable[[Any], Any] | None], options: argparse.Namespace,
) -> None:  # fmt: skip
    questions = data.queries_near(store.vectors[inside], options.questions, SEED)
    checked = fused.exact(store, "fused", questions, options.k, {1, 2, options.threads}, **filters)
    requests = [fused.request(q, "fused", options.k, options.threads, **filters) for q in questions]
    turn = cycle(requests)
    cases: dict[str, Any] = {"remanence": lambda: store.engine.recall(next(turn))}
    for rival, ask in others.items():
        if ask is not None:
            own = cycle(questions)
            cases[rival] = lambda ask=ask, own=own: ask(next(own))
    timings = alternate(cases, options.rounds, warm_up=2, stretch=STRETCH)
    value, spread = timings["remanence"].scaled(1e3)
    n, large = len(store.vectors), len(store.vectors) >= 1_000_000 and options.threads == 1
    goal = 0.06 if name == "tenant" else 0.5 if name.endswith(" 1 %") else None
    for rival, ask in others.items():
        reason = None if ask is not None else rivals.missing(rival) or "has no filter"
        found = None if ask is None or rival == NUMPY else _recall(store, inside, questions, ask)
        report.rows.append(
            Row(
                f"fused, {name} ({int(inside.sum())} rows) n={n} d={store.vectors.shape[1]} "
                f"{options.data} threads={options.threads}",
                "p50_ms", value, rival,
                timings[rival].scaled(1e3)[0] if rival in timings else None,
                spread=spread, checked=checked,
                target={"value_max": goal} if large and goal else {}, reason=reason,
                extra={
                    "rival_recall": found, "after_rivals_ms": timings["remanence"].first * 1e3,
                },
            )
        )  # fmt: skip


def _recall(store: Store, inside: Mask, questions: Any, ask: Callable[[Any], Any]) -> float:
    """A rival's share of the ten nearest within the filter."""
    rows = np.flatnonzero(inside)
    best = [rows[rivals.best_of(store.vectors[rows] @ q, 10)].tolist() for q in questions]
    found = [set(np.asarray(ask(q)).tolist()) for q in questions]
    return float(np.mean([len(set(b) & f) / len(b) for b, f in zip(best, found, strict=True)]))
