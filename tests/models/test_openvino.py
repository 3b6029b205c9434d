"""Graphs kept on disk, and weights in 8 bits, for both encoders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.models import openvino

pytestmark = pytest.mark.model


def made() -> Any:
    """A graph that doubles a number, and adds a constant that is large enough to be kept as a weight."""
    openvino.library()
    from openvino import Model, opset13

    x = opset13.parameter([1], np.float32, name="x")
    calls.append("made")
    return Model(
        [opset13.result(opset13.add(opset13.multiply(x, np.float32(2)), np.ones(64, np.float32)))], [x], "g"
    )


calls: list[str] = []


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    calls.clear()


def doubled(graph: Any) -> float:
    return float(openvino.library().Core().compile_model(graph, "CPU")(np.array([3.0], np.float32))[0][0])


def test_a_graph_is_made_once_and_read_from_the_folder_after(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "graph"
    assert doubled(openvino.kept(folder, made)) == 7
    assert doubled(openvino.kept(folder, made)) == 7
    assert calls == ["made"]
    assert [p.name for p in folder.parent.iterdir()] == ["graph"], "nothing half done is left"


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: flip(folder / "model.bin"),
        lambda folder: flip(folder / "model.xml"),
        lambda folder: (folder / "model.bin").unlink(),
        lambda folder: (folder / "sha256.json").write_text("{"),
        lambda folder: (folder / "sha256.json").unlink(),
    ],
    ids=["weights", "layout", "weights gone", "hashes cut off", "hashes gone"],
)
def test_a_damaged_graph_is_made_again_and_kept(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    folder = tmp_path / "graph"
    openvino.kept(folder, made)
    damage(folder)
    assert doubled(openvino.kept(folder, made)) == 7
    openvino.kept(folder, made)
    assert calls == ["made", "made"]


def test_where_the_disk_cannot_be_written_the_graph_is_made_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("")
    assert doubled(openvino.kept(tmp_path / "a-file" / "graph", made)) == 7

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(openvino.library(), "save_model", full)
    assert doubled(openvino.kept(tmp_path / "graph", made)) == 7
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-file"]


def test_an_error_of_the_maker_is_not_swallowed(tmp_path: Path) -> None:
    def broken() -> Any:
        raise ValueError("no weights")

    with pytest.raises(ValueError, match="no weights"):
        openvino.kept(tmp_path / "graph", broken)
    assert list(tmp_path.iterdir()) == []


def test_eight_bits_lose_half_a_step_of_each_row_at_most() -> None:
    values = np.random.default_rng(5).normal(size=(4, 32)).astype(np.float32) * [[1], [100], [0.01], [0]]
    whole, scale = openvino.quantized(values.astype(np.float32))
    assert whole.dtype == np.int8 and scale.shape == (4, 1) and scale.dtype == np.float32
    assert np.all(np.abs(whole * scale - values) <= scale * 0.5001)
    assert np.all(whole[3] == 0), "a row of zeros stays one"
    assert np.abs(whole[:3]).max(axis=1).tolist() == [127, 127, 127]


def test_the_library_is_loaded_without_what_reports_its_use() -> None:
    code = (
        "import sys; from rag.models import openvino; print('openvino' in sys.modules); openvino.library(); "
        "print('openvino' in sys.modules, sys.modules['openvino_telemetry'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\nTrue None\n"
