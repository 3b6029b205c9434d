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


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_GREETINGS = _words(
    "hi hello hey hiya howdy yo sup greetings morning afternoon evening hallo hola bonjour ciao salut guten"
)
_GREETING = _GREETINGS | _words(
    "good day tag there everyone all again to you dear citewire how are is it's how's going doing today nice meet"
    " what's up it team folks buenos dias"
)
_GREETED = tuple(map(_words, ("how are you", "good day", "what's up", "nice to meet you", "how's it going")))
_THANKS = _words(
    "thanks thank thx ty cheers appreciated appreciate bye goodbye danke merci gracias grazie obrigado"
)
_OKAY = _words(
    "ok okay good great perfect cool understood nice alright wonderful excellent got wow awesome brilliant amazing"
)
_THANKING = (
    _THANKS
    | _OKAY
    | _words(
        "you u no yes very much so a lot many bunch it that this that's is was helps helped helpful for your the help answer job work"
        " all i exactly what needed really mate guys now beaucoup muchas vielen dank"
    )
)

# One form a line, of which a whole question must be one; names in braces are those of `_PARTS`.
_PARTS = {
    "articles": r"(?:news )?articles",
    "held": r"(?:(?:news )?articles|documents|docs|texts|files|sources)",  # only beside "you" and "your"
    "your": r"(?:the|these|those|your|my|all(?: of)?(?: the| these| your| my)?)",
    "here": r"(?: (?:in total|in all|altogether|here|now|in here"
    r"|(?:in|of) (?:the|this|your) (?:index|corpus|collection|folder|library|archive|database|dataset|knowledge base|system)))*",
    "by": r"(?:from|by|published by)",
    "of": r"(?:from|by|of|on|in|dated|published (?:by|on|in))",
    "which": r"(?:which|what|how many)",
    "mention": r"(?:mentions?|names?|contains?|includes?|refers? to|speaks? of|talks? (?:about|of)|writes? (?:about|of)"
    r"|cites?|says? (?:anything|something) about|(?:have|has) the (?:words?|phrase|name))",
    "list": r"(?:list|show|show me|find|give me|display)(?: a list of)?",
    "mentioning": r"(?:mentioning|naming|containing|citing|about|on|regarding|concerning)",
    "new": r"(?P<subject>newest|latest|most recent|oldest|earliest)",
    "summarise": r"(?:summari[sz]e|sum up|recap|brief me on|tl;?dr(?: of)?|(?:give me |write |make )?(?:(?:a|the) )?"
    r"(?:short |brief |quick )?(?:summary|gist|outline|recap|rundown) of)",
    "x": r"(?P<subject>.+?)",
}
_FORMS = {
    Intent.THANKS: """
see you(?: later| soon| tomorrow| around)?|good night|take care|(?:no,? )?that is (?:all|it)(?: for (?:now|today))?
""",
    Intent.ABILITY: """
help(?: me)?|/help
what can you (?:do|answer|tell me)(?: for me)?
what (?:(?:kind of )?questions )?(?:can|may|could|should) i ask(?: you)?
(?:who|what) are you|what is (?:your name|citewire)|(?:which|what) model (?:are you|do you use)|what do you do|how (?:do|can) i use (?:this|you)
are you (?:an? )?(?:ai|bot|robot|machine|human|real|chatgpt|gpt|llm)
how (?:does|do) (?:this|it|you) work|who (?:made|built|created) (?:you|this)
what else can (?:you (?:do|tell me)|i ask)|what (?:can['’]t|cannot|can) you (?:not )?answer
(?:what|which) languages? (?:do|can) you (?:speak|understand|read)|do you (?:speak|understand) \\w+
""",
    Intent.COUNT: """
how many {held} (?:do|have|can) you (?:have|got|hold|know|know of|read|see|use|search|access){here}
how many {held} you (?:have|know|hold){here}
how many (?:news )?(?:articles|docs|documents){here}
how many {articles} (?:are there|there are|exist|are (?:indexed|available|loaded|stored|known)|are(?= in| here)){here}
(?:what is )?(?:the )?(?:total )?number of {articles}{here}
count (?:the|your|all|all the) {articles}
""",
    Intent.OVERVIEW: """
what (?:are|is) {your} {held} (?:all )?about
what {your} {held} are (?:all )?about
what do {your} {held} (?:say|cover|tell(?: me)?|tell of|talk about|deal with|discuss|report)
(?:what|which) (?:topics|subjects|themes|events) do {your} {held} (?:cover|discuss|deal with|talk about|tell of)
what is (?:in )?(?:this|the|your) (?:corpus|collection|index|library|archive)(?: of articles)?(?: about)?
(?:{summarise}|describe|tell me about|(?:give me )?an overview of) (?:{your} {held}|everything|them all|{your} (?:corpus|collection|index|library|archive))
what do you know|what is (?:in )?the news(?: about)?
summar(?:y|i[sz]e)|overview|tl;?dr|give me (?:a summary|an overview|the gist)
(?:what|which) (?:dates|days|period|time(?: period| span| frame)?|years|months) do {your} {held} cover
(?:{summarise}|summari[sz]e) (?:each|every)(?: of {your})? {held}?(?:article|one of them)?(?: in (?:one|a) sentence)?
(?:what|which) (?:topics|subjects|themes|events) (?:do|can) you (?:cover|have|know(?: about)?)
what are (?:the|your) (?:main |key |major )?(?:topics|themes|subjects)(?: of {your} {held})?
(?:what are )?(?:the )?(?:main|key) (?:points|takeaways) of {your} {held}
how (?:recent|old|new) are {your} {held}
(?:(?:the |any )?(?:latest |recent |today['’]s )?)(?:news|headlines)
show me (?:everything|all)(?: you have)?|what do you have|what is new
what(?: is| are) (?:this|all this) (?:all )?about
""",
    Intent.PUBLISHERS: """
{which} (?:publishers|newspapers|outlets|sources) (?:are there|do you have|have you){here}
who published {your} {articles}
{which} (?:sources|publishers|newspapers|outlets|papers) (?:are (?:in )?here|are in {your} (?:index|corpus|collection)|do you (?:use|have))
what are (?:your|the) sources|where do {your} {held} come from|where are {your} {held} from
{list}(?: of)? {your} (?:publishers|sources|newspapers|outlets)
""",
    Intent.AUTHORS: """
who (?:wrote|are the authors of|is the author of) {your} {held}|(?:list|show me|who are) {your} (?:authors|journalists|reporters)
{which} (?:authors|journalists|reporters) (?:are there|do you have|have you){here}
""",
    Intent.NEWEST: """
(?:what|which)(?: (?:news )?articles?| one)? (?:is|are) (?:the )?{new}(?: one)?
(?:what is|what are|which is|which are|show me|find|list|when was) (?:the )?{new} (?:news )?articles?(?: published)?{here}
""",
    Intent.LIST: """
{which} {articles} (?:are there|do you have|have you(?: got)?|exist|are (?:indexed|available|known)){here}(?: {by} {x})?
{list}(?: {your})? {articles}(?:{here}| {by} {x})
(?:list|show me|give me|what are)(?: all)?(?: the)? (?:titles|headlines)(?: of {your} {articles})?
when were {your} {articles} published
(?:are|is) there (?:any |an )?(?:news )?articles? (?:from|by|published by) {x}
(?:any|do you have(?: any| an)?|have you got(?: any| an)?) (?:news )?articles? (?:from|by|published by) {x}
""",
    Intent.MENTIONS: """
{which}(?: of)?(?: {your})? {articles} (?:that |do )?{mention} {x}
{list}(?: {your})? {articles} (?:that|which) {mention} {x}
do any(?: of)?(?: {your})? {articles} {mention} {x}
(?:are|is) there (?:any |an )?(?:news )?articles? (?:that|which) {mention} {x}
in {which} {articles} (?:is|are) {x} (?:mentioned|named|cited)
in {which} {articles} (?:does|do) {x} (?:appear|occur|come up)
how (?:often|many times) (?:is|are) {x} (?:mentioned|named)(?: in {your} {articles})?
how (?:often|many times) (?:do|does) {x} (?:appear|occur|come up) in {your} {articles}
how (?:often|many times) do {your} {articles} {mention} {x}
(?:do|does) {x} (?:appear|occur|come up) in (?:any of )?{your} {articles}
(?:is|are) {x} (?:mentioned|named|cited)(?: anywhere| at all)?(?: in (?:any of )?{your} {articles}| in any article)?
(?:does|do) any(?: of)?(?: {your})? (?:news )?articles? {mention} {x}
count(?: {your})? {articles} (?:that |which )?(?:{mention}|{mentioning}) {x}
(?:find|list|show me|give me|get)(?: all| me)?(?: {your})? {articles} (?:mentioning|naming|containing|citing) {x}
{articles} (?:mentioning|naming|containing|citing) {x}
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
(?:(?:are there|do you have|have you got) )?(?:any )?{articles} {of} {x}
what was published (?:by|on|in) {x}
(?:what is|tell me) the (?:title|date|headline) of the (?:news )?article {of} {x}
when was the (?:news )?article {of} {x} published
{which} (?:{articles} (?:are|were)|(?:news )?article (?:is|was)) {of} {x}
""",
    Intent.MENTIONS: """
{which}(?: of)?(?: {your})? {articles} (?:are about|discuss|cover|deal with|report on|are on) {x}
(?:which|what) (?:news )?article (?:{mention}|is about|discusses|covers|deals with|reports on) {x}
(?:are there|is there|do you have|have you got|any) (?:any |an )?(?:news )?articles? (?:about|on) {x}
{which} {articles} (?:do you have|have you(?: got)?|are there) (?:about|on) {x}
(?:(?:find|list|show me|give me|get)(?: me)? )?(?:{your} )?{articles} (?:about|on|regarding|concerning) {x}
(?:is there|do you (?:know|have)|do {your} {articles} (?:say|have)) (?:anything|something|any information|information) (?:about|on) {x}
(?:is there |do you have )?any news (?:about|on|from) {x}
""",
    Intent.SUMMARY: r"""
{summarise} (?:the |an? )?(?:story|report|piece|coverage) {by} {x}
{summarise} (?:the )?{x}['’]s? (?:story|report|piece|coverage)
(?:tell me about|explain|describe|what is in) (?:the|an) (?:news )?article {of} {x}
what is (?:the )?(?:news )?article (?P<subject>[“"'].+[”"']) about
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
_SHORT_IS = re.compile(r"^((?:no,? )?(?:what|who|which|where|how|when|that))['’]s\b", re.IGNORECASE)
_POLITE = re.compile(
    r"(?:(?:please|ok|okay|so|and|now|(?:hi|hello|hey)(?: there| everyone| all)?|thanks"
    r"|good (?:morning|afternoon|evening|day))[,.!]* )*"
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
    if said <= _GREETING and (said & _GREETINGS or any(said >= form for form in _GREETED)):
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
    bare = _SHORT_IS.sub(r"\1 is", bare)
    for pattern, intent, certain in _PATTERNS:
        found = pattern.fullmatch(bare)
        if found is None:
            continue
        subject = found.groupdict().get("subject") or ""
        if subject and (not words(subject) or POINTING & set(words(subject))):
            return None  # "... mention him?" is understood from what was said before
        return Asked(intent, subject, certain)
    return None if is_english(text) and "¿" not in text else Asked(Intent.LANGUAGE)


def is_aside(question: str) -> bool:
    """Whether a later question cannot refer to this one."""
    asked = recognise(question)
    return asked is not None and asked.intent in ASIDES
