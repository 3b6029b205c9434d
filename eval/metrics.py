"""Measures with their standard names: comparing texts, ranked lists, rates with intervals. Pure.

It knows texts and numbers, not cases or answers, and shares no code with the parts of `rag` that it measures: a
mistake there must not be repeated here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# --- texts -------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?(?!\w)|\d+(?:\.\d+)?(?!\w)|[^\W_]+(?:'[^\W_]+)*|%")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def _numbered(words: str, first: int, step: int) -> dict[str, int]:
    return {word: first + step * i for i, word in enumerate(words.split())}


_UNITS = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen",
    0,
    1,
)
_TENS = _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}


def _plain(text: str) -> str:
    """Lower case, without accents, with straight quotation marks, "U.S." as "us"."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = text.replace("’", "'").replace("‘", "'").casefold()
    return _DOTTED.sub(lambda m: m.group().replace(".", ""), text)


def _number_text(digits: str) -> str:
    """A number written one way: 1,128 and 1128.0 are both "1128"."""
    value = float(digits.replace(",", ""))
    return str(int(value)) if value.is_integer() else repr(value)


def _fold_word(word: str) -> str:
    word = word.removesuffix("'s").replace("'", "")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _spelled(words: Sequence[str], at: int) -> tuple[int, int]:
    """The number spelled at `words[at:]` and how many words it takes; (0, 0) where there is none."""
    total = current = taken = 0
    began = False
    for word in words[at:]:
        if word in _UNITS:
            # "twenty five" goes on, "five five" does not
            if began and (current % 10 or current % 100 == 10 or (_UNITS[word] > 9 and current % 100)):
                break
            current += _UNITS[word]
        elif word in _TENS:
            if began and current % 100:
                break
            current += _TENS[word]
        elif word in _SCALES and began:
            if _SCALES[word] == 100:
                current *= 100
            else:
                total, current = total + current * _SCALES[word], 0
        else:
            break
        began, taken = True, taken + 1
    return (total + current, taken) if began else (0, 0)


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared: folded, numbers as numbers, spelled ones too, plurals as singulars.

    "%" and "per cent" are "percent"; punctuation and hyphens only separate.
    """
    words = [m.group() for m in _TOKEN.finditer(_plain(text))]
    found: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        value, taken = _spelled(words, at)
        if taken:
            found.append(str(value))
            at += taken
            continue
        if word == "%":
            found.append("percent")
        elif word == "per" and words[at + 1 : at + 2] == ["cent"]:
            found.append("percent")
            at += 1
        elif word[0].isdigit() and _NUMBER.fullmatch(word.replace(",", "")):
            scale = _SCALES.get(words[at + 1], 0) if at + 1 < len(words) else 0
            found.append(_number_text(repr(float(word.replace(",", "")) * (scale or 1))))
            at += bool(scale)
        else:
            found.append(_fold_word(word))
        at += 1
    return tuple(found)


def is_number(token: str) -> bool:
    """Whether a token of `tokens` is a number."""
    return _NUMBER.fullmatch(token) is not None


def contains(text: str, form: str) -> bool:
    """Whether the tokens of `form` stand in `text`, in order and next to each other: whole words, never parts."""
    within, wanted = tokens(text), tokens(form)
    n = len(wanted)
    return n > 0 and any(within[i : i + n] == wanted for i in range(len(within) - n + 1))


def _squad(text: str) -> list[str]:
    return [t for t in tokens(text) if t not in ("a", "an", "the")]


def exact_match(text: str, form: str) -> bool:
    """EM of SQuAD: equal but for case, punctuation and articles."""
    return _squad(text) == _squad(form)


def token_f1(text: str, form: str) -> float:
    """F1 of SQuAD: harmonic mean of precision and recall over the tokens in common, 0 to 1."""
    said, wanted = _squad(text), _squad(form)
    common = sum((Counter(said) & Counter(wanted)).values())
    if not common:
        return float(said == wanted)
    return 2 * common / (len(said) + len(wanted))


# --- ranked lists ------------------------------------------------------------------------------------------------


def reciprocal_rank(relevant: Sequence[bool]) -> float:
    """RR: 1 / rank of the first relevant item, ranks from 1; 0 where there is none."""
    return next((1 / rank for rank, hit in enumerate(relevant, 1) if hit), 0.0)


def ndcg_at(k: int, relevant: Sequence[bool], wanted: int) -> float:
    """nDCG@k with binary gains and `wanted` relevant items in all (0 gives 0); discount log2(rank + 1)."""
    gain = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(relevant[:k], 1) if hit)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, wanted) + 1))
    return gain / ideal if ideal else 0.0


# --- rates with intervals ----------------------------------------------------------------------------------------

BOOTSTRAP_ROUNDS = 2000  # the ends of a 95 % interval then stand on 50 draws each
BOOTSTRAP_SEED = 20250710  # any fixed number: the same records give the same interval


@dataclass(frozen=True, slots=True)
class Rate:
    """A measure over questions: `value` with its 95 % interval [low, high] over `n` questions; None where n is 0."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def pooled(pairs: Sequence[tuple[float, float]]) -> Rate:
    """The rate sum(numerators) / sum(denominators) of one pair a question.

    The interval is the percentile bootstrap over questions (Efron 1979): questions are drawn with replacement, with a
    fixed seed. Pairs whose denominator is 0 do not count as questions.
    """
    pairs = [p for p in pairs if p[1]]
    if not pairs:
        return Rate(None, None, None, 0)
    import numpy as np

    table = np.asarray(pairs, dtype=np.float64)  # (n, 2)
    draws = np.random.default_rng(BOOTSTRAP_SEED).integers(0, len(table), (BOOTSTRAP_ROUNDS, len(table)))
    sums = table[draws].sum(axis=1)  # (rounds, 2)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], (0.025, 0.975))
    total = table.sum(axis=0)
    return Rate(float(total[0] / total[1]), float(low), float(high), len(table))


def mean(values: Sequence[float]) -> Rate:
    """The mean of one value a question, with its interval."""
    return pooled([(v, 1.0) for v in values])


def percentile(values: Sequence[float], percent: float) -> Rate:
    """A percentile (linear between neighbours) of one value a question, with its bootstrap interval."""
    if not values:
        return Rate(None, None, None, 0)
    import numpy as np

    table = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(BOOTSTRAP_SEED).integers(0, len(table), (BOOTSTRAP_ROUNDS, len(table)))
    low, high = np.quantile(np.percentile(table[draws], percent, axis=1), (0.025, 0.975))
    return Rate(float(np.percentile(table, percent)), float(low), float(high), len(table))
