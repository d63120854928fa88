"""Components: NetworkX's functions of connected and weakly connected components."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from .graph import Graph

_POINTLESS = "Connectivity is undefined for the null graph."


def groups(G: Graph, label: NDArray[np.int64]) -> list[set[Hashable]]:
    """The nodes of each label, least label first."""
    if not len(label):
        return []
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order])) + 1
    return [{G.names[node] for node in part.tolist()} for part in np.split(order, starts)]


def _labels(G: Graph) -> NDArray[np.int64]:
    found: NDArray[np.int64] = G.made("components", lambda: G.native().components())
    return found


def connected_components(G: Graph) -> Iterator[set[Hashable]]:
    return iter(groups(G, _labels(G)))


def number_connected_components(G: Graph) -> int:
    return len(np.unique(_labels(G)))


def is_connected(G: Graph) -> bool:
    if not len(G):
        raise nx.NetworkXPointlessConcept(_POINTLESS)
    return not _labels(G).any()


def node_connected_component(G: Graph, n: Hashable) -> set[Hashable]:
    label = _labels(G)
    members = np.flatnonzero(label == label[G.number[n]])
    return {G.names[node] for node in members.tolist()}


weakly_connected_components = connected_components
number_weakly_connected_components = number_connected_components
is_weakly_connected = is_connected
