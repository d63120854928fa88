"""Packing: the best set of items under a token budget, with a certificate of how good it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Aspects(NamedTuple):
    """What a question is about, and how far each item serves it, as sparse entries.

    item [z] ascending, aspect [z], strength [z] in [0, 1]; weights [m] >= 0, one per aspect.
    """

    item: NDArray[np.intp]
    aspect: NDArray[np.intp]
    strength: Floats
    weights: Floats


def one_aspect(count: int) -> Aspects:
    """The question as a whole, served by each of `count` items."""
    zeros = np.zeros(count, dtype=np.intp)
    return Aspects(np.arange(count), zeros, np.ones(count), np.ones(1))


class State(NamedTuple):
    """A set as the objective sees it: P(aspect missed) [m], share of each item covered [n]."""

    missed: Floats
    covered: Floats


class Objective:
    """F(S) = sum_q w_q [1 - prod_{i in S} (1 - p_i s_qi)] + eta sum_i p_i max_{j in S} sim_ij / P.

    The first term is the probability that each aspect is served, the second how much of all the
    candidates the chosen ones stand for (facility location; P is the sum of p). Monotone and
    submodular. p [n] in [0, 1]; similarity [n, n] in [0, 1], needed if diversity (eta) > 0.
    """

    def __init__(
        self,
        p: Floats,
        aspects: Aspects,
        *,
        similarity: Floats | None = None,
        diversity: float = 0.0,
    ) -> None:
        self._count = len(p)
        self._aspects = aspects
        self._serves = aspects.strength * p[aspects.item]
        self._starts = np.searchsorted(aspects.item, np.arange(len(p) + 1))
        total = float(p.sum())
        if diversity > 0.0 and similarity is not None and total > 0.0:
            self._stands = similarity * (diversity * p / total)[:, None]
        else:
            self._stands = np.zeros((0, len(p)))

    def empty(self) -> State:
        """The empty set."""
        return State(np.ones(len(self._aspects.weights)), np.zeros(len(self._stands)))

    def add(self, state: State, item: int) -> State:
        """The set with the item."""
        missed = state.missed.copy()
        entries = slice(self._starts[item], self._starts[item + 1])
        missed[self._aspects.aspect[entries]] *= 1.0 - self._serves[entries]
        return State(missed, np.maximum(state.covered, self._stands[:, item]))

    def gains(self, state: State) -> Floats:
        """What each item would add to F, [n]; meaningless for items that are in the set."""
        open_weight = (self._aspects.weights * state.missed)[self._aspects.aspect]
        gains: Floats = np.maximum(self._stands - state.covered[:, None], 0.0).sum(axis=0)
        gains += np.bincount(self._aspects.item, open_weight * self._serves, self._count)
        return gains

    def value(self, state: State) -> float:
        """F of the set."""
        return float(self._aspects.weights @ (1.0 - state.missed) + state.covered.sum())

    def of(self, items: Iterable[int]) -> float:
        """F of the set of these items."""
        state = self.empty()
        for item in items:
            state = self.add(state, item)
        return self.value(state)


@dataclass(frozen=True, slots=True)
class Packing:
    """A chosen set (positions, ascending) beside an upper bound for the best one.

    value: F of the set; start: F of the fixed items alone; bound: no set within the budget that
    holds the fixed items has a higher F.
    """

    chosen: tuple[int, ...]
    value: float
    start: float
    bound: float

    def certificate(self, value: float | None = None) -> float:
        """The proved share of the best gain over the fixed items, in [0, 1]; 1: the best set.

        value: F of another set to certify by the same bound.
        """
        reach = self.bound - self.start
        got = (self.value if value is None else value) - self.start
        return 1.0 if reach <= 0.0 else min(1.0, max(0.0, got / reach))


def pack(
    objective: Objective, cost: ArrayLike, budget: float, *, fixed: Sequence[int] = ()
) -> Packing:
    """Greedy+Max: gains at least half of what the best set within the budget gains.

    cost [n] > 0. `fixed` items are in the set and paid for outside of `budget`. Takes the item of
    the highest gain per cost that fits, again and again; beside each prefix stands that prefix
    plus the one best item that fits, and the best of all is returned. Equal values go to the
    lower position. Source: Yaroslavtsev, Zhou, Avdiukhin, 2020 (arXiv 1910.05646).
    """
    prices = np.asarray(cost, dtype=np.float64)
    state = objective.empty()
    for item in fixed:
        state = objective.add(state, item)
    start = value = objective.value(state)
    free = np.ones(len(prices), dtype=bool)
    free[list(fixed)] = False
    taken: list[int] = []
    best, best_value = taken, start
    left, bound = budget, np.inf
    while True:
        gains = np.where(free, objective.gains(state), 0.0)
        bound = min(bound, value + _fractional(gains, prices, budget))
        gains[prices > left] = 0.0
        if not (gains > 0.0).any():
            break
        single = int(np.argmax(gains))
        if value + gains[single] > best_value:
            best, best_value = [*taken, single], value + float(gains[single])
        item = int(np.argmax(gains / prices))
        taken = [*taken, item]
        free[item] = False
        left -= float(prices[item])
        state = objective.add(state, item)
        value = objective.value(state)
    return Packing(tuple(sorted([*fixed, *best])), best_value, start, max(bound, best_value))


def _fractional(gains: Floats, prices: Floats, budget: float) -> float:
    """The most that items of these gains could add if the last one could be cut to fit."""
    usable = np.flatnonzero((gains > 0.0) & (prices <= budget))
    order = usable[np.argsort(-gains[usable] / prices[usable], kind="stable")]
    before = np.cumsum(prices[order]) - prices[order]
    return float(np.clip((budget - before) / prices[order], 0.0, 1.0) @ gains[order])
