"""PDF: turns positioned letters into paragraphs in reading order.

A page has no words, lines or columns, only letters. Letters close together are a piece of a line. A strip that few pieces
cross separates two columns. Text at the same place of several pages is a running head or foot. No rule is specific to a
publisher's layout.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import IO, Any

from rag.ingest.formats.base import Document, FormatError, Found, Job, Refused, Working, finished, whole
from rag.ingest.formats.pdf_letters import CUT, WORD_GAP, Piece, pieces_of, share_a_line, without_print_frame
from rag.ingest.formats.scans import missing_recognition, recognise

_GENERATED_TITLE = re.compile(
    r"(?i)^(?:microsoft (?:word|powerpoint)|\(?untitled|document\d*|.*\.(?:docx?|pdf|indd|pages|qxp))\b"
)


def is_given(title: str) -> bool:
    """Whether a person wrote the title, and not a program."""
    return not _GENERATED_TITLE.match(title)


# --- columns -----------------------------------------------------------------------------------------------------

_PROSE = 20  # characters of a typical line of a column; shorter ones are cells of a table
_CROSSED = (
    0.4  # share of pieces that may lie across the strip between two columns: headings, full-width parts
)
_STRIP = 4.0  # least width in points between two columns
_NESTED_COLUMNS = 12


def _is_prose(pieces: Sequence[Piece]) -> bool:
    """Whether half of the letters stand in pieces as long as lines: those of justified lines may be single words."""
    lengths = sorted(len(p.text) for p in pieces)
    return len(pieces) >= 2 and sum(n for n in lengths if n >= _PROSE) >= sum(lengths) / 2


def _strip(pieces: Sequence[Piece]) -> float | None:
    """Where a strip separates these pieces into two columns of prose, None where there is none."""
    if len(pieces) < 4:
        return None
    edges = sorted({p.right for p in pieces} | {p.left for p in pieces})
    best: tuple[int, float, float] | None = None
    for start, end in pairwise(edges):
        if end - start < _STRIP:
            continue
        middle = (start + end) / 2
        crossing = sum(p.left < middle < p.right for p in pieces)
        if crossing > _CROSSED * len(pieces):
            continue
        if best and (crossing, start - end) >= best[:2]:
            continue
        left = [p for p in pieces if p.right <= middle]
        right = [p for p in pieces if p.left >= middle]
        if not (_is_prose(left) and _is_prose(right)):
            continue
        top, bottom = (
            min(max(p.y for p in s) for s in (left, right)),
            max(min(p.y for p in s) for s in (left, right)),
        )
        shorter = min(max(p.y for p in s) - min(p.y for p in s) for s in (left, right))
        if top - bottom >= 0.5 * shorter:
            best = (crossing, start - end, middle)
    return best[2] if best else None


def _in_order(pieces: list[Piece], depth: int = 0) -> list[list[Piece]]:
    """The pieces as blocks in reading order: a piece across two columns separates what is above it from
    what is below."""
    strip = _strip(pieces) if depth < _NESTED_COLUMNS else None
    if strip is None:
        return [pieces] if pieces else []
    across = sorted((p for p in pieces if p.left < strip < p.right), key=lambda p: -p.y)
    inside = [p for p in pieces if not p.left < strip < p.right]
    blocks: list[list[Piece]] = []
    for heading in [*across, None]:
        above = [p for p in inside if heading is None or p.y > heading.y]
        inside = [p for p in inside if heading is not None and p.y <= heading.y]
        for side in ([p for p in above if p.right <= strip], [p for p in above if p.right > strip]):
            blocks += _in_order(side, depth + 1)
        if heading is not None:
            if blocks and blocks[-1] and all(p in across for p in blocks[-1]):
                blocks[-1].append(heading)
            else:
                blocks.append([heading])
    return blocks


# --- lines and paragraphs ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    """A line of a block: `right` and `width` of the block tell how full it is, `gap` how far below the last it is."""

    text: str
    left: float
    right: float
    y: float
    size: float
    gap: float = 0.0
    block: tuple[int, int] = (0, 0)  # page, block
    block_left: float = 0.0
    block_right: float = 0.0
    sizes: tuple[float, ...] = ()  # of the fonts in it


def _lines(pieces: Sequence[Piece], block: tuple[int, int]) -> list[_Line]:
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: -p.y):
        if rows and share_a_line(rows[-1][0].y, rows[-1][0].size, piece.y, piece.size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    lines: list[_Line] = []
    left, right = min(p.left for p in pieces), max(p.right for p in pieces)
    for row in rows:
        row.sort(key=lambda p: p.left)
        text = row[0].text
        for before, piece in pairwise(row):
            gap = piece.left - before.right
            text += (
                "\t" if gap > 1.5 * piece.size else " " if gap > WORD_GAP * piece.size else ""
            ) + piece.text
        largest = max(row, key=lambda p: len(p.text))
        gap = lines[-1].y - largest.y if lines else 0.0
        sizes = tuple(sorted({p.size for p in row}))
        ends = row[0].left, row[-1].right
        lines.append(_Line(text, *ends, largest.y, largest.size, gap, block, left, right, sizes))
    return lines


_FIGURES = re.compile(r"\d+")
_EDGE = 2  # lines at the top and the bottom of a page where heads and feet stand


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """The pages without lines that are repeated at the same place of several pages, page numbers ignored, wherever they stand:
    those of left and right pages mirror each other."""

    def key(line: _Line) -> tuple[str, int]:
        return " ".join(sorted(_FIGURES.sub("#", line.text).split())), round(line.y / 6)

    seen: Counter[tuple[str, int]] = Counter()
    edges: list[list[_Line]] = []
    for lines in pages:
        ys = sorted({line.y for line in lines})
        outer = {*ys[:_EDGE], *ys[-_EDGE:]}
        edges.append([line for line in lines if line.y in outer])
        seen.update({key(line) for line in edges[-1]})
    left = [
        [line for line in lines if not (line in edge and seen[key(line)] > 1)]
        for lines, edge in zip(pages, edges, strict=True)
    ]
    # a page of only such lines keeps them: it is a repeated notice, for example
    return [some or lines for some, lines in zip(left, pages, strict=True)]


_STOPPED = re.compile(r"[.!?…:。！？][\"”’')\]»]*$")


_POINT = re.compile(r"(?:[-–—•*·‣▪]|\d{1,2}[.)])\s")


def _goes_on(before: _Line, line: _Line, text: str, leading: float) -> bool:
    """Whether `line` continues the paragraph that ends in the line `before`. `text` is that paragraph."""
    if "\t" in before.text or "\t" in line.text:
        return False  # rows of a table
    first = line.text.lstrip("\"“‘'(«")[:1]
    if text.endswith(CUT) or (text.endswith("-") and first.islower()):
        return True
    stopped = _STOPPED.search(text) is not None
    alike = any(
        abs(one - other) <= 0.15 * max(one, other)
        for one in before.sizes or (before.size,)
        for other in line.sizes or (line.size,)
    )
    width = max(before.block_right - before.block_left, 1.0)
    filled = (before.right - before.block_left) / width
    full = filled >= 0.8
    if before.block != line.block:
        return alike and not stopped and (first.islower() or filled >= 0.6)
    if not alike and not first.islower():
        return False
    if line.gap > 1.4 * leading:
        return False
    if line.left - line.block_left > 0.8 * line.size and before.left - before.block_left < 0.4 * line.size:
        hangs = _POINT.match(before.text) is not None
        return not stopped and (full or hangs or not first.isupper())
    return full or (first.islower() and not stopped) or before.text.endswith(",")


_BETWEEN = 8  # paragraphs that may separate the two halves of one: footnotes, captions


def _joined(text: str, more: str) -> str:
    if text.endswith(CUT) or (text.endswith("-") and text[-2:-1].isalpha() and more[:1].islower()):
        return text[:-1] + more
    return f"{text} {more}"


def _paragraphs(pages: list[list[_Line]]) -> list[str]:
    """The paragraphs of all pages; one that continues in the next column or page, after a footnote or a caption, is joined."""
    lines = [line for page in pages for line in page if line.text.strip()]
    gaps: dict[tuple[int, int], list[float]] = {}
    for line in lines:
        if line.gap > 0:
            gaps.setdefault(line.block, []).append(line.gap)
    leading = {block: median(found) for block, found in gaps.items()}
    texts: list[str] = []
    ends: list[_Line] = []  # the last line of each paragraph
    at = -1  # the latest paragraph
    for number, line in enumerate(lines):
        space = leading.get(line.block, line.gap or 1.0)
        candidates = [at] if texts else []
        if number and lines[number - 1].block != line.block and line.text[:1].islower():
            candidates += reversed(range(max(0, len(texts) - _BETWEEN), len(texts)))
        goes_on = next((n for n in candidates if _goes_on(ends[n], line, texts[n], space)), None)
        if goes_on is None:
            texts.append(line.text)
            ends.append(line)
            at = len(texts) - 1
        else:
            texts[goes_on], ends[goes_on], at = _joined(texts[goes_on], line.text), line, goes_on
    return [text.replace(CUT, "-").translate(_LIGATURES) for text in texts]


_LIGATURES = str.maketrans(
    {
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
    }
)


# --- the file ----------------------------------------------------------------------------------------------------


_STAMP_MOST = 150  # letters on a scanned page: a stamp or a page number, put there by who scanned it


def _is_scan(page: Any, pieces: Sequence[Piece]) -> bool:
    """Whether a page is a picture: it has no text and shows anything, or hardly any and one picture fills most of it."""
    import pypdfium2.raw as pdfium

    if not pieces:
        return next(iter(page.get_objects(max_depth=2)), None) is not None
    if sum(len(p.text) for p in pieces) > _STAMP_MOST:
        return False
    left, bottom, right, top = page.get_mediabox()
    for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=2):
        a, b, c, d = item.get_bounds()
        if (c - a) * (d - b) > 0.5 * (right - left) * (top - bottom):
            return True
    return False


def _ranges(numbers: Sequence[int]) -> str:
    """[1, 2, 3, 7] as "1-3, 7"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)


def read_pdf(name: str, data: IO[bytes], job: Job) -> Iterator[Found]:
    """The text layer of a file, and recognised text for pages without one.

    The creation date of the file is not used, because an article may be printed years after its publication.
    """
    import pypdfium2

    limits = job.limits
    try:
        document = pypdfium2.PdfDocument(whole(data, limits.file))
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise FormatError(
            "is protected by a password; save it without one"
            if locked
            else f"not readable as PDF ({error}); save it again"
        ) from None
    unread: dict[str, list[int]] = {}  # pages, by why
    try:
        count = len(document)
        if count > limits.pages:
            raise FormatError(f"has {count} pages, {limits.pages} at most are read; split it")
        pages: list[list[_Line]] = []
        size = recognised = 0
        for number in range(1, count + 1):
            lines: list[_Line] = []
            try:
                page = document[number - 1]
            except pypdfium2.PdfiumError:
                unread.setdefault("damaged; save the file again", []).append(number)
                continue
            text_page = page.get_textpage()
            pieces = without_print_frame(pieces_of(text_page, page.get_cropbox()))
            text_page.close()
            for place, block in enumerate(_in_order(pieces)):
                lines += _lines(block, (number, place))
            if _is_scan(page, pieces):
                why = missing_recognition()
                if not why and recognised >= limits.scans:
                    why = f"scanned, and of one file {limits.scans} such pages are read; split it"
                if not why:
                    yield Working()
                    recognised += 1
                    found, why = _recognised(page, number)
                    lines = max(lines, found, key=lambda some: sum(len(line.text) for line in some))
                if why:
                    unread.setdefault(why, []).append(number)
            page.close()
            size += sum(len(line.text) for line in lines)
            if size > limits.text:
                raise FormatError(f"its text is longer than {limits.text // 2**20} MB; split it")
            pages.append(lines)
        info = document.get_metadata_dict(skip_empty=True)
    finally:
        document.close()
    text = "\n\n".join(_paragraphs(_without_running_heads(pages)))
    reasons = [f"page{'s' * (len(numbers) > 1)} {_ranges(numbers)}: {why}" for why, numbers in unread.items()]
    if not text.strip():
        raise FormatError("; ".join(reasons) or "holds no text")
    title, author = str(info.get("Title", "")), str(info.get("Author", ""))
    yield finished(
        Document(
            "",
            text,
            title if is_given(title) and len(title.split()) > 1 else "",
            author if len(author.split()) > 1 else "",
        ),
        limits,
    )
    for reason in reasons:
        yield Refused(reason.partition(":")[0], reason)


def _recognised(page: Any, number: int) -> tuple[list[_Line], str]:
    """The lines recognised on a page, and the reason where there are none."""
    text, why = recognise(page)
    lines = []
    for place, paragraph in enumerate(p for p in re.split(r"\n\s*\n", text) if p.strip()):
        for row, line in enumerate(line for line in paragraph.split("\n") if line.strip()):
            lines.append(
                _Line(line.strip(), 0, 1, -place * 100 - row, 1, float(row > 0), (number, place), 0, 1)
            )
    return lines, why
