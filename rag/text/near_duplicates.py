"""Copies: which articles tell the same report in nearly the same words, as papers do with a wire service's. Pure.

Five words in a row are hashed; the smallest hashes of an article are its sketch, by which likely copies are found without
comparing all with all (Broder: On the resemblance and containment of documents, 1997); the texts decide.
"""

from __future__ import annotations

import hashlib

from rag.text.words import words

SHINGLE_WORDS = 5
SKETCH = 64
SHARED_LEAST = 8  # values that two sketches share before the texts are compared
CONTAINED_LEAST = (
    0.6  # of the shorter text's runs of words, in the longer one: a cut or extended copy, no quotation
)
RUNS_LEAST = 36  # of a text; a shorter one is no report


def shingles(body: str) -> frozenset[int]:
    """The hashes of a text's runs of five words; of the whole text where it is shorter."""
    said = words(body)
    if not said:
        return frozenset()
    runs = {" ".join(said[i : i + SHINGLE_WORDS]) for i in range(max(1, len(said) - SHINGLE_WORDS + 1))}
    # 8 bytes of which the highest bit is left out: SQLite's integers have a sign
    return frozenset(
        int.from_bytes(hashlib.blake2b(run.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1
        for run in runs
    )


def sketch(body: str) -> tuple[int, ...]:
    """The `SKETCH` smallest hashes of a text, in order; empty for a text too short to be a report."""
    found = shingles(body)
    return tuple(sorted(found)[:SKETCH]) if len(found) >= RUNS_LEAST else ()


def overlap(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether most of the shorter text stands in the longer one, by their shingles."""
    shorter = min(len(one), len(other))
    return shorter > 0 and len(one & other) >= CONTAINED_LEAST * shorter


def is_copy(one: str, other: str) -> bool:
    """Whether most of the shorter text stands in the longer one."""
    return overlap(shingles(one), shingles(other))
