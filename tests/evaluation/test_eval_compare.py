"""The comparison: free text becomes answers, a framework's script is asked line by line, and every system stands in one table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from eval.cases import Case, EvalError, Gold
from eval.compare.__main__ import main
from eval.compare.framework import Framework
from eval.compare.freetext import answer_of, locate, with_refusal
from eval.compare.page import to_html
from eval.compare.systems import OURS, SYSTEMS
from eval.compare.table import cells, rows_of, to_markdown, to_row
from eval.judge import judge
from eval.report import Judged
from eval.runner import Result
from eval.trace import Found
from rag.schema import Answer, Article, Stage, Status, Timings

BODY = "It rained in Bergen.\n\nThe strike lasted nine\nhours. Nobody paid."
ARTICLE = Article("a.txt", "1", "a.txt", BODY)
CASE = Case(
    "a",
    ("single",),
    "How long did the strike last?",
    True,
    answers=(("nine hours", "9 hours"),),
    wrong=("two hours",),
    gold=(Gold("a.txt", "The strike lasted nine\nhours."),),
)
NONE = Case("b", ("unanswerable",), "Who paid for it?", False)
RAIN, STRIKE = Found(ARTICLE, 0, 20), Found(ARTICLE, 22, 51)


def said(text: str, case: Case = CASE, seconds: float = 1.0) -> Judged:
    answer = answer_of(case.question, text, [RAIN, STRIKE], seconds, "other")
    return Judged.of(with_refusal(Result(case, answer)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It lasted 9 hours [2].", [("It lasted 9 hours.", (2,))]),
        ("It lasted 9 hours. [2]", [("It lasted 9 hours.", (2,))]),
        (
            "It rained [1]. It lasted 9 hours [1, 2].",
            [("It rained.", (1,)), ("It lasted 9 hours.", (1, 2))],
        ),
        ("Source 1:\nIt rained.\n\nNobody knows.", [("It rained.", ()), ("Nobody knows.", ())]),
        ("[2]", []),
    ],
)
def test_free_text_is_cut_into_sentences_with_the_numbers_behind_them(
    text: str, wanted: list[tuple[str, tuple[int, ...]]]
) -> None:
    answer = answer_of("q", text, [RAIN, STRIKE], 1.0, "other")
    assert [(s.text, s.citations) for s in answer.shown] == wanted
    assert answer.status is Status.ANSWERED


def test_a_source_is_found_again_in_its_article_whatever_its_spaces() -> None:
    assert locate("Source 2:\nThe strike  lasted nine hours.", [ARTICLE]) == STRIKE
    assert locate("Words of no article.", [ARTICLE]).article.path == ""


def test_a_right_value_with_a_source_that_says_so_is_rightly_cited() -> None:
    right = said("It lasted 9 hours [2].").judgement
    assert right.correct and right.citations_right == 1
    assert said("It lasted 9 hours [1].").judgement.citations_right == 0
    assert said("It lasted 9 hours [7].").judgement.citations_right == 0
    assert not said("Nine hours [2], or two hours.").judgement.correct


def test_saying_that_nothing_is_known_refuses_and_giving_the_value_beside_it_does_not() -> None:
    assert said("The sources do not mention who paid.", NONE).judgement.correct
    assert not said("The mayor paid [1].", NONE).judgement.correct
    assert said("", NONE).judgement.refused
    assert not said("[2]", NONE).judgement.refused
    assert said("The sources do not mention it.").judgement.refused
    assert said("They do not say why, but it lasted nine hours [2].").judgement.correct


def ours(case: Case, is_right: bool) -> Judged:
    answer = answer_of(case.question, "It lasted nine hours. [2]", [RAIN, STRIKE], 2.0, "ours")
    refusal = Answer(case.question, case.question, Status.UNANSWERED, timings=Timings(total_s=1.0))
    given = answer if case.answerable == is_right else refusal
    return Judged(Result(case, given), judge(case, given))


def test_each_system_has_a_row_with_its_difference_on_the_same_questions() -> None:
    judged = {
        OURS.name: [ours(CASE, True), ours(NONE, True)],
        "without-support": [ours(CASE, True), ours(NONE, False)],
        "haystack": [said("Two hours [1].", seconds=20.0)],
    }
    rows = [to_row(r) for r in rows_of(judged)]
    assert [r["system"] for r in rows] == ["citewire", "without-support", "haystack"]
    first, unchecked, other = rows
    assert first["difference"] is None
    assert (unchecked["difference"]["value"], unchecked["difference"]["n"]) == (-0.5, 2)
    assert (other["difference"]["value"], other["difference"]["n"]) == (-1.0, 1)
    assert cells(first)[1] == "1.00 (1.00 to 1.00; 1)"
    assert cells(unchecked)[6] == "–"  # what was recalled has no time
    assert cells(other)[6] == "20.0 (20.0 to 20.0; 1)"
    assert len(to_markdown(rows)) == 5
    page = to_html({"date": "today"}, rows, judged)
    assert "<svg" in page and page.count("<details>") == 2 and "Two hours" in page


def test_every_stage_is_left_out_by_one_system() -> None:
    assert {
        stage for s in SYSTEMS.values() if not s.script and s.passages is None for stage in s.without
    } == set(Stage)


def test_a_framework_is_asked_line_by_line_and_one_that_ends_is_named(tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text(
        "import json, sys\n"
        "given = json.loads(sys.stdin.readline())\n"
        "for line in sys.stdin:\n"
        "    if json.loads(line) == 'end': break\n"
        "    row = {'text': given['word'] + ' [1].', 'sources': ['It rained in Bergen.'], 'seconds': 0.5}\n"
        "    print(json.dumps(row), flush=True)\n"
    )
    with Framework(sys.executable, script, {"word": "Rain"}, [ARTICLE]) as framework:
        answer = framework.ask("What?")
        assert [(s.text, s.citations) for s in answer.shown] == [("Rain.", (1,))]
        assert answer.evidence[0].text == "It rained in Bergen."
        assert (answer.timings.total_s, framework.trace().passages) == (0.5, (RAIN,))
        with pytest.raises(EvalError, match=r"echo.py ended with status 0"):
            framework.ask("end")


def test_an_unknown_system_is_named() -> None:
    failed = CliRunner().invoke(main, ["--system", "other"])
    assert isinstance(failed.exception, EvalError)
    assert "unknown system 'other'" in str(failed.exception)
