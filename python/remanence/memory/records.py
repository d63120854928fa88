"""What goes into a store and what comes out: plain frozen records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from .times import Time, to_text

KINDS = ("episodic", "semantic", "document", "procedural", "entity", "statement")
LAWS = ("power_trace", "fsrs6", "half_life")

Scope = tuple[str, ...]
Statement = (
    tuple[str, str, str]
    | tuple[str, str, str, float]
    | tuple[str, str, str, float, NDArray[np.float32] | None]
)
"""(subject, predicate, object[, confidence in (0, 1][, vector of the words "s p o"]])."""


class Record:
    """Turns a dataclass into plain data: dicts, lists, strings and numbers."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        names = [f.name for f in fields(self)]  # type: ignore[arg-type]
        return {name: _plain(getattr(self, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _short(text: str, width: int = 72) -> str:
    line = " ".join(text[: width * 4].split())
    return line if len(line) <= width else line[: width - 3] + "..."


@dataclass(frozen=True, slots=True)
class Item:
    """A memory to be added. Times as `Time`; belief in (0, 1]; importance in nats.

    triples: statements that the text makes; their phrases become entities of the same scope.
    subject: the name of what the text is about; a document is about its title (its first line).
    """

    text: str
    vector: NDArray[np.float32] | Sequence[float] | None = None
    scope: str | Sequence[str] = ()
    kind: str = "episodic"
    time: Time | None = None
    author: str | None = None
    session: str | None = None
    source: str | None = None
    valid_from: Time | None = None
    valid_to: Time | None = None
    belief: float = 1.0
    importance: float = 0.0
    pinned: bool = False
    law: str = "power_trace"
    meta: Mapping[str, Any] | None = None
    triples: Sequence[Statement] | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryRow(Record):
    """One version of a memory. Times are ns UTC; an open end of validity is None.

    seq and committed: the commit that wrote this version and its transaction time.
    """

    id: int
    text: str
    kind: str
    scope: Scope
    time: int
    author: str | None
    session: str | None
    source: str | None
    valid_from: int | None
    valid_to: int | None
    belief: float
    importance: float
    pinned: bool
    law: str
    meta: dict[str, Any] | None
    seq: int
    committed: int

    def __repr__(self) -> str:
        return f"MemoryRow({self.id}, {to_text(self.time)}, {self.kind}: {_short(self.text)!r})"


@dataclass(frozen=True, slots=True)
class Version(Record):
    """A stretch of a memory's history: what it said from one commit until another.

    known_from, known_to: transaction times, ns UTC; known_to is None while it lasts. ended_by:
    "update", "forget", "erase" or None. touches: accesses while it lasted. memory: None once the
    content has been erased.
    """

    id: int
    version: int
    known_from: int
    known_to: int | None
    seq_from: int
    seq_to: int | None
    started_by: str
    ended_by: str | None
    touches: int
    memory: MemoryRow | None

    def __repr__(self) -> str:
        until = "now" if self.known_to is None else f"{to_text(self.known_to)} ({self.ended_by})"
        text = "(erased)" if self.memory is None else repr(_short(self.memory.text))
        return f"Version({self.version}, {to_text(self.known_from)} to {until}: {text})"


@dataclass(frozen=True, slots=True)
class Hit(Record):
    """A recalled memory. score in nats; p_use: probability that it is of use and holds.

    terms: the parts of the score, in nats, and reasons: the same in words; both only when the
    recall was asked to explain.
    """

    id: int
    text: str
    score: float
    p_use: float
    belief: float
    time: int
    kind: str
    scope: Scope
    author: str | None
    session: str | None
    source: str | None
    meta: dict[str, Any] | None
    terms: dict[str, float] | None = None
    reasons: tuple[str, ...] = ()
    evidence: tuple[float, bytes] | None = field(default=None, repr=False, compare=False)
    """What `touch` learns from; not for callers."""

    def to_dict(self) -> dict[str, Any]:
        return {k: v for k, v in Record.to_dict(self).items() if k != "evidence"}

    def __repr__(self) -> str:
        who = f" {self.author}:" if self.author else ""
        return (
            f"Hit({self.id}, {self.score:+.2f}, p={self.p_use:.2f}, {to_text(self.time)}"
            f"{who} {_short(self.text)!r})"
        )


@dataclass(frozen=True, slots=True)
class Recall(Sequence[Hit]):
    """The hits of one recall, best first. scanned: memories that passed the filters.

    now: the time it was asked at, ns UTC; seq: the commit it answers from.
    """

    hits: tuple[Hit, ...]
    now: int
    seq: int
    scanned: int

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @property
    def ids(self) -> list[int]:
        return [hit.id for hit in self.hits]

    def to_dict(self) -> dict[str, Any]:
        return {
            "hits": [hit.to_dict() for hit in self.hits],
            "now": self.now,
            "seq": self.seq,
            "scanned": self.scanned,
        }

    def __repr__(self) -> str:
        lines = "".join(f"\n  {hit!r}" for hit in self.hits)
        return f"Recall({len(self.hits)} of {self.scanned}){lines}"


@dataclass(frozen=True, slots=True)
class Neighbour(Record):
    """A memory at the other end of an edge. outgoing: the edge starts at the memory asked for."""

    id: int
    type: str
    weight: float
    outgoing: bool
    edge: int
    valid_from: int | None
    valid_to: int | None
    text: str

    def __repr__(self) -> str:
        arrow = f"-{self.type}->" if self.outgoing else f"<-{self.type}-"
        return f"Neighbour({arrow} {self.id}, {self.weight:.2f}: {_short(self.text)!r})"


@dataclass(frozen=True, slots=True)
class CalibrationBin(Record):
    """Predictions of one tenth: how many, their mean p_use, and the share that was used."""

    count: int
    predicted: float
    used: float


@dataclass(frozen=True, slots=True)
class Calibration(Record):
    """How p_use foretold the feedback, each prediction made before its outcome was known.

    used, unused: outcomes. error: expected calibration error over ten bins. brier: mean squared
    error. loss: mean log loss in nats; default_loss: what it would be without learning.
    """

    used: int
    unused: int
    error: float
    brier: float
    loss: float
    default_loss: float
    bins: tuple[CalibrationBin, ...]

    def __repr__(self) -> str:
        if not self.used + self.unused:
            return "Calibration(no feedback)"
        return (
            f"Calibration({self.used} used, {self.unused} not: error {self.error:.3f}, "
            f"log loss {self.loss:.3f}, without learning {self.default_loss:.3f})"
        )


@dataclass(frozen=True, slots=True)
class LearnedWeights(Record):
    """The weights that a question gets here, beside their defaults, in nats per unit.

    used, unused: outcomes learned from. shares: what the predictors weigh in their mixture.
    """

    used: int
    unused: int
    shares: dict[str, float]
    default: dict[str, float]
    learned: dict[str, float]

    def __repr__(self) -> str:
        changed = ", ".join(
            f"{name} {self.default[name]:.3g} -> {value:.3g}"
            for name, value in self.learned.items()
            if f"{value:.3g}" != f"{self.default[name]:.3g}"
        )
        seen = f"{self.used} used, {self.unused} not"
        return f"LearnedWeights({seen}: {changed or 'as by default'})"


@dataclass(frozen=True, slots=True)
class Stats(Record):
    """Counts and sizes. snapshot: "none", "at commit N", or why the last one was refused."""

    path: str
    memories: int
    versions: int
    edges: int
    touches: int
    commits: int
    committed: int | None
    scopes: tuple[Scope, ...]
    authors: int
    embedder: str | None
    dim: int
    log_bytes: int
    snapshot_bytes: int
    snapshot: str
    calibration: Calibration
    engine: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"Stats({self.path}: {self.memories} memories, {self.edges} edges, "
            f"{self.commits} commits, embedder {self.embedder}, snapshot {self.snapshot})"
        )


@dataclass(frozen=True, slots=True)
class Verification(Record):
    """What a full check found. ok is True if problems is empty.

    digest: of the state replayed from the first commit; equal state, equal digest.
    """

    ok: bool
    problems: tuple[str, ...]
    commits: int
    changes: int
    digest: str
    snapshot: str

    def __repr__(self) -> str:
        verdict = "ok" if self.ok else "; ".join(self.problems)
        return f"Verification({verdict}: {self.commits} commits, digest {self.digest})"
