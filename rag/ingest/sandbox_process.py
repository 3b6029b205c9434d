"""The process that reads files of foreign formats. Parsers see hostile input only here.

It is given one end of a connection, by the number of its descriptor. Requests are JSON, `{"name", "path", "names", "limits"}`;
answers are `{"document": ...}` or `{"refused": ...}`, `{"going": true}` where the next one takes long, and `{"end": true}` last.
Its memory is limited, it opens no connection of its own, and it ends with that one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from rag.ingest.formats import Document, Found, Limits, Refused, Working, extract

MEMORY_BYTES = 3 * 2**30  # of address space, including the libraries of the parsers


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _found(request: dict[str, Any]) -> Iterator[Found]:
    try:
        with open(request["path"], "rb") as data:  # noqa: PTH123
            yield from extract(request["name"], data, Limits(**request["limits"]), request["names"])
    except OSError as error:
        yield Refused("", f"cannot be read ({error.strerror})")
    except MemoryError:
        yield Refused("", f"needs more than {MEMORY_BYTES // 2**30} GB of memory; split it")
    except RecursionError:
        yield Refused("", "nested too deeply; save it as text")


def _message(found: Found) -> bytes:
    if isinstance(found, Working):
        return b'{"going": true}'
    kind = "document" if isinstance(found, Document) else "refused"
    try:
        return json.dumps({kind: asdict(found)}, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON may contain
        return b'{"refused": {"key": "", "reason": "holds half a character; save it as UTF-8"}}'


def main() -> None:
    """Serve until the other side has closed the connection."""
    _bound_memory()
    connection = Connection(int(sys.argv[1]))
    with suppress(EOFError):
        while True:
            for found in _found(json.loads(connection.recv_bytes())):
                connection.send_bytes(_message(found))
            connection.send_bytes(b'{"end": true}')


if __name__ == "__main__":
    main()
