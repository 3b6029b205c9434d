"""An answer as JSON and as text: nothing hidden, nothing that is not a fact shown as one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from rag.render import SCHEMA, answer_to_json, answer_to_text, source_line, turn_of
from rag.schema import (
    Answer,
    Article,
    Disagreement,
    Evidence,
    Field,
    Origin,
    PartialDate,
    Published,
    Reason,
    Span,
    State,
    Statement,
    Status,
    Value,
    Verdict,
)

BODY = "Envoys met in Doha. The meeting lasted two hours."
ARTICLE = Article(
    "a",
    "v" * 64,
    "a.txt",
    BODY,
    Field("Doha talks", Origin.STATED, Span(0, 6)),
    None,
    Published(PartialDate(2024, 5, 3), Origin.STATED),
)
EVIDENCE = Evidence(1, ARTICLE, 20, len(BODY), BODY[20:], (Span(0, 19),), 0.5)
ANSWER = Answer(
    "And how long?",
    "How long did the Doha meeting last?",
    Status.ANSWERED,
    (
        Statement(1, "The meeting lasted two hours.", (1,), State.SUPPORTED, Verdict(True)),
        Statement(
            2, "It lasted nine hours.", (1,), State.WITHHELD, Verdict(False, Reason.NUMBER, "nine hours")
        ),
        Statement(3, "The meeting lasted two hours.", (1,), State.QUOTED, Verdict(True)),
    ),
    (EVIDENCE,),
    disagreement=Disagreement("length", (Value("two hours", (1,), 2, True), Value("90 minutes", (1,), 1))),
    generator="test",
)


def test_json_holds_every_documented_field_and_no_other() -> None:
    item = json.loads(answer_to_json(ANSWER))
    documented = (Path(__file__).parent.parent / "docs" / "answer.md").read_text("utf-8")
    assert item["schema"] == SCHEMA
    for name in [*item, *item["statements"][0], *item["evidence"][0]]:
        assert f"`{name}`" in documented or f".{name}`" in documented, f"{name} is not in docs/answer.md"


def test_json_evidence_is_a_slice_of_the_article() -> None:
    evidence = json.loads(answer_to_json(ANSWER))["evidence"][0]
    assert BODY[evidence["start"] : evidence["end"]] == evidence["text"] == "The meeting lasted two hours."
    assert evidence["context"] == [{"start": 0, "end": 19, "text": "Envoys met in Doha."}]
    assert evidence["published"] == "2024-05-03" and evidence["publisher"] is None


def test_text_shows_supported_and_quoted_statements_and_never_a_withheld_one() -> None:
    text = answer_to_text(ANSWER)
    assert "The meeting lasted two hours. [1]" in text
    assert "“The meeting lasted two hours.” [1]" in text
    assert "nine hours" not in text and "1 drafted statement withheld" in text


def test_text_tells_how_a_follow_up_was_understood_and_what_disagrees() -> None:
    text = answer_to_text(ANSWER)
    assert "Understood as: How long did the Doha meeting last?" in text
    assert "two hours [1] (2 sources, newest)" in text and "90 minutes [1] (1 source)" in text


def test_a_source_shows_title_date_place_in_the_file_and_what_is_unknown() -> None:
    text = answer_to_text(ANSWER)
    assert "[1] Doha talks — publisher unknown, 2024-05-03" in text
    assert "a.txt, characters 20–49" in text and "context: “Envoys met in Doha.”" in text
    assert (
        source_line(replace(ARTICLE, title=None, published=None)) == "a.txt — publisher unknown, date unknown"
    )


def test_control_characters_of_an_article_do_not_reach_the_terminal() -> None:
    hostile = replace(ARTICLE, title=Field("Evil \x1b[31m\u202etitle", Origin.STATED))
    assert "\x1b" not in source_line(hostile) and "\u202e" not in source_line(hostile)


def test_a_refusal_shows_what_is_missing_and_the_closest_sentences() -> None:
    refusal = replace(
        ANSWER,
        status=Status.UNANSWERED,
        statements=(),
        disagreement=None,
        missing="Not given.",
        closest=(EVIDENCE,),
    )
    text = answer_to_text(refusal)
    assert "Not given." in text and "Closest sentences" in text and "Sources" not in text


def test_a_conversation_keeps_only_what_was_shown() -> None:
    turn = turn_of(ANSWER)
    assert "two hours" in turn.answer and "nine hours" not in turn.answer
    assert turn.as_understood == "How long did the Doha meeting last?"
