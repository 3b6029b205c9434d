"""The generator's text is hostile: only offered numbers count, and no half marker is ever shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.citations import Draft, parse_line, shown_part, stream_drafts

OFFERED = frozenset({1, 2, 3})


@pytest.mark.parametrize(
    ("line", "draft"),
    [
        ("The meeting lasted 50 minutes. [2]", Draft("The meeting lasted 50 minutes.", (2,))),
        ("Both agreed. [2][1][2]", Draft("Both agreed.", (2, 1))),
        ("It cost 5 euros. [9]", Draft("It cost 5 euros.", ())),
        ("It cost 5 euros.", Draft("It cost 5 euros.", ())),
        ("See [a link](x). [1]", Draft("See (a link)(x).", (1,))),
        ("NOT FOUND", None),
        ("[1]", None),
        ("   ", None),
    ],
)
def test_a_line_becomes_a_draft_with_offered_numbers_only(line: str, draft: Draft | None) -> None:
    assert parse_line(line, OFFERED) == draft


def test_zero_width_and_bidi_characters_do_not_pass() -> None:
    draft = parse_line("pay\u200bpal \u202eevil [1]", OFFERED)
    assert draft is not None and draft.text == "paypal evil"


def test_statements_arrive_when_their_line_ends() -> None:
    text = "Police said 3,000. [1]\nOrganisers said 10,000. [3]"
    drafts = [d for _, d in stream_drafts(list(text), OFFERED) if d]
    assert drafts == [Draft("Police said 3,000.", (1,)), Draft("Organisers said 10,000.", (3,))]


def test_a_refusal_yields_nothing_and_shows_nothing() -> None:
    assert list(stream_drafts(list("NOT FOUND"), OFFERED)) == []


@given(
    st.lists(
        st.sampled_from(["The ", "talks ", "[", "1", "]", "[1]", "[99]", "\n", "x. ", "NOT", " FOUND"]),
        max_size=20,
    )
)
def test_no_marker_or_half_of_one_is_shown_however_the_text_is_cut(pieces: list[str]) -> None:
    for words, draft in stream_drafts(pieces, OFFERED):
        assert "[" not in words
        if draft:
            assert set(draft.citations) <= OFFERED


def test_a_growing_line_shows_its_words_without_the_marker() -> None:
    assert shown_part("The meeting lasted 50 minutes. [") == "The meeting lasted 50 minutes."
    assert shown_part("The meeting lasted 50 minutes. [1") == "The meeting lasted 50 minutes."
    assert shown_part("NOT F") == ""


@pytest.mark.parametrize("end", ["", "[", "[2", "[2]["])
def test_a_text_that_breaks_off_in_a_marker_shows_no_half_of_it(end: str) -> None:
    (draft,) = [d for _, d in stream_drafts(["It lasted", f" long. {end}"], OFFERED) if d]
    assert draft == Draft("It lasted long.", (2,) if "2]" in end else ())


def test_a_refusal_in_other_words_is_no_statement() -> None:
    offered = frozenset([1])
    assert parse_line("The name of the pilot is not mentioned in the given sentences. [1]", offered) is None
    assert parse_line("The sentences do not say who won. [1]", offered) is None
    assert parse_line("The pilot is NOT FOUND. [1]", offered) is None
    assert parse_line("The bridge is not open. [1]", offered) is not None
    assert parse_line("The pilot was not found guilty. [1]", offered) is not None
