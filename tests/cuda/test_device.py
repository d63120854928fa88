"""Backends beside the processor: every path of their scan gives the processor's ids and bits."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.strategies import (
    DAY,
    HOUR,
    T0,
    TOUCH_COLUMNS,
    WORDS,
    F,
    memory_arrays,
    question,
    request_of,
    row,
    same,
    to_arrays,
)

from remanence import _core

pytestmark = pytest.mark.native

DEVICES = [name for name in _core.available_backends() if name != "cpu"]
WANTED = os.environ.get("REMANENCE_REQUIRED_BACKENDS", "").split()
DIM = 70


def test_the_backends_that_must_be_here_are_here():
    missing = {name: _core.why_unavailable(name) for name in WANTED if name not in DEVICES}
    assert not missing, missing


def memories(count: int, dim: int, first: int = 1, seed: int = 3) -> list[dict[str, Any]]:
    """Every column at work; two of a kind now and then, so that ties are common."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, dim)).astype(F) + F(0.5)
    points[::9] = points[0]
    return [
        row(
            first + i,
            scope=int(rng.integers(3)),
            law=int(rng.integers(3)) if i % 7 == 0 else 0,
            kind=int(rng.integers(5)) if i % 11 == 0 else 0,
            flags=int(rng.integers(4)),
            author=int(rng.integers(3)),
            length=int(rng.integers(30)),
            time=T0 + int(rng.integers(2000)) * HOUR,
            belief=float(rng.random()) * 0.9 + 0.1 if i % 13 == 0 else 1.0,
            importance=float(rng.standard_normal()) / 8 if i % 9 else 0.0,
            terms=" ".join(rng.choice(WORDS, 4)) if i % 3 == 0 else "",
            vector=points[i].tolist() if i % 17 else None,
        )
        for i in range(count)
    ]


def asked(dim: int, seed: int = 1) -> dict[str, Any]:
    vector = np.random.default_rng(seed).standard_normal(dim)
    return question(vector=vector, terms="heron tide tide", now=T0 + 900 * DAY)


REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "proved": {"proved": True},
    "words only": {"vector": None},
    "one": {"k": 1},
    "many": {"k": 60},
    "everything": {"k": 1_000_000},
    "scopes": {"scopes": [1, 2]},
    "kinds": {"kinds": 2},
    "belief": {"min_belief": 0.5},
    "past": {"as_of": 2, "weights": _core.Weights(activation=0.7).to_dict()},
    "alive": {"weights": _core.Weights(activation=0.7).to_dict()},
    "against": {"weights": _core.Weights(cosine=-1.0).to_dict()},
    "dates": {"dates": [[T0 + 9 * DAY, T0 + 10 * DAY]], "authors": [1], "asks_when": True},
    "few": {"allow": list(range(1, 2000, 37)), "exclude": [38, 75]},
    "none": {"kinds": 0},
}


class Engines:
    """One engine on the processor and one on a device, written alike."""

    def __init__(self, device: str) -> None:
        self.cpu, self.device = _core.Engine(), _core.Engine(0, device)

    def append(self, seq: int, rows: list[dict[str, Any]]) -> None:
        for engine in (self.cpu, self.device):
            engine.append(seq, **memory_arrays(rows))

    def touch(self, seq: int, ids: list[int]) -> None:
        touches = [
            {"id": i, "time": T0 + 3000 * HOUR, "weight": 1.0 + i % 3, "used": i % 3 - 1}
            for i in ids
        ]
        for engine in (self.cpu, self.device):
            engine.touch(seq, **to_arrays(touches, TOUCH_COLUMNS))

    def by_ids(self, verb: str, seq: int, *ids: int) -> None:
        for engine in (self.cpu, self.device):
            getattr(engine, verb)(seq, np.array(ids, dtype=np.int64))

    def agree(self, request: dict[str, Any]) -> None:
        same(self.device, request, self.cpu)


def lived(device: str, ask: Callable[[Engines], None]) -> Engines:
    """Engines whose rows were used, closed, erased and restored after they were first asked, so
    that the mirror was there before.
    """
    made = Engines(device)
    made.append(1, memories(5200, DIM))
    ask(made)
    made.touch(2, list(range(5, 5000, 83)))
    made.touch(3, list(range(5, 5000, 166)))
    made.by_ids("close", 4, 7, 1100, 5100)
    made.by_ids("erase", 5, 19, 2100)
    made.by_ids("restore", 6, 1100)
    return made


@pytest.fixture
def engines(device: str, room: str, filled: dict[tuple[str, str], Engines]) -> Engines:
    key = (device, room)
    if key not in filled:
        filled[key] = lived(device, lambda made: made.agree(asked(DIM)))
    return filled[key]


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_gives_the_same_bits(engines: Engines, name: str):
    engines.agree(asked(DIM) | REQUESTS[name])


def test_many_questions_lose_no_hit(engines: Engines):
    for seed in range(2, 22):
        engines.agree(asked(DIM, seed))


def test_recorded_questions_may_differ_in_everything_but_their_shape(engines: Engines):
    """The third question of a shape repeats what the second recorded, with its own filters."""
    for k in (4, 60, 4):
        for name in REQUESTS:
            if "k" not in REQUESTS[name]:
                engines.agree(asked(DIM, seed=len(name)) | REQUESTS[name] | {"k": k})


@pytest.mark.parametrize("dim", [1, 63, 64, 96, 384])
def test_any_dimension(device: str, dim: int):
    engines = Engines(device)
    engines.append(1, memories(1500, dim))
    for k in (3, 23, 24, 1500):
        engines.agree(asked(dim) | {"k": k})


def test_changes_are_seen_by_the_next_question(device: str):
    engines = Engines(device)
    seq = 0
    for first, count in ((1, 5), (6, 1018), (1024, 1), (1025, 1), (1026, 3000), (4026, 1)):
        seq += 1
        engines.append(seq, memories(count, 64, first, seed=first))
        engines.agree(asked(64))
        engines.touch(seq := seq + 1, [first, first + count - 1][: 1 if count == 1 else 2])
        engines.agree(asked(64) | REQUESTS["alive"])
    best = [int(i) for i in engines.cpu.recall(request_of(asked(64))).id]
    engines.by_ids("erase", seq := seq + 1, *best[:3])
    engines.agree(asked(64))
    engines.by_ids("close", seq := seq + 1, *best[3:6])
    engines.agree(asked(64))
    engines.agree(asked(64) | {"as_of": seq - 1})
    engines.by_ids("restore", seq + 1, *best[3:6])
    engines.agree(asked(64))


def test_vectors_may_come_later(device: str):
    engines = Engines(device)
    engines.append(1, [r | {"vector": None} for r in memories(40, 4)])
    engines.agree(asked(64))
    engines.append(2, memories(1100, 64, 41))
    engines.agree(asked(64))


def test_a_loaded_engine_answers_alike(device: str, tmp_path):
    engines = Engines(device)
    engines.append(1, memories(2100, 64))
    engines.device.save(str(tmp_path / "snapshot"))
    loaded = _core.Engine.load(str(tmp_path / "snapshot"), device)
    assert (loaded.backend, engines.cpu.backend) == (device, "cpu")
    same(loaded, asked(64), engines.cpu)


def test_a_strange_limit_is_refused(device: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REMANENCE_DEVICE_BYTES", "-1")
    with pytest.raises(_core.InvalidArgumentError, match="REMANENCE_DEVICE_BYTES"):
        _core.Engine(0, device)


def test_an_unknown_backend_is_refused():
    with pytest.raises(_core.InvalidArgumentError, match="there is no backend called 'tpu'"):
        _core.Engine(0, "tpu")


def test_a_backend_that_cannot_run_says_why():
    why = _core.why_unavailable("cuda")
    if not why:
        pytest.skip("a device is here")
    with pytest.raises(_core.BackendUnavailableError) as caught:
        _core.Engine(0, "cuda")
    assert str(caught.value) == why
    assert why.startswith("cuda: ")
    assert "driver" in why or "not built" in why


def test_auto_takes_the_device_where_there_is_one():
    want = "cuda" if "cuda" in DEVICES else "cpu"
    assert _core.Engine(0, "auto").backend == want
