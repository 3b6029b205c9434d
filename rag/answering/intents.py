"""Intents: what is no question to the text of the articles, and is answered from the catalogue: a greeting, thanks, what can
be asked, which articles there are and which mention a name, the beginning of one article.

`rag.answering.intent_forms` says what counts as such. What is quoted of an article is exact characters of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from rag.answering.intent_forms import QUOTED_OR_FILE, Asked, Intent
from rag.errors import StoppedError
from rag.ingest.descriptions import parse_date
from rag.protocols import Cancel
from rag.retrieval.scope import choice_text, in_scope
from rag.schema import (
    Answer,
    Article,
    Choice,
    Evidence,
    PartialDate,
    Precision,
    Span,
    State,
    Statement,
    Status,
    Verdict,
)
from rag.store.base import Store
from rag.text.dates import agree
from rag.text.sentences import sentences
from rag.text.words import fold, plain, words

GENERATOR = "catalogue"  # what is told to have made the answer
MOST_LISTED = 20  # articles quoted in one answer
MOST_PUBLISHERS = 10
MOST_DATES = 5
SUMMARY_SENTENCES = 3
LEAST_WORDS = 6  # of a sentence that begins a report: fewer is a heading or a byline
BEGINNING_CHARS = 6000  # of a body, in which its first sentences stand
LOOK_EVERY = 50  # articles between two looks whether the reader stopped the answer

_ENDS = {"newest": max, "latest": max, "most recent": max, "oldest": min, "earliest": min}
_QUOTED = re.compile(r"[“\"'‘](.+)[”\"'’]")
_LEADING = re.compile(r"^(?:the (?:word|words|phrase|name|term) |(?:the|an?) )", re.IGNORECASE)


def reply(question: str, asked: Asked, store: Store, choice: Choice, cancel: Cancel) -> Answer | None:
    """What is `asked` of the catalogue, answered from the articles that `choice` leaves; None where no article is known
    that it may speak of: then `question` is one to the text.

    Raises `StoppedError` when `cancel()` turns true.
    """
    catalogue = _Catalogue(store, choice, cancel)
    note = _NOTES.get(asked.intent)
    answer = (
        _notice(question, note(catalogue)) if note else _ANSWERS[asked.intent](question, asked, catalogue)
    )
    told = choice_text(choice)
    if answer is None or not told or asked.intent in (Intent.THANKS, Intent.LANGUAGE):
        return answer
    return replace(answer, note=f"{answer.note} {told}")


class _Catalogue:
    """The articles that a reader's choice leaves."""

    def __init__(self, store: Store, choice: Choice, cancel: Cancel) -> None:
        self._store = store
        self._choice = choice
        self._cancel = cancel

    def each(self) -> Iterator[Article]:
        """All of them."""
        for number, article in enumerate(self._store.each_article()):
            if number % LOOK_EVERY == 0 and self._cancel():
                raise StoppedError("stopped")
            if in_scope(self._choice, article):
                yield article

    def first(self) -> list[Article]:
        """Those that are listed."""
        if not self._choice.restricts:
            return self._store.articles(MOST_LISTED)
        return sorted(self.each(), key=lambda a: a.id)[:MOST_LISTED]

    def count(self) -> int:
        """Their number."""
        return sum(1 for _ in self.each()) if self._choice.restricts else self._store.article_count()

    def publishers(self) -> list[str]:
        """Who published them."""
        if not self._choice.restricts:
            return self._store.publishers()
        return sorted({a.publisher.value for a in self.each() if a.publisher})


def _number(count: int, noun: str = "article") -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _notice(question: str, note: str) -> Answer:
    return Answer(question, question, Status.NOTICE, note=note, generator=GENERATOR)


def _quotes(question: str, note: str, found: Iterable[tuple[Article, Span]]) -> Answer:
    """An answer that quotes each span of an article."""
    evidence = tuple(
        Evidence(number, article, span.start, span.end, article.body[span.start : span.end])
        for number, (article, span) in enumerate(found, 1)
    )
    if not evidence:
        return _notice(question, note)
    statements = tuple(
        Statement(e.number, plain(e.text), (e.number,), State.QUOTED, Verdict(True)) for e in evidence
    )
    return Answer(question, question, Status.ANSWERED, statements, evidence, note=note, generator=GENERATOR)


def _beginning(article: Article, count: int) -> list[Span]:
    """The first sentences of a report, without its title; the first lines of one that has no sentence."""
    title = _title_span(article)
    found = [
        s
        for s in sentences(article.body, 0, min(len(article.body), BEGINNING_CHARS))
        if title is None or s.end <= title.start or s.start >= title.end
    ]
    whole = [s for s in found if len(words(article.body[s.start : s.end])) >= LEAST_WORDS]
    return (whole or found)[:count]


def _title_span(article: Article) -> Span | None:
    """Where the title stands in the text. That of a page's head stands there too, if anywhere near the beginning."""
    title = article.title
    if title is None or title.span is not None:
        return title.span if title else None
    start = article.body.find(title.value, 0, BEGINNING_CHARS)
    return Span(start, start + len(title.value)) if start >= 0 else None


def _heading(article: Article) -> list[tuple[Article, Span]]:
    """The title where the text has it, else the first sentence; nothing for an article without either."""
    span = _title_span(article)
    return [(article, s) for s in ([span] if span else _beginning(article, 1))]


def _listed(articles: Sequence[Article]) -> list[tuple[Article, Span]]:
    return [heading for a in articles[:MOST_LISTED] for heading in _heading(a)]


def _named(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(plain(n) for n in names[:most]) + more


def _can(catalogue: _Catalogue) -> str:
    return (
        f"Ask about what is in the {_number(catalogue.count())} here: every sentence of an answer is checked against the line"
        " it cites. You can also ask what the articles are about, which of them come from a certain publisher or date,"
        " which mention a name, or how one of them begins."
    )


def _names(noun: str, names: Sequence[str]) -> str:
    if not names:
        return f"No article names its {noun}."
    return f"The articles name {_number(len(names), noun)}: {_named(names, MOST_LISTED)}."


def _newest(question: str, asked: Asked, catalogue: _Catalogue) -> Answer:
    found = _at_an_end(asked.subject, catalogue)
    if not found:
        return _notice(question, "No article here states the day it was published.")
    which = f"The {asked.subject.lower()} {'article is' if len(found) == 1 else 'articles are'} dated {found[0].day}."
    return _quotes(question, which, _listed(found))


def _at_an_end(which: str, catalogue: _Catalogue) -> list[Article]:
    """The articles of the last day, or of the first where `which` is "oldest". Those of no known day do not count."""
    days: dict[str, list[Article]] = {}
    for article in catalogue.each():
        if article.published and article.published.date.precision is Precision.DAY:
            days.setdefault(article.day, []).append(article)
    return sorted(days[_ENDS[fold(which)](days)], key=lambda a: a.id) if days else []


def _there_are(count: int) -> str:
    return f"There {'is' if count == 1 else 'are'} {_number(count)}"


def _list_of(
    question: str, told: str, first: Sequence[Article], count: int, publishers: Sequence[str]
) -> Answer:
    """The `first` of `count` articles by their titles, after what is `told` of them, and what they state about themselves."""
    note = [f"{told}."]
    if first:
        of_each = f"each of the first {len(first)}" if count > len(first) else "each"
        note.append(
            f"The quotations are the title of {of_each} or, where the text has none, its first sentence."
        )
    if publishers:
        note.append(f"Publishers: {_named(publishers, MOST_PUBLISHERS)}.")
    others = [plain(a.title.value) for a in first if a.title and _title_span(a) is None]
    if others:
        note.append(f"Titles that the text itself does not contain: {'; '.join(others)}.")
    dates = list(dict.fromkeys(a.day for a in first if a.published))
    if dates:
        note.append(f"Dates: {_named(dates, MOST_DATES)}.")
    return _quotes(question, " ".join(note), _listed(first))


def _list(question: str, asked: Asked, catalogue: _Catalogue) -> Answer | None:
    if not asked.subject:
        count = catalogue.count()
        return _list_of(question, _there_are(count), catalogue.first(), count, catalogue.publishers())
    found = _of(asked, catalogue)
    if not found:
        return _unknown(question, asked, catalogue)
    told = f"{_there_are(len(found))} from “{_bare(asked.subject)}”"
    names = sorted({a.publisher.value for a in found if a.publisher})
    return _list_of(question, told, found[:MOST_LISTED], len(found), names)


def _unknown(question: str, asked: Asked, catalogue: _Catalogue) -> Answer | None:
    """Nothing is from `subject`; None where the question may have meant something else."""
    if not asked.certain:
        return None
    names = catalogue.publishers()
    known = f" Publishers named: {_named(names, MOST_PUBLISHERS)}." if names else ""
    return _notice(question, f"No article here is known to be from “{_bare(asked.subject)}”.{known}")


def _summary(question: str, asked: Asked, catalogue: _Catalogue) -> Answer | None:
    if asked.subject:
        found = _of(asked, catalogue)
    else:  # "the article", where there is only one
        found = list(islice(catalogue.each(), 2))
        found = found if len(found) == 1 else []
    if not found:
        return _unknown(question, asked, catalogue)
    note, count = "The quotations are the beginning of the article.", SUMMARY_SENTENCES
    if len(found) > 1:
        part = f" of the first {MOST_LISTED}" if len(found) > MOST_LISTED else ""
        note = f"{_there_are(len(found))} from “{_bare(asked.subject)}”. The quotations are the beginning of each{part}."
        count = 1
    return _quotes(question, note, [(a, s) for a in found[:MOST_LISTED] for s in _beginning(a, count)])


def _mentions(question: str, asked: Asked, catalogue: _Catalogue) -> Answer | None:
    phrases, is_any = _phrases(asked.subject)
    patterns = [_phrase_pattern(p) for p in phrases]
    found: list[tuple[Article, Span]] = []
    titles: list[str] = []
    there = times = total = 0
    for article in catalogue.each():
        total += 1
        hits = [_occurrences(article, pattern) for pattern in patterns]
        if not (any(hits) if is_any else all(hits)):
            continue
        there += 1
        times += sum(count for count, _ in filter(None, hits))
        if there <= MOST_LISTED:
            spans = [span for _, span in filter(None, hits) if span is not None]
            found += [(article, s) for s in dict.fromkeys(spans)] or _heading(article)
            titles.append(plain(article.title.value) if article.title else plain(article.path))
    said = (" or " if is_any else " and ").join(f"“{p}”" for p in phrases)
    verb = "is" if len(phrases) == 1 or is_any else "are"
    if not there:
        none = f"{said} {verb} in none of the {_number(total)}."
        return _notice(question, none) if asked.certain else None
    counted = f"{said} {verb} in {there:,} of {_number(total)}, {_number(times, 'time')} in all"
    listed = f"; the first {MOST_LISTED}" if there > MOST_LISTED else ""
    return _quotes(question, f"{counted}{listed}: {'; '.join(titles)}.", found)


def _phrases(subject: str) -> tuple[tuple[str, ...], bool]:
    """The phrases that are looked for, and whether one of them is enough: "A and B" are two, "A or B" are two of which one
    is, unless they stand in quotation marks."""
    subject = plain(subject)
    if _QUOTED.fullmatch(subject):
        return (_bare(subject),), False
    subject = re.sub(r"^(?:both|either) ", "", subject, flags=re.IGNORECASE)
    for joint, is_any in ((" or ", True), (" and ", False)):
        parts = [_bare(p) for p in subject.split(joint)]
        if len(parts) > 1 and all(words(p) for p in parts):
            return tuple(parts), is_any
    return (_bare(subject),), False


def _bare(subject: str) -> str:
    """What is named, without an article before it or quotation marks around it."""
    bare = _LEADING.sub("", plain(subject))
    quoted = _QUOTED.fullmatch(bare)
    return quoted[1].strip(" .?!") if quoted else bare


def _phrase_pattern(phrase: str) -> re.Pattern[str]:
    """The whole phrase in any case, with any spaces, apostrophes and hyphens."""
    spelt = re.sub(r"(?:\\ )+", r"\\s+", re.escape(phrase))
    spelt = re.sub(r"['’‘]", "['’‘]", spelt)
    spelt = re.sub(r"\\-|[‐‑–]", "[-‐‑–]", spelt)
    return re.compile(rf"(?<!\w){spelt}(?!\w)", re.IGNORECASE)


def _occurrences(article: Article, pattern: re.Pattern[str]) -> tuple[int, Span | None] | None:
    """How often an article has a phrase, its title included, and the first sentence that does; None where it has it not."""
    body = article.body
    hits = [m.span() for m in pattern.finditer(body)]
    title = article.title
    beside = title is not None and title.span is None and pattern.search(title.value) is not None
    if not hits:
        return (1, None) if beside else None
    start, end = hits[0]
    low = max(body.rfind("\n", 0, start), 0)
    high = body.find("\n", end)
    around = sentences(body, low, high if high >= 0 else len(body))
    span = next((s for s in around if s.start <= start and end <= s.end), Span(start, end))
    return len(hits) + beside, span


def _of(asked: Asked, catalogue: _Catalogue) -> list[Article]:
    """The articles of a title or file, else of a publisher or author, else of a date."""
    subject = _bare(asked.subject)
    name = fold(subject)
    if name in _ENDS:
        return _at_an_end(name, catalogue)
    date = parse_date(subject)
    is_known = asked.certain or date is not None or QUOTED_OR_FILE.fullmatch(plain(asked.subject))
    if not is_known and not any(_is_called(name, p) for p in catalogue.publishers()):
        return []  # without a look at every article: this may well be a question to their text
    tests: tuple[Callable[[Article], bool], ...] = (
        lambda a: name in (fold(a.path), fold(a.id)) or bool(a.title and fold(a.title.value) == name),
        lambda a: any(_is_called(name, f.value) for f in (a.publisher, a.author) if f),
        lambda a: date is not None and a.published is not None and _is_dated(a.published.date, date),
    )
    found: tuple[list[Article], ...] = ([], [], [])
    for article in catalogue.each():
        for test, chosen in zip(tests, found, strict=True):
            if test(article):
                chosen.append(article)
                break
    return sorted(next((f for f in found if f), []), key=lambda a: a.id)


def _is_called(name: str, value: str) -> bool:
    """Whether `name` is the name of a publisher or author, or whole words of it: "Courier" of "The Courier | News"."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", fold(value)) is not None


def _is_dated(known: PartialDate, wanted: PartialDate) -> bool:
    """Whether an article's date is the wanted one: what both know agrees, and no wanted month or day is unknown."""
    if (wanted.month and not known.month) or (wanted.day and not known.day):
        return False
    return agree(known, wanted) is True


_NOTES: dict[Intent, Callable[[_Catalogue], str]] = {
    Intent.GREETING: lambda c: f"Hello. {_can(c)}",
    Intent.THANKS: lambda c: "You are welcome. Ask another question whenever you like.",
    Intent.ABILITY: _can,
    Intent.LANGUAGE: lambda c: "Questions are read in English. Please ask this one in English.",
    Intent.COUNT: lambda c: f"{_there_are(c.count())}.",
    Intent.PUBLISHERS: lambda c: _names("publisher", c.publishers()),
    Intent.AUTHORS: lambda c: _names("author", sorted({plain(a.author.value) for a in c.each() if a.author})),
}
_ANSWERS: dict[Intent, Callable[[str, Asked, _Catalogue], Answer | None]] = {
    Intent.LIST: _list,
    Intent.NEWEST: _newest,
    Intent.MENTIONS: _mentions,
    Intent.SUMMARY: _summary,
}
