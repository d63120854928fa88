"""The judge of the decay laws: plain NumPy formulas, slow and obvious, sharing no code with them.

Times are int64 ns, ages are seconds unless the name says days, activations are nats.
The `canonical_*` functions do the arithmetic of the core step by step and give the same bits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

LEAST = -100 * math.log(2)  # activation of a memory that was never accessed
SECONDS_PER_DAY = 86_400


# Canonical exp and log.
def from_hex(text: str) -> list[float]:
    return [float.fromhex(word) for word in text.split()]


EXP2 = from_hex(
    "0x1p+0 0x1.62e430p-1 0x1.ebfbdcp-3 0x1.c6af7cp-5 0x1.3b2de0p-7 0x1.5f082ep-10 0x1.416b5ep-13"
)
LOG2 = from_hex(
    "0x1.c551dap-2 -0x1.715476p-1 0x1.ec7022p-2 -0x1.7156c6p-2 0x1.278bb0p-2 -0x1.eb6c08p-3 "
    "0x1.a21cf4p-3 -0x1.818b8cp-3 0x1.7eb328p-3 -0x1.dcc02ep-4"
)
EXP_TAIL = [1 / math.factorial(k) for k in range(2, 15)]
LOG_TAIL = [2 / k for k in range(3, 26, 2)]
LN2_HIGH = float.fromhex("0x1.62e42fefa3800p-1")
LN2_LOW = float.fromhex("0x1.ef35793c76730p-45")
LOG2_E = 1 / math.log(2)
LARGEST_EXP = 709.782712893384


def horner(x, coefficients):
    """c0 + x (c1 + x (...)) in the dtype of x, a multiplication and an addition per step."""
    total = np.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = total * x + x.dtype.type(c)
    return total


def split(x, root_half):
    """(exponent, mantissa) with x = 2^exponent * mantissa and mantissa in [sqrt(1/2), sqrt(2))."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < root_half
    return (exponent - low).astype(x.dtype), np.where(low, mantissa * 2, mantissa).astype(x.dtype)


def canonical_exp2(x: F32) -> F32:
    x = np.clip(x, np.float32(-126), np.float32(127))
    n = np.rint(x)
    return np.ldexp(horner(x - n, EXP2), n.astype(np.int32))


def canonical_log2(x: F32) -> F32:
    exponent, mantissa = split(x, np.uint32(0x3F3504F3).view(np.float32))
    t = mantissa - np.float32(1)
    return exponent + (t + t * horner(t, LOG2))


def canonical_exp(x: F64) -> F64:
    inside = np.clip(x, -708, LARGEST_EXP)
    n = np.rint(inside * LOG2_E)
    r = (inside - n * LN2_HIGH) - n * LN2_LOW
    y = np.ldexp((r + r * r * horner(r, EXP_TAIL)) + 1, n.astype(np.int32))
    return np.where(x < -708, 0.0, np.where(x > LARGEST_EXP, np.inf, y))


def canonical_log(x: F64) -> F64:
    """For positive finite x."""
    n, mantissa = split(x, math.sqrt(0.5))
    f = mantissa - 1
    s = f / (f + 2)
    z = s * s
    return n * LN2_HIGH + ((f - s * (f - z * horner(z, LOG_TAIL))) + n * LN2_LOW)


# Ages.
def age_ns(times: list[int], now: int) -> list[int]:
    return [max(0, now - t) for t in times]


def age_s(times: list[int], now: int) -> F64:
    return np.array(age_ns(times, now), dtype=np.float64) * 1e-9


# ACT-R.
def actr_exact(ages: F64, d: float) -> float:
    """B = ln sum a^-d."""
    return math.log(np.sum(np.maximum(ages, 1e-9) ** -d))


def actr_optimized(n: int, lifetime: float, d: float) -> float:
    """B = ln(n / (1 - d)) - d ln L."""
    return math.log(n / (1 - d)) - d * math.log(max(lifetime, 1e-9))


def petrov_hybrid(ages: F64, n: int, lifetime: float, d: float, k: int) -> float:
    """The k youngest ages exactly, the other n - k as the mean of a^-d over [a_k, lifetime]."""
    youngest = np.sort(ages)[:k]
    total = np.sum(youngest**-d)
    if n > k:
        a_k, a_n = youngest[-1], lifetime
        # The mean value theorem's limit where the two ages meet.
        mean = (a_n ** (1 - d) - a_k ** (1 - d)) / ((1 - d) * (a_n - a_k)) if a_n > a_k else a_k**-d
        total += (n - k) * mean
    return math.log(total)


def pavlik_anderson(times: list[int], now: int, c: float, a: float, d_max: float) -> float:
    """m = ln sum (1 + age)^-d_j with d_j = min(a + c e^m just before access j, d_max)."""
    decays: list[float] = []

    def strength(at: int) -> float:
        ages = age_s(times[: len(decays)], at)
        return float(np.sum((1 + ages) ** -np.array(decays)))

    for j, t in enumerate(times):
        decays.append(min(a, d_max) if j == 0 else min(a + c * strength(t), d_max))
    return math.log(strength(now))


# PowerTrace.
def shifted_power(ages: F64, d: float, weights: F64 | float = 1.0) -> float:
    """What PowerTrace approximates: B = ln sum b (1 + a)^-d."""
    return math.log(np.sum(weights * (1 + ages) ** -d))


def trace_of(times: list[int], weights: F64, at: int, taus: F64) -> F64:
    """E_k = sum_j b_j exp(-(at - t_j) / tau_k), straight from the history."""
    ages = age_s(times, at)
    return np.exp(-ages[None, :] / taus[:, None]) @ weights


def trace_add(trace, last: int | None, t: int, weight: float, taus: F64):
    """(trace, last) after one access: the update of the core, bit for bit, in trace's dtype."""
    if last is None:
        return np.full_like(trace, weight), t
    gap = float(abs(t - last)) * 1e-9
    decay = canonical_exp(-gap / taus)
    held = trace.astype(np.float64)
    new = held * decay + weight if t >= last else held + weight * decay
    return new.astype(trace.dtype), max(t, last)


def trace_activation(trace: F64, age: float, weights: F64, taus: F64) -> float:
    """B = ln sum w_k E_k exp(-age / tau_k); ages stop at 1e9 s."""
    total = float(np.sum(weights * trace * np.exp(-min(age, 1e9) / taus)))
    return math.log(total) if total > 0 else LEAST


def trace_activation_f32(trace: F32, last: int, now: int, weights: F64, taus: F64) -> np.float32:
    """The same in canonical float32, bit for bit: one memory, trace [12]."""
    age = min(np.float32(max(0, now - last)) * np.float32(1e-9), np.float32(1e9))
    w = weights.astype(np.float32)
    rate = (-LOG2_E / taus).astype(np.float32)
    decay = canonical_exp2(np.maximum(age * rate, np.float32(-100)))
    total = np.float32(0)
    for term in trace * w * decay:
        total = total + term
    total = np.maximum(total, np.float32(2.0**-100))
    log2 = canonical_log2(np.array([total], dtype=np.float32))[0]
    return log2 * np.float32(float.fromhex("0x1.62e430p-1"))


# Exponential.
def half_life_retention(half_life_days: float, elapsed_days: float) -> float:
    return 2.0 ** (-elapsed_days / half_life_days)


def next_half_life(h: float, elapsed_days: float, success: bool, law) -> float:
    """H (1 + g (1 - R)) after a use, H lambda after a failure, kept within its limits."""
    grown = h * (1 + law.growth * (1 - half_life_retention(h, elapsed_days)))
    new = grown if success else h * law.shrink
    return min(max(new, law.min_half_life_days), law.max_half_life_days)


# FSRS-6.
def fsrs_factor(w: list[float]) -> float:
    return 0.9 ** (1 / -w[20]) - 1


def fsrs_retrievability(w: list[float], s: float, days: float) -> float:
    return (1 + fsrs_factor(w) * days / s) ** -w[20]


def fsrs_first(w: list[float], grade: int) -> tuple[float, float]:
    return max(w[grade - 1], 0.001), min(max(fsrs_d0(w, grade), 1.0), 10.0)


def fsrs_d0(w: list[float], grade: int) -> float:
    return w[4] - math.exp(w[5] * (grade - 1)) + 1


def fsrs_review(w: list[float], s: float, d: float, days: float, grade: int) -> tuple[float, float]:
    r = fsrs_retrievability(w, s, days)
    if days < 1:
        inc = math.exp(w[17] * (grade - 3 + w[18])) * s ** -w[19]
        new = s * (max(inc, 1.0) if grade >= 2 else inc)
    elif grade == 1:
        new = w[11] * d ** -w[12] * ((s + 1) ** w[13] - 1) * math.exp((1 - r) * w[14])
        new = min(new, s / math.exp(w[17] * w[18]))
    else:
        bonus = {2: w[15], 3: 1.0, 4: w[16]}[grade]
        growth = math.exp(w[8]) * (11 - d) * s ** -w[9] * (math.exp((1 - r) * w[10]) - 1)
        new = s * (1 + growth * bonus)
    damped = d + (10 - d) * (-w[6] * (grade - 3)) / 9
    reverted = w[7] * fsrs_d0(w, 4) + (1 - w[7]) * damped
    return max(new, 0.001), min(max(reverted, 1.0), 10.0)


def fsrs_interval(w: list[float], s: float, retention: float) -> int:
    return min(max(round(s / fsrs_factor(w) * (retention ** (1 / -w[20]) - 1)), 1), 36_500)
