"""Which questions are in English."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.text.language import is_english

QUESTIONS = Path(__file__).parent.parent.parent / "eval" / "questions.jsonl"


@pytest.mark.parametrize(
    "text",
    [
        "Wie lange dauerte das Treffen?",
        "Wer hat sich mit Lavrov getroffen?",
        "Combien de temps a duré la réunion ?",
        "Qui a rencontré Lavrov à Kuala Lumpur ?",
        "¿Cuánto duró la reunión?",
        "cuanto duro la reunion",
        "Quanto è durato l'incontro?",
        "Quanto tempo durou a reunião?",
        "Hoe lang duurde de vergadering?",
        "Jak długo trwało spotkanie?",
        "Hur länge varade mötet?",
        "Toplantı ne kadar sürdü?",
        "Cuộc họp kéo dài bao lâu?",
        "Сколько длилась встреча?",
        "Πόσο διήρκεσε η συνάντηση;",
        "会议持续了多长时间？",
        "会議はどのくらい続きましたか？",
        "회의는 얼마나 걸렸습니까?",
        "كم استمر الاجتماع؟",
        "बैठक कितनी देर चली?",
    ],
)
def test_a_question_in_another_language_is_told_from_an_english_one(text: str) -> None:
    assert not is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Putin?",
        "Путин?",
        "北京？",
        "Angela Merkel",
        "Médecins sans frontières?",
        "Fernando de la Rúa?",
        "Marine Le Pen Front National",
        "Bundesverfassungsgericht",
        "lula da silva bolsonaro trial",
        "la liga results barcelona madrid",
        "rubio lavrov meeting length",
        "Is Arjen Robben old?",
        "Who said “Ich bin ein Berliner”?",
        "?!",
        "",
    ],
)
def test_names_short_questions_and_search_words_are_not_taken_for_another_language(text: str) -> None:
    assert is_english(text)


def test_no_question_of_the_evaluation_is_taken_for_another_language() -> None:
    asked = [json.loads(line)["question"] for line in QUESTIONS.read_text("utf-8").splitlines()]
    assert len(asked) > 100 and [q for q in asked if not is_english(q)] == []
