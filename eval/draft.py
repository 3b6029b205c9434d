"""Drafting questions from the reader's own articles: a span of a sentence is the answer, the model words the question, and the
question stays only where the reader finds the span again. So gold is known, and a person only has to accept or edit.

It knows articles, the generator and the reader, not files or people; eval/review.py does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from eval.cases import Case, Gold
from eval.metrics import contains, tokens
from rag.answering.question import names
from rag.assistant import never
from rag.models.prompts import MAX_PASSAGE_CHARS
from rag.models.reader import Reader
from rag.protocols import Generator, Prompt, Segment
from rag.retrieval.windows import states
from rag.schema import Article, Span
from rag.text.dates import find_dates
from rag.text.quantities import find_quantities
from rag.text.sentences import sentences
from rag.text.words import POINTING, content_words, plain, words

NOTE = "draft"
"""How the note of a question begins that nobody has looked at yet."""
LEAST_WORDS, MOST_WORDS = 8, 45  # of a sentence: shorter ones say too little, longer ones too much
SURE = 0.5  # of the reader, that the sentence answers the question
SHARED_WORDS = 2  # that a question must have in common with the sentence or the title, beside its names
SPARE_WORDS = 2  # that the reader may point at beside the answer: "about nine hours", "Mayor Ana Ruiz"
MAX_TOKENS = 40
DEADLINE_S = 60.0

_SYSTEM = (
    "You write questions about news articles. You are given a sentence and an answer that stands in it. Write one question"
    " whose answer is exactly that. Name the people, places and things that you ask about, so that the question can be"
    " understood without the sentence. Never put the answer into the question."
)
# Invented, as those of rag/models/prompts.py.
_EXAMPLES = (
    (
        "Title: Ferry strike ends\nSentence: The strike of the ferry crews in Bergen lasted nine hours, the union said."
        "\nAnswer: nine hours",
        "How long did the strike of the ferry crews in Bergen last?",
    ),
    (
        "Title: New bridge\nSentence: Mayor Ana Ruiz opened the Valencia bridge on Friday.\nAnswer: Ana Ruiz",
        "Who opened the Valencia bridge on Friday?",
    ),
    (
        "Title: Voltar results\nSentence: Voltar sold 120,000 cars in 2021, more than ever before.\nAnswer: 120,000",
        "How many cars did Voltar sell in 2021?",
    ),
)
_GRAMMAR = 'root ::= [A-Z] [^\\[\\]<>\\n\\r?]* "?"\n'
_OF_TEXT = frozenset({"article", "sentence", "text", "title", "passage", "author", "mentioned", "answer"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span of a sentence that a question can ask for; `forms` are ways to write it, the first as it stands."""

    article: Article
    sentence: Span
    forms: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentence."""
        return self.article.body[self.sentence.start : self.sentence.end]

    @property
    def id(self) -> str:
        """Names the span, whichever question is asked for it."""
        parts = (self.article.path, self.text, self.forms[0])
        return f"draft-{sha256(chr(0).join(parts).encode()).hexdigest()[:10]}"


def _forms(text: str) -> Iterator[tuple[str, ...]]:
    """The spans of a sentence that can be asked for."""
    for quantity in find_quantities(text):
        if quantity.unit in ("ordinal", "score"):
            continue
        digits = next((i for i, t in enumerate(quantity.text.split()) if any(c.isdigit() for c in t)), 0)
        yield (" ".join(quantity.text.split()[digits:]),)
    dates = {text[m.span.start : m.span.end]: m for m in find_dates(text)}
    yield from ((shown,) for shown, mention in dates.items() if not mention.relative)
    yield from ((name,) for name in names(text) if not any(name in shown for shown in dates))


def candidates(articles: Sequence[Article]) -> list[Candidate]:
    """What can be asked for, article by article in turn, within each in an order that is even and always the same."""
    by_article = []
    for article in articles:
        found = []
        for span in sentences(article.body):
            text = article.body[span.start : span.end]
            is_whole = text.rstrip("”\"'’").endswith((".", "!"))  # headings are not
            if is_whole and LEAST_WORDS <= len(words(text)) <= MOST_WORDS and states(plain(text)):
                found += [Candidate(article, span, forms) for forms in _forms(text) if tokens(forms[0])]
        by_article.append(sorted({c.id: c for c in found}.values(), key=lambda c: c.id))
    turns = max(map(len, by_article), default=0)
    return [found[turn] for turn in range(turns) for found in by_article if turn < len(found)]


def _prompt(candidate: Candidate) -> Prompt:
    start, end = "<|im_start|>", "<|im_end|>\n"
    fixed = f"{start}system\n{_SYSTEM}{end}"
    for user, assistant in _EXAMPLES:
        fixed += f"{start}user\n{user}{end}{start}assistant\n{assistant}{end}"
    title = candidate.article.title
    asked = (
        f"Title: {plain(title.value)[:MAX_PASSAGE_CHARS] if title else 'none'}\n"
        f"Sentence: {plain(candidate.text)[:MAX_PASSAGE_CHARS]}\nAnswer: {candidate.forms[0]}"
    )
    return (
        Segment(f"{fixed}{start}user\n", trusted=True),
        Segment(asked),
        Segment(f"{end}{start}assistant\n", trusted=True),
    )


def fault(question: str, candidate: Candidate, reader: Reader) -> str:
    """Why a question is not fit to be asked for the candidate, "" where it is."""
    said = set(words(question))
    if any(contains(question, form) for form in candidate.forms):
        return "it holds its answer"
    if POINTING & said or _OF_TEXT & said:
        return "it cannot be understood alone"
    title = candidate.article.title
    head = f"{plain(title.value)}. " if title else ""
    text = head + plain(candidate.text)
    known = set(content_words(f"{text} {candidate.article.body}"))
    if any(not set(content_words(name)) <= known for name in names(question)):
        return "it names what the article does not"
    shared = set(content_words(question)) & set(content_words(text))
    if len(shared) < SHARED_WORDS:
        return "it asks of too little"
    (reading,) = reader.read(question, [text])
    found = text[reading.start : reading.end]
    is_it = len(tokens(found)) <= len(tokens(candidate.forms[0])) + SPARE_WORDS
    if reading.answerable < SURE or not (
        (is_it and contains(found, candidate.forms[-1])) or contains(candidate.forms[0], found)
    ):
        return "the reader does not find the answer again"
    return ""


def propose(
    articles: Sequence[Article], known: frozenset[str], generator: Generator, reader: Reader
) -> Iterator[Case | None]:
    """Questions over the articles, one for each candidate that is not `known` by its id; None for one that came to nothing."""
    asked: set[frozenset[str]] = set()
    told: set[tuple[str, int]] = set()
    for candidate in candidates(articles):
        place = (candidate.article.id, candidate.sentence.start)
        if candidate.id in known or place in told:
            continue
        pieces = generator.generate(
            _prompt(candidate), grammar=_GRAMMAR, max_tokens=MAX_TOKENS, deadline_s=DEADLINE_S, cancel=never
        )
        question = plain("".join(pieces))
        key = frozenset(content_words(question))
        if not question.endswith("?") or key in asked or fault(question, candidate, reader):
            yield None
            continue
        asked.add(key)
        told.add(place)  # one question a sentence
        yield Case(
            candidate.id,
            ("single",),
            question,
            True,
            answers=(candidate.forms,),
            gold=(Gold(candidate.article.path, candidate.text),),
            note=f"{NOTE}: worded by {generator.name}",
        )


def gold_for(forms: Sequence[str], question: str, articles: Sequence[Article]) -> Gold | None:
    """The sentence that gives one of the forms and has most words of the question; None where no sentence gives any."""
    wanted = set(content_words(question))
    best: tuple[int, Gold] | None = None
    for article in articles:
        for span in sentences(article.body):
            text = article.body[span.start : span.end]
            if not any(contains(text, form) for form in forms):
                continue
            shared = len(wanted & set(content_words(text)))
            if best is None or shared > best[0]:
                best = shared, Gold(article.path, text)
    return best[1] if best else None
