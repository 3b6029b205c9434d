"""The question: what it fixes (years, dates, numbers, quoted words, names) and the kind of thing it asks for.

Pure: rules over English words, no model. It does not know whether an article answers; it says what an answer would
have to agree with, and what a sentence leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from rag.dates import agree, find_dates, resolve
from rag.names import canonical, find_names, is_place_name, same_name, same_word
from rag.quantities import (
    CLOCK,
    COUNT,
    MONEY_UNITS,
    ORDINAL,
    PERCENT,
    SCORE,
    SECONDS,
    Quantity,
    find_quantities,
    is_plural,
    same_noun,
    singular,
)
from rag.schema import Article, PartialDate, Precision, Span
from rag.text import POINTING, content_words, fold, plain, sentences, words


class Kind(StrEnum):
    """The kind of thing that a question asks for."""

    DURATION = "duration"
    COUNT = "count"  # a number of things, or a measure that is no duration, sum or share
    MONEY = "money"
    PERCENT = "percent"
    DATE = "date"
    TIME = "time"  # of day
    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    REASON = "reason"
    YES_NO = "yes-no"
    QUOTE = "quote"
    LIST = "list"
    SUMMARY = "summary"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is understood.

    `years` and `dates` are fixed by it ("in 2024", "on July 10"); `before` and `after` only bound ("before July", "since
    2023"), `latest` asks for the newest. `counted` is the singular of what "how many" counts, "" elsewhere. `quoted`
    are the words in quotation marks, `names` the names as written, `content` the stems that carry meaning. `parts` are
    the questions of a question that asks for several things, empty for a single one.
    """

    text: str
    kind: Kind
    years: tuple[int, ...] = ()
    dates: tuple[PartialDate, ...] = ()
    numbers: tuple[Quantity, ...] = ()
    quoted: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    latest: bool = False
    before: PartialDate | None = None
    after: PartialDate | None = None
    counted: str = ""
    parts: tuple[str, ...] = ()


_AUXILIARY = (
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must|isn't|aren't|wasn't"
    r"|weren't|don't|doesn't|didn't|hasn't|haven't|hadn't|can't|couldn't|won't|wouldn't|shouldn't)"
)
_LENGTHY = (  # things whose "how long" is a length in space
    r"(?:river|bridge|road|wall|tunnel|canal|border|coast|coastline|track|street|route|railway|pipeline|fence|ship|cable"
    r"|wing|tail|beach|highway|queue|table|rope|snake|island|valley|lake)s?"
)
_PERSONS = (
    r"(?:person|people|man|men|woman|women|president|minister|leader|official|diplomat|politician|author|writer|actor"
    r"|actress|singer|artist|player|scientist|king|queen|emperor|general|officer|judge|lawyer|governor|senator|mayor"
    r"|founder|ceo|director|envoy|ambassador|spokes(?:man|woman|person)|secretary|chancellor|pope|inventor|candidate"
    r"|coach|journalist|philosopher|composer|physicist|chemist|poet|explorer|commander)s?"
)
_PLACES = (
    r"(?:country|countries|city|cities|town|place|state|village|region|location|venue|continent|province|capital|island"
    r"|county|district|street|building|hotel|airport|river|ocean|sea|area|neighbou?rhood|site|port|nation)s?"
)
_ORGANISATIONS = (
    r"(?:company|companies|firm|organi[sz]ation|agency|agencies|party|bank|university|newspaper|outlet|publisher|team"
    r"|club|group|ministry|institution|institute|court|union|alliance|network|channel|council|committee|body|source"
    r"|news (?:agency|site)|magazine|airline|school|college|corporation|association|church|army|studio|label)s?"
)
_TIME_WORDS = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centuries)"
_MONEY_WORDS = r"(?:dollars?|euros?|pounds?|yen|yuan|roubles?|rubles?|rupees?|cents?)"
_WH = r"(?:how|what|who|whom|whose|when|where|why|which)"
_LEAD = r"^(?:(?:so|and|but|then|also|please|in|on|at|for|to|from|by|of|with|during|until|since|under|about)[ ,]+)*"

# The first pattern that matches decides; specific ones go first.
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (Kind.SUMMARY, r"\b(?:summari[sz]e|summary|overview|tell me (?:more )?about|sum up)\b"),
        (
            Kind.SUMMARY,
            r"\bwhat (?:does|do|did) (?:the |this |that )?(?:article|articles|report|text|piece)s?\b.*\bsay",
        ),
        (
            Kind.SUMMARY,
            r"\bwhat (?:is|was|are) (?:the |this |that )?(?:article|articles|story|piece)s?\b.*\babout",
        ),
        (
            Kind.COUNT,
            rf"\bhow long (?:is|was|are|were) (?:the |a |this |its )?(?:[\w-]+ ){{0,3}}{_LENGTHY}\b",
        ),
        (
            Kind.DURATION,
            rf"\bhow long\b|\bhow much time\b|\bhow many (?:\w+ )?{_TIME_WORDS}\b|\bwhat length of time\b",
        ),
        (Kind.DURATION, r"\b(?:what|which) (?:is|was|were|are) the (?:\w+ )?(?:duration|length) of\b"),
        (Kind.DURATION, r"\b(?:what|which|give)\b.*\b(?:duration|length of time)\b"),
        (
            Kind.PERCENT,
            r"\b(?:what|which|how many|how much) (?:\w+ )?(?:percent|per cent|percentage|proportion|%|share of)",
        ),
        (
            Kind.PERCENT,
            r"\b(?:what|which) (?:is|was|were|are) the (?:\w+ )?(?:percentage|proportion|share|rate) of\b",
        ),
        (Kind.MONEY, rf"\bhow (?:much|many) (?:\w+ )?(?:money|{_MONEY_WORDS})\b"),
        (
            Kind.MONEY,
            r"\bhow much\b.*\b(?:costs?|paid|pay|pays|worth|spends?|spent|earns?|earned|sells?|sold for|price|owe|owed|raise"
            r"|raised|invest(?:ed)?|fined|charged?|donated?|budget|revenue|profit|salary|fee|fees|loan|buy|bought)\b",
        ),
        (
            Kind.MONEY,
            r"\bwhat (?:is|was|were|are|did)?\s?(?:the )?(?:\w+ ){0,2}(?:price|cost|fee|budget|revenue|salary|fine|net worth"
            r"|market value|ransom|wage)\b",
        ),
        (Kind.TIME, r"\b(?:what|which) time\b|\bwhat (?:hour|o'clock)\b|\bwhen exactly\b.*\btime of day\b"),
        (
            Kind.DATE,
            rf"{_LEAD}when\b|\b(?:what|which) (?:\w+ )?(?:date|day|year|month|decade|century|weekday)\b",
        ),
        (Kind.DATE, r"\bsince when\b|\buntil when\b|\bwhat (?:is|was|were) the (?:\w+ )?date\b"),
        (
            Kind.REASON,
            rf"{_LEAD}why\b|\bhow come\b|\bwhat (?:is|was|were|are) the (?:\w+ )?(?:reason|cause|motive)s?\b",
        ),
        (Kind.REASON, r"\b(?:for )?(?:what|which) reasons?\b|\bwhat (?:caused|led to|prompted|motivated)\b"),
        (
            Kind.COUNT,
            r"\bhow (?:many|much|far|tall|high|deep|wide|heavy|fast|big|large|old|hot|cold|strong|loud|steep)\b",
        ),
        (
            Kind.COUNT,
            r"\bwhat (?:is|was|were|are) the (?:\w+ ){0,2}(?:number|population|total|height|weight|distance|speed|age|size|area"
            r"|temperature|score|toll)\b",
        ),
        (
            Kind.LIST,
            r"^(?:please )?(?:list|name|enumerate)\b|^(?:give|tell) (?:me )?(?:a |the )?(?:list|names) of\b",
        ),
        (
            Kind.QUOTE,
            r"\b(?:what|how) (?:did|does|do|has|have) [^?]*\b(?:say|said|call|describe|characteri[sz]e|comment|respond"
            r"|reply|tell|state|claim|promise|warn|announce)\b",
        ),
        (
            Kind.QUOTE,
            r"\bin (?:what|which|whose|his|her|their) (?:own )?words\b|\bwhat (?:word|words|quote|phrase|term)s?\b",
        ),
        (Kind.PERSON, rf"{_LEAD}(?:who|whom|whose|who's)\b|\b(?:which|what) (?:\w+ ){{0,2}}{_PERSONS}\b"),
        (Kind.PERSON, rf"\bwhat (?:is|was|were) the names? of (?:the |a )?(?:\w+ ){{0,2}}{_PERSONS}\b"),
        (Kind.PLACE, rf"{_LEAD}where\b|\b(?:which|what) (?:\w+ ){{0,2}}{_PLACES}\b"),
        (Kind.ORGANISATION, rf"\b(?:which|what) (?:\w+ ){{0,2}}{_ORGANISATIONS}\b"),
        (
            Kind.LIST,
            r"\b(?:what|which) (?:are|were) (?:the |some |all )?(?:\w+ ){0,3}\w+s\b|\bwhich (?:\w+ )?\w+(?:ies|es|s)\b",
        ),
        (Kind.YES_NO, rf"^(?:(?:so|and|but|then|also)[ ,]+)?{_AUXILIARY}\b|\bis it true\b|\btrue or false\b"),
        (Kind.SUMMARY, r"^what (?:happened|is happening|has happened|do we know)\b"),
    )
)
_YES_NO_LEAD = re.compile(rf"^(?:(?:so|and|but|then|also)[ ,]+)?{_AUXILIARY}\b")

_LATEST = re.compile(
    r"\b(?:latest|newest|most recent(?:ly)?|current(?:ly)?|at present|right now|as of now|so far)\b"
)
_BOUND = re.compile(
    r"\b(?P<word>before|prior to|until|till|up to|no later than|after|since|following|from)\s+(?:the )?"
    r"(?:(?:end|start|beginning|middle) of )?(?:early |mid |late )?$"
)
_BEFORE_WORDS = frozenset({"before", "prior to", "until", "till", "up to", "no later than"})
_QUOTED = re.compile(r"[“\"„«]([^“”\"„«»]{2,200})[”\"“»]|(?<!\w)[‘']([^‘’']{3,200})[’'](?!\w)")
_COUNTED = re.compile(
    r"\bhow many (?:(?:more|fewer|other|different|new|of the|of)\s)*((?:[\w'-]+\s){0,4})", re.IGNORECASE
)
_STOP_COUNTED = re.compile(
    rf"^(?:{_AUXILIARY}|in|on|at|of|for|to|from|with|by|who|that|which|there|and|or|than|per|took|take|made|make|got|get)$"
)


def _kind_of_choice(text: str) -> Kind | None:
    """The kind of thing that "Was it 50 minutes or 60 minutes?" wants; None where nothing measured is to be chosen."""
    found = find_quantities(text)
    pair = next(
        (b for a, b in pairwise(found) if re.fullmatch(r",? or ", text[a.span.end : b.span.start])), None
    )
    if pair is None:
        return None
    kinds = (Kind.DURATION, Kind.PERCENT, Kind.MONEY, Kind.TIME, Kind.COUNT)
    return next((k for k in kinds if _of_kind(k, pair)), None)


def kind_of(text: str) -> Kind:
    """The kind of thing that `text` asks for; `OTHER` where no pattern of English questions decides."""
    folded = fold(text).strip(" ?!.")
    # a yes/no question stays one whatever it contains: "Did he say when it ends?"
    if _YES_NO_LEAD.search(folded) and not re.match(r"^(?:can|could|will|would) you\b", folded):
        return _kind_of_choice(text) or Kind.YES_NO
    for kind, pattern in _KINDS:
        if pattern.search(folded):
            return kind
    return Kind.OTHER


_NUMBER_OF = re.compile(
    r"\bwhat (?:is|was|were|are) the (?:\w+ ){0,2}?(?:(?P<whole>population|attendance|death toll|toll)\b|number of (?P<thing>(?:[\w'-]+ ){1,3}))",
    re.IGNORECASE,
)


def _counted(text: str) -> str:
    found = _COUNTED.search(text + " ")
    if not found:
        named = _NUMBER_OF.search(text + " ")
        if named is None:
            return ""
        if named.group("whole"):
            return named.group("whole").split()[-1].casefold()
        return next((singular(w) for w in named.group("thing").split() if is_plural(w)), "")
    noun = ""
    for word in found.group(1).split():
        if _STOP_COUNTED.match(word.casefold()):
            break
        noun = word
        if is_plural(word):
            break
    return singular(noun) if noun else ""


def _parts(text: str) -> tuple[str, ...]:
    """The single questions of one that asks for several things; empty for a single one."""
    pieces = [p.strip() for p in re.split(r"(?<=\?)\s+", text) if p.strip(" ?")]
    if len(pieces) > 1 and all(re.search(rf"\b{_WH}\b|^{_AUXILIARY}\b", p.casefold()) for p in pieces):
        return tuple(pieces)
    # "When and where did they meet?"
    pair = re.match(
        rf"^({_WH})(?: exactly)?,? and (?:also )?(?:in |at |on )?({_WH}(?: (?:long|many|much))?)\b(.*)$",
        text,
        re.I | re.S,
    )
    if pair:
        rest = pair.group(3)
        return (f"{pair.group(1)}{rest}", f"{pair.group(2)[0].upper()}{pair.group(2)[1:]}{rest}")
    # "How many drones and how many missiles were used?", "Who met whom, and what did they say?"
    halves = re.match(rf"^(.+?),? and ((?:in |at |on |for |to |by )?{_WH}\b.+)$", text, re.I | re.S)
    if not halves or not re.match(rf"^(?:\w+ )?{_WH}\b", halves.group(1), re.I):
        return ()
    first, second = halves.group(1).strip(), halves.group(2).strip()
    aux = re.compile(rf"\b{_AUXILIARY}\b", re.I)
    if not aux.search(first):
        tail = aux.search(second)
        if tail is None or len(first.split()) > 6:
            return () if tail is None else (f"{first}?", f"{second[0].upper()}{second[1:]}")
        first = f"{first} {second[tail.start() :].rstrip('?')}"
    return (f"{first.rstrip('?')}?", f"{second[0].upper()}{second[1:]}")


_MARKED = re.compile(r"\?[”\"’')]*$")


def core(text: str) -> str:
    """What is asked, without what stands around it: "I run a shop. Where is the fair?" asks where the fair is. The whole
    text where no sentence of it ends in a question mark, or where the question points back to the others."""
    text = plain(text)
    pieces = [text[s.start : s.end] for s in sentences(text)]
    asking = [p for p in pieces if _MARKED.search(p)]
    if not asking or len(asking) == len(pieces):
        return text
    question = " ".join(asking)
    asked = words(question)
    if len(asked) < _SELF_CONTAINED or POINTING & set(asked) or not find_names(question):
        return text
    return question


_SELF_CONTAINED = 4  # words; a shorter question leans on what was said before it


@lru_cache(maxsize=512)
def understand(text: str) -> Question:
    """What `text` fixes and asks for. Names are seen by their capitals: a question in lower case fixes none."""
    text = plain(text)
    years: list[int] = []
    dates: list[PartialDate] = []
    before: PartialDate | None = None
    after: PartialDate | None = None
    mentions = find_dates(text)
    for mention in mentions:
        if mention.date is None:
            continue
        bound = _BOUND.search(text[: mention.span.start].casefold())
        if bound and bound.group("word") in _BEFORE_WORDS:
            before = mention.date
        elif bound:
            after = mention.date
        else:
            dates.append(mention.date)
            if mention.date.year is not None:
                years.append(mention.date.year)
    # a year that counts nothing is one, whatever stands around it: "the 2024 summit"
    for found in re.finditer(r"(?<![\w.,$€£-])(?:1[5-9]\d\d|20\d\d)(?![\w%]|[.,]\d)", text):
        inside = any(m.span.start <= found.start() < m.span.end for m in mentions)
        if not inside and not any(q.span.start <= found.start() < q.span.end for q in find_quantities(text)):
            years.append(int(found.group()))
            dates.append(PartialDate(int(found.group())))
    spans = [m.span for m in mentions]
    numbers = tuple(
        q
        for q in find_quantities(text)
        if not any(s.start < q.span.end and q.span.start < s.end for s in spans)
        and q.text.casefold() != "one"
    )
    quoted = tuple(plain(m.group(1) or m.group(2)) for m in _QUOTED.finditer(text))
    parts = _parts(text)
    return Question(
        text=text,
        kind=kind_of(parts[0] if parts else text),
        years=tuple(dict.fromkeys(years)),
        dates=tuple(dict.fromkeys(dates)),
        numbers=numbers,
        quoted=quoted,
        names=tuple(dict.fromkeys(n.text for n in find_names(text) if n.sure)),
        content=tuple(dict.fromkeys(content_words(text))),
        latest=_LATEST.search(fold(text)) is not None,
        before=before,
        after=after,
        counted=_counted(text),
        parts=parts,
    )


def recapitalise(text: str, passages: Sequence[str]) -> str:
    """A question typed without capitals, with those that the passages write: "when is rubio meeting wang yi".

    A lower-case word gets a capital when the passages never write it without one inside a sentence, or when it is the
    name of a country. A lower-case word that they do not have, and that is one slip away from such a name or another
    spelling of it, is written as they do: "kellog". What they write both ways stays as it is.
    """
    wanted = {w for w in re.findall(r"\b[^\W\d_]+\b", text) if w.islower() and content_words(w)}
    written: dict[str, set[str]] = {}
    for passage in passages:
        for match in re.finditer(r"(?<=[^\W_][\s,;-])[^\W\d_]+\b", passage):
            written.setdefault(match.group().casefold(), set()).add(match.group())
    names = {w: forms for w, forms in written.items() if all(not f[0].islower() for f in forms)}
    for word in sorted(wanted):
        if word in written:
            forms = names.get(word, set())
        elif is_place_name(word):
            forms = {word.capitalize()}
        else:
            forms = {
                f
                for name, known in names.items()
                for f in known
                if same_word(word, name) or (min(len(word), len(name)) >= _LONG and _one_slip(word, name))
            }
        if not forms:
            continue
        form = sorted(forms, key=lambda f: (f.isupper(), f))[0]
        text = re.sub(rf"\b{re.escape(word)}\b", form, text)
    return text


# --- the kind of thing, in a sentence -------------------------------------------------------------------------------

_HUMAN_ROLE = re.compile(
    r"\b(?:president|minister|premier|chancellor|secretary|king|queen|emperor|prince|princess|pope|governor|senator|mayor"
    r"|judge|general|officer|officials?|diplomats?|leaders?|spokes(?:man|woman|person)|chief|envoy|ambassador|director"
    r"|chairman|ceo|founder|police|soldiers?|troops|man|woman|men|women|people|children|boy|girl|father|mother|son"
    r"|daughter|brother|sister|wife|husband|doctors?|teachers?|students?|scientists?|researchers?|voters|citizens"
    r"|residents|players?|coach|analysts?|experts?|authorities|government|army|\w+(?:ists|ians|eers))\b"
)
_SPEECH = re.compile(
    r"[“”\"«»]|\b(?:said|says|say|told|tells|called|calls|described|describes|added|stated|noted|claimed|warned|announced"
    r"|insisted|argued|replied|wrote|asked|according to|characteri[sz]ed|emphasi[sz]ed|stressed|confirmed|declared"
    r"|explained|expressed|commented|reported|reiterated|promised|acknowledged|remarked|suggested|hinted|voiced)\b",
    re.IGNORECASE,
)
_RELATIVE_DATE = re.compile(
    r"\b(?:\d{4}s|centur(?:y|ies)|decades?|spring|summer|autumn|fall|winter|\d+ ?(?:BCE?|AD|CE)|recently|later|earlier|ago"
    r"|since|after|before|during|when|once|until|while|anniversary|christmas|easter|ramadan|\d{3,4})\b",
    re.IGNORECASE,
)
_PLACE_PHRASE = re.compile(
    r"\b(?:in|at|near|from|to|inside|outside|through|across|around|between|along|into|throughout|on|over|off|within) "
    r"(?:the |a |an |its |his |their |her )?[a-z]{3,}",
    re.IGNORECASE,
)
_FEW = re.compile(
    r"\b(?:no|none|several|many|few|dozens|hundreds|thousands|millions|once|twice|single|both|pair|couple)\b"
)


def _of_kind(kind: Kind, quantity: Quantity) -> bool:
    match kind:
        case Kind.DURATION:
            return quantity.unit == SECONDS
        case Kind.PERCENT:
            return quantity.unit in (PERCENT, "point")
        case Kind.MONEY:
            return quantity.unit in MONEY_UNITS or quantity.unit.endswith("-dollar")
        case Kind.TIME:
            return quantity.unit == CLOCK
        case Kind.COUNT:
            return quantity.unit not in (ORDINAL, CLOCK)
        case _:
            return False


def values(kind: Kind, text: str) -> list[str]:
    """The phrases of `text` that are of `kind`, in text order; empty for kinds that are no phrase (reason, list ...).

    A bare number after a duration, sum or share, in brackets or after "or", takes its unit: "about 50 minutes (some
    sources estimate 60)" gives "about 50 minutes" and "60 minutes".
    """
    if kind in (Kind.DURATION, Kind.PERCENT, Kind.MONEY, Kind.TIME, Kind.COUNT):
        found: list[str] = []
        last: Quantity | None = None
        for quantity in find_quantities(text):
            if (
                kind is Kind.COUNT
                and quantity.unit == SECONDS
                and re.match(r"-?\s?old\b", text[quantity.span.end :])
            ):
                found.append(quantity.text)
            elif kind is Kind.DURATION and re.match(r"[-‑ ]old\b", text[quantity.span.end :]):
                continue  # an age
            elif _of_kind(kind, quantity) and not (kind is Kind.COUNT and quantity.unit == SECONDS):
                found.append(quantity.text)
                last = quantity
            elif quantity.bare and last is not None and _is_alternative(text, last, quantity):
                written = re.search(r"[^\W\d_]+$|%$", last.text)
                if written:
                    found.append(
                        f"{quantity.text} {written.group()}s"
                        if "-" in last.text
                        else f"{quantity.text} {written.group()}"
                    )
        return found
    if kind is Kind.DATE:
        return [text[m.span.start : m.span.end] for m in find_dates(text)]
    if kind in (Kind.PERSON, Kind.PLACE, Kind.ORGANISATION):
        names = [n.text for n in find_names(text)]
        if kind is Kind.PERSON:
            return [n for n in names if not is_place_name(n)]
        return names
    return []


def _is_alternative(text: str, first: Quantity, second: Quantity) -> bool:
    between = text[first.span.end : second.span.start].casefold()
    return len(between) < 60 and bool(
        re.match(r"\s*[(,]?\s*(?:or|and|though|but|while|others|some|even|perhaps|to)\b", between)
    )


def holds_kind(kind: Kind, sentence: str, counted: str = "") -> bool:
    """Whether `sentence` holds the kind of thing asked for; `counted` is what "how many" counts.

    Kinds that any sentence can answer (reason, yes/no, list, summary, other) are always held.
    """
    match kind:
        case Kind.DURATION | Kind.PERCENT | Kind.MONEY:
            if values(kind, sentence):
                return True
            if kind is Kind.PERCENT:
                return (
                    re.search(r"\b(?:half|majority|all|none|third|quarter|most)\b", sentence, re.I)
                    is not None
                )
            if kind is Kind.DURATION:  # "from 1914 to 1918", "until 1945", "all night"
                years = len(re.findall(r"\b\d{4}\b", sentence))
                return (
                    years >= 2
                    or re.search(
                        r"\b(?:until|since|overnight|all (?:day|night)|brief(?:ly)?|weeks|months|years|decades|hours|days|minutes"
                        r"|centuries|generations?|lifetime|for life|indefinitely|permanently)\b",
                        sentence,
                        re.I,
                    )
                    is not None
                )
            return False
        case Kind.TIME:
            return (
                bool(values(kind, sentence))
                or re.search(
                    r"\b(?:morning|afternoon|evening|night|dawn|dusk|noon|midnight|o'clock|overnight|sunrise|sunset)\b",
                    sentence,
                    re.I,
                )
                is not None
            )
        case Kind.COUNT:
            found = [q for q in find_quantities(sentence) if _of_kind(kind, q)]
            if counted == "time" and _TIMES.search(sentence):
                return True
            if counted:
                found = [q for q in found if not _estimates_other(q, sentence)]
                return (
                    any(_counts(q, counted, sentence) for q in found)
                    or _FEW.search(sentence.casefold()) is not None
                )
            return bool(found) or any(w.isdigit() for w in words(sentence))
        case Kind.DATE:
            return bool(find_dates(sentence)) or _RELATIVE_DATE.search(sentence) is not None
        case Kind.PERSON:
            return bool(find_names(sentence)) or _HUMAN_ROLE.search(sentence.casefold()) is not None
        case Kind.PLACE:
            return bool(find_names(sentence)) or _PLACE_PHRASE.search(sentence) is not None
        case Kind.ORGANISATION:
            return (
                bool(find_names(sentence))
                or re.search(rf"\b{_ORGANISATIONS}\b", sentence.casefold()) is not None
            )
        case Kind.QUOTE:
            return _SPEECH.search(sentence) is not None
        case _:
            return True


_NAME_WANTED = re.compile(
    r"\bnames? of\b|\bwhat (?:is|was|are|were) .{0,40}\b(?:called|named)\b|\bwhose name\b"
)


_SEVERAL = re.compile(
    r"\b(?:who|what|which) (?:are|were|have|all|else)\b"
    r"|\b(?:list|names|examples?|some|any|several|kinds?|types?|attend\w*|among|both|two|three|four|five)\b"
)
_THING = re.compile(
    rf"\b(?:what|which|whose) (?!{_AUXILIARY}\b)(?P<first>[\w-]+)(?: (?P<second>[\w-]+))?", re.IGNORECASE
)
_ADJECTIVE = re.compile(r"^[A-Z]|(?:ian|ean|ish|al|ous|ern|ive|ic|er|est|ed|ing|ese)$")


def asks_for_one(question: Question) -> bool:
    """Whether a question wants one thing and no several: "Who wrote it?", not "Which countries took part?"."""
    if question.parts or _SEVERAL.search(fold(question.text)):
        return False
    thing = _THING.search(question.text)
    if thing is None:
        return True
    first, second = thing.group("first"), thing.group("second") or ""
    return not (is_plural(first) or (_ADJECTIVE.search(first) is not None and is_plural(second)))


def is_asked(name: str, question: Question) -> bool:
    """Whether a name is one that the question gives, a hyphened pair where it gives both."""
    parts = [p for p in re.split(r"[-–—‑/]", name) if p]
    return all(any(same_name(p, a) for a in question.names) for p in (parts if len(parts) > 1 else [name]))


def offers(question: Question, sentence: str) -> bool:
    """Whether a sentence holds the kind of thing asked for, beside what the question itself gives: a person that it
    does not name, an organisation that it does not name."""
    kind = question.kind
    if not holds_kind(kind, sentence, question.counted):
        return False
    if kind not in (Kind.PERSON, Kind.ORGANISATION):
        return True
    if any(
        not is_asked(n.text, question) and not (kind is Kind.PERSON and is_place_name(n.text))
        for n in find_names(sentence)
    ):
        return True
    if _NAME_WANTED.search(fold(question.text)):
        return False
    given = {singular(w) for w in words(question.text)}
    return holds_kind(kind, " ".join(w for w in words(sentence) if singular(w) not in given and w.islower()))


_TIMES = re.compile(
    r"\b(?:once|twice|thrice|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|times?)\b",
    re.IGNORECASE,
)


def _estimates_other(quantity: Quantity, sentence: str) -> bool:
    """Whether a bare number is one more estimate of a measure before it: "50 minutes (some sources estimate 60)"."""
    return quantity.bare and any(
        q.unit != COUNT and q.span.end <= quantity.span.start and _is_alternative(sentence, q, quantity)
        for q in find_quantities(sentence)
    )


_OF_PEOPLE = frozenset(("population", "attendance", "toll"))


def _counts(quantity: Quantity, counted: str, sentence: str) -> bool:
    """Whether a number can be a number of `counted`: same noun, no noun, or another word for it in the sentence."""
    if counted in _OF_PEOPLE:
        return quantity.unit == COUNT
    if quantity.unit not in (COUNT, SCORE):
        # "how many kilometres", "how many people" answered by a share of them
        return quantity.unit == PERCENT or counted in quantity.text.casefold()
    if same_noun(quantity.noun, counted):
        return True
    others = {q.noun for q in find_quantities(sentence) if q is not quantity}
    stem = content_words(counted)
    return counted not in others and bool(set(stem) & set(content_words(sentence)))


# --- what a sentence leaves open ------------------------------------------------------------------------------------

# "Why did X refuse?" presumes a refusal: a sentence without any denial in it does not agree.
_REFUSAL = re.compile(
    r"\b(?:refus(?:e|es|ed|ing|al)|reject(?:s|ed|ing|ion)?|declin(?:e|es|ed|ing) to|den(?:y|ies|ied|ying)|cancel(?:s|led|ed|ling)?"
    r"|boycott(?:s|ed|ing)?|fail(?:s|ed|ing)? to|walk(?:ed)? out|resign(?:s|ed|ing|ation)?|call(?:ed)? off)\b"
)
_DENIED = re.compile(
    rf"{_REFUSAL.pattern}|\b(?:not|never|no|none|neither|nor|without|cannot|unable|unwilling|declin\w+|withdr\w+|quit|ruled out"
    r"|postpon\w+|dismiss\w+|failure|oppos\w+|object\w*|stepp?(?:ed)? down|abandon\w*|scrapp?\w*|against|hardly|rather than"
    r"|instead of|lack\w*|ban\w*|block\w*|resist\w*)\b|n't\b"
)
_NEARBY_SENTENCES = 3  # how far back a "he" or "the meeting" usually looks
_TOPIC_MENTIONS = 3  # a name so often in an article is what it is about


@lru_cache(maxsize=256)
def _years(body: str) -> frozenset[int]:
    return frozenset(m.date.year for m in find_dates(body) if m.date is not None and m.date.year is not None)


@lru_cache(maxsize=256)
def _body_names(body: str) -> tuple[str, ...]:
    return tuple(n.text for n in find_names(body))


@lru_cache(maxsize=256)
def _sentences(body: str) -> tuple[Span, ...]:
    return tuple(sentences(body))


_LINKS = frozenset(("of", "the", "and"))


def _misspelt(name: str, text: str) -> bool:
    """Whether `text` has every word of a name, long ones with one letter more, less, changed or swapped: what a reader
    mistypes. Not for countries, which lie that close together."""
    if is_place_name(name):
        return False
    own = words(text)
    wanted = [w for w in words(name) if w not in _LINKS]
    return any(len(w) >= _LONG for w in wanted) and all(
        any(w == o or same_word(w, o) or (min(len(w), len(o)) >= _LONG and _one_slip(w, o)) for o in own)
        for w in wanted
    )


_LONG = 6  # letters; shorter words are one slip away from others


def _one_slip(a: str, b: str) -> bool:
    """Damerau-Levenshtein distance of exactly 1, the first letter kept."""
    if a[0] != b[0] or abs(len(a) - len(b)) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    swapped = rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:]
    return rest_a[1:] == rest_b or rest_a == rest_b[1:] or rest_a[1:] == rest_b[1:] or swapped


def has_name(name: str, text: str) -> bool:
    """Whether `text` mentions `name`, in any spelling or form that `same_name` accepts, hyphened pairs by their parts."""
    if any(same_name(name, n.text) for n in find_names(text)):
        return True
    own = words(text)
    parts = [w for w in re.split(r"[\s–—‑-]+", name) if len(w) > 1]
    if len(parts) > 1 and re.search(r"[–—‑-]", name):
        return all(has_name(part, text) for part in parts)
    wanted = [w for w in words(name) if w not in _LINKS]
    return bool(wanted) and all(any(w == o or same_word(w, o) for o in own) for w in wanted)


def topic_text(article: Article, sentence_text: str) -> str:
    """The text that says what a sentence is about: title, first sentence, the sentences ahead of it."""
    spans = _sentences(article.body)
    title = article.title.value if article.title else ""
    place = article.body.find(sentence_text)
    if place < 0 or not spans:
        return title
    position = next((i for i, s in enumerate(spans) if s.start <= place < s.end), 0)
    near = [article.body[s.start : s.end] for s in spans[max(0, position - _NEARBY_SENTENCES) : position]]
    return "\n".join([title, article.body[spans[0].start : spans[0].end], *near])


def unmet(question: Question, sentence_text: str, context_text: str, article: Article) -> tuple[str, ...]:
    """What the question fixes that a sentence does not agree with, each in words that fit "speaks of ...".

    Names are looked for in the sentence, its context, the title, the article's first sentence and the few sentences
    ahead; a name that the article mentions often is what it is about. Years are compared with the dates of the sentence
    (weekdays and relative words resolved against the article's date), then of the article. What is contradicted and not
    merely absent says so: "2023 (but of 2024)".
    """
    about = f"{sentence_text}\n{context_text}"
    missing: list[str] = []
    wider = ""
    for name in question.names:
        if has_name(name, about):
            continue
        wider = wider or topic_text(article, sentence_text)
        if has_name(name, wider) or _misspelt(name, f"{about}\n{wider}"):
            continue
        if _only_qualifies(name, question.text):
            continue
        if article.publisher and same_name(name, article.publisher.value):
            continue
        if sum(same_name(name, n) for n in _body_names(article.body)) >= _TOPIC_MENTIONS:
            continue
        missing.append(name)
    missing += _unmet_offices(question, sentence_text)
    missing += _unmet_dates(question, about, article)
    presumed = _REFUSAL.search(fold(question.text))
    if presumed and question.kind is not Kind.YES_NO and not _DENIED.search(fold(about)):
        missing.append(f"“{presumed.group()}”")
    for text in question.quoted:
        if fold(text) not in fold(about) and not set(content_words(text)) <= set(content_words(about)):
            missing.append(f"“{text}”")
    return tuple(missing)


_OFFICE = (
    r"(?:(?:vice |deputy |prime |foreign |defen[cs]e |finance |interior )*(?:president|minister|premier|chancellor|secretary"
    r"|king|queen|pope|governor|senator|mayor|ambassador|envoy|spokes(?:man|woman|person)|ceo|chief executive|chairman"
    r"|chairwoman|director|founder|coach|captain|leader|head|counterpart))"
)
_OFFICE_AFTER = re.compile(rf"(?:'s|’s|s'|s’)?\s+(?:[\w-]+\s+){{0,2}}?(?P<office>{_OFFICE})\b", re.IGNORECASE)
_OFFICE_BEFORE = re.compile(rf"\b(?P<office>{_OFFICE})\s+(?:of|for|at|in|to)\s+(?:the\s+)?$", re.IGNORECASE)


def _offices(text: str) -> list[tuple[str, str]]:
    """(whose, office) pairs: "Russia's foreign minister", "the president of France", "Malaysian officials" not."""
    found = []
    for name in find_names(text):
        after = _OFFICE_AFTER.match(text, name.span.end)
        before = _OFFICE_BEFORE.search(text[: name.span.start])
        for match in (after, before):
            if match:
                found.append((name.text, fold(match.group("office"))))
    return found


_WHO_HOLDS = re.compile(
    rf"^who(?:’s|'s| is| was) (?:the )?(?:current |present )?(?:.{{2,40}}?(?:['’]s?)? )?{_OFFICE}(?: (?:of|for|at|in) (?:the )?.{{2,40}}?)?$",
    re.IGNORECASE,
)


def office_holder(question: Question, sentence_text: str) -> str:
    """Who holds the office that "Who is the president of Russia?" asks for, as a sentence titles him: "Russian President
    Vladimir Putin", "Vladimir Putin, the Russian president"; "" where it does not."""
    text = question.text.strip(" ?.!")
    wanted = _offices(text)
    if not _WHO_HOLDS.match(text) or len(wanted) != 1 or len(question.names) != 1:
        return ""
    whose, office = wanted[0]
    for name in find_names(sentence_text):
        if is_place_name(name.text) or same_name(name.text, whose):
            continue
        before = sentence_text[: name.span.start]
        after = sentence_text[name.span.end :]
        for other in find_names(sentence_text):
            if not same_name(other.text, whose):
                continue
            titled = re.fullmatch(rf"(?:['’]s?)? {office} ", before[other.span.end :].casefold())
            follows = name.span.end < other.span.start and re.fullmatch(
                rf", (?:the |who is the )?(?:{office} of (?:the )?)?",
                after[: other.span.start - name.span.end].casefold(),
            )
            behind = re.match(rf"(?:['’]s?)? {office}\b", sentence_text[other.span.end :].casefold())
            ahead = office in after[: max(0, other.span.start - name.span.end)].casefold()
            if titled or (follows and (behind or ahead)):
                return name.text
    return ""


def _unmet_offices(question: Question, sentence_text: str) -> list[str]:
    """Offices that the question ties to a name ("the president of Russia") where the sentence has the name and the
    office, but not that name's: "President Smith on Russia"."""
    if not _WHO_HOLDS.match(question.text.strip(" ?.!")):
        return []  # "President Zelenskiy" may well be the Ukrainian president; asked who he is, it has to be said
    missing = []
    held: list[tuple[str, str]] | None = None
    for whose, office in _offices(question.text):
        last = office.split()[-1]
        if not re.search(rf"\b{last}\b", fold(sentence_text)) or not has_name(whose, sentence_text):
            continue
        held = _offices(sentence_text) if held is None else held
        if not any(o.split()[-1] in (last, "counterpart") and same_name(whose, w) for w, o in held):
            missing.append(f"the {office} of {whose}")
    return missing


def _only_qualifies(name: str, text: str) -> bool:
    """Whether a name is an adjective of origin ("the English title", "Irish cities"), which answers seldom repeat;
    before an office it tells whose ("the French president") and is fixed."""
    known = canonical(name)
    if not known or fold(name).replace(".", "") in (
        known,
        "us",
        "uk",
        "eu",
        "un",
        "usa",
        "kiev",
        "britain",
        "america",
    ):
        return False
    after = re.match(r"(?:[\s-]+[\w'-]+){0,3}", text[text.find(name) + len(name) :])
    return after is None or _HUMAN_ROLE.search(after.group().casefold()) is None


def _unmet_dates(question: Question, about: str, article: Article) -> list[str]:
    published = article.published.date if article.published else None
    stated: list[PartialDate] = []
    for mention in find_dates(about):
        meant = resolve(mention, published)
        if meant is not None:
            stated.append(meant[0])
        elif mention.date is not None:
            stated.append(mention.date)
    missing = []
    for wanted in question.dates:
        verdicts = [(d, agree(wanted, d)) for d in stated]
        if wanted.precision is Precision.YEAR:
            known = {d.year for d in stated if d.year is not None}
            if wanted.year in known or re.search(rf"\b{wanted.year}\b", about):
                continue
            if known:
                missing.append(f"{wanted} (but of {', '.join(str(y) for y in sorted(known))})")
            elif published is not None and published.year is not None:
                if published.year != wanted.year and wanted.year not in _years(article.body):
                    missing.append(f"{wanted} (the article is of {published.year})")
            elif wanted.year not in _years(article.body):
                missing.append(str(wanted))
            continue
        if any(v for _, v in verdicts) or (published is not None and agree(wanted, published)):
            continue
        against = [str(d) for d, v in verdicts if v is False]
        missing.append(f"{wanted} (but of {', '.join(dict.fromkeys(against))})" if against else str(wanted))
    return missing
