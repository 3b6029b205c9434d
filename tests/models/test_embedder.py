"""The real all-MiniLM-L6-v2 through the embedder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError
from rag.models.embedder import MiniLM
from rag.protocols import Embedder

TEXTS = [
    "The ministers met in Kuala Lumpur for two hours.",
    "A meeting of ministers took place in the Malaysian capital.",
    "Rain.",
    "The striker scored twice in the second half, " * 8,
]


@pytest.fixture(scope="module")
def minilm(minilm_dir: Path) -> MiniLM:
    return MiniLM(minilm_dir, threads=2)


def test_vectors_are_float32_of_length_1_in_the_order_of_the_texts(minilm: MiniLM) -> None:
    embedder: Embedder = minilm
    vectors = embedder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension) == (4, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert embedder.encode([text])[0] @ vector > 0.99999


def test_like_texts_are_nearer_than_unlike_ones(minilm: MiniLM) -> None:
    first, paraphrase, rain, football = minilm.encode(TEXTS)
    assert first @ paraphrase > 0.5 > 0.3 > max(first @ rain, first @ football)


def test_a_vector_is_the_normalised_mean_of_the_token_states(minilm: MiniLM, minilm_dir: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(str(minilm_dir))([TEXTS[0]], return_tensors="pt")
    with torch.inference_mode():
        states = AutoModel.from_pretrained(str(minilm_dir))(**tokens).last_hidden_state[0].numpy()
    mean = states.mean(axis=0)
    assert minilm.encode(TEXTS[:1])[0] @ (mean / np.linalg.norm(mean)) > 0.998, "eight bits cost little"


def test_a_vector_does_not_depend_on_the_texts_beside_it(minilm: MiniLM) -> None:
    alone = minilm.encode(TEXTS[:1])[0]
    for others in (TEXTS, [*TEXTS * 5], ["x", TEXTS[0]], [TEXTS[0], "long " * 300]):
        together = minilm.encode(others)[list(others).index(TEXTS[0])]
        assert alone @ together > 0.99999


def test_no_texts_give_no_rows(minilm: MiniLM) -> None:
    assert minilm.encode([]).shape == (0, 384)


def test_a_text_is_read_up_to_256_tokens_and_no_further(minilm: MiniLM) -> None:
    word = "river "
    short, whole, longer = minilm.encode([word * 200, word * 254, word * 254 + "missile " * 50])
    assert whole @ longer > 0.99999 > short @ whole


def test_threads_may_share_one_embedder(minilm: MiniLM) -> None:
    expected = minilm.encode(TEXTS)
    results: list[bool] = []

    def work() -> None:
        results.extend(np.array_equal(minilm.encode(TEXTS), expected) for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 12


def test_the_fingerprint_names_the_weights_and_loads_nothing(minilm_dir: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.models.embedder import MiniLM; "
        "print(MiniLM(Path(sys.argv[1])).fingerprint, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(minilm_dir)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == "minilm:53aa51172d142c89:be50c362:mean:l2:256:int8w-1 False\n"


def test_loading_is_silent_and_offline(copy: Path, network_attempts: list[str]) -> None:
    """The first time, when the graph is made, and the next time, when it is read: without torch then."""
    code = (
        "import os, sys\n"
        "def tell(event, arguments):\n"
        "    if event.startswith('socket.') and 'new' not in event: print(event, arguments)\n"
        "sys.addaudithook(tell)\n"
        "from pathlib import Path; from rag.models.embedder import MiniLM; "
        "MiniLM(Path(sys.argv[1]), threads=1).encode(['x']); "
        "print('torch' in sys.modules, *(os.environ[v] for v in ('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE')))"
    )
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(copy)}
    command = [sys.executable, "-c", code, str(copy)]
    for torch_loaded in ("True", "False"):
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
        assert (done.stdout, done.stderr) == (f"{torch_loaded} 1 1\n", "")
        assert not (copy / "intel").exists(), "OpenVINO's telemetry left its traces in the home folder"
    MiniLM(copy).load()
    assert network_attempts == []


def test_a_damaged_graph_is_made_again_and_a_folder_that_cannot_be_written_does_without(
    copy: Path, minilm: MiniLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = minilm.encode(TEXTS)
    MiniLM(copy).encode(TEXTS)
    (file,) = copy.glob("openvino-*/model.bin")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert np.allclose(MiniLM(copy).encode(TEXTS), expected, atol=1e-6)
    assert file.read_bytes() != bytes(data)
    shutil.rmtree(file.parent)

    def refuse(**rest: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    assert np.allclose(MiniLM(copy).encode(TEXTS), expected, atol=1e-6)
    assert not list(copy.glob("openvino-*"))


@pytest.fixture
def copy(minilm_dir: Path, tmp_path: Path) -> Path:
    return shutil.copytree(minilm_dir, tmp_path / "minilm", ignore=shutil.ignore_patterns("openvino-*"))


def test_the_fingerprint_changes_with_weights_tokenizer_and_pooling(minilm: MiniLM, copy: Path) -> None:
    seen = {minilm.fingerprint}
    modes = json.loads((copy / "1_Pooling" / "config.json").read_text())
    for name, content in (
        ("model.safetensors", "other weights"),
        ("tokenizer.json", "{}"),
        ("1_Pooling/config.json", json.dumps(modes | {"pooling_mode_cls_token": True})),
    ):
        (copy / name).write_text(content)
        seen.add(MiniLM(copy).fingerprint)
    assert len(seen) == 4


@pytest.mark.parametrize("damage", ["weights cut off", "tokenizer garbled", "settings unreadable"])
def test_a_damaged_model_is_one_clear_line_with_the_next_command(copy: Path, damage: str) -> None:
    if damage == "weights cut off":
        with (copy / "model.safetensors").open("r+b") as file:
            file.truncate(1_000_000)
    elif damage == "tokenizer garbled":
        (copy / "tokenizer.json").write_text("{}")
    else:
        (copy / "config.json").write_text("{")
    with pytest.raises(
        ModelError, match=r"minilm cannot be loaded \(.+\); run: rag models get minilm"
    ) as caught:
        MiniLM(copy).encode(["x"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_file_that_is_gone_is_told_at_once(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match=f"there is no {name}; run: rag models get minilm"):
        MiniLM(copy)
