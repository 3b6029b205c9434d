"""The HTTP interface: OpenAI-compatible chat, search and articles over one `Assistant`, for other programs.

It decides nothing about answers: what it sends of a statement has been checked, and the whole answer with its citations goes
along in every mode. Requests are hostile: bounded, counted, and turned away without a key where keys are set.
"""

# The application's models and routes are made inside a function, where annotations must be values: no postponed ones here.
import asyncio
import hmac
import json
import math
import os
import re
import secrets
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from rag.errors import CitewireError, ConfigError, ModelError, QuestionError, StoreError, missing_extra
from rag.protocols import Cancel
from rag.render import (
    UNDERSTOOD,
    answer_to_dict,
    article_to_dict,
    ending_to_text,
    passage_to_dict,
    settled_text,
)
from rag.schema import EVERY_ARTICLE, Answer, Article, Choice, Passage, Status, Turn
from rag.text import plain

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.responses import JSONResponse
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEYS = "CITEWIRE_API_KEYS"  # separated by commas; the only place they are read from
MODEL = "citewire"  # the name under which the model that is set answers
QUOTES = "none"  # the name under which articles are only quoted
MOST_BYTES = 262_144  # of a request: a long conversation
MOST_MESSAGES = 200
MOST_AT_ONCE = 64  # questions; the model takes one at a time, so the last of them waits long
RETRY_S = 5  # what one that is turned away is told to wait
LOOK_S = 0.5  # how often it is looked whether the client is still there
MOST_PASSAGES = 50
MOST_ARTICLES = 1000
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Answering(Protocol):
    """What the interface needs of `rag.assistant.Assistant`."""

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        cancel: Cancel = ...,
        choice: Choice = EVERY_ARTICLE,
    ) -> Iterator[Answer]:
        """Growing answers, the last one final."""

    def search(self, query: str, limit: int = 10) -> list[Passage]:
        """The best passages."""

    def articles(self, limit: int = -1) -> list[Article]:
        """Articles, by id."""

    def article(self, id_: str) -> Article | None:
        """An article."""

    def writers(self) -> list[str]:
        """Names of the models that may word an answer."""


def keys_of(environ: Mapping[str, str] | None = None) -> tuple[bytes, ...]:
    """Digests of the keys that are set; none where anybody may ask. Raises `ConfigError` for one that is too short."""
    text = (os.environ if environ is None else environ).get(KEYS, "")
    keys = [k.strip() for k in text.split(",") if k.strip()]
    if any(len(k) < 16 for k in keys):
        raise ConfigError(f"{KEYS}: a key has at least 16 characters; make one with: openssl rand -hex 24")
    return tuple(sha256(k.encode()).digest() for k in keys)


def turns_of(messages: Sequence[tuple[str, str]]) -> tuple[str, tuple[Turn, ...]]:
    """The question and what was asked before it, of a chat's (role, text) messages. What systems say is not obeyed.

    Raises `QuestionError` where the last message is not a user's.
    """
    said = [(role, text) for role, text in messages if role in ("user", "assistant")]
    if not said or said[-1][0] != "user":
        raise QuestionError("the last message must be a question of the user")
    turns: list[Turn] = []
    for (role, text), (next_role, reply) in pairwise(said):
        if role != "user" or next_role != "assistant":
            continue
        understood = text
        if reply.startswith(UNDERSTOOD):
            line, _, reply = reply.partition("\n")
            understood = line.removeprefix(UNDERSTOOD)
        shown = reply.split("\n\n")[0]
        turns.append(Turn(text, understood, re.sub(r"\s*(?:\[\d+\])+", "", shown)))
    return said[-1][1], tuple(turns)


def pieces_of(answers: Iterator[Answer]) -> Iterator[tuple[str, Answer]]:
    """What is sent of growing answers, piece by piece, each with the answer it is from: how a follow-up was understood, each
    statement when it is settled, and at last what it was taken to be about, disagreement and sources."""
    for text, answer in settled_text(answers):
        if answer.final:
            note = f"{plain(answer.note)}\n" if answer.note and answer.shown else ""
            error = f"{plain(answer.error)}\n" if answer.error else ""
            text += note + error + ("\n" if answer.shown else "") + ending_to_text(answer)
        if text or answer.final:
            yield text, answer


class _Failure(Exception):
    """A request that cannot be served, as the protocol tells it."""

    def __init__(self, status: int, message: str, code: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


class _Counters:
    """What Prometheus reads."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        self.requests = Counter(
            "citewire_requests", "Requests by route and status.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "citewire_request_seconds",
            "Seconds from a request to the end of its response.",
            ["route"],
            buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 60, 120),
            registry=self.registry,
        )
        self.answers = Counter("citewire_answers", "Answers by status.", ["status"], registry=self.registry)
        self.running = Gauge("citewire_running", "Questions that are being answered.", registry=self.registry)


class _Around:
    """What stands around every request: its id, its size, and what is counted of it."""

    def __init__(self, app: "ASGIApp", counters: _Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        id_ = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["id"] = id_
        status = 500

        async def answer(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = [(b"x-request-id", id_.encode()), (b"x-content-type-options", b"nosniff")]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        length = headers.get("content-length", "0")
        try:
            if "transfer-encoding" in headers or not length.isdigit() or int(length) > MOST_BYTES:
                too_large = _failed(
                    413, f"a request has at most {MOST_BYTES} bytes, and tells how many", "too_large"
                )
                await too_large(scope, receive, answer)
            else:
                await self._app(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._counters.requests.labels(route, str(status)).inc()
            self._counters.seconds.labels(route).observe(time.monotonic() - started)


def _failed(status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> "JSONResponse":
    """A request that was not served, as the protocol tells it."""
    from fastapi.responses import JSONResponse

    kind = "invalid_request_error" if status < 500 else "server_error"
    problem = {"error": {"message": message, "type": kind, "code": code}}
    return JSONResponse(problem, status, headers=dict(headers or {}))


def make_api(
    assistant: Answering, keys: Sequence[bytes] = (), hosts: Sequence[str] = ("*",), per_minute: int = 0
) -> "FastAPI":
    """The application. `keys` are digests of those that may ask (none: anybody); `hosts` the names it answers to, so that no
    page of another site can reach it by a name of its own; `per_minute` how many questions and searches one key, or without
    keys one address, may send in a minute (0: any number).

    Raises `ConfigError` where a package is missing.
    """
    try:
        import prometheus_client
        from limits import RateLimitItemPerMinute
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter
    except ImportError:
        raise missing_extra("rag serve", "serve") from None
    from fastapi import APIRouter, Depends, FastAPI, Request, Response
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
    from pydantic import BaseModel, ConfigDict, Field
    from starlette.exceptions import HTTPException
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from rag import __version__

    counters = _Counters()
    places = threading.BoundedSemaphore(MOST_AT_ONCE)

    class Part(BaseModel):
        """A part of a message; only text is read."""

        model_config = ConfigDict(extra="ignore")
        type: Literal["text"]
        text: str

    class Message(BaseModel):
        """A message of a chat."""

        model_config = ConfigDict(extra="ignore")
        role: Literal["system", "developer", "user", "assistant"]
        content: str | list[Part] | None = None

        def words(self) -> str:
            """Its text."""
            if isinstance(self.content, list):
                return "".join(p.text for p in self.content)
            return self.content or ""

    class Chat(BaseModel):
        """A question, with the messages before it. Settings of sampling are accepted and change nothing."""

        model_config = ConfigDict(extra="ignore")
        model: str = Field(MODEL, max_length=200)
        messages: list[Message] = Field(min_length=1, max_length=MOST_MESSAGES)
        stream: bool = False

    class Problem(BaseModel):
        """What went wrong."""

        message: str
        type: str
        code: str

    class Failed(BaseModel):
        """A request that was not served."""

        error: Problem

    async def allowed(request: Request) -> str:
        """Who asks: a key, or an address where none is wanted. Turns away who has no key."""
        if not keys:
            return request.client.host if request.client else ""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        digest = sha256(key.strip().encode()).digest()
        fits = [hmac.compare_digest(digest, k) for k in keys]
        if scheme.lower() != "bearer" or not any(fits):
            raise _Failure(
                401,
                "no key, or one that is not known here",
                "invalid_api_key",
                **{"WWW-Authenticate": "Bearer"},
            )
        return digest.hex()

    quota = RateLimitItemPerMinute(per_minute) if per_minute else None
    window = MovingWindowRateLimiter(MemoryStorage())

    async def counted(who: Annotated[str, Depends(allowed)]) -> None:
        """Turn away who has asked enough for now."""
        if quota is None or window.hit(quota, who):
            return
        wait_s = math.ceil(max(1.0, window.get_window_stats(quota, who).reset_time - time.time()))
        raise _Failure(
            429,
            f"at most {per_minute} questions a minute; ask again in {wait_s} s",
            "rate_limit_exceeded",
            **{"Retry-After": str(wait_s)},
        )

    app = FastAPI(
        title="Citewire",
        version=__version__,
        description="Questions over a folder of articles. Every statement is checked against the sentences it cites.",
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        strict_content_type=True,  # what a form of another site can send is not read
    )
    if "*" not in hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    unserved: dict[int | str, dict[str, Any]] = {
        status: {"model": Failed} for status in (400, 401, 404, 405, 413, 422, 429, 503)
    }
    guarded = APIRouter(dependencies=[Depends(allowed)], responses=unserved)

    app.add_middleware(_Around, counters=counters)

    @app.exception_handler(_Failure)
    async def on_failure(_: Request, error: _Failure) -> Response:
        return _failed(error.status, str(error), error.code, error.headers)

    @app.exception_handler(CitewireError)
    async def on_error(_: Request, error: CitewireError) -> Response:
        if isinstance(error, QuestionError):
            return _failed(400, str(error), "invalid_question")
        if isinstance(error, StoreError):
            return _failed(503, str(error), "no_index", {"Retry-After": str(RETRY_S)})
        return _failed(503, str(error), "unavailable", {"Retry-After": str(RETRY_S)})

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        found = error.errors()[0]
        place = ".".join(str(p) for p in found["loc"])
        return _failed(422, f"{place}: {found['msg']}", "invalid_request")

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> Response:
        return _failed(error.status_code, str(error.detail), "not_served", error.headers)

    def chosen(model: str) -> Choice:
        if model == QUOTES:
            return Choice(quotes_only=True)
        if model == MODEL:
            return EVERY_ARTICLE
        if model in assistant.writers():
            return Choice(model=model)
        known = ", ".join([MODEL, *assistant.writers(), QUOTES])
        raise _Failure(404, f"no model {model!r} here; known are {known}", "model_not_found")

    def started(chat: Chat, stop: threading.Event) -> Iterator[tuple[str, Answer]]:
        """The pieces of the answer, until it is stopped."""
        question, history = turns_of([(m.role, m.words()) for m in chat.messages])
        return pieces_of(assistant.stream(question, history, cancel=stop.is_set, choice=chosen(chat.model)))

    def envelope(kind: str, id_: str, model: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{id_}", "object": kind, "created": int(time.time()), "model": model}

    async def pieces(chat: Chat, request: Request) -> AsyncGenerator[tuple[str, Answer], None]:
        """The pieces, made by a thread of their own; closing it stops the thread."""
        if not places.acquire(blocking=False):
            raise _Failure(
                429,
                f"{MOST_AT_ONCE} questions are being answered; ask again later",
                "rate_limit_exceeded",
                **{"Retry-After": str(RETRY_S)},
            )
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[tuple[str, Answer] | Exception | None] = asyncio.Queue()
        stop = threading.Event()

        def tell(item: tuple[str, Answer] | Exception | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(made.put_nowait, item)

        def work() -> None:
            try:
                for piece in started(chat, stop):
                    tell(piece)
            except (CitewireError, _Failure) as error:
                tell(error)
            finally:
                places.release()
                counters.running.dec()
                tell(None)

        counters.running.inc()
        threading.Thread(target=work, name="question", daemon=True).start()
        try:
            while True:
                try:
                    item = await asyncio.wait_for(made.get(), LOOK_S)
                except TimeoutError:
                    if await request.is_disconnected():
                        raise _Failure(499, "the client went away", "client_closed_request") from None
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            stop.set()

    streamed = {"description": "With `stream`, events.", "content": {"text/event-stream": {}}}

    @guarded.post("/v1/chat/completions", dependencies=[Depends(counted)], responses={200: streamed})
    async def chat_completions(chat: Chat, request: Request) -> Response:
        """Answer the last message. The whole answer (docs/answer.md) is in `citewire`, with `stream` in the last chunk."""
        found = pieces(chat, request)
        first = await anext(found)  # so that what cannot be served has its status
        if not chat.stream:
            text, answer = first
            async with aclosing(found):
                async for piece, newer in found:
                    text, answer = text + piece, newer
            counters.answers.labels(answer.status.value).inc()
            message = {"role": "assistant", "content": text}
            if answer.status is Status.FAILED:
                raise ModelError(answer.error)
            return JSONResponse(
                {
                    **envelope("chat.completion", request.state.id, chat.model),
                    "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                    "citewire": answer_to_dict(answer),
                }
            )

        async def events() -> AsyncIterator[str]:
            head = envelope("chat.completion.chunk", request.state.id, chat.model)

            def event(delta: Mapping[str, str], end: str | None = None, **more: object) -> str:
                choice = {"index": 0, "delta": delta, "finish_reason": end}
                return f"data: {json.dumps({**head, 'choices': [choice], **more}, ensure_ascii=False)}\n\n"

            yield event({"role": "assistant", "content": ""})
            text, answer = first
            if text:
                yield event({"content": text})
            try:
                async with aclosing(found):
                    async for text, newer in found:
                        answer = newer
                        if text:
                            yield event({"content": text})
            except _Failure:
                return  # nobody is there to read
            except CitewireError as error:
                problem = {"message": str(error), "type": "server_error", "code": "unavailable"}
                yield f"data: {json.dumps({'error': problem})}\n\n"
                return
            counters.answers.labels(answer.status.value).inc()
            yield event({}, "stop", citewire=answer_to_dict(answer))
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    @guarded.get("/v1/models")
    def models() -> dict[str, Any]:
        """The names that `model` may be."""
        names = [MODEL, *assistant.writers(), QUOTES]
        return {
            "object": "list",
            "data": [{"id": n, "object": "model", "owned_by": "citewire"} for n in names],
        }

    @guarded.get("/search", dependencies=[Depends(counted)])
    def search(
        q: Annotated[str, Field(min_length=1, max_length=2000)],
        limit: Annotated[int, Field(ge=1, le=MOST_PASSAGES)] = 10,
    ) -> list[dict[str, Any]]:
        """The best passages, best first."""
        return [passage_to_dict(p) for p in assistant.search(q, limit)]

    @guarded.get("/articles")
    def articles(limit: Annotated[int, Field(ge=1, le=MOST_ARTICLES)] = 100) -> list[dict[str, Any]]:
        """The articles, by id, and what they state about themselves."""
        return [{"id": a.id, **article_to_dict(a)} for a in assistant.articles(limit)]

    @guarded.get("/article")
    def article(id: Annotated[str, Field(min_length=1, max_length=2000)]) -> dict[str, Any]:
        """One article with its text."""
        found = assistant.article(id)
        if found is None:
            raise _Failure(404, "no article of that id here", "article_not_found")
        return {"id": found.id, **article_to_dict(found), "body": found.body}

    @app.get("/health", responses=unserved)
    def health() -> dict[str, str]:
        """Whether questions can be asked: the index opens."""
        assistant.article("")  # one row: neither store reads the corpus for it
        return {"status": "ok", "version": __version__}

    @guarded.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        """Counts and times in the text format of Prometheus."""
        return Response(
            prometheus_client.generate_latest(counters.registry),
            media_type=prometheus_client.CONTENT_TYPE_LATEST,
        )

    app.include_router(guarded)
    return app
