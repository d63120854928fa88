"""Rows that move leave their vectors where they lie, and are found, erased and saved from there."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.strategies import answers, question, request_of
from tests.test_arrange import BLOCK, DIM, SEGMENT, memories
from tests.test_memory_use import filled as small
from tests.test_memory_use import only_cosine
from tests.test_snapshot import HEADER_SIZE, SECTION

from remanence import _core

pytestmark = pytest.mark.native

ROWS = 4 * SEGMENT
"""A quarter of a group, which is sorted as one."""


def columns_of(rows: int) -> dict[str, Any]:
    return memories(np.random.default_rng(4).integers(0, 9, rows)) | {"terms": [""] * rows}


def filled(columns: dict[str, Any], spill: Path | None = None) -> _core.Engine:
    engine = _core.Engine(DIM)
    if spill is not None:
        engine.spill(str(spill), 0)
    rows = len(columns["id"])
    for commit, first in enumerate(range(0, rows, 50_000), 1):
        part = slice(first, first + 50_000)
        engine.append(commit, **{name: column[part] for name, column in columns.items()})
    return engine


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def found(engine: _core.Engine, vectors: np.ndarray, **filters: Any) -> list[Any]:
    return [
        answers(
            engine.recall(
                request_of(question(vector=vector + 0.1, k=20, weights=only_cosine(), **filters))
            )
        )
        for vector in vectors[:: len(vectors) // 8]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("spill", [False, True])
def test_erased_rows_of_a_sorted_run_leave_memory_where_they_may(spill, tmp_path):
    columns = columns_of(ROWS)
    vectors = columns["vectors"]
    engine = filled(columns, tmp_path if spill else None)
    engine.compact()
    before = engine.stats()["vector_bytes"]
    gone = np.random.default_rng(4).choice(np.arange(1, ROWS + 1), 40_000, replace=False)
    kept = np.setdiff1d(np.arange(1, ROWS + 1), gone)
    past = found(engine, vectors, allow=kept, as_of=5)
    engine.erase(90, gone[:10_000])
    engine.erase(91, gone[10_000:])
    given_back = before - engine.stats()["vector_bytes"]
    # Rows in a file stay there; of others, fewer than a block's do.
    assert given_back == 0 if spill else given_back > (len(gone) - BLOCK) * DIM * 4
    assert not engine.contains(gone).any()
    path = tmp_path / "engine.snapshot"
    engine.save(str(path), b"")
    loaded = _core.Engine.load(str(path))
    assert loaded.digest() == engine.digest()
    assert loaded.stats()["vector_bytes"] == engine.stats()["vector_bytes"]
    for one in (engine, loaded):
        assert found(one, vectors, as_of=5) == past
        for memory in kept[::7_001].tolist():
            assert np.allclose(one.vector(memory), unit(vectors[memory - 1]), atol=1e-6)
    for memory in gone[:50].tolist():
        assert unit(vectors[memory - 1]).astype(np.float32).tobytes() not in path.read_bytes()


@pytest.mark.slow
def test_an_erased_row_that_moved_leaves_the_spill_file(tmp_path):
    columns = columns_of(ROWS)
    engine = filled(columns, tmp_path)
    engine.compact()
    handle = next(
        int(path.name)
        for path in Path("/proc/self/fd").iterdir()
        if os.path.realpath(path).startswith(str(tmp_path))
    )
    spilled = os.pread(handle, ROWS * DIM * 4, 0)
    memory = 77_777
    vector = engine.vector(memory).astype(np.float32).tobytes()
    assert spilled.count(vector) == 1
    engine.erase(90, np.array([memory]))
    after = os.pread(handle, ROWS * DIM * 4, 0)
    assert after == spilled.replace(vector, bytes(len(vector)))


@pytest.mark.slow
def test_a_new_version_of_a_row_that_moved_has_its_vector(tmp_path):
    columns = columns_of(ROWS)
    engine = filled(columns)
    ids = np.arange(1, ROWS + 1, 9_999)
    before = [engine.vector(memory).tolist() for memory in ids.tolist()]
    engine.close(50, ids)
    engine.restore(51, ids)
    assert engine.rows == ROWS + len(ids)
    assert [engine.vector(memory).tolist() for memory in ids.tolist()] == before
    path = str(tmp_path / "engine.snapshot")
    engine.save(path, b"")
    assert _core.Engine.load(path).digest() == engine.digest()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def forged(whole: bytes, rooms: dict[int, int]) -> bytes:
    """A snapshot of one segment that says where vectors lie, with checksums that agree."""
    data = bytearray(whole)
    (sections,) = struct.unpack_from("<I", data, 12)
    directory = len(data) - sections * SECTION.size
    for at in range(directory, len(data), SECTION.size):
        name, offset, size, _, padding = SECTION.unpack_from(data, at)
        if name.rstrip(b"\0") != b"room":
            continue
        for row, room in rooms.items():
            struct.pack_into("<I", data, offset + 4 * row, room)
        part = struct.pack("<I", crc32c(bytes(data[offset : offset + size])))
        SECTION.pack_into(data, at, name, offset, size, crc32c(part), padding)
    struct.pack_into("<I", data, HEADER_SIZE - 8, crc32c(bytes(data[directory:])))
    struct.pack_into("<I", data, HEADER_SIZE - 4, crc32c(bytes(data[: HEADER_SIZE - 4])))
    return bytes(data)


@pytest.mark.parametrize(
    ("rooms", "says"),
    [
        ({3: 0}, None),
        ({3: 8, 7: 4}, None),
        ({3: 8}, "has two vectors in one room"),
        ({3: 51}, "has a vector in a room that it lacks"),
        ({3: 2**32 - 1}, "has a vector in a room that it lacks"),
    ],
)
def test_a_snapshot_with_impossible_rooms_is_refused(rooms, says, tmp_path):
    engine = small(50)
    path = tmp_path / "engine.snapshot"
    engine.save(str(path), b"")
    path.write_bytes(forged(path.read_bytes(), rooms))
    if says is not None:
        with pytest.raises(_core.CorruptDataError, match=says):
            _core.Engine.load(str(path))
        return
    loaded = _core.Engine.load(str(path))
    other = {4: 8, 8: 4} if len(rooms) == 2 else {}
    for memory in range(1, 51):
        wanted = engine.vector(other.get(memory, memory)).tolist()
        assert loaded.vector(memory).tolist() == wanted
