"""What the generator is given to read, and hedges put back."""

from __future__ import annotations

import pytest

from rag.drafting import BUDGET_CHARS, LEAST, with_hedges, within_budget
from rag.schema import Article, Evidence


def evidence(*lengths: int) -> list[Evidence]:
    made = []
    for number, length in enumerate(lengths, 1):
        text = "x" * length
        made.append(Evidence(number, Article("a", "0", "a", text), 0, length, text))
    return made


def test_short_sentences_are_all_read() -> None:
    assert len(within_budget(evidence(*[50] * 8))) == 8


def test_beyond_the_budget_only_the_first_are_read_in_their_order() -> None:
    offered = within_budget(evidence(*[BUDGET_CHARS // 5] * 8))
    assert [e.number for e in offered] == [1, 2, 3, 4, 5]


def test_the_first_few_are_read_however_long_they_are() -> None:
    assert len(within_budget(evidence(*[5 * BUDGET_CHARS] * 6))) == LEAST


@pytest.mark.parametrize(
    ("said", "source", "wanted"),
    [
        ("400 drones came.", "that roughly 400 drones came", "Roughly 400 drones came."),
        ("Four hundred drones came.", "about 400 drones", "Roughly four hundred drones came."),
        ("It was an 80-minute talk.", "It lasted some 80 minutes.", "It was a roughly 80-minute talk."),
        ("It lasted about 50 minutes.", "about 50 minutes", "It lasted about 50 minutes."),
        ("It lasted 50 minutes.", "about 50 minutes, 50 minutes by the clock", "It lasted 50 minutes."),
        ("18 missiles came.", "roughly 400 drones and 18 missiles", "18 missiles came."),
    ],
)
def test_a_hedge_that_the_source_sets_is_put_back_and_no_other(said: str, source: str, wanted: str) -> None:
    assert with_hedges(said, source) == wanted
