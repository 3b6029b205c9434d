"""The values that pass between the parts: frozen, equal by content, each containing what it was made from.

Offsets are half-open character offsets into `Article.body`; of a plain text, that is the decoded file with spaces for the line
breaks inside wrapped paragraphs, so a span shown to a reader is a span of the file. This module knows nothing of files, models or storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Origin(StrEnum):
    """Where a fact about an article comes from."""

    STATED = "stated"  # the article's own text states it; `span` says where
    METADATA = (
        "metadata"  # the file that holds it says so outside the text: an HTML head, a feed, a JSON field
    )
    SUPPLIED = "supplied"  # a sidecar file supplies it


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range of characters of an article body: `body[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """A fact about an article (title, publisher, place, url) and where it was read."""

    value: str
    origin: Origin
    span: Span | None = None


class Precision(StrEnum):
    """How much of a date is known."""

    DAY = "day"  # 2025-07-10
    MONTH = "month"  # July 2025
    YEAR = "year"  # 2025
    DAY_OF_YEAR = "day-of-year"  # July 10, year unknown
    WEEKDAY = "weekday"  # Friday


MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of which only some parts may be known; unknown parts are None and never guessed.

    `weekday` is 0 for Monday to 6 for Sunday. At least one part is known.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None

    @property
    def precision(self) -> Precision:
        """The finest thing that is known, a weekday alone being the least."""
        if self.year is not None:
            if self.month is None:
                return Precision.YEAR
            return Precision.MONTH if self.day is None else Precision.DAY
        return Precision.WEEKDAY if self.month is None else Precision.DAY_OF_YEAR

    def __str__(self) -> str:
        if self.year is not None and self.month is not None and self.day is not None:
            return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"
        if self.month is not None:
            name = MONTHS[self.month - 1]
            return " ".join(str(p) for p in (name, self.day, self.year) if p is not None)
        if self.year is not None:
            return str(self.year)
        return WEEKDAYS[self.weekday] if self.weekday is not None else "unknown"


@dataclass(frozen=True, slots=True)
class Published:
    """When an article was published, as far as it is known."""

    date: PartialDate
    origin: Origin
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One article. `id` is its place (stable over versions), `version` the SHA-256 of its bytes.

    `path` is the place as it is shown, with forward slashes. What is not stated is None. `copy_of` is the id of the
    article that tells the same report in nearly the same words (a wire copy), "" when none was there before it.
    """

    id: str
    version: str
    path: str
    body: str = field(repr=False)
    title: Field | None = None
    publisher: Field | None = None
    published: Published | None = None
    place: Field | None = None
    url: Field | None = None
    author: Field | None = None
    copy_of: str = ""

    @property
    def day(self) -> str:
        """The published date as far as it is known, or "date unknown"."""
        return str(self.published.date) if self.published else "date unknown"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an article: `article.body[start:end] == text`, always."""

    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk. `rank` counts from 1; `score` is the fused score, higher is better.

    `dense_rank` and `lexical_rank` are the ranks in each list it was found in, None where it was not.
    """

    chunk: Chunk
    article: Article
    rank: int
    score: float
    dense_rank: int | None = None
    lexical_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A numbered sentence of an article: the n of "[n]".

    `article.body[start:end] == text`. `context` holds spans of the same article that say what the sentence refers to;
    `answer` is the span of the words that answer, None where none were pointed at. `score` is the probability that the
    sentence answers, 0 to 1.
    """

    number: int
    article: Article
    start: int
    end: int
    text: str
    context: tuple[Span, ...] = ()
    score: float = 0.0
    answer: Span | None = None


class State(StrEnum):
    """What became of a statement."""

    CHECKING = "checking"
    SUPPORTED = "supported"  # in the model's words, checked against its citations
    QUOTED = "quoted"  # verbatim from the one cited sentence
    WITHHELD = "withheld"  # not shown as fact; the verdict says why


class Reason(StrEnum):
    """Why a statement is not supported by the sentences it cites. Answers kept from before may hold other reasons, which
    are read as `SUPPORT`."""

    NO_CITATION = "no-citation"
    NUMBER = "number"
    DATE = "date"
    QUOTATION = "quotation"
    ANSWER = "answer"  # it leaves out the words that answer
    SUPPORT = "support"  # the cited text does not say it

    @classmethod
    def _missing_(cls, value: object) -> Reason | None:
        return cls.SUPPORT if value in _OLD_REASONS else None


_OLD_REASONS = ("name", "negation", "attribution", "meaning", "kind", "premise")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of checking one statement. `detail` names the word that failed; `derivation` the recorded steps used."""

    supported: bool
    reason: Reason | None = None
    detail: str = ""
    derivation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer. `citations` are numbers of `Answer.evidence`, in the order they were given."""

    id: int
    text: str
    citations: tuple[int, ...]
    state: State
    verdict: Verdict | None = None


class Status(StrEnum):
    """Where an answer stands. All but the first are final. Answers kept from before may be "partial", which is read as
    `ANSWERED`."""

    DRAFTING = "drafting"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    NOTICE = "notice"  # no question to the articles: what is to be said stands in `note`
    STOPPED = "stopped"
    FAILED = "failed"

    @classmethod
    def _missing_(cls, value: object) -> Status | None:
        return cls.ANSWERED if value == "partial" else None


@dataclass(frozen=True, slots=True)
class Value:
    """One of several values that articles give for what was asked.

    `text` is the value as the articles word it, `citations` the evidence that gives it, `origins` how many
    independent articles do (wire copies count once), `newest` whether the latest dated article gives it.
    """

    text: str
    citations: tuple[int, ...]
    origins: int
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Articles give different values for the same thing: at least two `values`, most origins first."""

    about: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds from the question to each event; None for what did not happen."""

    sources_s: float | None = None
    first_word_s: float | None = None
    first_verified_s: float | None = None
    total_s: float | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation: what was understood, and the statements that were shown."""

    question: str
    as_understood: str
    answer: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader restricts answers to: articles of `publishers` (empty: all), published from `after` to `before`, both
    included (those without a full date are out where either is set); how many sentences are kept with an answer (0: as set);
    which `model` writes ("": as set), or none with `quotes_only`."""

    publishers: tuple[str, ...] = ()
    after: PartialDate | None = None
    before: PartialDate | None = None
    evidence: int = 0
    quotes_only: bool = False
    model: str = ""

    @property
    def restricts(self) -> bool:
        """Whether any article is left out."""
        return bool(self.publishers or self.after or self.before)


EVERY_ARTICLE = Choice()


class Stage(StrEnum):
    """What happens between question and answer. The evaluation leaves stages out, one at a time, to measure what
    each is worth; no reader can."""

    REWRITING = "rewriting"  # of a follow-up, so that it stands alone
    DENSE = "dense"  # the list of passages by similarity of vectors
    LEXICAL = "lexical"  # the list of passages by BM25
    LITERALS = (
        "literals"  # no other date than the question's; for a yes or a no, more or less than its number
    )
    DECIDE = "decide"  # whether to answer
    GRAMMAR = "grammar"  # which allows only existing numbers
    SUPPORT = "support"  # the reader's judgement of a statement
    VETOES = "vetoes"  # numbers, dates, quotations and the answer itself, letter by letter
    COMPARE = "compare"  # the values of other articles


WHOLE: frozenset[Stage] = frozenset()
"""Nothing is left out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A growing answer; the last one of a stream is final and checked.

    `as_understood` is the question as it was answered (equal to `question` where nothing was resolved).
    `closest` are the nearest sentences when nothing is answered; `missing` says in words what the articles do not give;
    `note` says what else is to be known; `error` is set when `status` is failed.
    `generator` names what wrote the draft. `confidence` says how well the evidence answers, before anything is written:
    higher is surer, comparable only between answers of one generator; None where nothing was weighed.
    """

    question: str
    as_understood: str
    status: Status
    statements: tuple[Statement, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    closest: tuple[Evidence, ...] = ()
    missing: str = ""
    note: str = ""
    disagreement: Disagreement | None = None
    timings: Timings = Timings()
    generator: str = ""
    error: str = ""
    confidence: float | None = None

    @property
    def final(self) -> bool:
        """Whether no later answer of the stream will change this one."""
        return self.status is not Status.DRAFTING

    @property
    def shown(self) -> tuple[Statement, ...]:
        """The statements that a reader may take as fact."""
        return tuple(s for s in self.statements if s.state in (State.SUPPORTED, State.QUOTED))

    def numbered(self, numbers: Sequence[int]) -> tuple[Evidence, ...]:
        """The evidence of these numbers, in their order, never by position; unknown numbers give nothing."""
        by_number = {e.number: e for e in self.evidence}
        return tuple(by_number[n] for n in numbers if n in by_number)

    def cited(self, statement: Statement) -> tuple[Evidence, ...]:
        """The evidence of a statement."""
        return self.numbered(statement.citations)
