"""Markup: turns HTML into text as a browser shows it: blocks, lists, raised figures, and a line for each row of a table.

Corrected and hidden text is left out. This module does not know which part of a page is its article; `html` does.
"""

from __future__ import annotations

import re
from typing import Any

from rag.ingest.formats.base import (
    FormatError,
    Limits,
    check_depth,
    clean,
    labelled,
    raise_figures,
    rows_as_lines,
    times,
)
from rag.ingest.formats.wrapping import unwrap
from rag.text.words import word_set

_BLOCKS = word_set(
    "p div br li ul ol h1 h2 h3 h4 h5 h6 tr table section article header footer blockquote pre dd dt figure hr"
    " main aside caption figcaption address details summary"
)
_SINGLE = frozenset(("br", "li", "tr"))  # one line break is enough around these
HIDDEN = frozenset(("script", "style", "template", "noscript", "head", "svg", "iframe", "form", "nav"))


# --- markup to text ----------------------------------------------------------------------------------------------


def parsed(markup: str | bytes, limits: Limits) -> Any:
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
        raise FormatError(f"not readable as HTML ({error}); save it again") from None
    if root is not None:
        # corrected: the text no longer says it
        etree.strip_elements(root, "del", "s", "strike", with_tail=False)
        _raise_figures(root)
        _unwrap_plain_text(root)
    return root


def _unwrap_plain_text(root: Any) -> None:
    """Replace each <pre> that has lines of prose, as press releases do, by its paragraphs."""
    for plain in list(root.iter("pre")):
        text = "".join(plain.itertext()) if plain.find(".//code") is None else ""
        joined = unwrap(text)
        if joined != text:
            _replace(plain, [part for part in re.split(r"\n\s*\n", joined) if part.strip()])


_NOTE_MARK = re.compile(r"\s*[\[(]?(?:\d{1,3}|[*†‡])[\])]?\s*")


def _raise_figures(root: Any) -> None:
    """Write raised figures as such, so that "10<sup>6</sup>" is no 106, and leave out the marks of footnotes."""
    for raised in list(root.iter("sup")):
        text = text_of(raised)
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
    return str(text) or ("" if previous is None else text_of(previous))


def text_of(element: Any, points: bool = False) -> str:
    """All text under an element, a blank line between blocks; with `points`, list items have a mark."""
    from lxml import etree

    parts: list[str] = []
    counted: dict[Any, int] = {}
    hidden = 0  # elements around this one whose text is not shown
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        tag = inner.tag if isinstance(inner.tag, str) else ""
        if tag in _BLOCKS and not (tag == "br" and event == "end"):
            parts.append("\n" if tag in _SINGLE else "\n\n")
        hidden += (tag in HIDDEN) * (1 if event == "start" else -1)
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


def remove(element: Any) -> None:
    """Remove an element, but not the text behind it."""
    previous, parent, tail = element.getprevious(), element.getparent(), element.tail or ""
    if previous is not None:
        previous.tail = (previous.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


def html_to_text(markup: str, limits: Limits, without: str = "") -> str:
    """All text of a piece of HTML, a blank line between blocks, a line for each row of a table, but for the elements of the XPath
    `without`, unless there is no other text. Raises `FormatError`."""
    root = parsed(markup, limits)
    if root is None:
        return ""
    if without:
        for element in root.xpath(without):
            if element.getparent() is not None:
                remove(element)
        if not text_of(root).strip():
            return html_to_text(markup, limits)
    tables_to_lines(root)
    return text_of(root, points=True)


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
            texts = [clean(text_of(cell)), *([None] * (times(cell.get("colspan") or "", _WIDEST) - 1))]
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


def tables_to_lines(root: Any) -> None:
    """Replace each data table by a paragraph per row, and each list of terms by a paragraph per term. Layout tables become
    plain blocks."""
    for table in list(root.iter("table")):
        rows = [row for row in table.iter("tr") if _table_of(row) is table]
        grid = _grid(rows)
        if not _has_data(table, grid):
            for part in (table, *(e for e in table.iter(*_TABLE_PARTS) if _table_of(e) is table)):
                part.tag = "div"
            continue
        heads = next((n for n, row in enumerate(rows) if not _is_head(row)), len(rows))
        headed = heads > 0
        if 1 < heads < len(rows):
            grid = [_one_head(grid[:heads]), *grid[heads:]]
        cells = [[cell.tag for cell in row if cell.tag in ("td", "th")] for row in rows]
        pairs = ["th", "td"] in cells and all(len(row) < 2 or row == ["th", "td"] for row in cells)
        lines = [_pair(row) for row in grid] if pairs else rows_as_lines(grid, headed or None)
        caption = table.find("caption")
        _replace(table, [*([clean(text_of(caption))] if caption is not None else []), *lines])
    for points in list(root.iter("dl")):
        terms = [(c.tag, " ".join(text_of(c).split())) for c in points.iter("dt", "dd")]
        if all(len(text) <= _CELL_MOST for _, text in terms):
            term, lines = "", []
            for tag, text in terms:
                if tag == "dd" and text:
                    lines.append(labelled(term, text))
                term = text if tag == "dt" else term
            _replace(points, lines)


def _has_data(table: Any, grid: list[list[str | None]]) -> bool:
    """Whether a table is one, and not the frame of a page: several columns, and cells without tables or paragraphs."""
    if table.find(".//table") is not None or max(map(len, grid), default=0) < 2:
        return False
    if any(len(cell.findall("p")) > 1 for cell in table.iter("td")):
        return False
    return all(len(cell) <= _CELL_MOST for line in grid for cell in line if cell)


def _is_head(row: Any) -> bool:
    tags = {cell.tag for cell in row if cell.tag in ("td", "th")}
    return tags == {"th"} or row.getparent().tag == "thead"


def _one_head(heads: list[list[str | None]]) -> list[str | None]:
    """The names of columns whose head has several rows: "Votes" above "2021" and "2025" gives "Votes 2021", "Votes 2025"."""
    names: list[list[str]] = [[] for _ in range(max(map(len, heads)))]
    for head in heads:
        above = ""
        for parts, cell in zip(names, head, strict=False):
            above = cell if cell is not None else above  # None is below a cell that spans several columns
            if above and above not in parts:
                parts.append(above)
    return [" ".join(parts) for parts in names]


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
