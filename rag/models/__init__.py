"""Models: what turns texts into vectors, judges windows and words answers, and where their files come from."""
