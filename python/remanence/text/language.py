"""Language protocol: everything that recall knows about one natural language."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
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
