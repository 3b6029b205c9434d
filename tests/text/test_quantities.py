"""Quantities: what is read, in which unit, and when two agree."""

import pytest

from rag.text.quantities import Quantity, equal_values, find_quantities, same_bound, same_unit

HOUR = 3600.0


def agree(a: str, b: str) -> bool:
    """Whether the last quantities of two texts are one number of one unit."""
    left, right = find_quantities(a)[-1], find_quantities(b)[-1]
    return same_unit(left, right) and equal_values(left, right)


def one(text: str) -> Quantity:
    found = find_quantities(text)
    assert len(found) == 1, [q.text for q in found]
    return found[0]


@pytest.mark.parametrize(
    ("text", "low", "high", "unit", "approx"),
    [
        ("The talks lasted about 50 minutes.", 50 * 60, 50 * 60, "s", "~"),
        ("a substantive 50-minute meeting", 50 * 60, 50 * 60, "s", ""),
        ("It lasted nearly an hour.", HOUR, HOUR, "s", "<"),
        ("hour-long talks", HOUR, HOUR, "s", ""),
        ("for half an hour", HOUR / 2, HOUR / 2, "s", ""),
        ("It took an hour and a half.", 1.5 * HOUR, 1.5 * HOUR, "s", ""),
        ("one and a half hours later", 1.5 * HOUR, 1.5 * HOUR, "s", ""),
        ("1 hour and 20 minutes", 80 * 60, 80 * 60, "s", ""),
        ("five gruelling hours", 5 * HOUR, 5 * HOUR, "s", ""),
        ("between 5 and 7 hours", 5 * HOUR, 7 * HOUR, "s", ""),
        ("50-60 minutes", 50 * 60, 60 * 60, "s", ""),
        ("roughly 400 drones", 400, 400, "", "~"),
        ("to date,728 unmanned aerial vehicles targeted the city", 728, 728, "", ""),
        ("eight ASEAN countries", 8, 8, "", ""),
        ("1,200 people fled", 1200, 1200, "", ""),
        ("two hundred and fifty soldiers", 250, 250, "", ""),
        ("a dozen eggs", 12, 12, "", ""),
        ("half a million people", 500_000, 500_000, "", ""),
        ("3.5 million barrels", 3_500_000, 3_500_000, "", ""),
        ("a 12-member panel", 12, 12, "", ""),
        ("50+ countries", 50, 50, "", ">"),
        ("10m people", 10_000_000, 10_000_000, "", ""),
        ("tariffs as high as 500 percent", 500, 500, "percent", "<"),
        ("500% tariffs", 500, 500, "percent", ""),
        ("5 per cent", 5, 5, "percent", ""),
        ("more than three-quarters of them", 75, 75, "percent", ">"),
        ("US$3 per barrel", 3, 3, "dollar", ""),
        ("$3.5 million", 3_500_000, 3_500_000, "dollar", ""),
        ("$3-5 million", 3_000_000, 5_000_000, "dollar", ""),
        ("€5bn", 5e9, 5e9, "euro", ""),
        ("£10m", 1e7, 1e7, "pound", ""),
        ("12 euros", 12, 12, "euro", ""),
        ("Rs 500", 500, 500, "rupee", ""),
        ("their second meeting", 2, 2, "ordinal", ""),
        ("the 21st century", 21, 21, "ordinal", ""),
        ("won 2-1 on aggregate", 2, 1, "score", ""),
        ("at 5:30 p.m. sharp", 17.5 * HOUR, 17.5 * HOUR, "clock", ""),
        ("at 10am", 10 * HOUR, 10 * HOUR, "clock", ""),
        ("10 km away", 10_000, 10_000, "m", ""),
    ],
)
def test_a_quantity_is_read_with_unit_and_hedge(
    text: str, low: float, high: float, unit: str, approx: str
) -> None:
    found = one(text)
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)
    assert (found.unit, found.approx, found.bare) == (unit, approx, False)
    assert text[found.span.start : found.span.end] == found.text


@pytest.mark.parametrize(
    "text",
    [
        "on July 10, 2025",
        "in 2024",
        "In 1973 there was an embargo",
        "the 1990s",
        "F-16 and G7 and COVID-19",
        "one of the men",
        "no one knows",
        "2025-07-10",
    ],
)
def test_dates_names_and_pronouns_are_no_quantities(text: str) -> None:
    assert find_quantities(text) == []


def test_a_rise_from_one_value_to_another_is_two_quantities() -> None:
    assert [q.text for q in find_quantities("It rose from 5% to 7%.")] == ["5%", "7%"]


def test_an_estimate_in_brackets_is_a_bare_number() -> None:
    first, second = find_quantities("It lasted about 50 minutes (some sources estimate 60).")
    assert not first.bare
    assert second.bare
    assert second.low == 60


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("60 minutes", "an hour-long talk"),
        ("about 50 minutes", "a 50-minute meeting"),
        ("a year-long ban", "12 months"),
        ("$3,500,000", "$3.5 million"),
        ("400 drones", "roughly four hundred drones"),
        ("12 soldiers", "a dozen people"),
        ("60 minutes", "some estimate 60"),
        ("2 km", "2,000 metres"),
    ],
)
def test_equal_quantities_agree_whatever_their_wording(a: str, b: str) -> None:
    assert agree(a, b) and agree(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("400 drones", "728 drones"),
        ("55 minutes", "50-60 minutes"),
        ("50 minutes", "50 hours"),
        ("$5", "€5"),
        ("5 percent", "5 minutes"),
        ("the second meeting", "two meetings"),
        ("won 2-1", "won 3-1"),
    ],
)
def test_other_values_or_units_do_not_agree(a: str, b: str) -> None:
    assert not agree(a, b)


def test_a_bound_is_not_the_plain_number() -> None:
    nearly, plain, over, about = (
        one(t) for t in ("nearly 60 people", "60 people", "more than 60 people", "about 60 people")
    )
    assert same_bound(about, plain)
    assert not same_bound(nearly, plain)
    assert not same_bound(nearly, over)
    assert same_bound(one("no more than 60 people"), one("up to 60 people"))


def test_hostile_input_is_read_in_reasonable_time_and_without_an_error() -> None:
    for text in (
        "1" * 5000,
        "-" * 5000,
        "one hundred and " * 500,
        "a half " * 500,
        "1-" * 2000,
        "$" * 3000,
        "५ ½ °",
        "fıve mİnutes, 5 per\ncent, more  than six mıles, 5 \u212ag, thırd, two-thİrds, mıllİons, mİdnight, 5 ſeconds",
    ):
        find_quantities(text)
