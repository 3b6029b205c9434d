"""Quantities in English text: numbers with their unit, what they count and how exact they claim to be.

Pure: rules over words, no model. It reads digits and number words, scales, ranges, percentages, money, ordinals,
clock times, scores and measures, and turns measures of one dimension into one unit (durations into seconds).
It does not read dates (`rag.text.dates` does: "July 10" and "2025" are no quantities here), and it does not know
whether two sentences speak of the same event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.schema import Span


def _list(line: str) -> list[str]:
    return line.split()


def _set(line: str) -> frozenset[str]:
    return frozenset(_list(line))


COUNT, PERCENT, ORDINAL, CLOCK, SCORE, SECONDS = "", "percent", "ordinal", "clock", "score", "s"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as a text states it; `text` is `source[span.start:span.end]`, with hedge, unit and counted noun.

    `low` and `high` are equal unless a range is stated (for a score they are its two sides). `unit` is "" for a plain
    count, else `percent`, `ordinal`, `clock` (seconds since midnight), `score`, `s`, `m`, `m2`, `l`, `kg`, `m/s`, `W`,
    `B`, `degree` or a currency such as `dollar`. `noun` is the singular of what is counted, "" where unknown. `approx`
    is "" (as it stands), "~" (about), "<" (nearly, up to), ">" (more than, at least) or "vague" (hundreds).
    `factor` is what the written number was multiplied with to reach the unit.
    """

    span: Span
    low: float
    high: float
    unit: str
    noun: str
    approx: str
    text: str
    factor: float = 1.0

    @property
    def bare(self) -> bool:
        """Whether neither a unit nor a counted thing is stated: "some estimate 60"."""
        return self.unit == COUNT and not self.noun


_SMALL = _list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = _list("twenty thirty forty fifty sixty seventy eighty ninety")
_CARDINAL = {w: float(n) for n, w in enumerate(_SMALL)} | {w: 20.0 + 10 * n for n, w in enumerate(_TENS)}
_MULTIPLE = {
    **{"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12},
    **{"lakh": 1e5, "lakhs": 1e5, "crore": 1e7, "crores": 1e7},
}
_DOZEN = {"dozen": 12.0}
_SHORT_SCALE = {
    "k": 1e3,
    "mn": 1e6,
    "mln": 1e6,
    "bn": 1e9,
    "bln": 1e9,
    "tn": 1e12,
    "trn": 1e12,
    "m": 1e6,
    "b": 1e9,
}
_VAGUE = {
    "tens": (20.0, 99.0),
    "dozens": (24.0, 99.0),
    "scores": (20.0, 99.0),
    "hundreds": (100.0, 999.0),
    "thousands": (1e3, 9999.0),
    "millions": (1e6, 9.99e8),
    "billions": (1e9, 9.99e11),
}
_ORDINAL_WORDS = _list(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_ORDINAL = {w: float(n) for n, w in enumerate(_ORDINAL_WORDS) if n} | {
    w[:-1] + "ieth": 20.0 + 10 * n for n, w in enumerate(_TENS)
}
_FRACTION = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}
_GLYPHS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_YEAR = 365.25 * _DAY  # the Julian year, so that 12 months are a year and 7 days a week

# Unit word -> (dimension, factor). Sources of the factors: the SI brochure and the international yard and pound.
_UNITS: dict[str, tuple[str, float]] = {}


def _unit(dimension: str, factor: float, names: str) -> None:
    for name in names.split():
        _UNITS[name] = (dimension, factor)


_unit("s", 1.0, "second seconds sec secs")
_unit("s", _MINUTE, "minute minutes min mins")
_unit("s", _HOUR, "hour hours hr hrs")
_unit("s", _DAY, "day days")
_unit("s", 7 * _DAY, "week weeks wk wks")
_unit("s", 14 * _DAY, "fortnight fortnights")
_unit("s", _YEAR / 12, "month months")
_unit("s", _YEAR, "year years yr yrs")
_unit("s", 10 * _YEAR, "decade decades")
_unit("s", 100 * _YEAR, "century centuries")
_unit("m", 1.0, "metre metres meter meters")
_unit("m", 1000.0, "kilometre kilometres kilometer kilometers km kms")
_unit("m", 0.01, "centimetre centimetres centimeter centimeters cm")
_unit("m", 0.001, "millimetre millimetres millimeter millimeters mm")
_unit("m", 1609.344, "mile miles mi")
_unit("m", 0.3048, "foot feet ft")
_unit("m", 0.0254, "inch inches")
_unit("m", 0.9144, "yard yards yd yds")
_unit("kg", 1.0, "kilogram kilograms kilogramme kilogrammes kilo kilos kg kgs")
_unit("kg", 0.001, "gram grams gramme grammes")
_unit("kg", 1000.0, "tonne tonnes")
_unit("ton", 1.0, "ton tons")  # metric, short or long: the text does not say which
_unit("pound", 1.0, "pound pounds lb lbs")  # weight or sterling: the text often does not say which
_unit("m2", 1e4, "hectare hectares ha")
_unit("m2", 4046.8564224, "acre acres")
_unit("l", 1.0, "litre litres liter liters")
_unit("l", 3.785411784, "gallon gallons")
_unit("degree", 1.0, "degree degrees °")
_unit("m/s", 1609.344 / 3600, "mph")
_unit("m/s", 1000 / 3600, "kmh kph")
_unit("W", 1.0, "watt watts")
_unit("W", 1e3, "kilowatt kilowatts kw")
_unit("W", 1e6, "megawatt megawatts mw")
_unit("W", 1e9, "gigawatt gigawatts gw")
_unit("B", 1e6, "megabyte megabytes mb")
_unit("B", 1e9, "gigabyte gigabytes gb")
_unit("B", 1e12, "terabyte terabytes tb")
_unit("percent", 1.0, "percent pct % percentage")
_unit("dollar", 1.0, "dollar dollars usd")
_unit("dollar", 0.01, "cent cents")
_unit("euro", 1.0, "euro euros eur")
_unit("pound", 0.01, "pence")
_unit("pound", 1.0, "gbp sterling")
_unit("yen", 1.0, "yen jpy")
_unit("yuan", 1.0, "yuan renminbi rmb cny")
_unit("rouble", 1.0, "ruble rubles rouble roubles rub")
_unit("rupee", 1.0, "rupee rupees inr rs")
_unit("franc", 1.0, "franc francs chf")
_unit("won", 1.0, "krw")
_unit("hryvnia", 1.0, "hryvnia hryvnias uah")
_unit("peso", 1.0, "peso pesos")
_unit("lira", 1.0, "lira liras")
_unit("rand", 1.0, "rand zar")
_unit("riyal", 1.0, "riyal riyals")
_unit("ringgit", 1.0, "ringgit myr")
_unit("krone", 1.0, "krone kroner krona kronor")

MONEY_UNITS = _set(
    "dollar euro pound yen yuan rouble rupee franc won hryvnia peso lira rand riyal ringgit krone"
)
_SYMBOLS = {
    "$": "dollar",
    "€": "euro",
    "£": "pound",
    "¥": "yen",
    "₹": "rupee",
    "₽": "rouble",
    "₩": "won",
    "₴": "hryvnia",
}
_CODES = {
    "USD": "dollar",
    "EUR": "euro",
    "GBP": "pound",
    "JPY": "yen",
    "CNY": "yuan",
    "RMB": "yuan",
    "INR": "rupee",
    "Rs": "rupee",
    "RM": "ringgit",
    "CHF": "franc",
    "RUB": "rouble",
}
_MULTIWORD_UNITS: tuple[tuple[tuple[str, ...], tuple[str, float]], ...] = (
    (("percentage", "points"), ("point", 1.0)),
    (("percentage", "point"), ("point", 1.0)),
    (("basis", "points"), ("point", 0.01)),
    (("per", "cent"), ("percent", 1.0)),
    (("miles", "per", "hour"), ("m/s", 1609.344 / 3600)),
    (("kilometres", "per", "hour"), ("m/s", 1000 / 3600)),
    (("kilometers", "per", "hour"), ("m/s", 1000 / 3600)),
    (("km", "/", "h"), ("m/s", 1000 / 3600)),
    (("nautical", "miles"), ("m", 1852.0)),
    (("metric", "tons"), ("kg", 1000.0)),
    (("metric", "ton"), ("kg", 1000.0)),
    (("us", "dollars"), ("dollar", 1.0)),
    (("american", "dollars"), ("dollar", 1.0)),
)
_SQUARE = frozenset({"square", "sq"})

# Hedges, longest first; the word before the number decides how it is to be told.
_HEDGES: tuple[tuple[tuple[str, ...], str], ...] = tuple(
    (tuple(words.split()), sign)
    for sign, phrases in (
        (
            ">",
            "more than|greater than|higher than|in excess of|upwards of|upward of|at least|no fewer than|no less than",
        ),
        (
            ">",
            "not less than|a minimum of|just over|well over|slightly over|over|above|exceeding|beyond|longer than",
        ),
        (
            "<",
            "just under|slightly under|less than|fewer than|lower than|shorter than|not quite|up to|at most|no more than",
        ),
        (
            "<",
            "not more than|as many as|as much as|as high as|as long as|as few as|as little as|a maximum of|nearly",
        ),
        ("<", "almost|under|below|close to"),
        (
            "~",
            "about|around|approximately|approx|roughly|circa|some|an estimated|estimated|or so|~|more or less",
        ),
    )
    for words in sorted(phrases.split("|"), key=lambda p: -len(p))
)

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_NTH = r"(?:st|nd|rd|th)?"
# What `rag.text.dates` reads, and numbers that name things rather than count them.
_NOT_QUANTITIES = re.compile(
    rf"\b\d{{4}}-\d{{1,2}}-\d{{1,2}}\b|\b\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}\b"
    rf"|\b{_MONTH}\s+(?:the\s+)?\d{{1,2}}{_NTH}\b(?:\s?[-–]\s?\d{{1,2}}{_NTH}\b)?(?:,?\s+\d{{4}}\b)?"
    rf"|\b\d{{1,2}}{_NTH}(?:\s?[-–]\s?\d{{1,2}}{_NTH})?\s+(?:of\s+)?{_MONTH}(?:,?\s+\d{{4}}\b)?"
    r"|\b\d{1,4}\s?(?:BCE?|AD|CE)\b|\b[Aa][Dd]\s?\d{1,4}\b"
    r"|\b\d{4}s\b|['’]\d0s\b|\b\d{4}\s?[-–/]\s?\d{2}(?:\d{2})?\b|\b24/7\b|\[\d+\]"
)
_CLOCK = re.compile(
    r"(?<![\d:.,])(?P<h>[01]?\d|2[0-4])(?:(?::|\.(?=\d\d\s?[ap]\.?m))(?P<m>[0-5]\d))?\s?(?P<half>[ap])\.?\s?m\b\.?"
    r"|(?<![\d:.,])(?P<h2>[01]?\d|2[0-4]):(?P<m2>[0-5]\d)(?![\d:])"
    r"|\b(?P<word>noon|midday|midnight)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}|\d+(?:\.\d+)?)"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)|(?P<other>[^\s])"
)

_STOP = _set(
    "a an the this that these those of in on at to for from with by as into onto over under after before during since "
    "until till and or but nor so yet if when while where who whom whose which what than then because about against "
    "between through is are was were be been being am has have had do does did will would shall should can could may "
    "might must not no it its he his she her they their we our you your i my me him them us there here per each every "
    "says said ago later earlier including according despite amid without within across along among around"
)
_IRREGULAR = {
    "people": "person",
    "persons": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "wives": "wife",
    "lives": "life",
    "knives": "knife",
    "halves": "half",
    "leaves": "leaf",
    "wolves": "wolf",
    "policemen": "policeman",
    "servicemen": "serviceman",
    "fishermen": "fisherman",
    "crises": "crisis",
    "criteria": "criterion",
    "phenomena": "phenomenon",
}
# the same word in the plural, and words counted without an s
_UNMARKED = _set(
    "police personnel staff cattle fish sheep aircraft spacecraft series species deer salmon offspring troops"
)
_NOT_PLURAL = _set("is was has does this its his less across perhaps always news politics status")
_CONTEST = _set(
    "win wins won victory beat beats beating defeat defeated lost lose loss lead led draw drew vote voted ruled score "
    "scored tie tied aggregate decision"
)
_BEFORE_ONE = _set(
    "for in within lasted lasting lasts last took takes take taking after than over about under nearly almost around "
    "roughly approximately exactly just spent least to only quite"
)
_YEAR_LEADS = _set(
    "in since by of from until till during year for to after before early late mid spring summer autumn fall winter the "
    "and or between around circa through january february march april may june july august september october november "
    "december"
)


def singular(word: str) -> str:
    """The singular of an English noun by its ending; irregular ones from a short list."""
    w = word.casefold()
    if w in _IRREGULAR:
        return _IRREGULAR[w]
    if w in _UNMARKED or len(w) < 4 or not w.endswith("s") or w.endswith(("ss", "us", "is")):
        return w
    if w.endswith("ies"):
        return w[:-3] + "y"
    if w.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return w[:-2]
    return w[:-1]


def is_plural(word: str) -> bool:
    """Whether a word looks like a plural noun."""
    w = word.casefold()
    if w in _IRREGULAR or w in _UNMARKED:
        return True
    return (
        len(w) > 3
        and w.endswith("s")
        and not w.endswith(("ss", "us", "is", "'s", "’s"))
        and w not in _NOT_PLURAL
    )


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    text: str
    low: str
    is_number: bool
    is_word: bool


@dataclass(slots=True)
class _Reading:
    """A number read from the tokens [first, after): its values before the unit."""

    first: int
    after: int
    low: float
    high: float
    unit: str = COUNT
    factor: float = 1.0
    approx: str = ""
    scored: bool = False
    words: bool = False


def _tokens(text: str) -> list[_Token]:
    found = []
    for m in _TOKEN.finditer(text):
        kind = m.lastgroup
        found.append(
            _Token(m.start(), m.end(), m.group(), m.group().casefold(), kind == "number", kind == "word")
        )
    return found


class _Reader:
    """Walks the tokens of one text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.blocked = [m.span() for m in _NOT_QUANTITIES.finditer(text)]

    def low(self, i: int) -> str:
        return self.tokens[i].low if 0 <= i < len(self.tokens) else ""

    def joined(self, i: int) -> bool:
        """Whether token i touches the one before it."""
        return 0 < i < len(self.tokens) and self.tokens[i].start == self.tokens[i - 1].end

    def is_dash(self, i: int) -> bool:
        return self.low(i) in ("-", "–", "—", "−", "‑")

    def inside_blocked(self, i: int) -> bool:
        t = self.tokens[i]
        return any(s <= t.start < e for s, e in self.blocked)

    def quantities(self) -> Iterator[Quantity]:
        clocks = list(_CLOCK.finditer(self.text))
        for m in clocks:
            yield self.clock(m)
        self.blocked += [m.span() for m in clocks]
        i = 0
        while i < len(self.tokens):
            if self.inside_blocked(i):
                i += 1
                continue
            reading = self.reading(i)
            if reading is None:
                i += 1
                continue
            quantity, i = self.finish(reading)
            yield quantity

    @staticmethod
    def clock(m: re.Match[str]) -> Quantity:
        if m.group("word"):
            value = 0.0 if m.group("word").casefold() == "midnight" else 12 * _HOUR
        else:
            hour = int(m.group("h") or m.group("h2"))
            if m.group("half"):
                hour = hour % 12 + (12 if m.group("half").casefold() == "p" else 0)
            value = hour * _HOUR + int(m.group("m") or m.group("m2") or 0) * _MINUTE
        return Quantity(Span(*m.span()), value, value, CLOCK, "", "", m.group())

    # -- numbers -----------------------------------------------------------------------------------------------------

    def number(self, i: int) -> tuple[float, int] | None:
        """(value, token after it) of digits or number words at token i, scales included."""
        token = self.tokens[i] if i < len(self.tokens) else None
        if token is None or self.inside_blocked(i):
            return None
        if token.is_number:
            value = float(token.text.replace(",", ""))
            j = i + 1
            if self.joined(j) and self.low(j) in _GLYPHS:
                value, j = value + _GLYPHS[self.low(j)], j + 1
            return self.scaled(value, j)
        if token.low in _GLYPHS:
            return _GLYPHS[token.low], i + 1
        return self.number_words(i)

    def scaled(self, value: float, j: int) -> tuple[float, int]:
        k = j + 1 if self.is_dash(j) and self.low(j + 1) in _MULTIPLE else j
        while self.low(k) in _MULTIPLE:
            value, k = value * _MULTIPLE[self.low(k)], k + 1
            j = k
        if self.low(j) in _SHORT_SCALE and self.low(j) not in ("m", "b") and self.joined(j):
            return value * _SHORT_SCALE[self.low(j)], j + 1
        if self.low(j) in ("bn", "mn", "mln", "bln", "tn", "trn"):
            return value * _SHORT_SCALE[self.low(j)], j + 1
        return value, j

    def number_words(self, i: int) -> tuple[float, int] | None:
        total, current, j, seen = 0.0, 0.0, i, False
        article = self.low(i) in ("a", "an")
        if article:
            if self.low(i + 1) not in _MULTIPLE and self.low(i + 1) not in _DOZEN:
                return None
            current, j = 1.0, i + 1
        elif (
            self.low(i) == "half"
            and self.low(i + 1) in ("a", "an")
            and self.low(i + 2) in (*_MULTIPLE, *_DOZEN)
        ):
            current, j = 0.5, i + 2
        while True:
            word = self.low(j)
            if word in _CARDINAL and not (seen and current % 100 and (current % 10 or _CARDINAL[word] > 9)):
                current, seen = current + _CARDINAL[word], True
            elif word in _DOZEN and (seen or current):
                current, seen = (current or 1.0) * 12, True
            elif word == "hundred" and (seen or current):
                current, seen = (current or 1.0) * 100, True
            elif word in _MULTIPLE and (seen or current):
                total, current, seen = total + (current or 1.0) * _MULTIPLE[word], 0.0, True
            elif (
                word == "and"
                and seen
                and (self.low(j - 1) in _MULTIPLE)
                and (self.low(j + 1) in _CARDINAL)
                and (current % 100 == 0)
            ) or (
                self.is_dash(j) and self.joined(j) and self.low(j + 1) in (*_CARDINAL, *_MULTIPLE) and seen
            ):
                pass
            else:
                break
            j += 1
        if not seen:
            return None
        value = total + current
        # "one and a half", "two-and-a-half"
        rest = [self.low(k) for k in range(j, j + 7) if not self.is_dash(k)][:3]
        if rest == ["and", "a", "half"]:
            steps = 0
            while steps < 3:
                steps += not self.is_dash(j)
                j += 1
            value += 0.5
        return self.scaled(value, j)

    def reading(self, i: int) -> _Reading | None:
        """A number, range, score, ordinal, fraction or unit phrase ("an hour") that starts at token i."""
        token = self.tokens[i]
        if token.text in _SYMBOLS or (
            token.low in ("us", "a", "c", "au", "ca", "hk", "nz", "s") and self.low(i + 1) == "$"
        ):
            return self.money(i)
        if self.attached(i):
            return None
        special = (
            self.coded(i) or self.vague(i) or self.fraction(i) or self.article_unit(i) or self.ordinal(i)
        )
        if special:
            return special
        if token.low in _CARDINAL and self.is_name(i):
            return None
        first = self.number(i)
        if first is None:
            return None
        value, j = first
        if token.low == "one" and j == i + 1 and self.pronoun_one(i):
            return None
        if token.is_number and self.is_year(i, j):
            return None
        reading = _Reading(i, j, value, value, words=token.is_word)
        self.extend_range(reading)
        return reading

    def is_name(self, i: int) -> bool:
        """A number word with a capital inside a sentence is part of a name: "Four Seasons"."""
        text = self.tokens[i].text
        return text[0].isupper() and not text.isupper() and not self.sentence_start(i)

    def attached(self, i: int) -> bool:
        """Whether a number belongs to a name: G7, F-16, Covid-19."""
        if not self.tokens[i].is_number:
            return False
        if self.joined(i) and self.tokens[i - 1].is_word:
            return True
        if self.joined(i) and self.low(i - 1) in (".", "/", "#", "_", ":") and self.joined(i - 1):
            return self.low(i - 1) != "." or self.tokens[i - 2].is_number
        if not (self.joined(i) and self.is_dash(i - 1) and self.joined(i - 1)):
            return False
        before = self.tokens[i - 2]
        return before.is_word and before.low not in _CARDINAL and self.low(i - 1) != "—"

    def pronoun_one(self, i: int) -> bool:
        after = self.low(i + 1)
        if self.low(i - 1) in (
            "no",
            "any",
            "every",
            "some",
            "each",
            "this",
            "that",
            "another",
            "which",
            "the",
            "only",
        ):
            return True
        return (
            not after
            or after in _STOP
            or not (self.tokens[i + 1].is_word or self.is_dash(i + 1))
            or after
            in (
                "day",
                "another",
                "else",
                "such",
                "more",
            )
        )

    def sentence_start(self, i: int) -> bool:
        return i == 0 or self.low(i - 1) in (".", "!", "?", ":", "“", '"', "‘", "(", "•", "—", "–")

    def is_year(self, i: int, after: int) -> bool:
        """A number of four digits that is a year and counts nothing."""
        token = self.tokens[i]
        if after != i + 1 or not re.fullmatch(r"1\d{3}|20\d\d", token.text):
            return False
        if self.unit_at(after) is not None:
            return False
        value = int(token.text)
        plural = after < len(self.tokens) and is_plural(self.low(after))
        return not (plural and value < 1900 and self.low(i - 1) not in _YEAR_LEADS)

    def money(self, i: int) -> _Reading | None:
        prefix = "" if self.tokens[i].text in _SYMBOLS else self.low(i)
        at = i if not prefix else i + 1
        if prefix and self.tokens[at].text != "$":
            return None
        first = self.number(at + 1)
        if first is None or self.low(at + 1) in ("a", "an"):
            return None
        value, j = first
        unit = _SYMBOLS[self.tokens[at].text]
        if prefix in ("a", "au", "c", "ca", "hk", "nz", "s"):
            if self.tokens[i].text.islower() or not self.joined(at):
                return self.money(at)
            unit = f"{prefix[0]}-dollar"
        if self.low(j) in ("m", "b", "k") and self.joined(j):
            value, j = value * _SHORT_SCALE[self.low(j)], j + 1
        reading = _Reading(i, j, value, value, unit)
        dash = self.is_dash(j) or self.low(j) == "to"
        if dash:
            k = j + 2 if self.low(j + 1) in _SYMBOLS else j + 1
            second = self.number(k)
            if second and (self.is_dash(j) or self.low(i - 1) != "from") and not self.unit_at(second[1]):
                high, after = second
                if self.low(after) in ("m", "b", "k") and self.joined(after):
                    high, after = high * _SHORT_SCALE[self.low(after)], after + 1
                if high > value:
                    scale = high / value if value else 1.0
                    # "$3-5 million": the scale belongs to both
                    for step in (1e12, 1e9, 1e6, 1e3):
                        if value < 1000 and high >= step and scale >= step / 10 and j == at + 2:
                            value *= step
                            break
                    reading = _Reading(i, after, value, high, unit)
        if self.low(reading.after) in ("usd", "dollars", "euros", "pounds"):
            reading.after += 1
        return reading

    def coded(self, i: int) -> _Reading | None:
        """ "USD 500", "Rs 500": a code or short name ahead of the sum."""
        unit = _CODES.get(self.tokens[i].text)
        if unit is None:
            return None
        j = i + 2 if self.low(i + 1) == "." else i + 1
        if j >= len(self.tokens) or not self.tokens[j].is_number:
            return None
        first = self.number(j)
        return None if first is None else _Reading(i, first[1], first[0], first[0], unit)

    def vague(self, i: int) -> _Reading | None:
        word = self.low(i)
        if word not in _VAGUE or self.low(i - 1) in _CARDINAL or (i and self.tokens[i - 1].is_number):
            return None
        if word in ("scores", "tens") and self.low(i + 1) != "of":
            return None
        low, high = _VAGUE[word]
        j = i + 1
        if self.low(j) == "of" and self.low(j + 1) in _VAGUE:  # "tens of thousands"
            low, high, j = low * _VAGUE[self.low(j + 1)][0], high * _VAGUE[self.low(j + 1)][1], j + 2
        return _Reading(i, j, low, high, approx="vague", words=True)

    def fraction(self, i: int) -> _Reading | None:
        """Shares, told in percent: half of, two thirds, a quarter of."""
        word = self.low(i)
        if word == "half" and self.low(i + 1) in ("of", "the", "its", "their", "his", "her", "all"):
            if self.low(i - 1) in ("first", "second", "other", "the", "and", "a"):
                return None
            return _Reading(i, i + 1, 50.0, 50.0, PERCENT, words=True)
        count = 1.0 if word in ("a", "an") else _CARDINAL.get(word)
        if count is None or not 1 <= count <= 9:
            return None
        j = i + 2 if self.is_dash(i + 1) and self.joined(i + 1) else i + 1
        part = singular(self.low(j)) if self.low(j).endswith("s") else self.low(j)
        if part not in _FRACTION or part == "half" or (word in ("a", "an") and self.low(j + 1) != "of"):
            return None
        if count > 1 and not self.low(j).endswith("s"):
            return None
        if count == 1 and self.low(j + 1) not in ("of",) and j == i + 1:
            return None
        if part == "quarter" and self.low(j + 1) == "of" and self.low(j + 2) in ("an", "a", "the"):
            unit = _UNITS.get(self.low(j + 3))
            if unit and unit[0] == SECONDS:
                value = count * 0.25
                return _Reading(
                    i, j + 4, value * unit[1], value * unit[1], SECONDS, factor=unit[1], words=True
                )
        return _Reading(i, j + 1, count * _FRACTION[part], count * _FRACTION[part], PERCENT, words=True)

    def article_unit(self, i: int) -> _Reading | None:
        """ "an hour", "half an hour", "an hour and a half", "hour-long"; not the rates "twice a day", "$5 a month"."""
        word = self.low(i)
        unit = _UNITS.get(word)
        if unit and unit[0] == SECONDS and word not in ("second", "sec", "min") and not word.endswith("s"):
            dash = 1 if self.is_dash(i + 1) and self.joined(i + 1) else 0
            if self.low(i + 1 + dash) in ("long",) and not self.tokens[i - 1 if i else 0].is_number:
                before = self.low(i - 1) if i else ""
                if before not in _CARDINAL and not (self.is_dash(i - 1) and self.joined(i)):
                    return _Reading(i, i + 2 + dash, unit[1], unit[1], SECONDS, factor=unit[1], words=True)
        if word == "half":
            j = i + 1
            if self.is_dash(j) or self.low(j) in ("a", "an"):
                j += 1
            unit = _UNITS.get(self.low(j))
            if j > i + 1 and unit and unit[0] in (SECONDS, "m", "kg") and not self.low(j).endswith("s"):
                return _Reading(i, j + 1, unit[1] / 2, unit[1] / 2, unit[0], factor=unit[1], words=True)
            return None
        if word not in ("a", "an"):
            return None
        unit = _UNITS.get(self.low(i + 1))
        if not unit or unit[0] != SECONDS or self.low(i + 1) in ("second", "min", "sec"):
            return None
        j, value = i + 2, 1.0
        if [self.low(k) for k in range(j, j + 3)] == ["and", "a", "half"]:
            j, value = j + 3, 1.5
        before, after = self.low(i - 1), self.low(j)
        if (
            value == 1.5
            or before in _BEFORE_ONE
            or after in ("ago", "later", "earlier", "long")
            or self.is_dash(j)
        ):
            if self.is_dash(j) and self.low(j + 1) == "long":
                j += 2
            return _Reading(i, j, value * unit[1], value * unit[1], SECONDS, factor=unit[1], words=True)
        return None

    def ordinal(self, i: int) -> _Reading | None:
        token = self.tokens[i]
        if token.is_number:
            if self.low(i + 1) in ("st", "nd", "rd", "th") and self.joined(i + 1) and "." not in token.text:
                value = float(token.text.replace(",", ""))
                return _Reading(i, i + 2, value, value, ORDINAL)
            return None
        if token.low in _TENS and self.is_dash(i + 1) and self.low(i + 2) in _ORDINAL:
            value = _CARDINAL[token.low] + _ORDINAL[self.low(i + 2)]
            return _Reading(i, i + 3, value, value, ORDINAL, words=True)
        if token.low not in _ORDINAL or (token.text[0].isupper() and not self.sentence_start(i)):
            return None
        if (
            token.low == "second"
            and self.low(i - 1) in ("a", "per", "every", "one")
            and self.low(i + 1) in (*_STOP, "")
        ):
            return None
        if token.low == "first" and self.low(i - 1) == "at":
            return None
        return _Reading(i, i + 1, _ORDINAL[token.low], _ORDINAL[token.low], ORDINAL, words=True)

    def extend_range(self, reading: _Reading) -> None:
        """Make a range or a score of a number that goes on with another."""
        i, j = reading.first, reading.after
        link = self.low(j)
        dash = self.is_dash(j) and (self.joined(j) == self.joined(j + 1))
        between = self.low(i - 1) == "between" and link == "and"
        worded = link in ("to", "or") and self.low(i - 1) not in ("from", "by")
        if not (dash or between or worded):
            return
        second = self.number(j + 1)
        if second is None:
            return
        high, after = second
        if self.tokens[j + 1].is_number and dash and self.is_year(j + 1, after):
            return
        if self.low(after) in ("st", "nd", "rd", "th") and self.joined(after):
            return
        low = reading.low
        if link == "to" and self.tokens[i].is_number != self.tokens[j + 1].is_number:
            return
        step = next(
            (s for s in (1e12, 1e9, 1e6, 1e3) if low < 1000 <= high and high >= s and after > j + 2), 1.0
        )
        low *= step  # "3 to 5 million": the scale belongs to both
        if dash and self.is_score(i, low, high, after):
            reading.low, reading.high, reading.after, reading.scored = low, high, after, True
        elif low < high:
            reading.low, reading.high, reading.after = low, high, after

    def is_score(self, i: int, low: float, high: float, after: int) -> bool:
        if low > 400 or high > 400 or low % 1 or high % 1:
            return False
        if self.unit_at(after) is not None:
            return False
        near = {self.low(k) for k in (*range(max(0, i - 4), i), *range(after, after + 3))}
        return low >= high or bool(near & _CONTEST)

    # -- units, nouns and hedges -------------------------------------------------------------------------------------

    def unit_at(self, j: int) -> tuple[str, float, int] | None:
        """(unit, factor, token after it) of a unit that starts at token j, a hyphen before it allowed."""
        k = j + 1 if self.is_dash(j) and self.joined(j) else j
        if k >= len(self.tokens):
            return None
        for names, (unit, factor) in _MULTIWORD_UNITS:
            if all(self.low(k + n) == name for n, name in enumerate(names)):
                return unit, factor, k + len(names)
        word = self.low(k)
        if word in _SQUARE and self.low(k + 1) in _UNITS and _UNITS[self.low(k + 1)][0] == "m":
            return "m2", _UNITS[self.low(k + 1)][1] ** 2, k + 2
        if word == "°":
            return "degree", 1.0, k + 2 if self.low(k + 1) in ("c", "f") else k + 1
        if word == "m" and self.joined(k):
            return "m", 1.0, k + 1
        if word == "second" and not self.is_dash(j) and self.low(j - 1) not in ("one", "1", "a"):
            return None
        if word in _UNITS:
            unit, factor = _UNITS[word]
            after = k + 1
            if word in ("min", "sec", "hr") and self.low(after) == ".":
                after += 1
            return unit, factor, after
        return None

    def hedge(self, i: int) -> tuple[str, int]:
        """(hedge, first token) of the words right before token i."""
        if self.low(i - 1) == "between":
            i -= 1
        for names, sign in _HEDGES:
            start = i - len(names)
            if start >= 0 and all(self.low(start + n) == name for n, name in enumerate(names)):
                if names == ("some",) and not (
                    self.tokens[i].is_number or self.low(i) in (*_CARDINAL, *_MULTIPLE)
                ):
                    continue
                return sign, start
        return "", i

    def noun(self, j: int, value: float, hyphened: bool) -> tuple[str, int]:
        """(singular of the counted thing, token after it); ("", j) where none is seen."""
        if hyphened and self.low(j + 1) not in ("odd", "plus", "some", "strong"):
            k = j + 1
            if k < len(self.tokens) and self.tokens[k].is_word:
                return singular(self.low(k)), k + 1
            return "", j
        k = j + 2 if hyphened else j
        if self.low(k) == "of":
            if self.low(k + 1) in ("the", "its", "their", "his", "her", "these", "those", "our"):
                k += 2
            elif self.low(j - 1) in _VAGUE:
                k += 1
            else:
                return "", j
        for n in range(5):
            at = k + n
            word = self.low(at)
            if at >= len(self.tokens) or word in _STOP:
                break
            if not self.tokens[at].is_word:
                if self.is_dash(at) and self.joined(at) and self.joined(at + 1):
                    continue
                break
            if is_plural(word):
                return singular(word), at + 1
            if value == 1 and not word.endswith(("ly", "ed", "ing")):
                ahead = self.low(at + 1)
                if not ahead or ahead in _STOP or not self.tokens[at + 1].is_word:
                    return singular(word), at + 1
        return "", j

    def finish(self, r: _Reading) -> tuple[Quantity, int]:
        """The quantity of a reading, and the token to go on from."""
        noun = ""
        if r.scored:
            r.unit = SCORE
        elif r.unit == COUNT:
            found = self.unit_at(r.after)
            hyphened = self.is_dash(r.after) and self.joined(r.after) and self.joined(r.after + 1)
            if found and self.low(found[2] - 1) == "m" and is_plural(self.low(found[2])):
                # "10m people" are millions, "10m tall" metres
                r.low, r.high, r.after, found = r.low * 1e6, r.high * 1e6, found[2], None
            if found is None:
                noun, after = self.noun(r.after, r.high, hyphened)
                head = _UNITS.get(self.low(after - 1)) if noun and not hyphened else None
                if head:  # "five gruelling hours"
                    found, noun = (*head, after), ""
                else:
                    r.after = after
            if found:
                r.unit, r.factor, r.after = found
                r.low, r.high = r.low * r.factor, r.high * r.factor
                if [self.low(r.after + n) for n in range(3)] == ["and", "a", "half"] and r.unit == SECONDS:
                    r.low, r.high, r.after = r.low + r.factor / 2, r.high + r.factor / 2, r.after + 3
                r.after = self.compound(r)
        if r.unit == ORDINAL:
            sign, first = "", r.first
        else:
            sign, first = self.hedge(r.first)
        if self.low(first) == "over" and r.unit == SECONDS and first != r.first:
            sign = ""  # "over two days" is as often "during"
        if not sign and [self.low(r.after + n) for n in range(2)] in (["or", "more"], ["or", "so"]):
            sign = ">" if self.low(r.after + 1) == "more" else "~"
            r.after += 2
        if not sign and self.low(r.after) == "+" and self.joined(r.after):  # "50+ countries"
            sign = ">"
            r.after += 1
            noun, r.after = self.noun(r.after, r.high, False) if not noun else (noun, r.after)
        start, end = self.tokens[first].start, self.tokens[min(r.after, len(self.tokens)) - 1].end
        approx = sign or r.approx
        quantity = Quantity(
            Span(start, end), r.low, r.high, r.unit, noun, approx, self.text[start:end], r.factor
        )
        return quantity, max(r.after, r.first + 1)

    def compound(self, r: _Reading) -> int:
        """ "1 hour and 20 minutes", "two years, six months": smaller units of one duration or length are added."""
        if r.unit not in (SECONDS, "m") or r.low != r.high:
            return r.after
        j = r.after
        if self.low(j) in ("and", ","):
            j += 1
        second = self.number(j)
        if second is None or self.low(j) in ("a", "an"):
            return r.after
        found = self.unit_at(second[1])
        if found is None or found[0] != r.unit or found[1] >= r.factor:
            return r.after
        r.low += second[0] * found[1]
        r.high = r.low
        return found[2]


@lru_cache(maxsize=4096)
def _cached(text: str) -> tuple[Quantity, ...]:
    return tuple(sorted(_Reader(text).quantities(), key=lambda q: (q.span.start, q.span.end)))


def find_quantities(text: str) -> list[Quantity]:
    """Every quantity of `text`, in text order. Offsets are offsets into `text`."""
    return list(_cached(text))


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-6 * max(abs(a), abs(b), 1e-9) + 1e-9


def same_unit(a: Quantity, b: Quantity) -> bool:
    """Whether two quantities are of one dimension; a bare number takes the other's unit."""
    if a.unit == b.unit:
        return True
    return a.bare or b.bare


def equal_values(a: Quantity, b: Quantity) -> bool:
    """Whether two quantities state the same number, or the same range, in units that can be compared."""
    if a.unit == b.unit:
        fa = fb = 1.0
    elif a.bare:
        fa, fb = 1.0, b.factor
    elif b.bare:
        fa, fb = a.factor, 1.0
    else:
        return False
    if _close(a.low / fa, b.low / fb) and _close(a.high / fa, b.high / fb):
        return True
    # 52 weeks and a year, 30 days and a month: calendar units are no exact multiples of each other
    calendar = {a.factor, b.factor} & {_YEAR / 12, _YEAR}
    exact = a.unit != SECONDS or a.low != a.high or b.low != b.high or a.factor == b.factor
    return bool(calendar) and not exact and abs(a.low - b.low) <= 0.02 * max(a.low, b.low)


def same_bound(a: Quantity, b: Quantity) -> bool:
    """Whether the hedges of two equal quantities claim the same side: "nearly 60" is neither "over 60" nor "60"."""
    sides = {a.approx if a.approx in ("<", ">") else "", b.approx if b.approx in ("<", ">") else ""}
    return len(sides) == 1
