"""The whole way with the real models over the real articles: five kinds of question, and the page's front door."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.assistant import NO_MODEL, Assistant
from rag.build import build
from rag.config import load_settings
from rag.embedder import MiniLM
from rag.render import turn_of
from rag.schema import Answer, Choice, PartialDate, Status
from rag.upkeep import rebuild


@pytest.fixture(scope="module")
def assistant(
    tmp_path_factory: pytest.TempPathFactory, minilm_dir: Path, default_gguf: Path, seeds_dir: Path
) -> Iterator[Assistant]:
    """The real assistant over an index made now; a generous time limit, for the machine may be busy."""
    folder = tmp_path_factory.mktemp("flow")
    settings = replace(load_settings(), seeds=seeds_dir, index=folder / "index", answer_timeout_s=300.0)
    build(settings, MiniLM(minilm_dir, threads=settings.threads))
    opened = Assistant.open(settings)
    opened.warm()
    yield opened
    opened.close()


def cited_text(answer: Answer) -> str:
    return " ".join(e.text for s in answer.shown for e in answer.cited(s))


def test_every_citation_is_a_slice_of_a_seed_article(assistant: Assistant, seeds_dir: Path) -> None:
    answer = assistant.ask("Where did Keith Kellogg meet the Ukrainian president?")
    assert answer.status is Status.ANSWERED
    assert "Rome" in " ".join(s.text for s in answer.shown)
    for statement in answer.shown:
        assert statement.citations
        for evidence in answer.cited(statement):
            file = (seeds_dir / evidence.article.path).read_bytes().decode("utf-8")
            assert file[evidence.start : evidence.end] == evidence.text
            assert "Kellogg" in evidence.text


def test_articles_that_differ_on_the_length_of_the_meeting_are_each_told(assistant: Assistant) -> None:
    answer = assistant.ask("How long did the meeting between Rubio and Lavrov last?")
    assert answer.status is Status.ANSWERED
    shown = " ".join(s.text for s in answer.shown)
    assert "50" in shown and "nearly an hour" in shown
    assert answer.disagreement is not None and len(answer.disagreement.values) >= 2
    assert {e.article.path[:3] for s in answer.shown for e in answer.cited(s)} >= {"001", "002"}


@pytest.mark.parametrize(
    "question",
    [
        "Who is the president of France?",
        "How long did the meeting between Rubio and Wang Yi last?",
        "How many drones did Russia launch in 2021?",
    ],
)
def test_what_the_articles_do_not_say_is_refused_with_the_closest_sentences(
    assistant: Assistant, question: str
) -> None:
    answer = assistant.ask(question)
    assert answer.status is Status.UNANSWERED
    assert not answer.shown and answer.closest and answer.missing


def test_a_follow_up_is_understood_from_the_turn_before(assistant: Assistant) -> None:
    first = assistant.ask("Where did Keith Kellogg meet the Ukrainian president?")
    answer = assistant.ask("When did they meet?", [turn_of(first)])
    assert "Kellogg" in answer.as_understood and answer.as_understood != answer.question
    assert answer.status is Status.ANSWERED and "Wednesday" in cited_text(answer)


def test_counts_of_like_things_are_not_mixed_up(assistant: Assistant) -> None:
    answer = assistant.ask("How many missiles were deployed in the overnight assault?")
    shown = " ".join(s.text for s in answer.shown)
    assert "18" in shown and "728" not in shown


def test_stop_ends_a_real_answer_at_once_and_the_next_one_is_right(assistant: Assistant) -> None:
    stop = threading.Event()
    started = 0.0
    answers = []
    for answer in assistant.stream("What did Rubio call the meeting?", cancel=stop.is_set):
        answers.append(answer)
        if not stop.is_set():
            stop.set()
            started = time.monotonic()
    assert answers[-1].status is Status.STOPPED
    assert time.monotonic() - started < 10
    assert "Rome" in " ".join(s.text for s in assistant.ask("Where did Keith Kellogg meet Zelenskiy?").shown)


def test_a_reader_may_restrict_what_is_read_and_have_it_quoted(assistant: Assistant) -> None:
    question = "How long did the meeting between Rubio and Lavrov last?"
    assert "vietatoparlare" in assistant.publishers()
    choice = Choice(("vietatoparlare",), evidence=3, quotes_only=True)
    answer = assistant.ask(question, choice=choice)
    assert {e.article.path[:3] for e in answer.evidence} == {"001"} and len(answer.evidence) <= 3
    assert "50 minutes" in " ".join(s.text for s in answer.shown)
    assert "Only articles of vietatoparlare" in answer.note and answer.generator == "quotes only"
    nothing = assistant.ask(question, choice=Choice(after=PartialDate(2030)))
    assert nothing.status is Status.UNANSWERED and "from 2030 on" in nothing.note


def test_an_index_removed_or_made_anew_while_it_is_open_costs_one_clear_answer(
    tmp_path: Path, minilm_dir: Path
) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "a.txt").write_text("Floods\n\nThe evacuation of Valencia lasted three hours.", "utf-8")
    settings = replace(load_settings(), seeds=seeds, index=tmp_path / "index", model=NO_MODEL)
    embedder = MiniLM(minilm_dir, threads=2)
    build(settings, embedder)
    assistant = Assistant.open(settings)
    question = "How long did the evacuation of Valencia last?"
    assert assistant.ask(question).status is Status.ANSWERED
    (seeds / "a.txt").write_text("Floods\n\nThe evacuation of Valencia lasted four hours.", "utf-8")
    rebuild(settings, embedder)
    assert "four hours" in assistant.ask(question).shown[0].text, "seen without a restart"
    shutil.rmtree(settings.index)
    gone = assistant.ask(question)
    assert gone.status is Status.FAILED and "no index" in gone.error and "rag index" in gone.error
    build(settings, embedder)
    assert assistant.ask(question).status is Status.ANSWERED
    assistant.close()


def test_a_reader_may_choose_another_model_that_is_here(assistant: Assistant) -> None:
    names = assistant.writers()
    assert names[0].startswith("qwen2.5-coder-1.5b")
    missing = assistant.ask("Where did Kellogg meet Zelenskiy?", choice=Choice(model="no-such-model"))
    assert missing.status is Status.FAILED and "rag models" in missing.error
    for name in names[1:2]:
        answer = assistant.ask("Where did Kellogg meet Zelenskiy?", choice=Choice(model=name))
        assert answer.generator == name and answer.status in (Status.ANSWERED, Status.UNANSWERED)
    assert assistant.ask("Where did Kellogg meet Zelenskiy?").generator == names[0]
