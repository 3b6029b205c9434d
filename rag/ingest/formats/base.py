"""Shared by all formats: the limits, the values they return, and the cleaning of text."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import IO, Any

from rag.ingest.formats.days import day_of


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits for one file; sizes in bytes."""

    text: int = 20 * 2**20  # one article: a larger one is a dump
    file: int = 200 * 2**20  # for formats that are read whole; lines and rows are read one by one
    line: int = 20 * 2**20  # of JSONL, or a row of CSV
    members: int = 100_000  # of an archive
    unpacked: int = 2 * 2**30  # of an archive in all
    ratio: int = 200  # unpacked to packed, for a member above 1 MB
    documents: int = 1_000_000
    pages: int = 5_000
    scans: int = 100  # pages of one file whose text is recognised: seconds each
    depth: int = 1000  # of nested elements; a fifth of it for brackets of JSON
    nested: int = 2  # archives in archives


@dataclass(frozen=True, slots=True)
class Document:
    """One article in a file: `text` is searched, the other fields are its metadata ("": not stated). `key` distinguishes it
    from others in the same file, "" where the file is one article."""

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
    """A file, or a part of one, that was not read. The reason is one line that names it and says what to do."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Working:
    """A sign of progress without a document: recognising the text of a page takes seconds."""


Found = Document | Refused | Working


class FormatError(Exception):
    """This part of a file is not readable; the message says why and what to do."""


# Errors of third-party parsers on broken input, besides `FormatError`.
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
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
)


@dataclass(frozen=True, slots=True)
class Job:
    """How to read one file: its limits, the user's names of fields (by ours), and how to read a file inside it. `depth` is
    the number of files around it."""

    limits: Limits = field(default_factory=Limits)
    names: Mapping[str, str] = field(default_factory=dict)
    inside: Callable[[str, bytes, Job], Iterator[Found]] | None = None
    depth: int = 0


Reader = Callable[[str, IO[bytes], Job], Iterator[Found]]

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f]")
_SPACES = re.compile(r"[^\S\n]*\n[^\S\n]*")
_BLANK = re.compile(r"\n{3,}")


def has_controls(text: str) -> bool:
    """Whether `text` has control characters, which no text has."""
    return _CONTROLS.search(text) is not None


def clean(text: str) -> str:
    """Extracted text without control characters, one blank line at most between paragraphs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = _CONTROLS.sub("", text.replace("\xa0", " "))
    return _BLANK.sub("\n\n", _SPACES.sub("\n", text)).strip()


def finished(document: Document, limits: Limits) -> Document:
    """The document, cleaned, with its date as a day. Raises `FormatError` when it has no text, or too much."""
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
    more["published"] = day_of(more["published"]) or more["published"]
    return replace(document, text=text, **more)


def whole(data: IO[bytes], limit: int) -> bytes:
    """All bytes. Raises `FormatError` for more than `limit`."""
    content = data.read(limit + 1)
    if len(content) > limit:
        raise FormatError(f"larger than {limit // 2**20} MB; split it")
    return content


def broken(ending: str, error: BaseException) -> str:
    """The reason to state for a file on which a parser failed."""
    first = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
    return f"not readable as {ending.lstrip('.').upper()} ({first}); save it again"


# --- markup ------------------------------------------------------------------------------------------------------

_OPEN_CLOSE = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)[^<>]*?(/?)>")
_VOID = frozenset(
    b"area base br col embed hr img input link meta param source track wbr p li td tr th dd dt option".split()
)


def check_depth(data: bytes, limits: Limits) -> None:
    """Raise `FormatError` for elements nested so deep that a parser could exhaust its stack on them."""
    depth = 0
    for match in _OPEN_CLOSE.finditer(data):
        if match[3] or match[2].lower() in _VOID:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > limits.depth:
            raise FormatError(f"elements nested more than {limits.depth} deep; save the page as text")


def check_xml(content: bytes, limits: Limits) -> None:
    """Raise `FormatError` for XML that is unsafe to parse: entities, which can expand, or elements nested too deep."""
    if b"<!ENTITY" in content:
        raise FormatError("defines XML entities, which are not read; save it again without them")
    check_depth(content, limits)


def xml_root(content: bytes, limits: Limits) -> Any:
    """The root element. No external file is read and no entity expanded. Raises `FormatError`."""
    from lxml import etree

    check_xml(content, limits)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        return etree.fromstring(content, parser)
    except etree.LxmlError as error:
        raise FormatError(f"not readable as XML ({error}); save it again") from None


def times(written: str, most: int = 100) -> int:
    """The number in an attribute such as "colspan": 1 where it is not a number, at most `most`."""
    return min(max(int(written), 1), most) if written.isdecimal() and len(written) < 5 else 1


# --- rows of a table ---------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"[-+−]?[\d.,'  ]*\d[\d.,'  ]*\s*(?:%|[^\W\d_]{0,3})$")


def _is_number(text: str) -> bool:
    return _NUMBER.match(text) is not None


def labelled(label: str, text: str) -> str:
    """A value with its label in front."""
    if not label or label.endswith(("?", "!", ".")):
        return f"{label} {text}".lstrip()
    return f"{label.rstrip(':')}: {text}"


_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_FIGURES = frozenset("0123456789+-−")
_ENDS = tuple(".,;:!?…”\"’')]»")


def raise_figures(before: str, text: str) -> str:
    """How raised `text` is written behind the text `before`: figures as raised ones, for they are an exponent or a unit, but
    behind a stop or a comma nothing, for there they are the mark of a footnote."""
    if not text.strip() or not set(text.strip()) <= _FIGURES:
        return text
    return "" if before.rstrip().endswith(_ENDS) else text.translate(_RAISED)


def rows_as_lines(rows: list[list[str | None]], headed: bool | None = None) -> list[str]:
    """A line for each row of a table. With the names of its columns, where there are any, each line is clear by itself.

    None is a cell that is covered by one to its left. `headed` says whether the first row names the columns. Where the
    format does not say, it does when its cells are all different, none is a number, and numbers follow.
    """
    rows = [row for row in rows if any(cell and cell.strip() for cell in row)]
    if not rows:
        return []
    shown = [[" ".join(cell.split()) if cell is not None else None for cell in row] for row in rows]
    table = next((n for n, row in enumerate(shown) if sum(map(bool, row)) > 1), 0)
    if table:  # below titles that stand in a row of their own
        return [*("".join(filter(None, row)) for row in shown[:table]), *rows_as_lines(rows[table:])]
    head = shown[0]
    if headed is None:
        named = [cell for cell in head if cell]
        headed = (
            len(shown) > 1
            and len(named) == len(head) > 1
            and len(set(named)) == len(named)
            and not any(_is_number(cell) for cell in named)
            and any(_is_number(cell) for row in shown[1:] for cell in row if cell)
        )
    if not headed or len(shown) < 2 or len(head) < 2:
        return ["\t".join(cell for cell in row if cell) for row in shown]
    lines = []
    for row in shown[1:]:
        parts = []
        for place, cell in enumerate(row):
            name = head[place] if place < len(head) else ""
            if cell:
                parts.append(labelled(name if name and name != cell else "", cell))
        lines.append("; ".join(parts))
    return lines
