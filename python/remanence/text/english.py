"""English: word lists, stems, dates and question patterns behind the Language protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date

import Stemmer

from . import values
from .language import MAYBE_TIME, TIME, Interval, Stated

_DAY_NS = 86_400 * 10**9
_EPOCH = date(1970, 1, 1).toordinal()
# int64 nanoseconds reach from September 1677 to April 2262.
_YEARS = range(1678, 2262)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The stop list of Lucene's English analyser.
STOP_WORDS = _words(
    "a an and are as at be but by for if in into is it no not of on or such that the their then "
    "there these they this to was will with"
)
COMMON_WORDS = STOP_WORDS | _words(
    "can could did do does had has have how i may might must shall should what when where which "
    "who whom whose why would you"
)
# Before and inside of names.
LEAD_WORDS = STOP_WORDS | _words(
    "from his her its he she we you i what which who when where how after before during since"
)
BRIDGE_WORDS = _words("of the de la le du von van der den di da al bin ibn")

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH_OF = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
# Without a capital, a day or a year these are more often verbs than months.
_VERBS = _words("may march")
_SURE_TIMES = (
    _words("yesterday today tonight tomorrow ago recently since")
    | _words("monday tuesday wednesday thursday friday saturday sunday")
    | (frozenset(_MONTHS) - _VERBS)
    | frozenset(map(str, range(1900, 2100)))
)
_POSSIBLE_TIMES = _SURE_TIMES | _VERBS | _words("last next this")
_TIME = re.compile(
    r"\b(?:(?i:last|next|this)\s+(?i:night|week|weekend|month|year|season|spring|summer|autumn"
    r"|fall|winter)(?i:s?)|May|March)\b"
)

_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
_MONTH += r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"\b(?P<iso>{_YEAR}-\d\d-\d\d)\b"
    rf"|\b(?P<day1>\d\d?)(?P<ordinal>st|nd|rd|th)?\s+(?P<of>of\s+)?(?P<month1>{_MONTH})"
    rf"(?:,?\s+(?P<year1>{_YEAR})\b)?"
    rf"|\b(?P<month2>{_MONTH})\s+(?:the\s+)?(?P<day2>\d\d?)(?:st|nd|rd|th)?\b"
    rf"(?:,?\s+(?P<year2>{_YEAR})\b)?"
    rf"|\b(?P<month3>{_MONTH}),?\s+(?:of\s+)?(?P<year3>{_YEAR})\b"
    r"|\b(?P<lead>in|of|during|early|late|mid|by|since|last|this|until|before|after)[\s-]+"
    rf"(?P<month4>{_MONTH})(?!,?\s+(?:of\s+|the\s+)?\d)",
    re.IGNORECASE,
)

_ASKS_WHEN = re.compile(
    r"\W*(?:when|what\s+(?:date|day|month|year|time)|which\s+(?:date|day|month|year|week)"
    r"|how\s+long|since\s+when|in\s+(?:what|which)\s+(?:month|year))\b",
    re.IGNORECASE,
)
_ASKS_VALUE = re.compile(
    r"\W*(?:what|which|how\s+(?:many|much|long|often|old|far)|when|who|where|at\s+what)\b",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(
    r"\b(?:(?:between|passed|before|after|order|list|compare|across|throughout"
    r"|and\s+(?:\w+\s+)?(?:what|which|when|where|who|how)"
    r"|how\s+(?:did|do|have|can|should))\b|summar|differ|progress|evolv)",
    re.IGNORECASE,
)


class English:
    """The English language; stateless."""

    code = "en"
    stop_words = STOP_WORDS
    common_words = COMMON_WORDS
    lead_words = LEAD_WORDS
    bridge_words = BRIDGE_WORDS

    def stemmer(self) -> Callable[[str], str]:
        """Snowball English, without its own cache."""
        stem: Callable[[str], str] = Stemmer.Stemmer("english", 0).stemWord
        return stem

    def is_question(self, text: str) -> bool:
        """True if the text ends with a question mark."""
        return text.rstrip().endswith("?")

    def holds_question(self, text: str) -> bool:
        """True if the text contains a question mark."""
        return "?" in text

    def has_time_expression(self, text: str, words: Collection[str]) -> bool:
        """True for relative days, "last week", "ago", years, months and weekdays."""
        found = _POSSIBLE_TIMES.intersection(words)
        if not found:
            return False
        return not found.isdisjoint(_SURE_TIMES) or self.says_when(text)

    def stated(
        self,
        text: str,
        words: Collection[str],
        stems: Collection[str],
        stem: Callable[[list[str]], list[str]],
    ) -> Stated:
        """Numbers with what they count, days and hours, and words that announce a change."""
        return values.stated(text, words, stems, stem)

    numbers = values.NUMBERS
    currencies = values.CURRENCIES
    read = values.READ

    def marks(self, word: str, stem: str) -> int:
        """What one word says, see `language.Glossary`."""
        said = values.marks(word, stem) | TIME * (word in _SURE_TIMES)
        return said | MAYBE_TIME * (word in _POSSIBLE_TIMES)

    def says_when(self, text: str) -> bool:
        """True for "last week" and for May and March in capitals."""
        return _TIME.search(text) is not None

    def dated(self, text: str) -> bool:
        """True where the beginning of the text names a day or an hour."""
        return values.dated(text[: values.READ])

    def dates(self, query: str, years: Sequence[int]) -> tuple[Interval, ...]:
        """Days and months written in the query: "7 May 2023", "May 7", "in May", "2023-05-07"."""
        folded = query.casefold()
        if "-" not in folded and not any(month in folded for month in _MONTH_OF):
            return ()
        found: set[Interval] = set()
        for match in _DATE.finditer(query):
            found.update(_intervals(match, years))
        return tuple(sorted(found))

    def asks_when(self, query: str) -> bool:
        """True for when, what day, which year, how long, since when."""
        return _ASKS_WHEN.match(query) is not None

    def is_value_question(self, query: str) -> bool:
        """True for what, which, how many ...; false for orders, summaries and comparisons."""
        return _ASKS_VALUE.match(query) is not None and _NO_VALUE.search(query) is None


ENGLISH = English()


def _intervals(match: re.Match[str], years: Sequence[int]) -> Iterator[Interval]:
    part = match.groupdict()
    if part["iso"]:
        year, month, day = map(int, part["iso"].split("-"))
        yield from _interval(year, month, day)
        return
    written = next(part[f"month{i}"] for i in range(1, 5) if part[f"month{i}"])
    year_text = part["year1"] or part["year2"] or part["year3"]
    day_text = part["day1"] or part["day2"]
    name = written.rstrip(".")
    if name in _VERBS and not year_text:
        counts = part["month1"] and not (part["ordinal"] or part["of"])
        if counts or (part["lead"] or "").lower() == "this":
            return
    month = _MONTH_OF[name[:3].lower()]
    for year in [int(year_text)] if year_text else years:
        yield from _interval(year, month, int(day_text) if day_text else None)


def _interval(year: int, month: int, day: int | None) -> Iterator[Interval]:
    """The day or the month as an interval; nothing for a date that the calendar lacks."""
    if year not in _YEARS:
        return
    try:
        first = date(year, month, day or 1).toordinal()
    except ValueError:
        return
    next_month = date(year + month // 12, month % 12 + 1, 1).toordinal()
    last = next_month if day is None else first + 1
    yield (first - _EPOCH) * _DAY_NS, (last - _EPOCH) * _DAY_NS
