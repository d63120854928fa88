"""A random life of a store against a plain-Python model, with reopening and killing in between."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.memory.helpers import Clock, HashEmbedder
from tests.memory.model import Model, Row

import remanence
from remanence import KINDS, InvalidArgumentError, Item, Memory, NotFoundError, Seq

texts = st.sampled_from(["tea", "where is it?", "a cat sleeps", "it is here", "tea and cat"])
scopes = st.sampled_from([(), ("a",), ("a", "b"), ("c",)])
rows = st.builds(
    Row,
    text=texts,
    scope=scopes,
    kind=st.sampled_from(["episodic", "episodic", "semantic"]),
    author=st.sampled_from([None, "Al", "Bo"]),
    session=st.sampled_from([None, "1", "2"]),
    belief=st.sampled_from([1.0, 0.5]),
)
phrases = st.sampled_from(["Al", "Bo", "tea"])
triples = st.lists(st.tuples(phrases, st.sampled_from(["knows", "likes"]), phrases), max_size=2)
op_ids = st.none() | st.sampled_from(["op-1", "op-2", "op-3"])


class Life(RuleBasedStateMachine):
    """Every rule does one thing to the store and to the model, then both must agree."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.folder = self.root / "0"
        self.folder.mkdir()
        self.clock = Clock()
        self.model = Model()
        self.lives = 0
        self.memory = self.open()

    def open(self) -> Memory:
        path = self.folder / "memory.db"
        return remanence.open(path, embedder=HashEmbedder(4), clock=self.clock)

    def teardown(self) -> None:
        assert self.memory.verify().ok
        self.memory.close()
        shutil.rmtree(self.root)

    def pick(self, data: st.DataObject, ids: set[int]) -> int:
        return data.draw(st.sampled_from(sorted(ids)))

    @initialize(first=st.lists(rows, min_size=1, max_size=3))
    def start(self, first: list[Row]) -> None:
        self.add(first, [], None)

    @rule(new=st.lists(rows, min_size=1, max_size=4), said=triples, op_id=op_ids)
    def add(self, new: list[Row], said: list[Any], op_id: str | None) -> None:
        items = [
            Item(
                row.text,
                scope=row.scope,
                kind=row.kind,
                author=row.author,
                session=row.session,
                belief=row.belief,
                triples=said if i == 0 else None,
            )
            for i, row in enumerate(new)
        ]
        ids = self.memory.add_many(items, op_id=op_id).tolist()
        if op_id in self.model.op_ids:
            assert ids[0] == self.model.op_ids[op_id]
            return
        assert ids == self.model.add(new, said)
        if op_id is not None:
            self.model.op_ids[op_id] = ids[0]

    @rule(row=rows)
    def add_from_a_second_opening(self, row: Row) -> None:
        with self.open() as other:
            number = other.add(
                row.text,
                scope=row.scope,
                kind=row.kind,
                author=row.author,
                session=row.session,
                belief=row.belief,
            )
        assert [number] == self.model.add([row], [])

    @precondition(lambda self: self.model.live)
    @rule(data=st.data(), text=texts, belief=st.sampled_from([1.0, 0.25]))
    def update(self, data: st.DataObject, text: str, belief: float) -> None:
        number = self.pick(data, self.model.live)
        change: dict[str, Any] = data.draw(
            st.sampled_from([{"text": text}, {"belief": belief}, {"author": None}])
        )
        if self.model.rows[number].kind in ("entity", "statement"):
            change = {"belief": belief}
        self.memory.update(number, **change)
        self.model.update(number, **change)

    @precondition(lambda self: self.model.live)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        number = self.pick(data, self.model.live)
        self.memory.forget(number)
        self.model.forget(number)

    @precondition(lambda self: self.model.rows.keys() - self.model.live - self.model.erased)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        gone = set(self.model.rows) - self.model.live - self.model.erased
        number = self.pick(data, gone)
        self.memory.restore(number)
        self.model.restore(number)

    @precondition(lambda self: self.model.rows.keys() - self.model.erased)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        number = self.pick(data, set(self.model.rows) - self.model.erased)
        self.memory.erase(number, reason="asked")
        self.model.erase(number)

    @precondition(lambda self: self.model.live)
    @rule(data=st.data(), used=st.sampled_from([True, False, None]))
    def touch(self, data: st.DataObject, used: bool | None) -> None:
        number = self.pick(data, self.model.live)
        self.memory.touch(number, used=used)
        self.model.touch(number)

    @precondition(lambda self: len(self.model.live) > 1)
    @rule(data=st.data(), kind=st.sampled_from(["knows", "related"]))
    def link(self, data: st.DataObject, kind: str) -> None:
        source = self.pick(data, self.model.live)
        target = self.pick(data, self.model.live - {source})
        assert self.memory.link(source, target, kind) == self.model.link(source, target, kind)

    @precondition(lambda self: self.model.edges.keys() - self.model.closed)
    @rule(data=st.data())
    def unlink(self, data: st.DataObject) -> None:
        edge = self.pick(data, set(self.model.edges) - self.model.closed)
        self.memory.unlink(edge)
        self.model.unlink(edge)

    @rule(data=st.data())
    def bad_input_changes_nothing(self, data: st.DataObject) -> None:
        call = data.draw(
            st.sampled_from(
                [
                    lambda m: m.add("x", belief=2.0),
                    lambda m: m.add("x", vector=[1.0]),
                    lambda m: m.touch(10_000),
                    lambda m: m.link(10_000, 1),
                ]
            )
        )
        with pytest.raises((InvalidArgumentError, NotFoundError)):
            call(self.memory)

    @rule()
    def snapshot(self) -> None:
        self.memory.snapshot()

    @rule()
    def reopen(self) -> None:
        self.memory.close()
        self.memory = self.open()

    @rule()
    def kill(self) -> None:
        """The files as they lie at this moment are what a killed process leaves behind."""
        self.lives += 1
        left = self.root / str(self.lives)
        shutil.copytree(self.folder, left)
        (left / "memory.db-shm").unlink(missing_ok=True)
        self.memory.close()
        self.folder = left
        self.memory = self.open()

    @rule(data=st.data())
    def ask_the_past(self, data: st.DataObject) -> None:
        seq = data.draw(st.integers(0, self.model.commits))
        found = self.memory.recall(k=1000, kinds=KINDS, as_of=Seq(seq))
        assert {hit.id: hit.text for hit in found} == {
            i: row.text for i, row in self.model.past[seq].items()
        }

    @rule(scope=scopes, query=st.sampled_from([None, "tea", "Where is Al?"]), k=st.integers(1, 5))
    def recall(self, scope: tuple[str, ...], query: str | None, k: int) -> None:
        want = {
            i
            for i, row in self.model.visible().items()
            if row.scope[: len(scope)] == scope
            and row.kind not in ("entity", "statement")
            and row.belief >= 0.5
        }
        options: dict[str, Any] = {"scope": scope, "min_p": 0.5, "explain": True}
        found = self.memory.recall(query, k=1000, **options)
        assert set(found.ids) == want
        assert found.scanned == len(want)
        order = [(-hit.score, hit.id) for hit in found]
        assert order == sorted(order)
        for hit in found:
            assert hit.terms is not None
            assert sum(hit.terms.values()) == pytest.approx(hit.score, abs=1e-3)
        options["now"] = found.now
        assert self.memory.recall(query, k=k, **options).hits == found[:k]

    @invariant()
    def agree(self) -> None:
        model, memory = self.model, self.memory
        for number in model.rows:
            if number not in model.live:
                with pytest.raises(NotFoundError):
                    memory.get(number)
                continue
            row, want = memory.get(number), model.rows[number]
            assert (row.text, row.scope, row.kind, row.author, row.session, row.belief) == (
                want.text, want.scope, want.kind, want.author, want.session, want.belief,
            )  # fmt: skip
            near = [(n.id, n.type, n.outgoing) for n in memory.neighbours(number)]
            assert near == model.around(number)
        stats = memory.stats()
        assert (stats.memories, stats.commits) == (len(model.live), model.commits)
        assert stats.touches == sum(model.touches.values())

    @precondition(lambda self: self.model.rows)
    @rule(data=st.data())
    def history(self, data: st.DataObject) -> None:
        number = self.pick(data, set(self.model.rows))
        versions = self.memory.history(number)
        assert len(versions) == self.model.versions[number]
        assert (versions[-1].known_to is None) == (number in self.model.live)
        assert sum(v.touches for v in versions) == self.model.touches.get(number, 0)
        assert (versions[-1].memory is None) == (number in self.model.erased)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=25)
