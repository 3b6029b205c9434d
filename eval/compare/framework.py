"""Another framework as what answers: its script, in its own environment, asked line by line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from eval.cases import EvalError
from eval.compare.freetext import answer_of, locate
from eval.trace import Found, Trace, peak_of
from rag.schema import Answer, Article, Turn


class Framework:
    """A script beside this file, run by `python`; a context that ends it. It has no memory of a conversation.

    The first line it reads is `settings` as JSON, every other a question as JSON; it answers each with a line that holds
    `text`, `sources` (texts by number, from 1) and `seconds`.
    """

    def __init__(
        self, python: str, script: Path, settings: Mapping[str, object], articles: Sequence[Article]
    ) -> None:
        self._script = script
        self._articles = list(articles)
        self._found: tuple[Found, ...] = ()
        self._process = subprocess.Popen(
            [python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._send(dict(settings))

    def __enter__(self) -> Framework:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def _send(self, value: object) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _ended(self) -> EvalError:
        return EvalError(
            f"{self._script.name} ended with status {self._process.wait()}; see its message above, and make its"
            " environment with: make compare"
        )

    def articles(self) -> list[Article]:
        """The articles of the corpus."""
        return self._articles

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """What it says. Raises `EvalError` when it ended."""
        self._send(question)
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        row = json.loads(line)
        self._found = tuple(locate(s, self._articles) for s in row["sources"])
        return answer_of(question, row["text"], self._found, row["seconds"], self._script.stem)

    def trace(self) -> Trace:
        """What the last question took, as far as it can be seen from outside."""
        return Trace(self._found, (), peak_of(self._process.pid) or None)
