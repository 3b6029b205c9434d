"""The accepted run: what got better and worse, and when the gate closes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from eval import baseline
from eval.__main__ import main
from eval.baseline import accept, compare, read_accepted
from eval.cases import Case, EvalError, Gold
from eval.judge import judge
from eval.report import DEFINITIONS, Judged, measures, measures_of, pairs_of
from eval.runner import Result
from rag.schema import Answer, Article, Evidence, State, Statement, Status, Timings

TEXT = "The bridge is 40 metres long."
ARTICLE = Article("bridge.txt", "1", "bridge.txt", TEXT)
EVIDENCE = Evidence(1, ARTICLE, 0, len(TEXT), TEXT, score=0.5)


def item(number: int, is_right: bool, seconds: float = 1.0) -> Judged:
    case = Case(
        f"q{number}",
        ("single",),
        f"How long is bridge {number}?",
        True,
        answers=(("40 metres",),),
        gold=(Gold("bridge.txt", TEXT),),
    )
    text = TEXT if is_right else "The bridge is 41 metres long."
    answer = Answer(
        case.question,
        case.question,
        Status.ANSWERED,
        (Statement(1, text, (1,), State.SUPPORTED),),
        (EVIDENCE,),
        timings=Timings(0.1, 0.2, 0.3, seconds),
    )
    return Judged(Result(case, answer), judge(case, answer))


def test_a_measure_is_the_same_from_questions_and_from_what_each_added() -> None:
    items = [item(n, n % 3 > 0) for n in range(12)]
    again = measures_of([json.loads(json.dumps(pairs_of(i))) for i in items])
    assert again == measures(items)
    table = {m.name: m.rate for m in again}
    assert table["accuracy"].value == pytest.approx(8 / 12)
    assert table["number and date exactness"].n == 12
    assert len({d.name for d in DEFINITIONS}) == len(DEFINITIONS)


def test_the_accepted_run_is_read_back_and_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    accept(file, "seeds/one", ["today"], [item(1, True)])
    accept(file, "seeds/two", ["today"], [item(2, False)])
    assert list(read_accepted(file, "seeds/one")) == ["q1"]
    assert not read_accepted(file, "seeds/two")["q2"].correct
    assert read_accepted(file, "seeds/three") == {}


def test_a_fall_beyond_the_interval_is_told_and_a_smaller_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    accept(file, "run", [], [item(n, n < 16) for n in range(20)])
    accepted = read_accepted(file, "run")
    assert compare(accepted, [item(n, n < 16) for n in range(20)]).fallen == []
    slightly = compare(accepted, [item(n, n < 15) for n in range(20)])
    assert slightly.fallen == []
    assert [c.id for c in slightly.worse] == ["q15"]
    assert "41 metres" in slightly.worse[0].now
    far = compare(accepted, [item(n, n < 6) for n in range(20)])
    assert "accuracy" in [m.definition.name for m in far.fallen]
    better = compare(accepted, [item(n, True) for n in range(20)])
    assert (better.fallen, len(better.better)) == ([], 4)


def test_where_all_were_right_one_of_many_that_is_wrong_is_no_fall(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    accept(file, "run", [], [item(n, True) for n in range(10)])
    accepted = read_accepted(file, "run")
    assert compare(accepted, [item(n, n > 0) for n in range(10)]).fallen == []
    assert "accuracy" in [
        m.definition.name for m in compare(accepted, [item(n, n > 3) for n in range(10)]).fallen
    ]


def test_slower_answers_never_close_the_gate(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    accept(file, "run", [], [item(n, True) for n in range(5)])
    assert compare(read_accepted(file, "run"), [item(n, True, 99.0) for n in range(5)]).fallen == []


def test_only_questions_of_both_runs_in_the_same_words_are_compared(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    accept(file, "run", [], [item(n, True) for n in range(3)])
    accepted = read_accepted(file, "run")
    assert compare(accepted, [item(2, False), item(7, False)]).questions == 1


@pytest.mark.parametrize(
    "text", ["{", '{"schema": "other"}', '{"schema": "citewire.eval-baseline/1", "runs": 3}']
)
def test_a_damaged_accepted_run_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text)
    with pytest.raises(EvalError, match="--accept"):
        read_accepted(file, "run")


def test_the_gate_of_the_command_exits_with_1_when_a_figure_fell(
    tmp_path: Path, minilm_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(answer: str) -> str:
        row = {
            "context": TEXT,
            "question": "How long is the bridge?",
            "answers": [answer],
            "is_impossible": False,
        }
        return "".join(json.dumps({"id": f"s{n}", **row}) + "\n" for n in range(4))

    data = tmp_path / "squad2_dev.jsonl"
    data.write_text(rows("40 metres"))
    file = tmp_path / "baseline.json"
    monkeypatch.setattr(baseline, "BASELINE", file)
    options = ["--set", "squad2", "--data", str(tmp_path), "--half", "all", "--model", "none"]
    options += ["--out", str(tmp_path / "out")]
    missing = CliRunner().invoke(main, [*options, "--gate"])
    assert isinstance(missing.exception, EvalError)
    assert "no accepted run of squad2_dev/none" in str(missing.exception)
    done = CliRunner().invoke(main, [*options, "--accept"])
    assert done.exit_code == 0, done.output
    assert CliRunner().invoke(main, [*options, "--gate"]).exit_code == 0
    data.write_text(rows("29 metres"))  # another gold: now it is wrong
    fallen = CliRunner().invoke(main, [*options, "--gate"])
    assert fallen.exit_code == 1, fallen.output
    assert "fallen: accuracy was 1.000" in fallen.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert "4 ceased to be" in " ".join(page.split())


def test_a_part_of_a_set_is_not_accepted() -> None:
    done = CliRunner().invoke(main, ["--accept", "--limit", "3"])
    assert isinstance(done.exception, EvalError)
