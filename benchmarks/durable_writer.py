"""The process that the durability benchmark kills: a fixed plan of writes, each acknowledged."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

import remanence

DIM = 32
SNAPSHOT_EVERY = 40
BATCH = 5


class Plan:
    """Which write comes when, from a seed alone, and what the store must hold afterwards."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.texts: dict[int, str] = {}
        self.next_id = 1
        self.edges = 0
        self.touches = 0

    def counts(self) -> tuple[int, int, int]:
        """(live memories, edges, touches); a forgotten memory may come back with its edges."""
        return len(self.texts), self.edges, self.touches

    def advance(self, number: int) -> Callable[[remanence.Memory], object]:
        """Apply operation `number` to the model; what it does to a store."""
        chance = random.Random(self.seed * 1_000_003 + number)
        op_id = f"op-{self.seed}-{number}"
        live = list(self.texts)
        draw = chance.random() if len(live) > BATCH else 0.0
        if draw < 0.5:
            return self._add(number, 1, op_id)
        if draw < 0.6:
            return self._add(number, BATCH, op_id)
        first, second = chance.sample(live, 2)
        if draw < 0.75:
            self.touches += 1
            return lambda memory: memory.touch(first, used=True, op_id=op_id)
        if draw < 0.9:
            self.edges += 1
            return lambda memory: memory.link(first, second, op_id=op_id)
        if draw < 0.96:
            text = self.texts[first] = f"text {number} in place of another"
            return lambda memory: memory.update(first, text=text, op_id=op_id)
        del self.texts[first]
        return lambda memory: memory.forget(first, op_id=op_id)

    def _add(self, number: int, count: int, op_id: str) -> Callable[[remanence.Memory], object]:
        texts = [f"text {number}.{i} of the plan, {'word ' * (number % 7)}" for i in range(count)]
        for text in texts:
            self.texts[self.next_id] = text
            self.next_id += 1
        rng = np.random.default_rng([self.seed, number])
        vectors = rng.standard_normal((count, DIM), dtype=np.float32)
        items = [{"text": text, "kind": "document"} for text in texts]
        return lambda memory: memory.add_many(items, vectors=vectors, op_id=op_id)


def main(path: str, seed: int, start: int) -> None:
    """Write from operation `start` on, saying "done N" after each, until killed."""
    plan = Plan(seed)
    for number in range(start):
        plan.advance(number)
    memory = remanence.open(Path(path), embedder=None)
    print("ready", flush=True)
    number = start
    while True:
        plan.advance(number)(memory)
        print(f"done {number}", flush=True)
        number += 1
        if number % SNAPSHOT_EVERY == 0:
            memory.snapshot()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
