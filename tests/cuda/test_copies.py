"""What is copied to a device: what is new and what has changed, once."""

from __future__ import annotations

import pytest
from tests.cuda.test_batch import vectors
from tests.cuda.test_batch_words import worded
from tests.cuda.test_device import DEVICES, Engines, asked, memories
from tests.strategies import request_of

from remanence import _core

pytestmark = pytest.mark.native

DIM = 384
VECTOR = 4 * DIM
ROW = 200
"""More than the bytes of a row's columns."""
QUESTION = 60_000
"""More than a question brings: its vector, its lists, the table of segments, block summaries."""


class Copies(Engines):
    """Engines whose questions say what they copied."""

    def __init__(self, device: str) -> None:
        super().__init__(device)
        self._name = device

    def asked(self, **changes: object) -> int:
        before = _core.device_bytes_copied(self._name)
        self.agree(asked(DIM) | {"terms": ""} | changes)
        return _core.device_bytes_copied(self._name) - before


@pytest.fixture
def copies(device: str) -> Copies:
    made = Copies(device)
    made.append(1, memories(1500, DIM))
    return made


def test_the_first_question_copies_every_row_once(copies: Copies):
    assert 1500 * VECTOR < copies.asked() < 1500 * (VECTOR + ROW) + QUESTION
    assert copies.asked() < QUESTION


def test_new_rows_are_copied_and_no_others(copies: Copies):
    """The 1,500 rows stay where they are, or are moved on the device when the room grows."""
    copies.asked()
    first, seq = 1501, 2
    for count in (40, 700, 2000):  # room for 2,048 rows, then for 4,096 and 8,192
        copies.append(seq, memories(count, DIM, first, seed=seq))
        assert count * VECTOR < copies.asked() < count * VECTOR + (count + 2048) * ROW + QUESTION
        first, seq = first + count, seq + 1


def test_what_is_touched_is_copied_without_its_vectors(copies: Copies):
    copies.asked()
    copies.touch(2, [3, 5, 9])
    assert 1000 < copies.asked() < 1024 * ROW + QUESTION
    copies.by_ids("close", 3, 7)
    assert 1000 < copies.asked() < 1024 * ROW + QUESTION


def test_questions_on_the_device_bring_nothing(copies: Copies, device: str):
    there = _core.to_device(vectors(20, DIM), device)
    like = request_of(asked(DIM) | {"vector": None, "terms": ""})
    copies.device.search(there, like)
    before = _core.device_bytes_copied(device)
    copies.device.search(there, like)
    assert _core.device_bytes_copied(device) - before < 20 * VECTOR


def test_each_list_of_words_is_copied_once_a_batch(copies: Copies, device: str):
    requests = [request_of(request) for request in worded(60, DIM, k=3)]
    copies.append(2, memories(3000, DIM, 1501, seed=2))
    copies.device.recall_many(requests)
    before = _core.device_bytes_copied(device)
    copies.device.recall_many(requests)
    assert _core.device_bytes_copied(device) - before < 60 * VECTOR + 2 * 4500 * 8 * 2 + QUESTION


@pytest.mark.skipif("emulated" not in DEVICES, reason="only the emulator can be made small")
def test_a_device_without_room_for_both_copies_everything_again(monkeypatch: pytest.MonkeyPatch):
    copies = Copies("emulated")
    copies.append(1, memories(3000, DIM))
    copies.asked()
    room = 4096 * (VECTOR + ROW)
    free = str(_core.device_bytes("emulated") + room + room // 2)
    monkeypatch.setenv("REMANENCE_EMULATED_BYTES", free)
    copies.append(2, memories(2000, DIM, 3001))
    assert copies.asked() > 5000 * VECTOR
