"""Where the named models are on this machine, and whether they are whole. Never uses the network (see `fetching`).

A model is a path that the user configured, or lies in the cache folder. Only its hash is trusted, never where it came
from. This module knows files and hashes. It does not know what a model does or how it is loaded.

Below `settings.cache / "models"`:

    NAME/FILE...      the model, complete and verified: files arrive here by renaming, never by writing
    NAME/.verified    a line a file: SHA-256, bytes, modification time (ns) and name, as when last hashed
    .NAME.part/       a fetch in progress; what a stopped one leaves is taken up by the next
    .NAME.lock        held while fetching
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rag.config import CONFIG_FILE, Settings
from rag.errors import ModelError
from rag.models import specs
from rag.models.specs import ModelFile, ModelSpec, Role

__all__ = ["ModelStatus", "Role", "find_model", "list_models"]

BLOCK_BYTES = 1 << 20


class ModelStatus(StrEnum):
    """The state of a named model on this machine."""

    READY = "ready"  # complete, and its hash was verified
    MISSING = "missing"
    PARTIAL = "partial"  # a fetch was stopped; the next one continues
    DAMAGED = "damaged"  # a file has the wrong size or hash
    CONFIGURED = "configured"  # the user's own file or folder, used as it is


@dataclass(frozen=True, slots=True)
class ModelState:
    """A named model and its state. `path` is where it is, or would be: a folder for embeddings, else a file.

    `detail` says what is wrong with a damaged or wrongly configured one, and how much of a partial one is here.
    """

    spec: ModelSpec
    state: ModelStatus
    path: Path
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a long step: `done` of `total` bytes, and what is being done in words."""

    done: int
    total: int
    message: str


Report = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Report nothing."""


def list_models(settings: Settings, *, verify: bool = False) -> tuple[ModelState, ...]:
    """Every named model, in the order of `MODELS`. Raises nothing for a model that is missing or damaged.

    A cached file is hashed when it has not been since it last changed, or always with `verify`.
    """
    return tuple(_state(spec, settings, verify) for spec in specs.MODELS)


def find_model(name: str, settings: Settings) -> Path:
    """Where a model is: by name, by alias, by a name of `settings.model_paths`, or by path.

    Returns a folder for an embedding model or the reader's base model, a GGUF file for others. Raises `ModelError` with
    the next command when it is missing, partial, damaged, or not that kind of thing.
    """
    spec = specs.named(name)
    if spec is None:
        if own := settings.model_paths.get(name):
            return _own(Path(own), _where(name, own))
        path = Path(name).expanduser()
        if path.exists() or os.sep in name or name.endswith(".gguf"):
            return _own(path, str(path))
        raise ModelError(unknown(name, settings) + ", and there is no such file; see: rag models")
    state = _state(spec, settings)
    if state.state in (ModelStatus.READY, ModelStatus.CONFIGURED):
        if state.detail:
            raise ModelError(state.detail)
        return state.path
    folder = ModelFolder(spec, settings).folder
    if state.state is ModelStatus.MISSING:
        wrong = f"is not here ({folder})"
    elif state.state is ModelStatus.PARTIAL:
        wrong = f"is only partly here ({state.detail} in {folder.parent})"
    else:
        wrong = f"in {folder} is damaged: {state.detail}"
    raise ModelError(f"model '{spec.name}' {wrong}; run: rag models get {spec.name}")


def file_sha256(path: Path, progress: Callable[[int], None] = lambda done: None) -> str:
    """SHA-256 of a file's bytes, in hex; `progress` gets the number of bytes done. Raises `OSError` as reading does."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            progress(done)
    return digest.hexdigest()


class ModelFolder:
    """The place of one named model in the cache: its files, and what was fetched of them so far."""

    def __init__(self, spec: ModelSpec, settings: Settings) -> None:
        self.spec = spec
        self.folder = settings.cache / "models" / spec.name
        self.part_folder = self.folder.with_name(f".{spec.name}.part")
        self.lock_file = self.folder.with_name(f".{spec.name}.lock")
        self.stamp_file = self.folder / ".verified"

    @property
    def path(self) -> Path:
        """What `find_model` returns: the folder, or the one file in it."""
        return self.folder if self.spec.is_folder else self.folder / self.spec.files[0].name

    def partial(self, file: ModelFile) -> Path:
        """Where a file (or the archive) grows while it is fetched: always its first bytes, wherever they come from."""
        return self.part_folder / (file.name.replace("/", "__") + ".partial")

    def check(self, verify: bool, report: Report) -> tuple[ModelStatus, str]:
        """Ready, missing, partial or damaged, and what is wrong."""
        try:
            for file in self.spec.files:
                path = self.folder / file.name
                if not path.is_file():
                    if self.stamp_file.is_file():
                        return ModelStatus.DAMAGED, f"{file.name} is gone"
                    if part := sum(map(length, self.part_folder.glob("*.partial"))):
                        return ModelStatus.PARTIAL, f"{in_mb(part)} of {in_mb(self.spec.bytes)}"
                    return ModelStatus.MISSING, ""
                if (size := path.stat().st_size) != file.bytes:
                    return ModelStatus.DAMAGED, f"{file.name} has {size} bytes, expected {file.bytes}"
            stamp = self._stamp()
            if not verify and self.stamp_file.is_file() and self.stamp_file.read_bytes() == stamp:
                return ModelStatus.READY, ""
            if wrong := self.wrong(self.spec.files, lambda f: self.folder / f.name, report):
                return ModelStatus.DAMAGED, wrong
        except OSError as error:
            return ModelStatus.DAMAGED, f"{error.filename}: {error.strerror}"
        # A read-only cache works too; it is then hashed at every start.
        with suppress(OSError):
            self.write_stamp(stamp)
        return ModelStatus.READY, ""

    def wrong(self, files: Sequence[ModelFile], path_of: Callable[[ModelFile], Path], report: Report) -> str:
        """What is wrong with the first of the files whose hash is not the one expected, or nothing."""
        before, total = 0, sum(f.bytes for f in files)

        def tick(done: int) -> None:
            report(Progress(before + done, total, f"checking {self.spec.name}"))

        for file in files:
            found = file_sha256(path_of(file), tick)
            if found != file.sha256:
                return f"the hash of {file.name} is wrong: expected SHA-256 {file.sha256}, found {found}"
            before += file.bytes
        return ""

    def write_stamp(self, stamp: bytes | None = None) -> None:
        """Note that every file was hashed as it is now. Raises `OSError`."""
        temporary = self.folder / f".verified.{os.getpid()}"
        temporary.write_bytes(self._stamp() if stamp is None else stamp)
        temporary.replace(self.stamp_file)

    def _stamp(self) -> bytes:
        """The content of `.verified` if every file is as it was when last hashed."""
        stats = [(f, (self.folder / f.name).stat()) for f in self.spec.files]
        return "".join(f"{f.sha256} {s.st_size} {s.st_mtime_ns} {f.name}\n" for f, s in stats).encode()


def unknown(name: str, settings: Settings) -> str:
    """The beginning of an error: that no model has this name, and which names there are."""
    named = [s.name for s in specs.MODELS]
    known = named + sorted(set(settings.model_paths) - set(named))
    return f"no model is named {name!r} (known: {', '.join(known)})"


def configured(spec: ModelSpec, settings: Settings) -> Path | None:
    """The user's own file or folder for a named model, if one is set."""
    own = (settings.model_paths.get(name) for name in (spec.name, *spec.aliases))
    return next((Path(path) for path in own if path), None)


def length(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def in_mb(count: int) -> str:
    """Bytes as a text such as "12 MB"."""
    return f"{count / 1e6:.0f} MB"


def _state(spec: ModelSpec, settings: Settings, verify: bool = False) -> ModelState:
    if own := configured(spec, settings):
        detail = ""
        try:
            _own(own, _where(spec.name, own), spec.role)
        except ModelError as error:
            detail = str(error)
        return ModelState(spec, ModelStatus.CONFIGURED, own, detail)
    place = ModelFolder(spec, settings)
    status, detail = place.check(verify, ignore_progress)
    return ModelState(spec, status, place.path, detail)


def _where(name: str, path: str | Path) -> str:
    return f"{CONFIG_FILE}, [models], {name}: {path}"


_A_MODEL = {Role.EMBEDDING: "an embedding model", Role.READING: "the reader's base model"}
_NEEDED = {
    Role.EMBEDDING: ("modules.json", "config.json", "model.safetensors"),
    Role.READING: ("tokenizer.json", "model.safetensors"),
}


def _own(path: Path, where: str, role: Role | None = None) -> Path:
    """Check a file or folder of the user without hashing it. Raises `ModelError` if it cannot be a model."""
    if not path.exists():
        raise ModelError(f"{where}: no such file; correct the path, or see: rag models")
    if role is not None and path.is_dir() != (role in _A_MODEL):
        kind = f"the folder of {_A_MODEL[role]}" if role in _A_MODEL else "a GGUF file"
        raise ModelError(f"{where} is not {kind}; correct the path")
    if path.is_dir():
        role = role or Role.EMBEDDING
        for name in _NEEDED[role]:
            if not (path / name).is_file():
                raise ModelError(f"{where} is not the folder of {_A_MODEL[role]}: it has no {name}")
        return path
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelError(f"{where}: {error.strerror}; correct it, or see: rag models") from None
    if magic != b"GGUF":
        raise ModelError(f"{where} is not a GGUF file (it begins with {magic!r}); see: rag models")
    return path
