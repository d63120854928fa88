"""Packing against brute force, and the objective against its formula."""

from __future__ import annotations

from itertools import chain, combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.context.pack import Aspects, Objective, one_aspect, pack

TINY = 1e-9


class Problem:
    """A packing problem with the slow, obvious value of a set."""

    def __init__(
        self,
        p: list[float],
        cost: list[int],
        match: list[list[float]],
        weights: list[float],
        alike: list[list[float]],
        diversity: float,
    ) -> None:
        self.p, self.cost, self.match, self.weights = p, cost, match, weights
        self.n, self.diversity = len(p), diversity
        upper = np.triu(np.array(alike), 1)
        self.alike = upper + upper.T + np.eye(self.n)
        item, aspect = np.nonzero(np.array(match).T)
        self.objective = Objective(
            np.array(p),
            Aspects(item, aspect, np.array(match).T[item, aspect], np.array(weights)),
            similarity=self.alike,
            diversity=diversity,
        )

    def value(self, items: tuple[int, ...]) -> float:
        served = sum(
            weight * (1 - prod(1 - self.p[i] * strength[i] for i in items))
            for weight, strength in zip(self.weights, self.match, strict=True)
        )
        covered = sum(
            self.p[i] * max((self.alike[i, j] for j in items), default=0) for i in range(self.n)
        )
        total = sum(self.p)
        return served + (self.diversity * covered / total if total else 0.0)

    def sets(self, budget: int, fixed: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
        free = [i for i in range(self.n) if i not in fixed]
        every = chain.from_iterable(combinations(free, size) for size in range(len(free) + 1))
        return [(*fixed, *s) for s in every if sum(self.cost[i] for i in s) <= budget]


UNIT = st.floats(0, 1).map(lambda value: round(value, 3))


@st.composite
def problems(draw: st.DrawFn, largest: int = 8) -> Problem:
    n = draw(st.integers(1, largest))
    m = draw(st.integers(1, 4))

    def several(count: int, what: st.SearchStrategy) -> list:
        return draw(st.lists(what, min_size=count, max_size=count))

    return Problem(
        p=several(n, UNIT),
        cost=several(n, st.integers(1, 9)),
        match=[several(n, UNIT) for _ in range(m)],
        weights=several(m, UNIT),
        alike=[several(n, UNIT) for _ in range(n)],
        diversity=draw(st.sampled_from([0.0, 0.3, 1.0, 5.0])),
    )


@given(problems(), st.integers(0, 40))
def test_packing_fits_and_reaches_half_of_the_best(problem: Problem, budget: int) -> None:
    packing = pack(problem.objective, problem.cost, budget)
    best = max(map(problem.value, problem.sets(budget)))
    assert sum(problem.cost[i] for i in packing.chosen) <= budget
    assert packing.value == pytest.approx(problem.value(packing.chosen), abs=TINY)
    assert packing.value >= best / 2 - TINY
    assert packing.bound >= best - TINY
    assert packing.certificate() <= (packing.value + TINY) / max(best, TINY) + TINY
    assert 0.0 <= packing.certificate() <= 1.0


@given(problems(largest=7), st.integers(0, 30), st.data())
def test_fixed_items_stay_and_the_rest_reaches_half(
    problem: Problem, budget: int, data: st.DataObject
) -> None:
    fixed = tuple(sorted(data.draw(st.sets(st.integers(0, problem.n - 1)))))
    packing = pack(problem.objective, problem.cost, budget, fixed=fixed)
    start = problem.value(fixed)
    best = max(map(problem.value, problem.sets(budget, fixed)))
    assert set(fixed) <= set(packing.chosen)
    assert sum(problem.cost[i] for i in packing.chosen if i not in fixed) <= budget
    assert packing.start == pytest.approx(start, abs=TINY)
    assert packing.value - start >= (best - start) / 2 - TINY
    assert packing.bound >= best - TINY


@given(problems(), st.data())
def test_the_objective_is_its_formula_monotone_and_submodular(
    problem: Problem, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(problem.n)))
    state = problem.objective.empty()
    earlier = problem.objective.gains(state)
    for size, item in enumerate(order):
        gains = problem.objective.gains(state)
        assert (gains >= -TINY).all()
        left = order[size:]
        assert (gains[left] <= earlier[left] + TINY).all()
        before = problem.objective.value(state)
        state = problem.objective.add(state, item)
        value = problem.objective.value(state)
        assert value == pytest.approx(problem.value(tuple(order[: size + 1])), abs=TINY)
        assert value - before == pytest.approx(gains[item], abs=TINY)
        assert problem.objective.of(order[: size + 1]) == value
        earlier = gains


@given(problems())
def test_room_for_all_leaves_no_gain_behind(problem: Problem) -> None:
    packing = pack(problem.objective, problem.cost, sum(problem.cost))
    assert packing.value == pytest.approx(problem.value(tuple(range(problem.n))), abs=TINY)
    assert packing.certificate() == pytest.approx(1.0)


def test_the_one_item_that_greedy_would_crowd_out_wins() -> None:
    # The cheap item has the better gain per token and leaves no room for the one that matters.
    objective = Objective(np.array([0.02, 0.9]), one_aspect(2))
    packing = pack(objective, [1, 100], 100)
    assert packing.chosen == (1,)


def test_equal_items_go_to_the_lower_position() -> None:
    objective = Objective(np.array([0.5, 0.5, 0.5]), one_aspect(3))
    assert pack(objective, [4, 4, 4], 8).chosen == (0, 1)


def test_nothing_to_choose_from_is_an_empty_set_that_is_the_best() -> None:
    packing = pack(Objective(np.zeros(0), one_aspect(0)), [], 10)
    assert (packing.chosen, packing.value, packing.certificate()) == ((), 0.0, 1.0)


def test_the_certificate_of_another_set_uses_the_same_bound() -> None:
    objective = Objective(np.array([0.5, 0.25]), one_aspect(2))
    packing = pack(objective, [1, 1], 2)
    assert packing.certificate() == 1.0
    assert packing.certificate(objective.of([0])) == pytest.approx(0.5 / 0.625)
    assert packing.certificate(objective.of([])) == 0.0
