"""One file per provider of embeddings, each with `load(model) -> Embedder`."""
