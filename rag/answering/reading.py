"""Reading: of what retrieval found, which sentences answer the question, with which words, how surely; or, for a question
that asks for a yes or a no, which say that it is so and which that it is not.

It joins windows, reader and the literal conditions; what is sure enough is decided in `rag/answering/pipeline.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.question import amounts_of, lacking, of_other_years
from rag.models.reader import Reader, Reading, Support, claim_of
from rag.retrieval.windows import Window, likeliest, locate, windows_of
from rag.schema import Evidence, Passage, Span
from rag.text.words import plain, words

SUPPORT_FLOOR = 0.5  # calibrated probability that a window supports a claim
READ = 18  # windows: about half a second on two cores
FAIR = 4  # of them, for articles that have fewer than two
AHEAD = 2  # sentences that are shown ahead of a cited one, for what its "he" and "there" mean
JUDGED = (
    8  # windows that are asked for a yes or a no: one that shares few words with the question denies nothing
)


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
    def cited(self) -> str:
        """What is shown of the window where it is cited: its title and date, the sentence and those ahead of it."""
        evidence = self.evidence
        spans = (*evidence.context, Span(evidence.start, evidence.end))
        return self.window.head + " ".join(plain(evidence.article.body[s.start : s.end]) for s in spans)

    @property
    def fits(self) -> bool:
        """Whether everything that the question fixes is there."""
        return not self.lacking


def read(question: str, passages: Sequence[Passage], reader: Reader, *, fixed_by: str) -> list[Found]:
    """What may answer, best first, each sentence once and the same words once; numbered from 1. `fixed_by` is the text
    whose dates no window may tell otherwise; what does goes last."""
    chosen = likeliest(question, windows_of(passages), READ, FAIR)
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


def read_rest(question: str, found: Found, among: Sequence[Found], reader: Reader) -> Found | None:
    """What answers in a window without the sentence that answers already: "Police spoke of 150" beside "about 300 protested".
    It keeps its number where its sentence is one of `among`. None for a window of one sentence."""
    own = found.evidence
    rest = tuple(s for s in found.window.spans if (s.start, s.end) != (own.start, own.end))
    if not rest:
        return None
    window = replace(found.window, spans=rest)
    (reading,) = reader.read(question, [window.text])
    other = _found(window, reading, "")
    place = other.evidence.article.id, other.evidence.start
    known = (f.evidence.number for f in among if (f.evidence.article.id, f.evidence.start) == place)
    number = next(known, max(f.evidence.number for f in among) + 1)
    return replace(other, evidence=replace(other.evidence, number=number))


def _found(window: Window, reading: Reading, fixed_by: str) -> Found:
    at = window.at(reading.start, reading.end)
    # words of the title answer nothing by themselves: the first sentence stands for the window, and weakly
    span, value = at if at is not None else (window.spans[0], "")
    evidence = evidence_of(window, span, value, reading.answerable)
    missing = lacking(fixed_by, window.text, window.article)
    return Found(evidence, window, reading.answerable if value else 0.0, value, missing)


def evidence_of(window: Window, span: Span, value: str, score: float) -> Evidence:
    """A sentence of a window as evidence, the sentences ahead of it as its context."""
    article = window.article
    before = tuple(s for s in window.spans if s.end <= span.start)[-AHEAD:]
    answer = locate(value, span, article.body)
    return Evidence(
        0, article, span.start, span.end, article.body[span.start : span.end], before, score, answer
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A window, and what it says to a question as a claim: supported is a yes, refuted a no. `asked` is the question that the
    window was held against. `found` has the first sentence of the window; `clearest` finds the one that says so."""

    found: Found
    support: Support
    asked: str


def judge(question: str, passages: Sequence[Passage], reader: Reader, *, fixed_by: str) -> list[Judged]:
    """The windows that say yes or no, the clearest first, numbered from 1. A window that tells a date of
    `fixed_by` otherwise says no yes; one of other years says no no either. Where the question is for more or less than a
    number, the reader judges what a number of the window means, and its size is compared."""
    windows = likeliest(question, windows_of(passages), JUDGED)
    amounts = [amounts_of(question, w.text) if fixed_by else [] for w in windows]
    asked = [(question, w) for w in windows]
    asked += [(other, w) for w, some in zip(windows, amounts, strict=True) for other, _ in some]
    supports = reader.support([(claim_of(q, "Yes."), w.text) for q, w in asked])
    plainly, with_number = supports[: len(windows)], iter(supports[len(windows) :])
    judged = []
    for window, support, some in zip(windows, plainly, amounts, strict=True):
        missing = lacking(fixed_by, window.text, window.article)
        compared = [(next(with_number).supported, meets, other) for other, meets in some]
        told, meets, other = max(compared, default=(0.0, False, ""))
        if told >= SUPPORT_FLOOR:
            support = Support(told, 0.0, 1 - told) if meets else Support(0.0, told, 1 - told)
            missing = ()
        else:
            other = question
        if missing and of_other_years(fixed_by, window.text, window.article):
            support = Support(0.0, 0.0, 1.0)  # the same thing in another year is another thing
        elif missing or (some and not any(meets for _, meets in some)):
            support = Support(0.0, support.refuted, support.supported + support.not_stated)
        sure = max(support.supported, support.refuted)
        evidence = evidence_of(window, window.spans[0], "", sure)
        judged.append(Judged(Found(evidence, window, sure, "", missing), support, other))
    judged.sort(
        key=lambda j: (-j.found.answerable, j.found.evidence.article.id, j.found.window.spans[0].start)
    )
    return [
        replace(j, found=replace(j.found, evidence=replace(j.found.evidence, number=n)))
        for n, j in enumerate(judged, 1)
    ]


def clearest(question: str, judged: Judged, reader: Reader, word: str) -> Found:
    """The window with its sentence that says the `word`, "Yes" or "No", most clearly."""
    window = judged.found.window
    supports = word == "Yes" or judged.asked != question  # another number, which the window does give
    each = reader.support([(claim_of(judged.asked, "Yes."), window.head + p) for p in window.pieces])
    best = max(range(len(each)), key=lambda i: each[i].supported if supports else each[i].refuted)
    evidence = evidence_of(window, window.spans[best], "", judged.found.answerable)
    return replace(judged.found, evidence=replace(evidence, number=judged.found.evidence.number))
