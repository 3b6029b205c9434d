"""The command line as a user meets it: real processes, exit statuses, one clear line for each mistake."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import click
import pytest

from rag.assistant import Assistant
from rag.cli import main
from rag.cli.ask import print_stream
from rag.config import load_settings
from rag.errors import ConfigError
from rag.schema import Answer, Article, Evidence, Span, State, Statement, Status
from rag.ui.sessions import Sessions

ROOT = Path(__file__).parent.parent


def rag(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `rag` in `cwd`; the models of the user are used unless CITEWIRE_CACHE says otherwise."""
    return subprocess.run(
        [sys.executable, "-m", "rag.cli", *arguments],
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


def test_the_help_of_ask_says_that_it_reads_english() -> None:
    assert "Articles and questions are read in English." in rag("ask", "--help", cwd=ROOT).stdout


def test_indexing_again_says_that_nothing_changed(work: Path) -> None:
    done = rag("index", "--json", cwd=work)
    summary = json.loads(done.stdout)
    assert summary["unchanged"] == ["flood.txt", "grain.txt"] and summary["embedded"] == 0


def test_search_prints_article_place_and_both_ranks(work: Path) -> None:
    done = rag("search", "evacuation of Valencia", cwd=work)
    assert done.returncode == 0
    assert done.stdout.startswith("1. Floods hit Valencia") and "by meaning 1, by words 1" in done.stdout
    assert "flood.txt, characters " in done.stdout


def test_ask_without_a_model_quotes_with_the_source(work: Path) -> None:
    done = rag("ask", "How long did the evacuation of Valencia last?", "--model", "none", "--json", cwd=work)
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["status"] == "answered"
    assert answer["statements"][0]["state"] == "quoted"
    assert "three hours" in answer["statements"][0]["text"]
    assert answer["evidence"][0]["article"] == "flood.txt"


def test_the_words_that_answer_are_bold_in_a_terminal_and_plain_in_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = "The talks lasted two hours."
    said = Evidence(1, Article("a", "1", "a.txt", body), 0, len(body), body, (), 0.9, Span(17, 26))
    quoted = Statement(1, body, (1,), State.QUOTED)

    def stream() -> Generator[Answer]:
        yield Answer("How long?", "How long?", Status.ANSWERED, (quoted,), (said,))

    with click.Context(main, color=True):  # as in a terminal
        print_stream(stream())
    assert "“The talks lasted \x1b[1mtwo hours\x1b[0m.” [1]" in capsys.readouterr().out
    print_stream(stream())
    assert "“The talks lasted two hours.” [1]" in capsys.readouterr().out


def test_what_the_articles_do_not_say_ends_with_status_3(work: Path) -> None:
    done = rag("ask", "Who won the football cup in Hamburg in 1999?", "--model", "none", cwd=work)
    assert done.returncode == 3 and "“1999”" in done.stdout and "Closest sentences" in done.stdout


def test_what_the_catalogue_answers_ends_with_status_0(work: Path) -> None:
    done = rag("ask", "thanks", "--then", "Which articles mention Ankara?", "--model", "none", cwd=work)
    assert done.returncode == 0 and "You are welcome." in done.stdout
    assert "“Ministers met in Ankara on 3 May 2024.” [1]" in done.stdout
    assert "“Ankara” is in 1 of 2 articles, 1 time in all: Talks on grain." in done.stdout
    german = rag("ask", "Wie lange dauerte das Treffen?", "--model", "none", cwd=work)
    assert german.returncode == 0 and german.stdout.startswith("Questions are read in English.")


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
        (["index", "nowhere.txt"], 1, "nowhere.txt: no such file"),
        (["index", "--import", "nowhere.zip"], 1, "nowhere.zip: not an index"),
        (["index", "--export", "no/such/folder.zip"], 1, "no/such/folder.zip: cannot be written"),
        (["--index", "nowhere", "index", "--check"], 1, "no index at nowhere/; run: rag index"),
        (["articles", "remove", "nowhere.txt"], 1, "nowhere.txt: no such article"),
        (["--corpus", "../x", "index"], 2, "a name is letters"),
        (["--corpus", "sports", "index"], 1, "corpora/sports: no such folder"),
        (["recheck", "nowhere.jsonl"], 2, "nowhere.jsonl"),
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


@pytest.mark.parametrize(
    ("lines", "environ", "words"),
    [
        ("threads = 0", {}, r"citewire\.toml: threads = 0 is out of range \(1 to 256\)"),
        ("", {"CITEWIRE_PORT": "http"}, "CITEWIRE_PORT: port = 'http' is not a whole number"),
        ("port = inf", {}, r"citewire\.toml: port = inf is not a whole number"),
        ("cache = true", {}, r"citewire\.toml: cache = True is not a path"),
        ("overlap_chars = 900", {}, r"overlap_chars = 900 must be at least 0 and below chunk_chars \(800\)"),
        ("[fields]\nbody = 'x'", {}, r"citewire\.toml: \[fields\] has no 'body'; known are text, title"),
        ("[models]\ndefault = 1", {}, r"citewire\.toml: \[models\] must hold lines such as default"),
        ("threads =", {}, r"citewire\.toml: not readable as TOML"),
    ],
)
def test_a_setting_that_cannot_work_names_its_place_and_what_can(
    tmp_path: Path, lines: str, environ: dict[str, str], words: str
) -> None:
    (tmp_path / "citewire.toml").write_text(lines, "utf-8")
    with pytest.raises(ConfigError, match=words):
        load_settings(tmp_path, environ)


def test_folders_of_a_user_are_where_other_programs_have_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    settings = load_settings(tmp_path, {})
    assert settings.cache == tmp_path / ".cache" / "citewire"
    assert settings.data == tmp_path / ".local" / "share" / "citewire"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert load_settings(tmp_path, {}).cache == tmp_path / "elsewhere" / "citewire"


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


@pytest.fixture
def own(work: Path, tmp_path: Path) -> Path:
    """A folder with articles and an index of its own."""
    shutil.copytree(work / "seeds", tmp_path / "seeds")
    done = rag("index", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_an_article_is_taken_out_and_brought_back(own: Path) -> None:
    done = rag("articles", "remove", "grain.txt", cwd=own)
    assert done.returncode == 0 and "grain.txt: taken out" in done.stdout
    assert "grain" not in rag("articles", cwd=own).stdout
    assert "0 added" in rag("index", cwd=own).stdout
    assert "1 added" in rag("index", "seeds/grain.txt", cwd=own).stdout
    listed = [json.loads(line) for line in rag("articles", "--json", cwd=own).stdout.splitlines()]
    assert [a["id"] for a in listed] == ["flood.txt", "grain.txt"] and listed[0]["chunks"] == 1


def test_an_index_is_checked_saved_and_restored(own: Path) -> None:
    assert "index/: sound; 2 articles, 2 chunks" in rag("index", "--check", cwd=own).stdout
    assert "MB" in rag("index", "--export", "saved.zip", cwd=own).stdout
    done = rag("--index", "other", "index", "--import", "saved.zip", "--json", cwd=own)
    assert json.loads(done.stdout) == {"articles": 2, "chunks": 2}
    assert "Valencia" in rag("--index", "other", "search", "evacuation", cwd=own).stdout
    next((own / "index").glob("vectors-*")).unlink()
    done = rag("index", "--check", "--json", cwd=own)
    assert len(json.loads(done.stdout)["repaired"]) == 1


def test_only_one_thing_is_done_at_a_time(own: Path) -> None:
    done = rag("index", "--check", "--rebuild", cwd=own)
    assert done.returncode == 2 and "at a time" in done.stderr


def test_an_answer_that_was_kept_is_checked_against_the_articles_of_today(own: Path) -> None:
    question = "How long did the evacuation of Valencia last?"
    kept = rag("ask", question, "--model", "none", "--json", cwd=own)
    (own / "kept.jsonl").write_text(kept.stdout, "utf-8")
    done = rag("recheck", "kept.jsonl", cwd=own)
    assert done.returncode == 0 and "flood.txt: as it was" in done.stdout
    (own / "seeds" / "flood.txt").write_text(
        "Floods hit Valencia\n\nThe evacuation lasted four hours.", "utf-8"
    )
    rag("index", cwd=own)
    done = rag("recheck", "kept.jsonl", cwd=own)
    assert done.returncode == 1 and "no longer says what was cited" in done.stdout


def test_an_answer_found_wrong_is_a_case_that_is_asked_again(own: Path) -> None:
    data = {"CITEWIRE_DATA": str(own / "data")}
    assert (
        rag("cases", "check", cwd=own, **data).stdout
        == 'no answer is kept as wrong; press "Not right?" under one on the page\n'
    )
    asked = "How long did the evacuation of Valencia last?"
    settings = load_settings(own, {}).with_options(seeds=own / "seeds", index=own / "index", model="none")
    assistant = Assistant.open(settings)
    answer = assistant.ask(asked)
    assistant.close()
    id_ = Sessions(own / "data").report(answer, [], "It was four hours.")
    done = rag("cases", cwd=own, **data)
    assert id_ in done.stdout and asked in done.stdout and "reason: It was four hours." in done.stdout
    assert json.loads(rag("cases", "--json", cwd=own, **data).stdout)["answer"]["question"] == asked
    done = rag("cases", "check", "--model", "none", cwd=own, **data)
    assert done.returncode == 1 and "the same again" in done.stdout and "1 of 1" in done.stdout
    (own / "seeds" / "flood.txt").write_text(
        "Floods hit Valencia\n\nThe evacuation of Valencia lasted four hours.", "utf-8"
    )
    rag("index", cwd=own)
    done = rag("cases", "check", "--model", "none", cwd=own, **data)
    assert done.returncode == 0 and "another answer" in done.stdout
    assert rag("cases", "delete", id_, cwd=own, **data).returncode == 0
    assert rag("cases", "delete", id_, cwd=own, **data).returncode == 2


def test_a_corpus_of_its_own_has_articles_and_an_index_of_its_own(own: Path) -> None:
    (own / "corpora" / "sports").mkdir(parents=True)
    (own / "corpora" / "sports" / "cup.txt").write_text(
        "Cup final\n\nThe final in Oslo lasted two hours.", "utf-8"
    )
    assert "1 added" in rag("--corpus", "sports", "index", cwd=own).stdout
    assert rag("--corpus", "sports", "articles", cwd=own).stdout.startswith("cup.txt: Cup final")
    assert "cup.txt" not in rag("articles", cwd=own).stdout


def test_a_folder_is_followed_until_ctrl_c(own: Path) -> None:
    command = [sys.executable, "-u", "-c", "from rag.cli import main; main()", "index", "--watch", "--json"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=own, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["added"] == []
        while "following" not in process.stderr.readline():
            pass
        time.sleep(0.5)
        (own / "seeds" / "vote.txt").write_text("Vote in Oslo\n\nParliament voted on fishing.", "utf-8")
        assert json.loads(process.stdout.readline())["added"] == ["vote.txt"]
        (own / "seeds" / "vote.txt").unlink()
        assert json.loads(process.stdout.readline())["removed"] == ["vote.txt"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["ask", "How long did the evacuation of Valencia last?", "--model", "none"],
        ["ask", "Who paid?", "--then", "Where?", "--model", "none"],
        ["ask", "How long did the evacuation of Valencia last?", "--model", "none", "--json"],
        ["search", "evacuation"],
        ["index"],
        ["index", "--json"],
        ["index", "--check"],
        ["index", "--watch"],
        ["index", "--export", "saved.zip"],
        ["articles"],
        ["articles", "--json"],
        ["recheck", "kept.jsonl"],
        ["cases"],
        ["models"],
        ["eval", "--help"],
        ["mcp"],
    ],
)
def test_where_nobody_reads_a_command_ends_quietly(work: Path, arguments: list[str]) -> None:
    """As in `rag articles | head -1`."""
    answer = {"question": "Why?", "evidence": [{"id": "flood.txt", "version": "1", "text": "x"}]}
    (work / "kept.jsonl").write_text(json.dumps(answer) + "\n", "utf-8")
    asked = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n' if arguments == ["mcp"] else ""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "rag.cli", *arguments],
            cwd=work,
            env={**os.environ, "PYTHONPATH": str(ROOT), "CITEWIRE_DATA": str(work / "data")},
            input=asked,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writing)
    said = [line for line in done.stderr.splitlines() if "━" not in line and "following" not in line]
    assert said == []
    assert done.returncode in (0, 1)


def test_models_are_listed_with_state_and_size(work: Path) -> None:
    done = rag("models", cwd=work)
    assert done.returncode == 0
    assert "minilm" in done.stdout and "ready" in done.stdout and "1117 MB" in done.stdout
