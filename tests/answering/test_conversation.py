"""When a question needs the earlier ones, and what a rewriting may bring in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


def asked_of_nothing(question: str) -> float:
    raise AssertionError(f"the articles are asked: {question}")


def understood(
    question: str,
    generator: Generator | None,
    history: list[Turn] = HISTORY,
    sureness: Callable[[str], float] = asked_of_nothing,
) -> str:
    return stand_alone(question, history, generator, sureness, deadline_s=1, cancel=lambda: False)


@pytest.mark.parametrize(
    "question",
    [
        "Where did it take place?",
        "And Omer Kaya?",
        "What did she say?",
        "Why?",
        "Where did Ana Ruiz go after that?",
        "Who paid for the two hours?",
        "how about Friday?",
    ],
)
def test_a_question_that_points_back_needs_history(question: str) -> None:
    assert needs_history(question, HISTORY) is True and needs_history(question, []) is False


@pytest.mark.parametrize(
    "question", ["How many bridges did Omer Kaya open in Ankara?", "When was Lena Brandt born?"]
)
def test_a_question_with_its_own_subject_stands_alone_and_no_model_is_asked(question: str) -> None:
    generator = ScriptedGenerator()
    assert understood(question, generator) == question and generator.prompts == []


@pytest.mark.parametrize("question", ["Who owns the old mill?", "Why did Omer Kaya sell his bridge?"])
def test_where_the_words_leave_it_open_the_articles_decide(question: str) -> None:
    joined = beside(question, HISTORY)
    assert understood(question, None, sureness=lambda q: float(q == question)) == question
    assert understood(question, None, sureness=lambda q: float(q == joined)) == joined
    assert understood(question, None, sureness=lambda q: 0.5) == joined


def test_follow_ups_to_follow_ups_keep_the_question_they_began_with_and_whole_words() -> None:
    history = list(HISTORY)
    for question in ("And who spoke after her?", "What did he say?", "Who paid for it?"):
        said = f"Omer Kaya spoke of bridges. {'He said that each of them had been paid for. ' * 6}"
        history.append(Turn(question, understood(question, None, history), said))
    told = understood("Why?", None, history)
    assert told.startswith("How long did Ana Ruiz speak in Leeds? Omer Kaya spoke of bridges. He said")
    assert told.endswith("had been paid for. Why?") and len(told) < 250
    long = Turn("Who spoke?", "Who spoke?", "Omer Kaya and " * 30)
    assert set(beside("Why?", [long]).split()) == {*long.question.split(), *long.answer.split(), "Why?"}


def test_a_rewriting_must_keep_the_words_and_bring_no_new_name_or_word() -> None:
    assert is_faithful("Where did Ana Ruiz speak?", "Where did she speak?", HISTORY)
    assert not is_faithful("Where did Omer Kaya speak?", "Where did she speak?", HISTORY)
    assert not is_faithful("How long did Ana Ruiz sing in Leeds?", "Where did she speak?", HISTORY)
    assert not is_faithful("Where did she speak?", "Where did she speak?", HISTORY), "it adds nothing"


def test_a_faithful_rewriting_is_used_and_another_is_not() -> None:
    generator = ScriptedGenerator("Where did Ana Ruiz speak?", "Where did Omer Kaya speak?")
    assert understood("Where did she speak?", generator) == "Where did Ana Ruiz speak?"
    assert understood("Where did she speak?", generator) == beside("Where did she speak?", HISTORY)
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
