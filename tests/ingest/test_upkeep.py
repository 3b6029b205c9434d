"""Upkeep: formats of the past, saving and restoring, starting over, corpora side by side."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.freshness import Cited, Freshness, freshness
from rag.config import Settings, load_settings, of_corpus
from rag.errors import ConfigError, StoreError
from rag.ingest.build import build, fingerprint_of
from rag.ingest.maintenance import check, export, rebuild, restore
from rag.store.catalog import Catalog
from rag.store.catalog_file import FILE_NAME, FORMAT
from rag.store.local import LocalStore
from rag.store.migration import backup_name, format_of
from tests.fakes import WordEmbedder
from tests.made import found_in

# --- an index of format 1 ----------------------------------------------------------------------------------------

FORMAT_1 = """
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


def write_format_1(settings: Settings) -> None:
    """The index of `settings` as the program before this one wrote it."""
    catalog = Catalog(settings.index)
    articles = list(catalog.articles())
    catalog.close()
    new = sqlite3.connect(settings.index / FILE_NAME)
    old = sqlite3.connect(settings.index / "old.sqlite")
    old.executescript(FORMAT_1)
    for key in ("embedding", "dimension", "chunking", "generation"):
        old.execute(
            "INSERT INTO meta VALUES(?,(SELECT ?))",
            (key, new.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()[0]),
        )
    old.execute("INSERT INTO meta VALUES('format','1')")
    for row, id_, version, path, body, fields in new.execute(
        "SELECT row,id,version,path,body,fields FROM articles"
    ):
        parts = json.loads(fields)
        parts.pop("author")
        old.execute(
            "INSERT INTO articles VALUES(?,?,?,?,?,?,1,NULL)",
            (row, id_, version, path, body, json.dumps(parts)),
        )
    old.execute("INSERT INTO articles VALUES(99,'gone.txt','v','gone.txt','Gone.','{}',1,2)")
    for row in new.execute(
        'SELECT c.id,c.article,c.start,c."end",c.title,c.text,v.embedded FROM chunks c JOIN vectors v ON v.id=c.vector'
    ):
        old.execute("INSERT INTO chunks VALUES(?,?,?,?,?,?,?,1,NULL)", row)
    old.executemany(
        "INSERT INTO vectors VALUES(?,?)", new.execute("SELECT embedded,vector FROM vectors").fetchall()
    )
    old.commit()
    old.close()
    new.close()
    for path in settings.index.iterdir():
        if path.name != "old.sqlite":
            path.unlink() if path.is_file() else [p.unlink() for p in path.iterdir()] and path.rmdir()
    (settings.index / "old.sqlite").rename(settings.index / FILE_NAME)
    assert len(articles) == 2


def test_an_index_of_format_1_is_brought_over_without_embedding_and_kept_beside(settings: Settings) -> None:
    build(settings, WordEmbedder())
    write_format_1(settings)
    assert format_of(settings.index) == 1
    with pytest.raises(StoreError, match="format 1.*rag index"):
        found_in(settings, "Ministers")
    embedder = WordEmbedder()
    summary = build(settings, embedder)
    assert summary.unchanged == ("a.txt", "b.txt") and embedder.encoded == 0
    assert found_in(settings, "Ministers in Ankara")[0] == "b.txt" and format_of(settings.index) == FORMAT
    kept = sqlite3.connect(settings.index / backup_name(1))
    assert kept.execute("SELECT count(*) FROM articles").fetchone() == (3,)
    kept.close()
    assert check(settings, WordEmbedder()).done == ()


def test_an_index_that_cannot_be_brought_over_stays_as_it_was(settings: Settings) -> None:
    build(settings, WordEmbedder())
    write_format_1(settings)
    db = sqlite3.connect(settings.index / FILE_NAME)
    db.execute("UPDATE articles SET fields='no json' WHERE id='a.txt'")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="cannot be brought to format"):
        build(settings, WordEmbedder())
    assert format_of(settings.index) == 1
    assert rebuild(settings, WordEmbedder()).added == ("a.txt", "b.txt")
    assert found_in(settings, "Ministers in Ankara")[0] == "b.txt"


# --- starting over, checking -------------------------------------------------------------------------------------


def test_a_rebuild_embeds_all_again_and_open_readers_see_it_without_a_restart(settings: Settings) -> None:
    build(settings, WordEmbedder())
    store = LocalStore(settings.index, fingerprint_of(settings, WordEmbedder()))
    embedder = WordEmbedder()
    assert rebuild(settings, embedder).added == ("a.txt", "b.txt") and embedder.encoded == 2
    assert [a.id for a in store.articles()] == ["a.txt", "b.txt"], "a reader goes on with what it has"
    assert store.is_behind()
    store.release()
    assert not store.resume()
    store.close()


def test_a_rebuild_goes_on_following_other_folders(settings: Settings, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.txt").write_text("Storm in Porto\n\nThe harbour was closed.", "utf-8")
    build(settings, WordEmbedder())
    build(settings, WordEmbedder(), paths=[other])
    rebuild(settings, WordEmbedder())
    assert found_in(settings, "harbour closed")[0] == f"{other}/x.txt"
    (other / "y.txt").write_text("Fire in Nice\n\nA warehouse burned.", "utf-8")
    assert build(settings, WordEmbedder()).added == (f"{other}/y.txt",)


def test_a_sound_index_is_called_sound_and_a_missing_one_missing(settings: Settings) -> None:
    with pytest.raises(StoreError, match="no index"):
        check(settings, WordEmbedder())
    build(settings, WordEmbedder())
    checked = check(settings, WordEmbedder())
    assert (checked.done, checked.aside, checked.articles, checked.chunks) == ((), None, 2, 2)


def test_a_check_makes_damaged_copies_again(settings: Settings) -> None:
    build(settings, WordEmbedder())
    next(settings.index.glob("vectors-*")).unlink()
    file = next(settings.index.glob("words-*/*.term"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    embedder = WordEmbedder()
    checked = check(settings, embedder)
    assert len(checked.done) == 2 and embedder.encoded == 0
    assert check(settings, embedder).done == () and found_in(settings, "Ministers")[0] == "b.txt"


def test_files_of_another_index_are_never_read(settings: Settings, tmp_path: Path) -> None:
    build(settings, WordEmbedder())
    other = replace(settings, seeds=tmp_path / "s2", index=tmp_path / "i2")
    other.seeds.mkdir()
    (other.seeds / "x.txt").write_text("Storm in Porto\n\nThe harbour was closed.", "utf-8")
    build(other, WordEmbedder())
    foreign = next(other.index.glob("vectors-*")).read_bytes()
    next(settings.index.glob("vectors-*")).write_bytes(foreign)
    assert found_in(settings, "Ministers in Ankara")[0] == "b.txt"


# --- saving, restoring -------------------------------------------------------------------------------------------


def test_a_saved_index_is_restored_elsewhere_without_the_articles(settings: Settings, tmp_path: Path) -> None:
    build(settings, WordEmbedder())
    file = tmp_path / "saved.zip"
    assert export(settings, file) == file.stat().st_size
    elsewhere = replace(settings, seeds=tmp_path / "none", index=tmp_path / "elsewhere")
    embedder = WordEmbedder()
    assert restore(elsewhere, embedder, file) == (2, 2) and embedder.encoded == 0
    assert found_in(elsewhere, "Ministers in Ankara")[0] == "b.txt"
    (settings.seeds / "b.txt").unlink()
    build(settings, WordEmbedder())
    restore(settings, WordEmbedder(), file)
    assert found_in(settings, "Ministers in Ankara")[0] == "b.txt"
    assert not list(settings.index.glob("export-*")) and not (settings.index / "rebuild").exists()


@pytest.mark.parametrize("harm", ["no zip", "cut", "changed", "other model", "newer", "bomb"])
def test_a_file_that_is_no_sound_saved_index_changes_nothing(
    settings: Settings, tmp_path: Path, harm: str
) -> None:
    build(settings, WordEmbedder())
    file = tmp_path / "saved.zip"
    export(settings, file)
    embedder = WordEmbedder()
    with zipfile.ZipFile(file) as archive:
        manifest, data = json.loads(archive.read("manifest.json")), archive.read(FILE_NAME)
    if harm == "no zip":
        file.write_bytes(b"not a zip")
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:-200])
    elif harm == "other model":
        embedder = WordEmbedder("other")
    else:
        if harm == "changed":
            data = data.replace(b"Ministers", b"ministers")
        elif harm == "newer":
            manifest["format"] = 99
        else:
            manifest["files"][FILE_NAME]["bytes"] = 10
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("manifest.json", json.dumps(manifest))
            archive.writestr(FILE_NAME, data)
    with pytest.raises(StoreError, match="saved.zip"):
        restore(settings, embedder, file)
    assert found_in(settings, "Ministers in Ankara")[0] == "b.txt"
    assert not (settings.index / "rebuild").exists()


# --- corpora, freshness ------------------------------------------------------------------------------------------


def test_corpora_side_by_side_do_not_meet(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "citewire.toml").write_text(f'[corpora]\nsports = "{tmp_path}/sports"\n', "utf-8")
    (tmp_path / "sports").mkdir()
    (tmp_path / "sports" / "s.txt").write_text("Cup final\n\nThe final in Oslo lasted two hours.", "utf-8")
    build(settings, WordEmbedder())
    base = load_settings(tmp_path, {}).with_options(
        index=settings.index, cache=settings.cache, corpus="sports"
    )
    sports = of_corpus(base)
    assert sports.index == settings.index / "corpora" / "sports"
    build(sports, WordEmbedder())
    build(settings, WordEmbedder())
    assert found_in(sports, "final")[0] == "s.txt" and "s.txt" not in found_in(settings, "final in Oslo")
    assert of_corpus(settings.with_options(corpus="x")).seeds == Path("corpora/x")
    for name in ("../out", ".hidden", "a/b", "a b"):
        with pytest.raises(ConfigError, match="a name is letters"):
            of_corpus(settings.with_options(corpus=name))


def test_an_old_answer_knows_what_became_of_its_articles(settings: Settings) -> None:
    build(settings, WordEmbedder())
    store = LocalStore(settings.index, fingerprint_of(settings, WordEmbedder()))
    cited = [
        Cited(a.id, a.version, text)
        for a, text in zip(
            store.articles(),
            ("The river rose four metres on Monday.", "Ministers met in Ankara"),
            strict=True,
        )
    ]
    assert set(freshness(cited, store.article).values()) == {Freshness.CURRENT}
    store.close()
    (settings.seeds / "a.txt").write_text(
        "Floods\n\nThe river rose four metres on Monday. Later it fell.", "utf-8"
    )
    (settings.seeds / "b.txt").write_text("Talks\n\nNobody met anywhere.", "utf-8")
    build(settings, WordEmbedder())
    store = LocalStore(settings.index, fingerprint_of(settings, WordEmbedder()))
    assert freshness(cited, store.article) == {"a.txt": Freshness.CHANGED, "b.txt": Freshness.REWORDED}
    store.close()
    (settings.seeds / "b.txt").unlink()
    build(settings, WordEmbedder())
    store = LocalStore(settings.index, fingerprint_of(settings, WordEmbedder()))
    assert freshness(cited, store.article)["b.txt"] is Freshness.GONE
    store.close()
