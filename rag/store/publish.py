"""Publishing: sends the index of this host to a server that other hosts read, or copies it back. It also opens the store that
the settings name.

This module knows the catalogue and the server, but neither files of articles nor questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from rag.config import Settings
from rag.errors import StoreError
from rag.store.base import Fingerprint, Store, embedded_key
from rag.store.catalog import Catalog
from rag.store.local import LocalStore, Update, tidy, write, writer_lock
from rag.store.milvus import BATCH_CHARS, MilvusStore, Published, Writer, hash_of
from rag.store.milvus_client import Address, Server
from rag.store.records import ArticleRecord, NewArticle, NewChunk
from rag.text import near_duplicates

Progress = Callable[[int, int], None]
"""Called with the number of articles done and the total."""

WORDS = "words"  # the folder of this host's copy of a server's words, inside `settings.index`


def address_of(settings: Settings) -> Address | None:
    """The server that the settings name, None where the index is in files. Raises `ConfigError`."""
    return Address.of(settings.store, settings.corpus) if settings.store else None


def open_store(settings: Settings, fingerprint: Fingerprint) -> Store:
    """The newest generation of the index that the settings name. Raises `StoreError` as the two stores do."""
    address = address_of(settings)
    if address is None:
        return LocalStore(settings.index, fingerprint)
    return MilvusStore(Server(address), _cache(settings.index, address), fingerprint)


def _cache(folder: Path, address: Address) -> Path:
    return folder / f"{WORDS}-{sha256(str(address).encode()).hexdigest()[:8]}"


def _mark(record: ArticleRecord) -> str:
    """A hash that changes with an article's content, version, file or first near-duplicate."""
    text = f"{record.digest.hex()} {record.version} {record.origin} {record.file}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _published(catalog: Catalog, record: ArticleRecord, dimension: int) -> Published:
    import numpy as np

    article = catalog.article(record.id)
    if article is None:
        raise StoreError(f"{record.id}: not in the catalogue any more; run: rag index --check")
    found = catalog.lookup(catalog.chunk_ids(record.id))
    vectors = catalog.vectors_of([id_ for id_, _, _ in found])
    title = article.title.value if article.title else ""
    rows = np.frombuffer(b"".join(vectors[id_] for id_, _, _ in found), dtype="<f4").reshape(-1, dimension)
    return Published(article, _mark(record), record.file, tuple((c, title) for _, c, _ in found), rows)


def publish(
    catalog: Catalog,
    writer: Writer,
    fingerprint: Fingerprint,
    progress: Progress,
    changed: Sequence[str] | None = None,
) -> int:
    """Update the index on the server to the catalogue, generation by generation. Returns how many articles were sent.

    An interrupted publication is undone first. What the server has already is not sent again. All articles are compared, or
    only those of the ids `changed`. Raises `StoreError`; then readers see the last complete generation.
    """
    there = writer.marks(changed)
    here = {hash_of(h.id): h for h in catalog.records(ids=changed)}
    new = [h for key, h in here.items() if there.get(key, ("", ""))[0] != _mark(h)]
    gone = [row for key, (_, row) in there.items() if key not in here]
    if not new and not gone:
        return 0
    replaced: list[str] = []
    added: list[Published] = []
    chars = 0
    for number, record in enumerate(new):
        if chars >= BATCH_CHARS:
            writer.publish(replaced, added, catalog.publishers())
            replaced, added, chars = [], [], 0
        progress(number, len(new))
        added.append(_published(catalog, record, fingerprint.dimension))
        if before := there.get(hash_of(record.id)):
            replaced.append(before[1])
        chars += len(added[-1].article.body)
    writer.publish([*replaced, *gone], added, catalog.publishers())
    progress(len(new), len(new))
    writer.purge()
    writer.seal()
    return len(new)


def publish_where_set(
    settings: Settings,
    catalog: Catalog,
    fingerprint: Fingerprint,
    progress: Progress = lambda done, total: None,
) -> int:
    """Publish to the server that the settings name, if they name one; returns how many articles were sent. From the second
    time on, only what changed since then is compared. Call it under `writer_lock`."""
    address = address_of(settings)
    if address is None or not catalog.generation():
        return 0
    with closing(Server(address)) as server:
        writer = Writer(server, fingerprint)
        is_next = writer.is_at(catalog.published(str(address)))
        sent = publish(catalog, writer, fingerprint, progress, catalog.changed() if is_next else None)
        catalog.set_published(str(address), writer.state.stamp)
        return sent


def copy(source: str, target: str, corpus: str, fingerprint: Fingerprint, progress: Progress) -> int:
    """Copy an index from a folder to a server, or from a server to a folder, without embedding anything. Returns how many
    articles were sent. After an interruption, the same command continues.

    Raises `StoreError` where the source was made by other settings, or where both are folders or both are servers.
    """
    if "://" in target and "://" not in source:
        folder = Path(source)
        with closing(Catalog(folder)) as catalog, closing(Server(Address.of(target, corpus))) as server:
            if catalog.fingerprint() != fingerprint:
                raise StoreError(f"{folder}/: empty, or made by other settings; run: rag index")
            return publish(catalog, Writer(server, fingerprint), fingerprint, progress)
    if "://" in source and "://" not in target:
        folder, address = Path(target), Address.of(source, corpus)
        with closing(Server(address)) as server, writer_lock(folder):
            return _fetch(MilvusStore(server, _cache(folder, address), fingerprint), folder, progress)
    raise StoreError(
        "rag store copy goes from a folder to a server, or back; a folder is copied with --export"
    )


def _fetch(store: MilvusStore, folder: Path, progress: Progress) -> int:
    import numpy as np

    with closing(Catalog(folder, create=True)) as catalog:
        if catalog.fingerprint() not in (None, store.fingerprint):
            raise StoreError(f"{folder}/: made by other settings; name another folder")
        indexed = {h.id: h for h in catalog.records()}
        batch: list[NewArticle] = []
        replaced: list[str] = []
        chars = sent = 0
        for done, (article, file, chunks, vectors) in enumerate(store.stored(), 1):
            before = indexed.pop(article.id, None)
            if before is None or (before.version, before.file) != (article.version, file):
                keys = [embedded_key(store.fingerprint.embedding, title, c.text) for c, title in chunks]
                with catalog.transaction():
                    catalog.add_vectors(
                        (k, np.asarray(v, dtype="<f4").tobytes()) for k, v in zip(keys, vectors, strict=True)
                    )
                made = tuple(NewChunk(c, title, k) for (c, title), k in zip(chunks, keys, strict=True))
                batch.append(NewArticle(article, file, made, near_duplicates.sketch(article.body)))
                replaced += [article.id] if before else []
                chars += len(article.body)
                sent += 1
            if chars >= BATCH_CHARS:
                write(folder, catalog, store.fingerprint, Update(removed=replaced, added=batch))
                batch, replaced, chars = [], [], 0
            progress(done, store.article_count())
        replaced += sorted(indexed)  # what the server does not have
        if batch or replaced:
            write(folder, catalog, store.fingerprint, Update(removed=replaced, added=batch))
        tidy(folder, catalog, store.fingerprint.dimension)
        return sent
