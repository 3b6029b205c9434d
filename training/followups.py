"""Follow-up questions as the reader meets them: the earlier question, what was answered to it, and the new question.

Two questions on one paragraph become a conversation. What the second one shares with the first, or with its answer,
becomes a pronoun, so that only the earlier turn says what is meant. The form is that of `beside` in
`rag/answering/rewriting.py`.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence

from training.maker import Asked, Maker
from training.rewriting import NAME, sentences

TRIES = 5  # pairs of questions drawn from a paragraph
MOST_TOLD = 200  # characters of the earlier answer
ENDS = re.compile(
    r"\s*(?:[?,.;]|(?:in|on|at|of|to|from|for|by|with|and|or|as|after|before|during|about|into)\b)"
)
OPENINGS = ("", "", "", "And ", "But ", "So ")
PRONOUNS = {
    "he": ("he", "his", "him"),
    "she": ("she", "her", "her"),
    "it": ("it", "its", "it"),
    "they": ("they", "their", "them"),
}


def pronoun_of(text: str, name: str, rng: random.Random) -> tuple[str, str, str]:
    """Subject, possessive and object for a name, guessed from the pronouns of its paragraph."""
    counts = {p: len(re.findall(rf"\b(?:{'|'.join(f)})\b", text, re.IGNORECASE)) for p, f in PRONOUNS.items()}
    person = max(("he", "she"), key=lambda p: counts[p])
    if counts[person] > 1 and " " in name:
        return PRONOUNS[person]
    return PRONOUNS["they" if counts["they"] > counts["it"] or rng.random() < 0.3 else "it"]


def pointing(question: str, name: str, forms: tuple[str, str, str]) -> str | None:
    """The question with a pronoun for the name; None where the name is not in it, or is a part of a longer one."""
    match = re.search(rf"(?<![\w-])(?:the )?{re.escape(name)}(['’]s)?(?![\w-])(?! [A-Z])", question)
    if match is None or match.start() == 0:
        return None
    subject = re.search(
        r"\b(?:did|does|do|was|were|is|are|has|have|had|will|would|could|can) $", question[: match.start()]
    )
    if not match[1] and not subject and not ENDS.match(question, match.end()):
        return None  # "the MRI study": a name that describes the next word
    said = forms[1] if match[1] else forms[0] if subject else forms[2]
    return question[: match.start()] + said + question[match.end() :]


def follow_ups(make: Maker, name: str, rows: Sequence[Asked], most: int) -> None:
    """Second questions of a conversation, answered and not, over windows of their paragraph."""
    rng = make.rng
    by_context: dict[str, list[Asked]] = defaultdict(list)
    for row in rows:
        if row.spans and 20 < len(row.question) < 120:
            by_context[row.context].append(row)
    contexts = [c for c, asked in by_context.items() if len(asked) > 1] * TRIES
    made = 0
    for text in rng.sample(contexts, len(contexts)):
        if made >= most:
            return
        first, second = rng.sample(by_context[text], 2)
        if first.answers[0] == second.answers[0]:
            continue
        told = next((text[s:e] for s, e in sentences(text) if s <= first.spans[0][0] < e), "")
        shared = [n for n in NAME.findall(second.question) if n in first.question or n in told[:MOST_TOLD]]
        if not shared:
            continue
        longest = max(shared, key=len)
        asked = pointing(second.question, longest, pronoun_of(text, longest, rng))
        if asked is None:
            continue
        made += 1
        opening = rng.choice(OPENINGS)
        if opening:
            asked = opening + asked[0].lower() + asked[1:]
        earlier = f"{first.question} {told[:MOST_TOLD]}" if rng.random() < 0.8 else first.question
        question = f"{earlier} {asked}"
        at = second.spans[0][0]
        start, end = (0, len(text)) if rng.random() < 0.3 else make.window(text, at, rng.choice((1, 2, 3)))
        inside = [(s - start, e - start) for s, e in second.spans if s >= start and e <= end]
        make.answer(f"{name}, follow-up answered", question, text[start:end], inside, make.head(second.title))
        rest = [text[s:e] for s, e in sentences(text) if not any(a in text[s:e] for a in second.answers)]
        if rest and rng.random() < 0.8:
            # the sentence that answered the first question tempts most
            here = next((i for i, s in enumerate(rest) if s == told), rng.randrange(len(rest)))
            left = rest if rng.random() < 0.4 else rest[max(0, here - 1) : here + 2]
            make.answer(
                f"{name}, follow-up unanswered", question, " ".join(left), [], make.head(second.title)
            )
