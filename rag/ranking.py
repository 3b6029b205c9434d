"""Ranking: which retrieved sentences may answer, how surely each does, and what of the question each leaves open.

It decides nothing about answers; how sure is sure enough is set in rag/answering.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rag.evidence import Sentence, lexical_overlap, points_back
from rag.protocols import Embedder
from rag.question import Kind, Question, holds_kind, offers, unmet
from rag.reader import Reading
from rag.schema import Evidence
from rag.text import content_words, plain, words
from rag.verify import with_synonyms

PRESELECTED = 32  # sentences that are embedded: about 0.2 s
READ = 16  # sentences that the reader looks at: about 0.3 s
# The score of a sentence: the reader's probability plus these, set on the tune halves of the own set and of SQuAD 2,
# where the sum tells answerable from unanswerable better (AUC 0.92 and 0.75) than the reader alone (0.90 and 0.73).
COSINE_WEIGHT = 0.4
OVERLAP_WEIGHT = 0.24
KIND_WEIGHT = 0.16
UNSPOKEN_PENALTY = 0.25  # where a sentence speaks of nothing that is asked but by name
PERSONAL = frozenset(("he", "she", "him", "her", "his", "hers"))
NEARBY_SHARE = 0.5  # of the reader's probability, when what it points at is not in the sentence itself


class SentenceReader(Protocol):
    """What answering needs of a reader."""

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """How well each text answers the question."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A sentence, its score as evidence (higher is better), how well it answers by itself (`ANSWER_FLOOR` is enough),
    and the words that do."""

    sentence: Sentence
    score: float
    certainty: float
    value: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A piece of evidence, how well it answers by itself, the words that do, and whether it agrees with all that the
    question fixes: `unmet` names what it lacks, `of_kind` says whether it holds the kind of thing asked for."""

    evidence: Evidence
    certainty: float
    value: str
    unmet: tuple[str, ...]
    of_kind: bool

    @property
    def fits(self) -> bool:
        """Whether an answer may rest on it."""
        return self.of_kind and not self.unmet


def _window(sentence: Sentence) -> tuple[str, int]:
    """What the reader sees of a sentence, and where in it the sentence itself begins: the title, the sentence before
    when this one points back to it, the sentence."""
    title = f"{plain(sentence.article.title.value)}. " if sentence.article.title else ""
    text = plain(sentence.text)
    before = f"{plain(sentence.before_text)} " if sentence.before and points_back(text) else ""
    return title + before + text, len(title + before)


def _speaks_of_matter(question: Question, sentence: Sentence) -> bool:
    """Whether a sentence, its neighbour or its title has any word of meaning of the question, or a synonym, beside names
    and the thing counted; true where the question has none."""
    named = {w for n in question.names for w in content_words(n)} | set(content_words(question.counted))
    asked = {w for w in question.content if w not in named}
    said = set(content_words(f"{sentence.text} {sentence.context_text}"))
    return not asked or bool(asked & with_synonyms(said))


def rank_sentences(
    question: Question, sentences: Sequence[Sentence], embedder: Embedder, reader: SentenceReader
) -> list[Ranked]:
    """The sentences that may answer, best first, ties by article and place.

    Three sieves, each dearer and finer: words in common, similarity of meaning, the reader.
    """
    overlap = {id(s): lexical_overlap(question.text, s) for s in sentences}
    few = sorted(sentences, key=lambda s: (-overlap[id(s)] - 0.3 / s.rank, s.article.id, s.start))[
        :PRESELECTED
    ]
    if not few:
        return []
    vectors = embedder.encode([question.text, *(plain(f"{s.context_text} {s.text}") for s in few)])
    cosine = vectors[1:] @ vectors[0]
    rough = [
        COSINE_WEIGHT * float(c)
        + OVERLAP_WEIGHT * overlap[id(s)]
        + (KIND_WEIGHT if holds_kind(question.kind, s.text, question.counted) else 0.0)
        for s, c in zip(few, cosine, strict=True)
    ]
    order = sorted(range(len(few)), key=lambda i: (-rough[i], few[i].article.id, few[i].start))[:READ]
    windows = [_window(few[i]) for i in order]
    readings = reader.read(question.text, [text for text, _ in windows])
    ranked = []
    for i, (text, begins), reading in zip(order, windows, readings, strict=True):
        # an answer found in the title or the neighbour is not an answer of this sentence, but speaks for its matter
        inside = reading.end > begins
        value = text[max(reading.start, begins) : reading.end] if inside else ""
        if not _speaks_of_matter(question, few[i]):
            rough[i] -= UNSPOKEN_PENALTY
        score = rough[i] + reading.answerable * (1.0 if inside else NEARBY_SHARE)
        ranked.append(Ranked(few[i], score, score if inside else rough[i], value))
    return sorted(ranked, key=lambda r: (-r.score, r.sentence.article.id, r.sentence.start))


def _offers_by_context(question: Question, item: Evidence) -> bool:
    """Whether "he" of a sentence is the person asked for: its context names him."""
    if question.kind is not Kind.PERSON or not PERSONAL & set(words(item.text)):
        return False
    return any(offers(question, plain(item.article.body[s.start : s.end])) for s in item.context)


def judge(
    question: Question, chosen: Sequence[Evidence], ranked: Sequence[Ranked], *, spread: bool = False
) -> list[Judged]:
    """Each piece of evidence beside what the question fixes, in the order given. With `spread` the question joins what
    several articles say: a piece lacks only what no piece has."""
    by_place = {(r.sentence.article.id, r.sentence.start): r for r in ranked}
    judged = []
    for item in chosen:
        found = by_place[item.article.id, item.start]
        lacking = unmet(question, item.text, found.sentence.context_text, item.article)
        of_kind = offers(question, item.text) or _offers_by_context(question, item)
        judged.append(Judged(item, found.certainty, found.value, lacking, of_kind))
    if spread and judged:
        nowhere = set(judged[0].unmet).intersection(*(j.unmet for j in judged))
        judged = [replace(j, unmet=tuple(u for u in j.unmet if u in nowhere)) for j in judged]
    return judged
