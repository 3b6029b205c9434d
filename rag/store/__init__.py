"""Store: the catalogue that is the truth, its fast copies for search, and an index on a server."""
