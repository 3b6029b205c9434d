"""Errors in the form of the OpenAI protocol. Every error of the interface has this form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from rag.errors import CitewireError, QuestionError, StoreError

RETRY_S = 5  # the Retry-After of a refused request


class Problem(BaseModel):
    """What went wrong."""

    message: str
    type: str
    code: str


class Failed(BaseModel):
    """A request that was not served."""

    error: Problem


UNSERVED: dict[int | str, dict[str, Any]] = {
    status: {"model": Failed} for status in (400, 401, 404, 405, 413, 415, 422, 429, 503)
}
"""The statuses of requests that are not served, for the schema."""


class Failure(Exception):
    """A request that cannot be served."""

    def __init__(self, status: int, message: str, code: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def failed(status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response for a request that was not served."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    problem = {"error": {"message": message, "type": kind, "code": code}}
    return JSONResponse(problem, status, headers=dict(headers or {}))


def _unread(error: RequestValidationError) -> Response:
    """A body that is missing, is no JSON, or does not fit the schema."""
    found = error.errors()[0]
    if found["loc"] == ("body",) and found["type"] == "missing":
        return failed(400, "the request has no body; send the question as JSON", "no_body")
    if found["loc"] == ("body",):
        text = "the body is not a JSON object; send one, with Content-Type: application/json"
        return failed(422, text, "invalid_request")
    place = ".".join(str(p) for p in found["loc"])
    return failed(422, f"{place}: {found['msg']}", "invalid_request")


def add_handlers(app: FastAPI) -> None:
    """Give every error that a request can end with the same form."""

    @app.exception_handler(Failure)
    async def on_failure(_: Request, error: Failure) -> Response:
        return failed(error.status, str(error), error.code, error.headers)

    @app.exception_handler(CitewireError)
    async def on_error(_: Request, error: CitewireError) -> Response:
        if isinstance(error, QuestionError):
            return failed(400, str(error), "invalid_question")
        code = "no_index" if isinstance(error, StoreError) else "unavailable"
        return failed(503, str(error), code, {"Retry-After": str(RETRY_S)})

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        return _unread(error)

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> Response:
        return failed(error.status_code, str(error.detail), "not_served", error.headers)
