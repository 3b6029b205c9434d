"""An answer as text: nothing hidden, nothing that is not a fact shown as one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.render import (
    answer_to_text,
    disagreement_line,
    shown_text,
    source_line,
    turn_of,
    words_at,
)
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
from rag.text.words import plain

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
EVIDENCE = Evidence(1, ARTICLE, 20, len(BODY), BODY[20:], (Span(0, 19),), 0.5, Span(39, 48))
ANSWER = Answer(
    "And how long?",
    "How long did the Doha meeting last?",
    Status.ANSWERED,
    (
        Statement(1, "The meeting lasted two hours.", (1,), State.QUOTED, Verdict(True)),
        Statement(
            2, "It lasted nine hours.", (1,), State.WITHHELD, Verdict(False, Reason.NUMBER, "nine hours")
        ),
        Statement(3, "Two hours.", (1,), State.SUPPORTED, Verdict(True)),
    ),
    (EVIDENCE,),
    disagreement=Disagreement("length", (Value("two hours", (1,), 2, True), Value("90 minutes", (1,), 1))),
    generator="test",
)


def test_text_shows_supported_and_quoted_statements_and_never_a_withheld_one() -> None:
    text = answer_to_text(ANSWER)
    assert "“The meeting lasted two hours.” [1]\nIn short: Two hours. [1]" in text
    assert "nine hours" not in text and "1 drafted statement withheld" in text


def test_text_tells_how_a_follow_up_was_understood_and_what_disagrees() -> None:
    text = answer_to_text(ANSWER)
    assert "Understood as: How long did the Doha meeting last?" in text
    assert "The articles disagree. Two articles say two hours (newest) [1]; one says 90 minutes [1]." in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            [("about 50 minutes", (1, 3), 2, False), ("nearly an hour", (2,), 1, True)],
            "Two of three articles say about 50 minutes [1][3]; one says nearly an hour (newest) [2].",
        ),
        (
            [("Ana Ruiz", (1,), 1, False), ("Omar Diallo.", (2,), 1, True)],
            "One of two articles says Ana Ruiz [1]; the other says Omar Diallo (newest) [2].",
        ),
        (
            [("two", (1, 2), 2, True), ("three", (3, 4), 2, True)],
            "Two of four articles say two [1][2]; two say three [3][4].",
        ),
        (
            [("two", tuple(range(1, 12)), 11, False), ("three", (12,), 1, True)],
            "11 of 12 articles say two [1][2][3][4][5][6][7][8][9][10][11]; one says three (newest) [12].",
        ),
    ],
)
def test_a_disagreement_is_a_sentence(
    values: list[tuple[str, tuple[int, ...], int, bool]], said: str
) -> None:
    evidence = tuple(replace(EVIDENCE, number=n, article=replace(ARTICLE, id=str(n))) for n in range(1, 13))
    found = Disagreement("Which?", tuple(Value(*v) for v in values))
    assert disagreement_line(replace(ANSWER, evidence=evidence, disagreement=found)) == said


def test_an_article_that_gives_both_values_is_not_counted_as_two() -> None:
    both = (EVIDENCE, replace(EVIDENCE, number=2))
    found = Disagreement("How long?", (Value("two hours", (1,), 1), Value("90 minutes", (2,), 1)))
    line = disagreement_line(replace(ANSWER, evidence=both, disagreement=found))
    assert line == "One article says two hours [1]; one says 90 minutes [2]."


def bold(words: str) -> str:
    return f"*{words}*"


def test_the_words_that_answer_are_marked_in_quotations_and_sources_only_where_asked_for() -> None:
    text = answer_to_text(ANSWER, bold)
    assert text.count("“The meeting lasted *two hours*.”") == 2  # the statement and its source
    assert text.count("*") == 4
    assert "*" not in answer_to_text(ANSWER) and "\x1b" not in answer_to_text(ANSWER)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("It lasted two  hours\tin all.", "two  hours"),
        ("It\u200b lasted \u202e two\u200b hours.", "two\u200b hours"),
        ("Two hours, not two hours, said the envoy; two hours.", "two hours, said"),
        ("hours", "hours"),
        ("“Two” hours 😀 or more", "hours 😀"),
    ],
)
def test_the_words_that_answer_are_found_in_the_sentence_as_it_is_shown(body: str, words: str) -> None:
    start = body.index(words)
    item = Evidence(
        1, replace(ARTICLE, body=body), 0, len(body), body, (), 0.9, Span(start, start + len(words))
    )
    for before in ("", "Yes: "):
        shown = before + plain(body)
        span = words_at(item, shown)
        assert span is not None and shown[span.start : span.end] == plain(words)
        assert span.start == len(before) + plain(body).index(plain(words))


def test_no_words_are_marked_in_a_text_that_is_not_the_sentence() -> None:
    assert words_at(EVIDENCE, "They met for two hours.") is None
    assert words_at(replace(EVIDENCE, answer=None), EVIDENCE.text) is None
    assert words_at(replace(EVIDENCE, answer=Span(0, 6)), EVIDENCE.text) is None


def test_a_yes_has_no_line_in_short() -> None:
    yes = Statement(1, f"Yes: {EVIDENCE.text}", (1,), State.SUPPORTED, Verdict(True))
    text = answer_to_text(replace(ANSWER, statements=(yes,)), bold)
    assert text.splitlines()[1] == "Yes: The meeting lasted *two hours*. [1]"


def test_the_quotation_is_told_before_anything_is_worded() -> None:
    quoted = replace(ANSWER, status=Status.DRAFTING, statements=ANSWER.statements[:1])
    checking = Statement(3, "Two", (), State.CHECKING)
    growing = [
        replace(quoted, statements=()),
        quoted,
        replace(quoted, statements=(*quoted.statements, checking)),
        ANSWER,
    ]
    told = [text for text, _ in shown_text(growing, bold)]
    assert told[0] == "Understood as: How long did the Doha meeting last?\n"
    assert told[1:] == ["“The meeting lasted *two hours*.” [1]\n", "", "In short: Two hours. [1]\n"]


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
    assert "*" not in answer_to_text(refusal, bold)  # they do not answer


def test_a_conversation_keeps_only_what_was_shown() -> None:
    turn = turn_of(ANSWER)
    assert "two hours" in turn.answer and "nine hours" not in turn.answer
    assert turn.as_understood == "How long did the Doha meeting last?"
