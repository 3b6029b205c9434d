"""Build: article files -> Article -> Chunk -> vectors and catalogue.

The work depends on what changed. A file with the same size, times and place is not read. An article with the same text and
fields is read but not cut. A new or changed article is cut into chunks. A text that was embedded before is not embedded
again. After an interruption, what was done is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rag.config import Settings
from rag.errors import CorpusError, UnreadableError
from rag.ingest import chunking, furniture
from rag.ingest.priority import give_way
from rag.ingest.sandbox import Extractor
from rag.ingest.sources import Content, Found, Source, read, scan, scan_paths, stamp_of
from rag.protocols import Embedder
from rag.schema import Article
from rag.store.base import Fingerprint, embedded_key, embedded_text
from rag.store.catalog import Catalog
from rag.store.catalog_file import FILE_NAME
from rag.store.local import FileState, Update, tidy, write, writer_lock
from rag.store.migration import migrate
from rag.store.publish import publish_where_set
from rag.store.records import Duplicate, NewArticle, NewChunk, digest_of, fields_of
from rag.text import near_duplicates

EMBED_BATCH = 16  # texts before indexing checks whether a question waits: half a second, and the most that Ctrl-C can lose
FLUSH_CHARS = (
    32_000_000  # of article texts in one generation: limits memory, and what Ctrl-C can lose of a first run
)


Tell = Callable[[str, int, int], None]
"""Is told of a long step: what is done, how many, and of how many."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or an article in one, that could not be read, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a build did. Article ids in order; `renamed` are (old id, new id), `duplicates` (id, id of the same article in
    the index), `near_duplicates` (id, id of the first article of the same report); `embedded` counts texts sent through the model.
    `seconds` is the time until the index could be searched; files are merged after that."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    duplicates: tuple[tuple[str, str], ...]
    near_duplicates: tuple[tuple[str, str], ...]
    skipped: tuple[Skipped, ...]
    articles: int
    chunks: int
    embedded: int
    seconds: float
    generation: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the index changed."""
        return not (self.added or self.changed or self.renamed or self.removed)


def silent(what: str, done: int, total: int) -> None:
    """A `Tell` that tells nobody."""


def fingerprint_of(settings: Settings, embedder: Embedder) -> Fingerprint:
    """The fingerprint of an index made by these settings."""
    return Fingerprint(
        embedder.fingerprint,
        embedder.dimension,
        chunking.fingerprint(settings.chunk_chars, settings.overlap_chars),
    )


def cut(
    article: Article, settings: Settings, embedding: str, shared: Collection[str] = ()
) -> tuple[NewChunk, ...]:
    """The chunks of an article, each with the key of its vector by the model `embedding`. `shared` are lines that its
    publisher has in other articles too."""
    title = article.title.value if article.title else ""
    return tuple(
        NewChunk(chunk, title, embedded_key(embedding, title, chunk.text))
        for chunk in chunking.split(article, settings.chunk_chars, settings.overlap_chars, shared)
    )


@dataclass(slots=True)
class _Plan:
    """What has been read but not written yet, and what the whole run did."""

    added: list[tuple[Article, str]] = field(default_factory=list)  # with its file
    ending: dict[str, None] = field(default_factory=dict)  # ids that changed or are gone, in order
    moved: list[tuple[str, Article, str]] = field(default_factory=list)
    files: list[FileState] = field(default_factory=list)
    readmitted: list[str] = field(default_factory=list)
    chars: int = 0
    digests: dict[bytes, str] = field(default_factory=dict)  # of `added`, for finding duplicates
    fresh_ids: list[str] = field(default_factory=list)
    changed_ids: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    embedded: int = 0


class _Builder:
    """One run over one open catalogue."""

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        catalog: Catalog,
        found: Found,
        progress: Tell,
        named: bool,
    ) -> None:
        self.settings = settings
        self.embedder = embedder
        self.catalog = catalog
        self.found = found
        self.progress = progress
        self.named = named  # whether the user named the files: then excluded articles come back
        self.fingerprint = fingerprint_of(settings, embedder)
        self.same = catalog.fingerprint() in (None, self.fingerprint)
        self.plan = _Plan()
        self.excluded = catalog.excluded()
        here = {s.file for s in found.sources}
        looked_at = set(found.looked_at)
        self.gone = sorted(
            {f for r in looked_at for f in catalog.files(r) if f not in here} | set(found.gone)
        )
        self.vanished = {h.id: h for f in self.gone for h in catalog.records(file=f)}
        self.by_digest = {h.digest: h for h in self.vanished.values()}  # identifies a renamed file

    def run(self, roots: Sequence[str]) -> None:
        """Read what changed and write it to the index."""
        total = len(self.found.sources)
        with Extractor(self.settings.fields) as extractor:
            for number, source in enumerate(self.found.sources):
                self.progress("reading", number, total)
                self._file(source, extractor)
                if self.same and self.plan.chars >= FLUSH_CHARS:
                    self._flush()
            self._promote(extractor)
        if total:
            self.progress("reading", total, total)
        plan = self.plan
        whole = not self.named and not self.found.missing
        if whole and not (plan.fresh_ids or plan.changed_ids or plan.unchanged or plan.renamed):
            reasons = "".join(f"\n  {s.reason}" for s in plan.skipped)
            raise CorpusError(
                f"{self.settings.seeds}/: no article to index; add articles and run: rag index{reasons}"
            )
        if not self.same:  # another model or other chunks: articles that were not read again are rebuilt too
            self._rebuild_others()
        self.plan.removed += sorted(self.vanished)
        self.plan.ending |= dict.fromkeys(sorted(self.vanished))
        self._flush(self.gone, roots)

    def _file(self, source: Source, extractor: Extractor, again: bool = False) -> None:
        stamp = stamp_of(source, self.found.sidecars_of(source))
        if self.same and stamp and not again and not self.named and self.catalog.stamp(source.file) == stamp:
            self.plan.unchanged += [h.id for h in self.catalog.records(file=source.file)]
            self.plan.skipped += [
                Skipped(f"{f}#{k}" if k else f, r) for f, k, r in self.catalog.skips(source.file)
            ]
            return
        give_way(self.settings.run_folder)
        try:
            content = read(source, self.found.sidecars_of(source), extractor)
        except UnreadableError as error:  # its earlier text, if any, stays in the index
            self.plan.skipped.append(Skipped(source.file, str(error)))
            self.plan.unchanged += [h.id for h in self.catalog.records(file=source.file)]
            return
        self._content(source, content)

    def _content(self, source: Source, content: Content) -> None:
        plan = self.plan
        before_by_id = {h.id: h for h in self.catalog.records(file=source.file)}
        duplicates = []
        for article in content.articles:
            before = before_by_id.pop(article.id, None)
            if self.excluded.get(article.id) == article.version and not self.named:
                continue
            if article.id in self.excluded:
                plan.readmitted.append(article.id)
            digest = digest_of(article)
            if before and self.same and (before.version, before.digest) == (article.version, digest):
                plan.unchanged.append(article.id)
                continue
            original = self._duplicate_of(digest, article.id)
            if original:
                duplicates.append(Duplicate(article.id, source.file, article.version, digest))
                if before:
                    plan.ending[article.id] = None
                    plan.removed.append(article.id)
                continue
            old = self.by_digest.get(digest)
            if (
                old
                and not before
                and self.same
                and fields_of(article) == old.fields
                and old.id in self.vanished
            ):
                plan.moved.append((old.id, article, source.file))
                plan.renamed.append((old.id, article.id))
                del self.vanished[old.id]
                plan.digests[digest] = article.id
                continue
            plan.digests[digest] = article.id
            plan.added.append((article, source.file))
            plan.chars += len(article.body)
            if before:
                plan.ending[article.id] = None
                plan.changed_ids.append(article.id)
            else:
                plan.fresh_ids.append(article.id)
        plan.ending |= dict.fromkeys(sorted(before_by_id))
        plan.removed += sorted(before_by_id)
        plan.skipped += [Skipped(f"{source.file}#{k}" if k else source.file, r) for k, r in content.skips]
        state = FileState(source.file, source.root, content.stamp, content.skips, tuple(duplicates))
        if (
            content.stamp != self.catalog.stamp(source.file)
            or content.skips
            or duplicates
            or not content.stamp
        ):
            plan.files.append(state)

    def _duplicate_of(self, digest: bytes, id_: str) -> str:
        """The id of another article with exactly the same text and fields that is in the index and stays there, else ""."""
        if original := self.plan.digests.get(digest):
            return original if original != id_ else ""
        if not self.same:
            return ""
        for other in self.catalog.ids_with_digest(digest):
            if other != id_ and other not in self.vanished and other not in self.plan.ending:
                return other
        return ""

    def _promote(self, extractor: Extractor) -> None:
        """Read the duplicates of articles that are about to be removed, so that one takes their place."""
        ending = self.catalog.records(ids=[*self.plan.ending, *self.vanished])
        lost = {h.digest for h in ending} - set(self.plan.digests)
        if not lost:
            return
        waiting = {d.file for d in self.catalog.duplicates() if d.digest in lost}
        read_already = {s.file for s in self.plan.files}
        sources = {s.file: s for s in self.found.sources}
        roots = self.catalog.roots()
        for file in sorted(waiting - read_already - set(self.gone)):
            source = sources.get(file) or next(
                (s for s in scan(self.settings.seeds, roots).sources if s.file == file), None
            )
            if source is not None:
                self._file(source, extractor, again=True)

    def _rebuild_others(self) -> None:
        """With another model or other chunks, rebuild the articles whose files were not read, from their stored text."""
        done = {a.id for a, _ in self.plan.added} | set(self.plan.ending) | set(self.vanished)
        for record in self.catalog.records():
            if record.id not in done:
                article = self.catalog.article(record.id)
                if article is not None:
                    self.plan.added.append((article, record.file))
                    self.plan.ending[record.id] = None
                    self.plan.changed_ids.append(record.id)

    def _learn_furniture(self) -> dict[str, frozenset[str]]:
        """By publisher, the lines that its articles share. Indexed articles with such a line are cut again."""
        new: dict[str, list[Article]] = {}
        for article, _ in self.plan.added:
            if article.publisher:
                new.setdefault(article.publisher.value, []).append(article)
        ending = {*self.plan.ending, *self.vanished}
        found: dict[str, frozenset[str]] = {}
        for publisher, articles in new.items():
            before = [
                (a, f)
                for a, f in self.catalog.of_publisher(publisher, furniture.SAMPLE)
                if a.id not in ending
            ]
            step = len(articles) // furniture.SAMPLE + 1
            sample = [*articles[::step], *(a for a, _ in before)]
            shared = found[publisher] = furniture.learned(sample)
            for article, file in before if shared else ():
                stored = [
                    (c.start, c.end) for _, c, _ in self.catalog.lookup(self.catalog.chunk_ids(article.id))
                ]
                chunks = cut(article, self.settings, self.fingerprint.embedding, shared)
                if stored != [(c.chunk.start, c.chunk.end) for c in chunks]:
                    self.plan.added.append((article, file))
                    self.plan.ending[article.id] = None
                    self.plan.changed_ids.append(article.id)
                    self.plan.unchanged = [i for i in self.plan.unchanged if i != article.id]
        return found

    def _prepared(self, article: Article, file: str, shared: Collection[str]) -> NewArticle:
        give_way(self.settings.run_folder)
        return NewArticle(
            article,
            file,
            cut(article, self.settings, self.fingerprint.embedding, shared),
            near_duplicates.sketch(article.body),
        )

    def _embed(self, chunks: Sequence[NewChunk]) -> None:
        """Embed the texts whose vectors are not stored yet. Each batch is stored at once."""
        import numpy as np

        known = self.catalog.known_vectors(c.embedded for c in chunks)
        todo = list(
            {
                c.embedded: embedded_text(c.title, c.chunk.text) for c in chunks if c.embedded not in known
            }.items()
        )
        todo.sort(key=lambda item: -len(item[1]))  # texts of similar length need the least padding
        for start in range(0, len(todo), EMBED_BATCH):
            self.progress("embedding", start, len(todo))
            give_way(self.settings.run_folder)
            batch = todo[start : start + EMBED_BATCH]
            vectors = np.asarray(self.embedder.encode([text for _, text in batch]), dtype="<f4")
            rows = [(key, row.tobytes()) for (key, _), row in zip(batch, vectors, strict=True)]
            with self.catalog.transaction():
                self.catalog.add_vectors(rows)
        if todo:
            self.progress("embedding", len(todo), len(todo))
        self.plan.embedded += len(todo)

    def _flush(self, forgotten: Sequence[str] = (), roots: Sequence[str] = ()) -> None:
        """Write what has been read, as one generation."""
        plan = self.plan
        if plan.added or plan.ending or plan.moved:
            shared = self._learn_furniture()
            added = [
                self._prepared(a, file, shared.get(a.publisher.value, ()) if a.publisher else ())
                for a, file in plan.added
            ]
            self._embed([c for n in added for c in n.chunks])
            update = Update(
                removed=tuple(plan.ending),
                added=added,
                moved=plan.moved,
                files=plan.files,
                forgotten=forgotten,
                roots=roots,
                readmitted=plan.readmitted,
            )
            write(self.settings.index, self.catalog, self.fingerprint, update)
        elif plan.files or forgotten or roots or plan.readmitted:
            with self.catalog.transaction():
                for state in plan.files:
                    self.catalog.set_file(state.file, state.root, state.stamp, state.skips, state.duplicates)
                for file in forgotten:
                    self.catalog.forget_file(file)
                for root in roots:
                    self.catalog.add_root(root)
                self.catalog.readmit(plan.readmitted)
        plan.added, plan.ending, plan.moved, plan.files, plan.readmitted = [], {}, [], [], []
        plan.chars = 0
        plan.digests = {}


def build(
    settings: Settings,
    embedder: Embedder,
    progress: Tell = silent,
    paths: Sequence[Path] = (),
) -> Summary:
    """Update the index at `settings.index` to the articles in `settings.seeds` and in the paths that were named before. With
    `paths`, only those files and folders are read; they are followed from then on.

    What cannot be read is left out of the index and listed in `Summary.skipped`. Raises `CorpusError` when no article can be
    read (the index is then unchanged), `StoreError` when the index cannot be written or another process is writing it.
    """
    started = time.monotonic()
    if not paths and not (settings.index / FILE_NAME).exists():
        scan(settings.seeds, ())  # reports a missing folder before a folder for the index is made
    with writer_lock(settings.index):
        migrate(settings.index)
        catalog = Catalog(settings.index, create=True)
        try:
            roots: tuple[str, ...] = ()
            if paths:
                found, roots = scan_paths(settings.seeds, paths, catalog.files_under, catalog.roots())
            else:
                found = scan(settings.seeds, catalog.roots())
            builder = _Builder(settings, embedder, catalog, found, progress, bool(paths))
            builder.plan.skipped += [Skipped(path, f"{path}: {reason}") for path, reason in found.missing]
            builder.plan.skipped += [Skipped(path, reason) for path, reason in found.unread]
            before = catalog.generation()
            builder.run(roots)
            plan = builder.plan
            seconds = time.monotonic() - started
            summary = Summary(
                added=tuple(sorted(plan.fresh_ids)),
                changed=tuple(sorted(plan.changed_ids)),
                renamed=tuple(sorted(plan.renamed)),
                removed=tuple(sorted(set(plan.removed))),
                unchanged=tuple(sorted(plan.unchanged)),
                duplicates=tuple((d.id, catalog.ids_with_digest(d.digest)[0]) for d in catalog.duplicates()),
                near_duplicates=tuple(
                    (h.id, h.origin)
                    for h in catalog.records(ids=[*plan.fresh_ids, *plan.changed_ids])
                    if h.origin != h.id
                ),
                skipped=tuple(plan.skipped),
                articles=catalog.article_count(),
                chunks=catalog.chunk_count(),
                embedded=plan.embedded,
                seconds=seconds,
                generation=catalog.generation(),
            )
            if catalog.generation() != before:
                give_way(settings.run_folder)
                tidy(settings.index, catalog, embedder.dimension, partial(progress, "merging files"))
            publish_where_set(settings, catalog, builder.fingerprint, partial(progress, "publishing"))
            return summary
        except CorpusError:
            if not catalog.generation():  # there was no index before, so leave none
                catalog.close()
                for file in settings.index.glob(f"{FILE_NAME}*"):
                    file.unlink()
            raise
        finally:
            catalog.close()
