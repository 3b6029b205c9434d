"""Measures on numbers known from elsewhere or worked out by hand."""

import math

import pytest

from eval.metrics import (
    contains,
    exact_match,
    mean,
    ndcg_at,
    percentile,
    pooled,
    reciprocal_rank,
    token_f1,
    tokens,
)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("The meeting lasted about 50 minutes.", "50-minute"),
        ("A substantive fifty-minute meeting", "50 minutes"),
        ("It cost 1,128 euros", "1128"),
        ("a 500% tariff", "500 per cent"),
        ("He lives in the U.S.", "US"),
        ("the main obstacle to détente", "Detente"),
        ("twenty-five ships", "25"),
        ("2.5 million people", "2500000"),
        ("Kiev’s neutrality", "neutrality"),
        ("three hundred thousand", "300,000"),
    ],
)
def test_the_same_thing_in_other_words_is_contained(text: str, form: str) -> None:
    assert contains(text, form)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("150 minutes", "50 minutes"),
        ("500 minutes", "50 minutes"),
        ("50 hours", "50 minutes"),
        ("1.5 million", "5 million"),
        ("He is Iranian", "Iran"),
        ("18 drones and 400 missiles", "18 missiles"),
        ("", "50"),
        ("anything", ""),
    ],
)
def test_a_part_of_a_number_or_word_is_not_contained(text: str, form: str) -> None:
    assert not contains(text, form)


def test_spelled_numbers_are_read_greedily_and_apart() -> None:
    assert tokens("five five") == ("5", "5")
    assert tokens("one hundred twenty") == ("120",)
    assert tokens("twenty twenty") == ("20", "20")
    assert tokens("2025-07-10") == ("2025", "7", "10")


def test_em_and_f1_are_those_of_squad() -> None:
    assert exact_match("The Guest book!", "guest book")
    assert not exact_match("the old guest book", "guest book")
    assert token_f1("he signed the guest book", "guest book") == pytest.approx(2 * 2 / (4 + 2))
    assert token_f1("nothing here", "guest book") == 0


def test_ranked_measures_agree_with_their_definitions() -> None:
    assert reciprocal_rank([False, True, True]) == 0.5
    assert reciprocal_rank([False, False]) == 0
    assert ndcg_at(10, [True, False, True], 2) == pytest.approx((1 + 0.5) / (1 + 1 / math.log2(3)))
    assert ndcg_at(1, [False, True], 1) == 0
    assert ndcg_at(10, [], 0) == 0


def test_a_rate_pools_and_its_interval_holds_it() -> None:
    rate = pooled([(1, 2), (2, 2), (0, 0), (1, 4)])
    assert rate.value == pytest.approx(4 / 8)
    assert rate.n == 3
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low <= 0.5 <= rate.high
    assert pooled([(1, 2), (2, 2), (0, 0), (1, 4)]) == rate  # the seed is fixed


def test_the_interval_of_a_share_is_near_the_normal_one() -> None:
    rate = mean([1.0] * 80 + [0.0] * 20)
    half = 1.96 * math.sqrt(0.8 * 0.2 / 100)
    assert rate.low == pytest.approx(0.8 - half, abs=0.02)
    assert rate.high == pytest.approx(0.8 + half, abs=0.02)


def test_nothing_measured_has_no_value() -> None:
    assert mean([]).value is None
    assert percentile([], 50).n == 0


def test_a_percentile_is_linear_between_neighbours() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 50).value == 2.5
