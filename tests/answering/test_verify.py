"""Verification: the reader judges, and what is literal is vetoed letter by letter."""

from __future__ import annotations

import pytest

from rag.answering.reading import SUPPORT_FLOOR, Found
from rag.answering.verifying import Checker
from rag.schema import PartialDate, Reason, Stage
from tests.fakes import ScriptedReader
from tests.made import found

DAY = PartialDate(2025, 7, 10)  # a Thursday
LASTED = found(
    "The meeting lasted about 50 minutes (some sources estimate 60), with Lavrov arriving late.",
    "about 50 minutes",
    published=DAY,
)
VEHICLES = found(
    "In the largest assault to date,728 unmanned vehicles hit the grid.", "728 unmanned vehicles"
)
MET = found("Envoy Keith Kellogg met Volodymyr Zelenskyy in Rome on Wednesday.", "Rome", published=DAY)
FRANK = found("Rubio, for his part, called the meeting “frank and important.”", "frank and important")
RISE = found("Exports increased by 4 percent in March, the ministry said.", "4 percent")
HOUR = found("The talks lasted nearly an hour.", "nearly an hour")
SECOND = found("This is the second meeting between the two in 2025, after the one in February.", "second")
BOTH = found("Both ministers met.", "ministers")


def check(statement: str, *cited: Found, supported: float = 0.9, without: frozenset[Stage] = frozenset()):
    reader = ScriptedReader({}, otherwise=(supported, 0.0))
    return Checker(reader, without).check("What happened?", statement, cited)


@pytest.mark.parametrize(
    ("statement", "cited"),
    [
        ("The meeting lasted about 50 minutes.", LASTED),
        ("It lasted 50 minutes, though some sources estimate 60 minutes.", LASTED),
        ("728 unmanned vehicles hit the grid.", VEHICLES),
        ("Exports rose by 4% in March.", RISE),
        ("The talks took nearly 60 minutes: nearly an hour.", HOUR),
        ("It is the second meeting of the two in 2025.", SECOND),
        ("One of the two ministers met.", BOTH),
        ("Kellogg met Zelenskyy in Rome on Wednesday.", MET),
        ("Kellogg met Zelenskyy in Rome on July 9, 2025.", MET),
        ("Kellogg met Zelenskyy in Rome in July 2025.", MET),
        ('Rubio called the meeting "frank and important".', FRANK),
        ("Rubio called the meeting “frank”, “important”: frank and important.", FRANK),
    ],
)
def test_what_stands_in_the_window_is_supported_if_the_reader_says_so(statement: str, cited: Found) -> None:
    (verdict,) = check(statement, cited)
    assert verdict.supported and verdict.reason is None, verdict.detail
    (unconvinced,) = check(statement, cited, supported=SUPPORT_FLOOR - 0.01)
    assert not unconvinced.supported and unconvinced.reason is Reason.SUPPORT and "0.49" in unconvinced.detail


@pytest.mark.parametrize(
    ("statement", "cited", "reason", "word"),
    [
        ("The meeting lasted about 70 minutes.", LASTED, Reason.NUMBER, "70 minutes"),
        ("The meeting lasted about 50 hours.", LASTED, Reason.NUMBER, "50 hours"),
        ("728,000 unmanned vehicles hit the grid.", VEHICLES, Reason.NUMBER, "728,000"),
        ("Exports rose by more than 4 percent in March.", RISE, Reason.NUMBER, "which says “4 percent”"),
        ("The talks lasted 60 minutes, nearly an hour.", HOUR, Reason.NUMBER, "60 minutes"),
        ("The second meeting came 2 months later.", SECOND, Reason.NUMBER, "2 months"),
        ("It is the second of three meetings.", SECOND, Reason.NUMBER, "three"),
        ("The third meeting came second.", SECOND, Reason.NUMBER, "third"),
        ("The ministers landed in an F-16.", BOTH, Reason.NUMBER, "16"),
        ("Kellogg was in Rome on Tuesday.", MET, Reason.DATE, "Tuesday"),
        ("Kellogg was in Rome on July 8.", MET, Reason.DATE, "July 8"),
        ("Kellogg was in Rome in 2024.", MET, Reason.DATE, "2024"),
        ("Kellogg was in Rome yesterday.", MET, Reason.DATE, "yesterday"),
        (
            "Rubio called it “frank and useful”: frank, important.",
            FRANK,
            Reason.QUOTATION,
            "frank and useful",
        ),
        ('Important and "frank and dull", he said.', FRANK, Reason.QUOTATION, "frank and dull"),
        ("“Important and frank” talks were held.", FRANK, Reason.QUOTATION, "Important and frank"),
        ("The meeting was long.", LASTED, Reason.ANSWER, "about 50 minutes"),
        ("Kellogg met Zelenskyy.", MET, Reason.ANSWER, "Rome"),
    ],
)
def test_what_is_literal_is_vetoed_however_sure_the_reader_is(
    statement: str, cited: Found, reason: Reason, word: str
) -> None:
    (verdict,) = check(statement, cited, supported=1.0)
    assert not verdict.supported and verdict.reason is reason and word in verdict.detail
    (free,) = check(statement, cited, supported=1.0, without=frozenset({Stage.VETOES}))
    assert free.supported


def test_every_number_of_the_answer_must_be_said_and_of_its_words_half() -> None:
    cited = found("Ana Ruiz and 40 guests of the old town came.", "Ana Ruiz and 40 guests of the old town")
    assert check("Ruiz and 40 others came.", cited)[0].reason is Reason.ANSWER
    assert check("Ana Ruiz and 40 guests came.", cited)[0].supported
    assert check("Ana Ruiz and guests of the old town came.", cited)[0].reason is Reason.ANSWER


def test_a_weekday_is_not_resolved_without_the_date_of_the_article() -> None:
    undated = found("Kellogg met Zelenskyy in Rome on Wednesday.", "Rome")
    assert check("Kellogg was in Rome on July 9.", undated)[0].reason is Reason.DATE
    assert check("Kellogg was in Rome on Wednesday.", undated)[0].supported


def test_what_a_weekday_means_is_recorded() -> None:
    (verdict,) = check("Kellogg was in Rome on Wednesday.", MET)
    assert verdict.derivation == ("Wednesday, in an article dated 2025-07-10: 2025-07-09",)
    assert check("Kellogg was in Rome.", MET)[0].derivation == ()


@pytest.mark.parametrize(
    ("sentence", "day", "other"),
    [
        ("They met in Rome on Wednesday.", "July 9", "July 16"),
        ("They will meet in Rome on Wednesday.", "July 16", "July 9"),
        ("On Wednesday they are to meet in Rome.", "July 16", "July 9"),
        (
            "Reporters and aides who saw the two on Wednesday in Rome said that talks will go on.",
            "July 9",
            "July 16",
        ),
    ],
)
def test_a_weekday_is_the_next_one_only_where_it_is_told_with_what_is_to_come(
    sentence: str, day: str, other: str
) -> None:
    cited = found(sentence, "Rome", published=DAY)
    assert check(f"Rome is the place on {day}.", cited)[0].supported
    assert check(f"Rome is the place on {other}.", cited)[0].reason is Reason.DATE
    (step,) = check("Rome is the place on Wednesday.", cited)[0].derivation
    assert step.endswith(f"2025-07-{int(day.split()[1]):02d}")


def test_the_reader_is_asked_for_question_and_statement_against_each_window_that_is_left() -> None:
    reader = ScriptedReader({}, {("", "Wednesday"): (0.2, 0.7)})
    here = found("Kellogg flew to Rome.", "Rome", number=2)
    other = found("Kellogg flew to Oslo.", "Oslo", number=3)
    verdicts = Checker(reader).check("Where?", "He was in Rome.", [MET, here, other])
    assert [v.reason for v in verdicts] == [Reason.SUPPORT, None, Reason.ANSWER]
    claims = ("Where? He was in Rome.", "He was in Rome.")
    assert reader.asked == [(c, f.window.text) for f in (MET, here) for c in claims]


def test_a_statement_is_held_against_its_window_beside_its_question_and_alone() -> None:
    beside = ScriptedReader(
        {}, {("Where?", ""): (0.9, 0.05)}, otherwise=(0.1, 0.1)
    )  # says more than the window
    alone = ScriptedReader({}, {("Where?", ""): (0.1, 0.1)})  # right, and no answer to the question
    for reader in (beside, alone):
        (verdict,) = Checker(reader).check("Where?", "Kellogg met him in Rome.", [MET])
        assert verdict.reason is Reason.SUPPORT


def test_a_statement_is_held_against_what_is_shown_of_its_window() -> None:
    shown = found(
        "A gate burst at noon. The flood lasted three hours. It drove 300 people out.", "three hours"
    )
    assert check("A gate burst at noon: the flood lasted three hours.", shown)[0].supported
    (verdict,) = check("The flood lasted three hours and drove 300 people out.", shown)
    assert verdict.reason is Reason.NUMBER


def test_two_windows_together_support_nothing_that_neither_says() -> None:
    drones = found("400 drones came.", "400 drones", number=2)
    verdicts = check("The meeting lasted about 50 minutes and 400 drones came.", LASTED, drones)
    assert [v.reason for v in verdicts] == [Reason.NUMBER, Reason.NUMBER]


def test_without_the_reader_s_judgement_only_the_vetoes_are_left() -> None:
    without = frozenset({Stage.SUPPORT})
    assert check("About 50 minutes.", LASTED, supported=0.0, without=without)[0].supported
    assert not check("About 70 minutes.", LASTED, supported=0.0, without=without)[0].supported


@pytest.mark.parametrize(
    "text",
    ["", "[1]" * 300, "1" * 3000, "“" * 900, '"' * 900, "\u202e\u200b", "on July 9 " * 300, "A b 1 " * 400],
)
def test_hostile_statements_are_checked_without_an_error(text: str) -> None:
    assert not check(text, LASTED)[0].supported
