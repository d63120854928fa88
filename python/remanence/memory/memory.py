"""The public face: one store as an object with a verb for everything that can be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._core import Weights
from . import add as add_
from . import erase as erase_
from . import links as links_
from . import read as read_
from . import recall as recall_
from . import write as write_
from .errors import InvalidArgumentError
from .graph_store import StoreGraph
from .graph_verbs import Path
from .progress import Progress
from .records import (
    Hit,
    Item,
    LearnedWeights,
    MemoryRow,
    Neighbour,
    Recall,
    Statement,
    Stats,
    Verification,
    Version,
)
from .store import Store
from .times import Seq, Time
from .twins import twin
from .write import KEEP

if TYPE_CHECKING:
    from ..context import Context

Vector = NDArray[np.float32] | Sequence[float]
Ref = int | Hit
"""A memory by its id, or as it was recalled."""


class Memory:
    """An open store; use `remanence.open`. Thread-safe, and a context manager.

    Every write is one durable commit, or one sentence of an error and no change. An `op_id` makes
    a write happen at most once, ever: a repeat returns what the first one returned. Every verb
    has an async twin: `aadd`, `arecall` and so on, which run in a worker thread.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._graph: StoreGraph | None = None

    # Writing

    def add(
        self,
        text: str,
        *,
        vector: Vector | None = None,
        scope: str | Sequence[str] = (),
        kind: str = "episodic",
        time: Time | None = None,
        author: str | None = None,
        session: str | None = None,
        source: str | None = None,
        valid_from: Time | None = None,
        valid_to: Time | None = None,
        belief: float = 1.0,
        importance: float = 0.0,
        pinned: bool = False,
        law: str = "power_trace",
        meta: Mapping[str, Any] | None = None,
        triples: Sequence[Statement] | None = None,
        subject: str | None = None,
        op_id: str | None = None,
    ) -> int:
        """Remember a text; its id.

        time: when it happened (default: now). valid_from, valid_to: when it is true, half-open.
        belief: P(valid) in (0, 1]. importance: nats. vector: float32 [dim], else the embedder's.
        triples: statements it makes; their phrases become entities it is linked to. subject: the
        name of what it is about (a document: its title); what mentions that name is linked to it.
        """
        item = Item(
            text, vector, scope, kind, time, author, session, source, valid_from, valid_to,
            belief, importance, pinned, law, meta, triples, subject,
        )  # fmt: skip
        return add_.add_given(self._store, "add", [item], None, {}, op_id, None)[0]

    def add_many(
        self,
        /,
        items: Iterable[str | Mapping[str, Any] | Item],
        *,
        vectors: NDArray[np.float32] | None = None,
        op_id: str | None = None,
        progress: bool | Progress | None = None,
        **defaults: Any,
    ) -> NDArray[np.int64]:
        """Remember many in one commit, all or none; their ids [n], in order and consecutive.

        items: texts, mappings of Item's fields, or Items. vectors: float32 [n, dim]. defaults:
        fields for items that leave them out, such as scope="acme". progress: True for a bar on
        long loads, or a callable (stage, done, total).
        """
        first, count = add_.add_given(
            self._store, "add_many", items, vectors, defaults, op_id, progress
        )
        return np.arange(first, first + count, dtype=np.int64)

    def update(
        self,
        memory: Ref,
        *,
        text: str = KEEP,
        vector: Vector | None = KEEP,
        kind: str = KEEP,
        time: Time = KEEP,
        author: str | None = KEEP,
        source: str | None = KEEP,
        valid_from: Time | None = KEEP,
        valid_to: Time | None = KEEP,
        belief: float = KEEP,
        importance: float = KEEP,
        pinned: bool = KEEP,
        meta: Mapping[str, Any] | None = KEEP,
        op_id: str | None = None,
    ) -> None:
        """Write a new version of a memory; what is not named stays. The old one stays as history.

        A new text gets a new vector from the embedder unless one is given. Raises NotFoundError.
        """
        changes = {
            "text": text, "vector": vector, "kind": kind, "time": time, "author": author,
            "source": source, "valid_from": valid_from, "valid_to": valid_to, "belief": belief,
            "importance": importance, "pinned": pinned, "meta": meta,
        }  # fmt: skip
        write_.update(self._store, memory, changes, op_id)

    def forget(self, memory: Ref | Iterable[Ref], *, op_id: str | None = None) -> None:
        """Hide memories from now on; `as_of` before still shows them. Raises NotFoundError."""
        write_.forget(self._store, memory, op_id)

    def restore(self, memory: Ref | Iterable[Ref], *, op_id: str | None = None) -> None:
        """Bring forgotten memories back. Raises NotFoundError, InvalidArgumentError."""
        write_.restore(self._store, memory, op_id)

    def erase(self, memory: Ref | Iterable[Ref], *, reason: str, op_id: str | None = None) -> None:
        """Remove the content of memories for good: its bytes leave every file of the store.

        A tombstone with the reason and a salted hash stays. Entities that only they mention go
        with them. Names of scopes, sessions, authors and edge types stay. Raises NotFoundError;
        StorageError if the content is erased but another process still reads the old bytes.
        """
        erase_.erase(self._store, memory, reason, op_id)

    def touch(
        self,
        memory: Ref | Iterable[Ref],
        *,
        used: bool | None = True,
        now: Time | None = None,
        weight: float | None = None,
        op_id: str | None = None,
    ) -> None:
        """Strengthen memories that were accessed.

        used: True if they served, False if they were shown in vain, None if that is not known.
        weight in (0, 100], default 1 for used, 0.2 for merely shown. Given as the hits of a
        question, True and False also teach the store's weights and p_use. Raises NotFoundError.
        """
        write_.touch(self._store, memory, used, now, weight, op_id)

    def reset_weights(self, *, op_id: str | None = None) -> None:
        """Go back to the default weights and p_use; `as_of` before still has what was learned."""
        write_.reset_weights(self._store, op_id)

    def link(
        self,
        source: Ref,
        target: Ref,
        type: str = links_.DEFAULT_TYPE,
        *,
        weight: float = 1.0,
        valid_from: Time | None = None,
        valid_to: Time | None = None,
        op_id: str | None = None,
    ) -> int:
        """Link two memories; the edge's id. weight in (0, 1]. Raises NotFoundError."""
        row = (source, target, type, weight, valid_from, valid_to)
        return links_.link_many(self._store, "link", [row], op_id)[0]

    def link_many(
        self, links: Iterable[Sequence[Any] | Mapping[str, Any]], *, op_id: str | None = None
    ) -> NDArray[np.int64]:
        """Link many in one commit; the edges' ids [n].

        links: rows (source, target[, type, weight, valid_from, valid_to]), mappings of the same
        names, or one mapping of columns (arrays of one length; a single type or weight is for
        all), which is the fast way for very many.
        """
        first, count = links_.link_many(self._store, "link_many", links, op_id)
        return np.arange(first, first + count, dtype=np.int64)

    def unlink(self, edge: int | Iterable[int], *, op_id: str | None = None) -> None:
        """Close edges from now on; `as_of` before still shows them. Raises NotFoundError."""
        write_.unlink(self._store, edge, op_id)

    # Reading

    def recall(
        self,
        query: str | None = None,
        *,
        vector: Vector | None = None,
        memory: Ref | None = None,
        k: int = 10,
        scope: str | Sequence[str] = (),
        kinds: str | Iterable[str] | None = None,
        valid_at: Time | None = None,
        as_of: Time | Seq | None = None,
        now: Time | None = None,
        min_p: float = 0.0,
        explain: bool = False,
        weights: Weights | None = None,
        cues: Ref | Iterable[Ref] | None = None,
    ) -> Recall:
        """The k best memories for a question, a vector or a memory; without any, what is alive.

        scope: a prefix; memories of all scopes below it are seen. kinds: default all but
        "entity". valid_at: true then; as_of: known then. min_p: least P(valid). explain: give
        each hit its terms and reasons. weights: these, not what the store has learned. cues:
        memories from which activation spreads.
        """
        given = {
            "query": query, "vector": vector, "memory": memory, "k": k, "scope": scope,
            "kinds": kinds, "valid_at": valid_at, "as_of": as_of, "now": now, "min_p": min_p,
            "explain": explain, "weights": weights, "cues": cues,
        }  # fmt: skip
        self._store.log.check_open("recall")
        return recall_.recall(self._store, recall_.check_question(self._store, given))

    def context(
        self,
        /,
        query: str | None = None,
        *,
        budget: int = 1000,
        k: int = 50,
        **options: Any,
    ) -> Context:
        """What to tell a model about a question in at most `budget` tokens, with dates and sources.

        k: hits to choose from. options: those of `recall`.
        """
        from ..context import assemble

        hits = self.recall(query, k=k, **options)
        try:
            return assemble([recall_.Shown.of(hit) for hit in hits], budget)
        except ValueError as error:
            raise InvalidArgumentError(str(error)) from None

    def get(self, memory: Ref, *, as_of: Time | Seq | None = None) -> MemoryRow:
        """One memory as it is, or as it was known. Raises NotFoundError."""
        return read_.get(self._store, memory, as_of)

    def neighbours(
        self,
        memory: Ref,
        *,
        types: str | Iterable[str] | None = None,
        direction: str = "both",
        valid_at: Time | None = None,
        as_of: Time | Seq | None = None,
    ) -> list[Neighbour]:
        """Memories one edge away, by edge id. direction: "out", "in" or "both"."""
        return read_.neighbours(self._store, memory, types, direction, valid_at, as_of)

    @property
    def graph(self) -> StoreGraph:
        """The links as a graph: patterns of a few hops, ways between memories, communities."""
        self._store.log.check_open("graph")
        if self._graph is None:
            self._graph = StoreGraph(self._store)
        return self._graph

    def why(
        self, /, source: Ref | str, target: Ref | str, k: int = 1, **filters: Any
    ) -> tuple[Path, ...]:
        """Why two memories are connected: the k best ways between them, best first.

        A memory is named by its id, a hit, or the phrase of an entity. filters: valid_at, as_of,
        scope, types, direction, min_confidence, min_belief. Raises NotFoundError.
        """
        return self.graph.why(source, target, k=k, **filters)  # type: ignore[arg-type]

    def history(self, memory: Ref) -> list[Version]:
        """Every version of a memory, oldest first, with what began and ended it."""
        return read_.history(self._store, memory)

    def weights(self) -> LearnedWeights:
        """What the terms of the score weigh in this store's questions, beside the defaults."""
        return read_.weights(self._store)

    def stats(self) -> Stats:
        """Counts and sizes."""
        return read_.stats(self._store)

    def verify(self) -> Verification:
        """Check the file, replay it from the first commit and compare with the state in use."""
        return read_.verify(self._store)

    # Keeping

    def compact(self) -> None:
        """Sort what was added last among what was there before, so that questions read less.

        Rows are sorted for the weights of the latest question with a vector. Answers stay the same.
        It pays after much was added, from some 300,000 memories on: three seconds for a million,
        during which writers wait. snapshot() keeps the order.
        """
        self._store.compact()

    def snapshot(self) -> None:
        """Write the sidecar that makes opening fast. close() does so where it pays."""
        self._store.snapshot()

    def close(self) -> None:
        """Close the store; closing twice is allowed, anything else then raises ClosedError."""
        self._store.close()

    def __enter__(self) -> Memory:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Memory:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = "closed" if self._store.log.closed else f"commit {self._store.view.seq}"
        return f"Memory({str(self._store.log.path)!r}, {state})"

    # Async twins

    aadd = twin(add)
    aadd_many = twin(add_many)
    aupdate = twin(update)
    aforget = twin(forget)
    arestore = twin(restore)
    aerase = twin(erase)
    atouch = twin(touch)
    areset_weights = twin(reset_weights)
    alink = twin(link)
    alink_many = twin(link_many)
    aunlink = twin(unlink)
    arecall = twin(recall)
    acontext = twin(context)
    aget = twin(get)
    aneighbours = twin(neighbours)
    awhy = twin(why)
    ahistory = twin(history)
    aweights = twin(weights)
    astats = twin(stats)
    averify = twin(verify)
    acompact = twin(compact)
    asnapshot = twin(snapshot)
    aclose = twin(close)
