"""The library: articles are added, listed, taken out and brought back while questions go on."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.config import Settings
from rag.errors import StoreError
from rag.ingest.build import build, fingerprint_of
from rag.ingest.library import Library, safe_name
from rag.store.local import LocalStore
from tests.fakes import WordEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.protocols import Vectors


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "a.txt").write_text("Floods hit Valencia\n\nThe river rose four metres on Monday.", "utf-8")
    (seeds / "b.txt").write_text(
        "Talks on grain\n\nMinisters met in Ankara.\n\nPublisher: Harbour Post", "utf-8"
    )
    return Settings(seeds=seeds, index=tmp_path / "index", cache=tmp_path / "cache")


def library_of(settings: Settings, embedder: WordEmbedder | None = None) -> Library:
    used = embedder or WordEmbedder()
    build(settings, WordEmbedder())

    @contextmanager
    def reading() -> Iterator[LocalStore]:
        store = LocalStore(settings.index, fingerprint_of(settings, used))
        try:
            yield store
        finally:
            store.close()

    return Library(settings, used, reading)


def drop(tmp_path: Path, name: str, text: str) -> tuple[str, Path]:
    file = tmp_path / "dropped" / str(len(list(tmp_path.glob("dropped/*"))))
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return name, file


def test_articles_are_listed_with_what_they_state_and_found_by_any_of_it(settings: Settings) -> None:
    library = library_of(settings)
    items, total = library.items()
    assert total == 2 and [(i.article.id, i.chunks) for i in items] == [("a.txt", 1), ("b.txt", 1)]
    assert [i.article.id for i in library.items("HARBOUR talks")[0]] == ["b.txt"]
    assert library.items("nothing of that")[1] == 0
    assert len(library.items(limit=1)[0]) == 1 and library.items(limit=1)[1] == 2


def test_files_of_any_format_are_added_and_can_be_asked(settings: Settings, tmp_path: Path) -> None:
    library = library_of(settings)
    row = json.dumps({"id": 1, "title": "Storm in Porto", "text": "The harbour was closed."})
    state = library.add(
        [drop(tmp_path, "rows.jsonl", row), drop(tmp_path, "../../etc/a.txt", "New\n\nText here.")]
    )
    assert state.busy
    library.wait(30)
    done = library.state()
    assert done.summary is not None and done.summary.added == ("a 2.txt", "rows.jsonl#1") and not done.busy
    assert (settings.seeds / "a.txt").read_text("utf-8").startswith("Floods"), "nothing is overwritten"
    assert "Storm in Porto" in [i.article.title.value for i in library.items()[0] if i.article.title]


def test_what_is_not_taken_is_named(settings: Settings, tmp_path: Path) -> None:
    library = library_of(settings)
    state = library.add([drop(tmp_path, "x.exe", "MZ"), drop(tmp_path, "", "y"), drop(tmp_path, ".txt", "z")])
    assert len(state.refused) == 3 and "x.exe: its format is not read" in state.refused[0] and not state.busy
    library.add([drop(tmp_path, "empty.txt", "")])
    library.wait(30)
    summary = library.state().summary
    assert summary is not None and "empty.txt" in summary.skipped[0].reason


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\x\\news.txt", "news.txt"),
        (".hidden.txt", "hidden.txt"),
        ("a\u202egnp.txt", "agnp.txt"),
        ("<img src=x>.md", "_img src_x_.md"),
        ("x" * 300 + ".pdf", "x" * 120 + ".pdf"),
        ("Новости дня.html", "Новости дня.html"),
        ("..", ""),
    ],
)
def test_a_name_from_a_browser_is_made_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_an_article_is_taken_out_and_brought_back(settings: Settings) -> None:
    library = library_of(settings)
    assert library.remove("b.txt").removed == ("b.txt",)
    assert [i.article.id for i in library.items()[0]] == ["a.txt"] and (settings.seeds / "b.txt").exists()
    with pytest.raises(StoreError, match="no such article"):
        library.remove("../b.txt")
    library.restore("b.txt")
    library.wait(30)
    assert [i.article.id for i in library.items()[0]] == ["a.txt", "b.txt"]


class _Slow(WordEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.go.wait(30)
        return super().encode(texts)


def test_what_goes_on_is_told_and_more_work_waits_its_turn(settings: Settings, tmp_path: Path) -> None:
    embedder = _Slow()
    library = library_of(settings, embedder)
    library.add([drop(tmp_path, "c.txt", "Vote\n\nParliament voted.")])
    library.add([drop(tmp_path, "d.txt", "Fire\n\nA warehouse burned.")])
    assert library.state().busy.startswith("Adding")
    assert "Wait" in library.remove("a.txt").error
    assert library.items()[1] == 2, "readers go on"
    embedder.go.set()
    library.wait(30)
    assert library.items()[1] == 4 and not library.state().busy


def test_a_failure_is_told_and_the_next_work_goes_on(settings: Settings, tmp_path: Path) -> None:
    library = library_of(settings)
    library.restore("nowhere.txt")
    library.wait(30)
    assert "no such file" in library.state().error
    library.add([drop(tmp_path, "c.txt", "Vote\n\nParliament voted.")])
    library.wait(30)
    assert library.state().summary is not None
