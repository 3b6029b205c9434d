"""The chat of the OpenAI protocol: answers in one piece or as a stream, and the models that can word an answer."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from rag.codec import answer_to_dict
from rag.errors import CitewireError, ModelError
from rag.protocols import Cancel
from rag.schema import EVERY_ARTICLE, Answer, Choice, Status
from rag.server.http.failures import Failure
from rag.server.http.requests import MODEL, Chat
from rag.server.http.service import Answering, Service
from rag.server.http.streaming import Piece, Threads, json_of, pieces_of

QUOTES = "none"  # the model name for answers that only quote
STREAMED = {"description": "With `stream`, events.", "content": {"text/event-stream": {}}}


def _names(assistant: Answering) -> list[str]:
    return [MODEL, *assistant.writers(), QUOTES]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "citewire"}


def _choice(assistant: Answering, model: str) -> Choice:
    """The choice that a model name stands for. Raises `Failure` for an unknown name."""
    if model == QUOTES:
        return Choice(quotes_only=True)
    if model == MODEL:
        return EVERY_ARTICLE
    if model in assistant.writers():
        return Choice(model=model)
    known = ", ".join(_names(assistant))
    raise Failure(404, f"no model {model!r} here; known are {known}", "model_not_found")


def _answers(assistant: Answering, chat: Chat, cancel: Cancel) -> Iterator[Answer]:
    """The stream of answers to a chat's last question."""
    question, history = chat.question()
    choice = _choice(assistant, chat.model or MODEL)
    for answer in assistant.stream(question, history, cancel=cancel, choice=choice):
        if answer.final and chat.left_out:
            answer = replace(answer, note=f"{answer.note} {chat.left_out}".strip())
        yield answer


class _Reply:
    """The forms of one reply: an object, or the events of a stream."""

    def __init__(self, chat: Chat, id_: str) -> None:
        self._chat = chat
        self._head = {"id": f"chatcmpl-{id_}", "created": int(time.time()), "model": chat.model or MODEL}

    def whole(self, text: str, answer: Answer) -> dict[str, Any]:
        """The reply as one object."""
        message = {"role": "assistant", "content": text}
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": self._chat.usage(text),
            "citewire": answer_to_dict(answer),
        }

    def piece(self, delta: Mapping[str, str]) -> str:
        """An event with new text."""
        return self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})

    def end(self, text: str, answer: Answer) -> Iterator[str]:
        """The events after the last piece; `text` is all that was sent."""
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        yield self._event({"choices": [choice], "citewire": answer_to_dict(answer)})
        if self._chat.wants_usage:
            yield self._event({"choices": [], "usage": self._chat.usage(text)})
        yield "data: [DONE]\n\n"

    def broken(self, error: CitewireError) -> str:
        """The last event where an error ends the stream."""
        problem = {"message": str(error), "type": "server_error", "code": "unavailable"}
        return f"data: {json.dumps({'error': problem})}\n\n"

    def _event(self, more: Mapping[str, object]) -> str:
        unused = {"usage": None} if self._chat.wants_usage else {}
        chunk = {**self._head, "object": "chat.completion.chunk", **unused, **more}
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


def routes(service: Service) -> APIRouter:
    """`POST /v1/chat/completions`, `GET /v1/models` and `/v1/models/{name}`."""
    router = APIRouter()
    assistant, counters = service.assistant, service.counters
    threads = Threads(counters)

    @router.post(
        "/v1/chat/completions",
        dependencies=[Depends(service.access.counted)],
        responses={200: STREAMED},
    )
    async def chat_completions(chat: Chat, request: Request) -> Response:
        """Answer the last message. The whole answer (docs/answer.md) is in `citewire`, with `stream` in the chunk that has a
        `finish_reason`."""
        form = json_of if chat.wants_json else pieces_of
        found = threads.pieces(lambda cancel: form(_answers(assistant, chat, cancel)), request)
        first = await anext(found)  # so that a refused request gets its HTTP status
        reply = _Reply(chat, request.state.id)
        if chat.stream:
            return StreamingResponse(_events(reply, first, found), media_type="text/event-stream")
        text, answer = first
        async with aclosing(found):
            async for piece, newer in found:
                text, answer = text + piece, newer
        counters.answers.labels(answer.status.value).inc()
        if answer.status is Status.FAILED:
            raise ModelError(answer.error)
        return JSONResponse(reply.whole(text, answer))

    async def _events(reply: _Reply, first: Piece, found: AsyncGenerator[Piece, None]) -> AsyncIterator[str]:
        yield reply.piece({"role": "assistant", "content": ""})
        text, answer = first
        if text:
            yield reply.piece({"content": text})
        try:
            async with aclosing(found):
                async for piece, newer in found:
                    text, answer = text + piece, newer
                    if piece:
                        yield reply.piece({"content": piece})
        except Failure:
            return  # the client has disconnected
        except CitewireError as error:
            yield reply.broken(error)
            return
        counters.answers.labels(answer.status.value).inc()
        for event in reply.end(text, answer):
            yield event

    @router.get("/v1/models")
    def models() -> dict[str, Any]:
        """The names that `model` may be."""
        return {"object": "list", "data": [_model(name) for name in _names(assistant)]}

    @router.get("/v1/models/{name}")
    def model(name: str) -> dict[str, Any]:
        """One of them."""
        _choice(assistant, name)
        return _model(name)

    return router
