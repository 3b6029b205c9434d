"""Literals: the numbers, dates and names of a shown statement that nothing shown beside it states.

An independent, literal reading. It shares no code with the checks of `rag`, so that it can contradict them; it knows
words, not meanings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics import is_number, tokens
from rag.schema import MONTHS, WEEKDAYS, Answer, Statement

STEM_CHARS = 4  # "Russian" and "Russia", "Iranian" and "Iran" begin alike for at least so many letters
ENDING_CHARS = 3  # and differ in at most so many of the longer one

_CALENDAR = frozenset(tokens(" ".join(MONTHS + WEEKDAYS)))
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’.-][^\W_]+)*")
_RUN = re.compile(r"[A-Z][\w’'.-]*(?: (?:of |the |and )*[A-Z][\w’'.-]*)+")
_ENDS_SENTENCE = re.compile(r"(?:[^\W_]{4,}|\d|[”\"’')])\.$|[!?:\n]$")  # "Gen." and "U.S." end none
_OPENERS = " \t\"'“‘(["


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A literal of statement `statement` that is not stated beside it.

    `in_source_line` is true where the title, publisher, place or date of a cited article has it: a reader sees those
    too, but not as the sentence cited.
    """

    statement: int
    literal: str
    in_source_line: bool


class _Source:
    """A text to look literals up in: its folded words, and the initials of its capitalised phrases."""

    def __init__(self, text: str) -> None:
        self.words = frozenset(tokens(text))
        self.initials = frozenset(_initials(m.group()) for m in _RUN.finditer(text))

    def has_name(self, word: str, phrase: str) -> bool:
        """Whether each part of a name's word is here: itself, with another ending, or as an abbreviation.

        `phrase` is the run of capitalised words around it, for "United States" where the text says "US".
        """
        return all(t in self.words or self._varied(t) or self._abbreviated(t, phrase) for t in tokens(word))

    def _varied(self, token: str) -> bool:
        head = token[: max(STEM_CHARS, len(token) - ENDING_CHARS)]
        if len(head) < STEM_CHARS:
            return False
        return any(w.startswith(head) and len(w) <= len(head) + 2 * ENDING_CHARS for w in self.words)

    def _abbreviated(self, token: str, phrase: str) -> bool:
        return token in self.initials or (bool(phrase) and _initials(phrase) in self.words)


def _initials(phrase: str) -> str:
    return "".join(w[0] for w in phrase.split() if w[0].isupper()).casefold()


def _capitalised(text: str) -> list[tuple[re.Match[str], bool]]:
    """Words with a capital, each with whether it begins a sentence."""
    found = []
    for m in _WORD.finditer(text):
        if m.group()[0].isupper():
            before = text[: m.start()].rstrip(_OPENERS)
            found.append((m, not before or _ENDS_SENTENCE.search(before) is not None))
    return found


def _is_known_name(word: str, bodies: Sequence[str]) -> bool:
    """Whether the articles write a word with a capital inside a sentence, and never without one."""
    if any(re.search(rf"\b{re.escape(word.lower())}\b", b) for b in bodies):
        return False
    return any(m.group() == word and not first for b in bodies for m, first in _capitalised(b))


def _source_line(answer: Answer, statement: Statement) -> str:
    lines = []
    for e in answer.cited(statement):
        fields = (e.article.title, e.article.publisher, e.article.place)
        lines += [f.value for f in fields if f]
        lines += [str(e.article.published.date)] if e.article.published else []
    return "\n".join(lines)


def _source(answer: Answer, statement: Statement) -> str:
    parts = [answer.question, answer.as_understood]
    for e in answer.cited(statement):
        parts += [e.text, *(e.article.body[c.start : c.end] for c in e.context)]
    if statement.verdict:
        parts += statement.verdict.derivation
    return "\n".join(parts)


def unsupported(answer: Answer, statement: Statement) -> list[Unsupported]:
    """The numbers, dates (months, weekdays) and names of a statement that are in none of: its cited sentences and
    their context, the question as asked and as understood, the derivation recorded in its verdict.

    Numbers are compared as numbers, without what they count; "one" and "two" in letters count nothing. The words of a
    name are looked up one by one, other endings ("Russian") and abbreviations (U.S.) allowed. A word that begins a
    sentence is a name only where the articles of the evidence write it with a capital inside a sentence, and never
    without. In order: numbers, then dates and names as they stand.
    """
    text = statement.text
    source, line = _Source(_source(answer, statement)), _Source(_source_line(answer, statement))
    bodies = [e.article.body for e in answer.evidence]
    found: dict[str, Unsupported] = {}
    for token in tokens(text):
        spelled = token in ("1", "2") and not re.search(rf"\b{token}\b", text)
        if is_number(token) and not spelled and token not in source.words:
            found.setdefault(token, Unsupported(statement.id, token, token in line.words))
    runs = [(m.start(), m.end(), m.group()) for m in _RUN.finditer(text)]
    for m, begins in _capitalised(text):
        word, folded = m.group(), tokens(m.group())
        if not folded or all(is_number(t) for t in folded):
            continue
        if folded[0] in _CALENDAR:
            if folded[0] not in source.words:
                found.setdefault(word, Unsupported(statement.id, word, folded[0] in line.words))
        elif not begins or _is_known_name(word, bodies):
            phrase = next((r for low, high, r in runs if low <= m.start() < high), "")
            if not source.has_name(word, phrase):
                found.setdefault(word, Unsupported(statement.id, word, line.has_name(word, phrase)))
    return list(found.values())
