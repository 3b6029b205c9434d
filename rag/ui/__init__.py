"""The page: how answers, sources and conversations are shown and kept."""
