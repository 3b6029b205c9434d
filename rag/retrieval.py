"""Retrieval: a question finds passages, dense and lexical lists fused by reciprocal rank.

Knows ranks, not sentences or answers.
"""

from __future__ import annotations

from collections.abc import Set

from rag.protocols import Embedder
from rag.schema import WHOLE, Passage, Stage
from rag.sharing import AnyStore

DEPTH = 50  # chunks taken from each list; deeper ranks add less than 1/110 to a fused score
RRF_K = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion, SIGIR 2009


def retrieve(
    store: AnyStore, embedder: Embedder, query: str, limit: int, without: Set[Stage] = WHOLE
) -> list[Passage]:
    """The `limit` best passages for `query`, best first; score = sum over lists of 1 / (60 + rank).

    Ties are broken by chunk id, so the same index and query give the same list.
    """
    vector = embedder.encode([query])[0]
    near = store.dense(vector, DEPTH) if Stage.DENSE not in without else []
    worded = store.lexical(query, DEPTH) if Stage.LEXICAL not in without else []
    dense = {id_: rank for rank, (id_, _) in enumerate(near, 1)}
    lexical = {id_: rank for rank, (id_, _) in enumerate(worded, 1)}
    score = {
        id_: sum(1 / (RRF_K + ranks[id_]) for ranks in (dense, lexical) if id_ in ranks)
        for id_ in dense.keys() | lexical.keys()
    }
    best = sorted(score, key=lambda id_: (-score[id_], id_))[:limit]
    return [
        Passage(chunk, article, rank, score[id_], dense.get(id_), lexical.get(id_))
        for rank, (id_, chunk, article) in enumerate(store.lookup(best), 1)
    ]
