"""Reading the catalogue: articles, chunks, vectors, the index files that hold them, and what the folders of articles contained.

SQLite stores no checksums. Articles and vectors therefore carry their own, which are compared at every read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rag.schema import Article, Chunk
from rag.store.base import Fingerprint
from rag.store.catalog_file import CatalogFile
from rag.store.records import ArticleRecord, Duplicate, LexicalFiles, Segment, article_of_row, digest_of_row

_ARTICLES = "SELECT id,version,path,body,fields,origin,digest,row,file FROM articles"
_VECTORS = "SELECT c.id, v.vector, v.crc FROM chunks c JOIN vectors v ON v.id=c.vector"
_PUBLISHER = "json_extract(fields, '$.publisher[0]')"


class CatalogReader(CatalogFile):
    """The reading half of the catalogue. Methods raise `StoreError` for rows that are damaged. Those that have the name of a
    method of `rag.store.base.Store` do what is written there."""

    def next_chunk(self) -> int:
        """The id that the next chunk gets. An id is never reused."""
        return self._number("next_chunk")

    def fingerprint(self) -> Fingerprint | None:
        """The settings that made the rows, None before the first update."""
        embedding, dimension, chunking = (self._get(k) for k in ("embedding", "dimension", "chunking"))
        if embedding is None or dimension is None or chunking is None:
            return None
        return Fingerprint(embedding, int(dimension), chunking)

    def articles(self, limit: int = -1) -> Iterator[Article]:
        keys = [r[0] for r in self._rows("SELECT row FROM articles ORDER BY id LIMIT ?", (limit,))]
        yield from map(self._checked, self._each(f"{_ARTICLES} WHERE row IN (?) ORDER BY id", keys))

    def _checked(self, row: Sequence[Any]) -> Article:
        """The article of a row of `_ARTICLES`. Raises `StoreError` when it is not what its digest says."""
        if digest_of_row(str(row[3]), str(row[4])) != row[6]:
            raise self._damaged(f"the text of {row[0]} is not what was stored")
        return article_of_row(row[:6])

    def article(self, id_: str) -> Article | None:
        rows = self._rows(f"{_ARTICLES} WHERE id=?", (id_,))
        return self._checked(rows[0]) if rows else None

    def records(self, *, file: str | None = None, ids: Sequence[str] | None = None) -> list[ArticleRecord]:
        """The indexed articles of one file, of some ids, or all, by id."""
        sql = "SELECT id,file,version,fields,digest,origin FROM articles"
        if ids is not None:
            rows = list(self._each(f"{sql} WHERE id IN (?)", ids))
        elif file is not None:
            rows = self._rows(f"{sql} WHERE file=?", (file,))
        else:
            rows = self._rows(sql)
        return sorted((ArticleRecord(*row) for row in rows), key=lambda h: h.id)

    def ids_with_digest(self, digest: bytes) -> list[str]:
        """Ids of the articles with that digest, by id."""
        return self._strings("SELECT id FROM articles WHERE digest=? ORDER BY id", (digest,))

    def article_count(self) -> int:
        return int(self._rows("SELECT count(*) FROM articles")[0][0])

    def chunk_count(self) -> int:
        return self._number("chunks")

    def chunks_by_article(self) -> dict[str, int]:
        sql = "SELECT a.id, count(*) FROM chunks c JOIN articles a ON a.row=c.article GROUP BY a.id"
        return dict(self._rows(sql))

    def publishers(self) -> list[str]:
        sql = f"SELECT DISTINCT {_PUBLISHER} AS p FROM articles WHERE p IS NOT NULL ORDER BY p"
        return self._strings(sql)

    def of_publisher(self, name: str, limit: int) -> list[tuple[Article, str]]:
        """The newest articles of a publisher with their files, at most `limit`. Only for a writer: the first call
        creates the SQL index that finds them."""
        self._db.execute(f"CREATE INDEX IF NOT EXISTS articles_publisher ON articles({_PUBLISHER})")
        rows = self._rows(f"{_ARTICLES} WHERE {_PUBLISHER}=? ORDER BY row DESC LIMIT ?", (name, limit))
        return [(self._checked(row), str(row[8])) for row in rows]

    def chunk_ids(self, id_: str) -> list[int]:
        """Ids of the chunks of an article, in order."""
        sql = "SELECT c.id FROM chunks c JOIN articles a ON a.row=c.article WHERE a.id=? ORDER BY c.id"
        return [int(r[0]) for r in self._rows(sql, (id_,))]

    def lookup(self, ids: Sequence[int]) -> list[tuple[int, Chunk, Article]]:
        sql = 'SELECT id,article,start,"end",text FROM chunks WHERE id IN (?)'
        rows = {id_: rest for id_, *rest in self._each(sql, ids)}
        keys = sorted({key for key, *_ in rows.values()})
        articles = {r[7]: self._checked(r) for r in self._each(f"{_ARTICLES} WHERE row IN (?)", keys)}
        found = []
        for id_ in ids:
            if id_ in rows:
                key, start, end, text = rows[id_]
                article = articles.get(key)
                if article is None or article.body[start:end] != text:
                    raise self._damaged(f"chunk {id_} is no piece of its article")
                found.append((id_, Chunk(article.id, start, end, text), article))
        return found

    def facts(self, ids: Sequence[int]) -> dict[int, Article]:
        sql = (
            "SELECT c.id,a.id,a.version,a.path,'',a.fields,a.origin FROM chunks c JOIN articles a ON a.row=c.article"
            " WHERE c.id IN (?)"
        )
        return {int(r[0]): article_of_row(r[1:]) for r in self._each(sql, ids)}

    def texts(self, low: int, high: int) -> Iterator[tuple[int, str, str]]:
        """(chunk id, title, text) of the chunks with low <= id < high, by id."""
        yield from self._range("SELECT c.id,c.title,c.text FROM chunks c", low, high)

    def vectors(self, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        """(chunk id, float32 bytes) of the chunks with low <= id < high, by id. Raises `StoreError` for a damaged one."""
        yield from map(self._intact, self._range(_VECTORS, low, high))

    def _range(self, sql: str, low: int, high: int) -> Iterator[tuple[Any, ...]]:
        while rows := self._rows(f"{sql} WHERE c.id>=? AND c.id<? ORDER BY c.id LIMIT 4096", (low, high)):
            yield from rows
            low = rows[-1][0] + 1

    def _intact(self, row: tuple[int, bytes, int]) -> tuple[int, bytes]:
        """(chunk id, vector) of a row of `_VECTORS`."""
        id_, vector, crc = row
        if zlib.crc32(vector) != crc:
            raise self._damaged(f"the vector of chunk {id_} is not what was stored")
        return id_, vector

    def vectors_of(self, ids: Sequence[int]) -> dict[int, bytes]:
        """float32 bytes by chunk id. Raises `StoreError` for a damaged one."""
        return dict(map(self._intact, self._each(f"{_VECTORS} WHERE c.id IN (?)", ids)))

    def ids_checksum(self) -> tuple[int, int]:
        """(number of chunks, sum of a hash of their ids), for comparing with the vector files: see `rag.store.vectors`."""
        # chunks_vector holds every id and is small, so the texts are not touched
        hashes = "coalesce(sum((id * 2654435761) & 4294967295), 0)"
        count, total = self._rows(f"SELECT count(*), {hashes} FROM chunks INDEXED BY chunks_vector")[0]
        return count, total

    def tombstones(self) -> list[int]:
        """Ids of removed chunks that a segment still holds, in order."""
        return [int(r[0]) for r in self._rows("SELECT chunk FROM tombstones ORDER BY chunk")]

    def segments(self) -> list[Segment]:
        """The FAISS files, by the ids they hold."""
        sql = "SELECT name,kind,sha256,count,low,high FROM segments ORDER BY low"
        return [Segment(*row) for row in self._rows(sql)]

    def lexical(self) -> LexicalFiles | None:
        """The word index, None when there is none."""
        with self._lock:
            name = self._get("lexical")
            rows = self._rows("SELECT name,sha256 FROM lexical ORDER BY name")
        return LexicalFiles(name, tuple((str(n), str(h)) for n, h in rows)) if name else None

    def known_vectors(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of `hashes` (SHA-256 of embedded texts) whose vector is stored."""
        sql = "SELECT embedded FROM vectors WHERE embedded IN (?)"
        return {bytes(r[0]) for r in self._each(sql, list(hashes))}

    def alike(self, sketch: Sequence[int], at_least: int) -> list[tuple[str, str]]:
        """(id, body) of the first articles of near-duplicates whose sketches share `at_least` values with `sketch`, most
        first, ties by id; five at most."""
        if not sketch:
            return []
        rows = self._rows(
            "SELECT a.id, a.body FROM (SELECT article, count(*) AS shared FROM sketches"
            f" WHERE value IN ({','.join('?' * len(sketch))}) GROUP BY article HAVING shared>=?) s"
            " JOIN articles a ON a.row=s.article ORDER BY s.shared DESC, a.id LIMIT 5",
            (*sketch, at_least),
        )
        return [(str(a), str(b)) for a, b in rows]

    def near_duplicates_of(self, origin: str) -> list[tuple[str, str]]:
        """(id, body) of the near-duplicates whose first article is `origin`, without it, by id."""
        sql = "SELECT id,body FROM articles WHERE origin=? AND id<>? ORDER BY id"
        return [(a, b) for a, b in self._rows(sql, (origin, origin))]

    # ------------------------------------------------------------------ what the folders of articles contained

    def roots(self) -> list[str]:
        """Files and folders outside the corpus' own that were indexed, to be followed from then on."""
        return self._strings("SELECT root FROM roots ORDER BY root")

    def files(self, root: str) -> list[str]:
        """The files that were read of a root ("": the corpus' own), in order."""
        return self._strings("SELECT file FROM files WHERE root=? ORDER BY file", (root,))

    def files_under(self, place: str) -> list[str]:
        """The file of that place, and the files in the folder of that place ("": the corpus' own), in order."""
        if not place:
            return self.files("")
        return self._strings(
            "SELECT file FROM files WHERE file=? OR (file>? AND file<?) ORDER BY file",
            (place, f"{place}/", f"{place}0"),  # "0" follows "/"
        )

    def stamp(self, file: str) -> str:
        """The stamp of a file, "" when it was never read."""
        return "".join(self._strings("SELECT stamp FROM files WHERE file=?", (file,)))

    def skips(self, file: str) -> list[tuple[str, str, str]]:
        """(file, key, reason) of the articles of a file that could not be read, by key."""
        sql = "SELECT file,key,reason FROM skips WHERE file=? ORDER BY key"
        return [(a, key, reason) for a, key, reason in self._rows(sql, (file,))]

    def duplicates(self) -> list[Duplicate]:
        """Articles that are in the index under another id, by id."""
        sql = "SELECT id,file,version,digest FROM duplicates ORDER BY id"
        return [Duplicate(*row) for row in self._rows(sql)]

    def excluded(self) -> dict[str, str]:
        """Version by id of the articles that the user removed: they stay out of the index until they change."""
        return dict(self._rows("SELECT id,version FROM taken_out ORDER BY id"))
