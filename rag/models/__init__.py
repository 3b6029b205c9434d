"""Models: the embedding model, the reader and the language model, and where their files come from."""
