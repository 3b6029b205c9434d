"""Evidence: passages are cut into sentences, and the best of them, from several articles, are numbered.

Pure: it knows texts and scores. How similar a sentence is to the question is computed elsewhere and passed in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.schema import Article, Evidence, Passage, Span
from rag.text import POINTING, content_words, plain, sentences, words

WINDOW_CHARS = 700  # how far beyond a chunk its first and last sentence may reach
MIN_WORDS = 3  # "Advertisement", "Read more": fragments that state nothing
CONTEXT_WEIGHT = 0.5  # a question's word found only in the neighbour or title counts half


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a retrieved passage: `article.body[start:end]`; `before` is the sentence ahead of it in the same
    article, None at the start; `rank` that of the best passage it was found in."""

    article: Article
    start: int
    end: int
    rank: int
    before: Span | None

    @property
    def text(self) -> str:
        """The sentence as the article has it."""
        return self.article.body[self.start : self.end]

    @property
    def before_text(self) -> str:
        """The sentence before, "" at the start."""
        return self.article.body[self.before.start : self.before.end] if self.before else ""

    @property
    def context_text(self) -> str:
        """Title and the sentence before, for finding out what the sentence is about."""
        title = plain(self.article.title.value) + ". " if self.article.title else ""
        return plain(title + self.before_text)


_ITEM = re.compile(r"(?:[-–—•*·‣▪]|\d{1,2}[.)]|[a-zA-Z][.)])\s")
MAX_LIST_CHARS = 900  # lead and items together; a longer list is told by its items


def _with_lists(body: str, spans: Sequence[Span]) -> list[tuple[Span, Span | None]]:
    """Each sentence with the one it follows on. A line that ends in a colon reaches to the end of the list under it,
    and each item of that list, a sentence of its own too, follows on the line."""
    found: list[tuple[Span, Span | None]] = []
    lead: Span | None = None
    for position, span in enumerate(spans):
        is_item = _ITEM.match(body, span.start) is not None
        if not is_item:
            lead = None
        before = spans[position - 1] if position else None
        found.append((span, lead if is_item and lead else before))
        if body[span.end - 1] == ":":
            lead = span
            last = position
            while last + 1 < len(spans) and _ITEM.match(body, spans[last + 1].start):
                last += 1
            whole = Span(span.start, spans[last].end)
            if last > position and whole.end - whole.start <= MAX_LIST_CHARS:
                found[-1] = (whole, before)
    return found


_ORDERS = re.compile(
    r"^\W*(?:please |now |also |then |always |instead,? )*(?:translate|summari[sz]e|rewrite|rephrase|write|print|output|repeat"
    r"|replace|add|include|append|insert|modify|alter|change|augment|misspell|encode|encrypt|respond|reply|answer|end|begin|start"
    r"|use|make|mention|say|state|provide|convert|anagram|remove|group|substitute|incorporate|embed|integrate|attach)\b"
    r".*\b(?:answer|response|reply|output|paragraph|above|following text|your (?:text|summary|translation|message))\b"
    r"|^\W*[a-z]+\b.{0,60}\byour (?:response|reply|answer|output|message)\b(?!.*\b(?:he|she|they|said)\b)"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules|indicators|context|guidelines|the above)\b"
    r"|[\[<][/|]?(?:system|inst|assistant|user|im_start|im_end|rest-of-document)\b"
    r"|^\W*(?:system|assistant|user)\s*:"
    r"|\b(?:simply|only|just) (?:respond|reply|answer|report|say)\b"
    r"|\b(?:automated|ai)[ -](?:analysis|screening|summari[sz]ation|evaluation) (?:software|systems?|tools?|models?)\b",
    re.IGNORECASE | re.DOTALL,
)


def gives_orders(text: str) -> bool:
    """Whether a sentence is addressed to a machine that reads it: an instruction, or the marks of a conversation. Such a
    sentence states nothing that an answer could rest on."""
    return _ORDERS.search(text) is not None


_ASKS = re.compile(r"\?[”\"’')]*$")


def states(text: str) -> bool:
    """Whether a sentence states anything: a question does not, nor an order to a machine."""
    return _ASKS.search(text) is None and not gives_orders(text)


def sentences_of(passages: Sequence[Passage]) -> list[Sentence]:
    """The sentences that touch the passages, each once, in passage order, then text order; only what states
    something.

    A list is one sentence with the line that leads to it, and its items are sentences too.
    """
    found: dict[tuple[str, int], Sentence] = {}
    for passage in passages:
        body = passage.article.body
        low = max(0, passage.chunk.start - WINDOW_CHARS)
        high = min(len(body), passage.chunk.end + WINDOW_CHARS)
        spans = sentences(body, low, high)
        for span, before in _with_lists(body, spans):
            if span.end <= passage.chunk.start or span.start >= passage.chunk.end:
                continue
            # a sentence that the window itself cut is not one
            if (span.start == low and low > 0) or (span.end == high and high < len(body)):
                continue
            key = (passage.article.id, span.start)
            text = body[span.start : span.end]
            if key in found or len(words(text)) < MIN_WORDS or not states(plain(text)):
                continue
            found[key] = Sentence(passage.article, span.start, span.end, passage.rank, before)
    return list(found.values())


def whole(passages: Sequence[Passage]) -> list[Sentence]:
    """Each passage as if it were one sentence: evidence as other programs cite it."""
    return [Sentence(p.article, p.chunk.start, p.chunk.end, p.rank, None) for p in passages]


def lexical_overlap(question: str, sentence: Sentence) -> float:
    """Share of the question's content words (0 to 1) that the sentence holds, neighbours counting half."""
    asked = set(content_words(question))
    if not asked:
        return 0.0
    own = set(content_words(sentence.text))
    near = set(content_words(sentence.context_text))
    return sum(1.0 if w in own else CONTEXT_WEIGHT if w in near else 0.0 for w in asked) / len(asked)


def points_back(text: str) -> bool:
    """Whether a sentence needs an earlier one: a pronoun, or "the meeting" before any name of its own."""
    first = words(text)[:12]
    return bool(POINTING & set(first)) or bool(
        re.match(r"\s*[\"“']?(The|This|That|These|Those|Such)\b", text)
    )


def context_of(sentence: Sentence) -> tuple[Span, ...]:
    """The spans cited along with a sentence that points back, or with an item of a list: the sentence that it follows on."""
    is_item = _ITEM.match(sentence.article.body, sentence.start) is not None
    if sentence.before is None or not (is_item or points_back(sentence.text)):
        return ()
    return (sentence.before,)


def choose(sentences: Sequence[Sentence], scores: Sequence[float], count: int) -> list[Evidence]:
    """Number the `count` best sentences from 1, best first; ties by article and place.

    No article takes more than half of the places (rounded up) while another still has a sentence to offer, and the
    same words (wire copies, repeated leads) are taken once.
    """
    order = sorted(
        zip(sentences, scores, strict=True), key=lambda pair: (-pair[1], pair[0].article.id, pair[0].start)
    )
    most = max(1, (count + 1) // 2)
    taken: list[tuple[Sentence, float]] = []
    spare: list[tuple[Sentence, float]] = []
    seen: set[tuple[str, ...]] = set()
    per_article: dict[str, int] = {}
    for sentence, score in order:
        key = tuple(words(sentence.text))
        if key in seen:
            continue
        seen.add(key)
        if per_article.get(sentence.article.id, 0) >= most:
            spare.append((sentence, score))
            continue
        per_article[sentence.article.id] = per_article.get(sentence.article.id, 0) + 1
        taken.append((sentence, score))
        if len(taken) == count:
            break
    chosen = sorted((taken + spare)[:count], key=lambda pair: (-pair[1], pair[0].article.id, pair[0].start))
    return [
        Evidence(n, s.article, s.start, s.end, s.text, context_of(s), score)
        for n, (s, score) in enumerate(chosen, 1)
    ]
