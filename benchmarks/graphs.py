"""The graphs of the benchmarks: seeded RMAT graphs, real ones, and the rivals that hold them."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remanence import _core

from .harness import ROOT

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
SEED = 42
RMAT = (0.57, 0.19, 0.19)
"""Odds of the quarters a, b and c; d is what is left."""
REAL = {"cagrqc": "graph_cagrqc", "wikivote": "graph_wikivote"}


@dataclass(slots=True)
class Edges:
    """Undirected edges without loops and repeats, each once, with weights in (0, 1]."""

    name: str
    nodes: int
    source: I64
    target: I64
    weight: F32

    @property
    def seeds(self) -> I64:
        """Nodes that have an edge, in a seeded order."""
        found = np.unique(np.concatenate([self.source, self.target]))
        return np.random.default_rng(SEED).permutation(found)


def rmat(scale: int, factor: int = 16) -> Edges:
    """A Kronecker graph of 2^scale nodes, relabelled, drawn from one seed."""
    rng = np.random.default_rng([SEED, scale])
    nodes, count = 1 << scale, factor << scale
    ends = np.zeros((2, count), np.int64)
    a, b, c = RMAT
    for bit in range(scale):
        draw = rng.random(count)
        ends[0] |= (draw >= a + b).astype(np.int64) << bit
        ends[1] |= (((draw >= a) & (draw < a + b)) | (draw >= a + b + c)).astype(np.int64) << bit
    return tidy(f"rmat{scale}", nodes, *rng.permutation(nodes)[ends], rng)


def real(name: str) -> Edges | None:
    """One of the graphs of shared/data, or None where it is absent."""
    folder = ROOT.parent / "shared" / "data" / REAL[name] / "raw"
    files = sorted(p for p in folder.glob("*") if p.is_file()) if folder.exists() else []
    if not files:
        return None
    lines = files[0].read_text(encoding="utf-8").splitlines()
    rows = [line.replace(",", " ").split()[:2] for line in lines if line and line[0].isdigit()]
    ends = np.array(rows, np.int64).T
    numbers, dense = np.unique(ends, return_inverse=True)
    source, target = dense.reshape(ends.shape)
    return tidy(name, len(numbers), source, target, np.random.default_rng(SEED))


def tidy(name: str, nodes: int, source: I64, target: I64, rng: np.random.Generator) -> Edges:
    low, high = np.minimum(source, target), np.maximum(source, target)
    key = np.unique((low * nodes + high)[low != high])
    weight = (1.0 - rng.random(len(key))).astype(np.float32)
    return Edges(name, nodes, key // nodes, key % nodes, weight)


def native(edges: Edges) -> Any:
    """The graph of this project."""
    graph = _core.Graph(edges.nodes)
    graph.append(edges.source, edges.target, weight=edges.weight)
    return graph


def matrix(edges: Edges) -> Any:
    """Both directions of every edge as SciPy's CSR matrix."""
    from scipy.sparse import csr_array

    ends = (
        np.concatenate([edges.source, edges.target]),
        np.concatenate([edges.target, edges.source]),
    )
    return csr_array((np.concatenate([edges.weight] * 2), ends), shape=(edges.nodes, edges.nodes))


def installed(module: str) -> Any:
    """The module, or None where it is not installed."""
    return None if importlib.util.find_spec(module) is None else importlib.import_module(module)


def igraph(edges: Edges) -> Any:
    """python-igraph's graph, or None."""
    library = installed("igraph")
    if library is None:
        return None
    graph = library.Graph(n=edges.nodes, edges=np.stack([edges.source, edges.target], axis=1))
    graph.es["weight"] = edges.weight.astype(float)
    return graph


def networkit(edges: Edges) -> Any:
    """networkit's graph, or None."""
    library = installed("networkit")
    if library is None:
        return None
    library.setNumberOfThreads(_core.threads())
    ends = edges.source.astype(np.uint64), edges.target.astype(np.uint64)
    return library.GraphFromCoo(
        (edges.weight.astype(float), ends), n=edges.nodes, weighted=True, directed=False
    )


def rustworkx(edges: Edges) -> Any:
    """rustworkx's graph, or None."""
    library = installed("rustworkx")
    if library is None:
        return None
    graph = library.PyGraph(multigraph=False)
    graph.add_nodes_from(range(edges.nodes))
    columns = (edges.source.tolist(), edges.target.tolist(), edges.weight.tolist())
    graph.add_edges_from(list(zip(*columns, strict=True)))
    return graph


def graphblas(edges: Edges) -> Any:
    """Both directions of every edge as a matrix of SuiteSparse, or None."""
    library = installed("graphblas")
    if library is None:
        return None
    ends = (
        np.concatenate([edges.source, edges.target]),
        np.concatenate([edges.target, edges.source]),
    )
    weight = np.concatenate([edges.weight] * 2)
    size = {"nrows": edges.nodes, "ncols": edges.nodes}
    return library.Matrix.from_coo(*ends, weight, **size)


def networkx(edges: Edges) -> Any:
    """NetworkX's graph, or None."""
    library = installed("networkx")
    if library is None:
        return None
    graph = library.Graph()
    graph.add_nodes_from(range(edges.nodes))
    columns = (edges.source.tolist(), edges.target.tolist(), edges.weight.tolist())
    graph.add_weighted_edges_from(zip(*columns, strict=True))
    return graph


def options_graphs(names: list[str]) -> list[Edges]:
    """The named graphs that are there: a number is a scale of RMAT."""
    found = (rmat(int(name)) if name.isdigit() else real(name) for name in names)
    return [edges for edges in found if edges is not None]


def add_graph_options(parser: Any, default: list[str]) -> None:
    parser.add_argument(
        "--graphs", nargs="+", default=default, help="scales of RMAT, or cagrqc, wikivote"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", action="store_true", help="also NetworkX and rustworkx")
