"""The store on real SQLite and FAISS: generations, repair, what is refused."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.config import Settings
from rag.errors import CorpusError, StoreError
from rag.ingest.build import build, fingerprint_of
from rag.ingest.maintenance import rebuild
from rag.retrieval.hybrid import retrieve
from rag.store.bm25 import query_words
from rag.store.catalog_file import FILE_NAME
from rag.store.local import LocalStore, writer_lock
from rag.store.vectors import VectorIndex, write_segment
from tests.fakes import WordEmbedder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "a.txt").write_text(
        "Floods hit Valencia\n\nThe river rose four metres on Monday. Two bridges fell.", "utf-8"
    )
    (seeds / "b.txt").write_text(
        "Talks on grain\n\nMinisters met in Ankara for three hours about grain exports.", "utf-8"
    )
    return Settings(seeds=seeds, index=tmp_path / "index")


def open_store(settings: Settings, embedder: WordEmbedder) -> LocalStore:
    return LocalStore(settings.index, fingerprint_of(settings, embedder))


def paths(store: LocalStore, embedder: WordEmbedder, query: str) -> list[str]:
    return [p.article.path for p in retrieve(store, embedder, query, 5)]


def test_a_built_index_finds_the_right_article_and_its_chunk_is_a_slice_of_it(settings: Settings) -> None:
    embedder = WordEmbedder()
    summary = build(settings, embedder)
    assert summary.added == ("a.txt", "b.txt") and not summary.skipped
    store = open_store(settings, embedder)
    best = retrieve(store, embedder, "How high did the river rise?", 5)[0]
    assert best.article.path == "a.txt" and best.rank == 1 and best.dense_rank == 1 and best.lexical_rank == 1
    assert best.article.body[best.chunk.start : best.chunk.end] == best.chunk.text


def test_an_unchanged_folder_embeds_nothing_and_makes_no_generation(settings: Settings) -> None:
    embedder = WordEmbedder()
    first = build(settings, embedder)
    embedder.encoded = 0
    second = build(settings, embedder)
    assert second.unchanged == ("a.txt", "b.txt") and embedder.encoded == 0
    assert second.generation == first.generation


def test_added_changed_and_removed_articles_are_told_apart_and_only_new_text_is_embedded(
    settings: Settings,
) -> None:
    embedder = WordEmbedder()
    build(settings, embedder)
    (settings.seeds / "c.txt").write_text(
        "Strike at the port\n\nDockers stopped work for two days in Genoa.", "utf-8"
    )
    (settings.seeds / "a.txt").write_text("Floods hit Valencia\n\nThe river rose five metres.", "utf-8")
    (settings.seeds / "b.txt").unlink()
    embedder.encoded = 0
    summary = build(settings, embedder)
    assert (summary.added, summary.changed, summary.removed) == (("c.txt",), ("a.txt",), ("b.txt",))
    assert embedder.encoded == 2
    store = open_store(settings, embedder)
    assert "b.txt" not in paths(store, embedder, "grain exports Ankara ministers")
    assert paths(store, embedder, "Dockers in Genoa")[0] == "c.txt"


def test_a_renamed_article_keeps_its_vectors(settings: Settings) -> None:
    embedder = WordEmbedder()
    build(settings, embedder)
    (settings.seeds / "b.txt").rename(settings.seeds / "z.txt")
    embedder.encoded = 0
    summary = build(settings, embedder)
    assert summary.renamed == (("b.txt", "z.txt"),) and not (summary.added or summary.removed)
    assert embedder.encoded == 0
    store = open_store(settings, embedder)
    assert paths(store, embedder, "Ministers in Ankara")[0] == "z.txt"
    assert [a.id for a in store.articles()] == ["a.txt", "z.txt"]


def test_a_reader_keeps_its_generation_while_a_writer_makes_the_next(settings: Settings) -> None:
    embedder = WordEmbedder()
    build(settings, embedder)
    old = open_store(settings, embedder)
    (settings.seeds / "b.txt").unlink()
    (settings.seeds / "d.txt").write_text("Vote in Oslo\n\nParliament voted on the grain law.", "utf-8")
    build(settings, embedder)
    assert old.is_behind()
    assert paths(old, embedder, "grain exports Ankara")[0] == "b.txt"
    assert [a.id for a in old.articles()] == ["a.txt", "b.txt"]
    new = open_store(settings, embedder)
    assert [a.id for a in new.articles()] == ["a.txt", "d.txt"]
    assert "b.txt" not in paths(new, embedder, "grain exports Ankara")


@pytest.mark.slow
def test_many_updates_keep_few_files_and_every_live_chunk_is_found(settings: Settings) -> None:
    embedder = WordEmbedder()
    for number in range(25):
        (settings.seeds / f"n{number}.txt").write_text(
            f"Item {number}\n\nThe zebra{number} crossed the road.", "utf-8"
        )
        if number > 2:
            (settings.seeds / f"n{number - 3}.txt").unlink()
        build(settings, embedder)
    store = open_store(settings, embedder)
    assert len(list(settings.index.glob("*.faiss"))) <= 10
    assert paths(store, embedder, "zebra24")[0] == "n24.txt"
    assert "n3.txt" not in paths(store, embedder, "zebra3")
    vector = embedder.encode(["zebra24 crossed the road"])[0]
    dense = store.lookup([id_ for id_, _ in store.dense(vector, 50)])
    assert len(dense) == store.chunk_count()


@pytest.mark.parametrize("harm", ["missing", "flipped bit", "truncated"])
def test_a_damaged_faiss_file_is_made_again_without_embedding(settings: Settings, harm: str) -> None:
    embedder = WordEmbedder()
    build(settings, embedder)
    file = next(settings.index.glob("*.faiss"))
    data = bytearray(file.read_bytes())
    if harm == "missing":
        file.unlink()
    elif harm == "truncated":
        file.write_bytes(data[: len(data) // 2])
    else:
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    embedder.encoded = 0
    store = open_store(settings, embedder)
    assert embedder.encoded == 0
    assert paths(store, embedder, "Ministers in Ankara")[0] == "b.txt"


def test_an_index_made_by_another_model_is_refused_and_rag_index_makes_it_anew(settings: Settings) -> None:
    build(settings, WordEmbedder("one"))
    other = WordEmbedder("two")
    with pytest.raises(StoreError, match="another embedding model.*rag index"):
        open_store(settings, other)
    assert build(settings, other).embedded == 2
    assert paths(open_store(settings, other), other, "Ankara")[0] == "b.txt"


def test_a_missing_index_says_what_to_run(settings: Settings) -> None:
    with pytest.raises(StoreError, match="no index at .*run: rag index"):
        open_store(settings, WordEmbedder())


def test_a_file_that_is_not_sqlite_is_refused_with_the_next_command(settings: Settings) -> None:
    settings.index.mkdir()
    (settings.index / FILE_NAME).write_bytes(b"not a database, only some text" * 100)
    with pytest.raises(StoreError, match="rag index"):
        open_store(settings, WordEmbedder())


def test_an_index_of_a_newer_format_is_refused(settings: Settings) -> None:
    build(settings, WordEmbedder())
    with sqlite3.connect(settings.index / FILE_NAME) as db:
        db.execute("UPDATE meta SET value='99' WHERE key='format'")
    with pytest.raises(StoreError, match="format 99"):
        open_store(settings, WordEmbedder())


def _hold(folder: Path, ready: object, done: object) -> None:
    with writer_lock(folder):
        ready.set()  # type: ignore[attr-defined]
        done.wait(20)  # type: ignore[attr-defined]


def test_a_second_writer_is_told_who_holds_the_lock(settings: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(settings.index, ready, done))
    holder.start()
    try:
        assert ready.wait(20)
        with pytest.raises(StoreError, match=f"process {holder.pid} is writing"):
            build(settings, WordEmbedder())
    finally:
        done.set()
        holder.join()
    assert build(settings, WordEmbedder()).added


def test_an_unreadable_article_is_skipped_with_its_reason_and_the_rest_is_indexed(settings: Settings) -> None:
    (settings.seeds / "empty.txt").write_bytes(b"")
    (settings.seeds / "binary.txt").write_bytes(b"\x00\x01\x02" * 50)
    summary = build(settings, WordEmbedder())
    assert summary.added == ("a.txt", "b.txt")
    assert [s.path for s in summary.skipped] == ["binary.txt", "empty.txt"]
    assert all(s.path in s.reason for s in summary.skipped)


def test_an_empty_folder_is_an_error_and_leaves_no_index(settings: Settings) -> None:
    for file in settings.seeds.iterdir():
        file.unlink()
    with pytest.raises(CorpusError, match="no article"):
        build(settings, WordEmbedder())
    assert not (settings.index / FILE_NAME).exists()


class _Interrupted(WordEmbedder):
    def encode(self, texts):  # type: ignore[no-untyped-def]
        if self.encoded >= 64:
            raise KeyboardInterrupt
        return super().encode(texts)


def test_interrupted_embedding_keeps_what_was_done_and_the_old_index(settings: Settings) -> None:
    build(settings, WordEmbedder())
    for number in range(100):
        (settings.seeds / f"m{number}.txt").write_text(
            f"Story {number}\n\nThe owl{number} slept all day.", "utf-8"
        )
    with pytest.raises(KeyboardInterrupt):
        build(settings, _Interrupted())
    embedder = WordEmbedder()
    assert len(open_store(settings, embedder).articles()) == 2
    assert build(settings, embedder).embedded == 100 - 64


@pytest.mark.parametrize(
    "query", ['"', "a AND (b", "NEAR(x y", "title:x*", "'; DROP TABLE chunks; --", "😀", "日本"]
)
def test_no_question_is_read_as_query_syntax(settings: Settings, query: str) -> None:
    embedder = WordEmbedder()
    build(settings, embedder)
    store = open_store(settings, embedder)
    assert isinstance(store.lexical(query, 5), list)
    assert store.chunk_count() == 2


def test_the_words_of_a_query_that_carry_meaning_are_searched() -> None:
    assert query_words("the grain exports") == ["grain", "exports"]
    assert query_words("who was it") == ["who", "was", "it"]
    assert query_words("?!") == []


def test_vectors_are_searched_exactly_and_dead_ids_never_returned(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    parts = [
        write_segment(tmp_path, range(10, 210), rows[:200], 10, 210),
        write_segment(tmp_path, range(210, 310), rows[200:], 210, 310),
    ]
    dead = [10, 11, 250]
    index = VectorIndex(tmp_path, parts, dead, 16, lambda ids: {})
    query = rows[240]
    scores = rows @ query
    expected = [i + 10 for i in np.argsort(-scores, kind="stable") if i + 10 not in dead][:20]
    assert [id_ for id_, _ in index.search(query, 20)] == expected
    assert len(index.search(query, 1000)) == 297


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1.5 MB; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"mounting a small disk needs root: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_one_clear_error_and_the_old_index_still_answers(
    settings: Settings, small_disk: Path
) -> None:
    settings = replace(settings, index=small_disk / "index")
    embedder = WordEmbedder()
    before = build(settings, embedder)
    for number in range(300):
        text = f"Story {number}\n\nThe owl{number} slept all day. " + f"It rained on hill {number}. " * 20
        (settings.seeds / f"m{number}.txt").write_text(text, "utf-8")
    with pytest.raises(StoreError, match="disk is full|No space left|free space"):
        build(settings, embedder)
    store = open_store(settings, embedder)
    assert store.generation == before.generation
    assert paths(store, embedder, "Ministers in Ankara")[0] == "b.txt"
    assert not list(settings.index.glob("*.partial"))


def test_a_folder_that_cannot_be_written_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", "utf-8")
    with pytest.raises(StoreError, match="file/index"):
        build(replace(settings, index=tmp_path / "file" / "index"), WordEmbedder())


@pytest.mark.parametrize("harm", ["damaged", "newer format", "none"])
def test_a_rebuild_replaces_an_index_that_cannot_be_read(settings: Settings, harm: str) -> None:
    embedder = WordEmbedder()
    build(settings, embedder)
    file = settings.index / FILE_NAME
    if harm == "damaged":
        file.write_bytes(b"\0" * 5000)
    elif harm == "newer format":
        with sqlite3.connect(file) as db:
            db.execute("UPDATE meta SET value='99' WHERE key='format'")
    assert rebuild(settings, embedder).added == ("a.txt", "b.txt")
    assert paths(open_store(settings, embedder), embedder, "Ministers in Ankara")[0] == "b.txt"
    assert sorted(p.suffix for p in settings.index.iterdir() if p.name.startswith("vectors")) == [".faiss"]


def test_a_rebuild_that_fails_leaves_the_old_index_as_it_was(settings: Settings) -> None:
    build(settings, WordEmbedder())
    with pytest.raises(KeyboardInterrupt):
        interrupted = _Interrupted()
        interrupted.encoded = 64
        rebuild(settings, interrupted)
    embedder = WordEmbedder()
    assert paths(open_store(settings, embedder), embedder, "Ministers in Ankara")[0] == "b.txt"
    assert not (settings.index / "rebuild").exists()
