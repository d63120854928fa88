"""Reading: what one text says by itself: its terms, flags and the values that it states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from .english import ENGLISH
from .language import Language
from .tokens import Tokenizer

TIME_EXPRESSION = 2
"""Flag bit 1: the text says when."""
UPDATE = 8
"""Flag bit 3: the text announces a change."""
DATED = 16
"""Flag bit 4: the text names a day or an hour."""


class Reading(NamedTuple):
    """What texts say, a column of each.

    terms: stems joined by single spaces. length: how many. flags: TIME_EXPRESSION, UPDATE and
    DATED. values: those of `language.Stated`, joined by single spaces.
    """

    terms: list[str]
    length: list[int]
    flags: list[int]
    values: list[str]


class Reader(Protocol):
    """Reads texts of one language; safe to share between threads, never raises on any text."""

    def read(self, texts: Sequence[str]) -> Reading:
        """What the texts say, in order."""


class PlainReader:
    """Any language, by its own rules for whole texts: what a faster reader must agree with."""

    def __init__(self, language: Language = ENGLISH) -> None:
        self._language = language
        self._tokenizer = Tokenizer(language)

    def read(self, texts: Sequence[str]) -> Reading:
        """What the texts say, in order."""
        reading = Reading([], [], [], [])
        for text in texts:
            words = self._tokenizer.words(text)
            stems = self._tokenizer.stems(words)
            stated = self._language.stated(text, words, stems, self._tokenizer.stems)
            flags = UPDATE * stated.update | DATED * stated.dated
            if self._language.has_time_expression(text, words):
                flags |= TIME_EXPRESSION
            reading.terms.append(" ".join(stems))
            reading.length.append(len(stems))
            reading.flags.append(flags)
            reading.values.append(" ".join(stated.values))
        return reading
