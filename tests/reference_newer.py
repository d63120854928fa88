"""The judge of newer statements: which row replaces which, and how far it is lifted."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.reference_graph import Graph

F = np.float32
Row = dict[str, Any]

UPDATE, DATED = 8, 16
SUPERSEDES = 4
REACH, MOST_MOVES = 5, 3


def values(row: Row) -> list[list[str]]:
    """[number, unit, stems that follow] of each value that the row states."""
    return [word[1:].split(":") for word in row["terms"].split(" ") if word.startswith("#")]


def says_so(new: Row, old: Row, asked: list[str]) -> bool:
    for number, *rest in values(new):
        if number == "!" or set(rest[1:]).intersection(asked):
            return True
        if rest and rest[0]:
            counted = {n for n, *other in values(old) if other and other[0] == rest[0]}
            if counted and number not in counted:
                return True
    return False


def replaces(graph: Graph, new: Row, old: Row, q: Row, weights: dict[str, F], seq: int) -> bool:
    """By a link of any age, or for a question that asks for a value by what both rows say."""
    if new["time"] <= old["time"]:
        return False
    linked = graph.neighbours(new["id"], "out", as_of=seq, types=[SUPERSEDES])
    if old["id"] in [m for _, m, _ in linked]:
        return True
    if not q["asks_value"] or not new["flags"] & UPDATE:
        return False
    both, whole = F(0), F(0)
    for word, weight in weights.items():
        whole = whole + weight
        if new["counts"][word] and old["counts"][word]:
            both = both + weight
    share = both / whole if whole > 0 else F(0)
    dated = bool(new["flags"] & DATED) and share > F(0.4)
    return bool(share > F(0.2)) and (
        dated or says_so(new, old, [w for w in q["terms"].split(" ") if w])
    )


def lift(score: F, goal: F, weight: F) -> F:
    """What brings the score `weight` of the way to the goal; above it where the weight is one."""
    if weight < 1:
        return weight * (goal - score)
    found = np.nextafter(goal, F(np.inf)) - score
    while score + found <= goal:
        found = np.nextafter(found, F(np.inf))
    return found


def add_lifts(
    graph: Graph, hits: list[Row], q: Row, weight: F, weights: dict[str, F], seq: int
) -> None:
    """hits: all of them, best first. Sets the term of the rows that move up."""
    from tests.reference import added

    order = [(added(hit["terms"]), hit) for hit in hits[:REACH]]
    moves = 0
    for i in range(len(order)):
        for j in range(i + 1, len(order)):
            (goal, old), (score, new) = order[i], order[j]
            if moves == MOST_MOVES or weight == 0 or new["terms"]["newer"] != 0:
                continue
            if replaces(graph, new["row"], old["row"], q, weights, seq):
                new["terms"]["newer"] = lift(score, goal, weight)
                del order[j]
                order.insert(i, (added(new["terms"]), new))
                moves += 1
                break
