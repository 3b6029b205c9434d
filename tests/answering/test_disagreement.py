"""Disagreement: values are grouped, counted by independent origin, and told apart only where they exclude each other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.answering.disagreement import compare, origins
from rag.models.reader import Support
from rag.schema import PartialDate
from tests.fakes import ScriptedReader
from tests.made import article, found

LONG, WHO, WHEN = "How long did the talks last?", "Who led the talks?", "When did they meet?"
AGREEING = ScriptedReader({}, otherwise=(0.9, 0.05))


class _Excluding(ScriptedReader):
    """A window supports the values that it has, and refutes all others."""

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[Support]:
        return [
            Support(0.9, 0.05, 0.05) if claim.split("? ")[-1] in window else Support(0.05, 0.9, 0.05)
            for claim, window in pairs
        ]


EXCLUDING = _Excluding({})


def lasted(value: str, number: int, published: PartialDate | None = None, name: str = "", of: str = ""):
    return found(
        f"{of or number} reported that the talks lasted {value}.", value, number, 0.9, "", published, name
    )


def test_one_value_in_different_words_is_one_group_and_no_disagreement() -> None:
    groups, disagreement = compare(LONG, [lasted("one hour", 1), lasted("60 minutes", 2)], EXCLUDING)
    assert [[f.value for f in g] for g in groups] == [["one hour", "60 minutes"]]
    assert disagreement is None


def test_different_measures_of_independent_articles_are_told_with_how_many_give_them() -> None:
    answering = [lasted("50 minutes", 1), lasted("90 minutes", 2), lasted("90-minute", 3)]
    groups, disagreement = compare(LONG, answering, AGREEING)
    assert [[f.value for f in g] for g in groups] == [["50 minutes"], ["90 minutes", "90-minute"]]
    assert disagreement is not None and disagreement.about == LONG
    assert [(v.text, v.citations, v.origins) for v in disagreement.values] == [
        ("90 minutes", (2, 3), 2),
        ("50 minutes", (1,), 1),
    ]


def test_a_number_that_opens_its_sentence_is_told_in_small_letters() -> None:
    came = (
        found("About 120 firefighters came.", "About 120", 1),
        found("The county spoke of 80 firefighters.", "80", 2),
    )
    _, disagreement = compare("How many firefighters came?", came, AGREEING)
    assert disagreement is not None and {v.text for v in disagreement.values} == {"about 120", "80"}


def test_one_article_does_not_disagree_with_itself_nor_with_its_copies() -> None:
    same = [lasted("50 minutes", 1, name="a"), lasted("90 minutes", 2, name="a")]
    assert compare(LONG, same, AGREEING)[1] is None
    story = "The ministers of both countries met in the old town hall of Ankara to speak about grain. "
    copies = [
        found(f"{story} The talks lasted {v}.", v, n) for n, v in enumerate(("50 minutes", "90 minutes"), 1)
    ]
    assert compare(LONG, copies, AGREEING)[1] is None


def test_copies_of_a_report_count_once() -> None:
    story = "The ministers of both countries met in the old town hall of Ankara. The talks lasted 90 minutes."
    answering = [
        lasted("50 minutes", 1),
        found(story, "90 minutes", 2),
        found(f"{story} More later.", "90 minutes", 3),
    ]
    disagreement = compare(LONG, answering, AGREEING)[1]
    assert disagreement is not None
    assert [(v.text, v.origins) for v in disagreement.values] == [("50 minutes", 1), ("90 minutes", 1)]


def test_measures_of_different_things_are_no_rivals() -> None:
    assert compare(LONG, [lasted("50 minutes", 1), lasted("3 miles", 2)], EXCLUDING)[1] is None
    assert compare(LONG, [lasted("50 minutes", 1), lasted("long", 2)], EXCLUDING)[1] is None


def test_a_bound_is_another_value_than_the_number() -> None:
    assert compare(LONG, [lasted("nearly an hour", 1), lasted("60 minutes", 2)], AGREEING)[1] is not None


def test_days_are_compared_after_they_are_resolved() -> None:
    day = PartialDate(2025, 7, 10)
    meant = [lasted("Wednesday", 1, day), lasted("July 9, 2025", 2)]
    assert compare(WHEN, meant, EXCLUDING)[1] is None
    assert compare(WHEN, [lasted("Tuesday", 1, day), lasted("July 9, 2025", 2)], AGREEING)[1] is not None
    later = PartialDate(2025, 7, 24)
    groups, _ = compare(WHEN, [lasted("Tuesday", 1, day), lasted("Tuesday", 2, later)], AGREEING)
    assert len(groups) == 2


def test_a_value_that_its_own_window_does_not_support_is_none() -> None:
    answering = [lasted("50 minutes", 1), lasted("90 minutes", 2)]
    unconvinced = ScriptedReader({}, {("90 minutes", "90 minutes"): (0.3, 0.1)})
    groups, disagreement = compare(LONG, answering, unconvinced)
    assert [[f.value for f in g] for g in groups] == [["50 minutes"]]
    assert disagreement is None


def test_names_are_rivals_only_where_the_reader_says_that_both_windows_exclude_the_other() -> None:
    answering = [lasted("Ana Ruiz", 1), lasted("Omar Diallo", 2)]
    assert compare(WHO, answering, AGREEING)[1] is None
    told = compare(WHO, answering, EXCLUDING)[1]
    assert told is not None and [v.text for v in told.values] == ["Ana Ruiz", "Omar Diallo"]
    tables = {("Omar Diallo", "Omar Diallo"): (0.9, 0.05), ("Omar Diallo", ""): (0.05, 0.9)}
    one_way = ScriptedReader({}, tables, otherwise=(0.5, 0.1))
    assert compare(WHO, answering, one_way)[1] is None
    assert one_way.asked == [
        (f"{WHO} Omar Diallo", answering[1].window.text),
        (f"{WHO} Omar Diallo", answering[0].window.text),
        (f"{WHO} Ana Ruiz", answering[1].window.text),
    ]


def test_a_part_of_a_name_is_the_same_value() -> None:
    groups, disagreement = compare(WHO, [lasted("Ana Ruiz", 1), lasted("Ruiz", 2)], EXCLUDING)
    assert len(groups) == 1 and disagreement is None


@pytest.mark.parametrize(
    ("first", "second", "newest"),
    [
        (PartialDate(2025, 7, 9), PartialDate(2025, 7, 10), ["90 minutes"]),
        (PartialDate(2025, 7, 10), PartialDate(2025, 7, 10), []),
        (None, PartialDate(2025, 7, 10), []),  # the other may be newer
        (None, PartialDate(month=7, day=11), []),
    ],
)
def test_the_newest_is_that_of_the_latest_full_date(
    first: PartialDate | None, second: PartialDate, newest: list[str]
) -> None:
    told = compare(LONG, [lasted("50 minutes", 1, first), lasted("90 minutes", 2, second)], AGREEING)[1]
    assert told is not None and [v.text for v in told.values if v.newest] == newest


def test_near_copies_share_an_origin_and_other_texts_do_not() -> None:
    text = "The minister met his counterpart in Rome on Tuesday and spoke about trade for an hour before leaving."
    original, copy = article(text, name="original"), article(f"ROME - {text} Read more.", name="copy")
    other = article("A different report about the weather in the north on Monday.", name="other")
    assert origins([original, other, copy, original]) == (0, 1, 0, 0)
    assert origins([]) == ()


def test_nothing_answers_and_nothing_is_compared() -> None:
    assert compare(LONG, [], EXCLUDING) == ([], None)
