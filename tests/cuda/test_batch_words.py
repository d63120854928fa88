"""Questions with words in a batch: the device gives the ids and bits of the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.cuda.test_batch import LIKE, like, vectors
from tests.cuda.test_device import DEVICES, DIM, Engines, lived, memories
from tests.strategies import WORDS, answers, request_of

from remanence import _core

pytestmark = pytest.mark.native

OWN = _core.Weights(next=0, session=0, spreading=0, mentioned=0, mentioning=0, triples=0, subject=0,
                    newer=0).to_dict()  # fmt: skip
"""Own evidence alone: nothing is asked for but the five best rows of each question."""
ONE_BY_ONE = 12
"""Bytes of a row that only a question by itself needs on the device: its value and its key."""


def worded(count: int, dim: int, seed: int = 5, **changes: Any) -> list[dict[str, Any]]:
    """Questions with none to five words each, some of them twice, and words that nobody said."""
    rng = np.random.default_rng(seed)
    return [
        like(dim, vector=vector.tolist(), k=5)
        | changes
        | {"terms": " ".join(rng.choice([*WORDS, "unsaid"], n % 6))}
        for n, vector in enumerate(vectors(count, dim, seed))
    ]


def same_recalls(engines: Engines, requests: list[dict[str, Any]]) -> None:
    made = [request_of(request) for request in requests]
    got = [answers(hits) for hits in engines.device.recall_many(made)]
    assert got == [answers(hits) for hits in engines.cpu.recall_many(made)]


@pytest.fixture
def engines(device: str, room: str, filled: dict[tuple[str, str], Engines]) -> Engines:
    key = (device, room)
    if key not in filled:
        filled[key] = lived(device, lambda made: same_recalls(made, worded(9, DIM)))
    return filled[key]


@pytest.mark.parametrize("name", LIKE)
def test_every_request_gives_the_same_bits(engines: Engines, name: str):
    changes = LIKE[name] | {"explain": True}
    changes["k"] = min(changes.get("k", 5), 6000)
    same_recalls(engines, worded(20, DIM, **changes))


@pytest.mark.parametrize("weight", [-3.0, 0.0, 1e-3, 40.0])
def test_words_may_decide_or_be_held_against_a_row(engines: Engines, weight: float):
    weights = _core.Weights(lexical=weight, lexical_document=-weight).to_dict()
    same_recalls(engines, worded(20, DIM, weights=weights))


@pytest.mark.parametrize("count", [8, 64, 65, 130])
def test_any_number_of_questions(engines: Engines, count: int):
    same_recalls(engines, worded(count, DIM, seed=count))


def test_a_word_that_all_rows_hold(device: str):
    """No row is left for the sample, and every question finds all of them by its words."""
    engines = Engines(device)
    rows = memories(4000, 64)
    engines.append(1, [row | {"terms": row["terms"] + " tide"} for row in rows])
    same_recalls(engines, [request | {"terms": "tide heron"} for request in worded(9, 64)])


def test_words_are_asked_for_together(device: str):
    """A question by itself needs lists of all rows; a batch with words leaves them unmade."""
    engines = Engines(device)
    engines.append(1, memories(4000, 64))
    requests = worded(24, 64, weights=OWN)
    same_recalls(engines, requests)
    before = _core.device_bytes(device)
    same_recalls(engines, requests[5:6])
    assert _core.device_bytes(device) >= before + 4000 * ONE_BY_ONE


@pytest.mark.skipif("emulated" not in DEVICES, reason="only the emulator can be made small")
def test_many_words_are_cut_into_batches(monkeypatch: pytest.MonkeyPatch):
    """A quarter of the free memory holds the words of some questions, not of all."""
    requests = worded(60, 64, weights=OWN)
    grown = []
    for free in (1 << 30, 1 << 20):
        engines = Engines("emulated")
        engines.append(1, memories(4000, 64))
        same_recalls(engines, [request | {"terms": ""} for request in requests])
        before = _core.device_bytes("emulated")
        monkeypatch.setenv("REMANENCE_EMULATED_BYTES", str(before + free))
        same_recalls(engines, requests)
        grown.append(_core.device_bytes("emulated") - before)
        monkeypatch.delenv("REMANENCE_EMULATED_BYTES")
    assert grown[0] > 1.5 * grown[1]


def test_words_of_new_rows_are_seen(device: str):
    engines = Engines(device)
    engines.append(1, memories(3400, 64))
    same_recalls(engines, worded(10, 64))
    engines.append(2, memories(300, 64, 3401, seed=8))
    same_recalls(engines, worded(10, 64))
    best = engines.cpu.recall(request_of(worded(10, 64)[5])).id
    engines.by_ids("erase", 3, *(int(i) for i in best[:3]))
    same_recalls(engines, worded(10, 64))


def test_ties_that_fill_every_list_are_answered_one_by_one(device: str):
    """18,000 memories alike, a word with each: no list holds them."""
    engines = Engines(device)
    one = memories(2, 64)[1] | {"terms": "tide"}
    engines.append(1, [one | {"id": i} for i in range(1, 18_001)])
    same_recalls(engines, [request | {"terms": "tide"} for request in worded(8, 64)])
