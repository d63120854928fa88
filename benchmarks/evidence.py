"""Evidence recall: data folders, the measures, the baselines and paired significance."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remanence.text import tokens

MEASURES = ("recall@2", "recall@5", "recall@10", "all@5", "nDCG@10")
DEPTH = 10
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the group it is asked in and the positions of the units that answer it.

    older, newer: units with the value that was given first and with the one that replaced it.
    """

    text: str
    group: str | None
    category: str
    gold: tuple[int, ...]
    row: int
    older: tuple[int, ...] = ()
    newer: tuple[int, ...] = ()


@dataclass(slots=True)
class Dataset:
    """A folder of units.jsonl and questions.jsonl, optionally with vectors beside them."""

    folder: Path
    units: list[dict[str, Any]]
    questions: list[Question]
    left_out: int
    groups: dict[str | None, NDArray[np.int64]]
    items: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def conversation(self) -> bool:
        """Whether the units are turns, so that the turn before and after mean something."""
        return any(author_of(unit) for unit in self.units)


def read_dataset(folder: Path, *, groups: int | None = None) -> Dataset:
    """Read a folder of the data format; `groups` keeps only the first so many groups."""
    units = read_lines(folder / "units.jsonl")
    rows = read_lines(folder / "questions.jsonl")
    index = {str(unit["id"]): position for position, unit in enumerate(units)}
    if len(index) < len(units):
        raise SystemExit(f"quality: {folder.name}: two units share an id")
    members: dict[str | None, list[int]] = defaultdict(list)
    for position, unit in enumerate(units):
        members[unit.get("group")].append(position)
    kept = list(members)[:groups]
    questions, left_out = [], 0
    for row, raw in enumerate(rows):
        if raw.get("group") not in kept:
            continue
        gold = tuple(dict.fromkeys(index[str(g)] for g in raw.get("gold", []) if str(g) in index))
        if not gold:
            left_out += 1
            continue
        category = str(raw.get("cat", "all"))
        roles = raw.get("roles") or {}
        older, newer = (
            tuple(index[str(unit)] for unit in roles.get(role, []) if str(unit) in index)
            for role in ("original_info", "updated_info")
        )
        if set(older) == set(newer):
            older = newer = ()
        question = Question(raw["text"], raw.get("group"), category, gold, row, older, newer)
        questions.append(question)
    arrays = {name: np.array(members[name], np.int64) for name in kept}
    return Dataset(folder, units, questions, left_out, arrays, [item_of(unit) for unit in units])


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a jsonl file; a malformed line is named."""
    found = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise SystemExit(f"quality: {path.name}, line {number}: {error}") from None
    return found


def author_of(unit: dict[str, Any]) -> str | None:
    """Who said it: the speaker or the role."""
    return unit.get("speaker") or unit.get("role")


def item_of(unit: dict[str, Any]) -> dict[str, Any]:
    """The unit as Memory.add_many takes it."""
    author = author_of(unit)
    session = unit.get("session", unit.get("batch"))
    group = unit.get("group")
    return {
        "text": unit["text"],
        "kind": "episodic" if author else "document",
        "scope": () if group is None else (str(group),),
        "author": author,
        "session": None if session is None else str(session),
        "time": unit.get("t"),
    }


def stored_vectors(folder: Path, stem: str, count: int) -> NDArray[np.float32]:
    """Unit vectors float32 [count, d] from `<stem>.minilm.npy`."""
    array = np.load(folder / f"{stem}.minilm.npy")
    if array.shape[0] != count:
        raise SystemExit(f"quality: {stem}.minilm.npy has {array.shape[0]} rows, want {count}")
    return unit_rows(array.astype(np.float32))


def unit_rows(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length one; a row of zeros stays."""
    norms = np.linalg.norm(array, axis=1, keepdims=True)
    return np.ascontiguousarray(array / np.where(norms > 0, norms, 1), dtype=np.float32)


# --- Measures ----------------------------------------------------------------------------------


def measure(ranking: Sequence[int], gold: Sequence[int]) -> tuple[float, ...]:
    """MEASURES of one ranking of positions, best first."""
    wanted = set(gold)
    found = [position in wanted for position in ranking[:DEPTH]]
    recall = {k: sum(found[:k]) / len(wanted) for k in (2, 5, 10)}
    gain = sum(1 / np.log2(rank + 2) for rank, hit in enumerate(found) if hit)
    best = sum(1 / np.log2(rank + 2) for rank in range(min(DEPTH, len(wanted))))
    return (recall[2], recall[5], recall[10], float(recall[5] == 1), float(gain / best))


def newer_above(ranking: Sequence[int], question: Question) -> bool | None:
    """Whether the best unit with the newer value stands above the best with the older one.

    ranking: of the whole group. None where the question is not about a value that changed.
    """
    if not question.older or not question.newer:
        return None
    place = {position: rank for rank, position in enumerate(ranking)}
    first, last = (
        min(place.get(unit, len(place)) for unit in units)
        for units in (question.newer, question.older)
    )
    return first < last


def paired(first: F64, second: F64, *, seed: int = 7, rounds: int = 10_000) -> dict[str, float]:
    """Mean difference per question, its 95 % bootstrap interval and a sign-flip p (two-sided)."""
    difference = first - second
    rng = np.random.default_rng(seed)
    count = len(difference)
    draws = np.array([difference[rng.integers(0, count, count)].mean() for _ in range(rounds // 5)])
    mean = float(difference.mean())
    extreme = 0
    for _ in range(rounds // 1000):
        signs = rng.choice((-1.0, 1.0), size=(1000, count))
        extreme += int((np.abs(signs @ difference) / count >= abs(mean) - 1e-12).sum())
    low, high = np.quantile(draws, (0.025, 0.975))
    return {
        "gain": mean,
        "low": float(low),
        "high": float(high),
        "p": (extreme + 1) / (rounds + 1),
    }


# --- Baselines ---------------------------------------------------------------------------------


class BM25:
    """Lucene's BM25 (no k1 + 1 in the numerator) over one group of texts."""

    def __init__(self, documents: Sequence[Sequence[str]], k1: float = 1.5, b: float = 0.75):
        self.count = len(documents)
        lengths = np.array([len(document) for document in documents], np.float64)
        norm = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9))
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for position, document in enumerate(documents):
            for word, times in Counter(document).items():
                postings[word].append((position, times))
        self._weights = {}
        for word, found in postings.items():
            rows = np.array([position for position, _ in found])
            counts = np.array([times for _, times in found], np.float64)
            idf = np.log(1 + (self.count - len(rows) + 0.5) / (len(rows) + 0.5))
            self._weights[word] = (rows, idf * counts / (counts + norm[rows]))

    def scores(self, query: Sequence[str]) -> F64:
        """Score of every text, float64 [count]."""
        scores = np.zeros(self.count)
        for word in query:
            if word in self._weights:
                rows, weights = self._weights[word]
                scores[rows] += weights
        return scores


def min_max(scores: F64) -> F64:
    """Scaled to [0, 1]; zeros where all are equal."""
    low, high = scores.min(), scores.max()
    return np.asarray((scores - low) / (high - low) if high > low else np.zeros_like(scores))


def with_neighbour(scores: F64) -> F64:
    """Each turn plus half of the better of the turns before and after it."""
    before = np.concatenate([[0.0], scores[:-1]])
    after = np.concatenate([scores[1:], [0.0]])
    return scores + 0.5 * np.maximum(before, after)


def baselines(
    data: Dataset, units: NDArray[np.float32] | None, questions: NDArray[np.float32] | None
) -> dict[str, list[list[int]]]:
    """Rankings of every baseline, per question, of its whole group.

    bm25, cosine, cc and, for turns, cc + neighbour:
    cc = 0.5 min-max BM25 + 0.5 min-max cosine over the question's group.
    """
    texts = [tokens(unit["text"]) for unit in data.units]
    index = {name: BM25([texts[i] for i in rows]) for name, rows in data.groups.items()}
    rankings: dict[str, list[list[int]]] = defaultdict(list)
    for question in data.questions:
        rows = data.groups[question.group]
        words = index[question.group].scores(tokens(question.text))
        scores = {"bm25": words}
        if units is not None and questions is not None:
            cosine = (units[rows] @ questions[question.row]).astype(np.float64)
            scores["cosine"] = cosine
            scores["cc"] = 0.5 * min_max(words) + 0.5 * min_max(cosine)
            if data.conversation:
                first, second = (min_max(with_neighbour(min_max(part))) for part in (words, cosine))
                scores["cc + neighbour"] = 0.5 * first + 0.5 * second
        for name, values in scores.items():
            rankings[name].append(rows[np.argsort(-values, kind="stable")].tolist())
    return dict(rankings)
