"""Build: article files -> Article -> Chunk -> vectors and catalogue, in terms of its parts.

Told by content: an article whose bytes and described fields are as they were costs a hash, a changed or new one costs
its own chunks, and a text that was embedded before is not embedded again. Interrupted work keeps its vectors.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rag import chunking
from rag.articles import find_files, load_sidecars, read_article
from rag.catalog import FILE_NAME, Catalog, Fingerprint, NewChunk, fields_of
from rag.config import Settings
from rag.errors import ArticleError, CorpusError
from rag.protocols import Embedder
from rag.schema import Article
from rag.store import write, writer_lock

BESIDE = "rebuild"  # folder inside the index where a new one is made
EMBED_BATCH = 64  # texts between two reports of progress, and the most that Ctrl-C can lose


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long step is: `done` of `total` units of `what`."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be read, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a build did. Article ids in order; `embedded` counts texts sent through the model."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    chunks: int
    embedded: int
    seconds: float
    generation: int


def _ignore(progress: Progress) -> None:
    """The default for `progress`."""


def fingerprint_of(settings: Settings, embedder: Embedder) -> Fingerprint:
    """What an index made by these settings is marked with."""
    return Fingerprint(
        embedder.fingerprint,
        embedder.dimension,
        chunking.fingerprint(settings.chunk_chars, settings.overlap_chars),
    )


def embedded_text(title: str, text: str) -> str:
    """What is embedded for a chunk: its article's title travels with it, for a chunk alone rarely says the event."""
    return text if not title or title in text else f"{title}\n{text}"


def _new_chunks(article: Article, settings: Settings, fingerprint: Fingerprint) -> list[NewChunk]:
    title = article.title.value if article.title else ""
    made = []
    for chunk in chunking.split(article, settings.chunk_chars, settings.overlap_chars):
        text = f"{fingerprint.embedding}\n{embedded_text(title, chunk.text)}"
        made.append(NewChunk(chunk, title, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()))
    return made


def _embed(
    catalog: Catalog, embedder: Embedder, chunks: list[NewChunk], progress: Callable[[Progress], None]
) -> int:
    """Embed what the catalogue does not know yet, batch by batch, each batch kept at once."""
    import numpy as np

    known = catalog.known_vectors(c.embedded for c in chunks)
    todo = list(
        {c.embedded: embedded_text(c.title, c.chunk.text) for c in chunks if c.embedded not in known}.items()
    )
    for start in range(0, len(todo), EMBED_BATCH):
        progress(Progress("embedding", start, len(todo)))
        batch = todo[start : start + EMBED_BATCH]
        vectors = np.asarray(embedder.encode([text for _, text in batch]), dtype="<f4")
        with catalog.transaction():
            catalog.add_vectors((key, row.tobytes()) for (key, _), row in zip(batch, vectors, strict=True))
    if todo:
        progress(Progress("embedding", len(todo), len(todo)))
    return len(todo)


def build(settings: Settings, embedder: Embedder, progress: Callable[[Progress], None] = _ignore) -> Summary:
    """Bring the index at `settings.index` up to the articles in `settings.seeds`.

    A file that cannot be read is left out of the index and named in `Summary.skipped`. Raises `CorpusError` when the
    folder is missing or holds no readable article (the index is then as it was), `StoreError` when it cannot be
    written or another process is writing it.
    """
    started = time.monotonic()
    folder: Path = settings.seeds
    files = find_files(folder)
    sidecars = load_sidecars(folder)
    articles: list[Article] = []
    skipped: list[Skipped] = []
    for number, path in enumerate(files):
        progress(Progress("reading", number, len(files)))
        try:
            articles.append(read_article(path, folder, sidecars))
        except ArticleError as error:
            skipped.append(Skipped(path.relative_to(folder).as_posix(), str(error)))
    progress(Progress("reading", len(files), len(files)))
    if not articles:
        reasons = "".join(f"\n  {s.reason}" for s in skipped)
        raise CorpusError(
            f"{folder}/: no article to index; add .txt or .md files and run: rag index{reasons}"
        )

    fingerprint = fingerprint_of(settings, embedder)
    with writer_lock(settings.index):
        catalog = Catalog(settings.index, create=True)
        try:
            same = catalog.fingerprint() == fingerprint
            held = {id_: (version, fields) for id_, version, fields in catalog.versions(catalog.generation())}
            now = {a.id: a for a in articles}
            unchanged = [i for i, a in now.items() if same and held.get(i) == (a.version, fields_of(a))]
            fresh = [a for i, a in now.items() if i not in set(unchanged)]
            removed = [i for i in held if i not in now]
            embedded = 0
            generation = catalog.generation()
            if fresh or removed:
                added = [(a, _new_chunks(a, settings, fingerprint)) for a in fresh]
                embedded = _embed(catalog, embedder, [c for _, cs in added for c in cs], progress)
                ending = removed + [a.id for a in fresh if a.id in held]
                generation = write(settings.index, catalog, fingerprint, ending, added)
            return Summary(
                added=tuple(sorted(a.id for a in fresh if a.id not in held)),
                changed=tuple(sorted(a.id for a in fresh if a.id in held)),
                removed=tuple(sorted(removed)),
                unchanged=tuple(sorted(unchanged)),
                skipped=tuple(skipped),
                chunks=catalog.chunk_count(generation),
                embedded=embedded,
                seconds=time.monotonic() - started,
                generation=generation,
            )
        finally:
            catalog.close()


def rebuild(
    settings: Settings, embedder: Embedder, progress: Callable[[Progress], None] = _ignore
) -> Summary:
    """Make the index anew from the articles, beside the old one, and put it in its place when it is complete.

    Nothing of the old one is read, so it may be damaged or of another format; until the end it stays as it is.
    Raises what `build` raises.
    """
    folder, beside = settings.index, settings.index / BESIDE
    shutil.rmtree(beside, ignore_errors=True)
    try:
        summary = build(replace(settings, index=beside), embedder, progress)
        with writer_lock(folder):
            for file in beside.glob("vectors-*"):
                file.replace(folder / file.name)
            for ending in ("-wal", "-shm"):
                (folder / f"{FILE_NAME}{ending}").unlink(missing_ok=True)
            (beside / FILE_NAME).replace(folder / FILE_NAME)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return summary
