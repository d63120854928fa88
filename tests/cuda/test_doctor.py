"""`remanence doctor` on machines without a library, without a driver, and with one that refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import remanence
from remanence import _core

PACKAGE = Path(_core.__file__).parent
LIBRARY = next(iter(PACKAGE.glob("lib*/libremanence_cuda.so")), None)


def doctor(**environment: str) -> str:
    command = [sys.executable, "-c", "from remanence.cli import main; raise SystemExit(main())"]
    done = subprocess.run(
        [*command, "doctor"],
        env=os.environ | {"COLUMNS": "300"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # 1: the default embedder lacks a package, as on a machine that has only what gpu.sh asks for.
    assert done.returncode in (0, 1), done.stderr
    return next(line for line in done.stdout.splitlines() if "cuda" in line)


def instead(folder: Path) -> dict[str, str]:
    """The environment in which the copy in a folder is found first, and all else where it was."""
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(PACKAGE.parent)])}


@pytest.fixture
def without_driver() -> None:
    if LIBRARY is None:
        pytest.skip("built without nvcc")
    if "driver" not in remanence.why_unavailable("cuda"):
        pytest.skip("a driver is here")


@pytest.mark.usefixtures("without_driver")
def test_without_a_driver_the_loader_says_so():
    line = doctor()
    assert "no NVIDIA driver (libcuda.so.1: " in line
    assert "ready" not in line


FAKE = """
extern "C" int cuInit(unsigned) { return 100; }
extern "C" int cuGetErrorString(int code, const char** text) {
    *text = code == 100 ? "no CUDA-capable device is detected" : "something else";
    return 0;
}
"""


@pytest.mark.usefixtures("without_driver")
def test_a_driver_that_refuses_speaks_for_itself(tmp_path: Path):
    if shutil.which("g++") is None:
        pytest.skip("no g++ to build a driver that refuses")
    source = tmp_path / "driver.cpp"
    source.write_text(FAKE, encoding="utf-8")
    command = ["g++", "-shared", "-fPIC", str(source), "-o", str(tmp_path / "libcuda.so.1")]
    subprocess.run(command, check=True, timeout=120)
    line = doctor(LD_LIBRARY_PATH=str(tmp_path))
    assert "the NVIDIA driver says: no CUDA-capable device is detected" in line


def test_without_the_library_nothing_else_is_missed(tmp_path: Path):
    copy = tmp_path / "remanence"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("libremanence_cuda.so"))
    assert "not built into this installation" in doctor(**instead(tmp_path))


def test_a_library_of_another_build_is_refused(tmp_path: Path):
    if LIBRARY is None:
        pytest.skip("built without nvcc")
    copy = tmp_path / "remanence"
    shutil.copytree(PACKAGE, copy)
    library = next(iter(copy.glob("lib*/libremanence_cuda.so")))
    content = library.read_bytes()
    ours = _core.build_id().encode()
    assert content.count(ours) == 1
    library.write_bytes(content.replace(ours, b"9" + ours[1:]))
    assert "belongs to another build" in doctor(**instead(tmp_path))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Where the library of the CUDA backend belongs in a copy of the package."""
    copy = tmp_path / "remanence"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("libremanence_cuda.so"))
    return next(copy.glob("lib*/libremanence.so")).parent / "libremanence_cuda.so"


def test_a_library_that_is_none_is_refused(copied: Path, tmp_path: Path):
    copied.write_bytes(b"not a library")
    line = doctor(**instead(tmp_path))
    assert "cannot be loaded (" in line
    assert "ready" not in line


def test_a_library_of_others_is_refused(copied: Path, tmp_path: Path):
    if shutil.which("g++") is None:
        pytest.skip("no g++ to build another library")
    source = tmp_path / "other.cpp"
    source.write_text("int other = 1;", encoding="utf-8")
    subprocess.run(["g++", "-shared", str(source), "-o", str(copied)], check=True, timeout=120)
    assert "is not a backend of remanence" in doctor(**instead(tmp_path))
