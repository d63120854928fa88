"""What the core reads of texts is what the text room's own rules say of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remanence.memory.reading import NativeNames, NativeReader, default_reader
from remanence.text import (
    DATED,
    ENGLISH,
    ExtractContext,
    Language,
    NameFinder,
    PlainReader,
    RuleExtractor,
    Turn,
    name_key,
)

pytestmark = pytest.mark.native

PLAIN, NATIVE = PlainReader(), default_reader()
WORDS = (
    *("one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
ANY = st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])), max_size=60)
# Numbers, units, days and signs, and characters that fold, count or join in odd ways.
PIECES = st.sampled_from(
    [
        *("twelve", "one", "now", "updated", "moved to", "the", "this", "last", "a", "I", "budget"),
        *("12", "1,500", "3.14", "2023", "2024-05-07", "10:30", "5", "15", "007", "1234567"),
        *("May", "march", "March", "Sept.", "septembers", "5am", "p.m", "P.M.", "am", "th", "of"),
        *("last\nweek", "next Year", "yesterday", "books", "running", "snake_case", "x_1", "it's"),
        *("$", "\u20ac", "\u00a3", "%", ",", ".", "-", ":", "?", "!", "`", "```", "\n", " ", "_"),
        *(
            "\u00b2",
            "\u0665",
            "\u0661\u0662",
            "\u0130",
            "\u017fep",
            "\u212a",
            "stra\u00dfe",
            "\u03a3\u03c2",
        ),
        *(
            "\u00e9t\u00e9",
            "\u2019s",
            "\u4e2d\u6587",
            "\U0001d7d8",
            "\U0001f600",
            "\ud800",
            "\0",
            "\u1e9e",
        ),
        *("x" * 63, "y" * 70, "9" * 70, "march" + "z" * 70),
    ]
)
SPACED = st.lists(PIECES, max_size=16).map(" ".join)
JOINED = st.lists(PIECES, max_size=16).map("".join)
LONG = st.tuples(SPACED, st.integers(0, 1600), SPACED).map(lambda p: p[0] + " w" * p[1] + p[2])
TEXTS = st.one_of(ANY, SPACED, JOINED, LONG)


@given(st.lists(TEXTS, max_size=6))
@example(["It has now reached 165", "```\nx = 12 books\n``` 7 May", "w " * 749 + "5 amber"])
@example(["5 a.m", "see 5 A.M", "\u0661 am", "3 \u017fep", "MAY 5", "may 5th", "12\u20ac now 3"])
@example(["one " * 40, " ".join(map(str, range(50))), "now " + "1 a b c d e f g h " * 3])
def test_the_core_reads_what_the_rules_say(texts: list[str]) -> None:
    assert NATIVE.read(texts) == PLAIN.read(texts)


@given(st.lists(st.builds(Turn, text=SPACED, session=st.just("s"), author=st.sampled_from("ab"))))
def test_extractions_are_the_same(turns: list[Turn]) -> None:
    native, plain = RuleExtractor(reader=NATIVE), RuleExtractor()
    assert native.extract(turns, ExtractContext()) == plain.extract(turns, ExtractContext())


@pytest.mark.parametrize("number", range(1, 13))
def test_every_month_is_a_day_with_a_number_and_every_number_word_a_value(number: int) -> None:
    month = date(2024, number, 1).strftime("%B")
    texts = [f"5 {month}", f"{month[:3]} the 5", f"{WORDS[number - 1]} books", f"in {month}"]
    read = NATIVE.read(texts)
    assert read == PLAIN.read(texts)
    assert [flag & DATED for flag in read.flags] == [DATED, DATED, 0, 0]
    assert read.values[2] == f"#{number}:book:book"


def test_words_are_forgotten_beyond_the_limit_and_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("remanence.memory.reading.KNOWN_WORDS", 4)
    texts = [f"running{n}s met twelve {n} walkers{n % 3} now" for n in range(60)]
    assert default_reader().read(texts) == PLAIN.read(texts)


def test_threads_share_a_reader() -> None:
    reader = default_reader()
    texts = [[f"runners{n} of {n % 7} galleries{n % 5}, 1{n} books"] for n in range(300)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(reader.read, texts)) == [PLAIN.read(one) for one in texts]


def test_a_language_that_fails_is_an_error_and_changes_nothing() -> None:
    class Broken(type(ENGLISH)):  # type: ignore[misc]
        def marks(self, word: str, stem: str) -> int:
            if word == "boom":
                raise LookupError(word)
            return int(super().marks(word, stem))

    reader = NativeReader(Broken(), Broken())
    with pytest.raises(LookupError, match="boom"):
        reader.read(["a boom"])
    assert reader.read(["met 12 people"]) == PLAIN.read(["met 12 people"])


def test_english_is_a_language_whose_words_can_be_looked_up() -> None:
    assert isinstance(ENGLISH, Language)
    with pytest.raises(TypeError, match="texts must be str"):
        NATIVE.read([1])  # type: ignore[list-item]


PARTS = (
    "Lisbon",
    "Treaty",
    "of",
    "the",
    "New",
    "York",
    "Stra\u00dfe",
    "strasse",
    "lisbon",
    "2023",
    "A_b",
)
NAMES = st.lists(st.sampled_from([*PARTS, "\u00c9t\u00e9", "!"]), min_size=1, max_size=3)
SENTENCES = st.lists(
    st.sampled_from([*PARTS, ".", "'s", "\u2019s", "\u00e9t\u00e9", "\ufb01"]), max_size=14
)


@given(
    st.lists(st.one_of(SENTENCES.map(" ".join), ANY), max_size=5),
    st.sets(st.one_of(NAMES.map(" ".join), st.text(min_size=1, max_size=4)), max_size=6),
)
@example(["Lisbon Treaty Lisbon", "New York New"], {"lisbon", "lisbon treaty", "york new"})
def test_the_core_finds_the_names_that_the_rules_find(texts: list[str], names: set[str]) -> None:
    keys = {name_key(name) for name in names}
    native, plain = NativeNames(keys), NameFinder(keys)
    wanted = {place: names for place, text in enumerate(texts) if (names := plain.find(text))}
    found: dict[int, list[str]] = {}
    for place, name in native.find(texts):
        found.setdefault(place, []).append(name)
    assert found == wanted
    assert len(native) == len(plain)
