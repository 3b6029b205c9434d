"""Answering: question -> Passage -> Evidence -> draft -> checked Answer, in terms of its parts.

The model only words what the evidence says. Whether to answer is decided before it writes, what it wrote is checked
against the very sentences it cites, and what fails is cited better, quoted instead, or withheld.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.citations import Draft, stream_drafts
from rag.config import Settings
from rag.disagreement import Candidate, find_disagreement, origins
from rag.errors import GenerationError
from rag.evidence import choose, sentences_of
from rag.prompts import answer_grammar, answer_prompt
from rag.protocols import Cancel, Embedder, Generator
from rag.question import Kind, Question, recapitalise, understand, values
from rag.ranking import Judged, SentenceReader, judge, rank_sentences
from rag.refusal import missing_words
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

ANSWER_FLOOR = 0.75  # below it nothing is generated
OPEN_FLOOR = 0.55  # the same for questions without a span to point at, which the reader never saw in training
QUOTE_FLOOR = 0.95  # from here on a sentence is quoted as the answer although the model found none
REPAIR_FLOOR = (
    0.85  # the same when the model wrote an answer that failed the check: both hold that there is one
)
CLOSEST = 3  # sentences shown beside a refusal


@dataclass(frozen=True, slots=True)
class Parts:
    """What a question is answered with. `generator` None: the best sentences are quoted."""

    settings: Settings
    store: Store
    embedder: Embedder
    reader: SentenceReader
    generator: Generator | None


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


_OPEN = frozenset({Kind.YES_NO, Kind.LIST, Kind.SUMMARY})
_MEASURES = frozenset({Kind.DURATION, Kind.COUNT, Kind.MONEY, Kind.PERCENT, Kind.DATE, Kind.TIME})


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
