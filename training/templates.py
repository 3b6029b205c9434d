"""Generated claims about who did what to whom, about rates, units, quantities and times, in plain news English.

Each maker returns (evidence, claim, label) with label as in `training/pairs.py`. Right rewordings are as frequent as
wrong ones, so that wording alone does not give the label away. Names and things are filled in at random; nothing
here comes from a data set or from a test list.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from rag.schema import MONTHS, WEEKDAYS
from training.rewriting import ACTIVE, PASSIVE, PAST, WORDS, gerund

Made = tuple[str, str, str]
S, R, N, U = "supported", "refuted", "not_stated", "unsupported"


_DEEDS = [row.split("/") for row in WORDS["deeds"]]  # base, past, participle, kinds of names, noun or ""
_ACTS = [row.split("/") for row in WORDS["acts"]]  # doer, base, thing
_EQUAL_TIMES = [row.split("/") for row in WORDS["equal_times"]]
_EQUAL_SHARES = [row.split("/") for row in WORDS["equal_shares"]]
_SHARES = [row.split("/") for row in WORDS["shares"]]  # said, what says the same, what says something else
_HEDGES = [row.split("/") for row in WORDS["hedges"]]  # two that say the same, what says something else


def _person(rng: random.Random) -> str:
    return f"{rng.choice(WORDS['first_names'])} {rng.choice(WORDS['last_names'])}"


def _two(kinds: str, rng: random.Random) -> tuple[str, str]:
    pools = {"s": WORDS["states"], "f": WORDS["firms"], "t": WORDS["teams"], "b": WORDS["bodies"]}
    while True:
        a, b = (
            _person(rng) if (kind := rng.choice(kinds)) == "p" else rng.choice(pools[kind]) for _ in range(2)
        )
        if a != b and a.split()[-1] != b.split()[-1]:
            return a, b


def _tail(rng: random.Random) -> str:
    return rng.choice(WORDS["tails"]).format(
        d=rng.choice(WEEKDAYS), m=f"{rng.choice(MONTHS)} {rng.randrange(2010, 2026)}"
    )


def _cap(text: str) -> str:
    return text[0].upper() + text[1:]


def _around(text: str, rng: random.Random) -> str:
    parts = [text]
    if rng.random() < 0.45:
        parts.insert(rng.randrange(2), rng.choice(WORDS["beside"]))
    return " ".join(parts)


def _deed_forms(deed: list[str], a: str, b: str, tail: str) -> list[str]:
    """The deed of `a` to `b` told in several ways."""
    base, past, participle, _, noun = deed
    forms = [f"{a} {past} {b}{tail}.", f"It was {a} that {past} {b}{tail}."]
    if participle:
        forms += [f"{b} was {participle} by {a}{tail}."]
    if noun:
        forms += [f"{a}'s {noun} {b} came{tail or ' on ' + WEEKDAYS[len(a) % 7]}."] if tail else []
    if " " not in base:
        forms += [f"{b} did not {base} {a}; {a} {past} {b}{tail}."]
    return [_cap(f) for f in forms]


def roles(rng: random.Random) -> Made:
    deed = rng.choice(_DEEDS)
    a, b = _two(deed[3], rng)
    tail = _tail(rng)
    evidence = _around(rng.choice(_deed_forms(deed, a, b, tail)), rng)
    if rng.random() < 0.25:  # a third party, who did it to someone else or to whom someone else did it
        c, d = _two(deed[3], rng)
        evidence += " " + rng.choice(
            _deed_forms(rng.choice([x for x in _DEEDS if x[3] == deed[3]] or [deed]), c, d, "")
        )
        if len({a, b, c, d}) == 4 and rng.random() < 0.5:
            x, y = rng.choice(((a, d), (c, b)))
            return evidence, rng.choice(_deed_forms(deed, x, y, ""))[:], U
    said = tail if rng.random() < 0.5 else ""
    if rng.random() < 0.5:
        return evidence, rng.choice(_deed_forms(deed, a, b, said)[:3]), S
    return evidence, rng.choice(_deed_forms(deed, b, a, said)[:3]), U


def games(rng: random.Random) -> Made:
    a, b = rng.sample(WORDS["teams"], 2) if rng.random() < 0.6 else _two("ps", rng)
    low = rng.randrange(0, 4)
    high = low + rng.randrange(1, 4)
    tail = _tail(rng)
    won = [
        f"{a} beat {b} {high}-{low}{tail}.", f"{b} lost {low}-{high} to {a}{tail}.", f"{a} won {high}-{low} against {b}{tail}.",
        f"{b} were beaten {high}-{low} by {a}{tail}.", f"A {high}-{low} win over {b} put {a} through{tail}.",
    ]  # fmt: skip
    evidence = _around(_cap(rng.choice(won)), rng)
    right = [
        f"{a} beat {b}.",
        f"{b} lost to {a}.",
        f"{a} won against {b}.",
        f"{a} scored {high} and {b} {low}.",
        f"{a} were the winners.",
    ]
    wrong = [
        f"{b} beat {a}.",
        f"{a} lost to {b}.",
        f"{b} won against {a}.",
        f"{a} and {b} drew.",
        f"{b} won {high}-{low}.",
        f"{b} were the winners.",
    ]
    good = rng.random() < 0.5
    return evidence, _cap(rng.choice(right if good else wrong)), S if good else R


def rates(rng: random.Random) -> Made:
    thing = rng.choice(WORDS["measures"])
    up = rng.random() < 0.5
    unit = rng.choice(
        ("%", "%", " per cent", " million euros", " percentage points", " dollars", ",000", " points")
    )
    start, step = rng.randrange(10, 90), rng.randrange(1, 9)
    end = start + step if up else start - step
    if end == step:
        end, start = end + 1, start + 1
    a, b, c = (f"{n}{unit}" for n in (step, end, start))
    ups, downs = (
        ("rose", "climbed", "increased", "went up", "grew"),
        ("fell", "dropped", "declined", "went down", "sank"),
    )
    right, wrong = (ups, downs) if up else (downs, ups)
    verb = rng.choice(right)
    tail = _tail(rng) if rng.random() < 0.6 else ""
    told = {
        "all": f"{thing} {verb} by {a} to {b}, from {c}{tail}.",
        "by_to": f"{thing} {verb} by {a} to {b}{tail}.",
        "from_to": f"{thing} {verb} from {c} to {b}{tail}.",
        "to": f"{thing} {verb} to {b}{tail}.",
        "by": f"{thing} {verb} by {a}{tail}.",
        "was": f"{thing} was {b}{tail}, {'up' if up else 'down'} from {c}.",
        "a": f"A{'n increase' if up else ' fall'} of {a} brought {thing} to {b}{tail}.",
    }
    kind = rng.choice(list(told))
    evidence = _around(_cap(told[kind]), rng)
    knows_by, knows_to, knows_from = (
        kind in ("all", "by_to", "by", "a"),
        kind != "by",
        kind in ("all", "from_to", "was"),
    )
    other = rng.choice(right)
    claims: list[tuple[str, str]] = [(f"{thing} {rng.choice(wrong)}.", R), (f"{thing} {other}.", S)]
    if knows_by:
        claims += [
            (f"{thing} {other} by {a}.", S),
            (f"{thing} {other} to {a}.", U),
            (f"{thing} {rng.choice(wrong)} by {a}.", R),
            (f"{thing} was {a} higher." if up else f"{thing} was {a} lower.", S),
        ]
    if knows_to:
        claims += [
            (f"{thing} {other} to {b}.", S),
            (f"{thing} {other} by {b}.", U),
            (f"{thing} stood at {b}.", S),
            (f"{thing} {other} from {b}.", U),
            (f"{thing} {rng.choice(wrong)} to {b}.", R),
        ]
    if knows_from:
        claims += [
            (f"{thing} had been {c}.", S),
            (f"{thing} {other} to {c}.", R),
            (f"{thing} is now {c}.", R),
            (f"{thing} {other} from {c}.", S),
        ]
    good = rng.random() < 0.5
    claim, label = rng.choice([x for x in claims if (x[1] == S) is good])
    return evidence, _cap(claim), label


def _written(value: int, rng: random.Random) -> list[str]:
    """Several ways of writing a whole number, the plain one first."""
    out = [f"{value:,}"]
    for size, word in (
        (10**12, "trillion"),
        (10**9, "billion"),
        (10**6, "million"),
        (10**7, "crore"),
        (10**5, "lakh"),
    ):
        count = value / size
        if 0.5 <= count < 1000 and round(count, 2) == count:
            out.append(f"{count:g} {word}")
    return out


def sizes(rng: random.Random) -> Made:
    value = rng.choice((15, 2, 25, 120, 5, 7, 34, 450, 62, 8)) * 10 ** rng.randrange(4, 9)
    money = rng.random() < 0.6
    mark = rng.choice(("₹", "$", "€", "£", "Rs ")) if money else ""
    sentence = rng.choice(WORDS["sums"] if money else WORDS["counts"])
    ways = _written(value, rng)
    evidence = _around(_cap(sentence.format(x=mark + rng.choice(ways)) + "."), rng)
    if rng.random() < 0.5:
        return evidence, _cap(sentence.format(x=mark + rng.choice(ways)) + "."), S
    if money and rng.random() < 0.25:
        wrong = rng.choice([m for m in ("₹", "$", "€", "£") if m != mark]) + rng.choice(ways)
    else:
        wrong = mark + rng.choice(
            _written(
                value * rng.choice((10, 100, 1000))
                if rng.random() < 0.5
                else max(1, value // rng.choice((10, 100, 1000))),
                rng,
            )
        )
        if rng.random() < 0.4:
            count = ways[-1].split()[0]
            wrong = mark + count + rng.choice(("", " thousand"))
    return evidence, _cap(sentence.format(x=wrong) + "."), R


def same_measure(rng: random.Random) -> Made:
    is_time = rng.random() < 0.5
    pool, sentence = (
        (_EQUAL_TIMES, rng.choice(WORDS["lengths"]))
        if is_time
        else (_EQUAL_SHARES, rng.choice(WORDS["parts"]))
    )
    first = rng.choice(pool)
    other = rng.choice([p for p in pool if p != first])
    evidence = _around(_cap(sentence.format(x=rng.choice(first))) + ".", rng)
    if rng.random() < 0.5:
        return evidence, _cap(sentence.format(x=rng.choice(first))) + ".", S
    if rng.random() < 0.4 and first[0][0].isdigit():
        count, unit = first[0].split()
        wrong = (
            f"{count} {rng.choice([u for u in ('minutes', 'hours', 'days', 'weeks', 'months') if u != unit])}"
        )
        return evidence, _cap(sentence.format(x=wrong)) + ".", R
    if set(first) & set(other) or {"half an hour", "30 minutes"} & {*first, *other}:
        other = ["five years", "60 months"] if is_time else ["nine in ten", "90%"]
    return evidence, _cap(sentence.format(x=rng.choice(other))) + ".", R


def quantifiers(rng: random.Random) -> Made:
    """What share of a group, or about how many."""
    if rng.random() < 0.5:
        group = rng.choice(WORDS["groups"])
        said, alike, no = rng.choice(_SHARES)
        evidence = _around(f"{said} {group}{_tail(rng)}.", rng)
        if rng.random() < 0.5:
            return evidence, f"{rng.choice((said, *alike.split('|')))} {group}.", S
        return evidence, f"{rng.choice(no.split('|'))} {group}.", U
    n = rng.choice((30, 50, 120, 200, 400, 1000, 2500, 40000))
    counted = f"{n:,} {rng.choice(WORDS['counted'])}"
    *alike_pair, no = rng.choice(_HEDGES)
    evidence = _around(f"{_cap(rng.choice(alike_pair))} {counted}{_tail(rng)}.", rng)
    if rng.random() < 0.5:
        return evidence, f"{_cap(rng.choice(alike_pair))} {counted}.", S
    return evidence, f"{_cap(rng.choice(no.split('|')))} {counted}.", U


_PRESENT = {"led": "leads", "lived": "lives", "chaired": "chairs", "coached": "coaches", "edited": "edits"}


def times(rng: random.Random) -> Made:
    """What came before what, since or until when, or on which day."""
    step, event = rng.choice(WORDS["steps"]).format(p=_person(rng)), rng.choice(WORDS["events"])
    return rng.choice((_order, _period, _day))(step, event, rng)


def _order(step: str, event: str, rng: random.Random) -> Made:
    is_after = rng.random() < 0.5
    word, other = ("after", "before") if is_after else ("before", "after")
    evidence = _around(_cap(rng.choice((f"{step} {word} {event}", f"{word} {event}, {step}"))) + ".", rng)
    right = (
        f"{step} {word} {event}",
        f"{event} came {other} {step.replace(' was', ' had been', 1)}",
        f"{word} {event}, {step}",
    )
    wrong = (f"{step} {other} {event}", f"{other} {event}, {step}", f"{step} during {event}")
    good = rng.random() < 0.5
    return evidence, _cap(rng.choice(right if good else wrong)) + ".", S if good else R


def _period(step: str, event: str, rng: random.Random) -> Made:
    year, who = rng.randrange(1990, 2026), _person(rng)
    what = rng.choice(
        ("led the union", "lived in Lisbon", "chaired the board", "coached the team", "edited the paper")
    )
    now = _PRESENT[what.split()[0]] + what[what.index(" ") :]
    is_open = rng.random() < 0.5
    evidence = _around(f"{who} has {what} since {year}." if is_open else f"{who} {what} until {year}.", rng)
    told = {
        True: (f"{who} {what} from {year} on", f"{who} still {now}"),
        False: (f"{who} {what} up to {year}", f"{who} no longer {now}"),
    }
    wrong = {
        True: (f"{who} {what} until {year}", f"{who} stopped in {year}"),
        False: (f"{who} has {what} since {year}", f"{who} began in {year}"),
    }
    good = rng.random() < 0.5
    return evidence, rng.choice((told if good else wrong)[is_open]) + ".", S if good else R


def _day(step: str, event: str, rng: random.Random) -> Made:
    day, month = rng.randrange(1, 29), rng.choice(MONTHS)
    weekday = rng.choice(WEEKDAYS)
    evidence = _around(
        f"{_cap(step)} on {weekday}, {day} {month}."
        if rng.random() < 0.5
        else f"On {month} {day}, a {weekday}, {step}.",
        rng,
    )
    if rng.random() < 0.5:
        whens, label = (f"on {weekday}", f"on {month} {day}", f"on the {day}th of {month}", f"in {month}"), S
    else:
        other_day = rng.choice([d for d in WEEKDAYS if d != weekday])
        other = rng.choice([m for m in MONTHS if m != month])
        whens, label = (f"on {other_day}", f"on {other} {day}", f"on {month} {day + 1}", f"in {other}"), R
    return evidence, f"{_cap(step)} {rng.choice(whens)}.", label


def speakers(rng: random.Random) -> Made:
    a, b = (_person(rng), _person(rng))
    if a.split()[-1] == b.split()[-1]:
        b = "Hans Zeller"
    first, second = rng.sample(WORDS["sayings"], 2)
    verb = rng.choice(("said", "told reporters", "announced", "claimed", "insisted"))
    evidence = (
        f"{a} {verb} that {first}. {b} said {second}."
        if rng.random() < 0.6
        else f"“{_cap(first)},” {a} said, while {b} {verb} that {second}."
    )
    options = [
        (f"{a} said {first}.", S),
        (f"According to {b}, {second}.", S),
        (f"{b} said {first}.", U),
        (f"{a} said {second}.", U),
        (f"According to {a}, {second}.", U),
        (f"{b} denied that {second}.", R),
        (f"It was {b} who said {second}.", S),
    ]
    good = rng.random() < 0.5
    claim, label = rng.choice([o for o in options if (o[1] == S) is good])
    return evidence, claim, label


def comparisons(rng: random.Random) -> Made:
    a, b, c = rng.sample(WORDS["states"] + WORDS["firms"], 3)
    more, less, noun, top = rng.choice((
        ("larger", "smaller", "budget", "largest"), ("higher", "lower", "debt", "highest"), ("older", "younger", "workforce", "oldest"),
        ("longer", "shorter", "coast line", "longest"), ("faster", "slower", "network", "fastest"), ("richer", "poorer", "sponsor", "richest"),
    ))  # fmt: skip
    evidence = _around(rng.choice((
        f"{a} has a {more} {noun} than {b}.", f"{b} has a {less} {noun} than {a}.", f"The {noun} of {a} is {more} than that of {b}.",
        f"{a} has the {top} {noun}, followed by {b} and {c}.", f"{a} came first in the ranking of the {top} {noun}s, ahead of {b}; {c} came third.",
    )), rng)  # fmt: skip
    right = (
        f"{a} has a {more} {noun} than {b}.",
        f"{b} has a {less} {noun} than {a}.",
        f"{a}'s {noun} is {more} than {b}'s.",
    )
    wrong = (
        f"{b} has a {more} {noun} than {a}.",
        f"{a} has a {less} {noun} than {b}.",
        f"{b}'s {noun} is {more} than {a}'s.",
        f"{b} has the {top} {noun} of the two.",
    )
    good = rng.random() < 0.5
    return evidence, rng.choice(right if good else wrong), S if good else R


def deeds(rng: random.Random) -> Made:
    """Whether something was done: planned, nearly, denied, feared, done."""
    doer, base, thing = rng.choice(_ACTS)
    if rng.random() < 0.4 and doer not in ("the storm", "the flood", "the fire"):
        doer = _person(rng)
    past, done = next(((v, d) for v, (b, d) in PAST.items() if b == base), (base + "ed", base + "ed"))
    tail = _tail(rng)
    number = (
        thing[0].isdigit()
        or thing.startswith("two ")
        or thing in ("the files", "the hostages", "the figures")
    )
    forms = {
        "B": base,
        "V": past,
        "P": done,
        "G": gerund(base),
        "is": "are" if number else "is",
        "was": "were" if number else "was",
        "has": "have" if number else "has",
    }
    is_active = rng.random() < 0.6
    table = ACTIVE if is_active else PASSIVE
    put = (
        (lambda p: f"{doer} {p.format(**forms)} {thing}")
        if is_active
        else (lambda p: f"{thing} {p.format(**forms)}")
    )
    (label, row), (_, other) = rng.sample(list(table), 2)
    plain = [
        f"{doer} {past} {thing}",
        f"{thing} {forms['was']} {done} by {doer}",
        f"{thing} {forms['was']} {done}",
    ]
    draw = rng.random()
    said = rng.choice(row)
    if draw < 0.3:
        return (
            _around(_cap(put(said)) + tail + ".", rng),
            _cap(rng.choice(plain)) + ".",
            label if is_active or label == "refuted" else N,
        )
    if draw < 0.5:
        return _around(_cap(put(said)) + tail + ".", rng), _cap(put(rng.choice(row))) + ".", S
    if draw < 0.62:
        return _around(_cap(put(said)) + tail + ".", rng), _cap(put(rng.choice(other))) + ".", U
    if draw < 0.72:
        return (
            _around(_cap(rng.choice(plain[:2])) + tail + ".", rng),
            _cap(put(said)) + ".",
            R if label == "refuted" else U,
        )
    return _around(_cap(rng.choice(plain[:2])) + tail + ".", rng), _cap(rng.choice(plain)) + ".", S


MAKERS: tuple[tuple[Callable[[random.Random], Made], float], ...] = (
    (roles, 0.3), (games, 0.08), (rates, 0.16), (sizes, 0.12), (same_measure, 0.06), (quantifiers, 0.08),
    (times, 0.09), (speakers, 0.06), (comparisons, 0.05), (deeds, 0.3),
)  # fmt: skip


def made(count: int, rng: random.Random) -> list[Made]:
    """`count` generated claims."""
    makers = rng.choices([m for m, _ in MAKERS], [w for _, w in MAKERS], k=count)
    return [maker(rng) for maker in makers]
