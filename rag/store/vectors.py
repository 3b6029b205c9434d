"""The FAISS files: immutable segments of (chunk id, vector), derived from the catalogue for fast search.

There are two kinds, chosen by size (measured by `eval/bench`). `flat` is exact. `ivf` searches the inverted lists nearest to
a question, with one byte per dimension, and scores the candidates again with the exact vectors. FAISS files have no
checksum, and a damaged one can load silently or kill the process. So a file's SHA-256 is compared before FAISS reads it.
Scores are inner products of vectors of length 1, which is cosine similarity. This module knows ids and vectors, not articles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import StoreError
from rag.store.files import sha256_of, write_file
from rag.store.records import Segment

if TYPE_CHECKING:
    from rag.protocols import Vectors

SUFFIX = ".faiss"
FLAT, IVF = "flat", "ivf"
FLAT_MOST = 50_000  # vectors of an exact segment: 7 ms a question on one core; larger ones are limited by memory speed
LISTS_OF_MILLION = 1024  # inverted lists for a million vectors; the number grows with the square root
TRAIN_PER_LIST = 40  # vectors per list, as FAISS recommends; k-means over more finds the same lists
PROBES = 128  # lists searched, of 1024 at a million vectors: finds the best 10 of real questions, in 7 ms
RESCORED = 2  # candidates scored again, as a multiple of the requested number

Exact = Callable[[Sequence[int]], Mapping[int, bytes]]
"""float32 bytes by chunk id."""


def write_segment(folder: Path, ids: Sequence[int], vectors: Vectors, low: int, high: int) -> Segment:
    """Write the vectors (n, dimension) of chunk `ids`, all of low <= id < high, as one new file named by its hash.

    Raises `StoreError` when it cannot be written.
    """
    import faiss
    import numpy as np

    count, dimension = vectors.shape
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    kind = FLAT if count <= FLAT_MOST else IVF
    if kind == FLAT:
        inner: Any = faiss.IndexFlatIP(int(dimension))
    else:
        lists = int(LISTS_OF_MILLION * (count / 1e6) ** 0.5)
        quantizer = faiss.IndexFlatIP(int(dimension))
        inner = faiss.IndexIVFScalarQuantizer(
            quantizer, int(dimension), lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        inner.cp.niter, inner.cp.seed = 8, 1  # the same vectors give the same file
        inner.nprobe = min(lists, PROBES)
        chosen = np.random.default_rng(1).choice(count, min(count, lists * TRAIN_PER_LIST), replace=False)
        inner.train(rows[np.sort(chosen)])
    index = faiss.IndexIDMap2(inner)
    index.add_with_ids(rows, np.asarray(ids, dtype=np.int64))
    data = faiss.serialize_index(index).tobytes()
    digest = hashlib.sha256(data).hexdigest()
    target = folder / f"vectors-{digest[:16]}{SUFFIX}"
    write_file(target, data)
    return Segment(target.name, kind, digest, int(count), low, high)


def is_intact(folder: Path, segment: Segment) -> bool:
    """Whether the file of a segment is there with the listed SHA-256."""
    return sha256_of(folder / segment.name) == segment.sha256


class VectorIndex:
    """The open segments of one generation. Reading only; threads may share it."""

    def __init__(
        self,
        folder: Path,
        segments: Sequence[Segment],
        dead_ids: Sequence[int],
        dimension: int,
        exact: Exact,
        known: VectorIndex | None = None,
    ) -> None:
        """Read the files of `segments`, or take those that `known` has open; chunks of `dead_ids` are never returned.
        `exact` gives the exact vectors of chunks, to score the candidates of an `ivf` segment.

        Raises `StoreError` for a file that is missing or not what its hash says.
        """
        import faiss
        import numpy as np

        self.dimension = dimension
        self._exact = exact
        opened = known._parts if known else {}
        self._parts: dict[str, Any] = {  # faiss.IndexIDMap2 by SHA-256: the library has no types
            s.sha256: opened[s.sha256] if s.sha256 in opened else self._read(folder / s.name, s)
            for s in segments
        }
        self._approximate = {s.sha256 for s in segments if s.kind == IVF}
        self._dead = np.asarray(dead_ids, dtype=np.int64)
        # kept on self: FAISS holds bare pointers to the selectors
        self._batch = faiss.IDSelectorBatch(self._dead)
        self._selector = faiss.IDSelectorNot(self._batch) if self._dead.size else None

    def _read(self, path: Path, segment: Segment) -> Any:
        import faiss

        digest = sha256_of(path)
        if not digest:
            raise StoreError(f"{path}: missing; run: rag index")
        if digest != segment.sha256:
            raise StoreError(f"{path}: damaged (its SHA-256 is not the listed one); run: rag index")
        part = faiss.read_index(str(path))
        if part.d != self.dimension or part.ntotal != segment.count:
            raise StoreError(f"{path}: holds other vectors than listed; run: rag index --rebuild")
        return part

    def count(self) -> int:
        """Number of live vectors. Every dead id is in one of the files."""
        return sum(int(part.ntotal) for part in self._parts.values()) - len(self._dead)

    def ids_checksum(self) -> tuple[int, int]:
        """(number of live ids, sum of their hashes), as `Catalog.ids_checksum` gives for the rows."""
        import faiss
        import numpy as np

        count, total = 0, 0
        for part in self._parts.values():
            ids = faiss.vector_to_array(part.id_map)
            ids = ids[~np.isin(ids, self._dead)]
            count += len(ids)
            total += int(((ids * 2654435761) & 4294967295).sum())
        return count, total

    def _parameters(self, part: Any, approximate: bool) -> Any:
        import faiss

        if approximate:
            nprobe = int(faiss.downcast_index(part.index).nprobe)  # type: ignore[attr-defined]
            return faiss.SearchParametersIVF(sel=self._selector, nprobe=nprobe)  # type: ignore[call-arg]
        return faiss.SearchParameters(sel=self._selector)  # type: ignore[call-arg]

    def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """(chunk id, cosine similarity) of the `limit` nearest, best first, ties by id. `vector`: shape (dimension,).

        Raises `StoreError` for a vector of another dimension.
        """
        import numpy as np

        query = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)
        if query.shape[1] != self.dimension:
            raise StoreError(f"the question has {query.shape[1]} dimensions, the index {self.dimension}")
        found: dict[int, float] = {}
        rough: list[int] = []
        for key, part in self._parts.items():
            approximate = key in self._approximate
            most = min(limit * RESCORED if approximate else limit, part.ntotal)
            scores, ids = part.search(query, most, params=self._parameters(part, approximate))
            # FAISS pads with id -1 when fewer are found
            pairs = [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]
            if approximate:
                rough += [i for i, _ in pairs]
            else:
                found.update(pairs)
        if rough:
            exact = self._exact(rough)
            rows = np.frombuffer(b"".join(exact.values()), dtype="<f4").reshape(len(exact), self.dimension)
            found.update(zip(exact, (rows @ query[0]).tolist(), strict=True))
        return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
