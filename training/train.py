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
import json
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


def _gradients(
    options: argparse.Namespace,
    shared: dict[str, Tensor],
    gradients: dict[str, Tensor],
    told: Tensor,
    ready: Any,
    seed: int,
) -> None:
    """The second process: gradients of batches of its own for the `shared` weights, one ahead of what is taken. `told`:
    number of pairs and their mean loss."""
    os.sched_setaffinity(0, {options.second_core})
    os.nice(19)
    torch.set_num_threads(1)
    tokenizer = load_tokenizer(str(options.base / "tokenizer.json"))
    pad = int(tokenizer.token_to_id("<pad>") or 0)
    net = ReaderNet(options.base)
    trained = net.trained()
    for name, parameter in trained.items():
        parameter.data = shared[name]
    rows: list[Row] = [json.loads(line) for path in options.pairs for line in path.open(encoding="utf-8")]
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


def train(options: argparse.Namespace) -> None:
    device = options.device
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(str(options.base / "tokenizer.json"))
    pad = int(tokenizer.token_to_id("<pad>") or 0)
    net = ReaderNet(options.base)
    if options.init:
        net.load(options.init)
    net.to(device)
    trained = net.trained()
    heads = [p for n, p in trained.items() if n.startswith(("span", "cls"))]
    adapters = [p for n, p in trained.items() if not n.startswith(("span", "cls"))]
    rates = [options.rate * HEAD_RATE, options.rate]
    optimizer = torch.optim.AdamW(
        [{"params": heads, "lr": rates[0]}, {"params": adapters, "lr": rates[1]}],
        weight_decay=0.01,
        betas=(0.9, 0.98),
    )
    options.out.mkdir(parents=True, exist_ok=True)
    state_file = options.out / "state.pt"
    step = seen = 0
    spent = 0.0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        for name, parameter in trained.items():
            parameter.data.copy_(state["net"][name])
        optimizer.load_state_dict(state["optimizer"])
        step, seen, spent = state["step"], state["seen"], state["spent"]
    rows: list[Row] = [json.loads(line) for path in options.pairs for line in path.open(encoding="utf-8")]
    print(
        f"{len(rows):,} pairs, {sum(p.numel() for p in trained.values()) / 1e6:.1f} million weights",
        flush=True,
    )

    started = time.monotonic() - spent
    total_s = options.minutes * 60

    def keep() -> None:
        net.save(options.out / "reader.safetensors")
        part = state_file.with_suffix(".part")
        torch.save(
            {
                "net": {n: p.data for n, p in trained.items()},
                "optimizer": optimizer.state_dict(),
                "step": step,
                "seen": seen,
                "spent": time.monotonic() - started,
            },
            part,
        )
        part.replace(state_file)

    second, ready = None, mp.get_context("spawn").Event()
    gradients: dict[str, Tensor] = {}
    told = torch.zeros(2).share_memory_()
    if options.second_core is not None:
        for name, parameter in trained.items():
            parameter.data.share_memory_()
            gradients[name] = torch.zeros_like(parameter.data).share_memory_()
        shared = {name: p.data for name, p in trained.items()}
        second = mp.get_context("spawn").Process(
            target=_gradients,
            args=(options, shared, gradients, told, ready, options.seed + step + 1),
            daemon=True,
        )
        second.start()

    rng = random.Random(options.seed + step)
    loss_sum, counted, mark = 0.0, 0, time.monotonic()
    try:
        while True:
            for group in batches(rows, tokenizer, options.tokens, rng):
                done = (time.monotonic() - started) / total_s
                if done >= 1:
                    return
                factor = min(1.0, (step + 1) / WARM_UP_STEPS) * (1.0 if options.constant else 1.0 - done)
                for part, rate in zip(optimizer.param_groups, rates, strict=True):
                    part["lr"] = rate * factor
                loss = loss_of(net, group, pad, device)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(trained.values(), 1.0)
                optimizer.step()
                step, seen = step + 1, seen + len(group)
                loss_sum, counted = loss_sum + loss.item() * len(group), counted + len(group)
                if ready.is_set():
                    for name, parameter in trained.items():
                        parameter.grad = gradients[
                            name
                        ].clone()  # a batch without questions leaves none of the span
                    pairs, beside = int(told[0]), float(told[1])
                    ready.clear()
                    nn.utils.clip_grad_norm_(trained.values(), 1.0)
                    optimizer.step()
                    seen, counted, loss_sum = seen + pairs, counted + pairs, loss_sum + beside * pairs
                if step % 50 == 0:
                    now = time.monotonic()
                    left = (total_s - (now - started)) / 60
                    print(
                        f"step {step}: {seen:,} pairs, loss {loss_sum / counted:.4f}, "
                        f"{counted / (now - mark):.1f} pairs/s, {left:.0f} min left",
                        flush=True,
                    )
                    loss_sum, counted, mark = 0.0, 0, now
                if step % CHECKPOINT_STEPS == 0:
                    keep()
    finally:
        if second is not None:
            second.kill()
        keep()
        print(f"{options.out / 'reader.safetensors'}: {step} steps, {seen:,} pairs", flush=True)


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
