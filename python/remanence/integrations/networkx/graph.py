"""The graph that the backend works on, and its conversion from and to NetworkX without loss."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ...memory.graph import NativeGraph

T = TypeVar("T")
MAX_EXACT = 2**53
"""Integers below are exact in float64."""


class Graph:
    """A NetworkX graph as arrays. An undirected edge is an arc each way, a loop one arc.

    Arcs stand in the order of NetworkX's adjacency, so that what is found first is the same.
    """

    __networkx_backend__ = "remanence"

    def __init__(
        self,
        names: list[Hashable],
        source: NDArray[np.int64],
        target: NDArray[np.int64],
        *,
        directed: bool,
        multigraph: bool,
    ) -> None:
        self.names = names
        self.number = {name: i for i, name in enumerate(names)}
        self.source = source
        self.target = target
        self.graph: dict[str, Any] = {}
        self.keys: list[Hashable] = []
        """Key of each arc of a multigraph."""
        self.node_data: list[dict[Any, Any]] | None = None
        self.edge_data: list[dict[Any, Any]] | None = None
        """Attributes of each arc; both arcs of an undirected edge share theirs."""
        self.columns: dict[Hashable, list[Any]] = {}
        """Single attributes of each arc, where not all were asked for."""
        self._directed = directed
        self._multigraph = multigraph
        self._made: dict[Hashable, Any] = {}

    def is_directed(self) -> bool:
        return self._directed

    def is_multigraph(self) -> bool:
        return self._multigraph

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        try:
            return name in self.number
        except TypeError:
            return False

    def number_of_nodes(self) -> int:
        return len(self.names)

    def number_of_edges(self) -> int:
        if self._directed:
            return len(self.source)
        return int(np.count_nonzero(self.source <= self.target))

    @property
    def onward(self) -> str:
        """The direction of the native verbs that follows edges as NetworkX does."""
        return "out"

    @property
    def backward(self) -> str:
        return "in" if self._directed else "out"

    def made(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, once."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]  # type: ignore[no-any-return]

    def _values(self, weight: Hashable) -> list[Any]:
        if weight in self.columns:
            return self.columns[weight]
        if self.edge_data is None:
            raise NotImplementedError(f"the edge attribute {weight!r} was not converted")
        return [data.get(weight, 1) for data in self.edge_data]

    def lengths(self, weight: Hashable) -> tuple[NDArray[np.float64], bool]:
        """(the attribute of each arc [m], whether all are integers); None is 1 everywhere.

        Raises NotImplementedError for what the native verbs do not take.
        """
        return self.made(("lengths", weight), lambda: self._lengths(weight))

    def _lengths(self, weight: Hashable) -> tuple[NDArray[np.float64], bool]:
        if weight is None:
            return np.ones(len(self.source)), True
        values = self._values(weight)
        kinds = set(map(type, values))
        if not all(issubclass(kind, int | float | np.integer | np.floating) for kind in kinds):
            raise NotImplementedError(f"the weights {weight!r} are not all numbers")
        column = np.array(values, dtype=np.float64)
        if not np.isfinite(column).all():
            raise NotImplementedError(f"the weights {weight!r} are not all finite")
        if (column < 0).any():
            raise NotImplementedError(f"some of the weights {weight!r} are negative")
        whole = all(issubclass(kind, int | np.integer) for kind in kinds)
        if whole and column.sum() >= MAX_EXACT:
            raise NotImplementedError(f"the weights {weight!r} are too large to add exactly")
        return column, whole

    def native(self) -> NativeGraph:
        """The arcs as a native graph; follow them with direction `onward`."""
        return self.made("native", lambda: build(len(self), self.source, self.target))

    def weighted(self, weight: Hashable, *, once: bool = False) -> tuple[NativeGraph, float]:
        """(the native graph with weights, the factor that they were divided by).

        Native weights are float32 in (0, 1]; dividing by a power of two keeps integers below 2^24
        exact. Arcs of weight 0 are left out. once: an undirected edge is one arc, not two.
        """
        return self.made(("weighted", weight, once), lambda: self._weighted(weight, once))

    def _weighted(self, weight: Hashable, once: bool) -> tuple[NativeGraph, float]:
        values, _ = self.lengths(weight)
        kept = values > 0
        if once and not self._directed:
            kept &= self.source <= self.target
        largest = float(values[kept].max()) if kept.any() else 1.0
        scale = 2.0 ** np.ceil(np.log2(largest))
        scaled = (values[kept] / scale).astype(np.float32)
        if len(scaled) and not scaled.min() > 0:
            raise NotImplementedError(f"the weights {weight!r} span more than float32 can hold")
        return build(len(self), self.source[kept], self.target[kept], scaled), float(scale)


def build(
    nodes: int,
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    weight: NDArray[np.float32] | None = None,
) -> NativeGraph:
    native = NativeGraph(nodes)
    native.append(source, target, weight=weight)
    native.merge()
    return native


def convert_from_nx(
    graph: Any,
    *,
    edge_attrs: Mapping[Hashable, Any] | None = None,
    node_attrs: Mapping[Hashable, Any] | None = None,
    preserve_edge_attrs: bool = False,
    preserve_node_attrs: bool = False,
    preserve_graph_attrs: bool = False,
    name: str | None = None,  # noqa: ARG001
    graph_name: str | None = None,  # noqa: ARG001
) -> Graph:
    """A NetworkX graph for the backend, with the attributes that are asked for."""
    names = list(graph)
    adjacency = [graph._adj[node] for node in names]
    multigraph = graph.is_multigraph()
    if multigraph:
        # Each neighbour stands once for each of its edges.
        ends = [[v for v, edges in near.items() for _ in edges] for near in adjacency]
        inner = [edges for near in adjacency for edges in near.values()]
        data: Any = chain.from_iterable(edges.values() for edges in inner)
    else:
        ends = [list(near) for near in adjacency]
        inner = []
        data = chain.from_iterable(near.values() for near in adjacency)
    number = {node: i for i, node in enumerate(names)}
    counts = np.array([len(near) for near in ends], np.int64)
    flat = map(number.__getitem__, chain.from_iterable(ends))
    made = Graph(
        names,
        np.repeat(np.arange(len(names), dtype=np.int64), counts),
        np.fromiter(flat, np.int64, int(counts.sum())),
        directed=graph.is_directed(),
        multigraph=multigraph,
    )
    made.keys = [key for edges in inner for key in edges]
    if preserve_edge_attrs:
        made.edge_data = list(data)
    elif edge_attrs:
        held = list(data)
        made.columns = {
            attr: [one.get(attr, default) for one in held] for attr, default in edge_attrs.items()
        }
    if preserve_node_attrs:
        made.node_data = [graph._node[node] for node in names]
    elif node_attrs:
        made.node_data = [
            {attr: graph._node[node].get(attr, default) for attr, default in node_attrs.items()}
            for node in names
        ]
    if preserve_graph_attrs:
        made.graph = graph.graph
    return made


def convert_to_nx(made: Any, *, name: str | None = None) -> Any:  # noqa: ARG001
    """The NetworkX graph again, attributes copied; anything else as it is."""
    if not isinstance(made, Graph):
        return made
    kinds = {
        (False, False): nx.Graph, (True, False): nx.DiGraph,
        (False, True): nx.MultiGraph, (True, True): nx.MultiDiGraph,
    }  # fmt: skip
    graph = kinds[made.is_directed(), made.is_multigraph()]()
    graph.graph.update(made.graph)
    nodes = made.node_data or [{} for _ in made.names]
    graph.add_nodes_from((node, dict(data)) for node, data in zip(made.names, nodes, strict=True))
    copies = _copies(made)
    source, target = made.source.tolist(), made.target.tolist()
    # Adjacency is filled arc by arc: add_edge would order it by the other end.
    for arc, (u, v) in enumerate(zip(source, target, strict=True)):
        a, b = made.names[u], made.names[v]
        if made.is_multigraph():
            edges = graph._adj[a].get(b)
            if edges is None:
                both = graph._pred[b] if made.is_directed() else graph._adj[b]
                edges = {} if made.is_directed() else both.get(a, {})
                graph._adj[a][b] = edges
                if made.is_directed():
                    both[a] = edges
            edges[made.keys[arc]] = copies[arc]
        else:
            graph._adj[a][b] = copies[arc]
            if made.is_directed():
                graph._pred[b][a] = copies[arc]
    return graph


def _copies(made: Graph) -> list[dict[Any, Any]]:
    """Attributes of each arc, copied; the two arcs of an undirected edge share a copy."""
    if made.edge_data is None:
        rows = [dict(zip(made.columns, row, strict=True)) for row in _rows(made)]
    else:
        rows = [dict(data) for data in made.edge_data]
    if made.is_directed():
        return rows
    first: dict[tuple[int, int, Hashable], dict[Any, Any]] = {}
    keys = made.keys or [0] * len(rows)
    ends = zip(made.source.tolist(), made.target.tolist(), keys, strict=True)
    return [
        first.setdefault((min(u, v), max(u, v), key), row)
        for (u, v, key), row in zip(ends, rows, strict=True)
    ]


def _rows(made: Graph) -> list[tuple[Any, ...]]:
    if not made.columns:
        return [()] * len(made.source)
    return list(zip(*made.columns.values(), strict=True))
