"""The judge of learning: the four predictors and their mixture as loops over plain floats.

Formulas are those of docs/decisions/0008; every step is canonical, so the bits are the engine's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from remanence._core import Hits, canonical

LEARNED = (
    *("length", "question", "when", "lexical", "author", "date", "lift", "cosine", "next"),
    *("session", "usefulness", "importance", "spreading", "subject", "mention", "triples"),
)
EXPERTS = ("defaults", "calibrated", "newton", "adagrad")
LEAST_P, LEAST_CURVATURE, FAR = 1e-6, 1e-4, 30.0
VARIANCES = (4.0, 0.25, *[0.01] * len(LEARNED))
STEPS = (0.2, 0.1, *[0.02] * len(LEARNED))
BOUNDS = ((-20.0, 20.0), (0.05, 5.0), *[(-0.9, 2.0)] * len(LEARNED))
MOST_EVIDENCE = 1e3


def exp(x: float) -> float:
    return float(canonical.exp(np.array([x]))[0])


def log(x: float) -> float:
    return float(canonical.log(np.array([x]))[0])


def sigmoid(z: float) -> float:
    p = 1 / (1 + exp(-min(max(z, -FAR), FAR)))
    return min(max(p, LEAST_P), 1 - LEAST_P)


@dataclass
class Filter:
    """B, A and e_j with their covariance; of the first `size` of them."""

    size: int
    weights: list[float] = field(default_factory=list)
    covariance: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.weights = start(self.size)
        self.covariance = [
            [VARIANCES[i] if i == j else 0.0 for j in range(self.size)] for i in range(self.size)
        ]

    def step(self, x: Sequence[float], first: float, second: float) -> None:
        gain, spread = [], 0.0
        for row, xi in zip(self.covariance, x, strict=True):
            total = 0.0
            for value, xj in zip(row, x, strict=True):
                total += value * xj
            gain.append(total)
            spread += xi * total
        shrink = 1 + second * spread
        for i, row in enumerate(self.covariance):
            for j in range(self.size):
                row[j] -= second * (gain[i] * gain[j]) / shrink
            self.weights[i] += gain[i] * (first / shrink)
        bound(self.weights)


def start(size: int) -> list[float]:
    return [0.0, 1.0, *[0.0] * (size - 2)]


def bound(weights: list[float]) -> None:
    for i, (low, high) in enumerate(BOUNDS[: len(weights)]):
        weights[i] = min(max(weights[i], low), high)


def ranked(weights: Sequence[float], score: float, features: Sequence[float]) -> float:
    for weight, feature in zip(weights[2:], features, strict=False):
        score += weight * feature
    return score


def slopes(p: float, belief: float, used: bool) -> tuple[float, float]:
    rest = 1 - p
    missed = max(1 - belief * p, LEAST_P)
    second = max(belief * p * rest * rest / missed, LEAST_CURVATURE)
    return (rest if used else -(belief * p * rest / missed)), second


class Learner:
    """What `remanence._core.Learner` must be, to the bit."""

    def __init__(self) -> None:
        self.filters = {"calibrated": Filter(2), "newton": Filter(2 + len(LEARNED))}
        self.steps = start(2 + len(LEARNED))
        self.squares = [1e-6] * len(self.steps)
        self.losses = dict.fromkeys(EXPERTS, 0.0)
        self.loss = 0.0
        self.count = [0] * 10

    def weights_of(self, expert: str) -> list[float]:
        return self.steps if expert == "adagrad" else self.filters[expert].weights

    def logit(self, expert: str, score: float, features: Sequence[float]) -> float:
        if expert == "defaults":
            return score
        weights = self.weights_of(expert)
        return weights[0] + weights[1] * ranked(weights, score, features)

    def shares(self) -> dict[str, float]:
        least = min(self.losses.values())
        raw = {name: exp(max(least - loss, -700.0)) for name, loss in self.losses.items()}
        total = 0.0
        for value in raw.values():
            total += value
        return {name: value / total for name, value in raw.items()}

    def chance(self, score: float, features: Sequence[float]) -> float:
        p = 0.0
        for name, share in self.shares().items():
            p += share * sigmoid(self.logit(name, score, features))
        return p

    def factors(self) -> dict[str, float]:
        shares = self.shares()
        newton, steps = self.filters["newton"].weights[2:], self.steps[2:]
        return {
            name: 1 + (shares["newton"] * a + shares["adagrad"] * b)
            for name, a, b in zip(LEARNED, newton, steps, strict=True)
        }

    def learn(self, score: float, features: Sequence[float], belief: float, used: bool) -> None:
        features = [*features, *[0.0] * (len(LEARNED) - len(features))]
        said = {name: self.logit(name, score, features) for name in EXPERTS}
        p = belief * self.chance(score, features)
        self.count[int(min(p * 10, 9.0))] += 1
        self.loss += -log(p if used else 1 - p)
        for name in EXPERTS:
            p = belief * sigmoid(said[name])
            self.losses[name] += -log(p if used else 1 - p)
        for name, one in self.filters.items():
            first, second = slopes(sigmoid(said[name]), belief, used)
            one.step(self.gradient(one.weights, score, features), first, second)
        slope, _ = slopes(sigmoid(said["adagrad"]), belief, used)
        for i, x in enumerate(self.gradient(self.steps, score, features)):
            g = slope * x
            self.squares[i] += g * g
            self.steps[i] += STEPS[i] * g / math.sqrt(self.squares[i])
        bound(self.steps)

    @staticmethod
    def gradient(weights: list[float], score: float, features: Sequence[float]) -> list[float]:
        own = features[: len(weights) - 2]
        return [1.0, ranked(weights, score, own), *(weights[1] * x for x in own)]

    def weigh(
        self, terms: Sequence[Sequence[float]], belief: Sequence[float]
    ) -> tuple[list[float], list[list[float]], list[float]]:
        """(score, features, p_use) of the hits of one question."""
        factor = {name: float(np.float32(value)) for name, value in self.factors().items()}
        plain, scores = [], []
        for row in terms:
            named = dict(zip(Hits.TERMS, row, strict=True))
            score = 0.0
            for name, value in named.items():
                if name != "belief":
                    score += value / factor.get(name, 1.0)
            scores.append(float(np.float32(kept(score))))
            plain.append([kept(named[name] / factor[name]) for name in LEARNED])
        means = [0.0] * len(LEARNED)
        for row in plain:
            for j, value in enumerate(row):
                means[j] += value
        features = [
            [float(np.float32(x - m / len(plain))) for x, m in zip(row, means, strict=True)]
            for row in plain
        ]
        p = [
            float(np.float32(self.chance(s, x) * b))
            for s, x, b in zip(scores, features, belief, strict=True)
        ]
        return scores, features, p


def kept(nats: float) -> float:
    return min(max(nats, -MOST_EVIDENCE), MOST_EVIDENCE)
