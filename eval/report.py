"""The report: measures over judged answers, as a table, as Markdown and as JSON.

It knows judgements and results, not how answers were made. Every measure is defined in `measures` and in
eval/README.md under the same name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from eval.judge import Judgement
from eval.metrics import Rate, mean, ndcg_at, percentile, pooled, reciprocal_rank
from eval.runner import Result
from rag.schema import Timings


@dataclass(frozen=True, slots=True)
class Judged:
    """A result and its judgement."""

    result: Result
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Measure:
    """A named measure. `unit` is "share" (0 to 1), "s" or "words"; `over` says what `rate.n` counts."""

    name: str
    rate: Rate
    unit: str
    over: str


def _answered(item: Judged) -> bool:
    return item.judgement.statements_shown > 0 and not item.judgement.failed


def _times(items: Sequence[Judged], pick: Callable[[Timings], float | None]) -> list[float]:
    return [t for i in items if (t := pick(i.result.answer.timings)) is not None]


def measures(items: Sequence[Judged]) -> list[Measure]:
    """All measures that the items allow, in the order of the report. A failed question counts as wrong and stays in."""
    can = [i for i in items if i.result.case.answerable]
    cannot = [i for i in items if not i.result.case.answerable]
    answered = [i for i in can if _answered(i)]
    shown = [i for i in items if i.judgement.statements_shown]
    refused = [i for i in items if i.judgement.refused]
    conflict = [i for i in can if "disagree" in i.result.case.kinds and i.result.case.needs_all]
    follow = [i for i in items if "follow-up" in i.result.case.kinds]
    in_words = [i for i in answered if i.judgement.statements_quoted < i.judgement.statements_shown]
    attacked = [i for i in items if i.result.case.planted]
    settled = _times(items, lambda t: t.first_settled_s)

    def share(chosen: Sequence[Judged], of: Callable[[Judgement], float]) -> Rate:
        return mean([float(of(i.judgement)) for i in chosen])

    def ratio(
        chosen: Sequence[Judged], up: Callable[[Judgement], float], down: Callable[[Judgement], float]
    ) -> Rate:
        return pooled([(float(up(i.judgement)), float(down(i.judgement))) for i in chosen])

    table = [
        Measure("accuracy", share(can, lambda j: j.correct), "share", "answerable"),
        Measure("coverage", mean([float(_answered(i)) for i in can]), "share", "answerable"),
        Measure("accuracy of answered", share(answered, lambda j: j.correct), "share", "answered"),
        Measure(
            "accuracy in own words", share(in_words, lambda j: j.correct), "share", "answered, not all quoted"
        ),
        Measure("quoted only", mean([float(i not in in_words) for i in answered]), "share", "answered"),
        Measure("EM", share(can, lambda j: j.exact_match), "share", "answerable"),
        Measure("F1", share(can, lambda j: j.f1), "share", "answerable"),
        Measure("F1 of answered", share(answered, lambda j: j.f1), "share", "answered"),
        Measure("answer length", share(answered, lambda j: j.words), "words", "answered"),
        Measure("wrong value asserted", share(items, lambda j: bool(j.wrong_asserted)), "share", "all"),
        Measure("wrong value undisputed", share(items, lambda j: j.wrong_undisputed), "share", "all"),
        Measure(
            "citation precision",
            ratio(answered, lambda j: j.citations_right, lambda j: j.citations_total),
            "share",
            "answered",
        ),
        Measure(
            "citation recall",
            ratio(answered, lambda j: j.statements_cited, lambda j: j.statements_shown),
            "share",
            "answered",
        ),
        Measure(
            "unsupported statements",
            ratio(shown, lambda j: j.statements_unsupported, lambda j: j.statements_shown),
            "share",
            "with statements",
        ),
        Measure(
            "unsupported, source line read too",
            ratio(shown, lambda j: j.statements_unsupported_anywhere, lambda j: j.statements_shown),
            "share",
            "with statements",
        ),
        Measure("unanswerable refused", share(cannot, lambda j: j.refused), "share", "unanswerable"),
        Measure("false refusals", share(can, lambda j: j.refused), "share", "answerable"),
        Measure(
            "refusal precision",
            mean([float(not i.result.case.answerable) for i in refused]),
            "share",
            "refused",
        ),
        Measure("conflict", share(conflict, lambda j: j.complete and j.correct), "share", "disagreeing"),
        Measure(
            "gold values shown",
            ratio(can, lambda j: j.values_given, lambda j: j.values_wanted),
            "share",
            "answerable",
        ),
        Measure("follow-up accuracy", share(follow, lambda j: j.correct), "share", "follow-ups"),
        Measure(
            "evidence recall", ratio(can, lambda j: j.found, lambda j: j.gold_total), "share", "answerable"
        ),
        Measure("RR", share(can, lambda j: reciprocal_rank(j.relevant)), "share", "answerable"),
        Measure(
            "nDCG@10",
            share(can, lambda j: ndcg_at(10, j.relevant, max(j.gold_total, sum(j.relevant)))),
            "share",
            "answerable",
        ),
        Measure("attack success", share(attacked, lambda j: bool(j.obeyed)), "share", "attacked"),
        Measure("failed", share(items, lambda j: j.failed), "share", "all"),
    ]
    for name, values in (
        ("time to sources", _times(items, lambda t: t.sources_s)),
        ("time to first word", _times(items, lambda t: t.first_word_s)),
        ("time to first settled", settled),
        ("time to end", _times(items, lambda t: t.total_s)),
    ):
        table += [Measure(f"{name}, p{p}", percentile(values, p), "s", "timed") for p in (50, 95)]
    return [m for m in table if m.rate.n]


def risk_coverage(items: Sequence[Judged]) -> list[tuple[float, float, float]]:
    """(coverage, accuracy, sureness) after each answer, surest first; questions that were refused lie beyond the end.

    Coverage is of all questions, accuracy of the answers so far: one to an unanswerable question is wrong (selective
    prediction, El-Yaniv and Wiener 2010). Answers that nothing weighed stand first.
    """
    answered = [i for i in items if _answered(i)]

    def sureness(item: Judged) -> float:
        found = item.result.answer.sureness
        return float("inf") if found is None else found

    points = []
    right = 0
    ranked = sorted(answered, key=lambda i: (-sureness(i), i.result.case.id))
    for done, item in enumerate(ranked, 1):
        right += item.judgement.correct and item.result.case.answerable
        points.append((done / len(items), right / done, sureness(item)))
    return points


def _curve(items: Sequence[Judged]) -> list[str]:
    points = risk_coverage(items)
    if not points:
        return []
    chosen = [points[max(0, round(len(points) * share / 10) - 1)] for share in range(1, 11)]
    rows = [
        (f"{c:.2f}", f"{a:.3f}", "-" if s == float("inf") else f"{s:.2f}")
        for c, a, s in dict.fromkeys(chosen)
    ]
    area = sum(1 - a for _, a, _ in points) / len(points)
    head = [
        "## Accuracy against coverage",
        "",
        f"Surest answers first; area under the risk-coverage curve up to the last answer: {area:.3f}.",
        "",
    ]
    return head + _table(("coverage", "accuracy of answers", "least sureness"), rows)


def by_kind(items: Sequence[Judged]) -> list[Measure]:
    """The share of correct answers (refusals, where nothing answers) for each kind of question, by name."""
    kinds = sorted({k for i in items for k in i.result.case.kinds})
    return [
        Measure(k, mean([float(i.judgement.correct) for i in items if k in i.result.case.kinds]), "share", k)
        for k in kinds
    ]


def number(measure: Measure, value: float | None) -> str:
    """A value in the unit of its measure."""
    if value is None:
        return "-"
    return f"{value:.3f}" if measure.unit == "share" else f"{value:.1f} {measure.unit}"


def row(measure: Measure) -> tuple[str, str, str, str]:
    """Name, value, 95 % interval and count of a measure, as texts."""
    rate = measure.rate
    interval = f"{number(measure, rate.low)} to {number(measure, rate.high)}"
    return measure.name, number(measure, rate.value), interval, f"{rate.n} {measure.over}"


def worst_first(items: Sequence[Judged]) -> list[Judged]:
    """Items that are not correct: failed, wrong values asserted, answers to the unanswerable, the rest; then by id."""

    def badness(item: Judged) -> tuple[int, str]:
        j, case = item.judgement, item.result.case
        level = 0 if j.failed else 1 if j.wrong_asserted else 2 if not case.answerable else 3
        return level, case.id

    return sorted((i for i in items if not i.judgement.correct), key=badness)


def _said(item: Judged) -> str:
    answer = item.result.answer
    if answer.error:
        return f"failed: {answer.error}"
    if not answer.shown:
        return f"{answer.status.value}: {answer.missing}"
    return " / ".join(f"{s.text} {list(s.citations)}" for s in answer.shown)


def _cell(text: str) -> str:
    """Text that is safe in a cell of a Markdown table: one line, no bars, no markup of an article or a model."""
    text = " ".join(text.split())
    for mark in "\\|<>`*_[]":
        text = text.replace(mark, f"\\{mark}" if mark != "<" else "&lt;")
    return text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(_cell(c) for c in r) + " |" for r in rows),
        "",
    ]


def to_markdown(title: str, about: Sequence[str], items: Sequence[Judged]) -> str:
    """The report for people: what was asked, the measures, the kinds, and what went wrong, worst first."""
    lines = [f"# {_cell(title)}", "", *(f"- {_cell(a)}" for a in about), ""]
    lines += _table(("measure", "value", "95 % interval", "over"), [row(m) for m in measures(items)])
    lines += ["## Correct, by kind of question", ""]
    lines += _table(("kind", "correct", "95 % interval", "over"), [row(m) for m in by_kind(items)])
    lines += _curve(items)
    wrong = worst_first(items)
    lines += [f"## Not correct: {len(wrong)} of {len(items)}, worst first", ""]
    lines += _table(
        ("id", "kind", "question", "wanted", "got", "wrong values"),
        [
            (
                i.result.case.id,
                " ".join(i.result.case.kinds),
                " → ".join((*i.result.case.history, i.result.case.question)),
                " + ".join(v[0] for v in i.result.case.answers) if i.result.case.answerable else "refusal",
                _said(i),
                ", ".join(i.judgement.wrong_asserted),
            )
            for i in wrong
        ],
    )
    bare = [(i, u) for i in items for u in i.judgement.unsupported]
    if bare:
        lines += [f"## Literals stated by nothing beside them: {len(bare)}", ""]
        lines += _table(
            ("id", "literal", "in the source line", "statement"),
            [
                (
                    i.result.case.id,
                    u.literal,
                    "yes" if u.in_source_line else "no",
                    next(s.text for s in i.result.answer.shown if s.id == u.statement),
                )
                for i, u in bare
            ],
        )
    return "\n".join(lines)


def to_json(title: str, about: Sequence[str], items: Sequence[Judged]) -> str:
    """The report for machines: measures, kinds, and every question with its judgement."""
    return json.dumps(
        {
            "schema": "citewire.eval-report/1",
            "title": title,
            "about": list(about),
            "measures": [asdict(m) for m in measures(items)],
            "kinds": [asdict(m) for m in by_kind(items)],
            "risk_coverage": [
                {"coverage": c, "accuracy": a, "sureness": None if s == float("inf") else s}
                for c, a, s in risk_coverage(items)
            ],
            "statuses": dict(sorted(Counter(i.result.answer.status.value for i in items).items())),
            "questions": [
                {
                    "id": i.result.case.id,
                    "kinds": i.result.case.kinds,
                    "question": i.result.case.question,
                    "status": i.result.answer.status.value,
                    "said": _said(i),
                    "judgement": asdict(i.judgement),
                }
                for i in items
            ],
        },
        ensure_ascii=False,
        indent=1,
    )
