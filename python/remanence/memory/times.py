"""Times as people write them, turned into int64 nanoseconds UTC and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from .errors import InvalidArgumentError

TIME_MIN = -(2**63)
"""Open start of an interval."""
TIME_MAX = 2**63 - 1
"""Open end of an interval."""

Time = int | datetime | date | str | np.datetime64
"""int ns since 1970 UTC, datetime (naive = UTC), date (its first instant), or ISO 8601 text."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Seq:
    """A commit of the log by its number; `as_of=Seq(n)` is the state right after commit n."""

    n: int


def to_ns(verb: str, name: str, value: Time) -> int:
    """`value` as int ns UTC, strictly inside (TIME_MIN, TIME_MAX); InvalidArgumentError else."""
    ns = _convert(verb, name, value)
    if not TIME_MIN < ns < TIME_MAX:
        raise InvalidArgumentError(
            f"{verb}: {name} is out of range "
            f"(got {value}, want a time from 1677-09-22 to 2262-04-11)"
        )
    return ns


def _convert(verb: str, name: str, value: Time) -> int:
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return _datetime_ns(value)
    if isinstance(value, date):
        return _datetime_ns(datetime(value.year, value.month, value.day))
    if isinstance(value, str):
        try:
            return _datetime_ns(datetime.fromisoformat(value.strip()))
        except ValueError:
            raise InvalidArgumentError(
                f"{verb}: {name} is not a time (got {value[:40]!r}, "
                "want ISO 8601 such as 2024-05-07 or 2024-05-07T13:45:00Z)"
            ) from None
    if isinstance(value, np.datetime64) and not np.isnat(value):
        micros = value.astype("datetime64[us]").astype(np.int64)
        if abs(int(micros)) > TIME_MAX // 1000:
            return TIME_MAX
        return int(value.astype("datetime64[ns]").astype(np.int64))
    raise InvalidArgumentError(
        f"{verb}: {name} is not a time (got {type(value).__name__}, "
        "want int nanoseconds, datetime, date or ISO 8601 text)"
    )


def _datetime_ns(moment: datetime) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND * 1000


def interval(verb: str, valid_from: Time | None, valid_to: Time | None) -> tuple[int, int]:
    """Half-open [from, to) in ns; None is an open end."""
    start = TIME_MIN if valid_from is None else to_ns(verb, "valid_from", valid_from)
    end = TIME_MAX if valid_to is None else to_ns(verb, "valid_to", valid_to)
    if start >= end:
        raise InvalidArgumentError(
            f"{verb}: the interval ends before it starts "
            f"(got {valid_from} to {valid_to}, want valid_from < valid_to)"
        )
    return start, end


def to_text(ns: int) -> str:
    """ISO 8601 in UTC, as short as the time allows: a date, minutes, or seconds."""
    seconds, rest = divmod(ns, 1_000_000_000)
    moment = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    if rest:
        return f"{moment.isoformat()}.{rest:09d}".rstrip("0")
    if moment.second:
        return moment.isoformat(timespec="seconds")
    if moment.hour or moment.minute:
        return moment.isoformat(timespec="minutes")
    return moment.date().isoformat()


def open_end(ns: int) -> int | None:
    """None for an open end of an interval, else the time itself."""
    return None if ns in (TIME_MIN, TIME_MAX) else ns


def year_of(ns: int) -> int:
    """The calendar year (UTC) of a time."""
    return (_EPOCH + timedelta(seconds=ns // 1_000_000_000)).year


def to_datetime(ns: int) -> datetime:
    """The time as an aware datetime in UTC, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=ns // 1000)
