"""Text: separates front matter from the article, and removes Markdown markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from rag.ingest.formats.base import Document, FormatError, Found, Job, clean, finished, whole
from rag.ingest.formats.decoding import decode
from rag.ingest.formats.markup import html_to_text
from rag.ingest.formats.wrapping import unwrap

# --- front matter ------------------------------------------------------------------------------------------------

_FRONT = re.compile(
    r"\s*(?P<mark>---|\+\+\+)[ \t]*\r?\n(?P<lines>(?:(?!---|\.\.\.|\+\+\+)[^\n]{0,1000}\n){1,60})"
    r"(?:(?P=mark)|\.\.\.)[ \t]*(?:\r?\n|\Z)"
)
_LABELLED = re.compile(
    r"\s*(?P<lines>(?:[A-Za-z][A-Za-z _-]{1,20}:[ \t]+[^\n]{1,1000}\n){2,20})[ \t\r]*(?:\n|\Z)"
)
_LEAST_KNOWN = 2  # keys that are known, of lines that no marks set apart
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
    "source": "url",
}


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The front matter of a text: where it ends, and (start, end) of each known value by our name."""

    end: int
    values: Mapping[str, tuple[int, int]]


def front_matter(text: str) -> FrontMatter | None:
    """The block of "key: value" lines between two lines "---" (or "key = value" between "+++") at the very start, one
    key at least being known; or such lines above a blank one, with the title and another known key. None where there is none."""
    match = _FRONT.match(text)
    if match is not None and not all(_FRONT_LINE.match(line) for line in match["lines"].splitlines()):
        return None
    bare = match is None
    match = match or _LABELLED.match(text)
    if match is None:
        return None
    found: dict[str, tuple[int, int]] = {}
    named = (0, 0)  # a source that is no address is the publisher, where nothing else is
    known = 0
    for pair in _PAIR.finditer(text, match.start("lines"), match.end("lines")):
        key = _FRONT_KEYS.get(pair["key"].lower())
        if key is None or pair.start() != text.rfind("\n", 0, pair.start()) + 1:
            continue
        known += 1
        start, end = pair.span("value")
        if start == end and (item := _ITEM.match(text, end, match.end("lines"))):
            start, end = item.span("value")  # the first of a list
        elif text[start : start + 1] + text[end - 1 : end] == "[]":
            start, end = start + 1, end - 1
        if end - start >= 2 and text[start] == text[end - 1] and text[start] in "\"'":
            start, end = start + 1, end - 1
        if pair["key"].lower() == "source" and not text.startswith(("http://", "https://"), start):
            named = (start, end)
            continue
        if start < end:
            found.setdefault(key, (start, end))
    if named[0] < named[1]:
        found.setdefault("publisher", named)
    if bare and (known < _LEAST_KNOWN or "title" not in found):
        return None
    return FrontMatter(match.end(), found) if known else None


# --- Markdown ----------------------------------------------------------------------------------------------------

_FOOTNOTE_MARK = re.compile(r"\[\^[^\]\s]{1,80}\](?!:)")
_FOOTNOTE = re.compile(r"^ {0,3}\[\^[^\]\s]{1,80}\]:[ \t]*", re.M)
_WIKI_LINK = re.compile(r"(!?)\[\[([^\[\]|\n]{1,200})(?:\|([^\[\]|\n]{1,200}))?\]\]")
_CALLOUT = re.compile(r"^((?:> ?)+)\[!\w+\][+-]?[ \t]*", re.M)
_HEADING = re.compile(r"<h1>(.*?)</h1>", re.S)


def _linked(link: re.Match[str]) -> str:
    return "" if link[1] else link[3] or link[2]


def read_markdown(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """The text of a Markdown file without its markup. Footnotes become separate paragraphs."""
    text = decode(whole(data, job.limits.text))
    front = front_matter(text)
    facts = (
        {key: _WIKI_LINK.sub(_linked, text[start:end]) for key, (start, end) in front.values.items()}
        if front
        else {}
    )
    from markdown_it import MarkdownIt

    prose = text[front.end if front else 0 :]
    # links and boxes of note-taking programs
    prose = _CALLOUT.sub(r"\1", _WIKI_LINK.sub(_linked, prose))
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
