"""Text: sentences with offsets, text made safe to show, folded for comparing, words and their stems.

Everything here is a general rule of written news in scripts with full stops, English best of all; nothing is known of
articles, dates, numbers' meanings or languages' grammars. Every function takes time linear in its input.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from rag.schema import Span


def _word_set(line: str) -> frozenset[str]:
    return frozenset(line.split())


MAX_SENTENCE_CHARS = 600  # about 100 words; longer is a list, a table or text without punctuation

# --- sentences ---------------------------------------------------------------------------------------------------

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
_BEFORE_NAME = _word_set(
    "mr mrs ms mx dr prof gen brig col maj capt lt sgt cpl pvt adm cmdr sen rep gov pres rev fr hon amb det insp supt"
    " messrs mme mlle st mt ft vs v cf e.g i.e viz"
)
# Before a number only: "No. 5", "pp. 12", "Art. 3", "Jan. 7".
_BEFORE_NUMBER = _word_set(
    "no nos p pp vol ch fig figs art arts sec para ver ca jan feb mar apr jun jul aug sep sept oct nov dec"
)
# May stand inside a sentence before a capital, or end one: the next word decides.
_MAYBE_LAST = _word_set(
    "inc corp co ltd llc plc bros jr sr esq dept univ assn approx est ave blvd rd al ph.d m.d d.c mon tue tues wed thu"
    " thur thurs fri sat sun"
)
# Words that, with a capital, nearly always begin a sentence rather than continue a name.
_STARTERS = _word_set(
    "a an the this that these those he she it they we you i his her its their our my your there here who what when"
    " where why how in on at by for from to with without after before since until during despite although though while"
    " if unless because as but and or yet so nor not no however meanwhile moreover also then now later earlier both"
    " many some most several few all each every another other others such one two three four five"
)
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
    if letter.islower() or letter in ",;:)]}%":
        return False
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


# Words that point to something said before: English personal and demonstrative pronouns.
POINTING = frozenset(
    [
        "he",
        "she",
        "it",
        "they",
        "him",
        "her",
        "them",
        "his",
        "its",
        "their",
        "theirs",
        "hers",
        "this",
        "that",
        "these",
        "those",
        "both",
        "there",
        "here",
        "former",
        "latter",
    ]
)

# --- plain and folded text ---------------------------------------------------------------------------------------

# Invisible characters that Unicode does not class as format or control: fillers, joiners, variation selectors, and the
# plane of tag characters. Each can hide words from a reader.
_INVISIBLE = (
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
)


class _Shown(dict[int, str | None]):
    """Character code -> what is shown for it, filled as characters are met (for `str.translate`)."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        if char.isspace():
            shown: str | None = " "
        elif (
            code in _INVISIBLE
            or 0xE0000 <= code <= 0xE0FFF
            or unicodedata.category(char) in ("Cc", "Cf", "Cs")
        ):
            shown = None
        else:
            shown = char
        self[code] = shown
        return shown


_SHOWN = _Shown()
_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARKS = re.compile(f"{_MARK}+")
_PILE = re.compile(f"({_MARK}{{4}}){_MARK}+")  # more accents on one letter than any language writes


def plain(text: str) -> str:
    """`text` as it may be shown or put in a prompt: one line, nothing invisible.

    Zero-width and bidi characters, tags, variation selectors, controls and lone surrogates are removed, accents beyond
    the fourth on one letter too; every run of whitespace becomes one space; no space is left at the ends.
    """
    return " ".join(_PILE.sub(r"\1", text.translate(_SHOWN)).split())


_UNIFY = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    }
)
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)


def fold(text: str) -> str:
    """`text` for comparing: plain, NFKC, without case or accents, with straight quotes and hyphens.

    Letters that only look alike in different scripts stay different.
    """
    text = plain(text).translate(_UNIFY)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
        text = _MARKS.sub("", unicodedata.normalize("NFD", text))
        text = plain(unicodedata.normalize("NFKC", text).translate(_UNIFY).translate(_LETTERS))
    return text.casefold()


# --- words -------------------------------------------------------------------------------------------------------

# A letter or digit; scripts whose vowel signs are marks (Devanagari to Lao, Arabic) count those as letters too.
_W = r"(?:[^\W_]|[\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff])"
_SINGLE = r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"  # Chinese and Japanese: no spaces, so one character is a word
_WORD = re.compile(
    rf"(?P<initials>(?<!\w)(?:[^\W\d_]\.){{2,}}[^\W\d_]?(?!\w)|(?<!\w)[^\W\d_]\.[^\W\d_](?!\w))"
    rf"|(?P<number>\d{{1,3}}(?:,\d{{3}})++(?!\d)(?:\.\d+)*{_W}*|\d+(?:\.\d+)+{_W}*)"
    rf"|{_SINGLE}"
    rf"|(?:(?!{_SINGLE}){_W})+(?:'(?:(?!{_SINGLE}){_W})+)*"
)


def words(text: str) -> list[str]:
    """The folded words of `text`, in order: "The U.S. sent 1,000 men" gives the, us, sent, 1000, men.

    Inner apostrophes and decimal points stay ("don't", "3.5"), commas between thousands and the dots of initials go,
    hyphens part words. A Chinese or Japanese character is a word.
    """
    found = []
    for match in _WORD.finditer(fold(text)):
        word = match.group()
        if match["initials"]:
            word = word.replace(".", "")
        elif match["number"]:
            word = word.replace(",", "")
        found.append(word)
    return found


# English words that say nothing of what a text is about. "us" is not among them: it is also "U.S.".
_STOP_WORDS = _word_set(
    "a an the and or but nor so yet if then than as of in on at by for from to with without into onto upon about"
    " over under between among through during before after since until against within toward towards via per"
    " i me my mine we our ours you your yours he him his she her hers it its they them their theirs"
    " this that these those who whom whose which what when where why how there here"
    " is am are was were be been being do does did doing done have has had having will would shall should can could"
    " may might must not no any some such same own both each other also just only very too more most much many"
    " again ever all few out up down off"
)
_IRREGULAR_FORMS = (
    "meet met, say said, tell told, hold held, take took taken, give gave given, make made, go went gone, come came,"
    " see saw seen, know knew known, think thought, find found, begin began begun, speak spoke spoken,"
    " write wrote written, leave left, lead led, win won, lose lost, send sent, spend spent, build built, buy bought,"
    " bring brought, sell sold, pay paid, stand stood, sit sat, fall fell fallen, rise rose risen, grow grew grown,"
    " fly flew flown, drive drove driven, choose chose chosen, break broke broken, keep kept, feel felt,"
    " become became, get got gotten, run ran, strike struck, shoot shot, fight fought, seek sought, teach taught,"
    " catch caught, hear heard, mean meant, die died, lie lied, man men, woman women, child children, person people,"
    " agree agreed, disagree disagreed, free freed, guarantee guaranteed"
)
_IRREGULAR = {
    form: base for line in _IRREGULAR_FORMS.split(", ") for base, *forms in [line.split()] for form in forms
}
_VOWEL = re.compile("[aeiouy]")


def _stem(word: str) -> str:
    word = word.removesuffix("'s").removesuffix("'")
    word = _IRREGULAR.get(word, word)
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is", "news")):
        word = word[:-2] if word.endswith(("sses", "shes", "ches", "xes", "zzes")) else word[:-1]
    if word.endswith("ied"):
        word = word[:-3] + "y"
    for ending in ("ing", "ed"):
        left = word.removesuffix(ending)
        if left != word and not (ending == "ed" and left.endswith("e")):
            if len(left) >= 3 and _VOWEL.search(left):
                word = left
            elif len(left) == 2 and _VOWEL.search(left[:1]):
                word = left + "e"  # "used", "using", "aged"
            break
    if len(word) > 3:
        if word[-1] == word[-2] and word[-1] not in _VOWELS:
            word = word[:-1]
        word = word.removesuffix("e")
        if word[-1] == "y":
            word = word[:-1] + "i"
    return word


_VOWELS = frozenset("aeiou")


def content_words(text: str) -> list[str]:
    """`words` without the commonest English function words, each as a stem to compare (not to show), in order.

    The stem of an English word drops possessive, plural, -ing and -ed, a doubled last consonant and a silent last e,
    turns a last y into i, and common irregular forms into their base (after Harman's S stemmer, 1991, and step 1 of
    Porter's, 1980, both simplified): "meetings", "meet" and "met" give "meet"; "countries" and "country" "countri".
    """
    return [_stem(word) for word in words(text) if word not in _STOP_WORDS]
