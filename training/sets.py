"""The sets that the reader is measured on, as questions and claims over windows: public ones, and the project's own list.

Nobody trained on them. `training/README.md` says what each figure is.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.models.reader import claim_of
from rag.retrieval.windows import likeliest, windows_of
from rag.schema import Article, Chunk, Passage
from rag.text.sentences import sentences
from rag.text.words import content_words
from training.maker import read_rows

CONTRASTS = Path(__file__).parent / "contrasts.jsonl"
LINES, MOST_WINDOWS = 3, 4  # of evidence that a claim is held against


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over windows; `answers` empty: not answered there."""

    id: str
    question: str
    windows: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim over windows, any one of which may support it."""

    id: str
    claim: str
    windows: tuple[str, ...]
    supported: bool
    label: str = ""
    kind: str = ""
    statement: str = ""


def squad(data: Path) -> Iterator[Asked]:
    for row in read_rows(data / "squad2_dev.jsonl"):
        yield Asked(
            row["id"],
            row["question"],
            (row["context"],),
            () if row["is_impossible"] else tuple(row["answers"]),
        )


def whole(body: str) -> Passage:
    """A text as the passage that is all of an article."""
    return Passage(Chunk("a", 0, len(body), body), Article("a", "0", "a", body), 1, 1.0)


def squad_windows(data: Path) -> Iterator[Asked]:
    """The same paragraphs cut as the product cuts articles."""
    for row in squad(data):
        body = row.windows[0]
        yield Asked(
            row.id, row.question, tuple(w.text for w in windows_of([whole(body)])) or (body,), row.answers
        )


def nyt(data: Path) -> Iterator[Asked]:
    for row in read_rows(data / "nyt_dev.jsonl"):
        yield Asked(row["id"], row["question"], (row["context"],), tuple(row["answers"]))


def nyt_near(data: Path) -> Iterator[Asked]:
    """Each question over the other paragraph of the file that shares most words with it, rare words counting more."""
    asked = list(nyt(data))
    others = _nearest([a.question for a in asked], [a.windows[0] for a in asked])
    for row, other in zip(asked, others, strict=True):
        if not any(normal(a) in normal(other) for a in row.answers):
            yield Asked(row.id, row.question, (other,), ())


def _nearest(questions: Sequence[str], own: Sequence[str]) -> list[str]:
    """For each question, of the texts of the others the one that shares most words with it, rare words counting more."""
    texts = list(dict.fromkeys(own))
    bags = [set(content_words(t)) for t in texts]
    often = Counter(w for bag in bags for w in bag)
    found = []
    for question, text in zip(questions, own, strict=True):
        wanted = set(content_words(question))
        best = max(
            (t for t in zip(texts, bags, strict=True) if t[0] != text),
            key=lambda t: sum(np.log(len(texts) / often[w]) for w in wanted & t[1]),
        )
        found.append(best[0])
    return found


def _windows(claim: str, lines: Sequence[str]) -> tuple[str, ...]:
    """The windows of a text, given in sentences, that share most words with the claim."""
    body, spans = "", []
    for line in lines:
        spans.append((len(body), len(body) + len(line)))
        body += line + "\n"
    article = Article("a", "0", "a", body)
    made = [
        Passage(Chunk("a", s, spans[min(i + LINES, len(spans)) - 1][1], ""), article, 1, 1.0)
        for i, (s, _) in enumerate(spans)
        if i % (LINES - 1) == 0
    ]
    return tuple(w.text for w in likeliest(claim, windows_of(made), MOST_WINDOWS)) or (body[:700],)


def wice(data: Path) -> Iterator[Claimed]:
    """Claims against the lines that support them, the shortest group where there are several; else against the lines that
    share most words with them. Supported in part is not supported."""
    for number, row in enumerate(read_rows(data / "wice_dev.jsonl"), 1):
        lines = row["evidence"]
        groups = sorted((g for g in row["supporting_sentences"] if g), key=len)
        if groups:
            windows: tuple[str, ...] = (" ".join(lines[i] for i in sorted(groups[0]) if i < len(lines)),)
        else:
            windows = _windows(row["claim"], [x for x in lines if not x.startswith("(meta data)")])[:1]
        yield Claimed(str(number), row["claim"], windows, row["label"] == "supported")


def frank(data: Path) -> Iterator[Claimed]:
    """Sentences of summaries against the article; a summary is supported where all annotators found no error, and
    every sentence of it is a claim with its summary's label."""
    for number, row in enumerate(read_rows(data / "frank_valid.jsonl"), 1):
        article, summary = row["article"], row["summary"]
        lines = [article[s.start : s.end] for s in sentences(article)]
        for i, span in enumerate(sentences(summary)):
            claim = summary[span.start : span.end]
            yield Claimed(f"{number}.{i}", claim, _windows(claim, lines), row["factuality"] == 1.0)


def contrasts() -> Iterator[Claimed]:
    """The project's own list, written before the first training run and not changed since."""
    for row in read_rows(CONTRASTS):
        claim = f"{row['question']} {row['claim']}".strip()
        yield Claimed(
            row["group"],
            claim,
            (row["evidence"],),
            row["label"] == "supported",
            row["label"],
            row["kind"],
            row["claim"],
        )


def yes_no(file: Path, most: int) -> Iterator[Claimed]:
    """BoolQ's questions with a yes: over their passages, supported where people said yes and refuted where they said no; and
    over the other passage that shares most words with them, which states neither."""
    some = read_rows(file)[: most // 2]
    others = _nearest([r["question"] for r in some], [r["evidence"] for r in some])
    for number, (row, other) in enumerate(zip(some, others, strict=True), 1):
        question = row["question"][0].upper() + row["question"][1:]
        claim, is_yes = claim_of(question, "Yes."), row["answer"] == "yes"
        label = "supported" if is_yes else "refuted"
        yield Claimed(f"{number}.own", claim, (row["evidence"],), is_yes, label)
        yield Claimed(f"{number}.other", claim, (other,), False, "not_stated")


def normal(text: str) -> str:
    text = "".join(c for c in text.lower() if c not in string.punctuation + "“”‘’—")
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())
