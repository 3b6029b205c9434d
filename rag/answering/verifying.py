"""Verification: whether the text that a statement cites supports it as the answer to its question.

That text is what the reader of the answer sees: the cited sentence, those ahead of it, title and date. The trained reader
judges meaning. Beside it stand vetoes that are literal: every number with its unit, every date and every quotation of the
statement is in the text, and the statement contains the words that answer. Nothing here reads grammar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from rag.answering.question import has_date
from rag.answering.reading import SUPPORT_FLOOR, Found
from rag.models.reader import Reader, claim_of
from rag.schema import WHOLE, Reason, Stage, Verdict
from rag.text.dates import find_dates, meaning
from rag.text.quantities import COUNT, ORDINAL, Quantity, equal_values, find_quantities, same_bound, same_unit
from rag.text.words import content_words, fold, words

VALUE_SHARE = 0.5  # of the answering words that a statement repeats at least; its numbers, all
_QUOTATION = re.compile(r"(?:[“«]|(?<!\w)\"(?=\w))([^“”\"«»]{3,400})(?:[”»]|\"(?!\w))")
_FIGURE = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks statements with one reader. `without`: stages left out."""

    reader: Reader
    without: Set[Stage] = WHOLE

    def check(self, question: str, statement: str, cited: Sequence[Found]) -> list[Verdict]:
        """For each cited text whether it alone supports the statement. Two together are never enough: a name of one and a
        word of the other can state what neither says."""
        verdicts = [self._vetoed(statement, found) for found in cited]
        open_ = [i for i, v in enumerate(verdicts) if v is None]
        if Stage.SUPPORT in self.without:
            judged = [1.0] * len(open_)
        else:
            # Beside its question a statement may say more than the text does and pass; alone it may lack what it is about.
            claims = (claim_of(question, statement), statement)
            pairs = [(claim, cited[i].cited) for i in open_ for claim in claims]
            both = [s.supported for s in self.reader.support(pairs)]
            judged = [min(pair) for pair in zip(both[::2], both[1::2], strict=True)]
        for i, support in zip(open_, judged, strict=True):
            if support >= SUPPORT_FLOOR:
                verdicts[i] = Verdict(True, derivation=derivation(statement, cited[i]))
            else:
                verdicts[i] = Verdict(
                    False, Reason.SUPPORT, f"the cited text supports it at {support:.2f} only"
                )
        return [v for v in verdicts if v is not None]

    def _vetoed(self, statement: str, found: Found) -> Verdict | None:
        if Stage.VETOES in self.without:
            return None
        for reason, detail in (
            (Reason.NUMBER, unstated_number(statement, found)),
            (Reason.DATE, unstated_date(statement, found)),
            (Reason.QUOTATION, unstated_quotation(statement, found.cited)),
            (Reason.ANSWER, left_out(statement, found.value)),
        ):
            if detail:
                return Verdict(False, reason, detail)
        return None


def unstated_number(statement: str, found: Found) -> str:
    """The first number of the statement that the cited text does not give with its unit, in words; "" when there is none."""
    dates = [m.span for m in find_dates(statement)]
    text = found.cited
    told = find_quantities(text)
    figures = {f.rstrip(".,").replace(",", "") for f in _FIGURE.findall(fold(text))}
    covered = [(d.start, d.end) for d in dates]
    for quantity in find_quantities(statement):
        span = (quantity.span.start, quantity.span.end)
        if any(s < span[1] and span[0] < e for s, e in covered):
            continue
        covered.append(span)
        if (
            quantity.unit == COUNT
            and quantity.low == quantity.high <= 2
            and not any(c.isdigit() for c in quantity.text)
        ):
            continue  # "one", "two": articles and pronouns as often as numbers; the reader judges them
        if not any(_is_told(quantity, q, told) for q in told):
            same = next((q.text for q in told if q.unit == quantity.unit and equal_values(q, quantity)), "")
            said = f", which says “{same}”" if same else ""
            return f"“{quantity.text}” is not in the cited text{said}"
    for match in _FIGURE.finditer(statement):
        figure = match.group().rstrip(".,").replace(",", "")
        if not any(s < match.end() and match.start() < e for s, e in covered) and figure not in figures:
            return f"“{match.group()}” is not in the cited text"
    return ""


def _is_told(stated: Quantity, told: Quantity, all_told: Sequence[Quantity]) -> bool:
    # "(some estimate 60)" after "50 minutes" is one of minutes; a bare number beside no minutes is none
    united = any(same_unit(stated, q) for q in all_told if not q.bare)
    if told.bare and stated.unit != COUNT and not united:
        return False
    return (
        same_unit(stated, told)
        and equal_values(stated, told)
        and (stated.unit == ORDINAL or same_bound(stated, told) or (not stated.approx and told.approx == "~"))
    )


def unstated_date(statement: str, found: Found) -> str:
    """The first date of the statement that the cited text neither states nor means, in words; "" when there is none."""
    text = fold(found.cited)
    for mention in find_dates(statement):
        shown = statement[mention.span.start : mention.span.end]
        if mention.date is None:
            if mention.relative not in text:
                return f"“{shown}” is not in the cited text"
        elif fold(shown) not in text and not has_date(mention.date, found.cited, found.window.article):
            return f"“{shown}” is not a date of the cited text"
    return ""


def unstated_quotation(statement: str, text: str) -> str:
    """The first quotation of the statement that the text does not have word for word; "" when there is none."""
    told = f" {' '.join(words(text))} "
    for match in _QUOTATION.finditer(statement):
        quoted = " ".join(words(match[1]))
        if quoted and f" {quoted} " not in told:
            return f"“{match[1]}” is not quoted so in the cited text"
    return ""


def left_out(statement: str, value: str) -> str:
    """Why the statement does not contain the words that answer; "" when it does."""
    said = set(content_words(statement))
    wanted = set(content_words(value))
    numbers = {w for w in wanted if w[:1].isdigit()}
    if numbers - said or len(wanted & said) < VALUE_SHARE * len(wanted):
        return f"it leaves out “{value}”"
    return ""


def derivation(text: str, found: Found) -> tuple[str, ...]:
    """What the relative dates and weekdays that a text shares with the cited sentence mean, one line each."""
    article = found.window.article
    published = article.published.date if article.published else None
    own = fold(text)
    lines = []
    for mention in find_dates(found.evidence.text):
        words_of = fold(found.evidence.text[mention.span.start : mention.span.end])
        is_open = mention.date is None or mention.date.year is None
        if is_open and words_of in own and (meant := meaning(mention, found.evidence.text, published)):
            lines += [meant[1]] if meant[1] else []
    return tuple(dict.fromkeys(lines))
