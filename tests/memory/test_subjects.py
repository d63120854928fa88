"""Subjects: memories are linked with what they mention, whichever of the two came first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.memory.helpers import Clock, HashEmbedder, holds

import remanence
from remanence import Item, Memory

Opened = Callable[..., Memory]

DOCUMENTS = [
    "Lisbon\nA city on the Tagus, home of Joana Reis.",
    "Joana Reis\nShe paints trams.",
    "Tagus (river)\nIt ends at Lisbon.",
    "Joana Reis, painter\nAnother page about her.",
]


def items() -> list[Item]:
    documents = [Item(text, kind="document") for text in DOCUMENTS]
    return [*documents, Item("I met Joana Reis in Lisbon.", author="Ana", session="1")]


def everything(memory: Memory) -> set[tuple[str, str, str]]:
    """(text, type, entity) of all links to entities."""
    count = memory.stats().memories
    rows = {i: memory.get(i) for i in range(1, count + 1)}
    return {
        (row.text, beside.type, rows[beside.id].text.casefold())
        for row in rows.values()
        if row.kind != "entity"
        for beside in memory.neighbours(row.id, direction="out")
    }


def test_mentions_and_subjects_become_links(memory: Memory) -> None:
    memory.add_many(items())
    found = everything(memory)
    lisbon, joana, tagus, other, turn = (item.text for item in items())
    assert (lisbon, "about", "lisbon") in found
    assert (lisbon, "mentions", "joana reis") in found
    assert (tagus, "mentions", "lisbon") in found
    assert (turn, "mentions", "joana reis") in found
    assert (turn, "mentions", "lisbon") in found
    assert {end for text, kind, end in found if (text, kind) == (other, "about")} == {
        "joana reis", "joana reis, painter",
    }  # fmt: skip
    assert (joana, "mentions", "lisbon") not in found


@settings(max_examples=12, deadline=None)
@given(st.permutations(range(5)), st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_order_and_the_commits_of_writes_change_no_link(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cuts: list[bool]
) -> None:
    def made(batches: list[list[Item]]) -> set[tuple[str, str, str]]:
        path = tmp_path_factory.mktemp("names") / "store"
        with remanence.open(path, embedder=HashEmbedder(), clock=Clock()) as memory:
            for batch in batches:
                memory.add_many(batch)
            found = everything(memory)
            assert memory.verify().ok
        with remanence.open(path, embedder=HashEmbedder(), clock=Clock()) as memory:
            assert everything(memory) == found
        return found

    batches: list[list[Item]] = [[]]
    for position, cut in zip(order, [*cuts, False], strict=True):
        batches[-1].append(items()[position])
        if cut:
            batches.append([])
    assert made([batch for batch in batches if batch]) == made([items()])


def test_a_named_subject_and_its_mentions_are_found_and_explained(memory: Memory) -> None:
    memory.add_many(items())
    hits = memory.recall("What is on the Tagus?", k=5, explain=True)
    terms = {hit.text: hit.terms or {} for hit in hits}
    assert terms[DOCUMENTS[2]]["subject"] > 0
    assert terms[DOCUMENTS[0]].get("subject") is None
    assert any("mention" in of_hit for of_hit in terms.values())
    without = memory.recall("What is on the Tagus?", explain=True, scope="elsewhere")
    assert without.ids == []


def test_subjects_stay_in_their_scope(memory: Memory) -> None:
    memory.add("Lisbon\nA city.", kind="document", scope="a")
    memory.add("Off to Lisbon", scope="b")
    memory.add("Off to Lisbon", scope="a")
    assert [n.type for n in memory.neighbours(3)] == []
    assert [n.type for n in memory.neighbours(4)] == ["mentions"]


def test_a_subject_that_was_a_phrase_before_keeps_its_links(memory: Memory) -> None:
    memory.add("he moved", triples=[("Bob", "moved to", "Lisbon")])
    memory.add("Lisbon\nA city.", kind="document")
    memory.add("Lisbon it is")
    kinds = {n.type for n in memory.neighbours(3)}
    assert kinds == {"mentions", "moved to", "about"}
    assert memory.verify().ok


def test_an_erased_subject_leaves_no_bytes(memory: Memory, path: Path, opened: Opened) -> None:
    memory.add("Swordfish Manual\nSecret.", kind="document")
    memory.erase(1, reason="asked")
    assert holds(path, "wordfish") == []
    memory.add("The Swordfish Manual is gone.")
    assert memory.neighbours(3) == []
    memory.close()
    memory = opened()
    memory.add("The Swordfish Manual is gone.")
    assert memory.neighbours(4) == []
    assert memory.verify().ok


def test_another_process_sees_new_names(memory: Memory, opened: Opened) -> None:
    memory.add("Lisbon\nA city.", kind="document")
    other = opened()
    memory.add("Tagus (river)\nA river.", kind="document")
    other.add("From Lisbon to Tagus")
    last = other.stats().memories
    assert {n.type for n in other.neighbours(last)} == {"mentions"}
    assert len(other.neighbours(last)) == 2
