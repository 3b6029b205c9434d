"""Which articles and times a question is restricted to."""

from __future__ import annotations

import pytest

from rag.question import understand
from rag.schema import EVERY_ARTICLE, Article, Choice, Field, Origin, PartialDate, Published
from rag.scope import about, admits, allows, bonuses, choice_text, scope_of


def article(publisher: str = "", day: PartialDate | None = None, name: str = "a") -> Article:
    return Article(
        name,
        "0",
        f"{name}.txt",
        "text",
        publisher=Field(publisher, Origin.SUPPLIED) if publisher else None,
        published=Published(day, Origin.SUPPLIED) if day else None,
    )


COURIER, WIRED, BARE = article("The Courier | News"), article("Wired"), article()


@pytest.mark.parametrize(
    "text",
    [
        "According to The Courier, how long did the strike last?",
        "What does the Courier article say about the strike?",
        "Does the article from 'The Courier' mention a strike?",
        "Which firm, as reported by both Wired and The Courier, sold the port?",
        "Does The Courier suggest that the strike was lawful?",
    ],
)
def test_a_publisher_named_as_a_source_restricts_to_its_articles(text: str) -> None:
    scope = scope_of(understand(text), [COURIER, WIRED, BARE])
    assert "The Courier | News" in scope.publishers
    assert allows(scope, COURIER, "x")
    assert allows(scope, BARE, "x")  # who published it is not known
    assert allows(scope, WIRED, "x") is ("Wired" in text)


@pytest.mark.parametrize(
    "text",
    ["How long did the strike last?", "How many readers has The Courier?", "Who was wired to the bomb?"],
)
def test_another_mention_restricts_nothing(text: str) -> None:
    assert scope_of(understand(text), [COURIER, WIRED]).publishers == ()


def test_no_sentence_needs_to_repeat_the_name_of_its_source() -> None:
    question = understand("According to The Courier, who led the strike at Voltar?")
    left = about(question, scope_of(question, [COURIER]))
    assert "Voltar" in left.names and not any("Courier" in n for n in left.names)


@pytest.mark.parametrize(
    ("question", "sentence", "published", "within"),
    [
        ("Who resigned before July 2024?", "He resigned in March 2024.", None, True),
        ("Who resigned before July 2024?", "He resigned in August 2024.", None, False),
        ("Who resigned before July 2024?", "He resigned.", PartialDate(2025, 1, 1), True),
        ("Who resigned after July 2024?", "He resigned in March 2024.", None, False),
        ("Who resigned after July 2024?", "He resigned.", PartialDate(2024, 3, 1), False),
        ("Who resigned after July 2024?", "He resigned.", PartialDate(2024, 9, 1), True),
        ("Who resigned since 2023?", "He resigned on Monday.", PartialDate(2022, 3, 2), False),
        ("Who resigned before July?", "He resigned on 3 March.", PartialDate(2024, 9, 1), True),
        ("Who resigned before July?", "He resigned on 3 August.", PartialDate(2024, 9, 1), False),
        ("Who resigned before July 2024?", "He resigned.", None, True),
    ],
)
def test_bounds_leave_out_what_lies_outside(
    question: str, sentence: str, published: PartialDate | None, within: bool
) -> None:
    scope = scope_of(understand(question), [])
    assert scope.before or scope.after
    assert allows(scope, article(day=published), sentence) is within


def test_the_latest_puts_newer_articles_first_and_undated_ones_nowhere() -> None:
    old, new = (
        article(day=PartialDate(2024, 1, 5), name="old"),
        article(day=PartialDate(2024, 3, 1), name="new"),
    )
    scope = scope_of(understand("What is the latest death toll?"), [])
    given = bonuses(scope, [old, new, BARE])
    assert given["new"] > given["old"] and "a" not in given
    assert bonuses(scope_of(understand("What is the death toll?"), []), [old, new]) == {}


def test_a_readers_choice_leaves_articles_out() -> None:
    june, july, year, bare = (
        article("The Courier", PartialDate(2025, 6, 30)),
        article("Wired", PartialDate(2025, 7, 10)),
        article("Wired", PartialDate(2025)),
        article(),
    )
    every = (june, july, year, bare)

    def kept(choice: Choice) -> list[Article]:
        return [a for a in every if admits(choice, a)]

    assert kept(EVERY_ARTICLE) == list(every) and not EVERY_ARTICLE.restricts
    assert kept(Choice(("wired",))) == [july, year]
    assert kept(Choice(after=PartialDate(2025, 7))) == [july], "a year alone may be earlier"
    assert kept(Choice(before=PartialDate(2025, 6, 30))) == [june], "both bounds are included"
    assert kept(Choice(("Wired",), PartialDate(2025), PartialDate(2025))) == [july, year]
    assert choice_text(Choice(("Wired",), PartialDate(2025, 7))) == (
        "Only articles of Wired from July 2025 on were read, as you set."
    )
    assert choice_text(EVERY_ARTICLE) == ""
