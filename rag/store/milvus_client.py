"""A Milvus server, or Milvus Lite in a folder: its address, its collections, and calls with a time-out and one-line errors.

It knows collections, rows and the state that readers see. What a generation of an index consists of is known to
`rag.store.milvus`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import ConfigError, StoreError, missing_extra
from rag.store.base import Fingerprint

TOKEN = "CITEWIRE_MILVUS_TOKEN"  # "user:password"; read from the environment alone
# A file of CA certificates, for a server over TLS that the usual ones do not cover.
AUTHORITY = "CITEWIRE_MILVUS_CA"
FORMAT = 2
LEAST_SERVER = (2, 3)
TIMEOUT_S = 20.0  # of one call
LOOK_S = 5.0  # of asking for the newest generation, before a question is answered
STALE_S = 5.0  # how far a reader may be behind a writer; Milvus calls it bounded staleness
BATCH_ROWS = 500  # of one message: about 1 MB
MOST_ROWS = 10_000  # of one query
KINDS = ("articles", "bodies", "chunks")  # of one fingerprint; a fourth collection holds the state of all
HNSW = {"M": 32, "efConstruction": 400}  # with half of both, texts unlike the others are missed
_ADDRESS = re.compile(
    r"milvus(?P<tls>\+tls)?://(?P<host>[^/\s@:]+|\[[^/\s\]]+\])(?::(?P<port>\d+))?/(?P<name>[A-Za-z]\w{0,47})"
)
# The advice for an error, by words in the client's message. The first match counts.
ADVICE = (
    (("not loaded", "deadline", "timeout"), "no answer in time; where it was just started, ask again soon"),
    (("wrong_version_number",), "it does not speak TLS; write milvus:// in store"),
    (
        ("certificate", "hostname", "handshake"),
        f"its certificate does not fit; correct store, or let {AUTHORITY} name a file with the certificate of its authority",
    ),
    (("auth", "permission"), f"the key is refused; set {TOKEN} to one that it knows"),
    (("socket closed",), "not reachable; if it speaks TLS, write milvus+tls:// in store"),
    (("unavailable", "connect", "retry"), "not reachable; start the server, or correct store"),
)
T = TypeVar("T")
_LITE = re.compile(r"milvus\+lite://(?P<folder>.+\.db)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an index is: `milvus://HOST:PORT/NAME`, with `milvus+tls` over TLS; `milvus+lite://FOLDER.db` without a server, in a
    folder that one process opens at a time."""

    shown: str
    uri: str
    name: str

    @classmethod
    def of(cls, text: str, corpus: str = "") -> Address:
        """The address in a setting; each corpus gets its own name there. Raises `ConfigError`."""
        own = f"_{re.sub(r'[^A-Za-z0-9]', '_', corpus)}" if corpus else ""
        lite = _LITE.fullmatch(text.strip())
        if lite is not None:
            folder = str(Path(lite["folder"]).expanduser().absolute())
            return cls(f"milvus+lite://{folder}", folder, f"citewire{own}")
        found = _ADDRESS.fullmatch(text.strip())
        if found is None:
            raise ConfigError(f'store: {text!r} is not an address such as "milvus://127.0.0.1:19530/news"')
        place, name = f"{found['host']}:{found['port'] or 19530}", found["name"] + own
        scheme, tls = ("https", "+tls") if found["tls"] else ("http", "")
        return cls(f"milvus{tls}://{place}/{name}", f"{scheme}://{place}", name)

    @property
    def is_lite(self) -> bool:
        """Whether it is a folder of this host."""
        return "://" not in self.uri

    def __str__(self) -> str:
        return self.shown


@dataclass(frozen=True, slots=True)
class State:
    """The newest generation, as the server states it. `next_id` is the first chunk id that is free, `at` when it was made
    (seconds since 1970), `suffix` names its collections, `unsealed` counts chunks sent since the last flush."""

    generation: int
    fingerprint: Fingerprint
    suffix: str
    next_id: int = 1
    at: float = 0.0
    articles: int = 0
    chunks: int = 0
    unsealed: int = 0
    publishers: tuple[str, ...] = ()
    format: int = FORMAT

    @property
    def stamp(self) -> str:
        """Identifies this generation, even after the server was emptied and filled again."""
        return f"{self.generation}-{self.at}"


def suffix_of(fingerprint: Fingerprint) -> str:
    """The suffix in the names of the collections that those settings made."""
    return sha256(json.dumps(asdict(fingerprint)).encode()).hexdigest()[:8]


class Server:
    """A connection whose calls have a time-out and one-line errors."""

    def __init__(self, address: Address, environ: Mapping[str, str] | None = None) -> None:
        """Connects at the first call."""
        self.address = address
        given = os.environ if environ is None else environ
        self._token = given.get(TOKEN, "")
        self._authority = given.get(AUTHORITY, "")
        self._client: Any = None
        self._lock = threading.Lock()
        self._has_state = False  # whether the collection of the state was seen

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # errors are reported in one line here
                from pymilvus import MilvusClient

                for library in ("pymilvus", "milvus_lite", "grpc._server"):
                    logging.getLogger(library).setLevel(logging.CRITICAL)
                if self.address.is_lite and find_spec("milvus_lite") is None:
                    raise missing_extra("store: Milvus Lite", "milvus-lite")
                trusted = {"server_pem_path": self._authority} if self._authority else {}
                self._client = MilvusClient(self.address.uri, token=self._token, timeout=TIMEOUT_S, **trusted)
                version = str(self._client.get_server_version())
                numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
                if numbers < LEAST_SERVER:
                    raise StoreError(f"{self.address}: Milvus {version} is too old; 2.3 or newer is needed")
            return self._client

    def call(self, name: str, *arguments: Any, timeout: float = 0.0, **options: Any) -> Any:
        """A method of `pymilvus.MilvusClient`, within `timeout` seconds (0: `TIMEOUT_S`); a collection that is not in the
        server's memory is loaded. Raises `StoreError`."""
        limit = timeout or TIMEOUT_S
        with self._failures_named():
            from pymilvus.exceptions import MilvusException

            method = getattr(self._connected(), name)
            try:
                return method(*arguments, timeout=limit, **options)
            except MilvusException as error:
                if "not loaded" not in str(error) and "'released'" not in str(error):
                    raise
                self._connected().load_collection(arguments[0], timeout=limit)
                return method(*arguments, timeout=limit, **options)

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        """Turn whatever the client raises into a one-line `StoreError`."""
        try:
            from grpc import RpcError
            from pymilvus.exceptions import MilvusException
        except ImportError:
            raise missing_extra("store: Milvus", "milvus") from None
        try:
            yield
        except (MilvusException, RpcError) as error:
            raise self._error(f"{error} {error.__cause__ or ''}") from None
        except FileNotFoundError:
            raise StoreError(f"{AUTHORITY}: no file {self._authority}; correct it") from None
        except (OSError, ValueError, TypeError) as error:
            raise self._error(str(error)) from None

    def _error(self, said: str) -> StoreError:
        low = said.lower()
        if self.address.is_lite and "open local milvus failed" in low:
            advice = "cannot be opened; stop the other program that has it open, or correct store"
        else:
            fitting = (advice for words, advice in ADVICE if any(word in low for word in words))
            advice = next(fitting, " ".join(said.split())[:200])
        return StoreError(f"{self.address}: {advice}")

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    # -- collections --------------------------------------------------------------------------------------------------

    def collection(self, kind: str, suffix: str = "") -> str:
        """The name of a collection: "state" of the index, or "articles", "bodies" and "chunks" of one fingerprint."""
        return f"{self.address.name}_{kind}" + (f"_{suffix}" if suffix else "")

    def make(self, state: State) -> None:
        """Make the collections that are missing."""
        dimension = state.fingerprint.dimension
        wanted = [(self.collection(k, s), k) for k, s in (("state", ""), *((k, state.suffix) for k in KINDS))]
        missing = [(name, kind) for name, kind in wanted if not self.call("has_collection", name)]
        with ThreadPoolExecutor(len(wanted)) as pool:  # each takes seconds, mostly waiting
            list(pool.map(lambda made: self._make(made[0], made[1], dimension), missing))

    def _make(self, name: str, kind: str, dimension: int) -> None:
        from pymilvus import DataType

        text = {"datatype": DataType.VARCHAR, "max_length": 65_535}
        short = {"datatype": DataType.VARCHAR, "max_length": 64}
        number = {"datatype": DataType.INT64}
        columns: dict[str, dict[str, dict[str, Any]]] = {
            "state": {"value": text},
            "articles": {"id_hash": short, "mark": short, "row": text, "added": number, "removed": number},
            "bodies": {"article": short, "piece": number, "text": text},
            "chunks": {
                **{"article": short, "begins": number, "ends": number, "title": text, "text": text},
                **{"published": number, "publisher": text, "added": number, "removed": number},
            },
        }
        schema = self._connected().create_schema(auto_id=False, enable_dynamic_field=False)
        key = number if kind == "chunks" else short
        schema.add_field("key", is_primary=True, **key)
        for column, options in columns[kind].items():
            schema.add_field(column, **options)
        index = self._connected().prepare_index_params()
        if kind == "chunks":
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
            index.add_index("vector", index_type="HNSW", metric_type="IP", params=HNSW)
        else:  # a collection must have one
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
            index.add_index("vector", index_type="FLAT", metric_type="IP", params={})
        self.call("create_collection", name, schema=schema, index_params=index, consistency_level="Bounded")

    def state(self, *, newest: bool = False) -> State | None:
        """The newest generation, at most `STALE_S` old, or the very newest; None where there is none."""
        self._has_state = self._has_state or bool(self.call("has_collection", self.collection("state")))
        value = self._value("state", newest=newest) if self._has_state else None
        if value is None:
            return None
        try:
            row = json.loads(value)
            if row["format"] != FORMAT:
                raise StoreError(
                    f"{self.address}: made by another version of Citewire (format {row['format']}); use that, or another"
                    " name in store"
                )
            maker = Fingerprint(**row.pop("fingerprint"))
            publishers = tuple(row.pop("publishers"))
            return State(fingerprint=maker, publishers=publishers, **row)
        except (KeyError, TypeError, ValueError):
            raise StoreError(
                f"{self.address}: its state is not readable; choose another name in store"
            ) from None

    def commit(self, state: State) -> None:
        """Make a generation the newest. What readers see changes here and nowhere else."""
        self.put("state", "", [{"key": "state", "value": json.dumps(asdict(state))}])

    def begun(self) -> int:
        """The generation that was begun last. It is complete if `state` has reached it. Call this after reading `state`."""
        return int(self._value("begun", newest=False) or 0)

    def _value(self, key: str, *, newest: bool) -> str | None:
        rows = self.call(
            "query",
            self.collection("state"),
            timeout=TIMEOUT_S if newest else LOOK_S,
            filter=f"key == {json.dumps(key)}",
            output_fields=["value"],
            consistency_level=level_of(newest),
        )
        return str(rows[0]["value"]) if rows else None

    def begin(self, generation: int) -> None:
        """Record that rows of a generation are about to be written."""
        self.put("state", "", [{"key": "begun", "value": str(generation)}])

    # -- rows ---------------------------------------------------------------------------------------------------------

    def rows(
        self, kind: str, suffix: str, where: str, fields: Sequence[str], *, newest: bool
    ) -> Iterator[dict[str, Any]]:
        """All rows that match, in the order of their keys."""
        name = self.collection(kind, suffix)
        options: dict[str, Any] = {
            "filter": where,
            "output_fields": list(dict.fromkeys(["key", *fields])),
            "consistency_level": level_of(newest),
        }
        found = self.call("query", name, limit=MOST_ROWS, **options)
        if len(found) < MOST_ROWS:
            yield from sorted((dict(r) for r in found), key=lambda r: r["key"])
            return
        pages = self.call("query_iterator", name, batch_size=MOST_ROWS, **options)
        try:
            while True:
                with self._failures_named():
                    page = pages.next()
                if not page:
                    return
                yield from (dict(r) for r in page)
        finally:
            pages.close()

    def put(self, kind: str, suffix: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, or replace those of their keys."""
        for some in parts_of(rows, BATCH_ROWS):
            full = [{"vector": [0.0, 1.0], **row} for row in some]
            self.call("upsert", self.collection(kind, suffix), full)

    def delete(self, kind: str, suffix: str, keys: Sequence[Any]) -> None:
        """Delete the rows of those keys."""
        for some in parts_of(keys, BATCH_ROWS):
            self.call("delete", self.collection(kind, suffix), ids=some)


def parts_of(items: Sequence[T], most: int) -> Iterator[list[T]]:
    """The items in order, in batches of at most that size."""
    for start in range(0, len(items), most):
        yield list(items[start : start + most])


def one_of(values: Sequence[str]) -> str:
    """The list of values of a filter. Letters are not escaped, because Milvus Lite cannot read `\\u` escapes."""
    return json.dumps(list(values), ensure_ascii=False)


def level_of(newest: bool) -> str:
    """Milvus's consistency level for the very newest rows, or for rows at most `STALE_S` old."""
    return "Strong" if newest else "Bounded"
