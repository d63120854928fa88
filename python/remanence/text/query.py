"""Query understanding: what a question names, dates and asks for, as plain cues."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .english import ENGLISH
from .language import Interval, Language
from .tokens import Tokenizer

AuthorLookup = Callable[[str], Sequence[int]]
"""Ids of the authors that a question names, given the question's text."""

MAX_READ = 65_536
"""Names, dates and the kind of question are looked for in so many characters of a query."""

_POSSESSIVE = re.compile(r"['\u2019]s\b", re.IGNORECASE)
_NAME_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class QueryCues:
    """What recall needs to know of a question besides its vector.

    terms: tokens joined by single spaces. authors: ids of the authors it names, ascending.
    dates: half-open intervals, ns UTC, ascending. asks_when: it asks for a time.
    value_question: it asks for one current value, so newer statements replace older ones.
    """

    terms: str
    authors: tuple[int, ...] = ()
    dates: tuple[Interval, ...] = ()
    asks_when: bool = False
    value_question: bool = False


class AuthorNames:
    """Finds the authors a question names in time independent of how many authors there are.

    A name matches as whole words, case folded, without a possessive 's, in full or by its first
    word; the longest match wins, so "John Smith" does not also name John Miller.
    """

    def __init__(
        self, names: Mapping[str, int] | None = None, *, language: Language = ENGLISH
    ) -> None:
        self._ids: dict[tuple[str, ...], set[int]] = {}
        self._longest = 0
        self._starts: set[str] = set()
        self._common = language.common_words
        for name, author in (names or {}).items():
            self.add(name, author)

    def add(self, name: str, author: int) -> None:
        """Make an author known; adding a name twice changes nothing."""
        parts = name.split()
        full = _name_words(name)
        self._add(full, author)
        first = _name_words(parts[0]) if parts else ()
        # "The Assistant" is not named by every "the", nor "J. Doe" by every stray "j".
        if first != full and first and len("".join(first)) > 1 and first[0] not in self._common:
            self._add(first, author)

    def __call__(self, query: str) -> tuple[int, ...]:
        """Ids of the authors named in the query, ascending."""
        if query.isascii() and self._starts.isdisjoint(_NAME_WORD.findall(query.lower())):
            return ()
        words = list(_spans(query))
        found: set[int] = set()
        position = 0
        while position < len(words):
            taken = 1
            if words[position][0] not in self._starts:
                position += 1
                continue
            for length in range(min(self._longest, len(words) - position), 0, -1):
                key = tuple(word for word, _ in words[position : position + length])
                ids = self._ids.get(key)
                if ids and self._is_name(query, words, position, length):
                    found |= ids
                    taken = length
                    break
            position += taken
        return tuple(sorted(found))

    def _add(self, words: tuple[str, ...], author: int) -> None:
        if words:
            self._ids.setdefault(words, set()).add(author)
            self._longest = max(self._longest, len(words))
            self._starts.add(words[0])

    def _is_name(
        self, query: str, words: list[tuple[str, int]], position: int, length: int
    ) -> bool:
        """A common word ("will") is a name only with a capital inside the sentence."""
        word, start = words[position]
        if length > 1 or word not in self._common:
            return True
        possessive = _POSSESSIVE.match(query, start + len(word)) is not None
        return query[start].isupper() and (position > 0 or possessive)


def understand(
    query: str,
    *,
    authors: Mapping[str, int] | AuthorLookup | None = None,
    years: Sequence[int] = (),
    language: Language = ENGLISH,
) -> QueryCues:
    """Read a question: its terms, named authors, explicit dates and what it asks for.

    authors: name -> id, or a callable from the question to ids (`AuthorNames`, built once, is
    faster than a mapping when there are many). years: the years in the store, used for dates
    that are written without one. Never raises on any text.
    """
    lookup = AuthorNames(authors, language=language) if isinstance(authors, Mapping) else authors
    head = query[:MAX_READ]
    return QueryCues(
        terms=" ".join(_tokenizer(language).tokens(query)),
        authors=tuple(lookup(head)) if lookup is not None else (),
        dates=language.dates(head, years),
        asks_when=language.asks_when(head),
        value_question=language.is_value_question(head),
    )


_tokenizers: dict[str, Tokenizer] = {}


def _tokenizer(language: Language) -> Tokenizer:
    if language.code not in _tokenizers:
        _tokenizers[language.code] = Tokenizer(language)
    return _tokenizers[language.code]


def _spans(text: str) -> Iterator[tuple[str, int]]:
    """Case-folded words with their start; the s of a possessive is not a word."""
    marks = {match.start() + 1 for match in _POSSESSIVE.finditer(text)} if _marked(text) else ()
    for match in _NAME_WORD.finditer(text):
        start = match.start()
        if start not in marks:
            yield match.group().casefold(), start


def _marked(text: str) -> bool:
    return "'" in text or "\u2019" in text


def _name_words(text: str) -> tuple[str, ...]:
    return tuple(word for word, _ in _spans(text))
