"""The store in files: the catalogue, and two search indexes derived from it, vectors in FAISS and words in tantivy.

A reader (`LocalStore`) keeps one generation until it is released. A writer makes the next one in a single SQLite transaction,
which lists the index files by their hashes. A missing or damaged file is rebuilt from the catalogue, without embedding
anything. Files are never changed: an update adds a small segment, and `tidy` merges segments afterwards.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import StoreError
from rag.schema import EVERY_ARTICLE, Article, Choice, Chunk
from rag.store import bm25 as words
from rag.store.base import Fingerprint, check_fingerprint, embedded_text
from rag.store.bm25 import LexicalIndex, write_lexical
from rag.store.catalog import Catalog
from rag.store.records import Duplicate, LexicalFiles, NewArticle, Segment
from rag.store.vectors import SUFFIX, VectorIndex, is_intact, write_segment
from rag.text import near_duplicates

if TYPE_CHECKING:
    from rag.protocols import Vectors

LOCK_NAME = "writer.lock"
HOLDER_NAME = "writer.txt"
MAX_SEGMENTS = 8  # more files than this are merged
MERGE_RATIO = 2.0  # a file is merged with the newer ones when it is at most this many times as large as they are together
MAX_DEAD_SHARE = 0.25  # a file with a larger share of removed chunks is rewritten
OPEN_TRIES = 5  # a writer may have just deleted a listed file


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Lock the index in `folder` for writing. Raises `StoreError` naming the process that is writing it already."""
    from filelock import FileLock, Timeout

    holder = folder / HOLDER_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK_NAME, timeout=0):
            try:
                holder.write_text(f"process {os.getpid()}", encoding="utf-8")
                yield
            finally:
                holder.unlink(missing_ok=True)
    except Timeout:
        name = "another process"
        with suppress(OSError):
            name = holder.read_text(encoding="utf-8").strip()
        raise StoreError(
            f"{folder}/: {name} is writing the index; wait for it or stop it, then run again"
        ) from None
    except OSError as error:
        reason = error.strerror or error
        advice = "free space or check the folder's permissions"
        raise StoreError(f"{folder}/: cannot be written ({reason}); {advice}") from None


# ---------------------------------------------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class FileState:
    """A file that was read: its stamp (size and times), (key, reason) of each article in it that could not be read, and its
    duplicates."""

    file: str
    root: str
    stamp: str
    skips: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[Duplicate, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """Everything that one generation changes. A changed article is in both `removed` and `added`. `moved` is (old id, the
    article in its new place, its file). `excluded` are articles to leave out until they change, `readmitted` those to
    leave out no longer."""

    removed: Sequence[str] = ()
    added: Sequence[NewArticle] = ()
    moved: Sequence[tuple[str, Article, str]] = ()
    files: Sequence[FileState] = ()
    forgotten: Sequence[str] = ()
    roots: Sequence[str] = ()
    excluded: Sequence[tuple[str, str, str]] = ()  # id, file, version
    readmitted: Sequence[str] = ()


def _segment(folder: Path, catalog: Catalog, dimension: int, low: int, high: int) -> list[Segment]:
    """The chunks with low <= id < high as one new file; no file where there are none."""
    import numpy as np

    rows = dict(catalog.vectors(low, high))
    vectors = np.frombuffer(b"".join(rows.values()), dtype="<f4").reshape(len(rows), dimension)
    return [write_segment(folder, list(rows), vectors, low, high)] if rows else []


def _lexical(
    folder: Path, catalog: Catalog, base: LexicalFiles | None = None, gone: Sequence[int] = (), low: int = 0
) -> LexicalFiles:
    """The word index `base` without the chunks `gone`, with those of low <= id; of all chunks where there is no usable base."""
    high = catalog.next_chunk()

    def texts(low: int) -> Iterator[tuple[int, str]]:
        return ((i, embedded_text(title, text)) for i, title, text in catalog.texts(low, high))

    if base is not None and words.is_present(folder, base):
        try:
            return write_lexical(folder, base, gone, texts(low), high - low)
        except StoreError:
            if words.is_intact(folder, base):
                raise
    return write_lexical(folder, None, [], texts(0), catalog.chunk_count())


def _origin(catalog: Catalog, new: NewArticle) -> str:
    """The id of the first article that `new` is a near-duplicate of; its own when there is none."""
    for id_, body in catalog.alike(new.sketch, near_duplicates.SHARED_LEAST):
        if near_duplicates.is_copy(new.article.body, body):
            return id_
    return new.article.id


def write(folder: Path, catalog: Catalog, fingerprint: Fingerprint, update: Update) -> int:
    """Write the next generation. Returns its number.

    The vectors of all added chunks must be in the catalogue. Call it under `writer_lock`. Raises `StoreError`;
    then the previous generation is still the newest.
    """
    with catalog.transaction():
        generation = catalog.generation() + 1
        low = catalog.next_chunk()
        vectors: list[int] = []
        gone: list[int] = []
        for old, article, file in update.moved:
            catalog.move_article(old, article, file)
        for id_ in update.removed:
            before = catalog.chunk_ids(id_)
            gone += before
            vectors += catalog.remove_article(id_)
            others = catalog.near_duplicates_of(id_)
            if others:  # the next of its near-duplicates takes its place as the first
                catalog.set_origin(id_, others[0][0], near_duplicates.sketch(others[0][1]))
        for new in update.added:
            catalog.add_article(new, _origin(catalog, new))
        catalog.drop_vectors(vectors)
        for state in update.files:
            catalog.set_file(state.file, state.root, state.stamp, state.skips, state.duplicates)
        for file in update.forgotten:
            catalog.forget_file(file)
        for root in update.roots:
            catalog.add_root(root)
        for out in update.excluded:
            catalog.exclude(*out)
        catalog.readmit(update.readmitted)
        another = catalog.fingerprint() not in (None, fingerprint)  # then all articles are indexed again
        catalog.set_fingerprint(fingerprint)
        high = catalog.next_chunk()
        replaced = catalog.segments() if another else []
        catalog.set_segments(replaced, _segment(folder, catalog, fingerprint.dimension, low, high))
        if gone or high > low:
            base = None if another else catalog.lexical()
            catalog.set_lexical(_lexical(folder, catalog, base, gone, low))
        catalog.set_generation(generation)
    _delete_unused(folder, catalog)
    return generation


def _delete_unused(folder: Path, catalog: Catalog) -> None:
    """Delete files that the catalogue does not list: a crash left them, or they were replaced. Open readers keep theirs."""
    listed = {s.name for s in catalog.segments()}
    for path in folder.glob("vectors-*"):
        if path.name not in listed and path.suffix in (SUFFIX, ".partial"):
            path.unlink(missing_ok=True)
    copy = catalog.lexical()
    words.delete_unused(folder, [copy.name] if copy else [])


def _to_merge(segments: Sequence[Segment], tombstones: Sequence[int]) -> list[Segment]:
    """Neighbouring files to merge into one, or a single file to rewrite without its removed chunks; empty for neither.

    The newest files are merged, together with an older one that is not much larger than they are. So each vector is
    written about log2(n) times in all.
    """
    for segment in segments:
        dead = bisect_left(tombstones, segment.high) - bisect_left(tombstones, segment.low)
        if dead > MAX_DEAD_SHARE * segment.count:
            return [segment]
    if len(segments) <= MAX_SEGMENTS:
        return []
    chosen = [segments[-1]]
    for segment in reversed(segments[:-1]):
        if len(chosen) > 1 and segment.count > MERGE_RATIO * sum(s.count for s in chosen):
            break
        chosen.insert(0, segment)
    return chosen


def tidy(
    folder: Path,
    catalog: Catalog,
    dimension: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Merge FAISS files until there are few. Each merge happens completely or not at all.

    Nothing that a reader sees changes. Call it under `writer_lock`. `progress` gets the vectors done and the total.
    """
    while chosen := _to_merge(catalog.segments(), catalog.tombstones()):
        total = sum(s.count for s in chosen)
        progress(0, total)
        merged = _segment(folder, catalog, dimension, chosen[0].low, chosen[-1].high)
        with catalog.transaction():
            catalog.set_segments(chosen, merged)
        _delete_unused(folder, catalog)
        progress(total, total)


def repair(folder: Path, catalog: Catalog, dimension: int) -> list[str]:
    """Rebuild from the catalogue each index file that is missing, damaged or has other chunks. Returns a line for each.

    Call it under `writer_lock`.
    """
    done: list[str] = []

    def rebuild_vectors(what: str, replaced: Sequence[Segment], low: int, high: int) -> None:
        with catalog.transaction():
            catalog.set_segments(replaced, _segment(folder, catalog, dimension, low, high))
        done.append(f"{what}; made again")

    def rebuild_lexical(what: str) -> None:
        with catalog.transaction():
            catalog.set_lexical(_lexical(folder, catalog))
        done.append(f"{what}; made again")

    for segment in catalog.segments():
        if not is_intact(folder, segment):
            rebuild_vectors(f"{segment.name}: missing or damaged", [segment], segment.low, segment.high)
    copy = catalog.lexical()
    if catalog.chunk_count() and (copy is None or not words.is_intact(folder, copy)):
        rebuild_lexical(f"{copy.name if copy else 'the word index'}: missing or damaged")
    index = VectorIndex(folder, catalog.segments(), catalog.tombstones(), dimension, catalog.vectors_of)
    if index.ids_checksum() != catalog.ids_checksum():
        what = "the vector files did not hold the catalogue's chunks"
        rebuild_vectors(what, catalog.segments(), 0, catalog.next_chunk())
    copy = catalog.lexical()
    if copy is not None and LexicalIndex(folder, copy).count() != catalog.chunk_count():
        rebuild_lexical("the word index did not hold the catalogue's chunks")
    _delete_unused(folder, catalog)
    return done


# ---------------------------------------------------------------------------------------------------- reading


class LocalStore:
    """One generation of an index in files. Its methods are those of `rag.store.base.Store`."""

    def __init__(self, folder: Path, fingerprint: Fingerprint, known: LocalStore | None = None) -> None:
        """Open the newest generation of `folder`. Files that `known` has open are not read again.

        Raises `StoreError` when there is no index, or when other settings made it. Repairs damaged index files.
        """
        self.folder = folder
        self.catalog = Catalog(folder)
        self.fingerprint = fingerprint
        try:
            for attempt in range(OPEN_TRIES):
                self.catalog.pin()
                check_fingerprint(f"{folder}/", self.catalog.fingerprint(), fingerprint)
                try:
                    self._open(known)
                    return
                except StoreError:
                    self.catalog.unpin()
                    time.sleep(0.02)
                    if attempt == OPEN_TRIES - 2:
                        with writer_lock(folder), closing(Catalog(folder)) as catalog:
                            repair(folder, catalog, fingerprint.dimension)
                    elif attempt == OPEN_TRIES - 1:
                        raise
        except BaseException:
            self.catalog.close()
            raise

    def _open(self, known: LocalStore | None) -> None:
        self.generation = self.catalog.generation()
        self._vectors: VectorIndex = VectorIndex(
            self.folder,
            self.catalog.segments(),
            self.catalog.tombstones(),
            self.fingerprint.dimension,
            self.catalog.vectors_of,
            known._vectors if known else None,
        )
        copy, opened = self.catalog.lexical(), known._words if known else None
        self._words: LexicalIndex | None = LexicalIndex(self.folder, copy, opened) if copy else None
        count = self.catalog.chunk_count()
        if known is None:
            is_whole = self._vectors.ids_checksum() == self.catalog.ids_checksum()
        else:  # `known` has compared the ids of all but the newest files
            is_whole = self._vectors.count() == count
        if not is_whole or count != (self._words.count() if self._words else 0):
            raise StoreError(
                f"{self.folder}/: its files do not belong to the same index; run: rag index --check"
            )

    def reopened(self) -> LocalStore:
        return LocalStore(self.folder, self.fingerprint, self)

    def is_behind(self) -> bool:
        if self.catalog.is_replaced():
            return True
        with closing(Catalog(self.folder)) as newest:
            return newest.generation() != self.generation

    def release(self) -> None:
        self.catalog.unpin()

    def resume(self) -> bool:
        self.catalog.pin()
        if self.catalog.is_replaced() or self.catalog.generation() != self.generation:
            self.catalog.unpin()
            return False
        return True

    def close(self) -> None:
        self.catalog.close()

    def articles(self, limit: int = -1) -> list[Article]:
        return list(self.catalog.articles(limit))

    def each_article(self) -> Iterator[Article]:
        return self.catalog.articles()

    def article(self, id_: str) -> Article | None:
        return self.catalog.article(id_)

    def article_count(self) -> int:
        return self.catalog.article_count()

    def chunk_count(self) -> int:
        return self.catalog.chunk_count()

    def chunks_by_article(self) -> dict[str, int]:
        return self.catalog.chunks_by_article()

    def publishers(self) -> list[str]:
        return self.catalog.publishers()

    def dense(self, vector: Vectors, limit: int, choice: Choice = EVERY_ARTICLE) -> list[tuple[int, float]]:
        return self._vectors.search(vector, limit)

    def lexical(self, query: str, limit: int) -> list[tuple[int, float]]:
        return self._words.search(query, limit) if self._words else []

    def lookup(self, ids: Sequence[int]) -> list[tuple[int, Chunk, Article]]:
        return self.catalog.lookup(ids)

    def facts(self, ids: Sequence[int]) -> dict[int, Article]:
        return self.catalog.facts(ids)
