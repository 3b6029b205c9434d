"""What the program needs of the models that embed and that generate text. Tests put fakes in their place.

No model is named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]  # (n, dimension), rows of length 1


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt. Special tokens (`<|im_start|>` ...) are recognised only where `trusted` is true.

    Article text, questions and earlier answers are never trusted.
    """

    text: str
    trusted: bool = False


Prompt = tuple[Segment, ...]

Cancel = Callable[[], bool]
"""Polled often by the generator; true means stop now."""


class Embedder(Protocol):
    """Turns texts into vectors of length 1."""

    @property
    def fingerprint(self) -> str:
        """Names the model by hash and everything else that changes the vectors."""

    @property
    def dimension(self) -> int:
        """Length of one vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`; shape (len(texts), dimension), float32, rows of length 1, same order."""


class Generator(Protocol):
    """Continues a prompt."""

    @property
    def name(self) -> str:
        """What is shown to the reader and kept in records."""

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str = "",
        max_tokens: int,
        deadline_s: float,
        cancel: Cancel,
    ) -> Iterator[str]:
        """Yield pieces of text, greedily sampled, that `grammar` (GBNF, root rule `root`; empty: free) allows.

        With `max_tokens` 0 the prompt is only read, so that a later one that begins like it is answered sooner.
        `deadline_s` is seconds from now for the whole call, waiting for the model included.
        Raises `StoppedError` when `cancel()` turns true, `GenerationError` when the deadline passes or the model
        dies, `ModelError` when the model cannot be loaded. Closing the iterator stops the generation.
        """

    def close(self) -> None:
        """Give the model's memory back. A later call loads it again."""
