"""Make the reader's training pairs out of public sets: one file of JSON lines, and a count of each kind.

    python -m training.data --sets DIR --squad FILE --nq FILE --out PAIRS.jsonl

`--sets` holds the unpacked sets that `training/README.md` names. Every row is drawn with a fixed seed, so the same
sets give the same pairs. Pairs of questions are made in `training/questions.py`, generated claims in
`training/templates.py`; the changes that make a pair hard are in `training/rewriting.py`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from training.claims import judged_claims, sentence_claims, yes_no_questions
from training.followups import follow_ups
from training.maker import Asked, Maker, asked_in, read_rows
from training.questions import joined_claims, questions, time_questions, two_step_questions
from training.templates import made
from training.written import items, items_of_sets, written


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
    parser.add_argument("--written", type=float, default=1.0, help="share of the pairs of training/written")
    parser.add_argument("--questions", type=float, default=1.0, help="share of the questions that is kept")
    parser.add_argument("--claims", type=float, default=1.0, help="share of the claims that is kept")
    parser.add_argument("--seed", type=int, default=43)
    options = parser.parse_args()
    make = Maker(options.seed)
    rng = make.rng

    def load(name: str) -> list[dict[str, Any]]:
        return read_rows(options.sets / f"{name}.jsonl")

    def asked(*names: str) -> list[Asked]:
        return asked_in(*(options.sets / f"{name}.jsonl" for name in names))

    squad = [*asked_in(options.squad), *asked("squad2_train_part")]
    wiki, nq = asked("squadshifts_new_wiki"), asked_in(options.nq)
    questions(make, "squad2", squad, twice=True)
    questions(make, "new_wiki", rng.sample(wiki, 6000))
    questions(make, "nq", nq)
    reviews = asked("squadshifts_reddit", "squadshifts_amazon")
    questions(make, "reviews", rng.sample(reviews, 1500), claims=0.2)
    qamr = list(news_like(load("qamr")))
    questions(make, "qamr", rng.sample(qamr, 4000), claims=0.3)
    follow_ups(make, "squad2", squad, 6000)
    follow_ups(make, "new_wiki", wiki, 2000)
    joined_claims(make, "squad2", squad, 5000)
    joined_claims(make, "new_wiki", wiki, 2000)
    time_questions(make, load("timeqa_human"))
    two_step_questions(make, load("halueval_qa"), 3500)
    paragraphs = list(dict.fromkeys([*(a.context for a in squad), *(a.context for a in wiki)]))
    sentence_claims(make, "sentence", paragraphs, 9000)
    sentence_claims(make, "news sentence", list(dict.fromkeys(a.context for a in qamr)), 4000)
    for name, share in (
        ("fever", 1.0), ("fool_me_twice", 1.0), ("fever_symmetric", 1.0), ("healthver", 1.0), ("covidfact", 0.5),
        ("cad_nli", 0.6), ("snli", 0.6),
    ):  # fmt: skip
        judged_claims(make, name, load(name), share)
    yes_no_questions(make, "boolq", load("boolq"))
    for evidence, claim, label in made(options.generated, rng):
        make.claim("generated", claim, make.head("", often=0.15) + evidence, label)

    drawn, shares = random.Random(9), {"answer": options.questions, "claim": options.claims}
    make.rows = [r for r in make.rows if drawn.random() < shares[r["task"]]]
    made_before = len(make.rows)
    written(make, items())
    written(make, items_of_sets([*paragraphs, *(a.context for a in nq)]))
    make.rows[made_before:] = [r for r in make.rows[made_before:] if drawn.random() < options.written]
    rng.shuffle(make.rows)
    with options.out.open("w", encoding="utf-8") as out:
        for row in make.rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    print("made, before --questions, --claims and --written:")
    for kind, count in sorted(make.counts.items()):
        print(f"{count:7,}  {kind}")
    labels = Counter(r["label"] for r in make.rows if r["task"] == "claim")
    answered = sum(bool(r["spans"]) for r in make.rows if r["task"] == "answer")
    questions_made = sum(r["task"] == "answer" for r in make.rows)
    mean = sum(len(r["window"]) for r in make.rows) / len(make.rows)
    print(
        f"{len(make.rows):,} pairs; {questions_made:,} questions, {answered:,} answered; claims {dict(labels)}; {mean:.0f} characters a window"
    )


if __name__ == "__main__":
    main()
