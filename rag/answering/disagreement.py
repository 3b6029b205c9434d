"""Disagreement: the different answers that independent articles give to one question, and how many give each.

Values are compared literally (number and unit, date, words); whether two of them exclude each other is the trained
reader's judgement. It does not know which value is true; a newer or more often stated one is only marked as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rag.answering.question import inside
from rag.answering.reading import SUPPORT_FLOOR, Found, read_rest
from rag.models.reader import Reader, claim_of
from rag.schema import Article, Disagreement, PartialDate, Value
from rag.text.dates import agree, find_dates, meaning
from rag.text.near_duplicates import overlap, shingles
from rag.text.quantities import Quantity, equal_values, find_quantities, same_bound, same_unit
from rag.text.words import content_words, fold, plain

EXCLUDED_FLOOR = 0.5  # calibrated probability that the window of one value refutes the other


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that a sentence gives: what it is literally, and the number of its article's independent origin."""

    found: Found
    quantity: Quantity | None
    date: PartialDate | None
    origin: int

    @property
    def is_measure(self) -> bool:
        return self.quantity is not None or self.date is not None


def origins(articles: Sequence[Article]) -> tuple[int, ...]:
    """For each article the number of its independent origin, counted from 0 in order of first appearance.

    Articles share an origin when they are one article or copies of one report (`rag.text.near_duplicates`), directly or through others.
    """
    runs = {i: shingles(body) for i, body in {a.id: a.body for a in articles}.items()}
    group = list(range(len(articles)))
    for i, left in enumerate(articles):
        for j in range(i):
            right = articles[j]
            if left.id == right.id or overlap(runs[left.id], runs[right.id]):
                old, new = group[i], group[j]
                group = [new if g == old else g for g in group]
    order = {g: n for n, g in enumerate(dict.fromkeys(group))}
    return tuple(order[g] for g in group)


def is_measure(value: str) -> bool:
    """Whether a value is a number or a date, of which an answer has one."""
    return bool(find_quantities(value) or find_dates(value))


def second_number(
    question: str, best: Found, among: Sequence[Found], reader: Reader, floor: float
) -> Found | None:
    """Another number of the same unit that the window of `best` gives in another sentence, at `floor` at least: the count of
    the police beside that of the organisers."""
    first = _number_of(best.value)
    second = read_rest(question, best, among, reader) if first else None
    other = _number_of(second.value) if second and second.answerable >= floor else None
    return second if first and other and same_unit(first, other) else None


def _number_of(value: str) -> Quantity | None:
    """The number that a value is; None for a date and for words."""
    return None if find_dates(value) else next(iter(find_quantities(value)), None)


def compare(
    question: str, answering: Sequence[Found], reader: Reader
) -> tuple[list[list[Found]], Disagreement | None]:
    """The answering sentences grouped by value, best first, and the disagreement between articles, if there is one.

    Two values are rivals where independent articles give them and they cannot both be the answer: two numbers of one unit,
    two dates, or values of which the window of one refutes the other.
    """
    answering = _asserted(question, answering, reader)
    numbers = origins([f.evidence.article for f in answering])
    given = [_given(f, n) for f, n in zip(answering, numbers, strict=True)]
    groups = _by_value(given)
    rivals = _rivals(question, groups, reader)
    disagreement = _disagreement(question, rivals) if len(rivals) > 1 else None
    return [[g.found for g in group] for group in groups], disagreement


def _by_value(given: Sequence[_Given]) -> list[list[_Given]]:
    """Grouped by value, in the order given."""
    groups: list[list[_Given]] = []
    for one in given:
        home = next((g for g in groups if any(_same(one, other) for other in g)), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return groups


def _asserted(question: str, answering: Sequence[Found], reader: Reader) -> list[Found]:
    """The first, and of the others those whose own window supports their value as the answer."""
    others = answering[1:]
    judged = reader.support([(claim_of(question, f.value), f.window.text) for f in others])
    return [*answering[:1], *(f for f, s in zip(others, judged, strict=True) if s.supported >= SUPPORT_FLOOR)]


def _given(found: Found, origin: int) -> _Given:
    sentence = found.evidence.text
    at = sentence.find(found.value)
    # "an hour" is a number only by the words around it
    around = [
        q
        for q in find_quantities(sentence)
        if at >= 0 and q.span.start < at + len(found.value) and at < q.span.end
    ]
    quantities = around or find_quantities(found.value)
    published = found.evidence.article.published.date if found.evidence.article.published else None
    day = None
    for mention in find_dates(found.value):
        place = next(
            (m for m in find_dates(sentence) if (m.date, m.relative) == (mention.date, mention.relative)),
            None,
        )
        meant = meaning(place, sentence, published) if place else None
        day = meant[0] if meant else mention.date
        break
    return _Given(found, quantities[0] if quantities and day is None else None, day, origin)


def _same(a: _Given, b: _Given) -> bool:
    """Whether two values are one."""
    if a.date and b.date:  # first, since "Thursday" is another day in another article
        return agree(a.date, b.date) is not False
    if fold(a.found.value) == fold(b.found.value):
        return True
    if a.quantity and b.quantity:
        return (
            same_unit(a.quantity, b.quantity)
            and equal_values(a.quantity, b.quantity)
            and same_bound(a.quantity, b.quantity)
        )
    if a.is_measure or b.is_measure:
        return False
    one, two = set(content_words(a.found.value)), set(content_words(b.found.value))
    return bool(one and two) and (one <= two or two <= one)


def _rivals(question: str, groups: Sequence[Sequence[_Given]], reader: Reader) -> list[Sequence[_Given]]:
    """The first group and those that exclude it."""
    if not groups:
        return []
    first = groups[0]
    others = [g for g in groups[1:] if {x.origin for x in g} - {x.origin for x in first}]
    measured = [g for g in others if _measures_same(first[0], g[0])]
    worded = [g for g in others if not first[0].is_measure and not g[0].is_measure]
    claims = [(claim_of(question, g[0].found.value), first[0].found.window.text) for g in worded]
    claims += [(claim_of(question, first[0].found.value), g[0].found.window.text) for g in worded]
    judged = reader.support(claims)
    excluded = [
        g
        for g, there, here in zip(worded, judged[: len(worded)], judged[len(worded) :], strict=True)
        if min(there.refuted, here.refuted) >= EXCLUDED_FLOOR
    ]
    return [first, *(g for g in others if g in measured or g in excluded)]


def _measures_same(a: _Given, b: _Given) -> bool:
    if a.quantity and b.quantity:
        return same_unit(a.quantity, b.quantity)
    return a.date is not None and b.date is not None


def _worded(given: _Given) -> str:
    """The value as it stands in "the articles say ...": "about 120" for "About 120 firefighters came"."""
    text = plain(given.found.value)
    return inside(text) if given.quantity else text


def _full_date(article: Article) -> date | None:
    known = article.published.date if article.published else None
    if known is None or known.year is None or known.month is None or known.day is None:
        return None
    return date(known.year, known.month, known.day)


def _disagreement(question: str, groups: Sequence[Sequence[_Given]]) -> Disagreement:
    """Most origins first, then in the order of the evidence. The newest is marked where the full date of every article is
    known, since one without a date may be newer."""
    dates = [_full_date(g.found.evidence.article) for group in groups for g in group]
    known = [d for d in dates if d is not None]
    latest = max(known) if len(known) == len(dates) and len(set(known)) > 1 else None
    ranked = sorted(
        groups,
        key=lambda group: (-len({g.origin for g in group}), min(g.found.evidence.number for g in group)),
    )
    values = tuple(
        Value(
            text=_worded(group[0]),
            citations=tuple(dict.fromkeys(g.found.evidence.number for g in group)),
            origins=len({g.origin for g in group}),
            newest=latest is not None and any(_full_date(g.found.evidence.article) == latest for g in group),
        )
        for group in ranked
    )
    return Disagreement(question, values)
