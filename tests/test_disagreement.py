"""Disagreement: values are merged, counted by origin, and the newest is marked."""

from rag.disagreement import Candidate, find_disagreement, origins
from rag.question import understand
from rag.schema import Article, Origin, PartialDate, Published


def article(name: str, body: str = "", published: PartialDate | None = None) -> Article:
    date = Published(published, Origin.STATED) if published else None
    return Article(name, name, f"{name}.txt", body or f"Body of {name}.", published=date)


LENGTH = understand("How long did the meeting last?")
A, B, C = (
    article("a"),
    article("b", published=PartialDate(2025, 7, 10)),
    article("c", published=PartialDate(2025, 7, 9)),
)


def test_values_that_agree_are_merged_and_hedges_are_told_as_they_stand() -> None:
    found = find_disagreement(
        LENGTH,
        [
            Candidate("about 50 minutes", 1, A, 0),
            Candidate("60 minutes", 1, A, 0),
            Candidate("nearly an hour", 2, B, 1),
            Candidate("50-minute", 3, C, 2),
        ],
    )
    assert found is not None
    assert [(v.text, v.citations, v.origins) for v in found.values] == [
        ("about 50 minutes", (1, 3), 2),
        ("60 minutes", (1,), 1),
        ("nearly an hour", (2,), 1),
    ]
    assert found.about == LENGTH.text


def test_the_newest_is_the_latest_full_date_and_unknown_is_never_newest() -> None:
    found = find_disagreement(
        LENGTH, [Candidate("1 hour", 1, A, 0), Candidate("2 hours", 2, B, 1), Candidate("3 hours", 3, C, 2)]
    )
    assert found is not None
    assert {v.text: v.newest for v in found.values} == {"1 hour": False, "2 hours": True, "3 hours": False}
    partial = article("p", published=PartialDate(month=7, day=11))
    undated = find_disagreement(LENGTH, [Candidate("1 hour", 1, A, 0), Candidate("2 hours", 2, partial, 1)])
    assert undated is not None
    assert not any(v.newest for v in undated.values)


def test_agreement_is_no_disagreement() -> None:
    assert (
        find_disagreement(LENGTH, [Candidate("50 minutes", 1, A, 0), Candidate("50-minute", 2, B, 1)]) is None
    )
    assert find_disagreement(LENGTH, [Candidate("50 minutes", 1, A, 0)]) is None
    assert find_disagreement(LENGTH, []) is None


def test_wire_copies_count_as_one_origin() -> None:
    found = find_disagreement(
        LENGTH, [Candidate("1 hour", 1, A, 0), Candidate("1 hour", 2, B, 0), Candidate("2 hours", 3, C, 1)]
    )
    assert found is not None
    assert [v.origins for v in found.values] == [1, 1]


def test_a_number_of_other_things_is_left_out() -> None:
    question = understand("How many drones were launched?")
    readings = [
        Candidate("400 drones", 1, A, 0),
        Candidate("18 missiles", 1, A, 0),
        Candidate("728 drones", 2, B, 1),
    ]
    found = find_disagreement(question, readings)
    assert found is not None
    assert [v.text for v in found.values] == ["400 drones", "728 drones"]


def test_a_far_off_value_beside_a_shared_one_measures_something_else() -> None:
    readings = [
        Candidate("50 minutes", 1, A, 0),
        Candidate("two days", 1, A, 0),
        Candidate("50 minutes", 2, B, 1),
    ]
    assert find_disagreement(LENGTH, readings) is None


def test_names_are_alternatives_only_where_no_name_is_common_to_all() -> None:
    question = understand("Who met Rubio?")
    same = [
        Candidate("Sergei Lavrov", 1, A, 0),
        Candidate("Marco Rubio", 1, A, 0),
        Candidate("Trump", 1, A, 0),
        Candidate("Lavrov", 2, B, 1),
    ]
    assert find_disagreement(question, same) is None
    found = find_disagreement(question, [Candidate("Sergei Lavrov", 1, A, 0), Candidate("Wang Yi", 2, B, 1)])
    assert found is not None
    assert [v.text for v in found.values] == ["Sergei Lavrov", "Wang Yi"]


def test_dates_agree_after_they_are_resolved_against_the_article() -> None:
    question = understand("When did they meet?")
    assert (
        find_disagreement(question, [Candidate("Thursday", 1, B, 0), Candidate("July 10", 2, A, 1)]) is None
    )
    found = find_disagreement(
        question, [Candidate("Wednesday", 1, B, 0), Candidate("July 10, 2025", 2, A, 1)]
    )
    assert found is not None
    assert len(found.values) == 2


def test_near_copies_share_an_origin_and_other_texts_do_not() -> None:
    text = "The minister met his counterpart in Rome on Tuesday and spoke about trade for an hour before leaving for Oslo."
    copy = article("copy", "ROME - " + text + " Read more on our site.")
    other = article(
        "other", "A completely different report about the weather in the north of the country on Monday."
    )
    original = article("original", text)
    assert origins([original, other, copy, original]) == (0, 1, 0, 0)
    assert origins([]) == ()


def test_as_high_as_a_figure_and_the_figure_are_one_value_and_nearly_an_hour_is_not_an_hour() -> None:
    one = Article("1", "v", "1.txt", "Tariffs could be as high as 500 percent.")
    two = Article("2", "v", "2.txt", "He wants 500% tariffs.")
    question = understand("How high could the tariffs be?")
    same = [Candidate("as high as 500 percent", 1, one, 0), Candidate("500%", 2, two, 1)]
    assert find_disagreement(question, same) is None
    lasted = understand("How long did it last?")
    apart = [Candidate("nearly an hour", 1, one, 0), Candidate("60 minutes", 2, two, 1)]
    assert find_disagreement(lasted, apart) is not None
