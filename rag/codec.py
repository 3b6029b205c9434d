"""Codec: an `Answer` as JSON and back, equal to what it was. Pure.

`rag.answering.render` writes answers for others to read; this keeps all of one, articles apart, so that each is stored once.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from enum import Enum
from functools import cache
from typing import Any

from rag import schema
from rag.schema import Answer, Article

FORMAT = 1


class CodecError(Exception):
    """What was stored is not an answer, or an article of it is missing."""


def _plain(value: Any, articles: dict[str, Article]) -> Any:
    if isinstance(value, Article):
        key = article_key(value)
        articles[key] = value
        return key
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name), articles) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item, articles) for item in value]
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind, vars(schema))


def _typed(value: Any, kind: Any, articles: dict[str, Article]) -> Any:
    if kind is Article and isinstance(value, str):
        return articles[value]
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        (kind,) = (a for a in typing.get_args(kind) if a is not types.NoneType)
        return _typed(value, kind, articles)
    if origin is tuple:
        return tuple(_typed(item, typing.get_args(kind)[0], articles) for item in value)
    if dataclasses.is_dataclass(kind):
        known = _hints(typing.cast(type, kind))
        return typing.cast(Any, kind)(
            **{name: _typed(part, known[name], articles) for name, part in value.items() if name in known}
        )
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def article_key(article: Article) -> str:
    """Names one version of an article."""
    return f"{article.version[:16]}:{article.id}"


def row_of(article: Article) -> dict[str, Any]:
    """An article as values that JSON can hold."""
    return {f.name: _plain(getattr(article, f.name), {}) for f in dataclasses.fields(article)}


def article_of(row: dict[str, Any]) -> Article:
    """The article that `row_of` was given; what else the row holds is left out."""
    known = _hints(Article)
    return Article(**{name: _typed(part, known[name], {}) for name, part in row.items() if name in known})


def encode(answer: Answer) -> tuple[str, dict[str, str]]:
    """The answer as JSON, and the articles that it speaks of, each as JSON by its key."""
    articles: dict[str, Article] = {}
    text = json.dumps({"format": FORMAT, "answer": _plain(answer, articles)}, ensure_ascii=False)
    bodies = {}
    for key, article in articles.items():
        bodies[key] = json.dumps(row_of(article), ensure_ascii=False)
    return text, bodies


def decode(text: str, bodies: dict[str, str]) -> Answer:
    """The answer that `encode` was given. Raises `CodecError`."""
    try:
        stored = json.loads(text)
        articles = {key: article_of(json.loads(body)) for key, body in bodies.items()}
        answer: Answer = _typed(stored["answer"], Answer, articles)
        return answer
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CodecError(f"a stored answer cannot be read ({error!r})") from None
