"""quality: evidence recall on real data beside BM25, cosine, their sum and its window."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import remanence
from remanence import models

from . import judge
from .evidence import (
    DEPTH,
    MEASURES,
    Dataset,
    baselines,
    measure,
    paired,
    read_dataset,
    stored_vectors,
    unit_rows,
)
from .harness import ROOT, Report, Row, timing

OURS = "remanence"
SHOWN = ("recall@5", "recall@10")
F32 = NDArray[np.float32]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="DIR",
        help="folders with units.jsonl and questions.jsonl (default: those in ../shared/data)",
    )  # fmt: skip
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--vectors", choices=["minilm"], help="the *.minilm.npy beside the data")
    group.add_argument("--embedder", help="an embedder by name, for example default")
    parser.add_argument(
        "--drop", action="append", default=[], metavar="TERM",
        help="leave a term of the score out (may be repeated)",
    )  # fmt: skip
    parser.add_argument("--groups", type=int, help="only the first N groups of each folder")


def run(options: argparse.Namespace) -> Report:
    """Every folder: one store, all questions, the table."""
    source = options.embedder or "minilm"
    known = set(remanence.Weights().to_dict())
    if not set(options.drop) <= known:
        raise SystemExit(f"quality: --drop takes one of {', '.join(sorted(known))}")
    report = Report(
        "quality",
        {"vectors": source, **({"drop": options.drop} if options.drop else {})},
    )
    folders = options.folders or _data_folders()
    if not folders:
        report.notes.append("no data: name folders with units.jsonl and questions.jsonl")
    for folder in folders[:1] if options.quick else folders:
        groups = 1 if options.quick else options.groups
        _folder(report, read_dataset(folder, groups=groups), options)
    return report


def _data_folders() -> list[Path]:
    beside = ROOT.parent / "shared" / "data"
    place = Path(os.environ.get("REMANENCE_SHARED_DATA", beside))
    return sorted(
        path.parent
        for path in place.glob("*/questions.jsonl")
        if (path.parent / "units.minilm.npy").exists()
    )


def _folder(report: Report, data: Dataset, options: argparse.Namespace) -> None:
    units, questions = _vectors(data, options.embedder)
    rankings = baselines(data, units, questions)
    with tempfile.TemporaryDirectory() as folder:
        ours, seconds, checked = _ask(data, units, questions, options, Path(folder))
    rankings[OURS] = ours
    measures = {
        name: np.array([
            measure(ranking, question.gold)
            for ranking, question in zip(found, data.questions, strict=True)
        ])
        for name, found in rankings.items()
    }  # fmt: skip
    categories = np.array([question.category for question in data.questions])
    report.extra.setdefault("tables", {})[data.name] = _figures(measures, categories)
    _tables(report, data, measures, categories)
    _rows(report, data, measures, checked)
    value, spread = timing(seconds).scaled(1e3)
    report.rows.append(
        Row(f"{data.name} recall k={DEPTH}", "p50_ms", value, spread=spread, checked=checked)
    )
    if data.left_out:
        report.notes.append(f"{data.name}: {data.left_out} questions without gold left out")


def _vectors(data: Dataset, embedder: str | None) -> tuple[F32, F32]:
    """Unit vectors of the units and of all questions of the file, [rows, dim]."""
    if embedder is None:
        if not (data.folder / "units.minilm.npy").exists():
            raise SystemExit(
                f"quality: no vectors in {data.folder} (want units.minilm.npy and "
                "questions.minilm.npy, or --embedder default)"
            )
        count = len(np.load(data.folder / "questions.minilm.npy", mmap_mode="r"))
        return (
            stored_vectors(data.folder, "units", len(data.units)),
            stored_vectors(data.folder, "questions", count),
        )
    model = models.load(embedder)
    if model is None:
        raise SystemExit(f"quality: no embedder {embedder!r}")
    asked = unit_rows(model.embed([question.text for question in data.questions]))
    questions = np.zeros((max(q.row for q in data.questions) + 1, model.dim), np.float32)
    questions[[question.row for question in data.questions]] = asked
    return unit_rows(model.embed([unit["text"] for unit in data.units])), questions


def _ask(
    data: Dataset, units: F32, questions: F32, options: argparse.Namespace, folder: Path
) -> tuple[list[list[int]], list[float], bool]:
    """Load the units through the public API and ask; (rankings, seconds, equal to the judge)."""
    weights = remanence.Weights(**dict.fromkeys(options.drop, 0.0)) if options.drop else None
    own = options.embedder is None
    kept = np.sort(np.concatenate(list(data.groups.values())))
    rankings, seconds, equal = [], [], True
    with remanence.open(
        folder / "quality.rem", embedder=None if own else options.embedder, snapshot=False
    ) as memory:
        ids = memory.add_many(
            [data.items[i] for i in kept], vectors=np.ascontiguousarray(units[kept])
        )
        position = dict(zip(ids.tolist(), kept.tolist(), strict=True))
        check = judge.Questions([data.items[i] for i in kept], units[kept], weights)
        place = {memory_id: index for index, memory_id in enumerate(ids.tolist())}
        for question in data.questions:
            scope = () if question.group is None else (str(question.group),)
            vector = questions[question.row]
            start = time.perf_counter()
            hits = memory.recall(
                question.text, vector=vector, k=DEPTH, scope=scope, weights=weights
            )
            seconds.append(time.perf_counter() - start)
            answer = ([place[hit.id] for hit in hits], [hit.score for hit in hits])
            equal &= check.agrees(question.text, vector, scope, *answer)
            rankings.append([position[hit.id] for hit in hits])
    return rankings, seconds, equal


def _figures(measures: dict[str, Any], categories: NDArray[np.str_]) -> dict[str, Any]:
    """Means in percent: category -> number of questions and system -> measure -> value."""
    out = {}
    for category in ["all", *sorted(set(categories.tolist()))]:
        mask = _mask(categories, category)
        out[category] = {"questions": int(mask.sum())} | {
            name: dict(zip(MEASURES, np.round(100 * v[mask].mean(0), 2).tolist(), strict=True))
            for name, v in measures.items()
        }
    return out


def _mask(categories: NDArray[np.str_], category: str) -> NDArray[np.bool_]:
    return np.full(len(categories), True) if category == "all" else categories == category


def _tables(
    report: Report, data: Dataset, measures: dict[str, Any], categories: NDArray[np.str_]
) -> None:
    lines = []
    for category in ["all", *sorted(set(categories.tolist()))]:
        mask = _mask(categories, category)
        for index, (name, values) in enumerate(measures.items()):
            label = f"{category} ({mask.sum()})" if index == 0 else ""
            means = 100 * values[mask].mean(0)
            lines.append([label, name, *(f"{value:.1f}" for value in means)])
    report.tables.append(
        (f"{data.name}: macro %", ["category (questions)", "system", *MEASURES], lines)
    )


def _rows(report: Report, data: Dataset, measures: dict[str, Any], checked: bool) -> None:
    """Against cc (the floor that the project asks for) and against the best baseline."""
    for name in SHOWN:
        column = MEASURES.index(name)
        mean = {system: float(v[:, column].mean()) for system, v in measures.items()}
        best = max((s for s in mean if s != OURS), key=lambda system: mean[system])
        for rival in dict.fromkeys(["cc", best]):
            test = paired(measures[OURS][:, column], measures[rival][:, column])
            report.rows.append(
                Row(
                    f"{data.name} all ({len(data.questions)} questions)",
                    name,
                    mean[OURS],
                    rival,
                    mean[rival],
                    checked=checked,
                    target={"ratio_min": 1.0} if rival == "cc" else {},
                    better="higher",
                    extra={"paired": test},
                )
            )
            report.notes.append(
                f"{data.name} {name} - {rival}: {100 * test['gain']:+.1f} points "
                f"[{100 * test['low']:+.1f}, {100 * test['high']:+.1f}], p = {test['p']:.4f}"
            )
