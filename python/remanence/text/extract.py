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


class Turns(NamedTuple):
    """Turns as columns, without what rules do not look at."""

    text: Sequence[str]
    kind: Sequence[str]
    scope: Sequence[Scope]
    session: Sequence[str | None]
    author: Sequence[str | None]
    subject: Sequence[str | None]


@dataclass(slots=True)
class Extracted:
    """Extractions as columns: very many are made without an object for each.

    A link is `source`, `target`, `type`, `weight` as in `Link`, and `owner`, the position of the
    turn that brings it; links of one turn stand together, in the order of the turns.
    """

    terms: list[str] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    subjects: list[tuple[str, ...]] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    source: list[int | Stored] = field(default_factory=list)
    target: list[int | Stored] = field(default_factory=list)
    type: list[str] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, found: Sequence[Extraction]) -> Extracted:
        """The columns of extractions, but for their triples."""
        made = cls()
        for position, extraction in enumerate(found):
            made.terms.append(extraction.terms)
            made.length.append(extraction.length)
            made.flags.append(extraction.flags)
            made.subjects.append(extraction.subjects)
            for link in extraction.links:
                made.link(position, *link)
        return made

    def link(
        self, owner: int, source: int | Stored, target: int | Stored, kind: str, weight: float = 1.0
    ) -> None:
        """Add a link."""
        self.owner.append(owner)
        self.source.append(source)
        self.target.append(target)
        self.type.append(kind)
        self.weight.append(weight)

    def rows(self) -> list[Extraction]:
        """One Extraction for each turn."""
        links: list[list[Link]] = [[] for _ in self.terms]
        ends = zip(self.source, self.target, self.type, self.weight, strict=True)
        for owner, link in zip(self.owner, map(Link._make, ends), strict=True):
            links[owner].append(link)
        columns = zip(self.terms, self.length, self.flags, links, self.subjects, strict=True)
        return [
            Extraction(terms, length, flags, tuple(own), (), subjects)
            for terms, length, flags, own, subjects in columns
        ]


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
        columns = zip(*batch, strict=True) if batch else [()] * len(Turn._fields)
        turns = dict(zip(Turn._fields, columns, strict=True))
        return self.columns(Turns(*(turns[name] for name in Turns._fields)), context).rows()

    def columns(self, turns: Turns, context: ExtractContext) -> Extracted:
        """The same of turns as columns."""
        is_question, holds_question = self._language.is_question, self._language.holds_question
        last = [(key, turn) for key, turn in context.last_turns.items() if turn.id is not None]
        known = self._reader.read([turn.text for _, turn in last]).terms
        # The end of a session so far: where it is, who spoke, the text and its terms.
        ends: dict[SessionKey, tuple[int | Stored, str | None, str, str]] = {
            key: (Stored(turn.id or 0), turn.author, turn.text, terms)
            for (key, turn), terms in zip(last, known, strict=True)
        }
        reading = self._reader.read(turns.text)
        terms, flags = reading.terms, reading.flags
        made = Extracted(terms, [min(length, MAX_LENGTH) for length in reading.length], flags)
        for index, (text, kind, scope, session, author, subject, own, values) in enumerate(
            zip(*turns, terms, reading.values, strict=True)
        ):
            if session is not None and kind == "episodic":
                key = (scope, session)
                end = ends.get(key)
                ends[key] = (index, author, text, own)
                if end is not None:
                    place, speaker, before, asked = end
                    made.link(index, place, index, "next")
                    if speaker != author and speaker is not None and author is not None:
                        # A question put to somebody is no evidence; in a monologue it is the
                        # content itself.
                        if is_question(text):
                            flags[index] |= QUESTION
                        if holds_question(before):
                            terms[index] = f"{asked} {own}" if asked and own else asked or own
                            made.link(index, index, place, "answers")
            if values:
                terms[index] = f"{terms[index]} {values}" if terms[index] else values
            about = subject or (title_of(text) if kind == "document" else None)
            made.subjects.append(subject_names(about) if about else ())
        return made
