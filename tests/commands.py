"""The command reference, made from the commands themselves: `python -m tests.commands` writes `docs/commands.md`.

A test compares the file with what would be written, so that it cannot fall behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from eval.__main__ import main as evaluation
from rag.cli import main as program

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
WIDTH = 100
HEAD = """# Commands

Made by `python -m tests.commands` from the program itself; edit the help texts there, not this page. The commands are
installed in `.venv/bin`.

Exit status of every command: 0 done or answered, 1 an error that is told in one line, 2 wrong use, 3 not answered by the
articles, 130 stopped with Ctrl-C.
"""


def _help(command: click.Command, parent: click.Context | None, name: str) -> tuple[click.Context, str]:
    names = command.context_settings.get("help_option_names") or None
    context = click.Context(
        command,
        parent,
        name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=names,
    )
    return context, re.sub(r"[ \t]+$", "", context.get_help(), flags=re.M)


def _sections(command: click.Command, parent: click.Context | None, name: str, path: str) -> Iterator[str]:
    context, text = _help(command, parent, name)
    yield f"## `{path}`\n\n```text\n{text}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            if found.name == "eval":  # it hands everything on to the suite
                yield from _sections(evaluation, context, "eval", f"{path} eval")
            else:
                yield from _sections(found, context, child, f"{path} {child}")


def reference() -> str:
    """The whole page."""
    return "\n".join((HEAD, *_sections(program, None, "rag", "rag")))


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
