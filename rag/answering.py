"""Answering: question -> Passage -> Evidence -> draft -> checked Answer, in terms of its parts.

The model only words what the evidence says. Whether to answer is decided before it writes, what it wrote is checked
against the very sentences it cites, and what fails is cited better, quoted instead, or withheld.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rag.citations import Draft, stream_drafts
from rag.config import Settings
from rag.disagreement import Candidate, find_disagreement, origins
from rag.errors import GenerationError
from rag.evidence import Sentence, choose, lexical_overlap, points_back, sentences_of
from rag.prompts import answer_grammar, answer_prompt
from rag.protocols import Cancel, Embedder, Generator
from rag.question import Kind, Question, holds_kind, recapitalise, understand, unmet, values
from rag.reader import Reading
from rag.retrieval import retrieve
from rag.schema import (
    Answer,
    Disagreement,
    Evidence,
    Reason,
    State,
    Statement,
    Status,
    Timings,
    Verdict,
)
from rag.store import Store
from rag.text import plain
from rag.verify import check

PRESELECTED = 32  # sentences that are embedded: about 0.2 s
READ = 16  # sentences that the reader looks at: about 0.3 s
# The score of a sentence: the reader's probability plus these, set on the tune halves of the own set and of SQuAD 2,
# where the sum tells answerable from unanswerable better (AUC 0.92 and 0.75) than the reader alone (0.90 and 0.73).
COSINE_WEIGHT = 0.4
OVERLAP_WEIGHT = 0.24
KIND_WEIGHT = 0.16
NEARBY_SHARE = 0.5  # of the reader's probability, when what it points at is not in the sentence itself
ANSWER_FLOOR = 0.75  # below it nothing is generated
OPEN_FLOOR = 0.55  # the same for questions without a span to point at, which the reader never saw in training
QUOTE_FLOOR = 0.95  # from here on a sentence is quoted as the answer although the model found none
REPAIR_FLOOR = (
    0.85  # the same when the model wrote an answer that failed the check: both hold that there is one
)
CLOSEST = 3  # sentences shown beside a refusal


class SentenceReader(Protocol):
    """What answering needs of a reader."""

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """How well each text answers the question."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a question is answered with. `generator` None: the best sentences are quoted."""

    settings: Settings
    store: Store
    embedder: Embedder
    reader: SentenceReader
    generator: Generator | None


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


class Clock:
    """Seconds since the question, and the timings seen so far."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.timings = Timings()

    def seconds(self) -> float:
        """Seconds since the question."""
        return time.monotonic() - self.started

    def mark(self, name: str) -> None:
        """Set a timing the first time it is called for `name`."""
        if getattr(self.timings, name) is None:
            self.timings = replace(self.timings, **{name: self.seconds()})


def _window(sentence: Sentence) -> tuple[str, int]:
    """What the reader sees of a sentence, and where in it the sentence itself begins: the title, the sentence before
    when this one points back to it, the sentence."""
    title = f"{plain(sentence.article.title.value)}. " if sentence.article.title else ""
    text = plain(sentence.text)
    before = f"{plain(sentence.before_text)} " if sentence.before and points_back(text) else ""
    return title + before + text, len(title + before)


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
        score = rough[i] + reading.answerable * (1.0 if inside else NEARBY_SHARE)
        ranked.append(Ranked(few[i], score, score if inside else rough[i], value))
    return sorted(ranked, key=lambda r: (-r.score, r.sentence.article.id, r.sentence.start))


def judge(question: Question, chosen: Sequence[Evidence], ranked: Sequence[Ranked]) -> list[Judged]:
    """Each piece of evidence beside what the question fixes, in the order given."""
    by_place = {(r.sentence.article.id, r.sentence.start): r for r in ranked}
    judged = []
    for item in chosen:
        found = by_place[item.article.id, item.start]
        lacking = unmet(question, item.text, found.sentence.context_text, item.article)
        of_kind = holds_kind(question.kind, item.text, question.counted)
        judged.append(Judged(item, found.certainty, found.value, lacking, of_kind))
    return judged


_OPEN = frozenset({Kind.YES_NO, Kind.LIST, Kind.SUMMARY})
_MEASURES = frozenset({Kind.DURATION, Kind.COUNT, Kind.MONEY, Kind.PERCENT, Kind.DATE, Kind.TIME})
_KIND_WORDS = {
    Kind.DURATION: "how long it lasted",
    Kind.COUNT: "the number asked for",
    Kind.MONEY: "the sum asked for",
    Kind.PERCENT: "the percentage asked for",
    Kind.DATE: "the date asked for",
    Kind.TIME: "the time asked for",
    Kind.PERSON: "the person asked for",
    Kind.PLACE: "the place asked for",
    Kind.ORGANISATION: "the organisation asked for",
}


def missing_words(question: Question, judged: Sequence[Judged]) -> str:
    """What the articles do not give, in words for the reader."""
    lacking = [j.unmet for j in judged]
    if judged and all(lacking):
        fewest = min(lacking, key=len)
        return f"The articles do not answer this: no sentence close to it speaks of {', '.join(fewest)}."
    right_kind = [j.unmet for j in judged if j.of_kind]
    if right_kind and all(right_kind) and question.kind in _KIND_WORDS:
        fewest = min(right_kind, key=len)
        return (
            f"The articles do not answer this: no sentence close to it that gives {_KIND_WORDS[question.kind]} "
            f"speaks of {', '.join(fewest)}."
        )
    if not right_kind and question.kind in _KIND_WORDS:
        return f"The articles do not answer this: no sentence close to it gives {_KIND_WORDS[question.kind]}."
    return "The articles do not answer this."


def _quote(number: int, item: Evidence) -> Statement:
    return Statement(number, plain(item.text), (item.number,), State.QUOTED, Verdict(True))


def settle(number: int, draft: Draft, evidence: Sequence[Evidence], question: Question) -> Statement:
    """Check a draft against each sentence it cites, and keep the citations that carry it alone; where none does, look
    for another sentence that does.

    Two sentences together are never enough: a name from one and a word from the other can state what neither says.
    """
    by_number = {e.number: e for e in evidence}
    cited = [by_number[n] for n in draft.citations]
    verdicts = [(e.number, check(draft.text, [e], question)) for e in cited]
    carrying = [(n, v) for n, v in verdicts if v.supported]
    if not carrying:
        others = ((e.number, check(draft.text, [e], question)) for e in evidence if e not in cited)
        carrying = [next(((n, v) for n, v in others if v.supported), (0, Verdict(False)))]
    if carrying[0][1].supported:
        derivation = tuple(dict.fromkeys(step for _, v in carrying for step in v.derivation))
        kept = tuple(n for n, _ in carrying)
        return Statement(number, draft.text, kept, State.SUPPORTED, Verdict(True, derivation=derivation))
    verdict = verdicts[0][1] if verdicts else Verdict(False, Reason.NO_CITATION, "no sentence is cited")
    return Statement(number, draft.text, draft.citations, State.WITHHELD, verdict)


def disagreement_of(question: Question, judged: Sequence[Judged]) -> Disagreement | None:
    """The different values that the articles give, taken only from sentences that fit and whose answer the reader sees
    in such a value; only for what is measured or dated, for two names may both be right."""
    if question.kind not in _MEASURES:
        return None
    fitting = [
        j
        for j in judged
        if j.fits and j.certainty >= ANSWER_FLOOR and values(question.kind, j.value or j.evidence.text)
    ]
    groups = origins([j.evidence.article for j in fitting])
    candidates = [
        Candidate(value, j.evidence.number, j.evidence.article, group)
        for j, group in zip(fitting, groups, strict=True)
        for value in values(question.kind, j.evidence.text)
    ]
    return find_disagreement(question, candidates)


def answer(asked: str, understood: str, parts: Parts, clock: Clock, *, cancel: Cancel) -> Iterator[Answer]:
    """Growing answers to `understood`; the last one is final.

    Raises `StoppedError`, `GenerationError` and `ModelError` from the generator; what was yielded before stays true.
    """
    settings = parts.settings
    passages = retrieve(parts.store, parts.embedder, understood, settings.passages)
    question = understand(recapitalise(understood, [p.chunk.text for p in passages]))
    ranked = rank_sentences(question, sentences_of(passages), parts.embedder, parts.reader)
    evidence = tuple(choose([r.sentence for r in ranked], [r.score for r in ranked], settings.evidence))
    clock.mark("sources_s")
    name = parts.generator.name if parts.generator else "quotes only"
    base = Answer(
        asked, understood, Status.DRAFTING, evidence=evidence, generator=name, timings=clock.timings
    )
    yield base

    judged = judge(question, evidence, ranked)
    best = max((j for j in judged if j.fits), key=lambda j: (j.certainty, -j.evidence.number), default=None)
    if best is None or best.certainty < (OPEN_FLOOR if question.kind in _OPEN else ANSWER_FLOOR):
        yield _refusal(base, question, judged, clock)
        return

    statements: list[Statement] = []
    if parts.generator is not None:
        for statements in _draft(question, evidence, parts.generator, parts.settings, clock, cancel):
            yield replace(base, statements=tuple(statements), timings=clock.timings)
    shown = [s for s in statements if s.state is State.SUPPORTED]
    if parts.generator is None:
        quote_floor = ANSWER_FLOOR
    else:
        quote_floor = REPAIR_FLOOR if statements else QUOTE_FLOOR
    if not shown and best.certainty >= quote_floor:
        statements.append(_quote(len(statements) + 1, best.evidence))
        clock.mark("first_settled_s")
    disagreement = disagreement_of(question, judged)
    if disagreement and any(s.state is not State.WITHHELD for s in statements):
        covered = {n for s in statements if s.state is not State.WITHHELD for n in s.citations}
        by_number = {e.number: e for e in evidence}
        for value in disagreement.values:
            if not covered & set(value.citations):
                statements.append(_quote(len(statements) + 1, by_number[value.citations[0]]))
                covered |= set(value.citations)
    done = replace(base, statements=tuple(statements), disagreement=disagreement)
    if not done.shown:
        yield _refusal(done, question, judged, clock)
        return
    clock.mark("total_s")
    yield replace(done, status=Status.ANSWERED, timings=clock.timings)


def _refusal(base: Answer, question: Question, judged: Sequence[Judged], clock: Clock) -> Answer:
    clock.mark("total_s")
    return replace(
        base,
        status=Status.UNANSWERED,
        disagreement=None,
        missing=missing_words(question, judged),
        closest=base.evidence[:CLOSEST],
        timings=clock.timings,
    )


def _draft(
    question: Question,
    evidence: Sequence[Evidence],
    generator: Generator,
    settings: Settings,
    clock: Clock,
    cancel: Cancel,
) -> Iterator[list[Statement]]:
    """The statements as they grow: the last may be in state checking, all before it are settled."""
    left = settings.answer_timeout_s - clock.seconds()
    if left <= 0:
        raise GenerationError(
            f"no answer within {settings.answer_timeout_s:.0f} s; ask again or raise answer_timeout_s"
        )
    pieces = generator.generate(
        answer_prompt(question.text, evidence),
        grammar=answer_grammar([e.number for e in evidence]),
        max_tokens=settings.answer_tokens,
        deadline_s=left,
        cancel=cancel,
    )
    settled: list[Statement] = []
    seen: set[str] = set()
    for words, draft in stream_drafts(pieces, [e.number for e in evidence]):
        clock.mark("first_word_s")
        number = len(settled) + 1
        if draft is None:
            yield [*settled, Statement(number, words, (), State.CHECKING)]
            continue
        if draft.text in seen:
            continue
        seen.add(draft.text)
        settled.append(settle(number, draft, evidence, question))
        if settled[-1].state is State.SUPPORTED:
            clock.mark("first_settled_s")
        yield list(settled)
    yield list(settled)
