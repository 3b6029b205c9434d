"""Opening: assistants over the corpora of a suite, with one set of models for all of them.

The real thing behind `eval.runner.Opener`. It brings each index up to its articles first.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, MutableMapping, Sequence, Set
from pathlib import Path
from types import TracebackType

from eval.cases import QUESTIONS, EvalError, Suite, load_cases
from eval.reread import Known, Remembering
from eval.split import OWN_SET
from eval.trace import PASSAGES, Call, Found, Trace, Tracing, peak_of
from rag.assistant import Assistant, open_generator, open_reader
from rag.config import Settings
from rag.ingest.articles import find_files, read_article
from rag.ingest.build import build
from rag.ingest.sidecars import load_sidecars
from rag.models.embedder import MiniLM
from rag.models.llama import LlamaGenerator
from rag.models.reader import Reader
from rag.models.registry import find_model
from rag.protocols import Generator
from rag.schema import WHOLE, Answer, Article, Stage, Turn

OWN_PROTOCOL = (
    "Every question over the folder of articles, after the questions before it in its conversation."
)


def own_articles(settings: Settings) -> list[Article]:
    """The articles as they are in the user's folder. Raises `CorpusError` for one that cannot be read."""
    sidecars = load_sidecars(settings.seeds)
    return [read_article(f, settings.seeds, sidecars) for f in find_files(settings.seeds)]


def own_suite(settings: Settings, questions: Path) -> Suite:
    """The own set, or another file of questions, named like it, over the same articles; checked against them as they are in
    the folder. Raises `EvalError` for a mistake in it."""
    cases = load_cases(questions, {a.path: a.body for a in own_articles(settings)})
    name = OWN_SET if questions == QUESTIONS else questions.stem
    return Suite(name, tuple(cases), {}, OWN_PROTOCOL)


class Traced:
    """An assistant that tells what its last question took."""

    def __init__(self, assistant: Assistant, generator: Generator | None, tracing: Tracing | None) -> None:
        self.assistant = assistant
        self._generator = generator
        self._tracing = tracing
        self._here = threading.local()

    def articles(self) -> list[Article]:
        """The articles of the corpus."""
        return self.assistant.articles()

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The final answer."""
        answer = self.assistant.ask(question, history)
        self._here.understood = answer.as_understood
        return answer

    def trace(self) -> Trace:
        """What this thread asked since its last call took; passages are those of the last question, None before one."""
        calls = self._tracing.take() if self._tracing else ()
        found = None
        understood = getattr(self._here, "understood", "")
        if understood:
            passages = self.assistant.search(understood, PASSAGES)
            found = tuple(Found(p.article, p.chunk.start, p.chunk.end) for p in passages)
        model = self._generator.process_id if isinstance(self._generator, LlamaGenerator) else None
        peak = peak_of() + (peak_of(model) if model else 0)
        return Trace(found, calls, peak or None)


class Corpora:
    """Opens the corpora of a suite by name; a context that gives the models back.

    The corpus "" is the user's folder of articles with its index; others are written under `work`, once.
    """

    def __init__(
        self,
        suite: Suite,
        settings: Settings,
        work: Path,
        without: Set[Stage] = WHOLE,
        memory: Mapping[str, Call] | None = None,
        known: MutableMapping[Known, object] | None = None,
    ) -> None:
        """`without` are stages left out, `memory` calls of the model that need not be made again (see `Tracing`), `known`
        judgements of the reader (see `Remembering`).

        Raises `ModelError` when a model is missing, before anything is asked.
        """
        self._without = without
        self._suite = suite
        self._settings = settings
        self._work = work
        folder = find_model(settings.embedding, settings)
        self._embedder = MiniLM(folder, threads=settings.threads)
        reader = open_reader(settings)
        self._reader: Reader = reader if known is None else Remembering(reader, known)
        self._generator = open_generator(settings)
        self.tracing = Tracing(self._generator, memory) if self._generator else None
        self.model_files: dict[str, Path] = {}
        if isinstance(self._generator, LlamaGenerator):
            self.model_files["model"] = find_model(settings.model, settings)
        self._last: Assistant | None = None

    def __enter__(self) -> Corpora:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None:
            self._last.close()
        elif self._generator is not None:
            self._generator.close()

    def settings_of(self, corpus: str) -> Settings:
        """The settings with the folders of that corpus."""
        if corpus == "" and not self._suite.corpora:
            return self._settings
        base = self._work / self._suite.name / corpus
        return self._settings.with_options(seeds=base / "articles", index=base / "index")

    def open(self, corpus: str) -> Traced:
        """An assistant over that corpus, its index brought up to its articles. The one before is closed.

        The first one is warmed, so that no question's time holds the loading of a model. Raises `EvalError` for
        articles that cannot be read, `CorpusError` and `StoreError` as the build does.
        """
        settings = self.settings_of(corpus)
        for path, text in self._suite.corpora.get(corpus, {}).items():
            file = settings.seeds / path
            if not file.exists() or file.read_bytes() != text.encode():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text.encode())
        skipped = build(settings, self._embedder).skipped
        if skipped:
            raise EvalError(f"{skipped[0].reason}; the articles asked about must all be readable")
        assistant = Assistant(settings, self._embedder, self._reader, self.tracing, self._without)
        if self._last is None:
            assistant.warm()
        else:
            self._last.close_index()  # Assistant.close would let the model go too
        self._last = assistant
        if self.tracing:
            self.tracing.take()  # the warming is no question's
        return Traced(assistant, self._generator, self.tracing)
