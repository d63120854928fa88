"""Native reading of texts and finding of names, with the same results as the text room's own."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from .. import text as text_
from .._core import NameFinder as CoreFinder
from .._core import TextReader
from ..text import CHANGE, ENGLISH, MAYBE_DAY, MAYBE_TIME, NUMBER, TIME, NameFinder, Reading
from ..text.language import Glossary, Language

KNOWN_WORDS = 1 << 17
_DECIMAL, _SIGN, _PARTIAL = 256, 512, 1024
_MARKS = range(2048)
_FLAGS = [
    text_.UPDATE * bool(mark & CHANGE) | text_.TIME_EXPRESSION * bool(mark & TIME)
    for mark in _MARKS
]
_TIMES = [mark & (TIME | MAYBE_TIME) == MAYBE_TIME for mark in _MARKS]
_DAYS = [
    mark & (_DECIMAL | NUMBER) > 0 and mark & (MAYBE_DAY | _SIGN | _PARTIAL) > 0 for mark in _MARKS
]
_CLOSER = [time or day for time, day in zip(_TIMES, _DAYS, strict=True)]


class NativeReader:
    """Looks up each word of a text once; what words cannot tell is asked of the language."""

    def __init__(self, language: Language, glossary: Glossary) -> None:
        self._language, self._glossary = language, glossary
        self._stop_words = language.stop_words
        self._stem = language.stemmer()
        self._tokenizer = text_.Tokenizer(language)
        self._lock = threading.RLock()
        self._core = TextReader(
            numbers=dict(glossary.numbers),
            currencies=glossary.currencies,
            change_mark=CHANGE,
            number_mark=NUMBER,
            read=glossary.read,
            signs=":-.`",
            learn=self._learn,
            limit=KNOWN_WORDS,
        )

    def _learn(self, word: str) -> tuple[str, int]:
        stem = "" if word in self._stop_words else self._stem(word)
        return stem, self._glossary.marks(word, stem)

    def read(self, texts: Sequence[str]) -> Reading:
        """What the texts say, in order."""
        with self._lock:
            terms, length, marks, values = self._core.read(list(texts))
        flags = [_FLAGS[mark] for mark in marks]
        for place, mark in enumerate(marks):
            if _CLOSER[mark]:
                text = texts[place]
                if _TIMES[mark] and self._glossary.says_when(text):
                    flags[place] |= text_.TIME_EXPRESSION
                if _DAYS[mark]:
                    if "```" in text:
                        dated, values[place] = self._without_code(text)
                    else:
                        dated = mark & _DECIMAL > 0 and self._glossary.dated(text)
                    flags[place] |= text_.DATED * dated
        return Reading(terms, length, flags, values)

    def _without_code(self, text: str) -> tuple[bool, str]:
        """(whether it is dated, values) of a text with fenced code."""
        words = self._tokenizer.words(text)
        stems = self._tokenizer.stems
        stated = self._language.stated(text, words, stems(words), stems)
        return stated.dated, " ".join(stated.values)


def default_reader() -> NativeReader:
    """English."""
    return NativeReader(ENGLISH, ENGLISH)


class NativeNames:
    """Names that texts mention, as `text.NameFinder.find` says it."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.plain = NameFinder()
        self._core = CoreFinder()
        self._lock = threading.RLock()
        for name in names:
            self.add(name)

    def __len__(self) -> int:
        return len(self.plain)

    def add(self, key: str) -> None:
        """Make a name (a `name_key`) known; adding it twice changes nothing."""
        self.plain.add(key)
        with self._lock:
            self._core.add(key)

    def find(self, texts: Sequence[str]) -> Iterator[tuple[int, str]]:
        """(position of a text, a name that it mentions), the names of each text sorted."""
        if not len(self):
            return iter(())
        with self._lock:
            places, names, closer = self._core.find(list(texts))
        # A name of one word counts by how it is written.
        alone = ((place, name) for place in closer for name in self.plain.find(texts[place]))
        return chain(zip(places, names, strict=True), alone)
