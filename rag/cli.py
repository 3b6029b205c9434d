"""The command line `rag`: one function a command, no logic of its own. Heavy parts are imported by the command that
needs them, so that `rag --help` answers at once.

Exit status: 0 done or answered, 3 not answered by the articles, 130 stopped, 2 wrong use, 1 any other error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag import __version__
from rag.config import Settings, load_settings, of_corpus
from rag.errors import CitewireError, ConfigError

if TYPE_CHECKING:
    from rag.answering.freshness import Cited
    from rag.ingest.build import Progress, Summary
    from rag.protocols import Embedder
    from rag.schema import Answer, Turn

UNANSWERED = 3


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


@contextmanager
def _progress(in_bytes: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Bars on standard error with an estimate of the time left; gives `report(what, done, total)`.

    Bytes share one bar whose words change; other steps have a bar each. Nothing is drawn before the first report, so
    that an error before any work is one line.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    count = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        count,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bars = Progress(*columns, console=Console(stderr=True))
    tasks: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int) -> None:
        if not total:
            return
        key = "bytes" if in_bytes else what
        if key not in tasks:
            bars.start()
            tasks[key] = bars.add_task(what, total=total)
        bars.update(tasks[key], description=what, completed=done, total=total)

    try:
        yield report
    finally:
        if tasks:
            bars.stop()


def _summary_json(summary: Summary) -> str:
    fields = (
        "added",
        "changed",
        "removed",
        "unchanged",
        "articles",
        "chunks",
        "embedded",
        "seconds",
        "generation",
    )
    return json.dumps(
        {f: getattr(summary, f) for f in fields}
        | {
            "renamed": [{"from": a, "to": b} for a, b in summary.renamed],
            "duplicates": [{"path": a, "same_as": b} for a, b in summary.duplicates],
            "copies": [{"path": a, "copy_of": b} for a, b in summary.copies],
            "skipped": [{"path": s.path, "reason": s.reason} for s in summary.skipped],
        },
        ensure_ascii=False,
    )


def _print_summary(settings: Settings, summary: Summary) -> None:
    from rag.text.words import plain

    parts = [f"{len(getattr(summary, f))} {f}" for f in ("added", "changed", "removed", "unchanged")]
    parts += [f"{len(summary.renamed)} renamed"] if summary.renamed else []
    parts += [f"{len(summary.duplicates)} there twice"] if summary.duplicates else []
    click.echo(
        f"{settings.index}/: {', '.join(parts)}, {len(summary.skipped)} skipped; "
        f"{summary.chunks} chunks, {summary.embedded} embedded, {summary.seconds:.1f} s"
    )
    for id_, origin in summary.copies:
        click.echo(f"copy {plain(id_)}: tells the same report as {plain(origin)}")
    for id_, twin in summary.duplicates:
        click.echo(f"twice {plain(id_)}: the same article as {plain(twin)}")
    for item in summary.skipped:
        file, reason = plain(item.path.partition("#")[0]), plain(item.reason)
        named = reason if file in reason.partition(": ")[0] else f"{file}: {reason}"
        click.echo(f"skipped {named}", err=True)


@main.command()
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
    "--workers", type=click.IntRange(1, 10_000), help="Workers of --ray (default: one a processor here)."
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
    """Bring the index up to the articles. Only what is new or changed is embedded.

    PATHS are files and folders to look at instead of all; those outside the folder of articles are followed from then on.
    """
    from rag.ingest.build import build
    from rag.ingest.maintenance import check, export, rebuild, restore
    from rag.ingest.ray_embedding import embed_ahead
    from rag.models.embedder import MiniLM
    from rag.models.registry import find_model

    settings = settings.with_options(store=store)
    chosen = [bool(paths), watch, verify, anew, export_to is not None, import_from is not None]
    if sum(chosen) > 1 and chosen[:2] != [True, True]:
        raise click.UsageError("one of PATHS, --watch, --check, --rebuild, --export and --import at a time")
    if export_to is not None:
        size = export(settings, export_to)
        click.echo(
            json.dumps({"file": str(export_to), "bytes": size})
            if as_json
            else f"{export_to}: {size / 1e6:.1f} MB"
        )
        return
    _be_modest()
    embedder = MiniLM(find_model(settings.embedding, settings), threads=settings.threads)
    with _progress() as report:

        def tell(progress: Progress) -> None:
            report(progress.what, progress.done, progress.total)

        if import_from is not None:
            articles_in, chunks_in = restore(settings, embedder, import_from)
            counts = {"articles": articles_in, "chunks": chunks_in}
            text = f"{settings.index}/: {articles_in} articles, {chunks_in} chunks, from {import_from}"
            click.echo(json.dumps(counts) if as_json else text)
            return
        if verify:
            checked = check(settings, embedder, tell)
            summary = checked.summary
            if as_json:
                state = {
                    "articles": checked.articles,
                    "chunks": checked.chunks,
                    "repaired": list(checked.done),
                }
                click.echo(json.dumps(state | {"aside": str(checked.aside) if checked.aside else None}))
            else:
                for line in checked.done:
                    click.echo(f"repaired {line}")
                state_ = "repaired" if checked.done else "sound"
                click.echo(
                    f"{settings.index}/: {state_}; {checked.articles} articles, {checked.chunks} chunks"
                )
        else:
            if cluster is not None:
                embed_ahead(
                    settings,
                    partial(MiniLM, find_model(settings.embedding, settings), threads=1),
                    cluster,
                    workers or os.cpu_count() or 1,
                    tell,
                )
            summary = rebuild(settings, embedder, tell) if anew else build(settings, embedder, tell, paths)
    if summary is not None and not verify:
        if as_json:
            click.echo(_summary_json(summary))
        else:
            _print_summary(settings, summary)
    if watch:
        _watch(settings, embedder, as_json)
    if summary is not None and summary.skipped:
        raise click.exceptions.Exit(1)


def _be_modest() -> None:
    """Leave the processor to whoever answers a question or does anything else."""
    if hasattr(os, "nice"):
        os.nice(10)


def _watch(settings: Settings, embedder: Embedder, as_json: bool) -> None:
    """Bring the index up to each change until Ctrl-C; say what was done when anything was."""
    from rag.ingest.build import build
    from rag.ingest.watch import changes

    click.echo("following the articles; Ctrl-C ends it", err=True)
    told: set[str] = set()
    for _ in changes(settings):
        try:
            summary = build(settings, embedder)
        except CitewireError as error:  # another writer, a full disk: the next look tries again
            click.echo(f"rag: {error}", err=True)
            continue
        reasons = {s.reason for s in summary.skipped}
        if not summary.is_empty or reasons != told:
            click.echo(_summary_json(summary)) if as_json else _print_summary(settings, summary)
        told = reasons


@main.command()
@click.argument("query")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 50), help="Number of passages.")
@click.pass_obj
def search(settings: Settings, query: str, limit: int) -> None:
    """Print the passages that fit QUERY best, with article, date, place in the text, and rank by meaning and by words."""
    from rag.answering.render import source_line
    from rag.assistant import NO_MODEL, Assistant
    from rag.text.words import plain

    assistant = Assistant.open(settings.with_options(model=NO_MODEL))
    for passage in assistant.search(query, limit):
        ranks = f"by meaning {passage.dense_rank or '–'}, by words {passage.lexical_rank or '–'}"
        chunk = passage.chunk
        click.echo(f"{passage.rank}. {source_line(passage.article)}")
        click.echo(
            f"   {passage.article.path}, characters {chunk.start}–{chunk.end}; score {passage.score:.4f} ({ranks})"
        )
        click.echo(f"   {plain(chunk.text)}\n")
    assistant.close()


@main.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def articles(ctx: click.Context, as_json: bool) -> None:
    """List the articles of the index with what they state about themselves; "remove NAME" takes one out."""
    if ctx.invoked_subcommand:
        return
    from rag.answering.render import article_to_dict, source_line
    from rag.assistant import NO_MODEL, Assistant
    from rag.text.words import plain

    assistant = Assistant.open(ctx.obj.with_options(model=NO_MODEL))
    with assistant.reading() as store:
        chunks = store.chunks_by_article()
        for article in store.articles():
            if as_json:
                more = {
                    "id": article.id,
                    "chunks": chunks.get(article.id, 0),
                    "copy_of": article.copy_of or None,
                }
                click.echo(json.dumps(article_to_dict(article) | more, ensure_ascii=False))
            else:
                copy = f" (the same report as {plain(article.copy_of)})" if article.copy_of else ""
                click.echo(f"{plain(article.path)}: {source_line(article)}{copy}")
    assistant.close()


@articles.command()
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def remove(settings: Settings, names: tuple[str, ...]) -> None:
    """Take articles out of the index. The files stay; "rag index FILE" brings one back."""
    from rag.ingest.maintenance import take_out
    from rag.models.embedder import MiniLM
    from rag.models.registry import find_model
    from rag.text.words import plain

    embedder = MiniLM(find_model(settings.embedding, settings), threads=settings.threads)
    for id_ in take_out(settings, embedder, names):
        click.echo(f"{plain(id_)}: taken out; its file is left alone (rag index FILE brings it back)")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def recheck(settings: Settings, file: Path) -> None:
    """Say of answers kept by "rag ask --json" in FILE whether the articles still say what was cited."""
    from rag.answering.freshness import Freshness
    from rag.assistant import NO_MODEL, Assistant
    from rag.text.words import plain

    assistant = Assistant.open(settings.with_options(model=NO_MODEL))
    said = {
        Freshness.CURRENT: "as it was",
        Freshness.CHANGED: "changed since, and still says what was cited",
        Freshness.REWORDED: "changed since, and no longer says what was cited",
        Freshness.GONE: "not in the index any more",
    }
    stale = False
    for question, evidence in _read_answers(file):
        click.echo(plain(question))
        for id_, state in assistant.freshness(evidence).items():
            stale = stale or state is not Freshness.CURRENT
            click.echo(f"  {plain(id_)}: {said[state]}")
    assistant.close()
    raise click.exceptions.Exit(int(stale))


def _read_answers(path: Path) -> list[tuple[str, list[Cited]]]:
    """(question, what its answer cites) of each line that "rag ask --json" printed."""
    from rag.answering.freshness import Cited

    found = []
    for number, line in enumerate(_lines_of(path), 1):
        if line.strip():
            try:
                item = json.loads(line)
                cited = [Cited(str(e["id"]), str(e["version"]), str(e["text"])) for e in item["evidence"]]
                found.append((str(item["question"]), cited))
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(
                    f"{path}, line {number}: not an answer as --json prints it ({error!r})"
                ) from None
    return found


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable ({error}); give a file of what --json printed") from None


def _read_history(path: Path) -> list[Turn]:
    from rag.answering.render import turn_of_dict

    turns = []
    for number, line in enumerate(_lines_of(path), 1):
        if not line.strip():
            continue
        try:
            turns.append(turn_of_dict(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{path}, line {number}: not an answer as --json prints it ({error!r})"
            ) from None
    return turns


@main.command()
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
    from rag.answering.render import answer_to_json, turn_of
    from rag.assistant import Assistant
    from rag.schema import Status

    turns = _read_history(history) if history else []
    assistant = Assistant.open(
        settings.with_options(model=model), on_wait=lambda text: click.echo(text, err=True)
    )
    status = Status.ANSWERED
    try:
        for number, asked in enumerate((question, *follow_ups)):
            if as_json:
                answer = assistant.ask(asked, turns)
                click.echo(answer_to_json(answer))
            else:
                if follow_ups:
                    click.echo(("\n" if number else "") + f"> {asked}")
                answer = _print_stream(assistant.stream(asked, turns))
            turns.append(turn_of(answer))
            status = answer.status
            if status in (Status.FAILED, Status.STOPPED):
                break
    finally:
        assistant.close()
    exits = {Status.UNANSWERED: UNANSWERED, Status.STOPPED: 130, Status.FAILED: 1}
    raise click.exceptions.Exit(exits.get(status, 0))


def _print_stream(stream: Generator[Answer]) -> Answer:
    """Print each statement when it is settled, for a terminal cannot take words back; then the rest. The words that answer
    are bold in a terminal; click takes that away where the output is none."""
    from rag.answering.render import ending_to_text, settled_text
    from rag.text.words import plain

    answer = None
    bold = partial(click.style, bold=True)
    with closing(stream):  # where nobody reads any more, the index is let go before it is closed
        for text, newer in settled_text(stream, bold):
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


@main.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def cases(ctx: click.Context, as_json: bool) -> None:
    """List the answers that readers found wrong ("Not right?" on the page)."""
    if ctx.invoked_subcommand:
        return
    from rag.answering.render import answer_to_dict
    from rag.text.words import plain
    from rag.ui.sessions import Sessions

    for case in Sessions(ctx.obj.data).cases():
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
    from rag.assistant import Assistant
    from rag.text.words import plain
    from rag.ui.sessions import Sessions, repeats

    kept = Sessions(settings.data).cases()
    if not kept:
        click.echo("no case is kept")
        return
    assistant = Assistant.open(
        settings.with_options(model=model), on_wait=lambda text: click.echo(text, err=True)
    )
    wrong = 0
    with _progress() as tell:
        for number, case in enumerate(kept):
            tell("cases", number, len(kept))
            now = assistant.ask(case.answer.question, case.history)
            same = repeats(case, now)
            wrong += same
            said = " ".join(s.text for s in now.shown) or now.missing or now.error or now.note
            click.echo(f"{case.id} {'the same again' if same else 'another answer'}: {plain(said)}")
        tell("cases", len(kept), len(kept))
    assistant.close()
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


@main.group(invoke_without_command=True)
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

    with _progress(in_bytes=True) as report:
        path = get_model(name, settings, lambda p: report(p.message, p.done, p.total), verify=verify)
    click.echo(f"{name}: ready at {path}")


@main.group()
def store() -> None:
    """The index on a server that several hosts read."""


@store.command(name="copy")
@click.argument("source")
@click.argument("target")
@click.pass_obj
def copy_store(settings: Settings, source: str, target: str) -> None:
    """Copy the index from SOURCE to TARGET, a folder and a server (milvus://HOST:19530/NAME), in either direction; nothing is
    embedded again. The same command takes an interrupted copy up."""
    from rag.ingest.build import fingerprint_of
    from rag.models.embedder import MiniLM
    from rag.models.registry import find_model
    from rag.store.publish import copy

    embedder = MiniLM(find_model(settings.embedding, settings), threads=settings.threads)
    with _progress() as report:
        sent = copy(
            source,
            target,
            settings.corpus,
            fingerprint_of(settings, embedder),
            lambda done, total: report("copying", done, total),
        )
    click.echo(f"{target}: {sent} articles copied from {source}")


@main.command()
@click.option("--host", help="Listen on this address (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--public", is_flag=True, help="Allow an address that other machines reach without keys.")
@click.option(
    "--per-minute",
    type=click.IntRange(min=0),
    default=0,
    help="Questions of one key, or without keys of one address, in a minute (default: any number).",
)
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int, public: bool, per_minute: int) -> None:
    """Answer other programs over HTTP: OpenAI-compatible chat, search, articles. Keys are in CITEWIRE_API_KEYS."""
    import uvicorn

    from rag.assistant import Assistant
    from rag.server.http import KEYS, keys_of, make_api
    from rag.server.network import LOOPBACK, check_port, is_loopback

    host = host or "127.0.0.1"
    keys = keys_of()
    is_here = is_loopback(host)
    check_port(host, port, "--port {port}")
    if not is_here and not keys and not public:
        raise ConfigError(f"{host} is open to other machines: set {KEYS}, or say --public if anybody may ask")
    assistant = Assistant.open(settings, on_wait=lambda text: click.echo(text, err=True))
    try:
        app = make_api(assistant, keys, (*LOOPBACK, host) if is_here else ("*",), per_minute)
        assistant.warm()
        click.echo(f"Citewire: http://{host}:{port}/v1 (Ctrl-C ends it)", err=True)
        uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)
    finally:
        assistant.close()


@main.command()
@click.pass_obj
def mcp(settings: Settings) -> None:
    """Offer "ask" and "search" as tools of the Model Context Protocol over standard input and output."""
    from rag.assistant import Assistant
    from rag.server.mcp import make_tools

    assistant = Assistant.open(settings, on_wait=lambda text: click.echo(text, err=True))
    try:
        make_tools(assistant).run("stdio")
    except BaseExceptionGroup as group:
        _, rest = group.split(BrokenPipeError)  # who started this program reads no more
        if rest is not None:
            raise
    finally:
        assistant.close()


@main.command(name="eval", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def evaluate(arguments: tuple[str, ...]) -> None:
    """Run the evaluation suite (all options: rag eval --help)."""
    # a process of its own: the suite stands outside and enters by the front door like any other user
    raise click.exceptions.Exit(
        subprocess.run([sys.executable, "-m", "eval", *arguments], check=False).returncode
    )


if __name__ == "__main__":
    main()
