"""Commands about an index on a server: `store copy`."""

from __future__ import annotations

import click

from rag.cli.common import progress
from rag.config import Settings


@click.group()
def store() -> None:
    """The index on a server that several hosts read."""


@store.command(name="copy")
@click.argument("source")
@click.argument("target")
@click.pass_obj
def copy_store(settings: Settings, source: str, target: str) -> None:
    """Copy the index from SOURCE to TARGET, a folder and a server (milvus://HOST:19530/NAME), in either direction; nothing is
    embedded again. To continue an interrupted copy, run the same command again."""
    from rag.assistant import open_embedder
    from rag.ingest.build import fingerprint_of
    from rag.store.publish import copy

    with progress() as report:
        sent = copy(
            source,
            target,
            settings.corpus,
            fingerprint_of(settings, open_embedder(settings)),
            lambda done, total: report("copying", done, total),
        )
    click.echo(f"{target}: {sent} articles copied from {source}")
