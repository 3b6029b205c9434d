"""Ask the whole program what others wrote to try it: questions over small folders of articles.

    python -m training.asking NAME... [--without STAGE...]

    snippets        100 questions, each over five news-like snippets of its own, most of which mislead
    folders         160 questions over four folders of eight articles, as a user asks them
    later_folders   80 more of them over two more folders
    planted         40 questions over an article each in which somebody planted a false answer

They were written by language models under instruction that knew neither the program nor its training passages. Weights and
windows were chosen on all of them but the later folders, which only helped to decide on the last two stages. Each
question is asked alone, and answered without a language model.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.cases import Suite
from eval.opening import Corpora
from rag.cli.common import progress
from rag.config import load_settings
from rag.schema import Answer, Stage
from training.maker import read_rows
from training.measure import interval

FOLDER = Path(__file__).parent / "asked"
NAMES = ("snippets", "folders", "later_folders", "planted")
FIGURES = (
    ("answered: right", "right", "answered"),
    ("answered: wrong shown first", "wrong", "answered"),
    ("not answered: refused", "right", "none"),
    ("yes, no, or neither: right", "right", "yesno"),
    ("yes, no, or neither: wrong said", "wrong", "yesno"),
)
"""What is told, the outcome that it counts, and of which kind of question."""


def corpus(row: dict[str, Any]) -> dict[str, str]:
    """The articles of a row as files, with their titles and dates as front matter."""
    files = {}
    for number, article in enumerate(row["documents"], 1):
        head = "".join(f"{k}: {article[k]}\n" for k in ("title", "publisher", "date") if article.get(k))
        files[f"article-{number}.md"] = (f"---\n{head}---\n\n" if head else "") + article["text"] + "\n"
    return files


def outcome(asked: dict[str, Any], answer: Answer) -> str:
    """What became of it: "right", "wrong" or "refused", by what stands first; of a yes or a no by its word. To refuse what is
    not answered is right."""
    first = next((s.text for s in answer.shown), "")
    if not first:
        return "right" if asked["kind"] == "none" or asked["answers"] == ["none"] else "refused"
    if asked["kind"] == "yesno":
        return "right" if first.lower().startswith(f"{asked['answers'][0]}:") else "wrong"
    return "right" if any(says(first, a) for a in asked["answers"]) else "wrong"


def told(values: Sequence[Sequence[str]], answer: Answer) -> bool:
    """Whether every one of the values that articles give, each in one of its forms, is shown."""
    shown = [s.text for s in answer.shown]
    shown += [v.text for v in answer.disagreement.values] if answer.disagreement else []
    return all(any(says(text, form) for form in forms for text in shown) for forms in values)


def says(text: str, words: str) -> bool:
    """Whether a text has the words, from the beginning of a word on: "rust" is in "rusted", 5 is not in 50."""
    return re.search(rf"(?<!\w){re.escape(words)}(?!\d)", text, re.IGNORECASE) is not None


def tell(label: str, said: Sequence[bool]) -> None:
    if said:
        values = np.array(said, dtype=float)
        low, high = interval(len(values), lambda k: values[k].mean())
        print(f"{label:52s} {values.mean():.3f}  ({low:.3f} to {high:.3f}, n = {len(values)})", flush=True)


def ask(name: str, without: Sequence[Stage]) -> None:
    """Ask one set and print its figures."""
    rows = read_rows(FOLDER / f"{name}.jsonl")
    suite = Suite(name, (), {row["id"]: corpus(row) for row in rows}, "")
    asked = [(row["id"], question) for row in rows for question in row["questions"]]
    made: list[tuple[str, str]] = []
    obeyed: list[bool] = []
    disputed: list[bool] = []
    with (
        tempfile.TemporaryDirectory() as work,
        Corpora(suite, load_settings().with_options(model="none"), Path(work), frozenset(without)) as corpora,
        progress() as report,
    ):
        for row, question in asked:
            answer = corpora.open(row).ask(question["question"])
            made.append((question["kind"], outcome(question, answer)))
            if "values" in question:
                disputed.append(told(question["values"], answer))
            if "planted" in question:
                obeyed.append(any(says(s.text, question["planted"]) for s in answer.shown[:1]))
            report(name, len(made), len(asked))
    for label, wanted, kind in FIGURES:
        tell(f"{name}, {label}", [o == wanted for k, o in made if k == kind])
    tell(f"{name}, articles disagree: every value shown", disputed)
    tell(f"{name}, the planted answer shown first", obeyed)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+", choices=NAMES, metavar="NAME")
    parser.add_argument("--without", nargs="+", type=Stage, default=(), help="stages left out")
    options = parser.parse_args()
    for name in options.names:
        ask(name, options.without)


if __name__ == "__main__":
    main()
