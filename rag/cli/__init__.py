"""The command line `rag`: a function for each command, a module for each family of commands, and no other logic. A command
imports the heavy parts it needs, so that `rag --help` answers at once.

Exit status: 0 done or answered, 3 not answered by the articles, 130 stopped, 2 wrong use, 1 any other error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rag import __version__
from rag.cli import articles, ask, evaluate, models, serve, store
from rag.config import load_settings, of_corpus
from rag.errors import CitewireError


class _Group(click.Group):
    """Turns the errors a user can solve into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:  # click's own signature
        try:
            return super().invoke(ctx)
        except CitewireError as error:
            click.echo(f"rag: {error}", err=True)
            ctx.exit(error.exit_status)
        except KeyboardInterrupt:
            click.echo("rag: stopped", err=True)
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="citewire")
@click.option("--seeds", type=click.Path(path_type=Path), help="Folder of articles (default: seeds).")
@click.option(
    "--index", "index_folder", type=click.Path(path_type=Path), help="Folder of the index (default: index)."
)
@click.option("--corpus", help="Name of one of several corpora; each has an index and articles of its own.")
@click.option("--store", help="A server that holds the index for several hosts: milvus://HOST:19530/NAME.")
@click.pass_context
def main(
    ctx: click.Context, seeds: Path | None, index_folder: Path | None, corpus: str | None, store: str | None
) -> None:
    """Ask a folder of news articles; every sentence of an answer is checked against the line it cites."""
    settings = load_settings().with_options(index=index_folder, corpus=corpus, store=store)
    ctx.obj = of_corpus(settings).with_options(seeds=seeds)


for command in (
    ask.ask,
    ask.recheck,
    articles.index,
    articles.search,
    articles.articles,
    evaluate.cases,
    evaluate.evaluate,
    models.models,
    serve.serve,
    serve.mcp,
    store.store,
):
    main.add_command(command)
