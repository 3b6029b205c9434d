"""Quality: the latest report that can be read, and nothing made up where there is none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rag.ui.quality import Figure, latest, quality_html, read_report

RATE = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}
RIGHT = {"wrong_asserted": False, "correct": True, "refused": False}
WRONG = {"wrong_asserted": True, "correct": False, "refused": False}
REPORT = {
    "schema": "citewire.eval-report/1",
    "about": ["112 questions", "<script>x</script>"],
    "measures": [
        {"name": "accuracy", "rate": RATE, "unit": "share", "over": "answerable"},
        {"name": "time to end, p50", "rate": RATE, "unit": "s", "over": "timed"},
        {"name": "EM", "rate": RATE, "unit": "share", "over": "answerable"},
        {"name": "conflict", "rate": {"value": 0, "low": 0, "high": 0, "n": 0}, "unit": "share", "over": ""},
    ],
    "kinds": [{"name": "count", "rate": RATE, "unit": "share", "over": "count"}],
    "risk_coverage": [
        {"coverage": 0.1, "accuracy": 1.0, "sureness": 1},
        {"coverage": 1.0, "accuracy": 0.5, "sureness": None},
    ],
    "questions": [
        {"question": "Right?", "said": "Yes.", "judgement": RIGHT},
        {"question": "Wrong <b>?", "said": "No.", "judgement": WRONG},
    ],
}


def keep(folder: Path, name: str, text: str, age_s: float = 0) -> Path:
    file = folder / name / "report.json"
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    at = file.stat().st_mtime - age_s
    os.utime(file, (at, at))
    return file


def test_the_newest_report_is_shown_with_its_main_figures_and_wrong_answers(tmp_path: Path) -> None:
    keep(tmp_path, "old", json.dumps(REPORT | {"about": ["old"]}), 100)
    keep(tmp_path, "broken", "{", 10)
    keep(tmp_path, "new", json.dumps(REPORT), 50)
    report = latest(tmp_path)
    assert report is not None and report.about[0] == "112 questions"
    assert [f.name for f in report.figures] == ["accuracy", "time to end, p50"]
    assert report.figures[0] == Figure("accuracy", 0.5, 0.4, 0.6, 10, "share")
    assert report.wrong == (("Wrong <b>?", "No."),) and report.curve[-1] == (1.0, 0.5)
    shown = quality_html(report)
    assert "0.50" in shown and "0.40–0.60 (10)" in shown and "0.5 s" in shown and "<polyline" in shown
    assert "<script>" not in shown and "Wrong &lt;b&gt;?" in shown


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "other"}', json.dumps(REPORT | {"measures": [{}]})]
)
def test_what_is_no_report_is_none(tmp_path: Path, text: str) -> None:
    assert read_report(keep(tmp_path, "x", text)) is None


def test_where_nothing_was_measured_the_page_says_how_to(tmp_path: Path) -> None:
    assert latest(tmp_path / "nowhere") is None
    assert "make eval" in quality_html(None)
