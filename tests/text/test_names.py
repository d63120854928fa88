"""Names of subjects: what a title stands for, and which names a text mentions."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remanence.text import NameFinder, RuleExtractor, Turn, name_key, subject_names, title_of
from remanence.text.extract import ExtractContext

PARTS = ("Lisbon", "Treaty", "of", "the", "New", "York", "City", "lisbon", "in", "In", "2023")
SENTENCES = st.lists(st.sampled_from([*PARTS, ".", ",", "'s"]), max_size=14).map(" ".join)
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(" ".join).map(name_key)


def test_what_a_title_is_called() -> None:
    assert subject_names("Leland, North Carolina") == ("Leland, North Carolina", "Leland")
    assert subject_names("Cold War (film)") == ("Cold War (film)", "Cold War")
    assert subject_names("Cold War, 1946 (film)")[0] == "Cold War, 1946 (film)"
    assert subject_names("It") == ()
    assert subject_names("  ...  ") == ()


def test_a_document_is_about_its_title_and_anything_about_what_its_caller_says() -> None:
    def subjects(text: str, **fields: str) -> tuple[str, ...]:
        (made,) = RuleExtractor().extract([Turn(text, **fields)], ExtractContext())
        return made.subjects

    assert subjects("# Lisbon\nA city.", kind="document") == ("Lisbon",)
    assert subjects("Lisbon\n\n ", kind="document") == ()
    assert subjects("a long line " * 20 + "\nA city.", kind="document") == ()
    assert subjects("Lisbon\nA city.") == ()
    assert subjects("She lives there.", subject="Joana Reis") == ("Joana Reis",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We went to lisbon.", []),
        ("We went to Lisbon.", ["lisbon"]),
        ("In Lisbon we met.", ["lisbon"]),
        ("The Lisbon Treaty was signed.", []),
        ("Lisbon's trams, the best of new york!", ["lisbon", "new york"]),
        ("New Yorkers", []),
        ("NEW YORK", ["new york"]),
        ("", []),
    ],
)
def test_what_a_text_mentions(text: str, names: list[str]) -> None:
    assert NameFinder(["lisbon", "new york"]).find(text) == names


def test_a_question_names_long_single_words_in_any_case() -> None:
    finder = NameFinder(["lisbon", "rome"])
    assert finder.find_in_question("where is lisbon treaty and rome") == ["lisbon"]
    assert finder.find_in_question("where is Rome?") == ["rome"]


@given(SENTENCES, st.sets(NAMES, max_size=6), st.sets(NAMES, max_size=6))
@example("Lisbon Lisbon", {"lisbon"}, {"lisbon lisbon"})
def test_which_other_names_are_known_changes_nothing(
    text: str, first: set[str], second: set[str]
) -> None:
    """Hence the order of writes is free: a name may become known before or after a text."""
    whole = set(NameFinder(first | second).find(text))
    assert whole == set(NameFinder(first).find(text)) | set(NameFinder(second).find(text))


@given(SENTENCES, st.sets(NAMES, max_size=6))
def test_every_name_that_is_found_stands_in_the_text(text: str, names: set[str]) -> None:
    finder = NameFinder(names)
    line = f" {name_key(text)} "
    for found in (finder.find(text), finder.find_in_question(text)):
        assert all(f" {name} " in line for name in found)
    several = [name for name in names if " " in name and f" {name} " in line]
    assert set(several) <= set(finder.find(text)) <= set(finder.find_in_question(text))


@given(st.text(), st.text(min_size=1))
def test_any_text_is_read(text: str, name: str) -> None:
    assert set(NameFinder([name_key(name)]).find(text)) <= {name_key(name)}
    title = title_of(text)
    assert title is None or title in text
