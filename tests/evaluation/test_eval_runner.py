"""The runner, its records and the report, with an assistant made by hand; and the command on a real small corpus."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from eval.__main__ import main
from eval.cases import Case, EvalError, Gold, Suite
from eval.judge import judge
from eval.records import Run, read_records
from eval.report import Judged, measures, to_json, to_markdown, worst_first
from eval.runner import RECORDS, Outcome, documents, run, select
from eval.split import Half, half
from eval.trace import Call, Found, Trace
from rag.errors import GenerationError, StoppedError
from rag.schema import Answer, Article, Evidence, State, Statement, Status, Timings, Turn, Verdict

TEXT = "The bridge is 40 metres long. Anna Berg built it."
DOCUMENTS = {"bridge.txt": TEXT}
GOLD = (Gold("bridge.txt", "The bridge is 40 metres long."),)
LONG = Case("long", ("single",), "How long is it?", True, answers=(("40 metres",),), gold=GOLD, corpus="c")
WIDE = Case("wide", ("unanswerable",), "How wide is it?", False, corpus="c")
THEN = Case(
    "then",
    ("follow-up",),
    "How long?",
    True,
    ("A bridge?", "Who built it?"),
    (("40 metres",),),
    gold=GOLD,
    corpus="c",
)
SUITE = Suite("bridges", (LONG, WIDE, THEN), {"c": DOCUMENTS}, "as it comes")
MADE_BY = Run((("model", "none"),), (("rag", "1"),), "code", "machine")


def answer_of(question: str, article: Article) -> Answer:
    if "wide" in question:
        return Answer(question, question, Status.UNANSWERED, missing="the width")
    text = "The bridge is 40 metres long."
    evidence = Evidence(1, article, 0, len(text), text, score=0.5)
    statement = Statement(
        1, "It is 40 metres long.", (1,), State.SUPPORTED, Verdict(True, derivation=("it: the bridge",))
    )
    return Answer(
        question, question, Status.ANSWERED, (statement,), (evidence,), timings=Timings(0.1, 0.2, 0.3, 0.4)
    )


class Scripted:
    """Answers by `answer_of`, and remembers what it was asked."""

    def __init__(self, before: Callable[[str], None] = lambda question: None) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.opened: list[str] = []
        self._before = before

    def open(self, corpus: str) -> "Scripted":
        self.opened.append(corpus)
        return self

    def articles(self) -> list[Article]:
        return documents(DOCUMENTS)

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        self._before(question)
        self.asked.append((question, tuple(t.question for t in history)))
        return answer_of(question, self.articles()[0])

    def trace(self) -> Trace:
        (article,) = self.articles()
        return Trace((Found(article, 0, len(TEXT)),), (Call("k", "It is 40. [1]", True, 300, 9),), 7)


def go(asker: Scripted, folder: Path, suite: Suite = SUITE, made_by: Run = MADE_BY) -> Outcome:
    return run(suite, suite.cases, asker.open, made_by, folder, lambda done, total, case: None)


def test_every_question_gets_a_record_and_follow_ups_get_their_history(tmp_path: Path) -> None:
    asker = Scripted()
    outcome = go(asker, tmp_path)
    assert [r.case.id for r in outcome.results] == ["long", "wide", "then"]
    assert asker.asked[-1] == ("How long?", ("A bridge?", "Who built it?"))
    assert asker.opened == ["c"]
    records = [json.loads(line) for line in (tmp_path / RECORDS).read_text().splitlines()]
    assert [r["id"] for r in records] == ["long", "wide", "then"]
    assert records[0]["answer"]["statements"][0]["text"] == "It is 40 metres long."
    assert records[0]["run"]["settings"] == {"model": "none"}


def test_a_second_run_asks_nothing_and_reads_the_same_answers(tmp_path: Path) -> None:
    first = go(Scripted(), tmp_path)
    again = Scripted()
    second = go(again, tmp_path)
    assert (second.asked, again.opened) == (0, [])
    for a, b in zip(first.results, second.results, strict=True):
        assert judge(a.case, a.answer) == judge(b.case, b.answer)
        assert a.answer.timings == b.answer.timings
        assert a.trace == b.trace


def test_a_second_run_over_documents_that_only_reading_makes_articles_of_asks_nothing(tmp_path: Path) -> None:
    class Reading(Scripted):
        """Its articles are those of files with front matter, which are not the files' text."""

        def articles(self) -> list[Article]:
            return [replace(a, version="of what was read") for a in super().articles()]

    suite = Suite("bridges", SUITE.cases, {"c": {"bridge.md": f"---\ntitle: A bridge\n---\n{TEXT}"}}, "")
    first, second = go(Reading(), tmp_path, suite), go(Reading(), tmp_path, suite)
    assert (first.asked, second.asked) == (3, 0)
    assert [r.answer.statements for r in first.results] == [r.answer.statements for r in second.results]


def test_only_what_changed_is_asked_again(tmp_path: Path) -> None:
    go(Scripted(), tmp_path)
    changed = Case(
        "long", ("single",), "How long is the bridge?", True, answers=LONG.answers, gold=GOLD, corpus="c"
    )
    asker = Scripted()
    go(asker, tmp_path, Suite("bridges", (changed, WIDE, THEN), {"c": DOCUMENTS}, ""))
    assert [q for q, _ in asker.asked] == ["How long is the bridge?"]
    other = Scripted()
    assert go(other, tmp_path, made_by=Run((("model", "small"),), (), "code", "machine")).asked == 3


def test_another_gold_judges_the_old_answer_anew(tmp_path: Path) -> None:
    go(Scripted(), tmp_path)
    stricter = Case(
        "long", ("single",), LONG.question, True, answers=(("41 metres",),), gold=GOLD, corpus="c"
    )
    outcome = go(Scripted(), tmp_path, Suite("bridges", (stricter,), {"c": DOCUMENTS}, ""))
    assert outcome.asked == 0
    assert not judge(stricter, outcome.results[0].answer).correct


@pytest.mark.parametrize("stop", [KeyboardInterrupt, StoppedError("stopped")])
def test_an_interruption_keeps_what_is_done_and_the_next_run_goes_on(
    tmp_path: Path, stop: BaseException
) -> None:
    def before(question: str) -> None:
        if "wide" in question:
            raise stop

    outcome = go(Scripted(before), tmp_path)
    assert (len(outcome.results), outcome.left) == (1, 2)
    asker = Scripted()
    assert go(asker, tmp_path).left == 0
    assert [q for q, _ in asker.asked if "long" in q and "is" in q] == []


def test_a_question_that_fails_counts_as_wrong_and_stays_in(tmp_path: Path) -> None:
    def before(question: str) -> None:
        if question == LONG.question:
            raise GenerationError("the model died")

    outcome = go(Scripted(before), tmp_path)
    assert outcome.results[0].answer.error == "the model died"
    table = {m.name: m.rate for m in measures([Judged(r, judge(r.case, r.answer)) for r in outcome.results])}
    assert (table["accuracy"].value, table["accuracy"].n) == (0.5, 2)
    assert table["failed"].value == pytest.approx(1 / 3)


def test_with_only_changed_a_new_program_asks_only_new_questions(tmp_path: Path) -> None:
    go(Scripted(), tmp_path)
    newer = Run((("model", "none"),), (("rag", "2"),), "other code", "machine")
    changed = Case(
        "long", ("single",), "How long is the bridge?", True, answers=LONG.answers, gold=GOLD, corpus="c"
    )
    suite = Suite("bridges", (changed, WIDE, THEN), {"c": DOCUMENTS}, "")
    asker = Scripted()
    outcome = run(
        suite, suite.cases, asker.open, newer, tmp_path, lambda done, total, case: None, only_changed=True
    )
    assert [q for q, _ in asker.asked] == ["How long is the bridge?"]
    assert (outcome.asked, outcome.older) == (1, 2)
    assert (
        go(Scripted(), tmp_path, suite, newer).asked == 2
    )  # without it, what the older program said is asked anew


def test_a_model_that_is_dead_ends_the_run_and_the_next_asks_what_failed(tmp_path: Path) -> None:
    def dead(question: str) -> None:
        raise GenerationError("the model process died")

    cases = tuple(Case(f"q{n}", ("single",), f"How long, {n}?", False, corpus="c") for n in range(9))
    suite = Suite("many", cases, {"c": DOCUMENTS}, "")
    with pytest.raises(
        EvalError, match=r"question q4: the model process died \(5 questions in a row failed\)"
    ):
        go(Scripted(dead), tmp_path, suite)
    asker = Scripted()
    assert go(asker, tmp_path, suite).asked == 9
    assert go(Scripted(dead), tmp_path, suite).asked == 0


def test_a_line_cut_by_an_interruption_is_dropped_and_any_other_damage_is_named(tmp_path: Path) -> None:
    go(Scripted(), tmp_path)
    file = tmp_path / RECORDS
    whole = file.read_text()
    file.write_text(whole[:-40])
    assert len(read_records(file)) == 2
    assert go(Scripted(), tmp_path).asked == 1
    file.write_text('{"schema": "other"}\n' + whole)
    with pytest.raises(EvalError, match="line 1: not a record"):
        read_records(file)


def test_the_report_holds_each_measure_and_shows_what_went_wrong_first(tmp_path: Path) -> None:
    spoiled = Case("wide", ("single",), WIDE.question, True, answers=(("9 metres",),), gold=GOLD, corpus="c")
    suite = Suite("bridges", (LONG, spoiled, THEN), {"c": DOCUMENTS}, "")
    items = [Judged.of(r) for r in go(Scripted(), tmp_path, suite).results]
    table = {m.name: m for m in measures(items)}
    assert table["accuracy"].rate.value == pytest.approx(2 / 3)
    assert table["coverage"].rate.value == pytest.approx(2 / 3)
    assert table["citation precision"].rate.value == 1
    assert table["R@5, chunks"].rate.value == table["RR, articles"].rate.value == 1
    assert (table["tokens of the prompt"].rate.value, table["tokens written"].rate.value) == (300, 9)
    assert table["peak memory"].rate.value == 7e-9
    assert table["false refusals"].rate.value == pytest.approx(1 / 3)
    assert table["follow-up accuracy"].rate.value == 1
    assert table["time to end, p50"].rate.value == pytest.approx(0.4)
    assert [i.result.case.id for i in worst_first(items)] == ["wide"]
    assert "| wide |" in to_markdown("t", ["a"], items)
    assert json.loads(to_json("t", ["a"], items))["questions"][0]["judgement"]["correct"] is True


def test_markup_of_articles_is_escaped_in_the_report(tmp_path: Path) -> None:
    case = Case("x", ("single",), "<b>a|b</b>\n# c", True, answers=(("1",),), gold=GOLD, corpus="c")
    items = [
        Judged(r, judge(r.case, r.answer))
        for r in go(Scripted(), tmp_path, Suite("s", (case,), {"c": DOCUMENTS}, "")).results
    ]
    assert "&lt;b\\>a\\|b&lt;/b\\> # c" in to_markdown("t", [], items)


def test_selection_takes_a_half_a_kind_and_an_even_sample_in_the_order_of_the_set() -> None:
    cases = tuple(Case(f"q{i}", ("single" if i % 3 else "list",), "?", False) for i in range(60))
    suite = Suite("many", cases, {}, "")
    tune = select(suite, Half.TUNE)
    assert all(half("many", c.id) is Half.TUNE for c in tune)
    assert len(select(suite, None)) == 60
    few = select(suite, None, limit=10)
    assert [c.id for c in few] == [c.id for c in cases if c in few]
    assert len(few) == 10
    assert few != list(cases[:10])
    assert {k for c in select(suite, None, kind="list") for k in c.kinds} == {"list"}
    assert [c.id for c in select(suite, None, ids=["q4"])] == ["q4"]
    with pytest.raises(EvalError, match="no question 'q99'"):
        select(suite, None, ids=["q99"])
    with pytest.raises(EvalError, match="no question is left"):
        select(suite, None, kind="quote")


def test_the_check_finds_a_bad_question_before_anything_is_asked(tmp_path: Path, seeds_dir: Path) -> None:
    done = CliRunner().invoke(main, ["--check", "--half", "all", "--seeds", str(seeds_dir)])
    assert done.exit_code == 0, done.output
    assert "questions are in order" in done.output
    (tmp_path / "a.txt").write_text(TEXT)
    failed = CliRunner().invoke(main, ["--check", "--seeds", str(tmp_path)])
    assert isinstance(failed.exception, EvalError)
    assert "line 1" in str(failed.exception)


def test_an_outside_set_without_its_folder_is_an_error_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eval", "--set", "squad2"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "rag eval: --set squad2 needs --data FOLDER\n"


def test_the_command_asks_records_and_reports_over_a_real_corpus(tmp_path: Path, minilm_dir: Path) -> None:
    row = {
        "id": "s1",
        "context": TEXT,
        "question": "How long is the bridge?",
        "answers": ["40 metres"],
        "is_impossible": False,
    }
    (tmp_path / "squad2_dev.jsonl").write_text(json.dumps(row) + "\n")
    out = tmp_path / "out"
    arguments = [
        "--set",
        "squad2",
        "--data",
        str(tmp_path),
        "--half",
        "all",
        "--model",
        "none",
        "--out",
        str(out),
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "squad2_dev" in done.output
    report = json.loads((out / "report.json").read_text())
    assert report["questions"][0]["id"] == "s1"
    assert len((out / RECORDS).read_text().splitlines()) == 1
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 0, again.output
    assert len((out / RECORDS).read_text().splitlines()) == 1


def test_several_threads_ask_every_question_once_and_tell_no_times(tmp_path: Path) -> None:
    cases = tuple(Case(f"q{n}", ("single",), f"How long, {n}?", False, corpus="c") for n in range(9))
    suite = Suite("many", cases, {"c": DOCUMENTS}, "")
    asker = Scripted()
    outcome = run(suite, cases, asker.open, MADE_BY, tmp_path, lambda done, total, case: None, jobs=3)
    assert [r.case.id for r in outcome.results] == [c.id for c in cases]
    assert sorted(q for q, _ in asker.asked) == sorted(c.question for c in cases)
    assert all(r.answer.timings == Timings() for r in outcome.results)
    assert go(Scripted(), tmp_path, suite).asked == 0


def test_an_interruption_of_several_threads_keeps_what_is_done(tmp_path: Path) -> None:
    def before(question: str) -> None:
        if "5" in question:
            raise StoppedError("stopped")

    cases = tuple(Case(f"q{n}", ("single",), f"How long, {n}?", False, corpus="c") for n in range(9))
    suite = Suite("many", cases, {"c": DOCUMENTS}, "")
    outcome = run(
        suite, cases, Scripted(before).open, MADE_BY, tmp_path, lambda done, total, case: None, jobs=2
    )
    assert outcome.left >= 1
    assert go(Scripted(), tmp_path, suite).asked == outcome.left
