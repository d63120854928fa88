"""Links in the making, column by column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import eq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .changes import EDGE_DTYPES
from .errors import InvalidArgumentError
from .store import Draft
from .times import TIME_MAX, TIME_MIN


@dataclass(slots=True)
class Edges:
    """Links in the making, column by column; types are names."""

    source: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    type: list[str] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)

    def add(self, source: int, target: int, kind: str, weight: float = 1.0) -> None:
        if source != target:
            self.source.append(source)
            self.target.append(target)
            self.type.append(kind)
            self.weight.append(weight)

    def extend(
        self, source: list[int], target: list[int], kind: list[str], weight: list[float]
    ) -> None:
        """Add many."""
        if any(map(eq, source, target)):
            for link in zip(source, target, kind, weight, strict=True):
                self.add(*link)
            return
        self.source += source
        self.target += target
        self.type += kind
        self.weight += weight

    def columns(self, draft: Draft) -> dict[str, NDArray[Any]] | None:
        count = len(self.source)
        if not count:
            return None
        links: Iterable[tuple[str, float]] = zip(self.type, self.weight, strict=True)
        for name, weight in set(links) if set(map(type, self.type)) == {str} else links:
            # The engine checks only edges between rows that it holds already.
            if not (isinstance(name, str) and name and 0.0 < weight <= 1.0):
                raise InvalidArgumentError(
                    f"{draft.verb}: a link needs a type and a weight in (0, 1] "
                    f"(got {name!r:.40}, {weight})"
                )
        first = draft.edge_ids(count)
        types = {name: draft.symbols.id("type", name) for name in dict.fromkeys(self.type)}
        return {
            "edge": np.arange(first, first + count, dtype=EDGE_DTYPES["edge"]),
            "source": np.array(self.source, EDGE_DTYPES["source"]),
            "target": np.array(self.target, EDGE_DTYPES["target"]),
            "type": np.array([types[name] for name in self.type], EDGE_DTYPES["type"]),
            "weight": np.array(self.weight, EDGE_DTYPES["weight"]),
            "valid_from": np.full(count, TIME_MIN),
            "valid_to": np.full(count, TIME_MAX),
        }
