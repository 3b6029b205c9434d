"""Names in English text and when two of them are the same: capitals, titles, initials, spellings, a table of countries.

Pure: rules over letters, no model. It does not know who or what a name stands for, and it reads nothing from text
without capitals. The tables hold common world usage (abbreviations, renamings, demonyms), not a corpus.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.schema import Span
from rag.text import fold


def _set(line: str) -> frozenset[str]:
    return frozenset(line.split())


# --- tables ---------------------------------------------------------------------------------------------------------

# One name per line, its other forms after it: what a careful reader takes as the same.
_ALIASES = """
united states: us, u.s., usa, u.s.a., america, united states of america, american, americans
united kingdom: uk, u.k., britain, great britain, british, briton, britons
european union: eu, e.u.
united nations: un, u.n., united nations organization
facebook: meta, meta platforms
twitter: x
google: alphabet
kyiv: kiev
beijing: peking
mumbai: bombay
kolkata: calcutta
chennai: madras
istanbul: constantinople
ho chi minh city: saigon
yangon: rangoon
lviv: lvov
nato: north atlantic treaty organization, n.a.t.o.
world health organization: who, w.h.o., world health organisation
international monetary fund: imf
world trade organization: wto, world trade organisation
cia: central intelligence agency
fbi: federal bureau of investigation
nasa: national aeronautics and space administration
white house: white house
czech republic: czechia, czech, czechs
myanmar: burma, burmese
turkey: turkiye, turkish, turk, turks
ivory coast: cote d'ivoire, ivorian, ivorians
eswatini: swaziland, swazi
north macedonia: macedonian
democratic republic of congo: drc, dr congo, democratic republic of the congo
united arab emirates: uae, u.a.e., emirati, emiratis
saudi arabia: saudi, saudis, saudi arabian, ksa
south korea: south korean, south koreans, republic of korea
north korea: north korean, north koreans, dprk
new zealand: new zealander, new zealanders
south africa: south african, south africans
sri lanka: sri lankan, sri lankans
netherlands: holland, dutch
russia: russian, russians, russian federation
soviet union: ussr, u.s.s.r., soviet, soviets
ukraine: ukrainian, ukrainians
china: chinese, people's republic of china, prc
japan: japanese
india: indian, indians
pakistan: pakistani, pakistanis
bangladesh: bangladeshi, bangladeshis
afghanistan: afghan, afghans
iran: iranian, iranians, islamic republic of iran
iraq: iraqi, iraqis
israel: israeli, israelis
palestine: palestinian, palestinians
syria: syrian, syrians
lebanon: lebanese
jordan: jordanian, jordanians
egypt: egyptian, egyptians
libya: libyan, libyans
tunisia: tunisian, tunisians
algeria: algerian, algerians
morocco: moroccan, moroccans
sudan: sudanese
south sudan: south sudanese
ethiopia: ethiopian, ethiopians
somalia: somali, somalis
kenya: kenyan, kenyans
uganda: ugandan, ugandans
tanzania: tanzanian, tanzanians
rwanda: rwandan, rwandans
nigeria: nigerian, nigerians
niger: nigerien, nigeriens
ghana: ghanaian, ghanaians
mali: malian, malians
senegal: senegalese
zimbabwe: zimbabwean, zimbabweans
zambia: zambian, zambians
yemen: yemeni, yemenis
qatar: qatari, qataris
kuwait: kuwaiti, kuwaitis
france: french, frenchman, frenchmen
germany: german, germans
italy: italian, italians
spain: spanish, spaniard, spaniards
portugal: portuguese
ireland: irish
scotland: scottish, scot, scots
wales: welsh
england: english
poland: polish, pole, poles
hungary: hungarian, hungarians
romania: romanian, romanians
bulgaria: bulgarian, bulgarians
greece: greek, greeks
austria: austrian, austrians
switzerland: swiss
belgium: belgian, belgians
sweden: swedish, swede, swedes
norway: norwegian, norwegians
denmark: danish, dane, danes
finland: finnish, finn, finns
iceland: icelandic, icelander, icelanders
estonia: estonian, estonians
latvia: latvian, latvians
lithuania: lithuanian, lithuanians
belarus: belarusian, belarusians
moldova: moldovan, moldovans
georgia: georgian, georgians
armenia: armenian, armenians
azerbaijan: azerbaijani, azerbaijanis, azeri, azeris
kazakhstan: kazakh, kazakhs, kazakhstani
uzbekistan: uzbek, uzbeks
serbia: serbian, serbians, serb, serbs
croatia: croatian, croatians, croat, croats
slovenia: slovenian, slovenians, slovene, slovenes
slovakia: slovak, slovaks
bosnia: bosnian, bosnians
kosovo: kosovar, kosovars
albania: albanian, albanians
cyprus: cypriot, cypriots
malta: maltese
canada: canadian, canadians
mexico: mexican, mexicans
brazil: brazilian, brazilians
argentina: argentine, argentines, argentinian, argentinians
chile: chilean, chileans
colombia: colombian, colombians
venezuela: venezuelan, venezuelans
peru: peruvian, peruvians
ecuador: ecuadorian, ecuadorians
bolivia: bolivian, bolivians
cuba: cuban, cubans
haiti: haitian, haitians
australia: australian, australians
philippines: philippine, filipino, filipinos, filipina
indonesia: indonesian, indonesians
malaysia: malaysian, malaysians
singapore: singaporean, singaporeans
thailand: thai, thais
vietnam: vietnamese, viet nam
cambodia: cambodian, cambodians
laos: laotian, laotians, lao
nepal: nepali, nepalis, nepalese
taiwan: taiwanese
mongolia: mongolian, mongolians
tibet: tibetan, tibetans
europe: european, europeans
asia: asian, asians
africa: african, africans
"""

_GIVEN_FORMS = """
joe joseph; bill will william; bob rob robert; mike michael; jim james; tom thomas; dick rick richard; ted ed edward
tony anthony; liz elizabeth; kate katherine catherine; dave david; dan daniel; ben benjamin; sam samuel; steve steven
stephen; chris christopher; nick nicholas; alex alexander aleksandr; andy andrew; matt matthew; tim timothy; ron ronald
don donald; ken kenneth; greg gregory; jeff jeffrey; larry lawrence; jack john; bernie bernard; charlie charles
"""

# Offices and forms of address that go before a name and are no part of it.
_TITLES = _set(
    "mr mrs ms miss mx dr prof professor sir dame lord lady president vice-president vice prime minister premier "
    "chancellor secretary foreign defense defence interior finance deputy chief general gen colonel col major maj captain "
    "capt lieutenant lt sergeant sgt admiral adm commander cmdr corporal private senator sen representative rep "
    "congressman congresswoman governor gov mayor judge justice pope king queen prince princess emperor sultan sheikh "
    "ayatollah imam rabbi rev reverend father fr sister brother bishop archbishop cardinal saint ambassador amb envoy "
    "chairman chairwoman chair speaker director coach officer detective inspector attorney minister st leader spokesman "
    "spokeswoman spokesperson special former acting late then ex ceo cfo cto head baron count duke earl sir"
)
_TITLE_LINKS = frozenset({"of", "for", "state", "affairs", "the", "treasury", "and"})
# a title with "of" belongs to the office: "Secretary of State", "Minister of Foreign Affairs"
_OFFICES = re.compile(
    r"^(?:(?:vice|deputy|acting|former|under|assistant)[ -])*(?:secretary of (?:state|defense|defence|the treasury|war"
    r"|commerce|energy|health|homeland security)|secretary[- ]general|attorney general|chief of staff"
    r"|minister (?:of|for) (?:\w+ )?(?:affairs|defen[cs]e|finance|interior|justice|health|trade)"
    r"|director of (?:\w+ )?(?:intelligence|communications)|prime minister|foreign minister|national security advis[eo]r)"
    r"(?= |$)",
    re.IGNORECASE,
)

_PARTICLES = _set(
    "de da do dos das di du del della der den des la le van von bin ibn al el ben ter ten zu e y"
)
_JOINERS = frozenset({"of", "&"})  # "Ministry of Defence", "Johnson & Johnson"

# Words that are no part of a name wherever they stand, and words that begin many sentences but also some names.
_FUNCTION = _set(
    "a an the this that these those there here it its he his she her hers they their them we our you your i my me mine "
    "who whom whose which what when where why how if unless although though while whereas because since until till as "
    "after before during despite amid among amongst between without within with by at in on onto of off for from to "
    "into over under above below across against along around about beyond through throughout toward towards upon via "
    "and or but nor so yet however moreover furthermore meanwhile nevertheless nonetheless otherwise instead indeed thus "
    "hence therefore then now today yesterday tomorrow tonight later earlier soon once again also too still even just "
    "only perhaps maybe never always often sometimes ever almost nearly roughly some any all both each every "
    "either neither none no not many much most more less few several other others another such same own "
    "is are was were be been being am do does did done have has had having can could will would shall should may might "
    "must let lets please yes ok well unlike per plus besides except including given according based due thanks "
    "asked told speaking says said something anything everything nothing everyone someone anyone nobody somebody anybody "
    "him himself herself itself themselves whether why's that's it's he's she's they're there's what's who's i'm we're "
    "you're don't didn't isn't wasn't can't won't couldn't wouldn't doesn't haven't hasn't aren't"
)
_STARTERS = _FUNCTION | _set(
    "one two three four five six seven eight nine ten eleven twelve dozens hundreds thousands millions first second third "
    "last next called named born known seen made people police officials authorities experts analysts critics supporters "
    "sources witnesses reports news media government governments parents children men women members leaders talks state "
    "states part parts half back up down out new old high low early late long short good bad great big small young "
    "local foreign national international public private military political economic social army court city like "
    "town world life time work home house war peace death fire water food money year years month week day days night "
    "morning afternoon evening summer winter spring autumn hours minutes inside outside near far away together alone "
    "currently recently finally eventually initially originally typically usually generally overall"
)
_STARTER_ENDINGS = re.compile(
    r"(?:ing|ed|ly|tion|tions|sion|sions|ment|ments|ness|ity|ities|ism|isms|ance|ence|ances|ences|ship|ships|ful|less"
    r"|able|ible|ous|ive|ives|ists|ists?|ers|ors|ants|ents|ology|ware|ages?|ures?|als|ees|ians|ics)$"
)
_CALENDAR = _set(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs "
    "fri sat sun christmas easter ramadan gmt utc est edt pst bst ad bc bce ce am pm"
)

_INNER_CAPITAL = re.compile(
    r"(?:al|el|ibn|bin|an|as|ash|d|l|i|e|mc)[-'’]?[A-Z]"
)  # al-Assad, d'Estaing, iPhone
_UPPER = frozenset({"US", "U.S.", "WHO", "UN", "U.N."})  # names, although their letters spell a common word

_TOKEN = re.compile(
    r"(?:[A-Z]\.){2,}[A-Z]?|[A-Z]\.(?=\s[A-Z])|[^\W\d_](?:[^\W_]|(?<=[^\W_])['’](?=[^\W_])|[&](?=[A-Z]))*"
    r"(?:[-‑–](?=[^\W_])[^\W_]+(?:['’][^\W_]+)*)*|&|[^\s\w]|\d[\w.,]*"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name as a text has it: `text == source[span.start:span.end]`, titles before it left out.

    `parts` are its words, folded. `sure` is false for a single word that may carry its capital only because a sentence
    begins there.
    """

    span: Span
    text: str
    parts: tuple[str, ...]
    sure: bool = True


@lru_cache(maxsize=16384)
def _bare(word: str) -> str:
    """A folded word without possessive and outer marks."""
    word = fold(word)
    if word.endswith("'s"):
        word = word[:-2]
    elif word.endswith("s'"):
        word = word[:-1]
    return word.strip("'\"-")


def _dotless(word: str) -> str:
    return word.replace(".", "")


@lru_cache(maxsize=1)
def _canonical() -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    table: dict[str, str] = {}
    for line in _ALIASES.strip().splitlines():
        name, _, others = line.partition(":")
        for form in (name, *others.split(",")):
            table[_dotless(fold(form.strip()))] = name
    given: dict[str, frozenset[str]] = {}
    for group in re.split(r"[;\n]", _GIVEN_FORMS):
        members = frozenset(group.split())
        for member in members:
            given[member] = members | given.get(member, frozenset())
    return table, given


def canonical(name: str) -> str:
    """The one form of a name in the table of aliases (folded: "U.S." gives "united states"), else ""."""
    key = _dotless(_bare(name))
    table, _ = _canonical()
    return table.get(key, table.get(key.removeprefix("the "), ""))


_COUNTRY_LIKE = frozenset(line.partition(":")[0] for line in _ALIASES.strip().splitlines()[30:]) | {
    "united states",
    "united kingdom",
    "european union",
    "kyiv",
    "beijing",
    "mumbai",
    "kolkata",
    "chennai",
    "istanbul",
}


def is_place_name(name: str) -> bool:
    """Whether the table knows the name as a country, its people or a renamed city."""
    return canonical(name) in _COUNTRY_LIKE


def is_title(word: str) -> bool:
    """Whether a word is an office or a form of address ("President", "Gen.")."""
    return _dotless(_bare(word)) in _TITLES


# --- finding --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    text: str

    @property
    def low(self) -> str:
        return _dotless(_bare(self.text))

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


def _begins_sentence(tokens: Sequence[_Token], i: int) -> bool:
    if i == 0:
        return True
    before = tokens[i - 1].text
    if before in ("!", "?", ":", ";", "•", "*", "|", "…"):
        return True
    if before == ".":
        return True
    if before in ('"', "“", "‘", "'", "(", "[", "—", "–", "-"):
        return (
            i == 1
            or tokens[i - 2].text in (".", "!", "?", ",", ":", "…")
            or before in ('"', "“", "‘", "(", "[", "'")
        )
    return False


def _mostly_capitals(tokens: Sequence[_Token]) -> bool:
    """A heading: every longer word has a capital, so capitals tell nothing."""
    longer = [t for t in tokens if len(t.text) > 3 and t.text[0].isalpha()]
    return len(longer) >= 4 and all(t.text.isupper() for t in longer)


@lru_cache(maxsize=4096)
def _find(text: str) -> tuple[Name, ...]:
    tokens = [_Token(m.start(), m.end(), m.group()) for m in _TOKEN.finditer(text)]
    if _mostly_capitals(tokens):
        return ()
    found: list[Name] = []
    i = 0
    while i < len(tokens):
        if not _can_start(tokens, i):
            i += 1
            continue
        j = i + 1
        while j < len(tokens):
            before = tokens[j - 1]
            if before.text.endswith(("'s", "’s")) and len(before.text) > 2:
                break
            gap = text[before.end : tokens[j].start]
            if "\n" in gap or len(gap) > 2:
                break
            step = _step(tokens, j)
            if not step:
                break
            j += step
        found.extend(_cut(text, tokens, i, j))
        i = j
    return tuple(found)


def _step(tokens: Sequence[_Token], j: int) -> int:
    """How many tokens from token j go on with a name: a word with a capital, or small words that lead to one."""
    if _continues(tokens[j]):
        return 0 if tokens[j].low in _CALENDAR else 1
    link = tokens[j].text.casefold()
    small = 1
    if link in _PARTICLES and j + 1 < len(tokens) and tokens[j + 1].text in _PARTICLES:
        small = 2  # "von der Leyen"
    elif link == "of" and j + 1 < len(tokens) and tokens[j + 1].text == "the":
        small = 2  # "Organization of the Petroleum ..."
    elif link not in _JOINERS and link not in _PARTICLES:
        return 0
    following = tokens[j + small] if j + small < len(tokens) else None
    if following is None or not _continues(following) or following.low in _CALENDAR:
        return 0
    return small + 1


def _continues(token: _Token) -> bool:
    """Whether a word goes on with a name."""
    if token.text in _UPPER or _INNER_CAPITAL.match(token.text):
        return True
    return token.capital and token.text[0].isalpha() and token.low not in _FUNCTION


def _can_start(tokens: Sequence[_Token], i: int) -> bool:
    token = tokens[i]
    if not token.text[0].isalpha() or not token.capital:
        return _INNER_CAPITAL.match(token.text) is not None
    if token.text in _UPPER:
        return True
    low = token.low
    if low in _CALENDAR or low in _FUNCTION or low == "i":
        return False
    if low in _STARTERS and _begins_sentence(tokens, i):
        ahead = tokens[i + 1] if i + 1 < len(tokens) else None
        return ahead is not None and ahead.capital and ahead.text[0].isalpha() and ahead.low not in _FUNCTION
    return True


def _cut(text: str, tokens: Sequence[_Token], i: int, j: int) -> list[Name]:
    """The names in a run of capitals: a leading demonym is one of its own, titles before a name are left out."""
    names: list[Name] = []
    first = True
    starts = _begins_sentence(tokens, i)
    while i < j:
        run = " ".join(
            t.text.strip(".") if len(t.text) > 2 and t.text.endswith(".") else t.text for t in tokens[i:j]
        )
        office = _OFFICES.match(run)
        if office and j - i > len(office.group().split()):
            i += len(office.group().split())
            i += tokens[i].text == "of" and i + 1 < j
            first = False
            continue
        low = tokens[i].low
        if low in _TITLES and j - i > 1:
            i += 2 if tokens[i + 1].text == "of" else 1  # "President Macron", "President of France"
            first = False
            continue
        # "Russian Foreign Minister Sergei Lavrov", "U.S. Secretary of State Marco Rubio"
        if j - i > 1 and canonical(tokens[i].text) in _COUNTRY_LIKE and _office_follows(tokens, i + 1, j):
            names.append(_name(text, tokens, i, i + 1, True))
            i += 1
            first = False
            continue
        break
    if i >= j:
        return names
    while j > i and tokens[j - 1].text.casefold() in ("of", "&", "the"):
        j -= 1
    if j <= i:
        return names
    alone = j - i == 1
    word = tokens[i].low
    if alone and not first and word == "state":
        return names  # "the Secretary of State"
    sure = True
    if first and starts and alone and not re.match(r"(?:[A-Z]\.)+[A-Z]?$|.+[A-Z]", tokens[i].text):
        if canonical(tokens[i].text) or tokens[i].text.endswith(("'s", "’s")):
            sure = True
        elif _STARTER_ENDINGS.search(word) or word in _TITLES or word.endswith("s"):
            return (
                names
                if word in _TITLES or _STARTER_ENDINGS.search(word)
                else [*names, _name(text, tokens, i, j, False)]
            )
        else:
            sure = False
    elif alone and word in _TITLES:
        return names  # "the President"
    names.append(_name(text, tokens, i, j, sure))
    return names


def _office_follows(tokens: Sequence[_Token], i: int, j: int) -> bool:
    if i >= j:
        return False
    run = " ".join(t.text for t in tokens[i:j])
    return tokens[i].low in _TITLES or _OFFICES.match(run) is not None


def _name(text: str, tokens: Sequence[_Token], i: int, j: int, sure: bool) -> Name:
    start, end = tokens[i].start, tokens[j - 1].end
    raw = text[start:end]
    if raw.endswith(("'s", "’s")):
        end -= 2
    parts = tuple(t.low for t in tokens[i:j] if t.low and t.text not in ("&",) and t.low != "of")
    return Name(Span(start, end), text[start:end], parts, sure)


def find_names(text: str) -> list[Name]:
    """The names of `text` in text order, as far as capitals show them; none in a text without or only of capitals.

    Titles ("President", "Secretary of State", "Gen.") are left out, a demonym before an office is a name of its own,
    a possessive 's is not part of the name, weekdays and months are none.
    """
    return list(_find(text))


# --- comparing ------------------------------------------------------------------------------------------------------

_SPELLINGS: tuple[tuple[str, str], ...] = (
    (r"tsch|tch|cz", "ch"),
    (r"shch|sch", "sh"),
    (r"(?<=[bdg])h", ""),
    (r"kh", "h"),
    (r"zh|dj|dzh", "j"),
    (r"ph", "f"),
    (r"ck|q", "k"),
    (r"ks", "x"),
    (r"ts|tz", "c"),
    (r"oo|ou", "u"),
    (r"w", "v"),
    (r"(.)\1+", r"\1"),
    (r"i?y[iy]?|ij|ie|ey|ei|ii|i", "i"),
)
_COMPILED = tuple((re.compile(pattern), by) for pattern, by in _SPELLINGS)


@lru_cache(maxsize=16384)
def spelling_key(word: str) -> str:
    """One key for the usual transliterations of a name: Sergei and Sergey, Zelenskiy and Zelenskyy, Kiev and Kyiv."""
    key = _bare(word)
    for pattern, by in _COMPILED:
        key = pattern.sub(by, key)
    return key


@lru_cache(maxsize=16384)
def same_word(a: str, b: str) -> bool:
    """Whether two words are spellings of one name.

    The same key; or, for long words (6 letters and more) with the same consonants in the same order, the same ends and
    as many vowels, one vowel that differs (o and u count as one): Mohammed and Muhammad.
    """
    a, b = _dotless(_bare(a)), _dotless(_bare(b))
    if a == b:
        return True
    if min(len(a), len(b)) < 3:
        return False
    ka, kb = spelling_key(a), spelling_key(b)
    if ka == kb:
        return True
    if (a.endswith("s") and spelling_key(a[:-1]) == kb) or (b.endswith("s") and spelling_key(b[:-1]) == ka):
        return len(min(a, b, key=len)) >= 4
    if min(len(ka), len(kb)) < 6 or len(ka) != len(kb) or ka[0] != kb[0] or ka[-1] != kb[-1]:
        return False
    da, db = ka.replace("o", "u"), kb.replace("o", "u")
    if da == db:
        return True
    differ = [(x, y) for x, y in zip(da, db, strict=True) if x != y]
    return len(differ) == 1 and all(c in "aeiou" for c in differ[0])


_NOT_SHORT = _set(
    "north south east west northern southern eastern western new old central upper lower saint san los las el the"
)
_SMALL_WORDS = _set("of the and for de la del du des in on et und")


def _words(name: str) -> list[str]:
    rest = name
    office = _OFFICES.match(rest)
    if office and office.end() < len(rest):
        rest = rest[office.end() :].lstrip()
    tokens = [_dotless(_bare(w)) for w in re.split(r"[\s,]+|(?<=[a-zA-Z])[-–](?=[A-Z])", rest)]
    tokens = [t for t in tokens if t and t != "&"]
    while len(tokens) > 1 and (tokens[0] in _TITLES or tokens[0] == "the"):
        tokens = tokens[1:]
    while len(tokens) > 2 and tokens[-1] in ("jr", "sr", "ii", "iii"):
        tokens = tokens[:-1]
    return tokens


def _acronym(short: str, long: Sequence[str]) -> bool:
    """Whether `short` abbreviates `long`: the initials of its content words appear in order in `short`, and the letters
    of `short` in order in `long`."""
    content = [w for w in long if w not in _SMALL_WORDS]
    if len(content) < 2 or not 2 <= len(short) <= 8 or len(short) < len(content):
        return False
    return _subsequence("".join(w[0] for w in content), short) and _subsequence(short, "".join(long))


def _subsequence(short: str, long: str) -> bool:
    letters = iter(long)
    return all(c in letters for c in short)


def _same_part(a: str, b: str) -> bool:
    """Spellings of one word, or a country and its people: "America" in "North America", "North American"."""
    known = canonical(a)
    return same_word(a, b) or (known != "" and known == canonical(b))


def _same_given(a: str, b: str) -> bool:
    if same_word(a, b) or (min(len(a), len(b)) == 1 and a[0] == b[0]):
        return True
    _, given = _canonical()
    return b in given.get(a, frozenset())


@lru_cache(maxsize=32768)
def same_name(a: str, b: str) -> bool:
    """Whether two names can be one: "Lavrov" and "Sergei Lavrov", "Kiev" and "Kyiv", "U.S." and "American".

    A single word matches a longer name by its last word, or by its first where the longer is no "South ..." or
    "New ..."; two longer names must share the last word and not differ in the first. Symmetric.
    """
    ca, cb = canonical(a), canonical(b)
    if ca and ca == cb:
        return True
    wa, wb = _words(a), _words(b)
    if not wa or not wb:
        return False
    if ca and cb and len(wa) == 1 and len(wb) == 1:
        return False  # two countries of the table that are not the same one
    if len(wa) > len(wb):
        wa, wb = wb, wa
    if len(wa) == len(wb) and all(_same_part(x, y) for x, y in zip(wa, wb, strict=True)):
        return True
    if len("".join(wa)) >= 6 and "".join(wa) == "".join(wb):
        return True  # "Nord Stream", "Nordstream"
    if len(wa) == 1:
        short = wa[0]
        if len(wb) == 1:
            return _same_given(short, wb[0]) and min(len(short), len(wb[0])) > 1
        if _acronym(short, wb):
            return True
        if short in _SMALL_WORDS or len(short) < 2 or wb[0] in _NOT_SHORT:
            return False
        return same_word(short, wb[-1]) or (same_word(short, wb[0]) and not canonical(short))
    # every word of the shorter name in the longer, in order
    remaining = iter(wb)
    if all(any(_same_part(x, y) for y in remaining) for x in wa):
        return wb[0] not in _NOT_SHORT or wa[0] in _NOT_SHORT
    return same_word(wa[-1], wb[-1]) and _same_given(wa[0], wb[0])
