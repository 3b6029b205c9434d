"""Formats: reads the bytes of one file as documents. Only plain text files in a folder are read by `rag.ingest.articles`.

There is a module for each family and a function for each format. Metadata outside the text (an HTML head, a feed, a JSON
field) are returned with the text. All input is hostile: sizes, depths and counts are limited while reading, whatever a header
promises, and nothing is fetched. It runs in a separate process (`rag.ingest.sandbox_process`), so that a parser that hangs or
dies does no harm. This package knows formats, not the index.
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

FORMATS_VERSION = 3  # changes whenever other text is extracted
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

    `names` maps our names of fields ("text", "title", ..., "key") to the user's in JSON and CSV. What cannot be read comes as
    `Refused`. The caller handles `MemoryError` and `RecursionError`.
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
