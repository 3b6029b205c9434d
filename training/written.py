"""Training pairs out of passages that were written for this purpose: `training/written/*.jsonl`.

Each passage has questions that it answers, questions that it seems to answer and does not (a forecast for the fact, another
year, role, round or measure), claims that it supports, refutes and leaves open, and yes-or-no questions:

    {"title", "date", "text", "qa": [[question, answer], ...], "no": [question, ...],
     "claims": [[claim, "s" | "r" | "n"], ...], "yn": [[question, "y" | "n" | "u"], ...],
     "talk": [[number in qa, follow-up, answer or ""], ...], "group": number}

A text in paragraphs is a whole article, of several things of one kind: what a sentence is about may stand some sentences
ahead of it. Passages of one group are about things that are easily confused: a question of one is answered by another only where
it is a question of that one too. The passages tell of nothing real and are in no set that measures.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from rag.schema import MONTHS
from training.claims import nearest
from training.followups import MOST_TOLD
from training.maker import Maker, Span, found, most_like, read_rows
from training.rewriting import sentences

FOLDER = Path(__file__).parent / "written"
OF_SETS = FOLDER / "of_sets"
LABELS = {"s": "supported", "r": "refuted", "n": "not_stated"}
WHOLE = 0.4  # of the questions are put over the whole passage, else over one to three sentences
TOLD = 0.8  # of the follow-ups stand behind the sentence that answered, all behind the earlier question
HEADED = 0.7  # of the windows have the title and date ahead
ARTICLE_CHARS = (600, 1250)  # of a stretch of an article; the longest leaves room for a question


@dataclass(frozen=True, slots=True)
class Item:
    """A passage with what is asked and claimed of it."""

    head: str
    text: str
    qa: tuple[tuple[str, str], ...]
    no: tuple[str, ...]
    claims: tuple[tuple[str, str], ...]
    yn: tuple[tuple[str, str], ...]
    talk: tuple[tuple[int, str, str], ...]
    article: bool  # several paragraphs
    group: str  # of passages about things that are easily confused, "" for most


def items() -> list[Item]:
    """All passages, in order."""
    return [item_of(row, file.stem) for file in sorted(FOLDER.glob("*.jsonl")) for row in read_rows(file)]


def items_of_sets(paragraphs: Iterable[str]) -> list[Item]:
    """What was written about paragraphs of public sets, for those of them that are given."""
    texts = {name_of(p): p for p in paragraphs}
    rows = [row for file in sorted(OF_SETS.glob("*.jsonl")) for row in read_rows(file)]
    return [item_of({**row, "text": texts[row["of"]]}) for row in rows if row["of"] in texts]


def name_of(paragraph: str) -> str:
    """What a paragraph of a public set is called in the rows about it."""
    return sha256(paragraph.encode()).hexdigest()[:12]


def item_of(row: dict[str, Any], file: str = "") -> Item:
    day = date.fromisoformat(row["date"]) if row.get("date") else None
    told = f"({day.day} {MONTHS[day.month - 1]} {day.year})" if day else ""
    head = " ".join(x for x in (row.get("title"), told) if x)
    qa, claims, yn = (tuple((a, b) for a, b in row.get(name, ())) for name in ("qa", "claims", "yn"))
    talk = tuple((i, q, a) for i, q, a in row.get("talk", ()))
    text, group = row["text"], f"{file} {row['group']}" if "group" in row else ""
    article = "\n\n" in text
    text = " ".join(text.split()) if article else text
    return Item(f"{head}: " if head else "", text, qa, tuple(row["no"]), claims, yn, talk, article, group)


def written(make: Maker, passages: Sequence[Item]) -> None:
    """The pairs of all passages."""
    texts = [p.text for p in passages]
    for item in passages:
        if item.article:
            _article(make, item, texts)
            continue
        _answers(make, item)
        _follow_ups(make, item)
        _claims(make, item, texts)
    groups: dict[str, list[Item]] = {}
    for item in passages:
        if item.group:
            groups.setdefault(item.group, []).append(item)
    for group in groups.values():
        _neighbours(make, group)


def _head(item: Item, rng: random.Random) -> str:
    return item.head if rng.random() < HEADED else ""


def _answers(make: Maker, item: Item) -> None:
    """Questions over the passage, over the sentences that answer, and over those that do not."""
    rng, text = make.rng, item.text
    for question, answer in item.qa:
        make.answer("written, answered", question, *_told(make, text, answer), _head(item, rng))
        rest = [text[s:e] for s, e in sentences(text) if answer not in text[s:e]]
        if rest:
            left = rest if rng.random() < 0.5 else [rng.choice(rest)]
            make.answer("written, answer sentence left out", question, " ".join(left), [], _head(item, rng))
    for question in item.no:
        make.answer("written, unanswerable", question, text, [], _head(item, rng))
        if rng.random() < 0.6:
            start, end = _closest(make, text, question)
            make.answer("written, unanswerable", question, text[start:end], [], _head(item, rng))


def _article(make: Maker, item: Item, texts: Sequence[str]) -> None:
    """Questions over stretches of an article that reach from the sentence that answers some way back, and claims over the whole
    of it where it is short enough."""
    rng, text = make.rng, item.text

    def stretch(at: int) -> tuple[int, int]:
        """From as many sentences ahead of the one with `at` as fit to the next one or the next but one."""
        spans, most = sentences(text), rng.randint(*ARTICLE_CHARS)
        own = next(i for i, (_, e) in enumerate(spans) if at < e)
        first, last = own, min(own + rng.choice((0, 1, 2)), len(spans) - 1)
        while first and spans[last][1] - spans[first - 1][0] <= most:
            first -= 1
        return spans[first][0], spans[last][1]

    for question, answer in item.qa:
        told = found(text, answer)
        for _ in range(2):
            start, end = stretch(told[0][0])
            spans = [(s - start, e - start) for s, e in told if s >= start and e <= end]
            make.answer("written, article answered", question, text[start:end], spans, _head(item, rng))
        rest = " ".join(text[s:e] for s, e in sentences(text) if answer not in text[s:e])
        make.answer(
            "written, answer sentence left out", question, rest[: ARTICLE_CHARS[1]], [], _head(item, rng)
        )
    for question in item.no:
        for share in (0.5, 0.75, 0.99):
            start, end = stretch(int(share * len(text)))
            make.answer("written, article unanswered", question, text[start:end], [], _head(item, rng))
    if len(text) <= ARTICLE_CHARS[1]:
        _claims(make, item, texts)


def _neighbours(make: Maker, group: Sequence[Item]) -> None:
    """What one passage of a group is asked and states, over the others."""
    rng = make.rng
    shared = any(q == x for a in group for b in group if a is not b for q, _ in a.qa for x, _ in b.qa)
    for item in group:
        for other in group:
            if other is item:
                continue
            own = {q for q, _ in other.qa}
            for question in (q for q, _ in item.qa if q not in own):
                make.answer("written, neighbour", question, other.text, [], _head(other, rng))
                start, end = _closest(make, other.text, question)
                make.answer("written, neighbour", question, other.text[start:end], [], _head(other, rng))
            if not shared:
                for said in (c for c, label in item.claims if label == "s"):
                    row = {"claim": said, "window": _head(other, rng) + other.text, "label": "unsupported"}
                    make.add("written, neighbour's claim", {"task": "claim", **row})


def _closest(make: Maker, text: str, question: str) -> tuple[int, int]:
    """One or two sentences around the one that shares most words with a question."""
    return make.window(text, most_like(text, question, make.rng)[0], make.rng.choice((1, 2)))


def _follow_ups(make: Maker, item: Item) -> None:
    """Follow-ups behind the question and the sentence that they follow on, as `rag/answering/rewriting.py` puts them."""
    rng, text = make.rng, item.text
    for number, asked, answer in item.talk:
        first, told = item.qa[number]
        said = next((text[s:e] for s, e in sentences(text) if told in text[s:e]), "")
        question = " ".join(filter(None, (first, said[:MOST_TOLD] if rng.random() < TOLD else "", asked)))
        if not answer:
            make.answer("written, follow-up unanswered", question, text, [], _head(item, rng))
            continue
        make.answer("written, follow-up answered", question, *_told(make, text, answer), _head(item, rng))
        rest = [text[s:e] for s, e in sentences(text) if answer not in text[s:e]]
        if rest:
            make.answer("written, follow-up unanswered", question, " ".join(rest), [], _head(item, rng))


def _told(make: Maker, text: str, answer: str) -> tuple[str, list[Span]]:
    """The whole text or some sentences of it that hold the answer, and where."""
    rng, spans = make.rng, found(text, answer)
    start, end = (0, len(text))
    if rng.random() >= WHOLE:
        start, end = make.window(text, spans[0][0], rng.choice((1, 2, 3)))
    return text[start:end], [(s - start, e - start) for s, e in spans if s >= start and e <= end]


def _claims(make: Maker, item: Item, texts: Sequence[str]) -> None:
    """Claims, answers as claims, and yes or no, over the passage; and over another one."""
    rng = make.rng

    def claim(kind: str, said: str, label: str, text: str = "") -> None:
        # not by `make.claim`, which puts a fifth as questions: a passage has such questions of its own
        row = {"task": "claim", "claim": said, "window": text or _head(item, rng) + item.text, "label": label}
        make.add(f"written, {kind}", row)

    for said, label in item.claims:
        claim("claim", said, LABELS[label])
    for question, answer in item.qa:
        claim("answer as a claim", f"{question} {answer}", "supported")
        others = [a for q, a in item.qa if q != question and a != answer]
        if others and rng.random() < 0.5:
            claim("answer as a claim", f"{question} {rng.choice(others)}", "unsupported")
    for question in item.no:
        if item.qa and rng.random() < 0.6:
            claim("answer as a claim", f"{question} {rng.choice(item.qa)[1]}", "unsupported")
    for question, label in item.yn:
        yes, no = {"y": ("supported", "refuted"), "n": ("refuted", "supported")}.get(
            label, ("not_stated", "not_stated")
        )
        claim("yes or no", f"{question} Yes.", yes)
        claim("yes or no", f"{question} No.", no)
    for said in (rng.choice(item.claims)[0], f"{rng.choice(item.yn)[0]} {rng.choice(('Yes', 'No'))}."):
        claim("another text", said, "not_stated", nearest(said, item.text, texts, rng))
