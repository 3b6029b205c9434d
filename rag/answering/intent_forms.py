"""Intent forms: how it is asked what the text of the articles does not answer: thanks, which articles there are, and the like.

Only a whole sentence of a known form counts, so that no question to the articles is lost here. This module knows words, not
articles; `rag.answering.intents` answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rag.text.language import is_english
from rag.text.words import POINTING, plain, words


class Intent(StrEnum):
    """What is wanted instead of an answer from the text."""

    GREETING = "greeting"
    THANKS = "thanks"
    ABILITY = "ability"  # what can be asked
    LANGUAGE = "language"  # a question that is not in English
    COUNT = "count"  # how many articles
    OVERVIEW = "overview"  # what they are about
    LIST = "list"  # which there are, of `subject` where it is set
    PUBLISHERS = "publishers"
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


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_GREETINGS = _words("hi hello hey hiya howdy greetings morning afternoon evening hallo hola bonjour ciao")
_GREETING = _GREETINGS | _words("good day there everyone all again to you dear citewire how are doing today")
_THANKS = _words("thanks thank thx ty cheers bye goodbye danke merci gracias")
_OKAY = _words("ok okay good great perfect cool understood nice alright wonderful excellent got")
_THANKING = (
    _THANKS
    | _OKAY
    | _words(
        "you u no yes very much so a lot many it that this is was helps helped helpful for your the help answer all"
    )
)

# One form a line, of which a whole question must be one; names in braces are those of `_PARTS`.
_PARTS = {
    "articles": r"(?:news )?articles",
    "held": r"(?:(?:news )?articles|documents|texts|files|sources)",  # only beside "you" and "your"
    "your": r"(?:the|these|those|your|my|all(?: of)?(?: the| these| your| my)?)",
    "here": r"(?: (?:in total|in all|altogether|here|now|in here"
    r"|(?:in|of) (?:the|this|your) (?:index|corpus|collection|folder|library|archive)))*",
    "by": r"(?:from|by|published by)",
    "of": r"(?:from|by|of|on|in|dated|published (?:by|on|in))",
    "which": r"(?:which|what|how many)",
    "mention": r"(?:mentions?|names?|contains?|includes?|refers? to|speaks? of|talks? (?:about|of)|writes? (?:about|of)"
    r"|cites?|says? (?:anything|something) about|(?:have|has) the (?:words?|phrase|name))",
    "list": r"(?:list|show|show me|find|give me|display)(?: a list of)?",
    "summarise": r"(?:summari[sz]e|sum up|(?:give me |write |make )?(?:a|the) (?:short |brief )?summary of)",
    "x": r"(?P<subject>.+?)",
}
_FORMS = {
    Intent.ABILITY: """
help(?: me)?|/help
what can you (?:do|answer|tell me)(?: for me)?
what (?:(?:kind of )?questions )?(?:can|may|could|should) i ask(?: you)?
(?:who|what) are you|what is your name|what do you do|how (?:do|can) i use (?:this|you)
are you (?:an? )?(?:ai|bot|robot|machine|human|real)
""",
    Intent.COUNT: """
how many {held} (?:do|have|can) you (?:have|got|hold|know|know of|read|see|use|search|access){here}
how many {held} you (?:have|know|hold){here}
how many {articles} (?:are there|there are|exist|are (?:indexed|available|loaded|stored|known)|are(?= in| here)){here}
(?:what is )?the (?:total )?number of {articles}{here}
count (?:the|your|all|all the) {articles}
""",
    Intent.OVERVIEW: """
what (?:are|is) {your} {held} (?:all )?about
what {your} {held} are (?:all )?about
what do {your} {held} (?:say|cover|tell(?: me)?|tell of|talk about|deal with|discuss|report)
(?:what|which) (?:topics|subjects|themes|events) do {your} {held} (?:cover|discuss|deal with|talk about|tell of)
what(?: is|['’]s) (?:in )?(?:this|the|your) (?:corpus|collection|index|library|archive)(?: of articles)?(?: about)?
(?:{summarise}|describe|tell me about|(?:give me )?an overview of) (?:{your} {held}|everything|them all)
what do you know|what(?: is|['’]s) (?:in )?the news(?: about)?
summar(?:y|i[sz]e)|overview|give me (?:a summary|an overview)
""",
    Intent.PUBLISHERS: """
{which} (?:publishers|newspapers|outlets) (?:are there|do you have|have you){here}
who published {your} {articles}
""",
    Intent.LIST: """
{which} {articles} (?:are there|do you have|have you(?: got)?|exist|are (?:indexed|available|known)){here}(?: {by} {x})?
{list}(?: {your})? {articles}(?:{here}| {by} {x})
(?:list|show me|give me|what are) the titles(?: of {your} {articles})?
when were {your} {articles} published
""",
    Intent.MENTIONS: """
{which}(?: of)?(?: {your})? {articles} (?:that |do )?{mention} {x}
{list}(?: {your})? {articles} (?:that|which) {mention} {x}
do any(?: of)?(?: {your})? {articles} {mention} {x}
(?:are|is) there (?:any |an )?(?:news )?articles? (?:that|which) {mention} {x}
in {which} {articles} (?:is|are) {x} (?:mentioned|named|cited)
in {which} {articles} (?:does|do) {x} (?:appear|occur|come up)
how (?:often|many times) (?:is|are) {x} (?:mentioned|named) in {your} {articles}
""",
    Intent.SUMMARY: """
{summarise} (?:the|an|that|all|all the) (?:news )?articles? {by} {x}
{summarise} (?:the )?{x}['’]s? (?:news )?articles?
""",
}
# Forms that real questions have too: they count only where the catalogue knows what is named.
_PERHAPS = {
    Intent.LIST: """
{which} {articles} (?:are there|do you have|have you(?: got)?|exist) {of} {x}
{list}(?: {your})? {articles} {of} {x}
{which} (?:{articles} (?:are|were)|(?:news )?article (?:is|was)) {of} {x}
""",
    Intent.MENTIONS: """
{which}(?: of)?(?: {your})? {articles} (?:are about|discuss|cover|deal with|report on|are on) {x}
(?:which|what) (?:news )?article (?:{mention}|is about|discusses|covers|deals with|reports on) {x}
(?:are there|is there|do you have|have you got) (?:any |an )?(?:news )?articles? (?:about|on) {x}
""",
    Intent.SUMMARY: r"""
{summarise} (?:the|this|that|your) (?:news )?article
what (?:is|does) (?:the|this|that|your) (?:news )?article (?:about|say)
{summarise} (?:the|an|that|all|all the) (?:news )?articles? {of} {x}
{summarise} (?:the )?{x} (?:news )?articles?
{summarise} (?:the (?:news )?article )?(?P<subject>[“"].+[”"]|\S+\.\w+(?:#\S+)?)
what does the (?:news )?article {of} {x} say
what is the (?:news )?article {of} {x} about
what (?:is|does) {x}['’]s? (?:news )?article (?:about|say)
""",
}


def _patterns(forms: Mapping[Intent, str], certain: bool) -> list[tuple[re.Pattern[str], Intent, bool]]:
    made = []
    for intent, lines in forms.items():
        for line in lines.strip().splitlines():
            for name, part in _PARTS.items():
                line = line.replace(f"{{{name}}}", part)
            made.append((re.compile(line, re.IGNORECASE), intent, certain))
    return made


_PATTERNS = (*_patterns(_FORMS, True), *_patterns(_PERHAPS, False))
_POLITE = re.compile(
    r"(?:(?:please|ok|okay|so|and|now|hi|hello|hey|thanks)[,.!]* )*"
    r"(?:(?:can|could|would|will) you (?:please )?|i(?: would|['’]d) like (?:you )?to (?:know )?|i want to know )?"
    r"(?:please )?(?:tell me,? (?=how|which|what))?",
    re.IGNORECASE,
)


def _small_talk(text: str) -> Intent | None:
    said = set(words(text))
    if not said:
        return Intent.ABILITY  # "???": nothing to look for
    if said & (_THANKS | _OKAY) and said <= _THANKING and ("?" not in text or said & {"thank", "thanks"}):
        return Intent.THANKS
    if said <= _GREETING and (said & _GREETINGS or said >= {"how", "are", "you"} or said == {"good", "day"}):
        return Intent.GREETING
    return None


def recognise(question: str) -> Asked | None:
    """What a question wants of the catalogue; None where it is one to the articles."""
    text = plain(question)
    talk = _small_talk(text)
    if talk is not None:
        return Asked(talk)
    bare = text.rstrip(" ?!.…")
    polite = _POLITE.match(bare)
    bare = bare[polite.end() :] if polite else bare
    bare = re.sub(r",? please$", "", bare, flags=re.IGNORECASE)
    for pattern, intent, certain in _PATTERNS:
        found = pattern.fullmatch(bare)
        if found is None:
            continue
        subject = found.groupdict().get("subject") or ""
        if subject and (not words(subject) or POINTING & set(words(subject))):
            return None  # "... mention him?" is understood from what was said before
        return Asked(intent, subject, certain)
    return None if is_english(text) else Asked(Intent.LANGUAGE)


def is_aside(question: str) -> bool:
    """Whether a later question cannot refer to this one."""
    asked = recognise(question)
    return asked is not None and asked.intent in ASIDES
