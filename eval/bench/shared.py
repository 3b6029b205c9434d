"""The index on a Milvus server beside the files of this host: how exact, and what a question costs more."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.bench.measures import LIMIT, Ready, Report, exact_best, quantile, settings_of
from eval.bench.milvus_server import MilvusProcess
from eval.bench.synthetic import RealTexts, Vectors
from rag.build import fingerprint_of
from rag.milvus import SETTLED_S
from rag.retrieval import retrieve
from rag.sharing import AnyStore, copy, open_store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TURNS = 3  # of all questions, the two stores in turn for each


def shared(
    work: Path, chunks: int, texts: RealTexts, asked: NDArray[np.float32], report: Report
) -> dict[str, object]:
    """Seconds to copy the index there and back, recall@10 against exact search, and the seconds that finding passages takes
    more than at home, over pairs."""
    settings = settings_of(work, chunks)
    ready = Ready(Vectors(asked, 0))
    fingerprint = fingerprint_of(settings, ready)
    questions = texts.questions[: len(asked)]
    server = MilvusProcess(work / f"milvus-{time.time_ns()}")
    server.start()
    try:
        address = server.address("bench")
        started = time.perf_counter()
        copy(str(settings.index), address, "", fingerprint, lambda d, n: report("copying there", d, n))
        there_s = time.perf_counter() - started
        started = time.perf_counter()
        back = work / f"back-{time.time_ns()}"
        copy(address, str(back), "", fingerprint, lambda d, n: report("copying back", d, n))
        back_s = time.perf_counter() - started
        away = open_store(settings.with_options(store=address), fingerprint)
        home = open_store(settings, fingerprint)
        time.sleep(SETTLED_S)

        class Given:
            """The vector of the question, as it was embedded before."""

            dimension, fingerprint = ready.dimension, ready.fingerprint
            now = 0

            def encode(self, asked_texts: Sequence[str]) -> NDArray[np.float32]:
                return asked[self.now : self.now + 1]

        given = Given()

        def seconds(store: AnyStore, question: str) -> float:
            begun = time.perf_counter()
            retrieve(store, given, question, 16)
            return time.perf_counter() - begun

        more, at_home, right = [], [], 0
        for turn in range(TURNS):
            for number, question in enumerate(questions):
                given.now = number
                pair = [(away, seconds(away, question)), (home, seconds(home, question))]
                if turn:  # the first turn fills the caches of both
                    more.append(pair[0][1] - pair[1][1])
                    at_home.append(pair[1][1])
            report("asking both", turn + 1, TURNS)

        def places(store: AnyStore, ids: Sequence[int]) -> set[tuple[str, int]]:
            return {(a.id, c.start) for _, c, a in store.lookup(ids)}

        for number, best in enumerate(exact_best(home, asked)):
            found = [i for i, _ in away.dense(asked[number], 50)[:LIMIT]]
            right += len(places(away, found) & places(home, best))
        return {
            "chunks": home.chunk_count(),
            "questions": len(questions),
            "copied_there_s": there_s,
            "copied_back_s": back_s,
            "recall": right / (LIMIT * len(questions)),
            "home_p50_s": statistics.median(at_home),
            "more_p50_s": statistics.median(more),
            "more_p95_s": quantile(more, 0.95),
        }
    finally:
        server.kill()
