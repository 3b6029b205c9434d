"""What is measured: embedding, adding an article, searching, and how well retrieval finds what people marked as right.

Each measure gives plain numbers; `eval.bench.report` writes them down. Times of two things are taken one after the other,
in turns, so that a busy machine slows both.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.bench.synthetic import RealTexts, Vectors, fill
from rag.config import Settings
from rag.ingest.build import build, fingerprint_of
from rag.store.base import Store
from rag.store.local import LocalStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.protocols import Embedder

Report = Callable[[str, int, int], None]
ADDITIONS = 24  # of one article to each index: passes three merges of small files
QUESTIONS = 200
LIMIT = 10
PAIRS = 5  # turns of embedding


class Ready:
    """An embedder that has its vectors already: what is measured is the index."""

    dimension = 384
    fingerprint = "bench"

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As many vectors as texts."""
        return self._vectors.draw(len(texts))


class Given:
    """The same for questions that were embedded before: whatever is asked has the vector of question `now`."""

    dimension, fingerprint = Ready.dimension, Ready.fingerprint

    def __init__(self, asked: NDArray[np.float32]) -> None:
        self._asked = asked
        self.now = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vector of the question, shape (1, dimension)."""
        return self._asked[self.now : self.now + 1]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def settings_of(work: Path, chunks: int) -> Settings:
    """The folders of the index of `chunks` chunks."""
    return Settings(seeds=work / "seeds", index=work / f"index-{chunks}", cache=work / "cache")


def prepare(work: Path, chunks: int, texts: RealTexts, real: NDArray[np.float32], report: Report) -> Settings:
    """An index of `chunks` chunks in `work`, made once."""
    settings = settings_of(work, chunks)
    settings.seeds.mkdir(parents=True, exist_ok=True)
    done = settings.index / "made"
    if not done.exists():
        shutil.rmtree(settings.index, ignore_errors=True)
        vectors = Vectors(real, seed=chunks)
        fill(settings.index, fingerprint_of(settings, Ready(vectors)), texts, vectors, chunks, report)
        done.touch()
    return settings


# ------------------------------------------------------------------------------------------------ adding


def new_article(number: int, texts: RealTexts) -> str:
    """An article of ten chunks with a word of its own."""
    parts = [f"zq{number}x opened the session."]
    for start in range(10):
        text = " ".join(texts.passages[(start * 3 + i) % len(texts.passages)] for i in range(3))
        parts.append(text[:590].rsplit(" ", 1)[0] + ".")
    return "\n\n".join(parts)


def adding(
    work: Path, sizes: Sequence[int], texts: RealTexts, real: NDArray[np.float32], report: Report
) -> dict[str, object]:
    """Seconds from the command (its imports and models loaded) until a reader that is open finds the article by its words
    and by its vector, for each size, in turns."""
    import numpy as np

    seconds: dict[int, list[float]] = {s: [] for s in sizes}
    settings = {s: settings_of(work, s) for s in sizes}
    vectors = Vectors(real, seed=5)
    embedder = Ready(vectors)
    stores = {s: LocalStore(settings[s].index, fingerprint_of(settings[s], embedder)) for s in sizes}
    first = {s: stores[s].chunk_count() for s in sizes}
    for number in range(ADDITIONS):
        report("adding", number, ADDITIONS)
        file = work / "seeds" / f"new-{time.time_ns()}.txt"
        file.write_text(new_article(number, texts), "utf-8")
        for size in sizes:
            stores[size].release()
            started = time.perf_counter()
            build(settings[size], embedder, paths=[file])
            if not stores[size].resume():
                newer = stores[size].reopened()
                stores[size].close()
                stores[size] = newer
            found = stores[size].lexical(f"zq{number}x", 5)
            assert found, "the new article is found by its words"
            row = stores[size].catalog.vectors_of([found[0][0]])[found[0][0]]
            near = stores[size].dense(np.frombuffer(row, dtype="<f4"), 5)
            assert found[0][0] in [i for i, _ in near], "and by its vector"
            seconds[size].append(time.perf_counter() - started)
    for size in sizes:
        chunks = (stores[size].chunk_count() - first[size]) / ADDITIONS
        stores[size].close()
    pairs = [b / a for a, b in zip(seconds[sizes[0]], seconds[sizes[-1]], strict=True)]
    return {
        "chunks_each": chunks,
        "seconds": {s: statistics.median(v) for s, v in seconds.items()},
        "worst_s": {s: max(v) for s, v in seconds.items()},
        "ratio": statistics.median(pairs),
        "ratio_low": quantile(pairs, 0.1),
        "ratio_high": quantile(pairs, 0.9),
        "additions": ADDITIONS,
    }


# ------------------------------------------------------------------------------------------------ searching


def searching(
    work: Path, chunks: int, texts: RealTexts, asked: NDArray[np.float32], model: Path | None
) -> dict[str, object]:
    """In this process: seconds to open, to find the best for a question by words and meaning, recall against exact search,
    and the most memory that was resident. `asked`: the vectors of the first questions; with `model`, the embedding model
    is loaded and the questions are embedded too."""

    from rag.retrieval.hybrid import retrieve

    settings = settings_of(work, chunks)
    questions = texts.questions[: len(asked)]
    given = Given(asked)
    import faiss  # noqa: F401  the libraries are not the index
    import tantivy  # noqa: F401

    started = time.perf_counter()
    store = LocalStore(settings.index, fingerprint_of(settings, given))
    opened = time.perf_counter() - started
    embedder: Embedder
    if model is not None:
        from rag.models.embedder import MiniLM

        embedder = MiniLM(model, threads=2)
        embedder.encode(["warm"])

    hybrid, dense, words, whole, recall = [], [], [], [], []
    for number, question in enumerate(questions):
        given.now = number
        started = time.perf_counter()
        retrieve(store, given, question, 16)
        hybrid.append(time.perf_counter() - started)
    for number, question in enumerate(questions):
        started = time.perf_counter()
        found = store.dense(asked[number], 50)
        dense.append(time.perf_counter() - started)
        started = time.perf_counter()
        store.lexical(question, 50)
        words.append(time.perf_counter() - started)
        recall.append([i for i, _ in found[:LIMIT]])
    if model is not None:
        for question in questions:
            started = time.perf_counter()
            retrieve(store, embedder, question, 16)
            whole.append(time.perf_counter() - started)
    peak = _peak_bytes()
    right = 0
    exact = exact_best(store, asked)
    for got, best in zip(recall, exact, strict=True):
        right += len(set(got) & set(best))
    files = [f for f in settings.index.rglob("*") if f.is_file()]
    return {
        "chunks": store.chunk_count(),
        "questions": len(questions),
        "open_s": opened,
        "hybrid_p50_s": statistics.median(hybrid),
        "hybrid_p95_s": quantile(hybrid, 0.95),
        "dense_p95_s": quantile(dense, 0.95),
        "words_p95_s": quantile(words, 0.95),
        "with_embedding_p95_s": quantile(whole, 0.95) if whole else None,
        "recall": right / (LIMIT * len(questions)),
        "resident_bytes": peak,
        "disk_bytes": sum(f.stat().st_size for f in files),
    }


def _peak_bytes() -> int:
    """The most memory of this process that was resident at once (not of the one that started it, as getrusage tells)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def exact_best(store: Store, asked: NDArray[np.float32]) -> list[list[int]]:
    """Ids of the nearest vectors of an index of files, by full comparison, block by block."""
    import numpy as np

    best: list[list[tuple[float, int]]] = [[] for _ in asked]
    ids: list[int] = []
    rows: list[bytes] = []

    def compare() -> None:
        block = np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), -1)
        scores = asked @ block.T
        top = np.argsort(-scores, axis=1, kind="stable")[:, :LIMIT]
        for number, order in enumerate(top):
            best[number] += [(-float(scores[number, i]), ids[i]) for i in order]
            best[number] = sorted(best[number])[:LIMIT]
        ids.clear()
        rows.clear()

    assert isinstance(store, LocalStore)
    for id_, vector in store.catalog.vectors(0, store.catalog.next_chunk()):
        ids.append(id_)
        rows.append(vector)
        if len(ids) == 20_000:
            compare()
    if ids:
        compare()
    return [[i for _, i in pairs] for pairs in best]


def searching_apart(arguments: Sequence[str]) -> dict[str, object]:
    """`searching` in a process of its own, so that its memory is what a question needs."""
    command = [sys.executable, "-m", "eval.bench", "--only-search", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


# ------------------------------------------------------------------------------------------------ embedding


def embedding(model: Path, texts: RealTexts, work: Path, report: Report) -> dict[str, object]:
    """Texts a second through `rag index` and through `SentenceTransformer.encode` alone, in turns."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from sentence_transformers import SentenceTransformer

    from rag.models.embedder import MiniLM

    bare = SentenceTransformer(str(model), device="cpu", local_files_only=True)
    bare.max_seq_length = 256
    ours = MiniLM(model, threads=2)
    ours.encode(["warm"])
    bare.encode(["warm"])
    splitter = RecursiveCharacterTextSplitter(chunk_size=700, chunk_overlap=0)
    ratios, rates = [], []
    for turn in range(PAIRS):
        report("embedding", turn, PAIRS)
        some = texts.passages[turn * 40 : turn * 40 + 40]
        folder = work / f"embedding-{time.time_ns()}"
        (folder / "seeds").mkdir(parents=True)
        for number, text in enumerate(some):
            (folder / "seeds" / f"{number}.txt").write_text(text, "utf-8")
        settings = Settings(seeds=folder / "seeds", index=folder / "index", cache=work / "cache")

        def through_index(settings: Settings = settings) -> int:
            return build(settings, ours).embedded

        started = time.perf_counter()
        count = through_index()
        ours_s = time.perf_counter() - started
        pieces = [p for text in some for p in splitter.split_text(text)][:count]
        started = time.perf_counter()
        bare.encode(pieces, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
        bare_s = (time.perf_counter() - started) * count / len(pieces)
        ratios.append(bare_s / ours_s)
        rates.append(count / ours_s)
        shutil.rmtree(folder)
    return {
        "texts_per_s": statistics.median(rates),
        "times_as_fast": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "turns": PAIRS,
    }


# ------------------------------------------------------------------------------------------------ yielding

ASKED = (
    "How long did the meeting between Rubio and Lavrov last?",
    "Where did Kellogg meet Zelenskiy?",
    "How many drones were launched in the overnight assault?",
    "What did Rubio say about the meeting?",
    "What did the two ministers discuss in Kuala Lumpur?",
    "Who accompanied Lavrov?",
)
RUNNING_S = 5.0  # until an indexing process is embedding


def yielding(texts: RealTexts, work: Path, report: Report) -> dict[str, object]:
    """How many times slower an answer is while another process indexes, in turns, over the articles of the project."""
    from rag.assistant import Assistant
    from rag.config import load_settings

    folder = work / f"yielding-{time.time_ns()}"
    (folder / "seeds").mkdir(parents=True)
    for number, text in enumerate(texts.passages):
        for copy in range(4):  # enough for longer than a question takes
            (folder / "seeds" / f"{number}-{copy}.txt").write_text(
                f"{number} {copy} {text[copy * 40 :]}", "utf-8"
            )
    settings = load_settings()
    assistant = Assistant.open(settings)
    assistant.warm()

    def alone(question: str) -> float:
        started = time.perf_counter()
        assistant.ask(question)
        return time.perf_counter() - started

    def beside(question: str) -> float:
        shutil.rmtree(folder / "index", ignore_errors=True)
        command = [
            sys.executable,
            "-m",
            "rag.cli",
            "--seeds",
            str(folder / "seeds"),
            "--index",
            str(folder / "index"),
        ]
        with subprocess.Popen(
            [*command, "index"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as process:
            time.sleep(RUNNING_S)
            assert process.poll() is None, "it is still indexing"
            seconds = alone(question)
            assert process.poll() is None, "it is still indexing"
            process.terminate()
        return seconds

    ratios, times = [], []
    for number, question in enumerate(ASKED):
        report("yielding", number, len(ASKED))
        alone(question)  # the prompt is in the model's memory from here on, for both
        pair = {}
        for which in (alone, beside) if number % 2 else (beside, alone):
            pair[which.__name__] = which(question)
        ratios.append(pair["beside"] / pair["alone"])
        times.append(pair["alone"])
    assistant.close()
    shutil.rmtree(folder)
    return {
        "times_slower": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "alone_s": statistics.median(times),
        "questions": len(ASKED),
    }


# ------------------------------------------------------------------------------------------------ quality


def ndcg(ranked: Sequence[str], right: dict[str, int]) -> float:
    """nDCG@10 with gain = the grade, as trec_eval computes it."""
    gain = sum(right.get(d, 0) / math.log2(i + 2) for i, d in enumerate(ranked[:10]))
    best = sum(g / math.log2(i + 2) for i, g in enumerate(sorted(right.values(), reverse=True)[:10]))
    return gain / best if best else 0.0


def quality(data: Path, model: Path, work: Path, report: Report) -> dict[str, object]:
    """nDCG@10 on SciFact through the product's index: fused, by meaning alone, by words alone."""
    from rag.models.embedder import MiniLM
    from rag.retrieval.hybrid import RRF_K

    embedder = MiniLM(model, threads=2)
    seeds = work / "scifact"
    seeds.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(data / "scifact" / "corpus.jsonl", seeds / "corpus.jsonl")
    settings = Settings(seeds=seeds, index=work / "index-scifact", cache=work / "cache")
    build(settings, embedder, report)
    right: dict[str, dict[str, int]] = {}
    with (data / "scifact" / "qrels.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            right.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    queries = {}
    for line in (data / "scifact" / "queries.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        if item["_id"] in right:
            queries[item["_id"]] = item["text"]
    store = LocalStore(settings.index, fingerprint_of(settings, embedder))
    scores: dict[str, list[float]] = {"fused": [], "meaning": [], "words": []}

    def documents(pairs: Sequence[tuple[int, float]]) -> list[str]:
        best = dict(pairs)
        order: dict[str, float] = {}
        for id_, chunk, _ in store.lookup(list(best)):
            key = chunk.article_id.rpartition("#")[2]
            order[key] = max(order.get(key, -1e9), best[id_])
        return sorted(order, key=lambda d: (-order[d], d))

    for key, text in queries.items():
        dense = store.dense(embedder.encode([text])[0], 100)
        words = store.lexical(text, 100)
        fused: dict[int, float] = {}
        for pairs in (dense, words):
            for rank, (id_, _) in enumerate(pairs, 1):
                fused[id_] = fused.get(id_, 0.0) + 1 / (RRF_K + rank)
        for name, ranked in (("fused", list(fused.items())), ("meaning", dense), ("words", words)):
            scores[name].append(ndcg(documents(ranked), right[key]))
    return {"queries": len(queries), **{f"ndcg_{k}": statistics.mean(v) for k, v in scores.items()}}
