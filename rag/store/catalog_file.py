"""The SQLite file of the catalogue: its tables, opening it, transactions, and its errors in one line.

An update is one transaction. A reader holds a read transaction (`pin`), so SQLite shows it one generation until `unpin`.
This module knows whole tables, not what their rows mean: see `catalog_reader` and `catalog`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rag.errors import StoreError

FORMAT = 2
FILE_NAME = "catalog.sqlite"
# Five vectors of 384 numbers to a page; with SQLite's own 4096 a quarter of each page stays empty.
PAGE_BYTES = 8192
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

TABLES = tuple(
    line.split()[2].partition("(")[0] for line in _SCHEMA.splitlines() if line.startswith("CREATE TABLE")
)


@contextmanager
def atomic(db: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside, or nothing of it. Raises what SQLite and the body raise, after the rollback."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        yield


def copy_file(db: sqlite3.Connection, target: Path) -> None:
    """Copy the whole file behind `db` to one file `target`."""
    with closing(sqlite3.connect(target)) as copy:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def create_tables(db: sqlite3.Connection) -> None:
    """The tables of an empty index, in the transaction that is open."""
    for statement in _SCHEMA.strip().split(";\n"):
        db.execute(statement.removesuffix(";"))
    db.executemany(
        "INSERT INTO meta VALUES(?,?)",
        [("format", str(FORMAT)), ("generation", "0"), ("next_chunk", "1"), ("chunks", "0")],
    )


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file. On a read-only disk it is opened as immutable, because SQLite would otherwise write files beside it."""
    journal = path.with_name(f"{path.name}-wal")
    is_complete = path.exists() and (not journal.exists() or not journal.stat().st_size)
    if is_complete and not os.access(path.parent, os.W_OK):
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
    return sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)


class CatalogFile:
    """One open SQLite file. Threads may share it: calls are serialised."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open `folder/catalog.sqlite`; with `create`, make it first.

        Raises `StoreError` when it is missing, damaged, not ours or of another format.
        """
        self.path = folder / FILE_NAME
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
        if format_ != FORMAT:
            newer = "install the newer program, or run: rag index --rebuild"
            older = "run: rag index (it is brought over, with a copy kept beside it)"
            advice = newer if format_ > FORMAT else older
            raise StoreError(f"{self.path}: index format {format_}, this program reads {FORMAT}; {advice}")

    def is_replaced(self) -> bool:
        """Whether the file at this path is gone or is another one now."""
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
        rows = self._rows("SELECT value FROM meta WHERE key=?", (key,))
        return str(rows[0][0]) if rows else None

    def _number(self, key: str) -> int:
        value = self._get(key)
        if value is None or not value.isdecimal():
            raise self._damaged(f"{key} is {value}")
        return int(value)

    def _set(self, key: str, value: object) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES(?,?)", (key, str(value)))

    def generation(self) -> int:
        """The number of the generation that is seen; 0 before the first update."""
        return self._number("generation")

    def set_generation(self, generation: int) -> None:
        """Make `generation` the newest, inside `transaction`."""
        self._set("generation", generation)

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except sqlite3.DatabaseError as error:
                raise self._error(error) from None

    def _strings(self, sql: str, parameters: Sequence[object] = ()) -> list[str]:
        """The first column of the rows."""
        return [str(row[0]) for row in self._rows(sql, parameters)]

    def _each(self, sql: str, keys: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Rows of `sql` for many `keys`. Its "(?)" is filled with as many keys as one statement may have."""
        for start in range(0, len(keys), VARIABLES):
            some = keys[start : start + VARIABLES]
            yield from self._rows(sql.replace("(?)", f"({','.join('?' * len(some))})"), some)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: all or nothing. Raises `StoreError` for what SQLite reports, a full disk included."""
        with self._lock:
            try:
                with atomic(self._db):
                    yield
            except sqlite3.Error as error:
                raise self._error(error) from None

    def pin(self) -> None:
        """See one generation from now until `unpin`, whatever a writer does."""
        with self._lock:
            if not self._db.in_transaction:
                self._rows("BEGIN")
                self.generation()  # SQLite takes its snapshot at the first read

    def unpin(self) -> None:
        """See the newest generation again."""
        with self._lock:
            self._db.rollback()

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
                    # what changed since the last publication is not known here
                    self._db.execute("DELETE FROM meta WHERE key='published'")
                    self.set_generation(max(generation, self.generation()) + 1)
            finally:
                self._db.execute("PRAGMA foreign_keys=ON")
                self._db.execute("DETACH other")
        except sqlite3.Error as error:
            raise self._error(error) from None

    def backup(self, target: Path) -> None:
        """A consistent copy of the newest generation in the file `target`. Raises `StoreError`."""
        try:
            copy_file(self._db, target)
        except sqlite3.Error as error:
            target.unlink(missing_ok=True)
            raise StoreError(f"{target}: cannot be written ({error}); free space and run again") from None
