"""Joining: the answers to the parts of a question become one answer. Pure; it knows answers, not how they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.schema import Answer, Disagreement, Evidence, Statement, Status


def join(asked: str, understood: str, parts: Sequence[Answer]) -> Answer:
    """One answer to `asked` from the answers to its parts, in order.

    Evidence is numbered anew, each sentence once; statements keep their order. A part that is not answered makes the
    whole partial, and is named in `missing` with what its refusal says. Of several disagreements the first is kept as
    data (the values of the others are statements too). `parts` holds at least one answer.
    """
    evidence: list[Evidence] = []
    places: dict[tuple[str, int, int], int] = {}
    statements: list[Statement] = []
    disagreement: Disagreement | None = None
    for part in parts:
        numbers: dict[int, int] = {}
        for item in part.evidence:
            place = (item.article.id, item.start, item.end)
            if place not in places:
                places[place] = len(evidence) + 1
                evidence.append(replace(item, number=len(evidence) + 1))
            numbers[item.number] = places[place]
        for made in part.statements:
            citations = tuple(dict.fromkeys(numbers[n] for n in made.citations))
            statements.append(replace(made, id=len(statements) + 1, citations=citations))
        if part.disagreement and disagreement is None:
            values = tuple(
                replace(v, citations=tuple(dict.fromkeys(numbers[n] for n in v.citations)))
                for v in part.disagreement.values
            )
            disagreement = replace(part.disagreement, values=values)
    refused = [p for p in parts if p.status is Status.UNANSWERED]
    if len(refused) == len(parts):
        status = Status.UNANSWERED
    else:
        status = Status.PARTIAL if refused else Status.ANSWERED
    by_place = {place: evidence[number - 1] for place, number in places.items()}
    closest = dict.fromkeys((e.article.id, e.start, e.end) for p in refused for e in p.closest)
    return replace(
        parts[-1],
        question=asked,
        as_understood=understood,
        status=status,
        statements=tuple(statements),
        evidence=tuple(evidence),
        closest=tuple(by_place[place] for place in closest),
        missing=" ".join(f"“{p.as_understood}”: {p.missing}" for p in refused),
        note=" ".join(dict.fromkeys(p.note for p in parts if p.note)),
        disagreement=disagreement,
        sureness=min((p.sureness for p in parts if p.sureness is not None), default=None),
    )
