"""Migration of an index from an earlier format to the current one. A copy of the old index is kept.

Nothing is embedded again. It is one transaction, so the index has either the old format or the new one.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

from rag.errors import StoreError
from rag.store.catalog import Catalog
from rag.store.catalog_file import FILE_NAME, FORMAT, atomic, copy_file, create_tables
from rag.store.local import repair
from rag.store.records import FIELDS, digest_of_row
from rag.text import near_duplicates


def format_of(folder: Path) -> int:
    """The format number of the index in `folder`, 0 when there is none that can be read."""
    path = folder / FILE_NAME
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(path, timeout=30)) as db:
            return int(db.execute("SELECT value FROM meta WHERE key='format'").fetchone()[0])
    except (sqlite3.Error, ValueError, TypeError):
        return 0


def backup_name(format_: int) -> str:
    """The file that keeps the index as it was."""
    return f"catalog.format-{format_}.sqlite"


def _from_1(db: sqlite3.Connection) -> None:
    """Format 1 had rows of two generations, an FTS5 table, and vectors by hash."""
    for index in ("articles_id", "chunks_article", "chunks_embedded", "chunks_removed"):
        db.execute(f"DROP INDEX IF EXISTS {index}")
    for table in ("meta", "articles", "chunks", "vectors", "segments"):
        db.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    db.execute("DROP TABLE lexical")
    create_tables(db)
    for key in ("generation", "embedding", "dimension", "chunking"):
        db.execute("INSERT OR REPLACE INTO meta SELECT key,value FROM old_meta WHERE key=?", (key,))
    for embedded, vector in db.execute("SELECT embedded,vector FROM old_vectors").fetchall():
        row = (embedded, vector, zlib.crc32(vector))
        db.execute("INSERT INTO vectors(embedded,vector,crc) VALUES(?,?,?)", row)
    rows = db.execute(
        "SELECT row,id,version,path,body,fields FROM old_articles WHERE removed IS NULL ORDER BY id"
    ).fetchall()
    for row, id_, version, path, body, fields in rows:
        stated = json.loads(fields)
        fields = json.dumps({name: stated.get(name) for name in FIELDS}, ensure_ascii=False)
        db.execute(
            "INSERT INTO articles VALUES(?,?,?,?,?,?,?,?,?)",
            (row, id_, id_, version, path, body, fields, digest_of_row(body, fields), id_),
        )
        sketch = near_duplicates.sketch(body)
        db.executemany("INSERT OR IGNORE INTO sketches VALUES(?,?)", [(value, row) for value in sketch])
    db.execute(
        'INSERT INTO chunks SELECT c.id,c.article,c.start,c."end",c.title,c.text,v.id'
        " FROM old_chunks c JOIN vectors v ON v.embedded=c.embedded WHERE c.removed IS NULL"
    )
    db.execute("UPDATE meta SET value=(SELECT coalesce(max(id),0)+1 FROM old_chunks) WHERE key='next_chunk'")
    db.execute("UPDATE meta SET value=(SELECT count(*) FROM chunks) WHERE key='chunks'")
    for table in ("chunks", "articles", "vectors", "segments", "meta"):
        db.execute(f"DROP TABLE old_{table}")


def migrate(folder: Path) -> None:
    """Migrate the index in `folder` if it has an earlier format. A copy stays in the file `backup_name`.

    Call it under `writer_lock`. Raises `StoreError` when the copy cannot be written or the old index is damaged.
    """
    if format_of(folder) != 1:
        return
    path = folder / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as db:
        try:
            copy_file(db, folder / backup_name(1))
            db.execute("PRAGMA legacy_alter_table=ON")  # so that references keep naming the new tables
            with atomic(db):
                _from_1(db)
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(
                f"{path}: cannot be brought to format {FORMAT} ({error}); free space, or run: rag index --rebuild"
            ) from None
    with closing(Catalog(folder)) as catalog:
        if fingerprint := catalog.fingerprint():
            repair(folder, catalog, fingerprint.dimension)
