"""Sessions: conversations that are kept on this machine, and answers that a reader found wrong.

They are in one SQLite file that only its owner can read. An answer is kept with its articles as they were then, each version
once. Deleted data are overwritten. Nothing is sent anywhere.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.answering.render import answer_to_text, source_line
from rag.codec import CodecError, decode, encode
from rag.errors import CitewireError
from rag.schema import Answer, Status, Turn
from rag.store.catalog_file import atomic
from rag.text.words import fold, plain

FILE_NAME = "conversations.sqlite"
FORMAT = 1
TITLE_CHARS = 80
MAX_REASON_CHARS = 2000

_SCHEMA = """
CREATE TABLE conversations(id TEXT PRIMARY KEY, title TEXT NOT NULL, started TEXT NOT NULL, changed TEXT NOT NULL);
CREATE TABLE turns(
    conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE, number INTEGER NOT NULL,
    answer TEXT NOT NULL, articles TEXT NOT NULL, PRIMARY KEY(conversation, number));
CREATE TABLE articles(key TEXT PRIMARY KEY, article TEXT NOT NULL);
CREATE TABLE cases(
    id TEXT PRIMARY KEY, at TEXT NOT NULL, reason TEXT NOT NULL, history TEXT NOT NULL, answer TEXT NOT NULL,
    articles TEXT NOT NULL);
"""


class SessionError(CitewireError):
    """The file of conversations cannot be read or written, or does not contain what was asked for."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A kept conversation: its id, first question, time of the last change (ISO 8601, UTC) and number of answers."""

    id: str
    title: str
    changed: str
    turns: int


@dataclass(frozen=True, slots=True)
class Case:
    """An answer that a reader found wrong, the reason, and the earlier questions."""

    id: str
    at: str
    reason: str
    history: tuple[Turn, ...]
    answer: Answer


def repeats(case: Case, now: Answer) -> bool:
    """Whether an answer repeats the wrong one: the same statements, or a refusal again."""
    before = {fold(s.text) for s in case.answer.shown}
    return now.status is not Status.FAILED and before == {fold(s.text) for s in now.shown}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Sessions:
    """The open file. Threads may share it: calls are serialised."""

    def __init__(self, folder: Path) -> None:
        """Open `folder/conversations.sqlite`; it is made where it is missing. Raises `SessionError`."""
        self.path = folder / FILE_NAME
        self._lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.execute("PRAGMA foreign_keys=ON")
            self._db.execute("PRAGMA secure_delete=ON")
            with self._changing():
                (format_,) = self._db.execute("PRAGMA user_version").fetchone()
                if format_ == 0:
                    for statement in _SCHEMA.strip().split(";\n"):
                        self._db.execute(statement.removesuffix(";"))
                    self._db.execute(f"PRAGMA user_version={FORMAT}")
                elif format_ != FORMAT:
                    raise SessionError(
                        f"{self.path}: format {format_}, this program reads {FORMAT}; install the newer program"
                    )
        except OSError as error:
            raise SessionError(
                f"{self.path}: cannot be written ({error.strerror}); set CITEWIRE_DATA to a folder that you may write to"
            ) from None
        except sqlite3.Error as error:
            raise self._error(error) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _error(self, error: sqlite3.Error) -> SessionError:
        return SessionError(f"{self.path}: {error}; free space, or move the file away")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            try:
                with atomic(self._db):
                    yield
            except sqlite3.Error as error:
                raise self._error(error) from None

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[str, ...]]:
        with self._lock:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise self._error(error) from None

    def _keep(self, answer: Answer) -> tuple[str, str]:
        """Store the articles of an answer; the answer and the keys of its articles as JSON."""
        text, bodies = encode(answer)
        self._db.executemany("INSERT OR IGNORE INTO articles VALUES(?,?)", list(bodies.items()))
        return text, json.dumps(sorted(bodies))

    def _answer(self, text: str, keys: str) -> Answer:
        rows = self._rows(
            "SELECT key, article FROM articles WHERE key IN (SELECT value FROM json_each(?))", (keys,)
        )
        try:
            return decode(text, {row[0]: row[1] for row in rows})
        except CodecError as error:
            raise SessionError(f"{self.path}: {error}; delete the conversation") from None

    # ------------------------------------------------------------------ conversations

    def keep(self, id_: str, turns: Sequence[Answer]) -> str:
        """Keep the final answers of a conversation under `id_`, "" for a new one; returns its id."""
        final = [t for t in turns if t.final]
        if not final:
            return id_
        id_ = id_ or secrets.token_urlsafe(12)
        title = plain(final[0].question)[:TITLE_CHARS]
        with self._changing():
            self._db.execute(
                "INSERT INTO conversations VALUES(?,?,?,?)"
                " ON CONFLICT(id) DO UPDATE SET title=excluded.title, changed=excluded.changed",
                (id_, title, _now(), _now()),
            )
            self._db.execute("DELETE FROM turns WHERE conversation=?", (id_,))
            for number, answer in enumerate(final):
                self._db.execute("INSERT INTO turns VALUES(?,?,?,?)", (id_, number, *self._keep(answer)))
        return id_

    def listed(self) -> list[Listed]:
        """All conversations, the most recently changed first."""
        rows = self._rows(
            "SELECT c.id, c.title, c.changed, count(t.number) FROM conversations c LEFT JOIN turns t"
            " ON t.conversation=c.id GROUP BY c.id ORDER BY c.changed DESC, c.rowid DESC"
        )
        return [Listed(id_, title, changed, int(turns)) for id_, title, changed, turns in rows]

    def open(self, id_: str) -> list[Answer]:
        """The answers of a conversation, as they were given. Raises `SessionError` when there is none of that id."""
        rows = self._rows("SELECT answer, articles FROM turns WHERE conversation=? ORDER BY number", (id_,))
        if not rows:
            raise SessionError("this conversation is not kept any more; begin a new one")
        return [self._answer(text, keys) for text, keys in rows]

    def delete(self, id_: str) -> None:
        """Delete a conversation, and articles that nothing else cites, for good: its bytes are overwritten."""
        with self._changing():
            self._db.execute("DELETE FROM conversations WHERE id=?", (id_,))
            self._drop_articles()

    def _drop_articles(self) -> None:
        self._db.execute(
            "DELETE FROM articles WHERE key NOT IN (SELECT value FROM turns, json_each(turns.articles)"
            " UNION SELECT value FROM cases, json_each(cases.articles))"
        )

    # ------------------------------------------------------------------ cases

    def report(self, answer: Answer, history: Sequence[Turn], reason: str) -> str:
        """Keep an answer that a reader found wrong; returns the id of the case."""
        id_ = secrets.token_hex(4)
        said = json.dumps([[t.question, t.as_understood, t.answer] for t in history], ensure_ascii=False)
        with self._changing():
            self._db.execute(
                "INSERT INTO cases VALUES(?,?,?,?,?,?)",
                (id_, _now(), plain(reason)[:MAX_REASON_CHARS], said, *self._keep(answer)),
            )
        return id_

    def cases(self) -> list[Case]:
        """All cases, the oldest first."""
        rows = self._rows("SELECT id,at,reason,history,answer,articles FROM cases ORDER BY at, rowid")
        return [
            Case(id_, at, reason, tuple(Turn(*t) for t in json.loads(said)), self._answer(text, keys))
            for id_, at, reason, said, text, keys in rows
        ]

    def delete_case(self, id_: str) -> bool:
        """Delete a case for good; false when there is none of that id."""
        with self._changing():
            gone = self._db.execute("DELETE FROM cases WHERE id=?", (id_,)).rowcount > 0
            self._drop_articles()
        return gone


def kept_cases(folder: Path) -> list[Case]:
    """All cases that are kept in `folder`, the oldest first; none where nothing was kept. Raises `SessionError`."""
    if not (folder / FILE_NAME).is_file():
        return []
    with closing(Sessions(folder)) as sessions:
        return sessions.cases()


def to_markdown(turns: Sequence[Answer]) -> str:
    """A conversation for a text editor: each question, its answer, and the cited sentences."""
    parts = []
    for answer in turns:
        parts.append(f"## {_escaped(plain(answer.question))}\n")
        parts.append("\n".join(f"    {line}" for line in answer_to_text(answer).splitlines()))
        dates = sorted({source_line(e.article) for e in answer.evidence})
        parts.append("\n".join(f"- {_escaped(line)}" for line in dates))
    return "\n\n".join(p for p in parts if p) + "\n"


def _escaped(text: str) -> str:
    """Text in which Markdown has no markup: links, images and HTML stay plain words."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~" else c for c in text)
