"""Streaming: answers are made in threads, sent in pieces, and stopped when the client disconnects."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator

from fastapi import Request

from rag.answering.render import ending_to_text, shown_text
from rag.codec import answer_to_json
from rag.errors import CitewireError
from rag.protocols import Cancel
from rag.schema import Answer
from rag.server.http.counters import Counters
from rag.server.http.failures import RETRY_S, Failure
from rag.text.words import plain

MOST_AT_ONCE = 64  # questions; the model takes one at a time, so the last of them waits long
LOOK_S = 0.5  # how often the connection of the client is checked

Piece = tuple[str, Answer]
"""Text that is sent, "" for none, and the answer it is from."""


def pieces_of(answers: Iterator[Answer]) -> Iterator[Piece]:
    """The text to send of growing answers: how a follow-up was understood, each statement once it is verified, and at the end
    notes, disagreement and sources."""
    for text, answer in shown_text(answers):
        if answer.final:
            note = f"{plain(answer.note)}\n" if answer.note else ""
            error = f"{plain(answer.error)}\n" if answer.error else ""
            text += note + error + ("\n" if answer.shown or note else "") + ending_to_text(answer)
        if text or answer.final:
            yield text, answer


def json_of(answers: Iterator[Answer]) -> Iterator[Piece]:
    """The text to send where JSON is requested: the whole answer, once it is final."""
    for answer in answers:
        yield answer_to_json(answer) if answer.final else "", answer


class Threads:
    """Answers questions in threads, a limited number at once."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    async def pieces(
        self, begin: Callable[[Cancel], Iterator[Piece]], request: Request
    ) -> AsyncGenerator[Piece, None]:
        """The pieces that `begin` yields. Closing the generator stops the thread.

        Raises `Failure` where too many questions run or the client has disconnected, and whatever `begin` raises.
        """
        if not self._places.acquire(blocking=False):
            raise Failure(
                429,
                f"{MOST_AT_ONCE} questions are being answered; ask again later",
                "rate_limit_exceeded",
                **{"Retry-After": str(RETRY_S)},
            )
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[Piece | Exception | None] = asyncio.Queue()
        stop = threading.Event()

        def tell(item: Piece | Exception | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(made.put_nowait, item)

        def work() -> None:
            try:
                for piece in begin(stop.is_set):
                    tell(piece)
            except (CitewireError, Failure) as error:
                tell(error)
            finally:
                self._places.release()
                self._counters.running.dec()
                tell(None)

        self._counters.running.inc()
        threading.Thread(target=work, name="question", daemon=True).start()
        try:
            while True:
                try:
                    item = await asyncio.wait_for(made.get(), LOOK_S)
                except TimeoutError:
                    if await request.is_disconnected():
                        raise Failure(499, "the client went away", "client_closed_request") from None
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            stop.set()
