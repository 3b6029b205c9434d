"""The command `python -m eval.compare`: other frameworks and this program, block by block, on one machine.

The frameworks run in an environment of their own (`make compare` makes it), with the same model file, the same embedding
and the same articles. All are judged by the same gold.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from eval.cases import QUESTIONS, Case, EvalError, load_cases
from eval.judge import judge
from eval.metrics import Rate, contains, mean, percentile
from eval.split import OWN_SET, Half, half
from rag.config import load_settings
from rag.errors import CitewireError
from rag.schema import Answer

FRAMEWORKS = {
    "LlamaIndex CitationQueryEngine": "citation_query_engine.py",
    "Haystack pipeline": "haystack_pipeline.py",
}
"""Name -> script beside this file, run by the other environment's Python."""
_MARK = re.compile(r"\[(\d{1,2})\]")
_REFUSES = re.compile(
    r"\b(?:empty response|do(?:es)? not|cannot|can't|no (?:information|mention)|not (?:mentioned|provided|specified|stated)"
    r"|unable|insufficient|don't know)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one answer of either program is worth. `cited`: a right value with a citation whose text holds a gold quote
    or the value."""

    answerable: bool
    right: bool
    cited: bool
    refused: bool
    seconds: float


def judge_other(case: Case, text: str, sources: Sequence[str], seconds: float) -> Outcome:
    """A framework's answer: refused where it says that it cannot tell, without an accepted value."""
    given = [any(contains(text, f) for f in forms) for forms in case.answers]
    enough = bool(given) and (all(given) if case.needs_all else any(given))
    wrong = any(contains(text, f) for f in case.wrong)
    numbers = [int(n) for n in _MARK.findall(text)]
    cited = [sources[n - 1] for n in numbers if 0 < n <= len(sources)]
    forms = [f for value in case.answers for f in value]
    good = any(
        any(" ".join(g.quote.split()) in " ".join(c.split()) for g in case.gold)
        or any(contains(c, f) for f in forms)
        for c in cited
    )
    refused = not any(given) and (not text.strip() or _REFUSES.search(text) is not None)
    right = (enough and not wrong) if case.answerable else refused
    return Outcome(case.answerable, right, right and good, refused, seconds)


def judge_ours(case: Case, answer: Answer) -> Outcome:
    """This program's answer, by the judge of the evaluation."""
    found = judge(case, answer)
    cited = found.correct and found.citations_right > 0
    return Outcome(case.answerable, found.correct, cited, found.refused, answer.timings.total_s or 0.0)


def table(named: Sequence[tuple[str, Sequence[Outcome]]]) -> list[tuple[str, ...]]:
    """Rows of measures, one column for each program: values with 95 % intervals."""
    measures: tuple[tuple[str, Callable[[Sequence[Outcome]], list[float]]], ...] = (
        ("right answers (of the answerable)", lambda o: [float(x.right) for x in o if x.answerable]),
        ("right and rightly cited", lambda o: [float(x.cited) for x in o if x.answerable]),
        ("refused (of the unanswerable)", lambda o: [float(x.refused) for x in o if not x.answerable]),
    )
    rows = [(name, *(_share(mean(pick(o))) for _, o in named)) for name, pick in measures]
    times = [percentile([x.seconds for x in o], 50) for _, o in named]
    rows.append(("seconds, median", *(f"{t.value:.1f} (n = {t.n})" for t in times if t.value is not None)))
    return rows


def _share(rate: Rate) -> str:
    return (
        "-" if rate.value is None else f"{rate.value:.2f} ({rate.low:.2f} to {rate.high:.2f}, n = {rate.n})"
    )


def ask_framework(
    python: str, script: Path, request: dict[str, object], cases: Sequence[Case]
) -> list[dict[str, Any]]:
    """What a framework's script says to each case: `text`, `sources`, `seconds`, and the case's `id`.

    Raises `EvalError` when it ends before the last.
    """
    said: list[dict[str, Any]] = []
    with subprocess.Popen(
        [python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps({**request, "questions": [c.question for c in cases]}))
        process.stdin.close()
        for case, line in zip(cases, process.stdout, strict=False):
            said.append({"id": case.id, **json.loads(line)})
            click.echo(f"  {len(said)} of {len(cases)}, {case.id}: {said[-1]['seconds']:.1f} s", err=True)
    if len(said) < len(cases):
        raise EvalError(
            f"{script.name} stopped after {len(said)} of {len(cases)} questions; see its message above"
        )
    return said


def times_faster(theirs: Sequence[Outcome], ours: Sequence[Outcome]) -> str:
    """How many times as long the other program takes, median of the pairs, with its interval."""
    ratio = percentile([t.seconds / max(o.seconds, 1e-3) for t, o in zip(theirs, ours, strict=True)], 50)
    return f"{ratio.value:.1f} ({ratio.low:.1f} to {ratio.high:.1f})"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--python", "python", required=True, help="The Python of the frameworks' environment.")
@click.option("--half", "which", type=click.Choice(["tune", "report"]), default="tune", show_default=True)
@click.option(
    "--limit", type=click.IntRange(min=2), default=12, show_default=True, help="Questions, evenly taken."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("eval/runs/compare"), show_default=True)
def main(python: str, which: str, limit: int, out: Path) -> None:
    """Ask all programs the same questions and print what each got right, cited and refused, and how long it took."""
    from hashlib import sha256

    from rag.articles import find_files, load_sidecars, read_article
    from rag.assistant import Assistant
    from rag.build import build
    from rag.embedder import MiniLM
    from rag.models import find_model

    settings = load_settings()
    sidecars = load_sidecars(settings.seeds)
    articles = [read_article(f, settings.seeds, sidecars) for f in find_files(settings.seeds)]
    cases = [
        c
        for c in load_cases(QUESTIONS, {a.path: a.body for a in articles})
        if not c.history and half(OWN_SET, c.id) is Half(which)
    ]
    cases = sorted(cases, key=lambda c: sha256(f"compare:{c.id}".encode()).hexdigest())[:limit]
    model, embedding = find_model(settings.model, settings), find_model(settings.embedding, settings)
    request: dict[str, object] = {
        "model": str(model),
        "embedding": str(embedding),
        "articles": str(settings.seeds),
        "threads": settings.threads,
    }
    said: dict[str, list[dict[str, Any]]] = {}
    judged: dict[str, list[Outcome]] = {}
    for name, script in FRAMEWORKS.items():
        click.echo(f"{name}: {len(cases)} questions", err=True)
        said[name] = ask_framework(python, Path(__file__).parent / script, request, cases)
        judged[name] = [
            judge_other(c, row["text"], row["sources"], row["seconds"])
            for c, row in zip(cases, said[name], strict=True)
        ]
    click.echo(f"Citewire: {len(cases)} questions", err=True)
    build(settings, MiniLM(embedding, threads=settings.threads))
    assistant = Assistant.open(settings)
    try:
        assistant.warm()
        assistant.ask("What are the articles about?")  # not counted, as there
        answers = [assistant.ask(c.question) for c in cases]
    finally:
        assistant.close()
    ours = [judge_ours(c, a) for c, a in zip(cases, answers, strict=True)]
    rows = table([*judged.items(), ("Citewire", ours)])
    lines = [
        f"| measure | {' | '.join(judged)} | Citewire |",
        "|---" * (len(judged) + 2) + "|",
        *("| " + " | ".join(r) + " |" for r in rows),
        "| times as long as Citewire, median of pairs | "
        + " | ".join(times_faster(theirs, ours) for theirs in judged.values())
        + " | |",
    ]
    out.mkdir(parents=True, exist_ok=True)
    (out / "compare.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (out / "compare.json").write_text(
        json.dumps(
            {
                "said": said,
                "judged": {name: [asdict(o) for o in outcomes] for name, outcomes in judged.items()},
                "ours": [asdict(o) for o in ours],
            },
            indent=1,
        ),
        encoding="utf-8",
    )
    click.echo("\n".join(lines))


def _program() -> int:
    try:
        main(prog_name="python -m eval.compare", standalone_mode=False)
    except CitewireError as error:
        click.echo(f"eval.compare: {error}", err=True)
        return error.exit_status
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(_program())
