"""The judge of recall and of the graph: one memory at a time, slow, obvious, no call into the core.

A `Judge` holds versions, edges and touches as plain dicts, is written with the engine's verbs, and
answers a recall with the engine's bits (spreading activation: to rounding).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from tests import reference_access as access
from tests import reference_links as links
from tests import reference_newer as newer
from tests import reference_triples as triples
from tests.reference_decay import F32, canonical_exp2
from tests.reference_graph import NEVER, NOW, TIME_MAX, Graph, Row, holds

F = np.float32
TERMS = (
    *("bias", "length", "question", "when", "lexical", "author", "date", "lift", "activation"),
    *("usefulness", "importance", "belief", "cosine", "subject", "next", "session", "mention"),
    *("spreading", "triples", "newer"),
)
EPISODIC, DOCUMENT, NODES = 0, 2, (4, 5)
QUESTION, TIME_EXPRESSION = 1, 2
ROOT_20 = np.sqrt(F(20))
NEXT, ANSWERS = 1, 2
REQUEST: dict[str, Any] = {
    "k": 10, "vector": None, "terms": "", "scopes": None, "kinds": 0xFF, "valid_at": None,
    "as_of": None, "min_belief": 0.0, "allow": None, "exclude": None, "authors": None,
    "dates": None, "asks_when": False, "asks_value": False, "names": None, "cues": None,
}  # fmt: skip
SEEDS = 50  # each is worth its lead over the best row after them
SESSION_LIMIT = 4096


# Vectors.
def padded(vector: Iterable[float]) -> F32:
    v = np.asarray(vector, dtype=F)
    return np.concatenate([v, np.zeros(-len(v) % 16, dtype=F)])


def dot(a: F32, b: F32) -> F:
    """16 running sums, then halves are added until one is left."""
    lanes = np.zeros(16, dtype=F)
    for j in range(0, len(a), 16):
        lanes = lanes + a[j : j + 16] * b[j : j + 16]
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = lanes[:half] + lanes[half:]
    return lanes[0]


def unit(vector: Iterable[float]) -> F32:
    v = padded(vector)
    return v / np.sqrt(dot(v, v))


def centred(query: F32, rows: list[Row], centring: F) -> F32:
    """The query less a share of the rows' mean, which is shrunk as if by ten zero vectors."""
    vectors = [r["unit"] for r in rows if r["unit"] is not None]
    if not vectors:
        return query
    scale = 2.0**-30 / (len(vectors) + 10.0)
    whole = sum((v * F(2**30)).astype(np.int64) for v in vectors)  # integers add in any order
    return query - centring * (whole.astype(np.float64) * scale).astype(F)


# Words: BM25 with idf^1.25, a pseudo-length, and the root of the summed word weights below it.
def words_of(text: str) -> list[str]:
    return [word for word in text.split(" ") if word and word[0] != "#"]


def word_weights(question: str, rows: list[Row]) -> dict[str, F]:
    weights = {}
    for word, times in Counter(words_of(question)).items():  # in order of first mention
        found = sum(word in r["counts"] for r in rows)
        if found:
            idf = access.log(1.0 + (len(rows) - found + 0.5) / (found + 0.5))
            weights[word] = access.power(idf, 1.25) * float(times)
    root = math.sqrt(sum(weights.values()))
    return {word: F(weight / root) for word, weight in weights.items()}


def length_norm(rows: list[Row]) -> tuple[F, F]:
    """(base, slope) of the saturation: base + slope * words."""
    average = sum(r["words"] for r in rows) / len(rows)
    pseudo = max(0.0, 40.0 - average)
    base = 1.5 * (1.0 - 0.75 + 0.75 * pseudo / (average + pseudo))
    return F(base), F(1.5 * 0.75 / (average + pseudo))


def lexical(row: Row, weights: dict[str, F], norm: tuple[F, F]) -> F:
    total = F(0)
    saturation = norm[0] + norm[1] * F(row["words"])
    for word, weight in weights.items():
        if row["counts"][word]:
            count = F(row["counts"][word])
            total = total + weight * (count / (count + saturation))
    return total


def nearness(time: int, dates: Iterable[tuple[int, int]]) -> F:
    """exp(-days / 14) from the nearest interval; a day before it counts three."""
    nearest = F(1e9)
    for start, end in dates:
        if time < start:
            days = F(3) * (access.to_f32(int(start) - time) / F(86_400e9))
        elif time >= end:
            days = access.to_f32(time - int(end)) / F(86_400e9)
        else:
            days = F(0)
        nearest = min(nearest, days)
    return canonical_exp2(np.array([nearest * F(float.fromhex("-0x1.a61762p-4"))]))[0]


def added(terms: dict[str, F]) -> F:
    total = F(0)
    for name in TERMS:
        total = total + terms[name]
    return total


class Judge(Graph):
    """Written with the engine's verbs; recalls with the engine's bits."""

    def __init__(self) -> None:
        super().__init__()
        self.touches: list[Row] = []
        self.newest: dict[int, Row] = {}
        self.seq = 0

    # Writes. Each trusts its input: refusals are the engine's business.
    def append(self, seq: int, rows: Iterable[Row]) -> None:
        for row in rows:
            old = self.newest.get(row["id"])
            if old is not None:
                old["seq_to"] = min(old["seq_to"], seq)
            counts = Counter(words_of(row["terms"]))
            vector = None if row["vector"] is None else unit(row["vector"])
            self.newest[row["id"]] = (
                row
                | {"seq_from": seq, "seq_to": NEVER, "erased": False, "unit": vector}
                | {"counts": counts, "words": counts.total()}
                | {"created": row["time"] if old is None else old["created"]}
            )
            self.rows.append(self.newest[row["id"]])
        self.seq = seq

    def close(self, seq: int, ids: Iterable[int]) -> None:
        for memory in ids:
            self.newest[memory]["seq_to"] = seq
        self.seq = seq

    def restore(self, seq: int, ids: Iterable[int]) -> None:
        for memory in ids:
            self.newest[memory] = self.newest[memory] | {"seq_from": seq, "seq_to": NEVER}
            self.rows.append(self.newest[memory])
        self.seq = seq

    def erase(self, seq: int, ids: Iterable[int]) -> None:
        for memory in ids:
            for row in self.rows:
                if row["id"] == memory:
                    row |= {"erased": True, "seq_to": min(row["seq_to"], seq)}
            for edge in self.edges:
                if memory in (edge["source"], edge["target"]):
                    edge["seq_to"] = min(edge["seq_to"], seq)
        self.seq = seq

    def touch(self, seq: int, touches: Iterable[Row]) -> None:
        self.touches += [t | {"seq": seq} for t in touches]
        self.seq = seq

    def link(self, seq: int, edges: Iterable[Row]) -> None:
        self.edges += [e | {"seq_from": seq, "seq_to": NEVER} for e in edges]
        self.seq = seq

    def unlink(self, seq: int, edges: Iterable[int]) -> None:
        for edge in self.edges:
            if edge["edge"] in edges:
                edge["seq_to"] = seq
        self.seq = seq

    # Accesses.
    def state(self, row: Row, seq: int) -> access.State:
        state = access.first(row["law"], row["created"])
        for t in self.touches:
            if t["id"] == row["id"] and t["seq"] <= seq:
                access.touch(state, t["time"], t["weight"], t["used"])
        return state

    def activation(self, memory: int, now: int, as_of: int | None = None) -> F:
        row = self.seen(as_of)[memory]
        return access.activation(self.state(row, NOW if as_of is None else as_of), now)

    # Recall.
    def recall(self, request: Row) -> tuple[list[Row], int]:
        """(hits, memories that passed the filters); a hit: id, score, p_use, belief, terms."""
        q = REQUEST | request
        w = {name: F(value) for name, value in q["weights"].items()}
        seq = NOW if q["as_of"] is None else q["as_of"]
        inside = [r for r in self.seen(seq).values() if in_scope(r, q)]
        only_nodes = not any(q["kinds"] >> kind & 1 for kind in range(4))
        corpus = [r for r in inside if (r["kind"] in NODES) == only_nodes]
        query = None
        if q["vector"] is not None and w["cosine"] != 0 and any_vector(self.rows):
            query = centred(unit(q["vector"]), corpus, w["centring"])
        weights = word_weights(q["terms"], corpus)
        norm = length_norm(corpus) if corpus else None

        def own(row: Row) -> Row:
            terms = self.own_terms(row, q, w, seq)
            if weights:
                terms["lexical"] = lexical(row, weights, norm) * lexical_weight(row, w)
            if query is not None and row["unit"] is not None:
                terms["cosine"] = w["cosine"] * dot(query, row["unit"])
            return {"row": row, "terms": terms}

        hits = {row["id"]: own(row) for row in inside if passes(row, q)}
        scanned = len(hits)
        links.add_subjects(self, hits, q["names"], w, seq)
        if query is not None or weights or (q["names"] is not None and len(q["names"])):
            self.add_links(hits, w, seq)
        if q["cues"] is not None and len(q["cues"]) and w["spreading"] != 0:
            self.add_spreading(hits, q, w)
        if query is not None or weights:
            among = q | {"kinds": 1 << triples.STATEMENT, "allow": None, "exclude": None}
            stated = {row["id"]: own(row) for row in inside if passes(row, among)}
            best = [hit["row"] for hit in ranked(stated)[: triples.BEST]]
            triples.add_triples(self, hits, best, w["triples"], len(inside), seq)
        newer.add_lifts(self, ranked(hits), q, w["newer"], weights, seq)
        return [answer(hit) for hit in ranked(hits)[: q["k"]]], scanned

    def own_terms(self, row: Row, q: Row, w: dict[str, F], seq: int) -> dict[str, F]:
        """What the memory says for itself, apart from words and vector."""
        terms = dict.fromkeys(TERMS, F(0))
        terms["bias"] = w["bias"]
        if row["kind"] == EPISODIC:
            terms["length"] = w["length"] * F(access.log(1.0 + min(row["length"], 20)))
            if row["flags"] & QUESTION:
                terms["question"] = w["question"]
            if row["flags"] & TIME_EXPRESSION and q["asks_when"]:
                terms["when"] = w["when"]
            authors = [] if q["authors"] is None else q["authors"]
            if len(authors) == 1 and authors[0] != 0 and row["author"] != 0:
                terms["author"] = w["author"] if row["author"] == authors[0] else -w["author"]
            if q["dates"] is not None and len(q["dates"]):
                terms["date"] = w["date"] * nearness(row["time"], q["dates"])
        state = self.state(row, seq)
        if w["lift"] != 0 and state.accesses > 1:
            untouched = access.first(row["law"], row["created"])
            lift = access.activation(state, q["now"]) - access.activation(untouched, q["now"])
            terms["lift"] = w["lift"] * lift
        if w["activation"] != 0:
            terms["activation"] = w["activation"] * access.activation(state, q["now"])
        if state.used or state.unused:
            ratio = (state.used + 1.0) / (state.unused + 1.0)
            terms["usefulness"] = w["usefulness"] * F(access.log(ratio))
        terms["importance"] = w["importance"] * F(row["importance"])
        terms["belief"] = F(access.log(float(F(row["belief"]))))
        return terms

    def add_links(self, hits: dict[int, Row], w: dict[str, F], seq: int) -> None:
        """The lead of each of the best hits, shared by a turn with the turn before and after and
        with its session; a memory outside of any session is a session of one."""
        seen = self.seen(seq)
        best = [(added(hit["terms"]), hit["row"]) for hit in ranked(hits)]
        leads = []
        for score, row in best[:SEEDS]:
            lead = score - best[min(SEEDS, len(best) - 1)][0]
            if lead <= 0:
                continue
            leads.append((row, lead))
            if row["kind"] != EPISODIC or row["session"] == 0:
                terms = hits[row["id"]]["terms"]
                terms["session"] = max(terms["session"], min(F(1), w["session"] * ROOT_20) * lead)
            if row["kind"] != EPISODIC:
                continue
            memory, session = row["id"], row["session"]
            answered = {m for _, m, _ in self.neighbours(memory, as_of=seq, types=[ANSWERS])}
            for _, other, _ in self.neighbours(memory, as_of=seq, types=[NEXT]):
                if other in hits and other not in answered and seen[other]["kind"] == EPISODIC:
                    hits[other]["terms"]["next"] += w["next"] * lead
            mates = [m for m, r in seen.items() if r["session"] == session != 0]
            if mates and len(mates) <= SESSION_LIMIT:
                share = min(F(1), w["session"] * np.sqrt(F(20) / F(len(mates))))
                for other in mates:
                    if other in hits and seen[other]["kind"] == EPISODIC:
                        terms = hits[other]["terms"]
                        terms["session"] = max(terms["session"], share * lead)

        links.add_mentions(self, hits, leads, w, seq)

    def add_spreading(self, hits: dict[int, Row], q: Row, w: dict[str, F]) -> None:
        which = {"as_of": q["as_of"], "valid_at": q["valid_at"]}
        for memory, lift in self.spreading([int(c) for c in q["cues"]], **which).items():
            if memory in hits:
                hits[memory]["terms"]["spreading"] = w["spreading"] * F(lift)


def any_vector(rows: list[Row]) -> bool:
    """A store learns its dimension from its first vector."""
    return any(r["unit"] is not None for r in rows)


def in_scope(row: Row, q: Row) -> bool:
    return q["scopes"] is None or row["scope"] in q["scopes"]


def passes(row: Row, q: Row) -> bool:
    valid_now = row["valid_to"] > q["now"] or row["valid_to"] == TIME_MAX
    return bool(
        q["kinds"] >> row["kind"] & 1
        and F(row["belief"]) >= F(q["min_belief"])
        and (valid_now if q["valid_at"] is None else holds(row, q["valid_at"]))
        and (q["allow"] is None or row["id"] in q["allow"])
        and (q["exclude"] is None or row["id"] not in q["exclude"])
    )


def lexical_weight(row: Row, w: dict[str, F]) -> F:
    if row["kind"] in NODES:
        return w["lexical_statement"]
    return w["lexical_document"] if row["kind"] == DOCUMENT else w["lexical"]


def ranked(hits: dict[int, Row]) -> list[Row]:
    return sorted(hits.values(), key=lambda hit: (-added(hit["terms"]), hit["row"]["id"]))


def answer(hit: Row) -> Row:
    score, belief = added(hit["terms"]), F(hit["row"]["belief"])
    evidence = float(score) - float(hit["terms"]["belief"])
    likely = 1.0 / (1.0 + access.exp(-evidence))
    return {
        "id": hit["row"]["id"],
        "score": score,
        "belief": belief,
        "p_use": F(likely * float(belief)),
        "terms": [hit["terms"][name] for name in TERMS],
    }
