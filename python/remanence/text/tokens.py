"""Tokens of the lexical index: lower-case words without stop words, stemmed."""

from __future__ import annotations

import re
import threading

from .english import ENGLISH
from .language import Language

MAX_WORD = 64
"""A longer word (a key, a blob) is cut to its first 64 characters, so that terms stay bounded."""

# The greedy run takes the whole word, so `\b` on either side would change nothing.
_WORD = re.compile(r"\w\w+")


class _Stems(dict[str, str]):
    """Word -> stem, filled on a miss and bounded; a stop word maps to the empty string."""

    def __init__(self, language: Language, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self._stop_words = language.stop_words
        self._stem = language.stemmer()
        self._lock = threading.Lock()

    def __missing__(self, word: str) -> str:
        if word in self._stop_words:
            stem = ""
        else:
            with self._lock:
                stem = self._stem(word[:MAX_WORD])
        # Starting again is rare, costs one stemming per word and needs no bookkeeping on a hit.
        if len(self) >= self._limit:
            self.clear()
        if len(word) <= MAX_WORD:
            self[word] = stem
        return stem


class Tokenizer:
    """Tokens of one language; safe to share between threads.

    cached_words: how many words keep their stem at hand.
    """

    def __init__(self, language: Language = ENGLISH, *, cached_words: int = 1 << 17) -> None:
        self.language = language
        self._stems = _Stems(language, cached_words)

    def words(self, text: str) -> list[str]:
        r"""Lower-case words of two or more characters (`\b\w\w+\b`), stop words included."""
        return _WORD.findall(text.lower())

    def stems(self, words: list[str]) -> list[str]:
        """Stems of the words that are not stop words, in order."""
        stems = self._stems
        return [stem for word in words if (stem := stems[word])]

    def tokens(self, text: str) -> list[str]:
        """Tokens of the text, in order, repetitions kept."""
        return self.stems(self.words(text))


_default = Tokenizer()


def tokens(text: str) -> list[str]:
    """English tokens: lower case, words of two or more characters, Lucene stop list, Snowball."""
    return _default.tokens(text)


def terms(text: str) -> str:
    """Tokens joined by single spaces: the lexical document as the engine takes it."""
    return " ".join(_default.tokens(text))


def text_length(text: str) -> int:
    """Number of tokens of the text."""
    return len(_default.tokens(text))
