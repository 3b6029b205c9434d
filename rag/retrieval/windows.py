"""Windows: retrieved passages as the reader sees them, three sentences at a time with the article's title and date.

    Lavrov and Rubio in Kuala Lumpur (14 July 2025): sentence, sentence, sentence

Every sentence that a passage touches is in a window beside a neighbour, because an answer often names its subject one
sentence earlier. Pure: it knows texts and places, not how a window is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.ingest.furniture import regions
from rag.schema import MONTHS, Article, Passage, Span
from rag.text.sentences import sentences
from rag.text.words import content_words, plain, words

SENTENCES = 3
STEP = 2  # so that each sentence has a neighbour in one window at least
MOST_CHARS = 700  # of a window: about 150 tokens
MIN_WORDS = 3  # "Advertisement", "Read more": fragments that state nothing
REACH_CHARS = 700  # how far beyond a passage its first and last sentence may reach
RANK_WEIGHT = 0.3  # of a window of the first passage; falls with the rank
HEAD_WEIGHT = 0.5  # a word of the question that only the title has counts half
OWN = 2  # windows that each article has among those chosen, where there is room
# A question that is quoted inside a report is a part of it.
_ASKS = re.compile(r"\?$|^[“\"‘'(].*\?[”\"’')]+$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring sentences of one article. `rank` is that of the best passage they were found in."""

    article: Article
    spans: tuple[Span, ...]
    rank: int

    @property
    def head(self) -> str:
        """Title and date as they are put ahead of the text, "" where the article has neither."""
        return head_of(self.article)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The sentences in one line each."""
        return tuple(plain(self.article.body[s.start : s.end]) for s in self.spans)

    @property
    def text(self) -> str:
        """What the reader reads."""
        return self.head + " ".join(self.pieces)

    def at(self, start: int, end: int) -> tuple[Span, str] | None:
        """The sentence (its place in the article) that holds most of `text[start:end]`, and the words of it that
        those characters are; None where they lie in the head."""
        place = len(self.head)
        best: tuple[int, Span, str] | None = None
        for span, piece in zip(self.spans, self.pieces, strict=True):
            low, high = max(start, place), min(end, place + len(piece))
            if high > low and (best is None or high - low > best[0]):
                best = high - low, span, piece[low - place : high - place]
            place += len(piece) + 1
        return None if best is None else best[1:]


def head_of(article: Article) -> str:
    """ "Title (14 July 2025): "; what the article does not state is left out."""
    title = plain(article.title.value) if article.title else ""
    published = article.published.date if article.published else None
    date = ""
    if published is not None and published.year is not None:
        day = published.day if published.month is not None and published.day is not None else ""
        month = MONTHS[published.month - 1] if published.month is not None else ""
        date = f"({' '.join(str(p) for p in (day, month, published.year) if p != '')})"
    return f"{title} {date}".strip() + ": " if title or date else ""


def states(text: str) -> bool:
    """Whether a sentence can be evidence: a question states nothing."""
    return _ASKS.search(text) is None


def locate(words_of: str, span: Span, body: str) -> Span | None:
    """Where the words, in one line, stand in `body[span.start:span.end]` with its own spacing; None where they do not."""
    pattern = r"\s+".join(re.escape(w) for w in words_of.split())
    found = re.search(pattern, body[span.start : span.end]) if pattern else None
    return Span(span.start + found.start(), span.start + found.end()) if found else None


def windows_of(passages: Sequence[Passage]) -> list[Window]:
    """The windows of the passages, each once, in the order of the passages, then of the text."""
    made: dict[tuple[str, int], Window] = {}
    parts = {p.article.id: regions(p.article) for p in {p.article.id: p for p in passages}.values()}
    for passage in passages:
        body, chunk = passage.article.body, passage.chunk
        low, high = max(0, chunk.start - REACH_CHARS), min(len(body), chunk.end + REACH_CHARS)
        spans = [
            s
            for s in sentences(body, low, high)
            # a sentence that the reach itself cut is not one
            if (low == 0 or body[low : s.start].strip()) and (high == len(body) or body[s.end : high].strip())
        ]
        own = parts[passage.article.id]  # a neighbour may be furniture of the page
        spans = [s for s in spans if any(p.start <= s.start and s.end <= p.end for p in own)]
        spans = [
            s for s in spans if _is_evidence(body[s.start : s.end]) and not _is_title(s, passage.article)
        ]
        touching = [i for i, s in enumerate(spans) if s.end > chunk.start and s.start < chunk.end]
        if not touching:
            continue
        for first in range(max(0, touching[0] - 1), touching[-1] + 1, STEP):
            some = spans[first : first + SENTENCES]
            while len(some) > 1 and some[-1].end - some[0].start > MOST_CHARS:
                some = some[:-1]
            key = (passage.article.id, some[0].start)
            if key not in made:
                made[key] = Window(passage.article, tuple(some), passage.rank)
        covered = {s for w in made.values() if w.article.id == passage.article.id for s in w.spans}
        for i in touching:
            if spans[i] not in covered:  # its neighbours are too long to stand beside it
                made[passage.article.id, spans[i].start] = Window(passage.article, (spans[i],), passage.rank)
    return list(made.values())


def _is_title(span: Span, article: Article) -> bool:
    """Whether a line is the title, which stands ahead of each window anyway, perhaps with a label and a date."""
    title = article.title.span if article.title else None
    if title is None:
        return False
    shared = min(span.end, title.end) - max(span.start, title.start)
    return 2 * shared > span.end - span.start


def _is_evidence(text: str) -> bool:
    line = plain(text)
    return len(words(line)) >= MIN_WORDS and states(line)


def likeliest(question: str, windows: Sequence[Window], count: int, fair: int = 0) -> list[Window]:
    """The `count` windows that share most words with the question, those of better passages first among equals. The last `fair` of
    them are the best of articles that have fewer than `OWN` so far: what another article says in other words is not
    crowded out by an article that repeats the question's words in every sentence."""
    asked = set(content_words(question))

    def score(window: Window) -> float:
        own, head = set(content_words(" ".join(window.pieces))), set(content_words(window.head))
        shared = sum(1.0 if w in own else HEAD_WEIGHT if w in head else 0.0 for w in asked)
        return shared / max(1, len(asked)) + RANK_WEIGHT / window.rank

    order = sorted(windows, key=lambda w: (-score(w), w.article.id, w.spans[0].start))
    chosen, rest = order[: count - fair], order[count - fair :]
    have = Counter(w.article.id for w in chosen)
    passed = []
    for window in rest:
        if len(chosen) < count and have[window.article.id] < OWN:
            have[window.article.id] += 1
            chosen.append(window)
        else:
            passed.append(window)
    return [*chosen, *passed[: count - len(chosen)]]
