"""Rereading: a reader that keeps its judgements, so that a stage left out costs only what changes.

It knows the seam of the reader, not questions or gold.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from typing import TypeVar, cast

from rag.models.reader import Reader, Reading, Support

Known = tuple[str, str, str]
"""What was judged ("read" or "support"), the question or claim, and the window."""
T = TypeVar("T")


class Remembering:
    """A `Reader` that asks the one inside only for what `known` does not hold, and adds it there."""

    def __init__(self, inside: Reader, known: MutableMapping[Known, object]) -> None:
        self._inside = inside
        self._known = known

    @property
    def fingerprint(self) -> str:
        """That of the reader inside."""
        return self._inside.fingerprint

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        """See `Reader.read`."""
        keys = [("read", question, w) for w in windows]
        return self._judged(keys, lambda new: self._inside.read(question, [w for _, _, w in new]))

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[Support]:
        """See `Reader.support`."""
        keys = [("support", claim, window) for claim, window in pairs]
        return self._judged(keys, lambda new: self._inside.support([(c, w) for _, c, w in new]))

    def _judged(self, keys: Sequence[Known], judge: Callable[[Sequence[Known]], Sequence[T]]) -> list[T]:
        new = [k for k in dict.fromkeys(keys) if k not in self._known]
        if new:
            self._known.update(zip(new, judge(new), strict=True))
        return [cast("T", self._known[k]) for k in keys]
