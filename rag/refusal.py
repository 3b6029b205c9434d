"""Refusal: what the articles do not give, in words for the reader."""

from __future__ import annotations

from collections.abc import Sequence

from rag.question import Kind, Question
from rag.ranking import Judged

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
