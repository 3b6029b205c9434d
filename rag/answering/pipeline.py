"""Answering: a question becomes an answer whose every statement is verified.

    retrieve -> windows -> read -> decide -> compare -> quote -> write -> verify

    retrieve   passages by meaning and by words (`rag/retrieval/hybrid.py`)
    read       a trained reader says which windows answer, how surely, and with which words (`rag/answering/reading.py`)
    decide     whether the surest is sure enough and has what the question fixes
    compare    the answers of independent articles beside each other (`rag/answering/disagreement.py`)
    quote      that sentence stands at once, before any model writes
    write      a language model words the windows that answer, unless articles disagree (`rag/answering/writing.py`)
    verify     the reader judges each statement against each text that it cites (`rag/answering/verifying.py`)

Without a language model the quotations are the answer. A yes or a no is the reader's judgement of the question as a claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from rag.answering.disagreement import compare, is_measure, second_number
from rag.answering.question import asks_yes_no, in_none
from rag.answering.reading import Found, Judged, clearest, evidence_of, judge, read
from rag.answering.verifying import Checker, derivation
from rag.answering.writing import Clock, Writer
from rag.config import Settings
from rag.errors import ModelError
from rag.models.reader import Reader
from rag.protocols import Cancel, Embedder, Generator
from rag.retrieval.hybrid import retrieve
from rag.retrieval.scope import choice_text
from rag.retrieval.windows import likeliest, windows_of
from rag.schema import (
    EVERY_ARTICLE,
    WHOLE,
    Answer,
    Choice,
    Passage,
    Stage,
    State,
    Statement,
    Status,
    Verdict,
)
from rag.store.base import Store
from rag.text.words import fold, plain

# Calibrated probabilities, set on development data (`docs/reader.md`).
ANSWER_FLOOR = 0.5  # the surest window answers
RIVAL_FLOOR = 0.6  # another window answers too, and is compared with the first
SECOND_FLOOR = 0.85  # another number of the same window stands beside the first
ALSO_FLOOR = 0.9  # another window answers otherwise, and its sentence stands beside the first
YES_NO_FLOOR = 0.6  # a window supports or refutes the question as a claim
CLOSEST = 3  # sentences shown beside a refusal
MOST_QUOTES = 4  # different values that are quoted


@dataclass(frozen=True, slots=True)
class Parts:
    """What a question is answered with. `generator` None: the best sentences are quoted. `without`: stages left out."""

    settings: Settings
    store: Store
    embedder: Embedder
    reader: Reader
    generator: Generator | None
    choice: Choice = EVERY_ARTICLE
    without: Set[Stage] = WHOLE

    def have(self, stage: Stage) -> bool:
        """Whether a stage is not left out."""
        return stage not in self.without

    def passages(self, question: str) -> list[Passage]:
        """What retrieval finds for a question, best first."""
        return retrieve(
            self.store, self.embedder, question, self.settings.passages, self.without, self.choice
        )

    def fixed_by(self, own: str) -> str:
        """The text whose dates no window may tell otherwise: what is asked, or nothing."""
        return own if self.have(Stage.LITERALS) else ""


def answer(asked: str, understood: str, parts: Parts, clock: Clock, *, cancel: Cancel) -> Iterator[Answer]:
    """Growing answers to `understood`; the last one is final.

    Raises `StoppedError`, `GenerationError` and `ModelError` from the models; what was yielded before stays true.
    """
    passages = parts.passages(understood)
    own = _own(asked, understood)
    fixed_by = parts.fixed_by(own)
    try:
        found, judged = _read(own, understood, passages, parts, fixed_by)
    except ModelError as error:
        base = Answer(asked, understood, Status.UNANSWERED, generator="search only")
        yield _unread(base, passages, error, clock)
        return
    clock.mark("sources_s")
    shown = parts.choice.evidence or parts.settings.evidence
    base = Answer(
        asked,
        understood,
        Status.DRAFTING,
        evidence=tuple(f.evidence for f in found[:shown]),
        note=choice_text(parts.choice),
        generator=parts.generator.name if parts.generator else "quotes only",
        confidence=found[0].answerable if found and found[0].fits else None,
        timings=clock.timings,
    )
    yield base
    if judged:
        yield _judged(base, understood, judged, parts, clock, fixed_by)
        return
    answering = _answering(found, parts)
    if not answering:
        yield _refusal(base, found, clock, fixed_by)
        return
    beside: set[int] = set()  # numbers of evidence that stands beside the first whatever else answers
    if parts.have(Stage.COMPARE) and (
        second := second_number(understood, answering[0], found, parts.reader, SECOND_FLOOR)
    ):
        answering.append(second)
        beside.add(second.evidence.number)
    base = replace(_with(base, answering), confidence=answering[0].answerable)
    groups: list[list[Found]] = [[f] for f in answering]
    disagreement = None
    if parts.have(Stage.COMPARE):
        groups, disagreement = compare(understood, answering, parts.reader)
    if disagreement:
        beside |= {n for v in disagreement.values for n in v.citations}
    shown_groups = [
        g
        for n, g in enumerate(groups)
        if n == 0 or g[0].answerable >= ALSO_FLOOR or beside & {f.evidence.number for f in g}
    ]
    quotes = tuple(quote(n, group[0]) for n, group in enumerate(shown_groups[:MOST_QUOTES], 1))
    clock.mark("first_verified_s")
    base = replace(base, statements=quotes, disagreement=disagreement)
    yield replace(base, timings=clock.timings)
    # Where articles disagree all values are told; a sentence in short would side with one of them.
    if parts.generator is not None and disagreement is None:
        checker = Checker(parts.reader, parts.without)
        writer = Writer(parts.generator, checker, parts.settings, clock, cancel, parts.without)
        for written in writer.write(understood, answering, len(quotes) + 1):
            base = replace(base, statements=(*quotes, *(s for s in written if not _repeats(s, quotes))))
            yield replace(base, timings=clock.timings)
    clock.mark("total_s")
    yield replace(base, status=Status.ANSWERED, timings=clock.timings)


def sureness(asked: str, understood: str, parts: Parts) -> float:
    """How surely the articles answer a question, understood in a certain way: a calibrated probability, 0 without a reader."""
    passages = parts.passages(understood)
    own = _own(asked, understood)
    try:
        found, _ = _read(own, understood, passages, parts, parts.fixed_by(own))
    except ModelError:
        return 0.0  # the answer tells of it
    return max((f.answerable for f in found if f.fits), default=0.0)


def _own(asked: str, understood: str) -> str:
    """What says what is asked: of a follow-up that stands behind what it follows on, the last question alone."""
    return plain(asked) if understood.endswith(plain(asked)) else understood


def _read(
    own: str, understood: str, passages: Sequence[Passage], parts: Parts, fixed_by: str
) -> tuple[list[Found], list[Judged]]:
    """What may answer, best first, and for a question that asks for a yes or a no what the windows say to it."""
    if asks_yes_no(own):
        judged = judge(understood, passages, parts.reader, fixed_by=fixed_by)
        return [j.found for j in judged], judged
    return read(understood, passages, parts.reader, fixed_by=fixed_by), []


def _with(answer: Answer, used: Sequence[Found]) -> Answer:
    """The answer with the evidence that is used, in the order of the numbers."""
    evidence = {e.number: e for e in (*answer.evidence, *(f.evidence for f in used))}
    return replace(answer, evidence=tuple(evidence[n] for n in sorted(evidence)))


def _answering(found: Sequence[Found], parts: Parts) -> list[Found]:
    """What answers, surest first. Empty where nothing is sure enough."""
    if not parts.have(Stage.DECIDE):
        return list(found[:1])
    fitting = [f for f in found if f.fits and f.value]
    if not fitting or fitting[0].answerable < ANSWER_FLOOR:
        return []
    best = fitting[0]
    others = [f for f in fitting[1:] if f.answerable >= RIVAL_FLOOR]
    if is_measure(best.value):  # one number or date answers; one article gives it once
        article = best.evidence.article.id
        others = [f for f in others if is_measure(f.value) and f.evidence.article.id != article]
    return [best, *others]


def quote(number: int, found: Found) -> Statement:
    """The sentence as a statement, with what its "yesterday" and "on Thursday" mean."""
    text = plain(found.evidence.text)
    steps = derivation(text, found)
    return Statement(number, text, (found.evidence.number,), State.QUOTED, Verdict(True, derivation=steps))


def _repeats(statement: Statement, quotes: Sequence[Statement]) -> bool:
    """Whether a verified statement is a quotation again: a part of one, or a whole one with more text after it."""
    if statement.state is not State.SUPPORTED:
        return False
    said = fold(statement.text).rstrip(".")
    return any(said in fold(q.text) or said.startswith(f"{fold(q.text)} ") for q in quotes)


def _judged(
    base: Answer, question: str, judged: Sequence[Judged], parts: Parts, clock: Clock, fixed_by: str
) -> Answer:
    """Yes or no, each with the sentence that says so, where one is sure enough; both where articles differ."""
    sides = []
    for word in ("Yes", "No"):
        said = [(j.support.supported if word == "Yes" else j.support.refuted, j) for j in judged]
        sure, best = max(said, key=lambda s: s[0])  # of equals the first, which is the clearest
        if sure >= YES_NO_FLOOR or not parts.have(Stage.DECIDE):
            sides.append((sure, word, best))
    sides.sort(key=lambda side: -side[0])
    if len(sides) > 1 and sides[0][2].found.window.article.id == sides[1][2].found.window.article.id:
        sides = sides[:1]  # one article does not disagree with itself
    if not sides:
        return _refusal(base, [j.found for j in judged], clock, fixed_by)
    told = [(word, clearest(question, best, parts.reader, word)) for _, word, best in sides]
    base = _with(base, [found for _, found in told])
    clock.mark("first_verified_s")
    clock.mark("total_s")
    return replace(
        base,
        status=Status.ANSWERED,
        statements=tuple(
            Statement(
                n,
                f"{word}: {plain(f.evidence.text)}",
                (f.evidence.number,),
                State.SUPPORTED,
                Verdict(True, derivation=derivation(f.evidence.text, f)),
            )
            for n, (word, f) in enumerate(told, 1)
        ),
        confidence=sides[0][0],
        timings=clock.timings,
    )


def _unread(base: Answer, passages: Sequence[Passage], error: ModelError, clock: Clock) -> Answer:
    """Without a reader nothing is answered: the closest sentences, by words alone, and how to get the reader."""
    windows = likeliest(base.as_understood, windows_of(passages), CLOSEST)
    clock.mark("total_s")
    return replace(
        base,
        missing=f"Nothing was read or checked: {error}. The sentences below were only found by searching; whether they answer was not judged.",
        closest=tuple(
            replace(evidence_of(w, w.spans[0], "", 0.0), number=n) for n, w in enumerate(windows, 1)
        ),
        timings=clock.timings,
    )


def _refusal(base: Answer, found: Sequence[Found], clock: Clock, fixed_by: str) -> Answer:
    """Nothing answers: what is missing, with the dates of `fixed_by` that no window has, and the closest sentences."""
    clock.mark("total_s")
    missing = "The articles do not answer this."
    nowhere = in_none(fixed_by, [(f.window.text, f.window.article) for f in found])
    if found and nowhere:
        missing = f"The articles do not answer this: none of the closest passages has {_listed(nowhere)}."
    return replace(
        base,
        status=Status.UNANSWERED,
        missing=missing,
        closest=tuple(f.evidence for f in found[:CLOSEST]),
        timings=clock.timings,
    )


def _listed(items: Sequence[str]) -> str:
    quoted = [f"“{plain(i)}”" for i in items]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
