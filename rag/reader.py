"""The reader: says whether a window of text answers a question, where, and whether it supports a claim.

This is the only file that knows the network behind those judgements: its weights file and format, its token
layout, its arithmetic and its calibration. It does not know articles, stores, prompts or thresholds: callers
decide what probability is enough. Importing it loads nothing heavy; the network is read on first use.

The weights are int8 with a float32 scale per row and need only the tokenizer of all-MiniLM-L6-v2, not its
weights. How they were made is told in `training/README.md`.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

FORMAT = 1
WEIGHTS = Path(__file__).parent / "weights" / "reader.safetensors"

# A text is cut before the tokenizer sees it, so that a huge one costs no more than a long one. Both limits
# are well above what the token limits let through.
_MAX_TEXT_CHARACTERS = 6000
_MAX_QUESTION_CHARACTERS = 1200
_BATCH_TOKENS = 3072
_PADDING = 1.25  # the longest pair of a batch over its shortest: beyond, padding costs more than a new batch
_NO_ANSWER = -20.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text says to one question.

    `answerable` is the calibrated probability, 0 to 1, that the text answers the question. `start` and `end`
    are half-open characters of the text given, of the best span, which is named also when `answerable` is
    low; they are equal only for a text without a word. `span` is the product of the probabilities of both
    ends, 0 to 1, in which "no answer here" competes: it is low where the text does not answer or where
    several spans are likely.
    """

    answerable: float
    start: int
    end: int
    span: float


@dataclass(frozen=True, slots=True)
class _Settings:
    """The weights' JSON, checked."""

    sha256: str
    vocabulary_sha256: str
    max_tokens: int
    max_question_tokens: int
    layers: int
    heads: int
    hidden: int
    span_tokens: int
    stop_words: frozenset[str]
    answerable: tuple[float, float, float]
    support: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One tokenised pair: ids and segments of the whole sequence, where the text begins, its offsets."""

    ids: list[int]
    segments: list[int]
    first: int
    offsets: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Scores:
    """Raw scores of one pair: the two logits, the best span's lead over none, its characters and chance."""

    answerable: float
    supported: float
    margin: float
    start: int
    end: int
    span: float


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is in memory once the network has been read."""

    tokenizer: Tokenizer
    dull: frozenset[int]
    cls: int
    sep: int
    tensors: dict[str, Tensor]


def dull_ids(vocabulary: Mapping[str, int], stop_words: AbstractSet[str]) -> frozenset[int]:
    """Ids of the tokens that say nothing on their own: stop words, punctuation, special tokens."""
    return frozenset(
        number
        for token, number in vocabulary.items()
        if token in stop_words or token[0] == "[" or not any(c.isalnum() for c in token)
    )


def lay_out(
    left: Sequence[int], right: Sequence[int], *, cls: int, sep: int, dull: AbstractSet[int]
) -> tuple[list[int], list[int]]:
    """The ids and segments of `[CLS] left [SEP] right [SEP]`; the right part begins at `len(left) + 2`.

    Segments tell the network what it would else have to find out: 0 is a token of the question or claim, 2
    one that says something and that the text lacks; 1 is a token of the text, 3 one that the question or
    claim has too.
    """
    asked, told = set(left) - dull, set(right)
    segments_left = [0 if token in told or token in dull else 2 for token in left]
    segments_right = [3 if token in asked else 1 for token in right]
    return [cls, *left, sep, *right, sep], [0, *segments_left, 0, *segments_right, 1]


def vocabulary_digest(vocabulary: Mapping[str, int]) -> str:
    """The SHA-256, in hex, of a tokenizer's words in the order of their ids."""
    words = sorted(vocabulary, key=lambda word: vocabulary[word])
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


class Reader:
    """The network, read on first use. Calls from several threads wait for each other.

    The same pair gets the same figures whatever it is read together with: they are rounded to four digits,
    which is more than the arithmetic varies by.
    """

    def __init__(self, weights: Path | None = None, *, tokenizer_dir: Path, threads: int = 2) -> None:
        """`tokenizer_dir` holds all-MiniLM-L6-v2's `tokenizer.json`; `threads` bounds the threads used.

        Raises `ModelError` when the JSON beside the weights is missing or of another format.
        """
        self._weights = weights if weights is not None else WEIGHTS
        self._tokenizer_dir = tokenizer_dir
        self._threads = threads
        self._settings = _read_settings(self._weights.with_suffix(".json"))
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @property
    def fingerprint(self) -> str:
        """Names everything that changes the judgements: the format, the weights and, through them, the
        tokenizer.
        """
        return f"reader-{FORMAT}-{self._settings.sha256[:16]}"

    def read(self, question: str, texts: Sequence[str]) -> list[Reading]:
        """What each of `texts` says to `question`, in the order given.

        A text beyond the network's length (about 150 words) is read up to there. Raises `ModelError` when the
        weights or the tokenizer are missing or not the expected ones.
        """
        by_logit, by_margin, constant = self._settings.answerable
        readings = []
        for scores in self._score([(question, text) for text in texts]):
            if scores.end == scores.start:
                readings.append(Reading(answerable=0.0, start=0, end=0, span=0.0))
                continue
            chance = _logistic(by_logit * scores.answerable + by_margin * scores.margin + constant)
            readings.append(Reading(chance, scores.start, scores.end, round(scores.span, 4)))
        return readings

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The calibrated probability, 0 to 1, of each (claim, evidence) that the evidence supports the claim.

        In the order given. Evidence without a word supports nothing. Raises `ModelError` like `read`.
        """
        by_logit, constant = self._settings.support
        return [
            0.0 if scores.end == scores.start else _logistic(by_logit * scores.supported + constant)
            for scores in self._score(pairs)
        ]

    def _score(self, pairs: Sequence[tuple[str, str]]) -> list[_Scores]:
        """Raw scores of (question or claim, text) pairs, in the order given."""
        if not pairs:
            return []
        import torch

        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            loaded = self._loaded
            coded = [self._encode(loaded, left, text) for left, text in pairs]
            results: dict[int, _Scores] = {}
            threads_before = torch.get_num_threads()
            torch.set_num_threads(self._threads)
            try:
                with torch.inference_mode():
                    for group in _groups([len(pair.ids) for pair in coded]):
                        scored = self._forward(loaded.tensors, [coded[i] for i in group])
                        results.update(zip(group, scored, strict=True))
            finally:
                torch.set_num_threads(threads_before)
        return [results[i] for i in range(len(pairs))]

    def _encode(self, loaded: _Loaded, left: str, text: str) -> _Pair:
        """Token ids of one pair, both parts cut to the network's length."""
        asked = loaded.tokenizer.encode(left[:_MAX_QUESTION_CHARACTERS], add_special_tokens=False)
        told = loaded.tokenizer.encode(text[:_MAX_TEXT_CHARACTERS], add_special_tokens=False)
        left_ids = asked.ids[: self._settings.max_question_tokens]
        room = self._settings.max_tokens - len(left_ids) - 3
        right_ids = told.ids[:room]
        ids, segments = lay_out(left_ids, right_ids, cls=loaded.cls, sep=loaded.sep, dull=loaded.dull)
        return _Pair(ids, segments, len(left_ids) + 2, told.offsets[:room])

    def _forward(self, tensors: Mapping[str, Tensor], pairs: Sequence[_Pair]) -> list[_Scores]:
        """One batch through the network."""
        import torch
        from torch.nn import functional as F

        settings = self._settings
        width = max(len(pair.ids) for pair in pairs)
        ids = torch.zeros(len(pairs), width, dtype=torch.long)
        segments = torch.zeros(len(pairs), width, dtype=torch.long)
        present = torch.zeros(len(pairs), width, dtype=torch.bool)
        for row, pair in enumerate(pairs):
            ids[row, : len(pair.ids)] = torch.tensor(pair.ids)
            segments[row, : len(pair.ids)] = torch.tensor(pair.segments)
            present[row, : len(pair.ids)] = True

        def linear(x: Tensor, name: str) -> Tensor:
            return F.linear(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])

        def norm(x: Tensor, name: str) -> Tensor:
            weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
            return F.layer_norm(x, (settings.hidden,), weight, bias, 1e-12)

        def heads(x: Tensor) -> Tensor:
            return x.view(len(pairs), width, settings.heads, -1).transpose(1, 2)

        # The word table is by far the largest, so it stays int8 and only the rows in use are widened.
        word = "bert.embeddings.word_embeddings.weight"
        x = tensors[word][ids].float() * tensors[f"{word}.scale"][ids].unsqueeze(-1)
        x = x + tensors["bert.embeddings.token_type_embeddings.weight"][segments]
        x = norm(
            x + tensors["bert.embeddings.position_embeddings.weight"][:width], "bert.embeddings.LayerNorm"
        )
        mask = present[:, None, None, :]
        for layer in range(settings.layers):
            at = f"bert.encoder.layer.{layer}"
            query, key, value = (
                heads(linear(x, f"{at}.attention.self.{n}")) for n in ("query", "key", "value")
            )
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            mixed = mixed.transpose(1, 2).reshape(len(pairs), width, settings.hidden)
            x = norm(x + linear(mixed, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
            wide = F.gelu(linear(x, f"{at}.intermediate.dense"))
            x = norm(x + linear(wide, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        first = x[:, 0]
        answerable = linear(torch.tanh(linear(first, "answer.0")), "answer.2").squeeze(-1).tolist()
        supported = linear(torch.tanh(linear(first, "claim.0")), "claim.2").squeeze(-1).tolist()
        ends = linear(x, "span")
        scores = []
        for row, pair in enumerate(pairs):
            if not pair.offsets:
                scores.append(_Scores(answerable[row], supported[row], _NO_ANSWER, 0, 0, 0.0))
                continue
            last = pair.first + len(pair.offsets)
            # Position 0 (CLS) stands for "no answer here".
            begin = torch.cat([ends[row, :1, 0], ends[row, pair.first : last, 0]])
            finish = torch.cat([ends[row, :1, 1], ends[row, pair.first : last, 1]])
            size = len(pair.offsets)
            allowed = torch.ones(size, size, dtype=torch.bool).triu().tril(settings.span_tokens - 1)
            grid = (begin[1:].unsqueeze(1) + finish[1:].unsqueeze(0)).masked_fill(~allowed, -math.inf)
            s, t = divmod(int(grid.argmax()), size)
            chance = float(begin.softmax(0)[s + 1] * finish.softmax(0)[t + 1])
            margin = float(grid[s, t] - begin[0] - finish[0])
            start, end = pair.offsets[s][0], pair.offsets[t][1]
            scores.append(_Scores(answerable[row], supported[row], margin, start, end, chance))
        return scores

    def _load(self) -> _Loaded:
        """Read and verify the tokenizer and the weights; raises `ModelError`."""
        from safetensors import SafetensorError
        from safetensors.torch import load
        from tokenizers import Tokenizer

        text, vocabulary = self._read_tokenizer(self._tokenizer_dir / "tokenizer.json")
        tokenizer = Tokenizer.from_str(text)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        try:
            data = self._weights.read_bytes()
        except OSError as error:
            raise ModelError(f"{self._weights} cannot be read ({error.strerror}). {_REINSTALL}") from error
        # The hash comes before the parser: a damaged file must not reach it.
        if hashlib.sha256(data).hexdigest() != self._settings.sha256:
            raise ModelError(
                f"{self._weights} is not the file it should be: its SHA-256 differs. {_REINSTALL}"
            )
        try:
            stored = load(data)
        except SafetensorError as error:
            raise ModelError(f"{self._weights} cannot be read as weights ({error}). {_REINSTALL}") from error
        dull = dull_ids(vocabulary, self._settings.stop_words)
        return _Loaded(tokenizer, dull, vocabulary["[CLS]"], vocabulary["[SEP]"], _widened(stored))

    def _read_tokenizer(self, path: Path) -> tuple[str, dict[str, int]]:
        """The tokenizer's JSON and its vocabulary, which must be the one that the weights were made with."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ModelError(f"{path} is missing. {_OTHER_FOLDER}") from error
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} cannot be read ({error}). {_OTHER_FOLDER}") from error
        try:
            vocabulary = {
                str(word): int(number) for word, number in json.loads(text)["model"]["vocab"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            vocabulary = {}
        if vocabulary_digest(vocabulary) != self._settings.vocabulary_sha256:
            raise ModelError(f"{path} is not the tokenizer of all-MiniLM-L6-v2. {_OTHER_FOLDER}")
        return text, vocabulary


_OTHER_FOLDER = "Point the embedding model's folder at all-MiniLM-L6-v2 and try again."
_REINSTALL = "Restore it from the release, or train it anew as training/README.md says."


def _widened(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The stored tensors with every int8 matrix but the word table turned into float32."""
    tensors = {}
    for name, tensor in stored.items():
        scale = stored.get(f"{name}.scale")
        if scale is None or "word_embeddings" in name:
            tensors[name] = tensor
        else:
            tensors[name] = tensor.float() * scale.unsqueeze(1)
    return tensors


def _groups(lengths: Sequence[int]) -> list[list[int]]:
    """Indices of pairs in batches of like length, so that little is spent on padding."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        length = lengths[index]
        like = bool(groups) and length <= _PADDING * lengths[groups[-1][0]]
        if like and length * (len(groups[-1]) + 1) <= _BATCH_TOKENS:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _logistic(x: float) -> float:
    """1 / (1 + e^-x), rounded to four digits."""
    return round(1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, x)))), 4)


def _read_settings(path: Path) -> _Settings:
    """The JSON beside the weights; raises `ModelError` when it is missing, damaged or of another format."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}). {_REINSTALL}") from error
    except ValueError as error:
        raise ModelError(f"{path} is damaged ({error}). {_REINSTALL}") from error
    try:
        if told["format"] != FORMAT:
            raise ModelError(
                f"{path} is of format {told['format']}; this version reads format {FORMAT}. {_REINSTALL}"
            )
        config, calibration = told["config"], told["calibration"]
        by_logit, by_margin, constant = (float(w) for w in calibration["answerable"])
        support, support_constant = (float(w) for w in calibration["support"])
        return _Settings(
            sha256=str(told["sha256"]),
            vocabulary_sha256=str(config["vocabulary_sha256"]),
            max_tokens=int(config["max_tokens"]),
            max_question_tokens=int(config["max_question_tokens"]),
            layers=int(config["layers"]),
            heads=int(config["heads"]),
            hidden=int(config["hidden"]),
            span_tokens=int(config["span_tokens"]),
            stop_words=frozenset(str(w) for w in config["stop_words"]),
            answerable=(by_logit, by_margin, constant),
            support=(support, support_constant),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} lacks or garbles {error}. {_REINSTALL}") from error
