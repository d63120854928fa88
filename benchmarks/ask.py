"""ask: a full question, from its words to the text of ten hits, beyond the embedding."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

import remanence
from remanence.memory import recall as recall_

from .data import NOW, queries_near, texts, unit_vectors
from .harness import Report, Row, timing

K, DIM, SESSION, DAY_NS = 10, 384, 20, 86_400 * 10**9
TARGETS = {100_000: 1.5, 1_000_000: 5.0}
"""Milliseconds that the project allows at the median, by turns."""
OUTSIDE_MS = 0.3
LINKS, CUES, MOST_LIFT = 3, 3, 4.0
"""Links of each turn to any other, and memories that a question with cues names."""
F32 = NDArray[np.float32]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--turns", type=int, nargs="+", default=[100_000], metavar="N")
    parser.add_argument("--questions", type=int, default=200)


def run(options: argparse.Namespace) -> Report:
    """Every size: one store of turns, the questions, one thread."""
    sizes = [5000] if options.quick else options.turns
    report = Report("ask", {"turns": sizes, "dim": DIM, "k": K, "threads": 1})
    before = remanence.threads()
    remanence.set_threads(1)
    try:
        for turns in sizes:
            _size(report, turns, 50 if options.quick else options.questions)
    finally:
        remanence.set_threads(before)
    return report


def _items(turns: int) -> list[dict[str, Any]]:
    """Dialogues of twenty turns, two voices each, one dialogue an hour."""
    names = ("Ana", "Ben", "Caroline", "Davi", "Eve", "Filipa")
    said = texts(turns, 1)
    out = []
    for i, text in enumerate(said):
        session, turn = divmod(i, SESSION)
        voice = names[(session + turn % 2) % len(names)]
        text += "?" if turn % 4 == 0 else ""
        when = NOW - DAY_NS * 400 + session * 3600 * 10**9
        out.append({"text": text, "author": voice, "session": f"s{session}", "time": when})
    return out


def _size(report: Report, turns: int, count: int) -> None:
    vectors = unit_vectors(turns, DIM, "clustered", 1)
    items = _items(turns)
    near = queries_near(vectors, count, 2)
    rng = np.random.default_rng(3)
    rows = rng.integers(0, turns, count)
    asked = [
        f"When did {items[row]['author']} talk about {' '.join(items[row]['text'].split()[:6])}?"
        for row in rows
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        remanence.open(Path(folder) / "ask.rem", embedder=None, snapshot=False) as memory,
    ):
        ids = []
        for start in range(0, turns, 50_000):
            part = slice(start, start + 50_000)
            ids.append(memory.add_many(items[part], vectors=vectors[part]))
        del items, vectors
        _warm(memory, asked, near)
        whole, native, checked = _ask(memory, asked, near)
        with_cues = _with_cues(memory, np.concatenate(ids), asked, near)
    case = f"question n={turns} d={DIM} k={K} threads=1"
    outside = [w - n for w, n in zip(whole, native, strict=True)]
    for metric, seconds, most in (
        ("p50_ms", whole, TARGETS.get(turns)),
        ("native p50_ms", native, None),
        ("outside the native call p50_ms", outside, OUTSIDE_MS),
    ):
        value, spread = timing(seconds).scaled(1e3)
        target = {} if most is None else {"value_max": most}
        report.rows.append(Row(case, metric, value, spread=spread, checked=checked, target=target))
    seconds, right = with_cues
    value, spread = timing(seconds).scaled(1e3)
    linked = f"question with {CUES} cues, {LINKS * turns} links n={turns} d={DIM} k={K} threads=1"
    report.rows.append(Row(linked, "p50_ms", value, spread=spread, checked=right))


def _with_cues(
    memory: remanence.Memory, ids: NDArray[np.int64], asked: list[str], near: F32
) -> tuple[list[float], bool]:
    """(seconds of each question, whether what spread from its cues is near the exact walk's).

    Near: by less than a quarter of a memory's share of all links, as the core promises.
    """
    rng = np.random.default_rng(4)
    for _ in range(LINKS):
        source, target = ids, rng.permutation(ids)
        apart = source != target
        columns = {"source": source[apart], "target": target[apart]}
        memory.link_many({**columns, "type": ["near"] * int(apart.sum())})
    seconds, right = [], True
    for i, (question, vector) in enumerate(zip(asked, near, strict=True)):
        cues = rng.choice(ids, CUES, replace=False)
        start = time.perf_counter()
        found = memory.recall(question, vector=vector, cues=cues, k=K, now=NOW, explain=True)
        seconds.append(time.perf_counter() - start)
        if i % 20 == 0:
            reached, lift = memory._store.view.engine.spread(cues)
            exact = dict(zip(reached.tolist(), lift.tolist(), strict=True))
            right &= all(_near(hit, exact.get(hit.id, 0.0)) for hit in found)
    return seconds, right


def _near(hit: remanence.Hit, exact: float) -> bool:
    lift = (hit.terms or {}).get("spreading", 0.0) / remanence.Weights().spreading
    return abs(np.exp(lift) - np.exp(max(exact, 0.0))) <= 0.25 or lift == exact == MOST_LIFT


def _warm(memory: remanence.Memory, asked: list[str], near: F32) -> None:
    for question, vector in zip(asked[:20], near, strict=False):
        memory.recall(question, vector=vector, k=K, now=NOW)


class _Timed:
    """The engine, with a clock around its recall."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.seconds, self.request, self.hits = engine, 0.0, None, None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def recall(self, request: Any) -> Any:
        start = time.perf_counter()
        self.request, self.hits = request, self.engine.recall(request)
        self.seconds = time.perf_counter() - start
        return self.hits


def _ask(
    memory: remanence.Memory, asked: list[str], near: F32
) -> tuple[list[float], list[float], bool]:
    """(seconds of each question, of its native call, whether hits are the engine's and whole).

    Checked: the bounds lose nothing (`proved` scans every row), and texts are those of `get`.
    """
    view = memory._store.view
    whole, native, checked = [], [], True
    timed = _Timed(view.engine)
    with patch.object(view, "engine", timed):
        for i, (question, vector) in enumerate(zip(asked, near, strict=True)):
            start = time.perf_counter()
            found = memory.recall(question, vector=vector, k=K, now=NOW)
            whole.append(time.perf_counter() - start)
            native.append(timed.seconds)
            checked &= found.ids == timed.hits.id.tolist() and len(found) == K
            if i % 10 == 0:
                checked &= _same_without_bounds(memory, question, vector, found)
    return whole, native, checked


def _same_without_bounds(
    memory: remanence.Memory, question: str, vector: F32, found: remanence.Recall
) -> bool:
    """The same question with every row scored exactly gives the same ids and bits."""
    real = recall_.Request
    with patch.object(recall_, "Request", lambda **given: real(**given, proved=True)):
        exact = memory.recall(question, vector=vector, k=K, now=NOW)
    same = [(h.id, h.score) for h in exact] == [(h.id, h.score) for h in found]
    return same and all(memory.get(hit.id).text == hit.text for hit in found)
