"""Whether a question is in English. A trained detector of letter sequences decides, for questions long enough to tell."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

from rag.text.words import words

LEAST_WORDS = 4  # fewer, and it may be a name: "Médecins sans frontières?"
LEAST_FOREIGN_WORDS = 3  # in letters that English does not use
LEAST_FOREIGN_CHARS = 6  # where words are not parted by spaces
LEAST_CHARS = 4  # of a word in small letters: shorter ones are parts of names, "de la", "von der"
MANY_SMALL = 4  # words in small letters, however short, are no name
# Probabilities of English below which a question is not: where another language is likely, and where none stands out, as a
# name from elsewhere makes all doubtful. Whole English questions get 0.19 and more, their content words alone 0.02.
MOST_ENGLISH = 0.02
LEAST_OTHER = 0.8
HARDLY_ENGLISH = 0.001
# Words that hardly any English question lacks and no other language has: where one stands, nothing needs to be loaded.
_ENGLISH = frozenset(
    ["what", "when", "where", "which", "who", "whose", "whom", "why", "how", "the", "does", "did"]
)
# Of those that the detector knows, the ones with many speakers: small ones that mix with English only make it doubt.
_LANGUAGES = (
    "en de fr es it pt nl pl sv da no fi cs sk hu ro tr id vi hr ca el ru uk bg ar he fa hi zh ja ko th"
)
_WORD = re.compile(r"[^\W\d_]+")


@cache
def _detector() -> Any:
    """The model, 0.5 s to load. It is called once for each question, and keeps nothing."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages(_LANGUAGES.split())
    return detector


def is_english(text: str) -> bool:
    """Whether `text` may be English; true for names and for what is too short to tell."""
    found = words(text)
    if _ENGLISH & set(found):
        return True
    letters = [c for c in text if c.isalpha()]
    foreign = [c for c in letters if not unicodedata.name(c, "").startswith("LATIN")]
    if 2 * len(foreign) > len(letters):
        runs = " " not in text.strip() and len(foreign) >= LEAST_FOREIGN_CHARS
        return not (runs or len(text.split()) >= LEAST_FOREIGN_WORDS)
    small = [w for w in _WORD.findall(text)[1:] if w.islower()]
    says_more = len(small) >= MANY_SMALL or any(len(w) >= LEAST_CHARS for w in small)
    if len(found) < LEAST_WORDS or not says_more:
        return True
    chances: dict[str, float] = dict(_detector().rank(text))
    english = chances.pop("en")
    if english <= MOST_ENGLISH and max(chances.values()) >= LEAST_OTHER:
        return False
    return english > HARDLY_ENGLISH
