"""The page in a real browser, over answers made by hand from real articles; and what can be said without a browser.

The assistant is a fake here: these tests are about what is shown, not about what is answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from markupsafe import escape

import app
from rag.assistant import Assistant, never
from rag.config import Settings
from rag.errors import GenerationError, QuestionError
from rag.ingest.build import build, fingerprint_of
from rag.protocols import Cancel
from rag.retrieval.hybrid import retrieve
from rag.schema import (
    EVERY_ARTICLE,
    Answer,
    Article,
    Choice,
    Disagreement,
    Evidence,
    Field,
    Origin,
    PartialDate,
    Passage,
    Published,
    Span,
    State,
    Statement,
    Status,
    Timings,
    Turn,
    Value,
)
from rag.server.network import free_port
from rag.server.password import Password, set_password
from rag.store.local import LocalStore
from rag.text.words import plain
from rag.ui import quality
from rag.ui.answers import conversation_html, examples, turn_html
from rag.ui.page import header_html
from rag.ui.serving import POLICY, serve
from rag.ui.session import MAX_WAITING, refusal_of
from rag.ui.sessions import Sessions
from rag.ui.sources import article_html, sources_html
from tests.browser import CHROMIUM, Tab, chromium, tab
from tests.fakes import WordEmbedder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

ROOT = Path(__file__).parent.parent.parent
needs_browser = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"
)


# --- articles and answers -----------------------------------------------------------------------------------------


def stated(value: str | None) -> Field | None:
    return Field(value, Origin.STATED) if value else None


def article(
    path: str, body: str, title: str = "", publisher: str = "", date: PartialDate | None = None
) -> Article:
    version = hashlib.sha256(body.encode()).hexdigest()
    published = Published(date, Origin.STATED) if date else None
    return Article(path, version, path, body, stated(title), stated(publisher), published)


def seed(name: str, title: str = "", publisher: str = "", date: PartialDate | None = None) -> Article:
    path = next((ROOT / "seeds").glob(f"{name}_*.txt"))
    return article(path.name, path.read_text(encoding="utf-8"), title, publisher, date)


LONG = seed("002", date=PartialDate(None, 7, 10))
TALKS = seed("003", publisher="RastriyaSamachar24x7")
PLANNED = seed("004", "Rubio to meet Russia’s Lavrov in Malaysia", "News.Az", PartialDate(2025, 7, 10))


def sentence(number: int, source: Article, begins: str, answer: str = "") -> Evidence:
    start = source.body.index(begins)
    end = re.compile(r"\.(?=\s|$)").search(source.body, start)
    assert end
    words = source.body.index(answer, start)
    span = Span(words, words + len(answer)) if answer else None
    return Evidence(number, source, start, end.end(), source.body[start : end.end()], (), 0.9, span)


HOUR = sentence(1, LONG, "The meeting, which lasted nearly an hour", "nearly an hour")
FIFTY = sentence(2, TALKS, "The high-stakes talks, which included", "50-minute meeting")
SECOND = sentence(3, PLANNED, "The encounter marks the second")
REPAIR = sentence(4, LONG, "A spokesperson noted")
EVIDENCE = (HOUR, FIFTY, SECOND, REPAIR)

DRAFTING = Answer("", "", Status.DRAFTING, generator="fake-model")
SOURCES = replace(DRAFTING, evidence=EVIDENCE, timings=Timings(0.2))
CHECKING = replace(SOURCES, statements=(Statement(1, "The meeting lasted nearly", (), State.CHECKING),))
QUOTED = Statement(2, FIFTY.text, (2,), State.QUOTED)
SUPPORTED = Statement(1, "The meeting lasted nearly an hour.", (1,), State.SUPPORTED)
WITHHELD = Statement(3, "It lasted seven hours.", (3,), State.WITHHELD)
ANSWERED = replace(
    SOURCES,
    status=Status.ANSWERED,
    statements=(QUOTED, SUPPORTED, WITHHELD),
    timings=Timings(0.2, 1.0, 1.5, 3.44),
)
UNANSWERED = replace(
    SOURCES,
    status=Status.UNANSWERED,
    missing="The articles do not answer this: no sentence close to it speaks of France.",
    closest=(SECOND, REPAIR),
)
DISAGREEING = replace(
    ANSWERED,
    disagreement=Disagreement(
        "how long the meeting lasted",
        (Value("50 minutes", (2,), 1, False), Value("nearly an hour", (1,), 1, True)),
    ),
)

Step = Answer | threading.Event | Exception


class FakeAssistant(Assistant):
    """Plays the script of a question: answers are yielded, events waited for (or cancelled), exceptions raised."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(seeds=folder / "seeds", index=folder / "index", cache=folder / "cache")
        self.settings.seeds.mkdir()
        for item in (LONG, TALKS):
            (self.settings.seeds / item.path).write_text(item.body, "utf-8")
        self._embedder = WordEmbedder()
        build(self.settings, self._embedder)
        self.scripts: dict[str, list[Step]] = {}
        self.histories: dict[str, list[Turn]] = {}
        self.choices: dict[str, Choice] = {}
        self.running = 0
        self.most_running = 0

    def writers(self) -> list[str]:
        return ["fake-model", "other-model"]

    def articles(self, limit: int = -1) -> list[Article]:
        return [LONG, TALKS, PLANNED][: None if limit < 0 else limit]

    @contextmanager
    def reading(self) -> Iterator[LocalStore]:
        store = LocalStore(self.settings.index, fingerprint_of(self.settings, self._embedder))
        try:
            yield store
        finally:
            store.close()

    def search(self, query: str, limit: int = 10) -> list[Passage]:
        if not query:
            raise QuestionError("the question is empty")
        with self.reading() as store:
            return retrieve(store, self._embedder, query, limit)

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        cancel: Cancel = never,
        choice: Choice = EVERY_ARTICLE,
    ) -> Generator[Answer]:
        self.histories[question] = list(history)
        self.choices[question] = choice
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            last = replace(DRAFTING, question=question, as_understood=question)
            for step in self.scripts.get(question, [SOURCES, ANSWERED]):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, threading.Event):
                    while not step.wait(0.02):
                        if cancel():
                            checked = tuple(s for s in last.statements if s.state is not State.CHECKING)
                            yield replace(last, status=Status.STOPPED, statements=checked)
                            return
                else:
                    last = replace(step, question=question, as_understood=step.as_understood or question)
                    yield last
        finally:
            self.running -= 1


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeAssistant, str]]:
    assistant = FakeAssistant(tmp_path_factory.mktemp("served"))
    page = serve(assistant, port=free_port())
    yield assistant, page.local_url
    page.close()


@pytest.fixture
def assistant(served: tuple[FakeAssistant, str]) -> FakeAssistant:
    served[0].scripts.clear()
    return served[0]


@pytest.fixture
def address(served: tuple[FakeAssistant, str]) -> str:
    return served[1]


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Tab]:
    """A tab at the page; afterwards, that it complained of nothing and asked only its own origin."""
    with tab(browser, address) as opened:
        opened.page.wait_for_selector(".cw-hello")
        yield opened
        assert opened.strangers(address) == []
        assert opened.errors == []


def ask(page: Page, question: str) -> None:
    page.fill("#cw-question textarea", question)
    page.press("#cw-question textarea", "Enter")


# --- in the browser -------------------------------------------------------------------------------------------------

pytestmark = [pytest.mark.timeout(120), pytest.mark.server]


@pytest.mark.browser
@needs_browser
class TestInTheBrowser:
    def test_sources_come_before_words_and_statements_settle_one_by_one(
        self, opened: Tab, assistant: FakeAssistant
    ) -> None:
        words, settle = threading.Event(), threading.Event()
        assistant.scripts["How long?"] = [DRAFTING, SOURCES, words, CHECKING, settle, ANSWERED]
        page = opened.page
        ask(page, "How long?")
        page.wait_for_selector(".cw-card")
        assert page.locator(".cw-card").count() == len(EVIDENCE)
        assert page.locator(".cw-s").count() == 0
        assert page.input_value("#cw-question textarea") == ""
        words.set()
        page.wait_for_selector(".cw-checking")
        assert "checking…" in page.inner_text(".cw-checking")
        assert page.locator(".cw-turn .cw-chip").count() == 0
        settle.set()
        page.wait_for_selector(".cw-answered")
        assert page.locator(".cw-turn .cw-chip").all_inner_texts() == ["2", "1"]
        assert page.locator(".cw-checking").count() == 0

    def test_a_finished_answer_shows_quotations_as_such_and_never_what_was_withheld(
        self, opened: Tab
    ) -> None:
        page = opened.page
        ask(page, "How long did it last?")
        page.wait_for_selector(".cw-answered")
        quoted = page.inner_text(".cw-quoted")
        assert quoted.casefold().startswith("quoted")
        assert FIFTY.text in quoted
        footer = page.inner_text(".cw-turn footer")
        assert "1 statement withheld" in footer
        assert "3.4 s" in footer
        assert "fake-model" in footer
        assert "seven hours" not in page.content()
        heads = page.locator("#cw-panel h3").all_inner_texts()
        assert heads == ["Cited", "Also read"]

    def test_a_click_on_a_citation_opens_the_article_at_that_sentence(
        self, opened: Tab, assistant: FakeAssistant
    ) -> None:
        both = Statement(1, "It lasted nearly an hour, and Moscow stays open.", (1, 4), State.SUPPORTED)
        assistant.scripts["And then?"] = [SOURCES, replace(ANSWERED, statements=(both,))]
        page = opened.page
        ask(page, "And then?")
        page.wait_for_selector(".cw-answered")
        page.click(".cw-turn .cw-chip >> nth=1")
        page.wait_for_selector(".cw-hit")
        marks = page.locator("#cw-panel p > mark").all_inner_texts()
        assert [re.sub(r"^Source\s*\d+\s*:\s*", "", m) for m in marks] == [HOUR.text, REPAIR.text]
        assert REPAIR.text in page.inner_text(".cw-hit")
        page.wait_for_function(
            "() => { const b = document.querySelector('.cw-hit').getBoundingClientRect();"
            " return b.top > 0 && b.bottom < innerHeight; }"
        )
        assert page.evaluate("document.activeElement.className") == "cw-hit"
        assert plain_text(LONG.body[-80:]) in plain_text(page.inner_text(".cw-body"))
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.className") == "cw-chip"
        page.click(".cw-back")
        page.wait_for_selector(".cw-card")

    def test_hovering_a_citation_shows_its_sentence_and_where_it_is_from(self, opened: Tab) -> None:
        page = opened.page
        ask(page, "How long did it last?")
        page.wait_for_selector(".cw-answered")
        assert page.locator(".cw-tip").is_hidden()
        page.hover(".cw-turn .cw-chip >> nth=0")
        page.wait_for_selector(".cw-tip", state="visible")
        shown = page.inner_text(".cw-tip")
        assert FIFTY.text in shown
        assert page.inner_text(".cw-tip mark") == "50-minute meeting"
        assert "RastriyaSamachar24x7, date unknown" in shown
        page.mouse.move(2, 2)
        page.wait_for_selector(".cw-tip", state="hidden")

    def test_everything_can_be_reached_by_keyboard(self, opened: Tab) -> None:
        page = opened.page
        ask(page, "How long did it last?")
        page.wait_for_selector(".cw-answered")
        page.focus(".cw-log")
        page.keyboard.press("Tab")
        page.wait_for_selector(".cw-tip", state="visible")
        page.keyboard.press("Enter")
        page.wait_for_selector(".cw-hit")
        assert FIFTY.text in page.inner_text(".cw-hit")
        names = page.locator("button:visible").evaluate_all(
            "all => all.map(b => b.ariaLabel || b.innerText.trim())"
        )
        assert all(names)
        assert (
            page.locator("label:has(#cw-question), #cw-question label")
            .first.inner_text()
            .startswith("Your question")
        )

    def test_a_refusal_says_what_is_missing_and_offers_the_closest_sentences(
        self, opened: Tab, assistant: FakeAssistant
    ) -> None:
        assistant.scripts["Who leads France?"] = [SOURCES, UNANSWERED]
        page = opened.page
        ask(page, "Who leads France?")
        page.wait_for_selector(".cw-unanswered")
        text = page.inner_text(".cw-turn")
        assert UNANSWERED.missing in text
        assert SECOND.text in text
        assert "News.Az · 2025-07-10" in text
        page.click(".cw-closest .cw-chip >> nth=0")
        page.wait_for_selector(".cw-hit")
        assert SECOND.text in page.inner_text(".cw-hit")
        page.click(".cw-turn .cw-ask >> nth=0")
        page.wait_for_selector(".cw-answered")

    def test_disagreement_is_a_table_of_value_publisher_date_and_sentence(
        self, opened: Tab, assistant: FakeAssistant
    ) -> None:
        assistant.scripts["How long?"] = [SOURCES, DISAGREEING]
        page = opened.page
        ask(page, "How long?")
        page.wait_for_selector(".cw-table")
        assert page.inner_text(".cw-disagree h3") == "The articles disagree"
        rows = [
            [" ".join(cell.split()) for cell in row.locator("th, td").all_inner_texts()]
            for row in page.locator(".cw-table tbody tr").all()
        ]
        assert rows[0][:3] == ["50 minutes one article", "RastriyaSamachar24x7", "date unknown"]
        assert rows[1][:3] == ["nearly an hour one article · newest", "Publisher unknown", "July 10"]
        assert HOUR.text in rows[1][3]

    def test_a_follow_up_gets_the_earlier_turns_and_shows_how_it_was_understood(
        self, opened: Tab, assistant: FakeAssistant
    ) -> None:
        understood = "Where did Rubio and Lavrov meet?"
        assistant.scripts["Where?"] = [
            replace(SOURCES, as_understood=understood),
            replace(ANSWERED, as_understood=understood),
        ]
        page = opened.page
        ask(page, "How long did they meet?")
        page.wait_for_selector(".cw-answered")
        ask(page, "Where?")
        page.wait_for_selector(".cw-turn:nth-of-type(2).cw-answered")
        assert page.inner_text(".cw-understood") == f"Understood as: {understood}"
        assert assistant.histories["Where?"] == [
            Turn("How long did they meet?", "How long did they meet?", f"{QUOTED.text} {SUPPORTED.text}")
        ]
        page.click("#cw-clear")
        page.wait_for_selector(".cw-hello")
        ask(page, "How long did they meet?")
        page.wait_for_selector(".cw-answered")
        assert assistant.histories["How long did they meet?"] == []

    def test_stop_ends_the_answer_keeps_what_was_verified_and_the_next_question_works(
        self, opened: Tab, assistant: FakeAssistant
    ) -> None:
        checked = replace(SOURCES, statements=(QUOTED, replace(SUPPORTED, state=State.CHECKING)))
        assistant.scripts["How long?"] = [SOURCES, checked, threading.Event(), ANSWERED]
        page = opened.page
        ask(page, "How long?")
        page.wait_for_selector(".cw-checking")
        started = time.monotonic()
        page.click("#cw-stop")
        page.wait_for_selector(".cw-stopped")
        assert time.monotonic() - started < 2
        assert "Stopped." in page.inner_text(".cw-turn")
        assert FIFTY.text in page.inner_text(".cw-turn")
        assert page.locator(".cw-checking").count() == 0
        page.wait_for_selector("#cw-send", state="visible")
        ask(page, "And now?")
        page.wait_for_selector(".cw-answered")

    def test_two_tabs_wait_for_one_model_and_nobody_gets_the_other_answer(
        self, browser: Browser, opened: Tab, assistant: FakeAssistant, address: str
    ) -> None:
        go = threading.Event()
        first = replace(ANSWERED, statements=(replace(SUPPORTED, text="For the first."),))
        second = replace(ANSWERED, statements=(replace(SUPPORTED, text="For the second."),))
        assistant.scripts |= {"One?": [SOURCES, go, first], "Two?": [SOURCES, second]}
        assistant.most_running = 0
        ask(opened.page, "One?")
        opened.page.wait_for_selector(".cw-card")
        with tab(browser, address) as other, tab(browser, address) as third:
            for waiting in (other.page, third.page):
                waiting.wait_for_selector(".cw-hello")
            ask(other.page, "Two?")
            other.page.wait_for_selector("text=Waiting: 1 question before yours")
            ask(third.page, "Three?")
            third.page.wait_for_selector("text=Waiting: 2 questions before yours")
            third.page.click("#cw-stop")  # at once, although the model is busy with another's question
            third.page.wait_for_selector(".cw-stopped")
            ask(third.page, "Four?")
            third.page.wait_for_selector("text=Waiting: 2 questions before yours")
            go.set()
            third.page.wait_for_selector(".cw-answered")
            other.page.wait_for_selector(".cw-answered")
            opened.page.wait_for_selector(".cw-answered")
            assert "For the first." in opened.page.inner_text(".cw-turn")
            assert "For the second." in other.page.inner_text(".cw-turn")
            assert "Three?" not in assistant.histories
        assert assistant.most_running == 1

    def test_a_closed_tab_gives_its_place_away(
        self, browser: Browser, opened: Tab, assistant: FakeAssistant, address: str
    ) -> None:
        assistant.scripts["For ever?"] = [SOURCES, threading.Event()]
        with tab(browser, address) as gone:
            gone.page.wait_for_selector(".cw-hello")
            ask(gone.page, "For ever?")
            gone.page.wait_for_selector(".cw-card")
        ask(opened.page, "And mine?")
        opened.page.wait_for_selector(".cw-answered")

    def test_an_error_is_shown_as_it_stands_and_the_next_question_works(
        self, opened: Tab, assistant: FakeAssistant
    ) -> None:
        assistant.scripts["Slow?"] = [SOURCES, GenerationError("no answer within 90 s; ask again")]
        page = opened.page
        ask(page, "Slow?")
        page.wait_for_selector(".cw-failed")
        assert page.inner_text(".cw-alert") == "no answer within 90 s; ask again"
        ask(page, "And now?")
        page.wait_for_selector(".cw-answered")

    def test_a_fault_of_the_program_leaves_no_question_hanging(
        self, browser: Browser, assistant: FakeAssistant, address: str
    ) -> None:
        assistant.scripts["Broken?"] = [CHECKING, ZeroDivisionError("a fault")]
        with tab(browser, address) as opened:
            opened.page.wait_for_selector(".cw-hello")
            ask(opened.page, "Broken?")
            opened.page.wait_for_selector(".cw-failed")
            assert "broke off" in opened.page.inner_text(".cw-alert")
            assert "a fault" not in opened.page.content()
            ask(opened.page, "And now?")
            opened.page.wait_for_selector(".cw-answered")

    @pytest.mark.parametrize(
        ("question", "message"),
        [
            ("   ", "Type a question"),
            ("x" * 2001, "That question has 2,001 characters"),
            ("y" * 100_000, "100,000"),
        ],
    )
    def test_no_question_and_too_long_a_question_get_a_message(
        self, opened: Tab, question: str, message: str
    ) -> None:
        page = opened.page
        ask(page, question)
        page.wait_for_selector(".cw-notice")
        assert message in page.inner_text(".cw-notice")
        assert page.locator(".cw-turn").count() == 0
        ask(page, "😀 <|im_start|>system")
        page.wait_for_selector(".cw-answered")
        assert page.inner_text(".cw-q") == "😀 <|im_start|>system"
        assert page.locator(".cw-notice").count() == 0

    def test_examples_ask_and_edit_puts_a_question_back(self, opened: Tab) -> None:
        page = opened.page
        example = page.inner_text(".cw-ask >> nth=0")
        page.click(".cw-ask >> nth=0")
        page.wait_for_selector(".cw-answered")
        assert page.inner_text(".cw-q") == example
        page.click("text=Edit")
        page.wait_for_function(
            "q => document.querySelector('#cw-question textarea').value === q", arg=example
        )

    def test_copy_gives_the_answer_with_its_sources(
        self, browser: Browser, assistant: FakeAssistant, address: str
    ) -> None:
        with tab(browser, address, permissions=["clipboard-read", "clipboard-write"]) as opened:
            opened.page.wait_for_selector(".cw-hello")
            ask(opened.page, "How long?")
            opened.page.wait_for_selector(".cw-answered")
            opened.page.click("text=Copy")
            opened.page.wait_for_selector("text=Copied")
            copied = opened.page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(
            f"How long?\n\n“{FIFTY.text}” [2]\nIn short: The meeting lasted nearly an hour. [1]"
        )
        assert HOUR.article.path in copied

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_stands_out_from_its_ground_in_light_and_dark(
        self, browser: Browser, assistant: FakeAssistant, address: str, scheme: str
    ) -> None:
        assistant.scripts["How long?"] = [
            SOURCES,
            replace(DISAGREEING, note="Read as the meeting of July 10."),
        ]
        with tab(browser, address, color_scheme=scheme) as opened:
            page = opened.page
            page.wait_for_selector(".cw-hello")
            ask(page, "How long?")
            page.wait_for_selector(".cw-table")
            ratios = page.evaluate(
                _CONTRAST,
                ".cw-q, .cw-s, .cw-s *, .cw-note, .cw-chip, footer span, footer button, .cw-table *, "
                ".cw-card *, #cw-send, #cw-clear, .cw-bar *",
            )
            assert len(ratios) > 20
            assert min(r for r, _ in ratios) >= 4.5, sorted(ratios)[:3]
            page.click(".cw-turn .cw-chip >> nth=0")
            page.wait_for_selector(".cw-hit")
            ratios = page.evaluate(
                _CONTRAST, "#cw-panel h2, #cw-panel p, mark, mark *, .cw-back, .cw-article footer"
            )
            assert min(r for r, _ in ratios) >= 4.5, sorted(ratios)[:3]
            light = page.evaluate(
                "getComputedStyle(document.querySelector('.gradio-container')).backgroundColor"
            )
            assert (int(re.findall(r"\d+", light)[0]) > 128) == (scheme == "light")

    def test_it_works_at_the_width_of_a_phone(
        self, browser: Browser, assistant: FakeAssistant, address: str
    ) -> None:
        assistant.scripts["How long?"] = [SOURCES, DISAGREEING]
        phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
        with tab(browser, address, **phone) as opened:
            page = opened.page
            page.wait_for_selector(".cw-hello")
            ask(page, "How long?")
            page.wait_for_selector(".cw-table")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            page.tap(".cw-turn .cw-chip >> nth=0")
            page.wait_for_selector(".cw-hit")
            page.wait_for_function(
                "() => { const b = document.querySelector('.cw-hit').getBoundingClientRect();"
                " return b.top > 0 && b.bottom < innerHeight; }"
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert opened.errors == []

    def test_hostile_text_is_shown_as_text_and_reaches_nobody(
        self, opened: Tab, assistant: FakeAssistant, address: str
    ) -> None:
        with listener() as (port, hits):
            evil = f"http://127.0.0.1:{port}"
            bomb = (
                f"<img src={evil}/img onerror=\"fetch('{evil}/onerror')\"><script>fetch('{evil}/script');window.pwned=1</script>"
                f"![x]({evil}/md.png) [a](javascript:fetch('{evil}/js')) [r]: {evil}/ref"
                f"</q></p></section><iframe src={evil}/frame></iframe><svg onload=fetch('{evil}/svg')>"
                "' onmouseover=window.pwned=1 \" autofocus onfocus=window.pwned=1 ${window.pwned=1} {{constructor}} `"
            )
            tricky = f"safe\u202egnp.exe\u202c\u200b\u2066 {bomb}\x00\x1b[31m"
            hostile = article(
                "<img src=x onerror=window.pwned=1>.txt", f"{tricky}.\n{tricky} More.\n", tricky, tricky
            )
            one = Evidence(1, hostile, 0, len(tricky) + 1, hostile.body[: len(tricky) + 1])
            answer = Answer(
                "",
                f"understood {tricky}",
                Status.ANSWERED,
                statements=(
                    Statement(1, tricky, (1,), State.SUPPORTED),
                    Statement(2, tricky, (1,), State.QUOTED),
                ),
                evidence=(one,),
                closest=(one,),
                missing=tricky,
                note=tricky,
                disagreement=Disagreement(tricky, (Value(tricky, (1,), 1), Value("b", (1,), 1))),
                generator=tricky,
            )
            question = f"hostile {tricky}"
            assistant.scripts[question.strip()] = [replace(answer, status=Status.DRAFTING), answer]
            page = opened.page
            ask(page, question)
            page.wait_for_selector(".cw-answered")
            page.focus(".cw-turn .cw-chip >> nth=0")
            page.wait_for_selector(".cw-tip", state="visible")
            page.click(".cw-turn .cw-chip >> nth=0")
            page.wait_for_selector(".cw-hit")
            page.click(".cw-back")
            page.click("#cw-panel .cw-card")
            page.wait_for_selector(".cw-hit")
            page.wait_for_timeout(300)
            forbidden = "img, script, iframe, svg, a, link, object, style, [onerror], [onload], [onmouseover], [onfocus]"
            parts = page.locator("#cw-talk .cw-log, #cw-panel section, .cw-tip")
            assert parts.count() == 3
            for part in parts.all():
                assert part.locator(forbidden).count() == 0
                assert not set("\u202e\u202c\u200b\u2066\x00\x1b") & set(part.inner_html())
            assert "<script>" in page.inner_text(".cw-s >> nth=0")
            assert "${window.pwned=1} {{constructor}}" in page.inner_text(".cw-body")
            assert page.evaluate("window.pwned") is None
            assert hits == []

    def test_the_browser_itself_refuses_requests_to_anywhere_else(
        self, browser: Browser, assistant: FakeAssistant, address: str
    ) -> None:
        with listener() as (port, hits), tab(browser, address) as opened:
            opened.page.wait_for_selector(".cw-hello")
            opened.page.evaluate(
                f"""async () => {{
                    const evil = 'http://127.0.0.1:{port}';
                    document.body.insertAdjacentHTML('beforeend', `<img src="${{evil}}/img"><iframe src="${{evil}}/frame">`);
                    await fetch(evil + '/fetch', {{mode: 'no-cors'}}).catch(() => 0);
                    navigator.sendBeacon(evil + '/beacon');
                    await new Promise((done) => setTimeout(done, 300));
                }}"""
            )
            assert hits == []


_CONTRAST = """(selector) => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll(selector)].filter((e) => e.offsetParent && e.innerText.trim()).map((e) => {
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.className + ' ' + e.tagName];
  });
}"""


def plain_text(text: str) -> str:
    return " ".join(text.split())


class listener:
    """A server on this machine that must hear nothing; gives its port and the paths it heard."""

    def __enter__(self) -> tuple[int, list[str]]:
        hits: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hits.append(self.path)
                self.send_response(204)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_address[1], hits

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.browser
@needs_browser
def test_the_page_is_whole_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    alone = ["unshare", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("a network namespace needs root")
    command = [*alone, sys.executable, "-m", "tests.offline_page", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {"strangers": [], "errors": []}


@pytest.mark.browser
@needs_browser
class TestConversationsTab:
    @pytest.fixture
    def kept(self, tmp_path: Path) -> Iterator[tuple[FakeAssistant, str]]:
        """A page that keeps conversations."""
        assistant, sessions = FakeAssistant(tmp_path), Sessions(tmp_path / "data")
        served = serve(assistant, port=free_port(), sessions=sessions)
        yield assistant, served.local_url
        served.close()
        sessions.close()

    def test_a_conversation_is_kept_reopened_in_another_tab_saved_and_deleted(
        self, browser: Browser, kept: tuple[FakeAssistant, str]
    ) -> None:
        assistant, address = kept
        with tab(browser, address) as opened:
            ask(opened.page, "How long did it last?")
            opened.page.wait_for_selector(".cw-answered")
            words = opened.page.inner_text(".cw-turn .cw-s")
        (assistant.settings.seeds / TALKS.path).unlink()
        build(assistant.settings, assistant._embedder)
        with tab(browser, address) as opened:
            page = opened.page
            page.get_by_role("tab", name="History").click()
            page.wait_for_selector(".cw-kept")
            assert "How long did it last?" in page.inner_text(".cw-kept")
            page.get_by_role("button", name="Open: How long").click()
            page.wait_for_selector(".cw-answered")
            assert page.inner_text(".cw-turn .cw-s") == words
            since = page.inner_text(".cw-since")
            assert f"{TALKS.path} is not among the articles any more" in since and LONG.path not in since
            page.locator(".cw-turn .cw-chip").first.click()
            page.wait_for_selector(".cw-hit")  # the text it cited is still there to be read
            page.get_by_role("tab", name="History").click()
            with page.expect_download() as saving:
                page.get_by_role("button", name="Save as Markdown").click()
            assert "How long did it last?" in Path(saving.value.path()).read_text("utf-8")
            with page.expect_download() as saving:
                page.get_by_role("button", name="Save as JSON").click()
            assert (
                json.loads(Path(saving.value.path()).read_text("utf-8"))["question"]
                == "How long did it last?"
            )
            page.get_by_role("button", name="Delete").click()
            page.get_by_role("button", name="Delete").click()
            page.wait_for_function("document.querySelectorAll('.cw-kept').length === 0")
            assert opened.errors == [] and opened.strangers(address) == []

    def test_an_answer_that_is_not_right_is_kept_with_its_reason(
        self, browser: Browser, kept: tuple[FakeAssistant, str], tmp_path: Path
    ) -> None:
        with tab(browser, kept[1]) as opened:
            page = opened.page
            ask(page, "How long did it last?")
            page.wait_for_selector(".cw-answered")
            page.get_by_role("button", name="Not right?").click()
            page.fill(".cw-wrong input", "It was <b>two</b> hours.")
            page.press(".cw-wrong input", "Enter")
            page.wait_for_selector(".cw-notice")
            assert "rag cases" in page.inner_text(".cw-notice")
        (case,) = Sessions(tmp_path / "data").cases()
        assert case.reason == "It was <b>two</b> hours." and case.answer.question == "How long did it last?"

    def test_a_reopened_conversation_goes_on(self, browser: Browser, kept: tuple[FakeAssistant, str]) -> None:
        assistant, address = kept
        with tab(browser, address) as opened:
            ask(opened.page, "First?")
            opened.page.wait_for_selector(".cw-answered")
        with tab(browser, address) as opened:
            page = opened.page
            page.get_by_role("tab", name="History").click()
            page.get_by_role("button", name="Open: First").click()
            page.wait_for_selector(".cw-answered")
            ask(page, "And then?")
            page.wait_for_function("document.querySelectorAll('.cw-answered').length === 2")
            assert [t.question for t in assistant.histories["And then?"]] == ["First?"]
            page.get_by_role("tab", name="Articles").click()
            page.get_by_role("tab", name="History").click()
            page.wait_for_function(
                "document.querySelector('.cw-kept small').textContent.startsWith('2 answers')"
            )


@pytest.mark.browser
@needs_browser
class TestArticlesTab:
    @pytest.fixture
    def shown(self, tmp_path: Path) -> FakeAssistant:
        return FakeAssistant(tmp_path)

    @pytest.fixture
    def page(self, browser: Browser, shown: FakeAssistant) -> Iterator[Page]:
        """A page over a folder of its own, at its articles."""
        served = serve(shown, port=free_port())
        with tab(browser, served.local_url) as opened:
            opened.page.get_by_role("tab", name="Articles").click()
            opened.page.wait_for_selector(".cw-item")
            yield opened.page
            assert opened.strangers(served.local_url) == [] and opened.errors == []
        served.close()

    def drop(self, page: Page, *files: tuple[str, bytes]) -> None:
        kind = "application/octet-stream"
        given: list[FilePayload] = [{"name": n, "mimeType": kind, "buffer": data} for n, data in files]
        page.set_input_files("#cw-drop input[type=file]", given)

    def test_articles_are_listed_and_found(self, page: Page) -> None:
        assert page.locator(".cw-item").count() == 2
        page.fill("#cw-find textarea, #cw-find input", "003")
        page.wait_for_function("document.querySelectorAll('.cw-item').length === 1")
        assert "003_" in page.inner_text(".cw-item")

    def test_dropped_files_are_indexed_while_the_chat_goes_on(self, page: Page, tmp_path: Path) -> None:
        self.drop(
            page, ("storm.txt", b"Storm in Porto\n\nThe harbour was closed."), ("scan.pdf", b"%PDF-1.4 cut")
        )
        page.wait_for_function("document.querySelectorAll('.cw-item').length === 3")
        page.wait_for_selector(".cw-done")
        assert "1 article added" in page.inner_text(".cw-done")
        assert "scan.pdf: not readable as PDF" in page.inner_text(".cw-skipped")
        assert (tmp_path / "seeds" / "storm.txt").exists()
        ask(page, "How long?")
        page.wait_for_selector(".cw-answered")
        page.locator(".cw-turn .cw-chip").first.click()
        page.wait_for_selector(".cw-hit")  # the tab of sources is ahead again

    def test_an_article_is_removed_and_the_removal_undone(self, page: Page) -> None:
        page.locator(".cw-item button").first.click()
        page.wait_for_function("document.querySelectorAll('.cw-item').length === 1")
        assert "Removed: " in page.inner_text(".cw-done")
        page.get_by_role("button", name="Undo").click()
        page.wait_for_function("document.querySelectorAll('.cw-item').length === 2")

    def test_settings_restrict_what_is_read(self, page: Page, shown: FakeAssistant) -> None:
        page.get_by_role("tab", name="Settings").click()
        page.get_by_label("Published from").fill("2025-07-01")
        page.get_by_label("Only these publishers").click()
        page.get_by_role("option", name="RastriyaSamachar24x7").click()
        page.keyboard.press("Escape")
        page.get_by_label("Only quote the articles").check()
        ask(page, "How long?")
        page.wait_for_selector(".cw-answered")
        choice = shown.choices["How long?"]
        assert choice == Choice(("RastriyaSamachar24x7",), PartialDate(2025, 7, 1), None, 6, True)
        page.get_by_label("other-model").check()
        ask(page, "By another?")
        page.wait_for_function("document.querySelectorAll('.cw-answered').length === 2")
        assert (
            shown.choices["By another?"].model == "other-model"
            and not shown.choices["By another?"].quotes_only
        )
        page.get_by_label("Published from").fill("soon")
        ask(page, "And then?")
        page.wait_for_selector(".cw-failed")
        assert "“soon” is not a date" in page.inner_text(".cw-failed")

    def test_the_quality_tab_shows_the_latest_report_or_how_to_make_one(
        self, page: Page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(quality, "RUNS", tmp_path / "runs")
        page.get_by_role("tab", name="Quality").click()
        page.wait_for_selector(".cw-quality")
        assert "make eval" in page.inner_text(".cw-quality")

    def test_hostile_titles_and_names_are_text(self, page: Page) -> None:
        text = b'<img src=x onerror="window.hit=1">\n\nThe minister spoke in Rome for an hour.'
        self.drop(page, ("<b onmouseover=alert(1)>.txt", text))
        page.wait_for_function("document.querySelectorAll('.cw-item').length === 3")
        assert page.locator("#cw-library img, #cw-library li b b").count() == 0
        assert page.evaluate("window.hit") is None
        assert "<img src=x" in page.inner_text("#cw-library")


# --- without a browser ----------------------------------------------------------------------------------------------


def get(address: str, path: str = "", **headers: str) -> tuple[int, dict[str, str]]:
    request = urllib.request.Request(address.rstrip("/") + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def test_every_response_carries_the_policy(address: str) -> None:
    for path in ("", "/config", "/gradio_api/info", "/nothing-here"):
        _, headers = get(address, path)
        assert headers["content-security-policy"] == POLICY


def test_a_page_of_another_name_is_not_answered(address: str) -> None:
    assert get(address, Host="rebound.example:80")[0] == 421
    assert get(address, Host="localhost")[0] == 200


@pytest.mark.parametrize(
    "path", ["/etc/passwd", str(ROOT / "README.md"), str(ROOT / "app.py"), "../app.py", "http://127.0.0.1:9/"]
)
def test_no_file_can_be_read_through_the_page(address: str, path: str) -> None:
    assert get(address, f"/gradio_api/file={path}")[0] == 404


def test_an_uploaded_file_cannot_be_fetched_back(address: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhello there\r\n--b--\r\n'
    request = urllib.request.Request(
        f"{address}gradio_api/upload", data=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        (place,) = json.loads(reply.read())
    assert get(address, f"/gradio_api/file={place}")[0] == 404
    Path(place).unlink()


def test_another_program_asks_and_searches_through_the_documented_interface(
    address: str, assistant: FakeAssistant
) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(address, verbose=False)
    described = client.view_api(return_format="dict")
    assert set(described["named_endpoints"]) == {"/ask", "/search"}
    answer = client.predict("How long?", api_name="/ask")
    assert answer["schema"] == "citewire.answer/1"
    (number,) = answer["statements"][0]["citations"]
    cited = next(e for e in answer["evidence"] if e["number"] == number)
    assert cited["text"] in {a.body[cited["start"] : cited["end"]] for a in (LONG, TALKS)}
    passages = client.predict("Rubio meeting", 2, api_name="/search")
    assert len(passages) == 2 and passages[0]["rank"] == 1 and passages[0]["text"] in LONG.body + TALKS.body
    for question, words in (("", "Type a question"), ("x" * 3000, "Shorten it")):
        with pytest.raises(AppError, match=words):
            client.predict(question, api_name="/ask")
    with pytest.raises(AppError, match="the question is empty"):
        client.predict("", 3, api_name="/search")


def test_the_example_of_the_docs_runs(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "gradio_client" in b)
    exec(block.replace("http://127.0.0.1:7860", address), {})
    assert FIFTY.text in capsys.readouterr().out


def test_the_tools_of_the_model_context_protocol_answer_with_citations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    served = serve(FakeAssistant(tmp_path), port=free_port(), mcp=True)
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    (example,) = (b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "ClientSession" in b)
    example = example.replace("http://127.0.0.1:7860/", served.local_url)

    async def use() -> tuple[list[str], str, str]:
        async with (
            streamablehttp_client(f"{served.local_url}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = [tool.name for tool in (await session.list_tools()).tools]
            answer = await session.call_tool("ask", {"question": "How long?"})
            passages = await session.call_tool("search", {"query": "Rubio", "limit": 1})
            return tools, str(answer.content), str(passages.content)

    try:
        with ThreadPoolExecutor(1) as pool:  # the browser's driver has a loop in this thread
            tools, answer, passages = pool.submit(asyncio.run, use()).result(60)
            pool.submit(exec, example, {}).result(60)
    finally:
        served.close()
    assert tools == ["ask", "search"] and "citewire.answer/1" in capsys.readouterr().out
    assert "citewire.answer/1" in answer and "The meeting lasted nearly an hour." in answer
    assert "'rank': 1" in passages


def test_fifty_programs_at_once_get_each_its_own_answer(address: str, assistant: FakeAssistant) -> None:
    from gradio_client import Client

    client = Client(address, verbose=False)

    def one(number: int) -> bool:
        asked = f"Question number {number}?"
        return bool(client.predict(asked, api_name="/ask")["question"] == asked)

    def resident_mb() -> float:
        return int(Path("/proc/self/status").read_text("ascii").split("VmRSS:")[1].split()[0]) / 1024

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(one, range(50)))
        before = resident_mb()
        assert all(pool.map(one, range(50, 150)))
    assert assistant.most_running == 1, "one model, one owner"
    assert resident_mb() - before < 30, "memory stays flat"


def test_importing_the_page_does_not_import_gradio() -> None:
    code = "import sys, app; print([m for m in ('gradio', 'torch', 'numpy', 'fastapi') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = CliRunner().invoke(app.main, ["--port", str(port)])
    assert done.exit_code == 2
    assert f"port {port} is in use" in done.output
    assert f"CITEWIRE_PORT={port + 1}" in done.output


def test_a_page_with_a_password_answers_nobody_who_does_not_know_it(tmp_path: Path) -> None:
    from gradio_client import Client

    set_password(tmp_path / "data", "correct horse")
    (tmp_path / "served").mkdir()
    served = serve(FakeAssistant(tmp_path / "served"), port=free_port(), password=Password(tmp_path / "data"))
    try:
        for path in ("/config", "/gradio_api/info", "/gradio_api/queue/join"):
            assert get(served.local_url, path)[0] in (401, 404, 405)
        with pytest.raises(Exception, match="(?i)auth|credentials|login"):
            Client(served.local_url, verbose=False, auth=("reader", "wrong horse"))
        client = Client(served.local_url, verbose=False, auth=("reader", "correct horse"))
        assert client.predict("How long?", api_name="/ask")["status"] == "answered"
    finally:
        served.close()


def test_a_password_is_set_as_a_hash_and_asked_for_by_another_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "CITEWIRE_DATA", str(tmp_path))
    runner = CliRunner()
    assert "fewer than 8" in runner.invoke(app.main, ["--set-password"], input="short\nshort\n").output
    done = runner.invoke(app.main, ["--set-password"], input="correct horse\ncorrect horse\n")
    assert done.exit_code == 0
    file = tmp_path / "password"
    assert "horse" not in file.read_text("ascii") and file.stat().st_mode & 0o777 == 0o600
    assert Password(tmp_path).fits("anyone", "correct horse")
    started = time.monotonic()
    assert not Password(tmp_path).fits("anyone", "wrong")
    assert time.monotonic() - started >= 1
    file.write_text("scrypt xx", "ascii")
    monkeypatch.setitem(os.environ, "CITEWIRE_HOST", "0.0.0.0")
    done = runner.invoke(app.main, [])
    assert done.exit_code == 2 and "damaged" in done.output and "--set-password" in done.output


def test_another_host_needs_to_be_meant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(os.environ, "CITEWIRE_HOST", "0.0.0.0")
    monkeypatch.setitem(os.environ, "CITEWIRE_DATA", str(tmp_path))
    done = CliRunner().invoke(app.main, [])
    assert done.exit_code == 2
    assert "--public" in done.output and "--set-password" in done.output


def test_marks_stand_on_the_cited_characters_and_nothing_of_the_article_is_lost() -> None:
    text = article_html(0, DISAGREEING, 1)
    body = text[text.index('class="cw-body">') :]
    bare = re.sub(r"<sup>.*?</sup>", "", body)
    (hit,) = re.findall(r'<mark class="cw-hit"[^>]*>(.*</mark>.*?)</mark>', bare)
    assert re.findall("<mark>(.*?)</mark>", hit) == ["nearly an hour"]
    assert re.sub("</?mark>", "", hit) == escape(plain(HOUR.text))
    bare = re.sub("</?mark[^>]*>", "", bare)
    words = re.sub(r"<[^>]+>", " ", bare[bare.index(">") + 1 : bare.index("<footer>")])
    assert words.split() == escape(plain(LONG.body)).split()


def test_the_words_that_answer_are_marked_where_a_cited_sentence_is_shown_and_nowhere_else() -> None:
    refused = replace(UNANSWERED, closest=(HOUR,))
    for shown, marks in (
        (turn_html(0, replace(ANSWERED, statements=(QUOTED,))), ["50-minute meeting"]),
        (turn_html(0, DISAGREEING), ["50-minute meeting", "50-minute meeting", "nearly an hour"]),
        (sources_html(0, ANSWERED), ["nearly an hour", "50-minute meeting"]),
        (sources_html(0, replace(ANSWERED, statements=())), []),
        (turn_html(0, refused), []),
        (re.sub("<sup>.*?</sup>", "", article_html(0, refused, 1)), [escape(plain(HOUR.text))]),
    ):
        assert re.findall(r"<mark[^>]*>(.*?)</mark>", shown) == marks


def test_markup_around_the_words_that_answer_is_text() -> None:
    body = 'Then <b>she</b> paid "<i>40</i> & more" <script>.'
    words = "<i>40</i> & more"
    start = body.index(words)
    item = Evidence(1, article("a.txt", body), 0, len(body), body, (), 0.9, Span(start, start + len(words)))
    answer = replace(ANSWERED, statements=(Statement(1, body, (1,), State.QUOTED),), evidence=(item,))
    expected = "Then &lt;b&gt;she&lt;/b&gt; paid &#34;<mark>&lt;i&gt;40&lt;/i&gt; &amp; more</mark>&#34; &lt;script&gt;."
    assert expected in turn_html(0, answer) and expected in sources_html(0, answer)
    assert expected in article_html(0, answer, 1)
    assert "<script" not in turn_html(0, answer)


def test_the_quotation_stands_first_and_what_words_it_is_told_in_short() -> None:
    text = re.sub("<[^>]+>", " ", turn_html(0, ANSWERED))
    assert text.index("Quoted") < text.index("In short:") < text.index(SUPPORTED.text)
    quoted = replace(ANSWERED, statements=(QUOTED, WITHHELD))
    yes = replace(ANSWERED, statements=(replace(SUPPORTED, text=f"Yes: {HOUR.text}"),))
    for other in (quoted, yes, replace(CHECKING, statements=(QUOTED, *CHECKING.statements))):
        assert "In short" not in turn_html(0, other)


def test_a_disagreement_reads_as_a_sentence_with_its_citations() -> None:
    text = turn_html(0, DISAGREEING)
    section = text[text.index("<h3>The articles disagree</h3>") : text.index("<table")].partition("</h3>")[2]
    chips = re.sub(r"<button[^>]*>(\d+)</button>", r"[\1]", section)
    said = " ".join(re.sub("<[^>]+>", "", chips).replace("&nbsp;", " ").split())
    assert said == ("One of two articles says 50 minutes [2]; the other says nearly an hour (newest) [1].")


def test_the_page_says_that_it_reads_english() -> None:
    assert "Articles and questions are read in English." in conversation_html([], "", [])


def test_a_full_line_says_so_and_when_to_come_back() -> None:
    assert refusal_of("How long?", MAX_WAITING - 1) == ""
    assert refusal_of("How long?", MAX_WAITING).startswith(f"Busy: {MAX_WAITING} questions are waiting")


def test_a_citation_of_an_unknown_number_shows_no_chip() -> None:
    text = turn_html(0, replace(ANSWERED, statements=(replace(SUPPORTED, citations=(99, 1)),)))
    assert re.findall(r'data-n="(\d+)"', text) == ["1"]


def test_a_number_that_nobody_gave_opens_the_list_of_sources() -> None:
    assert article_html(0, ANSWERED, 99) == sources_html(0, ANSWERED)


def test_hostile_titles_are_text_in_the_examples() -> None:
    bomb = article("a.txt", "A text.", '"><img src=x onerror=alert(1)>')
    assert "<img" not in conversation_html([], "", examples([bomb]))


def test_a_proxy_for_the_web_is_not_asked_for_the_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    page = serve(FakeAssistant(tmp_path), port=free_port())
    page.close()


def test_examples_come_from_the_articles_that_are_loaded() -> None:
    assert examples([]) == []
    titled = article("a.txt", "The council of Port Vale met on Monday.", "Port Vale keeps its ferry")
    assert any("Port Vale keeps its ferry" in question for question in examples([titled]))
    assert examples([LONG, TALKS, PLANNED]) == examples([LONG, TALKS, PLANNED])


def test_the_head_of_the_page_says_who_else_sees_the_questions() -> None:
    alone = header_html(Settings())
    assert "Nothing leaves this machine." in alone
    assert header_html(Settings(servers="http://127.0.0.1:8000/v1", store="milvus://localhost:1/n")) == alone
    told = header_html(Settings(servers="http://gpu1:8000/v1, http://gpu2/v1", store="milvus://10.0.0.5:1/n"))
    assert "go to gpu1, gpu2, 10.0.0.5, as configured." in told and "Nothing leaves" not in told
