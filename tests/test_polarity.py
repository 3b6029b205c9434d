"""A yes or a no is ruled only where one sentence proves it, its words in the same roles."""

from __future__ import annotations

import pytest

from rag.polarity import Polarity, Ruling, proposition, rule
from rag.question import understand
from rag.schema import Article, Evidence, Origin, PartialDate, Published, Span


def ask(question: str, *texts: str) -> Ruling | None:
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


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Did Brandt meet Ruiz in Oslo?", "Brandt met Norwegian Prime Minister Ruiz in Oslo on Monday."),
        ("Did Ruiz meet with Brandt in Oslo?", "Brandt and Ruiz met in Oslo on Monday, officials said."),
        ("Did Brandt and Ruiz meet in Oslo?", "Brandt met his counterpart Ruiz in Oslo."),
        ("Was the bridge in Leeds opened by Brandt?", "Brandt opened the bridge in Leeds."),
        ("Did Brandt open the bridge in Leeds?", "The new bridge in Leeds was opened by Brandt."),
        ("Were 12 protesters arrested in Leeds?", "Police arrested 12 protesters in Leeds."),
        (
            "Did Voltar buy Nordbus for 3 million euros?",
            "Voltar acquired its rival Nordbus for 3 million euros.",
        ),
        ("Has the council approved the tunnel?", "The council has approved the tunnel under the river."),
        ("Was the strike at Voltar called off?", "The strike at Voltar was called off on Tuesday."),
        ("Is Brandt the mayor of Leeds?", "Brandt is the mayor of Leeds."),
        ("Will Brandt visit Oslo in June?", "Brandt will visit Oslo in June."),
        ("Does Voltar make electric buses?", "Voltar makes electric buses in Leeds."),
        ("Did the firm cut 400 jobs in Leeds?", "The firm cut 400 jobs in Leeds."),
    ],
)
def test_a_yes_may_be_told_from_the_other_side_or_with_more_said(question: str, text: str) -> None:
    ruling = ask(question, text)
    assert ruling is not None and ruling.polarity is Polarity.YES


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Did Voltar buy Nordbus for 9 million euros?", "Voltar bought Nordbus for 3 million euros."),
        ("Did the council approve the new tunnel?", "The council refused to approve the new tunnel."),
        ("Did the council approve the new tunnel?", "The council rejected the new tunnel."),
        ("Did Leeds win the final against Hull?", "Leeds lost the final against Hull."),
        ("Was Brandt born in 1950?", "Brandt was born in 1961."),
        ("Was the summit in Oslo held in May?", "The summit in Oslo was held in June."),
        ("Did Brandt attend the summit in Oslo?", "Brandt never attended the summit in Oslo."),
        ("Was the bridge in Leeds opened?", "The bridge in Leeds was not opened."),
    ],
)
def test_a_denial_an_opposite_and_another_date_of_what_happens_once_prove_a_no(
    question: str, text: str
) -> None:
    ruling = ask(question, text)
    assert ruling is not None and ruling.polarity is Polarity.NO


BRIDGE = "Did Brandt open the bridge in Leeds?"
TUNNEL = "Did the council approve the new tunnel?"
MAYOR = "Is Brandt the mayor of Leeds?"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        # the same words in other roles
        ("Did Ruiz beat Brandt in the final?", "Brandt beat Ruiz in the final."),
        ("Did Ruiz beat Brandt in the final?", "Ruiz was beaten by Brandt in the final."),
        ("Did Russia attack Ukraine in Kursk?", "Ukraine attacked Russia in Kursk."),
        ("Was Brandt attacked in Leeds?", "Brandt attacked the mayor in Leeds."),
        ("Was Brandt attacked in Leeds?", "Supporters of Brandt were attacked in Leeds."),
        (BRIDGE, "Brandt's deputy opened the bridge in Leeds."),
        (BRIDGE, "The deputy of Brandt opened the bridge in Leeds."),
        (BRIDGE, "Brandt watched as Ruiz opened the bridge in Leeds."),
        (BRIDGE, "Brandt fired the engineer who opened the bridge in Leeds."),
        (BRIDGE, "Brandt opened the museum and Ruiz the bridge in Leeds."),
        (BRIDGE, "Brandt opened the bridge museum in Leeds."),
        (BRIDGE, "Brandt opened the bridge after a trip to Leeds."),
        ("Did Brandt attend the summit in Oslo?", "Brandt attended the summit's dinner in Oslo."),
        ("Did Brandt visit Leeds in May?", "Brandt visited Leeds Castle in May."),
        (MAYOR, "Brandt met the mayor of Leeds."),
        (MAYOR, "Brandt is the deputy mayor of Leeds."),
        (MAYOR, "Brandt, who beat the mayor of Leeds, spoke."),
        # no fact, or not all of it
        (BRIDGE, "Brandt was to open the bridge in Leeds."),
        (BRIDGE, "Had Brandt opened the bridge in Leeds, many would have come."),
        (BRIDGE, "Brandt almost opened the bridge in Leeds."),
        (BRIDGE, "Ruiz believes Brandt opened the bridge in Leeds."),
        (BRIDGE, "It is unclear whether Brandt opened the bridge in Leeds."),
        (BRIDGE, "Nobody says that Brandt opened the bridge in Leeds."),
        (BRIDGE, BRIDGE),
        ("Did all members vote for the tunnel in Leeds?", "Some members voted for the tunnel in Leeds."),
        ("Did Brandt win again in Leeds?", "Brandt won in Leeds."),
        # a denial of something else, or of a part
        (TUNNEL, "The council did not approve the new tunnel until May."),
        (TUNNEL, "The council did not approve the new tunnel in May."),
        (TUNNEL, "The council did not fully approve the new tunnel."),
        (TUNNEL, "The council did not only approve the new tunnel but paid for it."),
        (TUNNEL, "The council did not reject the new tunnel."),
        (TUNNEL, "The council's engineer did not approve the new tunnel."),
        (
            "Did Leeds win the final against Hull?",
            "Leeds won the semi-final but lost the final against Hull.",
        ),
        # another time
        (MAYOR, "Brandt was the mayor of Leeds until 2010."),
        ("Will Brandt visit Oslo in June?", "Brandt visited Oslo in June."),
        ("Does Voltar make electric buses?", "Voltar made electric buses until 1990."),
        ("Was Voltar founded in 1975?", "Voltar was founded in 1973 and sold buses from 1975."),
        # another number, but not of all
        ("Did Voltar lay off 400 workers?", "Voltar laid off another 300 workers."),
        ("Did Brandt send 40 men to Leeds?", "Brandt sent help to Leeds, and Ruiz led 500 men home."),
    ],
)
def test_the_words_alone_prove_nothing(question: str, text: str) -> None:
    assert ask(question, text) is None


@pytest.mark.parametrize(
    "text",
    ["“Brandt opened the bridge in Leeds,” Ruiz said.", "Ruiz said Brandt opened the bridge in Leeds."],
)
def test_what_somebody_says_is_told_but_proves_nothing(text: str) -> None:
    ruling = ask(BRIDGE, text)
    assert ruling is not None and ruling.polarity is None


def test_what_happens_more_than_once_may_have_happened_then_too() -> None:
    ruling = ask("Did Brandt meet Ruiz in May?", "Brandt met Ruiz in July.")
    assert ruling is not None and ruling.polarity is None


@pytest.mark.parametrize(
    ("question", "text", "proved"),
    [
        (
            "Did both ministries confirm that Brandt and Ruiz would meet?",
            "Brandt will meet Ruiz on Thursday in Oslo, both ministries confirmed.",
            True,
        ),
        (
            "Did Ruiz say that Brandt opened the bridge in Leeds?",
            "Ruiz said Brandt opened the bridge in Leeds.",
            True,
        ),
        (
            "Did Brandt say that Ruiz opened the bridge in Leeds?",
            "Ruiz said Brandt opened the bridge in Leeds.",
            False,
        ),
        (
            "Did Ruiz say that Brandt opened the bridge in Leeds?",
            "Ruiz did not say Brandt opened the bridge in Leeds.",
            False,
        ),
        (
            "Did Ruiz deny that Brandt opened the bridge in Leeds?",
            "Ruiz said Brandt opened the bridge in Leeds.",
            False,
        ),
    ],
)
def test_who_said_so_is_asked_of_the_speaker(question: str, text: str, proved: bool) -> None:
    ruling = ask(question, text)
    assert (ruling is not None and ruling.polarity is Polarity.YES) is proved


def test_a_pronoun_is_the_one_person_of_the_sentence_ahead_and_nobody_where_there_are_two() -> None:
    def told(ahead: str) -> Ruling | None:
        own = "She opened the bridge in Leeds."
        article = Article("a", "0", "a.txt", f"{ahead} {own}")
        start = len(ahead) + 1
        item = Evidence(1, article, start, start + len(own), own, (Span(0, len(ahead)),))
        return rule(understand(BRIDGE), [item])

    ruling = told("The crowd cheered Lena Brandt.")
    assert ruling is not None and ruling.polarity is Polarity.YES
    assert told("The crowd cheered Lena Brandt and Marta Ruiz.") is None


def test_a_weekday_is_read_against_the_date_of_the_article() -> None:
    text = "Brandt opened the bridge in Leeds on Friday."
    published = Published(PartialDate(2024, 5, 11), Origin.STATED)
    article = Article("a", "0", "a.txt", text, published=published)
    ruling = rule(
        understand("Did Brandt open the bridge in Leeds on May 10, 2024?"),
        [Evidence(1, article, 0, len(text), text)],
    )
    assert ruling is not None and ruling.polarity is Polarity.YES


def test_a_question_for_a_denial_or_an_ability_is_left_to_the_statements() -> None:
    text = "Brandt opened the bridge in Leeds."
    for question in (
        "Didn't Brandt open the bridge in Leeds?",
        "Did Brandt not open the bridge in Leeds?",
        "Could Brandt open the bridge in Leeds?",
    ):
        assert ask(question, text) is None
