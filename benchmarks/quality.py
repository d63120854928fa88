"""quality: evidence recall on real data beside BM25, cosine, their sum and its window."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import remanence
from remanence import models

from . import judge, judge_triples
from .evidence import (
    DEPTH,
    MEASURES,
    Dataset,
    baselines,
    measure,
    newer_above,
    paired,
    read_dataset,
    stored_vectors,
    unit_rows,
)
from .given import FILE, with_triples
from .harness import ROOT, Report, Row, timing

OURS, STATED = "remanence", "remanence, given triples"
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
        help="also ask without a term of the score, to see what it is worth (may be repeated; "
        "'each' for all of them)",
    )  # fmt: skip
    parser.add_argument(
        "--triples", action="store_true",
        help=f"also with the triples of {FILE}, where a folder has them (MiniLM vectors only)",
    )  # fmt: skip
    parser.add_argument("--groups", type=int, help="only the first N groups of each folder")


def run(options: argparse.Namespace) -> Report:
    """Every folder: one store, all questions, the table."""
    source = options.embedder or "minilm"
    if options.triples and options.embedder:
        raise SystemExit("quality: --triples needs the vectors beside the data, not --embedder")
    known = remanence.Weights().to_dict()
    if not set(options.drop) <= {*known, "each"}:
        raise SystemExit(f"quality: --drop takes one of {', '.join(sorted(known))}, each")
    if "each" in options.drop:
        options.drop = [name for name, value in known.items() if value and name != "bias"]
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
    with tempfile.TemporaryDirectory() as place:
        asked = _ask(data, units, questions, options, Path(place))
    if options.triples and (data.folder / FILE).exists():
        with tempfile.TemporaryDirectory() as place:
            given = replace(data, items=with_triples(data))
            alone = argparse.Namespace(**{**vars(options), "drop": []})
            asked[STATED] = _ask(given, units, questions, alone, Path(place))[OURS]
    seconds, checked = asked[OURS].seconds, asked[OURS].checked
    rankings |= {name: run.rankings for name, run in asked.items()}
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
    _newer(report, data, rankings, checked)
    _rows(report, data, measures, {name: one.checked for name, one in asked.items()})
    _worth(report, data, measures, asked)
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


@dataclass(slots=True)
class Run:
    """What one set of weights answered: rankings of DEPTH (whole groups where a value changed)."""

    rankings: list[list[int]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    checked: bool = True


def _ask(
    data: Dataset, units: F32, questions: F32, options: argparse.Namespace, folder: Path
) -> dict[str, Run]:
    """Load the units through the public API and ask, with all weights and without each dropped."""
    own = options.embedder is None
    kept = np.sort(np.concatenate(list(data.groups.values())))
    runs: dict[str, Run] = {}
    with remanence.open(
        folder / "quality.rem", embedder=None if own else options.embedder, snapshot=False
    ) as memory:
        ids = memory.add_many(
            [data.items[i] for i in kept], vectors=np.ascontiguousarray(units[kept])
        )
        place = {memory_id: index for index, memory_id in enumerate(ids.tolist())}
        room = judge_triples if "triples" in data.items[0] else judge
        check = room.Questions([data.items[i] for i in kept], units[kept])
        for term in [None, *options.drop]:
            weights = remanence.Weights(**({} if term is None else {term: 0.0}))
            check.weights = weights
            run = runs[OURS if term is None else f"without {term}"] = Run()
            for question in data.questions:
                scope = () if question.group is None else (str(question.group),)
                given = {"vector": questions[question.row], "scope": scope, "weights": weights}
                start = time.perf_counter()
                hits = memory.recall(question.text, k=DEPTH, **given)
                run.seconds.append(time.perf_counter() - start)
                answer = ([place[hit.id] for hit in hits], [hit.score for hit in hits])
                run.checked &= check.agrees(question.text, given["vector"], scope, *answer)
                if question.older:
                    hits = memory.recall(question.text, k=len(data.units), **given)
                run.rankings.append([int(kept[place[hit.id]]) for hit in hits])
    return runs


def _figures(measures: dict[str, Any], categories: NDArray[np.str_]) -> dict[str, Any]:
    """Means in percent: category -> number of questions and system -> measure -> value."""
    out = {}
    for category in _shown(categories):
        mask = _mask(categories, category)
        out[category] = {"questions": int(mask.sum())} | {
            name: dict(zip(MEASURES, np.round(100 * v[mask].mean(0), 2).tolist(), strict=True))
            for name, v in measures.items()
        }
    return out


def _shown(categories: NDArray[np.str_]) -> list[str]:
    """All, LoCoMo without its adversarial questions (5), and each category."""
    each = sorted(set(categories.tolist()))
    return ["all", *(["1-4"] if each == list("12345") else []), *each]


def _mask(categories: NDArray[np.str_], category: str) -> NDArray[np.bool_]:
    if category == "all":
        return np.full(len(categories), True)
    return categories != "5" if category == "1-4" else categories == category


def _tables(
    report: Report, data: Dataset, measures: dict[str, Any], categories: NDArray[np.str_]
) -> None:
    lines = []
    for category in _shown(categories):
        mask = _mask(categories, category)
        for index, (name, values) in enumerate(measures.items()):
            label = f"{category} ({mask.sum()})" if index == 0 else ""
            means = 100 * values[mask].mean(0)
            lines.append([label, name, *(f"{value:.1f}" for value in means)])
    report.tables.append(
        (f"{data.name}: macro %", ["category (questions)", "system", *MEASURES], lines)
    )


def _newer(
    report: Report, data: Dataset, rankings: dict[str, list[list[int]]], checked: bool
) -> None:
    """Where a value changed: how often the newer statement stands above the older one."""
    lines, share = [], {}
    for name, found in rankings.items():
        above = [
            newer_above(ranking, question)
            for ranking, question in zip(found, data.questions, strict=True)
            if question.older
        ]
        if not above:
            return
        share[name] = sum(map(bool, above)) / len(above)
        lines.append([name, f"{100 * share[name]:.0f}", f"{sum(map(bool, above))} of {len(above)}"])
    title = f"{data.name}: newer above older, %"
    report.tables.append((title, ["system", "newer above older", "pairs"], lines))
    report.rows.append(
        Row(
            f"{data.name} value that changed ({len(above)} pairs)",
            "newer above older",
            share[OURS],
            "cc",
            share["cc"],
            checked=checked,
            target={"ratio_min": 1.0},
            better="higher",
        )
    )


def _worth(report: Report, data: Dataset, measures: dict[str, Any], asked: dict[str, Run]) -> None:
    """What each dropped term is worth: the full score against the one without it."""
    for name in (name for name in asked if name not in (OURS, STATED)):
        for shown in SHOWN:
            column = MEASURES.index(shown)
            test = paired(measures[OURS][:, column], measures[name][:, column])
            report.notes.append(
                f"{data.name} {shown}: {name.removeprefix('without ')} is worth "
                f"{100 * test['gain']:+.1f} points [{100 * test['low']:+.1f}, "
                f"{100 * test['high']:+.1f}], p = {test['p']:.4f}"
                + ("" if asked[name].checked else " (not equal to the judge)")
            )


def _rows(
    report: Report, data: Dataset, measures: dict[str, Any], checked: dict[str, bool]
) -> None:
    """Against cc (the floor that the project asks for) and against the best baseline."""
    for ours in (name for name in (OURS, STATED) if name in checked):
        for name in SHOWN:
            column = MEASURES.index(name)
            mean = {system: float(v[:, column].mean()) for system, v in measures.items()}
            rivals = [s for s in mean if not s.startswith((OURS, "without "))]
            best = max(rivals, key=lambda system: mean[system])
            for rival in dict.fromkeys(["cc", best, *([] if ours == OURS else [OURS])]):
                test = paired(measures[ours][:, column], measures[rival][:, column])
                given = "" if ours == OURS else ", given triples"
                report.rows.append(
                    Row(
                        f"{data.name} all ({len(data.questions)} questions){given}",
                        name,
                        mean[ours],
                        rival,
                        mean[rival],
                        checked=checked[ours],
                        target={"ratio_min": 1.0} if rival == "cc" else {},
                        better="higher",
                        extra={"paired": test},
                    )
                )
                report.notes.append(
                    f"{data.name} {name}{given} - {rival}: {100 * test['gain']:+.1f} points "
                    f"[{100 * test['low']:+.1f}, {100 * test['high']:+.1f}], p = {test['p']:.4f}"
                )
