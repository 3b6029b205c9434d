"""Asking: what others wrote to try the program is sound, and what became of a question is told rightly."""

from __future__ import annotations

import pytest

from rag.schema import Answer, Disagreement, State, Statement, Status, Value, Verdict
from training.asking import FOLDER, NAMES, corpus, outcome, says, told
from training.maker import read_rows


def test_what_is_asked_is_answered_in_its_articles_or_nowhere() -> None:
    assert {f.stem for f in FOLDER.glob("*.jsonl")} == set(NAMES)
    for name in NAMES:
        rows = read_rows(FOLDER / f"{name}.jsonl")
        assert len({row["id"] for row in rows}) == len(rows)
        for row in rows:
            text = "\n".join(corpus(row).values())
            for asked in row["questions"]:
                assert asked["kind"] in ("answered", "none", "yesno")
                assert says(text, asked.get("planted", ""))
                assert all(any(says(text, form) for form in forms) for forms in asked.get("values", ()))
                if asked["kind"] == "answered":
                    assert any(says(text, a) for a in asked["answers"]), asked
                elif asked["kind"] == "none":
                    assert not asked["answers"]
                else:
                    assert asked["answers"] in (["yes"], ["no"], ["none"])


@pytest.mark.parametrize(
    ("kind", "answers", "shown", "became"),
    [
        ("answered", ["50 minutes"], "It lasted 50 minutes.", "right"),
        ("answered", ["50 minutes"], "It lasted 150 minutes.", "wrong"),
        ("answered", ["50 minutes"], "", "refused"),
        ("none", [], "", "right"),
        ("none", [], "It lasted 50 minutes.", "wrong"),
        ("yesno", ["no"], "No: nobody was hurt.", "right"),
        ("yesno", ["no"], "Yes: nobody was hurt.", "wrong"),
        ("yesno", ["none"], "", "right"),
        ("yesno", ["yes"], "", "refused"),
    ],
)
def test_what_became_of_a_question_is_told_by_what_stands_first(
    kind: str, answers: list[str], shown: str, became: str
) -> None:
    statements = (Statement(1, shown, (1,), State.QUOTED, Verdict(True)),) if shown else ()
    answer = Answer("?", "?", Status.ANSWERED if shown else Status.UNANSWERED, statements=statements)
    assert outcome({"kind": kind, "answers": answers}, answer) == became


def test_a_dispute_is_told_where_every_value_is_shown_in_one_of_its_forms() -> None:
    statements = (Statement(1, "Some 34 stalls burned.", (1,), State.QUOTED, Verdict(True)),)
    values = [["34", "thirty-four"], ["41", "forty-one"]]
    one = Answer("?", "?", Status.ANSWERED, statements=statements)
    assert told(values[:1], one) and not told(values, one)
    both = (Value("34", (1,), 1, False), Value("forty-one", (2,), 1, False))
    assert told(values, Answer("?", "?", Status.ANSWERED, statements, disagreement=Disagreement("?", both)))
