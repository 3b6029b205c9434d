"""Benchmarks of the index: how fast, how large, how exact. `python -m eval.bench --help`."""
