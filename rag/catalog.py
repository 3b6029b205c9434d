"""The catalogue: one SQLite file that is the truth about articles, chunks, vectors and what made them.

Rows carry the generation that added them and the one that removed them; a reader filters by the generation it
opened and so never sees half of an update. This module knows SQL and nothing of FAISS, models or files of articles.
Nothing is pickled: vectors are little-endian float32 bytes, article fields are JSON text.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import StoreError
from rag.schema import Article, Chunk, Field, Origin, PartialDate, Published, Span
from rag.text import content_words, words

FORMAT = 1
FILE_NAME = "catalog.sqlite"
MAX_QUERY_WORDS = 64  # a question is one sentence; more words only cost time in FTS5

_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE articles(
    row INTEGER PRIMARY KEY, id TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL,
    fields TEXT NOT NULL, added INTEGER NOT NULL, removed INTEGER);
CREATE INDEX articles_id ON articles(id, removed);
CREATE TABLE chunks(
    id INTEGER PRIMARY KEY, article INTEGER NOT NULL REFERENCES articles(row), start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, embedded BLOB NOT NULL,
    added INTEGER NOT NULL, removed INTEGER);
CREATE INDEX chunks_article ON chunks(article);
CREATE INDEX chunks_embedded ON chunks(embedded);
CREATE INDEX chunks_removed ON chunks(removed) WHERE removed IS NOT NULL;
CREATE TABLE vectors(embedded BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE lexical USING fts5(
    title, text, content='chunks', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2');
CREATE TABLE segments(
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, count INTEGER NOT NULL, added INTEGER NOT NULL, removed INTEGER);
"""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What made the rows: an index is only read by the settings that wrote it."""

    embedding: str
    dimension: int
    chunking: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A FAISS file of the index: `name` inside the index folder, its SHA-256 and how many vectors it holds."""

    name: str
    sha256: str
    count: int


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk to add: `title` is indexed beside `text`; `embedded` is the SHA-256 of the text that was embedded."""

    chunk: Chunk
    title: str
    embedded: bytes


def _fields_to_json(article: Article) -> str:
    def pack(value: Field | None) -> list[object] | None:
        if value is None:
            return None
        return [value.value, value.origin.value, *((value.span.start, value.span.end) if value.span else ())]

    published = article.published
    return json.dumps(
        {
            "title": pack(article.title),
            "publisher": pack(article.publisher),
            "place": pack(article.place),
            "url": pack(article.url),
            "published": published
            and [
                [published.date.year, published.date.month, published.date.day, published.date.weekday],
                published.origin.value,
                *((published.span.start, published.span.end) if published.span else ()),
            ],
        },
        ensure_ascii=False,
    )


def _article(row: Sequence[object]) -> Article:
    id_, version, path, body, text = (str(value) for value in row)
    fields = json.loads(text)

    def unpack(name: str) -> Field | None:
        packed = fields[name]
        if packed is None:
            return None
        return Field(packed[0], Origin(packed[1]), Span(*packed[2:4]) if len(packed) > 2 else None)

    packed = fields["published"]
    published = None
    if packed is not None:
        span = Span(*packed[2:4]) if len(packed) > 2 else None
        published = Published(PartialDate(*packed[0]), Origin(packed[1]), span)
    return Article(
        id_,
        version,
        path,
        body,
        unpack("title"),
        unpack("publisher"),
        published,
        unpack("place"),
        unpack("url"),
    )


def match_expression(query: str) -> str:
    """The FTS5 expression of a free text: its words that carry meaning, quoted, any of them; "" when it has no word.

    Every word is quoted as it is written, so nothing in a question is read as FTS5 syntax, and FTS5 cuts it the way it
    cut the articles ("U.S." is found as it was indexed).
    """
    written = [w.replace('"', "") for w in query.replace("\0", " ").split()]
    chosen = [w for w in written if content_words(w)] or [w for w in written if words(w)]
    return " OR ".join(f'"{w}"' for w in list(dict.fromkeys(chosen))[:MAX_QUERY_WORDS])


class Catalog:
    """One open SQLite file. Threads may share it: calls are serialised."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open `folder/catalog.sqlite`; with `create`, make it first.

        Raises `StoreError` when it is missing, damaged, not ours or of a newer format.
        """
        self.path = folder / FILE_NAME
        self._lock = threading.RLock()
        if not create and not self.path.is_file():
            raise StoreError(f"no index at {folder}/; run: rag index")
        try:
            self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA foreign_keys=ON")
            if create:
                self._db.execute("PRAGMA journal_mode=WAL")
            if create and not self._tables():
                with self.transaction():
                    for statement in _SCHEMA.strip().split(";\n"):
                        self._db.execute(statement)
                    self._set("format", str(FORMAT))
                    self._set("generation", "0")
            tables = self._tables()
            if not {"meta", "articles", "chunks", "vectors", "segments"} <= tables:
                raise StoreError(f"{self.path}: not a Citewire index; move it away and run: rag index")
            format_ = int(self._get("format") or 0)
        except sqlite3.DatabaseError as error:
            raise self._error(error) from None
        if format_ != FORMAT:
            raise StoreError(
                f"{self.path}: index format {format_}, this program reads {FORMAT}; run: rag index --rebuild"
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _error(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        if "full" in text:
            return StoreError(
                f"{self.path}: the disk is full; free space and run again (nothing was changed)"
            )
        if "readonly" in text or "unable to open" in text:
            return StoreError(f"{self.path}: cannot be written ({text}); check the folder's permissions")
        return StoreError(f"{self.path}: {text}; run: rag index --rebuild")

    def _tables(self) -> set[str]:
        return {str(row[0]) for row in self._db.execute("SELECT name FROM sqlite_master")}

    def _get(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES(?,?)", (key, value))

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except sqlite3.DatabaseError as error:
                raise self._error(error) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Raises `StoreError` for what SQLite reports, a full disk included."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._rollback()
                raise self._error(error) from None
            except BaseException:
                self._rollback()
                raise

    def _rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    # ------------------------------------------------------------------ reading

    def generation(self) -> int:
        """The newest complete generation; 0 before the first update."""
        return int(self._rows("SELECT value FROM meta WHERE key='generation'")[0][0])

    def fingerprint(self) -> Fingerprint | None:
        """What made the rows, None before the first update."""
        with self._lock:
            embedding, dimension, chunking = (self._get(k) for k in ("embedding", "dimension", "chunking"))
        if embedding is None or dimension is None or chunking is None:
            return None
        return Fingerprint(embedding, int(dimension), chunking)

    def articles(self, generation: int) -> list[Article]:
        """All articles of a generation, by id."""
        return [
            _article(row)
            for row in self._rows(
                "SELECT id,version,path,body,fields FROM articles"
                " WHERE added<=? AND (removed IS NULL OR removed>?) ORDER BY id",
                (generation, generation),
            )
        ]

    def versions(self, generation: int) -> list[tuple[str, str, str]]:
        """(id, version, fields) of every article of a generation; `fields` changes when a sidecar does."""
        rows = self._rows(
            "SELECT id,version,fields FROM articles WHERE added<=? AND (removed IS NULL OR removed>?)",
            (generation, generation),
        )
        return [(str(a), str(b), str(c)) for a, b, c in rows]

    def chunk_count(self, generation: int) -> int:
        """Number of chunks of a generation."""
        rows = self._rows(
            "SELECT count(*) FROM chunks WHERE added<=? AND (removed IS NULL OR removed>?)",
            (generation, generation),
        )
        return int(rows[0][0])

    def chunks_by_article(self, generation: int) -> list[tuple[str, int]]:
        """(article id, number of chunks) of a generation."""
        rows = self._rows(
            "SELECT a.id, count(*) FROM chunks c JOIN articles a ON a.row=c.article"
            " WHERE c.added<=? AND (c.removed IS NULL OR c.removed>?) GROUP BY a.id",
            (generation, generation),
        )
        return [(str(a), int(n)) for a, n in rows]

    def lookup(self, ids: Sequence[int], generation: int) -> list[tuple[int, Chunk, Article]]:
        """The chunks of `ids` that are alive in `generation`, in the order given; others are left out."""
        found: dict[int, tuple[int, Chunk, Article]] = {}
        articles: dict[int, Article] = {}
        for id_ in ids:
            rows = self._rows(
                'SELECT c.article,c.start,c."end",c.text FROM chunks c'
                " WHERE c.id=? AND c.added<=? AND (c.removed IS NULL OR c.removed>?)",
                (id_, generation, generation),
            )
            if not rows:
                continue
            key, start, end = (int(v) for v in rows[0][:3])
            if key not in articles:
                articles[key] = _article(
                    self._rows("SELECT id,version,path,body,fields FROM articles WHERE row=?", (key,))[0]
                )
            article = articles[key]
            found[id_] = (id_, Chunk(article.id, start, end, str(rows[0][3])), article)
        return [found[i] for i in ids if i in found]

    def lexical(self, query: str, limit: int, generation: int) -> list[tuple[int, float]]:
        """(chunk id, BM25 score, higher is better), best first, ties by id; empty when no word of `query` occurs."""
        expression = match_expression(query)
        if not expression:
            return []
        rows = self._rows(
            "SELECT lexical.rowid, -bm25(lexical) AS score FROM lexical JOIN chunks c ON c.id=lexical.rowid"
            " WHERE lexical MATCH ? AND c.added<=? AND (c.removed IS NULL OR c.removed>?)"
            " ORDER BY score DESC, lexical.rowid LIMIT ?",
            (expression, generation, generation, limit),
        )
        return [(int(i), float(str(s))) for i, s in rows]

    def vectors(self, generation: int) -> Iterator[tuple[int, bytes]]:
        """(chunk id, float32 bytes) of a generation, by id."""
        yield from (
            (int(i), bytes(v))
            for i, v in self._rows(
                "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.embedded=c.embedded"
                " WHERE c.added<=? AND (c.removed IS NULL OR c.removed>?) ORDER BY c.id",
                (generation, generation),
            )
        )

    def vectors_of(self, ids: Sequence[int]) -> list[bytes]:
        """The float32 bytes of chunk `ids`, in order. Raises `StoreError` for a chunk without a vector."""
        found = []
        for id_ in ids:
            rows = self._rows(
                "SELECT v.vector FROM chunks c JOIN vectors v ON v.embedded=c.embedded WHERE c.id=?", (id_,)
            )
            if not rows:
                raise StoreError(f"{self.path}: chunk {id_} has no vector; run: rag index --rebuild")
            found.append(bytes(rows[0][0]))
        return found

    def dead_ids(self, generation: int) -> list[int]:
        """Ids of chunks that are in the file but not in `generation`."""
        rows = self._rows(
            "SELECT id FROM chunks WHERE added>? OR (removed IS NOT NULL AND removed<=?) ORDER BY id",
            (generation, generation),
        )
        return [int(row[0]) for row in rows]

    def segments(self, generation: int) -> list[Segment]:
        """The FAISS files of a generation, by name."""
        rows = self._rows(
            "SELECT name,sha256,count FROM segments WHERE added<=? AND (removed IS NULL OR removed>?) ORDER BY name",
            (generation, generation),
        )
        return [Segment(str(n), str(h), int(c)) for n, h, c in rows]

    def segment_names(self) -> list[str]:
        """The FAISS files of every generation that is kept."""
        return [str(row[0]) for row in self._rows("SELECT name FROM segments ORDER BY name")]

    def known_vectors(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of `hashes` (SHA-256 of embedded texts) whose vector is stored."""
        return {h for h in hashes if self._rows("SELECT 1 FROM vectors WHERE embedded=?", (h,))}

    # ------------------------------------------------------------------ writing, inside `transaction()`

    def set_fingerprint(self, fingerprint: Fingerprint) -> None:
        """Record what makes the rows from now on."""
        self._set("embedding", fingerprint.embedding)
        self._set("dimension", str(fingerprint.dimension))
        self._set("chunking", fingerprint.chunking)

    def set_generation(self, generation: int) -> None:
        """Make `generation` the newest: readers that open from now on see it."""
        self._set("generation", str(generation))

    def add_article(self, article: Article, chunks: Sequence[NewChunk], generation: int) -> list[int]:
        """Add an article with its chunks, alive from `generation` on; returns the chunk ids in order."""
        cursor = self._db.execute(
            "INSERT INTO articles(id,version,path,body,fields,added) VALUES(?,?,?,?,?,?)",
            (article.id, article.version, article.path, article.body, _fields_to_json(article), generation),
        )
        row = cursor.lastrowid
        ids: list[int] = []
        for new in chunks:
            cursor = self._db.execute(
                'INSERT INTO chunks(article,start,"end",title,text,embedded,added) VALUES(?,?,?,?,?,?,?)',
                (row, new.chunk.start, new.chunk.end, new.title, new.chunk.text, new.embedded, generation),
            )
            id_ = cursor.lastrowid
            assert id_ is not None
            self._db.execute(
                "INSERT INTO lexical(rowid,title,text) VALUES(?,?,?)", (id_, new.title, new.chunk.text)
            )
            ids.append(id_)
        return ids

    def remove_article(self, article_id: str, generation: int) -> None:
        """End the life of an article and its chunks with `generation`."""
        alive = "SELECT row FROM articles WHERE id=? AND removed IS NULL AND added<?"
        self._db.execute(
            f"UPDATE chunks SET removed=? WHERE removed IS NULL AND article IN ({alive})",
            (generation, article_id, generation),
        )
        self._db.execute(
            "UPDATE articles SET removed=? WHERE id=? AND removed IS NULL AND added<?",
            (generation, article_id, generation),
        )

    def add_vectors(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """Store (SHA-256 of the embedded text, float32 bytes); a known text is left as it is."""
        self._db.executemany("INSERT OR IGNORE INTO vectors VALUES(?,?)", vectors)

    def add_segment(self, segment: Segment, generation: int) -> None:
        """List a FAISS file from `generation` on."""
        self._db.execute(
            "INSERT OR REPLACE INTO segments(name,sha256,count,added) VALUES(?,?,?,?)",
            (segment.name, segment.sha256, segment.count, generation),
        )

    def remove_segments(self, names: Sequence[str], generation: int) -> None:
        """End the life of FAISS files with `generation`."""
        self._db.executemany(
            "UPDATE segments SET removed=? WHERE name=? AND removed IS NULL", [(generation, n) for n in names]
        )

    def purge(self, before: int) -> None:
        """Forget the rows that ended with a generation below `before`, and vectors that no chunk uses any more."""
        ended = "removed IS NOT NULL AND removed<?"
        rows = self._db.execute(f"SELECT id,title,text FROM chunks WHERE {ended}", (before,)).fetchall()
        self._db.executemany("INSERT INTO lexical(lexical,rowid,title,text) VALUES('delete',?,?,?)", rows)
        self._db.execute(f"DELETE FROM chunks WHERE {ended}", (before,))
        self._db.execute(f"DELETE FROM articles WHERE {ended}", (before,))
        self._db.execute(f"DELETE FROM segments WHERE {ended}", (before,))
        if rows:
            self._db.execute("DELETE FROM vectors WHERE embedded NOT IN (SELECT embedded FROM chunks)")


def fields_of(article: Article) -> str:
    """The stored form of an article's fields, for comparing with `Catalog.versions`."""
    return _fields_to_json(article)
