"""The judge of the benchmarks: the rules of tests/reference.py as float64 arrays, hence fast."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

import remanence
from remanence.text import (
    DATED,
    QUESTION,
    TIME_EXPRESSION,
    UPDATE,
    AuthorNames,
    ExtractContext,
    Extraction,
    NameFinder,
    RuleExtractor,
    Stored,
    Turn,
    name_key,
    understand,
)

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# The recipe of the score; docs/architecture.md gives the sources.
K1, B, TYPICAL_WORDS, IDF_POWER = 1.5, 0.75, 40.0, 1.25
SEEDS, MEAN_SHRINKAGE, SESSION_SIZE, DATE_DAYS = 50, 10.0, 20.0, 14.0
NEWER_REACH, NEWER_MOVES, NEWER_SHARED, NEWER_SHARED_DATED = 5, 3, 0.2, 0.4
TOLERANCE = 2e-4
"""Nats by which a float32 sum of a dozen terms may differ from float64."""
DAY_NS = 86_400 * 10**9


def ties(ids: Sequence[int], scores: Sequence[float], wanted: F64, tolerance: float) -> bool:
    """Whether an answer equals the judge's: every score, the order, and none better left out.

    wanted: the judge's score of every row, float64 [n], -inf for rows that must not come back;
    ids are positions in it.
    """
    exact = wanted[list(ids)]
    if len(set(ids)) != len(ids) or not np.isfinite(exact).all():
        return False
    if len(ids) == 0:
        return not np.isfinite(wanted).any()
    rest = np.delete(wanted, list(ids))
    bound = rest.max(initial=-np.inf)
    same = np.abs(exact - np.asarray(scores, np.float64)).max() <= tolerance
    ordered = bool((np.diff(exact) <= tolerance).all())
    return bool(same and ordered and bound <= exact.min() + tolerance)


def activation(times: NDArray[np.int64], accesses: F64, now: int, law: Any) -> F64:
    """PowerTrace in float64 from the whole history: ln sum_k w_k sum_j b_j exp(-age_j / tau_k).

    times, accesses: ns and weights of the accesses, [accesses of a row, rows].
    """
    ages = np.minimum((now - times) * 1e-9, 1e9)
    total = np.zeros(ages.shape[1])
    for weight, tau in zip(law.weights, law.TAUS_S, strict=True):
        total += weight * (accesses * np.exp(-ages / tau)).sum(axis=0)
    return np.asarray(np.log(np.maximum(total, 2.0**-100)))


class Questions:
    """Scores questions over the items of one store, as the engine should."""

    def __init__(
        self,
        items: Sequence[dict[str, Any]],
        vectors: F32,
        weights: remanence.Weights | None = None,
    ) -> None:
        self.weights = weights or remanence.Weights()
        self.vectors = vectors.astype(np.float64)
        self.scopes = np.array([":".join(item["scope"]) for item in items])
        self.turn = np.array([item["kind"] == "episodic" for item in items])
        self.document = np.array([item["kind"] == "document" for item in items])
        names = [item["author"] for item in items]
        self.authors = {n: i + 1 for i, n in enumerate(dict.fromkeys(filter(None, names)))}
        self.author = np.array([self.authors.get(name or "", 0) for name in names])
        self.names = AuthorNames(self.authors)
        self.times = np.array([_ns(item["time"]) for item in items], np.float64)
        years = {item["time"][:4] for item in items if item["time"]}
        if any(item["time"] is None for item in items):
            years.add(str(datetime.now(UTC).year))
        self.years = sorted(int(year) for year in years)
        self._extract(items)

    def _extract(self, items: Sequence[dict[str, Any]]) -> None:
        turns = [
            Turn(item["text"], item["kind"], item["scope"], item["session"], item["author"])
            for item in items
        ]
        found = RuleExtractor().extract(turns, ExtractContext())
        self.documents = [words_of(extraction.terms) for extraction in found]
        self.values = [values_of(extraction.terms) for extraction in found]
        flags = np.array([extraction.flags for extraction in found])
        self.question = (flags & QUESTION) > 0
        self.when = (flags & TIME_EXPRESSION) > 0
        self.update, self.dated = (flags & UPDATE) > 0, (flags & DATED) > 0
        self.length = np.log1p(np.minimum([extraction.length for extraction in found], 20))
        links = [link for extraction in found for link in extraction.links]
        # All items are new, so every end is a position among them.
        ends = [
            (link.source, link.target, link.type)
            for link in links
            if not isinstance(link.source, Stored) and not isinstance(link.target, Stored)
        ]
        paired = {frozenset((s, t)) for s, t, kind in ends if kind == "answers"}
        self.beside: dict[int, list[int]] = defaultdict(list)
        for source, target, kind in ends:
            if kind == "next" and frozenset((source, target)) not in paired:
                self.beside[source].append(target)
                self.beside[target].append(source)
        keys = [(turn.scope, turn.session) if turn.session is not None else None for turn in turns]
        self.sessions: dict[Any, NDArray[np.int64]] = {
            key: np.array([i for i, other in enumerate(keys) if other == key])
            for key in set(keys) - {None}
        }
        self.session_of = keys
        self._subjects(items, found)

    def _subjects(self, items: Sequence[dict[str, Any]], found: Sequence[Extraction]) -> None:
        """Who is about a name of its scope, and who mentions it."""
        self.about: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.mention: dict[tuple[str, str], list[int]] = defaultdict(list)
        for position, extraction in enumerate(found):
            for name in {name_key(subject) for subject in extraction.subjects}:
                self.about[str(self.scopes[position]), name].append(position)
        self.finder = NameFinder(name for _, name in self.about)
        for position, item in enumerate(items):
            for name in self.finder.find(item["text"]):
                if (str(self.scopes[position]), name) in self.about:
                    self.mention[str(self.scopes[position]), name].append(position)

    def scores(self, text: str, vector: F32, scope: tuple[str, ...]) -> F64:
        """Score of every item, float64 [n]; -inf outside the scope."""
        inside = self._inside(scope)
        return self._lifted(text, self._linked(text, vector, inside), inside)

    def _linked(self, text: str, vector: F32, inside: NDArray[np.bool_]) -> F64:
        """Own evidence and one hop of links."""
        evidence = self._own_evidence(text, vector, inside) + self._subject(text)
        own = np.where(inside, evidence, -np.inf)
        return own + self._one_hop(own, inside)

    def agrees(self, text: str, vector: F32, scope: tuple[str, ...], ids: Sequence[int],
               scores: Sequence[float]) -> bool:  # fmt: skip
        """Whether an answer (positions of items, scores) equals the judge's, up to float ties."""
        return ties(ids, scores, self.scores(text, vector, scope), TOLERANCE)

    def _inside(self, scope: tuple[str, ...]) -> NDArray[np.bool_]:
        if not scope:
            return np.full(len(self.turn), True)
        name = ":".join(scope)
        return np.array([s == name or s.startswith(name + ":") for s in self.scopes])

    def _own_evidence(self, text: str, vector: F32, inside: NDArray[np.bool_]) -> F64:
        w, turn = self.weights, self.turn
        cues = understand(text, authors=self.names, years=self.years)
        lengths = np.linalg.norm(self.vectors, axis=1)
        unit = self.vectors / np.where(lengths > 0, lengths, 1)[:, None]
        score = w.bias + w.cosine * (unit @ self._centred(vector, inside))
        lexical = np.where(self.document, w.lexical_document, w.lexical)
        score += lexical * self._lexical(cues.terms.split(), inside)
        side = w.length * self.length + w.question * self.question
        side = side + (w.when * self.when if cues.asks_when else 0.0)
        if len(cues.authors) == 1:
            named = np.where(self.author == cues.authors[0], 1.0, -1.0)
            side = side + w.author * np.where(self.author > 0, named, 0.0)
        if cues.dates:
            days = [
                np.where(self.times < start, 3 * (start - self.times),
                         np.maximum(0, self.times - end)) / DAY_NS
                for start, end in cues.dates
            ]  # fmt: skip
            side = side + w.date * np.exp(-np.min(days, axis=0) / DATE_DAYS)
        return np.asarray(score + np.where(turn, side, 0.0))

    def _centred(self, vector: F32, inside: NDArray[np.bool_]) -> F64:
        """The unit query without what all rows asked have in common."""
        query = vector.astype(np.float64) / np.linalg.norm(vector.astype(np.float64))
        mean = self.vectors[inside].sum(axis=0) / (inside.sum() + MEAN_SHRINKAGE)
        return np.asarray(query - self.weights.centring * mean)

    def _lifted(self, text: str, scores: F64, inside: NDArray[np.bool_]) -> F64:
        """The scores after newer rows of the best five took their places above older ones."""
        cues = understand(text)
        if not cues.value_question or self.weights.newer != 1.0:
            return scores
        words = list(dict.fromkeys(cues.terms.split()))
        weights = {word: self._idf(word, cues.terms.split(), inside) for word in words}
        count = min(NEWER_REACH, int(inside.sum()))
        order = np.lexsort((np.arange(len(scores)), -scores))[:count].tolist()
        moved: set[int] = set()
        for i in range(count):
            for j in range(i + 1, count):
                old, new = order[i], order[j]
                if (
                    new in moved
                    or len(moved) == NEWER_MOVES
                    or not self._replaces(new, old, weights)
                ):
                    continue
                scores[new] = np.nextafter(scores[old], np.inf)
                moved.add(new)
                order.insert(i, order.pop(j))
                break
        return scores

    def _idf(self, word: str, query: Sequence[str], inside: NDArray[np.bool_]) -> float:
        rows = np.flatnonzero(inside)
        frequency = sum(word in self.documents[row] for row in rows)
        if frequency == 0:
            return 0.0
        idf = math.log(1 + (len(rows) - frequency + 0.5) / (frequency + 0.5))
        return idf**IDF_POWER * query.count(word)

    def _replaces(self, new: int, old: int, weights: dict[str, float]) -> bool:
        if not self.times[new] > self.times[old] or not self.update[new]:
            return False
        both = sum(
            weight
            for word, weight in weights.items()
            if word in self.documents[new] and word in self.documents[old]
        )
        share = both / (sum(weights.values()) or 1.0)
        if share <= NEWER_SHARED:
            return False
        units: dict[str, set[str]] = defaultdict(set)
        for number, unit, _ in self.values[old]:
            units[unit].add(number)
        return bool(self.dated[new] and share > NEWER_SHARED_DATED) or any(
            number == "!"
            or not stems.isdisjoint(weights)
            or (unit and unit in units and number not in units[unit])
            for number, unit, stems in self.values[new]
        )

    def _lexical(self, query: Sequence[str], inside: NDArray[np.bool_]) -> F64:
        rows = [position for position in np.flatnonzero(inside)]
        lengths = np.array([len(document) for document in self.documents], np.float64)
        average = lengths[inside].mean()
        pseudo = max(0.0, TYPICAL_WORDS - average)
        norm = K1 * (1 - B + B * (lengths + pseudo) / (average + pseudo))
        score, total = np.zeros(len(self.documents)), 0.0
        for word in query:
            count = np.zeros(len(self.documents))
            for position in rows:
                count[position] = self.documents[position].count(word)
            frequency = int((count > 0).sum())
            if frequency:
                idf = math.log(1 + (len(rows) - frequency + 0.5) / (frequency + 0.5)) ** IDF_POWER
                score += idf * count / (count + norm)
                total += idf
        return score / math.sqrt(total) if total else score

    def _subject(self, text: str) -> F64:
        """1 / fan for what is about a name that the question holds."""
        share = np.zeros(len(self.turn))
        named = set(self.finder.find_in_question(text))
        for (_, name), rows in self.about.items():
            if name in named:
                share[rows] = np.maximum(share[rows], 1.0 / len(rows))
        return self.weights.subject * np.where(self.turn, 0.0, share)

    def _one_hop(self, own: F64, inside: NDArray[np.bool_]) -> F64:
        order = np.lexsort((np.arange(len(own)), -own))[: int(inside.sum())]
        bar = own[order[min(len(order) - 1, SEEDS)]]
        gain, session_gain = np.zeros(len(own)), np.zeros(len(own))
        leads = {int(seed): own[seed] - bar for seed in order[:SEEDS] if own[seed] > bar}
        for seed in order[:SEEDS]:
            lead = own[seed] - bar
            if lead <= 0:
                continue
            if not self.turn[seed] or self.session_of[seed] is None:
                alone = min(1.0, self.weights.session * math.sqrt(SESSION_SIZE))
                session_gain[seed] = max(session_gain[seed], alone * lead)
            if not self.turn[seed]:
                continue
            for other in self.beside[int(seed)]:
                gain[other] += self.weights.next * lead
            if self.session_of[seed] is not None:
                rows = self.sessions[self.session_of[seed]]
                share = self.weights.session * math.sqrt(SESSION_SIZE / len(rows))
                rows = rows[self.turn[rows]]
                session_gain[rows] = np.maximum(session_gain[rows], min(1.0, share) * lead)
        return gain + session_gain + self._mentions(leads)

    def _mentions(self, leads: dict[int, float]) -> F64:
        """The greatest share of a seed's lead, along mentions of a subject and against them."""
        forward, backward = np.zeros(len(self.turn)), np.zeros(len(self.turn))
        for key, about in self.about.items():
            for one in self.mention[key]:
                for other in about:
                    if one != other:
                        lead, back = leads.get(one, 0.0), leads.get(other, 0.0)
                        forward[other] = max(forward[other], lead / len(about))
                        if not self.turn[other]:
                            backward[one] = max(backward[one], back / len(about))
        w = self.weights
        return np.where(self.turn, 0.0, w.mentioned * forward + w.mentioning * backward)


def words_of(terms: str) -> list[str]:
    return [word for word in terms.split() if word[0] != "#"]


def values_of(terms: str) -> list[tuple[str, str, set[str]]]:
    """(number, unit, stems that follow) of the values among the terms."""
    found = []
    for word in terms.split():
        if word[0] == "#":
            number, unit, *stems = [*word[1:].split(":"), ""][: max(2, word.count(":") + 1)]
            found.append((number, unit, set(stems)))
    return found


def _ns(time: str | None) -> float:
    if time is None:
        return math.nan
    moment = datetime.fromisoformat(time)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.timestamp() * 1e9
