"""Bad input: each gets one clear sentence, and nothing at all is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.memory.helpers import Clock, HashEmbedder
from tests.memory.refusals import (
    BAD_ARGUMENTS,
    BAD_BUDGETS,
    BAD_TIMES,
    BAD_VECTORS,
    SURROGATES,
    UNKNOWN,
    Call,
    refused,
    vector,
    with_content,
)

import remanence
from remanence import (
    ClockError,
    EmbedderMismatchError,
    InvalidArgumentError,
    Memory,
    NotFoundError,
    StorageError,
)

Opened = Callable[..., Memory]


@pytest.fixture
def filled(memory: Memory) -> Memory:
    return with_content(memory)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """One store for all calls that must not change it."""
    path = tmp_path_factory.mktemp("unchanged") / "memory.db"
    with remanence.open(path, embedder=HashEmbedder(), clock=Clock()) as memory:
        yield with_content(memory)


@pytest.mark.parametrize(
    ("sentence", "call"), [*BAD_VECTORS, *BAD_ARGUMENTS, *BAD_BUDGETS, *BAD_TIMES]
)
def test_bad_arguments(unchanged: Memory, sentence: str, call: Call) -> None:
    with refused(unchanged, InvalidArgumentError, sentence):
        call(unchanged)


@pytest.mark.parametrize(("sentence", "call"), UNKNOWN)
def test_unknown_ids(unchanged: Memory, sentence: str, call: Call) -> None:
    with refused(unchanged, NotFoundError, sentence):
        call(unchanged)


@pytest.mark.parametrize("call", SURROGATES)
def test_lone_surrogates(unchanged: Memory, call: Call) -> None:
    with refused(unchanged, InvalidArgumentError, r"\w+: .* holds a lone surrogate"):
        call(unchanged)


def test_bad_arguments_of_open(path: Path) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"path": 7}, "open: path must be text or a Path"),
        ({"path": ""}, "open: path must be text or a Path"),
        ({"path": "a\0b"}, "open: path holds a NUL"),
        ({"dim": 0}, "open: dim must be a positive integer"),
        ({"timeout": -1}, "open: timeout must be"),
        ({"extractor": 7}, "open: extractor must be"),
        ({"read_only": 1}, "open: read_only must be True or False"),
    ]
    for options, sentence in bad:
        with pytest.raises(InvalidArgumentError, match=f"^{sentence}"):
            remanence.open(**{"path": path, **options})
    assert not path.exists()
    for where, sentence in (
        (path.parent, "open: .* is a folder"),
        (path.parent / "missing" / "x.db", "open: the folder .* does not exist"),
    ):
        with pytest.raises(StorageError, match=sentence):
            remanence.open(where)
    with pytest.raises(StorageError, match=r"open: .* does not exist"):
        remanence.open(path, read_only=True)
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE memories; --",
        '" OR 1=1; DELETE FROM commits',
        "nul \0 inside \0",
        "\0",
        "😀 \u202e right-to-left \U0010ffff \ufffe",
        "a\r\n\tb\x1b[31m",
        "%s {0} {x} \\ \\x00",
        " ",
    ],
)
def test_hostile_strings_are_only_text(opened: Opened, text: str) -> None:
    memory = opened()
    given: dict[str, Any] = {
        "author": text,
        "session": text,
        "source": text,
        "scope": ("a", text),
        "meta": {text: text},
    }
    memory.add(text, **given, op_id=text)
    memory.add("other", scope=("a", text), session=text, triples=[("s", text + ".", "o")])
    assert memory.add(text, op_id=text) == 1
    memory.close()
    memory = opened()
    row = memory.get(1)
    assert row.text == text
    assert (row.author, row.session, row.source) == (text, text, text)
    assert (row.scope, row.meta) == (("a", text), {text: text})
    assert [n.type for n in memory.neighbours(2, types="next")] == ["next"]
    assert 1 in memory.recall(text, scope=("a", text)).ids
    assert memory.stats().memories == 5
    assert memory.verify().ok


def test_ten_megabytes_of_text(opened: Opened) -> None:
    memory = opened(embedder=None)
    text = "word and another " * 600_000
    assert len(text) > 10_000_000
    memory.add(text, meta={"big": "x" * 100_000})
    memory.add("y" * 10_000_000)
    memory.close()
    memory = opened(embedder=None, snapshot=False)
    assert memory.get(1).text == text
    assert memory.recall("another word", k=1).ids == [1]
    assert len(repr(memory.recall("another", k=1))) < 300


def test_the_clock_may_not_run_backwards(opened: Opened, clock: Clock) -> None:
    memory = opened()
    memory.add("a")
    last = clock.now
    clock.now = last - 3_000_000_000  # two seconds behind at the next reading
    memory.add("b")
    assert [memory.get(i).committed for i in (1, 2)] == [last, last]
    clock.now = last - 10_000_000_000
    sentence = r"add: the clock runs backwards \(got a time 9\.000 s before the last commit"
    with refused(memory, ClockError, sentence):
        memory.add("c")
    with refused(memory, ClockError, "touch: the clock runs backwards"):
        memory.touch(1, now=last)
    clock.now = last
    assert memory.add("c") == 3
    assert memory.recall("a", as_of=last).ids == [1, 2]


def test_a_clock_must_give_nanoseconds(opened: Opened) -> None:
    memory = opened(clock=lambda: 1.7e9)
    with pytest.raises(ClockError, match=r"add: the clock must return int nanoseconds"):
        memory.add("x")


class Faulty(HashEmbedder):
    """An embedder with a wrong shape."""

    def embed(self, texts: Any) -> Any:
        return super().embed(texts)[:, :3]


def test_a_faulty_embedder(opened: Opened) -> None:
    memory = opened(embedder=Faulty())
    with refused(memory, InvalidArgumentError, "embed: hash-16 returned a wrong shape"):
        memory.add("x")


def test_mixed_embedders(filled: Memory, opened: Opened) -> None:
    other = opened(embedder=HashEmbedder(16, "other"))
    for call in (
        lambda: other.add("x"),
        lambda: other.add_many(["x", "y"]),
        lambda: other.add("x", vector=vector(1)),
        lambda: other.update(1, text="x"),
        lambda: other.recall("x"),
    ):
        with refused(filled, EmbedderMismatchError, r"\w+: the store holds vectors of ano"):
            call()


class WrongLinks:
    """An extractor whose links lead nowhere, weigh too much, or whose answer is too short."""

    id = "wrong"

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def extract(self, batch: Any, context: Any) -> Any:
        from remanence.text import Extraction, Link, Stored

        assert context is not None
        links = {
            "position": (Link(0, 7, "next"),),
            "stored": (Link(0, Stored(99), "next"),),
            "weight": (Link(0, Stored(1), "next", 2.0),),
            "type": (Link(0, Stored(1), ""),),
            "short": (),
        }[self.fault]
        count = 0 if self.fault == "short" else len(batch)
        return [Extraction("x", 1, 0, links)] * count


@pytest.mark.parametrize("fault", ["position", "stored", "weight", "type", "short"])
def test_a_faulty_extractor(filled: Memory, opened: Opened, fault: str) -> None:
    memory = opened(extractor=WrongLinks(fault))
    sentence = "add: the extractor|add: a link needs a type and a weight"
    with refused(filled, InvalidArgumentError, sentence):
        memory.add("x")
