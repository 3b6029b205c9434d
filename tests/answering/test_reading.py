"""Reading: of what was retrieved, the sentences that answer, best first, each with its words and what it lacks."""

from __future__ import annotations

from rag.answering.reading import READ, read
from rag.schema import PartialDate
from tests.fakes import ScriptedReader
from tests.made import article, passage

FLOOD = article(
    "The river rose on Monday. Two bridges fell in the night. The evacuation  lasted three hours. "
    "About 900 people slept in schools.",
    "Floods hit Valencia",
    PartialDate(2024, 5, 3),
    name="flood",
)
TALKS = article(
    "Ministers met in Ankara. The talks lasted 50 minutes, a diplomat said.", "Talks", name="talks"
)
EARLIER = article("In July 2022 the talks lasted 50 minutes, a diplomat said.", "Talks", name="earlier")
LONG = "How long did it last?"
SURE = ScriptedReader({"three hours": 0.8, "50 minutes": 0.9})


def test_the_surest_sentence_comes_first_with_its_words_its_place_and_the_sentences_ahead() -> None:
    first, second, *rest = read(LONG, [passage(FLOOD), passage(TALKS, rank=2)], SURE, fixed_by="")
    assert [(f.value, f.answerable, f.evidence.number) for f in (first, second)] == [
        ("50 minutes", 0.9, 1),
        ("three hours", 0.8, 2),
    ]
    evidence = second.evidence
    assert evidence.text == "The evacuation  lasted three hours." == FLOOD.body[evidence.start : evidence.end]
    assert evidence.answer is not None
    assert FLOOD.body[evidence.answer.start : evidence.answer.end] == "three hours"
    ahead = ["The river rose on Monday.", "Two bridges fell in the night."]
    assert [FLOOD.body[s.start : s.end] for s in evidence.context] == ahead
    assert evidence.score == second.answerable
    assert all(f.answerable < 0.5 for f in rest)


def test_a_sentence_that_several_windows_hold_or_several_articles_print_is_found_once() -> None:
    copy = article(FLOOD.body, "Floods, again", name="copy")
    found = read(LONG, [passage(FLOOD), passage(copy, rank=2)], SURE, fixed_by="")
    texts = [f.evidence.text for f in found]
    assert len(texts) == len(set(texts))
    assert [f.evidence.article.id for f in found if f.value == "three hours"] == ["flood"], (
        "in the better passage"
    )


def test_what_tells_another_date_than_the_question_goes_last() -> None:
    question = "How long did the evacuation of May 2024 last?"
    found = read(question, [passage(EARLIER), passage(FLOOD, rank=2)], SURE, fixed_by=question)
    assert (found[0].value, found[0].fits) == ("three hours", True)
    lacking = next(f for f in found if f.value == "50 minutes")
    assert lacking.lacking == ("May 2024",) and not lacking.fits
    free = read(question, [passage(EARLIER), passage(FLOOD, rank=2)], SURE, fixed_by="")
    assert free[0].value == "50 minutes" and all(f.fits for f in free)


def test_words_of_a_title_answer_nothing_by_themselves() -> None:
    found = read(
        "What hit Valencia?", [passage(FLOOD)], ScriptedReader({"Floods hit Valencia": 0.95}), fixed_by=""
    )
    assert {(f.value, f.answerable) for f in found} == {("", 0.0)}
    assert all(f.evidence.answer is None for f in found)


def test_only_so_many_windows_are_read_and_the_likeliest_of_them() -> None:
    class Counting(ScriptedReader):
        def read(self, question, windows):  # type: ignore[no-untyped-def]
            seen.append(list(windows))
            return super().read(question, windows)

    seen: list[list[str]] = []
    body = " ".join(f"On day {n} it rained a lot in town {n}." for n in range(99)) + " The storm lasted long."
    read("How long did the storm last?", [passage(article(body))], Counting({}), fixed_by="")
    assert len(seen[0]) == READ and "The storm lasted long." in seen[0][0]


def test_nothing_is_found_where_nothing_was_retrieved() -> None:
    assert read(LONG, [], SURE, fixed_by=LONG) == []
