"""The tab of quality: the latest report of the evaluation suite.

It reads the report's file, which is `citewire.eval-report/1` as `rag eval` writes it (eval/README.md), and knows nothing of
the suite.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.ui.rendering import render
from rag.ui.widgets import QUICK, html

SCHEMA = "citewire.eval-report/1"
MAX_BYTES = 50 * 2**20
# The measures to show, in this order: the name in the report, and the words for it.
MAIN = {
    "accuracy": "Right answers",
    "accuracy of answered": "Right answers, of those that were given",
    "citation precision": "Citations that are right",
    "citation recall": "Sentences with a right citation",
    "unsupported statements": "Sentences that say more than their sources",
    "unanswerable refused": "Unanswerable questions that were declined",
    "false refusals": "Answerable questions that were declined",
    "follow-up accuracy": "Right answers to follow-ups",
    "time to first settled, p50": "Typical time to the first checked sentence",
    "time to end, p50": "Typical time to the whole answer",
}
MOST = 10  # wrong answers shown
RUNS = Path("eval") / "runs"  # where the evaluation suite writes its reports


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure with its 95 % interval and its number of questions. `unit` is "share" or "s"."""

    name: str
    value: float
    low: float
    high: float
    n: int
    unit: str


@dataclass(frozen=True, slots=True)
class Report:
    """The results of an evaluation run. `curve` has (share answered, share right of those), most confident answers first;
    `wrong` has (question, answer) for the first wrong answers."""

    about: tuple[str, ...]
    figures: tuple[Figure, ...]
    kinds: tuple[Figure, ...]
    curve: tuple[tuple[float, float], ...]
    wrong: tuple[tuple[str, str], ...]


def _figure(row: dict[str, Any]) -> Figure:
    rate = row["rate"]
    value, low, high = (float(rate[k]) for k in ("value", "low", "high"))
    return Figure(str(row["name"]), value, low, high, int(rate["n"]), str(row["unit"]))


def _is_wrong(row: dict[str, Any]) -> bool:
    """Whether the answer was wrong, which is worse than a refusal."""
    judged = row["judgement"]
    return bool(judged["wrong_asserted"] or (not judged["correct"] and not judged["refused"]))


def read_report(file: Path) -> Report | None:
    """The report in `file`, None when it is not one that can be read."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return None
        found = json.loads(file.read_text("utf-8"))
        if found["schema"] != SCHEMA:
            return None
        measures = [_figure(row) for row in found["measures"] if row["rate"]["n"]]
        named = {f.name: f for f in measures}
        return Report(
            tuple(str(line) for line in found["about"]),
            tuple(named[name] for name in MAIN if name in named),
            tuple(_figure(row) for row in found["kinds"]),
            tuple((float(p["coverage"]), float(p["accuracy"])) for p in found["risk_coverage"]),
            tuple((str(q["question"]), str(q["said"])) for q in found["questions"] if _is_wrong(q))[:MOST],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def latest(runs: Path) -> Report | None:
    """The newest readable report of the folder of runs, None when there is none."""
    try:
        files = sorted(runs.glob("*/report.json"), key=lambda f: (-f.stat().st_mtime, str(f)))
    except OSError:
        return None
    return next((report for f in files if (report := read_report(f))), None)


class QualityTab:
    """Shows the latest report."""

    def place(self) -> None:
        """Make the tab here."""
        import gradio as gr

        with gr.Tab("Quality", id="quality") as tab:
            shown = html("quality")
        tab.select(lambda: quality_html(latest(RUNS)), None, [shown], **QUICK)


def quality_html(report: Report | None) -> str:
    """The measures of the latest report, or how to make a report where there is none."""
    return render("quality.html", report=report, names=MAIN)
