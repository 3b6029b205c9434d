"""Words: text made safe to show, folded for comparing, its words and their stems.

General rules of writing systems; the list of stop words and the stems are English. Every function takes time linear in its
input.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from threading import Lock
from typing import Any


def word_set(line: str) -> frozenset[str]:
    """The words of a line, parted by spaces: how lists of words are written here."""
    return frozenset(line.split())


# Words that point to something said before: English personal and demonstrative pronouns.
POINTING = word_set(
    "he she it they him her them his its their theirs hers this that these those both there here former latter"
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
_EXTRA_ACCENTS = re.compile(f"({_MARK}{{4}}){_MARK}+")  # more accents on one letter than any language writes


def plain(text: str) -> str:
    """`text` as it may be shown or put in a prompt: one line, nothing invisible.

    Zero-width and bidi characters, tags, variation selectors, controls and lone surrogates are removed, accents beyond
    the fourth on one letter too; every run of whitespace becomes one space; no space is left at the ends.
    """
    return " ".join(_EXTRA_ACCENTS.sub(r"\1", text.translate(_SHOWN)).split())


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
STOP_WORDS = word_set(
    "a an the and or but nor so yet if then than as of in on at by for from to with without into onto upon about"
    " over under between among through during before after since until against within toward towards via per"
    " i me my mine we our ours you your yours he him his she her hers it its they them their theirs"
    " this that these those who whom whose which what when where why how there here"
    " is am are was were be been being do does did doing done have has had having will would shall should can could"
    " may might must not no any some such same own both each other also just only very too more most much many"
    " again ever all few out up down off"
)
_STEMMING = Lock()  # a stemmer keeps the word that it works on


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    with _STEMMING:
        return str(_stemmer().stemWord(word))


def content_words(text: str) -> list[str]:
    """`words` without the commonest English function words, each as a stem to compare (not to show), in order.

    The stem is Snowball's for English (Porter 2): "meetings" and "meet" give "meet", "countries" and "country's" "countri".
    """
    return [_stem(word) for word in words(text) if word not in STOP_WORDS]
