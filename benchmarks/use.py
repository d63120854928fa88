"""use: what feedback does to evidence that was asked for, to the rest, and to other groups."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import remanence

from .evidence import DEPTH, Dataset, Question, measure, paired, read_dataset, stored_vectors
from .harness import ROOT, Report, Row

SHOWN = ("MRR", "recall@5", "recall@10")
DAY_NS = 86_400 * 10**9
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR",
        help="units, questions and their *.minilm.npy (default: ../shared/data/locomo)",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="times each question is asked (3)")
    parser.add_argument("--seed", type=int, default=0)


def run(options: argparse.Namespace) -> Report:
    """Half of the questions asked with feedback; then one group teaches all others."""
    beside = os.environ.get("REMANENCE_SHARED_DATA", ROOT.parent / "shared" / "data")
    folder = options.folder or Path(beside) / "locomo"
    report = Report("use", {"rounds": options.rounds, "seed": options.seed})
    if not (folder / "units.minilm.npy").exists():
        report.notes.append("no data: name a folder with units, questions and their vectors")
        return report
    data = read_dataset(folder, groups=2 if options.quick else None)
    trial = _Trial(data, options.seed)
    rounds = 1 if options.quick else options.rounds
    _touched_and_untouched(report, trial, rounds)
    _one_teaches_the_others(report, trial)
    return report


class _Trial:
    """The data of one run: a store for each trial, asked with the stored vectors."""

    def __init__(self, data: Dataset, seed: int) -> None:
        self.data = data
        count = len(np.load(data.folder / "questions.minilm.npy", mmap_mode="r"))
        self.questions = stored_vectors(data.folder, "questions", count)
        self.units = stored_vectors(data.folder, "units", len(data.units))
        self.rng = np.random.default_rng(seed)
        self.now = 1_720_000_000 * 10**9

    def open(self, folder: str) -> remanence.Memory:
        memory = remanence.open(Path(folder) / "use.rem", embedder=None, snapshot=False)
        memory.add_many(self.data.items, vectors=self.units)
        return memory

    def recall(self, memory: remanence.Memory, question: Question, **options: Any) -> Any:
        scope = () if question.group is None else (str(question.group),)
        vector = self.questions[question.row]
        return memory.recall(
            question.text, vector=vector, k=DEPTH, scope=scope, now=self.now, **options
        )

    def figures(self, memory: remanence.Memory, asked: Sequence[Question], **options: Any) -> F64:
        """SHOWN of each question, [n, 3]."""
        rows = []
        for question in asked:
            positions = [id - 1 for id in self.recall(memory, question, **options).ids]
            first = next((1 / rank for rank, p in enumerate(positions, 1) if p in question.gold), 0)
            rows.append((first, *measure(positions, question.gold)[1:3]))
        return np.array(rows)

    def ask(self, memory: remanence.Memory, asked: Sequence[Question]) -> None:
        """Ask each question once, in random order, and say which hits were evidence."""
        for index in self.rng.permutation(len(asked)):
            question = asked[index]
            self.now += DAY_NS // 10
            hits = self.recall(memory, question)
            gold = [hit for hit in hits if hit.id - 1 in question.gold]
            rest = [hit for hit in hits if hit.id - 1 not in question.gold]
            memory.touch(gold, used=True, now=self.now)
            memory.touch(rest, used=False, now=self.now)


def _replays(memory: remanence.Memory) -> bool:
    """The answers rest on what the log says: a replay from nothing gives the same bits."""
    return memory.verify().ok


def _touched_and_untouched(report: Report, trial: _Trial, rounds: int) -> None:
    order = trial.rng.permutation(len(trial.data.questions))
    half = len(order) // 2
    parts = {
        "touched": [trial.data.questions[i] for i in order[:half]],
        "untouched": [trial.data.questions[i] for i in order[half:]],
    }
    with tempfile.TemporaryDirectory() as folder, trial.open(folder) as memory:
        before = {name: trial.figures(memory, asked) for name, asked in parts.items()}
        for _ in range(rounds):
            trial.ask(memory, parts["touched"])
        after = {name: trial.figures(memory, asked) for name, asked in parts.items()}
        plain = remanence.Weights()
        kept = {name: trial.figures(memory, a, weights=plain) for name, a in parts.items()}
        checked = _replays(memory)
        weights, found = memory.weights(), memory.stats().calibration
    for name, asked in parts.items():
        for column, measured in enumerate(SHOWN):
            test = paired(after[name][:, column], before[name][:, column])
            rival = float(before[name][:, column].mean())
            # Touched evidence must rise; the rest may fall by a point at most.
            least = rival + 1e-9 if name == "touched" else rival - 0.01
            report.rows.append(
                Row(
                    f"{name} ({len(asked)} questions)", measured,
                    float(after[name][:, column].mean()), "before feedback", rival,
                    checked=checked, target={"value_min": least}, better="higher",
                    extra={"paired": test, "default_weights": float(kept[name][:, column].mean())},
                )
            )  # fmt: skip
            report.notes.append(
                f"{name} {measured}: {100 * test['gain']:+.1f} points "
                f"[{100 * test['low']:+.1f}, {100 * test['high']:+.1f}], p = {test['p']:.4f}; "
                f"with the default weights {100 * (kept[name][:, column].mean() - rival):+.1f}"
            )
    report.rows.append(
        Row(
            f"p_use, {found.used + found.unused} outcomes", "log loss", found.loss,
            "without learning", found.default_loss, checked=checked, target={"ratio_min": 1.0},
        )
    )  # fmt: skip
    report.rows.append(
        Row("p_use", "calibration error", found.error, checked=checked, target={"value_max": 0.05})
    )
    report.notes.append(repr(weights))


def _one_teaches_the_others(report: Report, trial: _Trial) -> None:
    """Weights learned on one group, asked in all others of a store that nobody touched."""
    groups = list(trial.data.groups)
    asked = {g: [q for q in trial.data.questions if q.group == g] for g in groups}
    with tempfile.TemporaryDirectory() as folder, trial.open(folder) as fresh:
        before = {g: trial.figures(fresh, asked[g]) for g in groups}
        gains: list[F64] = []
        lines, checked = [], True
        for teacher in groups:
            with tempfile.TemporaryDirectory() as own, trial.open(own) as memory:
                trial.ask(memory, asked[teacher])
                learned = remanence.Weights(**memory.weights().learned)
                checked &= _replays(memory)
            others = [g for g in groups if g != teacher]
            gain = np.concatenate(
                [trial.figures(fresh, asked[g], weights=learned) - before[g] for g in others]
            )
            gains.append(gain)
            lines.append([str(teacher), *(f"{100 * x:+.2f}" for x in gain.mean(axis=0))])
    report.tables.append(("learned on one, asked on the others: points", ["on", *SHOWN], lines))
    every = np.concatenate(gains)
    worst = np.min([gain.mean(axis=0) for gain in gains], axis=0)
    for column, measured in enumerate(SHOWN):
        test = paired(every[:, column], np.zeros(len(every)))
        report.rows.append(
            Row(
                f"other groups ({len(every)} questions)", f"{measured} gain", test["gain"],
                checked=checked, target={"value_min": -0.01}, better="higher",
                extra={"paired": test, "worst_teacher": float(worst[column])},
            )
        )  # fmt: skip
        report.notes.append(
            f"other groups {measured}: {100 * test['gain']:+.1f} points "
            f"[{100 * test['low']:+.1f}, {100 * test['high']:+.1f}]; "
            f"worst teacher {100 * worst[column]:+.1f}"
        )
