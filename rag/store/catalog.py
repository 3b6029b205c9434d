"""The catalogue: one SQLite file with all articles, chunks and vectors, and the settings that made them.

Everything else in the index is derived from it. This module writes it, `catalog_reader` reads it and `catalog_file` opens
it. They know SQL, but not FAISS, tantivy, models or files of articles. Nothing is pickled:
vectors are little-endian float32 bytes, article fields are JSON text.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import astuple
from itertools import chain

from rag.errors import StoreError
from rag.schema import Article
from rag.store.base import Fingerprint
from rag.store.catalog_reader import CatalogReader
from rag.store.records import Duplicate, LexicalFiles, NewArticle, Segment, digest_of_row, fields_of

# Triggers record which articles changed since the last publication. The first publication creates them.
_CHANGED = (
    "CREATE TABLE IF NOT EXISTS changed(id TEXT PRIMARY KEY)",
    *(
        f"CREATE TRIGGER IF NOT EXISTS changed_{event}_{row} AFTER {event} ON articles"
        f" BEGIN INSERT OR IGNORE INTO changed VALUES({row}.id); END"
        for event, row in (("INSERT", "new"), ("UPDATE", "old"), ("UPDATE", "new"), ("DELETE", "old"))
    ),
)


class Catalog(CatalogReader):
    """The open catalogue. Call methods that write inside `transaction`, unless they say otherwise."""

    # ------------------------------------------------------------------ what changed since it was published

    def published(self, address: str) -> str:
        """The stamp of the generation that was last published, "" where that was not to the server at `address`."""
        stamp, _, place = (self._get("published") or "").partition(" ")
        return stamp if place == address else ""

    def changed(self) -> list[str]:
        """Ids of the articles that were added, changed or removed since `set_published`, by id."""
        return self._strings("SELECT id FROM changed ORDER BY id")

    def set_published(self, address: str, stamp: str) -> None:
        """Record that the server at `address` has this generation under this stamp. Runs in its own transaction."""
        with self.transaction():
            for statement in _CHANGED:
                self._db.execute(statement)
            self._db.execute("DELETE FROM changed")
            self._set("published", f"{stamp} {address}")

    # ------------------------------------------------------------------ writing

    def set_fingerprint(self, fingerprint: Fingerprint) -> None:
        """Record which settings made the rows."""
        self._set("embedding", fingerprint.embedding)
        self._set("dimension", fingerprint.dimension)
        self._set("chunking", fingerprint.chunking)

    def add_article(self, new: NewArticle, origin: str) -> None:
        """Add an article with its chunks, whose vectors must be stored. `origin` is the id of the first article among its
        near-duplicates, its own id where it is the first. Raises `StoreError` where a vector is missing."""
        a, fields = new.article, fields_of(new.article)
        values = (a.id, new.file, a.version, a.path, a.body, fields, digest_of_row(a.body, fields), origin)
        row = self._db.execute(
            "INSERT INTO articles(id,file,version,path,body,fields,digest,origin) VALUES(?,?,?,?,?,?,?,?)",
            values,
        ).lastrowid
        if origin == a.id:
            self._add_sketch(row, new.sketch)
        first = self.next_chunk()
        rows = [
            (id_, row, c.chunk.start, c.chunk.end, c.title, c.chunk.text, c.embedded)
            for id_, c in enumerate(new.chunks, first)
        ]
        added = self._db.executemany(
            'INSERT INTO chunks(id,article,start,"end",title,text,vector)'
            " SELECT ?,?,?,?,?,?,id FROM vectors WHERE embedded=?",
            rows,
        ).rowcount
        if rows and added != len(rows):
            raise self._damaged(f"a vector of {a.id} is not stored")
        self._set("next_chunk", first + len(rows))
        self._set("chunks", self.chunk_count() + len(rows))

    def _add_sketch(self, row: int | None, sketch: Iterable[int]) -> None:
        self._db.executemany("INSERT OR IGNORE INTO sketches VALUES(?,?)", [(value, row) for value in sketch])

    def set_origin(self, old: str, new: str, sketch: Iterable[int]) -> None:
        """Make the article `new`, with its sketch, the first of its near-duplicates in the place of `old`."""
        self._db.execute("UPDATE articles SET origin=? WHERE origin=?", (new, old))
        row = self._db.execute("SELECT row FROM articles WHERE id=?", (new,)).fetchone()
        self._add_sketch(row[0], sketch)

    def remove_article(self, id_: str) -> list[int]:
        """Remove an article and its chunks. Returns the ids of their vectors, for `drop_vectors` once everything new is added."""
        row = self._db.execute("SELECT row FROM articles WHERE id=?", (id_,)).fetchone()
        if row is None:
            return []
        found = self._db.execute("SELECT id,vector FROM chunks WHERE article=? ORDER BY id", row).fetchall()
        self._db.execute("DELETE FROM chunks WHERE article=?", row)
        self._db.executemany("INSERT INTO tombstones VALUES(?)", [(i,) for i, _ in found])
        self._db.execute("DELETE FROM sketches WHERE article=?", row)
        self._db.execute("DELETE FROM articles WHERE row=?", row)
        self._set("chunks", self.chunk_count() - len(found))
        return [int(v) for _, v in found]

    def drop_vectors(self, ids: Iterable[int]) -> None:
        """Delete those of the vectors `ids` that no chunk uses."""
        self._db.executemany(
            "DELETE FROM vectors WHERE id=? AND NOT EXISTS(SELECT 1 FROM chunks WHERE vector=?)",
            [(v, v) for v in ids],
        )

    def move_article(self, old: str, article: Article, file: str) -> None:
        """Give an article another place and id; its chunks and their vectors stay as they are."""
        self._db.execute(
            "UPDATE articles SET id=?, path=?, file=?, origin=CASE origin WHEN id THEN ? ELSE origin END WHERE id=?",
            (article.id, article.path, file, article.id, old),
        )
        self._db.execute("UPDATE articles SET origin=? WHERE origin=?", (article.id, old))

    def add_vectors(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """Store (`embedded_key`, float32 bytes); a vector that is stored already is left as it is."""
        self._db.executemany(
            "INSERT OR IGNORE INTO vectors(embedded,vector,crc) VALUES(?,?,?)",
            ((key, vector, zlib.crc32(vector)) for key, vector in vectors),
        )

    def drop_unused_vectors(self) -> None:
        """Delete vectors that no chunk uses. Interrupted work or another model left them."""
        self._db.execute("DELETE FROM vectors WHERE id NOT IN (SELECT vector FROM chunks)")

    def set_segments(self, removed: Iterable[Segment], added: Iterable[Segment]) -> None:
        """Replace the listed FAISS files. The tombstones in the range of a removed file are deleted with it."""
        for segment in removed:
            self._db.execute("DELETE FROM segments WHERE name=?", (segment.name,))
            self._db.execute("DELETE FROM tombstones WHERE chunk>=? AND chunk<?", (segment.low, segment.high))
        for segment in added:
            self._db.execute("INSERT INTO segments VALUES(?,?,?,?,?,?)", astuple(segment))

    def set_lexical(self, copy: LexicalFiles | None) -> None:
        """Replace the listed word index. None: there is none."""
        self._db.execute("DELETE FROM lexical")
        self._db.execute("DELETE FROM meta WHERE key='lexical'")
        if copy is not None:
            self._set("lexical", copy.name)
            self._db.executemany("INSERT INTO lexical VALUES(?,?)", copy.files)

    def add_root(self, root: str) -> None:
        """Index a file or folder outside the corpus' own folder from now on."""
        self._db.execute("INSERT OR IGNORE INTO roots VALUES(?)", (root,))

    def set_file(
        self,
        file: str,
        root: str,
        stamp: str,
        skips: Iterable[tuple[str, str]],
        duplicates: Iterable[Duplicate],
    ) -> None:
        """Record the stamp of a file that was read, (key, reason) of each article in it that could not be read, and its
        duplicates."""
        self.forget_file(file)
        self._db.execute("INSERT INTO files VALUES(?,?,?)", (file, root, stamp))
        self._db.executemany("INSERT OR REPLACE INTO skips VALUES(?,?,?)", [(file, k, r) for k, r in skips])
        self._db.executemany("INSERT OR REPLACE INTO duplicates VALUES(?,?,?,?)", map(astuple, duplicates))

    def forget_file(self, file: str) -> None:
        """Forget that a file was read."""
        for table in ("files", "skips", "duplicates"):
            self._db.execute(f"DELETE FROM {table} WHERE file=?", (file,))

    def exclude(self, id_: str, file: str, version: str) -> None:
        """Keep an article out of the index until it changes."""
        self._db.execute("INSERT OR REPLACE INTO taken_out VALUES(?,?,?)", (id_, file, version))

    def readmit(self, ids: Iterable[str]) -> None:
        """Undo `exclude`."""
        self._db.executemany("DELETE FROM taken_out WHERE id=?", [(i,) for i in ids])

    # ------------------------------------------------------------------ the whole file

    def problems(self) -> list[str]:
        """The problems that reading everything finds, one line each. Empty where there is none."""
        found = [row for row in self._strings("PRAGMA integrity_check(5)") if row != "ok"]
        if found:
            return found
        try:
            for _ in chain(self.articles(), self.vectors(0, self.next_chunk())):
                pass  # each is compared with its checksum
            sql = "SELECT c.id FROM chunks c LEFT JOIN vectors v ON v.id=c.vector WHERE v.id IS NULL LIMIT 1"
            found += [f"chunk {id_} has no vector" for id_ in self._strings(sql)]
            row, body = -1, ""
            sql = 'SELECT id,article,start,"end",text FROM chunks ORDER BY article,id'
            for id_, article, start, end, text in self._rows(sql):
                if article != row:
                    row, (body,) = article, self._strings("SELECT body FROM articles WHERE row=?", (article,))
                if body[start:end] != text:
                    found.append(f"chunk {id_} is no piece of its article")
            if self.ids_checksum()[0] != self.chunk_count():
                found.append("the number of chunks is not the stored one")
        except (StoreError, IndexError, ValueError, KeyError, TypeError) as error:
            found.append(str(error))
        return found
