"""Threads and forks: readers beside a writer see whole commits, and a forked child can recall."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reference import Judge
from tests.strategies import (
    DAY,
    EDGE_COLUMNS,
    HOUR,
    T0,
    TOUCH_COLUMNS,
    WORDS,
    F,
    edge,
    memory_arrays,
    question,
    request_of,
    row,
    to_arrays,
)

from remanence import _core

pytestmark = pytest.mark.native

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 8


def history() -> list[tuple[str, Any]]:
    """One write per commit: rounds of every verb over three new memories; 1 to 3 stay."""
    rng = np.random.default_rng(3)

    def memory(number: int) -> dict[str, Any]:
        vector = rng.standard_normal(5).astype(F).tolist()
        words = " ".join(rng.choice(WORDS, 3))
        session = number % 4 + 1
        return row(number, session=session, time=T0 + number * HOUR, terms=words, vector=vector)

    touch = {"time": T0 + 99 * DAY, "weight": 1.0, "used": 1}
    writes: list[tuple[str, Any]] = [("append", [memory(i) for i in (1, 2, 3)])]
    for first in range(4, 4 + 3 * ROUNDS, 3):
        new = [first, first + 1, first + 2]
        writes += [
            ("append", [memory(i) for i in new]),
            ("touch", [touch | {"id": 1}, touch | {"id": first}]),
            ("link", [edge(first, 2, first), edge(first + 1, first, first + 1)]),
            ("append", [memory(3), memory(first + 2)]),
            ("close", [first]),
            ("unlink", [first]),
            ("restore", [first]),
            ("erase", [first + 1]),
        ]
    return writes


def write(engine: _core.Engine, seq: int, verb: str, what: Any) -> None:
    if verb == "append":
        engine.append(seq, **memory_arrays(what))
    elif verb in ("link", "touch"):
        columns = EDGE_COLUMNS if verb == "link" else TOUCH_COLUMNS
        getattr(engine, verb)(seq, **to_arrays(what, columns))
    else:
        getattr(engine, verb)(seq, np.array(what, dtype=np.int64))


REQUEST = question(terms="heron tide", vector=[1.0, -1.0, 0.5, 0.0, 2.0], now=T0 + 200 * DAY, k=20)


def answers_of_the_judge() -> list[tuple[list[int], list[int]]]:
    """(ids, score bits) after every commit, the empty store first."""
    judge, out = Judge(), []
    for seq, (verb, what) in enumerate([("close", []), *history()]):
        getattr(judge, verb)(seq, what)
        hits, _ = judge.recall(REQUEST)
        out.append(([h["id"] for h in hits], [int(h["score"].view(np.uint32)) for h in hits]))
    return out


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_readers_beside_a_writer_see_whole_commits_in_order(threads):
    engine = _core.Engine()
    wanted = answers_of_the_judge()
    commit_of = {str(answer): seq for seq, answer in enumerate(wanted)}
    assert len(commit_of) > len(wanted) // 2, "most commits should change the answer"
    done = threading.Event()
    seen: list[list[str]] = [[] for _ in range(3)]
    failures: list[BaseException] = []
    request = request_of(REQUEST | {"threads": threads})

    def read(mine: list[str]) -> None:
        try:
            last = False
            while not last:
                last = done.is_set()  # one more recall after the last commit
                hits = engine.recall(request)
                mine.append(str((hits.id.tolist(), hits.score.view(np.uint32).tolist())))
        except BaseException as failure:
            failures.append(failure)

    readers = [threading.Thread(target=read, args=(mine,), daemon=True) for mine in seen]
    for reader in readers:
        reader.start()
    try:
        for seq, (verb, what) in enumerate(history(), 1):
            write(engine, seq, verb, what)
            engine.digest()
    finally:
        done.set()
    for reader in readers:
        reader.join(timeout=60)
    assert not any(reader.is_alive() for reader in readers)
    assert not failures
    for mine in seen:
        assert set(mine) <= commit_of.keys()
        commits = [commit_of[answer] for answer in mine]
        assert commits == sorted(commits), "a reader went back in time"
    assert {mine[-1] for mine in seen} == {str(wanted[-1])}


def test_writers_take_turns():
    """Two writers that both believe in commit n: one is refused, nothing is half done."""
    engine = _core.Engine()
    barrier = threading.Barrier(2)
    refused: list[str] = []

    def add(start: int) -> None:
        for i in range(100):
            barrier.wait()
            try:
                engine.append(i + 1, **memory_arrays([row(start + i), row(start + 500 + i)]))
            except _core.InvalidArgumentError as refusal:
                refused.append(str(refusal))

    writers = [threading.Thread(target=add, args=(start,), daemon=True) for start in (1, 1001)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    # The same commit may carry several calls, so both succeed unless one is already further.
    assert engine.rows == 400 - 2 * len(refused)
    assert engine.live == engine.rows
    assert all("commits only grow" in message for message in refused)


def test_recall_lets_other_threads_run():
    """The interpreter's lock is released: another thread gets a turn before the recall is over."""
    engine = _core.Engine()
    rows = [row(i + 1, vector=[float(i % 7), 1.0] * 100) for i in range(20_000)]
    engine.append(1, **memory_arrays(rows))
    request = request_of(question(vector=[1.0, 0.5] * 100, threads=1))

    def ran_during_a_recall() -> bool:
        begun, over = threading.Event(), threading.Event()

        def ask() -> None:
            begun.set()
            engine.recall(request)
            over.set()

        asker = threading.Thread(target=ask, daemon=True)
        asker.start()
        begun.wait(timeout=60)
        early = not over.is_set()
        asker.join(timeout=60)
        return early

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)  # nobody is made to give the lock up
    try:
        assert any(ran_during_a_recall() for _ in range(50))
    finally:
        sys.setswitchinterval(interval)


def test_the_number_of_threads_can_be_set_and_is_checked():
    before = _core.threads()
    try:
        _core.set_threads(3)
        assert _core.threads() == 3
        for bad in (-1, 65, 10_000):
            with pytest.raises(_core.InvalidArgumentError, match="between 0 and 64"):
                _core.set_threads(bad)
            assert _core.threads() == 3
        _core.set_threads(0)
        assert 1 <= _core.threads() <= 64
    finally:
        _core.set_threads(0)
    assert _core.threads() == before


FORK = """
import os, signal, sys, threading, warnings
import numpy as np
from remanence import _core
from tests.strategies import answers, memory_arrays, question, request_of, row

warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is the point here
beside, written = sys.argv[1], 1
engine = _core.Engine()
engine.append(1, **memory_arrays([row(i + 1, vector=[1.0, float(i)]) for i in range(40_000)]))
request = request_of(question(vector=[3.0, 1.0], k=5, threads=2, allow=range(1, 40_001)))
want = answers(engine.recall(request))

def read():
    while True:
        engine.recall(request)

def write():
    ids = np.array([1], dtype=np.int64)
    one = {"time": ids * 2**62, "weight": np.ones(1, np.float32), "used": -np.ones(1, np.int8)}
    while True:
        engine.touch(engine.seq + 1, id=ids + 40_000, **one)

engine.append(1, **memory_arrays([row(40_001)]))
for _ in range(2 if beside == "reader" else 1 if beside == "writer" else 0):
    threading.Thread(target=read if beside == "reader" else write, daemon=True).start()
for turn in range(30):
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # a child that hangs dies, and the parent sees it
        same = all(answers(engine.recall(request)) == want for _ in range(2))
        engine.append(engine.seq + 1, **memory_arrays([row(99_999)]))
        os._exit(0 if same and engine.rows == 40_002 else 3)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        print(f"child {turn} ended with {status}", flush=True)
        os._exit(1)
print("forked" if answers(engine.recall(request)) == want else "changed", flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("beside", ["nobody", "reader", "writer"])
def test_a_forked_child_recalls_and_writes_with_threads_of_its_own(beside):
    done = subprocess.run(
        [sys.executable, "-c", FORK, beside],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("forked\n", "")
