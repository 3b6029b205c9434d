"""The set of questions, its loader and its split."""

import json
from collections import Counter
from pathlib import Path

import pytest

from eval.cases import KINDS, QUESTIONS, EvalError, load_cases
from eval.split import OWN_SET, Half, half
from rag.ingest.articles import find_files, read_article

BODIES = {
    "a.txt": "The bridge closed on Monday. It is 40 metres long.",
    "b.txt": "The bridge is 45 metres long.",
}
GOOD = {
    "id": "q1",
    "kind": ["single"],
    "question": "How long is the bridge?",
    "history": [],
    "answerable": True,
    "answers": [["40 metres"]],
    "all": False,
    "wrong": ["50 metres"],
    "gold": [{"article": "a.txt", "quote": "It is 40 metres long."}],
    "note": "",
}
REFUSE = {**GOOD, "id": "q2", "answerable": False, "answers": [], "gold": [], "wrong": []}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return path


def test_the_questions_are_in_order_over_the_real_articles(seeds_dir: Path) -> None:
    bodies = {a.path: a.body for a in (read_article(f, seeds_dir) for f in find_files(seeds_dir))}
    cases = load_cases(QUESTIONS, bodies)
    assert len(cases) >= 150
    share = sum(c.answerable for c in cases) / len(cases)
    assert 0.5 <= share <= 0.66
    counts = Counter(k for c in cases for k in c.kinds)
    assert set(counts) == KINDS
    assert all(c.history for c in cases if "follow-up" in c.kinds)
    assert {g.article for c in cases for g in c.gold} == set(bodies)


def test_each_half_of_the_questions_holds_at_least_two_fifths_of_both_sorts(seeds_dir: Path) -> None:
    bodies = {a.path: a.body for a in (read_article(f, seeds_dir) for f in find_files(seeds_dir))}
    cases = load_cases(QUESTIONS, bodies)
    for sort in (True, False):
        of_sort = [c for c in cases if c.answerable is sort]
        tune = sum(half(OWN_SET, c.id) is Half.TUNE for c in of_sort)
        assert 0.4 <= tune / len(of_sort) <= 0.6


def test_the_split_rule_is_frozen() -> None:
    assert [half("seeds", i) for i in ("dis-01", "dis-02", "one-01", "una-01", "off-01")] == FROZEN
    assert any(half("seeds", f"x{i}") is not half("squad2_dev", f"x{i}") for i in range(20))


# From sha256 of "seeds:dis-01" and so on: even is tune.
FROZEN = [Half.REPORT, Half.TUNE, Half.REPORT, Half.TUNE, Half.REPORT]


def test_a_good_file_is_read_in_its_order(tmp_path: Path) -> None:
    cases = load_cases(write(tmp_path / "q.jsonl", GOOD, "", REFUSE), BODIES)
    assert [c.id for c in cases] == ["q1", "q2"]
    assert cases[0].answers == (("40 metres",),)
    assert not cases[1].answerable


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{not json", "not JSON"),
        ("[]", "not a JSON object"),
        ({**GOOD, "id": "q2", "extra": 1}, "unknown key 'extra'"),
        ({k: v for k, v in GOOD.items() if k != "wrong"}, "'wrong' is missing"),
        ({**GOOD, "id": "q2", "kind": ["sinlge"]}, "unknown kind 'sinlge'"),
        ({**GOOD, "id": "q2", "answerable": "yes"}, "'answerable' must be a bool"),
        ({**GOOD, "id": "q2", "question": " "}, "must not be empty"),
        (GOOD, "the id 'q1' is already used on line 1"),
        (
            {**GOOD, "id": "q2", "gold": [{"article": "c.txt", "quote": "x"}]},
            "'c.txt' is not among the articles",
        ),
        (
            {**GOOD, "id": "q2", "gold": [{"article": "a.txt", "quote": "It is 41 metres"}]},
            "gold quote is not in a.txt",
        ),
        ({**GOOD, "id": "q2", "gold": []}, "needs 'answers' and 'gold'"),
        ({**GOOD, "id": "q2", "answers": [["12 metres"]]}, "no gold quote contains any form"),
        ({**GOOD, "id": "q2", "wrong": ["40 metres long"]}, "stands in a gold quote"),
        ({**GOOD, "id": "q2", "answerable": False}, "an unanswerable question has no"),
    ],
)
def test_a_bad_line_is_named_with_file_line_and_reason(tmp_path: Path, row: object, reason: str) -> None:
    path = write(tmp_path / "q.jsonl", GOOD, row)
    with pytest.raises(EvalError) as caught:
        load_cases(path, BODIES)
    assert str(path) in str(caught.value)
    assert "line 2" in str(caught.value)
    assert reason in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="nothing.jsonl: not found"):
        load_cases(tmp_path / "nothing.jsonl", BODIES)
