"""The session of an open browser tab, and the queue in which the questions of all tabs wait for the one model."""

from __future__ import annotations

import threading

from rag.answering.render import turn_of
from rag.assistant import MAX_QUESTION_CHARS
from rag.schema import Answer, Status, Turn

MAX_WAITING = 20  # questions in the queue, about five minutes; further ones are refused for now


class Session:
    """One open tab: its answers so far (a growing one last), and the state of its current question.

    Gradio copies the value of a `State` for each tab: a copy is a new, empty session.
    """

    def __init__(self) -> None:
        self.turns: list[Answer] = []
        # The number of the latest question. What still runs for an earlier one must not change the session.
        self.number = 0
        self.asked: str | None = None  # from Enter until the answer is final
        self.started = False  # the question is no longer waiting
        self.stop = threading.Event()
        self.kept = ""  # the id under which this conversation is kept
        self.since: dict[int, str] = {}  # what has become of the articles of a reopened answer
        self.reading = False  # an article is open in the side panel, so new sources must not push it away

    def __deepcopy__(self, memo: dict[int, object]) -> Session:
        return Session()

    def history(self, end: int | None = None) -> list[Turn]:
        """The exchanges before turn `end`, without those that ended with no answer."""
        nothing = (Status.DRAFTING, Status.FAILED, Status.STOPPED)
        return [turn_of(a) for a in self.turns[:end] if a.status not in nothing]

    def turn(self, number: str) -> int | None:
        """The index of a turn from the browser; None where it is invalid."""
        known = number.isascii() and number.isdigit() and int(number) < len(self.turns)
        return int(number) if known else None


def refusal_of(question: str, waiting: int) -> str:
    """Why a question is not accepted, in words; empty when it is."""
    if not question.strip():
        return "Type a question about the articles first."
    if len(question) > MAX_QUESTION_CHARS:
        return (
            f"That question has {len(question):,} characters, and at most {MAX_QUESTION_CHARS:,} are read. "
            "Shorten it, please."
        )
    if waiting >= MAX_WAITING:
        return f"Busy: {waiting} questions are waiting. Please try again in a minute."
    return ""


class Line:
    """The queue of sessions with an unfinished question. The first one has the model. Threads may share it."""

    def __init__(self) -> None:
        self._sessions: list[Session] = []
        self._lock = threading.Lock()

    def join(self, session: Session, question: str) -> str:
        """Append a session. Returns why its question is not accepted, in words, "" when it is."""
        with self._lock:
            if session in self._sessions:
                return "One question at a time, please: wait for the answer, or stop it."
            refusal = refusal_of(question, len(self._sessions))
            if not refusal:
                self._sessions.append(session)
            return refusal

    def ahead(self, session: Session) -> int:
        """The number of questions before that of a session."""
        with self._lock:
            return self._sessions.index(session) if session in self._sessions else 0

    def leave(self, session: Session) -> None:
        """Remove a session from the queue, if it is there."""
        with self._lock:
            if session in self._sessions:
                self._sessions.remove(session)
        session.asked = None
