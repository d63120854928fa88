"""durability: writers killed at random; nothing acknowledged may be lost or applied twice."""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import remanence

from .durable_writer import Plan
from .harness import ROOT, Report, Row, progress

LONGEST_LIFE_S = 0.4
"""A writer is killed at a random moment of this many seconds after it says that it is ready."""
EARLY_SHARE = 0.15
"""Share of the kills that come while the writer still opens the store."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")


@dataclass(slots=True)
class Tally:
    """What went wrong, and how much went right."""

    lost: int = 0
    twice: int = 0
    digests: int = 0
    contents: int = 0
    problems: list[str] = field(default_factory=list)


def run(options: argparse.Namespace) -> Report:
    """Kill, reopen, compare, go on from the last acknowledged write; then check everything."""
    if options.quick:
        options.kills = min(options.kills, 5)
    report = Report("durability", {"kills": options.kills, "seed": options.seed})
    chance = random.Random(options.seed)
    tally, acknowledged, early = Tally(), 0, 0
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "durable.rem"
        for kill in progress(range(options.kills), "kills"):
            before_ready = kill > 0 and chance.random() < EARLY_SHARE
            early += before_ready
            wait = chance.uniform(0, LONGEST_LIFE_S)
            acknowledged = _life(path, options.seed, acknowledged, wait, before_ready)
            _check(path, options.seed, acknowledged, tally)
        acknowledged = _life(path, options.seed, acknowledged, LONGEST_LIFE_S, False, kill=False)
        _check(path, options.seed, acknowledged, tally, whole=True)
    figures = {
        "acknowledged writes lost": tally.lost,
        "writes applied twice": tally.twice,
        "digests unlike a full replay": tally.digests,
        "contents unlike the model": tally.contents,
    }
    for case, value in figures.items():
        report.rows.append(
            Row(
                f"{case}, {options.kills} kills -9",
                "count",
                float(value),
                checked=True,
                target={"value_max": 0},
            )
        )
    report.rows.append(
        Row("acknowledged writes", "count", float(acknowledged), checked=True, better="higher",
            target={"value_min": options.kills})
    )  # fmt: skip
    report.notes += [
        f"{early} kills came while the store was being opened",
        "a killed process, not a power cut: the disk keeps what the system was given",
        *tally.problems[:10],
    ]
    return report


def _life(
    path: Path, seed: int, start: int, wait: float, before_ready: bool, *, kill: bool = True
) -> int:
    """One writer from operation `start` on; the number of operations acknowledged at its end."""
    command = [sys.executable, "-m", "benchmarks.durable_writer", str(path), str(seed), str(start)]
    lines: list[str] = []
    ready = threading.Event()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        out, err = writer.stdout, writer.stderr
        assert out is not None
        assert err is not None

        def listen() -> None:
            for line in out:
                lines.append(line)
                ready.set()
            ready.set()

        listener = threading.Thread(target=listen)
        listener.start()
        if not before_ready:
            ready.wait(60)
        time.sleep(wait)
        if kill:
            writer.kill()
        else:
            writer.terminate()
        listener.join()
        code, said = writer.wait(), err.read()
    if code not in (-signal.SIGKILL, -signal.SIGTERM):
        raise SystemExit(f"durability: the writer ended by itself\n{said}")
    # The kill may have cut the last line; only a whole one is an acknowledgement.
    done = [line for line in lines if line.startswith("done ") and line.endswith("\n")]
    return int(done[-1].split()[1]) + 1 if done else start


def _check(path: Path, seed: int, acknowledged: int, tally: Tally, *, whole: bool = False) -> None:
    """Open the store as the next process would and compare it with the model."""
    if not path.exists():
        if acknowledged:
            tally.lost += acknowledged
        return
    with remanence.open(path, embedder=None) as memory:
        stats = memory.stats()
        # One operation may be durable without having been acknowledged, never more than one.
        tally.lost += max(0, acknowledged - stats.commits)
        tally.twice += max(0, stats.commits - acknowledged - 1)
        verified = memory.verify()
        if not verified.ok:
            tally.digests += 1
            tally.problems += [f"after {acknowledged}: {one}" for one in verified.problems]
        plan = Plan(seed)
        for number in range(stats.commits):
            plan.advance(number)
        newest = list(plan.texts)[-50:]
        for memory_id in list(plan.texts) if whole else newest:
            try:
                text = memory.get(memory_id).text
            except remanence.NotFoundError as error:
                text = str(error)
            if text != plan.texts[memory_id]:
                tally.contents += 1
                tally.problems.append(f"memory {memory_id} is {text!r:.60}")
        if (stats.memories, stats.edges, stats.touches) != plan.counts():
            tally.contents += 1
            tally.problems.append(
                f"after {acknowledged}: {stats.memories} memories, {stats.edges} edges, "
                f"{stats.touches} touches; the model has {plan.counts()}"
            )
