"""The whole way with the real models over the real articles: what must hold whatever the reader's weights are, if they
are good ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.render import turn_of
from rag.assistant import Assistant
from rag.config import load_settings
from rag.ingest.build import build
from rag.models.embedder import MiniLM
from rag.schema import Answer, Choice, PartialDate, State, Status

WHERE = "Where did Keith Kellogg meet the Ukrainian president?"
LENGTH = "How long did the meeting last?"


@pytest.fixture(scope="module")
def assistant(
    tmp_path_factory: pytest.TempPathFactory,
    minilm_dir: Path,
    reader_dir: Path,
    default_gguf: Path,
    seeds_dir: Path,
) -> Iterator[Assistant]:
    """The real assistant over an index made now; a generous time limit, for the machine may be busy."""
    folder = tmp_path_factory.mktemp("flow")
    settings = replace(load_settings(), seeds=seeds_dir, index=folder / "index", answer_timeout_s=300.0)
    build(settings, MiniLM(minilm_dir, threads=settings.threads))
    opened = Assistant.open(settings)
    opened.warm()
    yield opened
    opened.close()


def shown(answer: Answer) -> str:
    return " ".join(s.text for s in answer.shown)


def test_every_statement_is_cited_by_a_slice_of_a_seed_article(assistant: Assistant, seeds_dir: Path) -> None:
    answer = assistant.ask(WHERE)
    assert answer.status is Status.ANSWERED and "Rome" in shown(answer)
    for statement in answer.shown:
        assert statement.citations
        for evidence in answer.cited(statement):
            file = (seeds_dir / evidence.article.path).read_bytes().decode("utf-8")
            assert file[evidence.start : evidence.end] == evidence.text
    assert all(s.state is not State.CHECKING for s in answer.statements)


def test_articles_that_differ_on_the_length_of_the_meeting_are_each_quoted(assistant: Assistant) -> None:
    answer = assistant.ask(LENGTH, choice=Choice(quotes_only=True))
    assert "50 minutes" in shown(answer) and "nearly an hour" in shown(answer)
    assert {e.article.path[:3] for s in answer.shown for e in answer.cited(s)} >= {"001", "002"}
    assert answer.disagreement is not None


def test_what_no_article_has_is_refused_with_the_closest_sentences(assistant: Assistant) -> None:
    dated = assistant.ask("How many drones did Russia launch in 2021?")
    assert "2021" in dated.missing
    for answer in (dated, assistant.ask("Who won the football World Cup?")):
        assert answer.status is Status.UNANSWERED and answer.missing
        assert not answer.shown and answer.closest


def test_a_follow_up_is_understood_from_the_turn_before(assistant: Assistant) -> None:
    first = assistant.ask(WHERE, choice=Choice(quotes_only=True))
    answer = assistant.ask("When did they meet?", [turn_of(first)])
    assert "Kellogg" in answer.as_understood and answer.as_understood != answer.question


def test_stop_ends_a_real_answer_at_once_and_the_next_one_is_right(assistant: Assistant) -> None:
    stop = threading.Event()
    started = 0.0
    answers = []
    for answer in assistant.stream(WHERE, cancel=stop.is_set):
        answers.append(answer)
        if any(s.state is State.CHECKING for s in answer.statements) and not stop.is_set():
            stop.set()
            started = time.monotonic()
    assert answers[-1].status is Status.STOPPED and stop.is_set()
    assert "Rome" in shown(answers[-1]), "the quotation stays"
    assert time.monotonic() - started < 10
    assert "Rome" in shown(assistant.ask(WHERE))


def test_a_reader_may_restrict_what_is_read_and_have_it_quoted(assistant: Assistant) -> None:
    assert "vietatoparlare" in assistant.publishers()
    choice = Choice(("vietatoparlare",), evidence=3, quotes_only=True)
    answer = assistant.ask(LENGTH, choice=choice)
    assert {e.article.path[:3] for e in answer.evidence} == {"001"} and len(answer.evidence) <= 3
    assert "Only articles published by vietatoparlare" in answer.note and answer.generator == "quotes only"
    nothing = assistant.ask(LENGTH, choice=Choice(after=PartialDate(2030)))
    assert nothing.status is Status.UNANSWERED and "dated 2030 or later" in nothing.note


def test_a_reader_may_choose_another_model_that_is_here(assistant: Assistant) -> None:
    names = assistant.writers()
    assert names[0].startswith("qwen2.5-coder-1.5b")
    missing = assistant.ask(WHERE, choice=Choice(model="no-such-model"))
    assert missing.status is Status.FAILED and "rag models" in missing.error
    for name in names[1:2]:
        answer = assistant.ask(WHERE, choice=Choice(model=name))
        assert answer.generator == name and answer.status is Status.ANSWERED
