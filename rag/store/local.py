"""The store: the catalogue and its two fast copies, vectors in FAISS and words in tantivy, as one thing with one switch.

A reader (`Store`) holds one generation until it rests; a writer makes the next one in a single SQLite transaction, which
lists the files of the copies by their hashes. A copy that is missing or damaged is made again from the catalogue, without
embedding anything. Copies are never changed: an update adds a small segment, and `tidy` merges segments when it is done.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import StoreError
from rag.schema import EVERY_ARTICLE, Article, Choice, Chunk
from rag.store import bm25 as words
from rag.store.bm25 import LexicalIndex, write_lexical
from rag.store.catalog import Catalog, Duplicate, Fingerprint, LexicalCopy, NewArticle, Segment
from rag.store.vectors import SUFFIX, VectorIndex, is_intact, write_segment
from rag.text import near_duplicates as copies

if TYPE_CHECKING:
    from rag.protocols import Vectors

LOCK_NAME = "writer.lock"
HOLDER_NAME = "writer.txt"
MAX_SEGMENTS = 8  # more files than this are merged
MERGE_RATIO = (
    2.0  # a file joins the merge of the newer ones when it is at most so many times as large as they are
)
MAX_DEAD_SHARE = 0.25  # a file of which more than this share is removed chunks is made anew
OPEN_TRIES = 5  # a writer may have deleted what was listed a moment ago


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


# ---------------------------------------------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file was like when it was read: (key, reason) of what could not be, and what is indexed under another id."""

    file: str
    root: str
    stamp: str
    skips: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[Duplicate, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """All that one generation changes. An article that changed is in `removed` and in `added`; `moved` is (old id, the
    article in its new place, its file)."""

    removed: Sequence[str] = ()
    added: Sequence[NewArticle] = ()
    moved: Sequence[tuple[str, Article, str]] = ()
    files: Sequence[FileState] = ()
    forgotten: Sequence[str] = ()
    roots: Sequence[str] = ()
    taken_out: Sequence[tuple[str, str, str]] = field(default=())  # id, file, version
    let_in: Sequence[str] = ()


def _matrix(rows: Sequence[bytes], dimension: int) -> Vectors:
    """float32 bytes of one vector each, as one array (len(rows), dimension)."""
    import numpy as np

    return np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), dimension)


def _segment(folder: Path, catalog: Catalog, dimension: int, low: int, high: int) -> list[Segment]:
    """The chunks with low <= id < high as one new file; none when there is none."""
    ids, rows = [], []
    for id_, vector in catalog.vectors(low, high):
        ids.append(id_)
        rows.append(vector)
    return [write_segment(folder, ids, _matrix(rows, dimension), low, high)] if ids else []


def embedded_text(title: str, text: str) -> str:
    """What is embedded and searched for a chunk: its article's title travels with it, for a chunk alone rarely says the
    event."""
    return text if not title or title in text else f"{title}\n{text}"


def embedded_key(embedding: str, title: str, text: str) -> bytes:
    """Names what is embedded for a chunk, and by which model."""
    written = f"{embedding}\n{embedded_text(title, text)}"
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()


def _lexical_anew(folder: Path, catalog: Catalog) -> LexicalCopy:
    """The word index of all chunks."""
    rows = ((i, embedded_text(title, text)) for i, title, text in catalog.texts(0, catalog.next_chunk()))
    return write_lexical(folder, None, [], rows, catalog.chunk_count())


def _origin(catalog: Catalog, new: NewArticle) -> str:
    """The id of the first article that tells the report of `new` in nearly its words; its own when there is none."""
    for id_, body in catalog.alike(new.sketch, copies.SHARED_LEAST):
        if copies.is_copy(new.article.body, body):
            return id_
    return new.article.id


def _lexical_next(
    folder: Path, catalog: Catalog, base: LexicalCopy | None, gone: Sequence[int], low: int, high: int
) -> LexicalCopy:
    """The word index without the chunks `gone`, with those of low <= id < high."""
    if base is not None and words.is_present(folder, base):
        rows = ((i, embedded_text(title, text)) for i, title, text in catalog.texts(low, high))
        try:
            return write_lexical(folder, base, gone, rows, high - low)
        except StoreError:
            if words.is_intact(folder, base):
                raise
    return _lexical_anew(folder, catalog)


def write(folder: Path, catalog: Catalog, fingerprint: Fingerprint, update: Update) -> int:
    """Make the next generation. Returns its number.

    The vectors of all added chunks must be in the catalogue. Call it under `writer_lock`. Raises `StoreError`;
    then the newest generation is still the old one.
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
            others = catalog.copies(id_)
            if others:  # the report goes on under its next article
                catalog.set_origin(id_, others[0][0], copies.sketch(others[0][1]))
        for new in update.added:
            catalog.add_article(new, _origin(catalog, new))
        catalog.drop_vectors(vectors)
        for state in update.files:
            catalog.set_file(state.file, state.root, state.stamp, state.skips, state.duplicates)
        for file in update.forgotten:
            catalog.forget_file(file)
        for root in update.roots:
            catalog.add_root(root)
        for out in update.taken_out:
            catalog.set_taken_out(*out)
        catalog.let_in(update.let_in)
        another = catalog.fingerprint() not in (None, fingerprint)  # then all articles are made anew
        catalog.set_fingerprint(fingerprint)
        high = catalog.next_chunk()
        replaced = catalog.segments() if another else []
        catalog.set_segments(replaced, _segment(folder, catalog, fingerprint.dimension, low, high))
        if gone or high > low:
            base = None if another else catalog.lexical()
            catalog.set_lexical(_lexical_next(folder, catalog, base, gone, low, high))
        catalog.set_generation(generation)
    _sweep(folder, catalog)
    return generation


def _sweep(folder: Path, catalog: Catalog) -> None:
    """Delete files that the catalogue does not list: left by a crash, or replaced. Open readers keep theirs."""
    listed = {s.name for s in catalog.segments()}
    for path in folder.glob("vectors-*"):
        if path.name not in listed and path.suffix in (SUFFIX, ".partial"):
            path.unlink(missing_ok=True)
    copy = catalog.lexical()
    words.sweep(folder, [copy.name] if copy else [])


def _to_merge(segments: Sequence[Segment], tombstones: Sequence[int]) -> list[Segment]:
    """Neighbouring files to make one of, or one to make anew; empty when all is well.

    The newest files are merged, and an older one with them when it is not much larger than they are together: a vector is
    written again about log2(n) times in all.
    """
    import bisect

    for segment in segments:
        dead = bisect.bisect_left(tombstones, segment.high) - bisect.bisect_left(tombstones, segment.low)
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


def tidy(folder: Path, catalog: Catalog, dimension: int, progress: Callable[[int, int], None]) -> int:
    """Merge FAISS files until there are few, each merge complete or not at all; returns how many were made.

    Nothing that a reader sees changes. Call it under `writer_lock`. `progress` is told vectors done and in all.
    """
    made = 0
    while chosen := _to_merge(catalog.segments(), catalog.tombstones()):
        total = sum(s.count for s in chosen)
        progress(0, total)
        merged = _segment(folder, catalog, dimension, chosen[0].low, chosen[-1].high)
        with catalog.transaction():
            catalog.set_segments(chosen, merged)
        _sweep(folder, catalog)
        progress(total, total)
        made += 1
    return made


def repair(folder: Path, catalog: Catalog, dimension: int) -> list[str]:
    """Make again what is missing of the copies, damaged or not about the catalogue's chunks; a line for each.

    Call it under `writer_lock`.
    """
    done = []
    segments = catalog.segments()
    broken = [s for s in segments if not is_intact(folder, s)]
    for segment in broken:
        with catalog.transaction():
            catalog.set_segments([segment], _segment(folder, catalog, dimension, segment.low, segment.high))
        done.append(f"{segment.name}: missing or damaged; made again")
    copy = catalog.lexical()
    if catalog.chunk_count() and (copy is None or not words.is_intact(folder, copy)):
        with catalog.transaction():
            catalog.set_lexical(_lexical_anew(folder, catalog))
        done.append(f"{copy.name if copy else 'the word index'}: missing or damaged; made again")
    index = VectorIndex(folder, catalog.segments(), catalog.tombstones(), dimension, catalog.vectors_of)
    if index.ids_checksum() != catalog.ids_checksum():
        with catalog.transaction():
            catalog.set_segments(
                catalog.segments(), _segment(folder, catalog, dimension, 0, catalog.next_chunk())
            )
        done.append("the vector files did not hold the catalogue's chunks; made again")
    copy = catalog.lexical()
    if copy is not None and LexicalIndex(folder, copy).count() != catalog.chunk_count():
        with catalog.transaction():
            catalog.set_lexical(_lexical_anew(folder, catalog))
        done.append("the word index did not hold the catalogue's chunks; made again")
    _sweep(folder, catalog)
    return done


# ---------------------------------------------------------------------------------------------------- reading


class Store:
    """One generation of an index, for reading."""

    def __init__(self, folder: Path, fingerprint: Fingerprint, known: Store | None = None) -> None:
        """Open the newest generation of `folder`; files that `known` has open are not read again.

        Raises `StoreError` when there is no index, or when other settings made it; repairs damaged copies.
        """
        self.folder = folder
        self.catalog = Catalog(folder)
        self.fingerprint = fingerprint
        try:
            for attempt in range(OPEN_TRIES):
                self.catalog.pin()
                self._check_maker()
                try:
                    self._open(known)
                    return
                except StoreError:
                    self.catalog.unpin()
                    time.sleep(0.02)
                    if attempt == OPEN_TRIES - 2:
                        self._repair()
                    elif attempt == OPEN_TRIES - 1:
                        raise
        except BaseException:
            self.catalog.close()
            raise

    def _check_maker(self) -> None:
        made_by = self.catalog.fingerprint()
        if made_by is None:
            raise StoreError(f"the index at {self.folder}/ is empty; run: rag index")
        if made_by != self.fingerprint:
            what = "embedding model" if made_by.embedding != self.fingerprint.embedding else "chunk settings"
            old, new = (
                (f.embedding if what == "embedding model" else f.chunking)
                for f in (made_by, self.fingerprint)
            )
            raise StoreError(
                f"the index at {self.folder}/ was made by another {what} ({old}, now {new}); run: rag index"
            )

    def _open(self, known: Store | None) -> None:
        self.generation = self.catalog.generation()
        self._vectors: VectorIndex = VectorIndex(
            self.folder,
            self.catalog.segments(),
            self.catalog.tombstones(),
            self.fingerprint.dimension,
            self.catalog.vectors_of,
            known._vectors if known else None,
        )
        copy = self.catalog.lexical()
        self._words: LexicalIndex | None = (
            LexicalIndex(self.folder, copy, known._words if known else None) if copy else None
        )
        if not self._is_whole(thoroughly=known is None):
            raise StoreError(f"{self.folder}/: its files are not of one index; run: rag index --check")

    def _is_whole(self, thoroughly: bool) -> bool:
        """Whether the copies hold the catalogue's chunks: by their ids, else by their number, as all but the newest files
        were compared by the store before this one."""
        count = self.catalog.chunk_count()
        if count != (self._words.count() if self._words else 0):
            return False
        if thoroughly:
            return self._vectors.ids_checksum() == self.catalog.ids_checksum()
        return self._vectors.count() == count

    def _repair(self) -> None:
        with writer_lock(self.folder):
            catalog = Catalog(self.folder)
            try:
                repair(self.folder, catalog, self.fingerprint.dimension)
            finally:
                catalog.close()

    def is_behind(self) -> bool:
        """Whether a newer generation has been made; a held one stays as it is, so open another `Store` for it."""
        if self.catalog.is_replaced():
            return True
        newest = Catalog(self.folder)
        try:
            return newest.generation() != self.generation
        finally:
            newest.close()

    def rest(self) -> None:
        """Hold the generation no longer, so that SQLite may tidy up behind it."""
        self.catalog.unpin()

    def wake(self) -> bool:
        """Hold this generation again; false when it is not the newest any more (open another `Store` then)."""
        self.catalog.pin()
        if self.catalog.is_replaced() or self.catalog.generation() != self.generation:
            self.catalog.unpin()
            return False
        return True

    def close(self) -> None:
        """Close the files."""
        self.catalog.close()

    def articles(self, limit: int = -1) -> list[Article]:
        """Articles, by id; at most `limit` of them, all when it is -1."""
        return list(self.catalog.articles(limit))

    def article(self, id_: str) -> Article | None:
        """The article of that id, None when it is not there."""
        return self.catalog.article(id_)

    def each_article(self) -> Iterator[Article]:
        """All articles, by id, one after the other."""
        return self.catalog.articles()

    def article_count(self) -> int:
        """Number of articles."""
        return self.catalog.article_count()

    def chunk_count(self) -> int:
        """Number of chunks."""
        return self.catalog.chunk_count()

    def publishers(self) -> list[str]:
        """Who published the articles, in order."""
        return self.catalog.publishers()

    def chunks_by_article(self) -> dict[str, int]:
        """Number of chunks by article id."""
        return self.catalog.chunks_by_article()

    def dense(self, vector: Vectors, limit: int, choice: Choice = EVERY_ARTICLE) -> list[tuple[int, float]]:
        """(chunk id, cosine similarity), best first. A store may leave out what `choice` excludes; this one does not."""
        return self._vectors.search(vector, limit)

    def lexical(self, query: str, limit: int) -> list[tuple[int, float]]:
        """(chunk id, BM25 score), best first."""
        return self._words.search(query, limit) if self._words else []

    def facts(self, ids: Sequence[int]) -> dict[int, Article]:
        """By chunk id, the article without its text: what it states about itself."""
        return self.catalog.facts(ids)

    def lookup(self, ids: Sequence[int]) -> list[tuple[int, Chunk, Article]]:
        """The chunks of `ids` with their articles, in the order given."""
        return self.catalog.lookup(ids)
