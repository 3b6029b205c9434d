"""The comparison's own judging and table."""

from __future__ import annotations

from eval.cases import Case, Gold
from eval.compare.__main__ import Outcome, judge_other, table

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
