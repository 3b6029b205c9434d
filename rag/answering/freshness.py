"""Freshness: whether the articles that an answer cites still say what it cited. Pure.

An answer carries the text it cites, so it stays readable; this tells what has happened to the articles since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from rag.schema import Answer, Article


class Freshness(StrEnum):
    """What has become of a cited article."""

    CURRENT = "current"  # as it was
    CHANGED = "changed"  # it has changed, and still says the cited sentences
    REWORDED = "reworded"  # it has changed, and says a cited sentence no longer
    GONE = "gone"  # it is not in the index any more


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence that an answer cites: its article's id and version, and its text."""

    article_id: str
    version: str
    text: str


def cited_by(answer: Answer) -> list[Cited]:
    """The sentences that an answer shows, the closest ones of a refusal included."""
    return [Cited(e.article.id, e.article.version, e.text) for e in (*answer.evidence, *answer.closest)]


def freshness(cited: Iterable[Cited], now: Callable[[str], Article | None]) -> dict[str, Freshness]:
    """By article id, in the order they are cited; `now` gives the article as it is indexed now."""
    found: dict[str, Freshness] = {}
    for item in cited:
        article = now(item.article_id)
        if article is None:
            found[item.article_id] = Freshness.GONE
        elif article.version == item.version:
            found.setdefault(item.article_id, Freshness.CURRENT)
        elif item.text in article.body:
            found.setdefault(item.article_id, Freshness.CHANGED)
        else:
            found[item.article_id] = Freshness.REWORDED
    return found
