"""What the compiler says of each kernel: registers within its budget, nothing spilled."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NVCC = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")

pytestmark = pytest.mark.skipif(NVCC is None, reason="no nvcc")

# Registers a thread may use: 80 leave 3 blocks of 256 threads on a multiprocessor, 64 leave 4.
BUDGET = {
    "meet_kept": 40,
    "meet_block": 40,
    "settle_block": 32,
    "decay_column": 56,
    "decay_traces": 40,
    "check_histories": 32,
    "scan_rows": 80,
    "refine": 64,
    "collect": 32,
    "keep_best": 32,
    "select_bar": 32,
    "start_bar": 32,
    "add_word": 32,
    "clear_word": 32,
    "make_centre": 32,
    "encode_rows": 40,
    "encode_question": 40,
    "meet_centres": 32,
    "prepare_queries": 32,
    "encode_bytes": 32,
    "encode_questions": 32,
    "find_sides": 80,
    "bound_sample": 168,  # the sample is a small part of the rows: 1 block
    "bound_rows": 128,  # 64 sums and their factors: 2 blocks
    "set_levels": 32,
    "bound_words": 64,
    "drop_words": 32,
    "note_words": 32,
    "narrow": 32,
    "score_kept": 64,  # few rows, with all their side terms
    "choose": 32,
    "put_in_order": 32,
    "hand_over": 32,
    "pull_rows": 40,
    "pull_hubs": 40,
    "find_hubs": 32,
    "sum_hub_degrees": 40,
    "end_round": 32,
    "sum_degrees": 40,
    "start_walks": 32,
    "set_links": 32,
    "advance": 64,
    "relax": 64,
    "start_between": 32,
    "relax_between": 64,
    "advance_between": 64,
    "lead_back": 64,
    "read_targets": 32,
    "read_steps": 32,
    "start_forest": 32,
    "link_ranks": 64,
    "least_nodes": 32,
    "label_ranks": 32,
    "khop_blocks": 64,
    "gather_found": 32,
    "push_walks": 80,
    "first_wave": 40,
    "next_wave": 40,
    "small_waves": 40,
    "settle_waves": 64,
    "sum_communities": 40,
    "read_pushed": 32,
    "project_rows": 64,
    "sum_offsets": 32,
}
_REPORT = re.compile(
    r"Compiling entry function '(?P<name>\w+)'.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers",
    re.DOTALL,
)


def short(mangled: str) -> str:
    """`scan_rows` out of a mangled name: the last of its length-prefixed parts."""
    at, name = mangled.find("_ZN") + 3, ""
    while found := re.match(r"\d+", mangled[at:]):
        size = int(found.group())
        at += len(found.group())
        name, at = mangled[at : at + size], at + size
    return name


@pytest.fixture(scope="module", params=["sm_80", "sm_90"])
def kernels(request: pytest.FixtureRequest, tmp_path_factory) -> dict[str, list[tuple[int, int]]]:
    """For each kernel the (registers, bytes of stack and spills) of its instances."""
    source = ROOT / "cpp/src/cuda/kernels.cu"
    out = tmp_path_factory.mktemp("cubin") / "kernels.cubin"
    command = [
        str(NVCC), "-cubin", f"-arch={request.param}", "-std=c++20", "-O3", "-fmad=false",
        f"-I{ROOT / 'cpp/include'}", f"-I{ROOT / 'cpp/src'}", "-Xptxas=-v", str(source),
        "-o", str(out),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[tuple[int, int]]] = {}
    for report in _REPORT.finditer(done.stderr):
        spilled = sum(int(report[part]) for part in ("stack", "stores", "loads"))
        found.setdefault(short(report["name"]), []).append((int(report["registers"]), spilled))
    return found


def test_every_kernel_has_a_budget(kernels):
    assert set(kernels) == set(BUDGET)


def test_registers_stay_within_their_budget(kernels):
    over = {
        name: registers
        for name, instances in kernels.items()
        for registers, _ in instances
        if registers > BUDGET[name]
    }
    assert not over


def test_nothing_is_spilled(kernels):
    spilled = {name: i for name, instances in kernels.items() for i in instances if i[1] != 0}
    assert not spilled
