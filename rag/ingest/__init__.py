"""Ingest: the way of an article from a file to the index."""
