"""A store as plain Python: what the state machine expects of a Memory, obvious at sight."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

Scope = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One memory as it is now."""

    text: str
    scope: Scope = ()
    kind: str = "episodic"
    author: str | None = None
    session: str | None = None
    belief: float = 1.0


@dataclass(frozen=True)
class Edge:
    source: int
    target: int
    type: str


@dataclass
class Model:
    """Rows by id, edges by id, and what was visible after every commit."""

    rows: dict[int, Row] = field(default_factory=dict)
    live: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)
    edges: dict[int, Edge] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    touches: dict[int, int] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    past: list[dict[int, Row]] = field(default_factory=lambda: [{}])
    op_ids: dict[str, int] = field(default_factory=dict)

    @property
    def commits(self) -> int:
        return len(self.past) - 1

    def visible(self) -> dict[int, Row]:
        return {i: self.rows[i] for i in sorted(self.live)}

    def commit(self) -> None:
        self.past.append(self.visible())

    def _new(self, row: Row) -> int:
        number = len(self.rows) + 1
        self.rows[number] = row
        self.live.add(number)
        self.versions[number] = 1
        return number

    def _link(self, source: int, target: int, kind: str) -> None:
        if source != target:
            self.edges[len(self.edges) + 1] = Edge(source, target, kind)

    def _last_turn(self, row: Row) -> int | None:
        turns = [
            i
            for i, other in self.visible().items()
            if (other.scope, other.session, other.kind) == (row.scope, row.session, "episodic")
        ]
        return max(turns, default=None)

    def add(self, rows: list[Row], triples: list[tuple[str, str, str]]) -> list[int]:
        """All rows in one commit; the triples are of the first."""
        ids = []
        for row in rows:
            last = None
            if row.session is not None and row.kind == "episodic":
                last = self._last_turn(row)
            ids.append(self._new(row))
            if last is not None:
                before = self.rows[last]
                self._link(last, ids[-1], "next")
                named = None not in (before.author, row.author)
                if named and before.author != row.author and "?" in before.text:
                    self._link(ids[-1], last, "answers")
        mentioned: dict[int, None] = {}
        known: dict[str, int] = {}
        for subject, predicate, target in triples:
            ends = [self._entity(rows[0].scope, phrase, known) for phrase in (subject, target)]
            self._link(*ends, predicate)
            mentioned.update(dict.fromkeys(ends))
            text, count = f"{subject} {predicate} {target}", len(self.rows)
            node = self._entity(rows[0].scope, text, known, "statement")
            self._link(ids[0], node, "states")
            for end in dict.fromkeys(ends) if len(self.rows) > count else ():
                self._link(node, end, "about")
        for end in mentioned:
            self._link(ids[0], end, "mentions")
        self.commit()
        return ids

    def _entity(
        self, scope: Scope, phrase: str, known: dict[str, int], kind: str = "entity"
    ) -> int:
        if phrase not in known:
            same = [
                i
                for i, row in self.visible().items()
                if (row.text, row.scope, row.kind) == (phrase, scope, kind)
            ]
            known[phrase] = min(same) if same else self._new(Row(phrase, scope, kind))
        return known[phrase]

    def update(self, number: int, **changes: object) -> None:
        self.rows[number] = replace(self.rows[number], **changes)
        self.versions[number] += 1
        self.commit()

    def forget(self, number: int) -> None:
        self.live.discard(number)
        self.commit()

    def restore(self, number: int) -> None:
        self.live.add(number)
        self.versions[number] += 1
        self.commit()

    def erase(self, number: int) -> None:
        gone = {number}
        if number in self.live:
            for kinds in ({"states"}, {"mentions", "about"}):
                going = set(gone)
                for one in going:
                    for node in {n for n, kind, out in self.around(one) if kind in kinds and out}:
                        by = {n for n, k, out in self.around(node) if k in kinds and not out}
                        if by <= going:
                            gone.add(node)
        self.erased |= gone
        self.live -= gone
        self.closed |= {i for i, e in self.edges.items() if {e.source, e.target} & gone}
        self.past = [{i: r for i, r in rows.items() if i not in gone} for rows in self.past]
        self.commit()

    def touch(self, number: int) -> None:
        self.touches[number] = self.touches.get(number, 0) + 1
        self.commit()

    def link(self, source: int, target: int, kind: str) -> int:
        self._link(source, target, kind)
        self.commit()
        return len(self.edges)

    def unlink(self, edge: int) -> None:
        self.closed.add(edge)
        self.commit()

    def around(self, number: int) -> list[tuple[int, str, bool]]:
        """(other end, type, outgoing) of every open edge between visible memories, by edge id."""
        found = []
        for i, edge in self.edges.items():
            if i in self.closed or not {edge.source, edge.target} <= self.live:
                continue
            if number == edge.source:
                found.append((edge.target, edge.type, True))
            if number == edge.target:
                found.append((edge.source, edge.type, False))
        return found
