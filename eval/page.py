"""The report as one HTML file: measures, plots, the difference to the accepted run, and every question, worst first.

Nothing is loaded from anywhere. Articles and answers are hostile: the template escapes all that it is given, and the
file's own policy forbids requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.baseline import Difference
from eval.cases import Case
from eval.plots import plots
from eval.report import Judged, by_kind, measures, number, row, worst_first
from rag.schema import Answer, Evidence, Statement
from rag.text.words import plain

TEMPLATE = "page.html.jinja"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence; `gold` where it is part of a gold quotation."""

    text: str
    gold: bool


def pieces(case: Case, item: Evidence) -> list[Piece]:
    """A sentence of evidence cut where a gold quotation of its article begins or ends."""
    body = item.article.body
    marked = [False] * (item.end - item.start)
    for gold in case.gold:
        at = body.find(gold.quote) if gold.article == item.article.path else -1
        while at >= 0:
            for i in range(max(at, item.start), min(at + len(gold.quote), item.end)):
                marked[i - item.start] = True
            at = body.find(gold.quote, at + 1)
    found: list[Piece] = []
    for letter, gold_here in zip(body[item.start : item.end], marked, strict=True):
        if found and found[-1].gold == gold_here:
            found[-1] = Piece(found[-1].text + letter, gold_here)
        else:
            found.append(Piece(letter, gold_here))
    return found


def verdict(statement: Statement) -> str:
    """What the check said of a statement, in words."""
    found = statement.verdict
    if found is None:
        return ""
    why = f"{found.reason.value}: {found.detail}" if found.reason else ""
    return "; ".join(filter(None, (why, *found.derivation)))


def outcome(item: Judged) -> str:
    """One word for a question's row: how it ended."""
    if item.judgement.correct:
        return "correct"
    if item.judgement.failed:
        return "failed"
    if item.judgement.wrong_asserted:
        return "wrong value"
    return "refused" if item.judgement.refused else "not correct"


def wanted(case: Case) -> str:
    """What a case wants, in words."""
    if not case.answerable:
        return "a refusal"
    return (" and " if case.needs_all else " or ").join(" / ".join(forms) for forms in case.answers)


def _times(answer: Answer) -> str:
    timings = answer.timings
    named = (
        ("sources", timings.sources_s),
        ("first word", timings.first_word_s),
        ("first checked statement", timings.first_verified_s),
        ("end", timings.total_s),
    )
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in named if seconds is not None)


def render(template: str, **values: object) -> str:
    """A template of this folder, every value escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def to_html(title: str, about: Sequence[str], items: Sequence[Judged], difference: Difference | None) -> str:
    """The whole page. `difference`: None where no run was accepted."""
    from markupsafe import Markup

    wrong = worst_first(items)
    right = sorted((i for i in items if i.judgement.correct), key=lambda i: i.result.case.id)
    return render(
        TEMPLATE,
        title=title,
        about=about,
        measures=[row(m) for m in measures(items)],
        kinds=[row(m) for m in by_kind(items)],
        plots=[(name, Markup(svg)) for name, svg in plots(items)],
        difference=difference,
        number=number,
        items=[*wrong, *right],
        wrong=len(wrong),
        outcome=outcome,
        wanted=wanted,
        verdict=verdict,
        pieces=pieces,
        times=_times,
        plain=plain,
    )
