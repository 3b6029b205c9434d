"""Store: the catalogue that holds everything, the search indexes derived from it, and an index on a server."""
