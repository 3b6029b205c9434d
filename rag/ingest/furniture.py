"""Furniture: lines that belong to a page and not to its article, such as share bars and offers to subscribe. Pure.

They are known by what they do, not by their words: a publisher repeats them over articles that otherwise have nothing in
common, or over one article, and signs with its own name at the foot; and at the head stands who wrote the article, and when. They stay in the article's text, so that places in it
hold, but no chunk reaches into them, and so none becomes evidence. With a single article of a publisher, a line that stands
there once, without the publisher's name in the last lines, cannot be told from the article.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from rag.ingest.descriptions import content_span, lines_about
from rag.schema import Article, Origin, Span
from rag.text.words import fold, plain

MOST_CHARS = 200  # of a line of furniture; a longer one is a paragraph
LEAST_ARTICLES = 3  # that a label ("Share this") stands in
LEAST_FOR_SENTENCES = 5  # and half of all: a paper repeats sentences of background too
SENTENCE_WORDS = 8
FOOT_LINES = 4
SAMPLE = 60  # articles of a publisher that are compared

_LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
_STOPPED = re.compile(r"[.!?…。！？][\"”’')\]»]*$")


def _is_sentence(line: str) -> bool:
    return _STOPPED.search(line) is not None and len(line.split()) >= SENTENCE_WORDS


def _lines(article: Article) -> list[tuple[Span, str]]:
    """The lines of the article under its front matter, the title left out, with what is shown of them."""
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
    """The lines that articles of one publisher share although they tell different things; versions of one article count
    once."""
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
    """Whether a line near the foot is the publisher's: it is where its name was read, or a name in no sentence."""
    publisher = article.publisher
    if publisher is None or len(line) > MOST_CHARS:
        return False
    if publisher.origin is Origin.STATED and publisher.span is not None:
        return span.start <= publisher.span.start < span.end
    name = fold(publisher.value)
    return len(name) > 3 and name in fold(line) and not _STOPPED.search(line)


def regions(article: Article, shared: Collection[str] = ()) -> list[Span]:
    """The parts of the body that are the article, in order, without furniture; `shared` are lines that were learned."""
    content = content_span(article.body)
    lines = _lines(article)
    often = {
        line
        for line, count in Counter(shown for _, shown in lines).items()
        if count > 1 and not _STOPPED.search(line) and not any(c.isdigit() or c == "\t" for c in line)
    }
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
    return kept or [content]  # a text of nothing else is all that there is
