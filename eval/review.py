"""A file of drafted questions: proposals are appended, a person accepts, edits or drops them, and nothing is proposed twice.

The file has the format of `questions.jsonl`, so `rag eval --questions FILE` asks it. What was dropped is kept beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.cases import Case, load_cases
from eval.draft import NOTE, gold_for
from rag.schema import Article
from rag.text.words import plain
from rag.ui.sessions import Case as Reported


def to_row(case: Case) -> dict[str, Any]:
    """A case as a line of the file has it."""
    return {
        "id": case.id,
        "kind": list(case.kinds),
        "question": case.question,
        "history": list(case.history),
        "answerable": case.answerable,
        "answers": [list(forms) for forms in case.answers],
        "all": case.needs_all,
        "wrong": list(case.wrong),
        "gold": [{"article": g.article, "quote": g.quote} for g in case.gold],
        "note": case.note,
    }


def is_draft(case: Case) -> bool:
    """Whether nobody has looked at it yet."""
    return case.note.startswith(NOTE)


def of_reader(reported: Reported) -> Case:
    """What a reader found wrong, as a draft: that the articles do not answer it, until somebody gives the answer."""
    said = " ".join(s.text for s in reported.answer.shown) or "a refusal"
    return Case(
        f"reader-{reported.id}",
        ("unanswerable",),
        plain(reported.answer.question),
        False,
        tuple(plain(t.question) for t in reported.history),
        note=f"{NOTE}: found wrong by a reader ({plain(reported.reason) or 'no reason given'}); it said: {plain(said)}",
    )


def answered(case: Case, forms: Sequence[str], articles: Sequence[Article]) -> Case | None:
    """The case with another answer, its gold the sentence that gives it; None where no sentence of the articles does.

    No forms: the articles do not answer it.
    """
    if not forms:
        return replace(case, kinds=("unanswerable",), answerable=False, answers=(), gold=(), wrong=())
    gold = gold_for(forms, case.question, articles)
    if gold is None:
        return None
    kinds = ("single",) if not case.answerable else case.kinds
    return replace(case, kinds=kinds, answerable=True, answers=(tuple(forms),), gold=(gold,))


class Drafts:
    """The file and what it holds. Each change is written whole and at once."""

    def __init__(self, file: Path, articles: Sequence[Article]) -> None:
        """A file that is not there is empty. Raises `EvalError` as `load_cases` does."""
        self._file = file
        self._dropped = file.with_name(file.name + ".dropped")
        self.articles = list(articles)
        bodies = {a.path: a.body for a in articles}
        is_filled = file.exists() and file.read_text(encoding="utf-8").strip()
        self.cases = load_cases(file, bodies) if is_filled else []

    @property
    def known(self) -> frozenset[str]:
        """Ids that are not proposed again: those in the file, and those dropped."""
        dropped = self._dropped.read_text(encoding="utf-8").split() if self._dropped.exists() else []
        return frozenset((*(c.id for c in self.cases), *dropped))

    def add(self, case: Case) -> None:
        """Put a case at the end."""
        self._write([*self.cases, case])

    def change(self, case: Case) -> None:
        """Put a case in the place of the one with its id."""
        self._write(case if c.id == case.id else c for c in self.cases)

    def accept(self, case: Case) -> None:
        """Keep a case as it is: it is no draft any more."""
        self.change(replace(case, note=f"accepted{case.note.removeprefix(NOTE)}"))

    def drop(self, case: Case) -> None:
        """Take a case out, never to be proposed again."""
        with self._dropped.open("a", encoding="utf-8") as file:
            file.write(case.id + "\n")
        self._write(c for c in self.cases if c.id != case.id)

    def _write(self, cases: Iterable[Case]) -> None:
        self.cases = list(cases)
        lines = "".join(json.dumps(to_row(c), ensure_ascii=False) + "\n" for c in self.cases)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        half = self._file.with_name(self._file.name + ".part")
        half.write_text(lines, encoding="utf-8")
        half.replace(self._file)
