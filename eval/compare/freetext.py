"""Free text as an answer: what a program without statements writes, cut into sentences with the numbers that it cites, over
the places of the articles that its sources are.

It knows articles and texts, not how they were made. So one judge serves all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from eval.cases import Case
from eval.metrics import contains
from eval.runner import Result
from eval.trace import Found
from rag.schema import Answer, Article, Evidence, State, Statement, Status, Timings
from rag.text.sentences import sentences
from rag.text.words import plain

_MARK = re.compile(r"\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\]")
_AFTER_STOP = re.compile(r"([.!?][”\"’']?)\s*((?:\[\d[\d\s,]*\]\s*)+)")
_SOURCE = re.compile(r"\bSource \d+:\s*")  # the head that LlamaIndex gives a source, and its model repeats
_REFUSES = re.compile(
    r"\b(?:empty response|do(?:es)? not|don['’]t|cannot|can['’]t|no (?:information|mention)"
    r"|not (?:mentioned|provided|specified|stated)|unable|insufficient)\b",
    re.IGNORECASE,
)
EDGE_WORDS = 8  # at each end of a source that is not found as it stands


def locate(source: str, articles: Sequence[Article]) -> Found:
    """The place of the articles that a source is, whatever became of its spaces; the source itself as an article of its own
    where it is in none."""
    words = _SOURCE.sub("", source.strip(), count=1).split()
    spaced = r"\s+".join(map(re.escape, words))
    ends = [r"\s+".join(map(re.escape, part)) for part in (words[:EDGE_WORDS], words[-EDGE_WORDS:])]
    for pattern in (spaced, r".*?".join(ends)) if words else ():
        for article in articles:
            found = re.search(pattern, article.body, re.DOTALL)
            if found:
                return Found(article, found.start(), found.end())
    return Found(Article("", "", "", source), 0, len(source))


def answer_of(question: str, text: str, places: Sequence[Found], seconds: float, generator: str) -> Answer:
    """The text as an answer whose evidence are the `places`, numbered from 1; every sentence is shown, and cites what
    stands in brackets in it or right behind it. An empty text refuses; one of numbers alone says nothing, but refuses not."""
    evidence = tuple(
        Evidence(n, p.article, p.start, p.end, p.article.body[p.start : p.end])
        for n, p in enumerate(places, 1)
    )
    marked = _AFTER_STOP.sub(r" \2\1 ", _SOURCE.sub("", text))
    statements: list[Statement] = []
    for span in sentences(marked):
        piece = marked[span.start : span.end]
        numbers = dict.fromkeys(int(n) for found in _MARK.findall(piece) for n in found.split(","))
        words = plain(re.sub(r"\s+([.!?])", r"\1", _MARK.sub("", piece)))
        if any(c.isalnum() for c in words):
            statements.append(Statement(len(statements) + 1, words, tuple(numbers), State.SUPPORTED))
    return Answer(
        question,
        question,
        Status.ANSWERED if text.strip() else Status.UNANSWERED,
        tuple(statements),
        evidence,
        timings=Timings(total_s=seconds),
        generator=generator,
    )


def with_refusal(result: Result) -> Result:
    """A free text refuses where it says that it cannot tell and gives no accepted value. Read kindly: what it says beside
    that is not held against it."""
    said = " ".join(s.text for s in result.answer.shown)
    if not _REFUSES.search(said) or _gives(result.case, said):
        return result
    refused = replace(result.answer, status=Status.UNANSWERED, statements=(), missing=said)
    return replace(result, answer=refused)


def _gives(case: Case, text: str) -> bool:
    return any(contains(text, form) for forms in case.answers for form in forms)
