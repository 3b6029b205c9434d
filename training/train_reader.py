"""Train the reader: one small encoder with three heads, and write it quantised.

Knows: the public data sets it learns from (SQuAD 2.0, NaturalQuestions, the tune halves of RAMDocs and WiCE),
how examples are made from them, the training loop, the calibration and the int8 file format. Does not know:
the product's pipeline, and it never opens the report half of any set.

The three heads and their examples:

* ``answerable`` and ``span`` read (question, evidence window); an unanswerable window has its span at the CLS
token.
* ``support`` reads (claim, evidence); paraphrased and cut sentences are supported, changed facts are not.

Usage::

    python -m training.train_reader --data DIR --encoder DIR --out rag/weights/reader.safetensors --minutes 40
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F
from transformers import BertModel

from rag.reader import FORMAT, Reader, dull_ids, lay_out, vocabulary_digest

MAX_TOKENS = 224
MAX_QUESTION_TOKENS = 64
HIDDEN = 384
SPAN_TOKENS = 24
LAYER_RATE = 1e-4
HEAD_RATE = 6e-4
BATCH_TOKENS = 2400
TRAINED_FROM = ("squad2_train", "nq_passages", "ramdocs_dev", "wice_dev")


# ------------------------------------------------------------------------------------------------ rows


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows of one JSON-lines file."""
    with path.open(encoding="utf-8") as handle:
        return [json.loads(line) for line in handle if line.strip()]


def in_tune_half(set_name: str, row_id: str) -> bool:
    """The fixed split: true for rows that may be looked at, false for those kept for the report."""
    return int(hashlib.sha256(f"{set_name}:{row_id}".encode()).hexdigest(), 16) % 2 == 0


def tune_rows(data: Path, set_name: str) -> list[dict[str, Any]]:
    """The tune half of one set; the identifier is the row's id, else its hash, else its question or claim."""
    keep = []
    for row in read_rows(data / f"{set_name}.jsonl"):
        key = row.get("id") or row.get("hash") or row.get("question") or row.get("claim")
        if in_tune_half(set_name, str(key)):
            keep.append(row)
    return keep


def held_out(row: dict[str, Any]) -> bool:
    """Two fifths of WiCE's tune half are measured on and never trained on."""
    return int(hashlib.sha256(f"held:{row['claim']}".encode()).hexdigest(), 16) % 5 < 2


# -------------------------------------------------------------------------------------------- examples


@dataclass(frozen=True, slots=True)
class Example:
    """One training pair. ``kind`` is "answer" or "support"; ``label`` 1 for answerable or supported.

    ``span`` is the half-open character range of the answer in ``text``, or None: then no span is trained if
    ``label`` is 1, and the CLS position is the target if it is 0.
    """

    kind: str
    left: str
    text: str
    label: int
    span: tuple[int, int] | None = None


ABBREVIATIONS = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|No|Gen|Col|Sen|Rep|Prof|Inc|Ltd|Co|U\.S|U\.K|[A-Z]))\.$"
)
SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])")
NAME = re.compile(
    r"(?<![.!?]\s)(?<!^)\b[A-Z][a-zA-Zé'’-]+(?:\s+(?:of\s+|the\s+|de\s+|van\s+)?[A-Z][a-zA-Zé'’-]+)*"
)
YEAR = re.compile(r"\b(?:1[0-9]{3}|20[0-4][0-9])\b")
NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w])")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NUMBER_WORDS = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty",
    "thirty", "forty", "fifty", "hundred",
)  # fmt: skip
OPPOSITES = [
    ("first", "last"), ("largest", "smallest"), ("before", "after"), ("north", "south"), ("east", "west"),
    ("northern", "southern"), ("eastern", "western"), ("increase", "decrease"), ("increased", "decreased"),
    ("more", "fewer"), ("most", "least"), ("highest", "lowest"), ("high", "low"), ("old", "new"),
    ("oldest", "youngest"), ("early", "late"), ("won", "lost"), ("win", "lose"), ("began", "ended"),
    ("begin", "end"), ("start", "stop"), ("opened", "closed"), ("male", "female"), ("men", "women"),
    ("father", "mother"), ("son", "daughter"), ("husband", "wife"), ("rise", "fall"), ("rose", "fell"),
    ("allowed", "banned"), ("approved", "rejected"), ("accepted", "refused"), ("supported", "opposed"),
    ("minimum", "maximum"), ("longest", "shortest"), ("left", "right"), ("good", "bad"), ("major", "minor"),
    ("best", "worst"), ("public", "private"), ("always", "never"), ("bought", "sold"), ("with", "without"),
    ("gained", "lost"), ("arrived", "departed"), ("born", "killed"), ("top", "bottom"), ("inside", "outside"),
    ("million", "billion"), ("up", "down"), ("positive", "negative"), ("older", "younger"),
    ("higher", "lower"),
]  # fmt: skip
OPPOSITE = dict(OPPOSITES) | {b: a for a, b in OPPOSITES}
AUXILIARIES = re.compile(
    r"\b(is|was|are|were|has|have|had|will|would|can|could|did|does|do|should)\b(?! not|n't)"
)
STOP = {
    "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or", "is", "was",
    "are", "were", "be", "been", "being", "did", "do", "does", "has", "have", "had", "what", "who", "whom",
    "whose", "which", "when", "where", "why", "how", "that", "this", "these", "those", "it", "its", "as",
    "into", "than", "then", "there", "their", "his", "her", "he", "she", "they", "them", "not", "no", "s",
    "t",
}  # fmt: skip


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open character ranges of the sentences of ``text``, in order."""
    ranges = []
    begin = 0
    for found in SENTENCE_END.finditer(text):
        if ABBREVIATIONS.search(text[begin : found.start() + 1]):
            continue
        ranges.append((begin, found.end()))
        begin = found.end()
    if begin < len(text):
        ranges.append((begin, len(text)))
    return [(a, a + len(text[a:b].rstrip())) for a, b in ranges if text[a:b].strip()]


def words(text: str) -> set[str]:
    """The lower-case content words of ``text``."""
    return {w for w in re.findall(r"\w+", text.lower()) if w not in STOP}


def occurrences(text: str, answer: str) -> list[tuple[int, int]]:
    """Every whole-word place where ``answer`` stands in ``text``, case ignored."""
    if not answer.strip():
        return []
    pattern = r"(?<!\w)" + r"\s*".join(re.escape(p) for p in answer.split()) + r"(?!\w)"
    return [m.span() for m in re.finditer(pattern, text, flags=re.IGNORECASE)]


def locate(text: str, question: str, answers: Sequence[str], rng: random.Random) -> tuple[int, int] | None:
    """The answer's likeliest place: the occurrence whose surroundings share most words with the question."""
    asked = words(question)
    pool = list(answers)
    rng.shuffle(pool)
    for answer in pool:
        spots = occurrences(text, answer)
        if spots:
            return max(spots, key=lambda s: len(asked & words(text[max(0, s[0] - 120) : s[1] + 120])))
    return None


def cut_window(text: str, span: tuple[int, int], rng: random.Random) -> tuple[str, tuple[int, int]] | None:
    """One to three consecutive sentences that hold ``span``, and the span in them."""
    ranges = sentences(text)
    holding = [i for i, (a, b) in enumerate(ranges) if a <= span[0] and span[1] <= b]
    if not holding:
        return None
    size = rng.choice((1, 2, 2, 3, 3))
    first = max(0, holding[0] - rng.randrange(size))
    last = min(len(ranges), first + size) - 1
    begin, end = ranges[first][0], ranges[last][1]
    return text[begin:end], (span[0] - begin, span[1] - begin)


def cut_other_window(text: str, answers: Sequence[str], rng: random.Random) -> str | None:
    """One to three consecutive sentences in which none of ``answers`` stands, or None."""
    ranges = sentences(text)
    size = rng.choice((1, 2, 3))
    starts = list(range(max(1, len(ranges) - size + 1)))
    rng.shuffle(starts)
    for first in starts:
        piece = text[ranges[first][0] : ranges[min(len(ranges), first + size) - 1][1]]
        if len(piece) > 40 and not any(occurrences(piece, a) for a in answers):
            return piece
    return None


def random_date(rng: random.Random) -> str:
    """A date as news sites print it."""
    year, month, day = rng.randrange(2015, 2026), rng.randrange(12), rng.randrange(1, 29)
    return rng.choice(
        (
            f"{year}-{month + 1:02d}-{day:02d}",
            f"{MONTHS[month]} {day}, {year}",
            f"{day} {MONTHS[month]} {year}",
        )
    )


class Facts:
    """Names, years and numbers of the training texts, to swap one for another of the same type."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.names = sorted({m.group() for t in texts for m in NAME.finditer(t) if len(m.group()) < 40})

    def changes(self, text: str, near: str, rng: random.Random) -> Iterator[str]:
        """Versions of ``text`` with exactly one fact replaced by another of its type, in random order."""
        makers: list[Callable[[], str | None]] = [
            lambda: self._swap(text, NAME, self._other_name(near), rng),
            lambda: self._swap(text, YEAR, self._other_year(near), rng),
            lambda: self._swap(text, NUMBER, self._other_number(near), rng),
            lambda: self._listed(text, MONTHS, rng),
            lambda: self._listed(text, WEEKDAYS, rng),
            lambda: self._listed(text, NUMBER_WORDS, rng),
            lambda: self._opposite(text, rng),
        ]
        rng.shuffle(makers)
        for make in makers:
            changed = make()
            if changed is not None and changed != text:
                yield changed

    def _swap(
        self, text: str, kind: re.Pattern[str], other: Callable[[str, random.Random], str], rng: random.Random
    ) -> str | None:
        spots = [m for m in kind.finditer(text) if m.group() not in MONTHS and m.group() not in WEEKDAYS]
        if not spots:
            return None
        spot = rng.choice(spots)
        new = other(spot.group(), rng)
        return (
            None if new.lower() == spot.group().lower() else text[: spot.start()] + new + text[spot.end() :]
        )

    def _other_name(self, near: str) -> Callable[[str, random.Random], str]:
        local = [m.group() for m in NAME.finditer(near)]

        def pick(old: str, rng: random.Random) -> str:
            pool = [n for n in local if n not in old and old not in n]
            if pool and rng.random() < 0.6:
                return rng.choice(pool)
            return rng.choice(self.names)

        return pick

    def _other_year(self, near: str) -> Callable[[str, random.Random], str]:
        local = YEAR.findall(near)

        def pick(old: str, rng: random.Random) -> str:
            pool: list[str] = [y for y in local if y != old]
            if pool and rng.random() < 0.5:
                return rng.choice(pool)
            return str(int(old) + rng.choice((-10, -3, -2, -1, 1, 2, 3, 10)))

        return pick

    def _other_number(self, near: str) -> Callable[[str, random.Random], str]:
        local = NUMBER.findall(near)

        def pick(old: str, rng: random.Random) -> str:
            pool: list[str] = [n for n in local if n != old]
            if pool and rng.random() < 0.4:
                return rng.choice(pool)
            place = rng.choice([i for i, c in enumerate(old) if c.isdigit()])
            digit = rng.choice([d for d in "123456789" if d != old[place]])
            return old[:place] + digit + old[place + 1 :]

        return pick

    @staticmethod
    def _listed(text: str, options: Sequence[str], rng: random.Random) -> str | None:
        spots = [m for o in options if o != "May" for m in re.finditer(rf"\b{o}\b", text)]
        if not spots:
            return None
        spot = rng.choice(spots)
        return (
            text[: spot.start()] + rng.choice([o for o in options if o != spot.group()]) + text[spot.end() :]
        )

    @staticmethod
    def _opposite(text: str, rng: random.Random) -> str | None:
        spots = [m for m in re.finditer(r"\b[a-z]+\b", text) if m.group() in OPPOSITE]
        if not spots:
            return None
        spot = rng.choice(spots)
        return text[: spot.start()] + OPPOSITE[spot.group()] + text[spot.end() :]


def negate(text: str, rng: random.Random) -> str | None:
    """``text`` with a negation taken out or put in, or None where neither is possible."""
    if re.search(r"\bnot ", text):
        return re.sub(r"\bnot ", "", text, count=1)
    spots = list(AUXILIARIES.finditer(text))
    if not spots:
        return None
    spot = rng.choice(spots)
    return text[: spot.end()] + rng.choice((" not", " never", " not")) + text[spot.end() :]


def statement(question: str, answer: str) -> str | None:
    """A claim made of a question and its answer, in plain (sometimes stiff) English, or None."""
    asked = question.strip().rstrip("?").strip()
    low = asked.lower()
    if m := re.match(r"(?:what|who|which)\s+(is|was|are|were)\s+(.+)$", asked, re.I):
        return f"{m[2][0].upper()}{m[2][1:]} {m[1].lower()} {answer}."
    if m := re.match(r"how (?:many|much)\s+([\w-]+(?:\s[\w-]+)?)\s+(did|do|does)\s+(.+)$", asked, re.I):
        return f"{m[3][0].upper()}{m[3][1:]} {answer} {m[1]}."
    if m := re.match(r"how (?:many|much)\s+(.+)$", asked, re.I):
        return f"{answer[0].upper()}{answer[1:]} {m[1]}."
    if m := re.match(r"(when|where)\s+(did|was|were|is|are|does|do)\s+(.+)$", asked, re.I):
        verb = "" if m[2].lower() in ("did", "do", "does") else f" {m[2].lower()}"
        lead = "" if answer.lower().startswith(("in ", "on ", "at ")) else "in "
        return f"{m[3][0].upper()}{m[3][1:]}{verb} {lead}{answer}."
    if m := re.match(r"(?:what|who|whom)\s+(?:did|do|does)\s+(.+)$", asked, re.I):
        return f"{m[1][0].upper()}{m[1][1:]} {answer}."
    if m := re.match(r"(?:who|what)\s+(.+)$", asked, re.I):
        return f"{answer[0].upper()}{answer[1:]} {m[1]}."
    if m := re.search(r"\b(in|on|at|by|of|for|to|with)\s+(?:what|which)\b[\w\s]{0,25}$", low):
        return f"{asked[: m.start()]}{m[1]} {answer}."
    return None


def lighten(sentence: str, rng: random.Random) -> str:
    """A sentence that says less, or the same in other words: a clause, a bracket or a lead-in dropped."""
    text = sentence
    choice = rng.random()
    if choice < 0.25:
        text = re.sub(r"\s*\([^)]*\)", "", text)
    elif choice < 0.55 and text.count(",") >= 2:
        parts = text.split(",")
        if len(parts[1].split()) <= 12:
            text = parts[0] + ",".join(parts[2:]) if len(parts) > 2 else parts[0]
    elif choice < 0.75 and "," in text:
        head = text.split(",")[0]
        text = head + "." if len(head.split()) >= 6 else text
    elif choice < 0.85:
        quote = re.match(r"(.+),? (?:said|says) ([A-Z][\w ]+)\.$", text)
        text = f"{quote[2]} said {quote[1].rstrip(',')}." if quote else text
    if m := re.match(r"((?:In|On|At|After|Before|During|Since)\s[^,]{3,40}),\s+(.+?)\.$", text):
        text = f"{m[2][0].upper()}{m[2][1:]} {m[1][0].lower()}{m[1][1:]}." if rng.random() < 0.7 else text
    return text


class Sampler:
    """Makes one epoch's examples after another; the epoch number alone decides what it draws."""

    def __init__(self, data: Path, neighbours: list[list[int]], seed: int) -> None:
        self.squad = read_rows(data / "squad2_train.jsonl")
        self.nq = read_rows(data / "nq_passages.jsonl")
        self.ram = tune_rows(data, "ramdocs_dev")
        self.wice = [r for r in tune_rows(data, "wice_dev") if not held_out(r)]
        self.neighbours = neighbours
        self.seed = seed
        contexts = sorted({r["context"] for r in self.squad})
        self.facts = Facts(contexts + [r["passage"] for r in self.nq])
        self.sources = contexts + [r["passage"] for r in self.nq[::3]]
        self.asked: dict[str, list[dict[str, Any]]] = {}
        for row in self.squad:
            self.asked.setdefault(row["context"], []).append(row)

    def epoch(self, number: int) -> list[Example]:
        """The examples of one pass, unshuffled and unbatched."""
        rng = random.Random(f"{self.seed}:{number}")
        made: list[Example] = []
        for row in self.squad:
            made.extend(self._squad(row, rng))
        for index in range(len(self.nq)):
            made.extend(self._nq(index, rng))
        for row in self.ram:
            made.extend(self._ram(row, rng))
        made.extend(self._wice(rng))
        made.extend(self._claims(rng))
        return [self._dress(e, rng) for e in made]

    def _dress(self, example: Example, rng: random.Random) -> Example:
        """Some windows get the line with title and date that production may put before them."""
        if rng.random() > 0.12:
            return example
        title = rng.choice(self.nq)["title"] if rng.random() < 0.4 else ""
        line = f"{title}. {random_date(rng)}.\n" if title else f"{random_date(rng)}.\n"
        span = example.span and (example.span[0] + len(line), example.span[1] + len(line))
        return Example(example.kind, example.left, line + example.text, example.label, span)

    def _squad(self, row: dict[str, Any], rng: random.Random) -> Iterator[Example]:
        question, context = row["question"].strip(), row["context"]
        title = row["title"].replace("_", " ")
        whole = rng.random() < 0.6
        if row["is_impossible"]:
            spot = locate(context, question, row["plausible_answers"], rng)
            window = None if whole or spot is None else cut_window(context, spot, rng)
            yield Example("answer", question, window[0] if window else context, 0)
            return
        spot = locate(context, question, row["answers"], rng)
        if spot is None:
            return
        window = None if whole else cut_window(context, spot, rng)
        text, span = window if window else (context, spot)
        if rng.random() < 0.15:
            line = f"{title}. {random_date(rng)}.\n"
            text, span = line + text, (span[0] + len(line), span[1] + len(line))
        yield Example("answer", question, text, 1, span)
        if rng.random() < 0.2:
            other = cut_other_window(context, row["answers"], rng)
            if other:
                yield Example("answer", question, other, 0)
        if rng.random() < 0.25:
            changed = next(self.facts.changes(question, context, rng), None)
            if changed:
                yield Example("answer", changed, text if rng.random() < 0.5 or not window else context, 0)

    def _nq(self, index: int, rng: random.Random) -> Iterator[Example]:
        row = self.nq[index]
        question = row["question"]
        if rng.random() < 0.5:
            question = question[0].upper() + question[1:] + "?"
        if rng.random() < 0.4:
            spot = locate(row["passage"], question, row["answers"], rng)
            if spot is not None:
                window = cut_window(row["passage"], spot, rng) if rng.random() < 0.4 else None
                text, span = window if window else (row["passage"], spot)
                yield Example("answer", question, text, 1, span)
        if rng.random() < 0.25:
            for other in rng.sample(self.neighbours[index], len(self.neighbours[index])):
                passage = self.nq[other]["passage"]
                if other != index and not any(occurrences(passage, a) for a in row["answers"]):
                    yield Example("answer", question, passage, 0)
                    break
        if rng.random() < 0.08:
            other_text = cut_other_window(row["passage"], row["answers"], rng)
            if other_text:
                yield Example("answer", question, other_text, 0)

    def _ram(self, row: dict[str, Any], rng: random.Random) -> Iterator[Example]:
        for document in row["documents"]:
            noise = document["type"] == "noise"
            if not noise and rng.random() < 0.5:
                continue
            spot = None if noise else locate(document["text"], row["question"], [document["answer"]], rng)
            yield Example("answer", row["question"], document["text"], 0 if noise else 1, spot)

    def _wice(self, rng: random.Random) -> Iterator[Example]:
        for row in self.wice:
            groups = [g for g in row["supporting_sentences"] if g and len(g) <= 4]
            lines = row["evidence"]
            if row["label"] == "supported" and groups:
                text = " ".join(lines[i] for i in sorted(rng.choice(groups)))
                yield Example("support", row["claim"], text, 1)
                changed = negate(row["claim"], rng) if rng.random() < 0.2 else None
                changed = changed or next(self.facts.changes(row["claim"], text, rng), None)
                if changed:
                    yield Example("support", changed, text, 0)
            elif row["label"] == "partially_supported" and groups and rng.random() < 0.6:
                yield Example(
                    "support", row["claim"], " ".join(lines[i] for i in sorted(rng.choice(groups))), 0
                )
            elif row["label"] == "not_supported" and len(lines) > 3:
                asked = words(row["claim"])
                best = max(
                    range(len(lines) - 1), key=lambda i: len(asked & words(lines[i] + " " + lines[i + 1]))
                )
                yield Example("support", row["claim"], " ".join(lines[best : best + 2]), 0)

    def _claims(self, rng: random.Random) -> Iterator[Example]:
        for context in rng.sample(self.sources, 900):
            ranges = [r for r in sentences(context) if r[1] - r[0] > 45]
            if not ranges:
                continue
            index = rng.randrange(len(ranges))
            claim = context[ranges[index][0] : ranges[index][1]]
            size = rng.choice((0, 1, 1, 2))
            first = max(0, index - rng.randrange(size + 1))
            text = context[ranges[first][0] : ranges[min(len(ranges) - 1, first + size)][1]]
            if rng.random() < 0.7:
                claim = lighten(claim, rng)
            yield from self._both(claim, text, context, rng)
        for context in sorted(self.asked):
            row = rng.choice(self.asked[context])
            answers = row["answers"] or row["plausible_answers"]
            answer = rng.choice(answers)
            claim_text = statement(row["question"], answer)
            spot = locate(context, row["question"], [answer], rng)
            if claim_text is None or spot is None:
                continue
            window = cut_window(context, spot, rng)
            text = window[0] if window and rng.random() < 0.7 else context
            if row["is_impossible"]:
                yield Example("support", claim_text, text, 0)
            else:
                yield from self._both(claim_text, text, context, rng)

    def _both(self, claim: str, text: str, context: str, rng: random.Random) -> Iterator[Example]:
        """The claim as supported, its changed twin as not; each is left out at times so that pairs give
        nothing away.
        """
        if rng.random() < 0.75:
            yield Example("support", claim, text, 1)
        if rng.random() < 0.8:
            changed = negate(claim, rng) if rng.random() < 0.25 else None
            changed = changed or next(self.facts.changes(claim, context, rng), None) or negate(claim, rng)
            if changed and changed not in text:
                yield Example("support", changed, text, 0)


# -------------------------------------------------------------------------------------------- encoding


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one pair: ids and segments of equal length, evidence token range, target span or -1 for
    none.
    """

    ids: list[int]
    segments: list[int]
    first: int
    last: int
    start: int
    end: int
    kind: str
    label: int
    offsets: list[tuple[int, int]]


def special_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a token that the tokenizer must have."""
    number: int | None = tokenizer.token_to_id(token)
    if number is None:
        raise ValueError(f"the tokenizer lacks {token}")
    return number


def load_tokenizer(folder: Path) -> Tokenizer:
    """The encoder's tokenizer, with its own padding and truncation switched off."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def encode(example: Example, tokenizer: Tokenizer, dull: frozenset[int]) -> Encoded | None:
    """Token ids of ``[CLS] left [SEP] text [SEP]``; None where truncation loses the answer."""
    cls, sep = special_id(tokenizer, "[CLS]"), special_id(tokenizer, "[SEP]")
    left = tokenizer.encode(example.left, add_special_tokens=False).ids[:MAX_QUESTION_TOKENS]
    right = tokenizer.encode(example.text, add_special_tokens=False)
    room = MAX_TOKENS - len(left) - 3
    ids, offsets = right.ids[:room], right.offsets[:room]
    first = len(left) + 2
    start = end = -1
    if example.kind == "answer" and example.label == 0:
        start = end = 0
    elif example.span is not None:
        inside = [i for i, (a, b) in enumerate(offsets) if a < example.span[1] and b > example.span[0]]
        if not inside or offsets[inside[-1]][1] < example.span[1]:
            return None
        start, end = first + inside[0], first + inside[-1]
    everything, segments = lay_out(left, ids, cls=cls, sep=sep, dull=dull)
    return Encoded(
        ids=everything,
        segments=segments,
        first=first,
        last=first + len(ids),
        start=start,
        end=end,
        kind=example.kind,
        label=example.label,
        offsets=offsets,
    )


def batches(encoded: Sequence[Encoded], rng: random.Random) -> list[list[Encoded]]:
    """Batches of pairs of like length with at most ``BATCH_TOKENS`` tokens, in random order."""
    order = sorted(encoded, key=lambda e: len(e.ids) + rng.random() * 12)
    groups: list[list[Encoded]] = []
    group: list[Encoded] = []
    longest = 0
    for item in order:
        longest_then = max(longest, len(item.ids))
        if group and (longest_then * (len(group) + 1) > BATCH_TOKENS or len(group) >= 32):
            groups.append(group)
            group, longest_then = [], len(item.ids)
        group.append(item)
        longest = longest_then
    if group:
        groups.append(group)
    rng.shuffle(groups)
    return groups


# ----------------------------------------------------------------------------------------------- model


class ReaderNet(nn.Module):
    """The encoder and its heads. Word and position embeddings stay as they came: they are the bulk."""

    def __init__(self, encoder: Path) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(
            str(encoder), add_pooling_layer=False, attention_probs_dropout_prob=0.0
        )
        table = self.bert.embeddings.token_type_embeddings.weight.detach()
        # Four segments, see `lay_out`: the two new ones start as copies of the two that there were.
        self.bert.embeddings.token_type_embeddings = nn.Embedding(4, HIDDEN, _weight=table.repeat(2, 1))
        self.bert.embeddings.word_embeddings.weight.requires_grad = False
        self.bert.embeddings.position_embeddings.weight.requires_grad = False
        self.answer = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1))
        self.claim = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1))
        self.span = nn.Linear(HIDDEN, 2)

    def forward(
        self, ids: torch.Tensor, segments: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(batch) answerable logits, (batch) support logits, (batch, tokens, 2) start and end logits."""
        hidden = self.bert(input_ids=ids, token_type_ids=segments, attention_mask=mask).last_hidden_state
        first = hidden[:, 0]
        return self.answer(first).squeeze(-1), self.claim(first).squeeze(-1), self.span(hidden)


def collate(group: Sequence[Encoded]) -> dict[str, torch.Tensor]:
    """One padded batch; ``allowed`` marks the CLS and evidence positions where a span may stand."""
    width = max(len(e.ids) for e in group)
    ids, segments, mask, allowed = (np.zeros((len(group), width), dtype=np.int64) for _ in range(4))
    for row, e in enumerate(group):
        ids[row, : len(e.ids)] = e.ids
        segments[row, : len(e.ids)] = e.segments
        mask[row, : len(e.ids)] = 1
        allowed[row, 0] = 1
        allowed[row, e.first : e.last] = 1
    return {
        "ids": torch.from_numpy(ids),
        "segments": torch.from_numpy(segments),
        "mask": torch.from_numpy(mask),
        "allowed": torch.from_numpy(allowed).bool(),
        "start": torch.tensor([e.start for e in group]),
        "end": torch.tensor([e.end for e in group]),
        "label": torch.tensor([float(e.label) for e in group]),
        "answers": torch.tensor([e.kind == "answer" for e in group]),
    }


def loss_of(net: ReaderNet, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Binary loss of the head that the pair belongs to, plus the mean of the start and end losses."""
    with torch.autocast("cpu", torch.bfloat16):
        answerable, supported, span = net(batch["ids"], batch["segments"], batch["mask"])
    logit = torch.where(batch["answers"], answerable, supported)
    total = F.binary_cross_entropy_with_logits(logit.float(), batch["label"])
    spanned = batch["start"] >= 0
    if spanned.any():
        span = span.float().masked_fill(~batch["allowed"].unsqueeze(-1), -1e4)[spanned]
        ends = F.cross_entropy(span[..., 0], batch["start"][spanned]) + F.cross_entropy(
            span[..., 1], batch["end"][spanned]
        )
        total = total + 0.5 * ends * spanned.float().mean()
    return total


def nearest_passages(
    net: ReaderNet, tokenizer: Tokenizer, rows: Sequence[dict[str, Any]], cache: Path
) -> list[list[int]]:
    """For each NQ question the eight other rows whose passages the encoder puts nearest to it."""
    if cache.exists():
        return [[int(i) for i in row] for row in np.load(cache)["near"]]

    def embed(texts: list[str], limit: int) -> torch.Tensor:
        coded = [tokenizer.encode(t).ids[:limit] for t in texts]
        out = torch.zeros(len(texts), HIDDEN)
        order = sorted(range(len(texts)), key=lambda i: len(coded[i]))
        with torch.inference_mode():
            for at in range(0, len(order), 64):
                chosen = order[at : at + 64]
                width = max(len(coded[i]) for i in chosen)
                ids = torch.tensor([coded[i] + [0] * (width - len(coded[i])) for i in chosen])
                mask = torch.tensor([[1] * len(coded[i]) + [0] * (width - len(coded[i])) for i in chosen])
                hidden = net.bert(input_ids=ids, attention_mask=mask).last_hidden_state
                out[chosen] = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        return F.normalize(out)

    net.eval()
    scores = (
        embed([r["question"] for r in rows], 40)
        @ embed([f"{r['title']}. {r['passage']}" for r in rows], 48).T
    )
    scores.fill_diagonal_(-1.0)
    near = scores.topk(8).indices.numpy()
    np.savez(cache, near=near)
    return [[int(i) for i in row] for row in near]


# ------------------------------------------------------------------------------------------- measuring


@dataclass(frozen=True, slots=True)
class Scores:
    """What the network says of one pair: both logits, the best span (characters), its logit less the null
    span's.
    """

    answerable: float
    supported: float
    margin: float
    start: int
    end: int


def score_pairs(net: ReaderNet, tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> list[Scores]:
    """Scores of (left, text) pairs in the order given."""
    dull = dull_ids(tokenizer.get_vocab(), STOP)
    coded: list[Encoded] = []
    for left, text in pairs:
        pair = encode(Example("answer", left, text, 0), tokenizer, dull)
        assert pair is not None, "only a pair with a span to lose can be refused"
        coded.append(pair)
    result: list[Scores | None] = [None] * len(pairs)
    order = sorted(range(len(pairs)), key=lambda i: len(coded[i].ids))
    net.eval()
    with torch.inference_mode():
        for at in range(0, len(order), 16):
            chosen = order[at : at + 16]
            group = [coded[i] for i in chosen]
            batch = collate(group)
            answerable, supported, span = net(batch["ids"], batch["segments"], batch["mask"])
            for row, (index, e) in enumerate(zip(chosen, group, strict=True)):
                begin, finish = span[row, e.first : e.last, 0], span[row, e.first : e.last, 1]
                width = len(begin)
                if width == 0:
                    result[index] = Scores(float(answerable[row]), float(supported[row]), -20.0, 0, 0)
                    continue
                grid = begin.unsqueeze(1) + finish.unsqueeze(0)
                band = torch.ones(width, width).triu().tril(SPAN_TOKENS - 1).bool()
                best = int(grid.masked_fill(~band, -1e9).argmax())
                s, t = divmod(best, width)
                margin = float(grid[s, t] - span[row, 0].sum())
                result[index] = Scores(
                    float(answerable[row]), float(supported[row]), margin, e.offsets[s][0], e.offsets[t][1]
                )
    return [r for r in result if r is not None]


def auc(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Area under the ROC curve; ties count half."""
    s, y = np.asarray(scores), np.asarray(labels)
    good, bad = s[y == 1], s[y == 0]
    return float(((good[:, None] > bad[None]).mean() + 0.5 * (good[:, None] == bad[None]).mean()).item())


def normal(text: str) -> str:
    """SQuAD's answer normalisation: lower case, no punctuation, no articles."""
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", re.sub(r"[^\w\s]", "", text.lower())).split())


def f1(guess: str, answers: Sequence[str]) -> float:
    """Best token F1 of ``guess`` against any of ``answers``."""
    best = 0.0
    for answer in answers:
        a, b = normal(guess).split(), normal(answer).split()
        common = sum(min(a.count(w), b.count(w)) for w in set(a))
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


def fit_logistic(
    features: np.ndarray, labels: np.ndarray, weight: np.ndarray | None = None, ridge: float = 0.02
) -> np.ndarray:
    """Weights (last one the constant) of a logistic regression by Newton's method; ``weight`` is one per row."""
    x = np.hstack([features, np.ones((len(features), 1))])
    share = np.full(len(x), 1 / len(x)) if weight is None else weight / weight.sum()
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        hessian = (x * (share * p * (1 - p))[:, None]).T @ x
        hessian += ridge * np.diag([1.0] * features.shape[1] + [1e-6])
        w -= np.linalg.solve(hessian, x.T @ (share * (p - labels)) + ridge * np.append(w[:-1], 0.0))
    return w


def measure(net: ReaderNet, tokenizer: Tokenizer, data: Path) -> dict[str, Any]:
    """Figures on the tune halves of SQuAD 2.0 dev and WiCE, and the calibration fitted on them."""
    rows = tune_rows(data, "squad2_dev")
    scores = score_pairs(net, tokenizer, [(r["question"].strip(), r["context"]) for r in rows])
    labels = np.array([0 if r["is_impossible"] else 1 for r in rows])
    features = np.array([[s.answerable, s.margin] for s in scores])
    weights = fit_logistic(features, labels)
    combined = 1 / (1 + np.exp(-(features @ weights[:2] + weights[2])))
    threshold = float(np.quantile(combined[labels == 1], 0.2))
    answerable = [(r, s) for r, s in zip(rows, scores, strict=True) if not r["is_impossible"]]
    spans = [(r["answers"], r["context"][s.start : s.end]) for r, s in answerable]
    figures: dict[str, Any] = {
        "n": len(rows),
        "auc_logit": auc([s.answerable for s in scores], labels.tolist()),
        "auc_margin": auc([s.margin for s in scores], labels.tolist()),
        "auc": auc(combined.tolist(), labels.tolist()),
        "threshold_20": threshold,
        "refused_unanswerable_20": float((combined[labels == 0] < threshold).mean()),
        "span_f1": float(np.mean([f1(g, a) for a, g in spans])),
        "span_exact": float(np.mean([any(normal(g) == normal(x) for x in a) for a, g in spans])),
        "span_holds": float(
            np.mean([any(normal(x) in normal(g) or normal(g) in normal(x) for x in a) for a, g in spans])
        ),
        "n_answerable": len(answerable),
        "weights": weights.tolist(),
    }
    held = [r for r in tune_rows(data, "wice_dev") if held_out(r)]
    real = [(r["claim"], wice_evidence(r), int(r["label"] == "supported")) for r in held]
    made = made_claims(rows, answered_only=True)
    logits, truths, weights_of = [], [], []
    for name, group in (("wice", real), ("made", made)):
        told = np.array([s.supported for s in score_pairs(net, tokenizer, [(c, e) for c, e, _ in group])])
        truth = np.array([y for _, _, y in group])
        figures[f"{name}_n"] = len(group)
        figures[f"{name}_auc"] = auc(told.tolist(), truth.tolist())
        figures[f"{name}_balanced"] = float(
            ((told[truth == 1] > 0).mean() + (told[truth == 0] <= 0).mean()) / 2
        )
        logits.append(told)
        truths.append(truth)
        # Both sets and both labels count the same: the probability is one at even odds.
        weights_of.append(np.where(truth == 1, 1 / (truth == 1).sum(), 1 / (truth == 0).sum()))
    figures["support_weights"] = fit_logistic(
        np.concatenate(logits)[:, None], np.concatenate(truths), np.concatenate(weights_of)
    ).tolist()
    return figures


def answer_windows(rows: Sequence[dict[str, Any]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(question, one to three sentences) of answerable rows: with the answer, and without it from the same
    text.
    """
    rng = random.Random(3)
    holding, lacking = [], []
    for row in rows:
        spot = locate(row["context"], row["question"], row["answers"], rng) if row["answers"] else None
        window = cut_window(row["context"], spot, rng) if spot else None
        other = cut_other_window(row["context"], row["answers"], rng)
        if not row["is_impossible"] and window is not None and other is not None:
            holding.append((row["question"], window[0]))
            lacking.append((row["question"], other))
    return holding, lacking


def measure_shipped(weights: Path, encoder: Path, data: Path, threads: int) -> dict[str, float]:
    """Figures of a written weights file, read as the product reads it; the same tune halves as ``measure``."""
    reader = Reader(weights, tokenizer_dir=encoder, threads=threads)
    rows = tune_rows(data, "squad2_dev")
    reader.read("Warm?", ["Warm."])
    began = time.monotonic()
    told = [reader.read(r["question"].strip(), [r["context"]])[0] for r in rows]
    one_by_one = len(rows) / (time.monotonic() - began)
    windows = [
        window[0]
        for r in rows
        if (window := cut_window(r["context"], (0, 1), random.Random(len(r["context"])))) is not None
    ]
    began = time.monotonic()
    reader.read("Who said so, and when?", windows)
    batched = len(windows) / (time.monotonic() - began)
    labels = [0 if r["is_impossible"] else 1 for r in rows]
    answerable = [t.answerable for t in told]
    spans = [
        (r, r["context"][t.start : t.end]) for r, t in zip(rows, told, strict=True) if not r["is_impossible"]
    ]
    figures = {
        "n": float(len(rows)),
        "auc": auc(answerable, labels),
        "span_f1": float(np.mean([f1(guess, r["answers"]) for r, guess in spans])),
        "paragraphs_per_second_one_by_one": one_by_one,
        "windows_per_second_batched": batched,
        "window_words": float(np.mean([len(w.split()) for w in windows])),
    }
    holding, lacking = answer_windows(rows)
    chances = [[reader.read(q, [t])[0].answerable for q, t in group] for group in (holding, lacking)]
    figures["windows_n"] = float(len(holding) + len(lacking))
    figures["windows_auc"] = auc(chances[0] + chances[1], [1] * len(holding) + [0] * len(lacking))
    for threshold in (0.3, 0.4, 0.5, 0.6):
        figures[f"windows_refused_holding_below_{threshold}"] = float(
            np.mean(np.array(chances[0]) < threshold)
        )
        figures[f"windows_refused_lacking_below_{threshold}"] = float(
            np.mean(np.array(chances[1]) < threshold)
        )
    for threshold in (0.2, 0.3, 0.4, 0.5, 0.6):
        refused = [a < threshold for a in answerable]
        for name, label in (("answerable", 1), ("unanswerable", 0)):
            chosen = [r for r, y in zip(refused, labels, strict=True) if y == label]
            figures[f"refused_{name}_below_{threshold}"] = sum(chosen) / len(chosen)
    real = [
        (r["claim"], wice_evidence(r), int(r["label"] == "supported"))
        for r in tune_rows(data, "wice_dev")
        if held_out(r)
    ]
    for name, claims in (("wice", real), ("made", made_claims(rows, answered_only=True))):
        told_support = reader.support([(claim, text) for claim, text, _ in claims])
        truth = [y for _, _, y in claims]
        figures[f"{name}_n"] = float(len(claims))
        figures[f"{name}_auc"] = auc(told_support, truth)
        for threshold in (0.3, 0.4, 0.5, 0.6, 0.7):
            kept = [
                np.mean([c >= threshold for c, y in zip(told_support, truth, strict=True) if y == k])
                for k in (1, 0)
            ]
            figures[f"{name}_kept_supported_at_{threshold}"] = float(kept[0])
            figures[f"{name}_kept_unsupported_at_{threshold}"] = float(kept[1])
    return figures


def made_claims(rows: Sequence[dict[str, Any]], *, answered_only: bool) -> list[tuple[str, str, int]]:
    """Claims made of paragraphs never trained on, with their changed twins: (claim, evidence, supported)."""
    rng = random.Random(5)
    contexts = sorted({r["context"] for r in rows if not (answered_only and r["is_impossible"])})
    facts = Facts(contexts)
    claims: list[tuple[str, str, int]] = []
    for context in contexts:
        ranges = [r for r in sentences(context) if r[1] - r[0] > 45]
        for begin, end in rng.sample(ranges, min(2, len(ranges))):
            claim = lighten(context[begin:end], rng)
            claims.append((claim, context, 1))
            changed = next(facts.changes(claim, context, rng), None) or negate(claim, rng)
            if changed and changed not in context:
                claims.append((changed, context, 0))
    return claims


def wice_evidence(row: dict[str, Any]) -> str:
    """The evidence that a WiCE claim is measured with: its first supporting group, else the two likeliest
    lines.
    """
    groups: list[list[int]] = [g for g in row["supporting_sentences"] if g]
    lines = row["evidence"]
    if groups:
        shortest: list[int] = min((len(g), g) for g in groups)[1]
        return " ".join(lines[i] for i in sorted(shortest))
    asked = words(row["claim"])
    best = max(range(max(1, len(lines) - 1)), key=lambda i: len(asked & words(" ".join(lines[i : i + 2]))))
    return " ".join(lines[best : best + 2])


# --------------------------------------------------------------------------------------------- writing


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Per-row symmetric int8 of a (rows, columns) matrix, with the (rows,) float32 scales."""
    scale = (weight.abs().amax(dim=1) / 127.0).clamp_min(1e-8)
    return (weight / scale.unsqueeze(1)).round().clamp(-127, 127).to(torch.int8), scale


def packed(net: ReaderNet) -> dict[str, torch.Tensor]:
    """The network's tensors as they go to disk: int8 with ``.scale`` for the encoder's matrices, else
    float32.
    """
    tensors: dict[str, torch.Tensor] = {}
    for name, value in net.state_dict().items():
        value = value.detach().float()
        matrix = value.dim() == 2 and name.startswith("bert.") and "token_type" not in name
        if name.endswith("position_ids") or name.endswith("token_type_ids"):
            continue
        if name.endswith("position_embeddings.weight"):
            value = value[:MAX_TOKENS]
        if matrix:
            tensors[name], tensors[f"{name}.scale"] = (t.contiguous() for t in quantise(value))
        else:
            tensors[name] = value.contiguous()
    return tensors


def unpack_into(net: ReaderNet, tensors: dict[str, torch.Tensor]) -> None:
    """Put the rounded weights back into ``net``, to measure what rounding costs."""
    state = net.state_dict()
    for name, value in tensors.items():
        if name.endswith(".scale"):
            continue
        scale = tensors.get(f"{name}.scale")
        full = value.float() * scale.unsqueeze(1) if scale is not None else value
        if name.endswith("position_embeddings.weight"):
            state[name][:MAX_TOKENS] = full
        else:
            state[name] = full
    net.load_state_dict(state)


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_weights(
    net: ReaderNet, tokenizer: Tokenizer, data: Path, out: Path, trained: dict[str, Any]
) -> dict[str, Any]:
    """Quantise, measure again, calibrate on the quantised network, write the weights and their JSON; the
    figures.
    """
    from safetensors.torch import save

    exact = measure(net, tokenizer, data)
    tensors = packed(net)
    unpack_into(net, tensors)
    rounded = measure(net, tokenizer, data)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(save(tensors))
    about = {
        "format": FORMAT,
        "sha256": digest(out),
        "config": {
            "max_tokens": MAX_TOKENS,
            "max_question_tokens": MAX_QUESTION_TOKENS,
            "layers": 6,
            "heads": 12,
            "hidden": HIDDEN,
            "span_tokens": SPAN_TOKENS,
            "vocabulary_sha256": vocabulary_digest(tokenizer.get_vocab()),
            "stop_words": sorted(STOP),
        },
        "calibration": {"answerable": rounded["weights"], "support": rounded["support_weights"]},
        "tune": {"float32": exact, "int8": rounded},
        "training": {**trained, "data_sha256": {n: digest(data / f"{n}.jsonl") for n in TRAINED_FROM}},
    }
    out.with_suffix(".json").write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return about


# ------------------------------------------------------------------------------------------------ main


def rate_at(part: float) -> float:
    """The learning rate as a share of its peak, ``part`` of the training done: up, then straight down."""
    return part / 0.05 if part < 0.05 else max(0.0, (1.0 - part) / 0.95)


def train(options: argparse.Namespace) -> ReaderNet:
    """Train for ``options.minutes`` (or ``options.steps``); resumes from the checkpoint beside
    ``options.out``.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.encoder)
    dull = dull_ids(tokenizer.get_vocab(), STOP)
    net = ReaderNet(options.encoder)
    options.work.mkdir(parents=True, exist_ok=True)
    near = nearest_passages(
        net, tokenizer, read_rows(options.data / "nq_passages.jsonl"), options.work / "near.npz"
    )
    sampler = Sampler(options.data, near, options.seed)
    layers = [p for n, p in net.named_parameters() if p.requires_grad and n.startswith("bert.")]
    heads = [p for n, p in net.named_parameters() if not n.startswith("bert.")]
    optimiser = torch.optim.AdamW(
        [
            {"params": layers, "lr": LAYER_RATE, "peak": LAYER_RATE},
            {"params": heads, "lr": HEAD_RATE, "peak": HEAD_RATE},
        ],
        weight_decay=0.01,
    )
    checkpoint = options.work / "reader.pt"
    step, epoch, skip, spent = 0, 0, 0, 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        step, epoch, skip, spent = saved["step"], saved["epoch"], saved["at"], saved["spent"]
        print(f"resumed at step {step}, {spent / 60:.1f} minutes in", flush=True)
    budget = options.minutes * 60.0
    before = saved_at = measured_at = shown_at = time.monotonic()
    start = before - spent
    seen, recent = 0, 0.0
    while True:
        made = [e for x in sampler.epoch(epoch) if (e := encode(x, tokenizer, dull)) is not None]
        groups = batches(made, random.Random(f"{options.seed}:{epoch}:order"))
        print(f"epoch {epoch}: {len(made)} pairs, {len(groups)} batches", flush=True)
        for at, group in enumerate(groups):
            if at < skip:
                continue
            now = time.monotonic()
            part = step / options.steps if options.steps else (now - start) / budget
            if part >= 1.0:
                torch.save({"net": net.state_dict(), "step": step}, options.work / "final.pt")
                print(f"done: {step} steps, {(now - start) / 60:.1f} minutes", flush=True)
                options.taken = step
                return net
            for entry in optimiser.param_groups:
                entry["lr"] = entry["peak"] * rate_at(part)
            net.train()
            loss = loss_of(net, collate(group))
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_([*layers, *heads], 1.0)
            optimiser.step()
            step += 1
            seen += len(group)
            recent = 0.97 * recent + 0.03 * loss.item()
            if now - shown_at > 30:
                pace = seen / (now - before)
                left = (1.0 - part) * (now - start) / max(part, 1e-6) / 60
                print(
                    f"step {step} loss {recent:.3f} {pace:.1f} pairs/s, {left:.1f} minutes left", flush=True
                )
                shown_at = now
            if now - saved_at > 150:
                state = {
                    "net": net.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "step": step,
                    "epoch": epoch,
                    "at": at + 1,
                    "spent": now - start,
                }
                torch.save(state, checkpoint.with_suffix(".part"))
                checkpoint.with_suffix(".part").replace(checkpoint)
                saved_at = now
            if options.measure_every and now - measured_at > options.measure_every * 60:
                print(json.dumps(measure(net, tokenizer, options.data)), flush=True)
                torch.save({"net": net.state_dict(), "step": step}, options.work / f"step{step}.pt")
                measured_at = time.monotonic()
        epoch, skip = epoch + 1, 0


def main() -> None:
    """Train, quantise, calibrate, write; prints the figures on the tune halves."""
    parser = argparse.ArgumentParser(description="Train the reader and write its quantised weights.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets (JSON lines)")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, required=True, help="weights file to write (.safetensors)")
    parser.add_argument("--work", type=Path, default=Path("reader-work"), help="folder for checkpoints")
    parser.add_argument("--minutes", type=float, default=40.0, help="wall clock to train for")
    parser.add_argument(
        "--steps", type=int, default=0, help="train for so many steps instead (repeatable exactly)"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument(
        "--measure-every", type=float, default=0.0, help="minutes between measurements; 0 for none"
    )
    parser.add_argument(
        "--only-write", action="store_true", help="write from the last checkpoint, training no more"
    )
    parser.add_argument(
        "--measure", action="store_true", help="only measure the weights file that --out names"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.measure:
        figures = measure_shipped(options.out, options.encoder, options.data, options.threads)
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}, indent=1))
        return
    tokenizer = load_tokenizer(options.encoder)
    if options.only_write:
        net = ReaderNet(options.encoder)
        final = options.work / "final.pt"
        saved = torch.load(final if final.exists() else options.work / "reader.pt", weights_only=True)
        net.load_state_dict(saved["net"])
        options.taken = saved["step"]
    else:
        net = train(options)
    trained = {"seed": options.seed, "steps": options.taken, "minutes": options.minutes}
    print(json.dumps(write_weights(net, tokenizer, options.data, options.out, trained)["tune"], indent=1))


if __name__ == "__main__":
    main()
