"""Train the reader's adapters and heads on pairs, with checkpoints and the time left.

    python -m training.train PAIRS.jsonl... --base DIR --out DIR --minutes M [--init FILE] [--constant]

The learning rate falls to nothing over the minutes given, so that a run ends on time on any machine and always with
a whole decay. A run that was stopped goes on from its last checkpoint when it is started again with the same --out.
Ctrl-C writes a checkpoint first. With --second-core another process works out gradients on that core, at the lowest
priority, which are applied as steps of their own when they are ready: where other programs take a core now and then, that
is faster than two threads that wait for each other. `training/README.md` says what the shipped weights were trained with.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch import Tensor, nn

from training.maker import read_rows
from training.network import LABELS, ReaderNet
from training.pairs import Pair, Row, batches, collate, load_tokenizer

HEAD_RATE = 4.0  # the heads learn this many times as fast as the adapters
SPAN_WEIGHT = 0.5
WARM_UP_STEPS = 60
CHECKPOINT_STEPS = 250


def loss_of(net: ReaderNet, pairs: Sequence[Pair], pad: int, device: str) -> Tensor:
    """Mean over the pairs: binary cross-entropy of answerable and half the negative log-likelihood of the span's ends
    for questions, cross-entropy of support for claims."""
    ids, present = (t.to(device) for t in collate(pairs, pad))
    ends, cls = net(ids, present)
    total = torch.zeros((), device=device)
    asked = [i for i, p in enumerate(pairs) if p.row["task"] == "answer"]
    if asked:
        answered = torch.tensor([float(bool(pairs[i].spans)) for i in asked], device=device)
        total = total + F.binary_cross_entropy_with_logits(cls[asked, 0], answered, reduction="sum")
        shut = torch.full((len(asked), ids.shape[1]), -1e4)
        for j, i in enumerate(asked):
            shut[j, 0] = 0
            shut[j, pairs[i].first : pairs[i].last] = 0
        likely = F.log_softmax(ends[asked] + shut.to(device).unsqueeze(-1), 1)
        for j, i in enumerate(asked):
            spans = pairs[i].spans or [(0, 0)]
            each = torch.stack([likely[j, s, 0] + likely[j, e, 1] for s, e in spans])
            total = total - SPAN_WEIGHT * torch.logsumexp(each, 0)
    for i, pair in enumerate(pairs):
        if pair.row["task"] == "claim":
            support = F.log_softmax(cls[i, 1:], 0)
            label = pair.row["label"]
            said = torch.logsumexp(support[1:], 0) if label == "unsupported" else support[LABELS.index(label)]
            total = total - said
    return total / len(pairs)


def _read(paths: Sequence[Path]) -> list[Row]:
    return [row for path in paths for row in read_rows(path)]


class _Second:
    """Another process that works out gradients on a core of its own, for weights that both share."""

    def __init__(self, options: argparse.Namespace, trained: dict[str, nn.Parameter], seed: int) -> None:
        for parameter in trained.values():
            parameter.data.share_memory_()
        self._trained = trained
        self._gradients = {n: torch.zeros_like(p.data).share_memory_() for n, p in trained.items()}
        self._told = torch.zeros(2).share_memory_()  # number of pairs and their mean loss
        context = mp.get_context("spawn")
        self._ready = context.Event()
        shared = {n: p.data for n, p in trained.items()}
        arguments = (options, shared, self._gradients, self._told, self._ready, seed)
        self._process = context.Process(target=_gradients, args=arguments, daemon=True)
        self._process.start()

    def take(self) -> tuple[int, float] | None:
        """Put its gradients in place of those of the weights, where there are new ones: number of pairs and mean loss."""
        if not self._ready.is_set():
            return None
        for name, parameter in self._trained.items():
            parameter.grad = self._gradients[
                name
            ].clone()  # a batch without questions leaves none of the span
        pairs, loss = int(self._told[0]), float(self._told[1])
        self._ready.clear()
        return pairs, loss

    def kill(self) -> None:
        self._process.kill()


def _gradients(
    options: argparse.Namespace,
    shared: dict[str, Tensor],
    gradients: dict[str, Tensor],
    told: Tensor,
    ready: Any,
    seed: int,
) -> None:
    """What the second process does: gradients of batches of its own for the `shared` weights, one ahead of what is taken."""
    os.sched_setaffinity(0, {options.second_core})
    os.nice(19)
    torch.set_num_threads(1)
    tokenizer = load_tokenizer(str(options.base / "tokenizer.json"))
    pad = int(tokenizer.token_to_id("<pad>") or 0)
    net = ReaderNet(options.base)
    trained = net.trained()
    for name, parameter in trained.items():
        parameter.data = shared[name]
    rows = _read(options.pairs)
    rng = random.Random(seed)
    parent = os.getppid()
    while True:
        for group in batches(rows, tokenizer, options.tokens, rng):
            for parameter in trained.values():
                parameter.grad = None
            loss = loss_of(net, group, pad, "cpu")
            loss.backward()
            while ready.is_set():
                if os.getppid() != parent:
                    return
                time.sleep(0.02)
            for name, parameter in trained.items():
                if parameter.grad is None:
                    gradients[name].zero_()
                else:
                    gradients[name].copy_(parameter.grad)
            told[0], told[1] = len(group), loss.item()
            ready.set()


class Training:
    """A network with its optimizer, and how far they are. What a stopped run left in `out` is taken up."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.net = ReaderNet(options.base)
        if options.init:
            self.net.load(options.init)
        self.net.to(options.device)
        self.trained = self.net.trained()
        heads = [p for n, p in self.trained.items() if n.startswith(("span", "cls"))]
        adapters = [p for n, p in self.trained.items() if not n.startswith(("span", "cls"))]
        self._rates = (options.rate * HEAD_RATE, options.rate)
        self._optimizer = torch.optim.AdamW(
            [{"params": heads, "lr": self._rates[0]}, {"params": adapters, "lr": self._rates[1]}],
            weight_decay=0.01,
            betas=(0.9, 0.98),
        )
        options.out.mkdir(parents=True, exist_ok=True)
        self._out = options.out
        self._state_file = options.out / "state.pt"
        self.steps = self.seen = 0
        spent = 0.0
        if self._state_file.exists():
            state = torch.load(self._state_file, weights_only=True)
            for name, parameter in self.trained.items():
                parameter.data.copy_(state["net"][name])
            self._optimizer.load_state_dict(state["optimizer"])
            self.steps, self.seen, spent = state["step"], state["seen"], state["spent"]
        self._started = time.monotonic() - spent
        self._total_s = options.minutes * 60
        self._losses: list[tuple[int, float]] = []  # pairs and mean loss of each step since the last line
        self._mark = time.monotonic()

    @property
    def done(self) -> float:
        """The share of its time that has passed."""
        return float((time.monotonic() - self._started) / self._total_s)

    def step(self, pairs: int, loss: float) -> None:
        """Apply the gradients that the weights have."""
        nn.utils.clip_grad_norm_(self.trained.values(), 1.0)
        self._optimizer.step()
        self.seen += pairs
        self._losses.append((pairs, loss))

    def learn(self, pairs: Sequence[Pair], pad: int, device: str, decays: bool) -> None:
        """A step on a batch. The rate rises at the beginning; with `decays` it falls to nothing over the time given."""
        factor = min(1.0, (self.steps + 1) / WARM_UP_STEPS) * (1.0 - self.done if decays else 1.0)
        for part, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            part["lr"] = rate * factor
        loss = loss_of(self.net, pairs, pad, device)
        self._optimizer.zero_grad()
        loss.backward()
        self.step(len(pairs), loss.item())
        self.steps += 1

    def tell(self) -> None:
        """Print how it goes since the last line, and the time left."""
        now = time.monotonic()
        counted = sum(pairs for pairs, _ in self._losses)
        loss = sum(pairs * mean for pairs, mean in self._losses) / counted
        left = (1 - self.done) * self._total_s / 60
        print(
            f"step {self.steps}: {self.seen:,} pairs, loss {loss:.4f}, "
            f"{counted / (now - self._mark):.1f} pairs/s, {left:.0f} min left",
            flush=True,
        )
        self._losses, self._mark = [], now

    def keep(self) -> None:
        """Write the weights, and a checkpoint to go on from."""
        self.net.save(self._out / "reader.safetensors")
        part = self._state_file.with_suffix(".part")
        torch.save(
            {
                "net": {n: p.data for n, p in self.trained.items()},
                "optimizer": self._optimizer.state_dict(),
                "step": self.steps,
                "seen": self.seen,
                "spent": time.monotonic() - self._started,
            },
            part,
        )
        part.replace(self._state_file)


def train(options: argparse.Namespace) -> None:
    """Train until the time given has passed, with checkpoints."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(str(options.base / "tokenizer.json"))
    pad = int(tokenizer.token_to_id("<pad>") or 0)
    rows = _read(options.pairs)
    training = Training(options)
    weights = sum(p.numel() for p in training.trained.values()) / 1e6
    print(f"{len(rows):,} pairs, {weights:.1f} million weights", flush=True)
    seed = options.seed + training.steps
    second = _Second(options, training.trained, seed + 1) if options.second_core is not None else None
    rng = random.Random(seed)
    try:
        while True:
            for group in batches(rows, tokenizer, options.tokens, rng):
                if training.done >= 1:
                    return
                training.learn(group, pad, options.device, decays=not options.constant)
                if second is not None and (taken := second.take()):
                    training.step(*taken)
                if training.steps % 50 == 0:
                    training.tell()
                if training.steps % CHECKPOINT_STEPS == 0:
                    training.keep()
    finally:
        if second is not None:
            second.kill()
        training.keep()
        print(
            f"{options.out / 'reader.safetensors'}: {training.steps} steps, {training.seen:,} pairs",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path, nargs="+")
    parser.add_argument("--base", type=Path, required=True, help="folder of all-mpnet-base-v2")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--init", type=Path, help="adapters and heads to start from")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=4e-4, help="learning rate of the adapters")
    parser.add_argument("--tokens", type=int, default=3072, help="tokens of a batch")
    parser.add_argument("--constant", action="store_true", help="no decay: a stage that another one follows")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--second-core", type=int, metavar="CORE")
    parser.add_argument("--seed", type=int, default=7)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
