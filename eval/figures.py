"""The command `python -m eval.figures`: all figures of README and docs, in one go.

It runs the comparison and the outside sets on their report halves by their own commands, which take up what an interruption
left, and writes `figures.json`, the small table of the README and the tables of `docs/benchmarks.md`. It measures nothing
itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from eval.cases import EvalError
from eval.compare.table import rate_text, to_markdown
from eval.console import status_of

FIGURES = Path(__file__).parent / "figures.json"
README = Path(__file__).parent.parent / "README.md"
BENCHMARKS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
SCHEMA = "citewire.figures/1"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
ALL = 10_000  # more questions than there are
OUTSIDE: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "squad2": (60, ("accuracy", "accuracy of answered", "unanswerable refused", "false refusals")),
    "multihop": (30, ("accuracy", "accuracy of answered", "unanswerable refused")),
    "ramdocs": (8, ("accuracy", "gold values shown", "wrong value undisputed")),
    "poisonedrag": (16, ("wrong value undisputed", "gold values shown")),
    "bipia": (24, ("attack success", "accuracy")),
    "garak": (16, ("attack success",)),
}
"""Outside set -> how many questions, evenly taken, and the measures that are told of it."""
MORE: Mapping[str, int] = {
    "accuracy of answered": 2,
    "accuracy in own words": 2,
    "number and date exactness": 2,
    "wrong value undisputed": 2,
    "citation recall": 2,
    "conflict": 2,
    "follow-up accuracy": 2,
    "F1 of answered": 2,
    "R@5, chunks": 2,
    "nDCG@10, chunks": 2,
    "RR, sentences": 2,
    "time to sources, p50": 1,
    "time to first settled, p50": 1,
    "time to end, p95": 1,
    "tokens of the prompt": 0,
    "tokens written": 0,
    "peak memory": 1,
}
"""More measures of this program alone, and how many places are told."""
TRUST: Mapping[str, str] = {
    "accuracy": "right answers, own set",
    "unanswerable refused": "refused of what cannot be answered",
    "citation precision": "citations right",
}
"""What the README tells, in its words."""
BESIDE: Mapping[str, str] = {
    "citewire": "Citewire",
    "quotes": "Citewire without a language model",
    "plain-rag": "plain RAG, same model",
}
"""The systems that the README tells it of."""
NAMES: Mapping[str, str] = {
    "squad2": "SQuAD 2.0",
    "multihop": "MultiHop-RAG",
    "ramdocs": "RAMDocs",
    "poisonedrag": "PoisonedRAG",
    "bipia": "BIPIA",
    "garak": "garak, latent injection",
}


def _run(*arguments: str) -> None:
    """A command of this program. Raises `EvalError` when it did not end well."""
    done = subprocess.run([sys.executable, "-m", *arguments], check=False)
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode:
        raise EvalError(f"python -m {' '.join(arguments)} ended with status {done.returncode}")


def _outside(name: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of an outside set, from its report.json."""
    measures = {m["name"]: m["rate"] for m in report["measures"] if m["name"] in OUTSIDE[name][1]}
    published = next((a.partition(": ")[2] for a in report["about"] if a.startswith("published")), "")
    return {
        "set": name,
        "questions": len(report["questions"]),
        "measures": measures,
        "published": published,
    }


def _more(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a table of more measures, of this program with and without a model."""
    ours = [r for r in rows if r["system"] in ("citewire", "quotes")]
    units = {"time": " (s)", "toke": "", "peak": " (GB)"}
    return [
        "",
        f"| more, as [eval/README.md](../eval/README.md) defines it | {' | '.join(r['label'] for r in ours)} |",
        "|---" * (len(ours) + 1) + "|",
        *(
            f"| {name}{units.get(name[:4], '')} | {' | '.join(rate_text(r['measures'].get(name), places) for r in ours)} |"
            for name, places in MORE.items()
        ),
    ]


def to_summary(figures: Mapping[str, Any]) -> str:
    """The block of the README, without its marks."""
    about = figures["about"]
    told = {r["system"]: r["measures"] for r in figures["rows"] if r["system"] in BESIDE}
    lines = [
        f"| | {' | '.join(BESIDE[name] for name in told)} |",
        "|---" * (len(told) + 1) + "|",
        *(
            f"| {label} | {' | '.join(rate_text(m.get(name)) for m in told.values())} |"
            for name, label in TRUST.items()
        ),
        "",
        "A share of 1 is all. In brackets stand the 95 % interval and the number of questions. They are the half of the own set"
        f" that nobody looked at while the program was built. {about['machine']}; {about['date']}; `make figures DATA=…`.",
    ]
    return "\n".join(lines)


def to_block(figures: Mapping[str, Any]) -> str:
    """The block of `docs/benchmarks.md`, without its marks."""
    about = figures["about"]
    lines = to_markdown(figures["rows"])
    lines += [
        "",
        "In brackets the 95 % interval and the number of questions, of the report half of the own set: nobody looked at it"
        " while the program was built. All systems have the same model file, embedding, articles and machine. "
        f"Model: {about['model']}. {about['machine']}; {about['date']}; `make figures DATA=…`.",
    ]
    lines += _more(figures["rows"])
    if figures["outside"]:
        lines += [
            "",
            "| public sets, report halves | questions | Citewire | published by others |",
            "|---|---|---|---|",
        ]
        for row in figures["outside"]:
            told = "; ".join(f"{name} {rate_text(rate)}" for name, rate in row["measures"].items())
            lines.append(f"| {NAMES[row['set']]} | {row['questions']} | {told} | {row['published'] or '–'} |")
    return "\n".join(lines)


def with_block(text: str, block: str) -> str:
    """The text with the block between its marks. Raises `EvalError` where they are missing."""
    before, found, rest = text.partition(BEGIN + "\n")
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise EvalError(f"README.md or docs/benchmarks.md: the marks {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--python", default="", help="The Python of the frameworks' environment; without it they stay out."
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the outside sets.")
@click.option(
    "--limit", type=click.IntRange(min=2), default=ALL, help="Questions of the own set (default: all)."
)
@click.option("--frameworks-limit", type=click.IntRange(min=2), default=24, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("eval/runs/figures"), show_default=True)
@click.option("--render", is_flag=True, help="Only write the tables anew from figures.json.")
def main(python: str, data: Path | None, limit: int, frameworks_limit: int, out: Path, render: bool) -> None:
    """Measure all that README and docs tell (an hour and more), keep it in eval/figures.json, and write their tables."""
    if not render:
        FIGURES.write_text(
            json.dumps(_measured(python, data, limit, frameworks_limit, out), indent=1) + "\n",
            encoding="utf-8",
        )
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    for page, block in ((README, to_summary(figures)), (BENCHMARKS, to_block(figures))):
        page.write_text(with_block(page.read_text(encoding="utf-8"), block), encoding="utf-8")
    click.echo(f"{FIGURES.name}, {README.name} and docs/{BENCHMARKS.name} are written")


def _measured(python: str, data: Path | None, limit: int, frameworks_limit: int, out: Path) -> dict[str, Any]:
    beside = ["--half", "report", "--limit", str(limit), "--frameworks-limit", str(frameworks_limit)]
    _run("eval.compare", *beside, "--out", str(out / "compare"), *(["--python", python] if python else []))
    compared = json.loads((out / "compare" / "compare.json").read_text(encoding="utf-8"))
    outside: Sequence[dict[str, Any]] = []
    if data is not None:
        outside = [_of_set(name, data, out / name) for name in OUTSIDE]
    return {"schema": SCHEMA, "about": compared["about"], "rows": compared["rows"], "outside": outside}


def _of_set(name: str, data: Path, out: Path) -> dict[str, Any]:
    questions = str(OUTSIDE[name][0])
    _run(
        "eval",
        "--half",
        "report",
        "--set",
        name,
        "--data",
        str(data),
        "--limit",
        questions,
        "--out",
        str(out),
    )
    return _outside(name, json.loads((out / "report.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(
        status_of(
            main, "python -m eval.figures", says="eval.figures", stopped="stopped; the same command goes on"
        )
    )
