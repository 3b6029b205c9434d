"""What the generator is given to read."""

from __future__ import annotations

from rag.drafting import BUDGET_CHARS, LEAST, within_budget
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
