"""The command `python -m eval` (and `rag eval`): ask a set, record, judge, report. No measure of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eval.cases import KINDS, QUESTIONS, Case, EvalError, Suite
from eval.console import status_of
from eval.outside import SETS, load_outside
from eval.split import OWN_SET, Half
from rag.cli.common import bars
from rag.config import Settings, load_settings, of_corpus

if TYPE_CHECKING:
    from rich.console import Console

    from eval.baseline import Difference
    from eval.records import Run
    from eval.report import Judged
    from eval.reported import AskedAgain
    from eval.runner import Outcome

RUNS = Path("eval") / "runs"
OF_SEEDS = "eval"  # folder in the index for articles that are only evaluated


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be done with the accepted run, whether answers of an older program are good enough, and how many are
    asked at once."""

    gate: bool
    accept: bool
    only_changed: bool
    jobs: int


def _run_suite(
    suite: Suite, cases: list[Case], settings: Settings, half: str, out: Path, wish: _Wish
) -> tuple[bool, bool]:
    """Ask, judge and report one suite; whether all was done, and whether no accepted figure fell."""
    from rich.console import Console

    from eval.baseline import BASELINE, accept, compare, read_accepted
    from eval.report import Judged

    name = f"{suite.name}/{Path(settings.model).stem}"
    accepted = read_accepted(BASELINE, name)
    if wish.gate and not accepted:
        raise EvalError(f"{BASELINE}: no accepted run of {name}; make one with --accept")
    screen, plain = Console(stderr=True), Console(highlight=False)
    screen.print(
        f"{suite.name}: {len(cases)} questions with model {settings.model}; Ctrl-C keeps what is done"
    )
    outcome, made_by, reported = _asked(suite, cases, settings, out, wish)
    items = [Judged.of(r) for r in outcome.results]
    if not items:
        screen.print("nothing was asked")
        return False, True
    about = [
        suite.protocol,
        f"half: {half}; {len(items)} of {len(cases)} questions ({outcome.asked} asked now, the others recorded before)",
        *(
            [f"{outcome.older} answers are of another version or other settings (--changed)"]
            if outcome.older
            else []
        ),
        f"model {settings.model}; run {made_by.fingerprint}; {made_by.machine}; {datetime.now(UTC):%Y-%m-%d}",
        *([f"published by others: {suite.published}"] if suite.published else []),
        "Intervals: 95 %, percentile bootstrap over questions.",
    ]
    difference = compare(accepted, items) if accepted else None
    _write(out, f"Evaluation: {suite.name}", about, items, reported, difference)
    _show(plain, f"{suite.name}, {half}", items, reported, difference)
    plain.print(f"report.html, report.md, report.json and records: {out}/", markup=False)
    if outcome.left:
        screen.print(f"stopped: {outcome.left} questions are left; the same command goes on with them")
    elif wish.accept:
        accept(BASELINE, name, about, items)
        plain.print(f"accepted as {name} in {BASELINE.name}; later runs are held against it")
    return not outcome.left, not (difference and difference.fallen)


def _asked(
    suite: Suite, cases: list[Case], settings: Settings, out: Path, wish: _Wish
) -> tuple[Outcome, Run, list[AskedAgain]]:
    """The results of all questions, what they were made by, and the answers that readers found wrong, asked again."""
    from eval.opening import Corpora
    from eval.records import describe_run
    from eval.reported import ask_again
    from eval.runner import run

    with Corpora(suite, settings, out / "corpora") as corpora:
        made_by = describe_run(settings, corpora.model_files)
        with bars() as shown:
            task = shown.add_task("asking", total=len(cases))

            def report(done: int, total: int, case: Case) -> None:
                shown.update(task, completed=done, total=total, description=case.id[:24])

            outcome = run(
                suite,
                cases,
                corpora.open,
                made_by,
                out,
                report,
                only_changed=wish.only_changed,
                jobs=wish.jobs,
            )
            shown.update(task, completed=len(outcome.results), description="asked")
        return (
            outcome,
            made_by,
            ask_again(corpora.open("").assistant, settings.data) if not suite.corpora else [],
        )


def _write(
    out: Path,
    title: str,
    about: list[str],
    items: list[Judged],
    reported: list[AskedAgain],
    difference: Difference | None,
) -> None:
    """The report in its three forms."""
    from eval.page import to_html
    from eval.report import to_json, to_markdown
    from eval.reported import to_markdown as reported_to_markdown

    text = to_markdown(title, about, items) + reported_to_markdown(reported)
    (out / "report.md").write_text(text, encoding="utf-8")
    (out / "report.json").write_text(to_json(title, about, items), encoding="utf-8")
    (out / "report.html").write_text(to_html(title, about, items, difference), encoding="utf-8")


def _show(
    plain: Console, title: str, items: list[Judged], reported: list[AskedAgain], difference: Difference | None
) -> None:
    """The tables, and what changed since the accepted run."""
    from rich.table import Table

    from eval.report import by_kind, measures, number, row

    for name, chosen in ((title, measures(items)), ("correct, by kind", by_kind(items))):
        table = Table("measure", "value", "95 % interval", "over", title=name)
        for measure in chosen:
            table.add_row(*row(measure))
        plain.print(table)
    if reported:
        again = sum(r.same for r in reported)
        plain.print(f"found wrong by readers: {again} of {len(reported)} are answered so again (report.md)")
    if difference is None:
        return
    plain.print(
        f"against the accepted run, {difference.questions} questions in both:"
        f" {len(difference.better)} became correct, {len(difference.worse)} ceased to be"
    )
    for fallen in difference.fallen:
        then, now = fallen.then, fallen.now
        plain.print(
            f"fallen: {then.name} was {number(then, then.rate.value)} ({number(then, then.rate.low)} to"
            f" {number(then, then.rate.high)}), is {number(now, now.rate.value)}"
        )


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
@click.option(
    "--half",
    type=click.Choice(["tune", "report", "all"]),
    default="tune",
    show_default=True,
    help="The half of the set; report is for release notes only.",
)
@click.option(
    "--set", "sets", multiple=True, type=click.Choice([OWN_SET, *SETS]), help="The set; may be repeated."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the outside sets; without --set, all of them."
)
@click.option("--questions", type=click.Path(path_type=Path), default=QUESTIONS, help="The own set's file.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="Ask an even sample of so many questions of each set."
)
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="Only questions of this kind.")
@click.option("--id", "ids", multiple=True, help="Only the question with this id; may be repeated.")
@click.option("--model", help='A name of "rag models", a GGUF file, or "none" (quotes only).')
@click.option("--seeds", type=click.Path(path_type=Path), help="Folder of articles of the own set.")
@click.option(
    "--index",
    "index_folder",
    type=click.Path(path_type=Path),
    help="Folder of its index (default: index/eval where --seeds is given).",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of records and report (default: under eval/runs)."
)
@click.option(
    "--changed",
    is_flag=True,
    help="Ask only questions whose words or articles changed, although the program or its settings did too.",
)
@click.option(
    "--gate", is_flag=True, help="Exit with 1 when an accepted figure fell by more than its interval."
)
@click.option("--accept", is_flag=True, help="Make this the run that later ones are held against.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Questions asked at once; with more than one, no times are told.",
)
@click.option("--check", is_flag=True, help="Only check the questions against the articles; ask nothing.")
def main(
    context: click.Context,
    half: str,
    sets: tuple[str, ...],
    data: Path | None,
    questions: Path,
    limit: int | None,
    kind: str | None,
    ids: tuple[str, ...],
    model: str | None,
    seeds: Path | None,
    index_folder: Path | None,
    out: Path | None,
    changed: bool,
    gate: bool,
    accept: bool,
    jobs: int,
    check: bool,
) -> None:
    """Ask questions with known answers, judge the answers by their gold, and report with intervals. With a command, work on
    the questions instead.

    Everything is recorded; the same command takes an interrupted run up again and asks only what is new or changed.
    """
    from eval.opening import own_suite
    from eval.runner import select

    settings = of_corpus(load_settings())
    if seeds is not None and index_folder is None:
        index_folder = settings.index / OF_SEEDS
    settings = settings.with_options(model=model, seeds=seeds, index=index_folder)
    if context.invoked_subcommand:
        context.obj = settings
        return
    names = sets or (tuple(SETS) if data else (OWN_SET,))
    if data is None and any(n != OWN_SET for n in names):
        raise EvalError(f"--set {next(n for n in names if n != OWN_SET)} needs --data FOLDER")
    which = None if half == "all" else Half(half)
    chosen = []
    for name in names:  # all are read before the first is asked
        suite = (
            own_suite(settings, questions) if data is None or name == OWN_SET else load_outside(name, data)
        )
        chosen.append((suite, select(suite, which, kind=kind or "", limit=limit, ids=ids)))
    if check:
        for suite, cases in chosen:
            click.echo(
                f"{suite.name}: {len(suite.cases)} questions are in order, {len(cases)} of them chosen"
            )
        return
    if accept and (limit or kind or ids or half == "report"):
        raise EvalError(
            "--accept is for a whole tune half (or --half all): leave --limit, --kind and --id out"
        )
    wish = _Wish(gate, accept, changed, jobs)
    has_passed = True
    for suite, cases in chosen:
        base = out / suite.name if out and len(chosen) > 1 else out
        folder = base or RUNS / f"{suite.name}-{half}-{Path(settings.model).stem}"
        is_done, is_good = _run_suite(suite, cases, settings, half, folder, wish)
        if not is_done:
            raise click.exceptions.Exit(130)
        has_passed = has_passed and is_good
    if gate and not has_passed:
        raise click.exceptions.Exit(1)


_FILE = click.option(
    "--to",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("questions.jsonl"),
    show_default=True,
    help="The file of questions.",
)


@main.command()
@_FILE
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="Questions wanted.")
@click.pass_obj
def draft(settings: Settings, file: Path, count: int) -> None:
    """Propose questions from the articles, with answers known, and put answers that readers found wrong beside them.

    Look at them with "rag eval review", or in the file. Ctrl-C keeps what is done; another run goes on with what is new.
    """
    from rich.console import Console
    from rich.progress import track

    from eval.draft import propose
    from eval.opening import own_articles
    from eval.review import Drafts, is_draft, of_reader
    from rag.assistant import open_generator, open_reader
    from rag.ui.sessions import kept_cases

    generator = open_generator(settings)
    if generator is None:
        raise EvalError("a model words the questions; name one with --model ahead of draft")
    drafts = Drafts(file, own_articles(settings))
    for reported in kept_cases(settings.data):
        if of_reader(reported).id not in drafts.known:
            drafts.add(of_reader(reported))
    reader = open_reader(settings)
    made = tried = 0
    proposed = propose(drafts.articles, drafts.known, generator, reader)
    try:
        for _ in track(range(count), "drafting", console=Console(stderr=True)):
            for case in proposed:
                tried += 1
                if case is not None:
                    drafts.add(case)
                    made += 1
                    break
    finally:
        generator.close()
        click.echo(
            f"{file}: {made} questions proposed of {tried} tried, {sum(map(is_draft, drafts.cases))} wait for: rag eval"
            f" review --to {file}"
        )


@main.command()
@_FILE
@click.pass_obj
def review(settings: Settings, file: Path) -> None:
    """Accept, edit or drop the questions that were drafted, one by one. What is decided is kept at once."""
    from eval.opening import own_articles
    from eval.review import Drafts, answered, is_draft

    if not file.exists():
        raise EvalError(f"{file}: not there; make it with: rag eval draft --to {file}")
    drafts = Drafts(file, own_articles(settings))
    waiting = [c for c in drafts.cases if is_draft(c)]
    for number, case in enumerate(waiting, 1):
        while True:
            click.echo(f"\n{number} of {len(waiting)}: {' → '.join((*case.history, case.question))}")
            click.echo(
                f"  answer: {' / '.join(f for v in case.answers for f in v) or 'the articles do not say'}"
            )
            for gold in case.gold:
                click.echo(f"  “{gold.quote}” ({gold.article})")
            click.echo(f"  {case.note}")
            choice = click.prompt(
                "[a]ccept, other [q]uestion, other ans[w]er, [d]rop, [s]kip, [e]nd",
                type=click.Choice(list("aqwdse")),
                show_choices=False,
            )
            if choice == "q":
                case = replace(case, question=click.prompt("question").strip())
            elif choice == "w":
                text = click.prompt(
                    "answer as the articles word it, other forms after / (empty: they do not say)", default=""
                )
                changed = answered(case, [f.strip() for f in text.split("/") if f.strip()], drafts.articles)
                if changed is None:
                    click.echo("no sentence of the articles says that; give its words", err=True)
                else:
                    case = changed
            else:
                break
        if choice == "a":
            drafts.accept(case)
        elif choice == "d":
            drafts.drop(case)
        elif choice == "e":
            break
    left = sum(map(is_draft, drafts.cases))
    click.echo(
        f"{file}: {len(drafts.cases) - left} accepted, {left} wait; ask them with: rag eval --half all --questions {file}"
    )


if __name__ == "__main__":
    sys.exit(status_of(main, "rag eval", stopped="stopped"))
