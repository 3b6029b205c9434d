"""Measure what stands beside the reader when it answers: the comparison of dates and numbers, and the second number of
an article.

    python -m training.conditions --data DIR --timeqa FILE --boolq FILE [--rows N]

`--data` is the folder of public development sets; the files are TimeQA's questions and BoolQ's development set. Each
question is read over the windows of its own page, without retrieval, with the weights of the program; those of BoolQ over the
other passage that shares most words with it as well. TimeQA is one of the sets that the reader was trained on,
so what the comparison of dates adds there is rather told too low.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.answering.disagreement import is_measure, second_number
from rag.answering.pipeline import ANSWER_FLOOR, SECOND_FLOOR, YES_NO_FLOOR
from rag.answering.question import lacking
from rag.answering.reading import Found, judge, read
from rag.assistant import open_reader
from rag.cli.common import progress
from rag.config import load_settings
from rag.models.reader import Reader
from rag.text.dates import find_dates
from training.maker import read_rows
from training.sets import Asked, Claimed, nyt, squad, whole, yes_no

ALL = 100_000  # more questions than there are


def timeqa(path: Path, most: int) -> Iterator[Asked]:
    """So many questions with an answer on their page, and as many without."""
    all_rows = read_rows(path)
    random.Random(4).shuffle(all_rows)
    for answerable in (True, False):
        some = [r for r in all_rows if r["answerable"] is answerable and bool(r["answers"]) is answerable]
        for number, row in enumerate(some[:most]):
            page = row["context"].replace(" .", ".").replace(" ,", ",")
            yield Asked(f"{answerable} {number}", row["question"], (page,), tuple(row["answers"] or ()))


def found_in(asked: Asked, reader: Reader) -> list[Found]:
    return read(asked.question, [whole(asked.windows[0])], reader, fixed_by="")


def dates(name: str, asked: Sequence[Asked], reader: Reader) -> None:
    """Right, wrong and refused shares, without and with the comparison of dates."""
    read_rows = []
    with progress() as report:
        for done, row in enumerate(asked, 1):
            read_rows.append((row, found_in(row, reader)))
            report(name, done, len(asked))
    for compared in (False, True):
        right = wrong = refused = 0
        for row, found in read_rows:
            kept = [
                f
                for f in found
                if f.value and not (compared and lacking(row.question, f.window.text, f.window.article))
            ]
            sure = bool(kept) and kept[0].answerable >= ANSWER_FLOOR
            good = sure and any(a.lower() in kept[0].evidence.text.lower() for a in row.answers)
            right += good
            wrong += bool(row.answers) and sure and not good
            refused += not row.answers and not sure
        answerable = sum(bool(r.answers) for r in asked)
        print(
            f"{name}, dates {'compared' if compared else 'not compared'}: right {right / answerable:.2f}, wrong"
            f" {wrong / answerable:.2f} of {answerable}; refused {refused / (len(asked) - answerable):.2f} of"
            f" {len(asked) - answerable} without an answer"
        )


def second_numbers(asked: Sequence[Asked], reader: Reader) -> None:
    """How often a second number would stand beside the only right one of a paragraph."""
    tried = shown = 0
    for row in asked:
        if not row.answers or not is_measure(row.answers[0]) or find_dates(row.answers[0]):
            continue
        found = found_in(row, reader)
        tried += bool(found)
        if found and (second := second_number(row.question, found[0], found, reader, SECOND_FLOOR)):
            shown += 1
            print(f"{row.question} {found[0].value} / {second.value}")
    print(f"second numbers: {shown} on {tried} questions that a number answers")


def said(question: str, page: str, reader: Reader, literal: bool) -> str:
    """What the program says to a question over a page: "yes", "no" or "" for neither."""
    judged = judge(question, [whole(page)], reader, fixed_by=question if literal else "")
    yes = max((j.support.supported for j in judged), default=0.0)
    no = max((j.support.refuted for j in judged), default=0.0)
    return "" if max(yes, no) < YES_NO_FLOOR else "yes" if yes >= no else "no"


def yes_or_no(name: str, asked: Sequence[Claimed], reader: Reader) -> None:
    """Right and wrong shares of what is said over passages that say yes or no, and how often nothing is said over others,
    without and with dates and numbers compared."""
    for literal in (False, True):
        own, other = [], []
        with progress() as report:
            for done, row in enumerate(asked, 1):
                question = row.claim.removesuffix(" Yes.")
                word = said(question, row.windows[0], reader, literal)
                if row.label == "not_stated":
                    other.append(not word)
                else:
                    own.append((word == ("yes" if row.supported else "no"), bool(word)))
                report(name, done, len(asked))
        right = sum(r for r, _ in own) / len(own)
        wrong = sum(w and not r for r, w in own) / len(own)
        print(
            f"{name}, {'compared' if literal else 'not compared'}: right {right:.2f}, wrong {wrong:.2f} of {len(own)};"
            f" nothing said over {sum(other) / len(other):.2f} of {len(other)} other passages"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--timeqa", type=Path, required=True)
    parser.add_argument("--boolq", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=60, help="of TimeQA, of each kind")
    options = parser.parse_args()
    reader = open_reader(load_settings())
    squad_rows = list(squad(options.data))
    second_numbers([*squad_rows, *nyt(options.data)], reader)
    with_figures = [a for a in squad_rows if re.search(r"\d", a.question)]
    dates("SQuAD 2.0, questions with a figure", with_figures, reader)
    dates("TimeQA", list(timeqa(options.timeqa, options.rows)), reader)
    boolq = [c for c in yes_no(options.boolq, 2 * ALL) if re.search(r"\d", c.claim)]
    yes_or_no("BoolQ, questions with a figure", boolq, reader)


if __name__ == "__main__":
    main()
