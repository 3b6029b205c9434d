"""Routes for the operator of the server: health and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rag import __version__
from rag.server.http.service import Service


def routes(service: Service) -> APIRouter:
    """`GET /health`, which needs no key, and `GET /metrics`."""
    router = APIRouter()

    @router.get("/health")
    def health() -> dict[str, str]:
        """Whether questions can be asked: the index opens."""
        service.assistant.article("")  # one row: no store reads more for it
        return {"status": "ok", "version": __version__}

    @router.get("/metrics", dependencies=[Depends(service.access.allowed)], response_class=PlainTextResponse)
    def metrics() -> Response:
        """Counts and times in the text format of Prometheus."""
        return Response(generate_latest(service.counters.registry), media_type=CONTENT_TYPE_LATEST)

    return router
