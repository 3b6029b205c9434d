"""Make the reader's training pairs out of public sets: one file of JSON lines, and a count of each kind.

    python -m training.data --sets DIR --squad FILE --nq FILE --out PAIRS.jsonl

`--sets` holds the unpacked sets that `training/README.md` names. Every row is drawn with a fixed seed, so the same
sets give the same pairs. What makes a pair hard is told beside the maker; the changes themselves are in
`training/rewriting.py`, generated claims in `training/templates.py`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.schema import MONTHS
from training.pairs import Row
from training.rewriting import (
    NAME,
    NUMBER,
    YEAR,
    changed,
    inverted,
    lighter,
    passive,
    reordered,
    sentences,
    statement,
    unmade,
)
from training.templates import made

MOST_WINDOW = 1400  # characters; longer evidence is left out
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over a paragraph. `tempting`: wrong answers that the paragraph holds, of an unanswerable one."""

    question: str
    context: str
    answers: tuple[str, ...]
    tempting: tuple[str, ...]
    title: str

    @property
    def spans(self) -> list[Span]:
        return [s for a in self.answers for s in found(self.context, a)]


def found(text: str, answer: str, most: int = 3) -> list[Span]:
    """Where an answer stands in a text, at most so often."""
    return [(m.start(), m.end()) for m in re.finditer(re.escape(answer), text)][:most] if answer else []


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}|\d+", text.lower()))


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def asked_of(row: dict[str, Any]) -> Asked:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(x["text"] if isinstance(x, dict) else x for x in row.get(name) or () if x))

    impossible = bool(row.get("is_impossible", not row.get("answerable", True)))
    return Asked(
        row["question"].strip(),
        row.get("context") or row.get("passage") or "",
        () if impossible else texts("answers"),
        texts("plausible_answers"),
        str(row.get("title") or "").replace("_", " "),
    )


class Maker:
    """Collects pairs. `rng` alone decides what is drawn."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.rows: list[Row] = []
        self.counts: Counter[str] = Counter()

    def answer(self, kind: str, question: str, window: str, spans: Sequence[Span], head: str = "") -> None:
        moved = [[s + len(head), e + len(head)] for s, e in spans]
        self._add(kind, {"task": "answer", "question": question, "window": head + window, "spans": moved})

    def claim(self, kind: str, claim: str, window: str, label: str) -> None:
        """A claim, and now and then the same as a question with its yes or no."""
        if self.rng.random() < 0.12 and (question := inverted(claim)):
            yes = self.rng.random() < 0.6
            label = (
                label
                if yes
                else {"supported": "refuted", "refuted": "supported", "not_stated": "not_stated"}.get(
                    label, ""
                )
            )
            if not label:
                return
            claim, kind = f"{question} {'Yes' if yes else 'No'}.", f"{kind}, yes or no"
        self._add(kind, {"task": "claim", "claim": claim, "window": window, "label": label})

    def _add(self, kind: str, row: Row) -> None:
        if len(row["window"]) <= MOST_WINDOW:
            self.rows.append(row)
            self.counts[kind] += 1

    def head(self, title: str, not_year: Sequence[str] = (), often: float = 0.3) -> str:
        """A line as the product puts ahead of a window: the article's title and date, or nothing."""
        if self.rng.random() > often:
            return ""
        date = self.date(self.rng.choice([y for y in range(2012, 2027) if str(y) not in not_year]))
        return (
            f"{title} ({date}): " if title and len(title) < 70 and self.rng.random() < 0.8 else f"({date}): "
        )

    def date(self, year: int) -> str:
        return f"{self.rng.randrange(1, 29)} {self.rng.choice(MONTHS)} {year}"

    def window(self, text: str, at: int, most: int) -> Span:
        """Up to `most` sentences around a character."""
        cut = sentences(text)
        here = next((i for i, (s, e) in enumerate(cut) if s <= at < e), 0)
        first = max(0, here - self.rng.randint(0, most - 1))
        last = min(len(cut) - 1, max(here, first + most - 1))
        return cut[first][0], cut[last][1]


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
    changed, the nearest other paragraph or sentence of the same article, and the paragraph without its answer sentences.
    """
    rng = make.rng
    paragraphs: dict[str, dict[str, None]] = defaultdict(dict)
    names: dict[str, list[str]] = defaultdict(list)
    others: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.context not in paragraphs[row.title]:
            paragraphs[row.title][row.context] = None
            names[row.title] += NAME.findall(row.context)
        others[row.context] += row.answers[:1]
    for row in rows:
        spans = row.spans
        if not row.question or (row.answers and not spans):
            continue
        text, question = row.context, row.question
        at = spans[0][0] if spans else next((s[0][0] for t in row.tempting if (s := found(text, t))), None)

        def cut(whole: float, question: str = question, text: str = text, at: int | None = at) -> Span:
            if rng.random() < whole:
                return 0, len(text)
            if at is None:
                return max(
                    sentences(text),
                    key=lambda s: len(words(text[s[0] : s[1]]) & words(question)) + rng.random() / 2,
                )
            start, end = make.window(text, at, rng.choice((1, 2, 3, 3)))
            if all(x in text[start:end] or x not in text for x in fixed(question)):
                return start, end
            return 0, len(text)

        title = row.title if name != "reviews" else ""
        years = YEAR.findall(question)
        start, end = cut(0.35)
        inside = [(s - start, e - start) for s, e in spans if s >= start and e <= end]
        make.answer(
            f"{name}, {'answered' if spans else 'unanswerable'}",
            question,
            text[start:end],
            inside,
            make.head(title, years),
        )
        if not spans:
            if twice:
                start, end = (0, len(text)) if end - start < len(text) else cut(0.0)
                make.answer(f"{name}, unanswerable", question, text[start:end], [], make.head(title, years))
            if row.tempting and rng.random() < claims:
                said = statement(question, row.tempting[0]) if rng.random() < 0.6 else None
                make.claim(
                    f"{name}, claim", f"{question} {said or row.tempting[0]}", text[start:end], "unsupported"
                )
            continue
        draw = rng.random()
        if draw < 0.32:
            new = changed(question, text, names[row.title], ("year", "number", "word", "name", "name"), rng)
            if new:
                start, end = cut(0.3)
                make.answer(
                    f"{name}, question changed", new, text[start:end], [], make.head(title, YEAR.findall(new))
                )
                if rng.random() < claims / 2:
                    said = statement(new, row.answers[0]) or row.answers[0]
                    make.claim(
                        f"{name}, claim of a changed question",
                        f"{new} {said}",
                        text[start:end],
                        "unsupported",
                    )
        elif draw < 0.47 and len(paragraphs[row.title]) > 1:
            near = [
                p
                for p in list(paragraphs[row.title])[:60]
                if p != text and not any(a.lower() in p.lower() for a in row.answers)
            ]
            if near:
                other = max(near, key=lambda p: len(words(p) & words(question)))
                best = max(sentences(other), key=lambda s: len(words(other[s[0] : s[1]]) & words(question)))
                start, end = (0, len(other)) if rng.random() < 0.4 else make.window(other, best[0], 2)
                make.answer(f"{name}, near paragraph", question, other[start:end], [], make.head(title))
                if rng.random() < claims and (said := statement(question, row.answers[0])):
                    make.claim(f"{name}, claim over a near paragraph", said, other[start:end], "not_stated")
        elif draw < 0.57:
            rest = [text[s:e] for s, e in sentences(text) if not any(a in text[s:e] for a in row.answers)]
            if rest:
                best_at = max(range(len(rest)), key=lambda i: len(words(rest[i]) & words(question)))
                left = rest if rng.random() < 0.5 else rest[best_at : best_at + 2]
                make.answer(
                    f"{name}, answer sentence left out", question, " ".join(left), [], make.head(title)
                )
                if rng.random() < claims / 3:
                    make.claim(
                        f"{name}, claim without its sentence",
                        f"{question} {row.answers[0]}",
                        " ".join(left),
                        "not_stated",
                    )
        elif years and draw < 0.9:
            _year_in_head(make, name, row, spans[0], years[0])
        if rng.random() < claims:
            start, end = cut(0.2)
            good = rng.random() < 0.5
            pool = (
                [row.answers[0]]
                if good
                else [a for a in others[text] if all(a not in x and x not in a for x in row.answers)]
            )
            if pool:
                value = rng.choice(pool)
                said = statement(question, value) if rng.random() < 0.6 else None
                plain = said and rng.random() < 0.3  # the statement alone, where it says enough by itself
                make.claim(
                    f"{name}, claim",
                    said if said and plain else f"{question} {said or value}",
                    text[start:end],
                    "supported" if good else "unsupported" if value in text[start:end] else "not_stated",
                )


def _year_in_head(make: Maker, name: str, row: Asked, span: Span, year: str) -> None:
    """The year that is asked for stands in the article's date alone, or another one does."""
    text = row.context
    start, end = make.window(text, span[0], 1)
    window = text[start:end]
    cut = re.sub(rf"\b(?:[Ii]n|[Dd]uring) {year},? ?", "", window)
    if cut == window or YEAR.search(cut) or not (2000 <= int(year) <= 2026):
        return
    again = [s for a in row.answers for s in found(cut, a)]
    if not again:
        return
    same = make.rng.random() < 0.5
    head = f"{row.title} ({make.date(int(year) + (0 if same else make.rng.choice((-3, -2, -1, 1, 2, 3))))}): "
    make.answer(f"{name}, year in the date line", row.question, cut, again if same else [], head)


def sentence_claims(make: Maker, name: str, contexts: Sequence[str], most: int) -> None:
    """Claims that are sentences of a text: as they stand, said otherwise, with one fact changed, with the deed unmade
    in the text or in the claim, and with the roles swapped."""
    rng = make.rng
    names = [n for c in contexts[:500] for n in NAME.findall(c)]
    for text in rng.sample(list(contexts), min(most, len(contexts))):
        cut = sentences(text)
        drawn = set(rng.sample(cut, min(2, len(cut))))
        for start, end in cut:
            said = text[start:end]
            if (start, end) not in drawn and not (passive(said) or unmade(said, rng)):
                continue
            if not 40 < len(said) < 260:
                continue
            here = cut.index((start, end))
            first, last = (
                cut[max(0, here - rng.randint(0, 1))][0],
                cut[min(len(cut) - 1, here + rng.randint(0, 1))][1],
            )
            before, after = make.head("", often=0.15) + text[first:start], text[end:last]
            window = before + said + after
            short = lighter(said)
            turned = passive(short)
            if turned:
                make.claim(f"{name}, passive", turned[0], window, "supported")
                make.claim(f"{name}, roles swapped", rng.choice(turned[1:]), window, "unsupported")
            deed = unmade(short, rng)
            if deed:
                open_, again, otherwise, label = deed
                draw = rng.random()
                if draw < 0.45:
                    make.claim(f"{name}, deed not done", short, before + open_ + after, label)
                elif draw < 0.6:
                    make.claim(f"{name}, deed not done", otherwise, before + open_ + after, "unsupported")
                elif draw < 0.75:
                    make.claim(
                        f"{name}, deed left open in the claim",
                        open_,
                        window,
                        "refuted" if label == "refuted" else "unsupported",
                    )
                else:
                    make.claim(f"{name}, deed left open alike", again, before + open_ + after, "supported")
                if rng.random() < 0.5:
                    make.claim(f"{name}, same", short, window, "supported")
                continue
            if rng.random() < 0.5:
                make.claim(f"{name}, same", reordered(short) or short, window, "supported")
            else:
                pool = NAME.findall(window) if rng.random() < 0.6 else names
                new = changed(
                    short,
                    window,
                    pool,
                    ("year", "number", "name", "role", "role", "not", "word", "word"),
                    rng,
                )
                if new:
                    make.claim(f"{name}, changed", new, window, "unsupported")


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


def judged_claims(make: Maker, name: str, rows: Sequence[dict[str, Any]], share: float) -> None:
    """Claims that people judged against evidence."""
    for row in rows:
        evidence = re.sub(r"\s+([.,;:!?])", r"\1", row["evidence"])
        label = "not_stated" if row["label"] == "not_enough_info" else row["label"]
        if name == "covidfact" and label == "refuted":
            label = "unsupported"  # words swapped by a program
        if make.rng.random() < share:
            page = f"{row['page']}: " if row.get("page") and make.rng.random() < 0.8 else ""
            make.claim(name, row["claim"], page + evidence, label)


def news_like(rows: Sequence[dict[str, Any]]) -> Iterator[Asked]:
    """QAMR's questions on single sentences; the shortest questions say too little."""
    for row in rows:
        if len(row["question"].split()) > 4:
            yield Asked(row["question"], row["context"], tuple(row["answers"][:2]), (), "")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--squad", type=Path, required=True, help="squad2_train.jsonl")
    parser.add_argument("--nq", type=Path, required=True, help="nq_passages.jsonl")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--generated", type=int, default=12_000, help="generated claims")
    parser.add_argument("--questions", type=float, default=1.0, help="share of the questions that is kept")
    parser.add_argument("--claims", type=float, default=1.0, help="share of the claims that is kept")
    parser.add_argument("--seed", type=int, default=43)
    options = parser.parse_args()
    make = Maker(options.seed)
    rng = make.rng

    def load(name: str) -> list[dict[str, Any]]:
        return read(options.sets / f"{name}.jsonl")

    squad = [asked_of(r) for r in [*read(options.squad), *load("squad2_train_part")]]
    wiki = [asked_of(r) for r in load("squadshifts_new_wiki")]
    nq = [asked_of(r) for r in read(options.nq)]
    questions(make, "squad2", squad, twice=True)
    questions(make, "new_wiki", rng.sample(wiki, 6000))
    questions(make, "nq", nq)
    reviews = [asked_of(r) for r in [*load("squadshifts_reddit"), *load("squadshifts_amazon")]]
    questions(make, "reviews", rng.sample(reviews, 1500), claims=0.2)
    qamr = list(news_like(load("qamr")))
    questions(make, "qamr", rng.sample(qamr, 4000), claims=0.3)
    joined_claims(make, "squad2", squad, 5000)
    joined_claims(make, "new_wiki", wiki, 2000)
    time_questions(make, load("timeqa_human"))
    two_step_questions(make, load("halueval_qa"), 3500)
    paragraphs = list(dict.fromkeys([*(a.context for a in squad), *(a.context for a in wiki)]))
    sentence_claims(make, "sentence", paragraphs, 9000)
    sentence_claims(make, "news sentence", list(dict.fromkeys(a.context for a in qamr)), 4000)
    for name, share in (
        ("fever", 1.0), ("fool_me_twice", 1.0), ("fever_symmetric", 1.0), ("healthver", 1.0), ("covidfact", 0.5),
        ("cad_nli", 0.4), ("snli", 0.4),
    ):  # fmt: skip
        judged_claims(make, name, load(name), share)
    for evidence, claim, label in made(options.generated, rng):
        make.claim("generated", claim, make.head("", often=0.15) + evidence, label)

    rng.shuffle(make.rows)
    drawn, shares = random.Random(9), {"answer": options.questions, "claim": options.claims}
    make.rows = [r for r in make.rows if drawn.random() < shares[r["task"]]]
    with options.out.open("w", encoding="utf-8") as out:
        for row in make.rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    print("made, before --questions and --claims:")
    for kind, count in sorted(make.counts.items()):
        print(f"{count:7,}  {kind}")
    labels = Counter(r["label"] for r in make.rows if r["task"] == "claim")
    answered = sum(bool(r["spans"]) for r in make.rows if r["task"] == "answer")
    asked = sum(r["task"] == "answer" for r in make.rows)
    mean = sum(len(r["window"]) for r in make.rows) / len(make.rows)
    print(
        f"{len(make.rows):,} pairs; {asked:,} questions, {answered:,} answered; claims {dict(labels)}; {mean:.0f} characters a window"
    )


if __name__ == "__main__":
    main()
