"""The runner: asks the questions of a suite, one record a question, and takes up again where it was interrupted.

It knows the front door (`Asker`, which `rag.assistant.Assistant` is) and the file of records, not measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from eval.cases import Case, EvalError, Suite
from eval.records import Record, Run, asked_key, read_records, record_line
from eval.split import Half, half
from eval.trace import NOTHING, Trace
from rag.answering.render import turn_of
from rag.errors import CitewireError, StoppedError
from rag.ingest.descriptions import describe
from rag.schema import Answer, Article, Status, Timings, Turn

RECORDS = "records.jsonl"
MOST_FAILURES = 5  # in a row: then it is the model or the machine that fails, and no question


class Asker(Protocol):
    """What answers questions over one corpus."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The final answer."""

    def articles(self) -> list[Article]:
        """The articles of the corpus."""

    def trace(self) -> Trace:
        """What was asked since the last call took."""


Opener = Callable[[str], Asker]
"""Opens what answers over the corpus of that name ("" for the own articles). What it gave before is not used again."""

Report = Callable[[int, int, Case], None]
"""Told before each question: how many are done, of how many, and the case."""


@dataclass(frozen=True, slots=True)
class Result:
    """A case, its final answer, and what that took, the questions before it in its conversation included."""

    case: Case
    answer: Answer
    trace: Trace = NOTHING


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results in the order of the cases; `left` counts the cases that an interruption left without one, `older` the
    answers that another version of the program gave."""

    results: tuple[Result, ...]
    asked: int
    left: int
    older: int = 0


def select(
    suite: Suite, which: Half | None, *, kind: str = "", limit: int | None = None, ids: Sequence[str] = ()
) -> list[Case]:
    """The cases to ask, in the order of the set: of one half (None: both), of one kind, with given ids.

    `limit` keeps those with the smallest hash of their id: an even sample of a set sorted by topic.
    Raises `EvalError` when nothing is left, or an id is not among them.
    """
    cases = [c for c in suite.cases if which is None or half(suite.name, c.id) is which]
    if kind:
        cases = [c for c in cases if kind in c.kinds]
    if ids:
        cases = [c for c in cases if c.id in ids]
        if missing := sorted(set(ids) - {c.id for c in cases}):
            raise EvalError(f"{suite.name}: no question {missing[0]!r} in what was chosen; try --half all")
    if limit is not None:
        cases = sorted(cases, key=lambda c: sha256(f"limit:{c.id}".encode()).hexdigest())[:limit]
        order = {c.id: i for i, c in enumerate(suite.cases)}
        cases.sort(key=lambda c: order[c.id])
    if not cases:
        raise EvalError(f"{suite.name}: no question is left to ask; choose another --half, --kind or --limit")
    return cases


def _is_plain(corpus: Mapping[str, str]) -> bool:
    """Whether documents are plain text. Any other, such as one with front matter, becomes an article only when it is read."""
    return all(path.endswith(".txt") for path in corpus)


def documents(corpus: Mapping[str, str]) -> list[Article]:
    """Documents (path -> text) of plain text as the articles that they become when written to files and read."""
    made = []
    for path, text in sorted(corpus.items()):
        said = describe(text)
        made.append(
            Article(
                path,
                sha256(text.encode()).hexdigest(),
                path,
                text,
                said.title,
                said.publisher,
                said.published,
                said.place,
                said.url,
            )
        )
    return made


def _converse(asker: Asker, case: Case) -> Answer:
    """The final answer to a case's question after the questions before it. What fails is a failed answer."""
    turns: list[Turn] = []
    try:
        for question in case.history:
            turns.append(turn_of(asker.ask(question, tuple(turns))))
        answer = asker.ask(case.question, tuple(turns))
    except StoppedError:
        raise
    except CitewireError as error:
        return Answer(case.question, case.question, Status.FAILED, error=str(error))
    if answer.status is Status.STOPPED:
        raise StoppedError("stopped")
    return answer


def _one(asker: Asker, case: Case) -> tuple[Answer, Trace]:
    answer = _converse(asker, case)
    trace = asker.trace()
    return (replace(answer, timings=Timings()) if trace.recalled else answer), trace


def _each(
    asker: Asker, cases: Sequence[Case], jobs: int, before: Callable[[Case], None]
) -> Iterator[tuple[Case, Answer, Trace]]:
    """Each case with its answer: in order, or by `jobs` threads as they come, then without times. Closing it, or an error
    of one, lets those end that are being asked, and asks no others."""
    if jobs == 1:
        for case in cases:
            before(case)
            yield (case, *_one(asker, case))
        return
    with ThreadPoolExecutor(jobs) as pool:
        asked = {pool.submit(_one, asker, case): case for case in cases}
        try:
            for future in as_completed(asked):
                answer, trace = future.result()
                before(asked[future])
                yield asked[future], replace(answer, timings=Timings()), trace
        finally:
            pool.shutdown(cancel_futures=True)


def run(
    suite: Suite,
    cases: Sequence[Case],
    opener: Opener,
    made_by: Run,
    folder: Path,
    report: Report,
    *,
    only_changed: bool = False,
    jobs: int = 1,
) -> Outcome:
    """Ask what has no record yet of the same question, articles and fingerprint in `folder/records.jsonl`.

    With `only_changed` a record of any fingerprint will do: asked is what changed in its words or articles.
    A question that fails is recorded as failed and the run goes on; after `MOST_FAILURES` in a row it ends, and the next
    run asks those that failed again. Ctrl-C, or a stopped answer, ends it and keeps what
    is done. Cases of one corpus are asked together, by `jobs` threads, whose times mean nothing and are left out. Raises `EvalError` for a damaged file of records, and what `opener`
    raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / RECORDS
    kept: dict[tuple[str, str], Record] = {
        (r.id, r.asked): r
        for r in read_records(file)
        if r.set_name == suite.name
        and not r.failed
        and (only_changed or r.fingerprint == made_by.fingerprint)
    }
    results: dict[str, tuple[Answer, Trace]] = {}
    asked = older = failures = 0
    by_corpus: dict[str, list[Case]] = {}
    for case in cases:
        by_corpus.setdefault(case.corpus, []).append(case)
    with file.open("a", encoding="utf-8") as out:
        try:
            for corpus, members in by_corpus.items():
                known = suite.corpora.get(corpus, {})
                asker = None if known and _is_plain(known) else opener(corpus)
                articles = asker.articles() if asker else documents(known)
                keys = {case.id: asked_key(case, articles) for case in members}
                new = []
                for case in members:
                    old = kept.get((case.id, keys[case.id]))
                    if old is None:
                        new.append(case)
                    else:
                        try:
                            results[case.id] = old.answer(articles), old.trace(articles)
                        except ValueError as error:
                            raise EvalError(f"{file}, line {old.line}: {error}; delete the line") from None
                        older += old.fingerprint != made_by.fingerprint
                if not new:
                    continue
                asker = asker or opener(corpus)
                for case, answer, trace in _each(
                    asker, new, jobs, lambda case: report(len(results), len(cases), case)
                ):
                    out.write(record_line(suite.name, case, made_by, keys[case.id], answer, trace))
                    out.flush()  # an interruption may come at any time
                    results[case.id] = answer, trace
                    asked += 1
                    failures = failures + 1 if answer.status is Status.FAILED else 0
                    if failures == MOST_FAILURES:
                        raise EvalError(
                            f"{suite.name}, question {case.id}: {answer.error} ({failures} questions in a row failed);"
                            " what was answered is kept: the same command asks the rest"
                        )
        except (KeyboardInterrupt, StoppedError):
            pass  # what is done stands in the file and is reported
    done = tuple(Result(c, *results[c.id]) for c in cases if c.id in results)
    return Outcome(done, asked, len(cases) - len(done), older)
