"""Query understanding: dates, named authors and what a question asks for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.text import ENGLISH, AuthorNames, Language, QueryCues, Stated, understand

AUTHORS = {
    "Caroline": 1,
    "Melanie": 2,
    "John Smith": 3,
    "John Miller": 4,
    "Will": 5,
    "The Assistant": 6,
    "O'Brien": 7,
    "Jörg Weiß": 8,
}
ANY_TEXT = st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])))
DAY_NS = 86_400 * 10**9


def days(cues: QueryCues) -> list[str]:
    """Intervals as "first..last" days, both inclusive; one day as itself."""
    found = []
    for start, end in cues.dates:
        first, last = (
            datetime.fromtimestamp(ns // 10**9, UTC).date().isoformat()
            for ns in (start, end - DAY_NS)
        )
        found.append(first if first == last else f"{first}..{last}")
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("What did she do on 7 May 2023?", ["2023-05-07"]),
        ("on the 7th of May, 2023", ["2023-05-07"]),
        ("on May 7, 2023", ["2023-05-07"]),
        ("since may 7th 2023", ["2023-05-07"]),
        ("what happened on 2023-05-07?", ["2023-05-07"]),
        ("Dec. 25th, 2021", ["2021-12-25"]),
        ("May 7", ["2022-05-07", "2023-05-07"]),
        ("in May 7", ["2022-05-07", "2023-05-07"]),
        ("May 2021", ["2021-05-01..2021-05-31"]),
        ("early march 2023", ["2023-03-01..2023-03-31"]),
        ("in December", ["2022-12-01..2022-12-31", "2023-12-01..2023-12-31"]),
        ("mid-February 2024", ["2024-02-01..2024-02-29"]),
        ("during Sept", ["2022-09-01..2022-09-30", "2023-09-01..2023-09-30"]),
        ("after 3 June 2020 and before July 2020", ["2020-06-03", "2020-07-01..2020-07-31"]),
        ("in may", ["2022-05-01..2022-05-31", "2023-05-01..2023-05-31"]),
        ("this may help", []),
        ("which of the 5 may come", []),
        ("She may march", []),
        ("May I ask?", []),
        ("30 February 2023", []),
        ("29 February", []),
        ("2023-13-01", []),
        ("in 2023", []),
        ("yesterday", []),
    ],
)
def test_dates_of_examples(query: str, expected: list[str]) -> None:
    assert days(understand(query, years=[2023, 2022])) == expected


def test_a_date_without_a_year_needs_years_to_mean_something() -> None:
    assert understand("in May").dates == ()
    assert days(understand("29 February", years=range(2020, 2025))) == ["2020-02-29", "2024-02-29"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("When did Caroline go?", (1,)),
        ("what is CAROLINE'S job", (1,)),
        ("Melanie\u2019s and caroline's plan", (1, 2)),
        ("What did John say?", (3, 4)),
        ("What did John Smith say?", (3,)),
        ("what about smith?", ()),
        ("Carolines", ()),
        ("When will she go?", ()),
        ("Will Melanie go?", (2,)),
        ("What does Will want?", (5,)),
        ("Will's plan", (5,)),
        ("the plan", ()),
        ("what did the assistant say", (6,)),
        ("o'brien's dog", (7,)),
        ("Frag JÖRG WEISS", (8,)),
        ("Nobody here", ()),
    ],
)
def test_authors_of_examples(query: str, expected: tuple[int, ...]) -> None:
    assert understand(query, authors=AUTHORS).authors == expected
    assert understand(query, authors=AuthorNames(AUTHORS)).authors == expected


@pytest.mark.parametrize(
    ("query", "when", "value"),
    [
        ("When did she go?", True, True),
        ("'What day is it?", True, True),
        ("which week was it", True, True),
        ("How long have they been married?", True, True),
        ("Since when is it so", True, False),
        ("in what year did he move", True, False),
        ("Whenever she goes", False, False),
        ("What daydream?", False, True),
        ("What is my budget?", False, True),
        ("how many books", False, True),
        ("At what temperature", False, True),
        ("How did my plan progress?", False, False),
        ("What changed between May and June?", False, False),
        ("What is the order of events?", False, False),
        ("What is my border?", False, True),
        ("What is a summary of it?", False, False),
        ("When did it start, and when did it end?", True, False),
        ("Who is different?", False, False),
        ("Tell me the date", False, False),
        ("", False, False),
        ("When does it start, and in which office?", True, False),
    ],
)
def test_what_a_question_asks_for(query: str, when: bool, value: bool) -> None:
    cues = understand(query)
    assert (cues.asks_when, cues.value_question) == (when, value)


@given(ANY_TEXT, st.lists(st.integers(-5, 10_000), max_size=4))
def test_any_text_gives_ordered_half_open_intervals(query: str, years: list[int]) -> None:
    cues = understand(query, authors=AUTHORS, years=years)
    assert list(cues.dates) == sorted(set(cues.dates))
    assert all(-(2**63) <= start < end < 2**63 for start, end in cues.dates)
    assert list(cues.authors) == sorted(set(cues.authors))
    assert set(cues.authors) <= set(AUTHORS.values())


MONTHS = ["jan", "february", "Mar", "april", "May", "june", "JULY", "aug", "sept", "October", "nov"]


@given(st.integers(1, 31), st.sampled_from(MONTHS), st.permutations(range(1999, 2004)), st.data())
def test_years_stand_in_for_a_missing_year(
    day: int, month: str, years: list[int], data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(["{d} {m}", "{m} {d}", "in {m}", "the {d}th of {m}"]))
    phrase = form.format(d=day, m=month)
    without = understand(phrase, years=years).dates
    written = [interval for year in years for interval in understand(f"{phrase} {year}").dates]
    assert list(without) == sorted(written)


@given(ANY_TEXT.filter(lambda name: "caroline" not in name.casefold()))
def test_a_name_that_is_not_in_the_question_changes_nothing(name: str) -> None:
    with_other = AuthorNames({"Caroline": 1, name + "x": 2})
    assert with_other("When did Caroline go?") == (1,)


def test_the_lookup_may_be_any_callable() -> None:
    assert understand("q", authors=lambda query: [len(query)]).authors == (1,)


def test_terms_are_the_tokens_of_the_whole_question() -> None:
    assert understand("When did Caroline's cats run?").terms == "when did carolin cat run"


def test_another_language_is_one_object() -> None:
    class German:
        code = "de-test"
        stop_words = frozenset({"der"})
        common_words = lead_words = bridge_words = frozenset({"der"})

        def stemmer(self):
            return str.upper

        def is_question(self, text):
            return "?" in text

        holds_question = is_question

        def has_time_expression(self, text, words):
            return "gestern" in (text, *words)

        def stated(self, *_):
            return Stated()

        def dates(self, query, years):
            return tuple((year, year + 1) for year in years) if "gestern" in query else ()

        def asks_when(self, query):
            return query.startswith("Wann")

        def is_value_question(self, query):
            return query.startswith("Wie viel")

    german = German()
    assert isinstance(german, Language)
    cues = understand("Wann kam der Hund gestern?", years=[0], language=german)
    assert cues == QueryCues("WANN KAM HUND GESTERN", (), ((0, 1),), True, False)
    assert understand("der Hund").terms == "der hund"
    assert isinstance(ENGLISH, Language)


@pytest.mark.parametrize(
    "unit", ["7 May ", "in may ", "jan" + " " * 1000, "7 " * 10, "'s ", "how "]
)
def test_ten_megabytes_take_linear_time(unit: str) -> None:
    cues = understand(unit * (10_000_000 // len(unit)), authors=AUTHORS, years=[2023])
    assert len(cues.dates) <= 1
