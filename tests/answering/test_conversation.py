"""When a question needs the earlier ones, and what a rewriting may bring in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.answering.rewriting import beside, is_faithful, needs_history, stand_alone
from rag.errors import GenerationError, StoppedError
from rag.protocols import Generator
from rag.schema import Turn
from tests.fakes import ScriptedGenerator

HISTORY = [
    Turn(
        "How long did Ana Ruiz speak in Leeds?",
        "How long did Ana Ruiz speak in Leeds?",
        "Ana Ruiz spoke for two hours.",
    )
]


def understood(question: str, generator: Generator | None, history: list[Turn] = HISTORY) -> str:
    return stand_alone(question, history, generator, deadline_s=1, cancel=lambda: False)


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
    assert needs_history(question, HISTORY) and not needs_history(question, [])


@pytest.mark.parametrize(
    "question", ["How many bridges did Omer Kaya open in Ankara?", "When was Lena Brandt born?"]
)
def test_a_question_with_its_own_subject_stands_alone_and_no_model_is_asked(question: str) -> None:
    generator = ScriptedGenerator()
    assert understood(question, generator) == question and generator.prompts == []


def test_a_rewriting_must_keep_the_words_and_bring_no_new_name_or_word() -> None:
    assert is_faithful("Where did Ana Ruiz speak?", "Where did she speak?", HISTORY)
    assert not is_faithful("Where did Omer Kaya speak?", "Where did she speak?", HISTORY)
    assert not is_faithful("How long did Ana Ruiz sing in Leeds?", "Where did she speak?", HISTORY)
    assert not is_faithful("Where did she speak?", "Where did she speak?", HISTORY), "it adds nothing"


def test_a_faithful_rewriting_is_used_and_another_is_not() -> None:
    generator = ScriptedGenerator("Where did Ana Ruiz speak?", "Where did Omer Kaya speak?")
    assert understood("Where did she speak?", generator) == "Where did Ana Ruiz speak?"
    assert understood("Where did she speak?", generator) == beside("Where did she speak?", HISTORY[-1])
    assert "Ana Ruiz spoke for two hours." in generator.offered[0]


class Broken(ScriptedGenerator):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def generate(self, prompt, **options) -> Iterator[str]:  # type: ignore[no-untyped-def]
        raise self.error


def test_without_a_model_or_when_it_fails_the_earlier_question_is_put_beside_the_new_one() -> None:
    told = "How long did Ana Ruiz speak in Leeds? Ana Ruiz spoke for two hours. Where was it?"
    for generator in (None, Broken(GenerationError("it died"))):
        assert understood("Where was it?", generator) == told
    with pytest.raises(StoppedError):
        understood("Where was it?", Broken(StoppedError("stopped")))


def test_without_history_it_is_asked_as_it_stands() -> None:
    assert understood(" Where did\nit take place? ", None, []) == "Where did it take place?"
