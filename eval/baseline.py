"""The last accepted run: what each question added to each measure then, what is better and worse now, and the gate.

It knows measures by question and a file, not how questions are asked or judged.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.cases import EvalError
from eval.report import DEFINITIONS, Definition, Judged, Measure, Pair, asked, pairs_of, said

SCHEMA = "citewire.eval-baseline/1"
BASELINE = Path(__file__).parent / "baseline.json"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A question of the accepted run: as it was asked, whether the answer was correct, what was said, and what it added
    to each measure."""

    asked: str
    correct: bool
    said: str
    pairs: dict[str, Pair]


@dataclass(frozen=True, slots=True)
class Compared:
    """A measure over the same questions, as accepted and now."""

    definition: Definition
    then: Measure
    now: Measure

    @property
    def has_fallen(self) -> bool:
        """Whether it is worse now than the worse end of the accepted figure's interval. Where all questions were alike the
        bootstrap has no width, and the rule of three stands in for it (Hanley and Lippman-Hand 1983): 3 / n."""
        then, now = self.then.rate, self.now.rate
        if self.definition.better == 0 or then.low is None or then.high is None or now.value is None:
            return False
        slack = 3 / then.n if then.low == then.high else 0.0
        if self.definition.better > 0:
            return now.value < then.low - slack
        return now.value > then.high + slack


@dataclass(frozen=True, slots=True)
class Changed:
    """A question whose correctness changed, what was said when the run was accepted, and what is said now."""

    id: str
    question: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Now beside the accepted run: how many questions both have, the measures over those, and the questions that are
    answered correctly now and were not (`better`), or the other way round (`worse`)."""

    questions: int
    measures: tuple[Compared, ...]
    better: tuple[Changed, ...]
    worse: tuple[Changed, ...]

    @property
    def fallen(self) -> list[Compared]:
        """The measures of quality that fell by more than their interval. Times depend on the machine and never count."""
        return [m for m in self.measures if m.definition.unit == "share" and m.has_fallen]


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {"schema": SCHEMA, "runs": {}}
    try:
        found = json.loads(file.read_text("utf-8"))
        if found["schema"] != SCHEMA or not isinstance(found["runs"], dict):
            raise ValueError(f"not {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvalError(f"{file}: not an accepted run ({error}); delete it and run with --accept") from None
    return dict(found)


def accept(file: Path, name: str, about: Sequence[str], items: Sequence[Judged]) -> None:
    """Make these answers the accepted run of that name; those of other names stay."""
    runs = _read(file)["runs"]
    runs[name] = {
        "about": list(about),
        "questions": {
            i.result.case.id: {
                "asked": asked(i),
                "correct": i.judgement.correct,
                "said": said(i),
                "pairs": pairs_of(i),
            }
            for i in items
        },
    }
    file.write_text(_lines(runs), encoding="utf-8")


def _lines(runs: dict[str, Any]) -> str:
    """The file as JSON with one line a question, so that a difference in git is one of questions."""

    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    made = []
    for name, run in sorted(runs.items()):
        rows = ",\n".join(f"{text(id_)}: {text(row)}" for id_, row in sorted(run["questions"].items()))
        made.append(f'{text(name)}: {{"about": {text(run["about"])}, "questions": {{\n{rows}\n}}}}')
    return f'{{"schema": {text(SCHEMA)}, "runs": {{\n' + ",\n".join(made) + "\n}}\n"


def read_accepted(file: Path, name: str) -> dict[str, Accepted]:
    """The questions of the accepted run of that name, by id; empty where none was accepted.

    Raises `EvalError` for a file that is not one.
    """
    run = _read(file)["runs"].get(name)
    if run is None:
        return {}
    try:
        return {
            id_: Accepted(
                str(row["asked"]),
                bool(row["correct"]),
                str(row["said"]),
                {k: (float(up), float(down)) for k, (up, down) in row["pairs"].items()},
            )
            for id_, row in run["questions"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvalError(f"{file}: run {name!r} is damaged ({error!r}); run with --accept") from None


def compare(accepted: dict[str, Accepted], items: Sequence[Judged]) -> Difference:
    """Now beside the accepted run, over the questions that both have in the same words."""
    both = [
        (i, old)
        for i in items
        if (old := accepted.get(i.result.case.id)) is not None and old.asked == asked(i)
    ]
    now = [pairs_of(i) for i, _ in both]
    compared = []
    for definition in DEFINITIONS:
        name = definition.name
        before = definition.measure([old.pairs[name] for _, old in both if name in old.pairs])
        after = definition.measure([pairs[name] for pairs in now if name in pairs])
        if before.rate.n and after.rate.n:
            compared.append(Compared(definition, before, after))
    changed = [
        (i.judgement.correct, Changed(i.result.case.id, asked(i), old.said, said(i)))
        for i, old in both
        if i.judgement.correct != old.correct
    ]
    return Difference(
        len(both),
        tuple(compared),
        tuple(c for is_better, c in changed if is_better),
        tuple(c for is_better, c in changed if not is_better),
    )
