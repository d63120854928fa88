"""open: seconds until a new process has its first recall, from a snapshot and by full replay."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import remanence

from . import data, judge
from .harness import ROOT, Report, Row, timing
from .recall import WEIGHTS

F32 = NDArray[np.float32]
SEED = 17
BATCH = 50_000
LARGE, LARGE_TARGET_S = 1_000_000, 3.0
RIVAL = "faiss.read_index"

# Runs in a process of its own: what is timed is a program that has just started.
CHILD = """
import json, sys, time
import numpy as np
import remanence
from benchmarks.recall import WEIGHTS
path, query, snapshot, now = sys.argv[1], sys.argv[2], sys.argv[3] == "1", int(sys.argv[4])
question = np.load(query)
start = time.perf_counter()
memory = remanence.open(path, embedder=None, snapshot=snapshot, read_only=True)
hits = memory.recall(vector=question, k=10, now=now, weights=WEIGHTS["cosine"])
seconds = time.perf_counter() - start
print(json.dumps({
    "seconds": seconds,
    "ids": [hit.id for hit in hits],
    "scores": [hit.score for hit in hits],
    "texts": [hit.text for hit in hits],
    "memories": memory.stats().memories,
    "snapshot": memory.stats().snapshot,
}))
"""
FAISS_CHILD = """
import json, sys, time
import faiss, numpy as np
question = np.load(sys.argv[2])
start = time.perf_counter()
index = faiss.read_index(sys.argv[1])
index.search(question[None], 10)
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")


def run(options: argparse.Namespace) -> Report:
    """Every size: build once, open in new processes."""
    if options.quick:
        options.rows, options.rounds = [10_000], 2
    report = Report("open", {"rows": options.rows, "dim": options.dim, "rounds": options.rounds})
    report.notes.append(
        "open and first recall in a new process, imports not counted, file cache warm"
    )
    for rows in options.rows:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            _size(report, Path(folder), rows, options)
    return report


def _size(report: Report, folder: Path, rows: int, options: argparse.Namespace) -> None:
    vectors = data.unit_vectors(rows, options.dim, "clustered", SEED)
    texts = data.texts(rows, SEED)
    question = data.queries_near(vectors, 1, SEED)[0]
    np.save(folder / "question.npy", question)
    path = folder / "open.rem"
    with remanence.open(path, embedder=None) as memory:
        for start in range(0, rows, BATCH):
            part = slice(start, start + BATCH)
            items = [{"text": text, "kind": "document"} for text in texts[part]]
            memory.add_many(items, vectors=vectors[part])
        memory.snapshot()
    _write_faiss(folder / "open.faiss", vectors)
    wanted = _wanted(vectors, question)
    runs: dict[str, list[dict[str, Any]]] = {"snapshot": [], "replay": [], RIVAL: []}
    for turn in range(options.rounds + 1):
        for mode in runs if turn % 2 else list(reversed(runs)):
            if mode == "replay" and turn > (1 if rows >= LARGE else options.rounds):
                continue
            answer = _child(mode, folder)
            if answer is not None and turn > 0:
                runs[mode].append(answer)
    rival = [one["seconds"] for one in runs[RIVAL]]
    for mode in ("snapshot", "replay"):
        seconds = timing([one["seconds"] for one in runs[mode]])
        value, spread = seconds.scaled(1.0)
        large = rows >= LARGE and mode == "snapshot"
        report.rows.append(
            Row(
                f"first recall n={rows} d={options.dim} by {mode}",
                "seconds",
                value,
                RIVAL,
                timing(rival).median if rival else None,
                spread=spread,
                checked=all(_right(one, mode, texts, wanted) for one in runs[mode]),
                target={"value_max": LARGE_TARGET_S} if large else {},
                reason=None if rival else "not installed: pip install 'remanence[bench]'",
                extra={"log_bytes": path.stat().st_size},
            )
        )


def _wanted(vectors: F32, question: F32) -> NDArray[np.float64]:
    exact = question.astype(np.float64)
    scores = vectors.astype(np.float64) @ (exact / np.linalg.norm(exact))
    return np.asarray(scores * WEIGHTS["cosine"].cosine)


def _right(
    answer: dict[str, Any], mode: str, texts: list[str], wanted: NDArray[np.float64]
) -> bool:
    """Whether the store was complete, opened as asked, and answered as the judge does."""
    rows = [memory - 1 for memory in answer["ids"]]
    return (
        answer["memories"] == len(texts)
        and (mode == "replay" or answer["snapshot"] == "current")
        and answer["texts"] == [texts[row] for row in rows]
        and judge.ties(rows, answer["scores"], wanted, judge.TOLERANCE)
    )


def _child(mode: str, folder: Path) -> dict[str, Any] | None:
    """What a new process measured; None where the rival is not installed."""
    question = str(folder / "question.npy")
    if mode == RIVAL:
        if importlib.util.find_spec("faiss") is None:
            return None
        arguments = [FAISS_CHILD, str(folder / "open.faiss"), question]
    else:
        flag = "1" if mode == "snapshot" else "0"
        arguments = [CHILD, str(folder / "open.rem"), question, flag, str(time.time_ns())]
    done = subprocess.run(
        [sys.executable, "-c", *arguments], capture_output=True, text=True, cwd=ROOT
    )
    if done.returncode:
        raise SystemExit(f"open: the measuring process failed\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _write_faiss(path: Path, vectors: F32) -> None:
    if importlib.util.find_spec("faiss") is None:
        return
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(path))
