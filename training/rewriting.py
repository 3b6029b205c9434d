"""Changes to questions and sentences that make training pairs harder: one fact changed, an event unmade, roles swapped.

Nothing here runs in the product. It knows English word forms as tables (`words.toml`), and no data set.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.schema import MONTHS, WEEKDAYS

YEAR = re.compile(r"\b(?:1[5-9]\d\d|20[0-3]\d)\b")
NUMBER = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\w])|(?<![\w.,])\d+(?:\.\d+)?(?![\w])")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w’'-]+(?: (?:of |de |von |the )?[A-Z][\w’'-]+)*")

WORDS: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8"))
_SENTENCE_STARTS = frozenset(WORDS["sentence_starts"])
_EXCLUSIVE = [row.split("/") for row in WORDS["exclusive"]]
_OTHERS = {word: [w for w in row if w != word] for row in _EXCLUSIVE for word in row}


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ied"
    if base in ("ban", "expel", "kidnap", "transfer", "outlaw"):
        return base + ("ned" if base == "ban" else "led" if base == "expel" else "ped" if base == "kidnap" else "red" if base == "transfer" else "ed")  # fmt: skip
    return base + "ed"


# past tense -> (base, past participle)
PAST = {_past(base): (base, _past(base)) for base in WORDS["regular_verbs"]}
PAST |= {past: (base, done) for base, past, done in (row.split("/") for row in WORDS["irregular_verbs"])}
_PARTICIPLES = {done: base for base, done in PAST.values()}
_IRREGULAR_GERUND = {"begin": "beginning", "ban": "banning", "shoot": "shooting", "win": "winning", "expel": "expelling", "kidnap": "kidnapping", "transfer": "transferring"}  # fmt: skip


def gerund(base: str) -> str:
    if base in _IRREGULAR_GERUND:
        return _IRREGULAR_GERUND[base]
    return base[:-1] + "ing" if base.endswith("e") and not base.endswith("ee") else base + "ing"


# Rows of phrases that say the same; each leaves open whether the deed was done, or denies it. {B} base form, {V} past
# tense, {P} participle, {G} gerund. "refuted": what the plain past tense then is.
ACTIVE = (
    ("not_stated", ("is expected to {B}", "is likely to {B}", "is set to {B}")),
    ("not_stated", ("plans to {B}", "intends to {B}", "is planning to {B}")),
    ("not_stated", ("will {B}", "is going to {B}")),
    ("not_stated", ("may {B}", "might {B}", "could {B}")),
    ("refuted", ("almost {V}", "nearly {V}", "came close to {G}")),
    ("refuted", ("did not {B}", "never {V}")),
    ("refuted", ("failed to {B}", "was unable to {B}")),
    ("refuted", ("refused to {B}", "declined to {B}")),
    ("not_stated", ("denied {G}", "denied having {P}")),
    ("not_stated", ("was accused of {G}", "is alleged to have {P}", "faced accusations of {G}")),
    ("not_stated", ("threatened to {B}",)),
    ("not_stated", ("tried to {B}", "attempted to {B}", "sought to {B}")),
    ("not_stated", ("wants to {B}", "hopes to {B}")),
    ("not_stated", ("promised to {B}", "pledged to {B}")),
    ("not_stated", ("was asked to {B}", "was urged to {B}")),
    ("refuted", ("would have {P}",)),
    ("not_stated", ("is suspected of {G}", "is suspected of having {P}")),
)
PASSIVE = (
    (
        "not_stated",
        ("{is} expected to be {P}", "{is} likely to be {P}", "{is} set to be {P}", "{is} due to be {P}"),
    ),
    ("not_stated", ("may be {P}", "might be {P}", "could be {P}")),
    ("not_stated", ("will be {P}", "{is} going to be {P}")),
    ("refuted", ("{was} almost {P}", "{was} nearly {P}", "came close to being {P}")),
    ("refuted", ("{was} not {P}", "{was} never {P}")),
    ("refuted", ("{has} yet to be {P}", "{has} not yet been {P}")),
    ("not_stated", ("{was} to be {P}", "{was} supposed to be {P}", "{was} scheduled to be {P}")),
    ("refuted", ("would have been {P}",)),
    ("not_stated", ("should be {P}", "ought to be {P}")),
)
_PASSIVE_SPOT = re.compile(
    r"\b(was|were) (" + "|".join(sorted(_PARTICIPLES, key=lambda w: -len(w))) + r")\b(?! (?:as|to be|not))"
)
_AUXILIARY = re.compile(
    r"\b(?:is|was|are|were|be|been|has|have|had|will|would|can|could|may|might|did|does|do|who|which|that|when|while|"
    r"after|before|if|although|because|and|but)\b|[,;:(]"
)
_ACTIVE_SPOT = re.compile(
    r"^((?:[A-Z]|The |A )[\w’'-]*(?: [\w’'.-]+){0,6}?) ("
    + "|".join(sorted(PAST, key=lambda w: -len(w)))
    + r")"
    r" (?=the |a |an |[A-Z]|its |his |her |their |to |\d|more |several |two |three |over |all |into |out )"
)


def unmade(sentence: str, rng: random.Random) -> tuple[str, str, str, str] | None:
    """For a sentence that says something was done: the same with the deed left open or denied, that in other words, a
    version that leaves it open differently, and the class of the plain sentence in view of the first. Or None."""
    made = _spot(sentence)
    if made is None:
        return None
    head, tail, forms, table = made
    (label, row), (_, other) = rng.sample(table, 2)
    first = rng.choice(row)
    again = rng.choice([p for p in row if p != first] or [first])

    def told(phrase: str) -> str:
        return head + phrase.format(**forms) + tail

    return told(first), told(again), told(rng.choice(other)), label


def tells_deed(sentence: str, question: str) -> bool:
    """Whether the deed that can be undone in the sentence is the one that the question asks about."""
    made = _spot(sentence)
    if made is None:
        return False
    done = made[2]["P"]
    base = _PARTICIPLES[done]
    return bool(
        set(re.findall(r"[a-z]+", question.lower())) & {base, done, made[2].get("V", done), base + "s"}
    )


def _spot(sentence: str) -> tuple[str, str, dict[str, str], Sequence[tuple[str, tuple[str, ...]]]] | None:
    if match := _PASSIVE_SPOT.search(sentence):
        if _AUXILIARY.search(sentence[: match.start()].replace(" and ", " ").replace(",", " ")):
            return None
        many = match[1] == "were"
        forms = {
            "P": match[2],
            "is": "are" if many else "is",
            "was": match[1],
            "has": "have" if many else "has",
        }
        return sentence[: match.start()], sentence[match.end() :], forms, PASSIVE
    if match := _ACTIVE_SPOT.match(sentence):
        if _AUXILIARY.search(match[1]):
            return None
        base, done = PAST[match[2]]
        forms = {"B": base, "V": match[2], "P": done, "G": gerund(base)}
        return match[1] + " ", sentence[match.end() - 1 :], forms, ACTIVE
    return None


_TWO_NAMES = re.compile(
    r"^((?:The )?[A-Z][\w’'-]+(?: (?:of |the )?[A-Z][\w’'-]+){0,3}) ("
    + "|".join(sorted(PAST, key=lambda w: -len(w)))
    + r")"
    r" ((?:the )?[A-Z][\w’'-]+(?: (?:of |the )?[A-Z][\w’'-]+){0,3})(?=[ .,])(.*)$"
)


def passive(sentence: str) -> tuple[str, str, str] | None:
    """ "A attacked B on Monday." -> the same in the passive, and both with the roles swapped; or None."""
    match = _TWO_NAMES.match(sentence)
    if match is None:
        return None
    doer, verb, done_to, rest = match.groups()
    if doer in done_to or done_to in doer or _AUXILIARY.search(rest[:40]):
        return None
    participle = PAST[verb][1]
    up = lambda s: s[0].upper() + s[1:]  # noqa: E731
    return (
        f"{up(done_to)} was {participle} by {doer}{rest}",
        f"{up(done_to)} {verb} {doer}{rest}",
        f"{doer} was {participle} by {done_to}{rest}",
    )


def changed(
    text: str, near: str, names: Sequence[str], kinds: Sequence[str], rng: random.Random
) -> str | None:
    """`text` with one fact replaced by another of its kind, so that `near` does not say it; None where it has none."""
    for kind in rng.sample(list(kinds), len(kinds)):
        new = next(_changes(kind, text, near, names, rng), None)
        if new is not None and new != text and new not in near:
            return new
    return None


def _changes(kind: str, text: str, near: str, names: Sequence[str], rng: random.Random) -> Iterator[str]:
    if kind == "year" and (years := YEAR.findall(text)):
        old = rng.choice(years)
        others = [y for y in YEAR.findall(near) if y not in text]
        near_by = str(int(old) + rng.choice((-10, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 10)))
        yield text.replace(old, rng.choice(others) if others and rng.random() < 0.4 else near_by, 1)
    if kind == "number" and (found := [n for n in NUMBER.findall(text) if not YEAR.fullmatch(n)]):
        old = rng.choice(found)
        others = [n for n in NUMBER.findall(near) if n not in text]
        if others and rng.random() < 0.4:
            new = rng.choice(others)
        else:
            value = abs(
                float(old.replace(",", "")) * rng.choice((0.5, 2, 0.1, 10, 1.2, 0.8, 1.1, 0.9))
                + rng.choice((0, 1, -1, 3))
            )
            new = f"{value:.1f}" if "." in old else f"{int(value) + 1:,}"
        yield re.sub(rf"(?<![\w.,]){re.escape(old)}(?!\w)", new, text, count=1)
    if kind == "word":
        if words := [w for w in re.findall(r"[A-Za-z]+", text) if w in _OTHERS]:
            word = rng.choice(words)
            yield re.sub(rf"\b{word}\b", rng.choice(_OTHERS[word]), text, count=1)
        for row in (MONTHS, WEEKDAYS):
            if days := [w for w in row if re.search(rf"\b{w}\b", text)]:
                yield re.sub(rf"\b{days[0]}\b", rng.choice([w for w in row if w != days[0]]), text, count=1)
    if kind == "name" and (own := [n for n in NAME.findall(text) if n in near]):
        old = rng.choice(own)
        pool = NAME.findall(near) if rng.random() < 0.5 else names
        pool = [
            n
            for n in rng.sample(list(pool), min(30, len(pool)))
            if n not in text and old not in n and n not in old
        ]
        if pool:
            yield text.replace(old, min(pool, key=lambda n: abs(len(n.split()) - len(old.split()))), 1)
    if kind == "role":
        found = re.findall(r"\b[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*", text)
        own = [
            n
            for n in found
            if len(n) > 2 and n not in _SENTENCE_STARTS and n not in MONTHS and n not in WEEKDAYS
        ]
        if len(own) >= 2 and own[0] not in own[-1] and own[-1] not in own[0]:
            yield text.replace(own[0], "\0", 1).replace(own[-1], own[0], 1).replace("\0", own[-1], 1)
    if kind == "not" and (
        match := re.search(r"\b(?:is|was|are|were|has|have|had|will|can|could|would|did)\b(?! not)", text)
    ):
        yield text[: match.end()] + rng.choice((" not", " not", " never")) + text[match.end() :]


def inverted(claim: str) -> str | None:
    """The claim as a yes/no question: "X was Y." -> "Was X Y?", "X signed Y." -> "Did X sign Y?"; or None."""
    text = claim.strip().rstrip(".").strip()
    if "?" in text:
        return None
    if match := re.match(
        r"^((?:[\w’'.-]+ ){1,7}?)(is|was|are|were|has|had|will|can|could)( not)? (.+)$", text
    ):
        if match[3]:
            return None
        subject = match[1].strip()
        return f"{match[2].capitalize()} {lowered(subject)} {match[4]}?"
    if match := re.match(r"^((?:[\w’'.-]+ ){1,6}?)(" + "|".join(PAST) + r") (.+)$", text):
        return f"Did {lowered(match[1].strip())} {PAST[match[2]][0]} {match[3]}?"
    return None


def lowered(subject: str) -> str:
    """The text as it stands within a sentence."""
    first = subject.split()[0]
    return subject[0].lower() + subject[1:] if first in _SENTENCE_STARTS or first.lower() in ("there", "these", "those", "some", "many", "most", "all", "several") else subject  # fmt: skip


def statement(question: str, answer: str) -> str | None:
    """A statement made of a question and its answer, in plain, sometimes stiff English; or None."""
    asked = question.strip().rstrip("?").strip()
    low = answer.lower()

    def sentence(text: str) -> str:
        return text[0].upper() + text[1:] + "."

    if m := re.match(r"(?:what|who|which)\s+(is|was|are|were)\s+(.+)$", asked, re.I):
        return sentence(f"{m[2]} {m[1].lower()} {answer}")
    if m := re.match(
        r"(?:in |on )?(?:when|what year|which year|where)\s+(did|was|were)\s+(.+)$", asked, re.I
    ):
        lead = "" if low.startswith(("in ", "on ", "at ", "after ", "before ", "during ", "from ")) else "in "
        words = m[2].split()
        if m[1].lower() != "did":
            for i, word in enumerate(words):
                if i and word in _PARTICIPLES:
                    return sentence(
                        f"{' '.join(words[:i])} {m[1].lower()} {' '.join(words[i:])} {lead}{answer}"
                    )
            return sentence(f"{m[2]} {m[1].lower()} {lead}{answer}")
        bases = {base: past for past, (base, _) in PAST.items()}
        for i, word in enumerate(words):
            if i and word in bases:
                return sentence(
                    f"{' '.join(words[:i])} {bases[word]} {' '.join(words[i + 1 :])} {lead}{answer}".replace(
                        "  ", " "
                    )
                )
        return None
    if m := re.match(
        r"how (?:many|much)\s+([\w-]+(?:\s[\w-]+)?)\s+(did|do|does|was|were|is|are)\s+(.+)$", asked, re.I
    ):
        return sentence(f"{m[3]} {answer} {m[1]}") if m[2].lower() in ("do", "does") else None
    if m := re.match(r"how (?:many|much)\s+(.+)$", asked, re.I):
        return sentence(f"{answer} {m[1]}")
    if m := re.match(
        r"(?:who|which \w+|what \w+|what)\s+((?!did |do |does )\w+ed|[a-z]+s|won|led|made|wrote|took|built|became|gave|held|left|met|sold|beat)\s+(.+)$",
        asked,
    ):
        return sentence(f"{answer} {m[1]} {m[2]}")
    if m := re.match(r"(?:who|what)\s+((?!did |do |does )\w+ .+)$", asked, re.I):
        return sentence(f"{answer} {m[1]}")
    return None


_SPLIT = re.compile(r"(?:(?<=[.!?][\"”’)])|(?<=[.!?]))\s+(?=[\"“‘(A-Z0-9])")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|U\.S|No|vs|Jr|Sr|Gen|Sen|Rep|Gov|Inc|Co|[A-Z])\.$")


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open character ranges of the sentences."""
    out, start = [], 0
    for match in _SPLIT.finditer(text):
        if not _ABBREVIATION.search(text[start : match.start()]):
            out.append((start, match.start()))
            start = match.end()
    out.append((start, len(text)))
    return [(s, e) for s, e in out if e > s]


def lighter(sentence: str) -> str:
    """The sentence without brackets, relative clauses between commas and a lead-in: less said, nothing changed."""
    text = re.sub(
        r", (?:which|who|where|when)\b[^,]*,|\([^)]*\)|^(?:However|Moreover|In addition|Also|Then), ",
        "",
        sentence,
    )
    text = re.sub(r"\s+", " ", text).replace(" ,", ",").replace(" .", ".").strip()
    return text[:1].upper() + text[1:]


def reordered(sentence: str) -> str | None:
    """ "In 1999, X did Y." -> "X did Y in 1999."; or None."""
    if match := re.match(
        r"^((?:In|On|During|After|Before|At|By) [^,]{3,40}), ([A-Z][^,;:]{15,160})\.$", sentence
    ):
        return f"{match[2]} {match[1][0].lower()}{match[1][1:]}."
    return None
