"""Retrieval: a question finds passages, dense and lexical lists fused by reciprocal rank.

Knows ranks, not sentences or answers.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from rag.protocols import Embedder
from rag.retrieval.scope import in_scope
from rag.schema import EVERY_ARTICLE, WHOLE, Choice, Passage, Stage
from rag.store.base import Store

DEPTH = 50  # chunks taken from each list; deeper ranks add less than 1/110 to a fused score
DEEPER = 8  # times, where too few of them are of articles that the reader wants
DEEPEST = DEPTH * DEEPER**2
RRF_K = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion, SIGIR 2009


def _wanted(
    store: Store, choice: Choice, search: Callable[[int], list[tuple[int, float]]]
) -> list[tuple[int, float]]:
    """The first `DEPTH` chunks of a list that are of articles that `choice` admits; a list is read `DEEPEST` deep at most."""
    depth = DEPTH
    while True:
        found = search(depth)
        if not choice.restricts:
            return found
        facts = store.facts([id_ for id_, _ in found])
        kept = [(id_, s) for id_, s in found if id_ in facts and in_scope(choice, facts[id_])]
        if len(kept) >= DEPTH or len(found) < depth or depth == DEEPEST:
            return kept[:DEPTH]
        depth *= DEEPER


def retrieve(
    store: Store,
    embedder: Embedder,
    query: str,
    limit: int,
    without: Set[Stage] = WHOLE,
    choice: Choice = EVERY_ARTICLE,
) -> list[Passage]:
    """The `limit` best passages for `query` in the articles of `choice`, best first; score = sum over lists of
    1 / (60 + rank).

    Ties are broken by chunk id, so the same index and query give the same list.
    """
    vector = embedder.encode([query])[0]
    near: list[tuple[int, float]] = []
    worded: list[tuple[int, float]] = []
    if Stage.DENSE not in without:
        near = _wanted(store, choice, lambda depth: store.dense(vector, depth, choice))
    if Stage.LEXICAL not in without:
        worded = _wanted(store, choice, lambda depth: store.lexical(query, depth))
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
