"""Text: separates front matter from the article, joins wrapped lines to paragraphs, and removes Markdown markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import IO

from rag.ingest.formats.base import Document, FormatError, Found, Job, clean, finished, whole
from rag.ingest.formats.decoding import decode
from rag.ingest.formats.html import html_to_text

# --- front matter ------------------------------------------------------------------------------------------------

_FRONT = re.compile(
    r"\s*(?P<mark>---|\+\+\+)[ \t]*\r?\n(?P<lines>(?:(?!---|\.\.\.|\+\+\+)[^\n]{0,1000}\n){1,60})"
    r"(?:(?P=mark)|\.\.\.)[ \t]*(?:\r?\n|\Z)"
)
_PAIR = re.compile(
    r"(?P<key>[A-Za-z_][\w -]{0,40}?)[ \t]*(?::(?=\s|$)|=)[ \t]*(?P<value>[^\r\n]*?)[ \t]*\r?$", re.M
)
_ITEM = re.compile(r"\s*\n[ \t]*- +(?P<value>[^\r\n]*?)[ \t]*\r?$", re.M)
_FRONT_LINE = re.compile(
    r"[ \t]*\r?$|[ \t]*#|[ \t]+\S|[-\[\]][ \t]*|[A-Za-z_][\w -]{0,40}?[ \t]*(?::(?:\s|$)|=)"
)
_FRONT_KEYS = {
    "title": "title",
    "author": "author",
    "authors": "author",
    "byline": "author",
    "headline": "title",
    "publisher": "publisher",
    "date": "published",
    "published": "published",
    "place": "place",
    "location": "place",
    "url": "url",
    "link": "url",
}


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The front matter of a text: where it ends, and (start, end) of each known value by our name."""

    end: int
    values: Mapping[str, tuple[int, int]]


def front_matter(text: str) -> FrontMatter | None:
    """The block of "key: value" lines between two lines "---" (or "key = value" between "+++") at the very start, one
    key at least being known; None where there is none."""
    match = _FRONT.match(text)
    if match is None or not all(_FRONT_LINE.match(line) for line in match["lines"].splitlines()):
        return None
    found: dict[str, tuple[int, int]] = {}
    known = False
    for pair in _PAIR.finditer(text, match.start("lines"), match.end("lines")):
        key = _FRONT_KEYS.get(pair["key"].lower())
        if key is None or pair.start() != text.rfind("\n", 0, pair.start()) + 1:
            continue
        known = True
        start, end = pair.span("value")
        if start == end and (item := _ITEM.match(text, end, match.end("lines"))):
            start, end = item.span("value")  # the first of a list
        elif text[start : start + 1] + text[end - 1 : end] == "[]":
            start, end = start + 1, end - 1
        if end - start >= 2 and text[start] == text[end - 1] and text[start] in "\"'":
            start, end = start + 1, end - 1
        if start < end:
            found.setdefault(key, (start, end))
    return FrontMatter(match.end(), found) if known else None


# --- wrapped lines -----------------------------------------------------------------------------------------------

_LINE = re.compile(r"[^\n]+")
_OWN_LINE = re.compile(
    r"\s*(?:[-–—•*·‣▪#>|=+]|\d{1,3}[.)]\s|[A-Za-z][.)]\s)|\s{2,}|\t"
)  # a list, a heading, an indent
_ENDS = re.compile(r"[.!?…:;。！？][\"”’')\]»]*\s*$")
_SURE_LEAST, _WRAPPED_MOST = 40, 160  # characters of a line that was wrapped; a longer one is a paragraph
_CUT_WORD = re.compile(r"(?<=[^\W\d_]-)\0( ?)([^\W\d_]+)")


def unwrap(text: str) -> str:
    """`text` with a space for each line break inside a paragraph; every other character stays at its place.

    A line continues where the next one begins with a small letter. In a text with such lines, a line also continues when it
    is so full that the next word had no room, or when it ends without a stop inside a paragraph. A word that was divided
    at its own hyphen is joined again, with the space after it.
    """
    lines = [(m.start(), m.end(), m.group().rstrip()) for m in _LINE.finditer(text)]
    lines = [line for line in lines if line[2]]

    def follows(place: int) -> bool:
        """Whether the next line is directly below this one and not of a kind that always stands alone."""
        below = place + 1 < len(lines) and lines[place + 1][0] == lines[place][1] + 1
        return below and len(lines[place][2]) <= _WRAPPED_MOST and not _OWN_LINE.match(lines[place + 1][2])

    goes_on = [
        follows(n) and not _ENDS.search(line[2]) and lines[n + 1][2][0].islower()
        for n, line in enumerate(lines)
    ]
    sure = [
        len(line[2]) for line, on in zip(lines, goes_on, strict=True) if on and len(line[2]) >= _SURE_LEAST
    ]
    if not sure:
        return text
    usual, full = median(sure), max(sure)
    joined = []
    for n, (_, end, line) in enumerate(lines):
        if not follows(n):
            continue
        first_of_block = not (n and lines[n - 1][1] + 1 == lines[n][0])
        had_no_room = len(line) + 1 + len(lines[n + 1][2].split()[0]) > 0.95 * full
        open_inside = not first_of_block and not _ENDS.search(line) and len(line) >= 0.6 * usual
        if goes_on[n] or had_no_room or open_inside:
            joined.append(end)
    letters = list(text)
    for end in joined:
        letters[end] = "\0"
        if letters[end - 1] == "\r":
            letters[end - 1] = "\0" if end > 1 and letters[end - 2] == "-" else " "
    whole_words = _CUT_WORD.sub(lambda m: f"{m[2]} {m[1]}", "".join(letters).replace("\0\0", "\0 "))
    return whole_words.replace("\0", " ")


# --- Markdown ----------------------------------------------------------------------------------------------------

_FOOTNOTE_MARK = re.compile(r"\[\^[^\]\s]{1,80}\](?!:)")
_FOOTNOTE = re.compile(r"^ {0,3}\[\^[^\]\s]{1,80}\]:[ \t]*", re.M)
_HEADING = re.compile(r"<h1>(.*?)</h1>", re.S)


def read_markdown(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """The text of a Markdown file without its markup. Footnotes become separate paragraphs."""
    text = decode(whole(data, job.limits.text))
    front = front_matter(text)
    facts = {key: text[start:end] for key, (start, end) in front.values.items()} if front else {}
    from markdown_it import MarkdownIt

    prose = text[front.end if front else 0 :]
    prose = _FOOTNOTE_MARK.sub("", _FOOTNOTE.sub("\n", prose))
    # line breaks are kept, because many authors write one line per paragraph; wrapped ones are joined afterwards
    parser = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])
    markup = parser.render(prose)
    shown = unwrap(clean(html_to_text(markup, job.limits)))
    if not shown.strip():
        raise FormatError("holds no text")
    heading = _HEADING.search(markup)
    title = facts.pop("title", "") or (html_to_text(heading[1], job.limits) if heading else "")
    if not facts.get("url", "https://").startswith(("http://", "https://")):
        del facts["url"]
    yield finished(Document("", shown, title, **facts), job.limits)


def read_text(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """A plain text inside another file. One in a folder is read by `rag.ingest.articles`, which keeps its offsets."""
    text = decode(whole(data, job.limits.text))
    if not text.strip():
        raise FormatError("holds no text")
    yield Document("", unwrap(text))
