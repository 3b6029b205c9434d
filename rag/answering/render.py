"""Rendering: an Answer as text for a terminal. Knows values, not how they were made; JSON is made by `rag.codec`.

Text is plain unless a caller gives `mark`, which is applied to the words that answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rag.schema import Answer, Article, Evidence, Span, State, Statement, Status, Turn
from rag.text.words import plain

IN_SHORT = "In short: "  # ahead of the first statement that words what was quoted before it
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

Mark = Callable[[str], str]
"""Makes words stand out, as bold does in a terminal."""


def source_line(article: Article) -> str:
    """Title, publisher and date of an article in one line; what the article does not state is said to be unknown."""
    title = plain(article.title.value) if article.title else plain(article.path)
    publisher = plain(article.publisher.value) if article.publisher else "publisher unknown"
    return f"{title} — {publisher}, {article.day}"


UNDERSTOOD = "Understood as: "


def understood_line(answer: Answer) -> str:
    """How a question was understood, "" where it was as it was asked."""
    if answer.as_understood == answer.question:
        return ""
    return f"{UNDERSTOOD}{plain(answer.as_understood)}"


def cited_numbers(answer: Answer) -> set[int]:
    """The numbers of the evidence behind what is shown as fact."""
    numbers = {n for s in answer.shown for n in s.citations}
    if answer.disagreement:
        numbers |= {n for v in answer.disagreement.values for n in v.citations}
    return numbers


def words_at(item: Evidence, text: str) -> Span | None:
    """Where the words that answer stand in `text`, which holds the sentence of `item` in one line, as `plain` gives it.
    None where no words were pointed at, or where `text` does not hold the sentence."""
    if item.answer is None or not item.start <= item.answer.start < item.answer.end <= item.end:
        return None
    body, sentence = item.article.body, plain(item.text)
    words = plain(body[item.answer.start : item.answer.end])
    first = text.find(sentence)
    if first < 0 or not words:
        return None
    before = len(plain(body[item.start : item.answer.start]))
    for place in (before, before + 1):  # with a space between, or without
        if sentence.startswith(words, place):
            return Span(first + place, first + place + len(words))
    return None


def statement_words(answer: Answer, statement: Statement) -> Span | None:
    """Where the words that answer stand in `plain(statement.text)`; None unless it repeats a sentence that it cites."""
    text = plain(statement.text)
    return next((span for e in answer.cited(statement) if (span := words_at(e, text))), None)


def _marked(text: str, span: Span | None, mark: Mark) -> str:
    return f"{text[: span.start]}{mark(text[span.start : span.end])}{text[span.end :]}" if span else text


def in_short(answer: Answer, statement: Statement) -> str:
    """`IN_SHORT` where the statement is the first that words what was quoted before it, else ""."""
    shown = answer.shown
    place = next((n for n, s in enumerate(shown) if s.id == statement.id), 0)
    follows = place > 0 and shown[place - 1].state is State.QUOTED
    return IN_SHORT if follows and statement.state is State.SUPPORTED else ""


def statement_line(answer: Answer, number: int, mark: Mark = str) -> str:
    """The statement at position `number` as one line with its markers; a quotation stands in quotation marks. How a date
    or a number in it was worked out follows on lines of its own."""
    statement = answer.shown[number]
    text = _marked(plain(statement.text), statement_words(answer, statement), mark)
    text = f"“{text}”" if statement.state is State.QUOTED else f"{in_short(answer, statement)}{text}"
    steps = statement.verdict.derivation if statement.verdict else ()
    return "\n".join([f"{text} {_markers(statement.citations)}", *(f"    ({plain(step)})" for step in steps)])


def _markers(citations: Iterable[int]) -> str:
    return "".join(f"[{n}]" for n in citations)


def in_words(number: int) -> str:
    """A number as English prose has it: up to ten in words."""
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


@dataclass(frozen=True, slots=True)
class DisagreementPart:
    """A part of the sentence that tells of a disagreement: "one says", "nearly an hour", " (newest)" or "", (2,)."""

    who: str
    what: str
    newest: str
    citations: tuple[int, ...]


def disagreement_parts(answer: Answer) -> list[DisagreementPart]:
    """The disagreement as the parts of one sentence, "; " to be between them; none where there is no disagreement."""
    values = answer.disagreement.values if answer.disagreement else ()
    total = sum(v.origins for v in values)
    cited = {n for v in values for n in v.citations}
    # an article that gives several values is counted with each of them, and then the sum is no number of articles
    is_known = total <= len({e.article.id for e in answer.evidence if e.number in cited})
    parts = []
    for place, value in enumerate(values):
        who = in_words(value.origins)
        if place == 0:
            who += f" of {in_words(total)} articles" if is_known else f" article{'s' * (value.origins != 1)}"
            who = who[0].upper() + who[1:]
        elif is_known and total == len(values) == 2:
            who = "the other"
        newest = " (newest)" if value.newest and not all(v.newest for v in values) else ""
        verb = "says" if value.origins == 1 else "say"
        parts.append(
            DisagreementPart(f"{who} {verb}", plain(value.text).rstrip("."), newest, value.citations)
        )
    return parts


def disagreement_line(answer: Answer) -> str:
    """The disagreement as one sentence with markers, "" where there is none."""
    parts = [
        f"{p.who} {p.what}{p.newest} {_markers(p.citations)}".rstrip() for p in disagreement_parts(answer)
    ]
    return f"{'; '.join(parts)}." if parts else ""


def shown_text(answers: Iterable[Answer], mark: Mark = str) -> Iterator[tuple[str, Answer]]:
    """For each of growing answers what of it was not told yet and will not change: how the question was understood, once
    there is evidence, and the statements that are shown."""
    told = 0
    understood = False
    for answer in answers:
        lines: list[str] = []
        if answer.evidence and not understood:
            understood = True
            lines += filter(None, [understood_line(answer)])
        lines += (statement_line(answer, n, mark) for n in range(told, len(answer.shown)))
        told = max(told, len(answer.shown))
        yield "".join(f"{line}\n" for line in lines), answer


def _source(item: Evidence, mark: Mark) -> list[str]:
    text = plain(item.text)
    return [
        f"[{item.number}] {source_line(item.article)}",
        f"    “{_marked(text, words_at(item, text), mark)}”",
        f"    {item.article.path}, characters {item.start}–{item.end}",
    ]


def _contexts(item: Evidence) -> list[str]:
    body = item.article.body
    return [
        f"    context: “{plain(body[s.start : s.end])}”"
        for s in item.context
        if s != Span(item.start, item.end)
    ]


def ending_to_text(answer: Answer, mark: Mark = str) -> str:
    """Everything that follows the statements of a final answer: what is missing, disagreement, sources, time."""
    lines: list[str] = []
    if answer.status is Status.FAILED:
        lines.append("Failed.")
    if answer.status is Status.STOPPED:
        lines.append("Stopped.")
    if answer.missing:
        lines.append(plain(answer.missing))
    if answer.disagreement:
        lines += ["", f"The articles disagree. {disagreement_line(answer)}"]
    withheld = sum(s.state is State.WITHHELD for s in answer.statements)
    if withheld:
        lines.append(
            f"({withheld} drafted statement{'s' if withheld > 1 else ''} withheld: "
            f"the sentences cited do not support {'them' if withheld > 1 else 'it'})"
        )
    cited = cited_numbers(answer)
    sources = [e for e in answer.evidence if e.number in cited]
    if sources:
        lines += ["", "Sources"]
        for item in sources:
            lines += _source(item, mark) + _contexts(item)
    if answer.closest:
        lines += ["", "Closest sentences"]
        for item in answer.closest:
            lines += [f"  “{plain(item.text)}”", f"    {source_line(item.article)}"]
    if answer.timings.total_s is not None:
        lines += ["", f"{answer.timings.total_s:.1f} s, {plain(answer.generator)}"]
    return "\n".join(lines).strip("\n")


def answer_to_text(answer: Answer, mark: Mark = str) -> str:
    """A final answer for a terminal: statements, then everything else."""
    understood = understood_line(answer)
    head = [understood] if understood else []
    head += [statement_line(answer, i, mark) for i in range(len(answer.shown))]
    if answer.note:
        head.append(plain(answer.note))
    gap = [""] if head and not answer.missing else []
    return "\n".join([*head, *gap, ending_to_text(answer, mark)]).strip("\n")


def turn_of(answer: Answer) -> Turn:
    """What a conversation keeps of an answer: only statements that were shown as fact."""
    return Turn(answer.question, answer.as_understood, " ".join(s.text for s in answer.shown))
