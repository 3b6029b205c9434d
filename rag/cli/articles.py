"""Commands about the index and its articles: `index`, `search`, `articles`."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.cli.common import opened, progress
from rag.config import Settings
from rag.errors import CitewireError

if TYPE_CHECKING:
    from rag.ingest.build import Summary, Tell
    from rag.protocols import Embedder

_CHANGES = ("added", "changed", "removed", "unchanged")


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.option("--watch", is_flag=True, help="Go on and follow the articles, until Ctrl-C.")
@click.option("--check", "verify", is_flag=True, help="Read the whole index, and repair what is damaged.")
@click.option(
    "--rebuild", "anew", is_flag=True, help="Make the index anew, beside the old one, and replace it."
)
@click.option("--export", "export_to", type=click.Path(path_type=Path), help="Save the index as one file.")
@click.option(
    "--import", "import_from", type=click.Path(path_type=Path), help="Put a saved index in its place."
)
@click.option("--store", help="Publish it to this server too: milvus://HOST:19530/NAME.")
@click.option(
    "--ray",
    "cluster",
    is_flag=False,
    flag_value="local",
    metavar="[ADDRESS]",
    help="Embed in parallel workers first, of a Ray cluster or of this machine.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 10_000),
    help="Workers of --ray (default: one for each processor of this machine).",
)
@click.pass_obj
def index(
    settings: Settings,
    paths: tuple[Path, ...],
    as_json: bool,
    watch: bool,
    verify: bool,
    anew: bool,
    export_to: Path | None,
    import_from: Path | None,
    store: str | None,
    cluster: str | None,
    workers: int | None,
) -> None:
    """Bring the index up to date with the articles. Only what is new or changed is embedded.

    PATHS are files and folders to look at instead of all; those outside the folder of articles are followed from then on.
    """
    from rag.assistant import open_embedder
    from rag.ingest.build import build
    from rag.ingest.maintenance import rebuild

    settings = settings.with_options(store=store)
    chosen = [bool(paths), watch, verify, anew, export_to is not None, import_from is not None]
    if sum(chosen) > 1 and chosen[:2] != [True, True]:
        raise click.UsageError("one of PATHS, --watch, --check, --rebuild, --export and --import at a time")
    if export_to is not None:
        _export(settings, export_to, as_json)
        return
    if hasattr(os, "nice"):
        os.nice(10)  # other programs, such as an answer in progress, go first
    embedder = open_embedder(settings)
    if import_from is not None:
        _import(settings, embedder, import_from, as_json)
        return
    if verify:
        summary = _check(settings, embedder, as_json)
    else:
        with progress() as tell:
            if cluster is not None:
                _embed_ahead(settings, cluster, workers or os.cpu_count() or 1, tell)
            summary = rebuild(settings, embedder, tell) if anew else build(settings, embedder, tell, paths)
        _print_summary(settings, summary, as_json)
    if watch:
        _watch(settings, embedder, as_json)
    if summary is not None and summary.skipped:
        raise click.exceptions.Exit(1)


def _export(settings: Settings, file: Path, as_json: bool) -> None:
    from rag.ingest.maintenance import export

    size = export(settings, file)
    click.echo(json.dumps({"file": str(file), "bytes": size}) if as_json else f"{file}: {size / 1e6:.1f} MB")


def _import(settings: Settings, embedder: Embedder, file: Path, as_json: bool) -> None:
    from rag.ingest.maintenance import restore

    articles, chunks = restore(settings, embedder, file)
    text = f"{settings.index}/: {articles} articles, {chunks} chunks, from {file}"
    click.echo(json.dumps({"articles": articles, "chunks": chunks}) if as_json else text)


def _check(settings: Settings, embedder: Embedder, as_json: bool) -> Summary | None:
    """Print what was repaired. Returns the summary of the update."""
    from rag.ingest.maintenance import check

    with progress() as tell:
        found = check(settings, embedder, tell)
    if as_json:
        state = {"articles": found.articles, "chunks": found.chunks, "repaired": list(found.done)}
        click.echo(json.dumps(state | {"aside": str(found.aside) if found.aside else None}))
    else:
        for line in found.done:
            click.echo(f"repair: {line}")
        word = "repaired" if found.done else "sound"
        click.echo(f"{settings.index}/: {word}; {found.articles} articles, {found.chunks} chunks")
    return found.summary


def _embed_ahead(settings: Settings, cluster: str, workers: int, tell: Tell) -> None:
    """Embed new texts in parallel workers. The update then finds their vectors stored."""
    from rag.ingest.ray_embedding import embed_ahead
    from rag.models.embedder import MiniLM
    from rag.models.registry import find_model

    make = partial(MiniLM, find_model(settings.embedding, settings), threads=1)
    embed_ahead(settings, make, cluster, workers, tell)


def _watch(settings: Settings, embedder: Embedder, as_json: bool) -> None:
    """Update the index after each change until Ctrl-C. Print a summary where anything changed."""
    from rag.ingest.build import build
    from rag.ingest.watch import changes

    click.echo("following the articles; Ctrl-C ends it", err=True)
    told: set[str] = set()
    for _ in changes(settings):
        try:
            summary = build(settings, embedder)
        except CitewireError as error:  # another writer, a full disk: the next change tries again
            click.echo(f"rag: {error}", err=True)
            continue
        reasons = {s.reason for s in summary.skipped}
        if not summary.is_empty or reasons != told:
            _print_summary(settings, summary, as_json)
        told = reasons


def _summary_json(summary: Summary) -> str:
    fields = (*_CHANGES, "articles", "chunks", "embedded", "seconds", "generation")
    return json.dumps(
        {f: getattr(summary, f) for f in fields}
        | {
            "renamed": [{"from": a, "to": b} for a, b in summary.renamed],
            "duplicates": [{"path": a, "same_as": b} for a, b in summary.duplicates],
            "copies": [{"path": a, "copy_of": b} for a, b in summary.near_duplicates],
            "skipped": [{"path": s.path, "reason": s.reason} for s in summary.skipped],
        },
        ensure_ascii=False,
    )


def _print_summary(settings: Settings, summary: Summary, as_json: bool) -> None:
    from rag.text.words import plain

    if as_json:
        click.echo(_summary_json(summary))
        return
    parts = [f"{len(getattr(summary, f))} {f}" for f in _CHANGES]
    parts += [f"{len(summary.renamed)} renamed"] if summary.renamed else []
    parts += [f"{len(summary.duplicates)} duplicate"] if summary.duplicates else []
    click.echo(
        f"{settings.index}/: {', '.join(parts)}, {len(summary.skipped)} skipped; "
        f"{summary.chunks} chunks, {summary.embedded} embedded, {summary.seconds:.1f} s"
    )
    for id_, origin in summary.near_duplicates:
        click.echo(f"copy {plain(id_)}: the same report as {plain(origin)}")
    for id_, original in summary.duplicates:
        click.echo(f"duplicate {plain(id_)}: the same article as {plain(original)}")
    for item in summary.skipped:
        file, reason = plain(item.path.partition("#")[0]), plain(item.reason)
        named = reason if file in reason.partition(": ")[0] else f"{file}: {reason}"
        click.echo(f"skipped {named}", err=True)


@click.command()
@click.argument("query")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 50), help="Number of passages.")
@click.pass_obj
def search(settings: Settings, query: str, limit: int) -> None:
    """Print the passages that fit QUERY best, with article, date, place in the text, and rank by meaning and by words."""
    from rag.answering.render import source_line
    from rag.assistant import NO_MODEL
    from rag.text.words import plain

    with opened(settings, NO_MODEL) as assistant:
        found = assistant.search(query, limit)
    for passage in found:
        chunk = passage.chunk
        place = f"{passage.article.path}, characters {chunk.start}–{chunk.end}"
        ranks = f"by meaning {passage.dense_rank or '–'}, by words {passage.lexical_rank or '–'}"
        click.echo(f"{passage.rank}. {source_line(passage.article)}")
        click.echo(f"   {place}; score {passage.score:.4f} ({ranks})")
        click.echo(f"   {plain(chunk.text)}\n")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def articles(ctx: click.Context, as_json: bool) -> None:
    """List the articles of the index with what they state about themselves; "remove NAME" takes one out."""
    if ctx.invoked_subcommand:
        return
    from rag.answering.render import source_line
    from rag.assistant import NO_MODEL
    from rag.codec import article_to_dict
    from rag.text.words import plain

    with opened(ctx.obj, NO_MODEL) as assistant, assistant.reading() as store:
        chunks = store.chunks_by_article()
        for article in store.articles():
            if as_json:
                count = chunks.get(article.id, 0)
                more = {"id": article.id, "chunks": count, "copy_of": article.copy_of or None}
                click.echo(json.dumps(article_to_dict(article) | more, ensure_ascii=False))
            else:
                copy = f" (the same report as {plain(article.copy_of)})" if article.copy_of else ""
                click.echo(f"{plain(article.path)}: {source_line(article)}{copy}")


@articles.command()
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def remove(settings: Settings, names: tuple[str, ...]) -> None:
    """Take articles out of the index. The files stay; "rag index FILE" brings one back."""
    from rag.assistant import open_embedder
    from rag.ingest.maintenance import exclude
    from rag.text.words import plain

    for id_ in exclude(settings, open_embedder(settings), names):
        click.echo(f"{plain(id_)}: taken out; its file is left alone (rag index FILE brings it back)")
