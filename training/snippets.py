"""Measure the whole program on questions over a handful of news-like snippets, some of which mislead.

    python -m training.snippets [--without STAGE...]

`training/snippets.jsonl` was written by another author than the program and its training passages, before it was first asked. It
is a development set: weights were chosen on it. Each question is asked over its own snippets, without a language model.
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

SNIPPETS = Path(__file__).parent / "snippets.jsonl"


def corpus(row: dict[str, Any]) -> dict[str, str]:
    """The snippets of a row as files, with their titles and dates as front matter."""
    files = {}
    for number, snippet in enumerate(row["documents"], 1):
        head = "".join(f"{k}: {snippet[k]}\n" for k in ("title", "date") if snippet.get(k))
        files[f"snippet-{number}.md"] = (f"---\n{head}---\n\n" if head else "") + snippet["text"] + "\n"
    return files


def outcome(row: dict[str, Any], answer: Answer) -> str:
    """What became of it: "right", "wrong" or "refused"; by what stands first, and of a yes or a no by its word."""
    shown = [s.text for s in answer.shown]
    if not shown:
        return "right" if row.get("answer") == "none" else "refused"
    if row["kind"] == "yesno":
        return "right" if shown[0].lower().startswith(f"{row['answer']}:") else "wrong"
    told = (rf"(?<!\w){re.escape(a)}(?!\w)" for a in row["answers"])
    return "right" if any(re.search(a, shown[0], re.IGNORECASE) for a in told) else "wrong"


def tell(label: str, said: Sequence[bool]) -> None:
    values = np.array(said, dtype=float)
    low, high = interval(len(values), lambda k: values[k].mean())
    print(f"{label:52s} {values.mean():.3f}  ({low:.3f} to {high:.3f}, n = {len(values)})")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--without", nargs="+", type=Stage, default=(), help="stages left out")
    options = parser.parse_args()
    rows = read_rows(SNIPPETS)
    suite = Suite("snippets", (), {row["id"]: corpus(row) for row in rows}, "")
    settings, without = load_settings().with_options(model="none"), frozenset(options.without)
    made: list[tuple[str, str]] = []
    with (
        tempfile.TemporaryDirectory() as work,
        Corpora(suite, settings, Path(work), without) as corpora,
        progress() as report,
    ):
        for row in rows:
            answer = corpora.open(row["id"]).ask(row["question"])
            made.append((row["kind"], outcome(row, answer)))
            report("questions", len(made), len(rows))
    for label, wanted, kind in (
        ("answered by two of five snippets: right", "right", "right"),
        ("answered by two of five snippets: wrong shown first", "wrong", "right"),
        ("answered by none of five: refused", "refused", "none"),
        ("yes, no, or neither: right", "right", "yesno"),
    ):
        tell(label, [o == wanted for k, o in made if k == kind])


if __name__ == "__main__":
    main()
