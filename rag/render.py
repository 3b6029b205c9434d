"""Rendering: an Answer as JSON for machines and as text for a terminal. Knows values, not how they were made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rag.schema import Answer, Article, Evidence, Passage, Span, State, Status, Turn
from rag.text import plain

SCHEMA = "citewire.answer/1"


def date_of(article: Article) -> str:
    """The published date as far as it is known, or "date unknown"."""
    return str(article.published.date) if article.published else "date unknown"


def source_line(article: Article) -> str:
    """Title, publisher and date of an article in one line; what the article does not state is said to be unknown."""
    title = plain(article.title.value) if article.title else plain(article.path)
    publisher = plain(article.publisher.value) if article.publisher else "publisher unknown"
    return f"{title} — {publisher}, {date_of(article)}"


def article_to_dict(article: Article) -> dict[str, object]:
    """What an article says of itself, for JSON; None where it says nothing."""
    facts = {
        name: value.value if value else None
        for name, value in (
            ("title", article.title),
            ("author", article.author),
            ("publisher", article.publisher),
            ("place", article.place),
            ("url", article.url),
        )
    }
    published = str(article.published.date) if article.published else None
    return {"article": article.path, "version": article.version, **facts, "published": published}


def _evidence(item: Evidence) -> dict[str, object]:
    article = item.article
    return {
        "number": item.number,
        "id": article.id,
        **article_to_dict(article),
        "start": item.start,
        "end": item.end,
        "text": item.text,
        "context": [
            {"start": s.start, "end": s.end, "text": article.body[s.start : s.end]} for s in item.context
        ],
        "score": round(item.score, 6),
    }


def passage_to_dict(passage: Passage) -> dict[str, object]:
    """A passage for JSON: its article's facts, its place in the article's text, both ranks."""
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


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """The whole answer as an object of schema `citewire.answer/1` (docs/answer.md), of what JSON knows."""
    disagreement = answer.disagreement
    return {
        "schema": SCHEMA,
        "question": answer.question,
        "as_understood": answer.as_understood,
        "status": answer.status.value,
        "statements": [
            {
                "id": s.id,
                "text": s.text,
                "citations": list(s.citations),
                "state": s.state.value,
                "reason": s.verdict.reason.value if s.verdict and s.verdict.reason else None,
                "detail": s.verdict.detail if s.verdict else "",
                "derivation": list(s.verdict.derivation) if s.verdict else [],
            }
            for s in answer.statements
        ],
        "evidence": [_evidence(e) for e in answer.evidence],
        "closest": [_evidence(e) for e in answer.closest],
        "missing": answer.missing,
        "note": answer.note,
        "others": list(answer.others),
        "disagreement": None
        if disagreement is None
        else {
            "about": disagreement.about,
            "values": [
                {"text": v.text, "citations": list(v.citations), "origins": v.origins, "newest": v.newest}
                for v in disagreement.values
            ],
        },
        "timings": {k: None if v is None else round(v, 3) for k, v in asdict(answer.timings).items()},
        "generator": answer.generator,
        "sureness": None if answer.sureness is None else round(answer.sureness, 3),
        "error": answer.error,
    }


def answer_to_json(answer: Answer, indent: int | None = None) -> str:
    """`answer_to_dict` as text."""
    return json.dumps(answer_to_dict(answer), ensure_ascii=False, indent=indent)


UNDERSTOOD = "Understood as: "


def understood_line(answer: Answer) -> str:
    """How a question was understood, "" where it was as it was asked."""
    if answer.as_understood == answer.question:
        return ""
    return f"{UNDERSTOOD}{plain(answer.as_understood)}"


def statement_line(answer: Answer, number: int) -> str:
    """The statement at position `number` as one line with its markers; a quotation stands in quotation marks. How a date
    or a number in it was worked out follows on lines of its own."""
    statement = answer.shown[number]
    text = plain(statement.text)
    if statement.state is State.QUOTED:
        text = f"“{text}”"
    steps = statement.verdict.derivation if statement.verdict else ()
    marks = "".join(f"[{n}]" for n in statement.citations)
    return "\n".join([f"{text} {marks}", *(f"    ({plain(step)})" for step in steps)])


def settled_text(answers: Iterable[Answer]) -> Iterator[tuple[str, Answer]]:
    """For each of growing answers what of it was not told yet and will not change: how the question was understood, once
    there is evidence, and the statements that are settled."""
    told = 0
    understood = False
    for answer in answers:
        lines: list[str] = []
        if answer.evidence and not understood:
            understood = True
            lines += filter(None, [understood_line(answer)])
        lines += (statement_line(answer, n) for n in range(told, len(answer.shown)))
        told = max(told, len(answer.shown))
        yield "".join(f"{line}\n" for line in lines), answer


def _source(item: Evidence) -> list[str]:
    return [
        f"[{item.number}] {source_line(item.article)}",
        f"    “{plain(item.text)}”",
        f"    {item.article.path}, characters {item.start}–{item.end}",
    ]


def _contexts(item: Evidence) -> list[str]:
    body = item.article.body
    return [
        f"    context: “{plain(body[s.start : s.end])}”"
        for s in item.context
        if s != Span(item.start, item.end)
    ]


def ending_to_text(answer: Answer) -> str:
    """Everything that follows the statements of a final answer: what is missing, disagreement, sources, time."""
    lines: list[str] = []
    if answer.status is Status.FAILED:
        lines.append("Failed.")
    if answer.status is Status.STOPPED:
        lines.append("Stopped.")
    if answer.missing:
        lines.append(plain(answer.missing))
    if answer.disagreement:
        lines += ["", f"The articles disagree ({plain(answer.disagreement.about)}):"]
        for value in answer.disagreement.values:
            origins = f"{value.origins} source{'s' if value.origins != 1 else ''}"
            newest = ", newest" if value.newest else ""
            marks = "".join(f"[{n}]" for n in value.citations)
            lines.append(f"  {plain(value.text)} {marks} ({origins}{newest})")
    withheld = sum(s.state is State.WITHHELD for s in answer.statements)
    if withheld:
        lines.append(
            f"({withheld} drafted statement{'s' if withheld > 1 else ''} withheld: not supported as cited)"
        )
    cited = {n for s in answer.shown for n in s.citations}
    if answer.disagreement:
        cited |= {n for v in answer.disagreement.values for n in v.citations}
    sources = [e for e in answer.evidence if e.number in cited]
    if sources:
        lines += ["", "Sources"]
        for item in sources:
            lines += _source(item) + _contexts(item)
    if answer.closest:
        lines += ["", "Closest sentences"]
        for item in answer.closest:
            lines += [f"  “{plain(item.text)}”", f"    {source_line(item.article)}"]
    if answer.timings.total_s is not None:
        lines += ["", f"{answer.timings.total_s:.1f} s, {plain(answer.generator)}"]
    return "\n".join(lines).strip("\n")


def answer_to_text(answer: Answer) -> str:
    """A final answer for a terminal: statements, then everything else."""
    understood = understood_line(answer)
    head = [understood] if understood else []
    if answer.note:
        head.append(plain(answer.note))
    head += [statement_line(answer, i) for i in range(len(answer.shown))]
    return "\n".join([*head, ending_to_text(answer)]).strip("\n")


def turn_of(answer: Answer) -> Turn:
    """What a conversation keeps of an answer: only statements that were shown as fact."""
    return Turn(answer.question, answer.as_understood, " ".join(s.text for s in answer.shown))


def turn_of_dict(answer: Mapping[str, Any]) -> Turn:
    """The same of an answer as `answer_to_dict` gives it. Raises `KeyError` or `TypeError` where it is none."""
    shown = [str(s["text"]) for s in answer["statements"] if s["state"] in ("supported", "quoted")]
    return Turn(str(answer["question"]), str(answer["as_understood"]), " ".join(shown))
