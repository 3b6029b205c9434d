"""The index on a Milvus server beside the files of this host: how exact, what a question costs more, and what an update costs."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eval.bench.measures import LIMIT, Given, Ready, Report, exact_best, new_article, quantile, settings_of
from eval.bench.milvus_server import MilvusProcess
from eval.bench.synthetic import RealTexts, Vectors
from rag.config import Settings
from rag.ingest.build import build, fingerprint_of
from rag.retrieval.hybrid import retrieve
from rag.store.base import Store
from rag.store.milvus import PROPAGATED_S, MilvusStore
from rag.store.publish import copy, open_store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TURNS = 3  # of all questions, the two stores in turn for each
UPDATES = 8  # of one article
INDEXED_S = 300.0  # for the server to make its own index of what it was sent


def _seconds(store: Store, given: Given, question: str) -> float:
    begun = time.perf_counter()
    retrieve(store, given, question, 16)
    return time.perf_counter() - begun


def _wait_indexed(store: MilvusStore) -> float:
    """Seconds until the server has made its index of all vectors that it was sent."""
    begun = time.perf_counter()
    name = store.server.collection("chunks", store.state.suffix)
    while time.perf_counter() - begun < INDEXED_S:
        if not store.server.call("describe_index", name, "vector").get("pending_index_rows"):
            return time.perf_counter() - begun
        time.sleep(0.5)
    raise TimeoutError(f"the server has not indexed {name} in {INDEXED_S:.0f} s")


def _updates(
    settings: Settings,
    reader: Settings,
    given: Given,
    texts: RealTexts,
    real: NDArray[np.float32],
    report: Report,
) -> dict[str, object]:
    """Seconds until an article is on the server, and of the first and the second question of a reader on another host that
    was open before; the seconds that it takes to open there at all."""
    fingerprint = fingerprint_of(settings, given)
    begun = time.perf_counter()
    store = open_store(reader, fingerprint)
    opened_s = time.perf_counter() - begun
    sent: list[float] = []
    first: list[float] = []
    second: list[float] = []
    for number in range(UPDATES):
        report("updating", number, UPDATES)
        mark = time.time_ns()  # no article of an earlier run
        file = settings.seeds / f"shared-{mark}.txt"
        file.write_text(new_article(mark, texts), "utf-8")
        begun = time.perf_counter()
        build(settings, Ready(Vectors(real, mark % 2**32)), paths=[file])
        sent.append(time.perf_counter() - begun)
        while not store.is_behind():
            time.sleep(0.05)
        begun = time.perf_counter()
        store = store.reopened()
        first.append(time.perf_counter() - begun + _seconds(store, given, texts.questions[number]))
        second.append(_seconds(store, given, texts.questions[number + UPDATES]))
        assert store.lexical(f"zq{mark}x", 5), "the new article is found on the other host"
    return {
        "opened_s": opened_s,
        "update_s": statistics.median(sent),
        "first_question_s": statistics.median(first),
        "second_question_s": statistics.median(second),
        "updates": UPDATES,
    }


def shared(
    work: Path,
    chunks: int,
    texts: RealTexts,
    real: NDArray[np.float32],
    asked: NDArray[np.float32],
    report: Report,
) -> dict[str, object]:
    """Seconds to copy the index there and back, recall@10 against exact search, the seconds that finding passages takes
    more than at home, over pairs, and those of an update."""
    settings = settings_of(work, chunks)
    given = Given(asked)
    fingerprint = fingerprint_of(settings, given)
    questions = texts.questions[: len(asked)]
    server = MilvusProcess(work / f"milvus-{time.time_ns()}")
    server.start()
    try:
        address = server.address("bench")
        started = time.perf_counter()
        copy(str(settings.index), address, "", fingerprint, lambda d, n: report("copying there", d, n))
        there_s = time.perf_counter() - started
        there = replace(settings, store=address)
        away = open_store(there, fingerprint)
        home = open_store(settings, fingerprint)
        assert isinstance(away, MilvusStore)
        indexed_s = _wait_indexed(away)
        started = time.perf_counter()
        back = work / f"back-{time.time_ns()}"
        copy(address, str(back), "", fingerprint, lambda d, n: report("copying back", d, n))
        back_s = time.perf_counter() - started
        shutil.rmtree(back)
        time.sleep(PROPAGATED_S)
        more, at_home, right = [], [], 0
        for turn in range(TURNS):
            for number, question in enumerate(questions):
                given.now = number
                pair = _seconds(away, given, question), _seconds(home, given, question)
                if turn:  # the first turn fills the caches of both
                    more.append(pair[0] - pair[1])
                    at_home.append(pair[1])
            report("asking both", turn + 1, TURNS)

        def places(store: Store, ids: Sequence[int]) -> set[tuple[str, int]]:
            return {(a.id, c.start) for _, c, a in store.lookup(ids)}

        for number, best in enumerate(exact_best(home, asked)):
            found = [i for i, _ in away.dense(asked[number], 50)[:LIMIT]]
            right += len(places(away, found) & places(home, best))
        host = work / f"host-{time.time_ns()}"
        updates = _updates(there, replace(there, index=host), given, texts, real, report)
        shutil.rmtree(host)
        return {
            "chunks": chunks,
            "questions": len(questions),
            "copied_there_s": there_s,
            "indexed_s": indexed_s,
            "copied_back_s": back_s,
            "recall": right / (LIMIT * len(questions)),
            "home_p50_s": statistics.median(at_home),
            "more_p50_s": statistics.median(more),
            "more_p95_s": quantile(more, 0.95),
            **updates,
        }
    finally:
        server.kill()
