"""The catalogue: one SQLite file that is the truth about articles, chunks, vectors and what made them.

An update is one transaction; a reader holds a read transaction (`pinned`), so SQLite itself shows it one generation
until it is done. SQLite keeps no checksum of what it stores, so articles and vectors carry their own, compared when
they are read. This module knows SQL, and nothing of FAISS, tantivy, models or files of articles.
Nothing is pickled: vectors are little-endian float32 bytes, article fields are JSON text.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import StoreError
from rag.schema import Article, Chunk, Field, Origin, PartialDate, Published, Span

FORMAT = 2
FILE_NAME = "catalog.sqlite"
PAGE_BYTES = (
    8192  # five vectors of 384 numbers to a page; with SQLite's own 4096 a quarter of each page stays empty
)
CACHE_KB = 32_768
VARIABLES = 500  # in one statement: every SQLite allows 999

_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE roots(root TEXT PRIMARY KEY);
CREATE TABLE files(file TEXT PRIMARY KEY, root TEXT NOT NULL, stamp TEXT NOT NULL);
CREATE TABLE skips(file TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY(file, key));
CREATE TABLE duplicates(id TEXT PRIMARY KEY, file TEXT NOT NULL, version TEXT NOT NULL, digest BLOB NOT NULL);
CREATE INDEX duplicates_digest ON duplicates(digest);
CREATE TABLE taken_out(id TEXT PRIMARY KEY, file TEXT NOT NULL, version TEXT NOT NULL);
CREATE TABLE articles(
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, file TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL,
    body TEXT NOT NULL, fields TEXT NOT NULL, digest BLOB NOT NULL, origin TEXT NOT NULL);
CREATE INDEX articles_file ON articles(file);
CREATE INDEX articles_digest ON articles(digest);
CREATE INDEX articles_origin ON articles(origin);
CREATE TABLE sketches(value INTEGER NOT NULL, article INTEGER NOT NULL, PRIMARY KEY(value, article)) WITHOUT ROWID;
CREATE INDEX sketches_article ON sketches(article);
CREATE TABLE chunks(
    id INTEGER PRIMARY KEY, article INTEGER NOT NULL REFERENCES articles(row), start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, vector INTEGER NOT NULL REFERENCES vectors(id));
CREATE INDEX chunks_article ON chunks(article);
CREATE INDEX chunks_vector ON chunks(vector);
CREATE TABLE vectors(
    id INTEGER PRIMARY KEY, embedded BLOB NOT NULL UNIQUE, vector BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE tombstones(chunk INTEGER PRIMARY KEY);
CREATE TABLE segments(
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, sha256 TEXT NOT NULL, count INTEGER NOT NULL,
    low INTEGER NOT NULL, high INTEGER NOT NULL);
CREATE TABLE lexical(name TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY(name));
"""

_WATCHED = (
    "CREATE TABLE IF NOT EXISTS changed(id TEXT PRIMARY KEY)",
    *(
        f"CREATE TRIGGER IF NOT EXISTS changed_{event}_{row} AFTER {event} ON articles"
        f" BEGIN INSERT OR IGNORE INTO changed VALUES({row}.id); END"
        for event, row in (("INSERT", "new"), ("UPDATE", "old"), ("UPDATE", "new"), ("DELETE", "old"))
    ),
)

_BY_PUBLISHER = (
    "CREATE INDEX IF NOT EXISTS articles_publisher ON articles(json_extract(fields, '$.publisher[0]'))"
)

TABLES = tuple(
    line.split()[2].partition("(")[0] for line in _SCHEMA.splitlines() if line.startswith("CREATE TABLE")
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What made the rows: an index is only read by the settings that wrote it."""

    embedding: str
    dimension: int
    chunking: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A FAISS file of the index: `name` inside the index folder, its `kind`, its SHA-256, how many vectors it holds, and
    the half-open range of chunk ids they are of. Ranges of an index do not overlap."""

    name: str
    kind: str
    sha256: str
    count: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class LexicalCopy:
    """The word index: the folder `name` inside the index folder, and (file name, SHA-256) of all that is in it."""

    name: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk to add: `title` is indexed beside `text`; `embedded` is the SHA-256 of the text that was embedded."""

    chunk: Chunk
    title: str
    embedded: bytes


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An article to add: the `file` it was read from, its chunks, and the values that find other copies of its report."""

    article: Article
    file: str
    chunks: tuple[NewChunk, ...]
    sketch: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of an indexed article without reading it. `origin` is the first of the articles that tell the same
    report in nearly the same words, often the article itself."""

    id: str
    file: str
    version: str
    fields: str
    digest: bytes
    origin: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An article that is in the index under another id, word for word and field for field."""

    id: str
    file: str
    version: str
    digest: bytes


def _pack(value: Field | None) -> list[object] | None:
    if value is None:
        return None
    return [value.value, value.origin.value, *((value.span.start, value.span.end) if value.span else ())]


def fields_of(article: Article) -> str:
    """The stored form of an article's fields, for comparing with `Held.fields`."""
    published = article.published
    return json.dumps(
        {
            "title": _pack(article.title),
            "author": _pack(article.author),
            "publisher": _pack(article.publisher),
            "place": _pack(article.place),
            "url": _pack(article.url),
            "published": published
            and [
                [published.date.year, published.date.month, published.date.day, published.date.weekday],
                published.origin.value,
                *((published.span.start, published.span.end) if published.span else ()),
            ],
        },
        ensure_ascii=False,
    )


def digest_of(article: Article) -> bytes:
    """SHA-256 of all that a reader can see of an article, its place aside."""
    return digest_of_row(article.body, fields_of(article))


def digest_of_row(body: str, fields: str) -> bytes:
    """The same of what is stored of it."""
    return hashlib.sha256(f"{len(body)}\n{body}{fields}".encode("utf-8", "surrogatepass")).digest()


def _article(row: Sequence[Any]) -> Article:
    id_, version, path, body, text, origin = (str(value) for value in row)
    fields = json.loads(text)

    def unpack(name: str) -> Field | None:
        packed = fields.get(name)
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
        unpack("author"),
        "" if origin == id_ else origin,
    )


_COLUMNS = "id,version,path,body,fields,origin"


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file; on a disk that is read-only as it lies, for SQLite would want to write files beside it."""
    if path.exists() and not is_writable(path.parent) and not _holds(path.with_name(f"{path.name}-wal")):
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
    return sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)


def _holds(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder: permissions, and a disk that is not read-only."""
    if not os.access(folder, os.W_OK):
        return False
    try:
        return not os.statvfs(folder).f_flag & os.ST_RDONLY
    except (AttributeError, OSError):  # Windows
        return True


class Catalog:
    """One open SQLite file. Threads may share it: calls are serialised."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open `folder/catalog.sqlite`; with `create`, make it first.

        Raises `StoreError` when it is missing, damaged, not ours or of another format.
        """
        self.path = folder / FILE_NAME
        self._inode = 0
        self._lock = threading.RLock()
        if not create and not self.path.is_file():
            raise StoreError(f"no index at {folder}/; run: rag index")
        try:
            self._db = _connect(self.path)
            try:
                self._open(folder, create)
                self._inode = self.path.stat().st_ino
            except BaseException:
                self._db.close()
                raise
        except sqlite3.DatabaseError as error:
            raise self._error(error) from None

    def _open(self, folder: Path, create: bool) -> None:
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        if create:
            self._db.execute(f"PRAGMA page_size={PAGE_BYTES}")
            self._db.execute("PRAGMA journal_mode=WAL")
        tables = {str(row[0]) for row in self._db.execute("SELECT name FROM sqlite_master")}
        if create and not tables:
            with self.transaction():
                create_tables(self._db)
        elif not {"meta", "articles", "chunks", "vectors", "segments"} <= tables:
            raise StoreError(
                f"{self.path}: not a Citewire index; move it away, or name another folder with --index, and run: rag index"
            )
        format_ = int(self._get("format") or 0)
        if format_ > FORMAT:
            raise StoreError(
                f"{self.path}: index format {format_}, this program reads {FORMAT}; install the newer program, "
                "or run: rag index --rebuild"
            )
        if format_ < FORMAT:
            raise StoreError(
                f"{self.path}: index format {format_}, this program reads {FORMAT}; run: rag index (it is brought over, "
                "with a copy kept beside it)"
            )

    def is_replaced(self) -> bool:
        """Whether another file, or none, has taken the place of this one."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True

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
        if "locked" in text or "busy" in text:
            return StoreError(f"{self.path}: another process is using it ({text}); run again")
        if "readonly" in text or "unable to open" in text:
            return StoreError(f"{self.path}: cannot be written ({text}); check the folder's permissions")
        return self._damaged(text)

    def _damaged(self, what: str) -> StoreError:
        return StoreError(f"{self.path}: damaged ({what}); run: rag index --check")

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

    def _number(self, sql: str, parameters: Sequence[object] = ()) -> int:
        return int(self._rows(sql, parameters)[0][0])

    def _each(self, sql: str, keys: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Rows of `sql` for many `keys`: its "(?)" is filled with as many as a statement may hold."""
        for start in range(0, len(keys), VARIABLES):
            some = keys[start : start + VARIABLES]
            yield from self._rows(sql.replace("(?)", f"({','.join('?' * len(some))})"), some)

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

    # ------------------------------------------------------------------ what changed since it was published

    def published(self, address: str) -> str:
        """The stamp of the server at `address` when it held all that is here but what `changed` names; "" for none."""
        stamp, _, place = (self._get("published") or "").partition(" ")
        return stamp if place == address else ""

    def changed(self) -> list[str]:
        """Ids of the articles that were added, changed or taken away since `set_published`, by id."""
        return [str(r[0]) for r in self._rows("SELECT id FROM changed ORDER BY id")]

    def set_published(self, address: str, stamp: str) -> None:
        """Say that the server at `address`, at that stamp, holds all that is here."""
        with self.transaction():
            for statement in _WATCHED:  # only here: who shares nothing has no use for it
                self._db.execute(statement)
            self._db.execute("DELETE FROM changed")
            self._set("published", f"{stamp} {address}")

    # ------------------------------------------------------------------ one generation, held

    def pin(self) -> None:
        """See one generation from now until `unpin`, whatever a writer does."""
        with self._lock:
            if not self._db.in_transaction:
                self._rows("BEGIN")
                self.generation()  # SQLite takes its snapshot at the first read

    def unpin(self) -> None:
        """See the newest generation again."""
        with self._lock:
            self._rollback()

    # ------------------------------------------------------------------ reading

    def generation(self) -> int:
        """The number of the generation that is seen; 0 before the first update."""
        return self._number("SELECT value FROM meta WHERE key='generation'")

    def next_chunk(self) -> int:
        """The id that the next chunk gets. Ids are never given twice."""
        return self._number("SELECT value FROM meta WHERE key='next_chunk'")

    def fingerprint(self) -> Fingerprint | None:
        """What made the rows, None before the first update."""
        with self._lock:
            try:
                embedding, dimension, chunking = (
                    self._get(k) for k in ("embedding", "dimension", "chunking")
                )
            except sqlite3.DatabaseError as error:
                raise self._error(error) from None
        if embedding is None or dimension is None or chunking is None:
            return None
        return Fingerprint(embedding, int(dimension), chunking)

    def articles(self, limit: int = -1) -> Iterator[Article]:
        """Articles, by id; at most `limit` of them, all when it is -1."""
        last = ""
        while limit:
            most = VARIABLES if limit < 0 else min(VARIABLES, limit)
            rows = self._rows(
                f"SELECT {_COLUMNS},digest FROM articles WHERE id>? ORDER BY id LIMIT ?", (last, most)
            )
            yield from (self._checked(row) for row in rows)
            if len(rows) < most:
                return
            last = str(rows[-1][0])
            limit = limit - len(rows) if limit > 0 else limit

    def _checked(self, row: Sequence[Any]) -> Article:
        """The article of a row of `_COLUMNS` and its digest. Raises `StoreError` when they disagree."""
        if digest_of_row(str(row[3]), str(row[4])) != row[6]:
            raise self._damaged(f"the text of {row[0]} is not what was stored")
        return _article(row[:6])

    def article(self, id_: str) -> Article | None:
        """The article of that id."""
        rows = self._rows(f"SELECT {_COLUMNS},digest FROM articles WHERE id=?", (id_,))
        return self._checked(rows[0]) if rows else None

    def held(self, *, file: str | None = None, ids: Sequence[str] | None = None) -> list[Held]:
        """What is indexed: of one file, of some ids, or all; by id."""
        sql = "SELECT id,file,version,fields,digest,origin FROM articles"
        if ids is not None:
            rows = list(self._each(f"{sql} WHERE id IN (?)", list(ids)))
        elif file is not None:
            rows = self._rows(f"{sql} WHERE file=?", (file,))
        else:
            rows = self._rows(sql)
        return sorted((Held(*row) for row in rows), key=lambda h: h.id)

    def held_like(self, digest: bytes) -> list[str]:
        """Ids of the articles with that digest, by id."""
        return [
            str(r[0]) for r in self._rows("SELECT id FROM articles WHERE digest=? ORDER BY id", (digest,))
        ]

    def article_count(self) -> int:
        """Number of articles."""
        return self._number("SELECT count(*) FROM articles")

    def chunk_count(self) -> int:
        """Number of chunks."""
        return self._number("SELECT value FROM meta WHERE key='chunks'")

    def chunks_by_article(self) -> dict[str, int]:
        """Number of chunks by article id."""
        rows = self._rows(
            "SELECT a.id, count(*) FROM chunks c JOIN articles a ON a.row=c.article GROUP BY a.id"
        )
        return {str(a): int(n) for a, n in rows}

    def publishers(self) -> list[str]:
        """Who published the articles, in order."""
        rows = self._rows(
            "SELECT DISTINCT json_extract(fields, '$.publisher[0]') AS p FROM articles WHERE p IS NOT NULL ORDER BY p"
        )
        return [str(r[0]) for r in rows]

    def of_publisher(self, name: str, limit: int) -> list[tuple[Article, str]]:
        """The newest articles of a publisher with their files, at most `limit`. For who may write: the first time, it
        makes what finds them."""
        self._db.execute(_BY_PUBLISHER)
        rows = self._rows(
            f"SELECT {_COLUMNS},digest,file FROM articles WHERE json_extract(fields, '$.publisher[0]')=?"
            " ORDER BY row DESC LIMIT ?",
            (name, limit),
        )
        return [(self._checked(row), str(row[7])) for row in rows]

    def chunk_ids(self, id_: str) -> list[int]:
        """Ids of the chunks of an article, in order."""
        rows = self._rows("SELECT c.id FROM chunks c JOIN articles a ON a.row=c.article WHERE a.id=?", (id_,))
        return sorted(int(r[0]) for r in rows)

    def lookup(self, ids: Sequence[int]) -> list[tuple[int, Chunk, Article]]:
        """The chunks of `ids` with their articles, in the order given; ids that are gone are left out.

        Raises `StoreError` when a chunk is not the piece of its article that it says it is.
        """
        rows = {
            r[0]: r for r in self._each('SELECT id,article,start,"end",text FROM chunks WHERE id IN (?)', ids)
        }
        keys = sorted({r[1] for r in rows.values()})
        articles = {
            r[7]: self._checked(r)
            for r in self._each(f"SELECT {_COLUMNS},digest,row FROM articles WHERE row IN (?)", keys)
        }
        found = []
        for id_ in ids:
            if id_ not in rows:
                continue
            _, key, start, end, text = rows[id_]
            article = articles.get(key)
            if article is None or article.body[start:end] != text:
                raise self._damaged(f"chunk {id_} is no piece of its article")
            found.append((id_, Chunk(article.id, start, end, text), article))
        return found

    def facts(self, ids: Sequence[int]) -> dict[int, Article]:
        """By chunk id, the article without its text: what it states about itself."""
        sql = (
            "SELECT c.id,a.id,a.version,a.path,'',a.fields,a.origin FROM chunks c JOIN articles a ON a.row=c.article"
            " WHERE c.id IN (?)"
        )
        return {int(r[0]): _article(r[1:]) for r in self._each(sql, ids)}

    def texts(self, low: int, high: int) -> Iterator[tuple[int, str, str]]:
        """(chunk id, title, text) of the chunks with low <= id < high, by id."""
        yield from self._range("SELECT id,title,text FROM chunks", "id", low, high)

    def vectors(self, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        """(chunk id, float32 bytes) of the chunks with low <= id < high, by id. Raises `StoreError` for a damaged one."""
        sql = "SELECT c.id, v.vector, v.crc FROM chunks c JOIN vectors v ON v.id=c.vector"
        for id_, vector, crc in self._range(sql, "c.id", low, high):
            yield id_, self._intact(id_, vector, crc)

    def _range(self, sql: str, column: str, low: int, high: int) -> Iterator[tuple[Any, ...]]:
        while low < high:
            rows = self._rows(
                f"{sql} WHERE {column}>=? AND {column}<? ORDER BY {column} LIMIT 4096", (low, high)
            )
            yield from rows
            if len(rows) < 4096:
                return
            low = rows[-1][0] + 1

    def _intact(self, id_: int, vector: bytes, crc: int) -> bytes:
        if zlib.crc32(vector) != crc:
            raise self._damaged(f"the vector of chunk {id_} is not what was stored")
        return vector

    def vectors_of(self, ids: Sequence[int]) -> dict[int, bytes]:
        """float32 bytes by chunk id. Raises `StoreError` for a damaged one."""
        sql = "SELECT c.id, v.vector, v.crc FROM chunks c JOIN vectors v ON v.id=c.vector WHERE c.id IN (?)"
        return {i: self._intact(i, vector, crc) for i, vector, crc in self._each(sql, ids)}

    def ids_checksum(self) -> tuple[int, int]:
        """(number of chunks, sum of a hash of their ids), for comparing with other copies: see `rag.store.vectors`."""
        # chunks_vector holds every id and is small, so the texts are not touched
        rows = self._rows(
            "SELECT count(*), coalesce(sum((id * 2654435761) & 4294967295), 0) FROM chunks INDEXED BY chunks_vector"
        )
        return int(rows[0][0]), int(rows[0][1])

    def tombstones(self) -> list[int]:
        """Ids of removed chunks that a segment still holds, in order."""
        return [int(r[0]) for r in self._rows("SELECT chunk FROM tombstones ORDER BY chunk")]

    def segments(self) -> list[Segment]:
        """The FAISS files, by the ids they hold."""
        return [
            Segment(*row)
            for row in self._rows("SELECT name,kind,sha256,count,low,high FROM segments ORDER BY low")
        ]

    def lexical(self) -> LexicalCopy | None:
        """The word index, None when there is none."""
        with self._lock:
            name = self._rows("SELECT value FROM meta WHERE key='lexical'")
            rows = self._rows("SELECT name,sha256 FROM lexical ORDER BY name")
        return LexicalCopy(str(name[0][0]), tuple((str(n), str(h)) for n, h in rows)) if name else None

    def known_vectors(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of `hashes` (SHA-256 of embedded texts) whose vector is stored."""
        return {
            bytes(r[0])
            for r in self._each("SELECT embedded FROM vectors WHERE embedded IN (?)", list(hashes))
        }

    def alike(self, sketch: Sequence[int], at_least: int) -> list[tuple[str, str]]:
        """(id, body) of the first articles of reports that share `at_least` values with `sketch`, most first, ties by id;
        five at most."""
        if not sketch:
            return []
        rows = self._rows(
            "SELECT a.id, a.body FROM (SELECT article, count(*) AS shared FROM sketches"
            f" WHERE value IN ({','.join('?' * len(sketch))}) GROUP BY article HAVING shared>=?) s"
            " JOIN articles a ON a.row=s.article ORDER BY s.shared DESC, a.id LIMIT 5",
            (*sketch, at_least),
        )
        return [(str(a), str(b)) for a, b in rows]

    def copies(self, origin: str) -> list[tuple[str, str]]:
        """(id, body) of the other articles of a report, by id."""
        rows = self._rows(
            "SELECT id,body FROM articles WHERE origin=? AND id<>? ORDER BY id", (origin, origin)
        )
        return [(str(a), str(b)) for a, b in rows]

    # ------------------------------------------------------------------ what the folders of articles held

    def roots(self) -> list[str]:
        """Files and folders outside the corpus' own that were indexed, to be followed from then on."""
        return [str(r[0]) for r in self._rows("SELECT root FROM roots ORDER BY root")]

    def files(self, root: str | None = None) -> dict[str, str]:
        """Stamp by file, of one root or of all."""
        sql = "SELECT file,stamp FROM files"
        rows = self._rows(sql) if root is None else self._rows(f"{sql} WHERE root=?", (root,))
        return {str(f): str(s) for f, s in rows}

    def files_under(self, place: str) -> list[str]:
        """The file of that place, and the files in the folder of that place ("": the corpus' own), in order."""
        if not place:
            return sorted(self.files(""))
        rows = self._rows(
            "SELECT file FROM files WHERE file=? OR (file>? AND file<?) ORDER BY file",
            (place, f"{place}/", f"{place}0"),  # "0" follows "/"
        )
        return [str(r[0]) for r in rows]

    def stamp(self, file: str) -> str:
        """The stamp of a file, "" when it was never read."""
        rows = self._rows("SELECT stamp FROM files WHERE file=?", (file,))
        return str(rows[0][0]) if rows else ""

    def skips(self, file: str | None = None) -> list[tuple[str, str, str]]:
        """(file, key, reason) of what could not be read, of one file or of all."""
        sql = "SELECT file,key,reason FROM skips"
        rows = (
            self._rows(f"{sql} ORDER BY file,key")
            if file is None
            else self._rows(f"{sql} WHERE file=? ORDER BY key", (file,))
        )
        return [(str(a), str(b), str(c)) for a, b, c in rows]

    def duplicates(self, file: str | None = None) -> list[Duplicate]:
        """Articles that are in the index under another id, of one file or of all, by id."""
        sql = "SELECT id,file,version,digest FROM duplicates"
        rows = (
            self._rows(f"{sql} ORDER BY id") if file is None else self._rows(f"{sql} WHERE file=?", (file,))
        )
        return [Duplicate(*row) for row in rows]

    def orphans(self) -> list[Duplicate]:
        """Duplicates of which no article is left in the index: their turn has come."""
        return [
            Duplicate(*row)
            for row in self._rows(
                "SELECT id,file,version,digest FROM duplicates d"
                " WHERE NOT EXISTS(SELECT 1 FROM articles a WHERE a.digest=d.digest) ORDER BY id"
            )
        ]

    def taken_out(self) -> dict[str, str]:
        """Version by id of the articles that the user took out: they stay out until they change."""
        return {str(i): str(v) for i, v in self._rows("SELECT id,version FROM taken_out ORDER BY id")}

    # ------------------------------------------------------------------ writing, inside `transaction()`

    def set_fingerprint(self, fingerprint: Fingerprint) -> None:
        """Say what made the rows."""
        self._set("embedding", fingerprint.embedding)
        self._set("dimension", str(fingerprint.dimension))
        self._set("chunking", fingerprint.chunking)

    def set_generation(self, generation: int) -> None:
        """Make `generation` the newest."""
        self._set("generation", str(generation))

    def add_article(self, new: NewArticle, origin: str) -> list[int]:
        """Add an article with its chunks, whose vectors must be stored, to the report of `origin` (its own id: a new
        one). Returns the new chunk ids, in order."""
        article = new.article
        fields = fields_of(article)
        row = self._db.execute(
            "INSERT INTO articles(id,file,version,path,body,fields,digest,origin) VALUES(?,?,?,?,?,?,?,?)",
            (
                article.id,
                new.file,
                article.version,
                article.path,
                article.body,
                fields,
                digest_of_row(article.body, fields),
                origin,
            ),
        ).lastrowid
        if origin == article.id:
            self._add_sketch(int(row or 0), new.sketch)
        first = self.next_chunk()
        ids = list(range(first, first + len(new.chunks)))
        added = self._db.executemany(
            'INSERT INTO chunks(id,article,start,"end",title,text,vector)'
            " SELECT ?,?,?,?,?,?,id FROM vectors WHERE embedded=?",
            [
                (id_, row, c.chunk.start, c.chunk.end, c.title, c.chunk.text, c.embedded)
                for id_, c in zip(ids, new.chunks, strict=True)
            ],
        ).rowcount
        if ids and added != len(ids):
            raise self._damaged(f"a vector of {article.id} is not stored")
        self._set("next_chunk", str(first + len(ids)))
        self._set("chunks", str(self.chunk_count() + len(ids)))
        return ids

    def _add_sketch(self, row: int, sketch: Iterable[int]) -> None:
        self._db.executemany("INSERT OR IGNORE INTO sketches VALUES(?,?)", [(value, row) for value in sketch])

    def set_origin(self, old: str, new: str, sketch: Iterable[int]) -> None:
        """Let the article `new` be the first of its report instead of `old`."""
        self._db.execute("UPDATE articles SET origin=? WHERE origin=?", (new, old))
        row = self._db.execute("SELECT row FROM articles WHERE id=?", (new,)).fetchone()
        self._add_sketch(row[0], sketch)

    def remove_article(self, id_: str) -> list[int]:
        """Remove an article and its chunks. Returns the ids of their vectors, for `drop_vectors` when all is added."""
        row = self._db.execute("SELECT row FROM articles WHERE id=?", (id_,)).fetchone()
        if row is None:
            return []
        found = self._db.execute("SELECT id,vector FROM chunks WHERE article=? ORDER BY id", row).fetchall()
        self._db.execute("DELETE FROM chunks WHERE article=?", row)
        self._db.executemany("INSERT INTO tombstones VALUES(?)", [(i,) for i, _ in found])
        self._db.execute("DELETE FROM sketches WHERE article=?", row)
        self._db.execute("DELETE FROM articles WHERE row=?", row)
        self._set("chunks", str(self.chunk_count() - len(found)))
        return [int(v) for _, v in found]

    def drop_vectors(self, ids: Iterable[int]) -> None:
        """Delete those of the vectors `ids` that no chunk uses."""
        self._db.executemany(
            "DELETE FROM vectors WHERE id=? AND NOT EXISTS(SELECT 1 FROM chunks WHERE vector=?)",
            [(v, v) for v in ids],
        )

    def move_article(self, old: str, article: Article, file: str) -> None:
        """Give an article another place: nothing that was made of its text changes."""
        self._db.execute(
            "UPDATE articles SET id=?, path=?, file=?, origin=CASE origin WHEN id THEN ? ELSE origin END WHERE id=?",
            (article.id, article.path, file, article.id, old),
        )
        self._db.execute("UPDATE articles SET origin=? WHERE origin=?", (article.id, old))

    def add_vectors(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """Store (SHA-256 of the embedded text, float32 bytes); a known text is left as it is."""
        self._db.executemany(
            "INSERT OR IGNORE INTO vectors(embedded,vector,crc) VALUES(?,?,?)",
            ((key, vector, zlib.crc32(vector)) for key, vector in vectors),
        )

    def drop_unused_vectors(self) -> None:
        """Delete vectors that no chunk uses: left by work that was interrupted, or by another model."""
        self._db.execute("DELETE FROM vectors WHERE id NOT IN (SELECT vector FROM chunks)")

    def set_segments(self, removed: Iterable[Segment], added: Iterable[Segment]) -> None:
        """Replace FAISS files by others. Tombstones in a range that is removed are forgotten with it."""
        for segment in removed:
            self._db.execute("DELETE FROM segments WHERE name=?", (segment.name,))
            self._db.execute("DELETE FROM tombstones WHERE chunk>=? AND chunk<?", (segment.low, segment.high))
        for segment in added:
            self._db.execute(
                "INSERT INTO segments(name,kind,sha256,count,low,high) VALUES(?,?,?,?,?,?)",
                (segment.name, segment.kind, segment.sha256, segment.count, segment.low, segment.high),
            )

    def set_lexical(self, copy: LexicalCopy | None) -> None:
        """List the word index."""
        self._db.execute("DELETE FROM lexical")
        self._db.execute("DELETE FROM meta WHERE key='lexical'")
        if copy is not None:
            self._set("lexical", copy.name)
            self._db.executemany("INSERT INTO lexical VALUES(?,?)", copy.files)

    def add_root(self, root: str) -> None:
        """Follow a file or folder outside the corpus' own."""
        self._db.execute("INSERT OR IGNORE INTO roots VALUES(?)", (root,))

    def remove_root(self, root: str) -> None:
        """Follow it no longer."""
        self._db.execute("DELETE FROM roots WHERE root=?", (root,))

    def set_file(
        self,
        file: str,
        root: str,
        stamp: str,
        skips: Iterable[tuple[str, str]],
        duplicates: Iterable[Duplicate],
    ) -> None:
        """Keep what a file was like when it was read: (key, reason) of what could not be, and what is there already."""
        self.forget_file(file)
        self._db.execute("INSERT INTO files VALUES(?,?,?)", (file, root, stamp))
        self._db.executemany("INSERT OR REPLACE INTO skips VALUES(?,?,?)", [(file, k, r) for k, r in skips])
        self._db.executemany(
            "INSERT OR REPLACE INTO duplicates VALUES(?,?,?,?)",
            [(d.id, d.file, d.version, d.digest) for d in duplicates],
        )

    def forget_file(self, file: str) -> None:
        """Forget that a file was read."""
        for table in ("files", "skips", "duplicates"):
            self._db.execute(f"DELETE FROM {table} WHERE file=?", (file,))

    def set_taken_out(self, id_: str, file: str, version: str) -> None:
        """Keep an article out until it changes."""
        self._db.execute("INSERT OR REPLACE INTO taken_out VALUES(?,?,?)", (id_, file, version))

    def let_in(self, ids: Iterable[str]) -> None:
        """Keep articles out no longer."""
        self._db.executemany("DELETE FROM taken_out WHERE id=?", [(i,) for i in ids])

    # ------------------------------------------------------------------ the whole file

    def problems(self) -> list[str]:
        """All that a full reading finds wrong, one line each; empty when the file is sound."""
        found = [str(row[0]) for row in self._rows("PRAGMA integrity_check(5)") if row[0] != "ok"]
        if found:
            return found
        try:
            for _ in self.articles():
                pass
            for _ in self.vectors(0, self.next_chunk()):
                pass
            rows = self._rows(
                "SELECT c.id FROM chunks c LEFT JOIN vectors v ON v.id=c.vector WHERE v.id IS NULL LIMIT 1"
            )
            found += [f"chunk {r[0]} has no vector" for r in rows]
            row, body = -1, ""
            for id_, article, start, end, text in self._rows(
                'SELECT id,article,start,"end",text FROM chunks ORDER BY article,id'
            ):
                if article != row:
                    row, body = (
                        article,
                        str(self._rows("SELECT body FROM articles WHERE row=?", (article,))[0][0]),
                    )
                if body[start:end] != text:
                    found.append(f"chunk {id_} is no piece of its article")
            if self.ids_checksum()[0] != self.chunk_count():
                found.append("the number of chunks is not the stored one")
        except (StoreError, IndexError, ValueError, KeyError, TypeError) as error:
            found.append(str(error))
        return found

    def take_over(self, other: Path) -> None:
        """Replace all rows by those of the catalogue file `other`, of this format, as the next generation.

        In one transaction: readers see all of it or nothing. Raises `StoreError`.
        """
        generation = self.generation()
        try:
            self._db.execute("ATTACH ? AS other", (str(other),))
            self._db.execute("PRAGMA foreign_keys=OFF")  # both are sound as a whole, not table by table
            try:
                with self.transaction():
                    for table in TABLES:
                        self._db.execute(f"DELETE FROM main.{table}")
                        self._db.execute(f"INSERT INTO main.{table} SELECT * FROM other.{table}")
                    self._db.execute(
                        "DELETE FROM meta WHERE key='published'"
                    )  # what changed since is not known here
                    self.set_generation(max(generation, self.generation()) + 1)
            finally:
                self._db.execute("PRAGMA foreign_keys=ON")
                self._db.execute("DETACH other")
        except sqlite3.Error as error:
            raise self._error(error) from None

    def backup(self, target: Path) -> None:
        """A consistent copy of the newest generation in the file `target`. Raises `StoreError`."""
        try:
            with sqlite3.connect(target) as copy:
                self._db.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.close()
        except sqlite3.Error as error:
            target.unlink(missing_ok=True)
            raise StoreError(f"{target}: cannot be written ({error}); free space and run again") from None


def create_tables(db: sqlite3.Connection) -> None:
    """The tables of an empty index, in the transaction that is open."""
    for statement in _SCHEMA.strip().split(";\n"):
        db.execute(statement.removesuffix(";"))
    db.executemany(
        "INSERT INTO meta VALUES(?,?)",
        [("format", str(FORMAT)), ("generation", "0"), ("next_chunk", "1"), ("chunks", "0")],
    )
