"""The judge where triples are given: the best statements, and the walk from their phrases."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remanence.text import Extraction, Triple, name_key, terms, understand

from . import judge

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Node = tuple[str, str]
"""A phrase in its scope: one entity."""
Place = Node | int
"""Where a walk stands: at an entity, or at the memory of a position."""

BEST, ROUNDS, DAMPING, LEAST_PUSHED, LEAST_LIFT = 3, 20, 0.5, 1e-6, 0.0625
NOT_WALKED = ("next", "answers", "supersedes", "derived_from", "related", "about", "states")
"""Predicates that are links of the engine's own."""


class Questions(judge.Questions):
    """Scores questions over items whose triples were given with their vectors."""

    def _subjects(self, items: Sequence[dict[str, Any]], found: Sequence[Extraction]) -> None:
        super()._subjects(items, found)
        self.phrases: dict[str, set[str]] = defaultdict(set)
        self.steps: dict[Place, list[Place]] = defaultdict(list)
        self.stated: dict[tuple[str, str], tuple[Triple, list[Node]]] = {}
        for position, item in enumerate(items):
            scope = str(self.scopes[position])
            self._state(position, scope, [Triple(*given) for given in item["triples"]])
        for scope, name in self.about:
            self.phrases[scope].add(name)
        self.rows_with = {
            node: [place for place in places if isinstance(place, int)]
            for node, places in self.steps.items()
            if not isinstance(node, int)
        }
        self._index(list(self.stated.values()))

    def _state(self, position: int, scope: str, triples: Sequence[Triple]) -> None:
        """What one memory states, and the entities that it mentions."""
        named = {key: None for (s, key), rows in self.mention.items()
                 if s == scope and position in rows}  # fmt: skip
        for triple in triples:
            first, last = ((scope, name_key(end)) for end in (triple.subject, triple.object))
            named.update({first[1]: None, last[1]: None})
            self.phrases[scope].update((first[1], last[1]))
            if first != last and triple.predicate not in NOT_WALKED:
                self.steps[first].append(last)
                self.steps[last].append(first)
            key = " | ".join((first[1], name_key(triple.predicate), last[1]))
            self.stated.setdefault((scope, key), (triple, list(dict.fromkeys((first, last)))))
        for name in named:
            self.steps[scope, name].append(position)
            self.steps[position].append((scope, name))
            if (scope, name) in self.about and position not in self.mention[scope, name]:
                self.mention[scope, name].append(position)

    def _index(self, stated: Sequence[tuple[Triple, list[Node]]]) -> None:
        documents = [judge.words_of(terms(triple.text)) for triple, _ in stated]
        self.lengths = np.array([len(document) for document in documents], np.float64)
        self.holding: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, document in enumerate(documents):
            for word, count in Counter(document).items():
                self.holding[word].append((place, count))
        given = [triple.vector for triple, _ in stated]
        width = self.vectors.shape[1]
        self.statements = np.array(
            [np.zeros(width) if v is None else np.asarray(v, np.float64) for v in given]
        ).reshape(-1, width)
        lengths = np.linalg.norm(self.statements, axis=1, keepdims=True)
        self.statements /= np.where(lengths > 0, lengths, 1)
        self.ends = [ends for _, ends in stated]
        self.statement_scopes = np.array([scope for scope, _ in self.stated])

    def _linked(self, text: str, vector: F32, inside: NDArray[np.bool_]) -> F64:
        return super()._linked(text, vector, inside) + self._reached(text, vector, inside)

    def _reached(self, text: str, vector: F32, inside: NDArray[np.bool_]) -> F64:
        """weight * ln(1 + N pi) for the memories that the walk reaches."""
        gain = np.zeros(len(self.turn))
        start: dict[Place, float] = defaultdict(float)
        for statement in self._best(text, vector, inside):
            for node in self.ends[statement]:
                start[node] += 1 / max(1, len(self.rows_with.get(node, [])))
        if not start or self.weights.triples == 0:
            return gain
        scopes = set(self.scopes[inside].tolist())
        count = int(inside.sum()) + int(np.isin(self.statement_scopes, list(scopes)).sum())
        count += sum(len(self.phrases[scope]) for scope in scopes)
        for place, mass in self._walk(start).items():
            if isinstance(place, int) and count * mass >= LEAST_LIFT:
                gain[place] = self.weights.triples * math.log1p(count * mass)
        return gain

    def _best(self, text: str, vector: F32, inside: NDArray[np.bool_]) -> list[int]:
        """The statements of the best own evidence, in order."""
        query = understand(text).terms.split()
        mean = np.array([len(document) for document in self.documents])[inside].mean()
        pseudo = max(0.0, judge.TYPICAL_WORDS - mean)
        length = (self.lengths + pseudo) / (mean + pseudo)
        norm = judge.K1 * (1 - judge.B + judge.B * length)
        words, total = np.zeros(len(self.ends)), 0.0
        for word in dict.fromkeys(query):
            idf = self._idf(word, query, inside)
            total += idf
            for place, count in self.holding[word] if idf else ():
                words[place] += idf * count / (count + norm[place])
        w = self.weights
        score = w.cosine * (self.statements @ self._centred(vector, inside))
        score += w.lexical_statement * words / math.sqrt(total or 1.0)
        there = np.isin(self.statement_scopes, list(set(self.scopes[inside].tolist())))
        order = np.lexsort((np.arange(len(score)), np.where(there, -score, np.inf)))
        return [int(place) for place in order[:BEST] if there[place]]

    def _walk(self, start: dict[Place, float]) -> dict[Place, float]:
        """Personalised PageRank by pushing mass, round by round."""
        whole = sum(start.values())
        start = {place: weight / whole for place, weight in start.items()}
        mass: dict[Place, float] = defaultdict(float)
        left = dict(start)
        for _ in range(ROUNDS):
            active = {place: here for place, here in left.items() if here > LEAST_PUSHED}
            if not active:
                break
            for place, here in active.items():
                left[place] = 0.0
                mass[place] += (1 - DAMPING) * here
            for place, here in active.items():
                onward = self.steps[place]
                for other in onward:
                    left[other] = left.get(other, 0.0) + DAMPING * here / len(onward)
                for other, share in () if onward else start.items():
                    left[other] = left.get(other, 0.0) + DAMPING * here * share
        return mass
