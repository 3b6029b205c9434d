"""The comparison as one HTML file: the table, the differences as a plot, and every question with what each system said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.compare.systems import SYSTEMS
from eval.compare.table import cells, heads
from eval.metrics import Rate
from eval.page import outcome, render, wanted
from eval.plots import differences
from eval.report import Judged, said

TEMPLATE = "compare/compare.html.jinja"


def to_html(
    about: Mapping[str, object], rows: Sequence[Mapping[str, Any]], judged: Mapping[str, Sequence[Judged]]
) -> str:
    """The whole page: `rows` as `eval.compare.table.to_row` makes them, `judged` by the system's name."""
    from markupsafe import Markup

    by_question: dict[str, list[tuple[str, Judged]]] = {}
    for name, items in judged.items():
        for item in items:
            by_question.setdefault(item.result.case.id, []).append((SYSTEMS[name].label, item))
    beside = [(r["label"], Rate(**r["difference"])) for r in rows if r["difference"]]
    return render(
        TEMPLATE,
        title="Citewire beside others, and beside itself with parts left out",
        about=[f"{name}: {value}" for name, value in about.items()],
        heads=heads(),
        rows=[cells(r) for r in rows],
        plot=Markup(differences(beside)) if beside else "",
        questions=[(answers[0][1].result.case, answers) for answers in by_question.values()],
        outcome=outcome,
        said=said,
        wanted=wanted,
    )
