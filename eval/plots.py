"""Plots of a run as SVG, to stand inside the HTML report. It knows measures and judged answers, and matplotlib."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

from eval.metrics import Rate
from eval.report import LEVELS, Judged, Measure, by_kind, risk_coverage

RANKS = 10  # evidence is at most ten sentences, but for questions that join several sources


def svg(draw: Callable[[Any], None], width: float = 5.2, height: float = 3.2) -> str:
    """The drawing as an <svg> element: no prolog, no date, letters as text."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": "citewire",
        "font.size": 9,
        "font.family": "sans-serif",
    }
    with pyplot.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(width, height))
        draw(axes)
        figure.tight_layout()
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    text = file.getvalue()
    return re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)


def _kinds(axes: Any, kinds: Sequence[Measure]) -> None:
    known = [
        (k.name, k.rate.n, k.rate.value, k.rate.low, k.rate.high)
        for k in kinds
        if k.rate.value is not None and k.rate.low is not None and k.rate.high is not None
    ]
    values = [value for _, _, value, _, _ in known]
    low = [max(0.0, value - low) for _, _, value, low, _ in known]
    high = [max(0.0, high - value) for _, _, value, _, high in known]
    places = range(len(known))
    axes.barh(places, values, xerr=[low, high], color="#7aa6d8", ecolor="#444", capsize=2)
    axes.set_yticks(places, [f"{name} ({n})" for name, n, *_ in known])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="correct, with 95 % interval")


def _times(axes: Any, items: Sequence[Judged]) -> None:
    timings = [i.result.answer.timings for i in items]
    for label, seconds in (
        ("sources shown", [t.sources_s for t in timings]),
        ("first checked statement", [t.first_verified_s for t in timings]),
        ("end", [t.total_s for t in timings]),
    ):
        known = sorted(s for s in seconds if s is not None)
        if known:
            axes.step(known, [n / len(known) for n in range(1, len(known) + 1)], where="post", label=label)
    axes.set(xlabel="seconds", ylabel="share of questions", xlim=(0, None), ylim=(0, 1.02))
    axes.legend(loc="lower right")


def _evidence(axes: Any, items: Sequence[Judged]) -> None:
    ks = range(1, RANKS + 1)
    for level, pick in LEVELS.items():
        lists = [r for i in items if i.result.case.gold and (r := pick(i.judgement)) is not None]
        gold = sum(len(r.ranks) for r in lists)
        if gold:
            axes.plot(ks, [sum(r.found(k) for r in lists) / gold for k in ks], marker="o", label=level)
    if axes.lines:
        axes.legend(loc="lower right")
    axes.set(
        xlabel="first k",
        ylabel="share of gold quotations in them (R@k)",
        ylim=(0, 1.02),
        xticks=ks,
    )


def differences(rows: Sequence[tuple[str, Rate]]) -> str:
    """The rates, each the difference to one thing, with their intervals, as an SVG."""

    def draw(axes: Any) -> None:
        places = range(len(rows))
        for place, (_, rate) in zip(places, rows, strict=True):
            axes.plot([rate.low, rate.high], [place, place], color="#444", linewidth=1.2)
            axes.plot([rate.value], [place], marker="o", color="#7aa6d8")
        axes.axvline(0, color="#a4001d", linewidth=0.8)
        axes.set_yticks(places, [f"{label} ({rate.n})" for label, rate in rows])
        axes.invert_yaxis()
        axes.set(xlabel="share of questions got right, less that of Citewire; 95 % interval")

    return svg(draw, width=7.5, height=0.9 + 0.24 * max(1, len(rows)))


def plots(items: Sequence[Judged]) -> list[tuple[str, str]]:
    """(title, SVG) of each plot that the answers allow."""
    made = []
    curve = risk_coverage(items)
    if curve:

        def risk(axes: Any) -> None:
            axes.plot([c for c, _, _ in curve], [a for _, a, _ in curve])
            axes.set(xlabel="share of questions answered, surest first", ylabel="share of those right")
            axes.set(xlim=(0, 1), ylim=(0, 1.02))

        made.append(("Accuracy against coverage", svg(risk)))
    kinds = by_kind(items)
    if kinds:
        made.append(("Correct, by kind", svg(lambda a: _kinds(a, kinds), height=0.9 + 0.24 * len(kinds))))
    if any(i.result.answer.timings.total_s is not None for i in items):
        made.append(("Time", svg(lambda a: _times(a, items))))
    if any(i.result.case.answerable for i in items):
        made.append(("Retrieval", svg(lambda a: _evidence(a, items))))
    return made
