"""Conversation: a follow-up question becomes one that stands alone, shown to the reader as "Understood as".

Code decides whether a question needs the earlier ones, and where its words leave that open the reader does. A model may
word the rewriting, and code checks that it brought in nothing that was not said. Without a model the earlier question is
put beside the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.answering.question import names
from rag.errors import GenerationError
from rag.models.prompts import REWRITE_GRAMMAR, rewrite_prompt
from rag.protocols import Cancel, Generator
from rag.schema import Turn
from rag.text.sentences import sentences
from rag.text.words import POINTING, content_words, plain, words

_OPENINGS = ("and ", "but ", "so ", "what about ", "how about ", "or ", "also ")
_DEFINITE = frozenset({"the", "this", "that", "these", "those"})
MAX_REWRITE_TOKENS = 48
SHORT_WORDS = 4  # "Where?", "Why not?", "How long?": too short to name what it asks about
MAX_BESIDE_CHARS = 200  # of the earlier answer: its first sentence or two
KEPT_SHARE = 0.5  # of the follow-up's content words must survive its rewriting


def needs_history(question: str, history: Sequence[Turn]) -> bool | None:
    """Whether the question cannot be understood without an earlier turn; None where it may or may not.

    True when it opens like a continuation, points back with a pronoun, or is too short to name its subject. It may when it
    speaks of "the ..." without any name of its own, or has both a name and a pronoun; then a word that was said before
    makes it True.
    """
    if not history:
        return False
    own = words(question)
    if plain(question).casefold().startswith(_OPENINGS):
        return True
    points, named = bool(POINTING & set(own)), bool(names(question))
    if not named and (points or len(own) <= SHORT_WORDS):
        return True
    if not points and (named or not _DEFINITE & set(own)):
        return False
    said = {w for t in history for w in content_words(f"{t.as_understood} {t.answer}")}
    return True if said & (set(content_words(question)) - set(POINTING)) else None


def beside(question: str, history: Sequence[Turn]) -> str:
    """The plain way: the last question that stands alone, the beginning of the last answer, the new question."""
    root = next((t for t in reversed(history) if not _is_beside(t)), history[0])
    answer = _beginning(plain(history[-1].answer))
    return " ".join(filter(None, (plain(root.as_understood), answer, plain(question))))


def _is_beside(turn: Turn) -> bool:
    """Whether a turn was itself understood by putting earlier ones beside it."""
    own = plain(turn.question)
    return plain(turn.as_understood) != own and plain(turn.as_understood).endswith(f" {own}")


def _beginning(answer: str) -> str:
    """The sentences of an answer that fit, or the words of its first one that do."""
    if len(answer) <= MAX_BESIDE_CHARS:
        return answer
    ends = [s.end for s in sentences(answer) if s.end <= MAX_BESIDE_CHARS]
    return answer[: ends[-1]] if ends else answer[:MAX_BESIDE_CHARS].rpartition(" ")[0]


def is_faithful(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    """Whether a rewriting keeps what the follow-up says, adds to it, and adds only words that were said before."""
    said = " ".join([question, *(f"{t.as_understood} {t.answer}" for t in history)])
    kept, own = set(content_words(rewritten)), set(content_words(question)) - set(POINTING)
    if not set(content_words(rewritten)) <= set(content_words(said)):
        return False
    return bool(kept - own) and len(own & kept) >= KEPT_SHARE * len(own)


def stand_alone(
    question: str,
    history: Sequence[Turn],
    generator: Generator | None,
    sureness: Callable[[str], float],
    *,
    deadline_s: float,
    cancel: Cancel,
) -> str:
    """The question as it is understood after `history`; what it asks by itself when it needs none. Where that is open, what
    the articles answer more surely by `sureness`.

    Raises what the generator and `sureness` raise, except that a failed rewriting falls back to the plain way.
    """
    alone = plain(question)
    needed = needs_history(question, history)
    if needed is False:
        return alone
    joined = _rewritten(question, history, generator, deadline_s, cancel) or beside(question, history)
    if needed is None and sureness(alone) > sureness(joined):
        return alone
    return joined


def _rewritten(
    question: str, history: Sequence[Turn], generator: Generator | None, deadline_s: float, cancel: Cancel
) -> str:
    """The follow-up as a model words it; "" without a model, or where its wording cannot be used."""
    if generator is None:
        return ""
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
        return ""
    return rewritten if is_faithful(rewritten, question, history) else ""
