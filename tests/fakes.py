"""The two fakes, through the same door as the real things: an Embedder and a Generator; and a reader for pure tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.protocols import Cancel, Prompt, Watch
from rag.reader import Reading
from rag.text import content_words

if TYPE_CHECKING:
    from rag.protocols import Vectors


class WordEmbedder:
    """Vectors of words in common: each content word is a direction chosen by its hash."""

    dimension = 256

    def __init__(self, name: str = "words") -> None:
        self.fingerprint = f"fake:{name}"
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 0.01
            for word in content_words(text):
                row[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.dimension] += 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class ScriptedGenerator:
    """Writes the scripted texts one after the other, in small pieces; keeps the prompts it was given."""

    name = "scripted"
    doubt = -9.0  # what a watch is told

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.prompts: list[str] = []
        self.closed = False

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str = "",
        max_tokens: int,
        deadline_s: float,
        cancel: Cancel,
        watch: Watch | None = None,
    ) -> Iterator[str]:
        self.prompts.append("".join(s.text for s in prompt))
        if watch is not None and not watch.decide(self.doubt):
            return
        text = self.texts.pop(0)
        for start in range(0, len(text), 3):
            yield text[start : start + 3]

    def close(self) -> None:
        self.closed = True


class SureReader:
    """Finds every text to answer every question, with the whole text as the answer."""

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        return [Reading(0.9, 0, len(t), 0.9) for t in texts]
