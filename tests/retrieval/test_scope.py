"""Which articles a reader restricts the answers to."""

from __future__ import annotations

import pytest

from rag.retrieval.scope import choice_text, in_scope
from rag.schema import EVERY_ARTICLE, Choice, PartialDate
from tests.made import article

JUNE = article("x", published=PartialDate(2025, 6, 30), publisher="The Courier", name="june")
JULY = article("x", published=PartialDate(2025, 7, 10), publisher="Wired", name="july")
YEAR = article("x", published=PartialDate(2025), publisher="Wired", name="year")
DAY = article("x", published=PartialDate(month=7, day=10), name="day")
BARE = article("x", name="bare")


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        (EVERY_ARTICLE, "june july year day bare"),
        (Choice(("wired",)), "july year"),
        (Choice(("WIRED", "the courier")), "june july year"),
        (Choice(after=PartialDate(2025, 7)), "july"),  # a year alone may be earlier
        (Choice(before=PartialDate(2025, 6, 30)), "june"),  # both bounds are included
        (Choice(("Wired",), PartialDate(2025), PartialDate(2025)), "july year"),
        (Choice(after=PartialDate(2026)), ""),
    ],
)
def test_a_readers_choice_leaves_articles_out(choice: Choice, kept: str) -> None:
    assert [a.id for a in (JUNE, JULY, YEAR, DAY, BARE) if in_scope(choice, a)] == kept.split()


def test_what_is_left_to_read_is_said_in_words() -> None:
    assert choice_text(
        Choice(("Wired\u200b", "The Courier"), PartialDate(2025, 7), PartialDate(2025, 8, 2))
    ) == (
        "Only articles published by Wired or The Courier and dated from July 2025 to 2025-08-02 were read, as set under Settings."
    )
    assert choice_text(EVERY_ARTICLE) == ""
