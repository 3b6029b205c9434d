"""Formats: the bytes of one file become documents. Text files in a folder are `rag.ingest.articles`' own; this is all the rest.

One module a family, one function a format. What a file says outside its text (an HTML head, a feed, a JSON field) is
given beside it. Everything here reads hostile input: sizes, depths and counts are bounded while reading, never by what a
header promises, and nothing is fetched. It runs in a process of its own (`rag.ingest.sandbox_process`), so that a parser that hangs
or dies takes nothing with it. This package knows formats, nothing of the index.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from rag.ingest.formats import archives, feeds, html, mail, office, pdf, tables, text
from rag.ingest.formats.base import (
    BROKEN,
    Document,
    FormatError,
    Found,
    Job,
    Limits,
    Reader,
    Refused,
    Working,
    broken,
    clean,
)
from rag.ingest.formats.decoding import decode

FORMATS_VERSION = 2  # counts changes of what is extracted
TEXT = (".txt", ".text")  # read as they are
_FAMILIES: Mapping[Reader, str] = {
    html.read_html: ".html .htm .xhtml",
    pdf.read_pdf: ".pdf",
    office.read_docx: ".docx",
    office.read_odt: ".odt",
    office.read_rtf: ".rtf",
    office.read_pptx: ".pptx",
    feeds.read_epub: ".epub",
    feeds.read_feed: ".rss .atom .xml",
    tables.read_json: ".json",
    tables.read_json_lines: ".jsonl .ndjson",
    tables.read_csv: ".csv .tsv",
    tables.read_xlsx: ".xlsx",
    text.read_markdown: ".md .markdown",
    mail.read_mht: ".mht .mhtml",
}
_ALONE = {ending: reader for reader, endings in _FAMILIES.items() for ending in endings.split()}
SUFFIXES = frozenset((*_ALONE, ".zip", ".eml"))
_ANY = SUFFIXES | frozenset(TEXT)  # what may be inside another file
READERS: Mapping[str, Reader] = {
    **_ALONE,
    **dict.fromkeys(TEXT, text.read_text),
    ".zip": partial(archives.read_zip, endings=_ANY),
    ".eml": partial(mail.read_eml, endings=_ANY),
}


def _inside(name: str, content: bytes, job: Job) -> Iterator[Found]:
    return READERS[PurePosixPath(name).suffix.lower()](name, io.BytesIO(content), job)


def extract(
    name: str, data: IO[bytes], limits: Limits | None = None, names: Mapping[str, str] | None = None
) -> Iterator[Found]:
    """The documents of a file called `name`, which ends in one of `SUFFIXES`; `data` can seek.

    `names` says what the user's JSON and CSV fields are called: ours ("text", "title", ..., "key") to his. What cannot be
    read is given as `Refused`; `MemoryError` and `RecursionError` are the caller's.
    """
    suffix = PurePosixPath(name).suffix.lower()
    job = Job(limits or Limits(), names or {}, _inside)
    count = 0
    try:
        for found in READERS[suffix](name, data, job):
            count += not isinstance(found, Working)
            yield found
    except FormatError as error:
        yield Refused("", str(error))
    except BROKEN as error:
        yield Refused("", broken(suffix, error))
    else:
        if not count:
            yield Refused("", "holds no article")


__all__ = [
    "FORMATS_VERSION",
    "READERS",
    "SUFFIXES",
    "TEXT",
    "Document",
    "FormatError",
    "Found",
    "Limits",
    "Refused",
    "Working",
    "clean",
    "decode",
    "extract",
]
