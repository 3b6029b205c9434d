"""Quantities in English text: numbers with their unit, and how exact they claim to be. Pure.

Digits and number words, scales, ranges, percentages, money, ordinals, clock times, scores and measures are read
literally; measures of one dimension get one unit (durations seconds). Dates are left to `rag.text.dates`: "July 10" and
"2025" are no quantities here. The words for units and hedges, and the factors of the units (from the SI brochure and the
international yard and pound; a year is the Julian one), stand in `units.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from rag.schema import Span
from rag.text.dates import find_dates
from rag.text.words import STOP_WORDS, fold, word_set

COUNT, PERCENT, ORDINAL, CLOCK, SCORE, SECONDS = "", "percent", "ordinal", "clock", "score", "s"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as a text states it; `text` is `source[span.start:span.end]`, with hedge, unit and what is counted.

    `low` and `high` are equal unless a range is stated (for a score they are its two sides). `unit` is "" for a plain
    count, else `percent`, `ordinal`, `clock` (seconds since midnight), `score`, `s`, `m`, `m2`, `l`, `kg`, `m/s`, `W`,
    `B`, `degree` or a currency such as `dollar`; a ton and a pound are units of their own, since the text does not say
    which is meant. `approx` is "" (as it stands), "~" (about), "<" (nearly, up to) or ">" (more than, at least).
    `factor` is what the written number was multiplied with to reach the unit. `bare`: neither a unit nor a counted thing
    follows, as in "some estimate 60".
    """

    span: Span
    low: float
    high: float
    unit: str
    approx: str
    text: str
    factor: float = 1.0
    bare: bool = False


# --- words and patterns ------------------------------------------------------------------------------------------

_TABLES = json.loads(files(__package__).joinpath("units.json").read_text("utf-8"))
_SMALL, _TENS, _NTH = (_TABLES[key].split() for key in ("small", "tens", "ordinals"))
_CARDINAL = {w: float(n) for n, w in enumerate(_SMALL)} | {w: 20.0 + 10 * n for n, w in enumerate(_TENS)}
_ORDINAL = {w: float(n) for n, w in enumerate(_NTH, 1)} | {w[:-1] + "ieth": _CARDINAL[w] for w in _TENS}
_PART = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}
_GLYPHS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
_SCALES: dict[str, float] = _TABLES["scales"]
_CURRENCIES: dict[str, str] = {fold(name): unit for name, unit in _TABLES["currencies"].items()}
_UNITS: dict[str, tuple[str, float]] = {
    form: (dimension, factor)
    for dimension, factor, names in _TABLES["units"]
    for name in names.split(", ")
    for form in ((name, name + "s") if len(name) > 2 else (name,))
}
_SIGNS = {words: sign for sign, line in _TABLES["hedges"].items() for words in line.split(", ")}
_MONTH, _YEAR = _UNITS["month"][1], _UNITS["year"][1]


def _any(names: Iterable[str]) -> str:
    """A pattern of one of some words, the longest that fits."""
    return "|".join(re.escape(n).replace(r"\ ", r"\s") for n in sorted(names, key=lambda n: (-len(n), n)))


_DASH = "[-–—−‑]"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}|\d+(?:\.\d+)?)[½¼¾⅓⅔]?|[½¼¾⅓⅔]"
_SCALE = _any(s for s in _SCALES if len(s) > 3 or s in ("tn", "bn", "mn", "mln", "bln", "trn"))
_BELOW = rf"(?:(?:{_any(_TENS)})(?:[-\s](?:{_any(_SMALL[1:10])})\b)?|(?:{_any(_SMALL)})\b)"
_BELOW_1000 = rf"(?:(?:{_BELOW}|an?|half\san?)[-\s](?:hundred|dozen)\b(?:(?:\sand)?[-\s]{_BELOW})?|{_BELOW})"
_SCALED = rf"(?:{_BELOW_1000}|an?|half\san?)(?:[-\s](?:{_SCALE})\b)+"
_HALF = r"(?:[-\s]and[-\s]a[-\s]half)?"
_NUMBER = (
    rf"(?:(?:{_DIGITS})(?:[kmb]\b|(?:[-\s]?(?:hundred|{_SCALE})\b)+)?"
    rf"|(?:{_SCALED}(?:\sand)?\s)*(?:{_SCALED}|{_BELOW_1000}){_HALF}(?:[-\s](?:{_SCALE})\b)*(?!\w))"
)
_TIME = _any(n for n, (unit, _) in _UNITS.items() if unit == SECONDS and len(n) > 3 and not n.endswith("s"))
_PATTERN = re.compile(
    rf"""(?<![\w#/_:])(?<!\d[.,])(?:(?<![^\W\d_][-–‑])|(?=[^\W\d_]))(?:
      (?P<clock>(?P<hour>[01]?\d|2[0-4])(?:[:.](?P<minute>[0-5]\d))?\s?(?P<half>[ap])\.?\s?m\b\.?
        |(?P<hour24>[01]?\d|2[0-4]):(?P<minute24>[0-5]\d)(?![\d:])|noon\b|midday\b|midnight\b)
    | (?P<ordinal>\d[\d,]*(?:st|nd|rd|th)\b|(?:(?:{_any(_TENS)})-)?(?:{_any(_ORDINAL)})\b)
    | half(?:\san?\s|-)(?P<halved>{_any(_UNITS)})\b
    | (?P<parts>an?|{_any(_SMALL[1:10])})[-\s](?P<part>{_any(_PART)})(?:(?<=s)\b|s\b|(?=\sof\b)|(?<=one-\w{{5}})\b)
    | (?P<long>{_TIME})[-\s]long\b
    | an?\s(?P<a>{_TIME})\b(?P<longer>\sand\sa\shalf\b)?
    | (?P<symbol>(?:{_any(_CURRENCIES)})\s?)?(?P<low>{_NUMBER})
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_RANGE = re.compile(
    rf"(?P<link>\s?{_DASH}\s?|\s(?:to|or|and)\s)(?:{_any(_CURRENCIES)})?(?P<high>{_NUMBER})", re.IGNORECASE
)
_ANY_NUMBER = re.compile(_NUMBER, re.IGNORECASE)
_UNIT = re.compile(
    rf"[-\s]?(?P<square>sq(?:uare)?\s)?(?P<name>{_any(n for n in _UNITS if n != 'second')}|(?<=-)second)(?!\w)",
    re.IGNORECASE,
)
_STOP = rf"(?!(?:{_any((*STOP_WORDS, *_CARDINAL))}|ago|later|earlier|said|says)\b)"
_PLURAL = r"(?:[^\W\d_]{2,}(?<![sui])s|people|(?:\w*wo|police|service|fisher|)men|children|police|troops|staff|personnel|aircraft)"
_COUNTED = re.compile(
    rf"(?:-(?!odd\b|plus\b|strong\b)(?P<joined>[^\W\d_]+)"
    rf"|(?:-\w+)?(?:\sof(?:\s(?:the|its|their|his|her|these|those|our))?)?(?:\s{_STOP}[^\W\d_][\w’'-]*){{0,3}}?"
    rf"\s{_STOP}(?P<noun>{_PLURAL}))(?![\w’'])",
    re.IGNORECASE,
)
_ONE_THING = re.compile(rf"\s{_STOP}(?!another\b|else\b|such\b|day\b)[^\W\d_]+")
_AND_A_HALF = re.compile(r"\sand\sa\shalf\b")
_THEN = re.compile(r",?\s(?:and\s)?")
_AFTER = re.compile(r"\sor\s(?P<word>more|so)\b|(?P<plus>\+)(?!\d)")
_HEDGE = re.compile(rf"(?<!\w)(?:(?P<hedge>{_any(_SIGNS)})\s?)?(?P<between>between\s)?$", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\s$")
_HEDGE_CHARS = 40  # longer than any hedge
_NO_NUMBER_ONE = word_set("no any every some each this that another which the only")


# --- reading -----------------------------------------------------------------------------------------------------


def _value(text: str) -> tuple[float, float]:
    """What a number says in digits or words, and the scale it names last ("five million": 1e6), 1 without one."""
    total = current = 0.0
    scale = 1.0
    for token in re.findall(r"\d[\d,]*(?:\.\d+)?|[½¼¾⅓⅔]|[a-z]+", text.casefold()):
        if token[0].isdigit() and token.isascii():
            current = float(token.replace(",", ""))
        elif token in _CARDINAL or token in _GLYPHS or token == "half":
            current += _CARDINAL.get(token) or _GLYPHS.get(token) or 0.5 * (token == "half")
        elif token in ("hundred", "dozen"):
            current = (current or 1.0) * (100 if token == "hundred" else 12)
        elif token in _SCALES:
            total, current, scale = (total + current or 1.0) * _SCALES[token], 0.0, _SCALES[token]
    return total + current, scale


def _before(text: str, place: int) -> str:
    found = _WORD_BEFORE.search(text, max(0, place - _HEDGE_CHARS), place)
    return found[1].casefold() if found else ""


def _read(text: str, match: re.Match[str]) -> Quantity | None:
    """The quantity that begins with a match of the pattern; None where it is none after all."""
    end = match.end()
    if match["low"]:
        return _number(text, match)
    if match["clock"]:
        return _clock(match)
    before = _before(text, match.start())
    if ordinal := match["ordinal"]:
        if ordinal == "first" and before == "at":
            return None
        if ordinal == "second" and before in ("a", "per", "every", "one") and not _ONE_THING.match(text, end):
            return None  # a unit
        value = _ordinal(fold(ordinal))
        return _made(text, match, value, value, ORDINAL)
    if match["part"]:
        share = (_value(match["parts"])[0] or 1.0) * _PART[fold(match["part"])]
        return _made(text, match, share, share, PERCENT)
    name = match["halved"] or match["long"] or match["a"]
    count = 0.5 if match["halved"] else 1.5 if match["longer"] else 1.0
    unit, factor = _UNITS[fold(name)]
    return _made(text, match, count * factor, count * factor, unit, factor=factor)


def _clock(match: re.Match[str]) -> Quantity:
    if written := match["hour"] or match["hour24"]:
        hour = int(written)
        if match["half"]:
            hour = hour % 12 + 12 * (match["half"] in "pP")
    else:
        hour = 0 if fold(match["clock"]) == "midnight" else 12
    value = hour * 3600.0 + int(match["minute"] or match["minute24"] or 0) * 60
    return Quantity(Span(*match.span("clock")), value, value, CLOCK, "", match["clock"])


def _ordinal(word: str) -> float:
    if word[0].isdigit():
        return float(re.sub(r"\D", "", word))
    tens, _, last = word.rpartition("-")
    return _CARDINAL.get(tens, 0.0) + _ORDINAL[last]


def _number(text: str, match: re.Match[str]) -> Quantity | None:
    """A number in digits or words, with what stands behind it: the end of a range, a unit, what is counted."""
    written, end = match["low"], match.end()
    before = _before(text, match.start())
    in_words = written[0].isalpha()
    low, scale = _value(written)
    high, last = low, written
    unit, factor = (_CURRENCIES[fold(match["symbol"])], 1.0) if match["symbol"] else (COUNT, 1.0)
    scored = False
    if to := _range(text, end, before, in_words):
        upper, upper_scale = _value(to["high"])
        if scale == 1.0 < upper_scale and low * upper_scale < upper:
            low *= upper_scale  # "3 to 5 million": the scale belongs to both
        scored = (
            not unit
            and to["link"].strip() not in ("to", "or", "and")
            and low >= upper
            and max(low, upper) <= 400
        )
        if scored or low < upper:
            high, last, end = upper, to["high"], to.end()
    if scored:
        return _made(text, match, low, high, SCORE, end)
    found = None if unit else _UNIT.match(text, end)
    counted = None if unit or found else _COUNTED.match(text, end)
    bare = False
    if last[-1] in "mbMB" and last[-2:-1].isdigit() and not unit and not counted:
        # "10m people" and "$10m" are millions, "10m tall" metres, "flat 10b" neither
        unit, size = ("m", 1e6) if last[-1] in "mM" else (COUNT, 1e9)
        low, high = low / size, high / size
    elif found:
        unit, factor = _UNITS[fold(found["name"])]
        if found["square"] and unit == "m":
            unit, factor = "m2", factor**2
        end = found.end()
    elif counted:
        end = counted.end()
        if counted["noun"] and fold(counted["noun"]) in _UNITS:  # "five gruelling hours"
            unit, factor = _UNITS[fold(counted["noun"])]
    elif not unit:
        one = low == high == 1 and _ONE_THING.match(text, end)
        end, bare = (one.end(), False) if one else (end, True)
    if (
        unit == COUNT
        and written.casefold() == "one"
        and (bare or before in _NO_NUMBER_ONE or text[match.end() : match.end() + 4] == " of ")
    ):
        return None  # a pronoun
    if unit == COUNT and re.fullmatch(r"1\d{3}|20\d\d", last) and not (counted and low < 1900):
        return None  # a year
    low, high = low * factor, high * factor
    if unit == SECONDS and (half := _AND_A_HALF.match(text, end)):
        low, high, end = low + factor / 2, high + factor / 2, half.end()
    if unit in (SECONDS, "m") and low == high:
        more, end = _smaller(text, end, unit, factor)
        low, high = low + more, high + more
    return _made(text, match, low, high, unit, end, factor=factor, bare=bare)


def _range(text: str, end: int, before: str, in_words: bool) -> re.Match[str] | None:
    """The second number of a range or score, if one follows."""
    to = _RANGE.match(text, end)
    if to is None or re.fullmatch(r"1\d{3}|20\d\d", to["high"]):
        return None
    link = to["link"].strip()
    if link == "and":
        return to if before == "between" else None
    if link in ("to", "or"):
        mixed = link == "to" and in_words != to["high"][0].isalpha()
        return None if before in ("from", "by") or mixed else to
    return to


def _smaller(text: str, end: int, unit: str, factor: float) -> tuple[float, int]:
    """What smaller units add to a duration or length, and where they end: "1 hour and 20 minutes"."""
    then = _THEN.match(text, end)
    number = _ANY_NUMBER.match(text, then.end()) if then else None
    found = _UNIT.match(text, number.end()) if number else None
    dimension, size = _UNITS[fold(found["name"])] if found else ("", 0.0)
    if number and found and dimension == unit and size < factor:
        return _value(number.group())[0] * size, found.end()
    return 0.0, end


def _made(
    text: str,
    match: re.Match[str],
    low: float,
    high: float,
    unit: str,
    end: int | None = None,
    *,
    factor: float = 1.0,
    bare: bool = False,
) -> Quantity:
    """The quantity with the hedge before or behind it."""
    start, end = match.start(), match.end() if end is None else end
    hedge = _HEDGE.search(text, max(0, start - _HEDGE_CHARS), start) if unit != ORDINAL else None
    sign = ""
    if hedge and (said := hedge["hedge"]):
        is_during = unit == SECONDS and fold(said) == "over"  # as often as "more than"
        sign = "" if is_during else _SIGNS[fold(said)]
        start = hedge.start()
    if not sign and unit != ORDINAL and (after := _AFTER.match(text, end)):
        sign, end = "~" if after["word"] == "so" else ">", after.end()
        if after["plus"] and bare and (counted := _COUNTED.match(text, end)):
            bare, end = False, counted.end()
    return Quantity(Span(start, end), low, high, unit, sign, text[start:end], factor, bare)


def _quantities(text: str) -> Iterator[Quantity]:
    named = []
    for mention in find_dates(text):
        if mention.date and not mention.relative and (mention.date.day or mention.date.year):
            named.append((mention.span.start, mention.span.end))
    place = 0
    while match := _PATTERN.search(text, place):
        start = match.start("low") if match["low"] else match.start()
        inside = next((end for begin, end in named if begin <= start < end), None)
        quantity = None if inside and not match["clock"] else _read(text, match)
        if quantity:
            yield quantity
            place = quantity.span.end
        else:
            place = inside or (match.end() if match["low"] else match.start() + 1)


@lru_cache(maxsize=4096)
def _cached(text: str) -> tuple[Quantity, ...]:
    return tuple(_quantities(text))


def find_quantities(text: str) -> list[Quantity]:
    """Every quantity of `text`, in text order. Offsets are offsets into `text`."""
    return list(_cached(text))


# --- comparing ---------------------------------------------------------------------------------------------------


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-6 * max(abs(a), abs(b), 1e-9) + 1e-9


def same_unit(a: Quantity, b: Quantity) -> bool:
    """Whether two quantities are of one dimension; a bare number takes the other's unit."""
    return a.unit == b.unit or a.bare or b.bare


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
    calendar = {a.factor, b.factor} & {_MONTH, _YEAR}
    exact = a.unit != SECONDS or a.low != a.high or b.low != b.high or a.factor == b.factor
    return bool(calendar) and not exact and abs(a.low - b.low) <= 0.02 * max(a.low, b.low)


def same_bound(a: Quantity, b: Quantity) -> bool:
    """Whether the hedges of two equal quantities claim the same side: "nearly 60" is neither "over 60" nor "60"."""
    sides = {q.approx if q.approx in ("<", ">") else "" for q in (a, b)}
    return len(sides) == 1
