"""The figures of README and docs: what stands there is what was measured."""

from __future__ import annotations

import json

import pytest

from eval.cases import EvalError
from eval.compare.figures import (
    BEGIN,
    BENCHMARKS,
    END,
    FIGURES,
    README,
    SCHEMA,
    to_block,
    to_summary,
    with_block,
    with_others,
)

RATE = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 4}
MADE = {
    "schema": SCHEMA,
    "about": {"model": "default", "machine": "2 cores", "date": "2026-11-25"},
    "rows": [{"system": "citewire", "label": "Citewire", "measures": {"accuracy": RATE}, "difference": None}],
    "outside": [
        {
            "set": "squad2",
            "published": "GPT-9 0.99",
            "systems": [
                {"system": "quotes", "label": "quotes", "measures": {"accuracy": RATE}, "difference": None},
                {
                    "system": "quotes-without-decide",
                    "label": "quotes only, without the decision",
                    "measures": {"accuracy": RATE},
                    "difference": {"value": -0.1, "low": -0.2, "high": 0.0, "n": 4},
                },
                {"system": "plain-rag", "label": "plain RAG", "measures": {}, "difference": None},
            ],
        },
    ],
}


def test_the_block_tells_each_row_with_interval_and_count_and_what_others_published() -> None:
    block = to_block(MADE)
    assert "| Citewire | 0.50 (0.25 to 0.75; 4) | – |" in block
    assert "Model: default. 2 cores; 2026-11-25" in block
    assert "| public sets, report halves | quotes | plain RAG | published by others |" in block
    assert "| SQuAD 2.0: accuracy | 0.50 (0.25 to 0.75; 4) | – | GPT-9 0.99 |" in block


def test_the_block_tells_on_public_sets_what_each_stage_is_worth() -> None:
    assert "| without the decision | −0.10 (−0.20 to +0.00; 4) |" in to_block(MADE)


def test_only_what_stands_between_the_marks_changes() -> None:
    text = f"a\n{BEGIN}\nold\n{END}\nb\n"
    assert with_block(text, "new") == f"a\n{BEGIN}\nnew\n{END}\nb\n"
    assert with_block(f"a\n{BEGIN}\n{END}\nb\n", "new") == f"a\n{BEGIN}\nnew\n{END}\nb\n"
    with pytest.raises(EvalError, match="marks"):
        with_block("a", "new")


def test_the_readme_tells_of_each_system_what_was_measured_and_a_dash_where_nothing_was() -> None:
    summary = to_summary(MADE)
    assert summary.startswith("| | Citewire |\n|---|---|\n")
    assert "| right answers, own set | 0.50 (0.25 to 0.75; 4) |" in summary
    assert "| citations right | – |" in summary
    assert "2 cores; 2026-11-25; `make figures DATA=…`" in summary


def test_readme_and_docs_tell_what_was_measured() -> None:
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    assert figures["schema"] == SCHEMA
    for page, block in ((README, to_summary(figures)), (BENCHMARKS, to_block(figures))):
        text = page.read_text(encoding="utf-8")
        assert with_block(text, block) == text, page.name


def test_other_programs_that_were_not_asked_again_keep_their_row_and_its_date() -> None:
    def row(system: str) -> dict[str, object]:
        return {"system": system, "label": system, "measures": {"accuracy": RATE}, "difference": RATE}

    before = {
        "about": {"date": "2026-01-02"},
        "rows": [row("citewire"), row("without-grammar"), row("plain-rag")],
    }
    after = with_others({**MADE, "rows": [row("citewire")]}, before)
    assert [(r["system"], r.get("date")) for r in after["rows"]] == [
        ("citewire", None),
        ("plain-rag", "2026-01-02"),
    ]
    assert after["rows"][1]["difference"] is None
    assert "| plain-rag (2026-01-02) | 0.50 (0.25 to 0.75; 4) |" in to_block(after)
    assert "plain RAG, same model (2026-01-02)" in to_summary(after)
    again = with_others({**MADE, "rows": [row("citewire")]}, after)
    assert again["rows"][1]["date"] == "2026-01-02"
