"""When a question needs the earlier ones, and what a rewriting may bring in."""

from __future__ import annotations

import pytest

from rag.conversation import beside, is_faithful, needs_history, stand_alone
from rag.schema import Turn

HISTORY = [
    Turn(
        "How long did Ana Ruiz speak in Leeds?",
        "How long did Ana Ruiz speak in Leeds?",
        "Ana Ruiz spoke for two hours.",
    )
]


@pytest.mark.parametrize(
    "question",
    [
        "Where did it take place?",
        "And Omer Kaya?",
        "What did she say?",
        "Why?",
        "Who paid for the speech?",
        "how about Friday?",
    ],
)
def test_a_question_that_points_back_needs_history(question: str) -> None:
    assert needs_history(question, HISTORY)


@pytest.mark.parametrize(
    "question", ["How many bridges did Omer Kaya open in Ankara?", "When was Lena Brandt born?"]
)
def test_a_question_with_its_own_subject_stands_alone(question: str) -> None:
    assert not needs_history(question, HISTORY)


def test_nothing_points_back_without_history() -> None:
    assert not needs_history("Where did it take place?", [])
    assert stand_alone("Where did it take place?", [], None, deadline_s=1, cancel=lambda: False) == (
        "Where did it take place?"
    )


def test_a_rewriting_must_keep_the_words_and_bring_no_new_name_or_word() -> None:
    assert is_faithful("Where did Ana Ruiz speak?", "Where did she speak?", HISTORY)
    assert not is_faithful("Where did Omer Kaya speak?", "Where did she speak?", HISTORY)
    assert not is_faithful("How long did Ana Ruiz sing in Leeds?", "Where did she speak?", HISTORY)


def test_without_a_model_the_earlier_question_is_put_beside_the_new_one() -> None:
    understood = stand_alone("Where was it?", HISTORY, None, deadline_s=1, cancel=lambda: False)
    assert understood == beside("Where was it?", HISTORY[-1])
    assert "Where was it" in understood and "Ana Ruiz" in understood
