"""The reader's network: all-mpnet-base-v2, frozen in bfloat16, with low-rank adapters and three heads.

It knows tensors and the encoder's layers. It does not know where pairs come from, what is done with the scores, or
how the product runs the network (`rag/models/reader.py` does that, with adapters merged).

Outputs for a batch of B pairs of at most L tokens:

    ends   (B, L, 2)   logits of the first and last token of the answer; position 0 stands for "no answer here"
    cls    (B, 4)      logits: answerable (one, binary), then supported / refuted / not stated (three classes)
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModel

RANK = 32
SCALE = 2.0  # alpha / rank
FROZEN_LAYERS = 3  # the lowest layers stay as they are: no gradient passes through them
LABELS = ("supported", "refuted", "not_stated")


class _LowRankLinear(torch.autograd.Function):
    """x W' + b + (x A') B', with gradients for x, A and B alone, and no tensor more than that needs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, a: Tensor, b: Tensor) -> Tensor:
        low = x @ a.t()
        out = torch.addmm(bias, x, weight.t()).addmm_(low, b.t())
        ctx.save_for_backward(x, low, weight, a, b)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, low, weight, a, b = ctx.saved_tensors
        grad_low = grad @ b
        grad_x = (grad @ weight).addmm_(grad_low, a) if ctx.needs_input_grad[0] else None
        return grad_x, None, None, grad_low.t() @ x, grad.t() @ low


class _Attention(torch.autograd.Function):
    """softmax(scale q k' + bias) v over (batch x heads, L, d). Twice as fast on a processor as the library's own
    attention with a bias, whose backward pass there is slow."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scale: float) -> Tensor:
        weights = torch.softmax(torch.baddbmm(bias, q, k.transpose(1, 2), alpha=scale), -1)
        ctx.save_for_backward(q, k, v, weights)
        ctx.scale = scale
        return torch.bmm(weights, v)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, weights = ctx.saved_tensors
        grad_v = torch.bmm(weights.transpose(1, 2), grad)
        grad_weights = torch.bmm(grad, v.transpose(1, 2))
        grad_scores = torch._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
        grad_q = torch.bmm(grad_scores, k).mul_(ctx.scale)
        grad_k = torch.bmm(grad_scores.transpose(1, 2), q).mul_(ctx.scale)
        return grad_q, grad_k, grad_v, None, None


class LowRank(nn.Module):
    """A frozen linear layer with a trained low-rank part beside it; starts as the layer itself."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.lin = linear
        self.A = nn.Parameter(torch.randn(RANK, linear.in_features) / math.sqrt(linear.in_features))
        self.B = nn.Parameter(torch.zeros(linear.out_features, RANK))

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.A.to(x.dtype), (self.B * SCALE).to(x.dtype)
        out: Tensor = _LowRankLinear.apply(x, self.lin.weight, self.lin.bias, a, b)
        return out


class ReaderNet(nn.Module):
    """The network. Base weights are frozen in bfloat16, adapters and heads are trained in float32; no dropout."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.enc = AutoModel.from_pretrained(base, add_pooling_layer=False)
        self.enc.eval()
        for parameter in self.enc.parameters():
            parameter.requires_grad = False
            parameter.data = parameter.data.bfloat16()
        for layer in self.enc.encoder.layer[FROZEN_LAYERS:]:
            attention = layer.attention.attn
            for name in ("q", "k", "v", "o"):
                setattr(attention, name, LowRank(getattr(attention, name)))
            layer.intermediate.dense = LowRank(layer.intermediate.dense)
            layer.output.dense = LowRank(layer.output.dense)
        hidden = self.enc.config.hidden_size
        self.span = nn.Linear(hidden, 2)
        self.cls = nn.Sequential(nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1 + len(LABELS)))

    def forward(self, ids: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """`ids` and `present` (1 where there is a token, 0 where padding) are (B, L), long."""
        batch, length = ids.shape
        encoder = self.enc.encoder
        with torch.no_grad():
            x = self.enc.embeddings(input_ids=ids)
            bias = encoder.compute_position_bias(x[:1]).to(x.dtype)
            bias = bias + ((1 - present)[:, None, None, :] * -1e4).to(x.dtype)
            bias = bias.expand(batch, -1, -1, -1).reshape(-1, length, length)
            x = x.reshape(batch * length, -1)
            for layer in encoder.layer[:FROZEN_LAYERS]:
                x = self._layer(layer, x, bias, batch, length)
        for layer in encoder.layer[FROZEN_LAYERS:]:
            x = self._layer(layer, x, bias, batch, length)
        x = x.float().view(batch, length, -1)
        return self.span(x), self.cls(x[:, 0])

    @staticmethod
    def _layer(layer: Any, x: Tensor, bias: Tensor, batch: int, length: int) -> Tensor:
        attention = layer.attention.attn
        heads = attention.num_attention_heads
        width = x.shape[-1] // heads

        def split(linear: nn.Module) -> Tensor:
            cut: Tensor = linear(x).view(batch, length, heads, width).transpose(1, 2)
            return cut.reshape(batch * heads, length, width)

        q, k, v = split(attention.q), split(attention.k), split(attention.v)
        mixed: Tensor = _Attention.apply(q, k, v, bias, 1 / math.sqrt(width))
        mixed = mixed.view(batch, heads, length, width).transpose(1, 2).reshape(batch * length, -1)
        x = layer.attention.LayerNorm(attention.o(mixed) + x)
        out: Tensor = layer.output.LayerNorm(layer.output.dense(F.gelu(layer.intermediate.dense(x))) + x)
        return out

    def trained(self) -> dict[str, nn.Parameter]:
        """The adapters and heads by name: what a checkpoint holds."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def save(self, path: Path) -> None:
        """Write adapters and heads in half precision, whole or not at all."""
        part = path.with_suffix(".part")
        save_file({name: p.detach().half().contiguous() for name, p in self.trained().items()}, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Read adapters and heads. Heads of the first checkpoint judged support in two classes: what spoke for
        "supported" is taken over, and the two other classes share what spoke against it."""
        stored = load_file(path)
        for name, parameter in self.trained().items():
            value = stored[name].float()
            if name.startswith("cls.2.") and value.shape[0] == 2:
                against = -0.5 * value[1:]
                value = torch.cat([value[:1], 0.5 * value[1:], against, against])
            parameter.data.copy_(value)
