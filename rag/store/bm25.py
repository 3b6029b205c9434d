"""The word index: BM25 by tantivy. It is derived from the texts in the catalogue, and each generation has its own folder.

A new generation starts as hard links to the files of the previous one, because tantivy never changes a written file.
Only new texts add files. So an update takes time in proportion to what is new, and a reader's folder never changes.
This module knows words and chunk ids, not articles.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rag.errors import StoreError
from rag.store.files import sha256_of, sync_folder
from rag.store.records import LexicalFiles
from rag.text.words import content_words, words

PREFIX, NAME_BYTES = "words-", 8
MAX_QUERY_WORDS = 64  # a question is one sentence; more words only cost time
SMALL_HEAP, LARGE_HEAP = 15_000_000, 120_000_000  # bytes; tantivy asks for 15 MB at least
LARGE = 20_000  # chunks from which two threads and the large heap pay


def query_words(query: str) -> list[str]:
    """The words of a question that are searched: those that carry meaning, else all; each once, in order."""
    written = query.replace("\0", " ").split()
    chosen = [w for w in written if content_words(w)] or [w for w in written if words(w)]
    return list(dict.fromkeys(chosen))[:MAX_QUERY_WORDS]


def _analyzer() -> Any:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(60)).filter(tantivy.Filter.lowercase())
    return builder.filter(tantivy.Filter.ascii_fold()).filter(tantivy.Filter.stemmer("english")).build()


def _open(path: Path) -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", stored=False, indexed=True, fast=True)
    builder.add_text_field("text", stored=False, tokenizer_name="words", index_option="freq")
    index = tantivy.Index(builder.build(), path=str(path))
    index.register_tokenizer("words", _analyzer())
    return index


def _listed(path: Path) -> set[str]:
    """The files of the newest commit in the folder `path`."""
    names = {"meta.json"}
    for segment in json.loads((path / "meta.json").read_text("utf-8"))["segments"]:
        stem = str(segment["segment_id"]).replace("-", "")
        names |= {f"{stem}.{kind}" for kind in ("fast", "fieldnorm", "idx", "pos", "store", "term")}
        if segment["deletes"]:
            names.add(f"{stem}.{segment['deletes']['opstamp']}.del")
    return names


def is_intact(folder: Path, copy: LexicalFiles) -> bool:
    """Whether all files of the word index are there with the listed SHA-256."""
    return all(sha256_of(folder / copy.name / name) == digest for name, digest in copy.files)


def is_present(folder: Path, copy: LexicalFiles) -> bool:
    """Whether all files of the word index are there."""
    return all((folder / copy.name / name).is_file() for name, _ in copy.files)


def write_lexical(
    folder: Path,
    base: LexicalFiles | None,
    removed: Iterable[int],
    added: Iterable[tuple[int, str]],
    count: int,
) -> LexicalFiles:
    """The word index of the next generation: `base` (None: empty) without the chunks `removed`, with `added` (chunk id, text),
    about `count` of them.

    Raises `StoreError` when it cannot be written; then `base` is as it was.
    """
    import tantivy

    source, known = (folder / base.name, dict(base.files)) if base else (folder, {})
    target = folder / f"{PREFIX}{secrets.token_hex(NAME_BYTES)}"
    try:
        target.mkdir()
        for name in known:
            take = shutil.copyfile if name == "meta.json" else os.link
            take(source / name, target / name)
        index = _open(target)
        large = count >= LARGE
        writer = index.writer(heap_size=LARGE_HEAP if large else SMALL_HEAP, num_threads=2 if large else 1)
        for id_ in removed:
            writer.delete_documents_by_term("id", id_)
        for id_, text in added:
            writer.add_document(tantivy.Document(id=id_, text=text))
        writer.commit()
        writer.wait_merging_threads()  # the files do not change from here on
        files = []
        listed = _listed(target)
        for path in sorted(target.iterdir()):
            name = path.name
            if name not in listed:
                path.unlink()  # replaced by a merge, or tantivy's own state
            elif name in known and name != "meta.json":
                files.append((name, known[name]))
            else:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                files.append((name, sha256_of(path)))
        sync_folder(target)
        sync_folder(folder)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, (OSError, ValueError)):  # ValueError is all that tantivy reports of its files
            why = getattr(error, "strerror", None) or error
            raise StoreError(f"{target}: cannot be written ({why}); free space and run: rag index") from None
        raise
    return LexicalFiles(target.name, tuple(files))


class LexicalIndex:
    """An open word index, for reading. Threads may share it. Its files may be deleted while it is open."""

    def __init__(self, folder: Path, copy: LexicalFiles, known: LexicalIndex | None = None) -> None:
        """Open it. Files that `known` has already verified are not read again.

        Raises `StoreError` when a file is missing or not what its hash says.
        """
        self._sound = frozenset(copy.files)
        fresh = self._sound - (known._sound if known else frozenset())
        if not is_present(folder, copy) or not is_intact(folder, LexicalFiles(copy.name, tuple(fresh))):
            raise StoreError(f"{folder / copy.name}/: damaged or missing; run: rag index")
        path = folder / copy.name
        if os.access(path, os.W_OK):
            self._open(path)
        else:  # tantivy locks a folder even to read it
            with tempfile.TemporaryDirectory() as elsewhere:
                for name, _ in copy.files:
                    shutil.copyfile(path / name, Path(elsewhere) / name)
                self._open(Path(elsewhere))
        self._analyzer = _analyzer()

    def _open(self, path: Path) -> None:
        try:
            index = _open(path)
            index.config_reader(reload_policy="manual")
            self._searcher, self._schema = index.searcher(), index.schema
        except ValueError as error:
            raise StoreError(f"{path}/: cannot be read ({error}); run: rag index") from None

    def count(self) -> int:
        """Number of chunks in it."""
        return int(self._searcher.num_docs)

    def search(self, query: str, limit: int) -> list[tuple[int, float]]:
        """(chunk id, BM25 score, higher is better) of chunks with any word of `query`, best first, ties by id; empty when
        no word of it occurs."""
        import tantivy

        terms = dict.fromkeys(t for w in query_words(query) for t in self._analyzer.analyze(w))
        if not terms:
            return []
        each = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "text", term, index_option="freq"))
            for term in terms
        ]
        hits = self._searcher.search(tantivy.Query.boolean_query(each), limit, count=False).hits
        if not hits:
            return []
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        pairs = [(int(i), float(score)) for i, (score, _) in zip(ids, hits, strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def delete_unused(folder: Path, keep: Sequence[str]) -> None:
    """Delete the folders of word indexes that are not in `keep`: a crash or an earlier generation left them."""
    # The cache of a server's texts has a shorter name.
    for path in folder.glob(f"{PREFIX}{'?' * 2 * NAME_BYTES}"):
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
