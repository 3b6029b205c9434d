"""OpenVINO for both encoders: the library without its telemetry, 8-bit weights, and graphs cached on disk.

It knows graphs and files, not what a network is for. Importing it loads nothing heavy.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_GRAPH_FILES = ("model.bin", "model.xml")


def library() -> Any:
    """The library without its telemetry, which would report each import over the network."""
    # The import of the telemetry then fails, and the library uses a stub.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def quantized(values: Any) -> tuple[Any, Any]:
    """A matrix (rows, columns), float32, as integers from -127 to 127 and one scale per row, (rows, 1)."""
    import numpy as np

    scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / 127
    return np.clip(np.rint(values / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def kept(folder: Path, make: Callable[[], Any]) -> Any:
    """The graph in `folder` if it is intact; else the result of `make`, which is stored there where the disk allows it."""
    openvino = library()
    file, hashes = folder / "model.xml", folder / "sha256.json"
    try:
        if json.loads(hashes.read_text("utf-8")) == {n: sha256(folder / n) for n in _GRAPH_FILES}:
            return openvino.Core().read_model(str(file))
    except (OSError, ValueError, RuntimeError):
        pass  # missing or damaged: it is made again
    model = make()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix="openvino-partial-", dir=folder.parent))
    except OSError:
        return model  # the folder cannot be written, so every process makes its own graph
    try:
        openvino.save_model(model, str(partial / "model.xml"), compress_to_fp16=False)
        found = {n: sha256(partial / n) for n in _GRAPH_FILES}
        (partial / hashes.name).write_text(json.dumps(found), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except (OSError, RuntimeError):  # a full disk, or another process was first
        shutil.rmtree(partial, ignore_errors=True)
    return model
