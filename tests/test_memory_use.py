"""Vectors in a file without a name, and blocks of erased rows: less memory, the same answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.strategies import T0, answers, question, request_of

from remanence import _core

pytestmark = pytest.mark.native

ROOT = Path(__file__).resolve().parent.parent
SEGMENT, BLOCK, DIM = 65_536, 1_024, 64
APART = np.arange(2 * BLOCK + 1, 40 * BLOCK + 1)
"""Ids of a scope of their own: rows are sorted by scope, so these fill whole blocks."""


def batch(first: int, count: int, seed: int = 5) -> dict[str, Any]:
    """Columns of Engine.append for memories first, first + 1, ..."""
    rng = np.random.default_rng([seed, first])
    return {
        "id": np.arange(first, first + count),
        "scope": np.isin(np.arange(first, first + count), APART).astype(np.uint32),
        "kind": np.zeros(count, np.uint8),
        "law": np.zeros(count, np.uint8),
        "flags": np.zeros(count, np.uint8),
        "author": np.zeros(count, np.uint32),
        "session": np.zeros(count, np.uint32),
        "length": np.full(count, 5, np.uint16),
        "time": np.full(count, T0),
        "valid_from": np.full(count, -(2**63)),
        "valid_to": np.full(count, 2**63 - 1),
        "belief": np.ones(count, np.float32),
        "importance": np.zeros(count, np.float32),
        "terms": [""] * count,
        "vectors": rng.standard_normal((count, DIM), dtype=np.float32),
    }


def filled(rows: int, spill: Path | None = None) -> _core.Engine:
    engine = _core.Engine(DIM)
    if spill is not None:
        engine.spill(str(spill), 0)
    for commit, first in enumerate(range(1, rows + 1, 50_000), 1):
        engine.append(commit, **batch(first, min(50_000, rows + 1 - first)))
    return engine


def found(engine: _core.Engine, **filters: Any) -> list[Any]:
    rng = np.random.default_rng(7)
    asked = [rng.standard_normal(DIM).tolist() for _ in range(4)]
    requests = [
        question(vector=vector, k=20, threads=threads, proved=proved, **filters)
        for vector in asked
        for threads in (1, 2)
        for proved in (False, True)
    ]
    return [answers(engine.recall(request_of(one))) for one in requests]


def open_files() -> set[str]:
    return {os.path.realpath(name) for name in Path("/proc/self/fd").iterdir()}


@pytest.fixture(scope="module")
def plain() -> _core.Engine:
    return filled(2 * SEGMENT + 3000)


def test_spilled_vectors_give_the_same_answers_and_leave_memory(plain, tmp_path):
    spilled = filled(2 * SEGMENT + 3000, tmp_path)
    assert (plain.stats()["mapped"], plain.stats()["mapped_resident"]) == (0, 0)
    assert spilled.stats()["mapped"] == 2 * SEGMENT * DIM * 4
    assert 0 <= spilled.stats()["mapped_resident"] <= spilled.stats()["mapped"]
    assert not list(tmp_path.iterdir()), "no folder lists the file"
    assert spilled.digest() == plain.digest()
    assert found(spilled) == found(plain)
    late = filled(2 * SEGMENT + 3000)  # and when it is asked for with the rows already there
    late.spill(str(tmp_path), SEGMENT * DIM * 4)
    assert late.stats()["mapped"] == 2 * SEGMENT * DIM * 4, "the open segment counts as kept"
    assert late.digest() == plain.digest()


def test_a_snapshot_of_spilled_vectors_opens_mapped(plain, tmp_path):
    spilled = filled(2 * SEGMENT + 3000, tmp_path)
    path = tmp_path / "engine.snapshot"
    spilled.save(str(path), b"")
    loaded = _core.Engine.load(str(path))
    # Vectors; bytes, signs (whole triples of bytes) and 16 bytes more, in whole lines of 64.
    assert loaded.stats()["mapped"] == 2 * SEGMENT * (DIM * 4 + -(-(9 * DIM // 8 + 16) // 64) * 64)
    path.unlink()  # the store is deleted while it is open
    assert loaded.digest() == plain.digest()
    assert found(loaded) == found(plain)


def test_a_snapshot_cut_short_is_refused_before_it_is_mapped(tmp_path):
    path = tmp_path / "engine.snapshot"
    filled(SEGMENT).save(str(path), b"")
    size = path.stat().st_size
    for left in (size - 1, size // 2, 4096, 0):
        os.truncate(path, left)
        with pytest.raises(_core.RemanenceError, match="load: the file"):
            _core.Engine.load(str(path))


def test_a_snapshot_replaced_while_mapped_changes_nothing(plain, tmp_path):
    path = tmp_path / "engine.snapshot"
    plain.save(str(path), b"")
    loaded = _core.Engine.load(str(path))
    filled(SEGMENT).save(str(path), b"")
    assert loaded.digest() == plain.digest()


def test_an_erased_row_leaves_the_spill_file(tmp_path):
    engine = filled(SEGMENT, tmp_path)
    gone = engine.vector(77).astype(np.float32).tobytes()
    handles = [
        int(path.name)
        for path in Path("/proc/self/fd").iterdir()
        if os.path.realpath(path).startswith(str(tmp_path))
    ]
    assert len(handles) == 1
    offset = os.pread(handles[0], SEGMENT * DIM * 4, 0).index(gone)
    engine.erase(9, np.array([77]))
    assert os.pread(handles[0], DIM * 4, offset) == bytes(DIM * 4)
    del engine
    assert not any(name.startswith(str(tmp_path)) for name in open_files())


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_folder_that_takes_no_file_is_refused(folder, tmp_path):
    (tmp_path / "file").write_text("")
    engine = filled(100)
    before = engine.digest()
    with pytest.raises(_core.RemanenceError, match="spill: no file can be made in"):
        engine.spill(str(tmp_path / folder))
    assert engine.digest() == before


FULL_OR_FORKED = """
import os, resource, signal, sys
import numpy as np
from tests.test_memory_use import DIM, SEGMENT, batch, filled, found
from pathlib import Path
engine = filled(SEGMENT, Path(sys.argv[2]))
want, mapped = None, SEGMENT * DIM * 4
if sys.argv[1] == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (mapped + 4096, mapped + 4096))
    engine.append(9, **batch(SEGMENT + 1, SEGMENT))
    assert engine.stats()["mapped"] == mapped, engine.stats()
elif sys.argv[1] == "fork":
    child = os.fork()
    engine.append(9, **batch(SEGMENT + 1, SEGMENT, 5 if child else 6))
    if child == 0:
        own = engine.stats()["mapped"] == mapped
        os._exit(0 if own else 3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
else:  # killed in mid append
    if os.fork() == 0:
        for commit in range(9, 10**6):
            engine.append(commit, **batch(SEGMENT * (commit - 8) + 1, SEGMENT))
            if commit == 11:
                os.kill(os.getpid(), signal.SIGKILL)
    os.wait()
    assert not os.listdir(sys.argv[2])
    engine.append(9, **batch(SEGMENT + 1, SEGMENT))
plain = filled(SEGMENT)
plain.append(9, **batch(SEGMENT + 1, SEGMENT))
assert engine.digest() == plain.digest() and found(engine) == found(plain)
print("same")
"""


@pytest.mark.parametrize("case", ["full", "fork", "killed"])
def test_a_full_disk_a_fork_or_a_kill_harms_no_answer(case, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_OR_FORKED, case, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("same\n", "")


@pytest.mark.parametrize("spill", [False, True])
def test_erased_blocks_cost_neither_memory_nor_answers(spill, tmp_path):
    rows = SEGMENT + 3000
    engine = filled(rows, tmp_path if spill else None)
    before = engine.stats()
    ids = APART
    keep = np.setdiff1d(np.arange(1, rows + 1), ids)
    wanted = found(engine, allow=keep, weights=only_cosine())
    engine.erase(8, ids[:-1])
    left = engine.stats()
    assert left["vector_bytes"] == before["vector_bytes"] - 37 * BLOCK * DIM * 4
    engine.erase(9, ids[-1:])
    after = engine.stats()
    assert after["vector_bytes"] == before["vector_bytes"] - 38 * BLOCK * DIM * 4
    assert after["code_bytes"] < left["code_bytes"] < before["code_bytes"]
    assert found(engine, weights=only_cosine()) == wanted
    assert found(engine, as_of=2, weights=only_cosine()) == wanted
    path = tmp_path / "engine.snapshot"
    engine.save(str(path), b"")
    loaded = _core.Engine.load(str(path))
    assert loaded.digest() == engine.digest()
    assert found(loaded, weights=only_cosine()) == wanted


def only_cosine() -> dict[str, float]:
    """Without centring, which erased rows would move."""
    none = dict.fromkeys(_core.Weights().to_dict(), 0.0)
    return none | {"cosine": 1.0}


def test_closed_blocks_are_skipped_now_and_found_as_of_before():
    engine = filled(6 * BLOCK)
    first = np.arange(1, 3 * BLOCK + 1)
    past = found(engine, weights=only_cosine())
    for commit, ids in ((5, first[: BLOCK + 10]), (7, first[BLOCK + 10 :])):
        engine.close(commit, ids)
    for as_of, seen in ((4, past), (6, None), (None, None)):
        gone = 0 if as_of == 4 else BLOCK + 10 if as_of == 6 else 3 * BLOCK
        got = found(engine, as_of=as_of, weights=only_cosine())
        judge = filled(6 * BLOCK)
        judge_answer = found(judge, allow=np.arange(gone + 1, 6 * BLOCK + 1), weights=only_cosine())
        assert got == (seen or judge_answer) == judge_answer


def test_rows_that_take_the_memory_of_moved_ones_hold_nothing_of_them(tmp_path):
    """A quarter of a group moves when it is full, and the next rows take its memory."""
    engine = filled(0)
    mark = np.zeros(DIM, np.float32)
    mark[:3] = np.float32([0.6, 0.48, 0.64])
    moved = batch(1, 4 * SEGMENT)
    moved["vectors"] = np.tile(mark, (4 * SEGMENT, 1))
    moved["scope"] = np.arange(4 * SEGMENT, dtype=np.uint32) % 7
    engine.append(1, **moved)
    later = batch(4 * SEGMENT + 1, 2000)
    later["flags"][:] = 0
    del later["vectors"]
    engine.append(2, **later)
    engine.erase(3, np.arange(1, 4 * SEGMENT + 1))
    path = tmp_path / "engine.snapshot"
    engine.save(str(path), b"")
    assert mark[:3].tobytes() not in path.read_bytes()
