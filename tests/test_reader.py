"""The reader on its real weights: what it says of hand-written news, the same whatever the batch.

The articles and questions here were written for these tests and are in no training set.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.reader import WEIGHTS, Reader, lay_out

MEETING = (
    "Harbour board members met on Tuesday evening in Kestrel Bay. The meeting lasted about 50 minutes. "
    "Chair Olga Lindqvist said the new ferry terminal would cost $84 million."
)
FIRE = (
    "A fire destroyed a furniture warehouse on the outskirts of Dunmore early Saturday. "
    "Three firefighters were treated for smoke inhalation, fire chief Martin Okafor said."
)
SPORT = (
    "Northgate Rovers beat Ashby Town 3-1 on Sunday. Striker Luca Bianchi scored twice, "
    "his first goals since joining the club in January."
)
ANSWERED = [
    ("How long did the meeting last?", MEETING, "50 minutes"),
    ("How much will the new ferry terminal cost?", MEETING, "84 million"),
    ("Who is the fire chief?", FIRE, "Martin Okafor"),
    ("How many firefighters were treated for smoke inhalation?", FIRE, "Three"),
    ("Who scored twice for Northgate Rovers?", SPORT, "Luca Bianchi"),
]
UNANSWERED = [
    ("Who is the mayor of Dunmore?", FIRE),
    ("How many people live in Kestrel Bay?", MEETING),
    ("What is the capital of Mongolia?", SPORT),
    ("When did Luca Bianchi retire?", SPORT),
    ("What caused the flood in Ashby?", MEETING),
]


@pytest.fixture(scope="module")
def tokenizer_dir(request: pytest.FixtureRequest) -> Path:
    """Folder of the MiniLM tokenizer: the one that the environment names, else the project's own."""
    named = os.environ.get("CITEWIRE_TEST_MINILM")
    return Path(named) if named else Path(request.getfixturevalue("minilm_dir"))


@pytest.fixture(scope="module")
def reader(tokenizer_dir: Path) -> Reader:
    """The real reader, loaded once."""
    return Reader(tokenizer_dir=tokenizer_dir)


def copied_weights(folder: Path) -> Path:
    """A copy of the real weights and their JSON, to be damaged."""
    for suffix in (".safetensors", ".json"):
        shutil.copy(WEIGHTS.with_suffix(suffix), folder)
    return folder / WEIGHTS.name


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, rag.reader; print(sorted({'torch', 'transformers', 'safetensors'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_weights_fit_the_budget() -> None:
    assert WEIGHTS.stat().st_size <= 24_500_000


@pytest.mark.parametrize(("question", "text", "answer"), ANSWERED)
def test_points_at_the_answer(reader: Reader, question: str, text: str, answer: str) -> None:
    reading = reader.read(question, [text])[0]
    assert answer in text[reading.start : reading.end]
    assert reading.end - reading.start <= len(answer) + 20


def test_tells_answered_from_unanswered(reader: Reader) -> None:
    answered = [reader.read(question, [text])[0].answerable for question, text, _ in ANSWERED]
    unanswered = [reader.read(question, [text])[0].answerable for question, text in UNANSWERED]
    assert min(answered) > 0.5 > max(unanswered)


def test_support_falls_when_a_fact_is_changed(reader: Reader) -> None:
    claims = [
        ("The meeting lasted about 50 minutes.", "The meeting lasted about 90 minutes.", MEETING),
        (
            "The new ferry terminal would cost $84 million.",
            "The new ferry terminal would cost $48 million.",
            MEETING,
        ),
        ("Three firefighters were treated.", "Nine firefighters were treated.", FIRE),
        ("Luca Bianchi scored twice.", "Martin Okafor scored twice.", SPORT),
        ("Northgate Rovers beat Ashby Town.", "Northgate Rovers did not beat Ashby Town.", SPORT),
    ]
    true = reader.support([(claim, text) for claim, _, text in claims])
    false = reader.support([(claim, text) for _, claim, text in claims])
    assert all(t > f for t, f in zip(true, false, strict=True))
    assert max(false) < 0.4
    assert sum(true) / len(true) > 0.45


def test_same_figures_in_any_order_and_company(reader: Reader) -> None:
    texts = [MEETING, FIRE, SPORT, MEETING + " " + FIRE, "Short text.", SPORT * 3]
    question = "How many firefighters were treated?"
    together = reader.read(question, texts)
    assert reader.read(question, texts[::-1])[::-1] == together
    assert [reader.read(question, [text])[0] for text in texts] == together
    pairs = [("Three firefighters were treated.", text) for text in texts]
    assert reader.support(pairs[::-1])[::-1] == reader.support(pairs)


def test_offsets_are_characters_of_the_text_given(reader: Reader) -> None:
    texts = [
        "  Zoë Müller — 41 — won the “Prix d’Été” in Genève on 3 March.  ",
        "東京 The minister, José Ångström, resigned 🎉 on Friday.",
        "x" * 20_000,
        "word " * 5_000,
    ]
    for text, reading in zip(texts, reader.read("Who won the prize?", texts), strict=True):
        assert 0 <= reading.start < reading.end <= len(text)
        assert 0.0 <= reading.answerable <= 1.0
        assert 0.0 <= reading.span <= 1.0
        assert text[reading.start : reading.end].strip()


def test_texts_without_a_word_answer_and_support_nothing(reader: Reader) -> None:
    for reading in reader.read("Who won?", ["", "   \n"]):
        assert (reading.answerable, reading.start, reading.end, reading.span) == (0.0, 0, 0, 0.0)
    assert reader.support([("Someone won.", "")]) == [0.0]
    assert reader.read("Who won?", []) == []
    assert reader.support([]) == []


def test_long_question_and_empty_question_are_read(reader: Reader) -> None:
    for question in ("", "why " * 4_000):
        assert 0.0 <= reader.read(question, [FIRE])[0].answerable <= 1.0


def test_special_token_text_is_read_without_moving_offsets(reader: Reader) -> None:
    text = "[CLS] [SEP] The vote was 7-2, clerk Ann Moore said. [PAD]"
    reading = reader.read("Who said the vote was 7-2?", [text])[0]
    assert 0 <= reading.start < reading.end <= len(text)


def test_layout_marks_what_question_and_text_share() -> None:
    ids, segments = lay_out([10, 11, 12], [11, 20], cls=1, sep=2, dull={10})
    assert ids == [1, 10, 11, 12, 2, 11, 20, 2]
    assert segments == [0, 0, 0, 2, 0, 3, 1, 1]


def test_damaged_weights_are_refused(tmp_path: Path, tokenizer_dir: Path) -> None:
    weights = copied_weights(tmp_path)
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelError, match=r"reader\.safetensors.*SHA-256.*Restore"):
        Reader(weights, tokenizer_dir=tokenizer_dir).read("Who?", [FIRE])


def test_missing_weights_are_refused(tmp_path: Path, tokenizer_dir: Path) -> None:
    weights = copied_weights(tmp_path)
    weights.unlink()
    with pytest.raises(ModelError, match=r"reader\.safetensors cannot be read"):
        Reader(weights, tokenizer_dir=tokenizer_dir).read("Who?", [FIRE])


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 1}'])
def test_damaged_settings_are_refused(tmp_path: Path, tokenizer_dir: Path, content: str) -> None:
    weights = copied_weights(tmp_path)
    weights.with_suffix(".json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"reader\.json"):
        Reader(weights, tokenizer_dir=tokenizer_dir)


def test_another_format_is_refused(tmp_path: Path, tokenizer_dir: Path) -> None:
    weights = copied_weights(tmp_path)
    settings = weights.with_suffix(".json")
    settings.write_text(
        json.dumps(json.loads(settings.read_text(encoding="utf-8")) | {"format": 99}), encoding="utf-8"
    )
    with pytest.raises(ModelError, match="format 99"):
        Reader(weights, tokenizer_dir=tokenizer_dir)


def test_missing_or_foreign_tokenizer_is_refused(tmp_path: Path, tokenizer_dir: Path) -> None:
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing"):
        Reader(tokenizer_dir=tmp_path).read("Who?", [FIRE])
    changed = json.loads((tokenizer_dir / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = changed["model"]["vocab"]
    vocabulary["the"], vocabulary["of"] = vocabulary["of"], vocabulary["the"]
    for content in (json.dumps(changed), "{", "[]"):
        (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
        with pytest.raises(ModelError, match="not the tokenizer of all-MiniLM-L6-v2"):
            Reader(tokenizer_dir=tmp_path).read("Who?", [FIRE])


def test_fingerprint_needs_no_loading(reader: Reader, tokenizer_dir: Path) -> None:
    digest = json.loads(WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]
    assert digest[:16] in Reader(tokenizer_dir=tokenizer_dir).fingerprint
