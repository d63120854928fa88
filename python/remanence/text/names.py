"""Names of subjects: which names a title stands for, and which of them a text mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .english import ENGLISH
from .language import Language

SHORTEST = 4
"""Characters of the shortest name; shorter ones are words more often than names."""
SHORTEST_ASKED = 5
"""Characters from which one word names a subject in a question, however it is written."""
LONGEST_TITLE = 120
"""Characters of a first line that can be the title of what follows."""
_BRIDGES = 2

_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SUFFIX = re.compile(r"\s*\([^()]*\)\s*$")
_POSSESSIVE = re.compile(r"['\u2019]s\b", re.IGNORECASE)


def name_key(phrase: str) -> str:
    """The form under which two phrases are one name: case-folded words, single spaces."""
    return " ".join(_WORD.findall(phrase.casefold())) or phrase.casefold().strip()


def title_of(text: str) -> str | None:
    """The first line, where it is short and more text follows it; a heading mark is left out."""
    line, _, rest = text.partition("\n")
    title = line.strip().lstrip("#").strip()
    return title if title and len(title) <= LONGEST_TITLE and rest.strip() else None


def subject_names(title: str) -> tuple[str, ...]:
    """What a title is called by: itself, without a suffix in brackets, and up to its comma."""
    forms = (title, _SUFFIX.sub("", title), title.split(",")[0])
    names = {name_key(form): " ".join(form.split()) for form in reversed(forms)}
    kept = {key: form for key, form in names.items() if len(key) >= SHORTEST and _WORD.search(key)}
    return tuple(kept[key] for key in sorted(kept, key=lambda key: (-len(key), key)))


class NameFinder:
    """Finds every known name that a text mentions, in time independent of how many there are.

    A name of several words is mentioned wherever they stand in a row; a name of one word where it
    is written with a capital and is not a part of a longer capitalised name. Which names are known
    besides changes nothing, so rows may be read before or after a name becomes known.
    """

    def __init__(self, names: Iterable[str] = (), *, language: Language = ENGLISH) -> None:
        self._language = language
        self._sizes: dict[str, set[int]] = {}  # by first word: how many words such names have
        self._known: set[str] = set()
        for name in names:
            self.add(name)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, key: str) -> None:
        """Make a name (a `name_key`) known; adding it twice changes nothing."""
        parts = key.split()
        if parts:
            self._known.add(key)
            self._sizes.setdefault(parts[0], set()).add(len(parts))

    def find(self, text: str) -> list[str]:
        """Keys of the names that the text mentions, sorted."""
        return self._found(text, asked=False)

    def find_in_question(self, text: str) -> list[str]:
        """The same, but one word of five characters or more counts however it is written."""
        return self._found(text, asked=True)

    def _found(self, text: str, *, asked: bool) -> list[str]:
        if not self._known:
            return []
        words = _WORD.findall(text.casefold())
        sizes = self._sizes
        starts = [start for start, word in enumerate(words) if word in sizes]
        if not starts:
            return []
        found, single = set(), set()
        for start in starts:
            word = words[start]
            for size in sizes[word]:
                if size == 1:
                    single.add(word)
                elif start + size > len(words):
                    continue  # shorter at the text's end, it would be another name
                elif (key := " ".join(words[start : start + size])) in self._known:
                    found.add(key)
        if asked:
            found.update(key for key in single if len(key) >= SHORTEST_ASKED)
        if single - found:
            found.update(single.intersection(self._alone(text)))
        return sorted(found)

    def _alone(self, text: str) -> Iterator[str]:
        """One-word names as they are written: capitalised spans that come down to one word."""
        for span in self._spans(text):
            first = 0
            while first < len(span) - 1 and span[first].casefold() in self._language.lead_words:
                first += 1
            if first == len(span) - 1:
                yield span[first].casefold()

    def _spans(self, text: str) -> Iterator[list[str]]:
        """Runs of capitalised words and the numbers among them, with a bridge of a word or two."""
        span: list[str] = []
        bridge: list[str] = []
        for token in _TOKEN.findall(_POSSESSIVE.sub("", text)):
            if token[0].isupper() or (span and not bridge and token.isdigit()):
                span += [*bridge, token]
                bridge = []
            elif span and len(bridge) < _BRIDGES and token in self._language.bridge_words:
                bridge.append(token)
            elif span:
                yield span
                span, bridge = [], []
        if span:
            yield span
