"""The command line as a user meets it: real processes, exit statuses, one clear line for each mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def rag(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `rag` in `cwd`; the models of the user are used unless CITEWIRE_CACHE says otherwise."""
    return subprocess.run(
        [sys.executable, "-c", "from rag.cli import main; main()", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, minilm_dir: Path) -> Path:
    """A folder with two articles and an index."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "seeds").mkdir()
    (folder / "seeds" / "flood.txt").write_text(
        "Floods hit Valencia\n\nThe evacuation of Valencia lasted three hours. Two bridges fell.\n", "utf-8"
    )
    (folder / "seeds" / "grain.txt").write_text(
        "Talks on grain\n\nMinisters met in Ankara on 3 May 2024. The talks cost 2 million euros.\n", "utf-8"
    )
    done = rag("index", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "2 added" in done.stdout and "2 embedded" in done.stdout
    return folder


def test_help_comes_at_once() -> None:
    started = time.monotonic()
    done = rag("--help", cwd=ROOT)
    assert done.returncode == 0 and "ask" in done.stdout
    assert (
        time.monotonic() - started < 1.5
    )  # 0.07 s on a quiet machine; loading torch alone takes longer than this


def test_indexing_again_says_that_nothing_changed(work: Path) -> None:
    done = rag("index", "--json", cwd=work)
    summary = json.loads(done.stdout)
    assert summary["unchanged"] == ["flood.txt", "grain.txt"] and summary["embedded"] == 0


def test_search_prints_article_place_and_both_ranks(work: Path) -> None:
    done = rag("search", "evacuation of Valencia", cwd=work)
    assert done.returncode == 0
    assert done.stdout.startswith("1. Floods hit Valencia") and "dense 1, lexical 1" in done.stdout
    assert "flood.txt, characters " in done.stdout


def test_ask_without_a_model_quotes_with_the_source(work: Path) -> None:
    done = rag("ask", "How long did the evacuation of Valencia last?", "--model", "none", "--json", cwd=work)
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["status"] == "answered"
    assert answer["statements"][0]["state"] == "quoted"
    assert "three hours" in answer["statements"][0]["text"]
    assert answer["evidence"][0]["article"] == "flood.txt"


def test_what_the_articles_do_not_say_ends_with_status_3(work: Path) -> None:
    done = rag("ask", "Who won the football cup in Hamburg in 1999?", "--model", "none", cwd=work)
    assert done.returncode == 3 and "Hamburg" in done.stdout and "Closest sentences" in done.stdout


def test_history_is_read_from_earlier_json(work: Path) -> None:
    first = rag("ask", "How long did the evacuation of Valencia last?", "--model", "none", "--json", cwd=work)
    (work / "history.jsonl").write_text(first.stdout, "utf-8")
    done = rag("ask", "Where was it?", "--history", "history.jsonl", "--model", "none", "--json", cwd=work)
    assert "Valencia" in json.loads(done.stdout)["as_understood"]


def test_then_asks_follow_ups_one_object_a_line(work: Path) -> None:
    done = rag(
        "ask",
        "Which city was evacuated?",
        "--then",
        "How long did it last?",
        "--model",
        "none",
        "--json",
        cwd=work,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [x["question"] for x in lines] == ["Which city was evacuated?", "How long did it last?"]
    assert lines[1]["as_understood"] != lines[1]["question"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["ask", ""], 2, "the question is empty"),
        (["ask", "x" * 3000], 2, "shorten it"),
        (["ask", "Why?", "--history", "nowhere.jsonl"], 2, "nowhere.jsonl"),
        (["ask", "Why?", "--model", "nosuch"], 1, "nosuch"),
        (["ask", "Why?", "--model", "broken.gguf"], 1, "broken.gguf"),
        (["--index", "nowhere", "ask", "Why?"], 1, "no index at nowhere/; run: rag index"),
        (["--seeds", "nowhere", "index"], 1, "nowhere"),
        (["--seeds", "empty", "index"], 1, "empty/: no article"),
        (["models", "get", "nosuch"], 1, "nosuch"),
    ],
)
def test_a_mistake_gets_one_clear_line(work: Path, arguments: list[str], status: int, words: str) -> None:
    (work / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 20)
    (work / "empty").mkdir(exist_ok=True)
    done = rag(*arguments, cwd=work)
    assert done.returncode == status, done.stderr
    assert words in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_setting_that_is_not_known_names_its_file(work: Path, tmp_path: Path) -> None:
    (tmp_path / "citewire.toml").write_text('colour = "red"\n', "utf-8")
    done = rag("index", cwd=tmp_path)
    assert done.returncode == 2 and "citewire.toml" in done.stderr and "colour" in done.stderr


def test_a_missing_model_names_the_command_that_gets_it(work: Path, tmp_path: Path) -> None:
    done = rag("ask", "Why?", cwd=work, CITEWIRE_CACHE=str(tmp_path))
    assert done.returncode == 1 and "rag models get" in done.stderr


def test_an_unreadable_article_is_named_and_the_run_ends_with_status_1(work: Path) -> None:
    bad = work / "seeds" / "bad.txt"
    bad.write_bytes(b"\x00\x01" * 100)
    try:
        done = rag("index", cwd=work)
        assert done.returncode == 1 and "bad.txt" in done.stderr and "2 unchanged, 1 skipped" in done.stdout
    finally:
        bad.unlink()


def test_models_are_listed_with_state_and_size(work: Path) -> None:
    done = rag("models", cwd=work)
    assert done.returncode == 0
    assert "minilm" in done.stdout and "ready" in done.stdout and "1117 MB" in done.stdout
