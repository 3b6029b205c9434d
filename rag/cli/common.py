"""Shared by several commands: the assistant, and progress bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from rag.assistant import Assistant
    from rag.config import Settings


def opened(settings: Settings, model: str | None = None) -> closing[Assistant]:
    """The assistant over the index, closed at the end. `model` replaces the configured one."""
    from rag.assistant import Assistant

    on_wait = partial(click.echo, err=True)
    return closing(Assistant.open(settings.with_options(model=model), on_wait=on_wait))


def bars(in_bytes: bool = False) -> Progress:
    """Progress bars on standard error with the estimated time left, not yet drawn."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if in_bytes else MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


@contextmanager
def progress(in_bytes: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars. Gives `report(what, done, total)`.

    Steps counted in bytes share one bar, others have a bar each. Nothing is drawn before the first report, so that an
    error before any work stays one line.
    """
    shown = bars(in_bytes)
    tasks: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int) -> None:
        if not total:
            return
        key = "bytes" if in_bytes else what
        if key not in tasks:
            shown.start()
            tasks[key] = shown.add_task(what, total=total)
        shown.update(tasks[key], description=what, completed=done, total=total)

    try:
        yield report
    finally:
        if tasks:
            shown.stop()
