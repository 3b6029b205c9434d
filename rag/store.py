"""The store: the catalogue and its FAISS copy as one thing with one switch.

A reader (`Store`) holds one generation for life; a writer makes the next one in a single SQLite
transaction. A FAISS file that is missing or damaged is made again from the catalogue, without embedding anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.catalog import Catalog, Fingerprint, NewChunk, Segment
from rag.errors import StoreError
from rag.schema import Article, Chunk
from rag.vectors import SUFFIX, VectorIndex, is_intact, write_segment

if TYPE_CHECKING:
    from rag.protocols import Vectors

LOCK_NAME = "writer.lock"
HOLDER_NAME = "writer.txt"
MAX_SEGMENTS = 8  # more files than this are merged into one
MAX_DEAD_SHARE = 0.25  # so are files of which more than this share is removed chunks


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's only writing place. Raises `StoreError` naming the holder when it is taken."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_NAME, timeout=0)
        lock.acquire()
    except Timeout:
        try:
            holder = (folder / HOLDER_NAME).read_text(encoding="utf-8").strip()
        except OSError:
            holder = "another process"
        raise StoreError(
            f"{folder}/: {holder} is writing the index; wait for it or stop it, then run again"
        ) from None
    except OSError as error:
        raise StoreError(
            f"{folder}/: cannot be written ({error.strerror}); check the folder's permissions"
        ) from None
    try:
        (folder / HOLDER_NAME).write_text(f"process {os.getpid()}", encoding="utf-8")
        yield
    except OSError as error:
        raise StoreError(f"{folder}/: {error.strerror or error}; free space or check permissions") from None
    finally:
        (folder / HOLDER_NAME).unlink(missing_ok=True)
        lock.release()


def _matrix(rows: Sequence[bytes], dimension: int) -> Vectors:
    """float32 bytes of one vector each, as one array (len(rows), dimension)."""
    import numpy as np

    return np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), dimension)


def _merge(folder: Path, catalog: Catalog, fingerprint: Fingerprint, generation: int) -> None:
    """Replace all FAISS files of `generation` by one made from the catalogue; inside a transaction."""
    rows = list(catalog.vectors(generation))
    catalog.remove_segments([s.name for s in catalog.segments(generation)], generation)
    if rows:
        vectors = _matrix([v for _, v in rows], fingerprint.dimension)
        catalog.add_segment(write_segment(folder, [i for i, _ in rows], vectors), generation)


def _sweep(folder: Path, catalog: Catalog) -> None:
    """Delete FAISS files that no generation lists: left by a crash, or by rows that are purged."""
    listed = set(catalog.segment_names())
    for path in folder.glob("vectors-*"):
        if path.name not in listed and path.suffix in (SUFFIX, ".partial"):
            path.unlink(missing_ok=True)


def write(
    folder: Path,
    catalog: Catalog,
    fingerprint: Fingerprint,
    removed: Sequence[str],
    added: Sequence[tuple[Article, Sequence[NewChunk]]],
) -> int:
    """Make the next generation: `removed` article ids end, `added` articles begin. Returns its number.

    The vectors of all added chunks must be in the catalogue. Call it under `writer_lock`. Raises `StoreError`;
    then the newest generation is still the old one.
    """
    with catalog.transaction():
        generation = catalog.generation() + 1
        for article_id in removed:
            catalog.remove_article(article_id, generation)
        new_ids: list[int] = []
        for article, chunks in added:
            new_ids += catalog.add_article(article, chunks, generation)
        catalog.purge(
            generation
        )  # what ended with an earlier generation: one older generation stays readable
        catalog.set_fingerprint(fingerprint)
        held = catalog.segments(generation)
        dead = len(catalog.dead_ids(generation))
        if len(held) >= MAX_SEGMENTS or dead > MAX_DEAD_SHARE * sum(s.count for s in held):
            _merge(folder, catalog, fingerprint, generation)
        elif new_ids:
            vectors = _matrix(catalog.vectors_of(new_ids), fingerprint.dimension)
            catalog.add_segment(write_segment(folder, new_ids, vectors), generation)
        catalog.set_generation(generation)
    _sweep(folder, catalog)
    return generation


class Store:
    """One generation of an index, for reading."""

    def __init__(self, folder: Path, fingerprint: Fingerprint) -> None:
        """Open the newest generation of `folder`.

        Raises `StoreError` when there is no index, or when other settings made it; repairs damaged FAISS files.
        """
        self.folder = folder
        self.catalog = Catalog(folder)
        made_by = self.catalog.fingerprint()
        if made_by is None:
            raise StoreError(f"the index at {folder}/ is empty; run: rag index")
        if made_by != fingerprint:
            what = "embedding model" if made_by.embedding != fingerprint.embedding else "chunk settings"
            old, new = (
                (f.embedding if what == "embedding model" else f.chunking) for f in (made_by, fingerprint)
            )
            raise StoreError(
                f"the index at {folder}/ was made by another {what} ({old}, now {new}); run: rag index"
            )
        self.fingerprint = fingerprint
        self.generation = self.catalog.generation()
        segments = self.catalog.segments(self.generation)
        if not all(is_intact(self.folder, s) for s in segments) or not self._complete(segments):
            self._repair()
            segments = self.catalog.segments(self.generation)
        dead = self.catalog.dead_ids(self.generation)
        self._vectors = VectorIndex(self.folder, segments, dead, self.fingerprint.dimension)

    def _complete(self, segments: Sequence[Segment]) -> bool:
        """Whether the listed files can hold every live chunk (removed ones may be in them too)."""
        return sum(s.count for s in segments) >= self.catalog.chunk_count(self.generation)

    def _repair(self) -> None:
        with writer_lock(self.folder), self.catalog.transaction():
            generation = self.catalog.generation() + 1
            _merge(self.folder, self.catalog, self.fingerprint, generation)
            self.catalog.set_generation(generation)
        self.generation = generation

    def is_behind(self) -> bool:
        """Whether a newer generation has been made; this object keeps its own, so open another `Store` for it."""
        return self.catalog.generation() != self.generation

    def close(self) -> None:
        """Close the files."""
        self.catalog.close()

    def articles(self) -> list[Article]:
        """All articles, by id."""
        return self.catalog.articles(self.generation)

    def chunk_count(self) -> int:
        """Number of chunks."""
        return self.catalog.chunk_count(self.generation)

    def dense(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """(chunk id, cosine similarity), best first."""
        return self._vectors.search(vector, limit)

    def lexical(self, query: str, limit: int) -> list[tuple[int, float]]:
        """(chunk id, BM25 score), best first."""
        return self.catalog.lexical(query, limit, self.generation)

    def lookup(self, ids: Sequence[int]) -> list[tuple[int, Chunk, Article]]:
        """The chunks of `ids` with their articles, in the order given."""
        return self.catalog.lookup(ids, self.generation)
