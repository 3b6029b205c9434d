"""Differences and sums are computed from exactly two stated numbers, or not at all."""

from __future__ import annotations

import pytest

from rag.arithmetic import compute
from rag.question import understand
from rag.schema import Article, Evidence

BUSES = "The city bought 120 buses for the northern depot, the mayor said."
TRAMS = "Some 45 buses were ordered for the harbour depot a year later."
PEOPLE = "About 300 people came to see them."


def evidence(*texts: str) -> list[Evidence]:
    return [
        Evidence(n, Article(f"{n}", "0", f"{n}.txt", text), 0, len(text), text)
        for n, text in enumerate(texts, 1)
    ]


def ask(question: str, *texts: str):  # type: ignore[no-untyped-def]
    return compute(understand(question), evidence(*texts))


def test_a_difference_names_both_operands_and_keeps_their_hedge() -> None:
    made = ask(
        "How many more buses went to the northern depot than to the harbour depot?", PEOPLE, BUSES, TRAMS
    )
    assert made is not None
    assert made.text == "120 buses − Some 45 buses = about 75 buses."
    assert made.citations == (2, 3)
    assert "[2]" in made.derivation and "75" in made.derivation


def test_fewer_turns_the_operands_round() -> None:
    made = ask("How many fewer buses went to the harbour depot than to the northern depot?", TRAMS, BUSES)
    assert made is not None and made.text.endswith("= about 75 buses.") and made.citations == (2, 1)


def test_a_sum_of_two_is_made_of_exactly_two_numbers() -> None:
    assert ask("How many buses did the two depots get in total?", BUSES, TRAMS).text.endswith(
        "= about 165 buses."
    )
    third = "The airport got 30 buses as well."
    assert ask("How many buses did the two depots get in total?", BUSES, TRAMS, third) is None


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("How many buses did the city buy?", (BUSES, TRAMS)),  # nothing to compute
        ("How many more trams went to the northern depot than to the harbour depot?", (BUSES, TRAMS)),
        ("How many more buses went to the northern depot than to the harbour depot?", (BUSES,)),
        ("How many more buses went to Leeds than to York?", (BUSES, TRAMS)),  # neither is told
        ("How many more buses went to the harbour depot than to the northern depot?", (BUSES, TRAMS)),
        (
            "How many more buses went to the northern depot than to the harbour depot?",
            (BUSES, TRAMS, "For the northern depot 90 buses were bought, a rival paper wrote."),  # disputed
        ),
        (
            "How many more buses went to the northern depot than to the harbour depot?",
            ("More than 120 buses went to the northern depot.", TRAMS),  # a bound gives no number
        ),
    ],
)
def test_nothing_is_computed_where_an_operand_is_missing_disputed_or_unsure(
    question: str, texts: tuple[str, ...]
) -> None:
    assert ask(question, *texts) is None
