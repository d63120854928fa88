"""The token estimate: its rule, its bounds, its time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.context import estimate_tokens

ANY_TEXT = st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("   \t ", 0),
        ("Hello", 1),
        ("Hello, world!", 4),
        ("international", 3),
        ("2023-05-07", 10),
        ("snake_case", 3),
        ("a\nb", 3),
        ("Möglichkeiten", 4),
        ("東京に行く", 5),
        ("\ud800\0", 2),
    ],
)
def test_estimate_of_examples(text: str, expected: int) -> None:
    assert estimate_tokens(text) == expected


@given(ANY_TEXT, ANY_TEXT)
def test_lines_add_up(one: str, other: str) -> None:
    joined = estimate_tokens(f"{one}\n{other}")
    assert joined == estimate_tokens(one) + 1 + estimate_tokens(other)


@given(ANY_TEXT, ANY_TEXT)
def test_joining_never_costs_more(one: str, other: str) -> None:
    assert estimate_tokens(one + other) <= estimate_tokens(one) + estimate_tokens(other)


def test_estimate_lies_a_little_above_a_real_tokenizer() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    from importlib.util import find_spec
    from pathlib import Path

    (folder,) = find_spec("wordllama").submodule_search_locations
    (file,) = (Path(folder) / "tokenizers").glob("*.json")
    tokenizer = tokenizers.Tokenizer.from_file(str(file))
    text = (
        "I went to the support group yesterday and it was so powerful. The stories were inspiring,"
        " and I was thankful for all the help! On 7 May 2023 we drove to Boston (about 4 hours), "
        "had dinner with Melanie's parents, and talked about adoption agencies until midnight. "
        "Honestly? I haven't felt that accepted in years; she's been my rock through everything."
    )
    real = len(tokenizer.encode(text, add_special_tokens=False).ids)
    assert 1.0 <= estimate_tokens(text) / real <= 1.25


@pytest.mark.parametrize("unit", ["word ", "a", " ", "ß", "7", "_"])
def test_ten_megabytes_take_linear_time(unit: str) -> None:
    assert estimate_tokens(unit * (10_000_000 // len(unit))) <= 10_000_000
