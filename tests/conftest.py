"""What all tests share: the real models as fixtures, and a guard that fails a test that touches the network.

A missing model fails the test that asks for it (never skips it): a green run must have seen the real models.
The guard covers this process; child processes are kept off the network by the offline switches set here.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from rag.config import Settings, load_settings
from rag.errors import ModelError
from rag.models.registry import find_model

ROOT = Path(__file__).resolve().parent.parent

# For this process and its children. PIP_NO_INDEX leaves pip only local folders of wheels.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "PIP_NO_INDEX": "1",
}

# Fixtures of real models, and of real servers: a test that asks for one is marked, and left out of "make check".
MARKS = {
    "minilm_dir": "model",
    "reader_dir": "model",
    "default_gguf": "model",
    "tiny_gguf": "model",
    "server": "server",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make test-all` asks for all faults, other runs for a sample of them."""
    parser.addoption("--whole", action="store_true", help="try every fault, not a sample")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they ask for, before -m chooses among them."""
    for item in items:
        for name in getattr(item, "fixturenames", ()):
            if name in MARKS:
                item.add_marker(MARKS[name])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two short articles, a folder for their index, and one for caches."""
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "a.txt").write_text("Floods hit Valencia\n\nThe river rose four metres on Monday.", "utf-8")
    (seeds / "b.txt").write_text("Talks on grain\n\nMinisters met in Ankara for three hours.", "utf-8")
    return Settings(seeds=seeds, index=tmp_path / "index", cache=tmp_path / "cache")


class NetworkTouchedError(RuntimeError):
    """A test tried to leave this machine. Not an OSError: code that expects such must not eat it."""


def _is_local(host: object) -> bool:
    """Whether `host` names this machine without asking anyone: loopback, unspecified, or its own name."""
    if host is None:
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if text in ("", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse(what: str, touched: list[str]) -> NoReturn:
    touched.append(f"{what} (thread {threading.current_thread().name})")
    raise NetworkTouchedError(f"a test must not touch the network: {what}")


@pytest.fixture(scope="session", autouse=True)
def network_attempts() -> Iterator[list[str]]:
    """Refuse every connection and name look-up that leaves the machine; yields what was tried.

    Loopback and Unix sockets are allowed.
    """
    touched: list[str] = []
    patch = pytest.MonkeyPatch()
    connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    getaddrinfo = socket.getaddrinfo

    def check(sock: socket.socket, address: object) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0] if isinstance(address, tuple) and address else address
            if not _is_local(host):
                _refuse(f"connection to {address}", touched)

    def guarded_connect(sock: socket.socket, address):  # type: ignore[no-untyped-def]
        check(sock, address)
        return connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address):  # type: ignore[no-untyped-def]
        check(sock, address)
        return connect_ex(sock, address)

    def guarded_sendto(sock: socket.socket, data, *rest):  # type: ignore[no-untyped-def]
        check(sock, rest[-1])
        return sendto(sock, data, *rest)

    def guarded_getaddrinfo(host, *args, **kwargs):  # type: ignore[no-untyped-def]
        if not _is_local(host):
            _refuse(f"look-up of {host!r}", touched)
        return getaddrinfo(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket.socket, "sendto", guarded_sendto)
    patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    for name, value in OFFLINE.items():
        patch.setitem(os.environ, name, value)
    yield touched
    patch.undo()


@pytest.fixture(autouse=True)
def no_network(network_attempts: list[str]) -> Iterator[None]:
    """Fail a test that touched the network even where the code under test swallowed the refusal."""
    before = len(network_attempts)
    yield
    if new := network_attempts[before:]:
        pytest.fail("this test touched the network: " + "; ".join(new))


def _model(name: str) -> Path:
    try:
        return find_model(name, load_settings(ROOT))
    except ModelError as error:
        pytest.fail(f"{error} (or: make setup)", pytrace=False)


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether every fault is to be tried."""
    return bool(request.config.getoption("whole"))


@pytest.fixture(scope="session")
def minilm_dir() -> Path:
    """Folder of the real all-MiniLM-L6-v2."""
    return _model("minilm")


@pytest.fixture(scope="session")
def reader_dir() -> Path:
    """Folder of the real all-mpnet-base-v2, which the reader's adapters were trained on."""
    return _model("reader")


@pytest.fixture(scope="session")
def default_gguf() -> Path:
    """File of the real default model (Qwen2.5-Coder-1.5B-Instruct, Q4_K_M)."""
    return _model("default")


@pytest.fixture(scope="session")
def tiny_gguf() -> Path:
    """File of the tiny model (SmolLM2-135M-Instruct, Q4_1): runs the real llama.cpp in seconds."""
    return _model("tiny")


@pytest.fixture(scope="session")
def seeds_dir() -> Path:
    """Folder of the articles that come with the project."""
    return ROOT / "seeds"
