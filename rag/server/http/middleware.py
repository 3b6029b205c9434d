"""Middleware for every request: its id, its size limit, and its metrics."""

from __future__ import annotations

import re
import secrets
import time
import zlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.server.http.counters import Counters
from rag.server.http.failures import failed

MOST_BYTES = 1_048_576  # of a request: some hundreds of questions with their answers
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _TooLarge(Exception):
    """A body of more than `MOST_BYTES`."""


class _Encoded(Exception):
    """A body in an encoding that is not read, or that is not what its head says."""


class _Disconnected(Exception):
    """The client disconnected before its request had arrived."""


async def _read(receive: Receive, told: str) -> bytes:
    """The body of a request. Its size is counted while it is read; `told` is the Content-Length, "" where there is none."""
    if told and not (told.isascii() and told.isdigit() and int(told) <= MOST_BYTES):
        raise _TooLarge
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise _TooLarge
        if not message.get("more_body"):
            return b"".join(parts)


def _unpacked(body: bytes, encoding: str) -> bytes:
    """A body without its Content-Encoding. Its size is limited while it is unpacked, too."""
    if not body or encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise _Encoded(encoding)
    try:
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either format, by its head
        found = unpacking.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise _Encoded(encoding) from None
    if len(found) > MOST_BYTES:
        raise _TooLarge
    return found


def _replay(body: bytes, receive: Receive) -> Receive:
    """Replays a body that was read already, then passes on further messages, such as the disconnection."""
    read = False

    async def give() -> Message:
        nonlocal read
        if read:
            return await receive()
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


class RequestMiddleware:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        asked_head = scope["method"] == "HEAD"  # answered as GET, without the body
        if asked_head:
            scope = {**scope, "method": "GET"}

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = [(b"x-request-id", id_.encode()), (b"x-content-type-options", b"nosniff")]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            elif asked_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            body = await _read(receive, headers.get("content-length", ""))
            body = _unpacked(body, headers.get("content-encoding", "").strip().lower())
            await self._app(scope, _replay(body, receive), answer)
        except _TooLarge:
            response = failed(413, f"a request has at most {MOST_BYTES} bytes", "too_large")
            await response(scope, receive, answer)
        except _Encoded as error:
            text = f"the body is not readable as {error}; send it plain or as gzip"
            response = failed(415, text, "unsupported_encoding", {"Accept-Encoding": "gzip, deflate"})
            await response(scope, receive, answer)
        except _Disconnected:
            status = 499
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._counters.requests.labels(route, str(status)).inc()
            self._counters.seconds.labels(route).observe(time.monotonic() - started)
