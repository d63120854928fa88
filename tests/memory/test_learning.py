"""Feedback: what teaches, what it changes, that it survives, and how it is undone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.memory.helpers import Clock, HashEmbedder, digest
from tests.memory.refusals import refused

import remanence
from remanence import InvalidArgumentError, Memory, Seq, Weights

Opened = Callable[..., Memory]
QUESTION = "where does the cat sleep"


@pytest.fixture
def filled(memory: Memory) -> Memory:
    words = ["cat", "sleep", "where", "bridge", "larch", "tea"]
    rng = np.random.default_rng(0)
    memory.add_many([" ".join(rng.choice(words, 5)) for _ in range(40)])
    return memory


def teach(memory: Memory, rounds: int = 3) -> None:
    """Feedback that likes the word cat."""
    for _ in range(rounds):
        hits = memory.recall(QUESTION, k=10)
        memory.touch([hit for hit in hits if "cat" in hit.text], used=True)
        memory.touch([hit for hit in hits if "cat" not in hit.text], used=False)


def state(memory: Memory) -> bytes:
    """The learner's bits, after catching up with the log."""
    memory.stats()
    return memory._store.view.learner.save()


def answer(memory: Memory, **options: object) -> list[tuple[int, float, float]]:
    hits = memory.recall(QUESTION, k=10, now=2 * 10**18, **options)  # type: ignore[arg-type]
    return [(hit.id, hit.score, hit.p_use) for hit in hits]


def test_feedback_on_hits_teaches_the_weights(filled: Memory) -> None:
    before = filled.weights()
    assert before.learned == before.default == Weights().to_dict()
    assert repr(before) == "LearnedWeights(0 used, 0 not: as by default)"
    teach(filled, rounds=1)
    found = filled.weights()
    assert found.used + found.unused == 10
    assert found.learned != found.default
    assert sum(found.shares.values()) == pytest.approx(1)
    assert "cosine 7.2 -> " in repr(found)
    assert found.to_dict()["used"] == found.used
    ratio = found.learned["lexical"] / found.default["lexical"]
    document = found.learned["lexical_document"] / found.default["lexical_document"]
    assert ratio == pytest.approx(document)


def test_only_a_question_under_the_stores_own_weights_teaches(filled: Memory) -> None:
    filled.touch([1, 2, 3], used=True)
    filled.touch(filled.recall(k=3), used=True)
    filled.touch(filled.recall(QUESTION, weights=Weights()), used=False)
    filled.touch(filled.recall(QUESTION), used=None)
    filled.touch(filled.recall(QUESTION, k=1001), used=False)
    assert filled.weights().used + filled.weights().unused == 0
    filled.touch(filled.recall(memory=1, k=3), used=True)
    filled.touch(filled.recall(QUESTION)[0], used=False)
    assert (filled.weights().used, filled.weights().unused) == (3, 1)


def test_weights_of_the_caller_win(filled: Memory) -> None:
    before = answer(filled, weights=Weights(usefulness=0, lift=0))
    teach(filled)
    assert answer(filled, weights=Weights(usefulness=0, lift=0)) == before
    assert answer(filled) != before


def test_a_hit_keeps_its_evidence_to_itself(filled: Memory) -> None:
    hit = filled.recall(QUESTION)[0]
    assert hit.evidence is not None
    assert "evidence" not in hit.to_dict()
    assert "evidence" not in repr(hit)
    assert hit == replace(hit, evidence=None)
    assert hit.terms is None
    assert hit.reasons == ()


def test_p_use_is_calibrated_by_feedback(filled: Memory) -> None:
    for _ in range(60):
        filled.touch(filled.recall(QUESTION, k=5), used=False)
    found = filled.stats().calibration
    assert (found.used, found.unused) == (0, 300)
    assert sum(b.count for b in found.bins) == 300
    assert found.loss < found.default_loss
    assert found.error == pytest.approx(found.bins[0].predicted, abs=0.2)
    assert max(hit.p_use for hit in filled.recall(QUESTION)) < 0.05
    assert repr(found).startswith("Calibration(0 used, 300 not: error 0.")
    with_default = filled.recall(QUESTION, weights=Weights())
    assert max(hit.p_use for hit in with_default) > 0.05


def test_p_use_never_exceeds_belief(memory: Memory) -> None:
    memory.add("the cat sleeps", belief=0.25)
    for _ in range(30):
        memory.touch(memory.recall(QUESTION), used=True)
    assert 0.2 < memory.recall(QUESTION)[0].p_use <= 0.25


@pytest.mark.parametrize("snapshot", [True, False])
def test_what_was_learned_survives_reopening(
    filled: Memory, opened: Opened, snapshot: bool
) -> None:
    teach(filled)
    if snapshot:
        filled.snapshot()
    teach(filled, rounds=1)
    before, said, shown = state(filled), answer(filled), filled.weights()
    assert filled.verify().ok
    filled.close()
    again = opened()
    assert again.stats().snapshot == ("20 changes behind" if snapshot else "none")
    assert state(again) == before
    assert answer(again) == said
    assert again.weights() == shown
    assert again.verify().ok
    assert state(again) == before


def test_a_snapshot_without_a_learner_is_taught_again(
    filled: Memory, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(filled)
    want = state(filled)
    dumps = remanence.memory.sidecar.json.dumps

    def older(note: dict[str, object]) -> str:
        return str(dumps({k: v for k, v in note.items() if k != "learner"}))

    with monkeypatch.context() as patch:
        patch.setattr("remanence.memory.sidecar.json.dumps", older)
        filled.snapshot()
    filled.close()
    again = opened()
    assert again.stats().snapshot == "current"
    assert state(again) == want


def test_another_opening_learns_the_same(filled: Memory, opened: Opened) -> None:
    other = opened()
    teach(filled)
    assert state(other) == state(filled)
    teach(other)
    assert state(other) == state(filled)
    assert answer(other) == answer(filled)


def test_verify_finds_weights_that_the_log_does_not_teach(filled: Memory) -> None:
    teach(filled)
    learner = filled._store.view.learner
    learner.learn(1.0, np.zeros(3, np.float32), 1.0, True)
    found = filled.verify()
    assert not found.ok
    assert found.problems == ("the weights in use differ from what the log teaches",)


def test_a_reset_is_logged_and_as_of_before_still_answers_as_then(filled: Memory) -> None:
    fresh = answer(filled)
    taught_at, seen = [], []
    for _ in range(3):
        teach(filled, rounds=1)
        taught_at.append(Seq(filled.stats().commits))
        seen.append(answer(filled))
    filled.reset_weights(op_id="again")
    filled.reset_weights(op_id="again")
    assert filled.stats().commits == taught_at[-1].n + 1
    assert filled.weights().learned == Weights().to_dict()
    assert filled.stats().calibration.used == 0
    teach(filled)
    for seq, said in zip(taught_at, seen, strict=True):
        assert answer(filled, as_of=seq) == said
    assert answer(filled, as_of=Seq(1)) == fresh
    assert filled.verify().ok


def test_feedback_happens_once(filled: Memory) -> None:
    hits = filled.recall(QUESTION)
    filled.touch(hits, used=True, op_id="answer-1")
    before = state(filled)
    filled.touch(hits, used=True, op_id="answer-1")
    assert state(filled) == before


def test_evidence_that_cannot_be_is_refused(filled: Memory) -> None:
    hit = filled.recall(QUESTION)[0]
    assert hit.evidence is not None
    score, features = hit.evidence
    for forged in (
        replace(hit, belief=7.0),
        replace(hit, evidence=(float("nan"), features)),
        replace(hit, evidence=(score, features * 2)),
    ):
        before = state(filled)
        with refused(filled, InvalidArgumentError, "touch: "):
            filled.touch(forged, used=True)
        assert state(filled) == before


def as_format_1(path: Path) -> None:
    """What an older version wrote: the same file without the table feedback."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE feedback")
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()


def test_a_store_of_format_1_is_read_as_it_is_and_upgraded_by_a_writer(path: Path) -> None:
    def store(*, read_only: bool = False) -> Memory:
        return remanence.open(path, embedder=HashEmbedder(), clock=Clock(), read_only=read_only)

    with store() as memory:
        memory.add_many(["the cat sleeps", "a bridge"])
        want = digest(memory)
    as_format_1(path)
    before = path.read_bytes()
    with store(read_only=True) as memory:
        assert digest(memory) == want
        assert memory.recall(QUESTION).ids == [1, 2]
        assert memory.verify().ok
    assert path.read_bytes() == before
    with store() as memory:
        assert digest(memory) == want
        memory.touch(memory.recall(QUESTION), used=True)
        assert memory.weights().used == 2
    with store(read_only=True) as memory:
        assert memory.weights().used == 2
        assert memory.verify().ok


async def test_the_twins(filled: Memory) -> None:
    await filled.atouch(await filled.arecall(QUESTION), used=True)
    assert (await filled.aweights()).used == 10
    await filled.areset_weights()
    assert (await filled.aweights()).used == 0
