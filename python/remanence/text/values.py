"""What an English text states in numbers and dates, and whether it announces a change."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from .language import CHANGE, MAYBE_DAY, NUMBER, Stated

READ = 1500
"""Characters that are read; later ones are seldom the statement itself."""
MOST = 32
"""Values kept of one text."""
_FOLLOWING = 4
NEW = "#!"
"""Says that a number is given outright as the new one ("has now reached 165")."""


def _words(text: str) -> list[str]:
    return text.split()


# Stems of words that announce a change.
_CHANGE = frozenset(
    _words(
        "updat now recent increas decreas new newli reach chang move extend reschedul postpon push "
        "back instead latest current longer improv grow grew growth rais reduc drop addit anoth "
        "more switch revis adjust expand add total shift boost"
    )
)
NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        _words("zero one two three four five six seven eight nine ten eleven twelve")
    )
}
CURRENCIES = "$\u20ac\u00a3\u00a5"
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_DIGIT = re.compile(r"\d")
_PART = re.compile(rf"[{CURRENCIES}]|%|\d+(?:[.,]\d+)*|[^\W\d_]+")
_MONTHS = tuple(_words("jan feb mar apr may jun jul aug sep oct nov dec"))
_DATE_MARKS = (":", "-", "am", "pm", ".m")
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]*\.?"
_DATED = re.compile(
    rf"\b(?:\d\d?(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b|{_MONTH}\s+(?:the\s+)?\d\d?\b"
    r"|(?:19|20)\d\d-\d\d-\d\d|\d\d?(?::\d\d)?\s*[ap]\.?m\b|\d\d?:\d\d)",
    re.IGNORECASE,
)


def marks(word: str, stem: str) -> int:
    """What one word says of values and days, see `language.Glossary`."""
    may_date = word.startswith(_MONTHS) or (len(word) <= 4 and word.endswith(("am", "pm")))
    return CHANGE * (stem in _CHANGE) | MAYBE_DAY * may_date | NUMBER * (word in NUMBERS)


def dated(head: str) -> bool:
    """Whether a text that holds a digit names a day or an hour."""
    lowered = head.lower()
    # Cheaper than to look for a day or an hour where none can be written.
    may = (
        any(mark in lowered for mark in _DATE_MARKS)
        or any(month in lowered for month in _MONTHS)
        or not lowered.isascii()
    )
    return may and _DATED.search(head) is not None


def stated(
    text: str,
    words: Collection[str],
    stems: Collection[str],
    stem: Callable[[list[str]], list[str]],
) -> Stated:
    """Reads the text outside of fenced code.

    words: lower-case words of the text. stems: theirs. stem: from words to stems, without stop
    words.
    """
    update = not _CHANGE.isdisjoint(stems)
    digits = _DIGIT.search(text) is not None
    if not digits and NUMBERS.keys().isdisjoint(words):
        return Stated(update, False, ())
    head = _CODE.sub(" ", text)[:READ] if "```" in text else text[:READ]
    parts = _PART.findall(head.lower())
    found: dict[str, None] = {}
    # What begins with a plain letter is no number in digits; most parts do.
    numbers = [
        place for place, part in enumerate(parts) if part in NUMBERS or not "a" <= part < "{"
    ]
    for place in numbers:
        part = parts[place]
        number = NUMBERS.get(part) or (part.replace(",", "") if part[0].isdigit() else None)
        if number is None or len(found) >= MOST:
            continue
        before = parts[max(0, place - 3) : place]
        if not _CHANGE.isdisjoint(stem(before)):
            found[NEW] = None
        following = parts[place + 1 : place + 1 + _FOLLOWING]
        unit = before[-1] if before and before[-1] in CURRENCIES else "".join(following[:1])
        unit = "".join(stem([unit])) or unit
        found[":".join([f"#{number}", unit, *stem(following)])] = None
    return Stated(update, digits and dated(head), tuple(found))
