"""Passages that fit a query, and the articles themselves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from rag.codec import article_to_dict, passage_to_dict
from rag.server.http.failures import Failure
from rag.server.http.service import Service

MOST_PASSAGES = 50
MOST_ARTICLES = 1000


def routes(service: Service) -> APIRouter:
    """`GET /search`, `/articles` and `/article`."""
    router = APIRouter()
    assistant = service.assistant

    @router.get("/search", dependencies=[Depends(service.access.counted)])
    def search(
        q: Annotated[str, Field(min_length=1, max_length=2000)],
        limit: Annotated[int, Field(ge=1, le=MOST_PASSAGES)] = 10,
    ) -> list[dict[str, Any]]:
        """The best passages, best first."""
        return [passage_to_dict(p) for p in assistant.search(q, limit)]

    @router.get("/articles")
    def articles(limit: Annotated[int, Field(ge=1, le=MOST_ARTICLES)] = 100) -> list[dict[str, Any]]:
        """The articles, by id, and what they state about themselves."""
        return [{"id": a.id, **article_to_dict(a)} for a in assistant.articles(limit)]

    @router.get("/article")
    def article(id: Annotated[str, Field(min_length=1, max_length=2000)]) -> dict[str, Any]:
        """One article with its text."""
        found = assistant.article(id)
        if found is None:
            raise Failure(404, "no article of that id here", "article_not_found")
        return {"id": found.id, **article_to_dict(found), "body": found.body}

    return router
