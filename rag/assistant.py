"""The front door: one object that answers questions over an index. Page, command line and evaluation all use it.

It wires the parts together and decides nothing about answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rag.answering import Clock, Parts, answer
from rag.build import fingerprint_of
from rag.config import Settings
from rag.conversation import stand_alone
from rag.embedder import MiniLM
from rag.errors import CitewireError, QuestionError, StoppedError
from rag.llama import LlamaGenerator, check_model_file
from rag.models import find_model
from rag.prompts import FIXED
from rag.protocols import Cancel, Embedder, Generator
from rag.reader import Reader
from rag.retrieval import retrieve
from rag.schema import Answer, Article, Passage, State, Status, Turn
from rag.store import Store

MAX_QUESTION_CHARS = 2000
WARM_TIMEOUT_S = 300.0  # a slow disk and a slow processor together
NO_MODEL = "none"


def never() -> bool:
    """A `Cancel` that never stops."""
    return False


def _silent(message: str) -> None:
    """The default for `on_wait`."""


class Assistant:
    """Answers questions over one index. Threads may share it; each question keeps the index it began with."""

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        reader: Reader,
        generator: Generator | None,
    ) -> None:
        """Open the index at `settings.index`. Raises `StoreError` when it is missing or made by other settings."""
        self.settings = settings
        self._embedder = embedder
        self._reader = reader
        self._generator = generator
        self._lock = threading.Lock()
        self._store = Store(settings.index, fingerprint_of(settings, embedder))

    @classmethod
    def open(cls, settings: Settings, *, on_wait: Callable[[str], None] = _silent) -> Assistant:
        """An assistant with the models of `settings`; they load with the first question, or with `warm`.

        `on_wait` is told when another process has the model. Raises `ModelError` when a model file is missing,
        `StoreError` for the index.
        """
        folder = find_model(settings.embedding, settings)
        embedder = MiniLM(folder, threads=settings.threads)
        reader = Reader(tokenizer_dir=folder, threads=settings.threads)
        generator = None
        if settings.model != NO_MODEL:
            model = find_model(settings.model, settings)
            check_model_file(model)  # now rather than at the first question
            generator = LlamaGenerator(
                model,
                threads=settings.threads,
                lock_dir=settings.cache / "run",
                on_wait=on_wait,
            )
        return cls(settings, embedder, reader, generator)

    def close(self) -> None:
        """Let the model go and close the index."""
        if self._generator is not None:
            self._generator.close()
        self._store.close()

    def warm(self) -> None:
        """Load the models now, and let the generator read the fixed part of its prompt."""
        self._embedder.encode(["warm"])
        self._reader.read("warm?", ["warm"])
        if self._generator is not None:
            for _ in self._generator.generate(FIXED, max_tokens=0, deadline_s=WARM_TIMEOUT_S, cancel=never):
                pass

    def store(self) -> Store:
        """The newest generation of the index. A question that began keeps the one it has."""
        with self._lock:
            if self._store.is_behind():
                self._store = Store(self.settings.index, self._store.fingerprint)
            return self._store

    def articles(self) -> list[Article]:
        """All articles, by id."""
        return self.store().articles()

    def search(self, query: str, limit: int = 10) -> list[Passage]:
        """The `limit` best passages, best first."""
        return retrieve(self.store(), self._embedder, _checked(query), limit)

    def ask(self, question: str, history: Sequence[Turn] = (), *, cancel: Cancel = never) -> Answer:
        """The final answer."""
        return list(self.stream(question, history, cancel=cancel))[-1]

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, cancel: Cancel = never
    ) -> Iterator[Answer]:
        """Growing answers; the last is final and checked. Nothing that the user can solve is raised on the way:
        the last answer is then stopped or failed, with the reason, and holds what was settled before.

        Raises `QuestionError` at once for an empty or overlong question.
        """
        question = _checked(question)
        clock = Clock()
        last = Answer(question, question, Status.DRAFTING)
        try:
            understood = stand_alone(
                question, history, self._generator, deadline_s=self.settings.answer_timeout_s, cancel=cancel
            )
            last = replace(last, as_understood=understood)
            parts = Parts(self.settings, self.store(), self._embedder, self._reader, self._generator)
            for last in answer(question, understood, parts, clock, cancel=cancel):
                yield last
                if cancel() and not last.final:
                    raise StoppedError("stopped")
        except CitewireError as error:
            clock.mark("total_s")
            stopped = isinstance(error, StoppedError)
            yield replace(
                last,
                status=Status.STOPPED if stopped else Status.FAILED,
                statements=tuple(s for s in last.statements if s.state is not State.CHECKING),
                error="" if stopped else str(error),
                timings=clock.timings,
            )


def _checked(question: str) -> str:
    if not question.strip():
        raise QuestionError('the question is empty; ask one, e.g.: rag ask "How long did the meeting last?"')
    if len(question) > MAX_QUESTION_CHARS:
        raise QuestionError(
            f"the question has {len(question)} characters, at most {MAX_QUESTION_CHARS} are read; shorten it"
        )
    return question.strip()
