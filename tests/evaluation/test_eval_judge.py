"""The judge on answers made by hand, and the literal reading of statements."""

from pathlib import Path

import pytest

from eval.cases import QUESTIONS, Case, Gold, load_cases
from eval.judge import judge
from eval.literals import unsupported
from eval.trace import Found
from rag.ingest.articles import find_files, read_article
from rag.schema import (
    Answer,
    Article,
    Disagreement,
    Evidence,
    Field,
    Origin,
    Reason,
    Span,
    State,
    Statement,
    Status,
    Value,
    Verdict,
)

A = Article("a.txt", "1", "a.txt", "The talks lasted about 50 minutes. They were held in Rome on Monday.")
B = Article("b.txt", "2", "b.txt", "The talks lasted nearly an hour. Anna Berg spoke for the U.S. side.")
CASE = Case(
    id="x",
    kinds=("disagree",),
    question="How long did the talks last?",
    answerable=True,
    answers=(("50 minutes", "50-minute"), ("nearly an hour",)),
    needs_all=True,
    wrong=("2 hours",),
    gold=(Gold("a.txt", "The talks lasted about 50 minutes."), Gold("b.txt", "lasted nearly an hour")),
)
NONE = Case("y", ("unanswerable",), "Who paid?", False)


def piece(number: int, article: Article, text: str) -> Evidence:
    start = article.body.index(text)
    return Evidence(number, article, start, start + len(text), text)


LONG_A = piece(1, A, "The talks lasted about 50 minutes.")
PLACE = piece(2, A, "They were held in Rome on Monday.")
LONG_B = piece(3, B, "The talks lasted nearly an hour.")
SPOKE = piece(4, B, "Anna Berg spoke for the U.S. side.")


def said(*statements: tuple[str, tuple[int, ...]], **more: object) -> Answer:
    made = tuple(Statement(i, t, c, State.SUPPORTED) for i, (t, c) in enumerate(statements, 1))
    answer = Answer(CASE.question, CASE.question, Status.ANSWERED, made, (LONG_A, PLACE, LONG_B, SPOKE))
    for name, value in more.items():
        object.__setattr__(answer, name, value)
    return answer


def test_all_values_with_right_citations_are_correct_and_complete() -> None:
    found = judge(CASE, said(("They took 50 minutes.", (1,)), ("It was nearly an hour.", (3,))))
    assert found.correct
    assert found.complete
    assert (found.citations_right, found.citations_total) == (2, 2)
    assert (found.statements_cited, found.statements_shown) == (2, 2)
    assert (found.covered, found.gold_total) == (2, 2)
    assert found.sentences.relevant == (True, False, True, False)
    assert (found.chunks, found.articles) == (None, None)


def test_passages_are_ranked_at_chunk_and_article_level() -> None:
    whole_b = Found(B, 0, len(B.body))
    found = judge(CASE, said(("50 minutes.", (1,))), [Found(A, 36, len(A.body)), whole_b, Found(A, 0, 34)])
    assert found.chunks is not None and found.articles is not None
    assert found.chunks.relevant == (False, True, True)
    assert found.chunks.ranks == (3, 2)
    assert [found.chunks.found(k) for k in (1, 2, 3, None)] == [0, 1, 2, 2]
    assert found.articles.relevant == (True, True)
    assert found.articles.ranks == (1, 2)


def test_half_of_the_values_is_not_enough_where_all_are_wanted() -> None:
    found = judge(CASE, said(("They took 50 minutes.", (1,))))
    assert not found.correct
    assert (found.values_given, found.values_wanted, found.covered, found.sentences.found()) == (1, 2, 1, 2)


def test_one_value_is_enough_where_any_is_accepted() -> None:
    any_case = Case("x", ("ambiguous",), CASE.question, True, answers=CASE.answers, gold=CASE.gold)
    assert judge(any_case, said(("They took 50 minutes.", (1,)))).correct


def test_a_disagreement_shown_beside_the_statement_counts() -> None:
    values = (Value("50 minutes", (1,), 1), Value("nearly an hour", (3,), 1))
    assert judge(
        CASE, said(("They took 50 minutes.", (1,)), disagreement=Disagreement("time", values))
    ).correct


def test_a_wrong_value_spoils_the_answer_and_a_part_of_it_does_not() -> None:
    found = judge(CASE, said(("50 minutes or nearly an hour, or 2 hours.", (1, 3))))
    assert found.wrong_asserted == ("2 hours",)
    assert not found.correct
    assert not found.wrong_undisputed
    assert judge(CASE, said(("It took 2 hours.", (1,)))).wrong_undisputed
    assert not judge(CASE, said(("It took 12 hours.", (1,)))).wrong_asserted


def test_a_wrong_name_beside_the_right_one_is_let_pass() -> None:
    case = Case("x", ("speaker",), "Who spoke?", True, answers=(("Berg",),), wrong=("Carlo",), gold=CASE.gold)
    assert judge(case, said(("Berg spoke after Carlo.", (4,)))).correct
    assert judge(case, said(("Carlo spoke.", (4,)))).wrong_asserted == ("Carlo",)


def test_a_citation_of_another_sentence_is_wrong() -> None:
    found = judge(CASE, said(("They took 50 minutes.", (2,)), ("It was nearly an hour.", (3, 4))))
    assert (found.citations_right, found.citations_total) == (1, 3)
    assert found.statements_cited == 1


def test_a_citation_that_is_not_there_counts_as_a_wrong_one() -> None:
    assert judge(CASE, said(("They took 50 minutes.", (9,)))).citations_total == 1


def test_a_refusal_is_right_for_the_unanswerable_alone() -> None:
    refusal = Answer("q", "q", Status.UNANSWERED, evidence=(LONG_A,))
    assert judge(NONE, refusal).correct
    assert judge(NONE, refusal).refused
    assert not judge(CASE, refusal).correct
    assert not judge(NONE, said(("Anna Berg paid.", (4,)))).correct


def test_a_failed_answer_is_neither_correct_nor_a_refusal() -> None:
    found = judge(NONE, Answer("q", "q", Status.FAILED, error="out of time"))
    assert (found.correct, found.refused, found.failed) == (False, False, True)


def test_a_withheld_statement_is_not_shown() -> None:
    held = Statement(
        1, "It took 50 minutes, nearly an hour.", (1,), State.WITHHELD, Verdict(False, Reason.NUMBER)
    )
    found = judge(CASE, Answer("q", "q", Status.UNANSWERED, (held,), (LONG_A,)))
    assert found.refused
    assert found.statements_shown == 0


@pytest.mark.parametrize(
    ("text", "correct"),
    [
        ("Yes, on Monday.", True),
        ("There were no talks.", False),
        ("No. They were in Oslo.", False),
        ("Rome.", True),
    ],
)
def test_yes_and_no_count_only_as_the_first_word(text: str, correct: bool) -> None:
    case = Case("x", ("yes-no",), "Rome?", True, answers=(("yes", "Rome"),), wrong=("no",), gold=CASE.gold)
    assert judge(case, said((text, (2,)))).correct is correct


@pytest.mark.slow
def test_the_gold_sentences_themselves_are_judged_a_right_answer(seeds_dir: Path) -> None:
    articles = {a.path: a for a in (read_article(f, seeds_dir) for f in find_files(seeds_dir))}
    for case in load_cases(QUESTIONS, {p: a.body for p, a in articles.items()}):
        if not case.answerable or "computed" in case.kinds:
            continue
        evidence = tuple(piece(i, articles[g.article], g.quote) for i, g in enumerate(case.gold, 1))
        statements = tuple(Statement(e.number, e.text, (e.number,), State.QUOTED) for e in evidence)
        found = judge(case, Answer(case.question, case.question, Status.ANSWERED, statements, evidence))
        assert found.correct, case.id
        assert found.citations_right == found.citations_total == len(case.gold), case.id
        assert found.covered == len(case.gold), case.id
        assert not found.unsupported, (case.id, found.unsupported)


def literals(text: str, cites: tuple[int, ...], **more: object) -> list[str]:
    answer = said((text, cites), **more)
    return [u.literal for u in unsupported(answer, answer.statements[0])]


def test_what_the_cited_sentence_states_is_supported() -> None:
    assert literals("The talks lasted about fifty minutes.", (1,)) == []
    assert literals("On Monday they were held in Rome.", (2,)) == []
    assert literals("Anna Berg spoke for the United States.", (4,)) == []


def test_a_number_a_date_and_a_name_of_nowhere_are_found() -> None:
    assert literals("The talks lasted 55 minutes.", (1,)) == ["55"]
    assert literals("They were held in Oslo on Tuesday.", (2,)) == ["Oslo", "Tuesday"]
    assert (
        literals("Carlo Berg spoke for the U.S. side.", (4,)) == []
    )  # "Carlo" begins it and no article has it
    assert literals("It was Carlo Berg who spoke.", (4,)) == ["Carlo"]


def test_the_sentence_must_be_cited_not_only_found() -> None:
    assert literals("The talks lasted 50 minutes.", (2,)) == ["50"]


def test_the_question_the_context_and_a_recorded_derivation_support_too() -> None:
    assert literals("The talks in Oslo lasted 50 minutes.", (1,), as_understood="talks in Oslo") == []
    answer = said(("They lasted 50 minutes in Rome.", (1,)))
    context = Evidence(1, A, LONG_A.start, LONG_A.end, LONG_A.text, (Span(PLACE.start, PLACE.end),))
    object.__setattr__(answer, "evidence", (context,))
    assert unsupported(answer, answer.statements[0]) == []
    derived = Statement(
        1,
        "It ended 10 minutes early: 50, not 60.",
        (1,),
        State.SUPPORTED,
        Verdict(True, derivation=("60 - 50 = 10",)),
    )
    assert unsupported(answer, derived) == []


def test_a_literal_of_the_source_line_is_told_apart() -> None:
    titled = Article("t.txt", "3", "t.txt", A.body, title=Field("Talks in Vienna", Origin.STATED))
    answer = said(("They met in Vienna.", (1,)), evidence=(piece(1, titled, LONG_A.text),))
    assert [(u.literal, u.in_source_line) for u in unsupported(answer, answer.statements[0])] == [
        ("Vienna", True)
    ]
