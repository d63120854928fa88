"""Learning: feedback as the log keeps it, and the weights and p_use that follow from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._core import Hits, Learner, Weights
from .records import Calibration, CalibrationBin, Hit, LearnedWeights

MOST_TAUGHT = 1000
"""Hits of a question with a greater k carry no evidence: nobody judges so many."""
_SAME = {
    "lexical": ("lexical", "lexical_document", "lexical_statement"),
    "mention": ("mentioned", "mentioning"),
}
"""Weights that share the factor of one term; the others have the term's name."""


class Feedback(NamedTuple):
    """One row of the table feedback. features is None where everything learned is forgotten.

    used: 1, 0, or -1 for such a reset. score: nats without ln P(valid); features: float32 bytes.
    """

    id: int
    used: int
    belief: float
    score: float
    features: bytes | None


RESET = Feedback(0, -1, 0.0, 0.0, None)


def taught(learner: Learner, events: Iterable[Feedback]) -> Learner:
    """The learner after the events; after a reset it is another one."""
    for event in events:
        if event.features is None:
            learner = Learner()
        else:
            features = np.frombuffer(event.features, "<f4")
            learner.learn(event.score, features, event.belief, event.used == 1)
    return learner


def learner_at(connection: sqlite3.Connection, seq: int) -> Learner:
    """What the feedback up to commit `seq` teaches."""
    rows = connection.execute(
        "SELECT id, used, belief, score, features FROM feedback WHERE seq <= ? ORDER BY seq, n",
        (seq,),
    )
    return taught(Learner(), map(Feedback._make, rows))


def last_taught(connection: sqlite3.Connection, seq: int) -> int:
    """The last commit up to `seq` with feedback, 0 if there is none."""
    row = connection.execute("SELECT max(seq) FROM feedback WHERE seq <= ?", (seq,)).fetchone()
    return row[0] or 0


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned at one moment: the weights of a question, and the learner they came from."""

    learner: Learner
    weights: Weights

    @classmethod
    def of(cls, learner: Learner) -> Lesson:
        return cls(learner, learned_weights(learner))

    def evidence(self, hits: Hits) -> tuple[NDArray[np.float32], list[tuple[float, bytes]]]:
        """p_use [k] and what each hit needs to teach later: (score, features)."""
        score, features, p_use = self.learner.weigh(hits.terms, hits.belief)
        if self.learner.used + self.learner.unused == 0:
            p_use = hits.p_use
        data, step = features.tobytes(), features.shape[1] * 4
        cut = (data[at : at + step] for at in range(0, len(data), step))
        return p_use, list(zip(score.tolist(), cut, strict=True))


def learned_weights(learner: Learner) -> Weights:
    """The default weights, each times what its term is worth here."""
    weights = Weights()
    for term, factor in learner.factors().items():
        for name in _SAME.get(term, (term,)):
            setattr(weights, name, getattr(weights, name) * factor)
    return weights


def feedback_of(given: Sequence[Any], used: bool | None) -> list[Feedback]:
    """An event for each hit that a question under the store's own weights found."""
    if used is None:
        return []
    return list(_events(given, used))


def _events(given: Sequence[Any], used: bool) -> Iterator[Feedback]:
    for one in given:
        if isinstance(one, Hit) and one.evidence is not None:
            score, features = one.evidence
            yield Feedback(one.id, int(used), one.belief, score, features)


def show(learner: Learner) -> LearnedWeights:
    """The weights beside their defaults."""
    return LearnedWeights(
        used=learner.used,
        unused=learner.unused,
        shares=learner.shares(),
        default=Weights().to_dict(),
        learned=learned_weights(learner).to_dict(),
    )


def calibration(learner: Learner) -> Calibration:
    """How p_use foretold the feedback."""
    sums = learner.calibration()
    bins = tuple(
        CalibrationBin(count, predicted / count, used / count)
        for count, predicted, used in zip(
            sums["count"], sums["predicted"], sums["used"], strict=True
        )
        if count
    )
    total = learner.used + learner.unused
    share = 1 / total if total else 0.0
    return Calibration(
        used=learner.used,
        unused=learner.unused,
        error=sum(b.count * abs(b.predicted - b.used) for b in bins) * share,
        brier=sums["squares"] * share,
        loss=sums["loss"] * share,
        default_loss=sums["losses"]["defaults"] * share,
        bins=bins,
    )
