"""Output of the command line: rich where a terminal is there, plain text where not."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Cell = str | int | float | None


class Output:
    """Prints headings, lines and tables; colour follows NO_COLOR and TERM."""

    def __init__(self, *, rich: bool | None = None) -> None:
        """rich: True or False forces the form; None asks whether standard output is a terminal."""
        if rich is None:
            rich = sys.stdout.isatty() and os.environ.get("TERM", "") != "dumb"
        self._console = _console() if rich else None

    @property
    def width(self) -> int:
        """Columns of the terminal, or 100 where there is none."""
        return self._console.width if self._console else 100

    def heading(self, text: str) -> None:
        """A heading with an empty line above."""
        if self._console:
            self._console.print()
            self._console.rule(text, align="left", style="cyan")
        else:
            print(f"\n== {text}")

    def line(self, text: str = "", style: str = "", *, indent: int = 0) -> None:
        """One line, wrapped at the terminal's width; `style` is rich's ("bold", "dim", "green")."""
        if self._console:
            from rich.padding import Padding
            from rich.text import Text

            content = Text(text, style)
            self._console.print(Padding(content, (0, 0, 0, indent)) if indent else content)
        else:
            print(_printable(" " * indent + text))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Rows under column names; numbers are right-aligned, floats have two decimals."""
        right = [any(isinstance(row[i], int | float) for row in rows) for i in range(len(columns))]
        cells = [[_text(cell) for cell in row] for row in rows]
        if self._console:
            self._rich_table(columns, cells, right)
        else:
            _plain_table(columns, cells, right)

    def _rich_table(
        self, columns: Sequence[str], cells: list[list[str]], right: list[bool]
    ) -> None:
        from rich.box import SIMPLE
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE, header_style="bold", pad_edge=False)
        last = len(columns) - 1
        for i, name in enumerate(columns):
            table.add_column(
                name, justify="right" if right[i] else "left", no_wrap=i != last, overflow="fold"
            )
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        assert self._console is not None
        self._console.print(table)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, no_color="NO_COLOR" in os.environ or None)


def _plain_table(columns: Sequence[str], cells: list[list[str]], right: list[bool]) -> None:
    flat = [[re.sub(r"\s*\n\s*", " ", cell) for cell in row] for row in cells]
    rows = [list(columns), *flat]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    for row in rows:
        padded = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        )
        print(_printable("  ".join(padded).rstrip()))


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def _printable(text: str) -> str:
    """The text as the terminal's encoding can show it, so that an accent never ends a command."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def fail(message: str) -> None:
    """One sentence on standard error."""
    print(message, file=sys.stderr)


_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-:=+*#"


def sparkline(values: Sequence[float | None], low: float, high: float) -> str:
    """One character for each value between low and high; None, before it existed, is a space."""
    bars = _BARS if (sys.stdout.encoding or "").lower().startswith("utf") else _ASCII_BARS
    span = (high - low) or 1.0
    return "".join(
        " " if value is None else bars[max(0, min(7, int((value - low) / span * 8)))]
        for value in values
    )


def shorten(text: str, width: int) -> str:
    """The text on one line, cut at a word where it is longer than `width`."""
    flat = " ".join(text.split())
    if len(flat) <= width:
        return flat
    head = flat[: width - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head) + "…"
