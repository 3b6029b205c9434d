"""The reader: says whether a window of text answers a question and where, and whether it supports a claim.

One cross-encoder makes all three judgements. This module tokenizes its input and turns its scores into probabilities. It knows
nothing of articles, stores or prompts, and callers decide which probability is enough. `rag/models/reader_graph.py` builds
the network from the base model and the trained adapters; `training/README.md` tells how those were made. Importing
this loads nothing heavy; the network is loaded at the first use.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from rag.errors import ModelError
from rag.models import openvino

FORMAT = 3
ADAPTER = Path(__file__).parents[1] / "weights" / "reader.safetensors"
BASE_FILES = ("model.safetensors", "tokenizer.json")

MAX_TOKENS = 320  # of question or claim and window together; a longer window is truncated
MAX_ANSWER_TOKENS = 30
_MAX_CHARACTERS = 6000  # a longer text is cut before tokenizing, which limits its cost
_BATCH_TOKENS = 1536  # larger batches do not fit the processor's cache
_PADDING = 1.25  # longest pair of a batch over its shortest; beyond it padding costs more than another batch
_PAD = 1
_GET = "run: rag models get reader"


@dataclass(frozen=True, slots=True)
class Reading:
    """The reader's judgement of one window for one question.

    `answerable`: calibrated probability, 0 to 1, that the window answers. `start` and `end`: half-open characters of
    the window, of the words that answer best, also where `answerable` is low; equal only for a window without a word.
    """

    answerable: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Support:
    """The reader's judgement of one window for one claim: calibrated probabilities that sum to 1."""

    supported: float
    refuted: float
    not_stated: float


class Reader(Protocol):
    """The interface of a reader."""

    @property
    def fingerprint(self) -> str:
        """Names everything that changes the judgements."""

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        """A reading of each window for `question`, in the order given."""

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[Support]:
        """The support of each claim by its window, for (claim, window) pairs, in the order given."""


def is_yes(claim: str) -> bool:
    """Whether a claim is a question with a yes. Such claims have a calibration of their own: the network is sure of a yes
    far sooner than of a no."""
    return claim.endswith(" Yes.")


def claim_of(question: str, statement: str) -> str:
    """The claim that `statement` makes as an answer to `question`: both, as the network was trained."""
    return f"{question} {statement}".strip()


@dataclass(frozen=True, slots=True)
class Scores:
    """The output of the network for one pair before calibration: the logit of answerable, the lead of the best span over "no
    span", the span's characters, and the logits of supported, refuted and not stated."""

    answerable: float
    lead: float
    start: int
    end: int
    support: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Calibration:
    """The JSON beside the adapter: its hash, and how scores become probabilities."""

    adapter_sha256: str
    base_sha256: str
    answerable: tuple[float, float, float]  # weights of the logit and of the lead, and a constant
    support: tuple[float, float, float, float]  # a weight of the three logits, and a constant for each class
    yes_no: tuple[float, float, float, float]  # the same for questions with a yes


@dataclass(frozen=True, slots=True)
class _Network:
    tokenizer: Any
    run: Any


class MPNetReader:
    """The `Reader` of the product: all-mpnet-base-v2 with trained adapters, in 8 bits. Threads take turns.

    A pair gets the same scores whatever else is in its batch, up to rounding.
    """

    def __init__(
        self, base: Callable[[], Path], cache: Path, adapter: Path = ADAPTER, threads: int | None = None
    ) -> None:
        """`base` gives the folder of all-mpnet-base-v2 when it is needed, and may raise `ModelError` then; the built
        network is kept below `cache`, which may be deleted. Loads nothing.
        """
        self._base, self._cache, self._adapter, self._threads = base, cache, adapter, threads
        self._lock = threading.Lock()
        self._network: _Network | None = None

    @cached_property
    def _calibration(self) -> _Calibration:
        return _read_calibration(self._adapter.with_suffix(".json"))

    @property
    def fingerprint(self) -> str:
        """Format and adapter; the adapter names the base it was trained on."""
        return f"reader-{FORMAT}-{self._calibration.adapter_sha256[:16]}"

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        """See `Reader`. Raises `ModelError` when base, adapter or cache cannot be used."""
        by_logit, by_lead, constant = self._calibration.answerable
        return [
            Reading(
                _logistic(by_logit * s.answerable + by_lead * s.lead + constant) if s.end > s.start else 0.0,
                s.start,
                s.end,
            )
            for s in self.scores([(question, w) for w in windows])
        ]

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[Support]:
        """See `Reader`. A window without a word states nothing. Raises `ModelError` like `read`."""
        judged = []
        scores = self.scores([(f"claim: {claim}", window) for claim, window in pairs])
        for (claim, _), s in zip(pairs, scores, strict=True):
            if s.end == s.start:
                judged.append(Support(0.0, 0.0, 1.0))
                continue
            fitted = self._calibration.yes_no if is_yes(claim) else self._calibration.support
            logits = [fitted[0] * x + c for x, c in zip(s.support, fitted[1:], strict=True)]
            top = max(logits)
            odds = [math.exp(x - top) for x in logits]
            judged.append(Support(*(round(o / sum(odds), 4) for o in odds)))
        return judged

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[Scores]:
        """What the network says of (question or marked claim, window) pairs, in the order given."""
        if not pairs:
            return []
        with self._lock:
            if self._network is None:
                self._network = self._load()
            coded = [self._network.tokenizer.encode(_clean(left), _clean(window)) for left, window in pairs]
            found: dict[int, Scores] = {}
            for group in groups([len(c.ids) for c in coded]):
                found.update(zip(group, self._batch([coded[i] for i in group]), strict=True))
        return [found[i] for i in range(len(pairs))]

    def load(self) -> None:
        """Load the network now, ahead of the first question. Does nothing when it is loaded."""
        with self._lock:
            if self._network is None:
                self._network = self._load()

    def _batch(self, coded: Sequence[Any]) -> list[Scores]:
        import numpy as np

        assert self._network is not None
        length = max(len(c.ids) for c in coded)
        ids = np.full((len(coded), length), _PAD, dtype=np.int64)
        for row, c in enumerate(coded):
            ids[row, : len(c.ids)] = c.ids
        ends, heads = self._network.run(ids)
        return [_scores(c, ends[row], heads[row]) for row, c in enumerate(coded)]

    def _load(self) -> _Network:
        from tokenizers import Tokenizer

        from rag.models.reader_graph import build

        base = self._base()
        for name in BASE_FILES:
            if not (base / name).is_file():
                raise ModelError(
                    f"the reader's base model in {base} is missing or damaged: no {name}; {_GET}"
                )
        try:
            adapter = self._adapter.read_bytes()
        except OSError as error:
            raise ModelError(
                f"{self._adapter} cannot be read ({error.strerror}); install Citewire anew"
            ) from None
        # The hash comes before the parser: a damaged file must not reach it.
        if hashlib.sha256(adapter).hexdigest() != self._calibration.adapter_sha256:
            raise ModelError(f"{self._adapter} is damaged: its SHA-256 is another; install Citewire anew")
        try:
            tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        except Exception as error:  # noqa: BLE001  tokenizers raises nothing narrower
            raise ModelError(f"the reader's tokenizer in {base} cannot be read ({error}); {_GET}") from None
        tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
        tokenizer.no_padding()

        def make() -> Any:
            if openvino.sha256(base / "model.safetensors") != self._calibration.base_sha256:
                raise ModelError(f"the reader's base model in {base} is damaged; {_GET}")
            return build(base / "model.safetensors", adapter)

        graph = openvino.kept(self._cache / f"reader-{FORMAT}-{self._calibration.adapter_sha256[:16]}", make)
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 64,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if self._threads is not None:
            settings["INFERENCE_NUM_THREADS"] = self._threads
        compiled = openvino.library().Core().compile_model(graph, "CPU", settings)

        def run(ids: Any) -> tuple[Any, Any]:
            out = compiled(ids)
            return out[0], out[1]

        return _Network(tokenizer, run)


def _clean(text: str) -> str:
    # A file's name may contain a lone surrogate, which the tokenizer rejects.
    return text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode()


def _scores(coded: Any, ends: Any, heads: Any) -> Scores:
    """The scores of one pair from the logits of its tokens (L, 2) and of its heads (4,)."""
    import numpy as np

    support = (float(heads[1]), float(heads[2]), float(heads[3]))
    window = [i for i, s in enumerate(coded.sequence_ids) if s == 1]
    if not window:
        return Scores(float(heads[0]), 0.0, 0, 0, support)
    begin, finish = ends[window, 0], ends[window, 1]
    size = len(window)
    grid = begin[:, None] + finish[None, :]
    allowed = np.triu(np.tril(np.ones((size, size), dtype=bool), MAX_ANSWER_TOKENS - 1))
    grid = np.where(allowed, grid, -np.inf)
    first, last = divmod(int(grid.argmax()), size)
    lead = float(grid[first, last] - ends[0, 0] - ends[0, 1])
    return Scores(
        float(heads[0]), lead, coded.offsets[window[first]][0], coded.offsets[window[last]][1], support
    )


def groups(lengths: Sequence[int]) -> list[list[int]]:
    """Batches of indices: pairs of similar length, with a limited number of tokens."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    made: list[list[int]] = [[]]
    for i in order:
        group = made[-1]
        if group and (
            (len(group) + 1) * lengths[i] > _BATCH_TOKENS or lengths[i] > _PADDING * lengths[group[0]]
        ):
            made.append([i])
        else:
            group.append(i)
    return made


def _logistic(x: float) -> float:
    return round(1 / (1 + math.exp(-max(-50.0, min(50.0, x)))), 4)


def _read_calibration(path: Path) -> _Calibration:
    try:
        row = json.loads(path.read_text("utf-8"))
        if row["format"] != FORMAT:
            raise ValueError(f"format {row['format']}, expected {FORMAT}")
        a, s, y = row["answerable"], row["support"], row["yes_no"]
        return _Calibration(
            str(row["adapter_sha256"]),
            str(row["base_sha256"]),
            (float(a[0]), float(a[1]), float(a[2])),
            (float(s[0]), float(s[1]), float(s[2]), float(s[3])),
            (float(y[0]), float(y[1]), float(y[2]), float(y[3])),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelError(f"{path} cannot be read ({error}); install Citewire anew") from None
