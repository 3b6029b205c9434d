"""Disagreement: the values that articles give for one thing, merged where they agree, counted by independent origin.

Pure. It knows values, dates and near-copies of texts; it does not know which value is true, and a newer or more often
stated value is only marked as such.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rag.copies import overlap, shingles
from rag.dates import agree, find_dates, resolve
from rag.names import same_name
from rag.quantities import Quantity, equal_values, find_quantities, same_bound, same_noun
from rag.question import Kind, Question
from rag.schema import Article, Disagreement, Evidence, PartialDate, Value
from rag.text import content_words, fold

ALTERNATIVE_FACTOR = 3.0  # estimates of one thing seldom lie further apart

_MEASURED = (Kind.DURATION, Kind.COUNT, Kind.MONEY, Kind.PERCENT, Kind.TIME)
_NAMED = (Kind.PERSON, Kind.PLACE, Kind.ORGANISATION)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One value as an article words it, the number of the evidence that has it, and the group of its origin."""

    value_text: str
    evidence_number: int
    article: Article
    origin: int


def origins(articles: Sequence[Article]) -> tuple[int, ...]:
    """For each article the number of its independent origin, counted from 0 in order of first appearance.

    Articles share an origin when they are one article or copies of one report (`rag.copies`), directly or through others.
    """
    runs = {a.id: shingles(a.body) for a in articles}
    group = list(range(len(articles)))
    for i, left in enumerate(articles):
        for j in range(i):
            right = articles[j]
            if left.id == right.id or overlap(runs[left.id], runs[right.id]):
                old, new = group[i], group[j]
                group = [new if g == old else g for g in group]
    order = {g: n for n, g in enumerate(dict.fromkeys(group))}
    return tuple(order[g] for g in group)


def _quantity(text: str) -> Quantity | None:
    found = find_quantities(text)
    return found[0] if found else None


def _date(candidate: Candidate) -> PartialDate | None:
    published = candidate.article.published.date if candidate.article.published else None
    for mention in find_dates(candidate.value_text):
        meant = resolve(mention, published)
        if meant is not None:
            return meant[0]
        return mention.date
    return None


_REACHED = re.compile(r"(?:up to|at most|a maximum of|no more than|as \w+ as)\b")


def _same(kind: Kind, a: Candidate, b: Candidate) -> bool:
    if fold(a.value_text) == fold(b.value_text):
        return True
    if kind in _MEASURED:
        left, right = _quantity(a.value_text), _quantity(b.value_text)
        if left is None or right is None:
            return False
        # "as high as 500" and "500" give one figure; "nearly an hour" is less than "an hour" and stays apart
        bound = same_bound(left, right) or all(
            not q.approx or _REACHED.match(fold(q.text)) for q in (left, right)
        )
        return equal_values(left, right) and same_noun(left.noun, right.noun) and bound
    if kind is Kind.DATE:
        one, two = _date(a), _date(b)
        return one is not None and two is not None and agree(one, two) is not False
    if kind in _NAMED:
        return same_name(a.value_text, b.value_text)
    left_words, right_words = set(content_words(a.value_text)), set(content_words(b.value_text))
    return bool(left_words) and bool(right_words) and (left_words <= right_words or right_words <= left_words)


def _full_date(article: Article) -> date | None:
    known = article.published.date if article.published else None
    if known is None or known.year is None or known.month is None or known.day is None:
        return None
    return date(known.year, known.month, known.day)


def _fits(question: Question, candidate: Candidate) -> bool:
    """Whether a value can answer: it counts what is asked, and is not a name or date that the question itself gives."""
    if question.kind is Kind.COUNT and question.counted:
        found = _quantity(candidate.value_text)
        return found is None or same_noun(found.noun, question.counted) or not found.noun
    if question.kind in _NAMED:
        return not any(same_name(candidate.value_text, n) for n in question.names)
    if question.kind is Kind.DATE:
        known = _date(candidate)
        return known is not None and not any(known == d for d in question.dates)
    return True


def _apart(kind: Kind, a: Candidate, b: Candidate) -> bool:
    """Whether two measures differ too much to be estimates of one thing."""
    left, right = _quantity(a.value_text), _quantity(b.value_text)
    if kind not in _MEASURED or left is None or right is None or left.unit != right.unit:
        return False
    small, large = sorted((abs(left.high), abs(right.high)))
    return large > ALTERNATIVE_FACTOR * max(small, 1e-9)


def find_disagreement(question: Question, readings: Sequence[Candidate]) -> Disagreement | None:
    """The distinct values for what `question` asks, most origins first, then in the order of the evidence.

    Values that agree are merged and worded as their first evidence words them; a hedge that sets a bound ("nearly an
    hour") stays a value of its own beside the plain number. One article may give several values of a measure ("about 50
    minutes, some estimate 60"), unless one lies so far off a value shared with others that it measures something else.
    Names and dates are alternatives only where no value is common to all origins. The newest is marked by the latest
    full date of publication; an article without one is never newest. None where fewer than two values remain.
    """
    clusters: list[list[Candidate]] = []
    for reading in (r for r in readings if _fits(question, r)):
        home = next((c for c in clusters if _same(question.kind, c[0], reading)), None)
        if home is None:
            clusters.append([reading])
        else:
            home.append(reading)
    all_origins = {c.origin for cluster in clusters for c in cluster}
    by_origin = [{c.origin for c in cluster} for cluster in clusters]
    most = max((len(o) for o in by_origin), default=0)
    if question.kind in _MEASURED:
        shared = [c for c, o in zip(clusters, by_origin, strict=True) if len(o) == most and most > 1]
        clusters = [
            c
            for c, o in zip(clusters, by_origin, strict=True)
            if len(o) > 1
            or not any(_apart(question.kind, c[0], s[0]) and o <= {x.origin for x in s} for s in shared)
        ]
    elif len(all_origins) < 2 or most == len(all_origins):
        return None
    if len(clusters) < 2:
        return None
    dated = [(d, c) for cluster in clusters for c in cluster if (d := _full_date(c.article)) is not None]
    latest = max((d for d, _ in dated), default=None)
    ranked = sorted(
        clusters,
        key=lambda c: (-len({x.origin for x in c}), min(x.evidence_number for x in c), fold(c[0].value_text)),
    )
    shown = tuple(
        Value(
            text=re.sub(r"\s+", " ", cluster[0].value_text).strip(),
            citations=tuple(dict.fromkeys(c.evidence_number for c in cluster)),
            origins=len({c.origin for c in cluster}),
            newest=latest is not None and any(_full_date(c.article) == latest for c in cluster),
        )
        for cluster in ranked
    )
    return Disagreement(question.text, shown)


def superseded(disagreement: Disagreement, evidence: Sequence[Evidence]) -> str:
    """Which value is the newest, in words; "" unless every value is from articles of known dates, and the newest from
    later ones alone."""
    by_number = {e.number: e for e in evidence}
    days = [[_full_date(by_number[n].article) for n in v.citations] for v in disagreement.values]
    newest = [i for i, v in enumerate(disagreement.values) if v.newest]
    if len(newest) != 1 or any(d is None for given in days for d in given):
        return ""
    known = [[d for d in given if d is not None] for given in days]
    first = min(known[newest[0]])
    if any(max(given) >= first for i, given in enumerate(known) if i != newest[0]):
        return ""
    return f"“{disagreement.values[newest[0]].text}” is from the newest article ({max(known[newest[0]])}); the others are older."
