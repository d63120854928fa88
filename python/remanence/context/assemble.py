"""Assembles a context: the recalled memories that serve best within a token budget, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from numbers import Integral
from typing import Any, Literal, Protocol

import numpy as np

from .budget import TokenCounter, estimate_tokens
from .likeness import collapse, similarity, word_aspects, words
from .pack import Objective, pack

MAX_CANDIDATES = 512
"""Only so many hits, those of the highest p_use, are weighed against each other."""

_UNDATED = datetime.min.replace(tzinfo=UTC)


class Recalled(Protocol):
    """A hit as the context needs it; recall's hits have this shape."""

    @property
    def id(self) -> int:
        """The memory's id, unique within one context."""

    @property
    def text(self) -> str:
        """The memory's text."""

    @property
    def time(self) -> datetime | None:
        """When it was said; without a zone it counts as UTC."""

    @property
    def author(self) -> str | None:
        """Who said it."""

    @property
    def source(self) -> str | None:
        """Where it comes from: a file, a chat, an address."""

    @property
    def kind(self) -> str:
        """The kind of memory."""

    @property
    def p_use(self) -> float:
        """Probability of being useful, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class ContextItem:
    """One memory in a context; tokens is what its line costs."""

    id: int
    text: str
    time: datetime | None
    author: str | None
    source: str | None
    kind: str
    p_use: float
    tokens: int
    pinned: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the time as ISO 8601."""
        plain = asdict(self)
        plain["time"] = self.time.isoformat() if self.time is not None else None
        return plain


@dataclass(frozen=True, slots=True)
class Context:
    """Text for a prompt and the memories in it, in the order of the text.

    tokens <= budget. certificate: proved share, in [0, 1], of the best value that any choice
    within the budget could have (1: no choice is better).
    """

    text: str
    items: tuple[ContextItem, ...]
    tokens: int
    budget: int
    certificate: float

    def __str__(self) -> str:
        return self.text

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[ContextItem]:
        return iter(self.items)

    def __repr__(self) -> str:
        return (
            f"Context({len(self.items)} memories, {self.tokens} of {self.budget} tokens, "
            f"certificate {self.certificate:.2f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "text": self.text,
            "items": [item.to_dict() for item in self.items],
            "tokens": self.tokens,
            "budget": self.budget,
            "certificate": self.certificate,
        }


def assemble(
    hits: Iterable[Recalled],
    budget: int,
    *,
    pinned: Iterable[Recalled] = (),
    count: TokenCounter = estimate_tokens,
    order: Literal["time", "score"] = "time",
    diversity: float = 0.0,
) -> Context:
    """The hits that together serve best within `budget` tokens, one line each.

    A line reads `[2023-05-07 · Caroline · chat-3] text`; further lines of a text are indented, so
    that no text can pass for another memory. Pinned hits come first, in their order, as far as
    they fit. The others are chosen by `pack` over their words, near-duplicates of one author
    collapsed to the cheapest, and stand by time (undated ones first) or by falling p_use.
    `count` counts the tokens of a text; the estimate needs no tokenizer. diversity > 0 favours
    hits that stand for many others. Too small a budget gives an empty context. Raises ValueError
    for a budget below 1, another order, or a p_use outside [0, 1].
    """
    budget = left = _whole(budget)
    if order not in ("time", "score"):
        raise ValueError(f'context: order must be "time" or "score" (got {order!r})')
    if not diversity >= 0.0:
        raise ValueError(f"context: diversity must be 0 or more (got {diversity})")
    seen: set[int] = set()
    front = _items(pinned, count, seen, pinned=True)
    rest = _items(hits, count, seen, pinned=False)
    fixed: list[ContextItem] = []
    for members in _collapse(front):
        if members[0].tokens <= left:
            fixed.append(members[0])
            left -= members[0].tokens
    chosen, certify = _choose(fixed, rest, left, diversity)
    if order == "time":
        chosen.sort(key=lambda item: (_instant(item.time), item.id))
    # Every line was paid for with its line break, but a counter need not be additive.
    while chosen or fixed:
        text = "\n".join(_line(item) for item in [*fixed, *chosen])
        tokens = int(count(text))
        if tokens <= budget:
            items = (*fixed, *chosen)
            return Context(text, items, tokens, budget, certify(chosen))
        if chosen:
            chosen.remove(min(chosen, key=lambda item: (item.p_use, -item.id)))
        else:
            fixed.pop()
    return Context("", (), 0, budget, certify(chosen))


def _whole(budget: object) -> int:
    """The budget as an int, NumPy integers included."""
    found = int(budget) if not isinstance(budget, bool) and isinstance(budget, Integral) else 0
    if found < 1:
        raise ValueError(f"context: budget must be a whole number of at least 1 (got {budget!r})")
    return found


def _items(
    hits: Iterable[Recalled], count: TokenCounter, seen: set[int], *, pinned: bool
) -> list[ContextItem]:
    """Hits as items with their cost; an id that was seen before is left out."""
    found = []
    for hit in hits:
        p_use = float(hit.p_use)
        if not 0.0 <= p_use <= 1.0:
            raise ValueError(f"context: p_use of memory {hit.id} must be in [0, 1] (got {p_use})")
        if hit.id in seen:
            continue
        seen.add(hit.id)
        fields = (hit.id, hit.text, hit.time, hit.author, hit.source, hit.kind, p_use)
        item = ContextItem(*fields, tokens=0, pinned=pinned)
        # A line always costs something, or the gain per token would have no meaning.
        found.append(replace(item, tokens=max(1, int(count(_line(item) + "\n")))))
    return found


def _choose(
    fixed: list[ContextItem], rest: list[ContextItem], left: int, diversity: float
) -> tuple[list[ContextItem], Callable[[list[ContextItem]], float]]:
    """The packed items by falling p_use, and the certificate of any part of them."""
    rest = sorted(
        (item for item in rest if item.tokens <= left), key=lambda item: (-item.p_use, item.id)
    )[:MAX_CANDIDATES]
    cheapest = sorted(rest, key=lambda item: (item.tokens, -item.p_use, item.id))
    clusters = _collapse([*fixed, *cheapest])
    # By id, so that the order in which hits arrive cannot change a sum or break a tie.
    free = sorted((c for c in clusters if not c[0].pinned), key=lambda members: members[0].id)
    pool = [*fixed, *(members[0] for members in free)]
    p = [item.p_use for item in fixed]
    p += [max(copy.p_use for copy in members) for members in free]
    texts = [words(item.text) for item in pool]
    objective = Objective(
        np.array(p),
        word_aspects(texts),
        similarity=similarity(texts) if diversity > 0.0 else None,
        diversity=diversity,
    )
    taken = range(len(fixed))
    packing = pack(objective, [item.tokens for item in pool], left, fixed=taken)
    chosen = [pool[index] for index in packing.chosen if index >= len(fixed)]
    chosen.sort(key=lambda item: (-item.p_use, item.id))
    places = {item.id: index for index, item in enumerate(pool)}

    def certify(part: list[ContextItem]) -> float:
        return packing.certificate(objective.of([*taken, *(places[item.id] for item in part)]))

    return chosen, certify


def _collapse(items: list[ContextItem]) -> list[list[ContextItem]]:
    """Near-duplicates of one author together, the earliest in the list first."""
    texts = [words(item.text) for item in items]
    found = collapse(texts, [item.author for item in items], range(len(items)))
    return [[items[index] for index in members] for members in found]


def _line(item: ContextItem) -> str:
    """`[date · author · source] text`, or `[kind] text` where none of these is known."""
    date = _instant(item.time).date().isoformat() if item.time is not None else None
    # A transcript often carries the speaker inside the text; once is enough.
    author = None if item.text.startswith(f"{item.author}:") else item.author
    parts = [" ".join(part.split()) for part in (date, author, item.source) if part]
    return f"[{' · '.join(parts or [item.kind])}] " + "\n  ".join(item.text.splitlines())


def _instant(time: datetime | None) -> datetime:
    if time is None:
        return _UNDATED
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
