"""The front door: one object that answers questions over an index. Page, command line and evaluation all use it.

It wires the parts together and decides nothing about answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from collections.abc import Generator as Stream
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from rag.answering.freshness import Cited, Freshness, freshness
from rag.answering.intent_forms import Recogniser
from rag.answering.intents import reply
from rag.answering.pipeline import Parts, answer, sureness
from rag.answering.rewriting import stand_alone
from rag.answering.writing import Clock
from rag.config import Settings
from rag.errors import CitewireError, ModelError, QuestionError, StoppedError
from rag.ingest.build import fingerprint_of
from rag.ingest.library import Library
from rag.ingest.priority import answering
from rag.models.embedder import MiniLM
from rag.models.llama import LlamaGenerator, check_model_file
from rag.models.openai_client import RemoteGenerator, servers_of
from rag.models.prompts import FIXED
from rag.models.reader import MPNetReader, Reader
from rag.models.registry import ModelStatus, Role, find_model, list_models
from rag.protocols import Cancel, Embedder, Generator
from rag.retrieval.hybrid import retrieve
from rag.schema import EVERY_ARTICLE, WHOLE, Answer, Article, Choice, Passage, Stage, State, Status, Turn
from rag.store.base import Store
from rag.store.publish import open_store

MAX_QUESTION_CHARS = 2000
WARM_TIMEOUT_S = 300.0  # a slow disk and a slow processor together
NO_MODEL = "none"


def never() -> bool:
    """A `Cancel` that never stops."""
    return False


def _silent(message: str) -> None:
    """The default for `on_wait`."""


def open_generator(settings: Settings, on_wait: Callable[[str], None] = _silent) -> Generator | None:
    """What words the answers by these settings, None where they are only quoted; it loads with the first question.

    `on_wait` is told when another process has the model. Raises `ModelError` when a model file is missing, `ConfigError`
    for the address of a server that is none.
    """
    if settings.model == NO_MODEL:
        return None
    servers = servers_of(settings.servers)
    if servers:
        return RemoteGenerator(servers, settings.server_model)
    model = find_model(settings.model, settings)
    check_model_file(model)  # now rather than at the first question
    return LlamaGenerator(model, threads=settings.threads, lock_dir=settings.run_folder, on_wait=on_wait)


def open_embedder(settings: Settings) -> MiniLM:
    """The embedding model by these settings. Raises `ModelError` when its files are missing."""
    return MiniLM(find_model(settings.embedding, settings), threads=settings.threads)


def open_reader(settings: Settings) -> MPNetReader:
    """The reader by these settings; it is looked for and loaded with the first question."""
    return MPNetReader(
        lambda: find_model("reader", settings), settings.cache / "reader", threads=settings.threads
    )


class Assistant:
    """Answers questions over one index. Threads may share it; each question keeps the index it began with."""

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        reader: Reader,
        generator: Generator | None,
        without: Set[Stage] = WHOLE,
    ) -> None:
        """Open the index at `settings.index`. `without` is for the evaluation: stages that are left out.

        Raises `StoreError` when the index is missing or made by other settings.
        """
        self.settings = settings
        self._without = without
        self._embedder = embedder
        self._recogniser = Recogniser(embedder)
        self._reader = reader
        self._generator = generator
        self._others: dict[str, Generator] = {}  # models that readers chose instead
        self._lock = threading.Lock()
        self._store = open_store(settings, fingerprint_of(settings, embedder))
        self._users = {self._store: 0}  # how many read each open store
        self._store.release()

    @classmethod
    def open(cls, settings: Settings, *, on_wait: Callable[[str], None] = _silent) -> Assistant:
        """An assistant with the models of `settings`; they load with the first question, or with `warm`.

        `on_wait` is told when another process has the model. Raises `ModelError` when a model file is missing,
        `StoreError` for the index.
        """
        embedder, reader = open_embedder(settings), open_reader(settings)
        return cls(settings, embedder, reader, open_generator(settings, on_wait))

    def library(self) -> Library:
        """The articles, to be listed, added and taken out while questions go on."""
        return Library(self.settings, self._embedder, self.reading)

    def close(self) -> None:
        """Let the model go and close the index."""
        for generator in filter(None, (self._generator, *self._others.values())):
            generator.close()
        self.close_index()

    def close_index(self) -> None:
        """Close the index alone."""
        with self._lock:
            for store in self._users:
                store.close()

    def warm(self) -> None:
        """Load the models now, and let the generator read the fixed part of its prompt."""
        _ = self._recogniser.vectors
        with suppress(ModelError):  # told with the first question, which shows what retrieval finds
            self._reader.read("warm?", ["warm"])
        if self._generator is not None:
            for _ in self._generator.generate(FIXED, max_tokens=0, deadline_s=WARM_TIMEOUT_S, cancel=never):
                pass

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """The newest generation of the index, the same one until the end, whatever a writer does meanwhile."""
        with self._lock:
            if not self._users.get(self._store) and not self._store.resume():
                newer = self._store.reopened()
                self._store.close()
                del self._users[self._store]
                self._store = newer
            elif self._store.is_behind():
                newer = self._store.reopened()
                self._store = newer  # those who read the older one close it
            store = self._store
            self._users[store] = self._users.get(store, 0) + 1
        try:
            yield store
        finally:
            with self._lock:
                self._users[store] -= 1
                if not self._users[store]:
                    if store is self._store:
                        store.release()
                    else:
                        store.close()
                        del self._users[store]

    def articles(self, limit: int = -1) -> list[Article]:
        """Articles, by id; at most `limit` of them, all when it is -1."""
        with self.reading() as store:
            return store.articles(limit)

    def article(self, id_: str) -> Article | None:
        """The article of that id, None when it is not in the index."""
        with self.reading() as store:
            return store.article(id_)

    def freshness(self, cited: Iterable[Cited]) -> dict[str, Freshness]:
        """For each article that an answer cites, whether it has changed or gone since."""
        with self.reading() as store:
            return freshness(cited, store.article)

    def publishers(self) -> list[str]:
        """Who published the articles, in order."""
        with self.reading() as store:
            return store.publishers()

    def writers(self) -> list[str]:
        """Names of the models that may word an answer, the one that is set first; none where answers are only quoted."""
        if self._generator is None:
            return []
        return list(dict.fromkeys((self._generator.name, *self._other_models())))

    def _other_models(self) -> dict[str, Path]:
        return {
            item.path.stem: item.path
            for item in list_models(self.settings)
            if item.spec.role is Role.ANSWERS and item.state is ModelStatus.READY
        }

    def _writer(self, choice: Choice) -> Generator | None:
        """What words the answer. Raises `ModelError` for a model that is not there (any more)."""
        if choice.quotes_only or self._generator is None:
            return None
        if choice.model in ("", self._generator.name):
            return self._generator
        path = self._other_models().get(choice.model)
        if path is None:
            raise ModelError(f"{choice.model}: no such model here; rag models lists them")
        with self._lock:
            if choice.model not in self._others:
                self._others[choice.model] = LlamaGenerator(
                    path, threads=self.settings.threads, lock_dir=self.settings.run_folder
                )
            return self._others[choice.model]

    def search(self, query: str, limit: int = 10) -> list[Passage]:
        """The `limit` best passages, best first."""
        with self.reading() as store:
            return retrieve(store, self._embedder, _checked(query), limit, self._without)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        cancel: Cancel = never,
        choice: Choice = EVERY_ARTICLE,
    ) -> Answer:
        """The final answer."""
        return list(self.stream(question, history, cancel=cancel, choice=choice))[-1]

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        cancel: Cancel = never,
        choice: Choice = EVERY_ARTICLE,
    ) -> Stream[Answer]:
        """Growing answers, from the articles that fit `choice`; the last one is final and verified. Errors that the user can
        solve are not raised: the last answer is then stopped or failed, gives the reason, and keeps the statements
        verified before.

        Raises `QuestionError` at once for an empty or overlong question.
        """
        question = _checked(question)
        clock = Clock()
        last = Answer(question, question, Status.DRAFTING)
        try:
            with answering(self.settings.run_folder), self.reading() as store:
                asked = self._recogniser.recognise(question)
                told = reply(question, asked, store, choice, cancel) if asked else None
                if told is not None:
                    clock.mark("total_s")
                    yield replace(told, timings=clock.timings)
                    return
                earlier = [t for t in history if not self._recogniser.is_aside(t.question)]
                parts = Parts(
                    self.settings,
                    store,
                    self._embedder,
                    self._reader,
                    self._writer(choice),
                    choice,
                    self._without,
                )
                understood = stand_alone(
                    question,
                    earlier if Stage.REWRITING not in self._without else (),
                    parts.generator,
                    partial(sureness, question, parts=parts),
                    deadline_s=self.settings.answer_timeout_s,
                    cancel=cancel,
                )
                last = replace(last, as_understood=understood)
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
    # half a character, which programs cut and terminals pass on, can neither be embedded nor sent
    return question.encode("utf-8", "replace").decode().strip()
