"""The pairs that teach the reader say what they claim to say."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from training import claims
from training.average import average
from training.claims import nearest, sentence_claims
from training.maker import Asked, Maker, read_rows
from training.questions import questions
from training.rewriting import tells_deed
from training.written import OF_SETS, items, items_of_sets, name_of, written

TREATY = "Envoys met in Larkholm for a week. In 1895, Omer Kaya signed the treaty with the river states. Nobody else was there."


def made(question: str, text: str, answer: str, kind: str, seeds: int = 60) -> list[dict[str, object]]:
    """The pairs of one kind that are made of one question, over many seeds."""
    found = []
    for seed in range(seeds):
        make = Maker(seed)
        questions(make, "set", [Asked(question, text, (answer,), (), "Larkholm")])
        if make.counts[f"set, {kind}"]:
            found += make.rows
    return found


def test_a_sentence_about_another_year_does_not_answer_under_the_date_of_the_right_one() -> None:
    rows = made("Who signed the treaty in 1895?", TREATY, "Omer Kaya", "another year under the right date")
    about_years = [r for r in rows if "(" in str(r["window"])[:30] and "20" in str(r["question"])]
    assert about_years
    for row in about_years:
        year = str(row["question"]).split("in ")[1][:4]
        head, _, text = str(row["window"]).partition("): ")
        assert bool(row["spans"]) is (year in text or (year in head and not re.search(r"20\d\d", text)))


def test_a_deed_that_is_only_planned_does_not_answer_who_did_it() -> None:
    rows = made(
        "Who signed the treaty with the river states?",
        "Omer Kaya signed the treaty with the river states.",
        "Omer Kaya",
        "deed not done",
    )
    undone = [r for r in rows if r["task"] == "answer" and " signed the" not in str(r["window"])]
    assert undone and not any(r["spans"] for r in undone)


@pytest.mark.parametrize(
    ("question", "told"), [("Who signed it?", True), ("Who may sign it?", True), ("Who was there?", False)]
)
def test_the_deed_of_a_question_is_that_of_the_sentence(question: str, told: bool) -> None:
    assert tells_deed("Omer Kaya signed the treaty.", question) is told


def test_a_claim_over_another_text_is_not_stated() -> None:
    texts = [
        TREATY,
        "The ferry left the harbour of Ostmark at noon. It carried the treaty with the river states.",
    ]
    rng = random.Random(1)
    assert nearest("Omer Kaya signed the treaty with the river states.", TREATY, texts, rng) in texts[1]


def test_what_somebody_believes_is_not_stated_and_what_is_confirmed_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claims, "HELD", 1.0)
    text = (
        "The old bridge over the river is closed to all lorries. The ferry of the town sails twice in a day."
    )
    labels: dict[str, set[str]] = {}
    for seed in range(400):
        make = Maker(seed)
        sentence_claims(make, "set", [text, TREATY], 2)
        if make.counts["set, held by somebody"]:
            for row in make.rows:
                for words in ("rumours", "confirmed", "not true"):
                    if words in row["window"] and not row["claim"].endswith((" Yes.", " No.")):
                        labels.setdefault(words, set()).add(row["label"])
    assert labels == {"rumours": {"not_stated"}, "confirmed": {"supported"}, "not true": {"refuted"}}


def test_the_passages_written_for_training_hold_their_answers() -> None:
    passages = items()
    assert len(passages) > 80
    for item in passages:
        assert all(answer in item.text for _, answer in item.qa)
        assert {label for _, label in item.claims} <= {"s", "r", "n"}
        assert {label for _, label in item.yn} <= {"y", "n", "u"}


def test_what_was_written_about_a_paragraph_of_a_set_finds_it_by_its_hash() -> None:
    paragraph = "The reform was adopted in 1932."
    rows = [row for file in OF_SETS.glob("*.jsonl") for row in read_rows(file)]
    assert rows and len({row["of"] for row in rows}) == len(rows)
    for row in rows:
        assert {label for _, label in row["claims"]} == {"s", "r", "n"}
        assert {label for _, label in row["yn"]} == {"y", "n", "u"}
    assert items_of_sets([paragraph]) == [] and len(name_of(paragraph)) == len(rows[0]["of"])


def test_a_question_that_a_passage_only_seems_to_answer_has_no_span() -> None:
    make = Maker(5)
    (item,) = items()[:1]
    written(make, [item, *items()[1:3]])
    asked = [r for r in make.rows if r["task"] == "answer" and r["question"] in item.no]
    assert len(asked) >= len(item.no) and not any(r["spans"] for r in asked)
    told = [r for r in make.rows if r["task"] == "answer" and r["spans"]]
    answers = {a for i in items()[:3] for _, a in i.qa}
    assert told and all(r["window"][s:e] in answers for r in told for s, e in r["spans"])


def test_a_stretch_of_an_article_reaches_back_from_the_sentence_that_answers() -> None:
    item = next(i for i in items() if i.article)
    assert "\n" not in item.text
    make = Maker(5)
    written(make, [item, *[i for i in items() if not i.article][:2]])
    rows = [r for r in make.rows if r["task"] == "answer"]
    told = [r for r in rows if r["question"] in {q for q, _ in item.qa} and r["spans"]]
    assert len(told) == 2 * len(item.qa)
    assert sum(len(r["window"]) > 400 for r in told) > len(told) / 2
    asked = [r for r in rows if r["question"] in item.no]
    assert len(asked) == 3 * len(item.no) and not any(r["spans"] for r in asked)


def test_what_one_passage_of_a_group_answers_another_does_not_unless_it_is_asked_the_same() -> None:
    group = next(i.group for i in items() if i.group)
    some = [i for i in items() if i.group == group]
    make = Maker(5)
    written(make, some)
    answered = {(q, i.text) for i in some for q, _ in i.qa}
    kind = [r for r in make.rows if r["task"] == "answer"]
    for item in some:
        for question, _ in item.qa:
            for other in some:
                over = [r for r in kind if r["question"] == question and r["window"].endswith(other.text)]
                assert over or (question, other.text) in answered
                assert (question, other.text) in answered or not any(r["spans"] for r in over)


def test_the_mean_of_adapters_is_weighted_and_of_one_network(tmp_path: Path) -> None:
    for name, weights in {"a": {"w": 1.0}, "b": {"w": 3.0}, "c": {"v": 3.0}}.items():
        tensors = {k: torch.full((2,), v, dtype=torch.float16) for k, v in weights.items()}
        save_file(tensors, tmp_path / name, metadata={"rank": "32"})
    average([(tmp_path / "a", 3), (tmp_path / "b", 1)], tmp_path / "mean")
    assert load_file(tmp_path / "mean")["w"].tolist() == [1.5, 1.5]
    with pytest.raises(ValueError, match="different weights"):
        average([(tmp_path / "a", 1), (tmp_path / "c", 1)], tmp_path / "none")
