"""Sentences: a text cut into sentences with offsets.

A general rule of written news in scripts with full stops, English best of all; nothing is known of articles, dates or
grammar. It takes time linear in its input.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from rag.schema import MONTHS, WEEKDAYS, Span
from rag.text.words import word_set

MAX_SENTENCE_CHARS = 600  # about 100 words; longer is a list, a table or text without punctuation

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_WIDE_STOPS = "。！？｡"  # end a sentence without a space after them
_CLOSERS = "\"”’'»」』）)\\]}›〉》】"
_OPENERS = "\"“‘'«「『（([{‹〈《【*_"
# A run of stops, what closes with it, and footnote marks such as "[12]". Possessive (+), so that a run is read once.
_STOP = re.compile(rf"(?P<stops>[.!?…{_WIDE_STOPS}]++)(?P<close>[{_CLOSERS}]*+)(?:\[\d{{1,3}}\])*+")
_NEXT = re.compile(rf"[{re.escape(_OPENERS)}]*+")
_NEXT_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
_TOKEN_CHARS = 24  # how far back the word before a full stop is read; longer words are no abbreviations
_TOKEN = re.compile(r"[^\s\"“”‘«»(\[{/,;:]+$")
_SPEECH = re.compile(  # “Why now?” Mr. Smith asked.
    r"(?:[A-Z][\w’'.-]{0,30} ){1,4}(?:said|says|asked|asks|added|adds|told|tells|wrote|writes|replied|replies"
    r"|shouted|answered|continued|wondered|insisted|declared|exclaimed)\b"
)

# Titles and the like: always before a name, never the end of a sentence.
_BEFORE_NAME = word_set(
    "mr mrs ms mx dr prof gen brig col maj capt lt sgt cpl pvt adm cmdr sen rep gov pres rev fr hon amb det insp supt"
    " messrs mme mlle st mt ft vs v cf e.g i.e viz"
)
# Before a number only: "No. 5", "pp. 12", "Art. 3", "Jan. 7".
_BEFORE_NUMBER = word_set(
    "no nos p pp vol ch fig figs art arts sec para ver ca jan feb mar apr jun jul aug sep sept oct nov dec"
)
# May stand inside a sentence before a capital, or end one: the next word decides.
_MAYBE_LAST = word_set(
    "inc corp co ltd llc plc bros jr sr esq dept univ assn approx est ave blvd rd al ph.d m.d d.c mon tue tues wed thu"
    " thur thurs fri sat sun"
)
# Words that, with a capital, nearly always begin a sentence rather than continue a name.
_STARTERS = word_set(
    "a an the this that these those he she it they we you i his her its their our my your there here who what when"
    " where why how in on at by for from to with without after before since until during despite although though while"
    " if unless because as but and or yet so nor not no however meanwhile moreover also then now later earlier both"
    " many some most several few all each every another other others such one two three four five"
)
_DAYS = frozenset(day.lower() for day in (*WEEKDAYS, *MONTHS))
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_CUT_AFTER = (re.compile(r".*;(?=\s)", re.S), re.compile(r".*,(?=\s)", re.S), re.compile(r".*\S(?=\s)", re.S))


def _ends_sentence(body: str, low: int, stop: re.Match[str], following: int, high: int) -> bool:
    """Whether the full stop at `stop` ends a sentence, `following` being the next character that is not a space."""
    stops = stop["stops"]
    if any(c in _WIDE_STOPS for c in stops):
        return True
    if following == stop.end():  # nothing between: "3.5", "U.S.-led", "example.com"
        return False
    after = _NEXT.match(body, following, high)
    first = after.end() if after else following
    if first >= high:
        return True
    letter = body[first]
    if letter.islower() or letter in ",;:)]}%–—" or body.startswith("- ", first):
        return False  # a dash goes on, as in a dateline: "EUGENE, Ore. — The"
    word = _NEXT_WORD.match(body, first, min(high, first + _TOKEN_CHARS))
    next_word = word.group().lower() if word else ""
    if stop["close"] and any(c in "!?" for c in stops):
        return not (stop["close"][-1] in "\"”’'»" and _SPEECH.match(body, first, min(high, first + 160)))
    if stops != ".":
        spaced = stop.start() > low and body[stop.start() - 1].isspace()
        omission = spaced and all(
            c in ".…" for c in stops
        )  # "the plan … Moscow": words left out of a quotation
        return not omission
    token = _TOKEN.search(body, max(low, stop.start() - _TOKEN_CHARS), stop.start())
    if token is None:
        return True
    last = token.group().lower()
    if last in _BEFORE_NAME:
        return False
    if last in _BEFORE_NUMBER:
        return not letter.isdigit()
    if last.isdigit() and len(last) <= 3 and not body[low : token.start()].strip():
        return False  # the number of a list line: "1. Ukraine"
    if len(last) == 1 and token.group().isupper():  # an initial, if a name is around it
        before = body[max(low, token.start() - _TOKEN_CHARS) : token.start()].split()
        named = not before or before[-1][0].isupper() or before[-1][0] in _OPENERS
        return next_word in _STARTERS or not named
    if last in ("a.m", "p.m"):  # "at 5 a.m. Monday", "at 5 a.m. GMT"
        return next_word not in _DAYS and not (word and len(next_word) > 1 and word.group().isupper())
    if last in _MAYBE_LAST or _DOTTED.fullmatch(last):
        return next_word in _STARTERS
    return True


def _cut(body: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Cut a span that is too long after a semicolon, else a comma, else a word, else anywhere."""
    while high - low > MAX_SENTENCE_CHARS:
        middle, limit = low + MAX_SENTENCE_CHARS // 2, low + MAX_SENTENCE_CHARS
        cut = limit
        for pattern in _CUT_AFTER:
            found = pattern.match(body, middle, limit + 1)
            if found and found.end() > middle:
                cut = found.end()
                break
        yield low, cut
        low = cut
    yield low, high


def _states_something(text: str) -> bool:
    return any(c.isalnum() or unicodedata.category(c) == "So" for c in text)


def sentences(body: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Sentences of `body[start:end]`: half-open spans in characters of `body`, in order, without overlap.

    No span begins or ends with whitespace, crosses a line break, is longer than `MAX_SENTENCE_CHARS`, or lacks a
    letter, digit or pictograph. Quotes and brackets that close with a full stop belong to its sentence; a line without
    a full stop (a heading, a list line) is one sentence. A full stop does not end a sentence before a lower-case word,
    inside a number or address, after a title, an initial, or an abbreviation unless a word follows that usually begins
    a sentence.
    """
    found: list[Span] = []
    for line in _LINE.finditer(body, start, len(body) if end is None else end):
        low, high = line.span()
        pieces: list[tuple[int, int]] = []
        begin = low
        for stop in _STOP.finditer(body, low, high):
            following = stop.end()
            while following < high and body[following].isspace():
                following += 1
            if following >= high or _ends_sentence(body, low, stop, following, high):
                pieces.append((begin, stop.end()))
                begin = stop.end()
        pieces.append((begin, high))
        for left, right in pieces:
            left, right = _trim(body, left, right)
            for a, b in _cut(body, left, right):
                a, b = _trim(body, a, b)
                if a < b and _states_something(body[a:b]):
                    found.append(Span(a, b))
    return found


def _trim(body: str, low: int, high: int) -> tuple[int, int]:
    while low < high and body[low].isspace():
        low += 1
    while high > low and body[high - 1].isspace():
        high -= 1
    return low, high
