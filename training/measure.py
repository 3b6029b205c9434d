"""Measure a trained reader as it ships, in 8 bits, on sets that it was not trained on; and calibrate it.

    python -m training.measure --data DIR --adapter FILE [--boolq FILE [--write DIR]] [--only NAME...]

`--data` is the folder of public development sets. With `--write` the adapter is copied there with a calibration beside it,
fitted on the tune halves of the sets; figures are then of the report halves, else of all rows. `training/README.md` says
what each figure is.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from eval.split import Half, half
from rag.answering.pipeline import YES_NO_FLOOR
from rag.answering.reading import Found
from rag.answering.verifying import unstated_date, unstated_number, unstated_quotation
from rag.cli.common import progress
from rag.config import load_settings
from rag.models.reader import FORMAT, MPNetReader, Scores
from rag.models.registry import find_model
from rag.retrieval.windows import Window
from rag.schema import Article, Evidence, Span
from training.sets import (
    Asked,
    Claimed,
    contrasts,
    frank,
    normal,
    nyt,
    nyt_near,
    squad,
    squad_windows,
    wice,
    yes_no,
)

YES_NO_SHARES = (0.25, 0.25, 0.5)  # of the windows that are asked: most of them tell of something else
UNCALIBRATED = {
    "answerable": [1.0, 0.2, 0.0],
    "support": [1.0, 0.0, 0.0, 0.0],
    "yes_no": [1.0, 0.0, 0.0, 0.0],
}


def vetoed(statement: str, text: str) -> bool:
    """Whether the literal checks of the product find that the text does not state the statement."""
    article = Article("a", "0", "a", text)
    span = Span(0, len(text))
    evidence = Evidence(1, article, 0, len(text), text)
    found = Found(evidence, Window(article, (span,), 1), 1.0, "", ())
    return bool(
        unstated_number(statement, found)
        or unstated_date(statement, found)
        or unstated_quotation(statement, text)
    )


def f1(guess: str, answers: Sequence[str]) -> float:
    best = 0.0
    for answer in answers:
        one, two = normal(guess).split(), normal(answer).split()
        same = sum((Counter(one) & Counter(two)).values())
        best = max(best, 2 * same / (len(one) + len(two)) if same else float(one == two))
    return best


def auc(scores: Any, labels: Any) -> float:
    """Chance that a true row scores above a false one, ties counting half."""
    s, y = np.asarray(scores), np.asarray(labels)
    order = np.unique(s, return_inverse=True)[1]
    counts = np.bincount(order)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[order]
    good, bad = int(y.sum()), int((~y).sum())
    return float((ranks[y].sum() - good * (good + 1) / 2) / (good * bad)) if good and bad else float("nan")


def _auc_of(scores: Any, labels: Any, rows: Any) -> float:
    return auc(scores[rows], labels[rows])


def balanced(scores: Any, labels: Any, floor: float) -> float:
    s, y = np.asarray(scores), np.asarray(labels)
    return float(((s[y] >= floor).mean() + (s[~y] < floor).mean()) / 2)


def interval(values: int, of: Any) -> tuple[float, float]:
    """95 % by bootstrap over rows; `of` computes the figure from row indices."""
    rng = np.random.default_rng(1)
    drawn = [of(rng.integers(0, values, values)) for _ in range(400)]
    return float(np.nanpercentile(drawn, 2.5)), float(np.nanpercentile(drawn, 97.5))


def fit_logistic(features: Any, labels: Any) -> list[float]:
    """Weights of the features and a constant, at even odds, with a slight pull to nought."""
    x = np.column_stack([np.asarray(features, dtype=float), np.ones(len(labels))])
    y = np.asarray(labels, dtype=float)
    share = np.where(y > 0.5, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (share * (p - y)) + 1e-3 * w
        hessian = (x * (share * p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(len(w))
        w -= np.linalg.solve(hessian, gradient)
    return [round(float(v), 4) for v in w]


def fit_support(logits: Any, labels: Sequence[str], shares: Sequence[float] = ()) -> list[float]:
    """The likeliest weight for the three logits and constant for each class, at even odds of supported and not, or as if the
    classes had these shares."""
    import torch

    x = torch.tensor(np.asarray(logits), dtype=torch.float64)
    names = ("supported", "refuted", "not_stated")
    known = torch.tensor([names.index(v) if v in names else -1 for v in labels])
    good = known == 0
    share = torch.where(good, 0.5 / good.double().mean(), 0.5 / (~good).double().mean())
    if shares:
        share = torch.tensor([s / float((known == k).double().mean()) for k, s in enumerate(shares)])[known]
    weight, constants = torch.ones(1, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    weight.requires_grad = constants.requires_grad = True
    optimizer = torch.optim.LBFGS([weight, constants], max_iter=200)

    def closure() -> Any:
        optimizer.zero_grad()
        likely = torch.log_softmax(weight * x + constants, 1)
        each = torch.where(
            known >= 0, likely.gather(1, known.clamp(min=0)[:, None])[:, 0], torch.logsumexp(likely[:, 1:], 1)
        )
        loss = -(share * each).mean() + 1e-3 * (constants**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return [round(float(v), 4) for v in (*weight.detach(), *(constants - constants.mean()).detach())]


def half_of(name: str, row: Asked | Claimed) -> Half:
    """The half in which a row of a set is; the rows of one paragraph or summary are in the same."""
    return half(name.split("_")[0], row.id.split(".")[0])


class Bench:
    """Reads sets with one adapter, once each."""

    def __init__(self, reader: MPNetReader, data: Path, most: int, boolq: Path | None) -> None:
        self.reader, self.data, self.most, self.boolq = reader, data, most, boolq
        self._kept: dict[str, tuple[list[Any], list[list[Scores]]]] = {}

    def read(self, name: str) -> tuple[list[Any], list[list[Scores]]]:
        """The rows of a set, and the scores of each row's windows."""
        if name not in self._kept:
            made: dict[str, Any] = {
                "squad": lambda: squad(self.data), "squad_windows": lambda: squad_windows(self.data),
                "nyt": lambda: nyt(self.data), "nyt_near": lambda: nyt_near(self.data),
                "wice": lambda: wice(self.data), "frank": lambda: frank(self.data), "contrasts": contrasts,
                "boolq": lambda: yes_no(self.boolq, self.most) if self.boolq else (),
            }  # fmt: skip
            items = list(itertools.islice(made[name](), self.most))
            pairs = [
                (i.question if isinstance(i, Asked) else f"claim: {i.claim}", w)
                for i in items
                for w in i.windows
            ]
            scores: list[Scores] = []
            with progress() as report:
                for at in range(0, len(pairs), 256):
                    scores += self.reader.scores(pairs[at : at + 256])
                    report(name, len(scores), len(pairs))
            grouped, at = [], 0
            for item in items:
                grouped.append(scores[at : at + len(item.windows)])
                at += len(item.windows)
            self._kept[name] = items, grouped
        return self._kept[name]


def calibrate(bench: Bench) -> dict[str, list[float]]:
    """Fitted on tune halves: `answerable` on single windows of SQuAD 2 and of the New York Times set, `support` on WiCE,
    FRANK and the project's own list, each set counting alike, `yes_no` on BoolQ."""
    features, labels = [], []
    for name in ("squad_windows", "nyt", "nyt_near"):
        items, scores = bench.read(name)
        for item, found in zip(items, scores, strict=True):
            if half_of(name, item) is Half.TUNE:
                best = max(found, key=lambda s: s.answerable + 0.2 * s.lead)
                features.append([best.answerable, best.lead])
                labels.append(bool(item.answers))
    answerable = fit_logistic(features, labels)
    logits, classes = [], []
    for name in ("wice", "frank", "contrasts"):
        items, scores = bench.read(name)
        tune = [(i, s) for i, s in zip(items, scores, strict=True) if half_of(name, i) is Half.TUNE]
        for item, found in tune * max(1, 300 // len(tune)):
            best_support = max(found, key=lambda s: s.support[0] - max(s.support[1:])).support
            logits.append(best_support)
            classes.append(item.label or ("supported" if item.supported else "unsupported"))
    asked = [
        (s[0].support, i.label)
        for i, s in zip(*bench.read("boolq"), strict=True)
        if half_of("boolq", i) is Half.TUNE
    ]
    return {
        "answerable": answerable,
        "support": fit_support(logits, classes),
        "yes_no": fit_support([x for x, _ in asked], [label for _, label in asked], YES_NO_SHARES),
    }


class Report:
    """The figures of a reader, with 95 % intervals, as `figures` and printed as they are known. `only_report`: of the
    report halves alone, because the reader was calibrated on the others."""

    def __init__(self, bench: Bench, calibration: dict[str, list[float]], only_report: bool) -> None:
        self.bench, self.calibration, self.only_report = bench, calibration, only_report
        self.figures: dict[str, Any] = {}

    def make(self, names: Sequence[str]) -> None:
        """The figures of the sets of these names."""
        for name, label in (("squad", "SQuAD 2, paragraphs"), ("squad_windows", "SQuAD 2, windows")):
            if name in names:
                self.answerable(name, label)
        for name, label in (("squad", "SQuAD 2"), ("nyt", "New York Times")):
            if name in names:
                self.span(name, label)
        if "nyt_near" in names:
            self.near()
        for name, label in (("wice", "WiCE"), ("frank", "FRANK"), ("contrasts", "contrasts")):
            if name in names:
                self.support(name, label)
        if self.bench.boolq and "boolq" in names:
            self.yes_no()

    def put(self, name: str, value: float, count: int, low: float = 0, high: float = 0) -> None:
        self.figures[name] = [round(value, 4), round(low, 4), round(high, 4), count]
        print(f"{name:58s} {value:.3f}  ({low:.3f} to {high:.3f}, n = {count})", flush=True)

    def put_over(self, name: str, count: int, of: Callable[[Any], Any]) -> None:
        """A figure with its interval; `of` computes it from row indices."""
        self.put(name, float(of(np.arange(count))), count, *interval(count, of))

    def taken(self, name: str) -> list[tuple[Any, list[Scores]]]:
        """The rows of a set that count, with their scores."""
        items, scores = self.bench.read(name)
        return [
            (i, s)
            for i, s in zip(items, scores, strict=True)
            if not self.only_report or half_of(name, i) is Half.REPORT
        ]

    def sure(self, found: Sequence[Scores]) -> float:
        """The logit of answerable, of the surest window."""
        a, b, c = self.calibration["answerable"]
        return max(a * s.answerable + b * s.lead + c for s in found)

    def supported(self, found: Sequence[Scores]) -> float:
        """The probability of supported, of the window that supports most."""
        return max([0.0, *(self.classes(s, "support")[0] for s in found)])

    def classes(self, scores: Scores, fitted: str) -> tuple[float, ...]:
        """The probabilities of supported, refuted and not stated."""
        w, *constants = self.calibration[fitted]
        odds = np.exp([w * x + k for x, k in zip(scores.support, constants, strict=True)])
        return tuple(float(x) for x in odds / odds.sum())

    def scored(self, *names: str) -> tuple[Any, Any]:
        """The logits of answerable, and whether the rows are answered."""
        some = [row for name in names for row in self.taken(name)]
        return np.array([self.sure(s) for _, s in some]), np.array([bool(i.answers) for i, _ in some])

    def answerable(self, name: str, label: str) -> None:
        """Whether answered and unanswerable questions are told apart."""
        x, y = self.scored(name)
        self.put_over(f"{label}: AUC of answerable", len(x), lambda k: auc(x[k], y[k]))
        for share in (0.2, 0.1):

            def refused(k: Any, share: float = share) -> Any:
                return (x[k][~y[k]] < np.quantile(x[k][y[k]], share)).mean()

            self.put_over(
                f"{label}: unanswerable refused where {share:.0%} of the answerable are", len(x), refused
            )
        self.put_over(f"{label}: balanced accuracy at 0.5", len(x), lambda k: balanced(x[k], y[k], 0.0))

    def span(self, name: str, label: str) -> None:
        """Whether the words that answer are found."""
        some = [(i, i.windows[0][s[0].start : s[0].end]) for i, s in self.taken(name) if i.answers]
        f = np.array([f1(text, i.answers) for i, text in some])
        e = np.array([float(any(normal(text) == normal(x) for x in i.answers)) for i, text in some])
        self.put_over(f"{label}: span F1", len(f), lambda k: f[k].mean())
        self.put_over(f"{label}: span exact", len(e), lambda k: e[k].mean())

    def near(self) -> None:
        """Whether the right paragraph and the nearest other one are told apart."""
        x, y = self.scored("nyt", "nyt_near")
        name = "New York Times: AUC against the nearest other paragraph"
        self.put_over(name, len(x), lambda k: auc(x[k], y[k]))
        self.put("New York Times: answerable at 0.5", float((x[y] >= 0).mean()), int(y.sum()))
        self.put("New York Times: nearest other refused at 0.5", float((x[~y] < 0).mean()), int((~y).sum()))

    def support(self, name: str, label: str) -> None:
        """Whether supported claims and others are told apart. A summary is supported as a whole."""
        groups: dict[str, list[tuple[Any, float]]] = {}
        for item, s in self.taken(name):
            key = item.id.split(".")[0] if name == "frank" else f"{item.id} {len(groups)}"
            groups.setdefault(key, []).append((item, self.supported(s)))
        first = [g[0][0] for g in groups.values()]
        x = np.array([min(v for _, v in g) for g in groups.values()])
        y = np.array([i.supported for i in first])
        self.put_over(f"{label}: AUC of support", len(x), lambda k: auc(x[k], y[k]))
        self.put_over(f"{label}: balanced accuracy at 0.5", len(x), lambda k: balanced(x[k], y[k], 0.5))
        self.put(f"{label}: supported kept", float((x[y] >= 0.5).mean()), int(y.sum()))
        if name == "contrasts":
            self.contrasts(first, x, y)

    def yes_no(self) -> None:
        """How often a yes and a no are said: of passages that say yes, that say no, and of others that state nothing."""
        some = [(i.label, self.classes(s[0], "yes_no")) for i, s in self.taken("boolq")]
        for k, said in enumerate(("yes", "no")):
            x = np.array([classes[k] for _, classes in some])
            right = np.array([label == ("supported", "refuted")[k] for label, _ in some])
            self.put_over(f"BoolQ: AUC of {said}", len(x), partial(_auc_of, x, right))
            for label, where in (
                ("supported", "it is yes"),
                ("refuted", "it is no"),
                ("not_stated", "another passage"),
            ):
                told = x[np.array([name == label for name, _ in some])] >= YES_NO_FLOOR
                self.put(f"BoolQ: {said} said, {where}", float(told.mean()), len(told))

    def contrasts(self, items: Sequence[Claimed], x: Any, y: Any) -> None:
        """What the literal vetoes of the product add, and each kind of the project's own list."""
        said = np.array([vetoed(i.statement, i.windows[0]) for i in items])
        both = np.where(said, 0.0, x)
        name = "contrasts: balanced accuracy with the literal vetoes"
        self.put_over(name, len(x), lambda k: balanced(both[k], y[k], 0.5))
        self.put("contrasts: supported vetoed", float(said[y].mean()), int(y.sum()))
        self.put("contrasts: others vetoed", float(said[~y].mean()), int((~y).sum()))
        for kind in sorted({i.kind for i in items}):
            of = np.array([i.kind == kind for i in items])
            self.put(f"contrasts, {kind}: balanced accuracy", balanced(x[of], y[of], 0.5), int(of.sum()))


SETS = ("squad", "squad_windows", "nyt", "nyt_near", "wice", "frank", "contrasts", "boolq")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--boolq", type=Path, help="BoolQ's development set, which is not in --data")
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--write", type=Path, help="folder for the adapter and its calibration: rag/weights")
    parser.add_argument("--rows", type=int, default=600, help="of each set at most")
    parser.add_argument("--only", nargs="+", choices=SETS, default=SETS)
    options = parser.parse_args()
    if options.write and not options.boolq:
        parser.error("--write needs --boolq, on which a yes and a no are calibrated")
    settings = load_settings()
    base = find_model("reader", settings)
    with tempfile.TemporaryDirectory() as work:
        adapter = Path(work) / "reader.safetensors"
        shutil.copyfile(options.adapter, adapter)
        about: dict[str, Any] = {
            "format": FORMAT,
            "adapter_sha256": hashlib.sha256(adapter.read_bytes()).hexdigest(),
            "base_sha256": hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest(),
        }
        beside = options.adapter.with_suffix(".json")
        known = json.loads(beside.read_text("utf-8")) if beside.is_file() else UNCALIBRATED
        adapter.with_suffix(".json").write_text(json.dumps({**about, **UNCALIBRATED}), "utf-8")
        bench = Bench(
            MPNetReader(lambda: base, Path(work) / "cache", adapter, settings.threads),
            options.data,
            options.rows,
            options.boolq,
        )
        calibration = calibrate(bench) if options.write else {k: known[k] for k in UNCALIBRATED}
        report = Report(bench, calibration, bool(options.write))
        report.make(options.only)
        if options.write:
            options.write.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(adapter, options.write / adapter.name)
            made = {**about, **calibration, "figures": report.figures}
            (options.write / "reader.json").write_text(json.dumps(made, indent=1) + "\n", "utf-8")
            print(f"{options.write / adapter.name}: written with its calibration {calibration}")


if __name__ == "__main__":
    main()
