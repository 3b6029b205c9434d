"""The protocol between the model process and its clients: one JSON object per line, over a Unix socket in a private folder.

This module has the values, reads and writes them, and makes the folder. It knows neither the model nor the queue.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

from rag.errors import ModelError
from rag.protocols import Prompt, Segment

_PARTS = ("llama_protocol.py", "llama_engine.py", "llama_process.py")
# Distinguishes processes of different versions, which never share a model.
VERSION = hashlib.sha256(b"".join(Path(__file__).with_name(n).read_bytes() for n in _PARTS)).hexdigest()[:16]
MAX_LINE_BYTES = 1_000_000  # a prompt is about 10 kB
MAX_TOKENS = 4096  # of one answer


class WireError(ValueError):
    """A line that the protocol does not allow."""


@dataclass(frozen=True, slots=True)
class Request:
    """The one line that a client sends.

    `op`: "generate"; "hold" (keep the process while connected); "retire" (serve those who came before, then end). Another
    version sends "retire" when it needs the memory, so its meaning must never change.
    """

    op: str = ""
    model: str = ""
    context_tokens: int = 0
    threads: int = 0
    prompt: Prompt = ()
    grammar: str = ""
    max_tokens: int = 0
    deadline_s: float = 0.0
    keep_alive_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """The cost of one call. Tokens of the prompt = read + reused; times are in seconds."""

    read_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    waiting_s: float = 0.0  # for other questions, and for the model to load


@dataclass(frozen=True, slots=True)
class Reply:
    """A line from the model process.

    `kind`: "hello" (text: version, number: process id), "waiting" (number: how many are before), "started", "text", "done"
    (stats), "model" and "generation" (the two kinds of error, with their text).
    """

    kind: str = ""
    text: str = ""
    number: int = 0
    stats: GenerationStats = GenerationStats()


Value = TypeVar("Value", Request, Reply, GenerationStats, Segment)


def to_line(value: Request | Reply) -> bytes:
    """One line of JSON, ASCII only."""
    return json.dumps(asdict(value)).encode("ascii") + b"\n"


def _read(kind: type[Value], table: object, **ready: object) -> Value:
    """A `kind` from a JSON object: known names only, each with its type. A missing name has its default."""
    if not isinstance(table, dict):
        raise WireError(f"not a {kind.__name__}")
    known = {f.name: f for f in fields(kind)}
    values = dict(ready)
    for name, value in table.items():
        if name in ready:
            continue
        expected = known[name].type if name in known else None
        if expected == "float" and type(value) in (int, float) and math.isfinite(value):
            values[name] = float(value)
        elif expected == type(value).__name__ and expected in ("str", "int", "bool"):
            values[name] = value
        else:
            raise WireError(f"{kind.__name__}: {str(name)[:40]} is not expected or not of its type")
    try:
        return kind(**values)  # type: ignore[arg-type]
    except TypeError as error:
        raise WireError(str(error)) from None


def _table(line: bytes) -> dict[str, object]:
    try:
        table = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not a line of JSON ({type(error).__name__})") from None
    if not isinstance(table, dict):
        raise WireError("not a JSON object")
    return table


def read_request(line: bytes) -> Request:
    """The request in `line`. Raises `WireError` when it is not one that can be served."""
    table = _table(line)
    if table.get("op") == "retire":  # from any version; other fields are ignored
        return Request("retire")
    prompt = table.get("prompt", [])
    if not isinstance(prompt, list):
        raise WireError("the prompt is not a list")
    request = _read(Request, table, prompt=tuple(_read(Segment, item) for item in prompt))
    if request.op not in ("generate", "hold"):
        raise WireError(f"unknown request {request.op[:40]!r}")
    for name, low, high in (
        ("context_tokens", 256, 131_072),
        ("threads", 1, 256),
        ("max_tokens", 0, MAX_TOKENS),
        ("deadline_s", 0, 86_400),
        ("keep_alive_s", 0, 86_400),
    ):
        if not low <= getattr(request, name) <= high:
            raise WireError(f"{name} = {getattr(request, name)} is out of range ({low} to {high})")
    if "\0" in request.grammar or "\0" in request.model:
        raise WireError("a NUL character")
    return request


def read_reply(line: bytes) -> Reply:
    """The reply in `line`. Raises `WireError` when it is not one."""
    table = _table(line)
    if table.get("kind") == "hello":  # from any version; unknown fields are ignored
        table = {name: table[name] for name in ("kind", "text", "number") if name in table}
    return _read(Reply, table, stats=_read(GenerationStats, table.get("stats", {})))


def private_folder(folder: Path) -> None:
    """Make `folder` if it is missing, for its owner alone. Raises `ModelError` when it belongs to another user."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise ModelError(
            f"{folder}: cannot be made ({error.strerror}); choose another place with CITEWIRE_CACHE"
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ModelError(
            f"{folder}: not a folder of your own; remove it or choose another with CITEWIRE_CACHE"
        )


@contextlib.contextmanager
def socket_address(folder: Path) -> Iterator[str]:
    """The address of the socket in `folder`, valid for one bind or connect.

    An address may have at most 107 bytes; a longer path goes through a descriptor of the open folder.
    """
    path = str(folder / "model.sock")
    if len(os.fsencode(path)) <= 100:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/model.sock"
    finally:
        os.close(descriptor)
