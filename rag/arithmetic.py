"""Arithmetic: a difference or a sum of two numbers that two sentences state, with both operands shown.

Pure. The model never counts: an answer is computed here or not at all, and only where the evidence gives exactly one
number for each operand. A hedge of an operand ("roughly 400") stays with the result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.quantities import COUNT, Quantity, find_quantities, same_noun, same_unit
from rag.question import Question
from rag.schema import Evidence
from rag.text import content_words, plain

_MORE = re.compile(
    r"\bhow (?:many|much) (?P<more>more|fewer|less) (?P<first>.+?) than (?P<second>.+?)\??$", re.IGNORECASE
)
_TOTAL = re.compile(
    r"\b(?:in total|altogether|all together|together|combined|in all|total number|taken together)\b",
    re.IGNORECASE,
)
_NUMBERS = {"two": 2, "both": 2, "2": 2}


@dataclass(frozen=True, slots=True)
class Calculation:
    """A computed answer. `text` is a formula with its result; `citations` are the evidence numbers of the operands, in
    order; `derivation` says the same for the record."""

    text: str
    citations: tuple[int, ...]
    derivation: str


@dataclass(frozen=True, slots=True)
class _Operand:
    quantity: Quantity
    evidence: Evidence


def _operands(question: Question, evidence: Sequence[Evidence]) -> list[_Operand]:
    """The plain numbers of what is counted, one a sentence; a sentence with two of them gives none."""
    found = []
    for item in evidence:
        own = [
            q
            for q in find_quantities(plain(item.text))
            if q.unit == COUNT and q.low == q.high and q.approx in ("", "~") and q.noun
            and same_noun(q.noun, question.counted)
        ]  # fmt: skip
        if len(own) == 1:
            found.append(_Operand(own[0], item))
    return found


def _fit(phrase: str, question: Question, item: Evidence) -> int:
    own = set(content_words(plain(item.text)))
    counted = set(content_words(question.counted))
    return len((set(content_words(phrase)) - counted) & own)


def _shown(value: Decimal) -> str:
    return f"{value:,f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def _made(sign: str, left: _Operand, right: _Operand, noun: str) -> Calculation:
    a, b = Decimal(str(left.quantity.low)), Decimal(str(right.quantity.low))
    result = a - b if sign == "−" else a + b
    hedge = "about " if left.quantity.approx or right.quantity.approx else ""
    text = f"{plain(left.quantity.text)} {sign} {plain(right.quantity.text)} = {hedge}{_shown(result)} {noun}"
    return Calculation(
        f"{text}.",
        (left.evidence.number, right.evidence.number),
        f"computed: {text} ([{left.evidence.number}], [{right.evidence.number}])",
    )


def _plural(question: Question) -> str:
    """The counted thing as the question writes it."""
    wanted = content_words(question.counted)
    return next(
        (w for w in re.findall(r"\w+", question.text) if content_words(w) == wanted), question.counted
    )


def compute(question: Question, evidence: Sequence[Evidence]) -> Calculation | None:
    """The difference or sum that the question asks for; None where it asks for none, or where an operand is missing,
    disputed or cannot be told from the other."""
    if not question.counted:
        return None
    found = _operands(question, evidence)
    more = _MORE.search(question.text)
    if more:
        return _difference(question, more, found)
    if not _TOTAL.search(question.text):
        return None
    by_value: dict[float, _Operand] = {}
    for operand in found:
        by_value.setdefault(operand.quantity.low, operand)
    wanted = {n for w, n in _NUMBERS.items() if re.search(rf"\b{w}\b", question.text, re.IGNORECASE)}
    if len(by_value) != 2 or wanted != {2}:
        return None
    left, right = by_value.values()
    return _made("+", left, right, _plural(question)) if same_unit(left.quantity, right.quantity) else None


def _difference(question: Question, more: re.Match[str], found: Sequence[_Operand]) -> Calculation | None:
    first, second = more.group("first"), more.group("second")
    pairs = []
    for left in found:
        for right in found:
            if left.quantity.low == right.quantity.low:
                continue
            own = _fit(first, question, left.evidence), _fit(second, question, right.evidence)
            crossed = _fit(first, question, right.evidence) + _fit(second, question, left.evidence)
            if min(own) > 0 and sum(own) > crossed:
                pairs.append((sum(own), left, right))
    values = {(p[1].quantity.low, p[2].quantity.low) for p in pairs}
    if len(values) != 1:
        return None
    _, left, right = max(pairs, key=lambda p: (p[0], -p[1].evidence.number, -p[2].evidence.number))
    if more.group("more").lower() == "more":
        bigger, smaller = left, right
    else:
        bigger, smaller = right, left
    if bigger.quantity.low < smaller.quantity.low:
        return None  # the premise is wrong
    return _made("−", bigger, smaller, _plural(question))
