"""The application: its routes, its middleware, and its access control."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Depends, FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from rag import __version__
from rag.server.http import articles, chat, operations
from rag.server.http.access import Access
from rag.server.http.counters import Counters
from rag.server.http.failures import UNSERVED, add_handlers
from rag.server.http.middleware import RequestMiddleware
from rag.server.http.service import Answering, Service


def make_app(assistant: Answering, keys: Sequence[bytes], hosts: Sequence[str], per_minute: int) -> FastAPI:
    """See `rag.server.http.make_api`."""
    service = Service(assistant, Counters(), Access(keys, per_minute))
    app = FastAPI(
        title="Citewire",
        version=__version__,
        description="Questions over a folder of articles. Every statement is checked against the sentences it cites.",
        docs_url=None,  # those pages load scripts from other machines
        redoc_url=None,
        strict_content_type=True,  # rejects what a form of another site can send
    )
    if "*" not in hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_middleware(RequestMiddleware, counters=service.counters)
    add_handlers(app)
    guarded = [Depends(service.access.allowed)]
    app.include_router(chat.routes(service), dependencies=guarded, responses=UNSERVED)
    app.include_router(articles.routes(service), dependencies=guarded, responses=UNSERVED)
    app.include_router(
        operations.routes(service), responses=UNSERVED
    )  # each of these routes sets its own access
    return app
