"""The emulator of the CUDA backend catches planted faults; a clean kernel gives no report."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or shutil.which("g++") is None,
    reason="the emulator is built by g++ for x86-64",
)

ROOT = Path(__file__).resolve().parent.parent.parent
ORDERS = ("forward", "reverse", "shuffled")
SCHEDULER = ("emulator.cpp", "fiber.cpp")
# What the kernels are compiled with, and what the scheduler; see cuda/emulated/fiber.hpp.
MODES = {
    "plain": ([], []),
    "address": (["-fsanitize=address,undefined", "-g"],) * 2,
    "thread": (["-fsanitize=thread", "-g"], ["-DREMANENCE_EMULATED_TSAN"]),
}


@pytest.fixture(scope="module", params=MODES)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """(mode, run(fault, order)) of the faults compiled in one mode."""
    folder = tmp_path_factory.mktemp(request.param)
    of_kernels, of_scheduler = MODES[request.param]
    includes = [f"-I{ROOT / 'cpp/include'}", f"-I{ROOT / 'cpp/src'}", "-DREMANENCE_EMULATED"]
    objects = []
    sources = [(ROOT / "tests/emulator/faults.cpp", of_kernels)]
    sources += [(ROOT / "cpp/src/cuda/emulated" / name, of_scheduler) for name in SCHEDULER]
    for source, flags in sources:
        objects.append(str(folder / (source.stem + ".o")))
        command = ["g++", "-std=c++20", "-O1", *includes, *flags, "-c", str(source)]
        subprocess.run([*command, "-o", objects[-1]], check=True, timeout=240)
    binary = str(folder / "faults")
    subprocess.run(["g++", *of_kernels, *objects, "-o", binary], check=True, timeout=240)

    def run(fault: str, order: str) -> subprocess.CompletedProcess[str]:
        command = [binary, fault, order]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return request.param, run


@pytest.mark.parametrize("order", ORDERS)
def test_a_clean_kernel_gives_its_result_and_no_report(program, order):
    done = program[1]("clean", order)
    assert (done.returncode, done.stdout, done.stderr) == (0, "64 64 64 64\n", "")


@pytest.mark.parametrize("order", ORDERS)
def test_a_matrix_product_of_bytes_is_exact(program, order):
    """Lane 5 holds rows 1 and 9, columns 2 and 3 of -1 + 32 (row + 1)(column + 1)."""
    done = program[1]("matrix product", order)
    want = [32 * (row + 1) * (column + 1) - 1 for row in (1, 9) for column in (2, 3)]
    assert (done.returncode, done.stderr) == (0, "")
    assert [int(word) for word in done.stdout.split()] == want


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("divergent barrier", "emulator: divergent barrier (divergent_barrier, block "),
        ("mixed collective", "emulator: warp collective mismatch (mixed_collective, block "),
        ("foreign mask", "emulator: a lane outside its own mask (foreign_mask, block "),
        ("matrix without lanes", "emulator: matrix product without all lanes (("),
        ("mixed product", "emulator: warp collective mismatch (mixed_product, block "),
        ("deadlock", "emulator: deadlock (waits_for_ever, block "),
        ("impossible launch", "emulator: impossible launch of (sum<true>)"),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_misuse_of_barriers_is_reported_in_every_mode(program, fault, sentence, order):
    done = program[1](fault, order)
    assert done.returncode != 0
    assert done.stdout.startswith(sentence)


@pytest.mark.parametrize("fault", ["missing barrier", "plain count", "missing warp barrier"])
def test_races_are_reported(program, fault):
    mode, run = program
    if mode != "thread":
        pytest.skip("the thread sanitizer reports races")
    for order in ORDERS:
        done = run(fault, order)
        assert "WARNING: ThreadSanitizer: data race" in done.stderr, (order, done.stdout)


@pytest.mark.parametrize("fault", ["shared overrun", "global overrun"])
def test_overruns_are_reported(program, fault):
    mode, run = program
    if mode != "address":
        pytest.skip("the address sanitizer reports overruns")
    done = run(fault, "forward")
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr


def test_what_was_never_written_shows(program):
    """Shared memory starts as 0x7F7F7F7F, which no sum expects."""
    done = program[1]("uninitialised", "forward")
    assert done.stdout.split()[0] == str(0x7F7F7F7F)


def test_a_missing_barrier_changes_the_result_with_the_order(program):
    mode, run = program
    if mode != "plain":
        pytest.skip("one mode is enough")
    assert any(run("missing barrier", order).stdout != "64 64 64 64\n" for order in ORDERS)
