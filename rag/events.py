"""Events: which of several meetings "the meeting" is, told by who took part.

Pure. An article is read for pairs of people who met; a sentence that only says "the meeting" belongs to the nearest pair
ahead of it, else to that of the title or the lead. It knows meetings of two alone: of other events it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.names import Name, find_names, is_place_name, same_name
from rag.question import Question
from rag.schema import Article
from rag.text import plain, sentences

_NOUN = r"(?:meetings?|talks|discussions?|negotiations|conversations?|summit|encounters?|sit-down|phone call|call|session)"
_ASKED = re.compile(
    rf"\b(?:[Tt]he|[Tt]his|[Tt]hat|[Tt]heir|[Tt]hese|[Tt]hose) (?:[a-z-]+ ){{0,2}}?(?P<noun>{_NOUN})\b(?! (?:of|between|on)\b)"
)
_MET = r"(?:met|meets?|meeting|sat down|sits down|sitting down|spoke|speaks?|talked|conferred|held (?:[\w-]+ ){0,3}?(?:talks|discussions|negotiations|a meeting))"
_TITLES = r"(?:(?:[A-Z][\w.’'-]*|the|former|retired|his|her|then) ){0,6}?"
_WITH = re.compile(
    rf"\b(?:{_MET}(?: (?:again|briefly|privately|separately|face to face))? with |(?:met|meets?|meeting) |"
    rf"{_NOUN} with ){_TITLES}$"
)
_TOGETHER = re.compile(rf"\W*(?:[\w-]+ )?{_MET}\b")
_BETWEEN = re.compile(r"\bbetween (?:[\w.’'-]+ ){0,6}?$")
_APPOSITION = re.compile(r"(?:, [^,;.]{2,60})?,? and (?:[\w.’'-]+ ){0,6}?$")
_NEAR_CHARS = 160  # between the two names of a meeting: titles and an apposition
_BACK = 4  # sentences ahead in which "the meeting" looks for its people
MAX_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Event:
    """A meeting of two, by name as first written, and the ids of the articles that tell of it."""

    first: str
    second: str
    articles: frozenset[str]

    def __str__(self) -> str:
        return f"{self.first} and {self.second}"


def _same_pair(a: tuple[str, str], b: tuple[str, str]) -> bool:
    return (same_name(a[0], b[0]) and same_name(a[1], b[1])) or (
        same_name(a[0], b[1]) and same_name(a[1], b[0])
    )


def _person(name: Name) -> bool:
    """Whether a name can be a person's: no country and nothing of it, no abbreviation."""
    return not is_place_name(name.text) and not name.text.isupper() and name.text[0].isalpha()


@lru_cache(maxsize=4096)
def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Who met whom, as a sentence or a title says it: "A met B", "A and B met", "between A and B", "A-B talks"."""
    names = [n for n in find_names(text) if _person(n)]
    found: list[tuple[str, str]] = []
    for name in names:
        halves = re.split(r"[-–—‑]", name.text)
        after = text[name.span.end :]
        if (
            len(halves) == 2
            and all(len(h) > 2 for h in halves)
            and re.match(rf" (?:[\w-]+ )?{_NOUN}\b| in\b|:", after)
        ):
            found.append((halves[0], halves[1]))
    for left, right in pairwise(names):
        gap = text[left.span.end : right.span.start]
        if len(gap) > _NEAR_CHARS or re.search(r"[;!?]|\bthat\b", gap):
            continue
        joined = _APPOSITION.fullmatch(gap) is not None
        if (
            (joined and (_BETWEEN.search(text[: left.span.start]) or _TOGETHER.match(text, right.span.end)))
            or _WITH.search(gap)
        ):  # fmt: skip
            found.append((left.text, right.text))
    return tuple(found)


@lru_cache(maxsize=256)
def _told(article: Article) -> tuple[tuple[int, tuple[tuple[str, str], ...]], ...]:
    """(start of a sentence, pairs that it tells of) over the whole article."""
    return tuple((s.start, pairs(plain(article.body[s.start : s.end]))) for s in sentences(article.body))


@lru_cache(maxsize=4096)
def _is_placed(name: str, article: Article) -> bool:
    """Whether an article uses a name as that of a place: "in Leeds"."""
    return re.search(rf"\b(?:[Ii]n|[Aa]t|[Nn]ear) {re.escape(name)}\b(?!['’]s)", article.body) is not None


def is_open(question: Question) -> bool:
    """Whether a question speaks of "the meeting" and names no two people, no date and no year that tell which."""
    if _ASKED.search(question.text) is None or question.dates or question.years or question.quoted:
        return False
    return sum(not is_place_name(n) and not n.isupper() for n in question.names) < 2


def find_events(question: Question, articles: Sequence[Article]) -> list[Event]:
    """The meetings that the articles tell of and that agree with the names of the question, most articles first, then
    in the order of the articles."""
    found: list[Event] = []
    for article in articles:
        title = pairs(plain(article.title.value)) if article.title else ()
        for pair in [*title, *(p for _, told in _told(article) for p in told)]:
            same = next((i for i, e in enumerate(found) if _same_pair(pair, (e.first, e.second))), None)
            if same is None:
                found.append(Event(pair[0], pair[1], frozenset([article.id])))
            else:
                known = found[same]
                found[same] = Event(known.first, known.second, known.articles | {article.id})
    people = [n for n in question.names if not is_place_name(n)]
    narrowed = [
        e
        for e in found
        if all(same_name(n, e.first) or same_name(n, e.second) for n in people)
        and not any(_is_placed(n, a) for n in (e.first, e.second) for a in articles)
    ]
    return sorted(narrowed, key=lambda e: -len(e.articles))


def speaks_of(events: Sequence[Event], article: Article, start: int) -> bool:
    """Whether the sentence at `start` may speak of the first of `events`: it, or the nearest sentence ahead of it, or
    the title, or the lead, tells of that one, or none of them tells of any."""
    told = _told(article)
    position = next((i for i, (at, _) in enumerate(told) if at >= start), len(told) - 1)
    near = [found for _, found in reversed(told[max(0, position - _BACK) : position + 1])]
    title = pairs(plain(article.title.value)) if article.title else ()
    for found in [*near, title, *(f for _, f in told[:3])]:
        known = [e for e in events if any(_same_pair(p, (e.first, e.second)) for p in found)]
        if known:
            return events[0] in known
    return True


def note(question: Question, events: Sequence[Event]) -> str:
    """How "the meeting" was read, naming the others, for the reader."""
    asked = _ASKED.search(question.text)
    noun = asked.group("noun") if asked else "meeting"
    others = [str(e) for e in events[1 : MAX_OTHERS + 1]]
    listed = others[0] if len(others) == 1 else f"{', '.join(others[:-1])}, and of {others[-1]}"
    return f"“The {noun}” is read as that of {events[0]}; the articles also tell of one of {listed}."


def alternatives(question: Question, events: Sequence[Event]) -> tuple[str, ...]:
    """The question asked of each of the other meetings."""
    asked = _ASKED.search(question.text)
    if asked is None:
        return ()
    start, end = asked.start(), asked.end("noun")
    return tuple(
        f"{question.text[:start]}the {asked.group('noun')} between {e}{question.text[end:]}"
        for e in events[1 : MAX_OTHERS + 1]
    )
