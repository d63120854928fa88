"""The rule extractor against a plain reading of its rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.text import (
    QUESTION,
    TIME_EXPRESSION,
    ExtractContext,
    Extraction,
    Extractor,
    Link,
    RuleExtractor,
    Stored,
    Turn,
    tokens,
)

TEXTS = st.sampled_from(
    ["Where did you go?", "To Rome.", "Really? Tell me", "Yes", "", "See you tomorrow", "\ud800\0?"]
)
TURNS = st.builds(
    Turn,
    text=TEXTS,
    kind=st.sampled_from(["episodic", "episodic", "document"]),
    scope=st.sampled_from([(), ("a",)]),
    session=st.sampled_from([None, "s1", "s2"]),
    author=st.sampled_from([None, "Caroline", "Melanie"]),
)


def extract(*turns: Turn, last: dict | None = None) -> list[Extraction]:
    return RuleExtractor().extract(turns, ExtractContext(last or {}))


def predecessor(turns: list[Turn], index: int) -> int | None:
    turn = turns[index]
    if turn.kind != "episodic" or turn.session is None:
        return None
    key = (turn.kind, turn.scope, turn.session)
    earlier = [i for i in range(index) if (turns[i].kind, turns[i].scope, turns[i].session) == key]
    return earlier[-1] if earlier else None


@given(st.lists(TURNS, max_size=12))
def test_extractions_follow_the_rules(turns: list[Turn]) -> None:
    found = extract(*turns)
    assert len(found) == len(turns)
    for index, (turn, made) in enumerate(zip(turns, found, strict=True)):
        own = tokens(turn.text)
        before = predecessor(turns, index)
        document, links, dialogue = own, [], False
        if before is not None:
            links.append(Link(before, index, "next", 1.0))
            asked = turns[before]
            authors = {turn.author, asked.author}
            dialogue = len(authors) == 2 and None not in authors
            if dialogue and "?" in asked.text:
                links.append(Link(index, before, "answers", 1.0))
                document = tokens(asked.text) + own
        assert made.terms.split() == document
        assert made.length == len(own)
        assert list(made.links) == links
        asks = turn.text.rstrip().endswith("?")
        assert bool(made.flags & QUESTION) == (dialogue and asks)
        assert made.triples == ()


@given(st.lists(TURNS, max_size=10), st.integers(0, 10))
def test_one_batch_or_two_make_the_same(turns: list[Turn], cut: int) -> None:
    whole = extract(*turns)
    first, second = turns[:cut], turns[cut:]
    last = {}
    for index, turn in enumerate(first):
        if turn.session is not None and turn.kind == "episodic":
            last[turn.scope, turn.session] = turn._replace(id=100 + index)

    def place(end: int | Stored) -> int:
        return end.id - 100 if isinstance(end, Stored) else end + len(first)

    parts = extract(*first)
    for made in extract(*second, last=last):
        links = tuple(Link(place(s), place(t), kind, w) for s, t, kind, w in made.links)
        parts.append(made._replace(links=links))
    assert parts == whole


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("How are you?", QUESTION),
        ("How are you?  \n", QUESTION),
        ("How? Fine.", 0),
        ("We met yesterday", TIME_EXPRESSION),
        ("Did it happen last week?", QUESTION | TIME_EXPRESSION),
        ("a couple of days ago", TIME_EXPRESSION),
        ("NEXT\n Month", TIME_EXPRESSION),
        ("this weekend's plan", TIME_EXPRESSION),
        ("last summer", TIME_EXPRESSION),
        ("back in 1998", TIME_EXPRESSION),
        ("room 3000", 0),
        ("on Friday", TIME_EXPRESSION),
        ("in september", TIME_EXPRESSION),
        ("in May", TIME_EXPRESSION),
        ("you may march on", 0),
        ("the last one, this time next door", 0),
        ("I like tea", 0),
        ("", 0),
    ],
)
def test_flags_of_examples(text: str, flags: int) -> None:
    before = Turn("Hello.", author="Ann", session="1")
    made = extract(before, Turn(text, author="Bo", session="1"))[1]
    assert made.flags & (QUESTION | TIME_EXPRESSION) == flags


def test_a_question_in_a_monologue_is_content() -> None:
    turns = [Turn("Notes.", author="Ann", session="1"), Turn("Why?", author="Ann", session="1")]
    assert [made.flags for made in extract(*turns, Turn("Why?"))] == [0, 0, 0]


def test_the_pair_document_puts_the_question_first() -> None:
    ask = Turn("Where did you go last week?", session="s", author="Caroline")
    answer = Turn("Caroline, to Rome", session="s", author="Melanie")
    made = extract(ask, answer)[1]
    assert made.terms == "where did you go last week carolin rome"
    assert made.length == 2
    assert made.links == (Link(0, 1, "next"), Link(1, 0, "answers"))
    assert made.flags == 0


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (Turn("Who?", session="s", author="A"), Turn("Me", session="s", author="A")),
        (Turn("Who?", session="s", author="A"), Turn("Me", session="t", author="B")),
        (Turn("Who?", session="s", author="A"), Turn("Me", scope=("x",), session="s", author="B")),
        (Turn("Who?", session="s"), Turn("Me", session="s", author="B")),
        (Turn("Who?", session="s", author="A"), Turn("Me", session="s")),
        (Turn("Who?", author="A"), Turn("Me", author="B")),
        (Turn("Who.", session="s", author="A"), Turn("Me", session="s", author="B")),
        (
            Turn("Who?", kind="document", session="s", author="A"),
            Turn("Me", kind="document", session="s", author="B"),
        ),
    ],
    ids=["author", "session", "scope", "asker", "answerer", "no session", "no question", "kind"],
)
def test_no_pair_where_one_condition_fails(ask: Turn, answer: Turn) -> None:
    made = extract(ask, answer)[1]
    assert made.terms == "me"
    assert all(link.type != "answers" for link in made.links)


def test_a_document_between_two_turns_does_not_break_the_chain() -> None:
    ask = Turn("Who?", session="s", author="A")
    paper = Turn("A paper", kind="document", session="s", author="C")
    answer = Turn("Me", session="s", author="B")
    assert extract(ask, paper, answer)[2].links == (Link(0, 2, "next"), Link(2, 0, "answers"))


def test_a_session_goes_on_from_its_stored_turn() -> None:
    last = {((), "s"): Turn("Who?", session="s", author="A", id=41)}
    made = extract(Turn("Me", session="s", author="B"), last=last)[0]
    assert made.links == (Link(Stored(41), 0, "next"), Link(0, Stored(41), "answers"))
    assert made.terms == "who me"


def test_a_length_fits_sixteen_bits() -> None:
    (made,) = extract(Turn("word " * 70_000))
    assert made.length == 65_535
    assert made.terms.count("word") == 70_000


def test_the_rules_are_an_extractor_with_a_stable_id() -> None:
    assert isinstance(RuleExtractor(), Extractor)
    assert RuleExtractor().id == "rules-en-1"


@pytest.mark.parametrize("unit", ["this ", "this" + " " * 1000, "1 ", "last\n", "?"])
def test_ten_megabytes_take_linear_time(unit: str) -> None:
    (made,) = extract(Turn(unit * (10_000_000 // len(unit))))
    assert made.length in {0, 65_535}
