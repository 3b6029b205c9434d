"""Citations: the generator's text, as it streams, becomes drafts of statements with numbers.

Treats the text as hostile: numbers that are not offered are dropped, half a marker is never shown, and what has no
number at all is kept as a draft without citations for the check to withhold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rag.models.prompts import NOT_FOUND
from rag.text.words import plain

_MARKER = re.compile(r"\[(\d{1,4})\]")
# The refusal in other words: "X is not mentioned in the sentences."
_SAYS_NOTHING = re.compile(
    rf"(?-i:\b{NOT_FOUND}\b)|\bnot (?:explicitly |directly )?(?:mentioned|stated|specified|given|provided|found|answered|available)\b"
    r".*\b(?:sentences?|text|articles?|context|information|question)\b"
    r"|\b(?:sentences?|text|articles?) (?:do|does)(?: not|n['’]t) (?:mention|state|specify|give|provide|say|answer)\b",
    re.IGNORECASE | re.DOTALL,
)
_TRAILING = re.compile(r"\s*(?:\[\d*\]?\s*)+$")


@dataclass(frozen=True, slots=True)
class Draft:
    """One statement as the generator wrote it; `citations` are offered numbers, each once, in order."""

    text: str
    citations: tuple[int, ...]


def parse_line(line: str, offered: frozenset[int]) -> Draft | None:
    """A finished line as a draft; None for a line without words or the refusal."""
    numbers = tuple(dict.fromkeys(n for n in map(int, _MARKER.findall(line)) if n in offered))
    text = plain(_TRAILING.sub("", _MARKER.sub("", line))).replace("[", "(").replace("]", ")")
    if not text or text.startswith(NOT_FOUND) or _SAYS_NOTHING.search(text):
        return None
    return Draft(text, numbers)


def shown_part(line: str) -> str:
    """The words of an unfinished line that can be shown while it grows: no marker and no half of one."""
    text = plain(_TRAILING.sub("", _MARKER.sub("", line)).split("[")[0])
    return "" if NOT_FOUND.startswith(text) or text.startswith(NOT_FOUND) else text


def stream_drafts(pieces: Iterable[str], offered: Iterable[int]) -> Iterable[tuple[str, Draft | None]]:
    """Pieces of generated text become (words of the line so far, draft when the line is finished)."""
    numbers = frozenset(offered)
    line = ""
    for piece in pieces:
        line += piece
        while "\n" in line:
            done, line = line.split("\n", 1)
            draft = parse_line(done, numbers)
            if draft:
                yield draft.text, draft
        if shown_part(line):
            yield shown_part(line), None
    draft = parse_line(line, numbers)
    if draft:
        yield draft.text, draft
