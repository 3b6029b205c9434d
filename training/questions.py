"""Training pairs out of questions over paragraphs: those that are answered, and those that are nearly answered.

What makes a pair hard is told beside its maker.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from training.maker import Asked, Maker, Span, found, words
from training.rewriting import NAME, NUMBER, YEAR, changed, sentences, statement, tells_deed, unmade

BLURRED = 0.5  # of the answered questions whose answer can be left open get such a pair
DATED = 0.8  # of the questions with one year get pairs about the article's date
UNSURE = re.compile(
    r"\b(?:not|never|may|might|could|should|would|will|almost|nearly|expected|planned|supposed|accused)\b",
    re.I,
)
_SOME = ("several", "many", "a number of", "some")


def blurred(text: str, answer: str, rng: random.Random) -> str | None:
    """The text with the answer left open: "in 1895" and "by Omer Kaya" left out, "several people" for "34 people". None
    where the answer is neither such a phrase nor such a number."""
    said = re.escape(answer)
    cut = re.sub(
        rf",?\s*\b(?:[Ii]n|[Oo]n|[Aa]t|[Bb]y|[Ff]rom|[Ff]or|[Dd]uring|[Aa]fter|[Ss]ince|[Nn]ear|[Aa]round) (?:the |about )?{said}(?=[,.;]| [a-z(])",
        "",
        text,
    )
    if cut == text and NUMBER.fullmatch(answer):
        cut = re.sub(
            rf"(?:\b(?:about|over|nearly|some|exactly|only) )?(?<![\d.,$€£]){said}(?= [a-z]{{3,}})",
            rng.choice(_SOME),
            text,
        )
    cut = cut.strip(" ,")
    if cut == text or len(cut.split()) < 5:
        return None
    return cut[0].upper() + cut[1:]


def fixed(question: str) -> list[str]:
    """The literals that a question fixes: years, numbers and names."""
    return [*YEAR.findall(question), *NUMBER.findall(question), *NAME.findall(question)]


def questions(
    make: Maker, name: str, rows: Sequence[Asked], *, twice: bool = False, claims: float = 0.6
) -> None:
    """Questions over paragraphs.

    Answered: the paragraph, or one to three sentences of it that hold the answer and every literal that the question
    fixes (a window without the year that is asked for does not answer). Not answered: the set's own unanswerable
    questions (`twice`: with the paragraph and with the sentences around the tempting answer), the question with a fact
    changed, the nearest other paragraph or sentence of the same article, the paragraph without its answer sentences, the
    sentence with the answer left open or its deed only planned, and a sentence of another year under the right date.
    """
    of_set = _Questions(make, name, rows, claims)
    for row in rows:
        if row.question and row.answers and row.spans:
            of_set.answered(row)
        elif row.question and not row.answers:
            of_set.unanswerable(row, twice)


class _Questions:
    """The questions of one set, with the paragraphs, names and answers that wrong ones are drawn from."""

    def __init__(self, make: Maker, name: str, rows: Sequence[Asked], claims: float) -> None:
        self.make, self.rng, self.name, self.claims = make, make.rng, name, claims
        self.paragraphs: dict[str, dict[str, None]] = defaultdict(dict)  # by title
        self.names: dict[str, list[str]] = defaultdict(list)  # by title
        self.others: dict[str, list[str]] = defaultdict(list)  # answers, by paragraph
        for row in rows:
            if row.context not in self.paragraphs[row.title]:
                self.paragraphs[row.title][row.context] = None
                self.names[row.title] += NAME.findall(row.context)
            self.others[row.context] += row.answers[:1]

    def _answer(
        self,
        kind: str,
        row: Asked,
        window: str,
        spans: Sequence[Span] = (),
        question: str = "",
        not_year: Sequence[str] = (),
    ) -> None:
        title = row.title if self.name != "reviews" else ""
        head = self.make.head(title, not_year)
        self.make.answer(f"{self.name}, {kind}", question or row.question, window, spans, head)

    def _claim(self, kind: str, claim: str, window: str, label: str) -> None:
        self.make.claim(f"{self.name}, {kind}", claim, window, label)

    def _cut(self, row: Asked, at: int | None, whole: float) -> Span:
        """The paragraph, with the chance `whole`, or the sentences around `at` that hold what the question fixes."""
        text, question = row.context, row.question
        if self.rng.random() < whole:
            return 0, len(text)
        if at is None:
            return max(
                sentences(text),
                key=lambda s: len(words(text[s[0] : s[1]]) & words(question)) + self.rng.random() / 2,
            )
        start, end = self.make.window(text, at, self.rng.choice((1, 2, 3, 3)))
        if all(x in text[start:end] or x not in text for x in fixed(question)):
            return start, end
        return 0, len(text)

    def unanswerable(self, row: Asked, twice: bool) -> None:
        """A question of the set that its paragraph does not answer, and a claim with the tempting answer."""
        text, years = row.context, YEAR.findall(row.question)
        at = next((s[0][0] for t in row.tempting if (s := found(text, t))), None)
        start, end = self._cut(row, at, 0.35)
        self._answer("unanswerable", row, text[start:end], not_year=years)
        if twice:
            start, end = (0, len(text)) if end - start < len(text) else self._cut(row, at, 0.0)
            self._answer("unanswerable", row, text[start:end], not_year=years)
        if row.tempting and self.rng.random() < self.claims:
            said = statement(row.question, row.tempting[0]) if self.rng.random() < 0.6 else None
            self._claim("claim", f"{row.question} {said or row.tempting[0]}", text[start:end], "unsupported")

    def answered(self, row: Asked) -> None:
        """A question with its answer, a harder pair made of it, and a right or wrong claim."""
        text, spans, years = row.context, row.spans, YEAR.findall(row.question)
        at = spans[0][0]
        start, end = self._cut(row, at, 0.35)
        inside = [(s - start, e - start) for s, e in spans if s >= start and e <= end]
        self._answer("answered", row, text[start:end], inside, not_year=years)
        draw = self.rng.random()
        if draw < 0.32:
            self._changed(row, at)
        elif draw < 0.47 and len(self.paragraphs[row.title]) > 1:
            self._near_paragraph(row)
        elif draw < 0.57:
            self._without_answer(row)
        if len(set(years)) == 1 and self.rng.random() < DATED:
            _dated(self.make, self.name, row, at, int(years[0]))
        if self.rng.random() < BLURRED:
            self._blurred(row, at)
        self._not_done(row, at)
        if self.rng.random() < self.claims:
            start, end = self._cut(row, at, 0.2)
            self._claim_of(row, text[start:end])

    def _changed(self, row: Asked, at: int) -> None:
        """The question with a fact changed."""
        text = row.context
        kinds = ("year", "number", "word", "name", "name")
        new = changed(row.question, text, self.names[row.title], kinds, self.rng)
        if not new:
            return
        start, end = self._cut(row, at, 0.3)
        self._answer("question changed", row, text[start:end], (), new, YEAR.findall(new))
        if self.rng.random() < self.claims / 2:
            said = statement(new, row.answers[0]) or row.answers[0]
            self._claim("claim of a changed question", f"{new} {said}", text[start:end], "unsupported")

    def _near_paragraph(self, row: Asked) -> None:
        """The paragraph of the same article that shares most words with the question and does not hold the answer."""
        near = [
            p
            for p in list(self.paragraphs[row.title])[:60]
            if p != row.context and not any(a.lower() in p.lower() for a in row.answers)
        ]
        if not near:
            return
        asked = words(row.question)
        other = max(near, key=lambda p: len(words(p) & asked))
        best = max(sentences(other), key=lambda s: len(words(other[s[0] : s[1]]) & asked))
        start, end = (0, len(other)) if self.rng.random() < 0.4 else self.make.window(other, best[0], 2)
        self._answer("near paragraph", row, other[start:end])
        if self.rng.random() < self.claims and (said := statement(row.question, row.answers[0])):
            self._claim("claim over a near paragraph", said, other[start:end], "not_stated")

    def _without_answer(self, row: Asked) -> None:
        """The paragraph without the sentences that hold the answer."""
        text, asked = row.context, words(row.question)
        rest = [text[s:e] for s, e in sentences(text) if not any(a in text[s:e] for a in row.answers)]
        if not rest:
            return
        best = max(range(len(rest)), key=lambda i: len(words(rest[i]) & asked))
        left = " ".join(rest if self.rng.random() < 0.5 else rest[best : best + 2])
        self._answer("answer sentence left out", row, left)
        if self.rng.random() < self.claims / 3:
            self._claim("claim without its sentence", f"{row.question} {row.answers[0]}", left, "not_stated")

    def _not_done(self, row: Asked, at: int) -> None:
        """The sentence itself with its deed planned, feared or denied, where the question asks about it as done."""
        text = row.context
        # an answer that begins with a blank is in no sentence
        start, end = next((s for s in sentences(text) if s[0] <= at < s[1]), (at, at))
        deed = unmade(text[start:end], self.rng)
        if deed is None or not tells_deed(text[start:end], row.question) or UNSURE.search(row.question):
            return
        told, label = deed[0], deed[3]
        if not any(a in told for a in row.answers):
            return
        first, last = self.make.window(text, at, self.rng.choice((1, 2, 3)))
        window = text[first:start] + told + text[end:last]
        self._answer("deed not done", row, window)
        if self.rng.random() < self.claims and (said := statement(row.question, row.answers[0])):
            self._claim("claim of a deed not done", said, window, label)

    def _blurred(self, row: Asked, at: int) -> None:
        """The sentence itself without the words that answer: it tells of the same thing, and leaves open what is asked."""
        text = row.context
        start, end = self.make.window(text, at, self.rng.choice((1, 2, 3)))
        window = blurred(text[start:end], max(row.answers, key=len), self.rng)
        if window is None or any(a in window for a in row.answers):
            return
        self._answer("answer left open", row, window)
        if self.rng.random() < self.claims:
            said = statement(row.question, row.answers[0]) or row.answers[0]
            self._claim("claim left open", f"{row.question} {said}", window, "not_stated")

    def _claim_of(self, row: Asked, window: str) -> None:
        """The answer as a claim, or that of another question on the same paragraph."""
        good = self.rng.random() < 0.5
        others = (a for a in self.others[row.context] if all(a not in x and x not in a for x in row.answers))
        pool = [row.answers[0]] if good else list(others)
        if not pool:
            return
        value = self.rng.choice(pool)
        said = statement(row.question, value) if self.rng.random() < 0.6 else None
        # now and then the statement alone, where it says enough by itself
        claim = said if said and self.rng.random() < 0.3 else f"{row.question} {said or value}"
        label = "supported" if good else "unsupported" if value in window else "not_stated"
        self._claim("claim", claim, window, label)


def _dated(make: Maker, name: str, row: Asked, at: int, year: int) -> None:
    """The year that is asked for stands in the sentence, or in the article's date alone, or in the date over a sentence
    that tells of another year. All years are moved to where those of articles are."""
    rng = make.rng
    asked = rng.randrange(2002, 2027)
    start, end = make.window(row.context, at, rng.choice((1, 1, 2)))
    moved = [
        YEAR.sub(lambda m: str(int(m[0]) + asked - year), x)
        for x in (row.question, row.context[start:end], row.title)
    ]
    question, window, title = moved
    if any(YEAR.search(a) for a in row.answers) or re.search(r"\b20[3-9]\d", window):
        return
    other = asked + rng.choice((-4, -3, -2, -1, 1, 2, 3))
    without = re.sub(rf"\b(?:[Ii]n|[Dd]uring) {asked},? ?", "", window)

    def pair(kind: str, text: str, dated: int, is_answered: bool) -> None:
        spans = [s for a in row.answers for s in found(text, a)]
        if spans:
            named = title + " " if title and rng.random() < 0.8 else ""
            head = f"{named}({make.date(dated)}): "
            make.answer(f"{name}, {kind}", question, text, spans if is_answered else [], head)

    if str(asked) in window:
        draw = rng.random()
        if draw < 0.6:
            told = window.replace(str(asked), str(other))
            pair("another year under the right date", told, asked, False)
        if draw > 0.4:
            pair("the year under another date", window, asked + rng.choice((0, 1, 1, 2, 5)), True)
    if without != window and not YEAR.search(without):
        same = rng.random() < 0.5
        pair("year in the date line", without, asked if same else other, same)


def joined_claims(make: Maker, name: str, rows: Sequence[Asked], most: int) -> None:
    """Claims of two facts, each the answer to a question on the same paragraph: both right, one of them wrong, or one
    of them without its sentence in the text. A claim is supported only as a whole."""
    rng = make.rng
    by_context: dict[str, list[tuple[str, Asked]]] = defaultdict(list)
    for row in rows:
        if row.answers and (said := statement(row.question, row.answers[0])) and 25 < len(said) < 160:
            by_context[row.context].append((said, row))
    shared = [c for c, said in by_context.items() if len(said) > 1]
    for text in rng.sample(shared, min(most, len(shared))):
        (first, one), (second, two) = rng.sample(by_context[text], 2)
        if one.answers[0] == two.answers[0]:
            continue
        window, label = text, "supported"
        draw = rng.random()
        if draw < 0.35:
            wrong = [
                a.answers[0] for _, a in by_context[text] if a.answers[0] not in (*one.answers, *two.answers)
            ]
            said = statement(two.question, rng.choice(wrong)) if wrong else None
            if not said:
                continue
            second, label = said, "unsupported"
        elif draw < 0.6:
            kept = [text[s:e] for s, e in sentences(text) if not any(a in text[s:e] for a in two.answers)]
            window, label = " ".join(kept), "not_stated"
            if not any(a in window for a in one.answers):
                continue
        if rng.random() < 0.5:
            first, second = second, first
        joint = rng.choice((" ", ", and ", "; "))
        claim = f"{first} {second}" if joint == " " else f"{first.rstrip('.')}{joint}{second}"
        make.claim(f"{name}, two facts", claim, window, label)


def time_questions(make: Maker, rows: Sequence[dict[str, Any]]) -> None:
    """TimeQA: questions with a period, over windows of long pages; the nearest sentences without the answer do not
    answer."""
    for row in rows:
        text, question = row["context"].replace(" .", ".").replace(" ,", ","), row["question"]
        answers = [a for a in row["answers"] or () if a]
        spans = [s for a in answers for s in found(text, a, 6)]
        asked = words(question)
        if row["answerable"] and spans:
            best = max(spans, key=lambda s: len(asked & words(text[max(0, s[0] - 150) : s[1] + 150])))
            start, end = make.window(text, best[0], 2)
            years = YEAR.findall(question)
            if years and all(y in text[start:end] for y in years):
                make.answer(
                    "timeqa, answered", question, text[start:end], [(best[0] - start, best[1] - start)]
                )
        other = [
            s
            for s in sentences(text)
            if 40 < s[1] - s[0] < 500 and not any(a in text[s[0] : s[1]] for a in answers)
        ]
        if other:
            start, end = max(other, key=lambda s: len(asked & words(text[s[0] : s[1]])))
            make.answer("timeqa, near sentence", question, text[start:end], [])


def two_step_questions(make: Maker, rows: Sequence[dict[str, Any]], most: int) -> None:
    """HotpotQA: both gold sentences answer, one alone does not; right and invented answers as claims of like length."""
    rng = make.rng
    by_question: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        by_question[row["question"]][row["label"]] = row
    for question in rng.sample(list(by_question), min(most, len(by_question))):
        pair = by_question[question]
        if "supported" not in pair:
            continue
        answer = pair["supported"]["claim"]
        evidence = re.sub(r"(?<=[a-z)][.])(?=[A-Z])", " ", pair["supported"]["evidence"])
        spans = found(evidence, answer, 2)
        if spans:
            make.answer("hotpot, answered", question, evidence, spans)
            kept = [evidence[s:e] for s, e in sentences(evidence) if answer not in evidence[s:e]]
            if kept and rng.random() < 0.5:
                make.answer("hotpot, answer sentence left out", question, " ".join(kept), [])
        wrong = pair.get("not_supported")
        if answer.lower() in ("yes", "no") or rng.random() < 0.5:
            make.claim("hotpot, claim", f"{question} {answer.capitalize()}.", evidence, "supported")
            if answer.lower() in ("yes", "no"):
                opposite = "No" if answer.lower() == "yes" else "Yes"
                make.claim("hotpot, claim", f"{question} {opposite}.", evidence, "refuted")
        elif wrong and len(wrong["claim"]) < 160:
            make.claim("hotpot, claim", f"{question} {wrong['claim']}", evidence, "unsupported")
