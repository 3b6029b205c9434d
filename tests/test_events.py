"""Which meeting "the meeting" is."""

from __future__ import annotations

import pytest

from rag.events import alternatives, find_events, is_open, note, pairs, speaks_of
from rag.question import understand
from rag.schema import Article


def article(name: str, body: str) -> Article:
    return Article(name, "0", name, body)


TALKS = article(
    "a.txt",
    "Chancellor Lena Brandt met with President Omar Diallo in Bergen on Monday. The meeting lasted an hour. "
    "On Tuesday, Brandt will meet Ana Ruiz in Leeds. The meeting was arranged in May.",
)
MORE = article("b.txt", "The talks between Brandt and Diallo ended late. Prices rose in Leeds.")


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Lena Brandt met with President Omar Diallo in Bergen.", ("Lena Brandt", "Omar Diallo")),
        ("Brandt will meet Chinese Foreign Minister Wang Yi.", ("Brandt", "Wang Yi")),
        (
            "Talks were held between Lena Brandt, the chancellor, and Omar Diallo.",
            ("Lena Brandt", "Omar Diallo"),
        ),
        ("Brandt and Diallo held long talks on Monday.", ("Brandt", "Diallo")),
        ("The upcoming Brandt-Diallo meeting is private.", ("Brandt", "Diallo")),
        ("Lena Brandt sat down with Omar Diallo.", ("Lena Brandt", "Omar Diallo")),
    ],
)
def test_a_sentence_tells_who_met_whom(text: str, pair: tuple[str, str]) -> None:
    assert pairs(text) == (pair,)


@pytest.mark.parametrize(
    "text",
    [
        "Lena Brandt praised Omar Diallo.",
        "Brandt and Diallo are old friends.",
        "A meeting initiated as part of President Diallo's plan pleased Brandt.",
        "Russia met with France.",
        "Brandt held talks with leaders from Asia.",
    ],
)
def test_others_tell_of_no_meeting(text: str) -> None:
    assert pairs(text) == ()


def test_the_most_told_meeting_is_meant_and_the_others_are_named() -> None:
    question = understand("How long did the meeting last?")
    events = find_events(question, [TALKS, MORE])
    assert is_open(question)
    assert [str(e) for e in events] == ["Lena Brandt and Omar Diallo", "Brandt and Ana Ruiz"]
    assert note(question, events) == (
        "“The meeting” is read as that of Lena Brandt and Omar Diallo; the articles also tell of one of Brandt and Ana Ruiz."
    )
    asked = alternatives(question, events)
    assert asked and all(" between " in q and q != question.text for q in asked)


def test_a_name_in_the_question_narrows_the_choice() -> None:
    question = understand("Where is the meeting with Ruiz?")
    assert is_open(question)
    assert [str(e) for e in find_events(question, [TALKS, MORE])] == ["Brandt and Ana Ruiz"]


@pytest.mark.parametrize(
    "text",
    [
        "How long did the meeting of Brandt and Diallo last?",
        "Where was the meeting of the union held?",
        "What did the ASEAN meeting discuss?",
        "Who won the match?",
        "Who came to the meeting on 3 May?",
    ],
)
def test_a_question_that_tells_which_is_not_open(text: str) -> None:
    assert not is_open(understand(text))


def test_a_sentence_belongs_to_the_nearest_meeting_ahead_of_it() -> None:
    events = find_events(understand("How long did the meeting last?"), [TALKS, MORE])
    assert speaks_of(events, TALKS, TALKS.body.index("The meeting lasted"))
    assert not speaks_of(events, TALKS, TALKS.body.index("The meeting was arranged"))
    assert speaks_of(events, MORE, MORE.body.index("Prices"))
