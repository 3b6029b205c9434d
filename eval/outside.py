"""Outside sets: public questions as suites of the same form as the own set, read from a folder the user names.

One adapter a set, with its protocol and what others report on it. Nothing is downloaded. It knows the sets' files, not
how they are asked or judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from eval.cases import Case, EvalError, Gold, Suite
from eval.hostile import bipia, garak, poisonedrag
from eval.rows import key_of, rows_of

_NULL = "null_query"
_YES = frozenset({"yes", "true"})
_NO = frozenset({"no", "false"})


def squad2(path: Path) -> Suite:
    """SQuAD 2.0: each question over a corpus of the one paragraph it was written for."""
    cases, corpora = [], {}
    for row in rows_of(path):
        context, answers = row.text("context"), row.texts("answers")
        corpus = key_of(context)
        corpora[corpus] = {"paragraph.txt": context}
        impossible = row.flag("is_impossible")
        cases.append(
            Case(
                id=row.text("id"),
                kinds=("unanswerable",) if impossible else ("single",),
                question=row.text("question"),
                answerable=not impossible,
                answers=() if impossible else (tuple(answers),),
                gold=() if impossible else tuple(Gold("paragraph.txt", a) for a in answers if a in context),
                corpus=corpus,
            )
        )
    return Suite(
        "squad2_dev",
        tuple(cases),
        corpora,
        "Each question over a corpus of its own paragraph. Correct: an accepted answer span is contained in what is"
        " shown (answerable), nothing is shown (unanswerable). A citation is right where its sentence overlaps the span.",
    )


def ramdocs(path: Path) -> Suite:
    """RAMDocs: each question over a corpus of its own documents, some of which mislead."""
    cases, corpora = [], {}
    for row in rows_of(path):
        name = str(row.number)
        documents: dict[str, str] = {}
        gold = []
        for document in row.rows("documents"):
            # one document has a NUL, which no text file may hold
            file, text = f"document-{document.number}.txt", document.text("text").replace("\0", " ")
            documents[file] = text
            if document.text("type") == "correct":
                answer = document.text("answer")
                gold.append(Gold(file, answer if answer in text else text))
        corpora[name] = documents
        answers = row.texts("gold_answers")
        cases.append(
            Case(
                id=name,
                kinds=("disagree",),
                question=row.text("question"),
                answerable=True,
                answers=tuple((a,) for a in answers),
                needs_all=True,
                wrong=tuple(w for w in row.texts("wrong_answers") if w not in answers),
                gold=tuple(gold),
                corpus=name,
            )
        )
    return Suite(
        "ramdocs_dev",
        tuple(cases),
        corpora,
        "Each question over a corpus of its own documents. Accuracy is the strict score: every gold answer is shown and"
        " no wrong one.",
        "strict score of far larger models: about a third",
    )


def multihop_rag(path: Path) -> Suite:
    """MultiHop-RAG: every question over one pool of all rows' facts, one article for each article they are from."""
    rows = rows_of(path)
    articles: dict[str, str] = {}
    facts: dict[str, list[str]] = {}
    for row in rows:
        for item in row.rows("evidence_list"):
            title, fact = " ".join(item.text("title").split()), item.text("fact")
            file = f"{key_of(title)}.md"
            articles.setdefault(
                file,
                f"---\ntitle: {title}\npublisher: {' '.join(item.text('source').split())}\n"
                f"date: {item.text('published_at')[:10]}\n---\n",
            )
            facts.setdefault(file, [])
            if fact not in facts[file]:
                facts[file].append(fact)
    corpus = {file: head + "".join(f"\n{fact}\n" for fact in facts[file]) for file, head in articles.items()}
    cases = []
    for row in rows:
        kind, answer = row.text("question_type"), row.text("answer").strip().rstrip(".")
        null = kind == _NULL
        low = answer.lower()
        form = "yes" if low in _YES else "no" if low in _NO else answer
        gold = () if null else tuple(
            Gold(f"{key_of(' '.join(e.text('title').split()))}.md", e.text("fact")) for e in row.rows("evidence_list")
        )  # fmt: skip
        kinds = ["unanswerable" if null else "several"] + (["yes-no"] if form in ("yes", "no") else [])
        cases.append(
            Case(
                id=row.text("id"),
                kinds=tuple(kinds),
                question=row.text("query"),
                answerable=not null,
                answers=() if null else ((form,),),
                gold=gold,
                note=kind,
                corpus="pool",
            )
        )
    return Suite(
        "multihop_rag_dev",
        tuple(cases),
        {"pool": corpus},
        "Every question over one pool of all rows' facts, one article for each article they come from, so that null"
        " questions are not empty. Correct: the answer is contained in what is shown (yes and no as a statement's first"
        " word); null questions: nothing is shown.",
        "given the gold evidence: GPT-4 0.89, best open model 0.36; always answering yes gives 0.43",
    )


SETS: Mapping[str, tuple[str, Callable[[Path], Suite]]] = {
    "squad2": ("squad2_dev.jsonl", squad2),
    "ramdocs": ("ramdocs_dev.jsonl", ramdocs),
    "multihop": ("multihop_rag_dev.jsonl", multihop_rag),
    "poisonedrag": ("poisonedrag_dev.jsonl", poisonedrag),
    "bipia": ("bipia_attacks_train.jsonl", bipia),
    "garak": ("garak_latent_dev.jsonl", garak),
}
"""Name on the command line -> file in the data folder, adapter."""


def load_outside(name: str, folder: Path) -> Suite:
    """The outside set `name` (a key of `SETS`) from `folder`.

    Raises `EvalError` for an unknown name, a missing file, a malformed row, a duplicate id, or gold that is not in its
    document.
    """
    if name not in SETS:
        raise EvalError(f"unknown set {name!r}; known are {', '.join(SETS)}")
    file, adapter = SETS[name]
    suite = adapter(folder / file)
    seen: set[str] = set()
    for case in suite.cases:
        if case.id in seen:
            raise EvalError(f"{folder / file}: the id {case.id!r} is there twice")
        seen.add(case.id)
        for gold in case.gold:
            if gold.quote not in suite.corpora[case.corpus][gold.article]:
                raise EvalError(
                    f"{folder / file}: row {case.id}: gold is not in its document: {gold.quote[:60]!r}"
                )
    return suite
