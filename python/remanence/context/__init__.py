"""Context room: recalled memories as text for a prompt, within a token budget."""

from __future__ import annotations

from .assemble import Context, ContextItem, Recalled, assemble
from .budget import TokenCounter, estimate_tokens

__all__ = ["Context", "ContextItem", "Recalled", "TokenCounter", "assemble", "estimate_tokens"]
