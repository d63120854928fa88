"""Text room: tokens, query understanding and extraction rules; a leaf that imports no sibling."""

from __future__ import annotations

from .english import ENGLISH
from .extract import (
    QUESTION,
    ExtractContext,
    Extracted,
    Extraction,
    Extractor,
    Link,
    RuleExtractor,
    Stored,
    Triple,
    Turn,
    Turns,
)
from .language import CHANGE, MAYBE_DAY, MAYBE_TIME, NUMBER, TIME, Glossary, Language, Stated
from .names import NameFinder, name_key, subject_names, title_of
from .query import MAX_READ, AuthorNames, QueryCues, understand
from .reading import DATED, TIME_EXPRESSION, UPDATE, PlainReader, Reader, Reading
from .tokens import Tokenizer, terms, text_length, tokens

__all__ = [
    "CHANGE",
    "DATED",
    "ENGLISH",
    "MAX_READ",
    "MAYBE_DAY",
    "MAYBE_TIME",
    "NUMBER",
    "QUESTION",
    "TIME",
    "TIME_EXPRESSION",
    "UPDATE",
    "AuthorNames",
    "ExtractContext",
    "Extracted",
    "Extraction",
    "Extractor",
    "Glossary",
    "Language",
    "Link",
    "NameFinder",
    "PlainReader",
    "QueryCues",
    "Reader",
    "Reading",
    "RuleExtractor",
    "Stated",
    "Stored",
    "Tokenizer",
    "Triple",
    "Turn",
    "Turns",
    "name_key",
    "subject_names",
    "terms",
    "text_length",
    "title_of",
    "tokens",
    "understand",
]
