"""Furniture: lines that belong to a page and not to its article, such as share bars and offers to subscribe.

They are recognised by position and repetition, not by their words. A publisher repeats them in articles that otherwise have
nothing in common, within one article, or on each of its pages. At the foot they have the publisher's name; at the head they
say who wrote the article, and when. They stay in the article's text, so that offsets remain valid, but no chunk includes
them, so they never become evidence. With a single article of a publisher, a line that occurs once and without the publisher's
name cannot be distinguished from the article. This module knows texts, not files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from rag.ingest.descriptions import content_span, lines_about, named_publisher
from rag.schema import Article, Origin, Span
from rag.text.words import fold, plain

MOST_CHARS = 200  # of a line of furniture; a longer one is a paragraph
LEAST_ARTICLES = 3  # in which a label ("Share this") must occur
LEAST_FOR_SENTENCES = 5  # for a sentence, and half of all articles: papers repeat sentences of background too
SENTENCE_WORDS = 8
FOOT_LINES = 4
SAMPLE = 60  # articles of a publisher that are compared

_LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
_FIGURES = re.compile(r"\d+")
_STOPPED = re.compile(r"[.!?…。！？][\"”’')\]»]*$")


def _is_sentence(line: str) -> bool:
    return _STOPPED.search(line) is not None and len(line.split()) >= SENTENCE_WORDS


def _lines(article: Article) -> list[tuple[Span, str]]:
    """The lines of the article below its front matter, without the title, each with the text that is shown of it."""
    content = content_span(article.body)
    title = article.title
    found = []
    for match in _LINE.finditer(article.body, content.start):
        shown = plain(match.group())
        is_title = title is not None and shown.lstrip("#* ") == plain(title.value)
        if shown and not is_title:
            found.append((Span(*match.span()), shown))
    return found


def learned(articles: Sequence[Article]) -> frozenset[str]:
    """The lines that different articles of one publisher share. Versions of one article count once."""
    told: list[frozenset[str]] = []
    seen: Counter[str] = Counter()
    for article in articles:
        lines = {line for _, line in _lines(article)}
        sentences = frozenset(line for line in lines if _is_sentence(line))
        if any(2 * len(sentences & other) > min(len(sentences), len(other)) for other in told):
            continue
        told.append(sentences)
        seen.update(line for line in lines if len(line) <= MOST_CHARS)
    for_sentences = max(LEAST_FOR_SENTENCES, (len(told) + 1) // 2)
    return frozenset(
        line
        for line, count in seen.items()
        if count >= (for_sentences if _is_sentence(line) else LEAST_ARTICLES)
    )


def _is_signature(line: str, span: Span, article: Article) -> bool:
    """Whether a line near the foot is the publisher's: its name was read there, or it is a name outside a sentence."""
    publisher = article.publisher
    if publisher is None or len(line) > MOST_CHARS:
        return False
    if named_publisher(article.body, span.start, span.end):
        return True
    if publisher.origin is Origin.STATED and publisher.span is not None:
        return span.start <= publisher.span.start < span.end
    name = fold(publisher.value)
    return len(name) > 3 and name in fold(line) and not _STOPPED.search(line)


def _running_heads(body: str, lines: Sequence[tuple[Span, str]]) -> set[str]:
    """The lines that several pages of a text begin or end with, page numbers ignored. Form feeds separate the pages."""
    if "\f" not in body:
        return set()
    edges = [
        line
        for place, (span, line) in enumerate(lines)
        if place in (0, len(lines) - 1)
        or "\f" in (body[max(span.start - 1, 0) : span.start], body[span.end : span.end + 2].strip("\n"))
    ]
    seen = Counter(_FIGURES.sub("#", line) for line in edges)
    return {line for line in edges if seen[_FIGURES.sub("#", line)] > 1}


def regions(article: Article, shared: Collection[str] = ()) -> list[Span]:
    """The parts of the body that are the article, in order, without furniture. `shared` are the lines from `learned`."""
    content = content_span(article.body)
    lines = _lines(article)
    often = {
        line
        for line, count in Counter(shown for _, shown in lines).items()
        if count > 1 and not _STOPPED.search(line) and not any(c.isdigit() or c == "\t" for c in line)
    }
    often |= _running_heads(article.body, lines)
    end = content.end
    for place, (span, line) in list(enumerate(lines))[-FOOT_LINES:]:
        rest = lines[place:]
        if (
            place
            and _is_signature(line, span, article)
            and all(len(shown) <= MOST_CHARS for _, shown in rest)
        ):
            end = span.start
            break
    about = {span.start for span in lines_about(article.body)}
    found, start = [], content.start
    for span, line in lines:
        if span.start >= end:
            break
        if line in often or line in shared or span.start in about:
            found.append(Span(start, span.start))
            start = span.end
    found.append(Span(start, end))
    kept = [part for part in found if article.body[part.start : part.end].strip()]
    return kept or [content]  # a text of furniture alone is kept whole
