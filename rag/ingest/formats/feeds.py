"""Feeds and books: RSS, Atom and EPUB, whose articles are pieces of HTML."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO
from urllib.parse import unquote

from rag.ingest.formats.archives import Parts
from rag.ingest.formats.base import (
    Document,
    FormatError,
    Found,
    Job,
    Refused,
    check_xml,
    clean,
    finished,
    whole,
    xml_root,
)
from rag.ingest.formats.days import day_of
from rag.ingest.formats.decoding import decode_markup
from rag.ingest.formats.markup import html_to_text

_CHAPTER_LEAST = 200  # characters; shorter ones are covers and title pages


def read_feed(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """The entries of a feed."""
    limits = job.limits
    content = whole(data, limits.file)
    check_xml(content, limits)
    import feedparser

    # as a stream, because feedparser takes a text for an address and would fetch it
    feed = feedparser.parse(io.BytesIO(content), sanitize_html=True, resolve_relative_uris=False)
    if not feed.version:
        raise FormatError("is XML, but not an RSS or Atom feed; save it as HTML or text")
    publisher = str(feed.feed.get("title", ""))
    number = 0
    for number, entry in enumerate(feed.entries, 1):
        if number > limits.documents:
            raise FormatError(f"holds more than {limits.documents} articles; split it")
        link = str(entry.get("link", ""))
        key = str(entry.get("id") or link or number)[:300]
        try:
            # the longest, because descriptions of pictures are contents to feedparser
            bodies = [str(c.get("value", "")) for c in entry.get("content", [])]
            bodies.append(str(entry.get("summary", "")))
            # the day as written, because feedparser converts it to UTC
            written = str(entry.get("published") or entry.get("updated") or "")
            when = entry.get("published_parsed") or entry.get("updated_parsed")
            day = f"{when[0]:04d}-{when[1]:02d}-{when[2]:02d}" if when else ""
            source = entry.get("source") or {}
            yield finished(
                Document(
                    key,
                    html_to_text(max(bodies, key=len), limits),
                    clean(html_to_text(str(entry.get("title", "")), limits)),
                    str(entry.get("author", "")),
                    str(source.get("title", "")) or publisher,
                    day_of(written) or day,
                    "",
                    link,
                ),
                limits,
            )
        except FormatError as error:
            yield Refused(key, f"entry {number}: {error}")
    if feed.bozo and not isinstance(feed.bozo_exception, feedparser.CharacterEncodingOverride):
        why = (str(feed.bozo_exception).splitlines() or [""])[0][:120]
        yield Refused("*", f"damaged after entry {number} ({why}); what follows is left out")


def read_epub(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """The chapters of a book, each an article."""
    limits = job.limits
    parts = Parts(whole(data, limits.file), limits)
    container = xml_root(parts.read("META-INF/container.xml", limits.text), limits)
    root = container.xpath("string(//*[local-name()='rootfile']/@full-path)")
    package = xml_root(parts.read(str(root), limits.text), limits)
    folder = PurePosixPath(str(root)).parent
    facts = {
        key: str(package.xpath(f"string(//*[local-name()='metadata']/*[local-name()='{key}'][1])"))
        for key in ("title", "creator", "publisher", "date")
    }
    items = {i.get("id"): i.get("href") for i in package.xpath("//*[local-name()='manifest']/*[@href]")}
    for reference in package.xpath("//*[local-name()='spine']/*[@idref]"):
        href = items.get(reference.get("idref")) or ""
        path = posixpath.normpath(str(folder / unquote(href.partition("#")[0])))
        if path not in parts:
            yield Refused(href or "*", f"lacks {href or 'a chapter'}; save it again")
            continue
        try:
            markup = decode_markup(parts.read(path, limits.text))
            text = clean(html_to_text(re.sub(r"^\s*<\?xml[^>]*\?>", "", markup), limits))
            if len(text) < _CHAPTER_LEAST:
                continue
            heading = re.search(r"(?is)<h[1-3][^>]*>(.*?)</h[1-3]>", markup)
            title = clean(re.sub(r"<[^>]+>", " ", heading[1])) if heading else ""
            yield finished(
                Document(
                    href,
                    text,
                    title or facts["title"],
                    facts["creator"],
                    facts["publisher"],
                    facts["date"],
                ),
                limits,
            )
        except FormatError as error:
            yield Refused(href, str(error))
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            yield Refused(href, f"{href} is damaged ({error}); save the book again")
