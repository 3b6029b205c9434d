"""`make bench`: how fast, how large and how exact the index is; writes a table, its numbers and a plot."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eval.bench import measures
from eval.bench.report import write_report
from eval.bench.serving import serving
from eval.bench.shared import shared
from eval.bench.synthetic import real_texts
from rag.config import load_settings
from rag.models.registry import find_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARTS = ("embedding", "quality", "yielding", "adding", "search", "serving", "shared")
REAL = 2000  # passages that are embedded to synthesise from: a minute or two
ASKED = 200


def _real_vectors(work: Path, name: str, texts: tuple[str, ...], model: Path) -> NDArray[np.float32]:
    """The vectors of texts, kept in `work` for the next time."""
    import numpy as np

    file = work / f"{name}-{len(texts)}.npy"
    if not file.exists():
        from rag.models.embedder import MiniLM

        embedder = MiniLM(model, threads=2)
        click.echo(f"embedding {len(texts)} {name}", err=True)
        np.save(file, embedder.encode([t[:800] for t in texts]))
    loaded: NDArray[np.float32] = np.load(file)
    return loaded


@click.command()
@click.option(
    "--part", "parts", multiple=True, type=click.Choice(PARTS), help="Measure this alone; repeatable."
)
@click.option("--chunks", default=1_000_000, show_default=True, help="Chunks of the large index.")
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True), help="Folder of public sets: real texts, SciFact."
)
@click.option(
    "--work", type=click.Path(path_type=Path), default=Path("eval/runs/bench"), help="Where indexes are kept."
)
@click.option("--only-search", is_flag=True, hidden=True)
def main(parts: tuple[str, ...], chunks: int, data: Path | None, work: Path, only_search: bool) -> None:
    """Measure the index. At a million chunks it needs 8 GB of disk and about 20 minutes."""
    settings = load_settings()
    model = find_model(settings.embedding, settings)
    work.mkdir(parents=True, exist_ok=True)
    texts = real_texts(data, settings.seeds, REAL)
    passages = _real_vectors(work, "passages", tuple(t[:800] for t in texts.passages), model)
    asked = _real_vectors(work, "questions", texts.questions[:ASKED], model)
    if only_search:
        click.echo(json.dumps(measures.searching(work, chunks, texts, asked, model)))
        return

    def report(what: str, done: int, total: int) -> None:
        if sys.stderr.isatty() or done == total:
            click.echo(f"{what} {done}/{total}", err=True)

    results: dict[str, object] = {}
    chosen = parts or PARTS
    if "embedding" in chosen:
        results["embedding"] = measures.embedding(model, texts, work, report)
    if "quality" in chosen and data is not None:
        results["quality"] = measures.quality(data, model, work, report)
    if "yielding" in chosen:
        results["yielding"] = measures.yielding(texts, work, report)
    sizes = sorted({1000, min(100_000, chunks), chunks})
    if {"adding", "search"} & set(chosen):
        for size in sizes:
            measures.prepare(work, size, texts, passages, report)
    if "search" in chosen:
        same = ["--work", str(work), *(["--data", str(data)] if data else [])]
        results["search"] = [measures.searching_apart([*same, "--chunks", str(size)]) for size in sizes]
    if "serving" in chosen:
        results["serving"] = serving(report)
    if "shared" in chosen:
        size = min(100_000, chunks)
        measures.prepare(work, size, texts, passages, report)
        results["shared"] = shared(work, size, texts, passages, asked, report)
    if "adding" in chosen:
        results["adding"] = measures.adding(work, (sizes[0], sizes[-1]), texts, passages, report)
    click.echo(write_report(work, results))


if __name__ == "__main__":
    main()
