"""Answers to parts become one."""

from __future__ import annotations

from rag.joining import join
from rag.schema import Answer, Article, Disagreement, Evidence, State, Statement, Status, Value

BODY = "Ships left at noon. Two sank."
ARTICLE = Article("a", "0", "a.txt", BODY)


def item(number: int, start: int, end: int) -> Evidence:
    return Evidence(number, ARTICLE, start, end, BODY[start:end])


def answered(text: str, number: int, *evidence: Evidence) -> Answer:
    statement = Statement(1, text, (number,), State.SUPPORTED)
    return Answer(text, f"{text}?", Status.ANSWERED, (statement,), evidence, sureness=2.0)


FIRST = answered("Ships left at noon.", 1, item(1, 0, 19), item(2, 20, 29))
SECOND = answered("Two sank.", 1, item(1, 20, 29))
REFUSED = Answer(
    "c",
    "Who paid?",
    Status.UNANSWERED,
    closest=(item(1, 0, 19),),
    evidence=(item(1, 0, 19),),
    missing="Nobody says.",
)


def test_evidence_is_numbered_anew_and_each_sentence_once() -> None:
    whole = join("asked", "understood", [FIRST, SECOND])
    assert whole.status is Status.ANSWERED and whole.question == "asked"
    assert [e.number for e in whole.evidence] == [1, 2]
    assert [(s.id, s.text) for s in whole.statements] == [(1, "Ships left at noon."), (2, "Two sank.")]
    assert [whole.cited(s)[0].text for s in whole.statements] == ["Ships left at noon.", "Two sank."]


def test_what_no_part_answers_is_named() -> None:
    whole = join("asked", "understood", [REFUSED, SECOND])
    assert whole.status is Status.PARTIAL
    assert whole.missing == "“Who paid?”: Nobody says."
    assert [e.text for e in whole.closest] == ["Ships left at noon."]
    assert join("asked", "understood", [REFUSED, REFUSED]).status is Status.UNANSWERED


def test_the_values_of_a_disagreement_keep_their_sentences() -> None:
    value = Value("two", (1,), 1)
    second = Answer(
        "b",
        "b",
        Status.ANSWERED,
        SECOND.statements,
        SECOND.evidence,
        disagreement=Disagreement("b", (value, value)),
    )
    whole = join("asked", "understood", [FIRST, second])
    assert whole.disagreement is not None
    assert whole.disagreement.values[0].citations == (2,)
