"""The judge of accesses: what touches make of one memory's state, in the engine's arithmetic.

Formulas are those of `reference_decay`; here every step is canonical, so the bits are the engine's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from tests import reference_decay as decay

F = np.float32
ZERO = F(0)
POWER_TRACE, FSRS6, HALF_LIFE = 0, 1, 2
AGAIN, GOOD, EASY = 1, 3, 4
LN2 = math.log(2)

# PowerTrace at d = 0.5: the fitted table, which test_decay holds against the reference vectors.
TAUS_S = np.array(
    [
        *(1.30195052, 9.17950407, 64.7208123, 456.319155, 3217.31394, 22683.9239),
        *(159934.782, 1127632.7, 7950462.68, 56055359.7, 395222704.0, 2786548620.0),
    ]
)
WEIGHTS = np.array(
    [
        *(0.42194403734694774, 0.33963442849783676, 0.1297965261689834, 0.05359107023720023),
        *(0.018691574611968315, 0.007617611202949727, 0.002651285236423375),
        *(0.0010813450109714566, 0.00037465492490412994, 0.00015548690613803137),
        *(4.749519509418256e-05, 3.875536094232257e-05),
    ]
)
# FSRS-6: w0 ... w20.
W = [
    *(0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796),
    *(1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542),
]


def one(function, x: float) -> float:
    return float(function(np.array([x], dtype=np.float64))[0])


def exp(x: float) -> float:
    return one(decay.canonical_exp, x)


@cache
def log(x: float) -> float:
    return one(decay.canonical_log, x)


def power(x: float, y: float) -> float:
    return exp(y * log(x))


def expm1(x: float) -> float:
    if not -0.34 < x < 0.34:
        return exp(x) - 1.0
    return x + x * x * float(decay.horner(np.array([x]), decay.EXP_TAIL)[0])


def log1p(x: float) -> float:
    u = x + 1.0
    return log(u) + (x - (u - 1.0)) / u


def to_f32(nanoseconds: int) -> F:
    """One rounding: through a Python float it would be two."""
    return np.uint64(nanoseconds).astype(F)


def days(start: int, end: int) -> float:
    return float(max(0, end - start)) * 1e-9 / 86_400.0


def fsrs_days(start: int, end: int) -> float:
    return float(max(0, end - start)) / 86_400e9


@dataclass
class State:
    """What accesses have made of one memory."""

    law: int
    last: int
    trace: decay.F32 = field(default_factory=lambda: np.ones(12, dtype=F))
    accesses: int = 1
    stability: F = ZERO
    difficulty: F = ZERO
    used: int = 0
    unused: int = 0


def first(law: int, time: int) -> State:
    """A memory accessed once, when it was made."""
    state = State(law, time)
    if law == FSRS6:
        state.stability, state.difficulty = F(W[GOOD - 1]), F(fsrs_start(GOOD))
    elif law == HALF_LIFE:
        state.stability = F(1)
    if law != POWER_TRACE:
        state.trace = np.zeros(12, dtype=F)
    return state


def touch(state: State, time: int, weight: float, used: int) -> None:
    if state.law == POWER_TRACE:
        state.trace, state.last = decay.trace_add(
            state.trace, state.last, time, float(F(weight)), TAUS_S
        )
    elif used >= 0 and state.law == FSRS6:
        fsrs_review(state, fsrs_days(state.last, time), GOOD if used else AGAIN)
    elif used >= 0:
        h = float(state.stability)
        forgotten = -expm1(-days(state.last, time) / h * LN2)
        state.stability = F(min(max(h * (1.0 + forgotten if used else 0.5), 1 / 24), 36_500.0))
    if state.law == POWER_TRACE or used >= 0:
        state.last = max(state.last, time)
    state.accesses += 1
    state.used += used == 1
    state.unused += used == 0


def activation(state: State, now: int) -> F:
    """Nats, float32."""
    if state.law == POWER_TRACE:
        return power_trace(state.trace, state.last, now)
    if state.law == FSRS6:
        elapsed = fsrs_days(state.last, now)
        return F(fsrs_log_retrievability(float(state.stability), elapsed))
    return F(-days(state.last, now) / float(state.stability) * LN2)


def power_trace(trace: decay.F32, last: int, now: int) -> F:
    age = min(to_f32(max(0, now - last)) * F(1e-9), F(1e9))
    rate = (-decay.LOG2_E / TAUS_S).astype(F)
    fade = decay.canonical_exp2(np.maximum(age * rate, F(-100)))
    total = F(0)
    for term in trace * WEIGHTS.astype(F) * fade:
        total = total + term
    total = max(total, F(2.0**-100))
    return decay.canonical_log2(np.array([total]))[0] * F(float.fromhex("0x1.62e430p-1"))


def fsrs_log_retrievability(stability: float, elapsed_days: float) -> float:
    factor = power(0.9, -1.0 / W[20]) - 1.0
    return -W[20] * log1p(factor * elapsed_days / stability)


def fsrs_start(grade: int) -> float:
    return min(max(W[4] - exp(W[5] * (grade - 1)) + 1.0, 1.0), 10.0)


def fsrs_review(state: State, elapsed_days: float, grade: int) -> None:
    s, d = float(state.stability), float(state.difficulty)
    r = exp(fsrs_log_retrievability(s, elapsed_days))
    if elapsed_days < 1.0:
        growth = exp(W[17] * (grade - 3 + W[18])) * power(s, -W[19])
        new = s * (max(growth, 1.0) if grade == GOOD else growth)
    elif grade == AGAIN:
        forgotten = W[11] * power(d, -W[12]) * (power(s + 1.0, W[13]) - 1.0)
        new = min(forgotten * exp((1.0 - r) * W[14]), s / exp(W[17] * W[18]))
    else:
        growth = exp(W[8]) * (11.0 - d) * power(s, -W[9])
        new = s * (1.0 + growth * expm1((1.0 - r) * W[10]))
    damped = d + (10.0 - d) * (-W[6] * (grade - 3)) / 9.0
    easy = W[4] - exp(W[5] * (EASY - 1)) + 1.0
    state.stability = F(max(new, 0.001))
    state.difficulty = F(min(max(W[7] * easy + (1.0 - W[7]) * damped, 1.0), 10.0))
