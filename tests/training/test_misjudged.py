"""What the reader gets wrong in a written passage is told, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from rag.models.reader import Reading, Support
from training.misjudged import judged
from training.written import item_of

TEXT = "The bridge was shut on Monday. It was opened in 1931. A new one costs 40 million pounds."
ROW = {
    "title": "Garrow bridge",
    "date": "2024-05-06",
    "text": TEXT,
    "qa": [["When was the bridge built?", "1931"], ["What does a new bridge cost?", "40 million pounds"]],
    "no": ["Who built the bridge?", "When will the bridge open again?"],
    "claims": [["The bridge is closed.", "s"], ["The bridge was opened in 1913.", "r"]],
    "yn": [["Is the bridge open?", "n"], ["Is a new bridge planned?", "u"]],
}


class Sure:
    """A reader that finds the first year in every window, and supports every claim and every yes."""

    fingerprint = "sure"

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        places = [w.find("1931") for w in windows]
        return [Reading(0.9 if at >= 0 else 0.1, max(at, 0), max(at, 0) + 4) for at in places]

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[Support]:
        return [Support(0.9, 0.05, 0.05) for _ in pairs]


def test_each_item_is_counted_once_and_told_where_the_reader_is_wrong() -> None:
    told = list(judged(item_of(ROW), Sure()))
    assert [(kind, bool(wrong)) for kind, wrong in told] == [
        ("answered", False),
        ("answered", True),
        ("not answered", True),
        ("not answered", True),
        ("claim supported", False),
        ("claim refuted", True),
        ("yes or no: n", True),
        ("yes or no: u", True),
    ]
    assert "“40 million pounds”; the reader: “1931” at 0.90" in told[1][1]


def test_a_passage_is_read_with_its_head_whole_and_around_the_answer() -> None:
    seen: list[str] = []

    class Seeing(Sure):
        def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
            seen.extend(windows)
            return super().read(question, windows)

    list(judged(item_of({**ROW, "text": f"{TEXT} Nobody was hurt. The town is glad."}), Seeing()))
    head = "Garrow bridge (6 May 2024): "
    assert seen[0] == f"{head}{TEXT} Nobody was hurt. The town is glad."
    assert seen[1] == f"{head}{TEXT}", "the sentence and its neighbours"
