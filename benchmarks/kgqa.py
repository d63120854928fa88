"""kgqa: questions of two and three hops, given their topic and relations, against gold answers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from remanence import Graph

from .harness import ROOT, Report, Row, clocked, timing

QUESTIONS = {
    "PQ-2H": "2H-kb", "PQ-3H": "3H-kb", "PQL-2H": "PQL2-KB", "PQL-3H": "PQL3-KB",
    "PQL-3H_more": "PQL3-KB",
}  # fmt: skip
"""Each file of questions and the facts that answer it."""
FOLDER = ROOT.parent / "shared" / "data" / "kgqa_pathquestion"

Question = tuple[str, tuple[str, ...], frozenset[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=FOLDER, help="kgqa_pathquestion"
    )


def run(options: argparse.Namespace) -> Report:
    """Every question of every file; right is an answer with all gold names and no other."""
    report = Report("kgqa", {})
    for name, base in QUESTIONS.items():
        if not (options.folder / "raw").is_dir():
            reason = "no kgqa_pathquestion in the shared data"
            report.rows.append(Row(name, "answered", None, reason=reason))
            continue
        questions = list(read_questions(options.folder / "raw" / f"{name}.txt"))
        graph = graph_of(options.folder / "raw" / f"{base}.txt")
        found = [clocked(lambda g=graph, q=q: answer(g, q)) for q in questions]
        right = [names == q[2] for (_, names), q in zip(found, questions, strict=True)]
        case = f"{name} ({len(questions)} questions)"
        report.rows.append(
            Row(case, "answered", sum(right) / len(right), checked=True, better="higher",
                target={"value_min": 1.0})
        )  # fmt: skip
        value, spread = timing([seconds for seconds, _ in found]).scaled(1e6)
        report.rows.append(Row(case, "p50_us", value, spread=spread, checked=all(right)))
    return report


def graph_of(path: Path) -> Graph:
    """The facts of a file, a triple in each line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    facts = (line.split("\t") for line in lines)
    return Graph([(subject, relation, thing) for subject, relation, thing in facts])


def read_questions(path: Path) -> Iterator[Question]:
    """(topic entity, relations, gold answers) of each question."""
    for line in path.read_text(encoding="utf-8").splitlines():
        _, gold, way = line.split("\t")
        steps = way.split("#")
        steps = steps[: steps.index("<end>")] if "<end>" in steps else steps
        names = gold[len(steps[-1]) + 1 : -1].split("/")
        yield steps[0], tuple(steps[1::2]), frozenset(filter(None, names))


def answer(graph: Graph, question: Question) -> set[str]:
    """The names that the relations lead to from the topic."""
    topic, relations, _ = question
    pattern = graph.match(subject=topic, predicate=relations[0])
    for relation in relations[1:]:
        pattern = pattern.out(relation)
    return {row.end for row in pattern}
