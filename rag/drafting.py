"""Drafting: the generator's lines, each settled against the sentences it cites as soon as it is complete.

It decides nothing about whether to answer; rag/answering.py does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from rag.citations import Draft, stream_drafts
from rag.config import Settings
from rag.errors import GenerationError
from rag.prompts import MAX_SENTENCE_CHARS, NOT_FOUND, answer_grammar, answer_prompt, restate_grammar
from rag.protocols import Cancel, Generator, Watch
from rag.question import Question
from rag.schema import Evidence, Reason, State, Statement, Timings, Verdict
from rag.text import plain
from rag.verify import check, resolved_dates

LEAST = 4  # sentences that the generator reads, however long
BUDGET_CHARS = 1000  # about 250 tokens, 3 s on 2 cores; with the question about 300


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
                f"no answer within {settings.answer_timeout_s:.0f} s; ask again or raise answer_timeout_s"
            )
        return left


def quote(number: int, item: Evidence) -> Statement:
    """A sentence of an article as the statement, with what its "yesterday" and "on Thursday" mean."""
    text = plain(item.text)
    derivation = tuple(dict.fromkeys(resolved_dates(text, item.article)))
    return Statement(number, text, (item.number,), State.QUOTED, Verdict(True, derivation=derivation))


def settle(number: int, draft: Draft, evidence: Sequence[Evidence], question: Question) -> Statement:
    """Check a draft against each sentence it cites, and keep the citations that carry it alone; where none does, look
    for another sentence that does. A sentence that carries it by its own words goes before one that needs its context.

    Two sentences together are never enough: a name from one and a word from the other can state what neither says.
    """
    by_number = {e.number: e for e in evidence}
    cited = [by_number[n] for n in draft.citations]
    others = [e for e in evidence if e not in cited]
    for alone in (True, False):
        for candidates, most in ((cited, len(cited)), (others, 1)):
            found = ((e.number, check(draft.text, [e], question, alone=alone)) for e in candidates)
            carrying = list(islice(((n, v) for n, v in found if v.supported), most))
            if carrying:
                derivation = tuple(dict.fromkeys(step for _, v in carrying for step in v.derivation))
                kept = tuple(n for n, _ in carrying)
                return Statement(
                    number, draft.text, kept, State.SUPPORTED, Verdict(True, derivation=derivation)
                )
    verdict = Verdict(False, Reason.NO_CITATION, "no sentence is cited")
    if cited:
        verdict = check(draft.text, cited[:1], question)
    return Statement(number, draft.text, draft.citations, State.WITHHELD, verdict)


def within_budget(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence that the generator reads: the first `LEAST` sentences, and more while they are short. The time to the
    first word is the length of the prompt; what is left out can still be cited and quoted."""
    length = 0
    offered: list[Evidence] = []
    for item in evidence:
        length += min(len(item.text), MAX_SENTENCE_CHARS)
        if len(offered) >= LEAST and length > BUDGET_CHARS:
            break
        offered.append(item)
    return offered


def draft(
    question: Question,
    evidence: Sequence[Evidence],
    generator: Generator,
    settings: Settings,
    clock: Clock,
    decide: Callable[[float], bool],
    cancel: Cancel,
) -> Iterator[list[Statement]]:
    """The statements as they grow: the last may be in state checking, all before it are settled.

    `decide` is told how likely the generator is to find no answer (a natural logarithm), before it writes; where it
    returns false nothing is written and nothing yielded.
    """
    offered = within_budget(evidence)
    pieces = generator.generate(
        answer_prompt(question.text, offered),
        grammar=answer_grammar([e.number for e in offered]),
        max_tokens=settings.answer_tokens,
        deadline_s=clock.left(settings),
        cancel=cancel,
        watch=Watch(NOT_FOUND, decide),
    )
    yield from _settled(pieces, [], question, evidence, clock)


def restate(
    question: Question,
    item: Evidence,
    statements: Sequence[Statement],
    generator: Generator,
    settings: Settings,
    clock: Clock,
    cancel: Cancel,
) -> Iterator[list[Statement]]:
    """The second and last attempt: one line from one sentence alone, after the `statements` that failed."""
    pieces = generator.generate(
        answer_prompt(question.text, [item]),
        grammar=restate_grammar(item.number),
        max_tokens=settings.answer_tokens,
        deadline_s=clock.left(settings),
        cancel=cancel,
    )
    yield from _settled(pieces, statements, question, [item], clock)


def _settled(
    pieces: Iterator[str],
    before: Sequence[Statement],
    question: Question,
    evidence: Sequence[Evidence],
    clock: Clock,
) -> Iterator[list[Statement]]:
    settled = list(before)
    seen: set[str] = set()
    for words, made in stream_drafts(pieces, [e.number for e in evidence]):
        clock.mark("first_word_s")
        number = len(settled) + 1
        if made is None:
            yield [*settled, Statement(number, words, (), State.CHECKING)]
            continue
        if made.text in seen:
            continue
        seen.add(made.text)
        settled.append(settle(number, made, evidence, question))
        if settled[-1].state is State.SUPPORTED:
            clock.mark("first_settled_s")
        yield list(settled)
    yield list(settled)
