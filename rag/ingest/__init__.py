"""Ingest: from a file of articles to the index."""
