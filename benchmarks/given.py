"""Triples that come with a data folder, of each unit, and their vectors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from remanence.text import name_key

from .evidence import Dataset, read_lines, unit_rows

FILE = "triples.jsonl"


def with_triples(data: Dataset) -> list[dict[str, Any]]:
    """The items of the data with the triples of `triples.jsonl`; malformed ones are left out.

    Vectors: `triples_text.npy`, [triples, d], in the order of `triples_text.ids.json`.
    """
    vectors = unit_rows(np.load(data.folder / "triples_text.npy").astype(np.float32))
    names = json.loads((data.folder / "triples_text.ids.json").read_text(encoding="utf-8"))
    place = {tuple(parts): row for row, parts in enumerate(names)}
    of_unit = {row["unit"]: row["triples"] for row in read_lines(data.folder / FILE)}
    items = []
    for unit, item in zip(data.units, data.items, strict=True):
        given = []
        for parts in of_unit.get(unit["id"], []):
            if len(parts) == 3 and all(isinstance(p, str) and p.strip() for p in parts):
                row = place.get(tuple(map(name_key, parts)))
                given.append((*parts, 1.0, None if row is None else vectors[row]))
        items.append({**item, "triples": given})
    return items
