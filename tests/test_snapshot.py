"""Snapshots: what is saved is what is loaded; damaged, cut, foreign and newer files are refused."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import (
    T0,
    F,
    Pair,
    answers,
    edge,
    memory_arrays,
    play,
    question,
    request_of,
    requests,
    row,
    steps,
    vector,
)

from remanence import _core

pytestmark = pytest.mark.native

VERSION_AT = 8  # after the magic "RMNSNAP\n"
HEADER_SIZE = 32
SECTION = struct.Struct("<24sQQII")  # name, offset, size, checksum, padding
SECRET = "ochrelighthouse"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("snapshots")


def small() -> Pair:
    pair = Pair()
    pair.append(row(1, terms="heron tide", vector=vector(0, 3)), row(2, scope=1, session=1))
    pair.append(row(2, terms="lamp"))
    pair.touch({"id": 1, "time": T0 + 1, "weight": 1.0, "used": 1})
    pair.link(edge(1, 1, 2))
    return pair


def saved(engine: _core.Engine, folder: Path, tag: bytes = b"") -> Path:
    path = folder / "engine.snapshot"
    engine.save(str(path), tag)
    return path


def everything(engine: _core.Engine, request: dict[str, Any]) -> Any:
    return answers(engine.recall(request_of(request)))


@given(st.data())
def test_what_was_saved_is_what_is_loaded(folder, data):
    pair = Pair()
    play(pair, data.draw(steps(5), "history"))
    loaded = _core.Engine.load(str(saved(pair.engine, folder)))
    assert loaded.digest() == pair.engine.digest()
    assert loaded.stats() == pair.engine.stats()
    for _ in range(2):
        request = data.draw(requests(5, [], pair.seq)) | {"explain": True}
        assert everything(loaded, request) == everything(pair.engine, request)
    # And what is written to it afterwards goes where it went before.
    original, pair.engine = pair.engine, loaded
    pair.append(row(99, terms="heron", session=1))
    original.append(pair.seq, **memory_arrays([row(99, terms="heron", session=1)]))
    assert loaded.digest() == original.digest()
    assert everything(loaded, question(terms="heron")) == everything(
        original, question(terms="heron")
    )


@pytest.mark.parametrize("count", [1, 1024, 65_536, 65_537])
def test_whole_blocks_and_segments_survive(tmp_path, count):
    engine = _core.Engine()
    rng = np.random.default_rng(count)
    vectors = rng.standard_normal((count, 2)).astype(F).tolist()
    rows = [
        row(i + 1, terms="heron" if i % 99 == 0 else "", vector=v) for i, v in enumerate(vectors)
    ]
    engine.append(1, **memory_arrays(rows))
    loaded = _core.Engine.load(str(saved(engine, tmp_path)))
    request = question(terms="heron", vector=[1.0, 2.0], k=50, explain=True)
    assert everything(loaded, request) == everything(engine, request)
    assert loaded.digest() == engine.digest()


@pytest.mark.parametrize("dim", [0, 5])
def test_an_empty_engine_survives(tmp_path, dim):
    loaded = _core.Engine.load(str(saved(_core.Engine(dim), tmp_path)))
    assert (loaded.dim, loaded.seq, loaded.rows) == (dim, 0, 0)


@pytest.mark.parametrize("tag", [b"", b"store 7", b"\0\xff\n" * 5000])
def test_the_tag_comes_back(tmp_path, tag):
    pair = small()
    path = saved(pair.engine, tmp_path, tag)
    assert _core.Engine.load(str(path)).tag == tag
    assert pair.engine.tag == b""


def test_two_saves_of_one_state_are_one_file(tmp_path):
    first = saved(small().engine, tmp_path).read_bytes()
    assert saved(small().engine, tmp_path).read_bytes() == first


def test_erased_content_is_not_in_the_file(tmp_path):
    pair = Pair()
    secret = np.array([0.6, 0.48, 0.64], dtype=F)
    pair.append(row(1, terms=f"heron {SECRET}", vector=secret.tolist()))
    pair.append(row(2, terms="heron", vector=vector(3, 3)))
    before = saved(pair.engine, tmp_path).read_bytes()
    assert SECRET.encode() in before
    assert pair.engine.vector(1).tobytes() in before
    stored = pair.engine.vector(1).tobytes()
    pair.by_ids("erase", 1)
    after = saved(pair.engine, tmp_path).read_bytes()
    assert SECRET.encode() not in after
    assert stored not in after
    assert stored[:4] not in after


def test_erased_versions_are_not_in_the_file(tmp_path):
    pair = Pair()
    pair.append(row(1, terms=SECRET, vector=[0.6, 0.8]))
    pair.append(row(1, terms="heron", vector=[0.8, 0.6]))
    pair.by_ids("close", 1)
    pair.by_ids("restore", 1)
    pair.by_ids("erase", 1)
    data = saved(pair.engine, tmp_path).read_bytes()
    assert SECRET.encode() not in data
    assert F(0.6).tobytes() not in data
    assert F(0.8).tobytes() not in data


# Damage.
def load_or_refuse(path: Path, data: bytes) -> _core.Engine | str:
    path.write_bytes(data)
    return load_or_reason(path)


def load_or_reason(path: Path) -> _core.Engine | str:
    try:
        return _core.Engine.load(str(path))
    except _core.CorruptDataError as refusal:
        reason = str(refusal)
    assert reason.startswith(f"load: the file {path} ")
    assert "\n" not in reason
    return reason


def checked_bytes(data: bytes) -> set[int]:
    """Header, sections and directory: everything but the padding between them."""
    (sections,) = struct.unpack_from("<I", data, 12)
    directory = len(data) - sections * SECTION.size
    used = {*range(HEADER_SIZE), *range(directory, len(data))}
    for at in range(directory, len(data), SECTION.size):
        _, offset, size, _, _ = SECTION.unpack_from(data, at)
        used.update(range(offset, offset + size))
    return used


def test_no_flipped_byte_changes_an_answer(tmp_path):
    """Each is refused, unless it lies in the padding, which says nothing."""
    pair = small()
    path = saved(pair.engine, tmp_path)
    whole = path.read_bytes()
    checked = checked_bytes(whole)
    padding = sorted(set(range(len(whole))) - checked)
    with path.open("r+b", buffering=0) as file:
        for at in sorted({*checked, *padding[::1500]}):
            file.seek(at)
            file.write(bytes([whole[at] ^ (0xFF if at % 2 else 0x01)]))
            result = load_or_reason(path)
            if at in checked:
                assert isinstance(result, str), at
            else:
                assert (result.digest(), result.seq) == (pair.engine.digest(), pair.seq)
            file.seek(at)
            file.write(whole[at : at + 1])
    assert path.read_bytes() == whole


def test_every_truncation_is_refused(tmp_path):
    whole = saved(small().engine, tmp_path).read_bytes()
    path = tmp_path / "cut"
    page = 4096
    borders = [b + d for b in range(0, len(whole), page) for d in (-1, 0, 1)]
    lengths = {*range(64), *borders, *range(len(whole) - 300, len(whole))}
    for length in sorted(n for n in lengths if 0 <= n < len(whole)):
        result = load_or_refuse(path, whole[:length])
        assert isinstance(result, str), length
    assert not isinstance(load_or_refuse(path, whole), str)


@pytest.mark.parametrize("extra", [b"\0", b"x" * 4096])
def test_added_bytes_are_refused(tmp_path, extra):
    whole = saved(small().engine, tmp_path).read_bytes()
    assert "truncated or has bytes added" in load_or_refuse(tmp_path / "longer", whole + extra)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "too short"),
        (b"hello", "too short"),
        (b"SQLite format 3\0" + bytes(8000), "not a snapshot of remanence"),
        (bytes(8192), "not a snapshot of remanence"),
        (b"RMNSNAP\r" * 1000, "not a snapshot of remanence"),
        (b"RMNSNAP\n" + b"\xff" * 5000, "newer format"),
        (b"RMNSNAP\n" + bytes(5000), "damaged header"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path, data, says):
    assert says in load_or_refuse(tmp_path / "foreign", data)


def test_a_newer_file_says_so(tmp_path):
    data = bytearray(saved(small().engine, tmp_path).read_bytes())
    (version,) = struct.unpack_from("<I", data, VERSION_AT)
    struct.pack_into("<I", data, VERSION_AT, version + 1)
    result = load_or_refuse(tmp_path / "newer", bytes(data))
    assert f"is of the newer format {version + 1}" in result
    assert f"reads up to {version}" in result


def test_a_path_that_cannot_be_read_or_written_is_named(tmp_path):
    missing = tmp_path / "nothing" / "here"
    with pytest.raises(_core.RemanenceError, match="cannot be opened") as caught:
        _core.Engine.load(str(missing))
    assert str(missing) in str(caught.value)
    with pytest.raises(_core.RemanenceError, match=r"save: .* cannot be opened"):
        small().engine.save(str(missing))
    with pytest.raises(_core.RemanenceError):
        _core.Engine.load(str(tmp_path))


def child(code: str) -> str:
    """What a process of its own printed."""
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_disk_without_room_keeps_the_old_file(tmp_path):
    """A limit on the size of files plays the full disk."""
    path = tmp_path / "engine.snapshot"
    old = saved(small().engine, tmp_path).read_bytes()
    said = child(f"""
import resource, signal
from remanence import _core
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    _core.Engine(3).save({str(path)!r}, bytes(100_000))
except _core.RemanenceError as refusal:
    print(refusal)
""")
    assert "save: the snapshot" in said
    assert "cannot be written" in said
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_saving_over_the_file_it_was_loaded_from_keeps_both_alive(tmp_path):
    """A full segment is mapped from the file, so the file must not be emptied under it."""
    child(f"""
from remanence import _core
from tests.strategies import memory_arrays, row
path = {str(tmp_path / "own")!r}
engine = _core.Engine()
engine.append(1, **memory_arrays([row(i + 1, vector=[1.0, float(i)]) for i in range(65_536)]))
engine.save(path)
loaded = _core.Engine.load(path)
loaded.save(path)
assert loaded.digest() == engine.digest() == _core.Engine.load(path).digest()
""")
