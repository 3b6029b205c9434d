"""The reader on its real weights: what must hold for any good ones, and that its graph is the network that was trained.

The articles and questions here were written for these tests and are in no training set.
"""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ModelError
from rag.models import openvino
from rag.models.reader import ADAPTER, FORMAT, MAX_TOKENS, MPNetReader, claim_of, groups
from rag.models.reader_graph import build

MEETING = (
    "Harbour board meets (4 March 2025): Harbour board members met on Tuesday evening in Kestrel Bay. The meeting "
    "lasted about 50 minutes. Chair Olga Lindqvist said the new ferry terminal would cost $84 million."
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


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the readers of these tests keep the graph that the first of them makes."""
    return tmp_path_factory.mktemp("reader-cache")


@pytest.fixture(scope="module")
def reader(reader_dir: Path, cache: Path) -> MPNetReader:
    return MPNetReader(lambda: reader_dir, cache, threads=1)


# What must hold for any good weights


@pytest.mark.parametrize(("question", "text", "answer"), ANSWERED)
def test_it_points_at_the_words_that_answer(
    reader: MPNetReader, question: str, text: str, answer: str
) -> None:
    (reading,) = reader.read(question, [text])
    assert answer in text[reading.start : reading.end]
    assert reading.end - reading.start <= len(answer) + 20


@pytest.mark.parametrize(("question", "text", "answer"), ANSWERED)
def test_the_text_that_answers_is_surer_than_another(
    reader: MPNetReader, question: str, text: str, answer: str
) -> None:
    right, *others = reader.read(question, [text, *({MEETING, FIRE, SPORT} - {text})])
    assert right.answerable > max(o.answerable for o in others)


@pytest.mark.parametrize(
    ("question", "true", "changed", "text"),
    [
        (
            "How long did the meeting last?",
            "It lasted about 50 minutes.",
            "It lasted about 90 minutes.",
            MEETING,
        ),
        ("Who was treated?", "Three firefighters were treated.", "Nine firefighters were treated.", FIRE),
        ("Who scored twice?", "Luca Bianchi scored twice.", "Martin Okafor scored twice.", SPORT),
    ],
)
def test_support_falls_when_a_fact_is_changed(
    reader: MPNetReader, question: str, true: str, changed: str, text: str
) -> None:
    told, untold = reader.support([(claim_of(question, c), text) for c in (true, changed)])
    assert told.supported > untold.supported
    for judged in (told, untold):
        assert judged.supported + judged.refuted + judged.not_stated == pytest.approx(1, abs=0.001)


# What must hold for any weights


def test_figures_do_not_depend_on_order_and_company(reader: MPNetReader) -> None:
    texts = [MEETING, FIRE, SPORT, f"{MEETING} {FIRE}", "Short text.", SPORT * 3]
    question = "How many firefighters were treated?"
    together = reader.read(question, texts)
    back = reader.read(question, texts[::-1])[::-1]
    alone = [reader.read(question, [text])[0] for text in texts]
    for other in (back, alone):
        assert [r.answerable for r in other] == pytest.approx([r.answerable for r in together], abs=0.02)
    pairs = [("Three firefighters were treated.", text) for text in texts]
    forth, again = reader.support(pairs), reader.support(pairs[::-1])[::-1]
    assert [s.supported for s in forth] == pytest.approx([s.supported for s in again], abs=0.02)


def test_offsets_are_characters_of_the_window_given(reader: MPNetReader) -> None:
    texts = [
        "  Zoë Müller — 41 — won the “Prix d’Été” in Genève on 3 March.  ",
        "東京 The minister, José Ångström, resigned 🎉 on Friday.",
        "<s> [SEP] The vote was 7-2, clerk Ann Moore said. </s> <pad>",
        "half a pair \ud83d of surrogates",
        "x" * 20_000,
        "word " * 5_000,
    ]
    for text, reading in zip(texts, reader.read("Who won the prize?", texts), strict=True):
        assert 0 <= reading.start < reading.end <= len(text)
        assert 0.0 <= reading.answerable <= 1.0
        assert text[reading.start : reading.end].strip()


def test_windows_without_a_word_answer_and_state_nothing(reader: MPNetReader) -> None:
    for reading in reader.read("Who won?", ["", "   \n"]):
        assert (reading.answerable, reading.start, reading.end) == (0.0, 0, 0)
    (judged,) = reader.support([("Someone won.", "")])
    assert (judged.supported, judged.refuted, judged.not_stated) == (0.0, 0.0, 1.0)
    assert reader.read("Who won?", []) == [] and reader.support([]) == []


@pytest.mark.parametrize("question", ["", "why " * 4_000, "\ud83d"])
def test_odd_questions_are_read_and_never_push_the_window_out(reader: MPNetReader, question: str) -> None:
    (reading,) = reader.read(question, [FIRE])
    assert 0 <= reading.start < reading.end <= len(FIRE)


def test_threads_may_share_one_reader(reader: MPNetReader) -> None:
    expected = reader.read("Who is the fire chief?", [FIRE, SPORT])
    results: list[bool] = []

    def work() -> None:
        results.append(reader.read("Who is the fire chief?", [FIRE, SPORT]) == expected)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4


@given(st.lists(st.integers(min_value=3, max_value=MAX_TOKENS), max_size=40))
def test_pairs_are_read_in_batches_of_like_length_each_once(lengths: list[int]) -> None:
    made = groups(lengths)
    assert sorted(i for group in made for i in group) == list(range(len(lengths)))
    for group in filter(None, made):
        longest, shortest = max(lengths[i] for i in group), min(lengths[i] for i in group)
        assert len(group) == 1 or (len(group) * longest <= 1536 and longest <= 1.25 * shortest)


def test_the_claim_of_a_statement_is_question_and_statement() -> None:
    assert claim_of("Who won?", "Ann did.") == "Who won? Ann did."
    assert claim_of("", "Ann won.") == "Ann won."


# The graph is the network

CONFIG = {  # of all-mpnet-base-v2: the product needs none, the training network does
    "model_type": "mpnet",
    "vocab_size": 30527,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "max_position_embeddings": 514,
    "relative_attention_num_buckets": 32,
    "layer_norm_eps": 1e-05,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}


def test_the_graph_computes_what_the_training_network_does_within_rounding(
    reader_dir: Path, tmp_path: Path
) -> None:
    import torch
    from tokenizers import Tokenizer

    from training.network import ReaderNet

    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "model.safetensors").symlink_to(reader_dir / "model.safetensors")
    tokenizer: Any = Tokenizer.from_file(str(reader_dir / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pairs = [("How long did the meeting last?", MEETING), ("claim: Who won? Ann did.", "It rained in Oslo.")]
    coded = [tokenizer.encode(*p).ids for p in pairs]
    assert len(coded[0]) > 2 * len(coded[1]), "so that the second one is padded"
    ids = np.full((2, len(coded[0])), 1, dtype=np.int64)
    for row, some in zip(ids, coded, strict=True):
        row[: len(some)] = some
    present = ids != 1

    network = ReaderNet(tmp_path)
    network.load(ADAPTER)
    network.enc.float()
    with torch.inference_mode():
        found = network(torch.from_numpy(ids), torch.from_numpy(present).long())
    wanted_ends, wanted_heads = (t.numpy() for t in found)
    graph = build(reader_dir / "model.safetensors", ADAPTER.read_bytes())
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    ends, heads = openvino.library().Core().compile_model(graph, "CPU", settings)(ids).to_tuple()

    def apart(one: Any, other: Any) -> float:
        return float(np.linalg.norm(one - other) / np.linalg.norm(other))

    for at in (0, 1):
        assert apart(ends[at][present[at]], wanted_ends[at][present[at]]) < 0.12
        assert apart(heads[at], wanted_heads[at]) < 0.12


def test_weights_of_another_shape_are_refused(reader_dir: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save, save_file

    (tmp_path / "garbage").write_bytes(b"\xff" * 100)
    save_file({"x": np.zeros(3, np.float32)}, tmp_path / "other")
    for name in ("garbage", "other", "absent"):
        with pytest.raises(
            ModelError, match=r"the reader's weights in .* cannot be used .*rag models get reader"
        ):
            build(tmp_path / name, save({"x": np.zeros(3, np.float32)}))


# What it says when something is wrong


def copied(folder: Path, **changes: object) -> Path:
    """A copy of the adapter and its JSON, with other values in the JSON."""
    shutil.copy(ADAPTER, folder)
    row = json.loads(ADAPTER.with_suffix(".json").read_text("utf-8")) | changes
    (folder / ADAPTER.with_suffix(".json").name).write_text(json.dumps(row), "utf-8")
    return folder / ADAPTER.name


def test_scores_become_probabilities_by_the_settings_beside_the_adapter(
    reader_dir: Path, cache: Path, tmp_path: Path
) -> None:
    def judged(constant: float, *supports: float) -> tuple[float, list[float]]:
        adapter = copied(tmp_path, answerable=[0, 0, constant], support=[0, *supports])
        other = MPNetReader(lambda: reader_dir, cache, adapter, threads=1)
        (reading,), (support,) = other.read("Who?", [FIRE]), other.support([("Ann.", FIRE)])
        return reading.answerable, [support.supported, support.refuted, support.not_stated]

    assert judged(0, 9, 0, 0) == (0.5, pytest.approx([1, 0, 0], abs=0.001))
    assert judged(99, 0, 9, 0) == (1.0, pytest.approx([0, 1, 0], abs=0.001))


@pytest.mark.parametrize("question", ["Did Ann resign?", "did ann resign"])
def test_a_question_with_a_yes_has_settings_of_its_own(
    reader_dir: Path, cache: Path, tmp_path: Path, question: str
) -> None:
    adapter = copied(tmp_path, support=[0, 9, 0, 0], yes_no=[0, 0, 9, 0])
    other = MPNetReader(lambda: reader_dir, cache, adapter, threads=1)
    asked, plain = other.support([(claim_of(question, "Yes."), FIRE), (claim_of(question, "She did."), FIRE)])
    assert asked.refuted > 0.99 and plain.supported > 0.99


def test_a_damaged_adapter_is_one_line_that_says_to_install_anew(reader_dir: Path, tmp_path: Path) -> None:
    adapter = copied(tmp_path)
    data = bytearray(adapter.read_bytes())
    data[len(data) // 2] ^= 1
    adapter.write_bytes(data)
    broken = MPNetReader(lambda: reader_dir, tmp_path / "cache", adapter)
    with pytest.raises(
        ModelError, match=r"reader\.safetensors is damaged: .*SHA-256.*; install Citewire anew"
    ):
        broken.read("Who?", [FIRE])
    adapter.unlink()
    with pytest.raises(ModelError, match=r"reader\.safetensors cannot be read .*; install Citewire anew"):
        broken.support([("Ann.", FIRE)])


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"format": 1}', f'{{"format": {FORMAT}, "answerable": [1]}}', None]
)
def test_a_damaged_calibration_is_one_line_that_says_to_install_anew(
    tmp_path: Path, content: str | None
) -> None:
    adapter = copied(tmp_path)
    if content is None:
        adapter.with_suffix(".json").unlink()
    else:
        adapter.with_suffix(".json").write_text(content, "utf-8")
    broken = MPNetReader(lambda: tmp_path, tmp_path / "cache", adapter)
    with pytest.raises(ModelError, match=r"reader\.json cannot be read .*; install Citewire anew"):
        broken.read("Who?", [FIRE])


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_missing_file_of_the_base_model_is_told_with_the_next_command(
    reader_dir: Path, tmp_path: Path, name: str
) -> None:
    for file in {"model.safetensors", "tokenizer.json"} - {name}:
        (tmp_path / file).symlink_to(reader_dir / file)
    with pytest.raises(ModelError, match=f"no {name}; run: rag models get reader"):
        MPNetReader(lambda: tmp_path, tmp_path / "cache").load()


def test_a_damaged_file_of_the_base_model_is_told_with_the_next_command(
    reader_dir: Path, tmp_path: Path
) -> None:
    weights, tokenizer = tmp_path / "model.safetensors", tmp_path / "tokenizer.json"
    weights.write_bytes(b"\xff" * 1000)
    tokenizer.symlink_to(reader_dir / "tokenizer.json")
    with pytest.raises(
        ModelError, match="the reader's base model in .* is damaged; run: rag models get reader"
    ):
        MPNetReader(lambda: tmp_path, tmp_path / "cache").load()
    tokenizer.unlink()
    tokenizer.write_text("{")
    with pytest.raises(ModelError, match="tokenizer in .* cannot be read .*; run: rag models get reader"):
        MPNetReader(lambda: tmp_path, tmp_path / "cache").load()


def test_a_damaged_graph_is_made_again_from_the_base(
    reader: MPNetReader, reader_dir: Path, cache: Path
) -> None:
    expected = reader.read("Who is the fire chief?", [FIRE])
    (file,) = cache.glob("*/model.bin")
    with file.open("r+b") as weights:
        weights.seek(file.stat().st_size // 2)
        weights.write(b"\xff" * 9)
    again = MPNetReader(lambda: reader_dir, cache, threads=1).read("Who is the fire chief?", [FIRE])
    assert again == expected


def test_the_fingerprint_names_the_adapter_and_needs_no_base(tmp_path: Path) -> None:
    def absent() -> Path:
        raise ModelError("not here")

    digest = json.loads(ADAPTER.with_suffix(".json").read_text("utf-8"))["adapter_sha256"]
    reader = MPNetReader(absent, tmp_path)
    assert digest[:16] in reader.fingerprint
    with pytest.raises(ModelError, match="not here"):
        reader.read("Who?", [FIRE])
    assert list(tmp_path.iterdir()) == []
