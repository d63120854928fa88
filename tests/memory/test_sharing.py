"""Processes and threads share a store: nothing is lost, nothing applied twice."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.memory.helpers import (
    finished,
    python,
)

import remanence
from remanence import (
    Memory,
    WriterTimeoutError,
)

Opened = Callable[..., Memory]


def test_another_process_sees_commits_and_both_write(opened: Opened, path: Path) -> None:
    memory = opened(clock=None)
    memory.add("from the parent", author="Al", session="1")
    out = finished(
        python(
            """
            import sys, remanence
            with remanence.open(sys.argv[1], embedder=None) as m:
                print(m.get(1).text)
                m.add("from the child?", author="Bo", session="1", scope="child")
                m.link(1, 2, "mine")
                m.update(1, text="changed by the child")
            """,
            path,
        )
    )
    assert out.strip() == "from the parent"
    assert memory.get(1).text == "changed by the child"
    assert memory.get(2).scope == ("child",)
    assert memory.recall("child", scope="child").ids == [2]
    assert [n.type for n in memory.neighbours(1)] == ["mine"]
    assert memory.add("third") == 3
    assert memory.verify().ok


WRITER = """
import sys, remanence
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with remanence.open(path, embedder=None) as memory:
    for i in range(count):
        print(memory.add(f"{name} {i}", session=name, author=name), flush=True)
        if i % 10 == 0:
            memory.add_many([f"{name} {i} {j}" for j in range(5)])
            memory.touch(memory.recall(name, k=1)[0])
"""


def test_two_processes_writing_at_once_lose_nothing(path: Path) -> None:
    writers = [python(WRITER, path, name, 60) for name in ("left", "right")]
    ids = [[int(line) for line in finished(writer).split()] for writer in writers]
    assert len(set(ids[0]) | set(ids[1])) == 120
    with remanence.open(path, embedder=None) as memory:
        for name, own in zip(("left", "right"), ids, strict=True):
            assert [memory.get(i).text for i in own] == [f"{name} {i}" for i in range(60)]
            chain = [n.id for n in memory.neighbours(own[30], types="next")]
            assert chain == [own[29], own[31]]
        assert memory.stats().memories == 120 + 2 * 6 * 5
        assert memory.stats().touches == 12
        assert memory.verify().ok


def test_threads_share_a_memory(memory: Memory) -> None:
    errors: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for i in range(40):
                number = memory.add(f"{name} {i}")
                assert memory.get(number).text == f"{name} {i}"
                memory.touch(number)
        except BaseException as error:
            errors.append(error)

    def read() -> None:
        try:
            for _ in range(60):
                for hit in memory.recall("left right 7", k=20):
                    assert hit.text.split()[0] in ("left", "right")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("left", "right")]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert memory.stats().memories == 80
    assert memory.verify().ok


def locked(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_a_writer_waits_for_another(memory: Memory, path: Path) -> None:
    memory.add("a")
    other = locked(path)
    done: list[int] = []
    writer = threading.Thread(target=lambda: done.append(memory.add("b")))
    writer.start()
    time.sleep(0.3)
    assert not done
    assert memory.recall("a").ids == [1]
    other.execute("ROLLBACK")
    other.close()
    writer.join(10)
    assert done == [2]


def test_a_writer_gives_up_with_a_sentence(opened: Opened, path: Path) -> None:
    memory = opened(timeout=0.2)
    memory.add("a")
    other = locked(path)
    with pytest.raises(WriterTimeoutError, match=r"^add: another writer kept .* try again$"):
        memory.add("b")
    other.close()
    assert memory.add("b") == 2


def test_two_processes_may_create_one_store(path: Path) -> None:
    code = """
    import sys, remanence
    sys.stdin.readline()
    with remanence.open(sys.argv[1], embedder=None) as memory:
        memory.add("hello")
    """
    creators = [python(code, path) for _ in range(4)]
    for creator in creators:
        assert creator.stdin is not None
        creator.stdin.write("go\n")
        creator.stdin.flush()
    for creator in creators:
        finished(creator)
    with remanence.open(path, embedder=None) as memory:
        assert memory.stats().memories == 4
        assert memory.verify().ok


def test_a_process_killed_in_mid_write_leaves_whole_commits(path: Path) -> None:
    writer = python(
        """
        import sys, remanence
        memory = remanence.open(sys.argv[1], embedder=None)
        for i in range(100000):
            memory.add_many([f"{i} {j}" for j in range(50)], op_id=str(i))
            print(i, flush=True)
        """,
        path,
    )
    assert writer.stdout is not None
    for _ in range(5):
        acknowledged = int(writer.stdout.readline())
    writer.kill()
    rest, _ = writer.communicate()
    acknowledged = max([acknowledged, *map(int, rest.split())])
    with remanence.open(path, embedder=None) as memory:
        commits = memory.stats().commits
        assert commits >= acknowledged + 1
        assert memory.stats().memories == commits * 50
        assert memory.add_many(["again"], op_id=str(acknowledged)).size == 50
        assert memory.stats().commits == commits
        assert memory.verify().ok
