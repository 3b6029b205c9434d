"""The HTML report: it stands alone, escapes what is hostile, marks gold, and works in a browser."""

import re
from pathlib import Path

import pytest

from eval.baseline import accept, compare, read_accepted
from eval.cases import Case, Gold
from eval.judge import judge
from eval.page import Piece, pieces, to_html
from eval.report import Judged
from eval.runner import Result
from rag.schema import Answer, Article, Evidence, Reason, State, Statement, Status, Timings, Verdict
from tests.browser import CHROMIUM, chromium, tab

TEXT = "Police said <script>alert(1)</script> the bridge is 40 metres long and new."
ARTICLE = Article("bridge.txt", "1", "bridge.txt", TEXT)
EVIDENCE = Evidence(1, ARTICLE, 0, len(TEXT), TEXT, score=0.5)
CASE = Case(
    "long",
    ("single",),
    "How long is <b>the bridge</b>?",
    True,
    answers=(("40 metres",),),
    gold=(Gold("bridge.txt", "the bridge is 40 metres long"),),
)
OTHER = Case("wide", ("unanswerable",), "How wide is it?", False)


def items() -> list[Judged]:
    made = Statement(1, "It is <img src=x onerror=alert(2)> 40 metres long.", (1,), State.SUPPORTED)
    bad = Statement(
        2, "It is 9 metres.", (1,), State.WITHHELD, Verdict(False, Reason.NUMBER, "9 is not there")
    )
    answer = Answer(
        CASE.question,
        CASE.question,
        Status.ANSWERED,
        (made, bad),
        (EVIDENCE,),
        timings=Timings(0.1, 0.2, 0.3, 0.4),
        confidence=1.5,
    )
    wrong = Answer(OTHER.question, OTHER.question, Status.ANSWERED, (made,), (EVIDENCE,))
    return [
        Judged(Result(case, given), judge(case, given)) for case, given in ((CASE, answer), (OTHER, wrong))
    ]


def test_gold_is_cut_out_of_a_sentence() -> None:
    assert pieces(CASE, EVIDENCE) == [
        Piece("Police said <script>alert(1)</script> ", False),
        Piece("the bridge is 40 metres long", True),
        Piece(" and new.", False),
    ]


def test_the_page_asks_for_nothing_and_escapes_what_it_shows(tmp_path: Path) -> None:
    page = to_html("Evaluation", ["<i>about</i>"], items(), None)
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "<b>the bridge" not in page
    assert "<i>about" not in page
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', page)
    assert "default-src 'none'" in page
    assert page.count("<svg") == 4
    assert "number: 9 is not there" in page
    assert "<mark>the bridge is 40 metres long</mark>" in page


def test_the_worst_stands_first_and_the_difference_is_told(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    accept(file, "run", [], items())
    page = to_html("Evaluation", [], items(), compare(read_accepted(file, "run"), items()))
    assert page.index("wide · unanswerable") < page.index("long · single")
    assert "2 questions stand in both: 0 became correct" in page


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium")
def test_the_page_filters_questions_in_a_browser_without_a_request(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(to_html("Evaluation", [], items(), None))
    with chromium() as browser, tab(browser, file.as_uri()) as opened:
        questions = opened.page.locator("#questions details:visible")
        assert questions.count() == 2
        opened.page.fill("#filter", "unanswerable")
        assert questions.count() == 1
        opened.page.fill("#filter", "")
        opened.page.locator("#questions summary").nth(1).click()
        assert opened.page.locator("mark:visible").count() == 1
        assert opened.requests == [file.as_uri()]
        assert opened.errors == []
