"""Sessions: what is kept comes back equal, and what is deleted is gone."""

from __future__ import annotations

import dataclasses
import sqlite3
import stat
from pathlib import Path

import pytest

from rag.schema import (
    Answer,
    Article,
    Disagreement,
    Evidence,
    Field,
    Origin,
    PartialDate,
    Published,
    Reason,
    Span,
    State,
    Statement,
    Status,
    Timings,
    Turn,
    Value,
    Verdict,
)
from rag.ui.sessions import FILE_NAME, SessionError, Sessions, to_markdown

BODY = "Floods hit Valencia\n\nThe river rose four metres on Monday. It “fell” later."
ARTICLE = Article(
    "news.jsonl#7",
    "ab" * 32,
    "news.jsonl#7",
    BODY,
    Field("Floods hit Valencia", Origin.STATED, Span(0, 19)),
    Field("Wire", Origin.METADATA),
    Published(PartialDate(2025, 7, 10), Origin.SUPPLIED),
    author=Field("Ann Lee", Origin.METADATA),
    copy_of="other.txt",
)
SENTENCE = Evidence(1, ARTICLE, 21, 58, BODY[21:58], (Span(0, 19),), 0.5)
ANSWER = Answer(
    "How high?",
    "How high did the river rise?",
    Status.ANSWERED,
    (
        Statement(1, "Four metres.", (1,), State.SUPPORTED, Verdict(True, derivation=("a", "b"))),
        Statement(2, "Five.", (), State.WITHHELD, Verdict(False, Reason.NUMBER, "Five")),
    ),
    (SENTENCE,),
    (dataclasses.replace(SENTENCE, number=2),),
    "what it cost",
    "a note",
    Disagreement("height", (Value("four", (1,), 1, True), Value("five", (2,), 2))),
    Timings(0.1, None, 1.0, 2.0),
    "qwen",
    "",
    1.25,
)


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path / "data")


def test_a_conversation_is_kept_listed_reopened_and_grows(sessions: Sessions) -> None:
    first = sessions.keep("", [ANSWER])
    second = sessions.keep("", [dataclasses.replace(ANSWER, question="Another?")])
    assert sessions.keep(first, [ANSWER, ANSWER]) == first
    assert {(c.id, c.title, c.turns) for c in sessions.listed()} == {
        (first, "How high?", 2),
        (second, "Another?", 1),
    }
    assert sessions.open(first) == [ANSWER, ANSWER]
    drafting = dataclasses.replace(ANSWER, status=Status.DRAFTING)
    assert sessions.keep("", [drafting]) == "" and sessions.keep(second, [ANSWER, drafting]) == second
    assert len(sessions.open(second)) == 1


def test_what_is_deleted_is_gone_for_good(sessions: Sessions) -> None:
    id_ = sessions.keep("", [ANSWER])
    case = sessions.report(ANSWER, [Turn("a", "b", "c")], "wrong")
    sessions.delete(id_)
    with pytest.raises(SessionError, match="not kept any more"):
        sessions.open(id_)
    assert sessions.cases()[0].answer == ANSWER, "the case still has its article"
    assert sessions.delete_case(case) and not sessions.delete_case(case)
    sessions.close()
    assert b"The river rose" not in sessions.path.read_bytes()


def test_a_case_keeps_what_was_asked_before_and_why_it_is_wrong(sessions: Sessions) -> None:
    sessions.report(ANSWER, [Turn("a", "b", "c")], "It\u202e says\nfive. " + "x" * 5000)
    (case,) = sessions.cases()
    assert case.history == (Turn("a", "b", "c"),) and case.reason.startswith("It says five.")
    assert len(case.reason) == 2000


def test_the_file_is_its_owners_alone(sessions: Sessions) -> None:
    assert stat.S_IMODE(sessions.path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no folder", "utf-8")
    with pytest.raises(SessionError, match="x/data"):
        Sessions(tmp_path / "x" / "data")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / FILE_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(SessionError, match=FILE_NAME):
        Sessions(tmp_path / "bad")
    newer = Sessions(tmp_path / "newer")
    newer.close()
    db = sqlite3.connect(newer.path)
    db.execute("PRAGMA user_version=9")
    db.close()
    with pytest.raises(SessionError, match="format 9"):
        Sessions(tmp_path / "newer")


def test_markdown_holds_question_answer_and_sources_and_no_markup_of_theirs() -> None:
    text = to_markdown([dataclasses.replace(ANSWER, question="![x](http://evil) <b>How?</b>")])
    assert "Four metres. [1]" in text and "Wire, 2025" in text.replace("\\", "")
    assert "![x](" not in text and "<b>" not in text
