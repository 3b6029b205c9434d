"""Training claims out of texts and of sets that people judged: as they stand, changed, left open, or held against a text
that tells of something else."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from training.maker import Maker, words
from training.rewriting import (
    NAME,
    WORDS,
    changed,
    lighter,
    lowered,
    passive,
    reordered,
    sentences,
    unmade,
)

HELD = 0.25  # of the sentences in which nothing is undone: somebody only believes, denies or confirms them
ELSEWHERE = 0.1  # of the claims are held against a text about something else
CANDIDATES = 250  # texts of which the most alike is that other one
CHANGES = ("year", "number", "name", "role", "role", "not", "word", "word")
# A contradiction between captions supposes that both tell of one scene. Texts do not: there it may be not stated as well.
CAPTIONS = ("snli", "cad_nli")


def sentence_claims(make: Maker, name: str, contexts: Sequence[str], most: int) -> None:
    """Claims that are sentences of a text: as they stand, said otherwise, with one fact changed, with the deed undone
    in the text or in the claim, with the roles swapped, as somebody's belief, and over another text."""
    of_texts = _Sentences(make, name, contexts)
    for text in make.rng.sample(list(contexts), min(most, len(contexts))):
        of_texts.claims(text)


class _Sentences:
    """Makes claims of the sentences of texts."""

    def __init__(self, make: Maker, name: str, contexts: Sequence[str]) -> None:
        self.make, self.rng, self.name, self.contexts = make, make.rng, name, contexts
        self.names = [n for c in contexts[:500] for n in NAME.findall(c)]

    def _claim(self, kind: str, claim: str, window: str, label: str) -> None:
        self.make.claim(f"{self.name}, {kind}", claim, window, label)

    def claims(self, text: str) -> None:
        """Two sentences of the text, and all in which a deed or a role can be changed."""
        rng = self.rng
        cut = sentences(text)
        drawn = set(rng.sample(cut, min(2, len(cut))))
        for here, (start, end) in enumerate(cut):
            said = text[start:end]
            if (start, end) not in drawn and not (passive(said) or unmade(said, rng)):
                continue
            short = lighter(said)
            if not 40 < len(said) < 260 or len(short) < 20:
                continue
            first = cut[max(0, here - rng.randint(0, 1))][0]
            last = cut[min(len(cut) - 1, here + rng.randint(0, 1))][1]
            before, after = self.make.head("", often=0.15) + text[first:start], text[end:last]
            if rng.random() < ELSEWHERE:
                self._claim("another text", short, nearest(short, text, self.contexts, rng), "not_stated")
            if turned := passive(short):
                window = before + said + after
                self._claim("passive", turned[0], window, "supported")
                self._claim("roles swapped", rng.choice(turned[1:]), window, "unsupported")
            if deed := unmade(short, rng):
                self._undone(short, deed, before, said, after)
            elif rng.random() < HELD and (held := _held(short, text, rng)):
                told, label = held
                self._claim("held by somebody", short, before + told + after, label)
            else:
                self._plain(short, before + said + after)

    def _undone(
        self, short: str, deed: tuple[str, str, str, str], before: str, said: str, after: str
    ) -> None:
        rng, window = self.rng, before + said + after
        open_, again, otherwise, label = deed
        draw = rng.random()
        if draw < 0.45:
            self._claim("deed not done", short, before + open_ + after, label)
        elif draw < 0.6:
            self._claim("deed not done", otherwise, before + open_ + after, "unsupported")
        elif draw < 0.75:
            kind = "refuted" if label == "refuted" else "unsupported"
            self._claim("deed left open in the claim", open_, window, kind)
        else:
            self._claim("deed left open alike", again, before + open_ + after, "supported")
        if rng.random() < 0.5:
            self._claim("same", short, window, "supported")

    def _plain(self, short: str, window: str) -> None:
        rng = self.rng
        if rng.random() < 0.5:
            self._claim("same", reordered(short) or short, window, "supported")
            return
        pool = NAME.findall(window) if rng.random() < 0.6 else self.names
        if new := changed(short, window, pool, CHANGES, rng):
            self._claim("changed", new, window, "unsupported")


def _held(sentence: str, text: str, rng: random.Random) -> tuple[str, str] | None:
    """The sentence as what somebody believes, denies or confirms, and what the plain sentence then is; None where its
    first word may not stand within a sentence."""
    inner = lowered(sentence).rstrip(".")
    first = inner.split()[0]
    if first[0].isupper() and not re.search(rf"(?<=[a-z,] ){re.escape(first)}\b", text):
        return None
    label = rng.choice(("not_stated", "not_stated", "supported", "refuted"))
    who = f"{rng.choice(WORDS['first_names'])} {rng.choice(WORDS['last_names'])}"
    return rng.choice(WORDS[f"held_{label}"]).format(p=who, s=inner) + ".", label


@cache
def _words(text: str) -> frozenset[str]:
    return frozenset(words(text))


def nearest(claim: str, own: str, texts: Sequence[str], rng: random.Random) -> str:
    """Of some other texts, one or two sentences of the one that shares most words with the claim."""
    asked = words(claim)
    others = [t for t in rng.sample(list(texts), min(CANDIDATES, len(texts))) if t != own]
    best = max(others, key=lambda t: len(_words(t) & asked))
    cut = sentences(best)
    at = max(range(len(cut)), key=lambda i: len(words(best[cut[i][0] : cut[i][1]]) & asked))
    return best[cut[at][0] : cut[min(at + rng.randint(0, 1), len(cut) - 1)][1]]


def judged_claims(make: Maker, name: str, rows: Sequence[dict[str, Any]], share: float) -> None:
    """Claims that people judged against evidence, some of them over the evidence of another claim as well."""
    rng = make.rng
    texts = [row["evidence"] for row in rows]
    for row in rows:
        evidence = _spaced(row["evidence"])
        label = "not_stated" if row["label"] == "not_enough_info" else row["label"]
        if label == "refuted" and (name in CAPTIONS or name == "covidfact"):
            label = "unsupported"  # covidfact: words swapped by a program
        if rng.random() >= share:
            continue
        page = f"{row['page']}: " if row.get("page") and rng.random() < 0.8 else ""
        make.claim(name, row["claim"], page + evidence, label)
        if rng.random() < ELSEWHERE:
            other = _spaced(nearest(row["claim"], row["evidence"], texts, rng))
            make.claim(f"{name}, another text", row["claim"], other, "not_stated")


def yes_no_questions(make: Maker, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Questions that people answered with yes or no, with the answer that is right, the other one, and either over
    another passage."""
    rng = make.rng
    texts = [row["evidence"] for row in rows]
    for row in rows:
        question = row["question"][0].upper() + row["question"][1:]
        is_yes = row["answer"] == "yes"
        for said in rng.sample((True, False), rng.choice((1, 1, 2))):
            claim = f"{question} {'Yes' if said else 'No'}."
            make.claim(name, claim, row["evidence"], "supported" if said is is_yes else "refuted")
        if rng.random() < 3 * ELSEWHERE:
            other = nearest(row["question"], row["evidence"], texts, rng)
            claim = f"{question} {rng.choice(('Yes', 'No'))}."
            make.claim(f"{name}, another text", claim, other, "not_stated")


def _spaced(text: str) -> str:
    return re.sub(r"\s+([.,;:!?])", r"\1", text)
