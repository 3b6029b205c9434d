"""Articles: reads a file as an `Article`, with the title, date and other facts that its text or a sidecar file states.

Nothing is guessed from a file's name, its times or the web. This module knows files, but not chunks, the index or
models.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rag.errors import ArticleError, CorpusError
from rag.ingest.descriptions import describe
from rag.ingest.formats import TEXT, FormatError, decode
from rag.ingest.formats.archives import PAGES
from rag.ingest.formats.wrapping import unwrap
from rag.ingest.sidecars import SIDECAR, Sidecars, read_bytes, shown_path, sidecar_of
from rag.schema import Article, Field, Origin, Published
from rag.text.words import plain

MAX_BYTES = 20 * 1024 * 1024  # about a thousand long articles: a larger file is a dump, not an article
_SYSTEM = ("thumbs.db", "desktop.ini")  # files that Windows puts into folders
_README = "README.md"  # at the top of the folder it describes the articles and is not one


# --- finding files -----------------------------------------------------------------------------------------------


def find_files(folder: Path, suffixes: Collection[str] = TEXT, under: Path | None = None) -> list[Path]:
    """The first part of `scan_folder`."""
    return scan_folder(folder, suffixes, under)[0]


def scan_folder(
    folder: Path, suffixes: Collection[str] = TEXT, under: Path | None = None
) -> tuple[list[Path], list[Path]]:
    """The article files under `folder`, in the order of their paths: regular files that end in one of `suffixes`; with
    `under`, a folder in it or one file, only those there. Second, the other files, whose format is not supported.

    Left out of both are README.md at the top, sidecars, names that begin with a dot, links to folders, links to files
    outside `folder`, and the pictures and scripts that a browser saves beside a page, in a folder of its name. Raises
    `CorpusError` when the folder, or one in it, is missing or cannot be read.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        raise CorpusError(f"{shown_path(folder)}: {what}; make it, put articles in it, and run: rag index")

    def refuse(error: OSError) -> None:
        place = shown_path(Path(error.filename or folder))
        raise CorpusError(
            f"{place}: the folder cannot be read ({error.strerror}); correct its permissions and run: rag index"
        )

    root = folder.resolve()

    def is_file(path: Path) -> bool:
        if path.name.startswith(".") or path == folder / _README or path.name.lower() in _SYSTEM:
            return False
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
            return False
        return path.is_file() or not path.exists()  # one that vanishes here is reported when it is read

    start = under or folder
    found: list[Path] = []
    if not start.is_dir():
        found = [start] if is_file(start) else []
    else:
        for where, folders, names in os.walk(start, onerror=refuse):
            pages = {Path(name).stem for name in names if Path(name).suffix.lower() in PAGES}
            folders[:] = [
                name
                for name in folders
                if not name.startswith(".") and not (name.endswith("_files") and name[:-6] in pages)
            ]
            found += [path for name in names if is_file(path := Path(where, name))]
    found.sort(key=lambda path: path.relative_to(folder).as_posix())
    articles = [path for path in found if path.suffix.lower() in suffixes]
    stems = {path.with_suffix("") for path in articles}
    return articles, [
        path
        for path in found
        if path.suffix.lower() not in suffixes
        and not (path.suffix == ".toml" and (path == folder / SIDECAR or path.with_suffix("") in stems))
    ]


# --- reading bytes -----------------------------------------------------------------------------------------------


def _decode(data: bytes, shown: str) -> str:
    try:
        return decode(data)
    except FormatError as error:
        raise ArticleError(f"{shown}: {error}, or remove it") from None


# --- one article -------------------------------------------------------------------------------------------------


_NAMED = ("title", "publisher", "place", "url", "author")


_MARKUP = re.compile(r"\s*(?:<!doctype html|<html[\s>]|\{\\rtf1)", re.IGNORECASE)


def _fill(stated: Field | None, supplied: str | None) -> Field | None:
    if stated is not None or supplied is None:
        return stated
    return Field(supplied, Origin.SUPPLIED)


def read_article(path: Path, folder: Path, sidecars: Sidecars | None = None) -> Article:
    """The article in `path`, a file of `folder`. `body` is its text as decoded, without a byte order mark and with spaces
    for the line breaks inside wrapped paragraphs, so offsets are characters of the file; `version` is the SHA-256 of its
    bytes; sidecars supply only what the text does not state.

    Raises `ArticleError` naming the file and the reason when it is missing, unreadable, empty, too large, no text, or
    has a malformed sidecar.
    """
    shown = shown_path(path)
    name = path.relative_to(folder).as_posix()
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise ArticleError(f"{shown}: its name is not UTF-8; rename it") from None
    data = read_bytes(path, shown, MAX_BYTES)
    body = unwrap(_decode(data, shown))
    if not plain(body):
        what = "holds only blank space" if data else "is empty"
        raise ArticleError(f"{shown}: {what}; write the article into it or remove it")
    if markup := _MARKUP.match(body):
        ending = ".rtf" if "rtf" in markup[0] else ".html"
        raise ArticleError(f"{shown}: is not plain text; rename it so that it ends in {ending}")
    said = describe(body)
    more = sidecar_of(path, folder, sidecars or Sidecars())
    published = said.published
    if published is None and more.published is not None:
        published = Published(more.published, Origin.SUPPLIED)
    named: dict[str, Any] = {key: _fill(getattr(said, key), getattr(more, key)) for key in _NAMED}
    return Article(
        id=name,
        version=hashlib.sha256(data).hexdigest(),
        path=name,
        body=body,
        published=published,
        **named,
    )
