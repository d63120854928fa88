"""What NetworkX calls: every function that the native graph serves, and when it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from _remanence_networkx import FUNCTIONS

from . import community, components, generic, ranking, traversal, weighted
from .graph import convert_from_nx, convert_to_nx

_ROOMS = (traversal, weighted, generic, components, ranking, community)


class Backend:
    """One attribute per function of NetworkX, under NetworkX's name."""

    convert_from_nx = staticmethod(convert_from_nx)
    convert_to_nx = staticmethod(convert_to_nx)

    @staticmethod
    def can_run(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool | str:
        """True, or in words why this call is NetworkX's own."""
        for value in (*args[1:], *kwargs.values()):
            if callable(value):
                return "callables run in NetworkX only"
        for given, reason in _REFUSED.get(name, {}).items():
            if kwargs.get(given) is not None:
                return reason
        return True


_REFUSED = {
    "pagerank": {"dangling": "dangling weights of their own are not served"},
    "leiden_communities": {"max_level": "the native Leiden runs to the end"},
}

for _name in FUNCTIONS:
    _found = next(getattr(room, _name) for room in _ROOMS if hasattr(room, _name))
    setattr(Backend, _name, staticmethod(_found))
