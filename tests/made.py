"""What tests make over and over: articles, passages, sentences that a reader found, and what an index finds."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from rag.answering.reading import Found, evidence_of
from rag.config import Settings
from rag.ingest.build import fingerprint_of
from rag.retrieval.hybrid import retrieve
from rag.retrieval.windows import Window
from rag.schema import Article, Chunk, Field, Origin, PartialDate, Passage, Published
from rag.store.local import LocalStore
from rag.text.sentences import sentences
from tests.fakes import WordEmbedder


def article(
    body: str, title: str = "", published: PartialDate | None = None, name: str = "a", publisher: str = ""
) -> Article:
    """An article; what is empty is not stated."""
    return Article(
        name,
        "0",
        f"{name}.txt",
        body,
        title=Field(title, Origin.STATED) if title else None,
        publisher=Field(publisher, Origin.SUPPLIED) if publisher else None,
        published=Published(published, Origin.STATED) if published else None,
    )


def passage(of: Article, text: str = "", rank: int = 1, start: int = 0, end: int = 0) -> Passage:
    """The passage of an article that is `text`, or `body[start:end]`; the whole article where none is given."""
    if text:
        start = of.body.index(text)
        end = start + len(text)
    end = end or len(of.body)
    return Passage(Chunk(of.id, start, end, of.body[start:end]), of, rank, 1 / rank)


def found(
    body: str,
    value: str,
    number: int = 1,
    answerable: float = 0.9,
    title: str = "",
    published: PartialDate | None = None,
    name: str = "",
) -> Found:
    """The sentence of an article whose words `value` answer, read in a window that is the whole article."""
    window = Window(article(body, title, published, name or str(number)), tuple(sentences(body)), 1)
    place = body.index(value)
    span = next(s for s in window.spans if s.start <= place < s.end)
    evidence = replace(evidence_of(window, span, value, answerable), number=number)
    return Found(evidence, window, answerable, value, ())


def found_in(settings: Settings, query: str) -> list[str]:
    """Ids of the articles of the five best passages of an index by `WordEmbedder`."""
    embedder = WordEmbedder()
    with closing(LocalStore(settings.index, fingerprint_of(settings, embedder))) as store:
        return [p.article.id for p in retrieve(store, embedder, query, 5)]
