"""Every instruction set that runs here gives the same ids and the same bits."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.strategies import (
    DAY,
    EDGE_COLUMNS,
    HOUR,
    T0,
    WORDS,
    F,
    answers,
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
ROWS, DIM = 5200, 70  # enough for the one-bit codes


def workload() -> dict[str, Any]:
    """Every term of the score at work: whole blocks, single rows, past states, codes and not."""
    rng = np.random.default_rng(11)
    memories = [
        row(
            i + 1,
            law=int(rng.integers(3)) if i % 7 == 0 else 0,
            kind=int(rng.integers(5)) if i % 11 == 0 else 0,
            flags=int(rng.integers(4)),
            author=int(rng.integers(3)),
            session=i // 40 + 1,
            length=int(rng.integers(30)),
            time=T0 + i * HOUR,
            belief=float(rng.random()) * 0.9 + 0.1,
            importance=float(rng.standard_normal()),
            terms=" ".join(rng.choice(WORDS, 4)),
            vector=rng.standard_normal(DIM).astype(F).tolist() if i % 5 else None,
        )
        for i in range(ROWS)
    ]
    engine = _core.Engine()
    engine.append(1, **memory_arrays(memories))
    for seq, hours in enumerate((6000, 7000, 8000), 2):
        ids = rng.choice(ROWS, 60, replace=False) + 1
        engine.touch(
            seq,
            id=ids.astype(np.int64),
            time=np.full(60, T0 + hours * HOUR, dtype=np.int64),
            weight=rng.random(60).astype(F) + F(0.1),
            used=rng.integers(-1, 2, 60).astype(np.int8),
        )
    engine.link(5, **to_arrays([edge(i, i, i + 1) for i in range(1, ROWS)], EDGE_COLUMNS))
    vector = rng.standard_normal(DIM)
    weights = _core.Weights(activation=0.7).to_dict()
    asked = {"vector": vector, "terms": "heron tide tide", "now": T0 + 900 * DAY, "explain": True}
    dates = [[T0 + 9 * DAY, T0 + 10 * DAY]]
    requests = {
        "default": question() | asked,
        "proved": question() | asked | {"proved": True},
        "everything": asked
        | {"weights": weights, "dates": dates, "authors": [1], "asks_when": True, "cues": [3, 9]},
        "past": asked | {"weights": weights, "as_of": 3},
        "few": asked | {"weights": weights, "allow": list(range(1, ROWS, 37)), "k": 500},
        "alive": {"weights": _core.Weights.without_question().to_dict(), "now": T0 + 900 * DAY},
    }
    out: dict[str, Any] = {
        name: answers(engine.recall(request_of(r | {"threads": 2}))) for name, r in requests.items()
    }
    ids = np.arange(1, ROWS + 1, dtype=np.int64)
    activation = engine.activation(ids, T0 + 900 * DAY)
    walk = engine.propagate(np.array([3], dtype=np.int64))[1]
    return out | {
        "simd": _core.simd(),
        "digest": engine.digest(),
        "activation": activation.view(np.uint32).tolist(),
        "walk": walk.view(np.uint64).tolist(),
    }


def child(simd: str, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"REMANENCE_SIMD": simd},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    code = "import json; from tests.test_simd import workload; print(json.dumps(workload()))"
    out = {}
    for name in _core.available_simd():
        done = child(name, code)
        assert done.returncode == 0, done.stderr
        out[name] = json.loads(done.stdout)
    return out


def test_the_set_that_was_named_is_the_set_that_ran(results):
    assert {name: result["simd"] for name, result in results.items()} == {
        name: name for name in _core.available_simd()
    }


def test_all_sets_give_the_same_bits(results):
    scalar = results["scalar"]
    assert len(scalar["everything"]["id"]) == 10
    for name, result in results.items():
        for what in scalar.keys() - {"simd"}:
            assert result[what] == scalar[what], (name, what)


def test_scalar_runs_everywhere_and_the_best_is_chosen():
    sets = _core.available_simd()
    assert sets[-1] == "scalar"
    assert _core.simd() == (os.environ.get("REMANENCE_SIMD") or sets[0])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the flags of an x86 processor")
def test_the_sets_are_those_of_the_processor():
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        pytest.skip("no /proc/cpuinfo to compare with")
    flags = cpuinfo.read_text(encoding="utf-8").split("flags", 1)[1].split("\n", 1)[0].split()
    wide = {"avx512f", "avx512vl", "avx512bw", "avx512dq"} <= set(flags)
    wide = wide and "avx512vbmi" in flags
    tiles = wide and {"amx_tile", "amx_int8"} <= set(flags)
    want = ["amx"] * tiles + ["avx512"] * wide + ["avx2"] * ("avx2" in flags) + ["scalar"]
    assert _core.available_simd() == want


@pytest.mark.parametrize("name", ["avx1024", "AVX2", "scalar,avx2", "é"])
def test_an_unknown_set_is_refused_in_one_sentence(name):
    code = (
        "from remanence import _core\n"
        "try:\n    _core.simd()\n"
        "except _core.BackendUnavailableError as e:\n    print(e)\n"
    )
    done = child(name, code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"REMANENCE_SIMD: this processor cannot run '{name}' (want one ")
    assert done.stdout.count("\n") == 1
    assert all(known in done.stdout for known in _core.available_simd())


def test_an_empty_name_means_the_best():
    done = child("", "from remanence import _core; print(_core.simd())")
    assert done.stdout.strip() == _core.available_simd()[0]
