"""Tampering: true statements made false in one place, to measure whether a checker notices.

Deterministic by seed. It changes words by general patterns of English and by names that the caller found elsewhere in
the corpus; it knows nothing of the checker, nor of what the sentence means.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was changed."""

    NUMBER = "number"
    NAME = "name"
    DATE = "date"  # a year, a month, a day of a month or a weekday
    NEGATION = "negation"
    SPEAKER = "speaker"


@dataclass(frozen=True, slots=True)
class Tampered:
    """A false version of `original`: `old` was replaced by `new`. For a negation one of the two may be empty."""

    kind: Kind
    text: str
    original: str
    old: str
    new: str


def _list(words: str) -> list[str]:
    return words.split()


_MONTHS = _list("January February March April May June July August September October November December")
_WEEKDAYS = _list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_SPELLED = _list("two three four five six seven eight nine ten eleven twelve")

_MONTH = "(?:" + "|".join(m for m in _MONTHS if m != "May") + "|May(?= \\d|,|\\.|$| and))"
_DATED = re.compile(rf"\b{_MONTH} (\d{{1,2}})\b(?!\d|,\d{{3}})|\b(\d{{1,2}}) {_MONTH}\b")
_YEAR = re.compile(r"(?<![\d.,$€£])\b(?:19|20)\d\d\b(?![\d%]|,\d|\.\d| ?percent)")
_MONTH_NAME = re.compile(rf"\b{_MONTH}\b")
_WEEKDAY = re.compile(rf"\b(?:{'|'.join(_WEEKDAYS)})\b")
_NUMBER = re.compile(
    r"(?<![\w.,/:-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,/:-])\d+(?:\.\d+)?(?![\w/:]|,\d|\.\d|-\d)"
)
_SPELLED_NUMBER = re.compile(rf"\b(?:{'|'.join(_SPELLED)})\b", re.I)

_SPEECH = (
    "said|says|told|tells|added|adds|stated|states|stating|noted|notes|called|calls|warned|warns|announced|announces"
    "|confirmed|confirms|denied|denies|insisted|argued|claimed|claims|reported|reports|condemned|reiterated|described"
    "|dismissed|expressed|hinted|emphasized|stressed|declared|asked|replied|explained|wrote|promised|accused"
)
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|will|would|can|could|should|must|has been|have been|had been|has|have|had|did|does|do|may|might)\b"
    r"(?! not\b|n['’]t\b| never\b| no\b)"
)
# "has a son": a full verb. Only a past participle or "been" behind it makes it an auxiliary.
_PERFECT = re.compile(r" (?:\w+ly )?(?:\w+(?:ed|en|wn|lt|nt|ne|id|ade|eld|old|et)|been)\b")
_NEGATION = re.compile(
    r"\b(is|are|was|were|will|would|could|should|must|has|have|had|did|does|do|may|might|can) not\b(?! only)"
)
_CONTRACTED = re.compile(r"\b(is|are|was|were|would|could|should|must|has|have|had|did|does|do)n['’]t\b")
_DO = {"did", "does", "do"}  # "did not go" without "not" stays English: "did go"

_NAME = re.compile(
    r"(?<![\w“\"‘'])[A-Z][a-z]+(?:[-’'][A-Z]?[a-z]+)?(?: [A-Z][a-z]+(?:[-’'][A-Z]?[a-z]+)?){0,2}\b"
)
_POSSESSIVE = re.compile(r"['’]s$")
# Stand before a name and are no part of it.
_TITLES = frozenset(
    _list(
        "President Secretary State Minister Foreign Prime Deputy General Special Envoy Senator Governor Chancellor King"
        " Queen Prince Princess Judge Justice Professor Doctor Chairman Director Mayor Ambassador Spokesman Spokeswoman"
        " Mr Mrs Ms Dr Gen Sen Rep The"
    )
)
_PLACE_BEFORE = re.compile(r"\b(?:in|at|near|across|outside)$")
_DEMONYM = re.compile(r"(?:ian|ean|can|ish|ese|ern|sian)s?$")


class Type(StrEnum):
    """What a name seems to be, so that it is replaced by one of its sort."""

    PLACE = "place"  # "in X" stands somewhere
    DEMONYM = "demonym"  # Russian, Western
    OTHER = "other"  # mostly people, and whatever acts


@dataclass(frozen=True, slots=True)
class Name:
    """A name found in a corpus."""

    text: str
    type: Type


def names_of(texts: Iterable[str]) -> list[Name]:
    """Names found in texts: runs of up to three capitalised words inside sentences, without titles in front.

    Most frequent first, then by the alphabet. Months, weekdays and words also written small are left out.
    """
    counts: Counter[str] = Counter()
    places: set[str] = set()
    small: set[str] = set()
    for text in texts:
        small.update(re.findall(r"\b[a-z][a-z'’-]+\b", text))
        for m in _NAME.finditer(text):
            before = text[: m.start()].rstrip(" ")
            if not before or before[-1] in '.!?:\n\r“"':
                continue
            words = _POSSESSIVE.sub("", m.group()).split()
            whole = len(words)
            while words and words[0] in _TITLES:
                words.pop(0)
            name = " ".join(words)
            counts[name] += 1
            if whole == len(words) and _PLACE_BEFORE.search(before):
                places.add(name)
    calendar = {*_MONTHS, *_WEEKDAYS}
    names = [
        n
        for n in counts
        if n and "’s " not in n and not any(w in calendar or w.lower() in small for w in n.split())
    ]

    def type_of(name: str) -> Type:
        if name in places:
            return Type.PLACE
        return Type.DEMONYM if _DEMONYM.search(name) else Type.OTHER

    return [Name(n, type_of(n)) for n in sorted(names, key=lambda n: (-counts[n], n))]


def _alike(a: str, b: str) -> bool:
    """Whether two names may be one: a shared word, or words that begin alike (Sergey, Sergei; Russia, Russian)."""
    return any(x[:4] == y[:4] for x in a.lower().split() for y in b.lower().split())


def _replacement(old: Name, sentence: str, others: Sequence[Name], rng: random.Random) -> str | None:
    """Another name of the same type and as many words, alike to nothing that the sentence says."""
    fits = [
        o.text
        for o in others
        if o.type is old.type
        and len(o.text.split()) == len(old.text.split())
        and not _alike(o.text, re.sub(r"[^\w ]", " ", sentence))
    ]
    return rng.choice(fits) if fits else None


def _swap(kind: Kind, sentence: str, start: int, end: int, new: str) -> Tampered:
    return Tampered(kind, sentence[:start] + new + sentence[end:], sentence, sentence[start:end], new)


def _number(sentence: str, others: Sequence[Name], rng: random.Random) -> Tampered | None:
    dates = [m.span() for p in (_DATED, _YEAR) for m in p.finditer(sentence)]
    found = [
        m
        for p in (_NUMBER, _SPELLED_NUMBER)
        for m in p.finditer(sentence)
        if not any(low < m.end() and m.start() < high for low, high in dates)
    ]
    if not found:
        return None
    m = rng.choice(found)
    old = m.group()
    if old.lower() in _SPELLED:
        new = rng.choice([w for w in _SPELLED if w != old.lower()])
        new = new.capitalize() if old[0].isupper() else new
    elif "." in old:
        new = f"{float(old) * rng.choice((0.5, 1.5, 2.0)) + 0.1:.{len(old.split('.')[1])}f}"
    else:
        value = int(old.replace(",", ""))
        near = {
            value + 1,
            value + rng.randint(2, 9),
            value * 2,
            value * 10,
            value // 2,
            value - max(1, value // 10),
        }
        changed = rng.choice(sorted(v for v in near if v > 0 and v != value))
        new = f"{changed:,}" if "," in old else str(changed)
    return None if new == old else _swap(Kind.NUMBER, sentence, m.start(), m.end(), new)


def _date(sentence: str, others: Sequence[Name], rng: random.Random) -> Tampered | None:
    found: list[tuple[int, int, list[str]]] = []
    for m in _YEAR.finditer(sentence):
        found.append((*m.span(), [str(int(m.group()) + d) for d in (-3, -2, -1, 1, 2)]))
    for m in _MONTH_NAME.finditer(sentence):
        found.append((*m.span(), [x for x in _MONTHS if x != m.group() and x not in sentence]))
    for m in _WEEKDAY.finditer(sentence):
        found.append((*m.span(), [x for x in _WEEKDAYS if x != m.group() and x not in sentence]))
    for m in _DATED.finditer(sentence):
        group = 1 if m.group(1) else 2
        day = int(m.group(group))
        found.append((*m.span(group), [str(d) for d in range(1, 29) if d != day]))
    found = [f for f in found if f[2]]
    if not found:
        return None
    start, end, choices = rng.choice(found)
    return _swap(Kind.DATE, sentence, start, end, rng.choice(choices))


def _names_in(sentence: str, others: Sequence[Name]) -> list[tuple[int, int, Name]]:
    """Known names with their spans, the longest at each place. A part of a longer name is none."""
    found: list[tuple[int, int, Name]] = []
    for name in sorted(others, key=lambda n: (-len(n.text), n.text)):
        for m in re.finditer(rf"(?<![\w-]){re.escape(name.text)}(?![\w-]| [A-Z])", sentence):
            before = re.search(r"([A-Z][\w’'.-]*) $", sentence[: m.start()])
            inside = before and before[1] not in _TITLES and not _DEMONYM.search(before[1])
            if inside or any(low < m.end() and m.start() < high for low, high, _ in found):
                continue
            found.append((*m.span(), name))
    return sorted(found, key=lambda f: f[0])


def _name(sentence: str, others: Sequence[Name], rng: random.Random) -> Tampered | None:
    spans = _names_in(sentence, others)
    rng.shuffle(spans)
    for start, end, name in spans:
        new = _replacement(name, sentence, others, rng)
        if new:
            return _swap(Kind.NAME, sentence, start, end, new)
    return None


def _speaker(sentence: str, others: Sequence[Name], rng: random.Random) -> Tampered | None:
    spans = [
        (start, end, name)
        for start, end, name in _names_in(sentence, others)
        if re.match(rf"(?:,[^,“\"]{{1,60}},)? (?:\w+ly |has |also )?(?:{_SPEECH})\b", sentence[end:])
        or re.search(rf"(?:[”\"],? |, )(?:{_SPEECH}) (?:[A-Z][\w.’'-]* )*$", sentence[:start])
    ]
    rng.shuffle(spans)
    for start, end, name in spans:
        new = _replacement(name, sentence, others, rng)
        if new:
            return _swap(Kind.SPEAKER, sentence, start, end, new)
    return None


def _quoted(sentence: str, at: int) -> bool:
    """Whether a place is inside a quotation."""
    before = sentence[:at]
    return before.count("“") > before.count("”") or before.count('"') % 2 == 1


def _negation(sentence: str, others: Sequence[Name], rng: random.Random) -> Tampered | None:
    for m in (*_NEGATION.finditer(sentence), *_CONTRACTED.finditer(sentence)):
        if not _quoted(sentence, m.start()):
            return _swap(Kind.NEGATION, sentence, m.end(1), m.end(), "")
    for m in _AUXILIARY.finditer(sentence):
        word = m.group(1)
        perfect = word in ("has", "have", "had")
        if _quoted(sentence, m.start()) or word in _DO or (perfect and not _PERFECT.match(sentence, m.end())):
            continue
        first = m.start() + len(word.split()[0])
        return _swap(Kind.NEGATION, sentence, first, first, " not")
    return None


_MAKERS: dict[Kind, Callable[[str, Sequence[Name], random.Random], Tampered | None]] = {
    Kind.NUMBER: _number,
    Kind.NAME: _name,
    Kind.DATE: _date,
    Kind.NEGATION: _negation,
    Kind.SPEAKER: _speaker,
}


def tamper(sentence: str, others: Sequence[Name], seed: int) -> list[Tampered]:
    """One false version of a true sentence for each kind that it offers a place for, in the order of `Kind`.

    `others` are names of the corpus (`names_of`): what is found in the sentence, and what may take its place. The same
    arguments give the same result. A name is only replaced by one of its type, with as many words, that cannot be the same.
    """
    made = []
    for kind, maker in _MAKERS.items():
        result = maker(sentence, others, random.Random(f"{seed}:{kind}:{sentence}"))
        if result is not None and result.text != sentence:
            made.append(result)
    return made
