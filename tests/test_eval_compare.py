"""The comparison's own judging and table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eval.cases import Case, EvalError, Gold
from eval.compare.__main__ import Outcome, ask_framework, judge_other, table, times_faster

CASE = Case(
    "a",
    ("single",),
    "How long did the strike last?",
    True,
    answers=(("nine hours", "9 hours"),),
    wrong=("two hours",),
    gold=(Gold("a.txt", "The strike lasted nine hours."),),
)
NONE = Case("b", ("unanswerable",), "Who paid for it?", False)
SOURCES = ["It rained.", "Source 2:\nThe strike lasted nine\nhours."]


def test_a_right_value_with_a_source_that_says_so_is_rightly_cited() -> None:
    assert judge_other(CASE, "It lasted 9 hours [2].", SOURCES, 1.0) == Outcome(True, True, True, False, 1.0)
    assert judge_other(CASE, "It lasted 9 hours [1].", SOURCES, 1.0).cited is False
    assert judge_other(CASE, "It lasted 9 hours [7].", SOURCES, 1.0).cited is False


def test_a_wrong_value_is_not_right_even_beside_the_right_one() -> None:
    assert judge_other(CASE, "Nine hours [2], or two hours.", SOURCES, 1.0).right is False


def test_saying_that_nothing_is_known_refuses() -> None:
    said = judge_other(NONE, "The sources do not mention who paid.", SOURCES, 1.0)
    assert said.refused and said.right
    assert not judge_other(NONE, "The mayor paid [1].", SOURCES, 1.0).right
    assert judge_other(CASE, "The sources do not mention it.", SOURCES, 1.0).right is False


def test_the_table_counts_answerable_and_unanswerable_apart() -> None:
    ours = [Outcome(True, True, True, False, 2.0), Outcome(False, True, False, True, 1.0)]
    theirs = [Outcome(True, True, False, False, 20.0), Outcome(False, False, False, False, 30.0)]
    rows = {r[0]: r[1:] for r in table([("theirs", theirs), ("ours", ours)])}
    assert rows["right and rightly cited"][0].startswith("0.00")
    assert rows["refused (of the unanswerable)"] == (
        "0.00 (0.00 to 0.00, n = 1)",
        "1.00 (1.00 to 1.00, n = 1)",
    )
    assert rows["seconds, median"] == ("25.0 (n = 2)", "1.5 (n = 2)")
    assert times_faster(theirs, ours) == "20.0 (10.0 to 30.0)"


def test_a_framework_that_ends_early_is_named_and_one_that_answers_is_read(tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text(
        "import json, sys\n"
        "for q in json.load(sys.stdin)['questions'][:LIMIT]:\n"
        "    print(json.dumps({'text': q, 'sources': [], 'seconds': 0.5}))\n".replace("LIMIT", "9")
    )
    rows = ask_framework(sys.executable, script, {}, [CASE, NONE])
    assert [(r["id"], r["text"]) for r in rows] == [("a", CASE.question), ("b", NONE.question)]
    script.write_text("import sys; sys.stdin.read()")
    with pytest.raises(EvalError, match="echo.py stopped after 0 of 2"):
        ask_framework(sys.executable, script, {}, [CASE, NONE])
