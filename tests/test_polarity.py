"""A yes or a no is ruled only where one sentence proves it."""

from __future__ import annotations

import pytest

from rag.polarity import Polarity, proposition, rule
from rag.question import understand
from rag.schema import Article, Evidence


def ask(question: str, *texts: str):  # type: ignore[no-untyped-def]
    evidence = [
        Evidence(n, Article(f"{n}", "0", f"{n}.txt", text), 0, len(text), text)
        for n, text in enumerate(texts, 1)
    ]
    return rule(understand(question), evidence)


@pytest.mark.parametrize(
    ("question", "claim"),
    [
        ("Did Brandt open the bridge?", "Brandt open the bridge"),
        ("Is it true that Brandt opened the bridge?", "Brandt opened the bridge"),
        ("So was the bridge closed, right?", "The bridge closed"),
    ],
)
def test_the_claim_is_the_question_without_its_auxiliary(question: str, claim: str) -> None:
    assert proposition(question) == (claim, False)


def test_another_question_has_no_claim() -> None:
    assert proposition("Who opened the bridge?") is None
    assert ask("Who opened the bridge in Leeds?", "Mayor Brandt opened the bridge in Leeds.") is None


def test_a_sentence_that_states_it_all_proves_a_yes() -> None:
    ruling = ask(
        "Did Lena Brandt open the bridge in Leeds?",
        "It rained in Leeds.",
        "Mayor Lena Brandt opened the bridge in Leeds on Friday.",
    )
    assert ruling is not None and ruling.polarity is Polarity.YES and ruling.number == 2


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Did the council approve the new tunnel?", "The council did not approve the new tunnel."),
        ("Did police arrest 40 protesters in Leeds?", "Police arrested 12 protesters in Leeds."),
        ("Were more than 40 protesters arrested in Leeds?", "Police arrested 12 protesters in Leeds."),
        ("Was it the first strike of drivers at Voltar?", "It was the second strike of drivers at Voltar."),
    ],
)
def test_a_denial_or_another_value_in_its_place_proves_a_no(question: str, text: str) -> None:
    ruling = ask(question, text)
    assert ruling is not None and ruling.polarity is Polarity.NO and ruling.number == 1


def test_another_place_is_told_but_proves_nothing_for_it_may_lie_in_the_one_asked_about() -> None:
    ruling = ask("Did Brandt meet Ruiz in England?", "Brandt met Ruiz in Leeds.")
    assert ruling is not None and ruling.polarity is None


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("Did Brandt open the bridge in Leeds?", ("Brandt plans to open the bridge in Leeds.",)),  # not yet
        ("Did Brandt open the bridge in Leeds?", ("Brandt closed the road to Leeds.",)),
        ("Did Brandt open the bridge in Leeds?", ("Ruiz opened the bridge in Leeds.",)),
        ("Did Brandt open the bridge in Leeds?", ("Brandt's deputy was in Leeds when the bridge fell.",)),
        ("Did police arrest 40 protesters in Leeds?", ("Police arrested dozens of protesters in Leeds.",)),
        ("Did police arrest 40 protesters in Leeds?", ("Police arrested about 41 protesters in Leeds.",)),
        ("Is Brandt in Leeds?", ("Brandt came to Leeds.",)),  # no event
        ("Did Brandt or Ruiz open the bridge?", ("Brandt opened the bridge.",)),
        (
            "Did the council approve the tunnel?",
            ("The council approved the tunnel.", "The council did not approve the tunnel."),
        ),
    ],
)
def test_nothing_is_ruled_where_nothing_is_proved(question: str, texts: tuple[str, ...]) -> None:
    assert ask(question, *texts) is None
