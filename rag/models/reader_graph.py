"""The reader's network as an OpenVINO graph: all-mpnet-base-v2 with adapters merged in, weights in 8 bits.

    ids (B, L) int64, padded with 1  ->  ends (B, L, 2), heads (B, 4), as training/network.py defines them

Built from the published weights with numpy alone, so that no version of a model library decides what it computes. A test
compares it with the training network.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.models.openvino import library, quantized

LAYERS, HIDDEN, HEADS = 12, 768, 12
LENGTH = 320  # the longest pair
BUCKETS, FARTHEST = 32, 128  # of the relative positions
PAD = 1
EPSILON = 1e-5
ADAPTER_SCALE = 2.0


def build(base: Path, adapter: bytes) -> Any:
    """The graph. Raises `ModelError` when weights are missing or of another shape."""
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load, load_file

    library()
    from openvino import Model, opset13
    from openvino import opset13 as op

    try:
        weights, trained = load_file(base), load(adapter)
        graph = _Graph(opset13, {k: v.astype(np.float32) for k, v in trained.items()}, weights)
        ids = op.parameter([-1, -1], np.int64, name="ids")
        ends, heads = graph.network(ids)
        return Model([op.result(ends), op.result(heads)], [ids], "reader")
    except (SafetensorError, KeyError, OSError, ValueError) as error:
        raise ModelError(
            f"the reader's weights in {base.parent} cannot be used ({error}); run: rag models get reader"
        ) from None


def relative_buckets() -> Any:
    """(LENGTH, LENGTH) bucket of each pair of positions, as MPNet buckets them."""
    import numpy as np

    distance = -(np.arange(LENGTH)[None, :] - np.arange(LENGTH)[:, None])
    half = BUCKETS // 2
    bucket = np.where(distance < 0, half, 0)
    distance = np.abs(distance)
    exact = half // 2
    with np.errstate(divide="ignore"):
        far = exact + (
            np.log(np.maximum(distance, 1).astype(np.float32) / exact)
            / math.log(FARTHEST / exact)
            * (half - exact)
        ).astype(np.int64)
    return bucket + np.where(distance < exact, distance, np.minimum(far, half - 1))


class _Graph:
    """Builds nodes. `trained` holds adapters and heads by their names in training, `base` the published weights."""

    def __init__(self, op: Any, trained: dict[str, Any], base: dict[str, Any]) -> None:
        self.op, self.trained, self.base = op, trained, base

    def constant(self, values: Any) -> Any:
        import numpy as np

        return self.op.constant(np.ascontiguousarray(values, dtype=np.float32))

    def whole(self, values: Any) -> Any:
        import numpy as np

        return self.op.constant(np.array(values, dtype=np.int64))

    def linear(self, x: Any, name: str) -> Any:
        """x W' + b with the adapter of that name merged into W, W in 8 bits."""
        weight = self.base[f"{name}.weight"].astype("float32")
        if f"enc.{name}.A" in self.trained:
            weight = weight + ADAPTER_SCALE * (self.trained[f"enc.{name}.B"] @ self.trained[f"enc.{name}.A"])
        whole, scale = quantized(weight)
        product = self.op.multiply(self.op.convert(self.op.constant(whole), "f32"), self.op.constant(scale))
        return self.op.add(self.op.matmul(x, product, False, True), self.constant(self.base[f"{name}.bias"]))

    def head(self, x: Any, name: str) -> Any:
        return self.op.add(
            self.op.matmul(x, self.constant(self.trained[f"{name}.weight"]), False, True),
            self.constant(self.trained[f"{name}.bias"]),
        )

    def norm(self, x: Any, name: str) -> Any:
        op = self.op
        centred = op.mvn(x, self.whole([-1]), True, EPSILON, "inside_sqrt")
        return op.add(
            op.multiply(centred, self.constant(self.base[f"{name}.weight"])),
            self.constant(self.base[f"{name}.bias"]),
        )

    def table(self, name: str, index: Any) -> Any:
        """Rows of an embedding table, kept in 8 bits."""
        whole, scale = quantized(self.base[name].astype("float32"))
        axis = self.whole(0)
        rows = self.op.convert(self.op.gather(self.op.constant(whole), index, axis), "f32")
        return self.op.multiply(rows, self.op.gather(self.op.constant(scale), index, axis))

    def network(self, ids: Any) -> tuple[Any, Any]:
        op = self.op
        one = self.whole(1)
        present = op.not_equal(ids, self.whole(PAD))
        counted = op.convert(present, "i64")
        positions = op.add(op.multiply(op.cumsum(counted, one), counted), self.whole(PAD))
        x = op.add(
            self.table("embeddings.word_embeddings.weight", ids),
            self.table("embeddings.position_embeddings.weight", positions),
        )
        x = self.norm(x, "embeddings.LayerNorm")
        length = op.gather(op.shape_of(ids), one, self.whole(0))
        ends = op.unsqueeze(length, self.whole(0))
        by_place = self.base["encoder.relative_attention_bias.weight"].astype("float32")[relative_buckets()]
        bias = self.constant(by_place.transpose(2, 0, 1)[None])
        two = op.concat([ends, ends], 0)
        bias = op.slice(bias, self.whole([0, 0]), two, self.whole([1, 1]), self.whole([2, 3]))
        absent = op.convert(op.logical_not(present), "f32")
        absent = op.unsqueeze(op.multiply(absent, self.constant(-1e4)), self.whole([1, 2]))
        bias = op.add(bias, absent)
        for layer in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}", bias)
        first = op.gather(x, self.whole(0), one)
        return self.head(x, "span"), self.head(op.tanh(self.head(first, "cls.0")), "cls.2")

    def _layer(self, x: Any, at: str, bias: Any) -> Any:
        op = self.op
        order = self.whole([0, 2, 1, 3])

        def split(name: str) -> Any:
            shape = self.whole([0, 0, HEADS, HIDDEN // HEADS])
            return op.transpose(op.reshape(self.linear(x, f"{at}.attention.attn.{name}"), shape, True), order)

        mixed = op.scaled_dot_product_attention(split("q"), split("k"), split("v"), bias)
        mixed = op.reshape(op.transpose(mixed, order), self.whole([0, 0, HIDDEN]), True)
        x = self.norm(op.add(self.linear(mixed, f"{at}.attention.attn.o"), x), f"{at}.attention.LayerNorm")
        wide = op.gelu(self.linear(x, f"{at}.intermediate.dense"), "erf")
        return self.norm(op.add(self.linear(wide, f"{at}.output.dense"), x), f"{at}.output.LayerNorm")
