"""Adapters of the outside sets, on small files of the same form."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.cases import EvalError, Suite
from eval.outside import SETS, load_outside

SQUAD = [
    {
        "id": "s1",
        "context": "It is 40 m long.",
        "question": "How long?",
        "answers": ["40 m", "40 m"],
        "is_impossible": False,
    },
    {
        "id": "s2",
        "context": "It is 40 m long.",
        "question": "How wide?",
        "answers": [],
        "is_impossible": True,
    },
]
RAM = [
    {
        "question": "How long is it?",
        "documents": [
            {"text": "It is 40 m long.", "type": "correct", "answer": "40 m"},
            {"text": "It is 90 m long.", "type": "misinfo", "answer": "90 m"},
            {"text": "The bridge measures forty.", "type": "correct", "answer": "40 m"},
        ],
        "gold_answers": ["40 m"],
        "wrong_answers": ["90 m", "90 m"],
        "disambig_entity": [],
    }
]
FACT = {
    "title": "A: “b”",
    "source": "The Paper",
    "published_at": "2023-10-22T18:00:00+00:00",
    "fact": "Berg spoke.",
}
HOP = [
    {
        "id": "0",
        "query": "Who?",
        "question_type": "inference_query",
        "answer": "Berg",
        "evidence_list": [FACT],
    },
    {
        "id": "1",
        "query": "Did she?",
        "question_type": "comparison_query",
        "answer": "Yes",
        "evidence_list": [FACT, {**FACT, "fact": "She did."}],
    },
    {
        "id": "2",
        "query": "And?",
        "question_type": "null_query",
        "answer": "Insufficient information.",
        "evidence_list": [],
    },
]


def load(tmp_path: Path, name: str, rows: Sequence[object]) -> Suite:
    (tmp_path / SETS[name][0]).write_text("".join(json.dumps(r) + "\n" for r in rows))
    return load_outside(name, tmp_path)


def test_squad_asks_each_question_over_its_own_paragraph(tmp_path: Path) -> None:
    suite = load(tmp_path, "squad2", SQUAD)
    assert [(c.id, c.answerable, c.answers) for c in suite.cases] == [
        ("s1", True, (("40 m",),)),
        ("s2", False, ()),
    ]
    assert len(suite.corpora) == 1
    assert suite.corpora[suite.cases[0].corpus] == {"paragraph.txt": "It is 40 m long."}


def test_ramdocs_wants_every_gold_answer_and_no_wrong_one(tmp_path: Path) -> None:
    case = load(tmp_path, "ramdocs", RAM).cases[0]
    assert (case.answers, case.needs_all, case.wrong) == ((("40 m",),), True, ("90 m",))
    assert [g.quote for g in case.gold] == ["40 m", "The bridge measures forty."]


def test_multihop_pools_the_facts_of_all_rows_by_article(tmp_path: Path) -> None:
    suite = load(tmp_path, "multihop", HOP)
    (text,) = suite.corpora["pool"].values()
    assert (
        text == "---\ntitle: A: “b”\npublisher: The Paper\ndate: 2023-10-22\n---\n\nBerg spoke.\n\nShe did.\n"
    )
    assert [c.answerable for c in suite.cases] == [True, True, False]
    assert suite.cases[1].answers == (("yes",),)


def test_poisonedrag_puts_a_plain_right_sentence_beside_the_poisoned_passages(tmp_path: Path) -> None:
    row = {
        "id": "test1",
        "question": "how many episodes are in chicago fire season 4",
        "correct answer": "23",
        "incorrect answer": "24",
        "adv_texts": ["It has 24 episodes."],
    }
    suite = load(tmp_path, "poisonedrag", [row])
    case = suite.cases[0]
    (gold,) = case.gold
    assert suite.corpora[case.corpus] == {"right.txt": gold.quote, "passage-1.txt": "It has 24 episodes."}
    assert (case.answers, case.wrong) == ((("23",),), ("24",)) and "23 episodes" in gold.quote
    with pytest.raises(EvalError, match="no line has the id 'other'"):
        load(tmp_path, "poisonedrag", [{**row, "id": "other"}])


def test_a_missing_set_and_a_strange_row_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match=r"squad2_dev\.jsonl: not found"):
        load_outside("squad2", tmp_path)
    with pytest.raises(EvalError, match=r"line 1: 'context' is not a text"):
        load(tmp_path, "squad2", [{"id": "s1"}])
    with pytest.raises(EvalError, match="'s1' is there twice"):
        load(tmp_path, "squad2", [SQUAD[0], SQUAD[0]])
    with pytest.raises(EvalError, match="unknown set"):
        load_outside("other", tmp_path)
