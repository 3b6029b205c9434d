"""The index on a Milvus server, for corpora that several hosts read: articles, chunks and vectors, in generations.

One host indexes: its catalogue keeps the files and vectors, and each generation is published from there. Every row has the
generation that added it and the one that removed it. Searches filter by both, so a reader sees one generation whatever a
writer does. Each reading host searches words in its own copy of the server's texts, with the same code as an index in files,
so BM25 scores are the same. This module knows rows, not how articles are read or questions asked.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.codec import article_of, row_of
from rag.errors import StoreError
from rag.schema import EVERY_ARTICLE, Article, Choice, Chunk
from rag.store import bm25 as words
from rag.store.base import Fingerprint, check_fingerprint, embedded_text
from rag.store.bm25 import LexicalIndex, write_lexical
from rag.store.files import write_file
from rag.store.milvus_client import BATCH_ROWS, KINDS, Server, State, level_of, one_of, parts_of, suffix_of
from rag.store.records import LexicalFiles
from rag.text.words import fold

if TYPE_CHECKING:
    from rag.protocols import Vectors

LIVE = 2**62  # stands for "not removed" as the generation that removed a row
KEPT = 3  # generations whose removed rows are kept, for readers that still use them
PROPAGATED_S = 15.0  # after this time every node of the server has a generation, even where clocks differ
PIECE_BYTES = 60_000  # of a body in one row; a text field has at most 65,535
BATCH_CHARS = 8_000_000  # of article texts in one generation: limits what an interruption can lose
CACHED = 4096  # articles kept in memory
AT_ONCE = 100  # articles read together
LEAST_EF = 256  # candidates that a search looks at
# Rows that were not flushed are searched by a coarse index of the server (it looks at 16 of 128 lists), which misses one neighbour
# in ten. Below some 5,000 rows it makes none and searches them one by one.
MOST_UNSEALED = 4000


def hash_of(text: str) -> str:
    """A hash of an article id for use in a filter, where the id itself might need escapes."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def pieces_of(body: str) -> list[str]:
    """A body cut into pieces that fit a row. Joined, they are the body again."""
    data = body.encode("utf-8", "surrogatepass")
    made = []
    start = 0
    while start < len(data):
        end = min(len(data), start + PIECE_BYTES)
        while end < len(data) and data[end] & 0xC0 == 0x80:  # not inside a character
            end -= 1
        made.append(data[start:end].decode("utf-8", "surrogatepass"))
        start = end
    return made


def in_generation(generation: int) -> str:
    """The filter for the rows of a generation."""
    return f"added <= {generation} and removed > {generation}"


def filters_of(choice: Choice, publishers: Sequence[str]) -> list[str]:
    """The filters for the chunks that a reader wants, of articles of those `publishers` in the index; incomplete
    dates are stored as 0 and pass."""
    made = []
    if choice.publishers:
        wanted = {fold(p) for p in choice.publishers}
        made.append(f"publisher in {one_of([p for p in publishers if fold(p) in wanted])}")
    after, before = choice.after, choice.before
    if after and after.year:
        first = after.year * 10_000 + (after.month or 1) * 100 + (after.day or 1)
        made.append(f"(published == 0 or published >= {first})")
    if before and before.year:
        last = before.year * 10_000 + (before.month or 12) * 100 + (before.day or 31)
        made.append(f"(published == 0 or published <= {last})")
    return made


@dataclass(frozen=True, slots=True)
class Published:
    """An article to publish: a mark that identifies this version of it, the file it was read from, its chunks with their
    titles, and their vectors."""

    article: Article
    mark: str
    file: str
    chunks: tuple[tuple[Chunk, str], ...]
    vectors: Vectors


def _day(article: Article) -> int:
    """The day of publication as 20250710, 0 where it is not known."""
    date = article.published.date if article.published else None
    if date is None or date.year is None or date.month is None or date.day is None:
        return 0
    return date.year * 10_000 + date.month * 100 + date.day


def _rows_of(new: Published, first: int, generation: int) -> dict[str, list[dict[str, Any]]]:
    """The rows of an article by their collection; its chunks get the ids from `first` on."""
    article = new.article
    key = f"{hash_of(article.id)}-{generation:x}"
    lives = {"added": generation, "removed": LIVE}
    stated = {"published": _day(article), "publisher": article.publisher.value if article.publisher else ""}
    row = {**row_of(replace(article, body="")), "chunks": len(new.chunks), "file": new.file}
    return {
        "chunks": [
            {"key": id_, "article": key, "begins": chunk.start, "ends": chunk.end, "title": title}
            | {"text": chunk.text, "vector": vector, **stated, **lives}
            for id_, ((chunk, title), vector) in enumerate(zip(new.chunks, new.vectors, strict=True), first)
        ],
        "bodies": [
            {"key": f"{key}-{n:x}", "article": key, "piece": n, "text": text}
            for n, text in enumerate(pieces_of(article.body))
        ],
        "articles": [
            {"key": key, "id_hash": hash_of(article.id), "mark": new.mark, "row": json.dumps(row), **lives}
        ],
    }


class Writer:
    """Publishes generations. One host at a time."""

    def __init__(self, server: Server, fingerprint: Fingerprint) -> None:
        """Create missing collections and undo an interrupted publication. Raises `StoreError`."""
        self._server = server
        found = server.state(newest=True)
        if found is None or found.fingerprint != fingerprint:
            self.state = State(0 if found is None else found.generation, fingerprint, suffix_of(fingerprint))
            self._replaces = found
        else:
            self.state = found
            self._replaces = None
        server.make(self.state)
        if self._replaces is not None or server.begun() > self.state.generation:
            self._roll_back()

    def _roll_back(self) -> None:
        now = self.state.generation
        if self._replaces is not None:
            now = -1  # nothing with a new fingerprint was ever committed
        self._delete(f"added > {now}", newest=True)
        for kind in ("chunks", "articles"):
            undone = list(self._read(kind, f"removed > {now} and removed < {LIVE}", ("*",)))
            self._server.put(kind, self.state.suffix, [{**row, "removed": LIVE} for row in undone])

    def _delete(self, where: str, *, newest: bool) -> None:
        """Delete articles with their texts and chunks. The rows of articles go last: an interruption leaves them to be found."""
        server, suffix = self._server, self.state.suffix
        for kind in ("chunks", "articles"):
            keys = [r["key"] for r in server.rows(kind, suffix, where, (), newest=newest)]
            for some in parts_of(keys if kind == "articles" else [], AT_ONCE):
                rows = self._read("bodies", f"article in {one_of(some)}", ())
                server.delete("bodies", suffix, [r["key"] for r in rows])
            server.delete(kind, suffix, keys)

    def is_at(self, stamp: str) -> bool:
        """Whether the newest generation has that stamp and was made by the same settings."""
        return self._replaces is None and self.state.stamp == stamp

    def marks(self, ids: Sequence[str] | None = None) -> dict[str, tuple[str, str]]:
        """For the articles of those ids (all of the newest generation), by the hash of the id: (its mark, its key)."""
        if self._replaces is not None:
            return {}
        filters = [now := in_generation(self.state.generation)]
        if ids is not None:
            parts = parts_of([hash_of(i) for i in ids], AT_ONCE)
            filters = [f"{now} and id_hash in {one_of(part)}" for part in parts]
        return {
            r["id_hash"]: (r["mark"], r["key"])
            for where in filters
            for r in self._read("articles", where, ("id_hash", "mark"))
        }

    def _read(self, kind: str, where: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        return self._server.rows(kind, self.state.suffix, where, fields, newest=True)

    def publish(self, removed: Sequence[str], added: Sequence[Published], publishers: Sequence[str]) -> None:
        """Publish one generation: without the articles of the keys `removed`, with `added`. Raises `StoreError`; then readers
        still see the previous one."""
        server, suffix = self._server, self.state.suffix
        generation = self.state.generation + 1
        next_id = self.state.next_id
        made: dict[str, list[dict[str, Any]]] = {"chunks": [], "bodies": [], "articles": []}
        for new in added:
            for kind, some in _rows_of(new, next_id, generation).items():
                made[kind] += some
            next_id += len(new.chunks)
        server.begin(generation)
        for kind, rows in made.items():
            server.put(kind, suffix, rows)
        sent, gone = len(made["chunks"]), 0
        for part in parts_of(removed, AT_ONCE):
            keys = one_of(part)
            for kind, where in (
                ("chunks", f"article in {keys} and removed == {LIVE}"),
                ("articles", f"key in {keys}"),
            ):
                rows = [{**r, "removed": generation} for r in self._read(kind, where, ("*",))]
                server.put(kind, suffix, rows)
                gone += len(rows) if kind == "chunks" else 0
        current = server.state(newest=True)
        if current is not None and current.generation != self.state.generation:
            raise StoreError(
                f"{server.address}: another host has indexed meanwhile; run again, on one host only"
            )
        self.state = replace(
            self.state,
            generation=generation,
            next_id=next_id,
            unsealed=self.state.unsealed + sent + gone,
            at=time.time(),
            articles=self.state.articles + len(added) - len(removed),
            chunks=self.state.chunks + sent - gone,
            publishers=tuple(publishers),
        )
        server.commit(self.state)
        for kind in KINDS:  # the plain names of the collections, for other tools
            target, alias = server.collection(kind, suffix), server.collection(kind)
            if current is None:
                server.call("create_alias", target, alias)
            elif self._replaces is not None:
                server.call("alter_alias", target, alias)
                server.call("drop_collection", server.collection(kind, self._replaces.suffix))
        self._replaces = None

    def seal(self) -> None:
        """Have the server flush when much was sent since the last flush: only flushed rows get the `HNSW` index. If that
        fails, a later update does it. Until then searches are only less exact."""
        if self.state.unsealed <= MOST_UNSEALED:
            return
        with suppress(StoreError):
            self._server.call("flush", self._server.collection("chunks", self.state.suffix))
            self.state = replace(self.state, unsealed=0)
            self._server.commit(self.state)

    def purge(self) -> None:
        """Delete rows that no reader can still see. Rows removed so recently that the server does not return them yet are
        deleted after a later update."""
        self._delete(f"removed <= {self.state.generation - KEPT}", newest=False)


class MilvusStore:
    """One generation of an index on a server. Its methods are those of `rag.store.base.Store`."""

    def __init__(
        self, server: Server, cache: Path, fingerprint: Fingerprint, known: MilvusStore | None = None
    ) -> None:
        """Open the newest generation. `cache` is a folder of this host for the word index; `known` is an open store of the
        same index.

        Raises `StoreError` when there is no index, when other settings made it, or the server does not answer.
        """
        self.server = server
        self.fingerprint = fingerprint
        self._cache = cache
        self._articles: OrderedDict[str, Article] = known._articles if known else OrderedDict()
        self._lock: threading.Lock = known._lock if known else threading.Lock()
        state = server.state(newest=known is None)
        made_by = state.fingerprint if state is not None and state.generation else None
        check_fingerprint(str(server.address), made_by, fingerprint)
        assert state is not None
        self.state = state
        is_same = known is not None and known.state == state
        self._caught_up: set[str] = known._caught_up if known and is_same else set()
        self._words: LexicalIndex = LexicalIndex(cache, self._words_copy(), known._words if known else None)
        if self._words.count() != state.chunks:
            (cache / "words.json").unlink(missing_ok=True)
            self._words = LexicalIndex(cache, self._words_copy())

    @property
    def generation(self) -> int:
        return self.state.generation

    def _must_wait(self, kind: str) -> bool:
        """Whether a read must wait for the very newest rows. Only the first read of a collection must, while the generation
        may not have reached every node. Later reads need not, because a server never goes back to older rows."""
        return kind not in self._caught_up and time.time() - self.state.at < PROPAGATED_S

    def _words_copy(self) -> LexicalFiles:
        """The word index of this generation in the cache. An earlier one is updated; without one it is built."""
        file, now = self._cache / "words.json", self.state.generation
        self._cache.mkdir(parents=True, exist_ok=True)
        base, since = None, 0
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            copy = LexicalFiles(kept["name"], tuple((n, h) for n, h in kept["files"]))
            is_near = now - KEPT < kept["generation"] <= now
            if kept["suffix"] == self.state.suffix and is_near and words.is_present(self._cache, copy):
                base, since = copy, int(kept["generation"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none yet, or not readable: it is built
        if base is not None and since == now:
            return base
        where = f"added <= {since} and removed > {since} and removed <= {now}"
        gone = [r["key"] for r in self._rows("chunks", where, ())] if base is not None else []
        rows = self._rows("chunks", f"added > {since} and {in_generation(now)}", ("title", "text"))
        texts = ((int(r["key"]), embedded_text(r["title"], r["text"])) for r in rows)
        made = write_lexical(self._cache, base, gone, texts, self.state.chunks)
        told = {"generation": now, "suffix": self.state.suffix, "name": made.name, "files": made.files}
        write_file(file, json.dumps(told).encode())
        words.delete_unused(self._cache, [made.name, *([base.name] if base else [])])
        return made

    def _rows(self, kind: str, where: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        yield from self.server.rows(kind, self.state.suffix, where, fields, newest=self._must_wait(kind))
        self._caught_up.add(kind)

    def reopened(self) -> MilvusStore:
        return MilvusStore(self.server, self._cache, self.fingerprint, self)

    def is_behind(self) -> bool:
        """As in `Store`. A newer one is noticed after `STALE_S` at the latest."""
        state = self.server.state()
        return state is None or (state.generation, state.suffix) != (self.state.generation, self.state.suffix)

    def release(self) -> None:
        """Does nothing: a writer keeps the rows of `KEPT` generations anyway."""

    def resume(self) -> bool:
        return not self.is_behind()

    def close(self) -> None:
        """Does nothing: whoever opened the server closes it."""

    def articles(self, limit: int = -1) -> list[Article]:
        heads = self._heads()
        keys = sorted(heads, key=lambda k: str(heads[k]["id"]))[: limit if limit >= 0 else None]
        found = self._of_keys(keys)
        return [found[k] for k in keys]

    def each_article(self) -> Iterator[Article]:
        keys = [str(r["key"]) for r in self._rows("articles", in_generation(self.generation), ())]
        for some in parts_of(keys, AT_ONCE):
            yield from self._of_keys(some).values()

    def _heads(self, keys: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """What is stored of the articles of those keys (all of this generation) apart from their text, by key."""
        where = in_generation(self.generation) if keys is None else f"key in {one_of(keys)}"
        return {str(r["key"]): json.loads(r["row"]) for r in self._rows("articles", where, ("row",))}

    def article_count(self) -> int:
        return self.state.articles

    def article(self, id_: str) -> Article | None:
        where = f"id_hash == {json.dumps(hash_of(id_))} and {in_generation(self.generation)}"
        keys = [str(r["key"]) for r in self._rows("articles", where, ())]
        return self._of_keys(keys)[keys[0]] if keys else None

    def chunk_count(self) -> int:
        return self.state.chunks

    def publishers(self) -> list[str]:
        return list(self.state.publishers)

    def chunks_by_article(self) -> dict[str, int]:
        return {str(head["id"]): int(head["chunks"]) for head in self._heads().values()}

    def dense(self, vector: Vectors, limit: int, choice: Choice = EVERY_ARTICLE) -> list[tuple[int, float]]:
        """As in `Store`; the server leaves out what `choice` excludes, except articles whose date lacks the month or day."""
        within = [in_generation(self.generation), *filters_of(choice, self.state.publishers)]
        found = self.server.call(
            "search",
            self.server.collection("chunks", self.state.suffix),
            [vector],
            limit=limit,
            filter=" and ".join(within),
            search_params={"metric_type": "IP", "params": {"ef": max(LEAST_EF, 2 * limit)}},
            consistency_level=level_of(self._must_wait("chunks")),
        )
        self._caught_up.add("chunks")
        pairs = [(int(h["key"] if "key" in h else h["id"]), float(h["distance"])) for h in found[0]]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def lexical(self, query: str, limit: int) -> list[tuple[int, float]]:
        return self._words.search(query, limit)

    def lookup(self, ids: Sequence[int]) -> list[tuple[int, Chunk, Article]]:
        if not ids:
            return []
        where = f"key in {[int(i) for i in ids]}"
        rows = {int(r["key"]): r for r in self._rows("chunks", where, ("article", "begins", "ends", "text"))}
        articles = self._of_keys(sorted({str(r["article"]) for r in rows.values()}))
        made = []
        for id_ in ids:
            if id_ in rows:
                row = rows[id_]
                article = articles[str(row["article"])]
                chunk = Chunk(article.id, int(row["begins"]), int(row["ends"]), str(row["text"]))
                if article.body[chunk.start : chunk.end] != chunk.text:
                    where = f"{self.server.address}: chunk {id_}"
                    raise StoreError(f"{where} is not in {article.id}; run: rag index --rebuild")
                made.append((id_, chunk, article))
        return made

    def facts(self, ids: Sequence[int]) -> dict[int, Article]:
        keys: dict[int, str] = {}
        for some in parts_of(ids, BATCH_ROWS):
            where = f"key in {[int(i) for i in some]}"
            keys |= {int(r["key"]): str(r["article"]) for r in self._rows("chunks", where, ("article",))}
        with self._lock:
            found = {k: replace(a, body="") for k in keys.values() if (a := self._articles.get(k))}
        for part in parts_of(sorted(set(keys.values()) - found.keys()), BATCH_ROWS):
            found |= {key: article_of(head) for key, head in self._heads(part).items()}
        return {id_: found[key] for id_, key in keys.items() if key in found}

    def _of_keys(self, keys: Sequence[str]) -> dict[str, Article]:
        """Articles by their keys; those read before are cached, because the rows of a key never change."""
        with self._lock:
            found = {k: self._articles[k] for k in keys if k in self._articles}
        missing = [k for k in keys if k not in found]
        for some in parts_of(missing, AT_ONCE):
            heads = self._heads(some)
            bodies: dict[str, list[tuple[int, str]]] = {}
            for row in self._rows("bodies", f"article in {one_of(some)}", ("article", "piece", "text")):
                bodies.setdefault(str(row["article"]), []).append((int(row["piece"]), str(row["text"])))
            for key in some:
                if key not in heads:
                    raise StoreError(f"{self.server.address}: an article is gone; ask again")
                body = "".join(text for _, text in sorted(bodies.get(key, ())))
                found[key] = replace(article_of(heads[key]), body=body)
        with self._lock:
            for key in missing:
                self._articles[key] = found[key]
            while len(self._articles) > CACHED:
                self._articles.popitem(last=False)
        return found

    def stored(self) -> Iterator[tuple[Article, str, list[tuple[Chunk, str]], Vectors]]:
        """Each article with its file, its chunks with titles, and their vectors (n, dimension), for copying."""
        import numpy as np

        heads = self._heads()
        fields = ("article", "begins", "ends", "title", "text", "vector")
        for keys in parts_of(list(heads), AT_ONCE):
            rows: dict[str, list[dict[str, Any]]] = {key: [] for key in keys}
            for row in self._rows("chunks", f"article in {one_of(keys)}", fields):
                rows[str(row["article"])].append(row)
            for key, article in self._of_keys(keys).items():
                chunks = [
                    (Chunk(article.id, int(r["begins"]), int(r["ends"]), str(r["text"])), str(r["title"]))
                    for r in rows[key]
                ]
                vectors = np.asarray([r["vector"] for r in rows[key]], dtype=np.float32)
                shaped = vectors.reshape(-1, self.fingerprint.dimension)
                yield article, str(heads[key]["file"]), chunks, shaped
