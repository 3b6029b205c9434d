"""What a question took: calls of the model are kept as they were made, and need not be made again."""

from __future__ import annotations

from collections.abc import Iterator

from eval.trace import Call, Trace, Tracing, from_row, peak_of, to_row
from rag.protocols import Prompt, Segment
from tests.fakes import ScriptedGenerator

PROMPT: Prompt = (Segment("Who?"),)


def write(generator: Tracing, grammar: str = "g") -> Iterator[str]:
    return generator.generate(PROMPT, grammar=grammar, max_tokens=9, deadline_s=1, cancel=lambda: False)


def remembered(*, whole: bool) -> dict[str, Call]:
    """One earlier call of the same prompt, to its end or stopped after its first piece."""
    tracing = Tracing(ScriptedGenerator("Anna. [1]"))
    pieces = write(tracing)
    next(pieces)
    if whole:
        list(pieces)
    pieces.close()  # type: ignore[attr-defined]
    return {c.key: c for c in tracing.take()}


def test_what_was_written_is_kept_until_it_is_taken() -> None:
    tracing = Tracing(ScriptedGenerator("Anna. [1]"))
    assert "".join(write(tracing)) == "Anna. [1]"
    (call,) = tracing.take()
    assert (call.text, call.whole, call.recalled) == ("Anna. [1]", True, False)
    assert tracing.take() == ()


def test_a_call_that_was_cut_short_is_not_whole() -> None:
    assert [(c.text, c.whole) for c in remembered(whole=False).values()] == [("Ann", False)]


def test_a_known_call_is_not_made_again_and_says_so() -> None:
    inside = ScriptedGenerator()
    tracing = Tracing(inside, remembered(whole=True))
    assert "".join(write(tracing)) == "Anna. [1]"
    assert inside.prompts == []
    assert [(c.text, c.recalled) for c in tracing.take()] == [("Anna. [1]", True)]


def test_a_call_that_was_cut_short_is_made_again() -> None:
    tracing = Tracing(ScriptedGenerator("Berg. [1]"), remembered(whole=False))
    assert "".join(write(tracing)) == "Berg. [1]"


def test_another_grammar_is_another_call() -> None:
    tracing = Tracing(ScriptedGenerator("Berg. [1]"), remembered(whole=True))
    assert "".join(write(tracing, "other")) == "Berg. [1]"


def test_a_trace_is_read_back_from_its_row_and_from_that_of_an_older_record() -> None:
    trace = Trace(None, (Call("k", "Anna. [1]", True, 300, 9),), 7)
    row = to_row(trace)
    assert from_row(row, {}) == trace
    row["calls"][0]["likelihood"] = -9.0
    assert from_row(row, {}) == trace


def test_a_process_has_held_some_memory() -> None:
    assert peak_of() > 1_000_000
    assert peak_of(2**22 + 1) == 0
