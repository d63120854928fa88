"""decay: a pass over a whole column, every law beside NumPy and the memory's speed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from remanence import _core

from .data import NOW, YEAR_NS
from .harness import Memory, Report, Row, alternate, memory, progress

laws = _core.decay
F, LN2 = np.float32, 0.69314718055994530942
SAMPLE = 2_000
TOLERANCE = {"numpy": 1e-3}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--accesses", type=int, default=4, help="accesses kept of each memory")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)


def run(options: argparse.Namespace) -> Report:
    """Every law over one column; ages up to two years."""
    if options.quick:
        options.rows, options.rounds = min(options.rows, 50_000), 3
    names = ("rows", "accesses", "threads", "rounds")
    report = Report("decay", {name: getattr(options, name) for name in names})
    before = _core.threads()
    _core.set_threads(options.threads)
    try:
        reads = memory(options.threads)
        for name in progress(list(CASES), "decay"):
            report.rows.append(_row(name, options, reads))
    finally:
        _core.set_threads(before)
    report.notes.append(
        "floor: the bytes of the columns read and written once, at the speed at which "
        f"{options.threads} thread(s) read memory in the same rounds; NumPy computes on one "
        "thread, in float32, and must lie within 1e-3 nats of ours"
    )
    return report


def columns(rows: int, accesses: int) -> dict[str, Any]:
    """Histories in ascending order, the last access of every row, states of the laws."""
    rng = np.random.default_rng([rows, accesses])
    times = np.sort(NOW - rng.integers(1, 2 * YEAR_NS, (rows, accesses)), axis=1)
    return {
        "trace": rng.gamma(1.0, 3.0, (rows, 12)).astype(F),
        "stability": rng.uniform(1, 100, rows).astype(F),
        "last_access": np.ascontiguousarray(times[:, -1]),
        "created": np.ascontiguousarray(times[:, 0] - 1),
        "accesses": np.full(rows, accesses + 3, np.uint32),
        "access_times": times.ravel(),
        "offsets": np.arange(rows + 1, dtype=np.int64) * accesses,
    }


def ages(times: Any) -> Any:
    """Seconds in float32, as a user of NumPy would have them."""
    return ((NOW - times) * 1e-9).astype(F)


def _power_trace(c: dict[str, Any]) -> Any:
    law = laws.PowerTrace()
    fade = np.exp(ages(c["last_access"])[:, None] * (-1 / law.TAUS_S).astype(F))
    return np.log(np.einsum("nk,nk,k->n", c["trace"], fade, law.weights.astype(F)))


def _half_life(c: dict[str, Any]) -> Any:
    return ages(c["last_access"]) * F(-LN2 / 86_400) / c["stability"]


def _fsrs(c: dict[str, Any]) -> Any:
    w = laws.Fsrs6().w
    factor = F((0.9 ** (-1 / w[20]) - 1) / 86_400)
    return F(-w[20]) * np.log1p(factor * ages(c["last_access"]) / c["stability"])


def _optimized(c: dict[str, Any]) -> Any:
    return np.log(c["accesses"].astype(F) * F(2)) - F(0.5) * np.log(ages(c["created"]))


def _exact(c: dict[str, Any]) -> Any:
    terms = ages(c["access_times"]) ** F(-0.5)
    return np.log(np.add.reduceat(terms, c["offsets"][:-1]))


CASES: dict[str, tuple[Any, tuple[str, ...], Callable[[dict[str, Any]], Any] | None]] = {
    "Exponential": (laws.Exponential(), ("stability", "last_access"), _half_life),
    "PowerTrace": (laws.PowerTrace(), ("trace", "last_access"), _power_trace),
    "Fsrs6": (laws.Fsrs6(), ("stability", "last_access"), _fsrs),
    "ActrOptimized": (laws.ActrOptimized(), ("accesses", "created"), _optimized),
    "ActrExact": (laws.ActrExact(), ("access_times", "offsets"), _exact),
    "PetrovHybrid": (
        laws.PetrovHybrid(recent=2), ("access_times", "offsets", "accesses", "created"), None
    ),
    "PavlikAnderson": (laws.PavlikAnderson(), ("access_times", "offsets"), None),
}  # fmt: skip
GOALS = {"Exponential": 0.7, "PowerTrace": 0.7}


def _row(name: str, options: argparse.Namespace, reads: Memory) -> Row:
    law, names, rival = CASES[name]
    held = columns(options.rows, options.accesses)
    own = {column: held[column] for column in names}
    out = np.empty(options.rows, F)
    cases: dict[str, Any] = {
        "remanence": lambda: laws.decay(law, NOW, **own, out=out),
        "memory": reads.read,
    }
    if rival is not None:
        cases["numpy"] = lambda: rival(held)
    checked = same_bits(name, law, held)
    if rival is not None:
        checked &= bool(np.abs(rival(held) - cases["remanence"]()).max() < TOLERANCE["numpy"])
    timings = alternate(cases, options.rounds, warm_up=2)
    scale = 1e9 / options.rows
    value, spread = timings["remanence"].scaled(scale)
    read = sum(column.nbytes for column in own.values()) + out.nbytes
    floor = read / options.rows / reads.speed(timings["memory"]) * 1e9
    large = options.rows >= 1_000_000
    return Row(
        f"{name} n={options.rows} threads={options.threads}", "ns_per_row", value,
        "numpy" if rival is not None else None,
        timings["numpy"].scaled(scale)[0] if rival is not None else None,
        spread=spread, floor=floor, checked=checked,
        target={"value_max": floor / GOALS[name]} if large and name in GOALS else {},
        extra={"share_of_bandwidth": floor / value, "bytes_per_row": read / options.rows},
    )  # fmt: skip


def same_bits(name: str, law: Any, held: dict[str, Any]) -> bool:
    """Whether a sample has the bits of the judge, which takes one memory at a time."""
    from tests.test_decay_pass import trace_bits, wanted

    n = min(SAMPLE, len(held["stability"]))
    end = int(held["offsets"][n])
    few = {key: column[:n] for key, column in held.items()}
    few |= {"offsets": held["offsets"][: n + 1], "access_times": held["access_times"][:end]}
    got = laws.decay(law, NOW, **{column: few[column] for column in CASES[name][1]})
    if name == "PowerTrace":
        return got.tolist() == trace_bits(law, few, NOW)
    few["stability"] = few["stability"].astype(np.float64)
    kind = {"Exponential": "half_life", "Fsrs6": "fsrs6", "ActrOptimized": "optimized",
            "ActrExact": "exact", "PetrovHybrid": "hybrid",
            "PavlikAnderson": "pavlik_anderson"}[name]  # fmt: skip
    want = np.array(wanted(kind, law, few, NOW), dtype=np.float64)
    return got.tolist() == want.astype(F).tolist()
