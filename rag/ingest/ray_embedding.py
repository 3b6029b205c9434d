"""Embedding a large archive in advance, with parallel Ray Data workers. Workers read, cut and embed the files; the vectors are
stored here, batch by batch. `rag.ingest.build` then finds every vector stored, so the resulting index is the same.

This module knows files, texts and vectors, not the index that is made of them. Workers on other hosts need this program and
the same paths.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.config import Settings
from rag.errors import ArticleError, ConfigError, missing_extra
from rag.ingest.build import Progress, cut, fingerprint_of
from rag.ingest.sandbox import Extractor
from rag.ingest.sidecars import Sidecars
from rag.ingest.sources import Source, read, scan
from rag.protocols import Embedder
from rag.store.base import Fingerprint, embedded_text
from rag.store.catalog import Catalog
from rag.store.local import writer_lock

WINDOW = 16_384  # texts that wait to be embedded: about 12 MB
BATCH = 64  # texts to a worker at once
KEPT_AT_ONCE = 1024  # vectors to one transaction: what Ctrl-C or a killed worker can lose
LOCAL = "local"
CONNECT_S = 5.0

MakeEmbedder = Callable[[], Embedder]
"""Creates the embedding model in a worker, to which it is sent."""


@dataclass(frozen=True, slots=True)
class _Read:
    """Reads and cuts files, in a worker."""

    sources: tuple[Source, ...]
    sidecars: tuple[Sidecars, ...]
    settings: Settings
    embedding: str

    def __call__(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The texts of one file, with their keys. Unreadable files are left to the build, which reports them."""
        number = int(row["file"])
        try:
            with Extractor(self.settings.fields) as extractor:
                content = read(self.sources[number], self.sidecars[number], extractor)
        except ArticleError:
            return
        for article in content.articles:
            for new in cut(article, self.settings, self.embedding):
                yield {"key": new.embedded.hex(), "text": embedded_text(new.title, new.chunk.text)}


class _Embed:
    """Embeds texts, in a worker that keeps the model."""

    def __init__(self, make: MakeEmbedder) -> None:
        self._embedder = make()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The vectors of a batch, as bytes of float32."""
        import numpy as np

        vectors = np.asarray(self._embedder.encode([str(t) for t in batch["text"]]), dtype="<f4")
        return {"key": batch["key"], "vector": [row.tobytes() for row in vectors]}


def _ray(address: str) -> Any:
    """Ray, connected to a cluster, or to one on this machine that starts and ends with this process."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # otherwise it would send reports over the network
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise missing_extra("rag index --ray", "ray") from None
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdigit():  # Ray itself would try for half a minute and print much
            socket.create_connection((host, int(port)), CONNECT_S).close()
        options: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
        if address == LOCAL:
            # with a given address, Ray does not probe the network
            ray.init(include_dashboard=False, _node_ip_address="127.0.0.1", **options)
        else:
            ray.init(address=address, **options)
    except (OSError, RuntimeError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise ConfigError(
            f"--ray {address}: no cluster there ({said}); leave the address out for this machine"
        ) from None
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    return ray


def embed_ahead(
    settings: Settings, make: MakeEmbedder, address: str, workers: int, progress: Callable[[Progress], None]
) -> int:
    """Embed the texts whose vectors are not stored yet, of the articles in `settings.seeds` and in the paths named before.
    Returns the number of texts. `address` is that of a cluster, or `LOCAL`.

    Stored vectors are kept after an interruption: the same command continues. Raises `ConfigError` where Ray or its
    cluster is missing, `StoreError` when another process is writing the index.
    """
    fingerprint = fingerprint_of(settings, make())
    with writer_lock(settings.index):
        catalog = Catalog(settings.index, create=True)
        try:
            found = scan(settings.seeds, catalog.roots())
            ray = _ray(address)
            try:
                return _run(
                    ray,
                    settings,
                    fingerprint,
                    catalog,
                    found.sources,
                    found.sidecars,
                    make,
                    workers,
                    progress,
                )
            finally:
                ray.shutdown()
        finally:
            catalog.close()


def _run(
    ray: Any,
    settings: Settings,
    fingerprint: Fingerprint,
    catalog: Catalog,
    sources: Sequence[Source],
    sidecars: dict[Any, Sidecars],
    make: MakeEmbedder,
    workers: int,
    progress: Callable[[Progress], None],
) -> int:
    tables = tuple(sidecars.get(s.folder, Sidecars()) for s in sources)
    reading = _Read(tuple(sources), tables, settings, fingerprint.embedding)
    texts = ray.data.from_items([{"file": n} for n in range(len(sources))]).flat_map(reading)
    done = 0
    waiting: dict[bytes, str] = {}

    def embed() -> None:
        nonlocal done
        known = catalog.known_vectors(waiting)
        todo = sorted(((k, t) for k, t in waiting.items() if k not in known), key=lambda kt: -len(kt[1]))
        waiting.clear()
        if not todo:
            return
        rows = ray.data.from_items([{"key": k.hex(), "text": t} for k, t in todo])
        made = rows.map_batches(_Embed, fn_constructor_args=(make,), batch_size=BATCH, concurrency=workers)
        for batch in made.iter_batches(batch_size=KEPT_AT_ONCE):
            with catalog.transaction():
                catalog.add_vectors(
                    (bytes.fromhex(str(k)), bytes(v))
                    for k, v in zip(batch["key"], batch["vector"], strict=True)
                )
            done += len(batch["key"])
            progress(Progress("embedding", done, done + len(todo) - len(batch["key"])))

    for batch in texts.iter_batches(batch_size=KEPT_AT_ONCE):
        waiting |= {bytes.fromhex(str(k)): str(t) for k, t in zip(batch["key"], batch["text"], strict=True)}
        if len(waiting) >= WINDOW:
            embed()
    embed()
    return done
