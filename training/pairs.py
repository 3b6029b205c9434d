"""Pairs of text as the network sees them: tokenised, cut, grouped into batches of like length.

    {"task": "answer", "question": ..., "window": ..., "spans": [[start, end], ...]}      no spans: not answered
    {"task": "claim", "claim": ..., "window": ..., "label": "supported" | "refuted" | "not_stated" | "unsupported"}

"unsupported" is refuted or not stated, whichever: some changes to a claim leave that open.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

MOST_TOKENS = 320
POOL = 1024  # rows tokenised and sorted by length at a time
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """One tokenised row: token ids, the tokens of the window as a range, their characters in the window, and the
    token spans that answer."""

    row: Row
    ids: list[int]
    first: int
    last: int
    offsets: list[tuple[int, int]]
    spans: list[tuple[int, int]]


def left_of(row: Row) -> str:
    """What is asked of the window: the question, or the claim marked as one."""
    return str(row["question"]) if row["task"] == "answer" else f"claim: {row['claim']}"


def encode(row: Row, tokenizer: Tokenizer) -> Pair | None:
    """The pair, or None where no token of the answer survives the cut."""
    coded = tokenizer.encode(left_of(row), row["window"])
    window = [i for i, s in enumerate(coded.sequence_ids) if s == 1]
    if not window:
        return None
    spans = []
    for start, end in row.get("spans", ()):
        inside = [i for i in window if coded.offsets[i][1] > start and coded.offsets[i][0] < end]
        if inside:
            spans.append((inside[0], inside[-1]))
    if row.get("spans") and not spans:
        return None
    return Pair(row, coded.ids, window[0], window[-1] + 1, coded.offsets, spans)


def load_tokenizer(path: str) -> Tokenizer:
    tokenizer = Tokenizer.from_file(path)
    tokenizer.enable_truncation(MOST_TOKENS, strategy="only_second")
    tokenizer.no_padding()
    return tokenizer


def batches(
    rows: Sequence[Row], tokenizer: Tokenizer, tokens: int, rng: random.Random
) -> Iterator[list[Pair]]:
    """All rows once, in an order drawn by `rng`, in batches of at most `tokens` tokens with padding."""
    order = list(range(len(rows)))
    rng.shuffle(order)
    for begin in range(0, len(order), POOL):
        pairs = [p for i in order[begin : begin + POOL] if (p := encode(rows[i], tokenizer))]
        pairs.sort(key=lambda p: len(p.ids))
        groups: list[list[Pair]] = [[]]
        for pair in pairs:
            if groups[-1] and (len(groups[-1]) + 1) * len(pair.ids) > tokens:
                groups.append([])
            groups[-1].append(pair)
        rng.shuffle(groups)
        yield from groups


def collate(pairs: Sequence[Pair], pad: int) -> tuple[Tensor, Tensor]:
    """Ids and presence, both (B, L) long."""
    length = max(len(p.ids) for p in pairs)
    ids = torch.full((len(pairs), length), pad)
    present = torch.zeros(len(pairs), length, dtype=torch.long)
    for i, pair in enumerate(pairs):
        ids[i, : len(pair.ids)] = torch.tensor(pair.ids)
        present[i, : len(pair.ids)] = 1
    return ids, present
