"""A large index out of few real texts: articles of shuffled real sentences, vectors drawn around real ones.

Sentences keep their words, so word counts follow real language; a vector is a mixture of two real ones and noise that
varies as they do, so neighbours are near each other as in a real corpus.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.schema import Article, Chunk, Field, Origin
from rag.store.base import Fingerprint
from rag.store.catalog import Catalog
from rag.store.records import NewArticle, NewChunk
from rag.text.sentences import sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNKS_PER_ARTICLE = 10
SENTENCES_PER_CHUNK = 5
MIXED = 0.35  # the most that a second real vector weighs
NOISE = 0.6  # of the real vectors' own variation
BATCH = 2000  # articles to one transaction


@dataclass(frozen=True, slots=True)
class RealTexts:
    """What an index is synthesised from: passages, and questions that people asked."""

    passages: tuple[str, ...]
    questions: tuple[str, ...]


def real_texts(data: Path | None, seeds: Path, most: int) -> RealTexts:
    """Passages and questions of the public sets in `data` (SciFact, SQuAD 2), else of the articles in `seeds`."""
    passages: list[str] = []
    questions: list[str] = []
    if data is not None:
        for line in (data / "scifact" / "corpus.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            passages.append(f"{row['title']}. {row['text']}")
        squad = [json.loads(line) for line in (data / "squad2_dev.jsonl").read_text("utf-8").splitlines()]
        passages += dict.fromkeys(str(row["context"]) for row in squad)
        questions += [str(row["question"]) for row in squad]
        for line in (data / "scifact" / "queries.jsonl").read_text("utf-8").splitlines():
            questions.append(str(json.loads(line)["text"]))
    else:
        passages += [path.read_text("utf-8") for path in sorted(seeds.glob("*.txt"))]
        own = Path(__file__).parent.parent / "questions.jsonl"
        questions += [
            str(json.loads(line)["question"]) for line in own.read_text("utf-8").splitlines() if line
        ]
    random.Random(0).shuffle(passages)
    random.Random(1).shuffle(questions)
    return RealTexts(tuple(passages[:most]), tuple(questions))


class Vectors:
    """Draws vectors around real ones; the same seed gives the same vectors."""

    def __init__(self, real: NDArray[np.float32], seed: int) -> None:
        """`real`: shape (n, dimension), rows of length 1."""
        import numpy as np

        self.real = real
        self._random = np.random.default_rng(seed)
        covariance = np.cov((real - real.mean(0)).T) + 1e-6 * np.eye(real.shape[1])
        self._root = np.linalg.cholesky(covariance).astype(np.float32).T

    def draw(self, count: int) -> NDArray[np.float32]:
        """Shape (count, dimension), rows of length 1."""
        import numpy as np

        one, two = (self.real[self._random.integers(0, len(self.real), count)] for _ in range(2))
        share = self._random.uniform(0, MIXED, (count, 1)).astype(np.float32)
        noise = self._random.standard_normal((count, self.real.shape[1]), dtype=np.float32) @ self._root
        rows = (1 - share) * one + share * two + NOISE * noise
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def articles(texts: RealTexts, count: int, seed: int) -> Iterator[NewArticle]:
    """Articles of `CHUNKS_PER_ARTICLE` chunks of real sentences in a random order."""
    rng = random.Random(seed)
    pool = [p[s.start : s.end].strip() for p in texts.passages for s in sentences(p) if s.end - s.start > 40]
    for number in range(count):
        parts = [
            " ".join(pool[rng.randrange(len(pool))] for _ in range(SENTENCES_PER_CHUNK))
            for _ in range(CHUNKS_PER_ARTICLE)
        ]
        body = "\n\n".join(parts)
        id_ = f"made/{number:07}.txt"
        title = f"Report {number}"
        chunks, start = [], 0
        for part in parts:
            key = hashlib.sha256(f"{id_}{start}".encode()).digest()
            chunks.append(NewChunk(Chunk(id_, start, start + len(part), part), title, key))
            start += len(part) + 2
        article = Article(
            id_, hashlib.sha256(body.encode()).hexdigest(), id_, body, Field(title, Origin.METADATA)
        )
        # random numbers: as many and spread like real sketches, without the time to hash a million texts
        sketch = tuple(rng.getrandbits(63) for _ in range(64))
        yield NewArticle(article, id_, tuple(chunks), sketch)


def fill(
    folder: Path, fingerprint: Fingerprint, texts: RealTexts, vectors: Vectors, chunks: int, report: Any
) -> None:
    """Write an index of `chunks` chunks into `folder`: rows first, then its copies, as a rebuild does."""
    from rag.store.local import repair

    folder.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(folder, create=True)
    total = chunks // CHUNKS_PER_ARTICLE
    batch: list[NewArticle] = []

    def flush() -> None:
        rows = vectors.draw(len(batch) * CHUNKS_PER_ARTICLE).astype("<f4")
        with catalog.transaction():
            keys = [c.embedded for a in batch for c in a.chunks]
            catalog.add_vectors((key, row.tobytes()) for key, row in zip(keys, rows, strict=True))
            for new in batch:
                catalog.add_article(new, new.article.id)
            catalog.set_fingerprint(fingerprint)
            catalog.set_generation(catalog.generation() + 1)
        batch.clear()

    for number, new in enumerate(articles(texts, total, 7), 1):
        batch.append(new)
        if len(batch) == BATCH or number == total:
            flush()
            report("making articles", number, total)
    report("making copies", 0, 1)
    repair(folder, catalog, fingerprint.dimension)
    report("making copies", 1, 1)
    catalog.close()
