"""Dates: the dates and words for dates in English text, which day they mean, and whether two of them agree.

Pure. It knows the calendar and the wording of news, not which article, clock or time zone: "today" is never the
reader's day, only the day of the article that says it. What cannot be told stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from rag.schema import MONTHS, PartialDate, Precision, Span
from rag.text.words import fold, word_set


@dataclass(frozen=True, slots=True)
class Mention:
    """A date, or words for one, at `text[span.start:span.end]`.

    `relative` holds the words, in lower case, where the date hangs on when the text was written ("yesterday", "last
    month", "next thursday"); `date` then holds no more than a weekday, or is None. A weekday alone has `relative` "".
    """

    span: Span
    date: PartialDate | None
    relative: str = ""


_MONTHS = [name.lower() for name in MONTHS]
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH_OF = {name[:3]: n for n, name in enumerate(_MONTHS, 1)}
_WEEKDAY_OF = {name[:3]: n for n, name in enumerate(_WEEKDAYS)}
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER_OF = {"a": 1, "an": 1} | {word: n for n, word in enumerate(_NUMBERS, 1)}
_AMBIGUOUS = word_set("march april may june august")  # also verbs, names of people, or an adjective

_MONTH = rf"(?:(?:{'|'.join(_MONTHS)})|(?:{'|'.join(name[:3] for name in _MONTHS)}|sept)\b\.?)"
_WEEKDAY = rf"(?:{'|'.join(_WEEKDAYS)})"
_WEEKDAY_SHORT = r"(?:mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)\b\.?"  # only before a day and month
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?!\d)(?:st|nd|rd|th)?"
_YEAR = r"(?:1\d{3}|20\d{2})(?!\w|[.,:/-]\d)"
_SHORT_YEAR = rf"(?:{_YEAR}|['’‘]\d{{2}}(?!\w))"  # behind a month and day: "3 Feb '25"
_COUNT = rf"(?:\d{{1,3}}|{'|'.join(re.escape(w) for w in _NUMBER_OF)})"
_ROUGHLY = r"(?:about|around|roughly|approximately|almost|nearly|over|some|more\ than|less\ than|at\ least)"

_PATTERN = re.compile(
    rf"""
      (?<![\w./-])(?P<iso>(?P<y1>\d{{4}})(?P<sep>[-/])(?P<m1>\d{{2}})(?P=sep)(?P<d1>\d{{2}}))(?![\d/-])
    | (?<![\w./-])(?P<numeric>(?P<n1>\d{{1,2}})(?P<dot>[./])(?P<n2>\d{{1,2}})(?P=dot)(?P<y2>\d{{4}}))(?![\w/-])
    | (?P<monthday>\b(?:(?P<w3>{_WEEKDAY}|{_WEEKDAY_SHORT}),?\s+)?(?P<m3>{_MONTH})\s+(?:the\s+(?=\d\d?(?:st|nd|rd|th)))?(?P<d3>{_DAY})(?![\w%]|[.:/,]\d)
        (?:(?P<upto3>\s?[-–—]\s?)(?P<d3b>{_DAY})(?![\w%]|[.:/]\d))?(?:(?:,\s*|\s+)(?P<y3>{_SHORT_YEAR}))?)
    | (?<![\w.,:/$€£-])(?P<daymonth>(?:(?P<w4>{_WEEKDAY}|{_WEEKDAY_SHORT}),?\s+(?:the\s+)?)?
        (?:(?P<d4a>{_DAY})(?P<upto4>\s?[-–—]\s?))?(?P<d4>{_DAY})\s+(?:of\s+)?(?P<m4>{_MONTH})(?!\w)
        (?:(?:,\s*|\s+)(?P<y4>{_SHORT_YEAR}))?)
    | (?P<monthyear>\b(?P<m5>{_MONTH})(?:,?\s+|\s+of\s+)(?P<y5>{_YEAR}))
    | (?P<rel>\b(?:
          the\s+day\s+(?:before\s+yesterday|after\s+tomorrow|before|after)
        | the\s+(?:same|previous|following|next)\s+(?:day|week|month|year)
        | today|tonight|this\s+(?:morning|afternoon|evening)|yesterday|tomorrow|last\s+night
        | (?:(?:earlier|later|early|late)\s+)?(?:last|this|next)\s+(?:week(?:end)?|month|year)
        | (?:{_ROUGHLY}\s+)?(?:{_COUNT}|(?:a\s+)?(?:few|couple\s+of)|several|many)\s+(?:day|week|month|year)s?\s+ago
        | (?:last|this|next)\s+{_WEEKDAY}
      ))(?!\w)
    | (?P<weekday>\b{_WEEKDAY})(?!\w)
    | (?<![\w.])(?P<month>{_MONTH})(?!\w)
    | (?P<year>(?:(?<![\w.,:/$€£#+-])|(?<=[12]\d\d\d[-–]))(?:1\d{{3}}|20\d{{2}}))(?!\w|[.,:/]\d|\s*(?:%|percent\b))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LOOK_CHARS = 24  # how far around a word its neighbour is read
_WORD_BEFORE = re.compile(r"([\w’']+|[(])[\s-]*$")
_WORD_AFTER = re.compile(r"(?:[’']s)?\s+([a-z]+)")
# Days with a name of their own are not "the Friday of that week".
_NAMED_DAY = word_set("good black bloody super ash cyber easter palm maundy holy")
_BEFORE_MONTH = word_set(
    "in since until till by from through of between and or to last next this early late mid during before after the"
    " a an for end on"
)
_DETERMINERS = word_set("the this that its his her their a our early late mid")
_BEFORE_YEAR = word_set("in since until till during before after between spring summer autumn fall winter")
_AFTER_YEAR = word_set(
    "and or but to when while as that which who was were is are has had have will would after before with without in at"
    " on for by from of the a an his her their its he she they it we if because since until through amid under over"
)


def _full(value: PartialDate) -> date | None:
    """The day, where the calendar has it and all of it is known."""
    if value.year is None or value.month is None or value.day is None:
        return None
    try:
        return date(value.year, value.month, value.day)
    except ValueError:
        return None


def _valid(year: int | None, month: int, day: int) -> bool:
    return (
        _full(PartialDate(2000 if year is None else year, month, day)) is not None
    )  # 2000 has a February 29


def _month_number(word: str) -> int:
    return _MONTH_OF[fold(word)[:3]]


_TURN = 50  # from this year on, two figures are of the last century


def _year_number(text: str | None) -> int | None:
    """A year in four figures, or in two behind an apostrophe."""
    if not text or text.isdigit():
        return int(text) if text else None
    year = int(text[1:])
    return year + (1900 if year >= _TURN else 2000)


def _weekday_number(word: str | None) -> int | None:
    return _WEEKDAY_OF[fold(word)[:3]] if word else None


def _before(text: str, place: int) -> str:
    found = _WORD_BEFORE.search(text, max(0, place - _LOOK_CHARS), place)
    return found.group(1).lower() if found else ""


def _stands_as_month(text: str, match: re.Match[str]) -> bool:
    """Whether a month's name alone is one: capital letter, and for "May", "June", "March" ... a word that says so."""
    word = match["month"]
    if not word[0].isupper():
        return False
    if word.lower() not in _AMBIGUOUS:
        return word.lower() in _MONTHS  # an abbreviation alone ("Jan", "Sep") is as often a name
    return _before(text, match.start()) in _BEFORE_MONTH


def _stands_as_year(text: str, match: re.Match[str]) -> bool:
    """Whether four digits are a year and not a count: told by the words around them."""
    before = _before(text, match.start())
    after = _WORD_AFTER.match(text, match.end(), match.end() + _LOOK_CHARS)
    free = after is None or after.group(1) in _AFTER_YEAR  # nothing is counted: "2025." "2025, " "2025 and"
    if int(match["year"]) < 1900:
        return before in _BEFORE_YEAR and free
    return before in _BEFORE_YEAR or before in _DETERMINERS or before.endswith(("'s", "’s")) or free


def _read(text: str, match: re.Match[str]) -> list[Mention]:
    """The mentions that one match of the pattern holds; none where it is no date after all."""
    span = Span(match.start(), match.end())
    if match["iso"]:
        year, month, day = int(match["y1"]), int(match["m1"]), int(match["d1"])
        return [Mention(span, PartialDate(year, month, day))] if year and _valid(year, month, day) else []
    if match["numeric"]:
        one, two, year = int(match["n1"]), int(match["n2"]), int(match["y2"])
        readings = {(m, d) for m, d in ((one, two), (two, one)) if year and _valid(year, m, d)}
        return [Mention(span, PartialDate(year, *readings.pop()))] if len(readings) == 1 else []
    if match["monthday"] or match["daymonth"]:
        return _read_day(text, match)
    if match["monthyear"]:
        return [Mention(span, PartialDate(int(match["y5"]), _month_number(match["m5"])))]
    if match["rel"]:
        words = fold(match["rel"])
        weekday = words.split()[-1]
        known = PartialDate(weekday=_weekday_number(weekday)) if weekday in _WEEKDAYS else None
        return [Mention(span, known, words)]
    if match["weekday"]:
        named = _before(text, match.start()) in _NAMED_DAY
        return [] if named else [Mention(span, PartialDate(weekday=_weekday_number(match["weekday"])))]
    if match["month"]:
        month = _month_number(match["month"])
        return [Mention(span, PartialDate(month=month))] if _stands_as_month(text, match) else []
    return [Mention(span, PartialDate(int(match["year"])))] if _stands_as_year(text, match) else []


def _read_day(text: str, match: re.Match[str]) -> list[Mention]:
    """Month and day in either order, alone or as a range of days, which gives two mentions."""
    n = "3" if match["monthday"] else "4"
    month = _month_number(match[f"m{n}"])
    year = _year_number(match[f"y{n}"])
    weekday = _weekday_number(match[f"w{n}"])
    if (
        match[f"m{n}"] in ("may", "march")
        and year is None
        and match.start()
        and _before(text, match.start()) not in _BEFORE_MONTH
    ):
        return []  # "they may 10 times", "they march 10 miles"
    days = [match["d3"], match["d3b"]] if n == "3" else [match["d4a"], match["d4"]]
    known = [int(re.sub(r"\D", "", d)) for d in days if d]
    if not all(_valid(year, month, d) for d in known):
        return []
    whole = Span(match.start(), match.end())
    if len(known) == 1:
        return [Mention(whole, PartialDate(year, month, known[0], weekday))]
    middle = match.span(f"upto{n}")
    spans = Span(whole.start, middle[0]), Span(middle[1], whole.end)
    return [Mention(s, PartialDate(year, month, d)) for s, d in zip(spans, known, strict=True)]


@lru_cache(maxsize=4096)
def _cached(text: str) -> tuple[Mention, ...]:
    found: list[Mention] = []
    place = 0
    while match := _PATTERN.search(text, place):
        mentions = _read(text, match)
        found += mentions
        place = match.end() if mentions else match.start() + 1
    return tuple(found)


def find_dates(text: str) -> list[Mention]:
    """The dates in `text`, in order, without overlap; spans are characters of `text`.

    Read are: "July 10", "10 July 2025", "Thursday, Jul. 10, 2025", "July 10-12" (two mentions), "2025-07-10", "July
    2025", "in February", "2025" where the words around it do not make it a count, weekdays, and relative words. A date
    in figures with slashes or dots counts only when one order of day and month is possible: "10/07/2025" is left out.
    Days that the calendar lacks, plural weekdays, decades and weekdays with a name of their own ("Black Friday") are
    no mentions.
    """
    return list(_cached(text))


# --- the day meant -----------------------------------------------------------------------------------------------

_NEAR_DAYS = (
    92  # news leaves the year out of dates within a quarter; the same day of another year is 9 months off
)


def _of(day: date) -> PartialDate:
    return PartialDate(day.year, day.month, day.day)


def _shared(day: date, low: int, high: int) -> PartialDate | None:
    """What is the same for every day from `low` to `high` days after `day`; None beyond the calendar too."""
    try:
        first, last = day + timedelta(days=low), day + timedelta(days=high)
    except OverflowError:
        return None
    if first == last:
        return _of(first)
    if (first.year, first.month) == (last.year, last.month):
        return PartialDate(first.year, first.month)
    return PartialDate(first.year) if first.year == last.year else None


def _shift_days(published: PartialDate, days: int) -> PartialDate | None:
    """`published` moved by `days`, as exact as the calendar allows when the year is unknown."""
    if published.month is None or published.day is None:
        if published.weekday is None or published.month is not None or published.year is not None:
            return None
        return PartialDate(weekday=(published.weekday + days) % 7)
    if day := _full(published):
        return _shared(day, days, days)
    if published.year is not None:
        return None
    found = {  # in a leap year and another; February 29 tells that the year is a leap year
        _shared(day, days, days) for year in (2000, 2001) if (day := _full(replace(published, year=year)))
    }
    months = {(d.month, d.day) for d in found if d}
    if len(months) == 1:
        return PartialDate(None, *months.pop())
    return PartialDate(month=months.pop()[0]) if len({month for month, _ in months}) == 1 else None


def _shift_months(published: PartialDate, months: int) -> PartialDate | None:
    if published.month is None:
        return None
    years, month = divmod(published.month - 1 + months, 12)
    if published.year is None:
        return PartialDate(month=month + 1)
    year = published.year + years
    return PartialDate(year, month + 1) if 1 <= year <= 9999 else None


def _shift_years(published: PartialDate, years: int) -> PartialDate | None:
    if published.year is None or not 1 <= published.year + years <= 9999:
        return None
    return PartialDate(published.year + years)


def _shift_weeks(published: PartialDate, weeks: int, earlier: bool = False) -> PartialDate | None:
    """What is sure of a week, which begins on Sunday for some and on Monday for others."""
    day = _full(published)
    if day is None:
        return None
    begun = sorted((day.weekday(), (day.weekday() + 1) % 7))  # days since Monday and since Sunday
    return _shared(day, 7 * weeks - begun[1], 0 if earlier else 7 * weeks - begun[0] + 6)


def _weekday(published: PartialDate, wanted: int, which: str, future: bool) -> PartialDate | None:
    """The day that a weekday means. `which` is "", "last", "this" or "next"."""
    day = _full(published)
    own = day.weekday() if day is not None else published.weekday
    if own is None:
        return None
    back, ahead = (own - wanted) % 7, (wanted - own) % 7
    if which == "last":  # "last Tuesday", said on a Friday, may be three days ago or ten
        return _shift_days(published, -(back or 7)) if wanted >= own else None
    if which == "next":  # "next Friday", said on a Tuesday, may be in three days or in ten
        return _shift_days(published, ahead or 7) if wanted <= own else None
    if which == "this":
        return _shift_days(published, ahead) if wanted >= own else None
    return _shift_days(published, ahead if future else -back)


_FIXED_DAYS = {
    "today": 0,
    "tonight": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this evening": 0,
    "yesterday": -1,
    "last night": -1,
    "tomorrow": 1,
    "the day before yesterday": -2,
    "the day after tomorrow": 2,
}
_SHIFT: dict[str, Callable[[PartialDate, int], PartialDate | None]] = {
    "day": _shift_days,
    "week": _shift_weeks,
    "month": _shift_months,
    "year": _shift_years,
}
_AGO = re.compile(r"(\w+) (day|week|month|year)s? ago")
_PERIOD = re.compile(r"(?:(earlier|later|early|late) )?(last|this|next) (week|month|year)")


def _relative(words: str, published: PartialDate) -> PartialDate | None:
    """The date that relative words mean in a text of that day; None for "a few days ago", "roughly ten years ago", "the
    day before" and whatever else hangs on more than the day of the text."""
    if words in _FIXED_DAYS:
        return _shift_days(published, _FIXED_DAYS[words])
    if ago := _AGO.fullmatch(words):
        count = int(ago[1]) if ago[1].isdigit() else _NUMBER_OF.get(ago[1])
        if count is None:
            return None
        if ago[2] == "week":  # as loose as a week either way
            day = _full(published)
            return _shared(day, -7 * count - 3, -7 * count + 3) if day else None
        return _SHIFT[ago[2]](published, -count)
    if period := _PERIOD.fullmatch(words):
        count = {"last": -1, "this": 0, "next": 1}[period[2]]
        if period[3] == "week":
            return _shift_weeks(published, count, earlier=period[1] == "earlier" and count == 0)
        return _SHIFT[period[3]](published, count)
    return None


def _complete(stated: PartialDate, published: PartialDate) -> PartialDate | None:
    """A month and day without a year, given the nearest such day when it is near the day of the text."""
    if stated.year is not None or stated.month is None or stated.day is None or published.year is None:
        return None
    if published.month is None:
        return None
    around = date(published.year, published.month, 15) if published.day is None else _full(published)
    if around is None:
        return None
    for year in (around.year - 1, around.year, around.year + 1):
        day = _full(replace(stated, year=year)) if 1 <= year <= 9999 else None
        if day is not None and abs((day - around).days) <= _NEAR_DAYS:
            return None if stated.weekday not in (None, day.weekday()) else _of(day)
    return None


def resolve(
    mention: Mention, published: PartialDate | None, *, future: bool = False
) -> tuple[PartialDate, str] | None:
    """The date that `mention` means in an article of the date `published`, and how that is known.

    The second part is "" when the text states the date itself, else a line such as "Thursday, in an article dated
    2025-07-10: 2025-07-10". A weekday alone is the nearest such day on or before the article's date, or on or after it
    with `future` (the sentence speaks of what is to come); "last" and "next" are resolved only where one day is meant.
    A month and day without a year gets one only when the day is within a quarter of the article's date. Weeks are
    given as the month or year that all their days share. None when the article's date does not allow an answer.
    """
    stated = mention.date
    if stated is not None and stated.precision is not Precision.WEEKDAY:
        completed = _complete(stated, published) if published is not None else None
        if completed is None or published is None:
            return stated, ""
        return completed, f"{stated}, in an article dated {published}: {completed}"
    if published is None:
        return None
    if stated is not None and stated.weekday is not None:
        which = mention.relative.split()[0] if mention.relative else ""
        meant = _weekday(published, stated.weekday, which, future)
        words = f"{which} {stated}".lstrip()
    else:
        meant, words = _relative(mention.relative, published), mention.relative
    return None if meant is None else (meant, f"{words}, in an article dated {published}: {meant}")


# A weekday that is told with what is to come is the next one, else the last.
_AHEAD = re.compile(
    r"\b(?:will|shall|(?:is|are) (?:due|set|expected|scheduled|likely|planning|going)? ?to|(?:plan|want|hope|intend|aim)s? to|scheduled|upcoming)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"\. |;| (?:and|but) (?!\w+day\b)")  # "on Friday and will come back": two times
_AT_START = 30  # characters: "On Thursday the two will meet" tells what is to come behind the date


def meaning(mention: Mention, text: str, published: PartialDate | None) -> tuple[PartialDate, str] | None:
    """`resolve` for a mention of `text`, a sentence or two: ahead in time where the words before it say so, or, where it
    opens its sentence, those behind it."""
    start = max(text.rfind(mark, 0, mention.span.start) for mark in (". ", "! ", "? ", "\n", ": ")) + 1
    before = text[start : mention.span.start]
    ahead = before if len(before.strip()) > _AT_START else _CLAUSE_END.split(text[start:])[0]
    return resolve(mention, published, future=_AHEAD.search(ahead) is not None)


def agree(a: PartialDate, b: PartialDate) -> bool | None:
    """Whether two dates can be the same day: on every part that both know, a full date's weekday included.

    None when they have no part in common, and so neither agree nor differ.
    """
    pairs = [(a.year, b.year), (a.month, b.month), (a.day, b.day), (_weekday_of(a), _weekday_of(b))]
    common = [one == two for one, two in pairs if one is not None and two is not None]
    return all(common) if common else None


def _weekday_of(value: PartialDate) -> int | None:
    day = _full(value)
    return value.weekday if day is None else day.weekday()
