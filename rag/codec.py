"""Codec: an `Answer` as JSON and back. It knows values and their two forms, not how they were made or where they lie.

Published form: `citewire.answer/1` (docs/answer.md), for other programs and in records of the evaluation. It is readable
alone, tells of articles what they state, and rounds numbers. `answer_of` reads it back over the articles.

Kept form: the fields of the values as they are, articles apart, so that each is stored once. `decode(*encode(x)) == x`.
Fields of an older program that there are no more are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from rag.schema import Answer, Article, Evidence, Passage, Span, Statement, Turn, Verdict

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SCHEMA = "citewire.answer/1"
FORMAT = 1  # of the kept form

# A published or kept name never changes, so these two are older than those of the values.
_STORED = {"confidence": "sureness", "first_verified_s": "first_settled_s"}
_CURRENT = {stored: name for name, stored in _STORED.items()}


class CodecError(Exception):
    """What was stored is not an answer, or an article of it is missing."""


def _renamed(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of an answer and of its timings under other names."""
    row = {**row}
    timings = dict(row.get("timings", ()))
    row["timings"] = {names.get(key, key): value for key, value in timings.items()}
    return {names.get(key, key): value for key, value in row.items()}


# ------------------------------------------------------------------ published form


def article_to_dict(article: Article) -> dict[str, object]:
    """What an article says of itself; None where it says nothing."""
    facts = {name: getattr(article, name) for name in ("title", "author", "publisher", "place", "url")}
    return {
        "article": article.path,
        "version": article.version,
        **{name: fact.value if fact else None for name, fact in facts.items()},
        "published": str(article.published.date) if article.published else None,
    }


def passage_to_dict(passage: Passage) -> dict[str, object]:
    """A passage: its article's facts, its place in the article's text, both ranks."""
    chunk = passage.chunk
    return {
        "rank": passage.rank,
        "id": passage.article.id,
        **article_to_dict(passage.article),
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "score": round(passage.score, 6),
        "dense_rank": passage.dense_rank,
        "lexical_rank": passage.lexical_rank,
    }


def _span(span: Span, article: Article) -> dict[str, object]:
    return {**asdict(span), "text": article.body[span.start : span.end]}


def _evidence(item: Evidence) -> dict[str, object]:
    article = item.article
    return {
        "number": item.number,
        "id": article.id,
        **article_to_dict(article),
        "start": item.start,
        "end": item.end,
        "text": item.text,
        "context": [_span(s, article) for s in item.context],
        "score": round(item.score, 6),
        "answer": _span(item.answer, article) if item.answer else None,
    }


def _statement(statement: Statement) -> dict[str, object]:
    verdict = statement.verdict or Verdict(True)
    return {
        "id": statement.id,
        "text": statement.text,
        "citations": list(statement.citations),
        "state": statement.state.value,
        "reason": verdict.reason.value if verdict.reason else None,
        "detail": verdict.detail,
        "derivation": list(verdict.derivation),
    }


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """The whole answer in its published form, of what JSON knows."""
    found = answer.disagreement
    values = [{**asdict(v), "citations": list(v.citations)} for v in found.values] if found else []
    row = {
        "schema": SCHEMA,
        "question": answer.question,
        "as_understood": answer.as_understood,
        "status": answer.status.value,
        "statements": [_statement(s) for s in answer.statements],
        "evidence": [_evidence(e) for e in answer.evidence],
        "closest": [_evidence(e) for e in answer.closest],
        "missing": answer.missing,
        "note": answer.note,
        "others": [],  # no answer has other readings any more, but a field is never taken away within version 1
        "disagreement": {"about": found.about, "values": values} if found else None,
        "timings": {k: None if v is None else round(v, 3) for k, v in asdict(answer.timings).items()},
        "generator": answer.generator,
        "confidence": None if answer.confidence is None else round(answer.confidence, 3),
        "error": answer.error,
    }
    return _renamed(row, _STORED)


def answer_to_json(answer: Answer) -> str:
    """`answer_to_dict` in one line."""
    return json.dumps(answer_to_dict(answer), ensure_ascii=False)


def answer_of(row: Mapping[str, Any], articles: Mapping[str, Article]) -> Answer:
    """The answer that was published as `row`, over the articles it was given from, by path. Numbers stay rounded.

    Raises `ValueError` where it is no answer, or an article is missing or has changed since.
    """
    try:
        statements = [s | {"verdict": {**s, "supported": s["reason"] is None}} for s in row["statements"]]
        evidence, closest = (
            [e | {"article": _unchanged(e, articles)} for e in row[name]] for name in ("evidence", "closest")
        )
        answer: Answer = _adapter(Answer).validate_python(
            {**_renamed(row, _CURRENT), "statements": statements, "evidence": evidence, "closest": closest}
        )
        return answer
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not an answer over these articles ({error})") from None


def _unchanged(row: Mapping[str, Any], articles: Mapping[str, Article]) -> Article:
    article = articles[row["article"]]
    if article.version != row["version"]:
        raise ValueError(f"{article.path} has changed since")
    return article


def turn_of_dict(row: Mapping[str, Any]) -> Turn:
    """What a conversation keeps of a published answer. Raises `KeyError` or `TypeError` where it is none."""
    shown = [str(s["text"]) for s in row["statements"] if s["state"] in ("supported", "quoted")]
    return Turn(str(row["question"]), str(row["as_understood"]), " ".join(shown))


# ------------------------------------------------------------------ kept form


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    """What reads and writes the fields of values of a kind."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def row_of(article: Article) -> dict[str, Any]:
    """An article as values that JSON can hold."""
    row: dict[str, Any] = _adapter(Article).dump_python(article, mode="json")
    return row


def article_of(row: Mapping[str, Any]) -> Article:
    """The article that `row_of` was given; what else the row holds is left out. Raises `ValueError`."""
    article: Article = _adapter(Article).validate_python(row)
    return article


def _cited(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from answer["evidence"]
    yield from answer["closest"]


def encode(answer: Answer) -> tuple[str, dict[str, str]]:
    """The answer as JSON, and the articles that it speaks of, each as JSON by a key that names its version."""
    row = _adapter(Answer).dump_python(answer, mode="json")
    bodies: dict[str, str] = {}
    for part in _cited(row):
        article = part["article"]
        part["article"] = key = f"{article['version'][:16]}:{article['id']}"
        if key not in bodies:
            bodies[key] = json.dumps(article, ensure_ascii=False)
    return json.dumps({"format": FORMAT, "answer": _renamed(row, _STORED)}, ensure_ascii=False), bodies


def decode(text: str, bodies: Mapping[str, str]) -> Answer:
    """The answer that `encode` was given. Raises `CodecError`."""
    try:
        row = _renamed(json.loads(text)["answer"], _CURRENT)
        articles = {key: article_of(json.loads(body)) for key, body in bodies.items()}
        for part in _cited(row):
            part["article"] = articles[part["article"]]
        answer: Answer = _adapter(Answer).validate_python(row)
        return answer
    except (ValueError, KeyError, TypeError) as error:
        raise CodecError(f"a stored answer cannot be read ({error!r})") from None
