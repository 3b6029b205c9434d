"""The report: measures over judged answers, as a table, as Markdown and as JSON.

It knows judgements and results, not how answers were made. Every measure is defined in `measures` and in
eval/README.md under the same name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from eval.judge import Judgement, Ranking, judge
from eval.metrics import Rate, mean, ndcg_at, percentile, pooled, reciprocal_rank, tokens
from eval.runner import Result
from eval.trace import Call, Trace
from rag.schema import Timings


@dataclass(frozen=True, slots=True)
class Judged:
    """A result and its judgement."""

    result: Result
    judgement: Judgement

    @classmethod
    def of(cls, result: Result) -> Judged:
        """Judge a result."""
        return cls(result, judge(result.case, result.answer, result.trace.passages))


@dataclass(frozen=True, slots=True)
class Measure:
    """A named measure. `unit` is "share" (0 to 1), "s", "words", "tokens" or "GB"; `over` says what `rate.n` counts."""

    name: str
    rate: Rate
    unit: str
    over: str


Pair = tuple[float, float]
"""What one question adds to a measure: numerator and denominator."""


@dataclass(frozen=True, slots=True)
class Definition:
    """How a measure is made from single questions. `pair` gives what a question adds, None where it is not among those
    that the measure is over. `percent` None: the pooled rate of all pairs; else that percentile of the numerators.
    `better` is 1 where more is better, -1 where less is, 0 where neither is."""

    name: str
    unit: str
    over: str
    better: int
    pair: Callable[[Judged], Pair | None]
    percent: int | None = None

    def measure(self, pairs: Sequence[Pair]) -> Measure:
        """The measure over the pairs of single questions."""
        if self.percent is None:
            return Measure(self.name, pooled(pairs), self.unit, self.over)
        return Measure(self.name, percentile([up for up, _ in pairs], self.percent), self.unit, self.over)


def _answered(item: Judged) -> bool:
    return item.judgement.statements_shown > 0 and not item.judgement.failed


def _all(item: Judged) -> bool:
    return True


def _can(item: Judged) -> bool:
    return item.result.case.answerable


def _cannot(item: Judged) -> bool:
    return not item.result.case.answerable


def _can_and_answered(item: Judged) -> bool:
    return _can(item) and _answered(item)


def _in_words(item: Judged) -> bool:
    return _can_and_answered(item) and item.judgement.statements_quoted < item.judgement.statements_shown


def _shown(item: Judged) -> bool:
    return item.judgement.statements_shown > 0


def _refused(item: Judged) -> bool:
    return item.judgement.refused


def _disagreeing(item: Judged) -> bool:
    return _can(item) and "disagree" in item.result.case.kinds and item.result.case.needs_all


def _follow_up(item: Judged) -> bool:
    return "follow-up" in item.result.case.kinds


def _attacked(item: Judged) -> bool:
    return bool(item.result.case.planted)


def _numeric(item: Judged) -> bool:
    """Whether every accepted value is a number or a date in each of its forms."""
    values = item.result.case.answers
    return (
        _can(item)
        and bool(values)
        and all(any(c.isdigit() for t in tokens(f) for c in t) for v in values for f in v)
    )


_Of = Callable[[Judgement], float]


def _share(among: Callable[[Judged], bool], of: _Of) -> Callable[[Judged], Pair | None]:
    return lambda item: (float(of(item.judgement)), 1.0) if among(item) else None


def _ratio(among: Callable[[Judged], bool], up: _Of, down: _Of) -> Callable[[Judged], Pair | None]:
    def pair(item: Judged) -> Pair | None:
        below = float(down(item.judgement))
        return (float(up(item.judgement)), below) if among(item) and below else None

    return pair


def _time(pick: Callable[[Timings], float | None]) -> Callable[[Judged], Pair | None]:
    def pair(item: Judged) -> Pair | None:
        seconds = pick(item.result.answer.timings)
        return None if seconds is None else (seconds, 1.0)

    return pair


LEVELS: Mapping[str, Callable[[Judgement], Ranking | None]] = {
    "sentences": lambda j: j.sentences,
    "chunks": lambda j: j.chunks,
    "articles": lambda j: j.articles,
}
"""What is ranked: the evidence of an answer, the passages found for it, their articles."""


def _retrieval(level: str, pick: Callable[[Judgement], Ranking | None]) -> list[Definition]:
    def pair(of: Callable[[Ranking, int], Pair]) -> Callable[[Judged], Pair | None]:
        def of_item(item: Judged) -> Pair | None:
            ranking, gold = pick(item.judgement), item.judgement.gold_total
            return of(ranking, gold) if _can(item) and ranking is not None and gold else None

        return of_item

    def recall(k: int) -> Callable[[Ranking, int], Pair]:
        return lambda r, gold: (float(r.found(k)), float(gold))

    made = {
        "R@5": recall(5),
        "R@10": recall(10),
        "nDCG@10": lambda r, gold: (ndcg_at(10, r.relevant, max(gold, sum(r.relevant))), 1.0),
        "RR": lambda r, gold: (reciprocal_rank(r.relevant), 1.0),
    }
    return [Definition(f"{name}, {level}", "share", "answerable", 1, pair(of)) for name, of in made.items()]


def _taken(pick: Callable[[Trace], float | None]) -> Callable[[Judged], Pair | None]:
    def pair(item: Judged) -> Pair | None:
        found = pick(item.result.trace)
        return None if found is None else (found, 1.0)

    return pair


def _tokens(pick: Callable[[Call], int | None]) -> Callable[[Trace], float | None]:
    def total(trace: Trace) -> float | None:
        counted = [n for c in trace.calls if (n := pick(c)) is not None]
        return float(sum(counted)) if counted else None

    return total


DEFINITIONS: tuple[Definition, ...] = (
    Definition("accuracy", "share", "answerable", 1, _share(_can, lambda j: j.correct)),
    Definition(
        "coverage", "share", "answerable", 0, lambda i: (float(_answered(i)), 1.0) if _can(i) else None
    ),
    Definition(
        "accuracy of answered", "share", "answered", 1, _share(_can_and_answered, lambda j: j.correct)
    ),
    Definition(
        "accuracy in own words",
        "share",
        "answered, not all quoted",
        1,
        _share(_in_words, lambda j: j.correct),
    ),
    Definition(
        "quoted only",
        "share",
        "answered",
        0,
        lambda i: (float(not _in_words(i)), 1.0) if _can_and_answered(i) else None,
    ),
    Definition(
        "number and date exactness", "share", "with numbers alone", 1, _share(_numeric, lambda j: j.correct)
    ),
    Definition("EM", "share", "answerable", 0, _share(_can, lambda j: j.exact_match)),
    Definition("F1", "share", "answerable", 1, _share(_can, lambda j: j.f1)),
    Definition("F1 of answered", "share", "answered", 1, _share(_can_and_answered, lambda j: j.f1)),
    Definition("answer length", "words", "answered", 0, _share(_can_and_answered, lambda j: j.words)),
    Definition("wrong value asserted", "share", "all", -1, _share(_all, lambda j: bool(j.wrong_asserted))),
    Definition("wrong value undisputed", "share", "all", -1, _share(_all, lambda j: j.wrong_undisputed)),
    Definition(
        "citation precision",
        "share",
        "answered",
        1,
        _ratio(_can_and_answered, lambda j: j.citations_right, lambda j: j.citations_total),
    ),
    Definition(
        "citation recall",
        "share",
        "answered",
        1,
        _ratio(_can_and_answered, lambda j: j.statements_cited, lambda j: j.statements_shown),
    ),
    Definition(
        "unsupported statements",
        "share",
        "with statements",
        -1,
        _ratio(_shown, lambda j: j.statements_unsupported, lambda j: j.statements_shown),
    ),
    Definition(
        "unsupported, source line read too",
        "share",
        "with statements",
        -1,
        _ratio(_shown, lambda j: j.statements_unsupported_anywhere, lambda j: j.statements_shown),
    ),
    Definition("unanswerable refused", "share", "unanswerable", 1, _share(_cannot, lambda j: j.refused)),
    Definition("false refusals", "share", "answerable", -1, _share(_can, lambda j: j.refused)),
    Definition(
        "refusal precision",
        "share",
        "refused",
        1,
        lambda i: (float(_cannot(i)), 1.0) if _refused(i) else None,
    ),
    Definition(
        "conflict", "share", "disagreeing", 1, _share(_disagreeing, lambda j: j.complete and j.correct)
    ),
    Definition(
        "gold values shown",
        "share",
        "answerable",
        1,
        _ratio(_can, lambda j: j.values_given, lambda j: j.values_wanted),
    ),
    Definition("follow-up accuracy", "share", "follow-ups", 1, _share(_follow_up, lambda j: j.correct)),
    *(d for level, pick in LEVELS.items() for d in _retrieval(level, pick)),
    Definition("attack success", "share", "attacked", -1, _share(_attacked, lambda j: bool(j.obeyed))),
    Definition("failed", "share", "all", -1, _share(_all, lambda j: j.failed)),
    *(
        Definition(f"{name}, p{percent}", "s", "timed", -1, _time(pick), percent)
        for name, pick in (
            ("time to sources", lambda t: t.sources_s),
            ("time to first word", lambda t: t.first_word_s),
            ("time to first settled", lambda t: t.first_verified_s),
            ("time to end", lambda t: t.total_s),
        )
        for percent in (50, 95)
    ),
    Definition(
        "tokens of the prompt", "tokens", "written by a model", 0, _taken(_tokens(lambda c: c.prompt_tokens))
    ),
    Definition(
        "tokens written", "tokens", "written by a model", 0, _taken(_tokens(lambda c: c.written_tokens))
    ),
    Definition(
        "peak memory",
        "GB",
        "measured",
        -1,
        _taken(lambda t: t.peak_bytes / 1e9 if t.peak_bytes else None),
        100,
    ),
)
"""All measures, in the order of the report."""


def pairs_of(item: Judged) -> dict[str, Pair]:
    """What one question adds to each measure that it counts in, by the measure's name."""
    return {d.name: pair for d in DEFINITIONS if (pair := d.pair(item)) is not None}


def measures_of(questions: Sequence[Mapping[str, Pair]]) -> list[Measure]:
    """All measures that the questions' pairs allow, in the order of the report."""
    made = [d.measure([q[d.name] for q in questions if d.name in q]) for d in DEFINITIONS]
    return [m for m in made if m.rate.n]


def measures(items: Sequence[Judged]) -> list[Measure]:
    """All measures that the items allow, in the order of the report. A failed question counts as wrong and stays in."""
    return measures_of([pairs_of(i) for i in items])


def risk_coverage(items: Sequence[Judged]) -> list[tuple[float, float, float]]:
    """(coverage, accuracy, confidence) after each answer, surest first; questions that were refused lie beyond the end.

    Coverage is of all questions, accuracy of the answers so far: one to an unanswerable question is wrong (selective
    prediction, El-Yaniv and Wiener 2010). Answers that nothing weighed stand first.
    """
    answered = [i for i in items if _answered(i)]

    def confidence(item: Judged) -> float:
        found = item.result.answer.confidence
        return float("inf") if found is None else found

    points = []
    right = 0
    ranked = sorted(answered, key=lambda i: (-confidence(i), i.result.case.id))
    for done, item in enumerate(ranked, 1):
        right += item.judgement.correct and item.result.case.answerable
        points.append((done / len(items), right / done, confidence(item)))
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
    return head + _table(("coverage", "accuracy of answers", "least confidence"), rows)


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


def asked(item: Judged) -> str:
    """What was asked, in one line: the question after those before it in its conversation."""
    return " → ".join((*item.result.case.history, item.result.case.question))


def said(item: Judged) -> str:
    """What was answered, in one line."""
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
                asked(i),
                " + ".join(v[0] for v in i.result.case.answers) if i.result.case.answerable else "refusal",
                said(i),
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
                    "said": said(i),
                    "judgement": asdict(i.judgement),
                    "pairs": pairs_of(i),
                }
                for i in items
            ],
        },
        ensure_ascii=False,
        indent=1,
    )
