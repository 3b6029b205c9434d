"""HTML: the article of a saved page, or the text of a piece of HTML, with the rows of its tables.

Overlays (a consent dialogue, an offer to subscribe) are removed. The article is what trafilatura extracts, unless another
block has most of the page's paragraphs, or the page states the article's text in JSON-LD.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from rag.ingest.formats.base import (
    Document,
    FormatError,
    Found,
    Job,
    Limits,
    check_depth,
    clean,
    finished,
    labelled,
    raise_figures,
    rows_as_lines,
    times,
    whole,
)
from rag.ingest.formats.decoding import decode_markup
from rag.text.words import word_set

_BLOCKS = word_set(
    "p div br li ul ol h1 h2 h3 h4 h5 h6 tr table section article header footer blockquote pre dd dt figure hr"
    " main aside caption figcaption address details summary"
)
_SINGLE = frozenset(("br", "li", "tr"))  # one line break is enough around these
_HIDDEN = frozenset(("script", "style", "template", "noscript", "head", "svg", "iframe", "form", "nav"))


# --- markup to text ----------------------------------------------------------------------------------------------


def _parsed(markup: str | bytes, limits: Limits) -> Any:
    """The root element, None of nothing. Raises `FormatError`."""
    from lxml import etree

    data = markup.encode("utf-8", "replace") if isinstance(markup, str) else markup
    check_depth(data, limits)
    # "huge": otherwise elements nested more than 256 deep are silently lost; the depth was checked above
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.LxmlError as error:
        if not data.strip():
            return None
        raise FormatError(f"not readable as HTML ({error})") from None
    if root is not None:
        etree.strip_elements(
            root, "del", "s", "strike", with_tail=False
        )  # corrected: the text no longer says it
        _raise_figures(root)
    return root


_NOTE_MARK = re.compile(r"\s*[\[(]?(?:\d{1,3}|[*†‡])[\])]?\s*")


def _raise_figures(root: Any) -> None:
    """Write raised figures as such, so that "10<sup>6</sup>" is no 106, and leave out the marks of footnotes."""
    for raised in list(root.iter("sup")):
        text = _shown(raised)
        linked = raised.find(".//a") is not None or raised.getparent().tag == "a"
        if linked and _NOTE_MARK.fullmatch(text):
            text = ""
        for inner in list(raised):
            raised.remove(inner)
        raised.text = raise_figures(_text_before(raised), text)


def _text_before(element: Any) -> str:
    """The text directly before an element in its parent."""
    previous, parent = element.getprevious(), element.getparent()
    text = (parent.text if previous is None else previous.tail) or ""
    return str(text) or ("" if previous is None else _shown(previous))


def _shown(element: Any, points: bool = False) -> str:
    """All text under an element, a blank line between blocks; with `points`, list items have a mark."""
    from lxml import etree

    parts: list[str] = []
    counted: dict[Any, int] = {}
    hidden = 0  # elements around this one whose text is not shown
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        tag = inner.tag if isinstance(inner.tag, str) else ""
        if tag in _BLOCKS and not (tag == "br" and event == "end"):
            parts.append("\n" if tag in _SINGLE else "\n\n")
        hidden += (tag in _HIDDEN) * (1 if event == "start" else -1)
        if points and tag == "li" and event == "start" and not hidden:
            parts.append(_point(inner, counted))
        said = inner.text if event == "start" else inner.tail if inner is not element else ""
        if said and not hidden:
            parts.append(said if inner.get(_ROW) and event == "start" else re.sub(r"\s+", " ", said))
    text = "".join(parts)
    return _POINT.sub(r"\1", text) if points else text


_POINT = re.compile(r"^((?:-|\d{1,9}\.) )\s+", re.M)


def _point(item: Any, counted: dict[Any, int]) -> str:
    """The mark of an item: its number in a numbered list, else a dash; `counted` are the numbers before it."""
    around = item.getparent()
    if around is None or around.tag != "ol":
        return "- "
    first = around.get("start") or "1"
    counted[around] = counted.get(around, int(first) - 1 if first.isdigit() and len(first) < 4 else 0) + 1
    return f"{counted[around]}. "


def html_to_text(markup: str, limits: Limits, without: str = "") -> str:
    """All text of a piece of HTML, a blank line between blocks, a line for each row of a table, but for the elements of the XPath
    `without`, unless there is no other text. Raises `FormatError`."""
    root = _parsed(markup, limits)
    if root is None:
        return ""
    if without:
        for element in root.xpath(without):
            if element.getparent() is not None:
                _remove(element)
        if not _shown(root).strip():
            return html_to_text(markup, limits)
    _tables_to_lines(root)
    return _shown(root, points=True)


# --- tables ------------------------------------------------------------------------------------------------------

_ROW = "data-row"  # marks the paragraphs that were rows
_CELL_MOST = 400  # characters of a cell; a longer one is a column of a page that was laid out as a table
_WIDEST = 100  # columns


def _grid(rows: list[Any]) -> list[list[str | None]]:
    """The cells of each row. A cell that spans several rows is in each of them; one that spans columns is in the first."""
    grid: list[list[str | None]] = []
    reaching: dict[
        int, tuple[int, str | None]
    ] = {}  # column: number of rows that it still spans, and its text
    for row in rows:
        line: list[str | None] = []

        def carried(line: list[str | None] = line) -> None:
            while len(line) in reaching:
                left, text = reaching.pop(len(line))
                if left > 1:
                    reaching[len(line)] = (left - 1, text)
                line.append(text)

        for cell in row:
            if cell.tag not in ("td", "th") or len(line) >= _WIDEST:
                continue
            carried()
            texts = [clean(_shown(cell)), *([None] * (times(cell.get("colspan") or "", _WIDEST) - 1))]
            down = times(cell.get("rowspan") or "", _WIDEST)
            for text in texts:
                if down > 1:
                    reaching[len(line)] = (down - 1, text)
                line.append(text)
        carried()
        grid.append(line)
    return grid


_TABLE_PARTS = ("thead", "tbody", "tfoot", "tr", "td", "th")


def _table_of(element: Any) -> Any:
    return next(element.iterancestors("table"), None)


def _tables_to_lines(root: Any) -> None:
    """Replace each data table by a paragraph per row, and each list of terms by a paragraph per term. Layout tables become
    plain blocks."""
    for table in list(root.iter("table")):
        rows = [row for row in table.iter("tr") if _table_of(row) is table]
        grid = _grid(rows)
        nested = table.find(".//table") is not None
        if nested or not grid or any(len(cell) > _CELL_MOST for line in grid for cell in line if cell):
            for part in (table, *(e for e in table.iter(*_TABLE_PARTS) if _table_of(e) is table)):
                part.tag = "div"
            continue
        heads = [cell.tag for cell in rows[0] if cell.tag in ("td", "th")]
        headed = set(heads) == {"th"} or rows[0].getparent().tag == "thead"
        pairs = all([cell.tag for cell in row if cell.tag in ("td", "th")] == ["th", "td"] for row in rows)
        lines = [_pair(row) for row in grid] if pairs else rows_as_lines(grid, headed or None)
        caption = table.find("caption")
        _replace(table, [*([clean(_shown(caption))] if caption is not None else []), *lines])
    for points in list(root.iter("dl")):
        terms = [(c.tag, " ".join(_shown(c).split())) for c in points.iter("dt", "dd")]
        if all(len(text) <= _CELL_MOST for _, text in terms):
            term, lines = "", []
            for tag, text in terms:
                if tag == "dd" and text:
                    lines.append(labelled(term, text))
                term = text if tag == "dt" else term
            _replace(points, lines)


def _pair(row: list[str | None]) -> str:
    """A row with a term and its description."""
    word, *meant = [cell for cell in row if cell] or [""]
    return labelled(word, "; ".join(meant)) if meant else word


def _replace(element: Any, lines: list[str]) -> None:
    """Replace the content of an element by paragraphs."""
    from lxml import etree

    tail = element.tail
    element.clear()
    element.tag, element.tail = "div", tail
    for line in lines:
        paragraph = etree.SubElement(element, "p")
        paragraph.text = line
        paragraph.set(_ROW, "1")


# --- the article of a page ---------------------------------------------------------------------------------------

_OVERLAID = re.compile(
    r"cookie|consent|gdpr|privacy-?(?:banner|dialog|notice|popup)|(?:^|[-_ ])cmp(?:[-_ ]|$)|onetrust|didomi|usercentrics"
    r"|modal|popup|pop-up|overlay|newsletter",
    re.I,
)
_OTHER_LEAST = 4  # words of a link to another article; a shorter one is a name
_QUOTES = "\"“„‘'«"  # what begins with one was said
_OTHER_LABEL = re.compile(r"(?:[^\W\d_]+[ ’'-]?){1,4}:?\s*")  # "Read more:", in the text before such a link
_PAGE_LEAST = 100  # characters of an article; a shorter text is a caption or a button
_PROSE_LEAST = 60  # characters of a paragraph of prose
_COMPARED = 300  # sentences of a text that are compared, evenly distributed
_COVERED = 0.8  # share of sentences that makes one text contain another
_STATED_LEAST = 150  # characters of an article's text in JSON-LD; a shorter one is a summary


def _without_overlays(root: Any) -> None:
    """Remove overlays, except those with the heading or most of the text, which are the page itself."""
    whole_text = len(_shown(root)) or 1
    headings = len(root.findall(".//h1"))
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag in ("html", "body", "main", "article"):
            continue
        named = f"{element.get('id') or ''} {element.get('class') or ''}"
        laid_over = (
            element.tag == "dialog"
            or (element.get("role") or "").lower() in ("dialog", "alertdialog")
            or element.get("aria-modal") == "true"
            or _OVERLAID.search(named)
        )
        parent = element.getparent()
        if not laid_over or parent is None or element.getroottree().getroot() is not root:
            continue
        if headings and len(element.findall(".//h1")) == headings:
            continue
        if element.find(".//article") is not None or len(_shown(element)) > 0.6 * whole_text:
            continue
        _remove(element)


def _without_links_to_others(root: Any) -> None:
    """Remove paragraphs that consist of a label and links, such as "Read more: Ferry fares to rise"."""
    for paragraph in list(root.iter("p")):
        links = list(paragraph.iter("a"))
        label = " ".join(_shown(paragraph).split())
        shown = [" ".join(_shown(link).split()) for link in links]
        for text in shown:
            label = label.replace(text, "", 1)
        heading = any(len(text.split()) >= _OTHER_LEAST and text[0] not in _QUOTES for text in shown)
        if heading and label.strip().endswith(":") and _OTHER_LABEL.fullmatch(label.strip()):
            _remove(paragraph)


def _remove(element: Any) -> None:
    """Remove an element, but not the text behind it."""
    previous, parent, tail = element.getprevious(), element.getparent(), element.tail or ""
    if previous is not None:
        previous.tail = (previous.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


@dataclass(frozen=True, slots=True)
class _Block:
    """The paragraphs in one element, and whether the heading of the page is in it too."""

    texts: list[str]
    headed: bool = False


def _main_block(root: Any) -> _Block:
    """The element with most prose directly in it, links not counted."""
    texts: dict[Any, list[str]] = {}
    for element in root.iter("p", "h2", "h3", "blockquote", "li", "div", "td", "article", "section"):
        if any(a.tag in _HIDDEN or a.tag == "footer" for a in element.iterancestors()):
            continue
        if element.tag in ("div", "td", "article", "section"):  # its own lines, separated by breaks
            own = [element.text, *(child.tail for child in element)]
            if element.find("br") is not None and sum(len(t.strip()) for t in own if t) >= _PAGE_LEAST:
                texts.setdefault(element, []).extend(
                    line for line in clean(_shown(element)).split("\n") if line
                )
            continue
        text = " ".join(_shown(element).split())
        links = sum(len(" ".join(_shown(a).split())) for a in element.iter("a"))
        if text and links <= len(text) / 2:
            texts.setdefault(element.getparent(), []).append(text)
    best, most = _Block([]), 0
    for element, found in texts.items():
        size = sum(len(text) for text in found if len(text) >= _PROSE_LEAST)
        if size > most:
            best, most = _Block(found, element.find(".//h1") is not None), size
    return best


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _covers(text: str, other: str) -> bool:
    """Whether `text` has nearly all sentences of `other`."""
    own = _letters(text)
    parts = [p for p in (_letters(s) for s in re.split(r"(?<=[.!?])\s+|\n+", other)) if len(p) > 20]
    parts = parts[:: len(parts) // _COMPARED + 1]
    return sum(p in own for p in parts) >= _COVERED * len(parts)


_ARTICLE_TYPE = re.compile(r"Article|Posting|Report|Review")


def _stated(root: Any, limits: Limits) -> dict[str, str]:
    """The JSON-LD of a page about its article: the longest text, and the metadata with it."""
    best: dict[str, str] = {}
    for script in root.iter("script"):
        if "ld+json" not in (script.get("type") or "") or not script.text:
            continue
        depth = script.text.count("[") + script.text.count("{")
        if len(script.text) > limits.text or depth > 20_000:
            continue
        try:
            queue = [json.loads(script.text, strict=False)]
        except (ValueError, RecursionError):
            continue  # the page can be read without it
        while queue:
            item = queue.pop()
            if isinstance(item, list):
                queue += item
            if not isinstance(item, dict):
                continue
            queue += [v for v in item.values() if isinstance(v, (dict, list))]
            kind = item.get("@type")
            if not _ARTICLE_TYPE.search(" ".join(kind) if isinstance(kind, list) else str(kind)):
                continue
            facts = {
                "text": _named(item.get("articleBody")),
                "title": _named(item.get("headline")),
                "author": _named(item.get("author")),
                "sitename": _named(item.get("publisher")),
                "date": _named(item.get("datePublished")),
                "url": _named(item.get("url")),
            }
            if not best or len(facts["text"]) > len(best["text"]):
                best = facts
    return best


def _named(value: object) -> str:
    """A value of JSON-LD as text: a text itself, the name of an object, or all items of a list."""
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, list):
        return ", ".join(filter(None, (_named(v) for v in value[:20] if not isinstance(v, list))))
    return value if isinstance(value, str) else ""


_HEAD = {  # where a page states it, for what trafilatura does not find
    "title": "//meta[@property='og:title']/@content | //h1 | //title",
    "author": "//meta[@name='author']/@content",
    "sitename": "//meta[@property='og:site_name']/@content",
    "date": "//meta[@property='article:published_time']/@content",
    "url": "//link[@rel='canonical']/@href",
}


def read_html(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """The article of a saved page."""
    yield page(decode_markup(whole(data, job.limits.text)), job.limits)


def page(markup: str, limits: Limits, url: str = "") -> Document:
    """The article of a page, with the metadata of its head. Raises `FormatError`."""
    root = _parsed(markup, limits)
    if root is None:
        raise FormatError("holds no text")
    stated = _stated(root, limits)
    head = {key: str(root.xpath(f"string(({path})[1])")) for key, path in _HEAD.items()}
    _without_overlays(root)
    _without_links_to_others(root)
    _tables_to_lines(root)
    from lxml import etree
    from trafilatura import bare_extraction

    block = _main_block(root)
    shown = _shown(root)
    found = bare_extraction(
        etree.tostring(root, encoding="unicode", method="html"),
        favor_precision=True,
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        # a year in a footer is no date of publication
        date_extraction_params={"original_date": True, "extensive_search": False},
        fast=True,
    )
    facts = {
        key: str(getattr(found, key, None) or head.get(key, ""))
        for key in ("title", "author", "sitename", "date", "url", "text")
    }
    text = re.sub(r"\n+", "\n\n", facts.pop("text"))
    prose = "\n\n".join(block.texts)
    missed = len(prose) > len(text) and not _covers(text, prose)
    if missed and (
        len(text) < _PAGE_LEAST or _covers(prose, text) or (block.headed and len(prose) > 2 * len(text))
    ):
        text = prose
    if len(text) < _PAGE_LEAST:  # no article was found, so take all visible text
        text = max(text, clean(shown), key=len)
    body = stated.pop("text", "")
    body = html_to_text(body, limits) if "<" in body else body
    if len(body) >= _STATED_LEAST and not _covers(text, body):
        text = body
    facts |= {key: value for key, value in stated.items() if value}
    return finished(
        Document(
            "",
            text,
            facts["title"],
            facts["author"],
            facts["sitename"],
            stated.get("date") or head["date"] or facts["date"],
            "",
            facts["url"] or url,
        ),
        limits,
    )
