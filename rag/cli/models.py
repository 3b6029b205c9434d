"""Commands about models: `models`, `models get`."""

from __future__ import annotations

import click

from rag.cli.common import progress
from rag.config import Settings


@click.group(invoke_without_command=True)
@click.option("--verify", is_flag=True, help="Hash every file again.")
@click.pass_context
def models(ctx: click.Context, verify: bool) -> None:
    """List the models with state and size; "rag models get NAME" fetches one."""
    if ctx.invoked_subcommand:
        return
    from rag.models.registry import list_models

    for item in list_models(ctx.obj, verify=verify):
        spec = item.spec
        size = sum(f.bytes for f in spec.files)
        click.echo(
            f"{spec.name:8} {item.state:10} {size / 1e6:7.0f} MB  {spec.licence:10} {spec.role:9} {spec.home}"
        )
        for line in (item.path, item.detail):
            if line:
                click.echo(f"         {line}")


@models.command()
@click.argument("name")
@click.option("--verify", is_flag=True, help="Hash the file again even when it is in place.")
@click.pass_obj
def get(settings: Settings, name: str, verify: bool) -> None:
    """Fetch the model NAME, verify its SHA-256 and put it in place. Ctrl-C loses nothing that was fetched."""
    from rag.models.fetching import get_model

    with progress(in_bytes=True) as report:
        path = get_model(name, settings, lambda p: report(p.message, p.done, p.total), verify=verify)
    click.echo(f"{name}: ready at {path}")
