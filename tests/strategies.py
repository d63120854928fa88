"""Random memories, histories and requests, and the pair of engine and judge they are put to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from tests.reference import TERMS, Judge

from remanence import _core

F = np.float32
Row = dict[str, Any]

HOUR = 3600 * 10**9
DAY = 24 * HOUR
T0 = 1_700_000_000 * 10**9
TIME_MIN, TIME_MAX = -(2**63), 2**63 - 1
WORDS = ("heron", "ferry", "hazel", "lamp", "tide", "ochre")
VECTORS = 8

COLUMNS = {
    "id": np.int64, "scope": np.uint32, "kind": np.uint8, "law": np.uint8, "flags": np.uint8,
    "author": np.uint32, "session": np.uint32, "length": np.uint16, "time": np.int64,
    "valid_from": np.int64, "valid_to": np.int64, "belief": np.float32, "importance": np.float32,
}  # fmt: skip
EDGE_COLUMNS = {
    "edge": np.int64, "source": np.int64, "target": np.int64, "type": np.uint16,
    "weight": np.float32, "valid_from": np.int64, "valid_to": np.int64,
}  # fmt: skip
TOUCH_COLUMNS = {"id": np.int64, "time": np.int64, "weight": np.float32, "used": np.int8}
REQUEST_COLUMNS = {
    "vector": np.float32, "scopes": np.uint32, "allow": np.int64, "exclude": np.int64,
    "authors": np.uint32, "dates": np.int64, "cues": np.int64, "names": np.int64,
}  # fmt: skip


@cache
def vector(number: int, dim: int) -> tuple[float, ...]:
    """One of a few vectors of a dimension: few, so that equal ones, hence ties, are common."""
    rng = np.random.default_rng([number, dim])
    scale = {1: 1e-14, 2: 1e14}.get(number, 1.0)
    values = np.ones(dim) if number == 0 else rng.standard_normal(dim) * scale
    return tuple(values.astype(F).tolist())


def to_arrays(rows: Iterable[Row], dtypes: dict[str, type]) -> dict[str, np.ndarray]:
    rows = list(rows)
    return {name: np.array([r[name] for r in rows], dtype=t) for name, t in dtypes.items()}


def memory_arrays(rows: list[Row]) -> dict[str, Any]:
    """Arguments of Engine.append."""
    vectors = [r["vector"] for r in rows if r["vector"] is not None]
    arrays: dict[str, Any] = to_arrays(rows, COLUMNS) | {"terms": [r["terms"] for r in rows]}
    if vectors:
        number = np.cumsum([r["vector"] is not None for r in rows]) - 1
        which = [n if r["vector"] is not None else -1 for n, r in zip(number, rows, strict=True)]
        arrays["vectors"] = np.array(vectors, dtype=F)
        arrays["vector_row"] = np.array(which, dtype=np.int32)
    return arrays


def row(memory: int, **columns: Any) -> Row:
    """A plain episodic memory, with what a test wants of it."""
    plain = {
        "id": memory, "scope": 0, "kind": 0, "law": 0, "flags": 0, "author": 0, "session": 0,
        "length": 5, "time": T0, "valid_from": TIME_MIN, "valid_to": TIME_MAX, "belief": 1.0,
        "importance": 0.0, "terms": "", "vector": None,
    }  # fmt: skip
    return plain | columns


def edge(number: int, source: int, target: int, **columns: Any) -> Row:
    plain = {"type": 1, "weight": 1.0, "valid_from": TIME_MIN, "valid_to": TIME_MAX}
    return {"edge": number, "source": source, "target": target} | plain | columns


def request_of(request: Row) -> _core.Request:
    arguments = dict(request)
    for name, dtype in REQUEST_COLUMNS.items():
        if arguments.get(name) is not None:
            arguments[name] = np.array(arguments[name], dtype=dtype)
    if arguments.get("dates") is not None:
        arguments["dates"] = arguments["dates"].reshape(-1, 2)
    arguments["weights"] = _core.Weights(**arguments["weights"])
    return _core.Request(**arguments)


def question(**arguments: Any) -> Row:
    """A request with the default weights."""
    return {"now": T0 + DAY, "weights": _core.Weights().to_dict()} | arguments


class Pair:
    """An engine on every backend and a judge, all written alike, one commit per write."""

    def __init__(self, dim: int = 0) -> None:
        self.engines = {name: _core.Engine(dim, name) for name in _core.available_backends()}
        self.judge = Judge()

    @property
    def engine(self) -> _core.Engine:
        return self.engines["cpu"]

    @engine.setter
    def engine(self, engine: _core.Engine) -> None:
        self.engines["cpu"] = engine

    @property
    def seq(self) -> int:
        return self.judge.seq

    def append(self, *rows: Row) -> None:
        for engine in self.engines.values():
            engine.append(self.seq + 1, **memory_arrays(list(rows)))
        self.judge.append(self.seq + 1, rows)

    def touch(self, *touches: Row) -> None:
        for engine in self.engines.values():
            engine.touch(self.seq + 1, **to_arrays(touches, TOUCH_COLUMNS))
        self.judge.touch(self.seq + 1, touches)

    def link(self, *edges: Row) -> None:
        for engine in self.engines.values():
            engine.link(self.seq + 1, **to_arrays(edges, EDGE_COLUMNS))
        self.judge.link(self.seq + 1, edges)

    def by_ids(self, verb: str, *ids: int) -> None:
        """close, restore, erase or unlink."""
        for engine in self.engines.values():
            getattr(engine, verb)(self.seq + 1, np.array(ids, dtype=np.int64))
        getattr(self.judge, verb)(self.seq + 1, ids)


def bits(values: Any) -> list[int]:
    """Float32 as integers; -0 counts as 0, since adding 0 terms may lose its sign."""
    return (np.asarray(values, dtype=F) + F(0)).view(np.uint32).ravel().tolist()


def answers(hits: _core.Hits) -> dict[str, Any]:
    """Everything of an answer, comparable bit for bit."""
    out = {name: bits(getattr(hits, name)) for name in ("score", "p_use", "belief")}
    out["terms"] = None if hits.terms is None else bits(hits.terms)
    return out | {"id": hits.id.tolist(), "scanned": hits.scanned}


def same(engine: _core.Engine, request: Row, judge: _core.Engine) -> None:
    """Two engines give the same ids and the same bits, of every term and every count."""
    asked = request | {"explain": True, "threads": 1}
    assert answers(engine.recall(request_of(asked))) == answers(judge.recall(request_of(asked)))


def agree(pair: Pair, request: Row, threads: Iterable[int] = (1,)) -> _core.Hits:
    """The engine's answer, after every backend's was found equal to the judge's bit for bit."""
    want, scanned = pair.judge.recall(request)
    for name, engine in pair.engines.items():
        if name != "cpu":
            same(engine, request, pair.engine)
    for count in threads:
        hits = pair.engine.recall(request_of(request | {"explain": True, "threads": count}))
        assert hits.id.tolist() == [h["id"] for h in want]
        assert hits.scanned == scanned
        terms = hits.terms.reshape(-1, len(TERMS))
        for name, column in zip(TERMS, terms.T, strict=True):
            position = TERMS.index(name)
            assert bits(column) == bits([h["terms"][position] for h in want]), name
        for name in ("score", "belief", "p_use"):
            assert bits(getattr(hits, name)) == bits([h[name] for h in want]), name
    return hits


def conversation(turns: int, sessions: int, **columns: Any) -> Pair:
    """Turns of short random text, each linked to the next of its session."""
    rng = np.random.default_rng(turns)
    pair = Pair()
    memories = [
        row(
            i + 1,
            session=i * sessions // turns + 1,
            terms=" ".join(rng.choice(WORDS, 3)),
            vector=rng.standard_normal(6).astype(F).tolist(),
            time=T0 + i * HOUR,
        )
        for i in range(turns)
    ]
    pair.append(*[m | columns for m in memories])
    same = [i for i in range(1, turns) if memories[i - 1]["session"] == memories[i]["session"]]
    pair.link(*[edge(i, i, i + 1) for i in same])
    return pair


# Strategies.
def rare(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


times = st.one_of(
    st.integers(0, 40).map(lambda n: T0 + n * 7 * HOUR), rare(TIME_MIN, TIME_MAX, 0, T0 - 1)
)
ends = st.one_of(
    st.just(TIME_MAX), st.just(TIME_MAX), st.integers(1, 10).map(lambda n: T0 + n * DAY)
)
starts = st.one_of(st.just(TIME_MIN), st.integers(-9, 0).map(lambda n: T0 + n * DAY))
beliefs = st.one_of(st.just(1.0), st.floats(2.0**-20, 1.0, width=32))
texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
VALUES = ("#3:heron:heron:tide", "#4:heron:heron", "#3:tide", "#!", "#9", "#:", "#5::lamp")
documents = st.tuples(texts, st.lists(st.sampled_from(VALUES), max_size=3).map(" ".join)).map(
    " ".join
)


def rows(dim: int) -> st.SearchStrategy[Row]:
    """A memory without its id."""
    numbers = st.one_of(st.none(), st.integers(0, VECTORS - 1))
    return st.fixed_dictionaries(
        {
            "scope": st.integers(0, 3),
            "kind": st.sampled_from([0, 0, 0, 1, 2, 2, 3, 4, 4, 5]),
            "law": st.integers(0, 2),
            "flags": st.integers(0, 63),
            "author": st.integers(0, 2),
            "session": st.integers(0, 2),
            "length": st.one_of(st.integers(0, 25), st.just(65_535)),
            "time": times,
            "valid_from": starts,
            "valid_to": ends,
            "belief": beliefs,
            "importance": st.sampled_from([0.0, 0.0, 0.5, -2.0, 100.0]),
            "terms": documents,
            "vector": numbers.map(lambda n: None if n is None else vector(n, dim)),
        }
    )


LINKS = (
    *("next", "session", "spreading", "subject", "mentioned", "mentioning", "triples", "newer"),
)
WEIGHT_VALUES = st.sampled_from([0.0, 1.0, 0.3, 2.5, 1e-3, 37.0])
SIGNED = st.one_of(WEIGHT_VALUES, WEIGHT_VALUES.map(lambda x: 0.0 - x))
weights = st.one_of(
    st.just(_core.Weights().to_dict()),
    st.just(_core.Weights.without_question().to_dict()),
    st.fixed_dictionaries(
        {name: WEIGHT_VALUES if name in LINKS else SIGNED for name in _core.Weights().to_dict()}
    ),
)


def requests(dim: int, ids: list[int], last_seq: int = 0) -> st.SearchStrategy[Row]:
    """A request about memories `ids`, without cues; as of any commit when `last_seq` is given."""
    some = st.none() if not ids else st.one_of(st.none(), st.lists(st.sampled_from(ids)))
    dates = st.lists(
        st.tuples(times, times).map(sorted).filter(lambda d: d[0] < d[1]), min_size=1, max_size=2
    )
    return st.fixed_dictionaries(
        {"now": times, "weights": weights},
        optional={
            "k": st.one_of(st.integers(1, 8), st.just(1_000_000)),
            "vector": st.integers(0, VECTORS - 1).map(lambda n: vector(n, dim)),
            "terms": texts,
            "scopes": st.lists(st.integers(0, 4), max_size=3),
            "kinds": st.integers(0, 63),
            "valid_at": times,
            "as_of": st.integers(0, last_seq + 1),
            "min_belief": st.sampled_from([0.0, 0.25, 1.0]),
            "allow": some,
            "exclude": some,
            "authors": st.lists(st.integers(0, 2), max_size=2),
            "dates": dates,
            "asks_when": st.booleans(),
            "asks_value": st.booleans(),
            "names": some.filter(lambda names: names is None or len(names) < 4),
        },
    )


EDGES = st.sampled_from([1, 1, 2, 3, 3, 4, 7, 7, 16, 16])


def steps(dim: int) -> st.SearchStrategy[list[tuple]]:
    """A history as steps that `play` makes fit what is there."""
    pick = st.integers(0, 50)
    append = st.tuples(st.just("append"), rows(dim))
    change = st.one_of(
        st.tuples(st.just("update"), pick, rows(dim)),
        st.tuples(st.sampled_from(["close", "restore", "erase", "unlink"]), pick),
        st.tuples(
            st.just("touch"), pick, st.integers(0, 400), st.sampled_from([1.0, 0.2, 5.0]),
            st.integers(-1, 1),
        ),
        st.tuples(st.just("link"), pick, pick, EDGES, beliefs, ends),
    )  # fmt: skip
    return st.lists(st.one_of(append, change, change), max_size=24)


def play(pair: Pair, history: Iterable[tuple], erasures: bool = True) -> None:
    """Carries out the steps that the state allows; each is one commit."""
    judge = pair.judge
    for verb, *rest in history:
        versions = [r for r in judge.newest.values() if not r["erased"]]
        alive = [r for r in versions if r["seq_to"] > pair.seq + 1]
        closed = [r for r in versions if r["seq_to"] <= pair.seq]
        chosen = {"update": versions, "restore": closed, "erase": versions}.get(verb, alive)
        if verb == "append":
            pair.append({"id": len(judge.newest) + 1} | rest[0])
        elif verb == "unlink":
            edges = [e["edge"] for e in judge.edges if e["seq_to"] > pair.seq + 1]
            if edges:
                pair.by_ids("unlink", edges[rest[0] % len(edges)])
        elif not chosen or (verb == "erase" and not erasures):
            continue
        else:
            change(pair, verb, chosen, *rest)


def change(pair: Pair, verb: str, chosen: list[Row], pick: int, *rest: Any) -> None:
    old = chosen[pick % len(chosen)]
    if verb == "update":
        pair.append(rest[0] | {"id": old["id"], "law": old["law"]})
    elif verb == "touch":
        hours, weight, used = rest
        time = min(old["created"] + hours * HOUR, TIME_MAX)
        pair.touch({"id": old["id"], "time": time, "weight": weight, "used": used})
    elif verb == "link":
        other = chosen[rest[0] % len(chosen)]
        if other is not old:
            number = max((e["edge"] for e in pair.judge.edges), default=0) + 1
            kind = {"type": rest[1], "weight": rest[2], "valid_to": rest[3]}
            pair.link(edge(number, old["id"], other["id"], **kind))
    else:
        pair.by_ids(verb, old["id"])
