"""What the graph of its own refuses: one clear sentence each, and nothing is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.strategies import Pair

from remanence import _core

pytestmark = pytest.mark.native


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def small() -> Any:
    graph = _core.Graph(4)
    graph.append(ints(0, 1), ints(1, 2), weight=np.array([0.5, 1.0], np.float32))
    return graph


BAD = {
    "edge to an unknown node": (lambda g: g.append(ints(0), ints(4)), "append: there is no node 4"),
    "negative node": (lambda g: g.add(-1, 0), "add: there is no node -1"),
    "interval that ends before it starts": (
        lambda g: g.add(0, 1, valid_from=5, valid_to=5),
        "add: the interval ends before it starts",
    ),
    "weight of zero": (lambda g: g.add(0, 1, weight=0.0), "weight must be in (0, 1]"),
    "weight above one": (lambda g: g.add(0, 1, weight=1.5), "weight must be in (0, 1]"),
    "weight of nan": (
        lambda g: g.append(ints(0), ints(1), weight=np.array([np.nan], np.float32)),
        "weight must be in (0, 1]",
    ),
    "type zero": (lambda g: g.add(0, 1, type=0), "edge type 0 means none"),
    "columns of two lengths": (lambda g: g.append(ints(0, 1), ints(1)), "wrong length"),
    "a list": (lambda g: g.append([0], [1]), "must be a NumPy array"),
    "a commit of the past": (lambda g: g.add(0, 1, seq=0), "commits only grow"),
    "closing what is not": (lambda g: g.close(ints(2)), "there is no open edge 2"),
    "closing twice at once": (lambda g: g.close(ints(1, 1)), "there is no open edge 1"),
    "hops below zero": (lambda g: g.khop(ints(0), -1), "hops must be between 0 and 64"),
    "limit of zero": (lambda g: g.khop(ints(0), 1, limit=0), "limit must be positive"),
    "unknown seed": (lambda g: g.bfs(ints(9)), "bfs: there is no node 9"),
    "unknown number": (lambda g: g.bfs(9), "bfs: there is no node 9"),
    "number beyond 64 bits": (lambda g: g.khop(1 << 70, 1), "khop: seeds must fit 64 bits"),
    "a list of seeds": (lambda g: g.khop([1], 1), "khop: seeds must be a NumPy array"),
    "excluded seed": (
        lambda g: g.bfs(ints(0), allow=np.zeros(4, bool)),
        "bfs: there is no node 0",
    ),
    "allow of another length": (
        lambda g: g.bfs(ints(0), allow=np.ones(3, bool)),
        "allow has the wrong length",
    ),
    "direction": (lambda g: g.bfs(ints(0), direction="up"), "direction must be out, in or both"),
    "min_weight": (lambda g: g.degree(min_weight=2.0), "min_weight must be in [0, 1]"),
    "valid_at": (lambda g: g.degree(valid_at="soon"), "valid_at cannot be 'soon'"),
    "lengths": (
        lambda g: g.shortest_paths(ints(0), lengths=np.array([1.0, -1.0])),
        "lengths must be finite and not negative",
    ),
    "k of zero": (lambda g: g.paths(0, 1, 0), "k must be between 1 and"),
    "by": (lambda g: g.path(0, 1, by="luck"), "by must be hops, length or weight"),
    "no seeds": (lambda g: g.propagate(ints()), "propagate: no seeds were given"),
    "ten million seeds": (
        lambda g: g.propagate(np.zeros(10_000_000, np.int64)),
        "at most 1000000 seeds at once (got 10000000)",
    ),
    "damping": (lambda g: g.propagate(ints(0), damping=1.0), "damping must be in [0, 0.99]"),
    "method": (lambda g: g.communities("luck"), "method must be leiden or labels"),
    "resolution": (lambda g: g.communities(resolution=-1.0), "resolution must be in [0, 1e6]"),
    "label": (lambda g: g.modularity(ints(0, 1, 2, 9)), "a label must be a node (got 9)"),
    "residual": (lambda g: g.push(ints(0), residual=0.0), "residual must be in [1e-12, 1]"),
    "top": (lambda g: g.push(ints(0), top=0), "top must be positive"),
    "start": (lambda g: g.pagerank(start=np.zeros(4)), "no node has a start weight"),
    "tolerance": (lambda g: g.propagate(ints(0), tolerance=0.0), "tolerance must be in"),
    "indptr": (
        lambda g: g.khop_batch(ints(0, 1), 1, indptr=ints(0, 3)),
        "indptr must ascend from 0",
    ),
    "nodes below zero": (lambda g: g.add_nodes(-1), "count must not be negative"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence_and_changes_nothing(name: str) -> None:
    call, says = BAD[name]
    graph = small()
    with pytest.raises(_core.RemanenceError) as error:
        call(graph)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert (graph.nodes, graph.edges, graph.live_edges, graph.seq) == (4, 2, 2, 1)
    assert graph.bfs(ints(0)).tolist() == [0, 1, 2, -1]


SEEDED = {
    "khop": lambda g, seeds: g.khop(seeds, 1),
    "khop_batch": lambda g, seeds: g.khop_batch(seeds, 1),
    **{
        name: lambda g, seeds, name=name: getattr(g, name)(seeds)
        for name in (
            "bfs", "shortest_paths", "best_paths", "propagate", "propagate_batch", "push",
            "push_batch", "spread", "bfs_batch", "shortest_paths_batch", "best_paths_batch",
            "spread_batch",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("verb", SEEDED)
def test_ten_million_seeds_are_refused_by_every_verb(verb: str) -> None:
    with pytest.raises(_core.RemanenceError, match="at most 1000000 seeds at once") as error:
        SEEDED[verb](small(), np.zeros(10_000_000, np.int64))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("verb", ["propagate", "spread"])
def test_ten_million_seeds_are_refused_by_the_engine(verb: str) -> None:
    engine = Pair().engine
    with pytest.raises(_core.RemanenceError, match="at most 1000000 seeds at once"):
        getattr(engine, verb)(np.zeros(10_000_000, np.int64))


def test_an_unknown_keyword_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword 'color'"):
        small().degree(color=1)
