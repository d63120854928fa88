"""Reasons: every term of a score in words that fit the hit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence import Hit, Item, Memory
from remanence._core import Hits
from remanence.memory.reasons import AGAINST, FOR, Asked, reasons
from remanence.memory.rows import Row
from remanence.memory.symbols import Symbols
from remanence.text import QueryCues

Opened = Callable[..., Memory]


def asked(memory: Memory, query: str, **arguments: object) -> dict[str, Hit]:
    return {hit.text: hit for hit in memory.recall(query, k=20, explain=True, **arguments)}


def test_words_authors_and_answers(memory: Memory) -> None:
    memory.add("Which tram did you take to the castle?", author="Melanie", session="1")
    memory.add("Number 28, of course.", author="Caroline", session="1")
    memory.add("The castle was closed.", author="Melanie", session="1")
    found = asked(memory, "Which tram to the castle did Caroline take?")
    answer = found["Number 28, of course."].reasons
    assert "answers a question that holds 5 of your words" in answer
    assert "said by Caroline, whom you named" in answer
    assert "said by Melanie, while you named Caroline" in found["The castle was closed."].reasons
    assert "holds 1 of your words" in found["The castle was closed."].reasons


@pytest.mark.parametrize(
    ("time", "says"),
    [
        ("2023-05-07T10:00", "on the date you asked for"),
        ("2023-05-08T01:00", "1 day after the date you asked for"),
        ("2023-05-12T10:00", "5 days after the date you asked for"),
        ("2023-05-05T12:00", "2 days before the date you asked for"),
    ],
)
def test_dates(memory: Memory, time: str, says: str) -> None:
    memory.add("we met", author="Bob", time=time)
    assert says in asked(memory, "What happened on 7 May 2023?")["we met"].reasons


def test_subjects_mentions_and_newer_statements(memory: Memory) -> None:
    memory.add("Lisbon\nA city of trams.", kind="document")
    memory.add("Trams\nThey run in Lisbon.", kind="document")
    memory.add_many([Item(f"Page {i}\nNothing.", kind="document") for i in range(60)])
    found = asked(memory, "Which trams run in Lisbon?")
    assert "is about Lisbon, which you named" in found["Lisbon\nA city of trams."].reasons
    name = "linked with a good hit by a name that one of them mentions"
    assert any(name in hit.reasons for hit in found.values())
    memory.add("My budget is 500 euros a month", time="2024-01-01", kind="semantic")
    memory.add("The budget was increased to 700 euros", time="2024-02-01", kind="semantic")
    hits = memory.recall("What is my budget a month?", k=2, explain=True)
    assert hits[0].text == "The budget was increased to 700 euros"
    assert "newer than a hit that it replaces" in hits[0].reasons


@given(
    st.dictionaries(st.sampled_from(Hits.TERMS), st.floats(-9, 9)),
    st.integers(-(2**62), 2**62),
    st.lists(st.tuples(st.integers(0, 9), st.integers(10, 20)), max_size=2),
)
def test_any_terms_make_reasons(terms: dict[str, float], time: int, dates: list) -> None:
    row = Row(*[0] * 9, time, 0, 0, 1.0, 0.0, None, None, None, "heron #3:tide", "text", None)
    made = reasons(terms, Asked(QueryCues("heron", (), tuple(dates)), (), Symbols()), row)
    assert all(isinstance(reason, str) and reason for reason in made)
    assert len(made) <= len(terms)


def test_every_term_has_words() -> None:
    special = {"lexical", "author", "date", "subject", "session"}
    silent = {"bias", "length"}
    assert set(Hits.TERMS) == set(FOR) | set(AGAINST) | special | silent
