"""What the commands of the evaluation share: how an error ends a command."""

from __future__ import annotations

import click

from rag.errors import CitewireError


def status_of(command: click.Command, name: str, *, says: str = "", stopped: str = "") -> int:
    """Run a command as `name`; its exit status. An error that the user can solve is one line that begins with `says`
    (`name` where empty); `stopped` is said when Ctrl-C ended it."""
    says = says or name
    try:
        status: int | None = command.main(prog_name=name, standalone_mode=False)
    except CitewireError as error:
        click.echo(f"{says}: {error}", err=True)
        return error.exit_status
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        if stopped:
            click.echo(f"{says}: {stopped}", err=True)
        return 130
    return status or 0
