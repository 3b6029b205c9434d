"""The plain ways to answer with a model: alone, from its memory; and with the best passages stuffed into the prompt.

The same models, index and machine as this program; nothing is checked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from eval.compare.freetext import answer_of
from eval.opening import Traced
from eval.trace import Found, Trace, Tracing
from rag.assistant import never
from rag.protocols import Prompt, Segment
from rag.schema import Answer, Article, Stage, Turn

MAX_TOKENS = 256
DEADLINE_S = 300.0
PASSAGES = 3  # of about 700 characters, as many as the documented examples of other programs take

_ALONE = "Answer the question in one or two sentences. If you do not know the answer, say that you do not."
_SYSTEM = "You are a helpful assistant."
_STUFFED = (
    "Answer the question in one or two full sentences, using only the numbered documents. After each sentence put the number"
    " of the document that says it in brackets, for example: The sky is blue [1]. If the documents do not contain the"
    " answer, say that they do not."
)
DENSE_ONLY = frozenset({Stage.LEXICAL})
"""What the plain way leaves out of retrieval: it looks for similar vectors alone."""


class PlainAsker:
    """Asks the model directly. `passages` 0: alone. It has no memory of a conversation."""

    def __init__(self, traced: Traced, generator: Tracing, passages: int) -> None:
        self._traced = traced
        self._generator = generator
        self._passages = passages
        self._found: tuple[Found, ...] = ()

    def articles(self) -> list[Article]:
        """The articles of the corpus."""
        return self._traced.articles()

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The text of the model, as it is."""
        started = time.monotonic()
        self._found = ()
        text = question
        if self._passages:
            passages = self._traced.assistant.search(question, self._passages)
            self._found = tuple(Found(p.article, p.chunk.start, p.chunk.end) for p in passages)
            documents = "\n\n".join(f"[{p.rank}] {p.chunk.text}" for p in passages)
            text = f"{_STUFFED}\n\nDocuments:\n\n{documents}\n\nQuestion: {question}"
        pieces = self._generator.generate(
            _prompt(_SYSTEM if self._passages else _ALONE, text),
            max_tokens=MAX_TOKENS,
            deadline_s=DEADLINE_S,
            cancel=never,
        )
        said = "".join(pieces)
        return answer_of(question, said, self._found, time.monotonic() - started, self._generator.name)

    def trace(self) -> Trace:
        """What the last question took."""
        trace = self._traced.trace()
        return Trace(self._found or None, trace.calls, trace.peak_bytes)


def _prompt(system: str, user: str) -> Prompt:
    return (
        Segment(f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n", trusted=True),
        Segment(user),
        Segment("<|im_end|>\n<|im_start|>assistant\n", trusted=True),
    )
