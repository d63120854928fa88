"""Commands that ask a store: recall, context, history, stats, verify."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import Calibration, Hit, LearnedWeights, Memory, MemoryRow, Version, open
from ..ingest import BadInputError
from ..ingest.rows import scope_of
from .show import Cell, Output, shorten


def existing(verb: str, path: str, *, read_only: bool = True) -> Memory:
    """The store at `path`, which must be there; asking must never make one."""
    if not Path(path).exists():
        raise BadInputError(f"{verb}: there is no store {path} (import a file, or name --store)")
    return open(path, read_only=read_only)


def recall(options: argparse.Namespace, output: Output) -> int:
    """The hits as a table; with --explain what each is made of."""
    with existing("recall", options.store) as memory:
        hits = memory.recall(
            options.query, k=options.k, explain=options.explain, **_filters(options)
        )
    if not hits:
        output.line("Nothing is remembered that passes the filters.")
        return 0
    columns = ["id", "score", "p", "when", "who", "memory"]
    output.table(columns, [_hit_cells(hit, options.explain, output.width) for hit in hits])
    if options.explain:
        for hit in hits:
            output.line(f"{hit.id}: {', '.join(hit.reasons)}")
            output.line(sum_of_terms(hit), "dim", indent=4)
    return 0


def _filters(options: argparse.Namespace) -> dict[str, Any]:
    given = {"as_of": options.as_of, "valid_at": options.valid_at}
    if options.scope:
        given["scope"] = scope_of(options.scope)
    return {name: value for name, value in given.items() if value is not None}


def _hit_cells(hit: Hit, whole: bool, width: int) -> list[Cell]:
    text = hit.text if whole else shorten(hit.text, max(40, width - 50))
    return [hit.id, hit.score, hit.p_use, day(hit.time), hit.author or hit.kind, text]


def sum_of_terms(hit: Hit, most: int = 5) -> str:
    """The score as the sum of its terms in nats: the largest, what is left, then the bias."""
    terms = dict(hit.terms or {})
    bias = terms.pop("bias", 0.0)
    largest = sorted(terms.items(), key=lambda term: -abs(term[1]))[:most]
    shown = [(name, value) for name, value in largest if abs(value) >= 0.005]
    rest = hit.score - bias - sum(value for _, value in shown)
    shown += [("others", rest)] if abs(rest) >= 0.005 else []
    parts = [f"{name} {value:+.2f}" for name, value in (*shown, ("bias", bias))]
    return f"{'  '.join(parts)}  = {hit.score:.2f}"


def day(time_ns: int) -> str:
    """The day of a time, UTC."""
    return datetime.fromtimestamp(time_ns // 10**9, UTC).date().isoformat()


def minute(time_ns: int) -> str:
    """A time to the minute, UTC."""
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M")


def context(options: argparse.Namespace, output: Output) -> int:
    """The text that fits the budget, ready for a prompt."""
    with existing("context", options.store) as memory:
        found = memory.context(options.query, budget=options.budget, **_filters(options))
    output.line(str(found))
    return 0


def history(options: argparse.Namespace, output: Output) -> int:
    """Versions of one memory, oldest first."""
    with existing("history", options.store) as memory:
        versions = memory.history(options.id)
    output.table(
        ["commit", "known since", "valid", "memory"],
        [version_cells(version) for version in versions],
    )
    return 0


def version_cells(version: Version) -> list[Cell]:
    """One version of a memory as a row: commit, since when known, for which time, text."""
    row = version.memory
    if row is None:
        return [version.seq_from, minute(version.known_from), "", "(erased)"]
    return [version.seq_from, minute(version.known_from), valid(row), row.text]


def valid(row: MemoryRow) -> str:
    """The interval for which a memory holds, "always" if both ends are open."""
    start, end = (None if t is None else day(t) for t in (row.valid_from, row.valid_to))
    return "always" if start is None and end is None else f"{start or ''}..{end or ''}"


def stats(options: argparse.Namespace, output: Output) -> int:
    """Counts and sizes, and what feedback has taught."""
    with existing("stats", options.store) as memory:
        stats, weights = memory.stats(), memory.weights()
    found = stats.to_dict()
    del found["calibration"]
    if found["committed"] is not None:
        found["committed"] = minute(found["committed"])
    output.table(["what", "value"], [[name, _plain(value)] for name, value in found.items()])
    if weights.used + weights.unused:
        _show_learning(output, weights, stats.calibration)
    return 0


def _show_learning(output: Output, weights: LearnedWeights, found: Calibration) -> None:
    output.line()
    output.line(
        f"Feedback: {found.used:,} used, {found.unused:,} not. p_use: calibration error "
        f"{found.error:.3f}, Brier {found.brier:.3f}, log loss {found.loss:.3f} nats "
        f"({found.default_loss:.3f} without learning)."
    )
    output.table(
        ["p_use foretold", "was used", "hits"],
        [[each.predicted, each.used, each.count] for each in found.bins],
    )
    output.table(
        ["weight", "default", "learned"],
        [
            [name, weights.default[name], value]
            for name, value in weights.learned.items()
            if value != weights.default[name]
        ],
    )


def verify(options: argparse.Namespace, output: Output) -> int:
    """0 if replaying the log gives the state that is in use, 1 with the difference if not."""
    with existing("verify", options.store) as memory:
        found = memory.verify()
    for name, value in found.to_dict().items():
        if value not in ((), [], None):
            output.line(f"{name}: {_plain(value)}")
    return 0 if found.ok else 1


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
