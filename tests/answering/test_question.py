"""What a question fixes literally, its dates and numbers; and whether it wants a yes or a no."""

from __future__ import annotations

import pytest

from rag.answering.question import amounts_of, asks_yes_no, lacking, names
from rag.schema import PartialDate
from tests.made import article

RISE = "Exports rose 4 percent in March, from 12 tons."
ARTICLE = article(
    f"{RISE} Anna Berg of Voltar said so yesterday.",
    "Trade grows",
    PartialDate(2025, 4, 2),
    publisher="The Courier",
)


@pytest.mark.parametrize(
    "question",
    [
        "Did they meet?",
        "Isn’t it over?",
        "After the vote, will the port close?",
        "According to Reuters, has the mayor resigned?",
        "  would it rain",
    ],
)
def test_a_question_that_begins_with_an_auxiliary_verb_wants_yes_or_no(question: str) -> None:
    assert asks_yes_no(question)


@pytest.mark.parametrize(
    "question",
    ["Who is it?", "Was it Ruiz or Brandt?", "What did they do?", "Whose is it?", "Islands?", "", "?"],
)
def test_other_questions_and_choices_do_not(question: str) -> None:
    assert not asks_yes_no(question)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("How long did the meeting of Marco Rubio and Lavrov last?", ["Marco Rubio", "Lavrov"]),
        ("What did the Bank of England's governor say?", ["Bank of England"]),
        ("Did Ana Ruiz resign?", ["Ana Ruiz"]),
        ("What did Müller’s son and Ángela do?", ["Müller", "Ángela"]),
        ("May I ask what happened?", []),
        ("where did keith kellogg go", []),
    ],
)
def test_names_are_runs_of_capitalised_words_but_for_the_first_word(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


@pytest.mark.parametrize(
    "question",
    [
        "By how much did exports rise in March?",
        "What happened to the exports in 2025?",  # the article is of that year
        "What rose, as was said on April 1?",  # yesterday
        "Did 900 people come?",  # numbers and names are the reader's to judge
        "What did Omar Diallo say about the third rise?",
    ],
)
def test_dates_that_window_or_article_have_are_not_lacking(question: str) -> None:
    assert lacking(question, ARTICLE.body, ARTICLE) == ()


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("By how much did exports rise in 2024?", ("2024",)),
        ("By how much did exports rise in May 2025?", ("May 2025",)),
        ("What was said on April 5?", ("April 5",)),
        ("Why did 900 people meet Anna Berg in 2019?", ("2019",)),
        ("Was 2019 good? And what was sold in 2019?", ("2019",)),
    ],
)
def test_dates_that_they_tell_otherwise_are_named_as_the_question_words_them(
    question: str, missing: tuple[str, ...]
) -> None:
    assert lacking(question, ARTICLE.body, ARTICLE) == missing


def test_a_text_without_dates_lacks_none_and_a_year_between_two_is_told() -> None:
    undated = article("The talks were useful.")
    assert lacking("Who led the talks of 5 May 2019?", undated.body, undated) == ()
    term = article("Ana Ruiz led the club from 2015 to 2021.")
    assert lacking("Who led the club in 2018?", term.body, term) == ()
    assert lacking("Who led the club in 2012?", term.body, term) == ("2012",)


def test_only_the_window_and_the_date_of_the_article_count() -> None:
    assert lacking("What did Berg say on May 5?", RISE, ARTICLE) == ("May 5",)
    assert lacking("What did Berg say on May 5?", "Anna Berg of Voltar said so.", ARTICLE) == ()
    assert lacking("What did Berg say in 2019?", "Anna Berg of Voltar said so.", ARTICLE) == ("2019",)


def test_last_march_told_in_march_is_that_of_the_year_before() -> None:
    told = article(
        "Tuna was mayor until last March. In March Kaya followed.", published=PartialDate(2022, 3, 20)
    )
    assert lacking("Who was mayor until March 2021?", told.body[:32], told) == ()
    assert lacking("Who was mayor until March 2021?", told.body[33:], told) == ("March 2021",)


def test_hostile_questions_are_read_without_an_error() -> None:
    for text in ("", "?", "{0.__class__}", "How Many " * 300, "“" * 400, "May 5, " * 300, "\u202e2024"):
        lacking(text, RISE, ARTICLE)
        asks_yes_no(text)


def test_a_year_that_does_not_stand_as_a_date_counts_too() -> None:
    other = article("The talks of 2017 were useful, Omer Kaya said.")
    assert lacking("Did Omer Kaya call the talks of 2019 useful?", other.body, other) == ("2019",)
    same = article("The talks of 2019 were useful, Omer Kaya said.")
    assert lacking("Did Omer Kaya call the talks of 2019 useful?", same.body, same) == ()


@pytest.mark.parametrize(
    ("question", "text", "wanted"),
    [
        (
            "Were more than 100,000 people moved from Velpur?",
            "About 1.5 lakh people were moved from Velpur.",
            [("Were about 1.5 lakh people moved from Velpur?", True)],
        ),
        (
            "Is the tower over 200 metres tall?",
            "It is 200 metres tall and cost 41 million euros.",
            [("Is the tower 200 metres tall?", False)],
        ),
        ("Did it fall below 5 percent?", "It fell to 4.8%.", [("Did it fall 4.8%?", True)]),
        ("Did at least 60 people come?", "60 people came.", [("Did 60 people come?", True)]),
        ("Did more than 60 people come?", "60 people came.", [("Did 60 people come?", False)]),
        ("Did at most 60 people come?", "60 people came.", [("Did 60 people come?", True)]),
        ("Did fewer than 60 people come?", "60 people came.", [("Did 60 people come?", False)]),
        ("Did at least 70 people come?", "More than 60 people came.", []),  # it leaves that open
        ("Did more than 70 people come?", "More than 60 people came.", []),
        (
            "Did fewer than 60 people come?",
            "More than 60 people came.",
            [("Did more than 60 people come?", False)],
        ),
        (
            "Were more than 700 missiles fired?",
            "Some 400 drones were.",  # whether these are missiles is the reader's judgement
            [("Were some 400 missiles fired?", False)],
        ),
        ("Did over 3 people die and over 5 fall ill?", "Of 8 people 3 died.", []),  # which is meant?
        ("Will there be a season 8?", "It ended after 7 seasons.", []),  # a name
        ("Did the talks last 45 minutes?", "They lasted 50 minutes.", []),
        ("Did it open after May 2024?", "It opened in 2023 with 300 guests.", []),
        ("Did anybody die?", "Three people died.", []),
        ("Did more than 3 people die?", "Nobody died.", []),
    ],
)
def test_a_number_of_a_question_is_compared_with_those_of_its_unit(
    question: str, text: str, wanted: list[tuple[str, bool]]
) -> None:
    assert amounts_of(question, text) == wanted
