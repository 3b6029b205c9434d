"""The FAISS files: immutable segments of (chunk id, vector), a fast copy of what the catalogue holds.

FAISS files carry no checksum and a damaged one can load silently or kill the process, so a file's SHA-256 is
compared before FAISS reads it. Exact inner product over vectors of length 1, that is cosine similarity.
This module knows ids and vectors, not articles.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.catalog import Segment
from rag.errors import StoreError

if TYPE_CHECKING:
    from rag.protocols import Vectors

SUFFIX = ".faiss"


def write_segment(folder: Path, ids: Sequence[int], vectors: Vectors) -> Segment:
    """Write the vectors (n, dimension) of chunk `ids` as one new file, named by its hash, complete or not at all.

    Raises `StoreError` when it cannot be written; nothing half-written keeps a segment's name.
    """
    import faiss
    import numpy as np

    index = faiss.IndexIDMap2(faiss.IndexFlatIP(int(vectors.shape[1])))
    index.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), np.asarray(ids, dtype=np.int64))
    data = faiss.serialize_index(index).tobytes()
    digest = hashlib.sha256(data).hexdigest()
    target = folder / f"vectors-{digest[:16]}{SUFFIX}"
    partial = target.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"{target}: cannot be written ({error.strerror}); free space and run: rag index"
        ) from None
    return Segment(target.name, digest, len(ids))


def is_intact(folder: Path, segment: Segment) -> bool:
    """Whether the file of a segment is there with the listed SHA-256."""
    try:
        return hashlib.sha256((folder / segment.name).read_bytes()).hexdigest() == segment.sha256
    except OSError:
        return False


class VectorIndex:
    """The open segments of one generation. Reading only; threads may share it."""

    def __init__(
        self, folder: Path, segments: Sequence[Segment], dead_ids: Sequence[int], dimension: int
    ) -> None:
        """Read the files of `segments`; chunks of `dead_ids` are never returned.

        Raises `StoreError` for a file that is missing or not what its hash says.
        """
        import faiss
        import numpy as np

        self.dimension = dimension
        self._parts: list[Any] = []  # faiss.IndexIDMap2: the library has no types
        for segment in segments:
            path = folder / segment.name
            try:
                data = path.read_bytes()
            except OSError as error:
                raise StoreError(f"{path}: {error.strerror}; run: rag index") from None
            if hashlib.sha256(data).hexdigest() != segment.sha256:
                raise StoreError(f"{path}: damaged (its SHA-256 is not the listed one); run: rag index")
            part = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
            if part.d != dimension or part.ntotal != segment.count:
                raise StoreError(f"{path}: holds other vectors than listed; run: rag index --rebuild")
            self._parts.append(part)
        self._dead = np.asarray(dead_ids, dtype=np.int64)
        self._parameters = None
        if self._dead.size:
            # kept on self: FAISS holds bare pointers to the selectors
            self._batch = faiss.IDSelectorBatch(self._dead)
            self._alive = faiss.IDSelectorNot(self._batch)
            self._parameters = faiss.SearchParameters(sel=self._alive)  # type: ignore[call-arg]

    def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """(chunk id, cosine similarity) of the `limit` nearest, best first, ties by id. `vector`: shape (dimension,)."""
        import numpy as np

        query = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)
        if query.shape[1] != self.dimension:
            raise StoreError(f"the question has {query.shape[1]} dimensions, the index {self.dimension}")
        found: list[tuple[int, float]] = []
        for part in self._parts:
            scores, ids = part.search(query, min(limit, part.ntotal), params=self._parameters)
            # FAISS pads with id -1 when fewer are found
            found += [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]
