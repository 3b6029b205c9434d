"""What any store promises, on files, on Milvus Lite and on a real Milvus server alike; and what only a server can do wrong."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.bench.milvus_server import MilvusProcess
from rag.assistant import Assistant
from rag.config import Settings
from rag.errors import ConfigError, StoreError
from rag.ingest.build import build, fingerprint_of
from rag.ingest.maintenance import exclude, export, restore
from rag.retrieval.hybrid import retrieve
from rag.schema import EVERY_ARTICLE, Choice, PartialDate, Status
from rag.store import milvus as milvus_store
from rag.store import milvus_client as milvus
from rag.store.base import Store, embedded_text
from rag.store.milvus import KEPT, MilvusStore, Writer, in_generation, pieces_of
from rag.store.milvus_client import TOKEN, Address, Server
from rag.store.publish import copy, open_store
from tests.fakes import SureReader, WordEmbedder

TEXTS = {
    "flood.txt": "Floods hit Valencia\n\nThe river Turia rose four metres on Monday. Two bridges fell in the night.",
    "talks.md": "---\ntitle: Grain talks\npublisher: Harbour Post\ndate: 2024-05-03\n---\n\nMinisters met in Ankara.",
    "long.txt": "A long report\n\n"
    + " ".join(f"Sentence {n} speaks of ferry number {n}." for n in range(120)),
}
names = (f"t{n}" for n in itertools.count())


def settings_in(folder: Path, store: str, texts: Mapping[str, str] = TEXTS) -> Settings:
    """A folder of articles with an index of its own that is shared at `store`."""
    seeds = folder / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (seeds / name).write_text(text, "utf-8")
    return Settings(seeds=seeds, index=folder / "index", cache=folder / "cache", store=store)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusProcess]:
    made = MilvusProcess(tmp_path_factory.mktemp("milvus"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(params=["files", *(pytest.param(p, marks=pytest.mark.server) for p in ("lite", "milvus"))])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    store = ""
    if request.param == "lite":
        store = f"milvus+lite://{tmp_path}/shared.db"
    elif request.param == "milvus":
        store = request.getfixturevalue("server").address(next(names))
    return settings_in(tmp_path, store)


def opened(settings: Settings, name: str = "words") -> Store:
    return open_store(settings, fingerprint_of(settings, WordEmbedder(name)))


def found(store: Store, query: str) -> list[str]:
    return [p.article.id for p in retrieve(store, WordEmbedder(), query, 3)]


def test_articles_chunks_and_facts_are_what_was_read(settings: Settings) -> None:
    build(settings, WordEmbedder())
    store = opened(settings)
    assert [a.id for a in store.articles()] == sorted(TEXTS)
    assert [a.id for a in store.articles(2)] == sorted(TEXTS)[:2]
    assert sorted(a.id for a in store.each_article()) == sorted(TEXTS)
    assert store.article_count() == 3 and store.article("nothing") is None
    talks = store.article("talks.md")
    assert talks is not None and talks.publisher is not None and talks.publisher.value == "Harbour Post"
    assert talks == next(a for a in store.articles() if a.id == "talks.md")
    assert store.publishers() == ["Harbour Post"]
    counts = store.chunks_by_article()
    assert sum(counts.values()) == store.chunk_count() and counts["long.txt"] > 1


def test_both_lists_are_exact_and_every_chunk_is_a_piece_of_its_article(settings: Settings) -> None:
    build(settings, WordEmbedder())
    store = opened(settings)
    vector = WordEmbedder().encode(["ferry number 77"])[0]
    every = store.lookup([id_ for id_, _ in store.dense(vector, 100)])
    assert len(every) == store.chunk_count()
    for _, chunk, article in every:
        assert article.body[chunk.start : chunk.end] == chunk.text
    texts = [embedded_text(a.title.value if a.title else "", c.text) for _, c, a in every]
    exact = WordEmbedder().encode(texts) @ vector
    scores = dict(store.dense(vector, 5))
    best = sorted(exact, reverse=True)[:5]
    np.testing.assert_allclose(sorted(scores.values(), reverse=True), best, atol=1e-5)
    assert "77" in store.lookup([store.lexical("ferry 77", 5)[0][0]])[0][1].text
    assert store.lexical("zzzz", 5) == [] and store.lookup([]) == [] and store.lookup([10**9]) == []


def test_a_reader_keeps_its_generation_while_another_is_made(settings: Settings) -> None:
    build(settings, WordEmbedder())
    store = opened(settings)
    (settings.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled.", "utf-8")
    (settings.seeds / "flood.txt").write_text("Floods end\n\nThe river Turia fell.", "utf-8")
    (settings.seeds / "talks.md").unlink()
    build(settings, WordEmbedder())
    until(lambda: store.is_behind())
    assert "zoo.txt" not in found(store, "zebra keeper") and store.article("zoo.txt") is None
    before = store.article("flood.txt")
    assert before is not None and "rose four metres" in before.body
    assert store.publishers() == ["Harbour Post"]
    newer = store.reopened()
    assert found(newer, "zebra keeper")[0] == "zoo.txt"
    after = newer.article("flood.txt")
    assert after is not None and "Turia fell" in after.body
    assert newer.article("talks.md") is None and newer.publishers() == []
    assert newer.chunk_count() == sum(newer.chunks_by_article().values())
    assert all(c.text in a.body for _, c, a in newer.lookup([i for i, _ in newer.lexical("river Turia", 9)]))
    store.release()
    newer.release()
    assert not store.resume() and newer.resume() and newer.generation == store.generation + 1


def test_what_a_reader_restricts_is_found_however_many_others_are_nearer(settings: Settings) -> None:
    rows = [
        {
            "id": f"n{n}",
            "title": "Ferry",
            "text": f"The ferry left the harbour, item {n}.",
            "source": "Many",
            "date": d,
        }
        for n, d in enumerate(["2024-03-01", "2025-03-01"] * 120)
    ]
    rows.append(
        {
            "id": "rare",
            "title": "Storm",
            "text": "A storm kept one ferry in.",
            "source": "Rare Post",
            "date": "2024-05",
        }
    )
    strange = 'L\'"Écho" \\ 漢字'
    rows.append({"id": "far", "title": "Zebra", "text": "A zebra fled from the zoo.", "source": strange})
    (settings.seeds / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    build(settings, WordEmbedder())
    store = opened(settings)
    query = "ferry left the harbour"

    def within(choice: Choice) -> set[str]:
        found = retrieve(store, WordEmbedder(), query, 300, choice=choice)
        return {p.article.id.rpartition("#")[2] for p in found}

    assert "rare" not in within(EVERY_ARTICLE)
    assert within(Choice(publishers=("rare post",))) == {"rare"}
    late = within(Choice(after=PartialDate(2025)))
    assert len(late) >= 50 and all(int(i[1:]) % 2 for i in late)
    early = within(Choice(before=PartialDate(2024, 12), publishers=("Many", "Rare Post")))
    assert len(early) >= 50 and not any(int(i[1:]) % 2 for i in early - {"rare"})
    assert within(Choice(publishers=("Nobody",))) == set()
    assert within(Choice(publishers=(strange,))) == {
        "far"
    }  # by meaning alone: it has no word of the question
    facts = store.facts([p for p, _ in store.lexical("storm", 1)])
    (stated,) = facts.values()
    assert stated.publisher is not None and stated.publisher.value == "Rare Post" and stated.body == ""


def until(wanted, most_s: float = 10.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + most_s
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_renamed_article_and_one_taken_out_are_known(settings: Settings) -> None:
    build(settings, WordEmbedder())
    (settings.seeds / "flood.txt").rename(settings.seeds / "water.txt")
    build(settings, WordEmbedder())
    store = opened(settings)
    assert found(store, "river Turia")[0] == "water.txt" and store.article("flood.txt") is None
    exclude(settings, WordEmbedder(), ["water.txt"])
    until(lambda: store.is_behind())
    assert store.reopened().article("water.txt") is None


def test_another_model_is_told_and_then_takes_its_place(settings: Settings) -> None:
    build(settings, WordEmbedder())
    with pytest.raises(StoreError, match="another embedding model"):
        opened(settings, name="other")
    build(settings, WordEmbedder("other"))
    store = opened(settings, name="other")
    assert store.article_count() == 3 and found(store, "river Turia")[0] == "flood.txt"
    with pytest.raises(StoreError, match="another embedding model"):
        opened(settings)


def test_questions_are_answered_over_it(settings: Settings) -> None:
    build(settings, WordEmbedder())
    assistant = Assistant(settings, WordEmbedder(), SureReader(), None)
    answer = assistant.ask("How high did the river Turia rise?")
    assert answer.status is Status.ANSWERED and "four metres" in answer.shown[0].text
    counted = assistant.ask("How many articles mention the river Turia?")
    assert "“river Turia” is in 1 of 3 articles" in counted.note and "Turia" in counted.shown[0].text
    assert assistant.ask("How many articles do you have?").note == "There are 3 articles."
    (settings.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled from the zoo.", "utf-8")
    build(settings, WordEmbedder())
    until(lambda: "zoo.txt" in [p.article.id for p in assistant.search("zebra keeper", 1)])
    assistant.close()


# ---------------------------------------------------------------------------------------------------- only on Lite


@pytest.mark.server
def test_a_process_that_dies_in_an_update_of_milvus_lite_loses_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, f"milvus+lite://{tmp_path}/shared.db", {"flood.txt": TEXTS["flood.txt"]})
    build(settings, WordEmbedder())
    (settings.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled.", "utf-8")
    (settings.seeds / "flood.txt").write_text("Floods end\n\nThe river Turia fell.", "utf-8")
    release(settings)
    for most in range(1, 9):  # the update writes eight times
        code = (
            "import os, sys; from tests.store.test_contract import *; real = Server.call; made = itertools.count(1)\n"
            "def dying(self, name, *a, **k):\n"
            f"    if name == 'upsert' and next(made) == {most}: os.kill(os.getpid(), 9)\n"
            "    return real(self, name, *a, **k)\n"
            "Server.call = dying\n"
            "build(settings_in(Path(sys.argv[1]), sys.argv[2], {}), WordEmbedder())"
        )
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path), settings.store], check=False)
        assert done.returncode == -signal.SIGKILL
        store = opened(settings)
        assert [a.id for a in store.articles()] == ["flood.txt"] and found(store, "river Turia") == [
            "flood.txt"
        ]
        release(settings)
    build(settings, WordEmbedder())
    assert [a.id for a in opened(settings).articles()] == ["flood.txt", "zoo.txt"]


def test_rows_beyond_one_page_are_read_page_by_page_and_what_goes_wrong_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"{n}.txt": f"Report {n}\n\nFerry {n} sank." for n in range(7)}
    settings = settings_in(tmp_path, f"milvus+lite://{tmp_path}/pages.db", texts)
    monkeypatch.setattr(milvus, "MOST_ROWS", 3)
    build(settings, WordEmbedder())
    store = opened(settings)
    assert [a.id for a in store.articles()] == [f"{n}.txt" for n in range(7)]
    from pymilvus.exceptions import MilvusException
    from pymilvus.orm.iterator import QueryIterator

    def gone(self: object) -> object:
        raise MilvusException(message="server unavailable")

    monkeypatch.setattr(QueryIterator, "next", gone)
    with pytest.raises(StoreError, match=r"pages\.db: not reachable; start the server"):
        store.articles()


def test_an_update_leaves_this_hosts_copy_of_the_words(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, f"milvus+lite://{tmp_path}/words.db")
    build(settings, WordEmbedder())
    opened(settings)
    (kept,) = settings.index.glob("words-*/words.json")
    (settings.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled.", "utf-8")
    build(settings, WordEmbedder())
    assert kept.exists() and found(opened(settings), "zebra keeper")[0] == "zoo.txt"


def test_an_answer_that_comes_too_late_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path, f"milvus+lite://{tmp_path}/late.db")
    build(settings, WordEmbedder())
    store = opened(settings)
    from grpc import RpcError
    from pymilvus import MilvusClient

    def late(self: object, *arguments: object, timeout: float, **options: object) -> object:
        assert timeout == milvus.LOOK_S
        raise RpcError("DEADLINE_EXCEEDED")

    monkeypatch.setattr(MilvusClient, "query", late)
    with pytest.raises(StoreError, match=r"late\.db: no answer in time; where it was just started"):
        store.is_behind()


def test_a_folder_of_milvus_lite_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file.db").write_text("no folder", "utf-8")
    with pytest.raises(StoreError, match=r"file\.db: cannot be opened; stop the other program"):
        Server(Address.of(f"milvus+lite://{tmp_path}/file.db")).state()


def release(settings: Settings) -> None:
    """Let another process open the folder: pymilvus holds it until this one ends."""
    from milvus_lite.server_manager import server_manager_instance

    server_manager_instance.release_server(Address.of(settings.store).uri)


# --------------------------------------------------------------------------------------------- only on a server


@pytest.fixture
def shared(server: MilvusProcess, tmp_path: Path) -> Settings:
    return settings_in(tmp_path, server.address(next(names)))


def rows(settings: Settings, kind: str, where: str) -> int:
    made = Server(Address.of(settings.store))
    state = made.state(newest=True)
    assert state is not None
    return len(list(made.rows(kind, state.suffix, where, (), newest=True)))


def test_an_index_is_copied_to_a_server_and_back_without_embedding(shared: Settings, tmp_path: Path) -> None:
    local = replace(shared, store="")
    embedder = WordEmbedder()
    build(local, embedder)
    fingerprint = fingerprint_of(local, embedder)
    done: list[tuple[int, int]] = []
    sent = copy(str(local.index), shared.store, "", fingerprint, lambda d, n: done.append((d, n)))
    assert (sent, done[-1]) == (3, (3, 3))
    assert copy(str(local.index), shared.store, "", fingerprint, lambda d, n: None) == 0
    back = replace(local, index=tmp_path / "back")
    assert copy(shared.store, str(back.index), "", fingerprint, lambda d, n: None) == 3
    assert copy(shared.store, str(back.index), "", fingerprint, lambda d, n: None) == 0
    assert opened(back).articles() == opened(local).articles() == opened(shared).articles()
    encoded = embedder.encoded
    summary = build(back, embedder)
    assert (summary.added, summary.changed, len(summary.unchanged)) == ((), (), 3)
    assert embedder.encoded == encoded
    with pytest.raises(StoreError, match="from a folder to a server"):
        copy(str(local.index), str(back.index), "", fingerprint, lambda d, n: None)


def test_what_an_interruption_leaves_is_never_seen_and_taken_back(
    shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(shared, WordEmbedder())
    (shared.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled.", "utf-8")
    (shared.seeds / "flood.txt").write_text("Floods end\n\nThe river Turia fell.", "utf-8")
    calls = itertools.count()
    real = Server.call

    def failing(self: Server, name: str, *arguments: object, **options: Any) -> object:
        if name in ("upsert", "delete") and next(calls) == stops[-1]:
            raise StoreError("cut off")
        return real(self, name, *arguments, **options)

    stops = [0]
    for stops[0] in (0, 1, 3, 6, 10, 14):
        calls = itertools.count()
        with monkeypatch.context() as patched:
            patched.setattr(Server, "call", failing)
            try:
                build(shared, WordEmbedder())
            except StoreError as error:
                assert str(error) == "cut off"
        store = opened(shared)
        text = store.article("flood.txt")
        is_new = store.article("zoo.txt") is not None
        assert text is not None and ("Turia fell" in text.body) is is_new
        assert store.chunk_count() == sum(store.chunks_by_article().values())
    build(shared, WordEmbedder())
    store = opened(shared)
    assert store.article("zoo.txt") is not None
    live = in_generation(store.generation)
    assert rows(shared, "chunks", live) == store.chunk_count()
    assert rows(shared, "articles", live) == store.article_count() == 4
    assert rows(shared, "articles", f"added > {store.generation}") == 0


def test_what_no_reader_can_see_any_more_is_deleted(shared: Settings) -> None:
    for number in range(KEPT + 2):
        (shared.seeds / "flood.txt").write_text(f"Floods\n\nDay {number} of the floods.", "utf-8")
        build(shared, WordEmbedder())
    store = opened(shared)
    assert store.generation == KEPT + 2
    assert rows(shared, "articles", "added > 0") == 3 + KEPT
    assert rows(shared, "bodies", 'article != ""') == 3 + KEPT


def test_a_host_that_was_away_for_long_makes_its_words_anew(shared: Settings) -> None:
    build(shared, WordEmbedder())
    other = replace(shared, index=shared.index.with_name("other-host"))
    assert found(opened(other), "river Turia")[0] == "flood.txt"
    for number in range(KEPT + 1):
        (shared.seeds / "new.txt").write_text(f"New\n\nZebra number {number} fled.", "utf-8")
        build(shared, WordEmbedder())
    store = opened(other)
    assert isinstance(store, MilvusStore)
    assert [store.lookup([i])[0][2].id for i, _ in store.lexical("zebra", 5)] == ["new.txt"]
    (other.index / next(p.name for p in other.index.iterdir())).joinpath("words.json").write_text(
        "{", "utf-8"
    )
    assert opened(other).lexical("zebra", 5)


def calls_of(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    real = Server.call

    def told(self: Server, name: str, *arguments: object, **options: Any) -> object:
        made.append((name, str(options.get("filter", ""))))
        return real(self, name, *arguments, **options)

    monkeypatch.setattr(Server, "call", told)
    return made


def test_an_update_asks_the_server_of_what_changed_alone(
    shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(shared, WordEmbedder())
    (shared.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled.", "utf-8")
    (shared.seeds / "flood.txt").write_text("Floods end\n\nThe river Turia fell.", "utf-8")
    (shared.seeds / "talks.md").unlink()
    calls = calls_of(monkeypatch)
    build(shared, WordEmbedder())
    asked = [where for name, where in calls if name == "query" and "removed > 1" in where]
    assert len(asked) == 1 and asked[0].count('", "') == 2  # three ids
    assert [a.id for a in opened(shared).articles()] == ["flood.txt", "long.txt", "zoo.txt"]
    calls.clear()
    build(shared, WordEmbedder())
    assert not [name for name, _ in calls if name not in ("has_collection", "query")]
    assert len([name for name, _ in calls if name == "query"]) == 2


def test_after_an_update_one_read_of_a_collection_waits_and_later_ones_do_not(
    shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(shared, WordEmbedder())
    levels: list[object] = []
    real = Server.call

    def told(self: Server, name: str, *arguments: object, **options: Any) -> object:
        levels.append(options.get("consistency_level"))
        return real(self, name, *arguments, **options)

    monkeypatch.setattr(Server, "call", told)
    store = opened(shared)
    assert found(store, "river Turia")[0] == "flood.txt"
    assert "Strong" in levels
    levels.clear()
    assert found(store, "grain talks")[0] == "talks.md"
    assert levels and "Strong" not in levels


def test_an_index_that_was_taken_over_is_compared_as_a_whole(tmp_path: Path) -> None:
    store = f"milvus+lite://{tmp_path}/shared.db"
    first = settings_in(tmp_path / "first", store)
    build(first, WordEmbedder())
    export(first, tmp_path / "saved.zip")
    second = settings_in(tmp_path / "second", "", {"zoo.txt": "Zoo\n\nA zebra keeper fled."})
    build(second, WordEmbedder())
    restore(second, WordEmbedder(), tmp_path / "saved.zip")
    second = replace(second, store=store)
    build(second, WordEmbedder())
    assert [a.id for a in opened(second).articles()] == ["zoo.txt"]
    assert opened(second).articles() == opened(replace(second, store="")).articles()


def test_a_server_that_others_wrote_to_is_compared_as_a_whole(shared: Settings, tmp_path: Path) -> None:
    build(shared, WordEmbedder())
    other = settings_in(tmp_path / "other", shared.store, {"zoo.txt": "Zoo\n\nA zebra keeper fled."})
    build(other, WordEmbedder())
    assert [a.id for a in opened(other).articles()] == ["zoo.txt"]
    build(shared, WordEmbedder())
    assert [a.id for a in opened(shared).articles()] == sorted(TEXTS)


def test_much_that_was_sent_is_sealed_so_that_the_server_indexes_it(
    shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = calls_of(monkeypatch)
    build(shared, WordEmbedder())
    store = opened(shared)
    assert isinstance(store, MilvusStore) and store.state.unsealed == store.chunk_count()
    assert "flush" not in [name for name, _ in calls]
    monkeypatch.setattr(milvus_store, "MOST_UNSEALED", store.chunk_count())
    (shared.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled.", "utf-8")
    build(shared, WordEmbedder())
    assert [name for name, _ in calls].count("flush") == 1
    store = opened(shared)
    assert isinstance(store, MilvusStore) and store.state.unsealed == 0
    assert found(store, "zebra keeper")[0] == "zoo.txt"


def test_another_host_that_indexed_meanwhile_is_noticed(
    shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(shared, WordEmbedder())
    real = Writer.publish

    def late(self: Writer, *arguments: object) -> object:
        other = Server(Address.of(shared.store))
        state = other.state(newest=True)
        assert state is not None
        other.commit(replace(state, generation=state.generation + 1))
        return real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Writer, "publish", late)
    (shared.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled.", "utf-8")
    with pytest.raises(StoreError, match="another host has indexed meanwhile"):
        build(shared, WordEmbedder())


@pytest.mark.parametrize(
    "address", ["milvus://a", "http://a/b", "milvus://a:x/b", "milvus://a/1b", "milvus://u:p@a/b"]
)
def test_a_wrong_address_is_one_line(address: str) -> None:
    with pytest.raises(ConfigError, match="is not an address such as"):
        Address.of(address)


def test_a_server_that_is_not_there_or_too_old_is_one_line(
    shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus, "TIMEOUT_S", 2.0)
    gone = replace(shared, store="milvus://127.0.0.1:9/t")
    with pytest.raises(StoreError, match=r"milvus://127.0.0.1:9/t: not reachable; start the server"):
        opened(gone)
    secured = Address.of(shared.store.replace("milvus://", "milvus+tls://"))
    with pytest.raises(StoreError, match=r"it does not speak TLS; write milvus:// in store"):
        Server(secured, {TOKEN: "another:key"}).state()  # pymilvus keeps what is open by address and key
    from pymilvus import MilvusClient

    monkeypatch.setattr(MilvusClient, "get_server_version", lambda self: "v2.2.16")
    with pytest.raises(StoreError, match=r"Milvus v2\.2\.16 is too old"):
        opened(shared)
    assert TOKEN == "CITEWIRE_MILVUS_TOKEN"


def test_bodies_of_any_length_and_script_survive_their_pieces() -> None:
    for body in ("", "a", "é" * 70_000, "漢字" * 50_000, "🙂" * 40_000, "x" * 60_000):
        made = pieces_of(body)
        assert "".join(made) == body
        assert all(len(p.encode()) <= milvus_store.PIECE_BYTES for p in made)


def test_a_killed_server_loses_nothing_and_is_used_again_when_it_is_back(
    shared: Settings, server: MilvusProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of this file: the server takes a while to be as before."""
    settings = shared
    build(settings, WordEmbedder())
    assistant = Assistant(settings, WordEmbedder(), SureReader(), None)
    question = "How high did the river Turia rise?"
    assert assistant.ask(question).status is Status.ANSWERED
    (settings.seeds / "zoo.txt").write_text("Zoo\n\nA zebra keeper fled from the zoo.", "utf-8")
    put = Server.put

    def put_and_kill(self: Server, kind: str, suffix: str, rows: Sequence[Mapping[str, Any]]) -> None:
        put(self, kind, suffix, rows)
        server.kill()  # in the middle of the update: these rows are there, and no others

    with monkeypatch.context() as patched, pytest.raises(StoreError, match="not reachable"):
        patched.setattr(Server, "put", put_and_kill)
        build(settings, WordEmbedder())
    failed = assistant.ask(question)
    assert failed.status is Status.FAILED and "not reachable; start the server" in failed.error
    server.start()
    until(lambda: assistant.ask(question).status is Status.ANSWERED, most_s=180)
    assert assistant.article("zoo.txt") is None
    assert [a.id for a in assistant.articles()] == sorted(TEXTS)
    build(settings, WordEmbedder())
    until(lambda: assistant.article("zoo.txt") is not None)
    assistant.close()
