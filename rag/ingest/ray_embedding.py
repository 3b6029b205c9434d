"""Embedding a large archive in advance, with parallel Ray Data workers. Workers read, cut and embed the files; the vectors are
stored here, batch by batch. `rag.ingest.build` then finds every vector stored, so the resulting index is the same.

This module knows files, texts and vectors, not the index that is made of them. Workers on other hosts need this program and
the same paths.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from rag.config import Settings
from rag.errors import ArticleError, ConfigError, missing_extra
from rag.ingest.build import Tell, cut, fingerprint_of
from rag.ingest.sandbox import Extractor
from rag.ingest.sources import Found, read, scan
from rag.protocols import Embedder
from rag.store.base import embedded_text
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

    found: Found
    settings: Settings
    embedding: str

    def __call__(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The texts of one file, with their keys. Unreadable files are left to the build, which reports them."""
        source = self.found.sources[int(row["file"])]
        try:
            with Extractor(self.settings.fields) as extractor:
                content = read(source, self.found.sidecars_of(source), extractor)
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


@contextmanager
def _ray(address: str) -> Iterator[Any]:
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
    try:
        yield ray
    finally:
        ray.shutdown()


def embed_ahead(settings: Settings, make: MakeEmbedder, address: str, workers: int, progress: Tell) -> int:
    """Embed the texts whose vectors are not stored yet, of the articles in `settings.seeds` and in the paths named before.
    Returns the number of texts. `address` is that of a cluster, or `LOCAL`.

    Stored vectors are kept after an interruption: the same command continues. Raises `ConfigError` where Ray or its
    cluster is missing, `StoreError` when another process is writing the index.
    """
    embedding = fingerprint_of(settings, make()).embedding
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
            progress("embedding", done, done + len(todo) - len(batch["key"]))

    with writer_lock(settings.index), closing(Catalog(settings.index, create=True)) as catalog:
        found = scan(settings.seeds, catalog.roots())
        with _ray(address) as ray:
            files = ray.data.from_items([{"file": n} for n in range(len(found.sources))])
            texts = files.flat_map(_Read(found, settings, embedding))
            for batch in texts.iter_batches(batch_size=KEPT_AT_ONCE):
                rows = zip(batch["key"], batch["text"], strict=True)
                waiting |= {bytes.fromhex(str(k)): str(t) for k, t in rows}
                if len(waiting) >= WINDOW:
                    embed()
            embed()
    return done
