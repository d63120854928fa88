"""Calls that a Memory must refuse, with the sentence each gets; and the check that it did."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from tests.memory.helpers import bytes_of_store, unit_rows

from remanence import (
    Item,
    Memory,
    RemanenceError,
    Seq,
    Weights,
)

Call = Callable[[Memory], object]

F32 = np.float32
LONE = "lone \ud800 surrogate"
NAN = float("nan")
INF = float("inf")


def state(memory: Memory) -> tuple[str, dict[str, bytes]]:
    """The engine's state and every byte of the files, but for SQLite's shared memory."""
    path = memory._store.log.path
    files = {n: b for n, b in bytes_of_store(path).items() if not n.endswith("-shm")}
    return memory._store.view.engine.digest(), files


@contextmanager
def refused(memory: Memory, kind: type[RemanenceError], sentence: str) -> Iterator[None]:
    """The block raises `kind` with one line that matches, and leaves the store as it was."""
    before = state(memory)
    with pytest.raises(kind) as caught:
        yield
    message = str(caught.value)
    assert re.search(f"^{sentence}", message), message
    assert "\n" not in message
    assert state(memory) == before


def with_content(memory: Memory) -> Memory:
    memory.add_many(["one", "two", "three"])
    memory.link(1, 2)
    memory.forget(3)
    return memory


def vector(*values: float) -> Any:
    return np.array([*values, *[1.0] * (16 - len(values))], F32)


BAD_VECTORS: list[tuple[str, Call]] = [
    ("add: vector holds NaN or infinity", lambda m: m.add("x", vector=vector(NAN))),
    ("add: vector holds NaN or infinity", lambda m: m.add("x", vector=vector(INF))),
    ("add: vector holds NaN or infinity", lambda m: m.add("x", vector=[1e300] * 16)),
    ("add: vector holds NaN or infinity", lambda m: m.add("x", vector=vector(INF, -INF))),
    ("add: vector 0 has no direction", lambda m: m.add("x", vector=np.zeros(16, F32))),
    (
        r"add: vector has the wrong dtype \(got float64, want float32; use vector.astype",
        lambda m: m.add("x", vector=np.ones(16)),
    ),
    ("add: vector has the wrong dtype", lambda m: m.add("x", vector=np.ones(16, int))),
    ("add: vector has the wrong dtype", lambda m: m.add("x", vector=np.array(["a"] * 16))),
    ("add: vector has the wrong shape", lambda m: m.add("x", vector=np.ones((1, 16), F32))),
    ("add: vector has the wrong shape", lambda m: m.add("x", vector=[])),
    (
        r"add: vector has the wrong dimension \(got 15, want 16\)",
        lambda m: m.add("x", vector=[1.0] * 15),
    ),
    ("add: vector must hold numbers only", lambda m: m.add("x", vector=["a"] * 16)),
    ("add: vector must be a NumPy array", lambda m: m.add("x", vector="text")),
    (
        "add_many: vectors have the wrong shape",
        lambda m: m.add_many(["x"], vectors=unit_rows(2)),
    ),
    (
        "add_many: vectors have the wrong shape",
        lambda m: m.add_many(["x"], vectors=unit_rows(1)[0]),
    ),
    (
        r"add_many: vector has the wrong dimension \(got 17, want 16\)",
        lambda m: m.add_many(["x"], vectors=unit_rows(1, 17)),
    ),
    (
        "add_many: vectors has the wrong dtype",
        lambda m: m.add_many(["x"], vectors=np.ones((1, 16))),
    ),
    (
        "add_many: vector holds NaN",
        lambda m: m.add_many(["x", "y"], vectors=np.stack([vector(1), vector(NAN)])),
    ),
    (
        "add_many: vectors are given twice",
        lambda m: m.add_many([Item("x", vector=vector(1))], vectors=unit_rows(1)),
    ),
    (
        "add_many: vectors of different dimensions|add_many: vector has the wrong dimension",
        lambda m: m.add_many([Item("x", vector=[1.0] * 16), Item("y", vector=[1.0] * 15)]),
    ),
    ("update: vector holds NaN", lambda m: m.update(1, vector=vector(NAN))),
    ("update: vector has the wrong dimension", lambda m: m.update(1, vector=[1.0] * 3)),
    ("recall: vector holds NaN", lambda m: m.recall(vector=vector(NAN))),
    ("recall: vector has the wrong dtype", lambda m: m.recall(vector=np.ones(16))),
    (
        r"recall: vector has the wrong dimension \(got 3, want 16\)",
        lambda m: m.recall(vector=[1.0] * 3),
    ),
]


BAD_ARGUMENTS: list[tuple[str, Call]] = [
    (r"recall: k must be between 1 and 1000000 \(got 0\)", lambda m: m.recall("x", k=0)),
    (r"recall: k must be .* \(got -1\)", lambda m: m.recall("x", k=-1)),
    (r"recall: k must be .* \(got 1000000000\)", lambda m: m.recall("x", k=10**9)),
    (r"recall: k must be .* \(got 1000.*\)", lambda m: m.recall("x", k=10**30)),
    ("recall: k must be an integer", lambda m: m.recall("x", k=2.0)),
    ("recall: k must be an integer", lambda m: m.recall("x", k=True)),
    ("recall: query must be text", lambda m: m.recall(7)),
    ("recall: no such kind", lambda m: m.recall("x", kinds="episode")),
    ("recall: min_belief must be in", lambda m: m.recall("x", min_p=1.5)),
    ("recall: min_belief must be in", lambda m: m.recall("x", min_p=NAN)),
    ("recall: as_of is not a time", lambda m: m.recall("x", as_of="yesterday")),
    ("recall: as_of is not a commit", lambda m: m.recall("x", as_of=Seq(-1))),
    ("recall: now is out of range", lambda m: m.recall("x", now=2**63)),
    ("recall: weights must be finite", lambda m: m.recall("x", weights=Weights(cosine=NAN))),
    ("recall: scope must be text", lambda m: m.recall("x", scope=7)),
    ("add: text must be text", lambda m: m.add(None)),
    ("add: text must be text", lambda m: m.add(b"bytes")),
    ("add: no such kind", lambda m: m.add("x", kind="dream")),
    ("add: no such decay law", lambda m: m.add("x", law="linear")),
    ("add: a part of the scope is empty", lambda m: m.add("x", scope=("a", ""))),
    ("add: a part of the scope must be text", lambda m: m.add("x", scope=("a", 1))),
    ("add: author is empty", lambda m: m.add("x", author="")),
    ("add: session must be text", lambda m: m.add("x", session=7)),
    ("add: source is too long", lambda m: m.add("x", source="s" * 5000)),
    ("add: belief must be in", lambda m: m.add("x", belief=0.0)),
    ("add: belief must be in", lambda m: m.add("x", belief=1.01)),
    ("add: belief must be in", lambda m: m.add("x", belief=NAN)),
    ("add: belief must be a number", lambda m: m.add("x", belief="sure")),
    ("add: importance must be within 100", lambda m: m.add("x", importance=1e300)),
    ("add: importance must be within 100", lambda m: m.add("x", importance=NAN)),
    ("add: pinned must be True or False", lambda m: m.add("x", pinned="yes")),
    ("add: meta must be a mapping", lambda m: m.add("x", meta=["a"])),
    ("add: meta must be a mapping", lambda m: m.add("x", meta={1: 2})),
    ("add: meta cannot be written as JSON", lambda m: m.add("x", meta={"a": object()})),
    ("add: meta cannot be written as JSON", lambda m: m.add("x", meta={"a": NAN})),
    ("add: a triple is", lambda m: m.add("x", triples=[("a", "b")])),
    ("add: a phrase of a triple is empty", lambda m: m.add("x", triples=[("a", "", "c")])),
    ("add: a phrase of a triple is blank", lambda m: m.add("x", triples=[("a", " ", "c")])),
    (
        "add: the confidence of a triple must be in",
        lambda m: m.add("x", triples=[("a", "b", "c", 2.0)]),
    ),
    ("add: op_id must be text", lambda m: m.add("x", op_id="")),
    ("add: op_id must be text", lambda m: m.add("x", op_id=7)),
    ("add: op_id must be text", lambda m: m.add("x", op_id=LONE)),
    ("add_many: items must be a list", lambda m: m.add_many("abc")),
    ("add_many: items must be a list", lambda m: m.add_many(7)),
    ("add_many: an item has no text; this is item 1", lambda m: m.add_many(["x", {}])),
    (
        "add_many: an item has unknown fields when; this is item 0",
        lambda m: m.add_many([{"text": "x", "when": 1}]),
    ),
    ("add_many: an item is text, a mapping or", lambda m: m.add_many(["x", 7])),
    ("add_many: no such default: when", lambda m: m.add_many(["x"], when=1)),
    ("add_many: no such kind .*; this is item 0", lambda m: m.add_many([Item("x", kind="y")])),
    ("add_many: belief must be in", lambda m: m.add_many(["x", Item("y", belief=2.0)])),
    ("update: belief must be in", lambda m: m.update(1, belief=0.0)),
    ("update: no such kind", lambda m: m.update(1, kind="dream")),
    ("touch: weight must be in", lambda m: m.touch(1, weight=0.0)),
    ("touch: weight must be in", lambda m: m.touch(1, weight=NAN)),
    ("touch: used must be True or False", lambda m: m.touch(1, used="yes")),
    ("touch: the access is earlier than memory 1", lambda m: m.touch(1, now="1999-01-01")),
    ("link: weight must be in", lambda m: m.link(1, 2, weight=0.0)),
    ("link: weight must be in", lambda m: m.link(1, 2, weight=1.5)),
    ("link: a memory cannot be linked to itself", lambda m: m.link(1, 1)),
    ("link: type is empty", lambda m: m.link(1, 2, "")),
    ("link_many: a link is", lambda m: m.link_many([(1,)])),
    ("link_many: a link has no field to", lambda m: m.link_many([{"source": 1, "to": 2}])),
    ("link_many: columns need source", lambda m: m.link_many({"source": np.array([1])})),
    (
        "link_many: target has the wrong length",
        lambda m: m.link_many({"source": np.array([1, 1]), "target": np.array([2])}),
    ),
    (
        "link_many: source must be a 1-D array of integers",
        lambda m: m.link_many({"source": np.array([1.0]), "target": np.array([2])}),
    ),
    ("neighbours: direction must be", lambda m: m.neighbours(1, direction="up")),
    ("restore: memory 1 is not forgotten", lambda m: m.restore(1)),
    ("forget: id 1 occurs twice", lambda m: m.forget([1, 1])),
    ("erase: reason is empty", lambda m: m.erase(1, reason="")),
    ("get: an id must be an integer", lambda m: m.get("1")),
    ("get: an id must be an integer", lambda m: m.get(1.0)),
    ("touch: an id must be an integer", lambda m: m.touch("1")),
]


BAD_BUDGETS: list[tuple[str, Call]] = [
    (r"context: budget must be .* \(got 0\)", lambda m: m.context("x", budget=0)),
    ("context: budget must be", lambda m: m.context("x", budget="all")),
]

BAD_TIMES: list[tuple[str, Call]] = [
    (
        r"add: the interval ends before it starts \(got 2024-01-02 to 2024-01-01",
        lambda m: m.add("x", valid_from="2024-01-02", valid_to="2024-01-01"),
    ),
    (
        "add: the interval ends before it starts",
        lambda m: m.add("x", valid_from="2024-01-01", valid_to="2024-01-01"),
    ),
    (
        "update: the interval ends before it starts",
        lambda m: m.update(1, valid_from=5, valid_to=4),
    ),
    (
        "link: the interval ends before it starts",
        lambda m: m.link(1, 2, valid_from=5, valid_to=4),
    ),
    (
        "link_many: the interval ends before it starts",
        lambda m: m.link_many(
            {
                "source": np.array([1, 2]),
                "target": np.array([2, 1]),
                "valid_from": [1, 5],
                "valid_to": [2, 5],
            }
        ),
    ),
    ("add: time is not a time", lambda m: m.add("x", time="May the 4th")),
    ("add: time is not a time", lambda m: m.add("x", time=1.7e18)),
    ("add: time is not a time", lambda m: m.add("x", time=True)),
    ("add: time is not a time", lambda m: m.add("x", time=np.datetime64("NaT"))),
    ("add: time is out of range", lambda m: m.add("x", time=2**63 - 1)),
    ("add: time is out of range", lambda m: m.add("x", time=-(2**70))),
    ("add: time is out of range", lambda m: m.add("x", time="9999-01-01")),
    ("add: time is out of range", lambda m: m.add("x", time=np.datetime64("9999-01-01"))),
]


UNKNOWN: list[tuple[str, Call]] = [
    ("get: there is no memory 99", lambda m: m.get(99)),
    ("get: there is no memory 0", lambda m: m.get(0)),
    ("get: there is no memory -1", lambda m: m.get(-1)),
    ("get: there is no memory 1000", lambda m: m.get(10**30)),
    ("get: memory 3 was forgotten", lambda m: m.get(3)),
    ("update: there is no memory 99", lambda m: m.update(99, text="x")),
    ("update: there is no memory 3", lambda m: m.update(3, text="x")),
    ("forget: there is no memory 99", lambda m: m.forget([1, 99])),
    ("forget: there is no memory 3", lambda m: m.forget(3)),
    ("restore: there is no memory 99", lambda m: m.restore(99)),
    ("erase: there is no memory 99", lambda m: m.erase([1, 99], reason="x")),
    ("touch: there is no memory 99", lambda m: m.touch([1, 99])),
    ("link: there is no memory 99", lambda m: m.link(1, 99)),
    ("link: there is no memory 3", lambda m: m.link(1, 3)),
    ("link_many: there is no memory 99", lambda m: m.link_many([(1, 2), (99, 1)])),
    (
        "link_many: there is no memory 99",
        lambda m: m.link_many({"source": np.array([1, 99]), "target": np.array([2, 1])}),
    ),
    ("unlink: there is no edge 99", lambda m: m.unlink([1, 99])),
    ("unlink: there is no edge 0", lambda m: m.unlink(0)),
    ("neighbours: there is no memory 99", lambda m: m.neighbours(99)),
    ("history: there is no memory 99", lambda m: m.history(99)),
    ("recall: there is no memory 99", lambda m: m.recall(memory=99)),
    ("recall: there is no memory 99", lambda m: m.recall("x", cues=[1, 99])),
]


SURROGATES: list[Call] = [
    lambda m: m.add(LONE),
    lambda m: m.add("x", author=LONE),
    lambda m: m.add("x", session=LONE),
    lambda m: m.add("x", scope=("a", LONE)),
    lambda m: m.add("x", source=LONE),
    lambda m: m.add("x", meta={"a": LONE}),
    lambda m: m.add("x", triples=[("a", LONE, "c")]),
    lambda m: m.add_many(["fine", LONE]),
    lambda m: m.update(1, text=LONE),
    lambda m: m.link(1, 2, LONE),
    lambda m: m.erase(1, reason=LONE),
    lambda m: m.recall(LONE),
    lambda m: m.recall("x", scope=LONE),
]
