"""The judge of subject links: what memories are about, who mentions it, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from tests.reference_graph import Graph

F = np.float32
Row = dict[str, Any]

MENTIONS, ABOUT = 3, 7
WITH_SUBJECT = (1, 2, 3)  # kinds: facts, documents, procedures
NAME_LIMIT = 4096


def linked(graph: Graph, entity: int, kind: int, seq: int) -> list[int]:
    """Memories that are about an entity, or mention it; none where they are too many."""
    seen = graph.seen(seq)
    ends = {m for _, m, _ in graph.neighbours(entity, "in", as_of=seq, types=[kind])}
    found = sorted(m for m in ends if seen[m]["kind"] in WITH_SUBJECT)
    return found if len(found) <= NAME_LIMIT else []


def entities(graph: Graph, memory: int, kind: int, seq: int) -> set[int]:
    return {m for _, m, _ in graph.neighbours(memory, "out", as_of=seq, types=[kind])}


def add_subjects(
    graph: Graph, hits: dict[int, Row], names: Iterable[int] | None, w: dict[str, F], seq: int
) -> None:
    """weight / fan for what is about an entity that the question names; the largest counts."""
    for entity in [] if names is None else names:
        about = linked(graph, int(entity), ABOUT, seq)
        for memory in about:
            if memory in hits:
                terms = hits[memory]["terms"]
                terms["subject"] = max(terms["subject"], w["subject"] * (F(1) / F(len(about))))


def add_mentions(
    graph: Graph, hits: dict[int, Row], leads: list[tuple[Row, F]], w: dict[str, F], seq: int
) -> None:
    """The greatest lead / fan of a seed that mentions the row's subject, and of a seed whose
    subject the row mentions."""
    mentioned: dict[int, F] = {}
    mentioning: dict[int, F] = {}
    for row, lead in leads:
        for entity in entities(graph, row["id"], MENTIONS, seq):
            about = linked(graph, entity, ABOUT, seq)
            keep_greatest(mentioned, row["id"], about, lead, about)
        if row["kind"] in WITH_SUBJECT:
            for entity in entities(graph, row["id"], ABOUT, seq):
                about = linked(graph, entity, ABOUT, seq)
                keep_greatest(
                    mentioning, row["id"], linked(graph, entity, MENTIONS, seq), lead, about
                )
    for weight, gains in ((w["mentioned"], mentioned), (w["mentioning"], mentioning)):
        for memory, gain in gains.items():
            if memory in hits and weight != 0:
                hits[memory]["terms"]["mention"] += weight * gain


def keep_greatest(
    gains: dict[int, F], seed: int, memories: Iterable[int], lead: F, about: list[int]
) -> None:
    for memory in memories:
        if memory != seed and about:
            share = lead * (F(1) / F(len(about)))
            gains[memory] = max(gains.get(memory, F(0)), share)
