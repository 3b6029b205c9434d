"""Dates: what is read, which day is meant, when two dates agree."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.schema import PartialDate, Span
from rag.text.dates import Mention, agree, find_dates, meaning, resolve

D = PartialDate
THURSDAY = D(2025, 7, 10)  # 10 July 2025 was a Thursday


def read(text: str) -> list[tuple[str, str]]:
    return [(text[m.span.start : m.span.end], str(m.date)) for m in find_dates(text)]


def only(text: str) -> Mention:
    (mention,) = find_dates(text)
    return mention


@pytest.mark.parametrize(
    ("text", "words", "date"),
    [
        ("The July 10 meeting", "July 10", D(None, 7, 10)),
        ("on Jul. 10, 2025, they", "Jul. 10, 2025", D(2025, 7, 10)),
        ("on 10 July 2025.", "10 July 2025", D(2025, 7, 10)),
        ("the 10th of July", "10th of July", D(None, 7, 10)),
        ("Mon, 3rd of Feb '25, in Rome", "Mon, 3rd of Feb '25", D(2025, 2, 3, 0)),
        ("on July 10, ’98", "July 10, ’98", D(1998, 7, 10)),
        ("on July the 10th", "July the 10th", D(None, 7, 10)),
        ("in July the 10 men", "July", D(None, 7)),
        ("on Thursday, July 10, 2025", "Thursday, July 10, 2025", D(2025, 7, 10, 3)),
        ("what happened on july 10?", "july 10", D(None, 7, 10)),
        ("at 2025-07-10T12:00Z", "2025-07-10", D(2025, 7, 10)),
        ("on 25/07/2025 it", "25/07/2025", D(2025, 7, 25)),
        ("on 07/25/2025 it", "07/25/2025", D(2025, 7, 25)),
        ("in July 2025 it", "July 2025", D(2025, 7)),
        ("met in February in Riyadh", "February", D(None, 2)),
        ("by phone in May.", "May", D(None, 5)),
        ("between the two in 2025, after", "2025", D(2025)),
        ("in 1812.", "1812", D(1812)),
        ("the 2024 summit", "2024", D(2024)),
        ("Friday’s exchange", "Friday", D(weekday=4)),
        ("on Frıday", "Frıday", D(weekday=4)),
    ],
)
def test_a_date_is_read_with_its_place_and_what_is_known(text: str, words: str, date: PartialDate) -> None:
    mention = only(text)
    assert (text[mention.span.start : mention.span.end], mention.date, mention.relative) == (words, date, "")


def test_a_range_of_days_gives_both_ends() -> None:
    assert read("July 10-12, 2025") == [("July 10", "2025-07-10"), ("12, 2025", "2025-07-12")]
    assert read("from 10–12 July") == [("10", "July 10"), ("12 July", "July 12")]


@pytest.mark.parametrize(
    "text",
    [
        "on 10/07/2025",  # two readings
        "February 30 or 2025-13-01",
        "2000 drones, 1500 men, 2,000 homes, over 2000 people, $2000, 2000%",
        "in the 1990s, v1999.5",
        "he may win, they march on, May he rest, June Carter",
        "closed on Sundays; Black Friday",
        "They may 10 times.",
        "the year began 10:30, July 400",
    ],
)
def test_what_is_no_date_or_not_one_date_is_left_out(text: str) -> None:
    assert [d for w, d in read(text) if w != "July" and not w.startswith("Feb")] == []


@pytest.mark.parametrize(
    ("text", "published", "meant"),
    [
        ("On Thursday they met", THURSDAY, D(2025, 7, 10)),
        ("On Wednesday they met", THURSDAY, D(2025, 7, 9)),
        ("On Friday they met", THURSDAY, D(2025, 7, 4)),
        ("today", THURSDAY, D(2025, 7, 10)),
        ("yesterday", D(2025, 1, 1), D(2024, 12, 31)),
        ("tomorrow", THURSDAY, D(2025, 7, 11)),
        ("two days ago", THURSDAY, D(2025, 7, 8)),
        ("three weeks ago", THURSDAY, D(2025, 6)),
        ("last month", D(2025, 1, 5), D(2024, 12)),
        ("next month", THURSDAY, D(2025, 8)),
        ("last year", THURSDAY, D(2024)),
        ("earlier this year", THURSDAY, D(2025)),
        ("earlier this week", THURSDAY, D(2025, 7)),
        ("last week", THURSDAY, D(2025)),  # 29 June or later: no month is sure
        ("last Thursday", THURSDAY, D(2025, 7, 3)),
        ("next Wednesday", THURSDAY, D(2025, 7, 16)),
        ("July 27", THURSDAY, D(2025, 7, 27)),
        ("Dec. 30", D(2025, 1, 3), D(2024, 12, 30)),
        # the year of the article is unknown
        ("yesterday", D(None, 7, 10), D(None, 7, 9)),
        ("yesterday", D(None, 3, 1), D(None, 2)),  # the 28th or the 29th
        ("next month", D(None, 12, 10), D(None, 1)),
        ("Wednesday", D(None, 7, 10, 3), D(None, 7, 9)),
        # only its weekday is known
        ("yesterday", D(weekday=0), D(weekday=6)),
    ],
)
def test_the_day_meant_follows_from_the_date_of_the_article(
    text: str, published: PartialDate, meant: PartialDate
) -> None:
    resolved = resolve(only(text), published)
    assert resolved is not None
    assert resolved[0] == meant
    assert resolved[1].endswith(f", in an article dated {published}: {meant}")


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("Thursday", None),
        ("Thursday", D(None, 7, 10)),
        ("Thursday", D(2025, 7)),
        ("yesterday", D(2025, 7)),
        ("last year", D(None, 7, 10)),
        ("last week", D(None, 7, 10)),
        ("last Tuesday", THURSDAY),  # the 8th or the 1st
        ("next Friday", THURSDAY),  # the 11th or the 18th
        ("a few days ago", THURSDAY),
        ("roughly ten years ago", THURSDAY),
        ("the day before", THURSDAY),
        ("two days ago", D(1, 1, 1)),
        ("900 weeks ago", D(1, 1, 1)),
        ("next year", D(9999, 12, 31)),
    ],
)
def test_what_the_date_of_the_article_does_not_settle_stays_unknown(
    text: str, published: PartialDate | None
) -> None:
    assert resolve(only(text), published) is None


def test_a_weekday_to_come_is_the_next_one() -> None:
    assert resolve(only("on Friday"), THURSDAY, future=True) == (
        D(2025, 7, 11),
        "Friday, in an article dated 2025-07-10: 2025-07-11",
    )
    assert resolve(only("on Thursday"), THURSDAY, future=True) == (
        D(2025, 7, 10),
        "Thursday, in an article dated 2025-07-10: 2025-07-10",
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("The company wants to resume the service on Friday.", 11),
        ("The two will meet on Friday.", 11),
        ("On Friday the two are due to meet.", 11),
        ("She resigned on Friday and will be replaced next month.", 4),
    ],
)
def test_what_stands_before_a_weekday_tells_whether_it_is_to_come(text: str, day: int) -> None:
    (weekday, *_) = find_dates(text)
    meant = meaning(weekday, text, THURSDAY)
    assert meant is not None and meant[0] == D(2025, 7, day)


def test_a_stated_date_needs_no_derivation() -> None:
    assert resolve(only("July 10, 2025"), None) == (D(2025, 7, 10), "")
    assert resolve(only("February"), THURSDAY) == (D(None, 2), "")
    assert resolve(only("December 30"), THURSDAY) == (D(None, 12, 30), "")  # too far off to tell the year


def test_agreement_is_told_on_the_parts_that_both_know() -> None:
    assert agree(D(None, 7, 10), D(2025, 7, 10)) is True
    assert agree(D(2025, 7, 10), D(2024, 7, 10)) is False
    assert agree(D(weekday=3), D(2025, 7, 10)) is True
    assert agree(D(weekday=4), D(2025, 7, 10)) is False
    assert agree(D(2025), D(2025, 7, 10)) is True
    assert agree(D(2025), D(None, 7, 10)) is None
    assert agree(D(weekday=3), D(None, 7, 10)) is None


@given(st.dates(), st.integers(0, 6), st.booleans())
def test_a_resolved_weekday_is_that_weekday_within_a_week(
    day: datetime.date, weekday: int, future: bool
) -> None:
    resolved = resolve(
        Mention(Span(0, 1), D(weekday=weekday)), D(day.year, day.month, day.day), future=future
    )
    if resolved is None:  # beyond the calendar
        assert day.year in (1, 9999)
        return
    meant = datetime.date(resolved[0].year or 0, resolved[0].month or 0, resolved[0].day or 0)
    assert meant.weekday() == weekday
    assert 0 <= ((meant - day) if future else (day - meant)).days < 7


@given(st.dates(datetime.date(1000, 1, 1), datetime.date(2099, 12, 31)))
def test_every_way_of_writing_a_day_is_read_back(day: datetime.date) -> None:
    for text in (
        day.isoformat(),
        f"{day:%B} {day.day}, {day.year}",
        f"{day.day} {day:%B} {day.year}",
        f"{day:%A}, {day:%b} {day.day}, {day.year}",
    ):
        mention = only(text)
        assert mention.span == Span(0, len(text))
        assert agree(mention.date or D(), D(day.year, day.month, day.day)) is True
        assert str(mention.date) == day.isoformat()


@given(st.text(alphabet=st.sampled_from("0123456789-/., JulyMay10thTursdFrıiİ"), max_size=80), st.dates())
def test_no_text_breaks_reading_or_resolving(text: str, day: datetime.date) -> None:
    place = 0
    for mention in find_dates(text):
        assert place <= mention.span.start < mention.span.end <= len(text)
        place = mention.span.end
        resolve(mention, D(day.year, day.month, day.day))
        resolve(mention, D(None, day.month, day.day))
