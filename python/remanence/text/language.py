"""Language protocol: everything that recall knows about one natural language."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

Interval = tuple[int, int]
"""Half-open [from, to), int64 nanoseconds UTC."""


class Stated(NamedTuple):
    """What a text states, so that a newer statement can be told from what it replaces.

    update: it announces a change. dated: it names a day or an hour. values: each is
    "#number:unit:stem:...", the number, what it counts and the stems that follow it, or "#!" where
    a number is given outright as the new one.
    """

    update: bool = False
    dated: bool = False
    values: tuple[str, ...] = ()


@runtime_checkable
class Language(Protocol):
    """One language is one file that holds its word lists and patterns (see `english.py`)."""

    @property
    def code(self) -> str:
        """ISO 639-1 code, for example "en"."""

    @property
    def stop_words(self) -> frozenset[str]:
        """Lower-case words that never become tokens."""

    @property
    def common_words(self) -> frozenset[str]:
        """Lower-case words that are a name only where they are written as one ("Will")."""

    @property
    def lead_words(self) -> frozenset[str]:
        """Lower-case words that open a sentence before a name ("In Lisbon")."""

    @property
    def bridge_words(self) -> frozenset[str]:
        """Lower-case words inside a name ("Ludwig van Beethoven")."""

    def stemmer(self) -> Callable[[str], str]:
        """A new stemmer; called from one thread at a time."""

    def is_question(self, text: str) -> bool:
        """True if the text as a whole is a question (it ends as one)."""

    def holds_question(self, text: str) -> bool:
        """True if any part of the text is a question."""

    def has_time_expression(self, text: str, words: Collection[str]) -> bool:
        """True if the text says when; `words` are its lower-case words of two or more letters."""

    def stated(
        self,
        text: str,
        words: Collection[str],
        stems: Collection[str],
        stem: Callable[[list[str]], list[str]],
    ) -> Stated:
        """What the text states; `Stated()` where a language does not tell."""

    def dates(self, query: str, years: Sequence[int]) -> tuple[Interval, ...]:
        """Intervals of the explicit dates in `query`; without a year, one for each of `years`."""

    def asks_when(self, query: str) -> bool:
        """True if the answer to the query is a time."""

    def is_value_question(self, query: str) -> bool:
        """True if the query asks for one current value, so a newer statement replaces an older."""


CHANGE, TIME, MAYBE_TIME, MAYBE_DAY, NUMBER = 1, 2, 4, 8, 16
"""Marks of a word, as bits; `Glossary.marks` says what each promises."""


@runtime_checkable
class Glossary(Protocol):
    """What a language knows of single words, so that each is looked up once and not in every text.

    It says the same as `Language.has_time_expression` and `Language.stated`, in parts. A number in
    digits is its own stem.
    """

    @property
    def numbers(self) -> Mapping[str, str]:
        """Lower-case words that are numbers, and their digits."""

    @property
    def currencies(self) -> str:
        """Signs of currencies, one character each."""

    def marks(self, word: str, stem: str) -> int:
        """What a lower-case word says; its stem is empty where it is a stop word.

        CHANGE: it announces a change. TIME: it says when. MAYBE_TIME: without such a word, no
        other says when. MAYBE_DAY: without such a word and without the signs ":", "-" and ".", an
        ASCII text names no day or hour. NUMBER: it is one of `numbers`.
        """

    def says_when(self, text: str) -> bool:
        """Whether a text without a TIME word says when."""

    def dated(self, text: str) -> bool:
        """Whether a text that holds a digit names a day or an hour where values are read."""

    @property
    def read(self) -> int:
        """Characters in which values are looked for; text with "```" is left to `stated`."""
