"""Embedding ahead with Ray: the same index as without, resumed after a worker was killed."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rag.config import Settings
from rag.errors import ConfigError
from rag.ingest.build import build, fingerprint_of, silent
from rag.ingest.ray_embedding import LOCAL, embed_ahead
from rag.models.embedder import MiniLM
from rag.store.catalog import Catalog
from tests.fakes import WordEmbedder

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for number in range(12):
        text = " ".join(
            f"Sentence {n} of report {number} speaks of ferry number {n * number}." for n in range(60)
        )
        (seeds / f"{number}.txt").write_text(f"Report {number}\n\n{text}\n", "utf-8")
    (seeds / "broken.txt").write_bytes(b"\xff\xfe\xff" * 9)
    return Settings(seeds=seeds, index=tmp_path / "index", cache=tmp_path / "cache")


def everything(settings: Settings) -> tuple[list[Any], list[Any]]:
    """Chunks and vectors of an index, without the order in which they were made."""
    catalog = Catalog(settings.index)
    try:
        found = []
        for article in catalog.articles():
            ids = catalog.chunk_ids(article.id)
            vectors = catalog.vectors_of(ids)
            found += [(article.id, c.start, c.end, c.text, vectors[i]) for i, c, _ in catalog.lookup(ids)]
        return sorted(found), [a.id for a in catalog.articles()]
    finally:
        catalog.close()


def test_the_same_articles_give_the_same_chunks_and_vectors(
    settings: Settings, tmp_path: Path, minilm_dir: Path
) -> None:
    make = functools.partial(MiniLM, minilm_dir, threads=1)
    embedded = embed_ahead(settings, make, LOCAL, 2, silent)
    summary = build(settings, make())
    assert summary.embedded == 0 and embedded == summary.chunks > 12
    assert [s.path for s in summary.skipped] == ["broken.txt"]
    alone = Settings(seeds=settings.seeds, index=tmp_path / "alone", cache=settings.cache)
    build(alone, make())
    assert everything(settings) == everything(alone)
    assert embed_ahead(settings, make, LOCAL, 1, silent) == 0
    (settings.seeds / "new.txt").write_text("New\n\nA zebra keeper fled.\n", "utf-8")
    assert embed_ahead(settings, make, LOCAL, 1, silent) == 1


class DyingOnce(WordEmbedder):
    """Kills its process with the second batch, once."""

    def __init__(self, flag: str) -> None:
        super().__init__()
        self._flag = flag

    def encode(self, texts: Sequence[str]) -> Any:
        if self.encoded and not Path(self._flag).exists():
            Path(self._flag).touch()
            os._exit(1)
        return super().encode(texts)


def test_a_killed_worker_loses_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.ingest import ray_embedding

    monkeypatch.setattr(ray_embedding, "BATCH", 8)
    flag = tmp_path / "died"
    told: list[int] = []
    make = functools.partial(DyingOnce, str(flag))
    embedded = embed_ahead(settings, make, LOCAL, 1, lambda what, done, total: told.append(done))
    assert flag.exists() and told[-1] == embedded
    summary = build(settings, WordEmbedder())
    assert summary.embedded == 0 and embedded == summary.chunks
    assert fingerprint_of(settings, make()) == fingerprint_of(settings, WordEmbedder())


def test_a_cluster_that_is_not_there_is_one_line(settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"--ray 127\.0\.0\.1:9: no cluster there"):
        embed_ahead(settings, WordEmbedder, "127.0.0.1:9", 1, silent)
