"""Retrieval: a question finds passages, dense and lexical lists fused by reciprocal rank.

Knows ranks, not sentences or answers.
"""

from __future__ import annotations

from rag.protocols import Embedder
from rag.schema import Passage
from rag.store import Store

DEPTH = 50  # chunks taken from each list; deeper ranks add less than 1/110 to a fused score
RRF_K = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion, SIGIR 2009


def retrieve(store: Store, embedder: Embedder, query: str, limit: int) -> list[Passage]:
    """The `limit` best passages for `query`, best first; score = sum over lists of 1 / (60 + rank).

    Ties are broken by chunk id, so the same index and query give the same list.
    """
    vector = embedder.encode([query])[0]
    dense = {id_: rank for rank, (id_, _) in enumerate(store.dense(vector, DEPTH), 1)}
    lexical = {id_: rank for rank, (id_, _) in enumerate(store.lexical(query, DEPTH), 1)}
    score = {
        id_: sum(1 / (RRF_K + ranks[id_]) for ranks in (dense, lexical) if id_ in ranks)
        for id_ in dense.keys() | lexical.keys()
    }
    best = sorted(score, key=lambda id_: (-score[id_], id_))[:limit]
    return [
        Passage(chunk, article, rank, score[id_], dense.get(id_), lexical.get(id_))
        for rank, (id_, chunk, article) in enumerate(store.lookup(best), 1)
    ]
