"""Likeness of texts by their words: similarity, near-duplicates, words as aspects."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .pack import Aspects

NEAR_DUPLICATE = 0.9
"""Similarity from which two texts say the same, unless a number or a negation differs."""

_WORD = re.compile(r"\w+(?:['\u2019]t\b)?")
_NEGATIONS = frozenset(
    {"no", "not", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot"}
)

Words = frozenset[str]


def words(text: str) -> Words:
    """The set of case-folded words; "don't" is one word."""
    return frozenset(_WORD.findall(text.casefold()))


def similarity(texts: Sequence[Words]) -> NDArray[np.float64]:
    """Jaccard similarity, float64 [n, n], unit diagonal; two texts without a word are alike."""
    items, _, postings = _incidence(texts)
    shared = np.zeros((len(texts), len(texts)))
    for row, held in zip(shared, items, strict=True):
        if held:
            found = np.concatenate([postings[word] for word in held])
            row += np.bincount(found, minlength=len(texts))
    sizes = np.array([len(text) for text in texts], dtype=np.float64)
    union = sizes[:, None] + sizes[None, :] - shared
    return np.divide(shared, union, out=np.ones_like(shared), where=union > 0)


def collapse(
    texts: Sequence[Words], groups: Sequence[object], order: Sequence[int]
) -> list[list[int]]:
    """Near-duplicates as lists of positions; the first of each list stands for the others.

    Texts are taken in `order`; each joins the first list whose first text is a near-duplicate of
    it. Near-duplicates are of one group (one author, say), at least NEAR_DUPLICATE alike, and
    differ in no number and no negation.
    """
    alike = similarity(texts) >= NEAR_DUPLICATE
    found: list[list[int]] = []
    for item in order:
        for members in found:
            first = members[0]
            if alike[item, first] and groups[item] == groups[first]:
                differing = texts[item] ^ texts[first]
                if not any(map(_decides, differing)):
                    members.append(item)
                    break
        else:
            found.append([item])
    return found


def word_aspects(texts: Sequence[Words]) -> Aspects:
    """Each word is an aspect that the texts holding it serve, weighted by its rarity among them.

    A text is then worth what its words add. With the question as the one aspect a short text
    beats a long one of the same probability, which loses evidence under small budgets.
    """
    items, vocabulary, postings = _incidence(texts)
    counts = np.array([len(held) for held in postings], dtype=np.float64)
    weights = np.log1p(len(texts) / counts) if vocabulary else np.zeros(0)
    total = weights.sum()
    return Aspects(
        item=np.repeat(np.arange(len(texts)), [len(held) for held in items]),
        aspect=np.array([word for held in items for word in held], dtype=np.intp),
        strength=np.ones(sum(map(len, items))),
        weights=weights / total if total > 0 else weights,
    )


def _decides(word: str) -> bool:
    """True for a word whose presence alone changes what is said."""
    return (
        word in _NEGATIONS
        or word.endswith(("'t", "\u2019t"))
        or any(character.isnumeric() for character in word)
    )


def _incidence(
    texts: Sequence[Words],
) -> tuple[list[list[int]], dict[str, int], list[NDArray[np.intp]]]:
    """Words of each text as ascending numbers, the numbering, and the texts of each word."""
    vocabulary: dict[str, int] = {}
    items = [[vocabulary.setdefault(word, len(vocabulary)) for word in sorted(t)] for t in texts]
    postings: list[list[int]] = [[] for _ in vocabulary]
    for index, held in enumerate(items):
        held.sort()
        for word in held:
            postings[word].append(index)
    return items, vocabulary, [np.array(held, dtype=np.intp) for held in postings]
