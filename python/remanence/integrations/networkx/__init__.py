"""NetworkX: conversion of graphs, and (in `backend`) its functions run by the native graph."""

from __future__ import annotations

from .convert import from_networkx, to_networkx

__all__ = ["from_networkx", "to_networkx"]
