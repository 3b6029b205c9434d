"""Building: what is read again, what is told apart, what follows from where articles lie."""

from __future__ import annotations

import json
import os
import threading
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.config import Settings
from rag.errors import CorpusError, UnreadableError
from rag.ingest import build as building
from rag.ingest.build import Summary, build, fingerprint_of
from rag.ingest.maintenance import exclude
from rag.ingest.priority import answering
from rag.schema import Origin
from rag.store.catalog import Catalog
from rag.store.catalog_file import FILE_NAME
from rag.store.local import LocalStore
from tests.fakes import WordEmbedder
from tests.ingest.test_formats import TWIN, one_of_each
from tests.made import found_in

if TYPE_CHECKING:
    from rag.protocols import Vectors

REPORT = (
    "The old bridge over the river was closed on Monday after engineers found cracks in two of its pillars. "
    "The mayor said that repairs would take a year and cost four million euros. Buses will cross by the northern "
    "bridge, and the ferry runs every ten minutes until midnight. Shopkeepers on the southern bank asked for help "
    "because fewer customers reach them. The council meets on Thursday to decide about a second ferry."
)


def store_of(settings: Settings) -> LocalStore:
    return LocalStore(settings.index, fingerprint_of(settings, WordEmbedder()))


def ids(settings: Settings) -> list[str]:
    store = store_of(settings)
    try:
        return [a.id for a in store.articles()]
    finally:
        store.close()


def settle(folder: Path) -> None:
    """Give all files times that are old enough to be trusted. (The time of the change of status is the system's.)"""
    old = time.time() - 3600
    for path in folder.rglob("*"):
        os.utime(path, (old, old))


# --- what is read again ------------------------------------------------------------------------------------------


def test_a_file_whose_size_times_and_place_are_as_they_were_is_not_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.ingest import sources
    from rag.ingest.articles import read_article as real

    monkeypatch.setattr(sources, "OLD_ENOUGH_S", -1.0)  # as if the files had lain there for a while
    build(settings, WordEmbedder())
    read: list[str] = []

    def watched(path: Path, *rest: object) -> object:
        read.append(path.name)
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sources, "read_article", watched)
    summary = build(settings, WordEmbedder())
    assert read == [] and summary.unchanged == ("a.txt", "b.txt")
    (settings.seeds / "a.toml").write_text('publisher = "Riverside Times"\n', "utf-8")
    summary = build(settings, WordEmbedder())
    assert read == ["a.txt"] and summary.changed == ("a.txt",), "a sidecar is part of what an article is"


def test_a_file_that_was_written_a_moment_ago_is_read_again(settings: Settings) -> None:
    build(settings, WordEmbedder())
    file = settings.seeds / "a.txt"
    before = file.stat()
    file.write_text(file.read_text("utf-8").replace("four", "five"), "utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert build(settings, WordEmbedder()).changed == ("a.txt",)


def test_what_could_not_be_read_is_told_again_without_being_read_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.ingest import sources

    monkeypatch.setattr(sources, "OLD_ENOUGH_S", -1.0)
    (settings.seeds / "empty.txt").write_bytes(b"")
    first = build(settings, WordEmbedder())
    second = build(settings, WordEmbedder())
    assert [s.path for s in first.skipped] == ["empty.txt"] and first.skipped == second.skipped


def test_changing_the_splitter_embeds_only_what_is_cut_differently(settings: Settings) -> None:
    long = "\n\n".join(f"Paragraph {n}. " + "It rained on the hill all day. " * 12 for n in range(8))
    (settings.seeds / "long.txt").write_text(long, "utf-8")
    build(settings, WordEmbedder())
    embedder = WordEmbedder()
    summary = build(settings.with_options(chunk_chars=400), embedder)
    assert set(summary.changed) == {"a.txt", "b.txt", "long.txt"}
    assert 0 < embedder.encoded < summary.chunks, "the short articles are cut as before"
    assert store_of(settings.with_options(chunk_chars=400)).chunk_count() == summary.chunks


def test_an_article_that_the_system_does_not_let_be_read_keeps_its_earlier_text(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.ingest import articles

    build(settings, WordEmbedder())
    (settings.seeds / "a.txt").write_text("Changed.", "utf-8")

    def forbidden(path: Path, shown: str, limit: int) -> bytes:
        raise UnreadableError(f"{shown}: cannot be read (Permission denied)")

    monkeypatch.setattr(articles, "read_bytes", forbidden)
    summary = build(settings, WordEmbedder())
    assert not summary.removed and len(summary.skipped) == 2
    monkeypatch.undo()
    assert ids(settings) == ["a.txt", "b.txt"]


def test_a_large_first_run_is_several_generations_and_loses_little(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "FLUSH_CHARS", 100)
    for number in range(6):
        (settings.seeds / f"n{number}.txt").write_text(
            f"Item {number}\n\nThe zebra{number} ate {REPORT}", "utf-8"
        )

    class Tired(WordEmbedder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            if self.encoded >= 5:
                raise KeyboardInterrupt
            return super().encode(texts)

    with pytest.raises(KeyboardInterrupt):
        build(settings, Tired())
    assert 2 <= len(ids(settings)) < 8, "what was done is there"
    build(settings, WordEmbedder())
    assert len(ids(settings)) == 8 and found_in(settings, "zebra5")[0] == "n5.txt"


# --- the same article, copies, renames ---------------------------------------------------------------------------


def test_the_same_article_twice_is_one_and_the_other_takes_its_place_when_it_goes(settings: Settings) -> None:
    text = (settings.seeds / "b.txt").read_text("utf-8")
    (settings.seeds / "twin.txt").write_text(text, "utf-8")
    summary = build(settings, WordEmbedder())
    assert summary.duplicates == (("twin.txt", "b.txt"),) and ids(settings) == ["a.txt", "b.txt"]
    embedder = WordEmbedder()
    assert build(settings, embedder).duplicates == (("twin.txt", "b.txt"),)
    (settings.seeds / "b.txt").unlink()
    summary = build(settings, embedder)
    assert summary.renamed == (("b.txt", "twin.txt"),) and embedder.encoded == 0
    assert ids(settings) == ["a.txt", "twin.txt"] and not summary.duplicates


def test_a_twin_takes_its_place_when_the_other_changes(settings: Settings) -> None:
    text = (settings.seeds / "b.txt").read_text("utf-8")
    (settings.seeds / "twin.txt").write_text(text, "utf-8")
    build(settings, WordEmbedder())
    (settings.seeds / "b.txt").write_text("Talks on fish\n\nMinisters met in Oslo.", "utf-8")
    summary = build(settings, WordEmbedder())
    assert summary.changed == ("b.txt",) and ids(settings) == ["a.txt", "b.txt", "twin.txt"]


@pytest.mark.slow
def test_twenty_thousand_copies_of_one_article_are_one_article(settings: Settings) -> None:
    rows = "\n".join(json.dumps({"id": n, "text": REPORT}) for n in range(20_000))
    (settings.seeds / "many.jsonl").write_text(rows, "utf-8")
    summary = build(settings, WordEmbedder())
    assert summary.articles == 3 and len(summary.duplicates) == 19_999


def test_copies_of_one_report_are_grouped_and_each_kept(settings: Settings) -> None:
    (settings.seeds / "wire.txt").write_text(REPORT + "\n\nPublisher: Wire Agency", "utf-8")
    (settings.seeds / "paper.txt").write_text(
        "Bridge shut\n\n" + REPORT.rsplit(". ", 1)[0] + ".\n\nPublisher: The Daily Bridge", "utf-8"
    )
    summary = build(settings, WordEmbedder())
    assert summary.near_duplicates == (("wire.txt", "paper.txt"),)
    copies = {a.id: a.copy_of for a in store_of(settings).articles()}
    assert copies == {"a.txt": "", "b.txt": "", "paper.txt": "", "wire.txt": "paper.txt"}
    (settings.seeds / "paper.txt").unlink()
    (settings.seeds / "late.txt").write_text("Late edition\n\n" + REPORT, "utf-8")
    build(settings, WordEmbedder())
    copies = {a.id: a.copy_of for a in store_of(settings).articles()}
    assert copies["wire.txt"] == "" and copies["late.txt"] == "wire.txt", (
        "the report goes on under its next article"
    )


def test_a_renamed_folder_costs_no_embedding_and_keeps_all(settings: Settings) -> None:
    (settings.seeds / "old").mkdir()
    for number in range(5):
        (settings.seeds / "old" / f"{number}.txt").write_text(
            f"Item {number}\n\nThe owl{number} slept.", "utf-8"
        )
    build(settings, WordEmbedder())
    (settings.seeds / "old").rename(settings.seeds / "new")
    embedder = WordEmbedder()
    summary = build(settings, embedder)
    assert len(summary.renamed) == 5 and not summary.added and embedder.encoded == 0
    assert found_in(settings, "owl3 slept")[0] == "new/3.txt"


# --- where articles lie ------------------------------------------------------------------------------------------


def test_a_named_file_alone_is_looked_at(settings: Settings) -> None:
    build(settings, WordEmbedder())
    (settings.seeds / "a.txt").write_text("Changed\n\nThe river fell again.", "utf-8")
    (settings.seeds / "c.txt").write_text("Vote in Oslo\n\nParliament voted.", "utf-8")
    summary = build(settings, WordEmbedder(), paths=[settings.seeds / "c.txt"])
    assert summary.added == ("c.txt",) and not summary.changed
    assert build(settings, WordEmbedder()).changed == ("a.txt",)


def test_files_and_folders_elsewhere_are_followed_from_then_on(settings: Settings, tmp_path: Path) -> None:
    build(settings, WordEmbedder())
    other = tmp_path / "archive"
    other.mkdir()
    (other / "x.txt").write_text("Storm in Porto\n\nThe harbour was closed for two days.", "utf-8")
    single = tmp_path / "single.txt"
    single.write_text("Strike in Genoa\n\nDockers stopped work for a week.", "utf-8")
    summary = build(settings, WordEmbedder(), paths=[other, single])
    assert summary.added == (f"{other}/x.txt", f"{single}")
    article = next(a for a in store_of(settings).articles() if a.id.endswith("x.txt"))
    assert article.path == "archive/x.txt"
    (other / "y.txt").write_text("Fire in Nice\n\nA warehouse burned.", "utf-8")
    summary = build(settings, WordEmbedder())
    assert summary.added == (f"{other}/y.txt",) and len(summary.unchanged) == 4
    (other / "x.txt").unlink()
    assert build(settings, WordEmbedder()).removed == (f"{other}/x.txt",)


def test_a_folder_that_is_away_keeps_its_articles(settings: Settings, tmp_path: Path) -> None:
    other = tmp_path / "stick"
    other.mkdir()
    (other / "x.txt").write_text("Storm in Porto\n\nThe harbour was closed.", "utf-8")
    build(settings, WordEmbedder())
    build(settings, WordEmbedder(), paths=[other])
    other.rename(tmp_path / "away")
    summary = build(settings, WordEmbedder())
    assert not summary.removed and "is not there" in summary.skipped[0].reason
    assert f"{other}/x.txt" in ids(settings)


def test_a_path_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere.txt: no such file"):
        build(settings, WordEmbedder(), paths=[tmp_path / "nowhere.txt"])


def test_a_named_file_that_is_gone_is_removed(settings: Settings) -> None:
    build(settings, WordEmbedder())
    (settings.seeds / "b.txt").unlink()
    assert build(settings, WordEmbedder(), paths=[settings.seeds / "b.txt"]).removed == ("b.txt",)


def test_a_named_folder_is_brought_up_to_date_whole(settings: Settings, tmp_path: Path) -> None:
    sub, other = settings.seeds / "sub", tmp_path / "other"
    for folder in (sub, other):
        folder.mkdir()
        (folder / "x.txt").write_text(f"Storm in {folder.name}\n\nThe harbour was closed.", "utf-8")
        (folder / "y.txt").write_text(f"Fire in {folder.name}\n\nA warehouse burned.", "utf-8")
    build(settings, WordEmbedder(), paths=[sub, other])
    (sub / "x.txt").unlink()
    (other / "y.txt").write_text("Fire\n\nTwo warehouses burned.", "utf-8")
    summary = build(settings, WordEmbedder(), paths=[sub, other / "y.txt"])
    assert (summary.removed, summary.changed) == (("sub/x.txt",), (f"{other}/y.txt",))
    store = store_of(settings)
    assert store.catalog.roots() == [str(other)], "a file in a followed folder is no root of its own"
    assert len(build(settings, WordEmbedder()).unchanged) == 3
    summary = build(settings, WordEmbedder(), paths=[settings.seeds])
    assert summary.is_empty and summary.unchanged == ("a.txt", "b.txt", "sub/y.txt")


def test_files_of_a_format_that_is_not_read_are_named_or_counted_by_ending(settings: Settings) -> None:
    for name in (
        "x.exe",
        "one.xyz",
        "sub/two.XYZ",
        "noext",
        "seen.html",
        "seen_files/logo.png",
        "Thumbs.db",
        ".hidden.png",
    ):
        (settings.seeds / name).parent.mkdir(exist_ok=True)
        (settings.seeds / name).write_bytes(b"<p>The ferry sails to the island of Sorrel every hour.</p>")
    (settings.seeds / "a.toml").write_text('place = "Valencia"')
    (settings.seeds / "none.toml").write_text('place = "Valencia"')
    for _ in range(2):  # the second time, nothing changed
        reasons = [
            s.reason.partition(": this format is not read; save it as one of ")[0]
            for s in build(settings, WordEmbedder()).skipped
        ]
        assert reasons == ["noext", "x.exe", "none.toml", "2 files ending in .xyz (one.xyz, ...)"]
    assert "seen.html" in ids(settings)
    summary = build(settings, WordEmbedder(), paths=[settings.seeds / "x.exe"])
    assert "x.exe: this format is not read" in summary.skipped[0].reason
    named = build(settings, WordEmbedder(), paths=[settings.seeds / "sub"])
    assert [s.path for s in named.skipped] == ["sub/two.XYZ"]


def test_a_folder_with_one_file_of_each_format_gives_the_chunks_of_its_plain_text_twin(
    settings: Settings,
) -> None:
    files = one_of_each()
    for name, data in files.items():
        (settings.seeds / name).write_bytes(data)
    build(settings, WordEmbedder())
    catalog = Catalog(settings.index)
    try:
        twins = [a for a in catalog.articles() if a.id != "b.txt"]
        assert {a.body for a in twins} == {TWIN}
        chunks = {
            a.id: [(c.start, c.end, c.text) for _, c, _ in catalog.lookup(catalog.chunk_ids(a.id))]
            for a in twins
        }
        first, *others = chunks.values()
        assert first and all(chunk == first for chunk in others)
        held = {a.file for a in catalog.records()} | {d.file for d in catalog.duplicates()}
        assert held == {*files, "b.txt"}
    finally:
        catalog.close()


def test_articles_of_all_formats_are_found_and_know_where_they_come_from(settings: Settings) -> None:
    row = {
        "id": "r7",
        "title": "Storm in Porto",
        "text": "The harbour was closed for two days.",
        "publisher": "Wire",
    }
    (settings.seeds / "rows.jsonl").write_text(json.dumps(row) + "\nbroken\n", "utf-8")
    with zipfile.ZipFile(settings.seeds / "old.zip", "w") as archive:
        archive.writestr("in/c.txt", "Fire in Nice\n\nA warehouse burned for a week.")
        archive.writestr("../out.txt", "never")
    summary = build(settings, WordEmbedder())
    assert summary.added == ("a.txt", "b.txt", "old.zip#in/c.txt", "rows.jsonl#r7")
    reasons = {s.path: s.reason for s in summary.skipped}
    assert reasons.keys() == {"old.zip#../out.txt", "rows.jsonl#line 2"}
    assert reasons["rows.jsonl#line 2"].startswith("rows.jsonl: line 2")
    assert found_in(settings, "harbour closed")[0] == "rows.jsonl#r7"
    article = store_of(settings).article("rows.jsonl#r7")
    assert article and article.publisher and article.publisher.origin is Origin.METADATA
    row["text"] = "The harbour was closed for three days."
    (settings.seeds / "rows.jsonl").write_text(json.dumps(row), "utf-8")
    summary = build(settings, WordEmbedder())
    assert summary.changed == ("rows.jsonl#r7",) and [s.path for s in summary.skipped] == [
        "old.zip#../out.txt"
    ]
    (settings.seeds / "rows.jsonl").write_text(json.dumps({"id": "r8", "text": "New."}), "utf-8")
    summary = build(settings, WordEmbedder())
    assert (summary.added, summary.removed) == (("rows.jsonl#r8",), ("rows.jsonl#r7",))


def test_rows_with_one_key_are_told_apart(settings: Settings) -> None:
    rows = [{"id": "x", "text": "First row here."}, {"id": "x", "text": "Second row here."}]
    (settings.seeds / "rows.json").write_text(json.dumps(rows), "utf-8")
    assert build(settings, WordEmbedder()).added[2:] == ("rows.json#x", "rows.json#x (2)")


# --- taken out ---------------------------------------------------------------------------------------------------


def test_an_article_that_is_taken_out_stays_out_until_it_changes_or_is_asked_for(settings: Settings) -> None:
    (settings.seeds / "twin.txt").write_text((settings.seeds / "b.txt").read_text("utf-8"), "utf-8")
    build(settings, WordEmbedder())
    assert exclude(settings, WordEmbedder(), ["b.txt"]) == ["b.txt"]
    assert ids(settings) == ["a.txt"] and "b.txt" not in found_in(settings, "Ministers Ankara")
    assert (settings.seeds / "b.txt").exists()
    assert build(settings, WordEmbedder()).is_empty and ids(settings) == ["a.txt"]
    assert build(settings, WordEmbedder(), paths=[settings.seeds / "b.txt"]).added == ("b.txt",)
    exclude(settings, WordEmbedder(), ["b.txt"])
    (settings.seeds / "b.txt").write_text("Talks on fish\n\nMinisters met in Oslo.", "utf-8")
    assert build(settings, WordEmbedder()).added == ("b.txt",)


# --- failing, waiting --------------------------------------------------------------------------------------------


def test_an_emptied_folder_is_an_error_and_the_index_stays(settings: Settings) -> None:
    build(settings, WordEmbedder())
    for file in settings.seeds.iterdir():
        file.unlink()
    with pytest.raises(CorpusError, match="no article"):
        build(settings, WordEmbedder())
    assert ids(settings) == ["a.txt", "b.txt"]


def test_a_first_run_without_articles_leaves_nothing(settings: Settings) -> None:
    for file in settings.seeds.iterdir():
        file.unlink()
    with pytest.raises(CorpusError, match="no article"):
        build(settings, WordEmbedder())
    assert not (settings.index / FILE_NAME).exists()


def test_indexing_waits_while_a_question_is_answered(settings: Settings) -> None:
    done: list[Summary] = []
    with answering(settings.run_folder):
        thread = threading.Thread(target=lambda: done.append(build(settings, WordEmbedder())))
        thread.start()
        time.sleep(0.4)
        assert not done
    thread.join(20)
    assert done and done[0].added == ("a.txt", "b.txt")
