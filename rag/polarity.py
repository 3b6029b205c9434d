"""Polarity: a yes or a no that one sentence proves. Pure; where none does there is no ruling.

A sentence proves a yes when it states every part of what is asked: its names, numbers, dates and every other word of
meaning or a synonym, denying neither more nor less, and neither planned nor supposed where a fact is asked. It proves a
no when it states all of it but one part, and has another in that part's place: a denial, another number of the same
thing, another place, a second where the first is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.names import find_names, same_name
from rag.quantities import COUNT, ORDINAL, Quantity, find_quantities, same_noun
from rag.question import Kind, Question, has_name
from rag.schema import Evidence, Reason
from rag.text import content_words, plain
from rag.verify import check, unstated_words

MIN_PARTS = 3  # names and words of meaning, one word at least: fewer make no event
_TAG = re.compile(
    r",?\s*(?:isn't|wasn't|aren't|weren't|didn't|doesn't|right|correct)(?: (?:it|he|she|they|that))?\s*\?*$",
    re.I,
)
_LEAD = re.compile(
    r"^(?:(?:so|and|but|then|also)[ ,]+)?(?:is it true that |is it (?:right|correct) that |"
    r"(?:is|are|was|were|do|does|did|has|have|had|will|would|can|could|shall|should)(?P<denied>n't| not)? )",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:may|might|could|would|should|plans?|planned|planning|expected|scheduled|set to|due to|will|alleged(?:ly)?|reportedly"
    r"|rumou?r(?:s|ed)?|if|whether|likely|possibl[ey]|perhaps|proposed|proposal|offered|threatened|vowed|promised|hop(?:es|ed|ing)"
    r"|want(?:s|ed)?|aim(?:s|ed)?|urged|called for|asked|demand(?:s|ed)?|claim(?:s|ed)?|denied|upcoming)\b",
    re.IGNORECASE,
)
_PLACED = re.compile(r"\b(?:in|at)\s+(?:the\s+)?$", re.IGNORECASE)
_ORDINALS = re.compile(r"\b(?:first|second|third|fourth|fifth|sixth)\b", re.IGNORECASE)


class Polarity(StrEnum):
    """The answer to a yes/no question."""

    YES = "Yes"
    NO = "No"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A proved answer, the evidence number of the sentence that proves it, and why.

    `polarity` is None where the sentence gives the fact but code cannot tell yes from no: another place than the one
    asked about may lie in it.
    """

    polarity: Polarity | None
    number: int
    why: str


def proposition(text: str) -> tuple[str, bool] | None:
    """(the claim that a yes/no question asks about, without its auxiliary; whether it asks for its denial); None for
    another question."""
    text = _TAG.sub("", plain(text)).rstrip(" ?!.")
    lead = _LEAD.match(text)
    if lead is None:
        return None
    claim = text[lead.end() :]
    return (f"{claim[:1].upper()}{claim[1:]}", lead.group("denied") is not None) if claim else None


def rule(question: Question, evidence: Sequence[Evidence]) -> Ruling | None:
    """What the evidence proves, taking the sentences in their order; None where none proves anything, or where two of
    them prove opposites."""
    if (
        question.kind is not Kind.YES_NO
        or question.parts
        or re.search(r"\bor\b", question.text, re.IGNORECASE)
    ):
        return None
    asked = proposition(question.text)
    if asked is None or asked[1]:
        return None
    rulings = [r for r in (_rule_by(asked[0], item) for item in evidence) if r is not None]
    proved = [r for r in rulings if r.polarity is not None] or rulings
    if not proved or any(r.polarity is not proved[0].polarity for r in proved):
        return None
    return proved[0]


def _rule_by(claim: str, item: Evidence) -> Ruling | None:
    own = plain(item.text)
    supposed = _SUPPOSED.search(own) is not None and _SUPPOSED.search(claim) is None
    named = {w for n in find_names(claim) for w in content_words(n.text)}
    stems = list(dict.fromkeys(content_words(claim)))
    if len(stems) < MIN_PARTS or all(w in named for w in stems):
        return None
    for part, replaced, polarity in _variants(claim, own):
        if unstated_words(part, item) or any(not has_name(n.text, own) for n in find_names(f"x {part}")):
            continue
        if replaced:
            if not supposed and _holds(part, item):
                return Ruling(polarity, item.number, replaced)
            continue
        verdict = check(part, [item])
        if verdict.supported and not supposed:
            return Ruling(Polarity.YES, item.number, "the sentence states all that is asked")
        if verdict.reason is Reason.NEGATION and not supposed:
            return Ruling(Polarity.NO, item.number, "the sentence denies it")
    return None


def _holds(part: str, item: Evidence) -> bool:
    verdict = check(part, [item])
    return verdict.supported or verdict.reason is Reason.NUMBER


def _variants(claim: str, own: str) -> list[tuple[str, str, Polarity | None]]:
    """The claim itself, and the claim without one part that the sentence fills otherwise, how it fills it, and what
    that proves."""
    found: list[tuple[str, str, Polarity | None]] = [(claim, "", Polarity.YES)]
    for asked in find_quantities(claim):
        other = _other_number(asked, own)
        if other:
            rest = f"{claim[: asked.span.start]}{asked.noun}{claim[asked.span.end :]}"
            found.append(
                (" ".join(rest.split()), f"the sentence says “{other}”, not “{asked.text}”", Polarity.NO)
            )
    ordinal, stated = _ORDINALS.search(claim), _ORDINALS.search(own)
    if ordinal and stated and ordinal.group().casefold() != stated.group().casefold():
        rest = claim[: ordinal.start()] + claim[ordinal.end() :]
        why = f"the sentence says “{stated.group()}”, not “{ordinal.group()}”"
        found.append((" ".join(rest.split()), why, Polarity.NO))
    for name in find_names(f"x {claim}"):
        start, end = name.span.start - 2, name.span.end - 2
        lead = _PLACED.search(claim[:start])
        if lead is None or has_name(name.text, own):
            continue
        places = [n for n in find_names(own) if _PLACED.search(own[: n.span.start])]
        if len(places) == 1 and not same_name(places[0].text, name.text):
            rest = f"{claim[: lead.start()]} {claim[end:]}"
            found.append(
                (" ".join(rest.split()), f"the sentence says “{places[0].text}”, not “{name.text}”", None)
            )
    return found


def _other_number(asked: Quantity, own: str) -> str:
    """The only number of the same thing in a sentence, where it is not the one asked about; "" elsewhere."""
    if asked.unit == ORDINAL or (asked.unit == COUNT and not asked.noun):
        return ""
    same = [
        q
        for q in find_quantities(own)
        if q.unit == asked.unit and (asked.unit != COUNT or (q.noun and same_noun(q.noun, asked.noun)))
    ]
    if len(same) != 1 or same[0].approx == "vague":
        return ""
    known = same[0]
    if asked.approx == ">":
        differs = known.high < asked.low or (known.high == asked.low and known.approx != ">")
    elif asked.approx == "<":
        differs = known.low > asked.high
    else:
        apart = abs(known.low - asked.low) > 0.1 * max(abs(known.low), abs(asked.low))
        differs = apart if known.approx or asked.approx else known.low != asked.low
        differs = differs and known.approx not in (">", "<")
    return known.text if differs else ""
