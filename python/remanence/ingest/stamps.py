"""Stamps of transcripts: ISO dates, and the numeric ones whose order only the file tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from .rows import read_time

# The narrow space that phones write before "PM" is a \s as well.
STAMP = (
    r"(?:\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?"
    r"|\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d\d),?\s+\d{1,2}[:.]\d\d(?:[:.]\d\d)?"
    r"(?:\s?[AaPp]\.?[Mm]\.?)?)"
)
_NUMERIC = re.compile(
    r"(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d\d),?\s+(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?"
    r"(?:\s?([AaPp])\.?[Mm]\.?)?"
)


class Stamps:
    """Reads the stamps of one file. Numeric dates put the day first, unless a number above 12
    stands second or, where nothing tells, the clock has twelve hours."""

    def __init__(self, lines: Iterable[str]) -> None:
        found = [match for line in lines if (match := _NUMERIC.match(line.lstrip("[")))]
        day_first = any(int(match[1]) > 12 for match in found)
        month_first = any(int(match[2]) > 12 for match in found)
        twelve = any(match[7] for match in found)
        self._month_first = not day_first and (month_first or twelve)

    def read(self, text: str) -> datetime:
        """The time, UTC where none is named. Raises ValueError."""
        match = _NUMERIC.fullmatch(text)
        if match is None:
            time = read_time(text)
            if not isinstance(time, datetime):
                raise ValueError(f"time is not readable (got {text!r}, want a date)")
            return time
        first, second, year, hour, minute, seconds = (int(match[i] or 0) for i in range(1, 7))
        day, month = (second, first) if self._month_first else (first, second)
        if match[7]:
            hour = hour % 12 + (12 if match[7] in "Pp" else 0)
        try:
            return datetime(
                year + 2000 if year < 100 else year, month, day, hour, minute, seconds, tzinfo=UTC
            )
        except ValueError:
            order = "month/day" if self._month_first else "day/month"
            raise ValueError(f"time is not readable (got {text!r}, want {order}/year)") from None
