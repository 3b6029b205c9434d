"""The objects that all routes share: the assistant, the counters and the access control."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.protocols import Cancel
from rag.schema import EVERY_ARTICLE, Answer, Article, Choice, Passage, Turn
from rag.server.http.access import Access
from rag.server.http.counters import Counters


class Answering(Protocol):
    """The part of `rag.assistant.Assistant` that the interface uses."""

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
        """Names of the models that can word an answer."""


@dataclass(frozen=True, slots=True)
class Service:
    """The objects that routes share."""

    assistant: Answering
    counters: Counters
    access: Access
