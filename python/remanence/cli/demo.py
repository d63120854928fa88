"""`remanence demo`: two years of one invented person's notes, and what a memory makes of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from .. import Hit, Memory, open
from ..demo import notes_path
from ..ingest import BadInputError, read
from .commands import day, sum_of_terms, valid, version_cells
from .replay import Calendar, Lived, live_through
from .show import Output, shorten, sparkline

QUESTIONS = (
    "Where does Joana live?",
    "Who introduced me to Filipa Quadros of Atelier Ponte?",
    "What is Davi allergic to?",
)
THEN = "2025-03-15"
THEN_QUESTION = "When does Joana start at Atelier Ponte, and in which office?"
DEADLINE_QUESTION = "When is the tender design of the Coina footbridge due?"
CONTEXT_QUESTION = "What is Davi allergic to, and what do I do if he swells up?"
BUDGET = 150
PLOTTED = (
    ("habit-call", "Mãe calls on Sundays"),
    ("habit-run", "runs before work"),
    ("coina-brief", "the Coina footbridge"),
    ("lauenburg-needs", "rope access, Lauenburg"),
    ("bike-lock", "the bike lock's code"),
)
MONTHS = [datetime(2024 + m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in range(9, 34)]


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
            lived = live_through(memory, rows, calendar, _progress(len(rows)))
            _say_what_was_stored(output, lived, len(rows), perf_counter() - started)
            seconds = _show_questions(output, memory)
            _show_faded(output, memory, lived)
            _show_changed_fact(output, memory, lived)
            _show_as_of(output, memory)
            _show_context(output, memory)
            _show_summary(output, memory, len(rows), seconds, store if options.keep else None)
    return 0


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    if keep:
        Path(keep).mkdir(parents=True, exist_ok=True)
        yield Path(keep)
        return
    with tempfile.TemporaryDirectory(prefix="remanence-demo-") as folder:
        yield Path(folder)


def _progress(total: int) -> Callable[[int], None]:
    """Counts on the terminal while the days pass and wipes the line; silent where there is none."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if sys.stderr.isatty():
            text = f"{done} of {total} notes" if done < total else ""
            print(f"{text:30}", end="\r", file=sys.stderr, flush=True)

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
        output.line(question, "bold")
        for rank, hit in enumerate(hits):
            output.line(_hit_line(hit, output.width), "" if rank == 0 else "dim", indent=2)
            if rank == 0:
                output.line("why: " + ", ".join(hit.reasons[:3]), "green", indent=14)
                output.line(sum_of_terms(hit), "green", indent=14)
        output.line()
    output.line("Terms are in nats and add up to the score.")
    return seconds


def _hit_line(hit: Hit, width: int) -> str:
    return f"{day(hit.time)}  {shorten(hit.text, max(50, width - 16))}"


def _show_faded(output: Output, memory: Memory, lived: Lived) -> None:
    output.heading("What is alive, and what has faded")
    months = [_activations(memory, month) for month in MONTHS]
    curves = {
        ref: [activations.get(lived.id_of[ref]) for activations in months] for ref, _ in PLOTTED
    }
    known = [value for curve in curves.values() for value in curve if value is not None]
    low, high = min(known), max(known)
    output.table(
        ["memory", "October 2024 to 2026", "nats now"],
        [(name, sparkline(curves[ref], low, high), curves[ref][-1]) for ref, name in PLOTTED],
    )
    output.line("Use keeps a memory alive; what nobody asks for fades, and is still there.")
    alive = memory.recall(k=memory.stats().memories)
    for label, hits in (("Most alive", alive[:3]), ("Most faded", alive[-3:])):
        output.line(f"{label}: " + "; ".join(shorten(hit.text, 40) for hit in hits))


def _activations(memory: Memory, time: datetime) -> dict[int, float]:
    """Activation by id, in nats, of what was known at a time, from the uses up to then."""
    hits = memory.recall(k=memory.stats().memories, now=time, as_of=time, explain=True)
    return {hit.id: (hit.terms or {}).get("activation", 0.0) for hit in hits}


def _show_changed_fact(output: Output, memory: Memory, lived: Lived) -> None:
    output.heading("How a fact changed")
    output.line(DEADLINE_QUESTION, "bold")
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
    output.line(THEN_QUESTION, "bold")
    rows = []
    for label, as_of in ((f"as of {THEN}", THEN), ("today", None)):
        hit = memory.recall(THEN_QUESTION, k=1, kinds=("semantic",), as_of=as_of)[0]
        rows.append((label, hit.text))
    output.table(["known", "answer"], rows)


def _show_context(output: Output, memory: Memory) -> None:
    output.heading(f"A context for a prompt, in {BUDGET} tokens")
    output.line(CONTEXT_QUESTION, "bold")
    output.line(str(memory.context(CONTEXT_QUESTION, budget=BUDGET)))


def _show_summary(
    output: Output, memory: Memory, notes: int, seconds: list[float], kept: Path | None
) -> None:
    output.heading("In one line")
    entities = memory.stats().memories - notes
    times: list[float] = []
    for _ in range(20):
        started = perf_counter()
        memory.recall(QUESTIONS[0], k=3)
        times.append(perf_counter() - started)
    output.line(
        f"{notes} notes and {entities} named things; an explained recall took "
        f"{min(seconds) * 1e3:.1f} to {max(seconds) * 1e3:.1f} ms, a warm one "
        f"{median(times) * 1e3:.1f} ms, with the question's embedding; no model was asked and "
        "nothing was downloaded."
    )
    if kept:
        output.line(f'The store is {kept}; try: remanence recall --store {kept} "Who is Radek?"')
