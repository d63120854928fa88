"""Loads an embedder by its name; providers are imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from .protocols import Embedder

DEFAULT = "wordllama"

# provider -> (module that holds `load`, extra that installs it, its import name)
_PROVIDERS = {
    "wordllama": ("wordllama", "", "tokenizers"),
    "sentence-transformers": (
        "sentence_transformers",
        "sentence-transformers",
        "sentence_transformers",
    ),
    "fastembed": ("fastembed", "fastembed", "fastembed"),
    "openai": ("openai", "openai", "openai"),
}


def load(
    spec: str | Embedder | None,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    dim: int | None = None,
) -> Embedder | None:
    """The embedder that `spec` names, an embedder object as it is, or None for None.

    spec: "default" or "wordllama" (inside the package, no download, no network),
    "sentence-transformers:MODEL", "fastembed:MODEL", or "openai:MODEL" for any OpenAI-compatible
    endpoint (`base_url`, `api_key`; else OPENAI_BASE_URL, OPENAI_API_KEY). dim: shorter vectors
    where an endpoint offers them. Raises ValueError for an unknown spec, ModuleNotFoundError
    that names the extra to install.
    """
    if spec is None:
        return None
    if not isinstance(spec, str):
        if not isinstance(spec, Embedder):
            raise ValueError(
                f"load: an embedder has id, dim and embed(texts) (got {type(spec).__name__})"
            )
        return spec
    name, _, model = spec.partition(":")
    name = DEFAULT if name == "default" else name
    if name not in _PROVIDERS or bool(model) == (name == DEFAULT):
        wanted = "default, wordllama, " + ", ".join(
            f"{other}:MODEL" for other in _PROVIDERS if other != DEFAULT
        )
        raise ValueError(f"load: no such embedder (got {spec!r}, want one of {wanted})")
    options = {"base_url": base_url, "api_key": api_key, "dim": dim}
    if name != "openai" and any(value is not None for value in options.values()):
        raise ValueError(f"load: base_url, api_key and dim belong to openai:MODEL (got {spec!r})")
    arguments = [model] if model else []
    return _provider(name)(*arguments, **(options if name == "openai" else {}))


def _provider(name: str) -> Callable[..., Embedder]:
    module, extra, package = _PROVIDERS[name]
    try:
        found = import_module(f".providers.{module}", __package__)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] != package:
            raise
        install = f"'remanence[{extra}]'" if extra else "remanence"
        raise ModuleNotFoundError(
            f"load: the embedder {name!r} needs {package} (pip install {install})",
            name=missing.name,
        ) from missing
    return cast(Callable[..., Embedder], found.load)
