"""Extraction: what a new memory brings to the index besides its vector, by rule or by plug-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from .english import ENGLISH
from .language import Language
from .names import subject_names, title_of
from .tokens import Tokenizer

QUESTION = 1
"""Flag bit 0: the text ends as a question that is put to another author."""
TIME_EXPRESSION = 2
"""Flag bit 1: the text says when."""
UPDATE = 8
"""Flag bit 3: the text announces a change."""
DATED = 16
"""Flag bit 4: the text names a day or an hour."""

MAX_LENGTH = 65_535
"""Lengths are stored in 16 bits; longer texts count as this long."""

Scope = tuple[str, ...]
SessionKey = tuple[Scope, str]


class Turn(NamedTuple):
    """A memory as an extractor sees it; `id` is set only if it is stored already.

    subject: what the caller said that it is about.
    """

    text: str
    kind: str = "episodic"
    scope: Scope = ()
    session: str | None = None
    author: str | None = None
    time: int | None = None
    id: int | None = None
    subject: str | None = None


class Stored(NamedTuple):
    """The end of a link that is a stored memory rather than a position in the batch."""

    id: int


class Link(NamedTuple):
    """A typed link; each end is a position in the batch (int) or a stored memory (`Stored`)."""

    source: int | Stored
    target: int | Stored
    type: str
    weight: float = 1.0


class Triple(NamedTuple):
    """A statement found in a text; confidence in (0, 1].

    vector: of `text`, in the space of the memories' vectors; the store's embedder makes it else.
    """

    subject: str
    predicate: str
    object: str
    confidence: float = 1.0
    vector: Any = None

    @property
    def text(self) -> str:
        """The statement in words."""
        return f"{self.subject} {self.predicate} {self.object}"


@dataclass(frozen=True, slots=True)
class ExtractContext:
    """What an extractor may know besides the batch.

    last_turns: the newest stored episodic memory of each (scope, session) in the batch, with its
    id; a session without a stored turn is absent.
    """

    last_turns: Mapping[SessionKey, Turn] = field(default_factory=dict)


class Extraction(NamedTuple):
    """What one memory brings: lexical document, own length in tokens, flags, links, triples.

    terms: stems, then the values that the text states (`language.Stated`), each with a "#".
    subjects: names of what it is about. Every memory of the scope that mentions one of them, now,
    before or later, is linked with it (`names.NameFinder` says what a mention is).
    """

    terms: str
    length: int
    flags: int = 0
    links: tuple[Link, ...] = ()
    triples: tuple[Triple, ...] = ()
    subjects: tuple[str, ...] = ()


@runtime_checkable
class Extractor(Protocol):
    """Turns new memories into index entries, links and triples.

    `id` is stored beside what it made. `extract` returns one Extraction per turn, in order; it
    must be a pure function of its arguments, so that a retry writes the same rows.
    """

    @property
    def id(self) -> str:
        """Name and version, for example "rules-en-1"."""

    def extract(self, batch: Sequence[Turn], context: ExtractContext) -> Sequence[Extraction]:
        """One Extraction per turn of the batch, in order."""


class RuleExtractor:
    """The default extractor: rules alone, no model, no triples.

    A memory is about the subject that its caller names, a document else about its title.

    The turns of one (scope, session) form a chain in the order they arrive, continued from the
    last stored turn. Each turn gets a "next" link from its predecessor. Where the predecessor is
    by another author and holds a question, the turn gets an "answers" link to it and its lexical
    document is the question's tokens followed by its own: words of the question find the answer.
    """

    def __init__(self, language: Language = ENGLISH) -> None:
        self._language = language
        self._tokenizer = Tokenizer(language)

    @property
    def id(self) -> str:
        """Name, language and version."""
        return f"rules-{self._language.code}-1"

    def extract(self, batch: Sequence[Turn], context: ExtractContext) -> list[Extraction]:
        """One Extraction per turn of the batch, in order; never raises on any text."""
        ends: dict[SessionKey, tuple[int | Stored, Turn, list[str]]] = {}
        for key, turn in context.last_turns.items():
            if turn.id is not None:
                ends[key] = (Stored(turn.id), turn, self._tokenizer.tokens(turn.text))
        found = []
        for index, turn in enumerate(batch):
            words = self._tokenizer.words(turn.text)
            own = self._tokenizer.stems(words)
            document = own
            links: tuple[Link, ...] = ()
            dialogue = False
            if turn.session is not None and turn.kind == "episodic":
                key = (turn.scope, turn.session)
                end = ends.get(key)
                if end is not None:
                    place, previous, previous_tokens = end
                    links = (Link(place, index, "next"),)
                    dialogue = _two_speak(turn, previous)
                    if dialogue and self._language.holds_question(previous.text):
                        document = previous_tokens + own
                        links += (Link(index, place, "answers"),)
                ends[key] = (index, turn, own)
            stated = self._language.stated(turn.text, words, own, self._tokenizer.stems)
            flags = self._flags(turn.text, words, dialogue)
            flags |= UPDATE * stated.update | DATED * stated.dated
            index_terms = " ".join([*document, *stated.values])
            length = min(len(own), MAX_LENGTH)
            about = turn.subject or (title_of(turn.text) if turn.kind == "document" else None)
            subjects = subject_names(about) if about else ()
            found.append(Extraction(index_terms, length, flags, links, (), subjects))
        return found

    def _flags(self, text: str, words: list[str], dialogue: bool) -> int:
        # A question put to somebody is no evidence; in a monologue it is the content itself.
        flags = QUESTION if dialogue and self._language.is_question(text) else 0
        if self._language.has_time_expression(text, words):
            flags |= TIME_EXPRESSION
        return flags


def _two_speak(turn: Turn, previous: Turn) -> bool:
    """Whether the turns are by two known authors."""
    return None not in (turn.author, previous.author) and turn.author != previous.author
