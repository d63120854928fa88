"""Micro-benchmarks of a question, and the measures and baselines against figures known before."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import remanence
from benchmarks import evidence, judge
from benchmarks.__main__ import main

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
DATA = Path(os.environ.get("REMANENCE_SHARED_DATA", BESIDE))

# Measured before this package existed, with another implementation: recall@5, recall@10 in percent.
KNOWN = {
    "beam_user": {"bm25": (54.2, 63.0), "cosine": (55.6, 63.4), "cc": (57.5, 66.1)},
    "hotpotqa_train": {"bm25": (77.5, 89.0), "cosine": (78.5, 85.0), "cc": (82.0, 91.0)},
    "locomo": {
        "bm25": (47.9, 56.6),
        "cosine": (37.6, 47.2),
        "cc": (54.1, 63.6),
        "cc + neighbour": (62.2, 72.6),
    },
    "musique_train": {"bm25": (45.8, 54.0), "cosine": (66.5, 75.0), "cc": (56.5, 70.0)},
}
TURNS = [
    ("Ada", "Where did you spend your holiday?"),
    ("Grace", "In Lisbon, the trams were wonderful."),
    ("Ada", "I adopted a grey cat called Turing last week."),
    ("Grace", "Lovely! Does he like the garden?"),
    ("Ada", "He sleeps on the compiler manual instead."),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with turns, a document, a question without gold and a category of its own."""
    units: list[dict[str, Any]] = [
        {"id": f"t{i}", "text": text, "group": "g", "speaker": who, "session": 1,
         "t": f"2024-05-{i + 1:02}T10:00:00"}
        for i, (who, text) in enumerate(TURNS)
    ]  # fmt: skip
    units.append({"id": "d", "text": "Turing\nA paper on machines.", "group": "h", "title": "x"})
    questions = [
        {"id": "q0", "text": "Where did Grace go?", "group": "g", "cat": "place", "gold": ["t1"]},
        {"id": "q1", "text": "What is Ada's cat called?", "group": "g", "cat": 7, "gold": ["t2"]},
        {"id": "q2", "text": "Who won?", "group": "g", "gold": []},
        {"id": "q3", "text": "What is the paper about?", "group": "h", "gold": ["d", "d"]},
    ]
    for name, rows in (("units", units), ("questions", questions)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        vectors = np.random.default_rng(1).standard_normal((len(rows), 16))
        np.save(tmp_path / f"{name}.minilm.npy", vectors.astype(np.float16))
    return tmp_path


def test_measures_of_a_ranking() -> None:
    recall2, recall5, recall10, all5, ndcg = evidence.measure([9, 4, 7, 1, 2, 3], [4, 3])
    assert (recall2, recall5, recall10, all5) == (0.5, 0.5, 1.0, 0.0)
    best = 1 + 1 / np.log2(3)
    assert ndcg == pytest.approx((1 / np.log2(3) + 1 / np.log2(7)) / best)


def test_significance_knows_equal_from_better() -> None:
    rng = np.random.default_rng(2)
    first = rng.random(200)
    same = evidence.paired(first, first[rng.permutation(200)])
    better = evidence.paired(first + 0.2, first + rng.normal(0, 0.1, 200))
    assert same["p"] > 0.05
    assert same["low"] < 0 < same["high"]
    assert better["p"] < 0.001
    assert better["low"] > 0.1


def test_any_folder_of_the_format_works(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", str(folder), "--vectors", "minilm"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    result = json.loads(last)
    assert set(result["tables"][folder.name]) == {"all", "7", "place"}
    assert result["tables"][folder.name]["all"]["questions"] == 3
    assert "1 questions without gold" in " ".join(result["notes"])
    assert all(row["checked"] for row in result["rows"])


def test_given_triples_are_judged_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stated = [["Ada", "adopted", "a grey cat"], ["a grey cat", "is called", "Turing"], ["broken"]]
    lines = [{"unit": "t2", "triples": stated}, {"unit": "d", "triples": [["Turing", "is", "I"]]}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "triples.jsonl").write_text(text, encoding="utf-8")
    names = [["ada", "adopted", "a grey cat"], ["a grey cat", "is called", "turing"]]
    (folder / "triples_text.ids.json").write_text(json.dumps(names), encoding="utf-8")
    np.save(folder / "triples_text.npy", np.eye(2, 16, dtype=np.float16))
    with pytest.raises(SystemExit, match="--triples needs the vectors beside the data"):
        main(["quality", str(folder), "--embedder", "default", "--triples"])
    assert main(["quality", str(folder), "--triples"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "remanence, given triples" in result["tables"][folder.name]["all"]
    assert sum("given triples" in row["case"] for row in result["rows"]) >= 4
    assert all(row["checked"] for row in result["rows"])


def test_dropping_a_term_changes_what_is_measured(folder: Path) -> None:
    with pytest.raises(SystemExit, match="--drop takes one of"):
        main(["quality", str(folder), "--drop", "luck"])
    assert main(["quality", str(folder), "--drop", "lexical", "--json"]) == 0


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_baselines_reproduce_known_figures(name: str) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"no {DATA / name}")
    found = evidence.read_dataset(DATA / name)
    units = evidence.stored_vectors(found.folder, "units", len(found.units))
    asked = evidence.read_lines(found.folder / "questions.jsonl")
    questions = evidence.stored_vectors(found.folder, "questions", len(asked))
    for system, rankings in evidence.baselines(found, units, questions).items():
        if system in KNOWN[name]:
            measures = [
                evidence.measure(ranking, question.gold)
                for ranking, question in zip(rankings, found.questions, strict=True)
            ]
            means = 100 * np.mean(measures, axis=0)[1:3]
            np.testing.assert_allclose(means, KNOWN[name][system], atol=0.06)


def test_question(benchmark: Any, tmp_path: Path) -> None:
    """A question over 1,000 turns: understanding, two passes and the texts of ten hits."""
    items = [
        {"text": f"{text} {n}", "author": who, "session": str(n // 20), "scope": ("g",),
         "kind": "episodic", "time": "2024-05-01T10:00:00"}
        for n in range(1000)
        for who, text in [TURNS[n % len(TURNS)]]
    ]  # fmt: skip
    rng = np.random.default_rng(3)
    vectors = evidence.unit_rows(rng.standard_normal((1000, 384)).astype(np.float32))
    with remanence.open(tmp_path / "q.rem", embedder=None) as memory:
        memory.add_many(items, vectors=vectors)
        text, vector = "What did Ada adopt last week?", vectors[7]
        hits = benchmark(memory.recall, text, vector=vector, k=10, scope=("g",))
        check = judge.Questions(items, vectors)
        ids, scores = [hit.id - 1 for hit in hits], [hit.score for hit in hits]
        assert check.agrees(text, vector, ("g",), ids, scores)
        assert not check.agrees(text, vector, ("g",), ids[::-1], scores)
