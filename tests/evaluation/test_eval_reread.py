"""A reader that keeps its judgements asks for each only once."""

from __future__ import annotations

from collections.abc import Sequence

from eval.reread import Known, Remembering
from rag.models.reader import Reading, Support


class Counting:
    """A reader that tells windows apart by their length and counts what it is asked."""

    fingerprint = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        self.asked += windows
        return [Reading(len(w) / 10, 0, len(w)) for w in windows]

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[Support]:
        self.asked += [w for _, w in pairs]
        return [Support(len(w) / 10, 0.0, 1 - len(w) / 10) for _, w in pairs]


def test_what_was_judged_is_not_asked_again_and_stays_in_its_place() -> None:
    inside, known = Counting(), dict[Known, object]()
    reader = Remembering(inside, known)
    first = reader.read("q", ["ab", "abc"])
    assert [r.answerable for r in reader.read("q", ["abc", "a", "ab", "a"])] == [0.3, 0.1, 0.2, 0.1]
    assert first == reader.read("q", ["ab", "abc"])
    assert inside.asked == ["ab", "abc", "a"]


def test_questions_and_claims_are_kept_apart() -> None:
    inside = Counting()
    reader = Remembering(inside, {})
    reader.read("q", ["ab"])
    reader.read("other", ["ab"])
    assert reader.support([("q", "ab")]) == [Support(0.2, 0.0, 0.8)]
    assert inside.asked == ["ab", "ab", "ab"]
    assert reader.fingerprint == "counting"
