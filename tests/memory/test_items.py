"""Items that are laid out a column at a time are those of one at a time, errors included."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.memory import InvalidArgumentError
from remanence.memory.changes import MEMORY_DTYPES, _texts_of
from remanence.memory.items import Batch, batch_of


class Name(str):
    """Text of another type."""


FIELDS: dict[str, list[Any]] = {
    "text": ["tea", "", "\u00e9t\u00e9", Name("x"), "\ud800", 7, None],
    "scope": [(), "a", ("a", "b"), ["a"], "", (1,), None],
    "kind": ["episodic", "document", "entity", "nothing", None, 2],
    "time": [None, 0, 10**18, True, -(2**63), 2**63, "2024-05-07", datetime(2024, 5, 7), "soon"],
    "author": [None, "Ada", Name("Ada"), "", 3, "\ud800"],
    "session": [None, "1", "2", ["1"]],
    "subject": [None, "Lisbon", ""],
    "belief": [1.0, 0.5, 1, "1", None, float("nan")],
    "importance": [0.0, -0.0, 3, True],
    "pinned": [True, False, 1],
    "law": ["power_trace", "half_life", "none"],
    "meta": [None, {"a": 1}, {1: 2}, {"a": float("nan")}],
    "valid_from": [None, 5, "2024-01-01"],
    "valid_to": [None, 9, 1],
    "triples": [None, [("a", "b", "c")], [("a",)]],
    "vector": [None, [1.0]],
    "colour": ["red"],
}


def pick(name: str) -> st.SearchStrategy[Any]:
    """Mostly values that are right, so that most batches are."""
    values = FIELDS[name]
    return st.one_of(*[st.sampled_from(values[:2])] * 7, st.sampled_from(values))


ITEMS = st.fixed_dictionaries(
    {"text": pick("text")},
    optional={name: pick(name) for name in FIELDS if name not in ("text", "colour")},
)
ODD = st.one_of(st.just("tea"), st.just({}), st.just({"text": "x", "colour": "red"}), st.just(3))


def made(items: Any, defaults: dict[str, Any]) -> Batch | str:
    try:
        return batch_of("add_many", items, defaults)
    except InvalidArgumentError as error:
        return str(error)


@given(
    st.one_of(*[st.lists(ITEMS, max_size=5)] * 6, st.lists(st.one_of(ITEMS, ODD), max_size=5)),
    st.sampled_from([{}, {}, {"kind": "document"}, {"author": "Bo", "valid_from": 3}]),
)
def test_a_list_gives_what_an_iterator_gives(items: list[Any], defaults: dict[str, Any]) -> None:
    by_column, by_item = made(items, defaults), made(iter(items), defaults)
    assert repr(by_column) == repr(by_item)  # NaN is itself here
    if isinstance(by_column, Batch) and isinstance(by_item, Batch):
        types = [[type(value) for value in batch.author] for batch in (by_column, by_item)]
        assert types[0] == types[1]


@pytest.mark.parametrize("time", [2**63, -(2**63)])
def test_one_time_out_of_range_is_found_in_a_column(time: int) -> None:
    items = [{"text": "x", "time": 5}, {"text": "y", "time": time}, {"text": "z", "time": 6}]
    with pytest.raises(InvalidArgumentError, match=r"out of range .* this is item 1"):
        batch_of("add_many", items, {})


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_the_text_of_numbers_is_that_of_their_tuple(rows: int) -> None:
    rng = np.random.default_rng(rows)
    columns: dict[str, Any] = {
        name: rng.integers(0, 100, rows).astype(dtype) for name, dtype in MEMORY_DTYPES.items()
    }
    columns["importance"] = np.array([0.0, -0.0, -0.0][:rows], np.float32)
    columns["belief"] = np.full(rows, 0.9, np.float32)
    wanted = [
        str(row) for row in zip(*(columns[name].tolist() for name in MEMORY_DTYPES), strict=True)
    ]
    assert list(_texts_of(columns)) == wanted
