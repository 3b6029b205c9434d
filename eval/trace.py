"""Traces: what one question took beside its answer (passages, raw text of the model, tokens, memory), as records keep it.

It knows generators and articles, not cases or their right answers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from rag.models.llama import LlamaGenerator
from rag.protocols import Cancel, Generator, Prompt
from rag.schema import Article

PASSAGES = 10  # of each question: as deep as any measure of retrieval looks


class Place(Protocol):
    """A part of an article: `article.body[start:end]`."""

    @property
    def article(self) -> Article:
        """The article."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """The character after the last one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as it was found. See `Place`."""

    article: Article
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the model. `key` names what it was given (prompt and grammar); `text` is what it wrote, before anything
    looked at it; `whole`: it was not stopped. Tokens are None where nobody counted,
    `recalled` where the text was known from an earlier run."""

    key: str
    text: str
    whole: bool
    prompt_tokens: int | None = None
    written_tokens: int | None = None
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """What a question took: the best passages, best first (None where none were looked for); the calls of the model; the
    most memory that its processes have held so far, in bytes, mapped model file included."""

    passages: tuple[Found, ...] | None = None
    calls: tuple[Call, ...] = ()
    peak_bytes: int | None = None

    @property
    def recalled(self) -> bool:
        """Whether any text was not written for this question, so that no time means anything."""
        return any(c.recalled for c in self.calls)


NOTHING = Trace()
"""The trace where nothing is known."""


def to_row(trace: Trace) -> dict[str, Any]:
    """The trace as it stands in a record."""
    passages = None
    if trace.passages is not None:
        passages = [{"article": p.article.path, "start": p.start, "end": p.end} for p in trace.passages]
    return {
        "passages": passages,
        "calls": [asdict(c) for c in trace.calls],
        "peak_bytes": trace.peak_bytes,
    }


def from_row(row: Any, articles: Mapping[str, Article]) -> Trace:
    """A trace read back from `to_row`. Raises `KeyError` and `TypeError` where it is none over these articles."""
    passages = row["passages"]
    found = None
    if passages is not None:
        found = tuple(Found(articles[p["article"]], p["start"], p["end"]) for p in passages)
    # Older records also hold a likelihood, which nothing reads any more.
    calls = [{name: value for name, value in c.items() if name != "likelihood"} for c in row["calls"]]
    return Trace(found, tuple(Call(**c) for c in calls), row["peak_bytes"])


def peak_of(process_id: int | str = "self") -> int:
    """The most memory a process has held so far, in bytes (VmHWM); 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{process_id}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(x.split()[1]) * 1024 for x in lines if x.startswith("VmHWM:")), 0)


class Tracing:
    """A generator that keeps what the one inside was asked and wrote, for each thread its own.

    `memory` holds calls by key: what is known there is not generated again. A greedy model would write the same.
    """

    def __init__(self, inside: Generator, memory: Mapping[str, Call] | None = None) -> None:
        self._inside = inside
        self._memory = memory or {}
        self._here = threading.local()

    @property
    def name(self) -> str:
        """That of the generator inside."""
        return self._inside.name

    def take(self) -> tuple[Call, ...]:
        """The calls of this thread since its last `take`."""
        taken = tuple(self._calls)
        self._calls.clear()
        return taken

    @property
    def _calls(self) -> list[Call]:
        """Of this thread."""
        if not hasattr(self._here, "calls"):
            self._here.calls = []
        calls: list[Call] = self._here.calls
        return calls

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str = "",
        max_tokens: int,
        deadline_s: float,
        cancel: Cancel,
    ) -> Iterator[str]:
        """See `Generator.generate`."""
        given = "\0".join([self.name, str(max_tokens), grammar, *(s.text for s in prompt)])
        key = sha256(given.encode()).hexdigest()[:24]
        known = self._memory.get(key)
        if known is not None and known.whole:
            self._calls.append(replace(known, recalled=True))
            yield known.text
            return
        pieces: list[str] = []
        whole = False
        try:
            for piece in self._inside.generate(
                prompt, grammar=grammar, max_tokens=max_tokens, deadline_s=deadline_s, cancel=cancel
            ):
                pieces.append(piece)
                yield piece
            whole = True
        finally:
            stats = self._inside.last_stats if whole and isinstance(self._inside, LlamaGenerator) else None
            self._calls.append(
                Call(
                    key,
                    "".join(pieces),
                    whole,
                    stats.read_tokens + stats.reused_tokens if stats else None,
                    stats.generated_tokens if stats else None,
                )
            )

    def close(self) -> None:
        """Close the generator inside."""
        self._inside.close()
