"""Metadata that an article's own text states: title, author, publisher, place, address and date, each with its span.

Nothing is guessed. This module knows the layout of news texts: front matter, a heading, a byline, a dateline, the last
lines. It knows no files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.ingest.formats.days import day_of
from rag.ingest.formats.text import front_matter
from rag.schema import Field, Origin, PartialDate, Precision, Published, Span
from rag.text.dates import find_dates
from rag.text.words import fold, plain, word_set, words

MAX_VALUE_CHARS = 500  # of a field that is written out


def content_span(body: str) -> Span:
    """The part of `body` without front matter."""
    front = front_matter(body)
    return Span(front.end if front else 0, len(body))


@dataclass(frozen=True, slots=True)
class Description:
    """What an article says of itself; None where it does not. `body[span.start:span.end]` is each field's value, and
    the words that give `published`."""

    title: Field | None = None
    publisher: Field | None = None
    published: Published | None = None
    place: Field | None = None
    url: Field | None = None
    author: Field | None = None


_HEAD_LINES = 6  # title, byline, date and dateline stand in the first lines
_FOOT_LINES = 4  # who published it, in the last
_MAX_TITLE_CHARS = 250
_MAX_NAME_CHARS = 80
_LINE = re.compile(r"[^\s][^\r\n\v\f\x85\u2028\u2029]*")
_BREAK = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
_MARKDOWN_HEADING = re.compile(r"#{1,2}[ \t]+")
_UNDERLINE = re.compile(r"(?:={3,}|-{3,})\s*$")
_ABOUT = re.compile(  # lines about the article, never its title
    r"(?i:by|written by|reported by|edited by|(?:photo|image|picture|video)s?(?: by)?|credit|source|author|updated|published"
    r"|posted|date|share|tags?|topics?|category|filed under|advertisement|read more|reading time|url|link|publisher)"
    r"\s*(?:[:|]|$)|(?i:(?:written |reported |edited |photo )?by)\s+[A-Z]"
)
_BYLINE = re.compile(r"(?i:(?:written |reported )?by)\s+[A-Z]")
_DASH_AND_SENTENCE = re.compile(r"(?:\s*[–—]|\s+-|:)\s+[^\W\d_a-zß-ÿ]")
_PUBLISHED = re.compile(
    r"(?:first |originally )?(?:date(?: of publication)?|dated|published|posted|issued|publication date)(?:\s+on)?"
    r"\s*[:|–-]?\s+",
    re.I,
)
_UPDATED = re.compile(r"(?:last\s+)?(?:updated|modified)(?:\s+on)?\s*[:|–-]?\s+", re.I)
_UPDATED_TOO = re.compile(r"(?<=\w)[\s.,;|(·–—-]+(?:last )?(?:updated|modified)\b.*", re.I | re.S)
_FIGURES_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{4}\b")  # may be ambiguous
_AFTER_DATE = re.compile(  # a time of day and its zone
    r"[\s,|/–—T-]*(?:(?:at\s+)?\d{1,2}[:.]\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[ap]\.?m\.?)?\s*(?:\(?[A-Z]{1,5}\)?)?\s*"
    r"(?:[+-]\d{1,2}(?::?\d{2})?)?)?[\s.,|*_–—-]*",
    re.I,
)
_PART = re.compile(r"(?:(?!\s[|·•]\s).)+")  # of a line "By Ann Lee | July 8, 2025 | 3 min read"
_BY_BEFORE_DATE = re.compile(r"(?i:by):?\s+[A-Z][^\W\d]*\s+[^\d|·•]{2,60}$")  # "By Ann Lee, 8 July 2025"
_PLACE_BEFORE_DATE = re.compile(
    r"[A-Z][^\W\d_]*(?:[ -][A-Z][^\W\d_]*){0,3},\s+$"
)  # "New Larkholm, 8 July 2025"
_TIME_BEFORE_DATE = re.compile(
    r"(?:at\s+)?\d{1,2}[:.]\d{2}\s*(?:[ap]\.?m\.?)?(?:\s*[A-Z]{2,5}\b)?,?\s+$", re.I
)
_GAP = re.compile(r"[ \t|:–—-]+")  # between a date and the title behind it
_URL = re.compile(r"(?:url|permalink|originally published at)\s*:?\s+<?(https?://[^\s<>\"]{3,480})", re.I)
_NAME = r"[^\W_][\w.&'’ -]{1,60}?[^\W_]"
_PUBLISHERS = tuple(
    re.compile(pattern + r"\.?\s*$", re.I)
    for pattern in (
        rf"publisher\s*:\s*({_NAME})",
        rf"(?:this (?:article|story|post|piece) (?:was|is) )?(?:originally |first )?published (?:by|on) ({_NAME})",
        rf"the post .{{1,300}} (?:first )?appeared (?:first )?on ({_NAME})",
        rf"discover more from ({_NAME})",
        rf"(?:©|\(c\)|copyright)(?: ©| \(c\))? ?\d{{4}}(?: ?[-–] ?\d{{4}})?,? (?:by )?({_NAME})(?:[.,]? all rights reserved)?",
    )
)
_PRESS_WORDS = word_set(
    "post times news press herald tribune journal gazette daily today agency observer guardian telegraph mail standard"
    " chronicle review magazine radio tv broadcasting media online weekly courier sentinel bulletin"
)
# One word alone on the last line is a site's name, unless it is a button or a section of any site.
_NO_SITE = word_set(
    "advertisement comments comment subscribe subscription share sharing related newsletter continue loading previous"
    " search login register print email facebook twitter telegram whatsapp linkedin instagram youtube reddit copyright"
    " contact about privacy cookies politics political business economy economics sport sports football technology"
    " science health culture entertainment environment education international national regional opinion analysis"
    " editorial exclusive breaking magazine lifestyle travel weather video videos gallery photos podcast podcasts"
    " interview features diplomacy security defence defense military finance markets energy climate religion society"
    " government elections immigration updated published ends"
)
_DASH = r"(?:[–—]|--?)"
_WORDS = r"[^\W\d_][\w’'.-]*(?: [^\W\d_][\w’'.-]*){0,3}"
_DATELINE = re.compile(
    rf"(?P<place>(?P<city>{_WORDS})(?:, (?P<region>{_WORDS}?))?)"
    rf"(?:,? (?P<date>[^\W\d_]{{3,9}}\.? \d{{1,2}}(?:, \d{{4}})?|\d{{1,2}} [^\W\d_]{{3,9}}\.?(?:,? \d{{4}})?))?"
    rf"(?: ?\((?P<agency>[A-Z][\w .&’'-]{{0,40}})\))?"
    rf" ?{_DASH} (?=[\"“‘'A-Z\d])"
)


def _lines(body: str, start: int) -> Iterator[tuple[int, int]]:
    for match in _LINE.finditer(body, start):
        text = match.group().rstrip()
        yield match.start(), match.start() + len(text)


def _stated(body: str, start: int, end: int) -> Field | None:
    value = body[start:end]
    start += len(value) - len(value.lstrip())
    value = value.strip()
    return Field(value, Origin.STATED, Span(start, start + len(value))) if plain(value) else None


def _date_at(body: str, start: int, end: int) -> tuple[Span, PartialDate] | None:
    """The date that begins at `start`. A weekday or a relative word alone does not count."""
    for mention in find_dates(body[start : min(end, start + 60)])[:1]:
        known = mention.date
        if mention.span.start == 0 and known is not None and known.precision is not Precision.WEEKDAY:
            return Span(start, start + mention.span.end), known
    return None


def parse_date(text: str) -> PartialDate | None:
    """The date that `text` is, whole: "2025-07-10", "10. Juli 2025", "July 10th, 2025 at 8:15 am" with or without a time
    and zone, seconds since 1970, "2025-07", "2025", "July 10", "Friday". "10/07/2025" is rejected: it may be October."""
    text = _UPDATED_TOO.sub("", text.strip())
    if label := _PUBLISHED.match(text):
        text = text[label.end() :]
    if match := re.fullmatch(r"(\d{4})-(\d{2})", text):
        year, month = int(match[1]), int(match[2])
        return PartialDate(year, month) if year and 1 <= month <= 12 else None
    if re.fullmatch(r"[1-9]\d{3}", text):
        return PartialDate(int(text))
    mentions = find_dates(text)
    if len(mentions) == 1 and mentions[0].span == Span(0, len(text)):
        return None if mentions[0].relative else mentions[0].date
    day = day_of(text)
    return PartialDate(*map(int, day.split("-"))) if day else None


def _from_front_matter(body: str) -> Description:
    front = front_matter(body)
    if front is None:
        return Description()
    found: dict[str, Field] = {}
    published: Published | None = None
    for key, (start, end) in front.values.items():
        value = _stated(body, start, end)
        if value is None or len(value.value) > MAX_VALUE_CHARS:
            continue
        if key == "published":
            known = parse_date(value.value)
            published = Published(known, Origin.STATED, value.span) if known else None
        elif key != "url" or re.match(r"https?://\S+$", value.value):
            found[key] = value
    return Description(published=published, **found)


def _is_paragraph(body: str, start: int, end: int) -> bool:
    return end - start > _MAX_TITLE_CHARS or body[start:end].rstrip("\"”’')»").endswith(
        (".", "!", "?", "…", "。", "！", "？")
    )


def _title(body: str, lines: list[tuple[int, int]], first: int) -> Field | None:
    """The heading that `lines[0]` is from character `first` on, or None.

    A Markdown heading, an underlined line, or a short line of two words or more without a full stop, before a blank
    line, a byline, a date, or a paragraph so much longer that it cannot be the rest of a wrapped sentence.
    """
    end = lines[0][1]
    marked = _MARKDOWN_HEADING.match(body, first, end)
    start = marked.end() if marked else first
    text = body[start:end].rstrip("# \t") if marked else body[start:end]
    for mark in ("**", "__"):
        if len(text) > 4 and text.startswith(mark) and text.endswith(mark):
            start, text = start + 2, text[2:-2]
    end_of_text = start + len(text)
    if not plain(text) or len(text) > _MAX_TITLE_CHARS:
        return None
    if len(lines) < 2:
        return None
    if marked or _UNDERLINE.match(body, *lines[1]):
        return _stated(body, start, end_of_text)
    bare = text.rstrip("\"”’')»")
    if bare.endswith((".", "…", ",", ";", ":", "。")) or _ABOUT.match(text) or len(words(text)) < 2:
        return None
    if (
        text[0] in "-*•>|"
        or text[0].islower()
        or _DATELINE.match(text)
        or _date_only(body, start, end_of_text)
    ):
        return None
    next_start, next_end = lines[1]
    if len(_BREAK.findall(body, end, next_start)) >= 2:
        return _stated(body, start, end_of_text)
    before = end
    for line_start, line_end in lines[1:_HEAD_LINES]:  # up to a blank line or a sentence
        if len(_BREAK.findall(body, before, line_start)) >= 2 or _is_paragraph(body, line_start, line_end):
            break
        labelled = (_BYLINE, _PUBLISHED, _UPDATED, _ABOUT, _FIGURES_DATE)
        if any(pattern.match(body, line_start, line_end) for pattern in labelled) or any(
            found for _, found in _dates_in_head(body, line_start, line_end)
        ):
            return _stated(body, start, end_of_text)
        before = line_end
    longer = next_end - next_start >= 1.5 * len(text)
    return _stated(body, start, end_of_text) if longer and _is_paragraph(body, next_start, next_end) else None


def _date_only(body: str, start: int, end: int) -> Published | None:
    """The date of a line that has only a date, perhaps with a time of day."""
    dated = _date_at(body, start, end)
    if dated is None or not _AFTER_DATE.fullmatch(body, dated[0].end, end):
        return None
    return Published(dated[1], Origin.STATED, dated[0])


def _dates_in_head(body: str, start: int, end: int) -> Iterator[tuple[str, Published | None]]:
    """(label, date) of each part of a line near the title. Bars or dots separate the parts. The label is "published", "updated" or
    "", the date None where a part is something else."""
    for part in _PART.finditer(body, start, end):
        low = part.start() + len(part.group()) - len(part.group().lstrip(" \t|·•*_"))
        published, updated = _PUBLISHED.match(body, low, part.end()), _UPDATED.match(body, low, part.end())
        label = published or updated
        low = label.end() if label else low
        later = _UPDATED_TOO.search(body, low, part.end())
        end = later.start() if later else part.end()
        ahead = body[low : low + next((m.span.start for m in find_dates(body[low : min(end, low + 160)])), 0)]
        if any(some.match(ahead) for some in (_BY_BEFORE_DATE, _PLACE_BEFORE_DATE, _TIME_BEFORE_DATE)):
            low += len(ahead)
        dated = _date_only(body, low, end)
        yield "published" if published else "updated" if updated else "", dated


_AUTHOR = re.compile(r"(?:(?:written|reported) )?by\s+(?P<name>[^\W\d_][^\d|·•,;:()–—/@]{2,78})", re.I)


def _author(body: str, start: int, end: int) -> Field | None:
    """Who wrote the article, by the line "By Ann Lee | July 8, 2025": names, each word with a capital but for "and", "de"
    and the like."""
    match = _AUTHOR.match(body, start, end)
    if match is None or _is_paragraph(body, start, end) or find_dates(match["name"]):
        return None
    parts = match["name"].split()
    named = [part for part in parts if part[0].isupper()]
    if not 2 <= len(named) <= 8 or any(len(part) > 3 for part in parts if part[0].islower()):
        return None
    return _stated(body, *match.span("name"))


def lines_about(body: str) -> list[Span]:
    """The lines above the first paragraph with metadata of the article: who wrote it, and when."""
    found = []
    for start, end in list(_lines(body, content_span(body).start))[:_HEAD_LINES]:
        if _is_paragraph(body, start, end):
            break
        if _BYLINE.match(body, start, end) or any(dated for _, dated in _dates_in_head(body, start, end)):
            found.append(Span(start, end))
    return found


def _dateline(body: str, start: int, end: int) -> Description:
    """Place, date and agency ahead of the first sentence: "LONDON, July 10 (Reuters) - The", "Paris, France – In"; or the
    whole date alone: "10 July 2025 – The".

    With neither a date nor an agency, words in capitals may as well be "BREAKING" or "NATO": then the text itself must
    speak of being in, at, near or from that place.
    """
    dated = _date_at(body, start, end)
    if (
        dated
        and dated[1].precision is Precision.DAY
        and dated[1].year
        and _DASH_AND_SENTENCE.match(body, dated[0].end)
    ):
        return Description(published=Published(dated[1], Origin.STATED, dated[0]))
    match = _DATELINE.match(body, start, min(end, start + 160))
    if match is None or not _is_paragraph(body, start, end):
        return Description()
    city, region = match["city"], match["region"]
    if any(not word[0].isupper() for word in re.findall(r"[\w’'.-]{3,}", match["place"])):
        return Description()
    if find_dates(match["place"]) or (match["date"] and _date_at(body, *match.span("date")) is None):
        return Description()
    if not (match["date"] or match["agency"]):
        if not (region or city.isupper()):
            return Description()
        name = re.escape(city.title() if city.isupper() else city)
        if not re.search(rf"\b(?:in|at|near|from|outside) {name}\b", body[match.end() :]):
            return Description()
    published = None
    if match["date"]:
        dated = _date_at(body, *match.span("date"))
        published = Published(dated[1], Origin.STATED, dated[0]) if dated else None
    agency = _stated(body, *match.span("agency")) if match["agency"] else None
    return Description(place=_stated(body, *match.span("place")), published=published, publisher=agency)


def named_publisher(body: str, start: int, end: int) -> Span | None:
    """The publisher's name in a line that only says who published the article."""
    for pattern in _PUBLISHERS:
        match = pattern.match(body, start, end)
        named = match is not None and (match[1][0].isupper() or "." in match[1] or match[1][0].isdigit())
        if match and named and not find_dates(match[1]):
            return Span(*match.span(1))
    return None


def _publisher(body: str, lines: list[tuple[int, int]]) -> Field | None:
    """Who published the article, by the words of its last lines.

    Either a line says so ("Published by ...", "Discover more from ...", "The post ... appeared first on ...", a
    copyright notice), or the last line, under a text of paragraphs, is a name: a web address, a name of up to five
    words with one such as "Times" or "News" in it, or a single long word that the text does not use and that is no
    button or section. An attribution ("... reports", "as reported by ...", "citing ...") names a source, which other
    papers name too, so it never counts.
    """
    for start, end in reversed(lines[-_FOOT_LINES:]):
        if span := named_publisher(body, start, end):
            return _stated(body, span.start, span.end)
    if len(lines) < 4 or not all(_is_paragraph(body, *line) for line in lines[-3:-1]):
        return None
    start, end = lines[-1]
    if end - start > _MAX_NAME_CHARS:
        return None
    text = body[start:end]
    names = text.split()
    if re.fullmatch(r"(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,12}/?", text, re.I) and len(names) == 1:
        return _stated(body, start, end)
    if not re.fullmatch(_NAME, text):
        return None
    if 2 <= len(names) <= 5 and all(name[0].isupper() or name in ("of", "the") for name in names):
        return _stated(body, start, end) if _PRESS_WORDS & {fold(name) for name in names} else None
    used = fold(text) in fold(body[:start])
    if len(names) == 1 and len(text) >= 8 and not used and fold(text) not in _NO_SITE:
        return _stated(body, start, end)
    return None


def describe(body: str) -> Description:
    """What the text says of its title, publisher, date, place and address; unknown where it does not say.

    Front matter comes first. The title is the first line when that is a heading (`_title`), without a label such as
    "date 2025-07-10" ahead of it, which is the date of publication. That date may also be on one of the first lines
    ("Published: 10 July 2025", or a full date alone under the title, a time of day and a byline beside it; "Updated: ..."
    there where nothing else is said) or in the dateline, which gives the place and the
    agency too (`_dateline`). The publisher stands in the last lines (`_publisher`), an address only behind a label
    ("URL: https://..."), the author behind "By" in the first lines.
    """
    front = _from_front_matter(body)
    lines = list(_lines(body, content_span(body).start))
    if not lines:
        return front
    first = lines[0][0]
    published = front.published
    label = _PUBLISHED.match(body, *lines[0])
    dated = _date_at(body, label.end(), lines[0][1]) if label else None
    rest = _GAP.match(body, dated[0].end, lines[0][1]) if dated else None
    if (
        rest and rest.end() < lines[0][1] and _title(body, lines, rest.end())
    ):  # "date 2025-07-10 Parliament votes"
        first = rest.end()
        published = published or (Published(dated[1], Origin.STATED, dated[0]) if dated else None)
    elif label and not _is_paragraph(body, *lines[0]):  # the title is below
        alone = next((found for _, found in _dates_in_head(body, *lines[0]) if found), None)
        published, lines = published or alone, lines[1:]
        first = lines[0][0] if lines else first
    heading = _title(body, lines, first) if lines else None
    title, titled = front.title or heading, heading is not None
    place, agency, url = front.place, None, front.url
    author = front.author
    updated: Published | None = None  # used where no date of publication is stated
    for number, (start, end) in enumerate(lines[:_HEAD_LINES]):
        author = author or _author(body, start, end)
        dates = [(kind, found) for kind, found in _dates_in_head(body, start, end) if found]
        for kind, found_date in dates:
            under_title = titled and 0 < number < 4 and found_date.date.precision is Precision.DAY
            if kind == "published" or (under_title and not kind):
                published = published or found_date
            elif under_title:
                updated = updated or found_date
        if (
            dates
            or (titled and number == 0)
            or _BYLINE.match(body, start, end)
            or not _is_paragraph(body, start, end)
        ):
            continue
        found = _dateline(body, start, end)
        place, published, agency = place or found.place, published or found.published, found.publisher
        break
    for start, end in [*lines[:_HEAD_LINES], *lines[-_FOOT_LINES:]]:
        match = _URL.match(body, start, end)
        if match and url is None:
            url = _stated(body, *match.span(1))
    publisher = front.publisher or agency or _publisher(body, lines)
    return Description(title, publisher, published or updated, place, url, author)
