"""What must hold of the evidence in a question, whatever the rows: properties of the recipe."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import TERMS
from tests.strategies import (
    DAY,
    T0,
    WORDS,
    Pair,
    agree,
    documents,
    edge,
    question,
    request_of,
    row,
    rows,
    vector,
)

from remanence import _core

pytestmark = pytest.mark.native

LINKED = ("next", "session", "mention", "spreading", "triples", "newer")
UPDATE, DATED = 8, 16
ASKED = "heron tide lamp ochre"
ROWS = st.lists(rows(4), min_size=1, max_size=20)
EDGES = st.lists(
    st.tuples(st.integers(0, 99), st.integers(0, 99), st.sampled_from([1, 2, 3, 3, 4, 7, 7, 16])),
    max_size=30,
)


def store(memories: list[dict[str, Any]], links: list[tuple[int, int, int]]) -> Pair:
    pair = Pair()
    pair.append(*[r | {"id": i + 1} for i, r in enumerate(memories)])
    ends = [(a % len(memories) + 1, b % len(memories) + 1, kind) for a, b, kind in links]
    edges = [edge(n + 1, a, b, type=kind) for n, (a, b, kind) in enumerate(ends) if a != b]
    if edges:
        pair.link(*edges)
    return pair


def asked(pair: Pair, **request: Any) -> dict[int, dict[str, float]]:
    """id -> term -> nats of every memory, best first."""
    given = {"k": 1000, "explain": True, "terms": ASKED, "vector": vector(3, 4)} | request
    hits = pair.engine.recall(request_of(question(**given)))
    values = hits.terms.reshape(-1, len(TERMS)).tolist()
    return {
        i: dict(zip(TERMS, of_hit, strict=True))
        for i, of_hit in zip(hits.id.tolist(), values, strict=True)
    }


@given(ROWS, EDGES)
def test_links_only_ever_add(memories, links) -> None:
    for terms in asked(store(memories, links), asks_value=True, names=[1]).values():
        assert all(terms[name] >= 0 for name in (*LINKED, "subject"))


@given(ROWS)
def test_without_links_and_sessions_a_turn_keeps_its_own_evidence(memories) -> None:
    alone = [r | {"session": 0} for r in memories]
    off = _core.Weights(session=0.0).to_dict()
    for terms in asked(store(alone, []), weights=off).values():
        assert all(terms[name] == 0 for name in LINKED)


@given(ROWS, EDGES, st.sampled_from(["asphodel", "zyzzyva qoph"]))
def test_unknown_words_change_nothing(memories, links, words) -> None:
    pair = store(memories, links)
    assert asked(pair, terms=f"{ASKED} {words}") == asked(pair)


@given(ROWS, EDGES)
def test_an_author_whom_nobody_is_or_a_far_date_leaves_the_order(memories, links) -> None:
    turns = [r | {"kind": 0, "author": 1} for r in memories]
    pair = store(turns, links)
    plain = list(asked(pair, weights=_core.Weights(session=0.0).to_dict()))
    unknown = asked(pair, authors=[99], weights=_core.Weights(session=0.0).to_dict())
    assert list(unknown) == plain
    later = [T0 + 10**9 * DAY // 10**5, T0 + 10**9 * DAY // 10**5 + DAY]
    same_time = store([r | {"time": T0} for r in turns], [])
    with_date = asked(same_time, dates=[later], weights=_core.Weights(session=0.0).to_dict())
    without = asked(same_time, weights=_core.Weights(session=0.0).to_dict())
    assert list(with_date) == list(without)


def many(seed: int) -> Pair:
    """70 turns and documents in three sessions with links of every kind, drawn from a seed."""
    rng = np.random.default_rng(seed)
    memories = [
        row(i + 1, kind=int(rng.choice([0, 0, 2])), session=i % 3 + 1, time=T0 + i * DAY,
            terms=" ".join(rng.choice(WORDS, 3)), vector=rng.standard_normal(4).tolist())
        for i in range(70)
    ]  # fmt: skip
    kinds = rng.choice([1, 2, 3, 7], 90)
    ends = rng.integers(0, 70, (90, 2))
    return store(memories, np.column_stack([ends, kinds]).tolist())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("closed", [False, True])
def test_removing_a_row_that_is_no_seed_changes_no_other(seed: int, closed: bool) -> None:
    """But for the statistics of words and vectors, and for the size of its session."""
    pair = many(seed)
    counted = ("lexical", "lexical_document", "centring", "session", "mentioned", "mentioning")
    weights = dict.fromkeys(counted, 0.0) if closed else {}
    hop = dict.fromkeys(("session", "next", "mentioned", "mentioning"), 0.0)
    own = list(asked(pair, weights=_core.Weights(**(weights | hop)).to_dict()))
    given = {"weights": _core.Weights(**weights).to_dict()}
    removed = own[52 + seed % (len(own) - 52)]
    before = asked(pair, **given)
    assert any(terms["next"] > 0 for terms in before.values())
    if closed:
        pair.by_ids("close", removed)
    after = asked(pair, **given, **({} if closed else {"exclude": [removed]}))
    assert list(after) == [memory for memory in before if memory != removed]
    assert all(after[memory] == before[memory] for memory in after)


@st.composite
def statements(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows that say nearly the same at different times, some of them with a change."""
    count = draw(st.integers(1, 8))
    return [
        row(
            i + 1,
            kind=draw(st.sampled_from([0, 1, 2])),
            time=T0 + draw(st.integers(0, 5)) * DAY,
            flags=draw(st.sampled_from([0, UPDATE, UPDATE | DATED])),
            terms=draw(st.sampled_from([ASKED, ASKED, "heron tide"])) + " " + draw(documents),
        )
        for i in range(count)
    ]


@given(statements(), EDGES, st.integers(1, 9), st.booleans())
def test_newer_rows_rise_as_the_judge_says_and_the_best_five_stay(
    memories, links, k, value
) -> None:
    pair = store(memories, [(a, b, 4) for a, b, _ in links[:3]])
    agree(pair, question(terms=ASKED, asks_value=value, k=k), (1, 2))
    plain = list(asked(pair, asks_value=value, weights=_core.Weights(newer=0.0).to_dict()))
    lifted = list(asked(pair, asks_value=value))
    assert set(plain[:5]) == set(lifted[:5])
    assert plain[5:] == lifted[5:]


@pytest.mark.parametrize(
    ("newer", "rises"),
    [
        ({"flags": UPDATE, "terms": f"{ASKED} #12:tide:tide"}, True),  # what the question counts
        ({"flags": UPDATE, "terms": f"{ASKED} #12:week:week"}, True),  # the older row says 9 weeks
        ({"flags": UPDATE, "terms": f"{ASKED} #9:week:week"}, False),  # the same number
        ({"flags": UPDATE, "terms": f"{ASKED} #!"}, True),
        ({"flags": UPDATE, "terms": ASKED}, False),
        ({"flags": UPDATE | DATED, "terms": ASKED}, True),
        ({"flags": DATED, "terms": f"{ASKED} #12:tide:tide"}, False),  # announces no change
        ({"flags": UPDATE, "terms": "hazel #!"}, False),  # shares no word
        ({"flags": UPDATE, "terms": f"{ASKED} #!", "time": T0 - DAY}, False),  # is older
    ],
)
def test_what_counts_as_a_newer_value(newer, rises) -> None:
    pair = Pair()
    pair.append(
        row(1, kind=1, terms=f"{ASKED} {ASKED} #9:week:week"),
        row(2, **{"kind": 1, "time": T0 + DAY} | newer),
        *[row(i, kind=1, terms=word) for i, word in enumerate(WORDS * 3, 3)],
    )
    hits = agree(pair, question(terms=ASKED, asks_value=True))
    assert (hits.id.tolist()[0] == 2) == rises
    assert agree(pair, question(terms=ASKED)).id.tolist()[0] == 1


def test_a_session_that_grew_since_shares_its_lead_as_it_did() -> None:
    pair, rng = Pair(), np.random.default_rng(1)
    turns = [
        row(i + 1, session=1, terms=" ".join(rng.choice(WORDS, 3)),
            vector=rng.standard_normal(4).tolist())
        for i in range(80)
    ]  # fmt: skip
    pair.append(*turns[:30])
    wanted = question(terms=ASKED, vector=vector(3, 4), explain=True)
    before = agree(pair, wanted)
    assert before.terms.reshape(-1, len(TERMS))[:, TERMS.index("session")].any()
    pair.append(*turns[30:])
    assert agree(pair, wanted | {"as_of": 1}).score.tolist() == before.score.tolist()
    assert agree(pair, wanted).score.tolist() != before.score.tolist()


def test_a_link_that_supersedes_lifts_for_any_question_and_until_it_is_closed() -> None:
    pair = Pair()
    pair.append(row(1, kind=1, terms="heron heron"), row(2, kind=1, terms="heron", time=T0 + DAY))
    pair.link(edge(1, 2, 1, type=4))
    assert agree(pair, question(terms="heron")).id.tolist() == [2, 1]
    pair.by_ids("unlink", 1)
    assert agree(pair, question(terms="heron")).id.tolist() == [1, 2]
    assert agree(pair, question(terms="heron", as_of=2)).id.tolist() == [2, 1]


def test_subjects_mentions_and_fans() -> None:
    """Two documents about Lisbon share the name; a seed that mentions it lends them its lead."""
    pair = Pair()
    pair.append(
        row(1, kind=4, flags=32, terms="lisbon"),
        row(2, kind=2, terms="heron"),
        row(3, kind=2, terms="ferry"),
        row(4, kind=2, terms="tide tide"),
        row(5, kind=0, terms="tide"),
        *[row(i, kind=2, terms="ochre") for i in range(6, 70)],
    )
    pair.link(edge(1, 2, 1, type=7), edge(2, 3, 1, type=7), edge(3, 4, 1, type=3))
    hits = agree(pair, question(terms="tide", names=[1], kinds=0b1111))
    of = {i: dict(zip(TERMS, t, strict=True)) for i, t in zip(hits.id, hits.terms, strict=True)}
    assert of[2]["subject"] == of[3]["subject"] == np.float32(1.0)
    assert of[2]["mention"] > 0
    assert of[4]["mention"] > 0
    assert 1 not in of
    with pytest.raises(_core.NotFoundError, match="recall: there is no memory 99"):
        pair.engine.recall(request_of(question(terms="tide", names=[99])))


def test_the_best_statements_lead_to_the_memories_of_their_phrases() -> None:
    """Ana -> Rome -> a memory that shares no word with the question."""
    pair = Pair()
    pair.append(
        row(1, kind=4, terms="ana"),
        row(2, kind=4, terms="rome"),
        row(3, kind=5, terms="heron live tide"),
        row(4, kind=2, terms="ochre"),
        row(5, kind=2, terms="hazel"),
        row(6, kind=2, terms="heron"),
    )
    pair.link(
        edge(1, 3, 1, type=7), edge(2, 3, 2, type=7), edge(3, 1, 2, type=16),
        edge(4, 4, 2, type=3), edge(5, 5, 1, type=3),
    )  # fmt: skip
    hits = agree(pair, question(terms="heron", kinds=0b1111), (1, 2))
    of = {i: dict(zip(TERMS, t, strict=True)) for i, t in zip(hits.id, hits.terms, strict=True)}
    assert of[4]["triples"] > 0
    assert of[5]["triples"] > 0
    assert of[6]["triples"] == 0
    only = agree(pair, question(terms="heron", kinds=0b1111, allow=[4]))
    assert dict(zip(TERMS, only.terms[0], strict=True))["triples"] == of[4]["triples"]
    without = agree(pair, question(terms="heron", exclude=[3], as_of=1))
    assert not without.terms[:, TERMS.index("triples")].any()


@given(ROWS, st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from([3, 7, 16]))))
def test_walks_over_statements_are_the_judges(memories, links) -> None:
    kinds = [5, 4, 4, 2, 0, 4, 5, 2]
    made = [r | {"kind": kinds[i % 8], "scope": 0} for i, r in enumerate(memories)]
    agree(store(made, links), question(terms=ASKED, vector=vector(3, 4), kinds=0b1111), (1, 2))
