"""Wrapping: joins the lines of a text that was wrapped at a width to paragraphs, each character at its place."""

from __future__ import annotations

import re
from statistics import median

_LINE = re.compile(r"[^\n]+")
_OWN_LINE = re.compile(
    r"\s*(?:[-–—•*·‣▪#>|=+]|\d{1,3}[.)]\s|[A-Za-z][.)]\s)|\s{2,}|\t|\f"
    r"|(?i:title|headline|authors?|byline|date|published|source|publisher|place|location|url|link):\s"
)  # a list, a heading, an indent
_ENDS = re.compile(r"[.!?…:;。！？][\"”’')\]»]*\s*$")
_SURE_LEAST, _WRAPPED_MOST = 40, 160  # characters of a line that was wrapped; a longer one is a paragraph
_CUT_WORD = re.compile(r"(?<=[^\W\d_]-)\0( ?)([^\W\d_][^\s\0]*)")


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
