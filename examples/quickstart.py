"""Quickstart: remember a few things, let one change, and ask now, then and why."""

from __future__ import annotations

import tempfile
from pathlib import Path

import remanence

with (
    tempfile.TemporaryDirectory() as folder,
    remanence.open(Path(folder) / "notes.remanence") as memory,
):
    home = memory.add("Joana lives in Hamburg.", kind="semantic", valid_from="2019-08-01")
    memory.add("Dinner at Tomé's: Davi is allergic to hazelnuts.", time="2026-01-17")
    memory.update(home, valid_to="2025-04-12")
    memory.add("Joana lives in Lisbon.", kind="semantic", valid_from="2025-04-12")

    for hit in memory.recall("Where does Joana live?", k=3, explain=True):
        print(f"{hit.p_use:.2f}  {hit.text}  {', '.join(hit.reasons)}")
    then = memory.recall("Where does Joana live?", k=1, valid_at="2024-05-01")[0]
    print("In May 2024:", then.text)
    print(memory.context("What can I cook for Davi?", budget=200))
