"""Reading: of what retrieval found, which sentences answer the question, with which words, how surely; or, for a question
that asks for a yes or a no, which say that it is so and which that it is not.

It joins windows, reader and the literal conditions; what is sure enough is decided in `rag/answering/pipeline.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.question import lacking
from rag.models.reader import Reader, Reading, Support, claim_of
from rag.retrieval.windows import Window, likeliest, locate, windows_of
from rag.schema import Evidence, Passage, Span
from rag.text.words import words

READ = 16  # windows: about half a second on two cores
JUDGED = 8  # windows that are asked for a yes or a no: a window that shares few words with the question denies nothing


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence that may answer: as evidence, in the window it was read in, with the calibrated probability that it
    answers, the words that do (`value`), and what the question fixes that is not there."""

    evidence: Evidence
    window: Window
    answerable: float
    value: str
    lacking: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether everything that the question fixes is there."""
        return not self.lacking


def read(question: str, passages: Sequence[Passage], reader: Reader, *, fixed_by: str) -> list[Found]:
    """What may answer, best first, each sentence once and the same words once; numbered from 1. `fixed_by` is the text
    whose dates and numbers must be there; what lacks none goes first."""
    chosen = likeliest(question, windows_of(passages), READ)
    readings = reader.read(question, [w.text for w in chosen])
    best: dict[tuple[str, ...], Found] = {}
    for window, reading in zip(chosen, readings, strict=True):
        found = _found(window, reading, fixed_by)
        key = tuple(words(found.evidence.text))
        if key not in best or found.answerable > best[key].answerable:
            best[key] = found
    order = sorted(
        best.values(), key=lambda f: (not f.fits, -f.answerable, f.evidence.article.id, f.evidence.start)
    )
    return [replace(f, evidence=replace(f.evidence, number=n)) for n, f in enumerate(order, 1)]


def _found(window: Window, reading: Reading, fixed_by: str) -> Found:
    at = window.at(reading.start, reading.end)
    # words of the title answer nothing by themselves: the first sentence stands for the window, and weakly
    span, value = at if at is not None else (window.spans[0], "")
    evidence = evidence_of(window, span, value, reading.answerable)
    missing = lacking(fixed_by, window.text, window.article)
    return Found(evidence, window, reading.answerable if value else 0.0, value, missing)


def evidence_of(window: Window, span: Span, value: str, score: float) -> Evidence:
    """A sentence of a window as evidence, the sentence before it as its context."""
    article = window.article
    before = tuple(s for s in window.spans if s.end <= span.start)[-1:]
    answer = locate(value, span, article.body)
    return Evidence(
        0, article, span.start, span.end, article.body[span.start : span.end], before, score, answer
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A window, and what it says to a question as a claim: supported is a yes, refuted a no. `found` has the first
    sentence of the window; `clearest` finds the one that says so."""

    found: Found
    support: Support


def judge(question: str, passages: Sequence[Passage], reader: Reader, *, fixed_by: str) -> list[Judged]:
    """The windows that say yes or no, the clearest first, numbered from 1. A window that lacks a date or number of
    `fixed_by` says no yes."""
    windows = likeliest(question, windows_of(passages), JUDGED)
    claim = claim_of(question, "Yes.")
    judged = []
    for window, support in zip(windows, reader.support([(claim, w.text) for w in windows]), strict=True):
        missing = lacking(fixed_by, window.text, window.article)
        if missing:
            support = Support(0.0, support.refuted, support.supported + support.not_stated)
        judged.append((window, support, missing))
    judged.sort(key=lambda j: (-max(j[1].supported, j[1].refuted), j[0].article.id, j[0].spans[0].start))
    made = []
    for number, (window, support, missing) in enumerate(judged, 1):
        sure = max(support.supported, support.refuted)
        evidence = replace(evidence_of(window, window.spans[0], "", sure), number=number)
        made.append(Judged(Found(evidence, window, sure, "", missing), support))
    return made


def clearest(question: str, judged: Judged, reader: Reader, word: str) -> Found:
    """The window with its sentence that says the `word`, "Yes" or "No", most clearly."""
    window = judged.found.window
    claim = claim_of(question, "Yes.")
    each = reader.support([(claim, window.head + piece) for piece in window.pieces])
    best = max(range(len(each)), key=lambda i: each[i].supported if word == "Yes" else each[i].refuted)
    evidence = evidence_of(window, window.spans[best], "", judged.found.answerable)
    return replace(judged.found, evidence=replace(evidence, number=judged.found.evidence.number))
