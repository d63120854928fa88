"""`remanence demo`: two years of one invented person's notes, and what a memory makes of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from .. import Hit, Memory, open
from ..demo import notes_path
from .commands import day, valid, version_cells, why
from .readers import read
from .replay import Calendar, Lived, live_through
from .rows import BadInputError
from .show import Output, shorten, sparkline

QUESTIONS = (
    "Where does Joana live?",
    "Who introduced me to Filipa Quadros of Atelier Ponte?",
    "What must not be in the cake when Davi comes to dinner?",
)
THEN = "2025-03-15"
THEN_QUESTION = "Where will Joana work for Atelier Ponte, and from when?"
DEADLINE_QUESTION = "When is the tender design of the Coina footbridge due?"
PLOTTED = (
    ("habit-call", "Mãe's Sunday call"),
    ("habit-run", "running before work"),
    ("coina-brief", "the Coina bridge"),
    ("phone-elbfunk", "the old phone contract"),
    ("lauenburg-needs", "rope access, Lauenburg"),
)


def demo(options: argparse.Namespace, output: Output) -> int:
    """Import the sample into a store, ask it, and show why it answers as it does."""
    with _folder(options.keep) as folder:
        store = folder / "demo.remanence"
        if store.exists():
            raise BadInputError(f"demo: {store} is there already (name another folder)")
        rows = read(notes_path())
        calendar = Calendar(rows[0].item["time"])
        with open(store, clock=calendar) as memory:
            output.heading("Two years of notes")
            started = perf_counter()
            lived = live_through(memory, rows, calendar, _progress())
            _say_what_was_stored(output, lived, len(rows), perf_counter() - started)
            seconds = _show_questions(output, memory)
            _show_faded(output, memory, lived)
            _show_changed_fact(output, memory, lived)
            _show_as_of(output, memory)
            _show_context(output, memory)
            _show_summary(output, memory, seconds, store if options.keep else None)
    return 0


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    if keep:
        Path(keep).mkdir(parents=True, exist_ok=True)
        yield Path(keep)
        return
    with tempfile.TemporaryDirectory(prefix="remanence-demo-") as folder:
        yield Path(folder)


def _progress() -> Callable[[int], None]:
    """Counts on the terminal while the days pass; silent where there is none."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if sys.stderr.isatty():
            print(f"\r  {done} notes", end="\r", file=sys.stderr, flush=True)

    return count


def _say_what_was_stored(output: Output, lived: Lived, count: int, seconds: float) -> None:
    output.line(
        "Joana Reuter builds footbridges. She is invented, and so is everybody she knows; her "
        "notes run from September 2024 to September 2026."
    )
    output.line(
        f"Lived through day by day: {count} notes, {lived.links} links, {lived.touches} times a "
        f"memory was used again, {lived.facts_closed} facts that stopped being true. "
        f"Each evening is a durable commit: {seconds:.1f} s."
    )


def _show_questions(output: Output, memory: Memory) -> list[float]:
    output.heading("What is recalled, and why")
    seconds = []
    for question in QUESTIONS:
        started = perf_counter()
        hits = memory.recall(question, k=3, explain=True)
        seconds.append(perf_counter() - started)
        output.line(question, style="bold")
        for rank, hit in enumerate(hits):
            output.line(_hit_line(hit, output.width), style="" if rank == 0 else "dim", indent=2)
            if rank == 0:
                output.line(f"why: {why(hit)}", style="green", indent=14)
        output.line()
    output.line("Terms are in nats and add up to the score; ln P(valid) is the belief in a row.")
    return seconds


def _hit_line(hit: Hit, width: int) -> str:
    return f"{day(hit.time)}  {shorten(hit.text, max(50, width - 16))}"


def _show_faded(output: Output, memory: Memory, lived: Lived) -> None:
    output.heading("What is alive, and what has faded")
    months = [datetime(2024 + m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in range(9, 34)]
    curves = {ref: [_activation(memory, lived.id_of[ref], t) for t in months] for ref, _ in PLOTTED}
    known = [value for curve in curves.values() for value in curve if value is not None]
    low, high = min(known), max(known)
    output.table(
        ["memory", "2024-10 .. 2026-10", "nats now"],
        [(name, sparkline(curves[ref], low, high), curves[ref][-1]) for ref, name in PLOTTED],
    )
    alive = memory.recall(k=memory.stats().memories)
    output.line("Most alive today: " + "; ".join(shorten(hit.text, 44) for hit in alive[:3]))
    output.line("Most faded: " + "; ".join(shorten(hit.text, 44) for hit in alive[-3:]))


def _activation(memory: Memory, number: int, time: datetime) -> float | None:
    """Activation of one memory at a time, from the uses known by then; None before it existed."""
    hits = memory.recall(k=10_000, now=time, as_of=time, explain=True)
    found = next((hit for hit in hits if hit.id == number), None)
    return None if found is None or found.terms is None else found.terms["activation"]


def _show_changed_fact(output: Output, memory: Memory, lived: Lived) -> None:
    output.heading("How a fact changed")
    output.line(DEADLINE_QUESTION, style="bold")
    rows = []
    for then in ("2025-07-01", "2025-09-15", "2025-11-20"):
        hit = memory.recall(DEADLINE_QUESTION, k=1, kinds=("semantic",), valid_at=then)[0]
        rows.append((then, valid(memory.get(hit.id)), hit.text))
    output.table(["true on", "valid", "answer"], rows)
    output.line("History of the first answer: what the store held, and since when")
    output.table(
        ["commit", "known since", "valid", "memory"],
        [version_cells(version) for version in memory.history(lived.id_of["coina-due-sep"])],
    )


def _show_as_of(output: Output, memory: Memory) -> None:
    output.heading("What did we believe in March 2025?")
    output.line(THEN_QUESTION, style="bold")
    rows = []
    for label, as_of in ((f"as of {THEN}", THEN), ("today", None)):
        hit = memory.recall(THEN_QUESTION, k=1, kinds=("semantic",), as_of=as_of)[0]
        rows.append((label, hit.text))
    output.table(["known", "answer"], rows)


def _show_context(output: Output, memory: Memory) -> None:
    output.heading("A context for a prompt, in 150 tokens")
    question = "Plan a dinner with Davi and Avó Celeste"
    output.line(question, style="bold")
    output.line(str(memory.context(question, budget=150)))


def _show_summary(output: Output, memory: Memory, seconds: list[float], kept: Path | None) -> None:
    output.heading("In one line")
    stats = memory.stats()
    times: list[float] = []
    for _ in range(20):
        started = perf_counter()
        memory.recall(QUESTIONS[0], k=3)
        times.append(perf_counter() - started)
    output.line(
        f"{stats.memories} memories, a recall in {sorted(times)[10] * 1e3:.2f} ms with the "
        f"question's embedding (the first in {seconds[0] * 1e3:.1f} ms), no model called, nothing "
        "downloaded."
    )
    if kept:
        output.line(f'The store is {kept}: remanence recall --store {kept} "..."')
