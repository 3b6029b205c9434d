"""The benchmark's table, its numbers as JSON, and a plot of how searching grows with the index."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.0095 else f"{seconds * 1000:.1f} ms"


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = ["| measure | result |", "|---|---|"]
    if embedding := results.get("embedding"):
        lines.append(
            f"| embedding through `rag index` | {embedding['times_as_fast']:.2f} times as fast as"
            f" `SentenceTransformer.encode` on the same texts ({embedding['low']:.2f}–{embedding['high']:.2f},"
            f" {embedding['turns']} turns); {embedding['texts_per_s']:.0f} chunks a second |"
        )
    if yielding := results.get("yielding"):
        lines.append(
            f"| an answer while another process indexes | {yielding['times_slower']:.2f} times as long as alone"
            f" ({yielding['low']:.2f}–{yielding['high']:.2f}, {yielding['questions']} questions in turns,"
            f" {yielding['alone_s']:.1f} s alone) |"
        )
    if quality := results.get("quality"):
        lines.append(
            f"| SciFact, nDCG@10, {quality['queries']} queries | {quality['ndcg_fused']:.3f} fused;"
            f" {quality['ndcg_meaning']:.3f} by meaning alone, {quality['ndcg_words']:.3f} by words alone |"
        )
    if adding := results.get("adding"):
        small, large = (int(s) for s in adding["seconds"])
        seconds = list(adding["seconds"].values())
        lines.append(
            f"| an article of {adding['chunks_each']:.0f} chunks added, until an open reader finds it | {_ms(seconds[0])}"
            f" at {small:,} chunks, {_ms(seconds[1])} at {large:,}: {adding['ratio']:.2f} times"
            f" ({adding['ratio_low']:.2f}–{adding['ratio_high']:.2f}, {adding['additions']} turns) |"
        )
    for row in results.get("search", []):
        embedded = row["with_embedding_p95_s"]
        more = f", {_ms(embedded)} with the embedding of the question" if embedded else ""
        lines.append(
            f"| search over {row['chunks']:,} chunks, 95th percentile of {row['questions']} questions |"
            f" {_ms(row['hybrid_p95_s'])} for passages (meaning {_ms(row['dense_p95_s'])}, words"
            f" {_ms(row['words_p95_s'])}){more}; recall@10 {row['recall']:.3f}; opened in {row['open_s']:.2f} s;"
            f" {row['resident_bytes'] / 1e9:.2f} GB resident with the embedding model; {row['disk_bytes'] / 1e9:.2f} GB"
            " on disk |"
        )
    if shared := results.get("shared"):
        lines.append(
            f"| the index on a Milvus server, {shared['chunks']:,} chunks | recall@10 {shared['recall']:.3f}; passages for a"
            f" question take {_ms(shared['more_p50_s'])} more than at home, median of pairs, 95th percentile"
            f" {_ms(shared['more_p95_s'])} ({_ms(shared['home_p50_s'])} at home); copied there in"
            f" {shared['copied_there_s']:.0f} s (and indexed there {shared['indexed_s']:.0f} s later), back in"
            f" {shared['copied_back_s']:.0f} s; an article added in {shared['update_s']:.1f} s, median of"
            f" {shared['updates']}, and the next question on another host takes {_ms(shared['first_question_s'])}, the one"
            f" after it {_ms(shared['second_question_s'])}; that host was ready in {shared['opened_s']:.0f} s |"
        )
    if serving := results.get("serving"):
        lines.append(
            f"| what `rag serve` adds to an answer, {serving['clients']} clients at once, {serving['questions']} questions"
            f" | median {_ms(serving['whole_p50_s'])}, 99th percentile {_ms(serving['whole_p99_s'])}; streamed"
            f" {_ms(serving['streamed_p50_s'])} and {_ms(serving['streamed_p99_s'])};"
            f" {serving['whole_failed'] + serving['streamed_failed']} failed |"
        )
    return "\n".join(lines)


def plot(rows: list[dict[str, Any]], file: Path) -> None:
    """Time and memory of a search by the size of the index, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = [r["chunks"] for r in rows]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4))
    for name, label in (("hybrid_p95_s", "passages"), ("dense_p95_s", "meaning"), ("words_p95_s", "words")):
        left.plot(sizes, [r[name] * 1000 for r in rows], marker="o", label=label)
    left.axhline(50, linestyle="--", color="grey", label="bar: 50 ms")
    left.set(xscale="log", xlabel="chunks", ylabel="ms, 95th percentile", ylim=(0, None))
    left.legend()
    right.plot(sizes, [r["resident_bytes"] / 1e9 for r in rows], marker="o", label="resident memory")
    right.plot(sizes, [r["disk_bytes"] / 1e9 for r in rows], marker="o", label="disk")
    right.axhline(1.5, linestyle="--", color="grey", label="bar for memory: 1.5 GB")
    right.set(xscale="log", xlabel="chunks", ylabel="GB", ylim=(0, None))
    right.legend()
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def write_report(work: Path, results: dict[str, Any]) -> str:
    """Merge the results with those kept in `work`, write `bench.json`, `bench.md` and `bench.png`; returns the table."""
    kept = work / "bench.json"
    before = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    merged = before | json.loads(json.dumps(results)) | {"date": date.today().isoformat()}
    kept.write_text(json.dumps(merged, indent=1), "utf-8")
    text = table(merged)
    (work / "bench.md").write_text(f"{text}\n", "utf-8")
    if merged.get("search"):
        plot(merged["search"], work / "bench.png")
    return text
