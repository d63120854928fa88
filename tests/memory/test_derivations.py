"""A memory cannot rest on itself: cycles of derived_from are refused, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import remanence
from remanence import InvalidArgumentError

pytestmark = pytest.mark.native

ends = st.tuples(st.integers(1, 5), st.integers(1, 5)).filter(lambda pair: pair[0] != pair[1])


def cyclic(edges: list[tuple[int, int]]) -> bool:
    """Whether taking away what rests on nothing, again and again, leaves something."""
    left = set(edges)
    while any(rests := {a for a, _ in left}):
        gone = {(a, b) for a, b in left if b not in rests}
        if not gone:
            return True
        left -= gone
    return False


@given(st.lists(st.lists(ends, min_size=1, max_size=4), max_size=6), st.data())
@settings(max_examples=60)
def test_no_cycle_gets_in(tmp_path_factory, batches, data):
    path = tmp_path_factory.mktemp("store") / "m.remanence"
    with remanence.open(path, embedder=None, extractor="default") as memory:
        memory.add_many(["a", "b", "c", "d", "e"])
        held: dict[int, tuple[int, int]] = {}
        for batch in batches:
            rows = [(a, b, "derived_from") for a, b in batch]
            commits = memory.stats().commits
            if cyclic([*held.values(), *batch]):
                with pytest.raises(InvalidArgumentError, match="cannot be derived from itself"):
                    memory.link_many(rows)
                assert memory.stats().commits == commits
                memory.link_many([(a, b, "related") for a, b in batch])
            else:
                numbers = memory.link_many(rows).tolist()
                held |= dict(zip(numbers, batch, strict=True))
            if held and data.draw(st.booleans()):
                number = data.draw(st.sampled_from(sorted(held)))
                memory.unlink(number)
                del held[number]


def test_the_sentence_names_the_way(tmp_path):
    with remanence.open(tmp_path / "m.remanence", embedder=None) as memory:
        a, b, c = memory.add_many(["a", "b", "c"]).tolist()
        memory.link_many([(a, b, "derived_from"), (b, c, "derived_from")])
        with pytest.raises(InvalidArgumentError) as caught:
            memory.link(c, a, "derived_from")
        assert str(caught.value).startswith("link: a memory cannot be derived from itself (got ")
        assert str(caught.value).count("->") == 3
        words = [("Tea", "derived_from", "Leaf"), ("Leaf", "derived_from", "Tea")]
        with pytest.raises(InvalidArgumentError, match="add: a memory cannot be derived"):
            memory.add("Odd.", triples=words)


def test_a_long_chain_is_no_cycle(tmp_path):
    with remanence.open(tmp_path / "m.remanence", embedder=None) as memory:
        ids = memory.add_many([str(i) for i in range(3000)]).tolist()
        pairs = zip(ids[1:], ids[:-1], strict=True)
        memory.link_many([(a, b, "derived_from") for a, b in pairs])
        with pytest.raises(InvalidArgumentError, match="and so on"):
            memory.link(ids[0], ids[-1], "derived_from")
