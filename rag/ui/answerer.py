"""The part of `rag.assistant.Assistant` that the page uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from rag.answering.freshness import Cited, Freshness
from rag.config import Settings
from rag.ingest.library import Library
from rag.protocols import Cancel
from rag.schema import Answer, Article, Choice, Passage, Turn


class Answerer(Protocol):
    """Answers the questions of the page."""

    settings: Settings

    def writers(self) -> list[str]:
        """Names of the models that can word an answer, the configured one first."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, cancel: Cancel, choice: Choice
    ) -> Iterator[Answer]:
        """Growing answers from the articles that fit `choice`, the last one final."""

    def publishers(self) -> list[str]:
        """Who published the articles, in order."""

    def articles(self, limit: int = -1) -> list[Article]:
        """Articles, by id; at most `limit` of them, all when it is -1."""

    def search(self, query: str, limit: int = 10) -> list[Passage]:
        """The `limit` best passages, best first."""

    def library(self) -> Library:
        """The library, which lists, adds and removes articles."""

    def freshness(self, cited: Iterable[Cited]) -> dict[str, Freshness]:
        """By id of each cited article, whether it has changed or gone since."""
