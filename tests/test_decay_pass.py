"""A pass over whole columns: every law has the judge's bits, for all sets, threads and lengths."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests import reference_decay as judge

from remanence import _core

pytestmark = pytest.mark.native

decay = _core.decay
ROOT = Path(__file__).resolve().parent.parent
NOW = 1_700_000_000 * 10**9
LN2 = 0.69314718055994530942
TIMES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 10**18).map(lambda age: NOW - age),
    st.sampled_from([NOW, NOW + 1, NOW - 1, -(2**63), 2**63 - 1, NOW - 86_400 * 10**9]),
)
LAWS = {
    "power_trace": decay.PowerTrace(d=0.3),
    "half_life": decay.Exponential(),
    "fsrs6": decay.Fsrs6(),
    "fsrs6_whole_days": decay.Fsrs6(floor_days=True),
    "optimized": decay.ActrOptimized(d=0.4),
    "exact": decay.ActrExact(d=0.6),
    "hybrid": decay.PetrovHybrid(recent=2),
    "pavlik_anderson": decay.PavlikAnderson(),
}


def columns(seed: int, n: int, now: int = NOW, dtype: type = np.float32) -> dict[str, Any]:
    """Every column that a law may read; ages from under a second to over the fitted range."""
    rng = np.random.default_rng([seed, n])
    ages = (10.0 ** rng.uniform(0, 18.3, (n, 9))).astype(np.int64)
    counts = rng.integers(0, 9, n)
    times = np.concatenate([np.zeros(0, np.int64), *(np.sort(now - ages[i, : counts[i]])
                                                     for i in range(n))])  # fmt: skip
    trace = rng.gamma(1.0, 3.0, (n, 12)).astype(dtype)
    trace[rng.random(n) < 0.1] = 0
    return {
        "trace": trace,
        "stability": (10.0 ** rng.uniform(-3, 4, n)).astype(dtype),
        "last_access": now - ages[:, 8],
        "created": now - ages.max(axis=1, initial=0),
        "accesses": (counts + rng.integers(0, 3, n)).astype(np.uint32),
        "access_times": times,
        "offsets": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    }


def reads(name: str, held: dict[str, Any]) -> dict[str, Any]:
    """The columns of one law."""
    of_law = {
        "power_trace": ("trace", "last_access"),
        "optimized": ("accesses", "created"),
        "exact": ("access_times", "offsets"),
        "hybrid": ("access_times", "offsets", "accesses", "created"),
        "pavlik_anderson": ("access_times", "offsets"),
    }
    names = of_law.get(name, ("stability", "last_access"))
    return {column: held[column] for column in names}


def log1p(x: judge.F64) -> judge.F64:
    u = x + 1.0
    return judge.canonical_log(u) + (x - (u - 1.0)) / u


def expm1(x: judge.F64) -> judge.F64:
    near = np.where(np.abs(x) < 0.34, x, 0.0)
    small = near + near * near * judge.horner(near, judge.EXP_TAIL)
    return np.where(np.abs(x) < 0.34, small, judge.canonical_exp(x) - 1.0)


def elapsed(times: Any, now: int) -> judge.F64:
    """Seconds, by way of exact integers."""
    ns = [max(0, now - int(t)) for t in times]
    return np.array(ns, dtype=np.uint64).astype(np.float64) * 1e-9


def power_age(times: Any, now: int) -> judge.F64:
    return np.maximum(elapsed(times, now), 1e-9)


def wanted(name: str, law: Any, c: dict[str, Any], now: int) -> list[float]:
    """The judge's activations in float64, step by step as the laws are written."""
    log, exp = judge.canonical_log, judge.canonical_exp
    if name == "half_life":
        return -(elapsed(c["last_access"], now) / 86_400.0) / c["stability"] * LN2
    if name.startswith("fsrs6"):
        ns = [max(0, now - int(t)) for t in c["last_access"]]
        whole = np.array([float(t // 86_400_000_000_000) for t in ns])
        days = whole if law.floor_days else np.array(ns, np.uint64).astype(np.float64) / 86_400e9
        factor = exp(-1.0 / law.w[20] * log(np.array([0.9])))[0] - 1.0
        return -law.w[20] * log1p(factor * days / c["stability"])
    if name == "optimized":
        n = np.maximum(c["accesses"], 1).astype(np.float64)
        value = log(n / (1.0 - law.d)) - law.d * log(power_age(c["created"], now))
        return np.where(c["accesses"] > 0, value, judge.LEAST)
    out = []
    for i, (start, stop) in enumerate(zip(c["offsets"], c["offsets"][1:], strict=False)):
        times = c["access_times"][start:stop]
        out.append(one_history(name, law, c, i, times, now) if len(times) else judge.LEAST)
    return out


def one_history(name: str, law: Any, c: dict[str, Any], i: int, times: Any, now: int) -> float:
    log, exp = judge.canonical_log, judge.canonical_exp
    if name == "pavlik_anderson":
        rates = [min(law.a, law.d_max)]
        for j in range(1, len(times) + 1):
            at = int(times[j]) if j < len(times) else now
            total = sum(exp(-np.array(rates) * log1p(elapsed(times[:j], at))).tolist(), 0.0)
            rates.append(min(law.a + law.c * total, law.d_max))
        return float(log(np.array([total]))[0])
    if name == "exact":
        terms = -law.d * log(power_age(times, now))
        total = sum(exp(terms - terms[-1]).tolist(), 0.0)
        return float(terms[-1] + log(np.array([total]))[0])
    if c["accesses"][i] == 0:
        return judge.LEAST
    kept = times[-law.recent :]
    ages = power_age(kept, now)
    total = sum(exp(-law.d * log(ages)).tolist(), 0.0)
    if c["accesses"][i] > len(kept):
        first, rest = ages[:1], 1.0 - law.d
        x = (power_age(c["created"][i : i + 1], now) - first) / first
        tail = exp(-law.d * log(first))
        if x[0] > 0:
            tail = tail * expm1(rest * log1p(x)) / (rest * x)
        total += float(c["accesses"][i] - len(kept)) * float(tail[0])
    return float(log(np.array([total]))[0])


def trace_bits(law: Any, c: dict[str, Any], now: int) -> list[np.float32]:
    pairs = zip(c["trace"], c["last_access"].tolist(), strict=True)
    return [judge.trace_activation_f32(t, a, now, law.weights, law.TAUS_S) for t, a in pairs]


@pytest.mark.parametrize("name", LAWS)
@given(seed=st.integers(0, 999), n=st.integers(0, 40), precise=st.booleans())
def test_every_law_has_the_bits_of_the_judge(name, seed, n, precise):
    law, c = LAWS[name], columns(seed, n, dtype=np.float64 if precise else np.float32)
    got = decay.decay(law, NOW, **reads(name, c), precise=precise)
    if name == "power_trace":
        if not precise:
            assert got.tolist() == trace_bits(law, c, NOW)
        return
    c["stability"] = c["stability"].astype(np.float64)
    want = np.array(wanted(name, law, c, NOW), dtype=np.float64)
    assert got.tolist() == want.astype(got.dtype).tolist()


@given(
    st.lists(TIMES, min_size=1, max_size=20), TIMES, st.sampled_from(["half_life", "power_trace"])
)
@example([-(2**63)], 2**63 - 1, "power_trace")
@example([NOW - (2**53 + 2**29 + 1)], NOW, "power_trace")
@example([NOW - (2**60 + 2**36 + 1)], NOW, "power_trace")
def test_any_two_times_are_subtracted_exactly_and_rounded_once(last, now, name):
    c = columns(1, len(last)) | {"last_access": np.array(last, dtype=np.int64)}
    got = decay.decay(LAWS[name], now, **reads(name, c))
    if name == "power_trace":
        assert got.tolist() == trace_bits(LAWS[name], c, now)
    else:
        c["stability"] = c["stability"].astype(np.float64)
        want = np.asarray(wanted(name, LAWS[name], c, now))
        assert got.tolist() == want.astype(np.float32).tolist()


def digests() -> dict[str, str]:
    """The bits of every law over every length up to a few blocks, and of a long column."""
    out = {}
    for name, law in LAWS.items():
        found = hashlib.sha256()
        for n in [*range(1, 40), 63, 64, 65, 130, 9_001]:
            for dtype in (np.float32, np.float64):
                c = reads(name, columns(n, n, dtype=dtype))
                found.update(decay.decay(law, NOW, **c, precise=dtype is np.float64).tobytes())
        out[name] = found.hexdigest()
    return out


def test_every_instruction_set_and_number_of_threads_gives_the_same_bits():
    want = None
    for simd in _core.available_simd():
        for threads in (1, 2, 7) if simd == _core.available_simd()[0] else (2,):
            code = (
                "from tests.test_decay_pass import _core, digests\n"
                f"_core.set_threads({threads})\nprint(_core.simd(), digests())"
            )
            env = os.environ | {"REMANENCE_SIMD": simd}
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            used, found = done.stdout.split(" ", 1)
            assert used == simd
            want = want or found
            assert found == want, (simd, threads)


@pytest.mark.parametrize("name", LAWS)
def test_out_is_filled_and_returned(name):
    c = reads(name, columns(5, 70))
    out = np.full(70, np.nan, np.float32)
    assert decay.decay(LAWS[name], NOW, **c, out=out) is out
    assert out.tolist() == decay.decay(LAWS[name], NOW, **c).tolist()


def read_only(n: int) -> np.ndarray:
    out = np.zeros(n, np.float32)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        (np.zeros(69, np.float32), "wrong length"),
        (np.zeros(70), "dtype float32"),
        (np.zeros(140, np.float32)[::2], "C-contiguous"),
        (read_only(70), "read-only"),
        ([0.0] * 70, "NumPy array"),
    ],
)
def test_an_out_that_cannot_be_written_is_refused(out, sentence):
    with pytest.raises(_core.InvalidArgumentError, match=f"^decay: out .*{sentence}"):
        decay.decay(LAWS["half_life"], NOW, **reads("half_life", columns(5, 70)), out=out)


def test_an_out_over_a_column_is_refused():
    c = reads("half_life", columns(5, 70))
    before = c["stability"].copy()
    with pytest.raises(_core.InvalidArgumentError, match="overlap"):
        decay.decay(LAWS["half_life"], NOW, **c, out=c["stability"])
    assert c["stability"].tolist() == before.tolist()


@pytest.mark.parametrize("position", [0, 63, 64, 4_095, 4_096, 9_000])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 0.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_bad_value_is_named_wherever_it_lies(position, bad, dtype):
    c = columns(2, 10)
    many = {"last_access": np.full(9_001, NOW), "precise": dtype is np.float64}
    stability, trace = np.ones(9_001, dtype), np.ones((9_001, 12), dtype)
    stability[position] = stability[-1] = trace[position, 7] = bad
    with pytest.raises(_core.InvalidArgumentError, match=f"^decay: stab.*position {position}\\)"):
        decay.decay(LAWS["half_life"], NOW, stability=stability, **many)
    if bad == 0.0:
        assert np.isfinite(decay.decay(LAWS["power_trace"], NOW, trace=trace, **many)).all()
    else:
        place = position * 12 + 7
        with pytest.raises(_core.InvalidArgumentError, match=f"^decay: trace.*position {place}\\)"):
            decay.decay(LAWS["power_trace"], NOW, trace=trace, **many)
    assert len(decay.decay(LAWS["exact"], NOW, **reads("exact", c))) == 10


def test_a_negative_zero_is_a_zero():
    c = reads("power_trace", columns(3, 20))
    c["trace"][4] = c["trace"][5] = 0.0
    c["trace"][4] *= -1.0
    got = decay.decay(LAWS["power_trace"], NOW, **c)
    assert got[4] == got[5] == np.float32(judge.LEAST)


@pytest.mark.parametrize("rows", [[0, 3, 2, 6], [0, 3, 7, 6], [-1, 3, 4, 6], [1, 3, 4, 6]])
def test_offsets_outside_the_history_are_refused(rows):
    times = np.arange(6, dtype=np.int64)
    with pytest.raises(_core.InvalidArgumentError, match=r"^decay: offsets must ascend"):
        decay.decay(LAWS["exact"], NOW, access_times=times, offsets=np.array(rows))
