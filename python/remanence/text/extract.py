"""Extraction: what a new memory brings to the index besides its vector, by rule or by plug-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from .english import ENGLISH
from .language import Language
from .names import subject_names, title_of
from .reading import PlainReader, Reader

QUESTION = 1
"""Flag bit 0: the text ends as a question that is put to another author."""
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

    def __init__(self, language: Language = ENGLISH, *, reader: Reader | None = None) -> None:
        self._language = language
        self._reader = PlainReader(language) if reader is None else reader

    @property
    def id(self) -> str:
        """Name, language and version."""
        return f"rules-{self._language.code}-1"

    def extract(self, batch: Sequence[Turn], context: ExtractContext) -> list[Extraction]:
        """One Extraction per turn of the batch, in order; never raises on any text."""
        last = [(key, turn) for key, turn in context.last_turns.items() if turn.id is not None]
        known = self._reader.read([turn.text for _, turn in last]).terms
        ends: dict[SessionKey, tuple[int | Stored, Turn, str]] = {
            key: (Stored(turn.id or 0), turn, terms)
            for (key, turn), terms in zip(last, known, strict=True)
        }
        reading = self._reader.read([turn.text for turn in batch])
        found = []
        for index, (turn, own, length, flags, values) in enumerate(
            zip(batch, *reading, strict=True)
        ):
            document = own
            links: tuple[Link, ...] = ()
            if turn.session is not None and turn.kind == "episodic":
                key = (turn.scope, turn.session)
                end = ends.get(key)
                if end is not None:
                    place, previous, asked = end
                    links = (Link(place, index, "next"),)
                    if _two_speak(turn, previous):
                        # A question put to somebody is no evidence; in a monologue it is the
                        # content itself.
                        if self._language.is_question(turn.text):
                            flags |= QUESTION
                        if self._language.holds_question(previous.text):
                            document = f"{asked} {own}" if asked and own else asked or own
                            links += (Link(index, place, "answers"),)
                ends[key] = (index, turn, own)
            if values:
                document = f"{document} {values}" if document else values
            about = turn.subject or (title_of(turn.text) if turn.kind == "document" else None)
            subjects = subject_names(about) if about else ()
            length = min(length, MAX_LENGTH)
            found.append(Extraction(document, length, flags, links, (), subjects))
        return found


def _two_speak(turn: Turn, previous: Turn) -> bool:
    """Whether the turns are by two known authors."""
    return None not in (turn.author, previous.author) and turn.author != previous.author
