"""One open tab of the browser, and the line in which the questions of all tabs wait for the one model."""

from __future__ import annotations

import threading

from rag.answering.render import turn_of
from rag.schema import Answer, Status, Turn

MAX_WAITING = 20  # questions in line, about five minutes; the next one is asked to come back
MAX_QUESTION_CHARS = 2000


class Session:
    """One open tab: its answers so far (a growing one last), and what is happening to the question it asked.

    Gradio copies the value of a `State` for each tab: a copy is a new, empty session.
    """

    def __init__(self) -> None:
        self.turns: list[Answer] = []
        # Of the question asked last. What still runs for an earlier one leaves the session alone.
        self.number = 0
        self.asked: str | None = None  # from Enter until the answer is final
        self.started = False  # the question is no longer waiting
        self.stop = threading.Event()
        self.kept = ""  # the id under which this conversation is kept
        self.since: dict[int, str] = {}  # what became of the articles of an answer that was reopened
        self.reading = False  # an article is open in the side panel, so new sources must not push it away

    def __deepcopy__(self, memo: dict[int, object]) -> Session:
        return Session()

    def history(self, end: int | None = None) -> list[Turn]:
        """The exchanges before turn `end`, without those that came to nothing."""
        nothing = (Status.DRAFTING, Status.FAILED, Status.STOPPED)
        return [turn_of(a) for a in self.turns[:end] if a.status not in nothing]

    def turn(self, number: str) -> int | None:
        """The turn of this number, which the browser gives; None where there is none."""
        known = number.isascii() and number.isdigit() and int(number) < len(self.turns)
        return int(number) if known else None


def refusal_of(question: str, waiting: int) -> str:
    """Why a question is not taken, in words; empty when it is."""
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
    """Sessions whose question is asked and not final; the first has the model. Threads may share it."""

    def __init__(self) -> None:
        self._sessions: list[Session] = []
        self._lock = threading.Lock()

    def join(self, session: Session, question: str) -> str:
        """Take a session in at the end; why not, in words, where its question cannot be taken."""
        with self._lock:
            if session in self._sessions:
                return "One question at a time, please: wait for the answer, or stop it."
            refusal = refusal_of(question, len(self._sessions))
            if not refusal:
                self._sessions.append(session)
            return refusal

    def ahead(self, session: Session) -> int:
        """How many questions come before that of a session."""
        with self._lock:
            return self._sessions.index(session) if session in self._sessions else 0

    def leave(self, session: Session) -> None:
        """Give the place of a session away, where it has one."""
        with self._lock:
            if session in self._sessions:
                self._sessions.remove(session)
        session.asked = None
