"""Collects training pairs: what a question over a paragraph is, what is drawn at random, and how windows are cut.

It knows no data set.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.schema import MONTHS
from training.pairs import Row
from training.rewriting import inverted, sentences

MOST_WINDOW = 1400  # characters; longer evidence is left out
YES_NO = 0.2  # of the claims that can be, are put as a question with its yes or no
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over a paragraph. `tempting`: wrong answers that the paragraph holds, of an unanswerable one."""

    question: str
    context: str
    answers: tuple[str, ...]
    tempting: tuple[str, ...]
    title: str

    @property
    def spans(self) -> list[Span]:
        return [s for a in self.answers for s in found(self.context, a)]


def found(text: str, answer: str, most: int = 3) -> list[Span]:
    """Where an answer stands in a text, at most so often."""
    return [(m.start(), m.end()) for m in re.finditer(re.escape(answer), text)][:most] if answer else []


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}|\d+", text.lower()))


def most_like(text: str, question: str, rng: random.Random) -> Span:
    """The sentence of a text that shares most words with a question; one of them where there are several."""
    asked = words(question)
    return max(sentences(text), key=lambda s: len(words(text[s[0] : s[1]]) & asked) + rng.random())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def asked_in(*files: Path) -> list[Asked]:
    """The questions of some files, in order."""
    return [asked_of(row) for file in files for row in read_rows(file)]


def asked_of(row: dict[str, Any]) -> Asked:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(x["text"] if isinstance(x, dict) else x for x in row.get(name) or () if x))

    impossible = bool(row.get("is_impossible", not row.get("answerable", True)))
    return Asked(
        row["question"].strip(),
        row.get("context") or row.get("passage") or "",
        () if impossible else texts("answers"),
        texts("plausible_answers"),
        str(row.get("title") or "").replace("_", " "),
    )


class Maker:
    """Collects pairs. `rng` alone decides what is drawn."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.rows: list[Row] = []
        self.counts: Counter[str] = Counter()

    def answer(self, kind: str, question: str, window: str, spans: Sequence[Span], head: str = "") -> None:
        moved = [[s + len(head), e + len(head)] for s, e in spans]
        self.add(kind, {"task": "answer", "question": question, "window": head + window, "spans": moved})

    def claim(self, kind: str, claim: str, window: str, label: str) -> None:
        """A claim, and now and then the same as a question with its yes or no."""
        if self.rng.random() < YES_NO and (question := inverted(claim)):
            yes = self.rng.random() < 0.6
            if not yes:
                if label == "unsupported":
                    return  # its opposite may be either
                label = {"supported": "refuted", "refuted": "supported"}.get(label, label)
            claim, kind = f"{question} {'Yes' if yes else 'No'}.", f"{kind}, yes or no"
        self.add(kind, {"task": "claim", "claim": claim, "window": window, "label": label})

    def add(self, kind: str, row: Row) -> None:
        """A pair as it is, unless it is too long."""
        if len(row["window"]) <= MOST_WINDOW:
            self.rows.append(row)
            self.counts[kind] += 1

    def head(self, title: str, not_year: Sequence[str] = (), often: float = 0.3) -> str:
        """A line as the product puts ahead of a window: the article's title and date, or nothing."""
        if self.rng.random() > often:
            return ""
        date = self.date(self.rng.choice([y for y in range(2012, 2027) if str(y) not in not_year]))
        return (
            f"{title} ({date}): " if title and len(title) < 70 and self.rng.random() < 0.8 else f"({date}): "
        )

    def date(self, year: int) -> str:
        return f"{self.rng.randrange(1, 29)} {self.rng.choice(MONTHS)} {year}"

    def window(self, text: str, at: int, most: int) -> Span:
        """Up to `most` sentences around a character."""
        cut = sentences(text)
        here = next((i for i, (s, e) in enumerate(cut) if s <= at < e), 0)
        first = max(0, here - self.rng.randint(0, most - 1))
        last = min(len(cut) - 1, max(here, first + most - 1))
        return cut[first][0], cut[last][1]
