"""Formats: the bytes of one file become documents. Text files are `rag.articles`' own; this is all the rest.

What a file says outside its text (an HTML head, a feed, a JSON field) is given beside it. Everything here reads hostile
input: sizes, depths and counts are bounded while reading, never by what a header promises, and nothing is fetched. It runs
in a process of its own (`rag.format_child`), so that a parser that hangs or dies takes nothing with it. This module knows
formats, nothing of the index.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import PurePosixPath
from typing import IO, Any

FORMATS_VERSION = 1  # counts changes of what is extracted
SUFFIXES: Mapping[str, str] = {
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".epub": "epub",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".rss": "feed",
    ".atom": "feed",
    ".xml": "feed",
    ".zip": "zip",
}
TEXT = (".txt", ".text", ".md", ".markdown")  # inside an archive


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost; sizes in bytes."""

    text: int = 20 * 2**20  # one article: a larger one is a dump
    file: int = 200 * 2**20  # a file that is read whole; lines and rows are read one by one
    line: int = 20 * 2**20  # of JSONL, or a row of CSV
    members: int = 100_000  # of an archive
    unpacked: int = 2 * 2**30  # of an archive in all
    ratio: int = 200  # unpacked to packed, for a member above 1 MB
    documents: int = 1_000_000
    pages: int = 5_000
    depth: int = 1000  # of nested elements; brackets of JSON: a fifth
    nested: int = 2  # archives in archives


@dataclass(frozen=True, slots=True)
class Document:
    """One article as a file holds it: `text` is what is searched, the rest what the file says of it ("": nothing). `key`
    tells it from the others of the same file, "" where the file is one article."""

    key: str
    text: str
    title: str = ""
    author: str = ""
    publisher: str = ""
    published: str = ""
    place: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, or a part of one, that was not read, and why: one line that names it and says what to do."""

    key: str
    reason: str


class FormatError(Exception):
    """This part of a file is not readable; the message says why and what to do."""


# What the parsers of other people raise on broken input, beside `FormatError`.
BROKEN = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    LookupError,
    ArithmeticError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
)

Found = Document | Refused

# ------------------------------------------------------------------------------------------------ text

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f]")
_SPACES = re.compile(r"[^\S\n]*\n[^\S\n]*")
_BLANK = re.compile(r"\n{3,}")
_TAG = re.compile(
    r"</?(?:p|br|div|span|a|b|i|em|strong|ul|ol|li|h[1-6]|blockquote|img|figure)\b[^<>]*>", re.I
)
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_UTF8_SEQUENCE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
MOST_ACCENTED = 0.15  # share of bytes above 127 in Western European text in a one-byte encoding, generously
DETECT_LEAST = 64  # bytes; what is shorter could be anything
# Differ from common ones in capital letters only, and nothing has been written in them for twenty years.
_NEVER_MEANT = ["mac_cyrillic", "mac_greek", "mac_iceland", "mac_latin2", "mac_roman", "mac_turkish"]
DETECT_BYTES = 100_000  # what the guess is made on


def decode(data: bytes) -> str:
    """The text of a file, without its byte order mark. Raises `FormatError`.

    A byte order mark decides; else UTF-8 where it is that; else Windows-1252 where the bytes look like Western European
    text; else what charset-normalizer finds, where it finds words of a language. Damaged UTF-8 is refused: guessing at it
    would put wrong letters into quotations.
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise FormatError(f"damaged {encoding.upper().removesuffix('-SIG')}; save it as UTF-8") from None
        text = _guess(data, error.start)
    if "\0" in text:
        try:
            text = "" if encoding else _guess(data, 0)
        except FormatError:
            text = ""
        if not text or "\0" in text:
            raise FormatError("holds NUL characters, so it is no text; save it as UTF-8")
    return text


def _guess(data: bytes, bad_byte: int) -> str:
    refused = FormatError(f"not text in UTF-8 (byte {bad_byte}); save it as UTF-8")
    valid = len(_UTF8_SEQUENCE.findall(data[:DETECT_BYTES]))
    if b"\0" not in data:
        try:
            western = data.decode("cp1252")
        except UnicodeDecodeError:
            western = ""
        high = sum(byte > 127 for byte in data)
        if western and not valid and high <= MOST_ACCENTED * len(data) and not _CONTROLS.search(western):
            return western
        if valid and valid * 2 >= high / 2:  # mostly UTF-8, with a broken place
            raise refused
    if len(data) < DETECT_LEAST:
        raise refused
    from charset_normalizer import from_bytes

    best = from_bytes(data[:DETECT_BYTES], threshold=0.1, cp_exclusion=_NEVER_MEANT).best()
    if best is None or best.chaos > 0.1 or best.coherence < 0.1:
        raise refused
    try:
        text = data.decode(best.encoding)
    except UnicodeDecodeError:
        raise refused from None
    if _CONTROLS.search(text):
        raise refused
    return text


def clean(text: str) -> str:
    """Extracted text without control characters, one blank line at most between paragraphs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = _CONTROLS.sub("", text.replace("\xa0", " "))
    return _BLANK.sub("\n\n", _SPACES.sub("\n", text)).strip()


def _document(limits: Limits, document: Document) -> Document:
    """The document, cleaned. Raises `FormatError` when it holds no text, or too much."""
    if len(document.text) > limits.text:
        raise FormatError(f"its text is longer than {limits.text // 2**20} MB; split it")
    text = clean(document.text)
    if not text:
        raise FormatError("holds no text")
    more = {
        f.name: clean(str(getattr(document, f.name))).replace("\n", " ")[:500]
        for f in fields(Document)
        if f.name not in ("key", "text")
    }
    return replace(document, text=text, **more)


def _whole(data: IO[bytes], limit: int) -> bytes:
    content = data.read(limit + 1)
    if len(content) > limit:
        raise FormatError(f"larger than {limit // 2**20} MB; split it")
    return content


# ------------------------------------------------------------------------------------------------ HTML

_OPEN_CLOSE = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)[^<>]*?(/?)>")
_VOID = frozenset(
    b"area base br col embed hr img input link meta param source track wbr p li td tr th dd dt option".split()
)


def _check_depth(data: bytes, limits: Limits) -> None:
    """Raise `FormatError` for elements nested so deep that a parser could exhaust its stack on them."""
    depth = 0
    for match in _OPEN_CLOSE.finditer(data):
        if match[3] or match[2].lower() in _VOID:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > limits.depth:
            raise FormatError(f"elements nested more than {limits.depth} deep; save the page as text")


_BLOCKS = frozenset(
    [
        "p",
        "div",
        "br",
        "li",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "tr",
        "table",
        "section",
        "article",
        "header",
        "footer",
        "blockquote",
        "pre",
        "dd",
        "dt",
        "figure",
    ]
)
_HIDDEN = frozenset(("script", "style", "template", "noscript", "head", "svg", "iframe", "form", "nav"))


def html_to_text(markup: str, limits: Limits) -> str:
    """All text of a piece of HTML, a blank line between blocks. Raises `FormatError`."""
    from lxml import etree

    data = markup.encode("utf-8", "replace")
    _check_depth(data, limits)
    try:
        root = etree.fromstring(
            data, etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
        )
    except etree.LxmlError as error:
        raise FormatError(f"not readable as HTML ({error})") from None
    if root is None:
        return ""
    parts: list[str] = []
    hidden = 0  # elements around this one whose text is not shown
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        gap = "" if tag not in _BLOCKS else "\n" if tag in ("br", "li", "tr") else "\n\n"
        parts.append(gap)
        hidden += (tag in _HIDDEN) * (1 if event == "start" else -1)
        said = element.text if event == "start" else element.tail
        if said and not hidden:
            parts.append(re.sub(r"\s+", " ", said))
    return "".join(parts)


def _html(name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str]) -> Iterator[Found]:
    content = _whole(data, limits.text)
    _check_depth(content, limits)
    from trafilatura import bare_extraction

    found = bare_extraction(
        content,
        favor_precision=True,
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        fast=True,
    )
    facts = {
        key: str(getattr(found, key, None) or "")
        for key in ("title", "author", "sitename", "date", "url", "text")
    }
    text = re.sub(r"\n+", "\n\n", facts["text"])
    if len(text) < 100:  # no article stands out: all that is shown, then
        whole = clean(html_to_text(decode_markup(content), limits))
        text = whole if len(whole) > len(text) else text
    yield _document(
        limits,
        Document(
            "",
            text,
            facts["title"],
            facts["author"],
            facts["sitename"],
            facts["date"],
            "",
            facts["url"],
        ),
    )


def decode_markup(content: bytes) -> str:
    """The text of markup: as its byte order mark or its own declaration says, else as any text. Raises `FormatError`."""
    declared = re.search(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9._-]{2,40})""", content[:2048])
    if declared and not content.startswith(tuple(mark for mark, _ in _BOMS)):
        try:
            return content.decode(declared[1].decode("ascii"), "strict")
        except (LookupError, UnicodeDecodeError):
            pass  # it declares what it is not
    return decode(content)


# ------------------------------------------------------------------------------------------------ PDF, DOCX, EPUB

_GENERATED_TITLE = re.compile(
    r"(?i)^(?:microsoft (?:word|powerpoint)|untitled|document\d*|.*\.(?:docx?|pdf|indd|pages|qxp))\b"
)
_PDF_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")


def _join_lines(page: str) -> str:
    """The lines of a page as paragraphs: a word cut at a line's end is whole again, a line within a sentence goes on."""
    page = page.replace("\r\n", "\n").replace("\r", "\n")
    # PDFium writes U+FFFE or U+0002 for the hyphen of a word that goes on in the next line
    page = re.sub(r"(?<=[^\W\d_])[\ufffe\x02\xad]\n?(?=[^\W\d_])|(?<=[^\W\d_])-\n(?=[a-zß-ÿ])", "", page)
    lines = page.split("\n")
    widths = sorted(len(line) for line in lines if line.strip())
    full = (
        0.6 * widths[(len(widths) * 3) // 4] if widths else 0
    )  # a shorter line that ends a sentence ends a paragraph
    parts: list[str] = []
    for line in lines:
        bare = line.strip()
        ends = bool(parts) and (not parts[-1] or (len(parts[-1].rsplit("\n", 1)[-1]) < full) or not bare)
        previous = parts[-1].rstrip() if parts else ""
        if not bare:
            parts.append("")
        elif (
            parts
            and previous
            and not (ends and previous.endswith((".", "!", "?", ":", "”", '"')))
            and (bare[0].islower() or len(previous) >= full or previous.endswith(","))
        ):
            parts[-1] = f"{previous} {bare}"
        else:
            parts.append(bare)
    return "\n\n".join(p for p in parts if p)


def _pdf(name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str]) -> Iterator[Found]:
    import pypdfium2

    content = _whole(data, limits.file)
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise FormatError(
            "is protected by a password; save it without one"
            if locked
            else f"not readable as PDF ({error}); save it again"
        ) from None
    try:
        count = len(document)
        if count > limits.pages:
            raise FormatError(f"has {count} pages, {limits.pages} at most are read; split it")
        pages, size = [], 0
        for number in range(count):
            page = document[number]
            text_page = page.get_textpage()
            text = text_page.get_text_bounded()
            text_page.close()
            page.close()
            size += len(text)
            if size > limits.text:
                raise FormatError(f"its text is longer than {limits.text // 2**20} MB; split it")
            pages.append(_join_lines(text))
        if not any(p.strip() for p in pages):
            raise FormatError("holds no text layer (a scan?); run a text recognition on it first")
        info = document.get_metadata_dict(skip_empty=True)
    finally:
        document.close()
    title = str(info.get("Title", ""))
    dated = _PDF_DATE.match(str(info.get("CreationDate", "")))
    yield _document(
        limits,
        Document(
            "",
            "\n\n".join(pages),
            "" if _GENERATED_TITLE.match(title) or len(title.split()) < 2 else title,
            str(info.get("Author", "")) if len(str(info.get("Author", "")).split()) > 1 else "",
            "",
            "-".join(dated.groups()) if dated and "1990" < dated[1] < "2100" else "",
        ),
    )


def _check_archive(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Raise `FormatError` for what cannot be an honest archive, before anything is unpacked."""
    members = archive.infolist()
    if len(members) > limits.members:
        raise FormatError(f"holds {len(members)} files, {limits.members} at most are read; split it")
    if sum(m.file_size for m in members) > limits.unpacked:
        raise FormatError(f"unpacks to more than {limits.unpacked // 2**20} MB; split it")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int, limits: Limits) -> bytes:
    """One member, its size and ratio measured while it is unpacked. Raises `FormatError`."""
    parts, size = [], 0
    with archive.open(info) as file:
        while block := file.read(1 << 16):
            size += len(block)
            if size > limit:
                raise FormatError(f"larger than {limit // 2**20} MB; split it")
            if size > 2**20 and size > limits.ratio * max(1, info.compress_size):
                raise FormatError("unpacks to far more than it holds (a bomb?); unpack it by hand")
            parts.append(block)
    return b"".join(parts)


def _docx(name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str]) -> Iterator[Found]:
    content = _whole(data, limits.file)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_archive(archive, limits)
        for info in archive.infolist():
            if info.filename.endswith((".xml", ".rels")):
                part = _member(archive, info, limits.file, limits)
                if b"<!ENTITY" in part[:100_000]:
                    raise FormatError("defines entities, which no word processor does; save it again")
                _check_depth(part, limits)
    import docx
    from docx.table import Table

    document = docx.Document(io.BytesIO(content))
    parts, size = [], 0
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            text = "\n".join("\t".join(cell.text.strip() for cell in row.cells) for row in block.rows)
        else:
            text = block.text
        size += len(text)
        if size > limits.text:
            raise FormatError(f"its text is longer than {limits.text // 2**20} MB; split it")
        parts.append(text)
    about = document.core_properties
    title = str(about.title or "")
    author = str(about.author or "")
    yield _document(
        limits,
        Document(
            "",
            "\n\n".join(parts),
            "" if _GENERATED_TITLE.match(title) else title,
            "" if author.lower() in ("python-docx", "user", "admin") else author,
        ),
    )


_CHAPTER_LEAST = 200  # characters; shorter ones are covers and title pages


def _xml(content: bytes, limits: Limits) -> Any:
    from lxml import etree

    if b"<!ENTITY" in content:
        raise FormatError("defines entities; save it again")
    _check_depth(content, limits)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        return etree.fromstring(content, parser)
    except etree.LxmlError as error:
        raise FormatError(f"not readable as XML ({error})") from None


def _epub(name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str]) -> Iterator[Found]:
    with zipfile.ZipFile(io.BytesIO(_whole(data, limits.file))) as archive:
        _check_archive(archive, limits)
        members = {i.filename: i for i in archive.infolist()}

        def part(path: str) -> bytes:
            if path not in members:
                raise FormatError(f"lacks {path}; save it again")
            return _member(archive, members[path], limits.text, limits)

        container = _xml(part("META-INF/container.xml"), limits)
        root = container.xpath("string(//*[local-name()='rootfile']/@full-path)")
        package = _xml(part(str(root)), limits)
        folder = PurePosixPath(str(root)).parent
        facts = {
            key: str(package.xpath(f"string(//*[local-name()='metadata']/*[local-name()='{key}'][1])"))
            for key in ("title", "creator", "publisher", "date")
        }
        items = {i.get("id"): i.get("href") for i in package.xpath("//*[local-name()='manifest']/*[@href]")}
        for reference in package.xpath("//*[local-name()='spine']/*[@idref]"):
            href = items.get(reference.get("idref")) or ""
            path = str(folder / href) if str(folder) != "." else href
            if path not in members:
                continue
            try:
                markup = decode_markup(part(path))
                text = clean(html_to_text(re.sub(r"^\s*<\?xml[^>]*\?>", "", markup), limits))
                if len(text) < _CHAPTER_LEAST:
                    continue
                heading = re.search(r"(?is)<h[1-3][^>]*>(.*?)</h[1-3]>", markup)
                title = clean(re.sub(r"<[^>]+>", " ", heading[1])) if heading else ""
                yield _document(
                    limits,
                    Document(
                        href,
                        text,
                        title or facts["title"],
                        facts["creator"],
                        facts["publisher"],
                        facts["date"][:10],
                    ),
                )
            except FormatError as error:
                yield Refused(href, str(error))


# ------------------------------------------------------------------------------------------------ JSON, CSV

# What others call the fields, best first.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "text": (
        "text",
        "body",
        "content",
        "article",
        "maintext",
        "full_text",
        "fulltext",
        "articlebody",
        "article_text",
    ),
    "title": ("title", "headline", "heading"),
    "author": ("author", "authors", "byline", "creator"),
    "publisher": (
        "publisher",
        "source",
        "outlet",
        "source.name",
        "publisher.name",
        "site_name",
        "publication",
        "domain",
    ),
    "published": (
        "published",
        "date",
        "published_at",
        "publishedat",
        "pub_date",
        "pubdate",
        "publish_date",
        "date_publish",
        "datepublished",
        "date_published",
        "publication_date",
        "created_at",
        "timestamp",
    ),
    "place": ("place", "location", "dateline"),
    "url": ("url", "link", "permalink", "canonical_url", "source_url"),
    "key": ("id", "_id", "guid", "uid", "uuid", "key"),
}


def _value(row: Mapping[str, Any], path: str) -> str:
    """The field `path` ("source.name" looks inside) as text, "" when there is none."""
    value: Any = row
    for step in path.split("."):
        if not isinstance(value, dict):
            return ""
        value = {str(k).lower(): v for k, v in value.items()}.get(step.lower())
    if isinstance(value, list):
        value = ", ".join(v for v in value if isinstance(v, str))
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value)


def _row(row: object, number: int, names: Mapping[str, str], limits: Limits) -> Document:
    """A row of a table or an object as a document. Raises `FormatError` saying what it lacks."""
    if not isinstance(row, dict):
        raise FormatError("is no object with a text")
    found = {}
    for field, aliases in ALIASES.items():
        candidates = (names[field],) if field in names else aliases
        found[field] = next((v for name in candidates if (v := _value(row, name).strip())), "")
    if not found["text"]:
        asked = names.get("text") or "text, body, content, ..."
        have = ", ".join(sorted(str(k) for k in row)[:8])
        raise FormatError(
            f"has no text ({asked}; it has {have or 'nothing'}); name the field under [fields] in citewire.toml"
        )
    text = found["text"]
    if _TAG.search(text):
        text = html_to_text(text, limits)
    key = found["key"] or found["url"] or str(number)
    published = re.sub(r"^(\d{4}-\d\d-\d\d)[T ].*$", r"\1", found["published"])
    return _document(
        limits,
        Document(
            key[:300],
            text,
            found["title"],
            found["author"],
            found["publisher"],
            published,
            found["place"],
            found["url"],
        ),
    )


def _no_constant(text: str) -> Any:
    raise FormatError(f"holds {text}, which is no JSON")


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def _loads(text: str, limits: Limits) -> Any:
    depth = 0
    for match in _BRACKETS.finditer(text):
        mark = match[0]
        depth += mark in "[{"
        depth -= mark in "]}"
        if depth > limits.depth // 5:
            raise FormatError(f"brackets nested more than {limits.depth // 5} deep")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise FormatError(f"not readable as JSON ({error})") from None


def _json(name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str]) -> Iterator[Found]:
    content = _loads(decode(_whole(data, limits.file)), limits)
    rows = content
    if isinstance(content, dict):
        lists = [v for v in content.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        rows = lists[0] if len(lists) == 1 and not _value(content, "text") else [content]
    if not isinstance(rows, list):
        raise FormatError("holds no articles: a list of objects with a text is expected")
    yield from _rows(
        ((row, "") for row in rows),
        "article",
        limits,
        names,
        alone=isinstance(content, dict) and rows == [content],
    )


def _rows(
    rows: Iterator[tuple[object, str]],
    what: str,
    limits: Limits,
    names: Mapping[str, str],
    alone: bool = False,
) -> Iterator[Found]:
    """Documents of (row, why it cannot be read) in order; `what` names one in messages."""
    for number, (row, why) in enumerate(rows, 1):
        if number > limits.documents:
            raise FormatError(f"holds more than {limits.documents} articles; split it")
        try:
            if why:
                raise FormatError(why)
            document = _row(row, number, names, limits)
            yield replace(document, key="") if alone else document
        except FormatError as error:
            yield Refused(f"{what} {number}", f"{what} {number}: {error}")


def _lines(data: IO[bytes], limits: Limits) -> Iterator[tuple[bytes, str]]:
    """(line, why it is too long), one after the other."""
    while line := data.readline(limits.line + 1):
        if len(line) > limits.line:
            while line and not line.endswith(b"\n"):
                line = data.readline(1 << 20)
            yield b"", f"longer than {limits.line // 2**20} MB"
        else:
            yield line, ""


def _jsonl(name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str]) -> Iterator[Found]:
    def rows() -> Iterator[tuple[object, str]]:
        for line, why in _lines(data, limits):
            if why:
                yield None, why
                continue
            try:
                text = line.decode("utf-8-sig")
                if text.strip():
                    yield _loads(text, limits), ""
            except UnicodeDecodeError:
                yield None, "not text in UTF-8"
            except FormatError as error:
                yield None, str(error)

    yield from _rows(rows(), "line", limits, names)


def _csv(name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str]) -> Iterator[Found]:
    csv.field_size_limit(limits.line)
    text = decode(_whole(data, limits.file))
    if "\0" in text:
        raise FormatError("holds NUL characters; save it as UTF-8")
    head = text[:20_000]
    try:
        dialect: Any = csv.Sniffer().sniff(head.split("\n", 1)[0], delimiters=",;\t|")
        delimiter = dialect.delimiter
    except csv.Error:
        delimiter = "\t" if name.lower().endswith(".tsv") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = next(reader, None)
    if not header or not any(h.strip() for h in header):
        raise FormatError("has no header line that names its columns; add one")
    names_of = [h.strip().lstrip("\ufeff") for h in header]

    def rows() -> Iterator[tuple[object, str]]:
        try:
            for cells in reader:
                if not any(c.strip() for c in cells):
                    continue
                if len(cells) != len(names_of):
                    yield None, f"has {len(cells)} cells, the header {len(names_of)}"
                else:
                    yield dict(zip(names_of, cells, strict=True)), ""
        except csv.Error as error:
            yield None, f"not readable as CSV ({error}); the rest of the file is left out"

    yield from _rows(rows(), "row", limits, names)


# ------------------------------------------------------------------------------------------------ feeds, archives


def _feed(name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str]) -> Iterator[Found]:
    content = _whole(data, limits.file)
    if re.search(rb"<!ENTITY", content[:1_000_000]):
        raise FormatError("defines entities, which no feed needs; save it again")
    _check_depth(content, limits)
    import feedparser

    # as a stream, never as a text: feedparser takes a text for an address and would fetch it
    feed = feedparser.parse(io.BytesIO(content), sanitize_html=True, resolve_relative_uris=False)
    if not feed.version:
        raise FormatError("is XML, but no RSS or Atom feed")
    publisher = str(feed.feed.get("title", ""))
    for number, entry in enumerate(feed.entries, 1):
        if number > limits.documents:
            raise FormatError(f"holds more than {limits.documents} articles; split it")
        link = str(entry.get("link", ""))
        key = str(entry.get("id") or link or number)[:300]
        try:
            bodies = [str(c.get("value", "")) for c in entry.get("content", [])] or [
                str(entry.get("summary", ""))
            ]
            when = entry.get("published_parsed") or entry.get("updated_parsed")
            source = entry.get("source") or {}
            yield _document(
                limits,
                Document(
                    key,
                    html_to_text(max(bodies, key=len), limits),
                    clean(html_to_text(str(entry.get("title", "")), limits)),
                    str(entry.get("author", "")),
                    str(source.get("title", "")) or publisher,
                    f"{when[0]:04d}-{when[1]:02d}-{when[2]:02d}" if when else "",
                    "",
                    link,
                ),
            )
        except FormatError as error:
            yield Refused(key, f"entry {number}: {error}")


_DRIVE = re.compile(r"^[A-Za-z]:")


def _unsafe(info: zipfile.ZipInfo) -> str:
    """Why a member must not be read, "" when it may."""
    name = info.filename
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in re.split(r"[/\\]", name):
        return "its name leads out of the archive"
    if (info.external_attr >> 16) & 0o170000 == 0o120000:
        return "is a link"
    if info.flag_bits & 1:
        return "is encrypted; unpack it by hand"
    if not name.isprintable():
        return "its name is not printable"
    return ""


def _zip(
    name: str, data: IO[bytes], limits: Limits, names: Mapping[str, str], depth: int = 1
) -> Iterator[Found]:
    left = limits.unpacked
    with zipfile.ZipFile(data) as archive:
        _check_archive(archive, limits)
        for info in sorted(archive.infolist(), key=lambda i: i.filename):
            member = PurePosixPath(info.filename)
            suffix = member.suffix.lower()
            hidden = any(p.startswith((".", "__MACOSX")) and p != ".." for p in member.parts)
            if info.is_dir() or hidden or (suffix not in SUFFIXES and suffix not in TEXT):
                continue
            shown = (
                info.filename.encode("ascii", "backslashreplace").decode()
                if not info.filename.isprintable()
                else info.filename
            )
            try:
                if why := _unsafe(info):
                    raise FormatError(why)
                if suffix == ".zip" and depth >= limits.nested:
                    raise FormatError(
                        f"archives are nested more than {limits.nested} deep; unpack it by hand"
                    )
                content = _member(archive, info, min(limits.file, left), limits)
                left -= len(content)
                if suffix in TEXT:
                    text = decode(content)
                    if len(content) > limits.text:
                        raise FormatError(f"larger than {limits.text // 2**20} MB; split it")
                    if not text.strip():
                        raise FormatError("holds no text")
                    yield Document(shown, text)
                    continue
                if suffix == ".zip":
                    inner = _zip(shown, io.BytesIO(content), limits, names, depth + 1)
                else:
                    inner = READERS[SUFFIXES[suffix]](shown, io.BytesIO(content), limits, names)
                for found in inner:
                    key = f"{shown}#{found.key}" if found.key else shown
                    if isinstance(found, Refused):
                        yield Refused(key, f"{shown}: {found.reason}")
                    else:
                        yield replace(found, key=key)
            except FormatError as error:
                yield Refused(shown, f"{shown}: {error}")
            except BROKEN as error:
                yield Refused(shown, f"{shown}: {_broken(suffix, error)}")


def _broken(suffix: str, error: BaseException) -> str:
    first = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
    return f"not readable as {suffix.lstrip('.').upper()} ({first}); save it again"


Reader = Callable[[str, IO[bytes], Limits, Mapping[str, str]], Iterator[Found]]
READERS: Mapping[str, Reader] = {
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
    "epub": _epub,
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "feed": _feed,
    "zip": _zip,
}


def extract(
    name: str, data: IO[bytes], limits: Limits | None = None, names: Mapping[str, str] | None = None
) -> Iterator[Found]:
    """The documents of a file called `name`, which ends in one of `SUFFIXES`; `data` can seek.

    `names` says what the user's JSON and CSV fields are called: ours ("text", "title", ..., "key") to his. What cannot be
    read is given as `Refused`; `MemoryError` and `RecursionError` are the caller's.
    """
    suffix = PurePosixPath(name).suffix.lower()
    count = 0
    try:
        for found in READERS[SUFFIXES[suffix]](name, data, limits or Limits(), names or {}):
            count += 1
            yield found
    except FormatError as error:
        yield Refused("", str(error))
    except BROKEN as error:
        yield Refused("", _broken(suffix, error))
    else:
        if not count:
            yield Refused("", "holds no article")
