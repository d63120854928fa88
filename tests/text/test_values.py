"""What a text states: numbers with what they count, days and hours, announced changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.text import DATED, ENGLISH, UPDATE, Stated, Tokenizer, Turn
from remanence.text.extract import ExtractContext, RuleExtractor

TOKENIZER = Tokenizer()


def stated(text: str) -> Stated:
    words = TOKENIZER.words(text)
    return ENGLISH.stated(text, words, TOKENIZER.stems(words), TOKENIZER.stems)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("I read 12 books a year", Stated(False, False, ("#12:book:book:year",))),
        ("It has now reached 165", Stated(True, False, ("#!", "#165:"))),
        ("The budget is $1,500 a month", Stated(False, False, ("#1500:$:month",))),
        ("accuracy is 92% at best", Stated(False, False, ("#92:%:%:best",))),
        ("twelve sources", Stated(False, False, ("#12:sourc:sourc",))),
        ("moved to March 15", Stated(True, True, ("#!", "#15:"))),
        ("see you at 3pm", Stated(False, True, ("#3:pm:pm",))),
        ("```\nx = 12 books\n``` nothing", Stated(False, False, ())),
        ("hello there", Stated(False, False, ())),
        ("we moved", Stated(True, False, ())),
    ],
)
def test_what_a_text_states(text: str, want: Stated) -> None:
    assert stated(text) == want


def test_the_extractor_keeps_flags_and_values_beside_the_words() -> None:
    (made,) = RuleExtractor().extract([Turn("Now 12 books by March 15")], ExtractContext())
    assert made.flags & (UPDATE | DATED) == UPDATE | DATED
    assert made.terms.split()[:4] == ["now", "12", "book", "march"]
    assert "#12:book:book:march:15" in made.terms.split()
    assert made.length == 5


@given(st.text())
def test_any_text_is_read_and_every_value_is_one_term(text: str) -> None:
    found = stated(text)
    assert len(found.values) <= 33
    for value in found.values:
        assert value.startswith("#")
        assert len(value.split()) == 1


@given(st.text(alphabet="ab 1$%.,\n", max_size=200), st.text(max_size=20))
def test_only_the_beginning_counts(text: str, rest: str) -> None:
    head = (text + " " * 2000)[:1500]
    assert stated(head + rest).values == stated(head).values or "```" in head + rest
