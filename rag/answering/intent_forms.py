"""Intent forms: which questions are none to the text of the articles: thanks, which articles there are, and the like.

A question takes the intent of the nearest of the example sentences in `intents.toml`. The embedder that finds passages says
how near they are. This module knows sentences, not articles; `rag.answering.intents` answers.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError
from rag.protocols import Embedder
from rag.text.language import is_english
from rag.text.words import POINTING, content_words, plain, word_set, words

if TYPE_CHECKING:
    from rag.protocols import Vectors

# Chosen on half of the wordings that were kept apart for it, and on half of the questions of public sets.
LEAST_NEAR = 0.66  # cosine between a question and the nearest example
NAMED_COSTS = 0.12  # of it where both have an X, which brings them nearer whatever they ask
MOST_WORDS = 11  # of a question, its subject counted as one
MOST_NAMED = 6  # words of a subject
KEPT = 256  # questions of which the intent is kept


class Intent(StrEnum):
    """What is wanted instead of an answer from the text."""

    GREETING = "greeting"
    THANKS = "thanks"
    ABILITY = "ability"  # what can be asked
    LANGUAGE = "language"  # a question that is not in English
    COUNT = "count"  # how many articles
    LIST = "list"  # which there are and what they are about, of `subject` where it is set
    PUBLISHERS = "publishers"
    AUTHORS = "authors"
    NEWEST = "newest"  # or the oldest: which, `subject` says
    MENTIONS = "mentions"  # which have the words `subject`
    SUMMARY = "summary"  # the beginning of the article of `subject`


ASIDES = frozenset({Intent.GREETING, Intent.THANKS, Intent.ABILITY, Intent.LANGUAGE, Intent.COUNT})
"""What a later question never refers to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An intent; `subject` is a publisher, a date, a title or a phrase, as it was typed. One that is not `certain` counts
    only where the catalogue knows the subject."""

    intent: Intent
    subject: str = ""
    certain: bool = True


# Small talk that is too short for an embedder to tell.
_GREETING = word_set("hi hello hey hiya howdy greetings morning afternoon evening hallo hola bonjour ciao")
_THANKS = word_set(
    "thanks thank thx cheers bye goodbye danke merci gracias ok okay great perfect cool understood nice good"
)
_OTHER = word_set("you so very much a lot many no yes there everyone all again please now well and mate job")
_SMALL_TALK = _GREETING | _THANKS | _OTHER
_POLITE = re.compile(r"^please |^(?:can|could|would|will) you (?:please )?|,? please(?=\??$)", re.IGNORECASE)
_END = re.compile(r"newest|latest|most recent|oldest|earliest", re.IGNORECASE)
QUOTED_OR_FILE = re.compile(r"(?<!\w)[“\"'‘].+?[”\"'’](?!\w)|\S+\.[a-z]\w+(?:#\S+)?")
_WORD = re.compile(r"(?P<word>\w[\w.-]*(?:['’](?!s?\b)\w+)?)(?:['’]s?\b)?")
_NOUN_BEFORE = re.compile(r"(?:\bthe (?P<beside>\w+)|(?P<joined>\w+) (?:of|in|for|and|or)(?: the)?) $")
_NOUN_BEHIND = re.compile(r"['’]s (\w+)")
_X = re.compile(r"\bX\b")
# What is left of a question beside its subject speaks of the collection, else it is a question to the text.
_COLLECTION = re.compile(
    r"\b(?:news|articles?|documents?|texts?|files?|stor(?:y|ies)|pieces?|reports?|coverage|published|mentioned|you"
    r"|anything|something|sum\w*)\b",
    re.IGNORECASE,
)


@cache
def _examples() -> tuple[tuple[str, Asked | None], ...]:
    """Sentences and what they ask for; None for questions to the text."""
    listed = tomllib.loads(Path(__file__).with_name("intents.toml").read_text(encoding="utf-8"))
    return tuple(
        (text, None if name == "text" else Asked(Intent(name), certain=kind == "examples"))
        for name, kinds in listed.items()
        for kind, texts in kinds.items()
        for text in texts
    )


@cache
def _known(is_named: bool) -> frozenset[str]:
    """The stems of the words by which the catalogue is asked: in the sentences with an X, or in all."""
    texts = (t for t, asked in _examples() if asked and (_X.search(t) or not is_named))
    return frozenset(content_words(_X.sub("", " ".join(texts)))) | {"you", "your"}


class Recogniser:
    """Tells what is no question to the text. Threads may share it; the examples are embedded at the first need."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        # the questions of a conversation are looked at again with each new one
        self._nearest = lru_cache(KEPT)(self._find_nearest)

    def recognise(self, question: str) -> Asked | None:
        """What a question wants of the catalogue; None where it is one to the articles, or nothing can embed it."""
        text = plain(question)
        said = set(words(text))
        if not said:
            return Asked(Intent.ABILITY)  # "???": nothing to look for
        if said <= _SMALL_TALK and said & (_GREETING | _THANKS) and "?" not in text:
            return Asked(Intent.GREETING if said & _GREETING else Intent.THANKS)
        if "¿" in text or not is_english(text):
            return Asked(Intent.LANGUAGE)
        if len(said) > MOST_WORDS + MOST_NAMED or not _known(False) & (said | set(content_words(text))):
            return None  # without embedding it
        with suppress(ModelError):  # told when the question is embedded to search for it
            return self._nearest(_bare(text))
        return None

    def is_aside(self, question: str) -> bool:
        """Whether a later question cannot refer to this one."""
        return (asked := self.recognise(question)) is not None and asked.intent in ASIDES

    @cached_property
    def vectors(self) -> Vectors:
        """Of the examples, shape (examples, dimension)."""
        return self._embedder.encode([text for text, _ in _examples()])

    def _find_nearest(self, bare: str) -> Asked | None:
        """What the nearest example asks for; the subject is what stands in the place of its X."""
        masked, subject = _masked(bare)
        near = self.vectors @ self._embedder.encode([bare, masked] if masked else [bare]).T
        near[:, 1:] -= NAMED_COSTS
        cosine, column, asked = max(
            (
                (float(row[column]), column, asked)
                for row, (text, asked) in zip(near, _examples(), strict=True)
                for column in range(len(row))
                if asked is None or (_X.search(text) is not None) == column
            ),
            key=itemgetter(0),
        )
        if asked is None or cosine < LEAST_NEAR:
            return None
        if asked.intent is Intent.NEWEST:
            end = _END.search(bare)
            return replace(asked, subject=end.group() if end else "newest")
        return replace(asked, subject=subject) if column else asked


def _bare(text: str) -> str:
    """A question without what is said out of courtesy."""
    bare = text.rstrip(" .!…")
    opening = re.match(r"[^,.!]+[,.!]+ +", bare)
    if opening and set(words(opening.group())) <= _SMALL_TALK:
        bare = bare[opening.end() :]
    bare = _POLITE.sub("", bare)
    return bare.lower() if bare.isupper() else bare


def _masked(bare: str) -> tuple[str, str]:
    """A question with X in the place of its subject, and the subject: what is quoted, a file, else the names in it, else the
    words that no example has. Two empty strings where there is none, or nothing else speaks of the collection."""
    quoted = QUOTED_OR_FILE.search(bare)
    start, end = quoted.span() if quoted else _subject_span(bare)
    subject, masked = bare[start:end], f"{bare[:start]}X{bare[end:]}"
    said = set(words(subject))
    if not said or said & POINTING or len(words(masked)) > MOST_WORDS or not _COLLECTION.search(masked):
        return "", ""  # "... mention him?" is understood from what was said before
    return masked, subject


def _subject_span(bare: str) -> tuple[int, int]:
    """From the first name or number to the last, with a noun that belongs to it ("the river Turia", "war in Gaza", "Turkey's
    minister"); without any, of unknown words."""
    found = [m for m in _WORD.finditer(bare) if not re.match(r"I\b", m["word"])]
    unknown = [m for m in found if not set(content_words(m["word"])) <= _known(True)]
    named = [m for m in found if m.start() and (m["word"][0].isupper() or m["word"][0].isdigit())]
    if not named and not unknown:
        return 0, 0
    run = named or unknown
    start, end = run[0].start(), run[-1].end("word")
    nouns = {m.start() for m in unknown} if named else set()
    if (before := _NOUN_BEFORE.search(bare[:start])) and (at := before.start(before.lastgroup or 0)) in nouns:
        start = at
    if (behind := _NOUN_BEHIND.match(bare, end)) and behind.start(1) in nouns:
        end = behind.end(1)
    return (start, end) if len(bare[start:end].split()) <= MOST_NAMED else (0, 0)
