"""Commands that measure answers: `eval`, and `cases` for answers that readers found wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import click

from rag.cli.common import opened, progress
from rag.config import Settings
from rag.errors import ConfigError


@click.command(name="eval", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def evaluate(arguments: tuple[str, ...]) -> None:
    """Run the evaluation suite (all options: rag eval --help)."""
    # a separate process, because `rag` never imports the evaluation suite
    raise click.exceptions.Exit(
        subprocess.run([sys.executable, "-m", "eval", *arguments], check=False).returncode
    )


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def cases(ctx: click.Context, as_json: bool) -> None:
    """List the answers that readers found wrong ("Not right?" on the page)."""
    if ctx.invoked_subcommand:
        return
    from rag.codec import answer_to_dict
    from rag.text.words import plain
    from rag.ui.sessions import kept_cases

    for case in kept_cases(ctx.obj.data):
        if as_json:
            more = {
                "id": case.id,
                "at": case.at,
                "reason": case.reason,
                "history": [t.question for t in case.history],
            }
            click.echo(json.dumps(more | {"answer": answer_to_dict(case.answer)}, ensure_ascii=False))
        else:
            said = " ".join(s.text for s in case.answer.shown) or case.answer.missing or case.answer.note
            click.echo(f"{case.id} {case.at[:10]} {plain(case.answer.question)}")
            click.echo(f"    answered: {plain(said)}")
            click.echo(f"    reason: {plain(case.reason) or 'none given'}")


@cases.command()
@click.option("--model", help='A name of "rag models", a path to a GGUF file, or "none": quotes only.')
@click.pass_obj
def check(settings: Settings, model: str | None) -> None:
    """Ask every case again, and say which still get the answer that was found wrong. Status 1 when one does."""
    from rag.text.words import plain
    from rag.ui.sessions import kept_cases, repeats

    kept = kept_cases(settings.data)
    if not kept:
        click.echo('no answer is kept as wrong; press "Not right?" under one on the page')
        return
    wrong = 0
    with opened(settings, model) as assistant, progress() as tell:
        for number, case in enumerate(kept):
            tell("cases", number, len(kept))
            now = assistant.ask(case.answer.question, case.history)
            same = repeats(case, now)
            wrong += same
            said = " ".join(s.text for s in now.shown) or now.missing or now.error or now.note
            click.echo(f"{case.id} {'the same again' if same else 'another answer'}: {plain(said)}")
        tell("cases", len(kept), len(kept))
    click.echo(f"{wrong} of {len(kept)} get the answer that was found wrong")
    raise click.exceptions.Exit(int(wrong > 0))


@cases.command(name="delete")
@click.argument("id_", metavar="ID")
@click.pass_obj
def delete_case(settings: Settings, id_: str) -> None:
    """Delete the case ID for good."""
    from rag.ui.sessions import Sessions

    if not Sessions(settings.data).delete_case(id_):
        raise ConfigError(f"case {id_!r}: there is none; rag cases lists them")
    click.echo(f"{id_}: deleted")
