"""Small articles over which programs of this kind go wrong, asked with the real reader: a second value in a sentence that
is no rival, weekdays behind a verb of the past, units of other places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag.assistant import NO_MODEL, Assistant
from rag.config import Settings, load_settings
from rag.ingest.build import build
from rag.models.embedder import MiniLM
from rag.schema import Answer, State, Status

Ask = Callable[[str, dict[str, str]], Answer]


@pytest.fixture
def ask(tmp_path: Path, minilm_dir: Path, reader_dir: Path) -> Ask:
    """Asks a question over articles, by file name."""

    def asked(question: str, articles: dict[str, str]) -> Answer:
        seeds = tmp_path / "seeds"
        seeds.mkdir()
        for name, text in articles.items():
            (seeds / name).write_text(text, "utf-8")
        settings: Settings = load_settings().with_options(
            seeds=seeds, index=tmp_path / "index", model=NO_MODEL
        )
        build(settings, MiniLM(minilm_dir, threads=settings.threads))
        assistant = Assistant.open(settings)
        try:
            return assistant.ask(question)
        finally:
            assistant.close()

    return asked


@pytest.mark.parametrize(
    ("name", "text", "question", "value"),
    [
        (
            "tower.txt",
            "New tower\n\nThe new tower of Ostrava is 212 metres tall and cost 41 million euros.\n",
            "How tall is the new tower of Ostrava?",
            "212 metres",
        ),
        (
            "yard.txt",
            "Shipyard year\n\nThe shipyard of Brenwick earned 42 million euros in 2024, up from 31 million euros a year"
            " earlier.\n",
            "How much did the shipyard of Brenwick earn in 2024?",
            "42 million euros",
        ),
        (
            "lighthouse.md",
            '+++\ntitle = "Lighthouse sold"\ndate = 2025-07-09\n+++\n\n# Lighthouse sold\n\nThe lighthouse of **Sorrel** was'
            " sold for *310,000 euros*.[^1]\n\n[^1]: With the boat.\n",
            "For how much was the lighthouse of Sorrel sold?",
            "310,000 euros",
        ),
        (
            "canal.json",
            '[{"title": "The canal", "text": ["The canal of Orrin was reopened on Monday.", "It is 12 kilometres long.",'
            ' "Repairs cost 3 million euros."]}]',
            "How long is the canal of Orrin?",
            "12 kilometres",
        ),
    ],
)
def test_a_second_value_in_an_article_is_no_rival(
    ask: Ask, name: str, text: str, question: str, value: str
) -> None:
    answer = ask(question, {name: text})
    assert answer.status is Status.ANSWERED and answer.disagreement is None
    (quoted,) = answer.shown
    assert value in quoted.text
    (evidence,) = answer.cited(quoted)
    assert evidence.answer is not None
    assert value in evidence.article.body[evidence.answer.start : evidence.answer.end]


def test_who_lost_the_vote_is_no_rival_of_who_won_it(ask: Ask) -> None:
    answer = ask(
        "Who is the mayor of Larkholm?",
        {
            "a.txt": "Horn wins vote in Larkholm\n\nPublished: 2025-07-07\n\nIlse Horn, a former judge, was elected mayor of"
            " Larkholm on Sunday.\n",
            "b.txt": "Swimmers protest in Larkholm\n\nPublished: 2025-07-12\n\nAbout 300 swimmers protested in Larkholm on"
            " Friday. Mara Voss, who lost the vote for mayor, joined them.\n",
        },
    )
    assert answer.disagreement is None
    assert "Ilse Horn" in answer.shown[0].text


def test_the_weekday_of_something_past_lies_before_the_article(ask: Ask) -> None:
    text = "Harbour works\n\ndate 2025-07-10\n\nIts director Olga Brandt resigned on Tuesday and will be replaced next month.\n"
    (quoted,) = ask("When did Olga Brandt resign?", {"a.txt": text}).shown
    assert quoted.verdict is not None
    assert "Tuesday, in an article dated 2025-07-10: 2025-07-08" in quoted.verdict.derivation


def test_what_will_not_happen_is_a_no_with_its_sentence(ask: Ask) -> None:
    answer = ask(
        "Will Karl Denn run again?",
        {
            "a.txt": "Horn wins vote in Larkholm\n\nPublished: 2025-07-07\n\nIlse Horn was elected mayor of Larkholm on Sunday,"
            " ahead of Karl Denn. Horn promised to reopen the library.\n",
            "b.txt": "Denn drops appeal in Larkholm\n\nPublished: 2025-07-11\n\nKarl Denn has dropped his appeal, his lawyer"
            " said on Thursday. Denn will not run again. Horn called the decision “late, but right”.\n",
        },
    )
    (statement,) = answer.shown
    assert statement.state is State.SUPPORTED
    assert statement.text == "No: Denn will not run again."


def test_lakh_and_the_number_in_figures_are_one_value(ask: Ask) -> None:
    answer = ask(
        "How many people were moved from their homes in Velpur?",
        {
            "a.txt": "Floods in Velpur\n\nAbout 1.5 lakh people were moved from their homes in Velpur.\n",
            "b.txt": "Thousands flee\n\nAbout 150,000 people were moved from their homes in Velpur.\n",
        },
    )
    assert answer.disagreement is None
    assert "150,000" in answer.shown[0].text or "1.5 lakh" in answer.shown[0].text


@pytest.mark.parametrize(("asked", "word"), [("more than 100,000", "Yes: "), ("more than 200,000", "No: ")])
def test_a_number_of_a_question_is_compared_with_one_in_lakh(ask: Ask, asked: str, word: str) -> None:
    answer = ask(
        f"Were {asked} people moved from their homes in Velpur?",
        {"a.txt": "Floods in Velpur\n\nAbout 1.5 lakh people were moved from their homes in Velpur.\n"},
    )
    assert answer.shown[0].text == f"{word}About 1.5 lakh people were moved from their homes in Velpur."


def test_two_counts_of_one_crowd_stand_beside_each_other(ask: Ask) -> None:
    answer = ask(
        "How many protesters were there?",
        {
            "a.txt": "Swimmers protest\n\nAbout 300 swimmers protested in Larkholm on Friday against the closure of the pool."
            " Police spoke of 150 protesters.\n"
        },
    )
    told = " ".join(s.text for s in answer.shown)
    assert "About 300 swimmers" in told and "Police spoke of 150" in told
    assert answer.disagreement is None
