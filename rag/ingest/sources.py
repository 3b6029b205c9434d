"""Sources: where the article files are, how changes are noticed, and what is read from a file.

A file's place is its path inside the corpus' own folder, or its full path where it is elsewhere. Articles that share a file
add "#" and a key. This module knows folders and files, not the index.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ArticleError, CorpusError
from rag.ingest.articles import read_article, scan_folder
from rag.ingest.descriptions import describe, parse_date
from rag.ingest.formats import FORMATS_VERSION, SUFFIXES, TEXT, Document, Refused
from rag.ingest.sidecars import Sidecars, Supplied, load_sidecars, sidecar_of
from rag.schema import Article, Field, Origin, Published
from rag.text.words import plain

if TYPE_CHECKING:
    from rag.ingest.sandbox import Extractor

READ_TRIES = 3  # a file that changes while it is read is read again
OLD_ENOUGH_S = 2.0  # a file that changed more recently may change again without a new time
VERSION = 2  # counts changes of what is read from a file


@dataclass(frozen=True, slots=True)
class Source:
    """One file: where it is, its place (`file`), how that is shown, and under which root: "" is the corpus' own folder,
    else what the user named. `folder` is where `articles.toml` and its names begin."""

    path: Path
    file: str
    shown: str
    root: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a scan: the files, the scanned roots, (path, reason) of missing roots, and the same of files whose
    format is not supported."""

    sources: tuple[Source, ...]
    looked_at: tuple[str, ...]
    missing: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()  # files that the user named and that no longer exist
    sidecars: dict[Path, Sidecars] = field(default_factory=dict)
    unread: tuple[tuple[str, str], ...] = ()

    def sidecars_of(self, source: Source) -> Sidecars:
        """The tables of the folder that a file lies in."""
        return self.sidecars.get(source.folder, Sidecars())


@dataclass(frozen=True, slots=True)
class Content:
    """The contents of a file: its articles, and (key, reason) of those that could not be read."""

    articles: tuple[Article, ...]
    skips: tuple[tuple[str, str], ...]
    stamp: str


def _in_folder(folder: Path, root: str, files: Iterable[Path]) -> list[Source]:
    """Sources of `files` in `folder`, or the root itself where it is a file."""
    found = []
    for path in files:
        inside = path.relative_to(folder).as_posix()
        if not root:
            found.append(Source(path, inside, inside, "", folder))
        elif Path(root) == path:
            found.append(Source(path, root, path.name, root, folder))
        else:
            found.append(Source(path, f"{root}/{inside}", f"{folder.name}/{inside}", root, folder))
    return found


READ = frozenset((*TEXT, *SUFFIXES))
NOT_READ = f"this format is not read; save it as one of {', '.join(sorted(s.lstrip('.') for s in READ))}"


def _unread(folder: Path, root: str, files: Sequence[Path]) -> list[tuple[str, str]]:
    """(place, reason) for each ending of files in `folder` whose format is not supported: a single file by its name,
    several by their number."""
    by_ending: dict[str, list[Source]] = {}
    for source in _in_folder(folder, root, files):
        by_ending.setdefault(source.path.suffix.lower(), []).append(source)
    told = []
    for ending, sources in sorted(by_ending.items()):
        named = sources[0].shown
        if len(sources) > 1:
            named = f"{len(sources)} files {f'ending in {ending}' if ending else 'without an ending'} ({named}, ...)"
        told.append((sources[0].file, f"{named}: {NOT_READ}"))
    return told


def scan(seeds: Path, roots: Sequence[str]) -> Found:
    """All files of the corpus' own folder `seeds` and of the `roots` that the user named before.

    A missing root is listed in `Found.missing`; its articles stay in the index. Raises `CorpusError` when `seeds` is
    missing and there is no root, `ArticleError` for an `articles.toml` that cannot be read.
    """
    gone = "is not there; its articles stay in the index (rag articles remove takes them out)"
    missing = tuple((root, gone) for root in roots if not os.path.lexists(root))
    looked = [root for root in roots if os.path.lexists(root)]
    if seeds.is_dir() or not roots:
        looked.insert(0, "")
    sources: dict[str, Source] = {}
    unread: list[tuple[str, str]] = []
    sidecars: dict[Path, Sidecars] = {}
    for root in looked:
        folder = Path(root) if root else seeds
        if root and not folder.is_dir():
            sources[root] = Source(folder, root, folder.name, root, folder.parent)
            continue
        files, others = scan_folder(folder, READ)
        sources |= {s.file: s for s in _in_folder(folder, root, files)}
        unread += _unread(folder, root, others)
        sidecars[folder] = load_sidecars(folder)
    return Found(tuple(sources.values()), tuple(looked), missing, (), sidecars, tuple(unread))


def scan_paths(
    seeds: Path, paths: Sequence[Path], known: Callable[[str], Collection[str]], roots: Sequence[str]
) -> tuple[Found, tuple[str, ...]]:
    """The files and folders that the user names, and those of them that are new roots: neither in `seeds` nor in `roots`.

    Files that were read there before (`known(place)`) and are gone are listed in `Found.gone`. Raises `CorpusError` for a
    path that does not exist and never did.
    """
    own = Path(os.path.normpath(seeds.absolute()))
    sources: dict[str, Source] = {}
    gone: list[str] = []
    unread: list[tuple[str, str]] = []
    new: list[str] = []
    sidecars: dict[Path, Sidecars] = {}
    for path in paths:
        whole = Path(os.path.normpath(path.absolute()))
        inside = whole.is_relative_to(own)
        root = "" if inside else next((r for r in roots if whole.is_relative_to(r)), whole.as_posix())
        folder = seeds if inside else Path(root) if Path(root).is_dir() else whole.parent
        under = folder / whole.relative_to(own if inside else folder)
        place = _in_folder(folder, root, [under])[0].file if under != folder else root
        before = known(place)
        if os.path.lexists(whole):
            found, others = ([under], []) if under.is_file() else scan_folder(folder, READ, under)
            unread += _unread(folder, root, others)
            sources |= {s.file: s for s in _in_folder(folder, root, found)}
            if folder not in sidecars:
                sidecars[folder] = (
                    load_sidecars(folder) if root != whole.as_posix() or whole.is_dir() else Sidecars()
                )
            if root and root not in roots:
                new.append(root)
        elif not before:
            raise CorpusError(f"{plain(str(path))}: no such file or folder; nothing was changed")
        gone += [f for f in before if f not in sources]
    gone = list(dict.fromkeys(gone))
    return Found(tuple(sources.values()), (), (), tuple(gone), sidecars, tuple(unread)), tuple(new)


def _state(path: Path) -> str:
    """Size, times and inode of a file, "" when there is none."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"


def _is_old_enough(path: Path) -> bool:
    """Whether the file's times are so old that the next change will alter them. Times in the future are not (a clock set
    back)."""
    try:
        found = path.stat()
    except OSError:
        return True
    return max(found.st_mtime, found.st_ctime) < time.time() - OLD_ENOUGH_S


def stamp_of(source: Source, sidecars: Sidecars) -> str:
    """A hash of a file's size and times, without reading it; "" when these are not reliable. Equal stamps mean equal content."""
    beside = source.path.with_suffix(".toml")
    if not _is_old_enough(source.path) or not _is_old_enough(beside):
        return ""
    table = sidecars.tables.get(source.path.relative_to(source.folder).as_posix())
    parts = (VERSION, FORMATS_VERSION, _state(source.path), _state(beside), table)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def read(source: Source, sidecars: Sidecars, extractor: Extractor) -> Content:
    """The contents of a file, with the stamp it had then. Raises `UnreadableError` when the system does not let it be read.

    A file that keeps changing while it is read is reported with that reason.
    """
    for _ in range(READ_TRIES):
        stamp, before = stamp_of(source, sidecars), _state(source.path)
        articles, skips = _read(source, sidecars, extractor)
        if before == _state(source.path):
            return Content(tuple(articles), tuple(skips), stamp)
    return Content((), (("", f"{source.shown}: changes while it is read; run again: rag index"),), "")


def _read(
    source: Source, sidecars: Sidecars, extractor: Extractor
) -> tuple[list[Article], list[tuple[str, str]]]:
    if source.path.suffix.lower() in TEXT:
        try:
            article = read_article(source.path, source.folder, sidecars)
        except ArticleError as error:
            if type(error) is not ArticleError:
                raise
            return [], [("", str(error))]
        return [replace(article, id=source.file, path=source.shown)], []
    if source.path.suffix.lower() not in SUFFIXES:
        return [], [("", f"{source.shown}: {NOT_READ}")]
    articles: list[Article] = []
    skips: list[tuple[str, str]] = []
    keys: dict[str, int] = {}
    try:
        supplied = sidecar_of(source.path, source.folder, sidecars)
    except ArticleError as error:
        return [], [("", str(error))]
    for found in extractor.extract(source.path, source.shown):
        keys[found.key] = keys.get(found.key, 0) + 1
        key = found.key if keys[found.key] == 1 else f"{found.key} ({keys[found.key]})"
        if isinstance(found, Refused):
            skips.append((key, f"{source.shown}: {found.reason}"))
        else:
            articles.append(_from_document(source, key, found, Supplied() if key else supplied))
    return articles, skips


def _from_document(source: Source, key: str, document: Document, more: Supplied) -> Article:
    """An article from a document: facts come from its metadata first, then from its text, then from the sidecar's `more`."""
    mark = f"#{key}" if key else ""
    said = describe(document.text)

    def fact(metadata: str, stated: Field | None, given: str | None) -> Field | None:
        if plain(metadata):
            return Field(plain(metadata), Origin.METADATA)
        return stated or (Field(given, Origin.SUPPLIED) if given else None)

    known = parse_date(document.published) if document.published else None
    published = Published(known, Origin.METADATA) if known else said.published
    if published is None and more.published is not None:
        published = Published(more.published, Origin.SUPPLIED)
    whole = json.dumps(
        [document.text, document.title, document.author, document.publisher, document.published, document.url]
    )
    return Article(
        id=f"{source.file}{mark}",
        version=hashlib.sha256(whole.encode()).hexdigest(),
        path=f"{source.shown}{mark}",
        body=document.text,
        title=fact(document.title, said.title, more.title),
        publisher=fact(document.publisher, said.publisher, more.publisher),
        published=published,
        place=fact(document.place, said.place, more.place),
        url=fact(
            document.url if document.url.startswith(("http://", "https://")) else "",
            said.url,
            more.url,
        ),
        author=fact(document.author, said.author, more.author),
    )
