"""Batches on a device: the tensor cores' path gives the processor's ids and bits, at any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.cuda.test_device import DEVICES, DIM, Engines, asked, lived, memories
from tests.strategies import DAY, T0, F, answers, memory_arrays, request_of

from remanence import _core

pytestmark = pytest.mark.native

SIZES = [1, 7, 8, 63, 64, 65, 130, 260]
"""Below and above the least batch, around groups of 64, and more than a block keeps at a time."""
LIKE: dict[str, dict[str, Any]] = {
    "plain": {},
    "proved": {"proved": True},
    "one": {"k": 1},
    "many": {"k": 60},
    "everything": {"k": 1_000_000},
    "scopes": {"scopes": [1, 2]},
    "one scope": {"scopes": [2]},
    "kinds": {"kinds": 2},
    "belief": {"min_belief": 0.5},
    "past": {"as_of": 2, "weights": _core.Weights(activation=0.7).to_dict()},
    "alive": {"weights": _core.Weights(activation=0.7).to_dict()},
    "against": {"weights": _core.Weights(cosine=-1.0).to_dict()},
    "without vectors": {"weights": _core.Weights(cosine=0.0).to_dict()},
    "great": {"weights": _core.Weights(cosine=1e6, bias=-1e6).to_dict()},
    "dates": {"dates": [[T0 + 9 * DAY, T0 + 10 * DAY]], "authors": [1], "asks_when": True},
    "few": {"allow": list(range(1, 2000, 37)), "exclude": [38, 75]},
    "none": {"kinds": 0},
}


def like(dim: int, **changes: Any) -> dict[str, Any]:
    return asked(dim) | {"vector": None, "terms": ""} | changes


def vectors(count: int, dim: int, seed: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(F)


def same_search(engines: Engines, request: dict[str, Any], asks: np.ndarray) -> None:
    got = engines.device.search(asks, request_of(request))
    want = engines.cpu.search(asks, request_of(request))
    for mine, theirs in zip(got, want, strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.shape == (len(asks), request["k"])
        assert mine.tobytes() == theirs.tobytes()


@pytest.fixture
def engines(device: str, room: str, filled: dict[tuple[str, str], Engines]) -> Engines:
    key = (device, room)
    if key not in filled:
        filled[key] = lived(
            device, lambda made: same_search(made, like(DIM, k=10), vectors(9, DIM))
        )
    return filled[key]


@pytest.mark.parametrize("name", LIKE)
def test_every_request_gives_the_same_bits(engines: Engines, name: str):
    request = like(DIM, k=10) | LIKE[name]
    request["k"] = min(request["k"], 6000)
    same_search(engines, request, vectors(9, DIM))


def test_the_number_of_questions_decides_the_path(device: str):
    """Bytes of the vectors are made for the first batch, and for no fewer questions."""
    engines = Engines(device)
    engines.append(1, memories(2000, 64))
    engines.device.search(vectors(7, 64), request_of(like(64, k=5)))
    before = _core.device_bytes(device)
    engines.device.search(vectors(7, 64), request_of(like(64, k=5)))
    assert _core.device_bytes(device) == before
    engines.device.search(vectors(8, 64), request_of(like(64, k=5)))
    assert _core.device_bytes(device) >= before + 2000 * 64


@pytest.mark.parametrize("count", SIZES)
def test_any_number_of_questions(engines: Engines, count: int):
    same_search(engines, like(DIM, k=7), vectors(count, DIM, seed=count))


def test_the_answers_are_the_own_evidence_of_recall(engines: Engines):
    """Without links, words and newer versions a recall finds by own evidence alone."""
    asks = vectors(9, DIM)
    plain = _core.Weights(next=0, session=0, spreading=0, mentioned=0, mentioning=0, triples=0,
                          subject=0, newer=0).to_dict()  # fmt: skip
    request = like(DIM, k=10, weights=plain)
    ids, scores = engines.device.search(asks, request_of(request))
    for n, vector in enumerate(asks):
        hits = engines.device.recall(request_of(request | {"vector": vector.tolist()}))
        assert ids[n].tolist() == hits.id.tolist()
        assert scores[n].tobytes() == hits.score.tobytes()


@pytest.mark.parametrize("dim", [63, 64, 96, 100, 384])
def test_any_dimension(device: str, dim: int):
    engines = Engines(device)
    engines.append(1, memories(1500, dim))
    for k in (1, 5, 23, 24):
        same_search(engines, like(dim, k=k), vectors(10, dim))


def test_recalls_that_differ_in_their_vector_are_asked_together(engines: Engines):
    """Among them some with words, of other weights, and one vector twice."""
    requests = []
    for n, vector in enumerate(vectors(30, DIM)):
        request = like(DIM, k=5, vector=vector.tolist(), explain=True)
        if n % 7 == 3:
            request |= {"terms": "heron tide"}
        if n % 11 == 5:
            request |= {"weights": _core.Weights(importance=2.0).to_dict()}
        requests.append(request)
    requests[20]["vector"] = requests[0]["vector"]
    made = [request_of(request) for request in requests]
    want = [answers(hits) for hits in engines.cpu.recall_many(made)]
    assert [answers(hits) for hits in engines.device.recall_many(made)] == want


def test_ties_that_fill_every_list_are_answered_one_by_one(device: str):
    """18,000 memories alike: each bound is as good as the next, and no list holds them."""
    engines = Engines(device)
    one = memories(2, 64)[1] | {"terms": ""}
    arrays = memory_arrays([one | {"id": i} for i in range(1, 18_001)])
    for engine in (engines.cpu, engines.device):
        engine.append(1, **arrays)
    same_search(engines, like(64, k=3, weights=_core.Weights(bias=1.0).to_dict()), vectors(8, 64))


def test_vectors_that_change_are_encoded_again(device: str):
    engines = Engines(device)
    engines.append(1, memories(1400, 64))
    same_search(engines, like(64, k=10), vectors(8, 64))
    engines.append(2, memories(3, 64, 1401, seed=8))
    same_search(engines, like(64, k=10), vectors(8, 64))
    ids, _ = engines.cpu.search(vectors(1, 64), request_of(like(64, k=10)))
    engines.by_ids("erase", 3, *(int(i) for i in ids[0][:4]))
    same_search(engines, like(64, k=10), vectors(8, 64))
    engines.append(4, memories(2000, 64, 1404, seed=9))
    same_search(engines, like(64, k=10), vectors(8, 64))


@pytest.mark.parametrize("backend", ["cpu", *DEVICES])
def test_what_cannot_be_asked(backend: str):
    engine = _core.Engine(0, backend)
    engine.append(1, **memory_arrays(memories(100, 8)))
    request = request_of(like(8, k=3))
    for bad in (np.nan, np.inf, 0.0):
        asks = vectors(3, 8)
        asks[1] = bad
        with pytest.raises(_core.InvalidArgumentError, match="search: vector 1 "):
            engine.search(asks, request)
    with pytest.raises(_core.InvalidArgumentError, match=r"wrong dimension \(got 7, want 8\)"):
        engine.search(vectors(3, 7), request)
    with pytest.raises(_core.InvalidArgumentError, match="must have no vector, terms"):
        engine.search(vectors(3, 8), request_of(asked(8)))
    with pytest.raises(_core.InvalidArgumentError, match="out must be 'host' or 'device'"):
        engine.search(vectors(3, 8), request, out="there")
    ids, scores = engine.search(vectors(0, 8), request)
    assert (ids.shape, scores.shape) == ((0, 3), (0, 3))


def test_a_store_without_vectors_is_asked_by_the_rest(device: str):
    engines = Engines(device)
    engines.append(1, [row | {"vector": None} for row in memories(900, 4)])
    same_search(engines, like(64, k=5), vectors(9, 64))


def test_an_empty_store_has_no_answers(device: str):
    ids, scores = _core.Engine(0, device).search(vectors(9, 8), request_of(like(8, k=3)))
    assert (ids == -1).all()
    assert np.isneginf(scores).all()
