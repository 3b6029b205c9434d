"""The tab of kept conversations: opens, exports and deletes them."""

from __future__ import annotations

from collections.abc import Mapping

from rag.answering.freshness import Freshness, cited_by
from rag.assistant import Assistant
from rag.codec import answer_to_json
from rag.errors import CitewireError
from rag.text.words import plain
from rag.ui.chat import BUSY, Chat
from rag.ui.rendering import notice_html, render
from rag.ui.session import Session
from rag.ui.sessions import Sessions, to_markdown
from rag.ui.widgets import QUICK, BrowserEvent, html, on_event, same

NO_FILE = ("", "")


class ConversationsTab:
    """Shows what `sessions` keeps."""

    def __init__(self, assistant: Assistant, sessions: Sessions, chat: Chat) -> None:
        self._assistant = assistant
        self._sessions = sessions
        self._chat = chat

    def place(self) -> None:
        """Make the tab here."""
        import gradio as gr

        chat = self._chat
        with gr.Tab("History", id="conversations") as tab:
            shown = html("kept", script="history")
        tab.select(self.show, [chat.session], [shown], **QUICK)
        shown.click(on_event(self.act), [chat.session], [chat.notice, chat.conversation, shown], **QUICK)

    def show(self, session: Session, save: tuple[str, str] = NO_FILE) -> str:
        """The list. `save` is (file name, text) of a conversation for the browser to save."""
        try:
            listed = self._sessions.listed()
        except CitewireError as error:
            return notice_html(str(error))
        return render("conversations.html", listed=listed, current=session.kept, save=save)

    def act(self, session: Session, event: BrowserEvent) -> list[object]:
        """Open, save or delete a conversation."""
        what, id_ = event.get("do"), event.get("id")
        save = NO_FILE
        try:
            if what == "delete":
                self._sessions.delete(id_)
                session.kept = "" if session.kept == id_ else session.kept
            elif what == "open":
                if session.asked is not None:
                    return [notice_html(BUSY), same(), same()]
                self._open(session, id_)
            elif what == "markdown":
                save = ("conversation.md", to_markdown(self._sessions.open(id_)))
            elif what == "json":
                save = ("conversation.jsonl", "\n".join(map(answer_to_json, self._sessions.open(id_))))
        except CitewireError as error:
            return [notice_html(str(error)), same(), self.show(session)]
        return ["", self._chat.show(session), self.show(session, save)]

    def _open(self, session: Session, id_: str) -> None:
        session.turns = self._sessions.open(id_)
        session.kept, session.reading = id_, False
        states = (self._assistant.freshness(cited_by(a)) for a in session.turns)
        session.since = {n: text for n, found in enumerate(states) if (text := since_text(found))}


def since_text(found: Mapping[str, Freshness]) -> str:
    """What has become of the cited articles, in words; "" when all are unchanged."""
    words = {
        Freshness.CHANGED: "has changed since, and still says what is cited",
        Freshness.REWORDED: "has changed since, and does not say what is cited any more",
        Freshness.GONE: "is not among the articles any more",
    }
    changes = [f"{plain(id_)} {words[state]}" for id_, state in found.items() if state in words]
    return f"Cited as it was then: {'; '.join(changes)}." if changes else ""
