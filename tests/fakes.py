"""The fakes, through the same doors as the real things: an Embedder, a Generator and two Readers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.models.reader import Reading, Support
from rag.protocols import Cancel, Prompt
from rag.text.sentences import sentences
from rag.text.words import content_words

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
    """Writes the scripted texts one after the other, in small pieces; keeps the prompts and grammars it was given."""

    name = "scripted"

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.segments: list[Prompt] = []
        self.grammars: list[str] = []
        self.closed = False

    @property
    def prompts(self) -> list[str]:
        """Each prompt as one text."""
        return ["".join(s.text for s in p) for p in self.segments]

    @property
    def offered(self) -> list[str]:
        """What each prompt has that is not trusted: the passages and the question."""
        return ["".join(s.text for s in p if not s.trusted) for p in self.segments]

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str = "",
        max_tokens: int,
        deadline_s: float,
        cancel: Cancel,
    ) -> Iterator[str]:
        self.segments.append(prompt)
        self.grammars.append(grammar)
        text = self.texts.pop(0)
        for start in range(0, len(text), 3):
            yield text[start : start + 3]

    def close(self) -> None:
        self.closed = True


class SureReader:
    """Finds an answer in every window, the sentence that is most like the question; believes every claim."""

    fingerprint = "fake:sure"

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        asked = set(content_words(question))
        readings = []
        for window in windows:
            spans = sentences(window)
            if not spans:
                readings.append(Reading(0.0, 0, 0))
                continue
            best = max(spans, key=lambda s: len(asked & set(content_words(window[s.start : s.end]))))
            readings.append(Reading(0.9, best.start, best.end))
        return readings

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[Support]:
        return [Support(0.9, 0.05, 0.05) for _ in pairs]


class ScriptedReader:
    """Judges by tables. `answers`: words -> probability that they answer; a window that has the words answers with them,
    the first of the table first, any other window says nothing. `claims`: words of a claim, words of a window ->
    supported, refuted; what is in no row is `otherwise`."""

    fingerprint = "fake:scripted"

    def __init__(
        self,
        answers: dict[str, float],
        claims: dict[tuple[str, str], tuple[float, float]] | None = None,
        otherwise: tuple[float, float] = (0.9, 0.05),
    ) -> None:
        self.answers = answers
        self.claims = claims or {}
        self.otherwise = otherwise
        self.asked: list[tuple[str, str]] = []  # the claims that were judged, with their windows

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        readings = []
        for window in windows:
            words, sure = next(((w, p) for w, p in self.answers.items() if w in window), ("", 0.02))
            start = window.find(words) if words else 0
            readings.append(Reading(sure, start, start + len(words or window)))
        return readings

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[Support]:
        self.asked += pairs
        judged = []
        for claim, window in pairs:
            rows = (s for (c, w), s in self.claims.items() if c in claim and w in window)
            supported, refuted = next(rows, self.otherwise)
            judged.append(Support(supported, refuted, 1 - supported - refuted))
        return judged
