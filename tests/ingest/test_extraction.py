"""Extraction: the process that reads foreign formats may hang or die, and nothing else does."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from rag.ingest.formats import Document, Limits, Refused
from rag.ingest.sandbox import Extractor
from tests.ingest.test_formats import PICTURE, pdf_pages


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps({"id": n, "text": f"Row {n}."}) for n in range(5)), "utf-8")
    return file


def test_a_file_is_read_in_another_process_which_serves_the_next_one_too(rows: Path) -> None:
    with Extractor() as extractor:
        first = list(extractor.extract(rows, "rows.jsonl"))
        process = extractor._process
        second = list(extractor.extract(rows, "rows.jsonl"))
        assert extractor._process is process and process is not None
    assert first == second == [Document(str(n), f"Row {n}.") for n in range(5)]
    assert process.poll() is not None, "it ends with the extractor"


def test_a_path_from_the_working_folder_is_found(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rows.parent)
    with Extractor() as extractor:
        assert len(list(extractor.extract(Path("rows.jsonl"), "rows.jsonl"))) == 5


def test_names_and_limits_reach_the_other_process(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps([{"Inhalt": "Words."}, {"Inhalt": "x" * 200}]), "utf-8")
    with Extractor({"text": "inhalt"}, Limits(text=100)) as extractor:
        first, second = extractor.extract(file, "a.json")
    assert first == Document("1", "Words.")
    assert isinstance(second, Refused) and "longer" in second.reason


def test_a_reader_that_is_killed_is_named_and_the_next_file_is_read(rows: Path) -> None:
    with Extractor() as extractor:
        list(extractor.extract(rows, "rows.jsonl"))
        assert extractor._process is not None
        os.kill(extractor._process.pid, signal.SIGSTOP)  # so that it dies in the middle of its work
        threading.Timer(0.2, os.kill, (extractor._process.pid, signal.SIGKILL)).start()
        (found,) = extractor.extract(rows, "rows.jsonl")
        assert isinstance(found, Refused) and "SIGKILL" in found.reason
        assert len(list(extractor.extract(rows, "rows.jsonl"))) == 5


def test_a_reader_that_hangs_is_stopped(rows: Path) -> None:
    with Extractor(idle_s=0.5) as extractor:
        list(extractor.extract(rows, "rows.jsonl"))
        assert extractor._process is not None
        os.kill(extractor._process.pid, signal.SIGSTOP)
        started = time.monotonic()
        (found,) = extractor.extract(rows, "rows.jsonl")
        assert isinstance(found, Refused) and "too long" in found.reason
        assert time.monotonic() - started < 5
        assert len(list(extractor.extract(rows, "rows.jsonl"))) == 5


def test_half_a_character_never_breaks_the_wire(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "half \\ud800 of one"}\n{"text": "Good."}', "utf-8")
    with Extractor() as extractor:
        first, second = extractor.extract(file, "a.jsonl")
    assert isinstance(first, Refused) and second == Document("2", "Good.")


def test_what_is_left_half_read_does_not_answer_the_next_question(rows: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"text": "Other."}', "utf-8")
    with Extractor() as extractor:
        reading = extractor.extract(rows, "rows.jsonl")
        next(reading)
        assert isinstance(reading, Generator)
        reading.close()
        assert list(extractor.extract(other, "other.json")) == [Document("", "Other.")]


def test_a_file_whose_pages_take_long_is_read_as_long_as_each_gives_a_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tesseract"
    program.write_text(
        "#!/bin/sh\n[ $1 = --list-langs ] && printf 'List:\\neng\\n' && exit\ncat > /dev/null\nsleep 0.7\necho A page of words.\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    file = tmp_path / "scan.pdf"
    file.write_bytes(pdf_pages([PICTURE] * 4))
    with Extractor(idle_s=2.0) as extractor:
        list(extractor.extract(tmp_path / "none.pdf", "none.pdf"))  # so that it has started
        (found,) = extractor.extract(file, "scan.pdf")
        assert isinstance(found, Document) and found.text.count("A page of words.") == 4
    with Extractor(idle_s=0.3) as extractor:
        (late,) = extractor.extract(file, "scan.pdf")
        assert isinstance(late, Refused) and "too long" in late.reason
