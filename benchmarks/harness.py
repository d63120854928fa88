"""What every benchmark shares: rows, the machine, fair timing, the table and the JSON line."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
PAUSE = 0.05
"""Seconds before a case, far beyond those that OpenMP lets idle threads spin."""


@dataclass(slots=True)
class Row:
    """One measured case beside one rival; `met` follows from the other fields.

    better: "lower" (times) or "higher" (rates, recall). target: ratio_min, value_min, value_max.
    checked: the answer was compared with the judge in this run; an unchecked row meets nothing.
    """

    case: str
    metric: str
    value: float | None
    rival: str | None = None
    rival_value: float | None = None
    spread: list[float] | None = None
    floor: float | None = None
    checked: bool = False
    target: dict[str, float] = field(default_factory=dict)
    better: str = "lower"
    reason: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times better than the rival; None where there is nothing to compare."""
        if self.value is None or self.rival_value is None:
            return None
        if self.better == "lower":
            return self.rival_value / self.value if self.value else None
        return self.value / self.rival_value if self.rival_value else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where the row has no target, or where the rival it
        speaks of did not take part and the row says why.
        """
        if not self.target:
            return None
        if "ratio_min" in self.target and self.rival_value is None and self.reason:
            return None
        ratio, value = self.ratio, self.value
        tests = {
            "ratio_min": lambda least: ratio is not None and ratio >= least,
            "value_min": lambda least: value is not None and value >= least,
            "value_max": lambda most: value is not None and value <= most,
        }
        return self.checked and all(tests[name](bound) for name, bound in self.target.items())

    def to_dict(self) -> dict[str, Any]:
        """The row as the JSON line holds it; fields without content are left out."""
        plain = {k: v for k, v in asdict(self).items() if k not in ("extra", "better")}
        plain["ratio"], plain["met"] = self.ratio, self.met
        keep = {"case", "metric", "value", "checked", "rival_value"} if self.rival else set()
        return {
            key: _rounded(value)
            for key, value in {**plain, **self.extra}.items()
            if value not in (None, {}, []) or key in keep
        }


@dataclass(slots=True)
class Report:
    """What one verb has to say: its rows and what people should know besides."""

    verb: str
    options: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: list[tuple[str, list[str], list[list[str]]]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON line."""
        return {
            "verb": self.verb,
            "commit": commit(),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "machine": machine(),
            "options": self.options,
            "rows": [row.to_dict() for row in self.rows],
            **({"notes": self.notes} if self.notes else {}),
            **self.extra,
        }

    def show(self) -> None:
        """Print the tables and the notes for people."""
        for title, columns, lines in self.tables:
            table(title, columns, lines)
        table(
            f"{self.verb}  ({', '.join(f'{k}={v}' for k, v in self.options.items())})",
            ["case", "metric", "value", "spread", "rival", "its value", "ratio", "floor",
             "checked", "target", "met"],
            [_cells(row) for row in self.rows],
        )  # fmt: skip
        for note in self.notes:
            print(note)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds per call: the median and the quartiles; `first`: of those after another case."""

    median: float
    low: float
    high: float
    first: float = 0.0

    def scaled(self, factor: float) -> tuple[float, list[float]]:
        """(median, [quartiles]) times `factor`, for example 1e3 for milliseconds."""
        return self.median * factor, [self.low * factor, self.high * factor]


def alternate(
    cases: Mapping[str, Callable[[], object]], rounds: int, *, warm_up: int = 1, stretch: int = 1
) -> dict[str, Timing]:
    """Time the cases in turn, the order reversed every other round, so that drift hits all; each
    is called `stretch` times in a row, as one asks who has a question after the other. Before each
    there is a pause, in which threads of the last one that wait in a loop go to sleep.
    """
    for _ in range(warm_up):
        for case in cases.values():
            case()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(rounds):
        for name in list(cases) if turn % 2 == 0 else list(cases)[::-1]:
            time.sleep(PAUSE if len(cases) > 1 else 0.0)
            for _ in range(stretch):
                start = time.perf_counter()
                cases[name]()
                seconds[name].append(time.perf_counter() - start)
    return {
        name: replace(timing(samples), first=statistics.median(samples[::stretch]))
        for name, samples in seconds.items()
    }


def timing(samples: Sequence[float]) -> Timing:
    """Median and quartiles of the samples."""
    if len(samples) == 1:
        return Timing(samples[0], samples[0], samples[0])
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Timing(statistics.median(samples), low, high)


def commit() -> str:
    """The commit that was measured, or "dirty" where the sources are not exactly a commit."""
    git = shutil.which("git")
    if git is None:
        return "dirty"
    run = [git, "-C", str(ROOT)]
    state = subprocess.run([*run, "status", "--porcelain"], capture_output=True, text=True)
    head = subprocess.run([*run, "rev-parse", "HEAD"], capture_output=True, text=True)
    clean = state.returncode == 0 and head.returncode == 0 and not state.stdout.strip()
    return head.stdout.strip() if clean else "dirty"


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, instruction set in use, GPU, memory."""
    try:
        from remanence import _core

        simd = _core.simd()
    except ImportError:
        simd = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu_name(),
        "cores": cores,
        "simd": simd,
        "gpu": None,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


@dataclass(frozen=True, slots=True)
class Memory:
    """A case for `alternate` that does nothing but read: what a scan of its bytes could cost."""

    read: Callable[[], object]
    bytes: int

    def speed(self, timing: Timing) -> float:
        """Bytes per second of the median pass."""
        return self.bytes / timing.median


def memory(threads: int, megabytes: int = 512) -> Memory:
    """Reads an array far larger than the caches with so many threads."""
    import numpy as np

    parts = np.array_split(np.ones(megabytes << 17), threads)
    pool = ThreadPoolExecutor(threads)
    return Memory(lambda: list(pool.map(np.max, parts)), sum(part.nbytes for part in parts))


def clocked(call: Callable[[], T]) -> tuple[float, T]:
    """(seconds, result) of one call."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A rich table on a terminal, aligned plain text elsewhere."""
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            pass
        else:
            pretty = Table(title=title, title_justify="left", header_style="bold")
            for index, column in enumerate(columns):
                pretty.add_column(column, justify="left" if index == 0 else "right")
            for row in rows:
                pretty.add_row(*row)
            Console().print(pretty)
            return
    widths = [max(len(str(row[i])) for row in [columns, *rows]) for i in range(len(columns))]
    print(f"\n{title}")
    for row in [columns, *rows]:
        cells = [
            str(cell).ljust(width) if index == 0 else str(cell).rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def progress(items: Sequence[T], text: str) -> Iterator[T]:
    """The items, with a progress bar on a terminal and nothing elsewhere."""
    if sys.stderr.isatty():
        with suppress(ImportError):
            from rich.console import Console
            from rich.progress import track

            yield from track(items, text, console=Console(stderr=True))
            return
    yield from items


def number(value: float | None) -> str:
    """A figure for people: four significant digits."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _cells(row: Row) -> list[str]:
    met = {True: "yes", False: "NO", None: ""}[row.met]
    target = " ".join(f"{name}={bound:g}" for name, bound in row.target.items())
    spread = "" if row.spread is None else " - ".join(number(x) for x in row.spread)
    rival = row.rival or ""
    if row.rival and row.rival_value is None:
        rival = f"{row.rival} ({row.reason})"
    return [
        row.case, row.metric, number(row.value), spread, rival,
        number(row.rival_value) if row.rival else "",
        "" if row.ratio is None else f"{row.ratio:.3g}",
        "" if row.floor is None else number(row.floor),
        "yes" if row.checked else "no", target, met,
    ]  # fmt: skip


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def write_json(path: str, content: object) -> None:
    """One JSON document to a file."""
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
