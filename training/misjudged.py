"""Show what the reader gets wrong in passages that are being written for its training.

    python -m training.misjudged FILE.jsonl [--first ROW]

FILE has the form that `training/written.py` tells. A writer looks at what the present reader misjudges and writes the next
passages so that it errs more often. Then a thousand new pairs teach more than a thousand that it knows. The labels have to be
beyond doubt all the same: where the reader is right, the passage is wrong.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rag.answering.pipeline import ANSWER_FLOOR
from rag.answering.reading import SUPPORT_FLOOR
from rag.assistant import open_reader
from rag.config import load_settings
from rag.models.reader import Reader, claim_of
from training.maker import most_like, read_rows, words
from training.rewriting import sentences
from training.written import LABELS, Item, item_of


def around(text: str, at: int) -> str:
    """The sentence with this character, and its neighbours."""
    spans = sentences(text)
    own = next((i for i, (_, end) in enumerate(spans) if at < end), 0)
    return text[spans[max(0, own - 1)][0] : spans[min(len(spans) - 1, own + 1)][1]]


def judged(item: Item, reader: Reader) -> Iterator[tuple[str, str]]:
    """Each thing that is asked or claimed of a passage: its kind, and what the reader got wrong, "" where it is right."""
    whole = item.head + item.text
    rng = random.Random(0)
    for question, answer in (*item.qa, *((q, "") for q in item.no)):
        at = item.text.find(answer) if answer else most_like(item.text, question, rng)[0]
        windows = [whole, item.head + around(item.text, at)]
        best, window = max(
            zip(reader.read(question, windows), windows, strict=True), key=lambda r: r[0].answerable
        )
        given = window[best.start : best.end]
        is_sure = best.answerable >= ANSWER_FLOOR
        is_right = (
            is_sure and bool(words(given) & words(answer) or given in answer) if answer else not is_sure
        )
        wanted = f"“{answer}”" if answer else "not answered"
        told = f"{question} {wanted}; the reader: “{given}” at {best.answerable:.2f}"
        yield "answered" if answer else "not answered", "" if is_right else told
    claims = [(said, whole) for said, _ in item.claims]
    for (said, label), support in zip(item.claims, reader.support(claims), strict=True):
        is_right = (support.supported >= SUPPORT_FLOOR) == (label == "s")
        told = f"{said} {LABELS[label]}; the reader: supported at {support.supported:.2f}"
        yield f"claim {LABELS[label]}", "" if is_right else told
    asked = [(claim_of(q, "Yes."), whole) for q, _ in item.yn]
    for (question, label), support in zip(item.yn, reader.support(asked), strict=True):
        sides = {"y": support.supported, "n": support.refuted}
        best_side = max(sides, key=lambda side: sides[side])
        found = best_side if sides[best_side] >= SUPPORT_FLOOR else "u"
        told = f"{question} {label}; the reader: yes {support.supported:.2f}, no {support.refuted:.2f}"
        yield f"yes or no: {label}", "" if found == label else told


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--first", type=int, default=1, metavar="ROW", help="begin at this row, counted from 1"
    )
    options = parser.parse_args()
    reader = open_reader(load_settings())
    wrong: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for number, row in enumerate(read_rows(options.file), 1):
        if number < options.first:
            continue
        item = item_of(row)
        for _, answer in item.qa:
            if answer not in item.text:
                parser.error(f"{options.file}, row {number}: its text has no “{answer}”")
        print(f"row {number}: {row['title']}")
        for kind, told in judged(item, reader):
            total[kind] += 1
            wrong[kind] += bool(told)
            if told:
                print(f"  {kind}: {told}")
    for kind, count in total.items():
        print(f"{kind}: {wrong[kind]} of {count} misjudged")


if __name__ == "__main__":
    main()
