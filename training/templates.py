"""Generated claims about who did what to whom, about rates, units, quantities and times, in plain news English.

Each maker returns (evidence, claim, label) with label as in `training/pairs.py`. Right rewordings are as frequent as
wrong ones, so that wording alone does not give the label away. Names and things are filled in at random; nothing
here comes from a data set or from a test list.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from rag.schema import MONTHS
from training.rewriting import ACTIVE, PASSIVE, PAST, WEEKDAYS, gerund

Made = tuple[str, str, str]
S, R, N, U = "supported", "refuted", "not_stated", "unsupported"

_FIRST = [
    "Anna",
    "Omar",
    "Li",
    "Priya",
    "Carlos",
    "Ingrid",
    "Kofi",
    "Yuki",
    "Elena",
    "Tomas",
    "Fatima",
    "Noah",
    "Mei",
    "Ravi",
    "Sofia",
    "Ahmed",
    "Olga",
    "Peter",
    "Grace",
    "Hassan",
    "Lucia",
    "Sven",
    "Amara",
    "Diego",
    "Ruth",
    "Viktor",
    "Leila",
    "Sam",
    "Nadia",
    "Erik",
]
_LAST = [
    "Keller",
    "Haddad",
    "Okafor",
    "Novak",
    "Sharma",
    "Ruiz",
    "Lind",
    "Tanaka",
    "Petrov",
    "Mensah",
    "Rossi",
    "Becker",
    "Khan",
    "Duarte",
    "Moreau",
    "Kim",
    "Hansen",
    "Patel",
    "Silva",
    "Wong",
    "Bauer",
    "Costa",
    "Reyes",
    "Ivanov",
    "Nagy",
    "Ali",
    "Fischer",
    "Sato",
    "Byrne",
    "Molina",
]
_STATES = [
    "France",
    "Kenya",
    "Brazil",
    "Norway",
    "Japan",
    "Peru",
    "Egypt",
    "India",
    "Chile",
    "Poland",
    "Canada",
    "Ghana",
    "Turkey",
    "Vietnam",
    "Spain",
    "Iran",
    "Serbia",
    "Mexico",
    "Russia",
    "Ukraine",
    "China",
    "Israel",
    "Germany",
    "Nigeria",
    "Pakistan",
    "Greece",
]
_FIRMS = [
    "Norvik Energy",
    "Halden Bank",
    "Tessara",
    "Brightwell",
    "Orion Motors",
    "Calder Steel",
    "Luma Foods",
    "Pacific Air",
    "Zenit Telecom",
    "Arden Pharma",
    "Kestrel Media",
    "Delta Mining",
    "Quill Software",
    "Marlow Rail",
    "Sunda Oil",
    "Vega Shipping",
]
_TEAMS = [
    "Rovers",
    "United",
    "the Lions",
    "the Falcons",
    "City",
    "Athletic",
    "the Tigers",
    "Wanderers",
    "the Sharks",
    "Dynamo",
    "the Kings",
    "Harbour FC",
    "the Royals",
    "Albion",
]
_BODIES = [
    "the city council",
    "the finance ministry",
    "the teachers' union",
    "the high court",
    "the police",
    "the football association",
    "the opposition",
    "the health agency",
    "the parliament",
    "the archbishop",
    "the railway company",
    "the water board",
]
_TAILS = [
    " on {d}",
    " in {m}",
    " last week",
    " over a border dispute",
    " after weeks of talks",
    " in a televised interview",
    " during the campaign",
    " late on {d}",
    " for the second time this year",
    "",
    "",
    " at a hearing in {m}",
]

# base, past, participle, kinds of names (p person, s state, f firm, t team, b body), noun phrase or ""
_DEEDS = [
    row.split("/")
    for row in [
        "attack/attacked/attacked/s/attack on",
        "sue/sued/sued/pfb/lawsuit against",
        "defeat/defeated/defeated/pst/victory over",
        "beat/beat/beaten/pt/win over",
        "accuse of lying/accused of lying/accused of lying/psb/",
        "invade/invaded/invaded/s/invasion of",
        "criticise/criticised/criticised/psfb/criticism of",
        "praise/praised/praised/psfb/praise for",
        "replace/replaced/replaced/pf/",
        "succeed/succeeded/succeeded/p/",
        "acquire/acquired/acquired/f/acquisition of",
        "buy/bought/bought/f/purchase of",
        "invite/invited/invited/ps/invitation to",
        "visit/visited/visited/p/visit to",
        "threaten/threatened/threatened/ps/threat against",
        "warn/warned/warned/psfb/warning to",
        "condemn/condemned/condemned/psb/condemnation of",
        "back/backed/backed/psb/",
        "support/supported/supported/psfb/support for",
        "endorse/endorsed/endorsed/p/endorsement of",
        "dismiss/dismissed/dismissed/p/dismissal of",
        "appoint/appointed/appointed/p/appointment of",
        "nominate/nominated/nominated/p/nomination of",
        "outbid/outbid/outbid/pf/",
        "overtake/overtook/overtaken/pstf/",
        "rescue/rescued/rescued/pf/rescue of",
        "shoot/shot/shot/p/",
        "injure/injured/injured/p/",
        "hire/hired/hired/p/hiring of",
        "sponsor/sponsored/sponsored/f/sponsorship of",
        "lend money to/lent money to/lent money/sfp/loan to",
        "arrest/arrested/arrested/p/arrest of",
        "marry off/married off/married off/p/",
        "outscore/outscored/outscored/t/",
        "host/hosted/hosted/pst/",
        "supply/supplied/supplied/sf/",
        "owe money to/owed money to//pf/",
        "interview/interviewed/interviewed/p/interview with",
        "elect/elected/elected/p/election of",
        "sanction/sanctioned/sanctioned/s/sanctions on",
        "recognise/recognised/recognised/s/recognition of",
        "fine/fined/fined/fb/fine against",
        "teach/taught/taught/p/",
        "follow/followed/followed/pt/",
        "pay/paid/paid/psfb/payment to",
        "help/helped/helped/pstfb/help for",
    ]
]
_PEOPLE_AROUND = (
    "The news was confirmed by officials.", "Observers had expected it.", "Details were not released.",
    "The talks are to go on next week.", "It drew a crowd of reporters.", "Markets hardly moved.",
    "A spokesman declined to comment.", "The weather was unusually warm.", "The two sides had met before.",
)  # fmt: skip


def _person(rng: random.Random) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def _two(kinds: str, rng: random.Random) -> tuple[str, str]:
    pools = {"s": _STATES, "f": _FIRMS, "t": _TEAMS, "b": _BODIES}
    while True:
        a, b = (
            _person(rng) if (kind := rng.choice(kinds)) == "p" else rng.choice(pools[kind]) for _ in range(2)
        )
        if a != b and a.split()[-1] != b.split()[-1]:
            return a, b


def _tail(rng: random.Random) -> str:
    return rng.choice(_TAILS).format(
        d=rng.choice(WEEKDAYS), m=f"{rng.choice(MONTHS)} {rng.randrange(2010, 2026)}"
    )


def _cap(text: str) -> str:
    return text[0].upper() + text[1:]


def _around(text: str, rng: random.Random) -> str:
    parts = [text]
    if rng.random() < 0.45:
        parts.insert(rng.randrange(2), rng.choice(_PEOPLE_AROUND))
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
    a, b = rng.sample(_TEAMS, 2) if rng.random() < 0.6 else _two("ps", rng)
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


_MEASURES = [
    "unemployment",
    "the price of bread",
    "the rate of inflation",
    "the share of women on boards",
    "support for the party",
    "the company's revenue",
    "the number of visitors",
    "rents in the capital",
    "the water level",
    "exports of coal",
    "the key interest rate",
    "the price of oil",
    "sales of electric cars",
    "the budget deficit",
    "average wages",
    "turnout",
    "the death rate",
    "crime",
    "net profit",
    "ticket prices",
    "production of steel",
    "the fare",
]


def rates(rng: random.Random) -> Made:
    thing = rng.choice(_MEASURES)
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


_SUMS = [
    "The bridge will cost {x}",
    "The province set aside {x} for new schools",
    "The company paid a fine of {x}",
    "Donors gave {x}",
    "The loan amounts to {x}",
    "The film earned {x}",
    "The flood caused damage of {x}",
    "The bank lost {x}",
    "The club spent {x} on players",
    "The state owes {x}",
]
_COUNTS = [
    "{x} people were moved to safety",
    "The virus infected {x} people",
    "{x} homes are without power",
    "The app has {x} users",
    "{x} voters are registered",
    "The strike affected {x} passengers",
]


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
    sentence = rng.choice(_SUMS if money else _COUNTS)
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


_EQUAL = (
    ("90 minutes", "an hour and a half"), ("two hours", "120 minutes"), ("half an hour", "30 minutes"), ("two weeks", "14 days"),
    ("a dozen", "12"), ("a quarter", "25%"), ("half", "50%"), ("a third", "one in three"), ("three quarters", "75%"),
    ("two years", "24 months"), ("18 months", "a year and a half"), ("one in five", "20%"), ("2 km", "2,000 metres"),
    ("half a million", "500,000"), ("a fortnight", "two weeks"), ("per cent", "%"), ("3 tonnes", "3,000 kg"), ("48 hours", "two days"),
)  # fmt: skip
_LENGTHS = [
    "The hearing lasted {x}",
    "The outage went on for {x}",
    "Repairs will take {x}",
    "The strike has lasted {x}",
]
_PARTS = [
    "{x} of the members voted for the plan",
    "{x} of the flats stand empty",
    "{x} of the trains were late",
    "{x} of the harvest was lost",
]


def same_measure(rng: random.Random) -> Made:
    pairs = [
        p
        for p in _EQUAL
        if any(w in p[0] + p[1] for w in ("minute", "hour", "week", "day", "month", "year", "fortnight"))
    ]
    parts = [
        ("a quarter", "25%"),
        ("half", "50%"),
        ("a third", "one in three"),
        ("three quarters", "75%"),
        ("one in five", "20%"),
        ("a tenth", "10 per cent"),
        ("two thirds", "two in three"),
    ]
    pool, sentence = (pairs, rng.choice(_LENGTHS)) if rng.random() < 0.5 else (parts, rng.choice(_PARTS))
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
    if set(first) & set(other) or {"half an hour", "30 minutes"} & set(first + other):
        other = ("five years", "60 months") if pool is pairs else ("nine in ten", "90%")
    return evidence, _cap(sentence.format(x=rng.choice(other))) + ".", R


_GROUPS = [
    "of the passengers were injured",
    "of the seats were sold",
    "of the workers returned",
    "of the villages have power again",
    "of the ministers resigned",
    "of the schools reopened",
    "of the suspects confessed",
    "of the money was found",
]


def quantifiers(rng: random.Random) -> Made:
    if rng.random() < 0.5:
        group = rng.choice(_GROUPS)
        said = rng.choice(("All", "Most", "Some", "A few", "None", "Half", "Many", "Only one", "Nearly all"))
        same = {
            "All": ("Every one",),
            "Most": ("The majority", "More than half"),
            "Some": ("A number",),
            "A few": ("A handful",),
            "None": ("Not one",),
            "Half": ("50%",),
            "Many": ("A large number",),
            "Only one": ("Just one",),
            "Nearly all": ("Almost all",),
        }
        no = {
            "All": "Some but not all|None|Half",
            "Most": "All|None|A few",
            "Some": "All|None|Most",
            "A few": "Most|All|None",
            "None": "Some|All|Many",
            "Half": "All|None|Nearly all",
            "Many": "All|None",
            "Only one": "All|Most|None",
            "Nearly all": "All|None|Half",
        }
        evidence = _around(f"{said} {group}{_tail(rng)}.", rng)
        if rng.random() < 0.5:
            return evidence, f"{rng.choice((said, *same[said]))} {group}.", S
        return evidence, f"{rng.choice(no[said].split('|'))} {group}.", U
    n = rng.choice((30, 50, 120, 200, 400, 1000, 2500, 40000))
    noun = rng.choice(
        (
            "people attended",
            "houses were flooded",
            "soldiers took part",
            "jobs will be cut",
            "flights were cancelled",
            "trees were felled",
        )
    )
    alike = [
        ("more than", "over"),
        ("at least", "no fewer than"),
        ("up to", "as many as"),
        ("nearly", "almost"),
        ("about", "around"),
        ("fewer than", "less than"),
        ("exactly", "precisely"),
    ]
    opposite = {
        "more than": "fewer than|exactly|up to",
        "at least": "fewer than|at most",
        "up to": "more than|at least",
        "nearly": "more than|exactly",
        "about": "at least twice|fewer than half of",
        "fewer than": "more than|exactly|at least",
        "exactly": "more than|fewer than",
    }
    pair = rng.choice(alike)
    evidence = _around(f"{_cap(rng.choice(pair))} {n:,} {noun}{_tail(rng)}.", rng)
    if rng.random() < 0.5:
        return evidence, f"{_cap(rng.choice(pair))} {n:,} {noun}.", S
    return evidence, f"{_cap(rng.choice(opposite[pair[0]].split('|')))} {n:,} {noun}.", U


_EVENTS = [
    "the vote",
    "the storm",
    "the verdict",
    "the talks",
    "the strike",
    "the match",
    "the funeral",
    "the summit",
    "the merger",
    "the election",
    "the fire",
    "the trial",
]
_STEPS = [
    "{p} resigned",
    "{p} left the country",
    "the road was closed",
    "the prices went up",
    "the school was evacuated",
    "{p} met the governor",
    "the shares were suspended",
    "the lights went out",
]


_PRESENT = {"led": "leads", "lived": "lives", "chaired": "chairs", "coached": "coaches", "edited": "edits"}


def times(rng: random.Random) -> Made:
    step, event = rng.choice(_STEPS).format(p=_person(rng)), rng.choice(_EVENTS)
    kind = rng.randrange(3)
    if kind == 0:
        after = rng.random() < 0.5
        word = "after" if after else "before"
        told = rng.choice((f"{step} {word} {event}", f"{word} {event}, {step}"))
        evidence = _around(_cap(told) + ".", rng)
        right = (
            f"{step} {word} {event}",
            f"{event} came {'before' if after else 'after'} {step.replace(' was', ' had been', 1) if ' was' in step else step}",
            f"{word} {event}, {step}",
        )
        wrong = (
            f"{step} {'before' if after else 'after'} {event}",
            f"{'before' if after else 'after'} {event}, {step}",
            f"{step} during {event}",
        )
        good = rng.random() < 0.5
        return evidence, _cap(rng.choice(right if good else wrong)) + ".", S if good else R
    if kind == 1:
        year = rng.randrange(1990, 2026)
        who, what = (
            _person(rng),
            rng.choice(
                (
                    "has led the union",
                    "has lived in Lisbon",
                    "has chaired the board",
                    "has coached the team",
                    "has edited the paper",
                )
            ),
        )
        lived = what.replace("has ", "")
        lives = _PRESENT[lived.split()[0]] + lived[lived.index(" ") :]
        since = rng.random() < 0.5
        evidence = _around(f"{who} {what} since {year}." if since else f"{who} {lived} until {year}.", rng)
        right_ones = (
            (
                f"{who} {lived} from {year} on",
                f"{who} still {lives}",
            )
            if since
            else (
                f"{who} {lived} up to {year}",
                f"{who} no longer {lives}",
            )
        )
        wrong_ones = (
            (f"{who} {lived} until {year}", f"{who} stopped in {year}")
            if since
            else (f"{who} {what} since {year}", f"{who} began in {year}")
        )
        good = rng.random() < 0.5
        return evidence, rng.choice(right_ones if good else wrong_ones) + ".", S if good else R
    day, month = rng.randrange(1, 29), rng.choice(MONTHS)
    weekday = rng.choice(WEEKDAYS)
    evidence = _around(
        f"{_cap(step)} on {weekday}, {day} {month}."
        if rng.random() < 0.5
        else f"On {month} {day}, a {weekday}, {step}.",
        rng,
    )
    if rng.random() < 0.5:
        return (
            evidence,
            _cap(
                rng.choice(
                    (
                        f"{step} on {weekday}.",
                        f"{step} on {month} {day}.",
                        f"{step} on the {day}th of {month}.",
                        f"{step} in {month}.",
                    )
                )
            ),
            S,
        )
    other_day, other_month = (
        rng.choice([d for d in WEEKDAYS if d != weekday]),
        rng.choice([m for m in MONTHS if m != month]),
    )
    return (
        evidence,
        _cap(
            rng.choice(
                (
                    f"{step} on {other_day}.",
                    f"{step} on {other_month} {day}.",
                    f"{step} on {month} {day + 1}.",
                    f"{step} in {other_month}.",
                )
            )
        ),
        R,
    )


_SAYINGS = [
    "taxes would fall next year",
    "the plant would close",
    "the dam was safe",
    "the army had withdrawn",
    "a deal was near",
    "the figures were wrong",
    "the flight had been cancelled",
    "there was no danger",
    "the vaccine worked",
    "the budget would be balanced",
]


def speakers(rng: random.Random) -> Made:
    a, b = (_person(rng), _person(rng))
    if a.split()[-1] == b.split()[-1]:
        b = "Hans Zeller"
    first, second = rng.sample(_SAYINGS, 2)
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
    a, b, c = rng.sample(_STATES + _FIRMS, 3)
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


_ACTS = [
    row.split("/")
    for row in [
        "the mayor/open/the bridge",
        "the court/approve/the merger",
        "the army/occupy/the airport",
        "the union/reject/the offer",
        "the bank/release/the figures",
        "the minister/sign/the treaty",
        "the company/close/the plant",
        "the police/arrest/the owner",
        "the government/ban/the rally",
        "the president/veto/the bill",
        "the club/sell/the striker",
        "the crew/abandon/the ship",
        "the rebels/release/the hostages",
        "the airline/cancel/the order",
        "the judge/dismiss/the case",
        "the council/adopt/the budget",
        "the firm/dismiss/400 workers",
        "the captain/leave/the club",
        "the hackers/publish/the files",
        "the driver/hit/the cyclist",
        "the storm/destroy/the pier",
        "the flood/damage/the archive",
        "the fire/reach/the village",
        "the senator/win/the seat",
        "the team/lose/the final",
        "the treasurer/steal/the money",
        "the general/order/the attack",
        "the nurse/kill/two patients",
        "the drugmaker/withdraw/the vaccine",
        "the state/buy/the island",
    ]
]


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
