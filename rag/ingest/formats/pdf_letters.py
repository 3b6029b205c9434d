"""Letters of a PDF: turns the positioned letters of a page into pieces of lines.

A piece is letters of one line close together. Raised figures, large initials and what a browser prints around a page are
recognised here. This module knows neither columns nor paragraphs.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from rag.ingest.formats.base import raise_figures


@dataclass(frozen=True, slots=True)
class Piece:
    """Letters of one line close together; `y` is the middle of the line, counted upwards, `size` its height."""

    text: str
    left: float
    right: float
    y: float
    size: float


_VISIBLE_LEAST = 0.7  # share of a page's letters that lie on the page
WORD_GAP = 0.17  # of the height, between two words at least
_COLUMN_GAP = 0.9  # of the height, between two columns or two cells of a table at least
_INITIAL = 1.8  # least height of a large initial, as a multiple of the text beside it
_LIKELY_GAP = 0.1  # of the height, where pdfium takes the gap for a space
_LIKELY_SPACE = "\u2060"
_RAISED = 0.25  # of the height, by which a raised figure stands above its line at least
CUT = "\ufffe"  # a hyphen at the end of a line, in a word that goes on


def _letters(
    text_page: Any, visible: tuple[float, float, float, float]
) -> list[tuple[str, float, float, float, float, int]]:
    """(letter, left, bottom, right, top, quarter turns) of all visible letters, in the order of the file."""
    import ctypes

    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    found = []
    for place in range(text_page.count_chars()):
        code = pdfium.FPDFText_GetUnicode(text_page, place)
        generated = pdfium.FPDFText_IsGenerated(text_page, place) == 1
        if generated and code not in (0x20, 2, 0xFFFE):
            continue
        hyphen = code in (2, 0xAD, 0xFFFE) or pdfium.FPDFText_IsHyphen(text_page, place) == 1
        letter = CUT if hyphen else chr(code) if 0 < code < 0x110000 else ""
        if generated and letter == " ":
            letter = _LIKELY_SPACE
        if not letter or 0xD800 <= code < 0xE000:
            continue
        if not pdfium.FPDFText_GetLooseCharBox(text_page, place, ctypes.byref(box)):
            continue
        turned = pdfium.FPDFText_GetCharAngle(text_page, place)
        quarter = -round(turned / (math.pi / 2)) % 4  # the angle is counted clockwise
        found.append((letter, box.left, box.bottom, box.right, box.top, quarter))
    inside = [
        (letter, left, bottom, right, top, quarter)
        for letter, left, bottom, right, top, quarter in found
        if visible[0] <= (left + right) / 2 <= visible[2] and visible[1] <= (bottom + top) / 2 <= visible[3]
    ]
    # a few letters outside the page are notes to the printer; if most are outside, the page's size is wrong
    return inside if len(inside) > _VISIBLE_LEAST * len(found) else found


def share_a_line(y: float, size: float, other_y: float, other_size: float) -> bool:
    """Whether two things are on one line. A raised figure is, a large initial is not."""
    return max(size, other_size) < _INITIAL * min(size, other_size) and abs(y - other_y) < 0.4 * max(
        size, other_size
    )


def _upright(box: tuple[float, float, float, float], quarter: int) -> tuple[float, float, float, float]:
    left, bottom, right, top = box
    if quarter == 1:
        return bottom, -right, top, -left
    if quarter == 2:
        return -right, -top, -left, -bottom
    if quarter == 3:
        return -top, left, -bottom, right
    return box


def pieces_of(text_page: Any, visible: tuple[float, float, float, float]) -> list[Piece]:
    """The pieces of a page's lines, turned so that most of them are upright; Text in other
    directions is left out, and so is text outside the `visible` part of the page."""
    letters = _letters(text_page, visible)
    turns = Counter(quarter for letter, *_, quarter in letters if letter.strip(_LIKELY_SPACE).strip())
    if not turns:
        return []
    usual = turns.most_common(1)[0][0]
    pieces: list[Piece] = []
    text, left, right, low, high, size = "", 0.0, 0.0, 0.0, 0.0, 1.0
    spaced = likely = False
    before = (0.0, 0.0)

    def end() -> None:
        if text:
            pieces.append(Piece(text, left, right, (low + high) / 2, size))

    for letter, *box, quarter in letters:
        if quarter != usual:
            continue
        a, b, c, d = _upright((box[0], box[1], box[2], box[3]), quarter)
        if letter.isspace() or letter == _LIKELY_SPACE:
            spaced, likely = spaced or letter != _LIKELY_SPACE, True
            continue
        height = max(d - b, 1.0)
        same_line = text and share_a_line((b + d) / 2, height, (low + high) / 2, high - low)
        gap = 0.0 if (a, c) == before else a - right  # letters of a ligature share its place
        before = a, c
        if same_line and -0.5 * height < gap < _COLUMN_GAP * height:
            space = " " if spaced or gap > (_LIKELY_GAP if likely else WORD_GAP) * height else ""
            if b - low > _RAISED * height and height < high - low:
                letter = raise_figures(text, letter)
            text += space + letter if letter else ""
            right, size = max(right, c), max(size, height)
        else:
            end()
            text, left, right, low, high, size = letter, a, c, b, d, height
        spaced = likely = False
    end()
    return _with_initials(pieces)


def _with_initials(pieces: list[Piece]) -> list[Piece]:
    """The pieces, each large initial at the start of an article joined to the line that it begins."""
    for initial in [p for p in pieces if len(p.text) == 1 and p.text.isupper()]:
        beside = [
            p
            for p in pieces
            if _INITIAL * p.size < initial.size
            and -1 < p.left - initial.right < initial.size / 2
            and abs(p.y - initial.y) < initial.size / 2
        ]
        first = max(beside, key=lambda p: p.y, default=None)
        if first is not None:
            pieces = [p for p in pieces if p is not initial and p is not first]
            pieces.append(replace(first, text=initial.text + first.text))
    return pieces


_ADDRESS = r"(?:https?|file):\S+"
_MOMENT = r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4},? \d{1,2}:\d{2}(?: ?[AP]M)?"
_PRINTED_ABOVE = re.compile(rf"{_ADDRESS}|{_MOMENT}")
_PRINTED_BELOW = re.compile(rf"{_ADDRESS}|{_MOMENT}|\d+ ?(?:/|of) ?\d+")


def without_print_frame(pieces: list[Piece]) -> list[Piece]:
    """The pieces without what a browser prints around a page: the moment of printing, title, address and page number."""
    if not pieces:
        return pieces
    top, bottom = max(pieces, key=lambda p: p.y), min(pieces, key=lambda p: p.y)
    above = [p for p in pieces if share_a_line(p.y, p.size, top.y, top.size)]
    below = [p for p in pieces if share_a_line(p.y, p.size, bottom.y, bottom.size)]
    framed = any(_PRINTED_ABOVE.fullmatch(p.text) for p in above)
    framed = framed and all(_PRINTED_BELOW.fullmatch(p.text) for p in below)
    return [p for p in pieces if p not in above and p not in below] if framed else pieces
