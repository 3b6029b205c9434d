"""The comparison as figures: one row a system, each with the difference to this program on the same questions; as JSON, as
Markdown, and as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eval.compare.systems import SYSTEMS, System
from eval.metrics import Rate, mean
from eval.report import Judged, Measure, measures

SCHEMA = "citewire.comparison/1"
COLUMNS: Mapping[str, str] = {
    "accuracy": "answered rightly, of the answerable",
    "unanswerable refused": "refused, of the unanswerable",
    "false refusals": "refused, of the answerable",
    "citation precision": "citations that are right",
    "unsupported statements": "statements with a literal that nothing cited states",
    "time to end, p50": "seconds, median",
}
"""Measure -> head of its column. A literal is a number, date or name."""
DIFFERENCE = "right or rightly refused, less the share of the first line"


@dataclass(frozen=True, slots=True)
class Row:
    """A system, its measures by name, and by how much the share of all questions that it gets right (answered rightly, or
    refused where nothing answers) differs from that of the first system, over the questions that both were asked."""

    system: System
    measures: Mapping[str, Measure]
    difference: Rate | None


def rows_of(judged: Mapping[str, Sequence[Judged]]) -> list[Row]:
    """A row for each system (name -> its questions), in the order of `SYSTEMS`."""
    first = next((name for name in SYSTEMS if judged.get(name)), "")
    base = {i.result.case.id: i.judgement.correct for i in judged.get(first, ())}
    rows = []
    for name, system in SYSTEMS.items():
        items = judged.get(name)
        if not items:
            continue
        pairs = [
            float(i.judgement.correct) - float(base[i.result.case.id])
            for i in items
            if i.result.case.id in base
        ]
        found = {m.name: m for m in measures(items) if m.unit != "s" or system.is_timed}
        rows.append(Row(system, found, mean(pairs) if pairs and name != first else None))
    return rows


def to_row(row: Row) -> dict[str, Any]:
    """A row for machines."""
    return {
        "system": row.system.name,
        "label": row.system.label,
        "measures": {name: asdict(m.rate) for name, m in row.measures.items()},
        "difference": asdict(row.difference) if row.difference else None,
    }


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of `to_row` as texts: the label, the measures, the difference."""
    made = [row["label"]]
    for name in COLUMNS:
        rate = row["measures"].get(name)
        made.append(rate_text(rate, 1 if name.startswith("time") else 2))
    difference = row["difference"]
    made.append(rate_text(difference, signed=True) if difference else "")
    return made


def rate_text(rate: Mapping[str, Any] | None, places: int = 2, *, signed: bool = False) -> str:
    """A rate of `to_row` as "value (low to high; n)", a dash where there is none."""
    if rate is None or rate["value"] is None:
        return "–"

    def number(value: float) -> str:
        text = f"{value:+.{places}f}" if signed else f"{value:.{places}f}"
        return text.replace("-", "−")

    return f"{number(rate['value'])} ({number(rate['low'])} to {number(rate['high'])}; {rate['n']})"


def heads() -> list[str]:
    """The heads of the columns."""
    return ["", *COLUMNS.values(), DIFFERENCE]


def to_markdown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a Markdown table of rows of `to_row`."""
    return [
        "| " + " | ".join(heads()) + " |",
        "|---" * len(heads()) + "|",
        *("| " + " | ".join(cells(r)) + " |" for r in rows),
    ]
