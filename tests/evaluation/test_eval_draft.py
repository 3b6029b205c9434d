"""Questions drafted from articles, and what a person makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from eval.__main__ import main
from eval.cases import Case, EvalError, load_cases
from eval.draft import Candidate, candidates, fault, gold_for, propose
from eval.review import Drafts, answered, is_draft, of_reader
from rag.schema import Answer, Article, Field, Origin, Span, Status, Turn
from rag.ui.sessions import Case as Reported
from tests.fakes import ScriptedGenerator, ScriptedReader

SENTENCE = "The strike of the ferry crews in Bergen lasted nine hours, the union said."
OTHER = "Mayor Ana Ruiz told reporters on 3 May 2024 that she was glad about the end."
BODY = f"Ferries\n\n{SENTENCE} {OTHER} Was it over?"
ARTICLE = Article("a.txt", "1", "a.txt", BODY, title=Field("Ferry strike ends", Origin.STATED))
NINE = Candidate(ARTICLE, Span(BODY.index(SENTENCE), BODY.index(SENTENCE) + len(SENTENCE)), ("nine hours",))
GOOD = "How long did the strike of the ferry crews in Bergen last?"


def finding(answer: str, sure: float = 0.9) -> ScriptedReader:
    """Finds those words in every text that has them."""
    return ScriptedReader({answer: sure})


def test_numbers_dates_and_names_of_statements_can_be_asked_for_and_headings_cannot() -> None:
    found = candidates([ARTICLE])
    assert {c.forms for c in found} == {("nine hours",), ("3 May 2024",), ("Ana Ruiz",), ("Bergen",)}
    assert all(c.text in (SENTENCE, OTHER) for c in found)
    assert [c.id for c in found] == [c.id for c in candidates([ARTICLE])]


def test_a_question_is_kept_where_the_reader_finds_its_answer_again() -> None:
    assert fault(GOOD, NINE, finding("nine hours")) == ""
    assert fault(GOOD, NINE, finding("the union")) == "the reader does not find the answer again"
    assert fault(GOOD, NINE, finding(SENTENCE)) == "the reader does not find the answer again"
    assert fault(GOOD, NINE, finding("nine hours", 0.2)) == "the reader does not find the answer again"


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("Did the strike in Bergen last nine hours?", "it holds its answer"),
        ("How long did it last in Bergen?", "it cannot be understood alone"),
        ("How long was the strike in Bergen, according to the article?", "it cannot be understood alone"),
        ("How long did the strike of the ferry crews in Oslo last?", "it names what the article does not"),
        ("How long did everything take?", "it asks of too little"),
    ],
)
def test_a_question_that_is_not_fit_is_dropped_with_the_reason(question: str, why: str) -> None:
    assert fault(question, NINE, finding("nine hours")) == why


def test_proposals_are_cases_with_gold_one_a_sentence_and_known_ones_are_left_out() -> None:
    wanted = [c for c in candidates([ARTICLE]) if c.forms == ("nine hours",)]
    others = frozenset(c.id for c in candidates([ARTICLE])) - {wanted[0].id}
    (case,) = propose([ARTICLE], others, ScriptedGenerator(GOOD), finding("nine hours"))
    assert case is not None and is_draft(case)
    assert (case.question, case.answers, case.gold[0].quote) == (GOOD, (("nine hours",),), SENTENCE)
    none = list(propose([ARTICLE], frozenset(), ScriptedGenerator(*["What?"] * 9), finding("nine hours")))
    assert none == [None] * len(none) and len(none) == 4


def test_gold_is_the_sentence_that_gives_the_answer_and_speaks_of_the_question() -> None:
    twice = Article("b.txt", "1", "b.txt", "It rained for nine hours in Oslo. Trains ran.")
    gold = gold_for(["nine hours"], GOOD, [twice, ARTICLE])
    assert gold is not None and gold.quote == SENTENCE
    assert gold_for(["ten hours"], GOOD, [ARTICLE]) is None


def reported() -> Reported:
    answer = Answer("How long?", "How long did it last?", Status.UNANSWERED)
    return Reported(
        "c1", "2026", "it says nine hours", (Turn("Who struck?", "Who struck?", "Crews."),), answer
    )


def test_what_a_reader_found_wrong_becomes_a_draft_that_somebody_answers() -> None:
    case = of_reader(reported())
    assert is_draft(case) and not case.answerable and case.history == ("Who struck?",)
    assert "it says nine hours" in case.note and "a refusal" in case.note
    right = answered(case, ["nine hours"], [ARTICLE])
    assert right is not None and right.answerable and right.gold[0].quote == SENTENCE
    assert answered(case, ["ten hours"], [ARTICLE]) is None
    back = answered(right, [], [ARTICLE])
    assert back is not None and not back.answerable and not back.gold


def drafted() -> Case:
    (case,) = [
        c
        for c in propose([ARTICLE], frozenset(), ScriptedGenerator(*[GOOD] * 9), finding("nine hours"))
        if c is not None
    ]
    return case


def test_decisions_are_kept_at_once_and_what_was_dropped_is_not_proposed_again(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    drafts = Drafts(file, [ARTICLE])
    drafts.add(drafted())
    drafts.add(of_reader(reported()))
    assert [is_draft(c) for c in load_cases(file, {"a.txt": BODY})] == [True, True]
    drafts.accept(drafts.cases[0])
    drafts.drop(drafts.cases[1])
    again = Drafts(file, [ARTICLE])
    assert [is_draft(c) for c in again.cases] == [False]
    assert again.known == {again.cases[0].id, "reader-c1"}
    assert again.cases[0].note == "accepted: worded by scripted"


def test_the_review_on_the_command_line_edits_and_accepts(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "a.txt").write_text(BODY, "utf-8")
    file = tmp_path / "q.jsonl"
    drafts = Drafts(file, [ARTICLE])
    drafts.add(drafted())
    drafts.add(of_reader(reported()))
    arguments = ["--seeds", str(seeds), "review", "--to", str(file)]
    typed = [
        "q",
        "For how long did the crews in Bergen strike?",
        "a",
        "w",
        "ten hours",
        "w",
        "nine hours",
        "a",
    ]
    done = CliRunner().invoke(main, arguments, input="\n".join(typed) + "\n")
    assert done.exit_code == 0, done.output
    assert "no sentence of the articles says that" in done.output and "2 accepted, 0 wait" in done.output
    first, second = load_cases(file, {"a.txt": BODY})
    assert first.question == "For how long did the crews in Bergen strike?"
    assert second.answers == (("nine hours",),) and not is_draft(second)
    missing = CliRunner().invoke(main, ["review", "--to", str(tmp_path / "no.jsonl")])
    assert isinstance(missing.exception, EvalError) and "rag eval draft" in str(missing.exception)


def test_drafting_with_a_real_model_gives_questions_that_the_loader_takes(
    tmp_path: Path, minilm_dir: Path, reader_dir: Path, default_gguf: Path
) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "a.txt").write_text(BODY, "utf-8")
    file = tmp_path / "q.jsonl"
    arguments = ["--seeds", str(seeds), "draft", "--to", str(file), "--count", "1"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    (case,) = load_cases(file, {"a.txt": BODY})
    assert is_draft(case) and json.loads(file.read_text())["gold"][0]["article"] == "a.txt"
    none = CliRunner().invoke(main, ["--model", "none", *arguments])
    assert isinstance(none.exception, EvalError)
