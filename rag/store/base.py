"""The interface for reading an index. `LocalStore` and `MilvusStore` implement it.

A store is one generation of an index. A search sees exactly that generation, whatever a writer does meanwhile.
This module knows neither files nor servers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.errors import StoreError
from rag.schema import EVERY_ARTICLE, Article, Choice, Chunk

if TYPE_CHECKING:
    from rag.protocols import Vectors


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The settings that made an index. Only the same settings may read it."""

    embedding: str
    dimension: int
    chunking: str


def check_fingerprint(place: str, made_by: Fingerprint | None, wanted: Fingerprint) -> None:
    """Raise `StoreError` where the index at `place` is empty (`made_by` is None) or was made by other settings."""
    if made_by is None:
        raise StoreError(f"the index at {place} is empty; run: rag index")
    if made_by == wanted:
        return
    what, old, new = "way of cutting articles into chunks", made_by.chunking, wanted.chunking
    if made_by.embedding != wanted.embedding:
        what, old, new = "embedding model", made_by.embedding, wanted.embedding
    raise StoreError(f"the index at {place} was made by another {what} ({old}, now {new}); run: rag index")


def embedded_text(title: str, text: str) -> str:
    """The text that is embedded and searched for a chunk. The article's title is part of it, because a chunk alone rarely
    names the event."""
    return text if not title or title in text else f"{title}\n{text}"


def embedded_key(embedding: str, title: str, text: str) -> bytes:
    """The SHA-256 that identifies a chunk's vector: of the embedded text and the name of the model."""
    written = f"{embedding}\n{embedded_text(title, text)}"
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()


class Store(Protocol):
    """One generation of an index, for reading. Threads may share it. Methods raise `StoreError` where data are damaged,
    missing or out of reach."""

    @property
    def fingerprint(self) -> Fingerprint:
        """The settings that made the index."""

    @property
    def generation(self) -> int:
        """The number of the generation; each update makes the next one."""

    def reopened(self) -> Store:
        """Open the newest generation of the same index. Files that are already open are not read again."""

    def is_behind(self) -> bool:
        """Whether a newer generation has been made, as far as is known here."""

    def release(self) -> None:
        """Nobody is reading: a writer may remove what only this generation needs."""

    def resume(self) -> bool:
        """Hold the generation again after `release`. False where it is no longer the newest: then use `reopened`."""

    def close(self) -> None:
        """Close what is open."""

    def articles(self, limit: int = -1) -> list[Article]:
        """Articles, by id; at most `limit` of them, all when it is -1."""

    def each_article(self) -> Iterator[Article]:
        """All articles in any order, without holding all of them in memory."""

    def article(self, id_: str) -> Article | None:
        """The article of that id, None when it is not there."""

    def article_count(self) -> int:
        """Number of articles."""

    def chunk_count(self) -> int:
        """Number of chunks."""

    def chunks_by_article(self) -> dict[str, int]:
        """Number of chunks by article id."""

    def publishers(self) -> list[str]:
        """Who published the articles, in order."""

    def dense(self, vector: Vectors, limit: int, choice: Choice = EVERY_ARTICLE) -> list[tuple[int, float]]:
        """(chunk id, cosine similarity) of the `limit` chunks nearest to `vector`, shape (dimension,); best first, ties by
        id. A store may filter by `choice` but need not, so the caller has to check."""

    def lexical(self, query: str, limit: int) -> list[tuple[int, float]]:
        """(chunk id, BM25 score) of the chunks with any word of `query`, best first, ties by id."""

    def lookup(self, ids: Sequence[int]) -> list[tuple[int, Chunk, Article]]:
        """The chunks of `ids` with their articles, in the order given; ids that are gone are left out.

        Raises `StoreError` where a chunk does not match the text of its article.
        """

    def facts(self, ids: Sequence[int]) -> dict[int, Article]:
        """By chunk id, the article without its text: what it states about itself."""
