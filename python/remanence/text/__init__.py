"""Text room: tokens, query understanding and extraction rules; a leaf that imports no sibling."""

from __future__ import annotations

from .english import ENGLISH
from .extract import (
    DATED,
    QUESTION,
    TIME_EXPRESSION,
    UPDATE,
    ExtractContext,
    Extraction,
    Extractor,
    Link,
    RuleExtractor,
    Stored,
    Triple,
    Turn,
)
from .language import Language, Stated
from .names import NameFinder, name_key, subject_names, title_of
from .query import MAX_READ, AuthorNames, QueryCues, understand
from .tokens import Tokenizer, terms, text_length, tokens

__all__ = [
    "DATED",
    "ENGLISH",
    "MAX_READ",
    "QUESTION",
    "TIME_EXPRESSION",
    "UPDATE",
    "AuthorNames",
    "ExtractContext",
    "Extraction",
    "Extractor",
    "Language",
    "Link",
    "NameFinder",
    "QueryCues",
    "RuleExtractor",
    "Stated",
    "Stored",
    "Tokenizer",
    "Triple",
    "Turn",
    "name_key",
    "subject_names",
    "terms",
    "text_length",
    "title_of",
    "tokens",
    "understand",
]
