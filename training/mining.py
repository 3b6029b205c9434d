"""Pairs that the present reader gets wrong: windows that it takes for an answer and that hold none.

    python -m training.mining --sets DIR --squad FILE --adapter FILE --out PAIRS.jsonl

For each answered question the windows of other paragraphs of its article that share most words with it are read, as the
program reads them. Those that the reader is surest of become unanswerable pairs, and as many answered questions with
their own paragraph are kept beside them. A window with the answer in it is left out.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path

from rag.cli.common import progress
from rag.config import load_settings
from rag.models.reader import MPNetReader, Reader
from rag.models.registry import find_model
from training.maker import Asked, asked_in, words
from training.pairs import Row
from training.rewriting import sentences

CANDIDATES = 4  # windows read a question
SURE = 0.4  # calibrated probability from which a window without the answer is worth a lesson


def candidates(row: Asked, paragraphs: list[str], rng: random.Random) -> list[str]:
    """Windows of two or three sentences of the other paragraphs that share most words with the question."""
    asked = words(row.question)
    found: list[tuple[float, str]] = []
    for text in paragraphs:
        if text == row.context or any(a.lower() in text.lower() for a in row.answers):
            continue
        cut = sentences(text)
        for at in range(0, len(cut), 2):
            window = text[cut[at][0] : cut[min(at + 2, len(cut) - 1)][1]]
            found.append((len(words(window) & asked) + rng.random() / 2, window))
    return [w for _, w in sorted(found, reverse=True)[:CANDIDATES]]


def lessons(row: Asked, windows: list[str], reader: Reader) -> list[Row]:
    """The windows that the reader is sure of, two at most, and the question with its own paragraph beside them."""
    readings = reader.read(row.question, windows)
    wrong = [w for w, r in zip(windows, readings, strict=True) if r.answerable >= SURE][:2]
    made: list[Row] = [
        {"task": "answer", "question": row.question, "window": window, "spans": []} for window in wrong
    ]
    if wrong:
        spans = [list(s) for s in row.spans]
        made.append({"task": "answer", "question": row.question, "window": row.context, "spans": spans})
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--squad", type=Path, required=True, help="squad2_train.jsonl")
    parser.add_argument("--adapter", type=Path, required=True, help="with its calibration beside it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=4000, help="questions that are tried")
    parser.add_argument("--seed", type=int, default=43)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    sets = (options.sets / f"{name}.jsonl" for name in ("squad2_train_part", "squadshifts_new_wiki"))
    rows = asked_in(options.squad, *sets)
    paragraphs: dict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        paragraphs[row.title][row.context] = None
    answered = [r for r in rows if r.spans and r.title and len(paragraphs[r.title]) > 4]
    tried = rng.sample(answered, min(options.most, len(answered)))
    settings = load_settings()
    base = find_model("reader", settings)
    reader = MPNetReader(lambda: base, options.out.with_suffix(".cache"), options.adapter, settings.threads)
    made: list[Row] = []
    with progress() as report:
        for done, row in enumerate(tried, 1):
            made += lessons(row, candidates(row, list(paragraphs[row.title]), rng), reader)
            report("questions", done, len(tried))
    with options.out.open("w", encoding="utf-8") as out:
        for pair in made:
            out.write(json.dumps(pair, ensure_ascii=False) + "\n")
    print(f"{len(made):,} pairs")


if __name__ == "__main__":
    main()
