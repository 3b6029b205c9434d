"""Tables: reads rows of JSON, CSV and Excel as articles, with the common names of fields or the user's own."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, Any

from rag.ingest.formats.archives import Parts
from rag.ingest.formats.base import (
    Document,
    FormatError,
    Found,
    Job,
    Limits,
    Refused,
    finished,
    rows_as_lines,
    whole,
)
from rag.ingest.formats.days import day_of, order_of
from rag.ingest.formats.decoding import decode
from rag.ingest.formats.markup import html_to_text
from rag.ingest.formats.wrapping import unwrap

_TAG = re.compile(
    r"</?(?:p|br|div|span|a|b|i|em|strong|ul|ol|li|h[1-6]|blockquote|img|figure|table)\b[^<>]*>", re.I
)
# Common names of the fields, best first.
ALIASES: Mapping[str, tuple[str, ...]] = {
    field: tuple(line.split())
    for field, line in {
        "text": (
            "text body content article maintext full_text fulltext articlebody article_text"
            " body_text bodytext fields.bodytext content_text body_html content_html story"
            " description summary abstract"
        ),
        "title": "title headline heading webtitle headline.main",
        "author": "author authors byline creator",
        "publisher": "publisher source outlet source.name publisher.name site_name publication domain",
        "published": (
            "published date published_at publishedat pub_date pubdate publish_date"
            " date_publish datepublished date_published publication_date webpublicationdate"
            " created_at timestamp"
        ),
        "place": "place location dateline",
        "url": "url link permalink canonical_url source_url",
        "key": "id _id guid uid uuid key",
    }.items()
}
_SHORT = ("description", "summary", "abstract")  # may tell of a whole collection, too
# The fields of an object that contain its text.
_INNER = (
    *("rendered", "text", "value", "content", "html", "name", "title"),
    *("original", "blocks", "paragraphs", "data", "$date"),
)
_NESTED = 8  # lists and objects around the words of a field


def _said(value: object, between: str, depth: int = 0) -> str:
    """The text of a value: of a list all items, of an object the field with a usual name."""
    if depth > _NESTED or isinstance(value, bool):
        return ""
    if isinstance(value, list):
        return between.join(filter(None, (_said(v, between, depth + 1) for v in value)))
    if isinstance(value, dict):
        return next(filter(None, (_said(value[k], between, depth + 1) for k in _INNER if k in value)), "")
    return str(value) if isinstance(value, (str, int)) else ""


def _value(row: Mapping[str, Any], path: str, between: str = ", ") -> str:
    """The field `path` ("source.name" looks inside) as text, "" when there is none. `between` separates the items of a
    list."""
    value: Any = row
    for step in path.split("."):
        if not isinstance(value, dict):
            return ""
        value = {_plain_name(k): v for k, v in value.items()}.get(_plain_name(step))
    return _said(value, between)


def _plain_name(name: object) -> str:
    """A field's name in the form of `ALIASES`: "Pub Date" is pub_date."""
    return re.sub(r"[\s-]+", "_", str(name).strip().lower())


def _names_of(field: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """The possible names of a field: the user's, else the common ones."""
    return (names[field],) if field in names else ALIASES[field]


def _published(row: object, names: Mapping[str, str]) -> str:
    """The date of a row, as written."""
    if not isinstance(row, dict):
        return ""
    return next((v for name in _names_of("published", names) if (v := _value(row, name).strip())), "")


def _row(row: object, number: int, names: Mapping[str, str], limits: Limits, order: str) -> Document:
    """A row of a table or an object as a document. `order` is that of numeric dates. Raises `FormatError` that names what is
    missing."""
    if not isinstance(row, dict):
        raise FormatError("is not an object with a text")
    found = {}
    for field in ALIASES:
        candidates = _names_of(field, names)
        between = "\n\n" if field == "text" else ", "  # a list of texts is a list of paragraphs
        found[field] = next((v for name in candidates if (v := _value(row, name, between).strip())), "")
    if not found["text"]:
        asked = names.get("text") or "text, body, content, ..."
        have = ", ".join(sorted(str(k) for k in row)[:8])
        raise FormatError(
            f"has no text (looked for: {asked}; found: {have or 'nothing'}); name the field under [fields] in citewire.toml"
        )
    text = found["text"]
    text = html_to_text(text, limits) if _TAG.search(text) else unwrap(text)
    key = found["key"] or found["url"] or str(number)
    return finished(
        Document(
            key[:300],
            text,
            found["title"],
            re.sub(r"^by\s+", "", found["author"], flags=re.I),
            found["publisher"],
            day_of(found["published"], order) or found["published"],
            found["place"],
            found["url"],
        ),
        limits,
    )


def _no_constant(text: str) -> Any:
    raise FormatError(f"holds {text}, which is not JSON")


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def _loads(text: str, limits: Limits) -> Any:
    depth = 0
    for match in _BRACKETS.finditer(text):
        mark = match[0]
        depth += mark in "[{"
        depth -= mark in "]}"
        if depth > limits.depth // 5:
            raise FormatError(
                f"brackets nested more than {limits.depth // 5} deep; save the articles as text"
            )
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise FormatError(f"not readable as JSON ({error}); correct it or remove it") from None


def read_json(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """One article, a list of articles, or an object that holds such a list; lines of JSON too, whatever they are called."""
    limits = job.limits
    content_bytes = whole(data, limits.file)
    try:
        content = _loads(decode(content_bytes), limits)
    except FormatError:
        first = content_bytes.lstrip()[:1]
        if first != b"{" or b"\n" not in content_bytes.strip() or not _is_lines(content_bytes, limits):
            raise
        yield from read_json_lines(name, io.BytesIO(content_bytes), job)
        return
    if not isinstance(content, dict | list):
        raise FormatError("holds no articles: a list of objects with a text is expected")
    rows = _articles_in(content, job.names)
    yield from _rows(
        ((row, "") for row in rows),
        "article",
        limits,
        job.names,
        alone=isinstance(content, dict) and any(rows == [value] for value in (content, *content.values())),
        order=order_of(_published(row, job.names) for row in rows),
    )


def _has_text(row: object, names: Mapping[str, str], at_length: bool = False) -> bool:
    """Whether an object has a text, which with `at_length` is no summary, nor inside another object that has a title too."""
    if not isinstance(row, dict):
        return False
    for name in _names_of("text", names):
        if not _value(row, name).strip() or (at_length and name in _SHORT):
            continue
        inner = row.get(name)
        if not at_length or not isinstance(inner, dict) or not _value(inner, "title"):
            return True
    return False


def _articles_in(content: object, names: Mapping[str, str], depth: int = 0) -> list[object]:
    """The articles in some JSON: a list as it is, an object with a text, else the longest list of such objects in it."""
    if isinstance(content, list):
        rows_of = [{"text": row} if isinstance(row, str) else row for row in content]
        inside = [_articles_in(row, names, depth + 1) for row in rows_of]
        return [found[0] if len(found) == 1 else row for found, row in zip(inside, rows_of, strict=True)]
    if not isinstance(content, dict) or depth > _NESTED or _has_text(content, names, at_length=True):
        return [content]
    has_summary = any(name in _SHORT and _value(content, name) for name in _names_of("text", names))
    best: list[object] = [row for row in content.values() if _has_text(row, names, at_length=True)]
    best = best if len(best) > 1 and not has_summary else []  # by their ids
    for value in content.values():
        rows = _articles_in(value, names, depth + 1) if isinstance(value, dict | list) else []
        if has_summary and not isinstance(value, list):
            continue  # a summary beside, for example, the description of its source
        if len(rows) > len(best) and any(_has_text(row, names, at_length=has_summary) for row in rows):
            best = rows
    return best or [content]


def _is_lines(content: bytes, limits: Limits) -> bool:
    """Whether the first line is a complete object."""
    try:
        return isinstance(_loads(decode(content.lstrip().split(b"\n", 1)[0]), limits), dict)
    except FormatError:
        return False


def _rows(
    rows: Iterator[tuple[object, str]],
    what: str,
    limits: Limits,
    names: Mapping[str, str],
    alone: bool = False,
    order: str = "",
) -> Iterator[Document | Refused]:
    """Documents of (row, why it cannot be read) in order; `what` names one in messages."""
    for number, (row, why) in enumerate(rows, 1):
        if number > limits.documents:
            raise FormatError(f"holds more than {limits.documents} articles; split it")
        try:
            if why:
                raise FormatError(why)
            document = _row(row, number, names, limits, order)
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


def read_json_lines(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """One article per line."""
    limits = job.limits

    def rows() -> Iterator[tuple[object, str]]:
        for line, why in _lines(data, limits):
            if why:
                yield None, why
                continue
            try:
                text = line.decode("utf-8-sig").strip().rstrip(",")
                if text not in ("", "[", "]"):  # of a list, a line for each of its items
                    yield _loads(text, limits), ""
            except UnicodeDecodeError:
                yield None, "not text in UTF-8"
            except FormatError as error:
                yield None, str(error)

    yield from _rows(rows(), "line", limits, job.names)


def read_csv(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """One article per row, with any separator of cells."""
    limits = job.limits
    csv.field_size_limit(limits.line)
    text = decode(whole(data, limits.file))
    if "\0" in text:
        raise FormatError("holds NUL characters; save it as UTF-8")
    stated = re.match(r"sep=(.)\r?\n", text)  # as Excel writes it
    text = text[stated.end() :] if stated else text
    head = text[:20_000]
    try:
        dialect: Any = csv.Sniffer().sniff(head.split("\n", 1)[0], delimiters=",;\t|")
        delimiter = dialect.delimiter
    except csv.Error:
        delimiter = "\t" if name.lower().endswith(".tsv") else ","
    if stated:
        delimiter = stated[1]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = next(reader, None)
    if not header or not any(h.strip() for h in header):
        raise FormatError("has no header line that names its columns; add one")
    names_of = [h.strip().lstrip("\ufeff") for h in header]

    known = {_plain_name(name) for name in _names_of("published", job.names)}
    places = [n for n, name in enumerate(names_of) if _plain_name(name) in known]
    order = ""
    if places:
        try:
            again = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            order = order_of(cells[places[0]] for cells in again if len(cells) > places[0])
        except csv.Error:
            pass  # reported with the row below

    def rows() -> Iterator[tuple[object, str]]:
        try:
            for cells in reader:
                if not any(c.strip() for c in cells):
                    continue
                while len(cells) > len(names_of) and not cells[-1].strip():
                    cells.pop()  # a separator too many at the end
                if len(cells) != len(names_of):
                    yield None, f"has {len(cells)} cells, the header {len(names_of)}"
                else:
                    yield dict(zip(names_of, cells, strict=True)), ""
        except csv.Error as error:
            yield None, f"not readable as CSV ({error}); the rest of the file is left out"

    yield from _rows(rows(), "row", limits, job.names, order=order)


# --- Excel -------------------------------------------------------------------------------------------------------


def _cell(cell: Any) -> str:
    """A cell as it is shown: a whole number without a decimal point, a share as a percentage, a day without midnight."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, int | float) and "%" in str(cell.number_format):
        return f"{100 * value:.10g}%"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return str(value).removesuffix(" 00:00:00")


def read_xlsx(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """One article per row where a column has texts. Else the workbook is one article, with a line for each row."""
    limits = job.limits
    content = whole(data, limits.file)
    Parts(content, limits).check_all()
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    wanted = {_plain_name(name) for name in _names_of("text", job.names)}
    lines: list[str] = []
    size = 0
    try:
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                continue
            table = ([_cell(cell) for cell in row[:_COLUMNS]] for row in sheet.iter_rows())
            head = next((row for row in table if any(row)), [])
            if wanted & {_plain_name(h) for h in head}:
                rows = ((dict(zip(head, row, strict=False)), "") for row in table if any(row))
                articles = _rows(rows, "row", limits, job.names)
                several = len(book.worksheets) > 1
                yield from (replace(f, key=f"{sheet.title} {f.key}") if several else f for f in articles)
                continue
            cells: list[list[str | None]] = [[*head]]
            for row in table:
                size += sum(map(len, row))
                if size > limits.text:
                    raise FormatError(f"its text is longer than {limits.text // 2**20} MB; split it")
                cells.append([*row])
            lines += rows_as_lines(cells)
    finally:
        book.close()
    if lines:
        yield finished(Document("", "\n".join(lines)), limits)


_COLUMNS = 1000  # of a sheet; cells further right are ignored
