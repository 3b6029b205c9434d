"""Polarity: a yes or a no that one sentence proves. Pure; where none does there is no ruling.

That a sentence has every word of what is asked proves nothing: "Ruiz beat Brandt" has those of "Did Brandt beat Ruiz?".
So its words must also stand in the same roles. The head of the claim (subject, verb, object: what stands before its first
preposition) has to be found in that order, or turned into the passive, with only small words between; each phrase with
a preposition behind a preposition of the same sense; and nothing around it may make it planned, supposed, denied or
somebody's word. A no is the same with one part replaced: a denial at the verb, its opposite, another number of the
same thing, another ordinal, another date of what happens once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from rag.dates import agree, find_dates, resolve
from rag.names import Name, canonical, find_names, is_place_name, same_name
from rag.quantities import COUNT, ORDINAL, Quantity, find_quantities, same_noun
from rag.question import Kind, Question, has_name
from rag.schema import Evidence, Reason
from rag.text import content_words, fold, plain
from rag.verify import check, unstated_words

MIN_PARTS = 3  # names and words of meaning, one word at least: fewer make no event
MAX_OBJECT_GAP = 5  # words between verb and object: determiners, titles, adjectives
MAX_CLAIM_WORDS = 25  # of meaning; longer ones say more than one thing
_TAG = re.compile(
    r",?\s*(?:isn't|wasn't|aren't|weren't|didn't|doesn't|right|correct)(?: (?:it|he|she|they|that))?\s*\?*$",
    re.I,
)
_LEAD = re.compile(
    r"^(?:(?:so|and|but|then|also)[ ,]+)?(?:is it true that |is it (?:right|correct) that |"
    r"(?P<aux>is|are|was|were|do|does|did|has|have|had|will|would|can|could|shall|should)(?P<denied>n't| not)? )",
    re.IGNORECASE,
)


def _set(line: str) -> frozenset[str]:
    return frozenset(line.split())


# Wherever one stands, the sentence may tell no fact.
_UNSURE = re.compile(
    r"\b(?:alleg(?:ed(?:ly)?|es|ing|ations?)|reportedly|supposedly|purported(?:ly)?|rumou?r(?:s|ed)?|if|whether|unless|likely"
    r"|possibl[ey]|perhaps|claim(?:s|ed|ing)?|denie[sd]|denying|false(?:ly)?|untrue|fake|hoax|myths?|fiction(?:al)?|accus\w+"
    r"|disput\w+|unclear|theori[sz]\w*|hypothe\w+|legend(?:ary)?)\b|\?",
    re.IGNORECASE,
)
# Before the verb they make it wished, planned or tried.
_IRREAL = _set(
    "to may might could would should will shall can must cannot plan plans planned planning expected scheduled set due "
    "proposed proposal offered threatened vowed promised hope hopes hoped hoping want wants wanted aim aims aimed urged "
    "demand demands demanded asked wish wished doubt doubts doubted believe believes believed fear fears feared suspect "
    "suspects suspected think thinks thought predict predicts predicted suggest suggests suggested attempted attempt tried "
    "seek seeks sought imagine imagined speculated upcoming without instead rather than some few only almost nearly barely"
)
_SAYS = _set(
    "said says say told tells stated states claimed insisted insists argued argues wrote writes noted notes added adds "
    "declared tweeted posted boasted asserted asserts maintained contended recalled joked according"
)
_DENIALS = _set("not never no none nobody nothing neither nor cannot hardly barely scarcely")
_REFUSED = _set("refused refuses refuse failed fails fail declined declines decline")  # with "to" behind it
_LATER = _set("until till unless before yet only just merely simply because immediately enough all alone")
_BE = _set("is are was were be been being am got")
_HAVE = _set("has have had having did does do")
_GAP = (
    _BE
    | _HAVE
    | _set(
        "also then later first finally both all already soon again now once still himself herself itself and a an the his her "
        "its their"
    )
)
_INVERTED = _set("had were should did does do has have")  # "Had Brandt opened it, ...": no fact
_HEADS = _set("a an the its their our this that these those")
_BREAKS = _set(
    "but while whereas although though because which who whom whose that as when where since after before than"
)
_PREPOSITIONS = {
    word: group
    for group in (
        "in at on inside within across throughout during",
        "to into onto toward towards",
        "from",
        "with alongside",
        "against",
        "for",
        "by",
        "after following",
        "before",
        "over about on regarding concerning",
        "under",
        "near outside",
        "between among",
        "through via",
        "until till",
        "since",
        "without",
        "as",
        "than",
        "behind",
        "beyond",
        "despite",
    )
    for word in group.split()
}
_LINKS = frozenset({"of", *_PREPOSITIONS})
# Small words that carry meaning all the same, particles first ("called off").
_TELLING = _set(
    "off out down up over back away again only both all every more most less fewer still already ever same other alone too"
)
_PAST = re.compile(r"(?:ed|[^aeiou]en|own|ung|ught|pt|lt)$")
_PAST_FORMS = _set(
    "met took made went came saw knew found began spoke wrote left led won lost sent spent built sold paid stood sat fell "
    "rose grew flew drove chose broke kept felt became got ran struck shot fought heard meant died said told held gave "
    "taken made gone seen known found begun written sent built sold paid fallen risen grown flown driven chosen broken kept "
    "run struck shot heard held given put set cut hit let shut spread cost quit beat hurt read bid born wore worn drew drawn "
    "threw thrown swore sworn tore torn stole stolen froze frozen sank sunk sang sung swam swum rang shook shaken hid hidden "
    "bit bitten slept swept crept wept dealt bent lent fed fled bled bred sped slid shone hung dug stuck swung spun wound "
    "bound ground laid said lay had became withdrew withdrawn overtook overthrew forgot forgotten forbade forbidden"
)
_UNCHANGED = _set("cut hit put set shut let spread cost quit hurt read bid beat")  # in the past
_STANDING = _set("it there")  # subjects all the same: "Was it the first?"
_SYNONYMS = tuple(
    frozenset(content_words(line))
    for line in (
        "launched fired deployed",
        "wounded injured",
        "bought purchased acquired",
        "began started",
        "ended finished concluded",
        "built constructed",
        "founded established",
        "arrested detained",
        "lay laid",
        "beat beaten",
        "draw drew drawn",
        "withdraw withdrew withdrawn",
        "throw threw thrown",
        "overthrow overthrew overthrown",
        "steal stole stolen",
        "sink sank sunk",
        "hide hid hidden",
        "shake shook shaken",
        "sing sang sung",
        "swear swore sworn",
        "tear tore torn",
        "freeze froze frozen",
        "blow blew blown",
        "forbid forbade forbidden",
        "deal dealt",
        "feed fed",
        "overtake overtook overtaken",
        "undergo underwent",
        "resigned quit",
        "attacked raided",
        "held occurred happened",
    )
)
_MUTUAL = frozenset(content_words("met married wed divorced"))
_ONCE = _set("born die died found founded establish established assassinate assassinated")
_HELD = _set("held hold take took place happen happened occur occurred begin began start started end ended")
_OPPOSITES = tuple(
    (_set(a), _set(b))
    for a, b in (
        ("win won wins", "lose lost loses"),
        ("accept accepted accepts", "reject rejected rejects refused declined"),
        ("approve approved approves", "reject rejected rejects vetoed veto vetoes blocked"),
        ("pass passed passes", "reject rejected rejects"),
        (
            "rise rose rises risen increase increased increases grow grew grows",
            "fall fell falls fallen decrease decreased decreases decline declined drop dropped shrank",
        ),
        ("support supported supports back backed backs", "oppose opposed opposes"),
        ("allow allowed allows permit permitted permits", "ban banned bans forbade prohibited"),
        ("convict convicted convicts", "acquit acquitted acquits"),
        ("confirm confirmed confirms", "deny denied denies"),
        ("survive survived survives", "die died killed"),
        ("succeed succeeded succeeds", "fail failed fails"),
    )
)
_ASIDE = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])")
_PLACED = re.compile(r"\b(?:in|at)\s+(?:the\s+)?$", re.IGNORECASE)
_ORDINALS = re.compile(r"\b(?:first|second|third|fourth|fifth|sixth)\b", re.IGNORECASE)
_PARTIAL = re.compile(
    r"\b(?:another|other|more|further|additional|including|include[sd]?|extra|of (?:them|whom|which))\b", re.I
)
_REPORTED = re.compile(
    r"(?P<who>(?:(?!that\b)[\w.’'-]+ ){1,6}?)(?<!the )(?<!an )(?<!a )(?P<verb>say|said|confirm|confirmed|announce|announced|warn|warned|state|stated|report"
    r"|reported|claim|claimed|admit|admitted|tell|told|promise|promised|acknowledge|acknowledged|predict|predicted|argue|argued"
    r"|insist|insisted|deny|denied|believe|believed|suggest|suggested) (?:that )?(?P<what>.+)$",
    re.IGNORECASE,
)


class Polarity(StrEnum):
    """The answer to a yes/no question."""

    YES = "Yes"
    NO = "No"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A proved answer, the evidence number of the sentence that proves it, and why.

    `polarity` is None where the sentence gives the fact but code cannot tell yes from no: another place than the one
    asked about may lie in it, and what somebody says need not be so.
    """

    polarity: Polarity | None
    number: int
    why: str


def _claim(text: str) -> tuple[str, str, bool] | None:
    """(auxiliary in lower case, "" where there is none; the rest as written; whether it asks for a denial)."""
    text = _TAG.sub("", plain(text)).rstrip(" ?!.")
    lead = _LEAD.match(text)
    if lead is None or not text[lead.end() :]:
        return None
    return (lead.group("aux") or "").casefold(), text[lead.end() :], lead.group("denied") is not None


def proposition(text: str) -> tuple[str, bool] | None:
    """(the claim that a yes/no question asks about, without its auxiliary; whether it asks for its denial); None for
    another question."""
    found = _claim(text)
    return (f"{found[1][:1].upper()}{found[1][1:]}", found[2]) if found else None


def rule(question: Question, evidence: Sequence[Evidence]) -> Ruling | None:
    """What the evidence proves, taking the sentences in their order; None where none proves anything, or where two of
    them prove opposites."""
    if question.kind is not Kind.YES_NO or question.parts:
        return None
    asked = _claim(question.text)
    if asked is None or asked[2] or {"or", *_DENIALS} & {w.low for w in _tokens(asked[1], ())}:
        return None
    rulings = [r for r in (_rule_by(asked[0], asked[1], item) for item in evidence) if r is not None]
    proved = [r for r in rulings if r.polarity is not None] or rulings
    if not proved or any(r.polarity is not proved[0].polarity for r in proved):
        return None
    return proved[0]


def _rule_by(aux: str, claim: str, item: Evidence) -> Ruling | None:
    own = _one_line(_ASIDE.sub(" ", _named(plain(item.text), item)))
    if _UNSURE.search(own) and not _UNSURE.search(claim):
        return None
    names = find_names(f"x {claim}")
    named = {w for n in names for w in content_words(n.text)}
    stems = list(dict.fromkeys(content_words(claim)))
    if not MIN_PARTS <= len(stems) <= MAX_CLAIM_WORDS or all(w in named for w in stems):
        return None
    reported = _REPORTED.match(claim) if aux in ("did", "has", "have", "") else None
    if reported:
        return _rule_report(reported["who"], reported["verb"], reported["what"], claim, own, item)
    for change in _changes(claim, own, item):
        if any(not has_name(n.text, own) for n in find_names(f"x {change.part}")):
            continue
        held = _stands(aux, change, own)
        if held is None:
            continue
        fit, part = held
        if unstated_words(part, item):
            continue
        verdict = check(f"{part[:1].upper()}{part[1:]}", [item])
        if not verdict.supported and not _is_excused(verdict.reason, change, fit):
            continue
        if fit is _Fit.DENIED:
            if change.why:
                continue  # another number, and denied
            return Ruling(Polarity.NO, item.number, "the sentence denies it")
        why = change.why or "the sentence states all that is asked"
        return Ruling(None if fit is _Fit.TOLD else change.polarity, item.number, why)
    return None


def _rule_report(who: str, verb: str, what: str, claim: str, own: str, item: Evidence) -> Ruling | None:
    """ "Did officials confirm that it was open?": the sentence must tell it, and tell it as theirs."""
    said = _tokens(own, find_names(own))
    speaker = [t for t in _tokens(f"x {who}", find_names(f"x {who}"))[1:] if t.stem]
    said_so = _Token(fold(verb), "-".join(content_words(verb)))
    if not speaker or any(t.low in _DENIALS or t.low.endswith("n't") for t in said):
        return None
    is_theirs = any(
        _same(said_so, token)
        and any(
            (places := _run(speaker, said, start, 1))
            and ((places[-1] < i and _is_bridge(said[places[-1] + 1 : i])) or start == i + 1)
            for start in range(max(0, i - 6), min(len(said), i + 2))
        )
        for i, token in enumerate(said)
    )
    modal = re.search(r"\b(?:would|will|was|were|is|are|had|has|have)\b ", what)
    aux = {"would": "will"}.get(modal.group().strip(), modal.group().strip()) if modal else ""
    rest = f"{what[: modal.start()]}{what[modal.end() :]}" if modal else what
    held = _stands(aux, _Change(rest), own) if is_theirs else None
    if (
        held is None
        or held[0] is _Fit.DENIED
        or not check(f"{claim[:1].upper()}{claim[1:]}", [item]).supported
    ):
        return None
    if any(not has_name(n.text, own) for n in find_names(f"x {claim}")) or unstated_words(claim, item):
        return None
    return Ruling(Polarity.YES, item.number, "the sentence has them say it")


def _is_excused(reason: Reason | None, change: _Change, fit: _Fit) -> bool:
    """Whether the check fails for the very thing that makes the no."""
    if fit is _Fit.DENIED:
        return reason is Reason.NEGATION
    return bool(change.why) and reason in (Reason.NUMBER, Reason.MEANING)


def _named(own: str, item: Evidence) -> str:
    """A sentence that opens with "he" or "she", the one name of the sentence ahead put in its place."""
    lead = re.match(r"(?:He|She) ", own)
    if lead is None or not item.context:
        return own
    ahead = plain(" ".join(item.article.body[s.start : s.end] for s in item.context))
    persons = [n.text for n in find_names(ahead) if not is_place_name(n.text)]
    return f"{persons[0]} {own[lead.end() :]}" if len(persons) == 1 else own


# --- what may be replaced -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Change:
    """The claim without one part that the sentence fills otherwise; how it does, and what that proves."""

    part: str
    why: str = ""
    polarity: Polarity | None = Polarity.YES
    opposite: bool = False
    counted: str = ""  # what a replaced number counts; a phrase without it may stand anywhere in the sentence


def _changes(claim: str, own: str, item: Evidence) -> Iterator[_Change]:
    yield _Change(claim)
    for asked in find_quantities(claim):
        other = _other_number(asked, own)
        if other:
            part = f"{claim[: asked.span.start]}{_plural(asked)}{claim[asked.span.end :]}"
            why = f"the sentence says “{other}”, not “{asked.text}”"
            yield _Change(_one_line(part), why, Polarity.NO, counted=_plural(asked).casefold())
    ordinal, stated = _ORDINALS.search(claim), _ORDINALS.findall(own)
    if ordinal and len(stated) == 1 and ordinal.group().casefold() != stated[0].casefold():
        part = claim[: ordinal.start()] + claim[ordinal.end() :]
        yield _Change(
            _one_line(part), f"the sentence says “{stated[0]}”, not “{ordinal.group()}”", Polarity.NO
        )
    yield _Change(claim, "the sentence says the opposite", Polarity.NO, opposite=True)
    yield from _other_dates(claim, own, item)
    yield from _other_places(claim, own)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plural(asked: Quantity) -> str:
    """The counted noun as the question writes it."""
    return asked.text.split()[-1] if asked.noun else ""


def _other_number(asked: Quantity, own: str) -> str:
    """The only number of the same thing in a sentence, where it is not the one asked about; "" elsewhere."""
    if asked.unit == ORDINAL or (asked.unit == COUNT and not asked.noun):
        return ""
    same = [
        q
        for q in find_quantities(own)
        if q.unit == asked.unit and (asked.unit != COUNT or (q.noun and same_noun(q.noun, asked.noun)))
    ]
    if len(same) != 1 or same[0].approx == "vague" or re.match(r"(?:one|an?)\b", same[0].text, re.I):
        return ""
    known = same[0]
    if _PARTIAL.search(own[max(0, known.span.start - 20) : known.span.end + 12]):
        return ""
    if asked.approx == ">":
        differs = known.high < asked.low or (known.high == asked.low and known.approx != ">")
    elif asked.approx == "<":
        differs = known.low > asked.high
    else:
        apart = abs(known.low - asked.low) > 0.1 * max(abs(known.low), abs(asked.low))
        differs = apart if known.approx or asked.approx else known.low != asked.low
        differs = differs and known.approx not in (">", "<")
    return known.text if differs else ""


def _other_dates(claim: str, own: str, item: Evidence) -> Iterator[_Change]:
    """Another date proves a no only of what happens once: a birth, "the meeting" that was held."""
    asked, stated = find_dates(claim), find_dates(own)
    if len(asked) != 1 or len(stated) != 1 or asked[0].date is None:
        return
    published = item.article.published.date if item.article.published else None
    meant = resolve(stated[0], published)
    known = meant[0] if meant else stated[0].date
    if known is None or agree(asked[0].date, known) is not False:
        return
    lows = {w.low for w in _tokens(claim, ())}
    once = bool(lows & _ONCE) or (bool(lows & _HELD) and re.match(r"the\b", claim, re.I) is not None)
    start, end = asked[0].span.start, asked[0].span.end
    lead = re.search(r"\b(?:in|on|at|during)\s+(?:the\s+)?$", claim[:start], re.I)
    part = f"{claim[: lead.start() if lead else start]}{claim[end:]}"
    shown = own[stated[0].span.start : stated[0].span.end]
    why = f"the sentence says “{shown}”, not “{claim[start:end]}”"
    yield _Change(_one_line(part), why, Polarity.NO if once else None)


def _other_places(claim: str, own: str) -> Iterator[_Change]:
    for name in find_names(f"x {claim}"):
        start, end = name.span.start - 2, name.span.end - 2
        lead = _PLACED.search(claim[:start])
        if lead is None or has_name(name.text, own):
            continue
        places = [n for n in find_names(own) if _PLACED.search(own[: n.span.start])]
        if len(places) == 1 and not same_name(places[0].text, name.text):
            why = f"the sentence says “{places[0].text}”, not “{name.text}”"
            yield _Change(_one_line(f"{claim[: lead.start()]} {claim[end:]}"), why, None)


# --- roles ----------------------------------------------------------------------------------------------------------


class _Fit(StrEnum):
    """How a sentence holds a claim."""

    STATED = "stated"
    DENIED = "denied"
    TOLD = "told"  # somebody says so


@dataclass(frozen=True, slots=True)
class _Token:
    low: str  # the word folded, a mark of punctuation, or a whole name
    stem: str = ""  # "" for small words and marks
    name: str = ""
    owner: bool = False  # "Brandt's"


_TOKEN = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*['’]?|[,;:.!?()“”\"—–-]")


def _tokens(text: str, names: Sequence[Name]) -> list[_Token]:
    """Words, names as one token each, and marks, in order; what counts and dates is left out, but for counted nouns."""
    spans = [(n.span.start, n.span.end, n.text) for n in names]
    dates = [d.span for d in find_dates(text)]
    counts = [q for q in find_quantities(text) if q.unit != ORDINAL]
    found: list[_Token] = []
    place = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if start < place:
            continue
        date = next((d for d in dates if d.start <= start < d.end), None)
        if date is not None:
            place = date.end
            found.append(_Token("@"))
            continue
        name = next((n for n in spans if n[0] <= start < n[1]), None)
        if name is not None:
            place = max(name[1], end)
            owner = re.match(r"['’]s?(?!\w)", text[name[1] :]) is not None
            found.append(_Token(fold(name[2]), fold(name[2]), name[2], owner))
            continue
        low = fold(match.group())
        owner = re.search(r"'s?$", low) is not None and len(low) > 2
        low = re.sub(r"'s?$", "", low) or low
        stems = content_words(low)
        quantity = next((q for q in counts if q.span.start <= start < q.span.end), None)
        if quantity is not None and not (
            quantity.noun
            and same_noun(low.rstrip("s"), quantity.noun.rstrip("s"))
            and end >= quantity.span.end
        ):
            continue
        found.append(_Token(low, "-".join(stems), "", owner))
    return found


def _same(a: _Token, b: _Token) -> bool:
    if a.name or b.name:
        return bool(a.name and b.name) and same_name(a.name, b.name) and not _is_longer(a.low, b.low)
    if not a.stem or not b.stem:
        return a.low == b.low and a.low in _STANDING
    return a.stem == b.stem or any(a.stem in g and b.stem in g for g in _SYNONYMS)


_NO_ADVERBS = _set(
    "family supply reply ally rally bully fly apply rely assembly monopoly anomaly comply imply butterfly jelly belly"
)


def _is_adverb(token: _Token) -> bool:
    return token.low.endswith("ly") and not token.name and token.low not in _NO_ADVERBS


_FIRM = _set("inc corp co ltd llc plc ag group")


def _is_longer(a: str, b: str) -> bool:
    """Whether one name goes on where the other ends: "Leeds Castle" is not Leeds, though "Lena Brandt" is Brandt."""
    short, long = sorted((a.split(), b.split()), key=len)
    more = long[len(short) :]
    return bool(more) and long[: len(short)] == short and more[0].strip(".") not in _FIRM


def _is_past(word: str) -> bool:
    return word in _PAST_FORMS or _PAST.search(word) is not None


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A claim: subject, verb (None for "is"), object; then the phrases, each with its preposition; the small words that
    the sentence must have too; whether it has a date."""

    subject: tuple[_Token, ...]
    verb: _Token | None
    object: tuple[_Token, ...]
    phrases: tuple[tuple[str, tuple[_Token, ...]], ...]
    telling: frozenset[str]
    dated: bool


def _parse(aux: str, claim: str, own: Sequence[_Token]) -> _Parsed | None:
    tokens = _tokens(f"x {claim}", find_names(f"x {claim}"))[1:]
    if any(t.low in _BREAKS - {"that"} or t.low in ',;:()"“”' for t in tokens if t.low not in _PREPOSITIONS):
        return None  # more than one clause
    core: list[_Token] = []
    phrases: list[tuple[str, list[_Token]]] = []
    inner: list[tuple[str, list[_Token]]] = []
    found = False
    for token in tokens:
        if token.low in _PREPOSITIONS and not token.name:
            phrases.append((token.low, []))
            continue
        if phrases and phrases[-1][1] and not found and core and _is_verb(aux, token, own):
            inner, phrases, found = phrases, [], True  # "the talks in Leeds ended"
        (phrases[-1][1] if phrases else core).append(token)
        found = found or (len(core) > 1 and _is_verb(aux, token, own))
    phrases = inner + phrases
    heads = [
        t for i, t in enumerate(core) if (t.stem and not _is_adverb(t)) or (not i and t.low in _STANDING)
    ]
    verb = _verb(aux, heads, own)
    if verb is None and aux not in ("is", "are", "was", "were"):
        return None
    if verb == 0:
        return None
    subject = heads[: verb if verb is not None else 1]
    rest = heads[verb + 1 :] if verb is not None else heads[1:]
    if not subject:
        return None
    return _Parsed(
        tuple(subject),
        heads[verb] if verb is not None else None,
        tuple(rest),
        tuple((p, tuple(t for t in held if t.stem)) for p, held in phrases if any(t.stem for t in held)),
        frozenset(t.low for t in tokens if t.low in _TELLING or _is_adverb(t)),
        any(t.low == "@" for t in tokens),
    )


_PARTICIPLE = _set("was were is are has have had")


def _is_verb(aux: str, token: _Token, own: Sequence[_Token]) -> bool:
    """Whether a word of the claim is its verb, by its own form, or by the form that the sentence has of it."""
    if token.name or not token.stem:
        return False
    if aux in _PARTICIPLE:
        return _is_past(token.low) or (aux not in ("has", "have", "had") and token.low.endswith("ing"))
    if not aux:
        return _is_past(token.low)
    for i, other in enumerate(own):
        if other.name or not _same(token, other):
            continue
        ahead = own[i - 1].low if i else ""
        bare = ahead in ("to", "did", "does", "do", "will") or ahead in _DENIALS or ahead.endswith("n't")
        other_form = other.low != token.low and (_is_past(other.low) or aux in ("do", "does"))
        if bare or other_form or token.low in _UNCHANGED:
            return True
    return False


def _verb(aux: str, heads: Sequence[_Token], own: Sequence[_Token]) -> int | None:
    """Which word of the head is the verb: the first behind a name that opens it, else the first that the sentence has
    in a form of the past (or, for "does", another form)."""
    for position, token in enumerate(heads):
        if position and _is_verb(aux, token, own):
            return position
    behind = next((i for i, t in enumerate(heads) if not t.name), 0)
    opens = bool(behind) and not heads[0].owner and not _is_origin(heads[behind - 1].name)
    return behind if opens and aux not in _PARTICIPLE else None


def _is_origin(name: str) -> bool:
    """Whether a name is an adjective ("British"), which a noun follows and no verb."""
    known = canonical(name)
    return (
        known != "" and fold(name) != known and fold(name).endswith(("n", "sh", "ese", "ch", "i", "s", "k"))
    )


def _stands(aux: str, change: _Change, own: str) -> tuple[_Fit, str] | None:
    """How the sentence holds the claim, and the claim with the sentence's own verb; None where it does not."""
    if aux in ("can", "could", "should", "shall", "would"):
        return None
    claim = change.part
    stated = _tokens(own, find_names(own))
    said = _turned(claim, stated) if change.opposite else stated
    parsed = _parse(aux, claim, said) if said is not None else None
    if said is None or parsed is None or not parsed.telling <= {t.low for t in said}:
        return None
    for reading in _readings(parsed):
        for match in _matches(aux, reading, said):
            fit = _judge(aux, reading, said, match)
            phrases = [(p, held) for p, held in reading.phrases if not (match.by and p == "by")]
            stands = all(
                _phrase_stands(p, held, said, match)
                or (
                    bool(change.counted)
                    and all(t.low != change.counted and any(_same(t, other) for other in said) for t in held)
                )
                for p, held in phrases
            )
            if fit is None or not stands:
                continue
            if change.opposite and fit is _Fit.DENIED:
                return None
            verb, theirs = parsed.verb, stated[match.verb]
            if verb is None or verb.stem == theirs.stem:
                return fit, claim
            return fit, re.sub(rf"\b{re.escape(verb.low)}\b", theirs.low, claim, count=1, flags=re.I)
    return None


def _readings(parsed: _Parsed) -> Iterator[_Parsed]:
    """A claim, and the same told from the other side where the verb has two of one kind ("Brandt and Ruiz met")."""
    yield parsed
    if parsed.verb is None or parsed.verb.stem not in _MUTUAL:
        return
    one, other = parsed.subject, parsed.object
    by_with = [held for p, held in parsed.phrases if p == "with"]
    rest = tuple((p, held) for p, held in parsed.phrases if p != "with")
    if not other and len(by_with) == 1:
        other = by_with[0]
    elif not other and len(one) == 2:
        one, other = one[:1], one[1:]
    elif not other or by_with:
        return
    with_other = (*rest, ("with", other)), (*rest, ("with", one))
    yield replace(parsed, subject=one, object=other, phrases=rest)
    yield replace(parsed, subject=one, object=(), phrases=with_other[0])
    yield replace(parsed, subject=(*one, *other), object=(), phrases=rest)
    yield replace(parsed, subject=other, object=one, phrases=rest)
    yield replace(parsed, subject=other, object=(), phrases=with_other[1])
    yield replace(parsed, subject=(*other, *one), object=(), phrases=rest)


def _turned(claim: str, said: list[_Token]) -> list[_Token] | None:
    """The sentence with the opposite of the claim's verb turned into it; None where it has none."""
    lows = {t.low for t in _tokens(claim, ())}
    for left, right in _OPPOSITES:
        for ours, theirs in ((left, right), (right, left)):
            mine = sorted(lows & ours)
            held = [i for i, t in enumerate(said) if t.low in theirs]
            if len(mine) == 1 and len(held) == 1 and not any(t.low in ours for t in said):
                if any(t.low in _DENIALS for t in said):
                    return None
                turned = list(said)
                past = next(
                    (w for w in sorted(ours) if _is_past(w) and content_words(w) == content_words(mine[0])),
                    mine[0],
                )
                low = past if _is_past(said[held[0]].low) else mine[0]
                turned[held[0]] = _Token(low, "-".join(content_words(mine[0])))
                return turned
    return None


@dataclass(frozen=True, slots=True)
class _Match:
    first: int  # token of the sentence with the first word of subject or verb
    verb: int  # token of the verb, or of the form of "to be"
    last: int  # token of the last word matched
    gap: tuple[_Token, ...]  # between subject and verb
    inner: tuple[_Token, ...]  # between verb and object
    by: bool = False  # whether the phrase with "by" is matched


def _run(wanted: Sequence[_Token], said: Sequence[_Token], start: int, reach: int) -> list[int] | None:
    """The places of `wanted` in `said` in order, the first within `reach` of `start`, each next one soon behind."""
    places: list[int] = []
    at = start
    for token in wanted:
        found = next((i for i in range(at, min(len(said), at + reach)) if _same(token, said[i])), None)
        if found is None:
            return None
        places.append(found)
        at = found + 1
        reach = MAX_OBJECT_GAP
    return places


def _matches(aux: str, parsed: _Parsed, said: Sequence[_Token]) -> Iterator[_Match]:
    passive = aux in ("is", "are", "was", "were")
    for start, token in enumerate(said):
        if _same(parsed.subject[0], token):
            subject = _run(parsed.subject, said, start, 1)
            if subject is None:
                continue
            yield from _forward(parsed, said, subject, passive)
        verb = parsed.verb
        if verb is None or not _same(verb, token):
            continue
        turned = None
        if not passive and parsed.object:
            turned = _made_passive(parsed, said, start)
        elif passive and not parsed.object and _is_past(token.low):
            turned = _made_active(parsed, said, start)
        if turned is not None:
            yield turned


def _made_passive(parsed: _Parsed, said: Sequence[_Token], verb: int) -> _Match | None:
    """ "Did Brandt open the bridge?" of "the bridge was opened by Brandt"."""
    agent = _run(parsed.subject, said, verb + 1, MAX_OBJECT_GAP)
    if agent is None or not (verb and said[verb - 1].low in _BE):
        return None
    end = next((i for i in range(verb - 1, -1, -1) if _same(parsed.object[-1], said[i])), None)
    if end is None or said[verb + 1].low != "by" or not _is_close(said[verb + 2 : agent[0]]):
        return None
    head = _run(parsed.object, said, max(0, end - len(parsed.object) - 1), end + 1)
    gap = tuple(said[end + 1 : verb])
    return _Match(head[0], verb, agent[-1], gap, ()) if head and _is_bridge(gap) else None


def _made_active(parsed: _Parsed, said: Sequence[_Token], verb: int) -> _Match | None:
    """ "Was the bridge opened (by Brandt)?" of "Brandt opened the bridge"."""
    patient = _run(parsed.subject, said, verb + 1, MAX_OBJECT_GAP + 1)
    if patient is None or not _is_close(said[verb + 1 : patient[0]]):
        return None
    first, gap = verb, tuple(said[max(0, verb - 3) : verb])
    agent = next((held for p, held in parsed.phrases if p == "by"), None)
    if agent is not None:
        ends = (r for i in range(verb) if (r := _run(agent, said, i, 1)) and r[-1] < verb)
        places = next(ends, None)
        if places is None or not _is_bridge(said[places[-1] + 1 : verb]):
            return None
        first, gap = places[0], tuple(said[places[-1] + 1 : verb])
    if any(t.low in _BE for t in gap[-2:]):
        return None
    inner = tuple(said[verb + 1 : patient[0]])
    return _Match(first, verb, patient[-1], gap, inner, by=agent is not None)


def _forward(
    parsed: _Parsed, said: Sequence[_Token], subject: Sequence[int], passive: bool
) -> Iterator[_Match]:
    after = subject[-1] + 1
    if parsed.verb is None:  # "Is Brandt the mayor?"
        for verb in range(after, min(len(said), after + 4)):
            if said[verb].low in _BE:
                rest = _run(parsed.object, said, verb + 1, MAX_OBJECT_GAP) if parsed.object else [verb]
                between = said[verb + 1 : rest[0]] if rest else ()
                if rest is not None and not any(
                    t.stem and not _ORDINALS.fullmatch(t.low) for t in between
                ):  # a "deputy mayor" is no mayor
                    yield _Match(subject[0], verb, rest[-1], (*said[after:verb], *between), ())
                return
        return
    for verb in range(after, len(said)):
        if said[verb].low in (";", ":"):
            return
        if not _same(parsed.verb, said[verb]):
            continue
        gap = tuple(said[after:verb])
        is_passive = any(t.low in _BE for t in gap[-3:]) and not said[verb].low.endswith("ing")
        if is_passive is not passive and not said[verb].low.endswith("ing"):
            return
        rest = _run(parsed.object, said, verb + 1, MAX_OBJECT_GAP) if parsed.object else [verb]
        if rest is None:
            return
        inner = tuple(said[verb + 1 : rest[0]])
        if _is_bridge(gap) and _is_close(inner):
            yield _Match(subject[0], verb, rest[-1], gap, inner)
        return


def _is_close(gap: Sequence[_Token]) -> bool:
    """Whether only determiners, adjectives and titles stand between a verb and its object."""
    return all(
        t.low not in _PREPOSITIONS
        and t.low not in ',;:()—–"“”'
        and t.low not in _BREAKS
        and not t.owner
        and (not t.name or _is_origin(t.name))
        and t.low != "and"
        and t.low not in _BE
        for t in gap
    )


def _is_relative(gap: Sequence[_Token]) -> bool:
    lows = [t.low for t in gap[:2]]
    return lows[:1] in (["who"], ["which"], ["that"]) or lows in ([",", "who"], [",", "which"])


def _is_bridge(gap: Sequence[_Token]) -> bool:
    """Whether only auxiliaries, adverbs, other subjects and one insertion between commas stand before a verb."""
    left = list(gap)
    if _is_relative(left):
        left = left[1 + (left[0].low == ",") :]
    commas = [i for i, t in enumerate(left) if t.low == ","]
    if len(commas) == 2:
        left = left[: commas[0]] + left[commas[1] + 1 :]
    elif commas:
        return False
    i = 0
    while i < len(left):
        token = left[i]
        if token.low in ("in", "at", "on", "from", "of") and i + 1 < len(left):  # "the talks in Leeds lasted"
            i += 1
            while i < len(left) and (left[i].name or left[i].low in _HEADS or left[i].low == "@"):
                i += 1
            continue
        allowed = (
            token.low in _GAP
            or token.low == "@"
            or token.low in _DENIALS
            or token.low in _REFUSED
            or token.low in ("to", "will")
            or token.low.endswith(("ly", "n't"))
            or (token.name and i and left[i - 1].low in ("and", ","))
        )
        if not allowed:
            return False
        i += 1
    return True


def _judge(aux: str, parsed: _Parsed, said: Sequence[_Token], match: _Match) -> _Fit | None:
    """How the words of a match stand, by what is around them; None where they are another's, or no fact."""
    behind_colon = [i + 1 for i in range(match.first) if said[i].low in (";", ":")]
    lead = said[max(behind_colon, default=0) : match.first]
    if not (_are_its_own(parsed, said, match, lead) and _is_of_the_time(aux, parsed, said, match)):
        return None
    lows, ahead = [t.low for t in match.gap], [t.low for t in lead]
    if any(_denies(w) for w in ahead) or any(_denies(t.low) for t in match.inner):
        return None
    told = _quoted(said, match) or any(w in _SAYS for w in ahead)
    denials = sum(_denies(w) for w in lows) + sum(a in _REFUSED and b == "to" for a, b in pairwise(lows))
    if denials:
        return None if told else _denied(parsed, said, match, lows, ahead, denials)
    if aux == "will":
        if not {"will", "would"} & set(lows):
            return None
        lows = [w for w in lows if w not in ("will", "would")]
    if any(w in _IRREAL for w in (*lows, *ahead[-6:])):
        return None
    return _Fit.TOLD if told or _told_behind(said, match.last) else _Fit.STATED


def _denies(word: str) -> bool:
    return word in _DENIALS or word.endswith("n't")


def _denied(
    parsed: _Parsed, said: Sequence[_Token], match: _Match, lows: list[str], ahead: list[str], denials: int
) -> _Fit | None:
    """A denial of all that is asked: once, not of a part ("not in May", "not fully", "not until"), not wished."""
    elsewhere = sum(_denies(t.low) for t in said) > sum(_denies(w) for w in lows)
    behind = said[match.last + 1].low if match.last + 1 < len(said) else ""
    narrower = (behind in _PREPOSITIONS and not parsed.phrases) or (
        not parsed.dated and any(t.low == "@" for t in said)
    )
    partly = bool(_LATER & {*lows, *(t.low for t in said[match.verb :])}) or any(
        w.endswith("ly") for w in (*lows, behind)
    )
    wished = any(w in _IRREAL - {"to"} for w in lows) or any(w in _IRREAL for w in ahead)
    return None if denials > 1 or elsewhere or narrower or partly or wished else _Fit.DENIED


def _are_its_own(parsed: _Parsed, said: Sequence[_Token], match: _Match, lead: Sequence[_Token]) -> bool:
    """Whether the words matched are subject and object themselves: not "Brandt's deputy", "the deputy of Brandt", "the
    bridge museum"."""
    matched = [i for i in range(match.first, match.last + 1) if said[i].owner]
    if any(i == match.last or i < match.verb for i in matched) and not any(
        t.owner for t in (*parsed.subject, *parsed.object)
    ):
        return False
    led = [t.low for t in lead if t.low not in _HEADS][-1:]
    if match.first != match.verb and led and led[0] in (("of",) if _is_relative(match.gap) else _LINKS):
        return False
    if lead and (lead[-1].low in _INVERTED or (lead[-1].owner and not any(t.owner for t in parsed.subject))):
        return False
    if match.last + 1 == len(said) or match.last == match.verb or said[match.last].name:
        return True
    behind = said[match.last + 1]
    return not behind.stem or bool(behind.name) or _is_past(behind.low) or behind.low.endswith(("ly", "ing"))


def _is_of_the_time(aux: str, parsed: _Parsed, said: Sequence[_Token], match: _Match) -> bool:
    """Whether verb and date are those of the question: "is" is no "was", and one date only, in the clause of the verb."""
    if parsed.dated:
        days = [i for i, t in enumerate(said) if t.low == "@"]
        if len(days) > 1 or _is_relative(match.gap) or not all(_is_near(match, i, i, said) for i in days):
            return False
    verb = said[match.verb].low
    if parsed.verb is None:
        return verb in (("is", "are") if aux in ("is", "are") else ("was", "were"))
    if aux in ("is", "are"):
        return not any(t.low in ("was", "were") for t in match.gap)
    return not (aux in ("do", "does") and _is_past(verb))


def _quoted(said: Sequence[_Token], match: _Match) -> bool:
    return sum(t.low in ("“", '"') for t in said[: match.verb]) > sum(
        t.low == "”" for t in said[: match.verb]
    ) and any(t.low in ("”", '"') for t in said[match.verb :])


def _told_behind(said: Sequence[_Token], last: int) -> bool:
    """Whether a named or pronoun speaker stands behind: ", Brandt said". What officials report is taken as news is."""
    tail = said[last + 1 :]
    for i, token in enumerate(tail):
        if token.low in _SAYS:
            near = tail[max(0, i - 4) : i + 5]
            return any(t.name or t.low in ("he", "she", "they", "it") for t in near)
    return False


def _phrase_stands(preposition: str, held: Sequence[_Token], said: Sequence[_Token], match: _Match) -> bool:
    """Whether a phrase stands in the sentence behind a preposition of the same sense, in the clause of the verb."""
    for start, token in enumerate(said):
        if not _same(held[0], token):
            continue
        places = _run(held, said, start, 1)
        if places is None:
            continue
        lead = [t.low for t in said[max(0, start - 4) : start]]
        led = [w for w in lead if w in _PREPOSITIONS or w in ("of", ",", ";", "and")]
        if not led or led[-1] not in _PREPOSITIONS:
            continue
        if (
            _PREPOSITIONS[led[-1]] != _PREPOSITIONS[preposition]
            and preposition not in _PREPOSITIONS[led[-1]].split()
        ):
            continue
        if _is_near(match, start, places[-1], said) and not said[places[-1]].owner:
            return True
    return False


def _is_near(match: _Match, start: int, end: int, said: Sequence[_Token]) -> bool:
    """Whether what stands from `start` to `end` is in the clause of the verb."""
    ahead = start > match.last
    between = [t.low for t in (said[match.last + 1 : start] if ahead else said[end + 1 : match.first])]
    breaks = sum(w in _BREAKS and w not in _PREPOSITIONS for w in between) + sum(w in ";:" for w in between)
    return not breaks and between.count(",") <= (1 if ahead else 2)
