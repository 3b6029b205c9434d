"""The command `python -m eval.checks`: how well the check itself tells true statements from false ones. No model.

Public sets with human labels, and true sentences made false by a program. It calls `rag.verify.check` and measures it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from eval.cases import EvalError, json_lines
from eval.console import status_of
from eval.metrics import Rate, mean
from eval.rows import rows_of
from eval.split import Half, half
from eval.tamper import Name, names_of, tamper
from rag.schema import Article, Evidence
from rag.text import plain, sentences
from rag.verify import check

PUBLISHED = (
    "LLM-AggreFact, of which WiCE is a part, averages for GPT-4 and for MiniCheck-FT5 0.75 (Tang et al. 2024)"
)
MIN_WORDS, MAX_WORDS = 8, 60  # of a true sentence that is tampered with
SENTENCES = 12  # of one text: the news of FRANK is long, and speakers are quoted throughout
TAMPERED_SENTENCES = 3000  # enough for 100 of each kind and more of most
NEWS = "frank_valid.jsonl"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Statements with the evidence they cite, whether all are supported by it, and the group they are counted in."""

    statements: tuple[str, ...]
    cited: tuple[Evidence, ...]
    supported: bool
    group: str


def _cite(texts: Sequence[str]) -> tuple[Evidence, ...]:
    """The texts as sentences of one article, cited one by one."""
    body = "\n".join(texts)
    article = Article("evidence.txt", "0", "evidence.txt", body)
    found, at = [], 0
    for number, text in enumerate(texts, 1):
        found.append(Evidence(number, article, at, at + len(text), text))
        at += len(text) + 1
    return tuple(found)


def wice(path: Path, which: Half | None) -> Iterator[Labelled]:
    """WiCE claims against all lines of their page; partially supported is not supported, as in LLM-AggreFact.

    A row's id is its line number.
    """
    for number, row in json_lines(path):
        if which is not None and half("wice_dev", str(number)) is not which:
            continue
        if not isinstance(row, dict) or not {"claim", "evidence", "label"} <= set(row):
            raise EvalError(f"{path}, line {number}: not a claim of WiCE; is this the right file?")
        yield Labelled((row["claim"],), _cite(row["evidence"]), row["label"] == "supported", "WiCE")


def frank(path: Path, which: Half | None) -> Iterator[Labelled]:
    """FRANK summaries against all sentences of their article; supported is what every annotator found without error.

    A row's id is its line number.
    """
    for number, row in json_lines(path):
        if which is not None and half("frank_valid", str(number)) is not which:
            continue
        if not isinstance(row, dict) or not {"article", "summary", "factuality"} <= set(row):
            raise EvalError(f"{path}, line {number}: not a summary of FRANK; is this the right file?")
        article, summary = row["article"], row["summary"]
        cited = _cite([article[s.start : s.end] for s in sentences(article)])
        parts = tuple(summary[s.start : s.end] for s in sentences(summary))
        yield Labelled(parts, cited, row["factuality"] == 1.0, "FRANK")


def tampered(path: Path, which: Half | None) -> Iterator[Labelled]:
    """Sentences of NaturalQuestions passages and of the news articles of FRANK, and each made false in one place, against
    the sentence itself.

    A row's id is its line number.
    """
    texts = []
    for set_name, file, key in (
        ("frank_valid", path.parent / NEWS, "article"),
        ("nq_passages", path, "passage"),
    ):
        for row in rows_of(file):
            if which is None or half(set_name, str(row.number)) is which:
                texts.append(row.text(key))
    texts = list(dict.fromkeys(texts))
    names: Sequence[Name] = names_of(texts)[:400]
    done = 0
    for text in texts:
        for span in sentences(text)[:SENTENCES]:
            sentence = plain(text[span.start : span.end])
            if not MIN_WORDS <= len(sentence.split()) <= MAX_WORDS or not sentence[0].isupper():
                continue
            cited = _cite([sentence])
            yield Labelled((sentence,), cited, True, "true")
            for made in tamper(sentence, names, seed=1):
                yield Labelled((made.text,), cited, False, made.kind.value)
            done += 1
        if done >= TAMPERED_SENTENCES:
            return


SETS: dict[str, tuple[str, Callable[[Path, Half | None], Iterator[Labelled]]]] = {
    "tamper": ("nq_passages.jsonl", tampered),
    "wice": ("wice_dev.jsonl", wice),
    "frank": ("frank_valid.jsonl", frank),
}


def passes(item: Labelled) -> bool:
    """Whether the check finds all statements supported."""
    return all(check(s, item.cited).supported for s in item.statements)


def flagged(items: Sequence[Labelled]) -> dict[str, Rate]:
    """Group -> the share of its statements that the check finds not supported."""
    groups: dict[str, list[float]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(float(not passes(item)))
    return {name: mean(values) for name, values in groups.items()}


def balanced(items: Sequence[Labelled]) -> tuple[float, Rate, Rate]:
    """(balanced accuracy, share of supported statements kept, share of the others flagged)."""
    right = [(i.supported, passes(i)) for i in items]
    kept = mean([float(said) for true, said in right if true])
    caught = mean([float(not said) for true, said in right if not true])
    return ((kept.value or 0.0) + (caught.value or 0.0)) / 2, kept, caught


def _shown(rate: Rate) -> str:
    return (
        "-" if rate.value is None else f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f}, n = {rate.n})"
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of the public sets.")
@click.option(
    "--half", "which", type=click.Choice(["tune", "report", "all"]), default="tune", show_default=True
)
@click.option(
    "--set", "sets", multiple=True, type=click.Choice(list(SETS)), help="May be repeated; else all."
)
@click.option("--out", type=click.Path(path_type=Path), help="A JSON file for the figures.")
def main(data: Path, which: str, sets: tuple[str, ...], out: Path | None) -> None:
    """Measure the check on statements known to be true or false: 95 % intervals by bootstrap over statements."""
    chosen = None if which == "all" else Half(which)
    figures: dict[str, object] = {"half": which}
    for name in sets or tuple(SETS):
        file, adapter = SETS[name]
        items = list(adapter(data / file, chosen))
        if not items:
            raise EvalError(f"{data / file}: no row of this half")
        if name == "tamper":
            for group, rate in flagged(items).items():
                click.echo(f"{group:10s} flagged  {_shown(rate)}")
                figures[f"tamper, {group} flagged"] = [rate.value, rate.low, rate.high, rate.n]
            continue
        value, kept, caught = balanced(items)
        click.echo(f"{items[0].group:10s} balanced accuracy {value:.3f}")
        click.echo(f"{'':10s} supported kept {_shown(kept)}; others flagged {_shown(caught)}")
        figures[f"{items[0].group}, balanced accuracy"] = [value, kept.value, caught.value, len(items)]
    if any(s != "tamper" for s in (sets or SETS)):
        click.echo(f"published: {PUBLISHED}")
    if out is not None:
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(status_of(main, "python -m eval.checks", says="eval.checks"))
