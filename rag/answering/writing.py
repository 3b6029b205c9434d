"""Writing: the generator words what the reader found, and each line is verified as soon as it is complete.

A line that fails is cited better if another window supports it, else withheld. Where no line passes, the answer is written once
more from the best window alone. It decides nothing about whether to answer; `rag/answering/pipeline.py` does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from rag.answering.citations import Draft, stream_drafts
from rag.answering.reading import Found
from rag.answering.verifying import Checker
from rag.config import Settings
from rag.errors import GenerationError
from rag.models.prompts import answer_grammar, answer_prompt, restate_grammar
from rag.protocols import Cancel, Generator
from rag.schema import WHOLE, Reason, Stage, State, Statement, Timings, Verdict

MOST_WINDOWS = 4  # that the generator reads, best first: about 600 prompt tokens


class Clock:
    """Seconds since the question, and the timings seen so far."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.timings = Timings()

    def seconds(self) -> float:
        """Seconds since the question."""
        return time.monotonic() - self.started

    def mark(self, name: str) -> None:
        """Set a timing the first time it is called for `name`."""
        if getattr(self.timings, name) is None:
            self.timings = replace(self.timings, **{name: self.seconds()})

    def left(self, settings: Settings) -> float:
        """Seconds left for the answer. Raises `GenerationError` when there are none."""
        left = settings.answer_timeout_s - self.seconds()
        if left <= 0:
            raise GenerationError(
                f"no answer within {settings.answer_timeout_s:.0f} s; ask again, or raise answer_timeout_s in citewire.toml"
            )
        return left


@dataclass(frozen=True, slots=True)
class Writer:
    """What an answer is worded with, and until when."""

    generator: Generator
    checker: Checker
    settings: Settings
    clock: Clock
    cancel: Cancel
    without: Set[Stage] = WHOLE

    def write(self, question: str, answering: Sequence[Found], first_id: int) -> Iterator[list[Statement]]:
        """The statements as they grow, with ids from `first_id`: the last may be in state checking, those before it are
        checked. `answering` are the windows that answer, best first."""
        offered = list(answering[:MOST_WINDOWS])
        checked: list[Statement] = []
        for checked in self._drafted(
            question, offered, answer_grammar([f.evidence.number for f in offered]), [], first_id
        ):
            yield checked
        if any(s.state is State.SUPPORTED for s in checked):
            return
        best = offered[:1]
        yield from self._drafted(question, best, restate_grammar(best[0].evidence.number), checked, first_id)

    def _drafted(
        self,
        question: str,
        offered: Sequence[Found],
        grammar: str,
        before: Sequence[Statement],
        first_id: int,
    ) -> Iterator[list[Statement]]:
        pieces = self.generator.generate(
            answer_prompt(question, [(f.evidence.number, f.cited) for f in offered]),
            grammar="" if Stage.GRAMMAR in self.without else grammar,
            max_tokens=self.settings.answer_tokens,
            deadline_s=self.clock.left(self.settings),
            cancel=self.cancel,
        )
        checked = list(before)
        seen = {s.text for s in before}
        for words, made in stream_drafts(pieces, [f.evidence.number for f in offered]):
            self.clock.mark("first_word_s")
            number = first_id + len(checked)
            if made is None:
                yield [*checked, Statement(number, words, (), State.CHECKING)]
            elif made.text not in seen:
                seen.add(made.text)
                checked.append(self.verify(question, number, made, offered))
                yield list(checked)
        yield list(checked)

    def verify(self, question: str, number: int, draft: Draft, offered: Sequence[Found]) -> Statement:
        """The draft with those of its citations that support it alone; where none does, with another that does."""
        cited = [f for n in draft.citations for f in offered if f.evidence.number == n]
        others = [f for f in offered if f not in cited]
        for candidates, most in ((cited, len(cited)), (others, 1)):
            verdicts = self.checker.check(question, draft.text, candidates)
            kept = [(f, v) for f, v in zip(candidates, verdicts, strict=True) if v.supported][:most]
            if kept:
                steps = tuple(dict.fromkeys(step for _, v in kept for step in v.derivation))
                numbers = tuple(f.evidence.number for f, _ in kept)
                return Statement(
                    number, draft.text, numbers, State.SUPPORTED, Verdict(True, derivation=steps)
                )
        if not cited:
            verdict = Verdict(False, Reason.NO_CITATION, "no text is cited")
        else:
            verdict = self.checker.check(question, draft.text, cited[:1])[0]
        return Statement(number, draft.text, draft.citations, State.WITHHELD, verdict)
