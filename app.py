"""The page: a chat on `Assistant.stream`, beside it the sources, each opened at the sentence that is cited.

Everything on the page is our own HTML (`rag.ui.html`); nothing that a model or an article wrote is read as HTML or
Markdown. The page knows values and how to show them, not how they were made. It asks nothing of any other machine:
no fonts, no analytics, no scripts but its own, and a content security policy that has the browser hold it to that.
"""

# No `from __future__ import annotations` here: Gradio reads the listeners' annotations, and it is imported late.
import importlib.util
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import click

from rag.answering.freshness import Cited, Freshness, cited_by
from rag.answering.render import turn_of
from rag.codec import answer_to_dict, answer_to_json, passage_to_dict
from rag.config import Settings, load_settings
from rag.errors import CitewireError, ConfigError, missing_extra
from rag.ingest.articles import parse_date
from rag.ingest.library import Shelf
from rag.ingest.sources import READ
from rag.models.openai_client import servers_of
from rag.protocols import Cancel
from rag.schema import Answer, Article, Choice, Passage, Status, Turn
from rag.server.network import LOOPBACK, check_port, is_loopback
from rag.server.password import Password
from rag.server.password import set_password as keep_password
from rag.ui.html import (
    EMPTY_PANEL,
    EXAMPLE_ARTICLES,
    article_html,
    conversations_html,
    esc,
    examples,
    shelf_html,
    since_text,
    sources_html,
    talk_html,
    trust_html,
)
from rag.ui.quality import latest
from rag.ui.sessions import Sessions, to_markdown

if TYPE_CHECKING:
    import gradio as gr

MAX_WAITING = 20  # questions in line, about five minutes; the next one is asked to come back
MAX_QUESTION_CHARS = 2000
EXAMPLES_FRESH_S = 60.0  # articles may come and go while the page is open
MAX_UPLOAD_BYTES = 200 * 2**20  # one file; what is in it is bounded where it is read
PORT = "CITEWIRE_PORT={port}"  # how another port is set
LOOK_S = 0.7  # between two looks at how far indexing is


class Answerer(Protocol):
    """What the page needs of `rag.assistant.Assistant`."""

    settings: Settings

    def writers(self) -> list[str]:
        """Names of the models that may word an answer, the one that is set first."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, cancel: Cancel, choice: Choice
    ) -> Iterator[Answer]:
        """Growing answers from the articles that `choice` leaves, the last one final."""

    def publishers(self) -> list[str]:
        """Who published the articles, in order."""

    def articles(self, limit: int = -1) -> list[Article]:
        """Articles, by id; at most `limit` of them, all when it is -1."""

    def search(self, query: str, limit: int = 10) -> list[Passage]:
        """The `limit` best passages, best first."""

    def shelf(self) -> Shelf:
        """The articles, to be listed, added and taken out."""

    def freshness(self, cited: Iterable[Cited]) -> dict[str, Freshness]:
        """By id of each cited article, whether it has changed or gone since."""


class Session:
    """One open tab: its answers so far (a growing one last), and what is happening to the question it asked.

    Gradio copies the value of a `State` for each tab: a copy is a new, empty session.
    """

    def __init__(self) -> None:
        self.turns: list[Answer] = []
        self.number = (
            0  # of the question asked last; what still runs for an earlier one leaves the session alone
        )
        self.asked: str | None = None  # from Enter until the answer is final
        self.started = False  # the question is no longer waiting
        self.stop = threading.Event()
        self.kept = ""  # the id under which this conversation is kept
        self.since: dict[int, str] = {}  # what became of the articles of an answer that was reopened
        self.reading = False  # an article is open in the side panel, so new sources must not push it away

    def __deepcopy__(self, memo: dict[int, object]) -> "Session":
        return Session()

    def history(self) -> list[Turn]:
        """The earlier exchanges, without those that came to nothing."""
        return [
            turn_of(a) for a in self.turns if a.status not in (Status.DRAFTING, Status.FAILED, Status.STOPPED)
        ]


# --- the page -----------------------------------------------------------------------------------------------------


def refusal_of(question: str, waiting: int) -> str:
    """Why a question is not taken, in words; empty when it is."""
    if not question.strip():
        return "Type a question about the articles first."
    if len(question) > MAX_QUESTION_CHARS:
        return f"That question has {len(question):,} characters; at most {MAX_QUESTION_CHARS:,} are read. Shorten it."
    if waiting >= MAX_WAITING:
        return f"Busy: {waiting} questions are waiting. Try again in a minute."
    return ""


def choice_of(
    publishers: Sequence[str] | None, after: str, before: str, sentences: float, writer: str
) -> tuple[Choice, str]:
    """What the settings tab says, and what is wrong with it in words, "" when nothing is."""
    bounds = []
    for text in (after, before):
        known = parse_date(text) if text.strip() else None
        if text.strip() and (known is None or known.year is None):
            return (
                Choice(),
                f"{text.strip()[:40]} is no date; write it like 2025-07-10, 2025-07 or 2025 in the settings.",
            )
        bounds.append(known)
    wanted = tuple(str(p) for p in publishers or ())[:1000]
    quotes = writer == QUOTES
    count = max(0, min(12, int(sentences)))
    return Choice(wanted, bounds[0], bounds[1], count, quotes, "" if quotes else writer), ""


def _notice(text: str) -> str:
    return f'<p class="cw-notice" role="alert">{esc(text)}</p>' if text else ""


QUOTES = "Only quote the articles"
RUNS = Path("eval") / "runs"  # where the evaluation suite leaves its reports


def header(settings: Settings) -> str:
    """The head of the page. It says who else sees the questions, where the user named another machine."""
    places = [*servers_of(settings.servers), *([settings.store] if settings.store else [])]
    hosts = [urlsplit(p).hostname or p for p in places if not is_loopback(urlsplit(p).hostname or "")]
    where = (
        f"Questions and what is read for them go to {', '.join(dict.fromkeys(hosts))}, as you set it."
        if hosts
        else "Nothing leaves this machine."
    )
    return (
        '<header class="cw-bar"><b>Citewire</b><span>Every sentence is checked against the line it cites. '
        f"{esc(where)}</span></header>"
    )


def build(assistant: Answerer, sessions: Sessions | None = None) -> "gr.Blocks":
    """The page over `assistant`, not yet listening; with `sessions`, conversations are kept and listed."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import gradio as gr

    line: list[Session] = []  # sessions whose question is asked and not final; the first has the model
    open_tabs: dict[str, Session] = {}
    lock = threading.Lock()

    kept: list[str] = []
    kept_until = 0.0

    def suggestions() -> list[str]:
        nonlocal kept, kept_until
        if time.monotonic() >= kept_until:
            try:
                kept = examples(assistant.articles(EXAMPLE_ARTICLES))
            except CitewireError:
                kept = []  # the next question says what is wrong with the index
            kept_until = time.monotonic() + EXAMPLES_FRESH_S
        return kept

    def show(session: Session) -> str:
        with lock:
            ahead = line.index(session) if session in line else 0
        waiting = session.asked if session.asked is not None and not session.started else ""
        asked = suggestions() if not session.turns or session.turns[-1].final else ()
        return talk_html(session.turns, waiting, asked, ahead, session.since, sessions is not None)

    def buttons(busy: bool) -> list[object]:
        return [gr.Button(visible=not busy), gr.Button(visible=busy, value="Stop", interactive=True)]

    def begin(question: str, session: Session, number: int, request: gr.Request) -> list[object]:
        """Take the question out of the box and into the line, at once, whatever the model is doing."""
        with lock:
            refusal = refusal_of(question or "", len(line))
            if session in line:
                refusal = "One question at a time: wait for the answer, or stop it."
            if refusal:
                return [_notice(refusal), question, *[gr.skip()] * 5]
            line.append(session)
            waiting = len(line) > 1
        open_tabs[str(request.session_hash)] = session
        session.number = number + 1
        session.asked, session.started, session.stop = question.strip(), False, threading.Event()
        return ["", "", session.number, show(session), *buttons(busy=True), gr.Timer(active=waiting)]

    def begin_example(
        session: Session, number: int, request: gr.Request, event: gr.EventData
    ) -> list[object]:
        return begin(str(event._data.get("question", "")), session, number, request)

    def run(
        session: Session,
        number: int,
        publishers: list[str] | None,
        after: str,
        before: str,
        sentences: float,
        writer: str,
    ) -> Iterator[list[object]]:
        """Show the answer as it grows."""
        question, cancel, told = session.asked, session.stop.is_set, False
        if question is None or number != session.number:
            return  # stopped while it waited
        history = session.history()
        session.started = True
        session.turns.append(Answer(question, question, Status.DRAFTING))
        session.reading = False
        yield [show(session), gr.skip(), gr.Timer(active=False)]
        turn = len(session.turns) - 1
        choice, wrong = choice_of(publishers, after or "", before or "", sentences, writer)
        try:
            if wrong:
                raise ConfigError(wrong)
            for answer in assistant.stream(question, history, cancel=cancel, choice=choice):
                session.turns[turn] = answer
                if answer.final:
                    break
                panel = sources_html(turn, answer) if answer.evidence and not told else gr.skip()
                told = told or bool(answer.evidence)
                yield [show(session), panel, gr.skip()]
        except CitewireError as error:
            session.turns[turn] = Answer(question, question, Status.FAILED, error=str(error))
        answer = session.turns[turn]
        keep = session.reading or not answer.evidence
        yield [show(session), gr.skip() if keep else sources_html(turn, answer), gr.skip()]

    def give_up_place(session: Session) -> None:
        with lock:
            if session in line:
                line.remove(session)
        session.asked = None

    def settle(session: Session, number: int) -> list[object]:
        """Give the place in the line away, however the answer ended."""
        if number != session.number:
            return [gr.skip()] * 5
        give_up_place(session)
        if session.turns and not session.turns[-1].final:
            words = "This answer broke off; the terminal says why. Ask again."
            session.turns[-1] = replace(session.turns[-1], statements=(), status=Status.FAILED, error=words)
        told = ""
        if sessions is not None:
            try:
                session.kept = sessions.keep(session.kept, session.turns)
            except CitewireError as error:
                told = _notice(f"This conversation is not kept: {error}")
        return [show(session), *buttons(busy=False), gr.Timer(active=False), told or gr.skip()]

    def stop(session: Session) -> list[object]:
        """Stop the answer that grows; a question that still waits leaves the line at once."""
        session.stop.set()
        if session.asked is None or session.started:
            return [gr.skip(), gr.skip(), gr.Button(value="Stopping…", interactive=False), gr.skip()]
        session.turns.append(Answer(session.asked, session.asked, Status.STOPPED))
        give_up_place(session)
        return [show(session), *buttons(busy=False), gr.Timer(active=False)]

    def clear(session: Session) -> list[object]:
        if session.asked is not None:
            return [_notice("Stop the answer first."), gr.skip(), gr.skip()]
        session.turns.clear()
        session.since.clear()
        session.kept, session.reading = "", False
        return ["", show(session), EMPTY_PANEL]

    def report(session: Session, event: gr.EventData) -> str:
        """Keep an answer that the reader found wrong, with his reason and what was asked before it."""
        turn, reason = str(event._data.get("turn", "")), str(event._data.get("reason", ""))
        known = turn.isascii() and turn.isdigit() and int(turn) < len(session.turns)
        if sessions is None or not known or not session.turns[int(turn)].final:
            return ""
        before = [
            turn_of(a) for a in session.turns[: int(turn)] if a.status not in (Status.FAILED, Status.STOPPED)
        ]
        try:
            id_ = sessions.report(session.turns[int(turn)], before, reason)
        except CitewireError as error:
            return _notice(str(error))
        return _notice(
            f'Kept on this machine as case {id_}. "rag cases" lists such answers, "rag cases check" asks again.'
        )

    def conversations(session: Session) -> object:
        try:
            return conversations_html(sessions.listed() if sessions else (), session.kept)
        except CitewireError as error:
            return _notice(str(error))

    def act_on(session: Session, event: gr.EventData) -> list[object]:
        """Open, save or delete a kept conversation."""
        what, id_ = str(event._data.get("do", "")), str(event._data.get("id", ""))
        assert sessions is not None
        save = ("", "")
        try:
            if what == "delete":
                sessions.delete(id_)
                session.kept = "" if session.kept == id_ else session.kept
            elif what == "open":
                if session.asked is not None:
                    return [_notice("Stop the answer first."), gr.skip(), gr.skip()]
                session.turns = sessions.open(id_)
                session.kept, session.reading = id_, False
                states = (assistant.freshness(cited_by(a)) for a in session.turns)
                session.since = {n: text for n, found in enumerate(states) if (text := since_text(found))}
            elif what in ("markdown", "json"):
                turns = sessions.open(id_)
                lines = "\n".join(answer_to_json(a) for a in turns)
                save = (
                    ("conversation.md", to_markdown(turns))
                    if what == "markdown"
                    else ("conversation.jsonl", lines)
                )
            return ["", show(session), conversations_html(sessions.listed(), session.kept, save)]
        except CitewireError as error:
            return [_notice(str(error)), gr.skip(), conversations(session)]

    def open_source(session: Session, event: gr.EventData) -> object:
        """Open what a chip, a card or a button names. The names come from the browser: looked up, never trusted."""
        turn, number = str(event._data.get("turn", "")), str(event._data.get("n", ""))
        if not turn.isascii() or not turn.isdigit() or int(turn) >= len(session.turns):
            return gr.skip()
        answer = session.turns[int(turn)]
        session.reading = number.isascii() and number.isdigit()
        return (
            article_html(int(turn), answer, int(number))
            if session.reading
            else sources_html(int(turn), answer)
        )

    def open_source_tab(session: Session, event: gr.EventData) -> list[object]:
        """The same, with the tab of sources ahead of the others."""
        return [open_source(session, event), gr.Tabs(selected="sources")]

    shelf, writers = assistant.shelf(), assistant.writers()

    def articles(query: str) -> list[object]:
        """The articles tab, and whether it is to be looked at again."""
        try:
            items, total = shelf.items(query or "")
        except CitewireError as error:
            return [_notice(str(error)), gr.Timer(active=False)]
        state = shelf.state()
        return [shelf_html(items, total, query or "", state), gr.Timer(active=bool(state.busy))]

    def add(files: list[str] | None, query: str) -> list[object]:
        """Take uploaded files over into the folder of articles; Gradio's own copies are deleted."""
        given = [Path(f) for f in files or ()]
        shelf.add([(f.name, f) for f in given])
        for file in given:
            file.unlink(missing_ok=True)
        return [gr.File(value=None), *articles(query)]

    def act(query: str, event: gr.EventData) -> list[object]:
        """Remove an article or bring it back. Its id comes from the browser: looked up, never trusted."""
        what, id_ = str(event._data.get("do", "")), str(event._data.get("id", ""))
        try:
            if what == "remove":
                shelf.remove(id_)
            elif what == "restore" and id_ in shelf.state().removed:
                shelf.restore(id_)
        except CitewireError as error:
            return [_notice(str(error)), gr.Timer(active=False)]
        return articles(query)

    def offered(chosen: list[str] | None) -> object:
        """The publishers of the articles as they are now."""
        try:
            known = assistant.publishers()
        except CitewireError:
            known = []
        return gr.Dropdown(choices=known, value=[p for p in chosen or () if p in known])

    def edit(event: gr.EventData) -> str:
        return str(event._data.get("question", ""))[:MAX_QUESTION_CHARS]

    def leave(request: gr.Request) -> None:
        """A closed tab stops its question and gives its place away."""
        session = open_tabs.pop(str(request.session_hash), None)
        if session is not None:
            session.stop.set()
            give_up_place(session)

    def api_ask(question: str) -> dict[str, Any]:
        """Answer a question from the articles, every statement checked against the sentence it cites.

        Args:
            question: At most 2,000 characters, in English, about what the articles report.

        Returns:
            The answer as JSON of schema citewire.answer/1 (docs/answer.md): statements with the numbers of the evidence they
            cite, the evidence with article and characters, and what is missing where the articles do not say it.
        """
        if refusal := refusal_of(question, 0):
            raise gr.Error(refusal, print_exception=False)
        try:
            *_, final = assistant.stream(question, (), cancel=lambda: False, choice=Choice())
        except CitewireError as error:
            raise gr.Error(str(error), print_exception=False) from None
        found: dict[str, Any] = answer_to_dict(final)
        return found

    def api_search(query: str, limit: int = 5) -> list[dict[str, Any]]:
        """Find the passages of the articles that fit a query best, by words and by meaning. No model writes anything.

        Args:
            query: Words or a question.
            limit: How many passages, 1 to 50.

        Returns:
            Passages, best first: the article's id and facts, the characters of its text, the text, its rank by meaning
            (dense_rank) and by words (lexical_rank).
        """
        try:
            return [passage_to_dict(p) for p in assistant.search(query, max(1, min(50, int(limit))))]
        except CitewireError as error:
            raise gr.Error(str(error), print_exception=False) from None

    # through the queue, because only it tells the browser that a State changed; without a limit, so never in line
    quick = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
    with gr.Blocks(
        title="Citewire",
        analytics_enabled=False,
        fill_width=True,
        fill_height=True,
        delete_cache=(600, 600),  # seconds: what was uploaded and never taken over
    ) as page:
        session, number = gr.State(Session()), gr.State(0)
        timer = gr.Timer(1.0, active=False)
        gr.HTML(header(assistant.settings), elem_id="cw-top", apply_default_css=False, js_on_load=None)
        with gr.Row(elem_id="cw-main"):
            with gr.Column(elem_id="cw-left"):
                talk = gr.HTML("", elem_id="cw-talk", apply_default_css=False, js_on_load=_JS_TALK)
                notice = gr.HTML("", elem_id="cw-notice", apply_default_css=False, js_on_load=None)
                with gr.Row(elem_id="cw-box"):
                    box = gr.Textbox(
                        label="Your question",
                        show_label=False,
                        placeholder="Ask a question",
                        lines=1,
                        max_lines=6,
                        autofocus=True,
                        container=False,
                        elem_id="cw-question",
                    )
                    ask = gr.Button("Ask", variant="primary", elem_id="cw-send", min_width=72)
                    halt = gr.Button("Stop", visible=False, elem_id="cw-stop", min_width=72)
                    wipe = gr.Button("Clear", elem_id="cw-clear", min_width=72)
            with gr.Column(elem_id="cw-side"), gr.Tabs(selected="sources", elem_id="cw-tabs") as tabs:
                with gr.Tab("Sources", id="sources"):
                    panel = gr.HTML(
                        EMPTY_PANEL, elem_id="cw-panel", apply_default_css=False, js_on_load=_JS_PANEL
                    )
                with gr.Tab("Articles", id="articles") as shelf_tab:
                    drop = gr.File(
                        label="Add articles",
                        file_count="multiple",
                        file_types=sorted(READ),
                        height=150,
                        elem_id="cw-drop",
                    )
                    search = gr.Textbox(
                        label="Find an article",
                        show_label=False,
                        placeholder="Find by title, publisher or file",
                        container=False,
                        elem_id="cw-find",
                    )
                    shelf_list = gr.HTML(
                        "", elem_id="cw-shelf", apply_default_css=False, js_on_load=_JS_SHELF
                    )
                    again = gr.Timer(LOOK_S, active=False)
                with gr.Tab("History", id="conversations", visible=sessions is not None) as kept_tab:
                    kept_list = gr.HTML("", elem_id="cw-kept", apply_default_css=False, js_on_load=_JS_KEPT)
                with gr.Tab("Settings", id="settings") as settings_tab, gr.Column(elem_id="cw-settings"):
                    from_publishers = gr.Dropdown(
                        [],
                        value=[],
                        multiselect=True,
                        label="Only these publishers",
                        info="None: all articles",
                    )
                    after = gr.Textbox(label="Published from", placeholder="2025-07-01")
                    before = gr.Textbox(
                        label="Published until",
                        placeholder="2025-07-31",
                        info="With either, articles without a full date are left out",
                    )
                    sentences = gr.Slider(
                        2,
                        12,
                        value=6,
                        step=1,
                        label="Sentences read for an answer",
                        info="More sentences take longer",
                    )
                    writer = gr.Radio(
                        [*writers, QUOTES],
                        value=(*writers, QUOTES)[0],
                        label="Who words the answer",
                        info="Either way, every sentence is checked",
                    )
                with gr.Tab("Trust", id="trust") as trust_tab:
                    trust = gr.HTML("", elem_id="cw-trust", apply_default_css=False, js_on_load=None)

        begun = [notice, box, number, talk, ask, halt, timer]
        gr.on([box.submit, ask.click], begin, [box, session, number], begun, **quick)
        talk.select(begin_example, [session, number], begun, **quick)
        # one model, one owner: whatever asks shares this id
        ran = number.change(
            run,
            [session, number, from_publishers, after, before, sentences, writer],
            [talk, panel, timer],
            concurrency_id="model",
            concurrency_limit=1,
            trigger_mode="multiple",  # a question may follow one that was stopped in line and is still to pass
            show_progress="hidden",
            api_visibility="private",
        )
        for ended in (ran.then, ran.failure):  # Gradio's `then` passes over failures
            ended(settle, [session, number], [talk, ask, halt, timer, notice], **quick)
        timer.tick(show, [session], [talk], **quick)
        halt.click(stop, [session], [talk, ask, halt, timer], **quick)
        wipe.click(clear, [session], [notice, talk, panel], **quick)
        gr.on([talk.click, panel.click], open_source_tab, [session], [panel, tabs], **quick)
        listed = [shelf_list, again]
        gr.on([shelf_tab.select, search.change, again.tick], articles, [search], listed, **quick)
        drop.upload(add, [drop, search], [drop, *listed], **quick)
        shelf_list.click(act, [search], listed, **quick)
        settings_tab.select(offered, [from_publishers], [from_publishers], **quick)
        trust_tab.select(lambda: trust_html(latest(RUNS)), None, [trust], **quick)
        kept_tab.select(conversations, [session], [kept_list], **quick)
        kept_list.click(act_on, [session], [notice, talk, kept_list], **quick)
        talk.edit(edit, None, [box], **quick)
        talk.like(report, [session], [notice], **quick)
        page.load(show, [session], [talk], **quick)
        page.unload(leave)
        api_ask.__name__, api_search.__name__ = "ask", "search"  # what the tools are called
        gr.api(api_ask, api_name="ask", concurrency_id="model")
        gr.api(api_search, api_name="search", concurrency_limit=4)
    page.queue(max_size=10 * MAX_WAITING)  # of all events, quick ones included; `begin` bounds the questions
    return page


# --- listening ----------------------------------------------------------------------------------------------------

_Scope = MutableMapping[str, Any]  # the ASGI interface's own types
_Message = MutableMapping[str, Any]

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-src 'none'; object-src 'none'; "
    "form-action 'none'; base-uri 'self'; frame-ancestors 'none'"
)


# Gradio's routes that serve files. The page serves none, and `file=` with a web address asks the network.
FILE_ROUTES = ("file=", "file/", "proxy=", "stream/")


class _Guard:
    """ASGI middleware: every response carries the policy, and on this machine only its own names are answered.

    The latter stops another site's page from reaching this one by pointing its name here (DNS rebinding).
    """

    def __init__(self, app: Callable[..., Awaitable[None]], names: frozenset[str]) -> None:
        self._app = app
        self._names = names

    def _refusal(self, scope: _Scope) -> tuple[int, bytes] | None:
        host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "")
        if self._names and host.rsplit(":", 1)[0] not in self._names and host not in self._names:
            return 421, b"This page answers to the names of this machine only."
        path = str(scope["path"]).lstrip("/").removeprefix("gradio_api/")
        return (404, b"This page serves no files.") if path.startswith(FILE_ROUTES) else None

    async def __call__(
        self,
        scope: _Scope,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        async def send_with_policy(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"content-security-policy", POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal:
            await send_with_policy({"type": "http.response.start", "status": refusal[0], "headers": []})
            await send({"type": "http.response.body", "body": refusal[1]})
        else:
            await self._app(scope, receive, send_with_policy)


def serve(
    assistant: Answerer,
    host: str = "127.0.0.1",
    port: int = 7860,
    sessions: Sessions | None = None,
    password: Password | None = None,
    mcp: bool = False,
) -> "gr.Blocks":
    """The page, listening; returns at once, `close()` ends it. `local_url` is its address. With `password`, who asks for
    anything but the form for it is turned away; with `mcp`, "ask" and "search" are tools at /gradio_api/mcp/.

    Raises `ConfigError` when the port is taken.
    """
    check_port(host, port, PORT)
    for name in ("NO_PROXY", "no_proxy"):  # Gradio looks at its own page first, which no proxy can reach
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
    page = build(assistant, sessions)
    import gradio as gr
    from starlette.middleware import Middleware

    names = frozenset({*LOOPBACK, host}) if is_loopback(host) else frozenset()
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        mcp_server=mcp,
        auth=password.fits if password else None,
        auth_message="Any name, and the password of this page." if password else None,
        inbrowser=False,
        pwa=False,
        ssr_mode=False,
        run_history=False,  # it would keep questions in the browser
        footer_links=[],
        allowed_paths=[],
        max_file_size=MAX_UPLOAD_BYTES,
        show_error=False,
        app_kwargs={"middleware": [Middleware(_Guard, names=names)]},
        theme=gr.themes.Base(font=_SANS, font_mono=_MONO),
        head=f"<style>{_CSS}</style>",
    )
    return page


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", type=click.IntRange(1, 65535), help="Listen here (default: 7860).")
@click.option("--set-password", is_flag=True, help="Ask for a password, keep its hash, and end.")
@click.option("--mcp", is_flag=True, help='Offer "ask" and "search" as tools of the Model Context Protocol.')
@click.option("--public", is_flag=True, help="Allow a host that other machines reach without a password.")
def main(port: int | None, set_password: bool, mcp: bool, public: bool) -> None:
    """Open the page on this machine. Ctrl-C ends it."""
    try:
        settings = load_settings().with_options(port=port)
        if set_password:
            words = click.prompt("Password of the page", hide_input=True, confirmation_prompt=True)
            click.echo(f"kept as a hash in {keep_password(settings.data, words)}")
            return
        _run(settings, public, mcp)
    except CitewireError as error:
        click.echo(f"app: {error}", err=True)
        raise SystemExit(error.exit_status) from None


def _run(settings: Settings, public: bool, mcp: bool = False) -> None:
    if mcp and importlib.util.find_spec("mcp") is None:
        raise missing_extra("--mcp", "mcp")
    password = None
    if not is_loopback(settings.host):
        if not public:
            try:
                password = Password(settings.data)
            except ConfigError as error:
                raise ConfigError(
                    f'host = {settings.host} is open to other machines: {error}; or set host = "127.0.0.1", '
                    'or run "python app.py --public" if anybody may ask'
                ) from None
        else:
            click.echo(f"warning: anyone who reaches {settings.host} can ask and read the articles", err=True)
    check_port(settings.host, settings.port, PORT)
    from rag.assistant import Assistant

    assistant = Assistant.open(settings, on_wait=lambda text: click.echo(text, err=True))
    # on an address that others reach, everybody would read everybody's conversations
    sessions = Sessions(settings.data) if is_loopback(settings.host) else None
    try:
        page = serve(assistant, settings.host, settings.port, sessions, password, mcp)
        click.echo(f"Citewire: {page.local_url}  (Ctrl-C ends it)")
        threading.Thread(target=_warm, args=(assistant.warm,), daemon=True).start()
        page.block_thread()
    finally:
        assistant.close()
        if sessions is not None:
            sessions.close()


def _warm(warm: Callable[[], None]) -> None:
    """Load the models while the reader is still typing."""
    try:
        warm()
    except CitewireError as error:
        click.echo(f"app: {error}", err=True)


# --- how it looks and what it does in the browser -------------------------------------------------------------------

_SANS = ["Inter", "Segoe UI", "Helvetica Neue", "Liberation Sans", "Arial", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Liberation Mono", "monospace"]

# `element`, `trigger` and `watch` are given by gr.HTML. Text reaches the page through textContent only.
_JS_TALK = """
const tip = document.createElement('div');
tip.className = 'cw-tip';
tip.setAttribute('role', 'tooltip');
tip.hidden = true;
document.body.append(tip);
let shown = null;
const hide = () => { tip.hidden = true; shown = null; };
const place = () => {
  if (!shown || !shown.isConnected) return hide();
  const at = shown.getBoundingClientRect(), width = tip.offsetWidth, height = tip.offsetHeight;
  const left = Math.min(at.left + at.width / 2 - width / 2, document.documentElement.clientWidth - width - 8);
  const below = at.bottom + height + 8 < innerHeight;
  tip.style.left = Math.max(8, left) + 'px';
  tip.style.top = (below ? at.bottom + 8 : Math.max(8, at.top - height - 8)) + 'px';
};
const show = (chip) => {
  tip.replaceChildren();
  const quote = document.createElement('q'), words = document.createElement('mark');
  words.textContent = chip.dataset.words;
  quote.append(chip.dataset.before, ...(chip.dataset.words ? [words] : []), chip.dataset.after);
  tip.append(quote);
  for (const [name, key] of [['b', 'title'], ['span', 'source']]) {
    const part = document.createElement(name);
    part.textContent = chip.dataset[key];
    tip.append(part);
  }
  tip.hidden = false;
  shown = chip;
  place();
};
for (const [event, act] of [['pointerover', show], ['focusin', show], ['pointerout', hide], ['focusout', hide]])
  element.addEventListener(event, (e) => { const chip = e.target.closest('.cw-chip'); if (chip) act(chip); });
document.addEventListener('keydown', (e) => { if (e.key === 'Escape') hide(); });
document.addEventListener('scroll', place, true);
element.addEventListener('click', (e) => {
  const button = e.target.closest('[data-do]');
  if (!button) return;
  const data = button.dataset;
  hide();
  if (data.do === 'open' || data.do === 'sources') {
    window.cwOpener = button;
    window.cwMove = true;
    trigger('click', {turn: data.turn, n: data.n || ''});
  }
  if (data.do === 'ask') trigger('select', {question: data.q});
  if (data.do === 'edit') {
    trigger('edit', {question: data.q});
    document.querySelector('#cw-question textarea').focus();
  }
  if (data.do === 'wrong') {
    const form = document.createElement('form'), reason = document.createElement('input'), send = document.createElement('button');
    form.className = 'cw-wrong';
    reason.placeholder = 'What is wrong with it?';
    reason.setAttribute('aria-label', 'What is wrong with this answer?');
    reason.maxLength = 2000;
    send.textContent = 'Keep this report';
    form.append(reason, send);
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      trigger('like', {turn: data.turn, reason: reason.value});
      form.remove();
    });
    button.closest('footer').after(form);
    button.remove();
    reason.focus();
  }
  if (data.do === 'copy') navigator.clipboard.writeText(data.copy).then(() => {
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
});
let turns = 0;
watch('value', () => {
  const all = element.querySelectorAll('.cw-turn');
  if (all.length > turns) all[all.length - 1].scrollIntoView({block: 'start'});
  turns = all.length;
});
"""

_JS_PANEL = """
element.addEventListener('click', (e) => {
  const button = e.target.closest('[data-do]');
  if (!button) return;
  window.cwMove = true;
  if (button.dataset.do === 'open') window.cwOpener = null;
  trigger('click', {turn: button.dataset.turn, n: button.dataset.n || ''});
});
element.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && window.cwOpener && window.cwOpener.isConnected) window.cwOpener.focus();
});
let view = '';
watch('value', () => {
  const side = element.closest('#cw-side'), now = element.firstElementChild.dataset.view;
  if (now !== view) side.scrollTop = 0;
  view = now;
  if (!window.cwMove) return;
  window.cwMove = false;
  const hit = element.querySelector('.cw-hit'), head = element.querySelector('h2');
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (hit) {
    hit.focus({preventScroll: true});
    hit.scrollIntoView({block: 'center', behavior: calm ? 'auto' : 'smooth'});
  } else if (head) {
    head.focus({preventScroll: true});
    head.scrollIntoView({block: 'nearest'});
  }
});
"""

_JS_SHELF = """
element.addEventListener('click', (e) => {
  const button = e.target.closest('[data-do]');
  if (!button) return;
  button.disabled = true;
  trigger('click', {do: button.dataset.do, id: button.dataset.id});
});
"""

_JS_KEPT = """
element.addEventListener('click', (e) => {
  const button = e.target.closest('[data-do]');
  if (!button) return;
  if (button.dataset.do === 'delete' && !button.dataset.sure) {
    button.dataset.sure = '1';
    button.textContent = 'Delete for good?';
    return;
  }
  trigger('click', {do: button.dataset.do, id: button.dataset.id});
});
watch('value', () => {
  const list = element.firstElementChild;
  if (!list || !list.dataset.file) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([list.dataset.text], {type: 'text/plain'}));
  link.download = list.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
"""

_CSS = """
.gradio-container {
  --cw-paper: #faf9f6; --cw-card: #ffffff; --cw-ink: #201f1c; --cw-soft: #676259; --cw-line: #e5e1d8;
  --cw-accent: #14594f; --cw-tint: #e2efec; --cw-mark: #fff4cf; --cw-hit: #ffe08a; --cw-words: #ffc845; --cw-warn: #8a3b12;
  --cw-warn-tint: #fbeee6; --cw-on: #ffffff;
}
.dark .gradio-container, .dark.gradio-container {
  --cw-paper: #161615; --cw-card: #1f1e1d; --cw-ink: #ebe8e1; --cw-soft: #a9a49a; --cw-line: #34322e;
  --cw-accent: #84cdc0; --cw-tint: #1d3531; --cw-mark: #3d3719; --cw-hit: #574913; --cw-words: #786218; --cw-warn: #f2ad8c;
  --cw-warn-tint: #36241b; --cw-on: #0f211d;
}
html { scroll-padding-top: 1rem; }
.gradio-container { background: var(--cw-paper) !important; color: var(--cw-ink); overflow: visible !important; }
.gradio-container .main { padding: 0 !important; max-width: none !important; }
.gradio-container main.contain > .column { gap: 0; flex-wrap: nowrap; height: 100dvh; }
.gradio-container .html-container { padding: 0 !important; }
.gradio-container .block { overflow: visible; border-radius: 0; }
.cw-tip { position: fixed; z-index: 1000; max-width: min(24rem, calc(100vw - 1rem)); padding: 0.8rem 0.95rem;
  background: #22211f; color: #f3f0ea; border-radius: 0.6rem; font-size: 0.86rem; line-height: 1.45;
  box-shadow: 0 6px 24px rgb(0 0 0 / 0.22); pointer-events: none; }
.cw-tip q { display: block; font-family: Charter, "Iowan Old Style", Georgia, "Liberation Serif", serif;
  font-size: 0.98rem; quotes: "“" "”"; }
.cw-tip b { display: block; margin-top: 0.5rem; font-weight: 600; }
.cw-tip span { color: #c3bdb1; }
.cw-tip mark { background: none; color: #ffe08a; font-weight: 600; }
.cw-tip[hidden] { display: none; }

@keyframes cw-pulse { 50% { opacity: 0.2; } }

/* Nested, so that these rules weigh more than Gradio's own. */
.gradio-container .main {
.cw-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

#cw-top { flex: none; border-bottom: 1px solid var(--cw-line); }
.cw-bar { display: flex; gap: 0.25rem 0.9rem; align-items: baseline; flex-wrap: wrap; padding: 0.8rem 1.5rem; }
.cw-bar b { font-size: 1.05rem; font-weight: 700; letter-spacing: -0.01em; }
.cw-bar span { color: var(--cw-soft); font-size: 0.85rem; }
#cw-main { flex: 1 1 0; min-height: 0; gap: 0; flex-wrap: nowrap; align-items: stretch; }
#cw-left { flex: 1 1 0 !important; min-width: 0; height: 100%; gap: 0; flex-wrap: nowrap; }
#cw-talk { flex: 1 1 0; min-height: 0; width: 100%; }
#cw-talk > .html-container, #cw-talk > .html-container > div { height: 100%; }
#cw-side { flex: 0 0 clamp(20rem, 36vw, 33rem) !important; min-width: 0; height: 100%; border-left: 1px solid var(--cw-line);
  background: var(--cw-card); overflow-y: auto; flex-wrap: nowrap; }

.cw-log { height: 100%; overflow-y: auto; padding: 0 1.5rem; scroll-padding-top: 0.5rem; outline-offset: -3px; }
.cw-log > * { max-width: 43rem; margin: 0 auto; }
.cw-turn { padding: 1.6rem 0 1.3rem; font-size: 1.03rem; line-height: 1.62; overflow-wrap: anywhere; }
.cw-turn + .cw-turn { border-top: 1px solid var(--cw-line); }
.cw-turn:last-child { min-height: 100%; }
.cw-q { font-size: 1.32rem; font-weight: 650; line-height: 1.32; letter-spacing: -0.012em; margin: 0 0 0.8rem; }
.cw-understood, .cw-note { color: var(--cw-soft); font-size: 0.92rem; margin: -0.3rem 0 0.8rem; }
.cw-understood b { font-weight: 600; }
.cw-note { border-left: 3px solid var(--cw-line); padding-left: 0.8rem; margin-top: 0; }
.cw-s { margin: 0 0 0.7rem; }
.cw-checking span { color: var(--cw-soft); }
.cw-checking em { color: var(--cw-soft); font-size: 0.8rem; font-style: normal; margin-left: 0.3rem; white-space: nowrap;
  border: 1px dashed var(--cw-line); border-radius: 1rem; padding: 0.05rem 0.5rem; }
q { font-family: Charter, "Iowan Old Style", Georgia, "Liberation Serif", serif; quotes: "“" "”"; }
:is(q, .cw-s) mark { background: var(--cw-hit); color: inherit; border-radius: 0.2rem; padding: 0.05rem 0.12rem; font-weight: 600;
  box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.cw-quoted { border-left: 3px solid var(--cw-accent); padding: 0.1rem 0 0.1rem 0.9rem; }
.cw-s small { display: block; color: var(--cw-soft); font-size: 0.82rem; }
.cw-quoted em { display: block; font-style: normal; font-size: 0.74rem; font-weight: 600; letter-spacing: 0.04em;
  text-transform: uppercase; color: var(--cw-accent); }
.cw-quoted q { font-size: 1.09rem; }
.cw-missing { margin: 0 0 0.7rem; }
article.cw-notice .cw-note { color: inherit; font-size: inherit; border: 0; padding: 0; }
.cw-alert, p.cw-notice { background: var(--cw-warn-tint); color: var(--cw-warn); border-radius: 0.5rem;
  padding: 0.6rem 0.9rem; margin: 0 0 0.7rem; font-size: 0.95rem; line-height: 1.5; }
#cw-side p.cw-notice { margin: 1.25rem 1.4rem 0; }

.cw-chip { display: inline-block; min-width: 1.5rem; padding: 0 0.36rem; margin: 0 0.1rem; border: 0; cursor: pointer;
  border-radius: 0.75rem; background: var(--cw-tint); color: var(--cw-accent); font-size: 0.78rem; font-weight: 650;
  line-height: 1.5rem; text-align: center; vertical-align: 0.08rem; font-variant-numeric: tabular-nums; }
.cw-chip:hover, .cw-chip:focus-visible { background: var(--cw-accent); color: var(--cw-on); }
:is(.cw-log, .cw-sources, .cw-article) button:focus-visible, .cw-log:focus-visible {
  outline: 2px solid var(--cw-accent); outline-offset: 2px; }
.cw-turn footer { display: flex; flex-wrap: wrap; align-items: center; gap: 0.2rem 1rem; color: var(--cw-soft);
  font-size: 0.82rem; margin-top: 0.9rem; }
.cw-turn footer button { border: 0; background: none; color: var(--cw-accent); cursor: pointer; padding: 0.15rem 0;
  font-size: inherit; }
.cw-turn footer button:hover { text-decoration: underline; }
.cw-busy::after { content: "…"; animation: cw-pulse 1.4s ease-in-out infinite; }

.cw-turn h3, .cw-sources h3, .cw-hello h3 { font-size: 0.78rem; font-weight: 650; color: var(--cw-soft);
  margin: 1.2rem 0 0.55rem; }
.cw-closest ul { list-style: none; margin: 0; padding: 0; }
.cw-closest li { border-left: 3px solid var(--cw-line); padding: 0 0 0 0.9rem; margin: 0 0 0.8rem; line-height: 1.5; }
.cw-closest small { display: block; color: var(--cw-soft); font-size: 0.82rem; margin-top: 0.15rem; }
.cw-try > div { display: flex; flex-direction: column; align-items: flex-start; gap: 0.5rem; }
.cw-ask { border: 1px solid var(--cw-line); background: var(--cw-card); color: var(--cw-ink); border-radius: 0.6rem;
  padding: 0.55rem 0.9rem; font-size: 0.96rem; line-height: 1.4; text-align: left; cursor: pointer; }
.cw-ask:hover { border-color: var(--cw-accent); color: var(--cw-accent); }
.cw-hello { padding: min(16vh, 8rem) 0 1rem; }
.cw-hello h1 { font-size: 2rem; font-weight: 700; letter-spacing: -0.025em; line-height: 1.2; margin: 0 0 0.5rem; }
.cw-hello > p { color: var(--cw-soft); font-size: 1.05rem; line-height: 1.6; max-width: 34rem; margin: 0; }
.cw-hello h3 { margin-top: 2rem; }

.cw-disagree p { margin: 0 0 0.2rem; }
.cw-scroll { overflow-x: auto; margin: 0.7rem 0 0.4rem; }
.cw-table { width: 100%; border-collapse: collapse; font-size: 0.9rem; line-height: 1.45; }
.cw-table th, .cw-table td { text-align: left; vertical-align: top; padding: 0.55rem 0.8rem 0.55rem 0; font-weight: 400;
  border-top: 1px solid var(--cw-line); }
.cw-table thead th { color: var(--cw-soft); font-size: 0.78rem; font-weight: 600; border-top: 0; padding-bottom: 0.3rem; }
.cw-table tbody th { font-weight: 650; font-size: 0.98rem; min-width: 6rem; }
.cw-table th small { display: block; color: var(--cw-soft); font-size: 0.8rem; font-weight: 400; }
.cw-table td { overflow-wrap: break-word; }
.cw-table td:nth-last-child(2) { white-space: nowrap; }

#cw-notice, #cw-box { max-width: 46rem; width: 100%; margin: 0 auto; padding: 0 1.5rem; flex: none; }
#cw-notice:not(:has(p)) { display: none; }
p.cw-notice { margin: 0.5rem 0 0; }
#cw-box { padding-top: 0.6rem; padding-bottom: 1rem; gap: 0.5rem; align-items: flex-end; flex-wrap: nowrap; }
#cw-question { flex: 1 1 auto; min-width: 0; border: 0; background: none; padding: 0; box-shadow: none; overflow: visible; }
#cw-question textarea { background: var(--cw-card); color: var(--cw-ink); border: 1px solid var(--cw-line);
  border-radius: 0.7rem; padding: 0.68rem 0.95rem; font-size: 1rem; line-height: 1.45; box-shadow: none; }
#cw-question textarea:focus { border-color: var(--cw-accent); box-shadow: inset 0 0 0 1px var(--cw-accent); outline: none; }
#cw-question textarea::placeholder { color: var(--cw-soft); opacity: 1; }
#cw-box button { flex: none; height: 2.9rem; border-radius: 0.7rem; font-size: 0.96rem; font-weight: 600; padding: 0 1.1rem;
  box-shadow: none; border: 1px solid var(--cw-line); background: transparent; color: var(--cw-ink); }
#cw-box #cw-send { background: var(--cw-accent); border-color: var(--cw-accent); color: var(--cw-on); }
#cw-box #cw-stop { border-color: var(--cw-warn); color: var(--cw-warn); }
#cw-box button:hover { filter: brightness(1.08); }
#cw-box button:focus-visible { outline: 2px solid var(--cw-accent); outline-offset: 2px; }

.cw-sources, .cw-article { padding: 1.25rem 1.4rem 2rem; }
.cw-sources header { display: flex; align-items: baseline; gap: 0.7rem; }
.cw-sources h2, .cw-article h2 { font-size: 1.12rem; font-weight: 650; line-height: 1.35; margin: 0; outline: none; }
.cw-sources small { color: var(--cw-soft); font-size: 0.84rem; }
.cw-none p { color: var(--cw-soft); line-height: 1.55; margin: 0.6rem 0 0; }
.cw-sources ol { list-style: none; margin: 0; padding: 0; }
.cw-card { position: relative; display: block; width: 100%; text-align: left; cursor: pointer; color: var(--cw-ink);
  background: var(--cw-paper); border: 1px solid var(--cw-line); border-radius: 0.7rem; line-height: 1.45;
  padding: 0.75rem 0.95rem 0.8rem 2.9rem; margin: 0 0 0.6rem; overflow-wrap: anywhere; }
.cw-card:hover { border-color: var(--cw-accent); }
.cw-card .cw-n { position: absolute; left: 0.85rem; top: 0.78rem; min-width: 1.45rem; border-radius: 0.75rem;
  background: var(--cw-tint); color: var(--cw-accent); text-align: center; font-size: 0.78rem; font-weight: 650;
  line-height: 1.45rem; }
.cw-card .cw-from { display: block; color: var(--cw-soft); font-size: 0.8rem; }
.cw-card .cw-title { display: block; font-weight: 600; font-size: 0.92rem; margin: 0.05rem 0 0.25rem; }
.cw-card q { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden; }
.cw-article header { position: sticky; top: 0; background: var(--cw-card); border-bottom: 1px solid var(--cw-line);
  margin: -1.25rem -1.4rem 0; padding: 0.9rem 1.4rem 0.8rem; }
.cw-article header p { display: flex; flex-wrap: wrap; gap: 0.1rem 0.5rem; color: var(--cw-soft); font-size: 0.86rem;
  margin: 0.3rem 0 0; }
.cw-article header p span + span::before { content: "·"; margin-right: 0.5rem; }
.cw-back { border: 0; background: none; color: var(--cw-accent); cursor: pointer; padding: 0.15rem 0; font-size: 0.86rem;
  margin-bottom: 0.6rem; }
.cw-body { font-family: Charter, "Iowan Old Style", Georgia, "Liberation Serif", serif; font-size: 1.06rem; line-height: 1.62;
  margin-top: 1.1rem; overflow-wrap: anywhere; }
.cw-body p { margin: 0 0 0.85rem; }
.cw-body mark { background: var(--cw-mark); color: inherit; border-radius: 0.2rem; padding: 0.08rem 0.12rem;
  box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.cw-body mark sup { font-family: var(--font); font-size: 0.68rem; font-weight: 700; margin-right: 0.25rem; line-height: 0; }
.cw-body .cw-hit { background: var(--cw-hit); text-decoration: underline 2px var(--cw-accent); text-underline-offset: 0.2em;
  outline: none; scroll-margin: 8rem 0 4rem; }
.cw-body mark mark { background: var(--cw-words); font-weight: 600; }
.cw-body .cw-hit sup { display: inline-block; text-decoration: none; }
.cw-article footer { color: var(--cw-soft); font-size: 0.8rem; margin-top: 1.2rem; overflow-wrap: anywhere; }

#cw-tabs { gap: 0; padding: 0; border: 0; }
#cw-tabs .tab-wrapper { padding: 0.4rem 1.4rem 0; height: auto; }
#cw-tabs .tab-container { border-bottom: 1px solid var(--cw-line); }
#cw-tabs button[role=tab] { color: var(--cw-soft); font-size: 0.86rem; font-weight: 600; padding: 0.5rem 0.1rem; margin-right: 0.8rem; }
#cw-tabs button[role=tab][aria-selected=true] { color: var(--cw-accent); }
#cw-tabs button[role=tab][aria-selected=true]::after { background: var(--cw-accent); }
#cw-tabs button[role=tab]:focus-visible { outline: 2px solid var(--cw-accent); outline-offset: 2px; }
#cw-tabs .tabitem { padding: 0; border: 0; }
#cw-drop { margin: 1.1rem 1.4rem 0; width: auto; border: 1px dashed var(--cw-line); background: none; border-radius: 0.7rem; }
#cw-find { margin: 0.8rem 1.4rem 0; width: auto; border: 0; background: none; padding: 0; }
#cw-find input, #cw-find textarea { background: var(--cw-paper); color: var(--cw-ink); border: 1px solid var(--cw-line);
  border-radius: 0.6rem; padding: 0.5rem 0.8rem; font-size: 0.94rem; box-shadow: none; }
.cw-shelf ul { list-style: none; margin: 0.9rem 0 0; padding: 0; }
.cw-item { position: relative; padding: 0.65rem 5rem 0.65rem 0; border-top: 1px solid var(--cw-line); line-height: 1.45;
  overflow-wrap: anywhere; }
.cw-item b { display: block; font-weight: 600; font-size: 0.94rem; }
.cw-item small { display: block; color: var(--cw-soft); font-size: 0.8rem; }
.cw-shelf button { border: 0; background: none; color: var(--cw-accent); cursor: pointer; font-size: 0.84rem; padding: 0.2rem 0; }
.cw-item button { position: absolute; right: 0; top: 0.6rem; }
.cw-shelf button:hover { text-decoration: underline; }
.cw-shelf button:focus-visible { outline: 2px solid var(--cw-accent); outline-offset: 2px; }
#cw-settings { padding: 1.25rem 1.4rem 2rem; gap: 1rem; }
#cw-settings .form { background: none; border: 0; gap: 1.2rem; box-shadow: none; }
#cw-settings .block { background: none; border: 0; padding: 0; box-shadow: none; }
#cw-settings { --color-accent: var(--cw-accent); --slider-color: var(--cw-accent); --input-background-fill: var(--cw-paper);
  --checkbox-background-color-selected: var(--cw-accent); --checkbox-border-color-selected: var(--cw-accent);
  --block-info-text-color: var(--cw-soft); --block-title-text-color: var(--cw-ink); --body-text-color: var(--cw-ink);
  --input-border-color: var(--cw-line); --input-border-color-focus: var(--cw-accent); --input-placeholder-color: var(--cw-soft);
  --checkbox-label-text-color: var(--cw-ink); --checkbox-label-text-color-selected: var(--cw-ink);
  --neutral-200: var(--cw-line); --body-text-color-subdued: var(--cw-soft); }
#cw-settings input:is([type=text], [type=number]) { border: 1px solid var(--cw-line); border-radius: 0.6rem; color: var(--cw-ink); }
.cw-trust p { color: var(--cw-soft); font-size: 0.84rem; margin: 0.35rem 0 0; line-height: 1.5; }
.cw-trust .cw-table th, .cw-trust .cw-table td { font-size: 0.86rem; font-weight: 400; padding: 0.4rem 0.6rem 0.4rem 0; }
.cw-trust .cw-table td:nth-last-child(2) { font-weight: 650; }
.cw-trust .cw-table td:last-child { color: var(--cw-soft); min-width: 9rem; }
.cw-bar8 { display: block; width: 100%; height: 0.4rem; margin-top: 0.2rem; }
.cw-bar8 rect { fill: var(--cw-line); } .cw-bar8 .cw-range { fill: var(--cw-accent); opacity: 0.35; } .cw-bar8 .cw-point { fill: var(--cw-accent); }
.cw-trust figure { margin: 1rem 0 0; } .cw-trust figcaption { color: var(--cw-soft); font-size: 0.8rem; }
.cw-trust figure svg { width: 100%; max-width: 24rem; } .cw-trust figure text { fill: var(--cw-soft); font-size: 10px; }
.cw-axis { fill: none; stroke: var(--cw-line); } .cw-line { fill: none; stroke: var(--cw-accent); stroke-width: 2; }
.cw-trust ul { list-style: none; margin: 0; padding: 0; } .cw-trust li { border-top: 1px solid var(--cw-line); padding: 0.5rem 0; }
.cw-trust li b { font-size: 0.9rem; font-weight: 600; } .cw-trust li small { display: block; color: var(--cw-soft); overflow-wrap: anywhere; }
.cw-wrong { display: flex; gap: 0.5rem; margin-top: 0.6rem; }
.cw-wrong input { flex: 1; min-width: 0; background: var(--cw-card); color: var(--cw-ink); border: 1px solid var(--cw-line);
  border-radius: 0.6rem; padding: 0.45rem 0.8rem; font-size: 0.92rem; }
.cw-wrong button { border: 1px solid var(--cw-line); border-radius: 0.6rem; padding: 0.4rem 0.9rem; font-size: 0.88rem; cursor: pointer;
  background: none; color: var(--cw-accent); }
.cw-wrong :focus-visible { outline: 2px solid var(--cw-accent); outline-offset: 1px; }
.cw-kept { padding-right: 0; }
.cw-kept div { display: flex; flex-wrap: wrap; gap: 0 1rem; }
.cw-kept button { position: static; }
.cw-kept[aria-current=true] b { color: var(--cw-accent); }
.cw-shelf progress { width: 100%; height: 0.4rem; accent-color: var(--cw-accent); }
.cw-done, .cw-shelf .cw-busy { font-size: 0.9rem; color: var(--cw-soft); margin: 0.7rem 0 0; }
.cw-skipped li { font-size: 0.86rem; color: var(--cw-warn); margin: 0 0 0.3rem; overflow-wrap: anywhere; }

@media (max-width: 56rem) {
  main.contain > .column { height: auto; }
  #cw-main { flex-direction: column; flex: 1 1 auto; }
  #cw-left, #cw-side, #cw-talk { height: auto; flex: none !important; width: 100%; }
  .cw-log { height: auto; overflow: visible; padding: 0 1.1rem; }
  .cw-log > * { max-width: none; }
  .cw-turn:last-child { min-height: 0; }
  .cw-bar { padding: 0.7rem 1.1rem; }
  .cw-hello { padding-top: 2rem; }
  #cw-side { border-left: 0; border-top: 1px solid var(--cw-line); overflow: visible; min-height: 60dvh; }
  .cw-sources, .cw-article { padding: 1.2rem 1.1rem 2rem; }
  .cw-article header { margin: -1.2rem -1.1rem 0; padding: 0.9rem 1.1rem 0.8rem; }
  #cw-box, #cw-notice { padding-left: 1.1rem; padding-right: 1.1rem; max-width: none; }
  #cw-box { position: sticky; bottom: 0; background: var(--cw-paper); border-top: 1px solid var(--cw-line);
    padding-bottom: 0.7rem; z-index: 5; }
  .cw-chip { min-width: 1.75rem; line-height: 1.75rem; border-radius: 0.9rem; }
  .cw-table, .cw-table tbody, .cw-table tr, .cw-table th, .cw-table td { display: block; }
  .cw-table thead { display: none; }
  .cw-table tbody th, .cw-table td { border-top: 0; padding: 0.1rem 0; }
  .cw-table tbody tr { border-top: 1px solid var(--cw-line); padding: 0.6rem 0; }
  .cw-table tbody td:not(:last-child) { color: var(--cw-soft); font-size: 0.84rem; }
}
}
@media (prefers-reduced-motion: reduce) { .gradio-container .main .cw-busy::after { animation: none; } }
"""

if __name__ == "__main__":
    main()
