"""Answers that readers found wrong are asked again, after what was asked before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from eval.reported import ask_again, to_markdown
from rag.assistant import Assistant
from rag.schema import Answer, State, Statement, Status, Turn
from rag.ui.sessions import Sessions


def answer(question: str, *texts: str) -> Answer:
    statements = tuple(Statement(n, t, (1,), State.SUPPORTED) for n, t in enumerate(texts, 1))
    return Answer(
        question,
        question,
        Status.ANSWERED if texts else Status.UNANSWERED,
        statements,
        missing="nothing of it",
    )


class _Answerer:
    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []

    def ask(self, question: str, history: tuple[Turn, ...]) -> Answer:
        self.asked.append((question, history))
        return answer(question, "Four | hours.") if question == "How long?" else answer(question)


def test_the_same_answer_again_is_told_from_another(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    before = Turn("Who?", "Who?", "He did.")
    sessions.report(answer("How long?", "Four | hours."), [before], "three")
    sessions.report(answer("How high?", "Ten."), [], "")
    sessions.report(answer("Where?"), [], "it is there")
    sessions.close()
    assistant = _Answerer()
    found = ask_again(cast(Assistant, cast(Any, assistant)), tmp_path)
    assert [(f.question, f.same) for f in found] == [
        ("How long?", True),
        ("How high?", False),
        ("Where?", True),
    ]
    assert assistant.asked[0] == ("How long?", (before,))
    text = to_markdown(found)
    assert "2 of 3" in text and "Four \\| hours." in text


def test_where_nothing_was_reported_nothing_is_asked_or_made(tmp_path: Path) -> None:
    assert ask_again(cast(Assistant, cast(Any, _Answerer())), tmp_path / "nowhere") == []
    assert to_markdown([]) == "" and not (tmp_path / "nowhere").exists()
