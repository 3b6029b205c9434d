"""The left side of the page: the conversation, the box for questions, and how a question gets its answer.

The questions of all tabs wait in one queue, because there is one model. A listener returns new values for the widgets to
which its event is connected, in their order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rag.assistant import MAX_QUESTION_CHARS, Assistant
from rag.errors import CitewireError
from rag.schema import Answer, Status
from rag.ui.answers import EXAMPLE_ARTICLES, conversation_html, examples
from rag.ui.rendering import notice_html
from rag.ui.session import Line, Session
from rag.ui.sessions import Sessions
from rag.ui.settings import choice_of
from rag.ui.sources import empty_html, sources_html
from rag.ui.widgets import QUICK, BrowserEvent, change, html, on_event, same

if TYPE_CHECKING:
    import gradio as gr

EXAMPLES_FRESH_S = 60.0  # articles may change while the page is open
BUSY = "Stop the answer first, please."


def _buttons(busy: bool) -> list[object]:
    """Shows "Ask" or "Stop", whichever applies."""
    return [change(visible=not busy), change(visible=busy, value="Stop", interactive=True)]


class Chat:
    """The conversation and the box, for all tabs. `sessions` keeps conversations; None: they are not kept."""

    session: gr.State
    conversation: gr.HTML
    notice: gr.HTML

    def __init__(self, assistant: Assistant, sessions: Sessions | None) -> None:
        self._assistant = assistant
        self._sessions = sessions
        self._line = Line()
        self._open: dict[str, Session] = {}  # by id of the browser's tab
        self._examples: list[str] = []
        self._examples_until = 0.0

    # ------------------------------------------------------------------ widgets

    def place(self) -> None:
        """Make the widgets here."""
        import gradio as gr

        self.session, self._number = gr.State(Session()), gr.State(0)
        self._timer = gr.Timer(1.0, active=False)
        self.conversation = html("talk", script="conversation")
        self.notice = html("notice")
        with gr.Row(elem_id="cw-box"):
            self._box = gr.Textbox(
                label="Your question",
                show_label=False,
                placeholder="Ask a question",
                lines=1,
                max_lines=6,
                autofocus=True,
                container=False,
                elem_id="cw-question",
            )
            self._ask = gr.Button("Ask", variant="primary", elem_id="cw-send", min_width=72)
            self._halt = gr.Button("Stop", visible=False, elem_id="cw-stop", min_width=72)
            self._wipe = gr.Button("Clear", elem_id="cw-clear", min_width=72)

    def connect(self, page: gr.Blocks, panel: gr.HTML, choices: Sequence[gr.components.Component]) -> None:
        """Connect all events. `panel` shows the sources of the growing answer, `choices` are the reader's settings."""
        import gradio as gr

        ask, halt, timer, talk = self._ask, self._halt, self._timer, self.conversation
        asked = [self._box, self.session, self._number]
        begun = [self.notice, self._box, self._number, talk, ask, halt, timer]
        gr.on([self._box.submit, ask.click], on_event(self.begin), asked, begun, **QUICK)
        talk.select(on_event(self.begin_example), asked[1:], begun, **QUICK)
        # One model, one owner: whatever asks shares this id.
        ran = self._number.change(
            self.run,
            [self.session, self._number, *choices],
            [talk, panel, timer],
            concurrency_id="model",
            concurrency_limit=1,
            trigger_mode="multiple",  # a new question may follow a stopped one that is still in the queue
            show_progress="hidden",
            api_visibility="private",
        )
        for ended in (ran.then, ran.failure):  # Gradio's `then` does not run after failures
            ended(self.finish, asked[1:], [talk, ask, halt, timer, self.notice], **QUICK)
        timer.tick(self.show, [self.session], [talk], **QUICK)
        halt.click(self.stop, [self.session], [talk, ask, halt, timer], **QUICK)
        self._wipe.click(self.clear, [self.session], [self.notice, talk, panel], **QUICK)
        talk.edit(on_event(self.edit), None, [self._box], **QUICK)
        talk.like(on_event(self.report), [self.session], [self.notice], **QUICK)
        page.load(self.show, [self.session], [talk], **QUICK)
        page.unload(on_event(self.leave))

    # ------------------------------------------------------------------ a question, from Enter to the end

    def show(self, session: Session) -> str:
        """The conversation as it is now."""
        waiting = session.asked if session.asked is not None and not session.started else ""
        offered = self._suggestions() if not session.turns or session.turns[-1].final else ()
        ahead, keeps = self._line.ahead(session), self._sessions is not None
        return conversation_html(session.turns, waiting, offered, ahead, session.since, keeps)

    def _suggestions(self) -> list[str]:
        if time.monotonic() >= self._examples_until:
            try:
                self._examples = examples(self._assistant.articles(EXAMPLE_ARTICLES))
            except CitewireError:
                self._examples = []  # the next question will report what is wrong with the index
            self._examples_until = time.monotonic() + EXAMPLES_FRESH_S
        return self._examples

    def begin(self, question: str, session: Session, number: int, event: BrowserEvent) -> list[object]:
        """Move the question from the box to the queue at once, even while the model is busy."""
        question = question or ""
        if refusal := self._line.join(session, question):
            return [notice_html(refusal), question, *[same()] * 5]
        self._open[event.tab] = session
        session.number = number + 1
        session.asked, session.started, session.stop = question.strip(), False, threading.Event()
        waits = self._line.ahead(session) > 0
        return ["", "", session.number, self.show(session), *_buttons(busy=True), change(active=waits)]

    def begin_example(self, session: Session, number: int, event: BrowserEvent) -> list[object]:
        """The same for an example question."""
        return self.begin(event.get("question"), session, number, event)

    def run(self, session: Session, number: int, *choices: Any) -> Iterator[list[object]]:
        """Show the answer as it grows, and its sources as soon as they are known. `choices`: see `choice_of`."""
        question, cancel, is_drawn = session.asked, session.stop.is_set, False
        if question is None or number != session.number:
            return  # it was stopped while it waited
        history = session.history()
        session.started = True
        session.turns.append(Answer(question, question, Status.DRAFTING))
        session.reading = False
        yield [self.show(session), same(), change(active=False)]
        turn = len(session.turns) - 1
        try:
            choice = choice_of(*choices)
            for answer in self._assistant.stream(question, history, cancel=cancel, choice=choice):
                session.turns[turn] = answer
                if answer.final:
                    break
                panel = sources_html(turn, answer) if answer.evidence and not is_drawn else same()
                is_drawn = is_drawn or bool(answer.evidence)
                yield [self.show(session), panel, same()]
        except CitewireError as error:
            session.turns[turn] = Answer(question, question, Status.FAILED, error=str(error))
        answer = session.turns[turn]
        sources = sources_html(turn, answer) if answer.evidence else empty_html()
        yield [self.show(session), same() if session.reading else sources, same()]

    def finish(self, session: Session, number: int) -> list[object]:
        """Leave the queue, however the answer ended, and save the conversation."""
        if number != session.number:
            return [same()] * 5
        self._line.leave(session)
        if session.turns and not session.turns[-1].final:
            words = "This answer broke off. Please ask again. The terminal says what happened."
            session.turns[-1] = replace(session.turns[-1], statements=(), status=Status.FAILED, error=words)
        said = ""
        if self._sessions is not None:
            try:
                session.kept = self._sessions.keep(session.kept, session.turns)
            except CitewireError as error:
                said = notice_html(f"This conversation is not kept: {error}")
        return [self.show(session), *_buttons(busy=False), change(active=False), said or same()]

    def stop(self, session: Session) -> list[object]:
        """Stop the growing answer. A question that still waits leaves the queue at once."""
        session.stop.set()
        if session.asked is None or session.started:
            return [same(), same(), change(value="Stopping…", interactive=False), same()]
        session.turns.append(Answer(session.asked, session.asked, Status.STOPPED))
        self._line.leave(session)
        return [self.show(session), *_buttons(busy=False), change(active=False)]

    # ------------------------------------------------------------------ the rest

    def clear(self, session: Session) -> list[object]:
        """Begin a new conversation."""
        if session.asked is not None:
            return [notice_html(BUSY), same(), same()]
        session.turns.clear()
        session.since.clear()
        session.kept, session.reading = "", False
        return ["", self.show(session), empty_html()]

    def edit(self, event: BrowserEvent) -> str:
        """Put an asked question back into the box."""
        return event.get("question")[:MAX_QUESTION_CHARS]

    def report(self, session: Session, event: BrowserEvent) -> str:
        """Keep an answer that the reader found wrong, with the reason and the earlier questions."""
        turn = session.turn(event.get("turn"))
        if self._sessions is None or turn is None or not session.turns[turn].final:
            return ""
        try:
            id_ = self._sessions.report(session.turns[turn], session.history(turn), event.get("reason"))
        except CitewireError as error:
            return notice_html(str(error))
        return notice_html(
            f'Thank you. This is kept on this machine as case {id_}. "rag cases" lists such answers, '
            '"rag cases check" asks again.'
        )

    def leave(self, event: BrowserEvent) -> None:
        """Stop the question of a closed tab and leave the queue."""
        session = self._open.pop(event.tab, None)
        if session is not None:
            session.stop.set()
            self._line.leave(session)
