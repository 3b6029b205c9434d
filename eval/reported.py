"""Reported: answers that readers found wrong ("Not right?" on the page), asked again with every run of the own set.

What is right is not known, so nothing is judged: it is told whether the answer that was found wrong is given again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.assistant import Assistant
from rag.text.words import plain
from rag.ui.sessions import kept_cases, repeats


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A case: its id, the question, the reader's reason, what is answered now, and whether that is the same again."""

    id: str
    question: str
    reason: str
    said: str
    same: bool


def ask_again(assistant: Assistant, data: Path) -> list[AskedAgain]:
    """All cases kept in `data`, the oldest first, after the questions before each; none where nothing was kept.

    Raises `SessionError` when the file cannot be read.
    """
    found = []
    for case in kept_cases(data):
        now = assistant.ask(case.answer.question, case.history)
        said = " ".join(s.text for s in now.shown) or now.missing or now.error
        found.append(AskedAgain(case.id, case.answer.question, case.reason, said, repeats(case, now)))
    return found


def to_markdown(items: Sequence[AskedAgain]) -> str:
    """A section for the report, "" when there is no case."""
    if not items:
        return ""

    def cell(text: str) -> str:
        return plain(text).replace("\\", "\\\\").replace("|", "\\|")

    rows = "".join(
        f"| {i.id} | {cell(i.question)} | {cell(i.reason)} | {cell(i.said)} | {'again' if i.same else 'changed'} |\n"
        for i in items
    )
    again = sum(i.same for i in items)
    return (
        f"\n## Found wrong by readers\n\n{again} of {len(items)} get the answer that was found wrong again.\n\n"
        f"| case | question | reason | now | |\n|---|---|---|---|---|\n{rows}"
    )
