"""A real Milvus server that speaks TLS and wants a key: what fits works, and what does not is told in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trustme

from eval.bench.milvus_server import MilvusProcess
from rag.config import Settings
from rag.errors import StoreError
from rag.ingest.build import build, fingerprint_of
from rag.store.milvus_client import AUTHORITY, TOKEN, Address, Server
from rag.store.publish import open_store
from tests.fakes import WordEmbedder

pytestmark = pytest.mark.server

KEY = "root:Milvus"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("secured")
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(made / "ca.pem")
    own.private_key_pem.write_to_path(made / "server.key")
    (made / "server.pem").write_bytes(b"".join(pem.bytes() for pem in own.cert_chain_pems))
    trustme.CA().cert_pem.write_to_path(made / "other.pem")
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[MilvusProcess]:
    files = {"server_pem_path": "server.pem", "server_key_path": "server.key", "ca_pem_path": "ca.pem"}
    made = MilvusProcess(
        folder / "data",
        authorization_enabled=True,
        tls_mode=1,
        **{option: str(folder / name) for option, name in files.items()},
    )
    made.start()
    yield made
    made.kill()


def failure(address: str, environ: Mapping[str, str]) -> str:
    with pytest.raises(StoreError) as told:
        Server(Address.of(address), environ).state(newest=True)
    return str(told.value).removeprefix(f"{address}: ")


def test_what_does_not_fit_is_one_line(server: MilvusProcess, folder: Path) -> None:
    """The first here: pymilvus gives later clients of a process the connection of that address and key."""
    plain = server.address("news")
    secured = plain.replace("milvus://", "milvus+tls://")
    trusted = {AUTHORITY: str(folder / "ca.pem")}
    refused = f"the key is refused; set {TOKEN} to one that it knows"
    assert failure(secured, trusted) == refused
    assert failure(secured, {**trusted, TOKEN: "root:something"}) == refused
    strange = f"its certificate does not fit; correct store, or let {AUTHORITY} name a file with the certificate of its authority"
    assert failure(secured, {TOKEN: KEY}) == strange
    assert failure(secured, {TOKEN: KEY, AUTHORITY: str(folder / "other.pem")}) == strange
    assert failure(secured.replace("127.0.0.1", "127.0.0.2"), {**trusted, TOKEN: KEY}) == strange
    assert failure(plain, {TOKEN: KEY}) == "not reachable; if it speaks TLS, write milvus+tls:// in store"
    with pytest.raises(StoreError, match=rf"{AUTHORITY}: no file /nowhere.pem"):
        Server(Address.of(secured), {AUTHORITY: "/nowhere.pem"}).state(newest=True)


def test_an_index_over_tls_with_a_key(
    server: MilvusProcess, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, KEY)
    monkeypatch.setenv(AUTHORITY, str(folder / "ca.pem"))
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "flood.txt").write_text("Floods hit Valencia\n\nThe river Turia rose four metres.", "utf-8")
    address = server.address("news").replace("milvus://", "milvus+tls://")
    settings = Settings(seeds=seeds, index=tmp_path / "index", cache=tmp_path / "cache", store=address)
    build(settings, WordEmbedder())
    store = open_store(settings, fingerprint_of(settings, WordEmbedder()))
    assert [a.id for a in store.articles()] == ["flood.txt"]
    assert KEY not in (settings.index / "catalog.sqlite").read_bytes().decode("latin-1")
