"""Commands that ask questions and check earlier answers: `ask`, `recheck`."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rag.cli.common import opened
from rag.config import Settings
from rag.errors import ConfigError

if TYPE_CHECKING:
    from rag.answering.freshness import Cited
    from rag.schema import Answer

UNANSWERED = 3
_T = TypeVar("_T")


@click.command()
@click.argument("question")
@click.option(
    "--then", "follow_ups", multiple=True, metavar="QUESTION", help="A follow-up question; repeatable."
)
@click.option("--history", type=click.Path(path_type=Path), help="Earlier answers, as --json printed them.")
@click.option("--json", "as_json", is_flag=True, help="Print each whole answer as one JSON object a line.")
@click.option("--model", help='A name of "rag models", a path to a GGUF file, or "none": quotes only.')
@click.pass_obj
def ask(
    settings: Settings,
    question: str,
    follow_ups: tuple[str, ...],
    history: Path | None,
    as_json: bool,
    model: str | None,
) -> None:
    """Answer QUESTION from the articles, each statement with the sentence it cites.

    Articles and questions are read in English. The sentence that answers is quoted first; then the answer in short, where a
    model words it and it is verified. What the articles do not say is not answered: exit status 3, with the closest sentences.
    """
    from rag.answering.render import turn_of
    from rag.codec import answer_to_json, turn_of_dict
    from rag.schema import Status

    turns = _read(history, turn_of_dict) if history else []
    status = Status.ANSWERED
    with opened(settings, model) as assistant:
        for number, asked in enumerate((question, *follow_ups)):
            if as_json:
                answer = assistant.ask(asked, turns)
                click.echo(answer_to_json(answer))
            else:
                if follow_ups:
                    click.echo(("\n" if number else "") + f"> {asked}")
                answer = print_stream(assistant.stream(asked, turns))
            turns.append(turn_of(answer))
            status = answer.status
            if status in (Status.FAILED, Status.STOPPED):
                break
    exits = {Status.UNANSWERED: UNANSWERED, Status.STOPPED: 130, Status.FAILED: 1}
    raise click.exceptions.Exit(exits.get(status, 0))


def print_stream(stream: Generator[Answer]) -> Answer:
    """Print each statement once it is verified, because a terminal cannot withdraw printed text; then the rest. The words that
    answer are bold in a terminal; click strips that for other outputs."""
    from rag.answering.render import ending_to_text, shown_text
    from rag.text.words import plain

    answer = None
    bold = partial(click.style, bold=True)
    with closing(stream):  # where the output is closed, the index is released before it is closed
        for text, newer in shown_text(stream, bold):
            answer = newer
            if text:
                click.echo(text, nl=False)
    assert answer is not None
    if answer.note:
        click.echo(plain(answer.note))
    if answer.error:
        click.echo(f"rag: {plain(answer.error)}", err=True)
    ending = ending_to_text(answer, bold)
    if (answer.shown or answer.note) and not answer.missing:
        click.echo()
    click.echo(ending)
    return answer


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def recheck(settings: Settings, file: Path) -> None:
    """Check the answers in FILE, saved with "rag ask --json": do the articles still say what was cited?"""
    from rag.answering.freshness import Freshness
    from rag.assistant import NO_MODEL
    from rag.text.words import plain

    said = {
        Freshness.CURRENT: "as it was",
        Freshness.CHANGED: "changed since, and still says what was cited",
        Freshness.REWORDED: "changed since, and no longer says what was cited",
        Freshness.GONE: "not in the index any more",
    }
    stale = False
    with opened(settings, NO_MODEL) as assistant:
        for question, cited in _read(file, _cited_of):
            click.echo(plain(question))
            for id_, state in assistant.freshness(cited).items():
                stale = stale or state is not Freshness.CURRENT
                click.echo(f"  {plain(id_)}: {said[state]}")
    raise click.exceptions.Exit(int(stale))


def _cited_of(row: Mapping[str, Any]) -> tuple[str, list[Cited]]:
    """The question of a published answer, and what the answer cites."""
    from rag.answering.freshness import Cited

    cited = [Cited(str(e["id"]), str(e["version"]), str(e["text"])) for e in row["evidence"]]
    return str(row["question"]), cited


def _read(path: Path, parse: Callable[[Any], _T]) -> list[_T]:
    """The result of `parse` for each line that "rag ask --json" printed."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: not readable ({error}); give a file with the output of rag ask --json"
        ) from None
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(parse(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(
                    f"{path}, line {number}: not an answer printed by rag ask --json ({error!r}); remove the line"
                ) from None
    return found
