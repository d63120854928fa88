"""Text room: tokens, query understanding and extraction rules; a leaf that imports no sibling."""

from __future__ import annotations

from .english import ENGLISH
from .extract import (
    QUESTION,
    TIME_EXPRESSION,
    ExtractContext,
    Extraction,
    Extractor,
    Link,
    RuleExtractor,
    Stored,
    Triple,
    Turn,
)
from .language import Language
from .query import AuthorNames, QueryCues, understand
from .tokens import Tokenizer, terms, text_length, tokens

__all__ = [
    "ENGLISH",
    "QUESTION",
    "TIME_EXPRESSION",
    "AuthorNames",
    "ExtractContext",
    "Extraction",
    "Extractor",
    "Language",
    "Link",
    "QueryCues",
    "RuleExtractor",
    "Stored",
    "Tokenizer",
    "Triple",
    "Turn",
    "terms",
    "text_length",
    "tokens",
    "understand",
]
