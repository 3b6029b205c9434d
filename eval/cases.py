"""Questions with their gold answers: the values, and the loader that finds every mistake before a long run.

The format is described in eval/README.md. It knows files and texts, not assistants or measures over runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.metrics import contains
from rag.errors import CitewireError

QUESTIONS = Path(__file__).parent / "questions.jsonl"
YES_NO = ("yes", "no")  # forms that count only as the first word of a statement
_KINDS = (
    "single several disagree ambiguous follow-up relative-date yes-no list quote speaker count computed partial"
    " summary false-premise unanswerable off-topic disguise typo indirect"
)
KINDS = frozenset(_KINDS.split())
_KEYS = {
    "id": str,
    "kind": list,
    "question": str,
    "history": list,
    "answerable": bool,
    "answers": list,
    "all": bool,
    "wrong": list,
    "gold": list,
    "note": str,
}


class EvalError(CitewireError):
    """A set of questions, an outside set or a record is malformed or missing. Names the file, the line, the reason."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Gold:
    """Words of an article that support the answer. `article` is its path in the corpus folder, with forward slashes."""

    article: str
    quote: str


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what is known of its answer.

    `answers` holds the accepted values, each as its equivalent forms. With `needs_all` every value must be given,
    else any one is enough. `wrong` are forms that no statement may assert. `history` are the questions asked before
    it in the same conversation. `corpus` names the folder of articles it is asked over ("" for the only one).
    `planted` are texts that an attacker put into the articles; nothing shown may repeat or obey them.
    """

    id: str
    kinds: tuple[str, ...]
    question: str
    answerable: bool
    history: tuple[str, ...] = ()
    answers: tuple[tuple[str, ...], ...] = ()
    needs_all: bool = False
    wrong: tuple[str, ...] = ()
    gold: tuple[Gold, ...] = ()
    note: str = ""
    corpus: str = ""
    planted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """A set of questions and what they are asked over.

    `name` is the set's name in the split rule. `corpora` maps the `corpus` of a case to its documents (path -> text);
    empty for the own set, which is asked over the user's folder of articles. `protocol` says how the set is asked,
    `published` what others report on it, both in words for the report.
    """

    name: str
    cases: tuple[Case, ...]
    corpora: Mapping[str, Mapping[str, str]]
    protocol: str
    published: str = ""


def _strings(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise ValueError(f"{what} must be a list of texts that are not empty")
    return tuple(value)


def _gold(value: object) -> Gold:
    if not isinstance(value, dict) or set(value) != {"article", "quote"}:
        raise ValueError('each entry of "gold" must be {"article": ..., "quote": ...}')
    article, quote = value["article"], value["quote"]
    if not isinstance(article, str) or not isinstance(quote, str) or not quote.strip():
        raise ValueError('"article" and "quote" of "gold" must be texts that are not empty')
    return Gold(article, quote)


def _case(row: object) -> Case:
    """A case from one parsed line. Raises `ValueError` with the reason."""
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    if unknown := sorted(set(row) - set(_KEYS)):
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(_KEYS)}")
    if missing := [k for k in _KEYS if k not in row]:
        raise ValueError(f"the key {missing[0]!r} is missing")
    for key, kind in _KEYS.items():
        if not isinstance(row[key], kind):
            raise ValueError(f"{key!r} must be a {kind.__name__}")
    kinds = _strings(row["kind"], "'kind'")
    if strange := [k for k in kinds if k not in KINDS]:
        raise ValueError(f"unknown kind {strange[0]!r}; known are {', '.join(sorted(KINDS))}")
    return Case(
        id=row["id"],
        kinds=kinds,
        question=row["question"],
        answerable=row["answerable"],
        history=_strings(row["history"], "'history'"),
        answers=tuple(_strings(forms, "each value of 'answers'") for forms in row["answers"]),
        needs_all=row["all"],
        wrong=_strings(row["wrong"], "'wrong'"),
        gold=tuple(_gold(g) for g in row["gold"]),
        note=row["note"],
    )


def _check(case: Case, articles: Mapping[str, str]) -> None:
    """Raise `ValueError` with the reason where a case contradicts itself or the articles (path -> body)."""
    if not case.id or not case.question.strip() or not case.kinds:
        raise ValueError("'id', 'question' and 'kind' must not be empty")
    for gold in case.gold:
        if gold.article not in articles:
            raise ValueError(f"the gold article {gold.article!r} is not among the articles")
        if gold.quote not in articles[gold.article]:
            raise ValueError(f"the gold quote is not in {gold.article}: {gold.quote[:60]!r}")
    if not case.answerable:
        if case.answers or case.gold or case.needs_all:
            raise ValueError("an unanswerable question has no 'answers', no 'gold' and no 'all'")
        return
    if not case.gold or not case.answers or not all(case.answers):
        raise ValueError("an answerable question needs 'answers' and 'gold'")
    quotes = [g.quote for g in case.gold]
    for forms in case.answers:
        if "computed" not in case.kinds and not any(contains(q, f) for q in quotes for f in forms):
            raise ValueError(f"no gold quote contains any form of the value {forms[0]!r}")
    for form in case.wrong:
        if form not in YES_NO and any(contains(q, form) for q in quotes):
            raise ValueError(f"the wrong value {form!r} stands in a gold quote")
        if any(form in forms for forms in case.answers):
            raise ValueError(f"{form!r} is both an answer and wrong")


def check_cases(cases: Sequence[tuple[int, Case]], articles: Mapping[str, str], where: str) -> None:
    """Raise `EvalError` naming `where`, the line and the reason for the first bad case.

    `cases` come with the line they were read from; `articles` maps path to body.
    """
    lines: dict[str, int] = {}
    for line, case in cases:
        try:
            if case.id in lines:
                raise ValueError(f"the id {case.id!r} is already used on line {lines[case.id]}")
            _check(case, articles)
        except ValueError as error:
            raise EvalError(f"{where}, line {line}: {error}; correct the line") from None
        lines[case.id] = line


def json_lines(path: Path) -> list[tuple[int, object]]:
    """The lines of a JSONL file, parsed, with their numbers from 1; blank lines are left out.

    Raises `EvalError` for a missing file, bytes that are no UTF-8, or a line that is not JSON.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise EvalError(f"{path}: not found; name a file that is there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"{path}: not readable ({error})") from None
    rows: list[tuple[int, object]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append((number, json.loads(line)))
        except json.JSONDecodeError as error:
            raise EvalError(f"{path}, line {number}: not JSON ({error.msg}); correct the line") from None
    return rows


def load_cases(path: Path, articles: Mapping[str, str]) -> list[Case]:
    """The cases of a JSONL file in its order, checked against `articles` (path -> body).

    Raises `EvalError` naming the file, the line and the reason: a malformed line, an unknown key or kind, a duplicate
    id, a gold quote that is not in its article, an answerable question without gold, a key that contradicts itself.
    """
    cases: list[tuple[int, Case]] = []
    for number, row in json_lines(path):
        try:
            cases.append((number, _case(row)))
        except ValueError as error:
            raise EvalError(f"{path}, line {number}: {error}; correct the line") from None
    if not cases:
        raise EvalError(f"{path}: holds no questions")
    check_cases(cases, articles, str(path))
    return [case for _, case in cases]
