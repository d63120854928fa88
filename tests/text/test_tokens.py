"""Tokens of the lexical index against a slow, obvious definition."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import Stemmer
from hypothesis import given
from hypothesis import strategies as st

from remanence.text.tokens import MAX_WORD, Tokenizer, terms, text_length, tokens

STOP_WORDS = [
    *("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is"),
    *("it", "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there"),
    *("these", "they", "this", "to", "was", "will", "with"),
]
ANY_TEXT = st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])))
ENGLISH = st.lists(st.sampled_from([*STOP_WORDS, "running", "Cats", "Berlin's", "I", "2023", "?"]))


def judge(text: str) -> list[str]:
    stem = Stemmer.Stemmer("english").stemWord
    words = re.findall(r"\b\w\w+\b", text.lower())
    return [stem(word[:MAX_WORD]) for word in words if word not in STOP_WORDS]


@given(st.one_of(ANY_TEXT, ENGLISH.map(" ".join)))
def test_tokens_equal_the_judge_on_any_text(text: str) -> None:
    assert tokens(text) == judge(text)


@given(ANY_TEXT, ANY_TEXT)
def test_tokens_of_joined_texts_are_the_joined_tokens(one: str, other: str) -> None:
    assert tokens(f"{one} {other}") == tokens(one) + tokens(other)


@given(ANY_TEXT)
def test_a_token_is_one_bounded_word(text: str) -> None:
    for token in tokens(text):
        assert re.fullmatch(r"\w+", token)
        assert len(token) <= MAX_WORD


@given(ANY_TEXT)
def test_terms_and_length_are_views_of_the_tokens(text: str) -> None:
    assert terms(text).split(" ") == (tokens(text) or [""])
    assert text_length(text) == len(tokens(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("The cats were running", ["cat", "were", "run"]),
        ("To be or not to be", []),
        ("I am 7 in 2023, OK?", ["am", "2023", "ok"]),
        ("Berlin's galleries", ["berlin", "galleri"]),
        ("run RUN Running", ["run", "run", "run"]),
        ("snake_case x-ray", ["snake_cas", "ray"]),
        ("nul\0byte \ud800 lone", ["nul", "byte", "lone"]),
        ("Müller ging über Straßen", ["müller", "ging", "über", "straßen"]),
        ("'; DROP TABLE memory; --", ["drop", "tabl", "memori"]),
    ],
)
def test_tokens_of_examples(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_stems_are_not_stable_under_a_second_stemming() -> None:
    # Why a stored lexical document is never tokenized again.
    assert tokens("agreed") == ["agre"]
    assert tokens("agre") == ["agr"]
    assert tokens("ands") == ["and"]
    assert tokens("and") == []


def test_a_long_word_is_cut_and_never_cached() -> None:
    tokenizer = Tokenizer()
    assert tokenizer.tokens("x" * 1000) == tokenizer.tokens("x" * 2000) == ["x" * MAX_WORD]
    assert not tokenizer._stems


def test_the_cache_is_bounded_and_forgetting_changes_nothing() -> None:
    tokenizer = Tokenizer(cached_words=8)
    text = " ".join(f"running{number}s" for number in range(100))
    assert tokenizer.tokens(text) == judge(text)
    assert len(tokenizer._stems) <= 8


def test_threads_share_a_tokenizer() -> None:
    tokenizer = Tokenizer(cached_words=16)
    texts = [f"running runners{n} galleries{n % 7} of connected{n % 3}" for n in range(300)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(tokenizer.tokens, texts * 4)) == [judge(text) for text in texts] * 4


@pytest.mark.parametrize("unit", ["word ", "a", " ", "?", "_", "ß", "\0"])
def test_ten_megabytes_take_linear_time(unit: str) -> None:
    # A quadratic step would not return within the life of this test run.
    text = unit * (10_000_000 // len(unit))
    assert len(tokens(text)) in {0, 1, 2_000_000}
