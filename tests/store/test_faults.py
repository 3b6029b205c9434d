"""Faults, for real: killed updates, flipped bits, cut files, a full or read-only disk, a clock set back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.config import Settings
from rag.errors import CitewireError, StoreError
from rag.ingest.build import build, fingerprint_of
from rag.ingest.maintenance import check
from rag.retrieval.hybrid import retrieve
from rag.store.catalog_file import FILE_NAME
from rag.store.local import LocalStore
from tests.fakes import WordEmbedder
from tests.made import found_in

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


def _crash(folder: Path, mode: str, number: int, **environ: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", str(folder), mode, str(number)],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=550,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, object] = json.loads(done.stdout)
    return result


def test_an_update_killed_at_any_of_its_writes_leaves_the_old_or_the_new_index(
    tmp_path: Path, whole: bool
) -> None:
    step = 1 if whole else 5
    shim = tmp_path / "shim.so"
    source = ROOT / "tests" / "crash_shim.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
    result = _crash(tmp_path / "work", "writes", step, LD_PRELOAD=str(shim))
    assert result["bad"] == []
    tried = result["tried"]
    assert isinstance(tried, int) and tried > 80 // step and result["killed"] == tried
    assert result["old"] and result["new"]


def test_an_update_killed_at_random_moments_leaves_the_old_or_the_new_index(
    tmp_path: Path, whole: bool
) -> None:
    moments = 200 if whole else 40
    result = _crash(tmp_path / "work", "moments", moments)
    assert result["bad"] == [] and result["tried"] == moments
    killed = result["killed"]
    assert isinstance(killed, int) and killed > moments // 4


def _files(index: Path) -> list[Path]:
    return sorted(p for p in index.rglob("*") if p.is_file() and not p.name.startswith("writer"))


def _harm(file: Path, harm: str, place: float) -> None:
    data = bytearray(file.read_bytes())
    if harm == "cut":
        file.write_bytes(data[: int(len(data) * place)])
    elif data:
        data[min(len(data) - 1, int(len(data) * place))] ^= 0x10
        file.write_bytes(data)


def test_a_flipped_bit_or_a_cut_in_any_file_is_never_shown(settings: Settings, tmp_path: Path) -> None:
    """Whatever is harmed: the right answer, or an error that names the check, which then repairs it."""
    import shutil

    build(settings, WordEmbedder())
    kept = tmp_path / "kept"
    shutil.copytree(settings.index, kept)
    right = {q: found_in(settings, q) for q in ("river rose Monday", "ministers Ankara hours")}
    bodies = {p.name: p.read_text("utf-8") for p in settings.seeds.iterdir()}
    tried = repaired = 0
    for number in range(len(_files(kept))):
        for harm in ("flip", "cut"):
            for place in (0.0, 0.02, 0.3, 0.5, 0.77, 0.999):
                shutil.rmtree(settings.index)
                shutil.copytree(kept, settings.index)
                _harm(_files(settings.index)[number], harm, place)
                tried += 1
                embedder = WordEmbedder()
                try:
                    store = LocalStore(settings.index, fingerprint_of(settings, embedder))
                    for query, ids in right.items():
                        passages = retrieve(store, embedder, query, 5)
                        assert [p.article.id for p in passages] == ids
                        for p in passages:
                            assert p.article.body == bodies[p.article.id]
                            assert p.article.body[p.chunk.start : p.chunk.end] == p.chunk.text
                    store.close()
                except CitewireError as error:
                    assert "rag index" in str(error)
                    if (settings.index / FILE_NAME).stat().st_size:
                        check(settings, WordEmbedder())
                    else:
                        build(settings, WordEmbedder())
                    assert {q: found_in(settings, q) for q in right} == right
                    repaired += 1
    assert tried > 90 and repaired > 5


def test_a_damaged_catalogue_is_kept_aside_and_made_again_from_the_articles(settings: Settings) -> None:
    build(settings, WordEmbedder())
    file = settings.index / FILE_NAME
    data = bytearray(file.read_bytes())
    place = data.index(b"Ministers met")
    data[place] ^= 0x20  # "ministers": no structure of SQLite's is touched
    file.write_bytes(data)
    with pytest.raises(StoreError, match="rag index --check"):
        found_in(settings, "ministers Ankara")
    embedder = WordEmbedder()
    checked = check(settings, embedder)
    assert checked.aside is not None and checked.aside.is_file()
    assert embedder.encoded == 0, "vectors that prove themselves are taken over"
    assert found_in(settings, "ministers Ankara hours")[0] == "b.txt"
    assert check(settings, WordEmbedder()).done == ()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], capture_output=True)
    if done.returncode:
        pytest.skip(f"mounting needs root: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_an_index_on_a_read_only_disk_answers_and_says_that_it_cannot_be_written(
    settings: Settings, mounted: Path
) -> None:
    settings = replace(settings, index=mounted / "index")
    build(settings, WordEmbedder())
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    assert found_in(settings, "ministers Ankara hours")[0] == "b.txt"
    (settings.seeds / "c.txt").write_text("Vote in Oslo\n\nParliament voted on the fishing law.", "utf-8")
    with pytest.raises(StoreError, match="cannot be written"):
        build(settings, WordEmbedder())
    subprocess.run(["mount", "-o", "remount,rw", mounted], check=True)
    assert build(settings, WordEmbedder()).added == ("c.txt",)


def test_a_reader_sees_no_mixture_while_a_hundred_updates_pass(settings: Settings) -> None:
    """Each update writes the same number into all articles; a reader that saw two numbers saw half an update."""
    names = [f"n{i}.txt" for i in range(4)]

    def write(number: int) -> None:
        for name in names:
            text = f"Report {name}\n\nThe counter of {name} shows {number} today, said the zebra keeper."
            (settings.seeds / name).write_text(text, "utf-8")
        build(settings, WordEmbedder())

    write(0)
    embedder = WordEmbedder()
    stop = threading.Event()
    mixed: list[object] = []
    seen: set[str] = set()

    def look() -> None:
        store = LocalStore(settings.index, fingerprint_of(settings, embedder))
        while not stop.is_set():
            first = {p.article.body.split(" shows ")[1].split()[0] for p in _zebras(store, embedder)}
            time.sleep(0.01)  # an update passes meanwhile, and this reader must not see it
            again = {p.article.body.split(" shows ")[1].split()[0] for p in _zebras(store, embedder)}
            if len(first) != 1 or first != again:
                mixed.append((first, again))
            seen.update(first)
            store.release()
            if not store.resume():
                newer = store.reopened()
                store.close()
                store = newer
        store.close()

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(1, 101):
        write(number)
    stop.set()
    reader.join(60)
    assert not mixed and len(seen) > 10, "the reader saw many generations, each whole"
    assert found_in(settings, "zebra keeper counter")
    assert len(list(settings.index.glob("vectors-*"))) <= 9 and len(list(settings.index.glob("words-*"))) == 1


def _zebras(store: LocalStore, embedder: WordEmbedder):  # type: ignore[no-untyped-def]
    passages = [p for p in retrieve(store, embedder, "zebra keeper", 10) if p.article.id.startswith("n")]
    assert len(passages) == 4
    return passages


def test_a_clock_set_back_hides_no_change(settings: Settings) -> None:
    file = settings.seeds / "a.txt"
    future = time.time() + 86_400
    os.utime(file, (future, future))
    build(settings, WordEmbedder())
    text = file.read_text("utf-8").replace("four", "five")
    file.write_text(text, "utf-8")
    os.utime(file, (future, future))  # the same size and time as before
    assert build(settings, WordEmbedder()).changed == ("a.txt",)


def test_an_article_that_changes_while_it_is_read_is_read_whole_or_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.ingest import sources
    from rag.ingest.articles import read_article as real

    left = [2]

    def changing(path: Path, *rest: object) -> object:
        article = real(path, *rest)  # type: ignore[arg-type]
        if path.name == "a.txt" and left[0]:
            left[0] -= 1
            path.write_text(f"Floods hit Valencia\n\nThe river rose {left[0]} metres.", "utf-8")
        return article

    monkeypatch.setattr(sources, "read_article", changing)
    summary = build(settings, WordEmbedder())
    assert not summary.skipped and left == [0]
    store = LocalStore(settings.index, fingerprint_of(settings, WordEmbedder()))
    assert "rose 0 metres" in store.articles()[0].body
    store.close()
    left[0] = 100
    summary = build(settings, WordEmbedder(), paths=[settings.seeds / "a.txt"])
    assert [s.path for s in summary.skipped] == ["a.txt"] and "changes while" in summary.skipped[0].reason
