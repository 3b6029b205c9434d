"""The values that the catalogue stores and returns, and the stored form of an article. It knows no SQL and no files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from rag.schema import Article, Chunk, Field, Origin, PartialDate, Published, Span


@dataclass(frozen=True, slots=True)
class Segment:
    """A FAISS file of the index: `name` inside the index folder, its `kind`, its SHA-256, its number of vectors, and
    the half-open range of their chunk ids. Ranges of one index do not overlap."""

    name: str
    kind: str
    sha256: str
    count: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class LexicalFiles:
    """The word index: the folder `name` inside the index folder, and (file name, SHA-256) of all that is in it."""

    name: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk to add: `title` is indexed beside `text`; `embedded` is `embedded_key` of both."""

    chunk: Chunk
    title: str
    embedded: bytes


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An article to add: the `file` it was read from, its chunks, and the sketch that finds its near-duplicates."""

    article: Article
    file: str
    chunks: tuple[NewChunk, ...]
    sketch: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ArticleRecord:
    """An indexed article without its text: its stored `fields`, and its `digest` by `digest_of`. `origin` is the id of the
    first article among its near-duplicates, its own where there is none before it."""

    id: str
    file: str
    version: str
    fields: str
    digest: bytes
    origin: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An article that is not indexed, because the same text with the same fields is indexed under another id."""

    id: str
    file: str
    version: str
    digest: bytes


FIELDS = ("title", "author", "publisher", "place", "url", "published")  # in the order of their stored form


def _pack(stated: Field | Published | None) -> list[object] | None:
    """[value, origin, start, end], without the last two where the text does not state it; a date is a list itself."""
    if stated is None:
        return None
    value = astuple(stated.date) if isinstance(stated, Published) else stated.value
    return [value, stated.origin.value, *(astuple(stated.span) if stated.span else ())]


def fields_of(article: Article) -> str:
    """The stored form of an article's fields, as in `ArticleRecord.fields`."""
    return json.dumps({name: _pack(getattr(article, name)) for name in FIELDS}, ensure_ascii=False)


def digest_of(article: Article) -> bytes:
    """SHA-256 of an article's text and fields. Articles that differ only in their place have the same digest."""
    return digest_of_row(article.body, fields_of(article))


def digest_of_row(body: str, fields: str) -> bytes:
    """`digest_of` the article with this stored body and these stored fields."""
    return hashlib.sha256(f"{len(body)}\n{body}{fields}".encode("utf-8", "surrogatepass")).digest()


def article_of_row(row: Sequence[Any]) -> Article:
    """The article of (id, version, path, body, fields, origin) as they are stored."""
    id_, version, path, body, fields, origin = (str(value) for value in row)
    stated: dict[str, Any] = {}
    for name, packed in json.loads(fields).items():
        if packed:
            value, source, *ends = packed
            read = Origin(source), Span(*ends) if ends else None
            is_date = name == "published"
            stated[name] = Published(PartialDate(*value), *read) if is_date else Field(value, *read)
    return Article(id_, version, path, body, **stated, copy_of="" if origin == id_ else origin)
