"""The systems that answer the same questions: this program, this program with one stage left out or other models, the plain
ways to use the model, and other frameworks. Each is opened by name and gives answers that one judge reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from eval.cases import EvalError, Suite
from eval.compare.framework import Framework
from eval.compare.plain import DENSE_ONLY, PASSAGES, PlainAsker
from eval.opening import Corpora, own_articles
from eval.records import Run, describe_run
from eval.reread import Known
from eval.runner import Asker, Opener
from eval.trace import Call
from rag.assistant import NO_MODEL
from rag.config import Settings
from rag.models.registry import find_model
from rag.schema import WHOLE, Stage

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"


@dataclass(frozen=True, slots=True)
class System:
    """What answers. `label` is for tables. `model` "" is that of the settings. `passages` is set for the plain ways, 0 for
    the model alone; `script` for frameworks. `is_timed`: nothing is recalled from another system's run."""

    name: str
    label: str
    model: str = ""
    without: frozenset[Stage] = WHOLE
    passages: int | None = None
    script: str = ""
    is_timed: bool = True

    @property
    def is_usual(self) -> bool:
        """Whether it is asked when nobody chooses: what is measured without a model is asked for by name."""
        return self.model != NO_MODEL or not self.without

    @property
    def is_free_text(self) -> bool:
        """Whether it writes text that has to be cut into statements."""
        return self.passages is not None or bool(self.script)

    @property
    def remembers(self) -> bool:
        """Whether it can be asked a follow-up."""
        return not self.is_free_text


_LABELS = {
    Stage.REWRITING: "follow-ups not rewritten",
    Stage.DENSE: "BM25 only",
    Stage.LEXICAL: "dense only",
    Stage.LITERALS: "without the literal conditions",
    Stage.DECIDE: "without the decision whether to answer",
    Stage.GRAMMAR: "without the grammar",
    Stage.SUPPORT: "without the reader's check",
    Stage.VETOES: "without the literal vetoes",
    Stage.COMPARE: "without comparing articles",
}
READ = (Stage.DENSE, Stage.LEXICAL, Stage.LITERALS, Stage.DECIDE, Stage.COMPARE)
"""The stages that work without a language model."""
OURS = System("citewire", "Citewire")
QUOTES = System("quotes", "quotes only, no model", model=NO_MODEL)
SYSTEMS: Mapping[str, System] = {
    s.name: s
    for s in (
        OURS,
        QUOTES,
        System("plain-rag", "plain RAG: passages in the prompt", without=DENSE_ONLY, passages=PASSAGES),
        *(
            System(
                f"quotes-without-{stage.value}",
                f"quotes only, {_LABELS[stage]}",
                model=NO_MODEL,
                without=frozenset({stage}),
                is_timed=False,
            )
            for stage in READ
        ),
        System("small", "with the 0.5B model", model="small"),
        *(
            System(f"without-{stage.value}", label, without=frozenset({stage}), is_timed=False)
            for stage, label in _LABELS.items()
        ),
        System("model-alone", "the model alone, no retrieval", passages=0),
        System("llamaindex", "LlamaIndex CitationQueryEngine", script="citation_query_engine.py"),
        System("haystack", "Haystack pipeline", script="haystack_pipeline.py"),
    )
}
"""All systems by name, in the order in which they are asked and told."""


@contextmanager
def opened(
    system: System,
    suite: Suite,
    settings: Settings,
    work: Path,
    python: str,
    memory: Mapping[str, Call],
    known: MutableMapping[Known, object],
) -> Iterator[tuple[Opener, Run]]:
    """What opens a corpus of the suite for the system, and what its records say of it. `python` runs the frameworks' scripts.
    `memory` holds calls of the model, `known` judgements of the reader, that need not be made again where the system is not
    timed; judgements that are made are added.

    Raises `ModelError` when a model is missing, `EvalError` where a framework has no `python` or is to read other articles
    than the user's.
    """
    if system.script:
        if suite.corpora:
            raise EvalError(
                f"{system.label} is asked over the articles of this folder only, not over {suite.name}"
            )
        if not python:
            raise EvalError(f"{system.label} needs --python, that of its environment; see: make compare")
        articles = own_articles(settings)
        model, embedding = find_model(settings.model, settings), find_model(settings.embedding, settings)
        request = {
            "model": str(model),
            "embedding": str(embedding),
            "articles": str(settings.seeds),
            "threads": settings.threads,
        }
        made_by = describe_run(settings, {"model": model})
        pinned = tuple((name, at) for name, _, at in map(_at, REQUIREMENTS.read_text("utf-8").split()))
        named = Run(
            (*made_by.settings, ("system", system.name)), pinned, _code(system.script), made_by.machine
        )
        with Framework(python, HERE / system.script, request, articles) as framework:
            yield lambda _: framework, named
        return
    chosen = settings.with_options(model=system.model or None)
    calls = {} if system.is_timed else memory
    judged = None if system.is_timed and system.model != NO_MODEL else known
    with Corpora(suite, chosen, work, system.without, calls, judged) as corpora:
        made_by = describe_run(chosen, corpora.model_files)
        code = made_by.code + (_code("plain.py") if system.is_free_text else "")
        named = replace(made_by, settings=(*made_by.settings, ("system", system.name)), code=code)
        passages, tracing = system.passages, corpora.tracing

        def open_(corpus: str) -> Asker:
            traced = corpora.open(corpus)
            if passages is None:
                return traced
            assert tracing is not None, "the plain ways need a model"
            return PlainAsker(traced, tracing, passages)

        yield open_, named


def _at(line: str) -> tuple[str, str, str]:
    return line.partition("==")


def _code(script: str) -> str:
    """Of what makes answers of a free text."""
    return sha256(b"".join((HERE / name).read_bytes() for name in (script, "freetext.py"))).hexdigest()[:16]
