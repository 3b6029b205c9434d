"""What a question took: calls of the model are kept as they were made, and need not be made again."""

from __future__ import annotations

from collections.abc import Iterator

from eval.trace import Call, Tracing, peak_of
from rag.protocols import Prompt, Segment, Watch
from tests.fakes import ScriptedGenerator

PROMPT: Prompt = (Segment("Who?"),)


def write(generator: Tracing, watch: Watch | None = None) -> Iterator[str]:
    return generator.generate(
        PROMPT, grammar="g", max_tokens=9, deadline_s=1, cancel=lambda: False, watch=watch
    )


def watching(wanted: bool) -> tuple[Watch, list[float]]:
    told: list[float] = []

    def decide(likelihood: float) -> bool:
        told.append(likelihood)
        return wanted

    return Watch("NO", decide), told


def test_what_was_written_is_kept_until_it_is_taken() -> None:
    tracing = Tracing(ScriptedGenerator("Anna. [1]", "Berg. [1]"))
    watch, told = watching(True)
    assert "".join(write(tracing, watch)) == "Anna. [1]"
    assert told == [ScriptedGenerator.doubt]
    (call,) = tracing.take()
    assert (call.text, call.whole, call.likelihood, call.recalled) == ("Anna. [1]", True, -9.0, False)
    assert tracing.take() == ()


def test_a_call_that_was_cut_short_or_forbidden_is_not_whole() -> None:
    tracing = Tracing(ScriptedGenerator("Anna. [1]"))
    pieces = write(tracing)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert [(c.text, c.whole) for c in tracing.take()] == [("Ann", False)]
    watch, _ = watching(False)
    assert list(write(tracing, watch)) == []
    assert [(c.text, c.whole, c.likelihood) for c in tracing.take()] == [("", False, -9.0)]


def remembered(whole: bool) -> dict[str, Call]:
    tracing = Tracing(ScriptedGenerator("Anna. [1]"))
    watch, _ = watching(whole)
    list(write(tracing, watch))
    return {c.key: c for c in tracing.take()}


def test_a_known_call_is_not_made_again_and_says_so() -> None:
    inside = ScriptedGenerator()
    tracing = Tracing(inside, remembered(True))
    watch, told = watching(True)
    assert "".join(write(tracing, watch)) == "Anna. [1]"
    assert inside.prompts == [] and told == [-9.0]
    assert [c.recalled for c in tracing.take()] == [True]
    forbidding, _ = watching(False)
    assert list(write(tracing, forbidding)) == []
    assert [(c.text, c.whole) for c in tracing.take()] == [("", False)]


def test_what_was_never_written_is_asked_for_when_it_may_be() -> None:
    inside = ScriptedGenerator("Berg. [1]")
    tracing = Tracing(inside, remembered(False))
    forbidding, _ = watching(False)
    assert list(write(tracing, forbidding)) == [] and inside.prompts == []
    allowing, _ = watching(True)
    assert "".join(write(tracing, allowing)) == "Berg. [1]"
    assert len(inside.prompts) == 1


def test_another_prompt_or_grammar_is_another_call() -> None:
    inside = ScriptedGenerator("Berg. [1]")
    tracing = Tracing(inside, remembered(True))
    assert "".join(write(tracing)) == "Berg. [1]"  # no watch this time
    assert len(inside.prompts) == 1


def test_a_process_has_held_some_memory() -> None:
    assert peak_of() > 1_000_000
    assert peak_of(2**22 + 1) == 0
