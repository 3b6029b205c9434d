"""Texts to vectors with all-MiniLM-L6-v2, on the CPU, from a local folder, offline.

sentence-transformers loads the model once. It is then kept as an OpenVINO graph with 8-bit weights, which runs two to three
times as fast and loads in half a second. `make bench` measures the loss of quality: none on SciFact. Activations are
quantized per token, so a text's vector does not depend on the other texts of its batch.
It embeds exactly the texts it is given. It knows nothing of articles, chunks or questions, nor where the folder came
from. Importing this module is cheap; the model and its libraries load at the first use.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError
from rag.models import openvino

if TYPE_CHECKING:
    from rag.protocols import Vectors

DIMENSION = 384
MAX_TOKENS = 256  # as in the training of the model; longer texts are cut there
BATCH = 8  # texts at once: larger batches do not fit the processor's cache
PAD_TO = 16  # tokens: few lengths instead of hundreds, because memory is kept for each length
GROUP = 64  # values of an activation that share a scale
RECIPE = "int8w-1"  # changes whenever the graph is made in another way
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
        """`folder` holds the model's files, and the graph made of them where it can be written; `threads` is their
        number (None: OpenVINO chooses).

        Loads nothing. Raises `ModelError` when one of the files that decide the vectors is not there.
        """
        # transformers silently makes an empty tokenizer where the file is missing.
        for name in (WEIGHTS, TOKENIZER, POOLING, "modules.json", "config.json"):
            if not (folder / name).is_file():
                raise ModelError(
                    f"the embedding model in {folder} is missing or damaged: there is no {name}; "
                    "run: rag models get minilm"
                )
        self._folder = folder
        self._threads = threads
        self._lock = threading.RLock()
        self._tokenizer: Any = None  # tokenizers.Tokenizer
        self._compiled: Any = None  # openvino.CompiledModel
        self._fingerprint = ""

    @property
    def fingerprint(self) -> str:
        """Hashes of weights and tokenizer, pooling, normalisation and maximal length: everything that changes the vectors.

        Reads the files but does not load the model. Raises `ModelError` when they cannot be read.
        """
        with self._lock:
            if not self._fingerprint:
                try:
                    weights, tokenizer = (openvino.sha256(self._folder / f) for f in (WEIGHTS, TOKENIZER))
                    pooling = _pooling(self._folder)
                except (OSError, ValueError) as error:
                    raise self._broken(error) from None
                self._weights = weights
                self._fingerprint = (
                    f"minilm:{weights[:16]}:{tokenizer[:8]}:{pooling}:l2:{MAX_TOKENS}:{RECIPE}"
                )
            return self._fingerprint

    @property
    def dimension(self) -> int:
        """384."""
        return DIMENSION

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`; shape (len(texts), 384), float32, rows of length 1, in the order given.

        The same list gives the same vectors; the same text in another list may differ by rounding, about 1e-4.
        Raises `ModelError` when the model cannot be loaded or returns NaN or infinity.
        """
        import numpy as np

        if not texts:
            return np.zeros((0, DIMENSION), dtype=np.float32)
        with self._lock:
            self.load()
            # Texts of similar length need the least padding.
            order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
            vectors: Vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
            for start in range(0, len(order), BATCH):
                some = order[start : start + BATCH]
                vectors[some] = self._batch([texts[i] for i in some])
        if not np.isfinite(vectors).all():
            raise ModelError(f"the embedding model in {self._folder} is damaged; run: rag models get minilm")
        return vectors

    def _batch(self, texts: list[str]) -> Vectors:
        """The normalised means of the token states."""
        import numpy as np

        # A file's name may contain a lone surrogate, which the tokenizer rejects.
        found = self._tokenizer.encode_batch([t.encode("utf-8", "replace").decode() for t in texts])
        ids = np.array([f.ids for f in found], dtype=np.int64)
        present = np.array([f.attention_mask for f in found], dtype=np.int64)
        states = self._compiled((ids, present))[0]
        mask = present[..., None].astype(np.float32)
        means = (states * mask).sum(axis=1) / mask.sum(axis=1)
        rows: Vectors = means / np.linalg.norm(means, axis=1, keepdims=True)
        return rows

    def load(self) -> None:
        """Load the model now, ahead of the first text. Does nothing when it is loaded."""
        with self._lock:
            if self._compiled is not None:
                return
            os.environ.update(OFFLINE)
            from tokenizers import Tokenizer

            try:
                if ":mean:" not in self.fingerprint:
                    raise ValueError("its pooling is not the mean of the tokens")
                self._tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
                self._tokenizer.enable_truncation(MAX_TOKENS)
                self._tokenizer.enable_padding(pad_to_multiple_of=PAD_TO)
            except ModelError:
                raise
            except Exception as error:  # noqa: BLE001  tokenizers raises nothing narrower
                raise self._broken(error) from None
            settings = {"PERFORMANCE_HINT": "LATENCY", "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP}
            if self._threads is not None:
                settings["INFERENCE_NUM_THREADS"] = self._threads
            graph = openvino.kept(self._folder / f"openvino-{RECIPE}-{self._weights[:16]}", self._converted)
            self._compiled = openvino.library().Core().compile_model(graph, "CPU", settings)

    def _converted(self) -> Any:
        """The graph of the model that sentence-transformers loads: token states from ids and attention mask. The weights
        of its matrix products are 8-bit integers with a scale for each row."""
        import warnings

        import numpy as np
        import torch
        from openvino import convert_model, opset13
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        try:
            model = SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)
            dimension = model.get_embedding_dimension()
            inner: Any = model[0].auto_model
        except (OSError, ValueError, KeyError, RuntimeError, AttributeError, SafetensorError) as error:
            raise self._broken(error) from error
        if dimension != DIMENSION:
            raise ModelError(
                f"the embedding model in {self._folder} gives vectors of {dimension} numbers, expected {DIMENSION}; "
                "use all-MiniLM-L6-v2 (rag models get minilm)"
            )

        class States(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = inner

            def forward(self, ids: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
                kinds = torch.zeros_like(ids)
                states: torch.Tensor = self.inner(
                    input_ids=ids, attention_mask=present, token_type_ids=kinds
                ).last_hidden_state
                return states

        example = torch.ones(2, 8, dtype=torch.long)
        with warnings.catch_warnings():
            # tracing warns, but this model computes the same way for every length
            warnings.simplefilter("ignore")
            graph = convert_model(States().eval(), example_input=(example, example))
        for node in graph.get_ordered_ops():
            weights = node.input_value(1).get_node() if node.get_type_name() == "MatMul" else None
            if weights is None or weights.get_type_name() != "Constant":
                continue
            values = np.asarray(weights.data, dtype=np.float32)
            rows_are_outputs = node.get_attributes()["transpose_b"]
            whole, scale = openvino.quantized(values if rows_are_outputs else values.T)
            if not rows_are_outputs:
                whole, scale = np.ascontiguousarray(whole.T), np.ascontiguousarray(scale.T)
            product = opset13.multiply(
                opset13.convert(opset13.constant(whole), "f32"), opset13.constant(scale)
            )
            node.input(1).replace_source_output(product.output(0))
        return graph

    def _broken(self, error: Exception) -> ModelError:
        first_line = (str(error).splitlines() or [type(error).__name__])[0][:200]
        return ModelError(
            f"the embedding model in {self._folder} cannot be loaded ({first_line}); run: rag models get minilm"
        )


def _pooling(folder: Path) -> str:
    """The pooling that is switched on in the model's own settings ("mean"). Raises `ValueError` or `OSError`."""
    modes = json.loads((folder / POOLING).read_text(encoding="utf-8"))
    if not isinstance(modes, dict):
        raise ValueError(f"{POOLING} is not a table")
    on = sorted(k for k, v in modes.items() if k.startswith("pooling_mode_") and v is True)
    return "+".join(k.removeprefix("pooling_mode_").removesuffix("_tokens") for k in on) or "none"
