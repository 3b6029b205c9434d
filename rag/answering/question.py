"""What of a question is literal: its dates, a number to compare, and whether it asks for a yes or a no. Pure.

Whether a text answers a question is the reader's judgement. These are the conditions that are checked letter by letter
beside it, since a wrong year is what a reader overlooks most easily.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from rag.retrieval.windows import head_of
from rag.schema import Article, PartialDate
from rag.text.dates import Mention, agree, find_dates, meaning
from rag.text.quantities import COUNT, ORDINAL, Quantity, find_quantities
from rag.text.words import plain, words

_YES_NO = re.compile(
    r"^(?:[^,?]{1,60}, )?(?:is|are|was|were|am|do|does|did|has|have|had|will|would|can|could|should|shall|may|might|must"
    r"|isn['’]t|aren['’]t|wasn['’]t|weren['’]t|don['’]t|doesn['’]t|didn['’]t|hasn['’]t|haven['’]t|won['’]t)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_WITH_EDGE = re.compile(
    r"(?:at (?:least|most)|no\w* (?:fewer|less|more) than|up to|a \w+imum of)\b", re.IGNORECASE
)
_CHOICE = re.compile(r"\bor\b", re.IGNORECASE)
_NAME = re.compile(
    r"[^\W\d_a-zß-ÿ][\w’'&.-]*(?: (?:(?:of|de|von|van|the|al|bin|la) )?[^\W\d_a-zß-ÿ][\w’'&.-]*)*"
)


def asks_yes_no(question: str) -> bool:
    """Whether a yes or a no answers it: it begins with an auxiliary verb and offers no choice."""
    return _YES_NO.match(plain(question)) is not None and _CHOICE.search(question) is None


def names(text: str) -> list[str]:
    """Runs of capitalised words, the first word of the text aside."""
    line = plain(text)
    found = []
    for match in _NAME.finditer(line):
        name = match.group()
        if match.start() == 0:
            _, _, name = name.partition(" ")
        name = re.sub(r"['’]s?$", "", name.strip(".'’- "))
        if len(name) > 1:
            found.append(name)
    return found


def lacking(question: str, text: str, article: Article) -> tuple[str, ...]:
    """The dates of the question that `text` (a window with its head) tells otherwise, as the question words them: it has
    another day or month, or all its years are later or all are earlier. A text without any date lacks none, since
    an article seldom repeats the date beside every sentence; whether it answers is the reader's judgement, and so
    are names and numbers."""
    missing = _not_had(question, text, article)
    if not missing:
        return ()
    months = any(d.month for d in dates_of(text.removeprefix(head_of(article)), article))
    years = _years(text, article)
    return tuple(said for said, wanted in missing if (months and wanted.month) or _beyond(wanted.year, years))


def of_other_years(question: str, text: str, article: Article) -> bool:
    """Whether `text` (a window with its head) tells only of later or only of earlier years than the question."""
    years = _years(text, article)
    return any(_beyond(wanted.year, years) for _, wanted in _not_had(question, text, article))


def _not_had(question: str, text: str, article: Article) -> list[tuple[str, PartialDate]]:
    """The dates of the question that neither the text nor its article has."""
    return [(said, d) for said, d in _asked_dates(question) if not has_date(d, text, article)]


def _years(text: str, article: Article) -> list[int]:
    return [int(y) for y in _YEAR.findall(text)] or [d.year for d in _published(article) if d.year]


def in_none(question: str, windows: Sequence[tuple[str, Article]]) -> tuple[str, ...]:
    """The dates of the question, as it words them, that no window has."""
    return tuple(
        said
        for said, wanted in _asked_dates(question)
        if not any(has_date(wanted, text, article) for text, article in windows)
    )


def _asked_dates(question: str) -> list[tuple[str, PartialDate]]:
    """The dates of a question with a year or a month, each once, and years that do not stand as a date: "the talks of 2019"."""
    line = plain(question)
    asked = {
        line[m.span.start : m.span.end]: m.date
        for m in find_dates(line)
        if m.date is not None and (m.date.year or m.date.month)
    }
    spoken = {w for said in asked for w in words(said)}
    asked |= {y: PartialDate(int(y)) for y in _YEAR.findall(line) if y not in spoken}
    return list(asked.items())


def has_date(wanted: PartialDate, text: str, article: Article) -> bool:
    """Whether `text` states or means the date, or the article is of that date."""
    if not wanted.month and str(wanted.year) in words(text):
        return True
    return any(_holds(wanted, d) for d in [*dates_of(text, article), *_published(article)])


def _beyond(year: int | None, years: Sequence[int]) -> bool:
    return year is not None and bool(years) and not min(years) <= year <= max(years)


def amounts_of(question: str, text: str) -> list[tuple[str, bool]]:
    """For a question about more or less than one number in figures: the question with each number of that unit in `text` in
    its place, and whether that number is what the question asks for. "More than 100,000 people?" beside "1.5 lakh people"
    is the question for 1.5 lakh people, and yes. A number that leaves it open is left out. Any other number may be a
    name, as in "season 8", and is left to the reader."""
    line = plain(question)
    asked = [
        q
        for q in find_quantities(line)
        if q.approx in ("<", ">") and q.unit != ORDINAL and any(c.isdigit() for c in q.text)
    ]
    if len(asked) != 1:
        return []
    wanted = asked[0]
    place = line.index(_number(wanted), wanted.span.start)
    ahead, after = line[:place], line[place + len(_number(wanted)) :]
    return [
        (f"{ahead}{inside(_number(q))}{after}", meets)
        for q in find_quantities(text)
        if q.unit == wanted.unit and not q.bare and (meets := _meets(wanted, q)) is not None
    ]


def _number(quantity: Quantity) -> str:
    """A quantity as it is worded, without the thing that is counted: of "about 300 swimmers" the "about 300"."""
    said = quantity.text.split(" ")
    while quantity.unit == COUNT and len(said) > 1:
        less = find_quantities(" ".join(said[:-1]))
        if not less or (less[0].low, less[0].high) != (quantity.low, quantity.high):
            break
        said.pop()
    return " ".join(said)


def inside(text: str) -> str:
    """As inside a sentence: "About 300" without its capital."""
    first = text.split(" ")[0]
    return text[0].lower() + text[1:] if first.istitle() else text


def _meets(wanted: Quantity, told: Quantity) -> bool | None:
    """Whether a number is more, or less, than is asked for; None where it may or may not be: "more than 60" for "at least 70"."""
    low = -inf if told.approx == "<" else told.low
    high = inf if told.approx == ">" else told.high
    edge = _WITH_EDGE.match(wanted.text) is not None
    if wanted.approx == ">":
        least = wanted.low
        is_met = low > least or (low == least and (edge or told.approx == ">"))
        return True if is_met else False if high < least or (high == least and not edge) else None
    most = wanted.high
    is_met = high < most or (high == most and (edge or told.approx == "<"))
    return True if is_met else False if low > most or (low == most and not edge) else None


def dates_of(text: str, article: Article) -> list[PartialDate]:
    """The dates that a text of an article states or, by the article's own date, means."""
    published = article.published.date if article.published else None
    found = []
    for mention in find_dates(text):
        meant = meaning(mention, text, published)
        found += [
            d for d in (mention.date, meant[0] if meant else None, _in_year(mention, text, published)) if d
        ]
    return found


def _in_year(mention: Mention, text: str, published: PartialDate | None) -> PartialDate | None:
    """A month told without its year is the last such month before the article; "last March", told in March, that of the
    year before."""
    date = mention.date
    if not (date and date.month and not date.year and published and published.year and published.month):
        return None
    is_past = date.month > published.month or (
        date.month == published.month and text[: mention.span.start].lower().endswith("last ")
    )
    return replace(date, year=published.year - is_past)


def _published(article: Article) -> list[PartialDate]:
    return [article.published.date] if article.published else []


def _holds(wanted: PartialDate, known: PartialDate) -> bool:
    """Whether every part of `wanted` is a part of `known`."""
    pairs = ((wanted.year, known.year), (wanted.month, known.month), (wanted.day, known.day))
    return agree(wanted, known) is True and all(w is None or k == w for w, k in pairs)
