"""The check of one statement against the sentences it cites: numbers, dates, names, negation, speaker and meaning.

Pure and without a model: every rule is one of general English, every failure names its word, and what was derived
(a weekday from an article's date) is recorded. It proves no more than this: the parts of a statement are stated by the
cited text. Whether the parts are joined in the same way is judged only where a rule sees it (who said it, negation,
opposites); a score of meaning computed elsewhere may be passed in. Numbers that are computed from cited numbers are
not supported here: arithmetic that shows its operands is another function's work, which records a derivation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from rag.dates import Mention, agree, find_dates, resolve
from rag.evidence import points_back
from rag.names import Name, canonical, find_names, same_name, same_word
from rag.quantities import (
    COUNT,
    ORDINAL,
    Quantity,
    equal_values,
    find_quantities,
    same_bound,
    same_noun,
    same_unit,
    singular,
)
from rag.question import Kind, Question, has_name, holds_kind, topic_text, unmet
from rag.schema import Article, Evidence, PartialDate, Precision, Reason, Verdict
from rag.text import content_words, fold, plain, words


def _set(line: str) -> frozenset[str]:
    return frozenset(line.split())


NOVEL_SHARE = 0.34  # of a statement's content words may be words that the cited text does not have
TOLD_SHARE = (
    0.5  # of the words that a statement adds to the question may be such words: they are the answer itself
)
NOVEL_WORDS = 1  # so many new words are never too many by themselves
BORROWED_SHARE = (
    0.5  # of a statement's content words may be the question's alone: it asked, it does not testify
)
SUPPORT_FLOOR = 0.5  # of the score passed in: above it new words are taken as a rewording


@dataclass(frozen=True, slots=True)
class _Source:
    """One cited sentence with everything that says what it refers to."""

    article: Article
    own: str  # the sentence
    ahead: str  # its context spans
    facts: str  # the title, publisher and place
    near: str  # the context spans and the facts
    topic: str  # for a sentence that points back ("the meeting"): near, the article's lead and the sentences ahead
    published: PartialDate | None


@dataclass(frozen=True, slots=True)
class _Failure(Exception):
    reason: Reason
    detail: str


@lru_cache(maxsize=1024)
def _source(evidence: Evidence) -> _Source:
    article = evidence.article
    spans = [plain(article.body[s.start : s.end]) for s in evidence.context]
    facts = [plain(f.value) for f in (article.title, article.publisher, article.place) if f is not None]
    own = plain(evidence.text)
    published = article.published.date if article.published else None
    ahead = "\n".join(spans)
    beside = "\n".join(facts)
    near = f"{ahead}\n{beside}"
    topic = f"{near}\n{plain(topic_text(article, evidence.text))}" if points_back(own) else ""
    return _Source(article, own, ahead, beside, near, topic, published)


@lru_cache(maxsize=2048)
def _stems(text: str) -> frozenset[str]:
    return frozenset(content_words(text))


@lru_cache(maxsize=2048)
def _words(text: str) -> tuple[str, ...]:
    return tuple(words(text))


@lru_cache(maxsize=128)
def _body_words(article: Article) -> frozenset[str]:
    title = article.title.value if article.title else ""
    return frozenset(words(f"{title}\n{article.body}"))


# --- numbers --------------------------------------------------------------------------------------------------------

_PAIR = re.compile(
    r"\b(?:both|pair|couple|twin|twins|duo|each other|bilateral|face-to-face|counterparts?|two-way)\b", re.I
)
_UNSPACED = re.compile(r"[^\s\"“”‘«»()\[\]{}]+")


def _noun_fits(stated: Quantity, found: Quantity, text: str) -> bool:
    """Whether a number in `text` counts what the statement says: the same noun, or another word for it that `text` has
    and no other number of it counts ("drone assault: 728 unmanned vehicles")."""
    if same_noun(stated.noun, found.noun):
        return True
    counted = {q.noun for q in find_quantities(text) if q != found}
    return stated.noun not in counted and bool(_stems(stated.noun)) and _stems(stated.noun) <= _stems(text)


def _number_in(stated: Quantity, text: str) -> bool:
    all_found = find_quantities(text)
    for found in all_found:
        # "(some estimate 60)" after "50 minutes" is one of minutes; "the two" is none of anything
        united = any(same_unit(stated, q) for q in all_found if not q.bare)
        if found.bare and stated.unit != COUNT and not united:
            continue
        if not (same_unit(stated, found) and equal_values(stated, found) and _noun_fits(stated, found, text)):
            continue
        if stated.unit == ORDINAL or same_bound(stated, found):
            return True
    if stated.unit != COUNT or stated.low != stated.high:
        return False
    if stated.low == 1 and stated.noun:  # "one man" where the text has "a man"
        article = r"\b(?:an?|the|single|another|his|her|its|their) (?:\w+ ){0,2}"
        return re.search(article + rf"{re.escape(stated.noun)}\b", text, re.IGNORECASE) is not None
    # "the two men" where the text has "both"
    return stated.low == 2 and not any(c.isdigit() for c in stated.text) and _PAIR.search(text) is not None


def _check_numbers(statement: str, dates: Sequence[Mention], sources: Sequence[_Source]) -> Iterator[str]:
    """The derivations used: numbers that only the title or the source line gives."""
    beside = [t for s in sources for t in (s.own, s.ahead)]
    texts = beside + [s.near for s in sources]
    covered = [(d.span.start, d.span.end) for d in dates]
    for stated in find_quantities(statement):
        span = (stated.span.start, stated.span.end)
        if any(s < span[1] and span[0] < e for s, e in covered):
            continue
        covered.append(span)
        if not any(_number_in(stated, text) for text in texts):
            raise _Failure(Reason.NUMBER, _number_detail(stated, [s.own for s in sources]))
        if not any(_number_in(stated, text) for text in beside):
            yield f"“{stated.text}” is in the title of the article"
    known = " ".join(fold(t) for t in texts)
    for found in _UNSPACED.finditer(statement):
        known_value = any(s < found.end() and found.start() < e for s, e in covered)
        if known_value or not any(c.isdigit() for c in found.group()):
            continue
        token = fold(found.group()).strip(".,:;!?'-/&+")
        if not re.search(rf"(?<![\w.,]){re.escape(token)}(?![\w]|[.,]\d)", known):
            raise _Failure(Reason.NUMBER, f"“{found.group()}” is not in the cited text")


def _number_detail(stated: Quantity, texts: Sequence[str]) -> str:
    found = [q for t in texts for q in find_quantities(t) if q.unit == stated.unit]
    equal = [q for q in found if equal_values(q, stated)]
    if equal:
        return f"“{stated.text}”: the cited text says “{equal[0].text}”"
    same = [q for q in found if same_noun(q.noun, stated.noun)]
    return f"“{stated.text}” is not in the cited text" + (f", which says “{same[0].text}”" if same else "")


# --- dates ----------------------------------------------------------------------------------------------------------


def _covers(wanted: PartialDate, known: PartialDate) -> bool:
    """Whether every part of `wanted` is a part of `known`, the weekday of a full date included."""
    if agree(wanted, known) is not True:
        return False
    pairs = [(wanted.year, known.year), (wanted.month, known.month), (wanted.day, known.day)]
    if any(w is not None and k is None for w, k in pairs):
        return False
    full = known.year is not None and known.month is not None and known.day is not None
    return wanted.weekday is None or known.weekday is not None or full


def _check_dates(stated: Sequence[Mention], sources: Sequence[_Source]) -> Iterator[str]:
    """The derivations used; raises for a date that no cited text gives."""
    for mention in stated:
        note = _date_in(mention, sources)
        if note is None:
            shown = str(mention.date) if mention.date is not None else mention.relative
            raise _Failure(Reason.DATE, f"“{shown}” is not a date of the cited text")
        if note:
            yield note


# A weekday in a sentence of what is to come is the next one, else the last.
_AHEAD = re.compile(
    r"\b(?:will|shall|would|(?:is|are|was|were) (?:due|set|expected|scheduled|likely|planning|going)? ?to|plans? to|planned"
    r"|scheduled|upcoming|slated|tomorrow)\b",
    re.IGNORECASE,
)


def resolved_dates(text: str, article: Article) -> list[str]:
    """What the relative dates and weekdays of a sentence mean by the article's own date, one line each."""
    published = article.published.date if article.published else None
    future = _AHEAD.search(text) is not None
    found = (resolve(m, published, future=future) for m in find_dates(text) if m.relative or m.date is None
             or m.date.precision is Precision.WEEKDAY)  # fmt: skip
    return [meant[1] for meant in found if meant is not None and meant[1]]


def _date_in(mention: Mention, sources: Sequence[_Source]) -> str | None:
    """ "" where a cited text states the date, the derivation where it follows from the article's date, else None."""
    if mention.date is None:
        for source in sources:
            for text in (source.own, source.near):
                if mention.relative in fold(text):
                    meant = resolve(mention, source.published)
                    return meant[1] if meant else ""
        return None
    best: str | None = None
    for source in sources:
        for text in (source.own, source.near):
            found = find_dates(text)
            known: list[PartialDate] = []
            for other in found:
                if other.date is not None:
                    if _covers(mention.date, other.date):
                        return ""
                    known.append(other.date)
                meant = resolve(other, source.published, future=_AHEAD.search(text) is not None)
                if meant is not None:
                    known.append(meant[0])
                    if _covers(mention.date, meant[0]):
                        best = best or meant[1]
            if best is None and _covered_together(mention.date, known):
                best = ""
    return best


def _covered_together(wanted: PartialDate, known: Sequence[PartialDate]) -> bool:
    """Whether several dates of one text give the parts: "On Thursday" under "July 10"."""
    if any(agree(wanted, k) is False and agree(k, wanted) is False for k in known):
        return False
    year = wanted.year is None or any(k.year == wanted.year for k in known)
    month = wanted.month is None or any(k.month == wanted.month for k in known)
    day = wanted.day is None or any(k.day == wanted.day for k in known)
    weekday = wanted.weekday is None or any(agree(PartialDate(weekday=wanted.weekday), k) for k in known)
    return bool(known) and year and month and day and weekday


# --- names ----------------------------------------------------------------------------------------------------------


def _in_words(part: str, text: str) -> bool:
    key = canonical(part)
    return any(part == w or same_word(part, w) or (bool(key) and canonical(w) == key) for w in _words(text))


def _name_in(name: Name, text: str, article: Article) -> bool:
    if any(same_name(name.text, o.text) and _given_known(name, o, article) for o in find_names(text)):
        return True
    if not has_name(name.text, text):
        return False
    return canonical(name.text) != "" or all(p in ("the", "and") or _in_words(p, text) for p in _split(name))


def _split(name: Name) -> list[str]:
    return [w for part in name.parts for w in re.split(r"[-–/]", part) if w]


def _given_known(name: Name, other: Name, article: Article) -> bool:
    """A longer name than the cited one must be known to the article: "Marco Rubio" where the sentence has "Rubio"."""
    if len(name.parts) <= len(other.parts) or canonical(name.text) or len(name.parts) == 1:
        return True
    known = _body_words(article)
    extra = [p for p in _split(name) if not any(same_word(p, o) for o in other.parts)]
    return all(p in known or any(same_word(p, k) for k in known if k[:1] == p[:1]) for p in extra)


# --- slots ----------------------------------------------------------------------------------------------------------

_SLOT_SHARE = 0.6  # of the statement's words must stand in the cited sentence in order, or slots mean nothing
_SLOT_LIMIT = 150  # words; matching costs their product
_SLOT_WORDS = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*")
_DENIALS = _set("not never cannot no")
_DO = _set("do does did")


@dataclass(frozen=True, slots=True)
class _Slot:
    """A stretch of the statement that stands where the cited sentence has another, same words on both sides."""

    ours: str
    theirs: str


def _slots(statement: str, own: str) -> tuple[float, list[_Slot]]:
    """(share of the statement's words that stand in `own` in order, the stretches in which the two differ), by Ratcliff
    and Obershelp's matching blocks of words; no stretches where the share is too low for them to mean anything."""
    left, right = list(_SLOT_WORDS.finditer(statement)), list(_SLOT_WORDS.finditer(own))
    ours, theirs = [fold(m.group()) for m in left], [fold(m.group()) for m in right]
    if len(ours) > _SLOT_LIMIT or len(theirs) > _SLOT_LIMIT or not set(ours) & set(theirs):
        return 0.0, []
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    share = sum(b.size for b in blocks) / len(ours)
    found: list[_Slot] = []
    if share < _SLOT_SHARE:
        return share, found
    i = j = 0
    for block in blocks:
        if i < block.a or j < block.b:
            inner = (i == 0 and j == 0) or (i > 0 and j > 0)
            if inner and (block.size or (block.a == len(ours) and block.b == len(theirs))):
                mine = statement[left[i].start() : left[block.a - 1].end()] if i < block.a else ""
                other = own[right[j].start() : right[block.b - 1].end()] if j < block.b else ""
                found.append(_Slot(mine, other))
        i, j = block.a + block.size, block.b + block.size
    return share, found


def _check_slots(statement: str, sources: Sequence[_Source]) -> None:
    """A number, date, name or denial that stands where a cited sentence with nearly the same words has another.

    This finds values that are somewhere in the cited text but not in this place. A statement that follows several
    cited sentences is held against the one it follows best.
    """
    (_, slots), own = max(((_slots(statement, s.own), s.own) for s in sources), key=lambda pair: pair[0][0])
    for slot in slots:
        if slot.ours and slot.theirs:
            _check_replaced(slot, statement, own)
            continue
        added = words(slot.ours or slot.theirs)
        denials = [w for w in added if w in _DENIALS or w.endswith("n't")]
        if len(denials) == 1 and all(w in denials or w in _DO for w in added):
            raise _Failure(Reason.NEGATION, f"“{denials[0]}” stands in only one of statement and cited text")


def _check_replaced(slot: _Slot, statement: str, own: str) -> None:
    detail = f"“{slot.ours}”: the cited text says “{slot.theirs}”"
    mine, theirs = find_quantities(slot.ours), find_quantities(slot.theirs)
    one_each = len(mine) == len(theirs) == 1
    if one_each and same_unit(mine[0], theirs[0]) and not equal_values(mine[0], theirs[0]):
        raise _Failure(Reason.NUMBER, detail)
    days = [m.date for m in find_dates(slot.ours)], [m.date for m in find_dates(slot.theirs)]
    if len(days[0]) == len(days[1]) == 1:
        day, other_day = days[0][0], days[1][0]
        if day is not None and other_day is not None and agree(day, other_day) is False:
            raise _Failure(Reason.DATE, detail)
    # a word ahead, so that a capital is not taken for the begin of a sentence
    ours_named, theirs_named = find_names(f"x {slot.ours}"), find_names(f"x {slot.theirs}")
    for name in ours_named:
        if not theirs_named or has_name(name.text, slot.theirs):
            continue
        replaced = theirs_named[0].text
        if not has_name(name.text, own) or _took_a_place(name.text, replaced, statement, own):
            raise _Failure(Reason.NAME, f"“{name.text}”: the cited text says “{replaced}”")


def _took_a_place(name: str, replaced: str, statement: str, own: str) -> bool:
    """Whether a name of the cited sentence stands once more in the statement, and the one it replaces no longer does."""
    more = _count(name, statement) > _count(name, own)
    return more and not has_name(replaced, statement)


def _count(name: str, text: str) -> int:
    return sum(same_name(name, n.text) for n in find_names(text))


def _check_names(statement: str, sources: Sequence[_Source], question: Question | None) -> Iterator[str]:
    """The derivations used: names that the cited sentence only points to ("the meeting"), and where they stand."""
    asked = question.names if question else ()
    for name in find_names(statement):
        if any(_name_in(name, f"{s.own}\n{s.ahead}", s.article) for s in sources):
            beside = " ".join(f"{s.own}\n{s.ahead}" for s in sources)
            added = [p for p in _split(name) if not _in_words(p, beside)]
            if added and not canonical(name.text):
                yield f"the article writes “{name.text}” elsewhere"
            continue
        elsewhere = _placed_elsewhere(statement, name, sources)
        if elsewhere:
            raise _Failure(Reason.NAME, f"“{name.text}”: the cited text says “{elsewhere}”")
        if any(s.topic and _name_in(name, s.topic, s.article) for s in sources):
            yield f"“{name.text}” is named ahead of the cited sentence, which points back to it"
            continue
        if not name.sure and _is_common_word(name.text, sources):
            continue
        if any(same_name(name.text, a) for a in asked):
            raise _Failure(Reason.PREMISE, f"“{name.text}” is named in the question, not in the cited text")
        raise _Failure(Reason.NAME, f"“{name.text}” is not in the cited text")


_PLACED = re.compile(r"\b(?:in|at|near)\s+(?:the\s+)?$", re.IGNORECASE)


def _placed_elsewhere(statement: str, name: Name, sources: Sequence[_Source]) -> str:
    """The place that every cited sentence gives where the statement has a place that it does not have; "" elsewhere."""
    if not _PLACED.search(statement[: name.span.start]):
        return ""
    found = ""
    for source in sources:
        places = [n.text for n in find_names(source.own) if _PLACED.search(source.own[: n.span.start])]
        if not places or any(has_name(p, statement) for p in places):
            return ""
        found = places[0]
    return found


def _is_common_word(word: str, sources: Sequence[_Source]) -> bool:
    """Whether the first word of a sentence is no name after all: the cited text has it in another form, or it is a
    plural. Its meaning is checked with the other words."""
    stems = content_words(word)
    known = frozenset().union(*(_stems(s.own) | _stems(s.near) for s in sources))
    return set(stems) <= known or word.casefold().endswith("s")


_ROLE = (
    r"(?:administration|aides?|advis[eo]rs?|allies|ally|ambassadors?|assistants?|attorneys?|brother|campaign|chiefs?"
    r"|colleagues?|counterparts?|daughter|delegation|deput(?:y|ies)|diplomats?|envoys?|family|father|government|husband"
    r"|lawyers?|ministers?|mother|negotiators?|officials?|party|predecessor|representatives?|rivals?|secretary|sister|son"
    r"|spokes(?:man|woman|person)|successor|supporters?|team|troops|wife)"
)
_OWNED_ROLE = re.compile(rf"['’]s? (?:[\w-]+ ){{0,4}}?{_ROLE}\b", re.IGNORECASE)
_WITH_ROLE = re.compile(rf"(?:['’]s?)? (?:[\w-]+ ){{0,2}}?{_ROLE}\b", re.IGNORECASE)


def _check_agent(statement: str, sources: Sequence[_Source]) -> None:
    """What somebody's envoy, wife or team did, he did not: a name that opens the statement as its subject, where the
    cited sentence has it only as the owner of another ("Trump's envoy Kellogg met ...")."""
    for name in find_names(statement)[:1]:
        rest = statement[name.span.end :]
        if name.span.start > 3 and not re.fullmatch(r"(?:[\w.]+ ){1,3}", statement[: name.span.start]):
            return
        if _WITH_ROLE.match(rest) or not re.match(r" (?!and\b|or\b|of\b|in\b|for\b|to\b|at\b)[a-z]", rest):
            return
        for source in sources:
            beside = f"{source.own}\n{source.ahead}"
            held = [n for n in find_names(beside) if same_name(n.text, name.text)]
            if not held or not all(_OWNED_ROLE.match(beside, n.span.end) for n in held):
                return
        if sources:
            beside = f"{sources[0].own}\n{sources[0].ahead}"
            owned = next(n for n in find_names(beside) if same_name(n.text, name.text))
            found = _OWNED_ROLE.match(beside, owned.span.end)
            raise _Failure(
                Reason.NAME,
                f"“{name.text}”: the cited text says “{owned.text}{found.group() if found else ''}”",
            )


# --- negation -------------------------------------------------------------------------------------------------------

_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|cannot|without|hardly|barely|scarcely|unable|unwilling"
    r"|(?:fail|failed|fails|failing|failure) to|(?:refus|declin)(?:e|es|ed|ing|al)|den(?:y|ies|ied|ying|ial)|far from"
    r"|reject(?:s|ed|ing|ion)?|lack(?:s|ed|ing)?|absence of|in vain|no longer|instead of|rather than|short of|refrain(?:s|ed|ing)?"
    r"|avoid(?:s|ed|ing)?|prevent(?:s|ed|ing)?|ruled? out|ruling out)\b|\b\w*n['’]t\b",
    re.IGNORECASE,
)
_NOT_NEGATION = re.compile(
    r"\b(?:not (?:only|just|merely|simply)|no doubt|nothing but|no (?:less|fewer|more|later) than|not least"
    r"|whether or not|no\. ?\d)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[;:()—–]|,(?! \d)|\b(?:but|although|though|while|whereas|however|yet|because|which|who|and|after|before|when|since|until|if)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Clause:
    stems: frozenset[str]
    negated: bool
    reach: frozenset[str]  # the stems that follow the negation


@lru_cache(maxsize=2048)
def _clauses(text: str) -> tuple[_Clause, ...]:
    found = []
    last = 0
    for end in [*(m.start() for m in _CLAUSE.finditer(text)), len(text)]:
        piece = text[last:end]
        last = end
        stems = frozenset(content_words(piece))
        if not stems:
            continue
        clear = _NOT_NEGATION.sub(" ", piece)
        negation = list(_NEGATION.finditer(clear))
        reach: frozenset[str] = frozenset()
        if negation:
            reach = frozenset(content_words(clear[negation[0].start() :])[:6])
        found.append(_Clause(stems, bool(negation), reach))
    return tuple(found)


def _check_negation(statement: str, sources: Sequence[_Source]) -> None:
    theirs = [c for s in sources for c in _clauses(s.own)]
    whole = frozenset().union(*(c.stems for c in theirs)) if theirs else frozenset()
    for clause in _clauses(statement):
        shared = [
            (len(clause.stems & c.stems) / len(clause.stems | c.stems), i, c) for i, c in enumerate(theirs)
        ]
        if not shared:
            return
        best = max(shared, key=lambda item: (item[0], -item[1]))
        if not clause.stems & best[2].stems:
            continue
        # a denial must be one of the cited text, about the same words
        denied = best[2].negated or any(c.negated and clause.reach & (c.reach | c.stems) for c in theirs)
        if clause.negated and not denied:
            raise _Failure(Reason.NEGATION, "the statement denies what the cited text does not deny")
        if not clause.negated and best[2].negated and not any(c.negated for c in _clauses(statement)):
            hit = clause.stems & best[2].reach
            affirmed = any(
                not c.negated and len(clause.stems & c.stems) >= len(clause.stems & best[2].stems)
                for c in theirs
            )
            if len(hit) >= min(2, len(best[2].reach)) and hit and not affirmed and clause.stems & whole:
                raise _Failure(Reason.NEGATION, "the cited text denies what the statement says")


# --- who said it ----------------------------------------------------------------------------------------------------

_SAY = (
    r"(?:said|says|say|told|tells|stated|states|added|adds|claimed|claims|warned|warns|announced|announces|insisted|insists"
    r"|argued|argues|replied|wrote|writes|noted|notes|called|calls|described|describes|characteri[sz]ed|confirmed|confirms"
    r"|declared|declares|explained|explains|emphasi[sz]ed|stressed|reiterated|acknowledged|commented|remarked|suggested"
    r"|suggests|hinted|promised|vowed|accused|criticized|criticised|praised|condemned|denied|dismissed|reported|reports"
    r"|estimated|estimates|believes?|believed|expressed|urged|demanded|admitted|alleged|asserted|conceded|observed|pledged"
    r"|predicted|proposed|recalled|revealed|testified|tweeted|asked|asserts|thinks|thought|concluded|found|reaffirmed)"
)
_SAYS = re.compile(rf"\b{_SAY}\b", re.IGNORECASE)
_ACCORDING = re.compile(
    r"\b(?:according to|in the words of|as (?:reported|stated|noted|described) by|citing|quoting)\s+",
    re.IGNORECASE,
)
_SUBJECT_CHARS = 90  # between a speaker and the verb: titles and an apposition


@dataclass(frozen=True, slots=True)
class _Speech:
    speaker: str  # a name, "" where none is given
    stems: frozenset[str]  # what is said


# Between "said" and the speaker after it: a title, never a clause or a preposition.
_UP_TO_NAME = re.compile(
    r"\s+(?:(?!(?:that|to|with|by|for|in|on|at|from|about|it|he|she|they)\b)[\w.-]+ ){0,4}", re.IGNORECASE
)


@lru_cache(maxsize=2048)
def _speeches(text: str) -> tuple[_Speech, ...]:
    """Who says what in a sentence, by name: "X said", "said X", "according to X"."""
    names = find_names(text)
    found: list[_Speech] = []
    marks = list(_SAYS.finditer(text))
    for position, verb in enumerate(marks):
        low = marks[position - 1].end() if position else 0
        high = marks[position + 1].start() if position + 1 < len(marks) else len(text)
        speaker = ""
        after = [n for n in names if verb.end() <= n.span.start <= verb.end() + 40]
        if (
            after
            and _UP_TO_NAME.fullmatch(text, verb.end(), after[0].span.start)
            and re.search(r"[,”\"’'?!]\s*$", text[: verb.start()])
        ):
            speaker = after[0].text
        if not speaker:
            before = [
                n
                for n in names
                if low <= n.span.start
                and n.span.end <= verb.start()
                and verb.start() - n.span.end <= _SUBJECT_CHARS
            ]
            speaker = _subject(text, low, verb.start(), before)
        stems = frozenset(content_words(text[verb.end() : high])) | frozenset(
            content_words(_quote_before(text, verb.start()))
        )
        if speaker:
            found.append(_Speech(speaker, stems))
    for lead in _ACCORDING.finditer(text):
        following = [n for n in names if lead.end() <= n.span.start <= lead.end() + 60]
        if following:
            found.append(_Speech(following[0].text, frozenset(content_words(text))))
    return tuple(found)


def _quote_before(text: str, place: int) -> str:
    found = re.search(r"[“\"]([^“”\"]+)[,.?!]?[”\"]\s*(?:[\w.’'-]+\s+){0,6}$", text[:place])
    return found.group(1) if found else ""


def _subject(text: str, low: int, verb: int, names: Sequence[Name]) -> str:
    """The name that is the subject of a verb: the first of its clause that no preposition or possessive leads to."""
    breaks = re.finditer(r";|\b(?:but|while|whereas|that)\b|[”\"]", text[low:verb])
    start = low + max((m.end() for m in breaks), default=0)
    for name in names:
        lead = text[max(0, name.span.start - 14) : name.span.start].casefold()
        if name.span.start < start or _PREPOSITION.search(lead):
            continue
        owner = text[name.span.end : name.span.end + 2] in ("'s", "’s")
        origin = canonical(name.text) != "" and name.text.casefold() != canonical(name.text)
        if (owner or origin) and text[name.span.end : verb].strip():
            continue  # "Russia's minister said", "Russian minister Lavrov said"
        return name.text
    return ""


_PREPOSITION = re.compile(
    r"\b(?:of|in|on|at|to|with|from|by|for|against|between|than|via|near|about|over|as)\s+(?:the\s+)?$"
)
_QUOTATION = re.compile(r"(?:[“«]|(?<!\w)\"(?=\w))([^“”\"«»]{3,400})(?:[”»]|\"(?!\w))")


def _check_quotations(statement: str, sources: Sequence[_Source]) -> None:
    """Words in quotation marks are those of the cited text, in that order."""
    texts = [f" {' '.join(_words(t))} " for s in sources for t in (s.own, s.near)]
    for found in _QUOTATION.finditer(statement):
        quoted = " ".join(words(found.group(1)))
        if quoted and not any(f" {quoted} " in t for t in texts):
            raise _Failure(Reason.ATTRIBUTION, f"“{found.group(1)}” is not quoted so in the cited text")


def _anyone_speaks(sources: Sequence[_Source]) -> bool:
    return any(_SAYS.search(t) or _QUOTATION.search(t) for s in sources for t in (s.own, s.ahead))


def _check_attribution(statement: str, sources: Sequence[_Source]) -> None:
    theirs = [t for s in sources for t in _speeches(s.own)]
    for ours in _speeches(statement):
        same = [t for t in theirs if same_name(ours.speaker, t.speaker)]
        others = [t for t in theirs if not same_name(ours.speaker, t.speaker)]
        named = any(has_name(ours.speaker, s.own) for s in sources)
        if not theirs and not named and not _anyone_speaks(sources):
            raise _Failure(Reason.ATTRIBUTION, f"the cited text does not have {ours.speaker} say it")
        if not others:
            continue
        fit = max((len(ours.stems & t.stems) for t in same), default=-1)
        rival = max(others, key=lambda t: len(ours.stems & t.stems))
        theirs_fit = len(ours.stems & rival.stems)
        if theirs_fit > (0 if fit < 0 else fit + 1):
            raise _Failure(
                Reason.ATTRIBUTION, f"the cited text has {rival.speaker} say it, not {ours.speaker}"
            )


# --- meaning --------------------------------------------------------------------------------------------------------

_OPPOSITES = """
increase increased increases rise rose risen rises grow grew grown grows gain gained climbed climb surged higher
 / decrease decreased decreases fall fell fallen falls declined shrink shrank drop dropped drops plunged lower reduced
win won wins winning winner victory / lose lost loses losing loser defeat
accept accepted accepts accepting agreed agree / reject rejected rejects rejecting refused refuse declined
before prior / after following
support supported supports backed / oppose opposed opposes
allow allowed allows permitted / ban banned bans forbid forbade forbidden prohibited
open opened opens reopened / close closed closes shut
begin began begins begun start started starts / end ended ends finish finished stopped stop
arrive arrived arrives / depart departed
buy bought buys purchased / sell sold sells
import imports imported / export exports exported
first / last
largest biggest / smallest
highest / lowest
best / worst
most / least
oldest / newest youngest
strengthen strengthened strengthens / weaken weakened weakens
success successful succeeded / failure failed unsuccessful
north northern / south southern
east eastern / west western
male man men / female woman women
alive survived survive / dead died killed
guilty convicted / innocent acquitted
legal lawful / illegal unlawful
public / private
internal domestic / external foreign
maximum / minimum
majority / minority
always / never
all / none
include included includes including / exclude excluded excludes excluding
attack attacked / defend defended
ancient / modern
positive / negative
optimistic / pessimistic
possible / impossible
strong stronger / weak weaker
rich richer / poor poorer
hot hotter / cold colder
young younger / old older
early / late
fast faster / slow slower
large larger big bigger / small smaller
high / low
long longer / short shorter
good better / bad worse
appointed hired / dismissed fired sacked
confirmed / denied
temporary / permanent
partial partially / complete completely full fully
joined join / quit
inside / outside
above / below
"""
_OPPOSITE_SETS: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (_set(left), _set(right))
    for left, _, right in (
        line.partition("/") for line in _OPPOSITES.replace("\n /", " /").strip().splitlines()
    )
)
_EXTREMES: tuple[frozenset[str], ...] = (
    _set("only sole solely exclusively merely"),
    _set("all every each entire entirely whole both always completely fully totally everyone everything"),
    _set("never"),
    _set(
        "largest biggest greatest highest longest strongest worst best smallest lowest oldest newest youngest "
        "latest earliest fastest deepest richest poorest hottest coldest deadliest record unprecedented"
    ),
    _set("must required mandatory obliged"),
    _set("guarantee guaranteed guarantees definitely certainly proven proved"),
)
_SYNONYMS: tuple[frozenset[str], ...] = tuple(
    _stems(line)
    for line in (
        "meeting talk discussion negotiation conversation dialogue encounter session exchange summit gathering conference",
        "said say told stated noted added according called described told announced reported claimed expressed remarked",
        "held place occurred happened convened met sat occur happen",
        "last lasted long duration hour minute",
        "killed dead died death deadly fatal kill",
        "injured wounded hurt injury",
        "attack strike assault raid bombardment barrage offensive",
        "launched fired deployed used began started sent",
        "car vehicle automobile",
        "country nation state",
        "firm company business corporation",
        "leader head chief president",
        "show indicate signal reveal demonstrate suggest mean",
        "increase rise grow growth climb surge",
        "decrease fall drop decline reduce cut",
        "help aid assist support",
        "big large major huge great significant",
        "start begin began launch open commence",
        "end finish conclude close stop",
        "important significant pivotal crucial key critical",
        "including include included",
        "located situated based lies",
        "known called named dubbed",
        "created made built founded established formed produced",
        "received got won awarded",
        "number total amount",
        "also additionally",
        "second two",
        "visit trip travel travelled went",
        "minister diplomat official secretary",
        "deal agreement accord pact treaty",
        "price cost",
        "war conflict fighting",
        "city town capital",
        "year annual",
        "people person resident citizen",
    )
)
# Words about the sentences themselves carry nothing that could be wrong.
_EMPTY = _stems(
    "article articles report reports source sources mention mentioned text sentence answer question give given about also"
)


def with_synonyms(stems: AbstractSet[str]) -> frozenset[str]:
    """Stems and the stems of their synonyms."""
    return frozenset(stems).union(*(group for group in _SYNONYMS if group & stems))


def _denies(own: AbstractSet[str]) -> bool:
    return any(w in _DENIALS or w.endswith("n't") for w in own)


def _check_opposites(statement: str, sources: Sequence[_Source]) -> None:
    mine = set(_words(statement))
    closest = max(sources, key=lambda s: len(mine & set(_words(s.own))))
    theirs = set(_words(closest.own))
    if _denies(mine) != _denies(theirs):
        return  # "did not accept" is "refused": the check of negation has judged it
    anywhere = {w for s in sources for w in (*_words(s.own), *_words(s.near))}
    for left, right in _OPPOSITE_SETS:
        for ours, opposite in ((left, right), (right, left)):
            wrong = mine & ours
            if wrong and not anywhere & ours and theirs & opposite and not mine & opposite:
                said = min(theirs & opposite)
                raise _Failure(Reason.MEANING, f"“{min(wrong)}”: the cited text says “{said}”")


def _check_extremes(statement: str, sources: Sequence[_Source]) -> None:
    mine = set(_words(statement))
    theirs = {w for s in sources for w in (*_words(s.own), *_words(s.near))}
    for group in _EXTREMES:
        added = (mine & group) - theirs
        if added and not theirs & group:
            raise _Failure(Reason.MEANING, f"“{sorted(added)[0]}” is not in the cited text")


# "took place", "took 50 minutes": the verb says no more than the words behind it; "took part" does
_LIGHT_VERB = re.compile(
    r"\b(?:take|takes|took|taken|taking) (?=place\b|(?:about |around |nearly |over )?(?:\d|an? (?:hour|minute|day)))",
    re.I,
)


def _novel(statement: str, sources: Sequence[_Source]) -> tuple[list[str], list[str]]:
    """(content words of the statement that the cited text lacks, all its content words), names and numbers aside."""
    known = with_synonyms(frozenset().union(*(_stems(s.own) | _stems(s.near) for s in sources)))
    statement = _LIGHT_VERB.sub("", statement)
    named = {w for n in find_names(statement) for w in content_words(n.text)}
    spans = [q.span for q in find_quantities(statement)] + [d.span for d in find_dates(statement)]
    counted = {w for span in spans for w in content_words(statement[span.start : span.end])}
    content = [
        w
        for w in dict.fromkeys(content_words(statement))
        if w not in named and w not in counted and w not in _EMPTY
    ]
    prefixes = {w[:5] for w in known if len(w) >= 6}
    novel = [w for w in content if w not in known and not (len(w) >= 6 and w[:5] in prefixes)]
    return novel, content


_SUBJECT = re.compile(
    r"^(?:the|a|an|this|that|these|those|its|his|her|their)\s+(?P<subject>(?:[\w'’-]+\s+){1,8}?)"
    r"(?:is|are|was|were|has|have|had|will|would|can|could|may|might|must|should|did|does|do|took|went|came|began|cost|led|left"
    r"|said|says|won|lost|met|held|fell|rose|became|remains?|lasts?|starts?|ends?|[a-z]+ed)\b",
    re.IGNORECASE,
)


def _subject_words(statement: str) -> set[str]:
    """The words of meaning in "The war in Ukraine" of "The war in Ukraine has lasted ...", names and numbers aside; empty
    for a statement that does not open with such a subject."""
    found = _SUBJECT.match(statement)
    if found is None:
        return set()
    text = found.group("subject")
    named = {w for n in find_names(f"x {text}") for w in content_words(n.text)}
    return {w for w in content_words(text) if w not in named and not any(c.isdigit() for c in w)}


def unstated_words(statement: str, cited: Evidence) -> list[str]:
    """The words of meaning in a statement, names and numbers aside, that the cited sentence, its context and its source
    line have neither themselves nor by a synonym: stems, in order."""
    return _novel(plain(statement), [_source(cited)])[0]


def _check_meaning(
    statement: str, sources: Sequence[_Source], question: Question | None, support: float | None, floor: float
) -> None:
    asked = frozenset(question.content) if question else frozenset()
    _check_opposites(statement, sources)
    _check_extremes(statement, sources)
    lacking, content = _novel(statement, sources)
    subject = _subject_words(statement)
    if subject and subject <= set(lacking):
        raise _Failure(Reason.MEANING, f"the cited text does not speak of “{min(subject)}”")
    borrowed = [w for w in lacking if w in asked]
    if len(borrowed) > BORROWED_SHARE * len(content):
        raise _Failure(Reason.MEANING, f"only the question speaks of “{borrowed[0]}”")
    novel = [w for w in lacking if w not in asked]
    told = [w for w in content if w not in asked]
    limit = min(max(NOVEL_WORDS, NOVEL_SHARE * len(content)), TOLD_SHARE * len(told))
    if support is not None and support < floor:
        limit /= 2
    if len(novel) > limit and (support is None or support < floor):
        raise _Failure(Reason.MEANING, f"the cited text does not speak of “{novel[0]}”")


# --- the kind of answer ---------------------------------------------------------------------------------------------


def _check_kind(statement: str, question: Question) -> None:
    asked = set(words(question.text))
    # "50 or 60 minutes?" is answered with its own words, so is a question that wants a yes or no
    if question.kind is not Kind.YES_NO and "or" not in asked:
        stems = set(question.content)
        if (
            all(w in asked for w in words(statement) if content_words(w))
            or set(content_words(statement)) <= stems
        ):
            raise _Failure(Reason.KIND, "it only repeats the question")
    if not holds_kind(question.kind, statement, question.counted):
        raise _Failure(Reason.KIND, f"it gives no {question.kind.value}")
    if question.kind is Kind.PERSON:
        names = [n for n in find_names(statement) if not any(same_name(n.text, a) for a in question.names)]
        lowered = {singular(w) for w in words(statement)} - {singular(w) for w in words(question.text)}
        if not names and not holds_kind(Kind.PERSON, " ".join(sorted(lowered))):
            raise _Failure(Reason.KIND, "it names nobody but those in the question")


def _is_fragment(statement: str) -> bool:
    """Whether a statement is a bare value ("July 10", "Rome, Italy") and leaves all else to the question."""
    spans = [n.span for n in find_names(statement)] + [m.span for m in find_dates(statement)]
    spans += [q.span for q in find_quantities(statement)]
    rest = "".join(c for i, c in enumerate(statement) if not any(s.start <= i < s.end for s in spans))
    return not content_words(rest)


def _gives(statement: str, source: _Source, question: Question) -> bool:
    """Whether one cited sentence alone states the numbers, dates and names of a statement."""
    dates = find_dates(statement)
    try:
        list(_check_numbers(statement, dates, [source]))
        list(_check_dates(dates, [source]))
        list(_check_names(statement, [source], question))
    except _Failure:
        return False
    return True


def _check_premise(
    statement: str, question: Question, cited: Sequence[Evidence], sources: Sequence[_Source]
) -> None:
    pairs = list(zip(cited, sources, strict=True))
    if _is_fragment(statement):  # the sentence that gives the value must be the one that speaks of the matter
        pairs = [(e, s) for e, s in pairs if _gives(statement, replace(s, topic=""), question)]
        if not pairs:
            raise _Failure(Reason.PREMISE, "no cited sentence alone gives it")
    lacking = [unmet(question, s.own, s.near, e.article) for e, s in pairs]
    if all(lacking):
        raise _Failure(
            Reason.PREMISE,
            f"the cited text does not speak of {', '.join(sorted(lacking, key=len)[0])}",
        )


_YES_NO = re.compile(r"^(?:yes|no)\s*(?:[,.;:–—-]\s*|$)", re.IGNORECASE)


def check(
    statement: str,
    cited: Sequence[Evidence],
    question: Question | None = None,
    *,
    support: float | None = None,
    support_floor: float = SUPPORT_FLOOR,
    alone: bool = False,
) -> Verdict:
    """Whether the cited sentences state `statement`; the first failure is the verdict's: numbers, dates, names,
    negation, who said it, meaning, then what the question demands.

    `question` adds two demands: the statement holds the kind of thing asked for, and some cited sentence agrees with
    what the question fixes. `support` is a score of meaning from 0 to 1 computed elsewhere: at `support_floor` and
    above it excuses new words (never a number, date, name, negation or speaker), below it fewer are allowed.
    With `alone` the sentences' context does not count, only their own words and their source line.
    Takes less than 10 ms for a sentence against a few sentences.
    """
    text = _YES_NO.sub("", plain(statement))  # the rest of the statement says the same or denies it
    if not cited:
        return Verdict(False, Reason.NO_CITATION, "no sentence is cited")
    if not words(text):
        return Verdict(False, Reason.MEANING, "it says nothing")
    sources = [_source(e) for e in cited]
    if alone:
        sources = [replace(s, ahead="", near=s.facts, topic="") for s in sources]
    if any(fold(text) == fold(s.own) for s in sources) and question is None:
        return Verdict(True)
    dates = find_dates(text)
    notes: list[str] = []
    try:
        notes += _check_numbers(text, dates, sources)
        notes += _check_dates(dates, sources)
        notes += _check_names(text, sources, question)
        _check_agent(text, sources)
        _check_slots(text, sources)
        _check_negation(text, sources)
        _check_quotations(text, sources)
        _check_attribution(text, sources)
        _check_meaning(text, sources, question, support, support_floor)
        if question is not None:
            _check_kind(text, question)
            _check_premise(text, question, cited, sources)
    except _Failure as failure:
        return Verdict(False, failure.reason, failure.detail, tuple(dict.fromkeys(notes)))
    return Verdict(True, derivation=tuple(dict.fromkeys(notes)))
