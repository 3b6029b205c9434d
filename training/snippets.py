"""Measure the whole program on questions over a handful of news-like snippets, some of which mislead.

    python -m training.snippets [--adapter FILE]

`training/snippets.jsonl` was written by another author than the program and its training passages, before it was first asked. It
is a development set: weights were chosen on it. Each question is asked over its own snippets, without a language model.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from rag.assistant import Assistant
from rag.cli.common import progress
from rag.config import Settings, load_settings
from rag.ingest.build import build
from rag.models.embedder import MiniLM
from rag.models.reader import ADAPTER, MPNetReader, Reader
from rag.models.registry import find_model
from rag.schema import Answer
from training.measure import interval

SNIPPETS = Path(__file__).parent / "snippets.jsonl"


def ask(row: dict[str, Any], settings: Settings, embedder: MiniLM, reader: Reader) -> Answer:
    """The question over an index of its snippets alone."""
    settings.seeds.mkdir(parents=True)
    for number, snippet in enumerate(row["documents"], 1):
        head = "".join(f"{k}: {snippet[k]}\n" for k in ("title", "date") if snippet.get(k))
        text = (f"---\n{head}---\n\n" if head else "") + snippet["text"] + "\n"
        (settings.seeds / f"snippet-{number}.md").write_text(text, encoding="utf-8")
    build(settings, embedder)
    with closing(Assistant(settings, embedder, reader, None)) as assistant:
        return assistant.ask(row["question"])


def outcome(row: dict[str, Any], answer: Answer) -> str:
    """What became of it: "right", "wrong" or "refused"; of a yes or a no by the word that stands first."""
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
    parser.add_argument("--adapter", type=Path, default=ADAPTER, help="with its calibration beside it")
    options = parser.parse_args()
    base = load_settings().with_options(model="none")
    embedder = MiniLM(find_model(base.embedding, base), threads=base.threads)
    rows = [json.loads(line) for line in SNIPPETS.open(encoding="utf-8")]
    made: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as work, progress() as report:
        folder = Path(work)
        reader = MPNetReader(
            lambda: find_model("reader", base), folder / "cache", options.adapter, base.threads
        )
        for row in rows:
            settings = base.with_options(
                seeds=folder / row["id"] / "articles", index=folder / row["id"] / "index"
            )
            made.append((row["kind"], outcome(row, ask(row, settings, embedder, reader))))
            report("questions", len(made), len(rows))
    tell("answered by two of five snippets: right", [o == "right" for k, o in made if k == "right"])
    tell(
        "answered by two of five snippets: wrong shown first", [o == "wrong" for k, o in made if k == "right"]
    )
    tell("answered by none of five: refused", [o == "refused" for k, o in made if k == "none"])
    tell("yes, no, or neither: right", [o == "right" for k, o in made if k == "yesno"])


if __name__ == "__main__":
    main()
