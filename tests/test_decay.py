"""The decay laws against the reference vectors, the judge, and what they must refuse."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from tests import reference_decay as judge

from remanence import _core

pytestmark = pytest.mark.native

decay = _core.decay
canonical = _core.canonical
DAY_NS = 86_400 * 10**9
EXACT_NATS = 1e-13  # one number, computed twice
F64_NATS = 1e-9  # float64 against the vectors: oracle and engine differ by rounding alone
F32_NATS = 2e-5  # float32 traces and polynomials: 12 terms of 24 bits and the age's rounding


def cases(shared_data, name):
    path = shared_data / "reference_vectors" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def ns(seconds: float) -> int:
    return round(Fraction(seconds) * 10**9)


def history(times):
    """CSR columns of one memory."""
    return {
        "access_times": np.array(times, dtype=np.int64),
        "offsets": np.array([0, len(times)], dtype=np.int64),
    }


def exact_ticks(*seconds: float) -> tuple[list[int], float]:
    """Times as whole ticks without rounding, and the length of a tick in seconds.

    A power law without shift scales: B in ticks = B in seconds - d ln(ticks per second), so the
    vectors' float seconds need no rounding to nanoseconds.
    """
    per_second = max(Fraction(s).denominator for s in seconds)
    while max(abs(s) for s in seconds) * per_second >= 2**62:
        per_second //= 2
    return [round(Fraction(s) * per_second) for s in seconds], 1e9 / per_second


def test_actr_exact_matches_vectors(shared_data):
    for case in cases(shared_data, "actr_exact")["cases"]:
        (now, *times), tick = exact_ticks(case["now_s"], *case["access_times_s"])
        law = decay.ActrExact(d=case["d"])
        got = decay.decay(law, now, **history(times), precise=True)[0] - case["d"] * math.log(tick)
        assert got == pytest.approx(float(case["B_mp"]), abs=F64_NATS), case["id"]


def test_actr_optimized_and_hybrid_match_vectors(shared_data):
    for case in cases(shared_data, "actr_optimized")["cases"]:
        (created, now, *times), tick = exact_ticks(
            case["creation_s"], case["now_s"], *case["access_times_s"]
        )
        columns = {
            "accesses": np.array([case["n"]], dtype=np.uint32),
            "created": np.array([created]),
        }
        unit = case["d"] * math.log(tick)
        law = decay.ActrOptimized(d=case["d"])
        got = decay.decay(law, now, **columns, precise=True)[0] - unit
        assert got == pytest.approx(float(case["B_optimized_mp"]), abs=F64_NATS)
        for k, want in case["B_hybrid_mp"].items():
            law = decay.PetrovHybrid(d=case["d"], recent=int(k))
            full = decay.decay(law, now, **columns, **history(times), precise=True)[0] - unit
            assert full == pytest.approx(float(want), abs=F64_NATS), (case["id"], k)
            kept = history(times[-int(k) :])
            assert decay.decay(law, now, **columns, **kept, precise=True)[0] - unit == full


def test_power_trace_table_is_the_fitted_one(shared_data):
    vectors = cases(shared_data, "power_trace")
    assert decay.PowerTrace.TAUS_S.tolist() == vectors["taus_s"]
    for d, weights in vectors["weights"].items():
        law = decay.PowerTrace(d=float(d))
        assert law.weights.tolist() == weights
        # The vectors' bound was taken on the fit's own grid, up to 0.4 % under the true peaks.
        assert vectors["eps"][d] <= -math.expm1(-law.error) <= vectors["eps"][d] * 1.005


@pytest.mark.parametrize("d", [round(0.05 * i, 2) for i in range(1, 21)])
def test_power_trace_error_holds_at_every_age(d):
    law, ages = decay.PowerTrace(d=d), np.append(np.geomspace(1e-3, 1e9, 100_000), 0.0)
    kernel = np.exp(-ages[:, None] / law.TAUS_S) @ law.weights
    missed = np.abs(np.log(kernel) + d * np.log1p(ages)).max()
    assert 0.99 * law.error <= missed <= law.error


def test_power_trace_matches_vectors_in_float64(shared_data):
    for case in cases(shared_data, "power_trace")["cases"]:
        columns = history([ns(t) for t in case["access_times_s"]])
        trace, last = decay.power_trace_build(**columns, precise=True)
        np.testing.assert_allclose(trace[0], case["E_at_last"], rtol=F64_NATS)
        assert last[0] == ns(case["t_last_s"])
        law = decay.PowerTrace(d=case["d"])
        got = decay.decay(law, ns(case["now_s"]), trace=trace, last_access=last, precise=True)[0]
        assert got == pytest.approx(case["B_trace_f64"], abs=F64_NATS)
        assert abs(got - float(case["B_shifted_exact_mp"])) <= law.error
        columns["access_times"] = np.random.default_rng(1).permutation(columns["access_times"])
        shuffled, last = decay.power_trace_build(**columns, precise=True)
        np.testing.assert_allclose(shuffled, trace, rtol=1e-12)


def test_power_trace_in_float32_matches_vectors_and_the_judge_bit_for_bit(shared_data):
    taus = decay.PowerTrace.TAUS_S
    for case in cases(shared_data, "power_trace")["cases"]:
        times, now = [ns(t) for t in case["access_times_s"]], ns(case["now_s"])
        trace, last = decay.power_trace_build(**history(times))
        law = decay.PowerTrace(d=case["d"])
        got = decay.decay(law, now, trace=trace, last_access=last)[0]
        assert abs(got - case["B_trace_f64"]) <= F32_NATS
        assert abs(got - float(case["B_shifted_exact_mp"])) <= law.error + F32_NATS
        want, want_last = np.zeros(12, dtype=np.float32), None
        for t in times:
            want, want_last = judge.trace_add(want, want_last, t, 1.0, taus)
        assert np.array_equal(trace[0], want)
        bits = judge.trace_activation_f32(want, want_last, now, law.weights, taus)
        assert got.view(np.uint32) == bits.view(np.uint32)


def test_pavlik_anderson_matches_vectors(shared_data):
    for case in cases(shared_data, "pavlik")["cases"]:
        times, now = [ns(t) for t in case["access_times_s"]], ns(case["now_s"])
        fields = {name: case[name] for name in ("c", "a", "d_max")}
        law = decay.PavlikAnderson(**fields)
        got = decay.decay(law, now, **history(times), precise=True)[0]
        assert got == pytest.approx(case["m_exact"], abs=F64_NATS)
        assert judge.pavlik_anderson(times, now, **fields) == pytest.approx(got, abs=F64_NATS)


def test_fsrs_matches_vectors(shared_data):
    for case in cases(shared_data, "fsrs6")["cases"]:
        law = decay.Fsrs6(w=case["parameters"], floor_days=True)
        state = None
        for review in case["reviews"]:
            grade = np.array([review["rating"]], dtype=np.uint8)
            elapsed = np.array([review["dt_s"] * 10**9], dtype=np.int64)
            if state is None:
                state = law.first(grade)
            else:
                before = law.retrievability(state[0], elapsed)[0]
                assert before == pytest.approx(review["R_before"], abs=F64_NATS)
                state = law.review(*state, elapsed, grade)
            assert state[0][0] == pytest.approx(review["S_after"], rel=F64_NATS)
            assert state[1][0] == pytest.approx(review["D_after"], abs=F64_NATS)
            if review["state"] == 2:
                days = law.interval_days(state[0], case["desired_retention"])[0]
                assert days * 86_400 == review["next_interval_s"]
        continuous = decay.Fsrs6(w=case["parameters"])
        for probe in case["probes"]:
            elapsed = np.array([probe["dt_s"] * 10**9], dtype=np.int64)
            floored = law.retrievability(state[0], elapsed)[0]
            assert floored == pytest.approx(probe["R_fsrs_floor_days"], abs=F64_NATS)
            smooth = continuous.retrievability(state[0], elapsed)[0]
            assert smooth == pytest.approx(float(probe["R_continuous_mp"]), abs=F64_NATS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_retention_laws_give_the_log_of_retention(dtype):
    stability = np.geomspace(0.01, 3_000, 50).astype(dtype)
    last = np.zeros(50, dtype=np.int64)
    now, days = 12 * DAY_NS + 12_345, 12 + 12_345 / DAY_NS
    columns = {"stability": stability, "last_access": last, "precise": dtype is np.float64}
    tolerance = F64_NATS if dtype is np.float64 else 1e-6
    got = decay.decay(decay.Exponential(), now, **columns)
    want = [-days / h * math.log(2) for h in stability.tolist()]
    np.testing.assert_allclose(got, want, rtol=tolerance)
    law = decay.Fsrs6()
    got = decay.decay(law, now, **columns)
    want = [math.log(judge.fsrs_retrievability(law.w, s, days)) for s in stability.tolist()]
    np.testing.assert_allclose(got, want, rtol=tolerance)


def test_every_row_of_a_large_batch_is_its_own():
    rng = np.random.default_rng(4)
    n = 9_001  # more than two tasks of the pool, and no multiple of a block
    trace = rng.gamma(1.0, 3.0, (n, 12)).astype(np.float32)
    last = rng.integers(0, 10**17, n)
    law, now = decay.PowerTrace(), 10**17 + 5
    whole = decay.decay(law, now, trace=trace, last_access=last)
    for i in [0, 1, 63, 64, 4_095, 4_096, 9_000]:
        alone = decay.decay(law, now, trace=trace[i : i + 1], last_access=last[i : i + 1])
        assert alone[0] == whole[i]


def test_never_accessed_is_the_least_and_finite():
    trace, last = np.zeros((1, 12), dtype=np.float32), np.zeros(1, dtype=np.int64)
    got = decay.decay(decay.PowerTrace(), 0, trace=trace, last_access=last)
    assert got[0] == np.float32(judge.LEAST)
    precise = {"trace": trace.astype(np.float64), "last_access": last, "precise": True}
    assert decay.decay(decay.PowerTrace(), 0, **precise)[0] == pytest.approx(judge.LEAST)
    for law in (decay.ActrExact(), decay.PavlikAnderson()):
        assert decay.decay(law, 0, **history([]))[0] == np.float32(judge.LEAST)
    assert abs(decay.LEAST_ACTIVATION - judge.LEAST) < EXACT_NATS


SIMD_PROBE = """
import hashlib, numpy as np
from remanence import _core
rng = np.random.default_rng(3)
trace = rng.gamma(1.0, 3.0, (4096, 12)).astype(np.float32)
last = rng.integers(-10**18, 10**18, 4096)
got = _core.decay.decay(_core.decay.PowerTrace(), 10**18, trace=trace, last_access=last)
print(_core.simd(), hashlib.sha256(got.tobytes()).hexdigest())
"""


def test_every_instruction_set_returns_the_same_bits():
    answers = {}
    for name in _core.available_simd():
        env = {**os.environ, "REMANENCE_SIMD": name, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", SIMD_PROBE]
        ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        used, digest = ran.stdout.split()
        assert used == name
        answers[name] = digest
    assert len(set(answers.values())) == 1, answers


def ulps(got, want):
    """Distance from the true value in units of the last place of `got`'s dtype."""
    return np.abs(got.astype(want.dtype) - want) / np.spacing(np.abs(want).astype(got.dtype))


def test_canonical_float32_has_the_bits_of_the_judge():
    rng = np.random.default_rng(5)
    x = rng.uniform(-130, 130, 200_000).astype(np.float32)
    x = np.concatenate([x, np.arange(-127, 129, dtype=np.float32), np.float32([0, -0.5, 0.5])])
    got = canonical.exp2(x)
    assert np.array_equal(got, judge.canonical_exp2(x))
    inside = np.clip(x, -126, 127).astype(np.float64)
    assert ulps(got, np.exp2(inside)).max() <= 1.1
    assert np.array_equal(canonical.exp2(np.float32([np.inf, -np.inf])), [2.0**127, 2.0**-126])
    assert np.isnan(canonical.exp2(np.float32([np.nan]))[0])
    bits = rng.integers(0x0080_0000, 0x7F80_0000, 200_000, dtype=np.uint32)
    near_one = rng.uniform(0.7, 1.42, 100_000).astype(np.float32)
    x = np.concatenate([bits.view(np.float32), near_one, np.exp2(np.arange(-126.0, 128.0))])
    x = x.astype(np.float32)
    got = canonical.log2(x)
    assert np.array_equal(got, judge.canonical_log2(x))
    true = np.log2(x.astype(np.float64))
    assert np.array_equal(got[true == 0], true[true == 0])
    assert ulps(got[true != 0], true[true != 0]).max() <= 1.4


def test_canonical_float64_has_the_bits_of_the_judge():
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.uniform(-720, 715, 100_000), rng.uniform(-1, 1, 100_000), [0.0, 710]])
    got = canonical.exp(x)
    assert np.array_equal(got, judge.canonical_exp(x))
    inside = (x > -708) & (x < 709.7)
    # Where long double is no wider than double, NumPy's own last place comes on top.
    slack = 0.0 if np.finfo(np.longdouble).nmant > 60 else 1.0
    assert ulps(got[inside], np.exp(x[inside].astype(np.longdouble))).max() <= 1 + slack
    y = np.concatenate([np.exp(rng.uniform(-708, 709, 100_000)), rng.uniform(0.6, 1.6, 100_000)])
    got = canonical.log(y)
    assert np.array_equal(got, judge.canonical_log(y))
    assert ulps(got, np.log(y.astype(np.longdouble))).max() <= 1.3 + slack
    edges = canonical.log(np.array([0.0, -0.0, np.inf, -1.0, np.nan, 5e-324]))
    assert np.array_equal(edges[:3], [-np.inf, -np.inf, np.inf])
    assert np.isnan(edges[3:5]).all()
    assert edges[5] == pytest.approx(math.log(5e-324), rel=1e-15)
    z = np.concatenate([rng.uniform(-40, 40, 50_000), 10.0 ** rng.uniform(-300, 1, 50_000)])
    assert ulps(canonical.expm1(z), np.expm1(z.astype(np.longdouble))).max() <= 4 + slack
    z = 10.0 ** rng.uniform(-300, 30, 100_000)
    assert ulps(canonical.log1p(z), np.log1p(z.astype(np.longdouble))).max() <= 4 + slack


def one_trace(value=1.0, dtype=np.float32):
    return {"trace": np.full((1, 12), value, dtype=dtype), "last_access": np.zeros(1, np.int64)}


TRACE, LAST = np.ones((2, 12), dtype=np.float32), np.zeros(2, dtype=np.int64)
TIME, WEIGHT = np.ones(2, dtype=np.int64), np.ones(2, dtype=np.float32)
HALF_LIFE = {"stability": np.ones(1, np.float32), "last_access": np.zeros(1, np.int64)}


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (one_trace(np.nan), "trace must be finite"),
        (one_trace(-1.0), "trace must be finite and not negative"),
        (one_trace(dtype=np.float64), r"dtype float32 \(got float64; use .astype\(np.float32\)"),
        (one_trace() | {"precise": True}, "dtype float64"),
        (one_trace() | {"trace": np.ones((1, 11), np.float32)}, r"12 columns \(got 11\)"),
        (one_trace() | {"trace": np.ones(12, np.float32)}, "2 dimension"),
        (one_trace() | {"trace": np.ones((1, 24), np.float32)[:, ::2]}, "C-contiguous"),
        (one_trace() | {"trace": np.ones((3, 12), np.float32)}, r"\(got 36, want 12\)"),
        (one_trace() | {"trace": [[1.0] * 12]}, r"NumPy array \(got list\)"),
        (one_trace() | {"last_access": np.zeros(1)}, "dtype int64"),
        ({"last_access": np.zeros(1, np.int64)}, r"PowerTrace reads the column trace"),
    ],
)
def test_decay_refuses_bad_traces(columns, sentence):
    with pytest.raises(_core.InvalidArgumentError, match="^decay: .*" + sentence):
        decay.decay(decay.PowerTrace(), 0, **columns)


@pytest.mark.parametrize(
    ("law", "columns", "sentence"),
    [
        (decay.ActrExact(), {}, "ActrExact reads the column offsets"),
        (decay.ActrExact(), history([5, 4]), "of memory 0 must ascend"),
        (
            decay.ActrExact(),
            history([1]) | {"offsets": np.array([0, 2])},
            r"offsets must ascend .*\(got 0 to 2, want 0 to 1\)",
        ),
        (decay.PetrovHybrid(), history([1]), "PetrovHybrid reads the column accesses"),
        (decay.Exponential(), HALF_LIFE | {"stability": np.float32([0])}, "positive"),
        (decay.Fsrs6(), HALF_LIFE | {"stability": np.float32([np.nan])}, "positive"),
        (decay.Fsrs6(), HALF_LIFE | {"stability": np.float32([np.inf])}, "finite"),
        (decay.Fsrs6(), HALF_LIFE | {"stability": np.ones(2, np.float32)}, "wrong length"),
    ],
)
def test_decay_refuses_bad_columns(law, columns, sentence):
    with pytest.raises(_core.InvalidArgumentError, match="^decay: .*" + sentence):
        decay.decay(law, 0, **columns)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((TRACE, LAST, TIME, np.float32([1, -1])), "weight is out of range .*-1.0.* at position 1"),
        ((TRACE, LAST, TIME, np.float32([np.nan, 1])), "weight is out of range"),
        ((TRACE, LAST, TIME, np.float32([1, 0])), "weight is out of range"),
        ((TRACE, LAST, TIME, np.float32([1, 101])), "weight is out of range"),
        ((TRACE, LAST, TIME, np.ones(2)), "dtype float32"),
        ((TRACE, LAST, TIME[:1], WEIGHT), r"time has the wrong length \(got 1, want 2\)"),
        ((TRACE, LAST[:1], TIME[:1], WEIGHT[:1]), "last_access has the wrong length"),
        ((TRACE.astype(np.float16), LAST, TIME, WEIGHT), "dtype float32"),
    ],
)
def test_power_trace_add_refuses_and_changes_nothing(arguments, sentence):
    before = [a.copy() for a in arguments]
    with pytest.raises(_core.InvalidArgumentError, match="^power_trace_add: .*" + sentence):
        decay.power_trace_add(*arguments)
    for now, then in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: decay.PowerTrace(d=0.52), "multiple of 0.05"),
        (lambda: decay.PowerTrace(d=math.nan), "multiple of 0.05"),
        (lambda: decay.PowerTrace(d=1.05), "multiple of 0.05"),
        (lambda: decay.ActrExact(d=0.0), "d of ActrExact"),
        (lambda: decay.ActrOptimized(d=1.0), "0 < d < 1"),
        (lambda: decay.PetrovHybrid(recent=0), "recent >= 1"),
        (lambda: decay.PavlikAnderson(c=math.nan), "c of PavlikAnderson"),
        (lambda: decay.Exponential(shrink=1.5), "0 < shrink <= 1"),
        (lambda: decay.Exponential(min_half_life_days=2.0), "initial_half_life_days"),
        (lambda: decay.Exponential(max_half_life_days=math.inf), "finite"),
        (lambda: decay.Fsrs6(w=[1.0] * 20), r"w has the wrong length \(got 20, want 21\)"),
        (lambda: decay.Fsrs6(w=[math.nan] * 21), r"w\[0\] of Fsrs6"),
        (lambda: decay.Fsrs6(w=[0.0] * 21), r"w\[20\] >= 0.01"),
        (lambda: decay.Fsrs6().first(np.array([5], np.uint8)), "grade is out of range"),
        (lambda: decay.Fsrs6().first(np.array([3])), "dtype uint8"),
        (lambda: canonical.log2(np.float32([-1.0])), "log2: x is out of range"),
        (lambda: decay.Fsrs6().interval_days(np.ones(1), 1.0), r"retention must be in \(0, 1\)"),
        (
            lambda: decay.Fsrs6().review(
                np.zeros(1), np.ones(1), np.ones(1, np.int64), np.ones(1, np.uint8)
            ),
            "stability is out of range",
        ),
        (
            lambda: decay.Exponential().next_half_life(
                np.array([np.nan]), np.ones(1, np.int64), np.array([True])
            ),
            "half_life_days is out of range",
        ),
    ],
)
def test_laws_refuse_what_is_out_of_range(make, sentence):
    with pytest.raises(_core.InvalidArgumentError, match=sentence):
        make()
