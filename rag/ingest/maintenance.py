"""Maintenance of an index as a whole: check and repair, rebuild, remove articles, save and restore.

An unreadable index is never deleted. It is renamed to a name that says so.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rag import __version__
from rag.config import Settings
from rag.errors import StoreError
from rag.ingest.build import Summary, Tell, build, fingerprint_of, silent
from rag.protocols import Embedder
from rag.store.catalog import Catalog
from rag.store.catalog_file import FILE_NAME, FORMAT
from rag.store.files import sha256_of
from rag.store.local import Update, repair, tidy, write, writer_lock
from rag.store.migration import migrate
from rag.store.publish import publish_where_set
from rag.store.records import ArticleRecord

BESIDE = "rebuild"  # folder inside the index where a new index is built
MANIFEST = "manifest.json"
# errors that reading a damaged zip file and its manifest raises
DAMAGED = (OSError, EOFError, KeyError, TypeError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found and did, a line each. After a damaged catalogue, `aside` is the file that keeps it and
    `summary` tells how the index was rebuilt from the articles."""

    done: tuple[str, ...]
    aside: Path | None
    summary: Summary | None
    articles: int
    chunks: int


def _problems(folder: Path) -> list[str]:
    try:
        with closing(Catalog(folder)) as catalog:
            return catalog.problems()
    except StoreError as error:
        return [str(error)]


def _put_aside(folder: Path) -> Path:
    """Rename the catalogue, and the files of SQLite beside it, to a free name."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = next(
        n for i in range(1000) if not (folder / (n := f"catalog.damaged-{stamp}-{i}.sqlite")).exists()
    )
    for ending in ("-wal", "-shm", ""):
        if (folder / f"{FILE_NAME}{ending}").exists():
            (folder / f"{FILE_NAME}{ending}").replace(folder / f"{name}{ending}")
    return folder / name


def _follow(catalog: Catalog, roots: Sequence[str]) -> None:
    """List other folders whose articles are indexed too."""
    with catalog.transaction():
        for root in roots:
            catalog.add_root(root)


def _salvage(damaged: Path, folder: Path) -> list[str]:
    """Take over what can still be read of a damaged catalogue and is slow or impossible to make from the articles: vectors,
    each verified by its checksum, and the list of other indexed folders. Returns a line for each."""
    kept = 0
    with closing(Catalog(folder, create=True)) as catalog, closing(sqlite3.connect(damaged)) as source:
        try:
            _follow(catalog, [str(r[0]) for r in source.execute("SELECT root FROM roots")])
            for embedded, vector, crc in source.execute("SELECT embedded,vector,crc FROM vectors"):
                if isinstance(vector, bytes) and zlib.crc32(vector) == crc:
                    with catalog.transaction():
                        catalog.add_vectors([(embedded, vector)])
                    kept += 1
        except (sqlite3.Error, TypeError):
            pass  # the rest cannot be read and is rebuilt
    return [f"{kept} vectors taken over from it"] if kept else []


def check(settings: Settings, embedder: Embedder, progress: Tell = silent) -> Checked:
    """Read the whole index, verify its checksums, and repair what is damaged.

    Damaged index files are rebuilt from the catalogue. A damaged catalogue is renamed and rebuilt from the articles.
    Raises `StoreError` when there is no index or another process is writing it, `CorpusError` when the articles are gone.
    """
    folder = settings.index
    if not (folder / FILE_NAME).is_file():
        raise StoreError(f"no index at {folder}/; run: rag index")
    with writer_lock(folder):
        migrate(folder)
        problems = _problems(folder)
        if not problems:
            with closing(Catalog(folder)) as catalog:
                done = repair(folder, catalog, embedder.dimension)
                with catalog.transaction():
                    catalog.drop_unused_vectors()
                tidy(folder, catalog, embedder.dimension, partial(progress, "merging files"))
                return Checked(tuple(done), None, None, catalog.article_count(), catalog.chunk_count())
        aside = _put_aside(folder)
        done = [f"{FILE_NAME}: damaged ({problems[0]}); kept aside as {aside.name}", *_salvage(aside, folder)]
    summary = build(settings, embedder, progress)
    return Checked(
        (*done, "the index was made again from the articles"),
        aside,
        summary,
        summary.articles,
        summary.chunks,
    )


def _take_over(folder: Path, beside: Path) -> None:
    """Replace the index in `folder` by the complete index in `beside`, at once for every reader."""
    with writer_lock(folder):
        for path in (*beside.glob("vectors-*"), *beside.glob("words-*")):
            if not (folder / path.name).exists():
                path.replace(folder / path.name)
        try:
            catalog = Catalog(folder)
        except StoreError:
            if (folder / FILE_NAME).exists():
                _put_aside(folder)
            (beside / FILE_NAME).replace(folder / FILE_NAME)
            return
        with closing(catalog):
            catalog.take_over(beside / FILE_NAME)
            repair(folder, catalog, int(getattr(catalog.fingerprint(), "dimension", 0)))


def rebuild(settings: Settings, embedder: Embedder, progress: Tell = silent) -> Summary:
    """Build a new index from the articles, beside the old one, and replace the old one when the new one is complete.

    The old index may be damaged or of another format: only its list of followed folders is read, if possible. It stays
    unchanged until the end. Raises what `build` raises.
    """
    folder, beside = settings.index, settings.index / BESIDE
    shutil.rmtree(beside, ignore_errors=True)
    roots: list[str] = []
    with suppress(StoreError), closing(Catalog(folder)) as old:
        roots = [r for r in old.roots() if Path(r).exists()]
    try:
        if roots:
            with writer_lock(beside), closing(Catalog(beside, create=True)) as new:
                _follow(new, roots)
        summary = build(replace(settings, index=beside), embedder, progress)
        _take_over(folder, beside)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return summary


def find_article(catalog: Catalog, name: str) -> ArticleRecord:
    """The article with that id, path or end of a path. Raises `StoreError` when there is none, or more than one."""
    records = catalog.records()
    for found in ([h for h in records if h.id == name], [h for h in records if h.id.endswith(f"/{name}")]):
        if len(found) == 1:
            return found[0]
        if found:
            some = ", ".join(h.id for h in found[:5])
            raise StoreError(f"{name}: {len(found)} articles are named so ({some}); give the whole name")
    raise StoreError(f"{name}: no such article in the index; rag articles lists them")


def exclude(settings: Settings, embedder: Embedder, names: Sequence[str]) -> list[str]:
    """Remove articles from the index, until they change or `rag index FILE` names them. The files stay.

    Returns their ids. Raises `StoreError` for a name that is none, before anything is changed.
    """
    with writer_lock(settings.index), closing(Catalog(settings.index)) as catalog:
        made_by = catalog.fingerprint()
        if made_by is None:
            raise StoreError(f"the index at {settings.index}/ is empty; run: rag index")
        chosen = list({h.id: h for h in (find_article(catalog, n) for n in names)}.values())
        # otherwise a duplicate of a removed article would take its place at once
        digests = {h.digest for h in chosen}
        equal = [d for d in catalog.duplicates() if d.digest in digests]
        out = [(h.id, h.file, h.version) for h in chosen] + [(d.id, d.file, d.version) for d in equal]
        ids = [h.id for h in chosen]
        write(settings.index, catalog, made_by, Update(removed=ids, excluded=out))
        tidy(settings.index, catalog, embedder.dimension)
        publish_where_set(settings, catalog, made_by)
        return ids


def export(settings: Settings, target: Path) -> int:
    """Save the index as one zip file: its catalogue, from which the rest is derived, and a manifest with its SHA-256.

    Readers and a writer may continue meanwhile. Returns the number of bytes. Raises `StoreError`.
    """
    copy = settings.index / f"export-{time.time_ns()}.sqlite"
    partial = target.with_name(f"{target.name}.partial")
    try:
        with closing(Catalog(settings.index)) as catalog:
            catalog.backup(copy)
            counts = {"articles": catalog.article_count(), "chunks": catalog.chunk_count()}
        listed = {FILE_NAME: {"sha256": sha256_of(copy), "bytes": copy.stat().st_size}}
        manifest = {"citewire": __version__, "format": FORMAT, **counts, "files": listed}
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
            archive.write(copy, FILE_NAME)
        partial.replace(target)
        return target.stat().st_size
    except OSError as error:
        raise StoreError(
            f"{target}: cannot be written ({error.strerror}); free space or name another file"
        ) from None
    finally:
        copy.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)


def _unpack(source: Path, beside: Path) -> None:
    """Unpack and verify a saved index. Raises `StoreError` naming what is wrong with it."""
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            listed = manifest["files"][FILE_NAME]
            if manifest["format"] != FORMAT:
                raise StoreError(
                    f"{source}: of index format {manifest['format']}, this program reads {FORMAT}; "
                    "save it again with the program that made it"
                )
            packed = archive.getinfo(FILE_NAME)  # `extract` writes no more than the size it states
            if packed.file_size != listed["bytes"]:
                raise StoreError(f"{source}: of another size than its manifest says; it is damaged")
            archive.extract(packed, beside)
        if sha256_of(beside / FILE_NAME) != listed["sha256"]:
            raise StoreError(f"{source}: damaged (its SHA-256 is not the listed one); copy it again")
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(f"{source}: not an index saved by rag index --export ({reason})") from None


def restore(settings: Settings, embedder: Embedder, source: Path) -> tuple[int, int]:
    """Replace this index by a saved one. Returns its number of articles and chunks.

    The index is unchanged until the saved one is unpacked and verified. Raises `StoreError` when the file is damaged, or was
    made by another embedding model or other chunk settings.
    """
    beside = settings.index / BESIDE
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with writer_lock(beside):
            _unpack(source, beside)
        with closing(Catalog(beside, create=True)) as catalog:
            problems = catalog.problems()
            if problems:
                raise StoreError(f"{source}: damaged ({problems[0]}); copy it again")
            if catalog.fingerprint() != fingerprint_of(settings, embedder):
                raise StoreError(
                    f"{source}: made by another embedding model or other chunk settings; index the articles instead"
                )
            repair(beside, catalog, embedder.dimension)
            counts = catalog.article_count(), catalog.chunk_count()
        _take_over(settings.index, beside)
        return counts
    finally:
        shutil.rmtree(beside, ignore_errors=True)
