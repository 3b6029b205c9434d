"""The command `python -m eval.compare`: this program, its parts left out one at a time, the plain ways to use the model and
other frameworks, all asked the same questions, one system after the other, on one machine.

The frameworks run in an environment of their own (`make compare` makes it), with the same model file, the same embedding
and the same articles. All are judged by the same gold.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eval.cases import QUESTIONS, Case, EvalError
from eval.console import status_of
from eval.outside import SETS, load_outside
from eval.reread import Known
from eval.split import OWN_SET, Half
from rag.cli.common import bars
from rag.config import load_settings

if TYPE_CHECKING:
    from eval.report import Judged

OUT = Path("eval") / "runs" / "compare"


def machine() -> str:
    """What the figures were measured on, in words."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--python", "python", default="", help="The Python of the frameworks' environment.")
@click.option("--system", "chosen", multiple=True, help="Only this one; may be repeated.")
@click.option(
    "--set",
    "set_name",
    type=click.Choice([OWN_SET, *SETS]),
    default=OWN_SET,
    show_default=True,
    help="The set.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the public sets.")
@click.option("--half", "which", type=click.Choice(["tune", "report"]), default="tune", show_default=True)
@click.option(
    "--limit", type=click.IntRange(min=2), default=12, show_default=True, help="Questions, evenly taken."
)
@click.option(
    "--frameworks-limit",
    type=click.IntRange(min=2),
    help="So many of them for the frameworks, which are slow.",
)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(
    python: str,
    chosen: tuple[str, ...],
    set_name: str,
    data: Path | None,
    which: str,
    limit: int,
    frameworks_limit: int | None,
    out: Path,
) -> None:
    """Ask all systems the same questions; report what each got right, cited and refused, how long it took, and how its
    share of right answers differs from that of the first, with intervals.

    Everything is recorded; the same command takes an interrupted run up again.
    """
    from eval.compare.freetext import with_refusal
    from eval.compare.systems import OURS, SYSTEMS, opened
    from eval.compare.table import rows_of, to_row
    from eval.opening import own_suite
    from eval.report import Judged
    from eval.runner import run, select
    from eval.trace import Call

    if set_name != OWN_SET and data is None:
        raise EvalError(f"--set {set_name} needs --data, the folder of the public sets")
    unknown = sorted(set(chosen) - set(SYSTEMS))
    if unknown:
        raise EvalError(f"unknown system {unknown[0]!r}; known are {', '.join(SYSTEMS)}")
    settings = load_settings()
    suite = load_outside(set_name, data) if data and set_name != OWN_SET else own_suite(settings, QUESTIONS)
    cases = select(suite, Half(which), limit=limit)
    few = select(suite, Half(which), limit=min(limit, frameworks_limit or limit))
    systems = [
        s
        for s in SYSTEMS.values()
        if (s.name in chosen if chosen else s.is_usual and (bool(python) or not s.script))
    ]
    memory: dict[str, Call] = {}
    known: dict[Known, object] = {}
    judged: dict[str, list[Judged]] = {}
    left = 0
    with bars() as shown:
        for system in systems:
            asked = [c for c in (few if system.script else cases) if system.remembers or not c.history]
            task = shown.add_task(system.label, total=len(asked))

            def report(done: int, total: int, case: Case, task: int = task) -> None:
                shown.update(task, completed=done)  # type: ignore[arg-type]

            with opened(system, suite, settings, out / "work", python, memory, known) as (opener, made_by):
                outcome = run(suite, asked, opener, made_by, out / system.name, report)
            shown.update(task, completed=len(outcome.results))
            results = [with_refusal(r) for r in outcome.results] if system.is_free_text else outcome.results
            judged[system.name] = [Judged.of(r) for r in results]
            left += outcome.left
            if system is OURS:
                memory = {c.key: c for r in outcome.results for c in r.trace.calls}
            if outcome.left:
                break
    rows = [to_row(r) for r in rows_of(judged)]
    about = {
        "set": set_name,
        "half": which,
        "questions": len(cases),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "model": Path(settings.model).stem,
        "published": suite.published,
    }
    _write(out, about, rows, judged)
    click.echo(f"compare.html, compare.md, compare.json and records: {out}/")
    if left:
        click.echo(f"stopped: {left} questions are left; the same command goes on with them", err=True)
        raise click.exceptions.Exit(130)


def _write(
    out: Path, about: dict[str, object], rows: list[dict[str, Any]], judged: dict[str, list[Judged]]
) -> None:
    """The comparison in its three forms, and its table on the screen."""
    from eval.compare.page import to_html
    from eval.compare.table import SCHEMA, to_markdown

    out.mkdir(parents=True, exist_ok=True)
    text = "\n".join(to_markdown(rows)) + "\n"
    (out / "compare.md").write_text(text, encoding="utf-8")
    (out / "compare.json").write_text(
        json.dumps({"schema": SCHEMA, "about": about, "rows": rows}, indent=1), encoding="utf-8"
    )
    (out / "compare.html").write_text(to_html(about, rows, judged), encoding="utf-8")
    click.echo(text)


if __name__ == "__main__":
    sys.exit(status_of(main, "python -m eval.compare", says="eval.compare"))
