"""Drafting: the generator's lines, each settled against the sentences it cites as soon as it is complete.

It decides nothing about whether to answer; rag/answering.py does.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice

from rag.citations import Draft, stream_drafts
from rag.config import Settings
from rag.errors import GenerationError
from rag.prompts import MAX_SENTENCE_CHARS, NOT_FOUND, answer_grammar, answer_prompt, restate_grammar
from rag.protocols import Cancel, Generator, Watch
from rag.quantities import equal_values, find_quantities, same_quantity
from rag.question import Question
from rag.schema import WHOLE, Evidence, Reason, Stage, State, Statement, Timings, Verdict
from rag.text import plain
from rag.verify import check, resolved_dates

_AN = re.compile(r"\ban $")
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


@dataclass(frozen=True, slots=True)
class Writing:
    """What a draft is written with, and until when."""

    generator: Generator
    settings: Settings
    clock: Clock
    cancel: Cancel
    without: Set[Stage] = WHOLE

    @property
    def most_chars(self) -> int:
        """How much of a piece of evidence the generator reads."""
        return MAX_SENTENCE_CHARS if Stage.SENTENCES not in self.without else self.settings.chunk_chars


def quote(number: int, item: Evidence) -> Statement:
    """A sentence of an article as the statement, with what its "yesterday" and "on Thursday" mean."""
    text = plain(item.text)
    derivation = tuple(dict.fromkeys(resolved_dates(text, item.article)))
    return Statement(number, text, (item.number,), State.QUOTED, Verdict(True, derivation=derivation))


def with_hedges(text: str, source: str) -> str:
    """The text, with "roughly" before each number that the source gives only as about so much: the model likes to drop
    it, and "400" claims more than "roughly 400" says."""
    told = find_quantities(source)
    for quantity in reversed(find_quantities(text)):
        same = [q for q in told if same_quantity(quantity, q) and equal_values(quantity, q)]
        if quantity.approx or not same or any(q.approx != "~" for q in same):
            continue
        before, number = text[: quantity.span.start], text[quantity.span.start :]
        if before:
            text = f"{_AN.sub('a ', before)}roughly {number}"
        else:
            text = f"Roughly {number[0].lower()}{number[1:]}"
    return text


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
                text = with_hedges(draft.text, " ".join(by_number[n].text for n in kept))
                return Statement(number, text, kept, State.SUPPORTED, Verdict(True, derivation=derivation))
    verdict = Verdict(False, Reason.NO_CITATION, "no sentence is cited")
    if cited:
        verdict = check(draft.text, cited[:1], question)
    return Statement(number, draft.text, draft.citations, State.WITHHELD, verdict)


def unchecked(number: int, draft: Draft) -> Statement:
    """A draft believed as it was written."""
    return Statement(number, draft.text, draft.citations, State.SUPPORTED)


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
    writing: Writing,
    decide: Callable[[float], bool],
) -> Iterator[list[Statement]]:
    """The statements as they grow: the last may be in state checking, all before it are settled.

    `decide` is told how likely the generator is to find no answer (a natural logarithm), before it writes; where it
    returns false nothing is written and nothing yielded.
    """
    offered = within_budget(evidence)
    grammar = answer_grammar([e.number for e in offered])
    pieces = _write(question, offered, grammar, writing, Watch(NOT_FOUND, decide))
    yield from _settled(pieces, [], question, evidence, writing)


def restate(
    question: Question,
    item: Evidence,
    statements: Sequence[Statement],
    writing: Writing,
) -> Iterator[list[Statement]]:
    """The second and last attempt: one line from one sentence alone, after the `statements` that failed."""
    pieces = _write(question, [item], restate_grammar(item.number), writing, None)
    yield from _settled(pieces, statements, question, [item], writing)


def _write(
    question: Question, offered: Sequence[Evidence], grammar: str, writing: Writing, watch: Watch | None
) -> Iterator[str]:
    return writing.generator.generate(
        answer_prompt(question.text, offered, writing.most_chars),
        grammar=grammar if Stage.GRAMMAR not in writing.without else "",
        max_tokens=writing.settings.answer_tokens,
        deadline_s=writing.clock.left(writing.settings),
        cancel=writing.cancel,
        watch=watch,
    )


def _settled(
    pieces: Iterator[str],
    before: Sequence[Statement],
    question: Question,
    evidence: Sequence[Evidence],
    writing: Writing,
) -> Iterator[list[Statement]]:
    clock = writing.clock
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
        is_checked = Stage.CHECK not in writing.without
        settled.append(settle(number, made, evidence, question) if is_checked else unchecked(number, made))
        if settled[-1].state is State.SUPPORTED:
            clock.mark("first_settled_s")
        yield list(settled)
    yield list(settled)
