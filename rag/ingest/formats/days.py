"""Days: parses a date as people and programs write it, with or without a time of day.

Only full dates count. The day is the written one, in any time zone; for a number of seconds it is the day in UTC.
"10/07/2025" is ambiguous and not read, unless other dates in the same table show the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

_FIRST, _LAST = date(1900, 1, 1), date(2100, 1, 1)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?$")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?\d{2,6})?(?:Z|[+-]\d{2}:?\d{2})?$")
_WEEK = re.compile(r"\d{4}-W\d{2}-\d(?:[T ].*)?$")  # the day of a week in ISO 8601
_SECONDS = re.compile(r"\d{9,10}(?:\.\d+)?$")
_MILLISECONDS = re.compile(r"\d{12,13}$")


def _day(value: date) -> str:
    return value.isoformat() if _FIRST <= value <= _LAST else ""


_FIGURES = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})\b")
_DECIDING = 2  # least number of unambiguous dates in a table


def order_of(texts: Iterable[str]) -> str:
    """Whether numeric dates in one table begin with the day ("DMY") or the month ("MDY"), judged by the unambiguous ones.
    "" where these are too few or disagree."""
    days_first = months_first = 0
    for text in texts:
        if found := _FIGURES.match(text.strip()):
            days_first += int(found[1]) > 12 >= int(found[3])
            months_first += int(found[3]) > 12 >= int(found[1])
    if days_first and months_first:
        return ""
    return "DMY" if days_first >= _DECIDING else "MDY" if months_first >= _DECIDING else ""


def day_of(text: str, order: str = "") -> str:
    """The day that `text` states, as "2025-07-10"; "" where it is not a full date, or ambiguous. `order` is that of numeric
    dates, from `order_of`."""
    text = text.strip()
    if not any(c.isdigit() for c in text) or len(text) > 80:
        return ""
    try:
        if _SECONDS.match(text):
            return _day(datetime.fromtimestamp(float(text), UTC).date())
        if _MILLISECONDS.match(text):
            return _day(datetime.fromtimestamp(int(text) / 1000, UTC).date())
        if found := _ISO.match(text) or _PACKED.match(text):
            return _day(date(int(found[1]), int(found[2]), int(found[3])))
        if _WEEK.match(text):
            return _day(date.fromisoformat(text[:10]))
        if order and (found := _FIGURES.match(text)):
            day, month = (int(found[1]), int(found[3]))[:: 1 if order == "DMY" else -1]
            return _day(date(int(found[4]), month, day))
    except (ValueError, OverflowError, OSError):
        return ""
    return _written(text)


_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _written(text: str) -> str:
    """The day by dateparser, where both orders of day and month give the same day, or the weekday decides."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dateparser

        days = set()
        for order in ("DMY", "MDY"):
            found = dateparser.parse(
                text,
                settings={
                    "DATE_ORDER": order,
                    "PREFER_LOCALE_DATE_ORDER": False,
                    "REQUIRE_PARTS": ["day", "month", "year"],
                    "PARSERS": ["absolute-time"],
                },
            )
            if found is None:
                return ""
            days.add(found.date())
    named = [n for n, name in enumerate(_WEEKDAYS) if re.search(rf"\b{name}", text, re.I)]
    if len(days) > 1 and len(named) == 1:
        days = {day for day in days if day.weekday() == named[0]}
    return _day(days.pop()) if len(days) == 1 else ""
