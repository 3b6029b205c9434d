"""The command `python -m eval.compare.figures`: all figures of README and docs, in one go.

It runs the comparison on the report halves of the own set and of the public sets, by its own command, which takes up what an
interruption left, and writes `figures.json`, the small table of the README and the tables of `docs/benchmarks.md`. It measures
nothing itself.
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
from eval.compare.systems import SYSTEMS
from eval.compare.table import rate_text, to_markdown
from eval.console import status_of

FIGURES = Path(__file__).parent.parent / "figures.json"
README = Path(__file__).parents[2] / "README.md"
BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks.md"
SCHEMA = "citewire.figures/1"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
ALL = 10_000  # more questions than there are
OUTSIDE: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "squad2": (40, ("accuracy", "accuracy of answered", "unanswerable refused", "false refusals")),
    "multihop": (24, ("accuracy", "accuracy of answered", "unanswerable refused")),
    "ramdocs": (12, ("accuracy", "gold values shown", "wrong value undisputed")),
    "poisonedrag": (16, ("wrong value undisputed", "gold values shown")),
    "bipia": (24, ("attack success", "accuracy")),
    "garak": (16, ("attack success",)),
}
"""Public set -> how many questions the systems with a model are asked, evenly taken, and the measures that are told of it."""
MOST_QUOTED = 200  # questions of each public set without a model, which is ten times as fast
MODELLED = ("citewire", "plain-rag")
LEFT_OUT: Mapping[str, str] = {
    "squad2": "SQuAD 2.0", "multihop": "MultiHop-RAG", "ramdocs": "RAMDocs",
}  # fmt: skip
"""Public sets on which stages are left out, without a model, so that nothing but the stage differs."""
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
README_MEASURES: Mapping[str, str] = {
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


def _outside(name: str, *compared: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a public set, from its comparisons."""
    told = OUTSIDE[name][1]
    systems = [
        {
            "system": row["system"],
            "label": row["label"],
            "measures": {m: r for m, r in row["measures"].items() if m in told},
            "difference": row["difference"],
        }
        for made in compared
        for row in made["rows"]
    ]
    return {"set": name, "systems": systems, "published": compared[0]["about"].get("published", "")}


def _public(outside: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a table of public sets: a line a measure, the systems beside each other."""
    names = ("quotes", *MODELLED)
    labels = {r["system"]: r["label"] for o in outside for r in o["systems"] if r["system"] in names}
    shown = [n for n in names if n in labels]
    lines = [
        "",
        f"| public sets, report halves | {' | '.join(labels[n] for n in shown)} | published by others |",
        "|---" * (len(shown) + 2) + "|",
    ]
    for one in outside:
        by_name = {r["system"]: r["measures"] for r in one["systems"]}
        for number, measure in enumerate(OUTSIDE[one["set"]][1]):
            cells = [rate_text(by_name.get(n, {}).get(measure)) for n in shown]
            published = one["published"] if number == 0 and one["published"] else "–"
            lines.append(f"| {NAMES[one['set']]}: {measure} | {' | '.join(cells)} | {published} |")
    return lines


def _left_out(outside: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a table of stages left out, without a model: how the share of right answers and right refusals changes."""
    told = {
        o["set"]: {r["label"].rpartition(", ")[2]: r["difference"] for r in o["systems"] if r["difference"] and r["system"].startswith("quotes-")}
        for o in outside
        if o["set"] in LEFT_OUT
    }  # fmt: skip
    told = {name: rows for name, rows in told.items() if rows}
    if not told:
        return []
    labels = list(dict.fromkeys(label for rows in told.values() for label in rows))
    return [
        "",
        f"| quotes only, right or rightly refused, less the share of the whole program | {' | '.join(LEFT_OUT[n] for n in told)} |",
        "|---" * (len(told) + 1) + "|",
        *(
            f"| {label} | {' | '.join(rate_text(rows.get(label), signed=True) for rows in told.values())} |"
            for label in labels
        ),
    ]


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
    dates = {r["system"]: f" ({r['date']})" for r in figures["rows"] if r.get("date")}
    lines = [
        f"| | {' | '.join(BESIDE[name] + dates.get(name, '') for name in told)} |",
        "|---" * (len(told) + 1) + "|",
        *(
            f"| {label} | {' | '.join(rate_text(m.get(name)) for m in told.values())} |"
            for name, label in README_MEASURES.items()
        ),
        "",
        "1.00 means all of them. In brackets: the 95 % interval and the number of questions, which are the half of the own set"
        f" that nobody looked at while the program was built. {about['machine']}; {about['date']}; `make figures DATA=…`.",
    ]
    return "\n".join(lines)


def to_block(figures: Mapping[str, Any]) -> str:
    """The block of `docs/benchmarks.md`, without its marks."""
    about = figures["about"]
    lines = to_markdown([_dated(r) for r in figures["rows"]])
    lines += [
        "",
        "In brackets the 95 % interval and the number of questions, of the report half of the own set: nobody looked at it"
        " while the program was built. All systems have the same model file, embedding, articles and machine. "
        f"Model: {about['model']}. {about['machine']}; {about['date']}; `make figures DATA=…`.",
    ]
    lines += _more(figures["rows"])
    if figures["outside"]:
        lines += [*_public(figures["outside"]), *_left_out(figures["outside"])]
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
@click.option("--system", "systems", multiple=True, help="Only this one of the comparison; may be repeated.")
@click.option(
    "--set",
    "public",
    multiple=True,
    type=click.Choice(list(OUTSIDE)),
    help="Only this public set; may be repeated.",
)
@click.option(
    "--quoted-limit",
    type=click.IntRange(min=2),
    default=MOST_QUOTED,
    show_default=True,
    help="Questions of each public set without a model, at most.",
)
@click.option(
    "--public-limit",
    type=click.IntRange(min=0),
    default=ALL,
    help="Questions of each public set for the systems with a model, at most; 0 leaves them out.",
)
@click.option("--render", is_flag=True, help="Only write the tables anew from figures.json.")
def main(
    python: str,
    data: Path | None,
    limit: int,
    frameworks_limit: int,
    out: Path,
    systems: tuple[str, ...],
    public: tuple[str, ...],
    quoted_limit: int,
    public_limit: int,
    render: bool,
) -> None:
    """Measure all that README and docs tell (an hour and more), keep it in eval/figures.json, and write their tables."""
    if not render:
        before = json.loads(FIGURES.read_text(encoding="utf-8"))
        made = _measured(
            python, data, limit, frameworks_limit, systems, public, (quoted_limit, public_limit), out
        )
        FIGURES.write_text(json.dumps(with_others(made, before), indent=1) + "\n", encoding="utf-8")
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    for page, block in ((README, to_summary(figures)), (BENCHMARKS, to_block(figures))):
        page.write_text(with_block(page.read_text(encoding="utf-8"), block), encoding="utf-8")
    click.echo(f"{FIGURES.name}, {README.name} and docs/{BENCHMARKS.name} are written")


def _measured(
    python: str,
    data: Path | None,
    limit: int,
    frameworks_limit: int,
    systems: Sequence[str],
    public: Sequence[str],
    limits: tuple[int, int],
    out: Path,
) -> dict[str, Any]:
    beside = ["--limit", str(limit), "--frameworks-limit", str(frameworks_limit)]
    compared = _compared(out / "compare", systems, *beside, *(["--python", python] if python else []))
    names = [] if data is None else [name for name in OUTSIDE if not public or name in public]
    outside = [_of_set(name, data, *limits, out) for name in names if data]
    return {"schema": SCHEMA, "about": compared["about"], "rows": compared["rows"], "outside": outside}


def with_others(figures: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The figures with the rows of other programs and plain ways that were not asked anew: they do not change with this
    program. Each says when it was measured, and is compared with nothing that was measured later."""
    asked = {r["system"] for r in figures["rows"]}
    others = [
        {**r, "difference": None, "date": r.get("date", before["about"]["date"])}
        for r in before["rows"]
        if r["system"] not in asked and r["system"] in SYSTEMS and SYSTEMS[r["system"]].is_free_text
    ]
    return {**figures, "rows": [*figures["rows"], *others]}


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "label": f"{row['label']} ({row['date']})"} if row.get("date") else dict(row)


def _compared(out: Path, systems: Sequence[str], *arguments: str) -> dict[str, Any]:
    named = [a for name in systems for a in ("--system", name)]
    _run("eval.compare", "--half", "report", *named, *arguments, "--out", str(out))
    made: dict[str, Any] = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    return made


def _of_set(name: str, data: Path, quoted_most: int, most: int, out: Path) -> dict[str, Any]:
    of_set = ["--set", name, "--data", str(data)]
    left_out = [s for s in SYSTEMS if s.startswith("quotes-")] if name in LEFT_OUT else []
    quoted = _compared(out / f"{name}-quotes", ["quotes", *left_out], *of_set, "--limit", str(quoted_most))
    compared = [quoted]
    if most := min(most, OUTSIDE[name][0]):
        compared.append(_compared(out / name, MODELLED, *of_set, "--limit", str(most)))
    return _outside(name, *compared)


if __name__ == "__main__":
    sys.exit(
        status_of(
            main,
            "python -m eval.compare.figures",
            says="eval.compare.figures",
            stopped="stopped; the same command goes on",
        )
    )
