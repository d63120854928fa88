"""Why a memory was recalled, in words: each term of its score as what it says about this hit."""

from __future__ import annotations

from dataclasses import dataclass

from ..text import QueryCues, name_key, subject_names, title_of
from .rows import Row
from .symbols import Symbols

DAY_NS = 86_400 * 10**9
WORTH_SAYING = 0.05
"""Terms of fewer nats are left out."""

FOR = {
    "cosine": "similar in meaning",
    "when": "says when",
    "lift": "used before",
    "activation": "alive in memory",
    "usefulness": "was useful before",
    "importance": "marked as important",
    "next": "next to a good hit in its conversation",
    "mention": "linked with a good hit by a name that one of them mentions",
    "spreading": "connected to what was asked about",
    "triples": "connected by statements to what was asked about",
    "newer": "newer than a hit that it replaces",
}
AGAINST = {
    "question": "is itself a question",
    "usefulness": "was shown but not used",
    "belief": "not certain to hold",
    "cosine": "far in meaning",
    "activation": "faded",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question said, as far as reasons speak of it."""

    cues: QueryCues
    names: tuple[str, ...]
    symbols: Symbols


def reasons(terms: dict[str, float], asked: Asked, row: Row) -> tuple[str, ...]:
    """What speaks for a hit, strongest first, then what speaks against it.

    terms: nats by name. row: the hit as the log holds it.
    """
    ordered = sorted(terms.items(), key=lambda term: -abs(term[1]))
    said = [_for(name, asked, row) for name, value in ordered if value >= WORTH_SAYING]
    said += [_against(name, asked, row) for name, value in ordered if value <= -WORTH_SAYING]
    return tuple(reason for reason in said if reason)


def _for(name: str, asked: Asked, row: Row) -> str:
    if name == "lexical":
        return _words(asked, row)
    if name == "author":
        return f"said by {asked.symbols.author(row.author)}, whom you named"
    if name == "date":
        return _distance(asked, row.time)
    if name == "subject":
        return _subject(asked, row)
    if name == "session":
        alone = row.session == 0 or row.kind != 0
        return "stands out among all" if alone else "in the conversation of a good hit"
    return FOR.get(name, "")


def _against(name: str, asked: Asked, row: Row) -> str:
    if name == "author":
        named = " or ".join(str(asked.symbols.author(author)) for author in asked.cues.authors)
        return f"said by {asked.symbols.author(row.author)}, while you named {named}"
    return AGAINST.get(name, "")


def _words(asked: Asked, row: Row) -> str:
    """How many of the question's words the text holds, and the question that it answers."""
    wanted = set(asked.cues.terms.split())
    words = [word for word in row.terms.split() if word[0] != "#"]
    lent = max(0, len(words) - row.length)
    own, borrowed = wanted.intersection(words[lent:]), wanted.intersection(words[:lent])
    said = []
    if own:
        said.append(f"holds {len(own)} of your words")
    if borrowed:
        said.append(f"answers a question that holds {len(borrowed)} of your words")
    return " and ".join(said) or "shares words with the question"


def _distance(asked: Asked, time: int) -> str:
    """Days to the nearest date asked for, as the score counts them: before is three times."""
    best = min(
        asked.cues.dates,
        key=lambda dates: max(3 * (dates[0] - time), time - dates[1], 0),
        default=(time, time + 1),
    )
    if best[0] <= time < best[1]:
        return "on the date you asked for"
    before = time < best[0]
    days = -(-(best[0] - time) // DAY_NS) if before else (time - best[1]) // DAY_NS + 1
    unit = "day" if days == 1 else "days"
    return f"{days} {unit} {'before' if before else 'after'} the date you asked for"


def _subject(asked: Asked, row: Row) -> str:
    title = title_of(row.text)
    about = {name_key(name): name for name in subject_names(title)} if title else {}
    for key in asked.names:
        if key in about:
            return f"is about {about[key]}, which you named"
    return "is about what you named"
