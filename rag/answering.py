"""Answering: question -> Passage -> Evidence -> draft -> checked Answer, in terms of its parts.

The model only words what the evidence says. Whether to answer is decided before it writes, what it wrote is checked
against the very sentences it cites, and what fails is cited better, written anew, quoted instead, or withheld.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from rag.arithmetic import compute
from rag.config import Settings
from rag.disagreement import Candidate, find_disagreement, origins, superseded
from rag.drafting import Clock, Writing, draft, quote, restate
from rag.events import alternatives, find_events, is_open, note, speaks_of
from rag.evidence import choose, sentences_of, whole
from rag.joining import join
from rag.polarity import rule
from rag.protocols import Cancel, Embedder, Generator
from rag.question import Kind, Question, asks_for_one, office_holder, recapitalise, understand, values
from rag.ranking import Judged, SentenceReader, judge, rank_sentences
from rag.refusal import missing_words
from rag.retrieval import retrieve
from rag.schema import (
    EVERY_ARTICLE,
    WHOLE,
    Answer,
    Choice,
    Disagreement,
    Evidence,
    Stage,
    State,
    Statement,
    Status,
    Verdict,
)
from rag.scope import Scope, about, allows, bonuses, choice_text, names_a_source, scope_of
from rag.sharing import AnyStore
from rag.text import fold, plain

__all__ = ["Clock", "Parts", "answer"]

# How sure an answer is: how well the best sentence answers by itself (`Judged.certainty`), and how unlikely the
# generator finds it that there is no answer. The weight is that of a logistic regression on both, over the tune half of
# SQuAD 2.0 (AUC 0.77 together, 0.72 and 0.73 alone).
DOUBT_WEIGHT = 0.2  # per unit of the natural logarithm
DOUBT_CAP = 8.0  # surer than this is as sure as this
READ_FLOOR = 0.45  # of the certainty alone; below it the generator is not even asked
SURE_FLOOR = 1.45
OPEN_SURE_FLOOR = 1.2  # for questions without a span to point at, which the reader never saw in training
# Without a generator the certainty decides alone.
ANSWER_FLOOR = 0.75
OPEN_FLOOR = 0.55
VALUE_FLOOR = 0.85  # of the certainty: a number or date of a sentence stands beside those of others
RIVAL_FLOOR = 1.3  # of the certainty: a name of another article stands beside the answer as its rival
MOST_VALUES = 3  # of one sentence that may be estimates of one thing
REPAIR_FLOOR = 0.85  # of the certainty: a sentence is quoted in place of a draft that failed the check
# A question that joins several named sources is long, and no sentence answers it alone, so that certainty and doubt stand
# lower than the answer deserves; that all its names and sources are found has to speak for it.
SPREAD_SLACK = 0.4
SPREAD_MORE = 4  # sentences more, for the names to be found in
SCOPED_DEPTH = 4  # times as many passages, where a source or a time leaves most of them out
CLOSEST = 3  # sentences shown beside a refusal

_OPEN = frozenset({Kind.YES_NO, Kind.LIST, Kind.SUMMARY})
_ONE_OF = frozenset({Kind.PERSON, Kind.PLACE, Kind.ORGANISATION, Kind.OTHER})
_MEASURES = frozenset({Kind.DURATION, Kind.COUNT, Kind.MONEY, Kind.PERCENT, Kind.DATE, Kind.TIME})


@dataclass(frozen=True, slots=True)
class Parts:
    """What a question is answered with. `generator` None: the best sentences are quoted. `without`: stages left out."""

    settings: Settings
    store: AnyStore
    embedder: Embedder
    reader: SentenceReader
    generator: Generator | None
    choice: Choice = EVERY_ARTICLE
    without: Set[Stage] = WHOLE

    def have(self, stage: Stage) -> bool:
        """Whether a stage is not left out."""
        return stage not in self.without


def disagreement_of(question: Question, judged: Sequence[Judged]) -> Disagreement | None:
    """The different values that the articles give, taken only from sentences that fit and whose answer the reader sees
    in such a value. What is measured or dated has one true value; of names and other things only a question for one
    does, and there counts what the reader points at, if it is very sure."""
    measured = question.kind in _MEASURES
    if not measured and not (question.kind in _ONE_OF and asks_for_one(question)):
        return None
    floor = VALUE_FLOOR if measured else RIVAL_FLOOR
    given = [(j, _values(question, j) if measured else [j.value]) for j in judged]
    fitting = [(j, found) for j, found in given if j.fits and j.certainty >= floor and any(found)]
    groups = origins([j.evidence.article for j, _ in fitting])
    candidates = [
        Candidate(value, j.evidence.number, j.evidence.article, group)
        for (j, found), group in zip(fitting, groups, strict=True)
        for value in found
    ]
    return find_disagreement(question, candidates)


def _values(question: Question, judged: Judged) -> list[str]:
    """The values that a sentence offers as the answer: those the reader points at, and the few others beside them that
    may be estimates of the same ("50 minutes, some say 60"); a table of numbers offers no others."""
    stated = values(question.kind, judged.evidence.text)
    pointed = values(question.kind, judged.value)
    return stated if len(stated) <= MOST_VALUES else pointed


@dataclass(frozen=True, slots=True)
class _Found:
    """What retrieval and ranking give: the question in the articles' spelling, its evidence, judged, how an ambiguous
    question was read and in which other ways it can be, by how much the sentences of an article are preferred (article id -> bonus), and whether the
    question joins what several articles say."""

    question: Question
    evidence: tuple[Evidence, ...]
    judged: tuple[Judged, ...]
    note: str
    bonuses: Mapping[str, float]
    is_spread: bool
    others: tuple[str, ...]

    @property
    def best(self) -> Judged | None:
        """What answers best by itself, of what fits."""
        return max(
            (j for j in self.judged if j.fits),
            key=lambda j: (j.certainty + self.bonuses.get(j.evidence.article.id, 0.0), -j.evidence.number),
            default=None,
        )


def _find(understood: str, parts: Parts) -> _Found:
    limit = parts.settings.passages
    asked = understand(understood)
    choice = parts.choice
    scoped = names_a_source(understood) or asked.before or asked.after or asked.latest
    depth = limit * (SCOPED_DEPTH if scoped else 1)
    passages = retrieve(parts.store, parts.embedder, understood, depth, parts.without, choice)
    asked = understand(recapitalise(understood, [p.chunk.text for p in passages]))
    articles = list({p.article.id: p.article for p in passages}.values())
    scope = scope_of(asked, articles) if parts.have(Stage.SCOPE) else Scope()
    question = about(asked, scope)
    if scope.publishers:
        passages = [p for p in passages if allows(scope, p.article, p.chunk.text)]
    cut = sentences_of if parts.have(Stage.SENTENCES) else whole
    sentences = [s for s in cut(passages[:limit]) if allows(scope, s.article, s.text)]
    told = choice_text(choice)
    others: tuple[str, ...] = ()
    if is_open(question) and parts.have(Stage.SCOPE):
        events = find_events(question, articles)
        if len(events) > 1:
            told = " ".join(filter(None, (told, note(question, events))))
            others = alternatives(question, events)
            sentences = [s for s in sentences if speaks_of(events, s.article, s.start)]
    ranked = rank_sentences(question, sentences, parts.embedder, parts.reader)
    preferred = bonuses(scope, articles)
    scores = [r.score + preferred.get(r.sentence.article.id, 0.0) for r in ranked]
    count = (choice.evidence or parts.settings.evidence) + (SPREAD_MORE if scope.is_spread else 0)
    evidence = choose([r.sentence for r in ranked], scores, count)
    judged = judge(question, evidence, ranked, spread=scope.is_spread)
    if scope.is_spread:  # what one sentence speaks of, the others need not
        lacking = {u for j in judged for u in j.unmet}
        question = replace(
            question,
            names=tuple(n for n in question.names if n in lacking),
            quoted=tuple(q for q in question.quoted if f"“{q}”" in lacking),
        )
    return _Found(question, tuple(evidence), tuple(judged), told, preferred, scope.is_spread, others)


def answer(asked: str, understood: str, parts: Parts, clock: Clock, *, cancel: Cancel) -> Iterator[Answer]:
    """Growing answers to `understood`; the last one is final. A question that asks for several things is answered part
    by part, and what no part answers is named.

    Raises `StoppedError`, `GenerationError` and `ModelError` from the generator; what was yielded before stays true.
    """
    pieces = understand(understood).parts
    if not pieces:
        for current in _answer_one(asked, understood, parts, clock, cancel):
            if current.final:
                clock.mark("total_s")
            yield replace(current, timings=clock.timings)
        return
    done: list[Answer] = []
    for piece in pieces:
        for current in _answer_one(asked, piece, parts, clock, cancel):
            joined = join(asked, understood, [*done, current])
            yield replace(joined, status=Status.DRAFTING, timings=clock.timings)
        done.append(current)
    clock.mark("total_s")
    yield replace(join(asked, understood, done), timings=clock.timings)


def _answer_one(asked: str, understood: str, parts: Parts, clock: Clock, cancel: Cancel) -> Iterator[Answer]:
    found = _find(understood, parts)
    clock.mark("sources_s")
    spelt = found.question.text
    base = Answer(
        asked,
        understood if fold(spelt) == fold(understood) else spelt,
        Status.DRAFTING,
        evidence=found.evidence,
        note=found.note,
        others=found.others,
        generator=parts.generator.name if parts.generator else "quotes only",
        timings=clock.timings,
    )
    yield base

    statements: list[Statement] = []
    gate = _Gate(found, parts.generator is not None, is_shut=parts.have(Stage.GATE))
    for statements in _statements(found, gate, parts, clock, cancel):
        yield replace(base, statements=tuple(statements), timings=clock.timings)
    disagreement = None
    if not gate.proved and parts.have(Stage.DISAGREEMENT):
        disagreement = disagreement_of(found.question, found.judged)
    if disagreement:
        statements = _with_all_values(statements, disagreement, found.evidence)
        older = superseded(disagreement, found.evidence)
        base = replace(base, note=f"{base.note} {older}".strip())
    base = replace(base, sureness=gate.sureness)
    done = replace(base, statements=tuple(statements), disagreement=disagreement)
    if done.shown:
        yield replace(done, status=Status.ANSWERED, timings=clock.timings)
        return
    yield replace(
        done,
        status=Status.UNANSWERED,
        disagreement=None,
        missing=missing_words(found.question, found.judged),
        closest=found.evidence[:CLOSEST],
        timings=clock.timings,
    )


class _Gate:
    """Whether to answer: how sure the evidence is, weighed against the floor for the kind of question. One that is not
    `is_shut` lets everything pass, and quotes what was found first where nothing fits."""

    def __init__(self, found: _Found, has_generator: bool, *, is_shut: bool = True) -> None:
        best = found.best
        if not is_shut and best is None and found.judged:
            best = found.judged[0]
        self.best = best
        self._is_shut = is_shut
        self.certainty = best.certainty if best else None
        self.sureness = self.certainty
        self.proved = False  # the evidence answers by itself: no other value stands beside it
        is_open = found.question.kind in _OPEN
        self._read_floor = READ_FLOOR - (SPREAD_SLACK if found.is_spread else 0.0)
        if has_generator:
            self._floor = OPEN_SURE_FLOOR if is_open else SURE_FLOOR
        else:
            self._floor = OPEN_FLOOR if is_open else ANSWER_FLOOR
        if found.is_spread:
            self._floor -= SPREAD_SLACK
        self.is_open = not has_generator and self.certainty is not None and self._is_enough(self.certainty)

    def _is_enough(self, sureness: float) -> bool:
        return sureness >= self._floor or not self._is_shut

    @property
    def is_worth_asking(self) -> bool:
        """Whether the generator is asked at all."""
        return self.certainty is not None and (self.certainty >= self._read_floor or not self._is_shut)

    def decide(self, likelihood: float) -> bool:
        """Weigh in how likely the generator is to find no answer."""
        assert self.certainty is not None
        self.sureness = self.certainty + DOUBT_WEIGHT * min(-likelihood, DOUBT_CAP)
        self.is_open = self._is_enough(self.sureness)
        return self.is_open


def _statements(
    found: _Found, gate: _Gate, parts: Parts, clock: Clock, cancel: Cancel
) -> Iterator[list[Statement]]:
    """The statements as they grow; nothing where the evidence is too weak to answer from."""
    proved = _proved(found) if parts.have(Stage.PROOF) else None
    if proved is not None:
        gate.proved = True
        clock.mark("first_settled_s")
        yield [proved]
        return
    question, best, generator = found.question, gate.best, parts.generator
    if best is None:
        return
    if generator is None:
        if gate.is_open:
            clock.mark("first_settled_s")
            yield [quote(1, best.evidence)]
        return
    if not gate.is_worth_asking:
        return
    statements: list[Statement] = []
    writing = Writing(generator, parts.settings, clock, cancel, parts.without)
    for statements in draft(question, found.evidence, writing, gate.decide):
        yield statements
    if not gate.is_open or any(s.state is State.SUPPORTED for s in statements):
        return
    failed = statements
    for statements in restate(question, best.evidence, failed, writing):
        yield statements
    wrote = len(statements) > len(failed)  # else it found nothing even in the best sentence
    supported = any(s.state is State.SUPPORTED for s in statements)
    if wrote and not supported and best.certainty >= REPAIR_FLOOR:
        clock.mark("first_settled_s")
        yield [*statements, quote(len(statements) + 1, best.evidence)]


def _proved(found: _Found) -> Statement | None:
    """What needs no generator: a computed number, or a yes or no that one sentence proves."""
    fitting = [j.evidence for j in found.judged if not j.unmet]
    made = compute(found.question, fitting)
    if made is not None:
        return Statement(
            1, made.text, made.citations, State.SUPPORTED, Verdict(True, derivation=(made.derivation,))
        )
    holders = {
        holder.casefold(): e
        for e in reversed(fitting)
        if (holder := office_holder(found.question, plain(e.text)))
    }
    if len({h.split()[-1] for h in holders}) == 1:
        return quote(1, min(holders.values(), key=lambda e: e.number))
    ruling = rule(found.question, found.evidence)  # which looks itself for all that the question fixes
    if ruling is None:
        return None
    (proof,) = [e for e in found.evidence if e.number == ruling.number]
    if ruling.polarity is None:
        return quote(1, proof)
    text = f"{ruling.polarity}: {plain(proof.text)}"
    return Statement(1, text, (proof.number,), State.SUPPORTED, Verdict(True, derivation=(ruling.why,)))


def _with_all_values(
    statements: Sequence[Statement], disagreement: Disagreement, evidence: Sequence[Evidence]
) -> list[Statement]:
    """The statements, and for each value that none of them cites the sentence that gives it."""
    made = list(statements)
    by_number = {e.number: e for e in evidence}
    covered = {n for s in made if s.state is not State.WITHHELD for n in s.citations}
    for value in disagreement.values if covered else ():
        if not covered & set(value.citations):
            made.append(quote(len(made) + 1, by_number[value.citations[0]]))
            covered |= set(value.citations)
    return made
