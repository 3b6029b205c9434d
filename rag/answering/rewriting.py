"""Conversation: a follow-up question becomes one that stands alone, shown to the reader as "Understood as".

Code decides whether a question needs the earlier ones; a model may word the rewriting, code checks that it brought in
nothing that was not said, and without a model the earlier question is put beside the new one.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.question import names
from rag.errors import GenerationError
from rag.models.prompts import REWRITE_GRAMMAR, rewrite_prompt
from rag.protocols import Cancel, Generator
from rag.schema import Turn
from rag.text.words import POINTING, content_words, plain, words

_OPENINGS = ("and ", "but ", "so ", "what about ", "how about ", "or ", "also ")
_DEFINITE = frozenset({"the", "this", "that", "these", "those"})
MAX_REWRITE_TOKENS = 48
SHORT_WORDS = 4  # "Where?", "Why not?", "How long?": too short to name what it asks about
MAX_BESIDE_CHARS = 200  # of the earlier answer: its first sentence or two
KEPT_SHARE = 0.5  # of the follow-up's content words must survive its rewriting


def needs_history(question: str, history: Sequence[Turn]) -> bool:
    """Whether the question cannot be understood without an earlier turn.

    True when it opens like a continuation, points back with a pronoun, is too short to name its subject, or speaks of
    "the ..." without any name of its own.
    """
    if not history:
        return False
    lowered = plain(question).casefold()
    own = words(question)
    if lowered.startswith(_OPENINGS) or POINTING & set(own):
        return True
    if names(question):
        return False
    return len(own) <= SHORT_WORDS or bool(_DEFINITE & set(own))


def beside(question: str, last: Turn) -> str:
    """The plain way: the earlier question, the beginning of its answer, the new question."""
    answer = f" {plain(last.answer)[:MAX_BESIDE_CHARS]}" if last.answer else ""
    return f"{plain(last.as_understood)}{answer} {plain(question)}"


def is_faithful(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    """Whether a rewriting keeps what the follow-up says, adds to it, and adds only words that were said before."""
    said = " ".join([question, *(f"{t.as_understood} {t.answer}" for t in history)])
    kept, own = set(content_words(rewritten)), set(content_words(question)) - set(POINTING)
    if not set(content_words(rewritten)) <= set(content_words(said)):
        return False
    return bool(kept - own) and len(own & kept) >= KEPT_SHARE * len(own)


def stand_alone(
    question: str, history: Sequence[Turn], generator: Generator | None, *, deadline_s: float, cancel: Cancel
) -> str:
    """The question as it is understood after `history`; what it asks by itself when it needs none.

    Raises what the generator raises, except that a failed rewriting falls back to the plain way.
    """
    if not needs_history(question, history):
        return plain(question)
    if generator is None:
        return beside(question, history[-1])
    try:
        pieces = generator.generate(
            rewrite_prompt(question, history),
            grammar=REWRITE_GRAMMAR,
            max_tokens=MAX_REWRITE_TOKENS,
            deadline_s=deadline_s,
            cancel=cancel,
        )
        rewritten = plain("".join(pieces))
    except GenerationError:
        return beside(question, history[-1])
    return rewritten if is_faithful(rewritten, question, history) else beside(question, history[-1])
