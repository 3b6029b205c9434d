"""Retrieval: a question finds passages, and passages become the windows that the reader reads."""
