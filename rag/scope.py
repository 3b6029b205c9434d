"""Scope: which articles and times a question is restricted to. Pure.

"According to The Courier" asks that publisher's articles alone, "before July" leaves out what is later, "latest" puts
the newest first. What an article does not tell (its publisher, its date) never excludes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.dates import find_dates, resolve
from rag.names import same_name
from rag.question import Question
from rag.schema import Article, Choice, PartialDate
from rag.text import fold, plain

LATEST_BONUS = 0.2  # of the score, for the newest article where the latest is asked for, less for older ones

_SOURCE = (
    r"(?:articles?|reports?|reported|reporting|pieces?|story|stories|coverage|covered|published|posts?|reviews?|interview"
    r"|according to|as per|cited|discussed|mentioned|described|newspaper|outlets?)"
)
_SAYS = (
    r"(?:say|says|said|suggests?|suggested|claims?|claimed|indicates?|indicated|writes?|wrote|states?|stated|highlights?"
    r"|discuss(?:es)?|mentions?|portrays?|argues?|implies|imply|describes?|notes?|attributes?|agree|disagree)"
)
_SOURCE_WORD = re.compile(rf"\b{_SOURCE}\b", re.IGNORECASE)
_LED = re.compile(
    rf"\b(?:{_SOURCE}|by|both|from|and|in|does|did|do)\W+(?:[\w’'-]+\W+){{0,2}}$", re.IGNORECASE
)
_FOLLOWED = re.compile(rf"^\W*(?:s\b)?\W*(?:[\w’'-]+\W+){{0,2}}?(?:{_SOURCE}|{_SAYS})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scope:
    """`publishers` as the articles name them, empty for all; `before` and `after` bound, `latest` prefers the newest;
    `published` are dates of articles ("the report of 3 May"), not of what they tell."""

    publishers: tuple[str, ...] = ()
    before: PartialDate | None = None
    after: PartialDate | None = None
    latest: bool = False
    published: tuple[PartialDate, ...] = ()

    @property
    def is_spread(self) -> bool:
        """Whether a question joins what several articles say: no one of them need speak of all of it."""
        return len(self.publishers) > 1 or len(self.published) > 1


def names_a_source(text: str) -> bool:
    """Whether a question may be about what somebody reported: then more passages are worth looking at."""
    return _SOURCE_WORD.search(text) is not None


def _spellings(publisher: str) -> list[str]:
    """ "The Courier | News" -> it, "The Courier", "Courier"; short remains are no names."""
    first = re.split(r"\s[|–—-]\s", publisher)[0].strip()
    bare = re.sub(r"^[Tt]he\s+", "", first)
    return [s for s in dict.fromkeys((publisher, first, bare)) if len(s) > 2]


def _is_source(publisher: str, text: str) -> bool:
    for spelling in _spellings(publisher):
        for found in re.finditer(rf"(?<!\w){re.escape(spelling)}(?!\w)", text):
            before, after = text[: found.start()], text[found.end() :]
            led = _LED.search(re.sub(r"\b[Tt]he\s+$", "", before))
            if _FOLLOWED.search(after) or (led and _SOURCE_WORD.search(text)):
                return True
    return False


def _is_named(publisher: str, text: str) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(s)}(?!\w)", text) for s in _spellings(publisher))


_PUBLISHED = re.compile(
    r"\b(?:published|reported|report|article|review|story|coverage|posted)(?: [\w’'-]+){0,3}? (?:on|in|of|from) $",
    re.IGNORECASE,
)


def _published(question: Question) -> tuple[PartialDate, ...]:
    """The dates that a question gives as those of articles."""
    found = [
        m.date
        for m in find_dates(question.text)
        if m.date and _PUBLISHED.search(question.text[: m.span.start])
    ]
    return tuple(d for d in dict.fromkeys(found) if d in question.dates)


def scope_of(question: Question, articles: Sequence[Article]) -> Scope:
    """What restricts a question; publishers are those of `articles` that it names, where it names one as a source.

    A question with a date beside its bound compares two times, and leaves neither out.
    """
    known = dict.fromkeys(plain(a.publisher.value) for a in articles if a.publisher)
    publishers: tuple[str, ...] = ()
    if any(_is_source(p, question.text) for p in known):
        publishers = tuple(p for p in known if _is_named(p, question.text))
    bounded = not question.dates
    return Scope(
        publishers,
        question.before if bounded else None,
        question.after if bounded else None,
        question.latest,
        _published(question),
    )


def about(question: Question, scope: Scope) -> Question:
    """The question without the names of its sources, quoted or not, and without the dates on which they published:
    no sentence needs to repeat them."""
    spellings = [s for p in scope.publishers for s in _spellings(p)]

    def is_source(name: str) -> bool:
        return any(same_name(name, s) or fold(name) in fold(s) for s in spellings)

    days = [d for d in question.dates if d not in scope.published]
    return replace(
        question,
        names=tuple(n for n in question.names if not is_source(n)),
        quoted=tuple(q for q in question.quoted if not is_source(q)),
        dates=tuple(days),
        years=tuple(dict.fromkeys(d.year for d in days if d.year is not None)),
    )


def _bounds(value: PartialDate) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    """First and last day that a date may mean, as year, month, day; None without a year."""
    if value.year is None:
        return None
    month, day = value.month, value.day
    return (value.year, month or 1, day or 1), (value.year, month or 12, day or 31)


def _with_year(bound: PartialDate, published: PartialDate | None) -> PartialDate:
    year = published.year if published else None
    return replace(bound, year=year) if bound.year is None and year is not None else bound


def _outside(scope: Scope, value: PartialDate, published: PartialDate | None) -> bool:
    known = _bounds(value)
    if known is None:
        return False
    before = _bounds(_with_year(scope.before, published)) if scope.before else None
    after = _bounds(_with_year(scope.after, published)) if scope.after else None
    return (before is not None and known[0] >= before[0]) or (after is not None and known[1] < after[0])


def allows(scope: Scope, article: Article, text: str) -> bool:
    """Whether a sentence of an article is within the scope.

    Its own dates decide where it has any. Else an article from before "after ..." is out, for it cannot tell of what
    came later; one from after "before ..." may well tell of what was earlier.
    """
    if scope.publishers and article.publisher and plain(article.publisher.value) not in scope.publishers:
        return False
    if scope.before is None and scope.after is None:
        return True
    published = article.published.date if article.published else None
    dates = []
    for mention in find_dates(plain(text)):
        meant = resolve(mention, published)
        if meant is not None:
            dates.append(meant[0])
    if dates:
        return not all(_outside(scope, d, published) for d in dates)
    return published is None or not _outside(replace(scope, before=None), published, published)


def bonuses(scope: Scope, articles: Sequence[Article]) -> dict[str, float]:
    """Article id -> what is added to the score of its sentences: most for the newest where the latest is asked for."""
    if not scope.latest:
        return {}
    dated = {a.id: _bounds(a.published.date) for a in articles if a.published}
    order = sorted({d[0] for d in dated.values() if d is not None})
    if len(order) < 2:
        return {}
    return {
        id_: LATEST_BONUS * order.index(d[0]) / (len(order) - 1) for id_, d in dated.items() if d is not None
    }


def admits(choice: Choice, article: Article) -> bool:
    """Whether an article is among those that the reader wants."""
    if choice.publishers:
        known = fold(article.publisher.value) if article.publisher else ""
        if known not in {fold(p) for p in choice.publishers}:
            return False
    if choice.after is None and choice.before is None:
        return True
    dated = _bounds(article.published.date) if article.published else None
    if dated is None:
        return False
    after = _bounds(choice.after) if choice.after else None
    before = _bounds(choice.before) if choice.before else None
    return (after is None or dated[0] >= after[0]) and (before is None or dated[1] <= before[1])


def choice_text(choice: Choice) -> str:
    """What a reader's choice leaves to be read, in words; "" when it leaves all."""
    parts = []
    if choice.publishers:
        parts.append(f"of {', '.join(plain(p) for p in choice.publishers)}")
    if choice.after:
        parts.append(f"from {choice.after} on")
    if choice.before:
        parts.append(f"until {choice.before}")
    return f"Only articles {' '.join(parts)} were read, as you set." if parts else ""
