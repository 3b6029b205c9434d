"""Texts to vectors with all-MiniLM-L6-v2 through sentence-transformers, on the CPU, from a local folder, offline.

It embeds exactly what it is given. It knows nothing of articles, chunks or questions, nor where the folder came
from. Importing this module is cheap; the model and its libraries (3 to 5 seconds) load at the first use.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from rag.protocols import Vectors

DIMENSION = 384
MAX_TOKENS = 256  # what the model was trained with; longer texts are cut there
BATCH = 32
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
POOLING = "1_Pooling/config.json"

# Set before the libraries are imported: no look-up, no telemetry, no probing for frameworks that are not used, and
# no thread pool in the tokenizer (it warns at every fork, and gains nothing on texts this short).
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "USE_TF": "0",
    "USE_FLAX": "0",
    "TOKENIZERS_PARALLELISM": "false",
}


class MiniLM:
    """The `rag.protocols.Embedder` of the product. May be used from several threads; they take turns."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """`folder` holds the model's files; `threads` are torch's, for the whole process (None: torch's choice).

        Loads nothing. Raises `ModelError` when one of the files that decide the vectors is not there.
        """
        # transformers makes an empty tokenizer where the file is missing, without a word.
        for name in (WEIGHTS, TOKENIZER, POOLING, "modules.json", "config.json"):
            if not (folder / name).is_file():
                raise ModelError(
                    f"the embedding model in {folder} is missing or damaged: there is no {name}; "
                    "run: rag models get minilm"
                )
        self._folder = folder
        self._threads = threads
        self._lock = threading.RLock()
        self._model: SentenceTransformer | None = None
        self._fingerprint = ""

    @property
    def fingerprint(self) -> str:
        """Weights and tokenizer by hash, pooling, normalisation, longest text: all that changes the vectors.

        Reads the files but does not load the model. Raises `ModelError` when they cannot be read.
        """
        with self._lock:
            if not self._fingerprint:
                try:
                    weights, tokenizer = (_sha256(self._folder / f) for f in (WEIGHTS, TOKENIZER))
                    pooling = _pooling(self._folder)
                except (OSError, ValueError) as error:
                    raise self._broken(error) from None
                self._fingerprint = f"minilm:{weights[:16]}:{tokenizer[:8]}:{pooling}:l2:{MAX_TOKENS}"
            return self._fingerprint

    @property
    def dimension(self) -> int:
        """384."""
        return DIMENSION

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`; shape (len(texts), 384), float32, rows of length 1, in the order given.

        The same list gives the same vectors; the same text in another list may differ by rounding, about 1e-7.
        Raises `ModelError` when the model cannot be loaded or returns what is no number.
        """
        import numpy as np

        if not texts:
            return np.zeros((0, DIMENSION), dtype=np.float32)
        with self._lock:  # the tokenizer keeps state: two threads in it at once raise "Already borrowed"
            self.load()
            assert self._model is not None
            vectors: Vectors = np.asarray(
                self._model.encode(
                    list(texts),
                    batch_size=BATCH,
                    normalize_embeddings=True,
                    convert_to_numpy=True,
                    show_progress_bar=False,
                ),
                dtype=np.float32,
            )
        if not np.isfinite(vectors).all():
            raise ModelError(f"the embedding model in {self._folder} is damaged; run: rag models get minilm")
        return vectors

    def load(self) -> None:
        """Load the model now, ahead of the first text. Does nothing when it is loaded."""
        with self._lock:
            if self._model is None:
                self._model = self._loaded()

    def _loaded(self) -> SentenceTransformer:
        os.environ.update(OFFLINE)
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        try:
            model = SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)
            model.max_seq_length = MAX_TOKENS
            dimension = model.get_embedding_dimension()
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise self._broken(error) from error
        if dimension != DIMENSION:
            raise ModelError(
                f"the embedding model in {self._folder} gives vectors of {dimension} numbers, expected {DIMENSION}; "
                "use all-MiniLM-L6-v2 (rag models get minilm)"
            )
        return model

    def _broken(self, error: Exception) -> ModelError:
        first_line = (str(error).splitlines() or [type(error).__name__])[0][:200]
        return ModelError(
            f"the embedding model in {self._folder} cannot be loaded ({first_line}); run: rag models get minilm"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pooling(folder: Path) -> str:
    """The pooling that is switched on in the model's own settings ("mean"). Raises `ValueError` or `OSError`."""
    modes = json.loads((folder / POOLING).read_text(encoding="utf-8"))
    if not isinstance(modes, dict):
        raise ValueError(f"{POOLING} is not a table")
    on = sorted(k for k, v in modes.items() if k.startswith("pooling_mode_") and v is True)
    return "+".join(k.removeprefix("pooling_mode_").removesuffix("_tokens") for k in on) or "none"
