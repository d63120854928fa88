"""The C++ door: a program finds the installed package with CMake, builds against it and runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import remanence

EMBED = Path(__file__).parent / "embed"


def run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def cmake() -> str:
    """CMake of this environment first: a distribution's may be too old."""
    beside = Path(sys.executable).parent / "cmake"
    found = str(beside) if beside.exists() else shutil.which("cmake")
    assert found, "no cmake; pip install '.[test]' brings one"
    return found


def test_cmake_dir_holds_the_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    folder = Path(run(sys.executable, "-m", "remanence", "--cmake-dir").strip())
    assert (folder / "remanenceConfig.cmake").is_file()


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
def test_a_cpp_program_embeds_the_engine(cmake: str, tmp_path: Path) -> None:
    folder = run(sys.executable, "-m", "remanence", "--cmake-dir").strip()
    build = tmp_path / "build"
    run(cmake, "-S", EMBED, "-B", build, f"-Dremanence_DIR={folder}", "-DCMAKE_BUILD_TYPE=Release")
    run(cmake, "--build", build)
    said = run(build / "embed", tmp_path / "snapshot")
    assert re.fullmatch(r"remanence \S+ on \w+: recalled 1\n", said)
    assert said.split()[1] == remanence.__version__
